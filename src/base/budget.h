/* The memory that strangers can make the process hold, counted in one place. Each kind of use has a
 * share, so that one kind cannot take what the others need; all shares together are more than the
 * whole, which no two kinds fill at once. Counted is what is in use, not what a buffer has reserved
 * and never touched. */
#ifndef PINPIPE_BUDGET_H
#define PINPIPE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>

enum budget_share {
    BUDGET_REQUESTS, /* requests that are coming in: a half */
    BUDGET_REPLIES,  /* requests that are being answered, and their answers: three quarters */
    BUDGET_UPSTREAM, /* what another server answers: a half */
    BUDGET_PAIRS,    /* consumers and connectors times partitions, parked requests: a quarter */
    BUDGET_SHARES
};

struct budget {
    size_t max_bytes;
    size_t used_bytes;
    size_t high_bytes; /* the most that was used since budget_forget_high */
    struct {
        size_t max_bytes;
        size_t used_bytes;
        size_t peak_bytes;
    } shares[BUDGET_SHARES];
};

void budget_init(struct budget *budget, size_t max_bytes);
/* What the owner holds becomes `bytes`, and *held says so. False, and nothing has changed: it would
 * grow beyond its share or the whole. */
bool budget_take(struct budget *budget, enum budget_share share, size_t *held, size_t bytes);
/* The same for what is in memory already: it is counted in any case. */
void budget_note(struct budget *budget, enum budget_share share, size_t *held, size_t bytes);
/* The most that is used counts from now on again. */
void budget_forget_high(struct budget *budget);
/* How much more of the share may be used; 0 also where it is overdrawn. */
size_t budget_room(const struct budget *budget, enum budget_share share);
/* Is more used than there is, of the whole also when so many bytes that are leaving have gone? */
bool budget_is_overdrawn(const struct budget *budget, enum budget_share share, size_t leaving);

#endif
