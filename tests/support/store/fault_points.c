#include "fault_points.h"

#include "env.h"
#include "span.h"

#include <stdio.h>
#include <stdlib.h>

int fault_points_setup(void **state)
{
    struct fault_points *f = calloc(1, sizeof(*f));
    fault_vfs_install(&f->vfs, FAULT_POINTS_VFS);
    *state = f;
    return 0;
}

int fault_points_teardown(void **state)
{
    struct fault_points *f = *state;
    fault_vfs_uninstall(&f->vfs);
    free(f);
    return 0;
}

void fault_points_begin(struct fault_points *f)
{
    fault_vfs_uninstall(&f->vfs);
    fault_vfs_install(&f->vfs, FAULT_POINTS_VFS);
    temp_dir_make(&f->dir);
    temp_dir_make(&f->image);
}

void fault_points_end(struct fault_points *f)
{
    temp_dir_remove(&f->dir);
    temp_dir_remove(&f->image);
}

void fault_points_crash_at(struct fault_points *f, uint64_t n, int durability,
                           enum fault_damage damage)
{
    fault_points_begin(f);
    snprintf(f->what, sizeof(f->what), "crash at change %d, durability %d, damage %d", (int)n,
             durability, (int)damage);
    fault_vfs_crash_at(&f->vfs, n);
}

bool fault_points_crashed(struct fault_points *f, uint64_t n, enum fault_damage damage)
{
    bool crashed = f->vfs.crashed;
    fault_vfs_write_image(&f->vfs, damage, n, f->dir.path, f->image.path);
    fault_vfs_fail(&f->vfs, 0, 0, 0, false);
    return crashed;
}

uint64_t fault_points_stride(uint64_t usual)
{
    const char *text = env_variable("PINPIPE_FAULT_STRIDE");
    int64_t value = 0;
    return text != NULL && span_parse_i64(span_from_cstr(text), &value) && value > 0
               ? (uint64_t)value
               : usual;
}
