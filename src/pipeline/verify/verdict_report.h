/* A verdict for people (text), programs (JSON) and test runners (JUnit XML, TAP). Nothing here
 * judges. False when writing failed (ferror). */
#ifndef PINPIPE_VERDICT_REPORT_H
#define PINPIPE_VERDICT_REPORT_H

#include "buf.h"
#include "verdict.h"

#include <stdio.h>

/* Each is false, with errno, when the report could not be written whole. */

/* A table of kinds, the first offender of each, and a last line that begins with PASS or FAIL. */
bool verdict_write_text(const struct verdict *verdict, FILE *out);
/* The verdict as a JSON document on one line. */
bool verdict_write_json(const struct verdict *verdict, FILE *out);
/* The verdict as JUnit's XML: a test case for each kind that can fail. */
bool verdict_write_junit(const struct verdict *verdict, FILE *out);
bool verdict_write_tap(const struct verdict *verdict, FILE *out);

/* "u1.pin partition 0 offset 5, row 3 of pinterest_data, field title (ledger 7, run 1, triple 2):
 * detail": the first offender in one line. */
void verdict_offender_append(const struct verdict_offender *offender, struct buf *out);

#endif
