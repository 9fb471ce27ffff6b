/* Routing, the key, the throttle, CORS, errors and waiting. */
#include "gateway_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { body_limit = 10485760 };

static const char no_token[] = "{\"message\":\"Missing Authentication Token\"}";
static const char no_token_type[] = "MissingAuthenticationTokenException";
static const char forbidden[] = "{\"message\":\"Forbidden\"}";

/* --- stage and resource --- */

static void any_wellformed_stage_is_stripped(void **state)
{
    static const struct {
        const char *target;
        const char *path;
        const char *query;
    } rows[] = {
        {"/test/topics/u.pin?x=1", "/topics/u.pin", "x=1"},
        {"/Dev/topics", "/topics", ""},
        {"/0e36c8cd403d-prod/topics/", "/topics", ""},
        {"/test_stage/v3/clusters", "/v3/clusters", ""},
        {"/_api/a1b2c3d4e5/test/topics/t", "/topics/t", ""},
        {"/_api/test/topics", "/test/topics", ""}, /* not an API id: "_api" is the stage */
        {"/_api/A1b2c3d4e5/test/topics", "/A1b2c3d4e5/test/topics", ""},
        {"/_api/a1b2c3d4e-/test/topics", "/a1b2c3d4e-/test/topics", ""},
        {"/_api/a1b2c3d4e:/test/topics", "/a1b2c3d4e%3A/test/topics", ""},
        {"/_api/a1b2c3d4e~/test/topics", "/a1b2c3d4e~/test/topics", ""},
        {"/_api/a1b2c3d4e5", "/a1b2c3d4e5", ""}, /* nor is there a stage behind it */
        {"/test//topics/t", "/topics/t", ""},
        {"/test///topics/t?x=1", "/topics/t", "x=1"},
        {"//test/topics/t", "/topics/t", ""},
        {"///test//topics/t", "/topics/t", ""},
        {"//_api//a1b2c3d4e5//test//topics/t", "/topics/t", ""},
        {"/test/topics//t", "/topics//t", ""},
        {"/test/topics/t//", "/topics/t/", ""}, /* one slash is dropped at the end */
        {"/test/x", "/x", ""},
        {"/test/streams", "/streams", ""},
        {"/test//streams/s/record/", "/streams/s/record", ""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        gateway_ask(f, "GET", rows[i].target);
        assert_int_equal(f->exchange.reply.status, 200);
        assert_string_equal(f->backend.path, rows[i].path);
        assert_string_equal(f->backend.query, rows[i].query);
        assert_true(span_starts_with(span_from_cstr(rows[i].target), f->exchange.journal_path));
    }
    assert_int_equal(f->backend.calls, ARRAY_COUNT(rows));
}

static void what_has_no_route_is_missing_authentication_token(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *hint;
    } rows[] = {
        {"GET", "/", "before the stage"},
        {"GET", "/test", "root has no method"},
        {"POST", "/test/", "root has no method"},
        {"OPTIONS", "/test", "root has no method"},
        {"GET", "//", "before the stage"},
        {"GET", "//test//", "root has no method"},
        {"GET", "/_api/a1b2c3d4e5/test", "root has no method"},
        {"TRACE", "/test/topics", "ANY takes"},
        {"OPTIONS", "*", "before the stage"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        gateway_ask(f, rows[i].method, rows[i].target);
        assert_error(f, 403, no_token_type, no_token);
        assert_string_equal(f->exchange.reply.content_type, "application/json");
        assert_string_equal(f->exchange.reply.error_code, no_token_type);
        assert_true(hint_says(f, rows[i].hint));
    }
    assert_int_equal(f->backend.calls, 0);
}

static void what_is_no_stage_is_forbidden(void **state)
{
    static const struct {
        const char *target;
        const char *hint;
    } rows[] = {
        {"/topics/u.pin", "where the stage belongs: write /test/topics"},
        {"/consumers/students", "write /test/consumers"},
        {"/brokers", "where the stage belongs"},
        {"/v3/clusters", "where the stage belongs"},
        {"/streams/x/record", "where the stage belongs"},
        {"//topics/u.pin", "where the stage belongs"},
        {"/te.st/topics", "begins with the stage"},
        {"/te%73t/topics", "begins with the stage"},
        {"/te~st/topics", "begins with the stage"},
        {"/te:st/topics", "begins with the stage"},
        {"/te@st/topics", "begins with the stage"},
        {"/te[st/topics", "begins with the stage"},
        {"/_api/a1b2c3d4e5/topics/x", "where the stage belongs"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        gateway_ask(f, "POST", rows[i].target);
        assert_error(f, 403, "ForbiddenException", forbidden);
        assert_true(hint_says(f, rows[i].hint));
    }
    assert_int_equal(f->backend.calls, 0);
}

static void a_stage_is_up_to_128_characters(void **state)
{
    struct fixture *f = *state;
    char target[160];
    memset(target, 'a', sizeof(target));
    target[0] = '/';
    memcpy(target + 129, "/x", 3);
    gateway_ask(f, "GET", target);
    assert_int_equal(f->exchange.reply.status, 200);
    memcpy(target + 129, "a/x", 4);
    gateway_ask(f, "GET", target);
    assert_error(f, 403, "ForbiddenException", forbidden);
}

static void a_fixed_stage_is_the_only_one_and_case_matters(void **state)
{
    struct fixture *f = *state;
    struct gateway_options options = gateway_default_options(f);
    options.stage = "Test";
    gateway_begin(f, &options);
    gateway_ask(f, "GET", "/Test/topics");
    assert_int_equal(f->exchange.reply.status, 200);
    gateway_ask(f, "GET", "/test/topics");
    assert_error(f, 403, "ForbiddenException", forbidden);
    assert_true(hint_says(f, "only \"Test\"; upper and lower case"));
    gateway_ask(f, "GET", "/topics/t");
    assert_error(f, 403, "ForbiddenException", forbidden);
    assert_true(hint_says(f, "write /Test/topics"));
    gateway_ask(f, "GET", "/te.st/topics");
    assert_error(f, 403, "ForbiddenException", forbidden);
    assert_true(hint_says(f, "begins with the stage"));
    options.stage = "topics"; /* named like a service, but it is deployed */
    gateway_begin(f, &options);
    gateway_ask(f, "GET", "/topics/topics");
    assert_string_equal(f->backend.path, "/topics");
}

/* --- CORS --- */

static void options_is_answered_by_the_cors_mock(void **state)
{
    static const char *const types[] = {NULL, "Content-Type: application/json",
                                        "content-type: Application/JSON; charset=utf-8"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        struct call call = {"OPTIONS", "/test/topics/u.pin", {types[i], NULL}, NULL};
        gateway_hand_in(f, &call);
        assert_int_equal(f->exchange.reply.status, 200);
        assert_body(f, "");
        assert_string_equal(f->exchange.reply.content_type, "application/json");
        assert_reply_header(f, "Access-Control-Allow-Origin", "*");
        assert_reply_header(f, "Access-Control-Allow-Methods",
                            "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT");
        assert_reply_header(f, "Access-Control-Allow-Headers",
                            "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token");
        assert_identity(f);
    }
    struct call call = {"OPTIONS", "/test/topics", {"Content-Type: text/plain", NULL}, NULL};
    gateway_hand_in(f, &call);
    assert_error(f, 500, "InternalServerErrorException",
                 "{\"message\": \"Internal server error\"}");
    assert_int_equal(f->backend.calls, 0);
}

/* --- key and throttle --- */

static void a_configured_key_must_be_sent(void **state)
{
    static const struct {
        const char *line;
        int status;
    } rows[] = {
        {NULL, 403},
        {"x-api-key: ", 403},
        {"x-api-kez: abcdefghijklmnopqrst", 403},
        {"x-api-key: abcdefghijklmnopqrst", 200},
        {"X-API-KEY: abcdefghijklmnopqrst", 200},
        {"x-api-key: Abcdefghijklmnopqrst", 403},
        {"x-api-key: abcdefghijklmnopqrs", 403},
        {"x-api-key: abcdefghijklmnopqrstu", 403},
    };
    struct fixture *f = *state;
    struct gateway_options options = gateway_default_options(f);
    options.api_key = "abcdefghijklmnopqrst";
    gateway_begin(f, &options);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct call call = {"GET", "/test/topics", {rows[i].line, NULL}, NULL};
        gateway_hand_in(f, &call);
        assert_int_equal(f->exchange.reply.status, rows[i].status);
        if (rows[i].status == 403) {
            assert_error(f, 403, "ForbiddenException", forbidden);
            assert_true(hint_says(f, "key"));
        }
    }
    gateway_ask(f, "OPTIONS", "/test/topics"); /* the CORS method asks for none */
    assert_int_equal(f->exchange.reply.status, 200);
    gateway_ask(f, "GET", "/test");
    assert_error(f, 403, no_token_type, no_token);
}

static void the_throttle_answers_429_until_it_refills(void **state)
{
    struct fixture *f = *state;
    struct gateway_options options = gateway_default_options(f);
    options.throttle_rate = 2;
    options.throttle_burst = 3;
    gateway_begin(f, &options);
    for (int i = 0; i < 3; i++) {
        gateway_ask(f, "POST", "/test/topics/t");
        assert_int_equal(f->exchange.reply.status, 200);
    }
    gateway_ask(f, "GET", "/test/"); /* without a route no token is asked for */
    gateway_ask(f, "POST", "/test/topics/t");
    assert_error(f, 429, "TooManyRequestsException", "{\"message\":\"Too Many Requests\"}");
    assert_int_equal(reply_header(f, "Retry-After").len, 0);
    assert_int_equal(f->backend.calls, 3);
    env_advance(&f->env, 500000);
    gateway_ask(f, "POST", "/test/topics/t");
    assert_int_equal(f->exchange.reply.status, 200);
    gateway_ask(f, "POST", "/test/topics/t");
    assert_int_equal(f->exchange.reply.status, 429);
}

/* --- sizes and failures --- */

static void header_values_over_10240_bytes_are_refused(void **state)
{
    struct fixture *f = *state;
    char line[10240 + 8];
    memset(line, 'a', sizeof(line));
    memcpy(line, "X-A: ", 5);
    line[5 + 10240] = '\0';
    struct call call = {"GET", "/test/topics", {line, NULL}, NULL};
    /* The backend of this test keeps less than that. */
    call.headers[1] = "X-B: b";
    gateway_hand_in(f, &call);
    assert_int_equal(f->exchange.reply.status, 431);
    assert_string_equal(f->exchange.reply.content_type, "text/plain");
    assert_int_equal(reply_header(f, "x-amzn-ErrorType").len, 0);
    assert_identity(f);
}

static void each_failure_of_the_server_has_the_gateways_shape(void **state)
{
    static const struct {
        enum exchange_failure failure;
        int status;
        const char *type;
        const char *body;
    } rows[] = {
        {EXCHANGE_COMMIT_FAILED, 500, "InternalServerErrorException",
         "{\"message\": \"Internal server error\"}"},
        {EXCHANGE_BODY_TOO_LARGE, 413, "RequestEntityTooLargeException",
         "{\"message\":\"Request Too Long\"}"},
        {EXCHANGE_HEAD_TOO_LARGE, 431, "", "Request Header Fields Too Large"},
        {EXCHANGE_URI_TOO_LONG, 414, "", "{\"message\":\"Request URI too long\"}"},
        {EXCHANGE_MALFORMED, 400, "BadRequestException", "{\"message\":\"Bad Request\"}"},
        {EXCHANGE_TIMED_OUT, 408, "", "{\"message\":\"Request Timeout\"}"},
        {EXCHANGE_OVERLOADED, 503, "ServiceUnavailableException",
         "{\"message\":\"Service Unavailable\"}"},
        {EXCHANGE_STOPPING, 503, "ServiceUnavailableException",
         "{\"message\":\"Service Unavailable\"}"},
        {EXCHANGE_NO_MEMORY, 500, "InternalServerErrorException",
         "{\"message\": \"Internal server error\"}"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        exchange_reset(&f->exchange, gateway_service(f->gateway));
        exchange_fail(&f->exchange, rows[i].failure);
        assert_error(f, rows[i].status, rows[i].type, rows[i].body);
    }
    assert_int_equal(gateway_service(f->gateway)->body_bytes_max, body_limit);
}

static void a_backends_failure_after_the_fact_is_mapped_like_any_answer(void **state)
{
    struct fixture *f = *state;
    f->backend.service.reply_bytes_max =
        1; /* the reply does not fit: NO_MEMORY at the turn's end */
    struct gateway_options options = gateway_default_options(f);
    gateway_begin(f, &options);
    gateway_ask(f, "GET", "/test/x");
    assert_int_equal(f->exchange.reply.status, 500);
}

/* --- parked requests --- */

static void a_parked_request_is_mapped_when_it_is_answered(void **state)
{
    struct fixture *f = *state;
    f->backend.park = true;
    gateway_ask(f, "GET", "/test/consumers/g/instances/i/records");
    assert_int_equal(f->sent, 0);
    backend_answer(&f->backend, f->backend.parked);
    exchange_answer(f->backend.parked);
    turn_end(&f->turn);
    assert_int_equal(f->sent, 1);
    assert_int_equal(f->exchange.reply.status, 200);
    assert_identity(f);
    assert_true(timer_heap_next_us(&f->timers) == INT64_MAX);
}

static void after_29_seconds_the_answer_is_504(void **state)
{
    struct fixture *f = *state;
    f->backend.park = true;
    gateway_ask(f, "GET", "/test/consumers/g/instances/i/records");
    env_advance(&f->env, 28999999);
    timer_heap_run(&f->timers);
    assert_int_equal(f->backend.cancelled, 0);
    env_advance(&f->env, 1);
    timer_heap_run(&f->timers);
    turn_end(&f->turn);
    assert_int_equal(f->backend.cancelled, 1);
    assert_int_equal(f->sent, 1);
    assert_int_equal(f->exchange.reply.status, 504);
    assert_reply_header(f, "x-amzn-ErrorType", "InternalServerErrorException");
    assert_body(f, "{\"message\":\"Endpoint request timed out\"}");
    assert_int_equal(reply_header(f, "x-amzn-Remapped-Date").len, 0);
}

static void a_stopping_server_answers_a_parked_request(void **state)
{
    struct fixture *f = *state;
    f->backend.park = true;
    gateway_ask(f, "GET", "/test/x");
    exchange_abort(&f->exchange, EXCHANGE_STOPPING);
    turn_end(&f->turn);
    assert_int_equal(f->backend.cancelled, 1);
    assert_int_equal(f->exchange.reply.status, 500); /* the backend's own words, mapped */
    assert_identity(f);
}

/* --- settings --- */

static void settings_that_make_no_sense_are_config_errors(void **state)
{
    struct fixture *f = *state;
    struct gateway_options rows[] = {
        {.stage = ""},
        {.stage = "a/b"},
        {.stage = "a b"},
        {.api_key = ""},
        {.throttle_rate = -1},
        {.throttle_rate = 10, .throttle_burst = 0},
        {.upstream_url = ""},
        {.upstream_url = "127.0.0.1:8082"},
        {.upstream_url = "ftp://127.0.0.1"},
        {.upstream_url = "http://"},
        {.upstream_url = "http://a/?x=1"},
        {.refused_status = 200},
        {.refused_status = 499},
        {.refused_status = 600},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct gateway_options options = rows[i];
        options.backend = &f->backend.service;
        options.timers = &f->timers;
        options.env = &f->env;
        options.log = &f->log;
        struct gateway *gateway = NULL;
        struct error err = ERROR_NONE;
        enum status status = gateway_new(&options, &gateway, &err);
        if (status != STATUS_CONFIG || err.message[0] == '\0') {
            fail_msg("row %zu: %s (%s)", i, status_name(status), err.message);
        }
    }
}

static void ids_repeat_with_the_seed_and_differ_between_requests(void **state)
{
    struct fixture *f = *state;
    char first[40];
    char second[40];
    struct gateway_options options = gateway_default_options(f);
    env_init_virtual(&f->env, 9, GATEWAY_FIXTURE_START_US);
    gateway_begin(f, &options);
    gateway_ask(f, "GET", "/test/x");
    copy_span(first, sizeof(first), reply_header(f, "x-amzn-RequestId"));
    gateway_ask(f, "GET", "/test/x");
    copy_span(second, sizeof(second), reply_header(f, "x-amzn-RequestId"));
    assert_string_not_equal(first, second);
    env_init_virtual(&f->env, 9, GATEWAY_FIXTURE_START_US);
    gateway_begin(f, &options);
    gateway_ask(f, "GET", "/test/x");
    assert_reply_header(f, "x-amzn-RequestId", first);
}

static void a_clock_at_its_beginning_has_a_date_too(void **state)
{
    struct fixture *f = *state;
    struct gateway_options options = gateway_default_options(f);
    env_init_virtual(&f->env, 7, 0);
    gateway_begin(f, &options);
    gateway_ask(f, "GET", "/test/x");
    assert_reply_header(f, "Date", "Thu, 01 Jan 1970 00:00:00 GMT");
}

#define CASE(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, gateway_fixture_setup, gateway_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(any_wellformed_stage_is_stripped),
        CASE(what_has_no_route_is_missing_authentication_token),
        CASE(what_is_no_stage_is_forbidden),
        CASE(a_stage_is_up_to_128_characters),
        CASE(a_fixed_stage_is_the_only_one_and_case_matters),
        CASE(options_is_answered_by_the_cors_mock),
        CASE(a_configured_key_must_be_sent),
        CASE(the_throttle_answers_429_until_it_refills),
        CASE(header_values_over_10240_bytes_are_refused),
        CASE(each_failure_of_the_server_has_the_gateways_shape),
        CASE(a_backends_failure_after_the_fact_is_mapped_like_any_answer),
        CASE(a_parked_request_is_mapped_when_it_is_answered),
        CASE(after_29_seconds_the_answer_is_504),
        CASE(a_stopping_server_answers_a_parked_request),
        CASE(settings_that_make_no_sense_are_config_errors),
        CASE(ids_repeat_with_the_seed_and_differ_between_requests),
        CASE(a_clock_at_its_beginning_has_a_date_too),
    };
    return cmocka_run_group_tests_name("gateway", tests, NULL, NULL);
}
