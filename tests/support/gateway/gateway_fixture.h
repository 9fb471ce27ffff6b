/* The gateway in front of a backend that records what it gets and answers as told, on a clock that
 * stands still. No sockets: requests go in as values, replies come out of the turn. */
#ifndef PINPIPE_GATEWAY_FIXTURE_H
#define PINPIPE_GATEWAY_FIXTURE_H

#include "gateway.h"
#include "turn.h"

/* 2021-02-05 19:14:42 UTC */
#define GATEWAY_FIXTURE_START_US (INT64_C(1612552482) * 1000000)

enum { texts_max = 8192, headers_max = 16 };

struct backend {
    struct service service;
    int calls;
    int cancelled;
    int lost; /* answers that did not leave */
    bool park;
    struct exchange *parked;
    /* What to answer. */
    int status;
    const char *content_type;
    const char *lines;
    const char *hint;
    struct span body;
    /* What came in. */
    char method[32];
    char path[texts_max];
    char query[texts_max];
    char host[128];
    char headers[texts_max]; /* "Name: value\n" */
    char body_seen[texts_max];
    size_t body_len;
    void *test; /* its own */
};

struct fixture {
    struct env env;
    struct timer_heap timers;
    struct log log;
    struct turn turn;
    struct backend backend;
    struct gateway *gateway;
    struct exchange exchange;
    int sent;
    struct http_header headers[headers_max];
};

struct call {
    const char *method;
    const char *target;
    const char *headers[headers_max]; /* "Name: value" */
    const char *body;
};

int gateway_fixture_setup(void **state);
int gateway_fixture_teardown(void **state);

/* With a NUL; fails the test when it does not fit. */
void copy_span(char *out, size_t size, struct span text);
/* Fills the reply as the backend was told to. */
void backend_answer(struct backend *b, struct exchange *exchange);
/* Another gateway instead of the present one. */
void gateway_begin(struct fixture *f, const struct gateway_options *options);
struct gateway_options gateway_default_options(struct fixture *f);
/* Hands it in; answered (and out of the turn) unless the backend parks it. */
void gateway_hand_in(struct fixture *f, const struct call *call);
/* The same without headers and body. */
void gateway_ask(struct fixture *f, const char *method, const char *target);
struct span reply_header(const struct fixture *f, const char *name);
void assert_reply_header(const struct fixture *f, const char *name, const char *value);
void assert_body(const struct fixture *f, const char *text);
bool hint_says(const struct fixture *f, const char *words);
/* The ids and the Date that each answer carries. */
void assert_identity(const struct fixture *f);
/* One of the gateway's own errors, whole. */
void assert_error(const struct fixture *f, int status, const char *type, const char *body);

#endif
