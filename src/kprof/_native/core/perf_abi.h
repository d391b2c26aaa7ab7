/* Numbers of the perf ABI: include/uapi/linux/perf_event.h and tools/lib/perf/include/perf/event.h in
 * the Linux sources; the layout of files is in tools/perf/Documentation/perf.data-file-format.txt. */
#ifndef KP_PERF_ABI_H
#define KP_PERF_ABI_H

enum kp_record_type {
    KP_RECORD_MMAP = 1,
    KP_RECORD_LOST,
    KP_RECORD_COMM,
    KP_RECORD_EXIT,
    KP_RECORD_THROTTLE,
    KP_RECORD_UNTHROTTLE,
    KP_RECORD_FORK,
    KP_RECORD_READ,
    KP_RECORD_SAMPLE,
    KP_RECORD_MMAP2,
    KP_RECORD_AUX,
    KP_RECORD_ITRACE_START,
    KP_RECORD_LOST_SAMPLES,
    KP_RECORD_SWITCH,
    KP_RECORD_SWITCH_CPU_WIDE,
    KP_RECORD_NAMESPACES,
    KP_RECORD_KSYMBOL,
    KP_RECORD_BPF_EVENT,
    KP_RECORD_CGROUP,
    KP_RECORD_TEXT_POKE,
    KP_RECORD_AUX_OUTPUT_HW_ID,
    KP_RECORD_CALLCHAIN_DEFERRED,
    KP_RECORD_KERNEL_END, /* one past the last that a kernel writes */

    /* Written by perf itself, and never in the order of time. */
    KP_RECORD_USER = 64,
    KP_RECORD_HEADER_ATTR = 64,
    KP_RECORD_EVENT_TYPE,
    KP_RECORD_TRACING_DATA,
    KP_RECORD_BUILD_ID,
    KP_RECORD_FINISHED_ROUND,
    KP_RECORD_ID_INDEX,
    KP_RECORD_AUXTRACE_INFO,
    KP_RECORD_AUXTRACE,
    KP_RECORD_AUXTRACE_ERROR,
    KP_RECORD_THREAD_MAP,
    KP_RECORD_CPU_MAP,
    KP_RECORD_STAT_CONFIG,
    KP_RECORD_STAT,
    KP_RECORD_STAT_ROUND,
    KP_RECORD_EVENT_UPDATE,
    KP_RECORD_TIME_CONV,
    KP_RECORD_FEATURE,
    KP_RECORD_COMPRESSED,
    KP_RECORD_FINISHED_INIT,
    KP_RECORD_COMPRESSED2,
    KP_RECORD_BPF_METADATA,
    KP_RECORD_END
};

enum kp_sample_bit {
    KP_SAMPLE_IP = 1 << 0,
    KP_SAMPLE_TID = 1 << 1,
    KP_SAMPLE_TIME = 1 << 2,
    KP_SAMPLE_ADDR = 1 << 3,
    KP_SAMPLE_READ = 1 << 4,
    KP_SAMPLE_CALLCHAIN = 1 << 5,
    KP_SAMPLE_ID = 1 << 6,
    KP_SAMPLE_CPU = 1 << 7,
    KP_SAMPLE_PERIOD = 1 << 8,
    KP_SAMPLE_STREAM_ID = 1 << 9,
    KP_SAMPLE_RAW = 1 << 10,
    KP_SAMPLE_BRANCH_STACK = 1 << 11,
    KP_SAMPLE_REGS_USER = 1 << 12,
    KP_SAMPLE_STACK_USER = 1 << 13,
    KP_SAMPLE_WEIGHT = 1 << 14,
    KP_SAMPLE_DATA_SRC = 1 << 15,
    KP_SAMPLE_IDENTIFIER = 1 << 16,
    KP_SAMPLE_TRANSACTION = 1 << 17,
    KP_SAMPLE_REGS_INTR = 1 << 18,
    KP_SAMPLE_PHYS_ADDR = 1 << 19,
    KP_SAMPLE_AUX = 1 << 20,
    KP_SAMPLE_CGROUP = 1 << 21,
    KP_SAMPLE_WEIGHT_STRUCT = 1 << 24
};

enum kp_read_bit {
    KP_READ_ENABLED = 1,
    KP_READ_RUNNING = 2,
    KP_READ_ID = 4,
    KP_READ_GROUP = 8,
    KP_READ_LOST = 16
};

enum {
    KP_BRANCH_CALL_STACK = 1 << 11,
    KP_BRANCH_HW_INDEX = 1 << 17,
    KP_BRANCH_COUNTERS = 1 << 19,
};

/* Bits of the flags word of perf_event_attr. */
enum { KP_ATTR_INHERIT = 1 << 1, KP_ATTR_FREQ = 1 << 10, KP_ATTR_SAMPLE_ID_ALL = 1 << 18 };
#define KP_ATTR_BUILD_ID (UINT64_C(1) << 34)

enum kp_cpumode {
    KP_MODE_UNKNOWN,
    KP_MODE_KERNEL,
    KP_MODE_USER,
    KP_MODE_HYPERVISOR,
    KP_MODE_GUEST_KERNEL,
    KP_MODE_GUEST_USER,
    KP_MODE_MASK = 7
};

enum {
    KP_MISC_COMM_EXEC = 1 << 13,
    KP_MISC_FORK_EXEC = 1 << 13,
    KP_MISC_MMAP_BUILD_ID = 1 << 14,
    KP_MISC_LOST_BY_FILTER = 1 << 15,
};

/* Values of a call chain that are no addresses but say what the following ones are. */
#define KP_CONTEXT_MAX ((uint64_t)-4095)
#define KP_CONTEXT_HYPERVISOR ((uint64_t)-32)
#define KP_CONTEXT_KERNEL ((uint64_t)-128)
#define KP_CONTEXT_USER ((uint64_t)-512)
#define KP_CONTEXT_USER_DEFERRED ((uint64_t)-640)
#define KP_CONTEXT_GUEST ((uint64_t)-2048)
#define KP_CONTEXT_GUEST_KERNEL ((uint64_t)-2176)
#define KP_CONTEXT_GUEST_USER ((uint64_t)-2560)

enum { KP_FEATURE_ARCH = 6 };
enum { KP_ABI_32 = 1 }; /* of the registers in a sample */
enum { KP_PROT_EXEC = 4 };

#endif
