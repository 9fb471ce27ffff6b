/* ONLY_FULL_GROUP_BY: a query that groups may show what it groups by, what depends on that (the
 * other columns of a table whose key is known, and what is equal to a known column), and
 * aggregates. */
#include "mysql_resolver.h"

static bool args_equal(const struct mysql_node *a, const struct mysql_node *b)
{
    for (; a != NULL && b != NULL; a = a->next, b = b->next) {
        if (!mysql_node_equal(a, b)) {
            return false;
        }
    }
    return a == NULL && b == NULL;
}

bool mysql_node_equal(const struct mysql_node *a, const struct mysql_node *b)
{
    a = a->stands_for != NULL ? a->stands_for : a;
    b = b->stands_for != NULL ? b->stands_for : b;
    if (a == b) {
        return true;
    }
    if (a->kind != b->kind || a->op != b->op || a->query != NULL || b->query != NULL ||
        a->window != NULL || b->window != NULL || a->order != NULL || b->order != NULL) {
        return false;
    }
    if (a->kind == MYSQL_NODE_COLUMN) {
        return a->table == b->table && a->column == b->column;
    }
    return span_equal_nocase(a->name, b->name) && span_equal(a->text, b->text) &&
           a->integer == b->integer && a->negated == b->negated && a->distinct == b->distinct &&
           a->has_value == b->has_value && a->has_else == b->has_else &&
           args_equal(a->arguments, b->arguments);
}

struct known_column {
    const struct mysql_source *table;
    size_t column;
};
struct known {
    struct mysql_resolver *r;
    const struct mysql_select *select;
    struct known_column *columns;
    size_t count;
    size_t capacity;
    bool no_memory;
};

static bool is_known(const struct known *known, const struct mysql_node *column)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct known_column *k = &known->columns[i];
        /* A table's key decides the others. */
        bool by_key = k->table->field_count > 0 && k->table->table != NULL && k->column == 0;
        if (k->table == column->table && (k->column == column->column || by_key)) {
            return true;
        }
    }
    return false;
}

static bool learn(struct known *known, const struct mysql_node *column)
{
    if (is_known(known, column)) {
        return false;
    }
    if (!ARENA_GROW(known->r->arena, known->columns, known->capacity, known->count + 1)) {
        known->no_memory = true;
        return false;
    }
    known->columns[known->count++] =
        (struct known_column){.table = column->table, .column = column->column};
    return true;
}

static const struct mysql_node *bare(const struct mysql_node *node)
{
    return node->stands_for != NULL ? node->stands_for : node;
}

static bool is_constant(const struct mysql_node *node)
{
    return node->kind <= MYSQL_NODE_PARAM;
}

/* What an AND of equalities makes known; true: something new. */
static bool learn_from(struct known *known, const struct mysql_node *node)
{
    bool learned = false;
    if (node == NULL || node->kind != MYSQL_NODE_BINARY) {
        return false;
    }
    if (node->op == MYSQL_OP_AND) {
        for (const struct mysql_node *a = node->arguments; a != NULL; a = a->next) {
            learned = learn_from(known, a) || learned;
        }
        return learned;
    }
    const struct mysql_node *left = bare(node->arguments);
    const struct mysql_node *right = bare(node->arguments->next);
    bool left_column = left->kind == MYSQL_NODE_COLUMN;
    bool right_column = right->kind == MYSQL_NODE_COLUMN;
    if (node->op != MYSQL_OP_EQ) {
        return false;
    }
    if (left_column && (is_constant(right) || (right_column && is_known(known, right)))) {
        learned = learn(known, left);
    }
    if (right_column && (is_constant(left) || (left_column && is_known(known, left)))) {
        learned = learn(known, right) || learned;
    }
    return learned;
}

static void known_of(struct known *known)
{
    const struct mysql_select *select = known->select;
    for (const struct mysql_order *group = select->group; group != NULL; group = group->next) {
        const struct mysql_node *node = bare(group->node);
        if (node->kind == MYSQL_NODE_COLUMN) {
            learn(known, node);
        }
    }
    bool learned = true;
    while (learned) {
        learned = learn_from(known, select->where);
        for (const struct mysql_source *source = select->from; source != NULL;
             source = source->next) {
            learned = learn_from(known, source->on) || learned;
        }
    }
}

static bool is_local(const struct mysql_select *select, const struct mysql_node *column)
{
    for (const struct mysql_source *source = select->from; source != NULL; source = source->next) {
        if (source == column->table) {
            return true;
        }
    }
    return false;
}

/* The first column that is neither grouped by nor known. */
static const struct mysql_node *loose_column(const struct known *known,
                                             const struct mysql_node *node)
{
    node = bare(node);
    for (const struct mysql_order *group = known->select->group; group != NULL;
         group = group->next) {
        if (mysql_node_equal(bare(group->node), node)) {
            return NULL;
        }
    }
    if (node->kind == MYSQL_NODE_COLUMN) {
        return is_local(known->select, node) && !is_known(known, node) ? node : NULL;
    }
    if (node->kind == MYSQL_NODE_FUNCTION && mysql_function_is_aggregate(node->function) &&
        node->window == NULL) {
        return NULL;
    }
    for (const struct mysql_node *a = node->arguments; a != NULL; a = a->next) {
        const struct mysql_node *found = loose_column(known, a);
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static bool refuse_loose(struct mysql_resolver *r, const struct mysql_select *select,
                         const struct mysql_node *column, unsigned number, const char *where)
{
    const struct mysql_source *table = column->table;
    const char *name = arena_printf(r->arena, "%.*s%s%.*s.%.*s", SPAN_ARG(table->schema),
                                    table->schema.len > 0 ? "." : "", SPAN_ARG(table->alias),
                                    SPAN_ARG(table->fields[column->column].name));
    return mysql_error_set(r->error,
                           select->group != NULL ? MYSQL_ER_WRONG_FIELD_WITH_GROUP
                                                 : MYSQL_ER_MIX_OF_GROUP_FUNC_AND_FIELDS,
                           number, where, name != NULL ? name : "");
}

bool mysql_check_grouping(struct mysql_resolver *r, struct mysql_select *select,
                          const struct mysql_query_expr *query)
{
    struct known known = {.r = r, .select = select};
    unsigned number = 0;
    if (!select->aggregates || !r->full_group_by) {
        return true;
    }
    known_of(&known);
    if (known.no_memory) {
        return mysql_resolve_no_memory(r);
    }
    for (const struct mysql_item *item = select->items; item != NULL; item = item->next) {
        number++;
        const struct mysql_node *loose = loose_column(&known, item->node);
        if (loose != NULL) {
            return refuse_loose(r, select, loose, number, "SELECT list");
        }
    }
    number = 0;
    for (const struct mysql_order *order = query != NULL ? query->order : NULL; order != NULL;
         order = order->next) {
        number++;
        const struct mysql_node *loose = loose_column(&known, order->node);
        if (loose != NULL) {
            return refuse_loose(r, select, loose, number, "ORDER BY");
        }
    }
    return true;
}
