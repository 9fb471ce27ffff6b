/* The front of API Gateway: one REST API with one stage, the resources / (no method) and {proxy+}
 * (ANY by HTTP proxy integration, OPTIONS by the CORS mock).
 *
 * A URL is /<stage>/<proxy>, or /_api/<api-id>/<stage>/<proxy> where the host name cannot carry the
 * API's id. The stage never reaches the backend. The backend in this process is called with the
 * rewritten exchange and answers it itself; the mapping of its reply hangs in exchange->filter,
 * which runs after the commit.
 *
 * Order of checks, as the service makes them: sizes, route, key, throttle, integration. */
#include "gateway_internal.h"

#include "url.h"

#include <stdlib.h>
#include <string.h>

/* --- methods and bodies --- */

struct method_entry {
    const char *name;
    enum http_method method;
};

static const struct method_entry methods[] = {
    {"GET", METHOD_GET},     {"HEAD", METHOD_HEAD},     {"POST", METHOD_POST},
    {"PUT", METHOD_PUT},     {"DELETE", METHOD_DELETE}, {"OPTIONS", METHOD_OPTIONS},
    {"PATCH", METHOD_PATCH},
};

static void method_set(struct http_request *request, struct span name)
{
    request->method = METHOD_OTHER;
    request->method_name = name;
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        if (span_equal_cstr(name, methods[i].name)) {
            request->method = methods[i].method;
        }
    }
}

struct request_facts {
    size_t value_bytes;
    struct span method_override;
    struct span api_key;
    struct span content_type;
};

/* One walk over the headers for all that the checks need. */
static struct request_facts facts_of(const struct http_request *request)
{
    struct request_facts facts = {0, SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY};
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        facts.value_bytes += header->value.len;
        if (header->name.len == 22 &&
            span_equal_nocase(header->name, SPAN_LIT("X-HTTP-Method-Override"))) {
            facts.method_override = header->value;
        } else if (header->name.len == 9 &&
                   span_equal_nocase(header->name, SPAN_LIT("x-api-key"))) {
            facts.api_key = header->value;
        } else if (header->name.len == 12 &&
                   span_equal_nocase(header->name, SPAN_LIT("Content-Type"))) {
            facts.content_type = header->value;
        }
    }
    return facts;
}

/* The whole key is compared, whatever differs first, so that the time tells nothing. */
static bool key_is_right(const char *key, struct span sent)
{
    size_t len = strlen(key);
    unsigned difference = sent.len == len ? 0 : 1;
    for (size_t i = 0; i < len && i < sent.len; i++) {
        difference |= (unsigned)(unsigned char)key[i] ^ (unsigned)(unsigned char)sent.ptr[i];
    }
    return difference == 0;
}

/* False when the error is written. With a key the bucket is that of the key's usage plan, which the
 * CORS method is not part of; without one it is the stage's. */
static bool request_is_admitted(struct gateway *gateway, struct exchange *exchange,
                                const struct request_facts *facts)
{
    bool is_cors = exchange->request.method == METHOD_OPTIONS;
    if (gateway->api_key != NULL && !is_cors && !key_is_right(gateway->api_key, facts->api_key)) {
        gateway_error_write(gateway, exchange, GATEWAY_ERROR_FORBIDDEN,
                            facts->api_key.len == 0
                                ? "this API asks for a key: send it in the header x-api-key"
                                : "the x-api-key is not the one this API was started with");
        return false;
    }
    if ((gateway->api_key != NULL && is_cors) || throttle_take(&gateway->throttle)) {
        return true;
    }
    gateway_error_write(gateway, exchange, GATEWAY_ERROR_THROTTLED,
                        "the throttle's tokens are used up: wait and send again, with growing "
                        "pauses; API Gateway sends no Retry-After");
    return false;
}

/* --- answers --- */

/* The mock integration that "Enable API Gateway CORS" makes. Its template is for application/json;
 * with another type the mapping fails. */
static enum handled cors_answer(struct gateway *gateway, struct exchange *exchange,
                                struct span content_type)
{
    struct span type = span_trim(span_first(content_type, span_find_byte(content_type, ';')));
    if (type.len > 0 && !span_equal_nocase(type, SPAN_LIT("application/json"))) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_INTERNAL,
                                   "the CORS mock answers only OPTIONS requests without a "
                                   "Content-Type or with application/json");
    }
    struct reply *reply = &exchange->reply;
    reply->status = 200;
    reply->content_type = "application/json";
    reply->no_date_server = true;
    gateway_add_identity(gateway, reply);
    BUF_APPEND_LIT(&reply->headers,
                   "Access-Control-Allow-Origin: *\r\n"
                   "Access-Control-Allow-Headers: Content-Type,X-Amz-Date,Authorization,X-Api-Key,"
                   "X-Amz-Security-Token\r\n"
                   "Access-Control-Allow-Methods: DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT\r\n");
    return HANDLED;
}

static void map_backend_reply(struct exchange *exchange, void *ctx)
{
    (void)exchange;
    gateway_reply_map(ctx, false);
}

static void answer_timed_out(struct exchange *exchange, void *ctx)
{
    gateway_error_write(ctx, exchange, GATEWAY_ERROR_ENDPOINT_TIMED_OUT,
                        "the REST proxy did not answer within the integration's time limit, 29 s; "
                        "it may have acted all the same");
}

static enum handled forward(struct gateway_call *call)
{
    struct gateway *gateway = call->gateway;
    struct exchange *exchange = call->exchange;
    enum handled handled;
    if (gateway->upstream != NULL) {
        handled = gateway_upstream_forward(gateway->upstream, call);
    } else {
        const struct service *backend = gateway->options.backend;
        exchange->service = backend;
        exchange->filter = map_backend_reply;
        exchange->filter_ctx = call;
        handled = backend->handle(backend->ctx, exchange);
    }
    if (handled == PARKED) {
        struct env *env = gateway->options.env;
        exchange_set_outer_deadline(exchange,
                                    env->monotonic_us(env) + gateway->options.timeout_ms * 1000,
                                    answer_timed_out, gateway);
    }
    return handled;
}

/* Path and query as the integration's URL has them. False when out of memory. */
static bool url_rewrite(struct gateway_call *call, const struct gateway_target *target)
{
    struct arena *arena = &call->exchange->arena;
    struct http_request *request = &call->exchange->request;
    if (!gateway_path_recode(arena, target->resource, &request->path) ||
        !gateway_query_recode(arena, request->query, &request->query)) {
        return false;
    }
    request->target = request->path;
    if (request->query.len > 0) {
        char *both =
            arena_printf(arena, "%.*s?%.*s", SPAN_ARG(request->path), SPAN_ARG(request->query));
        request->target = span_from_cstr(both);
    }
    return request->target.len > 0;
}

static bool body_rewrite(struct gateway_call *call)
{
    struct http_request *request = &call->exchange->request;
    if (request->method == METHOD_GET || request->method == METHOD_HEAD) {
        call->body_dropped = request->body.len > 0;
        request->body = SPAN_EMPTY;
    }
    struct span body = request->body;
    if (!gateway_text_repair(&call->exchange->arena, body, &request->body)) {
        return false;
    }
    call->body_repaired = request->body.ptr != body.ptr;
    return true;
}

static bool has_double_slash(struct span path)
{
    for (size_t i = 1; i < path.len; i++) {
        if (path.ptr[i - 1] == '/' && path.ptr[i] == '/') {
            return true;
        }
    }
    return false;
}

/* Notes what the request's sender may trip over. */
static void traps_note(struct gateway_call *call, const struct gateway_target *target)
{
    struct span resource = target->resource;
    call->stage = target->stage;
    call->double_slash = has_double_slash(resource);
    call->names_kinesis_action = gateway_names_kinesis(resource);
    struct span rest = resource;
    struct span first = gateway_segment_take(&rest);
    struct span behind = rest;
    call->names_streams = span_equal(first, SPAN_LIT("streams"));
    call->stage_twice = span_equal(first, target->stage) && rest.len > 0;
    call->stray =
        !gateway_is_service_path(first) && gateway_is_service_path(gateway_segment_take(&behind))
            ? first
            : SPAN_EMPTY;
    if (call->exchange->request.method == METHOD_POST && span_equal(first, SPAN_LIT("consumers"))) {
        (void)gateway_segment_take(&rest);
        call->creates_consumer = rest.len <= 1;
    }
}

static enum handled integrate(struct gateway *gateway, struct exchange *exchange,
                              const struct gateway_target *target)
{
    struct gateway_call *call = ARENA_NEW(&exchange->arena, struct gateway_call);
    if (call == NULL) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_INTERNAL, NULL);
    }
    call->gateway = gateway;
    call->exchange = exchange;
    traps_note(call, target);
    if (!url_rewrite(call, target) || !body_rewrite(call) || !gateway_request_map(call)) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_INTERNAL, NULL);
    }
    return forward(call);
}

static enum handled gateway_handle(void *ctx, struct exchange *exchange)
{
    struct gateway *gateway = ctx;
    struct http_request *request = &exchange->request;
    struct request_facts facts = facts_of(request);
    if (facts.value_bytes > GATEWAY_HEADER_VALUE_BYTES_MAX) {
        exchange_fail(exchange, EXCHANGE_HEAD_TOO_LARGE);
        return HANDLED;
    }
    if (facts.method_override.len > 0) {
        method_set(request, facts.method_override);
    }
    struct gateway_target target = gateway_target_of(request->path);
    if (target.stage.len == 0) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_NO_ROUTE,
                                   "the URL ends before the stage: write /<stage>/topics/<topic>");
    }
    if (!gateway_stage_is_deployed(gateway, target.stage)) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_FORBIDDEN,
                                   gateway_stage_hint(gateway, &exchange->arena, target.stage));
    }
    const char *refusal = gateway_resource_refusal(request->method, target.resource);
    if (refusal != NULL) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_NO_ROUTE, refusal);
    }
    if (span_find_byte(request->query, '|') < request->query.len) {
        return gateway_error_write(gateway, exchange, GATEWAY_ERROR_BAD_REQUEST,
                                   "API Gateway takes no plain '|' in a query string: write %7C");
    }
    if (!request_is_admitted(gateway, exchange, &facts)) {
        return HANDLED;
    }
    if (request->method == METHOD_OPTIONS) {
        return cors_answer(gateway, exchange, facts.content_type);
    }
    return integrate(gateway, exchange, &target);
}

/* --- public functions --- */

enum status gateway_options_check(const struct gateway_options *options, struct error *err)
{
    if (options->stage != NULL && !gateway_is_stage_name(span_from_cstr(options->stage))) {
        return error_set(err, STATUS_CONFIG,
                         "stage \"%s\": a stage is 1 to %d letters, digits, '-' and '_', without "
                         "slashes",
                         options->stage, GATEWAY_STAGE_BYTES_MAX);
    }
    if (options->api_key != NULL) {
        size_t len = strlen(options->api_key);
        if (len == 0 || len > GATEWAY_API_KEY_BYTES_MAX) {
            return error_set(err, STATUS_CONFIG, "an API key has 1 to %d characters, not %zu",
                             GATEWAY_API_KEY_BYTES_MAX, len);
        }
    }
    int status = options->refused_status;
    if (status != 0 && (status < 500 || status > 599)) {
        return error_set(err, STATUS_CONFIG,
                         "the status for a refused upstream is 500 to 599 (AWS: 504), not %d",
                         status);
    }
    struct url url;
    if (options->upstream_url != NULL &&
        (!url_parse(span_from_cstr(options->upstream_url), &url) || url.query.len > 0)) {
        char shown[URL_SHOWN_BYTES];
        return error_set(err, STATUS_CONFIG,
                         "gateway upstream \"%s\" is not an http or https URL: write e.g. "
                         "http://127.0.0.1:8082",
                         url_shown(options->upstream_url, shown));
    }
    if (throttle_check(options->throttle_rate, options->throttle_burst, err) != STATUS_OK) {
        error_prefix(err, "gateway throttle");
        return STATUS_CONFIG;
    }
    return STATUS_OK;
}

static bool gateway_text_copy(const char *text, char **out)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

static void api_id_make(struct gateway *gateway)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    for (size_t i = 0; i < GATEWAY_API_ID_BYTES; i++) {
        gateway->api_id[i] = alphabet[env_random_below(gateway->options.env, sizeof(alphabet) - 1)];
    }
}

static enum status gateway_setup(struct gateway *gateway, struct error *err)
{
    struct gateway_options *options = &gateway->options;
    if (!gateway_text_copy(options->stage, &gateway->stage) ||
        !gateway_text_copy(options->api_key, &gateway->api_key) ||
        !gateway_text_copy(options->upstream_url, &gateway->upstream_url)) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the gateway");
    }
    if (options->timeout_ms <= 0) {
        options->timeout_ms = GATEWAY_TIMEOUT_MS;
    }
    api_id_make(gateway);
    gateway->service = (struct service){
        .name = "gateway",
        .body_bytes_max = GATEWAY_BODY_BYTES_MAX,
        /* A backend's answer must fit, so that one over the gateway's own limit is seen as such. */
        .reply_bytes_max = options->backend != NULL ? options->backend->reply_bytes_max
                                                    : 2 * (size_t)GATEWAY_BODY_BYTES_MAX,
        .ctx = gateway,
        .handle = gateway_handle,
        .fail = gateway_fail,
    };
    enum status status = throttle_init(&gateway->throttle, options->env, options->throttle_rate,
                                       options->throttle_burst, err);
    PP_ASSERT(status == STATUS_OK); /* the options were checked */
    return gateway->upstream_url != NULL ? gateway_upstream_new(gateway, &gateway->upstream, err)
                                         : STATUS_OK;
}

enum status gateway_new(const struct gateway_options *options, struct gateway **out,
                        struct error *err)
{
    PP_ASSERT(options->backend != NULL || options->upstream_url != NULL);
    enum status status = gateway_options_check(options, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct gateway *gateway = calloc(1, sizeof(*gateway));
    if (gateway == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the gateway");
    }
    gateway->options = *options;
    status = gateway_setup(gateway, err);
    if (status != STATUS_OK) {
        gateway_free(gateway);
        return status;
    }
    *out = gateway;
    return STATUS_OK;
}

void gateway_free(struct gateway *gateway)
{
    if (gateway == NULL) {
        return;
    }
    gateway_upstream_free(gateway->upstream);
    free(gateway->stage);
    free(gateway->api_key);
    free(gateway->upstream_url);
    free(gateway);
}

const struct service *gateway_service(struct gateway *gateway)
{
    return &gateway->service;
}
