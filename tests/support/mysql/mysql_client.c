#include "mysql_client.h"

#include "raw_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { head_bytes = 4, packet_bytes_max = 0xffffff };

static const uint32_t caps_base = 0x8200 | 0x200000; /* PROTOCOL_41, SECURE_CONNECTION, lenenc */

/* Exactly so many bytes; those behind the room are dropped. False: the server has closed. */
static bool receive_bytes(int fd, unsigned char *out, size_t len, size_t room)
{
    char dropped[4096];
    for (size_t got = 0; got < len;) {
        bool keep = got < room;
        size_t want = keep ? (len < room ? len : room) - got : len - got;
        if (!keep && want > sizeof(dropped)) {
            want = sizeof(dropped);
        }
        size_t count = raw_receive_some(fd, keep ? (char *)out + got : dropped, want);
        if (count == 0) {
            return false;
        }
        got += count;
    }
    return true;
}

bool mysql_client_receive(struct mysql_client *client)
{
    unsigned char head[head_bytes];
    if (!receive_bytes(client->fd, head, sizeof(head), sizeof(head))) {
        return false;
    }
    size_t len = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    assert_int_equal(head[3], client->sequence);
    client->sequence++;
    client->len = len < MYSQL_CLIENT_PACKET_BYTES ? len : MYSQL_CLIENT_PACKET_BYTES;
    if (!receive_bytes(client->fd, client->payload, len, client->len)) {
        return false;
    }
    client->payload[client->len] = '\0';
    return true;
}

void mysql_client_open(struct mysql_client *client, int port)
{
    client->fd = raw_connect(port);
    client->sequence = 0;
    assert_true(mysql_client_receive(client));
    if (client->payload[0] == 10) {
        const unsigned char *p = client->payload + 1 + strlen((char *)client->payload + 1) + 1 + 4;
        memcpy(client->salt, p, 8);
        memcpy(client->salt + 8, p + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10, 12);
        client->salt[20] = '\0';
    }
}

void mysql_client_close(struct mysql_client *client)
{
    raw_close(client->fd);
}

void mysql_client_send_as(struct mysql_client *client, uint8_t sequence, const void *payload,
                          size_t len)
{
    const char *bytes = payload;
    bool more = true;
    while (more) {
        size_t part = len < packet_bytes_max ? len : packet_bytes_max;
        char *packet = malloc(head_bytes + part);
        assert_non_null(packet);
        const char head[head_bytes] = {(char)part, (char)(part >> 8), (char)(part >> 16),
                                       (char)sequence++};
        memcpy(packet, head, head_bytes);
        memcpy(packet + head_bytes, bytes, part);
        raw_send(client->fd, packet, head_bytes + part);
        free(packet);
        bytes += part;
        len -= part;
        more = part == packet_bytes_max;
    }
    client->sequence = sequence;
}

void mysql_client_send(struct mysql_client *client, const void *payload, size_t len)
{
    mysql_client_send_as(client, client->sequence, payload, len);
}

void mysql_client_command(struct mysql_client *client, uint8_t command, const void *rest,
                          size_t len)
{
    char *payload = malloc(len + 1);
    assert_non_null(payload);
    payload[0] = (char)command;
    if (len > 0) {
        memcpy(payload + 1, rest, len);
    }
    mysql_client_send_as(client, 0, payload, len + 1);
    free(payload);
}

void mysql_client_query(struct mysql_client *client, const char *sql)
{
    mysql_client_command(client, 0x03, sql, strlen(sql));
    assert_true(mysql_client_receive(client));
}

void mysql_client_hello(struct mysql_client *client, const char *user, const char *database,
                        const char *plugin, const void *proof, uint8_t proof_len)
{
    char payload[1024] = {0};
    uint32_t caps = caps_base | (database != NULL ? 0x8 : 0) | (plugin != NULL ? 0x80000 : 0);
    size_t len = 32;
    for (int i = 0; i < 4; i++) {
        payload[i] = (char)(caps >> (8 * i));
    }
    payload[8] = 45;
    strcpy(payload + len, user);
    len += strlen(user) + 1;
    payload[len++] = (char)proof_len;
    memcpy(payload + len, proof, proof_len);
    len += proof_len;
    const char *texts[] = {database, plugin};
    for (size_t i = 0; i < 2; i++) {
        if (texts[i] != NULL) {
            strcpy(payload + len, texts[i]);
            len += strlen(texts[i]) + 1;
        }
    }
    mysql_client_send(client, payload, len);
    assert_true(mysql_client_receive(client));
}

void mysql_client_login(struct mysql_client *client)
{
    mysql_client_hello(client, "pin", "pinterest_data", "caching_sha2_password", "", 0);
    mysql_client_assert_ok(client);
}

void mysql_client_assert_ok(const struct mysql_client *client)
{
    if (client->payload[0] == 0xff) {
        fail_msg("%s", (const char *)client->payload + 3);
    }
    assert_int_equal(client->payload[0], 0);
}

static bool is_eof(const struct mysql_client *client)
{
    return client->payload[0] == 0xfe && client->len == 5;
}

void mysql_client_assert_eof(const struct mysql_client *client)
{
    assert_true(is_eof(client));
}

void mysql_client_assert_error(const struct mysql_client *client, unsigned code,
                               const char *state_and_message)
{
    assert_int_equal(client->payload[0], 0xff);
    assert_string_equal((const char *)client->payload + 3, state_and_message);
    assert_int_equal(client->payload[1] | client->payload[2] << 8, code);
}

size_t mysql_client_rows(struct mysql_client *client, size_t *bytes)
{
    size_t rows = 0;
    if (client->payload[0] == 0xff) {
        fail_msg("%s", (const char *)client->payload + 3);
    }
    for (size_t i = client->payload[0]; i > 0; i--) {
        assert_true(mysql_client_receive(client));
    }
    assert_true(mysql_client_receive(client));
    mysql_client_assert_eof(client);
    for (;;) {
        assert_true(mysql_client_receive(client));
        if (is_eof(client)) {
            return rows;
        }
        assert_int_not_equal(client->payload[0], 0xff);
        rows++;
        if (bytes != NULL) {
            *bytes += client->len;
        }
    }
}
