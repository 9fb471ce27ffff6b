/* Members are written as they come and sorted when their object closes: the inner ones first, so
 * that what an outer one moves is final. */
#include "json_canonical.h"

#include "array.h"
#include "json_text.h"
#include "json_write.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A member in the text: name, ':' and value. Pointers only while its object is sorted. */
struct json_segment {
    size_t start;
    size_t name_len;
    size_t len;
    const char *ptr;
};

void json_canonical_init(struct json_canonical *canonical, size_t bytes_max)
{
    *canonical = (struct json_canonical){.segments = NULL};
    buf_init(&canonical->text, bytes_max);
    buf_init(&canonical->scratch, bytes_max);
}

void json_canonical_release(struct json_canonical *canonical)
{
    buf_release(&canonical->text);
    buf_release(&canonical->scratch);
    free(canonical->segments);
    *canonical = (struct json_canonical){.segments = NULL};
}

static void canonical_number(struct buf *out, struct span raw, enum json_kind kind)
{
    const double exact_max = 9007199254740992.0; /* 2^53 */
    int64_t integer;
    double real;
    if (kind == JSON_INTEGER && span_parse_i64(raw, &integer)) {
        buf_append_i64(out, integer);
    } else if (kind == JSON_DECIMAL && span_parse_double(raw, &real) && isfinite(real)) {
        if (real > -exact_max && real < exact_max && real == floor(real)) {
            buf_append_i64(out, (int64_t)real);
        } else {
            json_double_append(out, real);
        }
    } else {
        buf_append_span(out, raw); /* beyond both: by its digits */
    }
}

static void canonical_string(struct json_canonical *c, struct span raw)
{
    if (memchr(raw.ptr, '\\', raw.len) == NULL) {
        struct span inner = span_from(raw.ptr + 1, raw.len - 2);
        json_string_append(&c->text, inner);
        return;
    }
    buf_reset(&c->scratch);
    json_string_decode(raw, &c->scratch);
    json_string_append(&c->text, buf_span(&c->scratch));
    buf_inherit(&c->text, &c->scratch);
}

/* --- objects --------------------------------------------------------------------------------- */

static bool segment_add(struct json_canonical *c, struct json_segment segment)
{
    if (ARRAY_RESERVE(c->segments, c->segment_cap, c->segment_count + 1, ARRAY_NO_MAX) !=
        STATUS_OK) {
        buf_no_memory(&c->text);
        return false;
    }
    c->segments[c->segment_count++] = segment;
    return true;
}

static int compare_segments(const void *a, const void *b)
{
    const struct json_segment *left = a;
    const struct json_segment *right = b;
    int order =
        span_compare(span_from(left->ptr, left->name_len), span_from(right->ptr, right->name_len));
    if (order != 0) {
        return order;
    }
    return left->start < right->start ? -1 : 1;
}

static bool same_name(const struct json_segment *a, const struct json_segment *b)
{
    return span_equal(span_from(a->ptr, a->name_len), span_from(b->ptr, b->name_len));
}

/* Rewrites the object that begins at `start` and whose members are the segments from `base`. */
static void object_sort(struct json_canonical *c, size_t start, size_t base)
{
    size_t count = c->segment_count - base;
    /* The first object of all may have no members, and there is no array then. */
    struct json_segment *segments = count > 0 ? c->segments + base : NULL;
    for (size_t i = 0; i < count; i++) {
        segments[i].ptr = c->text.ptr + segments[i].start;
    }
    if (count > 0) {
        qsort(segments, count, sizeof(*segments), compare_segments);
    }
    buf_reset(&c->scratch);
    struct json_writer w = json_writer_to(&c->scratch);
    json_write_object(&w);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && same_name(&segments[i], &segments[i + 1])) {
            continue;
        }
        json_write_raw(&w, span_from(segments[i].ptr, segments[i].len)); /* name and value */
    }
    json_write_end(&w);
    c->text.len = start;
    buf_append_span(&c->text, buf_span(&c->scratch));
    buf_inherit(&c->text, &c->scratch);
    c->segment_count = base;
}

/* --- values ---------------------------------------------------------------------------------- */

static bool canonical_value(struct json_canonical *c, struct json_cursor *cursor);

static bool canonical_object(struct json_canonical *c, struct json_cursor *cursor)
{
    struct json_error err = {0};
    struct span name;
    bool first = true;
    size_t start = c->text.len;
    size_t base = c->segment_count;
    if (!json_enter(cursor, JSON_OBJECT, &err)) {
        return false;
    }
    while (json_next_member(cursor, &first, &name, &err)) {
        struct json_segment segment = {.start = c->text.len};
        canonical_string(c, name);
        segment.name_len = c->text.len - segment.start;
        buf_append_byte(&c->text, ':');
        if (!canonical_value(c, cursor) || !buf_ok(&c->text)) {
            return false;
        }
        segment.len = c->text.len - segment.start;
        if (!segment_add(c, segment)) {
            return false;
        }
    }
    if (err.message[0] != '\0') {
        return false;
    }
    object_sort(c, start, base);
    return true;
}

static bool canonical_array(struct json_canonical *c, struct json_cursor *cursor)
{
    struct json_error err = {0};
    bool first = true;
    if (!json_enter(cursor, JSON_ARRAY, &err)) {
        return false;
    }
    struct json_writer w = json_writer_to(&c->text);
    json_write_array(&w);
    while (json_next_element(cursor, &first, &err)) {
        (void)json_write_value(&w);
        if (!canonical_value(c, cursor)) {
            return false;
        }
    }
    json_write_end(&w);
    return err.message[0] == '\0';
}

static bool canonical_value(struct json_canonical *c, struct json_cursor *cursor)
{
    struct json_error err = {0};
    enum json_kind kind;
    struct span raw;
    if (!json_peek(cursor, &kind, &err)) {
        return false;
    }
    if (kind == JSON_OBJECT) {
        return canonical_object(c, cursor);
    }
    if (kind == JSON_ARRAY) {
        return canonical_array(c, cursor);
    }
    if (!json_skip(cursor, &raw, &err)) {
        return false;
    }
    if (kind == JSON_STRING) {
        canonical_string(c, raw);
    } else if (kind == JSON_INTEGER || kind == JSON_DECIMAL) {
        canonical_number(&c->text, raw, kind);
    } else {
        buf_append_span(&c->text, raw);
    }
    return buf_ok(&c->text);
}

bool json_canonical_make(struct json_canonical *canonical, struct span value)
{
    struct json_cursor check = json_document(value);
    struct json_error err = {0};
    struct span raw;
    buf_reset(&canonical->text);
    canonical->segment_count = 0;
    /* The scanner bounds the depth, which the walk below recurses to. */
    json_skip_space(&check);
    if (!json_skip(&check, &raw, &err) || !json_at_end(&check)) {
        return false;
    }
    struct json_cursor cursor = json_cursor_at(raw);
    return canonical_value(canonical, &cursor) && buf_ok(&canonical->text);
}
