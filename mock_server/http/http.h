/* HTTP/1.1 messages as values: a request of spans over the connection's bytes, a reply being built.
 * Parsing is llhttp's (http_parse.h), framing and writing are conn's; services see only these. */
#ifndef PINPIPE_HTTP_H
#define PINPIPE_HTTP_H

#include "arena.h"
#include "buf.h"

enum http_method {
    METHOD_OTHER, /* well-formed, but none of those below */
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_PATCH,
};

struct http_header {
    struct span name; /* as sent; compare with span_equal_nocase */
    struct span value;
};

enum {
    HTTP_HEADERS_MAX = 100,
    HTTP_HEAD_BYTES_MAX = 32 * 1024, /* request line and headers together: 431 */
    HTTP_TARGET_BYTES_MAX = 10240,   /* 414 */
};

struct http_request {
    enum http_method method;
    struct span method_name;
    struct span target; /* path and query as sent; absolute-form is already reduced to them */
    struct span path;   /* still percent-encoded */
    struct span query;  /* without '?'; empty when none */
    struct http_header *headers;
    size_t header_count;
    struct span body;
    struct span host;    /* the Host header; an absolute-form target's host replaces its value */
    int64_t received_us; /* wall clock when the head was complete */
};

/* The first header of that name; empty (ptr "") when absent, has_header tells the difference. */
struct span http_request_header(const struct http_request *request, const char *name);
bool http_request_has_header(const struct http_request *request, const char *name);
const char *http_status_reason(int status);

struct exchange;

/* The next piece of a reply's body: appends up to `max` bytes to `out`, at least one. false: it
 * cannot go on; the connection is cut, or, if this was the first piece, the service's fail()
 * answers (EXCHANGE_NO_MEMORY). Called after the commit, when the client has taken the piece
 * before; other clients have their turn in between. Not called for HEAD. */
typedef bool (*reply_stream_fn)(struct exchange *exchange, struct buf *out, size_t max);

/* A reply under construction. Framing headers (Content-Length, Connection, Date, Server) are the
 * connection's; everything else is here. */
struct reply {
    int status;               /* 0: not answered yet */
    const char *content_type; /* static or in the arena; NULL: none is sent */
    struct buf headers;       /* complete "Name: value\r\n" lines */
    struct buf body;
    /* Not NULL: the body is what this gives, stream_bytes of it; `body` is empty. Not for replies
     * that a filter (exchange.h) sees. */
    reply_stream_fn stream;
    uint64_t stream_bytes;
    const char *hint;       /* X-Pinpipe-Hint, beside the faithful answer, never in it */
    const char *error_code; /* for the journal: "40403", "ForbiddenException"; NULL on success */
    bool no_date_server;    /* as API Gateway: its own Date, no Server, Connection always said */
};

/* Of the body, streamed or not. */
uint64_t reply_body_bytes(const struct reply *reply);

/* Appends "Name: value\r\n"; control characters in the value become blanks, so that a peer's bytes
 * cannot end the header. */
void http_header_append(struct buf *out, const char *name, struct span value);
void reply_add_header(struct reply *reply, const char *name, struct span value);
void reply_add_header_cstr(struct reply *reply, const char *name, const char *value);

#endif
