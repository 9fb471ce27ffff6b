#include "kafka_error.h"

const char *kafka_error_words(enum kafka_error error)
{
    switch (error) {
    case KAFKA_ERROR_NONE:
        return "";
    case KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION:
        return "This server does not host this topic-partition.";
    case KAFKA_ERROR_MESSAGE_TOO_LARGE:
        return "The request included a message larger than the max message size the server will "
               "accept.";
    case KAFKA_ERROR_INVALID_TOPIC:
        return "The request attempted to perform an operation on an invalid topic.";
    case KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED:
        return "Topic authorization failed.";
    case KAFKA_ERROR_STORAGE:
        return "Disk error when trying to access log file on the disk.";
    case KAFKA_ERROR_SASL_AUTHENTICATION_FAILED:
        return "SASL Authentication failed.";
    case KAFKA_ERROR_INVALID_RECORD:
        return "This record has failed the validation on broker and hence will be rejected.";
    }
    return "The server experienced an unexpected error when processing the request.";
}

bool kafka_error_is_retriable(enum kafka_error error)
{
    return error == KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION || error == KAFKA_ERROR_STORAGE;
}
