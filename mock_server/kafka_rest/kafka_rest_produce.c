/* POST /topics/{t} and /topics/{t}/partitions/{p}: decode everything, send in order, answer with a
 * receipt a record. Failures of single records stand inside a 200
 * (specs/kafka-rest-v2.md sections 1.2 and 2.2).
 *
 * Invariant: a job belongs to exactly one of the proxy (scratch), a handler, a parked exchange or
 * the broker (at_broker with the client gone), and that one gives it back. */
#include "kafka_rest_produce.h"

#include <stdlib.h>
#include <string.h>

enum {
    error_retriable = 50003,
    error_other = 50002,
    error_not_authorized = 40301,
    texts_bytes_max = 256 * 1024 * 1024,
};

/* --- jobs --- */

static void job_free(struct produce_job *job)
{
    produce_request_release(&job->request);
    buf_release(&job->results);
    buf_release(&job->extra);
    arena_release(&job->texts);
    free(job);
}

static struct produce_job *job_new(void)
{
    struct produce_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    produce_request_init(&job->request);
    buf_init(&job->results, PRODUCE_RECORDS_MAX * sizeof(struct broker_result));
    buf_init(&job->extra, (size_t)KAFKA_REST_BODY_BYTES_MAX);
    arena_init(&job->texts, texts_bytes_max);
    return job;
}

struct produce_job *produce_job_take(struct kafka_rest_call *call, struct span topic)
{
    struct produce_job *job = call->rest->produce_job;
    call->rest->produce_job = NULL;
    if (job == NULL) {
        job = job_new();
    }
    if (job == NULL) {
        return NULL;
    }
    job->call = call;
    job->next = 0;
    job->end = 0;
    job->waited = false;
    job->at_broker = false;
    /* Its own copy: the exchange may be gone before the broker is done. */
    char *name = arena_copy_cstr(&job->texts, topic);
    job->topic = span_from(name, name != NULL ? topic.len : 0);
    if (name == NULL) {
        job_free(job);
        return NULL;
    }
    return job;
}

/* Back to the proxy, which keeps one. */
static void job_recycle(struct kafka_rest *rest, struct produce_job *job)
{
    if (rest->produce_job != NULL) {
        job_free(job);
        return;
    }
    produce_request_reset(&job->request);
    buf_trim(&job->results, PRODUCE_SCRATCH_KEEP_BYTES);
    buf_trim(&job->extra, PRODUCE_SCRATCH_KEEP_BYTES);
    arena_reset(&job->texts);
    job->call = NULL;
    rest->produce_job = job;
}

void produce_job_return(struct produce_job *job)
{
    job_recycle(job->call->rest, job);
}

void kafka_rest_produce_free(struct kafka_rest *rest)
{
    if (rest->produce_job != NULL) {
        job_free(rest->produce_job);
        rest->produce_job = NULL;
    }
}

struct broker_result *produce_job_results(const struct produce_job *job)
{
    return (struct broker_result *)(void *)job->results.ptr;
}

bool produce_job_prepare(struct produce_job *job)
{
    size_t bytes = job->request.count * sizeof(struct broker_result);
    buf_reset(&job->results);
    if (!buf_reserve(&job->results, bytes)) {
        return false;
    }
    memset(job->results.ptr, 0, bytes);
    job->results.len = bytes;
    job->end = job->request.count;
    return true;
}

/* --- hints --- */

static void hint_retriable(const struct produce_job *job)
{
    struct kafka_rest *rest = job->call->rest;
    const struct store_topic *topic = store_topic_find(rest->options.store, job->topic);
    if (topic == NULL) {
        kafka_rest_hint_missing_topic(job->call, job->topic);
        return;
    }
    answer_hint(job->call->exchange,
                "topic %.*s has %d partition(s), counted from 0: leave \"partition\" out",
                SPAN_ARG(job->topic), (int)topic->partition_count);
}

/* Kafka's words -> the fix, for errors that no retry heals. */
static const char *fix_of(const char *error)
{
    static const struct {
        const char *words;
        const char *fix;
    } rows[] = {
        {"max.request.size", "a record may have 1 MiB"},
        {"Invalid topics", "a topic's name is 1 to 249 of A-Z a-z 0-9 . _ -"},
        {"compacted topic", "this topic is compacted: give each record a key"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strstr(error, rows[i].words) != NULL) {
            return rows[i].fix;
        }
    }
    return "read error_code and error of each entry in \"offsets\"";
}

static void hint_failed(const struct produce_job *job, const struct broker_result *result)
{
    struct exchange *exchange = job->call->exchange;
    const char *user = job->call->rest->options.policy->user_id;
    if (result->error_code == error_retriable) {
        hint_retriable(job);
    } else if (result->error_code == error_other) {
        answer_hint(exchange, "the status is 200, but a record was not stored: %s",
                    fix_of(result->error));
    } else if (result->error_code == error_not_authorized) {
        answer_hint(exchange,
                    "the workshop's policy allows only topics that begin with \"%s.\": use "
                    "%s.pin, %s.geo or %s.user",
                    user, user, user, user);
    }
}

void produce_job_hint(const struct produce_job *job)
{
    const struct broker_result *results = produce_job_results(job);
    for (size_t i = 0; i < job->end; i++) {
        if (PP_UNLIKELY(results[i].error_code != 0)) {
            hint_failed(job, &results[i]);
            return;
        }
    }
    kafka_rest_hint_topic_policy(job->call, job->topic);
}

/* --- sending --- */

static void job_finish(struct produce_job *job)
{
    struct kafka_rest *rest = job->call->rest;
    job->encode(job, job->call->exchange);
    job_recycle(rest, job);
}

static enum handled job_continue(struct produce_job *job);

static void broker_done(struct broker_request *request)
{
    struct produce_job *job = request->ctx;
    job->at_broker = false;
    if (job->call == NULL) {
        job_free(job); /* nobody waits for the answer any more */
        return;
    }
    job->next += job->produce.count;
    struct exchange *exchange = job->call->exchange;
    if (job_continue(job) == HANDLED) {
        exchange_answer(exchange);
    }
}

/* Records that were sent before the wait belong to turns that have ended meanwhile. If one of those
 * failed, a receipt would name what was not kept. */
static bool job_was_taken_back(const struct produce_job *job)
{
    return store_generation(job->call->rest->options.store) != job->generation;
}

static void job_deadline(struct exchange *exchange, void *state)
{
    struct produce_job *job = state;
    if (job_was_taken_back(job)) {
        job_recycle(job->call->rest, job);
        exchange_fail(exchange, EXCHANGE_COMMIT_FAILED);
        exchange->reply.hint = NULL;
        answer_hint(exchange, "a commit failed while this request waited: some of the records "
                              "may be stored, sending them again may double those");
        exchange_answer(exchange);
        return;
    }
    job->waited = true;
    if (job_continue(job) == HANDLED) {
        exchange_answer(exchange);
    }
}

static void job_cancel(struct exchange *exchange, void *state)
{
    struct produce_job *job = state;
    (void)exchange;
    if (job->at_broker) {
        job->call = NULL;
        return;
    }
    job_recycle(job->call->rest, job);
}

static const struct park_ops job_park_ops = {job_deadline, job_cancel};

/* How many records from `next` on go to the broker together: all up to a refused one; one at a time
 * when each missing topic costs its own wait. */
static size_t run_length(const struct produce_job *job)
{
    const struct broker_result *results = produce_job_results(job);
    if (job->call->rest->options.missing_topic_delay_ms > 0) {
        return 1;
    }
    size_t count = 0;
    while (job->next + count < job->end && results[job->next + count].error_code == 0) {
        count++;
    }
    return count;
}

/* The real producer blocks max.block.ms for metadata that never comes, record after record. */
static bool must_wait(const struct produce_job *job)
{
    return job->call->rest->options.missing_topic_delay_ms > 0 && !job->waited &&
           produce_job_results(job)[job->next].error_code == error_retriable;
}

static void park(struct produce_job *job, int64_t deadline_us)
{
    exchange_park(job->call->exchange, deadline_us, &job_park_ops, job);
}

static enum handled job_continue(struct produce_job *job)
{
    struct kafka_rest_options *options = &job->call->rest->options;
    struct broker_result *results = produce_job_results(job);
    while (job->next < job->end) {
        if (results[job->next].error_code != 0 && !job->waited) {
            job->next++; /* refused before it was sent */
            continue;
        }
        job->produce = (struct broker_produce){
            .base = {.arena = &job->texts, .done = broker_done, .ctx = job},
            .topic = job->topic,
            .records = produce_request_records(&job->request) + job->next,
            .results = results + job->next,
            .count = run_length(job),
        };
        results[job->next].error_code = 0;
        if (options->broker->ops->produce(options->broker, &job->produce) == BROKER_LATER) {
            job->at_broker = true;
            park(job, INT64_MAX);
            return PARKED;
        }
        if (must_wait(job)) {
            park(job,
                 options->env->monotonic_us(options->env) + options->missing_topic_delay_ms * 1000);
            return PARKED;
        }
        job->waited = false;
        job->next += job->produce.count;
    }
    job_finish(job);
    return HANDLED;
}

enum handled produce_job_run(struct produce_job *job)
{
    job->generation = store_generation(job->call->rest->options.store);
    return job_continue(job);
}

/* --- v2 --- */

static void encode_v2(struct produce_job *job, struct exchange *exchange)
{
    if (job->end < job->request.count) {
        answer_hint(exchange, "a negative partition stops the real producer with an exception; "
                              "the records before it are stored");
        kafka_rest_error_known(exchange, ERROR_INTERNAL);
        return;
    }
    produce_job_hint(job);
    produce_receipts_encode(produce_job_results(job), job->request.count, exchange);
}

/* The URL's partition for records without their own; stops before the first negative one. */
static void choose_partitions(struct produce_job *job, int32_t url_partition)
{
    struct broker_record *records = (struct broker_record *)(void *)job->request.records.ptr;
    for (size_t i = 0; i < job->end; i++) {
        if (records[i].partition == -1) {
            records[i].partition = url_partition;
        }
        if (records[i].partition < -1) {
            job->end = i;
        }
    }
}

static enum handled produce_v2(struct kafka_rest_call *call, int32_t url_partition, int arg_index)
{
    struct exchange *exchange = call->exchange;
    struct produce_job *job = produce_job_take(call, call->match.captures[0]);
    if (job == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    if (!produce_request_decode(&job->request, exchange, call->media.in, arg_index)) {
        produce_job_return(job);
        return HANDLED;
    }
    if (!produce_job_prepare(job)) {
        produce_job_return(job);
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    choose_partitions(job, url_partition);
    job->encode = encode_v2;
    return produce_job_run(job);
}

enum handled kafka_rest_produce_topic(struct kafka_rest_call *call)
{
    return produce_v2(call, -1, 2);
}

enum handled kafka_rest_produce_partition(struct kafka_rest_call *call)
{
    int32_t partition;
    if (!kafka_rest_partition_number(call->exchange, call->match.captures[1], &partition)) {
        return HANDLED;
    }
    return produce_v2(call, partition == -1 ? INT32_MIN : partition, 3);
}
