/* Private to http_client.c (the multi handle, the public functions) and http_call.c (a call's
 * request and answer), which stands below it. */
#ifndef PINPIPE_HTTP_CLIENT_INTERNAL_H
#define PINPIPE_HTTP_CLIENT_INTERNAL_H

#include "curl_library.h"
#include "http_client.h"
#include "http_header_list.h"

enum { HTTP_METHOD_BYTES_MAX = 24 };

struct http_call {
    struct http_client *client;
    struct http_call *next;
    struct http_call *previous;
    CURL *easy;
    http_done_fn done;
    void *ctx;
    bool in_flight;
    bool left;      /* the request has gone out once */
    bool answering; /* a status line has come that is not 1xx */
    int64_t sent_us;

    /* The request that the easy handle is set to. */
    char method[HTTP_METHOD_BYTES_MAX];
    bool method_for_body;
    char *url;
    bool host_is_loopback;
    int64_t timeout_ms;
    struct http_header_list headers;

    struct http_response response;
    size_t counted; /* in the client's budget */
    bool crowded;
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
    int64_t timeout_ms;
    int64_t silence_s;
    bool (*should_stop)(void *ctx);
    void *should_stop_ctx;
    size_t response_bytes_max;
    size_t read_bytes;
    struct budget *budget;
    struct http_call *calls;
    size_t in_flight;

    bool attached;
    struct http_client_loop loop;
    struct pollfd *watched;
    size_t watched_count;
    size_t watched_cap;
    int64_t timer_due_us;
    int64_t lost_us; /* by then every call in flight has ended by its own limit */
    bool out_of_memory;
    bool dispatching;
};

/* The options of a new easy handle that no request changes. */
void http_call_set_up(struct http_call *call);
/* Sets the easy handle to the request; INVALID, LIMIT or NO_MEMORY when that cannot be. */
enum status http_call_apply(struct http_call *call, const struct http_call_request *request,
                            struct error *err) PP_MUST_USE;
/* Fills the response's facts when libcurl has ended the call. */
void http_call_finish(struct http_call *call, CURLcode code);

#endif
