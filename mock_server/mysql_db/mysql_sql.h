/* Private to mysql_sql_*.c: MySQL's functions as SQLite's, each in the file of its kind. */
#ifndef PINPIPE_MYSQL_SQL_H
#define PINPIPE_MYSQL_SQL_H

#include "buf.h"

#include <sqlite3.h>

enum {
    MYSQL_TEXT_BYTES_MAX = 16 * 1024 * 1024, /* of a function's result: max_allowed_packet */
    MYSQL_REAL_TEXT_BYTES = 400,             /* 1.8e308 in full, and decimals */
};

struct mysql_sql_function {
    const char *name;
    int arguments; /* -1: any */
    void (*call)(sqlite3_context *context, int count, sqlite3_value **values);
};

/* Registers all of them, the collation my_ci and the aggregates. SQLITE_OK or SQLite's code. */
int mysql_sql_register(sqlite3 *db);

extern const struct mysql_sql_function mysql_sql_texts[];
extern const size_t mysql_sql_texts_count;
extern const struct mysql_sql_function mysql_sql_numbers[];
extern const size_t mysql_sql_numbers_count;
extern const struct mysql_sql_function mysql_sql_dates[];
extern const size_t mysql_sql_dates_count;
extern const struct mysql_sql_function mysql_sql_patterns[];
extern const size_t mysql_sql_patterns_count;
int mysql_sql_register_aggregates(sqlite3 *db);

/* Ends the statement with MySQL's error: the number and the words travel in SQLite's message. */
void mysql_sql_fail(sqlite3_context *context, int code, const char *format, ...) PP_PRINTF(3, 4);
/* Is a SQLite message one of those? Then where its words begin. */
const char *mysql_sql_failed(const char *message, int *code);

struct span mysql_sql_text(sqlite3_value *value);
bool mysql_sql_is_null(sqlite3_value *value);
/* True and NULL is the result, where one of the values is. */
bool mysql_sql_any_null(sqlite3_context *context, int count, sqlite3_value **values);
void mysql_sql_give_text(sqlite3_context *context, struct span text);
/* Of a buffer, which is released. */
void mysql_sql_give_buf(sqlite3_context *context, struct buf *text);

/* The number in front of a text, 0 where there is none. */
double mysql_text_number(struct span text);
/* A DECIMAL: rounded half away from zero. */
size_t mysql_decimal_text(sqlite3_value *value, unsigned decimals, char out[MYSQL_REAL_TEXT_BYTES]);

/* utf8mb4_0900_ai_ci, nearly (mysql_collation.c): below, at or above zero. */
int mysql_compare_ci(struct span a, struct span b);
/* The weight of the character in front of `rest`, which it is taken off. */
uint32_t mysql_take_weight(struct span *rest);

#endif
