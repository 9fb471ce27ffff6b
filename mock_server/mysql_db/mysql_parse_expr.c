/* Expressions, by MySQL's precedence: OR, XOR, AND, NOT, comparisons and IS, predicates (IN, LIKE,
 * BETWEEN, REGEXP), then | & << + * ^ and what is simple. Chains of AND and OR are one node with
 * many arguments, so that a long one is no deep one. */
#include "mysql_parser.h"

#include <string.h>

struct operator_row {
    const char *text;
    bool is_word;
    uint8_t level;
    enum mysql_op op;
};

/* Of bit_expr: the higher the level, the tighter. */
static const struct operator_row bit_operators[] = {
    {"|", false, 1, MYSQL_OP_BIT_OR},      {"&", false, 2, MYSQL_OP_BIT_AND},
    {"<<", false, 3, MYSQL_OP_SHIFT_LEFT}, {">>", false, 3, MYSQL_OP_SHIFT_RIGHT},
    {"+", false, 4, MYSQL_OP_ADD},         {"-", false, 4, MYSQL_OP_SUB},
    {"*", false, 5, MYSQL_OP_MUL},         {"/", false, 5, MYSQL_OP_DIV},
    {"DIV", true, 5, MYSQL_OP_INT_DIV},    {"%", false, 5, MYSQL_OP_MOD},
    {"MOD", true, 5, MYSQL_OP_MOD},        {"^", false, 6, MYSQL_OP_BIT_XOR},
};
enum { level_additive = 4 };

static const struct operator_row comparisons[] = {
    {"=", false, 0, MYSQL_OP_EQ},  {"<=>", false, 0, MYSQL_OP_NULL_EQ},
    {"<>", false, 0, MYSQL_OP_NE}, {"!=", false, 0, MYSQL_OP_NE},
    {"<=", false, 0, MYSQL_OP_LE}, {">=", false, 0, MYSQL_OP_GE},
    {"<", false, 0, MYSQL_OP_LT},  {">", false, 0, MYSQL_OP_GT},
};

static bool at_operator(const struct mysql_parser *p, const struct operator_row *row)
{
    return row->is_word ? mysql_parser_at_word(p, row->text) : mysql_parser_at_op(p, row->text);
}

static struct mysql_node *binary_node(struct mysql_parser *p, enum mysql_op op,
                                      struct mysql_node *left, struct mysql_node *right)
{
    struct mysql_node *node =
        left != NULL && right != NULL ? mysql_node_new(p, MYSQL_NODE_BINARY) : NULL;
    if (node != NULL) {
        node->op = op;
        mysql_node_add(node, left);
        mysql_node_add(node, right);
        node->source = mysql_parser_source(p, left->source.ptr);
    }
    return node;
}

bool mysql_parse_unit(struct mysql_parser *p, struct span *out)
{
    static const char *const units[] = {
        "MICROSECOND", "SECOND",        "MINUTE",      "HOUR",        "DAY",
        "WEEK",        "MONTH",         "QUARTER",     "YEAR",        "MINUTE_SECOND",
        "HOUR_MINUTE", "HOUR_SECOND",   "DAY_HOUR",    "DAY_MINUTE",  "DAY_SECOND",
        "YEAR_MONTH",  "SQL_TSI_MONTH", "SQL_TSI_DAY", "SQL_TSI_YEAR"};
    for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
        if (mysql_parser_word(p, units[i])) {
            const char *unit = units[i];
            *out = span_from_cstr(strncmp(unit, "SQL_TSI_", 8) == 0 ? unit + 8 : unit);
            return true;
        }
    }
    return mysql_parser_fail(p);
}

/* date + INTERVAL n unit, at INTERVAL. */
static struct mysql_node *interval_added(struct mysql_parser *p, struct mysql_node *date,
                                         bool negated)
{
    struct mysql_node *node = NULL;
    if (!mysql_parser_need_word(p, "INTERVAL")) {
        return NULL;
    }
    struct mysql_node *amount = mysql_parse_expr(p);
    struct span unit;
    if (amount != NULL && mysql_parse_unit(p, &unit)) {
        node = mysql_node_new(p, MYSQL_NODE_INTERVAL);
    }
    if (node != NULL) {
        node->name = unit;
        node->negated = negated;
        mysql_node_add(node, date);
        mysql_node_add(node, amount);
        node->source = mysql_parser_source(p, date->source.ptr);
    }
    return node;
}

static struct mysql_node *bit_expr_level(struct mysql_parser *p, unsigned level)
{
    struct mysql_node *left = mysql_parse_simple(p);
    for (size_t chain = 0; left != NULL; chain++) {
        const struct operator_row *found = NULL;
        for (size_t i = 0; i < ARRAY_COUNT(bit_operators) && found == NULL; i++) {
            found = at_operator(p, &bit_operators[i]) ? &bit_operators[i] : NULL;
        }
        if (found == NULL || found->level < level) {
            break;
        }
        if (chain >= MYSQL_CHAIN_MAX) {
            mysql_parser_unsupported(p, "chains of so many operators");
            return NULL;
        }
        mysql_parser_advance(p);
        if (found->level == level_additive && mysql_parser_at_word(p, "INTERVAL")) {
            left = interval_added(p, left, found->op == MYSQL_OP_SUB);
        } else {
            left = binary_node(p, found->op, left, bit_expr_level(p, found->level + 1U));
        }
    }
    return left;
}

struct mysql_node *mysql_parse_bit_expr(struct mysql_parser *p)
{
    return bit_expr_level(p, 0);
}

static struct mysql_node *predicate_node(struct mysql_parser *p, enum mysql_node_kind kind,
                                         struct mysql_node *value, bool negated)
{
    struct mysql_node *node = mysql_node_new(p, kind);
    if (node != NULL) {
        node->negated = negated;
        mysql_node_add(node, value);
    }
    return node;
}

/* false: no memory or no syntax; a NULL argument is either. */
static bool add_or_fail(struct mysql_node *node, struct mysql_node *argument)
{
    if (argument != NULL) {
        mysql_node_add(node, argument);
    }
    return argument != NULL;
}

static bool in_list(struct mysql_parser *p, struct mysql_node *node)
{
    if (!mysql_parser_need_op(p, "(")) {
        return false;
    }
    if (mysql_parse_at_query(p)) {
        node->query = mysql_parse_query(p);
        return node->query != NULL && mysql_parser_need_op(p, ")");
    }
    do {
        if (!add_or_fail(node, mysql_parse_expr(p))) {
            return false;
        }
    } while (mysql_parser_op(p, ","));
    return mysql_parser_need_op(p, ")");
}

static bool like_pattern(struct mysql_parser *p, struct mysql_node *node)
{
    return add_or_fail(node, mysql_parse_simple(p)) &&
           (!mysql_parser_word(p, "ESCAPE") || add_or_fail(node, mysql_parse_simple(p)));
}

static struct mysql_node *predicate(struct mysql_parser *p)
{
    struct mysql_node *value = mysql_parse_bit_expr(p);
    if (value == NULL) {
        return NULL;
    }
    bool negated = mysql_parser_word(p, "NOT");
    struct mysql_node *node = NULL;
    bool ok = true;
    if (mysql_parser_word(p, "IN")) {
        node = predicate_node(p, MYSQL_NODE_IN, value, negated);
        ok = node != NULL && in_list(p, node);
    } else if (mysql_parser_word(p, "BETWEEN")) {
        node = predicate_node(p, MYSQL_NODE_BETWEEN, value, negated);
        ok = node != NULL && add_or_fail(node, mysql_parse_bit_expr(p)) &&
             mysql_parser_need_word(p, "AND") && add_or_fail(node, predicate(p));
    } else if (mysql_parser_word(p, "LIKE")) {
        node = predicate_node(p, MYSQL_NODE_LIKE, value, negated);
        ok = node != NULL && like_pattern(p, node);
    } else if (mysql_parser_word(p, "REGEXP") || mysql_parser_word(p, "RLIKE")) {
        node = predicate_node(p, MYSQL_NODE_REGEXP, value, negated);
        ok = node != NULL && add_or_fail(node, mysql_parse_bit_expr(p));
    } else if (negated) {
        mysql_parser_fail(p);
        return NULL;
    } else if (mysql_parser_at_word(p, "SOUNDS") || mysql_parser_at_word(p, "MEMBER")) {
        mysql_parser_unsupported(p, "SOUNDS LIKE and MEMBER OF");
        return NULL;
    } else {
        return value;
    }
    if (!ok || node == NULL) {
        return NULL;
    }
    node->source = mysql_parser_source(p, value->source.ptr);
    return node;
}

/* = ALL (SELECT ...) and = ANY (...): of these = ANY is IN and <> ALL is NOT IN. */
static struct mysql_node *quantified(struct mysql_parser *p, enum mysql_op op,
                                     struct mysql_node *left)
{
    bool all = mysql_parser_word(p, "ALL");
    if (!all) {
        mysql_parser_advance(p);
    }
    if ((op != MYSQL_OP_EQ || all) && (op != MYSQL_OP_NE || !all)) {
        mysql_parser_unsupported(p, "comparisons with ALL or ANY of a subquery");
        return NULL;
    }
    struct mysql_node *node = predicate_node(p, MYSQL_NODE_IN, left, all);
    return node != NULL && in_list(p, node) ? node : NULL;
}

static struct mysql_node *comparison(struct mysql_parser *p, struct mysql_node *left)
{
    for (size_t i = 0; i < ARRAY_COUNT(comparisons); i++) {
        if (at_operator(p, &comparisons[i])) {
            mysql_parser_advance(p);
            bool many = mysql_parser_at_word(p, "ALL") || mysql_parser_at_word(p, "ANY") ||
                        mysql_parser_at_word(p, "SOME");
            return many ? quantified(p, comparisons[i].op, left)
                        : binary_node(p, comparisons[i].op, left, predicate(p));
        }
    }
    return left;
}

static struct mysql_node *is_node(struct mysql_parser *p, struct mysql_node *value)
{
    static const char *const words[] = {"NULL", "TRUE", "FALSE", "UNKNOWN"};
    struct mysql_node *node = predicate_node(p, MYSQL_NODE_IS, value, mysql_parser_word(p, "NOT"));
    for (size_t i = 0; node != NULL && i < ARRAY_COUNT(words); i++) {
        if (mysql_parser_word(p, words[i])) {
            node->name = span_from_cstr(words[i]);
            node->source = mysql_parser_source(p, value->source.ptr);
            return node;
        }
    }
    mysql_parser_fail(p);
    return NULL;
}

static struct mysql_node *boolean_primary(struct mysql_parser *p)
{
    struct mysql_node *left = predicate(p);
    for (size_t chain = 0; left != NULL; chain++) {
        struct mysql_node *next =
            mysql_parser_word(p, "IS") ? is_node(p, left) : comparison(p, left);
        if (next == left) {
            break;
        }
        left = next;
        if (chain >= MYSQL_CHAIN_MAX) {
            mysql_parser_unsupported(p, "chains of so many comparisons");
            return NULL;
        }
    }
    return left;
}

static struct mysql_node *not_expr(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    if (!mysql_parser_word(p, "NOT")) {
        return boolean_primary(p);
    }
    if (!mysql_parser_enter(p)) {
        return NULL;
    }
    struct mysql_node *value = not_expr(p);
    mysql_parser_leave(p);
    struct mysql_node *node = value != NULL ? mysql_node_new(p, MYSQL_NODE_UNARY) : NULL;
    if (node != NULL) {
        node->op = MYSQL_OP_NOT;
        mysql_node_add(node, value);
        node->source = mysql_parser_source(p, begin);
    }
    return node;
}

struct logic_row {
    const char *word;
    const char *sign;
    enum mysql_op op;
};

static const struct logic_row logic_rows[] = {
    {"OR", "||", MYSQL_OP_OR}, {"XOR", NULL, MYSQL_OP_XOR}, {"AND", "&&", MYSQL_OP_AND}};

static struct mysql_node *logic_expr(struct mysql_parser *p, size_t level)
{
    if (level == ARRAY_COUNT(logic_rows)) {
        return not_expr(p);
    }
    const struct logic_row *row = &logic_rows[level];
    struct mysql_node *left = logic_expr(p, level + 1);
    struct mysql_node *node = NULL;
    while (left != NULL && (mysql_parser_word(p, row->word) ||
                            (row->sign != NULL && mysql_parser_op(p, row->sign)))) {
        struct mysql_node *right = logic_expr(p, level + 1);
        if (node == NULL) {
            node = right != NULL ? binary_node(p, row->op, left, right) : NULL;
            left = node;
        } else if (right != NULL) {
            mysql_node_add(node, right);
            node->source = mysql_parser_source(p, node->source.ptr);
        }
        left = right != NULL ? left : NULL;
    }
    return left;
}

struct mysql_node *mysql_parse_expr(struct mysql_parser *p)
{
    if (!mysql_parser_enter(p)) {
        return NULL;
    }
    struct mysql_node *node = logic_expr(p, 0);
    mysql_parser_leave(p);
    return node;
}

/* --- what is simple --- */

static struct mysql_node *integer_node(struct mysql_parser *p, struct mysql_node *node)
{
    uint64_t value = 0;
    if (!span_parse_u64(node->source, &value)) {
        node->kind = MYSQL_NODE_DECIMAL;
    } else {
        node->integer = (int64_t)value;
        node->is_unsigned = value > INT64_MAX;
    }
    mysql_parser_advance(p);
    return node;
}

/* 'a' 'b' is one string; its column is named by its first. */
static struct mysql_node *string_node(struct mysql_parser *p, struct mysql_node *node)
{
    node->text = mysql_parser_string(p);
    node->name = node->text;
    while (!p->failed && p->token.kind == MYSQL_TOKEN_STRING) {
        struct span more = mysql_parser_string(p);
        char *both = p->failed ? NULL : arena_alloc(p->arena, node->text.len + more.len + 1);
        if (both == NULL) {
            mysql_parser_no_memory(p);
            return NULL;
        }
        memcpy(both, node->text.ptr, node->text.len);
        memcpy(both + node->text.len, more.ptr, more.len);
        node->text = span_from(both, node->text.len + more.len);
    }
    return p->failed ? NULL : node;
}

static struct mysql_node *literal(struct mysql_parser *p)
{
    static const enum mysql_node_kind kinds[] = {
        [MYSQL_TOKEN_STRING] = MYSQL_NODE_STRING,   [MYSQL_TOKEN_INTEGER] = MYSQL_NODE_INTEGER,
        [MYSQL_TOKEN_DECIMAL] = MYSQL_NODE_DECIMAL, [MYSQL_TOKEN_REAL] = MYSQL_NODE_REAL,
        [MYSQL_TOKEN_HEX] = MYSQL_NODE_BYTES,       [MYSQL_TOKEN_BIT] = MYSQL_NODE_BYTES,
        [MYSQL_TOKEN_PARAM] = MYSQL_NODE_PARAM,
    };
    struct mysql_node *node = mysql_node_new(p, kinds[p->token.kind]);
    if (node == NULL) {
        return NULL;
    }
    node->source = p->token.text;
    node->text = p->token.text;
    switch (p->token.kind) {
    case MYSQL_TOKEN_INTEGER:
        return integer_node(p, node);
    case MYSQL_TOKEN_STRING:
        node = string_node(p, node);
        break;
    case MYSQL_TOKEN_HEX:
    case MYSQL_TOKEN_BIT:
        node->text = mysql_token_bytes(p->arena, &p->token);
        mysql_parser_advance(p);
        break;
    case MYSQL_TOKEN_PARAM:
        node->integer = (int64_t)p->params++;
        mysql_parser_advance(p);
        break;
    default: /* a number, that is what it is written as */
        mysql_parser_advance(p);
        break;
    }
    return node;
}

static struct mysql_node *variable(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    bool is_system = p->token.kind == MYSQL_TOKEN_SYSTEM;
    struct mysql_node *node =
        mysql_node_new(p, is_system ? MYSQL_NODE_VARIABLE : MYSQL_NODE_USER_VARIABLE);
    if (node == NULL) {
        return NULL;
    }
    node->name = span_skip(p->token.text, 1);
    mysql_parser_advance(p);
    if (!is_system) {
        if (mysql_parser_at_op(p, ":=")) {
            mysql_parser_unsupported(p, "assignments within expressions");
            return NULL;
        }
        node->source = mysql_parser_source(p, begin);
        return node;
    }
    node->name = p->token.text;
    bool named = p->token.kind == MYSQL_TOKEN_NAME || p->token.kind == MYSQL_TOKEN_QUOTED;
    if (!named) {
        mysql_parser_fail(p);
        return NULL;
    }
    mysql_parser_advance(p);
    if (mysql_parser_op(p, ".")) { /* @@session.name */
        node->qualifier = node->name;
        node->name = p->token.text;
        mysql_parser_advance(p);
    }
    node->source = mysql_parser_source(p, begin);
    return node;
}

/* a, t.a, db.t.a, and * behind a dot. */
static struct mysql_node *column(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    struct mysql_node *node = mysql_node_new(p, MYSQL_NODE_COLUMN);
    if (node == NULL || !mysql_parser_name(p, &node->name)) {
        return NULL;
    }
    while (mysql_parser_op(p, ".")) {
        node->schema = node->qualifier;
        node->qualifier = node->name;
        if (mysql_parser_op(p, "*")) {
            node->kind = MYSQL_NODE_STAR;
            break;
        }
        /* Behind a dot even a reserved word is a name. */
        if (p->token.kind == MYSQL_TOKEN_NAME) {
            node->name = p->token.text;
            mysql_parser_advance(p);
        } else if (!mysql_parser_name(p, &node->name)) {
            return NULL;
        }
    }
    if (mysql_parser_at_op(p, "->") || mysql_parser_at_op(p, "->>")) {
        mysql_parser_unsupported(p, "JSON");
        return NULL;
    }
    node->source = mysql_parser_source(p, begin);
    return node;
}

/* (expr), (a, b) or (SELECT ...), at the parenthesis. */
static struct mysql_node *parenthesis(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    mysql_parser_advance(p);
    struct mysql_node *node = NULL;
    if (mysql_parse_at_query(p)) {
        node = mysql_node_new(p, MYSQL_NODE_SUBQUERY);
        if (node == NULL || (node->query = mysql_parse_query(p)) == NULL) {
            return NULL;
        }
    } else {
        node = mysql_parse_expr(p);
    }
    if (node != NULL && mysql_parser_at_op(p, ",")) {
        struct mysql_node *row = mysql_node_new(p, MYSQL_NODE_ROW);
        bool ok = row != NULL && add_or_fail(row, node);
        while (ok && mysql_parser_op(p, ",")) {
            ok = add_or_fail(row, mysql_parse_expr(p));
        }
        node = ok ? row : NULL;
    }
    if (node == NULL || !mysql_parser_need_op(p, ")")) {
        return NULL;
    }
    node->source = mysql_parser_source(p, begin);
    node->in_parentheses = true;
    return node;
}

static struct mysql_node *case_node(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    struct mysql_node *node = mysql_node_new(p, MYSQL_NODE_CASE);
    mysql_parser_advance(p);
    if (node == NULL) {
        return NULL;
    }
    if (!mysql_parser_at_word(p, "WHEN")) {
        node->has_value = true;
        if (!add_or_fail(node, mysql_parse_expr(p))) {
            return NULL;
        }
    }
    do {
        if (!mysql_parser_need_word(p, "WHEN") || !add_or_fail(node, mysql_parse_expr(p)) ||
            !mysql_parser_need_word(p, "THEN") || !add_or_fail(node, mysql_parse_expr(p))) {
            return NULL;
        }
    } while (mysql_parser_at_word(p, "WHEN"));
    if (mysql_parser_word(p, "ELSE")) {
        node->has_else = true;
        if (!add_or_fail(node, mysql_parse_expr(p))) {
            return NULL;
        }
    }
    if (!mysql_parser_need_word(p, "END")) {
        return NULL;
    }
    node->source = mysql_parser_source(p, begin);
    return node;
}

static struct mysql_node *unary(struct mysql_parser *p, enum mysql_node_kind kind, enum mysql_op op)
{
    const char *begin = p->token.text.ptr;
    mysql_parser_advance(p);
    struct mysql_node *value = mysql_parse_simple(p);
    if (value == NULL) {
        return NULL;
    }
    if (op == MYSQL_OP_NONE && kind == MYSQL_NODE_UNARY) { /* +a */
        value->source = mysql_parser_source(p, begin);
        return value;
    }
    struct mysql_node *node = mysql_node_new(p, kind);
    if (node != NULL) {
        node->op = op;
        mysql_node_add(node, value);
        node->source = mysql_parser_source(p, begin);
    }
    return node;
}

static struct mysql_node *exists_node(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    struct mysql_node *node = mysql_node_new(p, MYSQL_NODE_EXISTS);
    mysql_parser_advance(p);
    if (node == NULL || !mysql_parser_need_op(p, "(")) {
        return NULL;
    }
    node->query = mysql_parse_query(p);
    if (node->query == NULL || !mysql_parser_need_op(p, ")")) {
        return NULL;
    }
    node->source = mysql_parser_source(p, begin);
    return node;
}

/* INTERVAL n unit + date; INTERVAL(a, b) is a function that few know. */
static struct mysql_node *interval_first(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    struct span unit;
    mysql_parser_advance(p);
    struct mysql_node *amount = mysql_parse_expr(p);
    if (amount == NULL || !mysql_parse_unit(p, &unit) || !mysql_parser_need_op(p, "+")) {
        return NULL;
    }
    struct mysql_node *date = mysql_parse_simple(p);
    struct mysql_node *node = date != NULL ? mysql_node_new(p, MYSQL_NODE_INTERVAL) : NULL;
    if (node != NULL) {
        node->name = unit;
        mysql_node_add(node, date);
        mysql_node_add(node, amount);
        node->source = mysql_parser_source(p, begin);
    }
    return node;
}

static struct mysql_node *constant_word(struct mysql_parser *p)
{
    bool is_null = mysql_parser_at_word(p, "NULL");
    struct mysql_node *node = mysql_node_new(p, is_null ? MYSQL_NODE_NULL : MYSQL_NODE_INTEGER);
    if (node != NULL) {
        node->integer = mysql_parser_at_word(p, "TRUE") ? 1 : 0;
        node->source = p->token.text;
        mysql_parser_advance(p);
    }
    return node;
}

/* DATE '2020-01-01' is a CAST of a string. */
static struct mysql_node *typed_literal(struct mysql_parser *p, enum mysql_class class)
{
    const char *begin = p->token.text.ptr;
    mysql_parser_advance(p);
    struct mysql_node *value = literal(p);
    struct mysql_node *node = value != NULL ? mysql_node_new(p, MYSQL_NODE_CAST) : NULL;
    if (node == NULL || (node->cast = ARENA_NEW(p->arena, struct mysql_cast)) == NULL) {
        mysql_parser_no_memory(p);
        return NULL;
    }
    node->cast->class = class;
    mysql_node_add(node, value);
    node->source = mysql_parser_source(p, begin);
    return node;
}

static bool at_typed_literal(const struct mysql_parser *p, enum mysql_class *class)
{
    *class = mysql_parser_at_word(p, "DATE")        ? MYSQL_CLASS_DATE
             : mysql_parser_at_word(p, "TIME")      ? MYSQL_CLASS_TIME
             : mysql_parser_at_word(p, "TIMESTAMP") ? MYSQL_CLASS_DATETIME
                                                    : MYSQL_CLASS_NULL;
    return *class != MYSQL_CLASS_NULL && mysql_parser_peek(p).kind == MYSQL_TOKEN_STRING;
}

static struct mysql_node *named_simple(struct mysql_parser *p)
{
    enum mysql_class class;
    if (p->token.text.ptr[0] == '_' && mysql_parser_peek(p).kind == MYSQL_TOKEN_STRING) {
        mysql_parser_advance(p); /* _utf8mb4'text' */
        return literal(p);
    }
    if (mysql_parser_at_word(p, "NULL") || mysql_parser_at_word(p, "TRUE") ||
        mysql_parser_at_word(p, "FALSE")) {
        return constant_word(p);
    }
    if (mysql_parser_at_word(p, "CASE")) {
        return case_node(p);
    }
    if (mysql_parser_at_word(p, "EXISTS")) {
        return exists_node(p);
    }
    if (mysql_parser_at_word(p, "BINARY")) {
        return unary(p, MYSQL_NODE_BINARY_OF, MYSQL_OP_NONE);
    }
    if (mysql_parser_at_word(p, "INTERVAL")) {
        return interval_first(p);
    }
    if (at_typed_literal(p, &class)) {
        return typed_literal(p, class);
    }
    if (mysql_parser_at_word(p, "MATCH")) {
        mysql_parser_unsupported(p, "MATCH ... AGAINST");
        return NULL;
    }
    return mysql_parse_is_call(p) ? mysql_parse_call(p) : column(p);
}

static struct mysql_node *simple_token(struct mysql_parser *p)
{
    switch (p->token.kind) {
    case MYSQL_TOKEN_STRING:
    case MYSQL_TOKEN_INTEGER:
    case MYSQL_TOKEN_DECIMAL:
    case MYSQL_TOKEN_REAL:
    case MYSQL_TOKEN_HEX:
    case MYSQL_TOKEN_BIT:
    case MYSQL_TOKEN_PARAM:
        return literal(p);
    case MYSQL_TOKEN_VARIABLE:
    case MYSQL_TOKEN_SYSTEM:
        return variable(p);
    case MYSQL_TOKEN_NAME:
        return named_simple(p);
    case MYSQL_TOKEN_QUOTED:
        return column(p);
    case MYSQL_TOKEN_OPERATOR:
        if (mysql_parser_at_op(p, "(")) {
            return parenthesis(p);
        }
        if (mysql_parser_at_op(p, "-")) {
            return unary(p, MYSQL_NODE_UNARY, MYSQL_OP_NEGATE);
        }
        if (mysql_parser_at_op(p, "+")) {
            return unary(p, MYSQL_NODE_UNARY, MYSQL_OP_NONE);
        }
        if (mysql_parser_at_op(p, "~")) {
            return unary(p, MYSQL_NODE_UNARY, MYSQL_OP_BIT_NOT);
        }
        if (mysql_parser_at_op(p, "!")) {
            return unary(p, MYSQL_NODE_UNARY, MYSQL_OP_NOT);
        }
        break;
    case MYSQL_TOKEN_END:
    case MYSQL_TOKEN_BAD:
        break;
    }
    mysql_parser_fail(p);
    return NULL;
}

struct mysql_node *mysql_parse_simple(struct mysql_parser *p)
{
    if (!mysql_parser_enter(p)) {
        return NULL;
    }
    const char *begin = p->token.text.ptr;
    struct mysql_node *node = simple_token(p);
    while (node != NULL && mysql_parser_word(p, "COLLATE")) {
        struct mysql_node *collated = mysql_node_new(p, MYSQL_NODE_COLLATE);
        if (collated == NULL || !mysql_parser_alias_name(p, &collated->name)) {
            node = NULL;
            break;
        }
        mysql_node_add(collated, node);
        collated->source = mysql_parser_source(p, begin);
        node = collated;
    }
    mysql_parser_leave(p);
    return node;
}
