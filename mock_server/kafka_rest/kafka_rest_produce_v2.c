/* POST /topics/{t} and /topics/{t}/partitions/{p}: decode everything, send in order, answer with a
 * receipt a record. Failures of single records stand inside a 200
 * (specs/kafka-rest-v2.md sections 1.2 and 2.2). A large body goes in steps. */
#include "kafka_rest_handlers.h"
#include "kafka_rest_produce_steps.h"

static void produce_encode_v2(struct produce_job *job, struct exchange *exchange)
{
    if (job->end < job->request.count) {
        produce_refuse_negative(exchange);
        return;
    }
    const struct produce_outcome outcome = produce_job_outcome(job);
    produce_job_hint(job);
    produce_receipts_encode(&outcome, exchange);
}

static enum handled produce_v2(struct kafka_rest_call *call, int32_t url_partition, int arg_index)
{
    struct exchange *exchange = call->exchange;
    struct produce_job *job = produce_job_take(call, call->match.captures[0]);
    if (job == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    if (exchange->request.body.len > PRODUCE_AT_ONCE_BYTES_MAX) {
        return produce_steps_begin(job, url_partition, arg_index);
    }
    if (!produce_request_decode(&job->request, exchange, call->media.in, arg_index)) {
        if (job->request.is_large) {
            return produce_steps_begin(job, url_partition, arg_index);
        }
        produce_job_return(job);
        return HANDLED;
    }
    if (!produce_job_prepare(job)) {
        produce_job_return(job);
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    produce_choose_partitions(job, url_partition);
    job->encode = produce_encode_v2;
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
