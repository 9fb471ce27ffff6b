/* A moment as people type it, for --since. */
#ifndef PINPIPE_CLI_MOMENT_H
#define PINPIPE_CLI_MOMENT_H

#include "cli.h"

/* "10:32" (the last time it was), "2026-12-01 10:32:05" (local time), with Z or +01:00 behind it,
 * "2026-12-01", "90s", "10m", "2h", "1d" (ago), "last-start" (of the server in --data). In
 * milliseconds since 1970. CONFIG: last-start and no server runs; USAGE: none of these. */
enum status cli_moment_parse(struct cli *cli, const char *text, int64_t *out_ms,
                             struct error *err) PP_MUST_USE;

#endif
