/* Decoding aws-chunked bodies. Data passes through untouched; only size and trailer lines are
 * gathered, because only they can be cut anywhere.
 *
 *   SIZE --n--> DATA --> DATA_END --+        any state --malformed--> BAD
 *    | ^----------------------------+
 *    +--0--> TRAILERS --empty line--> DONE
 *
 * A line ends with CR LF. A signed trailer of MinIO's clients has its lines as they are signed, so
 * each ends with a LF of its own, and one CR LF follows them all. */
#include "aws_chunked.h"

#include "hex.h"

#include <string.h>

void aws_chunked_init(struct aws_chunked *decoder)
{
    *decoder = (struct aws_chunked){.state = AWS_CHUNKED_SIZE};
}

/* --- lines --- */

static bool size_parse(struct span digits, uint64_t *out)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = hex_value(digits.ptr[i]);
        if (digit < 0 || value > UINT64_MAX >> 8) {
            return false;
        }
        value = value << 4 | (unsigned)digit;
    }
    *out = value;
    return digits.len > 0;
}

static bool chunk_signature_take(struct aws_chunked *decoder, struct span extension)
{
    static const struct span name = {"chunk-signature=", sizeof("chunk-signature=") - 1};
    struct span value = span_skip(extension, name.len);
    if (!span_starts_with(extension, name) || value.len != SIGV4_SIGNATURE_BYTES - 1) {
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (hex_value(value.ptr[i]) < 0) {
            return false;
        }
    }
    memcpy(decoder->signature, value.ptr, value.len);
    decoder->signature[value.len] = '\0';
    return true;
}

static struct span chunk_signature(const struct aws_chunked *decoder)
{
    return decoder->has_signature ? span_from(decoder->signature, SIGV4_SIGNATURE_BYTES - 1)
                                  : SPAN_EMPTY;
}

static bool size_line_take(struct aws_chunked *decoder, struct span line,
                           const struct aws_chunked_sink *sink)
{
    size_t semicolon = span_find_byte(line, ';');
    decoder->has_signature = semicolon < line.len;
    if (!size_parse(span_first(line, semicolon), &decoder->left) ||
        (decoder->has_signature &&
         !chunk_signature_take(decoder, span_skip(line, semicolon + 1)))) {
        return false;
    }
    decoder->state = decoder->left > 0 ? AWS_CHUNKED_DATA : AWS_CHUNKED_TRAILERS;
    return decoder->left > 0 || sink->chunk_end(sink->ctx, chunk_signature(decoder));
}

static bool is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

static bool trailer_take(struct aws_chunked *decoder, struct span line)
{
    size_t colon = span_find_byte(line, ':');
    struct span name = span_first(line, colon);
    struct span value = span_skip(line, colon + 1);
    if (decoder->trailer_count == AWS_CHUNKED_TRAILERS_MAX || colon == line.len || name.len == 0) {
        return false;
    }
    struct aws_chunked_trailer *trailer = &decoder->trailers[decoder->trailer_count];
    if (name.len >= sizeof(trailer->name) || value.len >= sizeof(trailer->value)) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        trailer->name[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        if (!is_name_byte(trailer->name[i])) {
            return false;
        }
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    value = span_trim(value);
    trailer->name[name.len] = '\0';
    memcpy(trailer->value, value.ptr, value.len);
    trailer->value[value.len] = '\0';
    decoder->trailer_count++;
    return true;
}

static bool trailer_line_take(struct aws_chunked *decoder, struct span line)
{
    if (line.len == 0) {
        decoder->state = AWS_CHUNKED_DONE;
        return true;
    }
    struct span part;
    while (span_next_part(&line, '\n', &part)) {
        if (!trailer_take(decoder, part)) {
            return false;
        }
    }
    return true;
}

/* Gathers bytes up to the next LF, and takes the line that CR LF completes. False: malformed. */
static bool line_feed(struct aws_chunked *decoder, struct span *bytes,
                      const struct aws_chunked_sink *sink)
{
    size_t newline = span_find_byte(*bytes, '\n');
    struct span piece = span_first(*bytes, newline < bytes->len ? newline + 1 : newline);
    if (piece.len > sizeof(decoder->line) - decoder->line_len) {
        return false;
    }
    memcpy(decoder->line + decoder->line_len, piece.ptr, piece.len);
    decoder->line_len += piece.len;
    *bytes = span_skip(*bytes, piece.len);
    struct span line = span_from(decoder->line, decoder->line_len);
    if (!span_ends_with(line, SPAN_LIT("\r\n"))) {
        return true;
    }
    line.len -= 2;
    decoder->line_len = 0;
    return decoder->state == AWS_CHUNKED_SIZE ? size_line_take(decoder, line, sink)
                                              : trailer_line_take(decoder, line);
}

/* --- data --- */

static bool data_feed(struct aws_chunked *decoder, struct span *bytes,
                      const struct aws_chunked_sink *sink)
{
    struct span piece = *bytes;
    if (piece.len > decoder->left) {
        piece.len = (size_t)decoder->left;
    }
    *bytes = span_skip(*bytes, piece.len);
    decoder->left -= piece.len;
    decoder->decoded += piece.len;
    if (decoder->left == 0) {
        decoder->state = AWS_CHUNKED_DATA_END;
    }
    return sink->data(sink->ctx, piece);
}

static bool data_end_feed(struct aws_chunked *decoder, struct span *bytes,
                          const struct aws_chunked_sink *sink)
{
    if (bytes->ptr[0] != "\r\n"[decoder->line_len]) {
        return false;
    }
    *bytes = span_skip(*bytes, 1);
    decoder->line_len++;
    if (decoder->line_len < 2) {
        return true;
    }
    decoder->line_len = 0;
    decoder->state = AWS_CHUNKED_SIZE;
    return sink->chunk_end(sink->ctx, chunk_signature(decoder));
}

static bool feed_some(struct aws_chunked *decoder, struct span *bytes,
                      const struct aws_chunked_sink *sink)
{
    switch (decoder->state) {
    case AWS_CHUNKED_SIZE:
    case AWS_CHUNKED_TRAILERS:
        return line_feed(decoder, bytes, sink);
    case AWS_CHUNKED_DATA:
        return data_feed(decoder, bytes, sink);
    case AWS_CHUNKED_DATA_END:
        return data_end_feed(decoder, bytes, sink);
    case AWS_CHUNKED_DONE:
    case AWS_CHUNKED_BAD:
        return false;
    }
    return false;
}

bool aws_chunked_feed(struct aws_chunked *decoder, struct span bytes,
                      const struct aws_chunked_sink *sink)
{
    while (bytes.len > 0) {
        if (!feed_some(decoder, &bytes, sink)) {
            decoder->state = AWS_CHUNKED_BAD;
            return false;
        }
    }
    return decoder->state != AWS_CHUNKED_BAD;
}

bool aws_chunked_end(struct aws_chunked *decoder)
{
    if (decoder->state == AWS_CHUNKED_TRAILERS && decoder->line_len == 0) {
        decoder->state = AWS_CHUNKED_DONE;
    }
    if (decoder->state != AWS_CHUNKED_DONE) {
        decoder->state = AWS_CHUNKED_BAD;
    }
    return decoder->state == AWS_CHUNKED_DONE;
}

struct span aws_chunked_trailer_value(const struct aws_chunked *decoder, const char *name)
{
    for (size_t i = 0; i < decoder->trailer_count; i++) {
        const struct aws_chunked_trailer *trailer = &decoder->trailers[i];
        if (span_equal_nocase(span_from_cstr(trailer->name), span_from_cstr(name))) {
            return span_from_cstr(trailer->value);
        }
    }
    return SPAN_EMPTY;
}
