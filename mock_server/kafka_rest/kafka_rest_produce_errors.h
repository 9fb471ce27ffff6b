/* What the proxy makes of Kafka's errors in a produce: its own codes, and the words of the Java
 * producer that the real proxy embeds (specs/kafka-rest-v2.md section 2.2). */
#ifndef PINPIPE_KAFKA_REST_PRODUCE_ERRORS_H
#define PINPIPE_KAFKA_REST_PRODUCE_ERRORS_H

#include "broker.h"
#include "buf.h"

enum {
    PRODUCE_CODE_NOT_AUTHENTICATED = 40101,
    PRODUCE_CODE_NOT_AUTHORIZED = 40301,
    PRODUCE_CODE_KAFKA = 50002,
    PRODUCE_CODE_KAFKA_RETRIABLE = 50003,
};

/* A produce that has been through: what a receipt is made of. */
struct produce_outcome {
    struct span topic;
    const struct broker_record *records;
    const struct broker_result *results; /* one a record */
    size_t count;
};

/* The proxy's code for an error that is not NONE. */
int produce_error_code(enum kafka_error error);
/* Why that record was not kept. The text is static or in `scratch`, which is emptied before. */
struct span produce_error_words(const struct produce_outcome *outcome, size_t record,
                                struct buf *scratch);
/* Room for the longest of them: each quotes the topic at most. */
enum { PRODUCE_WORDS_BYTES_MAX = 64 * 1024 };

#endif
