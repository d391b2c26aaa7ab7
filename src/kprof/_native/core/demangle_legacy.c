/* Names of Rust before its own mangling: `_ZN`, parts with their lengths, `17h` and a hash, `E`.
 * What C++ identifiers cannot hold is written between dollar signs; see the crate rustc-demangle. */
#include "chars.h"
#include "demangle.h"

static const struct {
    const char *code, *text;
} escapes[] = {
    {"$SP$", "@"}, {"$BP$", "*"}, {"$RF$", "&"}, {"$LT$", "<"}, {"$GT$", ">"}, {"$LP$", "("}, {"$RP$", ")"}, {"$C$", ","},
};

/* "$u7e$": a character by its number. Returns its size, 0 if it is none. */
static size_t numbered(kp_span text, uint32_t *code_point) {
    if (!kp_starts(text, "$u")) return 0;
    uint32_t value = 0;
    size_t i = 2;
    for (; i < text.size && i < 8 && kp_is_lower_hex(text.at[i]); i++)
        value = value << 4 | (uint32_t)(kp_is_digit(text.at[i]) ? text.at[i] - '0' : text.at[i] - 'a' + 10);
    int valid = value >= 0x20 && value != 0x7f && value < 0x110000 && (value < 0xd800 || value > 0xdfff);
    *code_point = value;
    return i > 2 && i < text.size && text.at[i] == '$' && valid ? i + 1 : 0;
}

static size_t put_escape(kp_text_buffer *out, kp_span text) {
    for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
        if (!kp_starts(text, escapes[i].code)) continue;
        kp_put_text(out, escapes[i].text);
        return strlen(escapes[i].code);
    }
    uint32_t code_point;
    size_t size = numbered(text, &code_point);
    if (size) kp_put_code_point(out, code_point);
    return size;
}

static void put_part(kp_text_buffer *out, kp_span part) {
    if (kp_starts(part, "_$")) part.at++, part.size--;
    const char *end = part.at + part.size;
    for (const char *at = part.at; at < end;) {
        kp_span rest = kp_between(at, end);
        if (kp_starts(rest, "..")) {
            kp_put_text(out, "::");
            at += 2;
            continue;
        }
        size_t size = *at == '$' ? put_escape(out, rest) : 0;
        if (*at == '$' && !size) {
            kp_put(out, at, rest.size);
            return;
        }
        if (!size) kp_put(out, at, size = 1);
        at += size;
    }
}

static int is_hash(kp_span part) {
    if (part.size != 17 || part.at[0] != 'h') return 0;
    for (size_t i = 1; i < part.size; i++)
        if (!kp_is_lower_hex(part.at[i])) return 0;
    return 1;
}

int kp_demangle_rust_legacy(kp_span name, kp_text_buffer *out) {
    size_t lead = kp_starts(name, "_ZN") ? 3 : kp_starts(name, "__ZN") ? 4 : kp_starts(name, "ZN") ? 2 : 0;
    const char *end = name.at + name.size, *at = name.at + lead;
    kp_span last = {"", 0};
    int parts = 0;
    if (!lead) return 0;
    while (at < end && *at != 'E') {
        size_t size = 0;
        if (!kp_is_digit(*at)) return 0;
        for (; at < end && kp_is_digit(*at) && size < KP_LONGEST_NAME; at++) size = size * 10 + (size_t)(*at - '0');
        if (size > (size_t)(end - at)) return 0;
        if (parts > 1) kp_put_text(out, "::");
        if (parts++) put_part(out, last);
        last = (kp_span){at, size};
        at += size;
    }
    /* The last part is the hash: without one it is C++. Behind it may stand ".llvm.123" or ".cold". */
    return at < end && is_hash(last) && parts > 1 && (at + 1 == end || at[1] == '.');
}
