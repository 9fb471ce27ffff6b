/* A connection's side of the protocol: what its bytes, ends, timeouts and turns do to its state.
 *
 *   GREETING -> LOGIN -> (BUSY -> SWITCHED ->) BUSY -> IDLE     logged in
 *   IDLE -> BUSY -> IDLE                                        a command answered
 *   any but BUSY -> BUSY -> LINGERING -> closed                 refused
 *
 * A client's next command may be there before the last one is answered; so many bytes of it wait in
 * `in`, which then holds nothing else, because a command is taken out of it before it is run. */
#include "mysql_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    read_bytes_min = 2 * 1024,
    commands_a_turn_max = 64, /* of those that are not answered */
};

enum packet_taken { PACKET_MORE, PACKET_WHOLE, PACKET_OUT_OF_ORDER, PACKET_TOO_LARGE };

static struct mysql_conn *mysql_of(struct conn *conn)
{
    return (struct mysql_conn *)(void *)conn;
}

static int64_t due_in_ms(const struct mysql_conn *c, int64_t delay_ms)
{
    return server_now_us(c->conn.server) + delay_ms * 1000;
}

/* Is the client to speak? */
static bool is_open(const struct mysql_conn *c)
{
    return c->state == MYSQL_LOGIN || c->state == MYSQL_SWITCHED || c->state == MYSQL_IDLE;
}

/* --- packets --- */

/* The head that stands behind the payload so far goes, and what it says is kept. */
static enum packet_taken head_take(struct mysql_conn *c)
{
    unsigned char *head = (unsigned char *)c->in.ptr + c->payload_bytes;
    size_t len = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    uint8_t sequence = head[3];
    size_t behind = c->in.len - c->payload_bytes - MYSQL_HEAD_BYTES;
    /* A command begins to count anew; in a login both sides count on. */
    uint8_t expected = c->state == MYSQL_IDLE && !c->packet_goes_on ? 0 : c->w.sequence;
    memmove(head, head + MYSQL_HEAD_BYTES, behind + 1);
    c->in.len -= MYSQL_HEAD_BYTES;
    c->w.sequence = (uint8_t)(sequence + 1);
    c->packet_begun = true;
    c->packet_left_bytes = len;
    c->packet_goes_on = len == MYSQL_PACKET_BYTES_MAX;
    if (sequence != expected) {
        return PACKET_OUT_OF_ORDER;
    }
    size_t max = c->state == MYSQL_IDLE ? MYSQL_STATEMENT_BYTES_MAX : MYSQL_LOGIN_BYTES_MAX;
    return c->payload_bytes + len > max ? PACKET_TOO_LARGE : PACKET_MORE;
}

static enum packet_taken packet_take(struct mysql_conn *c)
{
    for (;;) {
        if (!c->packet_begun) {
            if (c->in.len - c->payload_bytes < MYSQL_HEAD_BYTES) {
                return PACKET_MORE;
            }
            enum packet_taken taken = head_take(c);
            if (taken != PACKET_MORE) {
                return taken;
            }
        }
        size_t there = c->in.len - c->payload_bytes;
        size_t count = there < c->packet_left_bytes ? there : c->packet_left_bytes;
        c->payload_bytes += count;
        c->packet_left_bytes -= count;
        if (c->packet_left_bytes > 0) {
            return PACKET_MORE;
        }
        c->packet_begun = false;
        if (!c->packet_goes_on) {
            return PACKET_WHOLE;
        }
    }
}

/* The command has been copied by those who need it on. */
static void payload_drop(struct mysql_conn *c)
{
    struct budget *budget = &c->conn.server->turn.budget;
    buf_consume(&c->in, c->payload_bytes);
    c->payload_bytes = 0;
    c->receiving = false;
    if (c->in.len == 0) {
        buf_trim(&c->in, MYSQL_IN_BYTES_KEPT + 1);
        budget_note(budget, BUDGET_REQUESTS, &c->in_charged, 0);
    }
}

/* --- refusing --- */

/* The number that the client reads next, where nothing of its packet has been read yet. */
static uint8_t sequence_unread(const struct mysql_conn *c)
{
    bool known = c->packet_begun || c->packet_goes_on || !is_open(c);
    if (known) {
        return c->w.sequence;
    }
    return c->state == MYSQL_IDLE ? 1 : (uint8_t)(c->w.sequence + 1);
}

/* Refuses the client; further bytes of its are dropped. */
static void conn_refuse(struct mysql_conn *c, uint16_t code, const char *sqlstate,
                        const char *message)
{
    struct mysql_error error;
    mysql_refuse(&error, code, sqlstate, "%s", message);
    c->dropping = true;
    c->w.sequence = sequence_unread(c);
    mysql_reply_begin(c, c->session != NULL ? "COMMAND" : "CONNECT", SPAN_EMPTY, c->in.len);
    mysql_reply_error(c, &error, MYSQL_LINGERING);
    budget_note(&c->conn.server->turn.budget, BUDGET_REQUESTS, &c->in_charged, 0);
    buf_release(&c->in);
    c->payload_bytes = 0;
}

/* --- commands --- */

static void payload_run(struct mysql_conn *c)
{
    struct span payload = span_from(c->in.ptr, c->payload_bytes);
    conn_wait_end(&c->conn);
    conn_set_deadline(&c->conn, INT64_MAX);
    switch (c->state) {
    case MYSQL_LOGIN:
        mysql_access_hello(c, payload);
        break;
    case MYSQL_SWITCHED:
        mysql_access_proof(c, payload);
        break;
    case MYSQL_IDLE:
        mysql_command_run(c, payload);
        break;
    case MYSQL_GREETING:
    case MYSQL_BUSY:
    case MYSQL_LINGERING:
        BUG("a command was taken while none was waited for");
    }
    if (!c->conn.closing) {
        payload_drop(c);
    }
    if (c->state == MYSQL_IDLE) { /* a command that is not answered */
        conn_wait_begin(&c->conn, 0);
        conn_set_deadline(&c->conn, due_in_ms(c, c->service->limits.idle_ms));
    }
}

/* A command is there in part: its clock runs from its first byte. */
static void command_wait(struct mysql_conn *c)
{
    if (c->in.len == 0 || c->state != MYSQL_IDLE) {
        return; /* a login's clock runs already */
    }
    if (!c->receiving) {
        c->receiving = true;
        c->receiving_us = server_now_us(c->conn.server);
    }
    int64_t extra_us = (int64_t)(c->in.len / MYSQL_COMMAND_RATE_MIN) * 1000000;
    conn_set_deadline(&c->conn, c->receiving_us + c->service->limits.command_ms * 1000 + extra_us);
    conn_wait_begin(&c->conn, MYSQL_YIELD_MS);
}

static void commands_take(struct mysql_conn *c)
{
    for (int taken = 0; !c->conn.closing && is_open(c); taken++) {
        if (taken == commands_a_turn_max || turn_is_full(&c->conn.server->turn)) {
            conn_make_ready(&c->conn);
            return;
        }
        switch (packet_take(c)) {
        case PACKET_MORE:
            command_wait(c);
            return;
        case PACKET_WHOLE:
            payload_run(c);
            break;
        case PACKET_OUT_OF_ORDER:
            conn_refuse(c, 1156, "08S01", "Got packets out of order");
            return;
        case PACKET_TOO_LARGE:
            conn_refuse(c, 1153, "08S01", "Got a packet bigger than 'max_allowed_packet' bytes");
            return;
        }
    }
}

/* --- from one state to the next --- */

static void state_enter(struct mysql_conn *c, enum mysql_state state)
{
    struct conn *conn = &c->conn;
    const struct mysql_limits *limits = &c->service->limits;
    c->state = state;
    if (conn->server->stopping || (conn->ended && state == MYSQL_LINGERING)) {
        conn_close(conn);
        return;
    }
    conn_wait_begin(conn, 0);
    if (state == MYSQL_LINGERING) {
        conn_set_deadline(conn, due_in_ms(c, limits->linger_ms));
        conn_end_sending(conn);
    } else {
        conn_set_deadline(conn,
                          due_in_ms(c, state == MYSQL_IDLE ? limits->idle_ms : limits->login_ms));
        if (c->in.len > 0) {
            conn_make_ready(conn);
        }
    }
    if (!conn->closing) {
        conn_read_start(conn);
    }
}

void mysql_conn_reply_gone(struct mysql_conn *c)
{
    struct mysql_reply *reply = c->reply;
    turn_count(reply->turn, &reply->held, 0);
    buf_reset(&reply->out);
    if (c->result.phase != MYSQL_NO_RESULT) {
        conn_make_ready(&c->conn);
        return;
    }
    buf_shrink(&reply->out, MYSQL_OUT_BYTES_KEPT + 1);
    state_enter(c, c->after);
}

/* --- what the connection calls --- */

static struct conn *mysql_conn_new(struct server *server, void *ctx)
{
    struct mysql_conn *c = calloc(1, sizeof(*c));
    (void)server;
    if (c == NULL) {
        return NULL;
    }
    c->service = ctx;
    c->reply = mysql_reply_new(c);
    if (c->reply == NULL) {
        free(c);
        return NULL;
    }
    buf_init(&c->in, MYSQL_STATEMENT_BYTES_MAX + MYSQL_BEHIND_BYTES_MAX + MYSQL_READ_BYTES_MAX);
    arena_init(&c->values, MYSQL_PARAMS_BYTES_MAX);
    return &c->conn;
}

static void mysql_conn_free(struct conn *conn)
{
    struct mysql_conn *c = mysql_of(conn);
    PP_ASSERT(c->session == NULL);
    if (c->reply != NULL) {
        mysql_reply_free(c->reply);
    }
    budget_note(&conn->server->turn.budget, BUDGET_REQUESTS, &c->in_charged, 0);
    buf_release(&c->in);
    arena_release(&c->values);
    free(c);
}

static void host_learn(struct mysql_conn *c)
{
    struct sockaddr_storage address;
    int len = (int)sizeof(address);
    bool known = uv_tcp_getpeername(&c->conn.tcp, (struct sockaddr *)&address, &len) == 0;
    if (known && address.ss_family == AF_INET) {
        uv_ip4_name((struct sockaddr_in *)&address, c->host, sizeof(c->host));
    } else if (known) {
        uv_ip6_name((struct sockaddr_in6 *)&address, c->host, sizeof(c->host));
    }
}

static void mysql_opened(struct conn *conn, bool over_limit)
{
    struct mysql_conn *c = mysql_of(conn);
    host_learn(c);
    c->w.out = &c->reply->out;
    if (over_limit) {
        conn_refuse(c, 1040, "08004", "Too many connections");
    } else {
        mysql_access_greet(c);
    }
    if (!conn->closing) {
        conn_read_start(conn);
    }
}

/* How much to read next: what is left of a large packet, up to a limit. */
static size_t command_read_size(const struct mysql_conn *c)
{
    size_t size = c->packet_begun ? c->packet_left_bytes : read_bytes_min;
    if (size < read_bytes_min) {
        return read_bytes_min;
    }
    return size < MYSQL_READ_BYTES_MAX ? size : MYSQL_READ_BYTES_MAX;
}

static uv_buf_t mysql_room(struct conn *conn)
{
    struct mysql_conn *c = mysql_of(conn);
    struct budget *budget = &conn->server->turn.budget;
    if (!c->dropping) {
        size_t size = is_open(c) ? command_read_size(c) : read_bytes_min;
        size_t wanted = c->in.len + size;
        bool counted = wanted <= MYSQL_UNCOUNTED_BYTES ||
                       budget_take(budget, BUDGET_REQUESTS, &c->in_charged, wanted);
        if (counted && buf_reserve(&c->in, size)) {
            return uv_buf_init(c->in.ptr + c->in.len, (unsigned)size);
        }
        if (!is_open(c)) {
            return uv_buf_init(NULL, 0);
        }
        conn_refuse(c, 1041, "HY000",
                    "Out of memory; check if mysqld or some other process uses all available "
                    "memory; if not, you may have to use 'ulimit' to allow mysqld to use more "
                    "memory or you can add more swap space");
    }
    return uv_buf_init(c->service->discard, sizeof(c->service->discard));
}

static void mysql_received(struct conn *conn, size_t count)
{
    struct mysql_conn *c = mysql_of(conn);
    if (count == 0 || c->dropping) {
        return;
    }
    c->in.len += count;
    c->in.ptr[c->in.len] = '\0';
    if (is_open(c)) {
        commands_take(c);
    } else if (c->in.len >= MYSQL_BEHIND_BYTES_MAX) {
        conn_read_stop(conn);
    }
}

/* Who has left does not wait for his answer: what he asked for ends. An answer that is complete
 * still goes. */
static void mysql_ended(struct conn *conn)
{
    struct mysql_conn *c = mysql_of(conn);
    if (c->state == MYSQL_BUSY && c->result.phase == MYSQL_NO_RESULT) {
        c->after = MYSQL_LINGERING;
    } else {
        conn_close(conn);
    }
}

static void mysql_sent(struct conn *conn, bool ok)
{
    struct mysql_conn *c = mysql_of(conn);
    if (!ok) {
        return; /* the reply goes with the connection */
    }
    conn_wait_end(conn);
    conn_set_deadline(conn, INT64_MAX);
    mysql_conn_reply_gone(c);
}

static void mysql_ready(struct conn *conn)
{
    struct mysql_conn *c = mysql_of(conn);
    if (is_open(c)) {
        commands_take(c);
    } else if (c->result.phase != MYSQL_NO_RESULT && !c->reply->is_held && !conn->writing) {
        mysql_result_go_on(c);
    }
}

static void reader_judge(struct mysql_conn *c)
{
    struct conn *conn = &c->conn;
    size_t unsent = conn_unsent_bytes(conn);
    if (c->unsent_before - unsent >= MYSQL_SEND_BYTES_MIN) {
        mysql_reply_wait(c);
        return;
    }
    LOG_INFOF(conn->server->log, "mysql", "%s@%s: closed a reader that takes too long", c->user,
              c->host);
    conn_close(conn);
}

static void mysql_expired(struct conn *conn)
{
    struct mysql_conn *c = mysql_of(conn);
    switch (c->state) {
    case MYSQL_LOGIN:
    case MYSQL_SWITCHED:
        conn_refuse(c, 1043, "08S01", "Bad handshake");
        return;
    case MYSQL_IDLE:
        if (c->receiving) {
            conn_refuse(c, 1159, "08S01", "Got timeout reading communication packets");
        } else {
            conn_refuse(c, 4031, "HY000",
                        "The client was disconnected by the server because of inactivity. See "
                        "wait_timeout and interactive_timeout for configuring this behavior.");
        }
        return;
    case MYSQL_LINGERING:
        conn_close(conn);
        return;
    case MYSQL_GREETING:
    case MYSQL_BUSY:
        if (conn->writing) {
            reader_judge(c);
        }
        return;
    }
}

static void mysql_stopping(struct conn *conn)
{
    const struct mysql_conn *c = mysql_of(conn);
    if (c->state != MYSQL_BUSY) {
        conn_close(conn);
    }
}

static void mysql_closing(struct conn *conn)
{
    struct mysql_conn *c = mysql_of(conn);
    mysql_access_end(c);
    if (c->reply->is_held && !conn->writing) {
        c->reply->c = NULL; /* the turn frees it */
        c->reply = NULL;
    }
}

static const struct conn_protocol mysql_protocol = {
    .name = "mysql",
    .conn_new = mysql_conn_new,
    .conn_free = mysql_conn_free,
    .opened = mysql_opened,
    .room = mysql_room,
    .received = mysql_received,
    .ended = mysql_ended,
    .sent = mysql_sent,
    .ready = mysql_ready,
    .expired = mysql_expired,
    .stopping = mysql_stopping,
    .closing = mysql_closing,
};

struct conn_kind mysql_service_kind(struct mysql_service *service)
{
    return (struct conn_kind){.protocol = &mysql_protocol, .ctx = service};
}
