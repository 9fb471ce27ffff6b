#include "sink_value.h"

#include "base64.h"

#include <string.h>

enum { json_keep_bytes = 64 * 1024 };

void sink_value_init(struct sink_value *value)
{
    *value = (struct sink_value){.kind = SINK_VALUE_NULL, .bytes = SPAN_EMPTY};
    sink_tree_init(&value->tree);
    buf_init(&value->json, SINK_TYPED_BYTES_MAX);
}

void sink_value_release(struct sink_value *value)
{
    sink_tree_release(&value->tree);
    buf_release(&value->json);
}

/* Fails as JsonDeserializer does on Jackson's complaint. */
static bool fail_json(struct sink_failure *failure, const struct json_error *err)
{
    bool at_end = strncmp(err->message, "Unexpected end-of-input", 23) == 0;
    const char *class_name = at_end ? "com.fasterxml.jackson.core.io.JsonEOFException"
                                    : "com.fasterxml.jackson.core.JsonParseException";
    sink_fail(failure, JAVA_DATA_EXCEPTION,
              "Converting byte[] to Kafka Connect data failed due to serialization error: ");
    sink_fail_cause(failure, "org.apache.kafka.common.errors.SerializationException", "%s: %s",
                    class_name, err->message);
    return sink_fail_cause(failure, class_name, "%s", err->message);
}

static bool convert_json(struct sink_value *value, const struct sink_conversion *conversion,
                         struct span bytes, struct sink_failure *failure)
{
    struct json_error err;
    switch (sink_tree_parse(&value->tree, bytes, conversion->order, &err)) {
    case SINK_PARSE_NO_MEMORY:
        return sink_fail_no_memory(failure);
    case SINK_PARSE_BAD:
        return fail_json(failure, &err);
    case SINK_PARSE_DONE:
        break;
    }
    value->root = value->tree.root;
    if (conversion->schemas_enable) {
        buf_trim(&value->json, json_keep_bytes);
        if (!sink_schema_convert(&value->tree, &value->typed, &value->json, failure)) {
            return false;
        }
        value->root = value->typed.value;
        if (value->typed.schema != 0) {
            value->kind = value->root != 0 ? SINK_VALUE_TYPED : SINK_VALUE_NULL;
            PP_ASSERT(buf_ok(&value->json));
            return true;
        }
    }
    value->kind = value->root == 0 || sink_tree_node(&value->tree, value->root)->kind == JSON_NULL
                      ? SINK_VALUE_NULL
                      : SINK_VALUE_JSON;
    return true;
}

const char *sink_value_type_name(const struct sink_value *value)
{
    return sink_schema_type_name(value->kind == SINK_VALUE_TYPED
                                     ? sink_schema_type(&value->tree, value->typed.schema)
                                     : SINK_TYPE_STRING);
}

bool sink_value_is_struct(const struct sink_value *value)
{
    return value->kind == SINK_VALUE_TYPED &&
           sink_schema_type(&value->tree, value->typed.schema) == SINK_TYPE_STRUCT;
}

bool sink_value_convert(struct sink_value *value, const struct sink_conversion *conversion,
                        bool present, struct span bytes, struct sink_failure *failure)
{
    value->root = 0;
    value->bytes = bytes;
    value->kind = SINK_VALUE_NULL;
    if (!present) {
        return true;
    }
    switch (conversion->converter) {
    case SINK_CONVERTER_JSON:
        return convert_json(value, conversion, bytes, failure);
    case SINK_CONVERTER_STRING:
        value->kind = SINK_VALUE_TEXT;
        break;
    case SINK_CONVERTER_BYTES:
        value->kind = SINK_VALUE_BYTES;
        break;
    }
    return true;
}

void sink_value_write(const struct sink_value *value, struct buf *out)
{
    switch (value->kind) {
    case SINK_VALUE_NULL:
        BUG("a tombstone has no text");
    case SINK_VALUE_JSON:
        sink_tree_write(&value->tree, value->root, out);
        break;
    case SINK_VALUE_TYPED:
        buf_append_span(out, buf_span(&value->json));
        break;
    case SINK_VALUE_TEXT:
        json_string_append(out, value->bytes);
        break;
    case SINK_VALUE_BYTES:
        buf_append_byte(out, '"');
        base64_encode(value->bytes, out);
        buf_append_byte(out, '"');
        break;
    }
}

const char *sink_converter_class(enum sink_converter converter)
{
    static const char *const names[] = {
        [SINK_CONVERTER_JSON] = "org.apache.kafka.connect.json.JsonConverter",
        [SINK_CONVERTER_STRING] = "org.apache.kafka.connect.storage.StringConverter",
        [SINK_CONVERTER_BYTES] = "org.apache.kafka.connect.converters.ByteArrayConverter",
    };
    return names[converter];
}
