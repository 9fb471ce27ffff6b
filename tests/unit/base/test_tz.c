/* Zone files (RFC 8536) made by the test, sound ones and damaged ones, and the POSIX rules at their
 * ends. Real zones: test_sink_time, test_sink_path. */
#include "buf.h"
#include "civil.h"
#include "tz.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { hour_ms = 3600 * 1000, file_bytes_max = 300 * 1024, header_version_at = 4 };

/* --- writing a zone file --- */

static void number_put(struct buf *out, int64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) {
        buf_append_byte(out, (char)((uint64_t)value >> shift & 0xff));
    }
}

struct change {
    int64_t at_s;
    int type;
};

struct zone {
    const struct change *changes;
    size_t change_count;
    const int32_t *offsets;
    size_t offset_count;
};

static void block_put(struct buf *out, char version, const struct zone *zone, int time_bytes)
{
    const size_t counts[] = {0, 0, 0, zone->change_count, zone->offset_count, 4};
    buf_append_cstr(out, "TZif");
    buf_append_byte(out, version);
    for (int i = 0; i < 15; i++) {
        buf_append_byte(out, '\0');
    }
    for (size_t i = 0; i < ARRAY_COUNT(counts); i++) {
        number_put(out, (int64_t)counts[i], 4);
    }
    for (size_t i = 0; i < zone->change_count; i++) {
        number_put(out, zone->changes[i].at_s, time_bytes);
    }
    for (size_t i = 0; i < zone->change_count; i++) {
        buf_append_byte(out, (char)zone->changes[i].type);
    }
    for (size_t i = 0; i < zone->offset_count; i++) {
        number_put(out, zone->offsets[i], 4);
        number_put(out, 0, 2);
    }
    buf_append(out, "UTC", 4);
}

static const int32_t no_offset[] = {0};
static const struct zone nothing = {NULL, 0, no_offset, 1};

/* Version 2: a block with narrow times that is not looked at, one with wide ones, the rule. */
static void file_put(struct buf *out, const struct zone *zone, const char *rule)
{
    buf_init(out, file_bytes_max);
    block_put(out, '2', &nothing, 4);
    block_put(out, '2', zone, 8);
    buf_printf(out, "\n%s\n", rule);
    assert_true(buf_ok(out));
}

/* --- rules --- */

static int64_t utc_ms(int64_t year, unsigned month, unsigned day, int hour)
{
    return (civil_days(year, month, day) * 24 + hour) * hour_ms;
}

static void a_rule_says_when_it_is_summer(void **state)
{
    static const struct {
        const char *rule;
        struct {
            unsigned month;
            unsigned day;
            int hour; /* UTC, in 2028, a leap year */
            double offset_h;
        } at[5];
    } cases[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3",
         {{1, 1, 0, 1}, {3, 26, 0, 1}, {3, 26, 1, 2}, {10, 29, 0, 2}, {10, 29, 1, 1}}},
        {"NZST-12NZDT,M9.5.0,M4.1.0/3", /* summer over the year's end */
         {{1, 1, 0, 13}, {4, 1, 13, 13}, {4, 1, 14, 12}, {9, 23, 14, 13}, {12, 31, 23, 13}}},
        {"EST5EDT,M3.2.0,M11.1.0",
         {{3, 12, 6, -5}, {3, 12, 7, -4}, {11, 5, 5, -4}, {11, 5, 6, -5}, {7, 1, 0, -4}}},
        {"<+0330>-3:30<+0430>,J79/24,J263/24", /* J: February 29 has no number */
         {{3, 20, 20, 3.5}, {3, 20, 21, 4.5}, {9, 20, 19, 4.5}, {9, 20, 20, 3.5}, {1, 1, 0, 3.5}}},
        {"AAA0BBB,J59/0,J60/0",
         {{2, 27, 23, 0}, {2, 28, 0, 1}, {2, 28, 23, 1}, {2, 29, 22, 1}, {2, 29, 23, 0}}},
        {"AAA0BBB,58/0,59/0", /* days from 0, and February 29 has one */
         {{2, 27, 23, 0}, {2, 28, 0, 1}, {2, 28, 22, 1}, {2, 28, 23, 0}, {3, 1, 0, 0}}},
        {"AAA+2BBB+0:30:30,M1.1.1/-1,M12.5.6/167", /* an own summer time, hours of other days */
         {{1, 3, 0, -2},
          {1, 3, 1, -0.5084},
          {1, 3, 2, -0.5084},
          {12, 31, 0, -0.5084},
          {7, 1, 0, -0.5084}}},
        {"XYZ3", {{1, 1, 0, -3}, {4, 1, 0, -3}, {7, 1, 0, -3}, {10, 1, 0, -3}, {12, 31, 0, -3}}},
        {"<-00>0", {{1, 1, 0, 0}, {4, 1, 0, 0}, {7, 1, 0, 0}, {10, 1, 0, 0}, {12, 31, 0, 0}}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf file;
        struct tz tz = {.has_rule = false};
        file_put(&file, &nothing, cases[i].rule);
        assert_true(tz_file_parse(buf_span(&file), &tz));
        for (size_t k = 0; k < ARRAY_COUNT(cases[i].at); k++) {
            int64_t when =
                utc_ms(2028, cases[i].at[k].month, cases[i].at[k].day, cases[i].at[k].hour);
            int64_t expected = (int64_t)(cases[i].at[k].offset_h * hour_ms);
            int64_t found = tz_offset_ms(&tz, when);
            if (found / 60000 != expected / 60000) {
                fail_msg("%s, %u-%u %d: %lld, not %lld", cases[i].rule, cases[i].at[k].month,
                         cases[i].at[k].day, cases[i].at[k].hour, (long long)found,
                         (long long)expected);
            }
        }
        tz_close(&tz);
        buf_release(&file);
    }
}

static void a_rule_that_is_none_makes_no_zone(void **state)
{
    static const char *const cases[] = {
        "CE-1",
        "<+03-3",
        "CET",
        "CET-",
        "CET-25",
        "CET-1:60",
        "CET-1:00:60",
        "CET-1:",
        "CET-1C",
        "CET-1CEST",
        "CET-1CEST,",
        "CET-1CEST-25,M3.5.0,M10.5.0",
        "CET-1CEST,M3.5.0",
        "CET-1CEST,M3.5.0,",
        "CET-1CEST,M3.5.0;M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0",
        "CET-1CEST,M0.5.0,M10.5.0",
        "CET-1CEST,M3,M10.5.0",
        "CET-1CEST,M3.0.0,M10.5.0",
        "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0",
        "CET-1CEST,M3.5.0/168,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0/",
        "CET-1CEST,J366,M10.5.0",
        "CET-1CEST,366,M10.5.0",
        "CET-1CEST,x,M10.5.0",
        "CET-1CEST,M3.5.0,M10.5.0 ",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf file;
        struct tz tz = {.has_rule = false};
        file_put(&file, &nothing, cases[i]);
        if (tz_file_parse(buf_span(&file), &tz)) {
            fail_msg("%s", cases[i]);
        }
        tz_close(&tz);
        buf_release(&file);
    }
}

/* --- transitions --- */

static const struct change changes[] = {{-1000, 1}, {5000, 2}, {1893456000, 1}};
static const int32_t offsets[] = {-3600, 7200, 3600};
static const struct zone zone = {changes, 3, offsets, 3};

static void a_moment_has_the_offset_of_the_latest_transition(void **state)
{
    static const struct {
        const char *rule;
        int64_t at_s;
        int64_t offset_s;
    } cases[] = {
        {"", INT64_C(-5000000000), -3600},
        {"", -1001, -3600},
        {"", -1000, 7200},
        {"", 4999, 7200},
        {"", 5000, 3600},
        {"", 1893455999, 3600},
        {"", 1893456000, 7200},
        {"", INT64_C(5000000000), 7200},
        {"ABC-5", 1893455999, 3600}, /* the rule begins where the transitions end */
        {"ABC-5", 1893456000, 5 * 3600},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf file;
        struct tz tz = {.has_rule = false};
        file_put(&file, &zone, cases[i].rule);
        assert_true(tz_file_parse(buf_span(&file), &tz));
        assert_int_equal(tz_offset_ms(&tz, cases[i].at_s * 1000), cases[i].offset_s * 1000);
        tz_close(&tz);
        buf_release(&file);
    }
}

/* Of version 1: narrow times and no rule. */
static void an_old_file_has_narrow_times(void **state)
{
    struct buf file;
    struct tz tz = {.has_rule = false};
    (void)state;
    buf_init(&file, file_bytes_max);
    block_put(&file, '\0', &zone, 4);
    assert_true(tz_file_parse(buf_span(&file), &tz));
    assert_int_equal(tz_offset_ms(&tz, -1000 * 1000), 7200 * 1000);
    assert_int_equal(tz_offset_ms(&tz, 6000 * 1000), 3600 * 1000);
    tz_close(&tz);
    block_put(&file, '\0', &nothing, 4); /* what follows is nobody's */
    assert_true(tz_file_parse(buf_span(&file), &tz));
    tz_close(&tz);
    buf_reset(&file);
    block_put(&file, '\0', &nothing, 4);
    assert_true(tz_file_parse(buf_span(&file), &tz));
    assert_int_equal(tz_offset_ms(&tz, 0), 0);
    tz_close(&tz);
    buf_release(&file);
}

/* Summer begins at 01:00 UTC: 02:00 to 03:00 is not there; it ends so that the hour is there twice.
 */
static void a_local_time_that_is_not_there_has_the_offset_before_it(void **state)
{
    struct buf file;
    struct tz tz = {.has_rule = false};
    (void)state;
    file_put(&file, &nothing, "CET-1CEST,M3.5.0,M10.5.0/3");
    assert_true(tz_file_parse(buf_span(&file), &tz));
    int64_t gap = utc_ms(2028, 3, 26, 2) + hour_ms / 2;
    assert_int_equal(tz_local_to_utc_ms(&tz, gap), gap - hour_ms);
    assert_int_equal(tz_local_to_utc_ms(&tz, gap - hour_ms), gap - 2 * hour_ms);
    assert_int_equal(tz_local_to_utc_ms(&tz, gap + hour_ms), gap - hour_ms);
    tz_close(&tz);
    buf_release(&file);
    tz = (struct tz){.has_rule = false};
    file_put(&file, &nothing, "EST5EDT,M3.2.0,M11.1.0");
    assert_true(tz_file_parse(buf_span(&file), &tz));
    gap = utc_ms(2028, 3, 12, 2) + hour_ms / 2;
    assert_int_equal(tz_local_to_utc_ms(&tz, gap), gap + 5 * hour_ms);
    assert_int_equal(tz_local_to_utc_ms(&tz, gap + hour_ms), gap + 5 * hour_ms);
    tz_close(&tz);
    buf_release(&file);
}

static void a_damaged_file_makes_no_zone(void **state)
{
    static const struct change again[] = {{5000, 1}, {5000, 2}};
    static const struct change unknown[] = {{5000, 3}};
    static const struct zone broken[] = {
        {again, 2, offsets, 3},   /* two at once */
        {unknown, 1, offsets, 3}, /* a type that there is not */
        {NULL, 0, NULL, 0},       /* no types */
    };
    struct buf file;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(broken); i++) {
        struct tz tz = {.has_rule = false};
        file_put(&file, &broken[i], "");
        assert_false(tz_file_parse(buf_span(&file), &tz));
        tz_close(&tz);
        buf_release(&file);
    }
    file_put(&file, &zone, "ABC-5");
    for (size_t len = 0; len < file.len - sizeof("\nABC-5"); len++) { /* cut anywhere */
        struct tz tz = {.has_rule = false};
        assert_false(tz_file_parse(span_first(buf_span(&file), len), &tz));
        tz_close(&tz);
    }
    for (size_t at = 20; at < 44; at += 4) { /* a count that is far too great, or negative */
        struct tz tz = {.has_rule = false};
        char saved = file.ptr[at];
        file.ptr[at] = '\x01';
        assert_false(tz_file_parse(buf_span(&file), &tz));
        file.ptr[at] = '\xff';
        assert_false(tz_file_parse(buf_span(&file), &tz));
        file.ptr[at] = saved;
    }
    file.ptr[0] = 't';
    struct tz tz = {.has_rule = false};
    assert_false(tz_file_parse(buf_span(&file), &tz));
    buf_release(&file);
}

/* --- names --- */

static void names_are_words_and_fixed_offsets_have_one_spelling(void **state)
{
    static const struct {
        const char *name;
        enum status status;
        const char *spelt;
        int64_t offset_s;
    } cases[] = {
        {"UTC", STATUS_OK, "UTC", 0},
        {"GMT", STATUS_OK, "GMT", 0},
        {"Etc/UTC", STATUS_OK, "Etc/UTC", 0},
        {"+02:00", STATUS_OK, "+02:00", 7200},
        {"+02", STATUS_OK, "+02:00", 7200},
        {"-0530", STATUS_OK, "-05:30", -19800},
        {"+00:00", STATUS_OK, "+00:00", 0},
        {"-23:59", STATUS_OK, "-23:59", -86340},
        {"+24:00", STATUS_NOT_FOUND, NULL, 0},
        {"+2", STATUS_NOT_FOUND, NULL, 0},
        {"+0260", STATUS_NOT_FOUND, NULL, 0},
        {"+02:0", STATUS_INVALID, NULL, 0},
        {"+x2", STATUS_NOT_FOUND, NULL, 0},
        {"", STATUS_INVALID, NULL, 0},
        {"/etc/passwd", STATUS_INVALID, NULL, 0},
        {"../passwd", STATUS_INVALID, NULL, 0},
        {"Europe/Ber lin", STATUS_INVALID, NULL, 0},
        {"{", STATUS_INVALID, NULL, 0},
        {"No_Such/Zone-9", STATUS_NOT_FOUND, NULL, 0},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", STATUS_INVALID, NULL,
         0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct tz tz;
        struct error err = ERROR_NONE;
        enum status status = tz_open(span_from_cstr(cases[i].name), &tz, &err);
        /* Where there are no zone files at all, none can be missing among them. */
        if (status != STATUS_CONFIG && (status == STATUS_OK) != (cases[i].status == STATUS_OK)) {
            fail_msg("%s: %s", cases[i].name, status_name(status));
        }
        if (status == STATUS_OK) {
            assert_string_equal(tz.name, cases[i].spelt);
            assert_int_equal(tz_offset_ms(&tz, 0), cases[i].offset_s * 1000);
            tz_close(&tz);
        } else {
            assert_true(err.message[0] != '\0');
        }
    }
    struct tz tz;
    assert_int_equal(tz_open(SPAN_LIT("a\0b"), &tz, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_says_when_it_is_summer),
        cmocka_unit_test(a_rule_that_is_none_makes_no_zone),
        cmocka_unit_test(a_moment_has_the_offset_of_the_latest_transition),
        cmocka_unit_test(an_old_file_has_narrow_times),
        cmocka_unit_test(a_local_time_that_is_not_there_has_the_offset_before_it),
        cmocka_unit_test(a_damaged_file_makes_no_zone),
        cmocka_unit_test(names_are_words_and_fixed_offsets_have_one_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
