/* A reply on its way out: the head, its framing, and the body, whole or piece by piece. A streamed
 * body's first piece leaves with the head; each further one is asked for when the one before has
 * left, in a turn of its own, so that others have theirs in between.
 *
 * What cannot be had before the head has left becomes the service's 5xx; afterwards nothing but
 * cutting the connection tells the reader that the body is not whole. */
#include "http_internal.h"

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

static bool body_is_sent(const struct exchange *exchange)
{
    return exchange->request.method != METHOD_HEAD && status_has_body(exchange->reply.status);
}

static void head_build(struct http_work *work)
{
    const struct reply *reply = &work->exchange.reply;
    struct buf *head = &work->head;
    buf_reset(head);
    status_line_append(head, reply->status);
    if (!reply->no_date_server) {
        BUF_APPEND_LIT(head, "Date: ");
        buf_append_cstr(head, http_pool_date(work->pool));
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
        buf_append_u64(head, reply_body_bytes(reply));
        BUF_APPEND_LIT(head, "\r\n");
    }
    if (work->close_after) {
        BUF_APPEND_LIT(head, "Connection: close\r\n");
    } else if (work->parser.old_version || reply->no_date_server) {
        BUF_APPEND_LIT(head, "Connection: keep-alive\r\n");
    }
    BUF_APPEND_LIT(head, "\r\n");
}

/* Without the query: presigned URLs keep their signature there. */
static struct span loggable_path(const struct exchange *exchange)
{
    return span_first(exchange->journal_path, span_find_byte(exchange->journal_path, '?'));
}

static void reply_log(const struct server *server, const struct exchange *exchange)
{
    const struct reply *reply = &exchange->reply;
    struct span path = loggable_path(exchange);
    if (reply->hint != NULL && server->turn.watcher.saw == NULL) {
        LOG_INFOF(server->log, exchange->entry->name, "%.*s %.*s: %d, hint: %s",
                  SPAN_ARG(exchange->request.method_name), SPAN_ARG(path), reply->status,
                  reply->hint);
    } else if (log_wants(server->log, LOG_DEBUG, "http")) {
        LOG_DEBUGF(server->log, "http", "%s %.*s %.*s: status=%d bytes=%llu", exchange->entry->name,
                   SPAN_ARG(exchange->request.method_name), SPAN_ARG(path), reply->status,
                   (unsigned long long)reply_body_bytes(reply));
    }
}

/* --- streamed bodies --- */

/* Room for the next piece and no more: an earlier, larger one would go on holding its memory, which
 * many slow readers must not use up. Gives how much is to come. */
static size_t piece_reserve(struct http_work *work)
{
    struct buf *body = &work->exchange.reply.body;
    size_t size = http_piece_bytes(exchange_reply_room(&work->exchange));
    size_t max = work->stream_left < size ? (size_t)work->stream_left : size;
    buf_trim(body, size + 1);
    if (body->cap < max + 1) {
        buf_release(body);
        (void)buf_reserve(body, max); /* a buffer that has failed is told by its filling */
    }
    return max;
}

/* The next piece into reply->body. False: there is none, as the log says. */
static bool piece_load(struct http_work *work)
{
    struct exchange *exchange = &work->exchange;
    struct reply *reply = &exchange->reply;
    PP_ASSERT(reply->stream != NULL && work->stream_left > 0);
    size_t max = piece_reserve(work);
    PP_ASSERT(max > 0 && max <= work->stream_left);
    bool given = reply->stream(exchange, &reply->body, max);
    size_t len = reply->body.len;
    if (!given || !buf_ok(&reply->body) || len == 0 || len > max) {
        struct span path = loggable_path(exchange);
        LOG_ERRORF(exchange->turn->log, exchange->entry->name,
                   "%.*s %.*s: the body broke off, %llu of its %llu bytes are missing",
                   SPAN_ARG(exchange->request.method_name), SPAN_ARG(path),
                   (unsigned long long)work->stream_left, (unsigned long long)reply->stream_bytes);
        return false;
    }
    work->stream_left -= len;
    exchange_count_reply(exchange);
    return true;
}

static void stream_begin(struct http_work *work)
{
    struct exchange *exchange = &work->exchange;
    PP_ASSERT(work->stream_left == 0 && exchange->reply.body.len == 0);
    if (!body_is_sent(exchange) || exchange->reply.stream_bytes == 0) {
        exchange->reply.stream = NULL;
        return;
    }
    work->stream_left = exchange->reply.stream_bytes;
    if (!piece_load(work)) {
        work->stream_left = 0;
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        exchange_count_reply(exchange);
    }
}

/* --- sending --- */

/* At a failure the connection is closing, and the work may be another's already. */
static void bytes_send(struct http_conn *c, const uv_buf_t *bufs, unsigned count)
{
    struct http_work *work = c->work;
    struct server *server = c->conn.server;
    PP_ASSERT(!work->sent && !c->conn.writing && work->conn == c);
    enum conn_sent sent = conn_send(&c->conn, bufs, count);
    if (sent == CONN_SENT_LATER) {
        c->state = HTTP_SENDING;
        c->unsent_before = conn_unsent_bytes(&c->conn);
        conn_wait_begin(&c->conn, c->site->pool->limits.reader_yield_ms);
        conn_set_deadline(&c->conn, http_in_ms(server, c->site->pool->limits.send_ms));
    } else if (sent == CONN_SENT && work->stream_left > 0) {
        c->state = HTTP_SENDING;
        conn_make_ready(&c->conn);
    } else if (sent == CONN_SENT) {
        work->sent = true;
    }
}

/* A head that finds no memory makes the answer the service's 5xx, so that a reading that was taken
 * for it is given back; the error's own head fits into what is kept for it. */
static void head_make(struct http_work *work)
{
    struct exchange *exchange = &work->exchange;
    head_build(work);
    if (!buf_ok(&work->head)) {
        work->stream_left = 0;
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        exchange_count_reply(exchange);
        head_build(work);
    }
}

void http_reply_send(struct exchange *exchange)
{
    struct http_work *work = http_work_of(exchange);
    struct http_conn *c = work->conn;
    if (c == NULL) {
        return;
    }
    PP_ASSERT(c->work == work && c->state == HTTP_BUSY);
    struct server *server = c->conn.server;
    if (exchange->reply.stream != NULL) {
        stream_begin(work);
    }
    work->close_after = work->close_after || !work->parser.keep_alive || server->stopping;
    head_make(work);
    reply_log(server, exchange);
    if (!buf_ok(&work->head)) {
        conn_close(&c->conn);
        return;
    }
    uv_buf_t bufs[CONN_BUFS_MAX] = {
        {.base = work->head.ptr, .len = work->head.len},
        {.base = exchange->reply.body.ptr, .len = exchange->reply.body.len},
    };
    bool with_body = exchange->reply.body.len > 0 && body_is_sent(exchange);
    bytes_send(c, bufs, with_body ? 2 : 1);
}

void http_reply_go_on(struct http_conn *c)
{
    struct http_work *work = c->work;
    PP_ASSERT(c->state == HTTP_SENDING && !work->sent);
    if (!piece_load(work)) {
        conn_close(&c->conn);
        return;
    }
    struct buf *body = &work->exchange.reply.body;
    uv_buf_t piece = {.base = body->ptr, .len = body->len};
    bytes_send(c, &piece, 1);
    if (!c->conn.closing && work->sent) {
        http_reply_gone(c);
    }
}
