/* The settings of a sink: those of one S3 sink connector, parsed and checked. Whoever
 * checks configurations (connect) fills the struct in; the sink only reads it. */
#ifndef PINPIPE_SINK_CONFIG_H
#define PINPIPE_SINK_CONFIG_H

#include "span.h"

enum sink_partitioner {
    SINK_PARTITIONER_DEFAULT,
    SINK_PARTITIONER_FIELD,
    SINK_PARTITIONER_TIME, /* Daily and Hourly too, with their path and duration filled in */
};
enum sink_timestamp { SINK_TIMESTAMP_WALLCLOCK, SINK_TIMESTAMP_RECORD, SINK_TIMESTAMP_FIELD };
enum sink_format { SINK_FORMAT_JSON, SINK_FORMAT_BYTES };
enum sink_converter { SINK_CONVERTER_JSON, SINK_CONVERTER_STRING, SINK_CONVERTER_BYTES };
enum sink_on_null { SINK_NULL_FAIL, SINK_NULL_IGNORE, SINK_NULL_WRITE };

/* All texts are borrowed: they live as long as the configuration that they were parsed from. */
struct sink_config {
    struct span name;
    int tasks_max;
    struct span topics; /* comma-separated; empty: topics_regex */
    struct span topics_regex;
    struct span bucket;
    struct span topics_dir;
    struct span
        store_url; /* empty: none was given; the objects go to this server's S3 all the same */
    struct span directory_delim;
    struct span file_delim;
    int zero_pad;
    int64_t flush_size;
    int64_t rotate_interval_ms;          /* -1: off */
    int64_t rotate_schedule_interval_ms; /* -1: off */
    bool gzip;
    int gzip_level;           /* -1: default */
    int64_t part_bytes;       /* of the multipart upload that an ETag is the hash of */
    int64_t retry_backoff_ms; /* after an upload that failed */
    enum sink_format format;
    struct span bytes_extension; /* ".bin" */
    struct span bytes_separator; /* "\n" */
    enum sink_converter value_converter;
    bool value_schemas_enable;
    enum sink_converter key_converter;
    bool key_schemas_enable;
    enum sink_partitioner partitioner;
    struct span partition_fields; /* comma-separated */
    struct span path_format;
    int64_t partition_duration_ms;
    struct span timezone;
    struct span locale;
    enum sink_timestamp timestamp;
    struct span timestamp_field;
    enum sink_on_null on_null;
    struct span tombstone_partition; /* where SINK_NULL_WRITE puts their keys */
    bool store_keys;
    bool store_headers;
    bool key_order_input; /* sink.key_order=input: our own key, default hashmap */
    bool tolerate_all;
    struct span dlq_topic; /* empty: none */
    bool dlq_headers;
    bool log_errors;
    bool log_messages;
    /* Faults that throw only when connector or tasks start, as a trace begins:
     * "org.apache.kafka.common.config.ConfigException: ..."; empty: nothing does. */
    struct span connector_fault;
    struct span task_fault;
};

#endif
