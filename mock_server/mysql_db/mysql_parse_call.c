/* Calls: those with a list of arguments, and those with a grammar of their own (CAST, EXTRACT,
 * TRIM, SUBSTRING ... FROM, COUNT(*), GROUP_CONCAT, DATE_ADD, windows). */
#include "mysql_parser.h"

#include <string.h>

/* Names that are calls without parentheses too. */
static const char *const bare_calls[] = {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP",
                                         "CURRENT_USER", "LOCALTIME",    "LOCALTIMESTAMP",
                                         "UTC_DATE",     "UTC_TIME",     "UTC_TIMESTAMP"};
/* Reserved words that are functions' names before a parenthesis. */
static const char *const word_calls[] = {
    "CHAR",       "CONVERT", "CUME_DIST", "DATABASE",     "DENSE_RANK", "FIRST_VALUE", "GROUPING",
    "IF",         "INSERT",  "LAG",       "LAST_VALUE",   "LEAD",       "LEFT",        "MOD",
    "NTH_VALUE",  "NTILE",   "RANK",      "PERCENT_RANK", "REPEAT",     "REPLACE",     "RIGHT",
    "ROW_NUMBER", "ROW",     "SCHEMA",    "VALUES"};

static bool call_is_among(struct span word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal_nocase(word, span_from_cstr(words[i]))) {
            return true;
        }
    }
    return false;
}

bool mysql_parse_is_call(const struct mysql_parser *p)
{
    struct span word = p->token.text;
    if (p->token.kind != MYSQL_TOKEN_NAME) {
        return false;
    }
    if (call_is_among(word, bare_calls, ARRAY_COUNT(bare_calls))) {
        return true;
    }
    struct mysql_token next = mysql_parser_peek(p);
    return next.kind == MYSQL_TOKEN_OPERATOR && span_equal_cstr(next.text, "(") &&
           (!mysql_word_is_reserved(word) ||
            call_is_among(word, word_calls, ARRAY_COUNT(word_calls)));
}

static bool call_argument(struct mysql_parser *p, struct mysql_node *call)
{
    struct mysql_node *argument = mysql_parse_expr(p);
    if (argument != NULL) {
        mysql_node_add(call, argument);
    }
    return argument != NULL;
}

/* A word of the grammar as a string, which the function then is told. */
static bool call_word(struct mysql_parser *p, struct mysql_node *call, struct span word)
{
    struct mysql_node *node = mysql_node_new(p, MYSQL_NODE_STRING);
    if (node != NULL) {
        node->text = word;
        node->source = word;
        mysql_node_add(call, node);
    }
    return node != NULL;
}

static bool call_list(struct mysql_parser *p, struct mysql_node *call)
{
    if (mysql_parser_at_op(p, ")")) {
        return true;
    }
    do {
        if (!call_argument(p, call)) {
            return false;
        }
    } while (mysql_parser_op(p, ","));
    return true;
}

static bool length_of(struct mysql_parser *p, struct mysql_cast *cast, uint32_t decimals_default)
{
    uint64_t length = 0;
    uint64_t decimals = decimals_default;
    if (!mysql_parser_op(p, "(")) {
        return true;
    }
    if (p->token.kind != MYSQL_TOKEN_INTEGER || !span_parse_u64(p->token.text, &length)) {
        return mysql_parser_fail(p);
    }
    mysql_parser_advance(p);
    if (mysql_parser_op(p, ",")) {
        if (p->token.kind != MYSQL_TOKEN_INTEGER || !span_parse_u64(p->token.text, &decimals)) {
            return mysql_parser_fail(p);
        }
        mysql_parser_advance(p);
    }
    cast->has_length = true;
    cast->length = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
    cast->decimals = decimals < UINT8_MAX ? (uint8_t)decimals : UINT8_MAX;
    return mysql_parser_need_op(p, ")");
}

/* CHAR(10) CHARACTER SET utf8mb4, of which sets only the binary one makes a difference. */
static bool cast_charset(struct mysql_parser *p, struct mysql_cast *cast)
{
    struct span name;
    if (mysql_parser_word(p, "CHARACTER")) {
        if (!mysql_parser_need_word(p, "SET")) {
            return false;
        }
    } else if (!mysql_parser_word(p, "CHARSET")) {
        return true;
    }
    if (mysql_parser_word(p, "BINARY")) {
        cast->is_bytes = true;
        return true;
    }
    return mysql_parser_alias_name(p, &name);
}

static bool cast_type(struct mysql_parser *p, struct mysql_cast *cast)
{
    if (mysql_parser_word(p, "CHAR") || mysql_parser_word(p, "NCHAR")) {
        cast->class = MYSQL_CLASS_TEXT;
        return length_of(p, cast, 0) && cast_charset(p, cast);
    }
    if (mysql_parser_word(p, "BINARY")) {
        cast->class = MYSQL_CLASS_TEXT;
        cast->is_bytes = true;
        return length_of(p, cast, 0);
    }
    if (mysql_parser_word(p, "SIGNED") || mysql_parser_at_word(p, "UNSIGNED")) {
        cast->class = MYSQL_CLASS_INT;
        cast->is_unsigned = mysql_parser_word(p, "UNSIGNED");
        if (!mysql_parser_word(p, "INTEGER")) {
            mysql_parser_word(p, "INT");
        }
        return true;
    }
    if (mysql_parser_word(p, "DECIMAL") || mysql_parser_word(p, "DEC")) {
        cast->class = MYSQL_CLASS_DECIMAL;
        return length_of(p, cast, 0);
    }
    if (mysql_parser_word(p, "DOUBLE") || mysql_parser_word(p, "REAL")) {
        cast->class = MYSQL_CLASS_REAL;
        mysql_parser_word(p, "PRECISION");
        return true;
    }
    if (mysql_parser_word(p, "FLOAT")) {
        cast->class = MYSQL_CLASS_FLOAT;
        return length_of(p, cast, 0);
    }
    if (mysql_parser_word(p, "DATE")) {
        cast->class = MYSQL_CLASS_DATE;
        return true;
    }
    if (mysql_parser_word(p, "DATETIME")) {
        cast->class = MYSQL_CLASS_DATETIME;
        return length_of(p, cast, 0);
    }
    if (mysql_parser_word(p, "TIME")) {
        cast->class = MYSQL_CLASS_TIME;
        return length_of(p, cast, 0);
    }
    if (mysql_parser_at_word(p, "YEAR") || mysql_parser_at_word(p, "JSON")) {
        return mysql_parser_unsupported(p, "casts to YEAR and JSON");
    }
    return mysql_parser_fail(p);
}

static bool call_cast(struct mysql_parser *p, struct mysql_node *call, const char *before_type)
{
    call->cast = ARENA_NEW(p->arena, struct mysql_cast);
    if (call->cast == NULL) {
        return mysql_parser_no_memory(p);
    }
    call->kind = MYSQL_NODE_CAST;
    if (!call_argument(p, call)) {
        return false;
    }
    if (before_type[0] == ',' && mysql_parser_word(p, "USING")) {
        struct span charset;
        call->cast->class = MYSQL_CLASS_TEXT;
        return mysql_parser_word(p, "BINARY") ? (call->cast->is_bytes = true)
                                              : mysql_parser_alias_name(p, &charset);
    }
    bool there = before_type[0] == ',' ? mysql_parser_need_op(p, ",")
                                       : mysql_parser_need_word(p, before_type);
    return there && cast_type(p, call->cast);
}

static bool call_extract(struct mysql_parser *p, struct mysql_node *call)
{
    struct span unit;
    return mysql_parse_unit(p, &unit) && call_word(p, call, unit) &&
           mysql_parser_need_word(p, "FROM") && call_argument(p, call);
}

/* TIMESTAMPDIFF(unit, a, b) */
static bool call_unit_list(struct mysql_parser *p, struct mysql_node *call)
{
    struct span unit;
    return mysql_parse_unit(p, &unit) && call_word(p, call, unit) && mysql_parser_need_op(p, ",") &&
           call_list(p, call);
}

/* TRIM([[BOTH | LEADING | TRAILING] [x] FROM] y) becomes TRIM_side(y, x). */
static bool call_trim(struct mysql_parser *p, struct mysql_node *call)
{
    static const char *const sides[] = {"LEADING", "TRAILING", "BOTH"};
    static const char *const names[] = {"TRIM_LEADING", "TRIM_TRAILING", "TRIM"};
    bool sided = false;
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        if (mysql_parser_word(p, sides[i])) {
            call->name = span_from_cstr(names[i]);
            sided = true;
        }
    }
    struct mysql_node *what = NULL;
    if (!sided || !mysql_parser_at_word(p, "FROM")) {
        what = mysql_parse_expr(p);
        if (what == NULL) {
            return false;
        }
    }
    if (sided || mysql_parser_at_word(p, "FROM")) {
        if (!mysql_parser_need_word(p, "FROM") || !call_argument(p, call)) {
            return false;
        }
    }
    if (what != NULL) {
        mysql_node_add(call, what);
    }
    return true;
}

static bool call_substring(struct mysql_parser *p, struct mysql_node *call)
{
    if (!call_argument(p, call)) {
        return false;
    }
    if (!mysql_parser_word(p, "FROM")) {
        return mysql_parser_need_op(p, ",") && call_list(p, call);
    }
    return call_argument(p, call) && (!mysql_parser_word(p, "FOR") || call_argument(p, call));
}

static bool call_position(struct mysql_parser *p, struct mysql_node *call)
{
    struct mysql_node *what = mysql_parse_bit_expr(p);
    if (what == NULL || !mysql_parser_need_word(p, "IN")) {
        return false;
    }
    mysql_node_add(call, what);
    call->name = SPAN_LIT("LOCATE");
    return call_argument(p, call);
}

/* DATE_ADD(date, INTERVAL n unit), or ADDDATE(date, days). */
static bool call_date_add(struct mysql_parser *p, struct mysql_node *call)
{
    struct span unit = SPAN_LIT("DAY");
    bool taken = span_equal_nocase(call->name, SPAN_LIT("DATE_SUB")) ||
                 span_equal_nocase(call->name, SPAN_LIT("SUBDATE"));
    bool may_be_days = span_equal_nocase(call->name, SPAN_LIT("ADDDATE")) ||
                       span_equal_nocase(call->name, SPAN_LIT("SUBDATE"));
    if (!call_argument(p, call) || !mysql_parser_need_op(p, ",")) {
        return false;
    }
    bool interval = mysql_parser_word(p, "INTERVAL");
    if ((!interval && !may_be_days && !mysql_parser_fail(p)) || !call_argument(p, call) ||
        (interval && !mysql_parse_unit(p, &unit))) {
        return false;
    }
    call->kind = MYSQL_NODE_INTERVAL;
    call->name = unit;
    call->negated = taken;
    return true;
}

static bool call_char(struct mysql_parser *p, struct mysql_node *call)
{
    struct span charset;
    if (!call_list(p, call)) {
        return false;
    }
    if (!mysql_parser_word(p, "USING")) {
        return true;
    }
    call->name = SPAN_LIT("CHAR_USING");
    return mysql_parser_alias_name(p, &charset);
}

static bool call_group_concat(struct mysql_parser *p, struct mysql_node *call)
{
    call->distinct = mysql_parser_word(p, "DISTINCT");
    call->text = SPAN_LIT(",");
    if (!call_list(p, call)) {
        return false;
    }
    if (mysql_parser_word(p, "ORDER")) {
        call->order = mysql_parser_need_word(p, "BY") ? mysql_parse_order_list(p) : NULL;
        if (call->order == NULL) {
            return false;
        }
    }
    if (mysql_parser_word(p, "SEPARATOR")) {
        call->text = mysql_parser_string(p);
    }
    return !p->failed;
}

static bool call_ordinary(struct mysql_parser *p, struct mysql_node *call)
{
    if (mysql_parser_at_op(p, "*") && span_equal_nocase(call->name, SPAN_LIT("COUNT"))) {
        mysql_parser_advance(p);
        return true;
    }
    call->distinct = mysql_parser_word(p, "DISTINCT");
    return call_list(p, call);
}

struct call_row {
    const char *name;
    bool (*parse)(struct mysql_parser *p, struct mysql_node *call);
};

static bool call_cast_as(struct mysql_parser *p, struct mysql_node *call)
{
    return call_cast(p, call, "AS");
}
static bool call_convert(struct mysql_parser *p, struct mysql_node *call)
{
    return call_cast(p, call, ",");
}

static const struct call_row call_rows[] = {
    {"CAST", call_cast_as},
    {"CONVERT", call_convert},
    {"EXTRACT", call_extract},
    {"TIMESTAMPDIFF", call_unit_list},
    {"TIMESTAMPADD", call_unit_list},
    {"TRIM", call_trim},
    {"SUBSTRING", call_substring},
    {"SUBSTR", call_substring},
    {"MID", call_substring},
    {"POSITION", call_position},
    {"DATE_ADD", call_date_add},
    {"DATE_SUB", call_date_add},
    {"ADDDATE", call_date_add},
    {"SUBDATE", call_date_add},
    {"CHAR", call_char},
    {"GROUP_CONCAT", call_group_concat},
};

static bool call_arguments(struct mysql_parser *p, struct mysql_node *call)
{
    for (size_t i = 0; i < ARRAY_COUNT(call_rows); i++) {
        if (span_equal_nocase(call->name, span_from_cstr(call_rows[i].name))) {
            return call_rows[i].parse(p, call);
        }
    }
    return call_ordinary(p, call);
}

static bool frame_bound(struct mysql_parser *p)
{
    if (mysql_parser_word(p, "CURRENT")) {
        return mysql_parser_need_word(p, "ROW");
    }
    if (!mysql_parser_word(p, "UNBOUNDED")) {
        if (p->token.kind != MYSQL_TOKEN_INTEGER) {
            return mysql_parser_fail(p);
        }
        mysql_parser_advance(p);
    }
    return mysql_parser_word(p, "PRECEDING") || mysql_parser_need_word(p, "FOLLOWING");
}

static bool window_frame(struct mysql_parser *p, struct mysql_window *window)
{
    const char *begin = p->token.text.ptr;
    if (!mysql_parser_word(p, "ROWS") && !mysql_parser_word(p, "RANGE")) {
        return true;
    }
    bool ok = mysql_parser_word(p, "BETWEEN")
                  ? frame_bound(p) && mysql_parser_need_word(p, "AND") && frame_bound(p)
                  : frame_bound(p);
    window->frame = mysql_parser_source(p, begin);
    /* A comment in between would be MySQL's. */
    return ok && (memchr(window->frame.ptr, '/', window->frame.len) == NULL &&
                          memchr(window->frame.ptr, '#', window->frame.len) == NULL &&
                          memchr(window->frame.ptr, '-', window->frame.len) == NULL
                      ? true
                      : mysql_parser_unsupported(p, "comments within frames"));
}

static bool window_of(struct mysql_parser *p, struct mysql_node *call)
{
    struct mysql_window *window = ARENA_NEW(p->arena, struct mysql_window);
    if (window == NULL) {
        return mysql_parser_no_memory(p);
    }
    call->window = window;
    if (!mysql_parser_at_op(p, "(")) {
        return mysql_parser_unsupported(p, "named windows");
    }
    mysql_parser_advance(p);
    if (mysql_parser_word(p, "PARTITION")) {
        struct mysql_node **end = &window->partition;
        if (!mysql_parser_need_word(p, "BY")) {
            return false;
        }
        do {
            *end = mysql_parse_expr(p);
            if (*end == NULL) {
                return false;
            }
            end = &(*end)->next;
        } while (mysql_parser_op(p, ","));
    }
    if (mysql_parser_word(p, "ORDER")) {
        window->order = mysql_parser_need_word(p, "BY") ? mysql_parse_order_list(p) : NULL;
        if (window->order == NULL) {
            return false;
        }
    }
    return window_frame(p, window) && mysql_parser_need_op(p, ")");
}

struct mysql_node *mysql_parse_call(struct mysql_parser *p)
{
    const char *begin = p->token.text.ptr;
    struct mysql_node *call = mysql_node_new(p, MYSQL_NODE_FUNCTION);
    if (call == NULL) {
        return NULL;
    }
    call->name = p->token.text;
    mysql_parser_advance(p);
    if (mysql_parser_op(p, "(")) {
        if (!call_arguments(p, call) || !mysql_parser_need_op(p, ")")) {
            return NULL;
        }
        if (mysql_parser_word(p, "OVER") && !window_of(p, call)) {
            return NULL;
        }
    }
    call->source = mysql_parser_source(p, begin);
    return call;
}
