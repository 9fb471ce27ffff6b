/* What v3 needs beside its JSON: instants as text, and the settings of topics in Kafka's words. */
#include "kafka_rest_time.h"
#include "topic_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- instants --- */

static void instants_are_read_as_java_reads_them(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2021-02-05T19:14:42Z", INT64_C(1612552482000)},
        {"2021-02-05T19:14:42.5Z", INT64_C(1612552482500)},
        {"2021-02-05T19:14:42.123456789Z", INT64_C(1612552482123)},
        {"2021-02-05T20:14:42+01:00", INT64_C(1612552482000)},
        {"2021-02-05T14:14:42-0500", INT64_C(1612552482000)},
        {"2021-02-05T19:14Z", INT64_C(1612552440000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000)},
        {"1969-12-31T23:59:59.999Z", -1},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800000)},
        {"9999-12-31T23:59:59Z", INT64_C(253402300799000)},
        {"1612552482", INT64_C(1612552482000)},
        {"1612552482.25", INT64_C(1612552482250)},
        {"0", 0},
        {"-1", -1000},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t ms = -2;
        if (!kafka_rest_time_parse(span_from_cstr(rows[i].text), &ms) || ms != rows[i].ms) {
            fail_msg("%s: %lld, not %lld", rows[i].text, (long long)ms, (long long)rows[i].ms);
        }
    }
}

static void what_is_no_instant_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "now",
        "2021-02-05",
        "2021-02-05T19:14:42",
        "2021-02-05 19:14:42Z",
        "2021-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2021-13-01T00:00:00Z",
        "2021-00-01T00:00:00Z",
        "2021-01-32T00:00:00Z",
        "2021-01-01T24:00:00Z",
        "2021-01-01T00:60:00Z",
        "2021-01-01T00:00:60Z",
        "2021-01-01T00:00:00Zx",
        "2021-01-01T00:00:00+25:00",
        "2021-01-01T00:00:00+",
        "1e400",
        "1e12",
        "0x10",
        "+1",
        "2021-01-01T00:00:00.Z",
        "nan",
        "inf",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        int64_t ms;
        if (kafka_rest_time_parse(span_from_cstr(rows[i]), &ms)) {
            fail_msg("taken for an instant: %s", rows[i]);
        }
    }
}

static void instants_are_written_without_an_empty_fraction(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "1970-01-01T00:00:00Z"},
        {INT64_C(1767225600123), "2026-01-01T00:00:00.123Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {INT64_C(1612552482500), "2021-02-05T19:14:42.500Z"},
    };
    char text[KAFKA_REST_TIME_BYTES];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        kafka_rest_time_format(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void every_day_survives_being_written_and_read(void **state)
{
    char text[KAFKA_REST_TIME_BYTES];
    (void)state;
    for (int64_t day = -719162; day < 100000; day += 97) {
        int64_t ms = day * 86400000 + 12345678;
        int64_t back;
        kafka_rest_time_format(ms, text);
        assert_true(kafka_rest_time_parse(span_from_cstr(text), &back));
        assert_int_equal(back, ms);
    }
}

/* --- settings --- */

static void settings_are_sorted_and_their_defaults_pass_their_own_checks(void **state)
{
    struct error err;
    (void)state;
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        const struct topic_config *config = &topic_configs[i];
        if (i > 0) {
            assert_true(strcmp(topic_configs[i - 1].name, config->name) < 0);
        }
        assert_ptr_equal(topic_config_find(span_from_cstr(config->name)), config);
        assert_int_equal(
            topic_config_check(span_from_cstr(config->name), span_from_cstr(config->value), &err),
            STATUS_OK);
    }
    assert_null(topic_config_find(SPAN_LIT("retention")));
}

static void values_that_do_not_fit_are_refused_in_kafkas_words(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        const char *message; /* NULL: it fits */
    } rows[] = {
        {"retention.ms", "-1", NULL},
        {"retention.ms", "-2",
         "Invalid value -2 for configuration retention.ms: Value must be at least -1"},
        {"retention.ms", "1.5",
         "Invalid value 1.5 for configuration retention.ms: Not a number of type LONG"},
        {"retention.ms", "", "Not a number of type LONG"},
        {"segment.bytes", "2147483648", "Not a number of type INT"},
        {"segment.bytes", "-2147483649", "Not a number of type INT"},
        {"segment.bytes", "13", "Value must be at least 14"},
        {"cleanup.policy", "compact,delete", NULL},
        {"cleanup.policy", "compact, delete", NULL},
        {"cleanup.policy", "compact,burn",
         "Invalid value burn for configuration cleanup.policy: String must be one of: compact, "
         "delete"},
        {"preallocate", "TRUE", NULL},
        {"preallocate", "yes", "Expected value to be either true or false"},
        {"min.cleanable.dirty.ratio", "0.25", NULL},
        {"min.cleanable.dirty.ratio", "1.5", "Value must be no more than 1"},
        {"min.cleanable.dirty.ratio", "-0.5", "Value must be at least 0"},
        {"min.cleanable.dirty.ratio", "half", "Not a number of type DOUBLE"},
        {"min.cleanable.dirty.ratio", "1e999", "Not a number of type DOUBLE"},
        {"message.timestamp.type", "LogAppendTime", NULL},
        {"message.timestamp.type", "Never", "String must be one of: CreateTime, LogAppendTime"},
        {"retention", "1", "Unknown topic config name: retention"},
        {"Retention.ms", "1", "Unknown topic config name: Retention.ms"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct error err = ERROR_NONE;
        enum status status =
            topic_config_check(span_from_cstr(rows[i].name), span_from_cstr(rows[i].value), &err);
        if (rows[i].message == NULL
                ? status != STATUS_OK
                : status != STATUS_INVALID || strstr(err.message, rows[i].message) == NULL) {
            fail_msg("%s=%s: %s", rows[i].name, rows[i].value, err.message);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(instants_are_read_as_java_reads_them),
        cmocka_unit_test(what_is_no_instant_is_refused),
        cmocka_unit_test(instants_are_written_without_an_empty_fraction),
        cmocka_unit_test(every_day_survives_being_written_and_read),
        cmocka_unit_test(settings_are_sorted_and_their_defaults_pass_their_own_checks),
        cmocka_unit_test(values_that_do_not_fit_are_refused_in_kafkas_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
