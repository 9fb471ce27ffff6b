/* The lexical grammar of MySQL: names and keywords, `quoted names`, strings in either quote,
 * numbers, hex and bit literals, variables, placeholders, operators; comments of all four kinds are
 * skipped, and what stands in one of version 8.0.36 or older is read as if it stood there bare. */
#ifndef PINPIPE_MYSQL_LEXER_H
#define PINPIPE_MYSQL_LEXER_H

#include "arena.h"
#include "span.h"

enum mysql_token_kind {
    MYSQL_TOKEN_END,
    MYSQL_TOKEN_NAME,     /* or a keyword */
    MYSQL_TOKEN_QUOTED,   /* `name` */
    MYSQL_TOKEN_STRING,   /* '...' or "..." */
    MYSQL_TOKEN_INTEGER,  /* 12 */
    MYSQL_TOKEN_DECIMAL,  /* 1.5 .5 1. */
    MYSQL_TOKEN_REAL,     /* 1e5 */
    MYSQL_TOKEN_HEX,      /* 0xAB x'AB' */
    MYSQL_TOKEN_BIT,      /* 0b01 b'01' */
    MYSQL_TOKEN_PARAM,    /* ? */
    MYSQL_TOKEN_VARIABLE, /* @name: the text has the @ */
    MYSQL_TOKEN_SYSTEM,   /* @@ */
    MYSQL_TOKEN_OPERATOR,
    MYSQL_TOKEN_BAD, /* a byte that begins nothing, or a quote that does not end */
};

struct mysql_token {
    enum mysql_token_kind kind;
    struct span text; /* as it stands there, quotes included */
};

/* A place in a statement: a copy of it goes on from there. */
struct mysql_lexer {
    struct span sql;
    size_t at;
    bool in_version_comment;
};

void mysql_lexer_init(struct mysql_lexer *lexer, struct span sql);
struct mysql_token mysql_lexer_next(struct mysql_lexer *lexer);

/* Of a STRING, QUOTED, HEX or BIT token: its bytes; NULL ptr: no memory. */
struct span mysql_token_bytes(struct arena *arena, const struct mysql_token *token);

/* The text as a column is named by it: without the marks of version comments. ptr NULL: no memory.
 */
struct span mysql_text_shown(struct arena *arena, struct span text);

#endif
