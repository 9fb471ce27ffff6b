/* Logins and commands as clients of MySQL send them, and what each is answered. */
#include "mysql_auth.h"
#include "mysql_client.h"
#include "mysql_world.h"
#include "raw_socket.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

static const char sha2[] = "caching_sha2_password";
static const char native[] = "mysql_native_password";

struct fixture {
    struct mysql_world world;
    struct mysql_client client;
    struct crypto *crypto;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err;
    mysql_world_init(&f->world);
    assert_int_equal(crypto_new(&f->crypto), STATUS_OK);
    assert_int_equal(crypto_ready(f->crypto, &err), STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    crypto_free(f->crypto);
    free(f);
    return 0;
}

static void begin(struct fixture *f)
{
    mysql_world_start(&f->world);
    mysql_client_open(&f->client, f->world.port);
}

static void end(struct fixture *f)
{
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void next_client(struct fixture *f)
{
    mysql_client_close(&f->client);
    mysql_client_open(&f->client, f->world.port);
}

static size_t prove(struct fixture *f, const char *password, enum mysql_plugin plugin,
                    unsigned char proof[MYSQL_SHA2_BYTES])
{
    return mysql_proof(f->crypto, plugin, span_from_cstr(password), (const char *)f->client.salt,
                       proof);
}

/* The answer is in the client. */
static void log_in(struct fixture *f, const char *user, const char *password,
                   enum mysql_plugin plugin)
{
    unsigned char proof[MYSQL_SHA2_BYTES];
    size_t len = prove(f, password, plugin, proof);
    mysql_client_hello(&f->client, user, "pinterest_data", mysql_plugin_name(plugin), proof,
                       (uint8_t)len);
}

static void assert_fast_success(struct fixture *f)
{
    assert_int_equal(f->client.len, 2);
    assert_memory_equal(f->client.payload, "\x01\x03", 2);
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_ok(&f->client);
}

static void answer_is_error(struct fixture *f, unsigned code, const char *text)
{
    mysql_client_assert_error(&f->client, code, text);
}

/* --- logins --- */

static void any_user_and_password_will_do(void **state)
{
    struct fixture *f = *state;
    begin(f);
    log_in(f, "anybody", "secret", MYSQL_PLUGIN_SHA2);
    assert_fast_success(f);
    next_client(f);
    log_in(f, "somebody", "another", MYSQL_PLUGIN_NATIVE);
    mysql_client_assert_ok(&f->client);
    next_client(f);
    log_in(f, "", "", MYSQL_PLUGIN_SHA2);
    mysql_client_assert_ok(&f->client);
    mysql_client_query(&f->client, "SELECT * FROM user_data LIMIT 1");
    assert_int_equal(mysql_client_rows(&f->client, NULL), 1);
    end(f);
}

static void credentials_make_it_strict(void **state)
{
    static const char denied[] =
        "#28000Access denied for user 'pin'@'127.0.0.1' (using password: YES)";
    struct fixture *f = *state;
    f->world.user = "pin";
    f->world.password = "secret";
    begin(f);
    log_in(f, "pin", "secret", MYSQL_PLUGIN_SHA2);
    assert_fast_success(f);
    next_client(f);
    log_in(f, "pin", "secret", MYSQL_PLUGIN_NATIVE);
    mysql_client_assert_ok(&f->client);
    for (int plugin = MYSQL_PLUGIN_SHA2; plugin <= MYSQL_PLUGIN_NATIVE; plugin++) {
        next_client(f);
        log_in(f, "pin", "Secret", (enum mysql_plugin)plugin);
        answer_is_error(f, 1045, denied);
        assert_true(raw_is_closed_within(f->client.fd, RAW_WAIT_MS));
    }
    next_client(f);
    log_in(f, "pin", "", MYSQL_PLUGIN_SHA2);
    answer_is_error(f, 1045, "#28000Access denied for user 'pin'@'127.0.0.1' (using password: NO)");
    next_client(f);
    log_in(f, "nip", "secret", MYSQL_PLUGIN_SHA2);
    answer_is_error(f, 1045,
                    "#28000Access denied for user 'nip'@'127.0.0.1' (using password: YES)");
    end(f);
}

/* The answer to a request to prove it natively. */
static void switch_to_native(struct fixture *f, const char *password)
{
    unsigned char proof[MYSQL_SHA2_BYTES];
    assert_int_equal(f->client.payload[0], 0xfe);
    assert_string_equal((char *)f->client.payload + 1, native);
    memcpy(f->client.salt, f->client.payload + 1 + sizeof(native), 20);
    size_t len = prove(f, password, MYSQL_PLUGIN_NATIVE, proof);
    mysql_client_send(&f->client, proof, len);
    assert_true(mysql_client_receive(&f->client));
}

static void another_plugin_is_switched_to_the_native_one(void **state)
{
    struct fixture *f = *state;
    f->world.user = "pin";
    f->world.password = "secret";
    begin(f);
    mysql_client_hello(&f->client, "pin", NULL, "mysql_clear_password", "secret", 7);
    switch_to_native(f, "secret");
    mysql_client_assert_ok(&f->client);
    next_client(f);
    /* A proof that is none of its plugin's. */
    mysql_client_hello(&f->client, "pin", NULL, sha2, "0123456789", 10);
    switch_to_native(f, "wrong");
    answer_is_error(f, 1045,
                    "#28000Access denied for user 'pin'@'127.0.0.1' (using password: YES)");
    end(f);
}

static void a_client_without_plugins_proves_natively(void **state)
{
    struct fixture *f = *state;
    unsigned char proof[MYSQL_SHA2_BYTES];
    f->world.user = "pin";
    f->world.password = "secret";
    begin(f);
    size_t len = prove(f, "secret", MYSQL_PLUGIN_NATIVE, proof);
    mysql_client_hello(&f->client, "pin", NULL, NULL, proof, (uint8_t)len);
    mysql_client_assert_ok(&f->client);
    next_client(f);
    mysql_client_hello(&f->client, "pin", NULL, NULL, "0123456789", 10);
    answer_is_error(f, 1045,
                    "#28000Access denied for user 'pin'@'127.0.0.1' (using password: YES)");
    end(f);
}

static void an_unknown_database_is_no_login(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_hello(&f->client, "pin", "elsewhere", sha2, "", 0);
    answer_is_error(f, 1049, "#42000Unknown database 'elsewhere'");
    assert_true(raw_is_closed_within(f->client.fd, RAW_WAIT_MS));
    end(f);
}

static void a_user_may_change(void **state)
{
    struct fixture *f = *state;
    f->world.user = "pin";
    f->world.password = "secret";
    begin(f);
    log_in(f, "pin", "secret", MYSQL_PLUGIN_NATIVE);
    mysql_client_assert_ok(&f->client);
    for (int round = 0; round < 2; round++) {
        static const char change[] = "pin\0\0pinterest_data\0\x2d\0mysql_native_password";
        mysql_client_command(&f->client, 0x11, change, sizeof(change));
        assert_true(mysql_client_receive(&f->client));
        if (round == 0) {
            switch_to_native(f, "secret");
            mysql_client_assert_ok(&f->client);
            mysql_client_query(&f->client, "SELECT * FROM user_data LIMIT 1");
            assert_int_equal(mysql_client_rows(&f->client, NULL), 1);
        } else {
            switch_to_native(f, "wrong");
            answer_is_error(f, 1045,
                            "#28000Access denied for user 'pin'@'127.0.0.1' (using password: YES)");
        }
    }
    assert_true(raw_is_closed_within(f->client.fd, RAW_WAIT_MS));
    end(f);
}

static void a_change_that_is_cut_is_malformed(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_command(&f->client, 0x11,
                         "pin\0\x14"
                         "abc",
                         8);
    assert_true(mysql_client_receive(&f->client));
    answer_is_error(f, 1835, "#HY000Malformed communication packet.");
    end(f);
}

/* --- commands --- */

static void command(struct fixture *f, uint8_t code, const char *rest, size_t len)
{
    mysql_client_command(&f->client, code, rest, len);
    assert_true(mysql_client_receive(&f->client));
}

static void sessions_answer_their_commands(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    command(f, 0x0e, "", 0); /* PING */
    mysql_client_assert_ok(&f->client);
    command(f, 0x02, "pinterest_data", 14);
    mysql_client_assert_ok(&f->client);
    command(f, 0x02, "nowhere", 7);
    answer_is_error(f, 1049, "#42000Unknown database 'nowhere'");
    command(f, 0x1b, "\0\0", 2); /* SET_OPTION */
    mysql_client_assert_eof(&f->client);
    command(f, 0x1f, "", 0); /* RESET_CONNECTION */
    mysql_client_assert_ok(&f->client);
    command(f, 0x09, "", 0); /* STATISTICS */
    assert_memory_equal(f->client.payload, "Uptime: ", 8);
    assert_non_null(strstr((char *)f->client.payload, "Threads: 1  Questions: 6  "));
    mysql_client_command(&f->client, 0x01, "", 0); /* QUIT */
    assert_true(raw_is_closed_within(f->client.fd, RAW_WAIT_MS));
    end(f);
}

static void a_whole_table_streams_in_bounded_memory(void **state)
{
    struct fixture *f = *state;
    size_t bytes = 0;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_query(&f->client, "SELECT * FROM pinterest_data");
    assert_int_equal(mysql_client_rows(&f->client, &bytes), 11154);
    assert_true(bytes > 4 * 1024 * 1024);
    end(f);
    assert_true(f->world.replies_peak_bytes <= MYSQL_OUT_BYTES_MAX);
}

static void fields_are_listed(void **state)
{
    struct fixture *f = *state;
    size_t columns = 0;
    begin(f);
    mysql_client_login(&f->client);
    command(f, 0x04, "user_data\0", 11);
    while (f->client.len != 5 || f->client.payload[0] != 0xfe) {
        assert_memory_equal(f->client.payload,
                            "\x03"
                            "def",
                            4);
        assert_int_equal(f->client.payload[f->client.len - 1], 0xfb); /* no default */
        columns++;
        assert_true(mysql_client_receive(&f->client));
    }
    assert_int_equal(columns, 5);
    command(f, 0x04, "no`table\0", 10);
    assert_int_equal(f->client.payload[0], 0xff);
    char *name = calloc(1, 2001);
    memset(name, 'a', 2000);
    command(f, 0x04, name, 2001);
    assert_int_equal(f->client.payload[1] | f->client.payload[2] << 8, 1059);
    free(name);
    end(f);
}

static uint32_t prepare(struct fixture *f, const char *sql, unsigned params, unsigned columns)
{
    command(f, 0x16, sql, strlen(sql));
    const unsigned char *p = f->client.payload;
    mysql_client_assert_ok(&f->client);
    uint32_t id = p[1] | (uint32_t)p[2] << 8;
    assert_int_equal(p[5] | p[6] << 8, columns);
    assert_int_equal(p[7] | p[8] << 8, params);
    const unsigned counts[] = {params, columns};
    for (size_t i = 0; i < 2; i++) {
        for (unsigned k = 0; k < counts[i]; k++) {
            assert_true(mysql_client_receive(&f->client));
            assert_memory_equal(f->client.payload,
                                "\x03"
                                "def",
                                4);
        }
        if (counts[i] > 0) {
            assert_true(mysql_client_receive(&f->client));
            mysql_client_assert_eof(&f->client);
        }
    }
    return id;
}

/* With one integer. */
static void execute(struct fixture *f, uint32_t id, int64_t value)
{
    char rest[32] = {(char)id, (char)(id >> 8)};
    rest[5] = 1; /* iteration */
    rest[10] = 1;
    rest[11] = 8; /* LONGLONG */
    for (int i = 0; i < 8; i++) {
        rest[13 + i] = (char)(value >> (8 * i));
    }
    command(f, 0x17, rest, 21);
}

static void a_prepared_statement_gives_binary_rows(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    uint32_t id = prepare(f, "SELECT ind, age FROM user_data WHERE ind = ?", 1, 2);
    for (int64_t ind = 5; ind < 8; ind++) {
        execute(f, id, ind);
        assert_int_equal(f->client.payload[0], 2);
        for (int i = 0; i < 4; i++) {
            assert_true(mysql_client_receive(&f->client));
        }
        const unsigned char *row = f->client.payload;
        assert_int_equal(row[0], 0);
        assert_int_equal(row[1], 0); /* neither is NULL */
        assert_int_equal(row[2], ind);
        assert_true(mysql_client_receive(&f->client));
        mysql_client_assert_eof(&f->client);
    }
    const char forget[] = {(char)id, 0, 0, 0};
    mysql_client_command(&f->client, 0x19, forget, 4);
    execute(f, id, 5);
    answer_is_error(f, 1243,
                    "#HY000Unknown prepared statement handler (1) given to mysqld_stmt_execute");
    end(f);
}

static void long_data_is_refused_when_it_is_used(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    uint32_t id = prepare(f, "SELECT ind, age FROM user_data WHERE ind = ?", 1, 2);
    const char data[] = {(char)id, 0, 0, 0, 0, 0, 'a', 'b'};
    mysql_client_command(&f->client, 0x18, data, sizeof(data));
    execute(f, id, 5);
    answer_is_error(f, 1295,
                    "#HY000This command is not supported in the prepared statement protocol yet");
    command(f, 0x1a, data, 4); /* RESET */
    mysql_client_assert_ok(&f->client);
    execute(f, id, 5);
    assert_int_equal(mysql_client_rows(&f->client, NULL), 1);
    command(f, 0x1a, "\x63\0\0\0", 4);
    answer_is_error(f, 1243,
                    "#HY000Unknown prepared statement handler (99) given to mysqld_stmt_reset");
    command(f, 0x17, "\x01", 1);
    assert_int_equal(f->client.payload[0], 0xff);
    end(f);
}

static void prepared_statements_have_a_limit(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    for (int i = 0; i < MYSQL_STATEMENTS_MAX; i++) {
        (void)prepare(f, "SELECT ind FROM user_data LIMIT 1", 0, 1);
    }
    command(f, 0x16, "SELECT 1", 8);
    answer_is_error(f, 1461,
                    "#42000Can't create more than max_prepared_stmt_count statements (current "
                    "value: 1024)");
    command(f, 0x1f, "", 0); /* RESET_CONNECTION forgets them */
    mysql_client_assert_ok(&f->client);
    (void)prepare(f, "SELECT ind FROM user_data LIMIT 1", 0, 1);
    end(f);
}

static void a_place_holder_is_no_text(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_query(&f->client, "SELECT ind FROM user_data WHERE ind = ?");
    answer_is_error(f, 1064,
                    "#42000You have an error in your SQL syntax; check the manual that "
                    "corresponds to your MySQL server version for the right syntax to use near "
                    "'?' at line 1");
    end(f);
}

/* --- the journal --- */

static void assert_journal(sqlite3 *db, const char *method, const char *path, int status)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT count(*) FROM request WHERE service = 'mysql' AND "
                                        "method = ?1 AND path = ?2 AND status = ?3",
                                        -1, &statement, NULL),
                     SQLITE_OK);
    sqlite3_bind_text(statement, 1, method, -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, path, -1, SQLITE_STATIC);
    sqlite3_bind_int(statement, 3, status);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    if (sqlite3_column_int(statement, 0) != 1) {
        fail_msg("%s %s %d: %d lines", method, path, status, sqlite3_column_int(statement, 0));
    }
    sqlite3_finalize(statement);
}

static void the_journal_has_a_line_a_command(void **state)
{
    struct fixture *f = *state;
    struct temp_dir dir;
    struct error err = ERROR_NONE;
    char path[512];
    sqlite3 *db = NULL;
    temp_dir_make(&dir);
    const struct journal_options options = {
        .directory = dir.path, .env = &f->world.env, .log = &f->world.log, .rows_max = 100};
    assert_int_equal(journal_open(&options, &f->world.journal, &err), STATUS_OK);
    f->world.user = "pin";
    f->world.password = "secret";
    begin(f);
    log_in(f, "pin", "wrong", MYSQL_PLUGIN_SHA2);
    next_client(f);
    log_in(f, "pin", "secret", MYSQL_PLUGIN_SHA2);
    assert_fast_success(f);
    mysql_client_query(&f->client, "SELECT * FROM user_data WHERE first_name = 'Ann' LIMIT 5");
    (void)mysql_client_rows(&f->client, NULL);
    mysql_client_query(&f->client, "SELECT * FROM pinterest_data");
    (void)mysql_client_rows(&f->client, NULL);
    execute(f, prepare(f, "SELECT ind, age FROM user_data WHERE ind = ?", 1, 2), 1);
    (void)mysql_client_rows(&f->client, NULL);
    mysql_client_query(&f->client, "SELECT ind FROM user_data WHERE ind = ?");
    end(f);
    journal_close(f->world.journal);
    temp_dir_path(&dir, "journal.db", path, sizeof(path));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_journal(db, "CONNECT", "pin@127.0.0.1 on pinterest_data", 1045);
    assert_journal(db, "CONNECT", "pin@127.0.0.1 on pinterest_data", 0);
    assert_journal(db, "QUERY", "SELECT * FROM user_data WHERE first_name = ? LIMIT ?", 0);
    assert_journal(db, "QUERY", "SELECT * FROM pinterest_data", 0);
    assert_journal(db, "PREPARE", "SELECT ind, age FROM user_data WHERE ind = ?", 0);
    assert_journal(db, "EXECUTE", "SELECT ind, age FROM user_data WHERE ind = ?", 0);
    assert_journal(db, "QUERY", "SELECT ind FROM user_data WHERE ind = ?", 1064);
    sqlite3_close(db);
    temp_dir_remove(&dir);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(any_user_and_password_will_do),
        TEST(credentials_make_it_strict),
        TEST(another_plugin_is_switched_to_the_native_one),
        TEST(a_client_without_plugins_proves_natively),
        TEST(an_unknown_database_is_no_login),
        TEST(a_user_may_change),
        TEST(a_change_that_is_cut_is_malformed),
        TEST(sessions_answer_their_commands),
        TEST(a_whole_table_streams_in_bounded_memory),
        TEST(fields_are_listed),
        TEST(a_prepared_statement_gives_binary_rows),
        TEST(long_data_is_refused_when_it_is_used),
        TEST(prepared_statements_have_a_limit),
        TEST(a_place_holder_is_no_text),
        TEST(the_journal_has_a_line_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
