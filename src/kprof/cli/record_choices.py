"""What the options of `kprof record` choose among."""

from enum import StrEnum


class Backend(StrEnum):
    """What records."""

    auto = "auto"
    perf = "perf"
    bpf = "bpf"


class Engine(StrEnum):
    """What loads BPF programs."""

    auto = "auto"
    libbpf = "libbpf"
    bpftrace = "bpftrace"
    bcc = "bcc"


class Weight(StrEnum):
    """What intervals weigh."""

    NS = "ns"
    BYTES = "bytes"
    COUNT = "count"


class CallGraph(StrEnum):
    """How the callers are found."""

    auto = "auto"
    fp = "fp"
    dwarf = "dwarf"
    lbr = "lbr"
