#include "stream_server.h"

#include <stdlib.h>
#include <string.h>

enum { stream_body_bytes_max_gib = 2048, crowd_room_bytes = 256 * 1024 };

/* What an exchange of this service keeps: on the heap, so that a leak or a second release shows. */
struct stream_state {
    uint64_t position;
    uint64_t refuse_at; /* UINT64_MAX: never */
    uint64_t pieces;
    size_t crowd_bytes;
    struct span agent; /* a header, as seen before the body */
};

static struct stream_server *server_of(const struct exchange *exchange)
{
    return exchange->service->ctx;
}

char stream_byte(uint64_t position)
{
    return (char)('a' + (position * 7 + position / 256) % 26);
}

void stream_fill(char *out, size_t len, uint64_t position)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = stream_byte(position + i);
    }
}

static void keep_largest(atomic_size_t *largest, size_t value)
{
    if (value > atomic_load(largest)) {
        atomic_store(largest, value);
    }
}

/* NULL: no memory, as the reply says. */
static struct stream_state *state_new(struct exchange *exchange)
{
    struct stream_server *stream = server_of(exchange);
    struct stream_state *state = calloc(1, sizeof(*state));
    if (state == NULL) {
        stream->base.fail(stream->base.ctx, exchange, EXCHANGE_NO_MEMORY);
        return NULL;
    }
    atomic_fetch_add(&stream->states, 1);
    state->refuse_at = UINT64_MAX;
    exchange->state = state;
    return state;
}

static void let_go(void *ctx, struct exchange *exchange)
{
    struct stream_server *stream = ctx;
    struct stream_state *state = exchange->state;
    budget_note(&exchange->turn->budget, BUDGET_REPLIES, &state->crowd_bytes, 0);
    free(state);
    atomic_fetch_add(&stream->released, 1);
}

/* The number behind the prefix, if the path begins with it. */
static bool path_number(struct span path, const char *prefix, uint64_t *out)
{
    struct span wanted = span_from_cstr(prefix);
    return span_starts_with(path, wanted) && span_parse_u64(span_skip(path, wanted.len), out);
}

/* --- bodies --- */

static enum body_plan refuse(struct exchange *exchange)
{
    atomic_fetch_add(&server_of(exchange)->refused, 1);
    exchange->reply.status = 403;
    BUF_APPEND_LIT(&exchange->reply.body, "refused");
    return BODY_REFUSE;
}

static enum body_plan body_begin(void *ctx, struct exchange *exchange)
{
    struct stream_server *stream = ctx;
    struct span path = exchange->request.path;
    struct stream_state *state = state_new(exchange);
    atomic_fetch_add(&stream->begun, 1);
    if (state == NULL) {
        return BODY_REFUSE;
    }
    state->agent = http_request_header(&exchange->request, "User-Agent");
    if (span_equal_cstr(path, "/refuse")) {
        return refuse(exchange);
    }
    if (path_number(path, "/refuse/", &state->refuse_at) || span_equal_cstr(path, "/sum")) {
        return BODY_STREAM;
    }
    return BODY_GATHER;
}

static enum body_plan body_piece(void *ctx, struct exchange *exchange, struct span bytes)
{
    struct stream_server *stream = ctx;
    struct stream_state *state = exchange->state;
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.ptr[i] != stream_byte(state->position + i)) {
            atomic_fetch_add(&stream->wrong, 1);
        }
    }
    state->position += bytes.len;
    atomic_fetch_add(&stream->pieces, 1);
    atomic_fetch_add(&stream->body_bytes, bytes.len);
    atomic_fetch_add(&stream->turn_bytes, bytes.len);
    keep_largest(&stream->largest_piece, bytes.len);
    keep_largest(&stream->largest_turn, atomic_load(&stream->turn_bytes));
    return state->position >= state->refuse_at ? refuse(exchange) : BODY_STREAM;
}

/* --- replies --- */

static bool give_bytes(struct exchange *exchange, struct buf *out, size_t count)
{
    struct stream_state *state = exchange->state;
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(out, stream_byte(state->position + i));
    }
    state->position += count;
    return true;
}

static uint64_t piece_number(struct exchange *exchange, size_t max)
{
    struct stream_server *stream = server_of(exchange);
    struct stream_state *state = exchange->state;
    atomic_fetch_add(&stream->asked, 1);
    atomic_fetch_add(&stream->turn_asked, 1);
    keep_largest(&stream->largest_asked, max);
    keep_largest(&stream->most_asked, atomic_load(&stream->turn_asked));
    return ++state->pieces;
}

/* A little less than it may, so that the last piece is a small one. */
static bool give(struct exchange *exchange, struct buf *out, size_t max)
{
    piece_number(exchange, max);
    return give_bytes(exchange, out, max > 100 ? max - 100 : max);
}

static bool give_once(struct exchange *exchange, struct buf *out, size_t max)
{
    return piece_number(exchange, max) == 1 && give_bytes(exchange, out, max);
}

static bool give_once_then_nothing(struct exchange *exchange, struct buf *out, size_t max)
{
    return piece_number(exchange, max) > 1 || give_bytes(exchange, out, max);
}

static bool give_once_then_too_much(struct exchange *exchange, struct buf *out, size_t max)
{
    return give_bytes(exchange, out, piece_number(exchange, max) > 1 ? max + 1 : max);
}

static bool give_never(struct exchange *exchange, struct buf *out, size_t max)
{
    piece_number(exchange, max);
    BUF_APPEND_LIT(out, "half a piece");
    return false;
}

struct stream_path {
    const char *prefix;
    reply_stream_fn give;
};

static const struct stream_path stream_paths[] = {
    {"/stream/", give},
    {"/stream-fail/", give_once},
    {"/stream-empty/", give_once_then_nothing},
    {"/stream-long/", give_once_then_too_much},
    {"/stream-never/", give_never},
    {"/stream-crowd/", give},
};

static bool handle_stream(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    for (size_t i = 0; i < ARRAY_COUNT(stream_paths); i++) {
        if (!path_number(exchange->request.path, stream_paths[i].prefix, &reply->stream_bytes)) {
            continue;
        }
        struct stream_state *state = state_new(exchange);
        if (state == NULL) {
            reply->stream_bytes = 0;
            return true;
        }
        if (strcmp(stream_paths[i].prefix, "/stream-crowd/") == 0) {
            size_t crowd_bytes = exchange_reply_room(exchange) - crowd_room_bytes;
            budget_note(&exchange->turn->budget, BUDGET_REPLIES, &state->crowd_bytes, crowd_bytes);
        }
        reply->status = 200;
        reply->stream = stream_paths[i].give;
        return true;
    }
    return false;
}

/* --- the service --- */

static enum handled handle(void *ctx, struct exchange *exchange)
{
    struct stream_server *stream = ctx;
    struct stream_state *state = exchange->state;
    if (state == NULL && handle_stream(exchange)) {
        return HANDLED;
    }
    if (state == NULL) {
        return stream->base.handle(stream->base.ctx, exchange);
    }
    atomic_fetch_add(&stream->handled, 1);
    /* What was seen of the head before the body came is still there, and the same. */
    struct span agent = http_request_header(&exchange->request, "User-Agent");
    if (!span_equal(agent, state->agent) || agent.ptr != state->agent.ptr) {
        atomic_fetch_add(&stream->wrong, 1);
    }
    if (span_equal_cstr(exchange->request.path, "/gather")) {
        exchange->reply.status = 200;
        buf_append_span(&exchange->reply.body, exchange->request.body);
        return HANDLED;
    }
    if (!span_equal_cstr(exchange->request.path, "/sum")) {
        return stream->base.handle(stream->base.ctx, exchange);
    }
    if (exchange->request.body.len > 0) {
        atomic_fetch_add(&stream->wrong, 1);
    }
    exchange->reply.status = 200;
    buf_append_u64(&exchange->reply.body, state->position);
    return HANDLED;
}

static void fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    struct stream_server *stream = ctx;
    stream->base.fail(stream->base.ctx, exchange, failure);
}

static bool turn_passes(void *ctx)
{
    struct stream_server *stream = ctx;
    atomic_fetch_add(&stream->turns, 1);
    atomic_store(&stream->turn_bytes, 0);
    atomic_store(&stream->turn_asked, 0);
    return false;
}

void stream_server_init(struct stream_server *stream)
{
    memset(stream, 0, sizeof(*stream));
    echo_server_init(&stream->echo);
    stream->base = stream->echo.service;
    stream->echo.work = (struct turn_work){turn_passes, stream};
    struct service *service = &stream->echo.service;
    service->ctx = stream;
    service->stream_bytes_max = (uint64_t)stream_body_bytes_max_gib << 30;
    service->handle = handle;
    service->fail = fail;
    service->body_begin = body_begin;
    service->body_piece = body_piece;
    service->release = let_go;
}
