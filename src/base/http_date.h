/* Dates as HTTP's headers carry them (RFC 9110's IMF-fixdate): "Fri, 02 Jan 2026 03:04:05 GMT". */
#ifndef PINPIPE_HTTP_DATE_H
#define PINPIPE_HTTP_DATE_H

#include "span.h"

enum { HTTP_DATE_BYTES = sizeof("Fri, 02 Jan 2026 03:04:05 GMT") };

/* Years have four digits: a moment before the year 0 or after 9999 is written as if it were in
 * one of those between. */
void http_date_write(int64_t unix_s, char out[HTTP_DATE_BYTES]);
/* False for another form and for a day or an hour that there is not. The zone may be +0000, as in
 * Amazon's own examples of SigV2, or -0000, as Python's formatdate writes UTC (RFC 5322 section
 * 3.3); the weekday's name is not looked at. */
bool http_date_parse(struct span text, int64_t *unix_s);

#endif
