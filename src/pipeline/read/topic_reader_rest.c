/* Topics over the REST proxy's v2 consumer API. The pages are bounded (max_bytes, halved when a
 * gateway or our own ceiling finds an answer too large, but never below what one record may have:
 * the proxy answers [] for ever to a reader whose max_bytes a record does not fit). GET .../records
 * moves the position even when its answer is lost, so a failed fetch is repeated with a new
 * instance that seeks to where the last page ended; that also survives a restart of the server,
 * which forgets its instances.
 *
 * A record that is not JSON (an early test message from a console producer) stops a JSON instance
 * for good, so the rest of its partition is read in binary. */
#include "record_page.h"
#include "rest_client.h"
#include "topic_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    page_bytes_start = 3 << 19,
    page_bytes_least = 1200000, /* above Kafka's max.request.size with its overhead */
    page_bytes_most = 64 << 20, /* the proxy takes no more for one page */
    page_wait_ms = 500,
    answer_bytes_max = 128 << 20,
    fetch_tries_max = 5,
    fetch_pause_us = 100000,
    tail_bytes = 40,
};

struct rest_reader {
    struct topic_reader base;
    struct env *env;
    struct rest_client *client;
    struct rest_instance instance;
    bool has_instance;
    char topic[256];
    int32_t partition;
    int64_t next_offset; /* where the fetch under way, or the next one, begins */
    int64_t end_offset;
    bool fetching;
    bool binary; /* the instance's format */
    int64_t page_bytes;
    char group[REST_GROUP_BYTES];
    struct buf page;
};

static struct rest_reader *self(struct topic_reader *reader)
{
    return PP_CONTAINER_OF(reader, struct rest_reader, base);
}

static enum status get_cluster_id(struct topic_reader *reader, char *out, size_t out_bytes,
                                  struct error *err)
{
    return rest_cluster_id(self(reader)->client, out, out_bytes, err);
}

static enum status get_partitions(struct topic_reader *reader, const char *topic, int32_t *count,
                                  struct error *err)
{
    return rest_topic_partitions(self(reader)->client, topic, count, err);
}

static enum status get_range(struct topic_reader *reader, const char *topic, int32_t partition,
                             struct topic_range *range, struct error *err)
{
    return rest_partition_offsets(self(reader)->client, topic, partition, &range->begin,
                                  &range->end, err);
}

static void drop_instance(struct rest_reader *reader)
{
    if (reader->has_instance) {
        struct error ignored; /* it expires by itself */
        reader->has_instance = false;
        if (rest_instance_delete(reader->client, &reader->instance, &ignored) != STATUS_OK) {
            return;
        }
    }
}

static enum status take_place(struct rest_reader *reader, struct error *err)
{
    struct rest_instance_options options = {
        .group = reader->group,
        .format = reader->binary ? "binary" : "json",
        .auto_offset_reset = "earliest",
        .auto_commit = false,
        .fetch_min_bytes = 1,
    };
    struct rest_place place = {reader->topic, reader->partition, reader->next_offset};
    enum status status = STATUS_OK;
    if (!reader->has_instance) {
        status = rest_instance_create(reader->client, &options, &reader->instance, err);
        reader->has_instance = status == STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = rest_instance_assign(reader->client, &reader->instance, reader->topic,
                                      reader->partition, err);
    }
    if (status == STATUS_OK) {
        status = rest_instance_seek(reader->client, &reader->instance, place, err);
    }
    return status;
}

static enum status start_fetch(struct rest_reader *reader, struct error *err)
{
    struct rest_fetch fetch = {
        .timeout_ms = page_wait_ms, .max_bytes = reader->page_bytes, .binary = reader->binary};
    enum status status = rest_records_start(reader->client, &reader->instance, fetch, err);
    reader->fetching = status == STATUS_OK;
    if (reader->fetching) {
        rest_records_poll(reader->client);
    }
    return status;
}

static void stop_fetch(struct rest_reader *reader)
{
    if (reader->fetching) {
        rest_records_cancel(reader->client);
        reader->fetching = false;
    }
}

static enum status reader_aim(struct rest_reader *reader, const char *topic, int32_t partition,
                              struct topic_range range, struct error *err)
{
    if (strlen(topic) >= sizeof(reader->topic)) {
        return error_set(err, STATUS_LIMIT, "topic name longer than 249 bytes: %.60s...", topic);
    }
    snprintf(reader->topic, sizeof(reader->topic), "%s", topic);
    reader->partition = partition;
    reader->next_offset = range.begin;
    reader->end_offset = range.end;
    return STATUS_OK;
}

static enum status reader_start(struct topic_reader *base, const char *topic, int32_t partition,
                                struct topic_range range, struct error *err)
{
    struct rest_reader *reader = self(base);
    bool unfinished = reader->next_offset < reader->end_offset; /* its buffer may not be empty */
    if (reader->fetching || reader->binary || unfinished) {
        stop_fetch(reader);
        drop_instance(reader);
        reader->binary = false;
    }
    enum status status = reader_aim(reader, topic, partition, range, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = take_place(reader, err);
    if (status == STATUS_NOT_FOUND && reader->has_instance) { /* expired between two partitions */
        reader->has_instance = false;
        status = take_place(reader, err);
    }
    return status;
}

/* The offset of the page's last record, -1 when it has none. The proxy ends a page with
 * `"offset":N}]`; another shape is read from its beginning. */
static int64_t page_last_offset(struct span body)
{
    struct span tail = body.len > tail_bytes ? span_skip(body, body.len - tail_bytes) : body;
    size_t digits = 0;
    while (digits + 2 < tail.len && tail.ptr[tail.len - 3 - digits] >= '0' &&
           tail.ptr[tail.len - 3 - digits] <= '9') {
        digits++;
    }
    struct span number =
        digits > 0 ? span_from(tail.ptr + tail.len - 2 - digits, digits) : SPAN_EMPTY;
    int64_t offset = -1;
    if (span_ends_with(tail, SPAN_LIT("}]")) &&
        span_ends_with(span_first(tail, tail.len - 2 - digits), SPAN_LIT(",\"offset\":")) &&
        span_parse_i64(number, &offset)) {
        return offset;
    }
    struct record_page page;
    struct page_record record;
    struct json_error ignored;
    offset = -1;
    record_page_open(&page, body, RECORD_PAGE_QUICK);
    while (record_page_next(&page, &record, &ignored) == PAGE_RECORD) {
        offset = record.offset;
    }
    return offset;
}

static enum status fetch_once(struct rest_reader *reader, struct error *err)
{
    enum status status = reader->fetching ? STATUS_OK : start_fetch(reader, err);
    if (status == STATUS_OK) {
        status = rest_records_wait(reader->client, &reader->page, err);
        reader->fetching = false;
    }
    return status;
}

static bool may_try_again(enum status status)
{
    return status != STATUS_INTERRUPTED && status != STATUS_NO_MEMORY && status != STATUS_CONFIG &&
           status != STATUS_TIMED_OUT;
}

static enum status fetch_again(struct rest_reader *reader, int tries, struct error *err)
{
    if (err->code == STATUS_INVALID) {
        reader->binary = true;
    } else {
        reader->env->sleep_us(reader->env, (int64_t)fetch_pause_us << tries);
        reader->page_bytes /= 2;
        if (reader->page_bytes < page_bytes_least) {
            reader->page_bytes = page_bytes_least;
        }
    }
    drop_instance(reader);
    enum status status = take_place(reader, err);
    return status == STATUS_OK ? fetch_once(reader, err) : status;
}

static enum status reader_fetch(struct rest_reader *reader, struct error *err)
{
    enum status status = fetch_once(reader, err);
    for (int tries = 0; status != STATUS_OK && tries < fetch_tries_max && may_try_again(status);
         tries++) {
        status = fetch_again(reader, tries, err);
    }
    return status;
}

/* An empty page before the end may mean a record that the page has no room for. The instance then
 * keeps it in its buffer and gives nothing more of any partition: a new one asks for as much as
 * there can be. */
static enum status fetch_large(struct rest_reader *reader, struct error *err)
{
    int64_t page_bytes = reader->page_bytes;
    drop_instance(reader);
    reader->page_bytes = page_bytes_most;
    enum status status = take_place(reader, err);
    if (status == STATUS_OK) {
        status = reader_fetch(reader, err);
    }
    reader->page_bytes = page_bytes;
    return status;
}

static enum status next_page(struct topic_reader *base, struct topic_page *page, struct error *err)
{
    struct rest_reader *reader = self(base);
    enum status status = reader_fetch(reader, err);
    int64_t last = status == STATUS_OK ? page_last_offset(buf_span(&reader->page)) : -1;
    if (status == STATUS_OK && last < 0 && reader->next_offset < reader->end_offset) {
        status = fetch_large(reader, err);
        last = status == STATUS_OK ? page_last_offset(buf_span(&reader->page)) : -1;
    }
    if (status != STATUS_OK) {
        return status;
    }
    *page = (struct topic_page){buf_span(&reader->page), reader->binary};
    if (last >= reader->next_offset) {
        reader->next_offset = last + 1;
    }
    /* Beyond the end it would only wait. A failure to send shows when the page is asked for. */
    if (last >= 0 && reader->next_offset < reader->end_offset) {
        struct error later;
        if (start_fetch(reader, &later) != STATUS_OK) {
            reader->fetching = false;
        }
    }
    return STATUS_OK;
}

/* The first record behind the place that was sought, in binary, because it need not be JSON. */
static enum status first_offset(struct rest_reader *reader, int64_t *offset, struct error *err)
{
    struct record_page page;
    struct page_record record;
    struct json_error ignored;
    enum status status = fetch_once(reader, err);
    if (status == STATUS_OK) {
        record_page_open(&page, buf_span(&reader->page), RECORD_PAGE_QUICK);
        if (record_page_next(&page, &record, &ignored) == PAGE_RECORD) {
            *offset = record.offset;
        }
    }
    return status;
}

static enum status find_since(struct topic_reader *base, const char *topic, int32_t partition,
                              int64_t time_ms, struct topic_range *range, struct error *err)
{
    struct rest_reader *reader = self(base);
    int64_t page_bytes = reader->page_bytes;
    int64_t first = range->end;
    if (range->begin >= range->end) {
        return STATUS_OK;
    }
    stop_fetch(reader);
    drop_instance(reader);
    reader->page_bytes = page_bytes_most; /* there must be room for one record, however large */
    reader->binary = true;
    enum status status = reader_aim(reader, topic, partition, *range, err);
    if (status == STATUS_OK) {
        status = take_place(reader, err);
    }
    if (status == STATUS_OK) {
        status = rest_instance_seek_time(reader->client, &reader->instance, topic, partition,
                                         time_ms, err);
        if (status == STATUS_FAILED) { /* the proxy's way of saying that none is that young */
            status = STATUS_OK;
        } else if (status == STATUS_OK) {
            status = first_offset(reader, &first, err);
        }
    }
    drop_instance(reader);
    reader->binary = false;
    reader->page_bytes = page_bytes;
    reader->next_offset = reader->end_offset;
    range->begin = first;
    return status;
}

static void poll_fetch(struct topic_reader *reader)
{
    rest_records_poll(self(reader)->client);
}

static void reader_free(struct topic_reader *base)
{
    struct rest_reader *reader = self(base);
    stop_fetch(reader);
    drop_instance(reader);
    rest_client_free(reader->client);
    buf_release(&reader->page);
    free(reader);
}

static const struct topic_reader_ops rest_reader_ops = {
    .cluster_id = get_cluster_id,
    .partitions = get_partitions,
    .range = get_range,
    .since = find_since,
    .start = reader_start,
    .page = next_page,
    .poll = poll_fetch,
    .free = reader_free,
};

enum status topic_reader_rest_new(struct env *env, const struct endpoints *endpoints,
                                  const struct progress *progress, struct topic_reader **out,
                                  struct error *err)
{
    struct rest_reader *reader = calloc(1, sizeof(*reader));
    if (reader == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the topic reader");
    }
    struct rest_client_options options = {
        .env = env,
        .invoke_url = endpoints->invoke_url,
        .api_key = endpoints->api_key,
        .answer_bytes_max = answer_bytes_max,
        .timeout_ms = endpoints->timeout_ms,
        .should_stop = progress != NULL ? progress->should_stop : NULL,
        .should_stop_ctx = progress != NULL ? progress->ctx : NULL,
    };
    reader->base.ops = &rest_reader_ops;
    reader->env = env;
    reader->page_bytes = page_bytes_start;
    snprintf(reader->group, sizeof(reader->group), "%s", endpoints->consumer_group);
    buf_init(&reader->page, answer_bytes_max);
    enum status status = rest_client_new(&options, &reader->client, err);
    if (status != STATUS_OK) {
        buf_release(&reader->page);
        free(reader);
        return status;
    }
    *out = &reader->base;
    return STATUS_OK;
}
