/* Mistakes that people really make, and the fix, for the X-Pinpipe-Hint header: the mistakes of
 * specs/kafka-rest-v2.md sections 0 and 7 and of specs/workshop.md section 7. The answer itself is
 * never changed by anything here. */
#include "kafka_rest_internal.h"

#include <stdio.h>
#include <string.h>

#define PRODUCE_TYPE "application/vnd.kafka.json.v2+json"
#define V2_TYPE      "application/vnd.kafka.v2+json"

#define PRODUCE_CLASS "io.confluent.kafkarest.entities.v2.ProduceRequest"
#define RECORD_CLASS  PRODUCE_CLASS "$ProduceRecord"

static bool ends_with(struct span s, const char *suffix)
{
    return span_ends_with(s, span_from_cstr(suffix));
}

static bool contains(struct span s, struct span needle)
{
    for (size_t i = 0; i + needle.len <= s.len; i++) {
        if (memcmp(s.ptr + i, needle.ptr, needle.len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_one_of(struct span name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal_cstr(name, words[i])) {
            return true;
        }
    }
    return false;
}

/* --- 422: unknown fields --- */

void kafka_rest_hint_unrecognized(struct exchange *exchange, const char *java_name,
                                  struct span name)
{
    /* The columns of the three tables, and a record's own fields outside of `records`. */
    static const char *const row_fields[] = {
        "index",          "unique_id", "title",      "description",       "poster_name",
        "follower_count", "tag_list",  "image_src",  "is_image_or_video", "downloaded",
        "save_location",  "category",  "ind",        "timestamp",         "latitude",
        "longitude",      "country",   "first_name", "last_name",         "age",
        "date_joined",    "value",     "key",        "partition",
    };
    static const char *const kinesis_fields[] = {"StreamName", "Data", "PartitionKey", "Records"};
    static const char *const own_fields[] = {"records", "key",       "value", "partition",
                                             "topics",  "offsets",   "name",  "format",
                                             "topic",   "partitions"};
    bool produces = span_starts_with(exchange->request.path, SPAN_LIT("/topics/"));
    if (produces && is_one_of(name, row_fields, ARRAY_COUNT(row_fields))) {
        answer_hint(exchange, "wrap the row: {\"records\": [{\"value\": {...the row...}}]}");
        return;
    }
    if (is_one_of(name, kinesis_fields, ARRAY_COUNT(kinesis_fields))) {
        answer_hint(exchange,
                    "\"%.*s\" belongs to a Kinesis request; a topic takes {\"records\": "
                    "[{\"value\": {...}}]}",
                    SPAN_ARG(name));
        return;
    }
    if (span_equal_cstr(name, "headers")) {
        answer_hint(exchange, "the v2 API has no record headers; the v3 records endpoint has");
        return;
    }
    for (size_t i = 0; i < ARRAY_COUNT(own_fields); i++) {
        if (span_equal_nocase(name, span_from_cstr(own_fields[i]))) {
            answer_hint(exchange, "field names are case-sensitive: \"%s\"", own_fields[i]);
            return;
        }
    }
    if (strcmp(java_name, RECORD_CLASS) == 0) {
        answer_hint(exchange, "a record has value, key and partition only: put the row into "
                              "value, {\"records\": [{\"value\": {...the row...}}]}");
    } else if (strcmp(java_name, PRODUCE_CLASS) == 0) {
        answer_hint(exchange, "a produce is {\"records\": [{\"value\": {...the row...}}]}");
    }
}

/* --- 400: another kind of value --- */

void kafka_rest_hint_wrong_shape(struct exchange *exchange, const char *java_name,
                                 enum json_kind kind)
{
    if (strcmp(java_name, RECORD_CLASS) == 0) {
        answer_hint(exchange, "each record is an object: {\"records\": [{\"value\": ...}]}");
    } else if (strcmp(java_name, PRODUCE_CLASS) == 0 && kind == JSON_STRING) {
        answer_hint(exchange, "the body is one JSON string, as if it was encoded twice: send "
                              "json.dumps(payload) once (requests: data=, not json=)");
    } else if (strcmp(java_name, PRODUCE_CLASS) == 0) {
        answer_hint(exchange, "the body is an object with the list in it: {\"records\": "
                              "[{\"value\": {...the row...}}]}");
    }
}

/* --- 415 and 406 --- */

void kafka_rest_hint_unsupported(struct exchange *exchange, enum kafka_rest_profile profile)
{
    struct span type = http_request_header(&exchange->request, "content-type");
    const char *right = profile == PROFILE_PRODUCE   ? PRODUCE_TYPE
                        : profile == PROFILE_V3_BODY ? "application/json"
                                                     : V2_TYPE;
    bool reads = exchange->request.method == METHOD_GET || exchange->request.method == METHOD_HEAD;
    if (reads) {
        answer_hint(exchange,
                    "the proxy checks Content-Type even where there is no body: leave the "
                    "header out, or send %s",
                    right);
    } else if (contains(type, SPAN_LIT("form-urlencoded"))) {
        answer_hint(exchange,
                    "curl -d sends form data unless told otherwise: add -H \"Content-Type: "
                    "%s\"",
                    right);
    } else if (contains(type, SPAN_LIT(".v1+json"))) {
        answer_hint(exchange, "the v1 API is gone from this proxy: send Content-Type: %s", right);
    } else if (profile == PROFILE_PRODUCE && contains(type, SPAN_LIT("vnd.kafka.v2+json"))) {
        answer_hint(exchange,
                    "a produce names its record format: send Content-Type: " PRODUCE_TYPE);
    } else if (contains(type, SPAN_LIT("application/json"))) {
        answer_hint(exchange,
                    "application/json is refused by the real proxy too: send Content-Type: %s "
                    "(requests: data=json.dumps(payload) with that header, as json= sets its "
                    "own; serve --lenient accepts it)",
                    right);
    } else {
        answer_hint(exchange, "send Content-Type: %s", right);
    }
}

void kafka_rest_hint_not_acceptable(struct exchange *exchange, enum kafka_rest_profile profile)
{
    struct span accept = http_request_header(&exchange->request, "accept");
    if (profile == PROFILE_V3 || profile == PROFILE_V3_BODY) {
        answer_hint(exchange, "v3 answers in application/json only: drop the Accept header");
    } else if (contains(accept, SPAN_LIT("application/json"))) {
        answer_hint(exchange,
                    "the v2 API does not produce application/json: drop the Accept header or "
                    "send %s (serve --lenient accepts it)",
                    profile == PROFILE_RECORDS ? PRODUCE_TYPE : V2_TYPE);
    } else {
        answer_hint(exchange, "drop the Accept header, or accept %s",
                    profile == PROFILE_RECORDS ? "the consumer's own format, e.g. " PRODUCE_TYPE
                                               : V2_TYPE);
    }
}

/* --- 404 and 405 --- */

void kafka_rest_hint_method(struct exchange *exchange, const char *allow)
{
    struct span path = exchange->request.path;
    if (exchange->request.method == METHOD_POST && span_starts_with(path, SPAN_LIT("/topics")) &&
        path.len <= sizeof("/topics/") - 1) {
        answer_hint(exchange, "name the topic in the path: POST /topics/<user id>.pin; topics "
                              "are created by POST /v3/clusters/<id>/topics");
        return;
    }
    answer_hint(exchange, "this path takes %s", allow);
}

/* Where the second segment begins, if there is one. */
static struct span after_first_segment(struct span path)
{
    struct span rest = span_skip(path, 1);
    size_t slash = span_find_byte(rest, '/');
    return span_skip(rest, slash);
}

static bool is_proxy_root(struct span path)
{
    return span_starts_with(path, SPAN_LIT("/topics")) ||
           span_starts_with(path, SPAN_LIT("/consumers")) ||
           span_starts_with(path, SPAN_LIT("/brokers")) || span_starts_with(path, SPAN_LIT("/v3/"));
}

void kafka_rest_hint_path(struct exchange *exchange)
{
    struct span path = exchange->request.path;
    struct span inner = after_first_segment(path);
    if (ends_with(path, "/record") || ends_with(path, "/PutRecord") ||
        ends_with(path, "/PutRecords") || span_starts_with(path, SPAN_LIT("/streams"))) {
        answer_hint(exchange, "that looks like a Kinesis stream's path; this is the Kafka REST "
                              "proxy: POST /topics/<topic>");
    } else if (span_starts_with(path, SPAN_LIT("/v1/")) ||
               span_starts_with(path, SPAN_LIT("/v2/")) ||
               span_starts_with(path, SPAN_LIT("/kafka/")) ||
               span_starts_with(path, SPAN_LIT("/api/"))) {
        answer_hint(exchange, "the v2 API has no prefix: /topics/<topic>, "
                              "/consumers/<group>, /brokers; only v3 has one, /v3/clusters");
    } else if (is_proxy_root(inner)) {
        answer_hint(exchange,
                    "this port is the REST proxy itself: leave the first segment out (a stage "
                    "belongs to the gateway's port)");
    } else if (span_starts_with(path, SPAN_LIT("/consumers")) &&
               contains(path, SPAN_LIT("/topics/"))) {
        answer_hint(exchange, "reading by topic was v1: subscribe the instance, then GET "
                              "/consumers/<group>/instances/<instance>/records");
    } else if (span_starts_with(path, SPAN_LIT("/topic/")) || span_equal_cstr(path, "/topic")) {
        answer_hint(exchange, "the path is /topics/<topic>, in the plural");
    } else if (span_starts_with(path, SPAN_LIT("/topics/")) && ends_with(path, "/records")) {
        answer_hint(exchange, "v2 takes POST /topics/<topic>; .../records is v3's: "
                              "/v3/clusters/<id>/topics/<topic>/records");
    } else {
        answer_hint(exchange, "no such path: the proxy has /topics, /consumers, /brokers and "
                              "/v3/clusters");
    }
}

void kafka_rest_hint_number(struct exchange *exchange, const char *what)
{
    answer_hint(exchange, "%s must be a whole number; the proxy answers 404 otherwise", what);
}

/* --- topics that are not there --- */

/* "0e36c8cd403d.pin" may well be the right name, and the server was not told whose it is. */
static void hint_meant(struct kafka_rest_call *call, struct span topic, struct span kind,
                       const char *meant)
{
    struct span id = span_first(topic, topic.len - kind.len);
    if (id.len > 1 && id.ptr[id.len - 1] == '.') {
        answer_hint(call->exchange,
                    "there is no topic %.*s; did you mean %s? If %.*s is your user id, start "
                    "the server with --iam-username %.*s",
                    SPAN_ARG(topic), meant, SPAN_ARG(span_first(id, id.len - 1)),
                    SPAN_ARG(span_first(id, id.len - 1)));
    } else {
        answer_hint(call->exchange, "there is no topic %.*s; did you mean %s?", SPAN_ARG(topic),
                    meant);
    }
}

struct span kafka_rest_topic_meant(struct kafka_rest_call *call, struct span topic)
{
    const struct span kinds[] = {SPAN_LIT("pin"), SPAN_LIT("geo"), SPAN_LIT("user")};
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        if (span_equal_nocase(topic, kinds[i]) || span_ends_with(topic, kinds[i])) {
            const char *name = arena_printf(&call->exchange->arena, "%s.%s",
                                            call->rest->options.policy->user_id, kinds[i].ptr);
            return name != NULL ? span_from_cstr(name) : SPAN_EMPTY;
        }
    }
    return SPAN_EMPTY;
}

void kafka_rest_hint_missing_topic(struct kafka_rest_call *call, struct span topic,
                                   struct span meant)
{
    size_t user_bytes = strlen(call->rest->options.policy->user_id);
    if (meant.len > user_bytes) {
        hint_meant(call, topic, span_skip(meant, user_bytes + 1), meant.ptr);
        return;
    }
    answer_hint(call->exchange,
                "there is no topic %.*s: create it with \"pinpipe topics create %.*s\" (or "
                "serve --auto-create)",
                SPAN_ARG(topic), SPAN_ARG(topic));
}
