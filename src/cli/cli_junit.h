/* The file behind --junit of verify and demo. */
#ifndef PINPIPE_CLI_JUNIT_H
#define PINPIPE_CLI_JUNIT_H

#include "cli.h"
#include "verdict_report.h"

/* Before the work: CONFIG when nothing can be written there. Takes an earlier verdict away, so that
 * nobody mistakes it for this run's if this run does not come to one. */
enum status cli_junit_check(const char *path, struct error *err) PP_MUST_USE;
enum status cli_junit_write(const char *path, const struct verdict *verdict,
                            struct error *err) PP_MUST_USE;

#endif
