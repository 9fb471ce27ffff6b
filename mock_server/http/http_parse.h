/* One HTTP/1.1 request out of a growing buffer: llhttp, strict, plus the checks that it leaves to
 * its user (Host, limits, one framing header, no bare line feeds). Resumable at every byte.
 *
 * The request's spans point into the buffer. A chunked body is decoded in place, so that it is one
 * span too. A body of any length can be taken out in pieces instead. Nothing is allocated here.
 *
 * DIFFERS: Jetty, which the real proxy stands on, forgives obs-fold, bare line feeds and a few
 * more; whatever two parsers could read in two ways is refused here with 400. */
#ifndef PINPIPE_HTTP_PARSE_H
#define PINPIPE_HTTP_PARSE_H

#include "exchange.h"

#include <llhttp.h>

enum http_parsed {
    HTTP_PARSE_MORE,  /* all that is there has been read; append and call again */
    HTTP_PARSE_HEAD,  /* the head is complete and sound, a body follows: call again at will */
    HTTP_PARSE_PIECE, /* a piece of the body is there: take and drop it, then call again */
    HTTP_PARSE_DONE,  /* a whole request; parser->position is where the next one begins */
    HTTP_PARSE_BAD,   /* parser->failure and parser->reason say why; nothing more can be read */
};

enum {
    /* Of a chunked body beside its data: chunk extensions, trailers, idle leading zeros. */
    HTTP_CHUNK_EXTRA_BYTES_MAX = 16 * 1024,
    HTTP_CHUNK_LINE_BYTES_MAX = 32, /* what an ordinary chunk's size line and line ends take */
};

struct http_field {
    uint16_t name_at;
    uint16_t name_len;
    uint16_t value_at;
    uint16_t value_len;
};

struct http_parser {
    llhttp_t machine;
    uint64_t body_bytes_max;
    char *base;      /* the buffer's bytes, while they are being fed */
    size_t position; /* bytes of the buffer that have been given to the machine */
    size_t head_len;
    size_t body_kept;         /* of the body, in the buffer behind the head */
    uint64_t body_len;        /* all that has come of it, dropped pieces too */
    uint64_t chunked_raw_len; /* as received, to bound what is not data */
    uint64_t chunk_count;
    uint16_t target_at;
    uint16_t target_len;
    uint16_t path_at; /* the target without scheme and authority */
    uint16_t path_len;
    uint16_t authority_at; /* of an absolute-form target; empty otherwise */
    uint16_t authority_len;
    uint16_t field_count;
    bool in_name; /* the last field's name may go on in the next bytes */
    bool head_complete;
    bool message_complete;
    bool in_pieces; /* the body is taken out as it comes */
    bool in_trailers;
    bool trailer_is_empty; /* the line so far */
    char trailer_before;   /* the byte that came last */
    bool chunked;
    bool keep_alive;
    bool expects_continue;
    bool old_version; /* HTTP/1.0 */
    uint64_t content_length;
    enum exchange_failure failure;
    const char *reason; /* static; NULL while nothing is wrong */
    struct http_field fields[HTTP_HEADERS_MAX];
};

void http_parser_reset(struct http_parser *parser, uint64_t body_bytes_max);
/* Reads what `in` holds beyond parser->position. Bytes before it must not be changed by the caller;
 * the framing of a chunked body is removed from `in`. */
enum http_parsed http_parser_feed(struct http_parser *parser, struct buf *in);
/* After HTTP_PARSE_HEAD: the body has a limit of its own, no larger than the one before, and comes
 * in pieces (of at most BODY_PIECE_BYTES_MAX) or whole. False: it is announced larger than that,
 * the parser is bad now. */
bool http_parser_plan_body(struct http_parser *parser, uint64_t body_bytes_max, bool in_pieces);
/* The part of the body that `in` holds: after HTTP_PARSE_PIECE a piece of it. */
struct span http_parser_body(const struct http_parser *parser, const struct buf *in);
void http_parser_drop_piece(struct http_parser *parser, struct buf *in);
/* The request as far as it was understood; `headers` has room for parser->field_count, or is NULL:
 * then it has none. The spans are valid as long as the buffer's bytes. */
void http_parser_request(const struct http_parser *parser, const struct buf *in,
                         struct http_header *headers, struct http_request *out);

#endif
