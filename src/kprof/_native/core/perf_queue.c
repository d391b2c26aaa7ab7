/* Records in the order of time, with no more of them in memory than is needed.
 *
 * perf drains one ring buffer after the other, so that records of different CPUs stand out of order. After
 * each turn through all buffers it writes FINISHED_ROUND: what is older than the latest record of the round
 * before that cannot be overtaken any more (tools/perf/util/ordered-events.c). */
#include <stdlib.h>

#include "perf_state.h"

/* Records that are fetched before their turn, and the ends of those that hold copies of stacks: there are their sizes. */
enum { AHEAD = 8, SOON = 4, LARGE = 1024 };

/* Blocks of about this size are used again; a record is at most 64 KB long. */
enum { BLOCK = KP_PERF_PIECE + (1 << 16), MOST_SPARE = 16 };

kp_block *kp_block_new(kp_perf *p, size_t size) {
    kp_block *block = p->spare_blocks;
    size_t room = size <= BLOCK && size > BLOCK / 2 ? BLOCK : size;
    if (block && room == BLOCK) {
        p->spare_blocks = block->after;
        p->spare_block_count--;
    } else {
        block = malloc(sizeof *block + room);
    }
    if (!block) return NULL;
    *block = (kp_block){NULL, p->blocks, 1, room};
    if (p->blocks) p->blocks->before = block;
    p->blocks = block;
    return block;
}

/* One record less waits in the block. */
void kp_block_done(kp_perf *p, kp_block *block) {
    if (!block || --block->waiting) return;
    if (block->before) block->before->after = block->after;
    if (block->after) block->after->before = block->before;
    if (p->blocks == block) p->blocks = block->after;
    if (block->room != BLOCK || p->spare_block_count == MOST_SPARE) {
        free(block);
        return;
    }
    block->after = p->spare_blocks;
    p->spare_blocks = block;
    p->spare_block_count++;
}

static void free_all(kp_block *block) {
    while (block) {
        kp_block *after = block->after;
        free(block);
        block = after;
    }
}

void kp_blocks_free(kp_perf *p) {
    free_all(p->blocks);
    free_all(p->spare_blocks);
}

int kp_queue(kp_perf *p, const uint8_t *record, kp_head head, kp_block *block) {
    if (!p->event_count) return KP_PERF_NO_EVENT;
    uint64_t time = kp_record_time(p, record, head);
    if (!time) {
        int status = kp_replay(p, record, head);
        return status ? status : kp_finish_samples(p);
    }
    if (KP_RESERVE(p->queue, p->queue_room, p->queued, 1)) return KP_PERF_NO_MEMORY;
    p->queue[p->queued++] = (kp_queued){time, record, block};
    if (block) block->waiting++;
    if (time > p->round_top) p->round_top = time;
    if (time < p->replayed) p->counts.unordered++;
    return KP_PERF_OK;
}

int kp_finish_round(kp_perf *p) {
    if (!p->options.rounds) return KP_PERF_OK;
    int status = kp_flush(p, p->round_limit);
    p->round_limit = p->round_top;
    return status;
}

static size_t run_end(const kp_queued *queue, size_t from, size_t count) {
    size_t end = from + 1;
    while (end < count && queue[end].time >= queue[end - 1].time) end++;
    return end;
}

static void merge_runs(const kp_queued *from, size_t start, size_t middle, size_t end, kp_queued *to) {
    size_t left = start, right = middle, out = start;
    while (left < middle && right < end)
        to[out++] = from[right].time < from[left].time ? from[right++] : from[left++];
    memcpy(to + out, from + left, (middle - left) * sizeof *to);
    out += middle - left;
    memcpy(to + out, from + right, (end - right) * sizeof *to);
}

/* Stable natural merge sort: the queue is a few runs that are sorted already. */
static int sort(kp_perf *p) {
    if (run_end(p->queue, 0, p->queued) == p->queued) return 0;
    if (KP_RESERVE(p->spare, p->spare_room, 0, p->queued)) return -1;
    for (;;) {
        size_t start = 0;
        int runs = 0;
        for (; start < p->queued; runs++) {
            size_t middle = run_end(p->queue, start, p->queued);
            size_t end = middle < p->queued ? run_end(p->queue, middle, p->queued) : middle;
            merge_runs(p->queue, start, middle, end, p->spare);
            start = end;
        }
        kp_queued *sorted = p->spare;
        size_t room = p->spare_room;
        p->spare = p->queue;
        p->spare_room = p->queue_room;
        p->queue = sorted;
        p->queue_room = room;
        if (runs == 1) return 0;
    }
}

static void fetch(const kp_perf *p, size_t done) {
    if (done + AHEAD >= p->queued) return;
    __builtin_prefetch(p->queue[done + AHEAD].record);
    const uint8_t *soon = p->queue[done + SOON].record;
    size_t size = kp_head_of(p, soon).size;
    if (size >= LARGE) __builtin_prefetch(soon + size - 1);
}

int kp_flush(kp_perf *p, uint64_t limit) {
    if (!p->queued) return KP_PERF_OK;
    if (sort(p)) return KP_PERF_NO_MEMORY;
    size_t done = 0;
    int status = KP_PERF_OK;
    for (; done < p->queued && p->queue[done].time <= limit && status == KP_PERF_OK; done++) {
        fetch(p, done);
        kp_queued item = p->queue[done];
        p->replayed = item.time;
        status = kp_replay(p, item.record, kp_head_of(p, item.record));
    }
    int finished = kp_finish_samples(p);
    if (status == KP_PERF_OK) status = finished;
    for (size_t i = 0; i < done; i++) kp_block_done(p, p->queue[i].block);
    memmove(p->queue, p->queue + done, (p->queued - done) * sizeof *p->queue);
    p->queued -= done;
    return status;
}
