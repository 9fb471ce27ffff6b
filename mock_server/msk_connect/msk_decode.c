/* Request bodies against tables of rules: what must be there, of which type, within which bounds.
 *
 * DIFFERS: the words of a BadRequestException are our own; they name the member. */
#include "msk_internal.h"

#include <stdarg.h>
#include <string.h>

enum { segment_bytes_max = 64 };

struct checker {
    const struct msk_call *call;
    const struct msk_rule *rule;
    bool failed;
};

PP_PRINTF(2, 3)
static void rule_refuse(struct checker *checker, const char *format, ...)
{
    char scratch[ANSWER_TEXT_BYTES];
    va_list args;
    va_start(args, format);
    struct span why = answer_text(checker->call->exchange, scratch, format, args);
    va_end(args);
    checker->failed = true;
    msk_error(checker->call->exchange, MSK_BAD_REQUEST, "Invalid request body: %s %.*s",
              checker->rule->path, SPAN_ARG(why));
}

/* The number, or the length, that the rule's bounds are for; false: the value is of another type.
 */
static bool rule_measure(const struct msk_rule *rule, const struct json_node *node, int64_t *out)
{
    const char *text = "";
    *out = 0;
    switch (rule->type) {
    case MSK_TEXT:
        if (!json_node_string(node, &text)) {
            return false;
        }
        *out = (int64_t)strlen(text);
        return true;
    case MSK_NUMBER:
        return json_node_i64(node, out);
    case MSK_OBJECT:
        return json_node_is_object(node);
    case MSK_LIST:
        *out = (int64_t)json_node_count(node);
        return json_node_is_array(node);
    }
    return false;
}

static bool rule_has_word(const struct msk_rule *rule, const struct json_node *node)
{
    const char *text = "";
    struct span rest = span_from_cstr(rule->words);
    struct span word;
    json_node_string(node, &text);
    while (span_next_part(&rest, ',', &word)) {
        if (span_equal_cstr(word, text)) {
            return true;
        }
    }
    return false;
}

static void rule_check_value(struct checker *checker, const struct json_node *node)
{
    static const struct {
        const char *noun;
        const char *measure;
    } types[] = {
        [MSK_TEXT] = {"a string", "length"},
        [MSK_NUMBER] = {"a whole number", "value"},
        [MSK_OBJECT] = {"an object", ""},
        [MSK_LIST] = {"a list", "length"},
    };
    const struct msk_rule *rule = checker->rule;
    int64_t size;
    if (!rule_measure(rule, node, &size)) {
        rule_refuse(checker, "must be %s", types[rule->type].noun);
    } else if (rule->max != 0 && (size < rule->min || size > rule->max)) {
        rule_refuse(checker, "must have a %s of %lld to %lld", types[rule->type].measure,
                    (long long)rule->min, (long long)rule->max);
    } else if (rule->words != NULL && !rule_has_word(rule, node)) {
        rule_refuse(checker, "must be one of %s", rule->words);
    }
}

/* Follows the rest of the path from `node`, each element of a list in turn. */
static void rule_check_path(struct checker *checker, const struct json_node *node, const char *path)
{
    char segment[segment_bytes_max];
    size_t len = strcspn(path, ".[");
    PP_ASSERT(len < sizeof(segment));
    memcpy(segment, path, len);
    segment[len] = '\0';
    const struct json_node *child = json_node_get(node, segment);
    const char *rest = path + len;
    if (*rest == '\0') {
        if (child != NULL) {
            rule_check_value(checker, child);
        } else if (checker->rule->required) {
            rule_refuse(checker, "is missing");
        }
    } else if (*rest == '.') {
        if (child != NULL) {
            rule_check_path(checker, child, rest + 1);
        }
    } else {
        for (size_t i = 0; i < json_node_count(child) && !checker->failed; i++) {
            rule_check_path(checker, json_node_at(child, i), rest + sizeof("[].") - 1);
        }
    }
}

static void rules_check(struct checker *checker, const struct msk_rules *rules,
                        const struct json_doc *doc)
{
    for (size_t i = 0; i < rules->count && !checker->failed; i++) {
        checker->rule = &rules->rows[i];
        rule_check_path(checker, json_doc_root(doc), checker->rule->path);
    }
}

bool msk_decode(const struct msk_call *call, bool creating, struct json_doc **out)
{
    struct error err;
    struct checker checker = {.call = call};
    enum status status = json_doc_parse(call->exchange->request.body, out, &err);
    if (status == STATUS_NO_MEMORY) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (status != STATUS_OK || !json_node_is_object(json_doc_root(*out))) {
        if (status == STATUS_OK) {
            json_doc_free(*out);
        }
        msk_error(call->exchange, MSK_BAD_REQUEST, "Invalid request body: it is no JSON object");
        return false;
    }
    if (creating) {
        rules_check(&checker, &call->kind->create_rules, *out);
    }
    rules_check(&checker, &call->kind->change_rules, *out);
    if (checker.failed) {
        json_doc_free(*out);
    }
    return !checker.failed;
}

struct span msk_text(const struct json_doc *doc, const char *path)
{
    const struct json_node *node = json_doc_root(doc);
    const char *text = "";
    struct span rest = span_from_cstr(path);
    struct span part;
    while (span_next_part(&rest, '.', &part)) {
        char segment[segment_bytes_max];
        PP_ASSERT(part.len < sizeof(segment));
        memcpy(segment, part.ptr, part.len);
        segment[part.len] = '\0';
        node = json_node_get(node, segment);
    }
    json_node_string(node, &text);
    return span_from_cstr(text);
}

bool msk_check_name(const struct msk_call *call, const char *member, struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_' || c == '.';
        if (!good) {
            msk_error(call->exchange, MSK_BAD_REQUEST,
                      "Invalid request body: %s may have letters, digits and the characters -_.",
                      member);
            return false;
        }
    }
    return true;
}
