/* What the files of the consumers share (kafka_rest_consumer*.c).
 *
 * A consumer is one instance of spec section 3: created by POST, gone by DELETE or after five
 * minutes of silence, kept in memory only. It owns a group member (group.h), which holds
 * subscription, partitions and positions. Reads in progress (struct consumer_read) stand in line on
 * their consumer; only the first of a line looks at the log. */
#ifndef PINPIPE_KAFKA_REST_CONSUMER_H
#define PINPIPE_KAFKA_REST_CONSUMER_H

#include "kafka_rest_consumer_codec.h"
#include "timer.h"

enum {
    /* The real proxy has no limits of its own here; see check_limits. What instances and waiting
     * reads remember counts in the budget's share of pairs beside. */
    CONSUMER_INSTANCES_MAX = 10000,
    CONSUMER_GROUP_BYTES_MAX = 255,
    CONSUMER_NAME_BYTES_MAX = 255,
    CONSUMER_LIST_MAX = 2000, /* entries of one list in a body */
    CONSUMER_READS_MAX = 50,  /* in line on one instance: the real proxy's worker threads */
    /* Kafka's offset.metadata.max.bytes */
    CONSUMER_METADATA_BYTES_MAX = 4096,

    CONSUMER_EXPIRY_MS = 300000,                 /* consumer.instance.timeout.ms */
    CONSUMER_AUTO_COMMIT_MS = 5000,              /* auto.commit.interval.ms */
    CONSUMER_SERVER_WAIT_MS = 1000,              /* consumer.request.timeout.ms of the server */
    CONSUMER_POLL_RECORDS = 30,                  /* max.poll.records */
    CONSUMER_FETCH_BYTES_MAX = 64 * 1024 * 1024, /* consumer.request.max.bytes */
    /* DIFFERS: an answer ends here, or at an eighth of the room that unsent answers have left
     * (`serve --memory`), even if more would fit into max_bytes: memory stays bounded, and many who
     * do not read theirs leave some for the next. Below API Gateway's 10 MB. */
    CONSUMER_REPLY_BYTES_MAX = 8 * 1024 * 1024,
    CONSUMER_REPLY_JSON_BYTES_MAX =
        1024 * 1024, /* the same of JSON, which is parsed and written anew */
    CONSUMER_REPLY_ROOM_PARTS = 8,
    CONSUMER_REPLY_BYTES_MIN = 64 * 1024, /* an eighth or these, but no more than half the room */
    /* DIFFERS: an answer has so many records at most, so that reading them holds nobody up; the
     * real proxy ends at max_bytes alone. */
    CONSUMER_REPLY_RECORDS_MAX = 10000,
    CONSUMER_FETCH_MIN_MAX = 10000000,

    /* A call of the coordinator that takes turns longer than this never ends. */
    CONSUMER_SLICES_MAX = 200,
    /* The share of a turn that consumers and large bodies have: partitions, topics and records that
     * are looked at, and each 256 bytes of an answer or a large body. What comes when it is used up
     * waits in line for the next turns. */
    CONSUMER_TURN_LOOKS_MAX = 16384,
    CONSUMER_LOOK_BYTES = 256,
    CONSUMER_LOOK_PARTS = 3, /* of a large body, which are parsed one by one */

    CONSUMER_BUCKETS = 1024,
    CONSUMER_WATCH_BUCKETS = 256,
};

/* Records the proxy has taken from Kafka and not yet given to its client: what a max_bytes cut
 * leaves behind. The Kafka position is already past them. */
struct consumer_range {
    struct group_text *topic; /* a reference */
    int64_t topic_id;
    int32_t partition;
    int64_t first;
    int64_t end;
};

struct consumer_read;

struct consumer {
    struct kafka_rest_consumers *consumers;
    struct consumer *next; /* of its bucket, or of those that are closing */
    uint64_t serial;
    struct group_text *group; /* the texts that member's spans point into */
    struct group_text *name;
    struct group_text *member_id;
    struct group_text *client_id;
    enum kafka_rest_media format; /* MEDIA_BINARY, MEDIA_JSON, ... */
    int64_t fetch_min_bytes;      /* -1: no minimum, wait the whole time */
    int64_t wait_ms;              /* its consumer.request.timeout.ms, or the server's */
    struct group_member *member;
    bool auto_commit;
    struct timer expiry;
    int64_t last_used_us;
    int64_t next_auto_commit_us;
    struct consumer_read *reads; /* the line; the first one is active */
    size_t read_count;
    struct consumer_range *buffered; /* NULL, or room for CONSUMER_POLL_RECORDS */
    size_t buffered_count;
    size_t next_partition; /* where the next read begins, so that none starves */
    size_t charged;        /* in the budget, beside its member's */
    bool is_lost;          /* the turn that made it has failed: its timer ends it */
    bool is_ending;        /* so it does for one whose `closing` takes turns */
    bool is_at_broker;     /* `closing` is under way */
    unsigned slices;
    struct broker_membership closing;
    struct exchange *deleter; /* the DELETE that waits for that; NULL: nobody does */
};

/* The consumers' share of a turn (kafka_rest_consumer_turn.c). */
struct consumer_turn {
    uint64_t number; /* of the turn that `looks` is about */
    size_t looks;
    /* Calls that wait for a turn, in the order in which they came: who comes now stands behind. */
    struct kafka_rest_call *first;
    struct kafka_rest_call *last;
    size_t waiting;
    struct timer timer; /* of the first; its slot is reserved */
};

struct kafka_rest_consumers {
    struct kafka_rest *rest;
    struct consumer_turn turn;
    struct consumer *buckets[CONSUMER_BUCKETS];
    size_t count;
    uint64_t last_serial;
    struct consumer *closing; /* out of the table, not gone yet */
    struct consumer_watch *watches[CONSUMER_WATCH_BUCKETS];
    size_t watch_count;
    struct consumer_read *open_reads; /* wait for topics that do not exist yet, too */
};

/* --- all of them, for the service (kafka_rest_consumer.c) --- */

enum status kafka_rest_consumers_new(struct kafka_rest *rest, struct kafka_rest_consumers **out,
                                     struct error *err) PP_MUST_USE;
/* Parked reads are already answered or cancelled by then. */
void kafka_rest_consumers_free(struct kafka_rest_consumers *consumers);
/* New records in a partition, before their commit: parked reads may be woken
 * (kafka_rest_consumer_line.c). */
void kafka_rest_consumers_on_append(struct kafka_rest_consumers *consumers,
                                    const struct broker_topic *topic, int32_t partition);

/* --- the share of a turn (kafka_rest_consumer_turn.c) --- */

enum status consumer_turn_init(struct kafka_rest_consumers *consumers) PP_MUST_USE;
void consumer_turn_release(struct kafka_rest_consumers *consumers);
/* Has the turn no room for more? */
bool consumer_turn_is_used(struct kafka_rest_consumers *consumers);
/* So much of the share is used. */
void consumer_turn_note(struct kafka_rest_consumers *consumers, size_t looks);
/* May the call do `step` in this turn? False: it stands in line, is to be parked without a
 * deadline, and does it in a later turn; HANDLED is then answered. */
bool consumer_turn_admits(struct kafka_rest_call *call, kafka_rest_step *step);
/* The call leaves the line, if it is there. */
void consumer_turn_leave(struct kafka_rest_call *call);
/* Does `step` now or, parked meanwhile, in a later turn; the second: in a later one. */
enum handled consumer_turn_take(struct kafka_rest_call *call, kafka_rest_step *step);
enum handled consumer_turn_wait(struct kafka_rest_call *call, kafka_rest_step *step);

/* --- reads in line, waiting and woken (kafka_rest_consumer_line.c) --- */

/* A waiting read wants to hear of new records in these partitions of a topic. */
struct consumer_watch {
    struct consumer_watch *next; /* of its bucket */
    struct consumer_watch **link;
    struct consumer_read *read;
    int64_t topic_id;
    int32_t first;
    int32_t count;
};

/* Where a fetch is: what the instance has buffered, then its partitions, round from one of them.
 * Those without a place to read from are passed over. */
struct consumer_way {
    size_t buffered; /* ranges that were given */
    struct group_walk walk;
    size_t left;                      /* of the partitions */
    bool is_buffered;                 /* what was given last is a range */
    struct group_partition partition; /* else this one */
};
struct consumer_way consumer_way_begin(const struct consumer *consumer, bool with_buffered,
                                       size_t start);
bool consumer_way_next(const struct consumer *consumer, struct consumer_way *way,
                       struct broker_fetch_part *part);

/* A partition whose records up to `next` a waiting read has measured. */
struct consumer_seen {
    size_t index;
    int64_t next;
};

/* A step of a read leads to one of these. */
enum consumer_look {
    LOOK_DONE,  /* its answer is complete */
    LOOK_AGAIN, /* at again_us, or when something wakes it */
    LOOK_ASKED, /* the broker will say */
};

/* One GET .../records; lives in its exchange's arena. */
struct consumer_read {
    struct kafka_rest_call *call;
    struct consumer *consumer;
    struct consumer_read *next; /* in line */
    const struct park_ops *park_ops;
    int64_t deadline_us;
    int64_t again_us;
    int64_t max_bytes;
    bool active;     /* has been the first in line */
    bool joins;      /* the poll under way joins the group */
    bool first_poll; /* joined the group: answers [] when its time is up */
    bool busy;       /* looks just now, or the broker does for it: not to be woken */
    bool missed;     /* was to be woken meanwhile */
    bool woken;
    /* With the broker (NULL: nothing is), and what follows. */
    struct broker_request *asked;
    enum consumer_look (*then)(struct consumer_read *read);
    struct broker_membership poll;
    struct broker_fetch fetch;
    struct consumer_way way;
    struct consumer_build *build; /* kafka_rest_consumer_read.c */
    bool goes_on;                 /* the poll is asked again for the rest of a commit */
    unsigned slices;
    size_t charged; /* in the budget */
    /* Measured of the log so far (kafka_rest_consumer_measure.c); void in another epoch. */
    bool measured;
    bool enough;        /* the answer would be complete now */
    size_t reply_max;   /* about how large it may become */
    size_t room_wanted; /* for its first record, which had none */
    uint64_t epoch;
    int64_t seen_bytes;
    size_t seen_reply_bytes;
    size_t seen_records;
    struct consumer_seen *seen; /* in order; of the others nothing is kept */
    size_t seen_count;
    size_t seen_cap;
    size_t seen_at; /* of the partition that the fetch is at */
    struct consumer_watch *watches;
    size_t watch_count;
    size_t watch_cap;
    uint64_t watch_epoch;
    bool is_open; /* among consumers->open_reads */
    struct consumer_read *next_open;
    struct consumer_read **open_link;
};

int64_t consumer_now_us(const struct kafka_rest_consumers *consumers);
void consumer_touch(struct consumer *consumer);
/* Wakes it when its member's partitions get records, or topics that it misses appear. False: out of
 * memory. */
bool consumer_read_watch(struct consumer_read *read);
/* Puts what the read keeps while it waits into the budget. False: there is no room, it is the
 * newest.
 */
bool consumer_read_count(struct consumer_read *read);
void consumer_read_leave_line(struct consumer_read *read);
/* The member's partitions or positions were changed from outside the read. */
void consumer_reads_wake(struct consumer *consumer);
/* 404/40403 to each read in line. */
void consumer_reads_refuse(struct consumer *consumer);

/* --- instances (kafka_rest_consumer.c) --- */

/* NULL when there is none. */
struct consumer *consumer_find(const struct kafka_rest_consumers *consumers, struct span group,
                               struct span name);
/* The instance of the URL, its silence ended; NULL: 404/40403 is written. */
struct consumer *consumer_of_request(struct kafka_rest_call *call);
/* The instance of a POST with {"partitions":[...]}, which is in `body` then; NULL: the answer is
 * written. `argument` is Java's name for a body that is not there, `example` a hint at a right one.
 */
struct consumer *consumer_of_partitions(struct kafka_rest_call *call,
                                        struct consumer_partitions_body *body, const char *argument,
                                        const char *example);
/* `--permissions workshop`: false when the URL's group is refused (403/40301 is written). In open
 * mode only the create says what the workshop would refuse: later answers have more to say. */
bool consumer_group_permitted(struct kafka_rest_call *call);
/* NULL when it is gone. */
struct consumer *consumer_by_serial(struct kafka_rest_consumers *consumers, uint64_t serial);
/* Calls visit for each instance in the table; it may not add or remove any. */
void consumers_visit(struct kafka_rest_consumers *consumers,
                     void (*visit)(void *ctx, struct consumer *consumer), void *ctx);

/* What an instance is made of; `name` may be empty: one is made up. */
struct consumer_settings {
    enum kafka_rest_media format;
    struct span name;
    bool auto_commit;
    enum group_reset reset;
    int64_t fetch_min_bytes;
    int64_t wait_ms;
};
/* In the table, its expiry armed; undone when the turn fails. NO_MEMORY. LIMIT: the budget. */
enum status consumer_new(struct kafka_rest_call *call, struct span group,
                         const struct consumer_settings *settings,
                         struct consumer **out) PP_MUST_USE;
/* Commits with auto commit on, answers the reads in line with 40403, frees it: at once, or (LATER)
 * when the broker is done, and then answers the deleter with 204. */
enum broker_outcome consumer_close(struct consumer *consumer, struct exchange *deleter);
/* Room for what a cut leaves behind. False: out of memory. */
bool consumer_buffer_reserve(struct consumer *consumer);
/* Gives the room back when nothing is in it. */
void consumer_buffer_trim(struct consumer *consumer);
/* What the instance has buffered will be read from the log again. */
void consumer_buffer_drop(struct consumer *consumer);
/* 503: the memory for what consumers remember of partitions is used up. */
void consumer_refuse_pairs(struct exchange *exchange);
/* call->asked is a membership of which a part is done: the same again in a later turn, and
 * call->then gets the answer. The instance is looked up anew (404) and is call->state then. */
enum handled consumer_membership_again(struct kafka_rest_call *call);
/* Asks call->asked, a membership, for the first time, in this turn or in a later one. */
enum handled consumer_membership_ask(struct kafka_rest_call *call);

/* --- the log as a read sees it (kafka_rest_consumer_measure.c, kafka_rest_consumer_read.c) --- */

/* Makes read->fetch measure what came since the last time. */
void consumer_measure_prepare(struct consumer_read *read);
/* Makes read->fetch write the records of an answer of about read->reply_max bytes, or of one record
 * that is larger when it fits into `room`. */
enum status consumer_build_prepare(struct consumer_read *read, size_t room) PP_MUST_USE;

enum consumer_built {
    BUILT_ANSWER,  /* records, 408/40801 or a failure; the positions have moved on */
    BUILT_CHANGED, /* the positions have been changed meanwhile: the read must look again */
    BUILT_NO_ROOM, /* there are records, and not even the first fits into the room */
};
enum consumer_built consumer_build_finish(struct consumer_read *read);
/* About what the record takes in an answer. */
size_t consumer_record_reply_bytes(const struct consumer *consumer,
                                   const struct broker_fetched *record);

#endif
