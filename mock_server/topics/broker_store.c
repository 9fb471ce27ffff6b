/* The embedded broker: the store's log and its groups behind broker.h. It answers at once. Here are
 * topics and offsets; producing, fetching and groups have a file each. */
#include "broker_store_internal.h"

#include "topic_configs.h"

#include <stdlib.h>

_Static_assert((int)BROKER_TOPIC_PARTITIONS_MAX == (int)STORE_PARTITIONS_MAX,
               "one limit, in two rooms");

/* --- metadata --------------------------------------------------------------------------------- */

static enum broker_outcome broker_store_metadata(struct broker *broker,
                                                 struct broker_metadata *request)
{
    struct store *store = broker_store_of(broker)->store;
    size_t count = request->all ? store_topic_count(store) : request->name_count;
    PP_ASSERT(request->all || request->name_count == 0 || request->names != NULL);
    request->base.status = STATUS_OK;
    request->cluster_id = span_from_cstr(store_cluster_id(store));
    request->topics = arena_alloc_array(request->base.arena, count + 1, sizeof(*request->topics));
    if (request->topics == NULL) {
        broker_store_no_memory(&request->base);
        return BROKER_DONE;
    }
    for (size_t i = 0; i < count; i++) {
        const struct store_topic *topic =
            request->all ? store_topic_at(store, i) : store_topic_find(store, request->names[i]);
        struct broker_topic *out = &request->topics[i];
        *out = topic != NULL ? broker_store_topic(topic)
                             : (struct broker_topic){.name = request->names[i]};
        /* The store lends its names for one turn, the answer may have to wait longer. */
        const char *name = arena_copy_cstr(request->base.arena, out->name);
        if (name == NULL) {
            broker_store_no_memory(&request->base);
            return BROKER_DONE;
        }
        out->name = span_from(name, out->name.len);
    }
    request->topic_count = count;
    return BROKER_DONE;
}

static bool find_topic(struct broker_store *self, struct span name,
                       const struct store_topic **topic, struct broker_request *request)
{
    *topic = store_topic_find(self->store, name);
    request->status = STATUS_OK;
    if (*topic == NULL) {
        request->status = error_set(&request->error, STATUS_NOT_FOUND,
                                    "This server does not host this topic-partition.");
    }
    return *topic != NULL;
}

static enum broker_outcome broker_store_configs(struct broker *broker,
                                                struct broker_configs *request)
{
    struct broker_store *self = broker_store_of(broker);
    const struct store_topic *topic;
    if (find_topic(self, request->topic, &topic, &request->base)) {
        topic_config_values_init(request->values);
        request->base.status = store_topic_configs(self->store, topic, topic_config_values_note,
                                                   request->values, &request->base.error);
    }
    return BROKER_DONE;
}

/* --- creating and deleting -------------------------------------------------------------------- */

static enum broker_outcome broker_store_create(struct broker *broker, struct broker_create *request)
{
    PP_ASSERT(store_topic_name_is_legal(request->topic));
    PP_ASSERT(request->config_count == 0 || request->configs != NULL);
    struct store_config_entry *configs = arena_alloc_array(
        request->base.arena, request->config_count + 1, sizeof(struct store_config_entry));
    if (configs == NULL) {
        broker_store_no_memory(&request->base);
        return BROKER_DONE;
    }
    for (size_t i = 0; i < request->config_count; i++) {
        configs[i] =
            (struct store_config_entry){request->configs[i].name, request->configs[i].value};
    }
    const struct store_topic_spec spec = {.name = request->topic,
                                          .partition_count = request->partition_count,
                                          .configs = configs,
                                          .config_count = request->config_count};
    request->base.status =
        store_topic_create(broker_store_of(broker)->store, &spec, &request->base.error);
    return BROKER_DONE;
}

static enum broker_outcome broker_store_delete(struct broker *broker, struct broker_delete *request)
{
    request->base.status =
        store_topic_delete(broker_store_of(broker)->store, request->topic, &request->base.error);
    return BROKER_DONE;
}

/* --- offsets ---------------------------------------------------------------------------------- */

static enum status offset_find(struct store *store, const struct store_topic *topic,
                               struct broker_offset *offset, struct error *err)
{
    PP_ASSERT(offset->partition >= 0 && offset->partition < topic->partition_count);
    const struct store_partition *log = &topic->partitions[offset->partition];
    enum status status = STATUS_OK;
    switch (offset->at) {
    case BROKER_OFFSET_EARLIEST:
        offset->offset = log->first_offset;
        break;
    case BROKER_OFFSET_LATEST:
        offset->offset = log->next_offset;
        break;
    case BROKER_OFFSET_TIME:
        status = store_offset_for_time(store, (struct store_place){topic, offset->partition},
                                       offset->timestamp_ms, &offset->offset, err);
        if (status == STATUS_NOT_FOUND) {
            offset->offset = -1;
            status = STATUS_OK;
        }
        break;
    }
    return status;
}

static enum broker_outcome broker_store_offsets(struct broker *broker,
                                                struct broker_offsets *request)
{
    struct store *store = broker_store_of(broker)->store;
    request->base.status = STATUS_OK;
    for (size_t i = 0; i < request->count && request->base.status == STATUS_OK; i++) {
        struct broker_offset *offset = &request->offsets[i];
        const struct store_topic *topic =
            broker_store_partition(store, offset->topic, offset->partition);
        offset->is_there = topic != NULL;
        if (topic != NULL) {
            request->base.status = offset_find(store, topic, offset, &request->base.error);
        }
    }
    return BROKER_DONE;
}

/* --- life ------------------------------------------------------------------------------------- */

static void broker_store_free(struct broker *broker)
{
    struct broker_store *self = broker_store_of(broker);
    group_set_close(&self->groups);
    group_set_release(&self->groups);
    free(self->compactions);
    free(self);
}

static const struct broker_ops broker_store_ops = {
    .metadata = broker_store_metadata,
    .configs = broker_store_configs,
    .create = broker_store_create,
    .delete = broker_store_delete,
    .offsets = broker_store_offsets,
    .produce = broker_store_produce,
    .fetch = broker_store_fetch,
    .groups = broker_store_groups,
    .describe = broker_store_describe,
    .group_offsets = broker_store_group_offsets,
    .commit = broker_store_commit,
    .membership = broker_store_membership,
    .free = broker_store_free,
};

enum status broker_store_new(const struct broker_store_options *options, struct broker **out)
{
    struct broker_store *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        return STATUS_NO_MEMORY;
    }
    self->broker.ops = &broker_store_ops;
    self->store = options->store;
    self->env = options->env;
    self->auto_create = options->auto_create;
    group_set_init(&self->groups, options->store, options->log);
    *out = &self->broker;
    return STATUS_OK;
}
