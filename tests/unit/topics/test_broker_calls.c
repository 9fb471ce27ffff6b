/* The embedded broker's calls beside produce: metadata, settings, offsets, fetch, groups. */
#include "broker.h"

#include "alloc_fault.h"
#include "log.h"
#include "store.h"
#include "topic_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct env env;
    struct log log;
    struct store *store;
    struct broker *broker;
    struct arena arena;
    char seen[256]; /* "part:offset=value " of each visited record */
    size_t visits_max;
    size_t visits;
};

static void append(struct fixture *f, const char *topic, int32_t partition, const char *value,
                   int64_t timestamp_ms)
{
    const struct broker_record record = {.partition = partition,
                                         .has_value = true,
                                         .value = span_from_cstr(value),
                                         .timestamp_ms = timestamp_ms};
    struct broker_result result;
    struct broker_produce produce = {.base = {.arena = &f->arena},
                                     .topic = span_from_cstr(topic),
                                     .records = &record,
                                     .results = &result,
                                     .count = 1};
    assert_int_equal(f->broker->ops->produce(f->broker, &produce), BROKER_DONE);
    assert_int_equal(result.error, KAFKA_ERROR_NONE);
}

static enum status create(struct fixture *f, const char *topic, int32_t partitions)
{
    const struct broker_config config = {"retention.ms", "1000"};
    struct broker_create request = {.base = {.arena = &f->arena},
                                    .topic = span_from_cstr(topic),
                                    .partition_count = partitions,
                                    .configs = &config,
                                    .config_count = 1};
    assert_int_equal(f->broker->ops->create(f->broker, &request), BROKER_DONE);
    return request.base.status;
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    const struct store_options store = {.env = &f->env, .log = &f->log};
    assert_int_equal(store_open(&store, &f->store, NULL), STATUS_OK);
    const struct broker_store_options broker = {.store = f->store, .env = &f->env, .log = &f->log};
    assert_int_equal(broker_store_new(&broker, &f->broker), STATUS_OK);
    arena_init(&f->arena, 1 << 20);
    f->visits_max = SIZE_MAX;
    assert_int_equal(create(f, "b", 2), STATUS_OK);
    assert_int_equal(create(f, "a", 1), STATUS_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    broker_free(f->broker);
    store_close(f->store);
    arena_release(&f->arena);
    free(f);
    return 0;
}

/* --- topics --- */

static void metadata_lists_all_topics_by_name_or_those_named_in_their_order(void **state)
{
    struct fixture *f = *state;
    struct broker_metadata all = {.base = {.arena = &f->arena}, .all = true};
    assert_int_equal(f->broker->ops->metadata(f->broker, &all), BROKER_DONE);
    assert_int_equal(all.topic_count, 2);
    assert_true(span_equal_cstr(all.topics[0].name, "a"));
    assert_int_equal(all.topics[1].partition_count, 2);
    assert_true(span_equal_cstr(all.cluster_id, store_cluster_id(f->store)));
    const struct span names[] = {SPAN_LIT("b"), SPAN_LIT("none"), SPAN_LIT("a")};
    struct broker_metadata some = {
        .base = {.arena = &f->arena}, .names = names, .name_count = ARRAY_COUNT(names)};
    assert_int_equal(f->broker->ops->metadata(f->broker, &some), BROKER_DONE);
    assert_int_equal(some.topic_count, 3);
    assert_int_equal(some.topics[0].partition_count, 2);
    assert_int_equal(some.topics[1].id, 0);
    assert_true(span_equal_cstr(some.topics[1].name, "none"));
    assert_int_equal(some.topics[2].id, all.topics[0].id);
}

static void settings_are_kafkas_defaults_and_what_a_topic_has_over_them(void **state)
{
    struct fixture *f = *state;
    struct topic_config_values values;
    struct broker_configs request = {
        .base = {.arena = &f->arena}, .topic = SPAN_LIT("a"), .values = &values};
    assert_int_equal(f->broker->ops->configs(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
    size_t retention = (size_t)(topic_config_find(SPAN_LIT("retention.ms")) - topic_configs);
    assert_string_equal(values.values[retention], "1000");
    assert_true(values.overridden[retention]);
    assert_string_equal(values.values[0], topic_configs[0].value);
    assert_false(values.overridden[0]);
    request.topic = SPAN_LIT("none");
    assert_int_equal(f->broker->ops->configs(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_NOT_FOUND);
}

/* As another release may have left them in the file. */
static void settings_that_nobody_knows_are_passed_over(void **state)
{
    struct fixture *f = *state;
    char endless[TOPIC_CONFIG_VALUE_MAX + 1];
    memset(endless, '1', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    const struct store_config_entry configs[] = {
        {"of.the.future", "1"}, {"retention.bytes", endless}, {"retention.ms", "7"}};
    const struct store_topic_spec spec = {SPAN_LIT("odd"), 1, configs, ARRAY_COUNT(configs)};
    assert_int_equal(store_topic_create(f->store, &spec, NULL), STATUS_OK);
    struct topic_config_values values;
    struct broker_configs request = {
        .base = {.arena = &f->arena}, .topic = SPAN_LIT("odd"), .values = &values};
    assert_int_equal(f->broker->ops->configs(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        bool is_set = strcmp(topic_configs[i].name, "retention.ms") == 0;
        assert_string_equal(values.values[i], is_set ? "7" : topic_configs[i].value);
        assert_int_equal(values.overridden[i], is_set);
    }
}

static void a_setting_may_be_so_long_and_no_longer(void **state)
{
    struct error err = ERROR_NONE;
    char zeros[TOPIC_CONFIG_VALUE_MAX];
    (void)state;
    memset(zeros, '0', sizeof(zeros));
    const struct span name = SPAN_LIT("retention.ms");
    assert_int_equal(topic_config_check(name, span_from(zeros, sizeof(zeros) - 1), NULL),
                     STATUS_OK);
    assert_int_equal(topic_config_check(name, span_from(zeros, sizeof(zeros)), &err),
                     STATUS_INVALID);
    assert_non_null(strstr(err.message, "longer than"));
}

static void a_topic_is_created_once_and_deleted_once(void **state)
{
    struct fixture *f = *state;
    struct broker_delete request = {.base = {.arena = &f->arena}, .topic = SPAN_LIT("a")};
    assert_int_equal(create(f, "a", 1), STATUS_EXISTS);
    assert_int_equal(create(f, "huge", BROKER_TOPIC_PARTITIONS_MAX + 1), STATUS_INVALID);
    assert_int_equal(f->broker->ops->delete (f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
    assert_int_equal(f->broker->ops->delete (f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_NOT_FOUND);
}

/* --- records --- */

static void offsets_are_earliest_latest_or_of_a_time(void **state)
{
    struct fixture *f = *state;
    append(f, "b", 1, "x", 100);
    append(f, "b", 1, "y", 200);
    struct broker_offset offsets[] = {
        {.topic = SPAN_LIT("b"), .partition = 1, .at = BROKER_OFFSET_EARLIEST},
        {.topic = SPAN_LIT("b"), .partition = 1, .at = BROKER_OFFSET_LATEST},
        {.topic = SPAN_LIT("b"), .partition = 1, .at = BROKER_OFFSET_TIME, .timestamp_ms = 150},
        {.topic = SPAN_LIT("b"), .partition = 1, .at = BROKER_OFFSET_TIME, .timestamp_ms = 201},
        {.topic = SPAN_LIT("b"), .partition = 2, .at = BROKER_OFFSET_LATEST},
        {.topic = SPAN_LIT("none"), .partition = 0, .at = BROKER_OFFSET_LATEST},
        {.topic = SPAN_LIT("b"), .partition = -1, .at = BROKER_OFFSET_LATEST},
    };
    const int64_t expected[] = {0, 2, 1, -1};
    struct broker_offsets request = {
        .base = {.arena = &f->arena}, .offsets = offsets, .count = ARRAY_COUNT(offsets)};
    assert_int_equal(f->broker->ops->offsets(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
    for (size_t i = 0; i < ARRAY_COUNT(expected); i++) {
        assert_true(offsets[i].is_there);
        assert_int_equal(offsets[i].offset, expected[i]);
    }
    assert_false(offsets[4].is_there);
    assert_false(offsets[5].is_there);
    assert_false(offsets[6].is_there);
}

static bool note_record(struct broker_fetch *fetch, size_t part,
                        const struct broker_fetched *record)
{
    struct fixture *f = fetch->base.ctx;
    size_t used = strlen(f->seen);
    snprintf(f->seen + used, sizeof(f->seen) - used, "%zu:%lld=%.*s ", part,
             (long long)record->offset, SPAN_ARG(record->value));
    return ++f->visits < f->visits_max;
}

static const char *fetch(struct fixture *f, struct broker_fetch_part *parts, size_t count,
                         int64_t bytes_max)
{
    struct broker_fetch request = {.base = {.arena = &f->arena, .ctx = f},
                                   .parts = parts,
                                   .count = count,
                                   .bytes_max = bytes_max,
                                   .visit = note_record};
    f->seen[0] = '\0';
    f->visits = 0;
    assert_int_equal(f->broker->ops->fetch(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
    return f->seen;
}

static void a_fetch_visits_its_parts_in_order_until_one_of_three_says_enough(void **state)
{
    struct fixture *f = *state;
    append(f, "b", 0, "p", -1);
    append(f, "b", 0, "q", -1);
    append(f, "b", 1, "r", -1);
    append(f, "a", 0, "s", -1);
    struct broker_fetch_part parts[] = {
        {.topic = SPAN_LIT("b"), .partition = 1, .offset = 0, .end = INT64_MAX},
        {.topic = SPAN_LIT("none"), .partition = 0, .offset = 0, .end = INT64_MAX},
        {.topic = SPAN_LIT("b"), .partition = 0, .offset = 0, .end = INT64_MAX},
        {.topic = SPAN_LIT("a"), .partition = 0, .offset = 0, .end = INT64_MAX},
    };
    assert_string_equal(fetch(f, parts, 4, INT64_MAX), "0:0=r 2:0=p 2:1=q 3:0=s ");
    assert_string_equal(fetch(f, parts, 4, 2), "0:0=r 2:0=p ");
    f->visits_max = 3;
    assert_string_equal(fetch(f, parts, 4, INT64_MAX), "0:0=r 2:0=p 2:1=q ");
    assert_true(parts[3].is_there); /* also of the parts that nothing was read of */
    assert_int_equal(parts[3].next_offset, 1);
    assert_false(parts[1].is_there);
    f->visits_max = SIZE_MAX;
    parts[2].end = 1;
    parts[0].offset = 1;
    assert_string_equal(fetch(f, parts, 4, INT64_MAX), "2:0=p 3:0=s ");
}

/* Parts that come one by one, and what was told of each. */
struct stream {
    struct broker_fetch fetch;
    struct broker_fetch_part parts[5];
    size_t at;
    int64_t told[5]; /* the log's end; -1: there is no such partition */
    size_t told_count;
    size_t told_max;
};

static bool stream_next(struct broker_fetch *fetch, struct broker_fetch_part *part)
{
    struct stream *stream = PP_CONTAINER_OF(fetch, struct stream, fetch);
    if (stream->at == ARRAY_COUNT(stream->parts)) {
        return false;
    }
    *part = stream->parts[stream->at++];
    return true;
}

static bool stream_seen(struct broker_fetch *fetch, const struct broker_fetch_part *part)
{
    struct stream *stream = PP_CONTAINER_OF(fetch, struct stream, fetch);
    stream->told[stream->told_count++] = part->is_there ? part->next_offset : -1;
    return stream->told_count < stream->told_max;
}

static void parts_may_come_one_by_one_and_are_told_of(void **state)
{
    struct fixture *f = *state;
    append(f, "b", 0, "p", -1);
    append(f, "b", 0, "q", -1);
    append(f, "a", 0, "s", -1);
    struct stream stream = {
        .fetch = {.base = {.arena = &f->arena, .ctx = f},
                  .next = stream_next,
                  .seen = stream_seen,
                  .bytes_max = INT64_MAX,
                  .visit = note_record},
        .parts = {{.topic = SPAN_LIT("b"), .partition = 0, .end = INT64_MAX},
                  {.topic = SPAN_LIT("b"), .partition = 1, .end = INT64_MAX},
                  {.topic = SPAN_LIT("b"), .partition = -1, .end = INT64_MAX},
                  {.topic = SPAN_LIT("b"), .partition = 9, .end = INT64_MAX},
                  {.topic = SPAN_LIT("a"), .partition = 0, .end = INT64_MAX}},
        .told_max = 5,
    };
    assert_int_equal(f->broker->ops->fetch(f->broker, &stream.fetch), BROKER_DONE);
    assert_string_equal(f->seen, "0:0=p 0:1=q 4:0=s ");
    assert_int_equal(stream.told_count, 5);
    assert_int_equal(stream.told[0], 2);
    assert_int_equal(stream.told[1], 0);
    assert_int_equal(stream.told[2], -1);
    assert_int_equal(stream.told[3], -1);
    assert_int_equal(stream.told[4], 1);
    stream.at = 0;
    stream.told_count = 0;
    stream.told_max = 2;
    stream.fetch.bytes_max = 1; /* the end of the log is still told behind it */
    f->seen[0] = '\0';
    assert_int_equal(f->broker->ops->fetch(f->broker, &stream.fetch), BROKER_DONE);
    assert_string_equal(f->seen, "0:0=p ");
    assert_int_equal(stream.told_count, 2);
    assert_int_equal(stream.at, 2);
}

static void a_fetch_of_a_topic_that_was_made_again_finds_another_one(void **state)
{
    struct fixture *f = *state;
    append(f, "a", 0, "old", -1);
    struct broker_fetch_part part = {
        .topic = SPAN_LIT("a"), .partition = 0, .offset = 0, .end = INT64_MAX};
    const struct store_topic *topic = store_topic_find(f->store, SPAN_LIT("a"));
    part.topic_id = topic->id;
    assert_string_equal(fetch(f, &part, 1, INT64_MAX), "0:0=old ");
    struct broker_delete request = {.base = {.arena = &f->arena}, .topic = SPAN_LIT("a")};
    assert_int_equal(f->broker->ops->delete (f->broker, &request), BROKER_DONE);
    assert_int_equal(create(f, "a", 1), STATUS_OK);
    append(f, "a", 0, "new", -1);
    assert_string_equal(fetch(f, &part, 1, INT64_MAX), "");
    assert_false(part.is_there);
}

/* --- groups --- */

static void commit(struct fixture *f, const char *group, int32_t partition, int64_t offset)
{
    const struct broker_committed place = {.topic = SPAN_LIT("b"),
                                           .partition = partition,
                                           .offset = offset,
                                           .metadata = SPAN_LIT("m")};
    struct broker_commit request = {
        .base = {.arena = &f->arena}, .group = span_from_cstr(group), .places = &place, .count = 1};
    assert_int_equal(f->broker->ops->commit(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
}

static void membership(struct fixture *f, struct group_member *member,
                       enum broker_membership_action action)
{
    static const struct span topics[] = {SPAN_LIT("b")};
    struct broker_membership request = {.base = {.arena = &f->arena},
                                        .member = member,
                                        .action = action,
                                        .topics = topics,
                                        .topic_count = 1};
    assert_int_equal(f->broker->ops->membership(f->broker, &request), BROKER_DONE);
    assert_int_equal(request.base.status, STATUS_OK);
}

static void commits_are_read_one_by_one_or_all_of_a_group(void **state)
{
    struct fixture *f = *state;
    commit(f, "g", 1, 7);
    commit(f, "g", 0, 5);
    commit(f, "other", 0, 1);
    struct broker_committed places[] = {{.topic = SPAN_LIT("b"), .partition = 1},
                                        {.topic = SPAN_LIT("b"), .partition = 9}};
    struct broker_group_offsets some = {.base = {.arena = &f->arena},
                                        .group = SPAN_LIT("g"),
                                        .places = places,
                                        .count = ARRAY_COUNT(places)};
    assert_int_equal(f->broker->ops->group_offsets(f->broker, &some), BROKER_DONE);
    assert_int_equal(places[0].offset, 7);
    assert_true(span_equal_cstr(places[0].metadata, "m"));
    assert_int_equal(places[1].offset, -1);
    struct broker_group_offsets all = {.base = {.arena = &f->arena}, .group = SPAN_LIT("g")};
    assert_int_equal(f->broker->ops->group_offsets(f->broker, &all), BROKER_DONE);
    assert_int_equal(all.count, 2);
    assert_int_equal(all.places[0].offset, 5);
    assert_int_equal(all.places[1].offset, 7);
    struct broker_group_offsets nameless = {.base = {.arena = &f->arena}};
    assert_int_equal(f->broker->ops->group_offsets(f->broker, &nameless), BROKER_DONE);
    assert_int_equal(nameless.base.status, STATUS_OK);
    assert_int_equal(nameless.count, 0); /* not those of all groups */
}

static void a_group_is_there_when_it_has_a_member_or_a_commit(void **state)
{
    struct fixture *f = *state;
    struct group_member *member =
        group_member_new(&(struct group_member_options){.group_name = SPAN_LIT("live"),
                                                        .member_id = SPAN_LIT("m-1"),
                                                        .client_id = SPAN_LIT("m"),
                                                        .log = &f->log});
    assert_non_null(member);
    append(f, "b", 0, "x", -1);
    append(f, "b", 0, "y", -1);
    commit(f, "dead", 0, 1);
    commit(f, "live", 0, 1);
    membership(f, member, BROKER_MEMBER_SUBSCRIBE);
    membership(f, member, BROKER_MEMBER_POLL);
    struct broker_groups list = {.base = {.arena = &f->arena}};
    assert_int_equal(f->broker->ops->groups(f->broker, &list), BROKER_DONE);
    assert_int_equal(list.count, 2);
    assert_true(span_equal_cstr(list.groups[0].name, "dead"));
    assert_int_equal(list.groups[0].member_count, 0);
    assert_int_equal(list.groups[1].member_count, 1);
    struct broker_describe live = {.base = {.arena = &f->arena}, .group = SPAN_LIT("live")};
    struct broker_describe dead = {.base = {.arena = &f->arena}, .group = SPAN_LIT("dead")};
    struct broker_describe none = {.base = {.arena = &f->arena}, .group = SPAN_LIT("none")};
    struct broker_describe nameless = {.base = {.arena = &f->arena}, .group = SPAN_EMPTY};
    assert_int_equal(f->broker->ops->describe(f->broker, &live), BROKER_DONE);
    assert_int_equal(f->broker->ops->describe(f->broker, &dead), BROKER_DONE);
    assert_int_equal(f->broker->ops->describe(f->broker, &none), BROKER_DONE);
    assert_int_equal(f->broker->ops->describe(f->broker, &nameless), BROKER_DONE);
    assert_true(live.exists && dead.exists && !none.exists && !nameless.exists);
    assert_int_equal(live.member_count, 1);
    assert_int_equal(live.members[0].place_count, 2);
    assert_int_equal(group_member_partition(member, 0).offset, 1); /* the commit's */
    membership(f, member, BROKER_MEMBER_CLOSE);
    assert_false(group_member_is_joined(member));
    group_member_free(member);
}

/* A mock that could not be made whole frees what there is of it. */
static void without_memory_there_is_no_broker(void **state)
{
    struct fixture *f = *state;
    const struct broker_store_options options = {.store = f->store, .env = &f->env, .log = &f->log};
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        struct broker *broker = NULL;
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = broker_store_new(&options, &broker);
        bool failed = alloc_fault_end();
        assert_int_equal(status, failed ? STATUS_NO_MEMORY : STATUS_OK);
        assert_true(failed == (broker == NULL));
        broker_free(broker);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(metadata_lists_all_topics_by_name_or_those_named_in_their_order),
        TEST(settings_are_kafkas_defaults_and_what_a_topic_has_over_them),
        TEST(settings_that_nobody_knows_are_passed_over),
        cmocka_unit_test(a_setting_may_be_so_long_and_no_longer),
        TEST(a_topic_is_created_once_and_deleted_once),
        TEST(offsets_are_earliest_latest_or_of_a_time),
        TEST(a_fetch_visits_its_parts_in_order_until_one_of_three_says_enough),
        TEST(parts_may_come_one_by_one_and_are_told_of),
        TEST(a_fetch_of_a_topic_that_was_made_again_finds_another_one),
        TEST(commits_are_read_one_by_one_or_all_of_a_group),
        TEST(a_group_is_there_when_it_has_a_member_or_a_commit),
        TEST(without_memory_there_is_no_broker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
