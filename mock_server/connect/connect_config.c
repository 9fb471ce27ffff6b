#include "connect_config.h"

#include "connect_check_internal.h"
#include "sink_config.h"

#include <string.h>

/* --- findings --- */

struct finding_list {
    struct connect_findings *findings;
    size_t cap;
};

static void findings_count(void *ctx, const struct connect_value *value)
{
    struct finding_list *list = ctx;
    list->cap += value->error_count;
}

static void findings_add(void *ctx, const struct connect_value *value)
{
    struct finding_list *list = ctx;
    for (size_t i = 0; i < value->error_count; i++) {
        PP_ASSERT(list->findings->count < list->cap);
        list->findings->errors[list->findings->count++] = value->errors[i];
    }
}

static enum status findings_collect(struct arena *arena, const struct connect_check *check,
                                    struct connect_findings *out)
{
    struct finding_list list = {.findings = out};
    *out = (struct connect_findings){.count = 0};
    if (check->refusal == NULL) {
        connect_check_visit(check, findings_count, &list);
    } else {
        list.cap = 1;
    }
    out->errors = arena_alloc_array(arena, list.cap + 1, sizeof(*out->errors));
    if (out->errors == NULL) {
        return STATUS_NO_MEMORY;
    }
    if (check->refusal == NULL) {
        connect_check_visit(check, findings_add, &list);
        return STATUS_OK;
    }
    out->errors[out->count++] = check->refusal;
    out->exception = check->refusal_exception;
    out->exception_status = check->refusal_status;
    return STATUS_OK;
}

void connect_findings_write(const struct connect_findings *findings, struct buf *out)
{
    buf_printf(out, "Connector configuration is invalid and contains the following %zu error(s):",
               findings->count);
    for (size_t i = 0; i < findings->count; i++) {
        BUF_APPEND_LIT(out, "\n");
        buf_append_cstr(out, findings->errors[i]);
    }
    BUF_APPEND_LIT(out, "\nYou can also find the above list of errors at the endpoint "
                        "`/connector-plugins/{connectorType}/config/validate`");
}

/* --- the parsed form --- */

static struct span config_text(const struct connect_check *check, enum connect_key key)
{
    return connect_check_value(check, key)->text;
}

static int64_t config_number(const struct connect_check *check, enum connect_key key)
{
    return connect_check_value(check, key)->number;
}

static bool config_flag(const struct connect_check *check, enum connect_key key)
{
    return config_number(check, key) != 0;
}

/* The value's simple name (behind its last dot), or the whole of it, among `names`; 0 when it is
 * none of them. */
static int config_choice(const struct connect_check *check, enum connect_key key,
                         const char *const *names, size_t count)
{
    struct span text = connect_simple_name(config_text(check, key));
    for (size_t i = 0; i < count; i++) {
        if (span_equal_nocase(text, span_from_cstr(names[i]))) {
            return (int)i;
        }
    }
    return 0;
}

static void config_fill_converters(const struct connect_check *check, struct sink_config *out)
{
    static const char *const names[] = {"JsonConverter", "StringConverter", "ByteArrayConverter"};
    struct {
        enum connect_key key;
        const char *schemas;
        enum sink_converter *converter;
        bool *schemas_enable;
    } sides[] = {
        {CONNECT_KEY_KEY_CONVERTER, "key.converter.schemas.enable", &out->key_converter,
         &out->key_schemas_enable},
        {CONNECT_KEY_VALUE_CONVERTER, "value.converter.schemas.enable", &out->value_converter,
         &out->value_schemas_enable},
    };
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        const struct connect_entry *schemas =
            connect_entries_find(check->entries, sides[i].schemas);
        bool own = connect_check_value(check, sides[i].key)->present;
        *sides[i].converter =
            own ? (enum sink_converter)config_choice(check, sides[i].key, names, ARRAY_COUNT(names))
                : SINK_CONVERTER_JSON;
        *sides[i].schemas_enable =
            !own || schemas == NULL ||
            !span_equal_nocase(connect_trim(schemas->value), SPAN_LIT("false"));
    }
}

/* --- partitioners --- */

enum { hour_ms = 60 * 60 * 1000, day_ms = 24 * hour_ms };

/* DailyPartitioner and HourlyPartitioner have path and duration of their own. */
static enum status config_fill_fixed_path(struct arena *arena, bool hourly, struct sink_config *out)
{
    struct span d = out->directory_delim;
    const char *path =
        arena_printf(arena, "'year'=YYYY%.*s'month'=MM%.*s'day'=dd", SPAN_ARG(d), SPAN_ARG(d));
    if (path != NULL && hourly) {
        path = arena_printf(arena, "%s%.*s'hour'=HH", path, SPAN_ARG(d));
    }
    out->path_format = span_from_cstr(path);
    out->partition_duration_ms = hourly ? hour_ms : day_ms;
    return path != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* TimeBasedPartitioner.configure looks when the task starts. */
static const char *config_time_fault(const struct connect_check *check,
                                     const struct sink_config *config)
{
    const struct {
        enum connect_key key;
        bool bad;
        const char *why;
    } rules[] = {
        {CONNECT_KEY_PARTITION_DURATION_MS, config->partition_duration_ms < 0,
         "Partition duration needs to be a positive."},
        {CONNECT_KEY_PATH_FORMAT,
         config->path_format.len == 0 || span_equal(config->path_format, config->directory_delim),
         "Path format cannot be empty."},
        {CONNECT_KEY_LOCALE, config->locale.len == 0, "Locale cannot be empty."},
        {CONNECT_KEY_TIMEZONE, config->timezone.len == 0, "Timezone cannot be empty."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        if (rules[i].bad) {
            return arena_printf(check->arena, "%s: Invalid value %.*s for configuration %s: %s",
                                CONNECT_CONFIG_EXCEPTION,
                                SPAN_ARG(config_text(check, rules[i].key)),
                                connect_definitions[rules[i].key].name, rules[i].why);
        }
    }
    return "";
}

/* Wallclock, Record, RecordField, or their classes. */
static bool config_fill_extractor(const struct connect_check *check, struct sink_config *out)
{
    static const struct {
        const char *name;
        enum sink_timestamp timestamp;
    } extractors[] = {
        {"Wallclock", SINK_TIMESTAMP_WALLCLOCK},
        {"Record", SINK_TIMESTAMP_RECORD},
        {"RecordField", SINK_TIMESTAMP_FIELD},
        {"TimeBasedPartitioner$WallclockTimestampExtractor", SINK_TIMESTAMP_WALLCLOCK},
        {"TimeBasedPartitioner$RecordTimestampExtractor", SINK_TIMESTAMP_RECORD},
        {"TimeBasedPartitioner$RecordFieldTimestampExtractor", SINK_TIMESTAMP_FIELD},
    };
    struct span name = connect_simple_name(config_text(check, CONNECT_KEY_TIMESTAMP_EXTRACTOR));
    for (size_t i = 0; i < ARRAY_COUNT(extractors); i++) {
        if (span_equal_cstr(name, extractors[i].name)) {
            out->timestamp = extractors[i].timestamp;
            return true;
        }
    }
    return false;
}

static enum status config_fill_partitioner(const struct connect_check *check,
                                           struct sink_config *out)
{
    struct span name = connect_simple_name(config_text(check, CONNECT_KEY_PARTITIONER_CLASS));
    bool hourly = span_equal_cstr(name, "HourlyPartitioner");
    bool fixed = hourly || span_equal_cstr(name, "DailyPartitioner");
    bool known = config_fill_extractor(check, out);
    const char *fault = "";
    out->partition_fields = config_text(check, CONNECT_KEY_PARTITION_FIELD_NAME);
    out->path_format = config_text(check, CONNECT_KEY_PATH_FORMAT);
    out->partition_duration_ms = config_number(check, CONNECT_KEY_PARTITION_DURATION_MS);
    out->timezone = config_text(check, CONNECT_KEY_TIMEZONE);
    out->locale = config_text(check, CONNECT_KEY_LOCALE);
    out->timestamp_field = config_text(check, CONNECT_KEY_TIMESTAMP_FIELD);
    out->partitioner = SINK_PARTITIONER_DEFAULT;
    if (span_equal_cstr(name, "FieldPartitioner")) {
        out->partitioner = SINK_PARTITIONER_FIELD;
    } else if (fixed || span_equal_cstr(name, "TimeBasedPartitioner")) {
        out->partitioner = SINK_PARTITIONER_TIME;
        if (fixed && config_fill_fixed_path(check->arena, hourly, out) != STATUS_OK) {
            return STATUS_NO_MEMORY;
        }
        fault = config_time_fault(check, out);
        if (fault != NULL && fault[0] == '\0' && !known) {
            fault = arena_printf(check->arena, "%s: Invalid timestamp extractor: %.*s",
                                 CONNECT_CONFIG_EXCEPTION,
                                 SPAN_ARG(config_text(check, CONNECT_KEY_TIMESTAMP_EXTRACTOR)));
        }
    }
    out->task_fault = span_from_cstr(fault);
    return fault != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

/* --- all of it --- */

static void config_fill_files(const struct connect_check *check, struct sink_config *out)
{
    out->bucket = config_text(check, CONNECT_KEY_S3_BUCKET_NAME);
    out->topics_dir = config_text(check, CONNECT_KEY_TOPICS_DIR);
    out->store_url = config_text(check, CONNECT_KEY_STORE_URL);
    out->directory_delim = config_text(check, CONNECT_KEY_DIRECTORY_DELIM);
    out->file_delim = config_text(check, CONNECT_KEY_FILE_DELIM);
    out->zero_pad = (int)config_number(check, CONNECT_KEY_FILENAME_OFFSET_ZERO_PAD_WIDTH);
    out->flush_size = config_number(check, CONNECT_KEY_FLUSH_SIZE);
    out->rotate_interval_ms = config_number(check, CONNECT_KEY_ROTATE_INTERVAL_MS);
    out->rotate_schedule_interval_ms =
        config_number(check, CONNECT_KEY_ROTATE_SCHEDULE_INTERVAL_MS);
    out->gzip = span_equal_cstr(config_text(check, CONNECT_KEY_S3_COMPRESSION_TYPE), "gzip");
    out->gzip_level = (int)config_number(check, CONNECT_KEY_S3_COMPRESSION_LEVEL);
    out->part_bytes = config_number(check, CONNECT_KEY_S3_PART_SIZE);
    out->retry_backoff_ms = config_number(check, CONNECT_KEY_RETRY_BACKOFF_MS);
    out->format = span_equal_cstr(config_text(check, CONNECT_KEY_FORMAT_CLASS), SINK_BYTE_FORMAT)
                      ? SINK_FORMAT_BYTES
                      : SINK_FORMAT_JSON;
    out->bytes_extension = config_text(check, CONNECT_KEY_FORMAT_BYTEARRAY_EXTENSION);
    out->bytes_separator =
        connect_check_value(check, CONNECT_KEY_FORMAT_BYTEARRAY_SEPARATOR)->present
            ? config_text(check, CONNECT_KEY_FORMAT_BYTEARRAY_SEPARATOR)
            : SPAN_LIT("\n");
    out->store_keys = config_flag(check, CONNECT_KEY_STORE_KAFKA_KEYS);
    out->store_headers = config_flag(check, CONNECT_KEY_STORE_KAFKA_HEADERS);
}

static void config_fill_behaviour(const struct connect_check *check, struct sink_config *out)
{
    const struct connect_entry *order = connect_entries_find(check->entries, "sink.key_order");
    struct span on_null = config_text(check, CONNECT_KEY_BEHAVIOR_ON_NULL_VALUES);
    out->name = config_text(check, CONNECT_KEY_NAME);
    out->tasks_max = (int)config_number(check, CONNECT_KEY_TASKS_MAX);
    out->topics = config_text(check, CONNECT_KEY_TOPICS);
    out->topics_regex = config_text(check, CONNECT_KEY_TOPICS_REGEX);
    out->on_null = span_equal_nocase(on_null, SPAN_LIT("ignore"))  ? SINK_NULL_IGNORE
                   : span_equal_nocase(on_null, SPAN_LIT("write")) ? SINK_NULL_WRITE
                                                                   : SINK_NULL_FAIL;
    out->tombstone_partition = config_text(check, CONNECT_KEY_TOMBSTONE_ENCODED_PARTITION);
    out->key_order_input =
        order != NULL && span_equal_nocase(connect_trim(order->value), SPAN_LIT("input"));
    out->tolerate_all = span_equal_cstr(config_text(check, CONNECT_KEY_ERRORS_TOLERANCE), "all");
    out->dlq_topic = config_text(check, CONNECT_KEY_DLQ_TOPIC_NAME);
    out->dlq_headers = config_flag(check, CONNECT_KEY_DLQ_CONTEXT_HEADERS_ENABLE);
    out->log_errors = config_flag(check, CONNECT_KEY_ERRORS_LOG_ENABLE);
    out->log_messages = config_flag(check, CONNECT_KEY_ERRORS_LOG_INCLUDE_MESSAGES);
    /* S3SinkConnectorConfig.validateTimezone. */
    out->connector_fault =
        config_number(check, CONNECT_KEY_ROTATE_SCHEDULE_INTERVAL_MS) > 0 &&
                config_text(check, CONNECT_KEY_TIMEZONE).len == 0
            ? SPAN_LIT("org.apache.kafka.common.config.ConfigException: timezone configuration "
                       "must be set when using rotate.schedule.interval.ms")
            : SPAN_EMPTY;
}

static enum status config_fill(const struct connect_check *check, struct sink_config *out)
{
    config_fill_files(check, out);
    config_fill_behaviour(check, out);
    config_fill_converters(check, out);
    return config_fill_partitioner(check, out);
}

struct span connect_config_name(const struct sink_config *config)
{
    return config->name;
}

enum status connect_config_parse(struct arena *arena, const struct connect_entries *entries,
                                 const struct sink_config **out, struct connect_findings *findings,
                                 struct error *err)
{
    enum { check_bytes_max = 64 * 1024 };
    struct arena work;
    arena_init(&work, check_bytes_max);
    const struct connect_check *check = connect_check_new(&work, arena, entries);
    enum status status = STATUS_NO_MEMORY;
    *out = NULL;
    if (check != NULL) {
        status = findings_collect(arena, check, findings);
    }
    if (status == STATUS_OK && findings->count == 0) {
        struct sink_config *config = ARENA_NEW(arena, struct sink_config);
        status = config != NULL ? config_fill(check, config) : STATUS_NO_MEMORY;
        *out = config;
    }
    arena_release(&work);
    return status == STATUS_OK ? STATUS_OK
                               : error_set(err, status, "a configuration: out of memory");
}
