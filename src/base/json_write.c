#include "json_write.h"

#include "json_text.h"

struct json_writer json_writer_to(struct buf *out)
{
    return (struct json_writer){.out = out};
}

struct buf *json_write_value(struct json_writer *w)
{
    if (w->comma) {
        buf_append_byte(w->out, ',');
    }
    w->comma = true;
    return w->out;
}

static void json_level_open(struct json_writer *w, bool is_array)
{
    PP_ASSERT(w->depth < JSON_WRITE_DEPTH_MAX);
    buf_append_byte(json_write_value(w), is_array ? '[' : '{');
    w->arrays = w->arrays << 1 | (is_array ? 1 : 0);
    w->depth++;
    w->comma = false;
}

void json_write_object(struct json_writer *w)
{
    json_level_open(w, false);
}

void json_write_array(struct json_writer *w)
{
    json_level_open(w, true);
}

void json_write_end(struct json_writer *w)
{
    PP_ASSERT(w->depth > 0);
    buf_append_byte(w->out, (w->arrays & 1) != 0 ? ']' : '}');
    w->arrays >>= 1;
    w->depth--;
    w->comma = true;
}

void json_write_string(struct json_writer *w, struct span value)
{
    json_string_append(json_write_value(w), value);
}

void json_write_cstr(struct json_writer *w, const char *value)
{
    if (value == NULL) {
        json_write_null(w);
    } else {
        json_write_string(w, span_from_cstr(value));
    }
}

void json_write_i64(struct json_writer *w, int64_t value)
{
    buf_append_i64(json_write_value(w), value);
}

void json_write_u64(struct json_writer *w, uint64_t value)
{
    buf_append_u64(json_write_value(w), value);
}

void json_write_bool(struct json_writer *w, bool value)
{
    json_write_raw(w, value ? SPAN_LIT("true") : SPAN_LIT("false"));
}

void json_write_null(struct json_writer *w)
{
    json_write_raw(w, SPAN_LIT("null"));
}

void json_write_raw(struct json_writer *w, struct span json)
{
    buf_append_span(json_write_value(w), json);
}

/* --- names --- */

static void json_name_close(struct json_writer *w)
{
    buf_append_byte(w->out, ':');
    w->comma = false;
}

void json_write_name(struct json_writer *w, const char *name)
{
    struct buf *out = json_write_value(w);
    buf_append_byte(out, '"');
    buf_append_cstr(out, name);
    buf_append_byte(out, '"');
    json_name_close(w);
}

void json_write_name_span(struct json_writer *w, struct span name)
{
    json_write_string(w, name);
    json_name_close(w);
}

void json_write_name_raw(struct json_writer *w, struct span name)
{
    json_write_raw(w, name);
    json_name_close(w);
}

/* --- names with their values --- */

void json_member_object(struct json_writer *w, const char *name)
{
    json_write_name(w, name);
    json_write_object(w);
}

void json_member_array(struct json_writer *w, const char *name)
{
    json_write_name(w, name);
    json_write_array(w);
}

void json_member_string(struct json_writer *w, const char *name, struct span value)
{
    json_write_name(w, name);
    json_write_string(w, value);
}

void json_member_cstr(struct json_writer *w, const char *name, const char *value)
{
    json_write_name(w, name);
    json_write_cstr(w, value);
}

void json_member_i64(struct json_writer *w, const char *name, int64_t value)
{
    json_write_name(w, name);
    json_write_i64(w, value);
}

void json_member_u64(struct json_writer *w, const char *name, uint64_t value)
{
    json_write_name(w, name);
    json_write_u64(w, value);
}

void json_member_bool(struct json_writer *w, const char *name, bool value)
{
    json_write_name(w, name);
    json_write_bool(w, value);
}

void json_member_null(struct json_writer *w, const char *name)
{
    json_write_name(w, name);
    json_write_null(w);
}

void json_member_raw(struct json_writer *w, const char *name, struct span json)
{
    json_write_name(w, name);
    json_write_raw(w, json);
}
