#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

_Static_assert((int)EXIT_CODE_DEFECT == (int)BUG_EXIT_CODE,
               "exit_codes.def and base.h say the same");

struct status_entry {
    const char *name;
    const char *text;
    int exit_code;
};

static const struct status_entry statuses[STATUS_COUNT] = {
#define X(name, text, exit, result) {#name, text, EXIT_CODE_##exit},
#include "errors.def"
#undef X
};

const char *status_name(enum status code)
{
    return statuses[code].name;
}

const char *status_text(enum status code)
{
    return statuses[code].text;
}

int status_exit_code(enum status code)
{
    return statuses[code].exit_code;
}

enum status error_set(struct error *err, enum status code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
    }
    return code;
}

static enum status status_from_errno(int errno_value)
{
    if (errno_value == ENOSPC || errno_value == EDQUOT) {
        return STATUS_DISK_FULL;
    }
    return errno_value == ENOMEM ? STATUS_NO_MEMORY : STATUS_IO;
}

enum status error_no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

enum status error_set_errno(struct error *err, int errno_value, const char *format, ...)
{
    enum status code = status_from_errno(errno_value);
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->code = code;
        int used = vsnprintf(err->message, sizeof(err->message), format, args);
        va_end(args);
        if (used >= 0 && (size_t)used < sizeof(err->message)) {
            snprintf(err->message + used, sizeof(err->message) - (size_t)used, ": %s",
                     strerror(errno_value));
        }
    }
    return code;
}

enum status error_prefix(struct error *err, const char *format, ...)
{
    if (err == NULL) {
        return STATUS_FAILED;
    }
    char joined[sizeof(err->message)];
    va_list args;
    va_start(args, format);
    int used = vsnprintf(joined, sizeof(joined), format, args);
    va_end(args);
    /* A message that no longer fits is cut; the context in front is what a reader needs first. */
    size_t start = used >= 0 && (size_t)used < sizeof(joined) ? (size_t)used : sizeof(joined) - 1;
    for (const char *p = ": "; *p != '\0' && start < sizeof(joined) - 1; p++) {
        joined[start++] = *p;
    }
    for (const char *p = err->message; *p != '\0' && start < sizeof(joined) - 1; p++) {
        joined[start++] = *p;
    }
    joined[start] = '\0';
    memcpy(err->message, joined, sizeof(joined));
    return err->code;
}
