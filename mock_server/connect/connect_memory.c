/* The worker's part of the budget: what connectors remember, by whoever remembers it.
 *
 * DIFFERS: where a Connect worker has a heap, connectors have a share of the server's memory
 * (serve --memory). A task whose partitions or open files find no room in it fails with the same
 * java.lang.OutOfMemoryError, whose text also names the share and the option; a new connector is
 * answered with 500 by the REST API and with 429 by MSK Connect. */
#include "budget.h"
#include "connect_worker_internal.h"

bool connect_worker_count_bytes(struct connect_worker *worker, size_t *held, size_t bytes)
{
    struct budget *budget = worker->options.budget;
    return budget == NULL || budget_take(budget, BUDGET_PAIRS, held, bytes);
}

void connect_worker_note_bytes(struct connect_worker *worker, size_t *held, size_t bytes)
{
    if (worker->options.budget != NULL) {
        budget_note(worker->options.budget, BUDGET_PAIRS, held, bytes);
    }
}

enum status connect_worker_refuse(const struct connect_worker *worker, struct error *err)
{
    return error_set(err, STATUS_LIMIT,
                     "connectors and consumers may keep %zu KiB in memory and have used them up; "
                     "`pinpipe serve --memory` gives more",
                     worker->options.budget->shares[BUDGET_PAIRS].max_bytes / 1024);
}
