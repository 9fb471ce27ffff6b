/* Results that an engine may give and tables do not: steps that come later, errors behind rows,
 * rows and definitions larger than any buffer. The engine is a script of this test's own, in place
 * of the room mysql_db. */
#include "mysql_client.h"
#include "mysql_db.h"
#include "mysql_world.h"
#include "raw_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    large_bytes = 17 * 1024 * 1024, /* more than a packet */
    name_bytes = 2000,              /* more than is told of it */
    columns_max = 300,
    params_max = 1000,
    short_ms = 30,
};

/* --- the engine --- */

enum script {
    SCRIPT_OK,
    SCRIPT_LATER,
    SCRIPT_FAIL,
    SCRIPT_FAIL_AT_ONCE,
    SCRIPT_LARGE,
    SCRIPT_NAMES,
    SCRIPT_FOREVER,
    SCRIPT_PARAMS
};
static const char *const script_names[] = {"ok",    "later", "fail",    "fail at once",
                                           "large", "names", "forever", "params"};

struct mysql_db {
    int sessions;
};
struct mysql_session {
    struct mysql_db *db;
};
struct mysql_statement {
    enum script script;
};
struct mysql_query {
    enum script script;
    int steps;
};

static char large_text[large_bytes];
static char long_name[name_bytes];
static struct mysql_column script_columns[columns_max];
static struct mysql_value script_row[columns_max];

enum status mysql_db_new(const struct mysql_db_options *options, struct mysql_db **out,
                         struct error *err)
{
    (void)options;
    (void)err;
    *out = calloc(1, sizeof(**out));
    memset(large_text, 'x', sizeof(large_text));
    for (size_t i = 0; i < name_bytes; i++) {
        long_name[i] = (char)(i % 2 == 0 ? 0xc3 : 0xa4);
    }
    for (size_t i = 0; i < columns_max; i++) {
        script_columns[i] = (struct mysql_column){.schema = SPAN_EMPTY,
                                                  .table = SPAN_EMPTY,
                                                  .org_table = SPAN_EMPTY,
                                                  .name = span_from(long_name, name_bytes),
                                                  .org_name = SPAN_EMPTY,
                                                  .charset = 255,
                                                  .type = MYSQL_TYPE_VAR_STRING};
        script_row[i] = (struct mysql_value){.kind = MYSQL_NULL, .text = SPAN_EMPTY};
    }
    return STATUS_OK;
}

void mysql_db_free(struct mysql_db *db)
{
    assert_int_equal(db->sessions, 0);
    free(db);
}

const char *mysql_db_version(const struct mysql_db *db)
{
    (void)db;
    return "8.0.36-script";
}

struct mysql_session *mysql_session_new(struct mysql_db *db, const struct mysql_login *login,
                                        struct mysql_error *error)
{
    struct mysql_session *session = calloc(1, sizeof(*session));
    (void)login;
    (void)error;
    session->db = db;
    db->sessions++;
    return session;
}

void mysql_session_free(struct mysql_session *session)
{
    session->db->sessions--;
    free(session);
}

bool mysql_session_use(struct mysql_session *session, struct span database,
                       struct mysql_error *error)
{
    (void)session;
    (void)database;
    (void)error;
    return true;
}

void mysql_session_reset(struct mysql_session *session)
{
    (void)session;
}

uint16_t mysql_session_status(const struct mysql_session *session)
{
    (void)session;
    return 2;
}

struct mysql_statement *mysql_prepare(struct mysql_session *session, struct span sql,
                                      struct mysql_error *error)
{
    (void)session;
    (void)error;
    for (size_t i = 0; i < ARRAY_COUNT(script_names); i++) {
        if (span_equal_cstr(sql, script_names[i])) {
            struct mysql_statement *statement = calloc(1, sizeof(*statement));
            statement->script = (enum script)i;
            return statement;
        }
    }
    BUG("no script of that name");
}

void mysql_statement_free(struct mysql_statement *statement)
{
    free(statement);
}

size_t mysql_statement_params(const struct mysql_statement *statement)
{
    return statement->script == SCRIPT_PARAMS ? params_max : 0;
}

size_t mysql_statement_columns(const struct mysql_statement *statement,
                               const struct mysql_column **out)
{
    *out = script_columns;
    switch (statement->script) {
    case SCRIPT_OK:
    case SCRIPT_PARAMS:
        return 0;
    case SCRIPT_NAMES:
        return columns_max;
    case SCRIPT_LATER:
    case SCRIPT_FAIL:
    case SCRIPT_FAIL_AT_ONCE:
    case SCRIPT_LARGE:
    case SCRIPT_FOREVER:
        return 1;
    }
    return 0;
}

struct mysql_query *mysql_execute(struct mysql_statement *statement,
                                  const struct mysql_value *params, size_t count,
                                  struct mysql_error *error)
{
    struct mysql_query *query = calloc(1, sizeof(*query));
    (void)params;
    (void)count;
    (void)error;
    query->script = statement->script;
    return query;
}

void mysql_query_free(struct mysql_query *query)
{
    free(query);
}

static enum mysql_stepped interrupted(struct mysql_error *error)
{
    *error = (struct mysql_error){
        .code = 1317, .sqlstate = "70100", .message = "Query execution was interrupted"};
    return MYSQL_STEP_FAILED;
}

enum mysql_stepped mysql_query_step(struct mysql_query *query, struct mysql_error *error)
{
    int step = query->steps++;
    switch (query->script) {
    case SCRIPT_OK:
    case SCRIPT_PARAMS:
        return MYSQL_STEP_DONE;
    case SCRIPT_LATER: /* two rows, and a wait before each and before the end */
        return step % 2 == 0 ? MYSQL_STEP_LATER : step < 4 ? MYSQL_STEP_ROW : MYSQL_STEP_DONE;
    case SCRIPT_FAIL:
        return step == 0 ? MYSQL_STEP_ROW : interrupted(error);
    case SCRIPT_FAIL_AT_ONCE:
        return interrupted(error);
    case SCRIPT_LARGE:
    case SCRIPT_NAMES:
        return step == 0 ? MYSQL_STEP_ROW : MYSQL_STEP_DONE;
    case SCRIPT_FOREVER:
        return MYSQL_STEP_LATER;
    }
    return MYSQL_STEP_DONE;
}

size_t mysql_query_columns(const struct mysql_query *query, const struct mysql_column **out)
{
    const struct mysql_statement statement = {.script = query->script};
    return mysql_statement_columns(&statement, out);
}

const struct mysql_value *mysql_query_row(const struct mysql_query *query)
{
    static const struct mysql_value large = {.kind = MYSQL_TEXT, .text = {large_text, large_bytes}};
    return query->script == SCRIPT_LARGE ? &large : script_row;
}

uint64_t mysql_query_affected(const struct mysql_query *query)
{
    (void)query;
    return 3;
}

uint16_t mysql_query_warnings(const struct mysql_query *query)
{
    (void)query;
    return 1;
}

/* --- the tests --- */

struct fixture {
    struct mysql_world world;
    struct mysql_client client;
    struct mysql_client other;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    mysql_world_init(&f->world);
    f->world.server_limits.stop_ms = short_ms;
    mysql_world_start(&f->world);
    mysql_client_open(&f->client, f->world.port);
    mysql_client_login(&f->client);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void end(struct fixture *f)
{
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
    assert_true(f->world.replies_peak_bytes <= MYSQL_OUT_BYTES_MAX);
}

static void a_statement_without_rows_tells_what_it_did(void **state)
{
    struct fixture *f = *state;
    mysql_client_query(&f->client, "ok");
    assert_int_equal(f->client.len, 7);
    assert_memory_equal(f->client.payload, "\x00\x03\x00\x02\x00\x01\x00", 7);
    end(f);
}

static void steps_may_come_later(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        mysql_client_query(&f->client, "later");
        assert_int_equal(mysql_client_rows(&f->client, NULL), 2);
        assert_memory_equal(f->client.payload, "\xfe\x01\x00\x02\x00", 5); /* with its warning */
    }
    end(f);
}

static void an_error_may_come_behind_rows(void **state)
{
    struct fixture *f = *state;
    mysql_client_query(&f->client, "fail");
    for (int i = 0; i < 4; i++) { /* the column, the end of columns, the row, the error */
        assert_true(mysql_client_receive(&f->client));
    }
    mysql_client_assert_error(&f->client, 1317, "#70100Query execution was interrupted");
    mysql_client_query(&f->client, "fail at once");
    mysql_client_assert_error(&f->client, 1317, "#70100Query execution was interrupted");
    mysql_client_query(&f->client, "ok");
    mysql_client_assert_ok(&f->client);
    end(f);
}

static void a_row_may_be_larger_than_a_packet(void **state)
{
    struct fixture *f = *state;
    mysql_client_query(&f->client, "large");
    for (int i = 0; i < 3; i++) {
        assert_true(mysql_client_receive(&f->client));
    }
    /* A whole packet of it, then the rest: with what tells its length. */
    assert_int_equal(f->client.len, MYSQL_CLIENT_PACKET_BYTES);
    assert_memory_equal(f->client.payload, "\xfe\x00\x00\x10\x01\x00\x00\x00\x00xxx", 12);
    assert_true(mysql_client_receive(&f->client));
    assert_int_equal(f->client.payload[0], 'x');
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_eof(&f->client);
    end(f);
}

static void long_names_are_cut_and_many_columns_leave_in_pieces(void **state)
{
    struct fixture *f = *state;
    mysql_client_query(&f->client, "names");
    assert_memory_equal(f->client.payload, "\xfc\x2c\x01", 3);
    for (int i = 0; i < columns_max; i++) {
        assert_true(mysql_client_receive(&f->client));
        /* "def", three empty names, then 1024 bytes: whole characters. */
        assert_memory_equal(f->client.payload,
                            "\x03"
                            "def\0\0\0\xfc\x00\x04\xc3\xa4",
                            12);
    }
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_eof(&f->client);
    assert_true(mysql_client_receive(&f->client));
    assert_int_equal(f->client.len, columns_max); /* of NULLs */
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_eof(&f->client);
    end(f);
}

static void many_parameters_leave_in_pieces(void **state)
{
    struct fixture *f = *state;
    mysql_client_command(&f->client, 0x16, "params", 6);
    assert_true(mysql_client_receive(&f->client));
    assert_memory_equal(f->client.payload + 5, "\x00\x00\xe8\x03", 4);
    for (int i = 0; i < params_max; i++) {
        assert_true(mysql_client_receive(&f->client));
        assert_memory_equal(f->client.payload,
                            "\x03"
                            "def\0\0\0\x01?",
                            9);
    }
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_eof(&f->client);
    mysql_client_query(&f->client, "ok");
    mysql_client_assert_ok(&f->client);
    end(f);
}

static void a_statement_that_takes_long_holds_nobody(void **state)
{
    struct fixture *f = *state;
    mysql_client_command(&f->client, 0x03, "forever", 7);
    mysql_client_open(&f->other, f->world.port);
    mysql_client_login(&f->other);
    mysql_client_query(&f->other, "later");
    assert_int_equal(mysql_client_rows(&f->other, NULL), 2);
    mysql_client_close(&f->other);
    end(f);
}

static void a_statement_ends_when_its_client_has_left(void **state)
{
    struct fixture *f = *state;
    mysql_client_command(&f->client, 0x03, "forever", 7);
    raw_end_sending(f->client.fd);
    assert_true(raw_is_closed_within(f->client.fd, RAW_WAIT_MS));
    end(f);
}

static void a_statement_ends_when_the_server_does(void **state)
{
    struct fixture *f = *state;
    mysql_client_command(&f->client, 0x03, "forever", 7);
    mysql_client_open(&f->other, f->world.port); /* the command has come in by now */
    mysql_world_stop(&f->world);
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_error(&f->client, 1053, "#08S01Server shutdown in progress");
    mysql_client_close(&f->client);
    mysql_client_close(&f->other);
}

static void commands_behind_one_wait_in_the_kernel(void **state)
{
    static const char ping[] = "\x01\x00\x00\x00\x0e";
    struct fixture *f = *state;
    size_t sent = 0;
    mysql_client_command(&f->client, 0x03, "forever", 7);
    for (int i = 0; i < 100000; i++) {
        sent += raw_send_what_fits(f->client.fd, ping, sizeof(ping) - 1);
    }
    assert_true(sent > (size_t)2 * MYSQL_BEHIND_BYTES_MAX);
    mysql_client_open(&f->other, f->world.port);
    mysql_client_login(&f->other);
    mysql_client_close(&f->other);
    end(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_statement_without_rows_tells_what_it_did),
        TEST(steps_may_come_later),
        TEST(an_error_may_come_behind_rows),
        TEST(a_row_may_be_larger_than_a_packet),
        TEST(long_names_are_cut_and_many_columns_leave_in_pieces),
        TEST(many_parameters_leave_in_pieces),
        TEST(a_statement_that_takes_long_holds_nobody),
        TEST(a_statement_ends_when_its_client_has_left),
        TEST(a_statement_ends_when_the_server_does),
        TEST(commands_behind_one_wait_in_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
