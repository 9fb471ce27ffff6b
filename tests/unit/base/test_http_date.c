/* Days, their names, and dates as HTTP writes them. */
#include "civil.h"
#include "http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void dates_are_written_as_http_wants_them(void **state)
{
    static const struct {
        int64_t unix_s;
        const char *text;
    } cases[] = {
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {INT64_C(784111777), "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 */
        {INT64_C(1709251199), "Thu, 29 Feb 2024 23:59:59 GMT"},
        {INT64_C(1767323045), "Fri, 02 Jan 2026 03:04:05 GMT"},
        {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
        {INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char text[HTTP_DATE_BYTES];
        int64_t unix_s = 1;
        http_date_write(cases[i].unix_s, text);
        assert_string_equal(text, cases[i].text);
        assert_true(http_date_parse(span_from_cstr(text), &unix_s));
        assert_int_equal(unix_s, cases[i].unix_s);
    }
}

static void a_year_of_five_digits_overruns_nothing(void **state)
{
    char text[HTTP_DATE_BYTES];
    (void)state;
    http_date_write(INT64_MAX / 1000000, text);
    assert_int_equal(strlen(text), HTTP_DATE_BYTES - 1);
    http_date_write(INT64_MIN / 1000000, text);
    assert_int_equal(strlen(text), HTTP_DATE_BYTES - 1);
}

static void the_zone_may_be_a_number(void **state)
{
    int64_t unix_s;
    (void)state;
    assert_true(http_date_parse(SPAN_LIT("Fri, 02 Jan 2026 03:04:05 +0000"), &unix_s));
    assert_int_equal(unix_s, 1767323045);
    assert_true(http_date_parse(SPAN_LIT("Sat, 03 Jan 2026 03:04:05 -0000"), &unix_s));
    assert_int_equal(unix_s, 1767409445);
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "2026-01-02T03:04:05Z",
        "Fri, 02 Jan 2026 03:04:05",
        "Fri, 02 Jan 2026 03:04:05 CET",
        "Fri, 02 Jan 2026 03:04:05 GMT ",
        "Fri, 2 Jan 2026 03:04:05 GMT",
        "Friday, 02-Jan-26 03:04:05 GMT",
        "Fri, 02 Xan 2026 03:04:05 GMT",
        "Fri, 02-Jan-2026 03:04:05 GMT",
        "Fri, 0x Jan 2026 03:04:05 GMT",
        "Fri, 00 Jan 2026 03:04:05 GMT",
        "Sun, 31 Jun 2026 03:04:05 GMT",
        "Sun, 29 Feb 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 24:04:05 GMT",
        "Fri, 02 Jan 2026 03:60:05 GMT",
        "Fri, 02 Jan 2026 03:04:60 GMT",
        "Fri, 02 Jan 2026 03.04.05 GMT",
        "Fri; 02 Jan 2026 03:04:05 GMT",
        "Fri,-02 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan-2026 03:04:05 GMT",
        "Fri, 02 Jan 2026T03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04.05 GMT",
        "Fri, 02 Jan 2o26 03:04:05 GMT",
        "Fri, 02 Jan 2026 :3:04:05 GMT",
        "Fri, 02 Jan 2026 03:x4:05 GMT",
        "Fri, 02 Jan 2026 03:04:/5 GMT",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t unix_s;
        if (http_date_parse(span_from_cstr(cases[i]), &unix_s)) {
            fail_msg("\"%s\" was read", cases[i]);
        }
    }
}

static void months_are_found_by_their_abbreviation(void **state)
{
    (void)state;
    for (unsigned month = 1; month <= 12; month++) {
        struct span name = span_from(civil_month_name(month), 3);
        assert_int_equal(civil_month_number(name), month);
    }
    assert_int_equal(civil_month_number(SPAN_LIT("sEP")), 9);
    assert_int_equal(civil_month_number(SPAN_LIT("Sept")), 0);
    assert_int_equal(civil_month_number(SPAN_LIT("")), 0);
    assert_string_equal(civil_weekday_name(civil_weekday(0)), "Thursday");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_are_written_as_http_wants_them),
        cmocka_unit_test(a_year_of_five_digits_overruns_nothing),
        cmocka_unit_test(the_zone_may_be_a_number),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(months_are_found_by_their_abbreviation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
