/* Private to the room: a statement as it was understood, and the query that runs it. */
#ifndef PINPIPE_MYSQL_STATEMENT_H
#define PINPIPE_MYSQL_STATEMENT_H

#include "mysql_classify.h"

#include "arena.h"
#include "buf.h"

enum {
    MYSQL_ARENA_BYTES_MAX = 96 * 1024 * 1024, /* of a statement of 16 MiB, as a tree */
    MYSQL_SQL_BYTES_MAX = 64 * 1024 * 1024,
};

/* What a statement is for one set of parameters. */
struct mysql_plan {
    struct arena arena;
    struct mysql_parsed parsed;
    struct buf sql; /* SQLite's, of a query */
    struct mysql_column *columns;
    struct mysql_shape *shapes;
    size_t column_count;
    size_t params;
};

struct mysql_statement {
    struct mysql_session *session;
    struct buf text;
    struct mysql_plan plan;
    size_t held_bytes; /* in the server's budget */
    bool used;         /* the plan has run: another execution makes its own */
};

/* params NULL: not known yet. */
bool mysql_plan_make(struct mysql_plan *plan, struct mysql_session *session, struct span sql,
                     const struct mysql_value *params, struct mysql_error *error);
void mysql_plan_release(struct mysql_plan *plan);

#endif
