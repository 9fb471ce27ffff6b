/* A directory and a prefix made alike, in one direction. Both are walked in key order side by side,
 * so that memory holds the names of one directory at a time. What differs in size is copied; what
 * does not, when its time says that it may differ and its MD5 (where the ETag is one) that it does.
 *
 * Nothing outside the directory is written or removed, whatever the keys are: keys with empty, "."
 * or ".." parts are skipped, and symbolic links to directories are not followed. */
#ifndef PINPIPE_S3_SYNC_H
#define PINPIPE_S3_SYNC_H

#include "progress.h"
#include "s3_client.h"

struct s3_sync_options {
    struct env *env;
    struct s3_client *client; /* borrowed */
    struct span bucket;
    struct span prefix; /* a folder: "topics" and "topics/" are the same */
    const char *dir;
    bool upload;       /* from the directory to the bucket */
    bool delete_extra; /* what the source does not have is deleted */
    bool copy_alike;   /* what is alike is copied, too: the target's is replaced */
    bool dry_run;      /* `did` is told, nothing is done */
    /* Told of each file that was copied or deleted; may be NULL. */
    void (*did)(void *ctx, enum s3_job_kind kind, struct span key, const char *path);
    /* Told what was skipped or failed, and why; may be NULL. */
    void (*note)(void *ctx, const char *text);
    void *ctx;
    const struct progress *progress; /* may be NULL */
};

struct s3_sync_summary {
    uint64_t copied;
    uint64_t deleted;
    uint64_t alike;
    uint64_t failed;
    uint64_t skipped; /* keys that are no path here, files that are no key there */
};

/* OK also when some files failed: the summary counts them. Otherwise the source or the target could
 * not be read at all, or it was interrupted. */
enum status s3_sync_run(const struct s3_sync_options *options, struct s3_sync_summary *summary,
                        struct error *err) PP_MUST_USE;

/* Is this key, seen from the prefix, a path that stays inside a directory, and that a walk of the
 * directory finds again? */
bool s3_sync_key_is_path(struct span key);

#endif
