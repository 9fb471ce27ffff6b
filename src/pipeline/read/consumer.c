/* The consumer commits only what the sink has taken (auto commit is off: it would also commit what
 * a page held beyond --max-messages), every few seconds and at the end.
 *
 * The first GET .../records of a group member joins the group and usually comes back empty; the
 * loop simply goes on. Reading from the beginning needs that join first: before it the instance has
 * no partitions whose position could be set, so records of that first poll are thrown away and
 * read again. */
#include "consumer.h"

#include "array.h"
#include "rest_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    poll_ms = 1000,
    commit_every_us = 5000000,
    busy_pause_us = 500000,
    partitions_max = 4096,
    page_bytes = 1 << 20,
    answer_bytes_max = 64 << 20,
};

struct consumer {
    const struct consumer_options *options;
    const struct consumer_sink *sink;
    struct consumer_summary *summary;
    struct rest_client *client;
    struct rest_instance instance;
    bool has_instance;
    struct buf page;
    struct rest_place *places; /* by partition: the last record taken; offset -1: none */
    int32_t place_count;
    size_t place_cap;
    bool uncommitted;
    int64_t committed_us;
    int64_t heard_us; /* when the last record came */
};

static int64_t consume_now_us(const struct consumer *c)
{
    return c->options->env->monotonic_us(c->options->env);
}

static bool consume_should_stop(const struct consumer *c)
{
    const struct progress *progress = c->options->progress;
    return progress != NULL && progress->should_stop != NULL &&
           progress->should_stop(progress->ctx);
}

static bool is_idle_too_long(const struct consumer *c)
{
    return c->options->idle_ms > 0 && consume_now_us(c) - c->heard_us >= c->options->idle_ms * 1000;
}

static bool has_enough(const struct consumer *c)
{
    return c->options->messages_max > 0 && c->summary->records >= c->options->messages_max;
}

/* --- commits --------------------------------------------------------------------------------- */

static enum status remember_place(struct consumer *c, const struct page_record *record,
                                  struct error *err)
{
    if (record->partition >= c->place_count) {
        if (record->partition >= partitions_max) {
            return error_set(err, STATUS_LIMIT, "partition %d: more than %d are not supported",
                             (int)record->partition, partitions_max);
        }
        int32_t count = record->partition + 1;
        if (ARRAY_RESERVE(c->places, c->place_cap, (size_t)count, partitions_max) != STATUS_OK) {
            return error_set(err, STATUS_NO_MEMORY, "no memory to consume");
        }
        for (int32_t p = c->place_count; p < count; p++) {
            c->places[p] = (struct rest_place){c->options->topic, p, -1};
        }
        c->place_count = count;
    }
    c->places[record->partition].offset = record->offset;
    c->uncommitted = true;
    return STATUS_OK;
}

static enum status commit(struct consumer *c, struct error *err)
{
    if (!c->uncommitted) {
        return STATUS_OK;
    }
    size_t count = 0;
    struct rest_place *taken = calloc((size_t)c->place_count, sizeof(*taken));
    if (taken == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to commit");
    }
    for (int32_t p = 0; p < c->place_count; p++) {
        if (c->places[p].offset >= 0) {
            taken[count++] = c->places[p];
        }
    }
    enum status status = rest_instance_commit(c->client, &c->instance, taken, count, err);
    free(taken);
    c->uncommitted = status != STATUS_OK;
    c->committed_us = consume_now_us(c);
    return status;
}

/* --- polling --------------------------------------------------------------------------------- */

/* Fetches a page into c->page; empty when nothing came, or when a throttling gateway refused to
 * ask. */
static enum status consume_fetch(struct consumer *c, struct error *err)
{
    int64_t wait_ms = poll_ms;
    if (c->options->idle_ms > 0 && c->options->idle_ms < wait_ms) {
        wait_ms = c->options->idle_ms;
    }
    struct rest_fetch request = {.timeout_ms = wait_ms, .max_bytes = page_bytes};
    enum status status = rest_records_start(c->client, &c->instance, request, err);
    if (status == STATUS_OK) {
        status = rest_records_wait(c->client, &c->page, err);
    }
    if (status == STATUS_BUSY) {
        c->options->env->sleep_us(c->options->env, busy_pause_us);
        buf_reset(&c->page);
        BUF_APPEND_LIT(&c->page, "[]");
        return STATUS_OK;
    }
    return status;
}

static enum status take_record(struct consumer *c, const struct page_record *record,
                               struct error *err)
{
    enum status status = c->sink->record(c->sink->ctx, record, err);
    if (status == STATUS_OK) {
        c->summary->records++;
        status = remember_place(c, record, err);
    }
    return status;
}

static enum status take_page(struct consumer *c, struct error *err)
{
    struct record_page page;
    struct page_record record;
    struct json_error json;
    enum page_step step = PAGE_END;
    enum status status = STATUS_OK;
    record_page_open(&page, buf_span(&c->page), RECORD_PAGE_STRICT);
    while (status == STATUS_OK && !has_enough(c) &&
           (step = record_page_next(&page, &record, &json)) == PAGE_RECORD) {
        c->heard_us = consume_now_us(c);
        status = take_record(c, &record, err);
    }
    if (status == STATUS_OK && step == PAGE_BAD) {
        status = error_set(err, STATUS_FAILED, "the server's answer is not a page of records: %s",
                           json.message);
    }
    if (status == STATUS_OK) {
        status = c->sink->flush(c->sink->ctx, err);
    }
    return status;
}

static enum status follow(struct consumer *c, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !has_enough(c) && !is_idle_too_long(c)) {
        if (consume_should_stop(c)) {
            return error_set(err, STATUS_INTERRUPTED, "stopped");
        }
        status = consume_fetch(c, err);
        if (status == STATUS_OK) {
            status = take_page(c, err);
        }
        if (status == STATUS_OK && c->uncommitted &&
            consume_now_us(c) - c->committed_us > commit_every_us) {
            status = commit(c, err);
        }
    }
    return status;
}

/* Polls until the group gave us partitions, then goes to their beginning. What the first poll, the
 * one that joined, may have brought is not shown. */
static enum status go_to_beginning(struct consumer *c, struct error *err)
{
    size_t partitions = 0;
    bool told = false;
    enum status status = rest_instance_assigned(c->client, &c->instance, &partitions, err);
    while (status == STATUS_OK && partitions == 0 && !is_idle_too_long(c)) {
        if (consume_should_stop(c)) {
            return error_set(err, STATUS_INTERRUPTED, "stopped");
        }
        status = consume_fetch(c, err);
        if (status == STATUS_OK) {
            status = rest_instance_assigned(c->client, &c->instance, &partitions, err);
        }
        if (status == STATUS_OK && partitions == 0 && !told) {
            told = true;
            c->sink->note(c->sink->ctx, "waiting for a partition: other members of the group may "
                                        "hold them all (another --group has its own)");
        }
    }
    if (status == STATUS_OK && partitions > 0) {
        status = rest_instance_seek_to_beginning(c->client, &c->instance, err);
    }
    return status;
}

/* --- joining and leaving --------------------------------------------------------------------- */

static enum status check_topic(struct consumer *c, struct error *err)
{
    int32_t partitions = 0;
    enum status status = rest_topic_partitions(c->client, c->options->topic, &partitions, err);
    if (status == STATUS_NOT_FOUND) {
        return error_set(err, status,
                         "there is no topic \"%s\": `pinpipe topics list` shows what there is, "
                         "`pinpipe topics create %s` makes it",
                         c->options->topic, c->options->topic);
    }
    return status;
}

static void mention_base_uri(struct consumer *c)
{
    const char *base_uri = c->instance.base_uri;
    const char *invoke_url = c->options->endpoints.invoke_url;
    if (base_uri[0] == '\0' ||
        span_starts_with(span_from_cstr(base_uri), span_from_cstr(invoke_url))) {
        return;
    }
    char text[512];
    snprintf(text, sizeof(text),
             "base_uri names %.160s, which a client outside may not reach; staying with %.160s",
             base_uri, invoke_url);
    c->sink->note(c->sink->ctx, text);
}

static enum status join(struct consumer *c, struct error *err)
{
    struct rest_instance_options options = {
        .group = c->options->group,
        .format = "json",
        .auto_offset_reset = c->options->from_beginning ? "earliest" : "latest",
        .auto_commit = false,
        .fetch_min_bytes = 1,
    };
    enum status status = rest_instance_create(c->client, &options, &c->instance, err);
    if (status != STATUS_OK) {
        return status;
    }
    c->has_instance = true;
    mention_base_uri(c);
    return rest_instance_subscribe(c->client, &c->instance, c->options->topic, err);
}

static enum status explain(const struct consumer *c, enum status status, struct error *err)
{
    if (status == STATUS_NOT_FOUND && c->has_instance) {
        return error_set(err, status,
                         "the server no longer knows this consumer instance (it was restarted, or "
                         "the instance expired): run the command again, the group goes on from its "
                         "last commit");
    }
    if (status == STATUS_INVALID) {
        return error_set(err, status,
                         "a record of %s is not JSON, and no JSON consumer can get past it: remove "
                         "it (create the topic anew) or read the topic with a binary consumer",
                         c->options->topic);
    }
    return status;
}

static enum status leave(struct consumer *c, enum status status, struct error *err)
{
    struct error ending;
    bool lost = status == STATUS_NOT_FOUND || status == STATUS_UNREACHABLE ||
                status == STATUS_TIMED_OUT || status == STATUS_ENDLESS;
    if (!c->has_instance || lost) {
        return status;
    }
    enum status committed = commit(c, &ending);
    if (committed == STATUS_TIMED_OUT) { /* nor would it answer a farewell */
        *err = status == STATUS_OK ? ending : *err;
        return status == STATUS_OK ? committed : status;
    }
    enum status deleted = STATUS_OK;
    if (committed != STATUS_OK && status == STATUS_OK) {
        *err = ending;
        status = committed;
    }
    deleted = rest_instance_delete(c->client, &c->instance, &ending);
    if (deleted != STATUS_OK && status == STATUS_OK) {
        *err = ending;
        status = deleted;
    }
    return status;
}

static enum status consume(struct consumer *c, struct error *err)
{
    enum status status = check_topic(c, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = join(c, err);
    if (status == STATUS_OK) { /* the poll that joins is no idle time */
        status = consume_fetch(c, err);
    }
    c->heard_us = consume_now_us(c);
    c->committed_us = c->heard_us;
    if (status == STATUS_OK && c->options->from_beginning) {
        status = go_to_beginning(c, err);
        c->heard_us = consume_now_us(c);
    } else if (status == STATUS_OK) {
        status = take_page(c, err);
    }
    if (status == STATUS_OK) {
        status = follow(c, err);
    }
    status = explain(c, status, err);
    if (status == STATUS_INTERRUPTED) {
        c->summary->interrupted = true;
        status = STATUS_OK;
    }
    return leave(c, status, err);
}

enum status consumer_run(const struct consumer_options *options, const struct consumer_sink *sink,
                         struct consumer_summary *summary, struct error *err)
{
    struct consumer c = {.options = options, .sink = sink, .summary = summary};
    struct rest_client_options client = {
        .env = options->env,
        .invoke_url = options->endpoints.invoke_url,
        .api_key = options->endpoints.api_key,
        .answer_bytes_max = answer_bytes_max,
        .timeout_ms = options->endpoints.timeout_ms,
        .should_stop = options->progress != NULL ? options->progress->should_stop : NULL,
        .should_stop_ctx = options->progress != NULL ? options->progress->ctx : NULL,
    };
    *summary = (struct consumer_summary){0};
    enum status status = rest_client_new(&client, &c.client, err);
    if (status != STATUS_OK) {
        return status;
    }
    buf_init(&c.page, answer_bytes_max);
    status = consume(&c, err);
    rest_client_free(c.client);
    buf_release(&c.page);
    free(c.places);
    return status;
}
