/* Shared by the files of MSK Connect's API. A request's way:
 *
 *   msk_connect.c    the door: which operation on which kind of resource
 *   msk_auth.c       who asks, and whether the workshop's policy allows the name
 *   msk_resources.c  the operations that every kind has: create, list, describe, delete
 *   msk_decode.c     the request's body against the kind's rules
 *   msk_document.c   the kind's fields to the JSON that is kept and answered
 *   msk_plugins.c, msk_workers.c, msk_connector.c
 *                    the kinds as data (struct msk_kind) and what is special about each
 *   msk_errors.c     every refusal
 *
 * A function that takes a call and gives false has put an error into the reply.
 *
 * Facts: specs/s3-sink-connector.md section 9 and the service model of botocore (API version
 * 2021-09-14), which fixes every name and type here. */
#ifndef PINPIPE_MSK_CONNECT_INTERNAL_H
#define PINPIPE_MSK_CONNECT_INTERNAL_H

#include "answer.h"
#include "aws_identity.h"
#include "json_write.h"
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

struct msk_call {
    struct msk_connect *msk;
    struct exchange *exchange;
    struct route_match match;
    const char *action; /* "CreateConnector" */
    const struct msk_kind *kind;
};

/* --- resources as data --- */

/* Values of a resource that stand beside the JSON of request and document. */
enum msk_value {
    MSK_NONE,
    /* The request's texts that more than the document needs. */
    MSK_NAME,
    MSK_BUCKET_ARN,
    MSK_FILE_KEY,
    MSK_PROPERTIES,
    MSK_PLUGIN_ARN,
    /* Texts that are made here. */
    MSK_ARN,
    MSK_TIME, /* of its creation: "2023-11-14T22:13:20.000Z" */
    MSK_VERSION,
    MSK_STATE,
    MSK_FILE_MD5,
    MSK_CODE, /* why it could not be made */
    MSK_MESSAGE,
    MSK_TRACE_CODE, /* why it runs no more */
    MSK_TRACE,
    /* JSON that is made here. */
    MSK_REVISION,
    MSK_FILE_SIZE,
    MSK_HAS_SINK,
    MSK_VALUES,
};

struct msk_resource {
    struct span values[MSK_VALUES];
    struct span document; /* as it is kept; empty: it is being created */
    struct span body;     /* the request that creates or updates it; empty: it is only looked at */
    bool runs;            /* a connector of the worker; else the store keeps it */
    /* While it is being created or updated: */
    int64_t created_ms;
    const char *hint; /* for when it is kept; NULL: none */
    struct connect_entries entries;
    const struct sink_config *config; /* NULL: nothing that could run */
};

enum msk_type {
    MSK_TEXT,
    MSK_NUMBER,
    MSK_OBJECT,
    MSK_LIST,
    MSK_IDENTIFIER, /* a text of letters, digits and -_. */
};
enum {
    MSK_OPTIONAL = 0,
    MSK_REQUIRED = 1, /* where what it is part of is there */
    MSK_PARENTS = 2,  /* what it is part of is required too, up to the next list */
    MSK_FIXED = 4,    /* said once, so that an update is not held against this */
};
/* A demand on a member of a request's body; the first that is not met is answered. All that a path
 * leads through is held to be an object. */
struct msk_rule {
    const char *path; /* "plugins[].customPlugin.revision" */
    enum msk_type type;
    unsigned flags;
    int64_t min; /* of a number; of a text's or list's length; max 0: any */
    int64_t max;
    const char *words;    /* NULL, or the values there are: "ZIP,JAR" */
    enum msk_value value; /* where the text is put */
};

/* Where a field stands, and what becomes of it. */
enum {
    MSK_KEPT = 1,
    MSK_LISTED = 2,
    MSK_DESCRIBED = 4,
    MSK_SHOWN = MSK_KEPT | MSK_LISTED | MSK_DESCRIBED,
    MSK_CREATED = 8,    /* in the answer to creating it */
    MSK_CHANGED = 16,   /* in the answer to every other change */
    MSK_UPDATED = 32,   /* an update may say it anew */
    MSK_NOT_EMPTY = 64, /* an empty text is left out */
};
/* A member of the document and of answers, in the order of the tables. What there is no value for
 * is left out. */
struct msk_field {
    const char *path; /* "latestRevision.location.s3Location.bucketArn" */
    unsigned flags;
    enum msk_value value; /* MSK_NONE: a member of the request */
    const char *from;     /* that member's path, if it is another one */
};

struct msk_items;
struct msk_kind {
    const char *name;          /* in ARNs and in the store: "custom-plugin" */
    const char *list;          /* "customPlugins" */
    const char *prefix;        /* the parameter that filters a list: "namePrefix" */
    const char *suffix;        /* of the one name that the workshop's policy allows; NULL: any */
    const char *created_state; /* as the answer to creating it says */
    const char *stored_state;  /* of what the store keeps; NULL: the document has it */
    bool versioned; /* each change makes a new currentVersion, and may name the old one */
    const struct msk_rule *rules;
    size_t rule_count;
    const struct msk_field *fields;
    size_t field_count;
    /* Looks at what creating depends on beside rules and name, and sets values. */
    bool (*look)(const struct msk_call *call, struct msk_resource *r);
    /* Keeps the document of a resource that is created or updated. */
    bool (*keep)(const struct msk_call *call, struct msk_resource *r, struct span document);
    bool (*may_update)(const struct msk_call *call, const struct msk_resource *r);
    /* NULL: always. */
    bool (*may_delete)(const struct msk_call *call, const struct msk_resource *r);
    /* Adds the resources that the worker runs. NULL: none of the kind run. */
    void (*add_running)(struct connect_worker *worker, struct msk_items *items);
};
extern const struct msk_kind msk_plugins;
extern const struct msk_kind msk_workers;
extern const struct msk_kind msk_connectors;

/* --- msk_errors.c --- */
enum msk_fault {
    MSK_BAD_REQUEST,
    MSK_NOT_FOUND,
    MSK_CONFLICT,
    MSK_TOO_LONG,
    MSK_TOO_MANY,
    MSK_INTERNAL,
    MSK_UNAVAILABLE,
    MSK_ACCESS_DENIED,
    /* The API Gateway before the service says these. */
    MSK_INCOMPLETE_SIGNATURE,
    MSK_INVALID_SIGNATURE,
    MSK_MISSING_TOKEN,
    MSK_UNRECOGNIZED_CLIENT,
};
/* The error is the reply, {"message":...} and x-amzn-ErrorType; all three give false. */
bool msk_refuse(struct exchange *exchange, enum msk_fault fault, const char *format, ...)
    PP_PRINTF(3, 4);
bool msk_refuse_store(const struct msk_call *call, const struct error *err);
bool msk_refuse_memory(const struct msk_call *call);

/* --- msk_auth.c --- */
/* Checks the signature, when credentials are configured. */
bool msk_authorize(const struct msk_call *call);
/* Is the name <id><suffix>? */
bool msk_is_workshops_name(const struct msk_call *call, struct span name);
/* `--permissions workshop`: only <id>-plugin and <id>-connector. */
bool msk_permits(const struct msk_call *call, struct span name);

/* --- msk_decode.c --- */
/* Holds the body against the kind's rules and takes the values that they name. */
bool msk_decode(const struct msk_call *call, bool creating, struct msk_resource *out);

/* --- msk_document.c --- */
/* The raw value at a path of members ("latestRevision.revision"); empty when there is none or it is
 * null. */
struct span msk_member(struct span object, const char *path);
/* The text at such a path, decoded into the arena; empty when it is no string. */
struct span msk_member_text(struct arena *arena, struct span object, const char *path);
/* Writes an object of the kind's fields that have the flag. */
void msk_write(const struct msk_kind *kind, unsigned flag, const struct msk_resource *r,
               struct json_writer *w);

/* --- msk_resources.c --- */
void msk_create(const struct msk_call *call);
void msk_list(const struct msk_call *call);
void msk_describe(const struct msk_call *call);
void msk_update(const struct msk_call *call);
void msk_delete(const struct msk_call *call);

/* All resources of a kind, in the exchange's arena. */
struct msk_items {
    const struct msk_kind *kind;
    struct arena *arena;
    struct msk_resource *items;
    size_t count;
    size_t cap;
    bool failed; /* for want of memory */
};
bool msk_items_load(const struct msk_call *call, const struct msk_kind *kind,
                    struct msk_items *out);
/* A resource more, of copies of these texts. NULL: no memory, as items->failed says. */
struct msk_resource *msk_items_add(struct msk_items *items, struct span name, struct span document);
/* Finds a resource by its ARN. */
bool msk_find(const struct msk_call *call, const struct msk_kind *kind, struct span arn,
              struct msk_resource *out);
/* Finds the resource that the path names, if the caller may change it. */
bool msk_take(const struct msk_call *call, struct msk_resource *out);
/* Keeps the document in the store. */
bool msk_resource_keep(const struct msk_call *call, struct msk_resource *r, struct span document);
/* 200 and an object of the fields that have the flag. */
void msk_answer(const struct msk_call *call, unsigned flag, const struct msk_resource *r);

/* --- msk_workers.c --- */
/* Adds the worker's converters to a connector that sets none of its own: those of the worker
 * configuration, or MSK Connect's (StringConverter). */
bool msk_worker_converters(const struct msk_call *call, struct span worker_document,
                           struct connect_entries *entries);

/* --- msk_connector.c --- */
void msk_pause_connector(const struct msk_call *call);
void msk_resume_connector(const struct msk_call *call);
void msk_restart_connector(const struct msk_call *call);

#endif
