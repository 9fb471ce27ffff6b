#include "sink_errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

PP_PRINTF(3, 0)
static void exception_fill(struct sink_exception *exception, const char *class_name,
                           const char *format, va_list args)
{
    exception->class_name = class_name;
    vsnprintf(exception->message, sizeof(exception->message), format, args);
    /* A record's bytes may be in it, and it may be cut anywhere. */
    text_make_utf8(exception->message, strlen(exception->message));
}

bool sink_fail(struct sink_failure *failure, const char *class_name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    failure->no_memory = false;
    failure->count = 1;
    exception_fill(&failure->chain[0], class_name, format, args);
    va_end(args);
    return false;
}

bool sink_fail_cause(struct sink_failure *failure, const char *class_name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (failure->count < SINK_CAUSES_MAX) {
        exception_fill(&failure->chain[failure->count++], class_name, format, args);
    }
    va_end(args);
    return false;
}

bool sink_fail_no_memory(struct sink_failure *failure)
{
    failure->no_memory = true;
    failure->count = 0;
    return false;
}

void sink_fail_wrap(struct sink_failure *failure, const char *class_name, const char *message)
{
    size_t kept = failure->count < SINK_CAUSES_MAX ? failure->count : SINK_CAUSES_MAX - 1;
    memmove(&failure->chain[1], &failure->chain[0], kept * sizeof(failure->chain[0]));
    failure->chain[0].class_name = class_name;
    snprintf(failure->chain[0].message, sizeof(failure->chain[0].message), "%s", message);
    text_make_utf8(failure->chain[0].message, strlen(failure->chain[0].message));
    failure->count = kept + 1;
}

void sink_failure_trace(const struct sink_failure *failure, struct buf *out)
{
    for (size_t i = 0; i < failure->count; i++) {
        if (i > 0) {
            BUF_APPEND_LIT(out, "Caused by: ");
        }
        buf_append_cstr(out, failure->chain[i].class_name);
        BUF_APPEND_LIT(out, ": ");
        buf_append_cstr(out, failure->chain[i].message);
        buf_append_byte(out, '\n');
    }
}

const char *sink_stage_name(enum sink_stage stage)
{
    static const char *const names[] = {
        [SINK_STAGE_KEY_CONVERTER] = "KEY_CONVERTER",
        [SINK_STAGE_VALUE_CONVERTER] = "VALUE_CONVERTER",
        [SINK_STAGE_TASK_PUT] = "TASK_PUT",
    };
    return names[stage];
}
