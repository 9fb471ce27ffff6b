/* The REST proxy's answers as a client reads them, one call at a time, against a server that says
 * whatever the test wants: of the wrong type, cut, refused, not a proxy's at all. */
#include "rest_client.h"

#include "answer_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum call { PARTITIONS, OFFSETS, CLUSTER, CREATE, ASSIGNED, RECORDS, CALLS };

struct said {
    int status;
    const char *headers;
    const char *body;
};

struct bench {
    struct answer_server server;
    struct env env;
    char url[64]; /* the client borrows it */
    struct rest_client *client;
    struct said says;
    int refusals; /* so many requests get a 503 first */
    struct error err;
    char result[512];
};

static struct bench *served; /* the server's callback has no context */

static bool answers(int fd, const char *path)
{
    char answer[8192];
    bool refused = served->refusals > 0;
    const struct said *says = &served->says;
    (void)path;
    served->refusals -= refused ? 1 : 0;
    int len = snprintf(answer, sizeof(answer), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s",
                       refused ? 503 : says->status, says->headers,
                       refused ? (size_t)0 : strlen(says->body), refused ? "" : says->body);
    answer_send(fd, span_from(answer, (size_t)len));
    return true;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    served = b;
    env_init_system(&b->env);
    answer_server_start(&b->server, NULL, 0, answers);
    snprintf(b->url, sizeof(b->url), "http://127.0.0.1:%d", b->server.port);
    const struct rest_client_options options = {
        .env = &b->env, .invoke_url = b->url, .api_key = "k", .answer_bytes_max = 4096};
    assert_int_equal(rest_client_new(&options, &b->client, &b->err), STATUS_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    rest_client_free(b->client);
    answer_server_stop(&b->server);
    free(b);
    return 0;
}

/* What the call made of the answer stands in b->result. */
static enum status ask(struct bench *b, enum call call)
{
    const struct rest_instance instance = {.group = "g", .id = "i"};
    const struct rest_instance_options create = {
        .group = "g", .format = "json", .auto_offset_reset = "earliest", .fetch_min_bytes = 1};
    struct rest_instance made;
    int32_t count = -1;
    int64_t begin = -1;
    int64_t end = -1;
    size_t assigned = 99;
    char id[8] = "";
    struct buf page;
    enum status status = STATUS_OK;
    b->result[0] = '\0';
    b->err = ERROR_NONE;
    switch (call) {
    case PARTITIONS:
        status = rest_topic_partitions(b->client, "t", &count, &b->err);
        snprintf(b->result, sizeof(b->result), "%d", (int)count);
        break;
    case OFFSETS:
        status = rest_partition_offsets(b->client, "t", 0, &begin, &end, &b->err);
        snprintf(b->result, sizeof(b->result), "%lld %lld", (long long)begin, (long long)end);
        break;
    case CLUSTER:
        status = rest_cluster_id(b->client, id, sizeof(id), &b->err);
        snprintf(b->result, sizeof(b->result), "%s", id);
        break;
    case CREATE:
        status = rest_instance_create(b->client, &create, &made, &b->err);
        snprintf(b->result, sizeof(b->result), "%s", status == STATUS_OK ? made.id : "");
        break;
    case ASSIGNED:
        status = rest_instance_assigned(b->client, &instance, &assigned, &b->err);
        snprintf(b->result, sizeof(b->result), "%zu", assigned);
        break;
    case RECORDS:
    case CALLS:
        buf_init(&page, 4096);
        status =
            rest_records_start(b->client, &instance, (struct rest_fetch){10, 1000, false}, &b->err);
        rest_records_poll(b->client);
        status = status == STATUS_OK ? rest_records_wait(b->client, &page, &b->err) : status;
        snprintf(b->result, sizeof(b->result), "%.100s", buf_cstr(&page));
        buf_release(&page);
        break;
    }
    return status;
}

static void answers_of_the_right_shape_are_read(void **state)
{
    static const struct {
        enum call call;
        const char *body;
        const char *result;
    } cases[] = {
        {PARTITIONS, "[]", "0"},
        {PARTITIONS, "[{\"partition\":0},{\"partition\":1}]", "2"},
        {OFFSETS, "{\"beginning_offset\":3,\"end_offset\":9007199254740991}", "3 9007199254740991"},
        {CLUSTER, "{\"data\":[{\"cluster_id\":\"1234567\"}]}", "1234567"},
        {CREATE, "{\"instance_id\":\"i\",\"base_uri\":\"http://h\"}", "i"},
        {CREATE, "{\"instance_id\":\"i\"}", "i"},
        {ASSIGNED, "{\"partitions\":[{\"topic\":\"t\",\"partition\":0}]}", "1"},
        {ASSIGNED, "{\"partitions\":[]}", "0"},
        {RECORDS, "[]", "[]"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        b->says = (struct said){200, "", cases[i].body};
        if (ask(b, cases[i].call) != STATUS_OK) {
            fail_msg("%s: %s", cases[i].body, b->err.message);
        }
        assert_string_equal(b->result, cases[i].result);
    }
}

static void answers_of_another_shape_are_refused(void **state)
{
    static const struct {
        enum call call;
        const char *body;
        const char *words;
    } cases[] = {
        {PARTITIONS, "{}", "another shape"},
        {PARTITIONS, "null", "another shape"},
        {PARTITIONS, "[{\"partition\":0}", "is not JSON"},
        {PARTITIONS, "", "is not JSON"},
        {PARTITIONS, "<html>welcome</html>", "is not JSON"},
        {PARTITIONS, "[] and more", "is not JSON"},
        {PARTITIONS, "[\"\xff\"]", "is not JSON"},
        {OFFSETS, "{\"end_offset\":1}", "another shape"},
        {OFFSETS, "{\"beginning_offset\":0}", "another shape"},
        {OFFSETS, "{\"beginning_offset\":\"0\",\"end_offset\":1}", "another shape"},
        {OFFSETS, "{\"beginning_offset\":0.5,\"end_offset\":1}", "another shape"},
        {OFFSETS, "[]", "another shape"},
        {CLUSTER, "{}", "another shape"},
        {CLUSTER, "{\"data\":[]}", "another shape"},
        {CLUSTER, "{\"data\":[{}]}", "another shape"},
        {CLUSTER, "{\"data\":[{\"cluster_id\":7}]}", "another shape"},
        {CLUSTER, "{\"data\":[{\"cluster_id\":\"12345678\"}]}", "another shape"}, /* too long */
        {CREATE, "{}", "another shape"},
        {CREATE, "{\"instance_id\":null}", "another shape"},
        {CREATE, "{\"instance_id\":", "is not JSON"},
        {ASSIGNED, "{}", "another shape"},
        {ASSIGNED, "{\"partitions\":{}}", "another shape"},
        {ASSIGNED, "[", "is not JSON"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        b->says = (struct said){200, "", cases[i].body};
        enum status status = ask(b, cases[i].call);
        if (status != STATUS_FAILED || strstr(b->err.message, cases[i].words) == NULL) {
            fail_msg("%s: %s: %s", cases[i].body, status_name(status), b->err.message);
        }
    }
}

static void every_call_tells_a_refusal_by_its_status(void **state)
{
    static const struct {
        struct said says;
        enum status status;
        const char *words;
    } cases[] = {
        {{400, "", "{\"error_code\":40002,\"message\":\"odd\"}"},
         STATUS_FAILED,
         "answered 400 (40002 odd)"},
        {{400, "", "{\"message\":\"odd\"}"}, STATUS_FAILED, "answered 400 (odd)"},
        {{400, "", "{\"message\":7}"}, STATUS_FAILED, "answered 400 ({\"message\":7})"},
        {{400, "", "[]"}, STATUS_FAILED, "answered 400 ([])"},
        {{403, "", "{\"message\":\"Forbidden\"}"}, STATUS_CONFIG, "answered 403 (Forbidden)"},
        {{403, "X-Pinpipe-Hint: the key\r\n", "{\"message\":\"Forbidden\"}"},
         STATUS_CONFIG,
         "answered 403 (Forbidden); the key"},
        {{404, "", "{\"error_code\":40401,\"message\":\"no topic\"}"},
         STATUS_NOT_FOUND,
         "40401 no topic"},
        {{408, "", "{\"error_code\":40801,\"message\":\"no JSON\"}"}, STATUS_INVALID, "no JSON"},
        {{504, "", "<h1>late</h1>"}, STATUS_UNREACHABLE, "answered 504 (<h1>late</h1>)"},
        {{301, "Location: /x\r\n", ""}, STATUS_FAILED, "answered 301 ()"},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (int call = 0; call < CALLS; call++) {
            b->says = cases[i].says;
            enum status status = ask(b, (enum call)call);
            if (status != cases[i].status || strstr(b->err.message, cases[i].words) == NULL) {
                fail_msg("call %d, %d: %s: %s", call, cases[i].says.status, status_name(status),
                         b->err.message);
            }
        }
    }
}

static void a_server_that_is_busy_for_a_moment_is_asked_again(void **state)
{
    struct bench *b = *state;
    b->says = (struct said){200, "", "[{\"partition\":0}]"};
    b->refusals = 2;
    assert_int_equal(ask(b, PARTITIONS), STATUS_OK);
    assert_string_equal(b->result, "1");
    assert_int_equal(b->server.requests, 3);
    b->says.status = 429;
    assert_int_equal(ask(b, PARTITIONS), STATUS_BUSY);
}

static void an_answer_that_does_not_end_is_not_taken_whole(void **state)
{
    static char endless[6000];
    struct bench *b = *state;
    memset(endless, ' ', sizeof(endless) - 1);
    for (int call = 0; call < CALLS; call++) {
        b->says = (struct said){200, "", endless};
        assert_int_equal(ask(b, (enum call)call), STATUS_ENDLESS);
        assert_non_null(strstr(b->err.message, "does not end within the 4096 bytes"));
    }
}

static void a_group_whose_name_is_too_long_is_refused_without_asking(void **state)
{
    struct bench *b = *state;
    struct rest_instance made;
    char group[REST_GROUP_BYTES + 1];
    memset(group, 'g', sizeof(group) - 1);
    group[sizeof(group) - 1] = '\0';
    const struct rest_instance_options create = {
        .group = group, .format = "json", .auto_offset_reset = "latest", .auto_commit = true};
    assert_int_equal(rest_instance_create(b->client, &create, &made, &b->err), STATUS_USAGE);
    assert_int_equal(b->server.requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_of_the_right_shape_are_read),
        TEST(answers_of_another_shape_are_refused),
        TEST(every_call_tells_a_refusal_by_its_status),
        TEST(a_server_that_is_busy_for_a_moment_is_asked_again),
        TEST(an_answer_that_does_not_end_is_not_taken_whole),
        TEST(a_group_whose_name_is_too_long_is_refused_without_asking),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
