/* Consumer groups without HTTP: the range assignor, who holds what after each change, and where
 * partitions are resumed. */
#include "group_internal.h"
#include "group_pattern.h"
#include "java_regex.h"
#include "topic_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MEMBERS_MAX = 8 };

struct fixture {
    struct env env;
    struct log log;
    struct store *store;
    struct group_set set;
    struct group_member members[MEMBERS_MAX];
};

static const char *const member_ids[MEMBERS_MAX] = {"m-a", "m-b", "m-c", "m-d",
                                                    "m-e", "m-f", "m-g", "m-h"};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    struct store_options options = {.env = &f->env, .log = &f->log};
    assert_int_equal(store_open(&options, &f->store, NULL), STATUS_OK);
    group_set_init(&f->set, f->store, &f->log);
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        f->members[i].seat.set = &f->set;
        f->members[i].options = (struct group_member_options){
            .group_name = SPAN_LIT("g"),
            .member_id = span_from_cstr(member_ids[i]),
            .client_id = span_from_cstr(member_ids[i]),
            .auto_commit = true,
            .reset = GROUP_RESET_EARLIEST,
            .log = &f->log,
        };
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        (void)group_member_close(&f->members[i], NULL);
    }
    group_set_release(&f->set);
    store_close(f->store);
    free(f);
    return 0;
}

static void make_topic(struct fixture *f, const char *name, int32_t partitions)
{
    assert_int_equal(store_topic_create(f->store,
                                        &(struct store_topic_spec){.name = span_from_cstr(name),
                                                                   .partition_count = partitions},
                                        NULL),
                     STATUS_OK);
}

static void append(struct fixture *f, const char *name, int32_t partition, int count)
{
    const struct store_topic *topic = store_topic_find(f->store, span_from_cstr(name));
    for (int i = 0; i < count; i++) {
        struct store_record record = {.has_value = true, .value = SPAN_LIT("1")};
        int64_t offset;
        assert_int_equal(store_record_append(f->store, (struct store_place){topic, partition},
                                             &record, &offset, NULL),
                         STATUS_OK);
    }
}

static void subscribe(struct group_member *member, const char *names)
{
    struct span rest = span_from_cstr(names);
    struct span topics[8];
    size_t count = 0;
    while (span_next_part(&rest, ' ', &topics[count])) {
        count++;
    }
    assert_int_equal(group_member_subscribe(member, topics, count, NULL, NULL), STATUS_OK);
}

static void join(struct group_member *member, const char *names)
{
    subscribe(member, names);
    assert_int_equal(group_member_poll(member, NULL, NULL), STATUS_OK);
}

/* "t:0,1 u:0": what a member holds. */
static const char *holdings(const struct group_member *member)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    const struct group_text *last = NULL;
    struct group_walk walk = group_member_walk(member, 0);
    struct group_partition p;
    while (group_member_next(member, &walk, &p)) {
        bool same = last != NULL && strcmp(p.topic->text, last->text) == 0;
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%s%d",
                                 same || last == NULL ? "" : " ", same ? "" : p.topic->text,
                                 same ? "," : ":", (int)p.partition);
        last = p.topic;
    }
    return text;
}

static void read_to(struct group_member *member, size_t index, int64_t offset)
{
    assert_int_equal(group_member_reserve(member, index), STATUS_OK);
    group_member_read_on(member, index, offset);
}

static void commit(struct fixture *f, const char *topic, int32_t partition, int64_t offset)
{
    struct store_commit place = {span_from_cstr(topic), partition, offset, SPAN_EMPTY};
    assert_int_equal(store_group_commit(f->store, SPAN_LIT("g"), &place, NULL), STATUS_OK);
}

static int64_t committed(struct fixture *f, const char *topic, int32_t partition)
{
    int64_t offset = -1;
    enum status status = store_group_committed(
        f->store, (struct store_group_place){SPAN_LIT("g"), span_from_cstr(topic), partition},
        &offset, NULL, NULL);
    return status == STATUS_OK ? offset : -1;
}

/* --- the assignor --- */

static void each_member_gets_its_range_and_the_first_ones_one_more(void **state)
{
    static const struct {
        int32_t partitions;
        size_t members;
        const char *shares; /* first+count of each */
    } rows[] = {
        {0, 1, "0+0 "},         {1, 1, "0+1 "},
        {7, 1, "0+7 "},         {1, 2, "0+1 1+0 "},
        {2, 2, "0+1 1+1 "},     {3, 2, "0+2 2+1 "},
        {7, 3, "0+3 3+2 5+2 "}, {8, 3, "0+3 3+3 6+2 "},
        {9, 3, "0+3 3+3 6+3 "}, {2, 4, "0+1 1+1 2+0 2+0 "},
    };
    (void)state;
    for (size_t r = 0; r < ARRAY_COUNT(rows); r++) {
        char text[128] = "";
        size_t used = 0;
        for (size_t i = 0; i < rows[r].members; i++) {
            int32_t first;
            int32_t count;
            group_range_share(rows[r].partitions, rows[r].members, i, &first, &count);
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%d+%d ", (int)first,
                                     (int)count);
        }
        assert_string_equal(text, rows[r].shares);
    }
}

static void every_partition_has_one_owner_whatever_the_numbers(void **state)
{
    (void)state;
    for (int32_t partitions = 0; partitions <= 40; partitions++) {
        for (size_t members = 1; members <= 45; members++) {
            int32_t next = 0;
            for (size_t i = 0; i < members; i++) {
                int32_t first;
                int32_t count;
                group_range_share(partitions, members, i, &first, &count);
                assert_int_equal(first, next);
                next += count;
            }
            assert_int_equal(next, partitions);
        }
    }
}

/* --- membership --- */

static void members_share_in_the_order_of_their_ids_not_of_their_joining(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 3);
    join(&f->members[1], "t");
    assert_string_equal(holdings(&f->members[1]), "t:0,1,2");
    join(&f->members[0], "t");
    assert_string_equal(holdings(&f->members[0]), "t:0,1");
    assert_string_equal(holdings(&f->members[1]), "t:2");
    const struct group *group = group_set_find(&f->set, SPAN_LIT("g"));
    assert_int_equal(group->member_count, 2);
    assert_int_equal(group->generation, 2);
}

static void nothing_is_held_before_the_first_poll(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    subscribe(&f->members[0], "t");
    assert_int_equal(f->members[0].holding.count, 0);
    assert_null(group_set_find(&f->set, SPAN_LIT("g")));
}

static void one_who_leaves_gives_its_share_to_the_others(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 4);
    join(&f->members[0], "t");
    join(&f->members[1], "t");
    (void)group_member_close(&f->members[0], NULL);
    assert_string_equal(holdings(&f->members[1]), "t:0,1,2,3");
    (void)group_member_close(&f->members[1], NULL);
    assert_null(group_set_find(&f->set, SPAN_LIT("g")));
}

static void a_member_more_than_partitions_gets_none(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    for (size_t i = 0; i < 3; i++) {
        join(&f->members[i], "t");
    }
    assert_string_equal(holdings(&f->members[0]), "t:0");
    assert_string_equal(holdings(&f->members[1]), "t:1");
    assert_string_equal(holdings(&f->members[2]), "");
}

static void only_subscribers_of_a_topic_share_it(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    make_topic(f, "u", 2);
    join(&f->members[0], "u t");
    join(&f->members[1], "u");
    assert_string_equal(holdings(&f->members[0]), "t:0,1 u:0");
    assert_string_equal(holdings(&f->members[1]), "u:1");
}

static void groups_of_other_names_do_not_share(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    f->members[1].options.group_name = SPAN_LIT("h");
    join(&f->members[0], "t");
    join(&f->members[1], "t");
    assert_string_equal(holdings(&f->members[0]), "t:0,1");
    assert_string_equal(holdings(&f->members[1]), "t:0,1");
    assert_int_equal(f->set.count, 2);
    assert_string_equal(f->set.groups[0]->name->text, "g");
}

static void the_same_topics_again_change_nothing(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    make_topic(f, "u", 1);
    join(&f->members[0], "t u");
    uint64_t generation = f->members[0].seat.group->generation;
    join(&f->members[0], "u t t");
    assert_int_equal(f->members[0].seat.group->generation, generation);
    subscribe(&f->members[0], "u");
    assert_null(f->members[0].seat.group); /* another list: joins anew */
    assert_int_equal(f->members[0].holding.count, 0);
}

static void no_topics_is_an_unsubscribe(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    join(&f->members[0], "t");
    assert_int_equal(group_member_subscribe(&f->members[0], NULL, 0, NULL, NULL), STATUS_OK);
    assert_int_equal(f->members[0].mode, GROUP_MODE_NONE);
    assert_null(group_set_find(&f->set, SPAN_LIT("g")));
}

static void topics_pattern_and_partitions_exclude_each_other(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct span topic = SPAN_LIT("t");
    struct group_choice choice = {SPAN_LIT("t"), 0};
    enum status by[3];
    for (int first = 0; first < 3; first++) {
        group_member_unsubscribe(m, NULL);
        for (int pass = 0; pass < 2; pass++) {
            by[0] = pass == 1 || first == 0 ? group_member_subscribe(m, &topic, 1, NULL, NULL)
                                            : STATUS_OK;
            by[1] = pass == 1 || first == 1
                        ? group_member_subscribe_pattern(m, SPAN_LIT("t.*"), NULL, NULL)
                        : STATUS_OK;
            by[2] = pass == 1 || first == 2 ? group_member_assign(m, &choice, 1, NULL, NULL)
                                            : STATUS_OK;
        }
        for (int way = 0; way < 3; way++) {
            assert_int_equal(by[way], way == first ? STATUS_OK : STATUS_EXISTS);
        }
    }
}

static void an_empty_name_is_refused(void **state)
{
    struct fixture *f = *state;
    struct span topics[] = {SPAN_LIT("t"), SPAN_LIT("")};
    struct group_choice choice = {SPAN_EMPTY, 0};
    assert_int_equal(group_member_subscribe(&f->members[0], topics, 2, NULL, NULL), STATUS_INVALID);
    assert_int_equal(group_member_assign(&f->members[0], &choice, 1, NULL, NULL), STATUS_INVALID);
}

/* --- topics that come and go, patterns --- */

static void a_topic_made_later_is_seen_at_the_next_poll(void **state)
{
    struct fixture *f = *state;
    join(&f->members[0], "later");
    assert_string_equal(holdings(&f->members[0]), "");
    make_topic(f, "later", 2);
    assert_int_equal(group_member_poll(&f->members[0], NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(&f->members[0]), "later:0,1");
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("later"), NULL), STATUS_OK);
    assert_int_equal(group_member_poll(&f->members[0], NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(&f->members[0]), "");
}

static void a_pattern_matches_whole_names_and_later_topics(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "u1.pin", 1);
    make_topic(f, "u1Xpin", 1);
    make_topic(f, "xu1.geo", 1);
    struct group_member *m = &f->members[0];
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("u1\\..*"), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "u1.pin:0");
    uint64_t generation = m->seat.group->generation;
    make_topic(f, "other", 1);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_int_equal(m->seat.group->generation, generation); /* none of its business */
    make_topic(f, "u1.user", 1);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "u1.pin:0 u1.user:0");
}

static void an_alternative_must_match_the_whole_name_too(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "a", 1);
    make_topic(f, "ab", 1);
    struct group_member *m = &f->members[0];
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("a|ab"), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "a:0 ab:0");
}

static void bad_and_endless_patterns_do_no_harm(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct error err = ERROR_NONE;
    char name[101];
    memset(name, 'a', sizeof(name) - 1);
    name[100] = '\0';
    make_topic(f, name, 1);
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("a(b"), NULL, &err),
                     STATUS_INVALID);
    assert_non_null(strstr(err.message, "topic_pattern"));
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("(a*)*(a*)*b"), NULL, NULL),
                     STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "");
}

/* No single match of it is given up, but a look at many topics would take long. */
static void a_pattern_that_is_slow_on_many_topics_gives_up(void **state)
{
    (void)state;
    static const char name[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    enum { names = GROUP_PATTERN_LOOK_STEPS_MAX / JAVA_REGEX_STEPS_MAX };
    struct group_pattern *slow = group_pattern_new(SPAN_LIT(".*.*[^a]"), NULL);
    struct group_pattern *quick = group_pattern_new(SPAN_LIT("a*b?"), NULL);
    group_pattern_look_begin(quick);
    for (int look = 0; look < 3; look++) {
        group_pattern_look_begin(slow);
        for (int i = 0; i < names; i++) {
            assert_false(group_pattern_matches(slow, span_from_cstr(name)));
            assert_true(group_pattern_matches(quick, span_from_cstr(name)));
        }
        group_pattern_look_end(slow);
        (void)group_pattern_matches(slow, span_from_cstr(name)); /* alone it counts nothing */
    }
    assert_int_equal(group_pattern_overruns(slow), 0);
    assert_false(group_pattern_gave_up(slow));
    assert_false(group_pattern_gave_up(quick));
    group_pattern_look_begin(slow);
    for (int i = 0; i <= names; i++) {
        assert_false(group_pattern_gave_up(slow));
        (void)group_pattern_matches(slow, span_from_cstr(name));
    }
    assert_true(group_pattern_gave_up(slow));
    assert_false(group_pattern_matches(slow, SPAN_LIT("b")));
    group_pattern_free(slow);
    group_pattern_free(quick);
}

/* As many topics as there can be, with names as long as people make them. */
static void an_honest_pattern_over_all_topics_does_not_give_up(void **state)
{
    (void)state;
    struct group_pattern *p = group_pattern_new(SPAN_LIT("team-.*-.*\\..*\\.v[0-9]+\\..*"), NULL);
    char name[128];
    group_pattern_look_begin(p);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof(name), "team-analytics.prod.eu-west-1.events.user-clicks.v2.%05d", i);
        assert_true(group_pattern_matches(p, span_from_cstr(name)));
    }
    assert_false(group_pattern_gave_up(p));
    group_pattern_free(p);
}

/* The look in which a pattern gives up does not hand out what it had found by then. */
static void a_pattern_that_gives_up_amid_a_look_matches_nothing_at_once(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    enum { names = GROUP_PATTERN_LOOK_STEPS_MAX / JAVA_REGEX_STEPS_MAX + 1 };
    const struct span pattern = SPAN_LIT("a-first|.*.*[^a0-9]");
    char name[64];
    make_topic(f, "a-first", 1);
    join(&f->members[1], "a-first");
    for (int i = 0; i < names; i++) {
        snprintf(name, sizeof(name), "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%d", 1000 + i);
        make_topic(f, name, 1);
        if (i + 2 == names) {
            assert_int_equal(group_member_subscribe_pattern(m, pattern, NULL, NULL), STATUS_OK);
            assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
            assert_string_equal(holdings(m), "a-first:0");
            group_member_unsubscribe(m, NULL);
        }
    }
    assert_int_equal(group_member_subscribe_pattern(m, pattern, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_true(group_member_gave_up(m));
    assert_string_equal(holdings(m), "");
    assert_int_equal(group_member_poll(&f->members[1], NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(&f->members[1]), "a-first:0");
}

static void a_pattern_that_blows_up_again_and_again_matches_nothing(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    char name[64];
    make_topic(f, "b", 1);
    for (int i = 0; i < GROUP_PATTERN_OVERRUNS_MAX; i++) {
        assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("(a*)*(a*)*b"), NULL, NULL),
                         STATUS_OK);
        assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
        assert_string_equal(holdings(m), "b:0");
        group_member_unsubscribe(m, NULL);
        memset(name, 'a', sizeof(name));
        snprintf(name + 40, sizeof(name) - 40, "bx%d",
                 i); /* without a b the regex gives up early */
        make_topic(f, name, 1);
    }
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("(a*)*(a*)*b"), NULL, NULL),
                     STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "");
}

static void members_of_a_closing_set_are_dealt_nothing(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    join(&f->members[0], "t");
    join(&f->members[1], "t");
    const struct group *group = f->members[1].seat.group;
    uint64_t generation = group->generation;
    group_set_close(&f->set);
    (void)group_member_close(&f->members[0], NULL);
    assert_int_equal(group->generation, generation);
}

static void what_an_acl_hides_no_pattern_sees(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "u1.pin", 1);
    make_topic(f, "u2.pin", 1);
    static const struct topic_policy policy = {.enforced = true, .user_id = "u1"};
    f->members[0].options.policy = &policy;
    struct group_member *m = &f->members[0];
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT(".*"), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "u1.pin:0");
}

/* --- what may be asked for -------------------------------------------------------------------- */

static void a_member_wants_what_it_asked_for_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    assert_false(group_member_wants(m, SPAN_LIT("t")));
    subscribe(m, "t v");
    group_member_look_begin(m); /* there is no pattern that could take too long */
    assert_true(group_member_wants(m, SPAN_LIT("t")));
    assert_true(group_member_wants(m, SPAN_LIT("v")));
    assert_false(group_member_wants(m, SPAN_LIT("u")));
    group_member_look_end(m);
    assert_false(group_member_gave_up(m));
}

static void no_partitions_is_an_unsubscribe_too(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct group_choice choice = {SPAN_LIT("t"), 0};
    make_topic(f, "t", 1);
    assert_int_equal(group_member_assign(m, &choice, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_assign(m, NULL, 0, NULL, NULL), STATUS_OK);
    assert_int_equal(m->mode, GROUP_MODE_NONE);
    assert_string_equal(holdings(m), "");
}

static void a_pattern_may_be_so_long_and_no_longer(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    char pattern[JAVA_REGEX_BYTES_MAX + 1];
    memset(pattern, 'a', sizeof(pattern));
    assert_int_equal(group_member_subscribe_pattern(
                         &f->members[0], span_from(pattern, sizeof(pattern)), NULL, &err),
                     STATUS_INVALID);
    assert_string_equal(err.message, "a topic_pattern may have 1024 bytes, this one has 1025");
    assert_int_equal(group_member_subscribe_pattern(
                         &f->members[0], span_from(pattern, sizeof(pattern) - 1), NULL, NULL),
                     STATUS_OK);
}

static void the_same_pattern_again_changes_nothing_and_another_one_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    make_topic(f, "t", 1);
    make_topic(f, "u", 1);
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("t"), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("t"), NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "t:0");
    assert_int_equal(group_member_subscribe_pattern(m, SPAN_LIT("u"), NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "");
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "u:0");
}

/* Partitions by hand may be any: those that are not there wait, and nothing is committed for them.
 */
static void a_partition_that_is_not_there_is_held_and_never_committed(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct group_choice choices[] = {
        {SPAN_LIT("t"), -1}, {SPAN_LIT("t"), 1}, {SPAN_LIT("t"), 2}, {SPAN_LIT("gone"), 0}};
    make_topic(f, "t", 2);
    append(f, "t", 1, 3);
    assert_int_equal(group_member_assign(m, choices, ARRAY_COUNT(choices), NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    assert_true(group_member_misses_topics(m));
    for (size_t i = 0; i < ARRAY_COUNT(choices); i++) {
        assert_int_equal(group_member_seek(m, &choices[i], 1), STATUS_OK);
    }
    assert_int_equal(group_member_commit(m, NULL, NULL), STATUS_OK);
    assert_int_equal(committed(f, "t", 1), 1);
    assert_int_equal(committed(f, "t", -1), -1);
    assert_int_equal(committed(f, "t", 2), -1);
    assert_int_equal(committed(f, "gone", 0), -1);
}

/* --- positions --- */

static void a_commit_wins_over_every_reset_policy(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    append(f, "t", 0, 9);
    static const enum group_reset policies[] = {GROUP_RESET_LATEST, GROUP_RESET_EARLIEST,
                                                GROUP_RESET_NONE};
    commit(f, "t", 0, 4);
    for (size_t i = 0; i < ARRAY_COUNT(policies); i++) {
        f->members[0].options.reset = policies[i];
        join(&f->members[0], "t");
        assert_int_equal(group_member_partition(&f->members[0], 0).offset, 4);
        group_member_unsubscribe(&f->members[0], NULL);
    }
}

static void without_a_commit_the_reset_policy_decides(void **state)
{
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    make_topic(f, "t", 1);
    append(f, "t", 0, 9);
    f->members[0].options.auto_commit = false;
    f->members[0].options.reset = GROUP_RESET_LATEST;
    join(&f->members[0], "t");
    assert_int_equal(group_member_partition(&f->members[0], 0).offset, 9);
    group_member_unsubscribe(&f->members[0], NULL);
    f->members[0].options.reset = GROUP_RESET_NONE;
    join(&f->members[0], "t");
    assert_int_equal(group_member_settle(&f->members[0], &err), STATUS_NOT_FOUND);
    assert_string_equal(err.message, "Undefined offset with no reset policy for partitions: [t-0]");
}

static void a_position_outside_the_log_is_reset(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    append(f, "t", 0, 3);
    join(&f->members[0], "t");
    read_to(&f->members[0], 0, 99);
    assert_int_equal(group_member_settle(&f->members[0], NULL), STATUS_OK);
    assert_int_equal(group_member_partition(&f->members[0], 0).offset, 0);
    read_to(&f->members[0], 0, 99);
    f->members[0].options.reset = GROUP_RESET_NONE;
    assert_int_equal(group_member_settle(&f->members[0], NULL), STATUS_NOT_FOUND);
    assert_int_equal(group_member_seek_edge(&f->members[0],
                                            &(struct group_choice){SPAN_LIT("t"), 0},
                                            GROUP_POSITION_END),
                     STATUS_OK);
    assert_int_equal(group_member_settle(&f->members[0], NULL), STATUS_OK);
    assert_int_equal(group_member_partition(&f->members[0], 0).offset, 3);
}

static void after_a_rebalance_auto_committers_go_on_where_they_were(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    append(f, "t", 0, 5);
    append(f, "t", 1, 5);
    join(&f->members[0], "t");
    read_to(&f->members[0], 0, 3);
    read_to(&f->members[0], 1, 4);
    join(&f->members[1], "t");
    assert_int_equal(group_member_partition(&f->members[0], 0).offset, 3);
    assert_int_equal(group_member_partition(&f->members[1], 0).offset, 4);
    assert_int_equal(committed(f, "t", 1), 4);
}

static void after_a_rebalance_uncommitted_reads_are_repeated(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 2);
    append(f, "t", 0, 5);
    append(f, "t", 1, 5);
    f->members[0].options.auto_commit = false;
    join(&f->members[0], "t");
    read_to(&f->members[0], 0, 3);
    read_to(&f->members[0], 1, 4);
    commit(f, "t", 0, 2);
    join(&f->members[1], "t");
    assert_int_equal(group_member_partition(&f->members[0], 0).offset, 2);
    assert_int_equal(group_member_partition(&f->members[1], 0).offset, 0);
}

static void closing_commits_only_with_auto_commit(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    append(f, "t", 0, 5);
    f->members[0].options.auto_commit = false;
    join(&f->members[0], "t");
    read_to(&f->members[0], 0, 3);
    (void)group_member_close(&f->members[0], NULL);
    assert_int_equal(committed(f, "t", 0), -1);
    join(&f->members[1], "t");
    read_to(&f->members[1], 0, 4);
    (void)group_member_close(&f->members[1], NULL);
    assert_int_equal(committed(f, "t", 0), 4);
}

static void what_is_committed_already_is_not_written_again(void **state)
{
    struct fixture *f = *state;
    make_topic(f, "t", 1);
    append(f, "t", 0, 5);
    join(&f->members[0], "t");
    read_to(&f->members[0], 0, 3);
    assert_int_equal(group_member_commit(&f->members[0], NULL, NULL), STATUS_OK);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    assert_int_equal(group_member_commit(&f->members[0], NULL, NULL), STATUS_OK);
    assert_false(store_turn_has_writes(f->store));
}

static void partitions_by_hand_keep_their_positions_and_join_no_group(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    make_topic(f, "t", 3);
    append(f, "t", 1, 5);
    struct group_choice first[] = {{SPAN_LIT("t"), 1}, {SPAN_LIT("t"), 0}, {SPAN_LIT("t"), 1}};
    assert_int_equal(group_member_assign(m, first, 3, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "t:0,1");
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    read_to(m, 1, 4);
    struct group_choice second[] = {{SPAN_LIT("t"), 2}, {SPAN_LIT("t"), 1}};
    assert_int_equal(group_member_assign(m, second, 2, NULL, NULL), STATUS_OK);
    assert_string_equal(holdings(m), "t:1,2");
    assert_int_equal(group_member_partition(m, 0).offset, 4);
    assert_int_equal(group_member_poll(m, NULL, NULL), STATUS_OK);
    assert_null(group_set_find(&f->set, SPAN_LIT("g")));
}

static void a_topic_made_anew_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct group_choice choice = {SPAN_LIT("t"), 0};
    make_topic(f, "t", 1);
    append(f, "t", 0, 5);
    assert_int_equal(group_member_assign(m, &choice, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    read_to(m, 0, 3);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), NULL), STATUS_OK);
    make_topic(f, "t", 1);
    append(f, "t", 0, 5);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    assert_int_equal(group_member_partition(m, 0).offset, 0);
}

static void a_topic_made_anew_begins_anew_also_when_it_was_missed_in_between(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct group_choice choice = {SPAN_LIT("t"), 0};
    make_topic(f, "t", 1);
    append(f, "t", 0, 5);
    assert_int_equal(group_member_assign(m, &choice, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    read_to(m, 0, 3);
    assert_int_equal(store_topic_delete(f->store, SPAN_LIT("t"), NULL), STATUS_OK);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    make_topic(f, "t", 1);
    append(f, "t", 0, 5);
    assert_int_equal(group_member_settle(m, NULL), STATUS_OK);
    assert_int_equal(group_member_partition(m, 0).offset, 0);
}

/* --- what is local ---------------------------------------------------------------------------- */

static void reading_on_keeps_the_epoch_and_seeking_begins_another(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    make_topic(f, "t", 2);
    join(m, "t");
    uint64_t epoch = group_member_epoch(m);
    read_to(m, 1, 7);
    assert_int_equal(group_member_partition(m, 1).offset, 7);
    assert_int_equal(group_member_epoch(m), epoch);
    const struct group_choice first = {SPAN_LIT("t"), 0};
    const struct group_choice second = {SPAN_LIT("t"), 1};
    assert_int_equal(group_member_seek(m, &first, 3), STATUS_OK);
    assert_true(group_member_epoch(m) > epoch);
    epoch = group_member_epoch(m);
    assert_int_equal(group_member_seek_edge(m, &second, GROUP_POSITION_BEGINNING), STATUS_OK);
    assert_true(group_member_epoch(m) > epoch);
    assert_int_equal(group_member_partition(m, 0).at, GROUP_POSITION_FIXED);
    assert_int_equal(group_member_partition(m, 1).at, GROUP_POSITION_BEGINNING);
    epoch = group_member_epoch(m);
    const struct group_choice none[] = {{SPAN_LIT("t"), 2}, {SPAN_LIT("u"), 0}};
    assert_int_equal(group_member_seek(m, &none[0], 0), STATUS_NOT_FOUND);
    assert_int_equal(group_member_seek_edge(m, &none[1], GROUP_POSITION_END), STATUS_NOT_FOUND);
    assert_int_equal(group_member_epoch(m), epoch);
}

static void a_lost_answer_is_read_again_and_voids_what_was_seen(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    make_topic(f, "t", 2);
    join(m, "t");
    read_to(m, 0, 9);
    read_to(m, 1, 2);
    int64_t id = group_member_partition(m, 0).topic_id;
    const struct group_place places[] = {{id, 0, 4}, {id, 1, 5}, {id + 1, 1, 0}};
    uint64_t epoch = group_member_epoch(m);
    group_member_step_back(m, places, ARRAY_COUNT(places));
    assert_int_equal(group_member_partition(m, 0).offset, 4);
    assert_int_equal(group_member_partition(m, 1).offset, 2); /* it is not past the place */
    assert_true(group_member_epoch(m) > epoch);
    epoch = group_member_epoch(m);
    group_member_step_back(m, NULL, 0); /* nothing moved, but the owner's buffer was in it */
    assert_true(group_member_epoch(m) > epoch);
}

static void the_first_partition_without_a_place_is_the_one_that_is_told_of(void **state)
{
    struct fixture *f = *state;
    struct group_member *m = &f->members[0];
    struct error err = ERROR_NONE;
    make_topic(f, "t", 2);
    m->options.reset = GROUP_RESET_NONE;
    join(m, "t");
    assert_int_equal(group_member_settle(m, &err), STATUS_NOT_FOUND);
    assert_string_equal(err.message, "Undefined offset with no reset policy for partitions: [t-0]");
    commit(f, "t", 0, 0);
    assert_int_equal(group_member_settle(m, &err), STATUS_NOT_FOUND);
    assert_string_equal(err.message, "Undefined offset with no reset policy for partitions: [t-1]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_gets_its_range_and_the_first_ones_one_more),
        cmocka_unit_test(every_partition_has_one_owner_whatever_the_numbers),
        TEST(members_share_in_the_order_of_their_ids_not_of_their_joining),
        TEST(nothing_is_held_before_the_first_poll),
        TEST(one_who_leaves_gives_its_share_to_the_others),
        TEST(a_member_more_than_partitions_gets_none),
        TEST(only_subscribers_of_a_topic_share_it),
        TEST(groups_of_other_names_do_not_share),
        TEST(the_same_topics_again_change_nothing),
        TEST(no_topics_is_an_unsubscribe),
        TEST(topics_pattern_and_partitions_exclude_each_other),
        TEST(an_empty_name_is_refused),
        TEST(a_topic_made_later_is_seen_at_the_next_poll),
        TEST(a_pattern_matches_whole_names_and_later_topics),
        TEST(an_alternative_must_match_the_whole_name_too),
        TEST(bad_and_endless_patterns_do_no_harm),
        TEST(a_pattern_that_is_slow_on_many_topics_gives_up),
        TEST(an_honest_pattern_over_all_topics_does_not_give_up),
        TEST(a_pattern_that_gives_up_amid_a_look_matches_nothing_at_once),
        TEST(a_pattern_that_blows_up_again_and_again_matches_nothing),
        TEST(members_of_a_closing_set_are_dealt_nothing),
        TEST(what_an_acl_hides_no_pattern_sees),
        TEST(a_member_wants_what_it_asked_for_and_nothing_else),
        TEST(no_partitions_is_an_unsubscribe_too),
        TEST(a_pattern_may_be_so_long_and_no_longer),
        TEST(the_same_pattern_again_changes_nothing_and_another_one_begins_anew),
        TEST(a_partition_that_is_not_there_is_held_and_never_committed),
        TEST(a_commit_wins_over_every_reset_policy),
        TEST(without_a_commit_the_reset_policy_decides),
        TEST(a_position_outside_the_log_is_reset),
        TEST(after_a_rebalance_auto_committers_go_on_where_they_were),
        TEST(after_a_rebalance_uncommitted_reads_are_repeated),
        TEST(closing_commits_only_with_auto_commit),
        TEST(what_is_committed_already_is_not_written_again),
        TEST(partitions_by_hand_keep_their_positions_and_join_no_group),
        TEST(a_topic_made_anew_begins_anew),
        TEST(a_topic_made_anew_begins_anew_also_when_it_was_missed_in_between),
        TEST(reading_on_keeps_the_epoch_and_seeking_begins_another),
        TEST(a_lost_answer_is_read_again_and_voids_what_was_seen),
        TEST(the_first_partition_without_a_place_is_the_one_that_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
