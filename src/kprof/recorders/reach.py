"""What only BPF programs reach."""

RECORDING_SUFFIX = ".kprof"
BPF_EVENTS = ("on-cpu", "off-cpu", "wakeup", "block-io", "malloc", "lock", "syscall", "tcp")
BPF_PREFIXES = ("kprobe:", "kretprobe:", "fentry:", "fexit:", "uprobe:", "uretprobe:", "usdt:")


def needs_bpf(event: str) -> bool:
    """Say whether perf alone cannot record an event."""
    name = event.partition(":")[0]
    return (name in BPF_EVENTS and name != "on-cpu") or event.startswith(BPF_PREFIXES)
