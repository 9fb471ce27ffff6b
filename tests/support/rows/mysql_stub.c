#define _GNU_SOURCE /* memmem */
#include "mysql_stub.h"

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

enum {
    capabilities = 0x1 | 0x2 | 0x4 | 0x8 | 0x80 | 0x200 | 0x2000 | 0x8000 | 0x80000,
    utf8mb4 = 45,
    autocommit = 2,
    packet_bytes_max = 65536,
    command_query = 3,
    fields_max = 16,
};

struct stub_packet {
    unsigned char bytes[packet_bytes_max];
    size_t len;
};

static void stub_put(struct stub_packet *p, const void *bytes, size_t len)
{
    if (p->len + len > sizeof(p->bytes)) {
        abort();
    }
    memcpy(p->bytes + p->len, bytes, len);
    p->len += len;
}

static void stub_put_int(struct stub_packet *p, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        unsigned char byte = (unsigned char)(value >> (8 * i));
        stub_put(p, &byte, 1);
    }
}

static void stub_put_string(struct stub_packet *p, const char *text, size_t len)
{
    if (len > 250) {
        stub_put_int(p, 0xfc, 1);
        stub_put_int(p, len, 2);
    } else {
        stub_put_int(p, len, 1);
    }
    stub_put(p, text, len);
}

static bool stub_send_all(int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t sent = send(fd, at, len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

static bool stub_send(int fd, unsigned char *sequence, const struct stub_packet *p)
{
    unsigned char head[4] = {(unsigned char)p->len, (unsigned char)(p->len >> 8),
                             (unsigned char)(p->len >> 16), (*sequence)++};
    return stub_send_all(fd, head, sizeof(head)) && stub_send_all(fd, p->bytes, p->len);
}

static bool stub_receive_all(struct mysql_stub *stub, int fd, unsigned char *into, size_t len)
{
    for (size_t used = 0; used < len;) {
        ssize_t got = recv(fd, into + used, len - used, 0);
        if (got <= 0) {
            return false;
        }
        pthread_mutex_lock(&stub->lock);
        for (ssize_t i = 0; i < got && stub->heard_len < sizeof(stub->heard); i++) {
            stub->heard[stub->heard_len++] = (char)into[used + (size_t)i];
        }
        pthread_mutex_unlock(&stub->lock);
        used += (size_t)got;
    }
    return true;
}

static bool stub_receive(struct mysql_stub *stub, int fd, unsigned char *sequence,
                         struct stub_packet *p)
{
    unsigned char head[4];
    if (!stub_receive_all(stub, fd, head, sizeof(head))) {
        return false;
    }
    p->len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    *sequence = (unsigned char)(head[3] + 1);
    return p->len < sizeof(p->bytes) && stub_receive_all(stub, fd, p->bytes, p->len);
}

/* Until the client has had enough. */
static void stub_wait_for_end(struct mysql_stub *stub, int fd)
{
    unsigned char byte;
    while (stub_receive_all(stub, fd, &byte, 1)) {
    }
}

/* --- answers --------------------------------------------------------------------------------- */

static void stub_ok(struct stub_packet *p)
{
    *p = (struct stub_packet){.len = 0};
    stub_put_int(p, 0, 3);
    stub_put_int(p, autocommit, 2);
    stub_put_int(p, 0, 2);
}

static void stub_eof(struct stub_packet *p)
{
    *p = (struct stub_packet){.len = 0};
    stub_put_int(p, 0xfe, 1);
    stub_put_int(p, 0, 2);
    stub_put_int(p, autocommit, 2);
}

static bool stub_send_columns(int fd, unsigned char *sequence, const char *columns)
{
    struct stub_packet p;
    struct span rest = span_from_cstr(columns);
    struct span name;
    size_t count = 1;
    for (const char *c = columns; *c != '\0'; c++) {
        count += *c == '|';
    }
    p.len = 0;
    stub_put_int(&p, count, 1);
    bool sent = stub_send(fd, sequence, &p);
    while (sent && span_next_part(&rest, '|', &name)) {
        p.len = 0;
        stub_put_string(&p, "def", 3);
        stub_put_string(&p, "", 0);
        stub_put_string(&p, "t", 1);
        stub_put_string(&p, "t", 1);
        stub_put_string(&p, name.ptr, name.len);
        stub_put_string(&p, name.ptr, name.len);
        stub_put_int(&p, 0x0c, 1);
        stub_put_int(&p, utf8mb4, 2);
        stub_put_int(&p, 1024, 4);
        stub_put_int(&p, 0xfd, 1);
        stub_put_int(&p, 0, 5);
        sent = stub_send(fd, sequence, &p);
    }
    stub_eof(&p);
    return sent && stub_send(fd, sequence, &p);
}

static bool stub_send_row(int fd, unsigned char *sequence, const char *row)
{
    struct stub_packet p = {.len = 0};
    struct span rest = span_from_cstr(row);
    struct span value;
    while (span_next_part(&rest, '|', &value)) {
        if (span_equal(value, SPAN_LIT("NULL"))) {
            stub_put_int(&p, 0xfb, 1);
        } else {
            stub_put_string(&p, value.ptr, value.len);
        }
    }
    return stub_send(fd, sequence, &p);
}

/* The columns and rows; false when nobody takes them. */
static bool stub_send_rows(int fd, unsigned char *sequence, const struct mysql_stub_answer *answer)
{
    bool sent = stub_send_columns(fd, sequence, answer->columns);
    for (size_t i = 0; sent && answer->rows != NULL && answer->rows[i] != NULL; i++) {
        sent = stub_send_row(fd, sequence, answer->rows[i]);
        for (int r = 0; sent && answer->rows[i + 1] == NULL && r < answer->repeats; r++) {
            sent = stub_send_row(fd, sequence, answer->rows[i]);
        }
    }
    return sent;
}

static const struct mysql_stub_answer *stub_find(struct mysql_stub *stub, const char *statement)
{
    for (size_t i = 0; stub->answers[i].statement != NULL; i++) {
        const struct mysql_stub_answer *answer = &stub->answers[i];
        if (strncmp(statement, answer->statement, strlen(answer->statement)) == 0 &&
            (answer->times == 0 || stub->used[i] < answer->times)) {
            stub->used[i]++;
            return answer;
        }
    }
    return NULL;
}

/* Does the deed; false when the connection is over with it. NULL: everything is well. */
static bool stub_do(struct mysql_stub *stub, int fd, unsigned char *sequence,
                    const struct mysql_stub_answer *answer)
{
    struct stub_packet p = {.len = 0};
    switch (answer != NULL ? answer->deed : STUB_ANSWERS) {
    case STUB_ERROR:
        stub_put_int(&p, 0xff, 1);
        stub_put_int(&p, answer->number, 2);
        stub_put(&p, "#HY000", 6);
        stub_put(&p, answer->text, strlen(answer->text));
        return stub_send(fd, sequence, &p);
    case STUB_HANGS_UP:
        return false;
    case STUB_HANGS_UP_AMID:
        (void)stub_send_rows(fd, sequence, answer);
        return false;
    case STUB_IS_SILENT_AMID:
        (void)stub_send_rows(fd, sequence, answer);
        stub_wait_for_end(stub, fd);
        return false;
    case STUB_IS_SILENT:
        stub_wait_for_end(stub, fd);
        return false;
    case STUB_SAYS:
        (void)stub_send_all(fd, answer->text, strlen(answer->text));
        stub_wait_for_end(stub, fd);
        return false;
    case STUB_WANTS_FILE:
        stub_put_int(&p, 0xfb, 1);
        stub_put(&p, answer->text, strlen(answer->text));
        (void)stub_send(fd, sequence, &p);
        stub_wait_for_end(stub, fd);
        return false;
    case STUB_WANTS_PLUGIN:
        stub_put_int(&p, 0xfe, 1);
        stub_put(&p, answer->text, strlen(answer->text) + 1);
        stub_put(&p, "01234567890123456789", 21);
        (void)stub_send(fd, sequence, &p);
        stub_wait_for_end(stub, fd);
        return false;
    case STUB_ANSWERS:
        break;
    }
    if (answer == NULL || answer->columns == NULL) {
        stub_ok(&p);
        return stub_send(fd, sequence, &p);
    }
    stub_eof(&p);
    return stub_send_rows(fd, sequence, answer) && stub_send(fd, sequence, &p);
}

/* --- a connection ---------------------------------------------------------------------------- */

static bool stub_greet(int fd, unsigned char *sequence)
{
    struct stub_packet p = {.len = 0};
    stub_put_int(&p, 10, 1);
    stub_put(&p, "8.0.35-stub", 12);
    stub_put_int(&p, 7, 4);
    stub_put(&p, "abcdefgh", 9);
    stub_put_int(&p, capabilities & 0xffff, 2);
    stub_put_int(&p, utf8mb4, 1);
    stub_put_int(&p, autocommit, 2);
    stub_put_int(&p, capabilities >> 16, 2);
    stub_put_int(&p, 21, 1);
    stub_put(&p, "\0\0\0\0\0\0\0\0\0\0", 10);
    stub_put(&p, "ijklmnopqrst", 13);
    stub_put(&p, "mysql_native_password", 22);
    return stub_send(fd, sequence, &p);
}

static void stub_talk(struct mysql_stub *stub, int fd)
{
    unsigned char sequence = 0;
    struct stub_packet p;
    const struct mysql_stub_answer *connect = stub_find(stub, "connect");
    if (connect != NULL) {
        (void)stub_do(stub, fd, &sequence, connect);
        return;
    }
    if (!stub_greet(fd, &sequence) || !stub_receive(stub, fd, &sequence, &p)) {
        return;
    }
    atomic_fetch_add(&stub->logins, 1);
    bool goes_on = stub_do(stub, fd, &sequence, stub_find(stub, "login"));
    while (goes_on && stub_receive(stub, fd, &sequence, &p)) {
        if (p.len == 0 || p.bytes[0] != command_query) {
            return;
        }
        p.bytes[p.len] = '\0';
        atomic_fetch_add(&stub->statements, 1);
        goes_on = stub_do(stub, fd, &sequence, stub_find(stub, (const char *)p.bytes + 1));
    }
}

static void *stub_serve(void *ctx)
{
    struct mysql_stub *stub = ctx;
    for (;;) {
        int fd = accept(stub->listener, NULL, NULL);
        if (fd < 0 || atomic_load(&stub->stopping)) {
            if (fd >= 0) {
                close(fd);
            }
            return NULL;
        }
        stub_talk(stub, fd);
        close(fd);
    }
}

void mysql_stub_start(struct mysql_stub *stub, const struct mysql_stub_answer *answers)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    *stub = (struct mysql_stub){.answers = answers};
    pthread_mutex_init(&stub->lock, NULL);
    stub->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(stub->listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(stub->listener, 16), 0);
    assert_int_equal(getsockname(stub->listener, (struct sockaddr *)&address, &len), 0);
    stub->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&stub->thread, NULL, stub_serve, stub), 0);
}

void mysql_stub_stop(struct mysql_stub *stub)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)stub->port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    atomic_store(&stub->stopping, true);
    (void)connect(fd, (struct sockaddr *)&address, sizeof(address));
    pthread_join(stub->thread, NULL);
    close(fd);
    close(stub->listener);
    pthread_mutex_destroy(&stub->lock);
}

bool mysql_stub_heard(struct mysql_stub *stub, const char *text)
{
    pthread_mutex_lock(&stub->lock);
    bool heard = memmem(stub->heard, stub->heard_len, text, strlen(text)) != NULL;
    pthread_mutex_unlock(&stub->lock);
    return heard;
}

struct mysql_account mysql_stub_account(const struct mysql_stub *stub, struct env *env)
{
    return (struct mysql_account){
        .host = "127.0.0.1",
        .port = stub->port,
        .user = "project_user",
        .password = "S3cret-word",
        .database = "pinterest_data",
        .env = env,
    };
}
