/* A conversation whose server lacks memory at each of its allocations in turn: the client is
 * answered rightly, gets an error, or loses its connection; the next one sees nothing of it, and
 * nothing stays counted (server_free looks). */
#include "alloc_fault.h"
#include "mysql_client.h"
#include "mysql_world.h"
#include "raw_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Behind its command's byte: the statement's id, a LONGLONG of 5. */
static const char execution[] = "\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x08\x00"
                                "\x05\x00\x00\x00\x00\x00\x00\x00";

/* The first packet of the answer; false: there is none, or it is an error. */
static bool is_answered(struct mysql_client *client)
{
    return mysql_client_receive(client) && client->payload[0] != 0xff;
}

static bool is_end(const struct mysql_client *client)
{
    return client->payload[0] == 0xfe && client->len == 5;
}

/* So many definitions and their end have come. */
static bool definitions_come(struct mysql_client *client, unsigned count)
{
    for (unsigned i = 0; i <= count; i++) {
        if (!is_answered(client)) {
            return false;
        }
    }
    assert_true(is_end(client));
    return true;
}

/* Rows up to the end, of which there are so many. */
static bool rows_come(struct mysql_client *client, size_t expected)
{
    size_t rows = 0;
    if (!is_answered(client) || !definitions_come(client, client->payload[0])) {
        return false;
    }
    while (is_answered(client)) {
        if (is_end(client)) {
            assert_int_equal(rows, expected);
            return true;
        }
        rows++;
    }
    return false;
}

static bool query(struct mysql_client *client, const char *sql, size_t expected)
{
    mysql_client_command(client, 0x03, sql, strlen(sql));
    return rows_come(client, expected);
}

/* True: all of it was answered rightly. */
static bool converse(struct mysql_client *client)
{
    static const char statement[] = "SELECT ind, age FROM user_data WHERE ind = ?";
    client->sequence = 0;
    if (!is_answered(client)) {
        return false;
    }
    char hello[77] = "\x08\x82\x28\x00\xff\xff\xff\x00\x2d";
    memcpy(hello + 32, "pin\0\0pinterest_data\0caching_sha2_password", 42);
    mysql_client_send(client, hello, 74);
    if (!is_answered(client)) {
        return false;
    }
    if (!query(client, "SELECT * FROM geolocation_data LIMIT 7, 1", 1) ||
        !query(client, "SELECT * FROM pinterest_data LIMIT 500", 500)) {
        return false;
    }
    mysql_client_command(client, 0x16, statement, sizeof(statement) - 1);
    if (!is_answered(client) || !definitions_come(client, 1) || !definitions_come(client, 2)) {
        return false;
    }
    mysql_client_command(client, 0x17, execution, sizeof(execution) - 1);
    if (!rows_come(client, 1)) {
        return false;
    }
    mysql_client_command(client, 0x04, "user_data\0", 11);
    return definitions_come(client, 5);
}

static void a_lack_of_memory_is_an_error_or_the_end(void **state)
{
    struct mysql_world world;
    struct mysql_client *client = calloc(1, sizeof(*client));
    (void)state;
    mysql_world_init(&world);
    mysql_world_start(&world);
    client->fd = raw_connect(world.port);
    assert_true(converse(client)); /* the tables are there from now on */
    raw_close(client->fd);
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
        client->fd = raw_connect(world.port);
        bool answered = converse(client);
        bool failed = alloc_fault_end();
        raw_close(client->fd);
        assert_true(answered || failed);
        client->fd = raw_connect(world.port);
        if (!converse(client)) {
            fail_msg("after allocation %ld the next client is not served", n);
        }
        raw_close(client->fd);
    }
    mysql_world_stop(&world);
    free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lack_of_memory_is_an_error_or_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
