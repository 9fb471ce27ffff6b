/* What the embedded broker knows beside the store, and small things that its files share. */
#include "array.h"
#include "broker_store_internal.h"
#include "search.h"

struct broker_store *broker_store_of(struct broker *broker)
{
    return PP_CONTAINER_OF(broker, struct broker_store, broker);
}

struct broker_topic broker_store_topic(const struct store_topic *topic)
{
    return (struct broker_topic){topic->id, topic->name, topic->partition_count};
}

const struct store_topic *broker_store_partition(struct store *store, struct span topic,
                                                 int32_t partition)
{
    const struct store_topic *found = store_topic_find(store, topic);
    bool there = found != NULL && partition >= 0 && partition < found->partition_count;
    return there ? found : NULL;
}

void broker_store_no_memory(struct broker_request *request)
{
    request->status = error_set(&request->error, STATUS_NO_MEMORY, "the broker: out of memory");
}

/* --- compaction --- */

static void note_cleanup_policy(void *ctx, struct span name, struct span value)
{
    struct span rest = value;
    struct span policy;
    if (!span_equal_cstr(name, "cleanup.policy")) {
        return;
    }
    while (span_next_part(&rest, ',', &policy)) {
        *(bool *)ctx = *(bool *)ctx || span_equal_cstr(span_trim(policy), "compact");
    }
}

static int compaction_order(const void *item, const void *key)
{
    const struct compaction *entry = item;
    const int64_t *topic_id = key;
    return (entry->topic_id > *topic_id) - (entry->topic_id < *topic_id);
}

enum status broker_store_is_compacted(struct broker_store *self, const struct store_topic *topic,
                                      bool *compacted)
{
    bool found;
    size_t position = SEARCH_PLACE(self->compactions, self->compaction_count, &topic->id,
                                   compaction_order, &found);
    if (found) {
        *compacted = self->compactions[position].compacted;
        return STATUS_OK;
    }
    bool noted = false;
    enum status status = store_topic_configs(self->store, topic, note_cleanup_policy, &noted, NULL);
    if (status != STATUS_OK) {
        return status;
    }
    *compacted = noted;
    if (ARRAY_RESERVE(self->compactions, self->compaction_cap, self->compaction_count + 1,
                      ARRAY_NO_MAX) == STATUS_OK) {
        PP_ASSERT(position <= self->compaction_count);
        PP_ASSERT(position == 0 || self->compactions[position - 1].topic_id < topic->id);
        PP_ASSERT(position == self->compaction_count ||
                  self->compactions[position].topic_id > topic->id);
        ARRAY_OPEN(self->compactions, self->compaction_count, position);
        self->compactions[position] = (struct compaction){topic->id, noted};
        self->compaction_count++;
    }
    return STATUS_OK;
}
