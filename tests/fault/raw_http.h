/* The fault clients' own little HTTP over bare sockets, and the starting and stopping of the real
 * server. Nothing of the product is linked: a defect there cannot hide itself here. */
#ifndef PINPIPE_TESTS_RAW_HTTP_H
#define PINPIPE_TESTS_RAW_HTTP_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define JSON_TYPE "application/vnd.kafka.json.v2+json"
#define V2_TYPE   "application/vnd.kafka.v2+json"

enum { REPLY_BYTES_MAX = 32 * 1024 * 1024, REPLY_WAIT_S = 20, ARGS_MAX = 32 };

__attribute__((format(printf, 1, 2), noreturn)) static inline void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("not ok - ");
    vprintf(format, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
    exit(1);
}

static inline int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline void pause_us(int64_t us)
{
    struct timespec wait = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};
    nanosleep(&wait, NULL);
}

/* --- HTTP --- */

struct reply {
    int status; /* 0: the connection broke before the whole reply was there */
    char *text; /* head and body, NUL-terminated */
    size_t len;
    size_t cap;
    const char *body;
};

static inline int http_connect(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval wait = {.tv_sec = REPLY_WAIT_S};
    int yes = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    return fd;
}

static inline bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        len -= (size_t)sent;
    }
    return true;
}

static inline bool reply_complete(struct reply *reply)
{
    char *end = strstr(reply->text, "\r\n\r\n");
    char *length = strstr(reply->text, "Content-Length: ");
    if (end == NULL) {
        return false;
    }
    size_t body = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
    size_t head = (size_t)(end + 4 - reply->text);
    if (reply->len < head + body) {
        return false;
    }
    reply->status = atoi(reply->text + 9);
    reply->body = reply->text + head;
    return true;
}

static inline void reply_receive(int fd, struct reply *reply)
{
    reply->status = 0;
    reply->len = 0;
    do {
        if (reply->len + 65536 + 1 > reply->cap) {
            reply->cap = reply->cap == 0 ? 131072 : reply->cap * 2;
            reply->text = realloc(reply->text, reply->cap);
            if (reply->text == NULL || reply->cap > REPLY_BYTES_MAX) {
                die("a reply is too long");
            }
        }
        ssize_t got = recv(fd, reply->text + reply->len, 65536, 0);
        if (got <= 0) {
            return;
        }
        reply->len += (size_t)got;
        reply->text[reply->len] = '\0';
    } while (!reply_complete(reply));
}

static inline bool http_send(int fd, const char *method, const char *path, const char *type,
                             const char *body)
{
    char head[512];
    size_t body_len = body != NULL ? strlen(body) : 0;
    int len = snprintf(head, sizeof(head),
                       "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       method, path, type, body_len);
    return send_all(fd, head, (size_t)len) && (body_len == 0 || send_all(fd, body, body_len));
}

/* A request on a connection of its own; its status, 0 when it broke. */
static inline int http_once(int port, const char *method, const char *path, const char *type,
                            const char *body, struct reply *reply)
{
    int fd = http_connect(port);
    reply->status = 0;
    if (fd >= 0 && http_send(fd, method, path, type, body)) {
        reply_receive(fd, reply);
    }
    if (fd >= 0) {
        close(fd);
    }
    return reply->status;
}

/* --- the server --- */

struct server {
    const char *program;
    const char *dir;        /* --data */
    const char *durability; /* NULL: the default */
    const char *memory_mib; /* the same */
    const char *preload;    /* LD_PRELOAD, may be NULL */
    char ready_path[512];
    char log_path[512]; /* its stderr */
    pid_t pid;
    int port; /* of the REST proxy */
    int s3_port;
};

static inline void server_init(struct server *server, const char *program, const char *work_dir,
                               const char *data_dir)
{
    *server = (struct server){.program = program, .dir = data_dir};
    snprintf(server->ready_path, sizeof(server->ready_path), "%s/ready.json", work_dir);
    snprintf(server->log_path, sizeof(server->log_path), "%s/server.log", work_dir);
}

static inline void server_exec(const struct server *server)
{
    const char *args[ARGS_MAX] = {server->program, "serve",        "--ephemeral",     "--data",
                                  server->dir,     "--ready-file", server->ready_path};
    int count = 7;
    if (server->durability != NULL) {
        args[count++] = "--durability";
        args[count++] = server->durability;
    }
    if (server->memory_mib != NULL) {
        args[count++] = "--memory";
        args[count++] = server->memory_mib;
    }
    int log = open(server->log_path, O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(log, 1);
    dup2(log, 2);
    if (server->preload != NULL) {
        setenv("LD_PRELOAD", server->preload, 1);
    }
    execv(server->program, (char *const *)(uintptr_t)args);
    _exit(127);
}

/* Starts it without waiting for anything. */
static inline void server_spawn(struct server *server)
{
    unlink(server->ready_path);
    fflush(stdout);
    server->pid = fork();
    if (server->pid == 0) {
        server_exec(server);
    }
}

/* 0: the file names no such URL. */
static inline int ready_port(const char *text, const char *key)
{
    const char *url = strstr(text, key);
    const char *colon = url != NULL ? strchr(url + strlen(key), ':') : NULL;
    return colon != NULL ? atoi(colon + 1) : 0;
}

static inline bool server_read_ready(struct server *server)
{
    char text[4096] = "";
    FILE *file = fopen(server->ready_path, "r");
    if (file == NULL) {
        return false;
    }
    size_t got = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[got] = '\0';
    server->port = ready_port(text, "\"rest_url\": \"http://");
    server->s3_port = ready_port(text, "\"s3_url\": \"http://");
    return server->port > 0;
}

/* Dies when it does not come up. */
static inline void server_start(struct server *server)
{
    int status;
    server_spawn(server);
    for (int64_t start = now_us(); now_us() - start < INT64_C(20000000);) {
        if (server_read_ready(server)) {
            return;
        }
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            die("the server ended at start with status %d, see %s", WEXITSTATUS(status),
                server->log_path);
        }
        pause_us(500);
    }
    die("the server is not ready after 20 s, see %s", server->log_path);
}

static inline void server_kill(struct server *server)
{
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
}

/* SIGTERM; its exit code. */
static inline int server_stop(struct server *server)
{
    int status = 0;
    kill(server->pid, SIGTERM);
    waitpid(server->pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#endif
