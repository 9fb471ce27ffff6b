/* Matching is segment by segment: a literal must be equal as sent (real proxies compare the encoded
 * path), a capture takes any one non-empty segment and decodes it. A HEAD request is served by the
 * GET route of its path, as in JAX-RS, unless a HEAD route stands before that in the table.
 *
 * DIFFERS: JAX-RS takes matrix parameters (`;a=b`) off a segment first; here they are part of it.
 */
#include "route.h"

enum { route_methods_max = 8 };

static const char *const method_names[] = {
    [METHOD_OTHER] = "",          [METHOD_GET] = "GET",     [METHOD_HEAD] = "HEAD",
    [METHOD_POST] = "POST",       [METHOD_PUT] = "PUT",     [METHOD_DELETE] = "DELETE",
    [METHOD_OPTIONS] = "OPTIONS", [METHOD_PATCH] = "PATCH",
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static enum route_outcome segment_decode(struct arena *arena, struct span raw, struct span *out)
{
    if (span_find_byte(raw, '%') == raw.len) {
        *out = raw;
        return ROUTE_FOUND;
    }
    char *text = arena_alloc(arena, raw.len);
    if (text == NULL) {
        return ROUTE_NO_MEMORY;
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] != '%') {
            text[len++] = raw.ptr[i];
            continue;
        }
        int high = i + 2 < raw.len ? hex_digit(raw.ptr[i + 1]) : -1;
        int low = i + 2 < raw.len ? hex_digit(raw.ptr[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            return ROUTE_BAD_ESCAPE; /* an encoded NUL too: names end at it in too many places */
        }
        text[len++] = (char)(high * 16 + low);
        i += 2;
    }
    *out = span_from(text, len);
    return ROUTE_FOUND;
}

/* Cuts "/segment" off the front; false when the path is used up. */
static bool next_segment(struct span *path, struct span *segment)
{
    if (path->len == 0 || path->ptr[0] != '/') {
        return false;
    }
    struct span rest = span_skip(*path, 1);
    size_t end = span_find_byte(rest, '/');
    *segment = span_first(rest, end);
    *path = span_skip(rest, end);
    return true;
}

/* Does the path fit the pattern? Captures are given raw. */
static bool pattern_fits(const char *pattern_text, struct span path, struct route_match *match)
{
    struct span pattern = span_from_cstr(pattern_text);
    struct span want;
    struct span have;
    match->capture_count = 0;
    while (next_segment(&pattern, &want)) {
        if (!next_segment(&path, &have)) {
            return false;
        }
        if (want.len == 0 || want.ptr[0] != '{') {
            if (!span_equal(want, have)) {
                return false;
            }
        } else {
            PP_ASSERT(match->capture_count < ROUTE_CAPTURES_MAX);
            if (have.len == 0) {
                return false;
            }
            match->captures[match->capture_count++] = have;
        }
    }
    return path.len == 0;
}

static enum route_outcome captures_decode(struct arena *arena, struct route_match *match)
{
    for (size_t i = 0; i < match->capture_count; i++) {
        enum route_outcome outcome = segment_decode(arena, match->captures[i], &match->captures[i]);
        if (outcome != ROUTE_FOUND) {
            return outcome;
        }
    }
    return ROUTE_FOUND;
}

/* "GET,POST" from the methods seen, each once, in the order of the table. */
static enum route_outcome allow_build(struct arena *arena, const enum http_method *methods,
                                      size_t count, const char **allow)
{
    const char *list = "";
    for (size_t i = 0; i < count; i++) {
        list = i == 0 ? method_names[methods[i]]
                      : arena_printf(arena, "%s,%s", list, method_names[methods[i]]);
        if (list == NULL) {
            return ROUTE_NO_MEMORY;
        }
    }
    *allow = list;
    return ROUTE_WRONG_METHOD;
}

static void method_note(enum http_method *methods, size_t *count, enum http_method method)
{
    for (size_t i = 0; i < *count; i++) {
        if (methods[i] == method) {
            return;
        }
    }
    if (*count < route_methods_max) {
        methods[(*count)++] = method;
    }
}

static bool method_serves(enum http_method offered, enum http_method asked)
{
    return offered == asked || (asked == METHOD_HEAD && offered == METHOD_GET);
}

enum route_outcome route_find(const struct route_table *table, struct exchange *exchange,
                              const struct route **route, struct route_match *match,
                              const char **allow)
{
    struct span path = exchange->request.path;
    if (path.len > 1 && path.ptr[path.len - 1] == '/') {
        path.len--;
    }
    enum http_method methods[route_methods_max];
    size_t method_count = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct route *candidate = &table->routes[i];
        if (!pattern_fits(candidate->pattern, path, match)) {
            continue;
        }
        if (method_serves(candidate->method, exchange->request.method)) {
            *route = candidate;
            return captures_decode(&exchange->arena, match);
        }
        method_note(methods, &method_count, candidate->method);
    }
    if (method_count == 0) {
        return ROUTE_UNKNOWN_PATH;
    }
    return allow_build(&exchange->arena, methods, method_count, allow);
}
