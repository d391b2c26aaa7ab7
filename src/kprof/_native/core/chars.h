/* ASCII classes, independent of the locale. */
#ifndef KP_CHARS_H
#define KP_CHARS_H

#include <string.h>

#include "memory.h"

static inline int kp_is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline int kp_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline int kp_is_lower_hex(char c) { return kp_is_digit(c) || (c >= 'a' && c <= 'f'); }
static inline int kp_is_hex(char c) { return kp_is_lower_hex(c) || (c >= 'A' && c <= 'F'); }
static inline int kp_is_word(char c) {
    return kp_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline int kp_equal(kp_span span, const char *text) {
    size_t size = strlen(text);
    return span.size == size && !memcmp(span.at, text, size);
}
static inline int kp_starts(kp_span span, const char *text) {
    size_t size = strlen(text);
    return span.size >= size && !memcmp(span.at, text, size);
}
static inline int kp_ends(kp_span span, const char *text) {
    size_t size = strlen(text);
    return span.size >= size && !memcmp(span.at + span.size - size, text, size);
}
/* First place of `text` in the span, or NULL. */
static inline const char *kp_find(kp_span span, const char *text) {
    return memmem(span.at, span.size, text, strlen(text));
}
static inline kp_span kp_between(const char *at, const char *end) {
    return (kp_span){at, (size_t)(end - at)};
}
static inline kp_span kp_trim_left(kp_span span) {
    while (span.size && kp_is_space(*span.at)) span.at++, span.size--;
    return span;
}
static inline kp_span kp_trim(kp_span span) {
    while (span.size && kp_is_space(span.at[span.size - 1])) span.size--;
    return kp_trim_left(span);
}
/* Behind the last slash. */
static inline kp_span kp_basename(kp_span path) {
    const char *slash = path.size ? memrchr(path.at, '/', path.size) : NULL;
    return slash ? kp_between(slash + 1, path.at + path.size) : path;
}

#endif
