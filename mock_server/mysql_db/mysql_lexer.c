#include "mysql_lexer.h"

#include <string.h>

/* Version comments of at most this version are read. */
enum { version_number = 80036 };

void mysql_lexer_init(struct mysql_lexer *lexer, struct span sql)
{
    *lexer = (struct mysql_lexer){.sql = sql};
}

static char byte_at(const struct mysql_lexer *lexer, size_t ahead)
{
    size_t at = lexer->at + ahead;
    return at < lexer->sql.len ? lexer->sql.ptr[at] : '\0';
}

static bool lexer_ended(const struct mysql_lexer *lexer)
{
    return lexer->at >= lexer->sql.len;
}

static bool lexer_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool lexer_is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || lexer_is_digit(c) || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static int lexer_hex_digit(char c)
{
    if (lexer_is_digit(c)) {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_line(struct mysql_lexer *lexer)
{
    while (!lexer_ended(lexer) && byte_at(lexer, 0) != '\n') {
        lexer->at++;
    }
}

/* A comment that does not end takes the rest, as MySQL's own lexer has it. */
static void skip_block(struct mysql_lexer *lexer)
{
    lexer->at += 2;
    while (!lexer_ended(lexer) && !(byte_at(lexer, 0) == '*' && byte_at(lexer, 1) == '/')) {
        lexer->at++;
    }
    lexer->at += lexer_ended(lexer) ? 0 : 2;
}

static void version_comment(struct mysql_lexer *lexer)
{
    size_t digits = 0;
    long version = 0;
    while (digits < 6 && lexer_is_digit(byte_at(lexer, 3 + digits))) {
        version = version * 10 + (byte_at(lexer, 3 + digits) - '0');
        digits++;
    }
    if (digits >= 5 && version > version_number) {
        skip_block(lexer);
        return;
    }
    lexer->at += 3 + (digits >= 5 ? digits : 0);
    lexer->in_version_comment = true;
}

/* False: what stands here is no blank and no comment. */
static bool skip_one(struct mysql_lexer *lexer)
{
    char c = byte_at(lexer, 0);
    char next = byte_at(lexer, 1);
    if (lexer_ended(lexer)) {
        return false;
    }
    if (is_blank(c)) {
        lexer->at++;
    } else if (c == '#') {
        skip_line(lexer);
    } else if (c == '-' && next == '-' &&
               (lexer->at + 2 >= lexer->sql.len || (unsigned char)byte_at(lexer, 2) <= ' ')) {
        skip_line(lexer);
    } else if (c == '/' && next == '*' && byte_at(lexer, 2) == '!') {
        version_comment(lexer);
    } else if (c == '/' && next == '*') {
        skip_block(lexer);
    } else if (lexer->in_version_comment && c == '*' && next == '/') {
        lexer->at += 2;
        lexer->in_version_comment = false;
    } else {
        return false;
    }
    return true;
}

static struct mysql_token token_of(struct mysql_lexer *lexer, enum mysql_token_kind kind,
                                   size_t len)
{
    struct mysql_token token = {kind, span_first(span_skip(lexer->sql, lexer->at), len)};
    lexer->at += token.text.len;
    return token;
}

/* How long the quoted text at `ahead` is, both quotes included; 0: it does not end. */
static size_t quoted_bytes(const struct mysql_lexer *lexer, size_t ahead)
{
    char quote = byte_at(lexer, ahead);
    size_t len = ahead + 1;
    for (;;) {
        if (lexer->at + len >= lexer->sql.len) {
            return 0;
        }
        char c = byte_at(lexer, len);
        if (c == '\\' && quote != '`') {
            len += 2;
        } else if (c == quote && byte_at(lexer, len + 1) == quote) {
            len += 2;
        } else if (c == quote) {
            return len + 1;
        } else {
            len++;
        }
    }
}

static struct mysql_token token_quoted(struct mysql_lexer *lexer, enum mysql_token_kind kind,
                                       size_t ahead)
{
    size_t len = quoted_bytes(lexer, ahead);
    return len > 0 ? token_of(lexer, kind, len)
                   : token_of(lexer, MYSQL_TOKEN_BAD, lexer->sql.len - lexer->at);
}

static size_t digits_at(const struct mysql_lexer *lexer, size_t from)
{
    size_t len = 0;
    while (lexer_is_digit(byte_at(lexer, from + len))) {
        len++;
    }
    return len;
}

/* 0x1F, and 0b01 likewise: only where what follows is all of it, else it is a name. */
static size_t radix_bytes(const struct mysql_lexer *lexer, int base)
{
    size_t len = 2;
    while (lexer_hex_digit(byte_at(lexer, len)) >= 0 &&
           lexer_hex_digit(byte_at(lexer, len)) < base) {
        len++;
    }
    return len > 2 && !lexer_is_name_byte(byte_at(lexer, len)) ? len : 0;
}

static struct mysql_token token_number(struct mysql_lexer *lexer)
{
    size_t hex = byte_at(lexer, 0) == '0' && byte_at(lexer, 1) == 'x' ? radix_bytes(lexer, 16) : 0;
    size_t bits = byte_at(lexer, 0) == '0' && byte_at(lexer, 1) == 'b' ? radix_bytes(lexer, 2) : 0;
    if (hex + bits > 0) {
        return token_of(lexer, hex > 0 ? MYSQL_TOKEN_HEX : MYSQL_TOKEN_BIT, hex + bits);
    }
    size_t len = digits_at(lexer, 0);
    enum mysql_token_kind kind = MYSQL_TOKEN_INTEGER;
    if (byte_at(lexer, len) == '.') {
        kind = MYSQL_TOKEN_DECIMAL;
        len += 1 + digits_at(lexer, len + 1);
    }
    if ((byte_at(lexer, len) | 0x20) == 'e') {
        char sign = byte_at(lexer, len + 1);
        size_t skip = sign == '+' || sign == '-' ? 2 : 1;
        size_t exponent = digits_at(lexer, len + skip);
        if (exponent > 0) {
            return token_of(lexer, MYSQL_TOKEN_REAL, len + skip + exponent);
        }
    }
    /* 1abc is a name, as in `SELECT 1abc FROM ...`. */
    if (kind == MYSQL_TOKEN_INTEGER && lexer_is_name_byte(byte_at(lexer, len))) {
        while (lexer_is_name_byte(byte_at(lexer, len))) {
            len++;
        }
        kind = MYSQL_TOKEN_NAME;
    }
    return token_of(lexer, kind, len);
}

static struct mysql_token token_name(struct mysql_lexer *lexer)
{
    char c = (char)(byte_at(lexer, 0) | 0x20);
    char next = byte_at(lexer, 1);
    if (next == '\'' && (c == 'x' || c == 'b')) {
        return token_quoted(lexer, c == 'x' ? MYSQL_TOKEN_HEX : MYSQL_TOKEN_BIT, 1);
    }
    if (next == '\'' && c == 'n') {
        lexer->at++;
        return token_quoted(lexer, MYSQL_TOKEN_STRING, 0);
    }
    size_t len = 1;
    while (lexer->at + len < lexer->sql.len && lexer_is_name_byte(byte_at(lexer, len))) {
        len++;
    }
    return token_of(lexer, MYSQL_TOKEN_NAME, len);
}

static struct mysql_token token_variable(struct mysql_lexer *lexer)
{
    char next = byte_at(lexer, 1);
    if (next == '@') {
        return token_of(lexer, MYSQL_TOKEN_SYSTEM, 2);
    }
    if (next == '`' || next == '\'' || next == '"') {
        return token_quoted(lexer, MYSQL_TOKEN_VARIABLE, 1);
    }
    size_t len = 1;
    while (lexer_is_name_byte(byte_at(lexer, len)) || byte_at(lexer, len) == '.') {
        len++;
    }
    return token_of(lexer, MYSQL_TOKEN_VARIABLE, len);
}

static struct mysql_token token_operator(struct mysql_lexer *lexer)
{
    static const char *const operators[] = {
        "<=>", "->>", "<=", ">=", "<>", "!=", "<<", ">>", "||", "&&", ":=", "->"};
    struct span rest = span_skip(lexer->sql, lexer->at);
    for (size_t i = 0; i < ARRAY_COUNT(operators); i++) {
        if (span_starts_with(rest, span_from_cstr(operators[i]))) {
            return token_of(lexer, MYSQL_TOKEN_OPERATOR, strlen(operators[i]));
        }
    }
    bool known = rest.ptr[0] != '\0' && strchr("+-*/%=<>!~^&|(),.;:{}", rest.ptr[0]) != NULL;
    return token_of(lexer, known ? MYSQL_TOKEN_OPERATOR : MYSQL_TOKEN_BAD, 1);
}

struct mysql_token mysql_lexer_next(struct mysql_lexer *lexer)
{
    while (skip_one(lexer)) {
    }
    char c = byte_at(lexer, 0);
    if (lexer_ended(lexer)) {
        return token_of(lexer, MYSQL_TOKEN_END, 0);
    }
    if (lexer_is_digit(c) || (c == '.' && lexer_is_digit(byte_at(lexer, 1)))) {
        return token_number(lexer);
    }
    if (lexer_is_name_byte(c)) {
        return token_name(lexer);
    }
    if (c == '\'' || c == '"') {
        return token_quoted(lexer, MYSQL_TOKEN_STRING, 0);
    }
    if (c == '`') {
        return token_quoted(lexer, MYSQL_TOKEN_QUOTED, 0);
    }
    if (c == '?') {
        return token_of(lexer, MYSQL_TOKEN_PARAM, 1);
    }
    return c == '@' ? token_variable(lexer) : token_operator(lexer);
}

/* \% and \_ keep their backslash: they mean something to LIKE. */
static size_t unescape(char c, char *out)
{
    static const char from[] = "0bnrtZ";
    static const char to[] = "\0\b\n\r\t\x1a";
    const char *known = c != '\0' ? strchr(from, c) : NULL;
    if (c == '%' || c == '_') {
        out[0] = '\\';
        out[1] = c;
        return 2;
    }
    out[0] = known != NULL ? to[known - from] : c;
    return 1;
}

static struct span quoted_text(struct arena *arena, struct span text)
{
    char quote = text.ptr[0];
    char *out = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t i = 1; out != NULL && i + 1 < text.len; i++) {
        if (text.ptr[i] == '\\' && quote != '`') {
            i++;
            len += unescape(text.ptr[i], out + len);
        } else {
            i += text.ptr[i] == quote ? 1 : 0;
            out[len++] = text.ptr[i];
        }
    }
    return (struct span){out, len};
}

/* Digits of base 16 or 2 as bytes, from the right, so that an odd one in front is a byte too. */
static struct span radix_text(struct arena *arena, struct span digits, size_t bits)
{
    size_t per_byte = 8 / bits;
    size_t len = (digits.len + per_byte - 1) / per_byte;
    char *out = arena_alloc(arena, len + 1);
    for (size_t i = 0; out != NULL && i < digits.len; i++) {
        size_t from_end = digits.len - 1 - i;
        int digit = lexer_hex_digit(digits.ptr[i]);
        out[len - 1 - from_end / per_byte] |=
            (char)((digit < 0 ? 0 : digit) << (bits * (from_end % per_byte)));
    }
    return (struct span){out, len};
}

struct span mysql_token_bytes(struct arena *arena, const struct mysql_token *token)
{
    struct span text = token->text;
    if (token->kind == MYSQL_TOKEN_STRING || token->kind == MYSQL_TOKEN_QUOTED) {
        return quoted_text(arena, text);
    }
    bool quoted = text.ptr[1] == '\'';
    struct span digits = span_first(span_skip(text, 2), text.len - (quoted ? 3 : 2));
    return radix_text(arena, digits, token->kind == MYSQL_TOKEN_HEX ? 4 : 1);
}

struct span mysql_text_shown(struct arena *arena, struct span text)
{
    struct mysql_lexer lexer;
    bool plain = memchr(text.ptr, '/', text.len) == NULL;
    char *out = plain ? NULL : arena_alloc(arena, text.len + 1);
    size_t len = 0;
    if (out == NULL) {
        return plain ? text : (struct span){NULL, 0};
    }
    mysql_lexer_init(&lexer, text);
    lexer.in_version_comment = true; /* the text may begin in one */
    while (!lexer_ended(&lexer)) {
        size_t from = lexer.at;
        bool was_in = lexer.in_version_comment;
        bool version =
            byte_at(&lexer, 0) == '/' && byte_at(&lexer, 1) == '*' && byte_at(&lexer, 2) == '!';
        bool skipped = skip_one(&lexer);
        if (!skipped) {
            (void)mysql_lexer_next(&lexer);
        }
        if (skipped && (version || was_in != lexer.in_version_comment)) {
            continue;
        }
        memcpy(out + len, text.ptr + from, lexer.at - from);
        len += lexer.at - from;
    }
    return (struct span){out, len};
}
