/* A body on its way to its service. Gathered, it grows in the connection's buffer until it is
 * whole. Streamed, it is given away piece by piece as the parser takes its framing off, and the
 * buffer never holds more than one; refused, the little that is left of it is dropped the same way.
 *
 * A service that plans its bodies looks at the request before the body is there and keeps what it
 * saw. The buffer moves when it grows, so such a head is copied to the exchange's arena first. */
#include "http_internal.h"

/* Does the sender wait for a word from us before it goes on? */
static bool sender_waits(const struct http_work *work)
{
    return work->parser.expects_continue && work->parser.position == work->in.len;
}

static void continue_send(struct http_conn *c)
{
    struct buf *head = &c->work->head;
    PP_ASSERT(head->len == 0 && !c->conn.writing); /* nothing was said of this request yet */
    BUF_APPEND_LIT(head, "HTTP/1.1 100 Continue\r\n\r\n");
    PP_ASSERT(buf_ok(head)); /* of what is kept it takes a small part */
    const uv_buf_t line = {.base = head->ptr, .len = head->len};
    /* Nothing else is being written; a peer whose window is shut to 25 bytes is not waiting. */
    if (conn_send(&c->conn, &line, 1) == CONN_SENT_LATER) {
        conn_close(&c->conn);
    }
}

/* The reply is filled. `coming`: the sender does not wait for a word from us before it sends. */
static void body_refused(struct http_conn *c, bool coming)
{
    struct http_parser *parser = &c->work->parser;
    PP_ASSERT(parser->chunked || parser->body_len <= parser->content_length);
    uint64_t rest = parser->content_length - parser->body_len;
    if (!coming || parser->chunked || rest > HTTP_DROP_BYTES_MAX) {
        http_request_cut_short(c);
        return;
    }
    c->work->body_refused = true;
    (void)http_parser_plan_body(parser, parser->body_bytes_max, true);
}

void http_body_begin(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct http_parser *parser = &work->parser;
    const struct service *service = c->site->service;
    PP_ASSERT(c->state == HTTP_RECEIVING && parser->head_complete);
    PP_ASSERT(parser->body_len == 0 && work->spool == NULL);
    bool waits = sender_waits(work);
    enum body_plan plan = BODY_GATHER;
    c->body_timed = true;
    c->body_start_us = server_now_us(c->conn.server);
    if (service->body_begin != NULL) {
        if (!http_request_keep_head(work, c->conn.server)) {
            http_request_refuse(c, EXCHANGE_NO_MEMORY, "out of memory");
            return;
        }
        plan = service->body_begin(service->ctx, &work->exchange);
    }
    if (plan == BODY_REFUSE) {
        body_refused(c, !waits);
        return;
    }
    bool in_pieces = plan == BODY_STREAM;
    uint64_t bytes_max = in_pieces ? service->stream_bytes_max : service->body_bytes_max;
    if (http_parser_plan_body(parser, bytes_max, in_pieces) && waits) {
        continue_send(c);
    }
}

void http_body_none(struct http_conn *c)
{
    if (sender_waits(c->work)) {
        continue_send(c);
    }
}

static bool spool_refuse(struct http_conn *c, const char *reason)
{
    LOG_WARNF(c->conn.server->log, "http", "a large body cannot be kept: %s", reason);
    http_request_refuse(c, EXCHANGE_OVERLOADED, "a large body cannot be kept");
    return false;
}

static bool piece_spool(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct http_pool *pool = work->pool;
    struct span piece = http_parser_body(&work->parser, &work->in);
    struct error err = ERROR_NONE;
    PP_ASSERT(work->spool != NULL && work->filled && !work->body_refused);
    if (pool->spooled_bytes + piece.len > pool->limits.spooled_bytes_max) {
        return spool_refuse(c, "too many bytes of others are");
    }
    if (spool_append(work->spool, piece, &err) != STATUS_OK) {
        return spool_refuse(c, err.message);
    }
    pool->spooled_bytes += piece.len;
    work->spooled_bytes += piece.len;
    PP_ASSERT(work->spooled_bytes == work->parser.body_len);
    http_parser_drop_piece(&work->parser, &work->in);
    return true;
}

bool http_body_spool(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct http_pool *pool = work->pool;
    struct http_parser *parser = &work->parser;
    struct error err = ERROR_NONE;
    if (parser->in_pieces || parser->body_kept <= pool->limits.spool_bytes) {
        return true;
    }
    PP_ASSERT(work->spool == NULL);
    if (!work->filled && !http_request_keep_head(work, c->conn.server)) {
        http_request_refuse(c, EXCHANGE_NO_MEMORY, "out of memory");
        return false;
    }
    if (pool->spool_count >= pool->limits.spools_max) {
        return spool_refuse(c, "too many of others are");
    }
    if (spool_open(pool->limits.spool_directory, &work->spool, &err) != STATUS_OK) {
        return spool_refuse(c, err.message);
    }
    pool->spool_count++;
    parser->in_pieces = true;
    return piece_spool(c);
}

bool http_body_map(struct http_conn *c)
{
    struct http_work *work = c->work;
    PP_ASSERT(work->spool != NULL);
    struct error err = ERROR_NONE;
    if (spool_map(work->spool, &work->exchange.request.body, &err) != STATUS_OK) {
        return spool_refuse(c, err.message);
    }
    PP_ASSERT(work->exchange.request.body.len == work->spooled_bytes);
    return true;
}

void http_body_piece(struct http_conn *c)
{
    struct http_work *work = c->work;
    struct exchange *exchange = &work->exchange;
    struct span piece = http_parser_body(&work->parser, &work->in);
    enum body_plan plan = BODY_STREAM;
    if (work->spool != NULL) {
        (void)piece_spool(c);
        return;
    }
    PP_ASSERT(piece.len > 0 && piece.len <= BODY_PIECE_BYTES_MAX);
    exchange->streamed_bytes += piece.len;
    if (!work->body_refused) {
        plan = c->site->service->body_piece(c->site->service->ctx, exchange, piece);
        PP_ASSERT(plan != BODY_GATHER);
    }
    http_parser_drop_piece(&work->parser, &work->in);
    if (plan == BODY_REFUSE) {
        body_refused(c, true);
    }
}

int64_t http_body_due_us(const struct http_conn *c)
{
    const struct http_parser *parser = &c->work->parser;
    int64_t body_ms = c->site->pool->limits.body_ms;
    int64_t earned_us = (int64_t)(parser->body_len / HTTP_BODY_RATE_MIN) * 1000000;
    int64_t due_us = c->body_start_us + body_ms * 1000 + earned_us;
    /* What a large body has earned is days; silence is not bought with it. */
    int64_t silent_us = http_in_ms(c->conn.server, body_ms);
    return silent_us < due_us ? silent_us : due_us;
}
