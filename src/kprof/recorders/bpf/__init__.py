"""The recorder that counts stacks within the kernel, by BPF programs."""

from kprof.recorders.bpf.session import record

__all__ = ["record"]
