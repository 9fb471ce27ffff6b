/* The files below a directory in the order of S3 keys: by the bytes of their paths, '/' included.
 * Holds the names of the directories on the way to the present file, no more. Part of s3_sync. */
#ifndef PINPIPE_S3_WALK_H
#define PINPIPE_S3_WALK_H

#include "buf.h"
#include "error.h"

struct s3_walk;

/* The directories on the way to a file, DIR among them, are at most so many. */
enum { S3_WALK_DEPTH_MAX = 128 };

struct s3_walk_file {
    struct span path; /* relative, without "./" */
    uint64_t size;
    int64_t modified_ms;
};

/* A directory that is not there has no files. note: told of what is passed over (links to
 * directories, devices, names that are not UTF-8). */
enum status s3_walk_open(const char *dir, void (*note)(void *ctx, const char *text), void *ctx,
                         struct s3_walk **out, struct error *err) PP_MUST_USE;
/* *more false: that was all. The path is valid until the next call. */
enum status s3_walk_next(struct s3_walk *walk, struct s3_walk_file *file, bool *more,
                         struct error *err) PP_MUST_USE;
void s3_walk_close(struct s3_walk *walk); /* NULL is fine */

#endif
