#include "sink_path.h"

#include "civil.h"

#include <stdio.h>

#define PARTITION_EXCEPTION "io.confluent.connect.storage.errors.PartitionException"
#define ILLEGAL_ARGUMENT    "java.lang.IllegalArgumentException"

enum {
    path_bytes_max = 4096,
    field_text_bytes_max = 64 * 1024,
};

/* Joda's own ends are at the years +-292 million; here a zone's offset must fit beside it. */
static const int64_t time_ms_max = INT64_C(9000000000000000000);

/* --- starting --------------------------------------------------------------------------------- */

static bool open_zone(struct sink_path *path, struct sink_failure *failure)
{
    struct error err;
    if (tz_open(path->config->timezone, &path->tz, &err) != STATUS_OK) {
        return sink_fail(failure, ILLEGAL_ARGUMENT, "%s", err.message);
    }
    return true;
}

bool sink_path_init(struct sink_path *path, const struct sink_config *config,
                    struct sink_failure *failure)
{
    *path = (struct sink_path){.config = config};
    buf_init(&path->cached, path_bytes_max);
    bool timed = config->partitioner == SINK_PARTITIONER_TIME;
    if ((timed || config->rotate_schedule_interval_ms > 0) && !open_zone(path, failure)) {
        return false;
    }
    path->pattern.english = span_equal_cstr(config->locale, "en");
    struct error err;
    struct span format = config->path_format;
    if (config->directory_delim.len > 0 && span_ends_with(format, config->directory_delim)) {
        format = span_first(format, format.len - config->directory_delim.len);
    }
    if (timed && sink_pattern_compile(format, &path->pattern, &err) != STATUS_OK) {
        return sink_fail(failure, "org.apache.kafka.common.config.ConfigException",
                         "Invalid value %.*s for configuration path.format: %s",
                         SPAN_ARG(config->path_format), err.message);
    }
    return true;
}

void sink_path_release(struct sink_path *path)
{
    tz_close(&path->tz);
    buf_release(&path->cached);
}

/* --- the timestamp ---------------------------------------------------------------------------- */

static bool fail_no_field(struct sink_failure *failure, struct span path)
{
    return sink_fail(failure, JAVA_DATA_EXCEPTION, "The nested field named '%.*s' does not exist.",
                     SPAN_ARG(path));
}

/* "a.b" is b in a; dots between double quotes belong to the name. *len is that of the whole name,
 * of which no more than cap bytes are given. */
static bool next_step(struct span *rest, char *name, size_t cap, size_t *len)
{
    bool quoted = false;
    size_t i = 0;
    *len = 0;
    if (rest->ptr == NULL) {
        return false;
    }
    for (; i < rest->len && (quoted || rest->ptr[i] != '.'); i++) {
        if (rest->ptr[i] == '"') {
            quoted = !quoted;
        } else {
            if (*len < cap) {
                name[*len] = rest->ptr[i];
            }
            ++*len;
        }
    }
    *rest = i < rest->len ? span_skip(*rest, i + 1) : (struct span){NULL, 0};
    return true;
}

static bool path_find_field(const struct sink_tree *tree, uint32_t root, struct span path,
                            uint32_t *out, struct sink_failure *failure)
{
    char name[256];
    size_t len;
    struct span rest = path;
    uint32_t at = root;
    while (next_step(&rest, name, sizeof(name), &len)) {
        struct span step = span_from(name, len < sizeof(name) ? len : sizeof(name));
        if (sink_tree_node(tree, at)->kind != JSON_OBJECT) {
            fail_no_field(failure, path);
            return sink_fail_cause(failure, JAVA_DATA_EXCEPTION,
                                   "Argument not a Struct or Map. Cannot get field '%.*s'",
                                   SPAN_ARG(step));
        }
        at = step.len == len ? sink_tree_member(tree, at, step) : 0; /* such names nobody has */
        if (at == 0 || sink_tree_node(tree, at)->kind == JSON_NULL) {
            fail_no_field(failure, path);
            return sink_fail_cause(failure, JAVA_DATA_EXCEPTION,
                                   "Unable to find nested field '%.*s'", SPAN_ARG(step));
        }
    }
    *out = at;
    return true;
}

static bool time_of_text(const struct sink_tree *tree, uint32_t string, int64_t *out,
                         struct sink_failure *failure)
{
    struct sink_time_fault fault;
    struct buf text;
    buf_init(&text, field_text_bytes_max);
    sink_tree_text(tree, string, &text);
    if (text.no_memory) {
        buf_release(&text);
        return sink_fail_no_memory(failure);
    }
    bool ok = span_parse_i64(buf_span(&text), out);
    if (!ok) {
        ok = sink_time_parse_iso(buf_span(&text), out, &fault) ||
             sink_fail(failure, fault.class_name, "%s", fault.message);
    }
    buf_release(&text);
    return ok;
}

/* a.b.c in a Struct of Structs; its schema has to have each step. */
static bool find_struct_field(const struct sink_value *value, struct span path,
                              struct sink_typed *out, struct sink_failure *failure)
{
    struct span rest = path;
    struct span name;
    *out = value->typed;
    failure->no_memory = false;
    while (span_next_part(&rest, '.', &name)) {
        if (out->value == 0 || sink_schema_type(&value->tree, out->schema) != SINK_TYPE_STRUCT ||
            !sink_schema_field(&value->tree, out, name, out, failure)) {
            if (failure->no_memory) {
                return false;
            }
            fail_no_field(failure, path);
            return sink_fail_cause(failure, JAVA_DATA_EXCEPTION, "%.*s is not a valid field name",
                                   SPAN_ARG(name));
        }
    }
    return true;
}

static bool time_of_struct(const struct sink_value *value, struct span path, int64_t *out,
                           struct sink_failure *failure)
{
    struct sink_typed field;
    if (!find_struct_field(value, path, &field, failure)) {
        return false;
    }
    if (field.value == 0) {
        return sink_fail(failure, "java.lang.NullPointerException", "null");
    }
    switch (sink_schema_type(&value->tree, field.schema)) {
    case SINK_TYPE_INT32:
    case SINK_TYPE_INT64:
        *out = sink_schema_integer(&value->tree, &field);
        return true;
    case SINK_TYPE_STRING:
        return time_of_text(&value->tree, field.value, out, failure);
    default:
        return sink_fail(failure, PARTITION_EXCEPTION,
                         "Error extracting timestamp from record field: %.*s", SPAN_ARG(path));
    }
}

static bool time_of_field(const struct sink_path *path, const struct sink_record *record,
                          int64_t *out, struct sink_failure *failure)
{
    const struct sink_tree *tree = &record->value->tree;
    struct span name = path->config->timestamp_field;
    uint32_t field;
    if (sink_value_is_struct(record->value)) {
        return time_of_struct(record->value, name, out, failure);
    }
    if (record->value->kind != SINK_VALUE_JSON ||
        sink_tree_node(tree, record->value->root)->kind != JSON_OBJECT) {
        return sink_fail(failure, PARTITION_EXCEPTION, "Error encoding partition.");
    }
    if (!path_find_field(tree, record->value->root, name, &field, failure)) {
        return false;
    }
    switch (sink_tree_node(tree, field)->kind) {
    case JSON_INTEGER:
    case JSON_DECIMAL:
        *out = sink_tree_long(tree, field);
        return true;
    case JSON_STRING:
        return time_of_text(tree, field, out, failure);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    return sink_fail(failure, PARTITION_EXCEPTION,
                     "Error extracting timestamp from record field: %.*s", SPAN_ARG(name));
}

bool sink_path_time(const struct sink_path *path, const struct sink_record *record, int64_t now_ms,
                    int64_t *out, struct sink_failure *failure)
{
    switch (path->config->timestamp) {
    case SINK_TIMESTAMP_WALLCLOCK:
        *out = now_ms;
        break;
    case SINK_TIMESTAMP_RECORD:
        *out = record->timestamp_ms;
        break;
    case SINK_TIMESTAMP_FIELD:
        if (!time_of_field(path, record, out, failure)) {
            return false;
        }
        break;
    }
    if (*out > time_ms_max || *out < -time_ms_max) {
        return sink_fail(failure, "java.lang.ArithmeticException",
                         "Adding time zone offset caused overflow");
    }
    return true;
}

/* --- the path --------------------------------------------------------------------------------- */

static bool encode_time(struct sink_path *path, int64_t time_ms, struct buf *out,
                        struct sink_failure *failure)
{
    int64_t duration = path->config->partition_duration_ms;
    if (duration == 0) {
        return sink_fail(failure, "java.lang.ArithmeticException", "/ by zero");
    }
    int64_t local = time_ms + tz_offset_ms(&path->tz, time_ms);
    int64_t bucket = tz_local_to_utc_ms(&path->tz, local / duration * duration);
    if (path->cached.len == 0 || bucket != path->cached_bucket_ms) {
        buf_reset(&path->cached);
        sink_pattern_write(&path->pattern, &path->tz, bucket, &path->cached);
        path->cached_bucket_ms = bucket;
    }
    if (!buf_ok(&path->cached)) { /* no memory, or too long to keep: no part of it is the path */
        buf_reset(&path->cached);
        sink_pattern_write(&path->pattern, &path->tz, bucket, out);
        return true;
    }
    buf_append_span(out, buf_span(&path->cached));
    return true;
}

/* Writes what String.valueOf makes of the field; false: it is of no type that can be a path. */
static bool append_field(const struct sink_tree *tree, const struct sink_typed *field,
                         struct buf *out)
{
    enum sink_type type = sink_schema_type(tree, field->schema);
    if (type > SINK_TYPE_INT64 && type != SINK_TYPE_STRING && type != SINK_TYPE_BOOLEAN) {
        return false;
    }
    if (field->value == 0) {
        BUF_APPEND_LIT(out, "null");
    } else if (type == SINK_TYPE_STRING) {
        sink_tree_text(tree, field->value, out);
    } else if (type == SINK_TYPE_BOOLEAN) {
        buf_append_cstr(out,
                        sink_tree_node(tree, field->value)->kind == JSON_TRUE ? "true" : "false");
    } else {
        buf_append_i64(out, sink_schema_integer(tree, field));
    }
    return true;
}

static bool encode_fields(const struct sink_path *path, const struct sink_value *value,
                          struct buf *out, struct sink_failure *failure)
{
    struct span rest = path->config->partition_fields;
    struct span name;
    if (!sink_value_is_struct(value)) {
        return sink_fail(failure, PARTITION_EXCEPTION, "Error encoding partition.");
    }
    while (span_next_part(&rest, ',', &name)) {
        struct sink_typed field;
        name = span_trim(name);
        if (!sink_schema_field(&value->tree, &value->typed, name, &field, failure)) {
            return !failure->no_memory &&
                   sink_fail(failure, JAVA_DATA_EXCEPTION, "%.*s is not a valid field name",
                             SPAN_ARG(name));
        }
        if (out->len > 0) {
            buf_append_span(out, path->config->directory_delim);
        }
        buf_append_span(out, name);
        buf_append_byte(out, '=');
        if (!append_field(&value->tree, &field, out)) {
            return sink_fail(failure, PARTITION_EXCEPTION, "Error encoding partition.");
        }
    }
    return true;
}

bool sink_path_encode(struct sink_path *path, const struct sink_record *record, int64_t time_ms,
                      struct buf *out, struct sink_failure *failure)
{
    buf_reset(out);
    switch (path->config->partitioner) {
    case SINK_PARTITIONER_DEFAULT:
        BUF_APPEND_LIT(out, "partition=");
        buf_append_i64(out, record->partition);
        return true;
    case SINK_PARTITIONER_FIELD:
        return encode_fields(path, record->value, out, failure);
    case SINK_PARTITIONER_TIME:
        return encode_time(path, time_ms, out, failure);
    }
    BUG("a partitioner without its code");
}

int64_t sink_path_next_rotation_ms(const struct sink_path *path, int64_t now_ms)
{
    int64_t interval = path->config->rotate_schedule_interval_ms;
    int64_t local = now_ms + tz_offset_ms(&path->tz, now_ms);
    int64_t midnight = tz_local_to_utc_ms(&path->tz, local / CIVIL_DAY_MS * CIVIL_DAY_MS);
    int64_t since = ((now_ms - midnight) / interval + 1) * interval;
    return midnight + (since < CIVIL_DAY_MS ? since : CIVIL_DAY_MS);
}
