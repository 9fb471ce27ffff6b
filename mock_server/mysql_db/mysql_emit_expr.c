/* Expressions, as SQLite's. Each is written as its class keeps values: INT an integer, DECIMAL and
 * REAL a number, FLOAT a number that a float can hold, TEXT a text, dates and times a text in
 * MySQL's spelling, so that they compare as texts. */
#include "mysql_emitter.h"

#include <stdio.h>
#include <string.h>

/* --- constants --- */

static void emit_hex(struct mysql_emitter *e, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        buf_append_byte(e->out, digits[byte >> 4]);
        buf_append_byte(e->out, digits[byte & 15]);
    }
}

void mysql_emit_constant_text(struct mysql_emitter *e, struct span text)
{
    if (memchr(text.ptr, '\0', text.len) != NULL) {
        BUF_APPEND_LIT(e->out, "CAST(x'");
        emit_hex(e, text);
        BUF_APPEND_LIT(e->out, "' AS TEXT)");
        return;
    }
    buf_append_byte(e->out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'') {
            buf_append_byte(e->out, '\'');
        }
        buf_append_byte(e->out, text.ptr[i]);
    }
    buf_append_byte(e->out, '\'');
}

static void emit_real(struct mysql_emitter *e, double value)
{
    char text[40];
    snprintf(text, sizeof(text), "%.17g", value);
    bool plain = strpbrk(text, ".eni") == NULL;
    buf_append_cstr(e->out, text);
    buf_append_cstr(e->out, plain ? ".0" : "");
}

static void emit_param(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_value *value = e->r->params != NULL ? &e->r->params[node->integer] : NULL;
    if (value == NULL || value->kind == MYSQL_NULL) {
        BUF_APPEND_LIT(e->out, "NULL");
    } else if (value->kind == MYSQL_INT) {
        buf_printf(e->out, "(%lld)", (long long)value->integer);
    } else if (value->kind == MYSQL_DOUBLE) {
        BUF_APPEND_LIT(e->out, "(");
        emit_real(e, value->real);
        BUF_APPEND_LIT(e->out, ")");
    } else {
        mysql_emit_constant_text(e, value->text);
    }
}

/* --- columns --- */

static void emit_column(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_source *source = node->table;
    if (source->table == NULL) {
        buf_printf(e->out, "t%u.c%zu", source->number, node->column + 1);
        return;
    }
    bool rounded = node->shape.class == MYSQL_CLASS_FLOAT;
    buf_printf(e->out, "%st%u.\"%s\"%s", rounded ? "my_float(" : "", source->number,
               source->table->columns[node->column].name, rounded ? ")" : "");
}

/* --- classes --- */

void mysql_emit_number(struct mysql_emitter *e, const struct mysql_node *node)
{
    switch (node->shape.class) {
    case MYSQL_CLASS_TEXT:
        buf_append_cstr(e->out, node->kind == MYSQL_NODE_BYTES ? "my_bytes_number(" : "my_number(");
        mysql_emit(e, node);
        BUF_APPEND_LIT(e->out, ")");
        break;
    case MYSQL_CLASS_DATE:
    case MYSQL_CLASS_TIME:
    case MYSQL_CLASS_DATETIME:
        BUF_APPEND_LIT(e->out, "my_date_number(");
        mysql_emit(e, node);
        BUF_APPEND_LIT(e->out, ")");
        break;
    default:
        /* Above 2^63 a value is a negative one of SQLite's: refused rather than taken for that. */
        if (node->shape.is_unsigned && node->kind != MYSQL_NODE_INTEGER) {
            BUF_APPEND_LIT(e->out, "my_unsigned(");
            mysql_emit(e, node);
            BUF_APPEND_LIT(e->out, ")");
        } else {
            mysql_emit(e, node);
        }
        break;
    }
}

void mysql_emit_text(struct mysql_emitter *e, const struct mysql_node *node)
{
    switch (node->shape.class) {
    case MYSQL_CLASS_INT:
        buf_append_cstr(e->out, node->shape.is_unsigned ? "my_unsigned_text(" : "my_int_text(");
        mysql_emit(e, node);
        BUF_APPEND_LIT(e->out, ")");
        break;
    case MYSQL_CLASS_DECIMAL:
        BUF_APPEND_LIT(e->out, "my_decimal_text(");
        mysql_emit(e, node);
        buf_printf(e->out, ",%u)", node->shape.decimals);
        break;
    case MYSQL_CLASS_REAL:
    case MYSQL_CLASS_FLOAT:
        buf_append_cstr(e->out,
                        node->shape.class == MYSQL_CLASS_REAL ? "my_real_text(" : "my_float_text(");
        mysql_emit(e, node);
        BUF_APPEND_LIT(e->out, ")");
        break;
    default:
        mysql_emit(e, node);
        break;
    }
}

void mysql_emit_truth(struct mysql_emitter *e, const struct mysql_node *node)
{
    bool number = mysql_class_is_number(node->shape.class);
    if (number && node->shape.class != MYSQL_CLASS_INT) {
        BUF_APPEND_LIT(e->out, "(");
        mysql_emit(e, node);
        BUF_APPEND_LIT(e->out, "<>0)");
    } else if (number) {
        mysql_emit(e, node);
    } else {
        mysql_emit_number(e, node);
    }
}

void mysql_emit_as(struct mysql_emitter *e, const struct mysql_node *node, enum mysql_class class)
{
    if (class == node->shape.class || node->shape.class == MYSQL_CLASS_NULL) {
        mysql_emit(e, node);
    } else if (class == MYSQL_CLASS_TEXT) {
        mysql_emit_text(e, node);
    } else if (class == MYSQL_CLASS_DATETIME || class == MYSQL_CLASS_DATE) {
        mysql_emit_date(e, node);
    } else if (class == MYSQL_CLASS_TIME) {
        mysql_emit_time(e, node);
    } else if (class == MYSQL_CLASS_REAL) {
        BUF_APPEND_LIT(e->out, "(0.0+");
        mysql_emit_number(e, node);
        BUF_APPEND_LIT(e->out, ")");
    } else {
        mysql_emit_number(e, node);
    }
}

const char *mysql_collation(const struct mysql_shape *shape)
{
    return shape->is_binary ? " COLLATE BINARY" : " COLLATE my_ci";
}

void mysql_emit_collated(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *of = node->stands_for != NULL ? node->stands_for : node;
    mysql_emit(e, of);
    if (node->shape.class == MYSQL_CLASS_TEXT) {
        buf_append_cstr(e->out, mysql_collation(&node->shape));
    }
}

/* --- comparisons --- */

/* A number beside a date is compared with the date's digits; texts as dates where a date is
 * compared. */
static void emit_operand(struct mysql_emitter *e, const struct mysql_node *node,
                         enum mysql_class class)
{
    if (class == MYSQL_CLASS_NULL) {
        mysql_emit(e, node);
    } else if (class == MYSQL_CLASS_TEXT) {
        mysql_emit_text(e, node);
    } else if (class == MYSQL_CLASS_DATETIME) {
        BUF_APPEND_LIT(e->out, "my_compared_date(");
        mysql_emit_date(e, node);
        BUF_APPEND_LIT(e->out, ")");
    } else if (class == MYSQL_CLASS_DATE) {
        mysql_emit_date(e, node);
    } else if (class == MYSQL_CLASS_TIME) {
        mysql_emit_time(e, node);
    } else {
        mysql_emit_number(e, node);
    }
}

static bool both_binary(const struct mysql_node *a, const struct mysql_node *b)
{
    return (a->shape.class == MYSQL_CLASS_TEXT && a->shape.is_binary) ||
           (b->shape.class == MYSQL_CLASS_TEXT && b->shape.is_binary);
}

static const char *collation_of(const struct mysql_node *a, const struct mysql_node *b,
                                enum mysql_class class)
{
    if (class != MYSQL_CLASS_TEXT) {
        return "";
    }
    return both_binary(a, b) ? " COLLATE BINARY" : " COLLATE my_ci";
}

/* A date of a table beside a text that is none: MySQL says so before it looks at a row. */
static void check_date_constant(struct mysql_emitter *e, const struct mysql_node *text,
                                const struct mysql_node *date)
{
    if (text->kind == MYSQL_NODE_STRING && mysql_class_is_date(date->shape.class)) {
        BUF_APPEND_LIT(e->out, "my_sure_date(");
        mysql_emit(e, text);
        buf_printf(e->out, ",'%s')", date->shape.class == MYSQL_CLASS_DATE ? "DATE" : "DATETIME");
    } else {
        mysql_emit_date(e, text);
    }
}

static void emit_side(struct mysql_emitter *e, const struct mysql_node *node,
                      const struct mysql_node *other, enum mysql_class class)
{
    bool is_text = class == MYSQL_CLASS_DATETIME && node->kind == MYSQL_NODE_STRING;
    if (is_text) {
        BUF_APPEND_LIT(e->out, "my_compared_date(");
        check_date_constant(e, node, other);
        BUF_APPEND_LIT(e->out, ")");
    } else if (class == MYSQL_CLASS_DATETIME && node->shape.class == MYSQL_CLASS_DATETIME) {
        mysql_emit(e, node); /* an index may help then */
    } else {
        emit_operand(e, node, class);
    }
}

void mysql_emit_compared(struct mysql_emitter *e, enum mysql_op op, const struct mysql_node *left,
                         const struct mysql_node *right)
{
    static const char *const words[] = {
        [MYSQL_OP_EQ] = "=",  [MYSQL_OP_NULL_EQ] = " IS ", [MYSQL_OP_NE] = "<>",
        [MYSQL_OP_LT] = "<",  [MYSQL_OP_LE] = "<=",        [MYSQL_OP_GT] = ">",
        [MYSQL_OP_GE] = ">=",
    };
    enum mysql_class class = mysql_compared(left, right);
    BUF_APPEND_LIT(e->out, "(");
    emit_side(e, left, right, class);
    buf_append_cstr(e->out, words[op]);
    emit_side(e, right, left, class);
    buf_append_cstr(e->out, collation_of(left, right, class));
    BUF_APPEND_LIT(e->out, ")");
}

/* --- operators --- */

/* Halves, so that a long chain is no deep tree. */
static void emit_chain(struct mysql_emitter *e, const struct mysql_node *first, size_t count,
                       const char *word)
{
    if (count == 1) {
        mysql_emit_truth(e, first);
        return;
    }
    const struct mysql_node *middle = first;
    for (size_t i = 0; i < count / 2; i++) {
        middle = middle->next;
    }
    BUF_APPEND_LIT(e->out, "(");
    emit_chain(e, first, count / 2, word);
    buf_append_cstr(e->out, word);
    emit_chain(e, middle, count - count / 2, word);
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_xor(struct mysql_emitter *e, const struct mysql_node *node)
{
    for (size_t i = 0; i + 1 < node->argument_count; i++) {
        BUF_APPEND_LIT(e->out, "((");
    }
    size_t i = 0;
    for (const struct mysql_node *a = node->arguments; a != NULL; a = a->next) {
        buf_append_cstr(e->out, i > 0 ? "<>" : "");
        /* NOT a <> NOT b is a XOR b; the third is told as it is. */
        buf_append_cstr(e->out, i > 1 ? "(NOT NOT " : "(NOT ");
        mysql_emit_truth(e, a);
        BUF_APPEND_LIT(e->out, ")");
        buf_append_cstr(e->out, i > 0 ? "))" : "");
        i++;
    }
}

static const char *arithmetic_function(enum mysql_op op)
{
    switch (op) {
    case MYSQL_OP_ADD:
        return "my_add(";
    case MYSQL_OP_SUB:
        return "my_sub(";
    case MYSQL_OP_MUL:
        return "my_mul(";
    case MYSQL_OP_DIV:
        return "my_div(";
    case MYSQL_OP_INT_DIV:
        return "my_int_div(";
    case MYSQL_OP_MOD:
        return "my_mod(";
    case MYSQL_OP_BIT_OR:
        return "my_bit_or(";
    case MYSQL_OP_BIT_AND:
        return "my_bit_and(";
    case MYSQL_OP_BIT_XOR:
        return "my_bit_xor(";
    case MYSQL_OP_SHIFT_LEFT:
        return "my_shift_left(";
    default:
        return "my_shift_right(";
    }
}

static void emit_arithmetic(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *left = node->arguments;
    buf_append_cstr(e->out, arithmetic_function(node->op));
    mysql_emit_number(e, left);
    BUF_APPEND_LIT(e->out, ",");
    mysql_emit_number(e, left->next);
    BUF_APPEND_LIT(e->out, ",");
    mysql_emit_constant_text(e, span_first(node->source, 100));
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_binary(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *left = node->arguments;
    switch (node->op) {
    case MYSQL_OP_OR:
        emit_chain(e, left, node->argument_count, " OR ");
        break;
    case MYSQL_OP_AND:
        emit_chain(e, left, node->argument_count, " AND ");
        break;
    case MYSQL_OP_XOR:
        emit_xor(e, node);
        break;
    case MYSQL_OP_EQ:
    case MYSQL_OP_NULL_EQ:
    case MYSQL_OP_NE:
    case MYSQL_OP_LT:
    case MYSQL_OP_LE:
    case MYSQL_OP_GT:
    case MYSQL_OP_GE:
        mysql_emit_compared(e, node->op, left, left->next);
        break;
    default:
        emit_arithmetic(e, node);
        break;
    }
}

static void emit_unary(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *value = node->arguments;
    if (node->op == MYSQL_OP_NOT) {
        BUF_APPEND_LIT(e->out, "(NOT ");
        mysql_emit_truth(e, value);
        BUF_APPEND_LIT(e->out, ")");
    } else if (node->op == MYSQL_OP_BIT_NOT) {
        BUF_APPEND_LIT(e->out, "my_bit_not(");
        mysql_emit_number(e, value);
        BUF_APPEND_LIT(e->out, ")");
    } else if (value->kind == MYSQL_NODE_INTEGER && value->integer == INT64_MIN) {
        buf_append_cstr(e->out, "(-9223372036854775807-1)"); /* of 9223372036854775808 */
    } else {
        BUF_APPEND_LIT(e->out, "(-");
        mysql_emit_number(e, value);
        BUF_APPEND_LIT(e->out, ")");
    }
}

static void emit_arguments(struct mysql_emitter *e, const struct mysql_node *first)
{
    for (const struct mysql_node *a = first; a != NULL; a = a->next) {
        buf_append_cstr(e->out, a != first ? "," : "");
        mysql_emit_text(e, a);
    }
}

static void emit_like(struct mysql_emitter *e, const struct mysql_node *node, const char *function)
{
    bool binary = both_binary(node->arguments, node->arguments->next);
    buf_append_cstr(e->out, node->negated ? "(NOT " : "");
    buf_printf(e->out, "%s(%d,", function, binary ? 1 : 0);
    emit_arguments(e, node->arguments);
    BUF_APPEND_LIT(e->out, ")");
    buf_append_cstr(e->out, node->negated ? ")" : "");
}

static void emit_between(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *value = node->arguments;
    const struct mysql_node *low = value->next;
    buf_append_cstr(e->out, node->negated ? "(NOT(" : "((");
    mysql_emit_compared(e, MYSQL_OP_GE, value, low);
    BUF_APPEND_LIT(e->out, " AND ");
    mysql_emit_compared(e, MYSQL_OP_LE, value, low->next);
    BUF_APPEND_LIT(e->out, "))");
}

static void emit_in(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *value = node->arguments;
    struct mysql_node field = {.kind = MYSQL_NODE_STAR};
    const struct mysql_node *first = value->next;
    if (node->query != NULL) {
        field.shape = node->query->fields[0].shape;
        first = &field;
    }
    enum mysql_class class = MYSQL_CLASS_NULL;
    for (const struct mysql_node *a = first; a != NULL; a = a->next) {
        if (a->shape.class != MYSQL_CLASS_NULL) {
            class = mysql_compared(value, a);
        }
    }
    BUF_APPEND_LIT(e->out, "(");
    emit_side(e, value, first, class);
    buf_append_cstr(e->out, collation_of(value, first, class));
    buf_append_cstr(e->out, node->negated ? " NOT IN (" : " IN (");
    if (node->query != NULL) {
        BUF_APPEND_LIT(e->out, "SELECT ");
        emit_side(e, &field, value, class);
        BUF_APPEND_LIT(e->out, " FROM (");
        mysql_emit_query(e, node->query, false);
        BUF_APPEND_LIT(e->out, ")");
    }
    for (const struct mysql_node *a = node->query != NULL ? NULL : first; a != NULL; a = a->next) {
        buf_append_cstr(e->out, a != first ? "," : "");
        emit_side(e, a, value, class);
    }
    BUF_APPEND_LIT(e->out, "))");
}

static void emit_is(struct mysql_emitter *e, const struct mysql_node *node)
{
    const char *not = node->negated ? "NOT " : "";
    BUF_APPEND_LIT(e->out, "(");
    if (span_equal_cstr(node->name, "TRUE") || span_equal_cstr(node->name, "FALSE")) {
        mysql_emit_truth(e, node->arguments);
        buf_printf(e->out, " IS %s%.*s)", not, SPAN_ARG(node->name));
    } else {
        mysql_emit(e, node->arguments);
        buf_printf(e->out, " IS %sNULL)", not );
    }
}

static void emit_case(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_node *value = node->has_value ? node->arguments : NULL;
    BUF_APPEND_LIT(e->out, "CASE");
    for (const struct mysql_node *a = value != NULL ? value->next : node->arguments; a != NULL;
         a = a->next) {
        if (a->next == NULL) {
            BUF_APPEND_LIT(e->out, " ELSE ");
            mysql_emit_as(e, a, node->shape.class);
            break;
        }
        BUF_APPEND_LIT(e->out, " WHEN ");
        if (value != NULL) {
            mysql_emit_compared(e, MYSQL_OP_EQ, value, a);
        } else {
            mysql_emit_truth(e, a);
        }
        a = a->next;
        BUF_APPEND_LIT(e->out, " THEN ");
        mysql_emit_as(e, a, node->shape.class);
    }
    BUF_APPEND_LIT(e->out, " END");
}

static void emit_cast(struct mysql_emitter *e, const struct mysql_node *node)
{
    const struct mysql_cast *cast = node->cast;
    const struct mysql_node *value = node->arguments;
    switch (cast->class) {
    case MYSQL_CLASS_INT:
        buf_append_cstr(e->out, value->shape.class == MYSQL_CLASS_TEXT ? "my_text_int("
                                : cast->is_unsigned                    ? "my_cast_unsigned("
                                                                       : "my_int(");
        if (value->shape.class == MYSQL_CLASS_TEXT) {
            mysql_emit(e, value);
        } else {
            mysql_emit_number(e, value);
        }
        break;
    case MYSQL_CLASS_DECIMAL:
        BUF_APPEND_LIT(e->out, "my_cast_decimal(");
        mysql_emit_number(e, value);
        buf_printf(e->out, ",%u,%u", cast->has_length ? cast->length : 10U, cast->decimals);
        break;
    case MYSQL_CLASS_DATE:
        BUF_APPEND_LIT(e->out, "my_date(");
        mysql_emit_date(e, value);
        break;
    case MYSQL_CLASS_DATETIME:
        BUF_APPEND_LIT(e->out, "my_cast_datetime(");
        mysql_emit_date(e, value);
        buf_printf(e->out, ",%u", node->shape.decimals);
        break;
    case MYSQL_CLASS_TIME:
        BUF_APPEND_LIT(e->out, "my_time(");
        mysql_emit_time(e, value);
        break;
    case MYSQL_CLASS_TEXT:
        BUF_APPEND_LIT(e->out, "my_cast_text(");
        mysql_emit_text(e, value);
        buf_printf(e->out, ",%lld", cast->has_length ? (long long)cast->length : -1LL);
        break;
    default:
        BUF_APPEND_LIT(e->out, "(0.0+");
        mysql_emit_number(e, value);
        break;
    }
    BUF_APPEND_LIT(e->out, ")");
}

static bool gives_one_row(const struct mysql_query_expr *query)
{
    const struct mysql_select *select = query->selects;
    bool alone = select->next == NULL && select->parenthesized == NULL;
    bool limited = query->limit != NULL && query->limit->kind == MYSQL_NODE_INTEGER &&
                   query->limit->integer <= 1 && !query->limit->is_unsigned;
    return limited || (alone && select->from == NULL) ||
           (alone && select->aggregates && select->group == NULL);
}

static void emit_subquery(struct mysql_emitter *e, const struct mysql_node *node)
{
    if (node->kind == MYSQL_NODE_EXISTS) {
        BUF_APPEND_LIT(e->out, "EXISTS");
    }
    bool guarded = node->kind == MYSQL_NODE_SUBQUERY && !gives_one_row(node->query);
    BUF_APPEND_LIT(e->out, "(");
    buf_append_cstr(e->out, guarded ? "SELECT my_only(c1) FROM (" : "");
    mysql_emit_query(e, node->query, false);
    buf_append_cstr(e->out, guarded ? ")" : "");
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_interval(struct mysql_emitter *e, const struct mysql_node *node)
{
    buf_append_cstr(e->out, node->negated ? "my_date_sub(" : "my_date_add(");
    mysql_emit_date(e, node->arguments);
    BUF_APPEND_LIT(e->out, ",");
    mysql_emit_text(e, node->arguments->next);
    buf_printf(e->out, ",'%.*s')", SPAN_ARG(node->name));
}

static void emit_operator(struct mysql_emitter *e, const struct mysql_node *node)
{
    switch (node->kind) {
    case MYSQL_NODE_UNARY:
        emit_unary(e, node);
        break;
    case MYSQL_NODE_BINARY:
        emit_binary(e, node);
        break;
    case MYSQL_NODE_LIKE:
        emit_like(e, node, "my_like");
        break;
    case MYSQL_NODE_REGEXP:
        emit_like(e, node, "my_regexp");
        break;
    case MYSQL_NODE_BETWEEN:
        emit_between(e, node);
        break;
    case MYSQL_NODE_IN:
        emit_in(e, node);
        break;
    case MYSQL_NODE_IS:
        emit_is(e, node);
        break;
    case MYSQL_NODE_CASE:
        emit_case(e, node);
        break;
    case MYSQL_NODE_CAST:
        emit_cast(e, node);
        break;
    case MYSQL_NODE_INTERVAL:
        emit_interval(e, node);
        break;
    case MYSQL_NODE_COLLATE:
        mysql_emit(e, node->arguments);
        break;
    case MYSQL_NODE_BINARY_OF:
        mysql_emit_text(e, node->arguments);
        break;
    default:
        BUG("a node that no statement has here");
    }
}

void mysql_emit(struct mysql_emitter *e, const struct mysql_node *node)
{
    node = node->stands_for != NULL ? node->stands_for : node;
    switch (node->kind) {
    case MYSQL_NODE_NULL:
        BUF_APPEND_LIT(e->out, "NULL");
        break;
    case MYSQL_NODE_INTEGER:
        buf_append_i64(e->out, node->integer);
        break;
    case MYSQL_NODE_DECIMAL:
    case MYSQL_NODE_REAL: {
        double value = 0;
        (void)span_parse_double(node->text, &value);
        emit_real(e, value);
        break;
    }
    case MYSQL_NODE_STRING:
        mysql_emit_constant_text(e, node->text);
        break;
    case MYSQL_NODE_BYTES:
        BUF_APPEND_LIT(e->out, "CAST(x'");
        emit_hex(e, node->text);
        BUF_APPEND_LIT(e->out, "' AS TEXT)");
        break;
    case MYSQL_NODE_PARAM:
        emit_param(e, node);
        break;
    case MYSQL_NODE_STAR: /* a column of the rows below */
        buf_printf(e->out, "c%zu", node->column + 1);
        break;
    case MYSQL_NODE_COLUMN:
        emit_column(e, node);
        break;
    case MYSQL_NODE_FUNCTION:
        mysql_emit_call(e, node);
        break;
    case MYSQL_NODE_SUBQUERY:
    case MYSQL_NODE_EXISTS:
        emit_subquery(e, node);
        break;
    default:
        emit_operator(e, node);
        break;
    }
}
