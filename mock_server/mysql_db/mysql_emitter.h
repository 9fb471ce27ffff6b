/* A resolved statement written as SQLite's. Whatever means something else there is written as a
 * call of one of our functions (mysql_sql.h), named my_...; names are our own (t1, c1), so that
 * nothing of the statement's own text reaches SQLite but its constants. */
#ifndef PINPIPE_MYSQL_EMITTER_H
#define PINPIPE_MYSQL_EMITTER_H

#include "buf.h"
#include "mysql_resolver.h"

struct mysql_emitter {
    struct buf *out;
    struct mysql_resolver *r;
    struct mysql_session *session;
    int64_t now_us; /* of NOW(), in this statement */
};

/* The whole; false: an error. */
bool mysql_emit_statement(struct mysql_emitter *e, const struct mysql_query_expr *query);

void mysql_emit_query(struct mysql_emitter *e, const struct mysql_query_expr *query,
                      bool outermost);
/* mysql_emit_expr.c: as it is; as a number, a text, a truth; as the class says. */
void mysql_emit(struct mysql_emitter *e, const struct mysql_node *node);
void mysql_emit_number(struct mysql_emitter *e, const struct mysql_node *node);
void mysql_emit_text(struct mysql_emitter *e, const struct mysql_node *node);
void mysql_emit_truth(struct mysql_emitter *e, const struct mysql_node *node);
void mysql_emit_as(struct mysql_emitter *e, const struct mysql_node *node, enum mysql_class class);
/* With the collation that it is compared by, where it is a text. */
void mysql_emit_collated(struct mysql_emitter *e, const struct mysql_node *node);
const char *mysql_collation(const struct mysql_shape *shape);
void mysql_emit_constant_text(struct mysql_emitter *e, struct span text);
void mysql_emit_compared(struct mysql_emitter *e, enum mysql_op op, const struct mysql_node *left,
                         const struct mysql_node *right);
/* mysql_emit_call.c */
void mysql_emit_call(struct mysql_emitter *e, const struct mysql_node *call);
void mysql_emit_date(struct mysql_emitter *e, const struct mysql_node *node);
void mysql_emit_time(struct mysql_emitter *e, const struct mysql_node *node);

#endif
