/* The verdict on what somebody's own script posted: without a ledger, and beside one. */
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

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    world_open(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

/* The script posts one record; nobody notes it down. */
static int64_t script_post(struct world *w, enum table_id table, int64_t row)
{
    char value[WORLD_VALUE_BYTES];
    world_value(w, table, row, value);
    return world_append(w, table, 0, value);
}

static void script_run(struct world *w, int64_t first, int64_t last)
{
    for (int64_t row = first; row <= last; row++) {
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            (void)script_post(w, (enum table_id)t, row);
        }
    }
}

static void emulate(struct world *w, int64_t first, int64_t last)
{
    world_begin_run(w, 1, DATETIME_ISO);
    for (int64_t row = first; row <= last; row++) {
        world_post_triple(w, row);
    }
    world_end_run(w);
}

static void verify(struct world *w)
{
    if (world_verify(w) != STATUS_OK) {
        fail_msg("%s", w->err.message);
    }
}

static void assert_counts(const struct world *w, uint64_t own, uint64_t failures)
{
    if (w->verdict.own != own || verdict_failures(&w->verdict) != failures) {
        (void)verdict_write_text(&w->verdict, stderr);
        fail_msg("expected %llu own records and %llu failures", (unsigned long long)own,
                 (unsigned long long)failures);
    }
}

static void assert_found(const struct world *w, enum verdict_kind kind, uint64_t count,
                         const char *first)
{
    struct buf line;
    buf_init(&line, 1024);
    if (w->verdict.counts[kind] != count) {
        (void)verdict_write_text(&w->verdict, stderr);
        fail_msg("expected %llu %s", (unsigned long long)count, verdict_kind_info(kind)->title);
    }
    verdict_offender_append(&w->verdict.first[kind], &line);
    assert_string_equal(buf_cstr(&line), first);
    buf_release(&line);
}

/* --- without a ledger ------------------------------------------------------------------------ */

static void rows_in_all_three_topics_pass(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 11);
    verify(w);
    assert_counts(w, 36, 0);
    assert_true(w->verdict.without_ledger);
    temp_dir_remove(&w->dir); /* not even an empty ledger */
    verify(w);
    assert_counts(w, 36, 0);
}

static void a_record_that_is_gone_names_its_row_and_its_place(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 11);
    world_at(w, TABLE_GEO, 7)->gone = true;
    verify(w);
    assert_counts(w, 35, 1);
    assert_found(w, VERDICT_INCOMPLETE, 1,
                 "u1.geo partition 0 offset 7, row 7 of geolocation_data: lost here; its pin is at "
                 "offset 7, its user at offset 7");
}

static void the_last_record_gone_is_no_row_that_is_still_on_its_way(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 11);
    world_at(w, TABLE_USER, 11)->gone = true;
    verify(w);
    assert_found(w, VERDICT_INCOMPLETE, 1,
                 "u1.user partition 0 offset 11, row 11 of user_data: lost here; its pin is at "
                 "offset 11, its geo at offset 11");
}

static void a_record_that_was_never_posted_is_named_without_a_place(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 4);
    (void)script_post(w, TABLE_GEO, 5);
    (void)script_post(w, TABLE_USER, 5);
    script_run(w, 6, 11);
    verify(w);
    assert_counts(w, 35, 1);
    assert_found(w, VERDICT_INCOMPLETE, 1,
                 "u1.pin, row 5 of pinterest_data: not there, lost or never posted; its geo is at "
                 "offset 5, its user at offset 5");
}

/* The mistake that nearly everybody makes: json.dumps refuses a datetime, pin has none. */
static void a_script_whose_dates_were_refused_is_told_so(void **state)
{
    struct world *w = *state;
    for (int64_t row = 0; row < 5; row++) {
        (void)script_post(w, TABLE_PIN, row);
    }
    verify(w);
    assert_found(w, VERDICT_INCOMPLETE, 4,
                 "u1.geo, row 0 of geolocation_data: the topic holds no row at all (a date must be "
                 "made text to be posted); its pin is at offset 0");
}

static void a_row_that_the_script_was_stopped_in_is_noted(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 4);
    (void)script_post(w, TABLE_PIN, 5);
    verify(w);
    assert_counts(w, 16, 0);
    assert_found(w, VERDICT_UNFINISHED, 1,
                 "u1.geo, row 5 of geolocation_data: not there yet; its pin is at offset 5");
    (void)script_post(w, TABLE_GEO, 5);
    verify(w);
    assert_counts(w, 17, 0);
    assert_found(w, VERDICT_UNFINISHED, 1,
                 "u1.user, row 5 of user_data: not there yet; its pin is at offset 5, its geo at "
                 "offset 5");
    script_run(w, 6, 7); /* it went on, so the row was not its last */
    verify(w);
    assert_counts(w, 23, 1);
    assert_int_equal(w->verdict.counts[VERDICT_INCOMPLETE], 1);
}

static void a_script_that_ran_twice_is_reported_and_its_losses_are_found(void **state)
{
    struct world *w = *state;
    script_run(w, 2, 4);
    script_run(w, 2, 4);
    verify(w);
    assert_counts(w, 18, 0);
    assert_found(w, VERDICT_POSTED_AGAIN, 9,
                 "u1.pin, row 2 of pinterest_data: 2 times in pin, 2 times in geo, 2 times in "
                 "user");
    world_at(w, TABLE_USER, 4)->gone = true;
    verify(w);
    assert_counts(w, 17, 1);
    assert_found(w, VERDICT_INCOMPLETE, 1,
                 "u1.user partition 0 offset 4, row 3 of user_data: lost here; its pin is at "
                 "offset 4, its geo at offset 4");
}

static void a_second_run_stopped_in_a_row_is_noted_too(void **state)
{
    struct world *w = *state;
    script_run(w, 2, 4);
    (void)script_post(w, TABLE_PIN, 2);
    (void)script_post(w, TABLE_GEO, 2);
    verify(w);
    assert_counts(w, 11, 0);
    assert_int_equal(w->verdict.counts[VERDICT_UNFINISHED], 1);
}

static void one_record_posted_twice_is_reported(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 3);
    (void)script_post(w, TABLE_GEO, 3);
    script_run(w, 4, 5);
    verify(w);
    assert_counts(w, 19, 0);
    assert_found(w, VERDICT_POSTED_AGAIN, 1,
                 "u1.geo, row 3 of geolocation_data: 1 times in pin, 2 times in geo, 1 times in "
                 "user");
}

static void a_row_in_another_tables_topic_is_misrouted_and_not_missing_too(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    script_run(w, 0, 3);
    world_value(w, TABLE_PIN, 4, value);
    (void)world_append(w, TABLE_USER, 0, value);
    (void)script_post(w, TABLE_GEO, 4);
    (void)script_post(w, TABLE_USER, 4);
    script_run(w, 5, 6);
    verify(w);
    assert_counts(w, 20, 1);
    assert_found(w, VERDICT_MISROUTED, 1,
                 "u1.user partition 0 offset 4, row 4 of pinterest_data: the value has the columns "
                 "of pinterest_data");
}

static void a_cell_that_differs_is_altered_and_not_missing_too(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 5);
    strstr(world_at(w, TABLE_GEO, 4)->value, "4.25")[0] = '7';
    verify(w);
    assert_counts(w, 17, 1);
    assert_found(
        w, VERDICT_ALTERED, 1,
        "u1.geo partition 0 offset 4, row 4 of geolocation_data, field latitude: the table "
        "has another value there");
}

static void what_is_no_row_is_unexplained(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 5);
    (void)world_append(w, TABLE_PIN, 0, "{\"index\":3,\"category\":\"art\"}");
    verify(w);
    assert_counts(w, 18, 1);
    assert_found(w, VERDICT_UNEXPLAINED, 1,
                 "u1.pin partition 0 offset 6, row 3 of pinterest_data: it has the key of this "
                 "row, but is not the row");
}

static void a_row_that_is_gone_from_all_three_leaves_three_holes(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 5);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        world_at(w, (enum table_id)t, 2)->gone = true;
    }
    verify(w);
    assert_counts(w, 15, 3);
    assert_found(w, VERDICT_LOST, 3, "u1.pin partition 0 offset 2: whatever stood here is gone");
}

static void another_spelling_passes_and_is_noted(void **state)
{
    struct world *w = *state;
    script_run(w, 0, 5);
    snprintf(world_at(w, TABLE_USER, 2)->value, WORLD_VALUE_BYTES,
             "[{\"index\":2,\"first_name\":\"first_name \\\"2\\\"\",\"last_name\":\"last_name "
             "\\\"2\\\"\",\"age\":42,\"date_joined\":\"02/05/2021, 19:14:42\"}]");
    verify(w);
    assert_counts(w, 18, 0);
    assert_found(
        w, VERDICT_OTHER_SPELLING, 1,
        "u1.user partition 0 offset 2, row 2 of user_data: the row stands in a list, which "
        "Spark reads as nulls");
}

static void nothing_at_all_is_no_verdict(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_verify(w), STATUS_CONFIG);
    assert_non_null(strstr(w->err.message, "u1.pin, u1.geo and u1.user hold no records"));
    assert_non_null(strstr(w->err.message, "pinpipe emulate batch"));
}

/* --- beside a ledger ------------------------------------------------------------------------- */

static void both_are_judged_and_strict_takes_the_ledgers_only(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 4);
    script_run(w, 5, 9);
    verify(w);
    assert_counts(w, 15, 0);
    assert_int_equal(w->verdict.matched, 15);
    assert_false(w->verdict.without_ledger);
    w->strict = true;
    verify(w);
    assert_counts(w, 0, 15);
    assert_int_equal(w->verdict.counts[VERDICT_UNEXPLAINED], 15);
}

/* The same seed draws the same rows for the emulator and for the script that it imitates. */
static void the_emulators_rows_posted_by_a_script_are_no_doubles(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 4);
    script_run(w, 0, 4);
    verify(w);
    assert_counts(w, 15, 0);
    (void)script_post(w, TABLE_PIN, 0); /* and its second round is stopped in the first row */
    verify(w);
    assert_counts(w, 16, 0);
    w->topics[TABLE_PIN].partition[0].count--;
    world_at(w, TABLE_GEO, 7)->gone = true;
    verify(w);
    assert_found(w, VERDICT_INCOMPLETE, 1,
                 "u1.geo partition 0 offset 7, row 2 of geolocation_data: lost here; its pin is at "
                 "offset 7, its user at offset 7");
    w->strict = true;
    world_at(w, TABLE_GEO, 7)->gone = false;
    verify(w);
    assert_int_equal(w->verdict.counts[VERDICT_DOUBLED], 15);
}

static void a_server_that_doubles_every_record_is_found_out(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 0);
    script_run(w, 0, 0);
    verify(w);
    assert_counts(w, 0, 3);
    assert_int_equal(w->verdict.counts[VERDICT_DOUBLED], 3);
    script_run(w, 1, 2); /* no: it was a script that began where the emulator ended */
    verify(w);
    assert_counts(w, 9, 0);
}

static void the_ledgers_losses_are_not_made_up_for_by_a_script(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 4);
    script_run(w, 5, 9);
    world_at(w, TABLE_GEO, 1)->gone = true;
    world_at(w, TABLE_USER, 8)->gone = true;
    verify(w);
    assert_counts(w, 14, 2);
    assert_found(w, VERDICT_MISSING, 1,
                 "u1.geo partition 0 offset 1, row 1 of geolocation_data (ledger 5, run 1, triple "
                 "1): acknowledged for this place");
    assert_found(w, VERDICT_INCOMPLETE, 1,
                 "u1.user partition 0 offset 8, row 8 of user_data: lost here; its pin is at "
                 "offset 8, its geo at offset 8");
}

/* The ledger outlived its topics. */
static void rows_in_topics_made_anew_are_no_alterations_of_the_ledgers(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 4);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        w->topics[t].partition[0].count = 0;
    }
    script_run(w, 5, 9);
    verify(w);
    assert_counts(w, 15, 15);
    assert_int_equal(w->verdict.counts[VERDICT_MISSING], 15);
}

static void refuse(struct world *w, enum table_id table, int64_t row)
{
    struct ledger_outcome outcome = {.post_id = world_intend(w, table, row),
                                     .state = LEDGER_FAILED,
                                     .attempts = 1,
                                     .reason = SPAN_LIT("403")};
    world_settle(w, &outcome);
}

/* `emulate` against a wrong stage, then a script that knows better. */
static void rows_that_the_emulator_was_refused_may_be_a_scripts(void **state)
{
    struct world *w = *state;
    world_begin_run(w, 1, DATETIME_ISO);
    for (int64_t row = 0; row < 5; row++) {
        for (size_t t = 0; t < TABLE_COUNT; t++) {
            refuse(w, (enum table_id)t, row);
        }
        w->triples++;
    }
    script_run(w, 0, 4);
    verify(w);
    assert_counts(w, 15, 0);
    assert_int_equal(w->verdict.counts[VERDICT_REFUSED], 15);
}

static void a_refused_post_is_not_misrouted(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    world_begin_run(w, 1, DATETIME_ISO);
    refuse(w, TABLE_PIN, 10);
    world_value(w, TABLE_PIN, 10, value);
    (void)world_append(w, TABLE_GEO, 0, value);
    verify(w);
    assert_int_equal(w->verdict.counts[VERDICT_REFUSED], 1);
    assert_found(w, VERDICT_MISROUTED, 1,
                 "u1.geo partition 0 offset 0, row 10 of pinterest_data: the value has the columns "
                 "of pinterest_data");
}

/* The first run was refused the row, the second one repeated it until an answer came. */
static void a_copy_of_a_later_runs_retry_is_not_refused_but_kept(void **state)
{
    struct world *w = *state;
    char value[WORLD_VALUE_BYTES];
    world_begin_run(w, 1, DATETIME_ISO);
    refuse(w, TABLE_PIN, 3);
    world_begin_run(w, 1, DATETIME_ISO);
    int64_t id = world_intend(w, TABLE_PIN, 3);
    world_value(w, TABLE_PIN, 3, value);
    (void)world_append(w, TABLE_PIN, 0, value); /* its answer was lost */
    struct ledger_outcome outcome = {.post_id = id,
                                     .state = LEDGER_ACKED,
                                     .attempts = 2,
                                     .maybe_kept = 1,
                                     .acked_ms = 1,
                                     .offset = world_append(w, TABLE_PIN, 0, value)};
    world_settle(w, &outcome);
    verify(w);
    assert_int_equal(w->verdict.counts[VERDICT_REFUSED_BUT_KEPT], 0);
    assert_int_equal(w->verdict.counts[VERDICT_RESENT_BY_RETRY], 1);
    assert_int_equal(w->verdict.counts[VERDICT_REFUSED], 1);
}

/* --- since ----------------------------------------------------------------------------------- */

static void what_is_older_is_not_judged_by_anybody(void **state)
{
    struct world *w = *state;
    w->now_ms = 1000;
    emulate(w, 0, 2);
    world_begin_run(w, 1, DATETIME_ISO);
    refuse(w, TABLE_PIN, 11);
    world_end_run(w);
    (void)world_append(w, TABLE_PIN, 0, "{\"index\":3,\"category\":\"art\"}");
    (void)script_post(w, TABLE_GEO, 7);
    world_at(w, TABLE_USER, 1)->gone = true;
    verify(w);
    assert_false(verdict_passed(&w->verdict));
    w->now_ms = w->since_ms = w->env.wall_us(&w->env) / 1000 + 1;
    script_run(w, 0, 4);
    verify(w);
    assert_counts(w, 15, 0);
    assert_int_equal(w->verdict.records, 15);
    assert_true(w->verdict.without_ledger);
    assert_int_equal(w->verdict.counts[VERDICT_REFUSED], 0);
    assert_int_equal(w->verdict.counts[VERDICT_UNFINISHED], 0);
}

static void a_run_that_began_before_is_judged_from_there(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 2);
    w->now_ms = w->since_ms = 2000;
    world_begin_run(w, 1, DATETIME_ISO);
    world_post_triple(w, 5);
    world_at(w, TABLE_GEO, 3)->gone = true;
    verify(w);
    assert_int_equal(w->verdict.posts, 3);
    assert_int_equal(w->verdict.matched, 2);
    assert_found(w, VERDICT_MISSING, 1,
                 "u1.geo partition 0 offset 3, row 5 of geolocation_data (ledger 11, run 2, triple "
                 "0): acknowledged for this place");
}

static void nothing_since_is_no_verdict(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 2);
    w->since_ms = w->env.wall_us(&w->env) / 1000 + 1;
    assert_int_equal(world_verify(w), STATUS_CONFIG);
    assert_non_null(strstr(w->err.message, "--since"));
}

/* --- somebody else's ------------------------------------------------------------------------- */

static void another_users_posts_spoil_nothing(void **state)
{
    struct world *w = *state;
    emulate(w, 0, 4);
    world_ledger_sql(w, "UPDATE post SET topic = replace(topic, 'u1.', 'u2.')");
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        w->topics[t].partition[0].count = 0;
    }
    assert_int_equal(world_verify(w), STATUS_CONFIG);
    assert_non_null(strstr(w->err.message, "(u2."));
    assert_non_null(strstr(w->err.message, "--iam-username"));
    script_run(w, 5, 9);
    verify(w);
    assert_counts(w, 15, 0);
    assert_true(w->verdict.without_ledger);
    assert_int_equal(w->verdict.topics, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_in_all_three_topics_pass),
        TEST(a_record_that_is_gone_names_its_row_and_its_place),
        TEST(the_last_record_gone_is_no_row_that_is_still_on_its_way),
        TEST(a_record_that_was_never_posted_is_named_without_a_place),
        TEST(a_script_whose_dates_were_refused_is_told_so),
        TEST(a_row_that_the_script_was_stopped_in_is_noted),
        TEST(a_script_that_ran_twice_is_reported_and_its_losses_are_found),
        TEST(a_second_run_stopped_in_a_row_is_noted_too),
        TEST(one_record_posted_twice_is_reported),
        TEST(a_row_in_another_tables_topic_is_misrouted_and_not_missing_too),
        TEST(a_cell_that_differs_is_altered_and_not_missing_too),
        TEST(what_is_no_row_is_unexplained),
        TEST(a_row_that_is_gone_from_all_three_leaves_three_holes),
        TEST(another_spelling_passes_and_is_noted),
        TEST(nothing_at_all_is_no_verdict),
        TEST(both_are_judged_and_strict_takes_the_ledgers_only),
        TEST(the_emulators_rows_posted_by_a_script_are_no_doubles),
        TEST(a_server_that_doubles_every_record_is_found_out),
        TEST(the_ledgers_losses_are_not_made_up_for_by_a_script),
        TEST(rows_in_topics_made_anew_are_no_alterations_of_the_ledgers),
        TEST(rows_that_the_emulator_was_refused_may_be_a_scripts),
        TEST(a_refused_post_is_not_misrouted),
        TEST(a_copy_of_a_later_runs_retry_is_not_refused_but_kept),
        TEST(what_is_older_is_not_judged_by_anybody),
        TEST(a_run_that_began_before_is_judged_from_there),
        TEST(nothing_since_is_no_verdict),
        TEST(another_users_posts_spoil_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
