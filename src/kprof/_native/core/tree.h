/* A tree of stacks in which frames have become other frames: equal stacks become one. */
#ifndef KP_TREE_H
#define KP_TREE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const int32_t *parent, *frame; /* parent[i] < i, or -1 */
    size_t count;
    /* Frame f becomes items[start[f]] … items[start[f + 1] - 1], outermost first; at least one. */
    const int64_t *start;
    const int32_t *items;
    size_t frame_count;
} kp_tree_input;

typedef struct {
    int32_t *parent, *frame; /* malloc'ed */
    size_t count;
} kp_tree_output;

typedef enum { KP_TREE_OK, KP_TREE_NO_MEMORY, KP_TREE_BAD /* a parent or a frame is out of range */ } kp_tree_status;

/* Fills node_of[i], the node that stands for node i. What `out` holds is the caller's to free, whatever is
 * returned. `start` must not fall and end within `items`. */
kp_tree_status kp_tree_replace(const kp_tree_input *input, kp_tree_output *out, int32_t *node_of);

/* Sums over a tree whose `parent` is as above, in place; KP_TREE_BAD if a parent is out of range.
 * Down: a value becomes the sum over its path to the root. Up: the sum over all that grows out of it. */
kp_tree_status kp_tree_sum_down(const int32_t *parent, size_t count, int64_t *values);
kp_tree_status kp_tree_sum_up(const int32_t *parent, size_t count, int64_t *values);
kp_tree_status kp_tree_sum_up_real(const int32_t *parent, size_t count, double *values);

#endif
