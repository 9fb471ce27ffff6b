/* The state of a run, as the emulator's parts ask for it. */
#include "emulator_internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { note_bytes_max = 640 };

struct triple *emulator_triple(const struct emulator *e, int64_t number)
{
    return &e->ring[number % EMULATOR_RING_TRIPLES];
}

int64_t emulator_now_us(const struct emulator *e)
{
    return e->env->monotonic_us(e->env);
}

void emulator_note(struct emulator *e, const char *format, ...)
{
    char text[note_bytes_max];
    va_list args;
    if (e->options->note == NULL) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    e->options->note(e->options->note_ctx, text);
}
