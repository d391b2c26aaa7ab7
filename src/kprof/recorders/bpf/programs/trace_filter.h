/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The filter: comparisons of fields, and what joins them, in the order of a machine with a stack of truths. */
#ifndef KP_TRACE_FILTER_H
#define KP_TRACE_FILTER_H

enum { KP_MATCH_STEPS = 1 << 15 };

struct kp_match_loop {
    struct kp_trace_scratch *scratch;
    const struct kp_pattern *pattern;
};

/* One step of matching text with a pattern: a code and a byte, or back to the last run of any bytes. */
static long kp_match_step(__u32 i __attribute__((unused)), struct kp_match_loop *loop) {
    struct kp_trace_scratch *scratch = loop->scratch;
    __u32 at = scratch->match.at, place = scratch->match.code, code = KP_ANY_ONE - 1;
    int has_code = place < scratch->match.length && place < KP_PATTERN, has_byte = at < scratch->match.end;
    if (has_code && place < KP_PATTERN) code = loop->pattern->code[place];
    if (has_code && code == KP_ANY_RUN) {
        scratch->match.retry_at = at;
        scratch->match.retry_code = scratch->match.code = place + 1;
        scratch->match.can_retry = 1;
        return 0;
    }
    if (!has_byte) {
        scratch->match.fits = !has_code;
        return 1;
    }
    if (at >= KP_DATA + KP_TEXT) return 1;
    __u32 byte = (__u8)scratch->data[at];
    if (has_code && (code == KP_ANY_ONE || code == byte || (code == KP_ANY_BLANK && (!byte || byte == ' ')))) {
        scratch->match.at = at + 1;
        scratch->match.code = place + 1;
        return 0;
    }
    if (!scratch->match.can_retry) return 1;
    scratch->match.at = ++scratch->match.retry_at;
    scratch->match.code = scratch->match.retry_code;
    return 0;
}

static __always_inline int kp_is_like(struct kp_trace_scratch *scratch, const struct kp_pattern *pattern, __u64 where) {
    struct kp_match_loop loop = {.scratch = scratch, .pattern = pattern};
    scratch->match.at = where >> 32;
    scratch->match.end = (__u32)(where >> 32) + (__u32)where;
    scratch->match.length = pattern->length;
    scratch->match.code = scratch->match.can_retry = scratch->match.fits = 0;
    bpf_loop(KP_MATCH_STEPS, kp_match_step, &loop, 0);
    return scratch->match.fits != 0;
}

static __always_inline int kp_is_true(__u32 compare, __u64 left, __u64 right, __u32 is_signed) {
    switch (compare) {
    case KP_EQUAL: return left == right;
    case KP_UNEQUAL: return left != right;
    case KP_LESS: return is_signed ? (__s64)left < (__s64)right : left < right;
    case KP_AT_MOST: return is_signed ? (__s64)left <= (__s64)right : left <= right;
    case KP_MORE: return is_signed ? (__s64)left > (__s64)right : left > right;
    case KP_AT_LEAST: return is_signed ? (__s64)left >= (__s64)right : left >= right;
    case KP_HAS_BITS: return (left & right) != 0;
    }
    return 0;
}

static long kp_test_one(__u32 i, struct kp_trace_loop *loop) {
    struct kp_trace_scratch *scratch = loop->scratch;
    if (i >= KP_MAX_TESTS || i >= loop->trace->tests) return 1;
    const struct kp_test *test = &loop->trace->test[i];
    __u32 truths = scratch->truths, number = test->field, pattern = test->pattern;
    __u32 top = truths & 1, next = truths >> 1 & 1;
    switch (test->what) {
    case KP_AND: scratch->truths = truths >> 2 << 1 | (top & next); return 0;
    case KP_OR: scratch->truths = truths >> 2 << 1 | (top | next); return 0;
    case KP_NOT: scratch->truths = truths ^ 1; return 0;
    }
    if (number >= KP_MAX_FIELDS || pattern >= KP_MAX_PATTERNS) return 1;
    __u64 value = scratch->record.value[number];
    __u32 truth = 0;
    if (test->compare == KP_LIKE || test->compare == KP_UNLIKE)
        truth = value != KP_UNREADABLE
                && kp_is_like(scratch, &loop->trace->pattern[pattern], value) == (test->compare == KP_LIKE);
    else if (!(scratch->record.unread >> (number & 31) & 1))
        truth = kp_is_true(test->compare, value, test->value, loop->trace->field[number].flags & KP_SIGNED);
    scratch->truths = truths << 1 | truth;
    return 0;
}

static __always_inline int kp_passes(struct kp_trace_scratch *scratch, const struct kp_trace *trace) {
    struct kp_trace_loop loop = {.scratch = scratch, .trace = trace};
    if (!trace->tests) return 1;
    scratch->truths = 0;
    bpf_loop(KP_MAX_TESTS, kp_test_one, &loop, 0);
    return scratch->truths & 1;
}

#endif
