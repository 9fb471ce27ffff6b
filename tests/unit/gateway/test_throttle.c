/* The token bucket on a clock that stands still unless it is moved. */
#include "throttle.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { second_us = 1000000 };

struct fixture {
    struct env env;
    struct throttle throttle;
};

static void begin(struct fixture *f, double rate, double burst)
{
    env_init_virtual(&f->env, 1, 5 * (int64_t)second_us);
    assert_int_equal(throttle_init(&f->throttle, &f->env, rate, burst, NULL), STATUS_OK);
}

static int passing(struct fixture *f, int attempts)
{
    int passed = 0;
    for (int i = 0; i < attempts; i++) {
        passed += throttle_take(&f->throttle) ? 1 : 0;
    }
    return passed;
}

static void a_full_bucket_lets_the_burst_pass_at_once(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 10, 5);
    assert_int_equal(passing(&f, 20), 5);
}

static void an_empty_bucket_refills_at_the_rate(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 10, 5);
    passing(&f, 5);
    env_advance(&f.env, second_us / 10 - 1000);
    assert_int_equal(passing(&f, 3), 0);
    env_advance(&f.env, 1000);
    assert_int_equal(passing(&f, 3), 1);
    env_advance(&f.env, 3 * second_us / 10);
    assert_int_equal(passing(&f, 10), 3);
}

static void a_long_pause_fills_no_more_than_the_burst(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1000, 5);
    passing(&f, 5);
    env_advance(&f.env, (int64_t)3600 * second_us);
    assert_int_equal(passing(&f, 100), 5);
}

static void a_rate_below_one_a_second_still_refills(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 0.5, 1);
    assert_int_equal(passing(&f, 2), 1);
    for (int i = 0; i < 3; i++) { /* asking in between must not lose the fraction */
        env_advance(&f.env, second_us / 2);
        assert_int_equal(passing(&f, 1), 0);
    }
    env_advance(&f.env, second_us / 2 + 1000);
    assert_int_equal(passing(&f, 2), 1);
}

static void over_time_the_rate_is_kept(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 100, 10);
    int passed = 0;
    for (int i = 0; i < 1000; i++) { /* 1000 a second for one second */
        passed += passing(&f, 1);
        env_advance(&f.env, 1000);
    }
    assert_in_range(passed, 108, 110);
}

static void rate_zero_lets_everything_pass(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 0, 0);
    assert_int_equal(passing(&f, 1000), 1000);
}

static void a_clock_that_steps_back_takes_nothing_away(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1, 2);
    assert_int_equal(passing(&f, 1), 1);
    env_advance(&f.env, -3 * (int64_t)second_us);
    assert_int_equal(passing(&f, 5), 1);
}

static void settings_that_make_no_sense_are_refused(void **state)
{
    static const double settings[][2] = {{-1, 5}, {10, 0}, {10, 0.5}, {10, -1}, {2e9, 5}, {5, 2e9}};
    struct env env;
    (void)state;
    env_init_virtual(&env, 1, 0);
    for (size_t i = 0; i < ARRAY_COUNT(settings); i++) {
        struct throttle throttle;
        struct error err = ERROR_NONE;
        assert_int_equal(throttle_init(&throttle, &env, settings[i][0], settings[i][1], &err),
                         STATUS_INVALID);
        assert_true(err.message[0] != '\0');
    }
    struct throttle throttle;
    assert_int_equal(throttle_init(&throttle, &env, (double)NAN, 5, NULL), STATUS_INVALID);
    assert_int_equal(throttle_init(&throttle, &env, 5, (double)NAN, NULL), STATUS_INVALID);
    assert_int_equal(throttle_init(&throttle, &env, (double)INFINITY, 5, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_lets_the_burst_pass_at_once),
        cmocka_unit_test(an_empty_bucket_refills_at_the_rate),
        cmocka_unit_test(a_long_pause_fills_no_more_than_the_burst),
        cmocka_unit_test(a_rate_below_one_a_second_still_refills),
        cmocka_unit_test(over_time_the_rate_is_kept),
        cmocka_unit_test(rate_zero_lets_everything_pass),
        cmocka_unit_test(a_clock_that_steps_back_takes_nothing_away),
        cmocka_unit_test(settings_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
