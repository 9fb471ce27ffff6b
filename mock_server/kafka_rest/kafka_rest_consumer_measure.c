/* Measuring the log for a waiting read (specs/kafka-rest-v2.md section 3.4): whether its answer
 * would be complete now. Each record is looked at once; nothing moves. */
#include "kafka_rest_consumer.h"

/* Frame of a record in an answer, beside topic, key and value. */
enum { record_frame_bytes = 64 };

size_t consumer_record_reply_bytes(const struct consumer *consumer,
                                   const struct broker_fetched *record)
{
    size_t size = record->key.len + record->value.len;
    return (consumer->format == MEDIA_BINARY ? size / 3 * 4 : size) + record_frame_bytes;
}

static bool measure_record(struct broker_fetch *fetch, size_t part,
                           const struct broker_fetched *record)
{
    struct consumer_read *read = fetch->base.ctx;
    int64_t min = read->consumer->fetch_min_bytes;
    int64_t size = (int64_t)(record->key.len + record->value.len);
    if (part >= read->buffered_parts) {
        read->seen_to[part - read->buffered_parts] = record->offset + 1;
    }
    if (read->seen_bytes + size >= read->max_bytes) {
        read->enough = true;
        return false;
    }
    read->seen_bytes += size;
    read->seen_reply_bytes += consumer_record_reply_bytes(read->consumer, record);
    read->enough =
        (min >= 0 && read->seen_bytes > min) || read->seen_reply_bytes >= read->reply_max;
    return !read->enough;
}

/* Room for that many parts and partitions. */
static enum status measure_reserve(struct consumer_read *read)
{
    struct arena *arena = &read->call->exchange->arena;
    size_t need =
        read->consumer->buffered_count + group_member_partition_count(read->consumer->member);
    if (need > read->part_cap) {
        read->parts = arena_alloc_array(arena, need, sizeof(*read->parts));
        read->seen_to = arena_alloc_array(arena, need, sizeof(*read->seen_to));
        read->part_cap = read->parts != NULL && read->seen_to != NULL ? need : 0;
    }
    return need <= read->part_cap ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The parts of a new epoch. Names are copied, because the member may drop its own while the broker
 * is at work; the partitions of one topic share a copy. */
static enum status measure_begin(struct consumer_read *read)
{
    const struct consumer *consumer = read->consumer;
    const struct group_partition *held = group_member_partitions(consumer->member);
    size_t parts = consumer->buffered_count + group_member_partition_count(consumer->member);
    const struct group_text *last = NULL;
    struct span name = SPAN_EMPTY;
    if (measure_reserve(read) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    read->buffered_parts = consumer->buffered_count;
    for (size_t i = 0; i < parts; i++) {
        bool is_buffered = i < consumer->buffered_count;
        const struct consumer_range *range = &consumer->buffered[is_buffered ? i : 0];
        const struct group_partition *p = is_buffered ? NULL : &held[i - consumer->buffered_count];
        const struct group_text *topic = is_buffered ? range->topic : p->topic;
        if (topic != last) {
            const char *copy =
                arena_copy_cstr(&read->call->exchange->arena, group_text_span(topic));
            if (copy == NULL) {
                return STATUS_NO_MEMORY;
            }
            name = span_from(copy, topic->len);
            last = topic;
        }
        read->parts[i] = is_buffered ? (struct broker_fetch_part){.topic = name,
                                                                  .topic_id = range->topic_id,
                                                                  .partition = range->partition,
                                                                  .offset = range->first,
                                                                  .end = range->end}
                                     : (struct broker_fetch_part){.topic = name,
                                                                  .topic_id = p->topic_id,
                                                                  .partition = p->partition};
        if (!is_buffered) {
            read->seen_to[i - consumer->buffered_count] = p->offset;
        }
    }
    read->measured = true;
    read->epoch = group_member_epoch(consumer->member);
    read->enough = false;
    read->seen_bytes = 0;
    read->seen_reply_bytes = 0;
    return STATUS_OK;
}

enum status consumer_measure_prepare(struct consumer_read *read)
{
    const struct group_member *member = read->consumer->member;
    const struct group_partition *held = group_member_partitions(member);
    size_t count = group_member_partition_count(member);
    if (!read->measured || read->epoch != group_member_epoch(member)) {
        if (measure_begin(read) != STATUS_OK) {
            return STATUS_NO_MEMORY;
        }
    } else {
        for (size_t i = 0; i < read->buffered_parts; i++) {
            read->parts[i].end = read->parts[i].offset; /* seen the first time */
        }
    }
    for (size_t i = 0; i < count; i++) {
        struct broker_fetch_part *part = &read->parts[read->buffered_parts + i];
        part->offset = read->seen_to[i];
        part->end = held[i].at == GROUP_POSITION_FIXED ? INT64_MAX : part->offset;
    }
    read->fetch.parts = read->parts;
    read->fetch.count = read->buffered_parts + count;
    read->fetch.bytes_max = read->max_bytes - read->seen_bytes;
    read->fetch.visit = measure_record;
    return STATUS_OK;
}
