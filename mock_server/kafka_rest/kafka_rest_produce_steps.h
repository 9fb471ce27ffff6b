/* A v2 produce that is too large for one turn: a step at a time it is checked, then its records are
 * sent, each step's in a turn of its own, while other clients have theirs; then it is answered.
 * What an earlier step has sent stays when the client leaves or a later one fails. */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_STEPS_H
#define PINPIPE_KAFKA_REST_PRODUCE_STEPS_H

#include "kafka_rest_produce.h"

/* The body of the job's call stays where it is until the exchange is over. While others hold too
 * much memory the answer is 503, and nothing is produced. */
enum handled produce_steps_begin(struct produce_job *job, int32_t url_partition, int arg_index);

/* The URL's partition for records without their own; stops before the first negative one. */
void produce_choose_partitions(struct produce_job *job, int32_t url_partition);
/* The answer for such a record, in place of all receipts. */
void produce_refuse_negative(struct exchange *exchange);

/* kafka_rest's service.release: an answer that left in pieces is over. */
void produce_steps_release_state(struct exchange *exchange);

#endif
