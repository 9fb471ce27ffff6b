/* HTTP out, on libcurl's multi interface in its socket mode: libcurl says which sockets and which
 * timer it waits for, http_client_run polls those (or somebody's event loop does), and only handles
 * with news are touched. An easy handle belongs to a call for life and an option is set only when
 * it changes, so a repeated POST costs one pointer and one length.
 *
 * Divisions: requests (what to send), answers (libcurl's callbacks), the multi handle
 * (sockets, timer, endings), public functions.
 *
 * Invariant: a call is in flight exactly while its easy handle is in the multi handle; callbacks to
 * the user run with the call out of flight and outside libcurl, so that they may send it again. */
#include "http_client.h"

#include "array.h"
#include "curl_library.h"
#include "http_header_list.h"
#include "url.h"
#include "version.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    default_connect_timeout_ms = 10 * 1000,
    default_timeout_ms = 60 * 1000,
    default_response_bytes_max = 64 * 1024 * 1024,
    kept_body_bytes = 256 * 1024, /* a call's buffer between requests */
    method_bytes_max = 24,
    url_bytes_max = 64 * 1024,
    ready_batch = 64,
    ready_stride = 8,
};

struct http_call {
    struct http_client *client;
    struct http_call *next;
    struct http_call *previous;
    CURL *easy;
    http_done_fn done;
    void *ctx;
    bool in_flight;
    bool left; /* the request has gone out once */
    int64_t sent_us;

    /* The request that the easy handle is set to. */
    char method[method_bytes_max];
    bool method_for_body;
    char *url;
    int64_t timeout_ms;
    struct http_header_list headers;

    struct http_response response;
    bool too_large;
    bool out_of_memory;
    char error_text[CURL_ERROR_SIZE];
};

struct http_client {
    struct curl_library curl;
    CURLM *multi;
    struct env *env;
    struct env clock; /* libcurl's timer runs on the machine's clock, whatever env's is */
    char *user_agent;
    int64_t connect_timeout_ms;
    size_t response_bytes_max;
    size_t read_bytes;
    bool decode;
    struct http_call *calls;
    size_t in_flight;

    bool attached;
    struct http_client_loop loop;
    struct pollfd *watched;
    size_t watched_count;
    size_t watched_cap;
    int64_t timer_due_us;
    bool out_of_memory;
    bool dispatching;
};

/* --- requests -------------------------------------------------------------------------------- */

static bool host_is_loopback(struct span host)
{
    return span_equal_nocase(host, SPAN_LIT("localhost")) ||
           span_ends_with(host, SPAN_LIT(".localhost")) ||
           span_starts_with(host, SPAN_LIT("127.")) || span_equal(host, SPAN_LIT("::1")) ||
           span_equal(host, SPAN_LIT("0.0.0.0"));
}

static enum status url_apply(struct http_call *call, const char *text, struct error *err)
{
    if (call->url != NULL && strcmp(call->url, text) == 0) {
        return STATUS_OK;
    }
    struct url url;
    struct span span = span_from_cstr(text);
    if (span.len > url_bytes_max) {
        return error_set(err, STATUS_LIMIT, "a URL of %zu bytes: the limit is %d", span.len,
                         url_bytes_max);
    }
    if (!url_parse(span, &url)) {
        return error_set(err, STATUS_INVALID, "\"%s\" is not an http or https URL", text);
    }
    char *copy = malloc(span.len + 1);
    if (copy == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a URL");
    }
    memcpy(copy, text, span.len + 1);
    free(call->url);
    call->url = NULL;
    const struct curl_library *curl = &call->client->curl;
    /* "" switches proxies off, NULL lets http_proxy and its kin speak. */
    const char *proxy = host_is_loopback(url.host) ? "" : NULL;
    if (curl->easy_setopt(call->easy, CURLOPT_URL, copy) != CURLE_OK ||
        curl->easy_setopt(call->easy, CURLOPT_PROXY, proxy) != CURLE_OK) {
        free(copy);
        return error_set(err, STATUS_NO_MEMORY, "libcurl refuses the URL \"%s\"", text);
    }
    call->url = copy;
    return STATUS_OK;
}

static bool method_is_token(const char *method)
{
    size_t len = strlen(method);
    return len > 0 && len < method_bytes_max &&
           strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_") == len;
}

/* Methods whose requests name a length even when it is 0. */
static bool method_names_length(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static enum status method_apply(struct http_call *call, const char *method, bool has_body,
                                struct error *err)
{
    if (call->method[0] != '\0' && strcmp(call->method, method) == 0 &&
        call->method_for_body == has_body) {
        return STATUS_OK;
    }
    bool is_head = strcmp(method, "HEAD") == 0;
    if (!method_is_token(method) || (is_head && has_body)) {
        return error_set(err, STATUS_INVALID, "\"%s\"%s is not a request this client can make",
                         method, has_body ? " with a body" : "");
    }
    const struct curl_library *curl = &call->client->curl;
    bool is_post = strcmp(method, "POST") == 0;
    bool as_post = has_body || method_names_length(method);
    const char *custom =
        (as_post && is_post) || (!as_post && strcmp(method, "GET") == 0) || is_head ? NULL : method;
    CURLoption verb = is_head ? CURLOPT_NOBODY : as_post ? CURLOPT_POST : CURLOPT_HTTPGET;
    if (curl->easy_setopt(call->easy, verb, 1L) != CURLE_OK ||
        curl->easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, custom) != CURLE_OK) {
        call->method[0] = '\0';
        return error_set(err, STATUS_NO_MEMORY, "libcurl refuses the method %s", method);
    }
    if (as_post && !has_body) {
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDS, "");
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
    }
    memcpy(call->method, method, strlen(method) + 1);
    call->method_for_body = has_body;
    return STATUS_OK;
}

static enum status headers_apply(struct http_call *call, const struct http_call_request *request,
                                 struct error *err)
{
    bool for_body = request->has_body || method_names_length(request->method);
    if (http_header_list_matches(&call->headers, request->headers, for_body)) {
        return STATUS_OK;
    }
    enum status status = http_header_list_build(&call->headers, request->headers, for_body, err);
    if (status == STATUS_OK) {
        call->client->curl.easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers.nodes);
    }
    return status;
}

static enum status request_apply(struct http_call *call, const struct http_call_request *request,
                                 struct error *err)
{
    const struct curl_library *curl = &call->client->curl;
    enum status status = url_apply(call, request->url, err);
    if (status == STATUS_OK) {
        status = method_apply(call, request->method, request->has_body, err);
    }
    if (status == STATUS_OK) {
        status = headers_apply(call, request, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (request->has_body) {
        const char *bytes = request->body.len > 0 ? request->body.ptr : "";
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDS, bytes);
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : default_timeout_ms;
    if (timeout_ms != call->timeout_ms) {
        curl->easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
        call->timeout_ms = timeout_ms;
    }
    return STATUS_OK;
}

/* --- answers --------------------------------------------------------------------------------- */

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t len = size * count;
    struct span line = span_from(bytes, len);
    if (span_starts_with(line, SPAN_LIT("HTTP/"))) {
        buf_reset(&call->response.headers); /* what came before was a 1xx */
    } else if (span_trim(line).len > 0) {
        buf_append_span(&call->response.headers, line);
    }
    if (!buf_ok(&call->response.headers)) {
        call->too_large = true;
        return 0;
    }
    return len;
}

static size_t curl_on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    struct buf *body = &call->response.body;
    size_t len = size * count;
    buf_append(body, bytes, len);
    if (!buf_ok(body)) {
        call->too_large = len > body->max - body->len;
        call->out_of_memory = !call->too_large;
        return 0;
    }
    return len;
}

/* Runs before each sending; a second time means that libcurl sends again by itself. */
static int on_leaving(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
    struct http_call *call = ctx;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (call->left) {
        return CURL_PREREQFUNC_ABORT;
    }
    call->left = true;
    return CURL_PREREQFUNC_OK;
}

struct failure_entry {
    CURLcode code;
    enum http_failure failure;
};

/* A failure that is not listed is BROKEN: the careful reading, because the server may have acted.
 */
static const struct failure_entry failures[] = {
    {CURLE_OK, HTTP_FAILURE_NONE},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_FAILURE_RESOLVE},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_FAILURE_RESOLVE},
    {CURLE_COULDNT_CONNECT, HTTP_FAILURE_REFUSED},
    {CURLE_INTERFACE_FAILED, HTTP_FAILURE_REFUSED},
    {CURLE_SSL_CONNECT_ERROR, HTTP_FAILURE_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_FAILURE_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_FAILURE_TLS},
    {CURLE_SSL_CIPHER, HTTP_FAILURE_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_FAILURE_TLS},
    {CURLE_SSL_ENGINE_INITFAILED, HTTP_FAILURE_TLS},
    {CURLE_USE_SSL_FAILED, HTTP_FAILURE_TLS},
    {CURLE_OPERATION_TIMEDOUT, HTTP_FAILURE_TIMEOUT},
    {CURLE_FILESIZE_EXCEEDED, HTTP_FAILURE_TOO_LARGE},
    {CURLE_OUT_OF_MEMORY, HTTP_FAILURE_LOCAL},
    {CURLE_FAILED_INIT, HTTP_FAILURE_LOCAL},
    {CURLE_NOT_BUILT_IN, HTTP_FAILURE_LOCAL},
    {CURLE_URL_MALFORMAT, HTTP_FAILURE_LOCAL},
};

/* When a kept connection dies after the request has gone out on it, libcurl connects anew by
 * itself; should that fail, it reports how, though the server may have acted on what left before.
 */
static bool failure_means_unsent(enum http_failure failure)
{
    return failure == HTTP_FAILURE_REFUSED || failure == HTTP_FAILURE_RESOLVE ||
           failure == HTTP_FAILURE_TLS;
}

static enum http_failure failure_of(const struct http_call *call, CURLcode code)
{
    if (call->too_large) {
        return HTTP_FAILURE_TOO_LARGE;
    }
    if (call->out_of_memory) {
        return HTTP_FAILURE_LOCAL;
    }
    enum http_failure failure = HTTP_FAILURE_BROKEN;
    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        if (failures[i].code == code) {
            failure = failures[i].failure;
            break;
        }
    }
    return call->left && failure_means_unsent(failure) ? HTTP_FAILURE_BROKEN : failure;
}

static void message_write(const struct http_call *call, CURLcode code, char *out, size_t size)
{
    const char *text = call->error_text;
    if (call->too_large) {
        text = "the answer is larger than this client takes";
    } else if (call->out_of_memory) {
        text = "no memory for the answer";
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        text = "the connection was closed before an answer came";
    } else if (text[0] == '\0') {
        text = call->client->curl.easy_strerror(code);
    }
    size_t len = strlen(text);
    len = len < size ? len : size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

static void response_finish(struct http_call *call, CURLcode code)
{
    struct http_client *client = call->client;
    struct http_response *response = &call->response;
    response->total_us = client->env->monotonic_us(client->env) - call->sent_us;
    response->failure = failure_of(call, code);
    response->status = 0;
    response->message[0] = '\0';
    if (response->failure == HTTP_FAILURE_NONE) {
        long status = 0;
        client->curl.easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
    } else {
        message_write(call, code, response->message, sizeof(response->message));
    }
}

/* --- the multi handle ------------------------------------------------------------------------ */

static struct pollfd *watched_find(struct http_client *client, int socket_fd)
{
    for (size_t i = 0; i < client->watched_count; i++) {
        if (client->watched[i].fd == socket_fd) {
            return &client->watched[i];
        }
    }
    return NULL;
}

static void watched_set(struct http_client *client, int socket_fd, short events)
{
    struct pollfd *slot = watched_find(client, socket_fd);
    if (slot == NULL && events != 0) {
        if (ARRAY_RESERVE(client->watched, client->watched_cap, client->watched_count + 1,
                          ARRAY_NO_MAX) != STATUS_OK) {
            client->out_of_memory = true;
            return;
        }
        slot = &client->watched[client->watched_count++];
        slot->fd = socket_fd;
    }
    if (slot != NULL && events != 0) {
        slot->events = events;
        slot->revents = 0;
    } else if (slot != NULL) {
        *slot = client->watched[--client->watched_count];
    }
}

static int curl_on_watch(CURL *easy, curl_socket_t socket_fd, int what, void *ctx, void *unused)
{
    struct http_client *client = ctx;
    (void)easy;
    (void)unused;
    bool readable = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
    bool writable = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
    if (client->attached) {
        client->loop.watch(client->loop.ctx, socket_fd, readable, writable);
    } else {
        watched_set(client, socket_fd, (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0)));
    }
    return 0;
}

static int curl_on_timer_change(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http_client *client = ctx;
    (void)multi;
    if (client->attached) {
        client->loop.set_timer(client->loop.ctx, timeout_ms);
    } else {
        client->timer_due_us = timeout_ms < 0 ? INT64_MAX
                                              : client->clock.monotonic_us(&client->clock) +
                                                    (int64_t)timeout_ms * 1000;
    }
    return 0;
}

static void call_end(struct http_call *call)
{
    call->client->curl.multi_remove_handle(call->client->multi, call->easy);
    call->in_flight = false;
    call->client->in_flight--;
}

/* Tells the users of the calls that have ended; true when there was one. */
static bool endings_dispatch(struct http_client *client)
{
    bool any = false;
    int left;
    CURLMsg *message;
    client->dispatching = true;
    while ((message = client->curl.multi_info_read(client->multi, &left)) != NULL) {
        char *owner = NULL;
        CURLcode code = message->data.result; /* the message dies with the removal below */
        client->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
        struct http_call *call = (struct http_call *)(void *)owner;
        call_end(call);
        response_finish(call, code);
        any = true;
        call->done(call->ctx, call, &call->response); /* may free the call */
    }
    client->dispatching = false;
    return any;
}

static void timer_run(struct http_client *client)
{
    int running;
    client->timer_due_us = INT64_MAX;
    client->curl.multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static int wait_ms(const struct http_client *client, int64_t now_us, int timeout_ms)
{
    if (client->timer_due_us == INT64_MAX) {
        return timeout_ms;
    }
    int64_t timer_ms = (client->timer_due_us - now_us + 999) / 1000;
    timer_ms = timer_ms > 0 ? timer_ms : 0;
    return timeout_ms < 0 || timer_ms < timeout_ms ? (int)timer_ms : timeout_ms;
}

/* The list is copied first: acting on one socket changes it. A socket that is gone by its turn is
 * ignored by libcurl. After every few sockets the calls that ended are told and what they send
 * leaves, so that the server works while the rest of its answers are read. */
static void sockets_run(struct http_client *client)
{
    struct pollfd ready[ready_batch];
    size_t count = 0;
    for (size_t i = 0; i < client->watched_count && count < ready_batch; i++) {
        if (client->watched[i].revents != 0) {
            ready[count++] = client->watched[i];
        }
    }
    for (size_t i = 0; i < count; i++) {
        int events = (ready[i].revents & POLLIN) != 0 ? CURL_CSELECT_IN : 0;
        events |= (ready[i].revents & POLLOUT) != 0 ? CURL_CSELECT_OUT : 0;
        if ((ready[i].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) {
            events |= CURL_CSELECT_IN | CURL_CSELECT_OUT; /* reading or writing will tell */
        }
        int running;
        client->curl.multi_socket_action(client->multi, ready[i].fd, events, &running);
        if (i % ready_stride == ready_stride - 1 && endings_dispatch(client)) {
            timer_run(client);
        }
    }
}

static enum status multi_setup(struct http_client *client, size_t connections_max,
                               struct error *err)
{
    const struct curl_library *curl = &client->curl;
    client->multi = curl->multi_init();
    if (client->multi == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "libcurl cannot make a multi handle");
    }
    curl->multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, curl_on_watch);
    curl->multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    curl->multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, curl_on_timer_change);
    curl->multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    curl->multi_setopt(client->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    if (connections_max > 0) {
        curl->multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)connections_max);
    }
    return STATUS_OK;
}

static char *user_agent_new(const char *wanted)
{
    struct buf text;
    buf_init(&text, 256);
    if (wanted != NULL) {
        buf_append_cstr(&text, wanted);
    } else {
        buf_printf(&text, "pinpipe/%s", pinpipe_version);
    }
    if (!buf_ok(&text)) {
        buf_release(&text);
        return NULL;
    }
    return text.ptr; /* detached: the caller frees it */
}

/* --- public functions ------------------------------------------------------------------------ */

enum status http_client_new(struct env *env, const struct http_client_options *options,
                            struct http_client **out, struct error *err)
{
    struct http_client_options chosen = {.user_agent = NULL};
    if (options != NULL) {
        chosen = *options;
    }
    struct http_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for an HTTP client");
    }
    client->env = env;
    env_init_seeded(&client->clock, 0);
    client->timer_due_us = INT64_MAX;
    client->connect_timeout_ms =
        chosen.connect_timeout_ms > 0 ? chosen.connect_timeout_ms : default_connect_timeout_ms;
    client->response_bytes_max =
        chosen.response_bytes_max > 0 ? chosen.response_bytes_max : default_response_bytes_max;
    client->read_bytes = chosen.read_bytes;
    client->decode = chosen.decode;
    client->user_agent = user_agent_new(chosen.user_agent);
    enum status status = STATUS_OK;
    if (client->user_agent == NULL) {
        status = error_set(err, STATUS_NO_MEMORY, "the user agent is too long");
    }
    if (status == STATUS_OK) {
        status = curl_library_open(&client->curl, err);
    }
    if (status == STATUS_OK) {
        status = multi_setup(client, chosen.connections_max, err);
    }
    if (status != STATUS_OK) {
        http_client_free(client);
        return status;
    }
    *out = client;
    return STATUS_OK;
}

void http_client_free(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->calls != NULL) {
        http_call_free(client->calls);
    }
    if (client->multi != NULL) {
        client->curl.multi_cleanup(client->multi);
    }
    curl_library_close(&client->curl);
    free(client->watched);
    free(client->user_agent);
    free(client);
}

static void easy_setup(struct http_call *call)
{
    struct http_client *client = call->client;
    const struct curl_library *curl = &client->curl;
    CURL *easy = call->easy;
    curl->easy_setopt(easy, CURLOPT_PRIVATE, (void *)call);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error_text);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    curl->easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)client->response_bytes_max);
    curl->easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, client->decode ? "" : NULL);
    if (client->read_bytes > 0) {
        curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)client->read_bytes);
    }
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_leaving);
    curl->easy_setopt(easy, CURLOPT_PREREQDATA, call);
}

enum status http_call_new(struct http_client *client, http_done_fn done, void *ctx,
                          struct http_call **out)
{
    struct http_call *call = calloc(1, sizeof(*call));
    if (call == NULL) {
        return STATUS_NO_MEMORY;
    }
    call->client = client;
    call->done = done;
    call->ctx = ctx;
    call->easy = client->curl.easy_init();
    if (call->easy == NULL) {
        free(call);
        return STATUS_NO_MEMORY;
    }
    http_response_init(&call->response, client->response_bytes_max);
    easy_setup(call);
    call->next = client->calls;
    if (client->calls != NULL) {
        client->calls->previous = call;
    }
    client->calls = call;
    *out = call;
    return STATUS_OK;
}

void http_call_free(struct http_call *call)
{
    if (call == NULL) {
        return;
    }
    http_call_cancel(call);
    if (call->next != NULL) {
        call->next->previous = call->previous;
    }
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        call->client->calls = call->next;
    }
    call->client->curl.easy_cleanup(call->easy);
    http_header_list_release(&call->headers);
    http_response_release(&call->response);
    free(call->url);
    free(call);
}

enum status http_call_send(struct http_call *call, const struct http_call_request *request,
                           struct error *err)
{
    PP_ASSERT(!call->in_flight);
    struct http_client *client = call->client;
    enum status status = request_apply(call, request, err);
    if (status != STATUS_OK) {
        return status;
    }
    buf_reset(&call->response.headers);
    buf_trim(&call->response.body, kept_body_bytes);
    call->left = false;
    call->too_large = false;
    call->out_of_memory = false;
    call->error_text[0] = '\0';
    call->sent_us = client->env->monotonic_us(client->env);
    CURLMcode code = client->curl.multi_add_handle(client->multi, call->easy);
    if (code != CURLM_OK) {
        return error_set(err, STATUS_FAILED, "libcurl refuses the request: %s",
                         client->curl.multi_strerror(code));
    }
    call->in_flight = true;
    client->in_flight++;
    return STATUS_OK;
}

void http_call_cancel(struct http_call *call)
{
    if (call != NULL && call->in_flight) {
        call_end(call);
    }
}

enum status http_client_run(struct http_client *client, int timeout_ms, struct error *err)
{
    PP_ASSERT(!client->attached && !client->dispatching);
    if (client->in_flight == 0) {
        return STATUS_OK;
    }
    int64_t now_us = client->clock.monotonic_us(&client->clock);
    if (client->timer_due_us <= now_us) {
        timer_run(client); /* what was sent since the last run leaves here */
        if (endings_dispatch(client)) {
            timeout_ms = 0;
        }
    }
    int ready =
        poll(client->watched, (nfds_t)client->watched_count, wait_ms(client, now_us, timeout_ms));
    if (ready < 0 && errno != EINTR) {
        return error_set_errno(err, errno, "cannot wait for %zu sockets", client->watched_count);
    }
    if (ready > 0) {
        sockets_run(client);
    }
    if (client->timer_due_us <= client->clock.monotonic_us(&client->clock)) {
        timer_run(client);
    }
    endings_dispatch(client);
    return client->out_of_memory ? error_set(err, STATUS_NO_MEMORY, "no memory to watch a socket")
                                 : STATUS_OK;
}

size_t http_client_in_flight(const struct http_client *client)
{
    return client->in_flight;
}

struct request_wait {
    struct http_response *response;
    bool over;
};

static void on_request_done(void *ctx, struct http_call *call, const struct http_response *response)
{
    struct request_wait *wait = ctx;
    struct http_response *out = wait->response;
    (void)call;
    wait->over = true;
    buf_reset(&out->headers);
    buf_reset(&out->body);
    buf_append_span(&out->headers, buf_span(&response->headers));
    buf_append_span(&out->body, buf_span(&response->body));
    out->failure = response->failure;
    out->status = response->status;
    out->total_us = response->total_us;
    memcpy(out->message, response->message, sizeof(out->message));
    if (!buf_ok(&out->body) || !buf_ok(&out->headers)) {
        static const char too_large[] = "the answer is larger than this client takes";
        out->failure = HTTP_FAILURE_TOO_LARGE;
        out->status = 0;
        memcpy(out->message, too_large, sizeof(too_large));
    }
}

enum status http_client_request(struct http_client *client, const struct http_call_request *request,
                                struct http_response *response, struct error *err)
{
    struct request_wait wait = {.response = response};
    struct http_call *call;
    if (http_call_new(client, on_request_done, &wait, &call) != STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a request");
    }
    enum status status = http_call_send(call, request, err);
    while (status == STATUS_OK && !wait.over) {
        status = http_client_run(client, -1, err);
    }
    http_call_free(call);
    return status;
}

enum status http_client_attach(struct http_client *client, const struct http_client_loop *loop)
{
    if (client->in_flight > 0 || client->watched_count > 0) {
        return STATUS_BUSY;
    }
    client->loop = *loop;
    client->attached = true;
    return STATUS_OK;
}

void http_client_on_socket(struct http_client *client, int socket_fd, bool readable, bool writable)
{
    int running;
    int events = (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0);
    client->curl.multi_socket_action(client->multi, socket_fd, events, &running);
    endings_dispatch(client);
}

void http_client_on_timer(struct http_client *client)
{
    timer_run(client);
    endings_dispatch(client);
}
