/* Any service in process, without sockets: a store in memory, a broker, a Connect worker that works
 * at the end of each turn, a clock that stands still, requests as calls that are answered at once.
 * (The REST proxy has a bench of its own: its reads park.) */
#ifndef PINPIPE_TESTS_SERVICE_BENCH_H
#define PINPIPE_TESTS_SERVICE_BENCH_H

#include "broker.h"
#include "connect_worker.h"
#include "digest.h"
#include "exchange.h"
#include "store.h"
#include "turn.h"

enum { SERVICE_BENCH_HEADERS_MAX = 12 };

struct service_bench {
    struct env env;
    struct log log;
    struct timer_heap timers;
    struct turn turn;
    struct store *store;
    struct broker *broker;
    struct crypto *crypto;
    struct connect_worker *worker;
    const struct service *service; /* set by the test before its first call */
    struct exchange exchange;      /* of the last call; its answer lives until the next one */
    struct http_header headers[SERVICE_BENCH_HEADERS_MAX];
    char *request; /* the last call's bytes */
    bool sent;
    int status;
    const char *body;         /* NUL-terminated; "" when empty */
    const char *content_type; /* "" when there is none */
    const char *hint;         /* "" when there is none */
};

void service_bench_init(struct service_bench *bench); /* with topic u1.pin */
void service_bench_release(struct service_bench *bench);
/* One request, sent and answered, its turn committed: "POST /path?query", then "Name: value" lines
 * (NULL: Content-Type: application/json when there is a body), then the body (NULL: none). */
void service_bench_call(struct service_bench *bench, const char *method_target,
                        const char *header_lines, const char *body);
/* One record with this value to u1.pin, and the end of its turn. */
void service_bench_produce(struct service_bench *bench, const char *value);
/* The value of a header of the answer; "" when it has none. Static. */
const char *service_bench_header(const struct service_bench *bench, const char *name);

#endif
