/* Steps that both compat dialects share. */
#include "text_state.h"

int32_t kp_compat_root(kp_text *text, kp_span comm, kp_span pid, kp_span tid) {
    char *out = kp_scratch(text, comm.size + pid.size + tid.size + 2);
    if (!out) return 0;
    size_t size = 0;
    for (size_t i = 0; i < comm.size; i++) out[size++] = comm.at[i] == ' ' ? '_' : comm.at[i];
    if (text->options.with_pid || text->options.with_tid) {
        out[size++] = '-';
        memcpy(out + size, pid.at, pid.size);
        size += pid.size;
    }
    if (text->options.with_tid) {
        out[size++] = '/';
        memcpy(out + size, tid.at, tid.size);
        size += tid.size;
    }
    return (int32_t)kp_number(text, &text->comms, (kp_span){out, size});
}

int kp_compat_wants(kp_text *text, kp_span event) {
    if (!text->options.event.size) {
        uint32_t number = kp_number(text, &text->events, event);
        if (!text->error) text->options.event = text->events.items[number].text;
        return 1;
    }
    if (event.size == text->options.event.size && !memcmp(event.at, text->options.event.at, event.size)) return 1;
    text->counts.filtered++;
    return 0;
}
