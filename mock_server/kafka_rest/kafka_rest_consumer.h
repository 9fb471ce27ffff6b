/* What the files of the consumers share (kafka_rest_consumer*.c); nobody else includes it.
 *
 * A consumer is one instance of spec section 3: created by POST, gone by DELETE or after five
 * minutes of silence, kept in memory only. It embeds a group member (group.h), which knows
 * subscription, partitions and positions. Reads in progress (struct consumer_read) stand in line on
 * their consumer; only the first of a line looks at the log. */
#ifndef PINPIPE_KAFKA_REST_CONSUMER_H
#define PINPIPE_KAFKA_REST_CONSUMER_H

#include "group_coordinator.h"
#include "kafka_rest_internal.h"

enum {
    /* The real proxy has no limits of its own here; see check_limits. */
    CONSUMER_INSTANCES_MAX = 10000,
    CONSUMER_GROUP_BYTES_MAX = 255,
    CONSUMER_NAME_BYTES_MAX = 255,
    CONSUMER_LIST_MAX = 10000, /* entries of one list in a body */
    CONSUMER_READS_MAX = 50,   /* in line on one instance: the real proxy's worker threads */
    /* Kafka's offset.metadata.max.bytes */
    CONSUMER_METADATA_BYTES_MAX = 4096,

    CONSUMER_EXPIRY_MS = 300000,                 /* consumer.instance.timeout.ms */
    CONSUMER_AUTO_COMMIT_MS = 5000,              /* auto.commit.interval.ms */
    CONSUMER_SERVER_WAIT_MS = 1000,              /* consumer.request.timeout.ms of the server */
    CONSUMER_POLL_RECORDS = 30,                  /* max.poll.records */
    CONSUMER_FETCH_BYTES_MAX = 64 * 1024 * 1024, /* consumer.request.max.bytes */
    /* DIFFERS: an answer ends here even if more would fit into max_bytes, so that memory stays
     * bounded; below API Gateway's 10 MB. */
    CONSUMER_REPLY_BYTES_MAX = 8 * 1024 * 1024,
    CONSUMER_FETCH_MIN_MAX = 10000000,

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
    struct consumer *next; /* of its bucket */
    uint64_t serial;
    struct group_text *group; /* the texts that member's spans point into */
    struct group_text *name;
    struct group_text *member_id;
    struct group_text *client_id;
    enum kafka_rest_media format; /* MEDIA_BINARY, MEDIA_JSON, ... */
    int64_t fetch_min_bytes;      /* -1: no minimum, wait the whole time */
    int64_t wait_ms;              /* its consumer.request.timeout.ms, or the server's */
    struct group_member member;
    struct timer expiry;
    int64_t last_used_us;
    int64_t next_auto_commit_us;
    struct consumer_read *reads; /* the line; the first one is active */
    size_t read_count;
    struct consumer_range buffered[CONSUMER_POLL_RECORDS];
    size_t buffered_count;
    size_t next_partition; /* where the next read begins, so that none starves */
};

struct kafka_rest_consumers {
    struct kafka_rest *rest;
    struct group_set groups;
    struct consumer *buckets[CONSUMER_BUCKETS];
    size_t count;
    uint64_t last_serial;
    struct consumer_watch *watches[CONSUMER_WATCH_BUCKETS];
    size_t watch_count;
    struct consumer_read *open_reads; /* wait for topics that do not exist yet, too */
};

/* --- instances (kafka_rest_consumer.c) --- */

/* The instance of the URL, its silence ended; NULL: 404/40403 is written. */
struct consumer *consumer_of_request(struct kafka_rest_call *call);
/* `--permissions workshop`: false when the URL's group is refused (403/40301 is written). In open
 * mode only the create says what the workshop would refuse: later answers have more to say. */
bool consumer_group_permitted(struct kafka_rest_call *call);
/* NULL when it is gone. */
struct consumer *consumer_by_serial(struct kafka_rest_consumers *consumers, uint64_t serial);
/* Commits with auto commit on, answers the reads in line with 40403, frees it. */
void consumer_close(struct consumer *consumer);
void consumer_touch(struct consumer *consumer);
/* Commits when the interval has passed; called inside polls only. */
void consumer_auto_commit_if_due(struct consumer *consumer);
int64_t consumer_now_us(const struct kafka_rest_consumers *consumers);
struct store *consumer_store(const struct kafka_rest_call *call);

/* Undoes what a handler did in memory when its reply became another one after all (the turn's
 * commit failed). The filter that was there before runs afterwards. NO_MEMORY: nothing is set. */
enum status consumer_on_reply_lost(struct exchange *exchange,
                                   void (*undo)(struct kafka_rest_consumers *consumers, void *ctx),
                                   struct kafka_rest_consumers *consumers, void *ctx) PP_MUST_USE;

/* --- reads in line, waiting and woken (kafka_rest_consumer_fetch.c) --- */

/* A waiting read wants to hear of new records in this partition. */
struct consumer_watch {
    struct consumer_watch *next; /* of its bucket */
    struct consumer_watch **link;
    struct consumer_read *read;
    int64_t topic_id;
    int32_t partition;
};

/* One GET .../records; lives in its exchange's arena. */
struct consumer_read {
    struct kafka_rest_call *call;
    struct consumer *consumer;
    struct consumer_read *next; /* in line */
    int64_t deadline_us;
    int64_t max_bytes;
    bool active;     /* has been the first in line */
    bool first_poll; /* joined the group: answers [] when its time is up */
    bool stepping;   /* looks at the log just now: not to be woken */
    bool woken;
    /* What was measured of the log so far (kafka_rest_consumer_read.c); void in another epoch. */
    bool measured;
    uint64_t epoch;
    int64_t seen_bytes;
    int64_t seen_reply_bytes;
    int64_t *seen_to; /* one a partition */
    size_t seen_cap;
    struct consumer_watch *watches;
    size_t watch_count;
    size_t watch_cap;
    uint64_t watch_epoch;
    bool is_open; /* among consumers->open_reads */
    struct consumer_read *next_open;
    struct consumer_read **open_link;
};

/* The member's partitions or positions were changed from outside the read. */
void consumer_reads_wake(struct consumer *consumer);
/* 404/40403 to each read in line. */
void consumer_reads_refuse(struct consumer *consumer);

/* --- the log (kafka_rest_consumer_read.c) --- */

/* Measures what came since the last call. *enough: the answer would be complete now. */
enum status consumer_read_measure(struct consumer_read *read, bool *enough,
                                  struct error *err) PP_MUST_USE;
/* Writes the answer (records, 408/40801 or a failure) of at most about reply_max bytes and moves
 * the positions on. */
void consumer_read_build(struct consumer_read *read, size_t reply_max);
void consumer_buffer_drop(struct consumer *consumer);

/* --- bodies (kafka_rest_consumer_codec.c) --- */

struct consumer_create_body {
    struct kafka_rest_string id;
    struct kafka_rest_string name;
    struct kafka_rest_string format;
    struct kafka_rest_string auto_offset_reset;
    struct kafka_rest_string auto_commit_enable;
    struct kafka_rest_int fetch_min_bytes;
    struct kafka_rest_int wait_ms;
};

struct consumer_subscribe_body {
    bool has_topics;
    struct span *topics; /* null elements are empty */
    size_t topic_count;
    size_t topic_cap;
    struct kafka_rest_string pattern;
};

/* {"partitions":[...]}: assignments, beginning, end, committed. */
struct consumer_partitions_body {
    bool present;
    struct group_choice *items; /* a null element or topic: an empty topic */
    size_t count;
    size_t cap;
};

struct consumer_place {
    struct kafka_rest_string topic;
    int32_t partition;
    int64_t offset;
    struct kafka_rest_string metadata;
    int64_t timestamp_ms;
    bool has_timestamp;
};
struct consumer_place_list {
    bool present;
    struct consumer_place *items;
    size_t count;
    size_t cap;
};
/* Seeks have both lists, commits `offsets` only. */
struct consumer_places_body {
    struct consumer_place_list offsets;
    struct consumer_place_list timestamps;
};

enum kafka_rest_body consumer_decode_create(struct exchange *exchange,
                                            struct consumer_create_body *body);
enum kafka_rest_body consumer_decode_subscribe(struct exchange *exchange,
                                               struct consumer_subscribe_body *body);
enum kafka_rest_body consumer_decode_partitions(struct exchange *exchange,
                                                struct consumer_partitions_body *body);
enum kafka_rest_body consumer_decode_seek(struct exchange *exchange,
                                          struct consumer_places_body *body);
enum kafka_rest_body consumer_decode_commit(struct exchange *exchange,
                                            struct consumer_places_body *body);

/* {"instance_id":...,"base_uri":...}; base_url as kafka_rest_base_url wrote it. */
void consumer_encode_created(struct buf *out, struct span base_url, struct span group,
                             struct span name);
/* `{"topic":"t","partition":0`, without the closing brace. */
void consumer_encode_partition(struct buf *out, struct span topic, int32_t partition);

/* One records answer under construction. */
struct consumer_records {
    struct buf *out;
    enum kafka_rest_media format;
    struct span topic;
    int32_t partition;
    size_t count;
    struct json_error err;
    const char *exception; /* the Java class of a refused record */
};

enum consumer_encoded { RECORD_ENCODED, RECORD_POISON, RECORD_NO_ROOM };

/* Appends one element of the array. POISON: the record cannot be read in this format; out is as it
 * was before and `exception` and `err` say why. */
enum consumer_encoded consumer_encode_record(struct consumer_records *records,
                                             const struct store_record *record);

#endif
