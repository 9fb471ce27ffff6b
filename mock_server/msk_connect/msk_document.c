/* Documents as text: looking into one, and writing one from a kind's table of fields. */
#include "json_text.h"
#include "msk_internal.h"

/* --- reading --- */

/* The raw value of an object's member; empty when it has none. Names here are plain words: an
 * escaped spelling of one is another name. */
static struct span member_of(struct span object, struct span name)
{
    struct json_cursor c = json_document(object);
    struct json_error why;
    struct span raw; /* a member's name with its quotes */
    struct span value;
    bool first = true;
    if (!json_enter(&c, JSON_OBJECT, &why)) {
        return SPAN_EMPTY;
    }
    while (json_next_member(&c, &first, &raw, &why)) {
        json_skip_space(&c);
        if (!json_skip(&c, &value, &why)) {
            break;
        }
        if (raw.len == name.len + 2 && span_equal(span_first(span_skip(raw, 1), name.len), name)) {
            return value;
        }
    }
    return SPAN_EMPTY;
}

struct span msk_member(struct span object, const char *path)
{
    struct span rest = span_from_cstr(path);
    struct span name;
    struct span value = object;
    while (span_next_part(&rest, '.', &name)) {
        value = member_of(value, name);
    }
    return span_equal_cstr(value, "null") ? SPAN_EMPTY : value;
}

struct span msk_member_text(struct arena *arena, struct span object, const char *path)
{
    struct span raw = msk_member(object, path);
    struct span text;
    return raw.len >= 2 && raw.ptr[0] == '"' && connect_text_decode(arena, raw, &text) == STATUS_OK
               ? text
               : SPAN_EMPTY;
}

/* --- writing --- */

/* The JSON of a field that the request or the document has; empty: neither has it. */
static struct span field_json(const struct msk_field *field, const struct msk_resource *r)
{
    struct span json = SPAN_EMPTY;
    bool made_here = field->value != MSK_NONE;
    bool updates = r->document.len > 0;
    if (made_here && (field->flags & MSK_KEPT) == 0) {
        return SPAN_EMPTY; /* true of this moment only, so the document's value is another */
    }
    if (!made_here && (!updates || (field->flags & MSK_UPDATED) != 0)) {
        json = msk_member(r->body, field->from != NULL ? field->from : field->path);
    }
    if (json.len == 0) {
        json = msk_member(r->document, field->path);
    }
    if (json.len == 0 && field->from != NULL) {
        json = msk_member(r->document, field->from);
    }
    return (field->flags & MSK_NOT_EMPTY) != 0 && span_equal_cstr(json, "\"\"") ? SPAN_EMPTY : json;
}

/* Closes and opens objects until the writer stands where the path's last member belongs, which is
 * returned. *open is the path of the objects that are open. */
static struct span field_enter(struct json_writer *w, const char *path, struct span *open)
{
    struct span whole = span_from_cstr(path);
    size_t len = whole.len;
    while (len > 0 && whole.ptr[len - 1] != '.') {
        len--;
    }
    struct span wanted = span_first(whole, len); /* with the dot behind each object */
    while (!span_starts_with(wanted, *open)) {
        json_write_end(w);
        do {
            open->len--;
        } while (open->len > 0 && open->ptr[open->len - 1] != '.');
    }
    struct span rest = span_from(wanted.ptr + open->len, len - open->len);
    struct span part;
    while (rest.len > 0 && span_next_part(&rest, '.', &part)) {
        json_write_name_span(w, part);
        json_write_object(w);
    }
    *open = wanted;
    return span_skip(whole, len);
}

static void field_write(const struct msk_field *field, const struct msk_resource *r,
                        struct json_writer *w, struct span *open)
{
    struct span value = r->values[field->value];
    bool is_text = value.len > 0 && field->value < MSK_REVISION;
    if (value.len == 0) {
        value = field_json(field, r);
    }
    if (value.len == 0) {
        return;
    }
    json_write_name_span(w, field_enter(w, field->path, open));
    if (is_text) {
        json_write_string(w, value);
    } else if (r->body.len == 0) {
        json_write_raw(w, value);
    } else {
        struct json_cursor c = json_cursor_at(value);
        struct json_error why;
        json_reencode(&c, json_write_value(w), &why);
    }
}

void msk_write(const struct msk_kind *kind, unsigned flag, const struct msk_resource *r,
               struct json_writer *w)
{
    struct span open = SPAN_EMPTY;
    json_write_object(w);
    for (size_t i = 0; i < kind->field_count; i++) {
        if ((kind->fields[i].flags & flag) != 0) {
            field_write(&kind->fields[i], r, w, &open);
        }
    }
    field_enter(w, "", &open);
    json_write_end(w);
}
