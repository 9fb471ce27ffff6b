/* Values that bring their schema along (schemas.enable=true): {"schema":{...},"payload":...}
 * becomes a Struct, Map, List or scalar of Connect, and JSON again without the envelope, fields in
 * the schema's order (specs/s3-sink-connector.md 3, 5). Schema and payload are nodes of one tree.
 *
 * DIFFERS: logical types (Decimal, Date, Time, Timestamp) are read and written as what underlies
 * them; a Decimal that is given as a number is refused.
 *
 * DIFFERS: a payload that is no Struct is written as if it stood in one; Jackson, which gets it
 * then, has other ideas of maps whose keys are no strings and of Structs in lists. Such maps keep
 * the order of the input. A struct has at most 1000 fields, and a value at most 16 MiB with its
 * defaults filled in. */
#ifndef PINPIPE_SINK_SCHEMA_H
#define PINPIPE_SINK_SCHEMA_H

#include "sink_errors.h"
#include "sink_tree.h"

enum { SINK_FIELDS_MAX = 1000, SINK_TYPED_BYTES_MAX = 16 * 1024 * 1024 };

enum sink_type {
    SINK_TYPE_INT8,
    SINK_TYPE_INT16,
    SINK_TYPE_INT32,
    SINK_TYPE_INT64,
    SINK_TYPE_FLOAT32,
    SINK_TYPE_FLOAT64,
    SINK_TYPE_BOOLEAN,
    SINK_TYPE_STRING,
    SINK_TYPE_BYTES,
    SINK_TYPE_ARRAY,
    SINK_TYPE_MAP,
    SINK_TYPE_STRUCT,
};

/* A value and its schema, both nodes. value 0: it is null (what is optional may be). */
struct sink_typed {
    uint32_t schema;
    uint32_t value;
};

const char *sink_schema_type_name(enum sink_type type); /* "INT32" */
/* The type of a schema that has been checked. */
enum sink_type sink_schema_type(const struct sink_tree *tree, uint32_t schema);
/* Checks the envelope at the root: its schema, then the payload against it. out->schema 0: the
 * schema is null, out->value is a value without one. The payload as JSON is appended to `json`,
 * nothing for null. False: *failure is a DataException. */
bool sink_schema_convert(const struct sink_tree *tree, struct sink_typed *out, struct buf *json,
                         struct sink_failure *failure);
/* Struct.get: false when the struct's schema has no such field, or (then *failure says so) when
 * there was no memory to look. */
bool sink_schema_field(const struct sink_tree *tree, const struct sink_typed *from,
                       struct span name, struct sink_typed *out, struct sink_failure *failure);
/* A field of one of the whole-number types, cut to its width (0 of what is no number). */
int64_t sink_schema_integer(const struct sink_tree *tree, const struct sink_typed *from);

#endif
