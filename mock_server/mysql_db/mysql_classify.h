/* The kinds of statements. A query goes on to the resolver; what the server does itself (SET, USE,
 * transactions) is noted; everything that would write is refused, as by a user who may read. */
#ifndef PINPIPE_MYSQL_CLASSIFY_H
#define PINPIPE_MYSQL_CLASSIFY_H

#include "mysql_parser.h"
#include "mysql_session.h"

enum mysql_action {
    MYSQL_ACTION_NONE, /* OK, and nothing changes */
    MYSQL_ACTION_QUERY,
    MYSQL_ACTION_DISCARD, /* DO: a query whose rows nobody sees */
    MYSQL_ACTION_USE,
    MYSQL_ACTION_SET,
    MYSQL_ACTION_BEGIN,
    MYSQL_ACTION_END,
};

struct mysql_assignment {
    struct span name;
    bool of_user; /* @name */
    struct mysql_node *value;
    struct mysql_assignment *next;
};

struct mysql_parsed {
    enum mysql_action action;
    struct mysql_query_expr *query;
    struct span database;
    struct mysql_assignment *assignments;
};

/* False: *p->error. */
bool mysql_classify(struct mysql_parser *p, struct mysql_session *session,
                    struct mysql_parsed *parsed);

#endif
