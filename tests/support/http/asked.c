#include "asked.h"

static enum http_method asked_method(struct span name)
{
    static const struct {
        const char *name;
        enum http_method method;
    } methods[] = {
        {"GET", METHOD_GET},     {"HEAD", METHOD_HEAD},     {"POST", METHOD_POST},
        {"PUT", METHOD_PUT},     {"DELETE", METHOD_DELETE}, {"OPTIONS", METHOD_OPTIONS},
        {"PATCH", METHOD_PATCH},
    };
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        if (span_equal_cstr(name, methods[i].name)) {
            return methods[i].method;
        }
    }
    return METHOD_OTHER;
}

void asked_target(struct http_request *request, struct span method, struct span target)
{
    size_t question = span_find_byte(target, '?');
    request->method = asked_method(method);
    request->method_name = method;
    request->target = target;
    request->path = span_first(target, question);
    request->query = span_skip(target, question + 1);
}

struct span asked_reply_header(const struct exchange *exchange, const char *name)
{
    struct span rest = buf_span(&exchange->reply.headers);
    struct span line;
    while (span_next_part(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        if (span_equal_nocase(span_first(line, colon), span_from_cstr(name))) {
            return span_trim(span_skip(line, colon + 1));
        }
    }
    return SPAN_EMPTY;
}
