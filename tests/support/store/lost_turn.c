#include "lost_turn.h"

#include "store_internal.h"

void lose_turn(struct store *store)
{
    struct error err;
    error_set(&err, STATUS_DISK_FULL, "the disk is full");
    store_turn_fail(store, &err);
}

static int commit_refuse(void *ctx)
{
    return *(const bool *)ctx ? 1 : 0;
}

void lose_turns_while(struct store *store, const bool *lost)
{
    sqlite3_commit_hook(store->db.handle, commit_refuse, (void *)(uintptr_t)lost);
}
