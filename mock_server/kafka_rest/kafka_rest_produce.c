/* Records are sent in order, however long the broker takes.
 *
 * Invariant: a job belongs to exactly one of the proxy (scratch), a handler, a parked exchange or
 * the broker (at_broker with the client gone), and that one gives it back. */
#include "kafka_rest_produce.h"

#include "kafka_rest_topic.h"
#include "undo.h"

#include <stdlib.h>
#include <string.h>

enum {
    texts_bytes_max = 256 * 1024 * 1024,
};

/* --- jobs --- */

static void produce_job_let_go_of_more(struct produce_job *job)
{
    if (PP_UNLIKELY(job->more_ops != NULL)) {
        job->more_ops->let_go(job);
        job->more_ops = NULL;
        job->more = NULL;
    }
}

static void produce_job_free(struct produce_job *job)
{
    produce_job_let_go_of_more(job);
    if (job->noted_epoch != 0) {
        undo_drop(job->rest->options.undo, job);
    }
    produce_request_release(&job->request);
    buf_release(&job->results);
    buf_release(&job->refusals);
    buf_release(&job->extra);
    arena_release(&job->texts);
    arena_release(&job->run_texts);
    free(job);
}

static struct produce_job *produce_job_new(void)
{
    struct produce_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return NULL;
    }
    produce_request_init(&job->request);
    buf_init(&job->results, PRODUCE_RECORDS_MAX * sizeof(struct broker_result));
    buf_init(&job->refusals, PRODUCE_RECORDS_MAX * sizeof(struct produce_refusal));
    buf_init(&job->extra, (size_t)KAFKA_REST_BODY_BYTES_MAX);
    arena_init(&job->texts, texts_bytes_max);
    arena_init(&job->run_texts, texts_bytes_max);
    return job;
}

struct produce_job *produce_job_take(struct kafka_rest_call *call, struct span topic)
{
    struct kafka_rest_produces *produces = call->rest->produces;
    struct produce_job *job = produces->scratch;
    produces->scratch = NULL;
    if (job == NULL) {
        job = produce_job_new();
    }
    if (job == NULL) {
        return NULL;
    }
    job->rest = call->rest;
    job->call = call;
    job->refusal_count = 0;
    job->next_refusal = 0;
    job->next = 0;
    job->end = 0;
    job->waited = false;
    job->at_broker = false;
    job->partition_count = 0;
    job->taken_back = false;
    job->noted_epoch = 0;
    /* The topic is the job's own copy: the exchange may be gone before the broker is done. */
    char *name = arena_copy_cstr(&job->texts, topic);
    job->topic = span_from(name, name != NULL ? topic.len : 0);
    if (name == NULL) {
        produce_job_free(job);
        return NULL;
    }
    return job;
}

/* Back to the proxy, which keeps one. */
static void produce_job_recycle(struct produce_job *job)
{
    struct kafka_rest_produces *produces = job->rest->produces;
    if (produces->scratch != NULL) {
        produce_job_free(job);
        return;
    }
    produce_job_let_go_of_more(job);
    if (job->noted_epoch != 0) {
        undo_drop(job->rest->options.undo, job);
    }
    produce_request_reset(&job->request);
    buf_trim(&job->results, PRODUCE_SCRATCH_KEEP_BYTES);
    buf_trim(&job->refusals, PRODUCE_SCRATCH_KEEP_BYTES);
    buf_trim(&job->extra, PRODUCE_SCRATCH_KEEP_BYTES);
    arena_reset(&job->texts);
    arena_reset(&job->run_texts);
    job->call = NULL;
    produces->scratch = job;
}

void produce_job_return(struct produce_job *job)
{
    produce_job_recycle(job);
}

enum status kafka_rest_produces_new(const struct kafka_rest_options *options,
                                    struct kafka_rest_produces **out, struct error *err)
{
    struct kafka_rest_produces *produces = calloc(1, sizeof(*produces));
    if (produces == NULL || timer_heap_reserve(options->timers, 1) != STATUS_OK) {
        free(produces);
        return error_set(err, STATUS_NO_MEMORY, "the REST proxy: out of memory");
    }
    produces->timers = options->timers;
    *out = produces;
    return STATUS_OK;
}

void kafka_rest_produces_free(struct kafka_rest_produces *produces, struct broker *broker)
{
    PP_ASSERT(produces->line_first == NULL);
    if (produces->scratch != NULL) {
        produce_job_free(produces->scratch);
    }
    while (produces->orphans != NULL) {
        struct produce_job *job = produces->orphans;
        produces->orphans = job->next_orphan;
        broker_cancel(broker, &job->produce.base);
        produce_job_free(job);
    }
    timer_clear(produces->timers, &produces->line_timer);
    timer_heap_unreserve(produces->timers, 1);
    free(produces);
}

static struct broker_result *produce_job_results(const struct produce_job *job)
{
    return (struct broker_result *)(void *)job->results.ptr;
}

struct produce_outcome produce_job_outcome(const struct produce_job *job)
{
    return (struct produce_outcome){
        .topic = job->topic,
        .records = produce_request_records(&job->request),
        .results = produce_job_results(job),
        .count = job->request.count,
    };
}

const struct produce_refusal *produce_job_refusals(const struct produce_job *job)
{
    return (const struct produce_refusal *)(const void *)job->refusals.ptr;
}

void produce_job_refuse(struct produce_job *job, int code, struct span answer)
{
    const char *kept = arena_copy_cstr(&job->texts, answer);
    const struct produce_refusal refusal = {job->request.count - 1, code, kept != NULL ? kept : ""};
    buf_append(&job->refusals, &refusal, sizeof(refusal));
    job->refusal_count += buf_ok(&job->refusals) ? 1 : 0;
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

/* A topic that is not there has been asked about once more (produce_job_finish), for what may be
 * meant. */
static void produce_hint_not_there(const struct produce_job *job)
{
    if (job->partition_count == 0) {
        kafka_rest_topic_hint_missing(job->call);
        return;
    }
    answer_hint(job->call->exchange,
                "topic %.*s has %d partition(s), counted from 0: leave \"partition\" out",
                SPAN_ARG(job->topic), (int)job->partition_count);
}

/* An error that no retry heals. */
static void produce_hint_final(const struct produce_job *job, const char *fix)
{
    answer_hint(job->call->exchange, "the status is 200, but a record was not stored: %s", fix);
}

static void produce_hint_failed(const struct produce_job *job, enum kafka_error error)
{
    const char *user = job->rest->options.policy->user_id;
    switch (error) {
    case KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION:
        produce_hint_not_there(job);
        break;
    case KAFKA_ERROR_MESSAGE_TOO_LARGE:
        produce_hint_final(job, "a record may have 1 MiB");
        break;
    case KAFKA_ERROR_INVALID_TOPIC:
        produce_hint_final(job, "a topic's name is 1 to 249 of A-Z a-z 0-9 . _ -");
        break;
    case KAFKA_ERROR_INVALID_RECORD:
        produce_hint_final(job, "this topic is compacted: give each record a key");
        break;
    case KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED:
        answer_hint(job->call->exchange,
                    "the workshop's policy allows only topics that begin with \"%s.\": use "
                    "%s.pin, %s.geo or %s.user",
                    user, user, user, user);
        break;
    case KAFKA_ERROR_NONE:
    case KAFKA_ERROR_STORAGE:
    case KAFKA_ERROR_SASL_AUTHENTICATION_FAILED:
        break;
    }
}

/* The first record that was sent in vain; NULL: none was, or one was refused before it. */
static const struct broker_result *produce_job_first_failure(const struct produce_job *job)
{
    if (PP_UNLIKELY(job->more_ops != NULL)) {
        return job->more_ops->first_failure(job);
    }
    const struct broker_result *results = produce_job_results(job);
    size_t end = job->refusal_count > 0 ? produce_job_refusals(job)[0].record : job->end;
    for (size_t i = 0; i < job->end && i < end; i++) {
        if (PP_UNLIKELY(results[i].error != KAFKA_ERROR_NONE)) {
            return &results[i];
        }
    }
    return NULL;
}

void produce_job_hint(const struct produce_job *job)
{
    const struct broker_result *failure = produce_job_first_failure(job);
    if (failure != NULL) {
        produce_hint_failed(job, failure->error);
    } else if (job->refusal_count == 0) {
        kafka_rest_hint_topic_policy(job->call, job->topic);
    }
}

/* --- sending --- */

static enum handled produce_job_encode(struct produce_job *job)
{
    job->encode(job, job->call->exchange);
    produce_job_recycle(job);
    return HANDLED;
}

static enum handled produce_job_encode_step(struct kafka_rest_call *call)
{
    struct produce_job *job = call->state;
    call->state = NULL;
    return produce_job_encode(job);
}

static void produce_job_abandon(struct kafka_rest_call *call)
{
    produce_job_recycle(call->state);
}

enum handled produce_job_finish(struct produce_job *job)
{
    const struct broker_result *failure = produce_job_first_failure(job);
    if (PP_LIKELY(failure == NULL) || failure->error != KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION ||
        job->partition_count > 0) {
        return produce_job_encode(job);
    }
    struct kafka_rest_call *call = job->call;
    call->state = job;
    call->abandon = produce_job_abandon;
    enum handled handled = kafka_rest_topic_ask(call, job->topic, produce_job_encode_step);
    if (handled == HANDLED && call->state != NULL) {
        produce_job_recycle(job); /* there was no memory to ask with */
    }
    return handled;
}

/* --- turns that end before the job --- */

static void produce_job_back(void *owner, const void *payload)
{
    struct produce_job *job = owner;
    (void)payload;
    job->taken_back = true;
}

static const struct undo_ops job_undo = {.back = produce_job_back};

/* Records have been sent in this turn and the answer will not be given in it. Without memory for a
 * note the job counts as taken back, which promises less than is kept. */
void produce_job_note_sent(struct produce_job *job)
{
    struct undo_log *undo = job->rest->options.undo;
    if (job->noted_epoch == undo_epoch(undo)) {
        return;
    }
    if (undo_reserve(undo, 1) != STATUS_OK) {
        job->taken_back = true;
        return;
    }
    undo_push(undo, &job_undo, job, NULL, 0);
    job->noted_epoch = undo_epoch(undo);
}

enum handled produce_job_fail_taken_back(struct produce_job *job)
{
    struct exchange *exchange = job->call->exchange;
    produce_job_recycle(job);
    exchange_fail(exchange, EXCHANGE_COMMIT_FAILED);
    exchange->reply.hint = NULL;
    answer_hint(exchange, "a commit failed while this request waited: some of the records may be "
                          "stored, sending them again may double those");
    return HANDLED;
}

static enum handled produce_job_continue(struct produce_job *job);
static void produce_job_step(struct produce_job *job);

static void produce_job_orphan_done(struct produce_job *job)
{
    struct produce_job **link = &job->rest->produces->orphans;
    while (*link != job) {
        link = &(*link)->next_orphan;
    }
    *link = job->next_orphan;
    produce_job_free(job);
}

static void produce_job_broker_done(struct broker_request *request)
{
    struct produce_job *job = request->ctx;
    job->at_broker = false;
    if (job->call == NULL) {
        produce_job_orphan_done(job); /* nobody waits for the answer any more */
        return;
    }
    produce_job_step(job);
    struct exchange *exchange = job->call->exchange;
    if (produce_job_continue(job) == HANDLED) {
        exchange_answer(exchange);
    }
}

static void produce_job_deadline(struct exchange *exchange, void *state)
{
    struct produce_job *job = state;
    job->waited = true;
    if ((job->taken_back ? produce_job_fail_taken_back(job) : produce_job_continue(job)) ==
        HANDLED) {
        exchange_answer(exchange);
    }
}

/* The broker keeps the records of a client that leaves. */
static void produce_job_cancel(struct exchange *exchange, void *state)
{
    struct produce_job *job = state;
    (void)exchange;
    if (job->at_broker) {
        produce_job_let_go_of_more(job);
        job->call = NULL;
        job->next_orphan = job->rest->produces->orphans;
        job->rest->produces->orphans = job;
        return;
    }
    produce_job_recycle(job);
}

static const struct park_ops job_park_ops = {produce_job_deadline, produce_job_cancel};

/* Steps over the refused records at `next`; how many from there on go to the broker together: all
 * up to a refused one; one at a time when each missing topic costs its own wait. 0: no more. */
static size_t produce_job_run_length(struct produce_job *job)
{
    const struct produce_refusal *refusals = produce_job_refusals(job);
    size_t end = job->end;
    for (; job->next_refusal < job->refusal_count; job->next_refusal++) {
        size_t record = refusals[job->next_refusal].record;
        if (record > job->next) {
            end = record < end ? record : end;
            break;
        }
        job->next = record + 1;
    }
    if (job->next >= end) {
        return 0;
    }
    return job->rest->options.missing_topic_delay_ms > 0 ? 1 : end - job->next;
}

/* The real producer blocks max.block.ms for metadata that never comes, record after record. */
static bool produce_job_must_wait(const struct produce_job *job)
{
    return job->rest->options.missing_topic_delay_ms > 0 && !job->waited &&
           produce_job_results(job)[job->next].error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION;
}

static void produce_job_park(struct produce_job *job, int64_t deadline_us)
{
    if (job->next > 0) {
        produce_job_note_sent(job);
    }
    exchange_park(job->call->exchange, deadline_us, &job_park_ops, job);
}

/* All that was to be sent has its results. */
static enum handled produce_job_over(struct produce_job *job)
{
    if (PP_UNLIKELY(job->taken_back)) {
        return produce_job_fail_taken_back(job);
    }
    return PP_UNLIKELY(job->more_ops != NULL) ? job->more_ops->run_over(job)
                                              : produce_job_finish(job);
}

/* The run has its results. */
static void produce_job_step(struct produce_job *job)
{
    job->partition_count = produce_job_results(job)[job->next].partition_count;
    job->next += job->produce.count;
}

static enum handled produce_job_continue(struct produce_job *job)
{
    struct kafka_rest_options *options = &job->rest->options;
    size_t count;
    while ((count = produce_job_run_length(job)) > 0) {
        job->produce = (struct broker_produce){
            .base = {.arena = &job->run_texts, .done = produce_job_broker_done, .ctx = job},
            .topic = job->topic,
            .records = produce_request_records(&job->request) + job->next,
            .results = produce_job_results(job) + job->next,
            .count = count,
        };
        if (options->broker->ops->produce(options->broker, &job->produce) == BROKER_LATER) {
            job->at_broker = true;
            produce_job_park(job, INT64_MAX);
            return PARKED;
        }
        if (produce_job_must_wait(job)) {
            produce_job_park(job, options->env->monotonic_us(options->env) +
                                      options->missing_topic_delay_ms * 1000);
            return PARKED;
        }
        job->waited = false;
        produce_job_step(job);
    }
    return produce_job_over(job);
}

/* Nothing is sent to a topic that the policy refuses: not even whether it is there is told. */
static void produce_job_refuse_topic(struct produce_job *job)
{
    struct broker_result *results = produce_job_results(job);
    for (size_t i = 0; i < job->end; i++) {
        results[i] = (struct broker_result){.partition = -1,
                                            .offset = -1,
                                            .timestamp_ms = -1,
                                            .error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED};
    }
}

enum handled produce_job_run(struct produce_job *job)
{
    const struct topic_policy *policy = job->rest->options.policy;
    if (PP_UNLIKELY(topic_policy_topic(policy, job->topic) == TOPIC_REFUSED)) {
        produce_job_refuse_topic(job);
        return produce_job_over(job);
    }
    return produce_job_continue(job);
}
