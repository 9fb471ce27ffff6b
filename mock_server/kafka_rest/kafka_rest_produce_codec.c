#include "kafka_rest_produce_codec.h"

#include "base64.h"
#include "json_write.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_CLASS "io.confluent.kafkarest.entities.v2.ProduceRequest"
#define RECORD_CLASS  "io.confluent.kafkarest.entities.v2.ProduceRequest$ProduceRecord"

/* A value of more than PRODUCE_REENCODED_BYTES_MAX of text, in a body that is read twice. */
struct long_value {
    size_t start;
    size_t end;
    size_t too_long_bytes; /* 0: it is re-encoded */
};

struct span produce_offset_span(size_t start, size_t len)
{
    /* Not span_from: offset 0 is no missing text. */
    return (struct span){(const char *)(uintptr_t)start, len};
}

void produce_request_init(struct produce_request *request)
{
    *request = (struct produce_request){.count = 0};
    /* Re-encoded text grows at most sixfold (a control character becomes an escape only when it was
     * one), characters above U+FFFF threefold, decimals by a few digits. */
    buf_init(&request->bytes, (size_t)KAFKA_REST_BODY_BYTES_MAX * 4);
    buf_init(&request->records, PRODUCE_RECORDS_MAX * sizeof(struct broker_record));
    buf_init(&request->long_values,
             KAFKA_REST_BODY_BYTES_MAX / PRODUCE_REENCODED_BYTES_MAX * sizeof(struct long_value));
}

void produce_request_reset(struct produce_request *request)
{
    buf_trim(&request->bytes, PRODUCE_SCRATCH_KEEP_BYTES);
    buf_trim(&request->records, PRODUCE_SCRATCH_KEEP_BYTES);
    request->count = 0;
    request->has_schema = false;
    request->long_decimals = 0;
    request->is_large = false;
    request->null_record = 0;
    request->only_checked = false;
    buf_reset(&request->long_values);
    request->is_too_long = false;
    request->long_values_passed = 0;
}

void produce_request_clear(struct produce_request *request)
{
    buf_reset(&request->records);
    buf_reset(&request->bytes);
    request->count = 0;
}

void produce_request_release(struct produce_request *request)
{
    buf_release(&request->bytes);
    buf_release(&request->records);
    buf_release(&request->long_values);
}

static struct broker_record *records_of(struct produce_request *request)
{
    return (struct broker_record *)(void *)request->records.ptr;
}

const struct broker_record *produce_request_records(const struct produce_request *request)
{
    return (const struct broker_record *)(const void *)request->records.ptr;
}

static struct broker_record *last_record(struct produce_request *request)
{
    return &records_of(request)[request->count - 1];
}

/* --- decoding --- */

static bool produce_no_memory(struct kafka_rest_decoder *decoder)
{
    exchange_fail(decoder->exchange, EXCHANGE_NO_MEMORY);
    return false;
}

void produce_too_many_records(struct exchange *exchange, size_t max)
{
    answer_hint(exchange, "a request may have %zu records here: send fewer at once", max);
    kafka_rest_error(exchange, 413, 413, "HTTP 413 Request Entity Too Large");
}

/* As long as the value would be if that is longer than a record may be, however it is re-encoded;
 * else 0. */
static size_t too_long_bytes(size_t count, size_t long_decimals)
{
    size_t doubt = long_decimals * (JSON_DOUBLE_BYTES_MAX - JSON_DOUBLE_BYTES_MIN);
    return count <= PRODUCE_REENCODED_BYTES_MAX + doubt ? 0 : count;
}

/* Bytes as many as the value would be stand for it: it is refused for them. */
static void append_stand_in(struct buf *bytes, struct span raw, size_t count)
{
    buf_append_span(bytes, span_first(raw, count));
    if (count > raw.len && buf_reserve(bytes, count - raw.len)) {
        memset(bytes->ptr + bytes->len, ' ', count - raw.len);
        bytes->len += count - raw.len;
        bytes->ptr[bytes->len] = '\0';
    }
}

/* Counting is for the first pass of a body and re-encoding for the second, so that neither holds
 * others up for both. */
static bool produce_check_json(struct kafka_rest_decoder *decoder, struct produce_request *request)
{
    struct json_cursor *cursor = &decoder->cursor;
    struct json_error err;
    size_t count;
    size_t decimals_before = cursor->long_decimals;
    json_skip_space(cursor);
    struct long_value value = {.start = cursor->position};
    cursor->long_decimals = 0;
    bool good = json_count(cursor, PRODUCE_COUNTED_BYTES_MAX, &count, &err);
    value.end = cursor->position;
    value.too_long_bytes = too_long_bytes(count, cursor->long_decimals);
    cursor->long_decimals = decimals_before;
    request->is_too_long = count > PRODUCE_COUNTED_BYTES_MAX;
    if (request->is_too_long) {
        return false;
    }
    if (!good) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    if (value.end - value.start > PRODUCE_REENCODED_BYTES_MAX) {
        buf_append(&request->long_values, &value, sizeof(value));
    }
    return buf_ok(&request->long_values) || produce_no_memory(decoder);
}

/* The long value that begins at the cursor, or NULL; asked for each in the order of the text. */
static const struct long_value *long_value_at(struct produce_request *request,
                                              struct json_cursor *cursor)
{
    const struct long_value *values =
        (const struct long_value *)(const void *)request->long_values.ptr;
    size_t count = request->long_values.len / sizeof(*values);
    if (request->long_values_passed == count) {
        return NULL;
    }
    json_skip_space(cursor);
    while (request->long_values_passed < count &&
           values[request->long_values_passed].start < cursor->position) {
        request->long_values_passed++;
    }
    const struct long_value *value = &values[request->long_values_passed];
    return request->long_values_passed < count && value->start == cursor->position ? value : NULL;
}

static bool produce_reencode_json(struct kafka_rest_decoder *decoder,
                                  struct produce_request *request)
{
    struct json_cursor *cursor = &decoder->cursor;
    struct json_error err;
    const struct long_value *value = long_value_at(request, cursor);
    if (value != NULL && value->too_long_bytes > 0) {
        struct span raw = span_from(cursor->text.ptr + value->start, value->end - value->start);
        append_stand_in(&request->bytes, raw, value->too_long_bytes);
        cursor->position = value->end;
        return buf_ok(&request->bytes) || produce_no_memory(decoder);
    }
    return json_reencode(cursor, &request->bytes, &err) ||
           (buf_ok(&request->bytes) ? kafka_rest_decode_failed(decoder, &err)
                                    : produce_no_memory(decoder));
}

/* JSON records are re-encoded while they are read; for the others the source text is kept until the
 * whole body has turned out to be well-formed. */
static bool produce_decode_data(struct kafka_rest_decoder *decoder, struct produce_request *request,
                                bool *present, struct span *out)
{
    struct json_error err;
    if (request->format == MEDIA_JSON && request->only_checked) {
        *present = true;
        *out = SPAN_EMPTY;
        return produce_check_json(decoder, request);
    }
    if (request->format == MEDIA_JSON) {
        size_t start = request->bytes.len;
        if (!produce_reencode_json(decoder, request)) {
            return false;
        }
        size_t len = request->bytes.len - start;
        *present = len != 4 || memcmp(request->bytes.ptr + start, "null", 4) != 0;
        *out = produce_offset_span(start, len);
        return true;
    }
    struct span raw;
    if (!json_skip(&decoder->cursor, &raw, &err)) {
        return kafka_rest_decode_failed(decoder, &err);
    }
    *present = true;
    *out = raw;
    return true;
}

static bool produce_decode_key(struct kafka_rest_decoder *decoder, void *into)
{
    struct broker_record *record = last_record(into);
    return produce_decode_data(decoder, into, &record->has_key, &record->key);
}

static bool produce_decode_value(struct kafka_rest_decoder *decoder, void *into)
{
    struct broker_record *record = last_record(into);
    return produce_decode_data(decoder, into, &record->has_value, &record->value);
}

static bool decode_partition(struct kafka_rest_decoder *decoder, void *into)
{
    struct kafka_rest_int value;
    if (!kafka_rest_decode_int(decoder, &value)) {
        return false;
    }
    /* -1 is "not given" here; the producer refuses every negative number alike. */
    last_record(into)->partition = !value.present      ? -1
                                   : value.value == -1 ? INT32_MIN
                                                       : (int32_t)value.value;
    return true;
}

static const struct kafka_rest_field record_fields[] = {
    {"value", produce_decode_value},
    {"key", produce_decode_key},
    {"partition", decode_partition},
};
static const struct kafka_rest_class record_class = {RECORD_CLASS, record_fields,
                                                     ARRAY_COUNT(record_fields)};

bool produce_record_decode(struct kafka_rest_decoder *decoder, struct produce_request *request)
{
    struct broker_record record = {.partition = -1, .timestamp_ms = -1, .headers = SPAN_EMPTY};
    bool is_null;
    buf_append(&request->records, &record, sizeof(record));
    if (!buf_ok(&request->records)) {
        return produce_no_memory(decoder);
    }
    request->count++;
    if (!kafka_rest_decode_object(decoder, &record_class, request, &is_null)) {
        return false;
    }
    if (is_null && request->null_record == 0) {
        request->null_record = request->count;
    }
    return true;
}

static bool decode_record(struct kafka_rest_decoder *decoder, void *into)
{
    struct produce_request *request = into;
    if (request->count == PRODUCE_AT_ONCE_RECORDS_MAX) {
        request->is_large = true;
        return false;
    }
    return produce_record_decode(decoder, request);
}

static bool decode_records(struct kafka_rest_decoder *decoder, void *into)
{
    struct produce_request *request = into;
    bool is_null;
    /* A repeated field: the last one counts. */
    produce_request_clear(request);
    request->null_record = 0;
    return kafka_rest_decode_list(decoder, PRODUCE_RECORD_LIST_TYPE, decode_record, request,
                                  &is_null);
}

static bool decode_schema(struct kafka_rest_decoder *decoder, void *into)
{
    struct produce_request *request = into;
    struct kafka_rest_string text;
    if (!kafka_rest_decode_string(decoder, &text)) {
        return false;
    }
    request->has_schema = request->has_schema || text.present;
    return true;
}

static bool decode_schema_id(struct kafka_rest_decoder *decoder, void *into)
{
    struct produce_request *request = into;
    struct kafka_rest_int id;
    if (!kafka_rest_decode_int(decoder, &id)) {
        return false;
    }
    request->has_schema = request->has_schema || id.present;
    return true;
}

static const struct kafka_rest_field request_fields[] = {
    {"records", decode_records},           {"key_schema", decode_schema},
    {"key_schema_id", decode_schema_id},   {"value_schema", decode_schema},
    {"value_schema_id", decode_schema_id},
};
const struct kafka_rest_class produce_request_class = {REQUEST_CLASS, request_fields,
                                                       ARRAY_COUNT(request_fields)};

bool produce_field_is_records(const struct kafka_rest_field *field)
{
    return field->decode == decode_records;
}

/* The Java method's name in the messages of bean validation. */
static const char *method_name(enum kafka_rest_media format)
{
    switch (format) {
    case MEDIA_JSON:
        return "produceJson";
    case MEDIA_AVRO:
        return "produceAvro";
    case MEDIA_JSONSCHEMA:
        return "produceJsonSchema";
    case MEDIA_PROTOBUF:
        return "produceProtobuf";
    case MEDIA_NONE:
    case MEDIA_APPLICATION_JSON:
    case MEDIA_V2:
    case MEDIA_BINARY:
    case MEDIA_COUNT:
        break;
    }
    return "produceBinary";
}

static bool refuse_nulls(struct produce_request *request, struct exchange *exchange, int arg_index)
{
    if (request->null_record > 0) {
        kafka_rest_error(exchange, 400, 400,
                         "Cannot construct instance of `" REQUEST_CLASS "`, problem: at index %zu",
                         request->null_record - 1);
        return false;
    }
    if (request->count == 0) {
        answer_hint(exchange, "send at least one record: {\"records\": [{\"value\": {...}}]}");
        kafka_rest_error(exchange, 422, 422, "%s.arg%d.records must not be empty (was [])",
                         method_name(request->format), arg_index);
        return false;
    }
    return true;
}

/* --- keys and values as bytes --- */

static void quote_json(struct span raw, struct buf *out)
{
    struct json_cursor cursor = json_cursor_at(raw);
    struct json_error err;
    if (!json_reencode(&cursor, out, &err)) {
        buf_append_span(out, raw);
    }
}

/* "Bad Request: data=<json> is not a ... string." */
static const char *base64_complaint(struct span raw, const char *ending, struct arena *arena)
{
    struct buf text;
    const char *copy = NULL;
    buf_init(&text, raw.len * 4 + 256);
    BUF_APPEND_LIT(&text, "Bad Request: data=");
    quote_json(raw, &text);
    buf_append_cstr(&text, ending);
    if (buf_ok(&text)) {
        copy = arena_copy_cstr(arena, buf_span(&text));
    }
    buf_release(&text);
    return copy != NULL ? copy : "Bad Request: data is not a valid base64 string.";
}

static bool decode_base64(struct span raw, struct buf *bytes)
{
    struct span inner = span_from(raw.ptr + 1, raw.len - 2);
    if (span_find_byte(inner, '\\') == inner.len) {
        return base64_decode(inner, bytes);
    }
    struct buf text; /* "\/" is how some encoders write a slash */
    buf_init(&text, raw.len * 3);
    json_string_decode(raw, &text);
    bool good = buf_ok(&text) && base64_decode(buf_span(&text), bytes);
    buf_release(&text);
    return good;
}

/* False, and nothing is appended: it may be small enough when it is re-encoded. */
static bool append_too_long(struct span raw, struct buf *bytes)
{
    struct json_cursor cursor = json_cursor_at(raw);
    struct json_error err;
    size_t count;
    if (raw.len <= PRODUCE_REENCODED_BYTES_MAX) {
        return false;
    }
    if (!json_count(&cursor, PRODUCE_COUNTED_BYTES_MAX, &count, &err) &&
        count <= PRODUCE_COUNTED_BYTES_MAX) {
        return false;
    }
    count = too_long_bytes(count, cursor.long_decimals);
    count = count < PRODUCE_COUNTED_BYTES_MAX ? count : PRODUCE_COUNTED_BYTES_MAX;
    if (count > 0) {
        append_stand_in(bytes, raw, count);
    }
    return count > 0;
}

bool produce_value_encode(struct produce_value *value, struct buf *bytes, struct arena *arena)
{
    struct span raw = value->raw;
    struct json_cursor cursor = json_cursor_at(raw);
    struct json_error err;
    value->present = !span_equal_cstr(raw, "null");
    value->why = NULL;
    if (!value->present) {
        return true;
    }
    if (value->format == MEDIA_JSON) {
        cursor.long_decimals = value->long_decimals != NULL ? *value->long_decimals : 0;
        bool good = append_too_long(raw, bytes) || json_reencode(&cursor, bytes, &err);
        if (value->long_decimals != NULL) {
            *value->long_decimals = cursor.long_decimals;
        }
        return good;
    }
    if (raw.ptr[0] != '"') {
        value->why = base64_complaint(raw, " is not a base64 string.", arena);
        return false;
    }
    if (!decode_base64(raw, bytes)) {
        value->why = base64_complaint(raw, " is not a valid base64 string.", arena);
        return false;
    }
    return true;
}

static void refuse_base64(struct exchange *exchange, const char *why)
{
    if (http_request_header(&exchange->request, "content-type").len == 0) {
        answer_hint(exchange, "without a Content-Type the proxy takes records for base64: "
                              "send Content-Type: application/vnd.kafka.json.v2+json");
    } else {
        answer_hint(exchange, "the binary format takes keys and values as base64 text; for "
                              "JSON send Content-Type: "
                              "application/vnd.kafka.json.v2+json");
    }
    kafka_rest_error(exchange, 400, 400, "%s", why);
}

/* NULL, or what is wrong with it. */
static const char *encode_binary(struct produce_request *request, struct arena *arena,
                                 bool *present, struct span *data)
{
    size_t start = request->bytes.len;
    struct produce_value value = {.format = MEDIA_BINARY, .raw = *data};
    if (!*present) {
        return NULL;
    }
    if (!produce_value_encode(&value, &request->bytes, arena)) {
        return value.why;
    }
    *present = value.present;
    *data = produce_offset_span(start, request->bytes.len - start);
    return NULL;
}

static const char *encode_binaries(struct produce_request *request, struct arena *arena,
                                   size_t record)
{
    struct broker_record *r = &records_of(request)[record];
    const char *why = encode_binary(request, arena, &r->has_key, &r->key);
    return why != NULL ? why : encode_binary(request, arena, &r->has_value, &r->value);
}

bool produce_record_is_sound(struct produce_request *request, struct arena *arena, size_t record)
{
    return encode_binaries(request, arena, record) == NULL;
}

bool produce_record_encode(struct produce_request *request, struct exchange *exchange,
                           size_t record)
{
    const char *why = encode_binaries(request, &exchange->arena, record);
    if (why != NULL) {
        refuse_base64(exchange, why);
    }
    return why == NULL;
}

/* The offsets become pointers now that the bytes stand still. */
void produce_request_settle(struct produce_request *request)
{
    struct broker_record *records = records_of(request);
    const char *base = request->bytes.ptr != NULL ? request->bytes.ptr : "";
    for (size_t i = 0; i < request->count; i++) {
        struct broker_record *record = &records[i];
        record->key = record->has_key
                          ? span_from(base + (uintptr_t)record->key.ptr, record->key.len)
                          : SPAN_EMPTY;
        record->value = record->has_value
                            ? span_from(base + (uintptr_t)record->value.ptr, record->value.len)
                            : SPAN_EMPTY;
    }
}

void produce_refuse_absent(const struct produce_request *request, struct exchange *exchange,
                           int arg_index)
{
    char where[48];
    snprintf(where, sizeof(where), "%s.arg%d", method_name(request->format), arg_index);
    kafka_rest_error_null(exchange, where);
}

bool produce_request_check(struct produce_request *request, struct exchange *exchange,
                           int arg_index)
{
    if (!refuse_nulls(request, exchange, arg_index)) {
        return false;
    }
    if (request->format != MEDIA_JSON && request->format != MEDIA_BINARY) {
        answer_hint(exchange, "there is no schema registry here (nor in the workshop): send "
                              "Content-Type: application/vnd.kafka.json.v2+json");
        kafka_rest_error_known(exchange, request->has_schema ? ERROR_REGISTRY_MISSING
                                                             : ERROR_SERIALIZER_MISSING);
        return false;
    }
    return true;
}

bool produce_request_decode(struct produce_request *request, struct exchange *exchange,
                            enum kafka_rest_media format, int arg_index)
{
    produce_request_reset(request);
    request->format = format;
    switch (kafka_rest_decode_body(exchange, &produce_request_class, request)) {
    case BODY_REFUSED:
        return false;
    case BODY_ABSENT:
        produce_refuse_absent(request, exchange, arg_index);
        return false;
    case BODY_DECODED:
        break;
    }
    if (!produce_request_check(request, exchange, arg_index)) {
        return false;
    }
    for (size_t i = 0; format == MEDIA_BINARY && i < request->count; i++) {
        if (!produce_record_encode(request, exchange, i)) {
            return false;
        }
    }
    if (!buf_ok(&request->bytes)) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    produce_request_settle(request);
    return true;
}

/* --- receipts --- */

/* A receipt that tells of no failure is written by hand: json_write takes 3.6 times as long. */
static void receipt_append_kept(struct buf *body, const struct broker_result *result)
{
    BUF_APPEND_LIT(body, "{\"partition\":");
    buf_append_i64(body, result->partition);
    BUF_APPEND_LIT(body, ",\"offset\":");
    buf_append_i64(body, result->offset);
    BUF_APPEND_LIT(body, ",\"error_code\":null,\"error\":null}");
}

static void receipt_append_failed(struct buf *body, int code, struct span words)
{
    struct json_writer w = json_writer_to(body);
    json_write_object(&w);
    json_member_null(&w, "partition");
    json_member_null(&w, "offset");
    json_member_i64(&w, "error_code", code);
    json_member_string(&w, "error", words);
    json_write_end(&w);
}

int produce_receipt_append(const struct produce_outcome *outcome, size_t record, struct buf *body,
                           struct buf *words)
{
    const struct broker_result *result = &outcome->results[record];
    if (PP_LIKELY(result->error == KAFKA_ERROR_NONE)) {
        receipt_append_kept(body, result);
        return 0;
    }
    int code = produce_error_code(result->error);
    receipt_append_failed(body, code, produce_error_words(outcome, record, words));
    return code;
}

/* Only refusals by the cluster's own security change the status; the first of them does. */
void produce_receipts_note_code(struct exchange *exchange, int code)
{
    struct reply *reply = &exchange->reply;
    if (reply->status == 200) {
        reply->status = code == PRODUCE_CODE_NOT_AUTHENTICATED ? 401
                        : code == PRODUCE_CODE_NOT_AUTHORIZED  ? 403
                                                               : 200;
    }
    if (reply->error_code == NULL) {
        reply->error_code = arena_printf(&exchange->arena, "%d", code);
    }
}

void produce_receipts_encode(const struct produce_outcome *outcome, struct exchange *exchange)
{
    struct buf *body = &exchange->reply.body;
    struct buf words;
    buf_init(&words, PRODUCE_WORDS_BYTES_MAX);
    exchange->reply.status = 200;
    BUF_APPEND_LIT(body, PRODUCE_RECEIPTS_HEAD);
    for (size_t i = 0; i < outcome->count; i++) {
        if (i > 0) {
            buf_append_byte(body, ',');
        }
        int code = produce_receipt_append(outcome, i, body, &words);
        if (code != 0) {
            produce_receipts_note_code(exchange, code);
        }
    }
    BUF_APPEND_LIT(body, PRODUCE_RECEIPTS_TAIL);
    buf_release(&words);
}
