/* Where a stack line names its module, and what kind of code that is. */
#include "text_state.h"

static int is_kernel_object(kp_span name) {
    return kp_ends(name, ".ko") || kp_ends(name, ".ko.gz") || kp_ends(name, ".ko.xz") || kp_ends(name, ".ko.zst");
}

uint32_t kp_module_kind(kp_span module) {
    kp_span name = kp_basename(module);
    if (!module.size || kp_equal(module, "[unknown]")) return KP_UNKNOWN;
    if (kp_equal(module, "inlined")) return KP_INLINED;
    if (kp_starts(module, "[kernel") || kp_starts(module, "[guest.kernel") || kp_starts(name, "vmlinux") ||
        kp_starts(module, "bpf_prog_") || kp_starts(module, "bpf_trampoline_"))
        return KP_KERNEL;
    if (kp_starts(module, "[vdso") || kp_starts(module, "[vsyscall")) return KP_VDSO;
    if (kp_starts(module, "[JIT]") || kp_starts(module, "//anon") || kp_starts(module, "[anon") ||
        (kp_starts(name, "perf-") && kp_ends(name, ".map")) || (kp_starts(name, "jitted-") && kp_ends(name, ".so")))
        return KP_JIT;
    if (kp_starts(module, "[heap]") || kp_starts(module, "[stack")) return KP_USER;
    if (*module.at == '[' || is_kernel_object(name)) return KP_MODULE;
    return KP_USER;
}

kp_span kp_without_offset(kp_span name) {
    const char *at = name.at + name.size;
    while (at > name.at && kp_is_lower_hex(at[-1])) at--;
    if (at == name.at + name.size || at - name.at < 4 || memcmp(at - 3, "+0x", 3)) return name;
    return kp_between(name.at, at - 3);
}

/* Where the bracket opens that holds a path or a name in square brackets. It is the last one, for a
 * name may hold such brackets too; but what follows an offset is the module, whatever its path holds. */
static const char *path_bracket(kp_span line) {
    const char *end = line.at + line.size, *last = NULL;
    for (const char *at = end; at-- > line.at;) {
        if (end - at < 3 || at[0] != ' ' || at[1] != '(' || (at[2] != '/' && at[2] != '[')) continue;
        kp_span name = kp_between(line.at, at);
        if (kp_without_offset(name).size < name.size || kp_ends(name, " [unknown]")) return at + 1;
        if (!last) last = at + 1;
    }
    return last;
}

const char *kp_module_bracket(kp_span line) {
    const char *path = path_bracket(line);
    if (path) return path;
    int depth = 0, matched = 0;
    for (const char *at = line.at + line.size; at-- > line.at;) {
        depth += *at == ')' ? 1 : *at == '(' ? -1 : 0;
        if (*at != '(' || depth > 0) continue;
        if ((depth < 0 || !matched) && at > line.at && kp_is_space(at[-1])) return at;
        matched = 1;
    }
    return NULL;
}
