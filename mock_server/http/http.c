#include "http.h"

#include <string.h>

struct status_reason {
    int status;
    const char *reason;
};

/* As Jetty 9.4 words them. */
static const struct status_reason reasons[] = {
    {100, "Continue"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Entity"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
};

static const struct http_header *header_find(const struct http_request *request, const char *name)
{
    struct span wanted = span_from_cstr(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (span_equal_nocase(request->headers[i].name, wanted)) {
            return &request->headers[i];
        }
    }
    return NULL;
}

struct span http_request_header(const struct http_request *request, const char *name)
{
    const struct http_header *header = header_find(request, name);
    return header != NULL ? header->value : SPAN_EMPTY;
}

bool http_request_has_header(const struct http_request *request, const char *name)
{
    return header_find(request, name) != NULL;
}

const char *http_status_reason(int status)
{
    for (size_t i = 0; i < ARRAY_COUNT(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Unknown";
}

uint64_t reply_body_bytes(const struct reply *reply)
{
    return reply->stream_bytes > 0 ? reply->stream_bytes : reply->body.len;
}

void http_header_append(struct buf *out, const char *name, struct span value)
{
    buf_append_cstr(out, name);
    BUF_APPEND_LIT(out, ": ");
    size_t start = out->len;
    buf_append_span(out, value);
    BUF_APPEND_LIT(out, "\r\n");
    if (!buf_ok(out)) {
        return;
    }
    PP_ASSERT(out->len == start + value.len + 2);
    for (size_t i = start; i < start + value.len; i++) {
        unsigned char byte = (unsigned char)out->ptr[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            out->ptr[i] = ' ';
        }
    }
}

void reply_add_header(struct reply *reply, const char *name, struct span value)
{
    http_header_append(&reply->headers, name, value);
}

void reply_add_header_cstr(struct reply *reply, const char *name, const char *value)
{
    http_header_append(&reply->headers, name, span_from_cstr(value));
}
