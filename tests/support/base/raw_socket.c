#include "raw_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

int raw_connect_from(const char *source, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in own = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    own.sin_addr.s_addr = inet_addr(source);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    if (bind(fd, (struct sockaddr *)&own, sizeof(own)) != 0) {
        raw_close(fd);
        return -1;
    }
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

int raw_connect_ipv6(int port)
{
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    address.sin6_addr = in6addr_loopback;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        raw_close(fd);
        return -1;
    }
    return fd;
}

int raw_connect(int port)
{
    return raw_connect_from("127.0.0.1", port);
}

void raw_send(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        bytes += sent;
        len -= (size_t)sent;
    }
}

void raw_send_text(int fd, const char *text)
{
    raw_send(fd, text, strlen(text));
}

bool raw_send_some(int fd, const char *bytes, size_t len)
{
    ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent >= 0 || errno == EAGAIN || errno == EWOULDBLOCK;
}

size_t raw_send_what_fits(int fd, const char *bytes, size_t len)
{
    ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent > 0 ? (size_t)sent : 0;
}

void raw_end_sending(int fd)
{
    shutdown(fd, SHUT_WR);
}

bool raw_is_readable_within(int fd, int wait_ms)
{
    struct pollfd watch = {.fd = fd, .events = POLLIN};
    return poll(&watch, 1, wait_ms) == 1;
}

/* False at the end of the stream (or a reset, which is one). */
static bool receive_more(int fd, struct raw_reply *reply, size_t at_most)
{
    size_t room = sizeof(reply->text) - 1 - reply->len;
    if (!raw_is_readable_within(fd, RAW_WAIT_MS)) {
        fail_msg("no answer within %d ms, so far: \"%s\"", RAW_WAIT_MS, reply->text);
    }
    assert_true(room > 0);
    ssize_t got = recv(fd, reply->text + reply->len, at_most < room ? at_most : room, 0);
    if (got <= 0) {
        reply->closed = true;
        return false;
    }
    reply->len += (size_t)got;
    reply->text[reply->len] = '\0';
    return true;
}

static void head_read(int fd, struct raw_reply *reply)
{
    /* Byte by byte: what follows the reply stays in the socket. */
    while (strstr(reply->text, "\r\n\r\n") == NULL) {
        if (!receive_more(fd, reply, 1)) {
            return;
        }
    }
    reply->head_len = reply->len;
    if (sscanf(reply->text, "HTTP/1.1 %d ", &reply->status) != 1) {
        fail_msg("not a reply: \"%s\"", reply->text);
    }
}

static void reply_clear(struct raw_reply *reply)
{
    reply->status = 0;
    reply->closed = false;
    reply->head_len = 0;
    reply->len = 0;
    reply->text[0] = '\0';
}

void raw_receive(int fd, bool head_request, struct raw_reply *reply)
{
    char length[32];
    reply_clear(reply);
    head_read(fd, reply);
    if (head_request || reply->status < 200 ||
        !raw_header(reply, "Content-Length", length, sizeof(length))) {
        return;
    }
    size_t end = reply->head_len + (size_t)strtoul(length, NULL, 10);
    while (reply->len < end && receive_more(fd, reply, end - reply->len)) {
    }
}

void raw_receive_all(int fd, struct raw_reply *reply)
{
    reply_clear(reply);
    head_read(fd, reply);
    while (!reply->closed && receive_more(fd, reply, SIZE_MAX)) {
    }
}

size_t raw_receive_some(int fd, char *out, size_t len)
{
    if (!raw_is_readable_within(fd, RAW_WAIT_MS)) {
        fail_msg("no bytes within %d ms", RAW_WAIT_MS);
    }
    ssize_t got = recv(fd, out, len, 0);
    return got > 0 ? (size_t)got : 0;
}

void raw_pause_ms(int pause_ms)
{
    poll(NULL, 0, pause_ms);
}

bool raw_is_closed_within(int fd, int wait_ms)
{
    char byte;
    return raw_is_readable_within(fd, wait_ms) && recv(fd, &byte, 1, 0) <= 0;
}

void raw_reset(int fd)
{
    const struct linger at_once = {.l_onoff = 1};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
}

void raw_close(int fd)
{
    close(fd);
}

bool raw_header(const struct raw_reply *reply, const char *name, char *out, size_t out_bytes)
{
    size_t name_len = strlen(name);
    const char *line = reply->text;
    while ((line = strstr(line, "\r\n")) != NULL && line < reply->text + reply->head_len - 4) {
        line += 2;
        if (strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            const char *value = line + name_len + 1 + (line[name_len + 1] == ' ');
            size_t len = strcspn(value, "\r");
            assert_true(len < out_bytes);
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
    }
    out[0] = '\0';
    return false;
}

const char *raw_body(const struct raw_reply *reply)
{
    return reply->text + reply->head_len;
}
