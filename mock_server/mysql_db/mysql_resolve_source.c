/* FROM: what each name stands for, its columns, and how the tables are joined. */
#include "mysql_catalog.h"
#include "mysql_resolver.h"

#include <string.h>

bool mysql_resolve_no_memory(struct mysql_resolver *r)
{
    return mysql_error_set(r->error, MYSQL_ER_OUT_OF_RESOURCES);
}

enum { shown_bytes_max = 192 };

const char *mysql_shown(struct mysql_resolver *r, struct span name)
{
    const char *text = arena_copy_cstr(r->arena, span_first(name, shown_bytes_max));
    return text != NULL ? text : "";
}

static struct mysql_field *fields_new(struct mysql_resolver *r, struct mysql_source *source,
                                      size_t count)
{
    source->fields = arena_alloc_array(r->arena, count, sizeof(*source->fields));
    source->field_count = source->fields != NULL ? count : 0;
    return source->fields;
}

static bool source_of_table(struct mysql_resolver *r, struct mysql_source *source)
{
    const struct table *table = source->table;
    struct mysql_field *fields = fields_new(r, source, table->column_count);
    if (fields == NULL) {
        return mysql_resolve_no_memory(r);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        struct mysql_column column = mysql_catalog_column(table, i);
        fields[i] = (struct mysql_field){.name = column.name,
                                         .org_name = column.org_name,
                                         .shape = mysql_shape_of_column(&column),
                                         .flags = column.flags};
    }
    return true;
}

static bool source_of_virtual(struct mysql_resolver *r, struct mysql_source *source)
{
    const struct mysql_virtual *of = source->is_virtual;
    struct mysql_field *fields = fields_new(r, source, of->column_count);
    if (fields == NULL) {
        return mysql_resolve_no_memory(r);
    }
    for (size_t i = 0; i < of->column_count; i++) {
        struct span name = span_from_cstr(of->columns[i].name);
        fields[i] = (struct mysql_field){
            .name = name,
            .org_name = name,
            .shape = mysql_shape_of(of->columns[i].class, of->columns[i].length)};
    }
    return true;
}

/* Of a derived table or one of WITH: the query's, under the names that were given in brackets. */
static bool source_of_query(struct mysql_resolver *r, struct mysql_source *source,
                            const struct mysql_query_expr *query, const struct span *names,
                            size_t name_count)
{
    struct mysql_field *fields = fields_new(r, source, query->field_count);
    if (fields == NULL) {
        return mysql_resolve_no_memory(r);
    }
    if (name_count > 0 && name_count != query->field_count) {
        return mysql_error_say(r->error, MYSQL_ER_VIEW_WRONG_LIST,
                               "In definition of view, derived table or common table expression, "
                               "SELECT list and column names list have different column counts");
    }
    for (size_t i = 0; i < query->field_count; i++) {
        fields[i] = query->fields[i];
        fields[i].org_name = SPAN_EMPTY;
        fields[i].flags = 0;
        fields[i].merged = false;
        if (name_count > 0) {
            fields[i].name = names[i];
        }
        for (size_t k = 0; k < i; k++) {
            if (span_equal_nocase(fields[k].name, fields[i].name)) {
                return mysql_error_set(r->error, MYSQL_ER_DUP_FIELDNAME,
                                       mysql_shown(r, fields[i].name));
            }
        }
    }
    return true;
}

static struct mysql_cte *cte_find(const struct mysql_resolver *r, struct span name)
{
    for (const struct mysql_cte_scope *scope = r->ctes; scope != NULL; scope = scope->outer) {
        for (struct mysql_cte *cte = scope->ctes; cte != NULL && cte != scope->until;
             cte = cte->next) {
            if (span_equal_nocase(cte->name, name)) {
                return cte;
            }
        }
    }
    return NULL;
}

static bool schema_denied(struct mysql_resolver *r, const struct mysql_source *source,
                          struct span schema)
{
    static const char *const hidden[] = {"mysql", "performance_schema", "sys"};
    for (size_t i = 0; i < ARRAY_COUNT(hidden); i++) {
        if (span_equal_cstr(schema, hidden[i])) {
            return mysql_error_set(r->error, MYSQL_ER_TABLEACCESS_DENIED, "SELECT",
                                   r->session->user, r->session->host,
                                   mysql_shown(r, source->name));
        }
    }
    return mysql_error_set(r->error, MYSQL_ER_BAD_DB, mysql_shown(r, schema));
}

static bool source_named(struct mysql_resolver *r, struct mysql_source *source)
{
    struct span schema =
        source->schema.len > 0 ? source->schema : span_from_cstr(r->session->database);
    if (schema.len == 0) {
        return mysql_error_set(r->error, MYSQL_ER_NO_DB);
    }
    if (span_equal_nocase(schema, SPAN_LIT("information_schema"))) {
        source->schema = SPAN_LIT("information_schema");
        source->is_virtual = mysql_virtual_find(source->name);
        return source->is_virtual != NULL
                   ? source_of_virtual(r, source)
                   : mysql_error_set(r->error, MYSQL_ER_UNKNOWN_TABLE, mysql_shown(r, source->name),
                                     "information_schema");
    }
    if (!span_equal_cstr(schema, r->session->db->database)) {
        return schema_denied(r, source, schema);
    }
    source->schema = schema;
    const struct table *table = table_find(source->name);
    if (table == NULL || !span_equal_cstr(source->name, table->name)) {
        return mysql_error_set(r->error, MYSQL_ER_NO_SUCH_TABLE, mysql_shown(r, schema),
                               mysql_shown(r, source->name));
    }
    source->table = table;
    return source_of_table(r, source);
}

static bool source_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                           struct mysql_source *source)
{
    source->number = ++r->tables;
    if (source->is_virtual != NULL) { /* of SHOW */
        return source_of_virtual(r, source);
    }
    if (source->derived != NULL) {
        return mysql_resolve_query(r, source->derived, scope->outer) &&
               source_of_query(r, source, source->derived, source->column_names,
                               source->column_name_count);
    }
    struct mysql_cte *cte = source->schema.len == 0 ? cte_find(r, source->name) : NULL;
    if (cte != NULL) {
        source->cte = cte->query;
        source->cte_number = cte->number;
        return source_of_query(r, source, cte->query, cte->column_names, cte->column_name_count);
    }
    return source_named(r, source);
}

static bool alias_is_unique(struct mysql_resolver *r, const struct mysql_scope *scope,
                            const struct mysql_source *source)
{
    for (const struct mysql_source *other = scope->from; other != source; other = other->next) {
        if (span_equal(other->alias, source->alias)) {
            return mysql_error_set(r->error, MYSQL_ER_NONUNIQ_TABLE, mysql_shown(r, source->alias));
        }
    }
    return true;
}

static struct mysql_field *field_of(const struct mysql_source *source, struct span name,
                                    size_t *index)
{
    for (size_t i = 0; i < source->field_count; i++) {
        if (span_equal_nocase(source->fields[i].name, name)) {
            *index = i;
            return &source->fields[i];
        }
    }
    return NULL;
}

static struct mysql_node *column_node(struct mysql_resolver *r, const struct mysql_source *source,
                                      size_t index)
{
    struct mysql_node *node = ARENA_NEW(r->arena, struct mysql_node);
    if (node != NULL) {
        node->kind = MYSQL_NODE_COLUMN;
        node->table = source;
        node->column = index;
        node->name = source->fields[index].name;
        node->source = node->name;
        node->shape = source->fields[index].shape;
    }
    return node;
}

/* ON a.x = b.x, for a name that both have; then it is one column. */
static bool join_on_name(struct mysql_resolver *r, const struct mysql_scope *scope,
                         struct mysql_source *source, struct span name)
{
    size_t here = 0;
    size_t there = 0;
    struct mysql_field *right = field_of(source, name, &here);
    const struct mysql_source *other = scope->from;
    struct mysql_field *left = NULL;
    while (other != source) {
        left = field_of(other, name, &there);
        if (left != NULL && !left->merged) {
            break;
        }
        left = NULL;
        other = other->next;
    }
    if (right == NULL || left == NULL) {
        return mysql_error_set(r->error, MYSQL_ER_BAD_FIELD, mysql_shown(r, name), "from clause");
    }
    struct mysql_node *equal = ARENA_NEW(r->arena, struct mysql_node);
    struct mysql_node *a = column_node(r, other, there);
    struct mysql_node *b = column_node(r, source, here);
    if (equal == NULL || a == NULL || b == NULL) {
        return mysql_resolve_no_memory(r);
    }
    a->next = b;
    *equal = (struct mysql_node){.kind = MYSQL_NODE_BINARY,
                                 .op = MYSQL_OP_EQ,
                                 .arguments = a,
                                 .argument_count = 2,
                                 .shape = mysql_shape_int(1)};
    if (source->on != NULL) {
        struct mysql_node *both = ARENA_NEW(r->arena, struct mysql_node);
        if (both == NULL) {
            return mysql_resolve_no_memory(r);
        }
        *both = (struct mysql_node){.kind = MYSQL_NODE_BINARY,
                                    .op = MYSQL_OP_AND,
                                    .arguments = source->on,
                                    .argument_count = 2,
                                    .shape = mysql_shape_int(1)};
        source->on->next = equal;
        equal = both;
    }
    source->on = equal;
    (source->join == MYSQL_JOIN_RIGHT ? left : right)->merged = true;
    return true;
}

static bool join_natural(struct mysql_resolver *r, const struct mysql_scope *scope,
                         struct mysql_source *source)
{
    for (size_t i = 0; i < source->field_count; i++) {
        size_t index = 0;
        bool shared = false;
        for (const struct mysql_source *other = scope->from; other != source && !shared;
             other = other->next) {
            struct mysql_field *field = field_of(other, source->fields[i].name, &index);
            shared = field != NULL && !field->merged;
        }
        if (shared && !join_on_name(r, scope, source, source->fields[i].name)) {
            return false;
        }
    }
    return true;
}

static void fields_may_be_null(struct mysql_source *source)
{
    for (size_t i = 0; i < source->field_count; i++) {
        source->fields[i].shape.not_null = false;
    }
}

static bool source_join(struct mysql_resolver *r, struct mysql_scope *scope,
                        struct mysql_source *source)
{
    if (source->natural && !join_natural(r, scope, source)) {
        return false;
    }
    for (size_t i = 0; i < source->using_count; i++) {
        if (!join_on_name(r, scope, source, source->using_names[i])) {
            return false;
        }
    }
    if (source->join == MYSQL_JOIN_LEFT) {
        fields_may_be_null(source);
    } else if (source->join == MYSQL_JOIN_RIGHT) {
        for (struct mysql_source *other = scope->from; other != source; other = other->next) {
            fields_may_be_null(other);
        }
    }
    if (source->on == NULL || source->natural || source->using_count > 0) {
        return true;
    }
    scope->until = source->next;
    scope->clause = "on clause";
    bool ok = mysql_resolve_node(r, scope, source->on);
    scope->until = NULL;
    return ok;
}

bool mysql_resolve_from(struct mysql_resolver *r, struct mysql_scope *scope)
{
    for (struct mysql_source *source = scope->from; source != NULL; source = source->next) {
        if (!source_resolve(r, scope, source) || !alias_is_unique(r, scope, source) ||
            !source_join(r, scope, source)) {
            return false;
        }
    }
    return true;
}
