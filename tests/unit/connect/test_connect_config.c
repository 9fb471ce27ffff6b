/* The connector's configuration: what each key is when it is not set, what a wrong one is told (the
 * words are those that Connect 2.8.1 answered with), and what the sink is given. */
#include "alloc_fault.h"
#include "connect_config.h"
#include "entries_world.h"
#include "json.h"
#include "sink_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FORMATS      "io.confluent.connect.s3.format."
#define PARTITIONERS "io.confluent.connect.storage.partitioner."
#define CONVERTERS   "org.apache.kafka.connect."

/* specs/s3-sink-connector.md section 1. */
static const char *const workshop[][2] = {
    {"connector.class", "io.confluent.connect.s3.S3SinkConnector"},
    {"s3.region", "us-east-1"},
    {"flush.size", "1"},
    {"schema.compatibility", "NONE"},
    {"tasks.max", "3"},
    {"topics.regex", "0ab336d6fcf7.*"},
    {"format.class", FORMATS "json.JsonFormat"},
    {"partitioner.class", PARTITIONERS "DefaultPartitioner"},
    {"value.converter.schemas.enable", "false"},
    {"value.converter", CONVERTERS "json.JsonConverter"},
    {"storage.class", "io.confluent.connect.s3.storage.S3Storage"},
    {"key.converter", CONVERTERS "storage.StringConverter"},
    {"s3.bucket.name", "user-0ab336d6fcf7-bucket"},
    {"name", "0ab336d6fcf7-connector"},
};

struct change {
    const char *key;
    const char *value; /* NULL: taken out */
};
enum { changes_max = 4, entries_max = ARRAY_COUNT(workshop) + changes_max };

struct fixture {
    struct entries_world w;
    struct connect_entry items[entries_max];
    const struct sink_config *config;
    struct connect_findings findings;
};

static int setup(void **state)
{
    return entries_world_make(state, sizeof(struct fixture));
}

/* The workshop's configuration with these changes. */
static void compose(struct fixture *f, const struct change *changes, size_t count)
{
    f->w.entries = (struct connect_entries){f->items, 0};
    for (size_t i = 0; i < ARRAY_COUNT(workshop); i++) {
        bool changed = false;
        for (size_t k = 0; k < count; k++) {
            changed |= changes[k].key != NULL && strcmp(changes[k].key, workshop[i][0]) == 0;
        }
        if (!changed) {
            f->items[f->w.entries.count++] = (struct connect_entry){span_from_cstr(workshop[i][0]),
                                                                    span_from_cstr(workshop[i][1])};
        }
    }
    for (size_t k = 0; k < count; k++) {
        if (changes[k].key != NULL && changes[k].value != NULL) {
            f->items[f->w.entries.count++] = (struct connect_entry){
                span_from_cstr(changes[k].key), span_from_cstr(changes[k].value)};
        }
    }
}

static void parse(struct fixture *f, const struct change *changes, size_t count)
{
    arena_reset(&f->w.arena);
    compose(f, changes, count);
    assert_int_equal(
        connect_config_parse(&f->w.arena, &f->w.entries, &f->config, &f->findings, &f->w.err),
        STATUS_OK);
}

static void parse_sound(struct fixture *f, const struct change *changes, size_t count)
{
    parse(f, changes, count);
    if (f->findings.count > 0) {
        print_error("%s\n", f->findings.errors[0]);
    }
    assert_int_equal(f->findings.count, 0);
}

static void assert_span(struct span actual, const char *expected)
{
    char text[256];
    snprintf(text, sizeof(text), "%.*s", SPAN_ARG(actual));
    assert_string_equal(text, expected);
}

/* --- the parsed form --- */

static void the_workshops_configuration_is_sound(void **state)
{
    struct fixture *f = *state;
    parse_sound(f, NULL, 0);
    const struct sink_config *c = f->config;
    assert_span(c->name, "0ab336d6fcf7-connector");
    assert_int_equal(c->tasks_max, 3);
    assert_span(c->topics, "");
    assert_span(c->topics_regex, "0ab336d6fcf7.*");
    assert_span(c->bucket, "user-0ab336d6fcf7-bucket");
    assert_span(c->topics_dir, "topics");
    assert_span(c->directory_delim, "/");
    assert_span(c->file_delim, "+");
    assert_int_equal(c->zero_pad, 10);
    assert_int_equal(c->flush_size, 1);
    assert_int_equal(c->rotate_interval_ms, -1);
    assert_int_equal(c->rotate_schedule_interval_ms, -1);
    assert_false(c->gzip);
    assert_int_equal(c->gzip_level, -1);
    assert_int_equal(c->part_bytes, 26214400);
    assert_int_equal(c->retry_backoff_ms, 5000);
    assert_span(c->tombstone_partition, "tombstone");
    assert_int_equal(c->format, SINK_FORMAT_JSON);
    assert_span(c->bytes_extension, ".bin");
    assert_span(c->bytes_separator, "\n");
    assert_int_equal(c->value_converter, SINK_CONVERTER_JSON);
    assert_false(c->value_schemas_enable);
    assert_int_equal(c->key_converter, SINK_CONVERTER_STRING);
    assert_int_equal(c->partitioner, SINK_PARTITIONER_DEFAULT);
    assert_int_equal(c->partition_duration_ms, -1);
    assert_int_equal(c->timestamp, SINK_TIMESTAMP_WALLCLOCK);
    assert_span(c->timestamp_field, "timestamp");
    assert_int_equal(c->on_null, SINK_NULL_FAIL);
    assert_false(c->store_keys || c->store_headers || c->key_order_input || c->tolerate_all ||
                 c->dlq_headers || c->log_errors || c->log_messages);
    assert_span(c->dlq_topic, "");
    assert_span(c->connector_fault, "");
    assert_span(c->task_fault, "");
}

static void every_setting_reaches_the_sink(void **state)
{
    struct fixture *f = *state;
    const struct change first[] = {{"flush.size", " 500 "},
                                   {"topics.dir", ""},
                                   {"s3.compression.type", "gzip"},
                                   {"behavior.on.null.values", "IGNORE"}};
    parse_sound(f, first, ARRAY_COUNT(first));
    assert_int_equal(f->config->flush_size, 500);
    assert_span(f->config->topics_dir, "");
    assert_true(f->config->gzip);
    assert_int_equal(f->config->on_null, SINK_NULL_IGNORE);
    const struct change second[] = {
        {"topics.regex", NULL},
        {"topics", " a , b"},
        {"format.class", FORMATS "bytearray.ByteArrayFormat"},
        {"value.converter", CONVERTERS "converters.ByteArrayConverter"}};
    parse_sound(f, second, ARRAY_COUNT(second));
    assert_span(f->config->topics, "a,b");
    assert_int_equal(f->config->format, SINK_FORMAT_BYTES);
    assert_int_equal(f->config->value_converter, SINK_CONVERTER_BYTES);
    const struct change third[] = {{"errors.tolerance", "all"},
                                   {"errors.deadletterqueue.topic.name", "rejects"},
                                   {"errors.deadletterqueue.context.headers.enable", "True"},
                                   {"sink.key_order", "input"}};
    parse_sound(f, third, ARRAY_COUNT(third));
    assert_true(f->config->tolerate_all && f->config->dlq_headers && f->config->key_order_input);
    assert_span(f->config->dlq_topic, "rejects");
    const struct change fourth[] = {{"behavior.on.null.values", "write"},
                                    {"store.kafka.keys", "true"},
                                    {"keys.format.class", FORMATS "json.JsonFormat"},
                                    {"flush.size", "-5"}};
    parse_sound(f, fourth, ARRAY_COUNT(fourth));
    assert_int_equal(f->config->on_null, SINK_NULL_WRITE);
    assert_true(f->config->store_keys);
    assert_int_equal(f->config->flush_size, -5);
}

/* The worker's converters are JsonConverter with schemas: the connector's schemas.enable belongs to
 * a converter of its own. */
static void a_converter_that_is_not_set_is_the_workers(void **state)
{
    struct fixture *f = *state;
    const struct change changes[] = {{"value.converter", NULL}, {"key.converter", NULL}};
    parse_sound(f, changes, ARRAY_COUNT(changes));
    assert_int_equal(f->config->value_converter, SINK_CONVERTER_JSON);
    assert_true(f->config->value_schemas_enable);
    assert_int_equal(f->config->key_converter, SINK_CONVERTER_JSON);
    assert_true(f->config->key_schemas_enable);
    const struct change unset[] = {{"value.converter.schemas.enable", NULL}};
    parse_sound(f, unset, ARRAY_COUNT(unset));
    assert_true(f->config->value_schemas_enable);
}

static void daily_and_hourly_have_paths_of_their_own(void **state)
{
    struct fixture *f = *state;
    struct change changes[] = {{"partitioner.class", PARTITIONERS "DailyPartitioner"},
                               {"locale", "en-US"},
                               {"timezone", "UTC"},
                               {"directory.delim", "|"}};
    parse_sound(f, changes, ARRAY_COUNT(changes));
    assert_int_equal(f->config->partitioner, SINK_PARTITIONER_TIME);
    assert_span(f->config->path_format, "'year'=YYYY|'month'=MM|'day'=dd");
    assert_int_equal(f->config->partition_duration_ms, 86400000);
    assert_span(f->config->task_fault, "");
    changes[0].value = PARTITIONERS "HourlyPartitioner";
    parse_sound(f, changes, ARRAY_COUNT(changes));
    assert_span(f->config->path_format, "'year'=YYYY|'month'=MM|'day'=dd|'hour'=HH");
    assert_int_equal(f->config->partition_duration_ms, 3600000);
}

/* POST takes them; connector or tasks fail when they start. */
static void what_throws_at_start_is_told_in_its_words(void **state)
{
#define EXCEPTION "org.apache.kafka.common.config.ConfigException: "
#define TIME                                                                                       \
    {                                                                                              \
        "partitioner.class", PARTITIONERS "TimeBasedPartitioner"                                   \
    }
    static const struct {
        struct change changes[changes_max];
        const char *connector;
        const char *task;
    } cases[] = {
        {{{"rotate.schedule.interval.ms", "60000"}},
         EXCEPTION "timezone configuration must be set when using rotate.schedule.interval.ms",
         ""},
        {{{"rotate.schedule.interval.ms", "60000"}, {"timezone", "UTC"}}, "", ""},
        {{TIME},
         "",
         EXCEPTION "Invalid value -1 for configuration partition.duration.ms: Partition duration "
                   "needs to be a positive."},
        {{TIME, {"partition.duration.ms", "1000"}},
         "",
         EXCEPTION "Invalid value  for configuration path.format: Path format cannot be empty."},
        {{TIME, {"partition.duration.ms", "1000"}, {"path.format", "YYYY"}},
         "",
         EXCEPTION "Invalid value  for configuration locale: Locale cannot be empty."},
        {{TIME, {"partition.duration.ms", "1000"}, {"path.format", "YYYY"}, {"locale", "en"}},
         "",
         EXCEPTION "Invalid value  for configuration timezone: Timezone cannot be empty."},
        {{{"partitioner.class", PARTITIONERS "DailyPartitioner"},
          {"locale", "en"},
          {"timezone", "UTC"},
          {"timestamp.extractor", "Clock"}},
         "",
         EXCEPTION "Invalid timestamp extractor: Clock"},
        {{{"timestamp.extractor", "Clock"}}, "", ""},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        parse_sound(f, cases[i].changes, changes_max);
        assert_span(f->config->connector_fault, cases[i].connector);
        assert_span(f->config->task_fault, cases[i].task);
    }
}

static void timestamp_extractors_go_by_name_or_class(void **state)
{
    static const struct {
        const char *name;
        enum sink_timestamp timestamp;
    } cases[] = {
        {"Wallclock", SINK_TIMESTAMP_WALLCLOCK},
        {"Record", SINK_TIMESTAMP_RECORD},
        {"RecordField", SINK_TIMESTAMP_FIELD},
        {PARTITIONERS "TimeBasedPartitioner$RecordTimestampExtractor", SINK_TIMESTAMP_RECORD},
        {PARTITIONERS "TimeBasedPartitioner$RecordFieldTimestampExtractor", SINK_TIMESTAMP_FIELD},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct change change = {"timestamp.extractor", cases[i].name};
        parse_sound(f, &change, 1);
        assert_int_equal(f->config->timestamp, cases[i].timestamp);
    }
}

/* --- findings --- */

struct finding_case {
    struct change changes[changes_max];
    const char *errors; /* joined by '|' */
};

#define INVALID(value, key) "Invalid value " value " for configuration " key ": "
#define CLASS(value, key)   INVALID(value, key) "Class " value " could not be found."

static const struct finding_case finding_cases[] = {
    {{{"flush.size", "x"}}, INVALID("x", "flush.size") "Not a number of type INT"},
    {{{"flush.size", ""}}, INVALID("", "flush.size") "Not a number of type INT"},
    {{{"flush.size", "1 # all"}}, INVALID("1 # all", "flush.size") "Not a number of type INT"},
    {{{"flush.size", "2147483648"}},
     INVALID("2147483648", "flush.size") "Not a number of type INT"},
    {{{"flush.size", NULL}},
     "Missing required configuration \"flush.size\" which has no default value."},
    {{{"flush.size", "+5"}}, ""},
    {{{"s3.bucket.name", NULL}, {"format.class", NULL}, {"storage.class", NULL}, {"name", NULL}},
     "Missing required configuration \"name\" which has no default value.|"
     "Missing required configuration \"format.class\" which has no default value.|"
     "Missing required configuration \"s3.bucket.name\" which has no default value.|"
     "Missing required configuration \"storage.class\" which has no default value."},
    {{{"s3.bucket.name", ""}}, ""},
    {{{"s3.part.size", "1"}},
     INVALID("1", "s3.part.size") "Part size must be at least: 5242880 bytes (5MB)"},
    {{{"s3.part.size", "abc"}},
     INVALID("abc", "s3.part.size") "Not a number of type INT|" INVALID(
         "null", "s3.part.size") "Part size must be non-null"},
    {{{"tasks.max", "0"}}, INVALID("0", "tasks.max") "Value must be at least 1"},
    {{{"tasks.max", "three"}},
     INVALID("three", "tasks.max") "Not a number of type INT|" INVALID(
         "null", "tasks.max") "Value must be non-null"},
    {{{"tasks.max", "1001"}}, INVALID("1001", "tasks.max") "Value must be no more than 1000"},
    {{{"filename.offset.zero.pad.width", "-1"}},
     INVALID("-1", "filename.offset.zero.pad.width") "Value must be at least 0"},
    {{{"s3.compression.level", "12"}},
     INVALID("12", "s3.compression.level") "Value must be no more than 9"},
    {{{"s3.compression.type", "zip"}},
     INVALID("zip", "s3.compression.type") "Value must be one of: none, gzip"},
    {{{"json.decimal.format", "x"}},
     INVALID("x",
             "json.decimal.format") "String must be one of (case insensitive): NUMERIC, BASE64"},
    {{{"json.decimal.format", "numeric"}}, ""},
    {{{"behavior.on.null.values", "skip"}},
     INVALID("skip", "behavior.on.null.values") "String must be one of: ignore, fail, write"},
    {{{"s3.schema.partition.affix.type", "none"}},
     INVALID("none",
             "s3.schema.partition.affix.type") "String must be one of: SUFFIX, PREFIX, NONE"},
    {{{"s3.ssea.name", "x"}},
     INVALID("x", "s3.ssea.name") "String must be one of: , AES256, aws:kms"},
    {{{"store.kafka.headers", "yes"}},
     INVALID("yes", "store.kafka.headers") "Expected value to be either true or false"},
    {{{"rotate.interval.ms", "1e3"}},
     INVALID("1e3", "rotate.interval.ms") "Not a number of type LONG"},
    {{{"rotate.interval.ms", "99999999999999999999"}},
     INVALID("99999999999999999999", "rotate.interval.ms") "Not a number of type LONG"},
    {{{"errors.deadletterqueue.topic.replication.factor", "70000"}},
     INVALID("70000",
             "errors.deadletterqueue.topic.replication.factor") "Not a number of type SHORT"},
    {{{"errors.tolerance", "ALL"}},
     INVALID("ALL", "errors.tolerance") "String must be one of: none, all"},
    {{{"config.action.reload", "RESTART"}},
     INVALID("RESTART", "config.action.reload") "String must be one of: none, restart"},
    {{{"schema.compatibility", "bogus"}}, ""},
    {{{"s3.region", "US-EAST-1"}}, ""},
    {{{"name", ""}}, INVALID("", "name") "String may not be empty"},
    {{{"name", "  "}}, INVALID("", "name") "String may not be empty"},
    {{{"name", "a\001b"}},
     INVALID(
         "a\001b",
         "name") "String may not contain control sequences but had the following ASCII chars: 1"},
    {{{"value.converter", "nope"}}, CLASS("nope", "value.converter")},
    {{{"value.converter", CONVERTERS "json.JsonConverter "}}, ""},
    {{{"header.converter", "nope"}}, CLASS("nope", "header.converter")},
    {{{"value.converter", "io.confluent.connect.avro.AvroConverter"}},
     CLASS("io.confluent.connect.avro.AvroConverter", "value.converter")},
    {{{"format.class", "JsonFormat"}}, CLASS("JsonFormat", "format.class")},
    {{{"format.class", ""}}, CLASS("", "format.class")},
    {{{"partitioner.class", "x.Y"}}, CLASS("x.Y", "partitioner.class")},
    {{{"format.class", FORMATS "parquet.ParquetFormat"}},
     CLASS(FORMATS "parquet.ParquetFormat", "format.class")},
    {{{"store.kafka.keys", "true"}}, CLASS(FORMATS "avro.AvroFormat", "keys.format.class")},
    {{{"keys.format.class", FORMATS "json.JsonFormat"}}, ""},
    {{{"behavior.on.null.values", "write"}},
     "Writing Kafka record keys to storage is mandatory when tombstone writing is enabled.|"
     "Writing Kafka record keys to storage is mandatory when tombstone writing is enabled."},
    {{{"behavior.on.null.values", "write"}, {"flush.size", "x"}},
     INVALID("x", "flush.size") "Not a number of type INT"},
    {{{"transforms", "a"}, {"transforms.a.type", "nope"}},
     CLASS("nope", "transforms.a.type") "|" INVALID("null",
                                                    "transforms.a.type") "Not a Transformation"},
    {{{"transforms", "t, t"}},
     INVALID("[t, t]", "transforms") "Duplicate alias provided.|"
                                     "Missing required configuration \"transforms.t.type\" which "
                                     "has no default value.|" INVALID(
                                         "null", "transforms.t.type") "Not a Transformation"},
    {{{"predicates", "p"}},
     "Missing required configuration \"predicates.p.type\" which has no default value.|" INVALID(
         "null", "predicates.p.type") "Not a Predicate"},
    {{{"topics.regex", "*"}},
     INVALID("*", "topics.regex") "Invalid regex: Dangling meta character '*' near index 0\n*\n^"},
    {{{"topics.regex", "a["}},
     INVALID("a[", "topics.regex") "Invalid regex: Unclosed character class near index 1\na[\n ^"},
    {{{"topics.regex", "a("}},
     INVALID("a(", "topics.regex") "Invalid regex: Unclosed group near index 2\na("},
    {{{"value.converter.schemas.enable", "perhaps"}},
     INVALID("perhaps",
             "value.converter.schemas.enable") "Expected value to be either true or false"},
    {{{"sink.key_order", "random"}},
     INVALID("random", "sink.key_order") "String must be one of: hashmap, input"},
    {{{"unknown.key", "1"}}, ""},
};

static void assert_findings(struct fixture *f, const char *expected)
{
    struct buf all;
    buf_init(&all, 1024 * 1024);
    for (size_t i = 0; i < f->findings.count; i++) {
        buf_append_cstr(&all, i > 0 ? "|" : "");
        buf_append_cstr(&all, f->findings.errors[i]);
    }
    assert_string_equal(buf_cstr(&all), expected);
    buf_release(&all);
}

static void each_mistake_is_told_in_connects_words(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(finding_cases); i++) {
        parse(f, finding_cases[i].changes, changes_max);
        assert_null(f->findings.exception);
        assert_findings(f, finding_cases[i].errors);
    }
}

static void a_region_that_is_none_is_told_which_there_are(void **state)
{
    struct fixture *f = *state;
    const struct change change = {"s3.region", "mars"};
    parse(f, &change, 1);
    assert_int_equal(f->findings.count, 1);
    assert_non_null(
        strstr(f->findings.errors[0], INVALID("mars", "s3.region") "Value must be one of: us-"));
    assert_non_null(strstr(f->findings.errors[0], "eu-west-1, "));
}

static void what_a_sink_must_have_ends_the_check_at_once(void **state)
{
    static const struct {
        struct change changes[changes_max];
        int status;
        const char *exception;
        const char *message; /* its beginning */
    } cases[] = {
        {{{"topics.regex", NULL}, {"flush.size", "x"}},
         500,
         "org.apache.kafka.common.config.ConfigException",
         "Must configure one of topics or topics.regex"},
        {{{"topics.regex", " "}, {"topics", ""}},
         500,
         "org.apache.kafka.common.config.ConfigException",
         "Must configure one of topics or topics.regex"},
        {{{"topics", "a"}},
         500,
         "org.apache.kafka.common.config.ConfigException",
         "topics and topics.regex are mutually exclusive options, but both are set."},
        {{{"errors.deadletterqueue.topic.name", "0ab336d6fcf7.dlq"}},
         500,
         "org.apache.kafka.common.config.ConfigException",
         "The DLQ topic '0ab336d6fcf7.dlq' may not be included in the regex matching the topics "
         "('topics.regex=0ab336d6fcf7.*') consumed by the connector"},
        {{{"topics.regex", NULL}, {"topics", "a,b"}, {"errors.deadletterqueue.topic.name", "b"}},
         500,
         "org.apache.kafka.common.config.ConfigException",
         "The DLQ topic 'b' may not be included in the list of topics ('topics.regex=[a, b]') "
         "consumed by the connector"},
        {{{"connector.class", "s3sink"}},
         500,
         "org.apache.kafka.connect.errors.ConnectException",
         "Failed to find any class that implements Connector and which name matches s3sink, "
         "available connectors are: PluginDesc{klass=class "
         "io.confluent.connect.s3.S3SinkConnector, "},
        {{{"connector.class", NULL}},
         400,
         "org.apache.kafka.connect.runtime.rest.errors.BadRequestException",
         "Connector config {s3.region=us-east-1, flush.size=1, "},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        parse(f, cases[i].changes, changes_max);
        assert_int_equal(f->findings.count, 1);
        assert_int_equal(f->findings.exception_status, cases[i].status);
        assert_string_equal(f->findings.exception, cases[i].exception);
        assert_int_equal(strncmp(f->findings.errors[0], cases[i].message, strlen(cases[i].message)),
                         0);
    }
}

static void the_class_goes_by_its_aliases(void **state)
{
    static const char *const words[] = {"S3Sink", "S3SinkConnector",
                                        "io.confluent.connect.s3.S3SinkConnector"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        assert_span(connect_class_resolve(span_from_cstr(words[i])),
                    "io.confluent.connect.s3.S3SinkConnector");
    }
    assert_int_equal(connect_class_resolve(SPAN_LIT("FileStreamSink")).len, 0);
    assert_int_equal(connect_class_resolve(SPAN_LIT("S3Sink ")).len, 0);
}

static void the_400_lists_all_findings(void **state)
{
    struct fixture *f = *state;
    const struct change changes[] = {{"flush.size", "x"}, {"s3.bucket.name", NULL}};
    parse(f, changes, ARRAY_COUNT(changes));
    connect_findings_write(&f->findings, &f->w.body);
    assert_string_equal(
        buf_cstr(&f->w.body),
        "Connector configuration is invalid and contains the following 2 error(s):\n"
        "Invalid value x for configuration flush.size: Not a number of type INT\n"
        "Missing required configuration \"s3.bucket.name\" which has no default value.\n"
        "You can also find the above list of errors at the endpoint "
        "`/connector-plugins/{connectorType}/config/validate`");
}

/* --- validate --- */

static struct json_doc *validated(struct fixture *f, const struct change *changes, size_t count)
{
    struct json_doc *doc = NULL;
    arena_reset(&f->w.arena);
    buf_reset(&f->w.body);
    compose(f, changes, count);
    assert_int_equal(connect_config_validate(&f->w.arena, &f->w.entries, &f->w.body, &f->w.err),
                     STATUS_OK);
    assert_int_equal(json_doc_parse(buf_span(&f->w.body), &doc, &f->w.err), STATUS_OK);
    return doc;
}

static const struct json_node *config_of(const struct json_doc *doc, const char *key)
{
    const struct json_node *configs = json_node_get(json_doc_root(doc), "configs");
    for (size_t i = 0; i < json_node_count(configs); i++) {
        const char *name = "";
        const struct json_node *config = json_node_at(configs, i);
        json_node_string(json_node_get(json_node_get(config, "value"), "name"), &name);
        if (strcmp(name, key) == 0) {
            return config;
        }
    }
    fail_msg("no definition of %s", key);
    return NULL;
}

static const char *text_in(const struct json_node *node, const char *name)
{
    const char *text = "null";
    json_node_string(json_node_get(node, name), &text);
    return text;
}

/* Key, type, default ("null": null), importance, group, order. Defaults: section 1 of the spec and
 * Connect's own answer. */
static const struct {
    const char *key;
    const char *type;
    const char *fallback;
    const char *importance;
    const char *group;
    int order;
} definitions[] = {
    {"name", "STRING", "null", "HIGH", "Common", 1},
    {"connector.class", "STRING", "null", "HIGH", "Common", 2},
    {"tasks.max", "INT", "1", "HIGH", "Common", 3},
    {"key.converter", "CLASS", "null", "LOW", "Common", 4},
    {"value.converter", "CLASS", "null", "LOW", "Common", 5},
    {"header.converter", "CLASS", "null", "LOW", "Common", 6},
    {"transforms", "LIST", "", "LOW", "Transforms", 7},
    {"predicates", "LIST", "", "LOW", "Predicates", 8},
    {"config.action.reload", "STRING", "restart", "LOW", "Common", 9},
    {"errors.retry.timeout", "LONG", "0", "MEDIUM", "Error Handling", 1},
    {"errors.retry.delay.max.ms", "LONG", "60000", "MEDIUM", "Error Handling", 2},
    {"errors.tolerance", "STRING", "none", "MEDIUM", "Error Handling", 3},
    {"errors.log.enable", "BOOLEAN", "false", "MEDIUM", "Error Handling", 4},
    {"errors.log.include.messages", "BOOLEAN", "false", "MEDIUM", "Error Handling", 5},
    {"topics", "LIST", "", "HIGH", "Common", 4},
    {"topics.regex", "STRING", "", "HIGH", "Common", 4},
    {"errors.deadletterqueue.topic.name", "STRING", "", "MEDIUM", "Error Handling", 6},
    {"errors.deadletterqueue.topic.replication.factor", "SHORT", "3", "MEDIUM", "Error Handling",
     7},
    {"errors.deadletterqueue.context.headers.enable", "BOOLEAN", "false", "MEDIUM",
     "Error Handling", 8},
    {"format.class", "CLASS", "null", "HIGH", "Connector", 1},
    {"flush.size", "INT", "null", "HIGH", "Connector", 2},
    {"rotate.interval.ms", "LONG", "-1", "HIGH", "Connector", 3},
    {"rotate.schedule.interval.ms", "LONG", "-1", "MEDIUM", "Connector", 4},
    {"schema.cache.size", "INT", "1000", "LOW", "Connector", 5},
    {"retry.backoff.ms", "LONG", "5000", "LOW", "Connector", 8},
    {"filename.offset.zero.pad.width", "INT", "10", "LOW", "Connector", 10},
    {"schema.compatibility", "STRING", "NONE", "HIGH", "Schema", 1},
    {"s3.bucket.name", "STRING", "null", "HIGH", "S3", 1},
    {"s3.object.tagging", "BOOLEAN", "false", "LOW", "S3", 2},
    {"s3.region", "STRING", "us-west-2", "MEDIUM", "S3", 5},
    {"s3.part.size", "INT", "26214400", "HIGH", "S3", 6},
    {"aws.secret.access.key", "PASSWORD", "[hidden]", "HIGH", "S3", 9},
    {"s3.acl.canned", "STRING", "null", "LOW", "S3", 13},
    {"s3.compression.type", "STRING", "none", "LOW", "S3", 15},
    {"s3.compression.level", "INT", "-1", "LOW", "S3", 16},
    {"s3.part.retries", "INT", "3", "MEDIUM", "S3", 18},
    {"s3.retry.backoff.ms", "LONG", "200", "LOW", "S3", 19},
    {"format.bytearray.extension", "STRING", ".bin", "LOW", "S3", 20},
    {"behavior.on.null.values", "STRING", "fail", "LOW", "S3", 26},
    {"store.kafka.keys", "BOOLEAN", "false", "LOW", "Keys and Headers", 1},
    {"store.kafka.headers", "BOOLEAN", "false", "LOW", "Keys and Headers", 2},
    {"s3.path.style.access.enabled", "BOOLEAN", "true", "LOW", "Keys and Headers", 5},
    {"storage.class", "CLASS", "null", "HIGH", "Storage", 1},
    {"topics.dir", "STRING", "topics", "HIGH", "Storage", 2},
    {"store.url", "STRING", "null", "HIGH", "Storage", 3},
    {"directory.delim", "STRING", "/", "MEDIUM", "Storage", 4},
    {"file.delim", "STRING", "+", "MEDIUM", "Storage", 5},
    {"partitioner.class", "CLASS", PARTITIONERS "DefaultPartitioner", "HIGH", "Partitioner", 1},
    {"partition.field.name", "LIST", "", "MEDIUM", "Partitioner", 2},
    {"partition.duration.ms", "LONG", "-1", "MEDIUM", "Partitioner", 3},
    {"path.format", "STRING", "", "MEDIUM", "Partitioner", 4},
    {"locale", "STRING", "", "MEDIUM", "Partitioner", 5},
    {"timezone", "STRING", "", "MEDIUM", "Partitioner", 6},
    {"timestamp.extractor", "STRING", "Wallclock", "MEDIUM", "Partitioner", 7},
    {"timestamp.field", "STRING", "timestamp", "MEDIUM", "Partitioner", 8},
};

static void validate_shows_every_definition(void **state)
{
    struct fixture *f = *state;
    struct json_doc *doc = validated(f, NULL, 0);
    int64_t count = -1;
    assert_true(json_node_i64(json_node_get(json_doc_root(doc), "error_count"), &count));
    assert_int_equal(count, 0);
    for (size_t i = 0; i < ARRAY_COUNT(definitions); i++) {
        const struct json_node *d = json_node_get(config_of(doc, definitions[i].key), "definition");
        int64_t order = -1;
        bool required = true;
        assert_string_equal(text_in(d, "name"), definitions[i].key);
        assert_string_equal(text_in(d, "type"), definitions[i].type);
        assert_string_equal(text_in(d, "default_value"), definitions[i].fallback);
        assert_string_equal(text_in(d, "importance"), definitions[i].importance);
        assert_string_equal(text_in(d, "group"), definitions[i].group);
        assert_true(json_node_i64(json_node_get(d, "order"), &order));
        assert_int_equal(order, definitions[i].order);
        assert_true(json_node_bool(json_node_get(d, "required"), &required));
        assert_true(strlen(text_in(d, "documentation")) > 10);
    }
    json_doc_free(doc);
}

static void validate_begins_as_the_real_answer_does(void **state)
{
    static const char beginning[] =
        "{\"name\":\"io.confluent.connect.s3.S3SinkConnector\",\"error_count\":0,\"groups\":["
        "\"Common\",\"Transforms\",\"Predicates\",\"Error Handling\",\"Connector\",\"Schema\","
        "\"S3\",\"Keys and Headers\",\"Storage\",\"Partitioner\"],\"configs\":[{\"definition\":{"
        "\"name\":\"name\",\"type\":\"STRING\",\"required\":true,\"default_value\":null,"
        "\"importance\":\"HIGH\",\"documentation\":\"";
    static const char value[] =
        "\"group\":\"Common\",\"width\":\"MEDIUM\",\"display_name\":\"Connector name\","
        "\"dependents\":[],\"order\":1},\"value\":{\"name\":\"name\",\"value\":"
        "\"0ab336d6fcf7-connector\",\"recommended_values\":[],\"errors\":[],\"visible\":true}},";
    struct fixture *f = *state;
    json_doc_free(validated(f, NULL, 0));
    assert_int_equal(strncmp(buf_cstr(&f->w.body), beginning, sizeof(beginning) - 1), 0);
    assert_non_null(strstr(buf_cstr(&f->w.body), value));
}

static void validate_counts_errors_and_hides_secrets(void **state)
{
    struct fixture *f = *state;
    const struct change changes[] = {
        {"flush.size", "x"}, {"s3.part.size", "y"}, {"aws.secret.access.key", "hush"}};
    struct json_doc *doc = validated(f, changes, ARRAY_COUNT(changes));
    int64_t count = 0;
    assert_true(json_node_i64(json_node_get(json_doc_root(doc), "error_count"), &count));
    assert_int_equal(count, 3);
    assert_null(strstr(buf_cstr(&f->w.body), "hush"));
    const struct json_node *value = json_node_get(config_of(doc, "s3.part.size"), "value");
    assert_string_equal(text_in(value, "value"), "null");
    assert_int_equal(json_node_count(json_node_get(value, "errors")), 2);
    json_doc_free(doc);
}

static bool visible(const struct json_doc *doc, const char *key)
{
    bool yes = false;
    const struct json_node *value = json_node_get(config_of(doc, key), "value");
    assert_true(json_node_bool(json_node_get(value, "visible"), &yes));
    return yes;
}

static void what_the_partitioner_does_not_use_is_not_visible(void **state)
{
    static const struct {
        const char *partitioner;
        bool field, duration, locale;
    } cases[] = {
        {"DefaultPartitioner", false, false, false}, {"FieldPartitioner", true, false, false},
        {"TimeBasedPartitioner", false, true, true}, {"HourlyPartitioner", false, false, true},
        {"DailyPartitioner", false, false, true},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char name[128];
        snprintf(name, sizeof(name), PARTITIONERS "%s", cases[i].partitioner);
        const struct change change = {"partitioner.class", name};
        struct json_doc *doc = validated(f, &change, 1);
        assert_int_equal(visible(doc, "partition.field.name"), cases[i].field);
        assert_int_equal(visible(doc, "partition.duration.ms"), cases[i].duration);
        assert_int_equal(visible(doc, "path.format"), cases[i].duration);
        assert_int_equal(visible(doc, "locale"), cases[i].locale);
        assert_int_equal(visible(doc, "timezone"), cases[i].locale);
        assert_false(visible(doc, "avro.codec"));
        json_doc_free(doc);
    }
}

static void an_alias_has_a_definition_and_a_group(void **state)
{
    struct fixture *f = *state;
    const struct change changes[] = {{"transforms", "a"}, {"transforms.a.type", "nope"}};
    struct json_doc *doc = validated(f, changes, ARRAY_COUNT(changes));
    const struct json_node *d = json_node_get(config_of(doc, "transforms.a.type"), "definition");
    assert_string_equal(text_in(d, "group"), "Transforms: a");
    assert_string_equal(text_in(d, "display_name"), "Transformation type for a");
    assert_non_null(
        strstr(buf_cstr(&f->w.body), "\"Error Handling\",\"Transforms: a\",\"Connector\""));
    json_doc_free(doc);
}

/* Into so much of an arena; OK with as many mistakes as there are, or NO_MEMORY. */
static void assert_parsed_whole_or_not(struct fixture *f, size_t bytes, long n)
{
    struct connect_findings findings = {0};
    const struct sink_config *config = NULL;
    struct arena small;
    arena_init(&small, bytes);
    alloc_fault_begin(n, ALLOC_FAILS_ONCE);
    enum status status = connect_config_parse(&small, &f->w.entries, &config, &findings, &f->w.err);
    alloc_fault_end();
    bool whole = status == STATUS_OK && findings.count == f->findings.count &&
                 (config != NULL) == (f->config != NULL);
    if (status != STATUS_NO_MEMORY && !whole) {
        fail_msg("%zu bytes, allocation %ld: %s, %zu findings", bytes, n, status_name(status),
                 findings.count);
    }
    arena_release(&small);
}

static void assert_said_not_hidden(struct fixture *f, const struct change *changes)
{
    parse(f, changes, changes_max);
    size_t needed = f->w.arena.used_bytes;
    for (size_t bytes = 0; bytes < needed; bytes += 8) {
        assert_parsed_whole_or_not(f, bytes, -1);
    }
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        assert_parsed_whole_or_not(f, needed, n);
    }
}

static void too_little_memory_is_said_not_hidden(void **state)
{
    static const struct change timed[] = {
        {"partitioner.class", PARTITIONERS "HourlyPartitioner"},
        {"locale", "en"},
        {"timezone", "UTC"},
        {"errors.deadletterqueue.topic.name", "letters"},
    };
    struct fixture *f = *state;
    assert_said_not_hidden(f, timed);
    for (size_t i = 0; i < ARRAY_COUNT(finding_cases); i++) {
        assert_said_not_hidden(f, finding_cases[i].changes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, entries_world_teardown)
        T(the_workshops_configuration_is_sound),
        T(every_setting_reaches_the_sink),
        T(a_converter_that_is_not_set_is_the_workers),
        T(daily_and_hourly_have_paths_of_their_own),
        T(what_throws_at_start_is_told_in_its_words),
        T(timestamp_extractors_go_by_name_or_class),
        T(each_mistake_is_told_in_connects_words),
        T(a_region_that_is_none_is_told_which_there_are),
        T(what_a_sink_must_have_ends_the_check_at_once),
        T(the_class_goes_by_its_aliases),
        T(the_400_lists_all_findings),
        T(validate_shows_every_definition),
        T(validate_begins_as_the_real_answer_does),
        T(validate_counts_errors_and_hides_secrets),
        T(what_the_partitioner_does_not_use_is_not_visible),
        T(an_alias_has_a_definition_and_a_group),
        T(too_little_memory_is_said_not_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
