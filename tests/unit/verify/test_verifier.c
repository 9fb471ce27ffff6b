#include "verdict_report.h"
#include "verify_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Ten triples, rows 0..9: ledger ids 1..30, pin offset n is row n with ledger id 3n + 1. */
static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_open(w);
    world_begin_run(w, 1, DATETIME_ISO);
    for (int64_t row = 0; row < 10; row++) {
        world_post_triple(w, row);
    }
    world_end_run(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static void verify(struct world *w)
{
    if (world_verify(w) != STATUS_OK) {
        fail_msg("%s", w->err.message);
    }
}

static void print_verdict(const struct verdict *verdict)
{
    (void)verdict_write_text(verdict, stderr);
}

/* Exactly this failing kind, and as often as that; nothing else fails. */
static void assert_only(const struct world *w, enum verdict_kind kind, uint64_t count)
{
    if (w->verdict.counts[kind] != count || verdict_failures(&w->verdict) != count) {
        print_verdict(&w->verdict);
        fail_msg("expected %llu %s and nothing else", (unsigned long long)count,
                 verdict_kind_info(kind)->title);
    }
}

static void assert_note(const struct world *w, enum verdict_kind kind, uint64_t count)
{
    if (w->verdict.counts[kind] != count || !verdict_passed(&w->verdict)) {
        print_verdict(&w->verdict);
        fail_msg("expected PASS with %llu %s", (unsigned long long)count,
                 verdict_kind_info(kind)->title);
    }
}

static void assert_first(const struct world *w, enum verdict_kind kind, const char *expected)
{
    struct buf line;
    buf_init(&line, 1024);
    verdict_offender_append(&w->verdict.first[kind], &line);
    if (strcmp(buf_cstr(&line), expected) != 0) {
        fail_msg("the first offender is\n  %s\nnot\n  %s", buf_cstr(&line), expected);
    }
    buf_release(&line);
}

/* --- a pipeline without fault ---------------------------------------------------------------- */

static void a_clean_run_passes_and_every_record_is_matched(void **state)
{
    struct world *w = *state;
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_int_equal(w->verdict.records, 30);
    assert_int_equal(w->verdict.matched, 30);
    assert_int_equal(w->verdict.posts, 30);
    assert_int_equal(w->verdict.acked, 30);
    assert_int_equal(w->verdict.runs, 1);
    assert_int_equal(w->verdict.topics, 3);
    assert_string_equal(w->verdict.cluster_id, "cluster-a");
}

static void the_verdict_does_not_depend_on_where_pages_are_cut(void **state)
{
    struct world *w = *state;
    for (int64_t records = 1; records <= 12; records++) {
        w->page_records = records;
        verify(w);
        assert_true(verdict_passed(&w->verdict));
        assert_int_equal(w->verdict.matched, 30);
    }
}

static void pages_in_base64_are_judged_by_their_bytes(void **state)
{
    struct world *w = *state;
    w->encoded = true;
    verify(w);
    assert_int_equal(w->verdict.matched, 30);
    assert_true(verdict_passed(&w->verdict));
}

static void topics_of_several_partitions_are_matched_partition_by_partition(void **state)
{
    struct world *w = *state;
    w->topics[TABLE_PIN].partitions = 3;
    world_begin_run(w, 4, DATETIME_ISO);
    for (int64_t row = 0; row < 10; row++) {
        world_post_triple(w, row);
    }
    verify(w);
    assert_note(w, VERDICT_RESENT_BY_RERUN, 30);
    assert_int_equal(w->verdict.matched, 60);
}

static void a_run_with_blanks_in_datetimes_passes(void **state)
{
    struct world *w = *state;
    world_begin_run(w, 1, DATETIME_SPACE);
    world_post_triple(w, 11);
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_int_equal(w->verdict.matched, 33);
}

static void another_spelling_of_the_same_row_is_no_alteration(void **state)
{
    struct world *w = *state;
    snprintf(world_at(w, TABLE_USER, 2)->value, WORLD_VALUE_BYTES,
             "{ \"first_name\": \"first_name \\u0022\\u0032\\\"\", \"ind\": 2.0, \"age\": 4.2e1,"
             " \"last_name\": \"last_name \\\"2\\\"\", \"date_joined\": \"2021-02-05T19:14:42\" }");
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_int_equal(w->verdict.matched, 30);
}

/* --- one damage a kind ----------------------------------------------------------------------- */

static void a_record_that_is_gone_is_missing(void **state)
{
    struct world *w = *state;
    world_at(w, TABLE_GEO, 4)->gone = true;
    world_at(w, TABLE_USER, 2)->gone = true;
    verify(w);
    assert_only(w, VERDICT_MISSING, 2);
    assert_first(w, VERDICT_MISSING,
                 "u1.geo partition 0 offset 4, row 4 of geolocation_data (ledger 14, run 1, triple "
                 "4): acknowledged for this place");
}

static void the_last_record_gone_is_missing_too(void **state)
{
    struct world *w = *state;
    world_at(w, TABLE_PIN, 9)->gone = true;
    verify(w);
    assert_only(w, VERDICT_MISSING, 1);
}

static void records_behind_the_end_are_missing(void **state)
{
    struct world *w = *state;
    w->topics[TABLE_PIN].partition[0].count = 8;
    verify(w);
    assert_only(w, VERDICT_MISSING, 2);
    assert_int_equal(w->verdict.first[VERDICT_MISSING].offset, 8);
}

static void records_that_retention_took_are_missing(void **state)
{
    struct world *w = *state;
    w->topics[TABLE_PIN].partition[0].begin = 3;
    verify(w);
    assert_only(w, VERDICT_MISSING, 3);
    assert_int_equal(w->verdict.first[VERDICT_MISSING].offset, 0);
}

static void all_of_a_topic_that_is_gone_is_missing(void **state)
{
    struct world *w = *state;
    w->topics[TABLE_USER].name = NULL;
    verify(w);
    assert_only(w, VERDICT_MISSING, 10);
    assert_int_equal(w->verdict.topics, 2);
}

static void a_second_copy_is_doubled(void **state)
{
    struct world *w = *state;
    (void)world_append(w, TABLE_PIN, 0, world_at(w, TABLE_PIN, 3)->value);
    (void)world_append(w, TABLE_PIN, 0, world_at(w, TABLE_PIN, 3)->value);
    verify(w);
    assert_only(w, VERDICT_DOUBLED, 2);
    assert_first(w, VERDICT_DOUBLED,
                 "u1.pin partition 0 offset 10, row 3 of pinterest_data (ledger 10, run 1, triple "
                 "3)");
}

static void a_changed_cell_is_altered_and_the_field_is_named(void **state)
{
    struct world *w = *state;
    char *value = strstr(world_at(w, TABLE_GEO, 6)->value, "6.25");
    value[0] = '7';
    verify(w);
    assert_only(w, VERDICT_ALTERED, 1);
    assert_first(w, VERDICT_ALTERED,
                 "u1.geo partition 0 offset 6, row 6 of geolocation_data, field latitude (ledger "
                 "20, run 1, triple 6)");
}

static void a_key_that_nobody_posted_is_altered(void **state)
{
    struct world *w = *state;
    world_at(w, TABLE_PIN, 2)->keyed = true;
    verify(w);
    assert_only(w, VERDICT_ALTERED, 1);
    assert_first(w, VERDICT_ALTERED,
                 "u1.pin partition 0 offset 2, row 2 of pinterest_data, field key (ledger 7, run "
                 "1, triple 2): the value is as posted, but the record has a key, and the "
                 "emulator posts none");
}

static void a_value_that_is_no_object_is_altered(void **state)
{
    static const char *const values[] = {"null", "\"x\"", "[]", "{}", "17"};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        snprintf(world_at(w, TABLE_PIN, 5)->value, WORLD_VALUE_BYTES, "%s", values[i]);
        verify(w);
        assert_only(w, VERDICT_ALTERED, 1);
        assert_int_equal(w->verdict.first[VERDICT_ALTERED].offset, 5);
        assert_int_equal(w->verdict.first[VERDICT_ALTERED].row, 5);
    }
}

static void an_additional_member_is_altered_and_named(void **state)
{
    struct world *w = *state;
    char *end = strrchr(world_at(w, TABLE_USER, 1)->value, '}');
    snprintf(end, 32, ",\"extra\":1}");
    verify(w);
    assert_only(w, VERDICT_ALTERED, 1);
    assert_string_equal(w->verdict.first[VERDICT_ALTERED].field, "extra");
}

static void a_table_that_changed_after_posting_is_altered_too(void **state)
{
    struct world *w = *state;
    snprintf(w->title_of_row_3, sizeof(w->title_of_row_3), "Another title");
    verify(w);
    assert_only(w, VERDICT_ALTERED, 1);
    assert_first(
        w, VERDICT_ALTERED,
        "u1.pin partition 0 offset 3, row 3 of pinterest_data, field title (ledger 10, run "
        "1, triple 3): kept as posted, but the table has another value now");
}

static void a_record_moved_to_another_topic_is_misrouted_and_not_missing(void **state)
{
    struct world *w = *state;
    (void)world_append(w, TABLE_GEO, 0, world_at(w, TABLE_PIN, 2)->value);
    world_at(w, TABLE_PIN, 2)->gone = true;
    verify(w);
    assert_only(w, VERDICT_MISROUTED, 1);
    assert_first(w, VERDICT_MISROUTED,
                 "u1.geo partition 0 offset 10, row 2 of pinterest_data (ledger 7, run 1, triple "
                 "2): it was posted to u1.pin");
}

static void a_copy_in_another_topic_is_misrouted(void **state)
{
    struct world *w = *state;
    (void)world_append(w, TABLE_GEO, 0, world_at(w, TABLE_PIN, 2)->value);
    verify(w);
    assert_only(w, VERDICT_MISROUTED, 1);
    assert_first(w, VERDICT_MISROUTED,
                 "u1.geo partition 0 offset 10, row 2 of pinterest_data: the value has the columns "
                 "of pinterest_data");
}

static void values_exchanged_between_topics_are_misrouted(void **state)
{
    struct world *w = *state;
    struct world_record pin = *world_at(w, TABLE_PIN, 4);
    *world_at(w, TABLE_PIN, 4) = *world_at(w, TABLE_USER, 7);
    *world_at(w, TABLE_USER, 7) = pin;
    verify(w);
    assert_only(w, VERDICT_MISROUTED, 2);
    assert_int_equal(w->verdict.first[VERDICT_MISROUTED].offset, 4);
}

static void another_tables_row_in_a_records_place_is_misrouted(void **state)
{
    struct world *w = *state;
    *world_at(w, TABLE_PIN, 4) = *world_at(w, TABLE_GEO, 4);
    verify(w);
    assert_only(w, VERDICT_MISROUTED, 1);
    assert_int_equal(w->verdict.first[VERDICT_MISROUTED].offset, 4);
}

static void exchanged_records_are_out_of_order(void **state)
{
    struct world *w = *state;
    struct world_record first = *world_at(w, TABLE_PIN, 3);
    *world_at(w, TABLE_PIN, 3) = *world_at(w, TABLE_PIN, 6);
    *world_at(w, TABLE_PIN, 6) = first;
    verify(w);
    assert_only(w, VERDICT_OUT_OF_ORDER, 2);
    assert_first(w, VERDICT_OUT_OF_ORDER,
                 "u1.pin partition 0 offset 3, row 6 of pinterest_data (ledger 19, run 1, triple "
                 "6): acknowledged at partition 0 offset 6");
}

static void a_record_moved_to_the_end_is_out_of_order(void **state)
{
    struct world *w = *state;
    (void)world_append(w, TABLE_PIN, 0, world_at(w, TABLE_PIN, 3)->value);
    world_at(w, TABLE_PIN, 3)->gone = true;
    verify(w);
    assert_only(w, VERDICT_OUT_OF_ORDER, 1);
    assert_int_equal(w->verdict.first[VERDICT_OUT_OF_ORDER].offset, 10);
}

static void records_acknowledged_in_another_order_than_posted_are_out_of_order(void **state)
{
    struct world *w = *state;
    struct world_record first = *world_at(w, TABLE_PIN, 3);
    *world_at(w, TABLE_PIN, 3) = *world_at(w, TABLE_PIN, 4);
    *world_at(w, TABLE_PIN, 4) = first;
    world_ledger_sql(w, "UPDATE post SET offset = CASE offset WHEN 3 THEN 4 ELSE 3 END"
                        " WHERE tbl = 0 AND offset IN (3, 4)");
    verify(w);
    assert_only(w, VERDICT_OUT_OF_ORDER, 1);
    assert_first(w, VERDICT_OUT_OF_ORDER,
                 "u1.pin partition 0 offset 4, row 3 of pinterest_data (ledger 10, run 1, triple "
                 "3): it stands behind ledger 13");
}

static void the_order_of_a_run_with_several_lanes_is_not_judged(void **state)
{
    struct world *w = *state;
    world_ledger_sql(w, "UPDATE run SET lanes_per_topic = 4");
    struct world_record first = *world_at(w, TABLE_PIN, 3);
    *world_at(w, TABLE_PIN, 3) = *world_at(w, TABLE_PIN, 4);
    *world_at(w, TABLE_PIN, 4) = first;
    world_ledger_sql(w, "UPDATE post SET offset = CASE offset WHEN 3 THEN 4 ELSE 3 END"
                        " WHERE tbl = 0 AND offset IN (3, 4)");
    verify(w);
    assert_true(verdict_passed(&w->verdict));
}

static void an_acknowledgement_of_another_offset_is_acked_elsewhere(void **state)
{
    static const char *const offsets[] = {"1000", "5", "6"};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_COUNT(offsets); i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "UPDATE post SET offset = %s WHERE id = 13", offsets[i]);
        world_ledger_sql(w, sql);
        verify(w);
        assert_only(w, VERDICT_ELSEWHERE, 1);
        snprintf(sql, sizeof(sql),
                 "u1.pin partition 0 offset 4, row 4 of pinterest_data (ledger 13, run 1, triple "
                 "4): acknowledged at partition 0 offset %s",
                 offsets[i]);
        assert_first(w, VERDICT_ELSEWHERE, sql);
    }
}

static void an_acknowledgement_of_another_partition_is_acked_elsewhere(void **state)
{
    struct world *w = *state;
    world_ledger_sql(w, "UPDATE post SET partition = 5 WHERE id = 13");
    verify(w);
    assert_only(w, VERDICT_ELSEWHERE, 1);
}

static void acknowledgements_exchanged_in_the_ledger_are_acked_elsewhere(void **state)
{
    struct world *w = *state;
    world_ledger_sql(w, "UPDATE post SET offset = CASE offset WHEN 3 THEN 4 ELSE 3 END"
                        " WHERE tbl = 2 AND offset IN (3, 4)");
    verify(w);
    assert_only(w, VERDICT_ELSEWHERE, 2);
}

static void a_triple_that_the_ledger_lacks_a_part_of_is_partial_and_unexplained(void **state)
{
    struct world *w = *state;
    world_ledger_sql(w, "DELETE FROM post WHERE id = 30");
    w->topics[TABLE_USER].partition[0].count = 9;
    verify(w);
    assert_only(w, VERDICT_TORN_TRIPLE, 1);
    assert_int_equal(w->verdict.first[VERDICT_TORN_TRIPLE].triple, 9);
}

static void a_record_that_no_ledger_row_explains_is_unexplained(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    (void)world_append(w, TABLE_GEO, 0, "{\"hello\":\"world\"}");
    world_value(w, TABLE_USER, 11, value);
    (void)world_append(w, TABLE_USER, 0, value);
    w->strict = true;
    verify(w);
    assert_only(w, VERDICT_UNEXPLAINED, 2);
    assert_first(w, VERDICT_UNEXPLAINED,
                 "u1.geo partition 0 offset 10: it is no row of a table, and nobody noted down "
                 "posting it");
}

static void bytes_that_are_not_json_are_unexplained(void **state)
{
    struct world *w = *state;
    w->encoded = true;
    (void)world_append(w, TABLE_GEO, 0, "hello from a console producer {");
    verify(w);
    assert_only(w, VERDICT_UNEXPLAINED, 1);
    assert_int_equal(w->verdict.first[VERDICT_UNEXPLAINED].offset, 10);
}

static void a_ledger_row_that_was_taken_away_leaves_its_record_unexplained(void **state)
{
    struct world *w = *state;
    world_ledger_sql(w, "DELETE FROM post WHERE triple = 4");
    w->strict = true;
    verify(w);
    assert_only(w, VERDICT_UNEXPLAINED, 3);
    assert_first(
        w, VERDICT_UNEXPLAINED,
        "u1.pin partition 0 offset 4, row 4 of pinterest_data: it looks like this row, but "
        "nobody noted down posting it");
}

static void several_damages_at_once_are_all_named(void **state)
{
    struct world *w = *state;
    world_at(w, TABLE_PIN, 1)->gone = true;
    strstr(world_at(w, TABLE_GEO, 6)->value, "6.25")[0] = '7';
    (void)world_append(w, TABLE_USER, 0, world_at(w, TABLE_USER, 0)->value);
    verify(w);
    assert_int_equal(w->verdict.counts[VERDICT_MISSING], 1);
    assert_int_equal(w->verdict.counts[VERDICT_ALTERED], 1);
    assert_int_equal(w->verdict.counts[VERDICT_DOUBLED], 1);
    assert_int_equal(verdict_failures(&w->verdict), 3);
}

/* --- what the ledger accounts for ------------------------------------------------------------ */

static void a_copy_from_a_lost_answer_is_resent_by_a_retry(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    world_begin_run(w, 1, DATETIME_ISO);
    int64_t id = world_intend(w, TABLE_PIN, 10);
    world_value(w, TABLE_PIN, 10, value);
    (void)world_append(w, TABLE_PIN, 0, value); /* its answer was lost */
    struct ledger_outcome outcome = {.post_id = id,
                                     .state = LEDGER_ACKED,
                                     .attempts = 2,
                                     .maybe_kept = 1,
                                     .acked_ms = 1,
                                     .offset = world_append(w, TABLE_PIN, 0, value)};
    world_settle(w, &outcome);
    (void)world_post(w, TABLE_GEO, 10);
    (void)world_post(w, TABLE_USER, 10);
    verify(w);
    assert_note(w, VERDICT_RESENT_BY_RETRY, 1);
    assert_first(w, VERDICT_RESENT_BY_RETRY,
                 "u1.pin partition 0 offset 10, row 10 of pinterest_data (ledger 31, run 2, triple "
                 "0)");
    /* More copies than attempts without an answer are doubled all the same. */
    (void)world_append(w, TABLE_PIN, 0, value);
    verify(w);
    assert_only(w, VERDICT_DOUBLED, 1);
    assert_int_equal(w->verdict.counts[VERDICT_RESENT_BY_RETRY], 1);
}

static void rows_of_a_second_run_are_resent_by_a_rerun(void **state)
{
    struct world *w = *state;
    world_begin_run(w, 1, DATETIME_ISO);
    world_post_triple(w, 3);
    world_post_triple(w, 4);
    verify(w);
    assert_note(w, VERDICT_RESENT_BY_RERUN, 6);
    assert_first(w, VERDICT_RESENT_BY_RERUN,
                 "u1.pin partition 0 offset 10, row 3 of pinterest_data (ledger 31, run 2, triple "
                 "0)");
}

static void a_copy_lost_by_one_run_is_not_hidden_by_that_of_another(void **state)
{
    struct world *w = *state;
    world_begin_run(w, 1, DATETIME_ISO);
    world_post_triple(w, 3);
    world_at(w, TABLE_PIN, 10)->gone = true;
    verify(w);
    assert_only(w, VERDICT_MISSING, 1);
    assert_int_equal(w->verdict.first[VERDICT_MISSING].run, 2);
}

static void a_row_picked_twice_by_one_run_is_reported(void **state)
{
    struct world *w = *state;
    world_begin_run(w, 1, DATETIME_ISO);
    world_post_triple(w, 11);
    world_post_triple(w, 11);
    verify(w);
    assert_note(w, VERDICT_REPEATED_IN_RUN, 3);
}

static void intents_are_settled_by_what_the_topics_hold(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    world_begin_run(w, 1, DATETIME_ISO);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        (void)world_intend(w, (enum table_id)t, 10);
    }
    world_value(w, TABLE_PIN, 10, value);
    (void)world_append(w, TABLE_PIN, 0, value);
    verify(w);
    assert_note(w, VERDICT_IN_DOUBT_KEPT, 1);
    assert_note(w, VERDICT_IN_DOUBT_NOT_KEPT, 2);
    assert_note(w, VERDICT_PARTIAL_TRIPLE, 1);
    assert_first(w, VERDICT_PARTIAL_TRIPLE,
                 "u1.geo, row 10 of geolocation_data (ledger 32, run 2, triple 0): this one of the "
                 "three was not kept");
}

static void posts_given_up_in_doubt_are_settled_by_what_the_topics_hold(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    world_begin_run(w, 1, DATETIME_ISO);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        struct ledger_outcome outcome = {.post_id = world_intend(w, (enum table_id)t, 10),
                                         .state = LEDGER_IN_DOUBT,
                                         .attempts = 2,
                                         .maybe_kept = 2,
                                         .reason = SPAN_LIT("timed out")};
        world_settle(w, &outcome);
    }
    world_value(w, TABLE_GEO, 10, value);
    (void)world_append(w, TABLE_GEO, 0, value);
    (void)world_append(w, TABLE_GEO, 0, value);
    verify(w);
    assert_note(w, VERDICT_IN_DOUBT_KEPT, 1);
    assert_note(w, VERDICT_RESENT_BY_RETRY, 1);
    assert_note(w, VERDICT_IN_DOUBT_NOT_KEPT, 2);
}

static void a_refused_post_is_reported_and_fails_when_it_is_there(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    world_begin_run(w, 1, DATETIME_ISO);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        struct ledger_outcome outcome = {.post_id = world_intend(w, (enum table_id)t, 10),
                                         .state = LEDGER_FAILED,
                                         .attempts = 1,
                                         .reason = SPAN_LIT("413")};
        world_settle(w, &outcome);
    }
    verify(w);
    assert_note(w, VERDICT_REFUSED, 3);
    assert_note(w, VERDICT_PARTIAL_TRIPLE, 0);
    world_value(w, TABLE_GEO, 10, value);
    (void)world_append(w, TABLE_GEO, 0, value);
    verify(w);
    assert_only(w, VERDICT_REFUSED_BUT_KEPT, 1);
    assert_int_equal(w->verdict.counts[VERDICT_PARTIAL_TRIPLE], 1);
}

/* The server was not there for the first run; what the second one sent got no answer. */
static void a_record_is_of_the_post_in_doubt_rather_than_of_an_earlier_refused_one(void **state)
{
    static const enum ledger_state states[] = {LEDGER_FAILED, LEDGER_IN_DOUBT};
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    for (size_t i = 0; i < ARRAY_COUNT(states); i++) {
        world_begin_run(w, 1, DATETIME_ISO);
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            struct ledger_outcome outcome = {.post_id = world_intend(w, (enum table_id)t, 10),
                                             .state = states[i],
                                             .attempts = 1,
                                             .maybe_kept = states[i] == LEDGER_IN_DOUBT ? 1 : 0,
                                             .reason = SPAN_LIT("no answer")};
            world_settle(w, &outcome);
        }
        world_end_run(w);
    }
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        world_value(w, (enum table_id)t, 10, value);
        (void)world_append(w, (enum table_id)t, 0, value);
    }
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_note(w, VERDICT_IN_DOUBT_KEPT, 3);
    assert_note(w, VERDICT_REFUSED, 3);
}

static void post_one_more(struct world *w)
{
    world_begin_run(w, 1, DATETIME_ISO);
    world_post_triple(w, 11);
}

static void posts_acknowledged_after_the_ends_were_taken_are_not_judged(void **state)
{
    struct world *w = *state;
    w->meanwhile = post_one_more;
    w->meanwhile_topic = "u1.user"; /* the last one */
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_int_equal(w->verdict.later, 3);
}

static void a_lost_end_is_missing_whatever_the_clocks_say(void **state)
{
    struct world *w = *state;
    world_ledger_sql(w, "UPDATE post SET acked_ms = 4100000000000");
    w->topics[TABLE_PIN].partition[0].count = 9;
    verify(w);
    assert_only(w, VERDICT_MISSING, 1);
    assert_int_equal(w->verdict.later, 0);
}

/* The topic was deleted and made again, and a second run posted the first rows anew. */
static void records_of_a_topic_made_anew_are_the_latest_runs(void **state)
{
    struct world *w = *state;
    w->topics[TABLE_GEO].partition[0].count = 0;
    world_begin_run(w, 1, DATETIME_ISO);
    for (int64_t row = 0; row < 4; row++) {
        world_post_triple(w, row);
    }
    world_end_run(w);
    verify(w);
    assert_only(w, VERDICT_MISSING, 10);
    assert_int_equal(w->verdict.first[VERDICT_MISSING].run, 1);
    assert_int_equal(w->verdict.first[VERDICT_MISSING].offset, 0);
}

/* --- no verdict ------------------------------------------------------------------------------ */

static void another_cluster_is_a_configuration_error(void **state)
{
    struct world *w = *state;
    w->cluster_id = "cluster-b";
    assert_int_equal(world_verify(w), STATUS_CONFIG);
    assert_non_null(strstr(w->err.message, "cluster-b"));
    assert_non_null(strstr(w->err.message, "cluster-a"));
}

static void a_server_that_does_not_tell_its_cluster_is_verified_all_the_same(void **state)
{
    struct world *w = *state;
    w->cluster_id = NULL;
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_string_equal(w->verdict.cluster_id, "");
}

static void a_strict_verdict_without_a_ledger_names_the_command_that_makes_one(void **state)
{
    struct world *w = *state;
    w->strict = true;
    world_ledger_sql(w, "DELETE FROM post");
    assert_int_equal(world_verify(w), STATUS_CONFIG);
    assert_non_null(strstr(w->err.message, "pinpipe emulate batch"));
    temp_dir_remove(&w->dir);
    assert_int_equal(world_verify(w), STATUS_CONFIG);
    assert_non_null(strstr(w->err.message, "pinpipe emulate batch"));
}

static void a_server_that_sends_nonsense_gives_no_verdict(void **state)
{
    static const char *const pages[] = {
        "{}",
        "[{\"topic\":\"u1.geo\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":0}]",
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":1,\"offset\":0}]",
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":{]},\"partition\":0,\"offset\":0}]",
        "[{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":1},"
        "{\"topic\":\"u1.pin\",\"key\":null,\"value\":1,\"partition\":0,\"offset\":1}]",
    };
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_COUNT(pages); i++) {
        w->page_override = pages[i];
        bool again = i + 1 == ARRAY_COUNT(pages);
        if (world_verify(w) != (again ? STATUS_ENDLESS : STATUS_FAILED)) {
            fail_msg("a verdict from %s", pages[i]);
        }
        assert_non_null(strstr(w->err.message, "offset"));
    }
}

/* Posts the pins to a fourth topic instead. */
static void move_pins(struct world *w, const char *name)
{
    char sql[128];
    w->topics[TABLE_COUNT].name = name;
    struct world_partition moved = w->topics[TABLE_PIN].partition[0];
    w->topics[TABLE_PIN].partition[0] = w->topics[TABLE_COUNT].partition[0];
    w->topics[TABLE_COUNT].partition[0] = moved;
    snprintf(sql, sizeof(sql), "UPDATE post SET topic = '%s' WHERE tbl = 0", name);
    world_ledger_sql(w, sql);
}

static void topics_that_only_the_ledger_knows_are_read_too(void **state)
{
    struct world *w = *state;
    move_pins(w, "u1.old.pin");
    verify(w);
    assert_true(verdict_passed(&w->verdict));
    assert_int_equal(w->verdict.topics, 4);
    assert_int_equal(w->verdict.matched, 30);
}

static bool stop_at_once(void *ctx)
{
    (void)ctx;
    return true;
}

static void a_stop_ends_without_a_verdict(void **state)
{
    struct world *w = *state;
    const struct progress progress = {NULL, stop_at_once, NULL};
    const struct verifier_options options = {.env = &w->env,
                                             .endpoints = {.user_id = "u1"},
                                             .data_dir = w->dir.path,
                                             .progress = &progress,
                                             .reader = &w->reader,
                                             .rows = &w->rows};
    assert_int_equal(verifier_run(&options, &w->verdict, &w->err), STATUS_INTERRUPTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_clean_run_passes_and_every_record_is_matched),
        TEST(the_verdict_does_not_depend_on_where_pages_are_cut),
        TEST(pages_in_base64_are_judged_by_their_bytes),
        TEST(topics_of_several_partitions_are_matched_partition_by_partition),
        TEST(a_run_with_blanks_in_datetimes_passes),
        TEST(another_spelling_of_the_same_row_is_no_alteration),
        TEST(a_record_that_is_gone_is_missing),
        TEST(the_last_record_gone_is_missing_too),
        TEST(records_behind_the_end_are_missing),
        TEST(records_that_retention_took_are_missing),
        TEST(all_of_a_topic_that_is_gone_is_missing),
        TEST(a_second_copy_is_doubled),
        TEST(a_changed_cell_is_altered_and_the_field_is_named),
        TEST(a_key_that_nobody_posted_is_altered),
        TEST(a_value_that_is_no_object_is_altered),
        TEST(an_additional_member_is_altered_and_named),
        TEST(a_table_that_changed_after_posting_is_altered_too),
        TEST(a_record_moved_to_another_topic_is_misrouted_and_not_missing),
        TEST(a_copy_in_another_topic_is_misrouted),
        TEST(values_exchanged_between_topics_are_misrouted),
        TEST(another_tables_row_in_a_records_place_is_misrouted),
        TEST(exchanged_records_are_out_of_order),
        TEST(a_record_moved_to_the_end_is_out_of_order),
        TEST(records_acknowledged_in_another_order_than_posted_are_out_of_order),
        TEST(the_order_of_a_run_with_several_lanes_is_not_judged),
        TEST(an_acknowledgement_of_another_offset_is_acked_elsewhere),
        TEST(an_acknowledgement_of_another_partition_is_acked_elsewhere),
        TEST(acknowledgements_exchanged_in_the_ledger_are_acked_elsewhere),
        TEST(a_triple_that_the_ledger_lacks_a_part_of_is_partial_and_unexplained),
        TEST(a_record_that_no_ledger_row_explains_is_unexplained),
        TEST(bytes_that_are_not_json_are_unexplained),
        TEST(a_ledger_row_that_was_taken_away_leaves_its_record_unexplained),
        TEST(several_damages_at_once_are_all_named),
        TEST(a_copy_from_a_lost_answer_is_resent_by_a_retry),
        TEST(rows_of_a_second_run_are_resent_by_a_rerun),
        TEST(a_copy_lost_by_one_run_is_not_hidden_by_that_of_another),
        TEST(a_row_picked_twice_by_one_run_is_reported),
        TEST(intents_are_settled_by_what_the_topics_hold),
        TEST(posts_given_up_in_doubt_are_settled_by_what_the_topics_hold),
        TEST(a_refused_post_is_reported_and_fails_when_it_is_there),
        TEST(a_record_is_of_the_post_in_doubt_rather_than_of_an_earlier_refused_one),
        TEST(posts_acknowledged_after_the_ends_were_taken_are_not_judged),
        TEST(a_lost_end_is_missing_whatever_the_clocks_say),
        TEST(records_of_a_topic_made_anew_are_the_latest_runs),
        TEST(another_cluster_is_a_configuration_error),
        TEST(a_server_that_does_not_tell_its_cluster_is_verified_all_the_same),
        TEST(a_strict_verdict_without_a_ledger_names_the_command_that_makes_one),
        TEST(a_server_that_sends_nonsense_gives_no_verdict),
        TEST(topics_that_only_the_ledger_knows_are_read_too),
        TEST(a_stop_ends_without_a_verdict),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
