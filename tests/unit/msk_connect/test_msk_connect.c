/* MSK Connect's API: shapes from botocore's service model, states,
 * exceptions, paging, signatures. */
#include "aws_identity.h"
#include "base64.h"
#include "json.h"
#include "lost_turn.h"
#include "msk_connect.h"
#include "service_bench.h"
#include "sigv4.h"
#include "zip_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { text_max = 16 * 1024 };

#define SECRET    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define S3_PLUGIN "plugin/lib/kafka-connect-s3-10.5.13.jar|plugin/manifest.json"
#define CONFIG                                                                                     \
    "\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\",\"topics.regex\":\"u1.*\","   \
    "\"flush.size\":\"1\",\"tasks.max\":\"3\",\"s3.bucket.name\":\"user-u1-bucket\","              \
    "\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\",\"storage.class\":"       \
    "\"io.confluent.connect.s3.storage.S3Storage\",\"value.converter\":"                           \
    "\"org.apache.kafka.connect.json.JsonConverter\",\"value.converter.schemas.enable\":\"false\""
#define CAPACITY "{\"provisionedCapacity\":{\"mcuCount\":1,\"workerCount\":1}}"
#define REST_OF_REQUEST                                                                            \
    ",\"capacity\":" CAPACITY ",\"kafkaCluster\":{\"apacheKafkaCluster\":{\"bootstrapServers\":"   \
    "\"b-1:9098\",\"vpc\":{\"securityGroups\":[\"sg-1\"],\"subnets\":[\"subnet-1\"]}}},"           \
    "\"kafkaClusterClientAuthentication\":{\"authenticationType\":\"IAM\"},"                       \
    "\"kafkaClusterEncryptionInTransit\":{\"encryptionType\":\"TLS\"},"                            \
    "\"kafkaConnectVersion\":\"2.7.1\",\"serviceExecutionRoleArn\":\"arn:aws:iam::1:role/r\""

struct fixture {
    struct service_bench bench;
    struct aws_identity identity;
    struct msk_connect_options options;
    struct msk_connect *msk;
    struct json_doc *doc; /* the last answer */
    char plugin_arn[256];
    char connector_arn[256];
    char path[512];
    char request[text_max];
};

static void begin(struct fixture *f)
{
    assert_int_equal(msk_connect_new(&f->options, &f->msk, NULL), STATUS_OK);
    f->bench.service = msk_connect_service(f->msk);
}

/* The bytes under the key of user-u1-bucket. */
static void upload(struct fixture *f, const char *key, struct span bytes)
{
    struct arena arena;
    struct store_bucket bucket;
    arena_init(&arena, text_max);
    assert_int_equal(
        store_bucket_find(f->bench.store, SPAN_LIT("user-u1-bucket"), &arena, &bucket, NULL),
        STATUS_OK);
    struct store_object_put put = {
        .bucket_id = bucket.id,
        .key = span_from_cstr(key),
        .etag = SPAN_LIT("0123456789abcdef0123456789abcdef"),
        .modified_ms = 1,
        .bytes = bytes,
    };
    assert_int_equal(store_object_put(f->bench.store, &put, NULL), STATUS_OK);
    arena_release(&arena);
}

static void upload_zip(struct fixture *f, const char *key, const char *names)
{
    struct buf zip;
    buf_init(&zip, text_max);
    zip_append(&zip, names, "");
    upload(f, key, buf_span(&zip));
    buf_release(&zip);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    service_bench_init(&f->bench);
    aws_identity_init(&f->identity, "u1", "us-east-1");
    f->options = (struct msk_connect_options){
        .worker = f->bench.worker,
        .crypto = f->bench.crypto,
        .store = f->bench.store,
        .env = &f->bench.env,
        .log = &f->bench.log,
        .identity = &f->identity,
    };
    assert_int_equal(store_bucket_create(f->bench.store, SPAN_LIT("user-u1-bucket"),
                                         SPAN_LIT("us-east-1"), NULL),
                     STATUS_OK);
    upload_zip(f, "s3.zip", S3_PLUGIN);
    turn_end(&f->bench.turn);
    begin(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    json_doc_free(f->doc);
    msk_connect_free(f->msk);
    service_bench_release(&f->bench);
    free(f);
    return 0;
}

/* --- calls --- */

static void call(struct fixture *f, const char *method_target, const char *body, int status)
{
    struct error err;
    service_bench_call(&f->bench, method_target, NULL, body);
    if (f->bench.status != status) {
        fail_msg("%s: %d %s", method_target, f->bench.status, f->bench.body);
    }
    json_doc_free(f->doc);
    f->doc = NULL;
    assert_int_equal(json_doc_parse(span_from_cstr(f->bench.body), &f->doc, &err), STATUS_OK);
    assert_string_equal(f->bench.content_type, "application/json");
    assert_int_equal(strlen(service_bench_header(&f->bench, "x-amzn-RequestId")), 36);
}

/* "a.b.0.c" in the last answer; "(none)" when it is not there. */
static const char *answer(struct fixture *f, const char *path)
{
    static char number[32];
    const struct json_node *node = json_doc_root(f->doc);
    struct span rest = span_from_cstr(path);
    struct span part;
    const char *text = "(none)";
    int64_t value;
    while (span_next_part(&rest, '.', &part)) {
        char name[64];
        snprintf(name, sizeof(name), "%.*s", SPAN_ARG(part));
        node = name[0] >= '0' && name[0] <= '9' ? json_node_at(node, strtoul(name, NULL, 10))
                                                : json_node_get(node, name);
    }
    if (json_node_i64(node, &value)) {
        snprintf(number, sizeof(number), "%lld", (long long)value);
        return number;
    }
    json_node_string(node, &text);
    return text;
}

static size_t listed(struct fixture *f, const char *member)
{
    return json_node_count(json_node_get(json_doc_root(f->doc), member));
}

static void expect_error(struct fixture *f, const char *method_target, const char *body, int status,
                         const char *type)
{
    call(f, method_target, body, status);
    assert_string_equal(service_bench_header(&f->bench, "x-amzn-ErrorType"), type);
}

/* "GET /v1/connectors/<the ARN, encoded>" + tail */
static const char *on(struct fixture *f, const char *method, const char *collection,
                      const char *arn, const char *tail)
{
    size_t used = (size_t)snprintf(f->path, sizeof(f->path), "%s /v1/%s/", method, collection);
    for (const char *p = arn; *p != '\0' && used < sizeof(f->path) - 8; p++) {
        used += (size_t)snprintf(f->path + used, sizeof(f->path) - used,
                                 *p == ':'   ? "%%3A"
                                 : *p == '/' ? "%%2F"
                                             : "%c",
                                 *p);
    }
    snprintf(f->path + used, sizeof(f->path) - used, "%s", tail);
    return f->path;
}

static const char *plugin_request(struct fixture *f, const char *name, const char *key)
{
    snprintf(f->request, sizeof(f->request),
             "{\"name\":\"%s\",\"contentType\":\"ZIP\",\"description\":\"the sink\",\"location\":"
             "{\"s3Location\":{\"bucketArn\":\"arn:aws:s3:::user-u1-bucket\",\"fileKey\":\"%s\"}}}",
             name, key);
    return f->request;
}

static void create_plugin(struct fixture *f, const char *name, const char *key)
{
    call(f, "POST /v1/custom-plugins", plugin_request(f, name, key), 200);
    snprintf(f->plugin_arn, sizeof(f->plugin_arn), "%s", answer(f, "customPluginArn"));
}

static const char *connector_request(struct fixture *f, const char *name, const char *config)
{
    snprintf(f->request, sizeof(f->request),
             "{\"connectorName\":\"%s\",\"connectorConfiguration\":{%s},\"plugins\":[{"
             "\"customPlugin\":{\"customPluginArn\":\"%s\",\"revision\":1}}]" REST_OF_REQUEST "}",
             name, config, f->plugin_arn);
    return f->request;
}

static void create_connector(struct fixture *f, const char *name, const char *config)
{
    call(f, "POST /v1/connectors", connector_request(f, name, config), 200);
    snprintf(f->connector_arn, sizeof(f->connector_arn), "%s", answer(f, "connectorArn"));
}

static const char *connector(struct fixture *f, const char *method, const char *tail)
{
    return on(f, method, "connectors", f->connector_arn, tail);
}

/* --- plugins --- */

static void a_plugin_is_creating_then_active(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    assert_string_equal(answer(f, "customPluginState"), "CREATING");
    assert_string_equal(answer(f, "name"), "u1-plugin");
    assert_string_equal(answer(f, "revision"), "1");
    assert_string_equal(f->bench.hint, "");
    assert_int_equal(strncmp(f->plugin_arn,
                             "arn:aws:kafkaconnect:us-east-1:123456789012:custom-plugin/u1-plugin/",
                             strlen("arn:aws:kafkaconnect:us-east-1:123456789012:custom-plugin/"
                                    "u1-plugin/")),
                     0);
    call(f, on(f, "GET", "custom-plugins", f->plugin_arn, ""), NULL, 200);
    assert_string_equal(answer(f, "customPluginState"), "ACTIVE");
    assert_string_equal(answer(f, "customPluginArn"), f->plugin_arn);
    assert_string_equal(answer(f, "creationTime"), "2023-11-14T22:13:20.000Z");
    assert_string_equal(answer(f, "description"), "the sink");
    assert_string_equal(answer(f, "latestRevision.contentType"), "ZIP");
    assert_string_equal(answer(f, "latestRevision.revision"), "1");
    assert_string_equal(answer(f, "latestRevision.fileDescription.fileMd5"),
                        "0123456789abcdef0123456789abcdef");
    assert_string_equal(answer(f, "latestRevision.location.s3Location.bucketArn"),
                        "arn:aws:s3:::user-u1-bucket");
    assert_string_equal(answer(f, "latestRevision.location.s3Location.fileKey"), "s3.zip");
    assert_null(strstr(f->bench.body, "s3Sink"));
}

static void a_file_that_is_no_zip_is_create_failed(void **state)
{
    struct fixture *f = *state;
    upload(f, "text.zip", SPAN_LIT("this is no zip, although its name says so; not at all"));
    create_plugin(f, "u1-plugin", "text.zip");
    assert_string_equal(answer(f, "customPluginState"), "CREATING");
    call(f, on(f, "GET", "custom-plugins", f->plugin_arn, ""), NULL, 200);
    assert_string_equal(answer(f, "customPluginState"), "CREATE_FAILED");
    assert_string_equal(answer(f, "stateDescription.code"), "InvalidInput.InvalidPluginFile");
    expect_error(f, "POST /v1/connectors", connector_request(f, "u1-connector", CONFIG), 400,
                 "BadRequestException");
}

static void a_plugin_must_lie_in_s3(void **state)
{
    static const char *const locations[] = {
        "\"bucketArn\":\"arn:aws:s3:::user-u1-bucket\",\"fileKey\":\"other.zip\"",
        "\"bucketArn\":\"arn:aws:s3:::nobody\",\"fileKey\":\"s3.zip\"",
        "\"bucketArn\":\"user-u1-bucket\",\"fileKey\":\"s3.zip\"",
        "\"bucketArn\":\"arn:aws:s3:::\",\"fileKey\":\"s3.zip\"",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(locations); i++) {
        snprintf(f->request, sizeof(f->request),
                 "{\"name\":\"u1-plugin\",\"contentType\":\"ZIP\",\"location\":{\"s3Location\":{%s}"
                 "}}",
                 locations[i]);
        expect_error(f, "POST /v1/custom-plugins", f->request, 400, "BadRequestException");
        assert_string_not_equal(f->bench.hint, "");
    }
    call(f, "GET /v1/custom-plugins", NULL, 200);
    assert_int_equal(listed(f, "customPlugins"), 0);
}

static void what_is_wrong_with_a_request_is_named(void **state)
{
    static const struct {
        const char *body;
        const char *message;
    } cases[] = {
        {"x", "Invalid request body: it is no JSON object"},
        {"[]", "Invalid request body: it is no JSON object"},
        {"{}", "Invalid request body: name is missing"},
        {"{\"name\":1}", "Invalid request body: name must be a string"},
        {"{\"name\":\"\"}", "Invalid request body: name must have a length of 1 to 128"},
        {"{\"name\":\"a\",\"contentType\":\"TAR\"}",
         "Invalid request body: contentType must be one of JAR,ZIP"},
        {"{\"name\":\"a\",\"contentType\":\"ZIP\",\"location\":[]}",
         "Invalid request body: location must be an object"},
        {"{\"name\":\"a\",\"contentType\":\"ZIP\",\"location\":{\"s3Location\":{\"bucketArn\":"
         "\"b\"}}}",
         "Invalid request body: location.s3Location.fileKey is missing"},
        {"{\"name\":\"a b\",\"contentType\":\"ZIP\",\"location\":{\"s3Location\":{\"bucketArn\":"
         "\"b\",\"fileKey\":\"k\"}}}",
         "Invalid request body: name may have letters, digits and the characters -_."},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        expect_error(f, "POST /v1/custom-plugins", cases[i].body, 400, "BadRequestException");
        assert_string_equal(answer(f, "message"), cases[i].message);
    }
}

static void a_name_is_taken_once(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    expect_error(f, "POST /v1/custom-plugins", plugin_request(f, "u1-plugin", "s3.zip"), 409,
                 "ConflictException");
    create_connector(f, "u1-connector", CONFIG);
    expect_error(f, "POST /v1/connectors", connector_request(f, "u1-connector", CONFIG), 409,
                 "ConflictException");
}

static void a_plugin_in_use_is_not_deleted(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", CONFIG);
    expect_error(f, on(f, "DELETE", "custom-plugins", f->plugin_arn, ""), NULL, 400,
                 "BadRequestException");
    call(f, connector(f, "DELETE", ""), NULL, 200);
    call(f, on(f, "DELETE", "custom-plugins", f->plugin_arn, ""), NULL, 200);
    assert_string_equal(answer(f, "customPluginState"), "DELETING");
    expect_error(f, on(f, "GET", "custom-plugins", f->plugin_arn, ""), NULL, 404,
                 "NotFoundException");
}

static void there_is_a_quota(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof(name), "p%d", i);
        create_plugin(f, name, "s3.zip");
    }
    expect_error(f, "POST /v1/custom-plugins", plugin_request(f, "one-more", "s3.zip"), 429,
                 "TooManyRequestsException");
}

/* --- connectors --- */

static void a_connector_is_creating_then_running(void **state)
{
    struct fixture *f = *state;
    struct connect_connector_view view;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", CONFIG);
    assert_string_equal(answer(f, "connectorState"), "CREATING");
    assert_string_equal(answer(f, "connectorName"), "u1-connector");
    assert_string_equal(f->bench.hint, "");
    assert_true(connect_worker_find(f->bench.worker, SPAN_LIT("u1-connector"), &view));
    assert_int_equal(view.task_count, 3);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "RUNNING");
    assert_string_equal(answer(f, "connectorArn"), f->connector_arn);
    assert_string_equal(answer(f, "creationTime"), "2023-11-14T22:13:20.000Z");
    assert_int_equal(strlen(answer(f, "currentVersion")), 14);
    assert_string_equal(answer(f, "capacity.provisionedCapacity.workerCount"), "1");
    assert_string_equal(answer(f, "kafkaCluster.apacheKafkaCluster.vpc.subnets.0"), "subnet-1");
    assert_string_equal(answer(f, "kafkaClusterClientAuthentication.authenticationType"), "IAM");
    assert_string_equal(answer(f, "kafkaClusterEncryptionInTransit.encryptionType"), "TLS");
    assert_string_equal(answer(f, "kafkaConnectVersion"), "2.7.1");
    assert_string_equal(answer(f, "plugins.0.customPlugin.customPluginArn"), f->plugin_arn);
    assert_string_equal(answer(f, "serviceExecutionRoleArn"), "arn:aws:iam::1:role/r");
    /* As it was given: neither the name nor the worker's converters. */
    assert_non_null(strstr(f->bench.body, "\"connectorConfiguration\":{" CONFIG "}"));
    assert_string_equal(answer(f, "stateDescription.code"), "(none)");
}

static struct span running(struct fixture *f, const char *key)
{
    struct connect_connector_view view;
    assert_true(connect_worker_find(f->bench.worker, SPAN_LIT("u1-connector"), &view));
    const struct connect_entry *entry = connect_entries_find(view.config, key);
    return entry != NULL ? entry->value : SPAN_EMPTY;
}

/* MSK Connect's own worker has StringConverter for both. */
static void converters_that_are_not_set_are_the_workers(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", CONFIG);
    assert_true(span_equal_cstr(running(f, "key.converter"),
                                "org.apache.kafka.connect.storage.StringConverter"));
    assert_true(span_equal_cstr(running(f, "value.converter"),
                                "org.apache.kafka.connect.json.JsonConverter"));
    assert_true(span_equal_cstr(running(f, "name"), "u1-connector"));
}

static void a_worker_configuration_brings_its_converters(void **state)
{
    static const char properties[] =
        "key.converter=org.apache.kafka.connect.json.JsonConverter\n"
        "key.converter.schemas.enable=false\nvalue.converter=ignored\noffset.flush=1\n";
    struct fixture *f = *state;
    struct buf content;
    char worker_arn[256];
    buf_init(&content, text_max);
    base64_encode(span_from_cstr(properties), &content);
    snprintf(f->request, sizeof(f->request),
             "{\"name\":\"confluent-worker\",\"propertiesFileContent\":\"%s\"}",
             buf_cstr(&content));
    call(f, "POST /v1/worker-configurations", f->request, 200);
    assert_string_equal(answer(f, "workerConfigurationState"), "ACTIVE");
    assert_string_equal(answer(f, "latestRevision.revision"), "1");
    snprintf(worker_arn, sizeof(worker_arn), "%s", answer(f, "workerConfigurationArn"));
    call(f, on(f, "GET", "worker-configurations", worker_arn, ""), NULL, 200);
    assert_string_equal(answer(f, "latestRevision.propertiesFileContent"), buf_cstr(&content));
    assert_string_equal(answer(f, "name"), "confluent-worker");
    call(f, "GET /v1/worker-configurations", NULL, 200);
    assert_int_equal(listed(f, "workerConfigurations"), 1);
    assert_null(strstr(f->bench.body, buf_cstr(&content)));
    create_plugin(f, "u1-plugin", "s3.zip");
    snprintf(f->request, sizeof(f->request),
             "{\"connectorName\":\"u1-connector\",\"connectorConfiguration\":{" CONFIG
             "},\"plugins\":[{\"customPlugin\":{\"customPluginArn\":\"%s\",\"revision\":1}}],"
             "\"workerConfiguration\":{\"workerConfigurationArn\":\"%s\",\"revision\":"
             "1}" REST_OF_REQUEST "}",
             f->plugin_arn, worker_arn);
    call(f, "POST /v1/connectors", f->request, 200);
    assert_true(span_equal_cstr(running(f, "key.converter"),
                                "org.apache.kafka.connect.json.JsonConverter"));
    assert_true(span_equal_cstr(running(f, "key.converter.schemas.enable"), "false"));
    assert_true(span_equal_cstr(running(f, "value.converter"),
                                "org.apache.kafka.connect.json.JsonConverter"));
    call(f, on(f, "DELETE", "worker-configurations", worker_arn, ""), NULL, 200);
    assert_string_equal(answer(f, "workerConfigurationState"), "DELETING");
    expect_error(f, "POST /v1/worker-configurations",
                 "{\"name\":\"w\",\"propertiesFileContent\":\"not base64!\"}", 400,
                 "BadRequestException");
    buf_release(&content);
}

static void an_invalid_configuration_makes_a_failed_connector(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", "\"connector.class\":\"S3Sink\",\"topics\":\"a\"");
    assert_string_equal(answer(f, "connectorState"), "CREATING");
    assert_int_equal(connect_worker_count(f->bench.worker), 0);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "FAILED");
    assert_string_equal(answer(f, "stateDescription.code"),
                        "InvalidInput.InvalidConnectorConfigurationProvided");
    assert_non_null(strstr(answer(f, "stateDescription.message"),
                           "Message: Connector configuration is invalid and contains the following "
                           "4 error(s):\nMissing required configuration \"format.class\""));
    call(f, "GET /v1/connectors", NULL, 200);
    assert_string_equal(answer(f, "connectors.0.connectorState"), "FAILED");
    expect_error(f, "POST /v1/connectors", connector_request(f, "u1-connector", CONFIG), 409,
                 "ConflictException");
    expect_error(f, connector(f, "PUT", "/pause"), NULL, 400, "BadRequestException");
    call(f, connector(f, "DELETE", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "DELETING");
    expect_error(f, connector(f, "GET", ""), NULL, 404, "NotFoundException");
    create_connector(f, "u1-connector", CONFIG);
}

static void a_zip_without_the_sink_makes_a_failed_connector(void **state)
{
    struct fixture *f = *state;
    upload_zip(f, "other.zip", "plugin/lib/kafka-connect-jdbc-1.jar");
    create_plugin(f, "u1-plugin", "other.zip");
    assert_non_null(strstr(f->bench.hint, "no kafka-connect-s3-<version>.jar is in it"));
    create_connector(f, "u1-connector", CONFIG);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "FAILED");
    assert_non_null(strstr(answer(f, "stateDescription.message"), "Failed to find any class"));
}

static void a_connector_needs_all_its_parts(void **state)
{
    struct fixture *f = *state;
    expect_error(f, "POST /v1/connectors", "{\"connectorName\":\"a\"}", 400, "BadRequestException");
    assert_string_equal(answer(f, "message"),
                        "Invalid request body: connectorConfiguration is missing");
    snprintf(f->plugin_arn, sizeof(f->plugin_arn),
             "arn:aws:kafkaconnect:us-east-1:123456789012:custom-plugin/x/y-2");
    expect_error(f, "POST /v1/connectors", connector_request(f, "u1-connector", CONFIG), 404,
                 "NotFoundException");
    snprintf(f->plugin_arn, sizeof(f->plugin_arn), "u1-plugin");
    expect_error(f, "POST /v1/connectors", connector_request(f, "u1-connector", CONFIG), 400,
                 "BadRequestException");
    create_plugin(f, "u1-plugin", "s3.zip");
    expect_error(f, "POST /v1/connectors", connector_request(f, "u1-connector", "\"a\":[1]"), 400,
                 "BadRequestException");
    assert_int_equal(connect_worker_count(f->bench.worker), 0);
}

static void states_follow_the_worker(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", CONFIG);
    call(f, connector(f, "PUT", "/pause"), NULL, 200);
    assert_string_equal(answer(f, "connectorArn"), f->connector_arn);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "PAUSED");
    call(f, connector(f, "PUT", "/resume"), NULL, 200);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "RUNNING");
    call(f, connector(f, "POST", "/restart"), NULL, 200);
}

static void a_connector_that_cannot_start_is_failed(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", "\"rotate.schedule.interval.ms\":\"1000\"," CONFIG);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "FAILED");
    assert_string_equal(answer(f, "stateDescription.code"), "UnknownError.Unknown");
    assert_non_null(strstr(answer(f, "stateDescription.message"),
                           "timezone configuration must be set when using"));
}

static enum connect_state task_state(struct fixture *f, size_t task)
{
    struct connect_connector_view view;
    assert_true(connect_worker_find(f->bench.worker, SPAN_LIT("u1-connector"), &view));
    assert_true(task < view.task_count);
    return view.tasks[task].state;
}

/* A task that fails does not fail the connector: people look at RUNNING and an empty bucket. */
static void a_failed_task_leaves_the_connector_running_until_a_restart(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", CONFIG ",\"s3.bucket.name\":\"nobody\"");
    assert_non_null(strstr(f->bench.hint, "there is no bucket nobody"));
    assert_int_equal(task_state(f, 2), CONNECT_FAILED);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_equal(answer(f, "connectorState"), "RUNNING");
    assert_int_equal(
        store_bucket_create(f->bench.store, SPAN_LIT("nobody"), SPAN_LIT("us-east-1"), NULL),
        STATUS_OK);
    call(f, connector(f, "POST", "/restart"), NULL, 200);
    assert_int_equal(task_state(f, 0), CONNECT_RUNNING);
    assert_int_equal(task_state(f, 2), CONNECT_RUNNING);
}

static void an_update_needs_the_current_version(void **state)
{
    struct fixture *f = *state;
    char tail[64];
    char version[32];
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "u1-connector", CONFIG);
    call(f, connector(f, "GET", ""), NULL, 200);
    snprintf(version, sizeof(version), "%s", answer(f, "currentVersion"));
    snprintf(tail, sizeof(tail), "?currentVersion=%s", version);
    expect_error(f, connector(f, "PUT", ""), "{}", 400, "BadRequestException");
    expect_error(f, connector(f, "PUT", "?currentVersion=KX"), "{}", 400, "BadRequestException");
    expect_error(f, connector(f, "DELETE", "?currentVersion=KX"), NULL, 400, "BadRequestException");
    expect_error(f, connector(f, "PUT", tail),
                 "{\"connectorConfiguration\":{\"connector.class\":\"S3Sink\"}}", 400,
                 "BadRequestException");
    expect_error(f, connector(f, "PUT", tail),
                 "{\"capacity\":{\"provisionedCapacity\":{\"mcuCount\":9,\"workerCount\":1}}}", 400,
                 "BadRequestException");
    call(f, connector(f, "PUT", tail),
         "{\"capacity\":{\"provisionedCapacity\":{\"mcuCount\":2,\"workerCount\":1}},"
         "\"connectorConfiguration\":{\"tasks.max\":\"1\"," CONFIG
         "},\"kafkaConnectVersion\":\"9\"}",
         200);
    assert_string_equal(answer(f, "connectorState"), "UPDATING");
    assert_string_equal(answer(f, "connectorArn"), f->connector_arn);
    call(f, connector(f, "GET", ""), NULL, 200);
    assert_string_not_equal(answer(f, "currentVersion"), version);
    assert_string_equal(answer(f, "capacity.provisionedCapacity.mcuCount"), "2");
    assert_string_equal(answer(f, "kafkaConnectVersion"), "2.7.1"); /* cannot be updated */
    assert_string_equal(answer(f, "creationTime"), "2023-11-14T22:13:20.000Z");
    assert_string_equal(answer(f, "plugins.0.customPlugin.customPluginArn"), f->plugin_arn);
    assert_true(span_equal_cstr(running(f, "tasks.max"), "3")); /* the last one counts */
    snprintf(tail, sizeof(tail), "?currentVersion=%s", answer(f, "currentVersion"));
    call(f, connector(f, "DELETE", tail), NULL, 200);
    assert_int_equal(connect_worker_count(f->bench.worker), 0);
}

/* Connect's REST API may have made others: those are not MSK Connect's. */
static void only_its_own_connectors_are_shown(void **state)
{
    struct fixture *f = *state;
    struct connect_connector_view view;
    struct arena arena;
    struct connect_entries entries;
    arena_init(&arena, text_max * 16);
    assert_int_equal(connect_entries_parse(&arena, SPAN_LIT("{" CONFIG ",\"name\":\"by-rest\"}"),
                                           &entries, NULL),
                     STATUS_OK);
    struct connect_spec spec = {SPAN_LIT("by-rest"), &entries, SPAN_EMPTY};
    assert_int_equal(connect_worker_put(f->bench.worker, &spec, NULL), STATUS_OK);
    arena_release(&arena);
    assert_true(connect_worker_find(f->bench.worker, SPAN_LIT("by-rest"), &view));
    call(f, "GET /v1/connectors", NULL, 200);
    assert_int_equal(listed(f, "connectors"), 0);
    create_plugin(f, "u1-plugin", "s3.zip");
    expect_error(f, "POST /v1/connectors", connector_request(f, "by-rest", CONFIG), 409,
                 "ConflictException");
    expect_error(f,
                 "GET /v1/connectors/arn%3Aaws%3Akafkaconnect%3Aus-east-1%3A1%3Aconnector%2F"
                 "by-rest%2Fx-2",
                 NULL, 404, "NotFoundException");
    expect_error(f, "GET /v1/connectors/by-rest", NULL, 400, "BadRequestException");
}

static void a_connector_for_which_no_memory_is_left_is_one_too_many(void **state)
{
    struct fixture *f = *state;
    struct budget *budget = &f->bench.turn.budget;
    size_t others = 0;
    create_plugin(f, "u1-plugin", "s3.zip");
    budget_note(budget, BUDGET_PAIRS, &others, budget->shares[BUDGET_PAIRS].max_bytes);
    expect_error(f, "POST /v1/connectors", connector_request(f, "x", CONFIG), 429,
                 "TooManyRequestsException");
    budget_note(budget, BUDGET_PAIRS, &others, 0);
    create_connector(f, "x", CONFIG);
}

/* The name is the least of it. */
static void the_hint_is_the_one_that_matters_most(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "u1-plugin", "s3.zip");
    create_connector(f, "mine", CONFIG ",\"s3.bucket.name\":\"nobody\"");
    assert_non_null(strstr(f->bench.hint, "there is no bucket nobody"));
    create_connector(f, "mine-too", CONFIG);
    assert_non_null(strstr(f->bench.hint, "takes only the name u1-connector"));
}

/* --- lists --- */

static void lists_are_sorted_filtered_and_paged(void **state)
{
    struct fixture *f = *state;
    char next[128];
    create_plugin(f, "b2", "s3.zip");
    create_plugin(f, "a", "s3.zip");
    create_plugin(f, "b1", "s3.zip");
    create_connector(f, "y", CONFIG);
    create_connector(f, "x", "\"connector.class\":\"S3Sink\",\"topics\":\"a\"");
    call(f, "GET /v1/custom-plugins", NULL, 200);
    assert_int_equal(listed(f, "customPlugins"), 3);
    assert_string_equal(answer(f, "customPlugins.0.name"), "a");
    assert_string_equal(answer(f, "customPlugins.2.name"), "b2");
    assert_string_equal(answer(f, "customPlugins.0.latestRevision.revision"), "1");
    assert_string_equal(answer(f, "nextToken"), "(none)");
    call(f, "GET /v1/custom-plugins?namePrefix=b&maxResults=1", NULL, 200);
    assert_int_equal(listed(f, "customPlugins"), 1);
    assert_string_equal(answer(f, "customPlugins.0.name"), "b1");
    snprintf(next, sizeof(next), "GET /v1/custom-plugins?namePrefix=b&maxResults=1&nextToken=%s",
             answer(f, "nextToken"));
    char *pad = strchr(next, '\0') - 1;
    while (*pad == '=') {
        *pad-- = '\0'; /* Base64's padding would need its escape in a query */
    }
    call(f, next, NULL, 200);
    assert_string_equal(answer(f, "customPlugins.0.name"), "b2");
    assert_string_equal(answer(f, "nextToken"), "(none)");
    call(f, "GET /v1/connectors", NULL, 200);
    assert_string_equal(answer(f, "connectors.0.connectorName"), "x");
    assert_string_equal(answer(f, "connectors.1.connectorName"), "y");
    assert_string_equal(answer(f, "connectors.1.connectorState"), "RUNNING");
    assert_null(strstr(f->bench.body, "connectorConfiguration"));
    call(f, "GET /v1/connectors?connectorNamePrefix=y", NULL, 200);
    assert_int_equal(listed(f, "connectors"), 1);
    expect_error(f, "GET /v1/connectors?maxResults=0", NULL, 400, "BadRequestException");
    expect_error(f, "GET /v1/connectors?maxResults=101", NULL, 400, "BadRequestException");
    expect_error(f, "GET /v1/connectors?nextToken=!", NULL, 400, "BadRequestException");
}

/* --- who may --- */

static void the_workshops_policy_allows_two_names(void **state)
{
    struct fixture *f = *state;
    create_plugin(f, "my-plugin", "s3.zip");
    assert_non_null(strstr(f->bench.hint, "the workshop's AWS takes only the name u1-plugin"));
    create_plugin(f, "u1-plugin", "s3.zip");
    msk_connect_free(f->msk);
    f->options.workshop_permissions = true;
    begin(f);
    expect_error(f, "POST /v1/custom-plugins", plugin_request(f, "another", "s3.zip"), 403,
                 "AccessDeniedException");
    assert_string_equal(answer(f, "Message"),
                        "User: arn:aws:iam::123456789012:user/u1 is not authorized to perform: "
                        "kafkaconnect:CreateCustomPlugin on resource: "
                        "arn:aws:kafkaconnect:us-east-1:123456789012:custom-plugin/another/*");
    expect_error(f, "POST /v1/connectors", connector_request(f, "s3-sink", CONFIG), 403,
                 "AccessDeniedException");
    create_connector(f, "u1-connector", CONFIG);
    call(f, connector(f, "DELETE", ""), NULL, 200);
}

static void what_api_gateway_does_not_know_lacks_a_token(void **state)
{
    static const char *const requests[] = {"GET /", "GET /connectors", "PATCH /v1/connectors",
                                           "GET /v1/tags/x"};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        expect_error(f, requests[i], NULL, 403, "MissingAuthenticationTokenException");
        assert_string_equal(answer(f, "message"), "Missing Authentication Token");
    }
}

/* The header lines of a signed GET /v1/connectors?maxResults=5. */
static const char *signed_lines(struct fixture *f, const char *key, const char *service,
                                int64_t shift_s)
{
    static char lines[1024];
    char date[SIGV4_DATE_BYTES];
    struct error err;
    struct buf authorization;
    assert_int_equal(crypto_ready(f->options.crypto, &err), STATUS_OK);
    sigv4_date(f->bench.env.wall_us(&f->bench.env) + shift_s * 1000000, date);
    struct sigv4_header headers[] = {{SPAN_LIT("Host"), SPAN_LIT("localhost:8083")},
                                     {SPAN_LIT("X-Amz-Date"), span_from_cstr(date)}};
    struct sigv4_request request = {
        .method = SPAN_LIT("GET"),
        .path = SPAN_LIT("/v1/connectors"),
        .query = SPAN_LIT("maxResults=5"),
        .headers = headers,
        .header_count = ARRAY_COUNT(headers),
        .payload_hash =
            SPAN_LIT("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        .path_style = SIGV4_PATH_DOUBLE,
    };
    struct sigv4_signer signer = {
        .crypto = f->options.crypto,
        .credentials = {.access_key = span_from_cstr(key), .secret = SPAN_LIT(SECRET)},
        .region = SPAN_LIT("us-east-1"),
        .service = span_from_cstr(service),
    };
    buf_init(&authorization, text_max);
    sigv4_authorization(&signer, &request, span_from_cstr(date), &authorization);
    snprintf(lines, sizeof(lines), "X-Amz-Date: %s\nAuthorization: %s", date,
             buf_cstr(&authorization));
    buf_release(&authorization);
    return lines;
}

static void signatures_are_verified_when_there_are_credentials(void **state)
{
    static const struct {
        const char *key;
        const char *service;
        int64_t shift_s;
        const char *type; /* "": accepted */
    } cases[] = {
        {"AKID", "kafkaconnect", 0, ""},
        {"AKID", "kafkaconnect", -299, ""},
        {"AKID", "kafkaconnect", -301, "InvalidSignatureException"},
        {"AKID", "kafkaconnect", 301, "InvalidSignatureException"},
        {"OTHER", "kafkaconnect", 0, "UnrecognizedClientException"},
        {"AKID", "s3", 0, "InvalidSignatureException"},
    };
    struct fixture *f = *state;
    msk_connect_free(f->msk);
    f->identity.access_key = "AKID";
    f->identity.secret = SECRET;
    begin(f);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        service_bench_call(&f->bench, "GET /v1/connectors?maxResults=5",
                           signed_lines(f, cases[i].key, cases[i].service, cases[i].shift_s), NULL);
        assert_string_equal(service_bench_header(&f->bench, "x-amzn-ErrorType"), cases[i].type);
        assert_int_equal(f->bench.status, cases[i].type[0] == '\0' ? 200 : 403);
    }
    /* Another query than was signed; none at all; nonsense. */
    service_bench_call(&f->bench, "GET /v1/connectors?maxResults=6",
                       signed_lines(f, "AKID", "kafkaconnect", 0), NULL);
    assert_string_equal(service_bench_header(&f->bench, "x-amzn-ErrorType"),
                        "InvalidSignatureException");
    expect_error(f, "GET /v1/connectors", NULL, 403, "MissingAuthenticationTokenException");
    service_bench_call(&f->bench, "GET /v1/connectors", "Authorization: AWS4-HMAC-SHA256 x", NULL);
    assert_string_equal(service_bench_header(&f->bench, "x-amzn-ErrorType"),
                        "IncompleteSignatureException");
}

static void a_turn_that_is_lost_is_a_500(void **state)
{
    struct fixture *f = *state;
    struct store_commit commit = {SPAN_LIT("u1.pin"), 0, 5, SPAN_EMPTY};
    assert_int_equal(store_group_commit(f->bench.store, SPAN_LIT("g"), &commit, NULL), STATUS_OK);
    lose_turn(f->bench.store);
    service_bench_call(&f->bench, "POST /v1/custom-plugins", NULL,
                       plugin_request(f, "u1-plugin", "s3.zip"));
    assert_int_equal(f->bench.status, 500);
    assert_string_equal(service_bench_header(&f->bench, "x-amzn-ErrorType"),
                        "InternalServerErrorException");
    call(f, "GET /v1/custom-plugins", NULL, 200);
    assert_int_equal(listed(f, "customPlugins"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(a_plugin_is_creating_then_active),
        T(a_file_that_is_no_zip_is_create_failed),
        T(a_plugin_must_lie_in_s3),
        T(what_is_wrong_with_a_request_is_named),
        T(a_name_is_taken_once),
        T(a_plugin_in_use_is_not_deleted),
        T(there_is_a_quota),
        T(a_connector_is_creating_then_running),
        T(converters_that_are_not_set_are_the_workers),
        T(a_worker_configuration_brings_its_converters),
        T(an_invalid_configuration_makes_a_failed_connector),
        T(a_zip_without_the_sink_makes_a_failed_connector),
        T(a_connector_needs_all_its_parts),
        T(states_follow_the_worker),
        T(a_connector_that_cannot_start_is_failed),
        T(a_failed_task_leaves_the_connector_running_until_a_restart),
        T(an_update_needs_the_current_version),
        T(only_its_own_connectors_are_shown),
        T(the_hint_is_the_one_that_matters_most),
        T(a_connector_for_which_no_memory_is_left_is_one_too_many),
        T(lists_are_sorted_filtered_and_paged),
        T(the_workshops_policy_allows_two_names),
        T(what_api_gateway_does_not_know_lacks_a_token),
        T(signatures_are_verified_when_there_are_credentials),
        T(a_turn_that_is_lost_is_a_500),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
