/* Connectors, their tasks and topics, custom plugins: kept, replaced, listed, shown. */
#include "store_connectors.h"

#include "lake_fixture.h"
#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK(call) assert_int_equal((call), STATUS_OK)

static void put_connector(struct lake_fixture *f, const char *name, const char *config, bool paused)
{
    struct store_connector connector = {.name = span_from_cstr(name),
                                        .config = span_from_cstr(config),
                                        .msk = SPAN_EMPTY,
                                        .paused = paused,
                                        .created_ms = 1700000000000};
    OK(store_connector_put(f->store, &connector, &f->err));
}

static void put_task(struct lake_fixture *f, const char *name, int task, const char *state,
                     const char *trace)
{
    OK(store_connector_task_put(f->store, span_from_cstr(name), task, state, span_from_cstr(trace),
                                &f->err));
}

static void add_topic(struct lake_fixture *f, const char *name, const char *topic)
{
    OK(store_connector_topic_add(f->store, span_from_cstr(name), span_from_cstr(topic), &f->err));
}

static bool join_connectors(void *ctx, const struct store_connector *connector)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 512 - used, "%.*s=%.*s%s%.*s@%lld ", SPAN_ARG(connector->name),
             SPAN_ARG(connector->config), connector->paused ? " paused" : "",
             SPAN_ARG(connector->msk), (long long)connector->created_ms);
    return strstr(text, "stop") == NULL;
}

static const char *connectors(struct lake_fixture *f)
{
    char *text = arena_alloc(&f->arena, 512);
    OK(store_connectors_visit(f->store, join_connectors, text, &f->err));
    return text;
}

static bool join_topics(void *ctx, struct span topic)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%.*s ", SPAN_ARG(topic));
    return strstr(text, "stop") == NULL;
}

static const char *topics(struct lake_fixture *f, const char *name)
{
    char *text = arena_alloc(&f->arena, 256);
    OK(store_connector_topics_visit(f->store, span_from_cstr(name), join_topics, text, &f->err));
    return text;
}

static void connectors_are_kept_and_replaced(void **state)
{
    struct lake_fixture *f = *state;
    struct store_connector made_by_msk = {.name = SPAN_LIT("b"),
                                          .config = SPAN_LIT("{}"),
                                          .msk = SPAN_LIT("{\"arn\":1}"),
                                          .created_ms = 5};
    put_connector(f, "c's \"\xc3\xa9\"", "{\"a\":\"1\"}", false);
    put_connector(f, "a", "{}", true);
    OK(store_connector_put(f->store, &made_by_msk, &f->err));
    put_connector(f, "a", "{\"x\":\"2\"}", false);
    lake_commit(f);
    lake_reopen(f);
    assert_string_equal(connectors(f), "a={\"x\":\"2\"}@1700000000000 b={}{\"arn\":1}@5 "
                                       "c's \"\xc3\xa9\"={\"a\":\"1\"}@1700000000000 ");
    put_connector(f, "aa", "stop", false);
    assert_non_null(strstr(connectors(f), "aa=stop"));
    assert_null(strstr(connectors(f), "b="));
    lake_commit(f);
}

static void a_deleted_connector_takes_tasks_and_topics_with_it(void **state)
{
    struct lake_fixture *f = *state;
    put_connector(f, "a", "{}", false);
    put_connector(f, "b", "{}", false);
    put_task(f, "a", 0, "RUNNING", "");
    put_task(f, "b", 0, "RUNNING", "");
    add_topic(f, "a", "t");
    add_topic(f, "b", "t");
    struct store_commit commit = {.topic = SPAN_LIT("t"), .offset = 7};
    OK(store_group_commit(f->store, SPAN_LIT("connect-a"), &commit, &f->err));
    OK(store_connector_delete(f->store, SPAN_LIT("a"), &f->err));
    OK(store_connector_delete(f->store, SPAN_LIT("never there"), &f->err));
    lake_commit(f);
    assert_string_equal(connectors(f), "b={}@1700000000000 ");
    assert_string_equal(topics(f, "a"), "");
    assert_string_equal(topics(f, "b"), "t ");
    assert_int_equal(lake_query(f, "SELECT count(*) FROM connector_task"), 1);
    assert_int_equal(lake_query(f, "SELECT offset FROM group_offsets"), 7); /* as in Kafka */
}

static void topics_are_a_set_in_order_until_reset(void **state)
{
    struct lake_fixture *f = *state;
    add_topic(f, "a", "t2");
    add_topic(f, "a", "t1");
    add_topic(f, "a", "t2");
    assert_string_equal(topics(f, "a"), "t1 t2 ");
    add_topic(f, "a", "stop");
    assert_string_equal(topics(f, "a"), "stop ");
    OK(store_connector_topics_reset(f->store, SPAN_LIT("a"), &f->err));
    assert_string_equal(topics(f, "a"), "");
    lake_commit(f);
}

static void the_view_tells_what_is_wrong(void **state)
{
    struct lake_fixture *f = *state;
    put_connector(f, "a", "{\"topics\":\"t\"}", false);
    put_connector(f, "b", "{}", true);
    put_task(f, "a", 0, "RUNNING", "");
    put_task(f, "a", 1, "RUNNING", "");
    put_task(f, "a", 2, "RUNNING", "");
    put_task(f, "a", 1, "FAILED", "org.apache.kafka.connect.errors.DataException: no");
    add_topic(f, "a", "t");
    lake_commit(f);
    assert_int_equal(
        lake_query(f, "SELECT count(*) FROM connectors WHERE name = 'a' AND state = 'RUNNING' AND "
                      "tasks = 3 AND failed_tasks = 1 AND trace LIKE '%DataException: no' AND "
                      "topics = 't' AND created = '2023-11-14T22:13:20Z' AND "
                      "json_extract(config, '$.topics') = 't'"),
        1);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM connectors WHERE name = 'b' AND "
                                   "state = 'PAUSED' AND tasks = 0 AND trace IS NULL"),
                     1);
    put_task(f, "a", 1, NULL, ""); /* from this one on */
    lake_commit(f);
    assert_int_equal(lake_query(f, "SELECT tasks + failed_tasks FROM connectors WHERE name = 'a'"),
                     1);
}

/* --- plugins --- */

static bool join_plugins(void *ctx, const struct store_resource *plugin)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%.*s/%.*s/%.*s@%lld ", SPAN_ARG(plugin->arn),
             SPAN_ARG(plugin->name), SPAN_ARG(plugin->document), (long long)plugin->created_ms);
    return strstr(text, "stop") == NULL;
}

static const char *plugins(struct lake_fixture *f)
{
    char *text = arena_alloc(&f->arena, 256);
    OK(store_resources_visit(f->store, SPAN_LIT("custom-plugin"), join_plugins, text, &f->err));
    return text;
}

static enum status put_plugin(struct lake_fixture *f, const char *arn, const char *name,
                              const char *document)
{
    struct store_resource plugin = {.arn = span_from_cstr(arn),
                                    .kind = SPAN_LIT("custom-plugin"),
                                    .name = span_from_cstr(name),
                                    .document = span_from_cstr(document),
                                    .created_ms = 9};
    return store_resource_put(f->store, &plugin, &f->err);
}

static void plugins_have_names_of_their_own(void **state)
{
    struct lake_fixture *f = *state;
    OK(put_plugin(f, "arn:2", "b", "{}"));
    OK(put_plugin(f, "arn:1", "c", "{}"));
    assert_int_equal(put_plugin(f, "arn:3", "b", "{}"), STATUS_EXISTS);
    OK(put_plugin(f, "arn:1", "a", "{\"v\":2}")); /* the same one again, renamed */
    lake_commit(f);                               /* EXISTS cost the turn nothing */
    lake_reopen(f);
    assert_string_equal(plugins(f), "arn:1/a/{\"v\":2}@9 arn:2/b/{}@9 ");
    OK(put_plugin(f, "arn:4", "aa", "stop"));
    assert_string_equal(plugins(f), "arn:1/a/{\"v\":2}@9 arn:4/aa/stop@9 ");
    OK(store_resource_delete(f->store, SPAN_LIT("arn:4"), &f->err));
    OK(store_resource_delete(f->store, SPAN_LIT("arn:1"), &f->err));
    OK(store_resource_delete(f->store, SPAN_LIT("arn:1"), &f->err));
    OK(put_plugin(f, "arn:5", "a", "{}"));
    struct store_resource other = {.arn = SPAN_LIT("arn:6"),
                                   .kind = SPAN_LIT("worker-configuration"),
                                   .name = SPAN_LIT("a"),
                                   .document = SPAN_LIT("{}")};
    OK(store_resource_put(f->store, &other, &f->err)); /* of another kind */
    lake_commit(f);
    assert_string_equal(plugins(f), "arn:5/a/{}@9 arn:2/b/{}@9 ");
}

static void a_rolled_back_turn_takes_all_of_it_back(void **state)
{
    struct lake_fixture *f = *state;
    put_connector(f, "kept", "{}", false);
    lake_commit(f);
    put_connector(f, "lost", "{}", false);
    put_task(f, "kept", 0, "FAILED", "trace");
    add_topic(f, "kept", "t");
    OK(put_plugin(f, "arn:1", "a", "{}"));
    lake_fail_turn(f);
    assert_string_equal(connectors(f), "kept={}@1700000000000 ");
    assert_string_equal(topics(f, "kept"), "");
    assert_string_equal(plugins(f), "");
    assert_int_equal(lake_query(f, "SELECT tasks FROM connectors"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAKE_FILE_TEST(connectors_are_kept_and_replaced),
        LAKE_FILE_TEST(a_deleted_connector_takes_tasks_and_topics_with_it),
        LAKE_MEMORY_TEST(a_deleted_connector_takes_tasks_and_topics_with_it),
        LAKE_FILE_TEST(topics_are_a_set_in_order_until_reset),
        LAKE_FILE_TEST(the_view_tells_what_is_wrong),
        LAKE_FILE_TEST(plugins_have_names_of_their_own),
        LAKE_FILE_TEST(a_rolled_back_turn_takes_all_of_it_back),
    };
    return cmocka_run_group_tests_name("store_connectors", tests, NULL, NULL);
}
