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
#include "http_conn.h"

#include "http_parse.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    read_bytes_first = 8 * 1024,
    read_bytes_max = 256 * 1024,
    read_bytes_min = 2 * 1024, /* less room than this is not worth a system call */
    keep_bytes = 16 * 1024,    /* what a spare work keeps of a large request's buffer */
    spare_work_max = 64,
    head_bytes_max = 128 * 1024, /* of a reply: its headers, the hint and the framing */
    discard_bytes = 16 * 1024,
    linger_times = 6, /* the longest lingering, in linger timeouts */
};

enum http_state {
    HTTP_IDLE,      /* waits for a request's first byte: RECEIVING; the idle timeout: closed */
    HTTP_RECEIVING, /* waits for the rest of it: BUSY; head or body timeout: refused with 408 */
    HTTP_BUSY,      /* the service has it, or the turn: SENDING or the next request */
    HTTP_SENDING,   /* waits for the reader to take the reply; too slow: closed */
    HTTP_LINGERING, /* refused; drops input until the peer ends or a timeout: closed */
};

struct http_work {
    struct exchange exchange;
    struct http_conn *conn; /* NULL: the client has left, the turn still has the reply */
    struct buf in;
    struct buf head; /* of the reply */
    size_t charged;  /* what it counts in server->body_bytes */
    bool sent;       /* the whole reply is with the kernel */
    bool close_after;
    struct http_work *next_spare;
    struct http_parser parser;
    struct http_header headers[HTTP_HEADERS_MAX];
};

struct http_conn {
    struct conn conn; /* first: struct conn * and struct http_conn * are cast */
    const struct service *service;
    enum http_state state;
    struct http_work *work; /* NULL when IDLE */
    struct buf ahead;
    bool refused;          /* what else the peer sends is dropped */
    bool body_timed;       /* the body's clock runs */
    int64_t body_start_us; /* when its head was complete */
    int64_t linger_until_us;
    size_t unsent_before; /* at the last look, to see whether the reader takes anything */
};

static struct http_conn *http_of(struct conn *conn)
{
    return (struct http_conn *)(void *)conn;
}

static struct http_work *work_of(struct exchange *exchange)
{
    return PP_CONTAINER_OF(exchange, struct http_work, exchange);
}

static int64_t in_ms(const struct server *server, int64_t delay_ms)
{
    return server_now_us(server) + delay_ms * 1000;
}

/* --- work: taken and given back --- */

static void reply_send(struct exchange *exchange);
static void reply_finished(struct exchange *exchange);

static const struct exchange_owner owner = {reply_send, reply_finished};

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
    buf_init(&work->head, head_bytes_max);
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
    exchange_reset(&work->exchange, service);
    http_parser_reset(&work->parser, service->body_bytes_max);
    buf_reset(&work->head);
    work->in.max = HTTP_HEAD_BYTES_MAX + service->body_bytes_max + 2 * (size_t)read_bytes_max;
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

/* --- the reply --- */

static const char *date_text(struct server *server)
{
    int64_t second = server->env->wall_us(server->env) / 1000000;
    if (second != server->date_second) {
        time_t seconds = (time_t)second;
        struct tm utc;
        gmtime_r(&seconds, &utc);
        strftime(server->date, sizeof(server->date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
        server->date_second = second;
    }
    return server->date;
}

static void status_line_append(struct buf *head, int status)
{
    if (status == 200) {
        BUF_APPEND_LIT(head, "HTTP/1.1 200 OK\r\n");
        return;
    }
    BUF_APPEND_LIT(head, "HTTP/1.1 ");
    buf_append_u64(head, (uint64_t)status);
    buf_append_byte(head, ' ');
    buf_append_cstr(head, http_status_reason(status));
    BUF_APPEND_LIT(head, "\r\n");
}

static bool status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void head_build(struct http_work *work, struct server *server)
{
    const struct reply *reply = &work->exchange.reply;
    struct buf *head = &work->head;
    buf_reset(head);
    status_line_append(head, reply->status);
    if (!reply->no_date_server) {
        BUF_APPEND_LIT(head, "Date: ");
        buf_append_cstr(head, date_text(server));
        BUF_APPEND_LIT(head, "\r\n");
    }
    if (reply->content_type != NULL) {
        http_header_append(head, "Content-Type", span_from_cstr(reply->content_type));
    }
    buf_append_span(head, buf_span(&reply->headers));
    if (reply->hint != NULL) {
        http_header_append(head, "X-Pinpipe-Hint", span_from_cstr(reply->hint));
    }
    if (status_has_body(reply->status)) {
        BUF_APPEND_LIT(head, "Content-Length: ");
        buf_append_u64(head, reply->body.len);
        BUF_APPEND_LIT(head, "\r\n");
    }
    if (work->close_after) {
        BUF_APPEND_LIT(head, "Connection: close\r\n");
    } else if (work->parser.old_version || reply->no_date_server) {
        BUF_APPEND_LIT(head, "Connection: keep-alive\r\n");
    }
    BUF_APPEND_LIT(head, "\r\n");
}

static void reply_log(const struct server *server, const struct exchange *exchange)
{
    const struct reply *reply = &exchange->reply;
    /* Without the query: presigned URLs keep their signature there. */
    struct span path =
        span_first(exchange->journal_path, span_find_byte(exchange->journal_path, '?'));
    if (reply->hint != NULL) {
        LOG_INFOF(server->log, exchange->entry->name, "%.*s %.*s: %d, hint: %s",
                  SPAN_ARG(exchange->request.method_name), SPAN_ARG(path), reply->status,
                  reply->hint);
    } else if (log_wants(server->log, LOG_DEBUG, "http")) {
        LOG_DEBUGF(server->log, "http", "%s %.*s %.*s: status=%d bytes=%zu", exchange->entry->name,
                   SPAN_ARG(exchange->request.method_name), SPAN_ARG(path), reply->status,
                   reply->body.len);
    }
}

static void reply_send(struct exchange *exchange)
{
    struct http_work *work = work_of(exchange);
    struct http_conn *c = work->conn;
    if (c == NULL) {
        return;
    }
    struct server *server = c->conn.server;
    work->close_after =
        work->close_after || exchange->reply.close || !work->parser.keep_alive || server->stopping;
    head_build(work, server);
    reply_log(server, exchange);
    if (!buf_ok(&work->head)) {
        conn_close(&c->conn);
        return;
    }
    uv_buf_t bufs[CONN_BUFS_MAX] = {
        {.base = work->head.ptr, .len = work->head.len},
        {.base = exchange->reply.body.ptr, .len = exchange->reply.body.len},
    };
    bool with_body = exchange->reply.body.len > 0 && exchange->request.method != METHOD_HEAD &&
                     status_has_body(exchange->reply.status);
    enum conn_sent sent = conn_send(&c->conn, bufs, with_body ? 2 : 1);
    if (sent == CONN_SENT) {
        work->sent = true;
    } else if (sent == CONN_SENT_LATER) {
        c->state = HTTP_SENDING;
        c->unsent_before = conn_unsent_bytes(&c->conn);
        conn_set_deadline(&c->conn, in_ms(server, server->limits.send_ms));
    }
}

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
        conn_set_deadline(&c->conn, in_ms(server, server->limits.idle_ms));
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
    conn_set_deadline(&c->conn, in_ms(server, server->limits.head_ms));
    reading_adjust(c);
    /* Not here: this runs while the turn ends, and the next request belongs to the next turn. */
    conn_make_ready(&c->conn);
}

/* As long as the peer goes on sending, but not for ever. */
static void linger_on(struct http_conn *c)
{
    int64_t due_us = in_ms(c->conn.server, c->conn.server->limits.linger_ms);
    conn_set_deadline(&c->conn, due_us < c->linger_until_us ? due_us : c->linger_until_us);
}

/* The reply has left as a whole. */
static void reply_gone(struct http_conn *c)
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
    c->linger_until_us = in_ms(c->conn.server, linger_times * c->conn.server->limits.linger_ms);
    conn_end_sending(&c->conn);
    conn_read_start(&c->conn);
    linger_on(c);
}

static void reply_finished(struct exchange *exchange)
{
    struct http_work *work = work_of(exchange);
    if (work->conn == NULL) {
        struct server *server = PP_CONTAINER_OF(exchange->turn, struct server, turn);
        work_give_back(server, work);
    } else if (work->sent) {
        reply_gone(work->conn);
    }
}

/* --- the request --- */

static void request_fill(struct http_work *work, struct server *server)
{
    struct exchange *exchange = &work->exchange;
    http_parser_request(&work->parser, &work->in, work->headers, &exchange->request);
    exchange->request.received_us = server->env->wall_us(server->env);
    exchange->start_us = server_now_us(server);
    exchange->journal_path = exchange->request.target;
}

/* Answers for the service, then closes: framing is lost or the sender cannot be trusted with it. */
static void request_refuse(struct http_conn *c, enum exchange_failure failure, const char *reason)
{
    struct http_work *work = c->work;
    struct server *server = c->conn.server;
    request_fill(work, server);
    LOG_INFOF(server->log, "http", "%s: refused: %s", c->service->name, reason);
    /* Its bytes go with the reply: others need not be refused for them as well. */
    work_charge(server, work, 0);
    c->refused = true;
    c->state = HTTP_BUSY;
    work->close_after = true;
    conn_set_deadline(&c->conn, INT64_MAX);
    buf_trim(&c->ahead, 0);
    exchange_abort(&work->exchange, failure);
}

static void request_dispatch(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct server *server = c->conn.server;
    request_fill(work, server);
    c->state = HTTP_BUSY;
    conn_set_deadline(&c->conn, INT64_MAX);
    reading_adjust(c);
    if (c->conn.closing) {
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

/* The head is sound and a body is to come. */
static void body_await(struct http_conn *c)
{
    char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct http_work *work = c->work;
    c->body_timed = true;
    c->body_start_us = server_now_us(c->conn.server);
    if (work->parser.expects_continue && work->parser.position == work->in.len) {
        uv_buf_t buf = {.base = go_on, .len = sizeof(go_on) - 1};
        /* Nothing else is being written; a peer whose window is shut to 25 bytes is not waiting. */
        if (uv_try_write((uv_stream_t *)&c->conn.tcp, &buf, 1) != (int)buf.len) {
            conn_close(&c->conn);
        }
    }
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
    work_charge(server, work, work->in.len);
    if (server->body_bytes > server->limits.body_bytes_max) {
        request_refuse(c, EXCHANGE_OVERLOADED, "too many request bytes in flight");
        return;
    }
    if (c->body_timed) {
        int64_t earned_us = (int64_t)(work->parser.body_len / SERVER_BODY_RATE_MIN) * 1000000;
        conn_set_deadline(&c->conn, c->body_start_us + server->limits.body_ms * 1000 + earned_us);
    } else if (c->conn.deadline_us == INT64_MAX) {
        conn_set_deadline(&c->conn, in_ms(server, server->limits.head_ms));
    }
}

static void request_parse(struct http_conn *c)
{
    while (!c->conn.closing) {
        switch (http_parser_feed(&c->work->parser, &c->work->in)) {
        case HTTP_PARSE_MORE:
            if (c->ahead.len == 0) {
                conn_read_start(&c->conn);
                request_wait(c);
                return;
            }
            ahead_take_over(c);
            if (!buf_ok(&c->work->in)) {
                conn_close(&c->conn);
            }
            continue;
        case HTTP_PARSE_HEAD:
            body_await(c);
            continue;
        case HTTP_PARSE_DONE:
            request_dispatch(c);
            return;
        case HTTP_PARSE_BAD:
            request_refuse(c, c->work->parser.failure, c->work->parser.reason);
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
        conn_set_deadline(conn, in_ms(conn->server, conn->server->limits.idle_ms));
        return;
    }
    if (work_take(c) == NULL) {
        conn_close(conn);
        return;
    }
    request_refuse(c, EXCHANGE_OVERLOADED, "too many connections");
}

/* Does what comes in now stand behind a request in progress, or one that waits for its turn? */
static bool is_behind(const struct http_conn *c)
{
    return (c->state != HTTP_IDLE && c->state != HTTP_RECEIVING) || waits_for_turn(c);
}

static size_t read_size(const struct http_work *work)
{
    const struct http_parser *parser = &work->parser;
    if (!parser->head_complete) {
        return read_bytes_first;
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
    if (in->cap < in->len + 1 + read_bytes_min && !buf_reserve(in, read_size(c->work))) {
        return uv_buf_init(NULL, 0);
    }
    return uv_buf_init(in->ptr + in->len, (unsigned)(in->cap - in->len - 1));
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
        conn->deadline_us = INT64_MAX;
    }
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
    if (ok) {
        conn_set_deadline(conn, INT64_MAX);
        reply_gone(c);
    } else if (c->work != NULL) {
        work_give_back(conn->server, c->work);
    }
}

static void on_ready(struct conn *conn)
{
    request_parse(http_of(conn));
}

static void on_expired(struct conn *conn)
{
    struct http_conn *c = http_of(conn);
    switch (c->state) {
    case HTTP_RECEIVING:
        request_refuse(c, EXCHANGE_TIMED_OUT, "the request comes in too slowly");
        return;
    case HTTP_SENDING: {
        size_t unsent = conn_unsent_bytes(conn);
        if (c->unsent_before - unsent >= SERVER_SEND_BYTES_MIN) {
            c->unsent_before = unsent;
            conn_set_deadline(conn, in_ms(conn->server, conn->server->limits.send_ms));
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
