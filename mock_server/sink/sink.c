#include "sink.h"

enum { texts_bytes_max = 64 * 1024, encoded_bytes_max = 4096 };

void sink_scratch_init(struct sink_scratch *scratch)
{
    sink_value_init(&scratch->value);
    sink_value_init(&scratch->key);
    buf_init(&scratch->encoded, encoded_bytes_max);
    buf_init(&scratch->line, SINK_LINE_BYTES_MAX);
    buf_init(&scratch->side, SINK_LINE_BYTES_MAX);
    buf_init(&scratch->object_key, SINK_KEY_BYTES_MAX);
    arena_init(&scratch->texts, texts_bytes_max);
}

void sink_scratch_release(struct sink_scratch *scratch)
{
    sink_value_release(&scratch->value);
    sink_value_release(&scratch->key);
    buf_release(&scratch->encoded);
    buf_release(&scratch->line);
    buf_release(&scratch->side);
    buf_release(&scratch->object_key);
    arena_release(&scratch->texts);
}

static struct sink_conversion conversion_of(const struct sink_config *config, bool key)
{
    return (struct sink_conversion){
        .converter = key ? config->key_converter : config->value_converter,
        .schemas_enable = key ? config->key_schemas_enable : config->value_schemas_enable,
        .order = config->key_order_input ? SINK_ORDER_INPUT : SINK_ORDER_HASHMAP,
    };
}

void sink_init(struct sink *sink, const struct sink_options *options)
{
    const struct sink_config *config = options->config;
    *sink = (struct sink){.options = *options};
    sink_files_init(&sink->files, options->store, options->crypto);
    sink->files.gzip = config->gzip;
    sink->files.gzip_level = config->gzip_level;
    sink->files.part_bytes = (uint64_t)config->part_bytes;
    sink->files.pool = options->pool;
    sink->value_how = conversion_of(config, false);
    sink->key_how = conversion_of(config, true);
    sink->scratch = options->scratch;
}

void sink_release(struct sink *sink)
{
    sink_path_release(&sink->path);
}

/* --- starting a task -------------------------------------------------------------------------- */

enum status sink_find_bucket(struct sink *sink, struct error *err)
{
    struct store_bucket bucket;
    arena_reset(&sink->scratch->texts);
    enum status status = store_bucket_find(sink->options.store, sink->options.config->bucket,
                                           &sink->scratch->texts, &bucket, err);
    sink->bucket_id = status == STATUS_OK ? bucket.id : 0;
    return status;
}

static bool start_dead_letters(struct sink *sink, struct sink_failure *failure)
{
    struct span topic = sink->options.config->dlq_topic;
    struct store_topic_spec spec = {.name = topic, .partition_count = 1};
    struct error err;
    if (topic.len == 0 || store_topic_find(sink->options.store, topic) != NULL ||
        store_topic_create(sink->options.store, &spec, &err) == STATUS_OK) {
        return true;
    }
    return sink_fail(failure, JAVA_CONNECT_EXCEPTION,
                     "Could not initialize dead letter queue with topic=%.*s", SPAN_ARG(topic));
}

/* The start-up check is S3's GET ?acl, which also says what it thinks of the name. */
static bool check_bucket(struct sink *sink, struct sink_failure *failure)
{
    static const char s3_exception[] = "com.amazonaws.services.s3.model.AmazonS3Exception";
    static const char words[] = "The specified bucket is not valid. (Service: Amazon S3; Status "
                                "Code: 400; Error Code: InvalidBucketName)";
    struct span bucket = sink->options.config->bucket;
    struct error err;
    if (!store_bucket_name_is_legal(bucket)) {
        if (span_find_byte(bucket, '#') < bucket.len) {
            LOG_WARNF(sink->options.log, "sink",
                      "connector %.*s: s3.bucket.name has a # in it: a comment behind a value is "
                      "part of the value, put it on a line of its own",
                      SPAN_ARG(sink->options.config->name));
        }
        sink_fail(failure, JAVA_CONNECT_EXCEPTION, "%s: %s", s3_exception, words);
        return sink_fail_cause(failure, s3_exception, "%s", words);
    }
    enum status status = sink_find_bucket(sink, &err);
    if (status == STATUS_NOT_FOUND) {
        return sink_fail(failure, JAVA_CONNECT_EXCEPTION, "Non-existent S3 bucket: %.*s",
                         SPAN_ARG(bucket));
    }
    return status == STATUS_OK || sink_fail(failure, JAVA_CONNECT_EXCEPTION,
                                            "com.amazonaws.SdkClientException: %s", err.message);
}

bool sink_start(struct sink *sink, struct sink_failure *failure)
{
    struct error err;
    if (crypto_ready(sink->options.crypto, &err) != STATUS_OK) {
        return sink_fail(failure, "java.security.NoSuchAlgorithmException", "%s", err.message);
    }
    if (!start_dead_letters(sink, failure) || !check_bucket(sink, failure)) {
        return false;
    }
    sink_path_release(&sink->path);
    return sink_path_init(&sink->path, sink->options.config, failure);
}
