"""What events are, in words."""

RECIPES = {
    "on-cpu": "samples of what runs: cycles, or cpu-clock where there are none",
    "off-cpu": "time that threads are blocked, by the stack that blocks",
    "wakeup": "time that threads are blocked, by the stack that ends it",
    "block-io": "time of requests to disks; --weight bytes",
    "malloc": "bytes asked for by malloc, calloc, realloc and others",
    "lock": "time spent waiting for locks of the kernel",
    "syscall": "time of system calls, by the stack that calls",
    "tcp": "bytes sent and received",
}
HARDWARE = {
    "cycles": "cycles of the CPU",
    "instructions": "instructions that were completed",
    "cache-references": "accesses to the last cache",
    "cache-misses": "accesses that the last cache could not serve",
    "branches": "branches",
    "branch-misses": "branches that were foretold wrongly",
    "bus-cycles": "cycles of the bus",
    "ref-cycles": "cycles at a fixed rate",
}
MEANINGS = {
    "cpu-clock": "time on a CPU, by a timer",
    "task-clock": "time of a task, by a timer",
    "page-faults": "pages that were not there",
    "faults": "the same as page-faults",
    "context-switches": "threads that left a CPU",
    "cs": "the same as context-switches",
    "cpu-migrations": "threads that moved to another CPU",
    "migrations": "the same as cpu-migrations",
    "minor-faults": "page faults served from memory",
    "major-faults": "page faults served from a disk",
    "alignment-faults": "accesses that were not aligned and had to be emulated",
    "emulation-faults": "instructions that the kernel emulated",
    "cgroup-switches": "switches between control groups",
    "bpf-output": "what BPF programs write for perf",
    "dummy": "nothing; it carries records of mappings",
    "duration_time": "time that passed",
    "user_time": "time in user code",
    "system_time": "time in the kernel",
}
