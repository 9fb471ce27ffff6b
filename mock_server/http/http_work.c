/* A connection from one request to the next: what is begun, refused, cut short, and what comes
 * behind a reply. */
#include "http_internal.h"

#include "recent.h"

#include <string.h>

enum { linger_times = 6 /* the longest lingering, in linger timeouts */ };

struct http_work *http_work_of(struct exchange *exchange)
{
    return PP_CONTAINER_OF(exchange, struct http_work, exchange);
}

int64_t http_in_ms(const struct server *server, int64_t delay_ms)
{
    return server_now_us(server) + delay_ms * 1000;
}

/* --- from one request to the next --- */

bool http_waits_for_turn(const struct http_conn *c)
{
    return c->state == HTTP_RECEIVING && c->conn.is_ready;
}

void http_reading_adjust(struct http_conn *c)
{
    struct budget *budget = &c->conn.server->turn.budget;
    PP_ASSERT(c->work->parser.position <= c->work->in.len);
    size_t behind = c->work->in.len - c->work->parser.position + c->ahead.len;
    budget_note(budget, BUDGET_REQUESTS, &c->ahead_charged, c->ahead.len);
    if (behind >= c->site->pool->limits.ahead_bytes_max ||
        (behind > 0 && budget_room(budget, BUDGET_REQUESTS) == 0)) {
        conn_read_stop(&c->conn);
    } else {
        conn_read_start(&c->conn);
    }
}

static void ahead_drop(struct http_conn *c)
{
    buf_trim(&c->ahead, 0);
    budget_note(&c->conn.server->turn.budget, BUDGET_REQUESTS, &c->ahead_charged, 0);
}

void http_ahead_take_over(struct http_conn *c)
{
    PP_ASSERT(!c->refused && c->work->conn == c);
    buf_append_span(&c->work->in, buf_span(&c->ahead));
    ahead_drop(c);
}

static void request_begin_next(struct http_conn *c)
{
    struct server *server = c->conn.server;
    struct http_work *work = c->work;
    PP_ASSERT(work->parser.position <= work->in.len && work->conn == c);
    size_t left = work->in.len - work->parser.position;
    if (left + c->ahead.len == 0) {
        http_work_give_back(work);
        c->state = HTTP_IDLE;
        if (c->conn.ended) {
            conn_close(&c->conn);
            return;
        }
        conn_wait_begin(&c->conn, 0);
        conn_set_deadline(&c->conn, http_in_ms(server, c->site->pool->limits.idle_ms));
        return;
    }
    exchange_sent(&work->exchange);
    http_work_unspool(work);
    buf_consume(&work->in, work->parser.position);
    http_ahead_take_over(c);
    if (!buf_ok(&work->in)) {
        http_work_give_back(work);
        conn_close(&c->conn);
        return;
    }
    http_work_reset(work, c->site->service);
    http_work_charge_to(work, BUDGET_REQUESTS);
    c->state = HTTP_RECEIVING;
    c->body_timed = false;
    c->slice_bytes = 0;
    conn_set_deadline(&c->conn, http_in_ms(server, c->site->pool->limits.head_ms));
    http_reading_adjust(c);
    /* Not here: this runs while the turn ends, and the next request belongs to the next turn. */
    conn_make_ready(&c->conn);
}

void http_linger_on(struct http_conn *c)
{
    PP_ASSERT(c->state == HTTP_LINGERING && c->work == NULL);
    int64_t due_us = http_in_ms(c->conn.server, c->site->pool->limits.linger_ms);
    conn_set_deadline(&c->conn, due_us < c->linger_until_us ? due_us : c->linger_until_us);
}

void http_reply_gone(struct http_conn *c)
{
    struct http_work *work = c->work;
    PP_ASSERT(work != NULL && work->stream_left == 0 && !c->conn.writing);
    PP_ASSERT(c->state == HTTP_BUSY || c->state == HTTP_SENDING);
    if (!work->close_after) {
        request_begin_next(c);
        return;
    }
    http_work_give_back(work);
    if (!c->refused || c->conn.ended) {
        conn_close(&c->conn);
        return;
    }
    /* Closing with unread input makes the kernel send a reset, and the peer, still writing, would
     * never see the reply. */
    c->state = HTTP_LINGERING;
    c->linger_until_us = http_in_ms(c->conn.server, linger_times * c->site->pool->limits.linger_ms);
    conn_end_sending(&c->conn);
    conn_read_start(&c->conn);
    conn_wait_begin(&c->conn, 0);
    http_linger_on(c);
}

/* --- the request --- */

/* As far as it is understood, from the head in `bytes`. */
static void request_fill(struct http_work *work, struct server *server, const struct buf *bytes)
{
    struct exchange *exchange = &work->exchange;
    PP_ASSERT(!work->filled && work->parser.head_len <= bytes->len);
    /* There for as many as came, and only when they are asked for: a crowd that never ends its
     * heads takes none. */
    size_t count = work->parser.field_count;
    struct http_header *headers =
        arena_alloc_array(&exchange->arena, count, sizeof(struct http_header));
    PP_ASSERT(!exchange->starved);
    exchange->starved = headers == NULL;
    http_parser_request(&work->parser, bytes, headers, &exchange->request);
    exchange->request.received_us = server->env->wall_us(server->env);
    exchange->start_us = server_now_us(server);
    exchange->journal_path = exchange->request.target;
    PP_ASSERT(exchange->recent_number == 0);
    if (server->turn.recent != NULL) {
        exchange->recent_number =
            recent_begin(server->turn.recent, exchange->entry->name, exchange->request.method_name,
                         exchange->request.target);
    }
}

bool http_request_keep_head(struct http_work *work, struct server *server)
{
    size_t len = work->parser.head_len;
    PP_ASSERT(len <= work->in.len && !work->filled);
    char *copy = arena_alloc(&work->exchange.arena, len + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, work->in.ptr, len);
    const struct buf kept = {.ptr = copy, .len = len, .cap = len + 1, .max = len};
    request_fill(work, server, &kept);
    work->exchange.request.body = SPAN_EMPTY;
    work->filled = true;
    return true;
}

void http_request_complete(struct http_work *work, struct server *server)
{
    if (work->spool != NULL) {
        return; /* the head was kept, the body is what is mapped of it */
    }
    if (work->filled) {
        work->exchange.request.body = http_parser_body(&work->parser, &work->in);
    } else {
        request_fill(work, server, &work->in);
    }
}

/* A body that nobody will read makes room at once, and not when its refusal has left: others would
 * be refused for it as well. The head stays, of which the refusal and the
 * journal tell. */
static void request_cut(struct http_work *work, struct server *server)
{
    PP_ASSERT(!work->exchange.answered);
    if (work->parser.head_complete && (work->filled || http_request_keep_head(work, server))) {
        work->exchange.request.body = SPAN_EMPTY;
        work->exchange.streamed_bytes += work->parser.body_kept + work->spooled_bytes;
        http_work_unspool(work);
        buf_trim(&work->in, HTTP_READ_BYTES_SPARE);
    } else {
        http_request_complete(work, server);
    }
}

/* Nothing more is taken of what the peer sends; the connection closes behind the reply. */
static void request_give_up(struct http_conn *c)
{
    PP_ASSERT(c->work != NULL && c->work->conn == c && !c->refused);
    PP_ASSERT(!exchange_is_held(&c->work->exchange) && !c->work->sent);
    request_cut(c->work, c->conn.server);
    c->refused = true;
    c->state = HTTP_BUSY;
    c->work->close_after = true;
    conn_wait_end(&c->conn);
    conn_set_deadline(&c->conn, INT64_MAX);
    ahead_drop(c);
}

void http_request_refuse(struct http_conn *c, enum exchange_failure failure, const char *reason)
{
    PP_ASSERT(c->state == HTTP_RECEIVING || c->state == HTTP_IDLE);
    struct server *server = c->conn.server;
    LOG_INFOF(server->log, "http", "%s: refused: %s", c->site->service->name, reason);
    request_give_up(c);
    exchange_abort(&c->work->exchange, failure);
    http_work_leave(c->work);
}

void http_request_cut_short(struct http_conn *c)
{
    PP_ASSERT(c->state == HTTP_RECEIVING);
    request_give_up(c);
    exchange_answer(&c->work->exchange);
    http_work_leave(c->work);
}
