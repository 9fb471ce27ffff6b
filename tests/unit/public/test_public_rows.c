#include "pinpipe/pinpipe.h"

#include "rds.h"
#include "temp_dir.h"
#include "version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* A row of geolocation_data and one of user_data, which lacks its last name. */
static void make_tables(const struct temp_dir *dir)
{
    struct env env;
    struct rds_build *build = NULL;
    struct error err = ERROR_NONE;
    struct row geo = {.table = table_get(TABLE_GEO)};
    struct row user = {.table = table_get(TABLE_USER)};
    geo.values[1].text = SPAN_LIT("2018-03-02 04:29:16");
    geo.values[2].real = -13.3769;
    geo.values[3].real = 7;
    geo.values[4].text = SPAN_LIT("Cote d'Ivoire");
    user.values[1].text = SPAN_LIT("A");
    user.values[2].is_null = true;
    user.values[3].integer = 20;
    user.values[4].text = SPAN_LIT("2015-10-21 00:00:00");
    env_init_virtual(&env, 1, 0);
    assert_int_equal(rds_build_begin(dir->path, &env, &build, &err), STATUS_OK);
    assert_int_equal(rds_build_insert(build, &geo, &err), STATUS_OK);
    assert_int_equal(rds_build_insert(build, &user, &err), STATUS_OK);
    assert_int_equal(rds_build_finish(build, &err), STATUS_OK);
}

static void rows_come_as_text_by_column_and_as_json(void **state)
{
    struct temp_dir dir;
    struct pinpipe_rows *rows = NULL;
    struct pinpipe_row *row = NULL;
    char why[PINPIPE_MESSAGE_BYTES];
    (void)state;
    temp_dir_make(&dir);
    make_tables(&dir);
    assert_int_equal(pinpipe_rows_open(dir.path, &rows, why), PINPIPE_OK);
    assert_int_equal(pinpipe_rows_count(rows, PINPIPE_GEO), 1);
    assert_int_equal(pinpipe_rows_count(rows, PINPIPE_PIN), 0);
    assert_int_equal(pinpipe_rows_read(rows, PINPIPE_GEO, 0, &row, why), PINPIPE_OK);
    assert_int_equal(pinpipe_row_columns(row), 5);
    assert_string_equal(pinpipe_row_name(row, 2), "latitude");
    assert_null(pinpipe_row_name(row, 5));
    assert_string_equal(pinpipe_row_value(row, 2), "-13.3769");
    assert_string_equal(pinpipe_row_text(row, "longitude"), "7.0");
    assert_string_equal(pinpipe_row_text(row, "country"), "Cote d'Ivoire");
    assert_null(pinpipe_row_text(row, "no such column"));
    assert_string_equal(pinpipe_row_json(row),
                        "{\"ind\":0,\"timestamp\":\"2018-03-02T04:29:16\",\"latitude\":-13.3769,"
                        "\"longitude\":7.0,\"country\":\"Cote d'Ivoire\"}");
    pinpipe_row_free(row);
    assert_int_equal(pinpipe_rows_read(rows, PINPIPE_USER, 0, &row, why), PINPIPE_OK);
    assert_null(pinpipe_row_text(row, "last_name"));
    pinpipe_row_free(row);
    assert_int_equal(pinpipe_rows_read(rows, PINPIPE_USER, 1, &row, why), PINPIPE_FAILED);
    assert_true(why[0] != '\0');
    assert_int_equal(pinpipe_rows_read(rows, (enum pinpipe_table)9, 0, &row, NULL), PINPIPE_USAGE);
    assert_int_equal(pinpipe_rows_count(rows, (enum pinpipe_table)9), -1);
    pinpipe_rows_close(rows);
    temp_dir_remove(&dir);
}

static void without_tables_or_ledger_the_fix_is_named(void **state)
{
    struct temp_dir dir;
    struct pinpipe_rows *rows = NULL;
    struct pinpipe_verdict *verdict = NULL;
    struct pinpipe_verify_options options;
    char why[PINPIPE_MESSAGE_BYTES];
    (void)state;
    temp_dir_make(&dir);
    assert_int_equal(pinpipe_rows_open(dir.path, &rows, why), PINPIPE_CONFIG);
    assert_non_null(strstr(why, "pinpipe data generate"));
    pinpipe_verify_options_init(&options);
    options.data_dir = dir.path;
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_CONFIG);
    assert_non_null(strstr(why, "pinpipe data generate"));
    options.struct_size = 0;
    assert_int_equal(pinpipe_verify(&options, &verdict, why), PINPIPE_USAGE);
    assert_non_null(strstr(why, "pinpipe_verify_options_init"));
    temp_dir_remove(&dir);
}

static void every_kind_of_finding_has_a_key(void **state)
{
    (void)state;
    assert_true(pinpipe_verdict_kinds() > 10);
    for (size_t kind = 0; kind < pinpipe_verdict_kinds(); kind++) {
        assert_non_null(pinpipe_verdict_kind_key(kind));
    }
    assert_string_equal(pinpipe_verdict_kind_key(0), "missing");
    assert_true(pinpipe_verdict_kind_fails(0));
    assert_null(pinpipe_verdict_kind_key(pinpipe_verdict_kinds()));
    assert_false(pinpipe_verdict_kind_fails(pinpipe_verdict_kinds()));
    assert_string_equal(pinpipe_library_version(), pinpipe_version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_as_text_by_column_and_as_json),
        cmocka_unit_test(without_tables_or_ledger_the_fix_is_named),
        cmocka_unit_test(every_kind_of_finding_has_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
