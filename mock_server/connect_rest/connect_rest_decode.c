/* Bodies, as Connect's Jackson reads them: what comes behind the first value is not looked at, an
 * empty body is null, and what does not fit is a 500.
 *
 * DIFFERS: the message names the fault as Jackson does, without the place in the source and the
 * chain of references that Jackson adds. */
#include "connect_rest_internal.h"

#include "json_text.h"

#define REQUEST_CLASS "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest"

static bool decode_fail(const struct connect_rest_call *call, const char *message)
{
    connect_rest_hint_body(call->exchange);
    connect_rest_error_text(call->exchange, 500, span_from_cstr(message));
    return false;
}

static bool decode_no_memory(const struct connect_rest_call *call)
{
    exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    return false;
}

/* Says whether the body has a value, and of which kind. False: an error is in the reply. */
static bool decode_peek(const struct connect_rest_call *call, struct json_cursor *c, bool *present,
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
        return decode_fail(call, why.message);
    }
    probe = *c;
    if (!json_skip(&probe, &raw, &why)) {
        return decode_fail(call, why.message);
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
        return decode_fail(call, err.message);
    default:
        return decode_no_memory(call);
    }
}

bool connect_rest_decode_config(const struct connect_rest_call *call, struct connect_entries *out,
                                bool *has_config)
{
    struct json_cursor c;
    enum json_kind kind;
    if (!decode_peek(call, &c, has_config, &kind)) {
        return false;
    }
    return !*has_config || decode_entries(call, call->exchange->request.body, out);
}

/* --- POST /connectors --- */

/* A body that is no object. */
static bool decode_fail_shape(const struct connect_rest_call *call, enum json_kind kind,
                              struct span raw)
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
        return decode_fail(call, "Cannot deserialize instance of `" REQUEST_CLASS
                                 "` out of START_ARRAY token");
    }
    connect_rest_hint_body(call->exchange);
    connect_rest_error(call->exchange, 500,
                       "Cannot construct instance of `" REQUEST_CLASS
                       "` (although at least one Creator exists): no %s-argument "
                       "constructor/factory method to deserialize from %s value (%s%.*s%s)",
                       what, source, quote, SPAN_ARG(inner), quote);
    return false;
}

static bool create_decode_name(const struct connect_rest_call *call, struct span raw,
                               struct connect_rest_create *out)
{
    struct json_cursor c = json_cursor_at(raw);
    struct error err;
    switch (connect_text_parse(&call->exchange->arena, &c, &out->name, &err)) {
    case STATUS_OK:
        out->name = connect_trim(out->name);
        return true;
    case STATUS_INVALID:
        return decode_fail(call, err.message);
    default:
        return decode_no_memory(call);
    }
}

static bool create_decode_member(const struct connect_rest_call *call, struct span key,
                                 struct span raw, struct connect_rest_create *out)
{
    if (span_equal_cstr(key, "name")) {
        return create_decode_name(call, raw, out);
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

static bool create_decode_members(const struct connect_rest_call *call, struct json_cursor *c,
                                  struct connect_rest_create *out)
{
    struct json_error why = {.position = 0};
    struct span key_raw;
    struct span key;
    struct span raw;
    bool first = true;
    if (!json_enter(c, JSON_OBJECT, &why)) {
        return decode_fail(call, why.message);
    }
    while (json_next_member(c, &first, &key_raw, &why)) {
        if (connect_text_decode(&call->exchange->arena, key_raw, &key) != STATUS_OK) {
            return decode_no_memory(call);
        }
        json_skip_space(c);
        if (!json_skip(c, &raw, &why)) {
            return decode_fail(call, why.message);
        }
        if (!create_decode_member(call, key, raw, out)) {
            return false;
        }
    }
    return why.message[0] == '\0' || decode_fail(call, why.message);
}

bool connect_rest_decode_create(const struct connect_rest_call *call,
                                struct connect_rest_create *out)
{
    struct json_cursor c;
    enum json_kind kind = JSON_NULL;
    bool present;
    *out = (struct connect_rest_create){.name = SPAN_EMPTY};
    if (!decode_peek(call, &c, &present, &kind)) {
        return false;
    }
    if (!present) {
        return decode_fail(call, "Cannot invoke \"" REQUEST_CLASS
                                 ".name()\" because \"createRequest\" is null");
    }
    if (kind != JSON_OBJECT) {
        struct json_error why;
        struct span raw = SPAN_EMPTY;
        return json_skip(&c, &raw, &why) ? decode_fail_shape(call, kind, raw)
                                         : decode_fail(call, why.message);
    }
    return create_decode_members(call, &c, out);
}
