#include "fault_points.h"

#include "env.h"
#include "span.h"

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

uint64_t fault_points_stride(uint64_t usual)
{
    const char *text = env_variable("PINPIPE_FAULT_STRIDE");
    int64_t value = 0;
    return text != NULL && span_parse_i64(span_from_cstr(text), &value) && value > 0
               ? (uint64_t)value
               : usual;
}
