/* aws-chunked: the first byte chooses how the rest is cut. Every cut gives the same data, chunks
 * and verdict; the data is never longer than the body; bad stays bad. */
#include "aws_chunked.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { output_bytes_max = 16 << 20 };

struct outcome {
    struct buf data;
    struct buf chunks;
    bool good;
};

static bool take_data(void *ctx, struct span bytes)
{
    struct outcome *outcome = ctx;
    buf_append_span(&outcome->data, bytes);
    return true;
}

static bool take_chunk_end(void *ctx, struct span signature)
{
    struct outcome *outcome = ctx;
    if (signature.len != 0 && signature.len != SIGV4_SIGNATURE_BYTES - 1) {
        abort();
    }
    buf_printf(&outcome->chunks, "%zu,%.*s;", outcome->data.len, SPAN_ARG(signature));
    return true;
}

static void decode(struct span body, size_t piece, struct outcome *outcome)
{
    struct aws_chunked decoder;
    struct aws_chunked_sink sink = {take_data, take_chunk_end, outcome};
    buf_init(&outcome->data, output_bytes_max);
    buf_init(&outcome->chunks, output_bytes_max);
    aws_chunked_init(&decoder);
    bool fed = true;
    for (struct span rest = body; rest.len > 0; rest = span_skip(rest, piece)) {
        bool now = aws_chunked_feed(&decoder, span_first(rest, piece), &sink);
        if (now && !fed) {
            abort();
        }
        fed = now;
    }
    outcome->good = aws_chunked_end(&decoder);
    if ((outcome->good && !fed) || decoder.decoded != outcome->data.len ||
        outcome->data.len > body.len || decoder.trailer_count > AWS_CHUNKED_TRAILERS_MAX) {
        abort();
    }
}

static void release(struct outcome *outcome)
{
    buf_release(&outcome->data);
    buf_release(&outcome->chunks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome once;
    struct outcome cut;
    if (size == 0) {
        return 0;
    }
    struct span body = span_from((const char *)data + 1, size - 1);
    decode(body, body.len + 1, &once);
    decode(body, (size_t)data[0] % 31 + 1, &cut);
    if (once.good != cut.good ||
        (once.good && (!span_equal(buf_span(&once.data), buf_span(&cut.data)) ||
                       !span_equal(buf_span(&once.chunks), buf_span(&cut.chunks))))) {
        abort();
    }
    release(&once);
    release(&cut);
    return 0;
}
