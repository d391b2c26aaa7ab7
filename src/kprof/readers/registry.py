"""The formats that kprof reads, in the order in which they are tried."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from kprof.errors import FormatError
from kprof.model import Profile
from kprof.readers import (
    austin,
    bcc,
    bpf_dump,
    bpftrace,
    chrome,
    firefox,
    folded,
    gprofiler,
    perf_data,
    perf_script,
    pprof,
    simpleperf,
    speedscope,
    tables,
)
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


_FORMATS = (
    Format(PERF_DATA, perf_data.sniff, perf_data.read, has_names=False),
    Format("recording of the bpf backend", bpf_dump.sniff, bpf_dump.read, has_names=False),
    Format(".kprof", tables.sniff_container, tables.read_container),
    Format("Parquet of kprof", tables.sniff_folder, tables.read_folder),
    Format("tables of kprof", tables.sniff_json, tables.read_json),
    Format("pprof", pprof.sniff, pprof.read),
    Format("speedscope", speedscope.sniff, speedscope.read),
    Format("profile of the Firefox Profiler", firefox.sniff, firefox.read),
    Format("Chrome trace", chrome.sniff, chrome.read),
    Format("stacks of bpftrace", bpftrace.sniff, bpftrace.read),
    Format("stacks of BCC", bcc.sniff, bcc.read),
    Format("samples of austin", austin.sniff, austin.read),
    Format(".col of gProfiler", gprofiler.sniff, gprofiler.read),
    Format("samples of simpleperf", simpleperf.sniff, simpleperf.read),
    Format("perf script text", perf_script.sniff, perf_script.read),
    Format("folded stacks", folded.sniff, folded.read),
)


def known_formats() -> tuple[str, ...]:
    """Return the names of all formats."""
    return tuple(f.name for f in _FORMATS)


def find_format(source: Source) -> Format:
    """Return the format of an input.

    Raises:
        FormatError: It is empty, or no format that kprof reads.
    """
    if not source.head.strip():
        raise FormatError(
            f"{source.name} is empty", "was anything recorded? try `perf report -i` on the recording"
        )
    for candidate in _FORMATS:
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
    try:
        json.loads(head)
    except json.JSONDecodeError as error:
        # A head may end within it.
        return "JSON" if error.pos > len(head) // 2 else "text in an unknown format"
    except (UnicodeDecodeError, RecursionError):
        return "damaged JSON"
    return "JSON"
