/* The verdict through S3: a pipeline that landed whole, then every way in which a lake can be
 * wrong. */
#include "lake_world.h"
#include "verdict_report.h"
#include "verifier_lake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIN(offset)  "topics/u1.pin/partition=0/u1.pin+0+00000000" offset ".json"
#define GEO(offset)  "topics/u1.geo/partition=0/u1.geo+0+00000000" offset ".json"
#define USER(offset) "topics/u1.user/partition=0/u1.user+0+00000000" offset ".json"

struct bench {
    struct world world;
    struct lake_world lake;
};

/* Ten triples, rows 0..9; nothing has landed yet. */
static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    world_open(&b->world);
    lake_world_open(&b->lake);
    b->world.lake = &b->lake.reader;
    world_begin_run(&b->world, 1, DATETIME_ISO);
    for (int64_t row = 0; row < 10; row++) {
        world_post_triple(&b->world, row);
    }
    world_end_run(&b->world);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    lake_world_close(&b->lake);
    world_close(&b->world);
    free(b);
    return 0;
}

static void verify(struct bench *b)
{
    if (world_verify(&b->world) != STATUS_OK) {
        fail_msg("%s", b->world.err.message);
    }
}

/* Exactly this kind, and as often as that; nothing else fails. */
static void assert_only(const struct bench *b, enum verdict_kind kind, uint64_t count)
{
    const struct verdict *verdict = &b->world.verdict;
    uint64_t failures = verdict_kind_info(kind)->fails ? count : 0;
    if (verdict->counts[kind] != count || verdict_failures(verdict) != failures) {
        (void)verdict_write_text(verdict, stderr);
        fail_msg("expected %llu %s and nothing else", (unsigned long long)count,
                 verdict_kind_info(kind)->title);
    }
}

static void assert_first(const struct bench *b, enum verdict_kind kind, const char *expected)
{
    struct buf line;
    buf_init(&line, 1024);
    verdict_offender_append(&b->world.verdict.first[kind], &line);
    assert_string_equal(buf_cstr(&line), expected);
    buf_release(&line);
}

/* --- whole ----------------------------------------------------------------------------------- */

static void records_that_landed_one_by_one_pass(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
    assert_int_equal(b->world.verdict.through, VERDICT_STAGE_S3);
    assert_int_equal(b->world.verdict.objects, 30);
    assert_int_equal(b->world.verdict.lines, 30);
    assert_int_equal(b->world.verdict.records, 30);
}

static void without_a_lake_only_the_topics_are_judged(void **state)
{
    struct bench *b = *state;
    b->world.lake = NULL;
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
    assert_int_equal(b->world.verdict.through, VERDICT_STAGE_TOPICS);
}

static void files_of_several_lines_pass_wherever_they_are_cut(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 5);
    for (size_t piece = 0; piece < 400; piece = piece * 3 + 1) {
        b->lake.piece_bytes = piece;
        verify(b);
        assert_true(verdict_passed(&b->world.verdict));
        assert_int_equal(b->world.verdict.objects, 6);
        assert_int_equal(b->world.verdict.lines, 30);
    }
}

static void packed_files_pass(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 2);
    for (size_t i = 0; i < b->lake.count; i++) {
        lake_object_pack(&b->lake.objects[i]);
    }
    for (size_t piece = 0; piece < 60; piece = piece * 2 + 1) {
        b->lake.piece_bytes = piece;
        verify(b);
        assert_true(verdict_passed(&b->world.verdict));
        assert_int_equal(b->world.verdict.lines, 30);
    }
}

static void several_partitions_are_matched_each_by_itself(void **state)
{
    struct bench *b = *state;
    b->world.topics[TABLE_PIN].partitions = 3;
    world_begin_run(&b->world, 4, DATETIME_ISO);
    for (int64_t row = 0; row < 12; row++) {
        world_post_triple(&b->world, row);
    }
    world_end_run(&b->world);
    lake_world_land(&b->lake, &b->world, 1);
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
    assert_int_equal(b->world.verdict.objects, 66);
}

/* A time partitioner spreads a partition over folders, each with its records in order. */
static void other_layouts_are_read_by_their_names(void **state)
{
    struct bench *b = *state;
    struct buf even;
    struct buf odd;
    lake_world_land(&b->lake, &b->world, 1);
    buf_init(&even, 1 << 16);
    buf_init(&odd, 1 << 16);
    for (int i = 0; i < 10; i++) {
        char key[256];
        snprintf(key, sizeof(key), "topics/u1.pin/partition=0/u1.pin+0+%010d.json", i);
        struct lake_object_file *object = lake_world_find(&b->lake, key);
        buf_append_span(i % 2 == 0 ? &even : &odd, buf_span(&object->bytes));
        object->removed = true;
    }
    lake_world_put(&b->lake, "topics/u1.pin/year=2024/month=02/u1.pin+0+0000000000.json",
                   buf_span(&even));
    lake_world_put(&b->lake, "topics/u1.pin/year=2024/month=01/u1.pin+0+0000000001.json",
                   buf_span(&odd));
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
    assert_int_equal(b->world.verdict.lines, 30);
    buf_release(&even);
    buf_release(&odd);
}

static void what_is_beside_the_records_does_not_count(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    lake_world_put(&b->lake, "topics/u1.pin/partition=0/", SPAN_EMPTY);
    lake_world_put(&b->lake, "topics/u1.pin/partition=0/u1.pin+0+0000000000.keys.json",
                   SPAN_LIT("\"k\"\n"));
    lake_world_put(&b->lake, "topics/u1.pin/partition=0/u1.pin+0+0000000000.headers.json",
                   SPAN_LIT("[]\n"));
    lake_world_put(&b->lake, "topics/u1.pinx/partition=0/u1.pinx+0+0000000000.json",
                   SPAN_LIT("{}\n"));
    lake_world_put(&b->lake, "elsewhere/u1.pin+0+0000000000.json", SPAN_LIT("{}\n"));
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
    assert_int_equal(b->world.verdict.objects, 30);
}

/* After the ends were taken the rest came. */
static void topics_grow(struct world *w)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        w->topics[t].partition[0].count = 10;
    }
}

static void records_and_lines_outside_the_topics_range_are_not_judged(void **state)
{
    struct bench *b = *state;
    b->world.meanwhile_topic = "u1.user"; /* the last one that is asked */
    b->world.meanwhile = topics_grow;
    lake_world_land(&b->lake, &b->world, 4); /* 0..3, 4..7 */
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        b->world.topics[t].partition[0].begin = 2; /* deleted by retention */
        b->world.topics[t].partition[0].count = 6; /* the rest came later */
    }
    world_ledger_sql(&b->world, "DELETE FROM post WHERE offset < 2");
    world_ledger_sql(&b->world, "UPDATE post SET state = 3, maybe_kept = 1, partition = NULL,"
                                " offset = NULL WHERE offset > 5");
    verify(b);
    assert_int_equal(b->world.verdict.counts[VERDICT_MISSING_IN_S3], 0);
    assert_int_equal(b->world.verdict.counts[VERDICT_ALTERED_IN_S3], 0);
    assert_int_equal(b->world.verdict.counts[VERDICT_UNEXPECTED_IN_S3], 0);
    assert_true(verdict_passed(&b->world.verdict));
}

static void a_tombstone_is_not_waited_for(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    world_append(&b->world, TABLE_PIN, 0, "null");
    verify(b);
    assert_int_equal(b->world.verdict.counts[VERDICT_MISSING_IN_S3], 0);
}

/* --- damaged --------------------------------------------------------------------------------- */

static void a_missing_object_is_named_with_its_row_and_its_key(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    lake_world_find(&b->lake, PIN("07"))->removed = true;
    lake_world_find(&b->lake, GEO("00"))->removed = true;
    verify(b);
    assert_only(b, VERDICT_MISSING_IN_S3, 2);
    assert_first(b, VERDICT_MISSING_IN_S3,
                 "u1.pin partition 0 offset 7, row 7 of pinterest_data (ledger 22, run 1, triple "
                 "7): no " PIN("07"));
}

static void an_empty_bucket_and_none_at_all_are_told_apart(void **state)
{
    struct bench *b = *state;
    verify(b);
    assert_only(b, VERDICT_MISSING_IN_S3, 30);
    b->lake.no_bucket = true;
    verify(b);
    assert_only(b, VERDICT_MISSING_IN_S3, 30);
    assert_first(b, VERDICT_MISSING_IN_S3,
                 "u1.pin partition 0 offset 0, row 0 of pinterest_data (ledger 1, run 1, triple "
                 "0): there is no bucket user-u1-bucket");
}

static void a_missing_line_is_named_with_the_object_that_lacks_it(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 5);
    struct lake_object_file *object = lake_world_find(&b->lake, PIN("05"));
    const char *second = strchr(object->bytes.ptr, '\n') + 1;
    const char *third = strchr(second, '\n') + 1;
    char text[4096];
    snprintf(text, sizeof(text), "%.*s%s", (int)(second - object->bytes.ptr), object->bytes.ptr,
             third);
    lake_object_set(object, text);
    verify(b);
    assert_only(b, VERDICT_MISSING_IN_S3, 1);
    assert_first(b, VERDICT_MISSING_IN_S3,
                 "u1.pin partition 0 offset 6, row 6 of pinterest_data (ledger 19, run 1, triple "
                 "6): " PIN("05") " has no line of it");
}

static void an_altered_line_is_named_with_its_field(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    struct lake_object_file *object = lake_world_find(&b->lake, USER("04"));
    char *age = strstr(object->bytes.ptr, "\"age\":");
    assert_non_null(age);
    age[6] = '9';
    verify(b);
    assert_only(b, VERDICT_ALTERED_IN_S3, 1);
    assert_first(b, VERDICT_ALTERED_IN_S3,
                 "u1.user partition 0 offset 4, row 4 of user_data, field age (ledger 15, run 1, "
                 "triple 4): line 1 of " USER("04"));
}

static void a_line_that_is_no_json_is_an_alteration(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    lake_object_set(lake_world_find(&b->lake, GEO("02")), "not json\n");
    verify(b);
    assert_only(b, VERDICT_ALTERED_IN_S3, 1);
}

static void a_number_written_otherwise_is_no_alteration(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    struct lake_object_file *object = lake_world_find(&b->lake, USER("04"));
    char *age = strstr(object->bytes.ptr, "\"age\":44");
    assert_non_null(age);
    char text[1024];
    snprintf(text, sizeof(text), "%.*s\"age\":4.4E1%s", (int)(age - object->bytes.ptr),
             object->bytes.ptr, age + 8);
    lake_object_set(object, text);
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
}

static void a_second_object_for_the_same_records_is_a_duplicate(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    struct lake_object_file *object = lake_world_find(&b->lake, GEO("03"));
    lake_world_put(&b->lake, "topics/u1.geo/year=2024/u1.geo+0+0000000003.json",
                   buf_span(&object->bytes));
    verify(b);
    assert_only(b, VERDICT_DUPLICATE_IN_S3, 1);
    assert_first(b, VERDICT_DUPLICATE_IN_S3,
                 "u1.geo partition 0 offset 3: line 1 of "
                 "topics/u1.geo/year=2024/u1.geo+0+0000000003.json");
}

static void lines_that_change_places_are_out_of_order(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 5);
    struct lake_object_file *object = lake_world_find(&b->lake, PIN("00"));
    char *second = strchr(object->bytes.ptr, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    char *fourth = strchr(third, '\n') + 1;
    char text[4096];
    snprintf(text, sizeof(text), "%.*s%.*s%.*s%s", (int)(second - object->bytes.ptr),
             object->bytes.ptr, (int)(fourth - third), third, (int)(third - second), second,
             fourth);
    lake_object_set(object, text);
    verify(b);
    assert_only(b, VERDICT_OUT_OF_ORDER_IN_S3, 1);
    assert_first(b, VERDICT_OUT_OF_ORDER_IN_S3,
                 "u1.pin partition 0 offset 1: line 3 of " PIN("00") " stands behind later ones");
}

/* Rows that were posted again have the same content at other offsets. */
static void repeated_rows_are_not_taken_for_each_other(void **state)
{
    struct bench *b = *state;
    world_begin_run(&b->world, 1, DATETIME_ISO);
    for (int64_t row = 0; row < 10; row++) {
        world_post_triple(&b->world, row);
    }
    world_end_run(&b->world);
    lake_world_land(&b->lake, &b->world, 5);
    verify(b);
    assert_true(verdict_passed(&b->world.verdict));
    struct lake_object_file *object = lake_world_find(&b->lake, PIN("00"));
    char *second = strchr(object->bytes.ptr, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    char *fourth = strchr(third, '\n') + 1;
    char text[4096];
    snprintf(text, sizeof(text), "%.*s%.*s%.*s%s", (int)(second - object->bytes.ptr),
             object->bytes.ptr, (int)(fourth - third), third, (int)(third - second), second,
             fourth);
    lake_object_set(object, text);
    verify(b);
    assert_only(b, VERDICT_OUT_OF_ORDER_IN_S3, 1);
    object->removed = true;
    verify(b);
    assert_only(b, VERDICT_MISSING_IN_S3, 5);
}

static void a_line_between_the_others_is_unexpected(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 5);
    struct lake_object_file *object = lake_world_find(&b->lake, PIN("05"));
    char *second = strchr(object->bytes.ptr, '\n') + 1;
    char text[4096];
    snprintf(text, sizeof(text), "%.*s{\"stray\":1}\n%s", (int)(second - object->bytes.ptr),
             object->bytes.ptr, second);
    lake_object_set(object, text);
    verify(b);
    assert_only(b, VERDICT_UNEXPECTED_IN_S3, 1);
    assert_first(b, VERDICT_UNEXPECTED_IN_S3, "u1.pin partition 0 offset 6: line 2 of " PIN("05"));
}

static void an_object_of_a_record_that_is_not_there_is_unexpected(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    world_at(&b->world, TABLE_PIN, 7)->gone = true;
    verify(b);
    assert_int_equal(b->world.verdict.counts[VERDICT_MISSING], 1);
    assert_int_equal(b->world.verdict.counts[VERDICT_UNEXPECTED_IN_S3], 1);
    assert_int_equal(verdict_failures(&b->world.verdict), 2);
    assert_first(
        b, VERDICT_UNEXPECTED_IN_S3,
        "u1.pin partition 0 offset 7: line 1 of " PIN("07") " holds no record of the topic");
}

/* As after a topic was deleted, made anew and filled with less. */
static void what_lies_beyond_the_end_of_a_topic_is_unexpected(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    struct span line = buf_span(&lake_world_find(&b->lake, PIN("03"))->bytes);
    lake_world_put(&b->lake, PIN("10"), line);
    lake_world_put(&b->lake, PIN("99"), line);
    verify(b);
    assert_only(b, VERDICT_UNEXPECTED_IN_S3, 2);
    assert_first(b, VERDICT_UNEXPECTED_IN_S3,
                 "u1.pin partition 0 offset 10: " PIN("10") " begins beyond the topic's end");
}

static void lines_beyond_the_end_of_a_topic_are_unexpected(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 5);
    struct lake_object_file *object = lake_world_find(&b->lake, GEO("05"));
    char text[4096];
    snprintf(text, sizeof(text), "%.*s{\"stray\":1}\n", SPAN_ARG(buf_span(&object->bytes)));
    lake_object_set(object, text);
    verify(b);
    assert_only(b, VERDICT_UNEXPECTED_IN_S3, 1);
    assert_first(b, VERDICT_UNEXPECTED_IN_S3,
                 "u1.geo partition 0 offset 10: line 6 of " GEO("05") " is beyond the topic's end");
}

static void objects_with_odd_names_are_unexpected(void **state)
{
    static const char *const keys[] = {
        "topics/u1.pin/partition=0/notes.txt",
        "topics/u1.pin/partition=0/u1.pin+0+0000000001.avro",
        "topics/u1.pin/partition=0/u1.pin+0+-000000001.json",
        "topics/u1.pin/partition=9/u1.pin+9+0000000001.json",
        "topics/u1.pin/partition=0/u1.pin+0+99999999999999999999.json",
    };
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        lake_world_put(&b->lake, keys[i], SPAN_LIT("{}\n"));
    }
    verify(b);
    assert_only(b, VERDICT_UNEXPECTED_IN_S3, ARRAY_COUNT(keys));
}

static void a_broken_pack_is_named_and_its_records_are_missing(void **state)
{
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    struct lake_object_file *object = lake_world_find(&b->lake, USER("03"));
    lake_object_pack(object);
    object->bytes.len -= 12;
    verify(b);
    assert_int_equal(b->world.verdict.counts[VERDICT_UNEXPECTED_IN_S3], 1);
    lake_object_set(object, "no gzip at all");
    verify(b);
    assert_int_equal(b->world.verdict.counts[VERDICT_UNEXPECTED_IN_S3], 1);
    assert_int_equal(b->world.verdict.counts[VERDICT_MISSING_IN_S3], 1);
    assert_first(b, VERDICT_UNEXPECTED_IN_S3,
                 "u1.user partition 0 offset 3: topics/u1.user/partition=0/"
                 "u1.user+0+0000000003.json.gz cannot be unpacked");
}

static void the_report_has_the_lake_in_every_form(void **state)
{
    static const struct {
        bool (*write)(const struct verdict *verdict, FILE *out);
        const char *expected[3];
    } cases[] = {
        {verdict_write_text,
         {"lake     30 lines in 30 objects\n", "  ok    missing in S3 ",
          "PASS 30 records in 3 topics, all accounted for by 30 posts, all in 30 objects of S3\n"}},
        {verdict_write_json,
         {"\"through\":\"s3\"", "\"objects\":30,\"lines\":30,\"kinds\":{",
          "\"missing_in_s3\":{\"count\":0,\"fails\":true,\"first\":null}"}},
        {verdict_write_junit,
         {"tests=\"14\" failures=\"0\"",
          "classname=\"pinpipe.verify.s3\" name=\"missing in S3: none\"",
          "classname=\"pinpipe.verify.topics\" name=\"missing: none\""}},
        {verdict_write_tap, {"1..14\n", "ok 10 - missing in S3: none\n", "ok 14 - "}},
    };
    struct bench *b = *state;
    lake_world_land(&b->lake, &b->world, 1);
    verify(b);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char *text = NULL;
        size_t len = 0;
        FILE *out = open_memstream(&text, &len);
        assert_true(cases[i].write(&b->world.verdict, out));
        fclose(out);
        for (size_t e = 0; e < ARRAY_COUNT(cases[i].expected); e++) {
            if (strstr(text, cases[i].expected[e]) == NULL) {
                fail_msg("no \"%s\" in\n%s", cases[i].expected[e], text);
            }
        }
        free(text);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_that_landed_one_by_one_pass),
        TEST(without_a_lake_only_the_topics_are_judged),
        TEST(files_of_several_lines_pass_wherever_they_are_cut),
        TEST(packed_files_pass),
        TEST(several_partitions_are_matched_each_by_itself),
        TEST(other_layouts_are_read_by_their_names),
        TEST(what_is_beside_the_records_does_not_count),
        TEST(records_and_lines_outside_the_topics_range_are_not_judged),
        TEST(a_tombstone_is_not_waited_for),
        TEST(a_missing_object_is_named_with_its_row_and_its_key),
        TEST(an_empty_bucket_and_none_at_all_are_told_apart),
        TEST(a_missing_line_is_named_with_the_object_that_lacks_it),
        TEST(an_altered_line_is_named_with_its_field),
        TEST(a_line_that_is_no_json_is_an_alteration),
        TEST(a_number_written_otherwise_is_no_alteration),
        TEST(a_second_object_for_the_same_records_is_a_duplicate),
        TEST(lines_that_change_places_are_out_of_order),
        TEST(repeated_rows_are_not_taken_for_each_other),
        TEST(a_line_between_the_others_is_unexpected),
        TEST(an_object_of_a_record_that_is_not_there_is_unexpected),
        TEST(what_lies_beyond_the_end_of_a_topic_is_unexpected),
        TEST(lines_beyond_the_end_of_a_topic_are_unexpected),
        TEST(objects_with_odd_names_are_unexpected),
        TEST(a_broken_pack_is_named_and_its_records_are_missing),
        TEST(the_report_has_the_lake_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
