#include "java_regex.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct java_regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *limits;
    size_t steps;
};

void java_regex_free(struct java_regex *regex)
{
    if (regex == NULL) {
        return;
    }
    pcre2_code_free(regex->code);
    pcre2_match_data_free(regex->match);
    pcre2_match_context_free(regex->limits);
    free(regex);
}

enum status java_regex_new(struct span source, struct java_regex **out,
                           struct java_regex_flaw *flaw)
{
    if (source.len > JAVA_REGEX_BYTES_MAX) {
        return STATUS_LIMIT;
    }
    struct java_regex *regex = calloc(1, sizeof(*regex));
    if (regex == NULL) {
        return STATUS_NO_MEMORY;
    }
    /* Java's Matcher.matches(): the whole name, from its first to its last character. */
    regex->code = pcre2_compile((PCRE2_SPTR)source.ptr, source.len,
                                PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_UTF, &flaw->code,
                                &flaw->position, NULL);
    if (regex->code == NULL && flaw->code == PCRE2_ERROR_HEAP_FAILED) {
        java_regex_free(regex);
        return STATUS_NO_MEMORY;
    }
    if (regex->code == NULL) {
        pcre2_get_error_message(flaw->code, (PCRE2_UCHAR *)flaw->words, sizeof(flaw->words));
        java_regex_free(regex);
        return STATUS_INVALID;
    }
    regex->match = pcre2_match_data_create(1, NULL);
    regex->limits = pcre2_match_context_create(NULL);
    if (regex->match == NULL || regex->limits == NULL) {
        java_regex_free(regex);
        return STATUS_NO_MEMORY;
    }
    *out = regex;
    return STATUS_OK;
}

size_t java_regex_bytes(const struct java_regex *regex)
{
    size_t bytes = 0;
    (void)pcre2_pattern_info(regex->code, PCRE2_INFO_SIZE, &bytes);
    return sizeof(*regex) + bytes;
}

static int match_within(struct java_regex *regex, struct span text, uint32_t steps)
{
    pcre2_set_match_limit(regex->limits, steps);
    pcre2_set_depth_limit(regex->limits, steps);
    return pcre2_match(regex->code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, regex->match,
                       regex->limits);
}

enum java_regex_outcome java_regex_match(struct java_regex *regex, struct span text)
{
    int result = match_within(regex, text, JAVA_REGEX_QUICK_STEPS);
    regex->steps = 0;
    if (result < PCRE2_ERROR_PARTIAL) {
        regex->steps = JAVA_REGEX_SOME_STEPS;
        result = match_within(regex, text, JAVA_REGEX_SOME_STEPS);
    }
    if (result < PCRE2_ERROR_PARTIAL) {
        regex->steps = JAVA_REGEX_STEPS_MAX;
        result = match_within(regex, text, JAVA_REGEX_STEPS_MAX);
    }
    if (result < PCRE2_ERROR_PARTIAL) {
        return JAVA_REGEX_OVERRUN;
    }
    return result >= 0 ? JAVA_REGEX_YES : JAVA_REGEX_NO;
}

size_t java_regex_steps(const struct java_regex *regex)
{
    return regex->steps;
}

/* --- in Java's words --- */

void java_regex_flaw_describe(const struct java_regex_flaw *flaw, struct span source,
                              struct buf *out)
{
    size_t at = flaw->position;
    switch (flaw->code) {
    case PCRE2_ERROR_MISSING_CLOSING_PARENTHESIS:
        at = source.len;
        buf_printf(out, "Unclosed group near index %zu", at);
        break;
    case PCRE2_ERROR_MISSING_SQUARE_BRACKET:
        at = source.len - 1;
        buf_printf(out, "Unclosed character class near index %zu", at);
        break;
    case PCRE2_ERROR_QUANTIFIER_INVALID:
        at = at > 0 ? at - 1 : 0; /* PCRE2 stands behind it */
        buf_printf(out, "Dangling meta character '%c' near index %zu", source.ptr[at], at);
        break;
    case PCRE2_ERROR_UNMATCHED_CLOSING_PARENTHESIS:
        at = at > 0 ? at - 1 : 0;
        buf_printf(out, "Unmatched closing ')' near index %zu", at);
        break;
    default:
        buf_printf(out, "%s near index %zu", flaw->words, at);
        break;
    }
    BUF_APPEND_LIT(out, "\n");
    buf_append_span(out, source);
    if (at < source.len) {
        BUF_APPEND_LIT(out, "\n");
        for (size_t i = 0; i < at; i++) {
            BUF_APPEND_LIT(out, " ");
        }
        BUF_APPEND_LIT(out, "^");
    }
}
