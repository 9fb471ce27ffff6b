/* The gateway as a row of mock_server/services.c: the mock's options made into its own. */
#include "gateway.h"
#include "host.h"

#include "pinpipe/mock.h"

enum { gateway_timeout_ms = 29000 };

enum status gateway_check(const struct pinpipe_mock_options *o, struct error *err)
{
    const struct gateway_options options = {
        .stage = o->stage,
        .api_key = o->api_key,
        .throttle_rate = o->throttle_rate,
        .throttle_burst = o->throttle_burst,
        .upstream_url = o->gateway_upstream,
        .refused_status = o->gateway_refused_status,
    };
    return gateway_options_check(&options, err);
}

enum status gateway_open(const struct host *host, void **out, struct error *err)
{
    const struct pinpipe_mock_options *o = host->options;
    struct gateway *gateway = NULL;
    const struct gateway_options options = {
        .backend = host->faces[PINPIPE_REST],
        .timers = host->timers,
        .budget = host->budget,
        .env = host->env,
        .log = host->log,
        .loop = host->loop,
        .stage = o->stage,
        .api_key = o->api_key,
        .throttle_rate = o->throttle_rate,
        .throttle_burst = o->throttle_burst,
        .upstream_url = o->gateway_upstream,
        .refused_status = o->gateway_refused_status,
        .timeout_ms = gateway_timeout_ms,
    };
    enum status status = gateway_new(&options, &gateway, err);
    *out = gateway;
    return status;
}

const void *gateway_face(void *gateway)
{
    return gateway_service(gateway);
}

void gateway_close(void *gateway)
{
    gateway_free(gateway);
}

const char *gateway_url_path(const struct host *host)
{
    return host->stage;
}
