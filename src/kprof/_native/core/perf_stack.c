/* Call chains -> stacks. A chain that an address space has shown before is not looked at again. */
#include <elf.h>
#include <stdlib.h>

#include "perf_state.h"

enum { CHAIN_HEAD = 3 };

static int push(kp_perf *p, const kp_thread *thread, uint64_t address, unsigned mode, int is_return) {
    if (p->frame_count >= KP_MAX_FRAMES) {
        p->cut = 1;
        return 0;
    }
    int32_t place = kp_place_of(p, thread->space, address, mode, is_return && !p->options.compat);
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
static int push_branches(kp_perf *p, const kp_thread *thread, const kp_sample *s, size_t at) {
    uint64_t leaf = kp_word(p, s->branches + 8);
    uint64_t first = at < s->chain_length ? kp_word(p, s->chain + at * 8) : KP_CONTEXT_MAX;
    if ((s->misc & KP_MODE_MASK) == KP_MODE_USER) first = s->ip;
    if (first < KP_CONTEXT_MAX && !p->options.compat) leaf = first;
    if (push(p, thread, leaf, KP_MODE_USER, 0)) return -1;
    for (size_t i = 0; i < s->branch_count; i++) {
        const uint8_t *entry = s->branches + i * 24;
        if (push(p, thread, kp_word(p, entry), KP_MODE_USER, 0)) return -1;
    }
    return 0;
}

static int push_chain(kp_perf *p, const kp_thread *thread, const kp_sample *s) {
    unsigned mode = KP_MODE_USER;
    size_t addresses = 0;
    int innermost = 1;
    for (size_t i = 0; i < s->chain_length; i++) {
        uint64_t value = kp_word(p, s->chain + i * 8);
        if (value < KP_CONTEXT_MAX) {
            if (p->options.compat && p->frame_count >= KP_PERF_SCRIPT_DEPTH) break;
            if (push(p, thread, value, mode, !innermost)) return -1;
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
        if (mode == KP_MODE_USER && s->branches) return push_branches(p, thread, s, i + 1);
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

static int chains_ready(kp_chains *chains) {
    if (chains->used * 2 < chains->slot_count) return 0;
    size_t count = chains->slot_count ? chains->slot_count * 2 : 4096;
    kp_chain *slots = calloc(count, sizeof *slots);
    if (!slots) return -1;
    for (size_t i = 0; i < chains->slot_count; i++) {
        if (!chains->slots[i].at) continue;
        size_t slot = (size_t)chains->slots[i].hash & (count - 1);
        while (slots[slot].at) slot = (slot + 1) & (count - 1);
        slots[slot] = chains->slots[i];
    }
    free(chains->slots);
    chains->slots = slots;
    chains->slot_count = count;
    return 0;
}

/* The slot of a chain, free if it is new. All that its meaning depends on is part of the key. */
static kp_chain *find_chain(kp_perf *p, const kp_thread *thread, const kp_sample *s, uint64_t hash) {
    kp_chains *chains = &p->chains;
    uint64_t version = thread->space->regions->version;
    for (size_t slot = (size_t)hash;; slot++) {
        kp_chain *chain = &chains->slots[slot & (chains->slot_count - 1)];
        if (!chain->at) return chain;
        if (chain->hash != hash) continue;
        const uint64_t *words = chains->words + chain->at - 1;
        if (words[0] == version && words[1] == p->kernel.version && words[2] == s->chain_length &&
            !memcmp(words + CHAIN_HEAD, s->chain, s->chain_length * 8))
            return chain;
    }
}

static int keep_chain(kp_perf *p, const kp_thread *thread, const kp_sample *s, kp_chain *free_slot, kp_chain chain) {
    kp_chains *chains = &p->chains;
    if (KP_RESERVE(chains->words, chains->words_room, chains->word_count, CHAIN_HEAD + s->chain_length)) return -1;
    uint64_t *words = chains->words + chains->word_count;
    words[0] = thread->space->regions->version;
    words[1] = p->kernel.version;
    words[2] = s->chain_length;
    memcpy(words + CHAIN_HEAD, s->chain, s->chain_length * 8);
    chain.at = chains->word_count + 1;
    chains->word_count += CHAIN_HEAD + s->chain_length;
    chains->used++;
    *free_slot = chain;
    return 0;
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

static int resolve_single(kp_perf *p, const kp_thread *thread, const kp_sample *s, int32_t *stack) {
    int has_chain = (p->events[s->event].sample_type & KP_SAMPLE_CALLCHAIN) != 0;
    if (has_chain && p->options.compat) {
        *stack = -1;
        return KP_PERF_OK;
    }
    return push(p, thread, s->ip, s->misc & KP_MODE_MASK, 0) ? KP_PERF_NO_MEMORY : finish(p, stack);
}

/* Copies of stacks are of use only where registers and calling conventions are known. */
static int is_unwound(const kp_perf *p, const kp_sample *s) {
    return p->machine == EM_X86_64 || p->machine == EM_386 || (p->machine == EM_AARCH64 && s->abi != KP_ABI_32);
}

int kp_resolve(kp_perf *p, kp_thread *thread, const kp_sample *s, int32_t *stack, kp_chain **chain) {
    int has_dump = s->abi && s->stack_size;
    p->frame_count = 0;
    p->cut = has_dump;
    *chain = NULL;
    if (has_dump && is_unwound(p, s)) {
        p->cut = 0;
        return kp_push_dump(p, thread, s) ? KP_PERF_NO_MEMORY : finish(p, stack);
    }
    if (!s->chain_length) return resolve_single(p, thread, s, stack);
    if (s->branches || has_dump) return push_chain(p, thread, s) ? KP_PERF_NO_MEMORY : finish(p, stack);
    if (chains_ready(&p->chains)) return KP_PERF_NO_MEMORY;
    uint64_t seed = kp_mix64(thread->space->regions->version, p->kernel.version);
    uint64_t hash = kp_hash(s->chain, s->chain_length * 8, seed);
    kp_chain *known = find_chain(p, thread, s, hash);
    *chain = known;
    if (known->at) {
        *stack = known->stack;
        return KP_PERF_OK;
    }
    if (push_chain(p, thread, s)) return KP_PERF_NO_MEMORY;
    int status = finish(p, stack);
    if (status) return status;
    return keep_chain(p, thread, s, known, (kp_chain){hash, 0, *stack, -1}) ? KP_PERF_NO_MEMORY : KP_PERF_OK;
}
