#include "budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_share_ends_before_the_whole(void **state)
{
    struct budget budget;
    size_t first = 0;
    size_t second = 0;
    (void)state;
    budget_init(&budget, 1000);
    assert_true(budget_take(&budget, BUDGET_REQUESTS, &first, 300));
    assert_false(budget_take(&budget, BUDGET_REQUESTS, &second, 201));
    assert_int_equal(second, 0);
    assert_true(budget_take(&budget, BUDGET_REQUESTS, &second, 200));
    assert_int_equal(budget_room(&budget, BUDGET_REQUESTS), 0);
    assert_int_equal(budget_room(&budget, BUDGET_REPLIES), 500);
    assert_int_equal(budget_room(&budget, BUDGET_PAIRS), 250);
}

static void the_whole_ends_before_a_share(void **state)
{
    struct budget budget;
    size_t requests = 0;
    size_t replies = 0;
    size_t pairs = 0;
    (void)state;
    budget_init(&budget, 1000);
    assert_true(budget_take(&budget, BUDGET_REQUESTS, &requests, 500));
    assert_true(budget_take(&budget, BUDGET_REPLIES, &replies, 400));
    assert_int_equal(budget_room(&budget, BUDGET_PAIRS), 100);
    assert_false(budget_take(&budget, BUDGET_PAIRS, &pairs, 101));
    assert_true(budget_take(&budget, BUDGET_REQUESTS, &requests, 0));
    assert_true(budget_take(&budget, BUDGET_PAIRS, &pairs, 101));
}

static void what_is_there_already_is_counted_in_any_case(void **state)
{
    struct budget budget;
    size_t held = 0;
    size_t other = 0;
    (void)state;
    budget_init(&budget, 1000);
    budget_note(&budget, BUDGET_REPLIES, &held, 501);
    assert_true(budget_is_overdrawn(&budget, BUDGET_REPLIES));
    assert_false(budget_is_overdrawn(&budget, BUDGET_REQUESTS));
    budget_note(&budget, BUDGET_REPLIES, &held, 1001);
    assert_true(budget_is_overdrawn(&budget, BUDGET_REQUESTS));
    assert_int_equal(budget_room(&budget, BUDGET_REQUESTS), 0);
    assert_false(budget_take(&budget, BUDGET_REQUESTS, &other, 1));
    assert_true(budget_take(&budget, BUDGET_REPLIES, &held, 1000)); /* less is always taken */
    budget_note(&budget, BUDGET_REPLIES, &held, 0);
    assert_int_equal(budget.used_bytes, 0);
    assert_int_equal(budget.shares[BUDGET_REPLIES].peak_bytes, 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_ends_before_the_whole),
        cmocka_unit_test(the_whole_ends_before_a_share),
        cmocka_unit_test(what_is_there_already_is_counted_in_any_case),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
