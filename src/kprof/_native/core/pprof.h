/* Samples of pprof's profile.proto, as columns.
 * Source: https://protobuf.dev/programming-guides/encoding/ and google/pprof's proto/profile.proto. */
#ifndef KP_PPROF_H
#define KP_PPROF_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    KP_PPROF_OK,
    KP_PPROF_ENDS_IN_NUMBER,
    KP_PPROF_LONG_NUMBER,
    KP_PPROF_UNKNOWN_KIND,
    KP_PPROF_ENDS_IN_FIELD,
    KP_PPROF_NUMBER_FOR_MESSAGE,
} kp_pprof_status;

/* A field of a message: a number, or where its bytes are. */
typedef struct {
    uint32_t number, is_bytes;
    uint64_t value; /* the number, or the size in bytes */
    uint64_t start; /* of the bytes */
} kp_pprof_field;

/* Columns that the caller has made as long as kp_pprof_samples said without them. */
typedef struct {
    uint64_t *location_end, *value_end; /* of each sample, in the columns below */
    uint64_t *locations;                /* ids, leaf first */
    int64_t *values;
    uint64_t *label_sample, *label_key, *label_text; /* of each label; texts are rows of the string table */
    int64_t *label_number;
} kp_pprof_columns;

typedef struct {
    size_t fields, samples, locations, values, labels;
} kp_pprof_counts;

/* The fields of the outermost message; `fields` may be NULL to count them. */
kp_pprof_status kp_pprof_fields(const uint8_t *data, size_t size, kp_pprof_field *fields, kp_pprof_counts *counts);

/* All samples; `columns` may be NULL to count what they hold. */
kp_pprof_status kp_pprof_samples(const uint8_t *data, size_t size, const kp_pprof_columns *columns,
                                 kp_pprof_counts *counts);

#endif
