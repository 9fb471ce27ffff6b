/* As much of cmocka as the units of the codecs use, so that they can be built for a machine for
 * which no library is installed (`make check-codecs`). A failed assertion ends its test by a jump,
 * as cmocka's does. */
#ifndef PINPIPE_TESTS_CROSS_CMOCKA_H
#define PINPIPE_TESTS_CROSS_CMOCKA_H

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct CMUnitTest {
    const char *name;
    void (*test)(void **state);
    int (*setup)(void **state);
    int (*teardown)(void **state);
    void *initial_state;
};

extern jmp_buf cross_failed;
int cross_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **),
              int (*teardown)(void **));

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f, NULL, NULL, NULL                                                                    \
    }
#define cmocka_unit_test_setup_teardown(f, s, t)                                                   \
    {                                                                                              \
#f, f, s, t, NULL                                                                          \
    }
#define cmocka_unit_test_setup(f, s)                                                               \
    {                                                                                              \
#f, f, s, NULL, NULL                                                                       \
    }
#define cmocka_unit_test_teardown(f, t)                                                            \
    {                                                                                              \
#f, f, NULL, t, NULL                                                                       \
    }
#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    cross_run(tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)
#define cmocka_run_group_tests_name(name, tests, setup, teardown)                                  \
    cmocka_run_group_tests(tests, setup, teardown)

#define fail_msg(...)                                                                              \
    do {                                                                                           \
        printf("%s:%d: ", __FILE__, __LINE__);                                                     \
        printf(__VA_ARGS__);                                                                       \
        printf("\n");                                                                              \
        longjmp(cross_failed, 1);                                                                  \
    } while (0)
#define print_message(...) printf(__VA_ARGS__)
#define print_error(...)   printf(__VA_ARGS__)
#define fail()             fail_msg("failed")
#define cross_check(condition, ...)                                                                \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fail_msg(__VA_ARGS__);                                                                 \
        }                                                                                          \
    } while (0)
#define assert_true(c)         cross_check(c, "%s", #c)
#define assert_false(c)        cross_check(!(c), "not: %s", #c)
#define assert_null(p)         cross_check((p) == NULL, "%s is not NULL", #p)
#define assert_non_null(p)     cross_check((p) != NULL, "%s is NULL", #p)
#define assert_ptr_equal(a, b) cross_check((a) == (b), "%s != %s", #a, #b)
#define assert_int_equal(a, b)                                                                     \
    cross_check((long long)(a) == (long long)(b), "%s: %lld != %lld", #a, (long long)(a),          \
                (long long)(b))
#define assert_int_not_equal(a, b) cross_check((long long)(a) != (long long)(b), "%s == %s", #a, #b)
#define assert_in_range(v, low, high)                                                              \
    cross_check((unsigned long long)(v) >= (unsigned long long)(low) &&                            \
                    (unsigned long long)(v) <= (unsigned long long)(high),                         \
                "%s is out of range", #v)
#define assert_string_equal(a, b)                                                                  \
    do {                                                                                           \
        const char *one_ = (a), *two_ = (b);                                                       \
        cross_check(strcmp(one_, two_) == 0, "\"%s\" != \"%s\"", one_, two_);                      \
    } while (0)
#define assert_string_not_equal(a, b)  cross_check(strcmp(a, b) != 0, "%s == %s", #a, #b)
#define assert_memory_equal(a, b, len) cross_check(memcmp(a, b, len) == 0, "%s != %s", #a, #b)

#endif
