/* Queries, as SQLite's. A table is t<number>, the columns of a derived one are c<number>. */
#include "mysql_emitter.h"

static void emit_cell(struct mysql_emitter *e, const struct mysql_cell *cell)
{
    switch (cell->kind) {
    case MYSQL_INT:
        buf_append_i64(e->out, cell->integer);
        break;
    case MYSQL_TEXT:
        mysql_emit_constant_text(e, cell->text);
        break;
    case MYSQL_NULL:
    case MYSQL_DOUBLE:
        BUF_APPEND_LIT(e->out, "NULL");
        break;
    }
}

/* (SELECT column1 AS c1, ... FROM (VALUES (...), ...)) */
static void emit_virtual(struct mysql_emitter *e, const struct mysql_source *source)
{
    const struct mysql_virtual *table = source->is_virtual;
    struct mysql_rows rows = {.arena = e->r->arena,
                              .session = e->session,
                              .subject = source->name,
                              .columns = table->column_count};
    if (table->fill != NULL) {
        table->fill(&rows);
    }
    if (rows.no_memory) {
        buf_no_memory(e->out);
    }
    BUF_APPEND_LIT(e->out, "(SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        buf_append_cstr(e->out, i > 0 ? "," : "");
        if (rows.cell_count > 0) {
            buf_printf(e->out, "column%zu", i + 1);
        } else {
            BUF_APPEND_LIT(e->out, "NULL");
        }
        buf_printf(e->out, " AS c%zu", i + 1);
    }
    if (rows.cell_count == 0) {
        BUF_APPEND_LIT(e->out, " WHERE 0)");
        return;
    }
    BUF_APPEND_LIT(e->out, " FROM (VALUES ");
    for (size_t i = 0; i < rows.cell_count; i++) {
        size_t column = i % table->column_count;
        buf_append_cstr(e->out, column > 0 ? "," : i > 0 ? "),(" : "(");
        emit_cell(e, &rows.cells[i]);
    }
    BUF_APPEND_LIT(e->out, ")))");
}

static void emit_source(struct mysql_emitter *e, const struct mysql_source *source, bool first)
{
    if (!first) {
        buf_append_cstr(e->out, source->join == MYSQL_JOIN_LEFT    ? " LEFT JOIN "
                                : source->join == MYSQL_JOIN_RIGHT ? " RIGHT JOIN "
                                                                   : " JOIN ");
    }
    if (source->is_virtual != NULL) {
        emit_virtual(e, source);
    } else if (source->cte != NULL) {
        buf_printf(e->out, "w%u", source->cte_number);
    } else if (source->derived != NULL) {
        BUF_APPEND_LIT(e->out, "(");
        mysql_emit_query(e, source->derived, false);
        BUF_APPEND_LIT(e->out, ")");
    } else {
        buf_printf(e->out, "main.%s", source->table->name);
    }
    buf_printf(e->out, " AS t%u", source->number);
    if (!first && source->on != NULL) {
        BUF_APPEND_LIT(e->out, " ON ");
        mysql_emit_truth(e, source->on);
    }
}

static void emit_items(struct mysql_emitter *e, const struct mysql_select *select,
                       const struct mysql_query_expr *query, bool outermost)
{
    size_t i = 0;
    for (const struct mysql_item *item = select->items; item != NULL; item = item->next) {
        const struct mysql_shape *shape = &query->fields[i].shape;
        bool collated = select->distinct || query->selects->next != NULL;
        if (i++ > 0) {
            BUF_APPEND_LIT(e->out, ",");
        }
        if (outermost && item->node->kind == MYSQL_NODE_COLUMN &&
            item->node->table->table != NULL && item->node->shape.class == MYSQL_CLASS_FLOAT &&
            !select->distinct) {
            /* Rounded where it is shown. */
            buf_printf(e->out, "t%u.\"%s\"", item->node->table->number,
                       item->node->table->table->columns[item->node->column].name);
        } else {
            mysql_emit_as(e, item->node, shape->class);
        }
        if (collated && shape->class == MYSQL_CLASS_TEXT) {
            buf_append_cstr(e->out, mysql_collation(shape));
        }
        buf_printf(e->out, " AS c%zu", i);
    }
}

static void emit_condition(struct mysql_emitter *e, const char *word, const struct mysql_node *node)
{
    if (node != NULL) {
        buf_append_cstr(e->out, word);
        mysql_emit_truth(e, node);
    }
}

static bool is_a_constant(const struct mysql_node *node)
{
    node = node->stands_for != NULL ? node->stands_for : node;
    return node->kind <= MYSQL_NODE_PARAM;
}

static void emit_order(struct mysql_emitter *e, const char *word, const struct mysql_order *order,
                       bool skip_constants)
{
    bool any = false;
    for (; order != NULL; order = order->next) {
        if (skip_constants && is_a_constant(order->node)) {
            continue;
        }
        buf_append_cstr(e->out, any ? "," : word);
        any = true;
        if (is_a_constant(order->node)) {
            BUF_APPEND_LIT(e->out, "(SELECT ");
            mysql_emit(e, order->node);
            BUF_APPEND_LIT(e->out, ")");
        } else {
            mysql_emit_collated(e, order->node);
        }
        buf_append_cstr(e->out, order->descending ? " DESC" : "");
    }
}

static void emit_limit_value(struct mysql_emitter *e, const struct mysql_node *node)
{
    if (node->kind == MYSQL_NODE_PARAM) {
        const struct mysql_value *value =
            e->r->params != NULL ? &e->r->params[node->integer] : NULL;
        buf_append_i64(e->out, value != NULL ? value->integer : 0);
    } else {
        buf_append_i64(e->out, node->is_unsigned ? INT64_MAX : node->integer);
    }
}

static void emit_limit(struct mysql_emitter *e, const struct mysql_query_expr *query)
{
    if (query->limit != NULL) {
        BUF_APPEND_LIT(e->out, " LIMIT ");
        emit_limit_value(e, query->limit);
    }
    if (query->offset != NULL) {
        BUF_APPEND_LIT(e->out, " OFFSET ");
        emit_limit_value(e, query->offset);
    }
}

static void emit_select(struct mysql_emitter *e, const struct mysql_select *select,
                        const struct mysql_query_expr *query, bool outermost)
{
    if (select->parenthesized != NULL) {
        BUF_APPEND_LIT(e->out, "SELECT ");
        for (size_t i = 0; i < query->field_count; i++) {
            struct mysql_node node = {.kind = MYSQL_NODE_STAR,
                                      .column = i,
                                      .shape = select->parenthesized->fields[i].shape};
            buf_append_cstr(e->out, i > 0 ? "," : "");
            mysql_emit_as(e, &node, query->fields[i].shape.class);
            if (query->fields[i].shape.class == MYSQL_CLASS_TEXT) {
                buf_append_cstr(e->out, mysql_collation(&query->fields[i].shape));
            }
            buf_printf(e->out, " AS c%zu", i + 1);
        }
        BUF_APPEND_LIT(e->out, " FROM (");
        mysql_emit_query(e, select->parenthesized, false);
        BUF_APPEND_LIT(e->out, ")");
        return;
    }
    buf_append_cstr(e->out, select->distinct ? "SELECT DISTINCT " : "SELECT ");
    emit_items(e, select, query, outermost);
    for (const struct mysql_source *source = select->from; source != NULL; source = source->next) {
        buf_append_cstr(e->out, source == select->from ? " FROM " : "");
        emit_source(e, source, source == select->from);
    }
    emit_condition(e, " WHERE ", select->where);
    if (select->having != NULL && !select->aggregates) { /* then it is one more condition */
        emit_condition(e, select->where != NULL ? " AND " : " WHERE ", select->having);
    }
    emit_order(e, " GROUP BY ", select->group, false);
    if (select->having != NULL && select->aggregates) {
        if (select->group == NULL) {
            BUF_APPEND_LIT(e->out, " GROUP BY NULL");
        }
        emit_condition(e, " HAVING ", select->having);
    }
}

static void emit_ctes(struct mysql_emitter *e, const struct mysql_query_expr *query)
{
    for (const struct mysql_cte *cte = query->ctes; cte != NULL; cte = cte->next) {
        buf_append_cstr(e->out, cte != query->ctes ? ","
                                : query->recursive ? "WITH RECURSIVE "
                                                   : "WITH ");
        buf_printf(e->out, "w%u(", cte->number);
        for (size_t i = 0; i < cte->query->field_count; i++) {
            buf_printf(e->out, "%sc%zu", i > 0 ? "," : "", i + 1);
        }
        BUF_APPEND_LIT(e->out, ") AS (");
        mysql_emit_query(e, cte->query, false);
        BUF_APPEND_LIT(e->out, ")");
    }
    buf_append_cstr(e->out, query->ctes != NULL ? " " : "");
}

void mysql_emit_query(struct mysql_emitter *e, const struct mysql_query_expr *query, bool outermost)
{
    static const char *const words[] = {
        [MYSQL_SET_UNION] = " UNION ",
        [MYSQL_SET_UNION_ALL] = " UNION ALL ",
        [MYSQL_SET_EXCEPT] = " EXCEPT ",
        [MYSQL_SET_INTERSECT] = " INTERSECT ",
    };
    bool alone = query->selects->next == NULL && query->selects->parenthesized == NULL;
    bool wrapped = !alone && (query->order != NULL || query->limit != NULL);
    emit_ctes(e, query);
    if (wrapped) {
        BUF_APPEND_LIT(e->out, "SELECT * FROM (");
    }
    for (const struct mysql_select *select = query->selects; select != NULL;
         select = select->next) {
        buf_append_cstr(e->out, select != query->selects ? words[select->set_op] : "");
        emit_select(e, select, query, outermost && alone);
    }
    if (wrapped) {
        BUF_APPEND_LIT(e->out, ")");
    }
    /* One row needs no order, and SQLite would take an aggregate in it for a second one. */
    if (!alone || !query->selects->aggregates || query->selects->group != NULL) {
        emit_order(e, " ORDER BY ", query->order, true);
    }
    emit_limit(e, query);
}

bool mysql_emit_statement(struct mysql_emitter *e, const struct mysql_query_expr *query)
{
    mysql_emit_query(e, query, true);
    return buf_ok(e->out) || mysql_resolve_no_memory(e->r);
}
