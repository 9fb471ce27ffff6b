/* Members of wide topics: what they take of memory, what a step does at most, and that both are the
 * same as one partition after the other. */
#include "alloc_fault.h"
#include "budget.h"
#include "group_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MEMBERS_MAX = 3, WIDE = 10000 };

struct fixture {
    struct env env;
    struct log log;
    struct store *store;
    struct budget budget;
    struct group_set set;
    struct group_member *members[MEMBERS_MAX];
};

static const char *const member_ids[MEMBERS_MAX] = {"m-a", "m-b", "m-c"};

static struct group_member *member_make(struct fixture *f, size_t i, const char *group)
{
    const struct group_member_options options = {
        .group_name = span_from_cstr(group),
        .member_id = span_from_cstr(member_ids[i]),
        .client_id = span_from_cstr(member_ids[i]),
        .auto_commit = true,
        .reset = GROUP_RESET_EARLIEST,
        .log = &f->log,
        .budget = &f->budget,
    };
    f->members[i] = group_member_new(&options);
    f->members[i]->seat.set = &f->set;
    return f->members[i];
}

static void topic_make(struct fixture *f, const char *name, int32_t partitions)
{
    const struct store_topic_spec spec = {.name = span_from_cstr(name),
                                          .partition_count = partitions};
    assert_int_equal(store_topic_create(f->store, &spec, NULL), STATUS_OK);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    struct store_options options = {.env = &f->env, .log = &f->log};
    assert_int_equal(store_open(&options, &f->store, NULL), STATUS_OK);
    group_set_init(&f->set, f->store, &f->log);
    budget_init(&f->budget, 48 * 1024 * 1024);
    topic_make(f, "wide", WIDE);
    *state = f;
    return 0;
}

static size_t pairs_used(const struct fixture *f)
{
    return f->budget.shares[BUDGET_PAIRS].used_bytes;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    group_set_close(&f->set);
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        if (f->members[i] != NULL) {
            assert_true(group_member_close(f->members[i], NULL));
            group_member_free(f->members[i]);
        }
    }
    assert_int_equal(pairs_used(f), 0);
    group_set_release(&f->set);
    store_close(f->store);
    free(f);
    return 0;
}

static enum status subscribe(struct group_member *member, struct span topic)
{
    return group_member_subscribe(member, &topic, 1, NULL, NULL);
}

/* Joined, with its positions settled. */
static struct group_member *reader(struct fixture *f, size_t i, const char *group)
{
    struct group_member *member = member_make(f, i, group);
    assert_int_equal(subscribe(member, SPAN_LIT("wide")), STATUS_OK);
    assert_int_equal(group_member_poll(member, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(member, NULL), STATUS_OK);
    return member;
}

static void read_to(struct group_member *member, size_t index, int64_t offset)
{
    assert_int_equal(group_member_reserve(member, index), STATUS_OK);
    group_member_read_on(member, index, offset);
}

static void append(struct fixture *f, int32_t partition, int count)
{
    const struct store_topic *topic = store_topic_find(f->store, SPAN_LIT("wide"));
    for (int i = 0; i < count; i++) {
        struct store_record record = {.has_value = true, .value = SPAN_LIT("1")};
        int64_t offset;
        const struct store_place place = {topic, partition};
        assert_int_equal(store_record_append(f->store, place, &record, &offset, NULL), STATUS_OK);
    }
}

static void commit(struct fixture *f, struct span topic, int32_t partition, int64_t offset)
{
    struct store_commit place = {topic, partition, offset, SPAN_EMPTY};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("g"), &place, NULL), STATUS_OK);
}

static void count_commit(void *ctx, struct span group, const struct store_commit *place)
{
    (void)group;
    (void)place;
    ++*(size_t *)ctx;
}

static size_t commits_of(struct fixture *f, struct span group)
{
    size_t count = 0;
    assert_int_equal(store_group_visit(f->store, group, count_commit, &count, NULL), STATUS_OK);
    return count;
}

/* --- memory --- */

static void empty_partitions_take_no_memory(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    assert_int_equal(group_member_partition_count(m), WIDE);
    assert_int_equal(group_member_partition(m, WIDE - 1).at, GROUP_POSITION_FIXED);
    assert_true(pairs_used(f) < 2048);
}

static void a_partition_that_was_read_takes_a_place_for_each_of_its_topic(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    size_t before = pairs_used(f);
    append(f, 7, 3);
    read_to(m, 7, 2);
    assert_int_equal(pairs_used(f) - before, WIDE * sizeof(int64_t));
    read_to(m, 8, 0);
    assert_int_equal(pairs_used(f) - before, WIDE * sizeof(int64_t));
    assert_int_equal(group_member_partition(m, 6).offset, 0);
    assert_int_equal(group_member_partition(m, 7).offset, 2);
    group_member_seek_edges(m, GROUP_POSITION_BEGINNING);
    assert_int_equal(pairs_used(f), before);
    assert_int_equal(group_member_partition(m, 7).at, GROUP_POSITION_BEGINNING);
}

static void what_goes_over_the_budget_is_refused_and_nothing_has_changed(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    size_t others = 0;
    size_t room = budget_room(&f->budget, BUDGET_PAIRS);
    budget_note(&f->budget, BUDGET_PAIRS, &others, room - WIDE * sizeof(int64_t) + 1);
    append(f, 7, 3);
    assert_int_equal(group_member_reserve(m, 7), STATUS_LIMIT);
    const struct group_choice choice = {SPAN_LIT("wide"), 7};
    assert_int_equal(group_member_seek(m, &choice, 1), STATUS_LIMIT);
    assert_int_equal(group_member_partition(m, 7).offset, 0);
    budget_note(&f->budget, BUDGET_PAIRS, &others, room - WIDE * sizeof(int64_t));
    assert_int_equal(group_member_seek(m, &choice, 1), STATUS_OK);
    budget_note(&f->budget, BUDGET_PAIRS, &others, 0);
}

static void the_newest_member_is_refused_and_those_before_go_on(void **state)
{
    struct fixture *f = *state;
    struct group_member *first = reader(f, 0, "g");
    struct group_member *newest = member_make(f, 1, "g");
    struct group_member *third = member_make(f, 2, "g");
    assert_int_equal(subscribe(newest, SPAN_LIT("wide")), STATUS_OK);
    size_t others = 0;
    budget_note(&f->budget, BUDGET_PAIRS, &others, budget_room(&f->budget, BUDGET_PAIRS));
    assert_int_equal(group_member_poll(newest, NULL, NULL), STATUS_LIMIT);
    assert_false(group_member_is_joined(newest));
    assert_int_equal(subscribe(third, SPAN_LIT("wide")), STATUS_LIMIT);
    struct group_choice choice = {SPAN_LIT("wide"), 0};
    assert_int_equal(group_member_assign(third, &choice, 1, NULL, NULL), STATUS_LIMIT);
    assert_int_equal(group_member_subscribe_pattern(third, SPAN_LIT(".*"), NULL, NULL),
                     STATUS_LIMIT);
    assert_int_equal(group_member_mode(third), GROUP_MODE_NONE);
    assert_int_equal(group_member_poll(first, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_partition_count(first), WIDE);
    budget_note(&f->budget, BUDGET_PAIRS, &others, 0);
    assert_int_equal(group_member_poll(newest, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_partition_count(newest), WIDE / 2);
}

/* Its share is beyond the budget only in a later slice, in its own poll or in another's. */
static void a_newcomer_of_many_slices_is_refused_and_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    struct group_member *first = reader(f, 0, "g");
    struct group_member *newest = member_make(f, 1, "g");
    assert_int_equal(subscribe(newest, SPAN_LIT("wide")), STATUS_OK);
    size_t others = 0;
    uint64_t epoch = group_member_epoch(first);
    first->options.auto_commit = false;
    for (int who = 0; who < 2; who++) {
        struct group_slice slice = {.commits_left = 1, .looks_left = 1};
        assert_int_equal(group_member_poll(newest, &slice, NULL), STATUS_OK);
        assert_true(slice.goes_on);
        assert_true(group_member_is_joined(newest));
        budget_note(&f->budget, BUDGET_PAIRS, &others,
                    others + budget_room(&f->budget, BUDGET_PAIRS));
        if (who == 1) {
            assert_int_equal(group_member_poll(first, NULL, NULL), STATUS_OK);
            assert_false(group_member_is_joined(newest));
        }
        assert_int_equal(group_member_poll(newest, NULL, NULL), STATUS_LIMIT);
        assert_false(group_member_is_joined(newest));
        assert_int_equal(group_member_poll(first, NULL, NULL), STATUS_OK);
        assert_int_equal(group_member_partition_count(first), WIDE);
        assert_true(group_member_epoch(first) == epoch);
        assert_int_equal(group_set_find(&f->set, SPAN_LIT("g"))->member_count, 1);
        budget_note(&f->budget, BUDGET_PAIRS, &others, 0);
    }
    assert_int_equal(group_member_poll(newest, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_partition_count(newest), WIDE / 2);
}

/* Deals under way, of many groups at once, are memory like any other. */
static void a_deal_under_way_counts_until_it_is_over(void **state)
{
    struct fixture *f = *state;
    char name[16];
    enum { topics = 1000 };
    for (int i = 0; i < topics; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        topic_make(f, name, MEMBERS_MAX);
    }
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        struct group_member *m = member_make(f, i, "g");
        m->options.auto_commit = false;
        assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("t.*"), NULL, NULL), STATUS_OK);
    }
    size_t before = pairs_used(f);
    size_t dealt = 0;
    struct group_slice slice;
    assert_int_equal(group_member_poll(f->members[1], NULL, NULL), STATUS_OK);
    size_t alone = pairs_used(f);
    assert_true(alone > before + topics * sizeof(struct group_run));
    slice = (struct group_slice){.commits_left = 1, .looks_left = 1};
    assert_int_equal(group_member_poll(f->members[2], &slice, NULL), STATUS_OK);
    do {
        slice = (struct group_slice){.commits_left = 1, .looks_left = 1};
        assert_int_equal(group_member_poll(f->members[0], &slice, NULL), STATUS_OK);
        const struct group *group = group_set_find(&f->set, SPAN_LIT("g"));
        dealt = group->deal != NULL ? pairs_used(f) : dealt;
        assert_true(group->deal == NULL || dealt > alone + topics * 2 * sizeof(uint32_t));
    } while (slice.goes_on);
    assert_true(dealt > alone + topics * sizeof(struct group_run));
    assert_int_equal(pairs_used(f), alone + 2 * (alone - before));
    size_t after = pairs_used(f);
    /* One that is given up gives back what it took. */
    topic_make(f, "t-new", 2);
    slice = (struct group_slice){.commits_left = 1, .looks_left = topics + topics / 8};
    assert_int_equal(group_member_poll(f->members[0], &slice, NULL), STATUS_OK);
    assert_true(pairs_used(f) > after);
    size_t others = 0;
    budget_note(&f->budget, BUDGET_PAIRS, &others, budget_room(&f->budget, BUDGET_PAIRS));
    assert_int_equal(group_member_poll(f->members[0], NULL, NULL), STATUS_LIMIT);
    assert_int_equal(pairs_used(f), after + others);
    assert_int_equal(group_member_partition_count(f->members[0]), topics);
    budget_note(&f->budget, BUDGET_PAIRS, &others, 0);
    assert_int_equal(group_member_poll(f->members[1], NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_partition_count(f->members[0]), topics + 1);
}

/* --- steps --- */

/* What a client was told is done is done, wherever its partition goes. */
static void a_seek_amid_a_rebalance_is_kept(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    struct group_member *other = member_make(f, 1, "g");
    const struct group_choice first = {SPAN_LIT("wide"), 0};
    const struct group_choice last = {SPAN_LIT("wide"), WIDE - 1};
    const struct group_choice middle = {SPAN_LIT("wide"), WIDE - 2};
    append(f, 0, 5);
    append(f, WIDE - 1, 5);
    append(f, WIDE - 2, 5);
    read_to(m, 0, 5);
    read_to(m, WIDE - 1, 5);
    read_to(m, WIDE - 2, 1);
    assert_int_equal(group_member_commit(m, NULL, NULL), STATUS_OK);
    assert_int_equal(subscribe(other, SPAN_LIT("wide")), STATUS_OK);
    int slices = 0;
    for (bool goes_on = true; goes_on; slices++) {
        struct group_slice slice = {.commits_left = 1, .looks_left = slices == 0 ? WIDE + 5 : 1000};
        assert_int_equal(group_member_poll(other, &slice, NULL), STATUS_OK);
        goes_on = slice.goes_on;
        if (slices == 0) {
            assert_true(goes_on);
            assert_int_equal(group_member_partition_count(m), WIDE);
            assert_int_equal(group_member_seek(m, &first, 2), STATUS_OK);
            assert_int_equal(group_member_seek_edge(m, &last, GROUP_POSITION_BEGINNING), STATUS_OK);
            assert_int_equal(group_member_seek_edge(m, &middle, GROUP_POSITION_END), STATUS_OK);
        }
        assert_true(slices < 40);
    }
    assert_int_equal(group_member_partition_count(m), WIDE / 2);
    assert_int_equal(group_member_partition(m, 0).offset, 2);
    assert_int_equal(group_member_partition(other, WIDE / 2 - 1).offset, 0);
    assert_int_equal(group_member_partition(other, WIDE / 2 - 2).offset, 5);
}

static void a_first_commit_of_many_takes_turns(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    size_t done = 0;
    int slices = 0;
    for (bool goes_on = true; goes_on; slices++) {
        struct group_slice slice = GROUP_SLICE;
        assert_int_equal(group_member_commit(m, &slice, NULL), STATUS_OK);
        size_t now = commits_of(f, SPAN_LIT("g"));
        assert_true(now - done <= GROUP_SLICE_COMMITS);
        done = now;
        goes_on = slice.goes_on;
    }
    assert_int_equal(done, WIDE);
    assert_int_equal(slices, (WIDE + GROUP_SLICE_COMMITS - 1) / GROUP_SLICE_COMMITS);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    struct group_slice slice = {.commits_left = 0, .looks_left = WIDE};
    assert_int_equal(group_member_commit(m, &slice, NULL), STATUS_OK);
    assert_false(slice.goes_on); /* all is committed already */
    assert_false(store_turn_has_writes(f->store));
}

static void looking_at_what_is_committed_takes_turns_too(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    assert_int_equal(group_member_commit(m, NULL, NULL), STATUS_OK);
    for (size_t looked = 0; looked < WIDE; looked += WIDE / 4) {
        struct group_slice slice = {.commits_left = 1, .looks_left = WIDE / 4};
        assert_int_equal(group_member_commit(m, &slice, NULL), STATUS_OK);
        assert_int_equal(slice.looks_left, 0);
        assert_int_equal(slice.goes_on, looked + WIDE / 4 < WIDE);
    }
}

static void a_rebalance_in_slices_comes_to_its_end(void **state)
{
    struct fixture *f = *state;
    struct group_member *first = reader(f, 0, "g");
    struct group_member *second = reader(f, 1, "g");
    struct group_member *third = member_make(f, 2, "g");
    assert_int_equal(subscribe(third, SPAN_LIT("wide")), STATUS_OK);
    int slices = 0;
    for (bool goes_on = true; goes_on; slices++) {
        struct group_slice slice = {.commits_left = 1000, .looks_left = 1500};
        struct group_member *poller = slices % 2 == 0 ? third : second;
        assert_int_equal(group_member_poll(poller, &slice, NULL), STATUS_OK);
        goes_on = slice.goes_on;
        assert_true(slices < 20);
    }
    assert_true(slices > 6);
    assert_int_equal(group_member_partition_count(first) + group_member_partition_count(second) +
                         group_member_partition_count(third),
                     WIDE);
    assert_int_equal(commits_of(f, SPAN_LIT("g")), WIDE);
}

enum { CROWD = 40, CROWD_TOPICS = 300, CROWD_PARTITIONS = 50 };

/* Members of one group that all want the same many topics. */
struct crowd {
    struct group_member *members[CROWD];
    char names[CROWD_TOPICS][16];
    char ids[CROWD][16];
};

static struct crowd *crowd_join(struct fixture *f)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    struct span topics[CROWD_TOPICS];
    for (size_t i = 0; i < CROWD_TOPICS; i++) {
        snprintf(crowd->names[i], sizeof(crowd->names[i]), "t%zu", i);
        topic_make(f, crowd->names[i], CROWD_PARTITIONS);
        topics[i] = span_from_cstr(crowd->names[i]);
    }
    for (size_t i = 0; i < CROWD; i++) {
        snprintf(crowd->ids[i], sizeof(crowd->ids[i]), "c-%02zu", i);
        crowd->members[i] = group_member_new(&(struct group_member_options){
            .group_name = SPAN_LIT("crowd"),
            .member_id = span_from_cstr(crowd->ids[i]),
            .client_id = span_from_cstr(crowd->ids[i]),
            .reset = GROUP_RESET_EARLIEST,
            .log = &f->log,
        });
        crowd->members[i]->seat.set = &f->set;
        assert_int_equal(
            group_member_subscribe(crowd->members[i], topics, CROWD_TOPICS, NULL, NULL), STATUS_OK);
    }
    return crowd;
}

static void crowd_free(struct crowd *crowd)
{
    for (size_t i = 0; i < CROWD; i++) {
        group_member_free(crowd->members[i]);
    }
    free(crowd);
}

static size_t crowd_holds(const struct crowd *crowd)
{
    size_t count = 0;
    for (size_t i = 0; i < CROWD; i++) {
        count += group_member_partition_count(crowd->members[i]);
    }
    return count;
}

/* How many slices the member's poll takes. */
static size_t crowd_poll(struct crowd *crowd, size_t member, size_t looks)
{
    struct group_slice slice;
    size_t slices = 0;
    do {
        slice = (struct group_slice){.commits_left = 1, .looks_left = looks};
        assert_int_equal(group_member_poll(crowd->members[member], &slice, NULL), STATUS_OK);
        assert_true(crowd_holds(crowd) <= CROWD_TOPICS * CROWD_PARTITIONS);
        slices++;
    } while (slice.goes_on);
    return slices;
}

static void a_rebalance_of_many_members_takes_turns(void **state)
{
    struct fixture *f = *state;
    struct crowd *crowd = crowd_join(f);
    for (size_t i = 0; i < CROWD; i++) {
        crowd_poll(crowd, i, SIZE_MAX);
    }
    group_member_unsubscribe(crowd->members[7], NULL);
    const size_t topics = CROWD_TOPICS;
    size_t dealt = 2 * (CROWD - 1) * topics;
    size_t settled = topics * CROWD_PARTITIONS;
    topic_make(f, "t-new", 1); /* begins it again */
    struct span wanted[2] = {SPAN_LIT("t-new"), SPAN_LIT("t1")};
    assert_int_equal(group_member_subscribe(crowd->members[7], wanted, 2, NULL, NULL), STATUS_OK);
    size_t slices = 0;
    struct group_slice slice;
    do {
        slice = (struct group_slice){.commits_left = 1, .looks_left = 3 * topics};
        assert_int_equal(group_member_poll(crowd->members[7], &slice, NULL), STATUS_OK);
        slices++;
    } while (slice.goes_on);
    assert_in_range(slices, (dealt + settled) / (4 * topics), (dealt + settled) / topics);
    assert_int_equal(crowd_holds(crowd), CROWD_TOPICS * CROWD_PARTITIONS + 1);
    for (size_t i = 0; i < CROWD; i++) {
        group_member_unsubscribe(crowd->members[i], NULL);
    }
    crowd_free(crowd);
}

/* The turn's share is told what leaving, and asking whether topics have changed, took. */
static void leaving_and_matching_count_in_the_slice(void **state)
{
    struct fixture *f = *state;
    struct crowd *crowd = crowd_join(f);
    struct group_slice slice = GROUP_SLICE;
    for (size_t i = 0; i < CROWD; i++) {
        crowd_poll(crowd, i, SIZE_MAX);
    }
    group_member_unsubscribe(crowd->members[7], &slice);
    assert_int_equal(slice.looks_left, 0); /* the rest is the next poll's */
    assert_false(slice.goes_on);
    assert_true(group_set_find(&f->set, SPAN_LIT("crowd"))->stale);
    slice = GROUP_SLICE;
    assert_true(group_member_close(crowd->members[8], &slice));
    assert_int_equal(slice.looks_left, 0);
    for (size_t i = 0; i < CROWD; i++) {
        group_member_unsubscribe(crowd->members[i], NULL);
    }
    struct group_member *m = crowd->members[0];
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("wi.*"), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    topic_make(f, "another", 1);
    slice = GROUP_SLICE;
    assert_int_equal(group_member_poll(m, &slice, NULL), STATUS_OK);
    assert_in_range(slice.looks_left, 1, GROUP_SLICE_LOOKS - CROWD_TOPICS);
    group_member_unsubscribe(m, NULL);
    crowd_free(crowd);
}

static void a_rebalance_that_is_overtaken_begins_again(void **state)
{
    struct fixture *f = *state;
    struct crowd *crowd = crowd_join(f);
    for (size_t i = 0; i + 1 < CROWD; i++) {
        crowd_poll(crowd, i, SIZE_MAX);
    }
    for (int overtaken = 0; overtaken < 40; overtaken++) {
        struct group_slice slice = {.commits_left = 1, .looks_left = 1000};
        for (int i = 0; i <= overtaken && !slice.goes_on; i++) {
            assert_int_equal(group_member_poll(crowd->members[CROWD - 1], &slice, NULL), STATUS_OK);
        }
        if (overtaken % 2 == 0) {
            char name[32];
            snprintf(name, sizeof(name), "other%d", overtaken);
            topic_make(f, name, 1);
        } else {
            group_member_unsubscribe(crowd->members[overtaken], NULL);
        }
    }
    crowd_poll(crowd, 0, 1000);
    assert_int_equal(crowd_holds(crowd), CROWD_TOPICS * CROWD_PARTITIONS);
    for (size_t i = 0; i < CROWD; i++) {
        group_member_unsubscribe(crowd->members[i], NULL);
    }
    crowd_free(crowd);
}

static void closing_and_rebalancing_wait_for_the_last_slice(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    struct group_member *other = member_make(f, 1, "g");
    struct group_slice slice = {.commits_left = 1, .looks_left = WIDE};
    assert_int_equal(subscribe(other, SPAN_LIT("wide")), STATUS_OK);
    assert_int_equal(group_member_poll(other, &slice, NULL), STATUS_OK);
    assert_true(slice.goes_on);
    assert_int_equal(group_member_partition_count(m), WIDE);
    assert_int_equal(group_member_partition_count(other), 0);
    slice = (struct group_slice){.commits_left = 1, .looks_left = WIDE};
    assert_false(group_member_close(m, &slice));
    assert_true(group_member_is_joined(m));
    slice = (struct group_slice){.commits_left = WIDE - 2, .looks_left = 3 * WIDE};
    assert_int_equal(group_member_poll(other, &slice, NULL), STATUS_OK);
    assert_false(slice.goes_on);
    assert_int_equal(group_member_partition_count(other), WIDE / 2);
}

static void one_who_leaves_much_to_commit_hands_over_at_the_next_poll(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = reader(f, 0, "g");
    struct group_member *leaves = reader(f, 1, "g");
    append(f, 0, 1);
    for (int32_t i = 0; i < WIDE / 2; i++) {
        append(f, i, 1);
        read_to(m, (size_t)i, 1);
    }
    group_member_unsubscribe(leaves, NULL);
    assert_int_equal(group_member_partition_count(m), WIDE / 2);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_partition_count(m), WIDE);
    assert_int_equal(group_member_partition(m, WIDE / 2 - 1).offset, 1);
    assert_int_equal(group_member_partition(m, WIDE / 2).offset, 0);
}

/* --- commits beside strangers' --- */

static void commits_are_found_among_those_of_others(void **state)
{
    struct fixture *f = *state;
    enum { strangers = 300 };
    append(f, 3, 9);
    append(f, 5000, 9);
    for (int i = 0; i < strangers; i++) {
        commit(f, SPAN_LIT("aaa"), i, 1);
        commit(f, SPAN_LIT("vvv"), i, 1);
        commit(f, SPAN_LIT("wide"), WIDE + i, 1);
        commit(f, SPAN_LIT("wide"), -1 - i, 1);
        commit(f, SPAN_LIT("zzz"), i, 1);
    }
    commit(f, SPAN_LIT("wide"), 3, 4);
    commit(f, SPAN_LIT("wide"), 5000, 6);
    topic_make(f, "wider", 2);
    commit(f, SPAN_LIT("wider"), 1, 99); /* outside its log */
    struct group_member *m = member_make(f, 0, "g");
    const struct span topics[] = {SPAN_LIT("wider"), SPAN_LIT("wide"), SPAN_LIT("none")};
    assert_int_equal(group_member_subscribe(m, topics, 3, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    assert_int_equal(group_member_partition(m, 2).offset, 0);
    assert_int_equal(group_member_partition(m, 3).offset, 4);
    assert_int_equal(group_member_partition(m, 5000).offset, 6);
    assert_int_equal(group_member_partition(m, WIDE - 1).offset, 0);
    assert_int_equal(group_member_partition(m, WIDE + 1).offset, 0);
    assert_int_equal(group_member_partition(m, WIDE + 1).at, GROUP_POSITION_FIXED);
    assert_true(group_member_misses_topics(m));
}

/* By hand, in any order, with gaps and with places that differ. */
static void partitions_by_hand_are_found_whatever_their_order(void **state)
{
    struct fixture *f = *state;
    enum { count = 300 };
    struct group_choice choices[count];
    struct group_member *m = member_make(f, 0, "g");
    for (int i = 0; i < count; i++) {
        choices[i] = (struct group_choice){SPAN_LIT("wide"), (i * 7) % (count + 1) * 2 / 3};
    }
    assert_int_equal(group_member_assign(m, choices, count, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    size_t held = group_member_partition_count(m);
    struct group_walk walk = group_member_walk(m, 0);
    struct group_partition p;
    for (size_t i = 0; i < held; i++) {
        assert_true(group_member_next(m, &walk, &p));
        assert_int_equal(walk.index, i);
        assert_int_equal(group_member_partition(m, i).partition, p.partition);
        struct group_partition found;
        assert_true(group_member_find(m, SPAN_LIT("wide"), p.partition, &found));
        assert_int_equal(found.partition, p.partition);
    }
    assert_false(group_member_next(m, &walk, &p));
    assert_false(group_member_find(m, SPAN_LIT("wide"), WIDE - 1, &p));
    /* Those that were held keep their places. */
    append(f, 4, 5);
    const struct group_choice four = {SPAN_LIT("wide"), 4};
    assert_int_equal(group_member_seek(m, &four, 3), STATUS_OK);
    struct group_choice fewer[] = {{SPAN_LIT("wide"), 5}, four, {SPAN_LIT("wide"), 3}};
    assert_int_equal(group_member_assign(m, fewer, 3, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_partition(m, 0).offset, 0);
    assert_int_equal(group_member_partition(m, 1).offset, 3);
    assert_int_equal(group_member_partition(m, 2).offset, 0);
}

/* By hand a member may take what cannot be there. */
static void a_partition_below_0_hides_none_that_is_there(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = member_make(f, 0, "g");
    struct group_choice choices[] = {
        {SPAN_LIT("wide"), -2}, {SPAN_LIT("wide"), -1}, {SPAN_LIT("wide"), 0}};
    append(f, 0, 3);
    assert_int_equal(group_member_assign(m, choices, ARRAY_COUNT(choices), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    assert_int_equal(group_member_partition_count(m), 3);
    assert_int_equal(group_member_partition(m, 1).at, GROUP_POSITION_UNSET);
    assert_int_equal(group_member_partition(m, 2).at, GROUP_POSITION_FIXED);
}

/* Records that are read twice are better than some that never are. */
static void without_memory_a_lost_answer_takes_all_of_a_run_back(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = member_make(f, 0, "g");
    struct group_choice choices[] = {
        {SPAN_LIT("wide"), 0}, {SPAN_LIT("wide"), 1}, {SPAN_LIT("wide"), 3}};
    for (int32_t p = 0; p < 4; p++) {
        append(f, p, 9);
    }
    assert_int_equal(group_member_assign(m, choices, ARRAY_COUNT(choices), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    group_member_seek_edges(m, GROUP_POSITION_END);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    assert_int_equal(group_member_seek_edge(m, &choices[2], GROUP_POSITION_END), STATUS_OK);
    int64_t id = group_member_partition(m, 0).topic_id;
    /* Neither a partition that another has nor one that was sought since moves. */
    const struct group_place places[] = {{id, 2, 0}, {id, 1, 4}, {id, 3, 4}};
    alloc_fault_begin(1, ALLOC_FAILS_FROM_THERE_ON);
    group_member_step_back(m, places, ARRAY_COUNT(places));
    bool failed = alloc_fault_end();
    assert_int_equal(group_member_partition(m, 0).offset, failed ? 4 : 9);
    assert_int_equal(group_member_partition(m, 1).offset, 4);
    assert_int_equal(group_member_partition(m, 2).at, GROUP_POSITION_END);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_partitions_take_no_memory),
        TEST(a_partition_that_was_read_takes_a_place_for_each_of_its_topic),
        TEST(what_goes_over_the_budget_is_refused_and_nothing_has_changed),
        TEST(the_newest_member_is_refused_and_those_before_go_on),
        TEST(a_newcomer_of_many_slices_is_refused_and_leaves_no_trace),
        TEST(a_deal_under_way_counts_until_it_is_over),
        TEST(a_seek_amid_a_rebalance_is_kept),
        TEST(a_first_commit_of_many_takes_turns),
        TEST(looking_at_what_is_committed_takes_turns_too),
        TEST(a_rebalance_in_slices_comes_to_its_end),
        TEST(a_rebalance_of_many_members_takes_turns),
        TEST(leaving_and_matching_count_in_the_slice),
        TEST(a_rebalance_that_is_overtaken_begins_again),
        TEST(closing_and_rebalancing_wait_for_the_last_slice),
        TEST(one_who_leaves_much_to_commit_hands_over_at_the_next_poll),
        TEST(commits_are_found_among_those_of_others),
        TEST(partitions_by_hand_are_found_whatever_their_order),
        TEST(a_partition_below_0_hides_none_that_is_there),
        TEST(without_memory_a_lost_answer_takes_all_of_a_run_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
