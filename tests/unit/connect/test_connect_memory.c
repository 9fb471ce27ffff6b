/* Kafka Connect without memory: each call of the worker again and again, each time with another
 * allocation failing. It says that there was none, and never that a connector is not there, is
 * wrong or is too large; what it changed is changed as a whole or not at all; and it works as soon
 * as there is memory. */
#include "alloc_fault.h"
#include "connect_config.h"
#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct call {
    const char *name;
    enum status (*run)(struct sink_world *f, struct error *err);
    const char *there;  /* the connectors after it, with the count of their tasks */
    const char *before; /* ... and when it has failed */
};

static enum status put(struct sink_world *f, const char *name, const char *tasks, struct error *err)
{
    sink_world_set(f, "name", name);
    sink_world_set(f, "tasks.max", tasks);
    struct connect_entries entries = {f->settings, f->setting_count};
    struct connect_spec spec = {
        .name = span_from_cstr(name), .config = &entries, .msk = SPAN_LIT("{}")};
    return connect_worker_put(f->worker, &spec, err);
}

static enum status put_new(struct sink_world *f, struct error *err)
{
    return put(f, "d", "2", err);
}

static enum status put_again(struct sink_world *f, struct error *err)
{
    return put(f, "c", "1", err);
}

static enum status put_the_same(struct sink_world *f, struct error *err)
{
    return put(f, "c", "3", err);
}

static enum status delete (struct sink_world *f, struct error *err) {
    return connect_worker_delete(f->worker, SPAN_LIT("c"), err);
}

static enum status pause_it(struct sink_world *f, struct error *err)
{
    return connect_worker_pause(f->worker, SPAN_LIT("c"), true, err);
}

static enum status restart(struct sink_world *f, struct error *err)
{
    return connect_worker_restart(f->worker, SPAN_LIT("c"), err);
}

static enum status restart_task(struct sink_world *f, struct error *err)
{
    return connect_worker_restart_task(f->worker, SPAN_LIT("c"), 1, err);
}

static bool see_topic(void *ctx, struct span topic)
{
    size_t *count = ctx;
    assert_true(span_equal_cstr(topic, "u.pin"));
    ++*count;
    return true;
}

static enum status topics(struct sink_world *f, struct error *err)
{
    size_t count = 0;
    enum status status = connect_worker_topics(f->worker, SPAN_LIT("c"), see_topic, &count, err);
    assert_true(status != STATUS_OK || count == 1);
    return status;
}

static enum status topics_reset(struct sink_world *f, struct error *err)
{
    return connect_worker_topics_reset(f->worker, SPAN_LIT("c"), err);
}

static const struct call calls[] = {
    {"put a new one", put_new, "c:3 d:2 ", "c:3 "},
    {"put it again", put_again, "c:1 ", "c:3 "},
    {"put the same", put_the_same, "c:3 ", "c:3 "},
    {"delete", delete, "", "c:3 "},
    {"pause", pause_it, "c:3p ", "c:3 "},
    {"restart", restart, "c:3 ", "c:3 "},
    {"restart a task", restart_task, "c:3 ", "c:3 "},
    {"topics", topics, "c:3 ", "c:3 "},
    {"reset the topics", topics_reset, "c:3 ", "c:3 "},
};

static const char *connectors(struct sink_world *f)
{
    buf_reset(&f->text);
    for (size_t i = 0; i < connect_worker_count(f->worker); i++) {
        struct connect_connector_view view = connect_worker_at(f->worker, i);
        buf_printf(&f->text, "%.*s:%zu%s ", SPAN_ARG(view.name), view.task_count,
                   view.state == CONNECT_PAUSED ? "p" : "");
    }
    return buf_cstr(&f->text);
}

static struct sink_world *begin(void)
{
    void *world;
    sink_world_setup(&world);
    struct sink_world *f = world;
    sink_world_workshop_settings(f);
    assert_int_equal(put_the_same(f, NULL), STATUS_OK);
    sink_world_turn(f);
    sink_world_produce(f, "u.pin", "{\"n\":1}");
    sink_world_turn(f);
    assert_int_equal(sink_world_key_count(f), 1);
    return f;
}

static void end(struct sink_world *f)
{
    void *world = f;
    sink_world_teardown(&world);
}

static void a_call_without_memory_says_so_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(calls); i++) {
        bool failed = true;
        for (long n = 1; failed; n++) {
            struct sink_world *f = begin();
            struct error err = ERROR_NONE;
            alloc_fault_begin(n, ALLOC_FAILS_ONCE);
            enum status status = calls[i].run(f, &err);
            failed = alloc_fault_end();
            enum status kept = store_turn_commit(f->store, NULL);
            if (status != STATUS_OK && (status != STATUS_NO_MEMORY || !failed)) {
                fail_msg("%s, allocation %ld: %s: %s", calls[i].name, n, status_name(status),
                         err.message);
            }
            status = status == STATUS_OK ? kept : status;
            assert_string_equal(connectors(f),
                                status == STATUS_OK ? calls[i].there : calls[i].before);
            assert_int_equal(calls[i].run(f, &err), status == STATUS_OK && calls[i].there[0] == '\0'
                                                        ? STATUS_NOT_FOUND
                                                        : STATUS_OK);
            sink_world_turn(f);
            assert_string_equal(connectors(f), calls[i].there);
            end(f);
        }
    }
}

/* What stands in the store is there after a start, or there is no start. */
static void a_worker_starts_with_all_connectors_or_not_at_all(void **state)
{
    bool failed = true;
    (void)state;
    struct sink_world *f = begin();
    assert_int_equal(put_new(f, NULL), STATUS_OK);
    sink_world_turn(f);
    const struct connect_worker_options options = {.store = f->store,
                                                   .crypto = f->crypto,
                                                   .broker = f->broker,
                                                   .timers = &f->timers,
                                                   .budget = &f->budget,
                                                   .env = &f->env,
                                                   .log = &f->log};
    for (long n = 1; failed; n++) {
        struct error err = ERROR_NONE;
        connect_worker_free(f->worker);
        f->worker = NULL;
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        enum status status = connect_worker_new(&options, &f->worker, &err);
        failed = alloc_fault_end();
        if (status != STATUS_OK) {
            if (status != STATUS_NO_MEMORY || !failed) {
                fail_msg("allocation %ld: %s: %s", n, status_name(status), err.message);
            }
            assert_null(f->worker);
            assert_int_equal(f->budget.used_bytes, 0);
            assert_int_equal(connect_worker_new(&options, &f->worker, &err), STATUS_OK);
        }
        assert_string_equal(connectors(f), "c:3 d:2 ");
    }
    end(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_without_memory_says_so_and_changes_nothing),
        cmocka_unit_test(a_worker_starts_with_all_connectors_or_not_at_all),
    };
    return cmocka_run_group_tests_name("connect_memory", tests, NULL, NULL);
}
