"""Instructions of call frame information and the heads of entries, one by one."""

import struct

import pytest

from kprof._native._unwind import CfiTable

START, SIZE = 0x1000, 0x1000
RANGE = struct.pack("<QQ", START, SIZE)
SP, PC = 7, 16
DEF_CFA = bytes([0x0C, SP, 8])
SAVED_PC = {PC: ("offset", -8)}


def uleb(value):
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def entry(link, body, order="<"):
    body += bytes(-len(body) % 8)
    return struct.pack(order + "II", len(body) + 4, link) + body


def cie(
    program=DEF_CFA + bytes([0x80 | PC, 1]), *, version=1, letters=b"", data=b"", factors=b"\x01\x78", link=0
):
    sized = uleb(len(data)) + data if letters.startswith(b"z") else data
    wide = b"\x08\x00" if version == 4 else b""
    return entry(link, bytes([version]) + letters + b"\0" + wide + factors + bytes([PC]) + sized + program)


def table(program=b"", *, link=None, head=None, address=RANGE, sized=b"", **options):
    """A table of one FDE in .eh_frame, or in .debug_frame if the link of its CIE is given."""
    first = cie(link=link or 0, **options) if head is None else head
    section = first + entry(0 if link else len(first) + 4, address + sized + program)
    name = "debug_frame" if link else "eh_frame"
    return CfiTable(62, False, [(0, START, SIZE)], **{name: (section, 0x8000)})


def rules_at(program, address=START, **options):
    row = table(program, **options).row(address)
    return row and (row[0], {k: v for k, v in row[1].items() if k != PC})


CFA = ("register", SP, 8)
ROWS = {
    "nop": (b"\x00", (CFA, {})),
    "offset": (b"\x83\x02", (CFA, {3: ("offset", -16)})),
    "offset_extended": (b"\x05\x03\x02", (CFA, {3: ("offset", -16)})),
    "restore": (b"\x83\x02\xc3", (CFA, {})),
    "restore_extended": (b"\x83\x02\x06\x03", (CFA, {})),
    "undefined": (b"\x07\x03", (CFA, {3: ("undefined", 0)})),
    "same_value": (b"\x83\x02\x08\x03", (CFA, {})),
    "register": (b"\x09\x03\x0c", (CFA, {3: ("register", 12)})),
    "register that is not followed": (b"\x09\x03\x28", (CFA, {3: ("undefined", 0)})),
    "remember and restore state": (b"\x0a\x83\x02\x0e\x10\x0b", (CFA, {})),
    "def_cfa": (b"\x0c\x06\x10", (("register", 6, 16), {})),
    "def_cfa_register": (b"\x0d\x06", (("register", 6, 8), {})),
    "def_cfa_offset": (b"\x0e\xc0\x01", (("register", SP, 192), {})),
    "offset_extended_sf": (b"\x11\x03\x7e", (CFA, {3: ("offset", 16)})),
    "def_cfa_sf": (b"\x12\x06\x7e", (("register", 6, 16), {})),
    "def_cfa_offset_sf": (b"\x13\x7c", (("register", SP, 32), {})),
    "val_offset": (b"\x14\x03\x02", (CFA, {3: ("value_offset", -16)})),
    "val_offset_sf": (b"\x15\x03\x7e", (CFA, {3: ("value_offset", 16)})),
    "GNU_args_size": (b"\x2e\x10", (CFA, {})),
    "GNU_negative_offset_extended": (b"\x2f\x03\x02", (CFA, {3: ("offset", 16)})),
    "vector register": (b"\x05\x40\x02", (CFA, {})),
    "unknown": (b"\x3f", None),
    "restore_state of none": (b"\x0b", None),
    "too many states": (b"\x0a" * 33, None),
    "offset beyond 32 bits": (b"\x0e" + uleb(1 << 40), None),
    "cut": (b"\x0e\x80", None),
}


@pytest.mark.parametrize(("program", "wanted"), ROWS.values(), ids=ROWS)
def test_instruction(program, wanted):
    program = program if wanted else bytes(-len(program) % 8) + program  # no padding behind what is cut
    assert rules_at(program) == wanted


@pytest.mark.parametrize("name", ["def_cfa_expression", "expression", "val_expression"])
def test_expressions_are_kept_by_their_place(name):
    block = b"\x02\x30\x31"
    program = {"def_cfa_expression": b"\x0f", "expression": b"\x10\x03", "val_expression": b"\x16\x03"}[name]
    row = table(program + block + b"\x0c\x07\x10" * (name != "def_cfa_expression")).row(START)
    how, _, place = row[0] if name == "def_cfa_expression" else (row[1][3][0], 0, row[1][3][1])
    assert how == {"def_cfa_expression": "expression", "val_expression": "value_expression"}.get(name, name)
    first = cie()
    section = first + entry(len(first) + 4, RANGE + program + block)
    assert section[place : place + 3] == block


ADVANCES = {
    "advance_loc": (b"\x50", 16),
    "advance_loc1": (b"\x02\x80", 128),
    "advance_loc2": (b"\x03\x00\x02", 512),
    "advance_loc4": (b"\x04\x00\x08\x00\x00", 2048),
    "MIPS_advance_loc8": (b"\x1d" + struct.pack("<Q", 2048), 2048),
    "set_loc": (b"\x01" + struct.pack("<Q", START + 256), 256),
}


@pytest.mark.parametrize(("program", "by"), ADVANCES.values(), ids=ADVANCES)
def test_a_row_begins_where_the_location_is_advanced_to(program, by):
    rows = table(program + b"\x0e\x20")
    assert rows.row(START + by - 1)[0] == CFA
    assert rows.row(START + by)[0] == ("register", SP, 32)
    assert rows.row(START + SIZE - 1)[0] == ("register", SP, 32)
    assert rows.row(START + SIZE) is None
    assert rows.row(START - 1) is None


def test_advances_are_in_units():
    rows = table(b"\x41\x0e\x20", factors=b"\x04\x78")
    assert rows.row(START + 3)[0] == CFA
    assert rows.row(START + 4)[0] == ("register", SP, 32)


HEADS = {
    "version 3": {"version": 3},
    "version 4": {"version": 4, "link": 0xFFFFFFFF},
    "debug_frame": {"link": 0xFFFFFFFF},
    "eh": {"letters": b"eh", "factors": bytes(8) + b"\x01\x78"},
    "z": {"letters": b"z", "sized": b"\0"},
    "zR": {"letters": b"zR", "data": b"\x00", "sized": b"\0"},
    "zPLR": {"letters": b"zPLR", "data": b"\x9b\x11\x22\x33\x44\x1b\x00", "sized": b"\4\1\2\3\4"},
    "zP aligned": {"letters": b"zPR", "data": b"\x50" + bytes(6) + bytes(8) + b"\x00", "sized": b"\0"},
    "zRB": {"letters": b"zRB", "data": b"\x00", "sized": b"\0"},
    "zG": {"letters": b"zG", "sized": b"\0"},
    "unknown letter": {"letters": b"z?", "data": b"\x01\x02", "sized": b"\0"},
    "udata4": {"letters": b"zR", "data": b"\x03", "address": struct.pack("<II", START, SIZE), "sized": b"\0"},
    "sdata8": {"letters": b"zR", "data": b"\x0c", "sized": b"\0"},
    "udata2": {"letters": b"zR", "data": b"\x02", "address": struct.pack("<HH", START, SIZE), "sized": b"\0"},
    "uleb": {"letters": b"zR", "data": b"\x01", "address": uleb(START) + uleb(SIZE), "sized": b"\0"},
}


@pytest.mark.parametrize("options", HEADS.values(), ids=HEADS)
def test_head(options):
    assert table(**options).row(START) == (CFA, SAVED_PC, PC, False, False)


def test_signal_frames_are_marked():
    assert table(letters=b"zS", sized=b"\0").row(START) == (CFA, SAVED_PC, PC, True, False)


DAMAGED = {
    "version": {"version": 9},
    "letters without size": {"letters": b"R", "data": b"\x00"},
    "long letters": {"letters": b"z" + b"B" * 40, "sized": b"\0"},
    "indirect": {"letters": b"zR", "data": b"\x80", "sized": b"\0"},
    "relative to what is unknown": {"letters": b"zR", "data": b"\x20", "sized": b"\0"},
    "address size": {"head": cie(version=4).replace(b"\x04\0\x08\0", b"\x04\0\x03\0")},
    "no CIE": {"head": entry(1, bytes(16))},
    "sizes": {"letters": b"z", "sized": uleb(1 << 40)},
}


@pytest.mark.parametrize("options", DAMAGED.values(), ids=DAMAGED)
def test_damaged_head(options):
    assert table(**options).row(START) is None


def test_an_entry_with_a_size_of_eight_bytes():
    first = cie()
    body = RANGE + bytes(4)
    section = first + struct.pack("<IQI", 0xFFFFFFFF, len(body) + 4, len(first) + 12) + body
    rows = CfiTable(62, False, [(0, START, SIZE)], eh_frame=(section, 0))
    assert rows.row(START) == (CFA, SAVED_PC, PC, False, False)


def test_a_program_without_end_is_given_up():
    assert table(b"\x0a\x0b" * 200_000).row(START) is None


def test_functions_that_were_dropped_are_not_found():
    assert table(address=struct.pack("<QQ", 0, 1 << 40)).row(START) is None


def test_without_sections_there_are_no_rows():
    rows = CfiTable(62, False, [])
    assert rows.row(START) is None
    assert rows.address(0) is None
    assert rows.pointer


def test_offsets_in_the_file_become_addresses():
    rows = CfiTable(62, False, [(0, 0x400000, 0x10), (0x2000, 0x500000, 0x10)])
    assert rows.address(0xF) == 0x40000F
    assert rows.address(0x10) is None
    assert rows.address(0x2001) == 0x500001
