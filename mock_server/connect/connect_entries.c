#include "connect_entries.h"

#include "json_text.h"
#include "json_write.h"

static struct connect_entry *entries_at(const struct connect_entries *entries, struct span key)
{
    for (size_t i = 0; i < entries->count; i++) {
        if (span_equal(entries->items[i].key, key)) {
            return &entries->items[i];
        }
    }
    return NULL;
}

const struct connect_entry *connect_entries_find(const struct connect_entries *entries,
                                                 const char *key)
{
    return entries_at(entries, span_from_cstr(key));
}

static bool entries_put(struct connect_entries *entries, struct span key, struct span value,
                        size_t max)
{
    struct connect_entry *known = entries_at(entries, key);
    if (known == NULL) {
        if (entries->count >= max) {
            return false;
        }
        known = &entries->items[entries->count++];
        known->key = key;
    }
    known->value = value;
    return true;
}

bool connect_entries_set(struct connect_entries *entries, struct span key, struct span value)
{
    return entries_put(entries, key, value, CONNECT_ENTRIES_MAX);
}

void connect_entries_name(struct connect_entries *entries, struct span name)
{
    bool fits = entries_put(entries, SPAN_LIT("name"), name, CONNECT_ENTRIES_MAX + 1);
    PP_ASSERT(fits);
}

bool connect_entries_equal(const struct connect_entries *a, const struct connect_entries *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; i < a->count && equal; i++) {
        const struct connect_entry *other = entries_at(b, a->items[i].key);
        equal = other != NULL && span_equal(other->value, a->items[i].value);
    }
    return equal;
}

/* --- parsing --- */

struct span connect_trim(struct span s)
{
    while (s.len > 0 && (unsigned char)s.ptr[0] <= ' ') {
        s = span_skip(s, 1);
    }
    while (s.len > 0 && (unsigned char)s.ptr[s.len - 1] <= ' ') {
        s.len--;
    }
    return s;
}

enum status connect_text_decode(struct arena *arena, struct span raw, struct span *out)
{
    struct buf text;
    buf_init(&text, raw.len * 3 + 1);
    json_string_decode(raw, &text);
    const char *kept = buf_ok(&text) ? arena_copy_cstr(arena, buf_span(&text)) : NULL;
    *out = span_from(kept, text.len);
    buf_release(&text);
    return kept != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

enum status connect_text_parse(struct arena *arena, struct json_cursor *c, struct span *out,
                               struct error *err)
{
    struct json_error why;
    enum json_kind kind;
    struct span raw;
    if (!json_peek(c, &kind, &why)) {
        return error_set(err, STATUS_INVALID, "%s", why.message);
    }
    if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
        return error_set(err, STATUS_INVALID,
                         "Cannot deserialize instance of `java.lang.String` out of START_%s token",
                         kind == JSON_OBJECT ? "OBJECT" : "ARRAY");
    }
    if (!json_skip(c, &raw, &why)) {
        return error_set(err, STATUS_INVALID, "%s", why.message);
    }
    if (kind == JSON_STRING) {
        return connect_text_decode(arena, raw, out);
    }
    *out = kind == JSON_NULL ? (struct span){NULL, 0} : raw; /* NULL: entries_drop_nulls */
    return STATUS_OK;
}

static void entries_drop_nulls(struct connect_entries *entries)
{
    size_t kept = 0;
    for (size_t i = 0; i < entries->count; i++) {
        if (entries->items[i].value.ptr != NULL) {
            entries->items[kept++] = entries->items[i];
        }
    }
    entries->count = kept;
}

static enum status entries_object_parse(struct arena *arena, struct json_cursor *c,
                                        struct connect_entries *out, struct error *err)
{
    struct json_error why = {.position = 0};
    struct span raw;
    bool first = true;
    if (!json_enter(c, JSON_OBJECT, &why)) {
        return error_set(err, STATUS_INVALID, "%s", why.message);
    }
    while (json_next_member(c, &first, &raw, &why)) {
        struct connect_entry entry;
        enum status status = connect_text_decode(arena, raw, &entry.key);
        if (status == STATUS_OK) {
            status = connect_text_parse(arena, c, &entry.value, err);
        }
        if (status == STATUS_OK && !connect_entries_set(out, entry.key, entry.value)) {
            status = error_set(err, STATUS_INVALID, "a configuration may have %d entries",
                               CONNECT_ENTRIES_MAX);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    if (why.message[0] != '\0') {
        return error_set(err, STATUS_INVALID, "%s", why.message);
    }
    return STATUS_OK;
}

enum status connect_entries_parse(struct arena *arena, struct span json,
                                  struct connect_entries *out, struct error *err)
{
    struct json_cursor c = json_document(json);
    struct json_error why;
    enum json_kind kind;
    out->count = 0;
    out->items = arena_alloc_array(arena, CONNECT_ENTRIES_MAX + 1, sizeof(*out->items));
    if (out->items == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "a configuration: out of memory");
    }
    json_skip_space(&c);
    if (!json_peek(&c, &kind, &why)) {
        return error_set(err, STATUS_INVALID, "%s", why.message);
    }
    if (kind != JSON_OBJECT) {
        struct span raw;
        if (!json_skip(&c, &raw, &why)) {
            return error_set(err, STATUS_INVALID, "%s", why.message);
        }
        return error_set(err, STATUS_INVALID,
                         "Cannot deserialize instance of `java.util.LinkedHashMap<java.lang.Object,"
                         "java.lang.Object>` out of %s token",
                         kind == JSON_ARRAY    ? "START_ARRAY"
                         : kind == JSON_STRING ? "VALUE_STRING"
                                               : "VALUE");
    }
    enum status status = entries_object_parse(arena, &c, out, err);
    entries_drop_nulls(out);
    return status;
}

bool connect_entries_copy(struct arena *arena, const struct connect_entries *from,
                          struct connect_entries *out)
{
    *out = (struct connect_entries){
        .items = arena_alloc_array(arena, from->count + 1, sizeof(*out->items))};
    for (size_t i = 0; out->items != NULL && i < from->count; i++) {
        const struct connect_entry *entry = &from->items[i];
        const char *key = arena_copy_cstr(arena, entry->key);
        const char *value = arena_copy_cstr(arena, entry->value);
        if (key == NULL || value == NULL) {
            return false;
        }
        out->items[out->count++] = (struct connect_entry){span_from(key, entry->key.len),
                                                          span_from(value, entry->value.len)};
    }
    return out->items != NULL;
}

void connect_entries_members(const struct connect_entries *entries, struct json_writer *w)
{
    for (size_t i = 0; i < entries->count; i++) {
        json_write_name_span(w, entries->items[i].key);
        json_write_string(w, entries->items[i].value);
    }
}

void connect_entries_write(const struct connect_entries *entries, struct buf *out)
{
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    connect_entries_members(entries, &w);
    json_write_end(&w);
}

const struct connect_entry *connect_entries_comment(const struct connect_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        struct span value = entries->items[i].value;
        for (size_t k = 1; k < value.len; k++) {
            if (value.ptr[k] == '#' && (value.ptr[k - 1] == ' ' || value.ptr[k - 1] == '\t')) {
                return &entries->items[i];
            }
        }
    }
    return NULL;
}
