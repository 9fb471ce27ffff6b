/* The whole server in this process: bytes of a client on a connection to one of its ports. The
 * first byte says which, the second where the rest is cut in two sends. Whatever comes, the
 * connection ends by the server's hand, what it sends are HTTP answers, and it answers the next
 * client. */
#include "base.h"
#include "pinpipe/mock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    port_count = 5,
    head_bytes = 2,
    inputs_a_server = 20000, /* then it begins anew, with nothing kept */
    inputs_a_look = 64,      /* from one honest client to the next */
};

static const enum pinpipe_service services[port_count] = {
    PINPIPE_GATEWAY, PINPIPE_REST, PINPIPE_CONNECT, PINPIPE_S3, PINPIPE_MSK_CONNECT};

static struct pinpipe_mock *mock;
static int ports[port_count];
static unsigned inputs;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void server_begin(void)
{
    struct pinpipe_mock_options options;
    char why[PINPIPE_MESSAGE_BYTES];
    pinpipe_mock_options_init(&options);
    options.has_seed = true;
    PP_ASSERT(pinpipe_mock_start(&options, &mock, why) == PINPIPE_OK);
    for (size_t i = 0; i < port_count; i++) {
        const char *url = pinpipe_mock_url(mock, services[i]);
        ports[i] = atoi(strchr(url + strlen("http://"), ':') + 1);
    }
}

static void server_end(void)
{
    PP_ASSERT(pinpipe_mock_stop(mock) == PINPIPE_OK);
    mock = NULL;
}

static int client_connect(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    PP_ASSERT(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    return fd;
}

/* A server that closed already has said why. */
static void client_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
}

/* Reads to the end; the first bytes, if there are any, begin an answer. */
static void answers_read(int fd, char *first, size_t first_bytes)
{
    char bytes[16 * 1024];
    size_t len = 0;
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
        size_t room = first_bytes - 1 - len;
        size_t take = (size_t)got < room ? (size_t)got : room;
        memcpy(first + len, bytes, take);
        len += take;
    }
    first[len] = '\0';
    PP_ASSERT(len == 0 || strncmp(first, "HTTP/1.1 ", len < 9 ? len : 9) == 0);
}

static void honest_client_is_answered(void)
{
    static const char request[] = "GET /topics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    char first[64];
    int fd = client_connect(ports[1]);
    client_send(fd, request, sizeof(request) - 1);
    answers_read(fd, first, sizeof(first));
    close(fd);
    PP_ASSERT(strncmp(first, "HTTP/1.1 200 ", 13) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char first[64];
    if (size < head_bytes) {
        return 0;
    }
    if (mock == NULL) {
        server_begin();
        atexit(server_end);
    } else if (++inputs % inputs_a_server == 0) {
        server_end();
        server_begin();
    }
    const char *bytes = (const char *)data + head_bytes;
    size_t len = size - head_bytes;
    size_t cut = len * data[1] / 255;
    int fd = client_connect(ports[data[0] % port_count]);
    client_send(fd, bytes, cut);
    client_send(fd, bytes + cut, len - cut);
    shutdown(fd, SHUT_WR);
    answers_read(fd, first, sizeof(first));
    close(fd);
    if (inputs % inputs_a_look == 0) {
        honest_client_is_answered();
    }
    return 0;
}
