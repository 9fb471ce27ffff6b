/* Topics and groups as the faces see them (the REST proxy now, Kafka's own protocol next): one
 * interface whose calls may all complete later. The embedded broker (broker_store.c) is the store's
 * log and answers at once; another, such as a real Kafka cluster, can stand in its place.
 *
 * Whoever calls judges before it does who may (topic_policy.h): a face for its clients, the sink
 * for its dead letters. The broker does what it is asked and knows no policy. A group's member
 * carries its face's policy, because its pattern is matched against topics long after it was
 * judged.
 *
 * Every call is one request struct that begins with a struct broker_request. BROKER_DONE: the
 * answer is in the struct. BROKER_LATER: the struct stays the broker's until it calls done, or
 * until broker_cancel. An answer's texts and lists are in the request's arena.
 *
 * Invariant: done is called once for a BROKER_LATER, never for a BROKER_DONE, never from inside the
 * call itself and never after broker_cancel. The broker may answer from a later turn; then what it
 * did belongs to the turn in which done is called. A broker that is freed answers nobody any more.
 *
 * Only the faces may stand before a broker that answers later. Kafka Connect and its sink stand on
 * the embedded broker and the store's log below it on purpose: what they read, write and commit is
 * part of the turn in which the records came, so that an acknowledged record has its object. They
 * ask the broker for nothing but listening and produce, and produce must be BROKER_DONE for them.
 */
#ifndef PINPIPE_BROKER_H
#define PINPIPE_BROKER_H

#include "arena.h"
#include "error.h"
#include "group.h"
#include "kafka_error.h"

struct broker;
struct topic_config_values;

enum broker_outcome { BROKER_DONE, BROKER_LATER };

/* The head of every request. `arena`, `done` and `ctx` are the caller's, the rest is answered. */
struct broker_request {
    struct arena *arena;
    void (*done)(struct broker_request *request); /* NULL: for brokers that answer at once */
    void *ctx;
    enum status status;
    struct error error; /* when status is not OK, in Kafka's words where Kafka has any */
    void *work;         /* the broker's own while the request is with it */
};

/* --- topics ----------------------------------------------------------------------------------- */

enum {
    BROKER_TOPIC_PARTITIONS_MAX = 10000,
    /* The cluster's only broker, as MSK counts. */
    BROKER_ID = 1,
};

struct broker_topic {
    int64_t id; /* never used again, not by a topic of the same name either; 0: it is not there */
    struct span name;
    int32_t partition_count;
};

/* The cluster and its topics: all of them (in name order), or those that are named (in that order,
 * with id 0 where there is none; perhaps none at all). */
struct broker_metadata {
    struct broker_request base;
    bool all;
    const struct span *names;
    size_t name_count;
    struct span cluster_id;
    struct broker_topic *topics;
    size_t topic_count;
};

/* NOT_FOUND: no such topic. */
struct broker_configs {
    struct broker_request base;
    struct span topic;
    struct topic_config_values *values;
};

struct broker_config {
    const char *name;
    const char *value;
};
/* EXISTS. INVALID, in Kafka's words: more partitions than there may be. Name and settings have been
 * checked (topic_name_check, topic_config_check). */
struct broker_create {
    struct broker_request base;
    struct span topic;
    int32_t partition_count;
    const struct broker_config *configs;
    size_t config_count;
};

/* NOT_FOUND. */
struct broker_delete {
    struct broker_request base;
    struct span topic;
};

/* --- records ---------------------------------------------------------------------------------- */

enum broker_offset_at { BROKER_OFFSET_EARLIEST, BROKER_OFFSET_LATEST, BROKER_OFFSET_TIME };

struct broker_offset {
    struct span topic;
    int32_t partition;
    enum broker_offset_at at;
    int64_t timestamp_ms; /* of OFFSET_TIME: the first record that is not older */
    bool is_there;        /* the partition */
    int64_t offset;       /* -1: no record is that young */
};
struct broker_offsets {
    struct broker_request base;
    struct broker_offset *offsets;
    size_t count;
};

struct broker_record {
    int32_t partition; /* -1: by key, else sticky */
    bool has_key;
    bool has_value;
    struct span key;
    struct span value;
    struct span headers;
    int64_t timestamp_ms; /* -1: the broker's now */
};

/* The outcome of one record: an error of Kafka's, and what a face needs to put it into its own
 * words. */
struct broker_result {
    int32_t partition; /* where it is, or should have gone; -1: nowhere, it was refused before */
    int32_t partition_count; /* of the topic, when the record came; 0: it is not there */
    int64_t offset;          /* -1 with an error */
    int64_t timestamp_ms;    /* -1 with an error */
    enum kafka_error error;
};

enum {
    /* The producer's max.request.size, for a record that comes alone (broker_record_bytes). */
    BROKER_RECORD_BYTES_MAX = 1048576,
    /* Kafka's message.max.bytes. The records of a batch may be larger than it: it comes compressed,
     * and the producer has judged them already. */
    BROKER_BATCH_BYTES_MAX = 1048588,
};

/* Failures stand in the results; base.status is always OK. Records are kept or refused one by one,
 * those of a batch together. */
struct broker_produce {
    struct broker_request base;
    struct span topic;
    const struct broker_record *records;
    struct broker_result *results; /* one a record, filled in */
    size_t count;
    /* Empty: the records came alone. Else the record batch that they came in, kept as it is beside
     * them and never looked into: `records` are all that are in it, in order, each for the same
     * partition (>= 0). */
    struct span batch;
};
/* The size that Kafka's producer reckons with: its upper bound for a batch of this record alone. */
size_t broker_record_bytes(const struct broker_record *record);

/* A record of the log, as it is lent to a visitor. */
struct broker_fetched {
    int64_t offset;
    int64_t timestamp_ms;
    bool has_key;
    bool has_value;
    struct span key;
    struct span value;
    struct span headers;
};

/* One partition of a fetch: records from `offset` up to (not with) `end`. */
struct broker_fetch_part {
    struct span topic;
    int64_t topic_id; /* of the topic that is meant; 0: whichever has the name */
    int32_t partition;
    int64_t offset;
    int64_t end;
    bool is_there;       /* else the part is passed over */
    int64_t next_offset; /* the log's end */
};
/* A record batch as it came, but for the offset that it begins with, which is the producer's: a
 * face puts first_offset in its place. Lent to a visitor. */
struct broker_fetched_batch {
    int64_t first_offset;
    int64_t last_offset;
    struct span bytes;
};
/* Visits records part by part, in order, until visit returns false or about bytes_max of keys and
 * values have been visited (with the record that reaches it). A record's spans are valid during the
 * visit, which may not call the broker. Failures of one part are base's.
 *
 * With visit_batch, a batch is visited whole in place of its records, when any of them is asked
 * for: it may begin before `offset` and end behind `end`, as in Kafka's log. Records that came
 * alone are still visit's. Its bytes count towards bytes_max. */
struct broker_fetch {
    struct broker_request base;
    struct broker_fetch_part *parts;
    size_t count;
    /* NULL: the list. Else there is none: the parts come one by one, as the fetch gets to them,
     * until next returns false or seen does, which is told of each part behind its records. What is
     * asked of many thousand partitions takes no memory so. A broker that answers later asks when
     * it answers; a part's topic is the caller's until the next call of one of these. */
    bool (*next)(struct broker_fetch *fetch, struct broker_fetch_part *part);
    bool (*seen)(struct broker_fetch *fetch, const struct broker_fetch_part *part);
    int64_t bytes_max;
    bool (*visit)(struct broker_fetch *fetch, size_t part, const struct broker_fetched *record);
    bool (*visit_batch)(struct broker_fetch *fetch, size_t part,
                        const struct broker_fetched_batch *batch); /* NULL: records only */
};

/* --- groups ----------------------------------------------------------------------------------- */

/* A member as others see it. */
struct broker_group_place {
    struct span topic;
    int32_t partition;
};
struct broker_group_member {
    struct span member_id;
    struct span client_id;
    const struct broker_group_place *places; /* dealt by the group */
    size_t place_count;
};

struct broker_group {
    struct span name;
    size_t member_count; /* that have joined */
};
/* Every group with a member that has joined or with a commit, in name order. */
struct broker_groups {
    struct broker_request base;
    struct broker_group *groups;
    size_t count;
};

/* One group's joined members, in member id order. */
struct broker_describe {
    struct broker_request base;
    struct span group;
    bool exists; /* it has a member or a commit */
    struct broker_group_member *members;
    size_t member_count;
};

struct broker_committed {
    struct span topic;
    int32_t partition;
    int64_t offset; /* -1: nothing is committed */
    struct span metadata;
};
/* What a group has committed: for the places given, or (places NULL) all, in (topic, partition)
 * order. */
struct broker_group_offsets {
    struct broker_request base;
    struct span group;
    struct broker_committed *places;
    size_t count;
};

/* All or nothing. Kafka keeps commits of topics that it does not know, too. */
struct broker_commit {
    struct broker_request base;
    struct span group;
    const struct broker_committed *places;
    size_t count;
};

/* What a member (group.h) asks of its group's coordinator. After it, the member's partitions and
 * positions are as the coordinator wants them. The calls of one member are answered in the order in
 * which they were made. */
enum broker_membership_action {
    /* Asks for topics; those that it has already change nothing, others make the member leave until
     * its next poll. No topics: as unsubscribe. INVALID: an empty name. EXISTS: topics, pattern and
     * partitions exclude each other. */
    BROKER_MEMBER_SUBSCRIBE,
    /* A Java regular expression that must match the whole name. INVALID: it cannot be compiled;
     * EXISTS. */
    BROKER_MEMBER_SUBSCRIBE_PATTERN,
    /* Takes partitions by hand and keeps the positions of those that it had. No partitions: as
     * unsubscribe. INVALID: an empty name; EXISTS. Sorts `choices` and drops doubles. */
    BROKER_MEMBER_ASSIGN,
    /* Leaves the group and forgets topics, pattern and partitions; commits nothing. */
    BROKER_MEMBER_UNSUBSCRIBE,
    /* Joins if need be, takes part in what the group does, commits when commit_due is set, and
     * settles every position that can be settled. NOT_FOUND: auto.offset.reset is none and there is
     * no commit, or a position is outside the log; the message is Kafka's. */
    BROKER_MEMBER_POLL,
    /* Commits the position of every partition that has one. */
    BROKER_MEMBER_COMMIT,
    /* Commits with auto commit on, leaves and lets go of everything: the last call of a member,
     * whose struct may be freed when it is answered. Cancelled, it lets go at once. */
    BROKER_MEMBER_CLOSE,
};

struct broker_membership {
    struct broker_request base;
    struct group_member *member;
    enum broker_membership_action action;
    const struct span *topics; /* SUBSCRIBE */
    size_t topic_count;
    struct span pattern;          /* SUBSCRIBE_PATTERN */
    struct group_choice *choices; /* ASSIGN */
    size_t choice_count;
    bool commit_due;    /* POLL: auto.commit.interval.ms has passed */
    bool at_once;       /* CLOSE: never goes on */
    bool others_follow; /* CLOSE: all members leave, nobody is dealt what this one held */
    /* Answered: only a part of what is to be committed or dealt was, and nothing that comes behind
     * it was done. The same is asked again, in a later turn, until it is done. */
    bool goes_on;
    size_t looks; /* answered: about how many partitions and topics it has looked at */
};

/* --- the interface ---------------------------------------------------------------------------- */

struct broker_ops {
    enum broker_outcome (*metadata)(struct broker *broker, struct broker_metadata *request);
    enum broker_outcome (*configs)(struct broker *broker, struct broker_configs *request);
    enum broker_outcome (*create)(struct broker *broker, struct broker_create *request);
    enum broker_outcome (*delete)(struct broker *broker, struct broker_delete *request);
    enum broker_outcome (*offsets)(struct broker *broker, struct broker_offsets *request);
    enum broker_outcome (*produce)(struct broker *broker, struct broker_produce *request);
    enum broker_outcome (*fetch)(struct broker *broker, struct broker_fetch *request);
    enum broker_outcome (*groups)(struct broker *broker, struct broker_groups *request);
    enum broker_outcome (*describe)(struct broker *broker, struct broker_describe *request);
    enum broker_outcome (*group_offsets)(struct broker *broker,
                                         struct broker_group_offsets *request);
    enum broker_outcome (*commit)(struct broker *broker, struct broker_commit *request);
    enum broker_outcome (*membership)(struct broker *broker, struct broker_membership *request);
    /* NULL in a broker that never answers later. */
    void (*cancel)(struct broker *broker, struct broker_request *request);
    void (*free)(struct broker *broker);
};

/* Told after each partition has new records (same turn, before its commit): wakes long polls,
 * tells the sinks. */
struct broker_listener {
    void (*on_append)(void *ctx, const struct broker_topic *topic, int32_t partition);
    void *ctx;
};

enum { BROKER_LISTENERS_MAX = 4 };

struct broker {
    const struct broker_ops *ops;
    struct broker_listener listeners[BROKER_LISTENERS_MAX];
    size_t listener_count;
};

void broker_listen(struct broker *broker, struct broker_listener listener);
void broker_unlisten(struct broker *broker, const void *ctx);
/* For brokers: tells every listener. */
void broker_tell_append(const struct broker *broker, const struct broker_topic *topic,
                        int32_t partition);
/* The caller of a request that is LATER goes away: done will not be called, and the struct is not
 * looked at any more. What it asked for may still happen. */
void broker_cancel(struct broker *broker, struct broker_request *request);
/* NULL is allowed. The broker's members have been closed. */
void broker_free(struct broker *broker);

/* --- the embedded broker ---------------------------------------------------------------------- */

struct store;

struct broker_store_options {
    struct store *store;
    struct env *env;
    struct log *log;
    bool auto_create;
};

enum status broker_store_new(const struct broker_store_options *options,
                             struct broker **out) PP_MUST_USE;

#endif
