#include "mysql_packet.h"

#include <string.h>

enum {
    lenenc_null = 0xfb,
    lenenc_2 = 0xfc,
    lenenc_3 = 0xfd,
    lenenc_8 = 0xfe,
};

/* --- reading --- */

struct mysql_reader mysql_reader_of(struct span payload)
{
    return (struct mysql_reader){.rest = payload};
}

struct span mysql_read_bytes(struct mysql_reader *r, uint64_t len)
{
    if (r->failed || len > r->rest.len) {
        r->failed = true;
        r->rest = SPAN_EMPTY;
        return SPAN_EMPTY;
    }
    struct span bytes = span_first(r->rest, (size_t)len);
    r->rest = span_skip(r->rest, (size_t)len);
    return bytes;
}

uint64_t mysql_read_int(struct mysql_reader *r, size_t bytes)
{
    struct span s = mysql_read_bytes(r, bytes);
    uint64_t value = 0;
    for (size_t i = s.len; i > 0; i--) {
        value = value << 8 | (unsigned char)s.ptr[i - 1];
    }
    return value;
}

uint64_t mysql_read_lenenc(struct mysql_reader *r)
{
    uint64_t first = mysql_read_int(r, 1);
    switch (first) {
    case lenenc_2:
        return mysql_read_int(r, 2);
    case lenenc_3:
        return mysql_read_int(r, 3);
    case lenenc_8:
        return mysql_read_int(r, 8);
    case lenenc_null:
    case 0xff:
        r->failed = true;
        return 0;
    default:
        return first;
    }
}

struct span mysql_read_text(struct mysql_reader *r)
{
    return mysql_read_bytes(r, mysql_read_lenenc(r));
}

struct span mysql_read_cstr(struct mysql_reader *r)
{
    size_t len = span_find_byte(r->rest, '\0');
    struct span text = span_first(r->rest, len);
    r->rest = span_skip(r->rest, len + 1);
    return text;
}

/* --- writing --- */

void mysql_put_int(struct buf *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        buf_append_byte(out, (char)(value >> (8 * i)));
    }
}

size_t mysql_lenenc_write(unsigned char out[MYSQL_LENENC_BYTES_MAX], uint64_t value)
{
    if (value < lenenc_null) {
        out[0] = (unsigned char)value;
        return 1;
    }
    size_t bytes = value <= 0xffff ? 2 : value <= 0xffffff ? 3 : 8;
    out[0] = bytes == 2 ? lenenc_2 : bytes == 3 ? lenenc_3 : lenenc_8;
    for (size_t i = 0; i < bytes; i++) {
        out[i + 1] = (unsigned char)(value >> (8 * i));
    }
    return bytes + 1;
}

void mysql_put_lenenc(struct buf *out, uint64_t value)
{
    unsigned char bytes[MYSQL_LENENC_BYTES_MAX];
    buf_append(out, bytes, mysql_lenenc_write(bytes, value));
}

void mysql_put_text(struct buf *out, struct span text)
{
    mysql_put_lenenc(out, text.len);
    buf_append_span(out, text);
}

void mysql_put_cstr(struct buf *out, struct span text)
{
    buf_append_span(out, text);
    buf_append_byte(out, '\0');
}

void mysql_put_zeros(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(out, '\0');
    }
}

void mysql_put_head(struct buf *out, size_t payload_bytes, uint8_t sequence)
{
    PP_ASSERT(payload_bytes <= MYSQL_PACKET_BYTES_MAX);
    mysql_put_int(out, payload_bytes, 3);
    mysql_put_int(out, sequence, 1);
}

size_t mysql_packet_begin(struct mysql_writer *w)
{
    size_t start = w->out->len;
    mysql_put_zeros(w->out, MYSQL_HEAD_BYTES);
    return start;
}

void mysql_packet_end(struct mysql_writer *w, size_t start)
{
    if (buf_ok(w->out)) {
        size_t len = w->out->len - start - MYSQL_HEAD_BYTES;
        PP_ASSERT(len < MYSQL_PACKET_BYTES_MAX);
        unsigned char *head = (unsigned char *)w->out->ptr + start;
        head[0] = (unsigned char)len;
        head[1] = (unsigned char)(len >> 8);
        head[2] = (unsigned char)(len >> 16);
        head[3] = w->sequence;
    }
    w->sequence++;
}
