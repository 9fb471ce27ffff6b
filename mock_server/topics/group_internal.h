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

/* Partitions of one topic, side by side. */
struct group_run {
    struct group_text *topic; /* a reference */
    int64_t topic_id;
    int32_t first;
    uint32_t count;
    uint32_t start; /* how many partitions the runs before it have */
    bool is_spread; /* each partition has a place of its own */
    union {
        int64_t same;
        int64_t *each;
    } places;
};

/* What a member holds, in (topic, partition) order (group_holding.c). */
struct group_holding {
    struct group_run *runs;
    size_t run_count;
    size_t run_cap;
    size_t count; /* of partitions */
    size_t bytes;
};

struct group_member {
    struct group_member_options options;
    struct group_seat seat;
    enum group_mode mode;
    bool joined : 1;
    bool is_new : 1;     /* joined, and no rebalance has handed over since */
    bool is_refused : 1; /* it was new, and the budget had no room; its next poll says so */
    bool is_moved : 1;   /* since a rebalance began, other than by reading on */
    bool has_missing_topics : 1;
    struct group_text **topics;
    size_t topic_count;
    struct group_pattern *pattern;
    size_t asked_bytes; /* of topics or pattern */
    struct group_holding holding;
    size_t commit_next;  /* the partition where a commit that takes turns goes on */
    size_t settle_looks; /* at topics, partitions and commits, when it was settled last */
    uint64_t epoch;
    size_t charged; /* in the budget */
};

struct group_deal;

/* The joined members of one name, in member id order: the order the range assignor deals in. */
struct group {
    struct group_text *name;
    struct group_member **members;
    size_t member_count;
    size_t member_cap;
    uint64_t generation; /* rebalances so far */
    bool stale;          /* a rebalance is not done: the next poll goes on */
    bool was_stale;      /* so it was before the new members came, of which there are: */
    size_t new_count;
    size_t revoked;          /* members that have committed for it */
    struct group_deal *deal; /* NULL: none is under way */
    bool dealt;              /* it has been, and members hold their shares; left is: */
    size_t settled;          /* members that know where they resume */
};

struct group_set {
    struct store *store;
    struct log *log;
    struct group **groups; /* in name order; only those with joined members */
    size_t count;
    size_t cap;
    bool closing; /* see group_set_close */
};

/* The most that one call does: a commit of many partitions takes turns, as does a rebalance of many
 * members, and goes on where it ended. */
enum { GROUP_SLICE_COMMITS = 2048, GROUP_SLICE_LOOKS = 16384 };
struct group_slice {
    size_t commits_left; /* to be written */
    size_t looks_left;   /* at partitions, and at topics that a member may want */
    bool goes_on;        /* there is more to do: nothing that comes behind it was done */
};
#define GROUP_SLICE                                                                                \
    (struct group_slice)                                                                           \
    {                                                                                              \
        .commits_left = GROUP_SLICE_COMMITS, .looks_left = GROUP_SLICE_LOOKS                       \
    }

/* Is anything left of the slice (NULL: always)? If not it goes on. */
static inline bool group_slice_is_left(struct group_slice *slice)
{
    if (slice != NULL && slice->looks_left == 0) {
        slice->goes_on = true;
    }
    return slice == NULL || !slice->goes_on;
}

static inline void group_slice_look(struct group_slice *slice, size_t looks)
{
    if (slice != NULL) {
        slice->looks_left -= looks < slice->looks_left ? looks : slice->looks_left;
    }
}

/* --- the set of groups (group_coordinator.c) --- */

void group_set_init(struct group_set *set, struct store *store, struct log *log);
/* All members will leave: nobody is dealt the partitions of those that left before. */
void group_set_close(struct group_set *set);
/* A set is released when all its members have been closed. */
void group_set_release(struct group_set *set);
/* NULL when no member of that name has joined. */
const struct group *group_set_find(const struct group_set *set, struct span name);

/* Joins if need be, and rebalances when members or topics have changed since the last poll. A
 * member that is not subscribed: does nothing. NO_MEMORY. LIMIT: there is no memory in the budget
 * for what it would be dealt. A slice (here and below) may be NULL: no limit. */
enum status group_member_poll(struct group_member *member, struct group_slice *slice,
                              struct error *err) PP_MUST_USE;
/* Out of its group, whose others are dealt its partitions; not joined: does nothing. What the slice
 * (NULL: one of its own) has no room for is the others' next poll's: leaving never goes on. */
void group_member_leave(struct group_member *member, struct group_slice *slice);
void group_member_drop_partitions(struct group_member *member);
/* A member that loses partitions commits its positions when auto commit is on. A failed commit
 * stops nobody; the records will be read again. False: the slice has ended before. */
bool group_member_commit_if_auto(struct group_member *member, struct group_slice *slice);

/* --- sharing out (group_share.c) --- */

/* Kafka's RangeAssignor for one topic: member `index` of `member_count` (in member id order) gets
 * `*count` partitions from `*first` on. */
void group_range_share(int32_t partition_count, size_t member_count, size_t index, int32_t *first,
                       int32_t *count);

/* Dealing anew to all members of a group. */
struct group_deal {
    struct group_holding *shares; /* one a member */
    size_t member_count;
    size_t counted;        /* members whose topics have been noted */
    size_t served;         /* members that have their share */
    uint64_t *signatures;  /* of each member's topics */
    size_t bytes;          /* of all shares */
    size_t own_bytes;      /* of everything else */
    struct budget *budget; /* that of its members; NULL: nothing is counted */
    size_t charged;        /* there: what goes beyond what the members hold */
    /* By the topic's place among all topics, in name order. */
    uint32_t *claims;          /* members that want it */
    uint8_t *wanted;           /* a bit for each member and topic */
    size_t wanted_bytes;       /* of one member */
    uint32_t *dealt;           /* of those, members that have their part */
    struct group_text **names; /* of topics that are dealt */
    size_t topic_count;
    uint64_t signature; /* of all topics; with another one the deal is void */
};

/* Begins; NULL: out of memory. */
struct group_deal *group_deal_new(struct group *group, struct store *store);
void group_deal_free(struct group_deal *deal);
/* Are the topics still those it was begun with? */
bool group_deal_is_current(const struct group_deal *deal, const struct group *group,
                           struct store *store);
/* To its end, or (slice->goes_on) as far as the slice goes. NO_MEMORY. LIMIT: beyond the budget. */
enum status group_deal_go_on(struct group_deal *deal, struct group *group, struct store *store,
                             struct group_slice *slice) PP_MUST_USE;
/* The shares go to the members, who count them from now on. */
void group_deal_uncharge(struct group_deal *deal);

/* --- what a member holds (group_holding.c) --- */

void group_holding_release(struct group_holding *holding);
/* In order: `count` partitions side by side, all as the first one. False: out of memory. */
bool group_holding_add(struct group_holding *holding, const struct group_partition *first,
                       uint32_t count);
/* The run of the member's partition `index`, which is its `*at`-th. */
struct group_run *group_holding_run(const struct group_holding *holding, size_t index,
                                    uint32_t *at);
/* NULL when the member does not hold it. */
struct group_run *group_holding_find(const struct group_holding *holding, struct span topic,
                                     int32_t partition, uint32_t *at);
struct group_partition group_run_partition(const struct group_run *run, uint32_t at);
/* A place is a position and its offset in one number; places are equal when these are. */
int64_t group_place_of(enum group_position at, int64_t offset);
int64_t group_run_place(const struct group_run *run, uint32_t at);
/* Each partition of the run gets a place of its own, which takes so many bytes. False: out of
 * memory. */
size_t group_run_spread_bytes(const struct group_run *run);
bool group_run_spread(struct group_holding *holding, struct group_run *run);
/* The run is spread, or nothing changes. */
void group_run_put(struct group_run *run, uint32_t at, int64_t place);
void group_run_put_all(struct group_holding *holding, struct group_run *run, int64_t place);

/* --- what members take of memory (group_member.c) --- */

/* The member's share of the budget is what it holds now. */
void group_member_count(struct group_member *member);
/* Is there room for so many bytes more? LIMIT: no, and the error says so. */
enum status group_member_check_room(const struct group_member *member, size_t bytes,
                                    struct error *err) PP_MUST_USE;
/* A place of its own for each of the run's partitions. LIMIT, NO_MEMORY. */
enum status group_member_spread(struct group_member *member, struct group_run *run,
                                struct error *err) PP_MUST_USE;

/* --- what a member asks for (group_subscribe.c); broker.h says what each does --- */

enum status group_member_subscribe(struct group_member *member, const struct span *topics,
                                   size_t count, struct group_slice *slice,
                                   struct error *err) PP_MUST_USE;
enum status group_member_subscribe_pattern(struct group_member *member, struct span pattern,
                                           struct group_slice *slice,
                                           struct error *err) PP_MUST_USE;
enum status group_member_assign(struct group_member *member, struct group_choice *list,
                                size_t count, struct group_slice *slice,
                                struct error *err) PP_MUST_USE;
void group_member_unsubscribe(struct group_member *member, struct group_slice *slice);
/* False: the slice has ended before. */
bool group_member_close(struct group_member *member, struct group_slice *slice);

/* --- positions (group_position.c) --- */

/* Settles every position that can be settled. NOT_FOUND: auto.offset.reset is none and there is no
 * commit, or the position is outside the log; the message is Kafka's. */
enum status group_member_settle(struct group_member *member, struct error *err) PP_MUST_USE;
/* Commits the positions of every partition that has one; what is committed already costs only a
 * look. */
enum status group_member_commit(struct group_member *member, struct group_slice *slice,
                                struct error *err) PP_MUST_USE;

/* --- topics (group_topics.c) --- */

typedef void group_topic_visit(void *ctx, const struct store_topic *topic, size_t index);
/* Calls visit for every existing topic that the member asked for, in name order, with its place
 * among all topics. Returns how many topics it looked at. */
size_t group_member_topics_visit(struct group_member *member, group_topic_visit *visit, void *ctx);
/* Adds the topic, and how many partitions it has, to the signature (uint64_t) at `ctx`. */
group_topic_visit group_topic_sign;
/* The signature of all topics, and of how many it takes as long as a look. */
enum { GROUP_TOPICS_SIGNED_A_LOOK = 16 };
uint64_t group_topics_signature(struct store *store);
/* Have the topics the member asked for changed since the last call that said so? */
bool group_member_topics_changed(struct group_member *member, struct group_slice *slice);

#endif
