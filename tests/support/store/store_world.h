/* A store on a healthy disk, or in memory, for the tests of what it keeps and of its file. */
#ifndef PINPIPE_TEST_STORE_WORLD_H
#define PINPIPE_TEST_STORE_WORLD_H

#include "store.h"
#include "temp_dir.h"

struct store_world {
    struct temp_dir dir;
    struct env env;
    struct store *store;
    struct error err;
    enum store_durability durability;
};

/* What a reading saw; its text is "offset:value " of each record. */
struct kept_seen {
    int64_t count;
    int64_t stop_after;
    struct store_record last;
    char text[4096];
};

bool kept_see(void *ctx, const struct store_record *record);
void kept_open(struct store_world *f, const char *directory);
void kept_reopen(struct store_world *f);
int kept_setup_file(void **state);
void kept_close(struct store_world *f);
int kept_setup_memory(void **state);
int kept_teardown(void **state);
void kept_commit(struct store_world *f);
const struct store_topic *kept_make_topic(struct store_world *f, const char *name,
                                          int32_t partitions);
int64_t kept_append_at(struct store_world *f, const struct store_topic *topic, int32_t partition,
                       const char *value, int64_t timestamp_ms);
int64_t kept_append(struct store_world *f, const struct store_topic *topic, int32_t partition,
                    const char *value);
const char *kept_read_all(struct store_world *f, const char *name, int32_t partition, int64_t from,
                          int64_t limit);
int64_t kept_query(struct store_world *f, const char *sql);

#define FILE_TEST(name)   cmocka_unit_test_setup_teardown(name, kept_setup_file, kept_teardown)
#define MEMORY_TEST(name) cmocka_unit_test_setup_teardown(name, kept_setup_memory, kept_teardown)

#endif
