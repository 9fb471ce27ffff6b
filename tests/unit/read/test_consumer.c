#include "answer_server.h"
#include "consumer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define REPLY(status, type, length, body)                                                          \
    SPAN_INIT("HTTP/1.1 " status "\r\nContent-Type: " type "\r\nContent-Length: " length           \
              "\r\n\r\n" body)
#define V2 "application/vnd.kafka.v2+json"
#define J2 "application/vnd.kafka.json.v2+json"

#define PARTITIONS                                                                                 \
    {                                                                                              \
        "/test/topics/t.pin/partitions",                                                           \
            REPLY("200 OK", V2, "47", "[{\"partition\":0,\"leader\":1,\"replicas\":[]}]     "),    \
            false                                                                                  \
    }
#define CREATE(base_uri, length)                                                                   \
    {                                                                                              \
        "/test/consumers/g",                                                                       \
            REPLY("200 OK", V2, length, "{\"instance_id\":\"i\",\"base_uri\":\"" base_uri "\"}"),  \
            false                                                                                  \
    }
#define SUBSCRIBE                                                                                  \
    {                                                                                              \
        "/test/consumers/g/instances/i/subscription",                                              \
            SPAN_INIT("HTTP/1.1 204 No Content\r\n\r\n"), false                                    \
    }
#define COMMIT                                                                                     \
    {                                                                                              \
        "/test/consumers/g/instances/i/offsets", REPLY("200 OK", V2, "2", "[]"), false             \
    }
#define DELETE_                                                                                    \
    {                                                                                              \
        "/test/consumers/g/instances/i", SPAN_INIT("HTTP/1.1 204 No Content\r\n\r\n"), false       \
    }
#define RECORDS "/test/consumers/g/instances/i/records"

struct sink_log {
    char values[256];
    char notes[512];
    enum status answer;
};

static enum status take(void *ctx, const struct page_record *record, struct error *err)
{
    struct sink_log *log = ctx;
    size_t used = strlen(log->values);
    snprintf(log->values + used, sizeof(log->values) - used, "%.*s ", SPAN_ARG(record->value));
    return log->answer == STATUS_OK ? STATUS_OK : error_set(err, log->answer, "stdout is full");
}

static enum status flush(void *ctx, struct error *err)
{
    (void)ctx;
    (void)err;
    return STATUS_OK;
}

static void note(void *ctx, const char *text)
{
    struct sink_log *log = ctx;
    size_t used = strlen(log->notes);
    snprintf(log->notes + used, sizeof(log->notes) - used, "%s\n", text);
}

struct outcome {
    enum status status;
    struct consumer_summary summary;
    struct sink_log log;
    struct error err;
    char last_request[512];
};

/* Consumes from a server with these answers; at most `messages`. */
static struct outcome consume(const struct answer *answers, size_t count, uint64_t messages,
                              enum status sink_answer)
{
    static struct answer_server server;
    struct outcome outcome = {.log = {.answer = sink_answer}};
    struct env env;
    char url[64];
    env_init_system(&env);
    memset(&server, 0, sizeof(server));
    answer_server_start(&server, answers, count, NULL);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/test", server.port);
    const struct consumer_options options = {
        .env = &env,
        .endpoints = {.invoke_url = url},
        .topic = "t.pin",
        .group = "g",
        .messages_max = messages,
    };
    const struct consumer_sink sink = {&outcome.log, take, flush, note};
    outcome.status = consumer_run(&options, &sink, &outcome.summary, &outcome.err);
    answer_server_stop(&server);
    snprintf(outcome.last_request, sizeof(outcome.last_request), "%.400s",
             answer_server_last(&server));
    return outcome;
}

static void what_was_taken_is_counted_and_the_instance_is_deleted(void **state)
{
    static const struct answer answers[] = {
        PARTITIONS,
        CREATE("http://ec2.internal:8082/consumers/g/instances/i", "81"),
        SUBSCRIBE,
        {RECORDS,
         REPLY("200 OK", J2, "129",
               "[{\"topic\":\"t.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":7},"
               "{\"topic\":\"t.pin\",\"key\":null,\"value\":2,\"partition\":0,\"offset\":8}]"),
         false},
        COMMIT,
        DELETE_,
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 1, STATUS_OK);
    assert_int_equal(o.status, STATUS_OK);
    assert_int_equal(o.summary.records, 1);
    assert_string_equal(o.log.values, "1 ");
    assert_non_null(strstr(o.last_request, "DELETE /test/consumers/g/instances/i HTTP/1.1"));
    assert_non_null(strstr(o.log.notes, "base_uri names http://ec2.internal:8082"));
}

static void a_lost_instance_says_what_happened_and_what_to_do(void **state)
{
    static const struct answer answers[] = {
        PARTITIONS,
        CREATE("", "33"),
        SUBSCRIBE,
        {RECORDS,
         REPLY("404 Not Found", V2, "61",
               "{\"error_code\":40403,\"message\":\"Consumer instance not found.\"}"),
         false},
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 1, STATUS_OK);
    assert_int_equal(o.status, STATUS_NOT_FOUND);
    assert_non_null(strstr(o.err.message, "no longer knows this consumer instance"));
    assert_non_null(strstr(o.err.message, "run the command again"));
}

static void a_record_that_is_not_json_is_explained_and_the_instance_deleted(void **state)
{
    static const struct answer answers[] = {
        PARTITIONS,
        CREATE("", "33"),
        SUBSCRIBE,
        {RECORDS,
         REPLY("408 Request Timeout", J2, "51",
               "{\"error_code\":40801,\"message\":\"JsonParseException\"}"),
         false},
        DELETE_,
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 1, STATUS_OK);
    assert_int_equal(o.status, STATUS_INVALID);
    assert_non_null(strstr(o.err.message, "t.pin is not JSON"));
    assert_non_null(strstr(o.last_request, "DELETE "));
}

static void a_sink_that_fails_ends_it_and_the_instance_is_deleted(void **state)
{
    static const struct answer answers[] = {
        PARTITIONS,
        CREATE("", "33"),
        SUBSCRIBE,
        {RECORDS,
         REPLY("200 OK", J2, "65",
               "[{\"topic\":\"t.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":7}]"),
         false},
        DELETE_,
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 5, STATUS_DISK_FULL);
    assert_int_equal(o.status, STATUS_DISK_FULL);
    assert_string_equal(o.err.message, "stdout is full");
    assert_int_equal(o.summary.records, 0);
    assert_non_null(strstr(o.last_request, "DELETE "));
}

static void an_answer_that_is_no_page_gives_an_error(void **state)
{
    static const struct answer answers[] = {
        PARTITIONS, CREATE("", "33"),
        SUBSCRIBE,  {RECORDS, REPLY("200 OK", J2, "13", "[{\"topic\":1}]"), false},
        DELETE_,
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 5, STATUS_OK);
    assert_int_equal(o.status, STATUS_FAILED);
    assert_non_null(strstr(o.err.message, "not a page of records"));
}

static void refusals_name_the_servers_words_and_its_hint(void **state)
{
    static const struct answer answers[] = {
        {"/test/topics/t.pin/partitions",
         SPAN_INIT("HTTP/1.1 403 Forbidden\r\nX-Pinpipe-Hint: the stage is prod\r\n"
                   "Content-Length: 23\r\n\r\n{\"message\":\"Forbidden\"}"),
         false},
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 5, STATUS_OK);
    assert_int_equal(o.status, STATUS_CONFIG);
    assert_non_null(strstr(o.err.message, "answered 403 (Forbidden); the stage is prod"));
}

static void a_web_site_in_place_of_the_gateway_is_recognised(void **state)
{
    static const struct answer answers[] = {
        {"/test/topics/t.pin/partitions", REPLY("200 OK", "text/html", "15", "<html>hi</html>"),
         false},
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 5, STATUS_OK);
    assert_int_equal(o.status, STATUS_FAILED);
    assert_non_null(strstr(o.err.message, "is not JSON; is invoke_URL"));
}

static void an_unknown_topic_names_the_command_that_makes_it(void **state)
{
    static const struct answer answers[] = {
        {"/test/topics/t.pin/partitions",
         REPLY("404 Not Found", V2, "80",
               "{\"error_code\":40403,\"message\":\"This server does not host this "
               "topic-partition.\"}"),
         false},
    };
    (void)state;
    struct outcome o = consume(answers, ARRAY_COUNT(answers), 5, STATUS_OK);
    assert_int_equal(o.status, STATUS_NOT_FOUND);
    assert_non_null(strstr(o.err.message, "pinpipe topics create t.pin"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_is_counted_and_the_instance_is_deleted),
        cmocka_unit_test(a_lost_instance_says_what_happened_and_what_to_do),
        cmocka_unit_test(a_record_that_is_not_json_is_explained_and_the_instance_deleted),
        cmocka_unit_test(a_sink_that_fails_ends_it_and_the_instance_is_deleted),
        cmocka_unit_test(an_answer_that_is_no_page_gives_an_error),
        cmocka_unit_test(refusals_name_the_servers_words_and_its_hint),
        cmocka_unit_test(a_web_site_in_place_of_the_gateway_is_recognised),
        cmocka_unit_test(an_unknown_topic_names_the_command_that_makes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
