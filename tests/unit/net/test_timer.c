/* The timer heap on a virtual clock. */
#include "timer.h"

#include "alloc_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { timer_count = 200 };

struct noting_timer {
    struct timer timer;
    int number;
    int64_t again_after_us; /* re-arms itself; 0: does not */
    struct fixture *fixture;
};

struct fixture {
    struct env env;
    struct timer_heap heap;
    struct noting_timer timers[timer_count];
    int fired[4 * timer_count];
    size_t fired_count;
};

static void note(struct timer *timer)
{
    struct noting_timer *noting = PP_CONTAINER_OF(timer, struct noting_timer, timer);
    struct fixture *f = noting->fixture;
    f->fired[f->fired_count++] = noting->number;
    if (noting->again_after_us > 0) {
        assert_int_equal(
            timer_set(&f->heap, timer, f->env.monotonic_us(&f->env) + noting->again_after_us - 1),
            STATUS_OK);
    }
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct fixture *f = &fixture;
    memset(f, 0, sizeof(*f));
    env_init_virtual(&f->env, 7, 1000000);
    timer_heap_init(&f->heap, &f->env);
    for (int i = 0; i < timer_count; i++) {
        f->timers[i] = (struct noting_timer){.timer = {.fire = note}, .number = i, .fixture = f};
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    timer_heap_release(&((struct fixture *)*state)->heap);
    return 0;
}

static int64_t now(struct fixture *f)
{
    return f->env.monotonic_us(&f->env);
}

static void arm(struct fixture *f, int number, int64_t delay_us)
{
    assert_int_equal(timer_set(&f->heap, &f->timers[number].timer, now(f) + delay_us), STATUS_OK);
}

static void timers_fire_in_the_order_of_their_time(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < timer_count; i++) {
        arm(f, i, 1 + (int64_t)(i * 7919) % timer_count);
    }
    env_advance(&f->env, timer_count + 1);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, timer_count);
    for (size_t i = 1; i < f->fired_count; i++) {
        assert_true(f->timers[f->fired[i - 1]].timer.due_us <= f->timers[f->fired[i]].timer.due_us);
    }
    assert_int_equal(timer_heap_next_us(&f->heap), INT64_MAX);
}

static void nothing_fires_before_its_time(void **state)
{
    struct fixture *f = *state;
    arm(f, 0, 10);
    arm(f, 1, 20);
    assert_int_equal(timer_heap_next_us(&f->heap), now(f) + 10);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, 0);
    env_advance(&f->env, 10);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, 1);
    assert_int_equal(f->fired[0], 0);
    assert_false(timer_is_set(&f->timers[0].timer));
    assert_true(timer_is_set(&f->timers[1].timer));
}

static void a_cleared_timer_does_not_fire_and_may_be_cleared_again(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < timer_count; i++) {
        arm(f, i, i + 1);
    }
    for (int i = 0; i < timer_count; i += 2) {
        timer_clear(&f->heap, &f->timers[i].timer);
        timer_clear(&f->heap, &f->timers[i].timer);
    }
    env_advance(&f->env, timer_count);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, timer_count / 2);
    for (size_t i = 0; i < f->fired_count; i++) {
        assert_int_equal(f->fired[i], 2 * i + 1);
    }
}

static void arming_again_moves_a_timer_both_ways(void **state)
{
    struct fixture *f = *state;
    arm(f, 0, 10);
    arm(f, 1, 20);
    arm(f, 2, 30);
    arm(f, 0, 40);
    arm(f, 2, 5);
    env_advance(&f->env, 50);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, 3);
    assert_int_equal(f->fired[0], 2);
    assert_int_equal(f->fired[1], 1);
    assert_int_equal(f->fired[2], 0);
}

static void a_timer_that_arms_itself_for_now_does_not_starve_the_others(void **state)
{
    struct fixture *f = *state;
    f->timers[0].again_after_us = 1; /* due at once, again and again */
    arm(f, 0, 0);
    arm(f, 1, 0);
    timer_heap_run(&f->heap);
    assert_true(f->fired_count <= 2);
    timer_heap_run(&f->heap);
    timer_heap_run(&f->heap);
    assert_true(timer_is_set(&f->timers[0].timer));
    timer_clear(&f->heap, &f->timers[0].timer);
}

static void a_firing_timer_may_clear_another_that_is_due(void **state)
{
    struct fixture *f = *state;
    arm(f, 0, 1);
    arm(f, 1, 2);
    env_advance(&f->env, 5);
    timer_clear(&f->heap, &f->timers[1].timer);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, 1);
}

static void without_memory_a_timer_takes_a_promised_slot_and_then_none(void **state)
{
    struct fixture *f = *state;
    int armed = 0;
    assert_int_equal(timer_heap_reserve(&f->heap, 10), STATUS_OK);
    alloc_fault_begin(1, ALLOC_FAILS_FROM_THERE_ON);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && armed < timer_count) {
        status = timer_set(&f->heap, &f->timers[armed].timer, now(f) + armed);
        armed += status == STATUS_OK;
    }
    /* Moving one that is armed takes no memory. */
    enum status moved = timer_set(&f->heap, &f->timers[0].timer, now(f) + timer_count);
    enum status reserved = timer_heap_reserve(&f->heap, timer_count);
    if (!alloc_fault_end()) {
        skip(); /* no allocation fails here */
    }
    assert_in_range(armed, 10, timer_count - 1);
    assert_int_equal(status, STATUS_NO_MEMORY);
    assert_int_equal(moved, STATUS_OK);
    assert_int_equal(reserved, STATUS_NO_MEMORY);
    assert_int_equal(f->heap.reserved, 10);
    env_advance(&f->env, timer_count);
    timer_heap_run(&f->heap);
    assert_int_equal(f->fired_count, armed);
    assert_int_equal(f->fired[armed - 1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_fire_in_the_order_of_their_time, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_fires_before_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cleared_timer_does_not_fire_and_may_be_cleared_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(arming_again_moves_a_timer_both_ways, setup, teardown),
        cmocka_unit_test_setup_teardown(a_timer_that_arms_itself_for_now_does_not_starve_the_others,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(without_memory_a_timer_takes_a_promised_slot_and_then_none,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_firing_timer_may_clear_another_that_is_due, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
