#include "record_page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum record_page_mode modes[] = {RECORD_PAGE_STRICT, RECORD_PAGE_QUICK};

/* Reads the whole page; the records' number, or -1 when it is bad. */
static int read_page(const char *text, size_t len, enum record_page_mode mode,
                     struct page_record *out, size_t out_max)
{
    struct record_page page;
    struct page_record record;
    struct json_error err;
    /* At the end of its own allocation, so that a read beyond it is seen. */
    char *copy = malloc(len > 0 ? len : 1);
    int count = 0;
    enum page_step step;
    assert_non_null(copy);
    memcpy(copy, text, len);
    record_page_open(&page, span_from(copy, len), mode);
    while ((step = record_page_next(&page, &record, &err)) == PAGE_RECORD) {
        if ((size_t)count < out_max) {
            out[count] = record;
            out[count].topic.ptr = text + (record.topic.ptr - copy);
            out[count].key.ptr = record.key.ptr != NULL ? text + (record.key.ptr - copy) : NULL;
            out[count].value.ptr =
                record.value.ptr != NULL ? text + (record.value.ptr - copy) : NULL;
        }
        count++;
    }
    free(copy);
    if (step == PAGE_BAD) {
        assert_true(err.message[0] != '\0');
        return -1;
    }
    return count;
}

static void assert_span(struct span actual, const char *expected, const char *label)
{
    if (expected == NULL) {
        if (actual.ptr != NULL) {
            fail_msg("%s: expected null, got %.*s", label, SPAN_ARG(actual));
        }
    } else if (!span_equal_cstr(actual, expected)) {
        fail_msg("%s: expected %s, got %.*s", label, expected, SPAN_ARG(actual));
    }
}

static void a_page_of_the_real_proxy_gives_its_records(void **state)
{
    static const char page[] =
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":{\"index\":1,\"t\":\"a\\\"}]\\\\\"},"
        "\"partition\":0,\"offset\":41},"
        "{\"topic\":\"u1.pin\",\"key\":\"k\",\"value\":null,\"partition\":2,\"offset\":"
        "9223372036854775807}]";
    struct page_record records[2];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
        assert_int_equal(read_page(page, strlen(page), modes[i], records, 2), 2);
        assert_span(records[0].topic, "u1.pin", "topic");
        assert_span(records[0].key, NULL, "key");
        assert_span(records[0].value, "{\"index\":1,\"t\":\"a\\\"}]\\\\\"}", "value");
        assert_int_equal(records[0].partition, 0);
        assert_int_equal(records[0].offset, 41);
        assert_span(records[1].key, "\"k\"", "key");
        assert_span(records[1].value, NULL, "value");
        assert_int_equal(records[1].partition, 2);
        assert_true(records[1].offset == INT64_MAX);
    }
}

#define RECORD(value)                                                                              \
    "{\"topic\":\"t\",\"key\":null,\"value\":" value ",\"partition\":0,\"offset\":7}"

static void every_kind_of_value_comes_back_as_its_source_text(void **state)
{
    static const char *const values[] = {
        "1",
        "-0.5E-10",
        "true",
        "false",
        "\"\"",
        "\"\\\\\"",
        "\"\\\\\\\"\"",
        "[]",
        "{}",
        "[[{\"a\":[1,2,{\"}\":\"]\"}]}]]",
        "\"\xc3\xa9\xf0\x9f\x98\x80\"",
        "{\"\":null}",
        "123456789012345678901234567890",
    };
    char page[256];
    struct page_record record;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        snprintf(page, sizeof(page), "[" RECORD("%s") "]", values[i]);
        for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
            if (read_page(page, strlen(page), modes[m], &record, 1) != 1) {
                fail_msg("not read: %s", page);
            }
            assert_span(record.value, values[i], page);
        }
    }
}

static void an_empty_page_has_no_records(void **state)
{
    static const char *const pages[] = {"[]", " [ ] ", "[\n]\n"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
            assert_int_equal(read_page(pages[i], strlen(pages[i]), modes[m], NULL, 0), 0);
        }
    }
}

static void other_orders_blanks_and_members_of_other_proxies_are_read(void **state)
{
    static const char page[] =
        " [ { \"offset\" : 3 , \"partition\" : 1 , \"timestamp\":1700000000000,"
        "\"headers\":[{\"a\":1}], \"value\" : { \"ind\" : 1 } , \"topic\" : \"t.geo\" } , "
        "{\"topic\":\"t.geo\",\"key\":[1],\"value\":2,\"partition\":1,\"offset\":4} ] ";
    struct page_record records[2];
    (void)state;
    for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
        assert_int_equal(read_page(page, strlen(page), modes[m], records, 2), 2);
        assert_span(records[0].topic, "t.geo", "topic");
        assert_span(records[0].key, NULL, "a missing key");
        assert_span(records[0].value, "{ \"ind\" : 1 }", "value");
        assert_int_equal(records[0].offset, 3);
        assert_int_equal(records[1].offset, 4);
    }
}

static void a_page_cut_anywhere_is_bad_and_never_a_shorter_page(void **state)
{
    static const char page[] = "[" RECORD("{\"a\":\"b\\\"\"}") "," RECORD("[1,\"x\"]") "]";
    (void)state;
    for (size_t len = 0; len + 1 < sizeof(page); len++) {
        for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
            if (read_page(page, len, modes[m], NULL, 0) >= 0) {
                fail_msg("cut at %zu it was taken for whole", len);
            }
        }
    }
    assert_int_equal(read_page(page, sizeof(page) - 1, RECORD_PAGE_QUICK, NULL, 0), 2);
}

static void hostile_pages_are_bad(void **state)
{
    static const char *const pages[] = {
        "",
        "null",
        "{}",
        "{\"message\":\"Forbidden\"}",
        "[",
        "[]x",
        "[] []",
        "[,]",
        "[" RECORD("1") ",]",
        "[" RECORD("1") "" RECORD("2") "]",
        "[" RECORD("1") ";" RECORD("2") "]",
        "[1]",
        "[null]",
        "[[]]",
        "[{}]",
        "[" RECORD("") "]",
        "[" RECORD("}") "]",
        "[" RECORD("{") "]",
        "[" RECORD("\"") "]",
        "[" RECORD("\"\\\"") "]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"offset\":0}]",
        "[{\"topic\":\"t\",\"key\":null,\"partition\":0,\"offset\":0}]",
        "[{\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]",
        "[{\"topic\":1,\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]",
        "[{\"topic\":\"a\\u0062\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":-1,\"offset\":0}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":2147483648,\"offset\":0}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":-1}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":1.0}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":1e3}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":\"1\"}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":00,\"offset\":1}]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":9223372036854775808}"
        "]",
        "[{\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":1,\"offset\":2}]",
        "[{\"topic\":\"t\",\"topic\":\"t\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":1}]",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
            if (read_page(pages[i], strlen(pages[i]), modes[m], NULL, 0) >= 0) {
                fail_msg("mode %d took it: %s", (int)modes[m], pages[i]);
            }
        }
    }
}

static void values_nested_deeper_than_the_limit_are_bad(void **state)
{
    enum { too_deep = JSON_DEPTH_MAX + 2 };
    static char page[4 * too_deep + 100];
    (void)state;
    size_t used = (size_t)snprintf(page, sizeof(page), "[{\"topic\":\"t\",\"key\":null,\"value\":");
    memset(page + used, '[', too_deep);
    memset(page + used + too_deep, ']', too_deep);
    used += 2 * (size_t)too_deep;
    used += (size_t)snprintf(page + used, sizeof(page) - used, ",\"partition\":0,\"offset\":0}]");
    for (size_t m = 0; m < ARRAY_COUNT(modes); m++) {
        assert_int_equal(read_page(page, used, modes[m], NULL, 0), -1);
    }
}

static void a_strict_page_refuses_values_that_are_not_json_and_the_check_does_so_too(void **state)
{
    static const char *const values[] = {"{\"a\":}", "{\"a\" 1}", "[1,]",    "nul",
                                         "01",       "{a:1}",     "\"\\x\"", "\"\xff\"",
                                         "[1 2]",    "{]",        "\"a\nb\""};
    char page[256];
    struct json_error err;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        snprintf(page, sizeof(page), "[" RECORD("%s") "]", values[i]);
        if (read_page(page, strlen(page), RECORD_PAGE_STRICT, NULL, 0) >= 0) {
            fail_msg("taken: %s", page);
        }
        assert_false(record_page_check_value(span_from_cstr(values[i]), &err));
        assert_true(err.message[0] != '\0');
    }
    assert_true(record_page_check_value((struct span){NULL, 0}, &err));
    assert_true(record_page_check_value(SPAN_LIT("{\"a\":1}"), &err));
}

static void a_bad_record_is_named_by_its_number(void **state)
{
    static const char text[] = "[" RECORD("1") "," RECORD("2") ",{\"topic\":5}]";
    struct record_page page;
    struct page_record record;
    struct json_error err;
    (void)state;
    record_page_open(&page, span_from_cstr(text), RECORD_PAGE_QUICK);
    assert_int_equal(record_page_next(&page, &record, &err), PAGE_RECORD);
    assert_int_equal(record_page_next(&page, &record, &err), PAGE_RECORD);
    assert_int_equal(record_page_next(&page, &record, &err), PAGE_BAD);
    assert_non_null(strstr(err.message, "record 3 of the page"));
    assert_non_null(strstr(err.message, "\"topic\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_of_the_real_proxy_gives_its_records),
        cmocka_unit_test(every_kind_of_value_comes_back_as_its_source_text),
        cmocka_unit_test(an_empty_page_has_no_records),
        cmocka_unit_test(other_orders_blanks_and_members_of_other_proxies_are_read),
        cmocka_unit_test(a_page_cut_anywhere_is_bad_and_never_a_shorter_page),
        cmocka_unit_test(hostile_pages_are_bad),
        cmocka_unit_test(values_nested_deeper_than_the_limit_are_bad),
        cmocka_unit_test(a_strict_page_refuses_values_that_are_not_json_and_the_check_does_so_too),
        cmocka_unit_test(a_bad_record_is_named_by_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
