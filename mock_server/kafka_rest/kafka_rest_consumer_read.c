/* Writing what a read found, and moving positions on (specs/kafka-rest-v2.md section 3.4).
 *
 * Writing happens only when the answer leaves. Invariant: a position moves only together with an
 * answer that holds the records, and moves back when the turn of that answer fails.
 *
 * The real proxy polls 30 records at a time; when max_bytes cuts an answer short, the rest of the
 * 30 stays in its own buffer while Kafka's position, the one that is committed, is already past
 * them. consumer->buffered is that buffer: at most 30 records, as ranges of offsets. */
#include "kafka_rest_consumer.h"

#include "undo.h"

#include <string.h>

/* --- taking it back --------------------------------------------------------------------------- */

/* Where partitions stood before an answer; in the exchange's arena, which lives as long as the turn
 * that may take the answer back. The instance may be gone by then. */
struct taken_list {
    struct kafka_rest_consumers *consumers;
    uint64_t serial;
    struct span group;
    struct group_place *places;
    size_t count;
};

static void taken_note(struct taken_list *list, int64_t topic_id, int32_t partition, int64_t offset)
{
    list->places[list->count++] = (struct group_place){topic_id, partition, offset};
}

/* Whoever holds the partition now: in a rebalance of the same turn another member may have gone on
 * from a position that was committed because of the lost answer. */
static void taken_visit(void *ctx, struct consumer *consumer)
{
    struct taken_list *list = ctx;
    bool is_own = consumer->serial == list->serial; /* with partitions by hand it is in no group */
    if (is_own || (group_member_is_joined(consumer->member) &&
                   span_equal(group_text_span(consumer->group), list->group))) {
        group_member_step_back(consumer->member, list->places, list->count);
    }
}

/* The client never saw the records: they are read again, from the oldest on. What is still in the
 * buffer comes from the log again, too. */
static void taken_give_back(void *ctx)
{
    struct taken_list *list = ctx;
    struct kafka_rest_consumers *consumers = list->consumers;
    struct consumer *consumer = consumer_by_serial(consumers, list->serial);
    for (size_t i = 0; consumer != NULL && i < consumer->buffered_count; i++) {
        const struct consumer_range *range = &consumer->buffered[i];
        taken_note(list, range->topic_id, range->partition, range->first);
    }
    consumers_visit(consumers, taken_visit, list);
    if (consumer != NULL) {
        consumer_buffer_drop(consumer);
        consumer_reads_wake(consumer);
    }
}

static void taken_back(void *owner, const void *payload)
{
    (void)owner;
    taken_give_back(*(struct taken_list *const *)payload);
}

static const struct undo_ops taken_undo = {.back = taken_back};

/* --- writing ---------------------------------------------------------------------------------- */

enum build_end {
    BUILD_GOES_ON,
    BUILD_CUT,     /* the next record would reach max_bytes */
    BUILD_FULL,    /* the answer is as large as answers may be */
    BUILD_CROWDED, /* there is no room for the first record */
    BUILD_POISON,  /* the next record cannot be read in this format */
    BUILD_NO_ROOM, /* out of memory */
};

/* The parts of read->fetch are the buffered ranges, then the partitions from `start` on, round. */
struct consumer_build {
    uint64_t epoch;
    struct consumer_records records;
    struct taken_list taken;
    struct broker_fetch_part *parts;
    int64_t *next; /* one a part: after the last record written */
    size_t buffered_parts;
    size_t start;
    size_t last_part;   /* of the last record that was looked at */
    size_t from_buffer; /* records written from the buffered ranges */
    size_t room;        /* for the first record, whatever read->reply_max says */
    int64_t bytes;
    int64_t cut_size;
    enum build_end end;
};

static bool build_record(struct broker_fetch *fetch, size_t part,
                         const struct broker_fetched *record)
{
    struct consumer_read *read = fetch->base.ctx;
    struct consumer_build *build = read->build;
    int64_t size = (int64_t)(record->key.len + record->value.len);
    if (part != build->last_part) {
        build->last_part = part;
        build->records.topic = fetch->parts[part].topic;
        build->records.partition = fetch->parts[part].partition;
    }
    if (build->bytes + size >= read->max_bytes) {
        build->end = BUILD_CUT;
        build->cut_size = size;
        build->next[part] = record->offset;
        return false;
    }
    size_t need = build->records.out->len + consumer_record_reply_bytes(read->consumer, record);
    if (need > (build->records.count > 0 ? read->reply_max : build->room)) {
        build->end = build->records.count > 0 ? BUILD_FULL : BUILD_CROWDED;
        read->room_wanted = need;
        return false;
    }
    switch (consumer_encode_record(&build->records, record)) {
    case RECORD_ENCODED:
        break;
    case RECORD_POISON:
        build->end = BUILD_POISON;
        build->next[part] = record->offset;
        return false;
    case RECORD_NO_ROOM:
        build->end = BUILD_NO_ROOM;
        return false;
    }
    build->bytes += size;
    build->next[part] = record->offset + 1;
    build->from_buffer += part < build->buffered_parts ? 1 : 0;
    return true;
}

static struct consumer_build *build_new(struct consumer_read *read, size_t parts)
{
    struct arena *arena = &read->call->exchange->arena;
    struct consumer_build *build = ARENA_NEW(arena, struct consumer_build);
    if (build == NULL) {
        return NULL;
    }
    struct span name = group_text_span(read->consumer->group);
    const char *group = arena_copy_cstr(arena, name);
    /* A part may be noted, buffered again, and noted once more on the way back. */
    size_t places = parts + 2 * CONSUMER_POLL_RECORDS;
    build->taken = (struct taken_list){
        .consumers = read->consumer->consumers,
        .serial = read->consumer->serial,
        .group = span_from(group, group != NULL ? name.len : 0),
        .places = arena_alloc_array(arena, places, sizeof(struct group_place)),
    };
    build->parts = arena_alloc_array(arena, parts + 1, sizeof(*build->parts));
    build->next = arena_alloc_array(arena, parts + 1, sizeof(*build->next));
    bool ok =
        group != NULL && build->taken.places != NULL && build->parts != NULL && build->next != NULL;
    return ok ? build : NULL;
}

enum status consumer_build_prepare(struct consumer_read *read, size_t room)
{
    struct consumer *consumer = read->consumer;
    const struct group_partition *held = group_member_partitions(consumer->member);
    struct reply *reply = &read->call->exchange->reply;
    size_t buffered = consumer->buffered_count;
    size_t count = group_member_partition_count(consumer->member);
    struct consumer_build *build = build_new(read, buffered + count);
    if (build == NULL) {
        return STATUS_NO_MEMORY;
    }
    PP_ASSERT(read->measured && read->epoch == group_member_epoch(consumer->member));
    read->build = build;
    build->epoch = read->epoch;
    build->records = (struct consumer_records){.out = &reply->body, .format = consumer->format};
    build->buffered_parts = buffered;
    build->start = count > 0 ? consumer->next_partition % count : 0;
    build->last_part = SIZE_MAX;
    build->room = room;
    for (size_t i = 0; i < buffered; i++) {
        build->parts[i] = read->parts[i];
        build->parts[i].offset = consumer->buffered[i].first;
        build->parts[i].end = consumer->buffered[i].end;
        build->next[i] = build->parts[i].offset;
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = (build->start + i) % count;
        const struct group_partition *p = &held[at];
        struct broker_fetch_part *part = &build->parts[buffered + i];
        *part = read->parts[buffered + at];
        part->offset = p->offset;
        part->end = p->at == GROUP_POSITION_FIXED ? INT64_MAX : p->offset;
        build->next[buffered + i] = p->offset;
    }
    reply->status = 200;
    buf_append_byte(&reply->body, '[');
    read->fetch.parts = build->parts;
    read->fetch.count = buffered + count;
    read->fetch.bytes_max = read->max_bytes;
    read->fetch.visit = build_record;
    return STATUS_OK;
}

/* --- moving on -------------------------------------------------------------------------------- */

/* The ranges that were written leave the buffer; one that was cut begins later. */
static void build_move_buffered(struct consumer *consumer, struct consumer_build *build)
{
    size_t used = 0;
    bool all = build->end == BUILD_GOES_ON || build->last_part >= build->buffered_parts;
    for (size_t i = 0; i < build->buffered_parts; i++) {
        struct consumer_range *range = &consumer->buffered[i];
        taken_note(&build->taken, range->topic_id, range->partition, range->first);
        range->first = build->next[i];
        if (all || i < build->last_part) {
            used++;
            group_text_unref(range->topic);
        }
    }
    consumer->buffered_count -= used;
    memmove(consumer->buffered, &consumer->buffered[used],
            consumer->buffered_count * sizeof(consumer->buffered[0]));
}

/* The real proxy had polled `left` more records than it could return: they go to its buffer, and
 * the positions move past them. `from` is the part where the cut came. */
static void build_move_to_buffer(struct consumer *consumer, struct consumer_build *build,
                                 size_t from, int64_t left)
{
    const struct group_partition *held = group_member_partitions(consumer->member);
    size_t count = group_member_partition_count(consumer->member);
    for (size_t i = 0; i < count && left > 0; i++) {
        size_t at = (build->start + from + i) % count;
        const struct group_partition *p = &held[at];
        const struct broker_fetch_part *part =
            &build->parts[build->buffered_parts + (from + i) % count];
        int64_t there =
            part->is_there && p->at == GROUP_POSITION_FIXED ? part->next_offset - p->offset : 0;
        int64_t take = there < left ? there : left;
        if (take <= 0) {
            continue;
        }
        PP_ASSERT(consumer->buffered_count < CONSUMER_POLL_RECORDS);
        taken_note(&build->taken, p->topic_id, p->partition, p->offset);
        consumer->buffered[consumer->buffered_count++] = (struct consumer_range){
            group_text_ref(p->topic), p->topic_id, p->partition, p->offset, p->offset + take};
        group_member_read_on(consumer->member, at, p->offset + take);
        left -= take;
    }
}

static void build_move_positions(struct consumer *consumer, struct consumer_build *build)
{
    const struct group_partition *held = group_member_partitions(consumer->member);
    size_t count = group_member_partition_count(consumer->member);
    for (size_t i = 0; i < count; i++) {
        size_t at = (build->start + i) % count;
        const struct group_partition *p = &held[at];
        int64_t next = build->next[build->buffered_parts + i];
        if (next != p->offset) {
            taken_note(&build->taken, p->topic_id, p->partition, p->offset);
            group_member_read_on(consumer->member, at, next);
        }
    }
    if (build->last_part == SIZE_MAX || build->last_part < build->buffered_parts) {
        return;
    }
    size_t cut = build->last_part - build->buffered_parts;
    if (build->end == BUILD_CUT || build->end == BUILD_FULL) {
        consumer->next_partition = (build->start + cut) % count + 1; /* the others get their turn */
    }
    if (build->end == BUILD_CUT) {
        int64_t mine = (int64_t)(build->records.count - build->from_buffer);
        int64_t fetched = (mine / CONSUMER_POLL_RECORDS + 1) * CONSUMER_POLL_RECORDS;
        build_move_to_buffer(consumer, build, cut, fetched - mine);
    }
}

/* --- the answer ------------------------------------------------------------------------------- */

static void build_answer_poison(struct consumer_read *read, const struct consumer_build *build)
{
    struct exchange *exchange = read->call->exchange;
    answer_hint(exchange,
                "record %.*s-%d offset %lld is not %s and blocks this instance: seek past it "
                "(POST .../positions) or read the topic with a binary instance",
                SPAN_ARG(build->records.topic), (int)build->records.partition,
                (long long)build->next[build->last_part],
                build->records.format == MEDIA_JSON ? "JSON" : "of a schema registry");
    kafka_rest_error(exchange, 408, 40801, "%s: %s", build->records.exception,
                     build->records.err.message);
}

static void build_hint_oversized(struct consumer_read *read, const struct consumer_build *build)
{
    answer_hint(read->call->exchange,
                "record %.*s-%d offset %lld has %lld bytes and max_bytes is %lld: it will "
                "never be delivered; ask for more than its size or seek past it",
                SPAN_ARG(build->records.topic), (int)build->records.partition,
                (long long)build->next[build->last_part], (long long)build->cut_size,
                (long long)read->max_bytes);
}

enum consumer_built consumer_build_finish(struct consumer_read *read)
{
    struct exchange *exchange = read->call->exchange;
    struct consumer *consumer = read->consumer;
    struct consumer_build *build = read->build;
    struct undo_log *undo = read->call->rest->options.undo;
    if (build->epoch != group_member_epoch(consumer->member)) {
        buf_reset(&exchange->reply.body);
        return BUILT_CHANGED;
    }
    if (read->fetch.base.status != STATUS_OK) {
        kafka_rest_error_broker(read->call, &read->fetch.base);
        return BUILT_ANSWER;
    }
    if (build->end == BUILD_CROWDED) {
        buf_reset(&exchange->reply.body);
        return BUILT_NO_ROOM;
    }
    /* DIFFERS: what was read before a record that is not of the consumer's format is returned and
     * only the next read fails; the real proxy loses it with the 408. */
    if (build->end == BUILD_POISON && build->records.count == 0) {
        build_answer_poison(read, build);
        return BUILT_ANSWER;
    }
    buf_append_byte(&exchange->reply.body, ']');
    if (build->end == BUILD_NO_ROOM || !buf_ok(&exchange->reply.body) ||
        undo_reserve(undo, 1) != STATUS_OK) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return BUILT_ANSWER;
    }
    if (build->end == BUILD_CUT && build->records.count == 0) {
        build_hint_oversized(read, build);
    }
    build_move_buffered(consumer, build);
    build_move_positions(consumer, build);
    struct taken_list *taken = &build->taken;
    if (taken->count > 0) {
        exchange_on_lost(exchange, taken_give_back, taken);
        undo_push(undo, &taken_undo, consumer->consumers, &taken, sizeof(taken));
    }
    return BUILT_ANSWER;
}
