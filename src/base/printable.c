#include "printable.h"

#include "base.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

struct point_range {
    uint32_t first;
    uint32_t last;
};

/* Beyond ASCII: C1, what reorders, what takes no place, what ends a line. Left out are the
 * variation selectors of emoji and the joining marks of scripts, which change a character and
 * nothing else. */
static const struct point_range steering[] = {
    {0x80, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},   {0x61c, 0x61c},   {0x115f, 0x1160},
    {0x17b4, 0x17b5},   {0x180b, 0x180f},   {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0x1bca0, 0x1bca3},
    {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

static bool point_is_steering(uint32_t point)
{
    for (size_t i = 0; i < ARRAY_COUNT(steering) && steering[i].first <= point; i++) {
        if (point <= steering[i].last) {
            return true;
        }
    }
    return false;
}

/* Whether an ASCII byte may stand as it is; `next` is the byte behind it, or 0. */
static bool byte_is_harmless(unsigned char byte, char next, enum printable_form form)
{
    if (byte >= 0x20) {
        return byte < 0x7f;
    }
    return form == PRINTABLE_TEXT &&
           (byte == '\n' || byte == '\t' || (byte == '\r' && next == '\n'));
}

/* How many bytes at the front are one harmless character; 0: they are none, and *bad is how many
 * bytes the escape stands for, *point their character, or the byte when *is_byte. */
static size_t harmless_len(struct span rest, enum printable_form form, size_t *bad, uint32_t *point,
                           bool *is_byte)
{
    unsigned char byte = (unsigned char)rest.ptr[0];
    *bad = 1;
    *point = byte;
    *is_byte = true;
    if (byte < 0x80) {
        return byte_is_harmless(byte, rest.len > 1 ? rest.ptr[1] : '\0', form) ? 1 : 0;
    }
    size_t len = utf8_read(rest, point);
    if (len == 0) {
        return 0;
    }
    *bad = len;
    *is_byte = false;
    return point_is_steering(*point) ? 0 : len;
}

struct span printable_next(struct span *rest, enum printable_form form,
                           char escape[PRINTABLE_ESCAPE_BYTES])
{
    size_t run = 0;
    size_t bad = 0;
    uint32_t point = 0;
    bool is_byte = false;
    while (run < rest->len) {
        size_t len = harmless_len(span_skip(*rest, run), form, &bad, &point, &is_byte);
        if (len == 0) {
            break;
        }
        run += len;
    }
    if (run > 0 || rest->len == 0) {
        struct span piece = span_first(*rest, run);
        *rest = span_skip(*rest, run);
        return piece;
    }
    *rest = span_skip(*rest, bad);
    int len = snprintf(escape, PRINTABLE_ESCAPE_BYTES,
                       is_byte           ? "\\x%02x"
                       : point <= 0xffff ? "\\u%04x"
                                         : "\\U%08x",
                       (unsigned)point);
    return span_from(escape, (size_t)len);
}

/* The part of `piece` that fits, without half a character at its end. */
static size_t whole_part(struct span piece, size_t room)
{
    while (room > 0 && ((unsigned char)piece.ptr[room] & 0xc0) == 0x80) {
        room--;
    }
    return room;
}

void printable_make(char *text, size_t size)
{
    char copy[PRINTABLE_TEXT_BYTES_MAX];
    char escape[PRINTABLE_ESCAPE_BYTES];
    PP_ASSERT(size > 0 && size <= sizeof(copy));
    size_t len = strnlen(text, size - 1);
    memcpy(copy, text, len);
    struct span rest = span_from(copy, len);
    struct span piece;
    size_t used = 0;
    while ((piece = printable_next(&rest, PRINTABLE_LINE, escape)).len > 0) {
        size_t room = size - 1 - used;
        if (piece.len > room) {
            room = piece.ptr == escape ? 0 : whole_part(piece, room);
            memcpy(text + used, piece.ptr, room);
            used += room;
            break;
        }
        memcpy(text + used, piece.ptr, piece.len);
        used += piece.len;
    }
    text[used] = '\0';
}
