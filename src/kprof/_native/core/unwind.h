/* A copy of the top of a stack and the registers -> the return addresses, leaf first. */
#ifndef KP_UNWIND_H
#define KP_UNWIND_H

#include "cfi.h"

/* What is mapped from `start` to `end`; `cfi` is NULL if nothing is known of the file. */
typedef struct {
    uint64_t start, end, file_offset;
    kp_cfi *cfi;
} kp_unwind_map;

/* Look up an address: 0, or -1 if nothing is mapped there. */
typedef int (*kp_unwind_find)(void *context, uint64_t address, kp_unwind_map *map);

typedef struct {
    int machine, swap;        /* EM_ number of the kernel; byte order as in kp_cfi_image */
    uint64_t registers_mask;  /* as in perf_event_attr.sample_regs_user */
    const uint8_t *registers; /* 8 bytes for each bit of the mask */
    int is_32bit;
    const uint8_t *stack; /* from the stack pointer upwards */
    size_t stack_size;
    kp_unwind_find find;
    void *context;
    int as_libunwind; /* guess as little as libunwind 1.6 within perf does, and doubt no return address */
} kp_unwind_input;

typedef enum {
    KP_UNWIND_WHOLE,        /* the outermost frame was reached */
    KP_UNWIND_OUT_OF_STACK, /* the stack goes on where the copy ends */
    KP_UNWIND_NO_RULE,      /* code of which nothing is known */
    KP_UNWIND_BROKEN,       /* what was found makes no sense */
    KP_UNWIND_FULL          /* there are more frames than room for them */
} kp_unwind_end;

typedef struct {
    uint64_t address;
    uint8_t is_return; /* the call is before it: look up address - 1 */
} kp_unwind_frame;

typedef struct kp_unwinder kp_unwinder;

kp_unwinder *kp_unwinder_new(void); /* NULL when memory is out */
void kp_unwinder_free(kp_unwinder *unwinder);

/* Number of frames written to `frames`, and in *end why there are no more. */
size_t kp_unwind(kp_unwinder *unwinder, const kp_unwind_input *input, kp_unwind_frame *frames, size_t room,
                 kp_unwind_end *end);

#endif
