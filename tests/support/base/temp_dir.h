/* A directory of its own for one test, below $TMPDIR (or memory, or /tmp), removed with all that is
 * in it. */
#ifndef PINPIPE_TESTS_TEMP_DIR_H
#define PINPIPE_TESTS_TEMP_DIR_H

#include <stddef.h>

struct temp_dir {
    char path[256];
};

/* Fails the running test when there is no room for one. */
void temp_dir_make(struct temp_dir *dir);
void temp_dir_remove(struct temp_dir *dir);
/* "<dir>/<name>" in out. */
void temp_dir_path(const struct temp_dir *dir, const char *name, char *out, size_t out_bytes);

#endif
