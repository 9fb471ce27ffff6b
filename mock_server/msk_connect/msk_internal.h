/* What the files of MSK Connect's API share. A request's way:
 *
 *   msk_connect.c (route) -> msk_connect_auth.c (signature) -> handler (msk_connect_plugins.c,
 *   _workers.c, _connectors.c, _changes.c): rules (msk_connect_decode.c), act, a document of JSON
 *   (msk_connect_document.c) kept in the store and answered from there
 *
 * Facts: specs/s3-sink-connector.md section 9 and the service model of botocore (API version
 * 2021-09-14), which fixes every name and type here. */
#ifndef PINPIPE_MSK_CONNECT_INTERNAL_H
#define PINPIPE_MSK_CONNECT_INTERNAL_H

#include "answer.h"
#include "aws_identity.h"
#include "json.h"
#include "log.h"
#include "msk_connect.h"
#include "route.h"

enum {
    MSK_BODY_BYTES_MAX = 1024 * 1024,
    MSK_REPLY_BYTES_MAX = 16 * 1024 * 1024,
    MSK_RESOURCES_MAX = 100, /* of a kind: AWS's quota for plugins and worker configurations */
    MSK_PAGE_MAX = 100,
    MSK_NAME_BYTES_MAX = 128,
};

/* As it stands in ARNs and in signatures' scopes. */
#define MSK_SERVICE "kafkaconnect"

#define MSK_KIND_PLUGIN    "custom-plugin"
#define MSK_KIND_WORKER    "worker-configuration"
#define MSK_KIND_CONNECTOR "connector" /* as a resource: one that could not be made */

struct msk_connect {
    struct msk_connect_options options;
    struct service service;
};

struct msk_call {
    struct msk_connect *msk;
    struct exchange *exchange;
    struct route_match match;
    const char *action; /* "CreateConnector" */
};

enum handled msk_create_plugin(const struct msk_call *call);
enum handled msk_list_plugins(const struct msk_call *call);
enum handled msk_describe_plugin(const struct msk_call *call);
enum handled msk_delete_plugin(const struct msk_call *call);
enum handled msk_create_worker(const struct msk_call *call);
enum handled msk_list_workers(const struct msk_call *call);
enum handled msk_describe_worker(const struct msk_call *call);
enum handled msk_delete_worker(const struct msk_call *call);
enum handled msk_create_connector(const struct msk_call *call);
enum handled msk_list_connectors(const struct msk_call *call);
enum handled msk_describe_connector(const struct msk_call *call);
enum handled msk_update_connector(const struct msk_call *call);
enum handled msk_delete_connector(const struct msk_call *call);
enum handled msk_pause_connector(const struct msk_call *call);
enum handled msk_resume_connector(const struct msk_call *call);
enum handled msk_restart_connector(const struct msk_call *call);

/* --- msk_connect_errors.c --- */
/* The service's own exceptions, by status. */
enum msk_fault {
    MSK_BAD_REQUEST,
    MSK_NOT_FOUND,
    MSK_CONFLICT,
    MSK_TOO_MANY,
    MSK_INTERNAL,
    MSK_UNAVAILABLE,
};
/* {"message":...} and x-amzn-ErrorType; HANDLED. */
enum handled msk_error(struct exchange *exchange, enum msk_fault fault, const char *format, ...)
    PP_PRINTF(3, 4);
/* The same of what stands before the service (API Gateway): 403 and this type. */
enum handled msk_error_denied(struct exchange *exchange, const char *type, struct span message);
/* What IAM says: the caller may not do this to that. */
enum handled msk_error_not_permitted(const struct msk_call *call, const char *kind,
                                     struct span name);
enum handled msk_error_store(const struct msk_call *call, const struct error *err);
/* The reply is JSON from now on, 200; returns its body. */
struct buf *msk_reply(struct exchange *exchange);

/* --- msk_connect_auth.c --- */
/* Checks the signature, when credentials are configured. False: an error is in the reply. */
bool msk_authorize(const struct msk_call *call);
/* Is it <id><suffix>? */
bool msk_is_workshops_name(const struct msk_call *call, struct span name, const char *suffix);
/* `--permissions workshop`: only <id>-plugin and <id>-connector; false: 403 is in the reply. */
bool msk_permits_name(const struct msk_call *call, const char *kind, struct span name,
                      const char *suffix);

/* --- msk_connect_decode.c --- */
enum msk_type { MSK_TEXT, MSK_NUMBER, MSK_BOOLEAN, MSK_OBJECT, MSK_LIST };
struct msk_rule {
    const char *path; /* "plugins[].customPlugin.revision" */
    enum msk_type type;
    bool required; /* where what it is part of is there */
    int64_t min;   /* of a number; of a text's or list's length */
    int64_t max;
    const char *words; /* NULL, or the values there are: "ZIP,JAR" */
};
/* Parses the body and holds it against the rules. False: BadRequestException is in the reply. Else
 * the document is the caller's to free. */
bool msk_decode(const struct msk_call *call, const struct msk_rule *rules, size_t count,
                struct json_doc **out);
/* The text at a path without lists; empty when absent. Lives as long as the document. */
struct span msk_text(const struct json_doc *doc, const char *path);
/* [A-Za-z0-9._-]{1,128}; false: BadRequestException is in the reply. */
bool msk_check_name(const struct msk_call *call, const char *member, struct span name);

/* --- msk_connect_document.c: objects of JSON as text --- */
/* Appends the value of the object's member, re-encoded; false (nothing appended) when there is none
 * or it is null. */
bool msk_member_copy(struct span object, const char *name, struct buf *out);
/* A member that is a string, decoded into the arena; empty when it is not. */
struct span msk_member_text(struct arena *arena, struct span object, const char *name);
bool msk_member_is_true(struct span object, const char *name);
/* Appends all members but those named (comma-separated), without the braces. */
void msk_members_write(struct span object, const char *left_out, struct buf *out);
/* Appends "name":"value" with a comma before it unless it is the first of an object. */
void msk_text_write(struct buf *out, const char *name, struct span value);
/* "2023-11-14T22:13:20.000Z" */
void msk_time_write(struct buf *out, const char *name, int64_t ms);

/* --- msk_arn.c --- */
/* arn:aws:kafkaconnect:<region>:<account>:<kind>/<name>/<uuid>-2, in the arena; NULL: NO_MEMORY. */
const char *msk_arn_new(const struct msk_call *call, const char *kind, struct span name);
/* <name> of such an ARN; false when it is none of that kind. */
bool msk_arn_name(struct span arn, const char *kind, struct span *name);

/* --- msk_connect_list.c --- */
/* What a list is made of: documents by name. */
struct msk_item {
    struct span name;
    struct span arn;
    struct span document;
    const char *state; /* connectors: "RUNNING"; NULL: it is in the document */
    int64_t created_ms;
};
struct msk_items {
    struct msk_item *items;
    size_t count;
    size_t cap;
};
/* The resources of a kind, copied to the exchange's arena. False: an error is in the reply. */
bool msk_items_load(const struct msk_call *call, const char *kind, size_t room,
                    struct msk_items *out);
/* False: it is not there, 404 (or 500) is in the reply. */
bool msk_item_find(const struct msk_call *call, const char *kind, struct span arn,
                   struct msk_item *out);
struct msk_listing {
    const char *member;   /* "customPlugins" */
    const char *prefix;   /* the parameter: "namePrefix" */
    const char *left_out; /* members of the documents that a summary has not */
};
/* Sorts, filters and pages them by the query's maxResults, nextToken and prefix. */
enum handled msk_items_answer(const struct msk_call *call, struct msk_items *items,
                              const struct msk_listing *listing);
/* The query's parameter, decoded into the arena; false when it is absent. */
bool msk_query_text(const struct msk_call *call, const char *name, struct span *out);
/* Keeps a new resource. False: an error is in the reply. */
bool msk_resource_keep(const struct msk_call *call, const struct store_resource *resource);

/* --- msk_connect_workers.c --- */
/* The worker's converters for a connector that sets none of its own: those of the worker
 * configuration, or MSK Connect's (StringConverter). False: an error is in the reply. */
bool msk_worker_converters(const struct msk_call *call, struct span worker_document,
                           struct connect_entries *entries);

#endif
