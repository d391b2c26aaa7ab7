"""How addresses are named."""

from dataclasses import dataclass

KALLSYMS = "/proc/kallsyms"


@dataclass(frozen=True, slots=True)
class SymbolOptions:
    """How addresses are named.

    Attributes:
        inline: Show functions that were inlined, each as a frame of its own.
        source_lines: Fill `frames.source` with `file:line`.
        compat: Choose names as `perf script --no-inline` (6.1) does.
        names: How functions are called; see `kprof.readers.ReadOptions`.
        kallsyms: Symbols of the kernel. Those of this machine are only used if it runs the kernel that
            was recorded.
        kernel_text: Address of `_text` in the kernel that was recorded, 0 if not known: the kernel lies
            elsewhere after every boot.
        cache: Keep what is costly to find out in the user's cache.
        places: Keep frames of one function apart that are at different addresses.
        debuginfod: Ask the servers in DEBUGINFOD_URLS for debug files.
    """

    inline: bool = True
    source_lines: bool = False
    compat: bool = False
    names: str = "plain"
    kallsyms: str = KALLSYMS
    kernel_text: int = 0
    cache: bool = True
    places: bool = True
    debuginfod: bool = False
