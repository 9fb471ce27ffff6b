/* Shared by the files of MSK Connect's API. A request's way:
 *
 *   msk_connect.c    the door: which operation on which kind of resource; msk_auth.c, signature
 *   msk_resources.c  what the operations are for every kind: create, list, describe, delete
 *   msk_plugins.c, msk_workers.c, msk_connector.c
 *                    the kinds as data (struct msk_kind) and what is special about each
 *   msk_changes.c    what only connectors know: update, pause, resume, restart
 *   msk_decode.c     a request's body against a kind's rules
 *   msk_document.c   a kind's fields to the JSON that is kept and answered
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

struct msk_connect {
    struct msk_connect_options options;
    struct service service;
};

struct msk_kind;

struct msk_call {
    struct msk_connect *msk;
    struct exchange *exchange;
    struct route_match match;
    const char *action; /* "CreateConnector" */
    const struct msk_kind *kind;
};

/* --- msk_errors.c --- */
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
/* An error of what stands before the service (API Gateway): 403 and this type. */
enum handled msk_error_denied(struct exchange *exchange, const char *type, struct span message);
/* IAM's refusal: the caller may not do this to that. */
enum handled msk_error_not_permitted(const struct msk_call *call, const char *kind,
                                     struct span name);
enum handled msk_error_store(const struct msk_call *call, const struct error *err);
/* The reply is JSON from now on, 200; returns its body. */
struct buf *msk_reply(struct exchange *exchange);

/* --- msk_auth.c --- */
/* Checks the signature, when credentials are configured. False: an error is in the reply. */
bool msk_authorize(const struct msk_call *call);
/* Is the name <id><suffix>? */
bool msk_is_workshops_name(const struct msk_call *call, struct span name, const char *suffix);
/* `--permissions workshop`: only <id>-plugin and <id>-connector; false: 403 is in the reply. */
bool msk_permits_name(const struct msk_call *call, const char *kind, struct span name,
                      const char *suffix);

/* --- msk_decode.c --- */
enum msk_type { MSK_TEXT, MSK_NUMBER, MSK_OBJECT, MSK_LIST };
enum { MSK_OPTIONAL = false, MSK_REQUIRED = true };
struct msk_rule {
    const char *path; /* "plugins[].customPlugin.revision" */
    enum msk_type type;
    bool required; /* where what it is part of is there */
    int64_t min;   /* of a number; of a text's or list's length; max 0: any */
    int64_t max;
    const char *words; /* NULL, or the values there are: "ZIP,JAR" */
};
struct msk_rules {
    const struct msk_rule *rows;
    size_t count;
};
#define MSK_RULES(rows)                                                                            \
    {                                                                                              \
        (rows), ARRAY_COUNT(rows)                                                                  \
    }
/* Parses the body and holds it against the kind's rules. False: BadRequestException is in the
 * reply. Else the document is the caller's to free. */
bool msk_decode(const struct msk_call *call, bool creating, struct json_doc **out);
/* The text at a path without lists; empty when absent. Lives as long as the document. */
struct span msk_text(const struct json_doc *doc, const char *path);
/* [A-Za-z0-9._-]{1,128}; false: BadRequestException is in the reply. */
bool msk_check_name(const struct msk_call *call, const char *member, struct span name);

/* --- msk_document.c: objects of JSON as text --- */
/* The raw value at a path of members ("latestRevision.revision"); empty when there is none or it is
 * null. */
struct span msk_member(struct span object, const char *path);
/* The text at such a path, decoded into the arena; empty when it is no string. */
struct span msk_member_text(struct arena *arena, struct span object, const char *path);
bool msk_member_is_true(struct span object, const char *path);

/* A document has these beside what the request said. */
enum msk_fact {
    MSK_FACT_ARN,
    MSK_FACT_CREATED, /* "2023-11-14T22:13:20.000Z" */
    MSK_FACT_VERSION,
    MSK_FACT_STATE,
    MSK_FACT_FILE_MD5,
    MSK_FACT_FILE_SIZE,
    MSK_FACT_CODE, /* why it has failed */
    MSK_FACT_MESSAGE,
    MSK_FACT_HAS_SINK,
    MSK_FACTS,
};

enum msk_source {
    MSK_FROM_BODY,   /* the request's member of this path; of an update, that of the document before
                      */
    MSK_FROM_CHANGE, /* ... unless an update says it anew */
    MSK_FROM_FACT,   /* a text; an empty one is left out */
    MSK_FROM_JSON,   /* a fact that is JSON already */
    MSK_FROM_WORD,   /* `text` itself */
    MSK_FROM_NUMBER, /* the same, as JSON */
};
struct msk_field {
    const char *path; /* "latestRevision.location.s3Location.bucketArn" */
    enum msk_source source;
    enum msk_fact fact;
    /* A word. Of MSK_FROM_BODY: the request's path, when that is another one or a text that is
     * empty there is to be left out. */
    const char *text;
};
struct msk_fields {
    const struct msk_field *rows;
    size_t count;
};
#define MSK_FIELDS(rows)                                                                           \
    {                                                                                              \
        (rows), ARRAY_COUNT(rows)                                                                  \
    }

/* A resource on its way into the store. */
struct msk_making {
    struct span name;
    struct span body;   /* the request */
    struct span before; /* the document that an update changes; empty: it is created */
    int64_t created_ms;
    struct span facts[MSK_FACTS];
    const struct json_doc *doc; /* the request again */
    const char *hint;           /* for when it is kept; NULL: none */
    /* of a connector that can run */
    struct connect_entries entries;
    const struct sink_config *config; /* NULL: it cannot */
};

struct json_writer;
/* Writes the object's members but those named (comma-separated) into the open object. */
void msk_members_write(struct span object, const char *without, struct json_writer *w);
/* Appends an object of these fields; what there is no value for is left out. */
void msk_fields_write(const struct msk_fields *fields, const struct msk_making *making,
                      struct buf *out);
/* "2023-11-14T22:13:20.000Z" in the arena. */
struct span msk_time_text(struct arena *arena, int64_t ms);

/* --- msk_arn.c --- */
/* arn:aws:kafkaconnect:<region>:<account>:<kind>/<name>/<uuid>-2, in the arena; NULL: NO_MEMORY. */
const char *msk_arn_new(const struct msk_call *call, const char *kind, struct span name);
/* <name> of such an ARN; false when it is none of that kind. */
bool msk_arn_name(struct span arn, const char *kind, struct span *name);

/* --- msk_resources.c --- */
struct msk_item {
    struct span name;
    struct span arn;
    struct span document;
    const char *state; /* of a connector: "RUNNING"; NULL: it is in the document */
    struct span trace; /* of a connector that the worker has, FAILED */
    bool runs;         /* a connector of the worker; else it is a resource in the store */
};
struct msk_items {
    struct msk_item *items;
    size_t count;
    size_t cap;
};

struct msk_kind {
    const char *name;        /* in ARNs and in the store: "custom-plugin" */
    const char *list;        /* "customPlugins" */
    const char *prefix;      /* the parameter that filters a list: "namePrefix" */
    const char *name_member; /* "name" */
    const char *arn_member;
    const char *state_member;
    const char *suffix; /* of the one name that the workshop's policy allows; NULL: any */
    struct msk_rules create_rules;
    struct msk_rules change_rules; /* of creating and updating alike */
    struct msk_fields document;    /* what is kept */
    struct msk_fields created;     /* the answer to creating it */
    const char *listed_without;    /* members of the document that a list leaves out */
    const char *described_without; /* and a description */
    const char *described_with;    /* put into its latestRevision; NULL: nothing is */
    const char *(*state_of)(enum connect_state state); /* NULL: none of the kind run */
    /* Looks at what creating depends on beside rules and name, and sets facts. False: an error is
     * in the reply.
     */
    bool (*look)(const struct msk_call *call, struct msk_making *making);
    /* Keeps the document. False: an error is in the reply. */
    bool (*keep)(const struct msk_call *call, const struct msk_making *making,
                 struct span document);
    /* May the item be deleted now? NULL: always. False: an error is in the reply. */
    bool (*may_delete)(const struct msk_call *call, const struct msk_item *item);
};
extern const struct msk_kind msk_plugins;
extern const struct msk_kind msk_workers;
extern const struct msk_kind msk_connectors;

enum handled msk_create(const struct msk_call *call);
enum handled msk_list(const struct msk_call *call);
enum handled msk_describe(const struct msk_call *call);
enum handled msk_delete(const struct msk_call *call);

/* Loads all items of a kind into the exchange's arena. False: an error is in the reply. */
bool msk_items_load(const struct msk_call *call, const struct msk_kind *kind,
                    struct msk_items *out);
/* Finds an item by its ARN. False: it is not there, 404 (or 400, 500) is in the reply. */
bool msk_item_find(const struct msk_call *call, const struct msk_kind *kind, struct span arn,
                   struct msk_item *out);
/* The item that the path names, if the caller may change it. False: an error is in the reply. */
bool msk_item_take(const struct msk_call *call, struct msk_item *out);
/* A new currentVersion, in the arena. */
struct span msk_version_new(const struct msk_call *call);
/* Keeps the resource in the store, and puts its hint into the reply. False: an error is there. */
bool msk_resource_keep(const struct msk_call *call, const struct msk_making *making,
                       struct span document);

/* --- msk_list.c --- */
/* Sorts, filters and pages the items by the query's maxResults, nextToken and prefix. */
enum handled msk_items_answer(const struct msk_call *call, struct msk_items *items);
/* The query's parameter, decoded into the arena; false when it is absent. */
bool msk_query_text(const struct msk_call *call, const char *name, struct span *out);
/* Writes an item's document into the open object, without these members, and its state. */
void msk_item_write(const struct msk_item *item, const char *without, struct json_writer *w);

/* --- msk_workers.c --- */
/* The worker's converters for a connector that sets none of its own: those of the worker
 * configuration, or MSK Connect's (StringConverter). False: an error is in the reply. */
bool msk_worker_converters(const struct msk_call *call, struct span worker_document,
                           struct connect_entries *entries);

/* --- msk_connector.c --- */
/* The plugin that the request names, if it does. False: an error is in the reply. *no_sink: it is
 * there, but without the S3 sink. */
bool msk_connector_plugin(const struct msk_call *call, const struct json_doc *doc, bool *no_sink);
/* Checks the configuration in an object of a connector, and sets what it runs with. False: an error
 * is in the reply. Where making->config stays NULL, *findings (in the arena) says what is wrong
 * with it. */
bool msk_connector_check(const struct msk_call *call, struct span object, struct msk_making *making,
                         const char **findings);
/* Gives the document and what it runs with to the worker. False: an error is in the reply. */
bool msk_connector_run(const struct msk_call *call, const struct msk_making *making,
                       struct span document);
void msk_connector_hint(const struct msk_call *call, const struct sink_config *config,
                        bool created);
/* Holds the version that the query may name against the connector's. False: an error is in the
 * reply. */
bool msk_version_fits(const struct msk_call *call, const struct msk_item *item);

/* --- msk_changes.c --- */
enum handled msk_update_connector(const struct msk_call *call);
enum handled msk_pause_connector(const struct msk_call *call);
enum handled msk_resume_connector(const struct msk_call *call);
enum handled msk_restart_connector(const struct msk_call *call);

#endif
