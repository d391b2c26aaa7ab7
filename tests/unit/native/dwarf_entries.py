"""Debug information built by hand: the numbers that DWARF has for things, abbreviations, units and entries."""

import struct

from kprof._native._dwarf import SECTIONS

UNIT, FUNCTION, INLINED, NAMESPACE, BLOCK, STRUCT = 0x11, 0x2E, 0x1D, 0x39, 0x0B, 0x13
SIBLING, NAME, STMT_LIST, LOW, HIGH, LANGUAGE, ORIGIN, RANGES = 0x01, 0x03, 0x10, 0x11, 0x12, 0x13, 0x31, 0x55
CALL_FILE, CALL_LINE, LINKAGE, STR_BASE, ADDR_BASE, RNG_BASE = 0x58, 0x59, 0x6E, 0x72, 0x73, 0x74
ADDR, DATA2, DATA4, DATA8, STRING, DATA1, UDATA = 0x01, 0x05, 0x06, 0x07, 0x08, 0x0B, 0x0F
INDIRECT, SEC_OFFSET, STRX, ADDRX, RNGLISTX, IMPLICIT = 0x16, 0x17, 0x1A, 0x1B, 0x23, 0x21
REF4, REF_ADDR, FLAG, BLOCK1 = 0x13, 0x10, 0x19, 0x0A
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
