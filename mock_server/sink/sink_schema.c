#include "sink_schema.h"

#include "base64.h"

#include <stdlib.h>
#include <string.h>

/* Types by their name in JSON, and as Connect's messages name them. */
static const struct {
    const char *json;
    const char *name;
} types[] = {
    [SINK_TYPE_INT8] = {"int8", "INT8"},
    [SINK_TYPE_INT16] = {"int16", "INT16"},
    [SINK_TYPE_INT32] = {"int32", "INT32"},
    [SINK_TYPE_INT64] = {"int64", "INT64"},
    [SINK_TYPE_FLOAT32] = {"float", "FLOAT32"},
    [SINK_TYPE_FLOAT64] = {"double", "FLOAT64"},
    [SINK_TYPE_BOOLEAN] = {"boolean", "BOOLEAN"},
    [SINK_TYPE_STRING] = {"string", "STRING"},
    [SINK_TYPE_BYTES] = {"bytes", "BYTES"},
    [SINK_TYPE_ARRAY] = {"array", "ARRAY"},
    [SINK_TYPE_MAP] = {"map", "MAP"},
    [SINK_TYPE_STRUCT] = {"struct", "STRUCT"},
};

const char *sink_schema_type_name(enum sink_type type)
{
    return types[type].name;
}

static bool is_kind(const struct sink_tree *tree, uint32_t id, enum json_kind kind)
{
    return id != 0 && sink_tree_node(tree, id)->kind == kind;
}

static uint32_t member(const struct sink_tree *tree, uint32_t object, const char *name)
{
    return sink_tree_member(tree, object, span_from_cstr(name));
}

/* --- schemas ---------------------------------------------------------------------------------- */

static bool find_type(const struct sink_tree *tree, uint32_t schema, enum sink_type *out)
{
    uint32_t type = member(tree, schema, "type");
    PP_ASSERT(is_kind(tree, type, JSON_STRING));
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (sink_tree_text_is(tree, type, types[i].json)) {
            *out = (enum sink_type)i;
            return true;
        }
    }
    return false;
}

enum sink_type sink_schema_type(const struct sink_tree *tree, uint32_t schema)
{
    enum sink_type type = SINK_TYPE_STRUCT;
    bool known = find_type(tree, schema, &type);
    PP_ASSERT(known);
    return type;
}

static bool schema_fail(struct sink_failure *failure, const char *message)
{
    return sink_fail(failure, JAVA_DATA_EXCEPTION, "%s", message);
}

static bool check_schema(const struct sink_tree *tree, uint32_t schema,
                         struct sink_failure *failure);

static bool check_fields(const struct sink_tree *tree, uint32_t schema,
                         struct sink_failure *failure)
{
    uint32_t fields = member(tree, schema, "fields");
    if (!is_kind(tree, fields, JSON_ARRAY)) {
        return schema_fail(failure, "Struct schema's \"fields\" argument is not an array.");
    }
    if (sink_tree_node(tree, fields)->child_count > SINK_FIELDS_MAX) {
        return sink_fail(failure, JAVA_DATA_EXCEPTION, "A struct may have %d fields",
                         SINK_FIELDS_MAX);
    }
    uint32_t id = sink_tree_node(tree, fields)->first;
    for (; id != 0; id = sink_tree_node(tree, id)->next) {
        if (!is_kind(tree, member(tree, id, "field"), JSON_STRING)) {
            return schema_fail(failure, "Struct schema's field name not specified properly");
        }
        if (!check_schema(tree, id, failure)) {
            return false;
        }
    }
    return true;
}

static bool check_part(const struct sink_tree *tree, uint32_t part, const char *missing,
                       struct sink_failure *failure)
{
    if (part == 0 || is_kind(tree, part, JSON_NULL)) {
        return schema_fail(failure, missing);
    }
    return check_schema(tree, part, failure);
}

static bool check_schema(const struct sink_tree *tree, uint32_t schema,
                         struct sink_failure *failure)
{
    uint32_t named = member(tree, schema, "type");
    enum sink_type type;
    if (!is_kind(tree, named, JSON_STRING)) {
        return schema_fail(failure, "Schema must contain 'type' field");
    }
    if (!find_type(tree, schema, &type)) {
        struct buf text;
        buf_init(&text, SINK_MESSAGE_BYTES);
        sink_tree_text(tree, named, &text);
        sink_fail(failure, JAVA_DATA_EXCEPTION, "Unknown schema type: %s", buf_cstr(&text));
        buf_release(&text);
        return false;
    }
    if (type == SINK_TYPE_ARRAY) {
        return check_part(tree, member(tree, schema, "items"),
                          "Array schema did not specify the element type", failure);
    }
    if (type == SINK_TYPE_MAP) {
        return check_part(tree, member(tree, schema, "keys"),
                          "Map schema did not specify the key type", failure) &&
               check_part(tree, member(tree, schema, "values"),
                          "Map schema did not specify the value type", failure);
    }
    return type != SINK_TYPE_STRUCT || check_fields(tree, schema, failure);
}

/* --- values ----------------------------------------------------------------------------------- */

/* The stand-in for a value that is missing or null: the schema's default, or nothing. */
static uint32_t effective(const struct sink_tree *tree, uint32_t schema, uint32_t value)
{
    if (value == 0 || is_kind(tree, value, JSON_NULL)) {
        value = member(tree, schema, "default");
    }
    return is_kind(tree, value, JSON_NULL) ? 0 : value;
}

/* Strings and bytes that another kind of JSON was given for are null (JsonNode.textValue and
 * binaryValue), and a record whose value is null is a tombstone. */
static bool is_no_text(const struct sink_tree *tree, uint32_t schema, uint32_t value)
{
    enum sink_type type = sink_schema_type(tree, schema);
    return (type == SINK_TYPE_STRING || type == SINK_TYPE_BYTES) &&
           !is_kind(tree, value, JSON_STRING);
}

bool sink_schema_field(const struct sink_tree *tree, const struct sink_typed *from,
                       struct span name, struct sink_typed *out, struct sink_failure *failure)
{
    struct buf text;
    uint32_t fields = member(tree, from->schema, "fields");
    PP_ASSERT(is_kind(tree, fields, JSON_ARRAY)); /* from is a struct */
    uint32_t id = sink_tree_node(tree, fields)->first;
    bool found = false;
    failure->no_memory = false;
    buf_init(&text, SINK_TEXT_BYTES_MAX);
    for (; id != 0 && !found && !failure->no_memory; id = sink_tree_node(tree, id)->next) {
        buf_reset(&text);
        sink_tree_text(tree, member(tree, id, "field"), &text);
        if (!buf_ok(&text)) {
            sink_fail_no_memory(failure);
        } else if (span_equal(buf_span(&text), name)) {
            out->schema = id;
            out->value = effective(tree, id, sink_tree_member(tree, from->value, name));
            if (is_no_text(tree, id, out->value)) {
                out->value = 0;
            }
            found = true;
        }
    }
    buf_release(&text);
    return found;
}

/* BigDecimal.longValue: the low 64 bits of the whole part. */
static int64_t long_of_number(struct span raw)
{
    size_t start = raw.ptr[0] == '-' ? 1 : 0;
    size_t end = start;
    size_t point = 0;
    int64_t exponent = 0;
    while (end < raw.len && (raw.ptr[end] | 32) != 'e') {
        point = raw.ptr[end] == '.' ? end : point;
        end++;
    }
    point = point == 0 ? end : point;
    struct span text = span_skip(raw, end + 1);
    text = text.len > 0 && text.ptr[0] == '+' ? span_skip(text, 1) : text;
    if (text.len > 9) {
        return 0; /* either way no low bits are left */
    }
    bool read = text.len == 0 || span_parse_i64(text, &exponent);
    PP_ASSERT(read);
    int64_t whole = (int64_t)(point - start) + exponent; /* digits that belong to the whole part */
    uint64_t value = 0;
    for (size_t i = start; i < end; i++) {
        if (raw.ptr[i] != '.' && whole-- > 0) {
            value = value * 10 + (uint64_t)(raw.ptr[i] - '0');
        }
    }
    for (int zeros = 0; whole > 0 && zeros < 64; zeros++, whole--) {
        value *= 10; /* 10^64 is a multiple of 2^64 */
    }
    value = start > 0 ? 0 - value : value;
    int64_t result;
    memcpy(&result, &value, sizeof(result));
    return result;
}

static bool is_number(const struct sink_tree *tree, uint32_t value)
{
    return is_kind(tree, value, JSON_INTEGER) || is_kind(tree, value, JSON_DECIMAL);
}

int64_t sink_schema_integer(const struct sink_tree *tree, const struct sink_typed *from)
{
    int64_t number =
        is_number(tree, from->value) ? long_of_number(sink_tree_raw(tree, from->value)) : 0;
    switch (sink_schema_type(tree, from->schema)) {
    case SINK_TYPE_INT8:
        return (int8_t)(uint8_t)number;
    case SINK_TYPE_INT16:
        return (int16_t)(uint16_t)number;
    case SINK_TYPE_INT32:
        return (int32_t)(uint32_t)number;
    default:
        return number;
    }
}

/* --- writing ---------------------------------------------------------------------------------- */

struct writing {
    const struct sink_tree *tree;
    struct buf *out;
    struct buf *scratch;
    struct sink_failure *failure;
};

static bool schema_write_value(struct writing *w, uint32_t schema, uint32_t value);

static const char *node_type(const struct sink_tree *tree, uint32_t value)
{
    static const char *const names[] = {
        [JSON_NULL] = "NULL",      [JSON_FALSE] = "BOOLEAN",  [JSON_TRUE] = "BOOLEAN",
        [JSON_INTEGER] = "NUMBER", [JSON_DECIMAL] = "NUMBER", [JSON_STRING] = "STRING",
        [JSON_ARRAY] = "ARRAY",    [JSON_OBJECT] = "OBJECT",
    };
    return names[sink_tree_node(tree, value)->kind];
}

static bool is_optional(const struct sink_tree *tree, uint32_t schema)
{
    return is_kind(tree, member(tree, schema, "optional"), JSON_TRUE);
}

/* Strings and bytes have no default of their own: another kind of JSON is null. */
static bool write_no_text(struct writing *w, uint32_t schema, enum sink_type type)
{
    struct buf name;
    if (is_optional(w->tree, schema)) {
        BUF_APPEND_LIT(w->out, "null");
        return true;
    }
    buf_init(&name, SINK_MESSAGE_BYTES);
    uint32_t field = member(w->tree, schema, "field");
    if (is_kind(w->tree, field, JSON_STRING)) {
        sink_tree_text(w->tree, field, &name);
    }
    sink_fail(w->failure, JAVA_DATA_EXCEPTION,
              "Invalid value: null used for required field: \"%s\", schema type: %s",
              name.len > 0 ? buf_cstr(&name) : "null", types[type].name);
    buf_release(&name);
    return false;
}

static bool write_bytes(struct writing *w, uint32_t value)
{
    struct buf text;
    buf_init(&text, SINK_TYPED_BYTES_MAX);
    buf_reset(w->scratch);
    sink_tree_text(w->tree, value, &text);
    bool ok = base64_decode(buf_span(&text), w->scratch);
    bool starved = text.no_memory || w->scratch->no_memory;
    buf_release(&text);
    if (starved) {
        return sink_fail_no_memory(w->failure);
    }
    if (!ok) {
        return schema_fail(w->failure, "Invalid bytes field");
    }
    buf_append_byte(w->out, '"');
    base64_encode(buf_span(w->scratch), w->out);
    buf_append_byte(w->out, '"');
    return true;
}

static bool write_array(struct writing *w, uint32_t schema, uint32_t value)
{
    uint32_t items = member(w->tree, schema, "items");
    bool iterable = is_kind(w->tree, value, JSON_ARRAY) || is_kind(w->tree, value, JSON_OBJECT);
    uint32_t first = iterable ? sink_tree_node(w->tree, value)->first : 0;
    buf_append_byte(w->out, '[');
    for (uint32_t id = first; id != 0; id = sink_tree_node(w->tree, id)->next) {
        if (id != first) {
            buf_append_byte(w->out, ',');
        }
        if (!schema_write_value(w, items, id)) {
            return false;
        }
    }
    buf_append_byte(w->out, ']');
    return true;
}

/* [[key,value],...] */
static bool write_pairs(struct writing *w, uint32_t schema, uint32_t value)
{
    if (!is_kind(w->tree, value, JSON_ARRAY)) {
        return sink_fail(w->failure, JAVA_DATA_EXCEPTION,
                         "Maps with non-string fields should be encoded as JSON array of tuples, "
                         "but found %s",
                         node_type(w->tree, value));
    }
    uint32_t first = sink_tree_node(w->tree, value)->first;
    buf_append_byte(w->out, '[');
    for (uint32_t id = first; id != 0; id = sink_tree_node(w->tree, id)->next) {
        const struct sink_node *pair = sink_tree_node(w->tree, id);
        if (pair->kind != JSON_ARRAY) {
            return sink_fail(w->failure, JAVA_DATA_EXCEPTION,
                             "Found invalid map entry instead of array tuple: %s",
                             node_type(w->tree, id));
        }
        if (pair->child_count != 2) {
            return sink_fail(w->failure, JAVA_DATA_EXCEPTION,
                             "Found invalid map entry, expected length 2 but found :%u",
                             pair->child_count);
        }
        buf_append_cstr(w->out, id != first ? ",[" : "[");
        if (!schema_write_value(w, member(w->tree, schema, "keys"), pair->first)) {
            return false;
        }
        buf_append_byte(w->out, ',');
        if (!schema_write_value(w, member(w->tree, schema, "values"),
                                sink_tree_node(w->tree, pair->first)->next)) {
            return false;
        }
        buf_append_byte(w->out, ']');
    }
    buf_append_byte(w->out, ']');
    return true;
}

static bool write_map(struct writing *w, uint32_t schema, uint32_t value)
{
    if (sink_schema_type(w->tree, member(w->tree, schema, "keys")) != SINK_TYPE_STRING) {
        return write_pairs(w, schema, value);
    }
    if (!is_kind(w->tree, value, JSON_OBJECT)) {
        return sink_fail(w->failure, JAVA_DATA_EXCEPTION,
                         "Maps with string fields should be encoded as JSON objects, but found %s",
                         node_type(w->tree, value));
    }
    uint32_t first = sink_tree_node(w->tree, value)->first;
    buf_append_byte(w->out, '{');
    for (uint32_t id = first; id != 0; id = sink_tree_node(w->tree, id)->next) {
        if (id != first) {
            buf_append_byte(w->out, ',');
        }
        sink_tree_write_key(w->tree, id, w->out);
        buf_append_byte(w->out, ':');
        if (!schema_write_value(w, member(w->tree, schema, "values"), id)) {
            return false;
        }
    }
    buf_append_byte(w->out, '}');
    return true;
}

static bool write_struct(struct writing *w, uint32_t schema, uint32_t value)
{
    if (!is_kind(w->tree, value, JSON_OBJECT)) {
        return sink_fail(w->failure, JAVA_DATA_EXCEPTION,
                         "Structs should be encoded as JSON objects, but found %s",
                         node_type(w->tree, value));
    }
    uint32_t first = sink_tree_node(w->tree, member(w->tree, schema, "fields"))->first;
    buf_append_byte(w->out, '{');
    for (uint32_t id = first; id != 0; id = sink_tree_node(w->tree, id)->next) {
        uint32_t name = member(w->tree, id, "field");
        if (id != first) {
            buf_append_byte(w->out, ',');
        }
        sink_tree_write(w->tree, name, w->out);
        buf_append_byte(w->out, ':');
        buf_reset(w->scratch);
        sink_tree_text(w->tree, name, w->scratch);
        if (!buf_ok(w->scratch)) { /* or it would be another field's value */
            return sink_fail_no_memory(w->failure);
        }
        if (!schema_write_value(w, id, sink_tree_member(w->tree, value, buf_span(w->scratch)))) {
            return false;
        }
    }
    buf_append_byte(w->out, '}');
    return true;
}

static bool write_typed(struct writing *w, uint32_t schema, enum sink_type type, uint32_t value)
{
    bool text = is_kind(w->tree, value, JSON_STRING);
    double number = is_number(w->tree, value) ? sink_tree_double(w->tree, value) : 0;
    switch (type) {
    case SINK_TYPE_INT8:
    case SINK_TYPE_INT16:
    case SINK_TYPE_INT32:
    case SINK_TYPE_INT64:
        buf_append_i64(w->out, sink_schema_integer(w->tree, &(struct sink_typed){schema, value}));
        return true;
    case SINK_TYPE_FLOAT32:
        json_float_append(w->out, is_number(w->tree, value) ? sink_tree_float(w->tree, value) : 0);
        return true;
    case SINK_TYPE_FLOAT64:
        json_double_append(w->out, number);
        return true;
    case SINK_TYPE_BOOLEAN:
        buf_append_cstr(w->out, is_kind(w->tree, value, JSON_TRUE) ? "true" : "false");
        return true;
    case SINK_TYPE_STRING:
        if (text) {
            sink_tree_write(w->tree, value, w->out);
        }
        return text || write_no_text(w, schema, type);
    case SINK_TYPE_BYTES:
        return text ? write_bytes(w, value) : write_no_text(w, schema, type);
    case SINK_TYPE_ARRAY:
        return write_array(w, schema, value);
    case SINK_TYPE_MAP:
        return write_map(w, schema, value);
    case SINK_TYPE_STRUCT:
        return write_struct(w, schema, value);
    }
    BUG("a type without its writer");
}

/* False: what has been written so far did not fit. */
static bool written_fits(struct writing *w)
{
    if (w->out->no_memory) {
        return sink_fail_no_memory(w->failure);
    }
    return buf_ok(w->out) || sink_fail(w->failure, JAVA_DATA_EXCEPTION,
                                       "The value is larger than %d bytes", SINK_TYPED_BYTES_MAX);
}

static bool schema_write_value(struct writing *w, uint32_t schema, uint32_t value)
{
    enum sink_type type = sink_schema_type(w->tree, schema);
    if (!written_fits(w)) {
        return false;
    }
    value = effective(w->tree, schema, value);
    if (value != 0) {
        return write_typed(w, schema, type, value);
    }
    if (is_optional(w->tree, schema)) {
        BUF_APPEND_LIT(w->out, "null");
        return true;
    }
    return sink_fail(w->failure, JAVA_DATA_EXCEPTION, "Invalid null value for required %s field",
                     types[type].name);
}

/* --- the envelope ----------------------------------------------------------------------------- */

bool sink_schema_convert(const struct sink_tree *tree, struct sink_typed *out, struct buf *json,
                         struct sink_failure *failure)
{
    uint32_t root = tree->root;
    uint32_t schema = root != 0 ? member(tree, root, "schema") : 0;
    uint32_t payload = root != 0 ? member(tree, root, "payload") : 0;
    if (schema == 0 || payload == 0 || sink_tree_node(tree, root)->child_count != 2) {
        return schema_fail(
            failure, "JsonConverter with schemas.enable requires \"schema\" and \"payload\" "
                     "fields and may not contain additional fields. If you are trying to "
                     "deserialize plain JSON data, set schemas.enable=false in your converter "
                     "configuration.");
    }
    *out = (struct sink_typed){.schema = 0, .value = payload};
    if (is_kind(tree, schema, JSON_NULL)) {
        return true;
    }
    if (!check_schema(tree, schema, failure)) {
        return false;
    }
    struct buf scratch;
    buf_init(&scratch, SINK_TEXT_BYTES_MAX);
    struct writing w = {.tree = tree, .out = json, .scratch = &scratch, .failure = failure};
    out->schema = schema;
    out->value = effective(tree, schema, payload);
    bool is_null = out->value == 0 || is_no_text(tree, schema, out->value);
    bool ok = true;
    if (is_null && is_optional(tree, schema)) {
        out->value = 0;
    } else {
        ok = schema_write_value(&w, schema, payload) && written_fits(&w);
    }
    buf_release(&scratch);
    return ok;
}
