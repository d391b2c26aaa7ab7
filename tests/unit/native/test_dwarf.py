"""The DWARF reader: forms that compilers here do not write, and entries that no compiler would write."""

import struct

import pytest


def test_a_function_and_a_call(d, look_up):
    header = 12
    first = d.root()
    entries = [first, b"\4inner\0", d.function(b"outer", 0x1100, 0x100), b"\3" + d.u4(header + len(first))]
    entries += [d.u8(0x1110) + d.u8(0x10), b"\0\0\0"]
    table = d.ROOT + d.PLAIN + d.CALL + d.ABSTRACT + b"\0"
    found = look_up(
        [0x10FF, 0x1100, 0x1110, 0x111F, 0x1120, 0x11FF, 0x1200], info=d.unit(entries), abbrev=table
    )
    assert found == [[], ["outer"], ["outer", "inner"], ["outer", "inner"], ["outer"], ["outer"], []]


@pytest.mark.parametrize("offset_size", [4, 8])
@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("order", ["<", ">"])
def test_versions_sizes_and_byte_orders(d, look_up, version, offset_size, order):
    high = 0x1010 if version < 4 else 0x10
    table = d.abbrev(1, d.UNIT, [(d.LOW, d.ADDR), (d.HIGH, d.ADDR)], children=True)
    table += (
        d.abbrev(
            2, d.FUNCTION, [(d.NAME, d.STRING), (d.LOW, d.ADDR), (d.HIGH, d.ADDR if version < 4 else d.DATA2)]
        )
        + b"\0"
    )
    size = struct.pack(order + ("I" if version < 4 else "H"), high)
    entries = [
        b"\1" + struct.pack(order + "II", 0x1000, 0x2000),
        b"\2f\0" + struct.pack(order + "I", 0x1000) + size,
        b"\0",
    ]
    info = d.unit(entries, version, order=order, offset_size=offset_size, address_size=4)
    assert look_up([0x1000, 0x100F, 0x1010], info=info, abbrev=table, swap=order == ">") == [["f"], ["f"], []]


def test_everything_by_index(d, look_up):
    table = d.abbrev(
        1,
        d.UNIT,
        [
            (d.LOW, d.ADDRX1),
            (d.RANGES, d.RNGLISTX),
            (d.STR_BASE, d.SEC_OFFSET),
            (d.ADDR_BASE, d.SEC_OFFSET),
            (d.RNG_BASE, d.SEC_OFFSET),
        ],
        children=True,
    )
    table += d.abbrev(2, d.FUNCTION, [(d.LINKAGE, d.STRX3), (d.LOW, d.ADDRX), (d.HIGH, d.UDATA)]) + b"\0"
    entries = [
        b"\1\0" + d.uleb(1) + d.u4(8) + d.u4(8) + d.u4(12),
        b"\2" + b"\1\0\0" + d.uleb(1) + d.uleb(300),
        b"\0",
    ]
    # base_addressx 0, offset_pair 0 0x100; startx_length; startx_endx; base_address; start_end; start_length
    lists = b"\1\0" + b"\4" + d.uleb(0x100) + d.uleb(0x300) + b"\3\1\x10" + b"\2\0\1" + b"\5" + d.u8(0x9000)
    lists += b"\6" + d.u8(0x5000) + d.u8(0x5001) + b"\7" + d.u8(0x6000) + b"\1" + b"\0"
    found = look_up(
        [0x1000, 0x1100, 0x1113, 0x122B, 0x122C],
        info=d.unit(entries),
        abbrev=table,
        str=b"\0unused\0_Zname\0",
        str_offsets=bytes(8) + d.u4(1) + d.u4(8),
        addr=bytes(8) + d.u8(0x1000) + d.u8(0x1100),
        rnglists=bytes(12) + d.u4(8) + d.u4(8) + lists,
    )
    assert found == [[], ["_Zname"], ["_Zname"], ["_Zname"], []]


def test_indirect_implicit_and_unknown_forms(d, look_up):
    table = d.ROOT + d.abbrev(
        2, d.FUNCTION, [(d.NAME, d.INDIRECT), (0x3FFF, d.BLOCK1), (d.LOW, d.ADDR), (d.HIGH, d.IMPLICIT, 16)]
    )
    table += d.abbrev(3, d.FUNCTION, [(d.NAME, 0x7E)]) + b"\0"
    entries = [
        d.root(),
        b"\2" + d.uleb(d.INDIRECT) + d.uleb(d.STRING) + b"f\0" + b"\2xy" + d.u8(0x1000),
        b"\3abc",
        d.function(b"g", 0x1100, 1),
    ]
    assert look_up([0x1000, 0x100F, 0x1100], info=d.unit(entries), abbrev=table) == [["f"], ["f"], []]


def test_functions_within_functions_namespaces_and_types(d, look_up):
    table = (
        d.ROOT
        + d.PLAIN
        + d.abbrev(5, d.NAMESPACE, [(d.NAME, d.STRING)], children=True)
        + d.abbrev(6, d.NAMESPACE, children=True)
    )
    table += d.abbrev(7, d.STRUCT, [(d.NAME, d.STRING)], children=True) + b"\0"
    entries = [
        d.root(),
        b"\5shop\0",
        b"\6",
        b"\7Till\0",
        d.function(b"add", 0x1000, 0x10),
        d.function(b"nested", 0x1100, 0x10),
    ]
    entries += [b"\0" * 6, d.function(b"plain", 0x1200, 0x10), b"\0"]
    found = look_up([0x1001, 0x1101, 0x1201], info=d.unit(entries), abbrev=table)
    outer = "shop::(anonymous namespace)::Till::"
    assert found[0] == [f"{outer}add"]
    assert found[1][-1].startswith(outer)
    assert found[1][-1].endswith("nested")
    assert len(found[1]) == 1


def test_what_lies_in_the_other_file(d, look_up):
    table = d.ROOT + d.abbrev(2, d.FUNCTION, [(d.ORIGIN, d.REF_SUP4), (d.LOW, d.ADDR), (d.HIGH, d.DATA8)])
    table += d.abbrev(3, d.FUNCTION, [(d.NAME, d.STRP_SUP), (d.LOW, d.ADDR), (d.HIGH, d.DATA8)]) + b"\0"
    other_table = d.abbrev(1, 0x3C, children=True) + d.abbrev(2, d.FUNCTION, [(d.NAME, d.STRING)]) + b"\0"
    other = d.sections(info=d.unit([b"\1", b"\2shared\0", b"\0"]), abbrev=other_table, str=b"\0text\0")
    entries = [
        d.root(),
        b"\2" + d.u4(13) + d.u8(0x1000) + d.u8(1),
        b"\3" + d.u4(1) + d.u8(0x1001) + d.u8(1),
        b"\0",
    ]
    found = look_up([0x1000, 0x1001], info=d.unit(entries), abbrev=table, alt=other)
    assert found == [["shared"], ["text"]]
    assert look_up([0x1000, 0x1001], info=d.unit(entries), abbrev=table) == [[""], [""]]


def test_references_in_a_circle_end(d, look_up):
    table = d.ROOT + d.abbrev(2, d.FUNCTION, [(d.ORIGIN, d.REF4), (d.LOW, d.ADDR), (d.HIGH, d.DATA8)]) + b"\0"
    here = 12 + len(d.root())
    entries = [
        d.root(),
        b"\2" + d.u4(here) + d.u8(0x1000) + d.u8(1),
        b"\2" + d.u4(2**32 - 1) + d.u8(0x1001) + d.u8(1),
        b"\0",
    ]
    assert look_up([0x1000, 0x1001], info=d.unit(entries), abbrev=table) == [[""], [""]]


def test_a_sibling_that_leads_back_is_not_followed(d, look_up):
    table = d.ROOT + d.PLAIN + d.abbrev(8, d.STRUCT, [(d.SIBLING, d.REF4)], children=True) + b"\0"
    entries = [d.root(), b"\x08" + d.u4(12), b"\0", d.function(b"f", 0x1000, 1), b"\0"]
    assert look_up([0x1000], info=d.unit(entries), abbrev=table) == [["f"]]


def test_aranges_are_believed_and_what_they_lack_is_sought(d, look_up):
    table = d.ROOT + d.PLAIN + b"\0"
    one = d.unit([d.root(), d.function(b"f", 0x1000, 1), b"\0\0"])
    two = d.unit([d.root(0x3000), d.function(b"g", 0x3000, 1), b"\0\0"])
    aranges = struct.pack("<HIBB", 2, 0, 8, 0) + bytes(4) + d.u8(0x1000) + d.u8(0x10) + bytes(16)
    aranges = d.u4(len(aranges)) + aranges
    assert look_up([0x1000, 0x3000], info=one + two, abbrev=table, aranges=aranges) == [["f"], ["g"]]
    assert look_up([0x1000, 0x3000], info=one + two, abbrev=table, aranges=aranges[:20]) == [["f"], ["g"]]
