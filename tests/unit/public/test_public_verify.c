/* The verdict as a call of the public API, against a live server in the same program. */
#include "emulator.h"
#include "generator.h"
#include "pinpipe/pinpipe.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { rows = 20 };

struct pipeline {
    struct temp_dir dir;
    struct env env;
    struct pinpipe_mock *mock;
    struct endpoints endpoints;
};

static void pipeline_start(struct pipeline *p)
{
    struct pinpipe_mock_options options;
    char why[PINPIPE_MESSAGE_BYTES];
    struct error err;
    temp_dir_make(&p->dir);
    env_init_seeded(&p->env, 1);
    const struct rds_generate_options generate = {
        .data_dir = p->dir.path, .env = &p->env, .rows = rows, .seed = 1};
    assert_int_equal(rds_generate(&generate, &err), STATUS_OK);
    pinpipe_mock_options_init(&options);
    if (pinpipe_mock_start(&options, &p->mock, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
    p->endpoints = (struct endpoints){
        .invoke_url = pinpipe_mock_url(p->mock, PINPIPE_GATEWAY),
        .rest_url = pinpipe_mock_url(p->mock, PINPIPE_REST),
        .user_id = "workshop",
        .consumer_group = "students",
    };
}

static void pipeline_post_every_row(struct pipeline *p)
{
    struct emulator_options options;
    struct emulator_summary summary;
    struct error err;
    emulator_options_init(&options);
    options.env = &p->env;
    options.data_dir = p->dir.path;
    options.endpoints = &p->endpoints;
    options.order = ROW_ORDER_SEQUENTIAL;
    if (emulator_run(&options, &summary, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    assert_int_equal(summary.posts_acked, 3 * rows);
}

static void pipeline_end(struct pipeline *p)
{
    assert_int_equal(pinpipe_mock_stop(p->mock), PINPIPE_OK);
    temp_dir_remove(&p->dir);
}

static struct pinpipe_verify_options verify_options(const struct pipeline *p)
{
    struct pinpipe_verify_options options;
    pinpipe_verify_options_init(&options);
    options.data_dir = p->dir.path;
    options.invoke_url = p->endpoints.invoke_url;
    return options;
}

static void a_whole_pipeline_passes_in_one_program(void **state)
{
    (void)state;
    struct pipeline p;
    struct pinpipe_verdict *verdict;
    char why[PINPIPE_MESSAGE_BYTES];
    pipeline_start(&p);
    pipeline_post_every_row(&p);
    const struct pinpipe_verify_options options = verify_options(&p);
    if (pinpipe_verify(&options, &verdict, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
    assert_true(pinpipe_verdict_passed(verdict));
    assert_int_equal(pinpipe_verdict_records(verdict), 3 * rows);
    pinpipe_verdict_free(verdict);
    pipeline_end(&p);
}

/* A program that was built before there was a lake to look through. */
static void shorter_options_of_an_older_program_keep_working(void **state)
{
    (void)state;
    struct pipeline p;
    struct pinpipe_verdict *verdict;
    char why[PINPIPE_MESSAGE_BYTES];
    pipeline_start(&p);
    pipeline_post_every_row(&p);
    struct pinpipe_verify_options options = verify_options(&p);
    memset(&options.through, 0xff,
           sizeof(options) - offsetof(struct pinpipe_verify_options, through));
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_USAGE);
    options.struct_size = offsetof(struct pinpipe_verify_options, through);
    if (pinpipe_verify(&options, &verdict, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
    assert_true(pinpipe_verdict_passed(verdict));
    pinpipe_verdict_free(verdict);
    pipeline_end(&p);
}

/* The same rows, but nobody noted them down. */
static void without_a_ledger_the_tables_judge(void **state)
{
    (void)state;
    struct pipeline p;
    struct pinpipe_verdict *verdict;
    char why[PINPIPE_MESSAGE_BYTES];
    char path[300];
    pipeline_start(&p);
    pipeline_post_every_row(&p);
    temp_dir_path(&p.dir, "ledger.db", path, sizeof(path));
    assert_int_equal(remove(path), 0);
    struct pinpipe_verify_options options = verify_options(&p);
    if (pinpipe_verify(&options, &verdict, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
    assert_true(pinpipe_verdict_passed(verdict));
    assert_int_equal(pinpipe_verdict_own(verdict), 3 * rows);
    pinpipe_verdict_free(verdict);
    options.since_ms = INT64_C(4102444800000); /* 2100 */
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_CONFIG);
    assert_non_null(strstr(why, "--since"));
    options.since_ms = 0;
    options.strict = true;
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_CONFIG);
    assert_non_null(strstr(why, "no ledger"));
    pipeline_end(&p);
}

static void without_a_ledger_and_records_there_is_no_verdict_but_a_reason(void **state)
{
    (void)state;
    struct pipeline p;
    struct pinpipe_verdict *verdict = NULL;
    char why[PINPIPE_MESSAGE_BYTES] = "";
    pipeline_start(&p);
    const struct pinpipe_verify_options options = verify_options(&p);
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_CONFIG);
    assert_null(verdict);
    assert_non_null(strstr(why, "pinpipe emulate batch"));
    pipeline_end(&p);
}

static void a_server_that_is_gone_is_unreachable(void **state)
{
    (void)state;
    struct pipeline p;
    struct pinpipe_verdict *verdict = NULL;
    char why[PINPIPE_MESSAGE_BYTES] = "";
    char url[256];
    pipeline_start(&p);
    pipeline_post_every_row(&p);
    struct pinpipe_verify_options options = verify_options(&p);
    snprintf(url, sizeof(url), "%s", options.invoke_url);
    options.invoke_url = url;
    assert_int_equal(pinpipe_mock_stop(p.mock), PINPIPE_OK);
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_UNREACHABLE);
    assert_null(verdict);
    temp_dir_remove(&p.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_pipeline_passes_in_one_program),
        cmocka_unit_test(shorter_options_of_an_older_program_keep_working),
        cmocka_unit_test(without_a_ledger_the_tables_judge),
        cmocka_unit_test(without_a_ledger_and_records_there_is_no_verdict_but_a_reason),
        cmocka_unit_test(a_server_that_is_gone_is_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
