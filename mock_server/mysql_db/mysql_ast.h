/* A statement as a tree: what the parser makes, the resolver completes (names, types) and the
 * emitter writes as SQLite's. All of it lives in the statement's arena. */
#ifndef PINPIPE_MYSQL_AST_H
#define PINPIPE_MYSQL_AST_H

#include "mysql_db.h"
#include "table.h"

enum mysql_node_kind {
    MYSQL_NODE_NULL,
    MYSQL_NODE_INTEGER,  /* integer; is_unsigned beyond 2^63-1 */
    MYSQL_NODE_DECIMAL,  /* text, as it is written */
    MYSQL_NODE_REAL,     /* text */
    MYSQL_NODE_STRING,   /* text */
    MYSQL_NODE_BYTES,    /* text: of x'..' and b'..' */
    MYSQL_NODE_PARAM,    /* integer: which one, from 0 */
    MYSQL_NODE_STAR,     /* qualifier (may be empty) */
    MYSQL_NODE_COLUMN,   /* qualifier, name */
    MYSQL_NODE_VARIABLE, /* name of @@name; user: of @name */
    MYSQL_NODE_USER_VARIABLE,
    MYSQL_NODE_UNARY,     /* op */
    MYSQL_NODE_BINARY,    /* op */
    MYSQL_NODE_LIKE,      /* arguments: value, pattern, escape; negated */
    MYSQL_NODE_REGEXP,    /* value, pattern; negated */
    MYSQL_NODE_BETWEEN,   /* value, low, high; negated */
    MYSQL_NODE_IN,        /* value, then the list, or a query; negated */
    MYSQL_NODE_IS,        /* value; name is NULL, TRUE, FALSE or UNKNOWN; negated */
    MYSQL_NODE_CASE,      /* [value], then when and then by pairs, [else]: has_value, has_else */
    MYSQL_NODE_CAST,      /* value; cast */
    MYSQL_NODE_COLLATE,   /* value; name */
    MYSQL_NODE_BINARY_OF, /* BINARY value */
    MYSQL_NODE_INTERVAL,  /* date, amount; name is the unit; negated: taken away */
    MYSQL_NODE_FUNCTION,  /* name, arguments; distinct; order; separator */
    MYSQL_NODE_SUBQUERY,  /* query, as one value */
    MYSQL_NODE_EXISTS,    /* query; negated */
    MYSQL_NODE_ROW,       /* (a, b): the list */
};

enum mysql_op {
    MYSQL_OP_NONE,
    MYSQL_OP_OR,
    MYSQL_OP_XOR,
    MYSQL_OP_AND,
    MYSQL_OP_NOT,
    MYSQL_OP_EQ,
    MYSQL_OP_NULL_EQ,
    MYSQL_OP_NE,
    MYSQL_OP_LT,
    MYSQL_OP_LE,
    MYSQL_OP_GT,
    MYSQL_OP_GE,
    MYSQL_OP_BIT_OR,
    MYSQL_OP_BIT_AND,
    MYSQL_OP_SHIFT_LEFT,
    MYSQL_OP_SHIFT_RIGHT,
    MYSQL_OP_ADD,
    MYSQL_OP_SUB,
    MYSQL_OP_MUL,
    MYSQL_OP_DIV,
    MYSQL_OP_INT_DIV,
    MYSQL_OP_MOD,
    MYSQL_OP_BIT_XOR,
    MYSQL_OP_NEGATE,
    MYSQL_OP_BIT_NOT,
};

/* The kind of value that an expression has. */
enum mysql_class {
    MYSQL_CLASS_NULL,
    MYSQL_CLASS_INT,
    MYSQL_CLASS_DECIMAL,
    MYSQL_CLASS_REAL,
    MYSQL_CLASS_FLOAT,
    MYSQL_CLASS_TEXT,
    MYSQL_CLASS_DATE,
    MYSQL_CLASS_TIME,
    MYSQL_CLASS_DATETIME,
};

struct mysql_shape {
    enum mysql_class class;
    bool is_unsigned;
    bool not_null;
    bool is_binary;   /* a text compared byte by byte */
    bool is_bytes;    /* a text of no character set */
    bool is_long;     /* INT, of the size of a column, not BIGINT; TEXT: of a TEXT column */
    uint8_t decimals; /* of DECIMAL; of a time, digits of its fraction */
    uint32_t length;  /* shown characters at most */
};

struct mysql_source; /* a table of FROM */
struct mysql_query_expr;
struct mysql_select;
struct mysql_function;

struct mysql_order {
    struct mysql_node *node;
    bool descending;
    struct mysql_order *next;
};

struct mysql_window {
    struct mysql_node *partition; /* linked by next */
    struct mysql_order *order;
    struct span frame; /* as it is written, of tokens that both dialects share */
};

struct mysql_cast {
    enum mysql_class class;
    bool is_unsigned;
    bool is_bytes;
    bool has_length;
    uint32_t length;
    uint8_t decimals;
    uint8_t type; /* YEAR: of a class INT */
};

struct mysql_node {
    enum mysql_node_kind kind;
    enum mysql_op op;
    struct span source; /* as it is written: a column's name, an error's words */
    struct span text;
    struct span schema;
    struct span qualifier;
    struct span name;
    int64_t integer;
    bool is_unsigned;
    bool negated;
    bool distinct;
    bool has_value;
    bool has_else;
    bool in_parentheses;
    struct mysql_node *arguments; /* linked by next */
    struct mysql_node *last;      /* of them */
    size_t argument_count;
    struct mysql_node *next;
    struct mysql_query_expr *query;
    struct mysql_cast *cast;
    struct mysql_window *window;
    struct mysql_order *order;

    /* The resolver's: */
    struct mysql_shape shape;
    const struct mysql_source *table;
    size_t column;
    const struct mysql_function *function;
    struct mysql_node *stands_for; /* an alias or a position: the item's expression */
    bool aggregates;               /* an aggregate function is below it */
};

struct mysql_item {
    struct mysql_node *node;
    struct span alias; /* ptr NULL: none */
    struct mysql_item *next;
    bool hidden; /* not a column of the result */
};

enum mysql_join { MYSQL_JOIN_INNER, MYSQL_JOIN_LEFT, MYSQL_JOIN_RIGHT };

/* A table's column as a query sees it. */
struct mysql_field {
    struct span name;
    struct span org_name;
    struct mysql_shape shape;
    uint16_t flags;
    bool merged; /* of USING: stands for another table's column of that name */
};

struct mysql_virtual;

/* A table in FROM, joined to those before it. */
struct mysql_source {
    struct span schema;
    struct span name;
    struct span alias; /* what its columns are qualified with */
    struct mysql_query_expr *derived;
    struct span *column_names; /* t (a, b) */
    size_t column_name_count;
    enum mysql_join join;
    bool natural;
    struct mysql_node *on;
    struct span *using_names;
    size_t using_count;
    struct mysql_source *next;

    /* The resolver's: */
    const struct table *table;
    const struct mysql_virtual *is_virtual;
    struct mysql_query_expr *cte; /* one of WITH */
    uint32_t cte_number;
    struct mysql_field *fields;
    size_t field_count;
    uint32_t number; /* t<number> in SQLite's statement */
};

struct mysql_select {
    bool distinct;
    struct mysql_item *items;
    struct mysql_source *from;
    struct mysql_node *where;
    struct mysql_order *group;
    struct mysql_node *having;
    struct mysql_select *next; /* of UNION */
    enum mysql_set_op {
        MYSQL_SET_UNION,
        MYSQL_SET_UNION_ALL,
        MYSQL_SET_EXCEPT,
        MYSQL_SET_INTERSECT
    } set_op;                               /* between the one before and this */
    struct mysql_query_expr *parenthesized; /* (SELECT ... LIMIT 1): instead of all above */

    /* The resolver's: */
    bool aggregates; /* GROUP BY or an aggregate function */
    size_t item_count;
};

struct mysql_cte {
    struct span name;
    struct span *column_names;
    size_t column_name_count;
    struct mysql_query_expr *query;
    uint32_t number;
    struct mysql_cte *next;
};

struct mysql_query_expr {
    struct mysql_cte *ctes;
    bool recursive;
    struct mysql_select *selects;
    struct mysql_order *order;
    struct mysql_node *limit;
    struct mysql_node *offset;

    /* The resolver's: */
    struct mysql_field *fields; /* of its rows */
    size_t field_count;
    bool resolved;
};

#endif
