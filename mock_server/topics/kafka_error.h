/* What Kafka says of records that it does not take: its error codes, as they stand in its protocol,
 * so that a face of that protocol sends them as they are. A code that a broker has never given
 * before is added here. */
#ifndef PINPIPE_KAFKA_ERROR_H
#define PINPIPE_KAFKA_ERROR_H

#include <stdbool.h>

enum kafka_error {
    KAFKA_ERROR_NONE = 0,
    KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION = 3,
    KAFKA_ERROR_MESSAGE_TOO_LARGE = 10,
    KAFKA_ERROR_INVALID_TOPIC = 17,
    KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED = 29,
    KAFKA_ERROR_STORAGE = 56,
    KAFKA_ERROR_SASL_AUTHENTICATION_FAILED = 58, /* of a cluster; the embedded broker asks nobody */
    KAFKA_ERROR_INVALID_RECORD = 87,
};

/* The words of Kafka's own table of errors (org.apache.kafka.common.protocol.Errors). */
const char *kafka_error_words(enum kafka_error error);
/* May the same request succeed later (Kafka's RetriableException)? */
bool kafka_error_is_retriable(enum kafka_error error);

#endif
