/* Writing what a read found, and moving positions on (specs/kafka-rest-v2.md section 3.4).
 *
 * Writing happens only when the answer leaves. Invariant: a position moves only together with an
 * answer that holds the records, and moves back when the turn of that answer fails.
 *
 * The real proxy polls 30 records at a time; when max_bytes cuts an answer short, the rest of the
 * 30 stays in its own buffer while Kafka's position, the one that is committed, is already past
 * them. consumer->buffered is that buffer: at most 30 records, as ranges of offsets.
 *
 * A read looks at each of its partitions, and remembers those only whose records are in the answer.
 */
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
    BUILD_CUT,       /* the next record would reach max_bytes */
    BUILD_FULL,      /* the answer is as large as answers may be */
    BUILD_CROWDED,   /* there is no room for the first record */
    BUILD_POISON,    /* the next record cannot be read in this format */
    BUILD_NO_PLACE,  /* no memory in the budget to remember where the partition is read */
    BUILD_NO_MEMORY, /* out of memory */
};

/* Records of one partition; of those that the answer has none of nothing is kept. */
struct build_piece {
    size_t index; /* of the partition */
    int64_t first;
    int64_t next; /* after the last one */
};

struct consumer_build {
    uint64_t epoch;
    struct consumer_records records;
    struct taken_list taken;
    struct build_piece
        *moved; /* what the answer has of each partition, in the order of the fetch */
    size_t moved_count;
    size_t moved_cap;
    int64_t buffered_next[CONSUMER_POLL_RECORDS]; /* after the last record written of each range */
    size_t buffered_count;
    /* After a cut: what the real proxy had polled with it and could not return. */
    struct build_piece tail[CONSUMER_POLL_RECORDS];
    size_t tail_count;
    int64_t tail_left;
    struct group_text *topic; /* of the record that was looked at last; only compared */
    bool has_looked;          /* at any record; the last one was: */
    bool last_is_buffered;
    size_t last_index; /* its range or partition */
    int64_t last_offset;
    size_t from_buffer; /* records written from the buffered ranges */
    size_t room;        /* for the first record, whatever read->reply_max says */
    int64_t bytes;
    int64_t cut_size;
    enum build_end end;
};

static bool build_next(struct broker_fetch *fetch, struct broker_fetch_part *part)
{
    struct consumer_read *read = fetch->base.ctx;
    consumer_turn_note(read->consumer->consumers, 1);
    return read->build->epoch == group_member_epoch(read->consumer->member) &&
           consumer_way_next(read->consumer, &read->way, part);
}

/* The name is the answer's own: the member may drop its text while the broker is at work. */
static bool build_name(struct consumer_read *read, struct group_text *topic)
{
    struct consumer_build *build = read->build;
    if (build->topic == topic) {
        return true;
    }
    const char *copy = arena_copy_cstr(&read->call->exchange->arena, group_text_span(topic));
    build->records.topic = span_from(copy, copy != NULL ? topic->len : 0);
    build->topic = topic;
    return copy != NULL;
}

static bool build_look_at(struct consumer_read *read, int64_t offset)
{
    struct consumer_build *build = read->build;
    const struct consumer_way *way = &read->way;
    const struct consumer_range *range =
        way->is_buffered ? &read->consumer->buffered[way->buffered - 1] : NULL;
    build->has_looked = true;
    build->last_is_buffered = way->is_buffered;
    build->last_index = way->is_buffered ? way->buffered - 1 : way->walk.index;
    build->last_offset = offset;
    build->records.partition = range != NULL ? range->partition : way->partition.partition;
    return build_name(read, range != NULL ? range->topic : way->partition.topic);
}

/* The partition's position will move on from `first`; at the end it can. */
static enum build_end build_moves(struct consumer_read *read, int64_t first)
{
    struct consumer_build *build = read->build;
    struct arena *arena = &read->call->exchange->arena;
    size_t index = read->way.walk.index;
    if (build->moved_count > 0 && build->moved[build->moved_count - 1].index == index) {
        return BUILD_GOES_ON;
    }
    enum status status = group_member_reserve(read->consumer->member, index);
    if (status == STATUS_LIMIT) {
        return BUILD_NO_PLACE;
    }
    if (status != STATUS_OK ||
        !ARENA_GROW(arena, build->moved, build->moved_cap, build->moved_count + 1)) {
        return BUILD_NO_MEMORY;
    }
    build->moved[build->moved_count++] = (struct build_piece){index, first, first};
    return BUILD_GOES_ON;
}

/* Whether the record is to be in the answer. */
static enum build_end build_judge(struct consumer_read *read, const struct broker_fetched *record)
{
    struct consumer_build *build = read->build;
    int64_t size = (int64_t)(record->key.len + record->value.len);
    size_t need = build->records.out->len + consumer_record_reply_bytes(read->consumer, record);
    if (build->bytes + size >= read->max_bytes) {
        build->cut_size = size;
        return BUILD_CUT;
    }
    if (build->records.count >= CONSUMER_REPLY_RECORDS_MAX) {
        return BUILD_FULL;
    }
    if (need > (build->records.count > 0 ? read->reply_max : build->room)) {
        read->room_wanted = need;
        return build->records.count > 0 ? BUILD_FULL : BUILD_CROWDED;
    }
    return BUILD_GOES_ON;
}

static enum build_end build_write(struct consumer_read *read, const struct broker_fetched *record)
{
    struct consumer_build *build = read->build;
    enum build_end end = BUILD_GOES_ON;
    if (!read->way.is_buffered) {
        end = build_moves(read, read->way.partition.offset);
    }
    if (end != BUILD_GOES_ON) {
        return end;
    }
    switch (consumer_encode_record(&build->records, record)) {
    case RECORD_ENCODED:
        break;
    case RECORD_POISON:
        return BUILD_POISON;
    case RECORD_NO_ROOM:
        return BUILD_NO_MEMORY;
    }
    build->bytes += (int64_t)(record->key.len + record->value.len);
    return BUILD_GOES_ON;
}

static bool build_record(struct broker_fetch *fetch, size_t part,
                         const struct broker_fetched *record)
{
    struct consumer_read *read = fetch->base.ctx;
    struct consumer_build *build = read->build;
    (void)part;
    consumer_turn_note(read->consumer->consumers, 1);
    build->end = build_look_at(read, record->offset) ? build_judge(read, record) : BUILD_NO_MEMORY;
    if (build->end == BUILD_GOES_ON) {
        build->end = build_write(read, record);
    }
    if (build->end == BUILD_CUT && !read->way.is_buffered) {
        int64_t mine = (int64_t)(build->records.count - build->from_buffer);
        build->tail_left = CONSUMER_POLL_RECORDS - mine % CONSUMER_POLL_RECORDS;
    }
    if (build->end != BUILD_GOES_ON) {
        return false;
    }
    if (read->way.is_buffered) {
        build->buffered_next[build->last_index] = record->offset + 1;
        build->from_buffer++;
    } else {
        build->moved[build->moved_count - 1].next = record->offset + 1;
    }
    return true;
}

/* After a cut the real proxy had polled `tail_left` records more than it could return. Where there
 * is no memory to remember them they are not taken from the log yet, which no client can tell. */
static bool build_seen(struct broker_fetch *fetch, const struct broker_fetch_part *part)
{
    struct consumer_read *read = fetch->base.ctx;
    struct consumer_build *build = read->build;
    if (build->end == BUILD_GOES_ON) {
        return true;
    }
    if (build->end != BUILD_CUT || read->way.is_buffered || !part->is_there) {
        return build->tail_left > 0;
    }
    size_t index = read->way.walk.index;
    int64_t first = index == build->last_index ? build->last_offset : part->offset;
    int64_t there = part->next_offset - first;
    int64_t take = there < build->tail_left ? there : build->tail_left;
    if (take > 0) {
        if (!consumer_buffer_reserve(read->consumer) ||
            group_member_reserve(read->consumer->member, index) != STATUS_OK) {
            return false;
        }
        build->tail[build->tail_count++] = (struct build_piece){index, first, first + take};
        build->tail_left -= take;
    }
    return build->tail_left > 0;
}

/* The build of a read that found no room is used again. */
static struct consumer_build *build_new(struct consumer_read *read)
{
    struct arena *arena = &read->call->exchange->arena;
    struct span name = group_text_span(read->consumer->group);
    struct consumer_build *build = read->build;
    if (build == NULL) {
        build = ARENA_NEW(arena, struct consumer_build);
        const char *group = build != NULL ? arena_copy_cstr(arena, name) : NULL;
        if (group == NULL) {
            return NULL;
        }
        build->taken.group = span_from(group, name.len);
    }
    *build = (struct consumer_build){
        .taken = {.consumers = read->consumer->consumers,
                  .serial = read->consumer->serial,
                  .group = build->taken.group},
        .moved = build->moved,
        .moved_cap = build->moved_cap,
    };
    return build;
}

enum status consumer_build_prepare(struct consumer_read *read, size_t room)
{
    struct consumer *consumer = read->consumer;
    struct reply *reply = &read->call->exchange->reply;
    size_t count = group_member_partition_count(consumer->member);
    struct consumer_build *build = build_new(read);
    if (build == NULL) {
        return STATUS_NO_MEMORY;
    }
    PP_ASSERT(read->measured && read->epoch == group_member_epoch(consumer->member));
    read->build = build;
    build->epoch = read->epoch;
    build->records = (struct consumer_records){.out = &reply->body, .format = consumer->format};
    build->room = room;
    build->buffered_count = consumer->buffered_count;
    for (size_t i = 0; i < consumer->buffered_count; i++) {
        build->buffered_next[i] = consumer->buffered[i].first;
    }
    reply->status = 200;
    buf_append_byte(&reply->body, '[');
    read->way =
        consumer_way_begin(consumer, true, count > 0 ? consumer->next_partition % count : 0);
    read->fetch.next = build_next;
    read->fetch.seen = build_seen;
    read->fetch.bytes_max = read->max_bytes;
    read->fetch.visit = build_record;
    return STATUS_OK;
}

/* --- moving on -------------------------------------------------------------------------------- */

/* The ranges that were written leave the buffer; one that was cut begins later. */
static void build_move_buffered(struct consumer *consumer, struct consumer_build *build)
{
    size_t used = 0;
    bool all = build->end == BUILD_GOES_ON || !build->has_looked || !build->last_is_buffered;
    for (size_t i = 0; i < build->buffered_count; i++) {
        struct consumer_range *range = &consumer->buffered[i];
        taken_note(&build->taken, range->topic_id, range->partition, range->first);
        range->first = build->buffered_next[i];
        if (all || i < build->last_index) {
            used++;
            group_text_unref(range->topic);
        }
    }
    consumer->buffered_count -= used;
    if (used > 0) {
        memmove(consumer->buffered, &consumer->buffered[used],
                consumer->buffered_count * sizeof(consumer->buffered[0]));
    }
}

static void build_move_positions(struct consumer *consumer, struct consumer_build *build)
{
    for (size_t i = 0; i < build->moved_count; i++) {
        const struct build_piece *piece = &build->moved[i];
        struct group_partition p = group_member_partition(consumer->member, piece->index);
        if (piece->next != piece->first) {
            taken_note(&build->taken, p.topic_id, p.partition, piece->first);
            group_member_read_on(consumer->member, piece->index, piece->next);
        }
    }
    if ((build->end == BUILD_CUT || build->end == BUILD_FULL) && !build->last_is_buffered) {
        consumer->next_partition = build->last_index + 1; /* the others get their turn */
    }
    for (size_t i = 0; i < build->tail_count; i++) {
        const struct build_piece *piece = &build->tail[i];
        struct group_partition p = group_member_partition(consumer->member, piece->index);
        PP_ASSERT(consumer->buffered_count < CONSUMER_POLL_RECORDS);
        taken_note(&build->taken, p.topic_id, p.partition, piece->first);
        consumer->buffered[consumer->buffered_count++] = (struct consumer_range){
            group_text_ref(p.topic), p.topic_id, p.partition, piece->first, piece->next};
        group_member_read_on(consumer->member, piece->index, piece->next);
    }
}

/* Room for every place that the answer may have to go back to: a range may be noted, buffered
 * again, and noted once more on the way back. */
static bool build_reserve_taken(struct consumer_read *read)
{
    struct consumer_build *build = read->build;
    size_t places = build->moved_count + 3 * CONSUMER_POLL_RECORDS;
    build->taken.places =
        arena_alloc_array(&read->call->exchange->arena, places, sizeof(*build->taken.places));
    return build->taken.places != NULL;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void build_answer_poison(struct consumer_read *read, const struct consumer_build *build)
{
    struct exchange *exchange = read->call->exchange;
    answer_hint(exchange,
                "record %.*s-%d offset %lld is not %s and blocks this instance: seek past it "
                "(POST .../positions) or read the topic with a binary instance",
                SPAN_ARG(build->records.topic), (int)build->records.partition,
                (long long)build->last_offset,
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
                (long long)build->last_offset, (long long)build->cut_size,
                (long long)read->max_bytes);
}

enum consumer_built consumer_build_finish(struct consumer_read *read)
{
    struct exchange *exchange = read->call->exchange;
    struct consumer *consumer = read->consumer;
    struct consumer_build *build = read->build;
    struct undo_log *undo = read->call->rest->options.undo;
    consumer_turn_note(consumer->consumers, exchange->reply.body.len / CONSUMER_LOOK_BYTES);
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
    if (build->end == BUILD_NO_PLACE && build->records.count == 0) {
        consumer_refuse_pairs(exchange);
        return BUILT_ANSWER;
    }
    /* DIFFERS: what was read before a record that is not of the consumer's format is returned and
     * only the next read fails; the real proxy loses it with the 408. */
    if (build->end == BUILD_POISON && build->records.count == 0) {
        build_answer_poison(read, build);
        return BUILT_ANSWER;
    }
    buf_append_byte(&exchange->reply.body, ']');
    if (build->end == BUILD_NO_MEMORY || !buf_ok(&exchange->reply.body) ||
        !build_reserve_taken(read) || undo_reserve(undo, 1) != STATUS_OK) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return BUILT_ANSWER;
    }
    if (build->end == BUILD_CUT && build->records.count == 0) {
        build_hint_oversized(read, build);
    }
    build_move_buffered(consumer, build);
    build_move_positions(consumer, build);
    consumer_buffer_trim(consumer);
    struct taken_list *taken = &build->taken;
    if (taken->count > 0) {
        exchange_on_lost(exchange, taken_give_back, taken);
        undo_push(undo, &taken_undo, consumer->consumers, &taken, sizeof(taken));
    }
    return BUILT_ANSWER;
}
