"""What only BPF programs reach."""

RECORDING_SUFFIX = ".kprof"
BPF_EVENTS = ("on-cpu", "off-cpu", "wakeup", "block-io", "malloc", "lock", "syscall", "tcp")
BPF_PREFIXES = ("kprobe:", "kretprobe:", "fentry:", "fexit:", "uprobe:", "uretprobe:", "usdt:", "raw_tp:")


def needs_bpf(event: str) -> bool:
    """Say whether perf alone cannot record an event."""
    name, _, rest = event.partition(":")
    # lock:contention_begin and tcp:tcp_probe are tracepoints, lock:k is a side of a recipe's stacks.
    is_recipe = name in BPF_EVENTS and name != "on-cpu" and set(rest) <= {"u", "k"}
    return is_recipe or event.startswith(BPF_PREFIXES)
