/* Types, constants and lifetimes within Rust's mangled names (RFC 2603). */
#include <stdio.h>
#include <string.h>

#include "chars.h"
#include "demangle_rust.h"

static const char *basic_type(char tag) {
    static const char *const names[26] = {"i8", "bool", "char", "f64", "str", "f32", NULL, "u8", "isize",
                                          "usize", NULL, "i32", "u32", "i128", "u128", "_", NULL, NULL,
                                          "i16", "u16", "()", "...", NULL, "i64", "u64", "!"};
    return tag >= 'a' && tag <= 'z' ? names[tag - 'a'] : NULL;
}

void kp_rust_lifetime(kp_rust *r, uint64_t index) {
    uint64_t depth = r->lifetimes - index;
    if (!index) {
        kp_rust_put(r, "'_");
    } else if (index > r->lifetimes) {
        r->failed = 1;
    } else if (depth < 26) {
        char text[3] = {'\'', (char)('a' + depth), 0};
        kp_rust_put(r, text);
    } else {
        kp_rust_put(r, "'_");
        kp_rust_put_number(r, depth);
    }
}

/* "for<'a, 'b> "; returns how many lifetimes to forget afterwards. */
static uint64_t open_binder(kp_rust *r) {
    uint64_t count = kp_rust_optional(r, 'G');
    if (count > KP_RUST_DEPTH) r->failed = 1;
    if (!count || r->failed) return 0;
    kp_rust_put(r, "for<");
    for (uint64_t i = 0; i < count; i++) {
        kp_rust_put(r, i ? ", " : "");
        r->lifetimes++;
        kp_rust_lifetime(r, 1);
    }
    kp_rust_put(r, "> ");
    return count;
}

void kp_rust_generic_arguments(kp_rust *r) {
    for (int i = 0; !r->failed && !kp_rust_eat(r, 'E'); i++) {
        kp_rust_put(r, i ? ", " : "");
        if (kp_rust_eat(r, 'L'))
            kp_rust_lifetime(r, kp_rust_base62(r));
        else if (kp_rust_eat(r, 'K'))
            kp_rust_const(r, 0);
        else
            kp_rust_type(r);
    }
}

/* Types up to `E`, with commas; returns how many. */
static int type_list(kp_rust *r) {
    int count = 0;
    for (; !r->failed && !kp_rust_eat(r, 'E'); count++) {
        kp_rust_put(r, count ? ", " : "");
        kp_rust_type(r);
    }
    return count;
}

static void abi(kp_rust *r) {
    kp_rust_put(r, "extern \"");
    if (kp_rust_eat(r, 'C')) {
        kp_rust_put(r, "C");
    } else {
        size_t before = r->out->size;
        kp_rust_identifier(r, 0, "");
        for (size_t i = before; i < r->out->size; i++) /* `-` cannot stand in an identifier */
            if (r->out->at[i] == '_') r->out->at[i] = '-';
    }
    kp_rust_put(r, "\" ");
}

static void function_type(kp_rust *r) {
    uint64_t bound = open_binder(r);
    if (kp_rust_eat(r, 'U')) kp_rust_put(r, "unsafe ");
    if (kp_rust_eat(r, 'K')) abi(r);
    kp_rust_put(r, "fn(");
    type_list(r);
    kp_rust_put(r, ")");
    if (!kp_rust_eat(r, 'u')) {
        kp_rust_put(r, " -> ");
        kp_rust_type(r);
    }
    r->lifetimes -= bound;
}

int kp_rust_open_path(kp_rust *r) {
    int open = 0;
    if (!kp_rust_enter(r)) return 0;
    if (kp_rust_eat(r, 'B')) {
        const char *target = kp_rust_back(r), *here = r->at;
        if (!r->failed && !r->silent) {
            r->at = target;
            open = kp_rust_open_path(r);
            r->at = here;
        }
    } else if (kp_rust_eat(r, 'I')) {
        kp_rust_path(r, 0);
        kp_rust_put(r, "<");
        kp_rust_generic_arguments(r);
        open = 1;
    } else {
        kp_rust_path(r, 0);
    }
    kp_rust_leave(r);
    return open;
}

/* "Trait<A, Name = B>": what a type of the trait is bound to is written into its brackets. */
static void bound_trait(kp_rust *r) {
    int open = kp_rust_open_path(r);
    while (!r->failed && kp_rust_eat(r, 'p')) {
        kp_rust_put(r, open ? ", " : "<");
        open = 1;
        kp_rust_identifier(r, 0, "");
        kp_rust_put(r, " = ");
        kp_rust_type(r);
    }
    if (open) kp_rust_put(r, ">");
}

static void dyn_type(kp_rust *r) {
    kp_rust_put(r, "dyn ");
    uint64_t bound = open_binder(r);
    for (int i = 0; !r->failed && !kp_rust_eat(r, 'E'); i++) {
        kp_rust_put(r, i ? " + " : "");
        bound_trait(r);
    }
    r->lifetimes -= bound;
    if (!kp_rust_eat(r, 'L')) r->failed = 1;
    uint64_t lifetime = r->failed ? 0 : kp_rust_base62(r);
    if (!lifetime) return;
    kp_rust_put(r, " + ");
    kp_rust_lifetime(r, lifetime);
}

static void reference(kp_rust *r, char tag) {
    kp_rust_put(r, "&");
    if (kp_rust_eat(r, 'L')) {
        uint64_t lifetime = kp_rust_base62(r);
        if (lifetime) {
            kp_rust_lifetime(r, lifetime);
            kp_rust_put(r, " ");
        }
    }
    if (tag == 'Q') kp_rust_put(r, "mut ");
    kp_rust_type(r);
}

static void compound_type(kp_rust *r, char tag) {
    if (tag == 'R' || tag == 'Q') {
        reference(r, tag);
    } else if (tag == 'P' || tag == 'O') {
        kp_rust_put(r, tag == 'P' ? "*const " : "*mut ");
        kp_rust_type(r);
    } else if (tag == 'A' || tag == 'S') {
        kp_rust_put(r, "[");
        kp_rust_type(r);
        if (tag == 'A') {
            kp_rust_put(r, "; ");
            kp_rust_const(r, 1);
        }
        kp_rust_put(r, "]");
    } else if (tag == 'T') {
        kp_rust_put(r, "(");
        kp_rust_put(r, type_list(r) == 1 ? ",)" : ")");
    } else if (tag == 'F') {
        function_type(r);
    } else if (tag == 'D') {
        dyn_type(r);
    } else {
        r->at--; /* the tag is that of a path */
        kp_rust_path(r, 0);
    }
}

void kp_rust_type(kp_rust *r) {
    if (!kp_rust_enter(r)) return;
    char tag = kp_rust_next(r);
    const char *basic = basic_type(tag);
    if (basic) {
        kp_rust_put(r, basic);
    } else if (tag == 'B') {
        const char *target = kp_rust_back(r), *here = r->at;
        if (!r->failed && !r->silent) {
            r->at = target;
            kp_rust_type(r);
            r->at = here;
        }
    } else if (!r->failed) {
        compound_type(r, tag);
    }
    kp_rust_leave(r);
}
