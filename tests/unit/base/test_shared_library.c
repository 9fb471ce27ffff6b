/* Loading a library of the system's into a table, and what is said when it cannot be. */
#include "shared_library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct maths {
    double (*cos)(double x);
    double (*sin)(double x);
};

static const char *const file_names[] = {"libnone.so.0", "libm.so.6", "libSystem.B.dylib", NULL};
static const struct shared_function both[] = {
    {"cos", offsetof(struct maths, cos)},
    {"sin", offsetof(struct maths, sin)},
};

static void functions_come_into_the_table(void **state)
{
    (void)state;
    const struct shared_library library = {.title = "libm",
                                           .file_names = file_names,
                                           .functions = both,
                                           .function_count = ARRAY_COUNT(both)};
    struct error err = ERROR_NONE;
    struct maths maths = {NULL, NULL};
    void *handle = shared_library_open(&library, &maths, &err);
    assert_non_null(handle);
    assert_true(maths.cos(0.0) == 1.0);
    assert_true(maths.sin(0.0) == 0.0);
    shared_library_close(handle);
    assert_true(maths.cos(0.0) == 1.0); /* it stays mapped */
}

static void a_function_that_must_be_there_and_is_not_names_the_remedy(void **state)
{
    (void)state;
    const struct shared_function needed[] = {{"pinpipe_absent", offsetof(struct maths, sin)}};
    const struct shared_library library = {.title = "libm",
                                           .file_names = file_names,
                                           .too_old = "install a newer one",
                                           .functions = needed,
                                           .function_count = 1};
    struct error err = ERROR_NONE;
    struct maths maths;
    assert_null(shared_library_open(&library, &maths, &err));
    assert_int_equal(err.code, STATUS_CONFIG);
    assert_string_equal(err.message, "this libm has no pinpipe_absent: install a newer one");
}

static void a_library_that_is_not_there_says_what_to_install(void **state)
{
    (void)state;
    static const char *const nowhere[] = {"libnone.so.0", NULL};
    const struct shared_library library = {
        .title = "libnone", .file_names = nowhere, .missing = "libnone is not installed"};
    struct error err = ERROR_NONE;
    assert_null(shared_library_open(&library, NULL, &err));
    assert_int_equal(err.code, STATUS_CONFIG);
    assert_string_equal(err.message, "libnone is not installed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_come_into_the_table),
        cmocka_unit_test(a_function_that_must_be_there_and_is_not_names_the_remedy),
        cmocka_unit_test(a_library_that_is_not_there_says_what_to_install),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
