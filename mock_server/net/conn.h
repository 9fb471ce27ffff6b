/* One accepted connection: a transport (plain TCP now) that carries a protocol (HTTP now,
 * http_conn.c). It reads, writes, keeps one deadline and closes; what the bytes mean is the
 * protocol's. Kafka's and MySQL's framings come as further protocols. */
#ifndef PINPIPE_CONN_H
#define PINPIPE_CONN_H

#include "timer.h"

#include <uv.h>

struct conn;
struct server;

struct conn_protocol {
    const char *name; /* "http": the log's area */
    /* A zeroed connection of the protocol's own type, with its struct conn; NULL: no memory. `ctx`
     * is the listener's. */
    struct conn *(*conn_new)(struct server *server, void *ctx);
    void (*conn_free)(struct conn *conn);
    /* The connection is being served; over_limit: only to be told that there are too many. */
    void (*opened)(struct conn *conn, bool over_limit);
    /* Where the next bytes go; an empty room (len 0) closes the connection. */
    uv_buf_t (*room)(struct conn *conn);
    /* `count` bytes are in the room given last; 0 when there was nothing to read after all. */
    void (*received)(struct conn *conn, size_t count);
    /* The peer has sent its last byte; conn->ended is set. */
    void (*ended)(struct conn *conn);
    /* The bytes that conn_send left for later have gone out (or never will: !ok, and the conn is
     * closing). */
    void (*sent)(struct conn *conn, bool ok);
    /* The connection's turn to go on, as asked for by conn_make_ready. */
    void (*ready)(struct conn *conn);
    void (*expired)(struct conn *conn);
    /* The server stops: finish what is under way, begin nothing. */
    void (*stopping)(struct conn *conn);
    /* conn_close has begun: let go of everything but what a pending write still needs. */
    void (*closing)(struct conn *conn);
};

enum conn_sent { CONN_SENT, CONN_SENT_LATER, CONN_SENT_FAILED };

/* Whatever a connection sends leaves through its transport: plain TCP (conn_tcp_send), or something
 * that stands on it, such as TLS or a socket that fails on command. */
struct conn_transport {
    /* As conn_send says. */
    enum conn_sent (*send)(struct conn *conn, const uv_buf_t *bufs, unsigned count);
};

/* What the connections of a listener are. */
struct conn_kind {
    const struct conn_protocol *protocol;
    void *ctx; /* the protocol's own: who answers, and what its connections share */
    const struct conn_transport *transport; /* NULL: plain TCP */
};

struct conn {
    uv_tcp_t tcp; /* conn.c's: who writes to it himself goes round the transport */
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct server *server;
    const struct conn_protocol *protocol;
    const struct conn_transport *transport;
    struct conn *next; /* all of the server's */
    struct conn *previous;
    struct conn *next_ready;
    struct timer timer;
    int64_t deadline_us; /* monotonic; INT64_MAX: none. The timer may be armed for earlier. */
    bool is_ready;
    bool reading;
    bool writing;
    bool ended;
    bool closing;
};

enum { CONN_BUFS_MAX = 2 };

/* Takes the next waiting connection of a listener; false: no memory, it still waits. */
bool conn_accept(struct server *server, uv_stream_t *listener, const struct conn_kind *kind);
/* Writes what it can now; SENT_LATER: the bytes must stay until protocol->sent. At most
 * CONN_BUFS_MAX buffers, one send at a time. FAILED: the connection is closing. */
enum conn_sent conn_send(struct conn *conn, const uv_buf_t *bufs, unsigned count);
/* The same over plain TCP: what further transports stand on. */
enum conn_sent conn_tcp_send(struct conn *conn, const uv_buf_t *bufs, unsigned count);
size_t conn_unsent_bytes(const struct conn *conn);
void conn_read_start(struct conn *conn);
void conn_read_stop(struct conn *conn);
/* No more bytes from us; reading goes on. */
void conn_end_sending(struct conn *conn);
void conn_set_deadline(struct conn *conn, int64_t due_us);
/* Calls protocol->ready at the start of the next turn. */
void conn_make_ready(struct conn *conn);
void conn_close(struct conn *conn);

#endif
