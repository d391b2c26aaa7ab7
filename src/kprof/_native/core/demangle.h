/* Mangled names -> what the source calls them. */
#ifndef KP_DEMANGLE_H
#define KP_DEMANGLE_H

#include "memory.h"

enum { KP_LONGEST_NAME = 1 << 16 };

/* Text that grows up to KP_LONGEST_NAME; what does not fit sets `failed`. */
typedef struct {
    char *at;
    size_t size, room;
    int failed;
} kp_text_buffer;

void kp_put(kp_text_buffer *out, const char *text, size_t size);
void kp_put_text(kp_text_buffer *out, const char *text);
void kp_put_code_point(kp_text_buffer *out, uint32_t code_point);

typedef enum { KP_NOT_MANGLED, KP_CPP, KP_RUST } kp_language;

/* Writes the demangled name to `out`, with argument lists for C++. KP_NOT_MANGLED: keep the name as it is. */
kp_language kp_demangle(kp_span name, kp_text_buffer *out);

/* The parts; each returns whether it could read the name. */
int kp_demangle_rust_legacy(kp_span name, kp_text_buffer *out);
int kp_demangle_rust(kp_span name, kp_text_buffer *out);
int kp_demangle_cpp(kp_span name, kp_text_buffer *out);

/* Without the return type that stands before the names of templates; argument lists must be gone. */
kp_span kp_without_return_type(kp_span name);

#endif
