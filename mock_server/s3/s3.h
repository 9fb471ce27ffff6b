/* S3 on its own port: path style and virtual hosts, signatures, streamed bodies
 * (specs/aws-s3.md). */
#ifndef PINPIPE_S3_H
#define PINPIPE_S3_H

#include "error.h"
#include "span.h"

struct aws_identity;
struct crypto;
struct env;
struct log;
struct s3;
struct service;
struct store;

struct s3_options {
    struct store *store;
    struct crypto *crypto;
    struct env *env;
    struct log *log;
    const struct aws_identity *identity; /* without a key every request is accepted */
    /* Hosts that end in ".<one of these>" name a bucket: "localhost", "127.0.0.1.nip.io",
     * "s3.localhost.localstack.cloud", ... ; NULL-terminated. */
    const char *const *base_domains;
};

enum {
    S3_OBJECT_BYTES_MAX_GIB = 5,
    S3_BODY_BYTES_MAX = 4 * 1024 * 1024, /* of XML bodies */
    S3_REPLY_BYTES_MAX = 16 * 1024 * 1024,
};

enum status s3_new(const struct s3_options *options, struct s3 **out,
                   struct error *err) PP_MUST_USE;
void s3_free(struct s3 *s3);
const struct service *s3_service(struct s3 *s3);

/* The row of mock_server/services.c. */
struct host;
enum status s3_open(const struct host *host, void **out, struct error *err) PP_MUST_USE;
const void *s3_face(void *s3);
void s3_close(void *s3);

#endif
