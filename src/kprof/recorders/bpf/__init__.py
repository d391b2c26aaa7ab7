"""The recorder that counts stacks within the kernel, by BPF programs."""

from kprof.recorders.bpf.record import record

__all__ = ["record"]
