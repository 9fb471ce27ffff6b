/* Consumer instances: made, found, expired, deleted (specs/kafka-rest-v2.md
 * sections 1.3, 3.1, 3.6).
 *
 * As in the real proxy they live in memory only: a restart forgets them, and five minutes without a
 * request end one. Their groups' commits are the store's. Invariant: an instance in the table has
 * its expiry timer armed. */
#include "kafka_rest_consumer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char log_area[] = "rest";

int64_t consumer_now_us(const struct kafka_rest_consumers *consumers)
{
    struct env *env = consumers->rest->options.env;
    return env->monotonic_us(env);
}

struct store *consumer_store(const struct kafka_rest_call *call)
{
    return call->rest->options.store;
}

/* --- the table -------------------------------------------------------------------------------- */

static size_t bucket_of(struct span group, struct span name)
{
    uint32_t hash = 2166136261U; /* FNV-1a over group, 0, name */
    for (size_t i = 0; i < group.len; i++) {
        hash = (hash ^ (unsigned char)group.ptr[i]) * 16777619U;
    }
    hash *= 16777619U;
    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619U;
    }
    return hash % CONSUMER_BUCKETS;
}

static struct consumer *find(const struct kafka_rest_consumers *consumers, struct span group,
                             struct span name)
{
    struct consumer *consumer = consumers->buckets[bucket_of(group, name)];
    while (consumer != NULL && !(span_equal(group_text_span(consumer->name), name) &&
                                 span_equal(group_text_span(consumer->group), group))) {
        consumer = consumer->next;
    }
    return consumer;
}

struct consumer *consumer_by_serial(struct kafka_rest_consumers *consumers, uint64_t serial)
{
    for (size_t i = 0; i < CONSUMER_BUCKETS; i++) {
        for (struct consumer *c = consumers->buckets[i]; c != NULL; c = c->next) {
            if (c->serial == serial) {
                return c;
            }
        }
    }
    return NULL;
}

void consumer_touch(struct consumer *consumer)
{
    consumer->last_used_us = consumer_now_us(consumer->consumers);
}

struct consumer *consumer_of_request(struct kafka_rest_call *call)
{
    struct span group = call->match.captures[0];
    struct span name = call->match.captures[1];
    struct consumer *consumer = find(call->rest->consumers, group, name);
    if (consumer == NULL) {
        answer_hint(call->exchange,
                    "group %.*s has no instance %.*s: it was never created here, was deleted, "
                    "expired after %d minutes without a request, or the server was restarted "
                    "(instances live in memory); create it again and subscribe",
                    SPAN_ARG(span_first(group, 64)), SPAN_ARG(span_first(name, 64)),
                    CONSUMER_EXPIRY_MS / 60000);
        kafka_rest_error_known(call->exchange, ERROR_INSTANCE_NOT_FOUND);
        return NULL;
    }
    consumer_touch(consumer);
    return consumer;
}

bool consumer_group_permitted(struct kafka_rest_call *call)
{
    return !call->rest->options.policy->enforced ||
           kafka_rest_group_permitted(call, call->match.captures[0]);
}

/* --- the end of one --------------------------------------------------------------------------- */

static void consumer_free(struct consumer *consumer)
{
    consumer_buffer_drop(consumer);
    group_text_unref(consumer->group);
    group_text_unref(consumer->name);
    group_text_unref(consumer->client_id);
    group_text_unref(consumer->member_id);
    free(consumer);
}

void consumer_close(struct consumer *consumer)
{
    struct kafka_rest_consumers *consumers = consumer->consumers;
    struct consumer **link = &consumers->buckets[bucket_of(group_text_span(consumer->group),
                                                           group_text_span(consumer->name))];
    while (*link != consumer) {
        link = &(*link)->next;
    }
    *link = consumer->next;
    consumers->count--;
    timer_clear(consumers->rest->options.timers, &consumer->expiry);
    consumer_reads_refuse(consumer);
    group_member_close(&consumer->member);
    consumer_free(consumer);
}

static void arm_expiry(struct consumer *consumer)
{
    int64_t due_us = consumer->last_used_us + (int64_t)CONSUMER_EXPIRY_MS * 1000;
    struct kafka_rest *rest = consumer->consumers->rest;
    if (timer_set(rest->options.timers, &consumer->expiry, due_us) != STATUS_OK) {
        LOG_ERRORF(rest->options.log, log_area, "out of memory: instance %s will not expire",
                   consumer->name->text);
    }
}

/* Requests only note when they came; the timer catches up with them here. */
static void expiry_due(struct timer *timer)
{
    struct consumer *consumer = PP_CONTAINER_OF(timer, struct consumer, expiry);
    int64_t silent_us = consumer_now_us(consumer->consumers) - consumer->last_used_us;
    if (consumer->reads != NULL) {
        consumer_touch(consumer);
        arm_expiry(consumer);
    } else if (silent_us < (int64_t)CONSUMER_EXPIRY_MS * 1000) {
        arm_expiry(consumer);
    } else {
        LOG_INFOF(consumer->consumers->rest->options.log, log_area,
                  "instance expired group=%s instance=%s", consumer->group->text,
                  consumer->name->text);
        consumer_close(consumer);
    }
}

void consumer_auto_commit_if_due(struct consumer *consumer)
{
    struct kafka_rest_consumers *consumers = consumer->consumers;
    int64_t now_us = consumer_now_us(consumers);
    if (!consumer->member.auto_commit || now_us < consumer->next_auto_commit_us) {
        return;
    }
    consumer->next_auto_commit_us = now_us + (int64_t)CONSUMER_AUTO_COMMIT_MS * 1000;
    struct error err = ERROR_NONE;
    if (group_member_commit(&consumer->member, &err) != STATUS_OK) {
        /* As Kafka's client: logged, and tried again at the next interval. */
        LOG_WARNF(consumers->rest->options.log, log_area, "auto commit failed group=%s: %s",
                  consumer->group->text, err.message);
    }
}

/* --- replies that became others --------------------------------------------------------------- */

struct lost_watch {
    exchange_filter_fn filter;
    void *filter_ctx;
    int status;
    struct kafka_rest_consumers *consumers;
    void (*undo)(struct kafka_rest_consumers *consumers, void *ctx);
    void *ctx;
};

static void lost_filter(struct exchange *exchange, void *ctx)
{
    struct lost_watch *watch = ctx;
    if (exchange->reply.status != watch->status) {
        watch->undo(watch->consumers, watch->ctx);
    }
    if (watch->filter != NULL) {
        watch->filter(exchange, watch->filter_ctx);
    }
}

enum status consumer_on_reply_lost(struct exchange *exchange,
                                   void (*undo)(struct kafka_rest_consumers *consumers, void *ctx),
                                   struct kafka_rest_consumers *consumers, void *ctx)
{
    struct lost_watch *watch = ARENA_NEW(&exchange->arena, struct lost_watch);
    if (watch == NULL) {
        return STATUS_NO_MEMORY;
    }
    *watch = (struct lost_watch){
        .filter = exchange->filter,
        .filter_ctx = exchange->filter_ctx,
        .status = exchange->reply.status,
        .consumers = consumers,
        .undo = undo,
        .ctx = ctx,
    };
    exchange->filter = lost_filter;
    exchange->filter_ctx = watch;
    return STATUS_OK;
}

/* --- POST /consumers/{group} ------------------------------------------------------------------ */

static const struct {
    const char *name;
    enum kafka_rest_media media;
} formats[] = {
    {"binary", MEDIA_BINARY},         {"json", MEDIA_JSON},         {"avro", MEDIA_AVRO},
    {"jsonschema", MEDIA_JSONSCHEMA}, {"protobuf", MEDIA_PROTOBUF},
};

static enum kafka_rest_media format_find(const struct kafka_rest_string *format)
{
    if (!format->present) {
        return MEDIA_BINARY;
    }
    for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
        if (span_equal_nocase(format->text, span_from_cstr(formats[i].name))) {
            return formats[i].media;
        }
    }
    return MEDIA_NONE;
}

struct create_settings {
    enum kafka_rest_media format;
    struct span name; /* empty: one is made up */
    bool auto_commit;
    enum group_reset reset;
    int64_t fetch_min_bytes;
    int64_t wait_ms;
};

/* Java's ConfigDef: blanks round a boolean do not matter, nor does its case. */
static bool parse_auto_commit(const struct kafka_rest_string *text, bool *out)
{
    struct span word = span_trim(text->text);
    *out = !text->present || span_equal_nocase(word, SPAN_LIT("true"));
    return *out || span_equal_nocase(word, SPAN_LIT("false"));
}

static bool parse_reset(const struct kafka_rest_string *text, enum group_reset *out)
{
    static const struct {
        const char *word;
        enum group_reset reset;
    } words[] = {
        {"latest", GROUP_RESET_LATEST},
        {"earliest", GROUP_RESET_EARLIEST},
        {"none", GROUP_RESET_NONE},
    };
    *out = GROUP_RESET_LATEST;
    if (!text->present) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (span_equal_cstr(text->text, words[i].word)) {
            *out = words[i].reset;
            return true;
        }
    }
    return false;
}

static bool refuse_fetch_min(struct exchange *exchange, int64_t value)
{
    bool low = value < -1;
    kafka_rest_error(exchange, 422, 40001,
                     "Invalid consumer configuration. It does not abide by the constraints: "
                     "Invalid value %lld for configuration fetch.min.bytes: Value must be %s %d",
                     (long long)value, low ? "at least" : "no more than",
                     low ? -1 : CONSUMER_FETCH_MIN_MAX);
    return false;
}

/* In the order in which Kafka's client and then the proxy look at them. */
static bool check_settings(struct exchange *exchange, const struct consumer_create_body *body,
                           struct create_settings *settings)
{
    static const char refused[] = "Invalid consumer configuration: Invalid value %.*s for "
                                  "configuration %s: %s";
    if (!parse_auto_commit(&body->auto_commit_enable, &settings->auto_commit)) {
        kafka_rest_error(exchange, 422, 42204, refused, SPAN_ARG(body->auto_commit_enable.text),
                         "enable.auto.commit", "Expected value to be either true or false");
        return false;
    }
    if (!parse_reset(&body->auto_offset_reset, &settings->reset)) {
        answer_hint(exchange, "auto.offset.reset is earliest (from the topic's start), latest "
                              "(what comes from now on) or none");
        kafka_rest_error(exchange, 422, 42204, refused, SPAN_ARG(body->auto_offset_reset.text),
                         "auto.offset.reset", "String must be one of: latest, earliest, none");
        return false;
    }
    settings->fetch_min_bytes = body->fetch_min_bytes.present ? body->fetch_min_bytes.value : -1;
    settings->wait_ms = body->wait_ms.present ? body->wait_ms.value : CONSUMER_SERVER_WAIT_MS;
    if (settings->fetch_min_bytes < -1 || settings->fetch_min_bytes > CONSUMER_FETCH_MIN_MAX) {
        return refuse_fetch_min(exchange, settings->fetch_min_bytes);
    }
    return true;
}

/* DIFFERS: group and instance names have at most 255 bytes, and there are at most 10000 instances;
 * the real proxy has no such limits. */
static bool check_limits(struct kafka_rest_call *call, struct span group, struct span name)
{
    if (group.len > CONSUMER_GROUP_BYTES_MAX || name.len > CONSUMER_NAME_BYTES_MAX) {
        kafka_rest_error(call->exchange, 422, 422,
                         "A consumer group's name may have %d bytes, an instance's name %d",
                         CONSUMER_GROUP_BYTES_MAX, CONSUMER_NAME_BYTES_MAX);
        return false;
    }
    if (call->rest->consumers->count >= CONSUMER_INSTANCES_MAX) {
        answer_hint(call->exchange, "DELETE instances that are done with; silent ones expire "
                                    "after five minutes");
        kafka_rest_error(call->exchange, 503, 503,
                         "%d consumer instances exist, the most there may be",
                         CONSUMER_INSTANCES_MAX);
        return false;
    }
    return true;
}

static struct group_text *text_join(const struct span *parts, size_t count)
{
    struct buf text;
    buf_init(&text, 4 * CONSUMER_NAME_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        buf_append_span(&text, parts[i]);
    }
    struct group_text *joined = buf_ok(&text) ? group_text_new(buf_span(&text)) : NULL;
    buf_release(&text);
    return joined;
}

/* As the real proxy and Kafka's client make them up: rest-consumer-<uuid>, consumer-<group>-<n>,
 * and <client id>-<uuid> for the member, which the assignor sorts by. */
static bool consumer_name_all(struct consumer *consumer, struct span group, struct span name)
{
    struct env *env = consumer->consumers->rest->options.env;
    char own_uuid[ENV_UUID_BYTES];
    char member_uuid[ENV_UUID_BYTES];
    char serial[24];
    env_uuid(env, own_uuid);
    env_uuid(env, member_uuid);
    snprintf(serial, sizeof(serial), "-%llu", (unsigned long long)consumer->serial);
    const struct span made_up[] = {SPAN_LIT("rest-consumer-"), span_from_cstr(own_uuid)};
    const struct span client[] = {SPAN_LIT("consumer-"), group, span_from_cstr(serial)};
    consumer->group = group_text_new(group);
    consumer->name = name.len > 0 ? group_text_new(name) : text_join(made_up, ARRAY_COUNT(made_up));
    consumer->client_id = text_join(client, ARRAY_COUNT(client));
    if (consumer->group == NULL || consumer->name == NULL || consumer->client_id == NULL) {
        return false;
    }
    const struct span member[] = {group_text_span(consumer->client_id), SPAN_LIT("-"),
                                  span_from_cstr(member_uuid)};
    consumer->member_id = text_join(member, ARRAY_COUNT(member));
    return consumer->member_id != NULL;
}

static void member_changed(struct group_member *member)
{
    consumer_reads_wake(PP_CONTAINER_OF(member, struct consumer, member));
}

static struct consumer *consumer_new(struct kafka_rest_call *call, struct span group,
                                     const struct create_settings *settings)
{
    struct kafka_rest_consumers *consumers = call->rest->consumers;
    struct consumer *consumer = calloc(1, sizeof(*consumer));
    if (consumer == NULL) {
        return NULL;
    }
    consumer->consumers = consumers;
    consumer->serial = ++consumers->last_serial;
    consumer->format = settings->format;
    consumer->fetch_min_bytes = settings->fetch_min_bytes;
    consumer->wait_ms = settings->wait_ms;
    consumer->expiry.fire = expiry_due;
    consumer_touch(consumer);
    consumer->next_auto_commit_us =
        consumer->last_used_us + (int64_t)CONSUMER_AUTO_COMMIT_MS * 1000;
    int64_t due_us = consumer->last_used_us + (int64_t)CONSUMER_EXPIRY_MS * 1000;
    if (!consumer_name_all(consumer, group, settings->name) ||
        timer_set(call->rest->options.timers, &consumer->expiry, due_us) != STATUS_OK) {
        consumer_free(consumer);
        return NULL;
    }
    consumer->member = (struct group_member){
        .set = &consumers->groups,
        .group_name = group_text_span(consumer->group),
        .member_id = group_text_span(consumer->member_id),
        .client_id = group_text_span(consumer->client_id),
        .auto_commit = settings->auto_commit,
        .reset = settings->reset,
        .changed = member_changed,
        .log = call->rest->options.log,
        .policy = call->rest->options.policy,
    };
    struct consumer **bucket =
        &consumers->buckets[bucket_of(group, group_text_span(consumer->name))];
    consumer->next = *bucket;
    *bucket = consumer;
    consumers->count++;
    return consumer;
}

static void create_undo(struct kafka_rest_consumers *consumers, void *ctx)
{
    const uint64_t *serial = ctx;
    struct consumer *consumer = consumer_by_serial(consumers, *serial);
    if (consumer != NULL) {
        consumer_close(consumer);
    }
}

static void hint_created(struct kafka_rest_call *call, struct span group)
{
    bool is_private =
        span_starts_with(call->exchange->request.host, SPAN_LIT("ec2-kafka-rest.internal"));
    /* No Kafka traffic yet, so nothing is refused yet either. */
    bool is_foreign = !span_equal_cstr(group, TOPIC_POLICY_GROUP);
    if (is_private || is_foreign) {
        answer_hint(call->exchange, "%s%s%s",
                    is_foreign ? "the workshop's AWS refuses reads and commits of every group but "
                                 "\"" TOPIC_POLICY_GROUP "\""
                               : "",
                    is_foreign && is_private ? "; " : "",
                    is_private
                        ? "base_uri names the proxy's private host, as on AWS: build the URL from "
                          "the invoke URL, the group and instance_id instead"
                        : "");
    }
}

static enum handled create(struct kafka_rest_call *call, const struct create_settings *settings)
{
    struct exchange *exchange = call->exchange;
    struct span group = call->match.captures[0];
    struct buf base_url;
    struct consumer *consumer = consumer_new(call, group, settings);
    uint64_t *serial = ARENA_NEW(&exchange->arena, uint64_t);
    exchange->reply.status = 200;
    if (consumer == NULL || serial == NULL ||
        consumer_on_reply_lost(exchange, create_undo, call->rest->consumers, serial) != STATUS_OK) {
        if (consumer != NULL) {
            consumer_close(consumer);
        }
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return HANDLED;
    }
    *serial = consumer->serial;
    buf_init(&base_url, HTTP_HEAD_BYTES_MAX);
    kafka_rest_base_url(call, &base_url);
    consumer_encode_created(&exchange->reply.body, buf_span(&base_url), group,
                            group_text_span(consumer->name));
    buf_release(&base_url);
    hint_created(call, group);
    return HANDLED;
}

enum handled kafka_rest_consumer_create(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer_create_body body;
    struct create_settings settings;
    struct span group = call->match.captures[0];
    if (consumer_decode_create(exchange, &body) == BODY_REFUSED) {
        return HANDLED;
    }
    settings.format = format_find(&body.format);
    if (settings.format == MEDIA_NONE) {
        answer_hint(exchange, "format is binary, json, avro, jsonschema or protobuf");
        return kafka_rest_error_known(exchange, ERROR_INVALID_FORMAT);
    }
    /* The old `id` wins over `name`. DIFFERS: an empty instance name counts as none here; with
     * the real proxy it is an instance without a URL. */
    settings.name = body.id.present     ? body.id.text
                    : body.name.present ? body.name.text
                                        : SPAN_EMPTY;
    if (!check_limits(call, group, settings.name)) {
        return HANDLED;
    }
    if (settings.name.len > 0 && find(call->rest->consumers, group, settings.name) != NULL) {
        answer_hint(exchange, "DELETE the old instance, or leave \"name\" out and use the "
                              "instance_id of the answer");
        return kafka_rest_error_known(exchange, ERROR_INSTANCE_EXISTS);
    }
    if (!check_settings(exchange, &body, &settings)) {
        return HANDLED;
    }
    return create(call, &settings);
}

/* --- DELETE .../instances/{instance} ---------------------------------------------------------- */

enum handled kafka_rest_consumer_delete(struct kafka_rest_call *call)
{
    struct exchange *exchange = call->exchange;
    struct consumer *consumer = consumer_of_request(call);
    if (consumer != NULL) {
        consumer_close(consumer);
        exchange->reply.status = 204;
        exchange->reply.content_type = NULL;
    }
    return HANDLED;
}

/* --- what v3 shows of the groups -------------------------------------------------------------- */

void kafka_rest_groups_visit(struct kafka_rest_consumers *consumers,
                             void (*visit)(void *ctx, struct span group), void *ctx)
{
    for (size_t i = 0; i < consumers->groups.count; i++) {
        visit(ctx, group_text_span(consumers->groups.groups[i]->name));
    }
}

static bool show_member(const struct group_member *member,
                        void (*visit)(void *ctx, const struct kafka_rest_member *member), void *ctx)
{
    struct kafka_rest_member_partition *partitions =
        calloc(member->partition_count + 1, sizeof(*partitions));
    if (partitions == NULL) {
        return false;
    }
    for (size_t i = 0; i < member->partition_count; i++) {
        partitions[i] = (struct kafka_rest_member_partition){
            group_text_span(member->partitions[i].topic), member->partitions[i].partition};
    }
    struct kafka_rest_member shown = {
        .consumer_id = member->member_id,
        .client_id = member->client_id,
        .partitions = partitions,
        .partition_count = member->partition_count,
    };
    visit(ctx, &shown);
    free(partitions);
    return true;
}

size_t kafka_rest_group_members_visit(struct kafka_rest_consumers *consumers, struct span group,
                                      void (*visit)(void *ctx,
                                                    const struct kafka_rest_member *member),
                                      void *ctx)
{
    const struct group *found = group_set_find(&consumers->groups, group);
    if (found == NULL) {
        return 0;
    }
    for (size_t i = 0; i < found->member_count && visit != NULL; i++) {
        if (!show_member(found->members[i], visit, ctx)) {
            LOG_WARNF(consumers->rest->options.log, log_area,
                      "out of memory: a group's member is not listed");
        }
    }
    return found->member_count;
}

/* --- life ------------------------------------------------------------------------------------- */

enum status kafka_rest_consumers_new(struct kafka_rest *rest, struct kafka_rest_consumers **out,
                                     struct error *err)
{
    struct kafka_rest_consumers *consumers = calloc(1, sizeof(*consumers));
    if (consumers == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "the REST proxy's consumers: out of memory");
    }
    consumers->rest = rest;
    group_set_init(&consumers->groups, rest->options.store, rest->options.log);
    *out = consumers;
    return STATUS_OK;
}

void kafka_rest_consumers_free(struct kafka_rest_consumers *consumers)
{
    group_set_close(&consumers->groups);
    for (size_t i = 0; i < CONSUMER_BUCKETS; i++) {
        while (consumers->buckets[i] != NULL) {
            /* A stop closes them as DELETE does; the commits are the last turn's. */
            consumer_close(consumers->buckets[i]);
        }
    }
    PP_ASSERT(consumers->count == 0 && consumers->watch_count == 0);
    group_set_release(&consumers->groups);
    free(consumers);
}
