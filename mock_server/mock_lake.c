/* The data lake's part of the composition: S3, the Connect worker and its two faces. */
#include "mock_internal.h"

/* Hosts below which a name is a bucket: what clients on a laptop resolve without a DNS of their
 * own, and AWS's own, for those that are told to connect here. */
static const char *const base_domains[] = {
    "localhost",
    "s3.localhost",
    "127.0.0.1.nip.io",
    "s3.amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    NULL,
};

static enum status s3_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct s3_options options = {
        .store = mock->store,
        .crypto = mock->crypto,
        .env = &mock->env,
        .log = &mock->log,
        .region = mock->options.region,
        .access_key = mock->options.access_key,
        .secret = mock->options.secret,
        .base_domains = base_domains,
    };
    return s3_new(&options, &mock->s3, err);
}

enum status mock_lake_set_up(struct pinpipe_mock *mock, struct error *err)
{
    static enum status (*const steps[])(struct pinpipe_mock *, struct error *) = {s3_set_up};
    if (crypto_new(&mock->crypto) != STATUS_OK) {
        return mock_no_memory(err);
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_COUNT(steps) && status == STATUS_OK; i++) {
        status = steps[i](mock, err);
    }
    return status;
}

void mock_lake_free(struct pinpipe_mock *mock)
{
    s3_free(mock->s3);
}
