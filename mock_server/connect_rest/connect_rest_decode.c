/* Bodies, as Connect's Jackson reads them: what comes behind the first value is not looked at, an
 * empty body is null, and what does not fit is a 500.
 *
 * DIFFERS: the message names the fault as Jackson does, without the place in the source and the
 * chain of references that Jackson adds. */
#include "connect_rest_internal.h"

#include "json_text.h"

#define REQUEST_CLASS "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest"

static bool fail(const struct connect_rest_call *call, const char *message)
{
    connect_rest_hint_body(call->exchange);
    connect_rest_error_text(call->exchange, 500, span_from_cstr(message));
    return false;
}

static bool out_of_memory(const struct connect_rest_call *call)
{
    exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    return false;
}

/* Is there a value at all? *kind is the body's. False: an error is in the reply. */
static bool body_peek(const struct connect_rest_call *call, struct json_cursor *c, bool *present,
                      enum json_kind *kind)
{
    struct json_error why;
    struct json_cursor probe;
    struct span raw;
    *c = json_document(call->exchange->request.body);
    *present = false;
    if (json_at_end(c)) {
        return true;
    }
    if (!json_peek(c, kind, &why)) {
        return fail(call, why.message);
    }
    probe = *c;
    if (!json_skip(&probe, &raw, &why)) {
        return fail(call, why.message);
    }
    *present = *kind != JSON_NULL;
    return true;
}

static bool decode_entries(const struct connect_rest_call *call, struct span json,
                           struct connect_entries *out)
{
    struct error err;
    switch (connect_entries_parse(&call->exchange->arena, json, out, &err)) {
    case STATUS_OK:
        return true;
    case STATUS_INVALID:
        return fail(call, err.message);
    default:
        return out_of_memory(call);
    }
}

bool connect_rest_decode_config(const struct connect_rest_call *call, struct connect_entries *out,
                                bool *has_config)
{
    struct json_cursor c;
    enum json_kind kind;
    if (!body_peek(call, &c, has_config, &kind)) {
        return false;
    }
    return !*has_config || decode_entries(call, call->exchange->request.body, out);
}

/* --- POST /connectors --- */

/* A body that is no object. */
static bool fail_shape(const struct connect_rest_call *call, enum json_kind kind, struct span raw)
{
    struct span inner = kind == JSON_STRING ? span_from(raw.ptr + 1, raw.len - 2) : raw;
    const char *what = kind == JSON_STRING                       ? "String"
                       : kind == JSON_TRUE || kind == JSON_FALSE ? "boolean/Boolean"
                       : kind == JSON_DECIMAL                    ? "double/Double"
                                                                 : "int/Int";
    const char *source = kind == JSON_STRING                       ? "String"
                         : kind == JSON_TRUE || kind == JSON_FALSE ? "Boolean"
                                                                   : "Number";
    const char *quote = kind == JSON_STRING ? "'" : "";
    if (kind == JSON_ARRAY) {
        return fail(call,
                    "Cannot deserialize instance of `" REQUEST_CLASS "` out of START_ARRAY token");
    }
    connect_rest_hint_body(call->exchange);
    connect_rest_error(call->exchange, 500,
                       "Cannot construct instance of `" REQUEST_CLASS
                       "` (although at least one Creator exists): no %s-argument "
                       "constructor/factory method to deserialize from %s value (%s%.*s%s)",
                       what, source, quote, SPAN_ARG(inner), quote);
    return false;
}

static bool text_decode(const struct connect_rest_call *call, struct span raw, struct span *out)
{
    struct buf text;
    buf_init(&text, raw.len * 3 + 1);
    json_string_decode(raw, &text);
    const char *kept =
        buf_ok(&text) ? arena_copy_cstr(&call->exchange->arena, buf_span(&text)) : NULL;
    *out = span_from(kept, text.len);
    buf_release(&text);
    return kept != NULL || out_of_memory(call);
}

static bool take_name(const struct connect_rest_call *call, struct span raw,
                      struct connect_rest_create *out)
{
    char first = raw.ptr[0];
    if (first == '{' || first == '[') {
        return fail(call, first == '{' ? "Cannot deserialize instance of `java.lang.String` out of "
                                         "START_OBJECT token"
                                       : "Cannot deserialize instance of `java.lang.String` out of "
                                         "START_ARRAY token");
    }
    if (first == '"') {
        if (!text_decode(call, raw, &out->name)) {
            return false;
        }
    } else {
        out->name = first == 'n' ? SPAN_EMPTY : raw;
    }
    while (out->name.len > 0 && (unsigned char)out->name.ptr[0] <= ' ') {
        out->name = span_skip(out->name, 1);
    }
    while (out->name.len > 0 && (unsigned char)out->name.ptr[out->name.len - 1] <= ' ') {
        out->name.len--;
    }
    return true;
}

static bool take_member(const struct connect_rest_call *call, struct span key, struct span raw,
                        struct connect_rest_create *out)
{
    if (span_equal_cstr(key, "name")) {
        return take_name(call, raw, out);
    }
    if (span_equal_cstr(key, "config")) {
        out->has_config = raw.ptr[0] != 'n';
        return !out->has_config || decode_entries(call, raw, &out->config);
    }
    answer_hint(call->exchange, "POST /connectors takes {\"name\": \"...\", \"config\": "
                                "{...}}: settings belong into config");
    connect_rest_error(call->exchange, 500,
                       "Unrecognized field \"%.*s\" (class " REQUEST_CLASS
                       "), not marked as ignorable (2 known properties: \"config\", \"name\"])",
                       SPAN_ARG(key));
    return false;
}

static bool take_members(const struct connect_rest_call *call, struct json_cursor *c,
                         struct connect_rest_create *out)
{
    struct json_error why = {.position = 0};
    struct span key_raw;
    struct span key;
    struct span raw;
    bool first = true;
    if (!json_enter(c, JSON_OBJECT, &why)) {
        return fail(call, why.message);
    }
    while (json_next_member(c, &first, &key_raw, &why)) {
        if (!text_decode(call, key_raw, &key)) {
            return false;
        }
        json_skip_space(c);
        if (!json_skip(c, &raw, &why)) {
            return fail(call, why.message);
        }
        if (!take_member(call, key, raw, out)) {
            return false;
        }
    }
    return why.message[0] == '\0' || fail(call, why.message);
}

bool connect_rest_decode_create(const struct connect_rest_call *call,
                                struct connect_rest_create *out)
{
    struct json_cursor c;
    enum json_kind kind = JSON_NULL;
    bool present;
    *out = (struct connect_rest_create){.name = SPAN_EMPTY};
    if (!body_peek(call, &c, &present, &kind)) {
        return false;
    }
    if (!present) {
        return fail(call,
                    "Cannot invoke \"" REQUEST_CLASS ".name()\" because \"createRequest\" is null");
    }
    if (kind != JSON_OBJECT) {
        struct json_error why;
        struct span raw = SPAN_EMPTY;
        return json_skip(&c, &raw, &why) ? fail_shape(call, kind, raw) : fail(call, why.message);
    }
    return take_members(call, &c, out);
}
