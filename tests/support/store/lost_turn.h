/* A turn that is lost, as on a full disk: everything written in it is taken back. */
#ifndef PINPIPE_TESTS_LOST_TURN_H
#define PINPIPE_TESTS_LOST_TURN_H

#include "store.h"

/* The next store_turn_commit says DISK_FULL. */
void lose_turn(struct store *store);
/* From now on every COMMIT is rolled back at which *lost is set. */
void lose_turns_while(struct store *store, const bool *lost);

#endif
