/* Request bodies against tables of rules: what must be there, of which type, within which bounds.
 *
 * DIFFERS: the words of a BadRequestException are our own; they name the member. */
#include "json.h"
#include "msk_internal.h"

#include <string.h>

enum { segment_bytes_max = 64 };

static const char identifier_bytes[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

struct check {
    const struct msk_call *call;
    const struct msk_rule *rule;
    struct msk_resource *out;
};

/* The number, or the length, that the rule's bounds are for; false: the value is of another type.
 */
static bool rule_measure(const struct msk_rule *rule, const struct json_node *node, int64_t *out)
{
    const char *text = "";
    bool fits = false;
    *out = 0;
    switch (rule->type) {
    case MSK_TEXT:
    case MSK_IDENTIFIER:
        fits = json_node_string(node, &text);
        *out = (int64_t)strlen(text);
        break;
    case MSK_NUMBER:
        fits = json_node_i64(node, out);
        break;
    case MSK_OBJECT:
        fits = json_node_is_object(node);
        break;
    case MSK_LIST:
        fits = json_node_is_array(node);
        *out = (int64_t)json_node_count(node);
        break;
    }
    return fits;
}

static bool rule_has_word(const struct msk_rule *rule, const char *text)
{
    struct span rest = span_from_cstr(rule->words);
    struct span word;
    while (span_next_part(&rest, ',', &word)) {
        if (span_equal_cstr(word, text)) {
            return true;
        }
    }
    return false;
}

static bool rule_take_text(const struct check *check, const char *text)
{
    const char *kept = arena_copy_cstr(&check->call->exchange->arena, span_from_cstr(text));
    check->out->values[check->rule->value] = span_from_cstr(kept);
    return kept != NULL || msk_refuse_memory(check->call);
}

static bool rule_check_value(const struct check *check, const struct json_node *node)
{
    static const struct {
        const char *noun;
        const char *measure;
    } types[] = {
        [MSK_TEXT] = {"a string", "length"},       [MSK_NUMBER] = {"a whole number", "value"},
        [MSK_OBJECT] = {"an object", ""},          [MSK_LIST] = {"a list", "length"},
        [MSK_IDENTIFIER] = {"a string", "length"},
    };
    const struct msk_rule *rule = check->rule;
    struct exchange *exchange = check->call->exchange;
    const char *text = "";
    int64_t size;
    json_node_string(node, &text);
    if (!rule_measure(rule, node, &size)) {
        return msk_refuse(exchange, MSK_BAD_REQUEST, "Invalid request body: %s must be %s",
                          rule->path, types[rule->type].noun);
    }
    if (rule->max != 0 && (size < rule->min || size > rule->max)) {
        return msk_refuse(exchange, MSK_BAD_REQUEST,
                          "Invalid request body: %s must have a %s of %lld to %lld", rule->path,
                          types[rule->type].measure, (long long)rule->min, (long long)rule->max);
    }
    if (rule->words != NULL && !rule_has_word(rule, text)) {
        return msk_refuse(exchange, MSK_BAD_REQUEST, "Invalid request body: %s must be one of %s",
                          rule->path, rule->words);
    }
    if (rule->type == MSK_IDENTIFIER && text[strspn(text, identifier_bytes)] != '\0') {
        return msk_refuse(exchange, MSK_BAD_REQUEST,
                          "Invalid request body: %s may have letters, digits and the characters "
                          "-_.",
                          rule->path);
    }
    return rule->value == MSK_NONE || rule_take_text(check, text);
}

/* Follows `rest`, a tail of the rule's path, from `node`, each element of a list in turn. */
static bool rule_check_path(const struct check *check, const struct json_node *node,
                            const char *rest)
{
    const struct msk_rule *rule = check->rule;
    struct exchange *exchange = check->call->exchange;
    char segment[segment_bytes_max];
    size_t len = strcspn(rest, ".[");
    PP_ASSERT(len < sizeof(segment));
    memcpy(segment, rest, len);
    segment[len] = '\0';
    rest += len;
    const struct json_node *child = json_node_get(node, segment);
    int walked = (int)(rest - rule->path);
    unsigned demand = *rest == '\0' ? MSK_REQUIRED : *rest == '.' ? MSK_PARENTS : 0;
    if (child == NULL) {
        return (rule->flags & demand) == 0 ||
               msk_refuse(exchange, MSK_BAD_REQUEST, "Invalid request body: %.*s is missing",
                          walked, rule->path);
    }
    if (*rest == '\0') {
        return rule_check_value(check, child);
    }
    if (*rest == '.') {
        return json_node_is_object(child)
                   ? rule_check_path(check, child, rest + 1)
                   : msk_refuse(exchange, MSK_BAD_REQUEST,
                                "Invalid request body: %.*s must be an object", walked, rule->path);
    }
    bool good = true;
    for (size_t i = 0; good && i < json_node_count(child); i++) {
        good = rule_check_path(check, json_node_at(child, i), rest + sizeof("[].") - 1);
    }
    return good;
}

bool msk_decode(const struct msk_call *call, bool creating, struct msk_resource *out)
{
    const struct msk_kind *kind = call->kind;
    struct check check = {.call = call, .out = out};
    struct json_doc *doc = NULL;
    struct error err;
    enum status status = json_doc_parse(call->exchange->request.body, &doc, &err);
    if (status == STATUS_NO_MEMORY) {
        return msk_refuse_memory(call);
    }
    bool good = status == STATUS_OK && json_node_is_object(json_doc_root(doc));
    if (!good) {
        msk_refuse(call->exchange, MSK_BAD_REQUEST, "Invalid request body: it is no JSON object");
    }
    for (size_t i = 0; i < kind->rule_count && good; i++) {
        check.rule = &kind->rules[i];
        good = (!creating && (check.rule->flags & MSK_FIXED) != 0) ||
               rule_check_path(&check, json_doc_root(doc), check.rule->path);
    }
    json_doc_free(doc);
    out->body = call->exchange->request.body;
    return good;
}
