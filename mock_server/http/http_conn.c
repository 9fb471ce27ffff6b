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
    read_bytes_min = 2 * 1024, /* less room than this is not worth a system call ... */
    head_bytes_min = 512,      /* ... for a body; a head that dribbles in seldom needs more */
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
    if (!conn->writing) {
        return false; /* also between two pieces */
    }
    PP_ASSERT(c->state == HTTP_SENDING && conn->place.waits);
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

/* The one whose reader has taken longest so far; NULL: none has for yield_ms. */
static struct http_conn *waiting_reader_find(const struct http_conn *c)
{
    int64_t since_us = server_now_us(c->conn.server) - c->site->pool->limits.yield_ms * 1000;
    struct conn *conn = c->conn.server->waits_oldest;
    while (conn != NULL && conn->place.since_us <= since_us) {
        if (conn->protocol == c->conn.protocol && conn->writing) {
            PP_ASSERT(http_of(conn)->state == HTTP_SENDING);
            return http_of(conn);
        }
        conn = conn->place.newer;
    }
    return NULL;
}

/* How much comes free when the loop has let go of it. */
static size_t reader_close(struct http_conn *reader)
{
    PP_ASSERT(reader->work != NULL);
    size_t bytes = reader->work->exchange.held.bytes + reader->work->charged;
    LOG_INFOF(reader->conn.server->log, "http", "%s: closed a slow reader: answers take too much",
              reader->site->service->name);
    conn_close(&reader->conn);
    return bytes;
}

/* While answers that have not left leave less than `wanted` of their share of memory, slow readers
 * are closed, and where there is nothing left the one that has waited longest. False: all read
 * well, there are just many. */
static bool reply_room_is_made(struct http_conn *c, size_t wanted)
{
    size_t room = exchange_reply_room(&c->work->exchange);
    struct http_conn *slow = room < wanted ? slow_reader_find(c) : NULL;
    while (slow != NULL) {
        room += reader_close(slow);
        slow = room < wanted ? slow_reader_find(c) : NULL;
    }
    struct http_conn *waiting = room == 0 ? waiting_reader_find(c) : NULL;
    if (waiting != NULL) {
        room += reader_close(waiting);
    }
    return room > 0;
}

/* The request is whole. Where the answers of this turn take all the memory that there is for them,
 * it waits for the next one: they leave with this. */
static void request_dispatch(struct http_conn *c)
{
    PP_ASSERT(c->state == HTTP_RECEIVING && !c->conn.closing);
    PP_ASSERT(c->work->conn == c && !exchange_is_held(&c->work->exchange));
    struct http_work *work = c->work;
    struct server *server = c->conn.server;
    work->whole = true;
    conn_wait_end(&c->conn);
    conn_set_deadline(&c->conn, INT64_MAX);
    if (server->turn.held_count > 0 && exchange_reply_room(&work->exchange) == 0) {
        conn_make_ready(&c->conn);
        http_reading_adjust(c);
        return;
    }
    if (work->spool != NULL && !http_body_map(c)) {
        return;
    }
    http_request_complete(work, server);
    c->state = HTTP_BUSY;
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
    http_work_charge_to(work, BUDGET_REPLIES); /* with what its service has put into the arena */
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

/* What a request that comes in holds; 0: it is none that could be given up. The buffer for a piece
 * is not its own doing: how large it is depends on the room that there was. */
static size_t coming_bytes(const struct http_conn *c)
{
    const struct http_work *work = c->work;
    if (c->state != HTTP_RECEIVING || c->conn.closing || work->whole || work->body_refused) {
        return 0;
    }
    size_t spare = work->parser.in_pieces ? work->in.cap - work->in.len : 0;
    size_t held = work->charged + work->exchange.service_bytes;
    return held > spare ? held - spare : 1;
}

/* How many bytes of its body a second it has brought; INT64_MAX: too early to say. */
static int64_t body_rate(const struct http_conn *c)
{
    int64_t took_us = server_now_us(c->conn.server) - c->body_start_us;
    if (coming_bytes(c) == 0 || !c->body_timed ||
        took_us <= c->site->pool->limits.crowded_ms * 1000) {
        return INT64_MAX;
    }
    return (int64_t)c->work->parser.body_len * 1000000 / took_us;
}

/* Of those whose bodies come in too slowly for a crowd, the slowest. */
static struct http_conn *slow_sender_find(const struct http_conn *c)
{
    struct http_conn *found = NULL;
    int64_t lowest = c->site->pool->limits.crowded_rate_min;
    for (struct conn *conn = c->conn.server->conns; conn != NULL; conn = conn->next) {
        bool is_http = conn->protocol == c->conn.protocol;
        int64_t rate = is_http ? body_rate(http_of(conn)) : INT64_MAX;
        if (rate < lowest) {
            lowest = rate;
            found = http_of(conn);
        }
    }
    return found;
}

/* Do both have as many binary digits? */
static bool about_equal(size_t a, size_t b)
{
    return (a ^ b) <= (a & b);
}

/* Of those that hold at least half as much, the one that holds most; of several that hold about the
 * same the one that has brought nothing for longest. NULL for one that is not small: it is the
 * newest to want so much. */
static struct http_conn *hoarder_find(const struct http_conn *c)
{
    size_t most = coming_bytes(c);
    struct http_conn *found = NULL;
    const struct budget *budget = &c->conn.server->turn.budget;
    if (most > budget->shares[BUDGET_REQUESTS].max_bytes / HTTP_SMALL_PART) {
        return NULL;
    }
    for (struct conn *conn = c->conn.server->waits_oldest; conn != NULL; conn = conn->place.newer) {
        size_t bytes = conn->protocol == c->conn.protocol ? coming_bytes(http_of(conn)) : 0;
        bool is_more =
            found == NULL ? bytes >= (most + 1) / 2 : bytes > most && !about_equal(bytes, most);
        if (conn != &c->conn && is_more) {
            most = bytes;
            found = http_of(conn);
        }
    }
    return found;
}

/* While requests take more memory than their share, those that come in slowest are given up: held
 * back bodies are the cheapest way to take it all. Then whoever holds most gives way to whoever
 * holds little. False: it is neither, there are just many. */
static bool room_is_made(struct http_conn *c)
{
    const struct budget *budget = &c->conn.server->turn.budget;
    while (budget_is_overdrawn(budget, BUDGET_REQUESTS, c->site->pool->leaving_bytes) &&
           c->state == HTTP_RECEIVING) {
        struct http_conn *slow = slow_sender_find(c);
        struct http_conn *hoarder = slow == NULL ? hoarder_find(c) : NULL;
        if (slow != NULL) {
            http_request_refuse(slow, EXCHANGE_TIMED_OUT,
                                "the body comes in too slowly for so many at once");
        } else if (hoarder != NULL) {
            http_request_refuse(hoarder, EXCHANGE_OVERLOADED,
                                "it holds most of the memory that all requests share");
        } else {
            return false;
        }
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
    http_work_charge(work);
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
    PP_ASSERT(c != NULL); /* who has left has had it cancelled */
    (void)reply_room_is_made(c, bytes);
}

static const struct exchange_owner owner = {http_reply_send, reply_finished, reply_want_room};

/* --- what the connection calls --- */

static struct conn *http_conn_new(struct server *server, void *ctx)
{
    struct http_site *site = ctx;
    (void)server;
    struct http_conn *c = http_pool_conn_take(site->pool);
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

/* How much the request may bring next. A gathered body gets room for what it has announced, however
 * little is read of it at once: what is not filled takes no memory, what grows often leaves holes.
 */
static size_t read_size(const struct server *server, const struct http_work *work)
{
    const struct http_parser *parser = &work->parser;
    if (!parser->head_complete) {
        return HTTP_READ_BYTES_FIRST;
    }
    uint64_t rest =
        parser->chunked ? HTTP_READ_BYTES_MAX / 4 : parser->content_length - parser->body_len;
    size_t max = HTTP_READ_BYTES_MAX;
    if (parser->in_pieces) {
        max = server_is_crowded(server)
                  ? SERVER_CROWDED_READ_BYTES
                  : http_piece_bytes(budget_room(&server->turn.budget, BUDGET_REQUESTS));
    }
    if (rest > max) {
        return max;
    }
    return rest > read_bytes_min ? (size_t)rest : read_bytes_min;
}

/* Room for the next bytes of the request. A streamed body reuses its buffer, so that it pays to
 * have a large one as long as there is room for all. */
static bool in_reserve(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct buf *in = &work->in;
    size_t size = read_size(c->conn.server, work);
    if (work->parser.in_pieces) {
        if (in->cap > 2 * (in->len + 1 + size)) {
            buf_shrink(in, in->len + 1 + size);
        }
        return in->cap >= in->len + 1 + size || buf_reserve(in, size);
    }
    size_t wanted = work->parser.head_complete ? read_bytes_min : head_bytes_min;
    uint64_t rest = work->parser.content_length - work->parser.body_len;
    if (work->parser.head_complete && !work->parser.chunked && rest < wanted) {
        wanted = (size_t)rest; /* a small body fits where its head did, memory or not */
    }
    return in->cap >= in->len + 1 + wanted || buf_reserve(in, size);
}

static uv_buf_t discard_room(const struct http_conn *c)
{
    return uv_buf_init(c->site->pool->discard, HTTP_DISCARD_BYTES);
}

static uv_buf_t http_room(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    if (c->state == HTTP_IDLE && http_work_take(c, &owner) == NULL) {
        return uv_buf_init(NULL, 0);
    }
    if (is_behind(c)) {
        return discard_room(c);
    }
    struct buf *in = &c->work->in;
    if (!in_reserve(c)) {
        if (c->state == HTTP_RECEIVING) {
            in->failed = false; /* what is there of the request is sound */
            http_request_refuse(c, EXCHANGE_NO_MEMORY, "out of memory");
            return discard_room(c);
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
    buf_append(&c->ahead, c->site->pool->discard, count);
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
        if (c->state == HTTP_IDLE) {
            http_work_give_back(c->work); /* which was taken for what did not come */
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
    if (c->state == HTTP_RECEIVING && c->work->whole) {
        request_dispatch(c);
    } else if (c->state == HTTP_RECEIVING) {
        request_parse(c);
    } else if (c->state == HTTP_SENDING && !conn->writing) {
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
