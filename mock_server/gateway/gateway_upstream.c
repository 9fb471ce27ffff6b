/* The gateway in front of a real HTTP server: the rewritten request goes out through http_client,
 * whose sockets hang in the server's own loop, and the exchange is parked until the answer.
 *
 * DIFFERS: the backend's Host header is the upstream's own, as with API Gateway; the made-up EC2
 * host is only for the backend in this process.
 *
 * Invariant: a slot is taken exactly while its exchange is parked here. */
#include "gateway_internal.h"
#include "gateway_unpack.h"

#include "http_client.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    calls_max = 1024, /* the server takes no more connections */
    url_bytes_max = 64 * 1024,
    /* libcurl's own limit stands behind the integration's, which answers first. */
    backstop_ms = 1000,
};

struct upstream_socket {
    uv_poll_t poll; /* first: handles are freed through it */
    struct gateway_upstream *upstream;
    struct upstream_socket *next;
    int socket_fd;
};

struct upstream_slot {
    struct gateway_upstream *upstream;
    struct http_call *http;
    struct gateway_call *call; /* NULL: free */
    struct gateway_unpacking unpacking;
    struct upstream_slot *next_free;
    struct upstream_slot *next;
};

struct gateway_upstream {
    struct gateway *gateway;
    struct http_client *client;
    struct timer timer; /* libcurl's */
    struct gateway_unpacker unpacker;
    struct upstream_socket *sockets;
    struct upstream_slot *slots;
    struct upstream_slot *free_slots;
    size_t slot_count;
    struct buf url; /* scratch; its front, base_len bytes, stays */
    size_t base_len;
};

/* --- libcurl's sockets and timer in the server's loop --- */

static void on_socket_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_socket_event(uv_poll_t *poll, int status, int events)
{
    struct upstream_socket *socket = poll->data;
    bool failed = status < 0; /* reading will tell libcurl */
    http_client_on_socket(socket->upstream->client, socket->socket_fd,
                          failed || (events & UV_READABLE) != 0,
                          failed || (events & UV_WRITABLE) != 0);
}

static void socket_unwatch(struct upstream_socket **link)
{
    struct upstream_socket *socket = *link;
    *link = socket->next;
    /* Stops at once; the descriptor is still libcurl's, so nothing else can be meant by it. */
    uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
}

static struct upstream_socket *socket_watch(struct gateway_upstream *upstream, int socket_fd)
{
    struct upstream_socket *socket = calloc(1, sizeof(*socket));
    if (socket == NULL) {
        return NULL;
    }
    if (uv_poll_init(upstream->gateway->options.loop, &socket->poll, socket_fd) != 0) {
        free(socket);
        return NULL;
    }
    socket->poll.data = socket;
    socket->upstream = upstream;
    socket->socket_fd = socket_fd;
    socket->next = upstream->sockets;
    upstream->sockets = socket;
    return socket;
}

static void upstream_watch(void *ctx, int socket_fd, bool readable, bool writable)
{
    struct gateway_upstream *upstream = ctx;
    struct upstream_socket **link = &upstream->sockets;
    while (*link != NULL && (*link)->socket_fd != socket_fd) {
        link = &(*link)->next;
    }
    if (!readable && !writable) {
        if (*link != NULL) {
            socket_unwatch(link);
        }
        return;
    }
    struct upstream_socket *socket = *link;
    if (socket == NULL) {
        socket = socket_watch(upstream, socket_fd);
    }
    int events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
    if (socket == NULL || uv_poll_start(&socket->poll, events, on_socket_event) != 0) {
        LOG_ERRORF(upstream->gateway->options.log, "gateway",
                   "cannot watch a socket to the upstream: its request will time out");
    }
}

static void upstream_timer_change(void *ctx, int64_t timeout_ms)
{
    struct gateway_upstream *upstream = ctx;
    struct timer_heap *timers = upstream->gateway->options.timers;
    if (timeout_ms < 0) {
        timer_clear(timers, &upstream->timer);
        return;
    }
    int64_t now_us = timers->env->monotonic_us(timers->env);
    if (timer_set(timers, &upstream->timer, now_us + timeout_ms * 1000) != STATUS_OK) {
        LOG_ERRORF(upstream->gateway->options.log, "gateway",
                   "out of memory: a request to the upstream will time out");
    }
}

static void upstream_timer_fired(struct timer *timer)
{
    struct gateway_upstream *upstream = PP_CONTAINER_OF(timer, struct gateway_upstream, timer);
    http_client_on_timer(upstream->client);
}

/* --- answers --- */

static void upstream_slot_release(struct upstream_slot *slot)
{
    gateway_unpack_end(&slot->unpacking);
    http_call_forget(slot->http);
    slot->call->slot = NULL;
    slot->call = NULL;
    slot->next_free = slot->upstream->free_slots;
    slot->upstream->free_slots = slot;
}

static const char *network_hint(struct gateway_call *call, const struct http_response *response)
{
    const char *url = call->gateway->upstream_url;
    struct arena *arena = &call->exchange->arena;
    if (response->failure == HTTP_FAILURE_REFUSED) {
        return arena_printf(arena, "nothing listens at %s: is the REST proxy started there?", url);
    }
    if (response->failure == HTTP_FAILURE_RESOLVE) {
        return arena_printf(arena,
                            "the host of %s is not known: an EC2 instance has another name after "
                            "each start",
                            url);
    }
    if (response->failure == HTTP_FAILURE_TLS) {
        return arena_printf(arena,
                            "%s does not complete TLS (%s): the REST proxy speaks plain http on "
                            "8082, so write http:// in the integration URL",
                            url, response->message);
    }
    return arena_printf(arena, "the connection to %s broke: %s", url, response->message);
}

static void failure_write(struct gateway_call *call, const struct http_response *response)
{
    enum gateway_error_id id = GATEWAY_ERROR_INTERNAL;
    const char *hint = NULL;
    switch (response->failure) {
    case HTTP_FAILURE_NONE:
    case HTTP_FAILURE_LOCAL:
        break;
    case HTTP_FAILURE_TOO_LARGE:
        hint = "the answer is over 10485760 bytes, more than API Gateway passes: ask for less, "
               "e.g. max_bytes=5000000 when reading records";
        break;
    case HTTP_FAILURE_CROWDED:
        id = GATEWAY_ERROR_UNAVAILABLE;
        hint = "the upstream's answers take too much memory together: keep fewer requests open, or "
               "give the local server more with serve --memory";
        break;
    case HTTP_FAILURE_TIMEOUT:
        id = GATEWAY_ERROR_ENDPOINT_TIMED_OUT;
        break;
    case HTTP_FAILURE_RESOLVE:
    case HTTP_FAILURE_REFUSED:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_BROKEN:
        id = GATEWAY_ERROR_NETWORK;
        hint = network_hint(call, response);
        break;
    }
    gateway_error_write(call->gateway, call->exchange, id, hint);
}

/* The answer is complete, or `response` says why not. */
static void slot_answer(struct upstream_slot *slot, const struct http_response *response)
{
    struct gateway_call *call = slot->call;
    struct exchange *exchange = call->exchange;
    if (response->failure == HTTP_FAILURE_NONE) {
        struct reply *reply = &exchange->reply;
        reply->status = response->status;
        buf_append_span(&reply->headers, buf_span(&response->headers));
        if (slot->unpacking.unpacker != NULL) {
            buf_take(&reply->body, &slot->unpacking.plain);
        } else {
            buf_append_span(&reply->body, buf_span(&response->body));
        }
        gateway_reply_map(call, true);
    } else {
        failure_write(call, response);
    }
    upstream_slot_release(slot);
    exchange->outside_turn = true;
    exchange_answer(exchange);
}

static void slot_fail(struct upstream_slot *slot, enum http_failure failure, const char *message)
{
    struct http_response response = {.failure = failure};
    snprintf(response.message, sizeof(response.message), "%s", message);
    slot_answer(slot, &response);
}

static void slot_fail_to_unpack(struct upstream_slot *slot, enum gateway_unpack_outcome outcome)
{
    switch (outcome) {
    case UNPACK_DONE:
        break;
    case UNPACK_BROKEN:
        slot_fail(slot, HTTP_FAILURE_BROKEN, "the answer is not what its Content-Encoding says");
        break;
    case UNPACK_TOO_LARGE:
        slot_fail(slot, HTTP_FAILURE_TOO_LARGE, "");
        break;
    case UNPACK_CROWDED:
        slot_fail(slot, HTTP_FAILURE_CROWDED, "");
        break;
    case UNPACK_NO_MEMORY:
        slot_fail(slot, HTTP_FAILURE_LOCAL, "");
        break;
    }
}

static void slot_unpacked(struct gateway_unpacking *unpacking, enum gateway_unpack_outcome outcome)
{
    struct upstream_slot *slot = PP_CONTAINER_OF(unpacking, struct upstream_slot, unpacking);
    if (outcome == UNPACK_DONE) {
        slot_answer(slot, http_call_response(slot->http));
    } else {
        slot_fail_to_unpack(slot, outcome);
    }
}

/* How many encodings the answer is in; *out is one of them. They multiply: a few bytes of five
 * layers keep a processor busy for seconds without bringing anything. */
static size_t answer_encodings(const struct http_response *response, struct span *out)
{
    struct span rest = buf_span(&response->headers);
    struct span line;
    size_t count = 0;
    *out = SPAN_EMPTY;
    while (span_next_part(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        struct span value = span_skip(line, colon + 1);
        struct span one;
        bool is_meant = span_equal_nocase(span_first(line, colon), SPAN_LIT("Content-Encoding"));
        while (is_meant && span_next_part(&value, ',', &one)) {
            one = span_trim(one);
            if (one.len > 0 && !span_equal_nocase(one, SPAN_LIT("identity"))) {
                *out = one;
                count++;
            }
        }
    }
    return count;
}

static void upstream_done(void *ctx, struct http_call *http, const struct http_response *response)
{
    struct upstream_slot *slot = ctx;
    struct span encoding;
    (void)http;
    size_t encodings = response->failure == HTTP_FAILURE_NONE && response->body.len > 0
                           ? answer_encodings(response, &encoding)
                           : 0;
    if (encodings == 0) {
        slot_answer(slot, response);
    } else if (encodings > 1) {
        slot_fail(slot, HTTP_FAILURE_BROKEN, "the answer has more than one Content-Encoding");
    } else if (!gateway_unpack_knows(encoding)) {
        /* DIFFERS: gzip and deflate are undone, an answer in another encoding is a network error;
         * which ones API Gateway undoes is written nowhere. */
        slot_fail(slot, HTTP_FAILURE_BROKEN,
                  "the answer's Content-Encoding is neither gzip nor deflate: ask with "
                  "Accept-Encoding: gzip");
    } else {
        slot->unpacking.done = slot_unpacked;
        slot->unpacking.packed = buf_span(&response->body);
        slot->unpacking.plain_bytes_max = GATEWAY_BODY_BYTES_MAX;
        gateway_unpack_begin(&slot->upstream->unpacker, &slot->unpacking);
    }
}

/* --- requests --- */

static void park_cancel(struct exchange *exchange, void *state)
{
    struct gateway_call *call = state;
    (void)exchange;
    http_call_cancel(call->slot->http);
    upstream_slot_release(call->slot);
}

static void park_deadline(struct exchange *exchange, void *state)
{
    (void)exchange;
    (void)state;
    BUG("a request to the upstream is parked without a deadline of its own");
}

static const struct park_ops park_ops = {.deadline = park_deadline, .cancel = park_cancel};

static struct upstream_slot *slot_take(struct gateway_upstream *upstream)
{
    struct upstream_slot *slot = upstream->free_slots;
    if (slot != NULL) {
        upstream->free_slots = slot->next_free;
        return slot;
    }
    if (upstream->slot_count >= calls_max) {
        return NULL;
    }
    slot = calloc(1, sizeof(*slot));
    if (slot == NULL) {
        return NULL;
    }
    slot->upstream = upstream;
    if (http_call_new(upstream->client, upstream_done, slot, &slot->http) != STATUS_OK) {
        free(slot);
        return NULL;
    }
    slot->next = upstream->slots;
    upstream->slots = slot;
    upstream->slot_count++;
    return slot;
}

static const char *url_build(struct gateway_upstream *upstream, const struct http_request *request)
{
    struct buf *url = &upstream->url;
    url->len = upstream->base_len;
    buf_append_span(url, request->target);
    bool fits = buf_ok(url);
    url->failed = false;
    return fits ? buf_cstr(url) : NULL;
}

/* Headers that libcurl writes itself. */
static bool is_written_by_client(struct span name)
{
    return span_equal_nocase(name, SPAN_LIT("Host")) ||
           span_equal_nocase(name, SPAN_LIT("Content-Length"));
}

static bool accepts_what_is_undone(struct span coding)
{
    struct span name = span_trim(span_first(coding, span_find_byte(coding, ';')));
    return gateway_unpack_knows(name) || span_equal_nocase(name, SPAN_LIT("identity"));
}

/* DIFFERS: br, zstd, * and whatever else is not undone here is taken out of the Accept-Encoding
 * that goes to the upstream; API Gateway's tables pass that header on. An upstream that chose br
 * would be a network error here for a client that never sees how the upstream packs. */
static const char *accept_encoding_line(struct arena *arena, struct span wished)
{
    struct buf line;
    struct span coding;
    const char *separator = " ";
    const char *copy = NULL;
    buf_init(&line, 2 * HTTP_HEAD_BYTES_MAX);
    BUF_APPEND_LIT(&line, "Accept-Encoding:");
    while (span_next_part(&wished, ',', &coding)) {
        coding = span_trim(coding);
        if (coding.len > 0 && accepts_what_is_undone(coding)) {
            buf_append_cstr(&line, separator);
            buf_append_span(&line, coding);
            separator = ", ";
        }
    }
    if (separator[0] == ' ') {
        BUF_APPEND_LIT(&line, " identity");
    }
    if (buf_ok(&line)) {
        copy = arena_copy_cstr(arena, buf_span(&line));
    }
    buf_release(&line);
    return copy;
}

static const char *line_build(struct arena *arena, const struct http_header *header)
{
    if (header->value.len == 0) {
        /* libcurl's way to say a header without a value. */
        return arena_printf(arena, "%.*s;", SPAN_ARG(header->name));
    }
    if (span_equal_nocase(header->name, SPAN_LIT("Accept-Encoding"))) {
        return accept_encoding_line(arena, header->value);
    }
    return arena_printf(arena, "%.*s: %.*s", SPAN_ARG(header->name), SPAN_ARG(header->value));
}

static const char **lines_build(struct exchange *exchange)
{
    struct arena *arena = &exchange->arena;
    const struct http_request *request = &exchange->request;
    const char **lines = arena_alloc_array(arena, request->header_count + 2, sizeof(*lines));
    bool has_accept_encoding = false;
    size_t count = 0;
    for (size_t i = 0; lines != NULL && i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (is_written_by_client(header->name)) {
            continue;
        }
        has_accept_encoding =
            has_accept_encoding || span_equal_nocase(header->name, SPAN_LIT("Accept-Encoding"));
        lines[count] = line_build(arena, header);
        if (lines[count++] == NULL) {
            return NULL;
        }
    }
    if (lines != NULL && !has_accept_encoding) {
        lines[count] = "Accept-Encoding:"; /* the client's wishes, not libcurl's */
    }
    return lines;
}

static enum status upstream_slot_send(struct upstream_slot *slot, struct exchange *exchange,
                                      struct error *err)
{
    struct gateway_upstream *upstream = slot->upstream;
    struct http_request *request = &exchange->request;
    const char *method = arena_copy_cstr(&exchange->arena, request->method_name);
    const char *url = url_build(upstream, request);
    const char **lines = lines_build(exchange);
    if (method == NULL || url == NULL || lines == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a request to the upstream");
    }
    struct http_call_request http = {
        .method = method,
        .url = url,
        .headers = lines,
        .body = request->body,
        .has_body = request->body.len > 0,
        .timeout_ms = upstream->gateway->options.timeout_ms + backstop_ms,
    };
    return http_call_send(slot->http, &http, err);
}

/* A segment that would lead out of what the integration's URL points at; the path is decoded as far
 * as dots go. */
static bool path_has_dots(struct span path)
{
    struct span segment;
    while (span_next_part(&path, '/', &segment)) {
        if (span_equal(segment, SPAN_LIT(".")) || span_equal(segment, SPAN_LIT(".."))) {
            return true;
        }
    }
    return false;
}

enum handled gateway_upstream_forward(struct gateway_upstream *upstream, struct gateway_call *call)
{
    struct exchange *exchange = call->exchange;
    if (path_has_dots(exchange->request.path)) {
        return gateway_error_write(call->gateway, exchange, GATEWAY_ERROR_BAD_REQUEST,
                                   "a path with . or .. for a segment is not passed on");
    }
    struct upstream_slot *slot = slot_take(upstream);
    if (slot == NULL) {
        exchange_fail(exchange, EXCHANGE_OVERLOADED);
        return HANDLED;
    }
    slot->call = call;
    call->slot = slot;
    struct error err = ERROR_NONE;
    if (upstream_slot_send(slot, exchange, &err) != STATUS_OK) {
        upstream_slot_release(slot);
        LOG_WARNF(call->gateway->options.log, "gateway", "not sent to the upstream: %s",
                  err.message);
        return gateway_error_write(call->gateway, exchange, GATEWAY_ERROR_INTERNAL, NULL);
    }
    exchange_park(exchange, INT64_MAX, &park_ops, call);
    return PARKED;
}

/* --- life --- */

static enum status upstream_setup(struct gateway_upstream *upstream, struct error *err)
{
    const struct gateway_options *options = &upstream->gateway->options;
    struct span base = span_from_cstr(upstream->gateway->upstream_url);
    while (span_ends_with(base, SPAN_LIT("/"))) {
        base.len--;
    }
    buf_append_span(&upstream->url, base);
    upstream->base_len = base.len;
    if (!buf_ok(&upstream->url)) {
        return error_set(err, STATUS_CONFIG, "the upstream's URL is too long");
    }
    struct http_client_options client = {
        .connect_timeout_ms = options->timeout_ms + backstop_ms,
        .response_bytes_max = GATEWAY_BODY_BYTES_MAX,
        .budget = upstream->gateway->options.budget,
    };
    enum status status = http_client_new(options->env, &client, &upstream->client, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct http_client_loop loop = {
        .ctx = upstream, .watch = upstream_watch, .set_timer = upstream_timer_change};
    return http_client_attach(upstream->client, &loop);
}

enum status gateway_upstream_new(struct gateway *gateway, struct gateway_upstream **out,
                                 struct error *err)
{
    struct gateway_upstream *upstream = calloc(1, sizeof(*upstream));
    if (upstream == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the upstream");
    }
    upstream->gateway = gateway;
    upstream->timer.fire = upstream_timer_fired;
    buf_init(&upstream->url, url_bytes_max);
    enum status status = gateway_unpacker_init(&upstream->unpacker, gateway->options.timers,
                                               gateway->options.budget);
    status = status == STATUS_OK ? upstream_setup(upstream, err)
                                 : error_set(err, status, "no memory for the upstream");
    if (status != STATUS_OK) {
        gateway_upstream_free(upstream);
        return status;
    }
    *out = upstream;
    return STATUS_OK;
}

/* The loop must run once more for the sockets' memory; server_free does. */
void gateway_upstream_free(struct gateway_upstream *upstream)
{
    if (upstream == NULL) {
        return;
    }
    http_client_free(upstream->client);
    for (struct upstream_slot *slot = upstream->slots; slot != NULL; slot = slot->next) {
        gateway_unpack_end(&slot->unpacking);
    }
    gateway_unpacker_release(&upstream->unpacker);
    timer_clear(upstream->gateway->options.timers, &upstream->timer);
    while (upstream->sockets != NULL) {
        socket_unwatch(&upstream->sockets);
    }
    while (upstream->slots != NULL) {
        struct upstream_slot *slot = upstream->slots;
        upstream->slots = slot->next;
        free(slot);
    }
    buf_release(&upstream->url);
    free(upstream);
}
