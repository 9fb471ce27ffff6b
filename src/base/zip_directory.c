/* APPNOTE.TXT 4.3: the end of central directory record is the last thing in the file but for a
 * comment of at most 65535 bytes; where its numbers are too small, a zip64 record stands before it.
 */
#include "zip_directory.h"

enum {
    end_bytes = 22,
    comment_bytes_max = 65535,
    locator_bytes = 20, /* of zip64, right before the end record */
    end64_bytes = 56,
    entry_bytes = 46, /* then name, extra field, comment */
    window_step = 64 * 1024,
};

static const uint32_t end_signature = 0x06054b50;
static const uint32_t locator_signature = 0x07064b50;
static const uint32_t end64_signature = 0x06064b50;
static const uint32_t entry_signature = 0x02014b50;

static uint64_t number_at(const struct buf *bytes, size_t at, size_t width)
{
    uint64_t value = 0;
    PP_ASSERT(at + width <= bytes->len);
    for (size_t i = width; i > 0; i--) {
        value = value << 8 | (unsigned char)bytes->ptr[at + i - 1];
    }
    return value;
}

/* Where the central directory lies. */
struct directory {
    uint64_t offset;
    uint64_t size;
};

static bool read_at(const struct zip_source *source, uint64_t offset, size_t len, struct buf *out)
{
    size_t before = out->len;
    return source->read(source->ctx, offset, len, out) && buf_ok(out) && out->len == before + len;
}

/* The record whose comment ends where the file ends; tail->len when there is none. */
static size_t end_find(const struct buf *tail)
{
    for (size_t at = tail->len - end_bytes + 1; at > 0; at--) {
        if (number_at(tail, at - 1, 4) == end_signature &&
            at - 1 + end_bytes + number_at(tail, at - 1 + 20, 2) == tail->len) {
            return at - 1;
        }
    }
    return tail->len;
}

/* `end_offset`: where the end record begins in the file. */
static enum zip_outcome zip64_find(const struct zip_source *source, uint64_t end_offset,
                                   struct buf *scratch, struct directory *out)
{
    if (end_offset < locator_bytes + end64_bytes) {
        return ZIP_BROKEN;
    }
    buf_reset(scratch);
    if (!read_at(source, end_offset - locator_bytes, locator_bytes, scratch)) {
        return ZIP_FAILED;
    }
    uint64_t end64 = number_at(scratch, 8, 8);
    if (number_at(scratch, 0, 4) != locator_signature ||
        end64 > end_offset - locator_bytes - end64_bytes) {
        return ZIP_BROKEN;
    }
    buf_reset(scratch);
    if (!read_at(source, end64, end64_bytes, scratch)) {
        return ZIP_FAILED;
    }
    if (number_at(scratch, 0, 4) != end64_signature) {
        return ZIP_BROKEN;
    }
    out->size = number_at(scratch, 40, 8);
    out->offset = number_at(scratch, 48, 8);
    return ZIP_READ;
}

static enum zip_outcome directory_find(const struct zip_source *source, struct buf *scratch,
                                       struct directory *out)
{
    size_t tail_len = source->size < end_bytes + comment_bytes_max ? (size_t)source->size
                                                                   : end_bytes + comment_bytes_max;
    if (tail_len < end_bytes) {
        return ZIP_BROKEN;
    }
    if (!read_at(source, source->size - tail_len, tail_len, scratch)) {
        return ZIP_FAILED;
    }
    size_t end = end_find(scratch);
    if (end == scratch->len) {
        return ZIP_BROKEN;
    }
    uint64_t end_offset = source->size - tail_len + end;
    out->size = number_at(scratch, end + 12, 4);
    out->offset = number_at(scratch, end + 16, 4);
    if (out->size == UINT32_MAX || out->offset == UINT32_MAX) {
        enum zip_outcome outcome = zip64_find(source, end_offset, scratch, out);
        if (outcome != ZIP_READ) {
            return outcome;
        }
    }
    if (out->offset > end_offset || out->size > end_offset - out->offset) {
        return ZIP_BROKEN;
    }
    return out->size > ZIP_DIRECTORY_BYTES_MAX ? ZIP_TOO_LARGE : ZIP_READ;
}

/* --- its entries --- */

struct window {
    const struct zip_source *source;
    struct directory left; /* what has not been read yet */
    struct buf bytes;
};

/* Makes `len` bytes of the directory available at the front. */
static enum zip_outcome window_fill(struct window *w, size_t len)
{
    if (w->bytes.len >= len) {
        return ZIP_READ;
    }
    size_t missing = len - w->bytes.len;
    if (missing > w->left.size) {
        return ZIP_BROKEN;
    }
    size_t step = missing > window_step ? missing : window_step;
    if (step > w->left.size) {
        step = (size_t)w->left.size;
    }
    if (!read_at(w->source, w->left.offset, step, &w->bytes)) {
        return ZIP_FAILED;
    }
    w->left.offset += step;
    w->left.size -= step;
    return ZIP_READ;
}

static enum zip_outcome entries_visit(struct window *w, bool (*visit)(void *ctx, struct span name),
                                      void *ctx)
{
    while (w->bytes.len > 0 || w->left.size > 0) {
        enum zip_outcome outcome = window_fill(w, entry_bytes);
        if (outcome != ZIP_READ) {
            return outcome;
        }
        size_t name_len = (size_t)number_at(&w->bytes, 28, 2);
        size_t behind = (size_t)(number_at(&w->bytes, 30, 2) + number_at(&w->bytes, 32, 2));
        if (number_at(&w->bytes, 0, 4) != entry_signature) {
            return ZIP_BROKEN;
        }
        outcome = window_fill(w, entry_bytes + name_len + behind);
        if (outcome != ZIP_READ) {
            return outcome;
        }
        if (!visit(ctx, span_from(w->bytes.ptr + entry_bytes, name_len))) {
            return ZIP_READ;
        }
        buf_consume(&w->bytes, entry_bytes + name_len + behind);
    }
    return ZIP_READ;
}

enum zip_outcome zip_directory_visit(const struct zip_source *source,
                                     bool (*visit)(void *ctx, struct span name), void *ctx)
{
    struct window w = {.source = source};
    buf_init(&w.bytes, ZIP_WINDOW_BYTES_MAX);
    enum zip_outcome outcome = directory_find(source, &w.bytes, &w.left);
    if (outcome == ZIP_READ) {
        buf_reset(&w.bytes);
        outcome = entries_visit(&w, visit, ctx);
    }
    buf_release(&w.bytes);
    return outcome;
}
