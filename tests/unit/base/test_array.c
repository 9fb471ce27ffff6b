#include "array.h"
#include "search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void an_array_grows_by_doubling_and_keeps_its_items(void **state)
{
    (void)state;
    int *items = NULL;
    size_t capacity = 0;
    size_t moves = 0;
    for (int i = 0; i < 1000; i++) {
        size_t before = capacity;
        assert_int_equal(ARRAY_RESERVE(items, capacity, (size_t)i + 1, ARRAY_NO_MAX), STATUS_OK);
        items[i] = i;
        moves += capacity != before ? 1 : 0;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(items[i], i);
    }
    assert_int_equal(capacity, 1024);
    assert_int_equal(moves, 8);
    free(items);
}

static void an_array_never_has_room_for_more_than_its_max(void **state)
{
    (void)state;
    char *items = NULL;
    size_t capacity = 0;
    assert_int_equal(ARRAY_RESERVE(items, capacity, 9, 10), STATUS_OK);
    assert_int_equal(capacity, 9);
    char *before = items;
    assert_int_equal(ARRAY_RESERVE(items, capacity, 10, 10), STATUS_OK);
    assert_int_equal(capacity, 10);
    before = items;
    assert_int_equal(ARRAY_RESERVE(items, capacity, 11, 10), STATUS_LIMIT);
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, 10);
    free(items);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    int64_t *items = NULL;
    size_t capacity = 0;
    assert_int_equal(ARRAY_RESERVE(items, capacity, SIZE_MAX / 8, ARRAY_NO_MAX), STATUS_NO_MEMORY);
    assert_null(items);
    assert_int_equal(capacity, 0);
}

static void items_are_put_in_and_taken_out_anywhere(void **state)
{
    (void)state;
    int items[4] = {10, 30, 40, 0};
    ARRAY_OPEN(items, 3, 1);
    items[1] = 20;
    assert_memory_equal(items, ((const int[]){10, 20, 30, 40}), sizeof(items));
    ARRAY_CLOSE(items, 4, 0);
    assert_memory_equal(items, ((const int[]){20, 30, 40}), 3 * sizeof(int));
    ARRAY_CLOSE(items, 3, 2);
    ARRAY_OPEN(items, 2, 2);
    items[2] = 50;
    assert_memory_equal(items, ((const int[]){20, 30, 50}), 3 * sizeof(int));
}

static int order_of_ints(const void *item, const void *key)
{
    int a = *(const int *)item;
    int b = *(const int *)key;
    return a < b ? -1 : a > b;
}

static void a_search_finds_the_place_of_every_key(void **state)
{
    (void)state;
    const int items[] = {1, 3, 5, 7, 9, 11, 13};
    for (size_t count = 0; count <= ARRAY_COUNT(items); count++) {
        for (int key = 0; key <= 14; key++) {
            size_t wanted = 0;
            while (wanted < count && items[wanted] < key) {
                wanted++;
            }
            bool found = true;
            assert_int_equal(SEARCH_PLACE(items, count, &key, order_of_ints, &found), wanted);
            assert_int_equal(found, wanted < count && items[wanted] == key);
        }
    }
}

static void a_search_gives_the_first_of_equals(void **state)
{
    (void)state;
    const int items[] = {1, 2, 2, 2, 2, 3};
    int key = 2;
    bool found = false;
    assert_int_equal(SEARCH_PLACE(items, ARRAY_COUNT(items), &key, order_of_ints, &found), 1);
    assert_true(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_array_grows_by_doubling_and_keeps_its_items),
        cmocka_unit_test(an_array_never_has_room_for_more_than_its_max),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(items_are_put_in_and_taken_out_anywhere),
        cmocka_unit_test(a_search_finds_the_place_of_every_key),
        cmocka_unit_test(a_search_gives_the_first_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
