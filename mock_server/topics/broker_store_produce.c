/* The producer's side of Kafka (partitioner, size check, metadata) in front of the store's log.
 *
 * The order of the checks is the producer's: metadata first (name, existence, partition), then the
 * size of the serialised record. Records of one request are kept in order, not atomically: some may
 * fail while others succeed (specs/kafka-rest-v2.md section 1.2). Those of a batch are kept or
 * refused together, and their sizes have been judged by their producer. */
#include "broker_store_internal.h"

#include "hash.h"
#include "varint.h"

enum {
    BATCH_OVERHEAD_BYTES = 61,   /* Kafka's DefaultRecordBatch.RECORD_BATCH_OVERHEAD */
    RECORD_OVERHEAD_BYTES = 21,  /* Kafka's DefaultRecord.MAX_RECORD_OVERHEAD */
    AUTO_CREATED_PARTITIONS = 1, /* the broker's num.partitions */
};

/* What a whole request has in common. */
struct produce_job {
    struct broker_store *self;
    struct broker_produce *produce;
    const struct store_topic *topic;
    int32_t sticky_partition;
    int64_t now_ms;
};

static void produce_result_fail(const struct produce_job *job, struct broker_result *result,
                                int32_t partition, enum kafka_error error)
{
    PP_ASSERT(error != KAFKA_ERROR_NONE);
    *result = (struct broker_result){
        .partition = partition,
        .partition_count = job->topic != NULL ? job->topic->partition_count : 0,
        .offset = -1,
        .timestamp_ms = -1,
        .error = error,
    };
}

static void produce_fail_all(const struct produce_job *job, int32_t partition,
                             enum kafka_error error)
{
    for (size_t i = 0; i < job->produce->count; i++) {
        produce_result_fail(job, &job->produce->results[i], partition, error);
    }
}

/* --- the producer's arithmetic --- */

static size_t field_bytes(bool present, struct span field)
{
    return present ? varint_size((int64_t)field.len) + field.len : 1; /* null is the varint -1 */
}

/* AbstractRecords.estimateSizeInBytesUpperBound for a batch of one record. */
size_t broker_record_bytes(const struct broker_record *record)
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

/* The topic of the request, made where the broker may; NULL: every result has been filled. */
static const struct store_topic *produce_topic_for(const struct produce_job *job)
{
    struct broker_store *self = job->self;
    struct span name = job->produce->topic;
    if (!store_topic_name_is_legal(name)) {
        produce_fail_all(job, -1, KAFKA_ERROR_INVALID_TOPIC);
        return NULL;
    }
    const struct store_topic *topic = store_topic_find(self->store, name);
    enum kafka_error error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    if (topic == NULL && self->auto_create) {
        enum status status = store_topic_create(
            self->store,
            &(struct store_topic_spec){.name = name, .partition_count = AUTO_CREATED_PARTITIONS},
            NULL);
        topic = store_topic_find(self->store, name);
        /* INVALID: there may be no more topics. Anything else says nothing about the topic. */
        error = status == STATUS_INVALID ? error : KAFKA_ERROR_STORAGE;
    }
    if (topic == NULL) {
        produce_fail_all(job, -1, error);
    }
    return topic;
}

/* --- one record --- */

/* Why the record is refused, NONE: it is not. */
static enum kafka_error produce_check_key(const struct produce_job *job,
                                          const struct broker_record *record)
{
    bool compacted = false;
    if (record->has_key) {
        return KAFKA_ERROR_NONE;
    }
    if (broker_store_is_compacted(job->self, job->topic, &compacted) != STATUS_OK) {
        return KAFKA_ERROR_STORAGE; /* the record may be one that the topic must not have */
    }
    return compacted ? KAFKA_ERROR_INVALID_RECORD : KAFKA_ERROR_NONE;
}

static enum kafka_error produce_check_record(const struct produce_job *job,
                                             const struct broker_record *record, int32_t partition)
{
    PP_ASSERT(partition >= 0); /* the partitioner has chosen */
    if (partition >= job->topic->partition_count) {
        return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (broker_record_bytes(record) > BROKER_RECORD_BYTES_MAX) {
        return KAFKA_ERROR_MESSAGE_TOO_LARGE;
    }
    return produce_check_key(job, record);
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
    enum kafka_error error = produce_check_record(job, record, partition);
    if (PP_UNLIKELY(error != KAFKA_ERROR_NONE)) {
        produce_result_fail(job, result, partition, error);
        return true;
    }
    const struct store_record stored = produce_stored(job, record);
    int64_t offset = 0;
    if (store_record_append(job->self->store, (struct store_place){job->topic, partition}, &stored,
                            &offset, NULL) != STATUS_OK) {
        return false;
    }
    *result = (struct broker_result){.partition = partition,
                                     .partition_count = job->topic->partition_count,
                                     .offset = offset,
                                     .timestamp_ms = stored.timestamp_ms};
    return true;
}

/* --- a batch --- */

static enum kafka_error produce_check_batch(const struct produce_job *job, int32_t partition)
{
    const struct broker_produce *produce = job->produce;
    enum kafka_error error = KAFKA_ERROR_NONE;
    if (partition >= job->topic->partition_count) {
        return KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
    }
    if (produce->batch.len > BROKER_BATCH_BYTES_MAX) {
        return KAFKA_ERROR_MESSAGE_TOO_LARGE;
    }
    for (size_t i = 0; i < produce->count && error == KAFKA_ERROR_NONE; i++) {
        PP_ASSERT(produce->records[i].partition == partition);
        error = produce_check_key(job, &produce->records[i]);
    }
    return error;
}

/* False: the store has failed the turn, or there is no memory to hand it the records. */
static bool produce_batch(struct produce_job *job)
{
    struct broker_produce *produce = job->produce;
    PP_ASSERT(produce->count > 0 && produce->records[0].partition >= 0);
    int32_t partition = produce->records[0].partition;
    enum kafka_error error = produce_check_batch(job, partition);
    if (error != KAFKA_ERROR_NONE) {
        produce_fail_all(job, partition, error);
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
                                                     .partition_count = job->topic->partition_count,
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
        if (produce->results[i].error != KAFKA_ERROR_NONE || partition == last) {
            continue;
        }
        PP_ASSERT(partition >= 0 && partition < topic.partition_count);
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
    struct produce_job job = {.self = self, .produce = request};
    request->base.status = STATUS_OK;
    job.topic = produce_topic_for(&job);
    if (job.topic == NULL) {
        return BROKER_DONE;
    }
    PP_ASSERT(job.topic->partition_count > 0); /* the partitioner divides by it */
    job.now_ms = self->env->wall_us(self->env) / 1000;
    if (!(request->batch.len > 0 ? produce_batch(&job) : produce_each(&job))) {
        /* The store has failed the turn as well, so that this reaches nobody unless the reply is
         * not bound to the commit. With the turn everything in it is gone, the records before this
         * one and perhaps the topic itself, which may not be looked at any more. */
        job.topic = NULL;
        produce_fail_all(&job, -1, KAFKA_ERROR_STORAGE);
        return BROKER_DONE;
    }
    produce_tell_appended(&job);
    return BROKER_DONE;
}
