"""The DWARF reader on inputs whose work or memory would grow with the square of their size, or without end."""

import struct
import time

import numpy as np
import pytest

MANY = 20_000
HEADER = b"\1\1\1\xfb\x0e\x0d" + b"\0\1\1\1\1\0\0\0\1\0\0\1"


def table(d):
    return d.ROOT + d.PLAIN + d.CALL + d.ABSTRACT + d.abbrev(6, d.NAMESPACE, children=True)


def everywhere(d):
    return d.u8(1) + d.u8(2**62)


def deep(d):
    entries = [d.root(0, 2**63), b"\6" * MANY, b"\2f\0" + everywhere(d)]
    return {"info": d.unit(entries), "abbrev": table(d) + b"\0"}


def nested_calls_everywhere(d):
    calls = (b"\3" + d.u4(12) + everywhere(d)) * MANY
    entries = [d.root(1, 2**62), d.function(b"f", 1, 2**62), calls]
    return {"info": d.unit(entries), "abbrev": table(d) + b"\0"}


def calls_everywhere(d):
    calls = (b"\3" + d.u4(12) + everywhere(d) + b"\0") * MANY
    entries = [d.root(1, 2**62), d.function(b"f", 1, 2**62), calls]
    return {"info": d.unit(entries), "abbrev": table(d) + b"\0"}


def attributes_of_no_size(d):
    flags = d.abbrev(2, d.FUNCTION, [(0x3FFF, d.FLAG)] * MANY)
    return {"info": d.unit([d.root(1, 2**62), b"\2" * MANY]), "abbrev": d.ROOT + flags + b"\0"}


def one_list_for_all(d):
    listed = d.ROOT + d.abbrev(2, d.FUNCTION, [(d.RANGES, d.IMPLICIT, 0)]) + b"\0"
    ranges = b"".join(d.u8(2 * i + 1) + d.u8(2 * i + 2) for i in range(MANY))
    return {"info": d.unit([d.root(1, 2**62), b"\2" * MANY], 4), "abbrev": listed, "ranges": ranges}


def shared(d):
    return d.ROOT + b"".join(d.abbrev(i + 10, 0x34, [(d.NAME, d.STRING)]) for i in range(MANY)) + b"\0"


def one_table_for_many_units(d):
    return {"info": d.unit([b"\1" + everywhere(d), b"\x09\0"]) * 1000, "abbrev": shared(d)}


def tables_that_overlap(d):
    units = b"".join(d.unit([d.uleb(2**30)], abbrevs=i) for i in range(MANY))
    return {"info": units, "abbrev": shared(d)}


def names_that_overlap(d):
    named = d.ROOT + d.abbrev(2, d.FUNCTION, [(d.NAME, 0x0E), (d.LOW, d.ADDR), (d.HIGH, d.DATA8)]) + b"\0"
    names = b"".join(b"\2" + d.u4(i) + d.u8(i + 1) + d.u8(1) for i in range(MANY))
    return {"info": d.unit([d.root(1, 2**62), names]), "abbrev": named, "str": b"x" * MANY}


def lined(d):
    return d.abbrev(1, d.UNIT, [(d.LOW, d.ADDR), (d.HIGH, d.DATA8), (d.STMT_LIST, d.IMPLICIT, 0)]) + b"\0"


def files_of_no_size(d):
    empty = HEADER + bytes([1, 1, d.FLAG]) + d.uleb(2**60) + bytes([1, 1, d.FLAG]) + d.uleb(2**60)
    line = struct.pack("<HBBI", 5, 8, 0, len(empty)) + empty + bytes(MANY)
    units = d.unit([b"\1" + everywhere(d)]) * MANY
    return {"info": units, "abbrev": lined(d), "line": d.u4(len(line)) + line}


def rows_everywhere(d):
    old = HEADER + b"\0a\0\0\0\0\0"
    row = b"\x01\3\xff\xff\xff\xff\x07\2\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
    line = struct.pack("<HI", 4, len(old)) + old + b"\0\x09\2" + d.u8(1) + row * MANY
    units = d.unit([b"\1" + everywhere(d)], 4) * 100
    return {"info": units, "abbrev": lined(d), "line": d.u4(len(line)) + line}


def units_of_no_size(d):
    return {"info": bytes(4 * MANY), "abbrev": table(d)}


@pytest.mark.parametrize(
    "made",
    [
        deep, nested_calls_everywhere, calls_everywhere, attributes_of_no_size, one_list_for_all,
        one_table_for_many_units, tables_that_overlap, names_that_overlap, files_of_no_size, rows_everywhere,
        units_of_no_size,
    ],
    ids=lambda made: made.__name__.replace("_", " "),
)  # fmt: skip
def test_small_inputs_take_little_time(d, look_up, made):
    given = made(d)
    addresses = np.unique(
        np.concatenate([np.arange(1, 5001), np.geomspace(1, 2**62, 500).astype(np.int64)])
    ).astype(np.uint64)
    start = time.process_time()
    assert len(look_up(addresses, **given)) == len(addresses)
    # Hundredths of a second. What is quadratic here would be hours in a file of megabytes.
    assert time.process_time() - start < 10
