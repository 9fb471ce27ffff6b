/* The values go on as they are: a bucket's name with a comment behind it must fail as it does in
 * the workshop, where it cost people hours. What is known to be a trap is noted beside it. */
#include "connect_properties.h"

#include "json.h"
#include "json_text.h"
#include "json_write.h"
#include "printable.h"
#include "properties.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { note_bytes_max = 512 };

struct entry {
    size_t key_start;
    size_t key_len;
    size_t value_start;
    size_t value_len;
    bool replaced; /* by a later one */
};

struct gathering {
    struct entry *entries;
    size_t count;
    struct buf texts;
    connect_note_fn note;
    void *ctx;
};

static struct span text_at(const struct gathering *g, size_t start, size_t len)
{
    return span_from(buf_cstr(&g->texts) + start, len);
}

static void properties_tell(const struct gathering *g, const char *format, ...) PP_PRINTF(2, 3);
static void properties_tell(const struct gathering *g, const char *format, ...)
{
    char text[note_bytes_max];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    printable_make(text, sizeof(text));
    if (g->note != NULL) {
        g->note(g->ctx, text);
    }
}

/* Where a '#' with a blank before it begins in the value; its length when there is none. */
static size_t find_comment(struct span value)
{
    for (size_t i = 1; i < value.len; i++) {
        if (value.ptr[i] == '#' && (value.ptr[i - 1] == ' ' || value.ptr[i - 1] == '\t')) {
            return i;
        }
    }
    return value.len;
}

static void note_traps(struct gathering *g, const struct property *property)
{
    enum { shown_bytes_max = 80 };
    struct span key = span_first(property->key, shown_bytes_max);
    size_t comment = find_comment(property->value);
    if (comment < property->value.len) {
        struct span shown = span_first(span_skip(property->value, comment), shown_bytes_max);
        properties_tell(
            g,
            "line %d: the value of %.*s goes on to the end of the line, with \"%.*s\": a comment "
            "needs a line of its own",
            property->line, SPAN_ARG(key), SPAN_ARG(shown));
    } else if (span_trim(property->value).len < property->value.len) {
        properties_tell(
            g,
            "line %d: the value of %.*s has blanks at its end; Kafka Connect cuts them off most "
            "settings, other programs do not",
            property->line, SPAN_ARG(key));
    }
    for (size_t i = 0; i < g->count; i++) {
        struct entry *entry = &g->entries[i];
        if (!entry->replaced &&
            span_equal(text_at(g, entry->key_start, entry->key_len), property->key)) {
            entry->replaced = true;
            properties_tell(g, "line %d: %.*s is set again; the last value counts", property->line,
                            SPAN_ARG(key));
        }
    }
}

static enum status gather(void *ctx, const struct property *property, struct error *err)
{
    struct gathering *g = ctx;
    if (g->count == CONNECT_CONFIG_KEYS_MAX) {
        return error_set(err, STATUS_INVALID, "line %d: more than %d settings", property->line,
                         CONNECT_CONFIG_KEYS_MAX);
    }
    note_traps(g, property);
    struct entry *entry = &g->entries[g->count++];
    *entry = (struct entry){.key_start = g->texts.len,
                            .key_len = property->key.len,
                            .value_start = g->texts.len + property->key.len,
                            .value_len = property->value.len};
    buf_append_span(&g->texts, property->key);
    buf_append_span(&g->texts, property->value);
    return buf_ok(&g->texts) ? STATUS_OK
                             : buf_error(&g->texts, err, STATUS_INVALID,
                                         "line %d: more than %d bytes of settings", property->line,
                                         CONNECT_CONFIG_BYTES_MAX);
}

static void write_entries(const struct gathering *g, struct buf *out)
{
    const char *separator = "";
    buf_append_byte(out, '{');
    for (size_t i = 0; i < g->count; i++) {
        const struct entry *entry = &g->entries[i];
        if (entry->replaced) {
            continue;
        }
        buf_append_cstr(out, separator);
        json_string_append(out, text_at(g, entry->key_start, entry->key_len));
        buf_append_byte(out, ':');
        json_string_append(out, text_at(g, entry->value_start, entry->value_len));
        separator = ",";
    }
    buf_append_byte(out, '}');
}

enum status connect_properties_to_json(struct span text, connect_note_fn note, void *ctx,
                                       struct buf *out, struct error *err)
{
    struct gathering g = {.note = note, .ctx = ctx};
    buf_init(&g.texts, CONNECT_CONFIG_BYTES_MAX);
    g.entries = calloc(CONNECT_CONFIG_KEYS_MAX, sizeof(*g.entries));
    enum status status = g.entries != NULL
                             ? properties_read(text, gather, &g, err)
                             : error_set(err, STATUS_NO_MEMORY, "no memory for a configuration");
    if (status == STATUS_OK) {
        write_entries(&g, out);
        if (!buf_ok(out)) {
            status = buf_error(out, err, STATUS_LIMIT, "the configuration is too long");
        }
    }
    buf_release(&g.texts);
    free(g.entries);
    return status;
}

/* --- either form ----------------------------------------------------------------------------- */

void connect_document_init(struct connect_document *document)
{
    buf_init(&document->config, CONNECT_CONFIG_BYTES_MAX * 2);
    buf_init(&document->name, CONNECT_CONFIG_BYTES_MAX);
    buf_init(&document->class, CONNECT_CONFIG_BYTES_MAX);
}

void connect_document_release(struct connect_document *document)
{
    buf_release(&document->config);
    buf_release(&document->name);
    buf_release(&document->class);
}

static void take_string(struct span raw, struct buf *out)
{
    buf_reset(out);
    if (raw.len > 0 && raw.ptr[0] == '"') {
        json_string_decode(raw, out);
    }
}

/* Walks an object's members, names decoded; nothing is told of what is none. */
static enum status each_member(struct span object, void *ctx,
                               void (*visit)(void *ctx, struct span name, struct span key,
                                             struct span value),
                               struct error *err)
{
    struct json_cursor cursor = json_document(object);
    struct json_error json = {0};
    struct span key;
    struct span value;
    struct buf name;
    bool first = true;
    json_skip_space(&cursor);
    if (!json_enter(&cursor, JSON_OBJECT, &json)) {
        return STATUS_OK;
    }
    buf_init(&name, CONNECT_CONFIG_BYTES_MAX);
    while (buf_ok(&name) && json_next_member(&cursor, &first, &key, &json) &&
           json_skip(&cursor, &value, &json)) {
        take_string(key, &name);
        if (buf_ok(&name)) {
            visit(ctx, buf_span(&name), key, value);
        }
    }
    enum status status =
        buf_ok(&name) ? STATUS_OK : buf_error(&name, err, STATUS_LIMIT, "a name is too long");
    buf_release(&name);
    return status;
}

struct wrapper {
    struct span name;
    struct span config;
};

static void visit_wrapper(void *ctx, struct span name, struct span key, struct span value)
{
    struct wrapper *wrapper = ctx;
    (void)key;
    if (span_equal_cstr(name, "name")) {
        wrapper->name = value;
    } else if (span_equal_cstr(name, "config") && value.ptr[0] == '{') {
        wrapper->config = value;
    }
}

struct settings {
    struct connect_document *out;
    struct json_writer config;
};

static void visit_setting(void *ctx, struct span name, struct span key, struct span value)
{
    struct settings *settings = ctx;
    struct connect_document *out = settings->out;
    if (span_equal_cstr(name, "name")) {
        take_string(value, &out->name);
        return;
    }
    if (span_equal_cstr(name, "connector.class")) {
        take_string(value, &out->class);
    }
    json_write_name_raw(&settings->config, key);
    json_write_raw(&settings->config, value);
}

static enum status take_object(struct span object, struct connect_document *out, struct error *err)
{
    struct settings settings = {out, json_writer_to(&out->config)};
    json_write_object(&settings.config);
    enum status status = each_member(object, &settings, visit_setting, err);
    json_write_end(&settings.config);
    buf_inherit(&out->config, &out->name);
    buf_inherit(&out->config, &out->class);
    return status != STATUS_OK || buf_ok(&out->config)
               ? status
               : buf_error(&out->config, err, STATUS_LIMIT, "the configuration is too long");
}

static enum status read_json(struct span text, struct connect_document *out, struct error *err)
{
    struct json_cursor cursor = json_document(text);
    struct json_error json = {0};
    struct wrapper wrapper = {SPAN_EMPTY, SPAN_EMPTY};
    struct span whole;
    json_skip_space(&cursor);
    if (!json_skip(&cursor, &whole, &json) || !json_at_end(&cursor)) {
        return error_set(err, STATUS_INVALID, "not a JSON object: %s",
                         json.message[0] != '\0' ? json.message : "something follows it");
    }
    enum status status = each_member(whole, &wrapper, visit_wrapper, err);
    if (status == STATUS_OK) {
        status = take_object(wrapper.config.len > 0 ? wrapper.config : whole, out, err);
    }
    if (status == STATUS_OK && wrapper.config.len > 0 && wrapper.name.len > 0) {
        take_string(wrapper.name, &out->name);
    }
    return status;
}

static enum status read_properties(struct span text, connect_note_fn note, void *ctx,
                                   struct connect_document *out, struct error *err)
{
    struct buf json;
    buf_init(&json, CONNECT_CONFIG_BYTES_MAX * 2);
    enum status status = connect_properties_to_json(text, note, ctx, &json, err);
    if (status == STATUS_OK) {
        status = take_object(buf_span(&json), out, err);
    }
    buf_release(&json);
    return status;
}

enum status connect_document_read(struct span text, connect_note_fn note, void *ctx,
                                  struct connect_document *out, struct error *err)
{
    struct span start =
        span_trim(span_starts_with(text, SPAN_LIT("\xef\xbb\xbf")) ? span_skip(text, 3) : text);
    bool is_json = start.len > 0 && start.ptr[0] == '{';
    return is_json ? read_json(text, out, err) : read_properties(text, note, ctx, out, err);
}
