/* Every call of the store, each with arguments that it takes, over a file in which all of its nouns
 * are: what the tests share that let something fail beneath them. */
#ifndef PINPIPE_TESTS_STORE_CALLS_H
#define PINPIPE_TESTS_STORE_CALLS_H

#include "lake_fixture.h"

struct store_calls {
    struct lake_fixture *lake; /* the store, on a disk */
    struct store_object small; /* what is in the file */
    struct store_object large;
    struct store_object joined;
    int64_t spare_bucket; /* an empty one */
    struct arena found;   /* what a call has found, until the next reopen */
};

struct store_call {
    const char *name;
    /* With err set when it fails. A list that is not whole, or a text that is another, fails the
     * test unless the call says that it failed. */
    enum status (*run)(struct store_calls *calls, struct error *err);
};
extern const struct store_call store_calls[];
extern const size_t store_call_count;

/* Fills the file. */
void store_calls_prepare(struct store_calls *calls, struct lake_fixture *lake);
/* As the file was left by prepare, with nothing of it in memory: what was not committed is gone. */
void store_calls_reopen(struct store_calls *calls);

#endif
