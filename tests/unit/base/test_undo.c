#include "undo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A counter whose every change is noted, and a trace of what ran. */
struct counter {
    struct undo_log *log;
    int value;
    uint64_t epoch;
    char trace[256];
};

static void trace(struct counter *counter, const char *what, int value)
{
    size_t len = strlen(counter->trace);
    snprintf(counter->trace + len, sizeof(counter->trace) - len, "%s%d ", what, value);
}

static void counter_back(void *owner, const void *payload)
{
    struct counter *counter = owner;
    counter->value = *(const int *)payload;
    trace(counter, "back", counter->value);
}

static void counter_kept(void *owner, const void *payload)
{
    trace(owner, "kept", *(const int *)payload);
}

static const struct undo_ops counter_undo = {.back = counter_back, .kept = counter_kept};

static void counter_set(struct counter *counter, int value)
{
    assert_int_equal(undo_reserve(counter->log, 1), STATUS_OK);
    undo_push(counter->log, &counter_undo, counter, &counter->value, sizeof(counter->value));
    counter->value = value;
}

static void a_lost_turn_is_taken_back_newest_first(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    struct counter counter = {.log = &log, .value = 1};
    counter_set(&counter, 2);
    counter_set(&counter, 3);
    undo_end(&log, false);
    assert_int_equal(counter.value, 1);
    assert_string_equal(counter.trace, "back2 back1 ");
    undo_end(&log, false); /* nothing is left of it */
    assert_string_equal(counter.trace, "back2 back1 ");
    undo_log_release(&log);
}

static void a_kept_turn_is_told_oldest_first_and_forgotten(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    struct counter counter = {.log = &log, .value = 1};
    counter_set(&counter, 2);
    counter_set(&counter, 3);
    undo_end(&log, true);
    undo_end(&log, false);
    assert_int_equal(counter.value, 3);
    assert_string_equal(counter.trace, "kept1 kept2 ");
    undo_log_release(&log);
}

static void a_mark_divides_what_goes_back_from_what_stays(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    struct counter counter = {.log = &log, .value = 1};
    counter_set(&counter, 2);
    size_t outer = undo_mark(&log);
    counter_set(&counter, 3);
    size_t inner = undo_mark(&log);
    assert_false(undo_back(&log, inner));
    counter_set(&counter, 4);
    assert_true(undo_back(&log, inner));
    assert_int_equal(counter.value, 3);
    assert_true(undo_back(&log, outer));
    assert_int_equal(counter.value, 2);
    undo_end(&log, false);
    assert_int_equal(counter.value, 1);
    undo_log_release(&log);
}

static void notes_of_an_owner_that_died_are_skipped(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    struct counter dead = {.log = &log, .value = 1};
    struct counter alive = {.log = &log, .value = 10};
    counter_set(&dead, 2);
    counter_set(&alive, 20);
    counter_set(&dead, 3);
    undo_drop(&log, &dead);
    undo_end(&log, false);
    assert_string_equal(dead.trace, "");
    assert_int_equal(alive.value, 10);
    counter_set(&dead, 4);
    undo_drop(&log, &dead);
    undo_end(&log, true);
    assert_string_equal(dead.trace, "");
    undo_log_release(&log);
}

/* A reservation is the owner's own, whatever others push in the meantime, and outlives a savepoint
 * and a turn that fails under it. */
static void a_promised_push_never_fails(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    struct counter counter = {.log = &log, .value = 0};
    struct counter other = {.log = &log, .value = 0};
    for (int round = 0; round < 200; round++) {
        assert_int_equal(undo_reserve(&log, 3), STATUS_OK);
        for (int i = 0; i < round; i++) {
            counter_set(&other, i);
        }
        undo_push(&log, &counter_undo, &counter, &counter.value, sizeof(counter.value));
        size_t mark = undo_mark(&log);
        counter_set(&other, round);
        undo_back(&log, mark);
        undo_push(&log, &counter_undo, &counter, &counter.value, sizeof(counter.value));
        undo_back(&log, 0);
        undo_push(&log, &counter_undo, &counter, &counter.value, sizeof(counter.value));
        undo_end(&log, round % 2 == 0);
    }
    undo_log_release(&log);
}

static void an_epoch_ends_with_each_turn_mark_and_way_back(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    uint64_t before = undo_epoch(&log);
    assert_true(before != 0);
    size_t mark = undo_mark(&log);
    assert_true(undo_epoch(&log) != before);
    before = undo_epoch(&log);
    undo_back(&log, mark);
    assert_true(undo_epoch(&log) != before);
    before = undo_epoch(&log);
    undo_end(&log, true);
    assert_true(undo_epoch(&log) != before);
    before = undo_epoch(&log);
    undo_end(&log, false);
    assert_true(undo_epoch(&log) != before);
    undo_log_release(&log);
}

/* An owner whose way back ends another one, and changes on its way what it would have noted. */
struct ender {
    struct undo_log *log;
    struct counter *victim;
};

static void ender_back(void *owner, const void *payload)
{
    struct ender *ender = owner;
    (void)payload;
    counter_set(ender->victim, 99);
    undo_drop(ender->log, ender->victim);
}

static void the_way_back_notes_nothing_and_may_end_others(void **state)
{
    (void)state;
    static const struct undo_ops ender_undo = {.back = ender_back};
    struct undo_log log;
    undo_log_init(&log);
    struct counter victim = {.log = &log, .value = 1};
    struct ender ender = {&log, &victim};
    counter_set(&victim, 2);
    assert_int_equal(undo_reserve(&log, 1), STATUS_OK);
    undo_push(&log, &ender_undo, &ender, NULL, 0);
    undo_end(&log, false);
    assert_int_equal(victim.value, 99);
    assert_string_equal(victim.trace, "");
    undo_end(&log, false);
    assert_int_equal(victim.value, 99);
    undo_log_release(&log);
}

static void a_payload_is_a_copy_of_any_size_up_to_the_limit(void **state)
{
    (void)state;
    struct undo_log log;
    undo_log_init(&log);
    struct counter counter = {.log = &log, .value = 7};
    int64_t wide[UNDO_PAYLOAD_BYTES_MAX / sizeof(int64_t)] = {0};
    memcpy(wide, &(int){5}, sizeof(int));
    assert_int_equal(undo_reserve(&log, 1), STATUS_OK);
    undo_push(&log, &counter_undo, &counter, wide, sizeof(wide));
    memset(wide, 0xff, sizeof(wide));
    undo_end(&log, false);
    assert_int_equal(counter.value, 5);
    undo_log_release(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_turn_is_taken_back_newest_first),
        cmocka_unit_test(a_kept_turn_is_told_oldest_first_and_forgotten),
        cmocka_unit_test(a_mark_divides_what_goes_back_from_what_stays),
        cmocka_unit_test(notes_of_an_owner_that_died_are_skipped),
        cmocka_unit_test(a_promised_push_never_fails),
        cmocka_unit_test(an_epoch_ends_with_each_turn_mark_and_way_back),
        cmocka_unit_test(the_way_back_notes_nothing_and_may_end_others),
        cmocka_unit_test(a_payload_is_a_copy_of_any_size_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
