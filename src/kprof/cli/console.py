"""What kprof says to a person: on standard error, so that standard output stays data."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kprof.model import Profile

_REDRAW_SECONDS = 0.1
_quiet = False


def be_quiet(quiet: bool) -> None:
    """Say nothing but warnings and errors from now on."""
    global _quiet  # noqa: PLW0603 - one process has one standard error
    _quiet = quiet


def status(text: str) -> None:
    """Say something in one line."""
    if not _quiet:
        sys.stderr.write(f"kprof: {text}\n")


def warn(text: str) -> None:
    """Say something that a user must not miss."""
    sys.stderr.write(_colored(f"kprof: warning: {text}", "33") + "\n")


def _colored(text: str, code: str) -> str:
    plain = not sys.stderr.isatty() or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def is_watched() -> bool:
    """Whether progress is shown."""
    return not _quiet and sys.stderr.isatty()


@contextmanager
def progress_line() -> Iterator[Callable[[str], None]]:
    """Give a function that redraws one line; it draws nothing if standard error is no terminal."""
    if not is_watched():
        yield lambda _text: None
        return
    last = 0.0

    def update(text: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _REDRAW_SECONDS:
            last = now
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[2K{text[:width]}")
            sys.stderr.flush()

    try:
        yield update
    finally:
        sys.stderr.write("\r\x1b[2K")
        sys.stderr.flush()


@contextmanager
def reading(inputs: list[str]) -> Iterator[Callable[[str, int], None] | None]:
    """Show how much of the inputs was read; gives a function of an input's name and its bytes read.

    It is None where nobody looks: it would be called for every piece that is read.
    """
    if not is_watched():
        yield None
        return
    sizes: dict[str, int] = {}
    for name in inputs:
        with suppress(OSError):
            sizes[name] = Path(name).stat().st_size
    with progress_line() as update:

        def show(name: str, count: int) -> None:
            size = sizes.get(name, 0)
            share = f" of {size / 1e6:,.0f} MB, {min(count / size, 1):.0%}" if size else " MB"
            update(f"reading {name}: {count / 1e6:,.0f}{share}")

        yield show


def summary(profile: "Profile", wrote: str) -> None:
    """Say what a profile holds, how far it can be trusted, and where it went."""
    from kprof.analysis.quality import judge  # noqa: PLC0415 - needs numpy

    report = judge(profile)
    events = ", ".join(event.name for event in profile.meta.events)
    status(f"{events}: {', '.join(report.facts)}")
    for warning in report.warnings:
        warn(warning)
    status(f"wrote {wrote}")
