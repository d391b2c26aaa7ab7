/* Constants within Rust's mangled names: RFC 2603, and the structural ones that came later. */
#include <stdio.h>
#include <string.h>

#include "chars.h"
#include "demangle_rust.h"

/* Hexadecimal digits up to `_`. Returns them; *value is their number if it fits. */
static kp_span hex_digits(kp_rust *r, uint64_t *value, int *fits) {
    const char *start = r->at;
    *value = 0;
    while (kp_is_lower_hex(kp_rust_peek(r))) {
        char c = *r->at++;
        *value = *value << 4 | (uint64_t)(kp_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    kp_span digits = kp_between(start, r->at);
    if (!kp_rust_eat(r, '_')) r->failed = 1;
    while (digits.size && *digits.at == '0') digits.at++, digits.size--;
    *fits = digits.size <= 16;
    return digits;
}

static void integer(kp_rust *r, int is_signed) {
    uint64_t value;
    int fits;
    if (is_signed && kp_rust_eat(r, 'n')) kp_rust_put(r, "-");
    kp_span digits = hex_digits(r, &value, &fits);
    if (fits) {
        kp_rust_put_number(r, value);
    } else if (!r->silent && !r->failed) {
        kp_put_text(r->out, "0x");
        kp_put(r->out, digits.at, digits.size);
    }
}

static void put_character(kp_rust *r, uint32_t c, char quote) {
    char text[16] = {'\\', (char)c, 0};
    if (c == '\t') text[1] = 't';
    else if (c == '\n') text[1] = 'n';
    else if (c == '\r') text[1] = 'r';
    else if (c == 0) text[1] = '0';
    else if (c < 0x20 || c == 0x7f) snprintf(text, sizeof text, "\\u{%x}", (unsigned)c);
    else if (c != (uint32_t)quote && c != '\\') {
        kp_put_code_point(r->out, c);
        return;
    }
    kp_rust_put(r, text);
}

static void character(kp_rust *r) {
    uint64_t value;
    int fits;
    hex_digits(r, &value, &fits);
    if (!fits || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) r->failed = 1;
    if (r->failed || r->silent) return;
    kp_rust_put(r, "'");
    put_character(r, (uint32_t)value, '\'');
    kp_rust_put(r, "'");
}

/* The bytes of a text in hexadecimal; they are UTF-8 and stay so. */
static void text_literal(kp_rust *r) {
    kp_rust_put(r, "\"");
    while (!r->failed && kp_rust_peek(r) != '_') {
        int byte = 0;
        for (int i = 0; i < 2; i++) {
            char c = kp_rust_next(r);
            if (!kp_is_lower_hex(c)) r->failed = 1;
            byte = byte << 4 | (kp_is_digit(c) ? c - '0' : c - 'a' + 10);
        }
        if (r->failed || r->silent) continue;
        char raw = (char)byte;
        if (byte < 0x80)
            put_character(r, (uint32_t)byte, '"');
        else
            kp_put(r->out, &raw, 1);
    }
    kp_rust_eat(r, '_');
    kp_rust_put(r, "\"");
}

static int const_list(kp_rust *r) {
    int count = 0;
    for (; !r->failed && !kp_rust_eat(r, 'E'); count++) {
        kp_rust_put(r, count ? ", " : "");
        kp_rust_const(r, 1);
    }
    return count;
}

static void structure(kp_rust *r) {
    kp_rust_path(r, 1);
    char shape = kp_rust_next(r);
    if (shape == 'T') {
        kp_rust_put(r, "(");
        const_list(r);
        kp_rust_put(r, ")");
    } else if (shape == 'S') {
        kp_rust_put(r, " { ");
        for (int i = 0; !r->failed && !kp_rust_eat(r, 'E'); i++) {
            kp_rust_put(r, i ? ", " : "");
            kp_rust_optional(r, 's');
            kp_rust_identifier(r, 0, "");
            kp_rust_put(r, ": ");
            kp_rust_const(r, 1);
        }
        kp_rust_put(r, " }");
    } else if (shape != 'U') {
        r->failed = 1;
    }
}

static void compound_const(kp_rust *r, char tag, int in_value) {
    int braces = !in_value && tag != 'e' && !((tag == 'R') && kp_rust_peek(r) == 'e');
    kp_rust_put(r, braces || (tag == 'e' && !in_value) ? "{" : "");
    if (tag == 'e') {
        kp_rust_put(r, "*");
        text_literal(r);
    } else if (tag == 'R' && kp_rust_eat(r, 'e')) {
        text_literal(r); /* the type of a literal is a reference already */
    } else if (tag == 'R' || tag == 'Q') {
        kp_rust_put(r, tag == 'R' ? "&" : "&mut ");
        kp_rust_const(r, 1);
    } else if (tag == 'A') {
        kp_rust_put(r, "[");
        const_list(r);
        kp_rust_put(r, "]");
    } else if (tag == 'T') {
        kp_rust_put(r, "(");
        kp_rust_put(r, const_list(r) == 1 ? ",)" : ")");
    } else if (tag == 'V') {
        structure(r);
    } else {
        r->failed = 1;
    }
    kp_rust_put(r, braces || (tag == 'e' && !in_value) ? "}" : "");
}

static void boolean(kp_rust *r) {
    uint64_t value;
    int fits;
    hex_digits(r, &value, &fits);
    if (!fits || value > 1) r->failed = 1;
    kp_rust_put(r, value ? "true" : "false");
}

void kp_rust_const(kp_rust *r, int in_value) {
    if (!kp_rust_enter(r)) return;
    char tag = kp_rust_next(r);
    if (tag == 'B') {
        const char *target = kp_rust_back(r), *here = r->at;
        if (!r->failed && !r->silent) {
            r->at = target;
            kp_rust_const(r, in_value);
            r->at = here;
        }
    } else if (tag == 'p') {
        kp_rust_put(r, "_");
    } else if (tag && strchr("hmojty", tag)) {
        integer(r, 0);
    } else if (tag && strchr("alxnis", tag)) {
        integer(r, 1);
    } else if (tag == 'b') {
        boolean(r);
    } else if (tag == 'c') {
        character(r);
    } else {
        compound_const(r, tag, in_value);
    }
    kp_rust_leave(r);
}
