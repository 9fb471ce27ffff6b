#include "alloc_fault.h"
#include "mariadb_library.h"
#include "mysql_stub.h"
#include "rds.h"
#include "rds_copy.h"
#include "rds_world.h"
#include "row_json.h"
#include "row_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { soon_ms = 300, plenty_ms = 60 * 1000 };

#define GEO_COLUMNS  "ind|timestamp|latitude|longitude|country"
#define USER_COLUMNS "ind|first_name|last_name|age|date_joined"
#define PIN_COLUMNS                                                                                \
    "index|unique_id|title|description|poster_name|follower_count|tag_list|is_image_or_video|"     \
    "image_src|downloaded|save_location|category"

static const char *const one[] = {"1", NULL};
static const char *const geo_row[] = {"0|2021-02-05 19:14:42|-89.9787|5|Albania", NULL};
static const char *const user_row[] = {"0|Ada|O'Neil|20|2015-10-21 00:00:00", NULL};
static const char *const pin_row[] = {"0|u|t \xe2\x80\xa6|d|p|12k|a,b|image|i|1|s|art", NULL};

#define COUNTS_ONE                                                                                 \
    {                                                                                              \
        "SELECT COUNT(*)", .deed = STUB_ANSWERS, .columns = "COUNT(*)", .rows = one                \
    }
#define GEO_IS                                                                                     \
    {                                                                                              \
        "SELECT * FROM geolocation_data", .deed = STUB_ANSWERS, .columns = GEO_COLUMNS,            \
                                          .rows = geo_row                                          \
    }
#define USER_IS                                                                                    \
    {                                                                                              \
        "SELECT * FROM user_data", .deed = STUB_ANSWERS, .columns = USER_COLUMNS, .rows = user_row \
    }
#define PIN_IS                                                                                     \
    {                                                                                              \
        "SELECT * FROM pinterest_data", .deed = STUB_ANSWERS, .columns = PIN_COLUMNS,              \
                                        .rows = pin_row                                            \
    }

/* A server, and who asks it. */
struct rows_world {
    struct rds_world *f;
    struct mysql_stub stub;
    struct mysql_account account;
    struct row_source *source;
    struct row row;
    struct error err;
};

static struct rows_world *world_start(void **state, const struct mysql_stub_answer *answers)
{
    struct rows_world *w = calloc(1, sizeof(*w));
    w->f = *state;
    mysql_stub_start(&w->stub, answers);
    w->account = mysql_stub_account(&w->stub, &w->f->env);
    return w;
}

static void world_close(struct rows_world *w)
{
    if (w->source != NULL) {
        w->source->ops->free(w->source);
    }
    w->source = NULL;
}

static void world_end(struct rows_world *w)
{
    world_close(w);
    mysql_stub_stop(&w->stub);
    free(w);
}

static enum status world_open(struct rows_world *w)
{
    w->err = ERROR_NONE;
    return row_source_mysql_open(&w->account, &w->source, &w->err);
}

/* Opens when it is not open, and asks for row 0. */
static enum status world_fetch(struct rows_world *w, enum table_id table)
{
    enum status status = w->source == NULL ? world_open(w) : STATUS_OK;
    return status == STATUS_OK ? w->source->ops->fetch(w->source, table, 0, &w->row, &w->err)
                               : status;
}

static void assert_refused(const struct rows_world *w, enum status got, enum status wanted,
                           const char *words)
{
    char where[32];
    snprintf(where, sizeof(where), "127.0.0.1:%d: ", w->stub.port);
    if (got != wanted || strstr(w->err.message, words) == NULL ||
        strncmp(w->err.message, where, strlen(where)) != 0) {
        fail_msg("%s (wanted %s, \"%s\"): %s", status_name(got), status_name(wanted), words,
                 w->err.message);
    }
    assert_null(strstr(w->err.message, "S3cret-word"));
}

static void assert_json(const struct row *row, enum datetime_style style, const char *json)
{
    struct buf text;
    buf_init(&text, 1024 * 1024);
    row_json_append(&text, row, style);
    assert_string_equal(buf_cstr(&text), json);
    buf_release(&text);
}

/* --- rows ------------------------------------------------------------------------------------ */

static void a_row_is_what_a_driver_of_python_makes_of_the_same_texts(void **state)
{
    static const struct {
        const char *columns;
        const char *row;
        enum datetime_style style;
        const char *json;
    } cases[] = {
        {GEO_COLUMNS, "7|2021-02-05 19:14:42|-89.9787|5|Albania", DATETIME_ISO,
         "{\"ind\":7,\"timestamp\":\"2021-02-05T19:14:42\",\"latitude\":-89.9787,\"longitude\":5.0,"
         "\"country\":\"Albania\"}"},
        {GEO_COLUMNS, "7|2021-02-05 19:14:42.000000|-0|0.1234567890123|C\xc3\xb4te d'Ivoire",
         DATETIME_SPACE,
         "{\"ind\":7,\"timestamp\":\"2021-02-05 19:14:42\",\"latitude\":0.0,\"longitude\":"
         "0.1234567890123,\"country\":\"C\xc3\xb4te d'Ivoire\"}"},
        {GEO_COLUMNS, "7|2021-02-05 19:14:42.5|1e-3|NULL| ", DATETIME_ISO,
         "{\"ind\":7,\"timestamp\":\"2021-02-05T19:14:42.500000\",\"latitude\":0.001,"
         "\"longitude\":null,\"country\":\" \"}"},
        {GEO_COLUMNS, "7|2021-02-05 19:14:42.000123|1|2|x", DATETIME_SPACE,
         "{\"ind\":7,\"timestamp\":\"2021-02-05 19:14:42.000123\",\"latitude\":1.0,"
         "\"longitude\":2.0,\"country\":\"x\"}"},
        {"country|LONGITUDE|latitude|Timestamp|idx", "x|2|1|NULL|7", DATETIME_ISO,
         "{\"ind\":7,\"timestamp\":null,\"latitude\":1.0,\"longitude\":2.0,\"country\":\"x\"}"},
        {"index|timestamp|latitude|longitude|country", "7|NULL|NULL|NULL|NULL", DATETIME_ISO,
         "{\"ind\":7,\"timestamp\":null,\"latitude\":null,\"longitude\":null,\"country\":null}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *const rows[] = {cases[i].row, NULL};
        const struct mysql_stub_answer answers[] = {{"SELECT * FROM geolocation_data LIMIT 0, 1",
                                                     .deed = STUB_ANSWERS,
                                                     .columns = cases[i].columns, .rows = rows},
                                                    {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        enum status status = world_fetch(w, TABLE_GEO);
        if (status != STATUS_OK) {
            fail_msg("%s: %s", cases[i].row, w->err.message);
        }
        assert_json(&w->row, cases[i].style, cases[i].json);
        assert_null(row_source_mysql_cipher(w->source));
        world_end(w);
    }
}

static void texts_of_one_table_live_until_its_next_row(void **state)
{
    static const struct mysql_stub_answer answers[] = {GEO_IS, USER_IS, {.statement = NULL}};
    struct rows_world *w = world_start(state, answers);
    struct row user;
    assert_int_equal(world_fetch(w, TABLE_USER), STATUS_OK);
    user = w->row;
    assert_int_equal(world_fetch(w, TABLE_GEO), STATUS_OK);
    assert_json(&user, DATETIME_ISO,
                "{\"ind\":0,\"first_name\":\"Ada\",\"last_name\":\"O'Neil\",\"age\":20,"
                "\"date_joined\":\"2015-10-21T00:00:00\"}");
    world_end(w);
}

static void a_table_is_counted_once_and_a_row_behind_it_is_not_found(void **state)
{
    static const struct mysql_stub_answer answers[] = {
        COUNTS_ONE,
        {"SELECT * FROM", .deed = STUB_ANSWERS, .columns = USER_COLUMNS},
        {.statement = NULL}};
    struct rows_world *w = world_start(state, answers);
    int64_t rows = 0;
    assert_int_equal(world_open(w), STATUS_OK);
    assert_int_equal(w->source->ops->count(w->source, TABLE_USER, &rows, &w->err), STATUS_OK);
    assert_int_equal(w->source->ops->count(w->source, TABLE_USER, &rows, &w->err), STATUS_OK);
    assert_int_equal(rows, 1);
    assert_int_equal(atomic_load(&w->stub.statements), 1);
    assert_refused(w, world_fetch(w, TABLE_USER), STATUS_NOT_FOUND, "user_data: no row number 0");
    assert_int_equal(w->source->ops->fetch(w->source, TABLE_USER, -1, &w->row, &w->err),
                     STATUS_NOT_FOUND);
    world_end(w);
}

static void columns_and_values_that_are_not_the_workshops_are_named(void **state)
{
    static const struct {
        const char *columns;
        const char *row;
        const char *words;
    } cases[] = {
        {"ind|first_name|last_name|age", "0|a|b|1", "user_data has no column \"date_joined\""},
        {USER_COLUMNS "|email", "0|a|b|1|NULL|e", "user_data has a column \"email\""},
        {USER_COLUMNS "|index", "0|a|b|1|NULL|2", "has twice what could be its column \"ind\""},
        {USER_COLUMNS, "NULL|a|b|1|NULL", "ind is \"NULL\", and should be a whole number"},
        {USER_COLUMNS, "12|a|b|1.5|NULL", "the key 12: age is \"1.5\""},
        {USER_COLUMNS, "12|a|b|1|0000-00-00 00:00:00", "date_joined is \"0000-00-00 00:00:00\""},
        {USER_COLUMNS, "12|a|b|1|2015-10-21", "date_joined is \"2015-10-21\""},
        {USER_COLUMNS, "12|a|b|1|2015-10-21 00:00:00Z", "date_joined is"},
        {USER_COLUMNS, "12|a|b|1|2015-10-21 00:00:00.", "date_joined is"},
        {USER_COLUMNS, "12|a|b|1|2015-10-21 00:00:00.1234567", "date_joined is"},
        {USER_COLUMNS, "12|a\xff|b|1|NULL", "should be a text in UTF-8"},
        {USER_COLUMNS, "12|a|b|99999999999999999999|NULL", "should be a whole number"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const char *const rows[] = {cases[i].row, NULL};
        const struct mysql_stub_answer answers[] = {
            {"SELECT", .deed = STUB_ANSWERS, .columns = cases[i].columns, .rows = rows},
            {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        assert_refused(w, world_fetch(w, TABLE_USER), STATUS_INVALID, cases[i].words);
        world_end(w);
    }
}

static void a_value_that_is_no_number_is_no_coordinate(void **state)
{
    static const char *const values[] = {"north", "", "nan", "inf", "1,5"};
    for (size_t i = 0; i < ARRAY_COUNT(values); i++) {
        char row[64];
        const char *const rows[] = {row, NULL};
        const struct mysql_stub_answer answers[] = {
            {"SELECT", .deed = STUB_ANSWERS, .columns = GEO_COLUMNS, .rows = rows},
            {.statement = NULL}};
        snprintf(row, sizeof(row), "7|NULL|%s|1|x", values[i]);
        struct rows_world *w = world_start(state, answers);
        assert_refused(w, world_fetch(w, TABLE_GEO), STATUS_INVALID, "should be a decimal number");
        world_end(w);
    }
}

/* --- what may be wrong ----------------------------------------------------------------------- */

static void each_number_of_mysql_has_its_outcome_and_its_fix(void **state)
{
    static const struct {
        const char *when;
        unsigned number;
        enum status status;
        const char *fix;
    } cases[] = {
        {"login", 1045, STATUS_CONFIG, "(1045): check USER and PASSWORD of creds.yaml"},
        {"login", 1044, STATUS_CONFIG, "may not use DATABASE"},
        {"login", 1049, STATUS_CONFIG, "check DATABASE of creds.yaml"},
        {"login", 1040, STATUS_FAILED, "no connection left"},
        {"login", 1130, STATUS_CONFIG, "takes nobody from this machine"},
        {"login", 3159, STATUS_CONFIG, "wants TLS"},
        {"login", 1203, STATUS_FAILED, "too many connections"},
        {"SELECT", 1146, STATUS_NOT_FOUND, "check DATABASE of creds.yaml, whose tables are"},
        {"SELECT", 1142, STATUS_CONFIG, "may not read the table"},
        {"SELECT", 1064, STATUS_FAILED, "the server refused the statement"},
        {"SELECT", 1053, STATUS_UNREACHABLE, "being stopped"},
        {"SELECT", 1927, STATUS_UNREACHABLE, "has ended the connection"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct mysql_stub_answer answers[] = {{cases[i].when, .deed = STUB_ERROR,
                                                     .number = cases[i].number,
                                                     .text = "in the server's words"},
                                                    {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        enum status status = world_fetch(w, TABLE_USER);
        assert_refused(w, status, cases[i].status, cases[i].fix);
        assert_refused(w, status, cases[i].status, "in the server's words");
        world_end(w);
    }
}

static void a_table_without_rows_is_no_table_of_the_workshops(void **state)
{
    static const char *const none[] = {"0", NULL};
    static const char *const word[] = {"many", NULL};
    static const struct {
        const char *const *rows;
        enum status status;
        const char *words;
    } cases[] = {
        {none, STATUS_CONFIG, "user_data has no rows: is DATABASE of creds.yaml (\"pinterest_data"},
        {word, STATUS_FAILED, "it cannot count"},
        {NULL, STATUS_FAILED, "it cannot count"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct mysql_stub_answer answers[] = {
            {"SELECT COUNT", .deed = STUB_ANSWERS, .columns = "n", .rows = cases[i].rows},
            {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        int64_t rows;
        assert_int_equal(world_open(w), STATUS_OK);
        assert_refused(w, w->source->ops->count(w->source, TABLE_USER, &rows, &w->err),
                       cases[i].status, cases[i].words);
        world_end(w);
    }
}

static void whatever_listens_there_is_named_and_never_waited_for_too_long(void **state)
{
    static const struct {
        struct mysql_stub_answer answer;
        enum status status;
        const char *words;
    } cases[] = {
        {{"connect", .deed = STUB_IS_SILENT}, STATUS_TIMED_OUT, "took too long to log in"},
        {{"login", .deed = STUB_IS_SILENT}, STATUS_TIMED_OUT, "took too long to log in"},
        {{"SELECT", .deed = STUB_IS_SILENT},
         STATUS_TIMED_OUT,
         "took too long to answer a statement"},
        {{"SELECT", .deed = STUB_IS_SILENT_AMID, .columns = USER_COLUMNS},
         STATUS_TIMED_OUT,
         "took too long to send its rows"},
        {{"connect", .deed = STUB_HANGS_UP},
         STATUS_UNREACHABLE,
         "is it a MySQL server that listens there"},
        {{"login", .deed = STUB_HANGS_UP},
         STATUS_UNREACHABLE,
         "is it a MySQL server that listens there"},
        {{"connect", .deed = STUB_SAYS, .text = "HTTP/1.1 400 Bad Request\r\n\r\n"},
         STATUS_UNREACHABLE,
         "(20"},
        {{"connect", .deed = STUB_SAYS, .text = "+OK POP3 ready <1@x>\r\n"},
         STATUS_UNREACHABLE,
         "is it a MySQL server"},
        {{"SELECT", .deed = STUB_ANSWERS}, STATUS_FAILED, "without rows"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct mysql_stub_answer answers[] = {cases[i].answer, {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        w->account.timeout_ms = soon_ms;
        enum status status = world_fetch(w, TABLE_USER);
        assert_refused(w, status, cases[i].status, cases[i].words);
        world_end(w);
    }
}

/* The stop comes at the n-th time somebody asks for it. */
static bool stop_when_asked(void *ctx)
{
    int *left = ctx;
    return --*left < 0;
}

static void a_wait_ends_when_it_is_asked_to(void **state)
{
    static const struct mysql_stub_answer waits[] = {
        {"connect", .deed = STUB_IS_SILENT},
        {"login", .deed = STUB_IS_SILENT},
        {"SELECT", .deed = STUB_IS_SILENT},
        {"SELECT", .deed = STUB_IS_SILENT_AMID, .columns = USER_COLUMNS},
    };
    for (size_t i = 0; i < ARRAY_COUNT(waits); i++) {
        const struct mysql_stub_answer answers[] = {waits[i], {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        int left = 20;
        w->account.timeout_ms = plenty_ms;
        w->account.should_stop = stop_when_asked;
        w->account.stop_ctx = &left;
        assert_refused(w, world_fetch(w, TABLE_USER), STATUS_INTERRUPTED, "stopped while it was");
        world_end(w);
    }
}

static void a_server_gets_neither_a_file_nor_the_password_as_it_is(void **state)
{
    static const struct mysql_stub_answer cases[] = {
        {"SELECT", .deed = STUB_WANTS_FILE, .text = "secret.txt"},
        {"login", .deed = STUB_WANTS_PLUGIN, .text = "mysql_clear_password"},
        {"login", .deed = STUB_WANTS_PLUGIN, .text = "dialog"},
    };
    FILE *file = fopen("secret.txt", "w");
    assert_non_null(file);
    fputs("what is in the file", file);
    fclose(file);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct mysql_stub_answer answers[] = {cases[i], {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        w->account.timeout_ms = soon_ms;
        assert_int_not_equal(world_fetch(w, TABLE_USER), STATUS_OK);
        world_close(w);
        assert_true(mysql_stub_heard(&w->stub, "project_user"));
        assert_false(mysql_stub_heard(&w->stub, "what is in the file"));
        assert_false(mysql_stub_heard(&w->stub, "S3cret-word"));
        world_end(w);
    }
    remove("secret.txt");
}

/* --- a connection that goes ------------------------------------------------------------------ */

static void a_connection_that_is_lost_is_made_anew_once_a_row(void **state)
{
    static const struct {
        struct mysql_stub_answer first;
        enum status status;
        int logins;
    } cases[] = {
        {{"SELECT", .deed = STUB_HANGS_UP, .times = 1}, STATUS_OK, 2},
        {{"SELECT", .deed = STUB_HANGS_UP_AMID, .times = 1, .columns = USER_COLUMNS}, STATUS_OK, 2},
        {{"SELECT", .deed = STUB_ERROR, .times = 1, .number = 4031, .text = "idle"}, STATUS_OK, 2},
        {{"SELECT", .deed = STUB_HANGS_UP, .times = 2}, STATUS_UNREACHABLE, 2},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct mysql_stub_answer answers[] = {cases[i].first, USER_IS, {.statement = NULL}};
        struct rows_world *w = world_start(state, answers);
        assert_int_equal(world_fetch(w, TABLE_USER), cases[i].status);
        assert_int_equal(atomic_load(&w->stub.logins), cases[i].logins);
        /* The next row asks again, whatever became of this one. */
        assert_int_equal(world_fetch(w, TABLE_USER), STATUS_OK);
        world_end(w);
    }
}

/* --- the copy -------------------------------------------------------------------------------- */

static enum status copy_run(struct rows_world *w, const struct progress *progress)
{
    struct rds_import_result results[TABLE_COUNT];
    const struct rds_copy_options options = {
        .data_dir = w->f->dir.path, .account = &w->account, .progress = progress};
    w->err = ERROR_NONE;
    return rds_copy(&options, results, &w->err);
}

static void assert_copied(struct rows_world *w)
{
    static const char *const json[TABLE_COUNT] = {
        "{\"index\":0,\"unique_id\":\"u\",\"title\":\"t \xe2\x80\xa6\",\"description\":\"d\","
        "\"poster_name\":\"p\",\"follower_count\":\"12k\",\"tag_list\":\"a,b\","
        "\"is_image_or_video\":\"image\",\"image_src\":\"i\",\"downloaded\":1,"
        "\"save_location\":\"s\",\"category\":\"art\"}",
        "{\"ind\":0,\"timestamp\":\"2021-02-05T19:14:42\",\"latitude\":-89.9787,\"longitude\":5.0,"
        "\"country\":\"Albania\"}",
        "{\"ind\":0,\"first_name\":\"Ada\",\"last_name\":\"O'Neil\",\"age\":20,"
        "\"date_joined\":\"2015-10-21T00:00:00\"}",
    };
    struct row_source *source = NULL;
    assert_int_equal(row_source_sqlite_open(w->f->dir.path, &w->f->env, &source, &w->err),
                     STATUS_OK);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        assert_int_equal(source->ops->fetch(source, (enum table_id)t, 0, &w->row, &w->err),
                         STATUS_OK);
        assert_json(&w->row, DATETIME_ISO, json[t]);
    }
    source->ops->free(source);
}

static bool has_tables(const struct rows_world *w)
{
    struct sqlite_db db;
    struct error err;
    enum status status = rds_open(w->f->dir.path, &w->f->env, &db, &err);
    if (status == STATUS_OK) {
        sqlite_db_close(&db);
    }
    return status == STATUS_OK;
}

static void a_copy_that_is_lost_amid_a_table_is_begun_again_once(void **state)
{
    static const struct mysql_stub_answer loses_once[] = {COUNTS_ONE,
                                                          PIN_IS,
                                                          {"SELECT * FROM geolocation_data",
                                                           .deed = STUB_HANGS_UP_AMID, .times = 1,
                                                           .columns = GEO_COLUMNS, .rows = geo_row},
                                                          GEO_IS,
                                                          USER_IS,
                                                          {.statement = NULL}};
    static const struct mysql_stub_answer loses[] = {COUNTS_ONE,
                                                     PIN_IS,
                                                     {"SELECT * FROM geolocation_data",
                                                      .deed = STUB_HANGS_UP_AMID,
                                                      .columns = GEO_COLUMNS, .rows = geo_row},
                                                     {.statement = NULL}};
    struct rows_world *w = world_start(state, loses);
    assert_refused(w, copy_run(w, NULL), STATUS_UNREACHABLE, "try again");
    assert_int_equal(atomic_load(&w->stub.logins), 2);
    assert_false(has_tables(w));
    world_end(w);
    w = world_start(state, loses_once);
    assert_int_equal(copy_run(w, NULL), STATUS_OK);
    assert_copied(w);
    world_end(w);
}

static void a_copy_that_fails_leaves_the_tables_as_they_were(void **state)
{
    static const char *const twice[] = {"3|a|b|1|NULL", "3|a|b|1|NULL", NULL};
    static const struct mysql_stub_answer good[] = {
        COUNTS_ONE, PIN_IS, GEO_IS, USER_IS, {.statement = NULL}};
    static const struct mysql_stub_answer bad[] = {
        {"SELECT * FROM user_data", .deed = STUB_ANSWERS, .columns = USER_COLUMNS, .rows = twice},
        COUNTS_ONE,
        PIN_IS,
        GEO_IS,
        {.statement = NULL}};
    struct rows_world *w = world_start(state, good);
    assert_int_equal(copy_run(w, NULL), STATUS_OK);
    world_end(w);
    w = world_start(state, bad);
    assert_refused(w, copy_run(w, NULL), STATUS_EXISTS, "user_data has the key 3 a second time");
    assert_copied(w);
    world_end(w);
}

static void progress_nothing(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)what;
    assert_true(done <= total || total == 1);
}

static void a_copy_stops_between_two_rows(void **state)
{
    static const struct mysql_stub_answer answers[] = {COUNTS_ONE,
                                                       PIN_IS,
                                                       GEO_IS,
                                                       {"SELECT * FROM user_data",
                                                        .deed = STUB_IS_SILENT_AMID,
                                                        .columns = USER_COLUMNS, .rows = user_row},
                                                       {.statement = NULL}};
    for (int polls = 0; polls < 3; polls++) {
        struct rows_world *w = world_start(state, answers);
        int left = polls;
        const struct progress progress = {
            .update = progress_nothing, .should_stop = stop_when_asked, .ctx = &left};
        w->account.timeout_ms = soon_ms;
        enum status status = copy_run(w, &progress);
        assert_int_equal(status, polls < 2 ? STATUS_INTERRUPTED : STATUS_TIMED_OUT);
        assert_false(has_tables(w));
        world_end(w);
    }
}

/* --- memory ---------------------------------------------------------------------------------- */

static void without_memory_rows_are_right_or_refused(void **state)
{
    static const struct mysql_stub_answer answers[] = {
        COUNTS_ONE, PIN_IS, GEO_IS, USER_IS, {.statement = NULL}};
    struct rows_world *w = world_start(state, answers);
    bool had_rows = false;
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        alloc_fault_begin_own(n, ALLOC_FAILS_ONCE);
        enum status status = world_fetch(w, TABLE_USER);
        bool failed = alloc_fault_end();
        assert_true(status == STATUS_OK || (failed && status == STATUS_NO_MEMORY));
        if (status == STATUS_OK) {
            had_rows = true;
            assert_json(&w->row, DATETIME_ISO,
                        "{\"ind\":0,\"first_name\":\"Ada\",\"last_name\":\"O'Neil\",\"age\":20,"
                        "\"date_joined\":\"2015-10-21T00:00:00\"}");
        }
        world_close(w);
    }
    assert_true(had_rows);
    for (long n = 1; alloc_fault_goes_on(n); n += 3) {
        alloc_fault_begin_own(n, ALLOC_FAILS_ONCE);
        enum status status = copy_run(w, NULL);
        bool failed = alloc_fault_end();
        assert_true(status == STATUS_OK || (failed && w->err.message[0] != '\0'));
        if (status == STATUS_OK) {
            assert_copied(w);
        }
    }
    world_end(w);
}

/* Where the library is not installed there is nothing to test, and that is what it says. */
static int library_setup(void **state)
{
    struct mariadb_library library;
    struct error err = ERROR_NONE;
    bool there = mariadb_library_open(&library, &err) == STATUS_OK;
    mariadb_library_close(&library);
    assert_true(there || strstr(err.message, "apt-get install libmariadb3") != NULL);
    if (!there) {
        skip();
    }
    return rds_world_setup(state);
}

#define ROWS_TEST(name) cmocka_unit_test_setup_teardown(name, library_setup, rds_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROWS_TEST(a_row_is_what_a_driver_of_python_makes_of_the_same_texts),
        ROWS_TEST(texts_of_one_table_live_until_its_next_row),
        ROWS_TEST(a_table_is_counted_once_and_a_row_behind_it_is_not_found),
        ROWS_TEST(columns_and_values_that_are_not_the_workshops_are_named),
        ROWS_TEST(a_value_that_is_no_number_is_no_coordinate),
        ROWS_TEST(each_number_of_mysql_has_its_outcome_and_its_fix),
        ROWS_TEST(a_table_without_rows_is_no_table_of_the_workshops),
        ROWS_TEST(whatever_listens_there_is_named_and_never_waited_for_too_long),
        ROWS_TEST(a_wait_ends_when_it_is_asked_to),
        ROWS_TEST(a_server_gets_neither_a_file_nor_the_password_as_it_is),
        ROWS_TEST(a_connection_that_is_lost_is_made_anew_once_a_row),
        ROWS_TEST(a_copy_that_is_lost_amid_a_table_is_begun_again_once),
        ROWS_TEST(a_copy_that_fails_leaves_the_tables_as_they_were),
        ROWS_TEST(a_copy_stops_between_two_rows),
        ROWS_TEST(without_memory_rows_are_right_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
