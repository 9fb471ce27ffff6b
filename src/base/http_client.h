/* HTTP requests out, many at a time, on libcurl's multi interface, which is loaded on first use
 * (linked in, it would double every start). Keep-alive, no redirects, no proxies from the
 * environment unless the host is not loopback, TLS verified by the system's roots.
 *
 * A request leaves at most once: libcurl's own habit of sending again when a kept connection turns
 * out to be dead is refused (such a call ends BROKEN), because the server may have acted. */
#ifndef PINPIPE_HTTP_CLIENT_H
#define PINPIPE_HTTP_CLIENT_H

#include "budget.h"
#include "buf.h"
#include "env.h"
#include "error.h"

struct http_client;
struct http_call;

struct http_client_options {
    size_t connections_max;     /* kept open; 0: as many as calls in flight */
    int64_t connect_timeout_ms; /* 0: 10 s, or less when timeout_ms is */
    int64_t timeout_ms;         /* of a request that has none of its own; 0: 60 s */
    int64_t silence_s;          /* so long without a byte in either direction fails the call;
                                   0: as long as the request's time lasts */
    size_t response_bytes_max;  /* 0: 64 MiB; a longer answer fails the call */
    const char *user_agent;     /* NULL: "pinpipe/<version>" */
    size_t read_bytes;          /* taken from a socket at once; 0: libcurl's own, 16 KiB */
    struct budget *budget;      /* answers count in its share of the upstream; NULL: they do not */
};

/* A failure below HTTP. The distinction matters to a retry: REFUSED, RESOLVE and TLS mean
 * that nothing was sent; the others leave it open whether the server acted. */
enum http_failure {
    HTTP_FAILURE_NONE,
    HTTP_FAILURE_RESOLVE,
    HTTP_FAILURE_REFUSED,
    HTTP_FAILURE_TLS,
    HTTP_FAILURE_TIMEOUT,
    HTTP_FAILURE_BROKEN, /* reset, closed early, malformed answer */
    HTTP_FAILURE_TOO_LARGE,
    HTTP_FAILURE_CROWDED, /* the answers of all calls take too much memory */
    HTTP_FAILURE_LOCAL,   /* out of memory, libcurl missing, bad URL */
};

struct http_response {
    enum http_failure failure;
    int status;         /* 0 when failure is set */
    struct buf headers; /* "name: value\r\n" lines of the final answer, as received */
    struct buf body;
    char message[256]; /* words on a failure; on TIMEOUT they say what did not come */
    int64_t total_us;
};

/* Called from http_client_run when the call has ended; the response is the call's, valid until it
 * is sent again or freed. The call may be sent again from inside the callback. */
typedef void (*http_done_fn)(void *ctx, struct http_call *call,
                             const struct http_response *response);

enum status http_client_new(struct env *env, const struct http_client_options *options,
                            struct http_client **out, struct error *err) PP_MUST_USE;
/* Frees the client with its calls, whose callbacks do not run. */
void http_client_free(struct http_client *client);

/* A call is reusable: its handle and buffers are kept, one request at a time. */
enum status http_call_new(struct http_client *client, http_done_fn done, void *ctx,
                          struct http_call **out) PP_MUST_USE;
/* Cancels it first. Allowed inside its own callback. */
void http_call_free(struct http_call *call);

enum {
    HTTP_CLIENT_HEADERS_MAX = 128,
    HTTP_CLIENT_HEADER_BYTES_MAX = 64 * 1024, /* of a request, and of an answer */
};

struct http_call_request {
    const char *method; /* "GET", "POST", ... */
    const char *url;
    /* "Name: value" lines, NULL-terminated; may be NULL. As in libcurl "Name:" leaves out a header
     * that would be sent by default (Accept, User-Agent), "Name;" sends one without a value. */
    const char *const *headers;
    struct span body; /* borrowed until done; sent when has_body */
    bool has_body;
    int64_t timeout_ms; /* for all of it; 0: the client's */
};
/* Everything but the body is copied. INVALID names what is wrong with the request; it is then not
 * in flight and no callback comes. */
enum status http_call_send(struct http_call *call, const struct http_call_request *request,
                           struct error *err) PP_MUST_USE;
/* The answer of the call that has ended last, until it is sent again or forgotten. */
const struct http_response *http_call_response(const struct http_call *call);
/* Ends it without a callback. */
void http_call_cancel(struct http_call *call);
/* The answer is not looked at any more: gives back what it took. Not while in flight. */
void http_call_forget(struct http_call *call);

/* Moves everything in flight on, waiting at most timeout_ms (-1: as long as it takes) for something
 * to happen; returns at once when nothing is in flight, and early when a signal comes. */
enum status http_client_run(struct http_client *client, int timeout_ms,
                            struct error *err) PP_MUST_USE;
size_t http_client_in_flight(const struct http_client *client);

/* The response of http_client_request is its caller's: initialised before, released in the end. */
void http_response_init(struct http_response *response, size_t body_bytes_max);
void http_response_release(struct http_response *response);
/* The status that a failure means: TIMED_OUT, ENDLESS, UNREACHABLE or FAILED. */
enum status http_failure_status(enum http_failure failure);
/* From now on http_client_request ends with INTERRUPTED soon after should_stop says yes. NULL: it
 * does not ask. */
void http_client_stop_when(struct http_client *client, bool (*should_stop)(void *ctx), void *ctx);
/* Sends one request and waits for its end. */
enum status http_client_request(struct http_client *client, const struct http_call_request *request,
                                struct http_response *response, struct error *err) PP_MUST_USE;
/* Value of a response header, case-insensitive; empty when absent. */
struct span http_response_header(const struct http_response *response, const char *name);

/* An event loop of its own (the gateway's upstream) takes these instead of http_client_run. libcurl
 * tells through `watch` which sockets to watch for what (events 0: stop) and through `set_timer`
 * when to call http_client_on_timer (-1: not at all). */
struct http_client_loop {
    void *ctx;
    void (*watch)(void *ctx, int socket_fd, bool readable, bool writable);
    void (*set_timer)(void *ctx, int64_t timeout_ms);
};
/* Before the first call; the callbacks must not call back into the client. */
enum status http_client_attach(struct http_client *client,
                               const struct http_client_loop *loop) PP_MUST_USE;
void http_client_on_socket(struct http_client *client, int socket_fd, bool readable, bool writable);
void http_client_on_timer(struct http_client *client);

#endif
