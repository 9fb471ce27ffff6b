/* The bytes of an object that a read asks for. */
#ifndef PINPIPE_S3_RANGE_H
#define PINPIPE_S3_RANGE_H

#include "s3_call.h"

struct s3_range {
    uint64_t start;
    uint64_t len;
    bool partial;  /* 206 */
    int64_t parts; /* asked for by partNumber: how many the upload had; 0: none */
};

/* The bytes that Range or partNumber ask for. False: answered. */
bool s3_range_take(struct s3_call *call, const struct store_object *object, struct s3_range *out);
/* Content-Range, x-amz-mp-parts-count. */
void s3_range_headers(struct s3_call *call, const struct store_object *object,
                      const struct s3_range *range);

#endif
