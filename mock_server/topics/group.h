/* One member of a consumer group as its owner sees it: what it asked for, which partitions it
 * holds, and where it reads next in each. The REST proxy's consumers embed one each.
 *
 * Joining, sharing out, settling and committing are the coordinator's, which is reached by
 * broker_membership (broker.h); it writes what it decides into the member. What is here is local,
 * as in Kafka's own client: seeking, reading on, looking. So another coordinator (generations,
 * heartbeats) can take the place of group_coordinator.c, and a member's owner cannot tell.
 *
 * Invariant: a member's partitions are in (topic, partition) order. */
#ifndef PINPIPE_GROUP_H
#define PINPIPE_GROUP_H

#include "group_pattern.h"
#include "group_text.h"

struct group;
struct group_set;
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

struct group_member {
    /* Set by the owner before the first call; the texts must outlive the member. */
    struct span group_name;
    struct span member_id;
    struct span client_id;
    bool auto_commit;
    enum group_reset reset;
    /* The member's partitions or positions changed by what another did. May be NULL. */
    void (*changed)(struct group_member *member);
    struct log *log;
    const struct topic_policy *policy; /* hides topics from patterns; NULL: hides none */

    /* To be read by the owner, written by the coordinator and by the functions below. */
    enum group_mode mode;
    bool joined;
    bool has_missing_topics;    /* since the last poll: new topics may concern it */
    struct group_text **topics; /* in name order */
    size_t topic_count;
    struct group_pattern *pattern;
    struct group_partition *partitions;
    size_t partition_count;
    /* Grows when partitions or positions change other than by reading on. */
    uint64_t epoch;

    /* The coordinator's own. */
    struct group_set *set;
    struct group *group;
    uint64_t all_topics_signature;
    uint64_t own_topics_signature;
};

/* Would this topic be among those the member asked for, by name or by its pattern? What the policy
 * hides no pattern sees. */
bool group_member_wants(const struct group_member *member, struct span topic);
/* NULL when the member does not hold it. */
struct group_partition *group_member_partition(const struct group_member *member, struct span topic,
                                               int32_t partition);
/* Next reads from there. False: the member does not hold the partition. */
bool group_member_seek(struct group_member *member, struct span topic, int32_t partition,
                       int64_t offset);
/* Lazily, as Kafka's client: the place is looked up at the next poll. All partitions, when
 * `partition` is NULL. */
void group_member_seek_edge(struct group_member *member, struct group_partition *partition,
                            enum group_position edge);
/* A place that a lost answer had gone past. */
struct group_place {
    int64_t topic_id;
    int32_t partition;
    int64_t offset;
};
/* Goes back to the place, if the member holds the partition and is past it. */
void group_member_step_back(struct group_member *member, const struct group_place *place);

#endif
