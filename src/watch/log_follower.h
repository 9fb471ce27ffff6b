/* A server's log read while it grows: server.log of a server in the background, whose line is what
 * base/log.c writes, or text of before and after. A file that is begun anew is read from its
 * beginning. */
#ifndef PINPIPE_LOG_FOLLOWER_H
#define PINPIPE_LOG_FOLLOWER_H

#include "error.h"
#include "span.h"

struct log_follower;

enum log_line_kind {
    LOG_LINE_PLAIN, /* debug, info, and what is no line of the log */
    LOG_LINE_WARN,
    LOG_LINE_ERROR,
    LOG_LINE_HINT, /* tells a request's hint, which the journal has too */
};

struct log_line {
    enum log_line_kind kind;
    struct span stamp; /* "2026-12-01T03:42:19.123Z"; empty: none */
    struct span level; /* "info"; empty with the stamp */
    struct span area;
    struct span message; /* with no stamp: the whole line */
};

/* Takes a line apart. */
struct log_line log_line_read(struct span text);

/* Begins so many lines before the end of the file, if there is one. */
enum status log_follower_new(const char *path, uint64_t last_lines,
                             struct log_follower **out) PP_MUST_USE;
void log_follower_free(struct log_follower *follower);
/* The next whole line that is there, without its end; a line of more than LOG_FOLLOWER_LINE_BYTES
 * comes in parts. Valid until the next call. False: nothing more now. */
bool log_follower_next(struct log_follower *follower, struct span *line);

/* IO: the file is there and could not be read, now or before. */
enum status log_follower_status(const struct log_follower *follower, struct error *err) PP_MUST_USE;

enum { LOG_FOLLOWER_LINE_BYTES = 4096 };

#endif
