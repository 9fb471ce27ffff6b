/* The Connect client's side: configurations as people paste them, and a worker's answers. */
#include "answer_server.h"
#include "connect_client.h"
#include "connect_properties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { text_max = 64 * 1024 };

static void gather_note(void *ctx, const char *text)
{
    struct buf *notes = ctx;
    buf_printf(notes, "%s|", text);
}

static void properties_become_a_map_and_traps_are_noted_not_mended(void **state)
{
    static const struct {
        const char *text;
        const char *json;
        const char *note; /* "" none */
    } cases[] = {
        {"", "{}", ""},
        {"# a\nb=c\n! d\ne : f\n", "{\"b\":\"c\",\"e\":\"f\"}", ""},
        {"a=1\nb=2\na=3\n", "{\"b\":\"2\",\"a\":\"3\"}",
         "line 3: a is set again; the last value counts|"},
        {"s3.bucket.name=user-x-bucket # my bucket\n",
         "{\"s3.bucket.name\":\"user-x-bucket # my bucket\"}",
         "line 1: the value of s3.bucket.name goes on to the end of the line, with \"# my "
         "bucket\": a comment needs a line of its own|"},
        {"topics.regex=x.* \n", "{\"topics.regex\":\"x.* \"}",
         "line 1: the value of topics.regex has blanks at its end; Kafka Connect cuts them off "
         "most settings, other programs do not|"},
        {"color=#fff\nurl=http://h/#top", "{\"color\":\"#fff\",\"url\":\"http://h/#top\"}", ""},
        {"q=say \"a\\\\b\"", "{\"q\":\"say \\\"a\\\\b\\\"\"}", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf json;
        struct buf notes;
        struct error err;
        buf_init(&json, text_max);
        buf_init(&notes, text_max);
        assert_int_equal(connect_properties_to_json(span_from_cstr(cases[i].text), gather_note,
                                                    &notes, &json, &err),
                         STATUS_OK);
        assert_string_equal(buf_cstr(&json), cases[i].json);
        assert_string_equal(buf_cstr(&notes), cases[i].note);
        buf_release(&json);
        buf_release(&notes);
    }
}

static void too_many_or_broken_settings_are_refused_by_line(void **state)
{
    struct buf text;
    struct buf json;
    struct error err;
    (void)state;
    buf_init(&text, text_max);
    buf_init(&json, text_max);
    for (int i = 0; i <= CONNECT_CONFIG_KEYS_MAX; i++) {
        buf_printf(&text, "k%d=v\n", i);
    }
    assert_int_equal(connect_properties_to_json(buf_span(&text), NULL, NULL, &json, &err),
                     STATUS_INVALID);
    assert_non_null(strstr(err.message, "line 1025"));
    assert_int_equal(connect_properties_to_json(SPAN_LIT("a=b\nc=\\u12"), NULL, NULL, &json, &err),
                     STATUS_INVALID);
    assert_non_null(strstr(err.message, "line 2"));
    buf_release(&text);
    buf_release(&json);
}

static void a_document_is_taken_in_every_form(void **state)
{
    static const struct {
        const char *text;
        const char *config; /* NULL: refused */
        const char *name;
        const char *class;
    } cases[] = {
        {"connector.class=C\nname=n\n", "{\"connector.class\":\"C\"}", "n", "C"},
        {"{\"connector.class\":\"C\",\"tasks.max\":3}",
         "{\"connector.class\":\"C\",\"tasks.max\":3}", "", "C"},
        {" {\"name\" : \"n\", \"config\" : {\"name\":\"other\",\"a\":\"b\"}} ", "{\"a\":\"b\"}",
         "n", ""},
        {"{\"config\":{\"name\":\"n\"}}", "{}", "n", ""},
        /* A setting that is called "config" wraps nothing. */
        {"{\"config\":\"x\",\"name\":\"n\"}", "{\"config\":\"x\"}", "n", ""},
        {"\xef\xbb\xbf{\"n\\u0061me\":\"n\"}", "{}", "n", ""},
        {"{\"a\":}", NULL, "", ""},
        {"{\"a\":1} x", NULL, "", ""},
        {"{", NULL, "", ""},
        {"a=\\uzzzz", NULL, "", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct connect_document document;
        struct error err = ERROR_NONE;
        connect_document_init(&document);
        enum status status =
            connect_document_read(span_from_cstr(cases[i].text), NULL, NULL, &document, &err);
        if (cases[i].config == NULL) {
            assert_int_equal(status, STATUS_INVALID);
            assert_string_not_equal(err.message, "");
        } else {
            assert_int_equal(status, STATUS_OK);
            assert_string_equal(buf_cstr(&document.config), cases[i].config);
            assert_string_equal(buf_cstr(&document.name), cases[i].name);
            assert_string_equal(buf_cstr(&document.class), cases[i].class);
        }
        connect_document_release(&document);
    }
}

/* specs/s3-sink-connector.md section 1: these keys and no others. */
static void the_workshops_configuration_is_the_workshops(void **state)
{
    static const char *const settings[] = {
        "\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\"",
        "\"s3.region\":\"us-east-1\"",
        "\"flush.size\":\"1\"",
        "\"schema.compatibility\":\"NONE\"",
        "\"tasks.max\":\"3\"",
        "\"topics.regex\":\"0e36c8cd403d.*\"",
        "\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\"",
        "\"partitioner.class\":\"io.confluent.connect.storage.partitioner.DefaultPartitioner\"",
        "\"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\"",
        "\"value.converter.schemas.enable\":\"false\"",
        "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\"",
        "\"key.converter\":\"org.apache.kafka.connect.storage.StringConverter\"",
        "\"s3.bucket.name\":\"user-0e36c8cd403d-bucket\"",
    };
    struct buf config;
    size_t bytes = 2; /* the braces */
    (void)state;
    buf_init(&config, text_max);
    connect_workshop_config("0e36c8cd403d", &config);
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        assert_non_null(strstr(buf_cstr(&config), settings[i]));
        bytes += strlen(settings[i]) + (i > 0 ? 1 : 0);
    }
    assert_int_equal(config.len, bytes);
    buf_release(&config);
}

/* --- against canned answers ------------------------------------------------------------------ */

static bool reply(int fd, const char *status, const char *body)
{
    char head[128];
    snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status,
             strlen(body));
    answer_send(fd, span_from_cstr(head));
    answer_send(fd, span_from_cstr(body));
    return true;
}

struct bench {
    struct answer_server server;
    struct env env;
    char url[64];
    struct connect_client *client;
    struct buf answer;
    struct error err;
};

static void bench_open(struct bench *bench, answer_fn answer)
{
    memset(bench, 0, sizeof(*bench));
    env_init_virtual(&bench->env, 1, 0);
    answer_server_start(&bench->server, NULL, 0, answer);
    snprintf(bench->url, sizeof(bench->url), "http://127.0.0.1:%d", bench->server.port);
    buf_init(&bench->answer, text_max);
    const struct connect_client_options options = {.env = &bench->env, .url = bench->url};
    assert_int_equal(connect_client_new(&options, &bench->client, &bench->err), STATUS_OK);
}

static void bench_close(struct bench *bench)
{
    connect_client_free(bench->client);
    answer_server_stop(&bench->server);
    buf_release(&bench->answer);
}

static const struct canned {
    const char *path;
    const char *http;
    const char *body;
    enum status status;
    const char *words;
} canned[] = {
    {"/connectors/n/status", "200 OK", "{\"name\":\"n\"}", STATUS_OK, ""},
    {"/connectors/n", "204 No Content", "", STATUS_OK, ""},
    {"/missing", "404 x", "{\"error_code\":404,\"message\":\"Connector m not found\"}",
     STATUS_NOT_FOUND, "404: Connector m not found"},
    {"/exists", "409 x", "{\"error_code\":409,\"message\":\"Connector n already exists\"}",
     STATUS_EXISTS, "409: Connector n already exists"},
    {"/invalid", "400 x", "{\"error_code\":400,\"message\":\"2 error(s)\"}", STATUS_INVALID,
     "400: 2 error(s)"},
    {"/odd", "502 x", "<html>", STATUS_FAILED,
     "502: and not as Kafka Connect does (is connect_url right?): <html>"},
};

static bool answer_canned(int fd, const char *path)
{
    for (size_t i = 0; i < ARRAY_COUNT(canned); i++) {
        if (strcmp(canned[i].path, path) == 0) {
            return reply(fd, canned[i].http, canned[i].body);
        }
    }
    return false;
}

static void a_workers_answer_becomes_a_status_with_its_words(void **state)
{
    struct bench bench;
    (void)state;
    bench_open(&bench, answer_canned);
    for (size_t i = 0; i < ARRAY_COUNT(canned); i++) {
        bench.err = ERROR_NONE;
        assert_int_equal(connect_client_call(bench.client, "GET", canned[i].path, NULL,
                                             &bench.answer, &bench.err),
                         canned[i].status);
        if (strstr(bench.err.message, canned[i].words) == NULL) {
            fail_msg("%s: %s", canned[i].path, bench.err.message);
        }
        assert_string_equal(buf_cstr(&bench.answer),
                            canned[i].status == STATUS_OK ? canned[i].body : "");
    }
    bench_close(&bench);
}

static int rebalances_left;

static bool answer_rebalancing(int fd, const char *path)
{
    (void)path;
    return rebalances_left-- > 0
               ? reply(fd, "409 Conflict",
                       "{\"error_code\":409,\"message\":\"Cannot complete request momentarily due "
                       "to stale configuration\"}")
               : reply(fd, "200 OK", "[]");
}

static void a_rebalance_is_waited_for_up_to_a_limit(void **state)
{
    static const struct {
        int times;
        enum status expected;
    } cases[] = {{0, STATUS_OK}, {3, STATUS_OK}, {100, STATUS_EXISTS}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bench bench;
        rebalances_left = cases[i].times;
        bench_open(&bench, answer_rebalancing);
        assert_int_equal(connect_client_call(bench.client, "GET", "/connectors", NULL,
                                             &bench.answer, &bench.err),
                         cases[i].expected);
        assert_true(bench.server.requests <= 10);
        bench_close(&bench);
    }
}

static void names_are_encoded_and_bodies_whole(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, text_max);
    connect_path(&out, "a/b c?", "/status");
    assert_string_equal(buf_cstr(&out), "/connectors/a%2Fb%20c%3F/status");
    connect_create_body(&out, SPAN_LIT("a\"b"), SPAN_LIT("{\"x\":\"y\"}"));
    assert_string_equal(buf_cstr(&out), "{\"name\":\"a\\\"b\",\"config\":{\"x\":\"y\"}}");
    buf_release(&out);
}

static bool answer_census(int fd, const char *path)
{
    static const char body[] =
        "{\"a\":{\"status\":{\"connector\":{\"state\":\"RUNNING\"},\"tasks\":[{\"state\":"
        "\"FAILED\","
        "\"trace\":\"org.x: bad\\n\\tat y\\nCaused by: org.y: worse\\nCaused by: org.z: no "
        "field\\n\"},{\"state\":\"RUNNING\"}]},"
        "\"info\":{\"config\":{\"flush.size\":\"100\"}}},"
        "\"b\":{\"status\":{\"connector\":{\"state\":\"PAUSED\"},\"tasks\":[{\"state\":\"PAUSED\"}]"
        "}},"
        "\"c\":{\"status\":{\"connector\":{\"state\":\"RUNNING\"},\"tasks\":[]}}}";
    (void)path;
    return reply(fd, "200 OK", body);
}

static void the_census_counts_who_runs_and_names_who_failed(void **state)
{
    struct bench bench;
    struct connect_census census;
    (void)state;
    bench_open(&bench, answer_census);
    assert_int_equal(connect_client_census(bench.client, &census, &bench.err), STATUS_OK);
    assert_int_equal(census.connectors, 3);
    assert_int_equal(census.running, 1);
    assert_string_equal(census.failed, "a: org.z: no field");
    bench_close(&bench);
}

static bool answer_takers(int fd, const char *path)
{
#define RUNNING(name, size)                                                                        \
    "\"" name "\":{\"status\":{\"connector\":{\"state\":\"RUNNING\"},\"tasks\":[{\"state\":"       \
    "\"RUNNING\"}]},\"info\":{\"config\":{\"flush.size\":\"" size "\"}}}"
    if (strcmp(path, "/connectors/some/topics") == 0) {
        return reply(fd, "200 OK", "{\"some\":{\"topics\":[\"x\",\"b\"]}}");
    }
    if (strcmp(path, "/connectors/none/topics") == 0) {
        return reply(fd, "200 OK", "{\"none\":{\"topics\":[]}}");
    }
    if (strcmp(path, "/connectors/silent/topics") == 0) {
        return reply(fd, "403 Forbidden", "{\"error_code\":403,\"message\":\"disabled\"}");
    }
    return reply(
        fd, "200 OK",
        "{" RUNNING("one", "1") "," RUNNING("some", "100") "," RUNNING("none", "1000") "," RUNNING(
            "silent", "7") ",\"rests\":{\"status\":{\"connector\":{\"state\":"
                           "\"PAUSED\"}},\"info\":{\"config\":{\"flush.size\":\"5000\"}}}}");
}

static void a_flush_size_counts_for_the_topics_that_its_connector_takes(void **state)
{
    static const char *const topics[] = {"a", "b", NULL};
    struct bench bench;
    int64_t sizes[2];
    (void)state;
    bench_open(&bench, answer_takers);
    assert_int_equal(connect_client_flush_sizes(bench.client, topics, sizes, &bench.err),
                     STATUS_OK);
    assert_int_equal(sizes[0], 7); /* who does not tell counts for all */
    assert_int_equal(sizes[1], 100);
    bench_close(&bench);
}

static bool answer_landing(int fd, const char *path)
{
    static const char body[] =
        "{\"other\":{\"info\":{\"config\":{\"topics.regex\":\"u2.*\",\"s3.bucket.name\":\"no\"}}},"
        "\"failed\":{\"info\":{\"config\":{\"topics\":\"u1.pin,u1.geo\",\"s3.bucket.name\":"
        "\"mine\"}"
        "},\"status\":{\"connector\":{\"state\":\"FAILED\"},\"tasks\":[]}},"
        "\"all\":{\"info\":{\"config\":{\"topics.regex\":\".*\"}}}}";
    if (strcmp(path, "/connectors/all/topics") == 0) {
        return reply(fd, "200 OK", "{\"all\":{\"topics\":[\"u3.pin\"]}}");
    }
    return strcmp(path, "/connectors/other/topics") == 0
               ? reply(fd, "200 OK", "{\"other\":{\"topics\":[\"u2.pin\"]}}")
               : reply(fd, "200 OK", body);
}

/* One that has failed is in use all the same: that is why nothing lands. */
static void a_users_connector_is_found_by_its_settings_or_by_what_it_took(void **state)
{
    static const struct {
        const char *user;
        const char *topic;
        bool found;
        const char *bucket;
    } cases[] = {{"u1", "u1.pin", true, "mine"},
                 {"u2", "u2.pin", true, "no"},
                 {"u3", "u3.pin", true, ""},
                 {"u4", "u4.pin", false, ""}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *topics[] = {cases[i].topic, NULL};
        struct bench bench;
        struct connect_landing landing;
        bench_open(&bench, answer_landing);
        assert_int_equal(
            connect_client_find_landing(bench.client, cases[i].user, topics, &landing, &bench.err),
            STATUS_OK);
        assert_int_equal(landing.found, cases[i].found);
        assert_string_equal(landing.bucket, cases[i].bucket);
        bench_close(&bench);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(properties_become_a_map_and_traps_are_noted_not_mended),
        cmocka_unit_test(too_many_or_broken_settings_are_refused_by_line),
        cmocka_unit_test(a_document_is_taken_in_every_form),
        cmocka_unit_test(the_workshops_configuration_is_the_workshops),
        cmocka_unit_test(a_workers_answer_becomes_a_status_with_its_words),
        cmocka_unit_test(a_rebalance_is_waited_for_up_to_a_limit),
        cmocka_unit_test(names_are_encoded_and_bodies_whole),
        cmocka_unit_test(the_census_counts_who_runs_and_names_who_failed),
        cmocka_unit_test(a_flush_size_counts_for_the_topics_that_its_connector_takes),
        cmocka_unit_test(a_users_connector_is_found_by_its_settings_or_by_what_it_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
