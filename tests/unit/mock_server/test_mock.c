/* The facade: options that make no sense, what start and stop leave behind, restarts, and that an
 * acknowledged record is there afterwards. */
#include "file.h"
#include "lake_check.h"
#include "pinpipe/mock.h"
#include "raw_socket.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { path_bytes = 512, text_max = 64 * 1024 };

struct fixture {
    struct temp_dir dir;
    char data[path_bytes];
    char ready[path_bytes];
    struct pinpipe_mock_options options;
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

static struct pinpipe_mock *start(struct fixture *f)
{
    struct pinpipe_mock *mock = NULL;
    enum pinpipe_result result = pinpipe_mock_start(&f->options, &mock, f->why);
    if (result != PINPIPE_OK) {
        fail_msg("%d: %s", (int)result, f->why);
    }
    return mock;
}

static int port_of(const char *url)
{
    return atoi(strchr(url + strlen("http://"), ':') + 1);
}

static void ask(struct fixture *f, const char *url, const char *text)
{
    int fd = raw_connect(port_of(url));
    raw_send_text(fd, text);
    raw_receive(fd, false, &f->reply);
    raw_close(fd);
}

static const char produce[] =
    "POST /topics/workshop.pin HTTP/1.1\r\nHost: a\r\n"
    "Content-Type: application/vnd.kafka.json.v2+json\r\nContent-Length: 25\r\n\r\n"
    "{\"records\":[{\"value\":1}]}";

/* --- options --- */

struct bad_options {
    void (*spoil)(struct pinpipe_mock_options *options);
    enum pinpipe_result result;
    const char *expected;
};

static void no_size(struct pinpipe_mock_options *o)
{
    o->struct_size = 0;
}

static void no_user(struct pinpipe_mock_options *o)
{
    o->user_id = "";
}

static void odd_user(struct pinpipe_mock_options *o)
{
    o->user_id = "a/b";
}

static void odd_stage(struct pinpipe_mock_options *o)
{
    o->stage = "a b";
}

static void odd_port(struct pinpipe_mock_options *o)
{
    o->rest_port = 65536;
}

static void no_ports(struct pinpipe_mock_options *o)
{
    for (size_t i = 0; i < PINPIPE_SERVICES_MAX; i++) {
        o->ports[i] = -1;
    }
}

static void same_lake_port(struct pinpipe_mock_options *o)
{
    o->connect_port = 18124;
    o->s3_port = 18124;
}

static void little_memory(struct pinpipe_mock_options *o)
{
    o->memory_mib = 47;
}

static void half_credentials(struct pinpipe_mock_options *o)
{
    o->access_key = "AKIDEXAMPLE";
}

static void half_mysql_credentials(struct pinpipe_mock_options *o)
{
    o->mysql_user = "pin";
}

static void same_port(struct pinpipe_mock_options *o)
{
    o->rest_port = 18123;
    o->gateway_port = 18123;
}

static void odd_throttle(struct pinpipe_mock_options *o)
{
    o->throttle_rate = 5;
    o->throttle_burst = 0;
}

static void odd_refused_status(struct pinpipe_mock_options *o)
{
    o->gateway_refused_status = 200;
}

static void odd_journal(struct pinpipe_mock_options *o)
{
    o->journal_rows = -1;
}

static void ignore_request(void *observer, const struct pinpipe_request *request)
{
    (void)observer;
    (void)request;
}

static void half_an_observer(struct pinpipe_mock_options *o)
{
    o->on_request = ignore_request;
}

static void odd_log(struct pinpipe_mock_options *o)
{
    o->log_spec = "loud";
}

static void odd_address(struct pinpipe_mock_options *o)
{
    o->bind_addr = "my-laptop";
}

static void odd_directory(struct pinpipe_mock_options *o)
{
    o->data_dir = "/dev/null/x";
}

static void options_that_make_no_sense_are_named(void **state)
{
    static const struct bad_options cases[] = {
        {no_size, PINPIPE_USAGE, "pinpipe_mock_options_init"},
        {no_user, PINPIPE_CONFIG, "iam_username"},
        {odd_user, PINPIPE_CONFIG, "a/b"},
        {odd_stage, PINPIPE_CONFIG, "a b"},
        {odd_port, PINPIPE_USAGE, "65535"},
        {no_ports, PINPIPE_USAGE, "port"},
        {same_port, PINPIPE_CONFIG, "18123"},
        {same_lake_port, PINPIPE_CONFIG, "--connect or --s3"},
        {little_memory, PINPIPE_USAGE, "48"},
        {half_credentials, PINPIPE_USAGE, "secret"},
        {half_mysql_credentials, PINPIPE_USAGE, "password"},
        {odd_throttle, PINPIPE_USAGE, "burst"},
        {odd_refused_status, PINPIPE_USAGE, "500"},
        {odd_journal, PINPIPE_USAGE, "journal"},
        {half_an_observer, PINPIPE_USAGE, "on_pause"},
        {odd_log, PINPIPE_USAGE, "loud"},
        {odd_address, PINPIPE_CONFIG, "my-laptop"},
        {odd_directory, PINPIPE_CONFIG, "--data"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pinpipe_mock *mock = NULL;
        pinpipe_mock_options_init(&f->options);
        cases[i].spoil(&f->options);
        assert_int_equal(pinpipe_mock_new(&f->options, &mock, f->why), cases[i].result);
        assert_null(mock);
        if (strstr(f->why, cases[i].expected) == NULL) {
            fail_msg("\"%s\" does not name \"%s\"", f->why, cases[i].expected);
        }
    }
}

static void a_shorter_struct_of_an_older_program_gets_the_defaults(void **state)
{
    struct fixture *f = *state;
    struct pinpipe_mock *mock = NULL;
    f->options.struct_size = offsetof(struct pinpipe_mock_options, durability);
    f->options.gateway_refused_status = 1; /* beyond what that program knew */
    assert_int_equal(pinpipe_mock_new(&f->options, &mock, f->why), PINPIPE_OK);
    pinpipe_mock_free(mock);
    assert_int_equal(pinpipe_mock_new(NULL, &mock, NULL), PINPIPE_OK);
    pinpipe_mock_free(mock);
}

/* --- start, stop, again --- */

static void records_are_there_after_a_restart(void **state)
{
    struct fixture *f = *state;
    f->options.data_dir = f->data;
    for (int round = 0; round < 3; round++) {
        char offset[32];
        struct pinpipe_mock *mock = start(f);
        ask(f, pinpipe_mock_url(mock, PINPIPE_REST), produce);
        assert_int_equal(f->reply.status, 200);
        snprintf(offset, sizeof(offset), "\"offset\":%d", round);
        assert_non_null(strstr(raw_body(&f->reply), offset));
        assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
    }
}

static void a_second_server_on_the_same_directory_is_refused(void **state)
{
    struct fixture *f = *state;
    struct pinpipe_mock *second = NULL;
    f->options.data_dir = f->data;
    struct pinpipe_mock *first = start(f);
    assert_int_equal(pinpipe_mock_start(&f->options, &second, f->why), PINPIPE_CONFIG);
    assert_non_null(strstr(f->why, "pid"));
    assert_int_equal(pinpipe_mock_stop(first), PINPIPE_OK);
}

static void the_ready_file_names_the_urls_and_goes_at_the_end_as_server_json(void **state)
{
    struct fixture *f = *state;
    struct buf text;
    struct error err;
    char facts[path_bytes + 16];
    snprintf(facts, sizeof(facts), "%s/server.json", f->data);
    f->options.data_dir = f->data;
    f->options.ready_file = f->ready;
    assert_int_equal(file_replace(f->ready, SPAN_LIT("of an earlier run"), 0600, &err), STATUS_OK);
    struct pinpipe_mock *mock = start(f);
    buf_init(&text, text_max);
    assert_int_equal(file_read(f->ready, &text, &err), STATUS_OK);
    assert_non_null(strstr(buf_cstr(&text), pinpipe_mock_url(mock, PINPIPE_GATEWAY)));
    assert_non_null(strstr(buf_cstr(&text), pinpipe_mock_url(mock, PINPIPE_REST)));
    assert_non_null(strstr(buf_cstr(&text), pinpipe_mock_url(mock, PINPIPE_CONNECT)));
    assert_non_null(strstr(buf_cstr(&text), pinpipe_mock_url(mock, PINPIPE_S3)));
    assert_non_null(strstr(buf_cstr(&text), pinpipe_mock_url(mock, PINPIPE_MSK_CONNECT)));
    assert_non_null(strstr(buf_cstr(&text), "\"kinesis_url\": null"));
    assert_true(file_exists(facts));
    buf_release(&text);
    struct pinpipe_mock *second = NULL;
    assert_int_equal(pinpipe_mock_start(&f->options, &second, f->why), PINPIPE_CONFIG);
    assert_true(file_exists(f->ready)); /* it is the first one's */
    assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
    assert_false(file_exists(facts));
    assert_false(file_exists(f->ready));
}

static void a_ready_file_that_cannot_be_written_fails_the_start(void **state)
{
    struct fixture *f = *state;
    struct pinpipe_mock *mock = NULL;
    f->options.ready_file = "/dev/null/ready.json";
    assert_int_equal(pinpipe_mock_start(&f->options, &mock, f->why), PINPIPE_CONFIG);
    assert_non_null(strstr(f->why, "--ready-file"));
}

static void a_stop_answers_a_waiting_poll(void **state)
{
    struct fixture *f = *state;
    f->options.first_poll = PINPIPE_FIRST_POLL_EAGER;
    struct pinpipe_mock *mock = start(f);
    const char *rest = pinpipe_mock_url(mock, PINPIPE_REST);
    ask(f, rest,
        "POST /consumers/students HTTP/1.1\r\nHost: a\r\n"
        "Content-Type: application/vnd.kafka.v2+json\r\nContent-Length: 30\r\n\r\n"
        "{\"name\":\"c1\",\"format\":\"json\"}\n");
    assert_int_equal(f->reply.status, 200);
    ask(f, rest,
        "POST /consumers/students/instances/c1/subscription HTTP/1.1\r\nHost: a\r\n"
        "Content-Type: application/vnd.kafka.v2+json\r\nContent-Length: 27\r\n\r\n"
        "{\"topics\":[\"workshop.pin\"]}");
    assert_int_equal(f->reply.status, 204);
    int fd = raw_connect(port_of(rest));
    raw_send_text(fd, "GET /consumers/students/instances/c1/records?timeout=60000 HTTP/1.1\r\n"
                      "Host: a\r\nAccept: application/vnd.kafka.json.v2+json\r\n\r\n");
    ask(f, rest, "GET /topics HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
    raw_receive_all(fd, &f->reply);
    assert_true(f->reply.status == 200 || f->reply.status == 503);
    raw_close(fd);
}

/* Waits for the lake to hold something large, or nothing. */
static void await_lake(struct fixture *f, bool something)
{
    char path[path_bytes + 16];
    sqlite3 *db = NULL;
    long long rows = -1;
    snprintf(path, sizeof(path), "%s/state.db", f->data);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    for (int waited_ms = 0; waited_ms < RAW_WAIT_MS; waited_ms += 5) {
        rows = lake_rows(db);
        if (something ? rows > 0 : rows == 0) {
            break;
        }
        raw_pause_ms(5);
    }
    assert_null(lake_check(db));
    sqlite3_close(db);
    if (something ? rows <= 0 : rows != 0) {
        fail_msg("there are %lld rows", rows);
    }
}

/* Although nobody writes anything afterwards. */
static void an_upload_that_breaks_off_leaves_nothing(void **state)
{
    static const char part[1024 * 1024];
    struct fixture *f = *state;
    f->options.data_dir = f->data;
    struct pinpipe_mock *mock = start(f);
    int fd = raw_connect(port_of(pinpipe_mock_url(mock, PINPIPE_S3)));
    raw_send_text(fd, "PUT /user-workshop-bucket/k HTTP/1.1\r\nHost: a\r\n"
                      "Content-Length: 2097152\r\n\r\n");
    raw_send(fd, part, sizeof(part));
    await_lake(f, true);
    raw_close(fd);
    await_lake(f, false);
    assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
}

/* --- who watches --- */

struct seen {
    int requests;
    atomic_int pauses;
    char path[256];
    char hint[512];
    char error_code[64];
    int status;
};

static void on_request(void *observer, const struct pinpipe_request *request)
{
    struct seen *seen = observer;
    seen->requests++;
    seen->status = request->status;
    snprintf(seen->path, sizeof(seen->path), "%s %.*s %.*s", request->service,
             (int)request->method_len, request->method, (int)request->path_len, request->path);
    snprintf(seen->hint, sizeof(seen->hint), "%.*s", (int)request->hint_len, request->hint);
    snprintf(seen->error_code, sizeof(seen->error_code), "%.*s", (int)request->error_code_len,
             request->error_code);
    assert_true(request->received_us > 0 && request->latency_us >= 0);
}

static bool on_pause(void *observer)
{
    struct seen *seen = observer;
    return atomic_fetch_add(&seen->pauses, 1) < 2; /* it is asked again as long as it wants to */
}

static void an_observer_is_told_of_each_request_and_then_has_time(void **state)
{
    struct fixture *f = *state;
    struct seen seen = {.requests = 0};
    char log[2048] = "";
    FILE *log_file = fmemopen(log, sizeof(log), "w");
    f->options.on_request = on_request;
    f->options.on_pause = on_pause;
    f->options.observer = &seen;
    f->options.log_file = log_file;
    f->options.log_spec = "info";
    struct pinpipe_mock *mock = start(f);
    ask(f, pinpipe_mock_url(mock, PINPIPE_REST),
        "POST /topics/workshop.pin?token=secret&a=1 HTTP/1.1\r\nHost: a\r\n"
        "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
    for (int waited_ms = 0; waited_ms < RAW_WAIT_MS && atomic_load(&seen.pauses) < 3;
         waited_ms += 5) {
        raw_pause_ms(5);
    }
    pinpipe_mock_stop(mock);
    fclose(log_file);
    assert_int_equal(seen.requests, 1);
    assert_int_equal(atomic_load(&seen.pauses), 3);
    assert_int_equal(seen.status, 415);
    assert_string_equal(seen.path, "rest POST /topics/workshop.pin?token=***&a=1");
    assert_string_equal(seen.error_code, "415");
    assert_non_null(strstr(seen.hint, "vnd.kafka.json.v2+json"));
    assert_null(strstr(log, "hint:")); /* it is told once */
}

static void ipv6_addresses_work_where_the_machine_has_them(void **state)
{
    struct fixture *f = *state;
    struct pinpipe_mock *mock = NULL;
    f->options.bind_addr = "::1";
    if (pinpipe_mock_start(&f->options, &mock, f->why) != PINPIPE_OK) {
        skip();
    }
    assert_int_equal(strncmp(pinpipe_mock_url(mock, PINPIPE_REST), "http://[::1]:", 13), 0);
    assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_that_make_no_sense_are_named),
        TEST(a_shorter_struct_of_an_older_program_gets_the_defaults),
        TEST(records_are_there_after_a_restart),
        TEST(a_second_server_on_the_same_directory_is_refused),
        TEST(the_ready_file_names_the_urls_and_goes_at_the_end_as_server_json),
        TEST(a_ready_file_that_cannot_be_written_fails_the_start),
        TEST(a_stop_answers_a_waiting_poll),
        TEST(an_upload_that_breaks_off_leaves_nothing),
        TEST(an_observer_is_told_of_each_request_and_then_has_time),
        TEST(ipv6_addresses_work_where_the_machine_has_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
