/* Clients that do not behave: each gets MySQL's own error, none disturbs another, and nothing is
 * left of them. */
#include "mysql_client.h"
#include "mysql_world.h"
#include "raw_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { short_ms = 30, logins = 10000, statement_max = 16 * 1024 * 1024 };

/* Rows without end, as far as any reader goes. */
static const char endless[] = "SELECT a.* FROM pinterest_data a, user_data b";

struct fixture {
    struct mysql_world world;
    struct mysql_client client;
    struct mysql_client other;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    mysql_world_init(&f->world);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void begin(struct fixture *f)
{
    mysql_world_start(&f->world);
    mysql_client_open(&f->client, f->world.port);
}

static void assert_closed(struct mysql_client *client)
{
    char bytes[4096];
    while (raw_receive_some(client->fd, bytes, sizeof(bytes)) > 0) {
    }
    mysql_client_close(client);
}

/* A client that does not read learns by sending that the server has closed. */
static void assert_given_up(struct mysql_client *client)
{
    int waited_ms = 0;
    while (raw_send_some(client->fd, "", 1)) {
        assert_true(waited_ms < RAW_WAIT_MS);
        raw_pause_ms(short_ms);
        waited_ms += short_ms;
    }
    mysql_client_close(client);
}

static void assert_served(struct mysql_client *client)
{
    mysql_client_query(client, "SELECT * FROM geolocation_data LIMIT 7, 1");
    assert_int_equal(mysql_client_rows(client, NULL), 1);
}

/* Somebody else, from the login on. */
static void assert_others_are_served(struct fixture *f)
{
    mysql_client_open(&f->other, f->world.port);
    mysql_client_login(&f->other);
    assert_served(&f->other);
    mysql_client_close(&f->other);
}

static void assert_refused(struct fixture *f, unsigned code, const char *text)
{
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_error(&f->client, code, text);
    assert_closed(&f->client);
    assert_others_are_served(f);
    mysql_world_stop(&f->world);
}

static void another_protocol_is_out_of_order(void **state)
{
    struct fixture *f = *state;
    begin(f);
    raw_send_text(f->client.fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    f->client.sequence = ' ' + 1;
    assert_refused(f, 1156, "Got packets out of order");
}

static void garbage_is_a_bad_handshake(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_send(&f->client, "\x00\x02 garbage", 10);
    assert_refused(f, 1043, "Bad handshake");
}

static void a_client_of_mysql_4_is_told_so(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_send(&f->client, "\x85\x24\x00\x00\x01pin\0na", 11);
    assert_refused(f, 1251,
                   "Client does not support authentication protocol requested by server; consider "
                   "upgrading MySQL client");
}

static void a_login_has_a_limit(void **state)
{
    struct fixture *f = *state;
    begin(f);
    raw_send(f->client.fd, "\x01\x00\x03\x01", 4); /* 192 KiB */
    f->client.sequence = 2;
    assert_refused(f, 1153, "Got a packet bigger than 'max_allowed_packet' bytes");
}

static void a_login_that_does_not_come_is_given_up(void **state)
{
    struct fixture *f = *state;
    f->world.limits.login_ms = short_ms;
    mysql_world_start(&f->world);
    mysql_client_open(&f->client, f->world.port);
    raw_send(f->client.fd, "\x20\x00", 2); /* half a head */
    f->client.sequence = 2;
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_error(&f->client, 1043, "Bad handshake");
    assert_closed(&f->client);
    mysql_world_stop(&f->world);
}

static void a_command_counts_from_zero(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_send_as(&f->client, 3, "\x0e", 1);
    assert_refused(f, 1156, "#08S01Got packets out of order");
}

static void the_parts_of_a_command_count_on(void **state)
{
    struct fixture *f = *state;
    char *part = calloc(1, 0xffffff);
    begin(f);
    mysql_client_login(&f->client);
    part[0] = 3;
    raw_send(f->client.fd, "\xff\xff\xff\x00", 4);
    raw_send(f->client.fd, part, 0xffffff);
    raw_send(f->client.fd, "\x01\x00\x00\x05 ", 5);
    f->client.sequence = 6;
    free(part);
    assert_refused(f, 1156, "#08S01Got packets out of order");
}

static void a_statement_has_a_limit(void **state)
{
    struct fixture *f = *state;
    char *part = calloc(1, 0xffffff);
    begin(f);
    mysql_client_login(&f->client);
    part[0] = 3;
    raw_send(f->client.fd, "\xff\xff\xff\x00", 4);
    raw_send(f->client.fd, part, 0xffffff);
    raw_send(f->client.fd, "\x02\x00\x00\x01", 4);
    f->client.sequence = 2;
    free(part);
    assert_refused(f, 1153, "#08S01Got a packet bigger than 'max_allowed_packet' bytes");
}

static void the_longest_statement_is_taken(void **state)
{
    struct fixture *f = *state;
    char *sql = malloc(statement_max);
    begin(f);
    mysql_client_login(&f->client);
    memset(sql, 'x', statement_max);
    memcpy(sql, "SELECT ", 7);
    mysql_client_command(&f->client, 0x03, sql, statement_max - 1);
    assert_true(mysql_client_receive(&f->client));
    assert_int_equal(f->client.payload[0], 0xff);
    free(sql);
    assert_served(&f->client); /* on the same connection */
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void two_long_statements_at_once_are_one_too_many(void **state)
{
    struct fixture *f = *state;
    char *part = calloc(1, 0xffffff);
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_open(&f->other, f->world.port);
    mysql_client_login(&f->other);
    part[0] = 3;
    raw_send(f->client.fd, "\xff\xff\xff\x00", 4);
    raw_send(f->client.fd, part, 0xffffff);
    raw_send(f->other.fd, "\xff\xff\xff\x00", 4);
    raw_send(f->other.fd, part, 0xffffff);
    f->other.sequence = 1;
    assert_true(mysql_client_receive(&f->other));
    assert_int_equal(f->other.payload[1] | f->other.payload[2] << 8, 1041);
    assert_closed(&f->other);
    assert_others_are_served(f);
    free(part);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void bytes_may_come_one_by_one(void **state)
{
    static const char query[] = "\x2a\x00\x00\x00\x03SELECT * FROM geolocation_data LIMIT 7, 1";
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    for (size_t i = 0; i < sizeof(query) - 1; i++) {
        raw_send(f->client.fd, query + i, 1);
        raw_pause_ms(i % 8 == 0 ? 1 : 0);
    }
    f->client.sequence = 1;
    assert_true(mysql_client_receive(&f->client));
    assert_int_equal(mysql_client_rows(&f->client, NULL), 1);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void commands_may_come_before_the_answers(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    raw_send(f->client.fd,
             "\x05\x00\x00\x00\x19\x01\x00\x00\x00" /* closes a statement, which has no answer */
             "\x01\x00\x00\x00\x0e"
             "\x09\x00\x00\x00\x03SELECT 1"
             "\x01\x00\x00\x00\x0e",
             9 + 5 + 13 + 5);
    f->client.sequence = 1;
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_ok(&f->client);
    f->client.sequence = 1;
    assert_true(mysql_client_receive(&f->client));
    assert_int_equal(mysql_client_rows(&f->client, NULL), 1);
    f->client.sequence = 1;
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_ok(&f->client);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void commands_without_answers_leave_others_their_turns(void **state)
{
    enum { closes = 5000, close_bytes = 9, ping_bytes = 5 };
    struct fixture *f = *state;
    char *commands = calloc(closes * close_bytes + ping_bytes, 1);
    begin(f);
    mysql_client_login(&f->client);
    for (size_t i = 0; i < closes; i++) {
        memcpy(commands + i * close_bytes, "\x05\x00\x00\x00\x19\x01\x00\x00\x00", close_bytes);
    }
    memcpy(commands + (size_t)closes * close_bytes, "\x01\x00\x00\x00\x0e", ping_bytes);
    raw_send(f->client.fd, commands, closes * close_bytes + ping_bytes);
    f->client.sequence = 1;
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_ok(&f->client);
    free(commands);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void half_a_command_is_given_up(void **state)
{
    struct fixture *f = *state;
    f->world.limits.command_ms = short_ms;
    begin(f);
    mysql_client_login(&f->client);
    raw_send(f->client.fd, "\x20\x00\x00\x00\x03SELECT", 11);
    f->client.sequence = 1;
    assert_refused(f, 1159, "#08S01Got timeout reading communication packets");
}

static void a_silent_client_is_let_go(void **state)
{
    struct fixture *f = *state;
    f->world.limits.idle_ms = short_ms;
    begin(f);
    mysql_client_login(&f->client);
    f->client.sequence = 1; /* as the answer to its next command, which comes too late */
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_error(
        &f->client, 4031,
        "#HY000The client was disconnected by the server because of inactivity. See wait_timeout "
        "and interactive_timeout for configuring this behavior.");
    assert_closed(&f->client);
    mysql_world_stop(&f->world);
}

static void what_is_no_command_is_unknown(void **state)
{
    static const uint8_t codes[] = {0x00, 0x05, 0x06, 0x07, 0x08, 0x0a, 0x0c, 0x0d, 0x0f,
                                    0x12, 0x13, 0x14, 0x15, 0x1c, 0x1d, 0x1e, 0x20, 0xff};
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
        mysql_client_command(&f->client, codes[i], "abc", 3);
        assert_true(mysql_client_receive(&f->client));
        mysql_client_assert_error(&f->client, 1047, "#08S01Unknown command");
    }
    mysql_client_send_as(&f->client, 0, "", 0);
    assert_true(mysql_client_receive(&f->client));
    mysql_client_assert_error(&f->client, 1047, "#08S01Unknown command");
    assert_served(&f->client);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void a_reader_that_stops_loses_its_connection_and_holds_nobody(void **state)
{
    struct fixture *f = *state;
    f->world.limits.send_ms = short_ms;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_command(&f->client, 0x03, endless, sizeof(endless) - 1);
    assert_others_are_served(f);
    assert_given_up(&f->client);
    assert_others_are_served(f);
    mysql_world_stop(&f->world);
    assert_true(f->world.replies_peak_bytes <= (size_t)2 * MYSQL_OUT_BYTES_MAX);
}

static void a_crowd_of_readers_that_stop_is_let_go_sooner(void **state)
{
    struct fixture *f = *state;
    f->world.limits.crowded_send_ms = short_ms;
    f->world.server_limits.budget_bytes_max = (size_t)2 * 1024 * 1024;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_command(&f->client, 0x03, endless, sizeof(endless) - 1);
    assert_true(mysql_client_receive(&f->client));
    assert_given_up(&f->client);
    assert_others_are_served(f);
    mysql_world_stop(&f->world);
}

static void readers_share_the_turns(void **state)
{
    enum { crowd = 8 };
    struct fixture *f = *state;
    int readers[crowd];
    begin(f);
    for (size_t i = 0; i < crowd; i++) {
        struct mysql_client *client = &f->other;
        mysql_client_open(client, f->world.port);
        mysql_client_login(client);
        mysql_client_command(client, 0x03, endless, sizeof(endless) - 1);
        readers[i] = client->fd;
    }
    mysql_client_login(&f->client);
    assert_served(&f->client);
    for (size_t i = 0; i < crowd; i++) {
        char bytes[4096];
        assert_true(raw_receive_some(readers[i], bytes, sizeof(bytes)) > 0);
        raw_close(readers[i]);
    }
    assert_served(&f->client);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void who_leaves_in_mid_result_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    begin(f);
    for (int i = 0; i < 50; i++) {
        struct mysql_client *client = &f->other;
        mysql_client_open(client, f->world.port);
        mysql_client_login(client);
        mysql_client_command(client, 0x03, endless, sizeof(endless) - 1);
        assert_true(i % 3 == 0 || mysql_client_receive(client));
        if (i % 2 == 0) {
            raw_reset(client->fd);
        } else {
            raw_close(client->fd);
        }
    }
    assert_others_are_served(f);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void a_stop_ends_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    f->world.server_limits.stop_ms = short_ms;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_command(&f->client, 0x03, endless, sizeof(endless) - 1);
    assert_true(mysql_client_receive(&f->client));
    mysql_client_open(&f->other, f->world.port); /* which has not logged in yet */
    mysql_world_stop(&f->world);
    assert_closed(&f->client);
    assert_closed(&f->other);
}

static void too_many_are_told_so(void **state)
{
    struct fixture *f = *state;
    f->world.server_limits.port_connections_max = 1;
    begin(f);
    mysql_client_login(&f->client);
    mysql_client_command(&f->client, 0x03, endless, sizeof(endless) - 1);
    assert_true(mysql_client_receive(&f->client));
    mysql_client_open(&f->other, f->world.port);
    mysql_client_assert_error(&f->other, 1040, "Too many connections");
    assert_closed(&f->other);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

static void ten_thousand_may_log_in_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    begin(f);
    mysql_client_login(&f->client);
    for (int i = 0; i < logins; i++) {
        mysql_client_open(&f->other, f->world.port);
        mysql_client_login(&f->other);
        raw_reset(f->other.fd);
    }
    assert_served(&f->client);
    mysql_client_close(&f->client);
    mysql_world_stop(&f->world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(another_protocol_is_out_of_order),
        TEST(garbage_is_a_bad_handshake),
        TEST(a_client_of_mysql_4_is_told_so),
        TEST(a_login_has_a_limit),
        TEST(a_login_that_does_not_come_is_given_up),
        TEST(a_command_counts_from_zero),
        TEST(the_parts_of_a_command_count_on),
        TEST(a_statement_has_a_limit),
        TEST(the_longest_statement_is_taken),
        TEST(two_long_statements_at_once_are_one_too_many),
        TEST(bytes_may_come_one_by_one),
        TEST(commands_may_come_before_the_answers),
        TEST(commands_without_answers_leave_others_their_turns),
        TEST(half_a_command_is_given_up),
        TEST(a_silent_client_is_let_go),
        TEST(what_is_no_command_is_unknown),
        TEST(a_reader_that_stops_loses_its_connection_and_holds_nobody),
        TEST(a_crowd_of_readers_that_stop_is_let_go_sooner),
        TEST(readers_share_the_turns),
        TEST(who_leaves_in_mid_result_leaves_nothing),
        TEST(a_stop_ends_what_is_under_way),
        TEST(too_many_are_told_so),
        TEST(ten_thousand_may_log_in_one_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
