#include "verdict_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef bool (*write_fn)(const struct verdict *verdict, FILE *out);

static void assert_writes(write_fn write, const struct verdict *verdict, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    assert_true(write(verdict, out));
    assert_int_equal(fclose(out), 0);
    if (strcmp(text, expected) != 0) {
        fail_msg("written:\n%s\nexpected:\n%s", text, expected);
    }
    free(text);
}

static struct verdict good_verdict(void)
{
    struct verdict verdict;
    verdict_init(&verdict);
    verdict.topics = 3;
    verdict.records = 30;
    verdict.matched = 30;
    verdict.posts = 30;
    verdict.acked = 30;
    verdict.runs = 1;
    verdict.elapsed_ms = 1042;
    snprintf(verdict.cluster_id, sizeof(verdict.cluster_id), "cluster-a");
    return verdict;
}

static struct verdict bad_verdict(void)
{
    struct verdict verdict = good_verdict();
    verdict.counts[VERDICT_ALTERED] = 2;
    verdict.first[VERDICT_ALTERED] = (struct verdict_offender){
        .topic = "u1.pin",
        .partition = 0,
        .offset = 5,
        .table = "pinterest_data",
        .row = 7,
        .field = "title",
        .ledger_id = 16,
        .run = 1,
        .triple = 5,
        .detail = "a <b> & \"c\"",
    };
    verdict.counts[VERDICT_IN_DOUBT_NOT_KEPT] = 1;
    struct verdict_offender doubt = verdict_offender_none();
    snprintf(doubt.topic, sizeof(doubt.topic), "u1.geo");
    doubt.ledger_id = 20;
    doubt.run = 1;
    doubt.triple = 6;
    verdict.first[VERDICT_IN_DOUBT_NOT_KEPT] = doubt;
    verdict.later = 4;
    return verdict;
}

#define HEAD                                                                                       \
    "read     30 records in 3 topics\n"                                                            \
    "ledger   30 posts by 1 run of the emulator, 30 of them acknowledged\n"                        \
    "matched  30 of the records stand where the acknowledgement said, with the row that was "      \
    "posted\n\n"                                                                                   \
    "        looked for                found  which means\n"

#define OK_LINES_1                                                                                 \
    "  ok    missing                       0  acknowledged, but not in any topic\n"                \
    "  ok    doubled                       0  a second copy that no retry and no re-run "          \
    "explains\n"
#define OK_LINES_2                                                                                 \
    "  ok    misrouted                     0  the content belongs to another table's topic\n"      \
    "  ok    out of order                  0  the topic's order is not the order of posting (one " \
    "lane a topic)\n"                                                                              \
    "  ok    acked elsewhere               0  kept, but at another place than the "                \
    "acknowledgement "                                                                             \
    "said\n"                                                                                       \
    "  ok    partial, unexplained          0  pin, geo and user of one row, but the ledger "       \
    "itself "                                                                                      \
    "lacks one of them\n"                                                                          \
    "  ok    unexplained                   0  the record is no row of a table, or nobody noted "   \
    "down posting it\n"                                                                            \
                                                                                                   \
    "  ok    refused but kept              0  the post was refused, but the record is there\n"

static void a_good_verdict_as_text_ends_with_pass(void **state)
{
    struct verdict verdict = good_verdict();
    (void)state;
    assert_writes(verdict_write_text, &verdict,
                  HEAD OK_LINES_1
                  "  ok    altered                       0  the value is not the row that was "
                  "posted\n" OK_LINES_2
                  "PASS 30 records in 3 topics, all accounted for by 30 posts\n");
}

static void a_bad_verdict_as_text_names_the_first_offenders_and_ends_with_fail(void **state)
{
    struct verdict verdict = bad_verdict();
    (void)state;
    assert_writes(
        verdict_write_text, &verdict,
        HEAD OK_LINES_1
        "  FAIL  altered                       2  the value is not the row that was posted\n"
        "        first: u1.pin partition 0 offset 5, row 7 of pinterest_data, field title (ledger "
        "16, run 1, triple 5): a <b> & \"c\"\n" OK_LINES_2
        "  note  in doubt, not kept            1  no answer was seen; the topic does not hold the "
        "record\n"
        "        first: u1.geo (ledger 20, run 1, triple 6)\n"
        "  4 posts acknowledged only after the verification began: not judged\n"
        "FAIL 2 altered\n");
}

#define NO_FAILURE "{\"count\":0,\"fails\":true,\"first\":null}"
#define NO_NOTE    "{\"count\":0,\"fails\":false,\"first\":null}"

static void a_verdict_as_json_has_every_kind_with_stable_keys(void **state)
{
    struct verdict verdict = bad_verdict();
    (void)state;
    assert_writes(
        verdict_write_json, &verdict,
        "{\"verdict\":\"FAIL\",\"through\":\"topics\",\"cluster_id\":\"cluster-a\",\"topics\":3,"
        "\"records\":30,\"matched\":30,\"own\":0,\"whose\":\"ledger\",\"since_ms\":null,\"runs\":1,"
        "\"posts\":30,"
        "\"acked\":30,\"later\":4,"
        "\"failures\":2,\"elapsed_ms\":1042,\"kinds\":{"
        "\"missing\":" NO_FAILURE ",\"doubled\":" NO_FAILURE ","
        "\"altered\":{\"count\":2,\"fails\":true,\"first\":{\"topic\":\"u1.pin\",\"partition\":0,"
        "\"offset\":5,\"table\":\"pinterest_data\",\"row\":7,\"field\":\"title\",\"ledger_id\":16,"
        "\"run\":1,\"triple\":5,\"detail\":\"a <b> & \\\"c\\\"\"}},"
        "\"misrouted\":" NO_FAILURE ",\"out_of_order\":" NO_FAILURE ","
        "\"acked_elsewhere\":" NO_FAILURE ",\"partial_triple_unexplained\":" NO_FAILURE ","
        "\"unexplained\":" NO_FAILURE ",\"refused_but_kept\":" NO_FAILURE ","
        "\"resent_by_retry\":" NO_NOTE ",\"resent_by_rerun\":" NO_NOTE ","
        "\"repeated_in_run\":" NO_NOTE ",\"in_doubt_kept\":" NO_NOTE ","
        "\"in_doubt_not_kept\":{\"count\":1,\"fails\":false,\"first\":{\"topic\":\"u1.geo\","
        "\"partition\":null,\"offset\":null,\"table\":null,\"row\":null,\"field\":null,"
        "\"ledger_id\":20,\"run\":1,\"triple\":6,\"detail\":null}},"
        "\"refused\":" NO_NOTE ",\"partial_triple\":" NO_NOTE "}}\n");
}

#define CASE(title) "  <testcase classname=\"pinpipe.verify.topics\" name=\"" title ": none\"/>\n"

static void a_verdict_as_junit_has_a_case_a_failing_kind_and_escapes_its_text(void **state)
{
    struct verdict verdict = bad_verdict();
    (void)state;
    assert_writes(
        verdict_write_junit, &verdict,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"pinpipe verify\" tests=\"9\" failures=\"1\" time=\"1.042\">\n" CASE(
            "missing") CASE("doubled") "  <testcase classname=\"pinpipe.verify.topics\" "
                                       "name=\"altered: none\">\n"
                                       "    <failure type=\"altered\" message=\"2 altered\">first: "
                                       "u1.pin partition 0 offset 5, "
                                       "row 7 of pinterest_data, field title (ledger 16, run 1, "
                                       "triple 5): a &lt;b&gt; &amp; "
                                       "&quot;c&quot;</failure>\n  </testcase>\n" CASE("misrouted")
                                           CASE("out of order") CASE("acked elsewhere")
                                               CASE("partial, unexplained") CASE("unexplained")
                                                   CASE("refused but kept") "</testsuite>\n");
}

static void control_characters_do_not_break_the_xml(void **state)
{
    struct verdict verdict = good_verdict();
    char *text = NULL;
    size_t len = 0;
    (void)state;
    verdict.counts[VERDICT_ALTERED] = 1;
    snprintf(verdict.first[VERDICT_ALTERED].field, sizeof(verdict.first[VERDICT_ALTERED].field),
             "a\x01\nb");
    FILE *out = open_memstream(&text, &len);
    assert_true(verdict_write_junit(&verdict, out));
    fclose(out);
    assert_non_null(strstr(text, "field a??b"));
    free(text);
}

static void a_verdict_as_tap_has_a_plan_a_line_a_kind_and_notes(void **state)
{
    struct verdict verdict = bad_verdict();
    (void)state;
    assert_writes(verdict_write_tap, &verdict,
                  "TAP version 13\n1..9\n"
                  "ok 1 - missing: none\n"
                  "ok 2 - doubled: none\n"
                  "not ok 3 - altered: none\n"
                  "# 2 altered, first: u1.pin partition 0 offset 5, row 7 of pinterest_data, field "
                  "title (ledger 16, run 1, triple 5): a <b> & \"c\"\n"
                  "ok 4 - misrouted: none\n"
                  "ok 5 - out of order: none\n"
                  "ok 6 - acked elsewhere: none\n"
                  "ok 7 - partial, unexplained: none\n"
                  "ok 8 - unexplained: none\n"
                  "ok 9 - refused but kept: none\n"
                  "# 1 in doubt, not kept, first: u1.geo (ledger 20, run 1, triple 6)\n");
}

static struct verdict own_verdict(void)
{
    struct verdict verdict;
    verdict_init(&verdict);
    verdict.topics = 3;
    verdict.records = 36;
    verdict.own = 36;
    verdict.without_ledger = true;
    return verdict;
}

/* Writes the last line of the text. */
static void assert_last_line(const struct verdict *verdict, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_true(verdict_write_text(verdict, out));
    assert_int_equal(fclose(out), 0);
    text[len - 1] = '\0';
    const char *last = strrchr(text, '\n');
    assert_string_equal(last + 1, expected);
    free(text);
}

static void the_last_line_says_whose_records_they_were(void **state)
{
    struct verdict verdict = own_verdict();
    (void)state;
    assert_last_line(&verdict, "PASS 36 records of your own script in 3 topics");
    verdict.through = VERDICT_STAGE_S3;
    verdict.objects = 36;
    assert_last_line(&verdict,
                     "PASS 36 records of your own script in 3 topics, all in 36 objects of S3");
    verdict.without_ledger = false;
    verdict.records = 66;
    verdict.posts = 30;
    assert_last_line(&verdict, "PASS 66 records in 3 topics: 30 accounted for by 30 posts of the "
                               "emulator, 36 records of your own script, all in 36 objects of S3");
    verdict = own_verdict();
    verdict.counts[VERDICT_UNFINISHED] = 1;
    assert_last_line(&verdict,
                     "PASS 36 records of your own script in 3 topics; 1 row at the end is "
                     "not whole yet");
    verdict.counts[VERDICT_UNFINISHED] = 2;
    assert_last_line(&verdict, "PASS 36 records of your own script in 3 topics; 2 rows at the end "
                               "are not whole yet");
}

static void a_failure_of_an_own_script_is_told_in_one_line(void **state)
{
    struct verdict verdict = own_verdict();
    (void)state;
    verdict.own = 35;
    verdict.records = 35;
    verdict.counts[VERDICT_INCOMPLETE] = 1;
    verdict.first[VERDICT_INCOMPLETE] = verdict_offender_none();
    snprintf(verdict.first[VERDICT_INCOMPLETE].topic, 256, "u1.geo");
    snprintf(verdict.first[VERDICT_INCOMPLETE].table, 24, "geolocation_data");
    verdict.first[VERDICT_INCOMPLETE].row = 7;
    assert_last_line(&verdict, "FAIL 1 incomplete, with 35 records of your own script; first: "
                               "u1.geo, row 7 of geolocation_data");
}

/* What a ledger alone can tell is not talked about where there is none, and the other way round. */
static void kinds_that_nothing_could_have_met_are_not_listed(void **state)
{
    struct verdict verdict = own_verdict();
    (void)state;
    assert_true(verdict_judges(&verdict, VERDICT_INCOMPLETE));
    assert_true(verdict_judges(&verdict, VERDICT_MISROUTED));
    assert_false(verdict_judges(&verdict, VERDICT_MISSING));
    assert_false(verdict_judges(&verdict, VERDICT_MISSING_IN_S3));
    verdict = good_verdict();
    assert_false(verdict_judges(&verdict, VERDICT_INCOMPLETE));
    assert_true(verdict_judges(&verdict, VERDICT_MISSING));
    verdict.own = 1;
    assert_true(verdict_judges(&verdict, VERDICT_INCOMPLETE));
}

static void a_full_disk_is_reported(void **state)
{
    static const write_fn writers[] = {verdict_write_text, verdict_write_json, verdict_write_junit,
                                       verdict_write_tap};
    struct verdict verdict = bad_verdict();
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(writers); i++) {
        FILE *full = fopen("/dev/full", "w");
        if (full == NULL) {
            skip(); /* not every system has one */
        }
        setvbuf(full, NULL, _IONBF, 0);
        assert_false(writers[i](&verdict, full));
        fclose(full);
    }
}

static void text_from_outside_is_cleaned_and_cut_between_characters(void **state)
{
    static const struct {
        const char *given;
        const char *expected;
    } cases[] = {
        {"title", "title"},
        {"a\nb\x1b[2J\x7f", "a?b?[2J?"},
        {"\xc3\xa9\xff\xc3", "\xc3\xa9??"},
        {"12345678901\xc3\xa9", "12345678901"},
        {"1234567890\xc3\xa9", "1234567890"},
        {"123456789\xc3\xa9z", "123456789\xc3\xa9"},
        {"", ""},
    };
    char out[12];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        verdict_set_text(out, sizeof(out), span_from_cstr(cases[i].given));
        assert_string_equal(out, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_verdict_as_text_ends_with_pass),
        cmocka_unit_test(a_bad_verdict_as_text_names_the_first_offenders_and_ends_with_fail),
        cmocka_unit_test(a_verdict_as_json_has_every_kind_with_stable_keys),
        cmocka_unit_test(a_verdict_as_junit_has_a_case_a_failing_kind_and_escapes_its_text),
        cmocka_unit_test(control_characters_do_not_break_the_xml),
        cmocka_unit_test(a_verdict_as_tap_has_a_plan_a_line_a_kind_and_notes),
        cmocka_unit_test(text_from_outside_is_cleaned_and_cut_between_characters),
        cmocka_unit_test(the_last_line_says_whose_records_they_were),
        cmocka_unit_test(a_failure_of_an_own_script_is_told_in_one_line),
        cmocka_unit_test(kinds_that_nothing_could_have_met_are_not_listed),
        cmocka_unit_test(a_full_disk_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
