#include "gateway_unpack.h"

#include "budget.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    window_bits = 15,
    window_bits_gzip = 16 + window_bits,
    least_slice_bytes = 1024,
    usual_ratio = 16,
};

bool gateway_unpack_knows(struct span encoding)
{
    return span_equal_nocase(encoding, SPAN_LIT("gzip")) ||
           span_equal_nocase(encoding, SPAN_LIT("x-gzip")) ||
           span_equal_nocase(encoding, SPAN_LIT("deflate"));
}

/* By the first bytes, because senders disagree on what "deflate" is: zlib's format, as it should
 * be, or without its frame. */
static int window_bits_of(struct span packed)
{
    unsigned first = packed.len > 0 ? (unsigned char)packed.ptr[0] : 0;
    unsigned second = packed.len > 1 ? (unsigned char)packed.ptr[1] : 0;
    if (first == 0x1f && second == 0x8b) {
        return window_bits_gzip;
    }
    return (first & 15) == Z_DEFLATED && (first * 256 + second) % 31 == 0 ? window_bits
                                                                          : -window_bits;
}

/* --- one answer ------------------------------------------------------------------------------- */

/* What an answer becomes counts as the reply that it will be: in the upstream's share it would have
 * to fit beside what it was packed in. */
static bool unpack_count(struct gateway_unpacking *unpacking, size_t bytes)
{
    struct budget *budget = unpacking->unpacker->budget;
    return budget == NULL || budget_take(budget, BUDGET_REPLIES, &unpacking->counted, bytes);
}

static bool unpack_open(struct gateway_unpacking *unpacking)
{
    struct span packed = unpacking->packed;
    z_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL || inflateInit2(stream, window_bits_of(packed)) != Z_OK) {
        free(stream);
        return false;
    }
    /* zlib's member is not const, though it only reads. */
    memcpy(&stream->next_in, &packed.ptr, sizeof(packed.ptr));
    unpacking->stream = stream;
    buf_init(&unpacking->plain, unpacking->plain_bytes_max);
    return true;
}

static void unpack_close(struct gateway_unpacking *unpacking)
{
    if (unpacking->stream != NULL) {
        inflateEnd(unpacking->stream);
        free(unpacking->stream);
        unpacking->stream = NULL;
    }
    buf_release(&unpacking->plain);
    if (unpacking->unpacker->budget != NULL) {
        budget_note(unpacking->unpacker->budget, BUDGET_REPLIES, &unpacking->counted, 0);
    }
}

/* A small answer, which is the usual one, has a small slice. */
static size_t unpack_slice_bytes(const struct gateway_unpacking *unpacking)
{
    size_t usual = least_slice_bytes + usual_ratio * unpacking->packed.len;
    size_t room = unpacking->plain_bytes_max - unpacking->plain.len;
    size_t slice = usual < GATEWAY_UNPACK_SLICE_BYTES ? usual : GATEWAY_UNPACK_SLICE_BYTES;
    return slice < room ? slice : room;
}

static size_t unpack_left(const struct gateway_unpacking *unpacking)
{
    const struct span *packed = &unpacking->packed;
    return packed->len - (size_t)((const char *)unpacking->stream->next_in - packed->ptr);
}

static bool unpack_is_gzip(const struct gateway_unpacking *unpacking)
{
    return window_bits_of(unpacking->packed) == window_bits_gzip;
}

/* True: there is more. Until the slice is used up, on either side: what is packed may be long and
 * become nothing. RFC 1952 section 2.2: a gzip is any number of members, one behind the other. */
static bool unpack_inflate(struct gateway_unpacking *unpacking,
                           enum gateway_unpack_outcome *outcome)
{
    z_stream *stream = unpacking->stream;
    size_t left = unpack_left(unpacking);
    stream->avail_in =
        (unsigned)(left < GATEWAY_UNPACK_PACKED_BYTES ? left : GATEWAY_UNPACK_PACKED_BYTES);
    int code;
    bool is_next_member;
    do {
        code = inflate(stream, Z_NO_FLUSH);
        left = unpack_left(unpacking);
        is_next_member = code == Z_STREAM_END && left > 0 && unpack_is_gzip(unpacking) &&
                         inflateReset(stream) == Z_OK;
    } while (is_next_member && stream->avail_in > 0 && stream->avail_out > 0);
    bool is_whole_so_far = is_next_member || code == Z_OK || code == Z_BUF_ERROR;
    *outcome = code == Z_STREAM_END && left == 0 ? UNPACK_DONE
               : code == Z_MEM_ERROR             ? UNPACK_NO_MEMORY
                                                 : UNPACK_BROKEN;
    return is_whole_so_far && (stream->avail_out == 0 || left > 0);
}

/* True: there is more. */
static bool unpack_slice(struct gateway_unpacking *unpacking, enum gateway_unpack_outcome *outcome)
{
    unsigned char past_the_end;
    struct buf *plain = &unpacking->plain;
    size_t slice = unpack_slice_bytes(unpacking);
    *outcome = UNPACK_CROWDED;
    if (!unpack_count(unpacking, GATEWAY_UNPACK_STATE_BYTES + plain->len + slice)) {
        return false;
    }
    *outcome = UNPACK_NO_MEMORY;
    if ((unpacking->stream == NULL && !unpack_open(unpacking)) ||
        (slice > 0 && !buf_reserve(plain, slice))) {
        return false;
    }
    z_stream *stream = unpacking->stream;
    stream->next_out = slice > 0 ? (unsigned char *)plain->ptr + plain->len : &past_the_end;
    stream->avail_out = slice > 0 ? (unsigned)slice : 1;
    bool more = unpack_inflate(unpacking, outcome);
    if (slice > 0) {
        plain->len += slice - stream->avail_out;
    } else if (stream->avail_out == 0) {
        *outcome = UNPACK_TOO_LARGE;
        more = false;
    }
    return more;
}

/* --- the lines -------------------------------------------------------------------------------- */

static void unpacker_arm(struct gateway_unpacker *unpacker)
{
    struct env *env = unpacker->timers->env;
    bool any = unpacker->fresh.first != NULL || unpacker->longer.first != NULL;
    if (any && !timer_is_set(&unpacker->timer)) {
        enum status status = timer_set(unpacker->timers, &unpacker->timer, env->monotonic_us(env));
        PP_ASSERT(status == STATUS_OK); /* its slot is reserved */
    }
}

static void unpack_line_add(struct gateway_unpack_line *line, struct gateway_unpacking *unpacking)
{
    PP_ASSERT(unpacking->in == NULL);
    unpacking->in = line;
    unpacking->next = NULL;
    if (line->last != NULL) {
        line->last->next = unpacking;
    } else {
        line->first = unpacking;
    }
    line->last = unpacking;
}

static void unpack_line_leave(struct gateway_unpacking *unpacking)
{
    struct gateway_unpack_line *line = unpacking->in;
    struct gateway_unpacking *before = NULL;
    if (line == NULL) {
        return;
    }
    for (struct gateway_unpacking *at = line->first; at != unpacking; at = at->next) {
        before = at;
    }
    if (before != NULL) {
        before->next = unpacking->next;
    } else {
        line->first = unpacking->next;
    }
    line->last = line->last == unpacking ? before : line->last;
    unpacking->in = NULL;
}

static void unpacker_finish(struct gateway_unpacking *unpacking,
                            enum gateway_unpack_outcome outcome)
{
    unpack_line_leave(unpacking);
    unpacking->done(unpacking, outcome);
}

static void unpacker_serve_fresh(struct gateway_unpacker *unpacker)
{
    struct gateway_unpacking *unpacking = unpacker->fresh.first;
    enum gateway_unpack_outcome outcome;
    unpacker->fresh_was_served = true;
    bool more = unpack_slice(unpacking, &outcome);
    if (!more && outcome != UNPACK_CROWDED) {
        unpacker_finish(unpacking, outcome);
        return;
    }
    unpack_close(unpacking);
    unpack_line_leave(unpacking);
    unpack_line_add(&unpacker->longer, unpacking);
}

static void unpacker_serve_longer(struct gateway_unpacker *unpacker)
{
    struct gateway_unpacking *unpacking = unpacker->longer.first;
    enum gateway_unpack_outcome outcome;
    unpacker->fresh_was_served = false;
    if (!unpack_slice(unpacking, &outcome)) {
        unpacker_finish(unpacking, outcome);
    }
}

static void unpacker_fire(struct timer *timer)
{
    struct gateway_unpacker *unpacker = PP_CONTAINER_OF(timer, struct gateway_unpacker, timer);
    bool has_longer = unpacker->longer.first != NULL;
    if (unpacker->fresh.first != NULL && !(unpacker->fresh_was_served && has_longer)) {
        unpacker_serve_fresh(unpacker);
    } else if (has_longer) {
        unpacker_serve_longer(unpacker);
    }
    unpacker_arm(unpacker);
}

void gateway_unpack_begin(struct gateway_unpacker *unpacker, struct gateway_unpacking *unpacking)
{
    PP_ASSERT(unpacking->unpacker == NULL && unpacking->packed.len <= UINT32_MAX);
    unpacking->unpacker = unpacker;
    unpack_line_add(&unpacker->fresh, unpacking);
    unpacker_arm(unpacker);
}

void gateway_unpack_end(struct gateway_unpacking *unpacking)
{
    if (unpacking->unpacker != NULL) {
        unpack_line_leave(unpacking);
        unpack_close(unpacking);
        unpacking->unpacker = NULL;
    }
}

/* --- life ------------------------------------------------------------------------------------- */

enum status gateway_unpacker_init(struct gateway_unpacker *unpacker, struct timer_heap *timers,
                                  struct budget *budget)
{
    *unpacker = (struct gateway_unpacker){.timers = timers, .budget = budget};
    unpacker->timer.fire = unpacker_fire;
    enum status status = timer_heap_reserve(timers, 1);
    unpacker->timers = status == STATUS_OK ? timers : NULL;
    return status;
}

void gateway_unpacker_release(struct gateway_unpacker *unpacker)
{
    PP_ASSERT(unpacker->fresh.first == NULL && unpacker->longer.first == NULL);
    if (unpacker->timers != NULL) {
        timer_clear(unpacker->timers, &unpacker->timer);
        timer_heap_unreserve(unpacker->timers, 1);
    }
}
