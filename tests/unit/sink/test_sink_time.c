/* The partitioner's times: ISO 8601 as Joda's dateTimeParser reads it, with Joda's words for what
 * it does not read, and patterns as its DateTimeFormat writes them. */
#include "sink_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR_MS = 3600000, MINUTE_MS = 60000, DAY_MS = 24 * HOUR_MS };
static const int64_t y2020_ms = INT64_C(1577836800000);

static void dates_times_and_offsets_are_read_in_all_their_forms(void **state)
{
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"2020", y2020_ms},
        {"+2020", y2020_ms},
        {"2020-01", y2020_ms},
        {"2020-01-01", y2020_ms},
        {"2020-01-01T", y2020_ms},
        {"2020-01-01t00z", y2020_ms},
        {"2020-001", y2020_ms},
        {"2020-366", y2020_ms + INT64_C(365) * DAY_MS},
        {"2020-W01", y2020_ms - 2 * DAY_MS}, /* its Monday */
        {"2020-w01-3", y2020_ms},
        {"2020-W53-7", y2020_ms + INT64_C(368) * DAY_MS},
        {"-0001-01-01", INT64_C(-62198755200000)},
        {"T10", 10 * HOUR_MS},
        {"T10:30", 10 * HOUR_MS + 30 * MINUTE_MS},
        {"T10:30:15.25Z", 10 * HOUR_MS + 30 * MINUTE_MS + 15250},
        {"T10.5", 10 * HOUR_MS + 30 * MINUTE_MS},
        {"T10:30,5", 10 * HOUR_MS + 30 * MINUTE_MS + 30000},
        {"T00:00:00.123456789", 123},
        {"T10+01", 9 * HOUR_MS},
        {"T10-01:30", 11 * HOUR_MS + 30 * MINUTE_MS},
        {"T10+0130", 8 * HOUR_MS + 30 * MINUTE_MS},
        {"T10+01:30:15", 8 * HOUR_MS + 30 * MINUTE_MS - 15000},
        {"T10+013015", 8 * HOUR_MS + 30 * MINUTE_MS - 15000},
        {"T10+00:00:01.5", 10 * HOUR_MS - 1500},
        {"T10+00:00:01,25", 10 * HOUR_MS - 1250},
        {"T10+000001500", 10 * HOUR_MS - 1500},
        {"T10+0000015", 10 * HOUR_MS - 1500},
        {"2020-01-01T+01:00", y2020_ms - HOUR_MS},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sink_time_fault fault = {.message = ""};
        int64_t ms = -1;
        if (!sink_time_parse_iso(span_from_cstr(cases[i].text), &ms, &fault) || ms != cases[i].ms) {
            fail_msg("%s is %lld, not %lld: %s", cases[i].text, (long long)ms,
                     (long long)cases[i].ms, fault.message);
        }
    }
}

struct refused_time {
    const char *text;
    const char *message; /* a part of Joda's */
};

static void assert_iso_is_refused(const struct refused_time *cases, size_t count,
                                  const char *class_name)
{
    for (size_t i = 0; i < count; i++) {
        struct sink_time_fault fault = {.message = ""};
        int64_t ms;
        if (sink_time_parse_iso(span_from_cstr(cases[i].text), &ms, &fault) ||
            strstr(fault.message, cases[i].message) == NULL) {
            fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].text, fault.message,
                     cases[i].message);
        }
        assert_string_equal(fault.class_name, class_name);
    }
}

static void what_is_no_time_is_refused_where_reading_ended(void **state)
{
    (void)state;
    static const struct refused_time cases[] = {
        {"", "Invalid format: \"\""},
        {"yesterday", "Invalid format: \"yesterday\""},
        {"T", "Invalid format: \"T\" is too short"},
        {"-", "Invalid format: \"-\" is too short"},
        {"2020-", "is malformed at \"-\""},
        {"2020-x", "is malformed at \"-x\""},
        {"2020-01-", "is malformed at \"-\""},
        {"2020-W", "is too short"},
        {"2020-Wxx", "is malformed at \"xx\""},
        {"2020-W01-x", "is malformed at \"-x\""},
        {"2020-01-01 00:00", "is malformed at \" 00:00\""},
        {"2020-01-01Tx", "is malformed at \"x\""},
        {"T10:", "is malformed at \":\""},
        {"T10:x", "is malformed at \":x\""},
        {"T10:30:", "is malformed at \":\""},
        {"T10:30:x", "is malformed at \":x\""},
        {"T10.", "is malformed at \".\""},
        {"T10:30,x", "is malformed at \",x\""},
        {"T10:30:15.", "is malformed at \".\""},
        {"T10+", "is malformed at \"+\""},
        {"T10+1", "is malformed at \"+1\""},
        {"T10+24", "is malformed at \"+24\""},
        {"T10+01:6", "is malformed at \"+01:6\""},
        {"T10+01:60", "is malformed at \"+01:60\""},
        {"T10+01:", "is malformed at \"+01:\""},
        {"T10+0160", "is malformed at \"+0160\""},
        {"T10+01:30:61", "is malformed at \"+01:30:61\""},
        {"T10+01:30:15.", "is malformed at \"+01:30:15.\""},
        {"T10+01:30:15.x", "is malformed at \"+01:30:15.x\""},
        {"T10Zulu", "is malformed at \"ulu\""},
        {"2020-01-01T00:00:00 and a tail that is longer than ...ody would show",
         "is malformed at \" and a tail that is longer than ...\""},
        {"nothing that begins with a digit, and longer than is shown of it",
         "Invalid format: \"nothing that begins with a digit...\""},
    };
    assert_iso_is_refused(cases, ARRAY_COUNT(cases), "java.lang.IllegalArgumentException");
}

static void a_field_out_of_its_range_is_named_with_the_range(void **state)
{
    (void)state;
    static const struct refused_time cases[] = {
        {"2020-00", "Value 0 for monthOfYear must be in the range [1,12]"},
        {"2020-13", "Value 13 for monthOfYear must be in the range [1,12]"},
        {"2019-02-29", "Value 29 for dayOfMonth must be in the range [1,28]"},
        {"2020-02-00", "Value 0 for dayOfMonth must be in the range [1,29]"},
        {"2019-366", "Value 366 for dayOfYear must be in the range [1,365]"},
        {"2019-W53", "Value 53 for weekOfWeekyear must be in the range [1,52]"},
        {"2020-W01-8", "Value 8 for dayOfWeek must be in the range [1,7]"},
        {"T24", "Value 24 for hourOfDay must be in the range [0,23]"},
        {"T10:60", "Value 60 for minuteOfHour must be in the range [0,59]"},
        {"T10:30:60", "Value 60 for secondOfMinute must be in the range [0,59]"},
        {"292278994-01-01", "Value 292278994 for year must be in the range"},
        {"-292275055-01-01", "Value -292275055 for year must be in the range"},
        {"292278994-W01", "for weekyear must be in the range"},
    };
    assert_iso_is_refused(cases, ARRAY_COUNT(cases), "org.joda.time.IllegalFieldValueException");
}

static void each_letter_of_a_pattern_is_written_in_each_width(void **state)
{
    (void)state;
    /* Friday, 5 February 2021, 13:07:09.042 UTC; the Monday of a week that is the next year's; a
     * night before our era. */
    const int64_t friday = INT64_C(1612530429042);
    const int64_t monday = INT64_C(1609718399000) + 1000 - 7 * (int64_t)DAY_MS;
    const int64_t ancient = INT64_C(-62198755200000);
    const struct {
        const char *pattern;
        bool english;
        int64_t ms;
        const char *text;
    } cases[] = {
        {"YYYY/MM/dd/HH", false, friday, "2021/02/05/13"},
        {"yy Y D DDD e w ww", false, friday, "21 2021 36 036 5 5 05"},
        {"K h k a", false, friday, "1 1 13 PM"},
        {"K h k a", false, friday - INT64_C(13) * HOUR_MS, "0 12 24 AM"},
        {"m:s.S SS SSS SSSS", false, friday, "7:9.0 04 042 0420"},
        {"MMM MMMM EEE EEEE", true, friday, "Feb February Fri Friday"},
        {"MMM MMMM EEE EEEE", false, friday, "Feb Feb Fri Fri"},
        {"xxxx-ww", false, monday, "2020-53"},
        {"G C YYYY yyyy", true, ancient, "BC 0 0002 -0001"},
        {"G", false, ancient, "BCE"},
        {"G", true, friday, "AD"},
        {"G", false, friday, "CE"},
        {"Z ZZ ZZZ z", false, friday, "+0000 +00:00 UTC UTC"},
        {"'it''s' ''HH''", false, friday, "it's '13'"},
        {"HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH", false, friday,
         "00000000000000000000000000000013"},
    };
    static struct tz utc;
    struct error err;
    assert_int_equal(tz_open(SPAN_LIT("UTC"), &utc, &err), STATUS_OK);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        static struct sink_pattern pattern;
        struct buf out;
        buf_init(&out, 1000);
        pattern = (struct sink_pattern){.english = cases[i].english};
        assert_int_equal(sink_pattern_compile(span_from_cstr(cases[i].pattern), &pattern, &err),
                         STATUS_OK);
        sink_pattern_write(&pattern, &utc, cases[i].ms, &out);
        if (strcmp(buf_cstr(&out), cases[i].text) != 0) {
            fail_msg("%s is \"%s\", not \"%s\"", cases[i].pattern, buf_cstr(&out), cases[i].text);
        }
        buf_release(&out);
    }
    tz_close(&utc);
}

static void a_pattern_has_so_many_parts_at_most(void **state)
{
    (void)state;
    static struct sink_pattern pattern;
    char text[2 * SINK_PATTERN_PARTS_MAX + 2];
    struct error err;
    for (size_t i = 0; i + 1 < sizeof(text); i++) {
        text[i] = i % 2 == 0 ? 'H' : 'm';
    }
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(sink_pattern_compile(span_from(text, SINK_PATTERN_PARTS_MAX), &pattern, &err),
                     STATUS_OK);
    assert_int_equal(
        sink_pattern_compile(span_from(text, SINK_PATTERN_PARTS_MAX + 1), &pattern, &err),
        STATUS_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_times_and_offsets_are_read_in_all_their_forms),
        cmocka_unit_test(what_is_no_time_is_refused_where_reading_ended),
        cmocka_unit_test(a_field_out_of_its_range_is_named_with_the_range),
        cmocka_unit_test(each_letter_of_a_pattern_is_written_in_each_width),
        cmocka_unit_test(a_pattern_has_so_many_parts_at_most),
    };
    return cmocka_run_group_tests_name("sink_time", tests, NULL, NULL);
}
