/* What the files of the HTTP protocol share. http_conn.c (what a connection's bytes, ends and
 * timeouts do) stands on http_body.c (a body on its way to its service) and http_reply.c (a reply
 * on its way out); both stand on http_work.c (from one request to the next), which stands on
 * http_pool.c (what connections share). */
#ifndef PINPIPE_HTTP_INTERNAL_H
#define PINPIPE_HTTP_INTERNAL_H

#include "http_conn.h"
#include "http_date.h"
#include "http_parse.h"
#include "server.h"
#include "spool.h"

enum {
    HTTP_READ_BYTES_KEPT = 2 * 1024, /* there from the start: most heads fit */
    HTTP_READ_BYTES_FIRST = 8 * 1024,
    HTTP_READ_BYTES_SPARE = 16 * 1024, /* a spare work keeps no larger buffer */
    HTTP_READ_BYTES_MAX = 256 * 1024,  /* with one system call */
    HTTP_DISCARD_BYTES = 16 * 1024,
    HTTP_SLICE_BYTES_MAX = 1024 * 1024, /* of a request, in one turn; others come in between */
    HTTP_DROP_BYTES_MAX = 64 * 1024,    /* of a refused body; for more the connection is given up */
    HTTP_PIECE_BYTES_MAX = 256 * 1024,  /* of a body that passes through, in or out */
    HTTP_PIECE_BYTES_MIN = 4 * 1024,    /* when the room that all share runs out */
    HTTP_REPLY_HEAD_BYTES_MAX = 128 * 1024, /* headers, the hint and the framing */
    HTTP_REPLY_HEAD_BYTES_KEPT = 1024,      /* there from the start: an error's head fits */
};

enum http_state {
    HTTP_IDLE,      /* waits for a request's first byte: RECEIVING; the idle timeout: closed */
    HTTP_RECEIVING, /* waits for the rest of it: BUSY; head or body timeout: refused with 408 */
    HTTP_BUSY,      /* the service has it, or the turn: SENDING or the next request */
    HTTP_SENDING,   /* waits for the reader to take the reply, or for its turn to send the next
                       piece of a streamed one; too slow: closed */
    HTTP_LINGERING, /* refused; drops input until the peer ends or a timeout: closed */
};

/* The pool is one for all listeners of a server. */
struct http_pool {
    struct server_part part;
    struct server *server;
    struct http_limits limits;
    size_t spool_count;
    size_t spooled_bytes;
    size_t leaving_bytes; /* of requests given up, in the budget until their refusals have left */
    struct http_work *spare; /* what connections left for their successors */
    size_t spare_count;
    struct http_conn *spare_conns;
    size_t spare_conn_count;
    struct http_site *sites;
    char date[HTTP_DATE_BYTES];
    int64_t date_second;              /* that `date` tells */
    char discard[HTTP_DISCARD_BYTES]; /* what is read only to be dropped or put aside */
};

/* A listener's: who answers there. */
struct http_site {
    struct http_pool *pool;
    const struct service *service;
    struct http_site *next;
};

struct http_work {
    struct exchange exchange;
    struct http_pool *pool;
    struct http_conn *conn; /* NULL: the client has left, the turn still has the reply */
    struct buf in;
    struct buf head;  /* of the reply */
    size_t own_bytes; /* what it takes beside `in` and the arena */
    size_t charged;   /* what it counts in the budget, in ... */
    enum budget_share share;
    size_t leaving_bytes; /* of the pool's */
    struct spool *spool;  /* of a gathered body that is too large for memory; NULL */
    size_t spooled_bytes; /* in it */
    uint64_t stream_left; /* of a streamed reply's body: not asked for yet */
    bool filled;          /* exchange->request is, and its head does not move any more */
    bool whole;           /* the request is, and the service has it or will have it soon */
    bool body_refused;    /* the reply is there; what is left of the body is dropped before it */
    bool sent;            /* the whole reply is with the kernel */
    bool close_after;
    struct http_work *next_spare;
    struct http_parser parser;
};

struct http_conn {
    struct conn conn; /* first: struct conn * and struct http_conn * are cast */
    const struct http_site *site;
    enum http_state state;
    struct http_work *work; /* NULL when IDLE */
    struct buf ahead;
    size_t ahead_charged; /* what it counts in the budget */
    struct http_conn *next_spare;
    bool refused;          /* what else the peer sends is dropped */
    bool body_timed;       /* the body's clock runs */
    int64_t body_start_us; /* when its head was complete */
    int64_t linger_until_us;
    size_t slice_bytes;   /* received since it last let others have their turn */
    size_t unsent_before; /* at the last look, to see whether the reader takes anything */
};

/* --- http_pool.c --- */
/* A work for the connection's next request, whose reply `owner` will carry; NULL: no memory. */
struct http_work *http_work_take(struct http_conn *c, const struct exchange_owner *owner);
/* Makes it ready for a request to `service`. */
void http_work_reset(struct http_work *work, const struct service *service);
/* Counts what the work holds by now in the budget, where it was counted; in that share. */
void http_work_charge(struct http_work *work);
void http_work_charge_to(struct http_work *work, enum budget_share share);
/* The reply has left or never will; its connection, if it is still there, has no work any more. */
void http_work_give_back(struct http_work *work);
/* A zeroed connection; NULL: no memory. */
struct http_conn *http_pool_conn_take(struct http_pool *pool);
void http_pool_conn_give_back(struct http_pool *pool, struct http_conn *c);
/* Makes what a first connection and its request need, so that they can be told when there is no
 * memory; false: there is none already. */
bool http_pool_fill(struct http_pool *pool, const struct exchange_owner *owner);
/* The Date header's value now. */
const char *http_pool_date(struct http_pool *pool);
/* Belongs to the pool; NULL: no memory. */
struct http_site *http_pool_site(struct http_pool *pool, const struct service *service);

/* The request is given up: what is left of it makes no room yet, but soon. */
void http_work_leave(struct http_work *work);
/* Lets go of what the work's body has in a file. */
void http_work_unspool(struct http_work *work);
/* How much of a body that passes through to take at once, where so much room is left for all. */
size_t http_piece_bytes(size_t room);

/* --- http_work.c --- */
struct http_work *http_work_of(struct exchange *exchange);
/* When it will be `delay_ms` from now. */
int64_t http_in_ms(const struct server *server, int64_t delay_ms);
/* A pipelined request is there, at least in part, and its turn has not come. */
bool http_waits_for_turn(const struct http_conn *c);
/* Reads on, unless too much waits behind the request: a peer that sends faster than it is answered
 * waits in its own kernel. */
void http_reading_adjust(struct http_conn *c);
/* Bytes that waited behind the last request belong to this one; work->in may be at its ceiling
 * then. */
void http_ahead_take_over(struct http_conn *c);
/* Lingers as long as the peer goes on sending, but not for ever. */
void http_linger_on(struct http_conn *c);
/* The request as far as it is understood, with a copy of its head: its spans last as long as the
 * exchange, whatever becomes of the buffer. False: no memory. */
bool http_request_keep_head(struct http_work *work, struct server *server);
/* The request with what has come in of it by now, whole or not. */
void http_request_complete(struct http_work *work, struct server *server);
/* Answers for the service, then closes: framing is lost or the sender cannot be trusted with it. */
void http_request_refuse(struct http_conn *c, enum exchange_failure failure, const char *reason);
/* The reply is filled already and the rest of the request is not wanted: answers, then closes. */
void http_request_cut_short(struct http_conn *c);
/* The reply has left as a whole: the next request, the idle wait, the end. */
void http_reply_gone(struct http_conn *c);

/* --- http_body.c --- */
/* The head is sound and a body is to come: the service says what becomes of it. */
void http_body_begin(struct http_conn *c);
/* No body is to come. A sender that waits to be asked for it is asked all the same: the aws CLI
 * takes a final status that comes instead for the first line of the next answer on the connection
 * as well, and loses that answer. */
void http_body_none(struct http_conn *c);
/* The parser has a piece of it. Both may leave the connection answered, refused or closing. */
void http_body_piece(struct http_conn *c);
/* A gathered body that has grown large goes on in a file; false: it cannot, the request is
 * refused. */
bool http_body_spool(struct http_conn *c);
/* The spooled body is whole: it becomes the request's; false as above. */
bool http_body_map(struct http_conn *c);
/* When the sender of a body must have sent more of it. */
int64_t http_body_due_us(const struct http_conn *c);

/* --- http_reply.c --- */
/* Sends a settled reply (exchange_owner.send); sets work->sent when it has left at once. */
void http_reply_send(struct exchange *exchange);
/* The turn has come for the next piece of a streamed reply. */
void http_reply_go_on(struct http_conn *c);

#endif
