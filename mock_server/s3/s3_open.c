/* S3 as a row of mock_server/services.c. */
#include "host.h"
#include "s3.h"

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

enum status s3_open(const struct host *host, void **out, struct error *err)
{
    struct s3 *s3 = NULL;
    const struct s3_options options = {
        .store = host->store,
        .crypto = host->crypto,
        .env = host->env,
        .log = host->log,
        .identity = host->identity,
        .base_domains = base_domains,
    };
    enum status status = s3_new(&options, &s3, err);
    *out = s3;
    return status;
}

const void *s3_face(void *s3)
{
    return s3_service(s3);
}

void s3_close(void *s3)
{
    s3_free(s3);
}
