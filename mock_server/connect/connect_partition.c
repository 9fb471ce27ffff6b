#include "connect_partition_internal.h"

#include "connect_worker_internal.h"
#include "hash.h"

#include <stdlib.h>

/* --- queues ----------------------------------------------------------------------------------- */

static void queue_put_last(struct connect_queue *queue, struct connect_partition *partition)
{
    PP_ASSERT(partition->in == NULL);
    partition->in = queue;
    partition->next = NULL;
    partition->previous = queue->last;
    if (queue->last == NULL) {
        queue->first = partition;
    } else {
        queue->last->next = partition;
    }
    queue->last = partition;
    queue->count++;
}

static void queue_remove(struct connect_partition *partition)
{
    struct connect_queue *queue = partition->in;
    if (queue == NULL) {
        return;
    }
    if (partition->previous == NULL) {
        queue->first = partition->next;
    } else {
        partition->previous->next = partition->next;
    }
    if (partition->next == NULL) {
        queue->last = partition->previous;
    } else {
        partition->next->previous = partition->previous;
    }
    queue->count--;
    partition->in = NULL;
}

void connect_queue_add(struct connect_queue *queue, struct connect_partition *partition)
{
    struct connect_worker *worker = partition->connector->worker;
    bool works = partition->in == &worker->fresh || partition->in == &worker->behind;
    if (works || partition->waiting) {
        return;
    }
    queue_remove(partition);
    queue_put_last(queue, partition);
    worker->work_due = true;
}

struct connect_partition *connect_queue_take(struct connect_queue *queue)
{
    struct connect_partition *partition = queue->first;
    if (partition != NULL) {
        queue_remove(partition);
    }
    return partition;
}

/* --- the table -------------------------------------------------------------------------------- */

static uint32_t place_hash(const struct connector *connector, int64_t topic_id, int32_t number)
{
    uint32_t hash = hash_start_hidden(connector);
    hash = hash_bytes(hash, span_from((const char *)&topic_id, sizeof(topic_id)));
    return hash_bytes(hash, span_from((const char *)&number, sizeof(number)));
}

static struct connect_partition **pairs_table_bucket(const struct connect_partitions *table,
                                                     uint32_t hash)
{
    return &table->buckets[hash & (table->bucket_count - 1)];
}

struct connect_partition *connect_partition_find(const struct connector *connector,
                                                 int64_t topic_id, int32_t number)
{
    const struct connect_partitions *table = &connector->worker->partitions;
    if (table->count == 0) {
        return NULL;
    }
    uint32_t hash = place_hash(connector, topic_id, number);
    struct connect_partition *at = *pairs_table_bucket(table, hash);
    while (at != NULL && (at->hash != hash || at->connector != connector ||
                          at->writer.topic_id != topic_id || at->writer.partition != number)) {
        at = at->same_hash;
    }
    return at;
}

static void pairs_table_insert(struct connect_partitions *table,
                               struct connect_partition *partition)
{
    struct connect_partition **bucket = pairs_table_bucket(table, partition->hash);
    partition->same_hash = *bucket;
    *bucket = partition;
}

static void pairs_table_remove(struct connect_partitions *table,
                               struct connect_partition *partition)
{
    struct connect_partition **at = pairs_table_bucket(table, partition->hash);
    while (*at != partition) {
        at = &(*at)->same_hash;
    }
    *at = partition->same_hash;
    table->count--;
}

/* A table that cannot grow is a slower one: it fails only where there is none yet. */
static enum status pairs_table_reserve(struct connect_worker *worker, struct error *err)
{
    enum { buckets_min = 64 };
    struct connect_partitions *table = &worker->partitions;
    size_t count = table->bucket_count > 0 ? 2 * table->bucket_count : buckets_min;
    size_t before = table->counted;
    if (table->count < table->bucket_count) {
        return STATUS_OK;
    }
    bool fits =
        connect_worker_count_bytes(worker, &table->counted, count * sizeof(*table->buckets));
    if (!fits && table->bucket_count > 0) {
        return STATUS_OK;
    }
    struct connect_partition **buckets = calloc(count, sizeof(*buckets));
    if (buckets == NULL) {
        connect_worker_note_bytes(worker, &table->counted, before);
        return table->bucket_count > 0 ? STATUS_OK
                                       : error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    connect_worker_note_bytes(worker, &table->counted, count * sizeof(*buckets));
    struct connect_partitions old = *table;
    table->buckets = buckets;
    table->bucket_count = count;
    for (size_t i = 0; i < old.bucket_count; i++) {
        for (struct connect_partition *next, *at = old.buckets[i]; at != NULL; at = next) {
            next = at->same_hash;
            pairs_table_insert(table, at);
        }
    }
    free(old.buckets);
    return STATUS_OK;
}

/* --- life ------------------------------------------------------------------------------------- */

static void partition_link_own(struct connector *connector, struct connect_partition *partition)
{
    connector->partition_count++;
    partition->own_next = connector->partitions;
    if (connector->partitions != NULL) {
        connector->partitions->own_previous = partition;
    }
    connector->partitions = partition;
}

static void partition_unlink_own(struct connect_partition *partition)
{
    partition->connector->partition_count--;
    if (partition->own_previous == NULL) {
        partition->connector->partitions = partition->own_next;
    } else {
        partition->own_previous->own_next = partition->own_next;
    }
    if (partition->own_next != NULL) {
        partition->own_next->own_previous = partition->own_previous;
    }
}

static void partition_on_timer(struct timer *timer)
{
    struct connect_partition *partition = PP_CONTAINER_OF(timer, struct connect_partition, timer);
    connect_partition_wake(partition);
    partition->on_time = true;
    connect_queue_add(&partition->connector->worker->behind, partition);
}

static size_t partition_bytes(size_t topic_len, const struct sink_writer *writer)
{
    enum { extra_bytes = 64 }; /* a slot among the timers, and what the allocator adds */
    return sizeof(struct connect_partition) + topic_len + extra_bytes +
           (writer != NULL ? writer->current.cap : 0);
}

/* The oldest of those that may be forgotten. False: there is none. */
static bool partitions_forget_one(struct connect_partitions *table)
{
    struct connect_partition *oldest =
        table->settled.first != NULL ? table->settled.first : table->planned.first;
    if (oldest != NULL) {
        connect_partition_free(oldest);
    }
    return oldest != NULL;
}

static enum status partition_count_bytes(struct connector *connector, size_t *held, size_t bytes,
                                         struct error *err)
{
    struct connect_worker *worker = connector->worker;
    while (!connect_worker_count_bytes(worker, held, bytes)) {
        if (connector->partition_count < CONNECT_PARTITIONS_OWN) {
            connect_worker_note_bytes(worker, held, bytes);
        } else if (!partitions_forget_one(&worker->partitions)) {
            return connect_worker_refuse(worker, err);
        }
    }
    return STATUS_OK;
}

enum status connect_partition_new(struct connector *connector, const struct connect_place *place,
                                  struct connect_partition **out, struct error *err)
{
    struct connect_worker *worker = connector->worker;
    struct connect_partition *partition = NULL;
    size_t counted = 0;
    enum status status = pairs_table_reserve(worker, err);
    if (status == STATUS_OK) {
        status = partition_count_bytes(connector, &counted, partition_bytes(place->topic.len, NULL),
                                       err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    partition = calloc(1, sizeof(*partition));
    if (partition == NULL || timer_heap_reserve(worker->options.timers, 1) != STATUS_OK) {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
        goto out_free;
    }
    status = sink_writer_init(&partition->writer, &connector->sink, place->topic, err);
    if (status != STATUS_OK) {
        timer_heap_unreserve(worker->options.timers, 1);
        goto out_free;
    }
    partition->counted = counted;
    partition->connector = connector;
    partition->writer.topic_id = place->topic_id;
    partition->writer.partition = place->number;
    partition->timer.fire = partition_on_timer;
    partition->hash = place_hash(connector, place->topic_id, place->number);
    pairs_table_insert(&worker->partitions, partition);
    worker->partitions.count++;
    partition_link_own(connector, partition);
    *out = partition;
    return STATUS_OK;

out_free:
    free(partition);
    (void)connect_worker_count_bytes(worker, &counted, 0);
    return status;
}

void connect_partition_free(struct connect_partition *partition)
{
    struct connect_worker *worker = partition->connector->worker;
    connect_partition_wake(partition);
    queue_remove(partition);
    pairs_table_remove(&worker->partitions, partition);
    partition_unlink_own(partition);
    timer_clear(worker->options.timers, &partition->timer);
    timer_heap_unreserve(worker->options.timers, 1);
    sink_writer_release(&partition->writer);
    (void)connect_worker_count_bytes(worker, &partition->counted, 0);
    free(partition);
}

/* --- at work and at rest ---------------------------------------------------------------------- */

enum status connect_partition_committed(const struct connector *connector,
                                        const struct store_topic *topic, int32_t number,
                                        int64_t *out, struct error *err)
{
    const struct store_partition *log = &topic->partitions[number];
    struct store_group_place place = {connector->group, topic->name, number};
    int64_t offset = -1;
    enum status status =
        store_group_committed(connector->worker->options.store, place, &offset, NULL, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return status;
    }
    bool has = offset >= log->first_offset && offset <= log->next_offset;
    *out = has ? offset : log->first_offset;
    return STATUS_OK;
}

enum status connect_partition_begin(struct connect_partition *partition,
                                    const struct store_topic *topic, struct error *err)
{
    struct connector *connector = partition->connector;
    struct sink_writer *writer = &partition->writer;
    int64_t offset = 0;
    if (partition->positioned) {
        return STATUS_OK;
    }
    enum status status =
        connect_partition_committed(connector, topic, writer->partition, &offset, err);
    if (status == STATUS_OK) {
        sink_writer_begin(writer, offset, topic->id <= connector->period_topic_id);
        partition->positioned = true;
    }
    return status;
}

static bool partition_is_settled(const struct connect_partition *partition)
{
    const struct sink_writer *writer = &partition->writer;
    return writer->files == NULL && writer->retry_us == 0 && writer->safe == writer->committed &&
           writer->position == writer->committed;
}

/* When the clock brings work; INT64_MAX: never. */
static int64_t partition_due_us(const struct connect_partition *partition)
{
    struct env *env = partition->connector->worker->options.env;
    const struct sink_writer *writer = &partition->writer;
    int64_t due_us = writer->retry_us != 0 ? writer->retry_us : INT64_MAX;
    int64_t rotation_ms = sink_writer_due_ms(writer);
    if (rotation_ms != INT64_MAX) {
        int64_t left_ms = rotation_ms - env->wall_us(env) / 1000;
        int64_t rotation_us = env->monotonic_us(env) + (left_ms > 0 ? left_ms : 0) * 1000;
        due_us = rotation_us < due_us ? rotation_us : due_us;
    }
    return due_us;
}

static void partition_arm(struct connect_partition *partition)
{
    struct connect_worker *worker = partition->connector->worker;
    int64_t due_us = partition_due_us(partition);
    if (partition->writer.retry_us != 0 && !partition->waiting) {
        partition->waiting = true;
        partition->connector->waiting_count++;
    }
    if (due_us == INT64_MAX) {
        timer_clear(worker->options.timers, &partition->timer);
    } else {
        /* A slot was reserved for it. */
        enum status armed = timer_set(worker->options.timers, &partition->timer, due_us);
        PP_ASSERT(armed == STATUS_OK);
    }
}

void connect_partition_rest(struct connect_partition *partition)
{
    struct connector *connector = partition->connector;
    struct connect_partitions *table = &connector->worker->partitions;
    connect_worker_note_bytes(connector->worker, &partition->counted,
                              partition_bytes(partition->writer.topic_len, &partition->writer));
    partition_arm(partition);
    if (partition->in != NULL || !partition_is_settled(partition)) {
        return;
    }
    if (sink_writer_has_plan(&partition->writer)) {
        queue_put_last(&table->planned, partition);
        return;
    }
    queue_put_last(&table->settled, partition);
    if (table->settled.count > CONNECT_SETTLED_KEPT) {
        connect_partition_free(table->settled.first);
    }
}

void connect_partition_wake(struct connect_partition *partition)
{
    if (partition->waiting) {
        partition->waiting = false;
        partition->connector->waiting_count--;
        partition->connector->worker->work_due = true;
    }
    partition->writer.retry_us = 0;
}

void connect_partitions_expire(struct connect_worker *worker)
{
    struct connect_queue *planned = &worker->partitions.planned;
    while (planned->first != NULL && !sink_writer_has_plan(&planned->first->writer)) {
        connect_partition_free(planned->first);
    }
}

/* --- the log ---------------------------------------------------------------------------------- */

const struct store_topic *connect_partition_topic(const struct connect_partition *partition)
{
    const struct store_topic *topic = store_topic_find(partition->connector->worker->options.store,
                                                       sink_writer_topic(&partition->writer));
    return topic != NULL && topic->id == partition->writer.topic_id ? topic : NULL;
}

bool connect_partition_has_more(const struct connect_partition *partition,
                                const struct store_topic *topic)
{
    return partition->writer.position < topic->partitions[partition->writer.partition].next_offset;
}

void connect_partition_enqueue(struct connect_partition *partition, const struct store_topic *topic)
{
    struct connect_worker *worker = partition->connector->worker;
    const struct sink_writer *writer = &partition->writer;
    PP_ASSERT(partition->positioned);
    if (connect_partition_has_more(partition, topic)) {
        int64_t lag = topic->partitions[writer->partition].next_offset - writer->position;
        connect_queue_add(lag > CONNECT_BEHIND_RECORDS_MAX ? &worker->behind : &worker->fresh,
                          partition);
    }
}
