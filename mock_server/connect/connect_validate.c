/* The body of PUT /connector-plugins/{class}/config/validate: each definition beside its value, as
 * ConfigInfos is serialised. */
#include "connect_check_internal.h"

#include "json_text.h"

struct encoder {
    const struct connect_check *check;
    struct buf *out;
    size_t errors;
    bool first;
};

static void validate_write_text(struct buf *out, const char *name, const char *text)
{
    buf_printf(out, "\"%s\":", name);
    if (text == NULL) {
        BUF_APPEND_LIT(out, "null");
    } else {
        json_string_append(out, span_from_cstr(text));
    }
}

/* NULL: empty. */
static void validate_write_words(struct buf *out, const char *name, const char *words)
{
    struct span rest = span_from_cstr(words);
    struct span part;
    const char *between = "";
    buf_printf(out, "\"%s\":[", name);
    while (span_next_part(&rest, ',', &part)) {
        buf_append_cstr(out, between);
        json_string_append(out, part);
        between = ",";
    }
    BUF_APPEND_LIT(out, "]");
}

static void validate_write_definition(struct buf *out, const struct connect_definition *d)
{
    static const char *const types[] = {
        [CONNECT_STRING] = "STRING", [CONNECT_INT] = "INT",          [CONNECT_LONG] = "LONG",
        [CONNECT_SHORT] = "SHORT",   [CONNECT_BOOLEAN] = "BOOLEAN",  [CONNECT_LIST] = "LIST",
        [CONNECT_CLASS] = "CLASS",   [CONNECT_PASSWORD] = "PASSWORD"};
    bool hidden = d->type == CONNECT_PASSWORD;
    BUF_APPEND_LIT(out, "{");
    validate_write_text(out, "name", d->name);
    buf_printf(out, ",\"type\":\"%s\",\"required\":%s,", types[d->type],
               d->required ? "true" : "false");
    validate_write_text(out, "default_value", hidden ? "[hidden]" : d->default_value);
    buf_printf(out, ",\"importance\":\"%s\",", d->importance);
    validate_write_text(out, "documentation", d->documentation);
    BUF_APPEND_LIT(out, ",");
    validate_write_text(out, "group", d->group);
    buf_printf(out, ",\"width\":\"%s\",", d->width);
    validate_write_text(out, "display_name", d->display_name);
    BUF_APPEND_LIT(out, ",");
    validate_write_words(out, "dependents", d->dependents);
    buf_printf(out, ",\"order\":%d}", d->order);
}

static void validate_write_value(struct buf *out, const struct connect_value *value)
{
    const struct connect_definition *d = value->definition;
    BUF_APPEND_LIT(out, "{");
    validate_write_text(out, "name", value->name);
    BUF_APPEND_LIT(out, ",\"value\":");
    if (d != NULL && d->type == CONNECT_PASSWORD) {
        BUF_APPEND_LIT(out, "\"[hidden]\"");
    } else if (value->present) {
        json_string_append(out, value->text);
    } else {
        BUF_APPEND_LIT(out, "null");
    }
    BUF_APPEND_LIT(out, ",");
    validate_write_words(out, "recommended_values", d != NULL ? d->recommended : NULL);
    BUF_APPEND_LIT(out, ",\"errors\":[");
    for (size_t i = 0; i < value->error_count; i++) {
        buf_append_cstr(out, i > 0 ? "," : "");
        json_string_append(out, span_from_cstr(value->errors[i]));
    }
    buf_printf(out, "],\"visible\":%s}", value->visible ? "true" : "false");
}

static void validate_write_config(void *ctx, const struct connect_value *value)
{
    struct encoder *e = ctx;
    buf_append_cstr(e->out, e->first ? "" : ",");
    e->first = false;
    BUF_APPEND_LIT(e->out, "{\"definition\":");
    if (value->definition != NULL) {
        validate_write_definition(e->out, value->definition);
    } else {
        BUF_APPEND_LIT(e->out, "null");
    }
    BUF_APPEND_LIT(e->out, ",\"value\":");
    validate_write_value(e->out, value);
    BUF_APPEND_LIT(e->out, "}");
}

static void validate_count_errors(void *ctx, const struct connect_value *value)
{
    struct encoder *e = ctx;
    e->errors += value->error_count;
}

static void validate_write_groups(struct encoder *e)
{
    const char *between = "";
    BUF_APPEND_LIT(e->out, ",\"groups\":[");
    for (size_t i = 0; connect_groups_framework[i] != NULL; i++) {
        buf_append_cstr(e->out, between);
        json_string_append(e->out, span_from_cstr(connect_groups_framework[i]));
        between = ",";
    }
    for (size_t i = 0; i < e->check->alias_count; i++) {
        BUF_APPEND_LIT(e->out, ",");
        json_string_append(e->out, span_from_cstr(e->check->aliases[i].definition->group));
    }
    for (size_t i = 0; connect_groups_connector[i] != NULL; i++) {
        BUF_APPEND_LIT(e->out, ",");
        json_string_append(e->out, span_from_cstr(connect_groups_connector[i]));
    }
    BUF_APPEND_LIT(e->out, "]");
}

enum status connect_config_validate(struct arena *arena, const struct connect_entries *entries,
                                    struct buf *out, struct error *err)
{
    const struct connect_check *check = connect_check_new(arena, entries);
    struct encoder e = {.check = check, .out = out, .first = true};
    if (check == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "a configuration: out of memory");
    }
    if (check->refusal != NULL) {
        return error_set(err, STATUS_INVALID, "%s: %s", check->refusal_exception, check->refusal);
    }
    const struct connect_entry *word = connect_entries_find(entries, "connector.class");
    connect_check_visit(check, validate_count_errors, &e);
    BUF_APPEND_LIT(out, "{\"name\":");
    json_string_append(out, word->value);
    buf_printf(out, ",\"error_count\":%zu", e.errors);
    validate_write_groups(&e);
    BUF_APPEND_LIT(out, ",\"configs\":[");
    connect_check_visit(check, validate_write_config, &e);
    BUF_APPEND_LIT(out, "]}");
    return buf_ok(out) ? STATUS_OK
                       : error_set(err, STATUS_NO_MEMORY, "a configuration: out of memory");
}
