/* SHOW and DESCRIBE: each becomes a query of a table that is made for it. */
#ifndef PINPIPE_MYSQL_SHOW_H
#define PINPIPE_MYSQL_SHOW_H

#include "mysql_parser.h"
#include "mysql_session.h"

/* Behind SHOW, or behind DESCRIBE. NULL: *p->error says why not. */
struct mysql_query_expr *mysql_parse_show(struct mysql_parser *p, struct mysql_session *session);
struct mysql_query_expr *mysql_parse_describe(struct mysql_parser *p,
                                              struct mysql_session *session);

#endif
