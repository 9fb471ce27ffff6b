/* A client of MySQL over a bare socket, for tests: it sends the bytes it is told to and shares no
 * code with the server. Every wait has a limit; reaching it fails the test. */
#ifndef PINPIPE_TESTS_MYSQL_CLIENT_H
#define PINPIPE_TESTS_MYSQL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MYSQL_CLIENT_PACKET_BYTES = 256 * 1024 };

struct mysql_client {
    int fd;
    uint8_t sequence; /* of the next packet, in either direction */
    unsigned char salt[21];
    /* The latest packet; longer ones are cut here. */
    size_t len;
    unsigned char payload[MYSQL_CLIENT_PACKET_BYTES + 1];
};

/* Connects and takes the greeting, whatever it is. */
void mysql_client_open(struct mysql_client *client, int port);
void mysql_client_close(struct mysql_client *client);
/* Any user, no password; asserts that the server says OK. */
void mysql_client_login(struct mysql_client *client);
/* A login whose proof is these bytes; `plugin` NULL: none is named. The answer is in payload. */
void mysql_client_hello(struct mysql_client *client, const char *user, const char *database,
                        const char *plugin, const void *proof, uint8_t proof_len);

/* A packet with the client's next sequence number, or with that one. */
void mysql_client_send(struct mysql_client *client, const void *payload, size_t len);
void mysql_client_send_as(struct mysql_client *client, uint8_t sequence, const void *payload,
                          size_t len);
/* A command begins to count anew. */
void mysql_client_command(struct mysql_client *client, uint8_t command, const void *rest,
                          size_t len);
void mysql_client_query(struct mysql_client *client, const char *sql);
/* The next packet; false: the server has closed. Asserts its sequence number. */
bool mysql_client_receive(struct mysql_client *client);

/* Asserts what the latest packet is. */
void mysql_client_assert_ok(const struct mysql_client *client);
void mysql_client_assert_eof(const struct mysql_client *client);
void mysql_client_assert_error(const struct mysql_client *client, unsigned code,
                               const char *state_and_message);
/* The answer to a query: rows up to the end, counted; their bytes too where `bytes` is not NULL. */
size_t mysql_client_rows(struct mysql_client *client, size_t *bytes);

#endif
