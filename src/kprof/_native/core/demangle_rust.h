/* State shared by the two halves of the demangler for Rust's own mangling. */
#ifndef KP_DEMANGLE_RUST_H
#define KP_DEMANGLE_RUST_H

#include "demangle.h"

enum { KP_RUST_DEPTH = 200, KP_RUST_STEPS = 20000 };

typedef struct {
    const char *start, *at, *end; /* `start`: behind "_R", where back references count from */
    kp_text_buffer *out;
    int silent; /* read on, but write nothing */
    int failed, depth;
    unsigned steps;         /* back references can make a short name endless */
    uint64_t lifetimes; /* how many are bound around here */
} kp_rust;

static inline char kp_rust_peek(const kp_rust *r) { return r->at < r->end ? *r->at : 0; }
static inline int kp_rust_eat(kp_rust *r, char c) {
    if (kp_rust_peek(r) != c) return 0;
    r->at++;
    return 1;
}
static inline char kp_rust_next(kp_rust *r) {
    if (r->at >= r->end) r->failed = 1;
    return r->failed ? 0 : *r->at++;
}

/* Every rule that can nest begins with this and ends with kp_rust_leave, unless it fails. */
int kp_rust_enter(kp_rust *r);
static inline void kp_rust_leave(kp_rust *r) { r->depth--; }

void kp_rust_put(kp_rust *r, const char *text);
void kp_rust_put_number(kp_rust *r, uint64_t value);
uint64_t kp_rust_base62(kp_rust *r);
uint64_t kp_rust_optional(kp_rust *r, char tag); /* 0 if `tag` does not come, else the number behind it + 1 */
void kp_rust_identifier(kp_rust *r, int write_empty_prefix, const char *prefix);
/* Where a back reference points to; the caller goes there and comes back. NULL if nowhere. */
const char *kp_rust_back(kp_rust *r);

void kp_rust_path(kp_rust *r, int in_value);
void kp_rust_type(kp_rust *r);
void kp_rust_const(kp_rust *r, int in_value);
void kp_rust_generic_arguments(kp_rust *r);
int kp_rust_open_path(kp_rust *r); /* writes a path, and says whether its "<" was left open */
void kp_rust_lifetime(kp_rust *r, uint64_t index);

#endif
