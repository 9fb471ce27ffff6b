/* System variables: what @@name, SHOW VARIABLES and SET know. */
#ifndef PINPIPE_MYSQL_VARIABLES_H
#define PINPIPE_MYSQL_VARIABLES_H

#include "mysql_ast.h"
#include "mysql_error.h"
#include "mysql_virtual.h"

struct arena;

/* The node becomes the constant that the variable is. False: 1193. */
bool mysql_variable_node(struct mysql_session *session, struct mysql_node *node,
                         struct arena *arena, struct mysql_error *error);
/* @name: NULL unless SET gave it a value. */
void mysql_user_variable(const struct mysql_session *session, struct span name,
                         struct mysql_node *node);
/* SET name = value; of a name that may be set and is known, what matters is kept. False: 1193,
 * 1231, 1238. */
bool mysql_variable_set(struct mysql_session *session, struct span name,
                        const struct mysql_node *value, struct mysql_error *error);
void mysql_user_variable_set(struct mysql_session *session, struct span name,
                             const struct mysql_node *value);
void mysql_variables_fill(struct mysql_rows *rows);

#endif
