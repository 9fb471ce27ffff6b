/* Runs a group of tests and prints it as cmocka does; CROSS_SKIP names tests that want a library.
 */
#include "cmocka.h"

jmp_buf cross_failed;

/* False: the test has failed. Its setup and teardown run outside the jump's reach. */
static int run_one(const struct CMUnitTest *test, void *group_state)
{
    void *state = test->initial_state != NULL ? test->initial_state : group_state;
    volatile int good = 1;
    printf("[ RUN      ] %s\n", test->name);
    if (setjmp(cross_failed) != 0) {
        good = 0;
    } else if (test->setup == NULL || test->setup(&state) == 0) {
        test->test(&state);
    } else {
        good = 0;
    }
    if (good && test->teardown != NULL) {
        good = test->teardown(&state) == 0;
    }
    printf(good ? "[       OK ] %s\n" : "[  FAILED  ] %s\n", test->name);
    return good;
}

int cross_run(const struct CMUnitTest *tests, size_t count, int (*setup)(void **),
              int (*teardown)(void **))
{
    void *state = NULL;
    int failed = 0;
    if (setup != NULL && setup(&state) != 0) {
        return 1;
    }
    const char *skipped = getenv("CROSS_SKIP");
    for (size_t i = 0; i < count; i++) {
        if (skipped == NULL || strstr(skipped, tests[i].name) == NULL) {
            failed += !run_one(&tests[i], state);
        }
    }
    if (teardown != NULL) {
        teardown(&state);
    }
    fflush(stdout);
    return failed;
}
