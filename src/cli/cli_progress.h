/* Draws what pipeline/progress.h reports: one line that moves on a terminal, now and then a plain
 * line elsewhere. Also answers should_stop from the signals. */
#ifndef PINPIPE_CLI_PROGRESS_H
#define PINPIPE_CLI_PROGRESS_H

#include "cli.h"
#include "progress.h"

struct cli_progress {
    struct progress progress; /* hand this to the pipeline */
    const struct cli *cli;
    int64_t start_us;
    int64_t drawn_us;
    const char *drawn_what;
    bool line_open;
};

/* Installs the signal handlers too. */
void cli_progress_init(struct cli_progress *p, const struct cli *cli);
/* Ends the moving line, so that other text can follow. */
void cli_progress_end(struct cli_progress *p);

#endif
