/* What a client is told when its statement cannot be answered: MySQL's numbers, SQLSTATEs and words
 * in one table. */
#ifndef PINPIPE_MYSQL_ERROR_H
#define PINPIPE_MYSQL_ERROR_H

#include "mysql_db.h"

enum mysql_error_code {
#define X(name, code, sqlstate, format) MYSQL_ER_##name = code,
#include "mysql_errors.def"
#undef X
};

/* Fills *error with the row's words, to which the arguments belong; strings among them are cut at
 * MySQL's own lengths by who calls. False, so that a refusal is one line. */
bool mysql_error_set(struct mysql_error *error, enum mysql_error_code code, ...);
/* The same where the words are the caller's. */
bool mysql_error_say(struct mysql_error *error, enum mysql_error_code code, const char *format, ...)
    PP_PRINTF(3, 4);

/* The same by its number, which need not be of the table: its SQLSTATE is HY000 then. */
void mysql_error_by_number(struct mysql_error *error, int code, const char *words);

#endif
