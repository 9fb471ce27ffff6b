/* Matching is segment by segment: a literal must be equal as sent (real proxies compare the encoded
 * path), a capture takes any one non-empty segment and decodes it. A HEAD request is served by the
 * GET route of its path, as in JAX-RS, unless a HEAD route stands before that in the table.
 *
 * DIFFERS: JAX-RS takes matrix parameters (`;a=b`) off a segment first; here they are part of it.
 */
#include "route.h"

#include "query.h"

enum { route_methods_max = 8 };

static const char *const method_names[] = {
    [METHOD_OTHER] = "",          [METHOD_GET] = "GET",     [METHOD_HEAD] = "HEAD",
    [METHOD_POST] = "POST",       [METHOD_PUT] = "PUT",     [METHOD_DELETE] = "DELETE",
    [METHOD_OPTIONS] = "OPTIONS", [METHOD_PATCH] = "PATCH",
};

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
        switch (query_decode(arena, match->captures[i], false, &match->captures[i])) {
        case QUERY_DECODED:
            break;
        case QUERY_BAD_ESCAPE:
            return ROUTE_BAD_ESCAPE;
        case QUERY_NO_MEMORY:
            return ROUTE_NO_MEMORY;
        }
    }
    return ROUTE_FOUND;
}

/* "GET,POST" from the methods seen, each once, in the order of the table. */
static enum route_outcome allow_build(struct arena *arena, const enum http_method *methods,
                                      size_t count, const char **allow)
{
    const char *list = "";
    PP_ASSERT(count > 0);
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
    PP_ASSERT(*count < route_methods_max); /* there are no more methods */
    methods[(*count)++] = method;
}

static bool method_serves(enum http_method offered, enum http_method asked)
{
    return offered == asked || (asked == METHOD_HEAD && offered == METHOD_GET);
}

static const struct route *route_at(const struct route_table *table, size_t index)
{
    return (const struct route *)(const void *)((const char *)table->first +
                                                index * table->row_bytes);
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
        const struct route *candidate = route_at(table, i);
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
