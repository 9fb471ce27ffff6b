/* Calls: which function it is, whether it may stand there, and what it gives. */
#include "mysql_resolver.h"

#include <stdio.h>

static bool unknown_function(struct mysql_resolver *r, const struct mysql_node *call,
                             bool unsupported)
{
    char name[MYSQL_NAME_BYTES];
    if (unsupported) {
        return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET, mysql_shown(r, call->name));
    }
    if (r->session->database[0] == '\0') {
        return mysql_error_set(r->error, MYSQL_ER_NO_DB);
    }
    snprintf(name, sizeof(name), "%.100s.%.*s", r->session->database,
             SPAN_ARG(span_first(call->name, 100)));
    return mysql_error_set(r->error, MYSQL_ER_SP_DOES_NOT_EXIST, "FUNCTION", name);
}

static struct mysql_shape unified(const struct mysql_node *first)
{
    struct mysql_shape shape = first->shape;
    for (const struct mysql_node *a = first->next; a != NULL; a = a->next) {
        shape = mysql_shape_unify(shape, a->shape);
    }
    return shape;
}

static bool any_not_null(const struct mysql_node *first)
{
    for (const struct mysql_node *a = first; a != NULL; a = a->next) {
        if (a->shape.not_null) {
            return true;
        }
    }
    return false;
}

/* Of MIN, LAG and their like: the argument's, that may be NULL. */
static struct mysql_shape shape_like(const struct mysql_node *argument)
{
    struct mysql_shape shape = argument->shape;
    shape.not_null = false;
    return shape;
}

static struct mysql_shape shape_number(const struct mysql_node *argument)
{
    struct mysql_shape shape = argument->shape;
    if (!mysql_class_is_number(shape.class)) {
        shape =
            mysql_shape_of(shape.class == MYSQL_CLASS_TEXT ? MYSQL_CLASS_REAL : MYSQL_CLASS_INT, 0);
    }
    if (shape.class == MYSQL_CLASS_FLOAT) {
        shape = mysql_shape_of(MYSQL_CLASS_REAL, 0);
    }
    shape.not_null = argument->shape.not_null;
    return shape;
}

static struct mysql_shape shape_sum(const struct mysql_node *argument, bool average)
{
    struct mysql_shape of = shape_number(argument);
    if (of.class == MYSQL_CLASS_REAL) {
        return mysql_shape_of(MYSQL_CLASS_REAL, 0);
    }
    struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_DECIMAL, 0);
    shape.decimals = (uint8_t)(of.decimals + (average ? 4 : 0));
    shape.length = of.length + (average ? 4U : 22U);
    return shape;
}

static struct mysql_shape shape_round(const struct mysql_node *call)
{
    const struct mysql_node *digits = call->arguments->next;
    struct mysql_shape shape = shape_number(call->arguments);
    if (shape.class != MYSQL_CLASS_DECIMAL) {
        shape.is_long = false;
        return shape;
    }
    int64_t wanted = 0;
    bool constant = digits == NULL;
    if (digits != NULL && digits->kind == MYSQL_NODE_INTEGER) {
        wanted = digits->integer;
        constant = true;
    } else if (digits != NULL && digits->kind == MYSQL_NODE_UNARY) {
        constant = true; /* -2: no decimals */
    }
    if (constant && wanted < shape.decimals) {
        shape.decimals = (uint8_t)(wanted > 0 ? wanted : 0);
    }
    return shape;
}

static struct mysql_shape shape_session(const struct mysql_node *call)
{
    bool number = span_equal_nocase(call->name, SPAN_LIT("CONNECTION_ID")) ||
                  span_equal_nocase(call->name, SPAN_LIT("LAST_INSERT_ID")) ||
                  span_equal_nocase(call->name, SPAN_LIT("ROW_COUNT")) ||
                  span_equal_nocase(call->name, SPAN_LIT("FOUND_ROWS"));
    struct mysql_shape shape = number ? mysql_shape_int(0) : mysql_shape_of(MYSQL_CLASS_TEXT, 64);
    shape.is_unsigned = number && !span_equal_nocase(call->name, SPAN_LIT("ROW_COUNT"));
    return shape;
}

/* What STR_TO_DATE gives depends on what its format has in it. */
static struct mysql_shape shape_str_to_date(const struct mysql_node *call)
{
    const struct mysql_node *format = call->arguments->next;
    bool date = false;
    bool time = false;
    bool fraction = false;
    for (size_t i = 0; format->kind == MYSQL_NODE_STRING && i + 1 < format->text.len; i++) {
        char c = format->text.ptr[i] == '%' ? format->text.ptr[i + 1] : '\0';
        fraction = fraction || c == 'f';
        time = time || (c != '\0' && span_find_byte(SPAN_LIT("HhIiklpSsTrf"), c) < 12);
        date = date || (c != '\0' && span_find_byte(SPAN_LIT("YyMmbcdeDjaWuUvVXx"), c) < 18);
    }
    struct mysql_shape shape = mysql_shape_of(time && date ? MYSQL_CLASS_DATETIME
                                              : time       ? MYSQL_CLASS_TIME
                                              : date       ? MYSQL_CLASS_DATE
                                                           : MYSQL_CLASS_DATETIME,
                                              0);
    shape.decimals = fraction ? 6 : 0;
    return shape;
}

static struct mysql_shape shape_now(const struct mysql_node *call, enum mysql_class class)
{
    struct mysql_shape shape = mysql_shape_of(class, 0);
    const struct mysql_node *digits = call->arguments;
    shape.decimals = (uint8_t)(digits != NULL && digits->kind == MYSQL_NODE_INTEGER &&
                                       digits->integer >= 0 && digits->integer <= 6
                                   ? digits->integer
                                   : 0);
    shape.not_null = true;
    return shape;
}

static struct mysql_shape shape_text(const struct mysql_node *call)
{
    struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_TEXT, 0);
    bool binary = false;
    for (const struct mysql_node *a = call->arguments; a != NULL; a = a->next) {
        shape.length += a->shape.length;
        binary = binary || (a->shape.class == MYSQL_CLASS_TEXT && a->shape.is_bytes);
        shape.is_long = shape.is_long || (a->shape.class == MYSQL_CLASS_TEXT && a->shape.is_long);
    }
    shape.length = shape.length > 0 ? shape.length : 64;
    shape.is_binary = binary;
    shape.is_bytes = binary;
    return shape;
}

static struct mysql_shape shape_aggregate(const struct mysql_node *call)
{
    const struct mysql_node *first = call->arguments;
    switch (call->function->result) {
    case MYSQL_RESULT_COUNT:
        return mysql_shape_int(0);
    case MYSQL_RESULT_SUM:
        return shape_sum(first, false);
    case MYSQL_RESULT_AVG:
        return shape_sum(first, true);
    case MYSQL_RESULT_GROUP_CONCAT: {
        struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_TEXT, 65535 * 4);
        shape.is_long = true;
        return shape;
    }
    case MYSQL_RESULT_DEVIATION:
    case MYSQL_RESULT_WINDOW_REAL:
        return mysql_shape_of(MYSQL_CLASS_REAL, 0);
    case MYSQL_RESULT_WINDOW_INT: {
        struct mysql_shape shape = mysql_shape_int(0);
        shape.is_unsigned = true;
        return shape;
    }
    default: /* MIN, MAX, ANY_VALUE, LAG ... */
        return shape_like(first);
    }
}

static struct mysql_shape shape_of_now(const struct mysql_node *call)
{
    const struct mysql_node *first = call->arguments;
    switch (call->function->result) {
    case MYSQL_RESULT_NOW:
        return shape_now(call, MYSQL_CLASS_DATETIME);
    case MYSQL_RESULT_TODAY:
        return shape_now(call, MYSQL_CLASS_DATE);
    case MYSQL_RESULT_TIME_NOW:
        return shape_now(call, MYSQL_CLASS_TIME);
    case MYSQL_RESULT_STR_TO_DATE:
        return shape_str_to_date(call);
    case MYSQL_RESULT_UNIX_TIMESTAMP:
        return mysql_shape_int(0);
    case MYSQL_RESULT_FROM_UNIXTIME:
        return call->argument_count == 2 ? mysql_shape_of(MYSQL_CLASS_TEXT, 64)
                                         : mysql_shape_of(MYSQL_CLASS_DATETIME, 0);
    case MYSQL_RESULT_TIMESTAMPADD:
        return mysql_shape_of(mysql_class_is_date(first->next->next->shape.class)
                                  ? first->next->next->shape.class
                                  : MYSQL_CLASS_TEXT,
                              0);
    default:
        return shape_aggregate(call);
    }
}

static struct mysql_shape shape_of_call(const struct mysql_node *call)
{
    const struct mysql_node *first = call->arguments;
    switch (call->function->result) {
    case MYSQL_RESULT_INT:
    case MYSQL_RESULT_FIELD:
    case MYSQL_RESULT_ISNULL:
        return mysql_shape_of(MYSQL_CLASS_INT, 0);
    case MYSQL_RESULT_REAL:
        return mysql_shape_of(MYSQL_CLASS_REAL, 0);
    case MYSQL_RESULT_TEXT:
        return shape_text(call);
    case MYSQL_RESULT_CHARSET:
        return mysql_shape_of(MYSQL_CLASS_TEXT, 64);
    case MYSQL_RESULT_DATE:
        return mysql_shape_of(MYSQL_CLASS_DATE, 0);
    case MYSQL_RESULT_TIME: {
        struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_TIME, 0);
        shape.decimals = first->shape.decimals;
        return shape;
    }
    case MYSQL_RESULT_DATETIME: {
        struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_DATETIME, 0);
        shape.decimals = mysql_class_is_date(first->shape.class) ? first->shape.decimals : 0;
        return shape;
    }
    case MYSQL_RESULT_LIKE:
        return shape_number(first);
    case MYSQL_RESULT_WHOLE: {
        enum mysql_class class = shape_number(first).class;
        return mysql_shape_of(class == MYSQL_CLASS_REAL ? class : MYSQL_CLASS_INT, 0);
    }
    case MYSQL_RESULT_ROUND:
        return shape_round(call);
    case MYSQL_RESULT_MOD:
        return mysql_shape_arithmetic(MYSQL_OP_MOD, first->shape, first->next->shape);
    case MYSQL_RESULT_PI: {
        struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_REAL, 8);
        shape.decimals = 6;
        return shape;
    }
    case MYSQL_RESULT_UNIFIED: {
        struct mysql_shape shape = unified(first);
        bool extreme = span_equal_nocase(call->name, SPAN_LIT("GREATEST")) ||
                       span_equal_nocase(call->name, SPAN_LIT("LEAST"));
        shape.not_null = extreme ? shape.not_null : any_not_null(first);
        return shape;
    }
    case MYSQL_RESULT_IF:
        return mysql_shape_unify(first->next->shape, first->next->next->shape);
    case MYSQL_RESULT_NULLIF:
        return shape_like(first);
    case MYSQL_RESULT_SESSION:
        return shape_session(call);
    default:
        return shape_of_now(call);
    }
}

static bool window_resolve(struct mysql_resolver *r, struct mysql_scope *scope,
                           struct mysql_node *call)
{
    for (struct mysql_node *node = call->window->partition; node != NULL; node = node->next) {
        if (!mysql_resolve_node(r, scope, node)) {
            return false;
        }
    }
    for (struct mysql_order *order = call->window->order; order != NULL; order = order->next) {
        if (!mysql_resolve_node(r, scope, order->node)) {
            return false;
        }
    }
    return true;
}

/* May it stand here, as an aggregate, a window or neither? */
static bool call_is_in_place(struct mysql_resolver *r, struct mysql_scope *scope,
                             const struct mysql_node *call)
{
    bool aggregate = mysql_function_is_aggregate(call->function);
    bool window = mysql_function_is_window(call->function);
    if (window && call->window == NULL) {
        return mysql_error_set(r->error, MYSQL_ER_PARSE, "", 1);
    }
    if (call->window != NULL && (!scope->may_aggregate || scope->in_having)) {
        return mysql_error_set(r->error, MYSQL_ER_WINDOW_INVALID_USE, mysql_shown(r, call->name));
    }
    if (call->window != NULL && (call->function->result == MYSQL_RESULT_GROUP_CONCAT ||
                                 call->function->result == MYSQL_RESULT_DEVIATION ||
                                 call->function->result == MYSQL_RESULT_ANY_VALUE ||
                                 (!aggregate && !window) || call->distinct)) {
        return mysql_error_set(r->error, MYSQL_ER_NOT_SUPPORTED_YET, "that function as a window");
    }
    if (aggregate && call->window == NULL && (!scope->may_aggregate || scope->in_aggregate)) {
        return mysql_error_set(r->error, MYSQL_ER_INVALID_GROUP_FUNC_USE);
    }
    if (call->distinct && !aggregate) {
        return mysql_error_set(r->error, MYSQL_ER_PARSE, "DISTINCT", 1);
    }
    return true;
}

static bool argument_is_there(struct mysql_resolver *r, const struct mysql_node *call)
{
    const struct mysql_function *function = call->function;
    size_t count = call->argument_count;
    if (count >= function->least &&
        (function->most == MYSQL_ARGUMENTS_ANY || count <= function->most)) {
        return call->function->result != MYSQL_RESULT_COUNT || count <= 1 || call->distinct ||
               mysql_error_set(r->error, MYSQL_ER_PARSE, ")", 1);
    }
    return mysql_error_set(r->error, MYSQL_ER_WRONG_PARAMCOUNT_TO_NATIVE,
                           mysql_shown(r, call->name));
}

bool mysql_resolve_call(struct mysql_resolver *r, struct mysql_scope *scope,
                        struct mysql_node *call)
{
    struct mysql_scope none = {.clause = "field list"};
    bool unsupported = false;
    scope = scope != NULL ? scope : &none;
    call->function = mysql_function_find(call->name, &unsupported);
    if (call->function == NULL) {
        return unknown_function(r, call, unsupported);
    }
    if (!argument_is_there(r, call) || !call_is_in_place(r, scope, call)) {
        return false;
    }
    bool aggregate = mysql_function_is_aggregate(call->function) && call->window == NULL;
    bool was_in = scope->in_aggregate;
    scope->in_aggregate = was_in || aggregate;
    bool ok = true;
    for (struct mysql_node *a = call->arguments; ok && a != NULL; a = a->next) {
        ok = mysql_resolve_node(r, scope, a);
        call->aggregates = call->aggregates || a->aggregates;
        if (ok && a->kind == MYSQL_NODE_ROW) {
            ok = mysql_error_set(r->error, MYSQL_ER_OPERAND_COLUMNS, 1);
        }
    }
    for (struct mysql_order *order = call->order; ok && order != NULL; order = order->next) {
        ok = mysql_resolve_node(r, scope, order->node);
    }
    scope->in_aggregate = was_in;
    ok = ok && (call->window == NULL || window_resolve(r, scope, call));
    if (ok && aggregate) {
        call->aggregates = true;
        scope->select->aggregates = true;
    }
    if (ok) {
        call->shape = shape_of_call(call);
    }
    return ok;
}
