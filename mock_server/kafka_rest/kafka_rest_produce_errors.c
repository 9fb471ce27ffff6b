#include "kafka_rest_produce_errors.h"

enum {
    max_block_ms = 60000,         /* how long the producer waits for a topic's metadata */
    delivery_timeout_ms = 120000, /* how long a batch may wait for the broker */
};

int produce_error_code(enum kafka_error error)
{
    if (error == KAFKA_ERROR_SASL_AUTHENTICATION_FAILED) {
        return PRODUCE_CODE_NOT_AUTHENTICATED;
    }
    if (error == KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED) {
        return PRODUCE_CODE_NOT_AUTHORIZED;
    }
    return kafka_error_is_retriable(error) ? PRODUCE_CODE_KAFKA_RETRIABLE : PRODUCE_CODE_KAFKA;
}

/* The producer asks for metadata before it sends: what a broker calls an unknown topic or partition
 * is a wait in vain there. */
static void error_words_not_there(struct span topic, const struct broker_result *result,
                                  struct buf *out)
{
    if (result->partition_count == 0) {
        buf_printf(out, "Topic %.*s not present in metadata after %d ms.", SPAN_ARG(topic),
                   max_block_ms);
    } else {
        buf_printf(out,
                   "Partition %d of topic %.*s with partition count %d is not present in metadata "
                   "after %d ms.",
                   (int)result->partition, SPAN_ARG(topic), (int)result->partition_count,
                   max_block_ms);
    }
}

/* A record over max.request.size never leaves the producer; what is said of others is the broker's.
 */
static void error_words_too_large(const struct broker_record *record, struct buf *out)
{
    size_t bytes = broker_record_bytes(record);
    if (bytes > BROKER_RECORD_BYTES_MAX) {
        buf_printf(out,
                   "The message is %zu bytes when serialized which is larger than %d, which is the "
                   "value of the max.request.size configuration.",
                   bytes, BROKER_RECORD_BYTES_MAX);
    }
}

/* Nothing is appended where the producer has no words of its own. */
static void error_words_append(const struct produce_outcome *outcome, size_t record,
                               struct buf *out)
{
    const struct broker_result *result = &outcome->results[record];
    switch (result->error) {
    case KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION:
        error_words_not_there(outcome->topic, result, out);
        break;
    case KAFKA_ERROR_MESSAGE_TOO_LARGE:
        error_words_too_large(&outcome->records[record], out);
        break;
    case KAFKA_ERROR_INVALID_TOPIC:
        buf_printf(out, "Invalid topics: [%.*s]", SPAN_ARG(outcome->topic));
        break;
    case KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED:
        buf_printf(out, "Not authorized to access topics: [%.*s]", SPAN_ARG(outcome->topic));
        break;
    case KAFKA_ERROR_STORAGE:
        buf_printf(out, "Expiring %zu record(s) for %.*s: %d ms has passed since batch creation",
                   outcome->count, SPAN_ARG(outcome->topic), delivery_timeout_ms);
        break;
    case KAFKA_ERROR_INVALID_RECORD:
        BUF_APPEND_LIT(out, "This message has failed its CRC checksum, exceeds the valid size, has "
                            "a null key for a compacted topic, or is otherwise corrupt.");
        break;
    case KAFKA_ERROR_NONE:
    case KAFKA_ERROR_SASL_AUTHENTICATION_FAILED:
        break;
    }
}

struct span produce_error_words(const struct produce_outcome *outcome, size_t record,
                                struct buf *scratch)
{
    buf_reset(scratch);
    error_words_append(outcome, record, scratch);
    return scratch->len > 0 && buf_ok(scratch)
               ? buf_span(scratch)
               : span_from_cstr(kafka_error_words(outcome->results[record].error));
}
