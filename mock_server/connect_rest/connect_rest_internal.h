/* Shared by the files of Connect's REST API. A request's way:
 *
 *   connect_rest.c (route, media types)  ->  handler (connect_rest_connectors.c, _tasks.c,
 * _plugins.c)
 *   -> body to values (connect_rest_decode.c)  ->  connect_worker.h
 *   -> values to JSON (connect_rest_encode.c)  or  an error (connect_rest_errors.c)
 *
 * Facts: specs/s3-sink-connector.md section 8, and a Connect 2.8.1 worker asked the same. */
#ifndef PINPIPE_CONNECT_REST_INTERNAL_H
#define PINPIPE_CONNECT_REST_INTERNAL_H

#include "answer.h"
#include "connect_rest.h"
#include "json_write.h"
#include "log.h"
#include "route.h"

enum {
    CONNECT_REST_BODY_BYTES_MAX = 1024 * 1024,
    CONNECT_REST_REPLY_BYTES_MAX = 32 * 1024 * 1024,
};

struct connect_rest {
    struct connect_rest_options options;
    struct service service;
};

struct connect_rest_call {
    struct connect_rest *rest;
    struct exchange *exchange;
    struct route_match match;
};

/* The handlers of the route table; a path's captures are in the call. */
enum handled connect_rest_root(const struct connect_rest_call *call);
enum handled connect_rest_list(const struct connect_rest_call *call);
enum handled connect_rest_create(const struct connect_rest_call *call);
enum handled connect_rest_get(const struct connect_rest_call *call);
enum handled connect_rest_get_config(const struct connect_rest_call *call);
enum handled connect_rest_put_config(const struct connect_rest_call *call);
enum handled connect_rest_delete(const struct connect_rest_call *call);
enum handled connect_rest_status(const struct connect_rest_call *call);
enum handled connect_rest_restart(const struct connect_rest_call *call);
enum handled connect_rest_pause(const struct connect_rest_call *call);
enum handled connect_rest_resume(const struct connect_rest_call *call);
enum handled connect_rest_tasks(const struct connect_rest_call *call);
enum handled connect_rest_tasks_config(const struct connect_rest_call *call);
enum handled connect_rest_task_status(const struct connect_rest_call *call);
enum handled connect_rest_task_restart(const struct connect_rest_call *call);
enum handled connect_rest_topics(const struct connect_rest_call *call);
enum handled connect_rest_topics_reset(const struct connect_rest_call *call);
enum handled connect_rest_plugins(const struct connect_rest_call *call);
enum handled connect_rest_validate(const struct connect_rest_call *call);

/* --- connect_rest_errors.c --- */
/* {"error_code":status,"message":...}; HANDLED. */
enum handled connect_rest_error(struct exchange *exchange, int status, const char *format, ...)
    PP_PRINTF(3, 4);
enum handled connect_rest_error_text(struct exchange *exchange, int status, struct span message);
/* An error that Jersey itself gives (404, 405, 406, 415): "HTTP 404 Not Found", and no
 * Content-Type. */
enum handled connect_rest_error_routing(struct exchange *exchange, int status);
/* A worker or store failure: 500 and a log line. */
enum handled connect_rest_error_internal(const struct connect_rest_call *call,
                                         const struct error *err);

/* --- connect_rest_hints.c --- */
void connect_rest_hint_path(struct exchange *exchange);
/* The body was not JSON, or not of the shape. */
void connect_rest_hint_body(struct exchange *exchange);
/* A configuration that was refused. */
void connect_rest_hint_findings(struct exchange *exchange, const struct connect_entries *config,
                                const struct connect_findings *findings);
/* A configuration that was taken, but will not do what its owner expects. */
void connect_rest_hint_config(const struct connect_rest_call *call,
                              const struct sink_config *config, bool created);

/* --- connect_rest_decode.c --- */
/* The body of POST /connectors. */
struct connect_rest_create {
    struct span name; /* trimmed; "" when absent */
    bool has_config;
    struct connect_entries config;
};
/* False: an error is in the reply. */
bool connect_rest_decode_create(const struct connect_rest_call *call,
                                struct connect_rest_create *out);
/* A flat configuration; *has_config false: the body is empty or null. */
bool connect_rest_decode_config(const struct connect_rest_call *call, struct connect_entries *out,
                                bool *has_config);

/* --- connect_rest_encode.c --- */
/* {"name":..,"config":{..},"tasks":[..],"type":"sink"}, with so many tasks. */
void connect_rest_write_info(const struct connect_connector_view *view, size_t task_count,
                             struct json_writer *w);
void connect_rest_write_status(const struct connect_connector_view *view, const char *worker_id,
                               struct json_writer *w);
void connect_rest_write_task_status(const struct connect_connector_view *view, size_t task,
                                    const char *worker_id, struct json_writer *w);
/* The configuration of a task: the connector's and its task.class. */
void connect_rest_write_task_config(const struct connect_connector_view *view,
                                    struct json_writer *w);

/* --- connect_rest_errors.c, too --- */
/* The reply is JSON from now on; returns the writer of its body. */
struct json_writer connect_rest_reply(const struct connect_rest_call *call, int status);
/* The connector's name in the path. */
struct span connect_rest_name(const struct connect_rest_call *call);
/* False: there is none of that name. */
bool connect_rest_find(const struct connect_rest_call *call, struct connect_connector_view *view);
/* "Connector x not found"; HANDLED. */
enum handled connect_rest_not_found(const struct connect_rest_call *call);

#endif
