/* What the parts of the parser share: a token at a time, and the refusal that MySQL makes of what
 * does not belong there. After a failure everything that is asked says no, and the first error
 * stays. */
#ifndef PINPIPE_MYSQL_PARSER_H
#define PINPIPE_MYSQL_PARSER_H

#include "mysql_ast.h"
#include "mysql_error.h"
#include "mysql_lexer.h"

enum {
    MYSQL_DEPTH_MAX = 200, /* parentheses, subqueries */
    MYSQL_CHAIN_MAX = 400, /* a + b + c ... */
};

struct mysql_parser {
    struct arena *arena;
    struct mysql_error *error;
    struct mysql_lexer lexer; /* behind `token` */
    struct mysql_token token; /* the one that is next */
    const char *end;          /* of the token before */
    const char *user;         /* who asks, for errors that say so */
    const char *host;
    size_t params;
    int depth;
    bool failed;
};

void mysql_parser_init(struct mysql_parser *p, struct arena *arena, struct span sql,
                       struct mysql_error *error);
void mysql_parser_advance(struct mysql_parser *p);
/* The token behind the one that is next. */
struct mysql_token mysql_parser_peek(const struct mysql_parser *p);
bool mysql_parser_at_word(const struct mysql_parser *p, const char *word);
bool mysql_parser_at_op(const struct mysql_parser *p, const char *op);
/* Takes it when it is there. */
bool mysql_parser_word(struct mysql_parser *p, const char *word);
bool mysql_parser_op(struct mysql_parser *p, const char *op);
/* 1064 when it is not there. */
bool mysql_parser_need_word(struct mysql_parser *p, const char *word);
bool mysql_parser_need_op(struct mysql_parser *p, const char *op);
/* Nothing may follow but a semicolon. */
bool mysql_parser_need_end(struct mysql_parser *p);

/* 1064 at the token that is next; false. */
bool mysql_parser_fail(struct mysql_parser *p);
/* 1235: MySQL knows it, this server does not; false. */
bool mysql_parser_unsupported(struct mysql_parser *p, const char *what);
bool mysql_parser_no_memory(struct mysql_parser *p);
/* False and 1436 when the statement is too deep; else leave once for each enter. */
bool mysql_parser_enter(struct mysql_parser *p);
void mysql_parser_leave(struct mysql_parser *p);

/* A name that is not reserved, or in backticks. */
bool mysql_parser_at_name(const struct mysql_parser *p);
bool mysql_parser_name(struct mysql_parser *p, struct span *out);
/* A name, or a string, as aliases are. */
bool mysql_parser_alias_name(struct mysql_parser *p, struct span *out);
bool mysql_word_is_reserved(struct span word);
struct span mysql_parser_string(struct mysql_parser *p); /* the token that is next, a STRING */
/* From `begin` to the last token that was taken. */
struct span mysql_parser_source(const struct mysql_parser *p, const char *begin);

struct mysql_node *mysql_node_new(struct mysql_parser *p, enum mysql_node_kind kind);
void mysql_node_add(struct mysql_node *node, struct mysql_node *argument);

/* mysql_parse_expr.c. NULL: it failed. */
struct mysql_node *mysql_parse_expr(struct mysql_parser *p);
struct mysql_node *mysql_parse_bit_expr(struct mysql_parser *p);
struct mysql_node *mysql_parse_simple(struct mysql_parser *p);
/* mysql_parse_call.c: a call, at its name. */
struct mysql_node *mysql_parse_call(struct mysql_parser *p);
bool mysql_parse_is_call(const struct mysql_parser *p);
bool mysql_parse_unit(struct mysql_parser *p, struct span *out);
/* mysql_parse_query.c */
struct mysql_query_expr *mysql_parse_query(struct mysql_parser *p);
bool mysql_parse_at_query(const struct mysql_parser *p);
struct mysql_order *mysql_parse_order_list(struct mysql_parser *p);

#endif
