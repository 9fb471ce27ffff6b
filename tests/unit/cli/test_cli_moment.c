/* Moments as people type them for --since. */
#include "cli_moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* 2026-12-01T03:30:00Z, in a zone that is an hour ahead. */
enum { now_s = 1796095800 };

static int set_up(void **state)
{
    static struct cli cli;
    setenv("TZ", "CET-1", 1);
    tzset();
    env_init_virtual(&cli.env, 1, (int64_t)now_s * 1000000);
    *state = &cli;
    return 0;
}

static void every_spelling_is_a_moment(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"2026-12-01T03:30:00Z", now_s},
        {"2026-12-01 03:30Z", now_s},
        {"2026-12-01T05:30:00+02:00", now_s},
        {"2026-12-01T00:30:00-03:00", now_s},
        {"2026-12-01 04:30:00", now_s},
        {"2026-12-01T04:30", now_s},
        {"2026-12-01", now_s - 4 * 3600 - 1800},
        {"04:30", now_s},
        {"04:29:59", now_s - 1},
        {"04:31", now_s + 60 - 86400},
        {"90s", now_s - 90},
        {"10m", now_s - 600},
        {"2h", now_s - 7200},
        {"1d", now_s - 86400},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t ms = 0;
        struct error err = ERROR_NONE;
        if (cli_moment_parse(*state, cases[i].text, &ms, &err) != STATUS_OK ||
            ms != cases[i].seconds * 1000) {
            fail_msg("%s: %lld, %s", cases[i].text, (long long)ms, err.message);
        }
    }
}

static void what_is_no_moment_is_refused_with_examples(void **state)
{
    static const char *const texts[] = {
        "",      "yesterday",     "10",         "m",        "-5m",
        "25:00", "10:61",         "2026-13-01", "2026-1",   "10:30x",
        "1e3s",  "2026-12-01T10", "10:30:5x",   "9999999d", "2026-12-01 10:30 CET"};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        int64_t ms = 0;
        struct error err = ERROR_NONE;
        if (cli_moment_parse(*state, texts[i], &ms, &err) != STATUS_USAGE ||
            strstr(err.message, "10:32") == NULL) {
            fail_msg("%s is taken for a moment", texts[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(every_spelling_is_a_moment, set_up),
        cmocka_unit_test_setup(what_is_no_moment_is_refused_with_examples, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
