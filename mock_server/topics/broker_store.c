/* The embedded broker: the producer's side of Kafka (partitioner, size check, metadata errors) in
 * front of the store's log. It answers at once.
 *
 * The order of the checks is the producer's: metadata first (authorization, name, existence,
 * partition), then the size of the serialised record. Records of one request are kept in order,
 * not atomically: some may fail while others succeed (specs/kafka-rest-v2.md section 1.2). */
#include "broker.h"

#include "hash.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECORD_BYTES_MAX = 1048576,  /* the producer's max.request.size */
    METADATA_WAIT_MS = 60000,    /* max.block.ms, as it stands in the messages */
    BATCH_OVERHEAD_BYTES = 61,   /* Kafka's DefaultRecordBatch.RECORD_BATCH_OVERHEAD */
    RECORD_OVERHEAD_BYTES = 21,  /* Kafka's DefaultRecord.MAX_RECORD_OVERHEAD */
    AUTO_CREATED_PARTITIONS = 1, /* the broker's num.partitions */
    ERROR_RETRIABLE = 50003,     /* the proxy's code for Kafka's retriable errors */
    ERROR_FINAL = 50002,         /* ... for the others */
    ERROR_NOT_AUTHORIZED = 40301,
};

/* Is a topic compacted? Settings stand from a topic's creation on and ids are never used again, so
 * what was read once stays true. By id. */
struct compaction {
    int64_t topic_id;
    bool compacted;
};

struct broker_store {
    struct broker broker; /* first: callers hold a pointer to it */
    struct compaction *compactions;
    size_t compaction_count;
    struct store *store;
    struct env *env;
    bool auto_create;
    char *permitted_prefix; /* NULL: open */
    uint64_t sticky_turn;
};

/* What a whole request has in common. */
struct produce_job {
    struct broker_store *self;
    struct broker_produce *produce;
    const struct store_topic *topic;
    int32_t sticky_partition;
    int64_t now_ms;
};

static const char *text_or(const char *text, const char *fallback)
{
    return text != NULL ? text : fallback;
}

static void result_fail(struct broker_result *result, int error_code, const char *error)
{
    *result = (struct broker_result){.partition = -1,
                                     .offset = -1,
                                     .timestamp_ms = -1,
                                     .error_code = error_code,
                                     .error = error};
}

static void fail_all(const struct broker_produce *produce, int error_code, const char *error)
{
    for (size_t i = 0; i < produce->count; i++) {
        result_fail(&produce->results[i], error_code, error);
    }
}

/* --- the producer's arithmetic --- */

/* Kafka's zigzag varint of a non-negative int. */
static size_t varint_bytes(uint64_t value)
{
    uint64_t zigzag = value << 1;
    size_t bytes = 1;
    while (zigzag >= 0x80) {
        zigzag >>= 7;
        bytes++;
    }
    return bytes;
}

static size_t field_bytes(bool present, struct span field)
{
    return present ? varint_bytes(field.len) + field.len : 1; /* null is the varint -1 */
}

/* AbstractRecords.estimateSizeInBytesUpperBound for a batch of one record. */
static size_t serialized_bytes(const struct broker_record *record)
{
    size_t headers = record->headers.len > 0 ? record->headers.len : 1; /* the count: 0 */
    return BATCH_OVERHEAD_BYTES + RECORD_OVERHEAD_BYTES +
           field_bytes(record->has_key, record->key) +
           field_bytes(record->has_value, record->value) + headers;
}

static int32_t partition_for(const struct produce_job *job, const struct broker_record *record)
{
    if (record->partition >= 0) {
        return record->partition;
    }
    if (record->has_key) {
        uint32_t hash = (uint32_t)hash_murmur2(record->key) & 0x7fffffffU;
        return (int32_t)(hash % (uint32_t)job->topic->partition_count);
    }
    return job->sticky_partition;
}

/* --- finding the topic --- */

static bool is_permitted(const struct broker_store *self, struct span topic)
{
    return self->permitted_prefix == NULL ||
           span_starts_with(topic, span_from_cstr(self->permitted_prefix));
}

static void fail_not_authorized(struct broker_produce *produce)
{
    fail_all(produce, ERROR_NOT_AUTHORIZED,
             text_or(arena_printf(produce->texts, "Not authorized to access topics: [%.*s]",
                                  SPAN_ARG(produce->topic)),
                     "Not authorized to access topics"));
}

static void fail_invalid_name(struct broker_produce *produce)
{
    fail_all(
        produce, ERROR_FINAL,
        text_or(arena_printf(produce->texts, "Invalid topics: [%.*s]", SPAN_ARG(produce->topic)),
                "Invalid topics"));
}

static void fail_missing_topic(struct broker_produce *produce)
{
    fail_all(produce, ERROR_RETRIABLE,
             text_or(arena_printf(produce->texts, "Topic %.*s not present in metadata after %d ms.",
                                  SPAN_ARG(produce->topic), METADATA_WAIT_MS),
                     "Topic not present in metadata"));
}

/* What Kafka's producer says when the broker did not take a record in time. The store has failed
 * the turn as well, so that this reaches nobody unless the reply is not bound to the commit. With
 * the turn everything in it is gone, the records before this one and perhaps the topic itself, so
 * that job->topic may not be looked at any more. */
static void fail_storage(const struct broker_produce *produce)
{
    fail_all(produce, ERROR_RETRIABLE,
             text_or(arena_printf(produce->texts,
                                  "Expiring %zu record(s) for %.*s: 120000 ms has passed since "
                                  "batch creation",
                                  produce->count, SPAN_ARG(produce->topic)),
                     "Expiring record(s)"));
}

/* NULL: every result has been filled. */
static const struct store_topic *topic_for(struct broker_store *self,
                                           struct broker_produce *produce)
{
    if (!is_permitted(self, produce->topic)) {
        fail_not_authorized(produce);
        return NULL;
    }
    if (!store_topic_name_is_legal(produce->topic)) {
        fail_invalid_name(produce);
        return NULL;
    }
    const struct store_topic *topic = store_topic_find(self->store, produce->topic);
    if (topic == NULL && self->auto_create &&
        store_topic_create(self->store,
                           &(struct store_topic_spec){.name = produce->topic,
                                                      .partition_count = AUTO_CREATED_PARTITIONS},
                           NULL) == STATUS_OK) {
        topic = store_topic_find(self->store, produce->topic);
    }
    if (topic == NULL) {
        fail_missing_topic(produce);
    }
    return topic;
}

/* --- compaction --- */

static void note_cleanup_policy(void *ctx, struct span name, struct span value)
{
    struct span rest = value;
    struct span policy;
    if (!span_equal_cstr(name, "cleanup.policy")) {
        return;
    }
    while (span_next_part(&rest, ',', &policy)) {
        *(bool *)ctx = *(bool *)ctx || span_equal_cstr(span_trim(policy), "compact");
    }
}

/* Where the topic's entry is, or belongs. */
static size_t compaction_position(const struct broker_store *self, int64_t topic_id)
{
    size_t low = 0;
    size_t high = self->compaction_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->compactions[middle].topic_id < topic_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_compacted(struct broker_store *self, const struct store_topic *topic)
{
    size_t position = compaction_position(self, topic->id);
    if (position < self->compaction_count && self->compactions[position].topic_id == topic->id) {
        return self->compactions[position].compacted;
    }
    bool compacted = false;
    if (store_topic_configs(self->store, topic, note_cleanup_policy, &compacted, NULL) !=
        STATUS_OK) {
        return false; /* the append will meet the same trouble and report it */
    }
    struct compaction *grown =
        realloc(self->compactions, (self->compaction_count + 1) * sizeof(*grown));
    if (grown != NULL) {
        self->compactions = grown;
        memmove(&grown[position + 1], &grown[position],
                (self->compaction_count - position) * sizeof(*grown));
        grown[position] = (struct compaction){topic->id, compacted};
        self->compaction_count++;
    }
    return compacted;
}

/* --- one record --- */

static bool check_record(struct produce_job *job, const struct broker_record *record,
                         int32_t partition, struct broker_result *result)
{
    struct arena *texts = job->produce->texts;
    if (partition >= job->topic->partition_count) {
        result_fail(
            result, ERROR_RETRIABLE,
            text_or(arena_printf(texts,
                                 "Partition %d of topic %.*s with partition count %d is not "
                                 "present in metadata after %d ms.",
                                 (int)partition, SPAN_ARG(job->topic->name),
                                 (int)job->topic->partition_count, METADATA_WAIT_MS),
                    "Partition is not present in metadata"));
        return false;
    }
    size_t bytes = serialized_bytes(record);
    if (bytes > RECORD_BYTES_MAX) {
        result_fail(result, ERROR_FINAL,
                    text_or(arena_printf(texts,
                                         "The message is %zu bytes when serialized which is larger "
                                         "than %d, which is the value of the max.request.size "
                                         "configuration.",
                                         bytes, RECORD_BYTES_MAX),
                            "The message is too large"));
        return false;
    }
    if (!record->has_key && is_compacted(job->self, job->topic)) {
        result_fail(result, ERROR_FINAL,
                    "This message has failed its CRC checksum, exceeds the valid size, has a null "
                    "key for a compacted topic, or is otherwise corrupt.");
        return false;
    }
    return true;
}

/* False: the store has failed the turn. */
static bool produce_one(struct produce_job *job, const struct broker_record *record,
                        struct broker_result *result)
{
    int32_t partition = partition_for(job, record);
    if (!check_record(job, record, partition, result)) {
        return true;
    }
    struct store_record stored = {
        .timestamp_ms = record->timestamp_ms >= 0 ? record->timestamp_ms : job->now_ms,
        .has_key = record->has_key,
        .has_value = record->has_value,
        .key = record->key,
        .value = record->value,
        .headers = record->headers,
    };
    int64_t offset = 0;
    if (store_record_append(job->self->store, (struct store_place){job->topic, partition}, &stored,
                            &offset, NULL) != STATUS_OK) {
        return false;
    }
    *result = (struct broker_result){
        .partition = partition, .offset = offset, .timestamp_ms = stored.timestamp_ms};
    return true;
}

void broker_listen(struct broker *broker, struct broker_listener listener)
{
    PP_ASSERT(broker->listener_count < BROKER_LISTENERS_MAX);
    broker->listeners[broker->listener_count++] = listener;
}

void broker_unlisten(struct broker *broker, const void *ctx)
{
    size_t kept = 0;
    for (size_t i = 0; i < broker->listener_count; i++) {
        if (broker->listeners[i].ctx != ctx) {
            broker->listeners[kept++] = broker->listeners[i];
        }
    }
    broker->listener_count = kept;
}

static void tell_listeners(const struct broker *broker, const struct store_topic *topic,
                           int32_t partition)
{
    for (size_t i = 0; i < broker->listener_count; i++) {
        broker->listeners[i].on_append(broker->listeners[i].ctx, topic, partition);
    }
}

/* Once a partition, however many records it got. */
static void tell_appended(struct produce_job *job)
{
    struct broker *broker = &job->self->broker;
    struct broker_produce *produce = job->produce;
    if (broker->listener_count == 0) {
        return;
    }
    bool *told = NULL;
    int32_t last = -1;
    for (size_t i = 0; i < produce->count; i++) {
        int32_t partition = produce->results[i].partition;
        if (produce->results[i].error_code != 0 || partition == last) {
            continue;
        }
        /* Records of several partitions may alternate. Without memory for the list some partition
         * is told twice, which harms nobody. */
        if (last >= 0 && told == NULL) {
            told = arena_alloc_array(produce->texts, (size_t)job->topic->partition_count,
                                     sizeof(*told));
            if (told != NULL) {
                told[last] = true;
            }
        }
        if (told == NULL || !told[partition]) {
            tell_listeners(broker, job->topic, partition);
        }
        if (told != NULL) {
            told[partition] = true;
        }
        last = partition;
    }
}

/* --- the interface --- */

static enum broker_outcome produce(struct broker *broker, struct broker_produce *request)
{
    struct broker_store *self = PP_CONTAINER_OF(broker, struct broker_store, broker);
    struct produce_job job = {.self = self, .produce = request};
    job.topic = topic_for(self, request);
    if (job.topic == NULL) {
        return BROKER_DONE;
    }
    /* DIFFERS: Kafka moves on to a random partition when a batch is full or has lingered; here each
     * request is a batch and takes the next one. */
    job.sticky_partition = (int32_t)(self->sticky_turn++ % (uint64_t)job.topic->partition_count);
    job.now_ms = self->env->wall_us(self->env) / 1000;
    for (size_t i = 0; i < request->count; i++) {
        if (!produce_one(&job, &request->records[i], &request->results[i])) {
            fail_storage(request);
            return BROKER_DONE;
        }
    }
    tell_appended(&job);
    return BROKER_DONE;
}

static void broker_store_free(struct broker *broker)
{
    struct broker_store *self = PP_CONTAINER_OF(broker, struct broker_store, broker);
    free(self->permitted_prefix);
    free(self->compactions);
    free(self);
}

static const struct broker_ops broker_store_ops = {.produce = produce, .free = broker_store_free};

enum status broker_store_new(const struct broker_store_options *options, struct broker **out)
{
    struct broker_store *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return STATUS_NO_MEMORY;
    }
    self->broker.ops = &broker_store_ops;
    self->store = options->store;
    self->env = options->env;
    self->auto_create = options->auto_create;
    if (options->permitted_prefix != NULL) {
        self->permitted_prefix = strdup(options->permitted_prefix);
        if (self->permitted_prefix == NULL) {
            free(self);
            return STATUS_NO_MEMORY;
        }
    }
    *out = &self->broker;
    return STATUS_OK;
}
