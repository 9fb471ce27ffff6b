/* Partitioners, timestamp extractors, zones and rotation times: specs/s3-sink-connector.md 4 and 5.
 * The expectations were measured with Joda-Time 2.12. */
#include "sink_path.h"

#include "alloc_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct sink_config config;
    struct sink_path path;
    struct sink_value value;
    struct sink_failure failure;
    struct buf out;
    bool schemas_enable;
    bool open;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->config.timezone = SPAN_LIT("UTC");
    f->config.locale = SPAN_LIT("en-US");
    f->config.directory_delim = SPAN_LIT("/");
    f->config.rotate_schedule_interval_ms = -1;
    f->config.partition_duration_ms = 1;
    f->config.timestamp = SINK_TIMESTAMP_RECORD;
    f->config.timestamp_field = SPAN_LIT("timestamp");
    sink_value_init(&f->value);
    buf_init(&f->out, 1 << 16);
    *state = f;
    return 0;
}

static void close_path(struct fixture *f)
{
    if (f->open) {
        sink_path_release(&f->path);
        f->open = false;
    }
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    close_path(f);
    sink_value_release(&f->value);
    buf_release(&f->out);
    free(f);
    return 0;
}

static bool open_path(struct fixture *f)
{
    close_path(f);
    f->open = true;
    return sink_path_init(&f->path, &f->config, &f->failure);
}

/* The encoded partition of a record, or the message of what was thrown. */
static const char *encoded(struct fixture *f, const char *json, int64_t timestamp_ms)
{
    struct sink_conversion conversion = {.converter = SINK_CONVERTER_JSON,
                                         .schemas_enable = f->schemas_enable};
    struct sink_record record = {.topic = SPAN_LIT("u.geo"),
                                 .partition = 3,
                                 .timestamp_ms = timestamp_ms,
                                 .value = &f->value};
    int64_t time_ms = 0;
    assert_true(
        sink_value_convert(&f->value, &conversion, true, span_from_cstr(json), &f->failure));
    if ((f->config.partitioner == SINK_PARTITIONER_TIME &&
         !sink_path_time(&f->path, &record, INT64_C(1700000000000), &time_ms, &f->failure)) ||
        !sink_path_encode(&f->path, &record, time_ms, &f->out, &f->failure)) {
        return f->failure.chain[0].message;
    }
    return buf_cstr(&f->out);
}

static void the_default_partitioner_names_kafkas_partition(void **state)
{
    struct fixture *f = *state;
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{}", 0), "partition=3");
}

static void the_field_partitioner_wants_a_struct(void **state)
{
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_FIELD;
    f->config.partition_fields = SPAN_LIT("country");
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{\"country\":\"Fiji\"}", 0), "Error encoding partition.");
    assert_string_equal(f->failure.chain[0].class_name,
                        "io.confluent.connect.storage.errors.PartitionException");
}

#define FIELD(type, name)    "{\"type\":\"" type "\",\"field\":\"" name "\"}"
#define OPTIONAL(type, name) "{\"type\":\"" type "\",\"optional\":true,\"field\":\"" name "\"}"
#define STRUCT(fields, payload)                                                                    \
    "{\"schema\":{\"type\":\"struct\",\"fields\":[" fields "]},\"payload\":" payload "}"

static void fields_of_a_struct_are_paths(void **state)
{
    struct fixture *f = *state;
    f->schemas_enable = true;
    f->config.partitioner = SINK_PARTITIONER_FIELD;
    f->config.partition_fields = SPAN_LIT("country, ind");
    assert_true(open_path(f));
    assert_string_equal(encoded(f,
                                STRUCT(FIELD("int8", "ind") "," FIELD("string", "country"),
                                       "{\"country\":\"Lao People's\",\"ind\":300}"),
                                0),
                        "country=Lao People's/ind=44");
    assert_string_equal(
        encoded(f,
                STRUCT(FIELD("boolean", "ind") "," OPTIONAL("string", "country"), "{\"ind\":true}"),
                0),
        "country=null/ind=true");
    assert_string_equal(encoded(f,
                                STRUCT(FIELD("boolean", "ind") "," FIELD("string", "country"),
                                       "{\"ind\":\"x\",\"country\":\"\"}"),
                                0),
                        "country=/ind=false");
    assert_string_equal(encoded(f, STRUCT(FIELD("int32", "ind"), "{\"ind\":1}"), 0),
                        "country is not a valid field name");
    assert_string_equal(
        encoded(f, STRUCT(FIELD("double", "ind") "," OPTIONAL("string", "country"), "{\"ind\":1}"),
                0),
        "Error encoding partition.");
}

/* An optional text may have been sent as any JSON: it is null, as for the object's content. */
static void a_text_of_another_kind_is_null_in_paths_too(void **state)
{
    static const char *const kinds[] = {"5", "1234", "true", "[]", "{\"x\":\"y\"}", "0.5", "null"};
    struct fixture *f = *state;
    char json[256];
    f->schemas_enable = true;
    f->config.partition_fields = SPAN_LIT("at");
    f->config.path_format = SPAN_LIT("ss");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    f->config.timestamp_field = SPAN_LIT("at");
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        snprintf(json, sizeof(json), STRUCT(OPTIONAL("string", "at"), "{\"at\":%s}"), kinds[i]);
        f->config.partitioner = SINK_PARTITIONER_FIELD;
        assert_true(open_path(f));
        assert_string_equal(encoded(f, json, 0), "at=null");
        f->config.partitioner = SINK_PARTITIONER_TIME;
        assert_true(open_path(f));
        assert_string_equal(encoded(f, json, 0), "null"); /* of the NullPointerException */
    }
}

static void a_field_of_a_struct_is_a_timestamp(void **state)
{
    struct fixture *f = *state;
    f->schemas_enable = true;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("HH:mm:ss");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    assert_true(open_path(f));
    assert_string_equal(
        encoded(f, STRUCT(FIELD("int64", "timestamp"), "{\"timestamp\":1524910048123}"), 0),
        "10:07:28");
    assert_string_equal(
        encoded(f, STRUCT(FIELD("string", "timestamp"), "{\"timestamp\":\"2018-04-28T10:07\"}"), 0),
        "10:07:00");
    assert_string_equal(encoded(f, STRUCT(FIELD("double", "timestamp"), "{\"timestamp\":1}"), 0),
                        "Error extracting timestamp from record field: timestamp");
    assert_string_equal(encoded(f, STRUCT(FIELD("int32", "other"), "{\"other\":1}"), 0),
                        "The nested field named 'timestamp' does not exist.");
}

static void time_based_paths_follow_the_pattern_in_the_zone(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *pattern;
        const char *zone;
        int64_t duration_ms;
        int64_t timestamp_ms;
        const char *expected;
    } cases[] = {
        {"'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "UTC", 3600000, INT64_C(1524910048000),
         "year=2018/month=04/day=28/hour=10"},
        {"'year'=YYYY/'month'=MM/'day'=dd/", "Europe/Berlin", 86400000, INT64_C(1524957848000),
         "year=2018/month=04/day=29"},
        {"'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH", "Asia/Kolkata", 3600000,
         INT64_C(1524910048000), "year=2018/month=04/day=28/hour=15"},
        /* The gap and the repeated hour of New York. */
        {"HH:mm", "America/New_York", 3600000, INT64_C(1520751600000), "03:00"},
        {"HH:mm ZZ", "America/New_York", 3600000, INT64_C(1541309400000), "01:00 -04:00"},
        {"HH:mm ZZ", "America/New_York", 3600000, INT64_C(1541313000000), "01:00 -04:00"},
        /* Behind the last transition of the file. */
        {"dd HH:mm ZZ", "Europe/Berlin", 3600000, INT64_C(2237677200000), "28 02:00 +01:00"},
        {"dd HH:mm ZZ", "Australia/Sydney", 86400000, INT64_C(3790000000000), "06 00:00 +11:00"},
        {"yyyyMMdd'T'HHmmss.SSS", "+05:30", 1, INT64_C(1524910048123), "20180428T153728.123"},
        {"xxxx-'W'ww-e EEE D", "UTC", 86400000, INT64_C(1609459200000), "2020-W53-5 Fri 1"},
        {"'it''s' ''yy'' h a K k", "UTC", 60000, INT64_C(1524873600000), "it's '18' 12 AM 0 24"},
        {"EEEE MMMM G", "UTC", 1, INT64_C(1524910048000), "Sat Apr CE"},
        {"ZZZ", "-0530", 1, 0, "-05:30"},
    };
    f->config.partitioner = SINK_PARTITIONER_TIME;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->config.path_format = span_from_cstr(cases[i].pattern);
        f->config.timezone = span_from_cstr(cases[i].zone);
        f->config.partition_duration_ms = cases[i].duration_ms;
        assert_true(open_path(f));
        assert_string_equal(encoded(f, "{}", cases[i].timestamp_ms), cases[i].expected);
    }
}

static void names_are_whole_in_the_locale_en(void **state)
{
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.locale = SPAN_LIT("en");
    f->config.path_format = SPAN_LIT("EEEE MMM MMMM G");
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{}", INT64_C(1524910048000)), "Saturday Apr April AD");
}

static void a_bad_zone_or_pattern_keeps_the_task_from_starting(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *zone;
        const char *pattern;
        const char *message;
    } cases[] = {
        {"Nowhere/City", "yyyy", "The datetime zone id 'Nowhere/City' is not recognised"},
        {"../../etc/passwd", "yyyy", "The datetime zone id '../../etc/passwd' is not recognised"},
        {"/etc/passwd", "yyyy", "The datetime zone id '/etc/passwd' is not recognised"},
        {"Europe", "yyyy", "The datetime zone id 'Europe' is not recognised"},
        {"", "yyyy", "The datetime zone id '' is not recognised"},
        {"+1", "yyyy", "The datetime zone id '+1' is not recognised"},
        {"UTC", "yyyyq",
         "Invalid value yyyyq for configuration path.format: Illegal pattern component: q"},
    };
    f->config.partitioner = SINK_PARTITIONER_TIME;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->config.timezone = span_from_cstr(cases[i].zone);
        f->config.path_format = span_from_cstr(cases[i].pattern);
        assert_false(open_path(f));
        assert_string_equal(f->failure.chain[0].message, cases[i].message);
    }
}

static void a_file_that_is_no_zone_is_told(void **state)
{
    struct tz tz;
    struct error err;
    (void)state;
    assert_int_equal(tz_open(SPAN_LIT("zone1970"), &tz, &err), STATUS_NOT_FOUND);
    assert_int_equal(tz_open(SPAN_LIT("a b"), &tz, &err), STATUS_INVALID);
}

static void the_wall_clock_and_the_record_are_timestamps(void **state)
{
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("yyyy-MM-dd'T'HH:mm:ss.SSS");
    f->config.timestamp = SINK_TIMESTAMP_WALLCLOCK;
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{}", 42), "2023-11-14T22:13:20.000");
    f->config.timestamp = SINK_TIMESTAMP_RECORD;
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{}", 42), "1970-01-01T00:00:00.042");
    assert_string_equal(encoded(f, "{}", INT64_MAX), "Adding time zone offset caused overflow");
}

static void a_field_is_a_timestamp(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *json;
        const char *expected;
    } cases[] = {
        {"{\"timestamp\":1524910048123}", "2018-04-28T10:07:28.123"},
        {"{\"timestamp\":1524910048123.9}", "2018-04-28T10:07:28.123"},
        {"{\"timestamp\":\"1524910048123\"}", "2018-04-28T10:07:28.123"},
        {"{\"timestamp\":\"2018-04-28T10:07:28\"}", "2018-04-28T10:07:28.000"},
        {"{\"timestamp\":\"2018-04-28T10:07:28.5+02:00\"}", "2018-04-28T08:07:28.500"},
        {"{\"timestamp\":\"2018-04\"}", "2018-04-01T00:00:00.000"},
        {"{\"timestamp\":\"2018-118T10\"}", "2018-04-28T10:00:00.000"},
        {"{\"timestamp\":\"2018-W17-6\"}", "2018-04-28T00:00:00.000"},
        {"{\"timestamp\":\"2018-04-28T10:30,5Z\"}", "2018-04-28T10:30:30.000"},
        {"{\"timestamp\":\"2018-04-28 10:07:28\"}",
         "Invalid format: \"2018-04-28 10:07:28\" is malformed at \" 10:07:28\""},
        {"{\"timestamp\":\"2018-04-28t10:07:28z\"}", "2018-04-28T10:07:28.000"},
        {"{\"timestamp\":\"2018-04-28T10.0000079\"}", "2018-04-28T10:00:00.027"},
        {"{\"timestamp\":\"2018-04-28T10:07:28.1234567891\"}",
         "Invalid format: \"2018-04-28T10:07:28.1234567891\" is malformed at \"1\""},
        {"{\"timestamp\":\"2018-04-28T10.\"}",
         "Invalid format: \"2018-04-28T10.\" is malformed at \".\""},
        {"{\"timestamp\":\"hello hello hello hello hello hello hello\"}",
         "Invalid format: \"hello hello hello hello hello he...\""},
        {"{\"timestamp\":\"2018-w12-3\"}", "2018-03-21T00:00:00.000"},
        {"{\"timestamp\":\"2018-04-28T10:07:28+01:30:15,25\"}", "2018-04-28T08:37:12.750"},
        {"{\"timestamp\":\"2018-04-28T10:07:28-013015123\"}", "2018-04-28T11:37:43.123"},
        {"{\"timestamp\":\"2018-04-28T10:07:28+01:60\"}",
         "Invalid format: \"2018-04-28T10:07:28+01:60\" is malformed at \"+01:60\""},
        {"{\"timestamp\":\"2018-04-28T10:07:28+01305\"}",
         "Invalid format: \"2018-04-28T10:07:28+01305\" is malformed at \"+01305\""},
        {"{\"timestamp\":\"2018-04-28T10:07:28+01x\"}",
         "Invalid format: \"2018-04-28T10:07:28+01x\" is malformed at \"x\""},
        {"{\"timestamp\":\"\"}", "Invalid format: \"\""},
        {"{\"timestamp\":\"2018-04-28T\"}", "2018-04-28T00:00:00.000"},
        {"{\"timestamp\":\"2018-02-29\"}",
         "Cannot parse \"2018-02-29\": Value 29 for dayOfMonth must be in the range [1,28]"},
        {"{\"timestamp\":\"2018-04-28T24\"}",
         "Cannot parse \"2018-04-28T24\": Value 24 for hourOfDay must be in the range [0,23]"},
        {"{\"timestamp\":\"292279000-01\"}",
         "Cannot parse \"292279000-01\": Value 292279000 for year must be in the range "
         "[-292275054,292278993]"},
        {"{\"timestamp\":true}", "Error extracting timestamp from record field: timestamp"},
        {"{\"timestamp\":null}", "The nested field named 'timestamp' does not exist."},
        {"{}", "The nested field named 'timestamp' does not exist."},
        {"[1]", "Error encoding partition."},
        {"7", "Error encoding partition."},
        {"{\"timestamp\":[1]}", "Error extracting timestamp from record field: timestamp"},
        {"{\"timestamp\":-1.5}", "1969-12-31T23:59:59.999"},
        {"{\"timestamp\":-9100000000000000000}", "Adding time zone offset caused overflow"},
        {"{\"timestamp\":9100000000000000000}", "Adding time zone offset caused overflow"},
        {"{\"timestamp\":-1e300}", "Adding time zone offset caused overflow"},
    };
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("yyyy-MM-dd'T'HH:mm:ss.SSS");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    assert_true(open_path(f));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_string_equal(encoded(f, cases[i].json, 0), cases[i].expected);
    }
}

static void a_nested_field_is_reached_by_dots_outside_of_quotes(void **state)
{
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("ss");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    f->config.timestamp_field = SPAN_LIT("meta.\"a.b\"");
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{\"meta\":{\"a.b\":7000}}", 0), "07");
    assert_string_equal(encoded(f, "{\"meta\":5}", 0),
                        "The nested field named 'meta.\"a.b\"' does not exist.");
}

/* A field whose name only begins like it is another one. */
static void a_field_with_a_long_name_is_no_other_one(void **state)
{
    struct fixture *f = *state;
    char name[301];
    char json[400];
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("ss");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    for (int len = 255; len <= 257; len++) {
        snprintf(json, sizeof(json), "{\"%.*s\":7000}", len < 256 ? len : 256, name);
        f->config.timestamp_field = span_from(name, (size_t)len);
        assert_true(open_path(f));
        const char *got = encoded(f, json, 0);
        if (len <= 256) {
            assert_string_equal(got, "07");
        } else {
            assert_non_null(strstr(got, "aaa' does not exist."));
        }
    }
}

static void fields_within_structs_are_timestamps_where_there_are_any(void **state)
{
#define INNER(fields)                                                                              \
    "{\"type\":\"struct\",\"optional\":true,\"field\":\"in\",\"fields\":[" fields "]}"
    static const struct {
        const char *path;
        const char *json;
        const char *expected;
    } cases[] = {
        {"in.at", STRUCT(INNER(FIELD("int64", "at")), "{\"in\":{\"at\":7000}}"), "07"},
        {"in.at", STRUCT(INNER(FIELD("int32", "at")), "{\"in\":{\"at\":7000}}"), "07"},
        {"in.at", STRUCT(INNER(FIELD("int64", "at")), "{\"in\":null}"),
         "The nested field named 'in.at' does not exist."},
        {"in.at", STRUCT(INNER(FIELD("int64", "other")), "{\"in\":{\"other\":7000}}"),
         "The nested field named 'in.at' does not exist."},
        {"in.at", STRUCT(FIELD("int64", "in"), "{\"in\":7000}"),
         "The nested field named 'in.at' does not exist."},
        {"at", STRUCT(OPTIONAL("int64", "at"), "{}"), "null"},
        {"at", STRUCT(FIELD("string", "at"), "{\"at\":\"hello\"}"), "Invalid format: \"hello\""},
        {"at", "{\"schema\":{\"type\":\"int64\"},\"payload\":7000}", "Error encoding partition."},
    };
#undef INNER
    struct fixture *f = *state;
    f->schemas_enable = true;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("ss");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->config.timestamp_field = span_from_cstr(cases[i].path);
        assert_true(open_path(f));
        assert_string_equal(encoded(f, cases[i].json, 0), cases[i].expected);
    }
}

static void a_duration_of_zero_is_javas_division(void **state)
{
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("yyyy");
    f->config.partition_duration_ms = 0;
    assert_true(open_path(f));
    assert_string_equal(encoded(f, "{}", 0), "/ by zero");
}

static void scheduled_rotations_count_from_midnight_in_the_zone(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *zone;
        int64_t interval_ms;
        int64_t now_ms;
        int64_t expected_ms;
    } cases[] = {
        {"UTC", 3600000, INT64_C(1700000000000), INT64_C(1700002800000)},
        {"UTC", 7 * 3600000, INT64_C(1700000000000), INT64_C(1700006400000)}, /* midnight */
        {"UTC", 3600000, INT64_C(1700002800000), INT64_C(1700006400000)},
        {"Asia/Kolkata", 3600000, INT64_C(1700000000000), INT64_C(1700001000000)},
        {"Europe/Berlin", 86400000, INT64_C(1700000000000), INT64_C(1700002800000)},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->config.timezone = span_from_cstr(cases[i].zone);
        f->config.rotate_schedule_interval_ms = cases[i].interval_ms;
        assert_true(open_path(f));
        assert_int_equal(sink_path_next_rotation_ms(&f->path, cases[i].now_ms),
                         cases[i].expected_ms);
    }
}

static void what_is_no_letter_stands_in_a_path_as_it_is(void **state)
{
    static const struct {
        const char *zone;
        const char *delim;
        const char *format;
        const char *expected;
    } cases[] = {
        {"UTC", "/", "{YYYY}[MM]~|@`", "{1970}[01]~|@`"},
        {"Etc/UTC", "/", "HH z", "00 UTC"},
        {"Europe/Berlin", "/", "HH ZZ", "01 +01:00"},
        {"UTC", "", "YYYY/MM/", "1970/01/"}, /* no delimiter: none is cut off */
        {"UTC", "/", "YYYY/MM/", "1970/01"},
        {"UTC", "--", "YYYY--", "1970"},
    };
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        f->config.timezone = span_from_cstr(cases[i].zone);
        f->config.directory_delim = span_from_cstr(cases[i].delim);
        f->config.path_format = span_from_cstr(cases[i].format);
        assert_true(open_path(f));
        assert_string_equal(encoded(f, "{}", 0), cases[i].expected);
    }
}

/* --- without memory --- */

/* Either the path itself, or none: a file in another place would be found by nobody. */
static void assert_path_or_none(struct fixture *f, const char *json, const char *expected)
{
    struct sink_record record = {.topic = SPAN_LIT("u.geo"), .value = &f->value};
    assert_string_equal(encoded(f, json, 0), expected);
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        int64_t time_ms = 0;
        assert_true(open_path(f));
        buf_release(&f->out);
        buf_init(&f->out, 1 << 16);
        long alive = alloc_fault_alive();
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        bool ok = (f->config.partitioner != SINK_PARTITIONER_TIME ||
                   sink_path_time(&f->path, &record, 0, &time_ms, &f->failure)) &&
                  sink_path_encode(&f->path, &record, time_ms, &f->out, &f->failure);
        bool failed = alloc_fault_end();
        if (ok && buf_ok(&f->out)) {
            assert_string_equal(buf_cstr(&f->out), expected);
        } else {
            assert_true(failed && (ok || f->failure.no_memory));
        }
        close_path(f);
        buf_release(&f->out);
        assert_true(alloc_fault_alive() <= alive);
        assert_true(open_path(f));
        assert_string_equal(encoded(f, json, 0), expected);
    }
}

static void a_lack_of_memory_leads_to_no_other_path(void **state)
{
    struct fixture *f = *state;
    f->config.partitioner = SINK_PARTITIONER_TIME;
    f->config.path_format = SPAN_LIT("'year'=YYYY/'month'=MM/'day'=dd/'hour'=HH/'zone'=ZZZ");
    f->config.timestamp = SINK_TIMESTAMP_FIELD;
    assert_true(open_path(f));
    assert_path_or_none(f, "{\"timestamp\":\"2018-04-28T10:07\\u003a28.123456789\"}",
                        "year=2018/month=04/day=28/hour=10/zone=UTC");
    char zeros[700];
    snprintf(zeros, sizeof(zeros), "{\"timestamp\":\"%0600d1524910048123\"}", 0);
    assert_path_or_none(f, zeros, "year=2018/month=04/day=28/hour=10/zone=UTC");
    assert_path_or_none(f, "{\"timestamp\":1.524910048123e12}",
                        "year=2018/month=04/day=28/hour=10/zone=UTC");
    f->schemas_enable = true;
    assert_path_or_none(
        f,
        STRUCT(FIELD("string", "\\u0074imestamp"), "{\"timestamp\":\"2018-04-28T10:07:28.123\"}"),
        "year=2018/month=04/day=28/hour=10/zone=UTC");
    f->config.partitioner = SINK_PARTITIONER_FIELD;
    f->config.partition_fields = SPAN_LIT("country");
    assert_true(open_path(f));
    assert_path_or_none(f, STRUCT(FIELD("string", "country"), "{\"country\":\"Fiji\"}"),
                        "country=Fiji");
}

static void a_path_too_long_to_keep_is_whole_or_refused(void **state)
{
    struct fixture *f = *state;
    char format[6000] = "";
    f->config.partitioner = SINK_PARTITIONER_TIME;
    memset(format, '-', sizeof(format) - 5);
    memcpy(format + sizeof(format) - 5, "YYYY", 5);
    f->config.path_format = span_from_cstr(format);
    assert_true(open_path(f));
    for (int i = 0; i < 2; i++) {
        const char *got = encoded(f, "{}", 0);
        assert_int_equal(strlen(got), sizeof(format) - 1);
        assert_string_equal(got + sizeof(format) - 5, "1970");
    }
    buf_release(&f->out);
    buf_init(&f->out, 4096);
    encoded(f, "{}", 0);
    assert_false(buf_ok(&f->out));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_default_partitioner_names_kafkas_partition),
        T(the_field_partitioner_wants_a_struct),
        T(fields_of_a_struct_are_paths),
        T(a_text_of_another_kind_is_null_in_paths_too),
        T(a_field_of_a_struct_is_a_timestamp),
        T(time_based_paths_follow_the_pattern_in_the_zone),
        T(names_are_whole_in_the_locale_en),
        T(a_bad_zone_or_pattern_keeps_the_task_from_starting),
        T(a_file_that_is_no_zone_is_told),
        T(the_wall_clock_and_the_record_are_timestamps),
        T(a_field_is_a_timestamp),
        T(a_nested_field_is_reached_by_dots_outside_of_quotes),
        T(a_field_with_a_long_name_is_no_other_one),
        T(fields_within_structs_are_timestamps_where_there_are_any),
        T(a_duration_of_zero_is_javas_division),
        T(scheduled_rotations_count_from_midnight_in_the_zone),
        T(what_is_no_letter_stands_in_a_path_as_it_is),
        T(a_lack_of_memory_leads_to_no_other_path),
        T(a_path_too_long_to_keep_is_whole_or_refused),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
