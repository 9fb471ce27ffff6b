/* A Connect worker over a store, a broker and a virtual clock, driven turn by turn. Its functions
 * assert that what they do works. */
#ifndef PINPIPE_TESTS_SINK_WORLD_H
#define PINPIPE_TESTS_SINK_WORLD_H

#include "broker.h"
#include "budget.h"
#include "connect_worker.h"
#include "digest.h"
#include "sink_file.h"
#include "store_connectors.h"
#include "store_objects.h"
#include "temp_dir.h"

#include <stdio.h>

#define WORLD_BUCKET "user-0ab336d6fcf7-bucket"

enum { WORLD_SETTINGS_MAX = 40, WORLD_TEXT_BYTES_MAX = 1 << 20 };

static const int64_t sink_world_start_us = INT64_C(1700000000000000); /* 22:13:20 */

struct sink_world {
    struct env env;
    struct log log;
    FILE *log_file;
    struct temp_dir dir;
    bool on_disk;
    struct store *store;
    struct broker *broker;
    const struct topic_policy *policy; /* of dead letters; set before a (re)open */
    struct crypto *crypto;
    struct timer_heap timers;
    struct budget budget;
    struct connect_worker *worker;
    struct connect_entry settings[WORLD_SETTINGS_MAX];
    size_t setting_count;
    struct arena arena;
    struct buf text;
};

void sink_world_open(struct sink_world *f);
/* As when the process dies: what was not committed is gone. */
void sink_world_close(struct sink_world *f);
/* The end of a turn. */
bool sink_world_run(struct sink_world *f);
void sink_world_turn(struct sink_world *f);
int sink_world_setup(void **state);
int sink_world_setup_on_disk(void **state);
int sink_world_teardown(void **state);
void sink_world_set(struct sink_world *f, const char *key, const char *value);
void sink_world_workshop_settings(struct sink_world *f);
void sink_world_put_connector(struct sink_world *f);
/* A time-based connector: one path a second, by the record's timestamp. */
void sink_world_time_settings(struct sink_world *f);
const char *sink_world_task_states(struct sink_world *f);
const char *sink_world_trace(struct sink_world *f, size_t task);
void sink_world_produce_record(struct sink_world *f, const char *topic,
                               const struct broker_record *record);
void sink_world_produce_at(struct sink_world *f, const char *topic, const char *value,
                           int64_t timestamp_ms);
void sink_world_produce(struct sink_world *f, const char *topic, const char *value);
void sink_world_produce_many(struct sink_world *f, const char *topic, int count);
int64_t sink_world_bucket_id(struct sink_world *f);
/* All keys, a line each. */
const char *sink_world_keys(struct sink_world *f);
size_t sink_world_key_count(struct sink_world *f);
struct span sink_world_object_bytes(struct sink_world *f, const char *key,
                                    struct store_object *object);
void sink_world_assert_object(struct sink_world *f, const char *key, const char *expected);
/* -1: nothing is committed. */
int64_t sink_world_committed(struct sink_world *f, const char *topic, int32_t partition);

#endif
