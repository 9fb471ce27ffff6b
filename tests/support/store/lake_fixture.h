/* A store with one bucket, and objects of made-up bytes: byte number n of the bytes `seed` is the
 * same wherever it is read. Every helper fails the test when the store says no. */
#ifndef PINPIPE_TESTS_LAKE_FIXTURE_H
#define PINPIPE_TESTS_LAKE_FIXTURE_H

#include "lake_check.h"
#include "store_objects.h"
#include "temp_dir.h"

struct lake_fixture {
    struct temp_dir dir;
    struct env env;
    struct store *store;
    struct arena arena;
    struct error err;
    int64_t bucket; /* "lake" */
    bool in_memory;
};

/* cmocka setups: in a file, in memory. */
int lake_setup_file(void **state);
int lake_setup_memory(void **state);
int lake_teardown(void **state);
#define LAKE_FILE_TEST(name) cmocka_unit_test_setup_teardown(name, lake_setup_file, lake_teardown)
#define LAKE_MEMORY_TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, lake_setup_memory, lake_teardown)

void lake_reopen(struct lake_fixture *f);
void lake_commit(struct lake_fixture *f);
/* The failure is not the disk's, but a turn of which nothing remains. */
void lake_fail_turn(struct lake_fixture *f);
/* Slices until none is left; how many there were. */
int lake_sweep(struct lake_fixture *f);
/* Asks the store's own connection: what is not committed counts too. */
int64_t lake_query(struct lake_fixture *f, const char *sql);
/* All rules of lake_check hold. */
void lake_assert_whole(struct lake_fixture *f);

void lake_fill(char *bytes, size_t len, unsigned seed, uint64_t start);
/* A body of those bytes, appended in pieces of `step` bytes. */
struct store_body *lake_body(struct lake_fixture *f, bool small, unsigned seed, uint64_t size,
                             size_t step);
struct store_object_put lake_put_of(struct lake_fixture *f, const char *key);
void lake_put(struct lake_fixture *f, const char *key, unsigned seed, uint64_t size);
void lake_put_text(struct lake_fixture *f, const char *key, const char *text);
enum status lake_find(struct lake_fixture *f, const char *key, struct store_object *out);
struct store_object lake_object(struct lake_fixture *f, const char *key);
void lake_delete(struct lake_fixture *f, const char *key);
void lake_copy(struct lake_fixture *f, const char *from, const char *to);
/* The text of a small object, "(none)" when it is not there. In the arena. */
const char *lake_text(struct lake_fixture *f, const char *key);
/* Bytes [from, from + len) of the object are bytes [start, start + len) of `seed`. */
void lake_assert_bytes(struct lake_fixture *f, int64_t object_id, uint64_t from, uint64_t len,
                       unsigned seed, uint64_t start);
/* The object is these bytes, all of them. */
void lake_assert_object(struct lake_fixture *f, const char *key, unsigned seed, uint64_t size);

void lake_upload(struct lake_fixture *f, const char *id, const char *key);
void lake_part(struct lake_fixture *f, const char *id, int32_t number, unsigned seed,
               uint64_t size);
enum status lake_part_copy(struct lake_fixture *f, const char *id, int32_t number,
                           const char *source, uint64_t start, uint64_t size);
enum status lake_complete(struct lake_fixture *f, const char *id, const char *key,
                          const int32_t *numbers, size_t count);

#endif
