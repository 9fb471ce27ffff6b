/* Tables that are made for a statement: those of information_schema, and what SHOW shows. */
#ifndef PINPIPE_MYSQL_VIRTUAL_H
#define PINPIPE_MYSQL_VIRTUAL_H

#include "arena.h"
#include "mysql_ast.h"

struct mysql_session;

struct mysql_cell {
    enum mysql_kind kind; /* NULL, INT or TEXT */
    int64_t integer;
    struct span text;
};

struct mysql_rows {
    struct arena *arena;
    struct mysql_session *session;
    struct span subject; /* SHOW COLUMNS FROM subject; empty: of all tables */
    size_t columns;
    struct mysql_cell *cells;
    size_t cell_count;
    size_t cell_capacity;
    bool no_memory;
};

struct mysql_virtual_column {
    const char *name;
    enum mysql_class class;
    uint32_t length;
};

enum { MYSQL_VIRTUAL_COLUMNS_MAX = 24 };

struct mysql_virtual {
    const char *name;
    const struct mysql_virtual_column *columns;
    size_t column_count;
    void (*fill)(struct mysql_rows *rows);
};

/* Of information_schema; NULL: it has none of this name. */
const struct mysql_virtual *mysql_virtual_find(struct span name);
/* Row by row, cell by cell. */
void mysql_rows_text(struct mysql_rows *rows, const char *text);
void mysql_rows_span(struct mysql_rows *rows, struct span text);
void mysql_rows_integer(struct mysql_rows *rows, int64_t value);
void mysql_rows_null(struct mysql_rows *rows);

#endif
