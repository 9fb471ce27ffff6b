/* Connect's REST API. The expected answers are those of a Connect
 * 2.8.1 worker that was asked the same. */
#include "connect_rest.h"
#include "lost_turn.h"
#include "service_bench.h"
#include "store_objects.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONFIG_WITH(topics, more)                                                                  \
    "{\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\"," topics                     \
    "\"flush.size\":\"1\",\"tasks.max\":\"2\",\"s3.bucket.name\":\"user-u1-bucket\","              \
    "\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\","                         \
    "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\","                             \
    "\"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\"" more "}"
#define UNSCHEMED ",\"value.converter.schemas.enable\":\"false\""
#define REGEX     "\"topics.regex\":\"u1.*\","
#define CONFIG    CONFIG_WITH(REGEX, UNSCHEMED)
#define NAMED(name)                                                                                \
    "{\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\"," REGEX                      \
    "\"flush.size\":\"1\",\"tasks.max\":\"2\",\"s3.bucket.name\":\"user-u1-bucket\","              \
    "\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\","                         \
    "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\","                             \
    "\"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\""                          \
    ",\"value.converter.schemas.enable\":\"false\",\"name\":\"" name "\"}"
#define CREATE(name, config) "{\"name\":\"" name "\",\"config\":" config "}"
#define TASKS                                                                                      \
    "[{\"connector\":\"u1-connector\",\"task\":0},{\"connector\":\"u1-connector\",\"task\":1}]"
#define INFO(tasks)                                                                                \
    "{\"name\":\"u1-connector\",\"config\":" NAMED("u1-connector") ",\"tasks\":" tasks             \
                                                                   ",\"type\":\"sink\"}"
#define STATUS(connector, task0)                                                                   \
    "{\"name\":\"u1-connector\",\"connector\":{" connector "},\"tasks\":[{\"id\":0," task0         \
    "},{\"id\":1,\"state\":\"RUNNING\",\"worker_id\":\"127.0.0.1:8083\"}],\"type\":\"sink\"}"
#define RUNNING                "\"state\":\"RUNNING\",\"worker_id\":\"127.0.0.1:8083\""
#define ERROR(status, message) "{\"error_code\":" #status ",\"message\":\"" message "\"}"

/* But for a bucket. */
#define MINIMAL                                                                                    \
    "\"connector.class\":\"S3Sink\",\"topics\":\"u1.pin\",\"flush.size\":\"1\",\"tasks.max\":"     \
    "\"2\",\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\",\"storage.class\":" \
    "\"io.confluent.connect.s3.storage.S3Storage\""

struct fixture {
    struct service_bench bench;
    struct connect_rest *rest;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    service_bench_init(&f->bench);
    struct connect_rest_options options = {
        .worker = f->bench.worker,
        .env = &f->bench.env,
        .log = &f->bench.log,
        .user_id = "u1",
        .worker_id = "127.0.0.1:8083",
    };
    assert_int_equal(connect_rest_new(&options, &f->rest, NULL), STATUS_OK);
    f->bench.service = connect_rest_service(f->rest);
    assert_int_equal(store_bucket_create(f->bench.store, SPAN_LIT("user-u1-bucket"),
                                         SPAN_LIT("us-east-1"), NULL),
                     STATUS_OK);
    turn_end(&f->bench.turn);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    connect_rest_free(f->rest);
    service_bench_release(&f->bench);
    free(f);
    return 0;
}

static void expect(struct fixture *f, const char *method_target, const char *body, int status,
                   const char *answer)
{
    service_bench_call(&f->bench, method_target, NULL, body);
    if (f->bench.status != status || strcmp(f->bench.body, answer) != 0) {
        fail_msg("%s: %d %s\nexpected: %d %s", method_target, f->bench.status, f->bench.body,
                 status, answer);
    }
}

static void create(struct fixture *f)
{
    expect(f, "POST /connectors", CREATE("u1-connector", CONFIG), 201, INFO("[]"));
}

/* --- reading --- */

static void the_root_names_version_commit_and_cluster(void **state)
{
    struct fixture *f = *state;
    char answer[128];
    snprintf(answer, sizeof(answer),
             "{\"version\":\"2.8.1\",\"commit\":\"839b886f9b732b15\",\"kafka_cluster_id\":\"%s\"}",
             store_cluster_id(f->bench.store));
    expect(f, "GET /", NULL, 200, answer);
    assert_string_equal(f->bench.content_type, "application/json");
}

static void a_connector_is_created_and_read_back(void **state)
{
    struct fixture *f = *state;
    expect(f, "GET /connectors", NULL, 200, "[]");
    create(f);
    assert_string_equal(service_bench_header(&f->bench, "Location"),
                        "http://localhost:8083/connectors/u1-connector");
    assert_string_equal(f->bench.hint, "");
    expect(f, "GET /connectors", NULL, 200, "[\"u1-connector\"]");
    expect(f, "GET /connectors/u1-connector", NULL, 200, INFO(TASKS));
    expect(f, "GET /connectors/u1-connector/", NULL, 200, INFO(TASKS));
    expect(f, "GET /connectors/u1-connector/config", NULL, 200, NAMED("u1-connector"));
    expect(f, "GET /connectors/u1-connector/status", NULL, 200, STATUS(RUNNING, RUNNING));
    expect(f, "GET /connectors/u1-connector/tasks/1/status", NULL, 200, "{\"id\":1," RUNNING "}");
    service_bench_produce(&f->bench, "{}");
    expect(f, "GET /connectors/u1-connector/topics", NULL, 200,
           "{\"u1-connector\":{\"topics\":[\"u1.pin\"]}}");
}

static void a_list_can_be_expanded(void **state)
{
    struct fixture *f = *state;
    create(f);
    expect(f, "GET /connectors?expand=status", NULL, 200,
           "{\"u1-connector\":{\"status\":" STATUS(RUNNING, RUNNING) "}}");
    expect(f, "GET /connectors?expand=info", NULL, 200,
           "{\"u1-connector\":{\"info\":" INFO(TASKS) "}}");
    expect(f, "GET /connectors?expand=info&expand=status", NULL, 200,
           "{\"u1-connector\":{\"status\":" STATUS(RUNNING, RUNNING) ",\"info\":" INFO(TASKS) "}}");
    expect(f, "GET /connectors?expand=bogus", NULL, 200, "{\"u1-connector\":{}}");
    expect(f, "GET /connectors?forward=true", NULL, 200, "[\"u1-connector\"]");
}

static void tasks_show_their_configuration(void **state)
{
    struct fixture *f = *state;
    expect(f, "PUT /connectors/a/config",
           "{\"connector.class\":\"S3Sink\",\"topics\":\"t\",\"flush.size\":3,\"s3.bucket.name\":"
           "\"user-u1-bucket\",\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\","
           "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\"}",
           201,
           "{\"name\":\"a\",\"config\":{\"connector.class\":\"S3Sink\",\"topics\":\"t\","
           "\"flush.size\":\"3\",\"s3.bucket.name\":\"user-u1-bucket\",\"format.class\":"
           "\"io.confluent.connect.s3.format.json.JsonFormat\",\"storage.class\":"
           "\"io.confluent.connect.s3.storage.S3Storage\",\"name\":\"a\"},\"tasks\":[],\"type\":"
           "\"sink\"}");
#define TASK                                                                                       \
    "{\"connector.class\":\"S3Sink\",\"topics\":\"t\",\"flush.size\":\"3\",\"s3.bucket.name\":"    \
    "\"user-u1-bucket\",\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\","      \
    "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\",\"name\":\"a\",\"task."       \
    "class\":\"io.confluent.connect.s3.S3SinkTask\"}"
    expect(f, "GET /connectors/a/tasks", NULL, 200,
           "[{\"id\":{\"connector\":\"a\",\"task\":0},\"config\":" TASK "}]");
    expect(f, "GET /connectors/a/tasks-config", NULL, 200, "{\"a-0\":" TASK "}");
}

#define TASK_FAILED(id)                                                                            \
    "{\"id\":" #id ",\"state\":\"FAILED\",\"worker_id\":\"127.0.0.1:8083\",\"trace\":"             \
    "\"org.apache.kafka.connect.errors.ConnectException: Non-existent S3 bucket: nobody\\n\"}"

static void a_failed_task_shows_its_trace_until_it_is_restarted(void **state)
{
    struct fixture *f = *state;
    service_bench_call(&f->bench, "POST /connectors", NULL,
                       CREATE("u1-connector", CONFIG_WITH("\"topics\":\"u1.pin\",", UNSCHEMED)));
    service_bench_call(&f->bench, "PUT /connectors/u1-connector/config", NULL,
                       "{\"s3.bucket.name\":\"nobody\"," MINIMAL "}");
    assert_int_equal(f->bench.status, 200);
    expect(f, "GET /connectors/u1-connector/status", NULL, 200,
           "{\"name\":\"u1-connector\",\"connector\":{" RUNNING
           "},\"tasks\":[" TASK_FAILED(0) "," TASK_FAILED(1) "],\"type\":\"sink\"}");
    expect(f, "GET /connectors/u1-connector/tasks/1/status", NULL, 200, TASK_FAILED(1));
    assert_int_equal(
        store_bucket_create(f->bench.store, SPAN_LIT("nobody"), SPAN_LIT("us-east-1"), NULL),
        STATUS_OK);
    service_bench_call(&f->bench, "PUT /connectors/u1-connector/config", NULL,
                       "{" MINIMAL ",\"s3.bucket.name\":\"nobody\"}"); /* the same again */
    assert_int_equal(f->bench.status, 200);
    assert_non_null(strstr(f->bench.hint, "failed tasks stay failed"));
    expect(f, "POST /connectors/u1-connector/restart", NULL, 204, ""); /* not its tasks */
    expect(f, "GET /connectors/u1-connector/tasks/1/status", NULL, 200, TASK_FAILED(1));
    expect(f, "POST /connectors/u1-connector/tasks/1/restart", NULL, 204, "");
    expect(f, "GET /connectors/u1-connector/tasks/1/status", NULL, 200, "{\"id\":1," RUNNING "}");
    expect(f, "GET /connectors/u1-connector/tasks/0/status", NULL, 200, TASK_FAILED(0));
}

static void a_connector_that_cannot_start_shows_why(void **state)
{
    struct fixture *f = *state;
    service_bench_call(&f->bench, "PUT /connectors/c/config", NULL,
                       "{\"s3.bucket.name\":\"user-u1-bucket\",\"rotate.schedule.interval.ms\":"
                       "\"1000\"," MINIMAL "}");
    assert_int_equal(f->bench.status, 201);
    service_bench_call(&f->bench, "GET /connectors/c/status", NULL, NULL);
    assert_non_null(strstr(
        f->bench.body,
        "\"connector\":{\"state\":\"FAILED\",\"worker_id\":\"127.0.0.1:8083\",\"trace\":"
        "\"org.apache.kafka.common.config.ConfigException: timezone configuration must be set when "
        "using rotate.schedule.interval.ms"));
}

/* --- what is not there --- */

static void each_call_on_an_unknown_connector_has_its_own_words(void **state)
{
    static const struct {
        const char *request;
        int status;
        const char *answer;
    } cases[] = {
        {"GET /connectors/nope", 404, ERROR(404, "Connector nope not found")},
        {"GET /connectors/nope/config", 404, ERROR(404, "Connector nope not found")},
        {"GET /connectors/nope/status", 404, ERROR(404, "No status found for connector nope")},
        {"GET /connectors/nope/tasks", 404, ERROR(404, "Connector nope not found")},
        {"GET /connectors/nope/tasks-config", 404, ERROR(404, "Connector nope not found")},
        {"GET /connectors/nope/tasks/0/status", 404, ERROR(404, "No status found for task nope-0")},
        {"GET /connectors/nope/topics", 200, "{\"nope\":{\"topics\":[]}}"},
        {"PUT /connectors/nope/topics/reset", 202, ""},
        {"PUT /connectors/nope/pause", 404, ERROR(404, "Unknown connector nope")},
        {"PUT /connectors/nope/resume", 404, ERROR(404, "Unknown connector nope")},
        {"POST /connectors/nope/restart", 404, ERROR(404, "Unknown connector: nope")},
        {"POST /connectors/nope/tasks/0/restart", 404, ERROR(404, "Unknown connector: nope")},
        {"DELETE /connectors/nope", 404, ERROR(404, "Connector nope not found")},
        {"GET /connectors/u1-connector/tasks/7/status", 404,
         ERROR(404, "No status found for task u1-connector-7")},
        {"GET /connectors/u1-connector/tasks/-1/status", 404,
         ERROR(404, "No status found for task u1-connector--1")},
        {"GET /connectors/u1-connector/tasks/x/status", 404, ERROR(404, "HTTP 404 Not Found")},
        {"POST /connectors/u1-connector/tasks/9/restart", 404,
         ERROR(404, "Unknown task: u1-connector-9")},
        {"POST /connectors/u1-connector/tasks/99999999999/restart", 404,
         ERROR(404, "HTTP 404 Not Found")},
    };
    struct fixture *f = *state;
    create(f);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        expect(f, cases[i].request, NULL, cases[i].status, cases[i].answer);
        assert_string_equal(f->bench.content_type,
                            cases[i].answer[0] != '\0' ? "application/json" : "");
    }
}

static void jerseys_own_refusals_have_no_media_type(void **state)
{
    static const struct {
        const char *request;
        const char *headers;
        const char *body;
        int status;
        const char *answer;
    } cases[] = {
        {"GET /nope", NULL, NULL, 404, ERROR(404, "HTTP 404 Not Found")},
        {"GET /connectors/a/nope", NULL, NULL, 404, ERROR(404, "HTTP 404 Not Found")},
        {"DELETE /connectors", NULL, NULL, 405, ERROR(405, "HTTP 405 Method Not Allowed")},
        {"PATCH /connectors/a", NULL, NULL, 405, ERROR(405, "HTTP 405 Method Not Allowed")},
        {"POST /connectors", "Content-Type: application/x-www-form-urlencoded", "{}", 415,
         ERROR(415, "HTTP 415 Unsupported Media Type")},
        {"POST /connectors", "Content-Type: text/plain", "{}", 415,
         ERROR(415, "HTTP 415 Unsupported Media Type")},
        {"GET /connectors", "Accept: text/html", NULL, 406, ERROR(406, "HTTP 406 Not Acceptable")},
        {"GET /connectors", "Accept: application/json;q=0", NULL, 406,
         ERROR(406, "HTTP 406 Not Acceptable")},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        service_bench_call(&f->bench, cases[i].request, cases[i].headers, cases[i].body);
        assert_int_equal(f->bench.status, cases[i].status);
        assert_string_equal(f->bench.body, cases[i].answer);
        assert_string_equal(f->bench.content_type, "");
        assert_string_not_equal(f->bench.hint, "");
    }
    /* Without any type it is the reader of the body that refuses. */
    service_bench_call(&f->bench, "POST /connectors", "X: y", "{}");
    assert_int_equal(f->bench.status, 415);
    assert_string_equal(f->bench.content_type, "application/json");
    service_bench_call(&f->bench, "GET /connectors", "Accept: text/html, */*;q=0.1", NULL);
    assert_int_equal(f->bench.status, 200);
    service_bench_call(&f->bench, "PUT /connectors/a/config",
                       "Content-Type: application/json; charset=utf-8", "{}");
    assert_int_equal(f->bench.status, 400);
}

static void options_lists_the_methods_in_jerseys_order(void **state)
{
    static const char *const cases[][2] = {
        {"OPTIONS /connectors", "HEAD, POST, GET, OPTIONS"},
        {"OPTIONS /connectors/a", "HEAD, DELETE, GET, OPTIONS"},
        {"OPTIONS /connectors/a/config", "HEAD, GET, OPTIONS, PUT"},
        {"OPTIONS /connectors/a/pause", "OPTIONS, PUT"},
        {"OPTIONS /connectors/a/restart", "POST, OPTIONS"},
        {"OPTIONS /", "HEAD, GET, OPTIONS"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        expect(f, cases[i][0], NULL, 200, cases[i][1]);
        assert_string_equal(f->bench.content_type, "text/plain");
    }
    assert_string_equal(service_bench_header(&f->bench, "Allow"), "HEAD,GET,OPTIONS");
}

/* --- creating --- */

static void a_connector_that_exists_is_not_created_again(void **state)
{
    struct fixture *f = *state;
    create(f);
    expect(f, "POST /connectors", CREATE("u1-connector", CONFIG), 409,
           ERROR(409, "Connector u1-connector already exists"));
    assert_non_null(strstr(f->bench.hint, "PUT /connectors/<name>/config"));
    /* Its configuration is looked at first. */
    expect(f, "POST /connectors", CREATE("u1-connector", "{}"), 400,
           ERROR(400, "Connector config {name=u1-connector} contains no connector type"));
}

static void a_name_is_trimmed_and_escaped_in_the_location(void **state)
{
    struct fixture *f = *state;
    service_bench_call(&f->bench, "POST /connectors", NULL, CREATE("  x y ", CONFIG));
    assert_int_equal(f->bench.status, 201);
    assert_string_equal(service_bench_header(&f->bench, "Location"),
                        "http://localhost:8083/connectors/x%20y");
    assert_non_null(strstr(f->bench.body, "\"name\":\"x y\""));
    service_bench_call(&f->bench, "GET /connectors/x%20y", NULL, NULL);
    assert_int_equal(f->bench.status, 200);
    service_bench_call(&f->bench, "POST /connectors", NULL, CREATE("a/b", CONFIG));
    assert_string_equal(service_bench_header(&f->bench, "Location"),
                        "http://localhost:8083/connectors/a/b");
    service_bench_call(&f->bench, "DELETE /connectors/a%2Fb", NULL, NULL);
    assert_int_equal(f->bench.status, 204);
}

static void a_configuration_replaces_the_one_before(void **state)
{
    struct fixture *f = *state;
    create(f);
    /* The tasks are those from before. */
    expect(f, "PUT /connectors/u1-connector/config", NAMED("u1-connector"), 200, INFO(TASKS));
    expect(f, "PUT /connectors/u1-connector/config", NAMED("other"), 400,
           ERROR(400, "Connector name configuration (other) doesn't match connector name in the "
                      "URL (u1-connector)"));
    expect(f, "POST /connectors", CREATE("x", NAMED("y")), 400,
           ERROR(400, "Connector name configuration (y) doesn't match connector name in the URL "
                      "(x)"));
}

static void reconfiguring_keeps_what_msk_connect_said(void **state)
{
    struct fixture *f = *state;
    struct connect_connector_view view;
    create(f);
    assert_true(connect_worker_find(f->bench.worker, SPAN_LIT("u1-connector"), &view));
    struct connect_entries entries = *view.config;
    struct connect_spec spec = {SPAN_LIT("u1-connector"), &entries, SPAN_LIT("{\"arn\":\"x\"}")};
    assert_int_equal(connect_worker_put(f->bench.worker, &spec, NULL), STATUS_OK);
    service_bench_call(&f->bench, "PUT /connectors/u1-connector/config", NULL, CONFIG);
    assert_int_equal(f->bench.status, 200);
    assert_true(connect_worker_find(f->bench.worker, SPAN_LIT("u1-connector"), &view));
    assert_true(span_equal_cstr(view.msk, "{\"arn\":\"x\"}"));
}

#define REQUEST "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest"
#define STRING_OUT_OF(token)                                                                       \
    "Cannot deserialize instance of `java.lang.String` out of START_" token " token"

static void a_body_that_does_not_fit_is_told_in_jacksons_words(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *message;
    } cases[] = {
        {"not json", 500,
         "Unrecognized token 'not': was expecting (JSON String, Number, Array, Object or token "
         "'null', 'true' or 'false')"},
        {"[]", 500, "Cannot deserialize instance of `" REQUEST "` out of START_ARRAY token"},
        {"\"x\"", 500,
         "Cannot construct instance of `" REQUEST "` (although at least one Creator exists): no "
         "String-argument constructor/factory method to deserialize from String value ('x')"},
        {"", 500, "Cannot invoke \\\"" REQUEST ".name()\\\" because \\\"createRequest\\\" is null"},
        {"null", 500,
         "Cannot invoke \\\"" REQUEST ".name()\\\" because \\\"createRequest\\\" is null"},
        {"{\"name\":\"x\"}", 500,
         "Cannot invoke \\\"java.util.Map.get(Object)\\\" because \\\"connectorConfig\\\" is "
         "null"},
        {"{\"name\":\"x\",\"config\":null}", 500,
         "Cannot invoke \\\"java.util.Map.get(Object)\\\" because \\\"connectorConfig\\\" is "
         "null"},
        {"{\"name\":\"x\",\"config\":[\"a\"]}", 500,
         "Cannot deserialize instance of `java.util.LinkedHashMap<java.lang.Object,java.lang."
         "Object>` out of START_ARRAY token"},
        {"{\"name\":\"x\",\"config\":{\"a\":{\"b\":1}}}", 500, STRING_OUT_OF("OBJECT")},
        {"{\"name\":\"x\",\"config\":{\"a\":[1]}}", 500, STRING_OUT_OF("ARRAY")},
        {"{\"name\":[1],\"config\":{}}", 500, STRING_OUT_OF("ARRAY")},
        {"{\"name\":\"x\",\"config\":{},\"extra\":1}", 500,
         "Unrecognized field \\\"extra\\\" (class " REQUEST "), not marked as ignorable (2 known "
         "properties: \\\"config\\\", \\\"name\\\"])"},
        {"{\"name\":\"x\",\"config\":{}}", 400,
         "Connector config {name=x} contains no connector type"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char answer[1024];
        service_bench_call(&f->bench, "POST /connectors", NULL, cases[i].body);
        assert_int_equal(f->bench.status, cases[i].status);
        snprintf(answer, sizeof(answer), "{\"error_code\":%d,\"message\":\"%s\"}", cases[i].status,
                 cases[i].message != NULL ? cases[i].message : "");
        if (cases[i].message != NULL) {
            assert_string_equal(f->bench.body, answer);
        }
    }
    assert_int_equal(connect_worker_count(f->bench.worker), 0);
}

static void a_flat_body_that_does_not_fit_is_told_so_too(void **state)
{
    struct fixture *f = *state;
    expect(f, "PUT /connectors/x/config", "[1]", 500,
           ERROR(500, "Cannot deserialize instance of `java.util.LinkedHashMap<java.lang.Object,"
                      "java.lang.Object>` out of START_ARRAY token"));
    expect(f, "PUT /connectors/x/config", "", 500,
           ERROR(500, "Cannot invoke \\\"java.util.Map.get(Object)\\\" because "
                      "\\\"connectorConfig\\\" is null"));
    expect(f, "PUT /connectors/x/config", "{}", 400,
           ERROR(400, "Connector config {name=x} contains no connector type"));
}

static void what_comes_behind_the_body_is_not_looked_at(void **state)
{
    struct fixture *f = *state;
    service_bench_call(&f->bench, "POST /connectors", NULL, CREATE("x", CONFIG) " trailing");
    assert_int_equal(f->bench.status, 201);
    service_bench_call(&f->bench, "PUT /connectors/x/config", NULL, CONFIG "]");
    assert_int_equal(f->bench.status, 200);
}

static void an_invalid_configuration_lists_its_errors(void **state)
{
    struct fixture *f = *state;
    expect(f, "POST /connectors",
           CREATE("x", CONFIG_WITH("\"topics\":\"u1.pin\",\"s3.part.size\":\"1\",",
                                   ",\"filename.offset.zero.pad.width\":\"x\"")),
           400,
           ERROR(400,
                 "Connector configuration is invalid and contains the following 3 error(s):\\n"
                 "Invalid value x for configuration filename.offset.zero.pad.width: Not a number "
                 "of type INT\\nInvalid value null for configuration "
                 "filename.offset.zero.pad.width: Value must be non-null\\nInvalid value 1 for "
                 "configuration s3.part.size: Part size must be at least: 5242880 bytes (5MB)\\n"
                 "You can also find the above list of errors at the endpoint "
                 "`/connector-plugins/{connectorType}/config/validate`"));
    expect(f, "POST /connectors", CREATE("x", CONFIG_WITH("", "")), 500,
           ERROR(500, "Must configure one of topics or topics.regex"));
    expect(f, "POST /connectors",
           CREATE("x", CONFIG_WITH("\"topics\":\"a\",\"topics.regex\":\"b\",", "")), 500,
           ERROR(500, "topics and topics.regex are mutually exclusive options, but both are set."));
    expect(f, "POST /connectors",
           CREATE("x", CONFIG_WITH("\"topics.regex\":\"u1.*\",\"errors.deadletterqueue.topic."
                                   "name\":\"u1.dlq\",",
                                   "")),
           500,
           ERROR(500, "The DLQ topic 'u1.dlq' may not be included in the regex matching the topics "
                      "('topics.regex=u1.*') consumed by the connector"));
    assert_int_equal(connect_worker_count(f->bench.worker), 0);
}

/* --- acting --- */

#define PAUSED "\"state\":\"PAUSED\",\"worker_id\":\"127.0.0.1:8083\""

static void a_connector_is_paused_resumed_restarted_and_deleted(void **state)
{
    struct fixture *f = *state;
    create(f);
    expect(f, "PUT /connectors/u1-connector/pause", NULL, 202, "");
    expect(f, "GET /connectors/u1-connector/status", NULL, 200,
           "{\"name\":\"u1-connector\",\"connector\":{" PAUSED "},\"tasks\":[{\"id\":0," PAUSED
           "},{\"id\":1," PAUSED "}],\"type\":\"sink\"}");
    service_bench_produce(&f->bench, "{}");
    expect(f, "GET /connectors/u1-connector/topics", NULL, 200,
           "{\"u1-connector\":{\"topics\":[]}}");
    expect(f, "PUT /connectors/u1-connector/resume", NULL, 202, "");
    expect(f, "GET /connectors/u1-connector/status", NULL, 200, STATUS(RUNNING, RUNNING));
    expect(f, "GET /connectors/u1-connector/topics", NULL, 200,
           "{\"u1-connector\":{\"topics\":[\"u1.pin\"]}}");
    expect(f, "PUT /connectors/u1-connector/topics/reset", NULL, 202, "");
    expect(f, "GET /connectors/u1-connector/topics", NULL, 200,
           "{\"u1-connector\":{\"topics\":[]}}");
    expect(f, "POST /connectors/u1-connector/restart", NULL, 204, "");
    expect(f, "POST /connectors/u1-connector/restart?includeTasks=true", NULL, 204, "");
    assert_non_null(strstr(f->bench.hint, "tasks/<n>/restart"));
    expect(f, "DELETE /connectors/u1-connector", NULL, 204, "");
    expect(f, "GET /connectors", NULL, 200, "[]");
}

static void a_turn_that_is_lost_is_a_500(void **state)
{
    struct fixture *f = *state;
    struct store_commit commit = {SPAN_LIT("u1.pin"), 0, 5, SPAN_EMPTY};
    assert_int_equal(store_group_commit(f->bench.store, SPAN_LIT("g"), &commit, NULL), STATUS_OK);
    lose_turn(f->bench.store);
    expect(f, "POST /connectors", CREATE("u1-connector", CONFIG), 500,
           ERROR(500, "HTTP 500 Internal Server Error"));
    expect(f, "GET /connectors", NULL, 200, "[]");
}

/* --- plugins --- */

static void a_connector_for_which_no_memory_is_left_is_a_500_with_a_hint(void **state)
{
    struct fixture *f = *state;
    struct budget *budget = &f->bench.turn.budget;
    size_t others = 0;
    budget_note(budget, BUDGET_PAIRS, &others, budget->shares[BUDGET_PAIRS].max_bytes);
    service_bench_call(&f->bench, "POST /connectors", NULL, CREATE("x", CONFIG));
    assert_int_equal(f->bench.status, 500);
    assert_non_null(strstr(f->bench.hint, "`pinpipe serve --memory` gives more"));
    budget_note(budget, BUDGET_PAIRS, &others, 0);
    service_bench_call(&f->bench, "POST /connectors", NULL, CREATE("x", CONFIG));
    assert_int_equal(f->bench.status, 201);
}

static void the_plugin_is_the_s3_sink(void **state)
{
    struct fixture *f = *state;
    expect(f, "GET /connector-plugins", NULL, 200,
           "[{\"class\":\"io.confluent.connect.s3.S3SinkConnector\",\"type\":\"sink\",\"version\":"
           "\"10.5.13\"}]");
}

static void validate_answers_or_says_why_not(void **state)
{
    struct fixture *f = *state;
    service_bench_call(&f->bench, "PUT /connector-plugins/S3SinkConnector/config/validate", NULL,
                       NAMED("x"));
    assert_int_equal(f->bench.status, 200);
    assert_non_null(strstr(f->bench.body, "\"error_count\":0,\"groups\":[\"Common\","));
    service_bench_call(&f->bench, "PUT /connector-plugins/S3Sink/config/validate", NULL, CONFIG);
    assert_non_null(strstr(f->bench.body, "\"error_count\":1,"));
    assert_non_null(strstr(f->bench.body, "Missing required configuration \\\"name\\\" which"));
    expect(f, "PUT /connector-plugins/S3Sink/config/validate", "{}", 500,
           ERROR(500, "org.apache.kafka.connect.runtime.rest.errors.BadRequestException: Connector "
                      "config {} contains no connector type"));
    expect(f, "PUT /connector-plugins/S3Sink/config/validate", "{\"connector.class\":\"S3Sink\"}",
           500,
           ERROR(500, "org.apache.kafka.common.config.ConfigException: Must configure one of "
                      "topics or topics.regex"));
    expect(f, "PUT /connector-plugins/FileStreamSink/config/validate", CONFIG, 400,
           ERROR(400, "Included connector type io.confluent.connect.s3.S3SinkConnector does not "
                      "match request type FileStreamSink"));
    expect(f, "PUT /connector-plugins/S3Sink/config/validate", "x", 500,
           ERROR(500, "Unrecognized token 'x': was expecting (JSON String, Number, Array, Object "
                      "or token 'null', 'true' or 'false')"));
}

/* --- hints --- */

static void what_beginners_trip_over_is_hinted_at(void **state)
{
    static const struct {
        const char *body;
        int status;
        const char *hint;
    } cases[] = {
        {CREATE("u1-connector", CONFIG_WITH(REGEX, "")), 201, "schemas.enable=false"},
        {CREATE("u1-connector", CONFIG_WITH("\"topics.regex\":\"u1\",", UNSCHEMED)), 201,
         "matches no topic yet: it must match the whole name, e.g. u1.*"},
        {CREATE("u1-connector",
                CONFIG_WITH(REGEX, UNSCHEMED ",\"store.url\":\"http://127.0.0.1:9000\"")),
         201, "store.url is not followed"},
        {CREATE("my-connector", CONFIG), 201,
         "the workshop's AWS takes only the name u1-connector"},
        {CREATE("u1-connector",
                "{\"connector.class\":\"S3Sink\",\"topics\":\"a\",\"flush.size\":\"1 # all\"}"),
         400, "the comment behind the value of flush.size is part of the value"},
        {CREATE("u1-connector", "{\"connector.class\":\"FileStreamSink\",\"topics\":\"a\"}"), 500,
         "the class here is io.confluent.connect.s3.S3SinkConnector"},
        {"connector.class=S3Sink\nflush.size=1\n", 500, "that looks like .properties text"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        service_bench_call(&f->bench, "POST /connectors", NULL, cases[i].body);
        assert_int_equal(f->bench.status, cases[i].status);
        if (strstr(f->bench.hint, cases[i].hint) == NULL) {
            fail_msg("%s: %s", cases[i].body, f->bench.hint);
        }
        service_bench_call(&f->bench, "DELETE /connectors/u1-connector", NULL, NULL);
    }
}

static void a_bucket_that_is_not_there_is_hinted_at_first(void **state)
{
    struct fixture *f = *state;
    service_bench_call(
        &f->bench, "POST /connectors", NULL,
        "{\"name\":\"x\",\"config\":{\"connector.class\":\"S3Sink\",\"topics\":\"a\",\"flush."
        "size\":\"1\",\"s3.bucket.name\":\"user-u1-bucket # mine\",\"format.class\":"
        "\"io.confluent.connect.s3.format.json.JsonFormat\",\"storage.class\":"
        "\"io.confluent.connect.s3.storage.S3Storage\"}}");
    assert_int_equal(f->bench.status, 201);
    assert_non_null(strstr(f->bench.hint, "there is no bucket user-u1-bucket # mine"));
}

static void going_on_where_another_stopped_is_hinted_at(void **state)
{
    struct fixture *f = *state;
    struct store_commit commit = {SPAN_LIT("u1.pin"), 0, 5, SPAN_EMPTY};
    assert_int_equal(
        store_group_commit(f->bench.store, SPAN_LIT("connect-u1-connector"), &commit, NULL),
        STATUS_OK);
    create(f);
    assert_non_null(strstr(f->bench.hint, "goes on where it stopped"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(the_root_names_version_commit_and_cluster),
        T(a_connector_is_created_and_read_back),
        T(a_list_can_be_expanded),
        T(tasks_show_their_configuration),
        T(a_failed_task_shows_its_trace_until_it_is_restarted),
        T(a_connector_that_cannot_start_shows_why),
        T(each_call_on_an_unknown_connector_has_its_own_words),
        T(jerseys_own_refusals_have_no_media_type),
        T(options_lists_the_methods_in_jerseys_order),
        T(a_connector_that_exists_is_not_created_again),
        T(a_name_is_trimmed_and_escaped_in_the_location),
        T(a_configuration_replaces_the_one_before),
        T(reconfiguring_keeps_what_msk_connect_said),
        T(a_body_that_does_not_fit_is_told_in_jacksons_words),
        T(a_flat_body_that_does_not_fit_is_told_so_too),
        T(what_comes_behind_the_body_is_not_looked_at),
        T(an_invalid_configuration_lists_its_errors),
        T(a_connector_is_paused_resumed_restarted_and_deleted),
        T(a_turn_that_is_lost_is_a_500),
        T(a_connector_for_which_no_memory_is_left_is_a_500_with_a_hint),
        T(the_plugin_is_the_s3_sink),
        T(validate_answers_or_says_why_not),
        T(what_beginners_trip_over_is_hinted_at),
        T(a_bucket_that_is_not_there_is_hinted_at_first),
        T(going_on_where_another_stopped_is_hinted_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
