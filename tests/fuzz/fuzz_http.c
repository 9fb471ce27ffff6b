/* The HTTP request parser. The first two bytes say where the rest is cut in two: however a request
 * arrives, and whether its body is taken whole or in pieces, the outcome must be the same, and what
 * is accepted must keep its promises (spans inside the buffer, limits, a path). */
#include "http_parse.h"

#include <stdlib.h>
#include <string.h>

enum { body_max = 2048, input_max = 8 * 1024, in_max = 64 * 1024, cut_bytes = 2 };

struct parsed_request {
    struct http_parser parser;
    struct buf in;
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_request request;
    enum http_parsed outcome;
    bool in_pieces;
    struct buf pieces;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void feed(struct parsed_request *p, struct span bytes)
{
    buf_append_span(&p->in, bytes);
    p->outcome = http_parser_feed(&p->parser, &p->in);
    while (p->outcome == HTTP_PARSE_HEAD || p->outcome == HTTP_PARSE_PIECE) {
        if (p->outcome == HTTP_PARSE_HEAD) {
            PP_ASSERT(http_parser_plan_body(&p->parser, body_max, p->in_pieces));
        } else {
            struct span piece = http_parser_body(&p->parser, &p->in);
            PP_ASSERT(p->in_pieces && piece.len > 0);
            buf_append_span(&p->pieces, piece);
            http_parser_drop_piece(&p->parser, &p->in);
        }
        p->outcome = http_parser_feed(&p->parser, &p->in);
    }
}

static struct parsed_request *parse(struct span bytes, size_t cut, bool in_pieces)
{
    struct parsed_request *p = calloc(1, sizeof(*p));
    PP_ASSERT(p != NULL);
    p->in_pieces = in_pieces;
    buf_init(&p->in, in_max);
    buf_init(&p->pieces, body_max);
    http_parser_reset(&p->parser, body_max);
    feed(p, span_first(bytes, cut));
    if (p->outcome == HTTP_PARSE_MORE) {
        feed(p, span_skip(bytes, cut));
    } else if (p->outcome == HTTP_PARSE_DONE) {
        buf_append_span(&p->in, span_skip(bytes, cut));
    }
    http_parser_request(&p->parser, &p->in, p->headers, &p->request);
    return p;
}

static void parsed_free(struct parsed_request *p)
{
    buf_release(&p->in);
    buf_release(&p->pieces);
    free(p);
}

static void must_lie_in_buffer(const struct parsed_request *p, struct span s)
{
    PP_ASSERT(s.len == 0 || (s.ptr >= p->in.ptr && s.ptr + s.len <= p->in.ptr + p->in.len) ||
              span_equal_cstr(s, "/"));
}

static void must_be_sound(const struct parsed_request *p)
{
    const struct http_request *request = &p->request;
    PP_ASSERT(p->parser.position <= p->in.len);
    PP_ASSERT(request->body.len <= body_max);
    PP_ASSERT(request->header_count <= HTTP_HEADERS_MAX);
    must_lie_in_buffer(p, request->target);
    must_lie_in_buffer(p, request->body);
    for (size_t i = 0; i < request->header_count; i++) {
        must_lie_in_buffer(p, request->headers[i].name);
        must_lie_in_buffer(p, request->headers[i].value);
    }
    if (p->outcome != HTTP_PARSE_DONE) {
        PP_ASSERT(p->outcome != HTTP_PARSE_BAD || p->parser.reason != NULL);
        return;
    }
    PP_ASSERT(request->path.len > 0 &&
              (request->path.ptr[0] == '/' || request->path.ptr[0] == '*'));
    PP_ASSERT(request->target.len <= HTTP_TARGET_BYTES_MAX);
    PP_ASSERT(span_find_byte(request->host, '\r') == request->host.len);
}

static void must_be_the_same(const struct parsed_request *a, const struct parsed_request *b)
{
    PP_ASSERT(a->outcome == b->outcome);
    if (a->outcome != HTTP_PARSE_DONE) {
        return;
    }
    PP_ASSERT(a->request.method == b->request.method);
    PP_ASSERT(span_equal(a->request.target, b->request.target));
    PP_ASSERT(span_equal(a->request.host, b->request.host));
    PP_ASSERT(span_equal(a->request.body, b->in_pieces ? buf_span(&b->pieces) : b->request.body));
    PP_ASSERT(a->parser.body_len == b->parser.body_len);
    PP_ASSERT(a->request.header_count == b->request.header_count);
    PP_ASSERT(a->parser.keep_alive == b->parser.keep_alive);
    /* What follows is the next request in both. */
    PP_ASSERT(span_equal(span_skip(buf_span(&a->in), a->parser.position),
                         span_skip(buf_span(&b->in), b->parser.position)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < cut_bytes || size > input_max) {
        return 0;
    }
    struct span bytes = span_from((const char *)data + cut_bytes, size - cut_bytes);
    size_t cut = ((size_t)data[0] << 8 | data[1]) % (bytes.len + 1);
    struct parsed_request *whole = parse(bytes, bytes.len, false);
    struct parsed_request *in_two = parse(bytes, cut, false);
    struct parsed_request *in_pieces = parse(bytes, cut, true);
    must_be_sound(whole);
    must_be_sound(in_two);
    must_be_sound(in_pieces);
    must_be_the_same(whole, in_two);
    must_be_the_same(whole, in_pieces);
    parsed_free(whole);
    parsed_free(in_two);
    parsed_free(in_pieces);
    return 0;
}
