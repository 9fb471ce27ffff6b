/* MySQL's port of the whole server in this process: bytes of a client, logged in or not. First
 * byte: 1 logs in first, 2 takes the rest for payloads (a length, then so many bytes) that are sent
 * as commands, else it is sent as it is. Whatever comes, the connection ends by the server's hand,
 * what it sends are packets behind a greeting, and it answers the next client. */
#include "base.h"
#include "pinpipe/mock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    log_in_first = 1,
    as_commands = 2,
    head_bytes = 4,
    answer_bytes_max = 4 * 1024 * 1024,
    inputs_a_server = 20000, /* then it begins anew, with nothing kept */
    inputs_a_look = 64,      /* from one honest client to the next */
};

/* pin, no password, pinterest_data, caching_sha2_password */
static const char hello[] = "\x4a\x00\x00\x01\x08\x82\x28\x00\xff\xff\xff\x00\x2d"
                            "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                            "pin\0\0pinterest_data\0caching_sha2_password";

static const char quit[] = "\x01\x00\x00\x00\x01";

static struct pinpipe_mock *mock;
static int port;
static unsigned inputs;
static uint8_t answers[answer_bytes_max];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void server_begin(void)
{
    struct pinpipe_mock_options options;
    char why[PINPIPE_MESSAGE_BYTES];
    pinpipe_mock_options_init(&options);
    options.has_seed = true;
    PP_ASSERT(pinpipe_mock_start(&options, &mock, why) == PINPIPE_OK);
    port = atoi(strrchr(pinpipe_mock_url(mock, PINPIPE_MYSQL), ':') + 1);
}

static void server_end(void)
{
    PP_ASSERT(pinpipe_mock_stop(mock) == PINPIPE_OK);
    mock = NULL;
}

static int client_connect(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    PP_ASSERT(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* A server that closed already has said why. */
static void client_send(int fd, const void *bytes, size_t len)
{
    const char *p = bytes;
    while (len > 0) {
        ssize_t sent = send(fd, p, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        p += sent;
        len -= (size_t)sent;
    }
}

/* Reads to the end, of a long answer only the first part is kept. Where a server that waits for
 * more says nothing for a while, it is told that there is none. */
static size_t answers_read(int fd)
{
    static uint8_t dropped[64 * 1024];
    const struct timeval patience = {.tv_usec = 50 * 1000};
    size_t len = 0;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    for (;;) {
        bool keep = len < sizeof(answers);
        ssize_t got = keep ? recv(fd, answers + len, sizeof(answers) - len, 0)
                           : recv(fd, dropped, sizeof(dropped), 0);
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            shutdown(fd, SHUT_WR);
        } else if (got <= 0) {
            return len;
        } else {
            len += keep ? (size_t)got : 0;
        }
    }
}

/* How many packets there are; the last one may be cut where the client left too early. */
static size_t packets_check(size_t len)
{
    size_t count = 0;
    size_t at = 0;
    while (at + head_bytes <= len) {
        const uint8_t *p = answers + at;
        at += head_bytes + ((size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16);
        PP_ASSERT(count > 0 || (p[3] == 0 && at <= len && p[head_bytes] == 10));
        count++;
    }
    return count;
}

static void honest_client_is_answered(void)
{
    static const char query[] = "\x2d\x00\x00\x00\x03SELECT * FROM geolocation_data LIMIT 7528, 1";
    int fd = client_connect();
    client_send(fd, hello, sizeof(hello));
    client_send(fd, query, sizeof(query) - 1);
    client_send(fd, quit, sizeof(quit) - 1);
    /* Greeting, OK, the count of columns, five of them, their end, a row, the end. */
    PP_ASSERT(packets_check(answers_read(fd)) == 11);
    close(fd);
}

static void commands_send(int fd, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t count = bytes[0] < len - 1 ? bytes[0] : len - 1;
        const uint8_t head[head_bytes] = {(uint8_t)count};
        client_send(fd, head, sizeof(head));
        client_send(fd, bytes + 1, count);
        bytes += 1 + count;
        len -= 1 + count;
    }
    client_send(fd, quit, sizeof(quit) - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (mock == NULL) {
        server_begin();
        atexit(server_end);
    } else if (++inputs % inputs_a_server == 0) {
        server_end();
        server_begin();
    }
    int fd = client_connect();
    if ((data[0] & log_in_first) != 0) {
        client_send(fd, hello, sizeof(hello));
    }
    if ((data[0] & as_commands) != 0) {
        commands_send(fd, data + 1, size - 1);
    } else {
        client_send(fd, data + 1, size - 1);
        shutdown(fd, SHUT_WR);
    }
    (void)packets_check(answers_read(fd));
    close(fd);
    if (inputs % inputs_a_look == 0) {
        honest_client_is_answered();
    }
    return 0;
}
