/* The embedded coordinator's inside (group_*.c), for the embedded broker and the tests beside it.
 *
 * Imitates Kafka 3.2 with eager rebalancing. DIFFERS: a rebalance is complete the moment it begins;
 * Kafka waits until every member polls again.
 *
 * Invariant: a partition of a topic is held by at most one joined member of a group. Topics are
 * looked up in the store each time: the store lends them for one turn only. */
#ifndef PINPIPE_GROUP_INTERNAL_H
#define PINPIPE_GROUP_INTERNAL_H

#include "broker.h"
#include "log.h"
#include "store.h"

/* Where the embedded coordinator has a member; another coordinator has its own in this place. */
struct group_seat {
    struct group_set *set; /* NULL: it has never been asked for this member */
    struct group *group;   /* NULL: the member has not joined */
    uint64_t all_topics_signature;
    uint64_t own_topics_signature;
};

struct group_member {
    struct group_member_options options;
    struct group_seat seat;
    enum group_mode mode;
    bool joined;
    bool has_missing_topics;
    struct group_text **topics;
    size_t topic_count;
    struct group_pattern *pattern;
    struct group_partition *partitions;
    size_t partition_count;
    uint64_t epoch;
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
    struct group **groups; /* in name order; only those with joined members */
    size_t count;
    size_t cap;
    bool closing; /* see group_set_close */
};

/* --- the set of groups (group_coordinator.c) --- */

void group_set_init(struct group_set *set, struct store *store, struct log *log);
/* All members will leave: nobody is dealt the partitions of those that left before. */
void group_set_close(struct group_set *set);
/* A set is released when all its members have been closed. */
void group_set_release(struct group_set *set);
/* NULL when no member of that name has joined. */
const struct group *group_set_find(const struct group_set *set, struct span name);

/* Joins if need be, and rebalances when members or topics have changed since the last poll. A
 * member that is not subscribed: does nothing. NO_MEMORY. */
enum status group_member_poll(struct group_member *member, struct error *err) PP_MUST_USE;
/* Out of its group, whose others are dealt its partitions; not joined: does nothing. */
void group_member_leave(struct group_member *member);
void group_member_drop_partitions(struct group_member *member);
/* A member that loses partitions commits its positions when auto commit is on. A failed commit
 * stops nobody; the records will be read again. */
void group_member_commit_if_auto(struct group_member *member);

/* --- sharing out (group_share.c) --- */

/* Kafka's RangeAssignor for one topic: member `index` of `member_count` (in member id order) gets
 * `*count` partitions from `*first` on. */
void group_range_share(int32_t partition_count, size_t member_count, size_t index, int32_t *first,
                       int32_t *count);

/* What a member shall hold, before it is handed over. */
struct group_share {
    struct group_partition *partitions;
    size_t count;
    size_t cap;
};
void group_share_release(struct group_share *share);
/* range: the first partition and how many. False: out of memory. */
bool group_share_add(struct group_share *share, struct group_text *topic, int64_t topic_id,
                     const int32_t range[2]);
/* Deals to `shares`, one a member, all of them empty. False: out of memory. */
bool group_deal(struct group *group, struct group_share *shares);

/* --- what a member asks for (group_subscribe.c); broker.h says what each does --- */

enum status group_member_subscribe(struct group_member *member, const struct span *topics,
                                   size_t count, struct error *err) PP_MUST_USE;
enum status group_member_subscribe_pattern(struct group_member *member, struct span pattern,
                                           struct error *err) PP_MUST_USE;
enum status group_member_assign(struct group_member *member, struct group_choice *list,
                                size_t count, struct error *err) PP_MUST_USE;
void group_member_unsubscribe(struct group_member *member);
void group_member_close(struct group_member *member);

/* --- positions (group_position.c) --- */

/* Settles every position that can be settled. NOT_FOUND: auto.offset.reset is none and there is no
 * commit, or the position is outside the log; the message is Kafka's. */
enum status group_member_settle(struct group_member *member, struct error *err) PP_MUST_USE;
/* Commits the positions of every partition that has one; what is committed already costs only a
 * look. */
enum status group_member_commit(struct group_member *member, struct error *err) PP_MUST_USE;

/* --- topics (group_topics.c) --- */

/* Calls visit for every existing topic that the member asked for, in name order of its list. */
void group_member_topics_visit(struct group_member *member,
                               void (*visit)(void *ctx, const struct store_topic *topic),
                               void *ctx);
/* Have the topics the member asked for changed since the last call that said so? */
bool group_member_topics_changed(struct group_member *member);

#endif
