#include "budget.h"

#include "base.h"

void budget_init(struct budget *budget, size_t max_bytes)
{
    static const size_t quarters[] = {
        [BUDGET_REQUESTS] = 2, [BUDGET_REPLIES] = 3, [BUDGET_UPSTREAM] = 2, [BUDGET_PAIRS] = 1};
    *budget = (struct budget){.max_bytes = max_bytes};
    for (size_t i = 0; i < BUDGET_SHARES; i++) {
        budget->shares[i].max_bytes = max_bytes / 4 * quarters[i];
    }
}

size_t budget_room(const struct budget *budget, enum budget_share share)
{
    size_t share_used = budget->shares[share].used_bytes;
    size_t share_max = budget->shares[share].max_bytes;
    size_t in_share = share_used < share_max ? share_max - share_used : 0;
    size_t in_all =
        budget->used_bytes < budget->max_bytes ? budget->max_bytes - budget->used_bytes : 0;
    return in_share < in_all ? in_share : in_all;
}

bool budget_is_overdrawn(const struct budget *budget, enum budget_share share, size_t leaving)
{
    return budget->shares[share].used_bytes > budget->shares[share].max_bytes ||
           budget->used_bytes > budget->max_bytes + leaving;
}

void budget_note(struct budget *budget, enum budget_share share, size_t *held, size_t bytes)
{
    PP_ASSERT(budget->shares[share].used_bytes >= *held && budget->used_bytes >= *held);
    budget->used_bytes = budget->used_bytes - *held + bytes;
    budget->shares[share].used_bytes = budget->shares[share].used_bytes - *held + bytes;
    if (budget->used_bytes > budget->high_bytes) {
        budget->high_bytes = budget->used_bytes;
    }
    if (budget->shares[share].used_bytes > budget->shares[share].peak_bytes) {
        budget->shares[share].peak_bytes = budget->shares[share].used_bytes;
    }
    *held = bytes;
}

void budget_forget_high(struct budget *budget)
{
    budget->high_bytes = budget->used_bytes;
}

bool budget_take(struct budget *budget, enum budget_share share, size_t *held, size_t bytes)
{
    if (bytes > *held && bytes - *held > budget_room(budget, share)) {
        return false;
    }
    budget_note(budget, share, held, bytes);
    return true;
}
