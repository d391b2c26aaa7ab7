#include "demangle.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "chars.h"

enum { LONGEST_CPP = 4096, MOST_REFERENCES = 400, MOST_OUTCOME = 1 << 24 };

void kp_put(kp_text_buffer *out, const char *text, size_t size) {
    if (size > KP_LONGEST_NAME - out->size || kp_reserve((void **)&out->at, &out->room, out->size, size, 1)) {
        out->failed = 1;
        return;
    }
    if (size) memcpy(out->at + out->size, text, size);
    out->size += size;
}

void kp_put_text(kp_text_buffer *out, const char *text) { kp_put(out, text, strlen(text)); }

void kp_put_code_point(kp_text_buffer *out, uint32_t c) {
    char bytes[4];
    size_t size = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size - 1; i; i--, c >>= 6) bytes[i] = (char)(0x80 | (c & 0x3f));
    bytes[0] = (char)(lead[size] | c);
    kp_put(out, bytes, size);
}

/* The C++ runtime's own demangler; without the runtime, C++ names stay as they are. */
typedef char *(*cpp_demangler)(const char *name, char *buffer, size_t *size, int *status);

static cpp_demangler demangler;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_demangler(void) {
    void *library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL);
    if (library) demangler = (cpp_demangler)(uintptr_t)dlsym(library, "__cxa_demangle");
}

/* The number in "S_", "S0_", "SZ_" and the like, counted from 0; -1 if it is none. */
static int back_reference(const char **at, const char *end) {
    const char *c = *at + 1;
    int value = 0;
    for (int first = 1; c < end && (kp_is_digit(*c) || (*c >= 'A' && *c <= 'Z')) && value < MOST_REFERENCES; c++) {
        int digit = kp_is_digit(*c) ? *c - '0' : *c - 'A' + 10;
        value = first ? digit + 1 : (value - 1) * 36 + digit + 1;
        first = 0;
    }
    if (c >= end || *c != '_') return -1;
    *at = c;
    return value;
}

/* How long the demangled name may be, if what "T_" stands for is `argument` long. What "S3_" stands for is no
 * longer than all that stands before the first reference to it or to a later one. */
static double outcome_with(kp_span name, double argument) {
    double known[MOST_REFERENCES], size = 0;
    int count = 0;
    const char *end = name.at + name.size;
    for (const char *at = name.at; at < end; at++) {
        char tag = *at;
        int number = tag == 'S' || tag == 'T' ? back_reference(&at, end) : -1;
        if (number >= MOST_REFERENCES) number = MOST_REFERENCES - 1; /* or a part of an identifier */
        for (; tag == 'S' && count <= number; count++) known[count] = size;
        size += number < 0 ? 1 : tag == 'T' ? argument : known[number];
    }
    return size;
}

/* An upper bound of how long the demangled name may be, but for a factor that abbreviations make up. The
 * runtime writes out every reference, and a name of a few bytes can go on until memory is out. */
static double longest_outcome(kp_span name) { return outcome_with(name, outcome_with(name, 1)); }

int kp_demangle_cpp(kp_span name, kp_text_buffer *out) {
    if (!kp_starts(name, "_Z") || name.size > LONGEST_CPP) return 0;
    pthread_once(&once, find_demangler);
    /* What the compiler appends to clones of a function (".cold") is no part of the name. */
    const char *dot = memchr(name.at, '.', name.size);
    if (dot) name.size = (size_t)(dot - name.at);
    if (!demangler || longest_outcome(name) > MOST_OUTCOME) return 0;
    char text[LONGEST_CPP + 1];
    memcpy(text, name.at, name.size);
    text[name.size] = 0;
    int status;
    char *made = demangler(text, NULL, NULL, &status);
    if (!made) return 0;
    kp_put_text(out, made);
    free(made);
    return 1;
}

kp_language kp_demangle(kp_span name, kp_text_buffer *out) {
    static int (*const rust[])(kp_span, kp_text_buffer *) = {kp_demangle_rust_legacy, kp_demangle_rust};
    for (size_t i = 0; i < 2; i++) {
        out->size = 0;
        out->failed = 0;
        if (rust[i](name, out) && !out->failed) return KP_RUST;
    }
    out->size = 0;
    out->failed = 0;
    return kp_demangle_cpp(name, out) && !out->failed ? KP_CPP : KP_NOT_MANGLED;
}

/* As in "f(int) const::{lambda()#1}": it belongs to what stands before it. */
static int is_qualifier(kp_span rest) {
    size_t size = kp_starts(rest, "const") ? 5 : kp_starts(rest, "volatile") ? 8 : 0;
    return kp_starts(rest, "&") || (size && (rest.size == size || !kp_is_word(rest.at[size])));
}

/* "void f<int>" -> "f<int>"; "A::operator unsigned long" and "(anonymous namespace)::f" stay. */
kp_span kp_without_return_type(kp_span name) {
    const char *start = name.at, *end = name.at + name.size;
    int depth = 0;
    for (const char *at = name.at; at < end; at++) {
        if (*at == 'o' && kp_starts(kp_between(at, end), "operator") && (at == name.at || !kp_is_word(at[-1])) &&
            (end - at == 8 || !kp_is_word(at[8])) && !depth)
            break; /* behind it, anything may follow */
        int arrow = *at == '>' && at > name.at && at[-1] == '-';
        if (*at == '<' || *at == '(' || *at == '{' || *at == '[') depth++;
        if ((*at == '>' || *at == ')' || *at == '}' || *at == ']') && depth && !arrow) depth--;
        if (*at == ' ' && !depth && at + 1 < end && at[1] != '[' && !is_qualifier(kp_between(at + 1, end)))
            start = at + 1;
    }
    return kp_between(start, end);
}
