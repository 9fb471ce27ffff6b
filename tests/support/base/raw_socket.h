/* A client over a bare TCP socket, for tests of the server: it sends exactly the bytes it is given
 * and shares no code with the product. Every wait has a limit; reaching it fails the test. */
#ifndef PINPIPE_TESTS_RAW_SOCKET_H
#define PINPIPE_TESTS_RAW_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/* ThreadSanitizer makes a flood of bytes some ten times slower. */
#ifdef __SANITIZE_THREAD__
enum { RAW_WAIT_MS = 60000 };
#else
enum { RAW_WAIT_MS = 5000 };
#endif
enum { RAW_REPLY_BYTES_MAX = 256 * 1024 };

struct raw_reply {
    int status;  /* 0: the connection ended without one */
    bool closed; /* the server closed after it */
    size_t head_len;
    size_t len;
    char text[RAW_REPLY_BYTES_MAX]; /* head and body, NUL-terminated */
};

int raw_connect(int port);
/* From another address of this machine, such as 127.0.0.2; -1 where it has no such address. */
int raw_connect_from(const char *source, int port);
/* To ::1; -1 where there is no IPv6. */
int raw_connect_ipv6(int port);
void raw_send(int fd, const char *bytes, size_t len);
void raw_send_text(int fd, const char *text);
/* As much as fits without waiting; false once the server has closed. */
bool raw_send_some(int fd, const char *bytes, size_t len);
/* How many bytes fitted; 0 also when the server has closed. */
size_t raw_send_what_fits(int fd, const char *bytes, size_t len);
/* No more bytes from this side. */
void raw_end_sending(int fd);
/* One reply, by its Content-Length (`head_request`: it has no body). More that came with it is kept
 * out of `reply` only if the server sent it later. */
void raw_receive(int fd, bool head_request, struct raw_reply *reply);
/* Everything until the server closes. */
void raw_receive_all(int fd, struct raw_reply *reply);
/* What is there of at most `len` bytes; 0 at the end. */
size_t raw_receive_some(int fd, char *out, size_t len);
bool raw_is_readable_within(int fd, int wait_ms);
void raw_pause_ms(int pause_ms);
bool raw_is_closed_within(int fd, int wait_ms);
void raw_close(int fd);
/* Closes it with a reset. */
void raw_reset(int fd);
/* The first header of that name into out; false (and "") when there is none. */
bool raw_header(const struct raw_reply *reply, const char *name, char *out, size_t out_bytes);
const char *raw_body(const struct raw_reply *reply);

#endif
