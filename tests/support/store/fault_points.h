/* Points at which a disk fails or a machine goes down: what the tests share that run one scripted
 * session again and again, each time with the next of its operations failing. */
#ifndef PINPIPE_TESTS_FAULT_POINTS_H
#define PINPIPE_TESTS_FAULT_POINTS_H

#include "fault_vfs.h"
#include "temp_dir.h"

#include <stdint.h>

#define FAULT_POINTS_VFS "pinpipe-fault"

enum { FAULT_POINTS_MAX = 100000 };

struct fault_points {
    struct fault_vfs vfs;
    struct temp_dir dir;
    struct temp_dir image; /* what a crash left */
    char what[160];        /* which point of which loop, for the failure message */
};

/* cmocka's setup and teardown: *state is a struct fault_points, its VFS installed. */
int fault_points_setup(void **state);
int fault_points_teardown(void **state);
/* A fresh pair of directories and a VFS that remembers nothing. */
void fault_points_begin(struct fault_points *f);
void fault_points_end(struct fault_points *f);
/* The machine will go down at the n-th change; begins the point. */
void fault_points_crash_at(struct fault_points *f, uint64_t n, int durability,
                           enum fault_damage damage);
/* What is on the disk then goes to f->image, and the disk is healthy again. False: the session was
 * over before. */
bool fault_points_crashed(struct fault_points *f, uint64_t n, enum fault_damage damage);
/* Every how many-th point is tried: PINPIPE_FAULT_STRIDE (1 in `make fault`), else `usual`. */
uint64_t fault_points_stride(uint64_t usual);

#endif
