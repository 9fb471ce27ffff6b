/* GET .../records: the line of reads on an instance, waiting without a thread, waking
 * (specs/kafka-rest-v2.md sections 3.3, 3.4, 3.6).
 *
 * The first read of a line is active: it polls the group, measures the log, and either answers or
 * parks until its time is up or a watched partition gets records. The others wait for their turn or
 * for their time, whichever comes first. Waking only arms the read's timer for now: the answer is
 * built outside the produce that woke it.
 *
 * Invariant: a read that is parked is in its consumer's line; only an active one has watches. */
#include "kafka_rest_consumer.h"

#include "query.h"

/* With no room for its answer, a read looks again after this. */
enum { room_retry_us = 10000, room_bytes_min = 1024 * 1024 };

/* --- watches ---------------------------------------------------------------------------------- */

static size_t watch_bucket(int64_t topic_id, int32_t partition)
{
    return ((uint64_t)topic_id * 31 + (uint64_t)(uint32_t)partition) % CONSUMER_WATCH_BUCKETS;
}

static void unwatch(struct consumer_read *read)
{
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    for (size_t i = 0; i < read->watch_count; i++) {
        struct consumer_watch *watch = &read->watches[i];
        *watch->link = watch->next;
        if (watch->next != NULL) {
            watch->next->link = watch->link;
        }
    }
    consumers->watch_count -= read->watch_count;
    read->watch_count = 0;
    if (read->is_open) {
        *read->open_link = read->next_open;
        if (read->next_open != NULL) {
            read->next_open->open_link = read->open_link;
        }
        read->is_open = false;
    }
}

static void watch_partition(struct consumer_read *read, const struct group_partition *p)
{
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    struct consumer_watch **bucket = &consumers->watches[watch_bucket(p->topic_id, p->partition)];
    struct consumer_watch *watch = &read->watches[read->watch_count++];
    *watch = (struct consumer_watch){*bucket, bucket, read, p->topic_id, p->partition};
    if (watch->next != NULL) {
        watch->next->link = &watch->next;
    }
    *bucket = watch;
    consumers->watch_count++;
}

/* Some of what it asked for does not exist yet: it must hear of new topics, too. */
static void watch_new_topics(struct consumer_read *read)
{
    struct kafka_rest_consumers *consumers = read->consumer->consumers;
    read->next_open = consumers->open_reads;
    read->open_link = &consumers->open_reads;
    if (read->next_open != NULL) {
        read->next_open->open_link = &read->next_open;
    }
    consumers->open_reads = read;
    read->is_open = true;
}

static bool has_missing_topics(const struct group_member *member)
{
    for (size_t i = 0; i < member->topic_count; i++) {
        if (store_topic_find(member->set->store, group_text_span(member->topics[i])) == NULL) {
            return true;
        }
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        if (group_partition_topic(member->set, &member->partitions[i]) == NULL) {
            return true;
        }
    }
    return member->mode == GROUP_MODE_PATTERN;
}

/* False: out of memory. */
static bool watch(struct consumer_read *read)
{
    const struct group_member *member = &read->consumer->member;
    if (read->watch_count > 0 && read->watch_epoch == member->epoch) {
        return true;
    }
    unwatch(read);
    if (member->partition_count > read->watch_cap) {
        read->watches = arena_alloc_array(&read->call->exchange->arena, member->partition_count,
                                          sizeof(*read->watches));
        read->watch_cap = read->watches != NULL ? member->partition_count : 0;
        if (read->watches == NULL) {
            return false;
        }
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        watch_partition(read, &member->partitions[i]);
    }
    if (has_missing_topics(member)) {
        watch_new_topics(read);
    }
    read->watch_epoch = member->epoch;
    return true;
}

/* --- one look --------------------------------------------------------------------------------- */

static enum handled answer_empty(struct exchange *exchange)
{
    BUF_APPEND_LIT(&exchange->reply.body, "[]");
    exchange->reply.status = 200;
    return HANDLED;
}

/* Joins, notices new topics, commits, settles positions. False: an error is answered. */
static bool poll_group(struct consumer_read *read)
{
    struct consumer *consumer = read->consumer;
    struct group_member *member = &consumer->member;
    struct kafka_rest_call *call = read->call;
    struct error err = ERROR_NONE;
    if (member->mode == GROUP_MODE_NONE) {
        answer_hint(call->exchange, "subscribe the instance first: POST .../subscription "
                                    "{\"topics\": [\"...\"]}");
        kafka_rest_error_known(call->exchange, ERROR_INTERNAL);
        return false;
    }
    bool joins = member->mode != GROUP_MODE_ASSIGNED && member->group == NULL;
    enum status status = group_member_poll(member, &err);
    if (status != STATUS_OK) {
        kafka_rest_error_store(call, &err);
        return false;
    }
    if (joins) {
        read->first_poll = call->rest->options.first_poll == FIRST_POLL_EMPTY;
    }
    consumer_auto_commit_if_due(consumer);
    status = group_member_settle(member, &err);
    if (status == STATUS_NOT_FOUND) {
        answer_hint(call->exchange, "auto.offset.reset is none, so somebody must commit or "
                                    "seek first; earliest and latest need no commit");
        kafka_rest_error(call->exchange, 500, 50002, "%s", err.message);
        return false;
    }
    if (status != STATUS_OK) {
        kafka_rest_error_store(call, &err);
        return false;
    }
    return true;
}

/* True: the answer is complete. False: `*again_us` is when to look next, if nothing wakes it. */
static bool look(struct consumer_read *read, int64_t *again_us)
{
    struct exchange *exchange = read->call->exchange;
    struct error err = ERROR_NONE;
    bool enough = false;
    *again_us = read->deadline_us;
    if (!poll_group(read)) {
        return true;
    }
    int64_t now_us = consumer_now_us(read->consumer->consumers);
    bool over = now_us >= read->deadline_us;
    if (read->first_poll) {
        if (over) {
            answer_hint(exchange, "the first read after a subscribe only joins the group and "
                                  "fixes its positions: read again (serve --first-poll eager "
                                  "answers with data at once)");
            answer_empty(exchange);
        }
        return over;
    }
    if (consumer_read_measure(read, &enough, &err) != STATUS_OK) {
        kafka_rest_error_store(read->call, &err);
        return true;
    }
    if (!enough && !over) {
        return false;
    }
    size_t room = exchange_reply_room(exchange);
    if (room < room_bytes_min) {
        *again_us = now_us + room_retry_us;
        if (over) {
            answer_empty(exchange);
        }
        return over;
    }
    consumer_read_build(read, room < CONSUMER_REPLY_BYTES_MAX ? room : CONSUMER_REPLY_BYTES_MAX);
    return true;
}

/* --- the line --------------------------------------------------------------------------------- */

static void leave_line(struct consumer_read *read)
{
    struct consumer *consumer = read->consumer;
    struct consumer_read **link = &consumer->reads;
    while (*link != read) {
        link = &(*link)->next;
    }
    *link = read->next;
    consumer->read_count--;
    unwatch(read);
    consumer_touch(consumer);
}

static const struct park_ops read_ops;

/* The first in line looks at the log. True: it has left the line with its answer complete. */
static bool step(struct consumer_read *read)
{
    int64_t again_us;
    read->active = true;
    read->stepping = true;
    bool done = look(read, &again_us);
    if (!done && !read->first_poll && !watch(read)) {
        exchange_fail(read->call->exchange, EXCHANGE_NO_MEMORY);
        done = true;
    }
    read->stepping = false;
    if (done) {
        leave_line(read);
    } else {
        exchange_park(read->call->exchange, again_us, &read_ops, read);
    }
    return done;
}

/* The first in line has changed: it gets its turn. */
static void advance_line(struct consumer *consumer)
{
    while (consumer->reads != NULL && !consumer->reads->active) {
        struct consumer_read *read = consumer->reads;
        if (step(read)) {
            exchange_answer(read->call->exchange);
        }
    }
}

static void read_due(struct exchange *exchange, void *state)
{
    struct consumer_read *read = state;
    struct consumer *consumer = read->consumer;
    read->woken = false;
    if (!read->active) { /* its time is up, its turn never came */
        leave_line(read);
        answer_empty(exchange);
        exchange_answer(exchange);
        return;
    }
    if (step(read)) {
        exchange_answer(exchange);
        advance_line(consumer);
    }
}

static void read_cancel(struct exchange *exchange, void *state)
{
    struct consumer_read *read = state;
    struct consumer *consumer = read->consumer;
    (void)exchange;
    leave_line(read);
    advance_line(consumer);
}

static const struct park_ops read_ops = {read_due, read_cancel};

static void wake(struct consumer_read *read)
{
    if (!read->stepping && !read->woken) {
        read->woken = true;
        exchange_park(read->call->exchange, consumer_now_us(read->consumer->consumers), &read_ops,
                      read);
    }
}

void consumer_reads_wake(struct consumer *consumer)
{
    if (consumer->reads != NULL && consumer->reads->active) {
        wake(consumer->reads);
    }
}

void consumer_reads_refuse(struct consumer *consumer)
{
    while (consumer->reads != NULL) {
        struct consumer_read *read = consumer->reads;
        leave_line(read);
        kafka_rest_error_known(read->call->exchange, ERROR_INSTANCE_NOT_FOUND);
        exchange_answer(read->call->exchange);
    }
}

/* Is this a topic that an open read waits for and does not know yet? */
static bool is_new_for(const struct consumer_read *read, const struct broker_topic *topic,
                       int32_t partition)
{
    const struct group_member *member = &read->consumer->member;
    const struct group_partition *held = group_member_partition(member, topic->name, partition);
    if (held != NULL) {
        return held->topic_id != topic->id;
    }
    /* Another member's, or a topic that was not there at the last rebalance. */
    return group_member_wants(member, topic->name);
}

void kafka_rest_consumers_on_append(struct kafka_rest_consumers *consumers,
                                    const struct broker_topic *topic, int32_t partition)
{
    if (consumers->watch_count > 0) {
        struct consumer_watch *next;
        for (struct consumer_watch *w = consumers->watches[watch_bucket(topic->id, partition)];
             w != NULL; w = next) {
            next = w->next;
            if (w->topic_id == topic->id && w->partition == partition) {
                wake(w->read);
            }
        }
    }
    for (struct consumer_read *read = consumers->open_reads; read != NULL; read = read->next_open) {
        if (!read->woken && is_new_for(read, topic, partition)) {
            wake(read);
        }
    }
}

/* --- the request ------------------------------------------------------------------------------ */

/* Absent or empty: -1. False: not a whole number, which JAX-RS answers with 404. */
static bool query_number(struct exchange *exchange, const char *name, int64_t *out)
{
    struct span text;
    *out = -1;
    enum query_outcome outcome = query_value(exchange, name, &text);
    bool ok = outcome == QUERY_ABSENT ||
              (outcome == QUERY_FOUND && (text.len == 0 || span_parse_i64(text, out)));
    if (!ok) {
        kafka_rest_hint_number(exchange, name);
        kafka_rest_error_known(exchange, ERROR_NOT_FOUND);
    }
    return ok;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The server's second caps the instance's value as well: a defect of 7.2, kept. */
static int64_t effective_wait_ms(const struct consumer *consumer, int64_t timeout_ms)
{
    int64_t wait_ms = smaller(consumer->wait_ms, CONSUMER_SERVER_WAIT_MS);
    if (timeout_ms > 0) {
        wait_ms = smaller(wait_ms, timeout_ms);
    }
    return wait_ms > 0 ? wait_ms : 0;
}

static enum kafka_rest_media reader_of(enum kafka_rest_media accepted)
{
    switch ((int)accepted) {
    case MEDIA_V2:
        return MEDIA_BINARY;
    case MEDIA_APPLICATION_JSON: /* only in lenient mode */
        return MEDIA_JSON;
    default:
        return accepted;
    }
}

static bool check_format(struct kafka_rest_call *call, const struct consumer *consumer)
{
    if (reader_of(call->media.out) == consumer->format) {
        return true;
    }
    answer_hint(call->exchange,
                "the format is fixed when the instance is created: send Accept: %s (no Accept, "
                "or */*, means binary)",
                kafka_rest_media_type(consumer->format));
    kafka_rest_error_known(call->exchange, ERROR_FORMAT_MISMATCH);
    return false;
}

/* Patterns see only what they may. */
static bool check_permitted(struct kafka_rest_call *call, const struct consumer *consumer)
{
    const struct group_member *member = &consumer->member;
    if (!consumer_group_permitted(call)) {
        return false;
    }
    if (!call->rest->options.policy->enforced) {
        return true;
    }
    for (size_t i = 0; i < member->topic_count; i++) {
        if (!kafka_rest_topic_permitted(call, group_text_span(member->topics[i]))) {
            return false;
        }
    }
    for (size_t i = 0; member->mode == GROUP_MODE_ASSIGNED && i < member->partition_count; i++) {
        if (!kafka_rest_topic_permitted(call, group_text_span(member->partitions[i].topic))) {
            return false;
        }
    }
    return true;
}

enum handled kafka_rest_consumer_records(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    int64_t timeout_ms;
    int64_t max_bytes;
    if (!query_number(exchange, "timeout", &timeout_ms) ||
        !query_number(exchange, "max_bytes", &max_bytes)) {
        return HANDLED;
    }
    struct consumer *consumer = consumer_of_request(call);
    if (consumer == NULL || !check_format(call, consumer) || !check_permitted(call, consumer)) {
        return HANDLED;
    }
    struct consumer_read *read = ARENA_NEW(&exchange->arena, struct consumer_read);
    if (read == NULL || consumer->read_count >= CONSUMER_READS_MAX) {
        exchange_fail(exchange, read == NULL ? EXCHANGE_NO_MEMORY : EXCHANGE_OVERLOADED);
        return HANDLED;
    }
    read->call = call;
    read->consumer = consumer;
    read->max_bytes = CONSUMER_FETCH_BYTES_MAX;
    if (max_bytes > 0) {
        read->max_bytes = smaller(read->max_bytes, max_bytes);
    }
    read->deadline_us =
        consumer_now_us(call->rest->consumers) + effective_wait_ms(consumer, timeout_ms) * 1000;
    struct consumer_read **end = &consumer->reads;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = read;
    consumer->read_count++;
    if (consumer->reads == read) {
        return step(read) ? HANDLED : PARKED;
    }
    exchange_park(exchange, read->deadline_us, &read_ops, read);
    return PARKED;
}
