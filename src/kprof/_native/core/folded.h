/* Folded text, `root;caller;leaf weight` a line, read piece by piece into a tree of stacks. */
#ifndef KP_FOLDED_H
#define KP_FOLDED_H

#include "intern.h"

typedef enum { KP_FOLDED_OK, KP_FOLDED_NO_MEMORY, KP_FOLDED_LINE_TOO_LONG, KP_FOLDED_OVERFLOW } kp_folded_status;

enum { KP_FOLDED_LONGEST_LINE = 1 << 24 };

typedef struct kp_folded kp_folded;

kp_folded *kp_folded_new(void);
void kp_folded_free(kp_folded *folded);

/* Reads the next bytes; `last` says that no more come. After a status that is not OK, only free it.
 *
 * Lines that are blank or begin with # say nothing; those that have no whole, non-negative weight in
 * int64 behind the last space or tab are counted. KP_FOLDED_OVERFLOW: the weights of a stack do not add up. */
kp_folded_status kp_folded_feed(kp_folded *folded, const char *bytes, size_t size, int last);

const kp_strings *kp_folded_names(const kp_folded *folded);
/* Number of stacks: parent[i] < i, or -1; label[i] is a name; weight[i] that of the lines that end there. */
size_t kp_folded_stacks(const kp_folded *folded, const int32_t **parent, const int32_t **label, const int64_t **weight);
/* Number of lines that could not be read, and the first of them, with its number from 1 (0 if there is none). */
uint64_t kp_folded_skipped(const kp_folded *folded, uint64_t *number, kp_span *line);

#endif
