/* What the services' answers have in common: help for humans beside the answer, the text of a
 * message, the JSON error of Confluent's services. What an answer says is its service's. */
#ifndef PINPIPE_ANSWER_H
#define PINPIPE_ANSWER_H

#include "exchange.h"

#include <stdarg.h>

/* Texts up to this length need no memory of the exchange's arena. */
enum { ANSWER_TEXT_BYTES = 1024 };

/* X-Pinpipe-Hint, and a line in the log when the reply leaves: never part of the faithful answer.
 * The first hint of an exchange stays, because what is found first is what went wrong. It is cut
 * after 511 bytes; bytes that are not printable ASCII become '?'. */
void answer_hint(struct exchange *exchange, const char *format, ...) PP_PRINTF(2, 3);

/* The reply has this status and type (static text; NULL: none is sent) and no body yet; returns
 * the body to append to. Headers and hint stay. */
struct buf *answer_begin(struct exchange *exchange, int status, const char *content_type);

/* The formatted text, however long: in `scratch`, or in the arena where it does not fit (only texts
 * that quote the client's own bytes are that long); cut when the arena is at its ceiling. */
struct span answer_text(struct exchange *exchange, char scratch[ANSWER_TEXT_BYTES],
                        const char *format, va_list args) PP_PRINTF(3, 0);

/* {"error_code":code,"message":"..."} in place of the body, as Confluent's services write their
 * errors; the journal gets the code. Returns HANDLED. */
enum handled answer_error_code(struct exchange *exchange, int status, int code,
                               const char *content_type, struct span message);

#endif
