#include "lost_turn.h"

#include "store_internal.h"

void lose_turn(struct store *store)
{
    struct error err;
    error_set(&err, STATUS_DISK_FULL, "the disk is full");
    store_turn_fail(store, &err);
}
