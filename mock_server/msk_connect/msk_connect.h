/* The control API of MSK Connect, AWS's "kafkaconnect" (specs/s3-sink-connector.md 9): custom
 * plugins out of a zip in S3, connectors with their states. */
#ifndef PINPIPE_MSK_CONNECT_H
#define PINPIPE_MSK_CONNECT_H

#include "connect_worker.h"
#include "digest.h"
#include "exchange.h"
#include "store_objects.h"

struct aws_identity;
struct msk_connect;

struct msk_connect_options {
    struct connect_worker *worker;
    struct store *store;
    struct crypto *crypto;
    struct env *env;
    struct log *log;
    /* When it has a key, SigV4 for service "kafkaconnect" is verified. */
    const struct aws_identity *identity;
    bool workshop_permissions; /* names other than <id>-plugin, <id>-connector are refused */
};

enum status msk_connect_new(const struct msk_connect_options *options, struct msk_connect **out,
                            struct error *err) PP_MUST_USE;
void msk_connect_free(struct msk_connect *msk);
const struct service *msk_connect_service(struct msk_connect *msk);

/* The row of mock_server/services.c. */
struct host;
enum status msk_connect_open(const struct host *host, void **out, struct error *err) PP_MUST_USE;
const void *msk_connect_face(void *msk);
void msk_connect_close(void *msk);

#endif
