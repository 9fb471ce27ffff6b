#include "line_echo.h"

#include "journal.h"
#include "server.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

struct line_conn {
    struct conn conn; /* first: cast */
    struct line_answer *answer;
    size_t len;
    char in[LINE_BYTES_MAX];
};

/* --- an answer in its turn --- */

static struct line_answer *line_answer_of(struct held *held)
{
    return PP_CONTAINER_OF(held, struct line_answer, held);
}

static void line_settle(struct held *held, enum turn_outcome outcome)
{
    struct line_answer *answer = line_answer_of(held);
    if (outcome == TURN_STOPPED || (answer->wrote && outcome != TURN_COMMITTED)) {
        answer->text[0] = '-';
    }
}

static void line_send(struct held *held)
{
    struct line_answer *answer = line_answer_of(held);
    if (answer->on_send != NULL) {
        answer->on_send(answer, answer->ctx);
    } else if (answer->conn != NULL) {
        const uv_buf_t line = {.base = answer->text, .len = answer->len};
        (void)conn_send(answer->conn, &line, 1); /* a line that does not fit at once is no test */
    }
}

static void line_finished(struct held *held)
{
    struct line_answer *answer = line_answer_of(held);
    const struct journal_entry entry = {
        .service = "line",
        .method = answer->wrote ? SPAN_LIT("WRITE") : SPAN_LIT("READ"),
        .path = span_from(answer->text + 1, answer->len - 1),
        .status = answer->text[0] == '-',
        .error_code = answer->text[0] == '-' ? SPAN_LIT("LOST") : SPAN_EMPTY,
        .received_us = answer->received_us,
        .latency_us = answer->turn->committed_us - answer->turn->first_held_us,
        .request_bytes = answer->len,
        .response_bytes = answer->len,
    };
    turn_journal(answer->turn, &entry);
    turn_count(answer->turn, held, 0);
    if (answer->on_finished != NULL) {
        answer->on_finished(answer, answer->ctx);
        return;
    }
    if (answer->conn != NULL) {
        struct line_conn *c = (struct line_conn *)(void *)answer->conn;
        c->answer = NULL;
        conn_make_ready(&c->conn);
    }
    free(answer);
}

static const struct held_ops line_ops = {line_settle, line_send, line_finished};

void line_answer_begin(struct line_answer *answer, struct turn *turn, struct span line)
{
    struct error err = ERROR_NONE;
    PP_ASSERT(line.len > 0 && line.len <= LINE_BYTES_MAX);
    answer->held = (struct held){.ops = &line_ops};
    answer->turn = turn;
    answer->received_us = turn->env->wall_us(turn->env);
    answer->len = line.len;
    memcpy(answer->text, line.ptr, line.len);
    answer->wrote = line.ptr[0] == '+';
    if (answer->wrote) {
        const struct store_topic_spec spec = {.name = span_trim(span_skip(line, 1)),
                                              .partition_count = 1};
        PP_ASSERT(store_topic_create(turn->store, &spec, &err) == STATUS_OK);
    }
    turn_count(turn, &answer->held, answer->len);
    turn_hold(turn, &answer->held);
}

/* --- a connection --- */

static struct line_conn *line_of(struct conn *conn)
{
    return (struct line_conn *)(void *)conn;
}

/* The next whole line, when the one before has been answered. */
static void line_next(struct line_conn *c)
{
    const char *end = memchr(c->in, '\n', c->len);
    if (c->answer != NULL || end == NULL) {
        return;
    }
    size_t len = (size_t)(end - c->in) + 1;
    c->answer = calloc(1, sizeof(*c->answer));
    PP_ASSERT(c->answer != NULL);
    c->answer->conn = &c->conn;
    line_answer_begin(c->answer, &c->conn.server->turn, span_from(c->in, len));
    c->len -= len;
    memmove(c->in, c->in + len, c->len);
}

static struct conn *line_conn_new(struct server *server, void *ctx)
{
    struct line_conn *c = calloc(1, sizeof(*c));
    (void)server;
    (void)ctx;
    return c != NULL ? &c->conn : NULL;
}

static void line_conn_free(struct conn *conn)
{
    free(line_of(conn));
}

static void line_opened(struct conn *conn, bool over_limit)
{
    PP_ASSERT(!over_limit);
    conn_read_start(conn);
}

static uv_buf_t line_room(struct conn *conn)
{
    struct line_conn *c = line_of(conn);
    return uv_buf_init(c->in + c->len, (unsigned)(sizeof(c->in) - c->len));
}

static void line_received(struct conn *conn, size_t count)
{
    struct line_conn *c = line_of(conn);
    c->len += count;
    line_next(c);
}

static void line_ready(struct conn *conn)
{
    line_next(line_of(conn));
}

static void line_sent(struct conn *conn, bool ok)
{
    (void)conn;
    (void)ok;
}

static void line_closing(struct conn *conn)
{
    struct line_conn *c = line_of(conn);
    if (c->answer != NULL) {
        c->answer->conn = NULL; /* the turn still has it */
    }
}

struct conn_kind line_echo_kind(void)
{
    static const struct conn_protocol protocol = {
        .name = "line",
        .conn_new = line_conn_new,
        .conn_free = line_conn_free,
        .opened = line_opened,
        .room = line_room,
        .received = line_received,
        .ended = conn_close,
        .sent = line_sent,
        .ready = line_ready,
        .expired = conn_close,
        .stopping = conn_close,
        .closing = line_closing,
    };
    return (struct conn_kind){.protocol = &protocol};
}
