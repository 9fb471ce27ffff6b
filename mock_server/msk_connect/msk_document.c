#include "civil.h"
#include "json_text.h"
#include "msk_internal.h"

#include <stdio.h>

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

/* The raw value; empty when there is none. */
static struct span member_find(struct span object, const char *name)
{
    struct lookup lookup = {span_from_cstr(name), SPAN_EMPTY};
    members_visit(object, match_member, &lookup);
    return lookup.value;
}

bool msk_member_copy(struct span object, const char *name, struct buf *out)
{
    struct span value = member_find(object, name);
    struct json_cursor c = json_cursor_at(value);
    struct json_error why;
    return value.len > 0 && !span_equal_cstr(value, "null") && json_reencode(&c, out, &why);
}

struct span msk_member_text(struct arena *arena, struct span object, const char *name)
{
    struct span raw = member_find(object, name);
    struct buf text;
    if (raw.len < 2 || raw.ptr[0] != '"') {
        return SPAN_EMPTY;
    }
    buf_init(&text, 3 * raw.len + 1);
    json_string_decode(raw, &text);
    const char *kept = buf_ok(&text) ? arena_copy_cstr(arena, buf_span(&text)) : NULL;
    struct span out = kept != NULL ? span_from(kept, text.len) : SPAN_EMPTY;
    buf_release(&text);
    return out;
}

bool msk_member_is_true(struct span object, const char *name)
{
    return span_equal_cstr(member_find(object, name), "true");
}

/* --- writing --- */

struct copier {
    struct buf *out;
    const char *left_out;
    bool first;
};

static bool copy_member(void *ctx, const struct member *member)
{
    struct copier *copier = ctx;
    struct span rest = span_from_cstr(copier->left_out);
    struct span word;
    while (span_next_part(&rest, ',', &word)) {
        if (is_named(member, word)) {
            return true;
        }
    }
    buf_append_cstr(copier->out, copier->first ? "" : ",");
    copier->first = false;
    buf_append_span(copier->out, member->name);
    BUF_APPEND_LIT(copier->out, ":");
    buf_append_span(copier->out, member->value);
    return true;
}

void msk_members_write(struct span object, const char *left_out, struct buf *out)
{
    struct copier copier = {.out = out, .left_out = left_out, .first = true};
    members_visit(object, copy_member, &copier);
}

void msk_text_write(struct buf *out, const char *name, struct span value)
{
    if (out->len > 0 && out->ptr[out->len - 1] != '{') {
        BUF_APPEND_LIT(out, ",");
    }
    buf_printf(out, "\"%s\":", name);
    json_string_append(out, value);
}

void msk_time_write(struct buf *out, const char *name, int64_t ms)
{
    char text[64];
    int64_t days = civil_floor_div(ms, CIVIL_DAY_MS);
    int64_t rest = ms - days * CIVIL_DAY_MS;
    int64_t year;
    unsigned month;
    unsigned day;
    civil_date(days, &year, &month, &day);
    snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", (int)year, month, day,
             (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
             (int)(rest % 1000));
    msk_text_write(out, name, span_from_cstr(text));
}
