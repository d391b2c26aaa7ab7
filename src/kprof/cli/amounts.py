"""Weights and shares as people read them."""

_STEPS = {
    "ns": ((1e9, "s"), (1e6, "ms"), (1e3, "us"), (1, "ns")),
    "bytes": ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B")),
}
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def amount(weight: int, unit: str) -> str:
    """Return a weight with a unit that suits its size: `1.24 s`, `3.00 MB`, `12,407`."""
    for size, name in _STEPS.get(unit, ()):
        if weight >= size > 1:
            return f"{weight / size:.2f} {name}"
    smallest = _STEPS[unit][-1][1] if unit in _STEPS else ""
    return f"{weight:,} {smallest}".rstrip()


def percent(share: float) -> str:
    """Return a share of 0 to 1 as `12.3%`."""
    return f"{share:.1%}"


def bar(share: float, width: int) -> str:
    """Return a bar of `width` cells that is filled to an eighth of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(width)
