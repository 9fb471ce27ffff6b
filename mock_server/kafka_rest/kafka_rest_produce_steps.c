/* Jobs that have a step to do stand in one line, and one of them does one step whenever the line's
 * timer fires: however many there are, a turn has one step. */
#include "kafka_rest_produce_steps.h"

#include "budget.h"
#include "kafka_rest_produce_receipts.h"
#include "kafka_rest_produce_walk.h"

#include <stdlib.h>

enum {
    /* An answer that is longer leaves in pieces. */
    steps_body_bytes_max = 256 * 1024,
    /* A filter (the gateway's) wants the whole body, and makes an error of one over 10 MiB. */
    steps_filtered_bytes_max = 12 * 1024 * 1024,
    /* A step's records take so much, decoded, in nearly every case. */
    steps_scratch_bytes = 1024 * 1024,
};

/* The part that outlives the job when the answer leaves in pieces: exchange->state. */
struct steps_answer {
    struct produce_receipts receipts;
    struct budget *budget;
    size_t charged;
};

struct produce_steps {
    struct produce_walk walk;
    struct steps_answer *answer; /* NULL: it has been handed over */
    int32_t url_partition;
    bool negative; /* a record that ends the produce has been met */
    enum {
        STEP_CHECK,  /* the body is being read for the first time */
        STEP_SEND,   /* records are being sent */
        STEP_ANSWER, /* all have been, and are committed by now */
    } next;
};

static struct produce_steps *steps_of(const struct produce_job *job)
{
    return job->more;
}

/* --- the line --- */

static void line_arm(struct kafka_rest *rest)
{
    struct kafka_rest_produces *produces = rest->produces;
    struct env *env = rest->options.env;
    if (produces->line_first != NULL && !timer_is_set(&produces->line_timer)) {
        enum status status =
            timer_set(produces->timers, &produces->line_timer, env->monotonic_us(env));
        PP_ASSERT(status == STATUS_OK); /* its slot is reserved */
    }
}

static void line_take_out(struct produce_job *job)
{
    struct kafka_rest_produces *produces = job->rest->produces;
    struct produce_job *before = NULL;
    for (struct produce_job *j = produces->line_first; j != job; j = j->next_in_line) {
        PP_ASSERT(j != NULL);
        before = j;
    }
    if (before != NULL) {
        before->next_in_line = job->next_in_line;
    } else {
        produces->line_first = job->next_in_line;
    }
    if (produces->line_last == job) {
        produces->line_last = before;
    }
}

static void steps_deadline(struct exchange *exchange, void *state)
{
    (void)exchange;
    (void)state;
    BUG("a produce in line has no deadline");
}

static void steps_cancel(struct exchange *exchange, void *state)
{
    struct produce_job *job = state;
    (void)exchange;
    line_take_out(job);
    produce_job_return(job);
}

static const struct park_ops steps_park_ops = {steps_deadline, steps_cancel};

static enum handled steps_go_on(struct produce_job *job);

static void line_fire(struct timer *timer)
{
    struct kafka_rest_produces *produces =
        PP_CONTAINER_OF(timer, struct kafka_rest_produces, line_timer);
    struct produce_job *job = produces->line_first;
    if (job == NULL) {
        return;
    }
    struct exchange *exchange = job->call->exchange;
    struct kafka_rest *rest = job->rest;
    line_take_out(job);
    if (steps_go_on(job) == HANDLED) {
        exchange_answer(exchange);
    }
    line_arm(rest);
}

static enum handled steps_wait(struct produce_job *job)
{
    struct kafka_rest_produces *produces = job->rest->produces;
    job->next_in_line = NULL;
    if (produces->line_last != NULL) {
        produces->line_last->next_in_line = job;
    } else {
        produces->line_first = job;
    }
    produces->line_last = job;
    produces->line_timer.fire = line_fire;
    line_arm(job->rest);
    exchange_park(job->call->exchange, INT64_MAX, &steps_park_ops, job);
    return PARKED;
}

/* --- life --- */

static void answer_free(struct steps_answer *answer)
{
    budget_note(answer->budget, BUDGET_REQUESTS, &answer->charged, 0);
    produce_receipts_release(&answer->receipts);
    free(answer);
}

void produce_steps_release_state(struct exchange *exchange)
{
    answer_free(exchange->state);
}

static void steps_free(struct produce_steps *steps)
{
    produce_walk_release(&steps->walk);
    if (steps->answer != NULL) {
        answer_free(steps->answer);
    }
    free(steps);
}

static void steps_let_go(struct produce_job *job)
{
    steps_free(steps_of(job));
}

/* --- the end --- */

static const struct broker_result *steps_first_failure(const struct produce_job *job)
{
    const struct produce_receipts *receipts = &steps_of(job)->answer->receipts;
    return receipts->first_code != 0 ? &receipts->first_failure : NULL;
}

static bool steps_stream(struct exchange *exchange, struct buf *out, size_t max)
{
    struct steps_answer *answer = exchange->state;
    return produce_receipts_write(&answer->receipts, out, max);
}

void produce_refuse_negative(struct exchange *exchange)
{
    answer_hint(exchange, "a negative partition stops the real producer with an exception; "
                          "the records before it are stored");
    kafka_rest_error_known(exchange, ERROR_INTERNAL);
}

/* The receipts leave in pieces, and without the job, whose text the topic is. */
static bool steps_hand_over(struct produce_steps *steps, struct exchange *exchange)
{
    struct produce_receipts *receipts = &steps->answer->receipts;
    const char *topic = arena_copy_cstr(&exchange->arena, receipts->topic);
    if (topic == NULL) {
        return false;
    }
    receipts->topic = span_from(topic, receipts->topic.len);
    exchange->state = steps->answer;
    steps->answer = NULL;
    exchange->reply.stream = steps_stream;
    exchange->reply.stream_bytes = receipts->body_bytes;
    return true;
}

static void steps_encode(struct produce_job *job, struct exchange *exchange)
{
    struct produce_steps *steps = steps_of(job);
    struct produce_receipts *receipts = &steps->answer->receipts;
    if (steps->negative) {
        produce_refuse_negative(exchange);
        return;
    }
    produce_job_hint(job);
    exchange->reply.status = 200;
    if (receipts->first_code != 0) {
        produce_receipts_note_code(exchange, receipts->first_code);
    }
    if (receipts->security_code != 0) {
        produce_receipts_note_code(exchange, receipts->security_code);
    }
    produce_receipts_rewind(receipts);
    bool whole = exchange->filter != NULL || receipts->body_bytes <= steps_body_bytes_max;
    if (!(whole ? produce_receipts_write(receipts, &exchange->reply.body, steps_filtered_bytes_max)
                : steps_hand_over(steps, exchange))) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
    }
}

static enum handled steps_fail(struct produce_job *job, enum exchange_failure failure)
{
    struct exchange *exchange = job->call->exchange;
    size_t sent = steps_of(job)->answer->receipts.count;
    produce_job_return(job);
    exchange_fail(exchange, failure);
    if (sent > 0) {
        exchange->reply.hint = NULL;
        answer_hint(exchange, "there was no memory for more: the first %zu records are stored",
                    sent);
    }
    return HANDLED;
}

/* --- the steps --- */

void produce_choose_partitions(struct produce_job *job, int32_t url_partition)
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

/* What the job holds is counted, also where it has become more than was reserved. */
static void steps_charge(struct produce_job *job)
{
    struct steps_answer *answer = steps_of(job)->answer;
    size_t bytes = produce_receipts_bytes(&answer->receipts) + job->request.bytes.cap +
                   job->request.records.cap + job->results.cap;
    if (bytes > answer->charged) {
        budget_note(answer->budget, BUDGET_REQUESTS, &answer->charged, bytes);
    }
}

static enum handled steps_run_over(struct produce_job *job)
{
    struct produce_steps *steps = steps_of(job);
    struct produce_receipts *receipts = &steps->answer->receipts;
    const struct produce_outcome outcome = produce_job_outcome(job);
    produce_receipts_add(receipts, &outcome, job->end);
    if (!produce_receipts_ok(receipts)) {
        return steps_fail(job, EXCHANGE_NO_MEMORY);
    }
    steps_charge(job);
    steps->negative = job->end < job->request.count;
    bool last = steps->negative || steps->walk.taken == steps->walk.count;
    /* The answer waits for the next turn, when these records have been committed. */
    steps->next = last ? STEP_ANSWER : STEP_SEND;
    produce_job_note_sent(job);
    return steps_wait(job);
}

static enum handled steps_send(struct produce_job *job)
{
    struct produce_steps *steps = steps_of(job);
    arena_reset(&job->run_texts);
    job->next = 0;
    job->waited = false;
    if (produce_walk_take(&steps->walk, &job->request) == WALK_REFUSED ||
        !produce_job_prepare(job)) {
        return steps_fail(job, EXCHANGE_NO_MEMORY);
    }
    produce_choose_partitions(job, steps->url_partition);
    return produce_job_run(job);
}

static enum handled steps_check(struct produce_job *job)
{
    struct produce_steps *steps = steps_of(job);
    struct steps_answer *answer = steps->answer;
    switch (produce_walk_check(&steps->walk, &job->request)) {
    case WALK_MORE:
        return steps_wait(job);
    case WALK_REFUSED:
        produce_job_return(job);
        return HANDLED;
    case WALK_DONE:
        break;
    }
    size_t bytes = steps->walk.count * PRODUCE_RECEIPT_BYTES + steps_scratch_bytes;
    if (!budget_take(answer->budget, BUDGET_REQUESTS, &answer->charged, bytes)) {
        return steps_fail(job, EXCHANGE_OVERLOADED);
    }
    produce_receipts_init(&answer->receipts, job->topic, steps->walk.count);
    steps->next = STEP_SEND;
    return steps_wait(job);
}

static enum handled steps_go_on(struct produce_job *job)
{
    if (job->taken_back) {
        return produce_job_fail_taken_back(job);
    }
    switch (steps_of(job)->next) {
    case STEP_CHECK:
        return steps_check(job);
    case STEP_SEND:
        return steps_send(job);
    case STEP_ANSWER:
        /* The records that it tells of are committed, whatever becomes of this turn. */
        job->call->exchange->outside_turn = true;
        return produce_job_finish(job);
    }
    BUG("a produce without a next step");
}

static const struct produce_more_ops steps_ops = {steps_run_over, steps_let_go,
                                                  steps_first_failure};

enum handled produce_steps_begin(struct produce_job *job, int32_t url_partition, int arg_index)
{
    struct exchange *exchange = job->call->exchange;
    struct produce_steps *steps = calloc(1, sizeof(*steps));
    struct steps_answer *answer = calloc(1, sizeof(*answer));
    if (steps == NULL || answer == NULL) {
        free(steps);
        free(answer);
        produce_job_return(job);
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    answer->budget = exchange_budget(exchange);
    steps->answer = answer;
    steps->url_partition = url_partition;
    produce_walk_init(&steps->walk, exchange, arg_index);
    produce_request_reset(&job->request);
    job->request.format = job->call->media.in;
    job->encode = steps_encode;
    job->more_ops = &steps_ops;
    job->more = steps;
    return steps_go_on(job);
}
