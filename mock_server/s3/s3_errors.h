/* S3's error answers. Codes, statuses and words are one table, s3_errors.def. */
#ifndef PINPIPE_S3_ERRORS_H
#define PINPIPE_S3_ERRORS_H

#include "aws_error.h"
#include "error.h"
#include "exchange.h"

struct s3_call;

enum s3_error_id {
#define X(name, code, status, message) S3_ERROR_##name,
#include "s3_errors.def"
#undef X
    S3_ERROR_COUNT
};

/* Each returns HANDLED and marks the call failed. details: ended by a NULL name, or NULL. */
enum handled s3_error(struct s3_call *call, enum s3_error_id id);
enum handled s3_error_with(struct s3_call *call, enum s3_error_id id,
                           const struct aws_error_detail *details);
/* An error with other words than the table's. */
enum handled s3_error_text(struct s3_call *call, enum s3_error_id id, struct span message,
                           const struct aws_error_detail *details);
/* InvalidArgument with ArgumentName and ArgumentValue. */
enum handled s3_invalid_argument(struct s3_call *call, const char *message, const char *name,
                                 struct span value);
/* EntityTooLarge, with the size that was proposed. */
enum handled s3_error_too_large(struct s3_call *call, struct span proposed);
/* A store failure: 500 InternalError (503 SlowDown for BUSY), and a log line. */
enum handled s3_error_store(struct s3_call *call, const struct error *err);

/* The words of the table, for a list of errors inside another answer. */
const char *s3_error_code(enum s3_error_id id);
const char *s3_error_message(enum s3_error_id id);

#endif
