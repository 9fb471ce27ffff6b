/* A produce under way, v2's or v3's: records go to the broker in order, what became of each comes
 * back, then the owner encodes the answer. With the embedded broker all of that happens within one
 * call and in reused memory; a broker that answers later, or the imitated wait for a topic that is
 * not there, parks the request meanwhile. */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_H
#define PINPIPE_KAFKA_REST_PRODUCE_H

#include "kafka_rest_produce_codec.h"

/* A record that was refused before anything was sent. */
struct produce_refusal {
    size_t record;
    int code;
    const char *answer; /* what stands in the place of its receipt, in the job's texts */
};

struct produce_job;

/* A produce whose records come some at a time; all NULL in no job. */
struct produce_more_ops {
    /* The records that were sent have their results, or their topic is refused. */
    enum handled (*run_over)(struct produce_job *job);
    /* Lets go of job->more, perhaps before the records that are with the broker are done. */
    void (*let_go)(struct produce_job *job);
    /* The first result that is a failure; NULL: none is. */
    const struct broker_result *(*first_failure)(const struct produce_job *job);
};

struct produce_job {
    struct produce_request request;
    struct buf results; /* struct broker_result, one a record */
    struct arena texts;
    struct arena run_texts; /* the broker's */
    struct broker_produce produce;
    struct kafka_rest *rest;
    struct kafka_rest_call *call;    /* NULL: the client has left while the broker was at work */
    struct produce_job *next_orphan; /* of those whose clients have left */
    struct span topic;               /* in texts */
    struct buf refusals;             /* struct produce_refusal, in record order */
    size_t refusal_count;
    size_t next_refusal;     /* the first that is not before `next` */
    size_t next;             /* record to be sent */
    size_t end;              /* records from here on are not sent */
    bool waited;             /* the record at `next` has had its imitated wait */
    int32_t partition_count; /* of the topic, as the broker saw it last; 0: it is not there */
    /* A request that waits outlives its turns. One of them failed, and records of the job were in
     * it: a receipt would name what was not kept. */
    bool taken_back;
    uint64_t noted_epoch; /* in which that was noted with the undo log */
    bool at_broker;       /* done() will come */
    void (*encode)(struct produce_job *job, struct exchange *exchange);
    struct buf extra;                        /* the owner's own facts, one a record */
    const struct produce_more_ops *more_ops; /* NULL: all records are in `request` */
    void *more;
    struct produce_job *next_in_line;
};

/* The jobs of a proxy that no handler and no exchange has in hand. */
struct kafka_rest_produces {
    struct produce_job *scratch; /* of the produce in hand, reused; NULL: it is in use */
    struct produce_job *orphans; /* with the broker, their clients have left */
    /* Jobs that wait for their next step (kafka_rest_produce_steps.c), one a firing. */
    struct produce_job *line_first;
    struct produce_job *line_last;
    struct timer_heap *timers; /* with a slot for `line_timer` */
    struct timer line_timer;
};

enum status kafka_rest_produces_new(const struct kafka_rest_options *options,
                                    struct kafka_rest_produces **out,
                                    struct error *err) PP_MUST_USE;
/* Lets go of what the broker still has. */
void kafka_rest_produces_free(struct kafka_rest_produces *produces, struct broker *broker);

/* The proxy's scratch job, emptied; NULL when memory is out. */
struct produce_job *produce_job_take(struct kafka_rest_call *call, struct span topic);
/* For a request that is refused before anything was sent. */
void produce_job_return(struct produce_job *job);
struct produce_outcome produce_job_outcome(const struct produce_job *job);
/* The record that was decoded last is not sent; `answer` is copied. Without memory the job's
 * refusals latch (buf_ok), which the owner looks at once, at its end. */
void produce_job_refuse(struct produce_job *job, int code, struct span answer);
const struct produce_refusal *produce_job_refusals(const struct produce_job *job);
/* A result for each record of job->request; false without memory. */
bool produce_job_prepare(struct produce_job *job);
/* Sends the records; calls job->encode when all results are there, at once or later. */
enum handled produce_job_run(struct produce_job *job);
/* The parts of that, for a job whose records come some at a time: the answer is given in another
 * turn than this one, in which records have been sent; all have been, calls job->encode; a turn of
 * them failed, answers so. */
void produce_job_note_sent(struct produce_job *job);
enum handled produce_job_finish(struct produce_job *job);
enum handled produce_job_fail_taken_back(struct produce_job *job);
/* Hints at the fix for the first record that failed. */
void produce_job_hint(const struct produce_job *job);

#endif
