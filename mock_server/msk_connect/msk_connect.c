/* MSK Connect's control API as a service: routes, what stands before it (signature), what the
 * server ends by itself. */
#include "msk_internal.h"

#include <stdlib.h>

enum action {
    CREATE_PLUGIN,
    LIST_PLUGINS,
    DESCRIBE_PLUGIN,
    DELETE_PLUGIN,
    CREATE_WORKER,
    LIST_WORKERS,
    DESCRIBE_WORKER,
    DELETE_WORKER,
    CREATE_CONNECTOR,
    LIST_CONNECTORS,
    DESCRIBE_CONNECTOR,
    UPDATE_CONNECTOR,
    DELETE_CONNECTOR,
    PAUSE_CONNECTOR,
    RESUME_CONNECTOR,
    RESTART_CONNECTOR,
};

/* As IAM names them, by the routes' tags. */
static const char *const action_names[] = {
    [CREATE_PLUGIN] = "CreateCustomPlugin",
    [LIST_PLUGINS] = "ListCustomPlugins",
    [DESCRIBE_PLUGIN] = "DescribeCustomPlugin",
    [DELETE_PLUGIN] = "DeleteCustomPlugin",
    [CREATE_WORKER] = "CreateWorkerConfiguration",
    [LIST_WORKERS] = "ListWorkerConfigurations",
    [DESCRIBE_WORKER] = "DescribeWorkerConfiguration",
    [DELETE_WORKER] = "DeleteWorkerConfiguration",
    [CREATE_CONNECTOR] = "CreateConnector",
    [LIST_CONNECTORS] = "ListConnectors",
    [DESCRIBE_CONNECTOR] = "DescribeConnector",
    [UPDATE_CONNECTOR] = "UpdateConnector",
    [DELETE_CONNECTOR] = "DeleteConnector",
    [PAUSE_CONNECTOR] = "PauseConnector",
    [RESUME_CONNECTOR] = "ResumeConnector",
    [RESTART_CONNECTOR] = "RestartConnector",
};

static const struct route routes[] = {
    {METHOD_POST, "/v1/custom-plugins", msk_create_plugin, CREATE_PLUGIN},
    {METHOD_GET, "/v1/custom-plugins", msk_list_plugins, LIST_PLUGINS},
    {METHOD_GET, "/v1/custom-plugins/{arn}", msk_describe_plugin, DESCRIBE_PLUGIN},
    {METHOD_DELETE, "/v1/custom-plugins/{arn}", msk_delete_plugin, DELETE_PLUGIN},
    {METHOD_POST, "/v1/worker-configurations", msk_create_worker, CREATE_WORKER},
    {METHOD_GET, "/v1/worker-configurations", msk_list_workers, LIST_WORKERS},
    {METHOD_GET, "/v1/worker-configurations/{arn}", msk_describe_worker, DESCRIBE_WORKER},
    {METHOD_DELETE, "/v1/worker-configurations/{arn}", msk_delete_worker, DELETE_WORKER},
    {METHOD_POST, "/v1/connectors", msk_create_connector, CREATE_CONNECTOR},
    {METHOD_GET, "/v1/connectors", msk_list_connectors, LIST_CONNECTORS},
    {METHOD_GET, "/v1/connectors/{arn}", msk_describe_connector, DESCRIBE_CONNECTOR},
    {METHOD_PUT, "/v1/connectors/{arn}", msk_update_connector, UPDATE_CONNECTOR},
    {METHOD_DELETE, "/v1/connectors/{arn}", msk_delete_connector, DELETE_CONNECTOR},
    {METHOD_PUT, "/v1/connectors/{arn}/pause", msk_pause_connector, PAUSE_CONNECTOR},
    {METHOD_PUT, "/v1/connectors/{arn}/resume", msk_resume_connector, RESUME_CONNECTOR},
    {METHOD_POST, "/v1/connectors/{arn}/restart", msk_restart_connector, RESTART_CONNECTOR},
};
static const struct route_table table = {routes, ARRAY_COUNT(routes)};

static void hint_path(struct exchange *exchange)
{
    struct span path = exchange->request.path;
    if (span_starts_with(path, SPAN_LIT("/connectors")) ||
        span_starts_with(path, SPAN_LIT("/connector-plugins"))) {
        msk_hint(exchange, "that is Kafka Connect's REST API, on a port of its own; MSK Connect's "
                           "begins with /v1/");
    } else {
        msk_hint(exchange, "no such call here: MSK Connect has /v1/custom-plugins, "
                           "/v1/worker-configurations and /v1/connectors (an ARN in the path is "
                           "percent-encoded)");
    }
}

static enum handled handle(void *ctx, struct exchange *exchange)
{
    struct msk_call *call = ARENA_NEW(&exchange->arena, struct msk_call);
    const struct route *route = NULL;
    const char *allow = "";
    char request_id[ENV_UUID_BYTES];
    if (call == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    call->msk = ctx;
    call->exchange = exchange;
    env_uuid(call->msk->options.env, request_id);
    reply_add_header_cstr(&exchange->reply, "x-amzn-RequestId", request_id);
    switch (route_find(&table, exchange, &route, &call->match, &allow)) {
    case ROUTE_FOUND:
        call->action = action_names[route->tag];
        return msk_authorize(call) ? route->handle(call, exchange, &call->match) : HANDLED;
    case ROUTE_UNKNOWN_PATH:
    case ROUTE_WRONG_METHOD:
    case ROUTE_BAD_ESCAPE:
        /* What API Gateway says of a resource or method that it does not know. */
        hint_path(exchange);
        return msk_error_denied(exchange, "MissingAuthenticationTokenException",
                                SPAN_LIT("Missing Authentication Token"));
    case ROUTE_NO_MEMORY:
        break;
    }
    exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    return HANDLED;
}

static void fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    switch (failure) {
    case EXCHANGE_COMMIT_FAILED:
        msk_hint(exchange, "nothing was changed: the disk did not take it");
        msk_error(exchange, MSK_INTERNAL, "Internal server error");
        break;
    case EXCHANGE_NO_MEMORY:
        msk_error(exchange, MSK_INTERNAL, "Internal server error");
        break;
    case EXCHANGE_BODY_TOO_LARGE:
        msk_error(exchange, MSK_BAD_REQUEST, "Request Too Long");
        exchange->reply.status = 413;
        break;
    case EXCHANGE_HEAD_TOO_LARGE:
    case EXCHANGE_URI_TOO_LONG:
    case EXCHANGE_MALFORMED:
    case EXCHANGE_TIMED_OUT:
        msk_error(exchange, MSK_BAD_REQUEST, "Bad Request");
        break;
    case EXCHANGE_OVERLOADED:
    case EXCHANGE_STOPPING:
        msk_error(exchange, MSK_UNAVAILABLE, "Service Unavailable");
        break;
    }
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
        .handle = handle,
        .fail = fail,
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
