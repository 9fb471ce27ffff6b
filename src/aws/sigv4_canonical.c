/* The canonical request: what client and server must agree on to the byte.
 *
 *   METHOD \n path \n query \n name:value\n... \n signed names \n payload hash
 *
 * Everything is taken from the wire, decoded and encoded again, so that two spellings of one
 * request give one text; only the path keeps its spelling where the style says so. */
#include "sigv4_internal.h"

#include "hex.h"
#include "url.h"

#include <stdlib.h>

/* --- what stands on the wire --- */

unsigned char sigv4_decode_next(struct span *rest, bool plus_is_space)
{
    char c = rest->ptr[0];
    if (c == '%' && rest->len >= 3) {
        int high = hex_value(rest->ptr[1]);
        int low = hex_value(rest->ptr[2]);
        if (high >= 0 && low >= 0) {
            *rest = span_skip(*rest, 3);
            return (unsigned char)(high << 4 | low);
        }
    }
    *rest = span_skip(*rest, 1);
    return (unsigned char)(c == '+' && plus_is_space ? ' ' : c);
}

struct span sigv4_header_value(const struct sigv4_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (span_equal_nocase(request->headers[i].name, span_from_cstr(name))) {
            return span_trim(request->headers[i].value);
        }
    }
    return SPAN_EMPTY;
}

size_t sigv4_header_count(const struct sigv4_request *request, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        count += span_equal_nocase(request->headers[i].name, span_from_cstr(name));
    }
    return count;
}

bool sigv4_is_amz_header(struct span name)
{
    struct span prefix = SPAN_LIT("x-amz-");
    return span_equal_nocase(span_first(name, prefix.len), prefix);
}

void sigv4_lower_append(struct span text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        buf_append_byte(out, (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c));
    }
}

int sigv4_span_order(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

/* --- path --- */

static void recoded_append(struct span text, bool is_path, struct buf *out)
{
    while (text.len > 0) {
        char byte = (char)sigv4_decode_next(&text, !is_path);
        url_encode(span_from(&byte, 1), is_path, out);
    }
}

/* Empty segments, "." and ".." go; then each byte that is not unreserved is encoded, also the '%'
 * of what was encoded before. No segment holds a slash, so ".." cuts at the last one. */
static void path_double_append(struct span path, struct buf *out)
{
    size_t start = out->len;
    bool slash_behind = span_ends_with(path, SPAN_LIT("/"));
    struct span segment;
    while (span_next_part(&path, '/', &segment)) {
        if (span_equal_cstr(segment, "..")) {
            while (out->len > start && out->ptr[--out->len] != '/') {
            }
        } else if (segment.len > 0 && !span_equal_cstr(segment, ".")) {
            buf_append_byte(out, '/');
            url_encode(segment, false, out);
        }
    }
    if (slash_behind || out->len == start) {
        buf_append_byte(out, '/');
    }
}

static void path_append(const struct sigv4_request *request, struct buf *out)
{
    if (request->path.len == 0) {
        buf_append_byte(out, '/');
        return;
    }
    switch (request->path_style) {
    case SIGV4_PATH_S3:
        recoded_append(request->path, true, out);
        break;
    case SIGV4_PATH_RAW:
        buf_append_span(out, request->path);
        break;
    case SIGV4_PATH_DOUBLE:
        path_double_append(request->path, out);
        break;
    }
}

/* --- query --- */

struct parameter {
    struct span name;
    struct span value;
};

static int parameter_order(const void *a, const void *b)
{
    const struct parameter *left = a;
    const struct parameter *right = b;
    int order = span_compare(left->name, right->name);
    return order != 0 ? order : span_compare(left->value, right->value);
}

static struct span recoded(struct span text, struct buf *out)
{
    size_t start = out->len;
    recoded_append(text, false, out);
    return span_skip(buf_span(out), start);
}

/* Takes the query apart into encoded parameters; their bytes go to `text`, which must have room for
 * all of them, because the spans point there. */
static size_t parameters_read(struct span query, struct span leave_out, struct buf *text,
                              struct parameter *parameters)
{
    size_t count = 0;
    struct span part;
    while (span_next_part(&query, '&', &part)) {
        size_t equals = span_find_byte(part, '=');
        struct parameter parameter = {recoded(span_first(part, equals), text),
                                      recoded(span_skip(part, equals + 1), text)};
        if (part.len > 0 && !(leave_out.len > 0 && span_equal(parameter.name, leave_out))) {
            parameters[count++] = parameter;
        }
    }
    return count;
}

static void query_append(struct span query, struct span leave_out, struct buf *out)
{
    if (query.len == 0) {
        return;
    }
    size_t count_max = 1;
    for (size_t i = 0; i < query.len; i++) {
        count_max += query.ptr[i] == '&';
    }
    struct parameter *parameters = calloc(count_max, sizeof(*parameters));
    struct buf text;
    buf_init(&text, 3 * query.len + 1);
    if (parameters == NULL || !buf_reserve(&text, 3 * query.len)) {
        buf_no_memory(out);
    } else {
        size_t count = parameters_read(query, leave_out, &text, parameters);
        qsort(parameters, count, sizeof(*parameters), parameter_order);
        for (size_t i = 0; i < count; i++) {
            buf_append_cstr(out, i > 0 ? "&" : "");
            buf_append_span(out, parameters[i].name);
            buf_append_byte(out, '=');
            buf_append_span(out, parameters[i].value);
        }
    }
    buf_release(&text);
    free(parameters);
}

/* --- headers --- */

static bool is_header_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Blanks at the ends of a value are not signed, and a run of them inside is one space. */
static void header_value_append(struct span value, struct buf *out)
{
    value = span_trim(value);
    while (value.len > 0) {
        size_t word = 0;
        while (word < value.len && !is_header_blank(value.ptr[word])) {
            word++;
        }
        buf_append_span(out, span_first(value, word));
        size_t next = word;
        while (next < value.len && is_header_blank(value.ptr[next])) {
            next++;
        }
        buf_append_cstr(out, next > word ? " " : "");
        value = span_skip(value, next);
    }
}

static void canonical_header_append(const struct sigv4_request *request, struct span name,
                                    struct buf *out)
{
    bool first = true;
    buf_append_span(out, name);
    buf_append_byte(out, ':');
    for (size_t i = 0; i < request->header_count; i++) {
        if (span_equal_nocase(request->headers[i].name, name)) {
            buf_append_cstr(out, first ? "" : ",");
            header_value_append(request->headers[i].value, out);
            first = false;
        }
    }
    buf_append_byte(out, '\n');
}

void sigv4_canonical_request(const struct sigv4_request *request, struct span signed_headers,
                             struct span leave_out, struct buf *out)
{
    struct span names = signed_headers;
    struct span name;
    buf_append_span(out, request->method);
    buf_append_byte(out, '\n');
    path_append(request, out);
    buf_append_byte(out, '\n');
    query_append(request->query, leave_out, out);
    buf_append_byte(out, '\n');
    while (span_next_part(&names, ';', &name)) {
        canonical_header_append(request, name, out);
    }
    buf_append_byte(out, '\n');
    buf_append_span(out, signed_headers);
    buf_append_byte(out, '\n');
    buf_append_span(out, request->payload_hash);
}
