/* Call frame information of one file: where its code keeps what must be restored on return.
 *
 * Read from .eh_frame, .eh_frame_hdr and .debug_frame (DWARF 5 section 6.4; Linux Standard Base 5.0,
 * chapter 10.6), lazily: only for addresses that are asked for. A table serves one thread at a time. */
#ifndef KP_CFI_H
#define KP_CFI_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of a section and where it is loaded; `at` is NULL if the file lacks it. */
typedef struct {
    const uint8_t *at;
    size_t size;
    uint64_t address;
} kp_cfi_section;

/* A loaded, executable part of the file. */
typedef struct {
    uint64_t offset, address, size;
} kp_cfi_segment;

typedef struct {
    int machine, swap; /* EM_ number; the file's bytes are in the other order than this machine's */
    kp_cfi_section eh_frame, eh_frame_hdr, debug_frame;
    const kp_cfi_segment *segments;
    size_t segment_count;
} kp_cfi_image;

typedef struct kp_cfi kp_cfi;

/* The sections must outlive the table; the segments are copied. NULL when memory is out. */
kp_cfi *kp_cfi_new(const kp_cfi_image *image);
void kp_cfi_free(kp_cfi *cfi);

#endif
