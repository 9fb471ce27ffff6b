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
    assert_int_equal(budget_room(&budget, BUDGET_REPLIES), 500); /* of its 750 */
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
    budget_note(&budget, BUDGET_REPLIES, &held, 751);
    assert_true(budget_is_overdrawn(&budget, BUDGET_REPLIES, 0));
    assert_false(budget_is_overdrawn(&budget, BUDGET_REQUESTS, 0));
    budget_note(&budget, BUDGET_REPLIES, &held, 1001);
    assert_true(budget_is_overdrawn(&budget, BUDGET_REQUESTS, 0));
    assert_false(budget_is_overdrawn(&budget, BUDGET_REQUESTS, 1));
    assert_true(budget_is_overdrawn(&budget, BUDGET_REPLIES, 1)); /* its share is, too */
    assert_int_equal(budget_room(&budget, BUDGET_REQUESTS), 0);
    assert_false(budget_take(&budget, BUDGET_REQUESTS, &other, 1));
    assert_true(budget_take(&budget, BUDGET_REPLIES, &held, 1000)); /* less is always taken */
    budget_note(&budget, BUDGET_REPLIES, &held, 0);
    assert_int_equal(budget.used_bytes, 0);
    assert_int_equal(budget.shares[BUDGET_REPLIES].peak_bytes, 1001);
}

static void the_most_that_was_used_is_remembered_until_it_is_forgotten(void **state)
{
    struct budget budget;
    size_t held = 0;
    size_t other = 0;
    (void)state;
    budget_init(&budget, 1000);
    budget_note(&budget, BUDGET_REPLIES, &held, 300);
    budget_note(&budget, BUDGET_PAIRS, &other, 100);
    budget_note(&budget, BUDGET_REPLIES, &held, 50);
    assert_int_equal(budget.high_bytes, 400);
    budget_forget_high(&budget);
    assert_int_equal(budget.high_bytes, 150);
    budget_note(&budget, BUDGET_PAIRS, &other, 101);
    assert_int_equal(budget.high_bytes, 151);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_ends_before_the_whole),
        cmocka_unit_test(the_whole_ends_before_a_share),
        cmocka_unit_test(what_is_there_already_is_counted_in_any_case),
        cmocka_unit_test(the_most_that_was_used_is_remembered_until_it_is_forgotten),
    };
    return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
