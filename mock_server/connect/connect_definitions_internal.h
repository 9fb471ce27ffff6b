/* The table of configuration definitions: Kafka Connect 2.8.1's for a sink connector, then the S3
 * connector's 10.5.13 (S3SinkConnectorConfig, StorageSinkConnectorConfig, StorageCommonConfig,
 * PartitionerConfig), in the order in which validate and the 400 list them. Private to connect_*.
 *
 * The rows are in connect_definitions.def, so that keys and definitions cannot drift apart.
 *
 * DIFFERS: the documentation texts are our own; names, types, defaults, groups, orders and the
 * words of errors are the real ones. */
#ifndef PINPIPE_CONNECT_DEFINITIONS_INTERNAL_H
#define PINPIPE_CONNECT_DEFINITIONS_INTERNAL_H

#include "sink_settings.h"
#include "span.h"

enum connect_key {
#define X(key, ...) CONNECT_KEY_##key,
#include "connect_definitions.def"
#undef X
    CONNECT_KEY_COUNT
};
enum {
    CONNECT_KEYS_FRAMEWORK = CONNECT_KEY_FORMAT_CLASS, /* how many come first */
    CONNECT_TASKS_MAX = 1000, /* DIFFERS: the real worker takes any number of tasks. */
};

enum connect_type {
    CONNECT_STRING,
    CONNECT_INT,
    CONNECT_LONG,
    CONNECT_SHORT,
    CONNECT_BOOLEAN,
    CONNECT_LIST,
    CONNECT_CLASS, /* one of `words`; every other one "could not be found" */
    CONNECT_PASSWORD,
};

enum connect_validator {
    VALID_ANY,
    VALID_NAME,         /* not empty, no control characters */
    VALID_RANGE,        /* min, max */
    VALID_PART_SIZE,    /* S3's own 5 MiB */
    VALID_WORDS,        /* one of `words` ("String must be one of") */
    VALID_WORDS_LOWER,  /* the same after lowering the value */
    VALID_WORDS_NOCASE, /* the same, said otherwise */
    VALID_VALUES,       /* one of `words` ("Value must be one of") */
    VALID_REGION,       /* the same after lowering the value */
    VALID_REGEX,
    VALID_ALIASES, /* no alias twice */
};

enum connect_visibility {
    VISIBLE_ALWAYS,
    VISIBLE_NEVER,   /* would be for Avro or Parquet */
    VISIBLE_KMS,     /* s3.ssea.name is aws:kms */
    VISIBLE_KEYS,    /* store.kafka.keys */
    VISIBLE_HEADERS, /* store.kafka.headers */
    VISIBLE_FIELD_PARTITIONER,
    VISIBLE_TIME_PARTITIONER,     /* TimeBased alone */
    VISIBLE_ANY_TIME_PARTITIONER, /* Hourly and Daily too */
};

struct connect_definition {
    const char *name;
    enum connect_type type;
    const char *default_value; /* NULL: null, or required */
    bool required;
    const char *importance; /* "HIGH" */
    const char *group;
    int order;
    const char *width; /* "LONG" */
    const char *display_name;
    const char *documentation;
    enum connect_validator validator;
    enum connect_visibility visibility;
    int64_t min;
    int64_t max;
    const char *words;       /* of validator or type, comma-separated */
    const char *recommended; /* recommended_values, comma-separated; NULL: none */
    const char *dependents;  /* comma-separated; NULL: none */
};

/* The table, by key: the framework's rows, then the connector's. */
extern const struct connect_definition connect_definitions[CONNECT_KEY_COUNT];
extern const char *const connect_groups_framework[]; /* NULL behind the last */
extern const char *const connect_groups_connector[];

#endif
