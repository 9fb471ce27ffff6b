/* The request parser: what is accepted and how it is cut up, what is refused and with which answer,
 * and that neither depends on how the bytes arrive. */
#include "http_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { body_max = 4096, in_max = 256 * 1024 };

struct fixture {
    struct http_parser parser;
    struct buf in;
    struct http_header headers[HTTP_HEADERS_MAX];
    struct http_request request;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    buf_init(&f->in, in_max);
    http_parser_reset(&f->parser, body_max);
    *state = f;
    return f == NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_release(&f->in);
    free(f);
    return 0;
}

static void restart(struct fixture *f)
{
    buf_reset(&f->in);
    http_parser_reset(&f->parser, body_max);
}

/* Feeds the bytes in steps of `step`; stops at the first outcome that is an end. */
static enum http_parsed feed(struct fixture *f, struct span bytes, size_t step)
{
    enum http_parsed parsed = HTTP_PARSE_MORE;
    while (bytes.len > 0 && parsed == HTTP_PARSE_MORE) {
        buf_append_span(&f->in, span_first(bytes, step));
        bytes = span_skip(bytes, step);
        parsed = http_parser_feed(&f->parser, &f->in);
        while (parsed == HTTP_PARSE_HEAD) {
            parsed = http_parser_feed(&f->parser, &f->in);
        }
    }
    if (parsed == HTTP_PARSE_DONE) {
        buf_append_span(&f->in, bytes);
    }
    http_parser_request(&f->parser, &f->in, f->headers, &f->request);
    return parsed;
}

static enum http_parsed feed_text(struct fixture *f, const char *text)
{
    restart(f);
    return feed(f, span_from_cstr(text), SIZE_MAX);
}

#define assert_span(actual, text)                                                                  \
    do {                                                                                           \
        struct span got_ = (actual);                                                               \
        if (!span_equal_cstr(got_, (text))) {                                                      \
            fail_msg("\"%.*s\" is not \"%s\"", SPAN_ARG(got_), (text));                            \
        }                                                                                          \
    } while (0)

static void a_request_is_cut_into_its_parts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_text(f, "POST /topics/u.pin?x=1&y=2 HTTP/1.1\r\nHost: ec2:8082\r\n"
                                  "Content-Type:application/json \r\nX-Empty:\r\n"
                                  "Content-Length: 5\r\n\r\nhello"),
                     HTTP_PARSE_DONE);
    assert_int_equal(f->request.method, METHOD_POST);
    assert_span(f->request.method_name, "POST");
    assert_span(f->request.target, "/topics/u.pin?x=1&y=2");
    assert_span(f->request.path, "/topics/u.pin");
    assert_span(f->request.query, "x=1&y=2");
    assert_span(f->request.host, "ec2:8082");
    assert_span(f->request.body, "hello");
    assert_int_equal(f->request.header_count, 4);
    assert_span(http_request_header(&f->request, "content-type"), "application/json");
    assert_true(http_request_has_header(&f->request, "x-empty"));
    assert_span(http_request_header(&f->request, "x-empty"), "");
    assert_false(http_request_has_header(&f->request, "accept"));
    assert_true(f->parser.keep_alive);
}

static const char *const whole_requests[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /a?b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B:\r\nX-C: a b\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 11\r\n\r\nhello world",
    ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "3\r\nabc\r\n001;ext=1\r\nd\r\n0\r\nTrailer: x\r\n\r\n"),
    "PUT http://h:1/p?q HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nz",
};

static void delivery_byte_by_byte_gives_the_same_request(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(whole_requests); i++) {
        char once[1024];
        struct span bytes = span_from_cstr(whole_requests[i]);
        restart(f);
        assert_int_equal(feed(f, bytes, SIZE_MAX), HTTP_PARSE_DONE);
        snprintf(once, sizeof(once), "%.*s %.*s %.*s [%.*s] %zu", SPAN_ARG(f->request.method_name),
                 SPAN_ARG(f->request.target), SPAN_ARG(f->request.host), SPAN_ARG(f->request.body),
                 f->request.header_count);
        for (size_t step = 1; step < bytes.len; step++) {
            char again[1024];
            restart(f);
            assert_int_equal(feed(f, bytes, step), HTTP_PARSE_DONE);
            snprintf(again, sizeof(again), "%.*s %.*s %.*s [%.*s] %zu",
                     SPAN_ARG(f->request.method_name), SPAN_ARG(f->request.target),
                     SPAN_ARG(f->request.host), SPAN_ARG(f->request.body), f->request.header_count);
            assert_string_equal(once, again);
        }
    }
}

static void a_request_cut_short_asks_for_more(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(whole_requests); i++) {
        struct span bytes = span_from_cstr(whole_requests[i]);
        for (size_t len = 0; len < bytes.len; len++) {
            restart(f);
            assert_int_equal(feed(f, span_first(bytes, len), SIZE_MAX), HTTP_PARSE_MORE);
        }
    }
}

static void a_chunked_body_becomes_one_span_and_the_next_request_is_kept(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_text(f,
                               "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                               "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\nGET /next HTTP/1.1\r\n"),
                     HTTP_PARSE_DONE);
    assert_span(f->request.body, "hello world");
    assert_span(span_skip(buf_span(&f->in), f->parser.position), "GET /next HTTP/1.1\r\n");
}

static void the_second_of_two_pipelined_requests_begins_where_the_first_ended(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_text(f, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"
                                  "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n"),
                     HTTP_PARSE_DONE);
    assert_span(f->request.body, "ab");
    buf_consume(&f->in, f->parser.position);
    http_parser_reset(&f->parser, body_max);
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_DONE);
    http_parser_request(&f->parser, &f->in, f->headers, &f->request);
    assert_span(f->request.path, "/2");
    assert_int_equal(f->parser.position, f->in.len);
}

static void the_head_is_reported_before_the_body(void **state)
{
    struct fixture *f = *state;
    buf_append_cstr(&f->in, "POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"
                            "Content-Length: 2\r\n\r\n");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_HEAD);
    assert_true(f->parser.expects_continue);
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_MORE);
    buf_append_cstr(&f->in, "ok");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_DONE);
}

struct keep_alive_case {
    const char *text;
    bool keep_alive;
};

static void keep_alive_follows_version_and_connection_header(void **state)
{
    static const struct keep_alive_case cases[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive, X\r\n\r\n", true},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(feed_text(f, cases[i].text), HTTP_PARSE_DONE);
        assert_int_equal(f->parser.keep_alive, cases[i].keep_alive);
    }
}

struct target_case {
    const char *line;
    const char *target;
    const char *path;
    const char *host;
};

static void targets_are_reduced_to_path_and_query(void **state)
{
    static const struct target_case cases[] = {
        {"GET /a/b?c=d", "/a/b?c=d", "/a/b", "h"},
        {"GET //a", "//a", "//a", "h"},
        {"GET /?", "/?", "/", "h"},
        {"GET http://other:99/a?b", "/a?b", "/a", "other:99"},
        {"GET HTTPS://other", "/", "/", "other"},
        {"OPTIONS *", "*", "*", "h"},
        {"PROPFIND /a", "/a", "/a", "h"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[256];
        snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].line);
        assert_int_equal(feed_text(f, text), HTTP_PARSE_DONE);
        assert_span(f->request.target, cases[i].target);
        assert_span(f->request.path, cases[i].path);
        assert_span(f->request.host, cases[i].host);
        assert_span(http_request_header(&f->request, "host"), cases[i].host);
    }
    assert_int_equal(f->request.method, METHOD_OTHER);
}

/* Everything that two parsers in a row could read differently, and plain nonsense. */
static const char *const malformed[] = {
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -7\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +7\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x7\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n",
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n"),
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n folded\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\n\tfolded\r\n\r\n",
    "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
    "GET / HTTP/1.1\nHost: a\n\n",
    "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\n",
    "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
    "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX\x01: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET a HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET http://u:p@a/b HTTP/1.1\r\nHost: a\r\n\r\n",
    "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/0.9\r\nHost: a\r\n\r\n",
    "GET / RTSP/1.0\r\nHost: a\r\n\r\n",
    "GET /\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "NONSENSE / HTTP/1.1\r\nHost: a\r\n\r\n",
    "get / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\x16\x03\x01\x02\x01\x01\xfc\x03\x03 TLS on the plain port",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n11111111111111111\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /  HTTP/1.1\r\nHost: a\r\n\r\n",
    " GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: a\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\nY: b\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n b\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\tb\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n X: a\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\rb\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: a\r\n\n",
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX : a\r\n\r\n",
};

static void malformed_requests_are_400_however_they_arrive(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(malformed); i++) {
        size_t steps[] = {SIZE_MAX, 1, 7};
        for (size_t s = 0; s < ARRAY_COUNT(steps); s++) {
            restart(f);
            if (feed(f, span_from_cstr(malformed[i]), steps[s]) != HTTP_PARSE_BAD) {
                fail_msg("accepted in steps of %zu: %s", steps[s], malformed[i]);
            }
            assert_int_equal(f->parser.failure, EXCHANGE_MALFORMED);
            assert_non_null(f->parser.reason);
        }
    }
}

struct host_case {
    const char *host;
    enum http_parsed parsed;
};

/* What RFC 3986 has in a host and a port, and nothing else. */
static void a_host_has_only_what_a_host_may_have(void **state)
{
    static const struct host_case cases[] = {
        {"", HTTP_PARSE_DONE},
        {"a.Example-9.Z:8082", HTTP_PARSE_DONE},
        {"[fe80::1%25eth0]:80", HTTP_PARSE_DONE},
        {"~_!$&'()*+,;=", HTTP_PARSE_DONE},
        {"a/b", HTTP_PARSE_BAD},
        {"a@b", HTTP_PARSE_BAD},
        {"a^b", HTTP_PARSE_BAD},
        {"a`b", HTTP_PARSE_BAD},
        {"a{b", HTTP_PARSE_BAD},
        {"a b", HTTP_PARSE_BAD},
        {"a\"b", HTTP_PARSE_BAD},
        {"a?b", HTTP_PARSE_BAD},
        {"a#b", HTTP_PARSE_BAD},
        {"\xc3\xa9", HTTP_PARSE_BAD},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[128];
        snprintf(text, sizeof(text), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", cases[i].host);
        if (feed_text(f, text) != cases[i].parsed) {
            fail_msg("Host: %s", cases[i].host);
        }
    }
}

struct absolute_case {
    const char *target;
    enum http_parsed parsed;
    const char *shown; /* of the target, in a journal */
};

static void a_url_as_target_never_shows_its_user(void **state)
{
    static const struct absolute_case cases[] = {
        {"http://h/a", HTTP_PARSE_DONE, "/a"},         {"http://u:p@h/a", HTTP_PARSE_BAD, "h/a"},
        {"http://u:p@h?x@y", HTTP_PARSE_BAD, "h?x@y"}, {"http://u:p@h", HTTP_PARSE_BAD, "h"},
        {"ftp://u:p@h/a@b", HTTP_PARSE_BAD, "h/a@b"},  {"ftp://h/a", HTTP_PARSE_BAD, "ftp://h/a"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[128];
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", cases[i].target);
        assert_int_equal(feed_text(f, text), cases[i].parsed);
        assert_span(f->request.target, cases[i].shown);
    }
}

/* Refused by its announcement: nobody waits for 2^63 bytes. */
static void a_chunk_of_any_size_is_too_large_before_it_comes(void **state)
{
    static const char *const sizes[] = {"8000000000000000", "7fffffffffffffff", "ffffffffffffffff",
                                        "80000001"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%s\r\n",
                 sizes[i]);
        restart(f);
        assert_int_equal(feed_text(f, text), HTTP_PARSE_BAD);
        assert_int_equal(f->parser.failure, EXCHANGE_BODY_TOO_LARGE);
    }
}

static void trailers_are_read_and_dropped(void **state)
{
    static const char text[] = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n0\r\nX-Checksum: 1\r\nY:\r\n\r\n";
    struct fixture *f = *state;
    for (size_t step = 1; step < sizeof(text); step++) {
        restart(f);
        enum http_parsed parsed = feed(f, span_from_cstr(text), step);
        assert_int_equal(parsed, HTTP_PARSE_DONE);
        assert_span(f->request.body, "abc");
        assert_int_equal(f->request.header_count, 2);
    }
}

static void a_bad_parser_stays_bad(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_text(f, "GET / HTTP/1.1\r\n\r\n"), HTTP_PARSE_BAD);
    buf_append_cstr(&f->in, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_BAD);
}

static enum http_parsed feed_repeated(struct fixture *f, const char *head, const char *unit,
                                      size_t times)
{
    restart(f);
    struct buf text;
    buf_init(&text, in_max);
    buf_append_cstr(&text, head);
    for (size_t i = 0; i < times; i++) {
        buf_append_cstr(&text, unit);
    }
    assert_true(buf_ok(&text));
    enum http_parsed parsed = feed(f, buf_span(&text), 1000);
    buf_release(&text);
    return parsed;
}

struct limit_case {
    const char *head;
    const char *unit;
    size_t times;
    enum exchange_failure failure;
};

static void each_limit_has_its_own_failure(void **state)
{
    static const struct limit_case cases[] = {
        {"GET /", "a", HTTP_TARGET_BYTES_MAX, EXCHANGE_URI_TOO_LONG},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: ", "b", HTTP_HEAD_BYTES_MAX, EXCHANGE_HEAD_TOO_LARGE},
        {"GET / HTTP/1.1\r\nHost: a\r\n", "X: y\r\n", HTTP_HEADERS_MAX, EXCHANGE_HEAD_TOO_LARGE},
        {"GET / HTTP/1.1\r\nHost: a\r\nX:", " ", HTTP_HEAD_BYTES_MAX, EXCHANGE_HEAD_TOO_LARGE},
        {"", "\r\n", HTTP_HEAD_BYTES_MAX, EXCHANGE_HEAD_TOO_LARGE},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n", "", 0,
         EXCHANGE_BODY_TOO_LARGE},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "2\r\nab\r\n", 2049,
         EXCHANGE_BODY_TOO_LARGE},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;", "x", 20000,
         EXCHANGE_MALFORMED},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "0", 20000,
         EXCHANGE_MALFORMED},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n", 4000,
         EXCHANGE_MALFORMED},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(feed_repeated(f, cases[i].head, cases[i].unit, cases[i].times),
                         HTTP_PARSE_BAD);
        assert_int_equal(f->parser.failure, cases[i].failure);
    }
}

/* As a client sends it whose head comes with one read. */
static void a_head_that_is_too_large_at_once_is_refused_as_well(void **state)
{
    static const char *const ends[] = {"\r\n\r\n", "x\r\n\r\n", "\r\nX: y\r\n\r\n"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(ends); i++) {
        for (size_t spaces = HTTP_HEAD_BYTES_MAX - 40; spaces < HTTP_HEAD_BYTES_MAX; spaces++) {
            struct buf text;
            buf_init(&text, in_max);
            BUF_APPEND_LIT(&text, "GET / HTTP/1.1\r\nHost: a\r\nX:");
            for (size_t k = 0; k < spaces; k++) {
                buf_append_byte(&text, ' ');
            }
            buf_append_cstr(&text, ends[i]);
            restart(f);
            enum http_parsed parsed = feed(f, buf_span(&text), SIZE_MAX);
            bool fits = text.len <= HTTP_HEAD_BYTES_MAX;
            assert_int_equal(parsed, fits ? HTTP_PARSE_DONE : HTTP_PARSE_BAD);
            assert_true(fits || f->parser.failure == EXCHANGE_HEAD_TOO_LARGE);
            buf_release(&text);
        }
    }
}

static void a_head_just_below_its_limits_is_accepted(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    buf_init(&text, in_max);
    BUF_APPEND_LIT(&text, "GET /");
    for (size_t i = 1; i < HTTP_TARGET_BYTES_MAX; i++) {
        buf_append_byte(&text, 'a');
    }
    BUF_APPEND_LIT(&text, " HTTP/1.1\r\nHost: a\r\n");
    for (size_t i = 1; i < HTTP_HEADERS_MAX; i++) {
        BUF_APPEND_LIT(&text, "X: y\r\n");
    }
    BUF_APPEND_LIT(&text, "\r\n");
    restart(f);
    assert_int_equal(feed(f, buf_span(&text), 777), HTTP_PARSE_DONE);
    assert_int_equal(f->request.header_count, HTTP_HEADERS_MAX);
    assert_int_equal(f->request.path.len, HTTP_TARGET_BYTES_MAX);
    buf_release(&text);
}

static void many_small_chunks_keep_the_buffer_as_small_as_their_data(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        feed_repeated(f, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                      "1\r\nx\r\n", body_max),
        HTTP_PARSE_MORE);
    assert_true(f->in.len < body_max + 1200);
    assert_int_equal(feed(f, SPAN_LIT("0\r\n\r\n"), SIZE_MAX), HTTP_PARSE_DONE);
    assert_int_equal(f->request.body.len, body_max);
}

/* --- bodies in pieces --- */

/* Feeds in steps of `step`; the pieces, put together, are in `body`. */
static enum http_parsed feed_in_pieces(struct fixture *f, struct span bytes, size_t step,
                                       struct buf *body)
{
    enum http_parsed parsed = HTTP_PARSE_MORE;
    restart(f);
    while (bytes.len > 0 && parsed == HTTP_PARSE_MORE) {
        buf_append_span(&f->in, span_first(bytes, step));
        bytes = span_skip(bytes, step);
        parsed = http_parser_feed(&f->parser, &f->in);
        while (parsed == HTTP_PARSE_HEAD || parsed == HTTP_PARSE_PIECE) {
            if (parsed == HTTP_PARSE_HEAD) {
                assert_true(http_parser_plan_body(&f->parser, body_max, true));
            } else {
                assert_true(http_parser_body(&f->parser, &f->in).len > 0);
                buf_append_span(body, http_parser_body(&f->parser, &f->in));
                http_parser_drop_piece(&f->parser, &f->in);
            }
            parsed = http_parser_feed(&f->parser, &f->in);
        }
    }
    if (parsed == HTTP_PARSE_DONE) {
        buf_append_span(&f->in, bytes);
    }
    return parsed;
}

static void pieces_make_up_the_body_however_it_arrives(void **state)
{
    static const char *const requests[] = {
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello worldGET /next",
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\nhello\r\n001;ext=1\r\n \r\n5\r\nworld\r\n0\r\nTrailer: x\r\n\r\nGET /next",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct span bytes = span_from_cstr(requests[i]);
        for (size_t step = 1; step <= bytes.len; step++) {
            struct buf body;
            buf_init(&body, body_max);
            assert_int_equal(feed_in_pieces(f, bytes, step, &body), HTTP_PARSE_DONE);
            assert_span(buf_span(&body), "hello world");
            assert_int_equal(f->parser.body_len, 11);
            assert_span(span_skip(buf_span(&f->in), f->parser.position), "GET /next");
            http_parser_request(&f->parser, &f->in, f->headers, &f->request);
            assert_span(f->request.path, "/x");
            assert_span(f->request.body, "");
            buf_release(&body);
        }
    }
}

static void a_piece_is_never_larger_than_its_limit(void **state)
{
    struct fixture *f = *state;
    static char body[BODY_PIECE_BYTES_MAX + 100];
    buf_release(&f->in);
    buf_init(&f->in, 2 * sizeof(body));
    http_parser_reset(&f->parser, sizeof(body));
    memset(body, 'x', sizeof(body));
    buf_printf(&f->in, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", sizeof(body));
    buf_append(&f->in, body, sizeof(body));
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_HEAD);
    assert_true(http_parser_plan_body(&f->parser, sizeof(body), true));
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_PIECE);
    assert_int_equal(http_parser_body(&f->parser, &f->in).len, BODY_PIECE_BYTES_MAX);
    http_parser_drop_piece(&f->parser, &f->in);
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_PIECE);
    assert_int_equal(http_parser_body(&f->parser, &f->in).len, 100);
    http_parser_drop_piece(&f->parser, &f->in);
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_DONE);
}

/* Gives `count` bytes of a body without writing them: what is in the buffer will do. */
static void pass_body(struct fixture *f, uint64_t count)
{
    while (count > 0) {
        size_t len = count < BODY_PIECE_BYTES_MAX ? (size_t)count : BODY_PIECE_BYTES_MAX;
        assert_true(buf_reserve(&f->in, len));
        f->in.len += len;
        assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_PIECE);
        assert_int_equal(http_parser_body(&f->parser, &f->in).len, len);
        http_parser_drop_piece(&f->parser, &f->in);
        count -= len;
    }
}

static void streamed_bodies_are_counted_in_64_bit(void **state)
{
    static const uint64_t gib = UINT64_C(1) << 30;
    struct fixture *f = *state;
    buf_release(&f->in);
    buf_init(&f->in, 2 * BODY_PIECE_BYTES_MAX);
    assert_true(buf_reserve(&f->in, BODY_PIECE_BYTES_MAX + 1024));
    memset(f->in.ptr, 'x', f->in.cap);
    http_parser_reset(&f->parser, 5 * gib);
    BUF_APPEND_LIT(&f->in, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5368709120\r\n\r\n");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_HEAD);
    assert_true(http_parser_plan_body(&f->parser, 5 * gib, true));
    pass_body(f, 5 * gib);
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_DONE);
    assert_int_equal(f->parser.body_len, 5 * gib);
    /* In chunks, one byte too many. */
    buf_reset(&f->in);
    http_parser_reset(&f->parser, 5 * gib);
    BUF_APPEND_LIT(&f->in, "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_HEAD);
    assert_true(http_parser_plan_body(&f->parser, 5 * gib, true));
    BUF_APPEND_LIT(&f->in, "140000000\r\n");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_MORE);
    pass_body(f, 5 * gib);
    BUF_APPEND_LIT(&f->in, "\r\n1\r\n");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_BAD);
    assert_int_equal(f->parser.failure, EXCHANGE_BODY_TOO_LARGE);
}

static void a_plan_may_lower_the_limit_that_the_head_was_held_to(void **state)
{
    struct fixture *f = *state;
    buf_append_cstr(&f->in, "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world");
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_HEAD);
    assert_false(http_parser_plan_body(&f->parser, 10, false));
    assert_int_equal(http_parser_feed(&f->parser, &f->in), HTTP_PARSE_BAD);
    assert_int_equal(f->parser.failure, EXCHANGE_BODY_TOO_LARGE);
}

static void a_half_understood_request_still_names_method_and_path(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed_text(f, "PUT /topics/a?b HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
                     HTTP_PARSE_BAD);
    assert_int_equal(f->request.method, METHOD_PUT);
    assert_span(f->request.path, "/topics/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_request_is_cut_into_its_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(delivery_byte_by_byte_gives_the_same_request, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_request_cut_short_asks_for_more, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_chunked_body_becomes_one_span_and_the_next_request_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(
            the_second_of_two_pipelined_requests_begins_where_the_first_ended, setup, teardown),
        cmocka_unit_test_setup_teardown(the_head_is_reported_before_the_body, setup, teardown),
        cmocka_unit_test_setup_teardown(keep_alive_follows_version_and_connection_header, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(targets_are_reduced_to_path_and_query, setup, teardown),
        cmocka_unit_test_setup_teardown(malformed_requests_are_400_however_they_arrive, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_host_has_only_what_a_host_may_have, setup, teardown),
        cmocka_unit_test_setup_teardown(a_url_as_target_never_shows_its_user, setup, teardown),
        cmocka_unit_test_setup_teardown(a_head_that_is_too_large_at_once_is_refused_as_well, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_chunk_of_any_size_is_too_large_before_it_comes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(trailers_are_read_and_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_parser_stays_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(each_limit_has_its_own_failure, setup, teardown),
        cmocka_unit_test_setup_teardown(a_head_just_below_its_limits_is_accepted, setup, teardown),
        cmocka_unit_test_setup_teardown(many_small_chunks_keep_the_buffer_as_small_as_their_data,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(pieces_make_up_the_body_however_it_arrives, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_piece_is_never_larger_than_its_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(streamed_bodies_are_counted_in_64_bit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plan_may_lower_the_limit_that_the_head_was_held_to, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_half_understood_request_still_names_method_and_path,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
