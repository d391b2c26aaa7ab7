#include "tree.h"

#include "intern.h"

typedef struct {
    kp_tree_output *out;
    size_t parent_room, frame_room;
    kp_table table;
} tree;

/* Node one frame above `parent`, new if need be; -2 when memory is out. */
static int32_t child(tree *t, int32_t parent, int32_t frame) {
    kp_tree_output *out = t->out;
    if (kp_table_ready(&t->table) || KP_RESERVE(out->parent, t->parent_room, out->count, 1) ||
        KP_RESERVE(out->frame, t->frame_room, out->count, 1) || out->count >= INT32_MAX)
        return -2;
    uint64_t key = (uint64_t)(uint32_t)parent << 32 | (uint32_t)frame, hash = kp_hash(&key, sizeof key, 4);
    size_t slot = kp_table_slot(&t->table, hash);
    for (; t->table.at[slot].value; slot = kp_table_next(&t->table, slot)) {
        uint32_t known = t->table.at[slot].value - 1;
        if (kp_table_may_be(&t->table, slot, hash) && out->parent[known] == parent && out->frame[known] == frame)
            return (int32_t)known;
    }
    kp_table_put(&t->table, slot, hash, (uint32_t)out->count);
    out->parent[out->count] = parent;
    out->frame[out->count] = frame;
    return (int32_t)out->count++;
}

static kp_tree_status replace(tree *t, const kp_tree_input *in, int32_t *node_of) {
    for (size_t i = 0; i < in->count; i++) {
        int32_t parent = in->parent[i], frame = in->frame[i];
        if (parent < -1 || parent >= (int64_t)i || frame < 0 || (size_t)frame >= in->frame_count) return KP_TREE_BAD;
        int32_t node = parent < 0 ? -1 : node_of[parent];
        for (int64_t at = in->start[frame]; at < in->start[frame + 1]; at++)
            if ((node = child(t, node, in->items[at])) == -2) return KP_TREE_NO_MEMORY;
        node_of[i] = node;
    }
    return KP_TREE_OK;
}

kp_tree_status kp_tree_replace(const kp_tree_input *input, kp_tree_output *out, int32_t *node_of) {
    tree t = {.out = out};
    *out = (kp_tree_output){0};
    kp_tree_status status = replace(&t, input, node_of);
    kp_table_free(&t.table);
    return status;
}

/* Sums of whole numbers wrap around, as numpy's do; callers know that the whole is within int64. */
static int64_t add(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

kp_tree_status kp_tree_sum_down(const int32_t *parent, size_t count, int64_t *values) {
    for (size_t i = 0; i < count; i++) {
        if (parent[i] < -1 || parent[i] >= (int64_t)i) return KP_TREE_BAD;
        if (parent[i] >= 0) values[i] = add(values[i], values[parent[i]]);
    }
    return KP_TREE_OK;
}

kp_tree_status kp_tree_sum_up(const int32_t *parent, size_t count, int64_t *values) {
    for (size_t i = count; i-- > 0;) {
        if (parent[i] < -1 || parent[i] >= (int64_t)i) return KP_TREE_BAD;
        if (parent[i] >= 0) values[parent[i]] = add(values[parent[i]], values[i]);
    }
    return KP_TREE_OK;
}

kp_tree_status kp_tree_sum_up_real(const int32_t *parent, size_t count, double *values) {
    for (size_t i = count; i-- > 0;) {
        if (parent[i] < -1 || parent[i] >= (int64_t)i) return KP_TREE_BAD;
        if (parent[i] >= 0) values[parent[i]] += values[i];
    }
    return KP_TREE_OK;
}
