/* Queries: WITH, the SELECTs of a UNION, their items, ORDER BY and LIMIT. */
#include "mysql_lexer.h"
#include "mysql_resolver.h"

static struct mysql_item *item_new(struct mysql_resolver *r, const struct mysql_source *source,
                                   size_t index)
{
    struct mysql_item *item = ARENA_NEW(r->arena, struct mysql_item);
    struct mysql_node *node = ARENA_NEW(r->arena, struct mysql_node);
    if (item == NULL || node == NULL) {
        mysql_resolve_no_memory(r);
        return NULL;
    }
    node->kind = MYSQL_NODE_COLUMN;
    node->table = source;
    node->column = index;
    node->name = source->fields[index].name;
    node->source = node->name;
    node->shape = source->fields[index].shape;
    item->node = node;
    return item;
}

static bool star_is_of(const struct mysql_node *star, const struct mysql_source *source)
{
    return star->qualifier.len == 0 ||
           (span_equal(star->qualifier, source->alias) &&
            (star->schema.len == 0 || span_equal(star->schema, source->schema)));
}

/* The items that a * stands for, in its place. A column that USING merged shows once, unless its
 * table is named. */
static bool star_expand(struct mysql_resolver *r, struct mysql_scope *scope,
                        struct mysql_item **place)
{
    struct mysql_item *star = *place;
    struct mysql_item **end = place;
    if (scope->from == NULL) {
        return mysql_error_set(r->error, MYSQL_ER_NO_TABLES_USED);
    }
    for (const struct mysql_source *source = scope->from; source != NULL; source = source->next) {
        for (size_t i = 0; star_is_of(star->node, source) && i < source->field_count; i++) {
            if (source->fields[i].merged && star->node->qualifier.len == 0) {
                continue;
            }
            *end = item_new(r, source, i);
            if (*end == NULL) {
                return false;
            }
            end = &(*end)->next;
        }
    }
    if (end == place) {
        return mysql_error_set(r->error, MYSQL_ER_BAD_TABLE, mysql_shown(r, star->node->qualifier));
    }
    *end = star->next;
    return true;
}

static bool items_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                          struct mysql_select *select)
{
    for (struct mysql_item **place = &select->items; *place != NULL;) {
        if ((*place)->node->kind == MYSQL_NODE_STAR) {
            if (!star_expand(r, scope, place)) {
                return false;
            }
            continue;
        }
        if ((*place)->node->table == NULL && !mysql_resolve_node(r, scope, (*place)->node)) {
            return false;
        }
        if ((*place)->node->kind == MYSQL_NODE_ROW) {
            return mysql_error_set(r->error, MYSQL_ER_OPERAND_COLUMNS, 1);
        }
        select->item_count++;
        place = &(*place)->next;
    }
    return true;
}

static struct span item_name(const struct mysql_item *item)
{
    const struct mysql_node *node = item->node;
    if (item->alias.ptr != NULL) {
        return item->alias;
    }
    return node->kind == MYSQL_NODE_COLUMN ||
                   (node->kind == MYSQL_NODE_STRING && node->name.ptr != NULL)
               ? node->name
               : node->source;
}

static struct mysql_item *item_at(const struct mysql_select *select, int64_t position)
{
    struct mysql_item *item = select->items;
    while (item != NULL && position > 1) {
        item = item->next;
        position--;
    }
    return position == 1 ? item : NULL;
}

static struct mysql_item *item_named(const struct mysql_select *select, struct span name)
{
    for (struct mysql_item *item = select->items; item != NULL; item = item->next) {
        if (span_equal_nocase(item_name(item), name)) {
            return item;
        }
    }
    return NULL;
}

static void stands_for(struct mysql_node *node, struct mysql_item *item)
{
    node->stands_for = item->node;
    node->shape = item->node->shape;
    node->aggregates = item->node->aggregates;
}

static bool unknown_position(struct mysql_resolver *r, const struct mysql_scope *scope,
                             const struct mysql_node *node)
{
    return mysql_error_set(r->error, MYSQL_ER_BAD_FIELD, mysql_shown(r, node->source),
                           scope->clause);
}

static bool group_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                          struct mysql_select *select)
{
    scope->clause = "group statement";
    for (struct mysql_order *group = select->group; group != NULL; group = group->next) {
        struct mysql_node *node = group->node;
        struct mysql_item *item = NULL;
        if (node->kind == MYSQL_NODE_INTEGER) {
            item = item_at(select, node->integer);
            if (item == NULL) {
                return unknown_position(r, scope, node);
            }
        } else if (node->kind == MYSQL_NODE_COLUMN && node->qualifier.len == 0) {
            struct mysql_node probe = *node;
            struct mysql_error unread;
            struct mysql_error *error = r->error;
            r->error = &unread;
            bool is_column = mysql_resolve_node(r, scope, &probe) && probe.stands_for == NULL;
            r->error = error;
            item = is_column ? NULL : item_named(select, node->name);
        }
        if (item != NULL) {
            stands_for(node, item);
            if (node->aggregates) {
                return mysql_error_set(r->error, MYSQL_ER_WRONG_GROUP_FIELD,
                                       mysql_shown(r, item_name(item)));
            }
        } else if (!mysql_resolve_node(r, scope, node)) {
            return false;
        }
    }
    return true;
}

static bool order_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                          struct mysql_order *order, bool by_name_only)
{
    scope->clause = "order clause";
    scope->may_alias = true;
    scope->may_aggregate = true;
    for (; order != NULL; order = order->next) {
        struct mysql_node *node = order->node;
        struct mysql_item *item = NULL;
        if (node->kind == MYSQL_NODE_INTEGER) {
            item = item_at(scope->select, node->integer);
            if (item == NULL) {
                return unknown_position(r, scope, node);
            }
        } else if (node->kind == MYSQL_NODE_COLUMN && node->qualifier.len == 0) {
            item = item_named(scope->select, node->name);
        }
        if (item != NULL) {
            stands_for(node, item);
        } else if (by_name_only) {
            return unknown_position(r, scope, node);
        } else if (!mysql_resolve_node(r, scope, node)) {
            return false;
        }
    }
    return true;
}

static bool select_resolve(struct mysql_resolver *r, struct mysql_query_expr *query,
                           struct mysql_select *select, struct mysql_scope *outer)
{
    struct mysql_scope scope = {.outer = outer, .select = select, .from = select->from};
    if (select->parenthesized != NULL) {
        if (!mysql_resolve_query(r, select->parenthesized, outer)) {
            return false;
        }
        select->item_count = select->parenthesized->field_count;
        return true;
    }
    if (!mysql_resolve_from(r, &scope)) {
        return false;
    }
    scope.clause = "field list";
    scope.may_aggregate = true;
    if (!items_resolve(r, &scope, select)) {
        return false;
    }
    scope.may_aggregate = false;
    scope.clause = "where clause";
    if (select->where != NULL && !mysql_resolve_node(r, &scope, select->where)) {
        return false;
    }
    if (!group_resolve(r, &scope, select)) {
        return false;
    }
    select->aggregates = select->aggregates || select->group != NULL;
    scope.may_alias = true;
    scope.may_aggregate = true;
    scope.in_having = true;
    scope.clause = "having clause";
    if (select->having != NULL && !mysql_resolve_node(r, &scope, select->having)) {
        return false;
    }
    scope.in_having = false;
    bool alone = query->selects == select && select->next == NULL;
    return (!alone || order_resolve(r, &scope, query->order, false)) &&
           mysql_check_grouping(r, select, alone ? query : NULL);
}

/* The names and shapes of a query's rows: the first SELECT's names, and what its values and the
 * others' become together. */
static bool query_fields(struct mysql_resolver *r, struct mysql_query_expr *query,
                         const struct mysql_select *select)
{
    bool first = query->fields == NULL;
    if (first) {
        query->field_count = select->item_count;
        query->fields = arena_alloc_array(r->arena, select->item_count, sizeof(*query->fields));
        if (query->fields == NULL) {
            return mysql_resolve_no_memory(r);
        }
    } else if (query->field_count != select->item_count) {
        return mysql_error_set(r->error, MYSQL_ER_WRONG_NUMBER_OF_COLUMNS);
    }
    const struct mysql_item *item = select->items;
    for (size_t i = 0; i < query->field_count; i++) {
        struct mysql_field field = {0};
        if (select->parenthesized != NULL) {
            field = select->parenthesized->fields[i];
        } else {
            field = (struct mysql_field){.name = item_name(item), .shape = item->node->shape};
            if (first && item->alias.ptr == NULL && field.name.ptr == item->node->source.ptr) {
                field.name = mysql_text_shown(r->arena, field.name);
            }
            if (field.name.ptr == NULL) {
                return mysql_resolve_no_memory(r);
            }
            item = item->next;
        }
        if (first) {
            query->fields[i] = field;
        } else {
            query->fields[i].shape = mysql_shape_unify(query->fields[i].shape, field.shape);
        }
    }
    return true;
}

static bool ctes_resolve(struct mysql_resolver *r, struct mysql_query_expr *query,
                         struct mysql_scope *outer, struct mysql_cte_scope *scope)
{
    scope->ctes = query->ctes;
    scope->outer = r->ctes;
    r->ctes = scope;
    for (struct mysql_cte *cte = query->ctes; cte != NULL; cte = cte->next) {
        cte->number = ++r->tables;
        scope->until = query->recursive ? cte->next : cte;
        if (!mysql_resolve_query(r, cte->query, outer)) {
            return false;
        }
    }
    scope->until = NULL;
    return true;
}

static bool limit_resolve(struct mysql_resolver *r, const struct mysql_node *node)
{
    if (node == NULL || node->kind == MYSQL_NODE_INTEGER) {
        return true;
    }
    if (node->kind == MYSQL_NODE_PARAM) {
        if (r->params != NULL &&
            (r->params[node->integer].kind != MYSQL_INT || r->params[node->integer].integer < 0)) {
            return mysql_error_set(r->error, MYSQL_ER_WRONG_ARGUMENTS, "EXECUTE");
        }
        return true;
    }
    return mysql_error_set(r->error, MYSQL_ER_PARSE, mysql_shown(r, node->source), 1);
}

static bool selects_resolve(struct mysql_resolver *r, struct mysql_query_expr *query,
                            struct mysql_scope *outer)
{
    for (struct mysql_select *select = query->selects; select != NULL; select = select->next) {
        if (select != query->selects && (select->set_op == MYSQL_SET_INTERSECT) &&
            query->selects->next != select) {
            return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET,
                                   "INTERSECT behind another set operator");
        }
        if (!select_resolve(r, query, select, outer) || !query_fields(r, query, select)) {
            return false;
        }
    }
    if (query->selects->next == NULL && query->selects->parenthesized == NULL) {
        return true;
    }
    struct mysql_select rows = {0};
    struct mysql_item *items = arena_alloc_array(r->arena, query->field_count + 1, sizeof(*items));
    struct mysql_node *nodes = arena_alloc_array(r->arena, query->field_count + 1, sizeof(*nodes));
    if (items == NULL || nodes == NULL) {
        return mysql_resolve_no_memory(r);
    }
    for (size_t i = 0; i < query->field_count; i++) {
        nodes[i] = (struct mysql_node){
            .kind = MYSQL_NODE_STAR, .column = i, .shape = query->fields[i].shape};
        items[i] = (struct mysql_item){.node = &nodes[i],
                                       .alias = query->fields[i].name,
                                       .next = i + 1 < query->field_count ? &items[i + 1] : NULL};
    }
    rows.items = items;
    struct mysql_scope scope = {.outer = outer, .select = &rows};
    return order_resolve(r, &scope, query->order, true);
}

bool mysql_resolve_query(struct mysql_resolver *r, struct mysql_query_expr *query,
                         struct mysql_scope *outer)
{
    struct mysql_cte_scope *before = r->ctes;
    struct mysql_cte_scope ctes = {0};
    bool ok = ctes_resolve(r, query, outer, &ctes) && selects_resolve(r, query, outer) &&
              limit_resolve(r, query->limit) && limit_resolve(r, query->offset);
    r->ctes = before;
    return ok;
}
