#include "sink_writer.h"

#include "record_headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { current_bytes_max = 4096, zero_pad_max = SINK_KEY_BYTES_MAX };

/* Where a record is while it is taken. */
struct taking {
    struct sink_writer *writer;
    const struct store_record *raw;
    struct sink_record record;
    struct sink_failure *failure;
};

/* --- life ------------------------------------------------------------------------------------- */

static void writer_plan_rotation(struct sink_writer *writer)
{
    const struct sink *sink = writer->sink;
    writer->next_rotation_ms = sink->options.config->rotate_schedule_interval_ms > 0
                                   ? sink_path_next_rotation_ms(&sink->path, sink->now_ms)
                                   : INT64_MAX;
}

enum status sink_writer_init(struct sink_writer *writer, struct sink *sink, struct span topic,
                             struct error *err)
{
    *writer = (struct sink_writer){.sink = sink};
    buf_init(&writer->current, current_bytes_max);
    writer->topic = malloc(topic.len + 1);
    if (writer->topic == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    memcpy(writer->topic, topic.ptr, topic.len);
    writer->topic[topic.len] = '\0';
    writer->topic_len = topic.len;
    writer->next_rotation_ms = INT64_MAX;
    return STATUS_OK;
}

void sink_writer_begin(struct sink_writer *writer, int64_t offset, bool due)
{
    writer->position = offset;
    writer->safe = offset;
    writer->committed = offset;
    writer_plan_rotation(writer);
    if (due && writer->next_rotation_ms != INT64_MAX) {
        writer->next_rotation_ms = writer->sink->now_ms;
    }
}

bool sink_writer_has_plan(const struct sink_writer *writer)
{
    return writer->next_rotation_ms != INT64_MAX && writer->next_rotation_ms > writer->sink->now_ms;
}

static void writer_close_files(struct sink_writer *writer)
{
    while (writer->files != NULL) {
        struct sink_file *file = writer->files;
        writer->files = file->next;
        sink_file_close(&writer->sink->files, file);
    }
    writer->last_file = NULL;
    writer->record_count = 0;
    writer->has_base = false;
}

void sink_writer_rewind(struct sink_writer *writer)
{
    writer_close_files(writer);
    buf_reset(&writer->current);
    writer->position = writer->safe;
}

void sink_writer_release(struct sink_writer *writer)
{
    writer_close_files(writer);
    buf_release(&writer->current);
    free(writer->topic);
    writer->topic = NULL;
}

struct span sink_writer_topic(const struct sink_writer *writer)
{
    return span_from(writer->topic, writer->topic_len);
}

/* --- failing ---------------------------------------------------------------------------------- */

static enum sink_outcome writer_fail_put(struct sink_failure *failure)
{
    sink_fail_wrap(failure, JAVA_CONNECT_EXCEPTION,
                   "Exiting WorkerSinkTask due to unrecoverable exception.");
    return SINK_FAILED;
}

/* Uploads that fail, and our own shortages, are tried again from the safe offset. */
static enum sink_outcome writer_try_later(struct sink_writer *writer, const char *why)
{
    const struct sink_options *options = &writer->sink->options;
    LOG_WARNF(options->log, "sink", "connector %.*s: %s-%d: %s; next try in %lld ms",
              SPAN_ARG(options->config->name), writer->topic, (int)writer->partition, why,
              (long long)options->config->retry_backoff_ms);
    sink_writer_rewind(writer);
    writer->retry_us =
        options->env->monotonic_us(options->env) + options->config->retry_backoff_ms * 1000;
    return SINK_TRY_LATER;
}

static enum sink_outcome writer_fail_storage(struct sink_writer *writer, enum status status,
                                             const struct error *err, struct sink_failure *failure)
{
    switch (status) {
    case STATUS_LIMIT:
        sink_fail(failure, JAVA_OUT_OF_MEMORY_ERROR, "Java heap space");
        LOG_WARNF(writer->sink->options.log, "sink", "connector %.*s: %s",
                  SPAN_ARG(writer->sink->options.config->name), err->message);
        return writer_fail_put(failure);
    case STATUS_BUSY:
        sink_fail(failure, JAVA_OUT_OF_MEMORY_ERROR, "Java heap space: %s", err->message);
        return writer_fail_put(failure);
    case STATUS_NO_MEMORY:
    case STATUS_NOT_FOUND:
        return writer_try_later(writer, err->message);
    default:
        sink_writer_rewind(writer);
        return SINK_STORE_FAILED;
    }
}

/* Reports what went wrong with the record; it is skipped where errors are tolerated. */
static enum sink_outcome writer_skip_or_fail(struct taking *t)
{
    struct sink_writer *writer = t->writer;
    if (t->failure->no_memory) {
        return writer_try_later(writer, "out of memory");
    }
    struct sink_report report = {
        .record = &t->record, .raw = t->raw, .task = writer->task, .failure = t->failure};
    if (sink_report(writer->sink, &report)) {
        return SINK_TAKEN;
    }
    sink_fail_wrap(t->failure, JAVA_CONNECT_EXCEPTION, "Tolerance exceeded in error handler");
    return t->failure->stage == SINK_STAGE_TASK_PUT ? writer_fail_put(t->failure) : SINK_FAILED;
}

/* A failure that put() hands to the reporter when there is one, and throws itself if not. */
static enum sink_outcome writer_skip_or_throw(struct taking *t)
{
    t->failure->stage = SINK_STAGE_TASK_PUT;
    if (t->failure->no_memory) {
        return writer_try_later(t->writer, "out of memory");
    }
    return sink_reports_puts(t->writer->sink) ? writer_skip_or_fail(t)
                                              : writer_fail_put(t->failure);
}

/* --- names ------------------------------------------------------------------------------------ */

static void writer_append_padded(struct buf *out, int64_t offset, int width)
{
    buf_printf(out, "%0*lld", width < zero_pad_max ? width : zero_pad_max, (long long)offset);
}

/* topics/u.pin/partition=0/u.pin+0+0000000000.json */
static void writer_write_key(const struct sink_writer *writer, const struct sink_file *file,
                             enum sink_stream_kind kind, struct buf *out)
{
    const struct sink_config *config = writer->sink->options.config;
    bool bytes = config->format == SINK_FORMAT_BYTES && kind == SINK_STREAM_VALUE;
    buf_reset(out);
    if (span_trim(config->topics_dir).len > 0) {
        buf_append_span(out, config->topics_dir);
        buf_append_span(out, config->directory_delim);
    }
    buf_append(out, writer->topic, writer->topic_len);
    buf_append_span(out, config->directory_delim);
    buf_append_span(out, buf_span(&file->encoded));
    buf_append_span(out, config->directory_delim);
    buf_append(out, writer->topic, writer->topic_len);
    buf_append_span(out, config->file_delim);
    buf_append_i64(out, writer->partition);
    buf_append_span(out, config->file_delim);
    writer_append_padded(out, file->start_offset, config->zero_pad);
    if (kind != SINK_STREAM_VALUE) {
        buf_append_cstr(out, kind == SINK_STREAM_KEYS ? ".keys" : ".headers");
    }
    buf_append_span(out, bytes ? config->bytes_extension : SPAN_LIT(".json"));
    if (config->gzip) {
        BUF_APPEND_LIT(out, ".gz");
    }
}

/* --- committing ------------------------------------------------------------------------------- */

static enum sink_outcome writer_commit_file(struct sink_writer *writer, struct sink_file *file,
                                            struct sink_failure *failure)
{
    struct sink *sink = writer->sink;
    struct error err;
    for (int kind = 0; kind < SINK_STREAMS; kind++) {
        writer_write_key(writer, file, (enum sink_stream_kind)kind, &sink->scratch->object_key);
        if (!buf_ok(&sink->scratch->object_key)) {
            return writer_try_later(writer,
                                    "Unable to initiate MultipartUpload: Your key is too long");
        }
        struct sink_object object = {.bucket_id = sink->bucket_id,
                                     .key = buf_span(&sink->scratch->object_key),
                                     .modified_ms = sink->now_ms};
        enum status status =
            sink_file_put(&sink->files, file, (enum sink_stream_kind)kind, &object, &err);
        if (status != STATUS_OK) {
            return writer_fail_storage(writer, status, &err, failure);
        }
    }
    return SINK_TAKEN;
}

static enum sink_outcome writer_commit_files(struct sink_writer *writer,
                                             struct sink_failure *failure)
{
    if (writer->sink->bucket_id == 0) {
        return writer_try_later(writer,
                                "Unable to initiate MultipartUpload: The specified bucket does "
                                "not exist");
    }
    for (struct sink_file *file = writer->files; file != NULL; file = file->next) {
        enum sink_outcome outcome = writer_commit_file(writer, file, failure);
        if (outcome != SINK_TAKEN) {
            return outcome;
        }
    }
    writer_close_files(writer);
    writer->safe = writer->position;
    return SINK_TAKEN;
}

/* --- rotating --------------------------------------------------------------------------------- */

static bool writer_rotation_due(const struct sink_writer *writer, struct span encoded)
{
    const struct sink_config *config = writer->sink->options.config;
    if (writer->record_count == 0) {
        return false;
    }
    bool timed = config->rotate_interval_ms > 0 && config->partitioner == SINK_PARTITIONER_TIME;
    return (timed && (writer->current_ms - writer->base_ms >= config->rotate_interval_ms ||
                      !span_equal(encoded, buf_span(&writer->current)))) ||
           writer->sink->now_ms >= writer->next_rotation_ms;
}

static enum sink_outcome writer_rotate(struct sink_writer *writer, struct sink_failure *failure)
{
    writer_plan_rotation(writer);
    return writer_commit_files(writer, failure);
}

int64_t sink_writer_due_ms(const struct sink_writer *writer)
{
    return writer->record_count > 0 ? writer->next_rotation_ms : INT64_MAX;
}

enum sink_outcome sink_writer_rest(struct sink_writer *writer, struct sink_failure *failure)
{
    return writer_rotation_due(writer, buf_span(&writer->current)) ? writer_rotate(writer, failure)
                                                                   : SINK_TAKEN;
}

/* --- writing ---------------------------------------------------------------------------------- */

static enum status writer_file_for(struct sink_writer *writer, struct span encoded, int64_t offset)
{
    if (writer->last_file != NULL && span_equal(buf_span(&writer->last_file->encoded), encoded)) {
        return STATUS_OK;
    }
    struct sink_file *file = writer->files;
    while (file != NULL && !span_equal(buf_span(&file->encoded), encoded)) {
        file = file->next;
    }
    if (file == NULL) {
        enum status status = sink_file_open(&writer->sink->files, encoded, offset, &file);
        if (status != STATUS_OK) {
            return status;
        }
        file->next = writer->files;
        writer->files = file;
    }
    writer->last_file = file;
    return STATUS_OK;
}

static const char *writer_java_class(const struct sink_value *value)
{
    static const char *const classes[] = {
        [JSON_NULL] = "java.lang.Object",     [JSON_FALSE] = "java.lang.Boolean",
        [JSON_TRUE] = "java.lang.Boolean",    [JSON_INTEGER] = "java.lang.Long",
        [JSON_DECIMAL] = "java.lang.Double",  [JSON_STRING] = "java.lang.String",
        [JSON_ARRAY] = "java.util.ArrayList", [JSON_OBJECT] = "java.util.HashMap",
    };
    return value->kind == SINK_VALUE_JSON ? classes[sink_tree_node(&value->tree, value->root)->kind]
                                          : "java.lang.String";
}

/* The line that the value's file gets. */
static bool writer_write_value(struct taking *t, struct buf *out)
{
    const struct sink *sink = t->writer->sink;
    if (sink->options.config->format == SINK_FORMAT_JSON) {
        sink_value_write(&sink->scratch->value, out);
        buf_append_byte(out, '\n');
        return true;
    }
    if (sink->scratch->value.kind == SINK_VALUE_TEXT ||
        sink->scratch->value.kind == SINK_VALUE_TYPED) {
        return sink_fail(t->failure, JAVA_DATA_EXCEPTION,
                         "Invalid schema type for ByteArrayConverter: %s",
                         sink_value_type_name(&sink->scratch->value));
    }
    if (sink->scratch->value.kind != SINK_VALUE_BYTES) {
        return sink_fail(t->failure, JAVA_DATA_EXCEPTION,
                         "ByteArrayConverter is not compatible with objects of type class %s",
                         writer_java_class(&sink->scratch->value));
    }
    buf_append_span(out, sink->scratch->value.bytes);
    buf_append_span(out, sink->options.config->bytes_separator);
    return true;
}

static bool writer_fail_side(struct taking *t, const char *what)
{
    return sink_fail(t->failure, JAVA_DATA_EXCEPTION,
                     "%s cannot be null for SinkRecord: SinkRecord{kafkaOffset=%lld, "
                     "topic='%s', kafkaPartition=%d} ",
                     what, (long long)t->record.offset, t->writer->topic, (int)t->record.partition);
}

/* --- headers: {"headers":[{"key":...,"value":...}]} ------------------------------------------- */

static bool writer_has_headers(const struct taking *t)
{
    struct record_headers walk;
    struct record_header first;
    return record_headers_open(&walk, t->raw->headers) && record_headers_next(&walk, &first);
}

/* DIFFERS: headers are stored as their text. Connect guesses a type first, which makes "1.10" 1.1
 * and takes the quotes off a quoted text. */
static bool writer_write_headers(struct taking *t, struct buf *out)
{
    struct record_headers walk;
    struct record_header header;
    bool ok = record_headers_open(&walk, t->raw->headers);
    const char *before = "{\"key\":";
    BUF_APPEND_LIT(out, "{\"headers\":[");
    while (ok && record_headers_next(&walk, &header)) {
        buf_append_cstr(out, before);
        before = ",{\"key\":";
        json_string_append(out, header.name);
        BUF_APPEND_LIT(out, ",\"value\":");
        json_string_append(out, header.value);
        buf_append_byte(out, '}');
        ok = header.has_value;
    }
    BUF_APPEND_LIT(out, "]}\n");
    return (ok && record_headers_at_end(&walk)) ||
           sink_fail(t->failure, JAVA_DATA_EXCEPTION,
                     "Invalid value: null used for required field: \"value\", schema type: "
                     "STRING");
}

/* --- one record ------------------------------------------------------------------------------- */

static enum sink_outcome writer_append(struct taking *t, enum sink_stream_kind kind,
                                       struct buf *line)
{
    struct sink_writer *writer = t->writer;
    struct sink *sink = writer->sink;
    struct error err;
    if (!buf_ok(line)) {
        return writer_try_later(writer, "out of memory");
    }
    enum status status =
        sink_file_append(&sink->files, writer->last_file, kind, buf_span(line), &err);
    return status == STATUS_OK ? SINK_TAKEN : writer_fail_storage(writer, status, &err, t->failure);
}

/* Keys and headers that are to be stored must be there; checked before anything is written, so that
 * the files keep in step. False: *failure has a DataException. */
static bool writer_render(struct taking *t)
{
    struct sink *sink = t->writer->sink;
    const struct sink_config *config = sink->options.config;
    buf_trim(&sink->scratch->line, SINK_LINE_KEEP_BYTES);
    buf_trim(&sink->scratch->side, SINK_LINE_KEEP_BYTES);
    if (config->store_keys && sink->scratch->key.kind == SINK_VALUE_NULL) {
        return writer_fail_side(t, "Key");
    }
    if (config->store_headers && !writer_has_headers(t)) {
        return writer_fail_side(t, "Headers");
    }
    if (config->store_headers && !writer_write_headers(t, &sink->scratch->side)) {
        return false;
    }
    return sink->scratch->value.kind == SINK_VALUE_NULL ||
           writer_write_value(t, &sink->scratch->line);
}

static enum sink_outcome writer_write_record(struct taking *t)
{
    struct sink_writer *writer = t->writer;
    struct sink *sink = writer->sink;
    const struct sink_config *config = sink->options.config;
    if (!writer_render(t)) {
        if (!sink_reports_puts(sink)) {
            char message[SINK_MESSAGE_BYTES];
            snprintf(message, sizeof(message), "%s: %.500s", t->failure->chain[0].class_name,
                     t->failure->chain[0].message);
            sink_fail_wrap(t->failure, JAVA_CONNECT_EXCEPTION, message);
        }
        return writer_skip_or_throw(t);
    }
    if (writer_file_for(writer, buf_span(&sink->scratch->encoded), t->record.offset) != STATUS_OK) {
        return writer_try_later(writer, "out of memory");
    }
    enum sink_outcome outcome = SINK_TAKEN;
    if (sink->scratch->value.kind != SINK_VALUE_NULL) {
        outcome = writer_append(t, SINK_STREAM_VALUE, &sink->scratch->line);
    }
    if (outcome == SINK_TAKEN && config->store_headers) {
        outcome = writer_append(t, SINK_STREAM_HEADERS, &sink->scratch->side);
    }
    if (outcome == SINK_TAKEN && config->store_keys) {
        buf_reset(&sink->scratch->line);
        sink_value_write(&sink->scratch->key, &sink->scratch->line);
        buf_append_byte(&sink->scratch->line, '\n');
        outcome = writer_append(t, SINK_STREAM_KEYS, &sink->scratch->line);
    }
    writer->record_count += outcome == SINK_TAKEN ? 1 : 0;
    return outcome;
}

/* The extractor's time and the path for it. */
static bool writer_locate(struct taking *t, enum sink_outcome *outcome)
{
    struct sink_writer *writer = t->writer;
    struct sink *sink = writer->sink;
    const struct sink_config *config = sink->options.config;
    bool timed = config->partitioner == SINK_PARTITIONER_TIME;
    if (timed &&
        !sink_path_time(&sink->path, &t->record, sink->now_ms, &writer->current_ms, t->failure)) {
        *outcome = t->failure->no_memory ? writer_try_later(writer, "out of memory")
                                         : writer_fail_put(t->failure);
        return false;
    }
    if (sink->scratch->value.kind == SINK_VALUE_NULL) {
        buf_reset(&sink->scratch->encoded);
        buf_append_span(&sink->scratch->encoded, config->tombstone_partition);
    } else if (!sink_path_encode(&sink->path, &t->record, writer->current_ms,
                                 &sink->scratch->encoded, t->failure)) {
        *outcome = writer_skip_or_throw(t);
        return false;
    }
    if (!buf_ok(&sink->scratch->encoded)) {
        *outcome = writer_try_later(writer, "the encoded partition is too long");
        return false;
    }
    return true;
}

static enum sink_outcome writer_put(struct taking *t)
{
    struct sink_writer *writer = t->writer;
    struct sink *sink = writer->sink;
    enum sink_outcome outcome;
    if (!writer_locate(t, &outcome)) {
        return outcome;
    }
    if (writer_rotation_due(writer, buf_span(&sink->scratch->encoded))) {
        outcome = writer_rotate(writer, t->failure);
        if (outcome != SINK_TAKEN) {
            return outcome;
        }
    }
    if (!writer->has_base) {
        writer->base_ms = writer->current_ms;
        writer->has_base = true;
    }
    if (!span_equal(buf_span(&writer->current), buf_span(&sink->scratch->encoded))) {
        buf_reset(&writer->current);
        buf_append_span(&writer->current, buf_span(&sink->scratch->encoded));
    }
    return writer_write_record(t);
}

static bool writer_convert(struct taking *t)
{
    struct sink *sink = t->writer->sink;
    t->failure->stage = SINK_STAGE_KEY_CONVERTER;
    if (!sink_value_convert(&sink->scratch->key, &sink->key_how, t->raw->has_key, t->raw->key,
                            t->failure)) {
        return false;
    }
    t->failure->stage = SINK_STAGE_VALUE_CONVERTER;
    return sink_value_convert(&sink->scratch->value, &sink->value_how, t->raw->has_value,
                              t->raw->value, t->failure);
}

static enum sink_outcome writer_take(struct taking *t)
{
    struct sink *sink = t->writer->sink;
    if (!writer_convert(t)) {
        return writer_skip_or_fail(t);
    }
    if (sink->scratch->value.kind != SINK_VALUE_NULL) {
        return writer_put(t);
    }
    switch (sink->options.config->on_null) {
    case SINK_NULL_WRITE:
        return writer_put(t);
    case SINK_NULL_IGNORE:
        if (!sink_reports_puts(sink)) {
            return SINK_TAKEN;
        }
        t->failure->stage = SINK_STAGE_TASK_PUT;
        sink_fail(t->failure, JAVA_DATA_EXCEPTION, "Skipping null value record.");
        return writer_skip_or_fail(t);
    case SINK_NULL_FAIL:
        break;
    }
    sink_fail(t->failure, JAVA_CONNECT_EXCEPTION,
              "Null valued records are not writeable with current behavior.on.null.values "
              "'settings.");
    return writer_fail_put(t->failure);
}

enum sink_outcome sink_writer_take(struct sink_writer *writer, const struct store_record *record,
                                   struct sink_failure *failure)
{
    struct taking t = {
        .writer = writer,
        .raw = record,
        .record = {.topic = sink_writer_topic(writer),
                   .partition = writer->partition,
                   .offset = record->offset,
                   .timestamp_ms = record->timestamp_ms,
                   .value = &writer->sink->scratch->value},
        .failure = failure,
    };
    writer->position = record->offset;
    enum sink_outcome outcome = writer_take(&t);
    if (outcome != SINK_TAKEN) {
        return outcome;
    }
    writer->position = record->offset + 1;
    if (writer->record_count == 0) { /* skipped, and nothing is open */
        writer->safe = writer->position;
        return SINK_TAKEN;
    }
    return writer->record_count >= writer->sink->options.config->flush_size
               ? writer_commit_files(writer, failure)
               : SINK_TAKEN;
}
