/* Kafka Connect's REST API as a row of mock_server/services.c. */
#include "connect_rest.h"
#include "host.h"

#include "pinpipe/mock.h"

enum status connect_rest_open(const struct host *host, void **out, struct error *err)
{
    struct connect_rest *rest = NULL;
    const struct connect_rest_options options = {
        .worker = host->worker,
        .env = host->env,
        .log = host->log,
        .user_id = host->options->user_id,
        .worker_id = host->addresses[PINPIPE_CONNECT],
    };
    enum status status = connect_rest_new(&options, &rest, err);
    *out = rest;
    return status;
}

const void *connect_rest_face(void *rest)
{
    return connect_rest_service(rest);
}

void connect_rest_close(void *rest)
{
    connect_rest_free(rest);
}
