/* Measuring the log for a waiting read (specs/kafka-rest-v2.md section 3.4): whether its answer
 * would be complete now. Each record is looked at once; nothing moves. And the way of a fetch
 * through what an instance has to read: its buffered ranges, then its partitions. */
#include "kafka_rest_consumer.h"

#include "array.h"

#include <stdlib.h>

/* Frame of a record in an answer, beside topic, key and value. */
enum { record_frame_bytes = 64 };

size_t consumer_record_reply_bytes(const struct consumer *consumer,
                                   const struct broker_fetched *record)
{
    size_t size = record->key.len + record->value.len;
    return (consumer->format == MEDIA_BINARY ? size / 3 * 4 : size) + record_frame_bytes;
}

/* --- the way of a fetch ----------------------------------------------------------------------- */

struct consumer_way consumer_way_begin(const struct consumer *consumer, bool with_buffered,
                                       size_t start)
{
    return (struct consumer_way){
        .buffered = with_buffered ? 0 : consumer->buffered_count,
        .walk = group_member_walk(consumer->member, start),
        .left = group_member_partition_count(consumer->member),
    };
}

bool consumer_way_next(const struct consumer *consumer, struct consumer_way *way,
                       struct broker_fetch_part *part)
{
    way->is_buffered = way->buffered < consumer->buffered_count;
    if (way->is_buffered) {
        const struct consumer_range *range = &consumer->buffered[way->buffered++];
        *part = (struct broker_fetch_part){.topic = group_text_span(range->topic),
                                           .topic_id = range->topic_id,
                                           .partition = range->partition,
                                           .offset = range->first,
                                           .end = range->end};
        return true;
    }
    while (way->left > 0) {
        if (!group_member_next(consumer->member, &way->walk, &way->partition)) {
            way->walk = group_member_walk(consumer->member, 0);
            continue;
        }
        way->left--;
        if (way->partition.at == GROUP_POSITION_FIXED) {
            *part = (struct broker_fetch_part){.topic = group_text_span(way->partition.topic),
                                               .topic_id = way->partition.topic_id,
                                               .partition = way->partition.partition,
                                               .offset = way->partition.offset,
                                               .end = INT64_MAX};
            return true;
        }
    }
    return false;
}

/* --- measuring -------------------------------------------------------------------------------- */

/* The place of the partition's entry in read->seen, or where it belongs. */
static struct consumer_seen *measure_seen(struct consumer_read *read)
{
    size_t index = read->way.walk.index;
    while (read->seen_at < read->seen_count && read->seen[read->seen_at].index < index) {
        read->seen_at++;
    }
    bool found = read->seen_at < read->seen_count && read->seen[read->seen_at].index == index;
    return found ? &read->seen[read->seen_at] : NULL;
}

static bool measure_next(struct broker_fetch *fetch, struct broker_fetch_part *part)
{
    struct consumer_read *read = fetch->base.ctx;
    const struct consumer_seen *seen;
    consumer_turn_note(read->consumer->consumers, 1);
    if (read->enough || read->epoch != group_member_epoch(read->consumer->member) ||
        !consumer_way_next(read->consumer, &read->way, part)) {
        return false;
    }
    if (!read->way.is_buffered && (seen = measure_seen(read)) != NULL) {
        part->offset = seen->next;
    }
    return true;
}

/* The records of the partition before `next` are measured. False: out of memory. */
static bool measure_note(struct consumer_read *read, int64_t next)
{
    struct arena *arena = &read->call->exchange->arena;
    struct consumer_seen *seen = measure_seen(read);
    if (seen == NULL) {
        if (!ARENA_GROW(arena, read->seen, read->seen_cap, read->seen_count + 1)) {
            return false;
        }
        ARRAY_OPEN(read->seen, read->seen_count, read->seen_at);
        read->seen_count++;
        seen = &read->seen[read->seen_at];
        seen->index = read->way.walk.index;
    }
    seen->next = next;
    return true;
}

static bool measure_record(struct broker_fetch *fetch, size_t part,
                           const struct broker_fetched *record)
{
    struct consumer_read *read = fetch->base.ctx;
    int64_t min = read->consumer->fetch_min_bytes;
    int64_t size = (int64_t)(record->key.len + record->value.len);
    (void)part;
    consumer_turn_note(read->consumer->consumers, 1);
    if (read->seen_bytes + size >= read->max_bytes ||
        (!read->way.is_buffered && !measure_note(read, record->offset + 1))) {
        read->enough = true; /* or there is no memory to wait for more */
        return false;
    }
    read->seen_bytes += size;
    read->seen_reply_bytes += consumer_record_reply_bytes(read->consumer, record);
    read->seen_records++;
    read->enough = (min >= 0 && read->seen_bytes > min) ||
                   read->seen_reply_bytes >= read->reply_max ||
                   read->seen_records >= CONSUMER_REPLY_RECORDS_MAX;
    return !read->enough;
}

void consumer_measure_prepare(struct consumer_read *read)
{
    const struct group_member *member = read->consumer->member;
    bool begins = !read->measured || read->epoch != group_member_epoch(member);
    if (begins) {
        read->measured = true;
        read->epoch = group_member_epoch(member);
        read->enough = false;
        read->seen_bytes = 0;
        read->seen_reply_bytes = 0;
        read->seen_records = 0;
        read->seen_count = 0;
    }
    read->way = consumer_way_begin(read->consumer, begins, 0);
    read->seen_at = 0;
    read->fetch.next = measure_next;
    read->fetch.bytes_max = read->max_bytes - read->seen_bytes;
    read->fetch.visit = measure_record;
}
