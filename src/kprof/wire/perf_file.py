"""Numbers of the perf.data format.

Source: `tools/perf/Documentation/perf.data-file-format.txt` and `tools/perf/util/header.h` of the Linux
sources; the events' numbers are those of `include/uapi/linux/perf_event.h`.
"""

MAGIC = b"PERFILE2"
SWAPPED_MAGIC = b"2ELIFREP"
OLD_MAGIC = b"PERFFILE"
PIPE_HEADER_BYTES = 16
FILE_HEADER_BYTES = 104
FEATURE_BITS_OFFSET = 72
FEATURE_BITS = 256

FEATURE_TRACING_DATA = 1
FEATURE_BUILD_ID = 2
FEATURE_HOSTNAME = 3
FEATURE_OSRELEASE = 4
FEATURE_VERSION = 5
FEATURE_ARCH = 6
FEATURE_CMDLINE = 11
FEATURE_EVENT_DESC = 12
# Of simpleperf: `simpleperf/record_file_format.h` in the Android sources.
FEATURE_META_INFO = 129

RECORD_BUILD_ID = 67
RECORD_EVENT_UPDATE = 78
RECORD_FEATURE = 80
EVENT_UPDATE_NAME = 2
MISC_BUILD_ID_SIZE = 1 << 15

SAMPLE_REGS_USER = 1 << 12
SAMPLE_STACK_USER = 1 << 13
SAMPLE_AUX = 1 << 20
TYPE_TRACEPOINT = 2

# Names of events whose recording does not name them, by (type, config).
EVENT_NAMES = {
    (0, 0): "cycles",
    (0, 1): "instructions",
    (0, 2): "cache-references",
    (0, 3): "cache-misses",
    (0, 4): "branches",
    (0, 5): "branch-misses",
    (0, 6): "bus-cycles",
    (1, 0): "cpu-clock",
    (1, 1): "task-clock",
    (1, 2): "page-faults",
    (1, 3): "context-switches",
    (1, 4): "cpu-migrations",
    (1, 5): "minor-faults",
    (1, 6): "major-faults",
    (1, 7): "alignment-faults",
    (1, 8): "emulation-faults",
    (1, 9): "dummy",
    (1, 10): "bpf-output",
}
