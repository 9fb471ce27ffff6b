/* Kafka Connect's REST API on its own port (specs/s3-sink-connector.md 8). */
#ifndef PINPIPE_CONNECT_REST_H
#define PINPIPE_CONNECT_REST_H

#include "connect_worker.h"
#include "exchange.h"

struct connect_rest;

struct connect_rest_options {
    struct connect_worker *worker;
    struct env *env;
    struct log *log;
    const char *user_id;   /* for hints: "<id>-connector" */
    const char *worker_id; /* "127.0.0.1:8083" */
};

enum status connect_rest_new(const struct connect_rest_options *options, struct connect_rest **out,
                             struct error *err) PP_MUST_USE;
void connect_rest_free(struct connect_rest *rest);
const struct service *connect_rest_service(struct connect_rest *rest);

/* The row of mock_server/services.c. */
struct host;
enum status connect_rest_open(const struct host *host, void **out, struct error *err) PP_MUST_USE;
const void *connect_rest_face(void *rest);
void connect_rest_close(void *rest);

#endif
