/* A connection's HTTP side: what its bytes, ends, timeouts and turns do to its state. What a
 * request needs while it is under way is one struct http_work of the pool (http_pool.c).
 *
 *   IDLE -> RECEIVING -> BUSY -> (SENDING ->) IDLE        a request answered
 *             |                          \-> RECEIVING    the next one was there already
 *             \-> BUSY, refused -> LINGERING -> closed    malformed, too large, too slow
 *
 * Bytes that arrive while a request is in progress never touch its buffer, which its spans point
 * into: they wait in `ahead`. So do those that arrive while a pipelined request waits for its turn.
 * What waits behind a request is bounded as a whole, wherever it is: at ahead_bytes_max reading
 * stops. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    read_bytes_min = 2 * 1024, /* less room than this is not worth a system call */
};

static struct http_conn *http_of(struct conn *conn)
{
    return (struct http_conn *)(void *)conn;
}

/* Has it been sending for long enough to say, and does its reader take too little for a crowd? */
static bool reader_is_slow(const struct http_conn *c)
{
    const struct http_limits *limits = &c->site->pool->limits;
    const struct conn *conn = &c->conn;
    if (c->state != HTTP_SENDING || !conn->writing || !conn->place.waits) {
        return false;
    }
    int64_t took_us = server_now_us(conn->server) - conn->place.since_us;
    int64_t taken = (int64_t)(c->unsent_before - conn_unsent_bytes(conn));
    return took_us >= limits->crowded_ms * 1000 &&
           taken < took_us / 1000 * limits->crowded_rate_min / 1000;
}

/* Of those whose reader is slow, the one that holds most. */
static struct http_conn *slow_reader_find(const struct http_conn *c)
{
    struct http_conn *found = NULL;
    for (struct conn *conn = c->conn.server->conns; conn != NULL; conn = conn->next) {
        struct http_conn *other = http_of(conn);
        if (conn->protocol == c->conn.protocol && !conn->closing && reader_is_slow(other) &&
            (found == NULL ||
             other->work->exchange.held.bytes > found->work->exchange.held.bytes)) {
            found = other;
        }
    }
    return found;
}

/* While answers that have not left leave less than `wanted` of their share of memory, slow readers
 * are closed. False: all read well, there are just many. */
static bool reply_room_is_made(struct http_conn *c, size_t wanted)
{
    size_t coming_free = 0; /* when the loop has let go of those closed here */
    size_t room = exchange_reply_room(&c->work->exchange);
    while (room + coming_free < wanted) {
        struct http_conn *slow = slow_reader_find(c);
        if (slow == NULL) {
            break;
        }
        PP_ASSERT(slow != c && slow->work != NULL);
        LOG_INFOF(c->conn.server->log, "http", "%s: closed a slow reader: answers take too much",
                  slow->site->service->name);
        coming_free += slow->work->exchange.held.bytes;
        conn_close(&slow->conn);
    }
    return room + coming_free > 0;
}

static void request_dispatch(struct http_conn *c)
{
    PP_ASSERT(c->state == HTTP_RECEIVING && !c->conn.closing);
    PP_ASSERT(c->work->conn == c && !exchange_is_held(&c->work->exchange));
    struct http_work *work = c->work;
    struct server *server = c->conn.server;
    if (work->spool != NULL && !http_body_map(c)) {
        return;
    }
    http_request_complete(work, server);
    c->state = HTTP_BUSY;
    conn_wait_end(&c->conn);
    conn_set_deadline(&c->conn, INT64_MAX);
    http_reading_adjust(c);
    if (c->conn.closing) {
        return;
    }
    if (work->body_refused) {
        exchange_answer(&work->exchange);
        return;
    }
    if (!reply_room_is_made(c, HTTP_REPLY_ROOM_BYTES_MIN)) {
        exchange_abort(&work->exchange, EXCHANGE_OVERLOADED);
        return;
    }
    exchange_handle(&work->exchange);
}

/* A fast sender has others' turns between its slices. One that has sent nothing since its last one
 * is let in whatever the others sent, or it might never be. */
static void reading_go_on(struct http_conn *c)
{
    bool may_send = c->slice_bytes < HTTP_SLICE_BYTES_MAX && !server_is_crowded(c->conn.server);
    if (may_send || c->slice_bytes == 0) {
        conn_read_start(&c->conn);
        return;
    }
    conn_read_stop(&c->conn);
    conn_make_ready(&c->conn);
}

/* How many bytes of its body a second it has brought; INT64_MAX: too early to say. */
static int64_t body_rate(const struct http_conn *c)
{
    int64_t took_us = server_now_us(c->conn.server) - c->body_start_us;
    if (c->state != HTTP_RECEIVING || !c->body_timed || c->work->charged == 0 ||
        c->work->body_refused || took_us < c->site->pool->limits.crowded_ms * 1000 ||
        took_us <= 0) {
        return INT64_MAX;
    }
    return (int64_t)c->work->parser.body_len * 1000000 / took_us;
}

/* While requests take more memory than their share, those that come in slowest are given up: held
 * back bodies are the cheapest way to take it all. False: all come in well, there are just many. */
static bool room_is_made(struct http_conn *c)
{
    struct server *server = c->conn.server;
    while (budget_is_overdrawn(&server->turn.budget, BUDGET_REQUESTS) &&
           c->state == HTTP_RECEIVING) {
        struct http_conn *slowest = NULL;
        int64_t lowest = c->site->pool->limits.crowded_rate_min;
        for (struct conn *conn = server->conns; conn != NULL; conn = conn->next) {
            bool is_http = conn->protocol == c->conn.protocol && !conn->closing;
            int64_t rate = is_http ? body_rate(http_of(conn)) : INT64_MAX;
            if (rate < lowest) {
                lowest = rate;
                slowest = http_of(conn);
            }
        }
        if (slowest == NULL) {
            return false;
        }
        http_request_refuse(slowest, EXCHANGE_TIMED_OUT,
                            "the body comes in too slowly for so many at once");
    }
    return true;
}

static void request_wait(struct http_conn *c)
{
    struct server *server = c->conn.server;
    struct http_work *work = c->work;
    if (c->conn.closing) {
        return;
    }
    if (c->conn.ended) {
        conn_close(&c->conn); /* cut off in the middle; there is nobody to tell */
        return;
    }
    /* A streamed body is given away, what it keeps is the buffer for the next piece. */
    http_work_charge(work, work->parser.in_pieces ? work->in.cap : work->in.len);
    if (!work->body_refused && !room_is_made(c)) {
        http_request_refuse(c, EXCHANGE_OVERLOADED, "too many request bytes in flight");
        return;
    }
    if (c->state != HTTP_RECEIVING) {
        return; /* it was the slowest itself */
    }
    /* Bytes of a body keep the place, those of a head do not: it could dribble in for ever. */
    if (c->body_timed || !c->conn.place.waits) {
        conn_wait_begin(&c->conn, c->site->pool->limits.yield_ms);
    }
    if (c->body_timed) {
        conn_set_deadline(&c->conn, http_body_due_us(c));
    } else if (c->conn.deadline_us == INT64_MAX) {
        conn_set_deadline(&c->conn, http_in_ms(server, c->site->pool->limits.head_ms));
    }
}

static void request_parse(struct http_conn *c)
{
    /* A body that its service refuses is answered before it is whole. */
    while (!c->conn.closing && c->state == HTTP_RECEIVING) {
        switch (http_parser_feed(&c->work->parser, &c->work->in)) {
        case HTTP_PARSE_MORE:
            if (!http_body_spool(c)) {
                return;
            }
            if (c->ahead.len == 0) {
                reading_go_on(c);
                request_wait(c);
                return;
            }
            http_ahead_take_over(c);
            if (!buf_ok(&c->work->in)) {
                conn_close(&c->conn);
            }
            continue;
        case HTTP_PARSE_HEAD:
            http_body_begin(c);
            continue;
        case HTTP_PARSE_PIECE:
            http_body_piece(c);
            continue;
        case HTTP_PARSE_DONE:
            if (!c->work->parser.chunked && c->work->parser.content_length == 0) {
                http_body_none(c);
            }
            if (!c->conn.closing) {
                request_dispatch(c);
            }
            return;
        case HTTP_PARSE_BAD:
            PP_ASSERT(c->work->parser.reason != NULL);
            http_request_refuse(c, c->work->parser.failure, c->work->parser.reason);
            return;
        }
    }
}

static void reply_finished(struct exchange *exchange)
{
    struct http_work *work = http_work_of(exchange);
    PP_ASSERT(work->conn == NULL || work->conn->work == work);
    if (work->conn == NULL) {
        http_work_give_back(work);
    } else if (work->sent) {
        http_reply_gone(work->conn);
    }
}

static void reply_want_room(struct exchange *exchange, size_t bytes)
{
    struct http_conn *c = http_work_of(exchange)->conn;
    if (c != NULL) {
        (void)reply_room_is_made(c, bytes);
    }
}

static const struct exchange_owner owner = {http_reply_send, reply_finished, reply_want_room};

/* --- what the connection calls --- */

static struct conn *http_conn_new(struct server *server, void *ctx)
{
    struct http_site *site = ctx;
    (void)server;
    bool can_discard = http_pool_discard(site->pool) != NULL;
    struct http_conn *c = can_discard ? http_pool_conn_take(site->pool) : NULL;
    if (c == NULL) {
        return NULL;
    }
    c->site = site;
    c->state = HTTP_IDLE;
    buf_init(&c->ahead, site->pool->limits.ahead_bytes_max + HTTP_DISCARD_BYTES);
    return &c->conn;
}

static void http_conn_free(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    PP_ASSERT(c->work == NULL);
    budget_note(&conn->server->turn.budget, BUDGET_REQUESTS, &c->ahead_charged, 0);
    buf_release(&c->ahead);
    http_pool_conn_give_back(c->site->pool, c);
}

static void http_opened(struct conn *conn, bool over_limit)
{
    struct http_conn *c = http_of(conn);
    if (!over_limit) {
        conn_read_start(conn);
        conn_wait_begin(conn, 0);
        conn_set_deadline(conn, http_in_ms(conn->server, c->site->pool->limits.idle_ms));
        return;
    }
    if (http_work_take(c, &owner) == NULL) {
        conn_close(conn);
        return;
    }
    http_request_refuse(c, EXCHANGE_OVERLOADED, "too many connections");
}

/* Does what comes in now stand behind a request in progress, or one that waits for its turn? */
static bool is_behind(const struct http_conn *c)
{
    return (c->state != HTTP_IDLE && c->state != HTTP_RECEIVING) || http_waits_for_turn(c);
}

static size_t read_size(const struct server *server, const struct http_work *work)
{
    const struct http_parser *parser = &work->parser;
    if (!parser->head_complete) {
        return HTTP_READ_BYTES_FIRST;
    }
    if (server_is_crowded(server)) {
        return SERVER_CROWDED_READ_BYTES;
    }
    uint64_t rest =
        parser->chunked ? HTTP_READ_BYTES_MAX / 4 : parser->content_length - parser->body_len;
    if (rest > HTTP_READ_BYTES_MAX) {
        return HTTP_READ_BYTES_MAX;
    }
    return rest > read_bytes_min ? (size_t)rest : read_bytes_min;
}

static uv_buf_t http_room(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    struct server *server = conn->server;
    if (c->state == HTTP_IDLE && c->work == NULL && http_work_take(c, &owner) == NULL) {
        return uv_buf_init(NULL, 0);
    }
    if (is_behind(c)) {
        return uv_buf_init(http_pool_discard(c->site->pool), HTTP_DISCARD_BYTES);
    }
    struct buf *in = &c->work->in;
    /* A streamed body reuses its buffer, so that it pays to have a large one. */
    size_t size = read_size(server, c->work);
    size_t wanted = c->work->parser.in_pieces ? size : read_bytes_min;
    if (in->cap < in->len + 1 + wanted && !buf_reserve(in, size)) {
        if (c->state == HTTP_RECEIVING) {
            in->failed = false; /* what is there of the request is sound */
            http_request_refuse(c, EXCHANGE_NO_MEMORY, "out of memory");
            return uv_buf_init(http_pool_discard(c->site->pool), HTTP_DISCARD_BYTES);
        }
        return uv_buf_init(NULL, 0);
    }
    PP_ASSERT(in->len + 1 < in->cap);
    size_t room = in->cap - in->len - 1;
    size_t max = HTTP_READ_BYTES_MAX;
    return uv_buf_init(in->ptr + in->len, (unsigned)(room < max ? room : max));
}

static void put_aside(struct http_conn *c, size_t count)
{
    if (c->state == HTTP_LINGERING) {
        http_linger_on(c);
        return;
    }
    if (c->refused) {
        return;
    }
    buf_append(&c->ahead, http_pool_discard(c->site->pool), count);
    if (!buf_ok(&c->ahead)) {
        conn_close(&c->conn);
    } else {
        http_reading_adjust(c);
    }
}

static void http_received(struct conn *conn, size_t count)
{
    struct http_conn *c = http_of(conn);
    if (is_behind(c)) {
        put_aside(c, count);
        return;
    }
    if (count == 0) {
        if (c->state == HTTP_IDLE && c->work != NULL) {
            http_work_give_back(c->work);
        }
        return;
    }
    if (c->state == HTTP_IDLE) {
        c->state = HTTP_RECEIVING;
        c->body_timed = false;
        c->slice_bytes = 0;
        conn->deadline_us = INT64_MAX;
        conn_wait_begin(conn, c->site->pool->limits.yield_ms);
    }
    PP_ASSERT(c->work != NULL && c->work->conn == c);
    PP_ASSERT(c->work->in.len + count < c->work->in.cap);
    c->slice_bytes += count;
    c->work->in.len += count;
    c->work->in.ptr[c->work->in.len] = '\0';
    request_parse(c);
}

static void http_ended(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    switch (c->state) {
    case HTTP_IDLE:
    case HTTP_LINGERING:
        conn_close(conn);
        return;
    case HTTP_RECEIVING:
        /* Pipelined requests that wait for their turn are still served. */
        if (!http_waits_for_turn(c)) {
            conn_close(conn);
        }
        return;
    case HTTP_BUSY:
    case HTTP_SENDING:
        /* Who has sent his last request and closed that direction still waits for the answer. One
         * who has left looks the same until something is sent to him. */
        return;
    }
}

static void http_sent(struct conn *conn, bool ok)
{
    struct http_conn *c = http_of(conn);
    conn_wait_end(conn);
    if (ok && c->work->stream_left > 0) {
        conn_set_deadline(conn, INT64_MAX);
        conn_make_ready(conn);
    } else if (ok) {
        conn_set_deadline(conn, INT64_MAX);
        http_reply_gone(c);
    } else if (c->work != NULL) {
        http_work_give_back(c->work);
    }
}

static void http_ready(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    c->slice_bytes = 0;
    if (c->state == HTTP_RECEIVING) {
        request_parse(c);
    } else if (c->state == HTTP_SENDING && !conn->writing && c->work->stream_left > 0) {
        http_reply_go_on(c);
    }
}

static void http_expired(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    switch (c->state) {
    case HTTP_RECEIVING:
        if (c->work->body_refused) {
            http_request_cut_short(c); /* what was wrong is known better than that */
        } else {
            http_request_refuse(c, EXCHANGE_TIMED_OUT, "the request comes in too slowly");
        }
        return;
    case HTTP_SENDING: {
        size_t unsent = conn_unsent_bytes(conn);
        PP_ASSERT(unsent <= c->unsent_before);
        if (c->unsent_before - unsent >= HTTP_SEND_BYTES_MIN) {
            c->unsent_before = unsent;
            conn_wait_begin(conn, c->site->pool->limits.reader_yield_ms);
            conn_set_deadline(conn, http_in_ms(conn->server, c->site->pool->limits.send_ms));
            return;
        }
        LOG_INFOF(conn->server->log, "http", "%s: closed a reader that takes too long",
                  c->site->service->name);
        conn_close(conn);
        return;
    }
    case HTTP_IDLE:
    case HTTP_LINGERING:
        conn_close(conn);
        return;
    case HTTP_BUSY:
        return;
    }
}

static void http_stopping(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    if (c->state == HTTP_IDLE || c->state == HTTP_LINGERING) {
        conn_close(conn);
    } else if (c->state == HTTP_BUSY && exchange_is_parked(&c->work->exchange)) {
        exchange_abort(&c->work->exchange, EXCHANGE_STOPPING);
    }
}

static void http_closing(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    struct http_work *work = c->work;
    if (work == NULL || conn->writing) {
        return; /* a pending write still reads the reply: on_sent gives it back */
    }
    PP_ASSERT(work->conn == c);
    if (c->state == HTTP_BUSY && exchange_is_held(&work->exchange)) {
        c->work = NULL;
        work->conn = NULL;
        return; /* the turn gives it back */
    }
    if (!exchange_is_held(&work->exchange)) {
        exchange_cancel(&work->exchange);
    }
    http_work_give_back(work);
}

static const struct conn_protocol http_protocol = {
    .name = "http",
    .conn_new = http_conn_new,
    .conn_free = http_conn_free,
    .opened = http_opened,
    .room = http_room,
    .received = http_received,
    .ended = http_ended,
    .sent = http_sent,
    .ready = http_ready,
    .expired = http_expired,
    .stopping = http_stopping,
    .closing = http_closing,
};

enum status http_kind(struct http_pool *pool, const struct service *service, struct conn_kind *out)
{
    struct http_site *site = http_pool_site(pool, service);
    *out = (struct conn_kind){.protocol = &http_protocol, .ctx = site};
    return site != NULL && http_pool_fill(pool, &owner) ? STATUS_OK : STATUS_NO_MEMORY;
}
