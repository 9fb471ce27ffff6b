/* The poster over REST against a server that answers from a table. */
#include "answer_server.h"
#include "poster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ANSWER_200(length, body) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body

#define ACK_BODY                                                                                   \
    "{\"offsets\":[{\"partition\":0,\"offset\":41,\"error_code\":null,\"error\":null}],"           \
    "\"key_schema_id\":null}"

#define CLUSTERS_BODY                                                                              \
    "{\"kind\":\"KafkaClusterList\",\"metadata\":{},\"data\":[{\"kind\":\"KafkaCluster\","         \
    "\"cluster_id\":\"abc-123\"}]}"

static const struct answer answers[] = {
    {"/good/topics/u.pin", SPAN_INIT(ANSWER_200("93", ACK_BODY)), false},
    {"/good/topics/u.geo",
     SPAN_INIT("HTTP/1.1 403 Forbidden\r\nX-Pinpipe-Hint: set api_key\r\nContent-Length: "
               "23\r\n\r\n{\"message\":\"Forbidden\"}"),
     false},
    {"/good/v3/clusters", SPAN_INIT(ANSWER_200("97", CLUSTERS_BODY)), false},
    {"/direct/v3/clusters", SPAN_INIT(ANSWER_200("97", CLUSTERS_BODY)), false},
    {"/no-v3/v3/clusters",
     SPAN_INIT("HTTP/1.1 403 Forbidden\r\nContent-Length: 42\r\n\r\n{\"message\":\"Missing "
               "Authentication Token\"}"),
     false},
    {"/web/v3/clusters", SPAN_INIT(ANSWER_200("8", "<html/> ")), false},
    {"/down/v3/clusters", SPAN_INIT("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
     false},
};

struct fixture {
    struct env env;
    struct answer_server server;
    char invoke_url[64];
    char rest_url[64];
    struct endpoints endpoints;
    struct poster *poster;
    struct post_outcome outcome;
    size_t outcomes;
    struct error err;
};

static void keep_outcome(void *ctx, size_t slot, const struct post_outcome *outcome)
{
    struct fixture *f = ctx;
    assert_int_equal(slot, 0);
    f->outcome = *outcome;
    f->outcomes++;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    env_init_seeded(&f->env, 1);
    answer_server_start(&f->server, answers, sizeof(answers) / sizeof(answers[0]), NULL);
    f->endpoints = (struct endpoints){.invoke_url = f->invoke_url, .user_id = "u"};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->poster != NULL) {
        f->poster->ops->free(f->poster);
    }
    answer_server_stop(&f->server);
    free(f);
    return 0;
}

static void make_poster(struct fixture *f, const char *stage)
{
    snprintf(f->invoke_url, sizeof(f->invoke_url), "http://127.0.0.1:%d/%s", f->server.port, stage);
    assert_int_equal(poster_rest_new(&f->endpoints, &f->env, 1, &f->poster, &f->err), STATUS_OK);
    f->poster->done = keep_outcome;
    f->poster->ctx = f;
}

static void post(struct fixture *f, enum table_id table, const char *value)
{
    assert_int_equal(f->poster->ops->send(f->poster, 0, table, span_from_cstr(value), &f->err),
                     STATUS_OK);
    size_t before = f->outcomes;
    for (int i = 0; i < 500 && f->outcomes == before; i++) {
        assert_int_equal(f->poster->ops->run(f->poster, 20, &f->err), STATUS_OK);
    }
    assert_int_equal(f->outcomes, before + 1);
}

static void a_row_is_posted_as_the_script_posts_it(void **state)
{
    struct fixture *f = *state;
    make_poster(f, "good");
    assert_string_equal(f->poster->ops->target(f->poster, TABLE_PIN), "u.pin");
    post(f, TABLE_PIN, "{\"index\":7}");
    assert_int_equal(f->outcome.result, POST_ACKED);
    assert_int_equal(f->outcome.partition, 0);
    assert_int_equal(f->outcome.offset, 41);
    assert_true(
        strncmp(answer_server_last(&f->server), "POST /good/topics/u.pin HTTP/1.1\r\n", 34) == 0);
    assert_non_null(strstr(answer_server_last(&f->server),
                           "\r\nContent-Type: application/vnd.kafka.json.v2+json\r\n"));
    assert_non_null(strstr(answer_server_last(&f->server),
                           "\r\n\r\n{\"records\":[{\"value\":{\"index\":7}}]}"));
    assert_null(strstr(answer_server_last(&f->server), "x-api-key"));
}

static void posts_share_one_connection(void **state)
{
    struct fixture *f = *state;
    make_poster(f, "good");
    for (int i = 0; i < 5; i++) {
        post(f, TABLE_PIN, "{}");
    }
    assert_int_equal(atomic_load(&f->server.connections), 1);
}

static void an_api_key_goes_with_posts_and_questions(void **state)
{
    struct fixture *f = *state;
    char id[POSTER_CLUSTER_ID_BYTES_MAX];
    f->endpoints.api_key = "key-1";
    make_poster(f, "good");
    post(f, TABLE_PIN, "{}");
    assert_non_null(strstr(answer_server_last(&f->server), "\r\nx-api-key: key-1\r\n"));
    assert_int_equal(f->poster->ops->identify(f->poster, id, &f->err), STATUS_OK);
    assert_non_null(strstr(answer_server_last(&f->server), "\r\nx-api-key: key-1\r\n"));
}

static void a_refusal_carries_the_servers_words_and_hint(void **state)
{
    struct fixture *f = *state;
    make_poster(f, "good");
    post(f, TABLE_GEO, "{}");
    assert_int_equal(f->outcome.result, POST_GIVE_UP);
    assert_int_equal(f->outcome.http_status, 403);
    assert_string_equal(f->outcome.reason, "HTTP 403: Forbidden (hint: set api_key)");
}

static void the_cluster_is_asked_where_the_posts_go(void **state)
{
    struct fixture *f = *state;
    char id[POSTER_CLUSTER_ID_BYTES_MAX];
    make_poster(f, "good");
    assert_int_equal(f->poster->ops->identify(f->poster, id, &f->err), STATUS_OK);
    assert_string_equal(id, "abc-123");
    assert_true(strncmp(answer_server_last(&f->server), "GET /good/v3/clusters ", 22) == 0);
}

static void a_gateway_without_v3_sends_us_to_the_proxy(void **state)
{
    struct fixture *f = *state;
    char id[POSTER_CLUSTER_ID_BYTES_MAX];
    snprintf(f->rest_url, sizeof(f->rest_url), "http://127.0.0.1:%d/direct", f->server.port);
    f->endpoints.rest_url = f->rest_url;
    make_poster(f, "no-v3");
    assert_int_equal(f->poster->ops->identify(f->poster, id, &f->err), STATUS_OK);
    assert_string_equal(id, "abc-123");
}

static void a_server_that_tells_no_cluster_is_no_error(void **state)
{
    struct fixture *f = *state;
    char id[POSTER_CLUSTER_ID_BYTES_MAX] = "x";
    make_poster(f, "web");
    assert_int_equal(f->poster->ops->identify(f->poster, id, &f->err), STATUS_OK);
    assert_string_equal(id, "");
}

static void a_gateway_without_its_proxy_is_busy(void **state)
{
    struct fixture *f = *state;
    char id[POSTER_CLUSTER_ID_BYTES_MAX];
    make_poster(f, "down");
    assert_int_equal(f->poster->ops->identify(f->poster, id, &f->err), STATUS_BUSY);
    assert_non_null(strstr(f->err.message, "502"));
}

static void nothing_listening_names_what_to_start(void **state)
{
    struct fixture *f = *state;
    char id[POSTER_CLUSTER_ID_BYTES_MAX];
    snprintf(f->invoke_url, sizeof(f->invoke_url), "http://127.0.0.1:1/test");
    assert_int_equal(poster_rest_new(&f->endpoints, &f->env, 1, &f->poster, &f->err), STATUS_OK);
    assert_int_equal(f->poster->ops->identify(f->poster, id, &f->err), STATUS_UNREACHABLE);
    assert_non_null(strstr(f->err.message, "http://127.0.0.1:1/test"));
    assert_non_null(strstr(f->err.message, "pinpipe serve"));
}

static void a_post_that_finds_nobody_is_surely_not_kept(void **state)
{
    struct fixture *f = *state;
    make_poster(f, "good");
    f->poster->ops->free(f->poster);
    snprintf(f->invoke_url, sizeof(f->invoke_url), "http://127.0.0.1:1/test");
    assert_int_equal(poster_rest_new(&f->endpoints, &f->env, 1, &f->poster, &f->err), STATUS_OK);
    f->poster->done = keep_outcome;
    f->poster->ctx = f;
    post(f, TABLE_PIN, "{}");
    assert_int_equal(f->outcome.result, POST_RETRY);
    assert_true(f->outcome.unreachable);
    assert_false(f->outcome.maybe_kept);
}

static void a_cancelled_post_reports_nothing_and_frees_its_slot(void **state)
{
    struct fixture *f = *state;
    make_poster(f, "good");
    assert_int_equal(f->poster->ops->send(f->poster, 0, TABLE_PIN, span_from_cstr("{}"), &f->err),
                     STATUS_OK);
    f->poster->ops->cancel(f->poster, 0);
    assert_int_equal(f->poster->ops->run(f->poster, 10, &f->err), STATUS_OK);
    assert_int_equal(f->outcomes, 0);
    post(f, TABLE_PIN, "{}");
    assert_int_equal(f->outcome.result, POST_ACKED);
}

#define POSTER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POSTER_TEST(a_row_is_posted_as_the_script_posts_it),
        POSTER_TEST(posts_share_one_connection),
        POSTER_TEST(an_api_key_goes_with_posts_and_questions),
        POSTER_TEST(a_refusal_carries_the_servers_words_and_hint),
        POSTER_TEST(the_cluster_is_asked_where_the_posts_go),
        POSTER_TEST(a_gateway_without_v3_sends_us_to_the_proxy),
        POSTER_TEST(a_server_that_tells_no_cluster_is_no_error),
        POSTER_TEST(a_gateway_without_its_proxy_is_busy),
        POSTER_TEST(nothing_listening_names_what_to_start),
        POSTER_TEST(a_post_that_finds_nobody_is_surely_not_kept),
        POSTER_TEST(a_cancelled_post_reports_nothing_and_frees_its_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
