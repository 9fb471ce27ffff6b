/* The embedded broker's fetch: records out of the store's log, or the batches that they came in.
 *
 * The log has a row for each record, whichever way it came, so that a fetch of records does not ask
 * for batches. A fetch of batches goes from one kept batch to the next and reads what came alone
 * between them. */
#include "broker_store_internal.h"

struct fetching {
    struct broker_fetch *request;
    struct store *store;
    struct buf batch; /* the bytes of the batch that is visited */
    size_t part;
    int64_t bytes;
    bool ended;
    const struct store_topic *topic; /* of the part before: a topic's stand side by side */
};

static bool fetch_visit(void *ctx, const struct store_record *record)
{
    struct fetching *fetching = ctx;
    PP_ASSERT(!fetching->ended); /* who said stop is not visited again */
    const struct broker_fetched fetched = {
        .offset = record->offset,
        .timestamp_ms = record->timestamp_ms,
        .has_key = record->has_key,
        .has_value = record->has_value,
        .key = record->key,
        .value = record->value,
        .headers = record->headers,
    };
    fetching->bytes += (int64_t)(record->key.len + record->value.len);
    fetching->ended = !fetching->request->visit(fetching->request, fetching->part, &fetched) ||
                      fetching->bytes >= fetching->request->bytes_max;
    return !fetching->ended;
}

static void fetch_visit_batch(struct fetching *fetching, const struct store_batch *batch)
{
    PP_ASSERT(!fetching->ended && fetching->request->visit_batch != NULL);
    struct broker_fetch *request = fetching->request;
    const struct broker_fetched_batch fetched = {batch->first_offset, batch->last_offset,
                                                 batch->bytes};
    fetching->bytes += (int64_t)batch->bytes.len;
    fetching->ended = !request->visit_batch(request, fetching->part, &fetched) ||
                      fetching->bytes >= request->bytes_max;
}

/* Records from `offset` up to (not with) `end`, which may be before it. */
static enum status fetch_records(struct fetching *fetching, struct store_place place,
                                 int64_t offset, int64_t end)
{
    if (offset >= end) {
        return STATUS_OK;
    }
    return store_records_read(
        fetching->store, (struct store_range){place.topic, place.partition, offset, end - offset},
        fetch_visit, fetching, &fetching->request->base.error);
}

/* Records that came alone up to the next batch, then the batch, and so on. */
static enum status fetch_batches(struct fetching *fetching, struct store_place place,
                                 int64_t offset, int64_t end)
{
    struct error *err = &fetching->request->base.error;
    while (offset < end && !fetching->ended) {
        struct store_batch batch;
        buf_reset(&fetching->batch);
        enum status status =
            store_batch_find(fetching->store, place, offset, &batch, &fetching->batch, err);
        if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
            return status;
        }
        bool found = status == STATUS_OK && batch.first_offset < end;
        status = fetch_records(fetching, place, offset, found ? batch.first_offset : end);
        if (status != STATUS_OK || !found || fetching->ended) {
            return status;
        }
        fetch_visit_batch(fetching, &batch);
        offset = batch.last_offset + 1;
    }
    return STATUS_OK;
}

static const struct store_topic *fetch_topic(struct fetching *fetching, struct span name)
{
    if (fetching->topic == NULL || !span_equal(fetching->topic->name, name)) {
        fetching->topic = store_topic_find(fetching->store, name);
    }
    return fetching->topic;
}

static enum status fetch_part(struct fetching *fetching, struct broker_fetch_part *part)
{
    const struct store_topic *topic = fetch_topic(fetching, part->topic);
    part->is_there = topic != NULL && (part->topic_id == 0 || topic->id == part->topic_id) &&
                     part->partition >= 0 && part->partition < topic->partition_count;
    if (!part->is_there) {
        return fetching->request->base.status;
    }
    part->next_offset = topic->partitions[part->partition].next_offset;
    int64_t end = part->end < part->next_offset ? part->end : part->next_offset;
    if (fetching->ended || fetching->request->base.status != STATUS_OK) {
        return fetching->request->base.status; /* only the log's end is still wanted */
    }
    const struct store_place place = {topic, part->partition};
    return fetching->request->visit_batch != NULL
               ? fetch_batches(fetching, place, part->offset, end)
               : fetch_records(fetching, place, part->offset, end);
}

/* The i-th of the list, or the next that comes into `one`. NULL: there are no more. */
static struct broker_fetch_part *fetch_next(struct broker_fetch *request, size_t i,
                                            struct broker_fetch_part *one)
{
    if (request->next == NULL) {
        return i < request->count ? &request->parts[i] : NULL;
    }
    *one = (struct broker_fetch_part){0};
    return request->next(request, one) ? one : NULL;
}

enum broker_outcome broker_store_fetch(struct broker *broker, struct broker_fetch *request)
{
    PP_ASSERT(request->visit != NULL && (request->next == NULL || request->count == 0));
    struct fetching fetching = {.request = request, .store = broker_store_of(broker)->store};
    request->base.status = STATUS_OK;
    buf_init(&fetching.batch, STORE_BATCH_BYTES_MAX);
    struct broker_fetch_part one;
    struct broker_fetch_part *part;
    while ((part = fetch_next(request, fetching.part, &one)) != NULL) {
        request->base.status = fetch_part(&fetching, part);
        if (request->seen != NULL && !request->seen(request, part)) {
            break;
        }
        fetching.part++;
    }
    buf_release(&fetching.batch);
    return BROKER_DONE;
}
