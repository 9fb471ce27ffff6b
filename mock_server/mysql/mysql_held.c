/* An answer in its turn: held until the commit like everybody's, though it only reads, so that what
 * a client sees stands in one order; then sent, then told to the journal.
 *
 * Invariant: a reply is freed by the last one who needs it: the turn, while it is held; a pending
 * write, while conn->writing; else its connection's closing. */
#include "journal.h"
#include "mysql_internal.h"
#include "recent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char service_name[] = "mysql";

static struct mysql_reply *reply_of(struct held *held)
{
    return PP_CONTAINER_OF(held, struct mysql_reply, held);
}

/* Reading the tables has no part in what the turn's commit keeps or loses. */
static void reply_settle(struct held *held, enum turn_outcome outcome)
{
    (void)held;
    (void)outcome;
}

static void mysql_reply_log(const struct mysql_reply *reply)
{
    struct log *log = reply->turn->log;
    struct span path = span_from(reply->path, reply->path_len);
    if (reply->code != 0) {
        LOG_INFOF(log, service_name, "%s %.*s: error %u", reply->method, SPAN_ARG(path),
                  reply->code);
    } else {
        LOG_DEBUGF(log, service_name, "%s %.*s: bytes=%llu", reply->method, SPAN_ARG(path),
                   (unsigned long long)reply->response_bytes);
    }
}

/* Many who do not read must not use up what all answers share. */
void mysql_reply_wait(struct mysql_conn *c)
{
    struct conn *conn = &c->conn;
    const struct mysql_limits *limits = &c->service->limits;
    bool crowded = turn_unsent_room(c->reply->turn) < MYSQL_CROWDED_ROOM_BYTES;
    int64_t patience_ms = crowded ? limits->crowded_send_ms : limits->send_ms;
    c->unsent_before = conn_unsent_bytes(conn);
    conn_wait_begin(conn, MYSQL_READER_YIELD_MS);
    conn_set_deadline(conn, server_now_us(conn->server) + patience_ms * 1000);
}

static void reply_send(struct held *held)
{
    struct mysql_reply *reply = reply_of(held);
    struct mysql_conn *c = reply->c;
    if (reply->last && reply->method != NULL) {
        mysql_reply_log(reply);
    }
    if (c == NULL) {
        return;
    }
    struct conn *conn = &c->conn;
    const uv_buf_t bytes = {.base = reply->out.ptr, .len = reply->out.len};
    enum conn_sent sent = conn_send(conn, &bytes, 1);
    if (sent == CONN_SENT_LATER) {
        mysql_reply_wait(c);
    }
    reply->sent = sent == CONN_SENT;
}

static void reply_journal(const struct mysql_reply *reply)
{
    char code[8] = "";
    int len = reply->code != 0 ? snprintf(code, sizeof(code), "%u", reply->code) : 0;
    const struct journal_entry entry = {
        .service = service_name,
        .method = span_from_cstr(reply->method),
        .path = span_from(reply->path, reply->path_len),
        .status = reply->code,
        .error_code = span_from(code, (size_t)len),
        .received_us = reply->received_us,
        .latency_us = reply->turn->committed_us - reply->start_us,
        .request_bytes = reply->request_bytes,
        .response_bytes = reply->response_bytes,
    };
    turn_journal(reply->turn, &entry);
    if (reply->recent_number != 0) {
        recent_answered(reply->turn->recent, reply->recent_number, reply->code);
    }
}

static void mysql_reply_finished(struct held *held)
{
    struct mysql_reply *reply = reply_of(held);
    if (reply->last && reply->method != NULL) {
        reply_journal(reply);
    }
    reply->is_held = false;
    if (reply->c == NULL) {
        mysql_reply_free(reply);
    } else if (reply->sent) {
        mysql_conn_reply_gone(reply->c);
    }
}

static const struct held_ops reply_ops = {reply_settle, reply_send, mysql_reply_finished};

struct mysql_reply *mysql_reply_new(struct mysql_conn *c)
{
    struct mysql_reply *reply = calloc(1, sizeof(*reply));
    if (reply == NULL) {
        return NULL;
    }
    reply->held.ops = &reply_ops;
    reply->c = c;
    buf_init(&reply->out, MYSQL_OUT_BYTES_MAX);
    /* An error's memory is there from the start: it must be said just when there is none. */
    if (!buf_reserve(&reply->out, MYSQL_OUT_BYTES_KEPT)) {
        free(reply);
        return NULL;
    }
    return reply;
}

void mysql_reply_free(struct mysql_reply *reply)
{
    PP_ASSERT(!reply->is_held);
    if (reply->held.bytes > 0) {
        turn_count(reply->turn, &reply->held, 0);
    }
    buf_release(&reply->out);
    free(reply);
}

void mysql_reply_begin(struct mysql_conn *c, const char *method, struct span path,
                       size_t request_bytes)
{
    struct mysql_reply *reply = c->reply;
    struct turn *turn = &c->conn.server->turn;
    struct env *env = c->service->env;
    PP_ASSERT(!reply->is_held && !c->conn.writing);
    reply->turn = turn;
    reply->method = method;
    reply->code = 0;
    reply->received_us = env->wall_us(env);
    reply->start_us = env->monotonic_us(env);
    reply->request_bytes = request_bytes;
    reply->response_bytes = 0;
    reply->path_len = path.len < sizeof(reply->path) ? path.len : sizeof(reply->path);
    memcpy(reply->path, path.ptr, reply->path_len);
    reply->recent_number = method != NULL && turn->recent != NULL
                               ? recent_begin(turn->recent, service_name, span_from_cstr(method),
                                              span_from(reply->path, reply->path_len))
                               : 0;
    buf_reset(&reply->out);
    c->w.out = &reply->out;
}

void mysql_reply_hold(struct mysql_conn *c, bool last)
{
    struct mysql_reply *reply = c->reply;
    if (!buf_ok(&reply->out)) {
        LOG_WARNF(c->service->log, service_name, "no memory for an answer: closed its connection");
        conn_close(&c->conn);
        return;
    }
    PP_ASSERT(!reply->is_held && reply->out.len > 0);
    reply->last = last;
    reply->sent = false;
    reply->is_held = true;
    reply->response_bytes += reply->out.len;
    turn_count(reply->turn, &reply->held, reply->out.len);
    turn_hold(reply->turn, &reply->held);
}

void mysql_reply_end(struct mysql_conn *c, enum mysql_state after)
{
    c->state = MYSQL_BUSY;
    c->after = after;
    mysql_reply_hold(c, true);
}

void mysql_reply_ok(struct mysql_conn *c)
{
    const struct mysql_ok ok = {.status = mysql_session_status(c->session)};
    mysql_put_ok(&c->w, &ok);
    mysql_reply_end(c, MYSQL_IDLE);
}

void mysql_reply_error(struct mysql_conn *c, const struct mysql_error *error,
                       enum mysql_state after)
{
    c->reply->code = error->code;
    mysql_put_error(&c->w, error, c->knows_states);
    mysql_reply_end(c, after);
}
