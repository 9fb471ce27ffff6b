/* Growable bytes with a mandatory ceiling. A failed append (ceiling or memory) latches: later
 * appends do nothing and buf_ok() is false, so an encoder checks once, at its end.
 * The contents are always followed by a NUL that len does not count. */
#ifndef PINPIPE_BUF_H
#define PINPIPE_BUF_H

#include "error.h"
#include "span.h"

struct buf {
    char *ptr;
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
    bool no_memory; /* failed for want of memory, not at its ceiling */
};

/* No allocation happens before the first append. */
void buf_init(struct buf *b, size_t max_bytes);
void buf_release(struct buf *b);
/* Empties it, keeps the memory, forgets a failure. */
void buf_reset(struct buf *b);
/* Empties it and gives the memory back when it holds more than keep_bytes. */
void buf_trim(struct buf *b, size_t keep_bytes);
/* Keeps what is in it and gives the memory beyond cap_bytes back. The bytes may move. */
void buf_shrink(struct buf *b, size_t cap_bytes);

/* The bytes of `from` become those of `b`, which it had none of, and `from` is empty. Longer than
 * b's ceiling: fails as an append does. */
void buf_take(struct buf *b, struct buf *from);

bool buf_ok(const struct buf *b);
/* As error_set, for a buffer that failed at its ceiling; where memory ran out NO_MEMORY instead. */
enum status buf_error(const struct buf *b, struct error *err, enum status code, const char *format,
                      ...) PP_PRINTF(4, 5);
/* A lack of memory met elsewhere, for what was to be written here. */
void buf_no_memory(struct buf *b);
/* Fails if `from` did, of which a part of b was made. */
void buf_inherit(struct buf *b, const struct buf *from);
struct span buf_span(const struct buf *b);
const char *buf_cstr(const struct buf *b);

/* Room for `extra` more bytes at ptr + len (for reads that fill it directly); false when refused.
 */
bool buf_reserve(struct buf *b, size_t extra);
void buf_append(struct buf *b, const void *bytes, size_t len);
void buf_append_span(struct buf *b, struct span s);
void buf_append_cstr(struct buf *b, const char *text);
/* Here, because writers of JSON append most of theirs byte by byte. */
static inline void buf_append_byte(struct buf *b, char byte)
{
    if (PP_LIKELY(!b->failed && b->len < b->max && b->len + 1 < b->cap)) {
        b->ptr[b->len++] = byte;
        b->ptr[b->len] = '\0';
    } else {
        buf_append(b, &byte, 1);
    }
}
void buf_append_u64(struct buf *b, uint64_t value);
void buf_append_i64(struct buf *b, int64_t value);
void buf_printf(struct buf *b, const char *format, ...) PP_PRINTF(2, 3);
/* Drops `count` bytes from the front. */
void buf_consume(struct buf *b, size_t count);

#define BUF_APPEND_LIT(b, literal) buf_append((b), "" literal, sizeof(literal) - 1)

#endif
