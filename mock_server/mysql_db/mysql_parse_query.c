/* SELECT, UNION and WITH. */
#include "mysql_parser.h"

bool mysql_parse_at_query(const struct mysql_parser *p)
{
    if (mysql_parser_at_word(p, "SELECT") || mysql_parser_at_word(p, "WITH")) {
        return true;
    }
    if (!mysql_parser_at_op(p, "(")) {
        return false;
    }
    /* ((SELECT ...) UNION ...) against ((1 + 2)) */
    struct mysql_parser ahead = *p;
    while (mysql_parser_op(&ahead, "(")) {
    }
    return mysql_parser_at_word(&ahead, "SELECT") || mysql_parser_at_word(&ahead, "WITH");
}

struct mysql_order *mysql_parse_order_list(struct mysql_parser *p)
{
    struct mysql_order *first = NULL;
    struct mysql_order **end = &first;
    do {
        struct mysql_node *node = mysql_parse_expr(p);
        struct mysql_order *order = node != NULL ? ARENA_NEW(p->arena, struct mysql_order) : NULL;
        if (order == NULL) {
            mysql_parser_no_memory(p);
            return NULL;
        }
        order->node = node;
        order->descending = mysql_parser_word(p, "DESC");
        if (!order->descending) {
            mysql_parser_word(p, "ASC");
        }
        *end = order;
        end = &order->next;
    } while (mysql_parser_op(p, ","));
    return first;
}

static bool name_list(struct mysql_parser *p, struct span **out, size_t *count)
{
    size_t capacity = 0;
    *out = NULL;
    *count = 0;
    do {
        if (!ARENA_GROW(p->arena, *out, capacity, *count + 1)) {
            return mysql_parser_no_memory(p);
        }
        if (!mysql_parser_name(p, &(*out)[(*count)++])) {
            return false;
        }
    } while (mysql_parser_op(p, ","));
    return mysql_parser_need_op(p, ")");
}

/* --- FROM --- */

static bool table_name(struct mysql_parser *p, struct mysql_source *source)
{
    if (!mysql_parser_name(p, &source->name)) {
        return false;
    }
    if (mysql_parser_op(p, ".")) {
        source->schema = source->name;
        if (p->token.kind == MYSQL_TOKEN_NAME) {
            source->name = p->token.text;
            mysql_parser_advance(p);
            return true;
        }
        return mysql_parser_name(p, &source->name);
    }
    return true;
}

static bool table_alias(struct mysql_parser *p, struct mysql_source *source)
{
    source->alias = source->name;
    if (mysql_parser_word(p, "AS") ? true : mysql_parser_at_name(p)) {
        return mysql_parser_alias_name(p, &source->alias);
    }
    return true;
}

/* USE INDEX (...) and its like, which change no rows. */
static bool index_hints(struct mysql_parser *p)
{
    while (mysql_parser_at_word(p, "USE") || mysql_parser_at_word(p, "FORCE") ||
           mysql_parser_at_word(p, "IGNORE")) {
        mysql_parser_advance(p);
        if (!mysql_parser_word(p, "INDEX") && !mysql_parser_need_word(p, "KEY")) {
            return false;
        }
        if (!mysql_parser_need_op(p, "(")) {
            return false;
        }
        while (!mysql_parser_op(p, ")")) {
            if (p->failed || p->token.kind == MYSQL_TOKEN_END) {
                return mysql_parser_fail(p);
            }
            mysql_parser_advance(p);
        }
    }
    return true;
}

static struct mysql_source *table_factor(struct mysql_parser *p)
{
    struct mysql_source *source = ARENA_NEW(p->arena, struct mysql_source);
    if (source == NULL) {
        mysql_parser_no_memory(p);
        return NULL;
    }
    if (mysql_parser_word(p, "LATERAL") || mysql_parser_at_word(p, "JSON_TABLE")) {
        mysql_parser_unsupported(p, "LATERAL and JSON_TABLE");
        return NULL;
    }
    if (!mysql_parser_at_op(p, "(")) {
        return table_name(p, source) && table_alias(p, source) && index_hints(p) ? source : NULL;
    }
    if (!mysql_parse_at_query(p)) {
        mysql_parser_advance(p);
        if (mysql_parse_at_query(p) || mysql_parser_at_name(p)) {
            mysql_parser_unsupported(p, "joins in parentheses");
        }
        mysql_parser_fail(p);
        return NULL;
    }
    mysql_parser_advance(p);
    source->derived = mysql_parse_query(p);
    if (source->derived == NULL || !mysql_parser_need_op(p, ")") || !table_alias(p, source)) {
        return NULL;
    }
    if (source->alias.len == 0) {
        p->failed = true;
        mysql_error_set(p->error, MYSQL_ER_DERIVED_MUST_HAVE_ALIAS);
        return NULL;
    }
    if (mysql_parser_op(p, "(") &&
        !name_list(p, &source->column_names, &source->column_name_count)) {
        return NULL;
    }
    return source;
}

static bool join_condition(struct mysql_parser *p, struct mysql_source *source)
{
    if (mysql_parser_word(p, "ON")) {
        source->on = mysql_parse_expr(p);
        return source->on != NULL;
    }
    if (mysql_parser_word(p, "USING")) {
        return mysql_parser_need_op(p, "(") &&
               name_list(p, &source->using_names, &source->using_count);
    }
    return source->join == MYSQL_JOIN_INNER || source->natural || mysql_parser_fail(p);
}

/* The words before a joined table. False: no join stands here, or a word of it is wrong. */
static bool join_words(struct mysql_parser *p, enum mysql_join *join, bool *natural)
{
    *join = MYSQL_JOIN_INNER;
    *natural = mysql_parser_word(p, "NATURAL");
    if (mysql_parser_word(p, "LEFT") || mysql_parser_at_word(p, "RIGHT")) {
        *join = mysql_parser_word(p, "RIGHT") ? MYSQL_JOIN_RIGHT : MYSQL_JOIN_LEFT;
        mysql_parser_word(p, "OUTER");
        return mysql_parser_need_word(p, "JOIN");
    }
    if (mysql_parser_word(p, "INNER") || (!*natural && mysql_parser_word(p, "CROSS"))) {
        return mysql_parser_need_word(p, "JOIN");
    }
    if (mysql_parser_word(p, "STRAIGHT_JOIN") || mysql_parser_word(p, "JOIN")) {
        return true;
    }
    return *natural ? mysql_parser_fail(p) : false;
}

static struct mysql_source *table_list(struct mysql_parser *p)
{
    struct mysql_source *first = table_factor(p);
    struct mysql_source *last = first;
    while (last != NULL) {
        enum mysql_join join = MYSQL_JOIN_INNER;
        bool natural = false;
        bool comma = mysql_parser_op(p, ",");
        if (!comma && !join_words(p, &join, &natural)) {
            break;
        }
        struct mysql_source *source = table_factor(p);
        if (source == NULL) {
            return NULL;
        }
        source->join = join;
        source->natural = natural;
        last->next = source;
        last = source;
        if (!comma && !join_condition(p, source)) {
            return NULL;
        }
    }
    return p->failed ? NULL : first;
}

/* --- SELECT --- */

static struct mysql_item *select_item(struct mysql_parser *p)
{
    struct mysql_item *item = ARENA_NEW(p->arena, struct mysql_item);
    if (item == NULL) {
        mysql_parser_no_memory(p);
        return NULL;
    }
    if (mysql_parser_at_op(p, "*")) {
        item->node = mysql_node_new(p, MYSQL_NODE_STAR);
        mysql_parser_advance(p);
    } else {
        item->node = mysql_parse_expr(p);
    }
    if (item->node == NULL) {
        return NULL;
    }
    bool named = mysql_parser_word(p, "AS");
    if (named || mysql_parser_at_name(p) || p->token.kind == MYSQL_TOKEN_STRING) {
        return mysql_parser_alias_name(p, &item->alias) ? item : NULL;
    }
    return item;
}

static bool select_items(struct mysql_parser *p, struct mysql_select *select)
{
    struct mysql_item **end = &select->items;
    do {
        *end = select_item(p);
        if (*end == NULL) {
            return false;
        }
        end = &(*end)->next;
    } while (mysql_parser_op(p, ","));
    return true;
}

static bool select_options(struct mysql_parser *p, struct mysql_select *select)
{
    static const char *const ignored[] = {"ALL",
                                          "HIGH_PRIORITY",
                                          "STRAIGHT_JOIN",
                                          "SQL_SMALL_RESULT",
                                          "SQL_BIG_RESULT",
                                          "SQL_BUFFER_RESULT",
                                          "SQL_NO_CACHE",
                                          "SQL_CACHE"};
    for (bool more = true; more;) {
        more = mysql_parser_word(p, "DISTINCT") || mysql_parser_word(p, "DISTINCTROW");
        select->distinct = select->distinct || more;
        for (size_t i = 0; i < ARRAY_COUNT(ignored) && !more; i++) {
            more = mysql_parser_word(p, ignored[i]);
        }
        if (mysql_parser_at_word(p, "SQL_CALC_FOUND_ROWS")) {
            return mysql_parser_unsupported(p, "SQL_CALC_FOUND_ROWS");
        }
    }
    return true;
}

static bool select_group(struct mysql_parser *p, struct mysql_select *select)
{
    if (!mysql_parser_need_word(p, "BY")) {
        return false;
    }
    select->group = mysql_parse_order_list(p);
    if (select->group == NULL) {
        return false;
    }
    if (mysql_parser_word(p, "WITH")) {
        return mysql_parser_need_word(p, "ROLLUP") &&
               mysql_parser_unsupported(p, "GROUP BY ... WITH ROLLUP");
    }
    return true;
}

/* INTO OUTFILE needs a privilege that nobody has here; INTO @variable is not there. */
static bool select_into(struct mysql_parser *p)
{
    mysql_parser_advance(p);
    if (!mysql_parser_at_word(p, "OUTFILE") && !mysql_parser_at_word(p, "DUMPFILE")) {
        return mysql_parser_unsupported(p, "SELECT ... INTO variables");
    }
    p->failed = true;
    return mysql_error_set(p->error, MYSQL_ER_ACCESS_DENIED, p->user, p->host);
}

static bool select_rest(struct mysql_parser *p, struct mysql_select *select)
{
    if (mysql_parser_at_word(p, "INTO")) {
        return select_into(p);
    }
    if (mysql_parser_word(p, "FROM")) {
        if (mysql_parser_word(p, "DUAL")) {
            select->from = NULL;
        } else if ((select->from = table_list(p)) == NULL) {
            return false;
        }
    }
    if (mysql_parser_word(p, "WHERE") && (select->where = mysql_parse_expr(p)) == NULL) {
        return false;
    }
    if (mysql_parser_word(p, "GROUP") && !select_group(p, select)) {
        return false;
    }
    if (mysql_parser_word(p, "HAVING") && (select->having = mysql_parse_expr(p)) == NULL) {
        return false;
    }
    return !mysql_parser_at_word(p, "WINDOW") || mysql_parser_unsupported(p, "named windows");
}

/* A part of a UNION: SELECT ..., or a query in parentheses. */
static struct mysql_select *select_core(struct mysql_parser *p)
{
    struct mysql_select *select = ARENA_NEW(p->arena, struct mysql_select);
    if (select == NULL) {
        mysql_parser_no_memory(p);
        return NULL;
    }
    if (mysql_parser_op(p, "(")) {
        select->parenthesized = mysql_parse_query(p);
        return select->parenthesized != NULL && mysql_parser_need_op(p, ")") ? select : NULL;
    }
    bool ok = mysql_parser_need_word(p, "SELECT") && select_options(p, select) &&
              select_items(p, select) && select_rest(p, select);
    return ok ? select : NULL;
}

static bool set_operator(struct mysql_parser *p, enum mysql_set_op *out)
{
    if (mysql_parser_word(p, "UNION")) {
        *out = mysql_parser_word(p, "ALL") ? MYSQL_SET_UNION_ALL : MYSQL_SET_UNION;
        mysql_parser_word(p, "DISTINCT");
        return true;
    }
    if (mysql_parser_at_word(p, "EXCEPT") || mysql_parser_at_word(p, "INTERSECT")) {
        *out = mysql_parser_word(p, "EXCEPT") ? MYSQL_SET_EXCEPT : MYSQL_SET_INTERSECT;
        if (*out == MYSQL_SET_INTERSECT) {
            mysql_parser_advance(p);
        }
        if (mysql_parser_at_word(p, "ALL")) {
            return mysql_parser_unsupported(p, "EXCEPT ALL and INTERSECT ALL");
        }
        mysql_parser_word(p, "DISTINCT");
        return true;
    }
    return false;
}

static bool query_limit(struct mysql_parser *p, struct mysql_query_expr *query)
{
    query->limit = mysql_parse_simple(p);
    if (query->limit != NULL && mysql_parser_op(p, ",")) {
        query->offset = query->limit;
        query->limit = mysql_parse_simple(p);
    } else if (query->limit != NULL && mysql_parser_word(p, "OFFSET")) {
        query->offset = mysql_parse_simple(p);
        return query->offset != NULL;
    }
    return query->limit != NULL;
}

/* FOR UPDATE and LOCK IN SHARE MODE lock nothing where nobody writes. */
static bool query_locking(struct mysql_parser *p)
{
    if (mysql_parser_at_word(p, "INTO")) {
        return select_into(p);
    }
    if (mysql_parser_word(p, "LOCK")) {
        return mysql_parser_need_word(p, "IN") && mysql_parser_need_word(p, "SHARE") &&
               mysql_parser_need_word(p, "MODE");
    }
    if (mysql_parser_word(p, "FOR")) {
        if (!mysql_parser_word(p, "UPDATE") && !mysql_parser_need_word(p, "SHARE")) {
            return false;
        }
        if (mysql_parser_word(p, "SKIP")) {
            return mysql_parser_need_word(p, "LOCKED");
        }
        mysql_parser_word(p, "NOWAIT");
    }
    return true;
}

static bool query_with(struct mysql_parser *p, struct mysql_query_expr *query)
{
    struct mysql_cte **end = &query->ctes;
    query->recursive = mysql_parser_word(p, "RECURSIVE");
    do {
        struct mysql_cte *cte = ARENA_NEW(p->arena, struct mysql_cte);
        if (cte == NULL) {
            return mysql_parser_no_memory(p);
        }
        if (!mysql_parser_name(p, &cte->name) ||
            (mysql_parser_op(p, "(") &&
             !name_list(p, &cte->column_names, &cte->column_name_count)) ||
            !mysql_parser_need_word(p, "AS") || !mysql_parser_need_op(p, "(")) {
            return false;
        }
        cte->query = mysql_parse_query(p);
        if (cte->query == NULL || !mysql_parser_need_op(p, ")")) {
            return false;
        }
        *end = cte;
        end = &cte->next;
    } while (mysql_parser_op(p, ","));
    return true;
}

static bool query_body(struct mysql_parser *p, struct mysql_query_expr *query)
{
    if (mysql_parser_word(p, "WITH") && !query_with(p, query)) {
        return false;
    }
    struct mysql_select **end = &query->selects;
    enum mysql_set_op op = MYSQL_SET_UNION;
    do {
        *end = select_core(p);
        if (*end == NULL) {
            return false;
        }
        (*end)->set_op = op;
        end = &(*end)->next;
    } while (set_operator(p, &op));
    if (mysql_parser_word(p, "ORDER")) {
        query->order = mysql_parser_need_word(p, "BY") ? mysql_parse_order_list(p) : NULL;
        if (query->order == NULL) {
            return false;
        }
    }
    if (mysql_parser_word(p, "LIMIT") && !query_limit(p, query)) {
        return false;
    }
    return query_locking(p) && !p->failed;
}

struct mysql_query_expr *mysql_parse_query(struct mysql_parser *p)
{
    if (!mysql_parser_enter(p)) {
        return NULL;
    }
    struct mysql_query_expr *query = ARENA_NEW(p->arena, struct mysql_query_expr);
    bool ok = query != NULL ? query_body(p, query) : mysql_parser_no_memory(p);
    mysql_parser_leave(p);
    return ok ? query : NULL;
}
