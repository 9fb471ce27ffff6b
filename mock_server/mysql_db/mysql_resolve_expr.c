/* Expressions: columns found in their tables, and the shape of each node from those below it. */
#include "mysql_resolver.h"

#include "mysql_variables.h"

#include <string.h>

/* --- columns --- */

static bool qualifier_matches(const struct mysql_node *node, const struct mysql_source *source)
{
    if (node->qualifier.len == 0) {
        return true;
    }
    return span_equal(node->qualifier, source->alias) &&
           (node->schema.len == 0 || span_equal_nocase(node->schema, source->schema));
}

/* How many columns of the scope's tables the node may mean; the first is noted in it. */
static size_t columns_found(const struct mysql_scope *scope, struct mysql_node *node)
{
    size_t found = 0;
    for (const struct mysql_source *source = scope->from; source != NULL && source != scope->until;
         source = source->next) {
        for (size_t i = 0; qualifier_matches(node, source) && i < source->field_count; i++) {
            const struct mysql_field *field = &source->fields[i];
            if (!span_equal_nocase(field->name, node->name) ||
                (field->merged && node->qualifier.len == 0)) {
                continue;
            }
            if (found++ == 0) {
                node->table = source;
                node->column = i;
                node->shape = field->shape;
            }
        }
    }
    return found;
}

static const struct mysql_item *aliased(const struct mysql_scope *scope,
                                        const struct mysql_node *node)
{
    for (const struct mysql_item *item = scope->select->items;
         node->qualifier.len == 0 && item != NULL; item = item->next) {
        if (item->alias.ptr != NULL && span_equal_nocase(item->alias, node->name)) {
            return item;
        }
    }
    return NULL;
}

static bool node_stands_for(struct mysql_node *node, const struct mysql_item *item)
{
    node->stands_for = item->node;
    node->shape = item->node->shape;
    node->aggregates = item->node->aggregates;
    return true;
}

/* HAVING sees items, and columns that are grouped by or shown. */
static bool having_sees(const struct mysql_scope *scope, const struct mysql_node *node)
{
    if (scope->in_aggregate) {
        return true;
    }
    for (const struct mysql_order *group = scope->select->group; group != NULL;
         group = group->next) {
        const struct mysql_node *by =
            group->node->stands_for != NULL ? group->node->stands_for : group->node;
        if (mysql_node_equal(by, node)) {
            return true;
        }
    }
    for (const struct mysql_item *item = scope->select->items; item != NULL; item = item->next) {
        if (mysql_node_equal(item->node, node)) {
            return true;
        }
    }
    return false;
}

static struct span column_shown(struct mysql_resolver *r, const struct mysql_node *node)
{
    if (node->qualifier.len == 0) {
        return node->name;
    }
    const char *text = arena_printf(r->arena, "%.*s%s%.*s.%.*s", SPAN_ARG(node->schema),
                                    node->schema.len > 0 ? "." : "", SPAN_ARG(node->qualifier),
                                    SPAN_ARG(node->name));
    return span_from_cstr(text);
}

static bool column_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                           struct mysql_node *node)
{
    for (const struct mysql_scope *in = scope; in != NULL; in = in->outer) {
        const struct mysql_item *item =
            in->may_alias && in->select != NULL && !in->in_aggregate ? aliased(in, node) : NULL;
        if (item != NULL && in->in_having) {
            return node_stands_for(node, item);
        }
        size_t found = columns_found(in, node);
        if (found > 1) {
            return mysql_error_set(r->error, MYSQL_ER_NON_UNIQ,
                                   mysql_shown(r, column_shown(r, node)), in->clause);
        }
        if (found == 1 && (in != scope || !in->in_having || having_sees(in, node))) {
            return true;
        }
        node->table = NULL;
        if (item != NULL) {
            return node_stands_for(node, item);
        }
    }
    return mysql_error_set(r->error, MYSQL_ER_BAD_FIELD, mysql_shown(r, column_shown(r, node)),
                           scope != NULL ? scope->clause : "field list");
}

/* --- constants --- */

static uint32_t digits_in(struct span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] >= '0' && text.ptr[i] <= '9' ? 1U : 0U;
    }
    return count;
}

enum { digits_that_a_double_keeps = 15 };

static bool decimal_resolve(struct mysql_resolver *r, struct mysql_node *node)
{
    size_t point = span_find_byte(node->text, '.');
    size_t decimals = point < node->text.len ? node->text.len - point - 1 : 0;
    if (digits_in(node->text) > digits_that_a_double_keeps) {
        return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET,
                               "DECIMAL values of more than 15 digits");
    }
    node->shape = mysql_shape_of(MYSQL_CLASS_DECIMAL, (uint32_t)node->text.len + 1);
    node->shape.decimals = (uint8_t)decimals;
    node->shape.not_null = true;
    return true;
}

static uint32_t characters_of(struct span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1U : 0U;
    }
    return count;
}

static struct mysql_shape text_shape(struct span text)
{
    struct mysql_shape shape = {.class = MYSQL_CLASS_TEXT, .not_null = true};
    shape.length = characters_of(text);
    return shape;
}

static void param_resolve(const struct mysql_resolver *r, struct mysql_node *node)
{
    node->shape = mysql_shape_of(MYSQL_CLASS_TEXT, 255);
    if (r->params == NULL || (size_t)node->integer >= r->param_count) {
        return;
    }
    const struct mysql_value *value = &r->params[node->integer];
    switch (value->kind) {
    case MYSQL_NULL:
        node->shape = (struct mysql_shape){.class = MYSQL_CLASS_NULL};
        break;
    case MYSQL_INT:
        node->shape = mysql_shape_int(0);
        node->shape.is_unsigned = value->is_unsigned;
        break;
    case MYSQL_DOUBLE:
        node->shape = mysql_shape_of(MYSQL_CLASS_REAL, 0);
        break;
    case MYSQL_TEXT:
        node->shape = text_shape(value->text);
        node->text = value->text;
        break;
    }
}

/* --- operators --- */

static bool operands_are_single(struct mysql_resolver *r, const struct mysql_node *node)
{
    for (const struct mysql_node *a = node->arguments; a != NULL; a = a->next) {
        if (a->kind == MYSQL_NODE_ROW) {
            return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET,
                                   "comparisons of rows of values");
        }
    }
    return true;
}

static bool incomparable(struct mysql_resolver *r)
{
    return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET,
                           "comparisons of a TIME with another type");
}

static bool compared(struct mysql_resolver *r, const struct mysql_node *a,
                     const struct mysql_node *b)
{
    return mysql_shape_compared(&a->shape, &b->shape) != MYSQL_CLASS_NULL ||
           (a->shape.class == MYSQL_CLASS_NULL && b->shape.class == MYSQL_CLASS_NULL) ||
           incomparable(r);
}

static struct mysql_shape truth(bool not_null)
{
    struct mysql_shape shape = mysql_shape_int(1);
    shape.not_null = not_null;
    return shape;
}

static bool all_not_null(const struct mysql_node *node)
{
    for (const struct mysql_node *a = node->arguments; a != NULL; a = a->next) {
        if (!a->shape.not_null) {
            return false;
        }
    }
    return true;
}

static bool binary_resolve(struct mysql_resolver *r, struct mysql_node *node)
{
    struct mysql_node *left = node->arguments;
    struct mysql_node *right = left->next;
    switch (node->op) {
    case MYSQL_OP_EQ:
    case MYSQL_OP_NULL_EQ:
    case MYSQL_OP_NE:
    case MYSQL_OP_LT:
    case MYSQL_OP_LE:
    case MYSQL_OP_GT:
    case MYSQL_OP_GE:
        node->shape = truth(all_not_null(node) || node->op == MYSQL_OP_NULL_EQ);
        return compared(r, left, right);
    case MYSQL_OP_BIT_OR:
    case MYSQL_OP_BIT_AND:
    case MYSQL_OP_BIT_XOR:
    case MYSQL_OP_SHIFT_LEFT:
    case MYSQL_OP_SHIFT_RIGHT:
        node->shape = mysql_shape_of(MYSQL_CLASS_INT, 0);
        node->shape.is_unsigned = true;
        return true;
    case MYSQL_OP_INT_DIV:
        node->shape = mysql_shape_of(MYSQL_CLASS_INT, 0);
        return true;
    case MYSQL_OP_ADD:
    case MYSQL_OP_SUB:
    case MYSQL_OP_MUL:
    case MYSQL_OP_DIV:
    case MYSQL_OP_MOD:
        node->shape = mysql_shape_arithmetic(node->op, left->shape, right->shape);
        return true;
    default: /* OR, XOR, AND */
        node->shape = truth(all_not_null(node));
        return true;
    }
}

static bool unary_resolve(struct mysql_node *node)
{
    const struct mysql_shape *of = &node->arguments->shape;
    if (node->op == MYSQL_OP_NOT) {
        node->shape = truth(of->not_null);
    } else if (node->op == MYSQL_OP_BIT_NOT) {
        node->shape = mysql_shape_of(MYSQL_CLASS_INT, 0);
        node->shape.is_unsigned = true;
    } else {
        struct mysql_shape zero = mysql_shape_int(1);
        node->shape = mysql_shape_arithmetic(MYSQL_OP_SUB, *of, zero);
        node->shape.is_unsigned = false;
        node->shape.not_null = of->not_null;
        if (node->arguments->kind == MYSQL_NODE_INTEGER) {
            node->shape.length = of->length + 1;
        }
    }
    return true;
}

static bool in_resolve(struct mysql_resolver *r, struct mysql_scope *scope, struct mysql_node *node)
{
    struct mysql_node *value = node->arguments;
    node->shape = truth(false);
    if (node->query == NULL) {
        enum mysql_class class = MYSQL_CLASS_NULL;
        for (const struct mysql_node *a = value->next; a != NULL; a = a->next) {
            enum mysql_class with = mysql_shape_compared(&value->shape, &a->shape);
            if (!compared(r, value, a)) {
                return false;
            }
            if (class != MYSQL_CLASS_NULL && with != class && a->shape.class != MYSQL_CLASS_NULL &&
                !(mysql_class_is_number(class) && mysql_class_is_number(with))) {
                return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET,
                                       "lists of IN with values of several kinds");
            }
            class = a->shape.class != MYSQL_CLASS_NULL ? with : class;
        }
        return true;
    }
    if (!mysql_resolve_query(r, node->query, scope)) {
        return false;
    }
    if (node->query->field_count != 1) {
        return mysql_error_set(r->error, MYSQL_ER_OPERAND_COLUMNS, 1);
    }
    if (node->query->limit != NULL) {
        return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET,
                               "LIMIT & IN/ALL/ANY/SOME subquery");
    }
    struct mysql_node of_query = {.shape = node->query->fields[0].shape};
    return compared(r, value, &of_query);
}

static bool case_resolve(struct mysql_resolver *r, struct mysql_node *node)
{
    struct mysql_node *a = node->arguments;
    const struct mysql_node *value = node->has_value ? a : NULL;
    struct mysql_shape shape = {.class = MYSQL_CLASS_NULL, .not_null = node->has_else};
    bool first = true;
    for (a = node->has_value ? a->next : a; a != NULL; a = a->next) {
        if (a->next != NULL) {
            if (value != NULL && !compared(r, value, a)) {
                return false;
            }
            a = a->next;
        }
        bool not_null = shape.not_null && a->shape.not_null;
        shape = first ? a->shape : mysql_shape_unify(shape, a->shape);
        shape.not_null = not_null;
        first = false;
    }
    node->shape = shape;
    return true;
}

static bool interval_resolve(struct mysql_node *node)
{
    const struct mysql_shape *date = &node->arguments->shape;
    bool of_time =
        span_find_byte(node->name, 'I') < node->name.len || span_equal_cstr(node->name, "HOUR") ||
        span_equal_cstr(node->name, "SECOND") || span_equal_cstr(node->name, "DAY_HOUR") ||
        span_equal_cstr(node->name, "DAY_SECOND") || span_equal_cstr(node->name, "HOUR_SECOND");
    enum mysql_class class = MYSQL_CLASS_TEXT;
    if (date->class == MYSQL_CLASS_DATETIME) {
        class = MYSQL_CLASS_DATETIME;
    } else if (date->class == MYSQL_CLASS_DATE) {
        class = of_time ? MYSQL_CLASS_DATETIME : MYSQL_CLASS_DATE;
    }
    node->shape = mysql_shape_of(class, class == MYSQL_CLASS_TEXT ? 29 : 0);
    node->shape.decimals = span_equal_cstr(node->name, "MICROSECOND") ? 6 : date->decimals;
    return true;
}

static bool collate_resolve(struct mysql_resolver *r, struct mysql_node *node)
{
    struct span name = node->name;
    node->shape = node->arguments->shape;
    bool ci = span_ends_with(name, SPAN_LIT("_ci"));
    bool bin =
        span_ends_with(name, SPAN_LIT("_bin")) || span_equal_nocase(name, SPAN_LIT("binary"));
    if (!span_starts_with(name, SPAN_LIT("utf8")) && !span_equal_nocase(name, SPAN_LIT("binary"))) {
        return mysql_error_set(r->error, MYSQL_ER_UNKNOWN_COLLATION, mysql_shown(r, name));
    }
    if (!ci && !bin) {
        return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET, mysql_shown(r, name));
    }
    node->shape.is_binary = bin;
    return true;
}

static bool subquery_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                             struct mysql_node *node)
{
    if (!mysql_resolve_query(r, node->query, scope)) {
        return false;
    }
    if (node->kind == MYSQL_NODE_EXISTS) {
        node->shape = truth(true);
        return true;
    }
    if (node->query->field_count != 1) {
        return mysql_error_set(r->error, MYSQL_ER_OPERAND_COLUMNS, 1);
    }
    node->shape = node->query->fields[0].shape;
    node->shape.not_null = false;
    return true;
}

static bool arguments_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                              struct mysql_node *node)
{
    for (struct mysql_node *a = node->arguments; a != NULL; a = a->next) {
        if (!mysql_resolve_node(r, scope, a)) {
            return false;
        }
        node->aggregates = node->aggregates || a->aggregates;
    }
    return true;
}

static bool variable_resolve(struct mysql_resolver *r, struct mysql_node *node)
{
    if (node->kind == MYSQL_NODE_USER_VARIABLE) {
        mysql_user_variable(r->session, node->name, node);
        return true;
    }
    return mysql_variable_node(r->session, node, r->arena, r->error);
}

static bool operator_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                             struct mysql_node *node)
{
    if (!arguments_resolve(r, scope, node) ||
        (node->kind != MYSQL_NODE_ROW && !operands_are_single(r, node))) {
        return false;
    }
    switch (node->kind) {
    case MYSQL_NODE_UNARY:
        return unary_resolve(node);
    case MYSQL_NODE_BINARY:
        return binary_resolve(r, node);
    case MYSQL_NODE_LIKE:
    case MYSQL_NODE_REGEXP:
        node->shape = truth(all_not_null(node));
        return true;
    case MYSQL_NODE_BETWEEN:
        node->shape = truth(all_not_null(node));
        return compared(r, node->arguments, node->arguments->next) &&
               compared(r, node->arguments, node->arguments->next->next);
    case MYSQL_NODE_IN:
        return in_resolve(r, scope, node);
    case MYSQL_NODE_IS:
        node->shape = truth(true);
        return true;
    case MYSQL_NODE_CASE:
        return case_resolve(r, node);
    case MYSQL_NODE_CAST:
        node->shape = mysql_shape_of_cast(node->cast, &node->arguments->shape);
        return node->shape.class != MYSQL_CLASS_FLOAT ||
               mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET, "CAST(... AS FLOAT)");
    case MYSQL_NODE_COLLATE:
        return collate_resolve(r, node);
    case MYSQL_NODE_BINARY_OF:
        node->shape = node->arguments->shape;
        node->shape.class = MYSQL_CLASS_TEXT;
        node->shape.is_binary = true;
        node->shape.is_bytes = true;
        return true;
    default: /* INTERVAL and ROW */
        return node->kind != MYSQL_NODE_INTERVAL || interval_resolve(node);
    }
}

bool mysql_resolve_node(struct mysql_resolver *r, struct mysql_scope *scope,
                        struct mysql_node *node)
{
    switch (node->kind) {
    case MYSQL_NODE_NULL:
        node->shape = (struct mysql_shape){.class = MYSQL_CLASS_NULL};
        return true;
    case MYSQL_NODE_INTEGER:
        node->shape = mysql_shape_int((uint32_t)node->source.len + 1);
        node->shape.is_unsigned = node->is_unsigned;
        return true;
    case MYSQL_NODE_DECIMAL:
        return decimal_resolve(r, node);
    case MYSQL_NODE_REAL:
        node->shape = mysql_shape_of(MYSQL_CLASS_REAL, 0);
        node->shape.not_null = true;
        return true;
    case MYSQL_NODE_STRING:
        node->shape = text_shape(node->text);
        return true;
    case MYSQL_NODE_BYTES:
        node->shape = text_shape(node->text);
        node->shape.is_bytes = true;
        node->shape.is_binary = true;
        return true;
    case MYSQL_NODE_PARAM:
        param_resolve(r, node);
        return true;
    case MYSQL_NODE_COLUMN:
        return node->table != NULL || column_resolve(r, scope, node);
    case MYSQL_NODE_VARIABLE:
    case MYSQL_NODE_USER_VARIABLE:
        return variable_resolve(r, node);
    case MYSQL_NODE_FUNCTION:
        return mysql_resolve_call(r, scope, node);
    case MYSQL_NODE_SUBQUERY:
    case MYSQL_NODE_EXISTS:
        return subquery_resolve(r, scope, node);
    case MYSQL_NODE_STAR:
        return mysql_error_set(r->error, MYSQL_ER_PARSE, mysql_shown(r, node->source), 1);
    default:
        return operator_resolve(r, scope, node);
    }
}
