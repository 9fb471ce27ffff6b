/* The public API's results, made from our errors. */
#ifndef PINPIPE_PUBLIC_ERROR_H
#define PINPIPE_PUBLIC_ERROR_H

#include "error.h"
#include "pinpipe/result.h"

/* Fills `why` (of PINPIPE_MESSAGE_BYTES, may be NULL). */
enum pinpipe_result public_result(const struct error *err, char *why);

#endif
