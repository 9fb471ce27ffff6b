#include "answer_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* The first byte of a client that speaks TLS: answered in plain HTTP, as web servers do. */
enum { tls_handshake = 0x16 };

void answer_send(int fd, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, 0);
        if (sent <= 0) {
            return;
        }
        bytes = span_skip(bytes, (size_t)sent);
    }
}

static size_t body_length(const char *head)
{
    const char *line = strstr(head, "Content-Length: ");
    return line != NULL ? (size_t)strtoul(line + 16, NULL, 10) : 0;
}

/* A whole request, also into server->last; false at the end of the connection. */
static bool read_request(struct answer_server *server, int fd)
{
    size_t used = 0;
    for (;;) {
        ssize_t got = recv(fd, server->incoming + used, sizeof(server->incoming) - 1 - used, 0);
        if (got <= 0) {
            return false;
        }
        used += (size_t)got;
        server->incoming[used] = '\0';
        if (server->incoming[0] == tls_handshake) {
            break;
        }
        const char *end = strstr(server->incoming, "\r\n\r\n");
        if (end != NULL &&
            used >= (size_t)(end + 4 - server->incoming) + body_length(server->incoming)) {
            break;
        }
    }
    pthread_mutex_lock(&server->lock);
    memcpy(server->last, server->incoming, used + 1);
    pthread_mutex_unlock(&server->lock);
    return true;
}

static bool answer_request(struct answer_server *server, int fd)
{
    char path[64] = "";
    if (server->incoming[0] == tls_handshake) {
        answer_send(fd, SPAN_LIT("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"));
        return false;
    }
    sscanf(server->incoming, "%*s %63[^ ?]", path);
    for (size_t i = 0; i < server->answer_count; i++) {
        if (strcmp(path, server->answers[i].path) == 0) {
            answer_send(fd, server->answers[i].bytes);
            return !server->answers[i].close;
        }
    }
    return server->otherwise == NULL || server->otherwise(fd, path);
}

static void *serve(void *ctx)
{
    struct answer_server *server = ctx;
    for (;;) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0 || server->stopping) {
            close(fd);
            return NULL;
        }
        server->connections++;
        bool more = true;
        while (more && read_request(server, fd)) {
            server->requests++;
            more = answer_request(server, fd);
        }
        close(fd);
        server->ended++;
    }
}

void answer_server_start(struct answer_server *server, const struct answer *answers, size_t count,
                         answer_fn otherwise)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    signal(SIGPIPE, SIG_IGN);
    server->answers = answers;
    server->answer_count = count;
    server->otherwise = otherwise;
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

void answer_server_stop(struct answer_server *server)
{
    /* Not every system wakes an accept whose socket is shut down; a connection does. */
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    server->stopping = true;
    int waker = socket(AF_INET, SOCK_STREAM, 0);
    connect(waker, (struct sockaddr *)&address, sizeof(address));
    close(waker);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

const char *answer_server_last(struct answer_server *server)
{
    pthread_mutex_lock(&server->lock);
    memcpy(server->shown, server->last, sizeof(server->shown));
    pthread_mutex_unlock(&server->lock);
    return server->shown;
}
