"""The DWARF reader: forms that compilers here do not write, and entries that no compiler would write."""

import struct
import time

import numpy as np
import pytest

from kprof._native._dwarf import SECTIONS, DwarfReader

UNIT, FUNCTION, INLINED, NAMESPACE, BLOCK, STRUCT = 0x11, 0x2E, 0x1D, 0x39, 0x0B, 0x13
SIBLING, NAME, STMT_LIST, LOW, HIGH, LANGUAGE, ORIGIN, RANGES = 0x01, 0x03, 0x10, 0x11, 0x12, 0x13, 0x31, 0x55
CALL_FILE, CALL_LINE, LINKAGE, STR_BASE, ADDR_BASE, RNG_BASE = 0x58, 0x59, 0x6E, 0x72, 0x73, 0x74
ADDR, DATA2, DATA4, DATA8, STRING, DATA1, UDATA, REF4, REF_ADDR = (
    0x01,
    0x05,
    0x06,
    0x07,
    0x08,
    0x0B,
    0x0F,
    0x13,
    0x10,
)
INDIRECT, SEC_OFFSET, STRX, ADDRX, RNGLISTX, IMPLICIT, FLAG, BLOCK1 = (
    0x16,
    0x17,
    0x1A,
    0x1B,
    0x23,
    0x21,
    0x19,
    0x0A,
)
STRX3, ADDRX1, STRP_SUP, REF_SUP4, REF_SIG8 = 0x27, 0x29, 0x1D, 0x1C, 0x20


def uleb(value):
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | 0x80 * bool(value))
        if not value:
            return bytes(out)


def abbrev(code, tag, attributes=(), *, children=False):
    """An abbreviation; an attribute is (name, form) or (name, form, constant)."""
    parts = [uleb(code), uleb(tag), bytes([children])]
    parts += [b"".join(map(uleb, attribute)) for attribute in attributes]
    return b"".join([*parts, b"\0\0"])


def unit(entries, version=5, *, order="<", offset_size=4, address_size=8, abbrevs=0):
    """A compile unit of entries that are bytes already."""
    offset = struct.pack(order + ("I" if offset_size == 4 else "Q"), abbrevs)
    if version >= 5:
        body = struct.pack(order + "HBB", version, 1, address_size) + offset
    else:
        body = struct.pack(order + "H", version) + offset + bytes([address_size])
    body += b"".join(entries)
    if offset_size == 8:
        return struct.pack(order + "IQ", 0xFFFFFFFF, len(body)) + body
    return struct.pack(order + "I", len(body)) + body


def sections(**given):
    return [given.get(name.removeprefix(".debug_")) for name in SECTIONS]


def look_up(addresses, *, swap=False, alt=None, **given):
    """The names at each address, outermost first."""
    reader = DwarfReader(sections(**given), alt, swap=swap)
    places = reader.look_up(np.array(addresses, np.uint64))
    nodes, (names, _) = reader.nodes(), reader.names()

    def chain(node):
        return [] if node < 0 else [*chain(int(nodes["parent"][node])), names[nodes["name"][node]].decode()]

    return [chain(node) for node in places["node"].tolist()]


def u8(value):
    return struct.pack("<Q", value)


def u4(value):
    return struct.pack("<I", value)


ROOT = abbrev(1, UNIT, [(LOW, ADDR), (HIGH, DATA8)], children=True)
PLAIN = abbrev(2, FUNCTION, [(NAME, STRING), (LOW, ADDR), (HIGH, DATA8)], children=True)
CALL = abbrev(3, INLINED, [(ORIGIN, REF4), (LOW, ADDR), (HIGH, DATA8)], children=True)
ABSTRACT = abbrev(4, FUNCTION, [(NAME, STRING)])


def root(low=0x1000, size=0x1000):
    return b"\1" + u8(low) + u8(size)


def function(name, low, size):
    return b"\2" + name + b"\0" + u8(low) + u8(size)


def test_a_function_and_a_call():
    header = 12
    first = root()
    entries = [first, b"\4inner\0", function(b"outer", 0x1100, 0x100), b"\3" + u4(header + len(first))]
    entries += [u8(0x1110) + u8(0x10), b"\0\0\0"]
    table = ROOT + PLAIN + CALL + ABSTRACT + b"\0"
    found = look_up(
        [0x10FF, 0x1100, 0x1110, 0x111F, 0x1120, 0x11FF, 0x1200], info=unit(entries), abbrev=table
    )
    assert found == [[], ["outer"], ["outer", "inner"], ["outer", "inner"], ["outer"], ["outer"], []]


@pytest.mark.parametrize("offset_size", [4, 8])
@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["<", ">"])
def test_versions_sizes_and_byte_orders(version, offset_size, order):
    high = 0x1010 if version < 4 else 0x10
    table = abbrev(1, UNIT, [(LOW, ADDR), (HIGH, ADDR)], children=True)
    table += (
        abbrev(2, FUNCTION, [(NAME, STRING), (LOW, ADDR), (HIGH, ADDR if version < 4 else DATA2)]) + b"\0"
    )
    size = struct.pack(order + ("I" if version < 4 else "H"), high)
    entries = [
        b"\1" + struct.pack(order + "II", 0x1000, 0x2000),
        b"\2f\0" + struct.pack(order + "I", 0x1000) + size,
        b"\0",
    ]
    info = unit(entries, version, order=order, offset_size=offset_size, address_size=4)
    assert look_up([0x1000, 0x100F, 0x1010], info=info, abbrev=table, swap=order == ">") == [["f"], ["f"], []]


def test_everything_by_index():
    table = abbrev(
        1,
        UNIT,
        [
            (LOW, ADDRX1),
            (RANGES, RNGLISTX),
            (STR_BASE, SEC_OFFSET),
            (ADDR_BASE, SEC_OFFSET),
            (RNG_BASE, SEC_OFFSET),
        ],
        children=True,
    )
    table += abbrev(2, FUNCTION, [(LINKAGE, STRX3), (LOW, ADDRX), (HIGH, UDATA)]) + b"\0"
    entries = [b"\1\0" + uleb(1) + u4(8) + u4(8) + u4(12), b"\2" + b"\1\0\0" + uleb(1) + uleb(300), b"\0"]
    # base_addressx 0, offset_pair 0 0x100; startx_length; startx_endx; base_address; start_end; start_length
    lists = b"\1\0" + b"\4" + uleb(0x100) + uleb(0x300) + b"\3\1\x10" + b"\2\0\1" + b"\5" + u8(0x9000)
    lists += b"\6" + u8(0x5000) + u8(0x5001) + b"\7" + u8(0x6000) + b"\1" + b"\0"
    found = look_up(
        [0x1000, 0x1100, 0x1113, 0x122B, 0x122C],
        info=unit(entries),
        abbrev=table,
        str=b"\0unused\0_Zname\0",
        str_offsets=bytes(8) + u4(1) + u4(8),
        addr=bytes(8) + u8(0x1000) + u8(0x1100),
        rnglists=bytes(12) + u4(8) + u4(8) + lists,
    )
    assert found == [[], ["_Zname"], ["_Zname"], ["_Zname"], []]


def test_indirect_implicit_and_unknown_forms():
    table = ROOT + abbrev(
        2, FUNCTION, [(NAME, INDIRECT), (0x3FFF, BLOCK1), (LOW, ADDR), (HIGH, IMPLICIT, 16)]
    )
    table += abbrev(3, FUNCTION, [(NAME, 0x7E)]) + b"\0"
    entries = [
        root(),
        b"\2" + uleb(INDIRECT) + uleb(STRING) + b"f\0" + b"\2xy" + u8(0x1000),
        b"\3abc",
        function(b"g", 0x1100, 1),
    ]
    assert look_up([0x1000, 0x100F, 0x1100], info=unit(entries), abbrev=table) == [["f"], ["f"], []]


def test_functions_within_functions_namespaces_and_types():
    table = (
        ROOT
        + PLAIN
        + abbrev(5, NAMESPACE, [(NAME, STRING)], children=True)
        + abbrev(6, NAMESPACE, children=True)
    )
    table += abbrev(7, STRUCT, [(NAME, STRING)], children=True) + b"\0"
    entries = [
        root(),
        b"\5shop\0",
        b"\6",
        b"\7Till\0",
        function(b"add", 0x1000, 0x10),
        function(b"nested", 0x1100, 0x10),
    ]
    entries += [b"\0" * 6, function(b"plain", 0x1200, 0x10), b"\0"]
    found = look_up([0x1001, 0x1101, 0x1201], info=unit(entries), abbrev=table)
    outer = "shop::(anonymous namespace)::Till::"
    assert found[0] == [f"{outer}add"]
    assert found[1][-1].startswith(outer)
    assert found[1][-1].endswith("nested")
    assert len(found[1]) == 1


def test_what_lies_in_the_other_file():
    table = ROOT + abbrev(2, FUNCTION, [(ORIGIN, REF_SUP4), (LOW, ADDR), (HIGH, DATA8)])
    table += abbrev(3, FUNCTION, [(NAME, STRP_SUP), (LOW, ADDR), (HIGH, DATA8)]) + b"\0"
    other_table = abbrev(1, 0x3C, children=True) + abbrev(2, FUNCTION, [(NAME, STRING)]) + b"\0"
    other = sections(info=unit([b"\1", b"\2shared\0", b"\0"]), abbrev=other_table, str=b"\0text\0")
    entries = [root(), b"\2" + u4(13) + u8(0x1000) + u8(1), b"\3" + u4(1) + u8(0x1001) + u8(1), b"\0"]
    found = look_up([0x1000, 0x1001], info=unit(entries), abbrev=table, alt=other)
    assert found == [["shared"], ["text"]]
    assert look_up([0x1000, 0x1001], info=unit(entries), abbrev=table) == [[""], [""]]


def test_references_in_a_circle_end():
    table = ROOT + abbrev(2, FUNCTION, [(ORIGIN, REF4), (LOW, ADDR), (HIGH, DATA8)]) + b"\0"
    here = 12 + len(root())
    entries = [
        root(),
        b"\2" + u4(here) + u8(0x1000) + u8(1),
        b"\2" + u4(2**32 - 1) + u8(0x1001) + u8(1),
        b"\0",
    ]
    assert look_up([0x1000, 0x1001], info=unit(entries), abbrev=table) == [[""], [""]]


def test_a_sibling_that_leads_back_is_not_followed():
    table = ROOT + PLAIN + abbrev(8, STRUCT, [(SIBLING, REF4)], children=True) + b"\0"
    entries = [root(), b"\x08" + u4(12), b"\0", function(b"f", 0x1000, 1), b"\0"]
    assert look_up([0x1000], info=unit(entries), abbrev=table) == [["f"]]


def test_aranges_are_believed_and_what_they_lack_is_sought():
    table = ROOT + PLAIN + b"\0"
    one = unit([root(), function(b"f", 0x1000, 1), b"\0\0"])
    two = unit([root(0x3000), function(b"g", 0x3000, 1), b"\0\0"])
    aranges = struct.pack("<HIBB", 2, 0, 8, 0) + bytes(4) + u8(0x1000) + u8(0x10) + bytes(16)
    aranges = u4(len(aranges)) + aranges
    assert look_up([0x1000, 0x3000], info=one + two, abbrev=table, aranges=aranges) == [["f"], ["g"]]
    assert look_up([0x1000, 0x3000], info=one + two, abbrev=table, aranges=aranges[:20]) == [["f"], ["g"]]


def hostile():
    """Inputs whose work or memory would grow with the square of their size, or without end."""
    many = 20_000
    table = ROOT + PLAIN + CALL + ABSTRACT + abbrev(6, NAMESPACE, children=True)
    yield (
        "deep",
        {"info": unit([root(0, 2**63), b"\6" * many, b"\2f\0" + u8(1) + u8(2**62)]), "abbrev": table + b"\0"},
    )
    everything = [root(1, 2**62), function(b"f", 1, 2**62), (b"\3" + u4(12) + u8(1) + u8(2**62)) * many]
    yield "nested calls everywhere", {"info": unit(everything), "abbrev": table + b"\0"}
    side_by_side = [
        root(1, 2**62),
        function(b"f", 1, 2**62),
        (b"\3" + u4(12) + u8(1) + u8(2**62) + b"\0") * many,
    ]
    yield "calls everywhere", {"info": unit(side_by_side), "abbrev": table + b"\0"}
    flags = abbrev(2, FUNCTION, [(0x3FFF, FLAG)] * many)
    yield (
        "attributes of no size",
        {"info": unit([root(1, 2**62), b"\2" * many]), "abbrev": ROOT + flags + b"\0"},
    )
    listed = abbrev(2, FUNCTION, [(RANGES, IMPLICIT, 0)])
    ranges = b"".join(u8(2 * i + 1) + u8(2 * i + 2) for i in range(many))
    yield (
        "one list for all",
        {"info": unit([root(1, 2**62), b"\2" * many], 4), "abbrev": ROOT + listed + b"\0", "ranges": ranges},
    )
    shared = ROOT + b"".join(abbrev(i + 10, 0x34, [(NAME, STRING)]) for i in range(many))
    units = unit([b"\1" + u8(1) + u8(2**62), b"\x09\0"]) * 1000
    yield "one table for many units", {"info": units, "abbrev": shared + b"\0"}
    overlapping = b"".join(unit([uleb(2**30)], abbrevs=i) for i in range(many))
    yield "tables that overlap", {"info": overlapping, "abbrev": shared + b"\0"}
    named = ROOT + abbrev(2, FUNCTION, [(NAME, 0x0E), (LOW, ADDR), (HIGH, DATA8)]) + b"\0"
    names = b"".join(b"\2" + u4(i) + u8(i + 1) + u8(1) for i in range(many))
    yield "names that overlap", {"info": unit([root(1, 2**62), names]), "abbrev": named, "str": b"x" * many}
    lined = abbrev(1, UNIT, [(LOW, ADDR), (HIGH, DATA8), (STMT_LIST, IMPLICIT, 0)]) + b"\0"
    header = b"\1\1\1\xfb\x0e\x0d" + b"\0\1\1\1\1\0\0\0\1\0\0\1"
    empty = header + bytes([1, 1, FLAG]) + uleb(2**60) + bytes([1, 1, FLAG]) + uleb(2**60)
    line = struct.pack("<HBBI", 5, 8, 0, len(empty)) + empty + bytes(many)
    yield (
        "files of no size",
        {"info": unit([b"\1" + u8(1) + u8(2**62)]) * many, "abbrev": lined, "line": u4(len(line)) + line},
    )
    old = header + b"\0a\0\0\0\0\0"
    rows = b"\0\x09\2" + u8(1) + (b"\x01\3\xff\xff\xff\xff\x07\2\xff\xff\xff\xff\xff\xff\xff\xff\x7f") * many
    line = struct.pack("<HI", 4, len(old)) + old + rows
    yield (
        "rows everywhere",
        {"info": unit([b"\1" + u8(1) + u8(2**62)], 4) * 100, "abbrev": lined, "line": u4(len(line)) + line},
    )
    yield "units of no size", {"info": bytes(4 * many), "abbrev": table}


@pytest.mark.parametrize(("name", "given"), [pytest.param(*case, id=case[0]) for case in hostile()])
def test_small_inputs_take_little_time(name, given):
    addresses = np.unique(
        np.concatenate([np.arange(1, 5001), np.geomspace(1, 2**62, 500).astype(np.int64)])
    ).astype(np.uint64)
    start = time.process_time()
    assert len(look_up(addresses, **given)) == len(addresses)
    # Hundredths of a second. What is quadratic here would be hours in a file of megabytes.
    assert time.process_time() - start < 10
