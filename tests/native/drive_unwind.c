/* Drives the unwinder alone, for sanitizers: tables whole and with bytes changed and cut, asked for rows in and
 * beside their code; stacks of chance, of return addresses and of pointers into themselves.
 *
 * A file is a head, struct given, and the sections behind it. Usage: drive_unwind ROUNDS FILE... */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/cfi_row.h"
#include "core/unwind.h"

enum { STACK = 4096, ROOM = 200, BASE = 0x7f0000 };

/* As the test writes it. */
struct given {
    uint32_t machine, swap, sizes[3], unused; /* of .eh_frame, .eh_frame_hdr, .debug_frame */
    uint64_t addresses[3];
    kp_cfi_segment segment;
};

static uint64_t state = 88172645463325252u;
static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static int find(void *context, uint64_t address, kp_unwind_map *map) {
    const kp_unwind_map *all = context;
    for (int i = 0; i < 2; i++) {
        *map = all[i];
        if (address >= map->start && address < map->end) return 0;
    }
    return -1;
}

static uint64_t any_value(const kp_unwind_map *map, uint64_t stack) {
    switch (draw() % 6) {
    case 0: return draw() >> (draw() & 63);
    case 1: return stack + draw() % STACK;
    case 2: return (stack + draw() % STACK) & ~(uint64_t)7;
    case 3: return map[1].start + draw() % (map[1].end - map[1].start);
    default: return map[0].start + draw() % (map[0].end - map[0].start);
    }
}

static void walk(kp_cfi *cfi, const struct given *given) {
    kp_unwind_map maps[2] = {{BASE, BASE + 1 + (given->segment.size & 0xffffffff), given->segment.offset, cfi},
                             {0x10000, 0x20000, 0, NULL}};
    uint64_t at = draw() & 15 ? 0x7ffff0000000 + (draw() & 0xfff8) : draw() >> (draw() & 63);
    uint64_t registers[33];
    size_t size = draw() & 3 ? STACK : draw() % STACK;
    uint8_t *stack = malloc(size ? size : 1);
    for (size_t i = 0; i + 8 <= size; i += 8) {
        uint64_t value = any_value(maps, at);
        memcpy(stack + i, &value, 8);
    }
    for (size_t i = 0; i < 33; i++) registers[i] = any_value(maps, at);
    registers[7] = registers[31] = at;
    registers[8] = registers[32] = any_value(maps, at);
    kp_unwind_input in = {(int)given->machine, given->swap & 1, ((uint64_t)1 << 33) - 1, (const uint8_t *)registers,
                          (draw() & 15) == 0, stack, size, find, maps, (draw() & 7) == 0};
    if (in.machine == EM_386) in.machine = EM_X86_64, in.is_32bit = 1;
    if (!(draw() & 15)) in.registers_mask &= draw();
    kp_unwind_frame frames[ROOM];
    kp_unwind_end end = KP_UNWIND_FULL;
    kp_unwinder *unwinder = kp_unwinder_new();
    size_t room = draw() & 7 ? ROOM : draw() % 4, count = kp_unwind(unwinder, &in, frames, room, &end);
    if (count > room || end > KP_UNWIND_FULL || (end == KP_UNWIND_FULL && count != room)) abort();
    kp_unwinder_free(unwinder);
    free(stack);
}

/* Exact allocations, so that the sanitizer sees every byte read past the end. */
static kp_cfi_section section_of(const uint8_t **at, const uint8_t *end, size_t size, uint64_t address) {
    if (size > (size_t)(end - *at)) size = (size_t)(end - *at);
    uint8_t *copy = size ? malloc(size) : NULL;
    if (size) memcpy(copy, *at, size);
    *at += size;
    return (kp_cfi_section){copy, size, address};
}

static void one_input(const uint8_t *bytes, size_t size, size_t looks) {
    struct given given;
    const uint8_t *at = bytes + sizeof given, *end = bytes + size;
    if (size < sizeof given) return;
    memcpy(&given, bytes, sizeof given);
    kp_cfi_image image = {.machine = (int)given.machine, .swap = given.swap & 1, .segments = &given.segment,
                          .segment_count = 1};
    kp_cfi_section *sections[] = {&image.eh_frame, &image.eh_frame_hdr, &image.debug_frame};
    for (size_t i = 0; i < 3; i++) *sections[i] = section_of(&at, end, given.sizes[i], given.addresses[i]);
    kp_cfi *cfi = kp_cfi_new(&image);
    for (size_t i = 0; i < looks; i++) {
        uint64_t address = given.segment.address + draw() % (given.segment.size ? given.segment.size : 1);
        const kp_cfi_row *row = kp_cfi_row_at(cfi, draw() & 31 ? address : draw());
        if (row && row->count > KP_CFI_REGISTERS) abort();
        walk(cfi, &given);
    }
    kp_cfi_free(cfi);
    for (size_t i = 0; i < 3; i++) free((void *)sections[i]->at);
}

#ifdef KP_FUZZ
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    state = 88172645463325252u;
    one_input(bytes, size, 40);
    return 0;
}
#else
static void damage(uint8_t *bytes, size_t *size) {
    size_t head = draw() & 7 ? sizeof(struct given) : 0;
    for (uint64_t n = draw() % 200; n && *size > head; n--) {
        size_t at = head + draw() % (*size - head);
        bytes[at] = draw() & 1 ? (uint8_t)draw() : bytes[head + draw() % (*size - head)];
    }
    if (!(draw() & 7)) *size = draw() % (*size + 1);
}

int main(int argc, char **argv) {
    int rounds = argc > 1 ? atoi(argv[1]) : 0;
    for (int i = 2; i < argc; i++) {
        FILE *file = fopen(argv[i], "rb");
        if (!file) return 2;
        static uint8_t bytes[1 << 22], copy[1 << 22];
        size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        one_input(bytes, size, 5000);
        for (int round = 0; round < rounds; round++) {
            size_t part = size;
            memcpy(copy, bytes, size);
            damage(copy, &part);
            one_input(copy, part, 50);
        }
    }
    return 0;
}
#endif
