/* Events: their attributes, their ids, and where records keep id and time. */
#include "perf_state.h"

static int has(const kp_event *event, uint64_t bits) { return (event->sample_type & bits) != 0; }

static int count(const kp_event *event, uint64_t bits) {
    return __builtin_popcountll(event->sample_type & bits);
}

/* Records other than samples end in the fields that sample_id_all names: TID, TIME, ID, STREAM_ID, CPU, IDENTIFIER. */
static void place_fields(kp_event *event) {
    uint64_t after = KP_SAMPLE_IDENTIFIER | KP_SAMPLE_CPU | KP_SAMPLE_STREAM_ID | KP_SAMPLE_ID;
    if (has(event, KP_SAMPLE_IDENTIFIER)) {
        event->id_at = event->id_before_end = 8;
    } else if (has(event, KP_SAMPLE_ID)) {
        event->id_at = 8 + 8 * count(event, KP_SAMPLE_IP | KP_SAMPLE_TID | KP_SAMPLE_TIME | KP_SAMPLE_ADDR);
        event->id_before_end = 8 + 8 * count(event, KP_SAMPLE_CPU | KP_SAMPLE_STREAM_ID);
    }
    if (!has(event, KP_SAMPLE_TIME)) return;
    event->time_at = 8 + 8 * count(event, KP_SAMPLE_IDENTIFIER | KP_SAMPLE_IP | KP_SAMPLE_TID);
    event->time_before_end = 8 + 8 * count(event, after);
}

/* struct perf_event_attr; older ones are shorter, and what they lack is 0. */
int kp_perf_add_event(kp_perf *p, const uint8_t *attr, size_t attr_size, const uint8_t *ids, size_t ids_size) {
    if (KP_RESERVE(p->events, p->event_room, p->event_count, 1)) return KP_PERF_NO_MEMORY;
    uint8_t whole[136] = {0};
    memcpy(whole, attr, attr_size < sizeof whole ? attr_size : sizeof whole);
    kp_event *event = &p->events[p->event_count];
    *event = (kp_event){0};
    kp_cursor c = kp_cursor_in(p, whole, sizeof whole);
    event->type = kp_u32(&c);
    kp_skip(&c, 4);
    event->config = kp_u64(&c);
    event->period = kp_u64(&c);
    event->sample_type = kp_u64(&c);
    event->read_format = kp_u64(&c);
    event->flags = kp_u64(&c);
    /* Bit fields begin at the other end of the word where bytes do, and perf swaps bits within bytes. */
    if (p->options.swap) {
        uint64_t mirrored = 0;
        for (int i = 0; i < 64; i++) mirrored |= (event->flags >> i & 1) << (63 - i);
        event->flags = mirrored;
    }
    kp_skip(&c, 24);
    event->branch_type = kp_u64(&c);
    event->registers = kp_u64(&c);
    kp_skip(&c, 8);
    event->registers_intr = kp_u64(&c);
    kp_skip(&c, 4);
    event->max_stack = kp_u16(&c);
    if (event->flags & KP_ATTR_FREQ || !event->period) event->period = 1;
    place_fields(event);
    p->asks_build_ids |= (event->flags & KP_ATTR_BUILD_ID) != 0;
    uint32_t number = (uint32_t)p->event_count++;
    memset(p->recent, 0, sizeof p->recent);
    kp_cursor list = kp_cursor_in(p, ids, ids_size);
    while (kp_left(&list) >= 8) {
        kp_event_id *known = kp_find_id(p, kp_u64(&list), -1);
        if (!known) return KP_PERF_NO_MEMORY;
        known->event = number;
    }
    return KP_PERF_OK;
}

size_t kp_perf_events(const kp_perf *p) { return p->event_count; }

void kp_perf_event_type(const kp_perf *p, size_t number, uint32_t *type, uint64_t *config) {
    *type = p->events[number].type;
    *config = p->events[number].config;
}

static size_t id_slot(const kp_perf *p, uint64_t id, int64_t tid, uint64_t hash) {
    size_t slot = kp_table_slot(&p->id_table, hash);
    for (; p->id_table.at[slot].value; slot = kp_table_next(&p->id_table, slot)) {
        const kp_event_id *known = &p->ids[p->id_table.at[slot].value - 1];
        if (known->id == id && known->tid == tid) break;
    }
    return slot;
}

/* The entry of an id, new if need be; NULL when memory is out. */
kp_event_id *kp_find_id(kp_perf *p, uint64_t id, int64_t tid) {
    if (kp_table_ready(&p->id_table) || KP_RESERVE(p->ids, p->id_room, p->id_count, 1)) return NULL;
    uint64_t hash = kp_mix64(id, (uint64_t)tid);
    size_t slot = id_slot(p, id, tid, hash);
    if (!p->id_table.at[slot].value) {
        kp_table_put(&p->id_table, slot, hash, (uint32_t)p->id_count);
        p->ids[p->id_count++] = (kp_event_id){id, tid, 0, UINT32_MAX};
    }
    return &p->ids[p->id_table.at[slot].value - 1];
}

int64_t kp_perf_event_of(const kp_perf *p, uint64_t id) {
    if (!p->id_table.slots) return -1;
    size_t slot = id_slot(p, id, -1, kp_mix64(id, (uint64_t)(int64_t)-1));
    if (!p->id_table.at[slot].value) return -1;
    uint32_t event = p->ids[p->id_table.at[slot].value - 1].event;
    return event == UINT32_MAX ? -1 : (int64_t)event;
}

/* The event of the id that stands at `at`. All events of a recording keep it in the same place, so that the first
 * one tells where. */
static int32_t event_at(kp_perf *p, const uint8_t *record, kp_head head, int64_t at) {
    if (at < 8 || at + 8 > head.size) return -1;
    uint64_t id = kp_word(p, record + at);
    kp_recent_id *recent = &p->recent[id % KP_RECENT];
    if (!recent->event || recent->id != id) *recent = (kp_recent_id){id, (int32_t)kp_perf_event_of(p, id) + 1};
    return recent->event - 1;
}

int32_t kp_sample_event(kp_perf *p, const uint8_t *record, kp_head head) {
    if (p->event_count == 1 || !p->events[0].id_at) return 0;
    return event_at(p, record, head, p->events[0].id_at);
}

static int32_t other_event(kp_perf *p, const uint8_t *record, kp_head head) {
    if (p->event_count == 1 || !p->events[0].id_before_end) return 0;
    return event_at(p, record, head, (int64_t)head.size - p->events[0].id_before_end);
}

/* Nanoseconds, or 0 where the record does not tell: perf writes such records out of order. */
uint64_t kp_record_time(kp_perf *p, const uint8_t *record, kp_head head) {
    int is_sample = head.type == KP_RECORD_SAMPLE;
    if (!is_sample && !(p->events[0].flags & KP_ATTR_SAMPLE_ID_ALL)) return 0;
    int32_t number = is_sample ? kp_sample_event(p, record, head) : other_event(p, record, head);
    /* Records that perf makes up carry no id. */
    const kp_event *event = &p->events[number < 0 ? 0 : number];
    int64_t at = is_sample ? event->time_at : (int64_t)head.size - event->time_before_end;
    if (!event->time_at) return 0;
    if (at < 8 || at + 8 > head.size) return 0;
    uint64_t time = kp_word(p, record + at);
    return time == UINT64_MAX ? 0 : time;
}
