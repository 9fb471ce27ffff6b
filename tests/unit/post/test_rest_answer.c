#include "rest_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct answer_case {
    const char *label;
    enum http_failure failure;
    int status;
    const char *headers;
    const char *body;
    enum post_result result;
    bool maybe_kept;
    int64_t error_code;
    const char *reason_has; /* NULL: not looked at */
};

static const struct answer_case cases[] = {
    {"acked", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":2,\"offset\":9007199254740993,\"error_code\":null,"
     "\"error\":null}],\"key_schema_id\":null,\"value_schema_id\":null}",
     POST_ACKED, false, 0, NULL},
    {"acked by a server that leaves nulls out", HTTP_FAILURE_NONE, 200, "",
     " { \"offsets\" : [ { \"offset\" : 9007199254740993, \"partition\" : 2 } ] } ", POST_ACKED,
     false, 0, NULL},
    {"retriable Kafka error in a 200", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":50003,\"error\":\"Expiring "
     "1 record(s)\"}],\"key_schema_id\":null,\"value_schema_id\":null}",
     POST_RETRY, true, 50003, "error_code 50003: Expiring"},
    {"unknown topic was never sent to Kafka", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":50003,\"error\":\"Topic t "
     "not present in metadata after 60000 ms.\"}]}",
     POST_GIVE_UP, false, 50003, "not present"},
    {"a partition that may still come", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"error_code\":50003,\"error\":\"Partition 1 of topic t with partition count "
     "1 "
     "is not present in metadata after 60000 ms.\"}]}",
     POST_RETRY, false, 50003, "Partition 1"},
    {"other Kafka error in a 200", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":50002,\"error\":\"too "
     "large\"}]}",
     POST_GIVE_UP, false, 50002, "too large"},
    {"a bridge's per-record 404", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"error_code\":404,\"message\":\"no such topic\"}]}", POST_GIVE_UP, false, 404,
     "no such topic"},
    {"not authorized keeps its body's shape", HTTP_FAILURE_NONE, 403, "",
     "{\"offsets\":[{\"partition\":null,\"offset\":null,\"error_code\":40301,\"error\":\"Not "
     "authorized to access topics: [t]\"}]}",
     POST_GIVE_UP, false, 40301, "HTTP 403, error_code 40301: Not authorized"},
    {"the gateway's 403 with a hint", HTTP_FAILURE_NONE, 403,
     "Content-Type: application/json\r\nx-pinpipe-hint: the stage is missing\r\n",
     "{\"message\":\"Missing Authentication Token\"}", POST_GIVE_UP, false, 0,
     "HTTP 403: Missing Authentication Token (hint: the stage is missing)"},
    {"422 of the proxy", HTTP_FAILURE_NONE, 422, "",
     "{\"error_code\":422,\"message\":\"Unrecognized field: ind\"}", POST_GIVE_UP, false, 422,
     "HTTP 422: Unrecognized field: ind"},
    {"throttled", HTTP_FAILURE_NONE, 429, "", "{\"message\":\"Too Many Requests\"}", POST_RETRY,
     false, 0, "Too Many Requests"},
    {"gateway timeout", HTTP_FAILURE_NONE, 504, "", "{\"message\":\"Endpoint request timed out\"}",
     POST_RETRY, true, 0, "504"},
    {"a 502 in HTML", HTTP_FAILURE_NONE, 502, "", "<h1>Bad\nGateway</h1>", POST_RETRY, true, 0,
     "<h1>Bad Gateway</h1>"},
    {"not implemented will stay so", HTTP_FAILURE_NONE, 501, "", "", POST_GIVE_UP, false, 0, "501"},
    {"a 200 of somebody else", HTTP_FAILURE_NONE, 200, "", "<html>welcome</html>", POST_GIVE_UP,
     true, 0, "not a REST proxy's answer"},
    {"an empty 200", HTTP_FAILURE_NONE, 200, "", "", POST_GIVE_UP, true, 0, "not a REST"},
    {"two places for one record", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":1},{\"partition\":0,\"offset\":2}]}", POST_GIVE_UP,
     true, 0, "not a REST"},
    {"a negative offset", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":-1}]}", POST_GIVE_UP, true, 0, "not a REST"},
    {"a cut body", HTTP_FAILURE_NONE, 200, "", "{\"offsets\":[{\"partition\":0,\"offs",
     POST_GIVE_UP, true, 0, "not a REST"},
    {"text behind the answer", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":1}]} and more", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"no place at all", HTTP_FAILURE_NONE, 200, "", "{\"offsets\":[]}", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"a place that is none", HTTP_FAILURE_NONE, 200, "", "{\"offsets\":[7]}", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"no list of places", HTTP_FAILURE_NONE, 200, "", "{\"offsets\":{}}", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"no object", HTTP_FAILURE_NONE, 200, "", "[]", POST_GIVE_UP, true, 0, "not a REST"},
    {"nothing of the kind", HTTP_FAILURE_NONE, 200, "", "{\"ok\":true}", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"an offset without a partition", HTTP_FAILURE_NONE, 200, "", "{\"offsets\":[{\"offset\":1}]}",
     POST_GIVE_UP, true, 0, "not a REST"},
    {"a partition without an offset", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0}]}", POST_GIVE_UP, true, 0, "not a REST"},
    {"a negative partition", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":-1,\"offset\":1}]}", POST_GIVE_UP, true, 0, "not a REST"},
    {"a partition that no topic has", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":2147483648,\"offset\":1}]}", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"a fraction of an offset", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":1.5}]}", POST_GIVE_UP, true, 0, "not a REST"},
    {"damage within the place", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":}]}", POST_GIVE_UP, true, 0, "not a REST"},
    {"damage between two places", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":1} 7]}", POST_GIVE_UP, true, 0, "not a REST"},
    {"damage behind the place", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":1}],\"key_schema_id\":}", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"damage behind the members", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"partition\":0,\"offset\":1}] 7}", POST_GIVE_UP, true, 0, "not a REST"},
    {"a code that is none", HTTP_FAILURE_NONE, 400, "", "{\"error_code\":\"x\",\"message\":7}",
     POST_GIVE_UP, false, 0, "HTTP 400"},
    {"AWS's own spelling", HTTP_FAILURE_NONE, 403, "", "{\"Message\":\"no key\"}", POST_GIVE_UP,
     false, 0, "no key"},
    {"throttled within a 200", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"error_code\":429,\"error\":\"slow down\"}]}", POST_RETRY, false, 429,
     "slow down"},
    {"a server's failure within a 200", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"error_code\":599,\"error\":\"x\"}]}", POST_RETRY, true, 599, "x"},
    {"a code behind the servers'", HTTP_FAILURE_NONE, 200, "",
     "{\"offsets\":[{\"error_code\":600,\"error\":\"x\"}]}", POST_GIVE_UP, false, 600, "x"},
    {"a slow client's time is over", HTTP_FAILURE_NONE, 408, "", "", POST_RETRY, true, 0, "408"},
    {"the last of the servers' codes", HTTP_FAILURE_NONE, 599, "", "", POST_RETRY, true, 0, "599"},
    {"a status behind them", HTTP_FAILURE_NONE, 600, "", "", POST_GIVE_UP, false, 0, "600"},
    {"taken, but not as a proxy does", HTTP_FAILURE_NONE, 204, "", "", POST_GIVE_UP, true, 0,
     "not a REST"},
    {"no name for the host", HTTP_FAILURE_RESOLVE, 0, "", "", POST_RETRY, false, 0, "words"},
    {"no memory for the answer", HTTP_FAILURE_LOCAL, 0, "", "", POST_GIVE_UP, true, 0, "words"},
    {"too many answers at once", HTTP_FAILURE_CROWDED, 0, "", "", POST_GIVE_UP, true, 0, "words"},
    {"redirected", HTTP_FAILURE_NONE, 301, "Location: https://x/\r\n", "", POST_GIVE_UP, false, 0,
     "301"},
    {"refused", HTTP_FAILURE_REFUSED, 0, "", "", POST_RETRY, false, 0, "words"},
    {"timed out", HTTP_FAILURE_TIMEOUT, 0, "", "", POST_RETRY, true, 0, "words"},
    {"broken", HTTP_FAILURE_BROKEN, 0, "", "", POST_RETRY, true, 0, "words"},
    {"untrusted", HTTP_FAILURE_TLS, 0, "", "", POST_GIVE_UP, false, 0, "words"},
    {"too long an answer", HTTP_FAILURE_TOO_LARGE, 0, "", "", POST_GIVE_UP, true, 0, "words"},
};

static void judge(const struct answer_case *c, struct post_outcome *outcome)
{
    struct http_response response;
    struct rest_answer answer;
    http_response_init(&response, 64 * 1024);
    rest_answer_init(&answer);
    response.failure = c->failure;
    response.status = c->status;
    buf_append_cstr(&response.headers, c->headers);
    buf_append_cstr(&response.body, c->body);
    if (c->failure != HTTP_FAILURE_NONE) {
        memcpy(response.message, "words", 6);
    }
    rest_answer_judge(&response, &answer, outcome);
    rest_answer_release(&answer);
    http_response_release(&response);
}

static void each_answer_gets_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct answer_case *c = &cases[i];
        struct post_outcome outcome;
        judge(c, &outcome);
        if (outcome.result != c->result || outcome.maybe_kept != c->maybe_kept ||
            outcome.error_code != c->error_code ||
            (c->reason_has != NULL && strstr(outcome.reason, c->reason_has) == NULL)) {
            fail_msg("%s: result %d, maybe kept %d, code %lld, reason \"%s\"", c->label,
                     outcome.result, outcome.maybe_kept, (long long)outcome.error_code,
                     outcome.reason);
        }
        if (outcome.result == POST_ACKED) {
            assert_int_equal(outcome.partition, 2);
            assert_true(outcome.offset == INT64_C(9007199254740993));
        }
    }
}

static void what_never_connects_or_answers_is_unreachable(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct post_outcome outcome;
        judge(&cases[i], &outcome);
        bool expected =
            cases[i].failure == HTTP_FAILURE_REFUSED || cases[i].failure == HTTP_FAILURE_RESOLVE ||
            cases[i].failure == HTTP_FAILURE_TLS || cases[i].failure == HTTP_FAILURE_TIMEOUT;
        assert_int_equal(outcome.unreachable, expected);
    }
}

static void what_no_other_post_overcomes_is_permanent(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *body;
        bool permanent;
    } answers[] = {
        {401, "{\"message\":\"Unauthorized\"}", true},
        {403, "{\"message\":\"Forbidden\"}", true},
        {404, "{\"error_code\":40401,\"message\":\"Topic not found.\"}", true},
        {200, "{\"offsets\":[{\"error_code\":40301,\"error\":\"no\"}]}", true},
        {200, "{\"offsets\":[{\"error_code\":40101,\"error\":\"no\"}]}", true},
        {200, "{\"offsets\":[{\"error_code\":404,\"message\":\"no such topic\"}]}", true},
        {200,
         "{\"offsets\":[{\"error_code\":50003,\"error\":\"Topic t not present in metadata after "
         "60000 ms.\"}]}",
         true},
        {200, "{\"offsets\":[{\"error_code\":50002,\"error\":\"too large\"}]}", false},
        {200, "{\"offsets\":[{\"error_code\":50003,\"error\":\"Expiring 1 record(s)\"}]}", false},
        {413, "{\"message\":\"Request Too Long\"}", false},
        {422, "{\"error_code\":422,\"message\":\"no\"}", false},
        {429, "{\"message\":\"Too Many Requests\"}", false},
        {503, "{\"message\":\"Service Unavailable\"}", false},
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        const struct answer_case c = {.label = answers[i].body,
                                      .failure = HTTP_FAILURE_NONE,
                                      .status = answers[i].status,
                                      .headers = "",
                                      .body = answers[i].body};
        struct post_outcome outcome;
        judge(&c, &outcome);
        if (outcome.permanent != answers[i].permanent) {
            fail_msg("%d %s: permanent %d", c.status, c.body, outcome.permanent);
        }
        assert_true(!outcome.permanent || (outcome.result == POST_GIVE_UP && !outcome.maybe_kept));
    }
}

static void retry_after_in_seconds_is_heard(void **state)
{
    (void)state;
    struct post_outcome outcome;
    struct answer_case c = cases[10];
    c.headers = "Retry-After: 3\r\n";
    judge(&c, &outcome);
    assert_int_equal(outcome.wish_us, 3000000);
    c.headers = "Retry-After: 3599\r\n";
    judge(&c, &outcome);
    assert_int_equal(outcome.wish_us, INT64_C(3599000000));
    static const char *const unheard[] = {"Retry-After: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
                                          "Retry-After: 0\r\n", "Retry-After: -1\r\n",
                                          "Retry-After: 3600\r\n", "Retry-After: \r\n"};
    for (size_t i = 0; i < sizeof(unheard) / sizeof(unheard[0]); i++) {
        c.headers = unheard[i];
        judge(&c, &outcome);
        assert_int_equal(outcome.wish_us, 0);
    }
}

static void a_long_reason_is_cut_at_a_character(void **state)
{
    (void)state;
    char body[2048] = "{\"message\":\"";
    size_t len = strlen(body);
    while (len < 1900) {
        memcpy(body + len, "\xe2\x82\xac", 3); /* a euro sign */
        len += 3;
    }
    memcpy(body + len, "\"}", 3);
    struct post_outcome outcome;
    struct answer_case c = {.status = 400, .headers = "", .body = body};
    judge(&c, &outcome);
    assert_true(strlen(outcome.reason) < sizeof(outcome.reason));
    assert_true(span_is_utf8(span_from_cstr(outcome.reason)));
    assert_true(strlen(outcome.reason) > 150);
}

static void a_reason_is_utf8_whatever_the_server_wrote(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"message\":\"a\\ud800b\"}",
        "{\"message\":\"a\\udc00\"}",
        "{\"offsets\":[{\"error_code\":50002,\"error\":\"a\\ud83d\"}]}",
        "\xff\xfe<html>",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct post_outcome outcome;
        struct answer_case c = {.status = 500, .headers = "", .body = bodies[i]};
        judge(&c, &outcome);
        assert_true(span_is_utf8(span_from_cstr(outcome.reason)));
        assert_non_null(strstr(outcome.reason, i == 3 ? "\\xff" : "a\\xed"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_gets_its_verdict),
        cmocka_unit_test(what_no_other_post_overcomes_is_permanent),
        cmocka_unit_test(what_never_connects_or_answers_is_unreachable),
        cmocka_unit_test(retry_after_in_seconds_is_heard),
        cmocka_unit_test(a_long_reason_is_cut_at_a_character),
        cmocka_unit_test(a_reason_is_utf8_whatever_the_server_wrote),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
