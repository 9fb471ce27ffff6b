#include "record_headers.h"

#include "base64.h"
#include "json_text.h"
#include "varint.h"

/* A name and a value of no bytes: two lengths. */
enum { HEADER_BYTES_MIN = 2 };

/* --- reading --- */

bool record_headers_open(struct record_headers *walk, struct span bytes)
{
    int64_t count = 0;
    *walk = (struct record_headers){.rest = bytes};
    if (bytes.len > 0 && !varint_read_between(&walk->rest, 0, INT32_MAX, &count)) {
        return false;
    }
    walk->left = (size_t)count;
    return walk->left <= walk->rest.len / HEADER_BYTES_MIN;
}

static bool headers_take(struct span *rest, size_t len, struct span *out)
{
    if (len > rest->len) {
        return false;
    }
    *out = span_first(*rest, len);
    *rest = span_skip(*rest, len);
    return true;
}

bool record_headers_next(struct record_headers *walk, struct record_header *out)
{
    struct span rest = walk->rest;
    int64_t name_len;
    int64_t value_len;
    *out = (struct record_header){.name = SPAN_EMPTY, .value = SPAN_EMPTY};
    if (walk->left == 0 || !varint_read_between(&rest, 0, INT32_MAX, &name_len) ||
        !headers_take(&rest, (size_t)name_len, &out->name) ||
        !varint_read_between(&rest, -1, INT32_MAX, &value_len)) {
        return false;
    }
    out->has_value = value_len >= 0;
    if (out->has_value && !headers_take(&rest, (size_t)value_len, &out->value)) {
        return false;
    }
    walk->rest = rest;
    walk->left--;
    return true;
}

bool record_headers_at_end(const struct record_headers *walk)
{
    return walk->left == 0 && walk->rest.len == 0;
}

bool record_headers_split(struct span bytes, size_t *count, struct span *entries)
{
    struct record_headers walk;
    struct record_header header;
    if (!record_headers_open(&walk, bytes)) {
        return false;
    }
    *count = walk.left;
    *entries = walk.rest;
    while (record_headers_next(&walk, &header)) {
    }
    return record_headers_at_end(&walk);
}

bool record_headers_are_valid(struct span bytes)
{
    size_t count;
    struct span entries;
    return record_headers_split(bytes, &count, &entries);
}

/* --- writing --- */

void record_header_append(struct buf *entries, const struct record_header *header)
{
    varint_append(entries, (int64_t)header->name.len);
    buf_append_span(entries, header->name);
    varint_append(entries, header->has_value ? (int64_t)header->value.len : -1);
    if (header->has_value) {
        buf_append_span(entries, header->value);
    }
}

void record_headers_write(struct buf *out, size_t count, struct span entries)
{
    if (count > 0) {
        varint_append(out, (int64_t)count);
        buf_append_span(out, entries);
    }
}

/* --- as text --- */

bool record_headers_to_text(struct span bytes, struct buf *out)
{
    struct record_headers walk;
    struct record_header header;
    bool opened = record_headers_open(&walk, bytes);
    bool first = true;
    buf_append_byte(out, '[');
    while (opened && record_headers_next(&walk, &header)) {
        buf_append_cstr(out, first ? "{\"name\":" : ",{\"name\":");
        first = false;
        json_string_append(out, header.name);
        if (header.has_value) {
            BUF_APPEND_LIT(out, ",\"value\":\"");
            base64_encode(header.value, out);
            BUF_APPEND_LIT(out, "\"}");
        } else {
            BUF_APPEND_LIT(out, ",\"value\":null}");
        }
    }
    buf_append_byte(out, ']');
    return opened && record_headers_at_end(&walk) && buf_ok(out);
}

struct header_text {
    struct buf name;
    struct buf encoded; /* the value in base64 */
    struct buf value;
    bool has_name;
    bool has_value;
};

/* A string; or null, which leaves *present as it was. */
static bool header_string_read(struct json_cursor *c, struct buf *out, bool *present)
{
    enum json_kind kind;
    struct json_error err;
    struct span raw;
    if (!json_peek(c, &kind, &err) || (kind != JSON_STRING && kind != JSON_NULL) ||
        !json_skip(c, &raw, &err)) {
        return false;
    }
    buf_reset(out);
    *present = kind == JSON_STRING;
    if (*present) {
        json_string_decode(raw, out);
    }
    return buf_ok(out);
}

static bool header_text_read(struct json_cursor *c, struct header_text *header)
{
    struct json_error err;
    struct span key;
    bool first = true;
    header->has_name = header->has_value = false;
    if (!json_enter(c, JSON_OBJECT, &err)) {
        return false;
    }
    while (json_next_member(c, &first, &key, &err)) {
        bool good;
        struct span raw;
        if (span_equal_cstr(key, "\"name\"")) {
            good = header_string_read(c, &header->name, &header->has_name);
        } else if (span_equal_cstr(key, "\"value\"")) {
            good = header_string_read(c, &header->encoded, &header->has_value);
        } else {
            good = json_skip(c, &raw, &err);
        }
        if (!good) {
            return false;
        }
    }
    buf_reset(&header->value);
    return err.message[0] == '\0' && header->has_name &&
           (!header->has_value || base64_decode(buf_span(&header->encoded), &header->value));
}

static bool headers_read(struct span text, struct header_text *header, struct buf *entries,
                         size_t *count)
{
    struct json_cursor c = json_cursor_at(text);
    struct json_error err;
    bool first = true;
    *count = 0;
    if (!json_enter(&c, JSON_ARRAY, &err)) {
        return false;
    }
    while (json_next_element(&c, &first, &err)) {
        if (!header_text_read(&c, header)) {
            return false;
        }
        record_header_append(entries, &(struct record_header){.name = buf_span(&header->name),
                                                              .has_value = header->has_value,
                                                              .value = buf_span(&header->value)});
        ++*count;
    }
    return err.message[0] == '\0' && json_at_end(&c) && buf_ok(entries);
}

/* Everything decoded is shorter than its text. */
bool record_headers_from_text(struct span text, struct buf *out)
{
    struct header_text header;
    struct buf entries;
    size_t count;
    buf_init(&header.name, text.len + 1);
    buf_init(&header.encoded, text.len + 1);
    buf_init(&header.value, text.len + 1);
    buf_init(&entries, text.len + 1);
    bool good = headers_read(text, &header, &entries, &count);
    if (good) {
        record_headers_write(out, count, buf_span(&entries));
    }
    buf_release(&header.name);
    buf_release(&header.encoded);
    buf_release(&header.value);
    buf_release(&entries);
    return good && buf_ok(out);
}
