/* The arithmetic of types: MySQL's rules for what an expression's values are, from its operands. */
#include "mysql_catalog.h"
#include "mysql_resolver.h"

enum {
    decimals_max = 30,
    digits_max = 65,
    length_of_bigint = 21,
    length_of_real = 23,
    length_of_float = 12,
    length_of_date = 10,
    length_of_time = 10,
    length_of_datetime = 19,
    division_decimals = 4, /* div_precision_increment */
    bytes_of_character = 4
};

bool mysql_class_is_number(enum mysql_class class)
{
    return class == MYSQL_CLASS_INT || class == MYSQL_CLASS_DECIMAL || class == MYSQL_CLASS_REAL ||
           class == MYSQL_CLASS_FLOAT;
}

bool mysql_class_is_date(enum mysql_class class)
{
    return class == MYSQL_CLASS_DATE || class == MYSQL_CLASS_DATETIME;
}

struct mysql_shape mysql_shape_of(enum mysql_class class, uint32_t length)
{
    static const uint32_t lengths[] = {
        [MYSQL_CLASS_INT] = length_of_bigint,   [MYSQL_CLASS_REAL] = length_of_real,
        [MYSQL_CLASS_FLOAT] = length_of_float,  [MYSQL_CLASS_DATE] = length_of_date,
        [MYSQL_CLASS_TIME] = length_of_time,    [MYSQL_CLASS_DATETIME] = length_of_datetime,
        [MYSQL_CLASS_DECIMAL] = digits_max + 2,
    };
    return (struct mysql_shape){.class = class, .length = length > 0 ? length : lengths[class]};
}

struct mysql_shape mysql_shape_int(uint32_t length)
{
    struct mysql_shape shape = mysql_shape_of(MYSQL_CLASS_INT, length);
    shape.not_null = true;
    return shape;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static enum mysql_class class_unified(enum mysql_class a, enum mysql_class b)
{
    if (a == b || b == MYSQL_CLASS_NULL) {
        return a;
    }
    if (a == MYSQL_CLASS_NULL) {
        return b;
    }
    if (mysql_class_is_number(a) && mysql_class_is_number(b)) {
        bool real = a >= MYSQL_CLASS_REAL || b >= MYSQL_CLASS_REAL;
        return real ? MYSQL_CLASS_REAL : MYSQL_CLASS_DECIMAL;
    }
    return mysql_class_is_date(a) && mysql_class_is_date(b) ? MYSQL_CLASS_DATETIME
                                                            : MYSQL_CLASS_TEXT;
}

struct mysql_shape mysql_shape_unify(struct mysql_shape a, struct mysql_shape b)
{
    struct mysql_shape shape = {
        .class = class_unified(a.class, b.class),
        .is_unsigned = a.is_unsigned && b.is_unsigned,
        .not_null = a.not_null && b.not_null,
        .is_binary = a.is_binary || b.is_binary,
        .is_bytes = a.is_bytes || b.is_bytes,
        .decimals = a.decimals > b.decimals ? a.decimals : b.decimals,
        .length = larger(a.length, b.length),
    };
    if (a.class == MYSQL_CLASS_NULL) {
        shape.is_unsigned = b.is_unsigned;
    } else if (b.class == MYSQL_CLASS_NULL) {
        shape.is_unsigned = a.is_unsigned;
    }
    shape.is_long =
        (a.is_long || a.class == MYSQL_CLASS_NULL) && (b.is_long || b.class == MYSQL_CLASS_NULL);
    if (shape.class == MYSQL_CLASS_TEXT) {
        shape.is_long = (a.class == MYSQL_CLASS_TEXT && a.is_long) ||
                        (b.class == MYSQL_CLASS_TEXT && b.is_long);
    }
    if (shape.class == MYSQL_CLASS_DECIMAL) {
        shape.length = larger(shape.length, larger(a.length - a.decimals, b.length - b.decimals) +
                                                shape.decimals);
    }
    return shape;
}

/* What an operand of + counts as. */
static enum mysql_class class_as_number(const struct mysql_shape *shape)
{
    switch (shape->class) {
    case MYSQL_CLASS_NULL:
    case MYSQL_CLASS_INT:
        return MYSQL_CLASS_INT;
    case MYSQL_CLASS_DECIMAL:
        return MYSQL_CLASS_DECIMAL;
    case MYSQL_CLASS_DATE:
    case MYSQL_CLASS_TIME:
    case MYSQL_CLASS_DATETIME:
        return shape->decimals > 0 ? MYSQL_CLASS_DECIMAL : MYSQL_CLASS_INT;
    case MYSQL_CLASS_REAL:
    case MYSQL_CLASS_FLOAT:
    case MYSQL_CLASS_TEXT:
        break;
    }
    return MYSQL_CLASS_REAL;
}

static uint8_t decimals_of(enum mysql_op op, uint8_t a, uint8_t b)
{
    unsigned decimals = a > b ? a : b;
    if (op == MYSQL_OP_MUL) {
        decimals = (unsigned)a + b;
    } else if (op == MYSQL_OP_DIV) {
        decimals = (unsigned)a + division_decimals;
    }
    return (uint8_t)(decimals < decimals_max ? decimals : decimals_max);
}

struct mysql_shape mysql_shape_arithmetic(enum mysql_op op, struct mysql_shape a,
                                          struct mysql_shape b)
{
    enum mysql_class left = class_as_number(&a);
    enum mysql_class right = class_as_number(&b);
    enum mysql_class class = left > right ? left : right;
    if (op == MYSQL_OP_DIV && class == MYSQL_CLASS_INT) {
        class = MYSQL_CLASS_DECIMAL;
    }
    struct mysql_shape shape = mysql_shape_of(class, 0);
    shape.is_unsigned = class == MYSQL_CLASS_INT && (a.is_unsigned || b.is_unsigned);
    shape.not_null = a.not_null && b.not_null && op != MYSQL_OP_DIV && op != MYSQL_OP_MOD;
    if (class == MYSQL_CLASS_DECIMAL) {
        shape.decimals = decimals_of(op, a.decimals, b.decimals);
        shape.length = a.length + b.length + division_decimals + 2U;
    }
    return shape;
}

enum mysql_class mysql_shape_compared(const struct mysql_shape *a, const struct mysql_shape *b)
{
    enum mysql_class left = a->class;
    enum mysql_class right = b->class;
    if (left == right || right == MYSQL_CLASS_NULL) {
        return left == MYSQL_CLASS_FLOAT ? MYSQL_CLASS_REAL : left;
    }
    if (left == MYSQL_CLASS_NULL) {
        return right;
    }
    if (left == MYSQL_CLASS_TIME || right == MYSQL_CLASS_TIME) {
        return left == MYSQL_CLASS_TEXT || right == MYSQL_CLASS_TEXT ? MYSQL_CLASS_TIME
                                                                     : MYSQL_CLASS_NULL;
    }
    if (mysql_class_is_date(left) || mysql_class_is_date(right)) {
        bool number = mysql_class_is_number(left) || mysql_class_is_number(right);
        return number ? MYSQL_CLASS_REAL : MYSQL_CLASS_DATETIME;
    }
    return MYSQL_CLASS_REAL;
}

static bool is_date_number(const struct mysql_node *number, const struct mysql_node *date)
{
    return number->kind == MYSQL_NODE_INTEGER && date->kind == MYSQL_NODE_COLUMN &&
           mysql_class_is_date(date->shape.class);
}

enum mysql_class mysql_compared(const struct mysql_node *a, const struct mysql_node *b)
{
    return is_date_number(a, b) || is_date_number(b, a)
               ? MYSQL_CLASS_DATETIME
               : mysql_shape_compared(&a->shape, &b->shape);
}

struct mysql_shape mysql_shape_of_cast(const struct mysql_cast *cast,
                                       const struct mysql_shape *value)
{
    uint32_t length =
        cast->class == MYSQL_CLASS_TEXT ? (cast->has_length ? cast->length : value->length) : 0;
    struct mysql_shape shape = mysql_shape_of(cast->class, length);
    shape.is_unsigned = cast->is_unsigned;
    shape.is_bytes = cast->is_bytes;
    shape.is_binary = cast->is_bytes;
    shape.decimals = cast->decimals;
    if (cast->class == MYSQL_CLASS_DECIMAL) {
        shape.length = (cast->has_length ? cast->length : 10U) + 1U;
    } else if (cast->class != MYSQL_CLASS_TEXT && cast->has_length) {
        shape.decimals = (uint8_t)(cast->length < 6 ? cast->length : 6);
    }
    return shape;
}

struct mysql_column mysql_shape_column(const struct mysql_shape *shape)
{
    static const uint8_t types[] = {
        [MYSQL_CLASS_NULL] = MYSQL_TYPE_NULL,          [MYSQL_CLASS_INT] = MYSQL_TYPE_LONGLONG,
        [MYSQL_CLASS_DECIMAL] = MYSQL_TYPE_NEWDECIMAL, [MYSQL_CLASS_REAL] = MYSQL_TYPE_DOUBLE,
        [MYSQL_CLASS_FLOAT] = MYSQL_TYPE_FLOAT,        [MYSQL_CLASS_TEXT] = MYSQL_TYPE_VAR_STRING,
        [MYSQL_CLASS_DATE] = MYSQL_TYPE_DATE,          [MYSQL_CLASS_TIME] = MYSQL_TYPE_TIME,
        [MYSQL_CLASS_DATETIME] = MYSQL_TYPE_DATETIME,
    };
    struct mysql_column column = {
        .schema = SPAN_EMPTY,
        .table = SPAN_EMPTY,
        .org_table = SPAN_EMPTY,
        .name = SPAN_EMPTY,
        .org_name = SPAN_EMPTY,
        .charset = MYSQL_CHARSET_BINARY,
        .length = shape->length,
        .type = types[shape->class],
        .flags = MYSQL_FLAG_BINARY,
        .decimals = shape->decimals,
    };
    column.flags |= shape->not_null ? MYSQL_FLAG_NOT_NULL : 0;
    column.flags |= shape->is_unsigned ? MYSQL_FLAG_UNSIGNED : 0;
    if (shape->class == MYSQL_CLASS_INT && shape->is_long) {
        column.type = MYSQL_TYPE_LONG;
    } else if (shape->class == MYSQL_CLASS_REAL || shape->class == MYSQL_CLASS_FLOAT) {
        column.decimals = shape->decimals > 0 ? shape->decimals : MYSQL_DECIMALS_OF_FLOATS;
    } else if (shape->class == MYSQL_CLASS_TEXT) {
        column.type = shape->is_long ? MYSQL_TYPE_BLOB : MYSQL_TYPE_VAR_STRING;
        column.flags |= shape->is_long ? MYSQL_FLAG_BLOB : 0;
        column.decimals = 0;
        if (!shape->is_bytes) {
            column.charset = MYSQL_CHARSET_UTF8MB4;
            column.flags = (uint16_t)(column.flags & ~(unsigned)MYSQL_FLAG_BINARY);
            column.length = shape->is_long ? shape->length : shape->length * bytes_of_character;
        }
    } else if (shape->decimals > 0 && shape->class != MYSQL_CLASS_DECIMAL) {
        column.length += shape->decimals + 1U;
    }
    return column;
}

struct mysql_shape mysql_shape_of_column(const struct mysql_column *column)
{
    struct mysql_shape shape = {.length = column->length,
                                .not_null = (column->flags & MYSQL_FLAG_NOT_NULL) != 0};
    switch (column->type) {
    case MYSQL_TYPE_LONG:
        shape.class = MYSQL_CLASS_INT;
        shape.is_long = true;
        break;
    case MYSQL_TYPE_FLOAT:
        shape.class = MYSQL_CLASS_FLOAT;
        break;
    case MYSQL_TYPE_DATETIME:
        shape.class = MYSQL_CLASS_DATETIME;
        break;
    default:
        shape.class = MYSQL_CLASS_TEXT;
        shape.is_long = true;
        break;
    }
    return shape;
}
