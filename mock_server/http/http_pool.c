/* What the HTTP connections of a server share. What a request needs while it is under way (its
 * bytes, the exchange, the parser) is one struct http_work, taken from the pool at the first byte
 * and given back after the reply: a thousand idle connections hold none, and a busy one allocates
 * nothing. Some connections are kept as well, so that a process without memory can still say so. */
#include "http_internal.h"

#include <stdlib.h>
#include <string.h>

enum {
    spare_work_max = 64,
    spare_conns_max = 16,
    piece_sharers = 64, /* each of them gets as much of the room, and something is left */
};

/* --- work: taken and given back --- */

static void work_free(struct http_work *work)
{
    PP_ASSERT(work->conn == NULL && work->charged == 0 && work->spool == NULL);
    exchange_release(&work->exchange);
    buf_release(&work->in);
    buf_release(&work->head);
    free(work);
}

static struct http_work *work_new(struct http_pool *pool, const struct exchange_owner *owner)
{
    struct http_work *work = malloc(sizeof(*work));
    if (work == NULL) {
        return NULL;
    }
    if (exchange_init(&work->exchange, &pool->server->turn, owner) != STATUS_OK) {
        free(work);
        return NULL;
    }
    buf_init(&work->in, HTTP_READ_BYTES_SPARE);
    buf_init(&work->head, HTTP_REPLY_HEAD_BYTES_MAX);
    work->pool = pool;
    work->conn = NULL;
    work->own_bytes = 0;
    work->share = BUDGET_REQUESTS;
    work->charged = 0;
    work->leaving_bytes = 0;
    work->spool = NULL;
    work->spooled_bytes = 0;
    if (!buf_reserve(&work->in, HTTP_READ_BYTES_KEPT) ||
        !buf_reserve(&work->head, HTTP_REPLY_HEAD_BYTES_KEPT)) {
        work_free(work);
        return NULL;
    }
    return work;
}

static void work_keep(struct http_work *work)
{
    struct http_pool *pool = work->pool;
    PP_ASSERT(work->conn == NULL && work->charged == 0 && work->spool == NULL);
    PP_ASSERT(pool->spare_count < spare_work_max);
    work->next_spare = pool->spare;
    pool->spare = work;
    pool->spare_count++;
}

void http_work_reset(struct http_work *work, const struct service *service)
{
    PP_ASSERT(work->spool == NULL && work->spooled_bytes == 0);
    uint64_t bytes_max = service->body_bytes_max;
    if (service->body_begin != NULL && service->stream_bytes_max > bytes_max) {
        bytes_max = service->stream_bytes_max; /* until the service has said what it wants */
    }
    exchange_reset(&work->exchange, service);
    http_parser_reset(&work->parser, bytes_max);
    buf_reset(&work->head);
    work->in.max = HTTP_HEAD_BYTES_MAX + service->body_bytes_max + 2 * (size_t)HTTP_READ_BYTES_MAX;
    work->stream_left = 0;
    work->filled = false;
    work->whole = false;
    work->body_refused = false;
    work->sent = false;
    work->close_after = false;
}

struct http_work *http_work_take(struct http_conn *c, const struct exchange_owner *owner)
{
    struct http_pool *pool = c->site->pool;
    struct http_work *work = pool->spare;
    PP_ASSERT(c->work == NULL && c->state == HTTP_IDLE);
    PP_ASSERT((pool->spare == NULL) == (pool->spare_count == 0));
    if (work != NULL) {
        pool->spare = work->next_spare;
        pool->spare_count--;
    } else {
        work = work_new(pool, owner);
        if (work == NULL) {
            return NULL;
        }
    }
    work->conn = c;
    buf_trim(&work->in, HTTP_READ_BYTES_SPARE);
    http_work_reset(work, c->site->service);
    c->work = work;
    work->own_bytes = sizeof(*work) + work->head.cap + work->exchange.reply.headers.cap +
                      work->exchange.reply.body.cap;
    http_work_charge_to(work, BUDGET_REQUESTS);
    return work;
}

/* Of a large buffer what is in use; of a small one, or one that is filled again and again, all. */
static size_t in_bytes(const struct http_work *work)
{
    const struct buf *in = &work->in;
    size_t small = in->cap < HTTP_READ_BYTES_SPARE ? in->cap : HTTP_READ_BYTES_SPARE;
    size_t used = work->parser.in_pieces ? in->cap : in->len;
    return used > small ? used : small;
}

void http_work_charge(struct http_work *work)
{
    budget_note(&work->pool->server->turn.budget, work->share, &work->charged,
                work->own_bytes + in_bytes(work) + work->exchange.arena.held_bytes);
}

static void work_uncharge(struct http_work *work)
{
    budget_note(&work->pool->server->turn.budget, work->share, &work->charged, 0);
}

void http_work_charge_to(struct http_work *work, enum budget_share share)
{
    work_uncharge(work);
    work->share = share;
    http_work_charge(work);
}

void http_work_leave(struct http_work *work)
{
    PP_ASSERT(work->leaving_bytes == 0);
    http_work_charge_to(work, BUDGET_REPLIES);
    work->leaving_bytes = work->charged + work->exchange.service_bytes;
    work->pool->leaving_bytes += work->leaving_bytes;
}

size_t http_piece_bytes(size_t room)
{
    size_t bytes = HTTP_PIECE_BYTES_MAX;
    while (bytes > HTTP_PIECE_BYTES_MIN && bytes > room / piece_sharers) {
        bytes /= 2; /* so that a buffer is seldom too large for the next piece */
    }
    return bytes;
}

void http_work_unspool(struct http_work *work)
{
    if (work->spool == NULL) {
        return;
    }
    PP_ASSERT(work->pool->spool_count > 0);
    PP_ASSERT(work->pool->spooled_bytes >= work->spooled_bytes);
    spool_free(work->spool);
    work->spool = NULL;
    work->pool->spool_count--;
    work->pool->spooled_bytes -= work->spooled_bytes;
    work->spooled_bytes = 0;
}

void http_work_give_back(struct http_work *work)
{
    struct http_pool *pool = work->pool;
    exchange_sent(&work->exchange);
    PP_ASSERT(work->conn == NULL || work->conn->work == work);
    PP_ASSERT(pool->leaving_bytes >= work->leaving_bytes);
    pool->leaving_bytes -= work->leaving_bytes;
    work->leaving_bytes = 0;
    work_uncharge(work);
    http_work_unspool(work);
    if (work->conn != NULL) {
        work->conn->work = NULL;
        work->conn = NULL;
    }
    if (pool->spare_count >= spare_work_max) {
        work_free(work);
        return;
    }
    buf_trim(&work->in, HTTP_READ_BYTES_SPARE);
    exchange_reset(&work->exchange, work->exchange.entry);
    work_keep(work);
}

/* --- connections --- */

struct http_conn *http_pool_conn_take(struct http_pool *pool)
{
    struct http_conn *c = pool->spare_conns;
    PP_ASSERT((c == NULL) == (pool->spare_conn_count == 0));
    if (c != NULL) {
        pool->spare_conns = c->next_spare;
        pool->spare_conn_count--;
    } else {
        c = malloc(sizeof(*c));
    }
    if (c != NULL) {
        memset(c, 0, sizeof(*c));
    }
    return c;
}

void http_pool_conn_give_back(struct http_pool *pool, struct http_conn *c)
{
    if (pool->spare_conn_count >= spare_conns_max) {
        free(c);
        return;
    }
    c->next_spare = pool->spare_conns;
    pool->spare_conns = c;
    pool->spare_conn_count++;
}

/* --- the pool --- */

bool http_pool_fill(struct http_pool *pool, const struct exchange_owner *owner)
{
    struct http_conn *c = pool->spare_conns == NULL ? malloc(sizeof(*c)) : NULL;
    struct http_work *work = pool->spare == NULL ? work_new(pool, owner) : NULL;
    if (c != NULL) {
        http_pool_conn_give_back(pool, c);
    }
    if (work != NULL) {
        /* With room for a whole small request: where memory ends, this is the one that takes it. */
        (void)buf_reserve(&work->in, HTTP_READ_BYTES_FIRST);
        work_keep(work);
    }
    return pool->spare_conns != NULL && pool->spare != NULL;
}

const char *http_pool_date(struct http_pool *pool)
{
    int64_t second = pool->server->env->wall_us(pool->server->env) / 1000000;
    if (second != pool->date_second) {
        http_date_write(second, pool->date);
        pool->date_second = second;
    }
    return pool->date;
}

static void pool_release(struct server_part *part)
{
    struct http_pool *pool = PP_CONTAINER_OF(part, struct http_pool, part);
    PP_ASSERT(pool->spool_count == 0 && pool->spooled_bytes == 0);
    while (pool->spare != NULL) {
        struct http_work *work = pool->spare;
        pool->spare = work->next_spare;
        work_free(work);
    }
    while (pool->spare_conns != NULL) {
        struct http_conn *c = pool->spare_conns;
        pool->spare_conns = c->next_spare;
        free(c);
    }
    while (pool->sites != NULL) {
        struct http_site *site = pool->sites;
        pool->sites = site->next;
        free(site);
    }
    free(pool);
}

struct http_site *http_pool_site(struct http_pool *pool, const struct service *service)
{
    PP_ASSERT(service->handle != NULL && service->fail != NULL);
    PP_ASSERT((service->body_begin == NULL) == (service->body_piece == NULL));
    struct http_site *site = malloc(sizeof(*site));
    if (site != NULL) {
        *site = (struct http_site){.pool = pool, .service = service, .next = pool->sites};
        pool->sites = site;
    }
    return site;
}

void http_limits_init(struct http_limits *limits)
{
    *limits = (struct http_limits){
        .ahead_bytes_max = HTTP_AHEAD_BYTES_MAX,
        .spool_bytes = HTTP_SPOOL_BYTES,
        .spools_max = HTTP_SPOOLS_MAX,
        .spooled_bytes_max = HTTP_SPOOLED_BYTES_MAX,
        .spool_directory = "/tmp",
        .head_ms = HTTP_HEAD_MS,
        .body_ms = HTTP_BODY_MS,
        .idle_ms = HTTP_IDLE_MS,
        .send_ms = HTTP_SEND_MS,
        .yield_ms = HTTP_YIELD_MS,
        .reader_yield_ms = HTTP_READER_YIELD_MS,
        .crowded_ms = HTTP_CROWDED_MS,
        .crowded_rate_min = HTTP_CROWDED_RATE_MIN,
        .linger_ms = HTTP_LINGER_MS,
    };
}

enum status http_pool_new(struct server *server, const struct http_limits *limits,
                          struct http_pool **out)
{
    struct http_pool *pool = calloc(1, sizeof(*pool));
    if (pool == NULL) {
        return STATUS_NO_MEMORY;
    }
    pool->server = server;
    if (limits != NULL) {
        pool->limits = *limits;
    } else {
        http_limits_init(&pool->limits);
    }
    pool->date_second = -1;
    pool->part.release = pool_release;
    server_keep(server, &pool->part);
    *out = pool;
    return STATUS_OK;
}
