/* One request on its way through the server, and the seam every service is written against.
 *
 * A service handler either answers now (fills exchange->reply, returns HANDLED) or parks the
 * request (exchange_park, returns PARKED) and answers later from a wake callback (fills the reply,
 * calls exchange_answer). Either way the reply is held until the turn's commit. Handlers never
 * begin or commit a transaction and never see a socket. The same handler serves its own port and
 * calls from the gateway; it cannot tell.
 *
 * Life of an exchange: receiving -> handling -> (parked ->) answered = held -> turn commit ->
 * filter -> written -> freed. If the client goes away while parked, park_ops.cancel runs and the
 * exchange is freed without an answer. */
#ifndef PINPIPE_EXCHANGE_H
#define PINPIPE_EXCHANGE_H

#include "held.h"
#include "http.h"
#include "timer.h"

struct budget;
struct exchange;

/* Reasons for which the server, not the service, ends an exchange. The service's fail() writes its
 * own wire shape for each. */
enum exchange_failure {
    EXCHANGE_COMMIT_FAILED,  /* the turn's transaction did not reach the disk: 5xx */
    EXCHANGE_BODY_TOO_LARGE, /* 413 */
    EXCHANGE_HEAD_TOO_LARGE, /* 431 */
    EXCHANGE_URI_TOO_LONG,   /* 414 */
    EXCHANGE_MALFORMED,      /* 400, then the connection closes */
    EXCHANGE_TIMED_OUT,      /* 408: the sender was too slow */
    EXCHANGE_OVERLOADED,     /* 503: a named limit of the server is reached */
    EXCHANGE_STOPPING,       /* 503: parked while the server stops */
    EXCHANGE_NO_MEMORY,      /* 500: reply or arena at its ceiling */
};

enum handled { HANDLED, PARKED };

/* The service's decision, when the head is there, on what becomes of the body. */
enum body_plan {
    BODY_GATHER, /* gathered, at most body_bytes_max of it, before handle */
    BODY_STREAM, /* given away piece by piece as it comes, then handle (request.body is empty) */
    BODY_REFUSE, /* the reply is filled; the rest is not wanted, the connection closes behind it
                     unless the body is so small that dropping it costs less */
};

struct service {
    const char *name; /* "gateway", "rest": journal and log area */
    size_t body_bytes_max;
    /* Of a streamed body, as it travels (aws-chunked framing and all). */
    uint64_t stream_bytes_max;
    /* Replies are kept below this; a reply buffer at its ceiling becomes EXCHANGE_NO_MEMORY. */
    size_t reply_bytes_max;
    void *ctx;
    enum handled (*handle)(void *ctx, struct exchange *exchange);
    /* Replaces exchange->reply (already reset) by the service's answer for this failure. For a
     * malformed or oversized head, exchange->request may hold only what was understood. */
    void (*fail)(void *ctx, struct exchange *exchange, enum exchange_failure failure);
    /* Both optional together (NULL: every body is BODY_GATHER). The head is complete and sound and
     * a body follows, which is empty yet; the request's spans stay valid as long as the exchange.
     * Not called where there is no body. */
    enum body_plan (*body_begin)(void *ctx, struct exchange *exchange);
    /* The next bytes, HTTP's framing taken off, at most BODY_PIECE_BYTES_MAX; between two pieces
     * other clients have their turn and the transaction may be committed. BODY_STREAM: go on. */
    enum body_plan (*body_piece)(void *ctx, struct exchange *exchange, struct span bytes);
    /* Of a service that sets exchange->state. The exchange is over, answered and sent, failed or
     * abandoned: lets go of the state, which is not NULL (and is set to NULL afterwards). Called
     * once. */
    void (*release)(void *ctx, struct exchange *exchange);
};

enum { BODY_PIECE_BYTES_MAX = 256 * 1024 };

struct park_ops {
    /* The deadline has come: fill the reply and call exchange_answer, or park again. */
    void (*deadline)(struct exchange *exchange, void *state);
    /* The client left, the gateway's time is up or the server stops: let go of `state`. No answer
     * may be given from here (the caller gives it). */
    void (*cancel)(struct exchange *exchange, void *state);
};

/* Runs after the commit, just before the reply is serialised: the gateway maps the backend's answer
 * to its own here. Must not fail for want of memory without leaving a valid reply. */
typedef void (*exchange_filter_fn)(struct exchange *exchange, void *ctx);

struct exchange {
    struct http_request request; /* the gateway rewrites path, query, host and headers in place */
    struct reply reply;
    struct arena arena;            /* lives until the reply is written */
    const struct service *service; /* who answers (and fails) it; the gateway redirects it */
    const struct service *entry;   /* whose listener took it */
    void *state;                   /* the service's own, until its release */
    exchange_filter_fn filter;
    void *filter_ctx;
    /* What the journal records even after the gateway rewrote the request. */
    struct span journal_path;
    int64_t start_us;       /* monotonic */
    uint64_t recent_number; /* among the latest requests; 0: not noted */
    /* The answer came from elsewhere (an upstream, a real cluster): what this turn's transaction
     * does has no bearing on it. */
    bool outside_turn;
    /* Something of the request could not be read for want of memory: its answer, which may be about
     * another request than the client's, becomes EXCHANGE_NO_MEMORY. */
    bool starved;

    /* Private to exchange.c and the exchange's owner (http_work.c). */
    struct turn *turn;
    struct held held; /* in the turn, once it is answered */
    const struct exchange_owner *owner;
    uint64_t streamed_bytes; /* of the request's body, given away or dropped */
    size_t service_bytes;    /* that its service holds for it, in the budget */
    const struct park_ops *park;
    void *park_state;
    struct timer park_timer;
    struct timer outer_timer;
    void (*outer_deadline)(struct exchange *exchange, void *ctx);
    void *outer_ctx;
    void (*lost)(void *ctx);
    void *lost_ctx;
    bool answered; /* the reply is complete and held */
};

/* Parks it until exchange_answer, `deadline_us` (monotonic; INT64_MAX: none) or cancellation.
 * Parking an already parked exchange replaces deadline, ops and state. */
void exchange_park(struct exchange *exchange, int64_t deadline_us, const struct park_ops *ops,
                   void *state);
/* The reply of a parked exchange is complete: it joins the replies held for this turn. */
void exchange_answer(struct exchange *exchange);
/* The gateway's 29 s: at `deadline_us` a still unanswered exchange is cancelled at the service and
 * on_deadline must fill the reply; it is answered right after. Dropped when answered before. */
void exchange_set_outer_deadline(struct exchange *exchange, int64_t deadline_us,
                                 void (*on_deadline)(struct exchange *exchange, void *ctx),
                                 void *ctx);
/* Calls `lost` once if this exchange's answer is replaced by an error although its turn is kept (no
 * memory for a header, too large for the gateway): what the answer took with it is given back. What
 * a failed turn took is the undo log's, which then has given it back already. `ctx` lives as long
 * as the exchange. */
void exchange_on_lost(struct exchange *exchange, void (*lost)(void *ctx), void *ctx);
/* Whoever replaces a service's answer by an error of its own says so first. */
void exchange_lose_answer(struct exchange *exchange);
/* Resets the reply and lets the current service write this failure. */
void exchange_fail(struct exchange *exchange, enum exchange_failure failure);
/* How many more bytes of replies the server may keep before they have left. A long poll that is
 * woken while this is less than its answer parks again instead, and says how
 * much it wants: slow readers are closed for it, whose bytes come free a little later. */
size_t exchange_reply_room(const struct exchange *exchange);
void exchange_want_reply_room(struct exchange *exchange, size_t bytes);
/* Where a service counts what it holds for requests that wait. */
struct budget *exchange_budget(const struct exchange *exchange);
/* The service holds so many bytes for this request while it comes in, beside the arena: they count
 * in the budget until the exchange is over. */
void exchange_hold(struct exchange *exchange, size_t bytes);

/* --- for the owner of exchanges (http_conn.c) and for tests --- */

/* Who carries the reply to its client. */
struct exchange_owner {
    /* The commit has succeeded (or the reply says that it failed): send it. */
    void (*send)(struct exchange *exchange);
    /* Sent, or being sent, and journaled: the turn does not need it any more. */
    void (*finished)(struct exchange *exchange);
    /* Optional: a parked one has no room for its reply. */
    void (*want_room)(struct exchange *exchange, size_t bytes);
};

enum {
    EXCHANGE_ARENA_BYTES_MAX = 256 * 1024 * 1024,
    EXCHANGE_REPLY_HEADERS_MAX = 64 * 1024,
};

/* NO_MEMORY: nothing to release. */
enum status exchange_init(struct exchange *exchange, struct turn *turn,
                          const struct exchange_owner *owner) PP_MUST_USE;
void exchange_release(struct exchange *exchange);
/* For the next request: empties it, keeps a little of the memory. */
void exchange_reset(struct exchange *exchange, const struct service *entry);
/* Hands a complete request to its service and holds the answer, if there is one already. */
void exchange_handle(struct exchange *exchange);
/* Fails it from outside, parked or not, and holds the answer. Not for one that is held already. */
void exchange_abort(struct exchange *exchange, enum exchange_failure failure);
/* The client has left: a parked one lets go of its state. Not for one that is held already. */
void exchange_cancel(struct exchange *exchange);
/* Counts what the reply keeps in memory now in the server's budget. */
void exchange_count_reply(struct exchange *exchange);
/* The reply has left or never will: gives its bytes back to the server's budget, and the service
 * lets go of its state. */
void exchange_sent(struct exchange *exchange);
bool exchange_is_parked(const struct exchange *exchange);
bool exchange_is_held(const struct exchange *exchange);

#endif
