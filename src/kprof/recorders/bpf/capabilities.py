"""Doing without what is not needed any more once programs are attached."""

from collections.abc import Iterator
from contextlib import contextmanager

from kprof.recorders.bpf.libbpf import effective_capabilities, set_capabilities
from kprof.system import host

# linux/capability.h. What was mapped by processes of others is read from /proc, as long as they come and go.
_DAC_READ_SEARCH, _SYS_PTRACE, _SYSLOG, _BPF = 2, 19, 34, 39
_READING = (_DAC_READ_SEARCH, _SYS_PTRACE, _SYSLOG)
# Before, every use of a map needed it, not only making one.
_MAPS_ARE_OPEN_SINCE = (5, 19)


@contextmanager
def fewer_capabilities(*, for_good: bool = False) -> Iterator[None]:
    """Do with those that reading takes: BPF programs and perf's events are there, and need no more.

    Args:
        for_good: Not to get the others back, neither at the end nor in any other way.
    """
    before = effective_capabilities()
    release = tuple(int(word) for word in host.release().split(".")[:2] if word.isdigit())
    kept = (*_READING, *([] if release >= _MAPS_ARE_OPEN_SINCE else [_BPF]))
    fewer = before & sum(1 << number for number in kept)
    set_capabilities(fewer, fewer if for_good else None)
    try:
        yield
    finally:
        if not for_good:
            set_capabilities(before)
