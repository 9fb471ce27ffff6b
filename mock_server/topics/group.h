/* Consumer groups as Kafka's coordinator and client keep them between them: members, what they
 * subscribe to, the range assignor, positions, and what is committed. No HTTP here and no waiting:
 * the REST proxy's consumers (kafka_rest_consumer*.c) each embed one member.
 *
 * Imitates Kafka 3.2 with eager rebalancing. DIFFERS: a rebalance is
 * complete the moment it begins; Kafka waits until every member polls again.
 *
 * Invariant: a partition of a topic is held by at most one joined member of a group, and a member's
 * partitions are in (topic, partition) order. Topics are looked up in the store each time: the
 * store lends them for one turn only. */
#ifndef PINPIPE_GROUP_H
#define PINPIPE_GROUP_H

#include "log.h"
#include "store.h"

struct group;
struct group_pattern;

enum {
    /* Topic names for which a pattern's match may be given up; then it matches nothing any more. */
    GROUP_PATTERN_OVERRUNS_MAX = 16,
};

/* A name shared by everybody who mentions it. */
struct group_text {
    size_t refs;
    size_t len;
    char text[];
};
struct group_text *group_text_new(struct span text); /* one reference; NULL: out of memory */
struct group_text *group_text_ref(struct group_text *text);
void group_text_unref(struct group_text *text);
struct span group_text_span(const struct group_text *text);

enum group_reset { GROUP_RESET_LATEST, GROUP_RESET_EARLIEST, GROUP_RESET_NONE };

enum group_mode {
    GROUP_MODE_NONE,
    GROUP_MODE_TOPICS,   /* subscribed to names */
    GROUP_MODE_PATTERN,  /* subscribed to all topics that match */
    GROUP_MODE_ASSIGNED, /* partitions by hand; no part in group balancing */
};

/* Where a partition is read next. All but FIXED are settled at the next poll. */
enum group_position {
    GROUP_POSITION_UNSET, /* from the commit, else by auto.offset.reset */
    GROUP_POSITION_BEGINNING,
    GROUP_POSITION_END,
    GROUP_POSITION_FIXED,
};

struct group_partition {
    struct group_text *topic;
    int64_t topic_id; /* the store's, also of one deleted since; 0: it was never there */
    int32_t partition;
    enum group_position at;
    int64_t offset; /* when FIXED */
};

struct group_member {
    /* Set by the owner before the first call; the texts must outlive the member. */
    struct group_set *set;
    struct span group_name;
    struct span member_id;
    struct span client_id;
    bool auto_commit;
    enum group_reset reset;

    enum group_mode mode;
    struct group_text **topics; /* in name order */
    size_t topic_count;
    struct group_pattern *pattern;
    struct group *group; /* NULL: not joined */
    struct group_partition *partitions;
    size_t partition_count;
    /* Grows when partitions or positions change other than by reading on. */
    uint64_t epoch;
    uint64_t all_topics_signature;
    uint64_t own_topics_signature;
};

/* The joined members of one name, in member id order: the order the range assignor deals in. */
struct group {
    struct group_text *name;
    struct group_member **members;
    size_t member_count;
    size_t member_cap;
    uint64_t generation; /* rebalances so far */
    bool stale;          /* memory ran out in a rebalance: the next poll tries again */
};

struct group_set {
    struct store *store;
    struct log *log;
    /* Only topics that begin with this are seen by patterns (an ACL hides the others); may be
     * empty. */
    struct span visible_prefix;
    /* A member's partitions or positions changed by what another did. May be NULL. */
    void (*changed)(struct group_member *member);
    struct group **groups; /* in name order; only those with joined members */
    size_t count;
    size_t cap;
    bool closing; /* see group_set_close */
};

void group_set_init(struct group_set *set, struct store *store, struct log *log);
/* All members will leave: nobody is dealt the partitions of those that left before. */
void group_set_close(struct group_set *set);
/* Members must have been released. */
void group_set_release(struct group_set *set);
/* NULL when no member of that name has joined. */
const struct group *group_set_find(const struct group_set *set, struct span name);

/* Kafka's RangeAssignor for one topic: member `index` of `member_count` (in member id order) gets
 * `*count` partitions from `*first` on. */
void group_range_share(int32_t partition_count, size_t member_count, size_t index, int32_t *first,
                       int32_t *count);

/* --- what a member asks for. EXISTS: topics, pattern and partitions exclude each other --- */

/* The same names again change nothing; others make the member leave until its next poll. No names:
 * as unsubscribe. INVALID: an empty name. */
enum status group_member_subscribe(struct group_member *member, const struct span *topics,
                                   size_t count, struct error *err) PP_MUST_USE;
/* A Java regular expression that must match the whole name. INVALID: it cannot be compiled. */
enum status group_member_subscribe_pattern(struct group_member *member, struct span pattern,
                                           struct error *err) PP_MUST_USE;
/* Keeps the positions of partitions that were assigned before. No partitions: as unsubscribe.
 * INVALID: an empty name. Sorts `list` and drops doubles. */
struct group_choice {
    struct span topic;
    int32_t partition;
};
enum status group_member_assign(struct group_member *member, struct group_choice *list,
                                size_t count, struct error *err) PP_MUST_USE;
/* Leaves the group and forgets topics, pattern and partitions; commits nothing. */
void group_member_unsubscribe(struct group_member *member);
/* Commits with auto commit on, leaves and lets go of everything. */
void group_member_close(struct group_member *member);
/* The pattern's source; empty when there is none. */
struct span group_member_pattern(const struct group_member *member);
/* Would this topic be among those the member asked for? (topics and patterns) */
bool group_member_wants(const struct group_member *member, struct span topic);

/* --- polling --- */

/* Joins if need be, and rebalances when members or topics have changed since the last poll. A
 * member that is not subscribed: does nothing. NO_MEMORY. */
enum status group_member_poll(struct group_member *member, struct error *err) PP_MUST_USE;
/* Settles every position that can be settled (group_position.c). NOT_FOUND: auto.offset.reset is
 * none and there is no commit, or the position is outside the log; the message is Kafka's. */
enum status group_member_settle(struct group_member *member, struct error *err) PP_MUST_USE;
/* Commits the positions of every partition that has one; what is committed already costs only a
 * look. */
enum status group_member_commit(struct group_member *member, struct error *err) PP_MUST_USE;

/* NULL when the member does not hold it. */
struct group_partition *group_member_partition(const struct group_member *member, struct span topic,
                                               int32_t partition);
/* The store's topic when the partition exists in it now, else NULL. */
const struct store_topic *group_partition_topic(const struct group_set *set,
                                                const struct group_partition *partition);

/* --- group_topics.c, for group.c --- */

/* Compiled once a subscription; NULL and *err (INVALID, NO_MEMORY) when it cannot be. */
struct group_pattern *group_pattern_new(struct span source, struct error *err);
void group_pattern_free(struct group_pattern *pattern);
bool group_pattern_matches(struct group_pattern *pattern, struct span topic);
/* GROUP_PATTERN_OVERRUNS_MAX matches took too long: it matches nothing any more. */
bool group_pattern_gave_up(const struct group_pattern *pattern);
struct span group_pattern_source(const struct group_pattern *pattern);

/* Calls visit for every existing topic that the member asked for, in name order of its list. */
void group_member_topics_visit(struct group_member *member,
                               void (*visit)(void *ctx, const struct store_topic *topic),
                               void *ctx);
/* Have the topics the member asked for changed since the last call that said so? */
bool group_member_topics_changed(struct group_member *member);

#endif
