#include "later_broker.h"

#include <stdlib.h>

struct later_item {
    struct later_item *next;
    enum later_call call;
    struct broker_request *request;
    int64_t due_us;
};

static struct later_broker *later_of(struct broker *broker)
{
    return PP_CONTAINER_OF(broker, struct later_broker, broker);
}

static void later_arm(struct later_broker *later)
{
    if (later->first != NULL) {
        PP_ASSERT(timer_set(later->timers, &later->timer, later->first->due_us) == STATUS_OK);
    }
}

static enum broker_outcome later_add(struct broker *broker, enum later_call call,
                                     struct broker_request *request)
{
    struct later_broker *later = later_of(broker);
    struct later_item *item = calloc(1, sizeof(*item));
    PP_ASSERT(item != NULL && request->done != NULL);
    *item = (struct later_item){.call = call,
                                .request = request,
                                .due_us = later->env->monotonic_us(later->env) + later->delay_us};
    request->work = item;
    if (later->last != NULL) {
        later->last->next = item;
    } else {
        later->first = item;
        later_arm(later);
    }
    later->last = item;
    later->waiting++;
    return BROKER_LATER;
}

/* One op a call: it only waits. */
#define LATER_OP(name, CALL)                                                                       \
    static enum broker_outcome later_##name(struct broker *broker, struct broker_##name *request)  \
    {                                                                                              \
        return later_add(broker, CALL, &request->base);                                            \
    }

LATER_OP(metadata, LATER_METADATA)
LATER_OP(configs, LATER_CONFIGS)
LATER_OP(create, LATER_CREATE)
LATER_OP(delete, LATER_DELETE)
LATER_OP(offsets, LATER_OFFSETS)
LATER_OP(produce, LATER_PRODUCE)
LATER_OP(fetch, LATER_FETCH)
LATER_OP(groups, LATER_GROUPS)
LATER_OP(describe, LATER_DESCRIBE)
LATER_OP(group_offsets, LATER_GROUP_OFFSETS)
LATER_OP(commit, LATER_COMMIT)
LATER_OP(membership, LATER_MEMBERSHIP)

static enum broker_outcome later_do(struct broker *inner, enum later_call call,
                                    struct broker_request *request)
{
    void *whole = request; /* every request begins with its struct broker_request */
    switch (call) {
    case LATER_METADATA:
        return inner->ops->metadata(inner, whole);
    case LATER_CONFIGS:
        return inner->ops->configs(inner, whole);
    case LATER_CREATE:
        return inner->ops->create(inner, whole);
    case LATER_DELETE:
        return inner->ops->delete (inner, whole);
    case LATER_OFFSETS:
        return inner->ops->offsets(inner, whole);
    case LATER_PRODUCE:
        return inner->ops->produce(inner, whole);
    case LATER_FETCH:
        return inner->ops->fetch(inner, whole);
    case LATER_GROUPS:
        return inner->ops->groups(inner, whole);
    case LATER_DESCRIBE:
        return inner->ops->describe(inner, whole);
    case LATER_GROUP_OFFSETS:
        return inner->ops->group_offsets(inner, whole);
    case LATER_COMMIT:
        return inner->ops->commit(inner, whole);
    case LATER_MEMBERSHIP:
        return inner->ops->membership(inner, whole);
    case LATER_CALL_COUNT:
        break;
    }
    BUG("a call without an op");
}

static void later_take_out(struct later_broker *later, struct later_item *item)
{
    struct later_item *before = NULL;
    for (struct later_item *i = later->first; i != item; i = i->next) {
        before = i;
    }
    if (before != NULL) {
        before->next = item->next;
    } else {
        later->first = item->next;
    }
    if (later->last == item) {
        later->last = before;
    }
    later->waiting--;
    timer_clear(later->timers, &later->timer);
    later_arm(later);
}

/* One call a timer, so that each is answered in a turn of its own. */
static void later_due(struct timer *timer)
{
    struct later_broker *later = PP_CONTAINER_OF(timer, struct later_broker, timer);
    struct later_item item = *later->first;
    struct later_item *freed = later->first;
    later_take_out(later, freed);
    free(freed);
    later->answered[item.call]++;
    PP_ASSERT(later_do(later->inner, item.call, item.request) == BROKER_DONE);
    item.request->done(item.request);
}

static void later_cancel(struct broker *broker, struct broker_request *request)
{
    struct later_broker *later = later_of(broker);
    struct later_item *item = request->work;
    struct broker_membership *membership = (void *)request;
    later->cancelled[item->call]++;
    if (item->call == LATER_MEMBERSHIP && membership->action == BROKER_MEMBER_CLOSE) {
        membership->at_once = true;
        PP_ASSERT(later_do(later->inner, item->call, request) == BROKER_DONE);
    }
    later_take_out(later, item);
    free(item);
}

static void later_on_append(void *ctx, const struct broker_topic *topic, int32_t partition)
{
    const struct later_broker *later = ctx;
    broker_tell_append(&later->broker, topic, partition);
}

static void later_free(struct broker *broker)
{
    later_broker_release(later_of(broker));
}

static const struct broker_ops later_ops = {
    .metadata = later_metadata,
    .configs = later_configs,
    .create = later_create,
    .delete = later_delete,
    .offsets = later_offsets,
    .produce = later_produce,
    .fetch = later_fetch,
    .groups = later_groups,
    .describe = later_describe,
    .group_offsets = later_group_offsets,
    .commit = later_commit,
    .membership = later_membership,
    .cancel = later_cancel,
    .free = later_free,
};

void later_broker_init(struct later_broker *later, struct broker *inner, struct timer_heap *timers,
                       struct env *env)
{
    *later = (struct later_broker){
        .broker = {.ops = &later_ops}, .inner = inner, .timers = timers, .env = env};
    later->timer.fire = later_due;
    later->delay_us = 1000;
    broker_listen(inner, (struct broker_listener){later_on_append, later});
}

void later_broker_release(struct later_broker *later)
{
    PP_ASSERT(later->waiting == 0);
    timer_clear(later->timers, &later->timer);
    broker_unlisten(later->inner, later);
}
