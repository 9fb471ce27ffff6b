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
    /* Where the next bytes go; an empty room (len 0) closes the connection, which may be done in no
     * other way here. */
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

/* A place among the connections: whose it is, and whether he may be asked for it (places.c). */
struct conn_place {
    int port;              /* the listener's */
    unsigned char peer[8]; /* his address; of an IPv6 one the network */
    struct conn *older;    /* of those that wait for their peers */
    struct conn *newer;
    int64_t since_us; /* monotonic */
    int64_t grace_us;
    bool waits;
};

enum conn_sent { CONN_SENT, CONN_SENT_LATER, CONN_SENT_FAILED };

/* All bytes of a connection, in both directions, go through its transport: plain TCP, or something
 * that stands on it, such as TLS or a socket that fails on command. Where an op is NULL the bytes
 * go as over plain TCP: what is read lands in the protocol's room itself. */
struct conn_transport {
    /* The connection is accepted: its state goes to conn->transport_state. False: no memory, the
     * connection is closed. */
    bool (*opened)(struct conn *conn);
    /* Reading, both or none. Where the socket's next bytes go, and how many are there now, to be
     * handed on by conn_deliver. */
    uv_buf_t (*room)(struct conn *conn);
    void (*received)(struct conn *conn, size_t count);
    /* With them: deliver what conn_deliver left. Only then is more read. */
    void (*resumed)(struct conn *conn);
    /* The socket has ended; conn_peer_ended, unless that is too early. */
    void (*ended)(struct conn *conn);
    /* As conn_send, conn_unsent_bytes and conn_end_sending say. */
    enum conn_sent (*send)(struct conn *conn, const uv_buf_t *bufs, unsigned count);
    size_t (*unsent_bytes)(const struct conn *conn);
    void (*end_sending)(struct conn *conn);
    /* The bytes that conn_tcp_send left for later have gone out or never will: conn_sent, if the
     * protocol waits for them. */
    void (*sent)(struct conn *conn, bool ok);
    /* conn_close has begun: the last moment for a word to the peer. */
    void (*closing)(struct conn *conn);
    /* The socket has gone and nothing reads the state any more; it is NULL where `opened` failed or
     * was never called. */
    void (*released)(struct conn *conn);
};

/* What the connections of a listener are. */
struct conn_kind {
    const struct conn_protocol *protocol;
    void *ctx; /* the protocol's own: who answers, and what its connections share */
    const struct conn_transport *transport; /* NULL: plain TCP */
    int port;                               /* server_listen fills it in */
};

struct conn {
    uv_tcp_t tcp; /* conn.c's: who writes to it himself goes round the transport */
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct server *server;
    const struct conn_protocol *protocol;
    const struct conn_transport *transport;
    void *transport_state; /* the transport's own; NULL at first */
    struct conn *next;     /* all of the server's */
    struct conn *previous;
    struct conn *next_ready;
    struct conn_place place;
    struct timer timer;
    int64_t deadline_us; /* monotonic; INT64_MAX: none. The timer may be armed for earlier. */
    bool is_listed;      /* among the server's that are ready ... */
    bool is_ready;       /* ... since the protocol asked for it */
    bool reading;
    bool undelivered; /* the transport has bytes that the protocol did not take */
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
size_t conn_unsent_bytes(const struct conn *conn);
void conn_read_start(struct conn *conn);
void conn_read_stop(struct conn *conn);
/* No more bytes from us; reading goes on. */
void conn_end_sending(struct conn *conn);
/* The connection's turn has come (server.c calls it). */
void conn_run_ready(struct conn *conn);
void conn_set_deadline(struct conn *conn, int64_t due_us);
/* A connection waits for its peer from now on. Where places run short, the one that has waited
 * longest is closed for a newcomer, unless that was less than its grace. */
void conn_wait_begin(struct conn *conn, int64_t grace_ms);
/* The connection keeps its place: its peer waits for us. */
void conn_wait_end(struct conn *conn);
/* Calls protocol->ready at the start of the next turn. */
void conn_make_ready(struct conn *conn);
void conn_close(struct conn *conn);

/* --- what further transports stand on --- */

/* Hands plain bytes to the protocol, as many as it takes: none once it has stopped reading or
 * closed. What is left the transport keeps, until `resumed` says that the protocol reads again. */
size_t conn_deliver(struct conn *conn, const char *bytes, size_t len);
/* The peer sends no more; after all its bytes have been delivered. */
void conn_peer_ended(struct conn *conn);
/* The bytes that conn_send left for later have gone out, or never will: then the connection
 * closes. */
void conn_sent(struct conn *conn, bool ok);
/* Sends over plain TCP, one send at a time, as conn_send. */
enum conn_sent conn_tcp_send(struct conn *conn, const uv_buf_t *bufs, unsigned count);
size_t conn_tcp_unsent_bytes(const struct conn *conn);
void conn_tcp_end_sending(struct conn *conn);

#endif
