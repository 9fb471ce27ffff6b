/* The faults of a text, told in the words that Jackson uses. */
#include "json_scan_internal.h"

#include <stdarg.h>
#include <stdio.h>

enum { token_shown_max = 64 };

bool json_fail(struct json_error *err, size_t position, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    err->position = position;
    vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    return false;
}

/* The character at the cursor as Jackson describes it: "'}' (code 125)". */
void json_describe_char(const struct json_cursor *c, char *out, size_t cap)
{
    struct span rest = span_skip(c->text, c->position);
    unsigned char first = (unsigned char)rest.ptr[0];
    if (first < 0x20) {
        snprintf(out, cap, "(CTRL-CHAR, code %u)", first);
    } else if (first < 0x80) {
        snprintf(out, cap, "'%c' (code %u)", first, first);
    } else {
        snprintf(out, cap, "(code %u / 0x%x)", first, first);
    }
}

bool json_fail_char(struct json_cursor *c, struct json_error *err, const char *expected)
{
    char described[48];
    json_describe_char(c, described, sizeof(described));
    if (json_here(c) == '/') {
        expected = "maybe a (non-standard) comment? (not recognized as one since Feature "
                   "'ALLOW_COMMENTS' not enabled for parser)";
    }
    return json_fail(err, c->position, "Unexpected character (%s): %s", described, expected);
}

bool json_fail_end(struct json_cursor *c, struct json_error *err, const char *where)
{
    return json_fail(err, c->position, "Unexpected end-of-input%s", where);
}

bool json_fail_token(struct json_cursor *c, struct json_error *err)
{
    struct span rest = span_skip(c->text, c->position);
    size_t len = 0;
    while (len < rest.len && len < token_shown_max && json_is_name_byte(rest.ptr[len])) {
        len++;
    }
    struct span token = span_first(rest, len);
    if (span_equal_cstr(token, "NaN") || span_equal_cstr(token, "Infinity")) {
        return json_fail(err, c->position,
                         "Non-standard token '%.*s': enable "
                         "`JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS` to allow",
                         SPAN_ARG(token));
    }
    return json_fail(err, c->position, "Unrecognized token '%.*s': was expecting " JSON_VALUE_LIST,
                     SPAN_ARG(token));
}
