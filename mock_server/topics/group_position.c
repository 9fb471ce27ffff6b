/* A member's places in its partitions: settled from the group's commit or by auto.offset.reset,
 * kept inside the log, committed back. */
#include "group_internal.h"

#include <stdlib.h>
#include <string.h>

/* The store's topic when the partition exists in it now, else NULL. */
static const struct store_topic *group_partition_topic(const struct group_set *set,
                                                       const struct group_partition *partition)
{
    const struct store_topic *topic =
        store_topic_find(set->store, group_text_span(partition->topic));
    bool there =
        topic != NULL && partition->partition >= 0 && partition->partition < topic->partition_count;
    return there ? topic : NULL;
}

static void position_fix(struct group_partition *p, int64_t offset)
{
    p->at = GROUP_POSITION_FIXED;
    p->offset = offset;
}

/* A place that auto.offset.reset chooses; `missing` is what Kafka says when it may not. */
static enum status position_reset(const struct group_member *member, struct group_partition *p,
                                  const struct store_partition *log)
{
    switch (member->options.reset) {
    case GROUP_RESET_LATEST:
        position_fix(p, log->next_offset);
        return STATUS_OK;
    case GROUP_RESET_EARLIEST:
        position_fix(p, log->first_offset);
        return STATUS_OK;
    case GROUP_RESET_NONE:
        return STATUS_NOT_FOUND;
    }
    BUG("an auto.offset.reset without a rule");
}

static enum status position_resume(const struct group_member *member, struct group_partition *p,
                                   const struct store_partition *log, struct error *err)
{
    int64_t committed;
    enum status status =
        store_group_committed(member->seat.set->store,
                              (struct store_group_place){member->options.group_name,
                                                         group_text_span(p->topic), p->partition},
                              &committed, NULL, err);
    if (status == STATUS_OK) {
        position_fix(p, committed);
        return STATUS_OK;
    }
    if (status != STATUS_NOT_FOUND) {
        return status;
    }
    status = position_reset(member, p, log);
    if (status != STATUS_OK) {
        return error_set(err, status,
                         "Undefined offset with no reset policy for partitions: [%s-%d]",
                         p->topic->text, p->partition);
    }
    return STATUS_OK;
}

static enum status position_settle(const struct group_member *member, struct group_partition *p,
                                   const struct store_partition *log, struct error *err)
{
    enum status status = STATUS_OK;
    switch (p->at) {
    case GROUP_POSITION_UNSET:
        status = position_resume(member, p, log, err);
        break;
    case GROUP_POSITION_BEGINNING:
        position_fix(p, log->first_offset);
        break;
    case GROUP_POSITION_END:
        position_fix(p, log->next_offset);
        break;
    case GROUP_POSITION_FIXED:
        break;
    }
    if (status == STATUS_OK && (p->offset < log->first_offset || p->offset > log->next_offset)) {
        int64_t outside = p->offset;
        status = position_reset(member, p, log);
        if (status != STATUS_OK) {
            error_set(
                err, status,
                "Fetch position FetchPosition{offset=%lld, offsetEpoch=Optional.empty} is out "
                "of range for partition %s-%d",
                (long long)outside, p->topic->text, p->partition);
        }
    }
    return status;
}

/* The topic that the partition stands for now; NULL when there is none. A deleted one keeps its id
 * here, so that one made again is known as another, also when a poll came in between. */
static const struct store_topic *partition_refresh(const struct group_member *member,
                                                   struct group_partition *p)
{
    const struct store_topic *topic = group_partition_topic(member->seat.set, p);
    if (topic != NULL && p->topic_id != topic->id) {
        if (p->topic_id != 0) {
            /* Deleted and made again: the old place means nothing. */
            p->at = GROUP_POSITION_UNSET;
        }
        p->topic_id = topic->id;
    }
    return topic;
}

static bool has_missing_topics(const struct group_member *member)
{
    if (member->mode == GROUP_MODE_PATTERN) {
        return true; /* any new topic may match */
    }
    for (size_t i = 0; i < member->topic_count; i++) {
        if (store_topic_find(member->seat.set->store, group_text_span(member->topics[i])) == NULL) {
            return true;
        }
    }
    return false;
}

enum status group_member_settle(struct group_member *member, struct error *err)
{
    enum status worst = STATUS_OK;
    member->has_missing_topics = has_missing_topics(member);
    for (size_t i = 0; i < member->partition_count; i++) {
        struct group_partition *p = &member->partitions[i];
        const struct store_topic *topic = partition_refresh(member, p);
        if (topic == NULL) {
            member->has_missing_topics = true;
            continue;
        }
        struct error one = ERROR_NONE;
        struct group_partition before = *p;
        enum status status = position_settle(member, p, &topic->partitions[p->partition], &one);
        if (p->at != before.at || p->offset != before.offset) {
            member->epoch++;
        }
        if (status != STATUS_OK && worst == STATUS_OK) {
            worst = status;
            if (err != NULL) {
                *err = one;
            }
        }
    }
    return worst;
}

/* Kafka writes the empty metadata with a position, so an equal offset with other metadata is not
 * the same commit. */
static bool is_committed(const struct group_member *member, const struct group_partition *p,
                         struct buf *metadata)
{
    int64_t committed;
    buf_reset(metadata);
    enum status status =
        store_group_committed(member->seat.set->store,
                              (struct store_group_place){member->options.group_name,
                                                         group_text_span(p->topic), p->partition},
                              &committed, metadata, NULL);
    return status == STATUS_OK && committed == p->offset && metadata->len == 0;
}

enum status group_member_commit(struct group_member *member, struct error *err)
{
    enum { metadata_bytes_max = 1024 * 1024 };
    struct buf metadata;
    buf_init(&metadata, metadata_bytes_max);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < member->partition_count && status == STATUS_OK; i++) {
        const struct group_partition *p = &member->partitions[i];
        const struct store_topic *topic = group_partition_topic(member->seat.set, p);
        if (p->at != GROUP_POSITION_FIXED || topic == NULL || topic->id != p->topic_id ||
            is_committed(member, p, &metadata)) {
            continue;
        }
        struct store_commit commit = {
            .topic = group_text_span(p->topic),
            .partition = p->partition,
            .offset = p->offset,
            .metadata = SPAN_EMPTY,
        };
        status =
            store_group_commit(member->seat.set->store, member->options.group_name, &commit, err);
    }
    buf_release(&metadata);
    return status;
}
