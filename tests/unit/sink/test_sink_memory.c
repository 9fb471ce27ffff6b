/* The sink without memory. One session of turns runs again and again over each kind of connector;
 * each time another of its allocations fails, alone or with all that follow it in its turn. In the
 * end, with memory, every object is there as if nothing had failed: none missing, none twice, none
 * with a record that it should not have.
 *
 * Every fifth point by default; PINPIPE_FAULT_STRIDE=1 tests each. */
#include "alloc_fault.h"
#include "fault_points.h"
#include "sink_value.h"
#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RECORDS = 6, TURNS_MAX = 200, LONG_WAIT_US = 120 * 1000000 };

struct setting {
    const char *key;
    const char *value;
};

struct kind {
    const char *name;
    struct setting settings[8];
    const char *value; /* of each record; its number (0 to 9) stands for # */
};

#define STORAGE "io.confluent.connect.storage."
#define TYPED                                                                                      \
    "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"n\",\"type\":\"int32\"},{"          \
    "\"field\":"                                                                                   \
    "\"m\",\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":\"bytes\"}}]},"    \
    "\"payload\":{\"n\":#,\"m\":{\"a\":\"AQI=\"}}}"

static const struct kind kinds[] = {
    {"json", {{"flush.size", "2"}}, "{\"index\":#,\"title\":\"a\\u00e9\",\"rest\":[1,2.5,null]}"},
    {"gzip", {{"s3.compression.type", "gzip"}, {"flush.size", "3"}}, "{\"n\":#}"},
    {"text", {{"value.converter", "org.apache.kafka.connect.storage.StringConverter"}}, "line #"},
    {"typed", {{"value.converter.schemas.enable", "true"}, {"flush.size", "2"}}, TYPED},
    {"fields",
     {{"partitioner.class", STORAGE "partitioner.FieldPartitioner"},
      {"partition.field.name", "n"},
      {"value.converter.schemas.enable", "true"}},
     TYPED},
    {"time",
     {{"partitioner.class", STORAGE "partitioner.TimeBasedPartitioner"},
      {"path.format", "'year'=YYYY/'second'=ss"},
      {"partition.duration.ms", "1000"},
      {"locale", "en"},
      {"timezone", "UTC"},
      {"timestamp.extractor", "Record"}},
     "{\"n\":#}"},
    {"dead letters",
     {{"errors.tolerance", "all"},
      {"errors.deadletterqueue.topic.name", "u.dead"},
      {"errors.deadletterqueue.context.headers.enable", "true"},
      {"errors.log.enable", "true"},
      {"errors.log.include.messages", "true"}},
     "{\"n\":#"},
    {"beside",
     {{"store.kafka.keys", "true"},
      {"store.kafka.headers", "true"},
      {"keys.format.class", "io.confluent.connect.s3.format.json.JsonFormat"},
      {"headers.format.class", "io.confluent.connect.s3.format.json.JsonFormat"},
      {"flush.size", "2"}},
     "{\"n\":#}"},
};

static struct sink_world *begin(const struct kind *kind)
{
    void *state;
    sink_world_setup(&state);
    struct sink_world *f = state;
    sink_world_workshop_settings(f);
    sink_world_set(f, "topics.regex", "u.pin");
    for (size_t i = 0; i < ARRAY_COUNT(kind->settings) && kind->settings[i].key != NULL; i++) {
        sink_world_set(f, kind->settings[i].key, kind->settings[i].value);
    }
    sink_world_put_connector(f);
    return f;
}

/* A record a turn; false when no allocation was left to fail. */
static bool run_session(struct sink_world *f, const struct kind *kind, long n,
                        enum alloc_fault_mode mode)
{
    bool failed = false;
    for (int i = 0; i < RECORDS; i++) {
        char value[512];
        struct broker_record record = {.partition = -1,
                                       .has_key = true,
                                       .key = SPAN_LIT("the key"),
                                       .has_value = true,
                                       .headers = SPAN_LIT("\x02\x02h\x02v"),
                                       .timestamp_ms = INT64_C(1700000000000) + i * 1000};
        snprintf(value, sizeof(value), "%s", kind->value);
        *strchr(value, '#') = (char)('0' + i);
        record.value = span_from_cstr(value);
        sink_world_produce_record(f, "u.pin", &record);
        assert_int_equal(store_turn_commit(f->store, NULL), STATUS_OK);
        alloc_fault_begin(n, mode);
        sink_world_run(f);
        enum status status = store_turn_commit(f->store, NULL);
        failed = alloc_fault_end() || failed;
        assert_true(status == STATUS_OK || failed);
        env_advance(&f->env, LONG_WAIT_US); /* beyond what it waits before it tries again */
    }
    return failed;
}

/* Until all that was produced is committed; what is there then, key by key. */
static char *settle(struct sink_world *f, const char *what)
{
    for (int i = 0; sink_world_committed(f, "u.pin", 0) < RECORDS; i++) {
        if (i == TURNS_MAX) {
            fail_msg("%s: the sink does not go on behind %d: %s %s", what,
                     (int)sink_world_committed(f, "u.pin", 0), sink_world_task_states(f),
                     sink_world_trace(f, 0));
        }
        sink_world_turn(f);
        env_advance(&f->env, LONG_WAIT_US);
    }
    char *keys = strdup(sink_world_keys(f));
    assert_non_null(keys);
    return keys;
}

static void end(struct sink_world *f)
{
    void *state = f;
    sink_world_teardown(&state);
}

static void kinds_run(enum alloc_fault_mode mode)
{
    long stride = (long)fault_points_stride(5);
    for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
        struct sink_world *f = begin(&kinds[i]);
        run_session(f, &kinds[i], -1, ALLOC_FAILS_ONCE); /* which never comes */
        char *expected = settle(f, kinds[i].name);
        end(f);
        bool failed = true;
        for (long n = 1; failed; n += stride) {
            char what[80];
            snprintf(what, sizeof(what), "%s, allocation %ld of each turn", kinds[i].name, n);
            f = begin(&kinds[i]);
            failed = run_session(f, &kinds[i], n, mode);
            char *keys = settle(f, what);
            if (strcmp(keys, expected) != 0) {
                fail_msg("%s: \"%s\" instead of \"%s\"", what, keys, expected);
            }
            free(keys);
            end(f);
        }
        free(expected);
    }
}

static void each_object_is_there_once_whatever_failed(void **state)
{
    (void)state;
    kinds_run(ALLOC_FAILS_ONCE);
}

static void each_object_is_there_once_whatever_failed_for_a_turn(void **state)
{
    (void)state;
    kinds_run(ALLOC_FAILS_FROM_THERE_ON);
}

/* A value that cannot be read for want of memory is no bad value: it is not skipped, it comes
 * again. */
static void a_lack_of_memory_is_no_bad_value(void **state)
{
    static const struct {
        struct sink_conversion how;
        const char *bytes;
    } cases[] = {
        {{.converter = SINK_CONVERTER_JSON},
         "{\"a\\u00e9\":[1,2.5e3,\"x\\n\"],\"b\":{\"c\":null}}"},
        {{.converter = SINK_CONVERTER_JSON, .schemas_enable = true},
         "{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"bytes\"}},\"payload\":[\"AQI=\"]}"},
        {{.converter = SINK_CONVERTER_JSON, .schemas_enable = true},
         "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"double\",\"field\":\"d\"},"
         "{\"type\":\"float\",\"field\":\"f\"},{\"type\":\"int\\u0036\\u0034\",\"field\":"
         "\"\\u006e\"},"
         "{\"type\":\"map\",\"keys\":{\"type\":\"int8\"},\"values\":{\"type\":\"string\"},"
         "\"field\":\"m\"}]},\"payload\":{\"d\":2.5,\"f\":0.25,\"n\":7,\"m\":[[1,\"one\"]]}}"},
        {{.converter = SINK_CONVERTER_STRING}, "text"},
        {{.converter = SINK_CONVERTER_BYTES}, "bytes"},
    };
    char expected[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (long n = 0; n == 0 || alloc_fault_goes_on(n); n++) { /* 0: none fails */
            struct sink_value value;
            struct sink_failure failure = {.count = 0};
            struct buf out;
            buf_init(&out, SINK_TYPED_BYTES_MAX);
            sink_value_init(&value);
            alloc_fault_begin(n > 0 ? n : -1, ALLOC_FAILS_ONCE);
            bool ok = sink_value_convert(&value, &cases[i].how, true,
                                         span_from_cstr(cases[i].bytes), &failure);
            if (ok) {
                sink_value_write(&value, &out);
            }
            bool failed = alloc_fault_end();
            if (n == 0) {
                snprintf(expected, sizeof(expected), "%s", buf_cstr(&out));
            }
            bool right = !ok || !buf_ok(&out) || strcmp(buf_cstr(&out), expected) == 0;
            if (!right || (!failed && !ok) || (!ok && !failure.no_memory)) {
                fail_msg("%s, allocation %ld: %s", cases[i].bytes, n,
                         ok ? buf_cstr(&out) : failure.chain[0].message);
            }
            sink_value_release(&value);
            buf_release(&out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_object_is_there_once_whatever_failed),
        cmocka_unit_test(each_object_is_there_once_whatever_failed_for_a_turn),
        cmocka_unit_test(a_lack_of_memory_is_no_bad_value),
    };
    return cmocka_run_group_tests_name("sink_memory", tests, NULL, NULL);
}
