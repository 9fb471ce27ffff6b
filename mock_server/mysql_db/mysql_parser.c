#include "mysql_parser.h"

#include "search.h"

#include <stdio.h>
#include <string.h>

enum { near_bytes_max = 80, word_bytes_max = 32, thread_stack_bytes = 286720 };

void mysql_parser_init(struct mysql_parser *p, struct arena *arena, struct span sql,
                       struct mysql_error *error)
{
    *p = (struct mysql_parser){
        .arena = arena, .error = error, .end = sql.ptr, .user = "", .host = ""};
    mysql_lexer_init(&p->lexer, sql);
    p->token = mysql_lexer_next(&p->lexer);
}

void mysql_parser_advance(struct mysql_parser *p)
{
    p->end = p->token.text.ptr + p->token.text.len;
    p->token = mysql_lexer_next(&p->lexer);
}

struct mysql_token mysql_parser_peek(const struct mysql_parser *p)
{
    struct mysql_lexer ahead = p->lexer;
    return mysql_lexer_next(&ahead);
}

bool mysql_parser_at_word(const struct mysql_parser *p, const char *word)
{
    return !p->failed && p->token.kind == MYSQL_TOKEN_NAME &&
           span_equal_nocase(p->token.text, span_from_cstr(word));
}

bool mysql_parser_at_op(const struct mysql_parser *p, const char *op)
{
    return !p->failed && p->token.kind == MYSQL_TOKEN_OPERATOR &&
           span_equal_cstr(p->token.text, op);
}

bool mysql_parser_word(struct mysql_parser *p, const char *word)
{
    bool there = mysql_parser_at_word(p, word);
    if (there) {
        mysql_parser_advance(p);
    }
    return there;
}

bool mysql_parser_op(struct mysql_parser *p, const char *op)
{
    bool there = mysql_parser_at_op(p, op);
    if (there) {
        mysql_parser_advance(p);
    }
    return there;
}

bool mysql_parser_need_word(struct mysql_parser *p, const char *word)
{
    return mysql_parser_word(p, word) || mysql_parser_fail(p);
}

bool mysql_parser_need_op(struct mysql_parser *p, const char *op)
{
    return mysql_parser_op(p, op) || mysql_parser_fail(p);
}

bool mysql_parser_need_end(struct mysql_parser *p)
{
    while (mysql_parser_op(p, ";")) {
    }
    return !p->failed && (p->token.kind == MYSQL_TOKEN_END || mysql_parser_fail(p));
}

static int line_of(const struct mysql_parser *p)
{
    int line = 1;
    for (const char *c = p->lexer.sql.ptr; c < p->token.text.ptr; c++) {
        line += *c == '\n' ? 1 : 0;
    }
    return line;
}

bool mysql_parser_fail(struct mysql_parser *p)
{
    if (!p->failed) {
        p->failed = true;
        const char *from = p->token.text.ptr;
        struct span rest = span_from(from, (size_t)(p->lexer.sql.ptr + p->lexer.sql.len - from));
        char near[near_bytes_max + 1];
        snprintf(near, sizeof(near), "%.*s", SPAN_ARG(span_first(rest, near_bytes_max)));
        mysql_error_set(p->error, MYSQL_ER_PARSE, near, line_of(p));
    }
    return false;
}

bool mysql_parser_unsupported(struct mysql_parser *p, const char *what)
{
    if (!p->failed) {
        p->failed = true;
        mysql_error_set(p->error, MYSQL_ER_NOT_SUPPORTED_YET, what);
    }
    return false;
}

bool mysql_parser_no_memory(struct mysql_parser *p)
{
    if (!p->failed) {
        p->failed = true;
        mysql_error_set(p->error, MYSQL_ER_OUT_OF_RESOURCES);
    }
    return false;
}

bool mysql_parser_enter(struct mysql_parser *p)
{
    if (p->failed) {
        return false;
    }
    if (p->depth >= MYSQL_DEPTH_MAX) {
        p->failed = true;
        return mysql_error_set(p->error, MYSQL_ER_STACK_OVERRUN, (long)thread_stack_bytes,
                               (long)thread_stack_bytes);
    }
    p->depth++;
    return true;
}

void mysql_parser_leave(struct mysql_parser *p)
{
    p->depth--;
}

static int word_order(const void *item, const void *key)
{
    return strcmp(*(const char *const *)item, key);
}

bool mysql_word_is_reserved(struct span word)
{
    static const char *const words[] = {
#define X(word) #word,
#include "mysql_words.def"
#undef X
    };
    char upper[word_bytes_max];
    bool found = false;
    if (word.len >= sizeof(upper)) {
        return false;
    }
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    upper[word.len] = '\0';
    SEARCH_PLACE(words, ARRAY_COUNT(words), upper, word_order, &found);
    return found;
}

bool mysql_parser_at_name(const struct mysql_parser *p)
{
    return !p->failed &&
           (p->token.kind == MYSQL_TOKEN_QUOTED ||
            (p->token.kind == MYSQL_TOKEN_NAME && !mysql_word_is_reserved(p->token.text)));
}

static bool token_take(struct mysql_parser *p, struct span *out)
{
    *out =
        p->token.kind == MYSQL_TOKEN_NAME ? p->token.text : mysql_token_bytes(p->arena, &p->token);
    mysql_parser_advance(p);
    return out->ptr != NULL || mysql_parser_no_memory(p);
}

bool mysql_parser_name(struct mysql_parser *p, struct span *out)
{
    return mysql_parser_at_name(p) ? token_take(p, out) : mysql_parser_fail(p);
}

bool mysql_parser_alias_name(struct mysql_parser *p, struct span *out)
{
    bool there = mysql_parser_at_name(p) || (!p->failed && p->token.kind == MYSQL_TOKEN_STRING);
    return there ? token_take(p, out) : mysql_parser_fail(p);
}

struct span mysql_parser_string(struct mysql_parser *p)
{
    struct span out = SPAN_EMPTY;
    if (p->token.kind != MYSQL_TOKEN_STRING) {
        mysql_parser_fail(p);
        return out;
    }
    token_take(p, &out);
    return out;
}

struct span mysql_parser_source(const struct mysql_parser *p, const char *begin)
{
    return span_from(begin, p->end > begin ? (size_t)(p->end - begin) : 0);
}

struct mysql_node *mysql_node_new(struct mysql_parser *p, enum mysql_node_kind kind)
{
    struct mysql_node *node = p->failed ? NULL : ARENA_NEW(p->arena, struct mysql_node);
    if (node == NULL) {
        mysql_parser_no_memory(p);
        return NULL;
    }
    node->kind = kind;
    return node;
}

void mysql_node_add(struct mysql_node *node, struct mysql_node *argument)
{
    *(node->last != NULL ? &node->last->next : &node->arguments) = argument;
    node->last = argument;
    node->argument_count++;
}
