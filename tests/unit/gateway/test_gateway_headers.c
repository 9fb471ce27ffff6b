/* What passes through the gateway: path, query, headers, bodies; row by row. */
#include "gateway_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { body_limit = 10485760 };

static const char no_token[] = "{\"message\":\"Missing Authentication Token\"}";
static const char no_token_type[] = "MissingAuthenticationTokenException";

/* --- path and query --- */

static void path_and_query_are_decoded_and_encoded_again(void **state)
{
    static const struct {
        const char *target;
        const char *path;
        const char *query;
    } rows[] = {
        {"/t/topics/a%2eb", "/topics/a.b", ""},
        {"/t/topics/a%2Fb", "/topics/a/b", ""},
        {"/t/topics/%c3%a9", "/topics/%C3%A9", ""},
        {"/t/topics/a%zz", "/topics/a%25zz", ""},
        {"/t/topics/a%4z", "/topics/a%254z", ""},
        {"/t/topics/a%z4", "/topics/a%25z4", ""},
        {"/t/topics/~a_b.c-d%7e", "/topics/~a_b.c-d~", ""},
        {"/t/topics/a[b", "/topics/a%5Bb", ""},
        {"/t/topics/a@b`{", "/topics/a%40b%60%7B", ""},
        {"/t/topics/a%", "/topics/a%25", ""},
        {"/t/topics/a%00b", "/topics/a%00b", ""},
        {"/t/topics/a:b", "/topics/a%3Ab", ""},
        {"/t/x?timeout=1000&max_bytes=5", "/x", "timeout=1000&max_bytes=5"},
        {"/t/x?a=1&a=2", "/x", "a=1&a=2"},
        {"/t/x?a=1;b=2", "/x", "a=1&b=2"},
        {"/t/x?a=b+c%20d", "/x", "a=b%20c%20d"},
        {"/t/x?a=%7c%2B", "/x", "a=%7C%2B"},
        {"/t/x?flag", "/x", "flag="},
        {"/t/x?&&a=1&", "/x", "a=1"},
        {"/t/x?a=b=c", "/x", "a=b%3Dc"},
        {"/t/x?a=100%", "/x", "a=100%25"},
        {"/t/x?", "/x", ""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        gateway_ask(f, "GET", rows[i].target);
        assert_string_equal(f->backend.path, rows[i].path);
        assert_string_equal(f->backend.query, rows[i].query);
    }
}

static void a_plain_pipe_in_the_query_is_a_bad_request(void **state)
{
    struct fixture *f = *state;
    gateway_ask(f, "GET", "/test/topics?x=a|b");
    assert_error(f, 400, "BadRequestException", "{\"message\":\"Bad Request\"}");
    assert_true(hint_says(f, "%7C"));
}

/* --- request headers --- */

static bool backend_saw(const struct fixture *f, const char *line)
{
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "%s\n", line);
    const char *hit = strstr(f->backend.headers, wanted);
    return hit != NULL && (hit == f->backend.headers || hit[-1] == '\n');
}

static bool backend_saw_name(const struct fixture *f, const char *name)
{
    struct span rest = span_from_cstr(f->backend.headers);
    struct span line;
    while (span_next_part(&rest, '\n', &line)) {
        if (span_equal_nocase(span_first(line, span_find_byte(line, ':')), span_from_cstr(name))) {
            return true;
        }
    }
    return false;
}

static void these_request_headers_pass(void **state)
{
    static const char *const lines[] = {"Accept: */*",
                                        "Accept-Charset: utf-8",
                                        "Accept-Encoding: gzip, deflate",
                                        "Age: 3",
                                        "Authorization: Bearer abc",
                                        "Authorization: Basic dTpw",
                                        "Content-Type: application/vnd.kafka.json.v2+json",
                                        "Date: Fri, 05 Feb 2021 19:14:42 GMT",
                                        "Pragma: no-cache",
                                        "Range: bytes=0-1",
                                        "Referer: http://x/",
                                        "User-Agent: python-requests",
                                        "Warn: x",
                                        "X-Custom: 1",
                                        "x-api-key: abc",
                                        "Cookie: a=b",
                                        "Origin: http://x",
                                        "X-Empty: "};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        struct call call = {"POST", "/test/topics/t", {lines[i], NULL}, "{}"};
        gateway_hand_in(f, &call);
        if (!backend_saw(f, lines[i])) {
            fail_msg("%s did not pass:\n%s", lines[i], f->backend.headers);
        }
    }
}

static void these_request_headers_are_dropped(void **state)
{
    static const char *const names[] = {"Connection",
                                        "content-encoding",
                                        "Content-MD5",
                                        "Expect",
                                        "Max-Forwards",
                                        "Proxy-Authenticate",
                                        "Server",
                                        "TE",
                                        "transfer-encoding",
                                        "Trailer",
                                        "Upgrade",
                                        "Via",
                                        "WWW-Authenticate",
                                        "Keep-Alive",
                                        "Proxy-Connection",
                                        "Proxy-Authorization"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        char line[64];
        snprintf(line, sizeof(line), "%s: x", names[i]);
        struct call call = {"POST", "/test/topics/t", {line, NULL}, "{}"};
        gateway_hand_in(f, &call);
        if (backend_saw_name(f, names[i])) {
            fail_msg("%s passed", names[i]);
        }
    }
}

static void headers_that_connection_names_are_dropped(void **state)
{
    struct fixture *f = *state;
    struct call call = {"POST",
                        "/test/topics/t",
                        {"Connection: close , X-Hop,, x-other", "x-hop: 1", "X-Kept: 2",
                         "X-Other: 3", "Connection: X-Third", "X-Third: 4", NULL},
                        "{}"};
    gateway_hand_in(f, &call);
    assert_false(backend_saw_name(f, "X-Hop"));
    assert_false(backend_saw_name(f, "X-Other"));
    assert_false(backend_saw_name(f, "X-Third"));
    assert_true(backend_saw(f, "X-Kept: 2"));
}

static void a_sigv4_signature_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct call call = {"GET",
                        "/test/topics",
                        {"Authorization: AWS4-HMAC-SHA256 Credential=A/20210205/us-east-1/"
                         "execute-api/aws4_request, SignedHeaders=host, Signature=0",
                         NULL},
                        NULL};
    gateway_hand_in(f, &call);
    assert_false(backend_saw_name(f, "Authorization"));
}

static void these_request_headers_are_rewritten_or_added(void **state)
{
    struct fixture *f = *state;
    struct call call = {"POST",
                        "/test/topics/t",
                        {"Host: 127.0.0.1:8080", "Content-Length: 999",
                         "Transfer-Encoding: chunked", "X-Amzn-Apigateway-Api-Id: forged", NULL},
                        "{\"a\":1}"};
    gateway_hand_in(f, &call);
    assert_true(backend_saw(f, "Host: ec2-kafka-rest.internal:8082"));
    assert_string_equal(f->backend.host, "ec2-kafka-rest.internal:8082");
    assert_true(backend_saw(f, "Content-Length: 7"));
    assert_false(backend_saw(f, "Content-Length: 999"));
    assert_true(backend_saw(f, "Accept: application/json"));
    assert_false(backend_saw(f, "X-Amzn-Apigateway-Api-Id: forged"));
    const char *id = strstr(f->backend.headers, "X-Amzn-Apigateway-Api-Id: ");
    assert_non_null(id);
    const char *agent = strstr(f->backend.headers, "User-Agent: AmazonAPIGateway_");
    assert_non_null(agent);
    assert_memory_equal(id + 26, agent + 29, 10); /* the same API id */
    assert_int_equal(id[36], '\n');
    const char *trace = strstr(f->backend.headers, "X-Amzn-Trace-Id: Root=1-601d9922-");
    assert_non_null(trace);
    assert_int_equal(strcspn(trace, "\n"), 17 + 40);
}

static void a_trace_id_keeps_the_clients_root(void **state)
{
    static const struct {
        const char *sent;
        const char *passed; /* NULL: a new one */
    } rows[] = {
        {"X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793",
         "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793"},
        {"X-Amzn-Trace-Id: Self=1-67891234-12456789abcdef012345678a; "
         "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=1;Sampled=1",
         "X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793"},
        {"X-Amzn-Trace-Id: Root=1-short", NULL},
        {"X-Amzn-Trace-Id: Root=1-5759E988-bd862e3fe1be46a994272793", NULL},
        {"X-Amzn-Trace-Id: Root=1-5759e988xbd862e3fe1be46a994272793", NULL},
        {"X-Amzn-Trace-Id: Root=1-5759g988-bd862e3fe1be46a994272793", NULL},
        {"X-Amzn-Trace-Id: Root=1-5759/988-bd862e3fe1be46a994272793", NULL},
        {"X-Amzn-Trace-Id: Root=1-5759:988-bd862e3fe1be46a994272793", NULL},
        {"X-Amzn-Trace-Id: Root=1-5759e988-bd862e3fe1be46a99427279G", NULL},
        {"X-Amzn-Trace-Id: Root=2-5759e988-bd862e3fe1be46a994272793", NULL},
        {"X-Amzn-Trace-Id: ", NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct call call = {"GET", "/test/topics", {rows[i].sent, NULL}, NULL};
        gateway_hand_in(f, &call);
        if (rows[i].passed != NULL) {
            assert_true(backend_saw(f, rows[i].passed));
        } else {
            assert_non_null(strstr(f->backend.headers, "X-Amzn-Trace-Id: Root=1-601d9922-"));
        }
    }
}

static void accept_and_user_agent_are_added_only_when_absent(void **state)
{
    struct fixture *f = *state;
    struct call call = {"GET", "/test/topics", {"accept: */*", "user-agent: curl/8", NULL}, NULL};
    gateway_hand_in(f, &call);
    assert_false(backend_saw(f, "Accept: application/json"));
    assert_null(strstr(f->backend.headers, "AmazonAPIGateway"));
    assert_false(backend_saw_name(f, "Content-Length"));
}

/* Of as many letters as those that the gateway looks for itself. */
static void headers_that_only_look_like_the_gateways_own_pass(void **state)
{
    static const char *const lines[] = {"X-HTTP-Method-Overrule: DELETE", "x-api-kez: a",
                                        "Content-Time: text/plain"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
        struct call call = {"POST", "/test/topics/t", {lines[i], NULL}, "{}"};
        gateway_hand_in(f, &call);
        assert_true(backend_saw(f, lines[i]));
        assert_string_equal(f->backend.method, "POST");
    }
}

/* --- methods and bodies --- */

static void the_method_override_changes_the_method_and_is_used_up(void **state)
{
    struct fixture *f = *state;
    struct call call = {
        "POST", "/test/consumers/g/instances/i", {"X-HTTP-Method-Override: DELETE", NULL}, NULL};
    gateway_hand_in(f, &call);
    assert_string_equal(f->backend.method, "DELETE");
    assert_false(backend_saw_name(f, "X-HTTP-Method-Override"));
    call.headers[0] = "x-http-method-override: BREW";
    gateway_hand_in(f, &call);
    assert_error(f, 403, no_token_type, no_token);
}

static void bodies_of_get_and_head_are_dropped_with_a_hint(void **state)
{
    static const char *const methods[] = {"GET", "HEAD"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        struct call call = {
            methods[i],
            "/test/consumers/g/instances/i/offsets",
            {"Content-Type: application/vnd.kafka.v2+json", "Content-Length: 2", NULL},
            "{}"};
        gateway_hand_in(f, &call);
        assert_int_equal(f->backend.body_len, 0);
        assert_false(backend_saw_name(f, "Content-Length"));
        assert_true(backend_saw(f, "Content-Type: application/vnd.kafka.v2+json"));
        assert_true(hint_says(f, "drops the body"));
    }
}

static void other_bodies_pass_unchanged(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(methods); i++) {
        struct call call = {
            methods[i], "/test/x", {NULL}, "{\"t\":\"caf\xc3\xa9 \xf0\x9f\x98\x80\"}"};
        gateway_hand_in(f, &call);
        assert_string_equal(f->backend.method, methods[i]);
        assert_string_equal(f->backend.body_seen, call.body);
        assert_null(f->exchange.reply.hint);
    }
}

static void a_method_that_means_a_body_says_that_there_is_none(void **state)
{
    static const struct {
        const char *method;
        bool has_length;
    } rows[] = {{"POST", true},    {"PUT", true},  {"PATCH", true},
                {"DELETE", false}, {"GET", false}, {"HEAD", false}};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        gateway_ask(f, rows[i].method, "/test/x");
        assert_int_equal(backend_saw(f, "Content-Length: 0"), rows[i].has_length);
        assert_int_equal(backend_saw_name(f, "Content-Length"), rows[i].has_length);
    }
}

static void what_is_not_utf8_becomes_the_replacement_character(void **state)
{
#define U "\xef\xbf\xbd"
    static const struct {
        const char *sent;
        const char *seen;
    } rows[] = {
        {"a\xff"
         "b",
         "a" U "b"},
        {"\xe9", U},
        {"caf\xe9!", "caf" U "!"},
        {"\xc0\xaf", U U},
        {"\xed\xa0\x80", U U U},
        {"\xf0\x9f\x98", U},
        {"\xe2\x82"
         "x",
         U "x"},
        {"\xf5\x80", U U},
        {"\x80\x80", U U},
        {"\xf4\x90\x80\x80", U U U U},
        {"ok \xe2\x82\xac", "ok \xe2\x82\xac"},
    };
#undef U
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct call call = {"POST", "/test/x", {NULL}, rows[i].sent};
        gateway_hand_in(f, &call);
        assert_string_equal(f->backend.body_seen, rows[i].seen);
        char length[64];
        snprintf(length, sizeof(length), "Content-Length: %zu", strlen(rows[i].seen));
        assert_true(backend_saw(f, length));
        assert_int_equal(hint_says(f, "not UTF-8"), strcmp(rows[i].sent, rows[i].seen) != 0);
    }
}

/* --- replies --- */

static void a_reply_keeps_status_and_body_and_gets_the_gateways_headers(void **state)
{
    static const int statuses[] = {200, 201, 204, 304, 400, 404, 409, 415, 422, 500, 502, 503};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
        f->backend.status = statuses[i];
        bool has_body = statuses[i] != 204 && statuses[i] != 304;
        f->backend.body = has_body ? SPAN_LIT("{\"error_code\":1}") : SPAN_EMPTY;
        f->backend.content_type = "application/vnd.kafka.v2+json";
        gateway_ask(f, "GET", "/test/topics");
        assert_int_equal(f->exchange.reply.status, statuses[i]);
        assert_body(f, has_body ? "{\"error_code\":1}" : "");
        assert_string_equal(f->exchange.reply.content_type, "application/vnd.kafka.v2+json");
        assert_identity(f);
        assert_reply_header(f, "x-amzn-Remapped-Connection", "keep-alive");
        assert_reply_header(f, "x-amzn-Remapped-Date", "Fri, 05 Feb 2021 19:14:42 GMT");
        assert_true(
            span_starts_with(reply_header(f, "x-amzn-Remapped-Server"), SPAN_LIT("Jetty(")));
        assert_reply_header(f, "x-amzn-Remapped-Content-Length", has_body ? "16" : "");
        assert_int_equal(reply_header(f, "x-amzn-ErrorType").len, 0);
        assert_int_equal(reply_header(f, "X-Amzn-Trace-Id").len, 0);
    }
}

static void a_reply_without_a_type_becomes_json(void **state)
{
    struct fixture *f = *state;
    f->backend.content_type = NULL;
    f->backend.status = 406;
    f->backend.body = SPAN_EMPTY;
    gateway_ask(f, "GET", "/test/topics");
    assert_string_equal(f->exchange.reply.content_type, "application/json");
}

static void these_reply_headers_are_remapped_dropped_or_pass(void **state)
{
    static const struct {
        const char *line;
        const char *name; /* as it arrives; NULL: dropped */
    } rows[] = {
        {"Connection: x", "x-amzn-Remapped-Connection"},
        {"Content-Length: x", "x-amzn-Remapped-Content-Length"},
        {"Date: x", "x-amzn-Remapped-Date"},
        {"Server: x", "x-amzn-Remapped-Server"},
        {"Authorization: x", "x-amzn-Remapped-Authorization"},
        {"Content-MD5: x", "x-amzn-Remapped-Content-MD5"},
        {"Max-Forwards: x", "x-amzn-Remapped-Max-Forwards"},
        {"User-Agent: x", "x-amzn-Remapped-User-Agent"},
        {"WWW-Authenticate: x", "x-amzn-Remapped-WWW-Authenticate"},
        {"x-amzn-RequestId: x", "x-amzn-Remapped-x-amzn-RequestId"},
        {"Transfer-Encoding: x", NULL},
        {"Content-Encoding: x", NULL},
        {"Via: x", NULL},
        {"Access-Control-Allow-Origin: x", "Access-Control-Allow-Origin"},
        {"Vary: x", "Vary"},
        {"Cache-Control: x", "Cache-Control"},
        {"ETag: x", "ETag"},
        {"Allow: x", "Allow"},
        {"Location: x", "Location"},
        {"X-Custom: x", "X-Custom"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char line[64];
        snprintf(line, sizeof(line), "%s\r\n", rows[i].line);
        f->backend.lines = line;
        gateway_ask(f, "GET", "/test/topics");
        if (rows[i].name != NULL) {
            assert_reply_header(f, rows[i].name, "x");
        } else {
            struct span all = buf_span(&f->exchange.reply.headers);
            assert_null(strstr(all.ptr, rows[i].line));
        }
    }
}

static void lines_of_a_reply_that_are_no_headers_stay_behind(void **state)
{
    struct fixture *f = *state;
    f->backend.lines = "no colon\r\n: no name\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
                       "X-Empty:\r\nX-Kept: 2\r\n";
    gateway_ask(f, "GET", "/test/topics");
    struct span all = buf_span(&f->exchange.reply.headers);
    assert_null(strstr(all.ptr, "no colon"));
    assert_null(strstr(all.ptr, "no name"));
    assert_null(strstr(all.ptr, "X-Hop: "));
    assert_non_null(strstr(all.ptr, "X-Empty: \r\n"));
    assert_reply_header(f, "X-Kept", "2");
}

static void a_reply_that_is_not_utf8_is_repaired_too(void **state)
{
    struct fixture *f = *state;
    f->backend.body = SPAN_LIT("a\xff");
    gateway_ask(f, "GET", "/test/x");
    assert_body(f, "a\xef\xbf\xbd");
    assert_reply_header(f, "x-amzn-Remapped-Content-Length", "2");
}

static void a_reply_over_ten_megabytes_is_an_internal_error(void **state)
{
    struct fixture *f = *state;
    char *large = malloc(body_limit + 1);
    assert_non_null(large);
    memset(large, 'a', body_limit + 1);
    f->backend.body = span_from(large, body_limit);
    gateway_ask(f, "GET", "/test/x");
    assert_int_equal(f->exchange.reply.status, 200);
    assert_int_equal(f->backend.lost, 0);
    f->backend.body = span_from(large, body_limit + 1);
    gateway_ask(f, "GET", "/test/x");
    assert_error(f, 500, "InternalServerErrorException",
                 "{\"message\": \"Internal server error\"}");
    assert_int_equal(f->exchange.reply.body.len, 36);
    assert_int_equal(f->backend.lost, 1);
    assert_true(hint_says(f, "max_bytes"));
    free(large);
}

static void the_backends_hint_stays_unless_the_gateway_knows_better(void **state)
{
    struct fixture *f = *state;
    f->backend.hint = "of the backend";
    f->backend.status = 415;
    gateway_ask(f, "POST", "/test/topics/t");
    assert_string_equal(f->exchange.reply.hint, "of the backend");
    f->backend.status = 406;
    gateway_ask(f, "POST", "/test/topics/t"); /* no Accept */
    assert_true(hint_says(f, "no Accept header"));
    struct call call = {"POST", "/test/topics/t", {"Accept: application/json", NULL}, NULL};
    gateway_hand_in(f, &call);
    assert_string_equal(f->exchange.reply.hint, "of the backend");
}

static void the_traps_behind_a_gateway_are_hinted_at(void **state)
{
    struct fixture *f = *state;
    gateway_ask(f, "POST", "/test/consumers/students");
    assert_true(hint_says(f, "base_uri"));
    gateway_ask(f, "POST", "/test/consumers/students/");
    assert_true(hint_says(f, "base_uri"));
    gateway_ask(f, "POST", "/test/consumers/students/instances/i/subscription");
    assert_null(f->exchange.reply.hint);
    f->backend.status = 404;
    gateway_ask(f, "POST", "/test/topics//t");
    assert_true(hint_says(f, "two slashes"));
    gateway_ask(f, "POST", "/test/test/topics/t");
    assert_true(hint_says(f, "twice"));
    gateway_ask(f, "PUT", "/test/streams/s/record");
    assert_true(hint_says(f, "Kinesis routes"));
    gateway_ask(f, "POST", "/test/streams/s/PutRecord");
    assert_true(hint_says(f, "/record"));
    gateway_ask(f, "POST", "/test/topics/t/PutRecord");
    assert_true(hint_says(f, "PutRecord"));
    gateway_ask(f, "POST", "/test/topics/t/PutRecords");
    assert_true(hint_says(f, "PutRecord"));
}

/* The backend's own hint takes the gateway's port for its own. */
static void a_segment_between_stage_and_topics_is_hinted_at(void **state)
{
    static const char *const targets[] = {"/test/dev/topics/t", "/test/dev/v3/clusters",
                                          "/test//dev/consumers/g"};
    struct fixture *f = *state;
    f->backend.status = 404;
    f->backend.hint = "this port is the REST proxy itself";
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        gateway_ask(f, "POST", targets[i]);
        assert_true(hint_says(f, "\"test\" is the stage"));
        assert_true(hint_says(f, "begins with /dev: leave one of the two out"));
    }
    gateway_ask(f, "POST", "/test/dev/nowhere");
    assert_true(hint_says(f, "REST proxy itself"));

    struct gateway_options options = gateway_default_options(f);
    options.stage = "test";
    gateway_begin(f, &options);
    gateway_ask(f, "POST", "/test/dev/topics/t");
    assert_true(hint_says(f, "/dev: leave it out"));
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, gateway_fixture_setup, gateway_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(path_and_query_are_decoded_and_encoded_again),
        CASE(a_plain_pipe_in_the_query_is_a_bad_request),
        CASE(these_request_headers_pass),
        CASE(these_request_headers_are_dropped),
        CASE(headers_that_connection_names_are_dropped),
        CASE(a_sigv4_signature_is_dropped),
        CASE(these_request_headers_are_rewritten_or_added),
        CASE(a_trace_id_keeps_the_clients_root),
        CASE(accept_and_user_agent_are_added_only_when_absent),
        CASE(headers_that_only_look_like_the_gateways_own_pass),
        CASE(the_method_override_changes_the_method_and_is_used_up),
        CASE(bodies_of_get_and_head_are_dropped_with_a_hint),
        CASE(other_bodies_pass_unchanged),
        CASE(a_method_that_means_a_body_says_that_there_is_none),
        CASE(what_is_not_utf8_becomes_the_replacement_character),
        CASE(a_reply_keeps_status_and_body_and_gets_the_gateways_headers),
        CASE(a_reply_without_a_type_becomes_json),
        CASE(these_reply_headers_are_remapped_dropped_or_pass),
        CASE(lines_of_a_reply_that_are_no_headers_stay_behind),
        CASE(a_reply_that_is_not_utf8_is_repaired_too),
        CASE(a_reply_over_ten_megabytes_is_an_internal_error),
        CASE(the_backends_hint_stays_unless_the_gateway_knows_better),
        CASE(the_traps_behind_a_gateway_are_hinted_at),
        CASE(a_segment_between_stage_and_topics_is_hinted_at),
    };
    return cmocka_run_group_tests_name("gateway headers", tests, NULL, NULL);
}
