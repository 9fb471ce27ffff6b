/* The one error idiom: fallible functions return enum status (0 is good) and fill struct error when
 * a human will read the outcome. No allocation; callers add context in front, outermost first. */
#ifndef PINPIPE_ERROR_H
#define PINPIPE_ERROR_H

#include "base.h"

enum status {
#define X(name, text, exit, result) STATUS_##name,
#include "errors.def"
#undef X
    STATUS_COUNT
};

/* How the command line ends: EXIT_CODE_WORK and so on. */
enum {
#define X(name, code, text, more) EXIT_CODE_##name = (code),
#include "exit_codes.def"
#undef X
};

struct error {
    enum status code;
    char message[512];
};

#define ERROR_NONE ((struct error){.code = STATUS_OK})

const char *status_name(enum status code);
const char *status_text(enum status code);
int status_exit_code(enum status code);

/* Fill *err (which may be NULL: then only the code is returned) and return the code. */
enum status error_set(struct error *err, enum status code, const char *format, ...) PP_PRINTF(3, 4);
/* NO_MEMORY, "out of memory". */
enum status error_no_memory(struct error *err);
/* As error_set, with ": strerror(errno_value)" behind; ENOSPC, EDQUOT and ENOMEM choose their code.
 */
enum status error_set_errno(struct error *err, int errno_value, const char *format, ...)
    PP_PRINTF(3, 4);
/* Puts "context: " in front of the message and returns the code. */
enum status error_prefix(struct error *err, const char *format, ...) PP_PRINTF(2, 3);

#endif
