/* The bytes of a v2 produce: {"records":[{"key":..,"value":..,"partition":..}]} to broker records
 * and their receipts back to JSON (specs/kafka-rest-v2.md section 1.2). */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_CODEC_H
#define PINPIPE_KAFKA_REST_PRODUCE_CODEC_H

#include "arena.h"
#include "kafka_rest_decode.h"
#include "kafka_rest_internal.h"
#include "kafka_rest_produce_errors.h"

enum {
    /* So many receipts fit an answer. DIFFERS: a produce of more than a million records is 413
     * before any is stored; the real proxy tries until its memory is gone. */
    PRODUCE_RECORDS_MAX = 1000000,
    /* A request of more than this takes turns with the others' (kafka_rest_produce_steps.h). */
    PRODUCE_AT_ONCE_RECORDS_MAX = 2000,
    PRODUCE_AT_ONCE_BYTES_MAX = 1024 * 1024,
    /* DIFFERS: in a body of more than 1 MiB a record's own text may have 6 MiB, which is what a
     * record of 1 MiB takes when each of its characters is an escape, and its JSON key or value
     * 4 MiB re-encoded, else the request is 413 before any record is stored; the real proxy reads
     * it all and then refuses that record, because it may have 1 MiB. */
    PRODUCE_RECORD_TEXT_BYTES_MAX = 6 * 1024 * 1024,
    /* DIFFERS: a JSON key or value of more than 1 MiB, re-encoded, which no record may have, is
     * only counted for the message that refuses it (v3: up to 4 MiB): keys that come twice count
     * each time. */
    PRODUCE_REENCODED_BYTES_MAX = 1024 * 1024,
    PRODUCE_COUNTED_BYTES_MAX = 4 * 1024 * 1024,
    /* Memory of the scratch that a quiet proxy keeps between two requests. */
    PRODUCE_SCRATCH_KEEP_BYTES = 1024 * 1024,
};

/* Decoded records. The keys and values point into `bytes`, which no longer changes. */
struct produce_request {
    struct buf bytes;
    struct buf records; /* struct broker_record, `count` of them */
    size_t count;
    bool has_schema;      /* key_schema, value_schema or an id of one was given */
    size_t long_decimals; /* of JSON that is encoded value by value */
    bool is_large;        /* it was not decoded: there are more records than can be at once */

    /* Private to the decoder. */
    enum kafka_rest_media format;
    size_t null_record;     /* 1 + index of the first null among the records; 0: none */
    bool only_checked;      /* JSON is read but not kept */
    bool is_too_long;       /* a key or value that was checked: over PRODUCE_COUNTED_BYTES_MAX */
    struct buf long_values; /* over PRODUCE_REENCODED_BYTES_MAX, that were checked */
    size_t long_values_passed;
};

void produce_request_init(struct produce_request *request);
/* Keeps the memory up to PRODUCE_SCRATCH_KEEP_BYTES. */
void produce_request_reset(struct produce_request *request);
void produce_request_release(struct produce_request *request);

const struct broker_record *produce_request_records(const struct produce_request *request);

/* Reads exchange->request.body as the records of that embedded format. Everything is decoded and
 * checked before it returns; false: the answer is written, or the request is_large. arg_index is
 * the place of the body among the Java method's parameters, which its validation messages name: 2
 * for topics, 3 for partitions. */
bool produce_request_decode(struct produce_request *request, struct exchange *exchange,
                            enum kafka_rest_media format, int arg_index);

/* --- the parts of that, for a body that is read in steps (kafka_rest_produce_walk.h) --- */

#define PRODUCE_RECORD_LIST_TYPE                                                                   \
    "java.util.ArrayList<io.confluent.kafkarest.entities.v2.ProduceRequest$ProduceRecord>"
extern const struct kafka_rest_class produce_request_class;
/* Is it "records", the list? Every other field has its own decode. */
bool produce_field_is_records(const struct kafka_rest_field *field);
/* Forgets the records, and nothing else. */
void produce_request_clear(struct produce_request *request);
/* The record under the cursor joins the others. */
bool produce_record_decode(struct kafka_rest_decoder *decoder, struct produce_request *request);
/* A record's key and value, when they are not JSON: from base64 to their bytes. */
bool produce_record_encode(struct produce_request *request, struct exchange *exchange,
                           size_t record);
/* The same, telling nobody. */
bool produce_record_is_sound(struct produce_request *request, struct arena *arena, size_t record);
/* A body whose every part is well-formed may still be wrong: false, and the answer says why. */
bool produce_request_check(struct produce_request *request, struct exchange *exchange,
                           int arg_index);
/* "produceJson.arg2 must not be null": there is no body. */
void produce_refuse_absent(const struct produce_request *request, struct exchange *exchange,
                           int arg_index);

/* While a request is built, a key's or value's ptr is its offset in `bytes`; this makes pointers.
 */
struct span produce_offset_span(size_t start, size_t len);
void produce_request_settle(struct produce_request *request);

/* Answers 413: more than `max`. */
void produce_too_many_records(struct exchange *exchange, size_t max);

/* A key or value on its way from JSON source text to a record's bytes. */
struct produce_value {
    enum kafka_rest_media format; /* MEDIA_JSON or MEDIA_BINARY */
    struct span raw;
    size_t *long_decimals; /* goes on counting; NULL: they are the first */
    bool present;          /* out: false for null */
    const char *why;       /* out: the 400's message, in the arena */
};
/* Appends the bytes; false when BINARY is asked of something else than base64. */
bool produce_value_encode(struct produce_value *value, struct buf *bytes, struct arena *arena);

/* Before and behind the receipts of an answer, which have commas between them. */
#define PRODUCE_RECEIPTS_HEAD "{\"offsets\":["
#define PRODUCE_RECEIPTS_TAIL "],\"key_schema_id\":null,\"value_schema_id\":null}"
/* Appends one receipt and returns the record's error code, 0: it is kept. `words` is scratch of
 * PRODUCE_WORDS_BYTES_MAX. */
int produce_receipt_append(const struct produce_outcome *outcome, size_t record, struct buf *body,
                           struct buf *words);
/* What a record's error code does to the answer. */
void produce_receipts_note_code(struct exchange *exchange, int code);
/* Status and body of the answer: 200, or 401/403 when a record was refused for that reason. */
void produce_receipts_encode(const struct produce_outcome *outcome, struct exchange *exchange);

#endif
