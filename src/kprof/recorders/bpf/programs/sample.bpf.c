/* Events of perf: clocks, hardware counters, page faults. The cookie tells which of the recording's events. */
#include "count.h"
#include <bpf/bpf_core_read.h>

char LICENSE[] SEC("license") = "GPL";

SEC("perf_event")
int sample(struct bpf_perf_event_data *ctx) {
    return kp_count(ctx, (__u32)bpf_get_attach_cookie(ctx), 0, ctx->sample_period, 0);
}
