/* The live view of `serve`: what it answers, on the terminal that it was started on (watch/live.h).
 * Elsewhere, and where --log wants no requests, there is none and the log is as it always was. */
#ifndef PINPIPE_SERVE_LIVE_H
#define PINPIPE_SERVE_LIVE_H

#include "cli.h"
#include "pinpipe/mock.h"

struct serve_live;

/* Sets the observer in the options; *out is NULL where there is no live view. Fails for lack of
 * memory, and for a log that is none. */
enum status serve_live_open(struct cli *cli, struct pinpipe_mock_options *options,
                            struct serve_live **out, struct error *err) PP_MUST_USE;
/* Behind the run: shows what is left. NULL is fine. */
void serve_live_close(struct serve_live *view);

#endif
