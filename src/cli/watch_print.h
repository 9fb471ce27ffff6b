/* Lines of requests and hints on stdout: in pieces on a terminal, else as one escaped line each, so
 * that nothing in a request makes a line of its own. */
#ifndef PINPIPE_WATCH_PRINT_H
#define PINPIPE_WATCH_PRINT_H

#include "cli.h"
#include "json_write.h"
#include "request_line.h"

/* Readies the terminal, if there is one. */
void watch_print_begin(struct cli *cli);
void watch_print_line(struct cli *cli, const struct terminal_piece *pieces, size_t count);
/* Behind `label`, which is shown before the request. */
void watch_print_request(struct cli *cli, const char *label, const struct watched_request *request);
/* Below it, broken to the terminal's width. */
void watch_print_hint(struct cli *cli, struct span hint);
/* The members that the view `requests` has as columns. */
void watch_json_request(struct json_writer *w, const struct watched_request *request);

#endif
