"""Numbers and bytes of records as values: names, addresses, paths."""

import ipaddress
import socket
from collections.abc import Callable, Mapping

from kprof.recorders.trace import names
from kprof.recorders.trace.fields import Field

Value = int | str | list[str] | None
_ALL_BITS = (1 << 64) - 1
_MINOR_BITS = 20
_ACCESS_BITS = 3
_IPV4, _IPV6 = 4, 16
_IPV4_ADDRESS, _IPV6_ADDRESS = 8, 24  # bytes of struct sockaddr_in, sockaddr_in6 up to the address's end


def value_of(each: Field, raw: int | bytes | None) -> Value:
    """Return the value of a field: numbers as numbers, and what has names by its name."""
    if raw is None:
        return None
    if isinstance(raw, bytes):
        return _OF_BYTES.get(each.form, _hex_bytes)(raw)
    if each.is_signed and raw >> 63:
        raw -= 1 << 64
    form = _OF_NUMBERS.get(each.form)
    return form(each, raw) if form else raw


def error_name(value: object) -> str:
    """Return the name of a negative error number; empty if it is none."""
    return names.ERRNO.get(-value, "") if isinstance(value, int) and value < 0 else ""


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode(errors="replace")


def _path(raw: bytes) -> str:
    """Return a path of names that stand from the last to the first."""
    parts = raw.removesuffix(b"\0").split(b"\0")[::-1] if raw else []
    return "/" + b"/".join(parts).decode(errors="replace")


def _hex_bytes(raw: bytes) -> str:
    return raw.hex()


def _ip(raw: bytes) -> str:
    if len(raw) == _IPV4:
        return str(ipaddress.IPv4Address(raw))
    if len(raw) != _IPV6:
        return raw.hex()
    address = ipaddress.IPv6Address(raw)
    return str(address.ipv4_mapped or address)


def _socket_address(raw: bytes) -> str:
    family = int.from_bytes(raw[:2], "little")
    if family == socket.AF_INET and len(raw) >= _IPV4_ADDRESS:
        return f"{_ip(raw[4:8])}:{int.from_bytes(raw[2:4], 'big')}"
    if family == socket.AF_INET6 and len(raw) >= _IPV6_ADDRESS:
        return f"[{_ip(raw[8:24])}]:{int.from_bytes(raw[2:4], 'big')}"
    if family == socket.AF_UNIX:
        # Names that are no files begin with a zero.
        path = raw[2:]
        return f"@{_text(path[1:])}" if path[:1] == b"\0" and path[1:2] != b"\0" else _text(path)
    return names.FAMILIES.get(family, str(family))


def _symbol(each: Field, value: int) -> Value:
    return each.names.get(value, value)


def _flags(each: Field, value: int) -> Value:
    found, left = [], value
    # Names of several bits before those of one: O_SYNC holds O_DSYNC.
    for bits, name in sorted(each.names.items(), key=lambda item: -item[0].bit_count()):
        if bits and left & bits == bits:
            found.append(name)
            left &= ~bits
    if left:
        found.append(hex(left))
    return "|".join(found) or each.names.get(0, "0")


def _open_flags(each: Field, value: int) -> Value:
    access = names.ACCESS.get(value & _ACCESS_BITS, hex(value & _ACCESS_BITS))
    rest = value & ~_ACCESS_BITS
    return f"{access}|{_flags(each, rest)}" if rest else access


def _device(_each: Field, value: int) -> Value:
    return f"{value >> _MINOR_BITS}:{value & (1 << _MINOR_BITS) - 1}"


def _signal(_each: Field, value: int) -> Value:
    return names.SIGNALS.get(value, value) if value else None


_OF_BYTES: Mapping[str, Callable[[bytes], Value]] = {
    "text": _text, "path": _path, "ip": _ip, "sockaddr": _socket_address,
}  # fmt: skip
_OF_NUMBERS: Mapping[str, Callable[[Field, int], Value]] = {
    "hex": lambda _each, value: hex(value & _ALL_BITS),
    "octal": lambda _each, value: f"0{value:o}" if value else "0",
    "symbol": _symbol, "flags": _flags, "open flags": _open_flags, "device": _device, "signal": _signal,
    "descriptor": _symbol,
}  # fmt: skip
