/* A Kafka key or value on its way through a Connect converter and into a file of JSON
 * (specs/s3-sink-connector.md 3): raw bytes -> JsonConverter, StringConverter or ByteArrayConverter
 * -> what Jackson writes of the Java object. Used again for each record; then nothing is allocated.
 */
#ifndef PINPIPE_SINK_VALUE_H
#define PINPIPE_SINK_VALUE_H

#include "sink_config.h"
#include "sink_errors.h"
#include "sink_schema.h"
#include "sink_tree.h"

enum sink_value_kind {
    SINK_VALUE_NULL,  /* no bytes, JSON null or no JSON at all: a tombstone */
    SINK_VALUE_JSON,  /* Map, List, String, Long, Double, Boolean: tree and root */
    SINK_VALUE_TYPED, /* it has a schema: `typed`, and `json` is its text */
    SINK_VALUE_TEXT,
    SINK_VALUE_BYTES,
};

struct sink_value {
    enum sink_value_kind kind;
    struct sink_tree tree;
    uint32_t root;
    struct sink_typed typed;
    struct buf json;
    struct span bytes; /* TEXT, BYTES: borrowed from the record */
};

struct sink_conversion {
    enum sink_converter converter;
    bool schemas_enable; /* JSON only */
    enum sink_order order;
};

void sink_value_init(struct sink_value *value);
void sink_value_release(struct sink_value *value);
/* The bytes must live as long as the value is used. False: *failure says what was thrown (its stage
 * is the caller's to set). */
bool sink_value_convert(struct sink_value *value, const struct sink_conversion *conversion,
                        bool present, struct span bytes, struct sink_failure *failure);
/* "STRING", "STRUCT": of TEXT and TYPED. */
const char *sink_value_type_name(const struct sink_value *value);
/* Is the value a Struct? */
bool sink_value_is_struct(const struct sink_value *value);
/* The value as JSON, without the line's end; not of NULL. */
void sink_value_write(const struct sink_value *value, struct buf *out);
const char *sink_converter_class(enum sink_converter converter);

#endif
