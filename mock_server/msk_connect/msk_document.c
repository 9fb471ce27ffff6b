/* Documents as text: looking into one, and writing one from a kind's table of fields. */
#include "civil.h"
#include "json_text.h"
#include "json_write.h"
#include "msk_internal.h"

#include <stdio.h>
#include <string.h>

/* --- reading --- */

/* Visits the members of an object in order while visit returns true; what is no object has none. */
struct member {
    struct span name; /* raw, with its quotes */
    struct span value;
};
static void members_visit(struct span object, bool (*visit)(void *ctx, const struct member *member),
                          void *ctx)
{
    struct json_cursor c = json_document(object);
    struct json_error why;
    struct member member;
    bool first = true;
    if (!json_enter(&c, JSON_OBJECT, &why)) {
        return;
    }
    while (json_next_member(&c, &first, &member.name, &why)) {
        json_skip_space(&c);
        if (!json_skip(&c, &member.value, &why) || !visit(ctx, &member)) {
            return;
        }
    }
}

/* Names here are plain words: an escaped spelling of one is another name. */
static bool is_named(const struct member *member, struct span name)
{
    return member->name.len == name.len + 2 &&
           span_equal(span_first(span_skip(member->name, 1), name.len), name);
}

struct lookup {
    struct span name;
    struct span value;
};

static bool match_member(void *ctx, const struct member *member)
{
    struct lookup *lookup = ctx;
    if (is_named(member, lookup->name)) {
        lookup->value = member->value;
        return false;
    }
    return true;
}

struct span msk_member(struct span object, const char *path)
{
    struct span rest = span_from_cstr(path);
    struct lookup lookup = {.value = object};
    while (span_next_part(&rest, '.', &lookup.name)) {
        object = lookup.value;
        lookup.value = SPAN_EMPTY;
        members_visit(object, match_member, &lookup);
    }
    return span_equal_cstr(lookup.value, "null") ? SPAN_EMPTY : lookup.value;
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

struct copier {
    struct json_writer *w;
    const char *without;
};

static bool copy_member(void *ctx, const struct member *member)
{
    struct copier *copier = ctx;
    struct span rest = span_from_cstr(copier->without);
    struct span word;
    while (span_next_part(&rest, ',', &word)) {
        if (is_named(member, word)) {
            return true;
        }
    }
    json_write_name_raw(copier->w, member->name);
    json_write_raw(copier->w, member->value);
    return true;
}

void msk_members_write(struct span object, const char *without, struct json_writer *w)
{
    struct copier copier = {.w = w, .without = without};
    members_visit(object, copy_member, &copier);
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
