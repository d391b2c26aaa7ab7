/* Names without argument lists. */
#include "chars.h"
#include "text.h"

/* "operator()" and "operator<" hold brackets that open nothing: the length of such a token at `at`,
 * 0 if there is none. */
static size_t operator_size(const char *at, const char *start, const char *end) {
    static const char *const signs[] = {"()", "<<=", ">>=", "<=>", "->*", "->", "<<", ">>", "<=", ">=", "<", ">"};
    kp_span rest = kp_between(at, end);
    if (!kp_starts(rest, "operator") || (at > start && kp_is_word(at[-1]))) return 0;
    rest = kp_between(at + 8, end);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (kp_starts(rest, signs[i])) return 8 + strlen(signs[i]);
    return 0;
}

/* The bracket that closes the one at `at`, or NULL. */
static const char *closing(const char *at, const char *end) {
    int depth = 0;
    for (; at < end; at++) {
        depth += *at == '(' ? 1 : *at == ')' ? -1 : 0;
        if (!depth) return at;
    }
    return NULL;
}

/* An argument list follows a name directly: not "(anonymous namespace)", not the receiver in Go's
 * "net.(*Conn).Read", not "decltype (x)". */
static int is_argument_list(const char *at, const char *start, const char *end) {
    if (kp_starts(kp_between(at, end), "(anonymous namespace)") || kp_starts(kp_between(at, end), "(anonymous class)"))
        return 0;
    return at > start && at[-1] != '.' && at[-1] != ' ' && at[-1] != '(';
}

/* What may follow an argument list without being a part of the name. */
static const char *skip_qualifiers(const char *at, const char *end) {
    static const char *const words[] = {" const", " volatile", " &&", " &"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!kp_starts(kp_between(at, end), words[i])) continue;
        at += strlen(words[i]);
        i = (size_t)-1;
    }
    return at;
}

/* Python's functions have no argument list but a file behind them, and a regular expression has no end. */
static int has_no_arguments(kp_span name) { return kp_starts(name, "py::") || kp_starts(name, "RegExp:"); }

size_t kp_short_name(kp_span name, char *to) {
    const char *at = name.at, *end = name.at + name.size;
    if (has_no_arguments(name)) {
        memcpy(to, name.at, name.size);
        return name.size;
    }
    char *out = to;
    int depth = 0; /* of <>, {} and []: argument lists within are a part of the name */
    while (at < end) {
        size_t sign = *at == 'o' ? operator_size(at, name.at, end) : 0;
        if (sign) {
            memcpy(out, at, sign);
            out += sign;
            at += sign;
            continue;
        }
        if (*at == '(' && !depth && is_argument_list(at, name.at, end)) {
            const char *close = closing(at, end);
            /* Behind Java's "(I)V" or "([B)[B" stands a return type. */
            if (!close || (close + 1 < end && (kp_is_word(close[1]) || close[1] == '['))) break;
            at = skip_qualifiers(close + 1, end);
            continue;
        }
        if (*at == '<' || *at == '{' || *at == '[') depth++;
        int arrow = *at == '>' && at > name.at && at[-1] == '-';
        if ((*at == '>' || *at == '}' || *at == ']') && depth && !arrow) depth--;
        *out++ = *at++;
    }
    return (size_t)(out - to);
}
