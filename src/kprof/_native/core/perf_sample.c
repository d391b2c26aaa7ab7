/* Samples: from bytes to rows. The order of the parts is that of PERF_RECORD_SAMPLE in the ABI. */
#include "perf_state.h"

static size_t read_item_size(uint64_t format) {
    return 8 * (1 + (size_t)!!(format & KP_READ_ID) + (size_t)!!(format & KP_READ_LOST));
}

static void take_read(const kp_perf *p, kp_cursor *c, const kp_event *event, kp_sample *s) {
    uint64_t format = event->read_format;
    size_t times = 8 * ((size_t)!!(format & KP_READ_ENABLED) + (size_t)!!(format & KP_READ_RUNNING));
    size_t item = read_item_size(format);
    s->read = c->at;
    if (!(format & KP_READ_GROUP)) {
        s->read_size = item + times;
        kp_skip(c, s->read_size);
        return;
    }
    uint64_t count = kp_left(c) >= 8 ? kp_word(p, c->at) : 0;
    if (count > kp_left(c) / item) c->failed = 1;
    if (c->failed) return;
    s->read_size = 8 + times + (size_t)count * item;
    kp_skip(c, s->read_size);
}

static void take_branches(kp_cursor *c, const kp_event *event, kp_sample *s) {
    uint64_t count = kp_u64(c);
    if (event->branch_type & KP_BRANCH_HW_INDEX) kp_skip(c, 8);
    const uint8_t *at = count <= kp_left(c) / 24 ? kp_take(c, count * 24) : kp_take(c, UINT64_MAX);
    if (at && event->branch_type & KP_BRANCH_CALL_STACK && count) {
        s->branches = at;
        s->branch_count = (size_t)count;
    }
    if (event->branch_type & KP_BRANCH_COUNTERS) kp_skip(c, count * 8);
}

/* What follows the chain. */
static void take_rest(kp_cursor *c, const kp_event *event, kp_sample *s) {
    uint64_t type = event->sample_type;
    if (type & KP_SAMPLE_RAW) {
        s->raw_size = kp_u32(c);
        s->raw = kp_take(c, s->raw_size);
    }
    if (type & KP_SAMPLE_BRANCH_STACK) take_branches(c, event, s);
    if (type & KP_SAMPLE_REGS_USER) {
        s->abi = kp_u64(c);
        s->registers = c->at;
        if (s->abi) kp_skip(c, 8 * (uint64_t)__builtin_popcountll(event->registers));
    }
    if (type & KP_SAMPLE_STACK_USER) {
        uint64_t size = kp_u64(c);
        s->stack = kp_take(c, size);
        if (size) {
            uint64_t used = kp_u64(c);
            s->stack_size = (size_t)(used < size ? used : size);
        }
    }
    if (type & (KP_SAMPLE_WEIGHT | KP_SAMPLE_WEIGHT_STRUCT)) kp_skip(c, 8);
    if (type & KP_SAMPLE_DATA_SRC) kp_skip(c, 8);
    if (type & KP_SAMPLE_TRANSACTION) kp_skip(c, 8);
    if (type & KP_SAMPLE_REGS_INTR && kp_u64(c)) kp_skip(c, 8 * (uint64_t)__builtin_popcountll(event->registers_intr));
    if (type & KP_SAMPLE_PHYS_ADDR) kp_skip(c, 8);
    if (type & KP_SAMPLE_CGROUP) s->cgroup = kp_u64(c);
}

int kp_read_sample(kp_perf *p, const uint8_t *record, kp_head head, kp_sample *s) {
    const kp_event *event = &p->events[s->event];
    uint64_t type = event->sample_type;
    kp_cursor c = kp_body(p, record, head);
    s->pid = s->tid = s->cpu = -1;
    s->period = event->period;
    s->misc = head.misc;
    if (type & KP_SAMPLE_IDENTIFIER) kp_skip(&c, 8);
    if (type & KP_SAMPLE_IP) s->ip = kp_u64(&c);
    if (type & KP_SAMPLE_TID) {
        s->pid = (int32_t)kp_u32(&c);
        s->tid = (int32_t)kp_u32(&c);
    }
    if (type & KP_SAMPLE_TIME) s->time = kp_u64(&c);
    if (type & KP_SAMPLE_ADDR) kp_skip(&c, 8);
    if (type & KP_SAMPLE_ID) kp_skip(&c, 8);
    if (type & KP_SAMPLE_STREAM_ID) kp_skip(&c, 8);
    if (type & KP_SAMPLE_CPU) {
        s->cpu = (int32_t)kp_u32(&c);
        kp_skip(&c, 4);
    }
    if (type & KP_SAMPLE_PERIOD) s->period = kp_u64(&c);
    if (type & KP_SAMPLE_READ) take_read(p, &c, event, s);
    if (type & KP_SAMPLE_CALLCHAIN) {
        uint64_t length = kp_u64(&c);
        if (length > kp_left(&c) / 8) return -1;
        s->chain = kp_take(&c, length * 8);
        s->chain_length = (size_t)length;
    }
    take_rest(&c, event, s);
    return c.failed ? -1 : 0;
}

/* A counter that was read: its events since the last time it was. */
static int add_read(kp_perf *p, kp_perf_row row, kp_cursor *c, uint64_t format) {
    uint64_t value = kp_u64(c), id = format & KP_READ_ID ? kp_u64(c) : 0;
    if (format & KP_READ_LOST) kp_skip(c, 8);
    int64_t event = format & KP_READ_ID ? kp_perf_event_of(p, id) : row.event;
    if (event < 0) return KP_PERF_OK;
    int inherited = (p->events[event].flags & KP_ATTR_INHERIT) != 0;
    kp_event_id *known = kp_find_id(p, id, inherited ? row.tid : -2);
    if (!known) return KP_PERF_NO_MEMORY;
    row.weight = (int64_t)(value - known->value);
    known->value = value;
    row.event = (int32_t)event;
    kp_blur_row(p, &row);
    return row.weight ? kp_add_row(p, &row) : KP_PERF_OK;
}

/* Leader sampling: one sample counts for all events of its group, each by what it counted meanwhile. */
static int add_group(kp_perf *p, kp_perf_row row, const kp_sample *s) {
    uint64_t format = p->events[s->event].read_format;
    size_t times = 8 * ((size_t)!!(format & KP_READ_ENABLED) + (size_t)!!(format & KP_READ_RUNNING));
    kp_cursor c = kp_cursor_in(p, s->read, s->read_size);
    uint64_t count = kp_u64(&c);
    kp_skip(&c, times);
    int status = KP_PERF_OK;
    while (count-- && !status && !c.failed) status = add_read(p, row, &c, format);
    return status;
}

/* Where the process is, or was when it called the kernel; 0 if the sample does not tell. */
static uint64_t user_address(const kp_perf *p, const kp_sample *s) {
    for (size_t i = 0; i + 1 < s->chain_length; i++)
        if (kp_word(p, s->chain + i * 8) == KP_CONTEXT_USER) return kp_word(p, s->chain + (i + 1) * 8);
    return (s->misc & KP_MODE_MASK) == KP_MODE_USER ? s->ip : 0;
}

static int in_group(const kp_perf *p, const kp_sample *s) {
    return s->read && p->events[s->event].read_format & KP_READ_GROUP;
}

static int resolve_sample(kp_perf *p, kp_pending *w) {
    const kp_sample *s = &w->sample;
    int32_t stack = -1;
    int status = kp_resolve(p, w, &stack);
    if (status) return status;
    p->counts.without_stack += stack < 0;
    int64_t weight = in_group(p, s) ? 0 : s->period ? (int64_t)s->period : 1;
    w->row = (kp_perf_row){stack, s->event, w->comm, s->pid, s->tid, s->cpu, kp_cgroup_of(p, s->cgroup), 0,
                           (int64_t)s->time, weight, 1};
    /* Counters of a group are told apart by thread until they are read. */
    if (!in_group(p, s)) kp_blur_row(p, &w->row);
    kp_fetch_last_row(p, stack);
    return KP_PERF_OK;
}

static int count_sample(kp_perf *p, const kp_pending *w) {
    int status = in_group(p, &w->sample) ? add_group(p, w->row, &w->sample) : kp_add_row(p, &w->row);
    return p->options.keep_raw && !status ? kp_keep_raw(p, &w->sample) : status;
}

int kp_finish_samples(kp_perf *p) {
    int status = kp_chains_ready(&p->chains) ? KP_PERF_NO_MEMORY : KP_PERF_OK;
    for (size_t i = 0; i < p->batched && !status; i++) kp_fetch_chain(p, &p->batch[i]);
    for (size_t i = 0; i < p->batched && !status; i++) kp_fetch_callers(p, &p->batch[i]);
    for (size_t i = 0; i < p->batched && !status; i++) {
        if (i + 1 < p->batched) kp_fetch_dump(&p->batch[i + 1].sample);
        status = resolve_sample(p, &p->batch[i]);
    }
    for (size_t i = 0; i < p->batched && !status; i++) kp_fetch_row(p, &p->batch[i].row);
    for (size_t i = 0; i < p->batched && !status; i++) kp_fetch_row_slot(p, &p->batch[i].row);
    for (size_t i = 0; i < p->batched && !status; i++) status = count_sample(p, &p->batch[i]);
    for (size_t i = 0; i < p->batched; i++) kp_space_release(p->batch[i].space);
    p->batched = 0;
    return status;
}

int kp_on_sample(kp_perf *p, const uint8_t *record, kp_head head) {
    kp_pending *w = &p->batch[p->batched];
    w->sample = (kp_sample){.event = kp_sample_event(p, record, head)};
    p->counts.samples++;
    if (w->sample.event < 0) {
        p->counts.unknown_events++;
        return KP_PERF_OK;
    }
    if (kp_read_sample(p, record, head, &w->sample)) {
        p->counts.unreadable_samples++;
        return KP_PERF_OK;
    }
    const kp_thread *thread = kp_thread_of(p, w->sample.pid, w->sample.tid);
    if (!thread) return KP_PERF_NO_MEMORY;
    if (thread->space->before) {
        /* What waits must not see the change that this sample may make. */
        kp_pending own = *w;
        int status = kp_finish_samples(p);
        if (status) return status;
        w = &p->batch[0];
        *w = own;
        if (kp_note_run(p, thread->space, user_address(p, &w->sample))) return KP_PERF_NO_MEMORY;
    }
    w->comm = thread->comm;
    w->space = thread->space;
    w->space->users++;
    kp_prepare_stack(p, w);
    return ++p->batched == KP_BATCH ? kp_finish_samples(p) : KP_PERF_OK;
}
