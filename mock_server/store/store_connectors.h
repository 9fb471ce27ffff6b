/* Kafka Connect's nouns in the store: connectors, what their tasks last were, and what MSK
 * Connect's API keeps beside them. (The offsets a sink has committed are group "connect-<name>" in
 * store.h, as in Kafka.) */
#ifndef PINPIPE_STORE_CONNECTORS_H
#define PINPIPE_STORE_CONNECTORS_H

#include "store.h"

struct store_connector {
    struct span name;
    struct span config; /* a JSON object of strings */
    struct span msk;    /* JSON; empty: made by the REST API */
    bool paused;
    int64_t created_ms;
};
/* Inserts or replaces. */
enum status store_connector_put(struct store *store, const struct store_connector *connector,
                                struct error *err) PP_MUST_USE;
/* With its tasks and topics; what it has committed stays, as in Kafka. */
enum status store_connector_delete(struct store *store, struct span name,
                                   struct error *err) PP_MUST_USE;
enum status store_connectors_visit(struct store *store,
                                   bool (*visit)(void *ctx,
                                                 const struct store_connector *connector),
                                   void *ctx, struct error *err) PP_MUST_USE;
/* state NULL: removes the rows of tasks >= task. */
enum status store_connector_task_put(struct store *store, struct span connector, int task,
                                     const char *state, struct span trace,
                                     struct error *err) PP_MUST_USE;
enum status store_connector_topic_add(struct store *store, struct span connector, struct span topic,
                                      struct error *err) PP_MUST_USE;
enum status store_connector_topics_reset(struct store *store, struct span connector,
                                         struct error *err) PP_MUST_USE;
enum status store_connector_topics_visit(struct store *store, struct span connector,
                                         bool (*visit)(void *ctx, struct span topic), void *ctx,
                                         struct error *err) PP_MUST_USE;

/* A custom plugin, a worker configuration, a connector that could not be made. */
struct store_resource {
    struct span arn;
    struct span kind; /* "custom-plugin" */
    struct span name;
    struct span document; /* JSON */
    int64_t created_ms;
};
/* EXISTS: another one of that kind has that name. */
enum status store_resource_put(struct store *store, const struct store_resource *resource,
                               struct error *err) PP_MUST_USE;
enum status store_resource_delete(struct store *store, struct span arn,
                                  struct error *err) PP_MUST_USE;
/* In name order, while visit returns true. */
enum status store_resources_visit(struct store *store, struct span kind,
                                  bool (*visit)(void *ctx, const struct store_resource *resource),
                                  void *ctx, struct error *err) PP_MUST_USE;

#endif
