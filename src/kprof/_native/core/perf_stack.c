/* Call chains -> stacks. A chain that an address space has shown before is not looked at again. */
#include <elf.h>
#include <stdlib.h>

#include "perf_state.h"

static int push(kp_perf *p, const kp_space *space, uint64_t address, unsigned mode, int is_return) {
    if (p->frame_count >= KP_MAX_FRAMES) {
        p->cut = 1;
        return 0;
    }
    int32_t place = kp_place_of(p, space, address, mode, is_return && !p->options.compat);
    if (place < 0) return -1;
    p->frames[p->frame_count++] = place;
    return 0;
}

static unsigned mode_of(uint64_t context) {
    switch (context) {
    case KP_CONTEXT_HYPERVISOR: return KP_MODE_HYPERVISOR;
    case KP_CONTEXT_KERNEL: return KP_MODE_KERNEL;
    case KP_CONTEXT_USER: return KP_MODE_USER;
    case KP_CONTEXT_GUEST_KERNEL: return KP_MODE_GUEST_KERNEL;
    case KP_CONTEXT_GUEST:
    case KP_CONTEXT_GUEST_USER: return KP_MODE_GUEST_USER;
    default: return KP_MODE_UNKNOWN;
    }
}

/* Entries of the last branches as callers: each where it came from. The leaf is the sample's address or, if that
 * is the kernel's, what the user's part of the chain begins with at `at`. perf takes where the newest branch led
 * to: always the start of a function, and not the one that ran if a stub of a PLT jumped on. */
static int push_branches(kp_perf *p, const kp_space *space, const kp_sample *s, size_t at) {
    uint64_t leaf = kp_word(p, s->branches + 8);
    uint64_t first = at < s->chain_length ? kp_word(p, s->chain + at * 8) : KP_CONTEXT_MAX;
    if ((s->misc & KP_MODE_MASK) == KP_MODE_USER) first = s->ip;
    if (first < KP_CONTEXT_MAX && !p->options.compat) leaf = first;
    if (push(p, space, leaf, KP_MODE_USER, 0)) return -1;
    for (size_t i = 0; i < s->branch_count; i++) {
        const uint8_t *entry = s->branches + i * 24;
        if (push(p, space, kp_word(p, entry), KP_MODE_USER, 0)) return -1;
    }
    return 0;
}

static int push_chain(kp_perf *p, const kp_space *space, const kp_sample *s) {
    unsigned mode = KP_MODE_USER;
    size_t addresses = 0;
    int innermost = 1;
    for (size_t i = 0; i < s->chain_length; i++) {
        uint64_t value = kp_word(p, s->chain + i * 8);
        if (value < KP_CONTEXT_MAX) {
            if (p->options.compat && p->frame_count >= KP_PERF_SCRIPT_DEPTH) break;
            if (push(p, space, value, mode, !innermost)) return -1;
            innermost = 0;
            addresses++;
            continue;
        }
        if (value == KP_CONTEXT_USER_DEFERRED) {
            p->counts.deferred++;
            p->cut = 1;
            break;
        }
        mode = mode_of(value);
        innermost = 1;
        if (mode == KP_MODE_USER && s->branches) return push_branches(p, space, s, i + 1);
        if (mode != KP_MODE_UNKNOWN) continue;
        p->counts.broken_chains++;
        p->cut = 1;
        if (p->options.compat) p->frame_count = 0;
        break;
    }
    uint32_t most = p->events[s->event].max_stack;
    if (addresses >= (most ? most : KP_PERF_SCRIPT_DEPTH)) p->cut = 1;
    return 0;
}

int kp_chains_ready(kp_chains *chains) {
    if ((chains->used + KP_BATCH) * 2 < chains->slot_count) return 0;
    size_t count = chains->slot_count ? chains->slot_count * 2 : 4096;
    kp_chain *slots = kp_table_memory(count, sizeof *slots);
    if (!slots) return -1;
    for (size_t i = 0; i < chains->slot_count; i++) {
        if (!chains->slots[i].high) continue;
        size_t slot = (size_t)chains->slots[i].low & (count - 1);
        while (slots[slot].high) slot = (slot + 1) & (count - 1);
        slots[slot] = chains->slots[i];
    }
    free(chains->slots);
    chains->slots = slots;
    chains->slot_count = count;
    return 0;
}

static int has_copy(const kp_sample *s) { return s->abi && s->stack_size; }

/* What comes before the callers: the mode, and the leaf. */
enum { LEAF_WORDS = 2 };

/* Whether the chain without its leaf is a chain of return addresses in the leaf's mode. */
static int has_rest(const kp_perf *p, const kp_sample *s) {
    if (s->chain_length <= LEAF_WORDS || p->options.compat) return 0;
    if (kp_word(p, s->chain) < KP_CONTEXT_MAX) return 0;
    return kp_word(p, s->chain + 8) < KP_CONTEXT_MAX && kp_word(p, s->chain + 16) < KP_CONTEXT_MAX;
}

void kp_prepare_stack(kp_perf *p, kp_pending *w) {
    const kp_sample *s = &w->sample;
    w->by_chain = s->chain_length && !s->branches && !has_copy(s);
    if (!w->by_chain) return;
    uint64_t seed = kp_mix64(w->space->regions->version, p->kernel.version);
    seed = kp_mix64(seed, p->events[s->event].max_stack);
    size_t before = s->chain_length < LEAF_WORDS ? s->chain_length : LEAF_WORDS;
    uint64_t leaf[LEAF_WORDS] = {0};
    memcpy(leaf, s->chain, before * 8);
    w->rest = kp_hash_wide(s->chain + before * 8, (s->chain_length - before) * 8, seed);
    w->hash = kp_hash_more(w->rest, leaf[0], leaf[1]);
    w->hash.high |= 1;
    w->rest.low += kp_mix64(leaf[0], before);
    w->rest.high = has_rest(p, s) ? w->rest.high | 1 : 0;
    kp_chain_fetch(&p->chains, w->hash);
}

static int finish(kp_perf *p, int32_t *stack) {
    if (p->cut && !p->options.compat) {
        int32_t mark = kp_special_place(p, "[truncated]");
        if (mark < 0) return KP_PERF_NO_MEMORY;
        p->frames[p->frame_count++] = mark;
    }
    *stack = kp_stack_of(p);
    return *stack == -2 ? KP_PERF_NO_MEMORY : KP_PERF_OK;
}

static int resolve_single(kp_perf *p, const kp_space *space, const kp_sample *s, int32_t *stack) {
    int has_chain = (p->events[s->event].sample_type & KP_SAMPLE_CALLCHAIN) != 0;
    if (has_chain && p->options.compat) {
        *stack = -1;
        return KP_PERF_OK;
    }
    return push(p, space, s->ip, s->misc & KP_MODE_MASK, 0) ? KP_PERF_NO_MEMORY : finish(p, stack);
}

/* Copies of stacks are of use only where registers and calling conventions are known. */
static int is_unwound(const kp_perf *p, const kp_sample *s) {
    return p->machine == EM_X86_64 || p->machine == EM_386 || (p->machine == EM_AARCH64 && s->abi != KP_ABI_32);
}

void kp_fetch_chain(const kp_perf *p, const kp_pending *w) {
    if (!w->by_chain) return;
    const kp_chain *known = kp_chain_slot(&p->chains, w->hash);
    if (known->high || !w->rest.high) return;
    const uint8_t *chain = w->sample.chain;
    kp_chain_fetch(&p->rests, w->rest);
    kp_place_fetch(p, w->space, kp_word(p, chain + 8), mode_of(kp_word(p, chain)));
}

/* What was met before of a chain's callers, with another leaf; NULL if nothing was. */
static const kp_chain *rest_of(const kp_perf *p, const kp_pending *w) {
    if (!w->rest.high || !p->rests.slots) return NULL;
    const kp_chain *rest = kp_chain_slot(&p->rests, w->rest);
    return rest->high ? rest : NULL;
}

static int32_t leaf_place(kp_perf *p, const kp_pending *w) {
    const uint8_t *chain = w->sample.chain;
    return kp_place_of(p, w->space, kp_word(p, chain + 8), mode_of(kp_word(p, chain)), 0);
}

void kp_fetch_callers(kp_perf *p, const kp_pending *w) {
    if (!w->by_chain || kp_chain_slot(&p->chains, w->hash)->high) return;
    const kp_chain *rest = rest_of(p, w);
    int32_t place = rest ? leaf_place(p, w) : -1;
    if (place >= 0) kp_stack_fetch(p, rest->stack, place);
}

/* Stack of a chain whose callers were met before, with another leaf; -1 if they were not. */
static int32_t known_rest(kp_perf *p, const kp_pending *w) {
    const kp_chain *rest = rest_of(p, w);
    if (!rest) return -1;
    int32_t place = leaf_place(p, w);
    return place < 0 ? -2 : kp_stack_on(p, rest->stack, place);
}

static int keep_rest(kp_perf *p, const kp_pending *w, int32_t stack) {
    if (!w->rest.high || stack < 0 || p->nodes[stack].parent < 0) return 0;
    if (kp_chains_ready(&p->rests)) return -1;
    *kp_chain_slot(&p->rests, w->rest) = (kp_chain){w->rest.low, (uint32_t)w->rest.high, p->nodes[stack].parent};
    p->rests.used++;
    return 0;
}

static int resolve_chain(kp_perf *p, kp_pending *w, int32_t *stack) {
    kp_chain *known = kp_chain_slot(&p->chains, w->hash);
    if (known->high) {
        *stack = known->stack;
        return KP_PERF_OK;
    }
    *stack = known_rest(p, w);
    if (*stack == -2) return KP_PERF_NO_MEMORY;
    if (*stack < 0) {
        uint64_t odd = p->counts.broken_chains + p->counts.deferred;
        if (push_chain(p, w->space, &w->sample)) return KP_PERF_NO_MEMORY;
        int whole = p->frame_count < KP_MAX_FRAMES && odd == p->counts.broken_chains + p->counts.deferred;
        int status = finish(p, stack);
        if (status) return status;
        if (whole && keep_rest(p, w, *stack)) return KP_PERF_NO_MEMORY;
    }
    *known = (kp_chain){w->hash.low, (uint32_t)w->hash.high, *stack};
    p->chains.used++;
    return KP_PERF_OK;
}

int kp_resolve(kp_perf *p, kp_pending *w, int32_t *stack) {
    const kp_sample *s = &w->sample;
    p->frame_count = 0;
    p->cut = 0;
    if (w->by_chain) return resolve_chain(p, w, stack);
    if (has_copy(s) && is_unwound(p, s)) return kp_push_dump(p, w->space, s) ? KP_PERF_NO_MEMORY : finish(p, stack);
    p->cut = has_copy(s);
    if (!s->chain_length) return resolve_single(p, w->space, s, stack);
    return push_chain(p, w->space, s) ? KP_PERF_NO_MEMORY : finish(p, stack);
}
