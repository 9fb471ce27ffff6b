#include "json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>

struct json_doc {
    cJSON *root;
};

/* A node is a cJSON item under a name of ours, so that nobody else needs its header. */
static const cJSON *item_of(const struct json_node *node)
{
    return (const cJSON *)(const void *)node;
}

static const struct json_node *node_of(const cJSON *item)
{
    return (const struct json_node *)(const void *)item;
}

enum status json_doc_parse(struct span text, struct json_doc **out, struct error *err)
{
    if (!span_is_utf8(text)) {
        return error_set(err, STATUS_INVALID, "the text is not UTF-8");
    }
    struct json_doc *doc = calloc(1, sizeof(*doc));
    if (doc == NULL) {
        return error_no_memory(err);
    }
    const char *end = NULL;
    errno = 0;
    doc->root = cJSON_ParseWithLengthOpts(text.ptr, text.len, &end, 0);
    size_t position = end != NULL ? (size_t)(end - text.ptr) : 0;
    if (doc->root == NULL) {
        bool no_memory = errno == ENOMEM; /* cJSON itself does not tell */
        json_doc_free(doc);
        return no_memory ? error_no_memory(err)
                         : error_set(err, STATUS_INVALID, "not JSON, from byte %zu on", position);
    }
    struct span rest = span_trim(span_skip(text, position));
    if (rest.len > 0) {
        json_doc_free(doc);
        return error_set(err, STATUS_INVALID, "more text behind the JSON value, from byte %zu on",
                         position);
    }
    *out = doc;
    return STATUS_OK;
}

void json_doc_free(struct json_doc *doc)
{
    if (doc != NULL) {
        cJSON_Delete(doc->root);
        free(doc);
    }
}

const struct json_node *json_doc_root(const struct json_doc *doc)
{
    return node_of(doc->root);
}

bool json_node_is_object(const struct json_node *node)
{
    return cJSON_IsObject(item_of(node));
}

bool json_node_is_array(const struct json_node *node)
{
    return cJSON_IsArray(item_of(node));
}

bool json_node_is_null(const struct json_node *node)
{
    return cJSON_IsNull(item_of(node));
}

const struct json_node *json_node_get(const struct json_node *node, const char *name)
{
    if (!json_node_is_object(node)) {
        return NULL;
    }
    return node_of(cJSON_GetObjectItemCaseSensitive(item_of(node), name));
}

size_t json_node_count(const struct json_node *node)
{
    return node == NULL ? 0 : (size_t)cJSON_GetArraySize(item_of(node));
}

const struct json_node *json_node_at(const struct json_node *node, size_t index)
{
    return node == NULL ? NULL : node_of(cJSON_GetArrayItem(item_of(node), (int)index));
}

const char *json_node_name(const struct json_node *node)
{
    return node != NULL ? item_of(node)->string : NULL;
}

bool json_node_string(const struct json_node *node, const char **out)
{
    if (!cJSON_IsString(item_of(node))) {
        return false;
    }
    *out = item_of(node)->valuestring;
    return true;
}

bool json_node_i64(const struct json_node *node, int64_t *out)
{
    const cJSON *item = item_of(node);
    /* Beyond 2^53 a double no longer tells neighbours apart: such a number is refused, not rounded.
     */
    if (!cJSON_IsNumber(item) || item->valuedouble < -9007199254740992.0 ||
        item->valuedouble > 9007199254740992.0 ||
        item->valuedouble != (double)(int64_t)item->valuedouble) {
        return false;
    }
    *out = (int64_t)item->valuedouble;
    return true;
}

bool json_node_bool(const struct json_node *node, bool *out)
{
    const cJSON *item = item_of(node);
    if (!cJSON_IsBool(item)) {
        return false;
    }
    *out = cJSON_IsTrue(item) != 0;
    return true;
}
