/* The consumers' bodies: typed requests in, answers out (kafka_rest_consumer_codec.c). */
#ifndef PINPIPE_KAFKA_REST_CONSUMER_CODEC_H
#define PINPIPE_KAFKA_REST_CONSUMER_CODEC_H

#include "json_write.h"
#include "kafka_rest_decode.h"
#include "kafka_rest_internal.h"

struct consumer_create_body {
    struct kafka_rest_string id;
    struct kafka_rest_string name;
    struct kafka_rest_string format;
    struct kafka_rest_string auto_offset_reset;
    struct kafka_rest_string auto_commit_enable;
    struct kafka_rest_int fetch_min_bytes;
    struct kafka_rest_int wait_ms;
};

struct consumer_subscribe_body {
    bool has_topics;
    struct span *topics; /* null elements are empty */
    size_t topic_count;
    size_t topic_cap;
    struct kafka_rest_string pattern;
};

/* {"partitions":[...]}: assignments, beginning, end, committed. */
struct consumer_partitions_body {
    bool present;
    struct group_choice *items; /* a null element or topic: an empty topic */
    size_t count;
    size_t cap;
};

struct consumer_place {
    struct kafka_rest_string topic;
    int32_t partition;
    int64_t offset;
    struct kafka_rest_string metadata;
    int64_t timestamp_ms;
    bool has_timestamp;
};
struct consumer_place_list {
    bool present;
    struct consumer_place *items;
    size_t count;
    size_t cap;
};
/* Seeks have both lists, commits `offsets` only. */
struct consumer_places_body {
    struct consumer_place_list offsets;
    struct consumer_place_list timestamps;
};

enum kafka_rest_body consumer_decode_create(struct exchange *exchange,
                                            struct consumer_create_body *body);
enum kafka_rest_body consumer_decode_subscribe(struct exchange *exchange,
                                               struct consumer_subscribe_body *body);
enum kafka_rest_body consumer_decode_partitions(struct exchange *exchange,
                                                struct consumer_partitions_body *body);
enum kafka_rest_body consumer_decode_seek(struct exchange *exchange,
                                          struct consumer_places_body *body);
enum kafka_rest_body consumer_decode_commit(struct exchange *exchange,
                                            struct consumer_places_body *body);

/* {"instance_id":...,"base_uri":...}; base_url as kafka_rest_base_url wrote it. */
void consumer_encode_created(struct buf *out, struct span base_url, struct span group,
                             struct span name);
/* {"topic":"t","partition":0; json_write_end closes it. */
void consumer_encode_partition(struct json_writer *w, struct span topic, int32_t partition);

/* One records answer under construction. */
struct consumer_records {
    struct buf *out;
    enum kafka_rest_media format;
    struct span topic;
    int32_t partition;
    size_t count;
    size_t long_decimals; /* JSON_LONG_DECIMALS_MAX of them in all */
    struct json_error err;
    const char *exception; /* the Java class of a refused record */
};

enum consumer_encoded { RECORD_ENCODED, RECORD_POISON, RECORD_NO_ROOM };

/* Appends one element of the array. POISON: the record cannot be read in this format; out is as it
 * was before and `exception` and `err` say why. */
enum consumer_encoded consumer_encode_record(struct consumer_records *records,
                                             const struct broker_fetched *record);

#endif
