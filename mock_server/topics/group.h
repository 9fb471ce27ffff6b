/* One member of a consumer group as its owner sees it: what it asked for, which partitions it
 * holds, and where it reads next in each. The REST proxy's consumers have one each.
 *
 * Joining, sharing out, settling and committing are the coordinator's, which is reached by
 * broker_membership (broker.h); it writes what it decides into the member. What is here is local,
 * as in Kafka's own client: seeking, reading on, looking. A member's inside is group_internal.h's,
 * so another coordinator (generations, heartbeats) can take the place of group_coordinator.c, and a
 * member's owner cannot tell.
 *
 * Invariant: a member's partitions are in (topic, partition) order. */
#ifndef PINPIPE_GROUP_H
#define PINPIPE_GROUP_H

#include "group_pattern.h"
#include "group_text.h"

struct budget;
struct log;
struct topic_policy;

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
    int64_t topic_id; /* the broker's, also of a topic deleted since; 0: it was never there */
    int32_t partition;
    enum group_position at;
    int64_t offset; /* when FIXED */
};

/* A partition that is asked for by name. */
struct group_choice {
    struct span topic;
    int32_t partition;
};

struct group_member;

/* What a member is made of; the texts must outlive it. */
struct group_member_options {
    struct span group_name;
    struct span member_id;
    struct span client_id;
    bool auto_commit;
    enum group_reset reset;
    /* The member's partitions or positions changed by what another did. May be NULL. */
    void (*changed)(void *ctx);
    void *ctx;
    struct log *log;
    const struct topic_policy *policy; /* hides topics from patterns; NULL: hides none */
    struct budget *budget;             /* what it holds counts in its share of pairs; NULL: no */
};

/* In no group and without partitions; the coordinator hears of it by its first call. NULL: out of
 * memory. */
struct group_member *group_member_new(const struct group_member_options *options);
/* The coordinator has let go of it (BROKER_MEMBER_CLOSE), or has never heard of it. NULL is
 * allowed. */
void group_member_free(struct group_member *member);

/* --- looking --- */

enum group_mode group_member_mode(const struct group_member *member);
bool group_member_is_joined(const struct group_member *member);
/* Did the last poll leave it without some of what it asked for, so that new topics may concern it?
 */
bool group_member_misses_topics(const struct group_member *member);
/* The topics it is subscribed to by name, in name order. */
size_t group_member_topic_count(const struct group_member *member);
struct span group_member_topic(const struct group_member *member, size_t index);
/* The partitions that it holds, by their index in order. The topic's text is the member's. */
size_t group_member_partition_count(const struct group_member *member);
struct group_partition group_member_partition(const struct group_member *member, size_t index);
/* Walks over the partitions from the index on; false: there are no more. */
struct group_walk {
    size_t run;
    uint32_t at;
    size_t index; /* of the partition that was given last */
};
struct group_walk group_member_walk(const struct group_member *member, size_t index);
bool group_member_next(const struct group_member *member, struct group_walk *walk,
                       struct group_partition *out);
/* How many ranges side by side there are. */
size_t group_member_run_count(const struct group_member *member);
/* The same, by ranges of one topic; `out` is the first partition of `*count` side by side. */
bool group_member_next_run(const struct group_member *member, struct group_walk *walk,
                           struct group_partition *out, int32_t *count);
/* Grows when partitions or positions change other than by reading on. */
uint64_t group_member_epoch(const struct group_member *member);
/* Would this topic be among those the member asked for, by name or by its pattern? What the policy
 * hides no pattern sees. */
bool group_member_wants(const struct group_member *member, struct span topic);
/* The pattern took too long: it wants nothing any more, also of what it has just been asked. */
bool group_member_gave_up(const struct group_member *member);
/* Round asking what it wants of many topics: a pattern that takes too long for all of them gives
 * up. */
void group_member_look_begin(struct group_member *member);
void group_member_look_end(struct group_member *member);
/* False: the member does not hold it. */
bool group_member_find(const struct group_member *member, struct span topic, int32_t partition,
                       struct group_partition *out);

/* --- moving --- */

/* Where a partition is read is remembered apart from its neighbours', which takes memory. LIMIT:
 * more than the budget has. NO_MEMORY. */
enum status group_member_reserve(struct group_member *member, size_t index) PP_MUST_USE;
/* The records before `offset` have been read, in a partition that was reserved in this epoch. The
 * epoch stays. */
void group_member_read_on(struct group_member *member, size_t index, int64_t offset);
/* Next reads from there. NOT_FOUND: the member does not hold the partition. LIMIT, NO_MEMORY. */
enum status group_member_seek(struct group_member *member, const struct group_choice *choice,
                              int64_t offset) PP_MUST_USE;
/* Lazily, as Kafka's client: the place is looked up at the next poll. As above. */
enum status group_member_seek_edge(struct group_member *member, const struct group_choice *choice,
                                   enum group_position edge) PP_MUST_USE;
/* The same in every partition that it holds. */
void group_member_seek_edges(struct group_member *member, enum group_position edge);
/* A place that a lost answer had gone past. */
struct group_place {
    int64_t topic_id;
    int32_t partition;
    int64_t offset;
};
/* Answers were lost: goes back to each place whose partition the member holds and is past. What its
 * owner found in the log since is void, a new epoch begins in any case. */
void group_member_step_back(struct group_member *member, const struct group_place *places,
                            size_t count);

#endif
