/* Private to msk_connect_connector*.c and msk_connect_changes.c: one connector. */
#ifndef PINPIPE_MSK_CONNECT_CONNECTOR_H
#define PINPIPE_MSK_CONNECT_CONNECTOR_H

#include "msk_internal.h"

struct msk_connector {
    struct span name;
    struct span arn;
    struct span document;
    const char *state;
    bool failed_to_start; /* a resource: there is nothing to run */
    struct span trace;    /* of a connector that the worker has, FAILED */
};

const char *msk_connector_state(enum connect_state state);
/* Copied: the worker's view is gone with the next change. False: an error is in the reply. */
bool msk_connector_find(const struct msk_call *call, struct span arn, struct msk_connector *out);

struct msk_identity {
    struct span arn;
    struct span name;
    int64_t created_ms;
    struct span created; /* as it was described; empty: created_ms says it */
};

/* Opens the object with who it is and a new currentVersion. */
void msk_connector_write_identity(const struct msk_call *call, const struct msk_identity *identity,
                                  struct buf *out);
/* What is kept of the request, or of the document before it. */
void msk_connector_write_kept(struct span request, struct span before, bool update,
                              struct buf *out);

/* A request against `rules` and those of creating and updating alike. False: an error is in the
 * reply; else the document is the caller's to free. */
bool msk_connector_decode(const struct msk_call *call, const struct msk_rule *rules, size_t count,
                          struct json_doc **doc);
/* The plugin that the request names, if it does. False: an error is in the reply. *no_sink: it is
 * there, but without the S3 sink. */
bool msk_connector_plugin(const struct msk_call *call, const struct json_doc *doc, bool *no_sink);

/* What the connector is to run with. */
struct msk_checked {
    struct connect_entries entries;
    const struct sink_config *config;
    bool sound;
    struct buf findings; /* what is wrong with it; released by whoever made the struct */
};

/* The configuration in an object of a connector. False: an error is in the reply. */
bool msk_connector_check(const struct msk_call *call, struct span object, struct span name,
                         struct msk_checked *out);
void msk_connector_hint(const struct msk_call *call, const struct sink_config *config,
                        bool created);
/* Closes the document and gives both to the worker. False: an error is in the reply. */
bool msk_connector_run(const struct msk_call *call, struct span name, struct buf *document,
                       const struct connect_entries *entries);
/* {"connectorArn"[,"connectorName"][,"connectorState"]}: an empty name, a NULL state stay out. */
void msk_connector_answer(const struct msk_call *call, const struct msk_identity *identity,
                          const char *state);

#endif
