/* Rows of samples, and the control groups that they belong to. */
#include "perf_state.h"

static int same_key(const kp_perf_row *a, const kp_perf_row *b) {
    return a->stack == b->stack && a->event == b->event && a->comm == b->comm && a->pid == b->pid &&
           a->tid == b->tid && a->cgroup == b->cgroup;
}

static int count_row(kp_perf_row *known, int64_t weight) {
    known->count++;
    return __builtin_add_overflow(known->weight, weight, &known->weight) ? KP_PERF_OVERFLOW : KP_PERF_OK;
}

static size_t row_slot(const kp_perf *p, const kp_perf_row *row, uint64_t hash) {
    size_t slot = kp_table_slot(&p->row_table, hash);
    for (; p->row_table.at[slot].value; slot = kp_table_next(&p->row_table, slot)) {
        if (!kp_table_may_be(&p->row_table, slot, hash)) continue;
        if (same_key(&p->rows[p->row_table.at[slot].value - 1], row)) break;
    }
    return slot;
}

static uint64_t row_hash(const kp_perf_row *row) {
    uint64_t hash = kp_mix64((uint64_t)(uint32_t)row->stack << 32 | (uint32_t)row->comm, (uint32_t)row->tid);
    return kp_mix64(hash, (uint64_t)(uint32_t)row->event << 32 | (uint32_t)row->cgroup);
}

void kp_blur_row(const kp_perf *p, kp_perf_row *row) {
    if (p->options.every_sample) return;
    if (!p->options.keep_ids) row->pid = row->tid = -1;
    row->cpu = -1;
    row->time = -1;
}

/* Which row a sample of the row's stack counted for last, NULL if it has no stack. */
static int32_t *last_row(const kp_perf *p, const kp_perf_row *row) {
    return row->stack < 0 ? NULL : &p->last_rows[row->stack];
}

void kp_fetch_last_row(const kp_perf *p, int32_t stack) {
    if (stack >= 0) __builtin_prefetch(&p->last_rows[stack]);
}

void kp_fetch_row(const kp_perf *p, const kp_perf_row *row) {
    const int32_t *last = last_row(p, row);
    if (!last || *last < 0) return;
    /* It lies across two lines of the cache. */
    __builtin_prefetch(&p->rows[*last], 1);
    __builtin_prefetch(&p->rows[*last].count, 1);
}

void kp_fetch_row_slot(const kp_perf *p, const kp_perf_row *row) {
    if (p->options.every_sample || !p->row_table.slots) return;
    const int32_t *last = last_row(p, row);
    if (last && *last >= 0 && same_key(&p->rows[*last], row)) return;
    __builtin_prefetch(&p->row_table.at[kp_table_slot(&p->row_table, row_hash(row))], 1);
}

int kp_add_row(kp_perf *p, const kp_perf_row *row) {
    if (row->weight < 0) return KP_PERF_OVERFLOW;
    if (!p->options.every_sample) {
        /* Samples of one stack are mostly of one thread. */
        int32_t *last = last_row(p, row);
        if (last && *last >= 0 && same_key(&p->rows[*last], row)) return count_row(&p->rows[*last], row->weight);
        if (kp_table_ready(&p->row_table)) return KP_PERF_NO_MEMORY;
        uint64_t hash = row_hash(row);
        size_t slot = row_slot(p, row, hash);
        uint32_t known = p->row_table.at[slot].value;
        if (last) *last = (int32_t)(known ? known - 1 : p->row_count);
        if (known) return count_row(&p->rows[known - 1], row->weight);
        kp_table_put(&p->row_table, slot, hash, (uint32_t)p->row_count);
    }
    if (KP_RESERVE(p->rows, p->row_room, p->row_count, 1) || p->row_count >= INT32_MAX) return KP_PERF_NO_MEMORY;
    p->rows[p->row_count++] = *row;
    return KP_PERF_OK;
}

/* Give a sample's raw data to the row that it made; rows of the other counters of its group have none. */
int kp_keep_raw(kp_perf *p, const kp_sample *s) {
    size_t added = p->row_count - p->raw_count;
    if (!added) return KP_PERF_OK;
    if (KP_RESERVE(p->raws, p->raw_room, p->raw_count, added) ||
        KP_RESERVE(p->raw_bytes, p->raw_bytes_room, p->raw_size, s->raw_size))
        return KP_PERF_NO_MEMORY;
    size_t left = s->raw_size;
    if (left) memcpy(p->raw_bytes + p->raw_size, s->raw, left);
    while (added--) {
        int own = p->rows[p->raw_count].event == s->event;
        p->raws[p->raw_count++] = (kp_perf_raw){p->raw_size, own ? left : 0};
        if (own) left = 0; /* a group that names a counter twice does not get more than there is */
    }
    p->raw_size += s->raw_size;
    return KP_PERF_OK;
}

static size_t cgroup_slot(const kp_perf *p, uint64_t id, uint64_t hash) {
    size_t slot = kp_table_slot(&p->cgroup_table, hash);
    while (p->cgroup_table.at[slot].value && p->cgroup_ids[p->cgroup_table.at[slot].value - 1] != id)
        slot = kp_table_next(&p->cgroup_table, slot);
    return slot;
}

/* struct perf_record_cgroup: an id and a path. */
int kp_on_cgroup(kp_perf *p, kp_cursor c) {
    uint64_t id = kp_u64(&c), hash = kp_mix64(id, 9);
    kp_span path;
    path.at = kp_text_z(&c, &path.size);
    if (c.failed) return KP_PERF_OK;
    int64_t number = kp_strings_add(&p->cgroup_paths, path, 0, NULL);
    if (number < 0 || kp_table_ready(&p->cgroup_table) ||
        KP_RESERVE(p->cgroup_ids, p->cgroup_room, p->cgroup_count, 1) ||
        KP_RESERVE(p->cgroup_strings, p->cgroup_string_room, p->cgroup_count, 1))
        return KP_PERF_NO_MEMORY;
    size_t slot = cgroup_slot(p, id, hash);
    if (!p->cgroup_table.at[slot].value) {
        kp_table_put(&p->cgroup_table, slot, hash, (uint32_t)p->cgroup_count);
        p->cgroup_ids[p->cgroup_count++] = id;
    }
    p->cgroup_strings[p->cgroup_table.at[slot].value - 1] = (int32_t)number;
    return KP_PERF_OK;
}

/* String of the path of a control group, or -1. */
int32_t kp_cgroup_of(const kp_perf *p, uint64_t id) {
    if (!id || !p->cgroup_table.slots) return -1;
    uint32_t number = p->cgroup_table.at[cgroup_slot(p, id, kp_mix64(id, 9))].value;
    return number ? p->cgroup_strings[number - 1] : -1;
}
