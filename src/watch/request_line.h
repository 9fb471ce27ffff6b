/* A request and its answer as a line for people: `serve` on a terminal and `tail` show the same. */
#ifndef PINPIPE_REQUEST_LINE_H
#define PINPIPE_REQUEST_LINE_H

#include "span.h"
#include "terminal.h"

/* What a client sent is in it as it came. */
struct watched_request {
    struct span service;
    struct span method;
    struct span path;
    int status;
    struct span error_code; /* empty: none */
    struct span hint;       /* empty: none */
    int64_t received_us;    /* since 1970, UTC */
    int64_t latency_us;
    int64_t request_bytes; /* of the bodies, where it is known */
    int64_t response_bytes;
};

enum {
    REQUEST_LINE_PIECES = 7,
    REQUEST_TIME_BYTES = 16, /* "12:03:04.567Z" */
    REQUEST_STAMP_BYTES = 40,
    REQUEST_INDENT = 14, /* columns of the time and the blank behind it */
};

struct request_line {
    struct terminal_piece pieces[REQUEST_LINE_PIECES];
    size_t count;
    /* Private: what the pieces are made of. */
    char front[REQUEST_TIME_BYTES + 32];
    char method[40];
    char status[32];
    char code[136];
    char latency[32];
};

/* The request's texts stay in use. A path is cut so that the line fits into `columns`; 0: never. */
void request_line_make(struct request_line *line, const struct watched_request *request,
                       size_t columns);
/* Is it an error, as far as its status says? */
bool request_is_error(const struct watched_request *request);
/* "12:03:04.567Z" */
void request_time(int64_t wall_us, char out[REQUEST_TIME_BYTES]);
/* "2026-12-01T12:03:04.567Z", as in the log and in the view `requests` */
void request_stamp(int64_t wall_us, char out[REQUEST_STAMP_BYTES]);
/* The front of *rest, broken at a blank, that fits into `columns`, is taken from it; 0: all. */
struct span text_line_next(struct span *rest, size_t columns);

#endif
