#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { buf_first_bytes = 256, u64_digits_max = 20 };

void buf_init(struct buf *b, size_t max_bytes)
{
    *b = (struct buf){.max = max_bytes};
}

void buf_release(struct buf *b)
{
    free(b->ptr);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    b->no_memory = false;
    if (b->ptr != NULL) {
        b->ptr[0] = '\0';
    }
}

void buf_trim(struct buf *b, size_t keep_bytes)
{
    if (b->cap > keep_bytes) {
        buf_release(b);
    } else {
        buf_reset(b);
    }
}

void buf_take(struct buf *b, struct buf *from)
{
    if (b->failed || from->failed || from->len > b->max) {
        b->failed = true;
        return;
    }
    free(b->ptr);
    *b = (struct buf){.ptr = from->ptr, .len = from->len, .cap = from->cap, .max = b->max};
    if (b->ptr != NULL) {
        b->ptr[b->len] = '\0';
    }
    *from = (struct buf){.max = from->max};
}

bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

enum status buf_error(const struct buf *b, struct error *err, enum status code, const char *format,
                      ...)
{
    char words[sizeof(err->message)];
    va_list args;
    if (b->no_memory) {
        return error_no_memory(err);
    }
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    return error_set(err, code, "%s", words);
}

void buf_no_memory(struct buf *b)
{
    b->failed = true;
    b->no_memory = true;
}

void buf_inherit(struct buf *b, const struct buf *from)
{
    b->failed = b->failed || from->failed;
    b->no_memory = b->no_memory || from->no_memory;
}

struct span buf_span(const struct buf *b)
{
    return span_from(b->ptr, b->len);
}

const char *buf_cstr(const struct buf *b)
{
    return b->ptr != NULL ? b->ptr : "";
}

bool buf_reserve(struct buf *b, size_t extra)
{
    if (b->failed || extra > b->max - b->len) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + extra + 1;
    if (PP_LIKELY(need <= b->cap)) {
        return true;
    }
    size_t cap = b->cap > 0 ? b->cap : buf_first_bytes;
    if (b->cap == 0 && need > cap) {
        cap = need; /* what is asked for first is often all that there will be */
    }
    while (cap < need) {
        cap += cap / 2 + 1;
    }
    if (cap > b->max + 1) {
        cap = b->max + 1;
    }
    char *grown = realloc(b->ptr, cap);
    if (grown == NULL) {
        buf_no_memory(b);
        return false;
    }
    b->ptr = grown;
    b->cap = cap;
    return true;
}

void buf_shrink(struct buf *b, size_t cap_bytes)
{
    size_t cap = cap_bytes > b->len ? cap_bytes : b->len + 1;
    char *shrunk = b->ptr != NULL && cap < b->cap ? realloc(b->ptr, cap) : NULL;
    if (shrunk != NULL) {
        b->ptr = shrunk;
        b->cap = cap;
    }
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
    if (!buf_reserve(b, len)) {
        return;
    }
    if (len > 0) {
        memcpy(b->ptr + b->len, bytes, len);
    }
    b->len += len;
    b->ptr[b->len] = '\0';
}

void buf_append_span(struct buf *b, struct span s)
{
    buf_append(b, s.ptr, s.len);
}

void buf_append_cstr(struct buf *b, const char *text)
{
    buf_append(b, text, strlen(text));
}

void buf_append_u64(struct buf *b, uint64_t value)
{
    char digits[u64_digits_max];
    size_t position = sizeof(digits);
    do {
        digits[--position] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    buf_append(b, digits + position, sizeof(digits) - position);
}

void buf_append_i64(struct buf *b, int64_t value)
{
    if (value < 0) {
        buf_append_byte(b, '-');
        buf_append_u64(b, 0 - (uint64_t)value);
    } else {
        buf_append_u64(b, (uint64_t)value);
    }
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (need < 0) {
        b->failed = true;
    } else if (buf_reserve(b, (size_t)need)) {
        vsnprintf(b->ptr + b->len, (size_t)need + 1, format, again);
        b->len += (size_t)need;
    }
    va_end(again);
}

void buf_consume(struct buf *b, size_t count)
{
    if (count >= b->len) {
        buf_reset(b);
        return;
    }
    memmove(b->ptr, b->ptr + count, b->len - count + 1);
    b->len -= count;
}
