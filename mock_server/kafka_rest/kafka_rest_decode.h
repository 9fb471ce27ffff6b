/* Typed bodies, as Jackson binds them.
 *
 * Every decode function reads the value under the cursor; on false the answer (400 or 422 in
 * Jackson's words) is written and the handler returns HANDLED. Strings live in the arena, or in the
 * body where they stand there as they are. */
#ifndef PINPIPE_KAFKA_REST_DECODE_H
#define PINPIPE_KAFKA_REST_DECODE_H

#include "exchange.h"
#include "json_text.h"

struct kafka_rest_decoder {
    struct exchange *exchange;
    struct json_cursor cursor;
    struct arena *texts; /* where strings live; NULL: the exchange's arena */
    size_t fault;        /* where the text is not JSON, when that has been answered */
};

struct kafka_rest_string {
    bool present; /* false: absent or null */
    struct span text;
};
struct kafka_rest_int {
    bool present;
    int64_t value;
};

struct kafka_rest_field {
    const char *name;
    /* `into` is the struct that the table describes. */
    bool (*decode)(struct kafka_rest_decoder *decoder, void *into);
};
struct kafka_rest_class {
    const char *java_name; /* for "Cannot construct instance of `...`" */
    const struct kafka_rest_field *fields;
    size_t field_count;
};

/* DIFFERS: a body that is read as a whole, which is any but that of a large produce, may have 1 MiB
 * (413); the real proxy reads any. */
enum { KAFKA_REST_DOCUMENT_BYTES_MAX = 1024 * 1024 };

enum kafka_rest_body { BODY_ABSENT, BODY_DECODED, BODY_REFUSED };

/* The request's body as one object of that class. ABSENT: nothing but white space, or null (the
 * caller decides: defaults, or kafka_rest_error_null). Whatever follows the value is ignored. */
enum kafka_rest_body kafka_rest_decode_body(struct exchange *exchange,
                                            const struct kafka_rest_class *class, void *into);
/* 422 "<where> must not be null (was null)", e.g. where = "subscribe.arg3". */
enum handled kafka_rest_error_null(struct exchange *exchange, const char *where);

/* A nested object; *is_null tells a null. Unknown fields are 422, duplicates: the last wins. */
bool kafka_rest_decode_object(struct kafka_rest_decoder *decoder,
                              const struct kafka_rest_class *class, void *into, bool *is_null);
/* A list: calls element for each value under the cursor; *is_null tells a null instead of a list.
 * java_type: e.g. "java.util.ArrayList<java.lang.String>". */
bool kafka_rest_decode_list(struct kafka_rest_decoder *decoder, const char *java_type,
                            bool (*element)(struct kafka_rest_decoder *decoder, void *into),
                            void *into, bool *is_null);
/* The same part by part, for a reader that stops between two parts and goes on later. */
struct kafka_rest_parts {
    bool first;
    struct span unknown; /* an object's first unknown field, a text of the decoder's */
};
enum kafka_rest_next { NEXT_PART, NEXT_END, NEXT_REFUSED };
bool kafka_rest_object_open(struct kafka_rest_decoder *decoder,
                            const struct kafka_rest_class *class, struct kafka_rest_parts *parts,
                            bool *is_null);
/* PART: the value of *field is under the cursor; *field NULL: nobody knows it, and it has been
 * passed over. */
enum kafka_rest_next kafka_rest_object_next(struct kafka_rest_decoder *decoder,
                                            const struct kafka_rest_class *class,
                                            struct kafka_rest_parts *parts,
                                            const struct kafka_rest_field **field);
bool kafka_rest_list_open(struct kafka_rest_decoder *decoder, const char *java_type,
                          struct kafka_rest_parts *parts, bool *is_null);
enum kafka_rest_next kafka_rest_list_next(struct kafka_rest_decoder *decoder,
                                          struct kafka_rest_parts *parts);

/* Strings take numbers and booleans too; ints take "1", "" (null) and 1.5 (1). */
bool kafka_rest_decode_string(struct kafka_rest_decoder *decoder, struct kafka_rest_string *out);
bool kafka_rest_decode_int(struct kafka_rest_decoder *decoder, struct kafka_rest_int *out);
bool kafka_rest_decode_long(struct kafka_rest_decoder *decoder, struct kafka_rest_int *out);
/* Writes the 400 of a value that is not JSON. */
bool kafka_rest_decode_failed(struct kafka_rest_decoder *decoder, const struct json_error *err);

#endif
