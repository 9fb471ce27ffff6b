/* The emulator on a virtual clock, with rows made on the spot and a poster that answers from a
 * script. */
#include "emulator_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- scripts ------------------------------------------------------------------------------- */

static void fail_with(struct post_outcome *outcome, enum post_result result, int status,
                      bool maybe_kept)
{
    outcome->result = result;
    outcome->http_status = status;
    outcome->maybe_kept = maybe_kept;
    snprintf(outcome->reason, sizeof(outcome->reason), "HTTP %d", status);
}

static void first_two_throttled(struct emulator_world *f, enum table_id table, int64_t row,
                                int64_t n, struct post_outcome *outcome)
{
    (void)f;
    if (table == TABLE_GEO && row == 1 && n < 2) {
        fail_with(outcome, POST_RETRY, 429, false);
    }
}

static void once_timed_out(struct emulator_world *f, enum table_id table, int64_t row, int64_t n,
                           struct post_outcome *outcome)
{
    (void)f;
    if (table == TABLE_USER && row == 2 && n == 0) {
        fail_with(outcome, POST_RETRY, 504, true);
    }
}

static void row_one_always_504(struct emulator_world *f, enum table_id table, int64_t row,
                               int64_t n, struct post_outcome *outcome)
{
    (void)f;
    (void)n;
    if (table == TABLE_PIN && row == 1) {
        fail_with(outcome, POST_RETRY, 504, true);
    }
}

static void geo_of_row_one_refused(struct emulator_world *f, enum table_id table, int64_t row,
                                   int64_t n, struct post_outcome *outcome)
{
    (void)f;
    (void)n;
    if (table == TABLE_GEO && row == 1) {
        fail_with(outcome, POST_GIVE_UP, 413, false);
    }
}

static void all_forbidden(struct emulator_world *f, enum table_id table, int64_t row, int64_t n,
                          struct post_outcome *outcome)
{
    (void)f;
    (void)table;
    (void)row;
    (void)n;
    fail_with(outcome, POST_GIVE_UP, 403, false);
}

static void geo_has_no_topic(struct emulator_world *f, enum table_id table, int64_t row, int64_t n,
                             struct post_outcome *outcome)
{
    (void)f;
    (void)row;
    (void)n;
    if (table == TABLE_GEO) {
        fail_with(outcome, POST_GIVE_UP, 200, false);
        outcome->permanent = true;
    }
}

static void all_gone(struct emulator_world *f, enum table_id table, int64_t row, int64_t n,
                     struct post_outcome *outcome)
{
    (void)table;
    (void)row;
    (void)n;
    if (f->post_count > 30) {
        fail_with(outcome, POST_RETRY, 0, false);
        outcome->unreachable = true;
    }
}

static void pin_slow_to_succeed(struct emulator_world *f, enum table_id table, int64_t row,
                                int64_t n, struct post_outcome *outcome)
{
    (void)f;
    if (table == TABLE_PIN && row % 5 == 0 && n == 0) {
        fail_with(outcome, POST_RETRY, 503, true);
    }
}

/* --- tests --------------------------------------------------------------------------------- */

static void every_post_is_acked_and_in_the_ledger(void **state)
{
    struct emulator_world *f = *state;
    f->options.rows = 400;
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_DONE);
    assert_int_equal(f->summary.posts_acked, 1200);
    assert_int_equal(f->summary.triples_complete, 400);
    assert_int_equal(f->summary.triples_partial, 0);
    assert_int_equal(f->summary.retries, 0);
    assert_true(emulator_succeeded(&f->summary));
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 1 AND attempts = 1 AND "
                              "\"offset\" = triple AND row_number = triple AND maybe_kept = 0"),
        1200);
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE length(value_hash) = 16"), 1200);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM run WHERE ended_ms NOT NULL"), 1);
}

static void intents_are_durable_before_their_requests_leave(void **state)
{
    struct emulator_world *f = *state;
    f->options.rows = 350;
    emulator_world_run(f);
    assert_int_equal(f->post_count, 1050);
    for (size_t i = 0; i < f->post_count; i++) {
        assert_true(f->posts[i].intent_was_durable);
    }
}

static void python_order_posts_the_scripts_rows(void **state)
{
    struct emulator_world *f = *state;
    static const int64_t rows[] = {7528, 2863, 5730, 8304, 8731, 1313};
    f->options.order = ROW_ORDER_PYTHON;
    f->options.concurrency = 1;
    f->options.rows = 6;
    emulator_world_run(f);
    assert_int_equal(f->post_count, 18);
    for (size_t i = 0; i < f->post_count; i++) {
        assert_int_equal(f->posts[i].row, rows[i / 3]);
        assert_int_equal(f->posts[i].table, i % 3);
    }
    assert_int_equal(f->in_flight_most, 1);
    assert_string_equal(f->notes, "");
}

static void a_small_table_is_said_to_change_the_walk(void **state)
{
    struct emulator_world *f = *state;
    f->rows.counts[TABLE_GEO] = 10;
    f->options.order = ROW_ORDER_PYTHON;
    emulator_world_run(f);
    assert_non_null(strstr(f->notes, "not the script's"));
    assert_non_null(strstr(f->notes, "only the first 10"));
    for (size_t i = 0; i < f->post_count; i++) {
        assert_in_range(f->posts[i].row, 0, 9);
    }
}

static void sequential_order_takes_each_row_once_when_no_number_is_given(void **state)
{
    struct emulator_world *f = *state;
    f->options.rows = EMULATOR_ROWS_UNSET;
    f->rows.counts[TABLE_PIN] = f->rows.counts[TABLE_GEO] = f->rows.counts[TABLE_USER] = 7;
    emulator_world_run(f);
    assert_int_equal(f->summary.rows_wanted, 7);
    assert_int_equal(f->summary.posts_acked, 21);
}

static void each_lane_keeps_its_order_through_retries(void **state)
{
    struct emulator_world *f = *state;
    int64_t last[TABLE_COUNT] = {-1, -1, -1};
    f->script = pin_slow_to_succeed;
    f->options.rows = 200;
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_acked, 600);
    assert_int_equal(f->summary.retries, 40);
    assert_int_equal(f->summary.lanes_per_topic, 1);
    for (size_t i = 0; i < f->post_count; i++) {
        int64_t *before = &last[f->posts[i].table];
        assert_true(f->posts[i].row == *before || f->posts[i].row == *before + 1);
        *before = f->posts[i].row;
    }
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE \"offset\" = triple"),
                     600);
}

static void in_flight_posts_follow_the_concurrency(void **state)
{
    static const struct {
        size_t concurrency;
        int64_t lanes;
    } cases[] = {{1, 1}, {2, 1}, {3, 1}, {4, 2}, {12, 4}};
    struct emulator_world *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        f->options.concurrency = cases[i].concurrency;
        f->in_flight_most = 0;
        f->post_count = 0;
        f->options.rows = 120;
        emulator_world_run(f);
        assert_int_equal(f->in_flight_most, cases[i].concurrency);
        assert_int_equal(f->summary.lanes_per_topic, cases[i].lanes);
        assert_int_equal(f->summary.posts_acked, 360);
    }
}

static void a_definite_no_is_tried_again_and_leaves_no_doubt(void **state)
{
    struct emulator_world *f = *state;
    f->script = first_two_throttled;
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_acked, 30);
    assert_int_equal(f->summary.retries, 2);
    assert_true(emulator_succeeded(&f->summary));
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE tbl = 1 AND row_number = 1 AND "
                              "state = 1 AND attempts = 3 AND maybe_kept = 0"),
        1);
    assert_non_null(strstr(f->notes, "geo row 1: HTTP 429; trying again"));
}

static void an_ambiguous_attempt_is_remembered_when_the_next_is_acked(void **state)
{
    struct emulator_world *f = *state;
    f->script = once_timed_out;
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_acked, 30);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE maybe_kept > 0"), 1);
    assert_int_equal(
        emulator_world_ask(f, "SELECT maybe_kept FROM post WHERE tbl = 2 AND row_number = 2 AND "
                              "state = 1 AND attempts = 2"),
        1);
}

static void attempts_that_all_end_open_leave_a_post_in_doubt(void **state)
{
    struct emulator_world *f = *state;
    f->script = row_one_always_504;
    f->options.retry.attempts_max = 4;
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_acked, 29);
    assert_int_equal(f->summary.posts_in_doubt, 1);
    assert_int_equal(f->summary.triples_partial, 1);
    assert_int_equal(f->summary.first_partial.row_number, 1);
    assert_int_equal(f->summary.first_partial.states[TABLE_PIN], LEDGER_IN_DOUBT);
    assert_int_equal(f->summary.first_partial.states[TABLE_GEO], LEDGER_ACKED);
    assert_false(emulator_succeeded(&f->summary));
    assert_string_equal(f->summary.first_failure, "HTTP 504");
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 3 AND attempts = 4 AND "
                              "maybe_kept = 4 AND reason = 'HTTP 504' AND \"offset\" IS NULL"),
        1);
}

static void a_refused_post_fails_with_its_reason_and_the_rest_goes_on(void **state)
{
    struct emulator_world *f = *state;
    f->script = geo_of_row_one_refused;
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_DONE);
    assert_int_equal(f->summary.posts_acked, 29);
    assert_int_equal(f->summary.posts_failed, 1);
    assert_int_equal(f->summary.triples_partial, 1);
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 2 AND attempts = 1 AND "
                              "reason = 'HTTP 413'"),
        1);
}

static void the_same_refusal_again_and_again_ends_the_run(void **state)
{
    struct emulator_world *f = *state;
    f->script = all_forbidden;
    f->options.rows = 1000;
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_SAME_FAILURES);
    assert_in_range(f->post_count, EMULATOR_SAME_FAILURES_MAX, EMULATOR_SAME_FAILURES_MAX + 3);
    assert_int_equal(f->summary.posts_failed, f->post_count);
    assert_int_equal(f->summary.posts_acked, 0);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
    assert_string_equal(f->summary.first_failure, "HTTP 403");
}

static void the_first_refusal_for_good_ends_the_run(void **state)
{
    struct emulator_world *f = *state;
    f->script = geo_has_no_topic;
    f->options.rows = 1000;
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_REFUSED);
    assert_int_equal(f->summary.posts_failed, 1);
    assert_int_equal(f->summary.retries, 0);
    assert_in_range(f->post_count, 1, 3);
    assert_false(emulator_succeeded(&f->summary));
    assert_string_equal(f->summary.first_failure, "HTTP 200");
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
}

static void a_server_that_is_gone_for_good_ends_the_run_as_unreachable(void **state)
{
    struct emulator_world *f = *state;
    f->script = all_gone;
    f->options.rows = 1000;
    int64_t start_us = f->env.virtual_us;
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_UNREACHABLE);
    assert_true(f->summary.posts_failed > 0);
    assert_int_equal(f->summary.posts_in_doubt, 0);
    assert_int_equal(emulator_world_ask(f, "SELECT max(attempts) FROM post WHERE state = 2"),
                     RETRY_ATTEMPTS_DEFAULT);
    assert_true(f->env.virtual_us - start_us > 1000000);
}

static void a_stop_leaves_a_named_partial_triple_and_no_open_intent(void **state)
{
    struct emulator_world *f = *state;
    f->options.concurrency = 1;
    f->options.rows = 1000;
    f->stop_after_posts = 11; /* three triples, then pin and geo of row 3 */
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_INTERRUPTED);
    assert_int_equal(f->summary.posts_acked, 11);
    assert_int_equal(f->summary.posts_unsent, 1);
    assert_int_equal(f->summary.triples_complete, 3);
    assert_int_equal(f->summary.triples_partial, 1);
    assert_true(f->summary.has_partial);
    assert_int_equal(f->summary.first_partial.triple, 3);
    assert_int_equal(f->summary.first_partial.row_number, 3);
    assert_int_equal(f->summary.first_partial.states[TABLE_GEO], LEDGER_ACKED);
    assert_true(f->summary.first_partial.unsent[TABLE_USER]);
    assert_false(emulator_succeeded(&f->summary));
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post"), 12);
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE tbl = 2 AND triple = 3 AND state ="
                              " 2 AND attempts = 0 AND reason LIKE 'not sent%'"),
        1);
}

static void a_stop_between_two_triples_leaves_nothing_partial(void **state)
{
    struct emulator_world *f = *state;
    f->options.concurrency = 1;
    f->options.rows = EMULATOR_ROWS_FOREVER;
    f->stop_after_posts = 9;
    emulator_world_run(f);
    assert_int_equal(f->summary.triples_complete, 3);
    assert_int_equal(f->summary.triples_partial, 0);
    assert_true(emulator_succeeded(&f->summary));
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post"), 9);
}

static void an_interrupted_bounded_run_did_not_succeed(void **state)
{
    struct emulator_world *f = *state;
    f->options.concurrency = 1;
    f->options.rows = 5;
    f->stop_after_posts = 9;
    emulator_world_run(f);
    assert_int_equal(f->summary.triples_partial, 0);
    assert_false(emulator_succeeded(&f->summary));
}

static void a_stop_waits_for_answers_only_so_long(void **state)
{
    struct emulator_world *f = *state;
    f->never_answers = true;
    f->stop_after_posts = 3;
    int64_t start_us = f->env.virtual_us;
    emulator_world_run(f);
    assert_true(f->env.virtual_us - start_us >= (int64_t)EMULATOR_DRAIN_INTERRUPTED_MS * 1000);
    assert_int_equal(f->summary.posts_in_doubt, 3);
    assert_int_equal(
        emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 3 AND maybe_kept = 1"), 3);
}

static void a_stop_gives_up_waiting_retries(void **state)
{
    struct emulator_world *f = *state;
    f->script = row_one_always_504;
    f->options.concurrency = 1;
    f->stop_after_posts = 5; /* the second attempt of pin row 1 */
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_in_doubt, 1);
    assert_int_equal(f->summary.first_partial.row_number, 1);
    assert_int_equal(f->summary.posts_unsent, 2);
}

static void answers_that_come_at_once_are_followed_at_once(void **state)
{
    struct emulator_world *f = *state;
    f->latency_us = 0;
    f->options.rows = 300;
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_acked, 900);
    assert_int_equal(f->summary.elapsed_us, 0);
}

static void a_rate_is_kept(void **state)
{
    struct emulator_world *f = *state;
    f->options.post_rate = 100;
    f->options.rows = 100;
    emulator_world_run(f);
    assert_in_range(f->summary.elapsed_us, 2900000, 3100000);
    for (size_t i = 1; i < f->post_count; i++) {
        assert_true(f->posts[i].at_us - f->posts[i - 1].at_us >= 8000);
    }
}

static void the_workshops_pace_sleeps_before_each_round(void **state)
{
    struct emulator_world *f = *state;
    static const int64_t seconds[] = {0, 1, 1, 1, 0, 0}; /* randrange(0, 2) with seed 100 */
    f->options.order = ROW_ORDER_PYTHON;
    f->options.workshop_pace = true;
    f->options.rows = 6;
    emulator_world_run(f);
    assert_int_equal(f->post_count, 18);
    for (size_t round = 1; round < 6; round++) {
        int64_t gap_us = f->posts[3 * round].at_us - f->posts[3 * round - 1].at_us;
        assert_in_range(gap_us, seconds[round] * 1000000, seconds[round] * 1000000 + 60000);
    }
}

static void an_endless_run_holds_a_bounded_number_of_triples(void **state)
{
    struct emulator_world *f = *state;
    f->options.rows = EMULATOR_ROWS_FOREVER;
    f->options.order = ROW_ORDER_RANDOM;
    f->stop_after_posts = 3500;
    emulator_world_run(f);
    assert_int_equal(f->summary.end, EMULATOR_END_INTERRUPTED);
    assert_true(f->summary.posts_acked >= 3500);
    assert_int_equal(emulator_world_ask(f, "SELECT rows_wanted IS NULL FROM run"), 1);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
}

static void a_re_run_is_a_second_run_of_the_same_ledger(void **state)
{
    struct emulator_world *f = *state;
    emulator_world_run(f);
    emulator_world_run(f);
    assert_int_equal(f->summary.run_id, 2);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 1"), 60);
}

static void another_cluster_is_refused_before_anything_is_sent(void **state)
{
    struct emulator_world *f = *state;
    emulator_world_run(f);
    f->cluster_id = "cluster-two";
    f->post_count = 0;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_CONFIG);
    assert_non_null(strstr(f->err.message, "cluster-one"));
    assert_non_null(strstr(f->err.message, "cluster-two"));
    assert_int_equal(f->post_count, 0);
}

static void a_cluster_without_a_name_is_called_unknown(void **state)
{
    struct emulator_world *f = *state;
    f->cluster_id = "";
    emulator_world_run(f);
    assert_string_equal(f->summary.cluster_id, "unknown");
    assert_non_null(strstr(f->notes, "unknown"));
}

static void nothing_listening_at_the_start_is_said_at_once(void **state)
{
    struct emulator_world *f = *state;
    char path[128];
    f->identify_status = STATUS_UNREACHABLE;
    int64_t start_us = f->env.virtual_us;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_UNREACHABLE);
    assert_int_equal(f->env.virtual_us, start_us);
    snprintf(path, sizeof(path), "%s/ledger.db", f->dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void a_gateway_whose_proxy_is_starting_is_asked_again(void **state)
{
    struct emulator_world *f = *state;
    f->identify_busy = 3;
    emulator_world_run(f);
    assert_int_equal(f->summary.posts_acked, 30);
    f->identify_busy = 1000;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_UNREACHABLE);
    assert_string_equal(f->err.message, "HTTP 502");
}

static void an_empty_table_is_a_configuration_mistake(void **state)
{
    struct emulator_world *f = *state;
    f->rows.counts[TABLE_USER] = 0;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_CONFIG);
    assert_non_null(strstr(f->err.message, "user_data"));
    assert_non_null(strstr(f->err.message, "generate"));
}

static enum status refuse_to_send(struct poster *poster, size_t slot, enum table_id table,
                                  struct span value, struct error *err)
{
    struct emulator_world *f = PP_CONTAINER_OF(poster, struct emulator_world, poster);
    if (f->post_count < 7) {
        return emulator_world_send(poster, slot, table, value, err);
    }
    return error_set(err, STATUS_NO_MEMORY, "no memory for a request");
}

static void an_error_of_our_own_ends_the_run_with_clean_books(void **state)
{
    struct emulator_world *f = *state;
    struct poster_ops ops = *emulator_world_poster_ops();
    ops.send = refuse_to_send;
    f->poster.ops = &ops;
    assert_int_equal(emulator_run(&f->options, &f->summary, &f->err), STATUS_NO_MEMORY);
    assert_string_equal(f->err.message, "no memory for a request");
    assert_int_equal(f->summary.end, EMULATOR_END_ERROR);
    assert_int_equal(f->summary.posts_acked, 7);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 1"), 7);
    assert_int_equal(emulator_world_ask(f, "SELECT count(*) FROM post WHERE state = 0"), 0);
}

#define EMULATOR_TEST(name)                                                                        \
    cmocka_unit_test_setup_teardown(name, emulator_world_set_up, emulator_world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EMULATOR_TEST(every_post_is_acked_and_in_the_ledger),
        EMULATOR_TEST(intents_are_durable_before_their_requests_leave),
        EMULATOR_TEST(python_order_posts_the_scripts_rows),
        EMULATOR_TEST(a_small_table_is_said_to_change_the_walk),
        EMULATOR_TEST(sequential_order_takes_each_row_once_when_no_number_is_given),
        EMULATOR_TEST(each_lane_keeps_its_order_through_retries),
        EMULATOR_TEST(in_flight_posts_follow_the_concurrency),
        EMULATOR_TEST(a_definite_no_is_tried_again_and_leaves_no_doubt),
        EMULATOR_TEST(an_ambiguous_attempt_is_remembered_when_the_next_is_acked),
        EMULATOR_TEST(attempts_that_all_end_open_leave_a_post_in_doubt),
        EMULATOR_TEST(a_refused_post_fails_with_its_reason_and_the_rest_goes_on),
        EMULATOR_TEST(the_same_refusal_again_and_again_ends_the_run),
        EMULATOR_TEST(the_first_refusal_for_good_ends_the_run),
        EMULATOR_TEST(a_server_that_is_gone_for_good_ends_the_run_as_unreachable),
        EMULATOR_TEST(a_stop_leaves_a_named_partial_triple_and_no_open_intent),
        EMULATOR_TEST(a_stop_between_two_triples_leaves_nothing_partial),
        EMULATOR_TEST(an_interrupted_bounded_run_did_not_succeed),
        EMULATOR_TEST(a_stop_waits_for_answers_only_so_long),
        EMULATOR_TEST(a_stop_gives_up_waiting_retries),
        EMULATOR_TEST(answers_that_come_at_once_are_followed_at_once),
        EMULATOR_TEST(a_rate_is_kept),
        EMULATOR_TEST(the_workshops_pace_sleeps_before_each_round),
        EMULATOR_TEST(an_endless_run_holds_a_bounded_number_of_triples),
        EMULATOR_TEST(a_re_run_is_a_second_run_of_the_same_ledger),
        EMULATOR_TEST(another_cluster_is_refused_before_anything_is_sent),
        EMULATOR_TEST(a_cluster_without_a_name_is_called_unknown),
        EMULATOR_TEST(nothing_listening_at_the_start_is_said_at_once),
        EMULATOR_TEST(a_gateway_whose_proxy_is_starting_is_asked_again),
        EMULATOR_TEST(an_empty_table_is_a_configuration_mistake),
        EMULATOR_TEST(an_error_of_our_own_ends_the_run_with_clean_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
