/* Records that say what lies where: MMAP, MMAP2, KSYMBOL. */
#include <stdio.h>

#include "perf_state.h"

static int starts(kp_span text, const char *with) {
    size_t size = strlen(with);
    return text.size >= size && !memcmp(text.at, with, size);
}

int32_t kp_mapping_of(kp_perf *p, kp_span path, kp_perf_mapping mapping, uint64_t identity) {
    int fresh;
    int64_t number = kp_strings_add(&p->paths, path, (uint32_t)(identity ^ identity >> 32), &fresh);
    if (number < 0 || KP_RESERVE(p->mappings, p->mapping_room, p->mapping_count, 1)) return -1;
    if (fresh) p->mappings[p->mapping_count++] = mapping;
    return (int32_t)number;
}

typedef struct {
    int32_t pid, tid;
    uint64_t start, size, offset, identity;
    uint32_t protection;
    kp_span path;
    kp_perf_mapping mapping;
} mmap_record;

/* The file of an MMAP2 record: the length of its build-id, padding, and the id itself; or device and inode.
 * Linux does not clear the flag that tells them apart before it writes the same record for the next event (seen
 * with 6.18, kernel/events/core.c): while somebody else records with build-ids, all records have it. So where no
 * event of this recording asked for build-ids, only their usual lengths are believed: perf may have put them in
 * later, and a device's number has other values. */
static void read_file(const kp_perf *p, kp_cursor *c, kp_head head, mmap_record *m) {
    const uint8_t *file = kp_take(c, 24);
    if (!file) return;
    uint8_t size = file[0];
    int is_usual = p->asks_build_ids ? size <= 20 : size == 16 || size == 20;
    if (!(head.misc & KP_MISC_MMAP_BUILD_ID) || !is_usual || file[1] || file[2] || file[3]) {
        m->identity = kp_hash(file, 24, 6);
        return;
    }
    memcpy(m->mapping.build_id, file + 4, size);
    m->mapping.build_id_size = size;
    m->identity = kp_hash(file + 4, size, 5);
}

static int read_mmap(const kp_perf *p, kp_cursor c, kp_head head, mmap_record *m) {
    *m = (mmap_record){.protection = KP_PROT_EXEC};
    m->pid = (int32_t)kp_u32(&c);
    m->tid = (int32_t)kp_u32(&c);
    m->start = kp_u64(&c);
    m->size = kp_u64(&c);
    m->offset = kp_u64(&c);
    if (head.type == KP_RECORD_MMAP2) {
        read_file(p, &c, head, m);
        m->protection = kp_u32(&c);
        kp_skip(&c, 4);
    }
    m->path.at = kp_text_z(&c, &m->path.size);
    return c.failed || m->start + m->size < m->start ? -1 : 0;
}

static int on_kernel_mmap(kp_perf *p, mmap_record *m) {
    int kernel = starts(m->path, "[kernel.kallsyms]") || starts(m->path, "[guest.kernel");
    m->mapping.kind = kernel ? KP_MAPPING_KERNEL : KP_MAPPING_MODULE;
    m->mapping.pid = -1;
    if (kernel) m->path = (kp_span){"[kernel.kallsyms]", 17};
    int32_t mapping = kp_mapping_of(p, m->path, m->mapping, 0);
    if (mapping < 0) return KP_PERF_NO_MEMORY;
    if (kernel) p->whole_kernel = mapping;
    return kp_map_kernel(p, (kp_region){m->start, m->start + m->size, m->start, mapping});
}

/* Code without a file, as perf sees it: its names are in the map that a JIT compiler may write. */
static int is_anonymous(kp_span path) {
    static const char *const starts_with[] = {"//anon", "/dev/zero", "/anon_hugepage", "[stack", "/SYSV", "[heap]"};
    for (size_t i = 0; i < sizeof starts_with / sizeof *starts_with; i++)
        if (starts(path, starts_with[i])) return 1;
    return 0;
}

int kp_on_mmap(kp_perf *p, kp_cursor c, kp_head head) {
    mmap_record m;
    if (read_mmap(p, c, head, &m)) {
        p->counts.bad_records++;
        return KP_PERF_OK;
    }
    unsigned mode = head.misc & KP_MODE_MASK;
    if (mode == KP_MODE_KERNEL) return on_kernel_mmap(p, &m);
    if (mode != KP_MODE_USER && mode != KP_MODE_UNKNOWN) {
        p->counts.guest++;
        return KP_PERF_OK;
    }
    kp_thread *thread = kp_thread_of(p, m.pid, m.tid);
    if (!thread) return KP_PERF_NO_MEMORY;
    char name[32];
    m.mapping.pid = m.pid;
    m.mapping.kind = KP_MAPPING_FILE;
    if (is_anonymous(m.path)) {
        m.mapping.kind = m.protection & KP_PROT_EXEC ? KP_MAPPING_JIT : KP_MAPPING_OTHER;
        if (m.mapping.kind == KP_MAPPING_JIT) {
            m.path = (kp_span){name, (size_t)snprintf(name, sizeof name, "/tmp/perf-%d.map", m.pid)};
            m.identity = 0;
        }
        m.offset = m.start;
    } else if (m.path.size == 6 && starts(m.path, "[vdso]")) {
        m.mapping.kind = KP_MAPPING_VDSO;
        m.offset = m.identity = 0;
    }
    int32_t mapping = kp_mapping_of(p, m.path, m.mapping, m.identity);
    if (mapping < 0) return KP_PERF_NO_MEMORY;
    return kp_map(p, thread->space, (kp_region){m.start, m.start + m.size, m.offset, mapping});
}

/* struct perf_record_ksymbol: a BPF program, a trampoline, that came or went. */
int kp_on_ksymbol(kp_perf *p, kp_cursor c) {
    uint64_t start = kp_u64(&c);
    uint32_t size = kp_u32(&c);
    kp_u16(&c);
    uint16_t flags = kp_u16(&c);
    kp_span name;
    name.at = kp_text_z(&c, &name.size);
    if (c.failed || flags & 1) return KP_PERF_OK;
    int64_t number = kp_strings_add(&p->names, name, 0, NULL);
    if (number < 0 || KP_RESERVE(p->symbols, p->symbol_room, p->symbol_count, 1)) return KP_PERF_NO_MEMORY;
    size_t at = p->symbol_count++;
    for (; at && p->symbols[at - 1].start > start; at--) p->symbols[at] = p->symbols[at - 1];
    p->symbols[at] = (kp_kernel_symbol){start, start + size, (int32_t)number};
    p->kernel.version = ++p->versions;
    return KP_PERF_OK;
}
