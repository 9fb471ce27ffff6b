/* The objects of a bucket in memory, for tests of the verifier through S3: landed from the topics
 * of a verify_world as a sink would, then damaged one by one. */
#ifndef PINPIPE_TESTS_LAKE_WORLD_H
#define PINPIPE_TESTS_LAKE_WORLD_H

#include "buf.h"
#include "lake_reader.h"
#include "verify_world.h"

enum { LAKE_OBJECTS_MAX = 256 };

struct lake_object_file {
    char key[256];
    struct buf bytes;
    bool removed;
};

struct lake_world {
    struct lake_reader reader;
    struct lake_object_file objects[LAKE_OBJECTS_MAX];
    size_t count;
    size_t piece_bytes; /* the reader gives the bytes in pieces of this; 0: at once */
    bool no_bucket;
};

void lake_world_open(struct lake_world *lake);
void lake_world_close(struct lake_world *lake);
/* Every record of the three topics into objects of flush_size lines; what does not fill one waits.
 * The members of each value stand in the reverse order. */
void lake_world_land(struct lake_world *lake, const struct world *w, int64_t flush_size);
/* A new object, whose key and bytes are these. */
struct lake_object_file *lake_world_put(struct lake_world *lake, const char *key,
                                        struct span bytes);
/* By its key; the test fails when there is none. */
struct lake_object_file *lake_world_find(struct lake_world *lake, const char *key);
/* Replaces the bytes. */
void lake_object_set(struct lake_object_file *object, const char *text);
/* Packs the bytes with gzip and renames it to .json.gz. */
void lake_object_pack(struct lake_object_file *object);

#endif
