/* The REST proxy in process, without sockets: a store in memory, a clock that stands still until
 * told otherwise, and requests as calls. Time moves only while a call waits (from timer to timer)
 * or by bench_advance_ms. */
#ifndef PINPIPE_REST_BENCH_H
#define PINPIPE_REST_BENCH_H

#include "kafka_rest.h"
#include "later_broker.h"
#include "store.h"
#include "topic_policy.h"
#include "turn.h"

struct bench_call;

struct bench {
    struct env env;
    struct log log;
    struct timer_heap timers;
    struct turn turn;
    struct store *store;
    struct broker *broker; /* the embedded one */
    bool answers_later;    /* the proxy's broker is `later`; set before bench_open */
    struct later_broker later;
    struct kafka_rest *rest;
    struct topic_policy policy;        /* u1, open; changed before bench_open */
    struct kafka_rest_options options; /* the same */
    struct bench_call *calls;          /* freed with the bench */
    bool fail_commits;                 /* while set, every COMMIT is rolled back */
    const char *content_type;          /* of the requests that follow; NULL: none */
};

/* One request and its answer. */
struct bench_call {
    struct bench_call *next;
    struct exchange exchange;
    struct http_header headers[4];
    char *target;
    struct buf streamed; /* what came in pieces */
    bool sent;
    int status;
    const char *body; /* NUL-terminated; "" when empty */
    const char *content_type;
    const char *hint;
};

void bench_init(struct bench *bench);
void bench_open(struct bench *bench); /* with topics u1.pin (1 partition) and wide (3) */
void bench_close(struct bench *bench);

/* Begins a request and ends the turn; it may be parked then (sent is false). accept and body may be
 * NULL. */
struct bench_call *bench_begin(struct bench *bench, const char *method_target, const char *accept,
                               const char *body);
/* The same, not ending the turn. */
struct bench_call *bench_begin_in_turn(struct bench *bench, const char *method_target,
                                       const char *accept, const char *body);
/* Runs from timer to timer until the answer is there. */
void bench_wait(struct bench *bench, struct bench_call *call);
/* begin and wait. */
struct bench_call *bench_call(struct bench *bench, const char *method_target, const char *accept,
                              const char *body);
/* Fires what is due now, then ends the turn. */
void bench_turn(struct bench *bench);
/* Lets time pass, firing each timer in its own turn. */
void bench_advance_ms(struct bench *bench, int64_t ms);
void bench_cancel(struct bench *bench, struct bench_call *call);

/* One record with this value (NULL: none) through the broker; not committed before the next turn
 * ends. */
void bench_append(struct bench *bench, const char *topic, int32_t partition, const char *key,
                  const char *value);
/* As above, and ends the turn. */
void bench_produce(struct bench *bench, const char *topic, int32_t partition, const char *value);

#endif
