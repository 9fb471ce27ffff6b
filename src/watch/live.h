/* What a server answers, live, on a terminal: a line a request, its hint below it; one that repeats
 * the line before is counted; above LIVE_RATE_MAX requests a second a summary takes the lines'
 * place, drawn anew in place.
 *
 * Adding a request is cheap, because it happens between two turns of the server: it is counted, and
 * copied if it may become a line. What is drawn is drawn by the tick. Each request is told once, as
 * a line, in a count of repeats or in a summary; in a summary a hint that is new is a line too. */
#ifndef PINPIPE_LIVE_H
#define PINPIPE_LIVE_H

#include "env.h"
#include "error.h"
#include "request_line.h"

struct live;

enum {
    LIVE_RATE_MAX = 20,         /* requests in a second that are shown one by one */
    LIVE_SUMMARY_HINTS_MAX = 5, /* new hints that a summary is interrupted for */
    LIVE_PATH_BYTES_MAX = 512,
};

/* Where it is shown: a terminal's functions of the same names. */
struct live_screen {
    void (*put_line)(void *ctx, const struct terminal_piece *pieces, size_t count);
    void (*move_line)(void *ctx, const struct terminal_piece *pieces, size_t count);
    void (*settle_line)(void *ctx);
    bool (*is_ready)(void *ctx);
    size_t (*columns)(void *ctx);
    void *ctx;
};

enum status live_new(struct env *env, const struct live_screen *screen,
                     struct live **out) PP_MUST_USE;
void live_free(struct live *live);
void live_add(struct live *live, const struct watched_request *request);
/* Some 0.1 s after a request was added; true: again as long after that. */
bool live_tick(struct live *live);
/* Nothing comes any more: shows what is left, on lines that stay. */
void live_end(struct live *live);

#endif
