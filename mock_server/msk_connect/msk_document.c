/* Documents as text: looking into one, and writing one from a kind's table of fields. */
#include "civil.h"
#include "json_text.h"
#include "json_write.h"
#include "msk_internal.h"

#include <stdio.h>
#include <string.h>

/* --- reading --- */

/* A walk through the members of an object, in order; what is no object has none. */
struct members {
    struct json_cursor c;
    bool more;
    bool first;
    struct span name; /* raw, with its quotes */
    struct span value;
};

static struct members members_of(struct span object)
{
    struct members m = {.c = json_document(object), .first = true};
    struct json_error why;
    m.more = json_enter(&m.c, JSON_OBJECT, &why);
    return m;
}

static bool members_next(struct members *m)
{
    struct json_error why;
    m->more = m->more && json_next_member(&m->c, &m->first, &m->name, &why);
    if (m->more) {
        json_skip_space(&m->c);
        m->more = json_skip(&m->c, &m->value, &why);
    }
    return m->more;
}

/* Names here are plain words: an escaped spelling of one is another name. */
static bool member_is(const struct members *m, struct span name)
{
    return m->name.len == name.len + 2 &&
           span_equal(span_first(span_skip(m->name, 1), name.len), name);
}

struct span msk_member(struct span object, const char *path)
{
    struct span rest = span_from_cstr(path);
    struct span name;
    struct span value = object;
    while (span_next_part(&rest, '.', &name)) {
        struct members m = members_of(value);
        value = SPAN_EMPTY;
        while (value.len == 0 && members_next(&m)) {
            value = member_is(&m, name) ? m.value : SPAN_EMPTY;
        }
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

bool msk_member_is_true(struct span object, const char *path)
{
    return span_equal_cstr(msk_member(object, path), "true");
}

/* --- writing --- */

static bool member_is_among(const struct members *m, const char *names)
{
    struct span rest = span_from_cstr(names);
    struct span name;
    while (span_next_part(&rest, ',', &name)) {
        if (member_is(m, name)) {
            return true;
        }
    }
    return false;
}

void msk_members_write(struct span object, const char *without, struct json_writer *w)
{
    struct members m = members_of(object);
    while (members_next(&m)) {
        if (!member_is_among(&m, without)) {
            json_write_name_raw(w, m.name);
            json_write_raw(w, m.value);
        }
    }
}

/* The raw value of a field that the request has; empty: it is to be left out. */
static struct span field_of_request(const struct msk_field *field, const struct msk_making *making)
{
    struct span value = SPAN_EMPTY;
    if (making->before.len == 0 || field->source == MSK_FROM_CHANGE) {
        value = msk_member(making->body, field->text != NULL ? field->text : field->path);
    }
    if (value.len == 0 && making->before.len > 0) {
        value = msk_member(making->before, field->path);
    }
    return field->text != NULL && span_equal_cstr(value, "\"\"") ? SPAN_EMPTY : value;
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

static void field_write(const struct msk_field *field, const struct msk_making *making,
                        struct json_writer *w, struct span *open)
{
    struct span value = SPAN_EMPTY;
    switch (field->source) {
    case MSK_FROM_BODY:
    case MSK_FROM_CHANGE:
        value = field_of_request(field, making);
        break;
    case MSK_FROM_FACT:
    case MSK_FROM_JSON:
        value = making->facts[field->fact];
        break;
    case MSK_FROM_WORD:
    case MSK_FROM_NUMBER:
        value = span_from_cstr(field->text);
        break;
    }
    if (value.len == 0) {
        return;
    }
    json_write_name_span(w, field_enter(w, field->path, open));
    if (field->source == MSK_FROM_FACT || field->source == MSK_FROM_WORD) {
        json_write_string(w, value);
    } else {
        struct json_cursor c = json_cursor_at(value);
        struct json_error why;
        json_reencode(&c, json_write_value(w), &why);
    }
}

void msk_fields_write(const struct msk_fields *fields, const struct msk_making *making,
                      struct buf *out)
{
    struct json_writer w = json_writer_to(out);
    struct span open = SPAN_EMPTY;
    json_write_object(&w);
    for (size_t i = 0; i < fields->count; i++) {
        field_write(&fields->rows[i], making, &w, &open);
    }
    field_enter(&w, "", &open);
    json_write_end(&w);
}

struct span msk_time_text(struct arena *arena, int64_t ms)
{
    int64_t days = civil_floor_div(ms, CIVIL_DAY_MS);
    int64_t rest = ms - days * CIVIL_DAY_MS;
    int64_t year;
    unsigned month;
    unsigned day;
    civil_date(days, &year, &month, &day);
    return span_from_cstr(arena_printf(arena, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", (int)year,
                                       month, day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
                                       (int)(rest / 1000 % 60), (int)(rest % 1000)));
}
