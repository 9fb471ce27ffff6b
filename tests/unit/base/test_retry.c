#include "retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void bounds_double_up_to_the_cap(void **state)
{
    (void)state;
    static const int64_t bounds_ms[] = {200, 400, 800, 1600, 3200, 5000, 5000, 5000};
    struct retry_policy policy = retry_policy_default();
    for (size_t i = 0; i < sizeof(bounds_ms) / sizeof(bounds_ms[0]); i++) {
        assert_int_equal(retry_delay_bound_us(&policy, (int64_t)i + 1), bounds_ms[i] * 1000);
    }
    assert_int_equal(retry_delay_bound_us(&policy, INT64_MAX), 5000000);
}

static void a_cap_below_the_base_wins(void **state)
{
    (void)state;
    const struct retry_policy policy = {.attempts_max = 3, .base_us = 100, .cap_us = 10};
    assert_int_equal(retry_delay_bound_us(&policy, 1), 10);
}

static void delays_fill_the_whole_range_below_the_bound(void **state)
{
    (void)state;
    struct env env;
    struct retry_policy policy = retry_policy_default();
    env_init_virtual(&env, 7, 0);
    for (int64_t attempt = 1; attempt <= 6; attempt++) {
        int64_t bound = retry_delay_bound_us(&policy, attempt);
        int64_t low = bound;
        int64_t high = 0;
        for (int i = 0; i < 1000; i++) {
            int64_t delay = retry_delay_us(&policy, &env, attempt, 0);
            assert_true(delay >= 0 && delay <= bound);
            low = delay < low ? delay : low;
            high = delay > high ? delay : high;
        }
        assert_true(low < bound / 20 && high > bound - bound / 20);
    }
}

static void the_servers_wish_is_a_floor_with_a_limit(void **state)
{
    (void)state;
    struct env env;
    struct retry_policy policy = retry_policy_default();
    env_init_virtual(&env, 7, 0);
    assert_int_equal(retry_delay_us(&policy, &env, 1, 7000000), 7000000);
    assert_int_equal(retry_delay_us(&policy, &env, 1, INT64_C(3600000000)),
                     (int64_t)RETRY_SERVER_WISH_MS_MAX * 1000);
}

static void attempts_end(void **state)
{
    (void)state;
    const struct retry_policy policy = {.attempts_max = 2, .base_us = 1, .cap_us = 1};
    assert_true(retry_is_left(&policy, 1));
    assert_false(retry_is_left(&policy, 2));
    assert_false(retry_is_left(&policy, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_double_up_to_the_cap),
        cmocka_unit_test(a_cap_below_the_base_wins),
        cmocka_unit_test(delays_fill_the_whole_range_below_the_bound),
        cmocka_unit_test(the_servers_wish_is_a_floor_with_a_limit),
        cmocka_unit_test(attempts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
