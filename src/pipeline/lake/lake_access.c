#include "lake_access.h"

#include <stdio.h>

enum status lake_access_open(struct lake_access *access, const struct s3_client_options *s3,
                             const char *user_id, const char *bucket, const char *connect_url,
                             struct error *err)
{
    *access = (struct lake_access){.s3 = NULL};
    int len = bucket != NULL
                  ? snprintf(access->bucket, sizeof(access->bucket), "%s", bucket)
                  : snprintf(access->bucket, sizeof(access->bucket), "user-%s-bucket", user_id);
    if (len < 0 || (size_t)len >= sizeof(access->bucket)) {
        return error_set(err, STATUS_CONFIG, "iam_username is too long for a bucket's name");
    }
    enum status status = s3_client_new(s3, &access->s3, err);
    if (status == STATUS_OK) {
        status = lake_reader_s3_new(access->s3, access->bucket, &access->reader, err);
    }
    if (status == STATUS_OK && connect_url != NULL) {
        const struct connect_client_options options = {.env = s3->env,
                                                       .url = connect_url,
                                                       .timeout_ms = s3->timeout_ms,
                                                       .should_stop = s3->should_stop,
                                                       .should_stop_ctx = s3->should_stop_ctx};
        status = connect_client_new(&options, &access->connect, err);
    }
    return status;
}

void lake_access_close(struct lake_access *access)
{
    if (access->reader != NULL) {
        access->reader->ops->free(access->reader);
    }
    s3_client_free(access->s3);
    connect_client_free(access->connect);
    *access = (struct lake_access){.s3 = NULL};
}
