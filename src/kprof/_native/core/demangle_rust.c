/* Names that begin with `_R`: Rust's own mangling, RFC 2603. Written as the crate rustc-demangle does in its
 * short form: without the hashes of crates and the types of constants. */
#include "demangle_rust.h"

#include <stdio.h>
#include <string.h>

#include "chars.h"

int kp_rust_enter(kp_rust *r) {
    if (r->failed || ++r->depth > KP_RUST_DEPTH || ++r->steps > KP_RUST_STEPS || r->out->failed) r->failed = 1;
    return !r->failed;
}

void kp_rust_put(kp_rust *r, const char *text) {
    if (!r->silent && !r->failed) kp_put_text(r->out, text);
}

void kp_rust_put_number(kp_rust *r, uint64_t value) {
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    kp_rust_put(r, text);
}

uint64_t kp_rust_base62(kp_rust *r) {
    if (kp_rust_eat(r, '_')) return 0;
    uint64_t value = 0;
    for (char c; (c = kp_rust_next(r)) != '_';) {
        int digit = kp_is_digit(c) ? c - '0' : c >= 'a' && c <= 'z' ? c - 'a' + 10 : c >= 'A' && c <= 'Z' ? c - 'A' + 36 : -1;
        if (digit < 0 || value > (UINT64_MAX - 62) / 62) r->failed = 1;
        if (r->failed) return 0;
        value = value * 62 + (uint64_t)digit;
    }
    return value + 1;
}

uint64_t kp_rust_optional(kp_rust *r, char tag) { return kp_rust_eat(r, tag) ? kp_rust_base62(r) + 1 : 0; }

const char *kp_rust_back(kp_rust *r) {
    const char *here = r->at - 1; /* the tag */
    uint64_t offset = kp_rust_base62(r);
    if (!r->failed && offset < (uint64_t)(here - r->start)) return r->start + offset;
    r->failed = 1;
    return NULL;
}

/* Punycode (RFC 3492) with `_` between the plain letters and the code. */
static void put_punycode(kp_rust *r, const char *text, size_t size) {
    enum { MOST = 128, BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700 };
    uint32_t points[MOST];
    size_t count = 0, code = 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '_') code = i + 1;
    for (; code && count < code - 1 && count < MOST; count++) points[count] = (uint8_t)text[count];
    uint64_t n = 128, i = 0, bias = 72, damp = DAMP;
    while (code < size && count < MOST) {
        uint64_t delta = 0, weight = 1;
        for (uint64_t k = BASE;; k += BASE) {
            if (code >= size) goto bad;
            char c = text[code++];
            int digit = c >= 'a' && c <= 'z' ? c - 'a' : kp_is_digit(c) ? c - '0' + 26 : -1;
            uint64_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
            if (digit < 0 || weight > UINT32_MAX || delta > UINT32_MAX) goto bad;
            delta += (uint64_t)digit * weight;
            if ((uint64_t)digit < t) break;
            weight *= BASE - t;
        }
        i += delta;
        n += i / (count + 1);
        i %= count + 1;
        if (n > 0x10ffff || (n >= 0xd800 && n < 0xe000)) goto bad;
        memmove(&points[i + 1], &points[i], (count - i) * sizeof *points);
        points[i++] = (uint32_t)n;
        count++;
        delta = delta / damp + delta / damp / count;
        damp = 2;
        for (bias = 0; delta > (BASE - T_MIN) * T_MAX / 2; bias += BASE) delta /= BASE - T_MIN;
        bias += (BASE - T_MIN + 1) * delta / (delta + SKEW);
    }
    for (size_t j = 0; j < count; j++) kp_put_code_point(r->out, points[j]);
    return;
bad:
    kp_put_text(r->out, "punycode{");
    kp_put(r->out, text, size);
    kp_put_text(r->out, "}");
}

/* An identifier without its disambiguator. */
void kp_rust_identifier(kp_rust *r, int write_empty_prefix, const char *prefix) {
    int punycode = kp_rust_eat(r, 'u');
    uint64_t size = 0;
    if (!kp_is_digit(kp_rust_peek(r))) r->failed = 1;
    if (!kp_rust_eat(r, '0'))
        while (kp_is_digit(kp_rust_peek(r)) && size < KP_LONGEST_NAME) size = size * 10 + (uint64_t)(*r->at++ - '0');
    kp_rust_eat(r, '_');
    if (size > (uint64_t)(r->end - r->at)) r->failed = 1;
    if (r->failed) return;
    const char *text = r->at;
    r->at += size;
    if (size || write_empty_prefix) kp_rust_put(r, prefix);
    if (r->silent) return;
    if (punycode)
        put_punycode(r, text, size);
    else
        kp_put(r->out, text, size);
}

/* The disambiguator and the path of an `impl` say nothing to the reader. */
static void skip_impl_path(kp_rust *r) {
    kp_rust_optional(r, 's');
    r->silent++;
    kp_rust_path(r, 0);
    r->silent--;
}

static void nested_path(kp_rust *r, int in_value) {
    char space = kp_rust_next(r);
    kp_rust_path(r, in_value);
    uint64_t number = kp_rust_optional(r, 's');
    if (space >= 'a' && space <= 'z') {
        kp_rust_identifier(r, 0, "::");
        return;
    }
    if (space < 'A' || space > 'Z') r->failed = 1;
    char other[2] = {space, 0};
    kp_rust_put(r, "::{");
    kp_rust_put(r, space == 'C' ? "closure" : space == 'S' ? "shim" : other);
    kp_rust_identifier(r, 0, ":");
    kp_rust_put(r, "#");
    kp_rust_put_number(r, number);
    kp_rust_put(r, "}");
}

static void qualified_path(kp_rust *r, char tag) {
    if (tag != 'Y') skip_impl_path(r);
    kp_rust_put(r, "<");
    kp_rust_type(r);
    if (tag != 'M') {
        kp_rust_put(r, " as ");
        kp_rust_path(r, 0);
    }
    kp_rust_put(r, ">");
}

void kp_rust_path(kp_rust *r, int in_value) {
    if (!kp_rust_enter(r)) return;
    char tag = kp_rust_next(r);
    if (tag == 'C') {
        kp_rust_optional(r, 's');
        kp_rust_identifier(r, 0, "");
    } else if (tag == 'N') {
        nested_path(r, in_value);
    } else if (tag == 'M' || tag == 'X' || tag == 'Y') {
        qualified_path(r, tag);
    } else if (tag == 'I') {
        kp_rust_path(r, in_value);
        kp_rust_put(r, in_value ? "::<" : "<");
        kp_rust_generic_arguments(r);
        kp_rust_put(r, ">");
    } else if (tag == 'B') {
        const char *target = kp_rust_back(r), *here = r->at;
        if (!r->failed && !r->silent) {
            r->at = target;
            kp_rust_path(r, in_value);
            r->at = here;
        }
    } else {
        r->failed = 1;
    }
    kp_rust_leave(r);
}

int kp_demangle_rust(kp_span name, kp_text_buffer *out) {
    size_t lead = kp_starts(name, "_R") ? 2 : kp_starts(name, "__R") ? 3 : 0;
    if (!lead || name.size <= lead || name.at[lead] < 'A' || name.at[lead] > 'Z') return 0;
    const char *dot = memchr(name.at, '.', name.size);
    const char *start = name.at + lead, *end = dot ? dot : name.at + name.size;
    kp_rust r = {.start = start, .at = start, .end = end, .out = out};
    kp_rust_path(&r, 1);
    if (!r.failed && kp_rust_peek(&r) >= 'A' && kp_rust_peek(&r) <= 'Z') {
        r.silent = 1; /* the crate in which a generic was made */
        kp_rust_path(&r, 0);
    }
    return !r.failed && r.at == r.end;
}
