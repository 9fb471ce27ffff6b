/* The log as one read sees it: measuring what is there, writing it out, moving positions on
 * (specs/kafka-rest-v2.md section 3.4).
 *
 * Measuring tells whether a wait can end early; it looks at each record once. Writing happens only
 * when the answer leaves. Invariant: a position moves only together with an answer that holds the
 * records, and moves back when that answer becomes a 5xx after all (the turn's commit failed).
 *
 * The real proxy polls 30 records at a time; when max_bytes cuts an answer short, the rest of the
 * 30 stays in its own buffer while Kafka's position, the one that is committed, is already past
 * them. consumer->buffered is that buffer: at most 30 records, as ranges of offsets. */
#include "kafka_rest_consumer.h"

#include <string.h>

/* Frame of a record in an answer, beside topic, key and value. */
enum { record_frame_bytes = 64 };

static int64_t record_bytes(const struct store_record *record)
{
    return (int64_t)(record->key.len + record->value.len);
}

/* The range's topic if it is still the same one. */
static const struct store_topic *range_topic(const struct consumer *consumer,
                                             const struct consumer_range *range)
{
    const struct store_topic *topic =
        store_topic_find(consumer->member.set->store, group_text_span(range->topic));
    return topic != NULL && topic->id == range->topic_id ? topic : NULL;
}

void consumer_buffer_drop(struct consumer *consumer)
{
    for (size_t i = 0; i < consumer->buffered_count; i++) {
        group_text_unref(consumer->buffered[i].topic);
    }
    consumer->buffered_count = 0;
}

/* --- measuring -------------------------------------------------------------------------------- */

struct measure {
    struct consumer_read *read;
    int64_t end; /* after the last record seen */
    bool enough;
};

static bool measure_record(void *ctx, const struct store_record *record)
{
    struct measure *measure = ctx;
    struct consumer_read *read = measure->read;
    int64_t min = read->consumer->fetch_min_bytes;
    int64_t size = record_bytes(record);
    bool binary = read->consumer->format == MEDIA_BINARY;
    measure->end = record->offset + 1;
    if (read->seen_bytes + size >= read->max_bytes) {
        measure->enough = true;
        return false;
    }
    read->seen_bytes += size;
    read->seen_reply_bytes += (binary ? size / 3 * 4 : size) + record_frame_bytes;
    measure->enough =
        (min >= 0 && read->seen_bytes > min) || read->seen_reply_bytes >= CONSUMER_REPLY_BYTES_MAX;
    return !measure->enough;
}

static enum status measure_buffered(struct consumer_read *read, struct measure *measure,
                                    struct error *err)
{
    const struct consumer *consumer = read->consumer;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < consumer->buffered_count && status == STATUS_OK && !measure->enough;
         i++) {
        const struct consumer_range *range = &consumer->buffered[i];
        const struct store_topic *topic = range_topic(consumer, range);
        if (topic != NULL) {
            status = store_records_read(consumer->member.set->store,
                                        (struct store_range){topic, range->partition, range->first,
                                                             range->end - range->first},
                                        measure_record, measure, err);
        }
    }
    return status;
}

/* Forgets what was measured in another epoch. */
static enum status measure_begin(struct consumer_read *read, struct measure *measure,
                                 struct error *err)
{
    const struct group_member *member = &read->consumer->member;
    if (read->measured && read->epoch == member->epoch) {
        return STATUS_OK;
    }
    if (member->partition_count > read->seen_cap) {
        read->seen_to = arena_alloc_array(&read->call->exchange->arena, member->partition_count,
                                          sizeof(*read->seen_to));
        read->seen_cap = read->seen_to != NULL ? member->partition_count : 0;
        if (read->seen_to == NULL) {
            return error_set(err, STATUS_NO_MEMORY, "read records");
        }
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        read->seen_to[i] = member->partitions[i].offset;
    }
    read->measured = true;
    read->epoch = member->epoch;
    read->seen_bytes = 0;
    read->seen_reply_bytes = 0;
    return measure_buffered(read, measure, err);
}

enum status consumer_read_measure(struct consumer_read *read, bool *enough, struct error *err)
{
    struct measure measure = {.read = read};
    struct group_member *member = &read->consumer->member;
    enum status status = measure_begin(read, &measure, err);
    for (size_t i = 0; i < member->partition_count && status == STATUS_OK && !measure.enough; i++) {
        const struct group_partition *p = &member->partitions[i];
        const struct store_topic *topic = group_partition_topic(member->set, p);
        if (topic == NULL || p->at != GROUP_POSITION_FIXED ||
            read->seen_to[i] >= topic->partitions[p->partition].next_offset) {
            continue;
        }
        measure.end = read->seen_to[i];
        status = store_records_read(
            member->set->store,
            (struct store_range){topic, p->partition, read->seen_to[i], INT64_MAX}, measure_record,
            &measure, err);
        read->seen_to[i] = measure.end;
    }
    *enough = measure.enough;
    return status;
}

/* --- taking it back --------------------------------------------------------------------------- */

/* Where a partition stood before the answer. */
struct taken {
    struct taken *next;
    int64_t topic_id;
    int32_t partition;
    int64_t offset;
};

struct taken_list {
    uint64_t serial;
    struct span group; /* in the exchange's arena: the instance may be gone by then */
    struct taken *first;
};

static bool taken_note(struct consumer_read *read, struct taken_list *list, int64_t topic_id,
                       const int64_t place[2])
{
    struct taken *taken = ARENA_NEW(&read->call->exchange->arena, struct taken);
    if (taken == NULL) {
        return false;
    }
    *taken = (struct taken){list->first, topic_id, (int32_t)place[0], place[1]};
    list->first = taken;
    return true;
}

static void member_step_back(struct group_member *member, const struct taken *place)
{
    for (size_t i = 0; i < member->partition_count; i++) {
        struct group_partition *p = &member->partitions[i];
        if (p->topic_id == place->topic_id && p->partition == place->partition &&
            p->at == GROUP_POSITION_FIXED && p->offset > place->offset) {
            p->offset = place->offset;
            member->epoch++;
        }
    }
}

/* Whoever holds the partition now: in a rebalance of the same turn another member may have gone on
 * from a position that was committed because of the lost answer. */
static void step_back(struct kafka_rest_consumers *consumers, const struct taken_list *list,
                      struct consumer *consumer, const struct taken *place)
{
    const struct group *group = group_set_find(&consumers->groups, list->group);
    for (size_t i = 0; group != NULL && i < group->member_count; i++) {
        member_step_back(group->members[i], place);
    }
    if (consumer != NULL) {
        member_step_back(&consumer->member, place); /* with partitions by hand it is in no group */
    }
}

/* The client never saw the records: they are read again, from the oldest on. */
static void taken_undo(struct kafka_rest_consumers *consumers, void *ctx)
{
    const struct taken_list *list = ctx;
    struct consumer *consumer = consumer_by_serial(consumers, list->serial);
    for (const struct taken *taken = list->first; taken != NULL; taken = taken->next) {
        step_back(consumers, list, consumer, taken);
    }
    if (consumer == NULL) {
        return;
    }
    /* What is still in the buffer comes from the log again, too. */
    for (size_t i = 0; i < consumer->buffered_count; i++) {
        const struct consumer_range *range = &consumer->buffered[i];
        const struct taken place = {NULL, range->topic_id, range->partition, range->first};
        step_back(consumers, list, consumer, &place);
    }
    consumer_buffer_drop(consumer);
    consumer->member.epoch++;
    consumer_reads_wake(consumer);
}

/* --- writing ---------------------------------------------------------------------------------- */

enum build_end {
    BUILD_GOES_ON,
    BUILD_CUT,     /* the next record would reach max_bytes */
    BUILD_FULL,    /* the answer is as large as answers may be */
    BUILD_POISON,  /* the next record cannot be read in this format */
    BUILD_NO_ROOM, /* out of memory */
};

struct build {
    struct consumer_read *read;
    struct consumer_records records;
    struct taken_list *taken;
    size_t reply_max;
    int64_t bytes;
    int64_t next; /* offset after the last record written from this source */
    int64_t cut_size;
    enum build_end end;
};

static bool build_record(void *ctx, const struct store_record *record)
{
    struct build *build = ctx;
    int64_t size = record_bytes(record);
    if (build->bytes + size >= build->read->max_bytes) {
        build->end = BUILD_CUT;
        build->cut_size = size;
        build->next = record->offset;
        return false;
    }
    if (build->records.count > 0 &&
        build->records.out->len + record->key.len + record->value.len >= build->reply_max) {
        build->end = BUILD_FULL;
        return false;
    }
    switch (consumer_encode_record(&build->records, record)) {
    case RECORD_ENCODED:
        break;
    case RECORD_POISON:
        build->end = BUILD_POISON;
        build->next = record->offset;
        return false;
    case RECORD_NO_ROOM:
        build->end = BUILD_NO_ROOM;
        return false;
    }
    build->bytes += size;
    build->next = record->offset + 1;
    return true;
}

/* Writes [first, end) of one partition; build->next tells how far it came. */
static enum status build_source(struct build *build, const struct store_topic *topic,
                                int32_t partition, const int64_t range[2], struct error *err)
{
    build->records.topic = topic->name;
    build->records.partition = partition;
    build->next = range[0];
    const int64_t place[2] = {partition, range[0]};
    if (!taken_note(build->read, build->taken, topic->id, place)) {
        return error_set(err, STATUS_NO_MEMORY, "read records");
    }
    return store_records_read(build->read->consumer->member.set->store,
                              (struct store_range){topic, partition, range[0], range[1] - range[0]},
                              build_record, build, err);
}

/* First what an earlier cut left in the proxy's own buffer. */
static enum status build_buffered(struct build *build, struct error *err)
{
    struct consumer *consumer = build->read->consumer;
    enum status status = STATUS_OK;
    size_t used = 0;
    while (used < consumer->buffered_count && build->end == BUILD_GOES_ON && status == STATUS_OK) {
        struct consumer_range *range = &consumer->buffered[used];
        const struct store_topic *topic = range_topic(consumer, range);
        if (topic != NULL) {
            const int64_t offsets[2] = {range->first, range->end};
            status = build_source(build, topic, range->partition, offsets, err);
            range->first = build->next;
        }
        used += build->end == BUILD_GOES_ON ? 1 : 0;
    }
    for (size_t i = 0; i < used; i++) {
        group_text_unref(consumer->buffered[i].topic);
    }
    consumer->buffered_count -= used;
    memmove(consumer->buffered, &consumer->buffered[used],
            consumer->buffered_count * sizeof(consumer->buffered[0]));
    return status;
}

/* The real proxy had polled `left` more records than it could return: they go to its buffer, and
 * the positions move past them. `at` is the partition where the cut came. */
static bool buffer_rest(struct build *build, size_t at, int64_t left)
{
    struct consumer *consumer = build->read->consumer;
    struct group_member *member = &consumer->member;
    for (size_t i = 0; i < member->partition_count && left > 0; i++) {
        struct group_partition *p = &member->partitions[(at + i) % member->partition_count];
        const struct store_topic *topic = group_partition_topic(member->set, p);
        if (topic == NULL || p->at != GROUP_POSITION_FIXED) {
            continue;
        }
        int64_t there = topic->partitions[p->partition].next_offset - p->offset;
        int64_t take = there < left ? there : left;
        const int64_t place[2] = {p->partition, p->offset};
        if (take <= 0) {
            continue;
        }
        if (!taken_note(build->read, build->taken, topic->id, place)) {
            return false;
        }
        PP_ASSERT(consumer->buffered_count < CONSUMER_POLL_RECORDS);
        consumer->buffered[consumer->buffered_count++] = (struct consumer_range){
            group_text_ref(p->topic), topic->id, p->partition, p->offset, p->offset + take};
        p->offset += take;
        left -= take;
    }
    return true;
}

static enum status build_partitions(struct build *build, struct error *err)
{
    struct consumer *consumer = build->read->consumer;
    struct group_member *member = &consumer->member;
    size_t count = member->partition_count;
    size_t start = count > 0 ? consumer->next_partition % count : 0;
    int64_t polled = (int64_t)build->records.count;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && build->end == BUILD_GOES_ON && status == STATUS_OK; i++) {
        size_t at = (start + i) % count;
        struct group_partition *p = &member->partitions[at];
        const struct store_topic *topic = group_partition_topic(member->set, p);
        if (topic == NULL || p->at != GROUP_POSITION_FIXED ||
            p->offset >= topic->partitions[p->partition].next_offset) {
            continue;
        }
        const int64_t offsets[2] = {p->offset, topic->partitions[p->partition].next_offset};
        status = build_source(build, topic, p->partition, offsets, err);
        p->offset = build->next;
        if (build->end == BUILD_CUT || build->end == BUILD_FULL) {
            consumer->next_partition = at + 1; /* the others get their turn */
        }
        if (build->end == BUILD_CUT) {
            int64_t mine = (int64_t)build->records.count - polled;
            int64_t fetched = (mine / CONSUMER_POLL_RECORDS + 1) * CONSUMER_POLL_RECORDS;
            if (!buffer_rest(build, at, fetched - mine)) {
                return error_set(err, STATUS_NO_MEMORY, "read records");
            }
        }
    }
    return status;
}

static void answer_poison(struct build *build)
{
    struct exchange *exchange = build->read->call->exchange;
    answer_hint(exchange,
                "record %.*s-%d offset %lld is not %s and blocks this instance: seek past it "
                "(POST .../positions) or read the topic with a binary instance",
                SPAN_ARG(build->records.topic), (int)build->records.partition,
                (long long)build->next,
                build->records.format == MEDIA_JSON ? "JSON" : "of a schema registry");
    kafka_rest_error(exchange, 408, 40801, "%s: %s", build->records.exception,
                     build->records.err.message);
}

static void hint_oversized(struct build *build)
{
    answer_hint(build->read->call->exchange,
                "record %.*s-%d offset %lld has %lld bytes and max_bytes is %lld: it will "
                "never be delivered; ask for more than its size or seek past it",
                SPAN_ARG(build->records.topic), (int)build->records.partition,
                (long long)build->next, (long long)build->cut_size,
                (long long)build->read->max_bytes);
}

/* What was moved goes back at once: this answer is no records answer. */
static void build_fail(struct build *build, enum status status, const struct error *err)
{
    taken_undo(build->read->consumer->consumers, build->taken);
    if (status == STATUS_OK || status == STATUS_NO_MEMORY) {
        exchange_fail(build->read->call->exchange, EXCHANGE_NO_MEMORY);
    } else {
        kafka_rest_error_store(build->read->call, err);
    }
}

void consumer_read_build(struct consumer_read *read, size_t reply_max)
{
    struct exchange *exchange = read->call->exchange;
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    struct error err = ERROR_NONE;
    struct taken_list *taken = ARENA_NEW(&exchange->arena, struct taken_list);
    if (taken == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return;
    }
    const char *group = arena_copy_cstr(&exchange->arena, read->consumer->member.group_name);
    if (group == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return;
    }
    taken->serial = read->consumer->serial;
    taken->group = span_from(group, read->consumer->member.group_name.len);
    struct build build = {
        .read = read,
        .records = {.out = &exchange->reply.body, .format = read->consumer->format},
        .taken = taken,
        .reply_max = reply_max,
    };
    exchange->reply.status = 200;
    buf_append_byte(&exchange->reply.body, '[');
    enum status status = build_buffered(&build, &err);
    if (status == STATUS_OK) {
        status = build_partitions(&build, &err);
    }
    if (status != STATUS_OK || build.end == BUILD_NO_ROOM) {
        build_fail(&build, status, &err);
        return;
    }
    /* DIFFERS: what was read before a record that is not of the consumer's format is returned and
     * only the next read fails; the real proxy loses it with the 408. */
    if (build.end == BUILD_POISON && build.records.count == 0) {
        answer_poison(&build);
        return;
    }
    buf_append_byte(&exchange->reply.body, ']');
    if (build.end == BUILD_CUT && build.records.count == 0) {
        hint_oversized(&build);
    }
    if (taken->first != NULL &&
        consumer_on_reply_lost(exchange, taken_undo, consumers, taken) != STATUS_OK) {
        build_fail(&build, STATUS_NO_MEMORY, &err);
    }
}
