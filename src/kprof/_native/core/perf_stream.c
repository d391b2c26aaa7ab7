/* The stream of records: cut, and sorted by who has to do with them. */
#include <stdlib.h>

#include "perf_state.h"

enum { MAX_INFLATED = 1 << 28 };

static int keep_record(kp_perf *p, kp_head head, kp_cursor c) {
    if (KP_RESERVE(p->kept, p->kept_room, p->kept_count, 1)) return KP_PERF_NO_MEMORY;
    size_t size = kp_left(&c);
    char *copy = kp_arena_copy(&p->arena, (const char *)c.at, size);
    if (!copy) return KP_PERF_NO_MEMORY;
    p->kept[p->kept_count++] = (kp_perf_kept){head.type, {copy, size}};
    return KP_PERF_OK;
}

static int on_attr(kp_perf *p, kp_cursor c) {
    if (kp_left(&c) < 64) return KP_PERF_BAD_RECORD;
    kp_cursor size_at = c;
    kp_skip(&size_at, 4);
    size_t size = kp_u32(&size_at);
    if (!size) size = 64;
    if (size > kp_left(&c)) return KP_PERF_BAD_RECORD;
    return kp_perf_add_event(p, c.at, size, c.at + size, kp_left(&c) - size);
}

static int on_feature(kp_perf *p, kp_head head, kp_cursor c) {
    int status = keep_record(p, head, c);
    if (kp_u64(&c) != KP_FEATURE_ARCH || status) return status;
    kp_u32(&c);
    size_t size;
    const char *arch = kp_text_z(&c, &size);
    if (size) kp_perf_set_arch(p, arch, size);
    return KP_PERF_OK;
}

static void stop(kp_perf *p, size_t left);
static int scan(kp_perf *p, const uint8_t *bytes, size_t size, kp_block *block, size_t *used);

/* Records inside a compressed one; a record may go on in the next. */
static int on_compressed(kp_perf *p, const uint8_t *bytes, size_t size) {
    const uint8_t *out;
    size_t out_size;
    if (p->depth || !p->options.inflate) return KP_PERF_BAD_ZSTD;
    if (p->options.inflate(p->options.context, bytes, size, &out, &out_size)) {
        stop(p, size);
        return KP_PERF_OK;
    }
    if (out_size > MAX_INFLATED) return KP_PERF_BAD_ZSTD;
    kp_block *block = kp_block_new(p, p->inflated_size + out_size);
    if (!block) return KP_PERF_NO_MEMORY;
    if (p->inflated_size) memcpy(block->bytes, p->inflated, p->inflated_size);
    if (out_size) memcpy(block->bytes + p->inflated_size, out, out_size);
    size_t whole = p->inflated_size + out_size, used = 0;
    p->depth++;
    int status = scan(p, block->bytes, whole, block, &used);
    p->depth--;
    if (!status && KP_RESERVE(p->inflated, p->inflated_room, 0, whole - used + 1)) status = KP_PERF_NO_MEMORY;
    if (!status) {
        p->inflated_size = whole - used;
        memcpy(p->inflated, block->bytes + used, p->inflated_size);
    }
    kp_block_done(p, block);
    return status;
}

static int on_compressed2(kp_perf *p, kp_cursor c) {
    uint64_t size = kp_u64(&c);
    if (c.failed || size > kp_left(&c)) return KP_PERF_BAD_ZSTD;
    return on_compressed(p, c.at, (size_t)size);
}

static int keep_tracing(kp_perf *p, const uint8_t *bytes, size_t size) {
    if (KP_RESERVE(p->tracing, p->tracing_room, p->tracing_size, size)) return KP_PERF_NO_MEMORY;
    memcpy(p->tracing + p->tracing_size, bytes, size);
    p->tracing_size += size;
    return KP_PERF_OK;
}

/* Formats of tracepoints. perf writes them behind the record; simpleperf of Android 9 and older, as its part. */
static int on_tracing_data(kp_perf *p, kp_cursor c) {
    uint64_t size = kp_u32(&c);
    if (size && size <= kp_left(&c)) return keep_tracing(p, c.at, (size_t)size);
    p->skip = (size + 7) & ~UINT64_C(7);
    p->collect = 1;
    return KP_PERF_OK;
}

/* A record that perf itself wrote. */
static int on_user_record(kp_perf *p, const uint8_t *record, kp_head head) {
    kp_cursor c = kp_body(p, record, head);
    switch (head.type) {
    case KP_RECORD_FINISHED_ROUND: return kp_finish_round(p);
    case KP_RECORD_COMPRESSED: return on_compressed(p, c.at, kp_left(&c));
    case KP_RECORD_COMPRESSED2: return on_compressed2(p, c);
    case KP_RECORD_HEADER_ATTR: return on_attr(p, c);
    case KP_RECORD_FEATURE: return on_feature(p, head, c);
    case KP_RECORD_BUILD_ID:
        /* Their pid and their kind stand where heads have other things: keep the head, too. */
        return keep_record(p, head, kp_cursor_in(p, record, head.size));
    case KP_RECORD_EVENT_UPDATE: return keep_record(p, head, c);
    case KP_RECORD_TRACING_DATA: return on_tracing_data(p, c);
    case KP_RECORD_AUXTRACE:
        p->skip = kp_u64(&c);
        p->counts.aux++;
        return KP_PERF_OK;
    default: p->counts.unknown_records += head.type >= KP_RECORD_END; return KP_PERF_OK;
    }
}

/* Step over bytes that follow a record without being one. */
static size_t step_over(kp_perf *p, const uint8_t *bytes, size_t size) {
    size_t part = p->skip < size ? (size_t)p->skip : size;
    if (p->collect && keep_tracing(p, bytes, part)) p->status = KP_PERF_NO_MEMORY;
    p->skip -= part;
    if (!p->skip) p->collect = 0;
    return part;
}

/* Where a record must be, there is none: what was read so far is whole, and nothing after it can be found. */
static void stop(kp_perf *p, size_t left) {
    p->stopped = 1;
    p->counts.cut_off += left ? left : 1;
}

/* Read whole records; *used says where the first begins that is not whole. */
static int scan(kp_perf *p, const uint8_t *bytes, size_t size, kp_block *block, size_t *used) {
    size_t at = 0;
    int status = KP_PERF_OK;
    while (status == KP_PERF_OK && at < size) {
        if (p->stopped) {
            at = size;
            break;
        }
        if (p->skip) {
            at += step_over(p, bytes + at, size - at);
            continue;
        }
        if (size - at < 8) break;
        kp_head head = kp_head_of(p, bytes + at);
        if (head.size < 8) {
            stop(p, size - at);
            at = size;
            break;
        }
        if (head.size > size - at) break;
        /* Most are as long as the one before. */
        if (size - at > 4 * (size_t)head.size) __builtin_prefetch(bytes + at + 3 * (size_t)head.size);
        p->counts.records++;
        if (head.type >= KP_RECORD_USER)
            status = on_user_record(p, bytes + at, head);
        else
            status = kp_queue(p, bytes + at, head, block);
        at += head.size;
    }
    *used = at;
    return status ? status : p->status;
}

void kp_perf_begin(kp_perf *p) {
    p->carried = p->inflated_size = 0;
    p->skip = 0;
    p->collect = p->stopped = 0;
}

uint8_t *kp_perf_piece(kp_perf *p, size_t size) {
    p->piece = kp_block_new(p, p->carried + size);
    if (!p->piece) return NULL;
    if (p->carried) memcpy(p->piece->bytes, p->carry, p->carried);
    return p->piece->bytes + p->carried;
}

int kp_perf_take_piece(kp_perf *p, size_t size) {
    size_t whole = p->carried + size, used = 0;
    int status = scan(p, p->piece->bytes, whole, p->piece, &used);
    if (!status && KP_RESERVE(p->carry, p->carry_room, 0, whole - used + 1)) status = KP_PERF_NO_MEMORY;
    if (!status) {
        p->carried = whole - used;
        memcpy(p->carry, p->piece->bytes + used, p->carried);
    }
    kp_block_done(p, p->piece);
    return status;
}

int kp_perf_feed(kp_perf *p, const uint8_t *bytes, size_t size, size_t *used) {
    return scan(p, bytes, size, NULL, used);
}

int kp_perf_feed_piece(kp_perf *p, const uint8_t *bytes, size_t size) {
    uint8_t *at = kp_perf_piece(p, size);
    if (!at) return KP_PERF_NO_MEMORY;
    if (size) memcpy(at, bytes, size);
    return kp_perf_take_piece(p, size);
}

int kp_perf_end(kp_perf *p) {
    p->counts.cut_off += p->carried + p->inflated_size;
    if (p->skip) p->counts.cut_off++;
    return kp_flush(p, UINT64_MAX);
}
