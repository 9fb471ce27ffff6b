#include "rds_world.h"

#include <stdlib.h>

int rds_world_setup(void **state)
{
    struct rds_world *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_system(&f->env);
    *state = f;
    return 0;
}

int rds_world_teardown(void **state)
{
    struct rds_world *f = *state;
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}
