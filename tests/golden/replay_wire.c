#include "replay_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { wait_ms = 35000 }; /* the gateway gives up a backend after 29 s */

/* --- the server --- */

static void sleep_ms(long ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

const struct target *server_target(const struct server *server, const char *name, size_t len)
{
    for (size_t i = 0; i < server->target_count; i++) {
        const struct target *target = &server->targets[i];
        if (strlen(target->name) == len && memcmp(target->name, name, len) == 0) {
            return target;
        }
    }
    return NULL;
}

static int port_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *colon = host != NULL ? strchr(host + 3, ':') : NULL;
    return colon != NULL ? (int)strtol(colon + 1, NULL, 10) : 0;
}

static void note_capture(struct server *server, const struct target *target, const char *what,
                         const char *value, size_t len)
{
    char name[48];
    snprintf(name, sizeof(name), "%s_%s", target->name, what);
    capture_set(&server->captures, name, strlen(name), value, len);
}

static void note_target(struct server *server, const char *name, size_t name_len, const char *url)
{
    struct target *target = &server->targets[server->target_count];
    size_t url_len = strcspn(url, "\"");
    char number[16];
    if (server->target_count == targets_max || name_len >= sizeof(target->name)) {
        die("replay: the ready file names more than can be kept");
    }
    memcpy(target->name, name, name_len);
    target->port = port_of(url);
    server->target_count++;
    snprintf(number, sizeof(number), "%d", target->port);
    const char *host = strstr(url, "://");
    size_t authority_len = host != NULL ? strcspn(host + 3, "/\"") : 0;
    size_t origin_len = host != NULL ? (size_t)(host + 3 - url) + authority_len : url_len;
    note_capture(server, target, "url", url, url_len);
    note_capture(server, target, "port", number, strlen(number));
    note_capture(server, target, "origin", url, origin_len);
}

/* Each "<name>_url": "http://..." of the ready file; one that is null does not listen. */
static void note_targets(struct server *server, const char *json)
{
    static const char mark[] = "_url\": \"";
    for (const char *p = strstr(json, mark); p != NULL; p = strstr(p + 1, mark)) {
        const char *name = p;
        while (name > json && name[-1] != '"') {
            name--;
        }
        note_target(server, name, (size_t)(p - name), p + strlen(mark));
    }
}

static void run_server(const char *program, const struct transcript *t)
{
    const char *argv[flags_max + 16] = {"pinpipe", "serve", "--ephemeral",  "--data", ":memory:",
                                        "--seed",  "1",     "--ready-file", "ready"};
    const char *environment[6];
    size_t argc = 9;
    size_t envc = 0;
    for (size_t i = 0; i < t->flag_count; i++) {
        argv[argc++] = t->flags[i];
    }
    argv[argc] = NULL;
    char *asan = getenv("ASAN_OPTIONS");
    struct text asan_line = {.len = 0};
    if (asan != NULL) {
        text_puts(&asan_line, "ASAN_OPTIONS=");
        text_puts(&asan_line, asan);
        environment[envc++] = asan_line.ptr;
    }
    struct text starving[] = {{.len = 0}, {.len = 0}};
    static const char *const starving_keys[] = {"LD_PRELOAD", "PP_STARVE"};
    for (size_t i = 0; i < 2 && t->starving[i] != NULL; i++) {
        text_puts(&starving[i], starving_keys[i]);
        text_puts(&starving[i], "=");
        text_puts(&starving[i], t->starving[i]);
        environment[envc++] = starving[i].ptr;
    }
    environment[envc] = NULL;
    int log = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (log < 0 || dup2(log, 2) < 0 || dup2(log, 1) < 0) {
        _exit(126);
    }
    execve(program, (char *const *)(const void *)argv, (char *const *)(const void *)environment);
    _exit(127);
}

static bool wait_ready(struct server *server, const char *ready_path)
{
    for (int waited = 0; waited < wait_ms; waited++) {
        int status;
        if (access(ready_path, R_OK) == 0) {
            char *json = read_whole(ready_path);
            note_targets(server, json);
            free(json);
            return true;
        }
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
        sleep_ms(1);
    }
    return false;
}

bool server_start(struct server *server, const char *program, const struct transcript *t)
{
    char ready_path[128];
    *server = (struct server){.pid = 0, .captures.may_lack = t->starving[0] != NULL};
    snprintf(server->directory, sizeof(server->directory), "/tmp/pinpipe-golden-XXXXXX");
    if (mkdtemp(server->directory) == NULL) {
        die("replay: %s: %s", server->directory, strerror(errno));
    }
    snprintf(ready_path, sizeof(ready_path), "%s/ready", server->directory);
    server->pid = fork();
    if (server->pid < 0) {
        die("replay: fork: %s", strerror(errno));
    }
    if (server->pid == 0) {
        if (chdir(server->directory) != 0) {
            _exit(126);
        }
        run_server(program, t);
    }
    return wait_ready(server, ready_path);
}

static char *server_log(const struct server *server)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/log", server->directory);
    return access(path, R_OK) == 0 ? read_whole(path) : copy_bytes("", 0);
}

int server_stop(struct server *server, char **log)
{
    static const char *const files[] = {"ready", "log", "server.json"};
    char path[128];
    int status = -1;
    if (server->pid > 0) {
        kill(server->pid, SIGTERM);
        waitpid(server->pid, &status, 0);
    }
    *log = server_log(server);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", server->directory, files[i]);
        unlink(path);
    }
    rmdir(server->directory);
    captures_cut(&server->captures, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
/* --- connections --- */

void connection_close(struct connection *c)
{
    if (c->fd >= 0) {
        close(c->fd);
    }
    c->fd = -1;
    text_free(&c->in);
}

static bool connection_open(struct connection *c, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    return c->fd >= 0 && connect(c->fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/* A server may close a kept-alive connection at any time between two requests. */
static void drop_if_closed(struct connection *c)
{
    char byte;
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (c->fd >= 0 && c->in.len == 0 && poll(&p, 1, 0) == 1 &&
        recv(c->fd, &byte, 1, MSG_PEEK) == 0) {
        connection_close(c);
    }
}

struct connection *connection_get(struct connections *all, const char *name, int port)
{
    struct connection *c = NULL;
    for (size_t i = 0; i < all->count && c == NULL; i++) {
        c = strcmp(all->list[i].name, name) == 0 ? &all->list[i] : NULL;
    }
    if (c == NULL) {
        if (all->count == connections_max) {
            die("replay: too many connections");
        }
        c = &all->list[all->count++];
        *c = (struct connection){.fd = -1};
        snprintf(c->name, sizeof(c->name), "%s", name);
    }
    drop_if_closed(c);
    if (c->fd < 0 && !connection_open(c, port)) {
        return NULL;
    }
    return c;
}

void connections_close(struct connections *all)
{
    for (size_t i = 0; i < all->count; i++) {
        connection_close(&all->list[i]);
    }
}

/* More bytes: 1; the end: 0; nothing within wait_ms: -1. */
int connection_read(struct connection *c)
{
    char block[65536];
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    if (poll(&p, 1, wait_ms) != 1) {
        return -1;
    }
    ssize_t got = recv(c->fd, block, sizeof(block), 0);
    if (got <= 0) {
        return 0;
    }
    text_add(&c->in, block, (size_t)got);
    return 1;
}

/* Sends all; a server that answers and closes before it has read everything is all right. */
void connection_send(struct connection *c, const struct text *bytes)
{
    size_t sent = 0;
    while (sent < bytes->len) {
        ssize_t n = send(c->fd, bytes->ptr + sent, bytes->len - sent, MSG_NOSIGNAL);
        if (n <= 0) {
            return;
        }
        sent += (size_t)n;
    }
}
/* --- responses as they come --- */

const char *response_header(const struct response *r, const char *name)
{
    for (size_t i = 0; i < r->header_count; i++) {
        if (strcasecmp(r->headers[i].name, name) == 0) {
            return r->headers[i].value;
        }
    }
    return NULL;
}

void response_free(struct response *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        free(r->headers[i].name);
        free(r->headers[i].value);
    }
    text_free(&r->body);
    *r = (struct response){.status = 0};
}

static bool parse_head(struct response *r, char *head)
{
    char *save = NULL;
    char *line = strtok_r(head, "\r\n", &save);
    if (line == NULL || sscanf(line, "HTTP/1.1 %d %63[^\r\n]", &r->status, r->reason) < 1) {
        snprintf(r->problem, sizeof(r->problem), "the status line is not HTTP/1.1");
        return false;
    }
    while ((line = strtok_r(NULL, "\r\n", &save)) != NULL) {
        char *colon = strchr(line, ':');
        if (colon == NULL || r->header_count == headers_max) {
            snprintf(r->problem, sizeof(r->problem), "a header line has no colon, or too many");
            return false;
        }
        struct header *h = &r->headers[r->header_count++];
        char *value = colon + 1 + strspn(colon + 1, " \t");
        h->name = copy_bytes(line, (size_t)(colon - line));
        h->value = copy_bytes(value, strlen(value));
    }
    return true;
}

static void consume(struct text *t, size_t count)
{
    memmove(t->ptr, t->ptr + count, t->len - count);
    t->len -= count;
    t->ptr[t->len] = '\0';
}

static bool read_at_least(struct connection *c, struct response *r, size_t len)
{
    while (c->in.len < len) {
        int got = connection_read(c);
        if (got <= 0) {
            r->silent = got < 0;
            snprintf(r->problem, sizeof(r->problem),
                     got == 0 ? "the connection ended inside the body" : "the body did not come");
            return false;
        }
    }
    return true;
}

static bool read_chunks(struct connection *c, struct response *r)
{
    for (;;) {
        char *line_end;
        while ((line_end = strstr(text_str(&c->in), "\r\n")) == NULL) {
            if (!read_at_least(c, r, c->in.len + 1)) {
                return false;
            }
        }
        size_t size = strtoul(c->in.ptr, NULL, 16);
        consume(&c->in, (size_t)(line_end - c->in.ptr) + 2);
        if (!read_at_least(c, r, size + 2)) {
            return false;
        }
        text_add(&r->body, c->in.ptr, size);
        consume(&c->in, size + 2);
        if (size == 0) {
            return true;
        }
    }
}

static bool read_body(struct connection *c, struct response *r, bool is_head)
{
    const char *length = response_header(r, "content-length");
    const char *coding = response_header(r, "transfer-encoding");
    if (is_head || r->status == 204 || r->status == 304) {
        return true;
    }
    if (coding != NULL && length == NULL) {
        return read_chunks(c, r);
    }
    if (length == NULL || coding != NULL || strspn(length, "0123456789") != strlen(length)) {
        snprintf(r->problem, sizeof(r->problem), "no usable Content-Length");
        return false;
    }
    size_t size = strtoul(length, NULL, 10);
    if (!read_at_least(c, r, size)) {
        return false;
    }
    text_add(&r->body, text_str(&c->in), size);
    consume(&c->in, size);
    return true;
}

/* False with r->problem when what came is not a well-framed response. */
bool response_read(struct connection *c, struct response *r, bool is_head)
{
    *r = (struct response){.status = 0};
    do {
        char *end;
        while ((end = strstr(text_str(&c->in), "\r\n\r\n")) == NULL) {
            int got = connection_read(c);
            if (got <= 0) {
                r->none = got == 0 && c->in.len == 0;
                r->silent = got < 0;
                snprintf(r->problem, sizeof(r->problem),
                         got == 0 ? "closed without a response" : "no response came");
                return r->none;
            }
        }
        size_t head_len = (size_t)(end - c->in.ptr) + 4;
        char *head = copy_bytes(c->in.ptr, head_len);
        consume(&c->in, head_len);
        bool good = parse_head(r, head);
        free(head);
        if (!good) {
            return false;
        }
    } while (r->status == 100);
    return read_body(c, r, is_head);
}
