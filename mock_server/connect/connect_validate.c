/* The body of PUT /connector-plugins/{class}/config/validate: each definition beside its value, as
 * ConfigInfos is serialised. */
#include "connect_check_internal.h"

#include "json_write.h"

static void validate_write_words(struct json_writer *w, const char *name, const char *words)
{
    struct span rest = span_from_cstr(words);
    struct span part;
    json_member_array(w, name);
    while (span_next_part(&rest, ',', &part)) {
        json_write_string(w, part);
    }
    json_write_end(w);
}

static void validate_write_definition(struct json_writer *w, const struct connect_definition *d)
{
    static const char *const types[] = {
        [CONNECT_STRING] = "STRING", [CONNECT_INT] = "INT",          [CONNECT_LONG] = "LONG",
        [CONNECT_SHORT] = "SHORT",   [CONNECT_BOOLEAN] = "BOOLEAN",  [CONNECT_LIST] = "LIST",
        [CONNECT_CLASS] = "CLASS",   [CONNECT_PASSWORD] = "PASSWORD"};
    json_member_object(w, "definition");
    json_member_cstr(w, "name", d->name);
    json_member_cstr(w, "type", types[d->type]);
    json_member_bool(w, "required", d->required);
    json_member_cstr(w, "default_value",
                     d->type == CONNECT_PASSWORD ? "[hidden]" : d->default_value);
    json_member_cstr(w, "importance", d->importance);
    json_member_cstr(w, "documentation", d->documentation);
    json_member_cstr(w, "group", d->group);
    json_member_cstr(w, "width", d->width);
    json_member_cstr(w, "display_name", d->display_name);
    validate_write_words(w, "dependents", d->dependents);
    json_member_i64(w, "order", d->order);
    json_write_end(w);
}

static void validate_write_value(struct json_writer *w, const struct connect_value *value)
{
    const struct connect_definition *d = value->definition;
    json_member_object(w, "value");
    json_member_cstr(w, "name", value->name);
    if (d != NULL && d->type == CONNECT_PASSWORD) {
        json_member_cstr(w, "value", "[hidden]");
    } else if (value->present) {
        json_member_string(w, "value", value->text);
    } else {
        json_member_null(w, "value");
    }
    validate_write_words(w, "recommended_values", d != NULL ? d->recommended : NULL);
    json_member_array(w, "errors");
    for (size_t i = 0; i < value->error_count; i++) {
        json_write_cstr(w, value->errors[i]);
    }
    json_write_end(w);
    json_member_bool(w, "visible", value->visible);
    json_write_end(w);
}

static void validate_write_config(void *ctx, const struct connect_value *value)
{
    struct json_writer *w = ctx;
    json_write_object(w);
    if (value->definition != NULL) {
        validate_write_definition(w, value->definition);
    } else {
        json_member_null(w, "definition");
    }
    validate_write_value(w, value);
    json_write_end(w);
}

static void validate_count_errors(void *ctx, const struct connect_value *value)
{
    size_t *errors = ctx;
    *errors += value->error_count;
}

static void validate_write_groups(struct json_writer *w, const struct connect_check *check)
{
    json_member_array(w, "groups");
    for (size_t i = 0; connect_groups_framework[i] != NULL; i++) {
        json_write_cstr(w, connect_groups_framework[i]);
    }
    for (size_t i = 0; i < check->alias_count; i++) {
        json_write_cstr(w, check->aliases[i].definition->group);
    }
    for (size_t i = 0; connect_groups_connector[i] != NULL; i++) {
        json_write_cstr(w, connect_groups_connector[i]);
    }
    json_write_end(w);
}

enum status connect_config_validate(struct arena *arena, const struct connect_entries *entries,
                                    struct buf *out, struct error *err)
{
    const struct connect_check *check = connect_check_new(arena, arena, entries);
    struct json_writer w = json_writer_to(out);
    size_t errors = 0;
    if (check == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "a configuration: out of memory");
    }
    if (check->refusal != NULL) {
        return error_set(err, STATUS_INVALID, "%s: %s", check->refusal_exception, check->refusal);
    }
    connect_check_visit(check, validate_count_errors, &errors);
    json_write_object(&w);
    json_member_string(&w, "name", connect_entries_find(entries, "connector.class")->value);
    json_member_u64(&w, "error_count", errors);
    validate_write_groups(&w, check);
    json_member_array(&w, "configs");
    connect_check_visit(check, validate_write_config, &w);
    json_write_end(&w);
    json_write_end(&w);
    return buf_ok(out) ? STATUS_OK
                       : error_set(err, STATUS_NO_MEMORY, "a configuration: out of memory");
}
