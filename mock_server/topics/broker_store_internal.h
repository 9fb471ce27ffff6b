/* What the files of the embedded broker share (broker_store*.c). */
#ifndef PINPIPE_BROKER_STORE_INTERNAL_H
#define PINPIPE_BROKER_STORE_INTERNAL_H

#include "group_internal.h"

/* Is a topic compacted? Settings stand from a topic's creation on and ids are never used again, so
 * what was read once stays true. By id. */
struct compaction {
    int64_t topic_id;
    bool compacted;
};

struct broker_store {
    struct broker broker; /* first: callers hold a pointer to it */
    struct store *store;
    struct env *env;
    bool auto_create;
    struct group_set groups;
    struct compaction *compactions;
    size_t compaction_count;
    size_t compaction_cap;
    uint64_t sticky_turn;
};

struct broker_store *broker_store_of(struct broker *broker);
/* The topic as faces see it; its name is borrowed from the store. */
struct broker_topic broker_store_topic(const struct store_topic *topic);
/* The topic of a partition that is there, else NULL. */
const struct store_topic *broker_store_partition(struct store *store, struct span topic,
                                                 int32_t partition);
/* Sets the request's status and words. */
void broker_store_no_memory(struct broker_request *request);
enum status broker_store_is_compacted(struct broker_store *self, const struct store_topic *topic,
                                      bool *compacted) PP_MUST_USE;

enum broker_outcome broker_store_produce(struct broker *broker, struct broker_produce *request);
enum broker_outcome broker_store_fetch(struct broker *broker, struct broker_fetch *request);

enum broker_outcome broker_store_groups(struct broker *broker, struct broker_groups *request);
enum broker_outcome broker_store_describe(struct broker *broker, struct broker_describe *request);
enum broker_outcome broker_store_group_offsets(struct broker *broker,
                                               struct broker_group_offsets *request);
enum broker_outcome broker_store_commit(struct broker *broker, struct broker_commit *request);
enum broker_outcome broker_store_membership(struct broker *broker,
                                            struct broker_membership *request);

#endif
