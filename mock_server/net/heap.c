/* Large blocks, kept by malloc or mapped. Kept, the pages of one answer serve the next; mapped,
 * they are gone when it has left, and come back as a page fault each. But a heap that a crowd has
 * cut into pieces of all sizes takes half as much again as serve --memory allows: blocks are kept
 * while little is in use and mapped while much is. */
#include "server_internal.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

enum {
    crowded_part = 8, /* of the budget: with more in use large blocks are mapped */
    calm_part = 16,   /* with less again they are kept */
    kept_bytes_max = 4 * 1024 * 1024,
    /* The 68 KiB in which SQLite puts each piece of an object together are never mapped: 16 a MiB,
     * 256 page faults. */
    crowded_kept_bytes_max = 72 * 1024,
    crowded_top_bytes_max = 128 * 1024,
    trim_part = 8, /* of the budget: when it is free again, the system gets it back */
};

static void keep_blocks_below(int bytes, int top_bytes)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, bytes);
    mallopt(M_TRIM_THRESHOLD, top_bytes);
#else
    (void)bytes;
    (void)top_bytes;
#endif
}

static void adapt(struct server *server)
{
    const struct budget *budget = &server->turn.budget;
    bool crowded = budget->used_bytes > budget->max_bytes / crowded_part;
    bool calm = budget->used_bytes < budget->max_bytes / calm_part;
    if (crowded && !server->heap_crowded) {
        server->heap_crowded = true;
        keep_blocks_below(crowded_kept_bytes_max, crowded_top_bytes_max);
    } else if (calm && server->heap_crowded) {
        server->heap_crowded = false;
        keep_blocks_below(kept_bytes_max, kept_bytes_max);
    }
}

/* What a crowd has left behind lies between what is in use, where malloc keeps it: the next crowd,
 * whose pieces are of other sizes, would take its memory beside that. */
static void give_back(struct server *server)
{
    struct budget *budget = &server->turn.budget;
    if (PP_LIKELY(budget->high_bytes < budget->max_bytes / trim_part) ||
        budget->used_bytes > budget->high_bytes - budget->max_bytes / trim_part) {
        return;
    }
    int64_t now_us = server_now_us(server);
    if (now_us - server->trimmed_us < SERVER_TRIM_MS * 1000) {
        return;
    }
    server->trimmed_us = now_us;
    budget_forget_high(budget);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

void heap_take_over(struct server *server)
{
    server->heap_is_ours = true;
    server->heap_crowded = false;
    keep_blocks_below(kept_bytes_max, kept_bytes_max);
}

void heap_look(struct server *server)
{
    if (server->heap_is_ours) {
        adapt(server);
    }
    give_back(server);
}
