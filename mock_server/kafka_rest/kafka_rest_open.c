/* The REST proxy as a row of mock_server/services.c: the mock's options made into its own. */
#include "host.h"
#include "kafka_rest.h"

#include "pinpipe/mock.h"

enum status kafka_rest_open(const struct host *host, void **out, struct error *err)
{
    const struct pinpipe_mock_options *o = host->options;
    bool eager = o->first_poll == PINPIPE_FIRST_POLL_EAGER;
    struct kafka_rest *rest = NULL;
    const struct kafka_rest_options options = {
        .broker = host->broker,
        .undo = host->undo,
        .timers = host->timers,
        .budget = host->budget,
        .env = host->env,
        .log = host->log,
        .lenient = o->lenient,
        .first_poll = eager ? FIRST_POLL_EAGER : FIRST_POLL_EMPTY,
        .policy = host->policy,
        .advertised_url = o->advertised_url,
        .missing_topic_delay_ms = o->missing_topic_delay_ms,
    };
    enum status status = kafka_rest_new(&options, &rest, err);
    *out = rest;
    return status;
}

const void *kafka_rest_face(void *rest)
{
    return kafka_rest_service(rest);
}

void kafka_rest_close(void *rest)
{
    kafka_rest_free(rest);
}
