/* Every call of the embedded broker while something fails beneath it: another of its allocations
 * each time, another of the reads and writes that its store makes, another byte of its request's
 * arena. Whatever it is:
 *
 *   - a call does what it is for or says that it failed; it never says that a thing is not there,
 *     is there already or is not allowed, nor takes a part of the answer for the whole of it;
 *   - what says that it failed is not done;
 *   - the same call works as soon as there is memory, and a disk, again;
 *   - no memory is left behind, and none stays counted in the budget. */
#include "alloc_fault.h"
#include "broker.h"
#include "budget.h"
#include "fault_vfs.h"
#include "log.h"
#include "store.h"
#include "temp_dir.h"
#include "topic_configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    ARENA_BYTES = 1 << 20,
    ARENA_STEP_BYTES = 8,
    BUDGET_BYTES = 1 << 22,
    FILE_BYTES_MAX = 1 << 24,
    RECORDS = 4,
    TEXT_BYTES = 256
};

static const char vfs_name[] = "pinpipe-broker-fault";

struct world {
    struct temp_dir dir;
    struct buf file; /* the store's, as it was filled */
    struct fault_vfs vfs;
    struct env env;
    struct log log;
    struct budget budget;
    struct store *store;
    struct broker *broker;
    struct group_member *member; /* of the group "live", with all of "kept" */
    struct group_member *guest;  /* of the same group; it has asked for nothing yet */
    struct arena arena;
    struct error err;
    size_t told[2]; /* of records, a partition of "kept" */
    char seen[TEXT_BYTES];
    char what[160];
};

struct call {
    const char *name;
    void (*before)(struct world *w); /* with memory and a disk; may be NULL */
    enum status (*run)(struct world *w);
    /* With memory and a disk, after what says OK; NULL: `run` has looked at its answer. */
    bool (*is_done)(struct world *w);
    bool in_pieces; /* what says that it failed may have been done in part, or even whole */
};

static enum status answered(struct world *w, enum broker_outcome outcome,
                            const struct broker_request *base)
{
    assert_int_equal(outcome, BROKER_DONE);
    w->err = base->error;
    return base->status;
}

static void see(struct world *w, const char *format, ...) PP_PRINTF(2, 3);
static void see(struct world *w, const char *format, ...)
{
    size_t used = strlen(w->seen);
    va_list args;
    va_start(args, format);
    vsnprintf(w->seen + used, sizeof(w->seen) - used, format, args);
    va_end(args);
}

/* OK is only what was seen whole. */
static enum status saw(struct world *w, enum status status, const char *expected)
{
    if (status == STATUS_OK && strcmp(w->seen, expected) != 0) {
        fail_msg("%s: \"%s\" instead of \"%s\"", w->what, w->seen, expected);
    }
    return status;
}

/* --- topics --- */

static enum status metadata(struct world *w, const struct span *names, size_t count)
{
    struct broker_metadata request = {
        .base = {.arena = &w->arena}, .all = names == NULL, .names = names, .name_count = count};
    enum status status = answered(w, w->broker->ops->metadata(w->broker, &request), &request.base);
    w->seen[0] = '\0';
    for (size_t i = 0; status == STATUS_OK && i < request.topic_count; i++) {
        see(w, "%.*s:%d ", SPAN_ARG(request.topics[i].name),
            (int)request.topics[i].partition_count);
    }
    return status;
}

static enum status metadata_of_all(struct world *w)
{
    return saw(w, metadata(w, NULL, 0), "compacted:1 kept:2 other:1 ");
}

static enum status metadata_of_some(struct world *w)
{
    static const struct span names[] = {SPAN_LIT("other"), SPAN_LIT("none"), SPAN_LIT("kept")};
    return saw(w, metadata(w, names, ARRAY_COUNT(names)), "other:1 none:0 kept:2 ");
}

static enum status configs(struct world *w)
{
    struct topic_config_values values;
    struct broker_configs request = {
        .base = {.arena = &w->arena}, .topic = SPAN_LIT("compacted"), .values = &values};
    enum status status = answered(w, w->broker->ops->configs(w->broker, &request), &request.base);
    if (status == STATUS_OK) {
        size_t policy = (size_t)(topic_config_find(SPAN_LIT("cleanup.policy")) - topic_configs);
        assert_string_equal(values.values[policy], "delete, compact");
    }
    return status;
}

static enum status create_topic(struct world *w, const char *name, int32_t partitions,
                                const char *cleanup_policy)
{
    const struct broker_config config = {"cleanup.policy", cleanup_policy};
    struct broker_create request = {.base = {.arena = &w->arena},
                                    .topic = span_from_cstr(name),
                                    .partition_count = partitions,
                                    .configs = &config,
                                    .config_count = 1};
    return answered(w, w->broker->ops->create(w->broker, &request), &request.base);
}

static enum status create(struct world *w)
{
    return create_topic(w, "new", 3, "compact");
}

static bool new_is_there(struct world *w)
{
    const struct span name = SPAN_LIT("new");
    assert_int_equal(metadata(w, &name, 1), STATUS_OK);
    return strcmp(w->seen, "new:0 ") != 0;
}

static enum status delete_kept(struct world *w)
{
    struct broker_delete request = {.base = {.arena = &w->arena}, .topic = SPAN_LIT("kept")};
    return answered(w, w->broker->ops->delete (w->broker, &request), &request.base);
}

static bool kept_is_gone(struct world *w)
{
    const struct span name = SPAN_LIT("kept");
    assert_int_equal(metadata(w, &name, 1), STATUS_OK);
    return strcmp(w->seen, "kept:0 ") == 0;
}

static enum status offsets(struct world *w)
{
    struct broker_offset list[] = {
        {.topic = SPAN_LIT("kept"), .at = BROKER_OFFSET_EARLIEST},
        {.topic = SPAN_LIT("kept"), .at = BROKER_OFFSET_LATEST},
        {.topic = SPAN_LIT("kept"), .at = BROKER_OFFSET_TIME, .timestamp_ms = 1001},
        {.topic = SPAN_LIT("kept"), .at = BROKER_OFFSET_TIME, .timestamp_ms = 9999},
        {.topic = SPAN_LIT("none"), .at = BROKER_OFFSET_LATEST},
    };
    struct broker_offsets request = {
        .base = {.arena = &w->arena}, .offsets = list, .count = ARRAY_COUNT(list)};
    enum status status = answered(w, w->broker->ops->offsets(w->broker, &request), &request.base);
    w->seen[0] = '\0';
    for (size_t i = 0; status == STATUS_OK && i < request.count; i++) {
        see(w, list[i].is_there ? "%d " : "none ", (int)list[i].offset);
    }
    return saw(w, status, "0 3 1 -1 none ");
}

/* --- records --- */

/* OK: the outcome of each record is the expected one. */
static enum status produce(struct world *w, const char *topic, const char *batch,
                           const struct broker_record *records, size_t count,
                           enum kafka_error expected)
{
    struct broker_result results[RECORDS];
    struct broker_produce request = {.base = {.arena = &w->arena},
                                     .topic = span_from_cstr(topic),
                                     .records = records,
                                     .results = results,
                                     .count = count,
                                     .batch = span_from_cstr(batch)};
    assert_int_equal(w->broker->ops->produce(w->broker, &request), BROKER_DONE);
    for (size_t i = 0; i < count; i++) {
        const char *words = kafka_error_words(results[i].error);
        assert_true((results[i].offset >= 0) == (results[i].error == KAFKA_ERROR_NONE));
        if (results[i].error == KAFKA_ERROR_STORAGE) {
            return error_set(&w->err, STATUS_IO, "%s", words);
        }
        if (results[i].error != expected) {
            return error_set(&w->err, STATUS_INVALID, "record %zu: \"%s\"", i, words);
        }
    }
    return STATUS_OK;
}

static struct broker_record record_for(int32_t partition, const char *key, const char *value)
{
    return (struct broker_record){.partition = partition,
                                  .has_key = key != NULL,
                                  .key = span_from_cstr(key != NULL ? key : ""),
                                  .has_value = true,
                                  .value = span_from_cstr(value),
                                  .timestamp_ms = 2000};
}

static enum status produce_to_two_partitions(struct world *w)
{
    const struct broker_record records[RECORDS] = {
        record_for(0, NULL, "d"), record_for(1, NULL, "e"), record_for(0, NULL, "f"),
        record_for(1, NULL, "g")};
    w->told[0] = w->told[1] = 0;
    enum status status = produce(w, "kept", "", records, RECORDS, KAFKA_ERROR_NONE);
    assert_true(status != STATUS_OK || (w->told[0] > 0 && w->told[1] > 0));
    return status;
}

static int64_t end_of(struct world *w, const char *topic, int32_t partition)
{
    struct broker_offset offset = {
        .topic = span_from_cstr(topic), .partition = partition, .at = BROKER_OFFSET_LATEST};
    struct broker_offsets request = {.base = {.arena = &w->arena}, .offsets = &offset, .count = 1};
    assert_int_equal(answered(w, w->broker->ops->offsets(w->broker, &request), &request.base),
                     STATUS_OK);
    return offset.is_there ? offset.offset : -1;
}

static bool both_have_more(struct world *w)
{
    return end_of(w, "kept", 0) >= 5 && end_of(w, "kept", 1) >= 4;
}

static enum status produce_a_batch(struct world *w)
{
    const struct broker_record records[] = {record_for(1, NULL, "h"), record_for(1, NULL, "i")};
    return produce(w, "kept", "[h,i]", records, ARRAY_COUNT(records), KAFKA_ERROR_NONE);
}

static bool batch_is_kept(struct world *w)
{
    return end_of(w, "kept", 1) == 4;
}

/* The broker makes the topic. */
static enum status produce_to_a_missing_topic(struct world *w)
{
    const struct broker_record record = record_for(-1, "key", "first");
    return produce(w, "new", "", &record, 1, KAFKA_ERROR_NONE);
}

static bool new_has_a_record(struct world *w)
{
    return end_of(w, "new", 0) == 1;
}

static enum status produce_without_a_key(struct world *w)
{
    const struct broker_record record = record_for(0, NULL, "to be compacted with what?");
    return produce(w, "compacted", "", &record, 1, KAFKA_ERROR_INVALID_RECORD);
}

static enum status produce_a_batch_without_a_key(struct world *w)
{
    const struct broker_record record = record_for(0, NULL, "j");
    return produce(w, "compacted", "[j]", &record, 1, KAFKA_ERROR_INVALID_RECORD);
}

static bool see_record(struct broker_fetch *fetch, size_t part, const struct broker_fetched *record)
{
    see(fetch->base.ctx, "%zu:%d=%.*s ", part, (int)record->offset, SPAN_ARG(record->value));
    return true;
}

static bool see_batch(struct broker_fetch *fetch, size_t part,
                      const struct broker_fetched_batch *batch)
{
    see(fetch->base.ctx, "%zu:%d-%d=%.*s ", part, (int)batch->first_offset, (int)batch->last_offset,
        SPAN_ARG(batch->bytes));
    return true;
}

/* What was seen before it failed is the beginning of the whole. */
static enum status fetch(struct world *w, bool batches, const char *expected)
{
    struct broker_fetch_part parts[] = {
        {.topic = SPAN_LIT("kept"), .partition = 0, .end = INT64_MAX},
        {.topic = SPAN_LIT("kept"), .partition = 1, .end = INT64_MAX},
        {.topic = SPAN_LIT("none"), .partition = 0, .end = INT64_MAX},
    };
    struct broker_fetch request = {.base = {.arena = &w->arena, .ctx = w},
                                   .parts = parts,
                                   .count = ARRAY_COUNT(parts),
                                   .bytes_max = INT64_MAX,
                                   .visit = see_record,
                                   .visit_batch = batches ? see_batch : NULL};
    w->seen[0] = '\0';
    enum status status = answered(w, w->broker->ops->fetch(w->broker, &request), &request.base);
    assert_memory_equal(w->seen, expected, strlen(w->seen));
    return saw(w, status, expected);
}

static enum status fetch_records(struct world *w)
{
    return fetch(w, false, "0:0=a 0:1=b 0:2=c 1:0=x 1:1=y ");
}

static enum status fetch_batches(struct world *w)
{
    return fetch(w, true, "0:0=a 0:1=b 0:2=c 1:0-1=[x,y] ");
}

/* --- groups --- */

static enum status groups(struct world *w)
{
    struct broker_groups request = {.base = {.arena = &w->arena}};
    enum status status = answered(w, w->broker->ops->groups(w->broker, &request), &request.base);
    w->seen[0] = '\0';
    for (size_t i = 0; status == STATUS_OK && i < request.count; i++) {
        see(w, "%.*s:%zu ", SPAN_ARG(request.groups[i].name), request.groups[i].member_count);
    }
    return saw(w, status, "dead:0 live:1 ");
}

static enum status describe(struct world *w, const char *group)
{
    struct broker_describe request = {.base = {.arena = &w->arena}, .group = span_from_cstr(group)};
    enum status status = answered(w, w->broker->ops->describe(w->broker, &request), &request.base);
    w->seen[0] = '\0';
    if (status != STATUS_OK) {
        return status;
    }
    see(w, request.exists ? "there " : "not there ");
    for (size_t i = 0; i < request.member_count; i++) {
        const struct broker_group_member *member = &request.members[i];
        see(w, "%.*s %.*s ", SPAN_ARG(member->member_id), SPAN_ARG(member->client_id));
        for (size_t p = 0; p < member->place_count; p++) {
            see(w, "%.*s:%d ", SPAN_ARG(member->places[p].topic), (int)member->places[p].partition);
        }
    }
    return STATUS_OK;
}

static enum status describe_live(struct world *w)
{
    return saw(w, describe(w, "live"), "there m-1 client kept:0 kept:1 ");
}

static enum status describe_dead(struct world *w)
{
    return saw(w, describe(w, "dead"), "there ");
}

static enum status committed(struct world *w, const char *group, struct broker_committed *places,
                             size_t count)
{
    struct broker_group_offsets request = {.base = {.arena = &w->arena},
                                           .group = span_from_cstr(group),
                                           .places = places,
                                           .count = count};
    enum status status =
        answered(w, w->broker->ops->group_offsets(w->broker, &request), &request.base);
    w->seen[0] = '\0';
    for (size_t i = 0; status == STATUS_OK && i < request.count; i++) {
        const struct broker_committed *place = &request.places[i];
        see(w, "%.*s:%d=%d,%.*s ", SPAN_ARG(place->topic), (int)place->partition,
            (int)place->offset, SPAN_ARG(place->metadata));
    }
    return status;
}

static enum status committed_of_all(struct world *w)
{
    return saw(w, committed(w, "dead", NULL, 0), "kept:0=1,m kept:1=2,m ");
}

static enum status committed_of_some(struct world *w)
{
    struct broker_committed places[] = {{.topic = SPAN_LIT("kept"), .partition = 1},
                                        {.topic = SPAN_LIT("kept"), .partition = 7},
                                        {.topic = SPAN_LIT("kept"), .partition = 0}};
    return saw(w, committed(w, "dead", places, ARRAY_COUNT(places)),
               "kept:1=2,m kept:7=-1, kept:0=1,m ");
}

static enum status commit_to(struct world *w, const char *group, int64_t first, int64_t second)
{
    const struct broker_committed places[] = {
        {.topic = SPAN_LIT("kept"), .partition = 0, .offset = first, .metadata = SPAN_LIT("m")},
        {.topic = SPAN_LIT("kept"), .partition = 1, .offset = second, .metadata = SPAN_LIT("m")},
    };
    struct broker_commit request = {.base = {.arena = &w->arena},
                                    .group = span_from_cstr(group),
                                    .places = places,
                                    .count = ARRAY_COUNT(places)};
    return answered(w, w->broker->ops->commit(w->broker, &request), &request.base);
}

static enum status commit(struct world *w)
{
    return commit_to(w, "dead", 0, 1);
}

static bool dead_has_moved(struct world *w)
{
    assert_int_equal(committed(w, "dead", NULL, 0), STATUS_OK);
    return strcmp(w->seen, "kept:0=0,m kept:1=1,m ") == 0;
}

/* --- members --- */

static enum status ask(struct world *w, struct group_member *member,
                       enum broker_membership_action action)
{
    static const struct span topics[] = {SPAN_LIT("kept")};
    struct group_choice choices[] = {
        {SPAN_LIT("none"), 3}, {SPAN_LIT("kept"), 1}, {SPAN_LIT("kept"), 0}};
    struct broker_membership request = {.base = {.arena = &w->arena},
                                        .member = member,
                                        .action = action,
                                        .topics = topics,
                                        .topic_count = ARRAY_COUNT(topics),
                                        .pattern = SPAN_LIT("ke[a-z]+"),
                                        .choices = choices,
                                        .choice_count = ARRAY_COUNT(choices)};
    enum status status =
        answered(w, w->broker->ops->membership(w->broker, &request), &request.base);
    assert_false(request.goes_on); /* there is little to do */
    return status;
}

static void must(struct world *w, struct group_member *member, enum broker_membership_action action)
{
    if (ask(w, member, action) != STATUS_OK) {
        fail_msg("%s: %s", w->what, w->err.message);
    }
}

/* "kept:1@2 ": what the member holds and where it reads next; "?" before it knows. */
static const char *holdings(struct world *w, const struct group_member *member)
{
    struct group_walk walk = group_member_walk(member, 0);
    struct group_partition p;
    w->seen[0] = '\0';
    while (group_member_next(member, &walk, &p)) {
        see(w, "%s:%d@", p.topic->text, (int)p.partition);
        see(w, p.at == GROUP_POSITION_FIXED ? "%d " : "? ", (int)p.offset);
    }
    return w->seen;
}

static bool holds(struct world *w, const struct group_member *member, const char *expected)
{
    return strcmp(holdings(w, member), expected) == 0;
}

static enum status subscribe(struct world *w)
{
    return ask(w, w->guest, BROKER_MEMBER_SUBSCRIBE);
}

static bool guest_has_topics(struct world *w)
{
    return group_member_mode(w->guest) == GROUP_MODE_TOPICS &&
           group_member_topic_count(w->guest) == 1;
}

static enum status subscribe_pattern(struct world *w)
{
    return ask(w, w->guest, BROKER_MEMBER_SUBSCRIBE_PATTERN);
}

static bool guest_has_a_pattern(struct world *w)
{
    return group_member_mode(w->guest) == GROUP_MODE_PATTERN &&
           group_member_wants(w->guest, SPAN_LIT("kept"));
}

static enum status assign(struct world *w)
{
    return ask(w, w->guest, BROKER_MEMBER_ASSIGN);
}

static bool guest_has_partitions(struct world *w)
{
    return holds(w, w->guest, "kept:0@? kept:1@? none:3@? ");
}

static void guest_assigns(struct world *w)
{
    must(w, w->guest, BROKER_MEMBER_ASSIGN);
}

static enum status poll_of_guest(struct world *w)
{
    return ask(w, w->guest, BROKER_MEMBER_POLL);
}

static bool guest_knows_where(struct world *w)
{
    return holds(w, w->guest, "kept:0@1 kept:1@2 none:3@? ");
}

static void guest_subscribes(struct world *w)
{
    must(w, w->guest, BROKER_MEMBER_SUBSCRIBE);
}

static void guest_subscribes_to_a_pattern(struct world *w)
{
    must(w, w->guest, BROKER_MEMBER_SUBSCRIBE_PATTERN);
}

/* With the next poll of each at the latest. */
static bool partitions_are_shared(struct world *w)
{
    must(w, w->member, BROKER_MEMBER_POLL);
    return holds(w, w->member, "kept:0@1 ") && holds(w, w->guest, "kept:1@2 ");
}

static void guest_joins(struct world *w)
{
    guest_subscribes(w);
    must(w, w->guest, BROKER_MEMBER_POLL);
    assert_true(partitions_are_shared(w));
}

static enum status close_guest(struct world *w)
{
    return ask(w, w->guest, BROKER_MEMBER_CLOSE);
}

/* With the next poll at the latest. */
static bool member_has_all(struct world *w)
{
    must(w, w->member, BROKER_MEMBER_POLL);
    return holds(w, w->member, "kept:0@1 kept:1@2 ") && !group_member_is_joined(w->guest);
}

/* The topic has been made again: it is another one. */
static void kept_is_made_again(struct world *w)
{
    assert_int_equal(delete_kept(w), STATUS_OK);
    assert_int_equal(create_topic(w, "kept", 2, "delete"), STATUS_OK);
}

static enum status poll_of_member(struct world *w)
{
    return ask(w, w->member, BROKER_MEMBER_POLL);
}

static bool member_reads_from_its_beginning(struct world *w)
{
    return holds(w, w->member, "kept:0@0 kept:1@0 ");
}

static enum status seek_and_commit(struct world *w)
{
    const struct group_choice choice = {SPAN_LIT("kept"), 1};
    enum status status = group_member_seek(w->member, &choice, 0);
    return status == STATUS_OK ? ask(w, w->member, BROKER_MEMBER_COMMIT)
                               : error_set(&w->err, status, "seek");
}

static bool live_is_at_the_place_sought(struct world *w)
{
    struct broker_committed place = {.topic = SPAN_LIT("kept"), .partition = 1};
    assert_int_equal(committed(w, "live", &place, 1), STATUS_OK);
    return place.offset == 0;
}

static enum status seek_an_edge(struct world *w)
{
    const struct group_choice choice = {SPAN_LIT("kept"), 0};
    enum status status = group_member_seek_edge(w->member, &choice, GROUP_POSITION_END);
    return status == STATUS_OK ? poll_of_member(w) : error_set(&w->err, status, "seek");
}

static bool member_is_at_the_end(struct world *w)
{
    return holds(w, w->member, "kept:0@3 kept:1@2 ");
}

static const struct call calls[] = {
    {.name = "metadata of all", .run = metadata_of_all},
    {.name = "metadata of some", .run = metadata_of_some},
    {.name = "configs", .run = configs},
    {.name = "create", .run = create, .is_done = new_is_there},
    {.name = "delete", .run = delete_kept, .is_done = kept_is_gone},
    {.name = "offsets", .run = offsets},
    {"produce", NULL, produce_to_two_partitions, both_have_more, true},
    {.name = "produce a batch", .run = produce_a_batch, .is_done = batch_is_kept},
    {.name = "produce to a missing topic",
     .run = produce_to_a_missing_topic,
     .is_done = new_has_a_record},
    {.name = "produce without a key", .run = produce_without_a_key},
    {.name = "produce a batch without a key", .run = produce_a_batch_without_a_key},
    {.name = "fetch", .run = fetch_records},
    {.name = "fetch batches", .run = fetch_batches},
    {.name = "groups", .run = groups},
    {.name = "describe", .run = describe_live},
    {.name = "describe a group without members", .run = describe_dead},
    {.name = "committed", .run = committed_of_all},
    {.name = "committed of some", .run = committed_of_some},
    {.name = "commit", .run = commit, .is_done = dead_has_moved},
    {.name = "subscribe", .run = subscribe, .is_done = guest_has_topics},
    {.name = "subscribe to a pattern", .run = subscribe_pattern, .is_done = guest_has_a_pattern},
    {.name = "assign", .run = assign, .is_done = guest_has_partitions},
    {"poll with partitions by hand", guest_assigns, poll_of_guest, guest_knows_where, true},
    {"join", guest_subscribes, poll_of_guest, partitions_are_shared, true},
    {"join by a pattern", guest_subscribes_to_a_pattern, poll_of_guest, partitions_are_shared,
     true},
    {"close", guest_joins, close_guest, member_has_all, true},
    {"poll when topics changed", kept_is_made_again, poll_of_member,
     member_reads_from_its_beginning, true},
    {"seek and commit", NULL, seek_and_commit, live_is_at_the_place_sought, true},
    {"seek an edge and poll", NULL, seek_an_edge, member_is_at_the_end, true},
};

/* --- the world --- */

static void note_append(void *ctx, const struct broker_topic *topic, int32_t partition)
{
    struct world *w = ctx;
    if (span_equal_cstr(topic->name, "kept")) {
        w->told[partition]++;
    }
}

static struct group_member *member_new(struct world *w, const char *id)
{
    struct group_member *member =
        group_member_new(&(struct group_member_options){.group_name = SPAN_LIT("live"),
                                                        .member_id = span_from_cstr(id),
                                                        .client_id = SPAN_LIT("client"),
                                                        .auto_commit = true,
                                                        .reset = GROUP_RESET_EARLIEST,
                                                        .log = &w->log,
                                                        .budget = &w->budget});
    assert_non_null(member);
    return member;
}

static void world_open(struct world *w)
{
    const struct store_options store = {.directory = w->dir.path, .env = &w->env, .log = &w->log};
    assert_int_equal(store_open(&store, &w->store, NULL), STATUS_OK);
    const struct broker_store_options broker = {
        .store = w->store, .env = &w->env, .log = &w->log, .auto_create = true};
    assert_int_equal(broker_store_new(&broker, &w->broker), STATUS_OK);
    broker_listen(w->broker, (struct broker_listener){note_append, w});
    arena_init(&w->arena, ARENA_BYTES);
    w->err = ERROR_NONE;
    w->member = member_new(w, "m-1");
    w->guest = member_new(w, "m-2");
}

static void world_close(struct world *w)
{
    must(w, w->guest, BROKER_MEMBER_CLOSE);
    must(w, w->member, BROKER_MEMBER_CLOSE);
    group_member_free(w->guest);
    group_member_free(w->member);
    assert_int_equal(w->budget.used_bytes, 0);
    arena_release(&w->arena);
    broker_free(w->broker);
    store_close(w->store);
}

static void world_fill(struct world *w)
{
    const struct broker_record alone[] = {record_for(0, NULL, "a"), record_for(0, NULL, "b"),
                                          record_for(0, NULL, "c")};
    const struct broker_record together[] = {record_for(1, NULL, "x"), record_for(1, NULL, "y")};
    struct broker_record timed[ARRAY_COUNT(alone)];
    for (size_t i = 0; i < ARRAY_COUNT(alone); i++) {
        timed[i] = alone[i];
        timed[i].timestamp_ms = 1000 + (int64_t)i;
    }
    assert_int_equal(create_topic(w, "kept", 2, "delete"), STATUS_OK);
    assert_int_equal(create_topic(w, "other", 1, "delete"), STATUS_OK);
    assert_int_equal(create_topic(w, "compacted", 1, "delete, compact"), STATUS_OK);
    assert_int_equal(produce(w, "kept", "", timed, ARRAY_COUNT(timed), KAFKA_ERROR_NONE),
                     STATUS_OK);
    assert_int_equal(produce(w, "kept", "[x,y]", together, ARRAY_COUNT(together), KAFKA_ERROR_NONE),
                     STATUS_OK);
    assert_int_equal(commit_to(w, "dead", 1, 2), STATUS_OK);
    assert_int_equal(commit_to(w, "live", 1, 2), STATUS_OK);
    assert_int_equal(store_turn_commit(w->store, NULL), STATUS_OK);
}

static FILE *store_file(const struct world *w, const char *mode)
{
    char path[sizeof(w->dir.path) + 16];
    temp_dir_path(&w->dir, "state.db", path, sizeof(path));
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

static void world_remember(struct world *w)
{
    FILE *file = store_file(w, "rb");
    buf_init(&w->file, FILE_BYTES_MAX);
    for (int byte; (byte = fgetc(file)) != EOF;) {
        buf_append_byte(&w->file, (char)byte);
    }
    fclose(file);
    assert_true(buf_ok(&w->file) && w->file.len > 0);
}

/* As it was filled, with nothing of it in memory. */
static void world_begin(struct world *w, const struct call *call)
{
    FILE *file = store_file(w, "wb");
    assert_int_equal(fwrite(w->file.ptr, 1, w->file.len, file), w->file.len);
    fclose(file);
    world_open(w);
    must(w, w->member, BROKER_MEMBER_SUBSCRIBE);
    must(w, w->member, BROKER_MEMBER_POLL);
    assert_true(holds(w, w->member, "kept:0@1 kept:1@2 "));
    if (call->before != NULL) {
        call->before(w);
        assert_int_equal(store_turn_commit(w->store, NULL), STATUS_OK);
    }
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    temp_dir_make(&w->dir);
    fault_vfs_install(&w->vfs, vfs_name);
    env_init_virtual(&w->env, 1, INT64_C(1700000000000000));
    w->env.sqlite_vfs = vfs_name;
    log_init(&w->log, &w->env, stderr, LOG_OFF);
    budget_init(&w->budget, BUDGET_BYTES);
    world_open(w);
    world_fill(w);
    world_close(w);
    world_remember(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    alloc_fault_end(); /* a test that failed in the midst */
    fault_vfs_uninstall(&w->vfs);
    temp_dir_remove(&w->dir);
    buf_release(&w->file);
    free(w);
    return 0;
}

/* --- the points --- */

static bool is_a_lie(enum status status)
{
    return status == STATUS_NOT_FOUND || status == STATUS_EXISTS || status == STATUS_INVALID ||
           status == STATUS_CORRUPT || status == STATUS_LIMIT;
}

static void judge(struct world *w, const struct call *call, bool failed, enum status status)
{
    if (is_a_lie(status) || (status != STATUS_OK && !failed)) {
        fail_msg("%s: %s: %s", w->what, status_name(status), w->err.message);
    }
    if (status != STATUS_OK) {
        assert_true(w->err.message[0] != '\0');
        /* What was not done is not kept either. */
        if (store_turn_commit(w->store, NULL) != STATUS_OK && store_has_stopped(w->store, NULL)) {
            return; /* a sync failed: nothing more is to work */
        }
        if (call->is_done != NULL && !call->in_pieces && call->is_done(w)) {
            fail_msg("%s: done, though it said: %s", w->what, w->err.message);
        }
        status = call->run(w);
    }
    if (status != STATUS_OK) {
        fail_msg("%s: again: %s: %s", w->what, status_name(status), w->err.message);
    }
    if (call->is_done != NULL && !call->is_done(w)) {
        fail_msg("%s: not done: %s", w->what, w->seen);
    }
}

static void calls_without_memory(struct world *w, enum alloc_fault_mode mode)
{
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        bool failed = true;
        for (long n = 1; failed; n++) {
            long alive = alloc_fault_alive();
            snprintf(w->what, sizeof(w->what), "%s, allocation %ld", calls[i].name, n);
            world_begin(w, &calls[i]);
            alloc_fault_begin(n, mode);
            enum status status = calls[i].run(w);
            failed = alloc_fault_end();
            judge(w, &calls[i], failed, status);
            world_close(w);
            if (alloc_fault_alive() != alive) {
                fail_msg("%s: %ld are left", w->what, alloc_fault_alive() - alive);
            }
        }
    }
}

static void a_call_without_memory_says_so_and_works_when_there_is_some(void **state)
{
    calls_without_memory(*state, ALLOC_FAILS_ONCE);
}

static void a_call_while_there_is_no_memory_at_all_says_so(void **state)
{
    calls_without_memory(*state, ALLOC_FAILS_FROM_THERE_ON);
}

static void a_call_whose_store_fails_says_so_and_works_when_it_does_not(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        bool failed = true;
        for (uint64_t n = 1; failed; n++) {
            snprintf(w->what, sizeof(w->what), "%s, operation %d", calls[i].name, (int)n);
            world_begin(w, &calls[i]);
            fault_vfs_fail(&w->vfs, FAULT_ANY, n, SQLITE_IOERR, false);
            enum status status = calls[i].run(w);
            failed = w->vfs.failures > 0;
            fault_vfs_fail(&w->vfs, 0, 0, 0, false);
            judge(w, &calls[i], failed, status);
            world_close(w);
        }
    }
}

/* A request's arena has a ceiling, and at each call another one. */
static void a_call_whose_arena_is_full_says_so_and_works_in_a_larger_one(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        enum status status = STATUS_NO_MEMORY;
        for (size_t bytes = 0; status != STATUS_OK; bytes += ARENA_STEP_BYTES) {
            snprintf(w->what, sizeof(w->what), "%s, an arena of %zu bytes", calls[i].name, bytes);
            world_begin(w, &calls[i]);
            w->arena.max_bytes = w->arena.used_bytes + bytes;
            status = calls[i].run(w);
            w->arena.max_bytes = ARENA_BYTES;
            judge(w, &calls[i], true, status);
            world_close(w);
        }
    }
}

/* Memory that SQLite keeps in reserve would hide which of its calls need some. */
static int no_reserve(void **state)
{
    (void)state;
    return sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) == SQLITE_OK ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_call_without_memory_says_so_and_works_when_there_is_some),
        TEST(a_call_while_there_is_no_memory_at_all_says_so),
        TEST(a_call_whose_store_fails_says_so_and_works_when_it_does_not),
        TEST(a_call_whose_arena_is_full_says_so_and_works_in_a_larger_one),
    };
    return cmocka_run_group_tests_name("broker_faults", tests, no_reserve, NULL);
}
