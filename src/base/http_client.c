/* HTTP out, on libcurl's multi interface in its socket mode: libcurl says which sockets and which
 * timer it waits for, http_client_run polls those (or somebody's event loop does), and only handles
 * with news are touched. A call's request and its answer are http_call.c's.
 *
 * Invariant: a call is in flight exactly while its easy handle is in the multi handle; callbacks to
 * the user run with the call out of flight and outside libcurl, so that they may send it again. */
#include "http_client_internal.h"

#include "array.h"
#include "version.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum {
    default_connect_timeout_ms = 10 * 1000,
    default_timeout_ms = 60 * 1000,
    stop_slice_ms = 100, /* how long an interruption may go unnoticed */
    lost_ms = 1000,      /* behind a call's own limit it has been lost */
    default_response_bytes_max = 64 * 1024 * 1024,
    kept_body_bytes = 256 * 1024, /* a call's buffer between requests */
    ready_batch = 64,
    ready_stride = 8,
};

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
        http_call_finish(call, code);
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
    int64_t due_us =
        client->timer_due_us < client->lost_us ? client->timer_due_us : client->lost_us;
    int64_t timer_ms = (due_us - now_us + 999) / 1000;
    timer_ms = timer_ms > 0 ? timer_ms : 0;
    timer_ms = timer_ms < INT_MAX ? timer_ms : INT_MAX;
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
        return error_set(err, STATUS_NO_MEMORY, "no memory for libcurl's multi handle");
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
    client->timeout_ms = chosen.timeout_ms > 0 ? chosen.timeout_ms : default_timeout_ms;
    if (chosen.timeout_ms > 0 && chosen.timeout_ms < client->connect_timeout_ms) {
        client->connect_timeout_ms = chosen.timeout_ms;
    }
    client->silence_s = chosen.silence_s;
    client->response_bytes_max =
        chosen.response_bytes_max > 0 ? chosen.response_bytes_max : default_response_bytes_max;
    client->read_bytes = chosen.read_bytes;
    client->budget = chosen.budget;
    client->user_agent = user_agent_new(chosen.user_agent);
    enum status status = STATUS_OK;
    if (client->user_agent == NULL) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the user agent");
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
    http_call_set_up(call);
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
    http_call_forget(call);
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
    enum status status = http_call_apply(call, request, err);
    if (status != STATUS_OK) {
        return status;
    }
    http_call_forget(call);
    call->left = false;
    call->answering = false;
    call->crowded = false;
    call->too_large = false;
    call->out_of_memory = false;
    call->error_text[0] = '\0';
    call->sent_us = client->env->monotonic_us(client->env);
    CURLMcode code = client->curl.multi_add_handle(client->multi, call->easy);
    if (code != CURLM_OK) {
        /* Where it had no memory for the handle's timer only, it has the handle, and would send. */
        client->curl.multi_remove_handle(client->multi, call->easy);
        return error_set(err, STATUS_FAILED, "libcurl refuses the request: %s",
                         client->curl.multi_strerror(code));
    }
    call->in_flight = true;
    int64_t now_us = client->clock.monotonic_us(&client->clock);
    int64_t lost_us = now_us + (call->timeout_ms + lost_ms) * 1000;
    if (client->in_flight == 0 || lost_us > client->lost_us) {
        client->lost_us = lost_us;
    }
    client->in_flight++;
    return STATUS_OK;
}

const struct http_response *http_call_response(const struct http_call *call)
{
    return &call->response;
}

void http_call_forget(struct http_call *call)
{
    PP_ASSERT(!call->in_flight);
    buf_reset(&call->response.headers);
    buf_trim(&call->response.body, kept_body_bytes);
    if (call->counted > 0) {
        budget_note(call->client->budget, BUDGET_UPSTREAM, &call->counted, 0);
    }
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
    /* Every call has a timer, that of its limits. libcurl lost the one it had no memory for: at
     * once where it watches nothing either, else when the longest limit of all has passed. */
    bool waits_for_nothing = client->watched_count == 0 && client->timer_due_us == INT64_MAX;
    if (client->in_flight > 0 &&
        (waits_for_nothing || client->clock.monotonic_us(&client->clock) >= client->lost_us)) {
        client->out_of_memory = true;
    }
    return client->out_of_memory
               ? error_set(err, STATUS_NO_MEMORY, "no memory to wait for an answer")
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
        bool no_memory = out->body.no_memory || out->headers.no_memory;
        out->failure = no_memory ? HTTP_FAILURE_LOCAL : HTTP_FAILURE_TOO_LARGE;
        out->status = 0;
        if (no_memory) {
            snprintf(out->message, sizeof(out->message), "no memory for the answer");
        } else {
            snprintf(out->message, sizeof(out->message),
                     "the answer does not end within the %zu bytes that are taken", out->body.max);
        }
    }
}

enum status http_failure_status(enum http_failure failure)
{
    switch (failure) {
    case HTTP_FAILURE_NONE:
        return STATUS_OK;
    case HTTP_FAILURE_TIMEOUT:
        return STATUS_TIMED_OUT;
    case HTTP_FAILURE_TOO_LARGE:
        return STATUS_ENDLESS;
    case HTTP_FAILURE_CROWDED:
    case HTTP_FAILURE_LOCAL:
        return STATUS_FAILED;
    case HTTP_FAILURE_RESOLVE:
    case HTTP_FAILURE_REFUSED:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_BROKEN:
        break;
    }
    return STATUS_UNREACHABLE;
}

void http_client_stop_when(struct http_client *client, bool (*should_stop)(void *ctx), void *ctx)
{
    client->should_stop = should_stop;
    client->should_stop_ctx = ctx;
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
        status = http_client_run(client, client->should_stop != NULL ? stop_slice_ms : -1, err);
        if (status == STATUS_OK && !wait.over && client->should_stop != NULL &&
            client->should_stop(client->should_stop_ctx)) {
            status = error_set(err, STATUS_INTERRUPTED, "stopped");
        }
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
