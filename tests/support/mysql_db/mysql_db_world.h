/* A MySQL server's inside over 100 generated rows, and what it says to a statement, as one text. */
#ifndef PINPIPE_TESTS_MYSQL_DB_WORLD_H
#define PINPIPE_TESTS_MYSQL_DB_WORLD_H

#include "buf.h"
#include "mysql_db.h"
#include "rds_world.h"

enum { MYSQL_DB_WORLD_ROWS = 100 };

struct mysql_db_world {
    struct rds_world *rds;
    struct mysql_db *db;
    struct mysql_session *session;
    struct mysql_error error;
    struct buf text; /* of the last answer */
};

/* cmocka's setup and teardown: *state is a struct mysql_db_world. */
int mysql_db_world_setup(void **state);
int mysql_db_world_teardown(void **state);
/* A second login; NULL: world->error says why not. */
struct mysql_session *mysql_db_world_login(struct mysql_db_world *world, struct span database);

/* Rows a line each, cells between bars: "1|a\nNULL|b". Without rows "OK". A refusal is
 * "1064 42000 words". */
const char *mysql_db_world_ask(struct mysql_db_world *world, const char *sql);
const char *mysql_db_world_ask_with(struct mysql_db_world *world, struct span sql,
                                    const struct mysql_value *params, size_t count);
/* The columns of its answer: "name:type", between bars; types as in enum mysql_type. */
const char *mysql_db_world_columns(struct mysql_db_world *world, const char *sql);

#endif
