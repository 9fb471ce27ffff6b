/* The Confluent Kafka REST Proxy, v2 (and v3 as far as topics and groups): specs/kafka-rest-v2.md.
 * Routes are in kafka_rest_service.c; negotiation, codecs, produce, metadata, consumers and v3 have
 * a file each. */
#ifndef PINPIPE_KAFKA_REST_H
#define PINPIPE_KAFKA_REST_H

#include "broker.h"
#include "exchange.h"

struct budget;
struct kafka_rest;
struct undo_log;

enum kafka_rest_first_poll { FIRST_POLL_EMPTY, FIRST_POLL_EAGER };

struct kafka_rest_options {
    struct broker *broker;
    struct undo_log *undo; /* of the turns in which answers are given */
    struct timer_heap *timers;
    struct budget *budget; /* of what consumers and waiting reads remember; NULL: none */
    struct env *env;
    struct log *log;
    bool lenient; /* accept application/json for v2 as the embedded JSON format */
    enum kafka_rest_first_poll first_poll;
    const struct topic_policy *policy; /* borrowed */
    const char *advertised_url;        /* NULL: base_uri from the Host header */
    /* DIFFERS: a produce to a missing topic is refused at once (0); the real proxy takes 60 s a
     * record, which `serve --missing-topic-delay 60000` imitates. */
    int64_t missing_topic_delay_ms;
};

enum status kafka_rest_new(const struct kafka_rest_options *options, struct kafka_rest **out,
                           struct error *err) PP_MUST_USE;
void kafka_rest_free(struct kafka_rest *rest);
/* What the listener and the gateway call. */
const struct service *kafka_rest_service(struct kafka_rest *rest);

/* The row of mock_server/services.c. */
struct host;
enum status kafka_rest_open(const struct host *host, void **out, struct error *err) PP_MUST_USE;
const void *kafka_rest_face(void *rest);
void kafka_rest_close(void *rest);

#endif
