/* The socket side of a connection.
 *
 * Invariant: after conn_close nothing of the protocol is called but sent(false), if a write was
 * pending, and then conn_free; the struct lives until libuv has let go of the handle. */
#include "server_internal.h"

#include <string.h>

static struct conn *conn_of(uv_handle_t *handle)
{
    return handle->data;
}

/* --- the server's list --- */

static void conns_add(struct server *server, struct conn *conn)
{
    PP_ASSERT(server->open_count <= server->conn_count);
    PP_ASSERT((server->conns == NULL) == (server->conn_count == 0));
    conn->next = server->conns;
    conn->previous = NULL;
    if (server->conns != NULL) {
        server->conns->previous = conn;
    }
    server->conns = conn;
    server->conn_count++;
    server->open_count++;
}

static void conns_remove(struct server *server, struct conn *conn)
{
    PP_ASSERT(conn->closing && server->conn_count > server->open_count);
    PP_ASSERT(!conn->is_listed && !conn->place.waits);
    PP_ASSERT(conn->previous != NULL ? conn->previous->next == conn : server->conns == conn);
    PP_ASSERT(conn->next == NULL || conn->next->previous == conn);
    if (conn->previous != NULL) {
        conn->previous->next = conn->next;
    } else {
        server->conns = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->previous = conn->previous;
    }
    server->conn_count--;
}

static void ready_list(struct conn *conn)
{
    struct server *server = conn->server;
    if (conn->is_listed) {
        return;
    }
    PP_ASSERT(!conn->closing);
    PP_ASSERT((server->ready_last == NULL) == (server->ready_count == 0));
    conn->is_listed = true;
    conn->next_ready = NULL;
    if (server->ready_last != NULL) {
        server->ready_last->next_ready = conn;
    } else {
        server->ready_first = conn;
    }
    server->ready_last = conn;
    server->ready_count++;
}

void conn_make_ready(struct conn *conn)
{
    if (!conn->closing) {
        conn->is_ready = true;
        ready_list(conn);
    }
}

static void ready_forget(struct conn *conn)
{
    struct server *server = conn->server;
    struct conn *previous = NULL;
    conn->is_ready = false;
    if (!conn->is_listed) {
        return;
    }
    PP_ASSERT(server->ready_count > 0);
    for (struct conn *c = server->ready_first; c != conn; c = c->next_ready) {
        PP_ASSERT(c->next_ready != NULL);
        previous = c;
    }
    if (previous != NULL) {
        previous->next_ready = conn->next_ready;
    } else {
        server->ready_first = conn->next_ready;
    }
    if (server->ready_last == conn) {
        server->ready_last = previous;
    }
    server->ready_count--;
    conn->is_listed = false;
}

/* --- closing --- */

static void conn_closed(uv_handle_t *handle)
{
    struct conn *conn = conn_of(handle);
    PP_ASSERT(conn->closing && !timer_is_set(&conn->timer));
    timer_heap_unreserve(&conn->server->timers, 1);
    conns_remove(conn->server, conn);
    if (conn->writing) {
        conn_sent(conn, false); /* which its transport kept back */
    }
    if (conn->transport->released != NULL) {
        conn->transport->released(conn);
    }
    conn->protocol->conn_free(conn);
}

void conn_close(struct conn *conn)
{
    if (conn->closing) {
        return;
    }
    PP_ASSERT(conn->server->open_count > 0);
    conn->closing = true;
    conn->server->open_count--;
    conn_wait_end(conn);
    timer_clear(&conn->server->timers, &conn->timer);
    ready_forget(conn);
    conn->protocol->closing(conn);
    if (conn->transport->closing != NULL) {
        conn->transport->closing(conn);
    }
    uv_close((uv_handle_t *)&conn->tcp, conn_closed);
}

/* --- the deadline --- */

/* Moving a deadline to later costs nothing: the timer finds out when it fires. */
static void conn_timer_fired(struct timer *timer)
{
    struct conn *conn = PP_CONTAINER_OF(timer, struct conn, timer);
    int64_t deadline_us = conn->deadline_us;
    if (deadline_us == INT64_MAX) {
        return;
    }
    if (deadline_us > server_now_us(conn->server)) {
        conn->deadline_us = INT64_MAX;
        conn_set_deadline(conn, deadline_us);
        return;
    }
    conn->deadline_us = INT64_MAX;
    conn->protocol->expired(conn);
}

void conn_set_deadline(struct conn *conn, int64_t due_us)
{
    conn->deadline_us = due_us;
    if (due_us == INT64_MAX || conn->closing ||
        (timer_is_set(&conn->timer) && conn->timer.due_us <= due_us)) {
        return;
    }
    /* The slot was reserved with the connection. */
    if (timer_set(&conn->server->timers, &conn->timer, due_us) != STATUS_OK) {
        conn_close(conn);
    }
}

/* --- reading --- */

static uv_buf_t protocol_room(struct conn *conn)
{
    uv_buf_t room = conn->protocol->room(conn);
    if (server_is_crowded(conn->server) && room.len > SERVER_CROWDED_READ_BYTES) {
        room.len = SERVER_CROWDED_READ_BYTES;
    }
    return room;
}

static void protocol_received(struct conn *conn, size_t count)
{
    PP_ASSERT(!conn->closing && !conn->ended);
    conn->server->turn_bytes += count;
    conn->protocol->received(conn, count);
}

size_t conn_deliver(struct conn *conn, const char *bytes, size_t len)
{
    size_t taken = 0;
    while (taken < len && conn->reading && !conn->closing) {
        uv_buf_t room = protocol_room(conn);
        if (room.len == 0) {
            conn_close(conn);
            break;
        }
        size_t count = len - taken < room.len ? len - taken : room.len;
        memcpy(room.base, bytes + taken, count);
        taken += count;
        protocol_received(conn, count);
    }
    conn->undelivered = taken < len;
    return taken;
}

void conn_peer_ended(struct conn *conn)
{
    PP_ASSERT(!conn->closing && !conn->ended);
    conn->ended = true;
    conn->protocol->ended(conn);
}

static void conn_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct conn *conn = conn_of(handle);
    (void)suggested;
    if (PP_LIKELY(conn->transport->room == NULL)) {
        *buf = protocol_room(conn);
    } else {
        *buf = conn->transport->room(conn);
    }
    PP_ASSERT(!conn->closing); /* libuv would go on with a socket that is gone */
}

static void conn_read_done(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct conn *conn = stream->data;
    (void)buf;
    PP_ASSERT(!conn->closing);
    const struct conn_transport *transport = conn->transport;
    if (count >= 0 && PP_LIKELY(transport->received == NULL)) {
        protocol_received(conn, (size_t)count);
    } else if (count >= 0) {
        transport->received(conn, (size_t)count);
    } else if (count != UV_EOF) {
        conn_close(conn);
    } else if (transport->ended != NULL) {
        transport->ended(conn);
    } else {
        conn_peer_ended(conn);
    }
}

static void socket_read_start(struct conn *conn)
{
    PP_ASSERT(!conn->closing && conn->reading && !conn->ended);
    /* uv_read_start fails only for a socket that is closed or read from already. */
    PP_ASSERT(uv_read_start((uv_stream_t *)&conn->tcp, conn_room, conn_read_done) == 0);
}

void conn_read_start(struct conn *conn)
{
    if (conn->reading || conn->closing || conn->ended) {
        return;
    }
    conn->reading = true;
    if (conn->undelivered) {
        ready_list(conn); /* not here, where the protocol does not expect bytes */
    } else {
        socket_read_start(conn);
    }
}

void conn_read_stop(struct conn *conn)
{
    if (conn->reading) {
        conn->reading = false;
        uv_read_stop((uv_stream_t *)&conn->tcp);
    }
}

/* What the protocol did not take comes before what the socket has. */
static void reading_resume(struct conn *conn)
{
    if (conn->closing || !conn->reading || !conn->undelivered) {
        return;
    }
    conn->undelivered = false;
    conn->transport->resumed(conn);
    PP_ASSERT(conn->closing || !conn->reading || !conn->undelivered);
    if (!conn->closing && conn->reading && !conn->ended) {
        socket_read_start(conn);
    }
}

void conn_run_ready(struct conn *conn)
{
    PP_ASSERT(conn->is_listed && !conn->closing);
    conn->is_listed = false;
    if (conn->is_ready) {
        conn->is_ready = false;
        conn->protocol->ready(conn);
    }
    reading_resume(conn);
}

/* --- writing --- */

void conn_sent(struct conn *conn, bool ok)
{
    PP_ASSERT(conn->writing);
    conn->writing = false;
    if (!ok) {
        conn_close(conn);
    }
    /* The connection may have been closed in between, with the last bytes already gone. */
    conn->protocol->sent(conn, !conn->closing);
}

static void conn_write_done(uv_write_t *write, int status)
{
    struct conn *conn = write->data;
    if (conn->transport->sent != NULL) {
        conn->transport->sent(conn, status == 0);
    } else {
        conn_sent(conn, status == 0);
    }
}

enum conn_sent conn_tcp_send(struct conn *conn, const uv_buf_t *bufs, unsigned count)
{
    uv_stream_t *stream = (uv_stream_t *)&conn->tcp;
    int sent = uv_try_write(stream, bufs, count);
    if (sent < 0 && sent != UV_EAGAIN) {
        conn_close(conn);
        return CONN_SENT_FAILED;
    }
    uv_buf_t rest[CONN_BUFS_MAX];
    unsigned rest_count = 0;
    size_t skip = sent > 0 ? (size_t)sent : 0;
    for (unsigned i = 0; i < count; i++) {
        size_t gone = skip < bufs[i].len ? skip : bufs[i].len;
        skip -= gone;
        if (gone < bufs[i].len) {
            rest[rest_count].base = bufs[i].base + gone;
            rest[rest_count++].len = bufs[i].len - gone;
        }
    }
    PP_ASSERT(skip == 0); /* the kernel took no more than there was */
    if (rest_count == 0) {
        return CONN_SENT;
    }
    conn->write.data = conn;
    /* uv_write needs no memory for so few buffers; what it checks uv_try_write has checked. */
    PP_ASSERT(uv_write(&conn->write, stream, rest, rest_count, conn_write_done) == 0);
    return CONN_SENT_LATER;
}

enum conn_sent conn_send(struct conn *conn, const uv_buf_t *bufs, unsigned count)
{
    PP_ASSERT(!conn->closing && !conn->writing && count <= CONN_BUFS_MAX);
    enum conn_sent sent = PP_LIKELY(conn->transport->send == NULL)
                              ? conn_tcp_send(conn, bufs, count)
                              : conn->transport->send(conn, bufs, count);
    conn->writing = sent == CONN_SENT_LATER;
    return sent;
}

size_t conn_tcp_unsent_bytes(const struct conn *conn)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&conn->tcp);
}

size_t conn_unsent_bytes(const struct conn *conn)
{
    return conn->transport->unsent_bytes != NULL ? conn->transport->unsent_bytes(conn)
                                                 : conn_tcp_unsent_bytes(conn);
}

static void conn_shutdown_done(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status; /* a peer that is gone shows up in reading */
}

void conn_tcp_end_sending(struct conn *conn)
{
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, conn_shutdown_done) != 0) {
        conn_close(conn);
    }
}

void conn_end_sending(struct conn *conn)
{
    if (conn->transport->end_sending != NULL) {
        conn->transport->end_sending(conn);
    } else {
        conn_tcp_end_sending(conn);
    }
}

/* --- accepting --- */

static const struct conn_transport plain_tcp; /* every op NULL */

bool conn_accept(struct server *server, uv_stream_t *listener, const struct conn_kind *kind)
{
    const struct conn_protocol *protocol = kind->protocol;
    if (timer_heap_reserve(&server->timers, 1) != STATUS_OK) {
        return false;
    }
    struct conn *conn = protocol->conn_new(server, kind->ctx);
    if (conn == NULL) {
        timer_heap_unreserve(&server->timers, 1);
        return false;
    }
    conn->server = server;
    conn->protocol = protocol;
    conn->transport = kind->transport != NULL ? kind->transport : &plain_tcp;
    conn->deadline_us = INT64_MAX;
    conn->timer.fire = conn_timer_fired;
    conn->place.port = kind->port;
    conns_add(server, conn);
    uv_tcp_init(&server->loop, &conn->tcp);
    conn->tcp.data = conn;
    struct conn *yields[PLACE_YIELDS_MAX] = {NULL};
    enum place place = PLACE_NONE;
    if (uv_accept(listener, (uv_stream_t *)&conn->tcp) == 0) {
        place = place_claim(conn, yields);
    }
    for (size_t i = 0; i < PLACE_YIELDS_MAX && yields[i] != NULL; i++) {
        conn_close(yields[i]);
    }
    if (place == PLACE_NONE ||
        (conn->transport->opened != NULL && !conn->transport->opened(conn))) {
        conn_close(conn);
        return true;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    protocol->opened(conn, place == PLACE_TO_REFUSE);
    return true;
}
