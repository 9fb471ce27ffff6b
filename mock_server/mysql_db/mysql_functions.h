/* The table of MySQL's functions. */
#ifndef PINPIPE_MYSQL_FUNCTIONS_H
#define PINPIPE_MYSQL_FUNCTIONS_H

#include "span.h"

enum mysql_result {
    MYSQL_RESULT_INT,
    MYSQL_RESULT_REAL,
    MYSQL_RESULT_TEXT,
    MYSQL_RESULT_DATE,
    MYSQL_RESULT_TIME,
    MYSQL_RESULT_DATETIME,
    MYSQL_RESULT_LIKE,
    MYSQL_RESULT_WHOLE,
    MYSQL_RESULT_ROUND,
    MYSQL_RESULT_MOD,
    MYSQL_RESULT_PI,
    MYSQL_RESULT_UNIFIED,
    MYSQL_RESULT_IF,
    MYSQL_RESULT_NULLIF,
    MYSQL_RESULT_ISNULL,
    MYSQL_RESULT_FIELD,
    MYSQL_RESULT_NOW,
    MYSQL_RESULT_TODAY,
    MYSQL_RESULT_TIME_NOW,
    MYSQL_RESULT_STR_TO_DATE,
    MYSQL_RESULT_UNIX_TIMESTAMP,
    MYSQL_RESULT_FROM_UNIXTIME,
    MYSQL_RESULT_TIMESTAMPADD,
    MYSQL_RESULT_SESSION,
    MYSQL_RESULT_CHARSET,
    MYSQL_RESULT_COUNT, /* from here on aggregates */
    MYSQL_RESULT_SUM,
    MYSQL_RESULT_AVG,
    MYSQL_RESULT_EXTREME,
    MYSQL_RESULT_ANY_VALUE,
    MYSQL_RESULT_GROUP_CONCAT,
    MYSQL_RESULT_DEVIATION,
    MYSQL_RESULT_WINDOW_INT, /* from here on windows */
    MYSQL_RESULT_WINDOW_REAL,
    MYSQL_RESULT_WINDOW_LIKE,
};

enum { MYSQL_ARGUMENTS_ANY = 255 };

struct mysql_function {
    const char *name;
    uint8_t least;
    uint8_t most;
    const char *arguments;
    enum mysql_result result;
    const char *sqlite;
};

/* NULL: there is none; *unsupported: MySQL has it. */
const struct mysql_function *mysql_function_find(struct span name, bool *unsupported);
bool mysql_function_is_aggregate(const struct mysql_function *function);
bool mysql_function_is_window(const struct mysql_function *function);
/* The letter of the table for the argument. */
char mysql_function_argument(const struct mysql_function *function, size_t index);

#endif
