/* LIKE by the collation, and REGEXP by PCRE2, where MySQL has ICU. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "mysql_sql.h"

#include <pcre2.h>

#include <string.h>

enum {
    like_steps_max = 1000000,
    regexp_steps_max = 1000000,
    regexp_bytes_max = 16384,
    syntax_error = 3696,
    timed_out = 3699
};

/* One character of a pattern: an escaped one is itself, whatever it is. */
struct like_part {
    bool any_one;
    bool any_many;
    uint32_t weight;
    struct span bytes;
};

struct like {
    bool binary;
    char escape;
    bool has_escape;
    long steps;
};

static size_t character_bytes(struct span text)
{
    size_t len = 1;
    while (len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len++;
    }
    return len;
}

static struct like_part like_take(const struct like *like, struct span *pattern)
{
    struct like_part part = {0};
    bool escaped = like->has_escape && pattern->ptr[0] == like->escape && pattern->len > 1;
    if (escaped) {
        *pattern = span_skip(*pattern, 1);
    }
    part.any_one = !escaped && pattern->ptr[0] == '_';
    part.any_many = !escaped && pattern->ptr[0] == '%';
    part.bytes = span_first(*pattern, character_bytes(*pattern));
    struct span one = part.bytes;
    part.weight = mysql_take_weight(&one);
    *pattern = span_skip(*pattern, part.bytes.len);
    return part;
}

static bool part_matches(const struct like *like, const struct like_part *part, struct span one)
{
    return part->any_one ||
           (like->binary ? span_equal(part->bytes, one) : mysql_take_weight(&one) == part->weight);
}

/* Walks both; where the text ends its part, goes back to the last % and gives it one character
 * more. */
static bool like_matches(struct like *like, struct span text, struct span pattern)
{
    struct span back_text = SPAN_EMPTY;
    struct span back_pattern = SPAN_EMPTY;
    bool may_go_back = false;
    while (text.len > 0 || pattern.len > 0) {
        if (--like->steps < 0) {
            return false;
        }
        if (pattern.len > 0) {
            struct span rest = pattern;
            struct like_part part = like_take(like, &rest);
            if (part.any_many) {
                may_go_back = true;
                back_text = text;
                back_pattern = rest;
                pattern = rest;
                continue;
            }
            struct span one = span_first(text, text.len > 0 ? character_bytes(text) : 0);
            if (one.len > 0 && part_matches(like, &part, one)) {
                text = span_skip(text, one.len);
                pattern = rest;
                continue;
            }
        }
        if (!may_go_back || back_text.len == 0) {
            return false;
        }
        back_text = span_skip(back_text, character_bytes(back_text));
        text = back_text;
        pattern = back_pattern;
    }
    return true;
}

static void pattern_like(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct like like = {.binary = sqlite3_value_int(values[0]) != 0,
                        .escape = '\\',
                        .has_escape = true,
                        .steps = like_steps_max};
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (count > 3) {
        struct span escape = mysql_sql_text(values[3]);
        like.has_escape = escape.len > 0;
        like.escape = like.has_escape ? escape.ptr[0] : '\0';
    }
    bool yes = like_matches(&like, mysql_sql_text(values[1]), mysql_sql_text(values[2]));
    if (like.steps < 0) {
        mysql_sql_fail(context, timed_out, "Timeout exceeded in regular expression match.");
    } else {
        sqlite3_result_int(context, yes ? 1 : 0);
    }
}

static void regexp_free(void *code)
{
    pcre2_code_free(code);
}

/* Compiled once a statement where the pattern is a constant. */
static pcre2_code *regexp_of(sqlite3_context *context, sqlite3_value *value, uint32_t flags)
{
    pcre2_code *code = sqlite3_get_auxdata(context, 2);
    struct span pattern = mysql_sql_text(value);
    int error = 0;
    size_t at = 0;
    if (code != NULL) {
        return code;
    }
    if (pattern.len > regexp_bytes_max) {
        mysql_sql_fail(context, syntax_error, "The regular expression is too long.");
        return NULL;
    }
    code =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, flags | PCRE2_UTF, &error, &at, NULL);
    if (code == NULL) {
        mysql_sql_fail(context, syntax_error,
                       "Syntax error in regular expression on line 1, character %zu.", at);
        return NULL;
    }
    sqlite3_set_auxdata(context, 2, code, regexp_free);
    return sqlite3_get_auxdata(context, 2);
}

static void give_matched(sqlite3_context *context, const pcre2_code *code, struct span text)
{
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    if (data == NULL || limits == NULL) {
        sqlite3_result_error_nomem(context);
    } else {
        pcre2_set_match_limit(limits, regexp_steps_max);
        pcre2_set_depth_limit(limits, regexp_steps_max);
        int found = pcre2_match(code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, data, limits);
        if (found == PCRE2_ERROR_MATCHLIMIT || found == PCRE2_ERROR_DEPTHLIMIT ||
            found == PCRE2_ERROR_HEAPLIMIT) {
            mysql_sql_fail(context, timed_out, "Timeout exceeded in regular expression match.");
        } else {
            sqlite3_result_int(context, found >= 0 ? 1 : 0);
        }
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
}

static void pattern_regexp(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    uint32_t flags = sqlite3_value_int(values[0]) != 0 ? 0 : PCRE2_CASELESS;
    const pcre2_code *code = regexp_of(context, values[2], flags);
    if (code != NULL) {
        give_matched(context, code, mysql_sql_text(values[1]));
    }
}

/* REGEXP_LIKE(text, pattern, flags): the flags come first here, as a number. */
static void pattern_regexp_like(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint32_t flags = PCRE2_CASELESS;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span words = count > 2 ? mysql_sql_text(values[2]) : SPAN_EMPTY;
    for (size_t i = 0; i < words.len; i++) {
        switch (words.ptr[i]) {
        case 'c':
            flags &= ~(uint32_t)PCRE2_CASELESS;
            break;
        case 'i':
            flags |= PCRE2_CASELESS;
            break;
        case 'm':
            flags |= PCRE2_MULTILINE;
            break;
        case 'n':
            flags |= PCRE2_DOTALL;
            break;
        default:
            mysql_sql_fail(context, 1210, "Incorrect arguments to regexp_like");
            return;
        }
    }
    int error = 0;
    size_t at = 0;
    struct span pattern = mysql_sql_text(values[1]);
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, flags | PCRE2_UTF, &error, &at, NULL);
    if (code == NULL) {
        mysql_sql_fail(context, syntax_error,
                       "Syntax error in regular expression on line 1, character %zu.", at);
        return;
    }
    give_matched(context, code, mysql_sql_text(values[0]));
    pcre2_code_free(code);
}

const struct mysql_sql_function mysql_sql_patterns[] = {
    {"my_like", -1, pattern_like},
    {"my_regexp", 3, pattern_regexp},
    {"my_regexp_like", -1, pattern_regexp_like},
};
const size_t mysql_sql_patterns_count = ARRAY_COUNT(mysql_sql_patterns);
