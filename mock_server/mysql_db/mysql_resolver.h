/* Names and types: who a column belongs to, what an expression's values are, whether a query that
 * groups may show what it shows. After it a statement is right, or its error is MySQL's. */
#ifndef PINPIPE_MYSQL_RESOLVER_H
#define PINPIPE_MYSQL_RESOLVER_H

#include "mysql_ast.h"
#include "mysql_functions.h"
#include "mysql_session.h"
#include "mysql_virtual.h"

#include "arena.h"

struct mysql_scope {
    struct mysql_scope *outer;
    struct mysql_select *select;
    struct mysql_source *from;        /* the tables that can be named */
    const struct mysql_source *until; /* and the one behind the last of them; NULL: all */
    const char *clause;               /* as an error says it: "field list" */
    bool may_aggregate;
    bool may_alias;    /* ORDER BY and HAVING may name items */
    bool in_aggregate; /* within the arguments of one */
    bool in_having;
};

struct mysql_cte_scope {
    struct mysql_cte_scope *outer;
    struct mysql_cte *ctes;
    const struct mysql_cte *until; /* those before it; with RECURSIVE all */
};

struct mysql_resolver {
    struct arena *arena;
    struct mysql_session *session;
    struct mysql_error *error;
    const struct mysql_value *params; /* NULL: not known yet */
    size_t param_count;
    uint32_t tables; /* how many have a number */
    struct mysql_cte_scope *ctes;
    bool full_group_by;
};

bool mysql_resolve_query(struct mysql_resolver *r, struct mysql_query_expr *query,
                         struct mysql_scope *outer);
/* mysql_resolve_expr.c */
bool mysql_resolve_node(struct mysql_resolver *r, struct mysql_scope *scope,
                        struct mysql_node *node);
/* mysql_resolve_call.c */
bool mysql_resolve_call(struct mysql_resolver *r, struct mysql_scope *scope,
                        struct mysql_node *call);
/* mysql_resolve_source.c */
bool mysql_resolve_from(struct mysql_resolver *r, struct mysql_scope *scope);
/* mysql_grouping.c: 1055 and 1140. */
bool mysql_check_grouping(struct mysql_resolver *r, struct mysql_select *select,
                          const struct mysql_query_expr *query);
bool mysql_node_equal(const struct mysql_node *a, const struct mysql_node *b);

bool mysql_resolve_no_memory(struct mysql_resolver *r);
/* "%s" of a name in an error, cut where MySQL cuts. */
const char *mysql_shown(struct mysql_resolver *r, struct span name);

/* mysql_shape.c */
bool mysql_class_is_number(enum mysql_class class);
bool mysql_class_is_date(enum mysql_class class); /* DATE, DATETIME */
struct mysql_shape mysql_shape_of(enum mysql_class class, uint32_t length);
struct mysql_shape mysql_shape_int(uint32_t length);
/* The shape that values of both take in one column. */
struct mysql_shape mysql_shape_unify(struct mysql_shape a, struct mysql_shape b);
struct mysql_shape mysql_shape_arithmetic(enum mysql_op op, struct mysql_shape a,
                                          struct mysql_shape b);
/* The class that both are compared as; TIME beside anything else: NULL, refused. */
enum mysql_class mysql_shape_compared(const struct mysql_shape *a, const struct mysql_shape *b);
/* The same of two expressions: a whole number that is written beside a date is one, too. */
enum mysql_class mysql_compared(const struct mysql_node *a, const struct mysql_node *b);
struct mysql_shape mysql_shape_of_cast(const struct mysql_cast *cast,
                                       const struct mysql_shape *value);
/* How a column of this shape is announced. */
struct mysql_column mysql_shape_column(const struct mysql_shape *shape);
/* A column of a table that is there. */
struct mysql_shape mysql_shape_of_column(const struct mysql_column *column);

#endif
