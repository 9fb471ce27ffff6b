/* A connection's HTTP side. What a request needs while it is under way (its bytes, the exchange,
 * the parser) is one struct http_work, taken from the server's spare ones at the first byte and
 * given back after the reply: a thousand idle connections hold none, and a busy one allocates
 * nothing.
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
    read_bytes_first = 8 * 1024,
    read_bytes_max = 256 * 1024,
    read_bytes_min = 2 * 1024, /* less room than this is not worth a system call */
    keep_bytes = 16 * 1024,    /* what a spare work keeps of a large request's buffer */
    spare_work_max = 64,
    discard_bytes = 16 * 1024,
    linger_times = 6, /* the longest lingering, in linger timeouts */
};

static struct http_conn *http_of(struct conn *conn)
{
    return (struct http_conn *)(void *)conn;
}

struct http_work *http_work_of(struct exchange *exchange)
{
    return PP_CONTAINER_OF(exchange, struct http_work, exchange);
}

int64_t http_in_ms(const struct server *server, int64_t delay_ms)
{
    return server_now_us(server) + delay_ms * 1000;
}

/* --- work: taken and given back --- */

static void reply_finished(struct exchange *exchange);

static const struct exchange_owner owner = {http_reply_send, reply_finished};

static struct http_work *work_new(struct server *server)
{
    struct http_work *work = malloc(sizeof(*work));
    if (work == NULL) {
        return NULL;
    }
    if (exchange_init(&work->exchange, &server->turn, &owner) != STATUS_OK) {
        free(work);
        return NULL;
    }
    buf_init(&work->in, 0);
    buf_init(&work->head, HTTP_REPLY_HEAD_BYTES_MAX);
    work->charged = 0;
    return work;
}

static void work_free(struct http_work *work)
{
    exchange_release(&work->exchange);
    buf_release(&work->in);
    buf_release(&work->head);
    free(work);
}

static void work_reset(struct http_work *work, const struct service *service)
{
    uint64_t bytes_max = service->body_bytes_max;
    if (service->body_begin != NULL && service->stream_bytes_max > bytes_max) {
        bytes_max = service->stream_bytes_max; /* until the service has said what it wants */
    }
    exchange_reset(&work->exchange, service);
    http_parser_reset(&work->parser, bytes_max);
    buf_reset(&work->head);
    work->in.max = HTTP_HEAD_BYTES_MAX + service->body_bytes_max + 2 * (size_t)read_bytes_max;
    work->stream_left = 0;
    work->filled = false;
    work->body_refused = false;
    work->sent = false;
    work->close_after = false;
}

static struct http_work *work_take(struct http_conn *c)
{
    struct server *server = c->conn.server;
    struct http_work *work = server->spare_work;
    if (work != NULL) {
        server->spare_work = work->next_spare;
        server->spare_work_count--;
    } else {
        work = work_new(server);
        if (work == NULL) {
            return NULL;
        }
    }
    work->conn = c;
    buf_trim(&work->in, keep_bytes);
    work_reset(work, c->service);
    c->work = work;
    return work;
}

/* Requests being received share one budget; small ones are not worth counting. */
static void work_charge(struct server *server, struct http_work *work, size_t bytes)
{
    size_t charged = bytes > keep_bytes ? bytes : 0;
    server->body_bytes = server->body_bytes - work->charged + charged;
    work->charged = charged;
}

static void work_give_back(struct server *server, struct http_work *work)
{
    exchange_sent(&work->exchange);
    work_charge(server, work, 0);
    if (work->conn != NULL) {
        work->conn->work = NULL;
        work->conn = NULL;
    }
    if (server->spare_work_count >= spare_work_max) {
        work_free(work);
        return;
    }
    buf_trim(&work->in, keep_bytes);
    exchange_reset(&work->exchange, work->exchange.entry);
    work->next_spare = server->spare_work;
    server->spare_work = work;
    server->spare_work_count++;
}

void http_spare_release(struct server *server)
{
    while (server->spare_work != NULL) {
        struct http_work *work = server->spare_work;
        server->spare_work = work->next_spare;
        work_free(work);
    }
    server->spare_work_count = 0;
    free(server->discard);
    server->discard = NULL;
}

/* --- from one request to the next --- */

/* A pipelined request is there, at least in part, and its turn has not come. */
static bool waits_for_turn(const struct http_conn *c)
{
    return c->state == HTTP_RECEIVING && c->conn.is_ready;
}

/* A peer that sends faster than it is answered waits in its own kernel. */
static void reading_adjust(struct http_conn *c)
{
    size_t behind = c->work->in.len - c->work->parser.position + c->ahead.len;
    if (behind >= c->conn.server->limits.ahead_bytes_max) {
        conn_read_stop(&c->conn);
    } else {
        conn_read_start(&c->conn);
    }
}

/* What waited behind the last request belongs to this one. */
static void ahead_take_over(struct http_conn *c)
{
    buf_append_span(&c->work->in, buf_span(&c->ahead));
    buf_trim(&c->ahead, 0);
}

static void request_begin_next(struct http_conn *c)
{
    struct server *server = c->conn.server;
    struct http_work *work = c->work;
    size_t left = work->in.len - work->parser.position;
    if (left + c->ahead.len == 0) {
        work_give_back(server, work);
        c->state = HTTP_IDLE;
        if (c->conn.ended) {
            conn_close(&c->conn);
            return;
        }
        conn_set_deadline(&c->conn, http_in_ms(server, server->limits.idle_ms));
        return;
    }
    exchange_sent(&work->exchange);
    buf_consume(&work->in, work->parser.position);
    ahead_take_over(c);
    if (!buf_ok(&work->in)) {
        work_give_back(server, work);
        conn_close(&c->conn);
        return;
    }
    work_charge(server, work, work->in.len);
    work_reset(work, c->service);
    c->state = HTTP_RECEIVING;
    c->body_timed = false;
    c->slice_bytes = 0;
    conn_set_deadline(&c->conn, http_in_ms(server, server->limits.head_ms));
    reading_adjust(c);
    /* Not here: this runs while the turn ends, and the next request belongs to the next turn. */
    conn_make_ready(&c->conn);
}

/* As long as the peer goes on sending, but not for ever. */
static void linger_on(struct http_conn *c)
{
    int64_t due_us = http_in_ms(c->conn.server, c->conn.server->limits.linger_ms);
    conn_set_deadline(&c->conn, due_us < c->linger_until_us ? due_us : c->linger_until_us);
}

void http_reply_gone(struct http_conn *c)
{
    struct http_work *work = c->work;
    if (!work->close_after) {
        request_begin_next(c);
        return;
    }
    work_give_back(c->conn.server, work);
    if (!c->refused || c->conn.ended) {
        conn_close(&c->conn);
        return;
    }
    /* Closing with unread input makes the kernel send a reset, and the peer, still writing, would
     * never see the reply. */
    c->state = HTTP_LINGERING;
    c->linger_until_us =
        http_in_ms(c->conn.server, linger_times * c->conn.server->limits.linger_ms);
    conn_end_sending(&c->conn);
    conn_read_start(&c->conn);
    linger_on(c);
}

static void reply_finished(struct exchange *exchange)
{
    struct http_work *work = http_work_of(exchange);
    if (work->conn == NULL) {
        struct server *server = PP_CONTAINER_OF(exchange->turn, struct server, turn);
        work_give_back(server, work);
    } else if (work->sent) {
        http_reply_gone(work->conn);
    }
}

/* --- the request --- */

void http_request_fill(struct http_work *work, struct server *server, const struct buf *bytes)
{
    struct exchange *exchange = &work->exchange;
    http_parser_request(&work->parser, bytes, work->headers, &exchange->request);
    exchange->request.received_us = server->env->wall_us(server->env);
    exchange->start_us = server_now_us(server);
    exchange->journal_path = exchange->request.target;
}

/* What has come in by now, whole or not. */
static void request_complete(struct http_work *work, struct server *server)
{
    if (work->filled) {
        work->exchange.request.body = http_parser_body(&work->parser, &work->in);
    } else {
        http_request_fill(work, server, &work->in);
    }
}

/* Nothing more is taken of what the peer sends; the connection closes behind the reply. */
static void request_give_up(struct http_conn *c)
{
    /* Its bytes go with the reply: others need not be refused for them as well. */
    work_charge(c->conn.server, c->work, 0);
    c->refused = true;
    c->state = HTTP_BUSY;
    c->work->close_after = true;
    conn_set_deadline(&c->conn, INT64_MAX);
    buf_trim(&c->ahead, 0);
}

void http_request_refuse(struct http_conn *c, enum exchange_failure failure, const char *reason)
{
    struct server *server = c->conn.server;
    request_complete(c->work, server);
    LOG_INFOF(server->log, "http", "%s: refused: %s", c->service->name, reason);
    request_give_up(c);
    exchange_abort(&c->work->exchange, failure);
}

void http_request_cut_short(struct http_conn *c)
{
    request_give_up(c);
    exchange_answer(&c->work->exchange);
}

static void request_dispatch(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct server *server = c->conn.server;
    request_complete(work, server);
    c->state = HTTP_BUSY;
    conn_set_deadline(&c->conn, INT64_MAX);
    reading_adjust(c);
    if (c->conn.closing) {
        return;
    }
    if (work->body_refused) {
        exchange_answer(&work->exchange);
        return;
    }
    if (exchange_reply_room(&work->exchange) == 0) {
        exchange_abort(&work->exchange, EXCHANGE_OVERLOADED);
        return;
    }
    exchange_handle(&work->exchange);
    if (exchange_is_parked(&work->exchange) && c->conn.ended) {
        conn_close(&c->conn);
    }
}

/* Have all senders together sent what one turn takes in? */
static bool is_crowded(const struct server *server)
{
    return server->turn_bytes >= HTTP_TURN_BYTES_MAX;
}

/* A fast sender has others' turns between its slices. One that has sent nothing since its last one
 * is let in whatever the others sent, or it might never be. */
static void reading_go_on(struct http_conn *c)
{
    bool may_send = c->slice_bytes < HTTP_SLICE_BYTES_MAX && !is_crowded(c->conn.server);
    if (may_send || c->slice_bytes == 0) {
        conn_read_start(&c->conn);
        return;
    }
    conn_read_stop(&c->conn);
    conn_make_ready(&c->conn);
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
    work_charge(server, work, work->parser.in_pieces ? work->in.cap : work->in.len);
    if (server->body_bytes > server->limits.body_bytes_max) {
        http_request_refuse(c, EXCHANGE_OVERLOADED, "too many request bytes in flight");
        return;
    }
    if (c->body_timed) {
        conn_set_deadline(&c->conn, http_body_due_us(c));
    } else if (c->conn.deadline_us == INT64_MAX) {
        conn_set_deadline(&c->conn, http_in_ms(server, server->limits.head_ms));
    }
}

static void request_parse(struct http_conn *c)
{
    /* A body that its service refuses is answered before it is whole. */
    while (!c->conn.closing && c->state == HTTP_RECEIVING) {
        switch (http_parser_feed(&c->work->parser, &c->work->in)) {
        case HTTP_PARSE_MORE:
            if (c->ahead.len == 0) {
                reading_go_on(c);
                request_wait(c);
                return;
            }
            ahead_take_over(c);
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
            request_dispatch(c);
            return;
        case HTTP_PARSE_BAD:
            http_request_refuse(c, c->work->parser.failure, c->work->parser.reason);
            return;
        }
    }
}

/* --- what the connection calls --- */

static struct conn *http_conn_new(struct server *server, const struct service *service)
{
    if (server->discard == NULL) {
        server->discard = malloc(discard_bytes);
    }
    struct http_conn *c = server->discard != NULL ? calloc(1, sizeof(*c)) : NULL;
    if (c == NULL) {
        return NULL;
    }
    c->service = service;
    c->state = HTTP_IDLE;
    buf_init(&c->ahead, server->limits.ahead_bytes_max + discard_bytes);
    return &c->conn;
}

static void http_conn_free(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    PP_ASSERT(c->work == NULL);
    buf_release(&c->ahead);
    free(c);
}

static void on_opened(struct conn *conn, bool over_limit)
{
    struct http_conn *c = http_of(conn);
    if (!over_limit) {
        conn_read_start(conn);
        conn_set_deadline(conn, http_in_ms(conn->server, conn->server->limits.idle_ms));
        return;
    }
    if (work_take(c) == NULL) {
        conn_close(conn);
        return;
    }
    http_request_refuse(c, EXCHANGE_OVERLOADED, "too many connections");
}

/* Does what comes in now stand behind a request in progress, or one that waits for its turn? */
static bool is_behind(const struct http_conn *c)
{
    return (c->state != HTTP_IDLE && c->state != HTTP_RECEIVING) || waits_for_turn(c);
}

static size_t read_size(const struct server *server, const struct http_work *work)
{
    const struct http_parser *parser = &work->parser;
    if (!parser->head_complete) {
        return read_bytes_first;
    }
    if (is_crowded(server)) {
        return HTTP_CROWDED_READ_BYTES;
    }
    uint64_t rest =
        parser->chunked ? read_bytes_max / 4 : parser->content_length - parser->body_len;
    if (rest > read_bytes_max) {
        return read_bytes_max;
    }
    return rest > read_bytes_min ? (size_t)rest : read_bytes_min;
}

static uv_buf_t on_room(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    struct server *server = conn->server;
    if (c->state == HTTP_IDLE && c->work == NULL && work_take(c) == NULL) {
        return uv_buf_init(NULL, 0);
    }
    if (is_behind(c)) {
        return uv_buf_init(server->discard, discard_bytes);
    }
    struct buf *in = &c->work->in;
    /* A streamed body reuses its buffer, so that it pays to have a large one. */
    size_t size = read_size(server, c->work);
    size_t wanted = c->work->parser.in_pieces ? size : read_bytes_min;
    if (in->cap < in->len + 1 + wanted && !buf_reserve(in, size)) {
        return uv_buf_init(NULL, 0);
    }
    size_t room = in->cap - in->len - 1;
    size_t max = is_crowded(server) ? HTTP_CROWDED_READ_BYTES : read_bytes_max;
    return uv_buf_init(in->ptr + in->len, (unsigned)(room < max ? room : max));
}

static void put_aside(struct http_conn *c, size_t count)
{
    struct server *server = c->conn.server;
    if (c->state == HTTP_LINGERING) {
        linger_on(c);
        return;
    }
    if (c->refused) {
        return;
    }
    buf_append(&c->ahead, server->discard, count);
    if (!buf_ok(&c->ahead)) {
        conn_close(&c->conn);
    } else {
        reading_adjust(c);
    }
}

static void on_received(struct conn *conn, size_t count)
{
    struct http_conn *c = http_of(conn);
    if (is_behind(c)) {
        put_aside(c, count);
        return;
    }
    if (count == 0) {
        if (c->state == HTTP_IDLE && c->work != NULL) {
            work_give_back(conn->server, c->work);
        }
        return;
    }
    if (c->state == HTTP_IDLE) {
        c->state = HTTP_RECEIVING;
        c->body_timed = false;
        c->slice_bytes = 0;
        conn->deadline_us = INT64_MAX;
    }
    c->slice_bytes += count;
    c->conn.server->turn_bytes += count;
    c->work->in.len += count;
    c->work->in.ptr[c->work->in.len] = '\0';
    request_parse(c);
}

static void on_ended(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    switch (c->state) {
    case HTTP_IDLE:
    case HTTP_LINGERING:
        conn_close(conn);
        return;
    case HTTP_RECEIVING:
        /* Pipelined requests that wait for their turn are still served. */
        if (!waits_for_turn(c)) {
            conn_close(conn);
        }
        return;
    case HTTP_BUSY:
        /* A parked request's client has left. (One that only shut down its sending side looks the
         * same; its poll would consume records that nobody reads.) */
        if (exchange_is_parked(&c->work->exchange)) {
            conn_close(conn);
        }
        return;
    case HTTP_SENDING:
        return;
    }
}

static void on_sent(struct conn *conn, bool ok)
{
    struct http_conn *c = http_of(conn);
    if (ok && c->work->stream_left > 0) {
        conn_set_deadline(conn, INT64_MAX);
        conn_make_ready(conn);
    } else if (ok) {
        conn_set_deadline(conn, INT64_MAX);
        http_reply_gone(c);
    } else if (c->work != NULL) {
        work_give_back(conn->server, c->work);
    }
}

static void on_ready(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    c->slice_bytes = 0;
    if (c->state == HTTP_RECEIVING) {
        request_parse(c);
    } else if (c->state == HTTP_SENDING && !conn->writing && c->work->stream_left > 0) {
        http_reply_go_on(c);
    }
}

static void on_expired(struct conn *conn)
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
        if (c->unsent_before - unsent >= SERVER_SEND_BYTES_MIN) {
            c->unsent_before = unsent;
            conn_set_deadline(conn, http_in_ms(conn->server, conn->server->limits.send_ms));
            return;
        }
        LOG_INFOF(conn->server->log, "http", "%s: closed a reader that takes too long",
                  c->service->name);
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

static void on_stopping(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    if (c->state == HTTP_IDLE || c->state == HTTP_LINGERING) {
        conn_close(conn);
    } else if (c->state == HTTP_BUSY && exchange_is_parked(&c->work->exchange)) {
        exchange_abort(&c->work->exchange, EXCHANGE_STOPPING);
    }
}

static void on_closing(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    struct http_work *work = c->work;
    if (work == NULL || conn->writing) {
        return; /* a pending write still reads the reply: on_sent gives it back */
    }
    if (c->state == HTTP_BUSY && exchange_is_held(&work->exchange)) {
        c->work = NULL;
        work->conn = NULL;
        return; /* the turn gives it back */
    }
    if (!exchange_is_held(&work->exchange)) {
        exchange_cancel(&work->exchange);
    }
    work_give_back(conn->server, work);
}

const struct conn_protocol http_protocol = {
    .conn_new = http_conn_new,
    .conn_free = http_conn_free,
    .opened = on_opened,
    .room = on_room,
    .received = on_received,
    .ended = on_ended,
    .sent = on_sent,
    .ready = on_ready,
    .expired = on_expired,
    .stopping = on_stopping,
    .closing = on_closing,
};
