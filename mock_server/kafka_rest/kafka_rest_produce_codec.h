/* The bytes of a v2 produce: {"records":[{"key":..,"value":..,"partition":..}]} to broker records
 * and their receipts back to JSON (specs/kafka-rest-v2.md section 1.2). */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_CODEC_H
#define PINPIPE_KAFKA_REST_PRODUCE_CODEC_H

#include "arena.h"
#include "kafka_rest_internal.h"
#include "kafka_rest_produce_errors.h"

enum {
    /* So many receipts fit an answer. DIFFERS: a produce of more than a million records is 413
     * before any is stored; the real proxy tries until its memory is gone. */
    PRODUCE_RECORDS_MAX = 1000000,
    /* Memory of the scratch that a quiet proxy keeps between two requests. */
    PRODUCE_SCRATCH_KEEP_BYTES = 1024 * 1024,
};

/* Decoded records. The keys and values point into `bytes`, which no longer changes. */
struct produce_request {
    struct buf bytes;
    struct buf records; /* struct broker_record, `count` of them */
    size_t count;
    bool has_schema; /* key_schema, value_schema or an id of one was given */

    /* Private to the decoder. */
    enum kafka_rest_media format;
    size_t null_record; /* 1 + index of the first null among the records; 0: none */
};

void produce_request_init(struct produce_request *request);
/* Keeps the memory up to PRODUCE_SCRATCH_KEEP_BYTES. */
void produce_request_reset(struct produce_request *request);
void produce_request_release(struct produce_request *request);

const struct broker_record *produce_request_records(const struct produce_request *request);

/* Reads exchange->request.body as the records of that embedded format. Everything is decoded and
 * checked before it returns; false: the answer is written. arg_index is the place of the body among
 * the Java method's parameters, which its validation messages name: 2 for topics, 3 for partitions.
 */
bool produce_request_decode(struct produce_request *request, struct exchange *exchange,
                            enum kafka_rest_media format, int arg_index);

/* While a request is built, a key's or value's ptr is its offset in `bytes`; this makes pointers.
 */
struct span produce_offset_span(size_t start, size_t len);
void produce_request_settle(struct produce_request *request);

/* Answers 413. */
void produce_too_many_records(struct exchange *exchange);

/* A key or value on its way from JSON source text to a record's bytes. */
struct produce_value {
    enum kafka_rest_media format; /* MEDIA_JSON or MEDIA_BINARY */
    struct span raw;
    bool present;    /* out: false for null */
    const char *why; /* out: the 400's message, in the arena */
};
/* Appends the bytes; false when BINARY is asked of something else than base64. */
bool produce_value_encode(struct produce_value *value, struct buf *bytes, struct arena *arena);

/* Status and body of the answer: 200, or 401/403 when a record was refused for that reason. */
void produce_receipts_encode(const struct produce_outcome *outcome, struct exchange *exchange);

#endif
