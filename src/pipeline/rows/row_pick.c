/* Row picking. The script's loop is, with random.seed(100) before it:
 *
 *     sleep(random.randrange(0, 2))
 *     random_row = random.randint(0, 11000)
 *
 * so both draws of a round come from one generator, in this order. The pause is drawn in every
 * order; only the python order needs it for the sake of the row that follows.
 *
 * DIFFERS: on a table of fewer than 11001 rows the script draws rows that are not there and sends
 * an old row again or dies with a NameError. Here the range ends at the last row; the walk is then
 * another one than the script's, which the emulator says. */
#include "row_pick.h"

#include <string.h>

static const char *const order_names[] = {
    [ROW_ORDER_PYTHON] = "python",
    [ROW_ORDER_SEQUENTIAL] = "sequential",
    [ROW_ORDER_RANDOM] = "random",
};

const char *row_order_name(enum row_order order)
{
    return order_names[order];
}

bool row_order_find(const char *name, enum row_order *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(order_names); i++) {
        if (strcmp(name, order_names[i]) == 0) {
            *out = (enum row_order)i;
            return true;
        }
    }
    return false;
}

void row_pick_init(struct row_pick *pick, enum row_order order, uint64_t seed, int64_t row_count)
{
    PP_ASSERT(row_count > 0);
    *pick = (struct row_pick){.order = order, .row_count = row_count};
    python_random_seed(&pick->python, seed);
    env_init_seeded(&pick->random, seed);
}

int64_t row_pick_next(struct row_pick *pick, int *sleep_seconds)
{
    *sleep_seconds = (int)python_random_randrange(&pick->python, 0, 2);
    switch (pick->order) {
    case ROW_ORDER_PYTHON: {
        int64_t last = pick->row_count - 1;
        return python_random_randint(&pick->python, 0,
                                     last < ROW_PICK_PYTHON_LAST ? last : ROW_PICK_PYTHON_LAST);
    }
    case ROW_ORDER_SEQUENTIAL:
        return pick->next++ % pick->row_count;
    case ROW_ORDER_RANDOM:
        return (int64_t)env_random_below(&pick->random, (uint64_t)pick->row_count);
    }
    BUG("unknown row order");
}
