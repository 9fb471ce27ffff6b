/* The producer's side of Kafka (partitioner, size check, metadata errors) in front of the store's
 * log.
 *
 * The order of the checks is the producer's: metadata first (name, existence, partition), then the
 * size of the serialised record. Records of one request are kept in order, not atomically: some may
 * fail while others succeed (specs/kafka-rest-v2.md section 1.2). Those of a batch are kept or
 * refused together, and their sizes have been judged by their producer. */
#include "broker_store_internal.h"

#include "hash.h"

#include <string.h>

enum {
    RECORD_BYTES_MAX = 1048576,  /* the producer's max.request.size */
    METADATA_WAIT_MS = 60000,    /* max.block.ms, as it stands in the messages */
    BATCH_OVERHEAD_BYTES = 61,   /* Kafka's DefaultRecordBatch.RECORD_BATCH_OVERHEAD */
    RECORD_OVERHEAD_BYTES = 21,  /* Kafka's DefaultRecord.MAX_RECORD_OVERHEAD */
    AUTO_CREATED_PARTITIONS = 1, /* the broker's num.partitions */
    ERROR_RETRIABLE = 50003,     /* the proxy's code for Kafka's retriable errors */
    ERROR_FINAL = 50002,         /* ... for the others */
};

/* What a whole request has in common. */
struct produce_job {
    struct broker_store *self;
    struct broker_produce *produce;
    const struct store_topic *topic;
    int32_t sticky_partition;
    int64_t now_ms;
};

static const char *produce_text_or(const char *text, const char *fallback)
{
    return text != NULL ? text : fallback;
}

static void produce_result_fail(struct broker_result *result, int error_code, const char *error)
{
    *result = (struct broker_result){.partition = -1,
                                     .offset = -1,
                                     .timestamp_ms = -1,
                                     .error_code = error_code,
                                     .error = error};
}

static void produce_fail_all(const struct broker_produce *produce, int error_code,
                             const char *error)
{
    for (size_t i = 0; i < produce->count; i++) {
        produce_result_fail(&produce->results[i], error_code, error);
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

static int32_t produce_partition_for(const struct produce_job *job,
                                     const struct broker_record *record)
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

static void produce_fail_invalid_name(struct broker_produce *produce)
{
    produce_fail_all(produce, ERROR_FINAL,
                     produce_text_or(arena_printf(produce->base.arena, "Invalid topics: [%.*s]",
                                                  SPAN_ARG(produce->topic)),
                                     "Invalid topics"));
}

static void produce_fail_missing_topic(struct broker_produce *produce)
{
    produce_fail_all(produce, ERROR_RETRIABLE,
                     produce_text_or(arena_printf(produce->base.arena,
                                                  "Topic %.*s not present in metadata after %d ms.",
                                                  SPAN_ARG(produce->topic), METADATA_WAIT_MS),
                                     "Topic not present in metadata"));
}

/* What Kafka's producer says when the broker did not take a record in time. The store has failed
 * the turn as well, so that this reaches nobody unless the reply is not bound to the commit. With
 * the turn everything in it is gone, the records before this one and perhaps the topic itself, so
 * that job->topic may not be looked at any more. */
static void produce_fail_storage(const struct broker_produce *produce)
{
    produce_fail_all(
        produce, ERROR_RETRIABLE,
        produce_text_or(arena_printf(produce->base.arena,
                                     "Expiring %zu record(s) for %.*s: 120000 ms has passed since "
                                     "batch creation",
                                     produce->count, SPAN_ARG(produce->topic)),
                        "Expiring record(s)"));
}

/* NULL: every result has been filled. */
static const struct store_topic *produce_topic_for(struct broker_store *self,
                                                   struct broker_produce *produce)
{
    if (!store_topic_name_is_legal(produce->topic)) {
        produce_fail_invalid_name(produce);
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
        produce_fail_missing_topic(produce);
    }
    return topic;
}

/* --- one record --- */

static void produce_refuse_partition(struct produce_job *job, int32_t partition,
                                     struct broker_result *result)
{
    produce_result_fail(
        result, ERROR_RETRIABLE,
        produce_text_or(arena_printf(job->produce->base.arena,
                                     "Partition %d of topic %.*s with partition count %d is not "
                                     "present in metadata after %d ms.",
                                     (int)partition, SPAN_ARG(job->topic->name),
                                     (int)job->topic->partition_count, METADATA_WAIT_MS),
                        "Partition is not present in metadata"));
}

static bool produce_check_key(struct produce_job *job, const struct broker_record *record,
                              struct broker_result *result)
{
    if (record->has_key || !broker_store_is_compacted(job->self, job->topic)) {
        return true;
    }
    produce_result_fail(result, ERROR_FINAL,
                        "This message has failed its CRC checksum, exceeds the valid size, has a "
                        "null key for a compacted topic, or is otherwise corrupt.");
    return false;
}

static bool produce_check_record(struct produce_job *job, const struct broker_record *record,
                                 int32_t partition, struct broker_result *result)
{
    if (partition >= job->topic->partition_count) {
        produce_refuse_partition(job, partition, result);
        return false;
    }
    size_t bytes = serialized_bytes(record);
    if (bytes > RECORD_BYTES_MAX) {
        produce_result_fail(
            result, ERROR_FINAL,
            produce_text_or(arena_printf(job->produce->base.arena,
                                         "The message is %zu bytes when serialized which is larger "
                                         "than %d, which is the value of the max.request.size "
                                         "configuration.",
                                         bytes, RECORD_BYTES_MAX),
                            "The message is too large"));
        return false;
    }
    return produce_check_key(job, record, result);
}

static struct store_record produce_stored(const struct produce_job *job,
                                          const struct broker_record *record)
{
    return (struct store_record){
        .timestamp_ms = record->timestamp_ms >= 0 ? record->timestamp_ms : job->now_ms,
        .has_key = record->has_key,
        .has_value = record->has_value,
        .key = record->key,
        .value = record->value,
        .headers = record->headers,
    };
}

/* False: the store has failed the turn. */
static bool produce_one(struct produce_job *job, const struct broker_record *record,
                        struct broker_result *result)
{
    int32_t partition = produce_partition_for(job, record);
    if (!produce_check_record(job, record, partition, result)) {
        return true;
    }
    const struct store_record stored = produce_stored(job, record);
    int64_t offset = 0;
    if (store_record_append(job->self->store, (struct store_place){job->topic, partition}, &stored,
                            &offset, NULL) != STATUS_OK) {
        return false;
    }
    *result = (struct broker_result){
        .partition = partition, .offset = offset, .timestamp_ms = stored.timestamp_ms};
    return true;
}

/* --- a batch --- */

static bool produce_check_batch(struct produce_job *job, int32_t partition)
{
    struct broker_produce *produce = job->produce;
    struct broker_result refusal = {.error_code = 0};
    if (partition >= job->topic->partition_count) {
        produce_refuse_partition(job, partition, &refusal);
    } else if (produce->batch.len > BROKER_BATCH_BYTES_MAX) {
        produce_result_fail(&refusal, ERROR_FINAL,
                            "The request included a message larger than the max message size the "
                            "server will accept.");
    }
    for (size_t i = 0; i < produce->count && refusal.error_code == 0; i++) {
        PP_ASSERT(produce->records[i].partition == partition);
        (void)produce_check_key(job, &produce->records[i], &refusal);
    }
    if (refusal.error_code != 0) {
        produce_fail_all(produce, refusal.error_code, refusal.error);
    }
    return refusal.error_code == 0;
}

/* False: the store has failed the turn, or there is no memory to hand it the records. */
static bool produce_batch(struct produce_job *job)
{
    struct broker_produce *produce = job->produce;
    PP_ASSERT(produce->count > 0 && produce->records[0].partition >= 0);
    int32_t partition = produce->records[0].partition;
    if (!produce_check_batch(job, partition)) {
        return true;
    }
    struct store_record *stored =
        arena_alloc_array(produce->base.arena, produce->count, sizeof(*stored));
    const struct store_batch_put put = {produce->batch, stored, produce->count};
    int64_t first;
    if (stored == NULL) {
        return false;
    }
    for (size_t i = 0; i < produce->count; i++) {
        stored[i] = produce_stored(job, &produce->records[i]);
    }
    if (store_batch_append(job->self->store, (struct store_place){job->topic, partition}, &put,
                           &first, NULL) != STATUS_OK) {
        return false;
    }
    for (size_t i = 0; i < produce->count; i++) {
        produce->results[i] = (struct broker_result){.partition = partition,
                                                     .offset = first + (int64_t)i,
                                                     .timestamp_ms = stored[i].timestamp_ms};
    }
    return true;
}

/* --- all of a request --- */

/* Records that came alone. False: the store has failed the turn. */
static bool produce_each(struct produce_job *job)
{
    const struct broker_produce *produce = job->produce;
    /* DIFFERS: Kafka moves on to a random partition when a batch is full or has lingered; here each
     * request is a batch and takes the next one. */
    job->sticky_partition =
        (int32_t)(job->self->sticky_turn++ % (uint64_t)job->topic->partition_count);
    for (size_t i = 0; i < produce->count; i++) {
        if (!produce_one(job, &produce->records[i], &produce->results[i])) {
            return false;
        }
    }
    return true;
}

/* Once a partition, however many records it got. */
static void produce_tell_appended(struct produce_job *job)
{
    struct broker *broker = &job->self->broker;
    struct broker_produce *produce = job->produce;
    const struct broker_topic topic = broker_store_topic(job->topic);
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
            told = arena_alloc_array(produce->base.arena, (size_t)job->topic->partition_count,
                                     sizeof(*told));
            if (told != NULL) {
                told[last] = true;
            }
        }
        if (told == NULL || !told[partition]) {
            broker_tell_append(broker, &topic, partition);
        }
        if (told != NULL) {
            told[partition] = true;
        }
        last = partition;
    }
}

enum broker_outcome broker_store_produce(struct broker *broker, struct broker_produce *request)
{
    struct broker_store *self = broker_store_of(broker);
    request->base.status = STATUS_OK;
    request->partition_count = 0;
    struct produce_job job = {.self = self, .produce = request};
    job.topic = produce_topic_for(self, request);
    if (job.topic == NULL) {
        return BROKER_DONE;
    }
    request->partition_count = job.topic->partition_count;
    job.now_ms = self->env->wall_us(self->env) / 1000;
    if (!(request->batch.len > 0 ? produce_batch(&job) : produce_each(&job))) {
        produce_fail_storage(request);
        return BROKER_DONE;
    }
    produce_tell_appended(&job);
    return BROKER_DONE;
}
