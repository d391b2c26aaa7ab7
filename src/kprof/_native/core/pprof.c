#include "pprof.h"

#include <string.h>

#include "cursor.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5, LONGEST_VARINT = 10 };
enum { PROFILE_SAMPLE = 2, SAMPLE_LOCATION = 1, SAMPLE_VALUE = 2, SAMPLE_LABEL = 3 };
enum { LABEL_KEY = 1, LABEL_TEXT = 2, LABEL_NUMBER = 3 };

static kp_pprof_status varint(kp_cursor *c, uint64_t *value) {
    *value = 0;
    for (unsigned i = 0; i < LONGEST_VARINT; i++) {
        if (c->at == c->end) return KP_PPROF_ENDS_IN_NUMBER;
        uint8_t byte = *c->at++;
        *value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) return KP_PPROF_OK;
    }
    return KP_PPROF_LONG_NUMBER;
}

/* The next field; its bytes are skipped. */
static kp_pprof_status next_field(kp_cursor *c, const uint8_t *data, kp_pprof_field *field) {
    uint64_t tag, size;
    kp_pprof_status status = varint(c, &tag);
    if (status) return status;
    unsigned kind = tag & 7;
    field->number = tag >> 3 > UINT32_MAX ? UINT32_MAX : (uint32_t)(tag >> 3);
    field->is_bytes = kind == BYTES;
    field->start = 0;
    if (kind == VARINT) return varint(c, &field->value);
    if (kind != BYTES && kind != FIXED32 && kind != FIXED64) return KP_PPROF_UNKNOWN_KIND;
    if (kind == BYTES && (status = varint(c, &size))) return status;
    if (kind != BYTES) size = kind == FIXED64 ? 8 : 4;
    field->start = (uint64_t)(c->at - data);
    const uint8_t *at = kp_take(c, size);
    if (!at) return KP_PPROF_ENDS_IN_FIELD;
    field->value = size;
    if (kind == FIXED64) {
        memcpy(&field->value, at, 8);
    } else if (kind == FIXED32) {
        uint32_t narrow;
        memcpy(&narrow, at, 4);
        field->value = narrow;
    }
    return KP_PPROF_OK;
}

static kp_cursor inside(const uint8_t *data, const kp_pprof_field *field) {
    return kp_cursor_of(data + field->start, field->value, 0);
}

/* The numbers of a repeated field: one, or many packed together. */
static kp_pprof_status numbers(const uint8_t *data, const kp_pprof_field *field, uint64_t *out, size_t *count) {
    if (!field->is_bytes) {
        if (out) out[*count] = field->value;
        ++*count;
        return KP_PPROF_OK;
    }
    for (kp_cursor c = inside(data, field); c.at < c.end;) {
        uint64_t value;
        kp_pprof_status status = varint(&c, &value);
        if (status) return status;
        if (out) out[*count] = value;
        ++*count;
    }
    return KP_PPROF_OK;
}

static kp_pprof_status label(const uint8_t *data, const kp_pprof_field *message, const kp_pprof_columns *out,
                             kp_pprof_counts *counts) {
    uint64_t key = 0, text = 0, number = 0;
    if (!message->is_bytes) return KP_PPROF_NUMBER_FOR_MESSAGE;
    for (kp_cursor c = inside(data, message); c.at < c.end;) {
        kp_pprof_field field;
        kp_pprof_status status = next_field(&c, data, &field);
        if (status) return status;
        if (field.is_bytes) continue;
        if (field.number == LABEL_KEY) key = field.value;
        if (field.number == LABEL_TEXT) text = field.value;
        if (field.number == LABEL_NUMBER) number = field.value;
    }
    if (out) {
        out->label_sample[counts->labels] = counts->samples;
        out->label_key[counts->labels] = key;
        out->label_text[counts->labels] = text;
        memcpy(&out->label_number[counts->labels], &number, sizeof number);
    }
    counts->labels++;
    return KP_PPROF_OK;
}

static kp_pprof_status sample(const uint8_t *data, const kp_pprof_field *message, const kp_pprof_columns *out,
                              kp_pprof_counts *counts) {
    if (!message->is_bytes) return KP_PPROF_NUMBER_FOR_MESSAGE;
    for (kp_cursor c = inside(data, message); c.at < c.end;) {
        kp_pprof_field field;
        kp_pprof_status status = next_field(&c, data, &field);
        if (!status && field.number == SAMPLE_LOCATION)
            status = numbers(data, &field, out ? out->locations : NULL, &counts->locations);
        else if (!status && field.number == SAMPLE_VALUE)
            status = numbers(data, &field, out ? (uint64_t *)out->values : NULL, &counts->values);
        else if (!status && field.number == SAMPLE_LABEL)
            status = label(data, &field, out, counts);
        if (status) return status;
    }
    if (out) {
        out->location_end[counts->samples] = counts->locations;
        out->value_end[counts->samples] = counts->values;
    }
    counts->samples++;
    return KP_PPROF_OK;
}

kp_pprof_status kp_pprof_fields(const uint8_t *data, size_t size, kp_pprof_field *fields, kp_pprof_counts *counts) {
    memset(counts, 0, sizeof *counts);
    for (kp_cursor c = kp_cursor_of(data, size, 0); c.at < c.end;) {
        kp_pprof_field field;
        kp_pprof_status status = next_field(&c, data, &field);
        if (status) return status;
        if (field.number == PROFILE_SAMPLE) continue;
        if (fields) fields[counts->fields] = field;
        counts->fields++;
    }
    return KP_PPROF_OK;
}

kp_pprof_status kp_pprof_samples(const uint8_t *data, size_t size, const kp_pprof_columns *columns,
                                 kp_pprof_counts *counts) {
    memset(counts, 0, sizeof *counts);
    for (kp_cursor c = kp_cursor_of(data, size, 0); c.at < c.end;) {
        kp_pprof_field field;
        kp_pprof_status status = next_field(&c, data, &field);
        if (!status && field.number == PROFILE_SAMPLE) status = sample(data, &field, columns, counts);
        if (status) return status;
    }
    return KP_PPROF_OK;
}
