/* The configuration of Kafka Connect 2.8.1 and of the S3 sink connector 10.5.13 as one table of
 * definitions: it drives validate, the 400 of an invalid configuration, and the parsed form that
 * the worker runs with (specs/s3-sink-connector.md 1, 3..5, 7, 8). */
#ifndef PINPIPE_CONNECT_CONFIG_H
#define PINPIPE_CONNECT_CONFIG_H

#include "arena.h"
#include "buf.h"
#include "error.h"

/* A flat configuration: unique keys, in the order given. */
struct connect_entry {
    struct span key;
    struct span value;
};
struct connect_entries {
    struct connect_entry *items;
    size_t count;
};
/* NULL when it is not there. */
const struct connect_entry *connect_entries_find(const struct connect_entries *entries,
                                                 const char *key);
enum { CONNECT_ENTRIES_MAX = 1000 };
/* From a JSON object (strings; numbers and booleans become their text as in Jackson; null stays
 * out; of a key given twice the last value has the first one's place) and back, in order. INVALID,
 * in Jackson's words. */
enum status connect_entries_parse(struct arena *arena, struct span json,
                                  struct connect_entries *out, struct error *err) PP_MUST_USE;
void connect_entries_write(const struct connect_entries *entries, struct buf *out);
/* Sets "name", at the end where there is none; for parsed entries, which keep room for it. */
void connect_entries_name(struct connect_entries *entries, struct span name);
/* The first value with what was meant as a comment in it ("1 # one record a file"); NULL: none. */
const struct connect_entry *connect_entries_comment(const struct connect_entries *entries);

enum sink_partitioner {
    SINK_PARTITIONER_DEFAULT,
    SINK_PARTITIONER_FIELD,
    SINK_PARTITIONER_TIME, /* Daily and Hourly too, with their path and duration filled in */
};
enum sink_timestamp { SINK_TIMESTAMP_WALLCLOCK, SINK_TIMESTAMP_RECORD, SINK_TIMESTAMP_FIELD };
enum sink_format { SINK_FORMAT_JSON, SINK_FORMAT_BYTES };
enum sink_converter { SINK_CONVERTER_JSON, SINK_CONVERTER_STRING, SINK_CONVERTER_BYTES };
enum sink_on_null { SINK_NULL_FAIL, SINK_NULL_IGNORE, SINK_NULL_WRITE };

/* All texts live in the arena of the parse. */
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
    /* What throws only when connector or tasks start, as a trace begins: "org.apache.kafka.common.
     * config.ConfigException: ..."; empty: nothing does. */
    struct span connector_fault;
    struct span task_fault;
};

/* The verdict on a configuration. */
struct connect_findings {
    const char **errors; /* in the order of the definitions, ready to print */
    size_t count;
    /* Not NULL: nothing was checked for an exception of this class; errors[0] is its message, and
     * this the status that POST /connectors gives it. */
    const char *exception;
    int exception_status;
};
/* "Connector configuration is invalid and contains the following 2 error(s):..." for findings that
 * are no exception. */
void connect_findings_write(const struct connect_findings *findings, struct buf *out);

/* The classes there are: "io.confluent.connect.s3.S3SinkConnector" and its aliases
 * (S3SinkConnector, S3Sink). Empty when the word names none. */
struct span connect_class_resolve(struct span word);

/* Checks and parses. `findings` lists every error (then *out is not to be used). NO_MEMORY only.
 *
 * A converter that is not set is the worker's: JsonConverter with schemas.enable=true for keys and
 * values, as connect-distributed.properties has it (and then the connector's own schemas.enable
 * counts for nothing). */
enum status connect_config_parse(struct arena *arena, const struct connect_entries *entries,
                                 struct sink_config *out, struct connect_findings *findings,
                                 struct error *err) PP_MUST_USE;
/* The body of PUT /connector-plugins/{class}/config/validate. INVALID: an exception; its class and
 * message are what err says. */
enum status connect_config_validate(struct arena *arena, const struct connect_entries *entries,
                                    struct buf *out, struct error *err) PP_MUST_USE;

#endif
