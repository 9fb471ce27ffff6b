/* What the embedded broker knows beside the store, and small things that its files share. */
#include "broker_store_internal.h"

#include <stdlib.h>
#include <string.h>

struct broker_store *broker_store_of(struct broker *broker)
{
    return PP_CONTAINER_OF(broker, struct broker_store, broker);
}

struct broker_topic broker_store_topic(const struct store_topic *topic)
{
    return (struct broker_topic){topic->id, topic->name, topic->partition_count};
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

/* Where the topic's entry is, or belongs. */
static size_t compaction_position(const struct broker_store *self, int64_t topic_id)
{
    size_t low = 0;
    size_t high = self->compaction_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->compactions[middle].topic_id < topic_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool broker_store_is_compacted(struct broker_store *self, const struct store_topic *topic)
{
    size_t position = compaction_position(self, topic->id);
    if (position < self->compaction_count && self->compactions[position].topic_id == topic->id) {
        return self->compactions[position].compacted;
    }
    bool compacted = false;
    if (store_topic_configs(self->store, topic, note_cleanup_policy, &compacted, NULL) !=
        STATUS_OK) {
        return false; /* the append will meet the same trouble and report it */
    }
    struct compaction *grown =
        realloc(self->compactions, (self->compaction_count + 1) * sizeof(*grown));
    if (grown != NULL) {
        self->compactions = grown;
        memmove(&grown[position + 1], &grown[position],
                (self->compaction_count - position) * sizeof(*grown));
        grown[position] = (struct compaction){topic->id, compacted};
        self->compaction_count++;
    }
    return compacted;
}
