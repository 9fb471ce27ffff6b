/* Typed request bodies, bound as Jackson binds them with its default settings
 * (specs/kafka-rest-v2.md section 1.0): an unknown field is 422 when its object ends, so that what
 * is broken or of the wrong type before that is 400; of duplicates the last wins, strings are
 * coerced to numbers, numbers and booleans to strings, decimals are cut, and whatever follows the
 * first value is ignored.
 *
 * Invariant: a decode function that returns false has written the answer. */
#include "kafka_rest_decode.h"
#include "kafka_rest_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CANNOT_DESERIALIZE "Cannot deserialize value of type `%s` from "

struct int_type {
    const char *java_name; /* "java.lang.Integer" */
    const char *short_name;
    int64_t min;
    int64_t max;
};

static const struct int_type int_type = {"java.lang.Integer", "int", INT32_MIN, INT32_MAX};
static const struct int_type long_type = {"java.lang.Long", "long", INT64_MIN, INT64_MAX};

bool kafka_rest_decode_failed(struct kafka_rest_decoder *decoder, const struct json_error *err)
{
    struct span text = decoder->cursor.text;
    if (err->position < text.len && text.ptr[err->position] == '\'') {
        answer_hint(decoder->exchange,
                    "JSON strings take double quotes; a Python dict printed as text is not "
                    "JSON: send json.dumps(payload)");
    } else if (strstr(err->message, "Unrecognized token") != NULL) {
        answer_hint(decoder->exchange,
                    "the body is not JSON (a printed Python value, perhaps): send "
                    "json.dumps(payload), with datetimes as text (default=str)");
    }
    decoder->fault = err->position;
    kafka_rest_error(decoder->exchange, 400, 400, "%s", err->message);
    return false;
}

/* --- type mismatches --- */

/* "Object value (token `JsonToken.START_OBJECT`)", ... for what cannot be coerced. */
static const char *token_words(enum json_kind kind)
{
    switch (kind) {
    case JSON_NULL:
        return "Null value (token `JsonToken.VALUE_NULL`)";
    case JSON_FALSE:
        return "Boolean value (token `JsonToken.VALUE_FALSE`)";
    case JSON_TRUE:
        return "Boolean value (token `JsonToken.VALUE_TRUE`)";
    case JSON_INTEGER:
        return "Integer value (token `JsonToken.VALUE_NUMBER_INT`)";
    case JSON_DECIMAL:
        return "Floating-point value (token `JsonToken.VALUE_NUMBER_FLOAT`)";
    case JSON_STRING:
        return "String value (token `JsonToken.VALUE_STRING`)";
    case JSON_ARRAY:
        return "Array value (token `JsonToken.START_ARRAY`)";
    case JSON_OBJECT:
        return "Object value (token `JsonToken.START_OBJECT`)";
    }
    BUG("a JSON kind without words");
}

static bool refuse_token(struct kafka_rest_decoder *decoder, const char *java_type,
                         enum json_kind kind)
{
    kafka_rest_hint_wrong_shape(decoder->exchange, java_type, kind);
    kafka_rest_error(decoder->exchange, 400, 400, CANNOT_DESERIALIZE "%s", java_type,
                     token_words(kind));
    return false;
}

/* The decoded text of a raw string token, in the arena. */
static bool string_text(struct kafka_rest_decoder *decoder, struct span raw, struct span *out)
{
    struct span inner = span_from(raw.ptr + 1, raw.len - 2);
    if (PP_LIKELY(span_find_byte(inner, '\\') == inner.len)) {
        *out = inner; /* lives as long as the request's body */
        return true;
    }
    struct buf text;
    buf_init(&text, raw.len * 3);
    json_string_decode(raw, &text);
    struct arena *texts = decoder->texts != NULL ? decoder->texts : &decoder->exchange->arena;
    char *copy = buf_ok(&text) ? arena_copy_cstr(texts, buf_span(&text)) : NULL;
    *out = span_from(copy, text.len);
    buf_release(&text);
    if (copy == NULL) {
        exchange_fail(decoder->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    return true;
}

/* A scalar where an object of a class should be. */
static bool refuse_scalar_object(struct kafka_rest_decoder *decoder, const char *java_name,
                                 enum json_kind kind)
{
    struct json_error err;
    struct span raw;
    struct span text;
    if (!json_skip(&decoder->cursor, &raw, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    const char *argument = "String-argument constructor/factory method to deserialize from String "
                           "value ('";
    const char *close = "')";
    text = raw;
    if (kind == JSON_STRING) {
        if (!string_text(decoder, raw, &text)) {
            return false;
        }
    } else if (kind == JSON_INTEGER) {
        int64_t value;
        bool fits = span_parse_i64(raw, &value) && value >= INT32_MIN && value <= INT32_MAX;
        argument = fits ? "int/Int-argument constructor/factory method to deserialize from Number "
                          "value ("
                        : "long/Long-argument constructor/factory method to deserialize from "
                          "Number value (";
        close = ")";
    } else if (kind == JSON_DECIMAL) {
        argument = "double/Double-argument constructor/factory method to deserialize from Number "
                   "value (";
        close = ")";
    } else {
        argument = "boolean/Boolean-argument constructor/factory method to deserialize from "
                   "boolean value (";
        close = ")";
    }
    kafka_rest_hint_wrong_shape(decoder->exchange, java_name, kind);
    kafka_rest_error(decoder->exchange, 400, 400,
                     "Cannot construct instance of `%s` (although at least one Creator exists): no "
                     "%s%.*s%s",
                     java_name, argument, SPAN_ARG(text), close);
    return false;
}

/* --- objects and lists --- */

static const struct kafka_rest_field *class_find_field(const struct kafka_rest_class *class,
                                                       struct span name)
{
    for (size_t i = 0; i < class->field_count; i++) {
        if (span_equal_cstr(name, class->fields[i].name)) {
            return &class->fields[i];
        }
    }
    return NULL;
}

/* v3 reads its records as a stream, past the provider that makes a 422 of unknown fields. */
static bool class_is_streamed(const struct kafka_rest_class *class)
{
    return span_starts_with(span_from_cstr(class->java_name),
                            SPAN_LIT("io.confluent.kafkarest.entities.v3.ProduceRequest"));
}

static void refuse_unknown_streamed(struct kafka_rest_decoder *decoder,
                                    const struct kafka_rest_class *class, struct span name)
{
    char known[512];
    size_t len = 0;
    for (size_t i = 0; i < class->field_count && len < sizeof(known); i++) {
        len += (size_t)snprintf(known + len, sizeof(known) - len, "%s\"%s\"", i > 0 ? ", " : "",
                                class->fields[i].name);
    }
    if (span_equal_cstr(name, "records")) {
        answer_hint(decoder->exchange,
                    "that is a v2 body: v3 takes one object a record, {\"value\": {\"type\": "
                    "\"JSON\", \"data\": {...}}}; v2's path is /topics/<topic>");
    }
    kafka_rest_error(decoder->exchange, 400, 400,
                     "Unrecognized field \"%.*s\" (class %s), not marked as ignorable (%zu known "
                     "properties: %s])",
                     SPAN_ARG(name), class->java_name, class->field_count, known);
}

static bool class_refuse_unknown(struct kafka_rest_decoder *decoder,
                                 const struct kafka_rest_class *class, struct span name)
{
    if (class_is_streamed(class)) {
        refuse_unknown_streamed(decoder, class, name);
        return false;
    }
    kafka_rest_hint_unrecognized(decoder->exchange, class->java_name, name);
    kafka_rest_error(decoder->exchange, 422, 422, "Unrecognized field: %.*s", SPAN_ARG(name));
    return false;
}

static bool class_skip_value(struct kafka_rest_decoder *decoder)
{
    struct json_error err;
    struct span raw;
    return json_skip(&decoder->cursor, &raw, &err) || kafka_rest_decode_failed(decoder, &err);
}

bool kafka_rest_object_open(struct kafka_rest_decoder *decoder,
                            const struct kafka_rest_class *class, struct kafka_rest_parts *parts,
                            bool *is_null)
{
    struct json_error err;
    enum json_kind kind;
    *is_null = false;
    *parts = (struct kafka_rest_parts){.first = true, .unknown = {.ptr = NULL}};
    if (!json_peek(&decoder->cursor, &kind, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_NULL) {
        *is_null = true;
        return class_skip_value(decoder);
    }
    if (kind == JSON_ARRAY) {
        return refuse_token(decoder, class->java_name, kind);
    }
    if (kind != JSON_OBJECT) {
        return refuse_scalar_object(decoder, class->java_name, kind);
    }
    return json_enter(&decoder->cursor, JSON_OBJECT, &err) ||
           kafka_rest_decode_failed(decoder, &err);
}

static enum kafka_rest_next object_end(struct kafka_rest_decoder *decoder,
                                       const struct kafka_rest_class *class,
                                       const struct kafka_rest_parts *parts,
                                       const struct json_error *err)
{
    bool good = err->message[0] == '\0' ? parts->unknown.ptr == NULL ||
                                              class_refuse_unknown(decoder, class, parts->unknown)
                                        : kafka_rest_decode_failed(decoder, err);
    return good ? NEXT_END : NEXT_REFUSED;
}

enum kafka_rest_next kafka_rest_object_next(struct kafka_rest_decoder *decoder,
                                            const struct kafka_rest_class *class,
                                            struct kafka_rest_parts *parts,
                                            const struct kafka_rest_field **field)
{
    struct json_error err;
    struct span key_raw;
    struct span name;
    if (!json_next_member(&decoder->cursor, &parts->first, &key_raw, &err)) {
        return object_end(decoder, class, parts, &err);
    }
    if (!string_text(decoder, key_raw, &name)) {
        return NEXT_REFUSED;
    }
    *field = class_find_field(class, name);
    if (*field != NULL) {
        return NEXT_PART;
    }
    if (parts->unknown.ptr == NULL) {
        parts->unknown = name;
    }
    return class_skip_value(decoder) ? NEXT_PART : NEXT_REFUSED;
}

bool kafka_rest_decode_object(struct kafka_rest_decoder *decoder,
                              const struct kafka_rest_class *class, void *into, bool *is_null)
{
    struct kafka_rest_parts parts;
    const struct kafka_rest_field *field;
    enum kafka_rest_next next;
    if (!kafka_rest_object_open(decoder, class, &parts, is_null)) {
        return false;
    }
    if (*is_null) {
        return true;
    }
    while ((next = kafka_rest_object_next(decoder, class, &parts, &field)) == NEXT_PART) {
        if (field != NULL && !field->decode(decoder, into)) {
            return false;
        }
    }
    return next == NEXT_END;
}

bool kafka_rest_list_open(struct kafka_rest_decoder *decoder, const char *java_type,
                          struct kafka_rest_parts *parts, bool *is_null)
{
    struct json_error err;
    enum json_kind kind;
    *is_null = false;
    *parts = (struct kafka_rest_parts){.first = true, .unknown = {.ptr = NULL}};
    if (!json_peek(&decoder->cursor, &kind, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_NULL) {
        *is_null = true;
        return class_skip_value(decoder);
    }
    if (kind != JSON_ARRAY) {
        if (kind == JSON_OBJECT) {
            answer_hint(decoder->exchange, "this field is a list: put the object into [ ]");
        }
        return refuse_token(decoder, java_type, kind);
    }
    return json_enter(&decoder->cursor, JSON_ARRAY, &err) ||
           kafka_rest_decode_failed(decoder, &err);
}

enum kafka_rest_next kafka_rest_list_next(struct kafka_rest_decoder *decoder,
                                          struct kafka_rest_parts *parts)
{
    struct json_error err;
    if (json_next_element(&decoder->cursor, &parts->first, &err)) {
        return NEXT_PART;
    }
    return err.message[0] == '\0' || kafka_rest_decode_failed(decoder, &err) ? NEXT_END
                                                                             : NEXT_REFUSED;
}

bool kafka_rest_decode_list(struct kafka_rest_decoder *decoder, const char *java_type,
                            bool (*element)(struct kafka_rest_decoder *decoder, void *into),
                            void *into, bool *is_null)
{
    struct kafka_rest_parts parts;
    enum kafka_rest_next next;
    if (!kafka_rest_list_open(decoder, java_type, &parts, is_null)) {
        return false;
    }
    if (*is_null) {
        return true;
    }
    while ((next = kafka_rest_list_next(decoder, &parts)) == NEXT_PART) {
        if (!element(decoder, into)) {
            return false;
        }
    }
    return next == NEXT_END;
}

enum kafka_rest_body kafka_rest_decode_body(struct exchange *exchange,
                                            const struct kafka_rest_class *class, void *into)
{
    struct kafka_rest_decoder decoder = {.exchange = exchange,
                                         .cursor = json_document(exchange->request.body)};
    bool is_null;
    if (exchange->request.body.len > KAFKA_REST_DOCUMENT_BYTES_MAX) {
        answer_hint(exchange, "a body without records may have %d MiB here",
                    KAFKA_REST_DOCUMENT_BYTES_MAX / (1024 * 1024));
        kafka_rest_error(exchange, 413, 413, "HTTP 413 Request Entity Too Large");
        return BODY_REFUSED;
    }
    if (json_at_end(&decoder.cursor)) {
        return BODY_ABSENT;
    }
    if (!kafka_rest_decode_object(&decoder, class, into, &is_null)) {
        return BODY_REFUSED;
    }
    return is_null ? BODY_ABSENT : BODY_DECODED;
}

/* --- scalars --- */

bool kafka_rest_decode_string(struct kafka_rest_decoder *decoder, struct kafka_rest_string *out)
{
    struct json_error err;
    enum json_kind kind;
    struct span raw;
    *out = (struct kafka_rest_string){.text = SPAN_EMPTY};
    if (!json_peek(&decoder->cursor, &kind, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_OBJECT || kind == JSON_ARRAY) {
        return refuse_token(decoder, "java.lang.String", kind);
    }
    if (!json_skip(&decoder->cursor, &raw, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_NULL) {
        return true;
    }
    out->present = true;
    out->text = raw; /* Jackson takes a number's and a boolean's own text */
    return kind != JSON_STRING || string_text(decoder, raw, &out->text);
}

static bool refuse_range(struct kafka_rest_decoder *decoder, const struct int_type *type,
                         struct span text)
{
    kafka_rest_error(decoder->exchange, 400, 400,
                     "Numeric value (%.*s) out of range of %s (%lld - %lld)", SPAN_ARG(text),
                     type->short_name, (long long)type->min, (long long)type->max);
    return false;
}

/* "1", " 7 ", "" and "null" (null), but not "1.5" or "x". */
static bool int_from_string(struct kafka_rest_decoder *decoder, const struct int_type *type,
                            struct span raw, struct kafka_rest_int *out)
{
    struct span text;
    if (!string_text(decoder, raw, &text)) {
        return false;
    }
    struct span digits = span_trim(text);
    if (digits.len == 0 || span_equal_cstr(digits, "null")) {
        return true;
    }
    if (digits.len > 1 && digits.ptr[0] == '+') {
        digits = span_skip(digits, 1);
    }
    int64_t value;
    if (!span_parse_i64(digits, &value)) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         CANNOT_DESERIALIZE "String \"%.*s\": not a valid `%s` value",
                         type->java_name, SPAN_ARG(text), type->java_name);
        return false;
    }
    if (value < type->min || value > type->max) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         CANNOT_DESERIALIZE
                         "String \"%.*s\": Overflow: numeric value (%.*s) out of range of `%s` "
                         "(%lld -%lld)",
                         type->java_name, SPAN_ARG(text), SPAN_ARG(text), type->java_name,
                         (long long)type->min, (long long)type->max);
        return false;
    }
    *out = (struct kafka_rest_int){true, value};
    return true;
}

static bool int_from_decimal(struct kafka_rest_decoder *decoder, const struct int_type *type,
                             struct span raw, struct kafka_rest_int *out)
{
    double value;
    /* -2^63 and 2^63 are doubles; the type's maximum plus one bounds both types exactly. */
    if (!span_parse_double(raw, &value) || value != value || trunc(value) < (double)type->min ||
        trunc(value) >= (double)type->max + 1.0) {
        return refuse_range(decoder, type, raw);
    }
    *out = (struct kafka_rest_int){true, (int64_t)value};
    return true;
}

static bool decode_integer(struct kafka_rest_decoder *decoder, const struct int_type *type,
                           struct kafka_rest_int *out)
{
    struct json_error err;
    enum json_kind kind;
    struct span raw;
    *out = (struct kafka_rest_int){.present = false};
    if (!json_peek(&decoder->cursor, &kind, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_OBJECT || kind == JSON_ARRAY || kind == JSON_TRUE || kind == JSON_FALSE) {
        return refuse_token(decoder, type->java_name, kind);
    }
    if (!json_skip(&decoder->cursor, &raw, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (kind == JSON_STRING) {
        return int_from_string(decoder, type, raw, out);
    }
    if (kind == JSON_DECIMAL) {
        return int_from_decimal(decoder, type, raw, out);
    }
    if (kind == JSON_NULL) {
        return true;
    }
    int64_t value;
    if (!span_parse_i64(raw, &value) || value < type->min || value > type->max) {
        return refuse_range(decoder, type, raw);
    }
    *out = (struct kafka_rest_int){true, value};
    return true;
}

bool kafka_rest_decode_int(struct kafka_rest_decoder *decoder, struct kafka_rest_int *out)
{
    return decode_integer(decoder, &int_type, out);
}

bool kafka_rest_decode_long(struct kafka_rest_decoder *decoder, struct kafka_rest_int *out)
{
    return decode_integer(decoder, &long_type, out);
}
