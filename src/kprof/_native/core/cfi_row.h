/* A row of the table of call frame information: how to undo the frame of one address. */
#ifndef KP_CFI_ROW_H
#define KP_CFI_ROW_H

#include "cfi.h"
#include "cursor.h"

/* DWARF numbers of registers that are followed: x86-64 has 17 with the return address (psABI x86-64, figure
 * 3.36), i386 9, AArch64 33 up to its program counter (aadwarf64, section 4.1). */
enum { KP_CFI_REGISTERS = 33 };

typedef enum {
    KP_CFI_SAME,
    KP_CFI_UNDEFINED,
    KP_CFI_OFFSET,          /* saved at CFA + value */
    KP_CFI_VALUE_OFFSET,    /* is CFA + value */
    KP_CFI_REGISTER,        /* is in the register `value` */
    KP_CFI_EXPRESSION,      /* saved where the expression says; its length lies at `value` in the section */
    KP_CFI_VALUE_EXPRESSION /* is what the expression says */
} kp_cfi_how;

typedef struct {
    int32_t value;
    uint8_t how, number;
} kp_cfi_rule;

enum kp_cfi_flag {
    KP_CFI_NONE = 1,   /* nothing is known of this address */
    KP_CFI_SIGNAL = 2, /* the frame was made by the kernel, to call a signal handler */
    KP_CFI_SIGNED = 4, /* the return address carries a pointer authentication code */
    KP_CFI_DEBUG = 8,  /* expressions lie in .debug_frame */
};

typedef struct {
    uint64_t key; /* address + 1, 0 in a free slot of the cache */
    int32_t cfa_value;
    uint8_t cfa_how, cfa_register; /* KP_CFI_REGISTER (+ value), KP_CFI_EXPRESSION or KP_CFI_UNDEFINED */
    uint8_t return_register, flags;
    size_t count;
    kp_cfi_rule rules[KP_CFI_REGISTERS]; /* of the registers that have one */
} kp_cfi_row;

/* The row of a virtual address, or NULL; it stays until the next call. */
const kp_cfi_row *kp_cfi_row_at(kp_cfi *cfi, uint64_t address);
/* Virtual address of a byte of the file: 0, or -1 if it is not in executable code. */
int kp_cfi_address(const kp_cfi *cfi, uint64_t file_offset, uint64_t *address);
int kp_cfi_machine(const kp_cfi *cfi);
/* The expression of a rule. */
kp_cursor kp_cfi_expression(const kp_cfi *cfi, const kp_cfi_row *row, int32_t value);

#endif
