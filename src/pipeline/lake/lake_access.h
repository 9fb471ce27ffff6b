/* The things that a verification through S3 needs beside the topics: the bucket of a user, and the
 * Connect API that tells why nothing landed. */
#ifndef PINPIPE_LAKE_ACCESS_H
#define PINPIPE_LAKE_ACCESS_H

#include "connect_client.h"
#include "lake_reader.h"

enum { LAKE_BUCKET_BYTES = 256 };

struct lake_access {
    struct s3_client *s3;
    struct lake_reader *reader;
    struct connect_client *connect; /* NULL: no connect_url was given */
    char bucket[LAKE_BUCKET_BYTES];
};

/* `bucket` may be NULL: "user-<id>-bucket". connect_url may be NULL. The options' texts are
 * borrowed. close is safe after a failed open. */
enum status lake_access_open(struct lake_access *access, const struct s3_client_options *s3,
                             const char *user_id, const char *bucket, const char *connect_url,
                             struct error *err) PP_MUST_USE;
void lake_access_close(struct lake_access *access);

#endif
