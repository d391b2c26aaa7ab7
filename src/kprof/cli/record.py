"""`kprof record` (placeholder until its module lands)."""


def record() -> None:
    """Record."""
