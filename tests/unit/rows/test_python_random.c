/* The numbers on the right were printed by CPython 3. */
#include "python_random.h"
#include "row_pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct seed_case {
    uint64_t seed;
    uint32_t words[4];
};

static void whole_number_seeds_give_cpythons_words(void **state)
{
    (void)state;
    static const struct seed_case cases[] = {
        {0, {3626764237U, 1654615998U, 3255389356U, 3823568514U}},
        {1, {577090037U, 2444712010U, 3639700191U, 3445702192U}},
        {42, {2746317213U, 478163327U, 107420369U, 3184935163U}},
        {100, {625644691U, 1973661107U, 1953896601U, 4087596401U}},
        {UINT32_MAX, {2728839433U, 2661025012U, 872737089U, 924893097U}},
        {UINT64_C(1) << 32, {485306839U, 1508871100U, 1794561286U, 4014597330U}},
        {(UINT64_C(1) << 40) + 7, {2635837658U, 3209733218U, 3500038837U, 4028389051U}},
        {INT64_MAX, {1359979423U, 2819855560U, 2711238091U, 569878368U}},
        {UINT64_MAX, {93740670U, 1068495656U, 1452108352U, 2657516307U}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct python_random random;
        python_random_seed(&random, cases[i].seed);
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(python_random_u32(&random), cases[i].words[k]);
        }
    }
}

static void getrandbits_gives_cpythons_bits(void **state)
{
    (void)state;
    static const struct {
        unsigned bits;
        uint64_t value;
    } cases[] = {
        {1, 0},
        {2, 3},
        {31, 323946139},
        {32, 1695753998},
        {33, UINT64_C(2795742288)},
        {48, UINT64_C(231168335884083)},
        {63, UINT64_C(868196408185819179)},
        {64, UINT64_C(10750541312280087032)},
    };
    struct python_random random;
    python_random_seed(&random, 7);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(python_random_bits(&random, cases[i].bits) == cases[i].value);
    }
    assert_int_equal(python_random_randint(&random, -5, 5), -5);
    assert_true(python_random_randrange(&random, 0, INT64_C(1000000000000)) ==
                INT64_C(557957930388));
    assert_int_equal(python_random_randint(&random, 0, 0), 0);
    assert_true(python_random_randrange(&random, INT64_C(-1000000000000000),
                                        INT64_C(1000000000000000)) == INT64_C(-806464317632296));
}

static void python_order_visits_the_rows_of_the_workshops_script(void **state)
{
    (void)state;
    static const int64_t rows[] = {7528, 2863, 5730, 8304, 8731, 1313, 4315,  10794, 5494, 5069,
                                   2923, 3089, 6063, 3454, 7554, 6145, 10625, 2959,  9875, 2418};
    struct row_pick pick;
    row_pick_init(&pick, ROW_ORDER_PYTHON, 100, 11154);
    int64_t sum = 0;
    int slept = 0;
    for (size_t i = 0; i < 2000; i++) {
        int seconds = -1;
        int64_t row = row_pick_next(&pick, &seconds);
        if (i < sizeof(rows) / sizeof(rows[0])) {
            assert_int_equal(row, rows[i]);
        }
        assert_in_range(seconds, 0, 1);
        sum += row;
        slept += seconds;
    }
    assert_int_equal(sum, 10814288);
    assert_int_equal(slept, 1018);
}

static void python_order_stays_within_a_small_table(void **state)
{
    (void)state;
    static const int64_t rows[] = {7, 2, 5, 8, 8, 1, 4, 3, 3, 3, 2, 5};
    static const int sleeps[] = {0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0};
    struct row_pick pick;
    row_pick_init(&pick, ROW_ORDER_PYTHON, 100, 10);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int seconds = -1;
        assert_int_equal(row_pick_next(&pick, &seconds), rows[i]);
        assert_int_equal(seconds, sleeps[i]);
    }
}

static void sequential_order_gives_each_row_once_and_begins_again(void **state)
{
    (void)state;
    struct row_pick pick;
    int seconds;
    row_pick_init(&pick, ROW_ORDER_SEQUENTIAL, 100, 3);
    for (int64_t i = 0; i < 7; i++) {
        assert_int_equal(row_pick_next(&pick, &seconds), i % 3);
    }
}

static void random_order_repeats_with_its_seed_and_reaches_every_row(void **state)
{
    (void)state;
    struct row_pick a;
    struct row_pick b;
    struct row_pick other;
    int seconds;
    unsigned seen = 0;
    unsigned differing = 0;
    row_pick_init(&a, ROW_ORDER_RANDOM, 5, 16);
    row_pick_init(&b, ROW_ORDER_RANDOM, 5, 16);
    row_pick_init(&other, ROW_ORDER_RANDOM, 6, 16);
    for (int i = 0; i < 500; i++) {
        int64_t row = row_pick_next(&a, &seconds);
        assert_in_range(row, 0, 15);
        assert_int_equal(row, row_pick_next(&b, &seconds));
        differing += row != row_pick_next(&other, &seconds);
        seen |= 1U << row;
    }
    assert_int_equal(seen, 0xffff);
    assert_true(differing > 100);
}

static void orders_are_found_by_name(void **state)
{
    (void)state;
    enum row_order order;
    assert_true(row_order_find("random", &order));
    assert_int_equal(order, ROW_ORDER_RANDOM);
    assert_true(row_order_find(row_order_name(ROW_ORDER_PYTHON), &order));
    assert_int_equal(order, ROW_ORDER_PYTHON);
    assert_false(row_order_find("snake", &order));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_number_seeds_give_cpythons_words),
        cmocka_unit_test(getrandbits_gives_cpythons_bits),
        cmocka_unit_test(python_order_visits_the_rows_of_the_workshops_script),
        cmocka_unit_test(python_order_stays_within_a_small_table),
        cmocka_unit_test(sequential_order_gives_each_row_once_and_begins_again),
        cmocka_unit_test(random_order_repeats_with_its_seed_and_reaches_every_row),
        cmocka_unit_test(orders_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
