/* MSK Connect's control API as a service: routes, what stands before it (signature), what the
 * server ends by itself. */
#include "msk_internal.h"

#include <stdlib.h>

struct msk_route {
    struct route route;
    void (*handle)(const struct msk_call *call);
    const struct msk_kind *kind;
    const char *action; /* as IAM names it */
};

#define PLUGINS    "/v1/custom-plugins"
#define WORKERS    "/v1/worker-configurations"
#define CONNECTORS "/v1/connectors"
#define CONNECTOR  CONNECTORS "/{arn}"

static const struct msk_route routes[] = {
    {{METHOD_POST, PLUGINS}, msk_create, &msk_plugins, "CreateCustomPlugin"},
    {{METHOD_GET, PLUGINS}, msk_list, &msk_plugins, "ListCustomPlugins"},
    {{METHOD_GET, PLUGINS "/{arn}"}, msk_describe, &msk_plugins, "DescribeCustomPlugin"},
    {{METHOD_DELETE, PLUGINS "/{arn}"}, msk_delete, &msk_plugins, "DeleteCustomPlugin"},
    {{METHOD_POST, WORKERS}, msk_create, &msk_workers, "CreateWorkerConfiguration"},
    {{METHOD_GET, WORKERS}, msk_list, &msk_workers, "ListWorkerConfigurations"},
    {{METHOD_GET, WORKERS "/{arn}"}, msk_describe, &msk_workers, "DescribeWorkerConfiguration"},
    {{METHOD_DELETE, WORKERS "/{arn}"}, msk_delete, &msk_workers, "DeleteWorkerConfiguration"},
    {{METHOD_POST, CONNECTORS}, msk_create, &msk_connectors, "CreateConnector"},
    {{METHOD_GET, CONNECTORS}, msk_list, &msk_connectors, "ListConnectors"},
    {{METHOD_GET, CONNECTOR}, msk_describe, &msk_connectors, "DescribeConnector"},
    {{METHOD_PUT, CONNECTOR}, msk_update, &msk_connectors, "UpdateConnector"},
    {{METHOD_DELETE, CONNECTOR}, msk_delete, &msk_connectors, "DeleteConnector"},
    {{METHOD_PUT, CONNECTOR "/pause"}, msk_pause_connector, &msk_connectors, "PauseConnector"},
    {{METHOD_PUT, CONNECTOR "/resume"}, msk_resume_connector, &msk_connectors, "ResumeConnector"},
    {{METHOD_POST, CONNECTOR "/restart"},
     msk_restart_connector,
     &msk_connectors,
     "RestartConnector"},
};
static const struct route_table table = ROUTE_TABLE(routes);

static void msk_hint_path(struct exchange *exchange)
{
    struct span path = exchange->request.path;
    if (span_starts_with(path, SPAN_LIT("/connectors")) ||
        span_starts_with(path, SPAN_LIT("/connector-plugins"))) {
        answer_hint(exchange,
                    "that is Kafka Connect's REST API, on a port of its own; MSK Connect's "
                    "begins with /v1/");
    } else {
        answer_hint(exchange, "no such call here: MSK Connect has /v1/custom-plugins, "
                              "/v1/worker-configurations and /v1/connectors (an ARN in the path is "
                              "percent-encoded)");
    }
}

static enum handled msk_handle(void *ctx, struct exchange *exchange)
{
    struct msk_call call = {.msk = ctx, .exchange = exchange};
    const struct route *route = NULL;
    const char *allow = "";
    char request_id[ENV_UUID_BYTES];
    env_uuid(call.msk->options.env, request_id);
    reply_add_header_cstr(&exchange->reply, "x-amzn-RequestId", request_id);
    switch (route_find(&table, exchange, &route, &call.match, &allow)) {
    case ROUTE_FOUND: {
        const struct msk_route *row = ROUTE_ROW(route, struct msk_route);
        call.action = row->action;
        call.kind = row->kind;
        if (msk_authorize(&call)) {
            row->handle(&call);
        }
        break;
    }
    case ROUTE_UNKNOWN_PATH:
    case ROUTE_WRONG_METHOD:
    case ROUTE_BAD_ESCAPE:
        /* API Gateway says this of a resource or method that it does not know. */
        msk_hint_path(exchange);
        msk_refuse(exchange, MSK_MISSING_TOKEN, "Missing Authentication Token");
        break;
    case ROUTE_NO_MEMORY:
        msk_refuse_memory(&call);
        break;
    }
    return HANDLED;
}

static void msk_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    static const struct {
        enum msk_fault fault;
        const char *message;
    } ends[] = {
        [EXCHANGE_COMMIT_FAILED] = {MSK_INTERNAL, "Internal server error"},
        [EXCHANGE_BODY_TOO_LARGE] = {MSK_TOO_LONG, "Request Too Long"},
        [EXCHANGE_HEAD_TOO_LARGE] = {MSK_BAD_REQUEST, "Bad Request"},
        [EXCHANGE_URI_TOO_LONG] = {MSK_BAD_REQUEST, "Bad Request"},
        [EXCHANGE_MALFORMED] = {MSK_BAD_REQUEST, "Bad Request"},
        [EXCHANGE_TIMED_OUT] = {MSK_BAD_REQUEST, "Bad Request"},
        [EXCHANGE_OVERLOADED] = {MSK_UNAVAILABLE, "Service Unavailable"},
        [EXCHANGE_STOPPING] = {MSK_UNAVAILABLE, "Service Unavailable"},
        [EXCHANGE_NO_MEMORY] = {MSK_INTERNAL, "Internal server error"},
    };
    (void)ctx;
    if (failure == EXCHANGE_COMMIT_FAILED) {
        answer_hint(exchange, "nothing was changed: the disk did not take it");
    }
    msk_refuse(exchange, ends[failure].fault, "%s", ends[failure].message);
}

enum status msk_connect_new(const struct msk_connect_options *options, struct msk_connect **out,
                            struct error *err)
{
    struct msk_connect *msk = calloc(1, sizeof(*msk));
    if (msk == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "MSK Connect: out of memory");
    }
    msk->options = *options;
    msk->service = (struct service){
        .name = "msk",
        .body_bytes_max = MSK_BODY_BYTES_MAX,
        .reply_bytes_max = MSK_REPLY_BYTES_MAX,
        .ctx = msk,
        .handle = msk_handle,
        .fail = msk_fail,
    };
    *out = msk;
    return STATUS_OK;
}

void msk_connect_free(struct msk_connect *msk)
{
    free(msk);
}

const struct service *msk_connect_service(struct msk_connect *msk)
{
    return &msk->service;
}
