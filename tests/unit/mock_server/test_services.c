/* The table of services: what is in it is served, and a row is all that a service costs the mock.
 * The row is that of a toy (tests/support/mock_server), behind those of this build. */
#include "buf.h"
#include "fault_vfs.h"
#include "file.h"
#include "line_echo.h"
#include "mock_internal.h"
#include "raw_socket.h"
#include "temp_dir.h"
#include "toy_service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { path_bytes = 512, text_max = 64 * 1024 };

struct fixture {
    struct temp_dir dir;
    char data[path_bytes];
    char ready[path_bytes];
    struct service_row rows[PINPIPE_SERVICES_MAX];
    struct service_table table;
    struct pinpipe_mock_options options;
    struct pinpipe_mock *mock;
    struct fault_vfs faults;
    struct raw_reply reply;
    char why[PINPIPE_MESSAGE_BYTES];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    temp_dir_path(&f->dir, "data", f->data, sizeof(f->data));
    temp_dir_path(&f->dir, "ready.json", f->ready, sizeof(f->ready));
    pinpipe_mock_options_init(&f->options);
    f->options.data_dir = f->data;
    f->options.ready_file = f->ready;
    memcpy(f->rows, service_table.rows, service_table.count * sizeof(f->rows[0]));
    f->rows[service_table.count] = toy_row;
    f->table = (struct service_table){f->rows, service_table.count + 1};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    if (mock_start(&f->table, &f->options, &f->mock, f->why) != PINPIPE_OK) {
        fail_msg("%s", f->why);
    }
}

static void ask(struct fixture *f, enum pinpipe_service service, const char *text)
{
    const char *url = pinpipe_mock_url(f->mock, service);
    assert_non_null(url);
    int fd = raw_connect(atoi(strrchr(url, ':') + 1));
    raw_send_text(fd, text);
    raw_receive(fd, false, &f->reply);
    raw_close(fd);
}

static const char post[] = "POST /shelf HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nball";

static long long query(struct fixture *f, const char *file, const char *sql)
{
    char path[path_bytes + 16];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    snprintf(path, sizeof(path), "%s/%s", f->data, file);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    long long value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return value;
}

static void a_row_is_all_that_a_service_costs(void **state)
{
    struct fixture *f = *state;
    start(f);
    assert_int_equal(toy_services_open, 1);
    ask(f, TOY, post);
    assert_int_equal(f->reply.status, 200);
    assert_string_equal(raw_body(&f->reply), "kept at 0");
    /* Its neighbours do not notice, and see what it has kept. */
    ask(f, PINPIPE_REST,
        "GET /topics/workshop.pin/partitions/0/offsets HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(raw_body(&f->reply), "{\"beginning_offset\":0,\"end_offset\":1}");
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
    assert_int_equal(toy_services_open, 0);
    assert_int_equal(query(f, "state.db", "SELECT value = 'ball' FROM records"), 1);
    assert_int_equal(query(f, "journal.db",
                           "SELECT count(*) FROM requests WHERE service = 'toy' AND "
                           "path = '/shelf' AND status = 200"),
                     1);
}

static void its_url_stands_beside_the_others(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    struct error err;
    char expected[path_bytes];
    start(f);
    const char *url = pinpipe_mock_url(f->mock, TOY);
    assert_string_equal(pinpipe_mock_url_by_key(f->mock, "toy_url"), url);
    assert_string_equal(pinpipe_mock_url_by_key(f->mock, "msk_connect_url"),
                        pinpipe_mock_url(f->mock, PINPIPE_MSK_CONNECT));
    assert_null(pinpipe_mock_url_by_key(f->mock, "kinesis_url")); /* of a later release */
    assert_null(pinpipe_mock_url_by_key(f->mock, "toy"));
    assert_null(pinpipe_mock_url(f->mock, (enum pinpipe_service)PINPIPE_SERVICES_MAX));
    buf_init(&text, text_max);
    assert_int_equal(file_read(f->ready, &text, &err), STATUS_OK);
    snprintf(expected, sizeof(expected), "\"toy_url\": \"%s\"", url);
    assert_non_null(strstr(buf_cstr(&text), expected));
    buf_release(&text);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
}

/* Does not come back: the assertion fails in the mock's thread. */
static void live_with_a_bug(struct fixture *f)
{
    f->options.has_seed = true;
    f->options.seed = 42;
    start(f);
    ask(f, TOY, post);
    ask(f, TOY, "GET /bug?token=abc HTTP/1.1\r\nHost: a\r\nX-Key: hidden\r\n\r\n");
}

static void a_bug_leaves_a_report_beside_the_data(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    struct error err;
    char path[path_bytes + 16];
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        live_with_a_bug(f);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), BUG_EXIT_CODE);
    buf_init(&text, text_max);
    snprintf(path, sizeof(path), "%s/bug-1.txt", f->data);
    assert_int_equal(file_read(path, &text, &err), STATUS_OK);
    assert_non_null(strstr(buf_cstr(&text), "\nseed 42\n"));
    assert_non_null(strstr(buf_cstr(&text), "\n1 toy POST /shelf 200\n2 toy GET /bug?token=* -\n"));
    assert_null(strstr(buf_cstr(&text), "hidden"));
    buf_release(&text);
    /* And what was acknowledged is there. */
    start(f);
    ask(f, PINPIPE_REST,
        "GET /topics/workshop.pin/partitions/0/offsets HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_string_equal(raw_body(&f->reply), "{\"beginning_offset\":0,\"end_offset\":1}");
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
}

/* The toy's own words for a lost turn, because its reply was held like everybody's. */
static void its_answers_join_the_commit_of_the_turn(void **state)
{
    struct fixture *f = *state;
    fault_vfs_install(&f->faults, "services");
    sqlite3_vfs_register(&f->faults.vfs, 1);
    start(f);
    ask(f, TOY, post);
    assert_int_equal(f->reply.status, 200);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);

    assert_int_equal(mock_new(&f->table, &f->options, &f->mock, f->why), PINPIPE_OK);
    fault_vfs_fail(&f->faults, FAULT_SYNC, 1, SQLITE_IOERR_FSYNC, true);
    assert_int_equal(mock_thread_start(f->mock), 0);
    ask(f, TOY, post);
    assert_int_equal(f->reply.status, 507);
    assert_string_equal(raw_body(&f->reply), "the toy is broken");
    pinpipe_mock_stop(f->mock);
    fault_vfs_fail(&f->faults, 0, 0, 0, false);
    assert_int_equal(query(f, "state.db", "SELECT count(*) FROM records"), 1);
    fault_vfs_uninstall(&f->faults);
}

static void ports_are_given_by_the_table(void **state)
{
    struct fixture *f = *state;
    f->options.ports[TOY] = -1;
    start(f);
    assert_null(pinpipe_mock_url(f->mock, TOY));
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);

    f->options.ports[TOY] = 18125;
    f->options.s3_port = 18125;
    assert_int_equal(mock_new(&f->table, &f->options, &f->mock, f->why), PINPIPE_CONFIG);
    assert_non_null(strstr(f->why, "S3 and the toy"));
    assert_non_null(strstr(f->why, "--s3 or --toy"));
    f->options.ports[PINPIPE_S3] = 18126; /* wins over s3_port */
    f->options.ports[TOY] = 70000;
    assert_int_equal(mock_new(&f->table, &f->options, &f->mock, f->why), PINPIPE_USAGE);
    assert_non_null(strstr(f->why, "65535"));
}

static void assert_ready_file(struct fixture *f, const char *part, bool there)
{
    struct buf text;
    struct error err;
    buf_init(&text, text_max);
    assert_int_equal(file_read(f->ready, &text, &err), STATUS_OK);
    assert_int_equal(strstr(buf_cstr(&text), part) != NULL, there);
    buf_release(&text);
}

static void a_service_on_request_is_closed_until_it_is_asked_for(void **state)
{
    struct fixture *f = *state;
    struct pinpipe_mock_options *o = &f->options;
    f->rows[f->table.count - 1].on_request = true;
    mock_options_init(&f->table, o);
    o->data_dir = f->data;
    o->ready_file = f->ready;
    start(f);
    assert_int_equal(toy_services_open, 0);
    assert_null(pinpipe_mock_url(f->mock, TOY));
    assert_null(pinpipe_mock_url_by_key(f->mock, "toy_url"));
    assert_ready_file(f, "toy_url", false);
    assert_ready_file(f, "kinesis_url", true); /* a later release's stays, as null */
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);

    o->ports[TOY] = 0; /* any free one */
    start(f);
    int port = atoi(strrchr(pinpipe_mock_url(f->mock, TOY), ':') + 1);
    assert_true(port > 0);
    assert_ready_file(f, "\"toy_url\": \"http://", true);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);

    o->ports[TOY] = port;
    start(f);
    assert_int_equal(atoi(strrchr(pinpipe_mock_url(f->mock, TOY), ':') + 1), port);
    ask(f, TOY, post);
    assert_int_equal(f->reply.status, 200);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
    assert_int_equal(toy_services_open, 0);
}

static void a_port_of_another_program_may_be_given_up(void **state)
{
    struct fixture *f = *state;
    struct pinpipe_mock *first;
    start(f);
    first = f->mock;
    int taken = atoi(strrchr(pinpipe_mock_url(first, TOY), ':') + 1);
    f->options.data_dir = NULL;
    f->options.ports[TOY] = taken;
    assert_int_equal(mock_new(&f->table, &f->options, &f->mock, f->why), PINPIPE_CONFIG);
    assert_non_null(strstr(f->why, "--toy PORT"));

    f->options.port_may_move[TOY] = true;
    start(f);
    int moved = atoi(strrchr(pinpipe_mock_url(f->mock, TOY), ':') + 1);
    assert_true(moved > 0 && moved != taken);
    ask(f, TOY, post);
    assert_int_equal(f->reply.status, 200);
    assert_ready_file(f, strrchr(pinpipe_mock_url(f->mock, TOY), ':'), true);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
    assert_int_equal(pinpipe_mock_stop(first), PINPIPE_OK);
}

/* A program built before `ports` was in the options, or that gives none, asks for nothing. */
static void options_that_end_before_the_ports_ask_for_none(void **state)
{
    struct fixture *f = *state;
    f->rows[f->table.count - 1].on_request = true;
    f->options.struct_size = offsetof(struct pinpipe_mock_options, ports);
    start(f);
    assert_int_equal(toy_services_open, 0);
    assert_non_null(pinpipe_mock_url(f->mock, PINPIPE_S3));
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
}

static void rows_with_the_same_open_are_listeners_of_one_service(void **state)
{
    struct fixture *f = *state;
    struct service_row *second = &f->rows[f->table.count++];
    *second = toy_row;
    second->id = TOY + 1;
    second->key = "toy_tls_url";
    second->flag = "--toy-tls";
    second->on_request = true;
    f->options.ports[second->id] = -1;
    start(f);
    assert_int_equal(toy_services_open, 1);
    assert_ready_file(f, "toy_tls_url", false);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);

    f->options.ports[second->id] = 0;
    start(f);
    assert_int_equal(toy_services_open, 1);
    ask(f, TOY, post);
    assert_string_equal(raw_body(&f->reply), "kept at 0");
    ask(f, (enum pinpipe_service)second->id, post);
    assert_string_equal(raw_body(&f->reply), "kept at 1");
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
    assert_int_equal(toy_services_open, 0);
}

static enum status line_open(const struct host *host, void **out, struct error *err)
{
    (void)err;
    *out = (void *)(uintptr_t)host; /* the echo needs nothing of its own */
    return STATUS_OK;
}

static const void *line_face(void *service)
{
    return service;
}

static void line_close(void *service)
{
    (void)service;
}

static enum status line_kind(const struct host *host, const void *face, struct conn_kind *out)
{
    (void)host;
    (void)face;
    *out = line_echo_kind();
    return STATUS_OK;
}

static void a_service_of_another_protocol_is_a_row_like_any(void **state)
{
    static const struct service_protocol lines = {"line://", line_kind};
    static const char line[] = "+made.by.a.line\n";
    char answer[sizeof(line)] = "";
    struct fixture *f = *state;
    f->rows[f->table.count - 1] = (struct service_row){.id = TOY,
                                                       .key = "line_bootstrap",
                                                       .title = "the echo",
                                                       .flag = "--echo",
                                                       .protocol = &lines,
                                                       .open = line_open,
                                                       .face = line_face,
                                                       .close = line_close};
    start(f);
    const char *url = pinpipe_mock_url_by_key(f->mock, "line_bootstrap");
    assert_int_equal(strncmp(url, "line://127.0.0.1:", 17), 0);
    int fd = raw_connect(atoi(strrchr(url, ':') + 1));
    raw_send_text(fd, line);
    for (size_t len = 0; len < strlen(line);) {
        len += raw_receive_some(fd, answer + len, strlen(line) - len);
    }
    raw_close(fd);
    assert_string_equal(answer, line);
    ask(f, PINPIPE_REST, "GET /topics/made.by.a.line HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(f->reply.status, 200);
    assert_int_equal(pinpipe_mock_stop(f->mock), PINPIPE_OK);
}

static enum status refuse_to_open(const struct host *host, void **out, struct error *err)
{
    (void)host;
    (void)out;
    return error_set(err, STATUS_CONFIG, "not today");
}

static void a_service_that_cannot_open_leaves_the_others_closed(void **state)
{
    struct fixture *f = *state;
    f->rows[f->table.count] = toy_row;
    f->rows[f->table.count].id = TOY + 1;
    f->rows[f->table.count].open = refuse_to_open;
    f->table.count++;
    assert_int_equal(mock_start(&f->table, &f->options, &f->mock, f->why), PINPIPE_CONFIG);
    assert_string_equal(f->why, "not today");
    assert_int_equal(toy_services_open, 0);
}

/* Programs are compiled against these numbers. */
static void enumerators_keep_their_values(void **state)
{
    (void)state;
    assert_int_equal(PINPIPE_GATEWAY, 0);
    assert_int_equal(PINPIPE_REST, 1);
    assert_int_equal(PINPIPE_CONNECT, 2);
    assert_int_equal(PINPIPE_S3, 3);
    assert_int_equal(PINPIPE_MSK_CONNECT, 4);
    assert_int_equal(PINPIPE_MYSQL, 5);
    assert_int_equal(PINPIPE_MYSQL_USUAL_PORT, 3306);
    assert_int_equal(PINPIPE_GATEWAY_USUAL_PORT, 8080);
    assert_int_equal(PINPIPE_REST_USUAL_PORT, 8082);
    assert_int_equal(PINPIPE_CONNECT_USUAL_PORT, 8083);
    assert_int_equal(PINPIPE_S3_USUAL_PORT, 9000);
    assert_int_equal(PINPIPE_MSK_CONNECT_USUAL_PORT, 8084);
}

static void rows_of_this_build_are_told_apart_by_all_that_names_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < service_table.count; i++) {
        const struct service_row *row = &service_table.rows[i];
        assert_true(row->id < PINPIPE_SERVICES_MAX);
        for (size_t other = 0; other < i; other++) {
            const struct service_row *before = &service_table.rows[other];
            assert_string_not_equal(row->key, before->key);
            if (row->open != NULL && before->open != NULL) {
                assert_int_not_equal(row->id, before->id);
                assert_string_not_equal(row->flag, before->flag);
                assert_string_not_equal(row->title, before->title);
            }
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_is_all_that_a_service_costs),
        TEST(a_bug_leaves_a_report_beside_the_data),
        TEST(its_url_stands_beside_the_others),
        TEST(its_answers_join_the_commit_of_the_turn),
        TEST(ports_are_given_by_the_table),
        TEST(a_service_on_request_is_closed_until_it_is_asked_for),
        TEST(a_port_of_another_program_may_be_given_up),
        TEST(options_that_end_before_the_ports_ask_for_none),
        TEST(rows_with_the_same_open_are_listeners_of_one_service),
        TEST(a_service_of_another_protocol_is_a_row_like_any),
        TEST(a_service_that_cannot_open_leaves_the_others_closed),
        TEST(enumerators_keep_their_values),
        TEST(rows_of_this_build_are_told_apart_by_all_that_names_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
