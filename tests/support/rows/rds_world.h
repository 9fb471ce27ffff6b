/* A data directory for tables, and the environment that they are read in. */
#ifndef PINPIPE_TESTS_RDS_WORLD_H
#define PINPIPE_TESTS_RDS_WORLD_H

#include "env.h"
#include "temp_dir.h"

struct rds_world {
    struct temp_dir dir;
    struct env env;
};

/* cmocka's setup and teardown: *state is a struct rds_world. */
int rds_world_setup(void **state);
int rds_world_teardown(void **state);

#endif
