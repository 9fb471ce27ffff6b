#include "undo.h"

#include "array.h"

#include <stdlib.h>
#include <string.h>

void undo_log_init(struct undo_log *log)
{
    *log = (struct undo_log){.epoch = 1};
}

void undo_log_release(struct undo_log *log)
{
    free(log->notes);
    *log = (struct undo_log){.epoch = log->epoch + 1, .turns = log->turns};
}

enum status undo_reserve(struct undo_log *log, size_t count)
{
    if (log->running) {
        return STATUS_OK; /* what is pushed now is not kept */
    }
    size_t wanted = log->count + log->promised + count;
    if (PP_UNLIKELY(ARRAY_RESERVE(log->notes, log->cap, wanted, ARRAY_NO_MAX) != STATUS_OK)) {
        return STATUS_NO_MEMORY;
    }
    log->promised += count;
    return STATUS_OK;
}

void undo_push(struct undo_log *log, const struct undo_ops *ops, void *owner, const void *payload,
               size_t payload_bytes)
{
    PP_ASSERT(payload_bytes <= UNDO_PAYLOAD_BYTES_MAX);
    if (log->running) {
        return;
    }
    PP_ASSERT(log->promised > 0);
    log->promised--;
    struct undo_note *note = &log->notes[log->count++];
    note->ops = ops;
    note->owner = owner;
    if (payload_bytes > 0) {
        memcpy(&note->payload, payload, payload_bytes);
    }
}

void undo_drop(struct undo_log *log, const void *owner)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->notes[i].owner == owner) {
            log->notes[i].ops = NULL;
        }
    }
}

uint64_t undo_epoch(const struct undo_log *log)
{
    return log->epoch;
}

uint64_t undo_turns(const struct undo_log *log)
{
    return log->turns;
}

size_t undo_mark(struct undo_log *log)
{
    log->epoch++;
    return log->count;
}

/* Of several notes about one thing the oldest comes last and wins. */
bool undo_back(struct undo_log *log, size_t mark)
{
    PP_ASSERT(!log->running);
    bool any = log->count > mark;
    log->running = true;
    while (log->count > mark) {
        const struct undo_note *note = &log->notes[--log->count];
        if (note->ops != NULL) {
            note->ops->back(note->owner, &note->payload);
        }
    }
    log->running = false;
    log->epoch++;
    return any;
}

static void undo_run_kept(struct undo_log *log)
{
    log->running = true;
    for (size_t i = 0; i < log->count; i++) {
        const struct undo_note *note = &log->notes[i];
        if (note->ops != NULL && note->ops->kept != NULL) {
            note->ops->kept(note->owner, &note->payload);
        }
    }
    log->running = false;
    log->count = 0;
    log->epoch++;
}

void undo_end(struct undo_log *log, bool kept)
{
    log->turns++;
    PP_ASSERT(!log->running);
    if (kept) {
        undo_run_kept(log);
    } else {
        undo_back(log, 0);
    }
    log->promised = 0;
}
