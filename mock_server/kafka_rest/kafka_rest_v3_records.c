/* v3's produce: a body of concatenated JSON objects, one a record, each answered by a receipt of
 * its own. The status is 200 even when every record is refused (specs/kafka-rest-v2.md section 5).
 *
 * A record that cannot be bound is refused and the next one is read; a body that is no longer JSON
 * ends the stream there. */
#include "base64.h"
#include "kafka_rest_decode.h"
#include "kafka_rest_handlers.h"
#include "kafka_rest_produce.h"
#include "kafka_rest_time.h"
#include "kafka_rest_v3.h"
#include "record_headers.h"
#include "varint.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_CLASS "io.confluent.kafkarest.entities.v3.ProduceRequest"
#define DATA_CLASS   RECORD_CLASS "$ProduceRequestData"
#define HEADER_CLASS RECORD_CLASS "$ProduceRequestHeader"
#define HEADER_LIST  "java.util.ArrayList<" HEADER_CLASS ">"
#define FORMAT_CLASS "io.confluent.kafkarest.entities.EmbeddedFormat"

enum {
    /* DIFFERS: a v3 produce has at most 10000 records and 2 MiB, else it is 413 before any record
     * is stored, so that nobody waits for it long; the real proxy reads and answers such a stream
     * for as long as it lasts. */
    V3_PRODUCE_RECORDS_MAX = 10000,
    V3_PRODUCE_BYTES_MAX = 2 * 1024 * 1024,
};

/* What the receipt tells beside the broker's result; one a record in job->extra. */
struct receipt {
    const char *key_type; /* NULL: no key object was sent */
    const char *value_type;
    int64_t key_size;
    int64_t value_size;
};

struct record_data {
    bool present;
    struct kafka_rest_string type;
    bool has_schema;
    bool has_data;
    struct span data; /* source text */
};

struct header_text {
    struct kafka_rest_string name;
    struct kafka_rest_string value; /* base64 */
    struct buf *bytes;              /* the value decoded */
};

/* One record while it is decoded. */
struct v3_record {
    struct kafka_rest_int partition_id;
    struct record_data key;
    struct record_data value;
    bool has_timestamp;
    int64_t timestamp_ms;
    size_t header_count;
    struct buf headers;      /* Kafka's bytes behind the count */
    struct buf header_value; /* of the header that is being read */
};

/* --- decoding one record --- */

static bool v3_decode_partition_id(struct kafka_rest_decoder *decoder, void *into)
{
    return kafka_rest_decode_int(decoder, &((struct v3_record *)into)->partition_id);
}

static bool v3_decode_data_type(struct kafka_rest_decoder *decoder, void *into)
{
    static const char *const types[] = {"BINARY", "JSON", "AVRO", "JSONSCHEMA", "PROTOBUF"};
    struct kafka_rest_string *type = &((struct record_data *)into)->type;
    if (!kafka_rest_decode_string(decoder, type) || !type->present) {
        return decoder->exchange->reply.status == 200;
    }
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (span_equal_cstr(type->text, types[i])) {
            return true;
        }
    }
    answer_hint(decoder->exchange, "\"type\" is BINARY or JSON (STRING came after 7.2)");
    kafka_rest_error(decoder->exchange, 400, 400,
                     "Cannot deserialize value of type `" FORMAT_CLASS "` from String \"%.*s\": "
                     "not one of the values accepted for Enum class: [JSONSCHEMA, PROTOBUF, AVRO, "
                     "BINARY, JSON]",
                     SPAN_ARG(type->text));
    return false;
}

static bool v3_decode_data_data(struct kafka_rest_decoder *decoder, void *into)
{
    struct record_data *data = into;
    struct json_error err;
    data->has_data = json_skip(&decoder->cursor, &data->data, &err);
    return data->has_data || kafka_rest_decode_failed(decoder, &err);
}

static bool decode_schema_text(struct kafka_rest_decoder *decoder, void *into)
{
    struct kafka_rest_string text;
    if (!kafka_rest_decode_string(decoder, &text)) {
        return false;
    }
    ((struct record_data *)into)->has_schema |= text.present;
    return true;
}

static bool decode_schema_int(struct kafka_rest_decoder *decoder, void *into)
{
    struct kafka_rest_int number;
    if (!kafka_rest_decode_int(decoder, &number)) {
        return false;
    }
    ((struct record_data *)into)->has_schema |= number.present;
    return true;
}

static bool v3_decode_record_data(struct kafka_rest_decoder *decoder, struct record_data *data)
{
    static const struct kafka_rest_field fields[] = {
        {"type", v3_decode_data_type},    {"data", v3_decode_data_data},
        {"subject", decode_schema_text},  {"subject_name_strategy", decode_schema_text},
        {"schema_id", decode_schema_int}, {"schema_version", decode_schema_int},
        {"schema", decode_schema_text},
    };
    static const struct kafka_rest_class class = {DATA_CLASS, fields, ARRAY_COUNT(fields)};
    bool is_null;
    *data = (struct record_data){.data = SPAN_EMPTY};
    if (!kafka_rest_decode_object(decoder, &class, data, &is_null)) {
        return false;
    }
    data->present = !is_null;
    if (data->present && !data->has_data) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Cannot construct instance of `" DATA_CLASS "`, problem: Null data");
        return false;
    }
    return true;
}

static bool v3_decode_key(struct kafka_rest_decoder *decoder, void *into)
{
    return v3_decode_record_data(decoder, &((struct v3_record *)into)->key);
}

static bool v3_decode_value(struct kafka_rest_decoder *decoder, void *into)
{
    return v3_decode_record_data(decoder, &((struct v3_record *)into)->value);
}

static bool v3_decode_timestamp(struct kafka_rest_decoder *decoder, void *into)
{
    struct v3_record *record = into;
    struct kafka_rest_string text;
    if (!kafka_rest_decode_string(decoder, &text)) {
        return false;
    }
    record->has_timestamp = text.present;
    if (text.present && !kafka_rest_time_parse(text.text, &record->timestamp_ms)) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Cannot deserialize value of type `java.time.Instant` from String "
                         "\"%.*s\": Failed to deserialize java.time.Instant",
                         SPAN_ARG(text.text));
        return false;
    }
    return true;
}

static bool v3_decode_header_name(struct kafka_rest_decoder *decoder, void *into)
{
    return kafka_rest_decode_string(decoder, &((struct header_text *)into)->name);
}

static bool v3_decode_header_value(struct kafka_rest_decoder *decoder, void *into)
{
    struct header_text *header = into;
    if (!kafka_rest_decode_string(decoder, &header->value) || !header->value.present) {
        return decoder->exchange->reply.status == 200;
    }
    buf_reset(header->bytes);
    bool good = base64_decode(header->value.text, header->bytes);
    if (!good) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Cannot deserialize value of type `byte[]` from String \"%.*s\": Failed "
                         "to decode VALUE_STRING as base64 (MIME-NO-LINEFEEDS)",
                         SPAN_ARG(header->value.text));
    }
    return good;
}

static bool v3_decode_header(struct kafka_rest_decoder *decoder, void *into)
{
    static const struct kafka_rest_field fields[] = {{"name", v3_decode_header_name},
                                                     {"value", v3_decode_header_value}};
    static const struct kafka_rest_class class = {HEADER_CLASS, fields, ARRAY_COUNT(fields)};
    struct v3_record *record = into;
    struct header_text header = {.name = {.text = SPAN_EMPTY}, .bytes = &record->header_value};
    bool is_null;
    if (!kafka_rest_decode_object(decoder, &class, &header, &is_null)) {
        return false;
    }
    if (!header.name.present) {
        kafka_rest_error(decoder->exchange, 400, 400,
                         "Cannot construct instance of `" HEADER_CLASS "`, problem: Null name");
        return false;
    }
    record_header_append(&record->headers,
                         &(struct record_header){.name = header.name.text,
                                                 .has_value = header.value.present,
                                                 .value = buf_span(&record->header_value)});
    record->header_count++;
    return true;
}

static bool v3_decode_headers(struct kafka_rest_decoder *decoder, void *into)
{
    struct v3_record *record = into;
    bool is_null;
    buf_reset(&record->headers);
    record->header_count = 0;
    return kafka_rest_decode_list(decoder, HEADER_LIST, v3_decode_header, into, &is_null);
}

static bool decode_v3_record(struct kafka_rest_decoder *decoder, struct v3_record *record)
{
    static const struct kafka_rest_field fields[] = {
        {"partition_id", v3_decode_partition_id},
        {"headers", v3_decode_headers},
        {"key", v3_decode_key},
        {"value", v3_decode_value},
        {"timestamp", v3_decode_timestamp},
    };
    static const struct kafka_rest_class class = {RECORD_CLASS, fields, ARRAY_COUNT(fields)};
    bool is_null;
    if (!kafka_rest_decode_object(decoder, &class, record, &is_null)) {
        return false;
    }
    if (is_null) {
        kafka_rest_error(decoder->exchange, 400, 400, "Bad Request: a record must not be null");
    }
    return !is_null;
}

/* --- to bytes --- */

/* The bytes of key or value, as an offset into job->request.bytes for now. */
static bool encode_data(struct produce_job *job, const struct record_data *data, bool *present,
                        struct span *out)
{
    struct exchange *exchange = job->call->exchange;
    struct buf *bytes = &job->request.bytes;
    size_t start = bytes->len;
    *present = false;
    if (!data->present) {
        return true;
    }
    bool json = span_equal_cstr(data->type.text, "JSON");
    if (data->has_schema || (!json && !span_equal_cstr(data->type.text, "BINARY"))) {
        answer_hint(exchange, "there is no schema registry here: give \"type\" as BINARY or "
                              "JSON");
        kafka_rest_error_known(exchange, ERROR_REGISTRY_MISSING);
        return false;
    }
    struct produce_value value = {
        .format = json ? MEDIA_JSON : MEDIA_BINARY,
        .raw = data->data,
        .long_decimals = &job->request.long_decimals,
    };
    if (!produce_value_encode(&value, bytes, &exchange->arena)) {
        kafka_rest_error(exchange, 400, 400, "%s", value.why != NULL ? value.why : "Bad Request");
        return false;
    }
    *present = value.present;
    *out = produce_offset_span(start, bytes->len - start);
    return true;
}

static const char *v3_type_of(const struct record_data *data)
{
    return !data->present ? NULL : span_equal_cstr(data->type.text, "JSON") ? "JSON" : "BINARY";
}

/* Count and headers, in memory that lives as long as the job; without memory there are none. */
static void bind_headers(struct produce_job *job, const struct v3_record *record, struct span *out)
{
    struct buf bytes;
    buf_init(&bytes, record->headers.len + VARINT_BYTES_MAX);
    record_headers_write(&bytes, record->header_count, buf_span(&record->headers));
    const char *copy = arena_copy_cstr(&job->texts, buf_span(&bytes));
    bool good =
        buf_ok(&record->headers) && buf_ok(&record->header_value) && buf_ok(&bytes) && copy != NULL;
    *out = good ? span_from(copy, bytes.len) : SPAN_EMPTY;
    buf_release(&bytes);
}

/* Binds one record's text: false when it is refused, with the error in the reply. */
static bool bind_record(struct produce_job *job, struct span text, struct broker_record *out,
                        struct receipt *receipt)
{
    struct kafka_rest_decoder decoder = {.exchange = job->call->exchange,
                                         .cursor = json_cursor_at(text)};
    struct v3_record record = {.timestamp_ms = -1};
    buf_init(&record.headers, text.len + 1);
    buf_init(&record.header_value, text.len + 1);
    bool good = decode_v3_record(&decoder, &record) &&
                encode_data(job, &record.key, &out->has_key, &out->key) &&
                encode_data(job, &record.value, &out->has_value, &out->value);
    if (good && record.partition_id.present) {
        out->partition = (int32_t)record.partition_id.value;
        if (out->partition < 0) {
            kafka_rest_error_known(job->call->exchange, ERROR_INTERNAL);
            good = false;
        }
    }
    if (good && record.header_count > 0) {
        bind_headers(job, &record, &out->headers);
    }
    buf_release(&record.headers);
    buf_release(&record.header_value);
    out->timestamp_ms = record.has_timestamp ? record.timestamp_ms : -1;
    receipt->key_type = v3_type_of(&record.key);
    receipt->value_type = v3_type_of(&record.value);
    /* The size of nothing is -1 in Kafka's record metadata. */
    receipt->key_size = out->has_key ? (int64_t)out->key.len : -1;
    receipt->value_size = out->has_value ? (int64_t)out->value.len : -1;
    return good;
}

/* Moves the error out of the reply into the job: it stands in the record's place. */
static void v3_take_error(struct produce_job *job)
{
    struct reply *reply = &job->call->exchange->reply;
    int64_t code = 500;
    if (reply->error_code != NULL) {
        (void)span_parse_i64(span_from_cstr(reply->error_code), &code);
    }
    produce_job_refuse(job, (int)code, buf_span(&reply->body));
    buf_reset(&reply->body);
    reply->status = 200;
    reply->error_code = NULL;
}

static bool add_record(struct produce_job *job, struct span text, const struct json_error *syntax)
{
    struct broker_record record = {.partition = -1,
                                   .timestamp_ms = -1,
                                   .key = SPAN_EMPTY,
                                   .value = SPAN_EMPTY,
                                   .headers = SPAN_EMPTY};
    const struct broker_result result = {.error = KAFKA_ERROR_NONE};
    struct receipt receipt = {.key_type = NULL};
    bool good = false;
    if (job->request.count == V3_PRODUCE_RECORDS_MAX) {
        return false;
    }
    if (syntax != NULL) {
        kafka_rest_error(job->call->exchange, 400, 400, "%s", syntax->message);
    } else {
        good = bind_record(job, text, &record, &receipt);
    }
    job->request.count++;
    if (!good) {
        record = (struct broker_record){.partition = -1, .timestamp_ms = -1};
        v3_take_error(job);
    }
    buf_append(&job->request.records, &record, sizeof(record));
    buf_append(&job->results, &result, sizeof(result));
    buf_append(&job->extra, &receipt, sizeof(receipt));
    return true;
}

/* Every object of the body; false: the answer is written. */
static bool v3_decode_stream(struct produce_job *job)
{
    struct exchange *exchange = job->call->exchange;
    struct json_cursor cursor = json_document(exchange->request.body);
    bool sound = true;
    produce_request_reset(&job->request);
    buf_reset(&job->results);
    buf_reset(&job->extra);
    while (sound && !json_at_end(&cursor)) {
        struct json_error err;
        struct span text = SPAN_EMPTY;
        sound = json_skip(&cursor, &text, &err);
        if (!add_record(job, text, sound ? NULL : &err)) {
            produce_too_many_records(exchange, V3_PRODUCE_RECORDS_MAX);
            return false;
        }
    }
    if (job->request.count == 0) {
        kafka_rest_error(exchange, 422, 42206,
                         "Payload error. Null input provided. Data is required.");
        return false;
    }
    if (!buf_ok(&job->request.bytes) || !buf_ok(&job->request.records) || !buf_ok(&job->results) ||
        !buf_ok(&job->refusals) || !buf_ok(&job->extra)) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    job->end = job->request.count;
    produce_request_settle(&job->request);
    return true;
}

/* --- receipts --- */

static void v3_append_part(struct v3_writer *w, const char *name, const char *type, int64_t size)
{
    if (type == NULL) {
        return;
    }
    json_member_object(&w->json, name);
    json_member_cstr(&w->json, "type", type);
    json_member_i64(&w->json, "size", size);
    json_write_end(&w->json);
}

static void v3_append_kept(struct v3_writer *w, const struct produce_job *job,
                           const struct broker_result *result, const struct receipt *receipt)
{
    char timestamp[KAFKA_REST_TIME_BYTES];
    kafka_rest_time_format(result->timestamp_ms, timestamp);
    json_write_object(&w->json);
    json_member_string(&w->json, "cluster_id", w->cluster_id);
    json_member_string(&w->json, "topic_name", job->topic);
    json_member_i64(&w->json, "partition_id", result->partition);
    json_member_i64(&w->json, "offset", result->offset);
    json_member_cstr(&w->json, "timestamp", timestamp);
    v3_append_part(w, "key", receipt->key_type, receipt->key_size);
    v3_append_part(w, "value", receipt->value_type, receipt->value_size);
    json_write_end(&w->json);
}

static void v3_append_failed(struct v3_writer *w, int code, struct span words)
{
    json_write_object(&w->json);
    json_member_i64(&w->json, "error_code", code);
    json_member_string(&w->json, "message", words);
    json_write_end(&w->json);
}

/* Returns the record's error code, 0: it is kept. */
static int v3_append_receipt(struct v3_writer *w, const struct produce_job *job, size_t record,
                             const struct produce_refusal *refusal)
{
    const struct produce_outcome outcome = produce_job_outcome(job);
    const struct broker_result *result = &outcome.results[record];
    const struct receipt *receipts = (const struct receipt *)(const void *)job->extra.ptr;
    /* Receipts stand one behind the other, each a text of its own. */
    w->json = json_writer_to(&job->call->exchange->reply.body);
    if (refusal != NULL) {
        json_write_raw(&w->json, span_from_cstr(refusal->answer));
        return refusal->code;
    }
    if (result->error == KAFKA_ERROR_NONE) {
        v3_append_kept(w, job, result, &receipts[record]);
        return 0;
    }
    int code = produce_error_code(result->error);
    v3_append_failed(w, code, produce_error_words(&outcome, record, &w->scratch));
    return code;
}

static void v3_encode_receipts(struct produce_job *job, struct exchange *exchange)
{
    const struct produce_refusal *refusal = produce_job_refusals(job);
    size_t refusals_left = job->refusal_count;
    struct v3_writer w;
    produce_job_hint(job);
    v3_writer_open(&w, job->call);
    for (size_t i = 0; i < job->request.count; i++) {
        bool is_refused = refusals_left > 0 && refusal->record == i;
        int code = v3_append_receipt(&w, job, i, is_refused ? refusal : NULL);
        if (code != 0 && exchange->reply.error_code == NULL) {
            exchange->reply.error_code = arena_printf(&exchange->arena, "%d", code);
        }
        if (is_refused) {
            refusal++;
            refusals_left--;
        }
    }
    (void)v3_writer_end(&w);
}

static enum handled v3_refuse_long(struct exchange *exchange)
{
    answer_hint(exchange,
                "a v3 produce may have %d MiB here (v2's 100): send fewer records a request",
                V3_PRODUCE_BYTES_MAX / (1024 * 1024));
    return kafka_rest_error(exchange, 413, 413, "HTTP 413 Request Entity Too Large");
}

static enum handled v3_records_produce(struct kafka_rest_call *call)
{
    if (!v3_cluster_is_named(call)) {
        return HANDLED;
    }
    if (call->exchange->request.body.len > V3_PRODUCE_BYTES_MAX) {
        return v3_refuse_long(call->exchange);
    }
    struct produce_job *job = produce_job_take(call, call->match.captures[1]);
    if (job == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    call->exchange->reply.status = 200; /* what no record's error leaves behind */
    if (!v3_decode_stream(job)) {
        produce_job_return(job);
        return HANDLED;
    }
    job->encode = v3_encode_receipts;
    return produce_job_run(job);
}

enum handled kafka_rest_v3_records(struct kafka_rest_call *call)
{
    return v3_cluster_ask(call, v3_records_produce);
}
