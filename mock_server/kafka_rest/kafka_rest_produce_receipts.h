/* The receipts of a large produce, a few bytes each while its records are sent, and as JSON on
 * their way out. */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_RECEIPTS_H
#define PINPIPE_KAFKA_REST_PRODUCE_RECEIPTS_H

#include "kafka_rest_produce_codec.h"

/* One record takes so much, in nearly every case. */
enum { PRODUCE_RECEIPT_BYTES = 4 };

struct produce_receipts {
    size_t count;
    uint64_t body_bytes; /* of the answer */
    int first_code;      /* of the first failure, 0: there is none */
    int security_code;   /* the first that changes the answer's status, 0: none does */
    struct broker_result first_failure;

    /* Private. */
    struct span topic;   /* in the owner's memory */
    size_t record_count; /* of the whole request */
    struct buf kept;
    struct buf text;  /* the part of the answer in hand, and how much of it has left */
    struct buf words; /* scratch */
    size_t text_left;
    int64_t offset; /* of the record before */
    size_t read_at; /* in `kept` */
    size_t read_count;
};

/* An answer about `record_count` records; the topic's name must stay. */
void produce_receipts_init(struct produce_receipts *receipts, struct span topic,
                           size_t record_count);
void produce_receipts_release(struct produce_receipts *receipts);
/* The first `count` of the outcome. Without memory the receipts latch (produce_receipts_ok). */
void produce_receipts_add(struct produce_receipts *receipts, const struct produce_outcome *outcome,
                          size_t count);
bool produce_receipts_ok(const struct produce_receipts *receipts);
/* All are there: what they are is written from the beginning. */
void produce_receipts_rewind(struct produce_receipts *receipts);
/* Appends the next bytes of the answer's body, up to `max`; false without memory. */
bool produce_receipts_write(struct produce_receipts *receipts, struct buf *out, size_t max);
/* Of memory. */
size_t produce_receipts_bytes(const struct produce_receipts *receipts);

#endif
