"""Weights as people read them."""

_NS = ((10**9, "s"), (10**6, "ms"), (10**3, "µs"), (1, "ns"))
_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "bytes"))


def format_weight(weight: int, unit: str) -> str:
    """Write a weight with its unit: "ns" and "bytes" are scaled, anything else is a count of `unit`."""
    scales = {"ns": _NS, "bytes": _BYTES}.get(unit)
    if scales is None:
        return f"{weight:,} {unit}"
    size, name = next((scale for scale in scales if weight >= scale[0]), scales[-1])
    return f"{weight:,} {name}" if size == 1 else f"{weight / size:,.2f} {name}"


def format_share(part: int, whole: int) -> str:
    """Write part of whole as percent, with three digits where there is little of it."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.3f}%" if 0 < share < 0.1 else f"{share:.2f}%"  # noqa: PLR2004 - a tenth of a percent
