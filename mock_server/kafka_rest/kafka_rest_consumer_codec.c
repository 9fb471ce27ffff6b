/* The consumers' bodies: typed requests in, answers out. No store and no instance here
 * (specs/kafka-rest-v2.md sections 1.3, 1.4). */
#include "kafka_rest_consumer.h"

#include "base64.h"
#include "kafka_rest_time.h"
#include "url.h"

#include <stdio.h>
#include <string.h>

/* The class names appear only in the words of a 400. */
#define JAVA_PACKAGE "io.confluent.kafkarest.entities.v2."

/* A field that is one scalar of the struct that the class describes. */
#define SCALAR_FIELD(function, owner, member, decode)                                              \
    static bool function(struct kafka_rest_decoder *decoder, void *into)                           \
    {                                                                                              \
        struct owner *body = into;                                                                 \
        return decode(decoder, &body->member);                                                     \
    }

/* --- POST /consumers/{group} --- */

SCALAR_FIELD(create_id, consumer_create_body, id, kafka_rest_decode_string)
SCALAR_FIELD(create_name, consumer_create_body, name, kafka_rest_decode_string)
SCALAR_FIELD(create_format, consumer_create_body, format, kafka_rest_decode_string)
SCALAR_FIELD(create_reset, consumer_create_body, auto_offset_reset, kafka_rest_decode_string)
SCALAR_FIELD(create_commit, consumer_create_body, auto_commit_enable, kafka_rest_decode_string)
SCALAR_FIELD(create_fetch_min, consumer_create_body, fetch_min_bytes, kafka_rest_decode_int)
SCALAR_FIELD(create_wait, consumer_create_body, wait_ms, kafka_rest_decode_int)

static const struct kafka_rest_field create_fields[] = {
    {"id", create_id},
    {"name", create_name},
    {"format", create_format},
    {"auto.offset.reset", create_reset},
    {"auto.commit.enable", create_commit},
    {"fetch.min.bytes", create_fetch_min},
    {"responseMinBytes", create_fetch_min},
    {"consumer.request.timeout.ms", create_wait},
    {"requestWaitMs", create_wait},
};
static const struct kafka_rest_class create_class = {JAVA_PACKAGE "CreateConsumerInstanceRequest",
                                                     create_fields, ARRAY_COUNT(create_fields)};

enum kafka_rest_body consumer_decode_create(struct exchange *exchange,
                                            struct consumer_create_body *body)
{
    *body = (struct consumer_create_body){.id.present = false};
    return kafka_rest_decode_body(exchange, &create_class, body);
}

/* --- lists --- */

/* Room for one more element of `size` bytes behind `count`; `items` is the address of the list's
 * pointer. False: the answer is written. */
static bool list_grow(struct kafka_rest_decoder *decoder, void *items, size_t *cap, size_t count,
                      size_t size)
{
    if (count >= CONSUMER_LIST_MAX) {
        /* DIFFERS: a list of topics, partitions or offsets has at most 2000 entries; the real
         * proxy takes any number. */
        kafka_rest_error(decoder->exchange, 422, 422,
                         "a list in this request may have at most %d entries", CONSUMER_LIST_MAX);
        return false;
    }
    if (!arena_grow(&decoder->exchange->arena, items, cap, count + 1, size)) {
        exchange_fail(decoder->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    return true;
}

/* --- POST .../subscription --- */

static bool subscribe_topic(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_subscribe_body *body = into;
    struct kafka_rest_string topic;
    if (!list_grow(decoder, &body->topics, &body->topic_cap, body->topic_count,
                   sizeof(*body->topics)) ||
        !kafka_rest_decode_string(decoder, &topic)) {
        return false;
    }
    body->topics[body->topic_count++] = topic.text;
    return true;
}

static bool subscribe_topics(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_subscribe_body *body = into;
    bool is_null;
    body->topic_count = 0; /* a repeated field: the last one counts */
    bool ok = kafka_rest_decode_list(decoder, "java.util.ArrayList<java.lang.String>",
                                     subscribe_topic, body, &is_null);
    body->has_topics = ok && !is_null;
    return ok;
}

SCALAR_FIELD(subscribe_pattern, consumer_subscribe_body, pattern, kafka_rest_decode_string)

static const struct kafka_rest_field subscribe_fields[] = {
    {"topics", subscribe_topics},
    {"topic_pattern", subscribe_pattern},
};
static const struct kafka_rest_class subscribe_class = {
    JAVA_PACKAGE "ConsumerSubscriptionRecord", subscribe_fields, ARRAY_COUNT(subscribe_fields)};

enum kafka_rest_body consumer_decode_subscribe(struct exchange *exchange,
                                               struct consumer_subscribe_body *body)
{
    *body = (struct consumer_subscribe_body){.has_topics = false};
    return kafka_rest_decode_body(exchange, &subscribe_class, body);
}

/* --- one place in a log: the element of every other list --- */

/* A Java int or long that is absent or null is 0. */
static bool place_partition(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_place *place = into;
    struct kafka_rest_int value;
    bool ok = kafka_rest_decode_int(decoder, &value);
    place->partition = ok ? (int32_t)value.value : 0;
    return ok;
}

static bool place_offset(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_place *place = into;
    struct kafka_rest_int value;
    bool ok = kafka_rest_decode_long(decoder, &value);
    place->offset = ok ? value.value : 0;
    return ok;
}

SCALAR_FIELD(place_topic, consumer_place, topic, kafka_rest_decode_string)
SCALAR_FIELD(place_metadata, consumer_place, metadata, kafka_rest_decode_string)

static bool refuse_instant(struct kafka_rest_decoder *decoder, struct span text)
{
    answer_hint(decoder->exchange, "a timestamp is ISO 8601 in UTC: 2021-02-05T19:14:42Z");
    kafka_rest_error(decoder->exchange, 400, 400,
                     "Cannot deserialize value of type `java.time.Instant` from String \"%.*s\": "
                     "Failed to deserialize java.time.Instant: "
                     "(java.time.format.DateTimeParseException) Text '%.*s' could not be parsed at "
                     "index 0",
                     SPAN_ARG(text), SPAN_ARG(text));
    return false;
}

static bool place_timestamp(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_place *place = into;
    struct kafka_rest_string value;
    if (!kafka_rest_decode_string(decoder, &value)) {
        return false;
    }
    place->has_timestamp = value.present;
    if (!value.present || kafka_rest_time_parse(value.text, &place->timestamp_ms)) {
        return true;
    }
    return refuse_instant(decoder, value.text);
}

static const struct kafka_rest_field partition_fields[] = {
    {"topic", place_topic},
    {"partition", place_partition},
};
static const struct kafka_rest_field offset_fields[] = {
    {"topic", place_topic},
    {"partition", place_partition},
    {"offset", place_offset},
    {"metadata", place_metadata},
};
static const struct kafka_rest_field timestamp_fields[] = {
    {"topic", place_topic},
    {"partition", place_partition},
    {"timestamp", place_timestamp},
};
static const struct kafka_rest_class partition_class = {
    JAVA_PACKAGE "TopicPartition", partition_fields, ARRAY_COUNT(partition_fields)};
static const struct kafka_rest_class commit_offset_class = {
    JAVA_PACKAGE "TopicPartitionOffsetMetadata", offset_fields, ARRAY_COUNT(offset_fields)};
static const struct kafka_rest_class seek_offset_class = {
    JAVA_PACKAGE "ConsumerSeekRequest$PartitionOffset", offset_fields, ARRAY_COUNT(offset_fields)};
static const struct kafka_rest_class seek_timestamp_class = {
    JAVA_PACKAGE "ConsumerSeekRequest$PartitionTimestamp", timestamp_fields,
    ARRAY_COUNT(timestamp_fields)};

/* --- {"partitions":[...]} --- */

static bool partitions_element(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_partitions_body *body = into;
    struct consumer_place place = {.topic.text = SPAN_EMPTY};
    bool is_null;
    if (!list_grow(decoder, &body->items, &body->cap, body->count, sizeof(*body->items)) ||
        !kafka_rest_decode_object(decoder, &partition_class, &place, &is_null)) {
        return false;
    }
    body->items[body->count++] = (struct group_choice){place.topic.text, place.partition};
    return true;
}

static bool partitions_list(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_partitions_body *body = into;
    bool is_null;
    body->count = 0;
    bool ok = kafka_rest_decode_list(decoder, "java.util.ArrayList<" JAVA_PACKAGE "TopicPartition>",
                                     partitions_element, body, &is_null);
    body->present = ok && !is_null;
    return ok;
}

static const struct kafka_rest_field partitions_fields[] = {{"partitions", partitions_list}};
static const struct kafka_rest_class partitions_class = {
    JAVA_PACKAGE "ConsumerAssignmentRequest", partitions_fields, ARRAY_COUNT(partitions_fields)};

enum kafka_rest_body consumer_decode_partitions(struct exchange *exchange,
                                                struct consumer_partitions_body *body)
{
    *body = (struct consumer_partitions_body){.present = false};
    return kafka_rest_decode_body(exchange, &partitions_class, body);
}

/* --- seeks and commits --- */

static struct consumer_place *places_add(struct kafka_rest_decoder *decoder,
                                         struct consumer_place_list *list)
{
    if (!list_grow(decoder, &list->items, &list->cap, list->count, sizeof(*list->items))) {
        return NULL;
    }
    struct consumer_place *place = &list->items[list->count++];
    *place = (struct consumer_place){.topic.text = SPAN_EMPTY, .metadata.text = SPAN_EMPTY};
    return place;
}

static bool commit_element(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_place *place = places_add(decoder, into);
    bool is_null;
    return place != NULL &&
           kafka_rest_decode_object(decoder, &commit_offset_class, place, &is_null);
}

/* The seek classes refuse to be made without their parts. */
static bool refuse_missing(struct kafka_rest_decoder *decoder, const struct kafka_rest_class *class,
                           const char *part)
{
    kafka_rest_error(decoder->exchange, 400, 400,
                     "Cannot construct instance of `%s`, problem: Null %s", class->java_name, part);
    return false;
}

static bool seek_element(struct kafka_rest_decoder *decoder, struct consumer_place_list *list,
                         const struct kafka_rest_class *class)
{
    struct consumer_place *place = places_add(decoder, list);
    bool is_null;
    if (place == NULL || !kafka_rest_decode_object(decoder, class, place, &is_null)) {
        return false;
    }
    if (!place->topic.present) {
        return refuse_missing(decoder, class, "topic");
    }
    if (class == &seek_timestamp_class && !place->has_timestamp) {
        return refuse_missing(decoder, class, "timestamp");
    }
    return true;
}

static bool seek_offset_element(struct kafka_rest_decoder *decoder, void *into)
{
    return seek_element(decoder, into, &seek_offset_class);
}

static bool seek_timestamp_element(struct kafka_rest_decoder *decoder, void *into)
{
    return seek_element(decoder, into, &seek_timestamp_class);
}

static bool decode_places(struct kafka_rest_decoder *decoder, struct consumer_place_list *list,
                          bool (*element)(struct kafka_rest_decoder *decoder, void *into))
{
    bool is_null;
    list->count = 0;
    bool ok = kafka_rest_decode_list(decoder, "java.util.ArrayList<java.lang.Object>", element,
                                     list, &is_null);
    list->present = ok && !is_null;
    return ok;
}

static bool commit_offsets(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_places_body *body = into;
    return decode_places(decoder, &body->offsets, commit_element);
}

static bool seek_offsets(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_places_body *body = into;
    return decode_places(decoder, &body->offsets, seek_offset_element);
}

static bool seek_timestamps(struct kafka_rest_decoder *decoder, void *into)
{
    struct consumer_places_body *body = into;
    return decode_places(decoder, &body->timestamps, seek_timestamp_element);
}

static const struct kafka_rest_field commit_fields[] = {{"offsets", commit_offsets}};
static const struct kafka_rest_class commit_class = {JAVA_PACKAGE "ConsumerOffsetCommitRequest",
                                                     commit_fields, ARRAY_COUNT(commit_fields)};
static const struct kafka_rest_field seek_fields[] = {
    {"offsets", seek_offsets},
    {"timestamps", seek_timestamps},
};
static const struct kafka_rest_class seek_class = {JAVA_PACKAGE "ConsumerSeekRequest", seek_fields,
                                                   ARRAY_COUNT(seek_fields)};

enum kafka_rest_body consumer_decode_seek(struct exchange *exchange,
                                          struct consumer_places_body *body)
{
    *body = (struct consumer_places_body){.offsets.present = false};
    return kafka_rest_decode_body(exchange, &seek_class, body);
}

enum kafka_rest_body consumer_decode_commit(struct exchange *exchange,
                                            struct consumer_places_body *body)
{
    *body = (struct consumer_places_body){.offsets.present = false};
    return kafka_rest_decode_body(exchange, &commit_class, body);
}

/* --- answers --- */

/* What Java's UriBuilder leaves as it is in a path, beside the unreserved characters. */
static const char created_path_kept[] = "!$&'()*+,;=:@/";

void consumer_encode_created(struct buf *out, struct span base_url, struct span group,
                             struct span name)
{
    struct buf uri;
    buf_init(&uri, HTTP_HEAD_BYTES_MAX + 3 * (CONSUMER_GROUP_BYTES_MAX + CONSUMER_NAME_BYTES_MAX));
    buf_append_span(&uri, base_url);
    BUF_APPEND_LIT(&uri, "/consumers/");
    url_encode_but(group, created_path_kept, &uri);
    BUF_APPEND_LIT(&uri, "/instances/");
    url_encode_but(name, created_path_kept, &uri);
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    json_member_string(&w, "instance_id", name);
    json_member_string(&w, "base_uri", buf_span(&uri));
    json_write_end(&w);
    if (!buf_ok(&uri)) {
        out->failed = true;
    }
    buf_release(&uri);
}

void consumer_encode_partition(struct json_writer *w, struct span topic, int32_t partition)
{
    json_write_object(w);
    json_member_string(w, "topic", topic);
    json_member_i64(w, "partition", partition);
}

/* --- records ---
 *
 * Their frame is written by hand: json_write costs 120 ns more a record, a tenth of one of the
 * workshop's rows and more than as much again of a short one. */

static bool refuse_record(struct consumer_records *records, const char *exception,
                          const char *message)
{
    records->exception = exception;
    if (message != NULL) {
        snprintf(records->err.message, sizeof(records->err.message), "%s", message);
    }
    return false;
}

/* Stored bytes are one JSON value, perhaps written by a binary producer in another form: it comes
 * out as Jackson would print it, and what follows it is ignored. */
static bool record_append_json(struct consumer_records *records, struct span bytes)
{
    struct json_cursor cursor = json_document(bytes);
    if (json_at_end(&cursor)) {
        return refuse_record(records, "com.fasterxml.jackson.databind.exc.MismatchedInputException",
                             "No content to map due to end-of-input");
    }
    cursor.long_decimals = records->long_decimals;
    bool is_json = json_reencode(&cursor, records->out, &records->err);
    records->long_decimals = cursor.long_decimals;
    if (!is_json) {
        return refuse_record(records, "com.fasterxml.jackson.core.JsonParseException", NULL);
    }
    return true;
}

static bool record_append_bytes(struct consumer_records *records, bool there, struct span bytes)
{
    struct buf *out = records->out;
    if (!there) {
        BUF_APPEND_LIT(out, "null");
        return true;
    }
    switch (records->format) {
    case MEDIA_BINARY:
        buf_append_byte(out, '"');
        base64_encode(bytes, out);
        buf_append_byte(out, '"');
        return true;
    case MEDIA_JSON:
        return record_append_json(records, bytes);
    default: /* Avro, JSON Schema, Protobuf: no registry here that could know the bytes */
        return refuse_record(records, "org.apache.kafka.common.errors.SerializationException",
                             "Unknown magic byte!");
    }
}

static void record_truncate(struct buf *out, size_t len)
{
    if (out->ptr != NULL) {
        out->len = len;
        out->ptr[len] = '\0';
    }
}

enum consumer_encoded consumer_encode_record(struct consumer_records *records,
                                             const struct broker_fetched *record)
{
    struct buf *out = records->out;
    size_t before = out->len;
    if (records->count > 0) {
        buf_append_byte(out, ',');
    }
    BUF_APPEND_LIT(out, "{\"topic\":\"");
    buf_append_span(out, records->topic); /* a legal name needs no escape */
    BUF_APPEND_LIT(out, "\",\"key\":");
    bool readable = record_append_bytes(records, record->has_key, record->key);
    if (readable) {
        BUF_APPEND_LIT(out, ",\"value\":");
        readable = record_append_bytes(records, record->has_value, record->value);
    }
    if (!buf_ok(out)) {
        return RECORD_NO_ROOM;
    }
    if (!readable) {
        record_truncate(out, before);
        return RECORD_POISON;
    }
    BUF_APPEND_LIT(out, ",\"partition\":");
    buf_append_i64(out, records->partition);
    BUF_APPEND_LIT(out, ",\"offset\":");
    buf_append_i64(out, record->offset);
    buf_append_byte(out, '}');
    records->count++;
    return buf_ok(out) ? RECORD_ENCODED : RECORD_NO_ROOM;
}
