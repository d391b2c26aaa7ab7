"""The formats that kprof reads, in the order in which they are tried."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from kprof.errors import FormatError
from kprof.model import Profile
from kprof.readers.options import ReadOptions
from kprof.readers.source import Source

PERF_DATA = "perf.data"
_MAGICS = {b"PERFFILE": "perf.data as perf wrote it before Linux 3.0", b"\x7fELF": "a program (ELF)"}


@dataclass(frozen=True, slots=True)
class Format:
    """A format.

    Attributes:
        name: What messages call it.
        sniff: Says whether the first 64 KiB of an input look like it.
        read: Reads it.
        has_names: Whether its frames have names already; else they have places.
    """

    name: str
    sniff: Callable[[bytes], bool]
    read: Callable[[Source, ReadOptions], Profile]
    has_names: bool = True


# Name, module, and what its `sniff` and `read` end with. Modules are imported when it is their turn:
# all together they would take 20 ms of each start.
_FORMATS = (
    (PERF_DATA, "perf_data", ""),
    ("recording of the bpf backend", "bpf_dump", ""),
    (".kprof", "tables", "_container"),
    ("Parquet of kprof", "tables", "_folder"),
    ("tables of kprof", "tables", "_json"),
    ("OTLP profiles", "otlp", ""),
    ("pprof", "pprof", ""),
    ("speedscope", "speedscope", ""),
    ("profile of the Firefox Profiler", "firefox", ""),
    ("Chrome trace", "chrome", ""),
    ("stacks of bpftrace", "bpftrace", ""),
    ("stacks of BCC", "bcc", ""),
    ("samples of austin", "austin", ""),
    (".col of gProfiler", "gprofiler", ""),
    ("samples of simpleperf", "simpleperf", ""),
    ("perf script text", "perf_script", ""),
    ("folded stacks", "folded", ""),
)
_HAVE_PLACES = {PERF_DATA, "recording of the bpf backend"}


def known_formats() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(name for name, _, _ in _FORMATS)


def find_format(source: Source) -> Format:
    """Return the format of an input.

    Raises:
        FormatError: It is empty, or no format that kprof reads.
    """
    if not source.head.strip():
        raise FormatError(
            f"{source.name} is empty", "was anything recorded? try `perf report -i` on the recording"
        )
    for name, module, variant in _FORMATS:
        room = import_module(f"kprof.readers.{module}")
        candidate = Format(
            name, getattr(room, f"sniff{variant}"), getattr(room, f"read{variant}"), name not in _HAVE_PLACES
        )
        if candidate.sniff(source.head):
            return candidate
    raise FormatError(
        f"{source.name} is {_guess(source.head)}, which kprof does not read",
        f"it reads {', '.join(known_formats())}, plain or packed with gzip or zstd",
    )


def _guess(head: bytes) -> str:
    start = head.lstrip()[:1]
    for magic, name in _MAGICS.items():
        if head.startswith(magic):
            return name
    if b"\0" in head:
        return "binary data"
    if start in (b"{", b"["):
        return _guess_json(head)
    if start == b"<":
        return "HTML, XML or SVG"
    return "text in an unknown format"


def _guess_json(head: bytes) -> str:
    import json  # noqa: PLC0415 - only for what no reader takes

    try:
        json.loads(head)
    except json.JSONDecodeError as error:
        # A head may end within it.
        return "JSON" if error.pos > len(head) // 2 else "text in an unknown format"
    except (UnicodeDecodeError, RecursionError):
        return "damaged JSON"
    return "JSON"
