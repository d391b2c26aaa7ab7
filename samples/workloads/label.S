/* A loop at a label within a function; without and with another function before it (-DMORE). */
        .text
        .type first, @function
first:  ret
        .size first, .-first
#ifdef MORE
        .type second, @function
second: ret
        .size second, .-second
#endif
        .type work, @function
work:   mov $300000000, %rcx
inner:  dec %rcx
        jnz inner
        ret
        .size work, .-work
        .globl main
        .type main, @function
main:   call work
        xor %eax, %eax
        ret
        .size main, .-main
        .section .note.GNU-stack, "", @progbits
