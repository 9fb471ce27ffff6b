/* The headers of one call as the list libcurl reads: one block of text, one of nodes. */
#include "http_header_list.h"

#include "http_client.h"

#include <stdlib.h>
#include <string.h>

/* A header of libcurl's own making, switched off: "Expect: 100-continue" costs a second on servers
 * that do not answer it, and the form Content-Type would be a lie. */
static const char no_expect[] = "Expect:";
static const char no_content_type[] = "Content-Type:";
enum { own_headers_max = 2 };

void http_header_list_release(struct http_header_list *list)
{
    free(list->nodes);
    free(list->text);
    *list = (struct http_header_list){.count = 0};
}

bool http_header_list_matches(const struct http_header_list *list, const char *const *headers,
                              bool for_body)
{
    if (list->nodes == NULL || list->for_body != for_body) {
        return false;
    }
    size_t i = 0;
    for (; headers != NULL && headers[i] != NULL; i++) {
        if (i >= list->count || strcmp(list->nodes[i].data, headers[i]) != 0) {
            return false;
        }
    }
    return i == list->count;
}

static bool header_is_valid(const char *header)
{
    size_t name_len = strcspn(header, ":;");
    return name_len > 0 && header[name_len] != '\0' && strpbrk(header, "\r\n") == NULL;
}

static bool header_is_named(const char *header, struct span name)
{
    return span_equal_nocase(span_from(header, strcspn(header, ":;")), name);
}

static enum status headers_measure(const char *const *headers, size_t *count, size_t *bytes,
                                   struct error *err)
{
    *count = 0;
    *bytes = 0;
    for (; headers != NULL && headers[*count] != NULL; (*count)++) {
        if (!header_is_valid(headers[*count])) {
            return error_set(err, STATUS_INVALID, "\"%s\" is not a header: write \"Name: value\"",
                             headers[*count]);
        }
        *bytes += strlen(headers[*count]) + 1;
        if (*count >= HTTP_CLIENT_HEADERS_MAX || *bytes > HTTP_CLIENT_HEADER_BYTES_MAX) {
            return error_set(err, STATUS_LIMIT, "more than %d headers or %d bytes of them",
                             HTTP_CLIENT_HEADERS_MAX, HTTP_CLIENT_HEADER_BYTES_MAX);
        }
    }
    return STATUS_OK;
}

/* Copies the text to *end and moves *end behind its NUL. */
static char *text_put(char **end, const char *text)
{
    char *start = *end;
    size_t len = strlen(text) + 1;
    memcpy(start, text, len);
    *end += len;
    return start;
}

enum status http_header_list_build(struct http_header_list *list, const char *const *headers,
                                   bool for_body, struct error *err)
{
    size_t count;
    size_t bytes;
    enum status status = headers_measure(headers, &count, &bytes, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct curl_slist *nodes = calloc(count + own_headers_max, sizeof(*nodes));
    char *text = malloc(bytes + sizeof(no_expect) + sizeof(no_content_type));
    if (nodes == NULL || text == NULL) {
        free(nodes);
        free(text);
        return error_set(err, STATUS_NO_MEMORY, "no memory for %zu headers", count);
    }
    bool has_content_type = false;
    char *end = text;
    for (size_t i = 0; i < count; i++) {
        nodes[i].data = text_put(&end, headers[i]);
        has_content_type =
            has_content_type || header_is_named(headers[i], SPAN_LIT("content-type"));
    }
    size_t used = count;
    nodes[used++].data = text_put(&end, no_expect);
    if (for_body && !has_content_type) {
        nodes[used++].data = text_put(&end, no_content_type);
    }
    for (size_t i = 0; i + 1 < used; i++) {
        nodes[i].next = &nodes[i + 1];
    }
    http_header_list_release(list);
    *list = (struct http_header_list){
        .nodes = nodes, .text = text, .count = count, .for_body = for_body};
    return STATUS_OK;
}
