/* The aws-chunked body encoding: "<hex size>[;chunk-signature=<64 hex>]\r\n<data>\r\n"..., then
 * trailers. Resumable at every byte; keeps nothing but a line being read (specs/aws-s3.md 6). */
#ifndef PINPIPE_AWS_CHUNKED_H
#define PINPIPE_AWS_CHUNKED_H

#include "arena.h"
#include "sigv4.h"

enum {
    AWS_CHUNKED_LINE_BYTES_MAX = 1024,
    AWS_CHUNKED_TRAILERS_MAX = 8,
};

enum aws_chunked_state {
    AWS_CHUNKED_SIZE,     /* waits for a chunk's size line: DATA, or TRAILERS after size 0 */
    AWS_CHUNKED_DATA,     /* waits for the chunk's bytes: DATA_END */
    AWS_CHUNKED_DATA_END, /* waits for CR LF: SIZE */
    AWS_CHUNKED_TRAILERS, /* waits for a trailer line or the empty one: DONE */
    AWS_CHUNKED_DONE,
    AWS_CHUNKED_BAD, /* malformed: nothing more can be read */
};

struct aws_chunked_trailer {
    char name[64];   /* in lower case */
    char value[256]; /* trimmed */
};

struct aws_chunked {
    enum aws_chunked_state state;
    uint64_t left;    /* of the present chunk */
    uint64_t decoded; /* data bytes so far */
    char line[AWS_CHUNKED_LINE_BYTES_MAX];
    size_t line_len;
    bool has_signature; /* the present chunk's */
    char signature[SIGV4_SIGNATURE_BYTES];
    struct aws_chunked_trailer trailers[AWS_CHUNKED_TRAILERS_MAX];
    size_t trailer_count;
};

/* Takes what the decoder gives; a callback returns false to stop (the decoder is then BAD). */
struct aws_chunked_sink {
    bool (*data)(void *ctx, struct span bytes);
    /* A chunk (also the last, empty one) is complete; signature empty: it had none. */
    bool (*chunk_end)(void *ctx, struct span signature);
    void *ctx;
};

void aws_chunked_init(struct aws_chunked *decoder);
/* False: malformed, or a callback said no. Bytes behind the end are malformed too. */
bool aws_chunked_feed(struct aws_chunked *decoder, struct span bytes,
                      const struct aws_chunked_sink *sink);
/* Says whether the body may end here; only its last CR LF may be missing. */
bool aws_chunked_end(struct aws_chunked *decoder);
/* The value of the first trailer of that name, any case; empty when absent. */
struct span aws_chunked_trailer_value(const struct aws_chunked *decoder, const char *name);

#endif
