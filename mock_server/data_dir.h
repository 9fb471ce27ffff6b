/* The data directory: made, locked against a second server, and the two small files by which others
 * find a running one: server.json in it, and the ready file somewhere. */
#ifndef PINPIPE_DATA_DIR_H
#define PINPIPE_DATA_DIR_H

#include "error.h"
#include "span.h"

#include <sys/types.h>

struct data_dir;

/* Creates the directory (0700, with the ones above it) where it is not there and locks it. CONFIG:
 * not a directory, not writable. BUSY: another server has it; the message names its pid. */
enum status data_dir_open(const char *path, struct data_dir **out, struct error *err) PP_MUST_USE;
/* The directory's permissions: one that was there before keeps those it had. */
unsigned data_dir_mode(const struct data_dir *dir);
/* Removes server.json if it was written, lets go of the lock. NULL is fine. */
void data_dir_close(struct data_dir *dir);

struct server_url {
    const char *key; /* "s3_url" */
    const char *url;
};
/* A running server's own account, for those who look for it; a NULL text becomes null. */
struct server_facts {
    const struct server_url *urls; /* in this order */
    size_t url_count;
    const char *user_id;
    const char *stage;
    const char *data_dir;
    const char *version;
    int64_t started_ms;
};

enum status data_dir_announce(struct data_dir *dir, const struct server_facts *facts,
                              struct error *err) PP_MUST_USE;
/* Whether ready_file_write could do it, told before anything is opened. CONFIG names the flag. */
enum status ready_file_check(const char *path, struct error *err) PP_MUST_USE;
struct ready_file {
    bool written;
    dev_t device;
    ino_t number;
};
/* Complete or not there at all: written under another name, then renamed. */
enum status ready_file_write(const char *path, const struct server_facts *facts,
                             struct ready_file *out, struct error *err) PP_MUST_USE;
/* Takes the file away, unless it is another server's by now, or was never written. */
void ready_file_remove(const char *path, const struct ready_file *file);

#endif
