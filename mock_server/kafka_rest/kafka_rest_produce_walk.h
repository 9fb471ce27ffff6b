/* A large v2 body, read in steps, twice: first all of it is checked and nothing kept, because the
 * real proxy parses a whole body before it produces from it; then the records are decoded some at a
 * time. A step ends after so much work, whatever the clock says. What is refused, and with which
 * words, is as when it is decoded at once (kafka_rest_produce_codec.h). */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_WALK_H
#define PINPIPE_KAFKA_REST_PRODUCE_WALK_H

#include "kafka_rest_produce_codec.h"

enum {
    /* Of checking: so many bytes of text, where each record or other field counts as 64 more. */
    PRODUCE_WALK_CHECK_WORK = 256 * 1024,
    PRODUCE_WALK_ITEM_WORK = 64,
    /* Of decoding: so many records, or as many as reach so many bytes of text. */
    PRODUCE_WALK_RECORDS = 1000,
    PRODUCE_WALK_BYTES = 512 * 1024,
    /* Strings with escapes, of one step. */
    PRODUCE_WALK_TEXTS_BYTES_MAX = 64 * 1024 * 1024,
};

enum produce_walked {
    WALK_MORE,    /* there is more to do in this pass */
    WALK_DONE,    /* of checking: the body is good; of taking: these are the last records */
    WALK_REFUSED, /* the answer is written */
};

/* Between two parts of a body; the members are private but for `count`. */
struct produce_walk {
    size_t count; /* of the records, once the body is checked */
    size_t taken;
    struct kafka_rest_decoder decoder;
    struct span body;
    enum { AT_BODY, AT_FIELD, AT_RECORD, AT_END } at;
    bool hides; /* the cursor does not see the body's end */
    int arg_index;
    struct kafka_rest_parts fields;
    struct kafka_rest_parts records;
    bool unknown_kept;
    size_t null_record;
    bool has_unsound; /* a record that is not base64, and where the first begins */
    size_t unsound_at;
    size_t records_at; /* where the list's first record is looked for */
    struct arena texts;
};

/* Reads exchange->request.body, which must stay until the walk is released. */
void produce_walk_init(struct produce_walk *walk, struct exchange *exchange, int arg_index);
void produce_walk_release(struct produce_walk *walk);
/* `request` is scratch of the body's format. */
enum produce_walked produce_walk_check(struct produce_walk *walk, struct produce_request *request);
/* Behind the check: the next records. REFUSED: there was no memory for them. */
enum produce_walked produce_walk_take(struct produce_walk *walk, struct produce_request *request);

#endif
