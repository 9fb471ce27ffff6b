/* Control documents (configuration, connectors, admin answers): the only user of cJSON, whose
 * numbers are doubles. Never on the record path: that is json_text.h. Trees are read-only here;
 * output is written with struct buf and json_text.h's appenders. */
#ifndef PINPIPE_JSON_H
#define PINPIPE_JSON_H

#include "buf.h"
#include "error.h"

struct json_doc;
struct json_node; /* borrowed from its document */

/* Strict: the whole text is one value, valid UTF-8, nothing behind it. INVALID says where. */
enum status json_doc_parse(struct span text, struct json_doc **out, struct error *err) PP_MUST_USE;
void json_doc_free(struct json_doc *doc);
const struct json_node *json_doc_root(const struct json_doc *doc);

bool json_node_is_object(const struct json_node *node);
bool json_node_is_array(const struct json_node *node);
bool json_node_is_null(const struct json_node *node); /* the word null; false when node is NULL */
/* NULL when node is not an object or has no such member. */
const struct json_node *json_node_get(const struct json_node *node, const char *name);
size_t json_node_count(const struct json_node *node);
const struct json_node *json_node_at(const struct json_node *node, size_t index);
const char *json_node_name(const struct json_node *node);
/* false when the node is NULL or of another type. */
bool json_node_string(const struct json_node *node, const char **out);
bool json_node_i64(const struct json_node *node, int64_t *out);
bool json_node_bool(const struct json_node *node, bool *out);

#endif
