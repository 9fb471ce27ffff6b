/* Reading an answer of http_client. */
#include "http_client.h"

void http_response_init(struct http_response *response, size_t body_bytes_max)
{
    *response = (struct http_response){.failure = HTTP_FAILURE_NONE};
    buf_init(&response->headers, HTTP_CLIENT_HEADER_BYTES_MAX);
    buf_init(&response->body, body_bytes_max);
}

void http_response_release(struct http_response *response)
{
    buf_release(&response->headers);
    buf_release(&response->body);
}

struct span http_response_header(const struct http_response *response, const char *name)
{
    struct span wanted = span_from_cstr(name);
    struct span rest = buf_span(&response->headers);
    struct span line;
    while (span_next_part(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        if (colon < line.len && span_equal_nocase(span_first(line, colon), wanted)) {
            return span_trim(span_skip(line, colon + 1));
        }
    }
    return SPAN_EMPTY;
}
