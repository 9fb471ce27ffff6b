/* The choice of the row number that comes next: the workshop script's random walk, each row once,
 * or any row. */
#ifndef PINPIPE_ROW_PICK_H
#define PINPIPE_ROW_PICK_H

#include "env.h"
#include "python_random.h"

enum row_order {
    ROW_ORDER_PYTHON,     /* exactly the rows the workshop's script visits with this seed */
    ROW_ORDER_SEQUENTIAL, /* 0, 1, 2, ...; from 0 again after the last */
    ROW_ORDER_RANDOM,     /* uniform over the whole table, own seeded generator */
};

/* The script draws randint(0, 11000), though the tables go on to 11153. */
enum { ROW_PICK_PYTHON_LAST = 11000 };

const char *row_order_name(enum row_order order);
/* The order of a name; false when there is no such order. */
bool row_order_find(const char *name, enum row_order *out);

struct row_pick {
    enum row_order order;
    int64_t row_count;
    int64_t next;
    struct python_random python;
    struct env random;
};

/* row_count > 0: rows are picked from 0 to row_count - 1. */
void row_pick_init(struct row_pick *pick, enum row_order order, uint64_t seed, int64_t row_count);
/* Draws the row number of the next round. *sleep_seconds is the script's pause before it, 0 or 1
 * (in every order). */
int64_t row_pick_next(struct row_pick *pick, int *sleep_seconds);

#endif
