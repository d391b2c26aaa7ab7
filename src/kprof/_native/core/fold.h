/* Stacks and weights -> folded text, one line a distinct stack, in the order of its bytes. */
#ifndef KP_FOLD_H
#define KP_FOLD_H

#include "memory.h"

typedef struct {
    const kp_span *labels; /* distinct; must hold neither ';' nor a newline */
    size_t label_count;
    const int32_t *frame_label; /* label of every frame */
    size_t frame_count;
    const int32_t *parent, *frame; /* the tree of stacks: parent[i] < i, or -1 */
    size_t stack_count;
    const int32_t *row_root, *row_stack; /* label put below the stack, or -1; stack, or -1 */
    const int64_t *row_weight;
    size_t row_count;
} kp_fold_input;

/* Returns KP_OK and malloc'ed text, KP_NO_MEMORY, or KP_OVERFLOW if weights do not add up in int64.
 * Numbers out of range are the caller's fault and are skipped. */
int kp_fold(const kp_fold_input *input, char **text, size_t *size, size_t *lines);

#endif
