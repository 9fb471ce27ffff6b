/* Help for what the workshop's participants trip over with a connector (specs/workshop.md section
 * 7), the same behind Connect's REST API and MSK Connect's. Each function gives one text in the
 * arena, the one that matters most, or NULL when there is nothing to say. */
#ifndef PINPIPE_CONNECT_HINTS_H
#define PINPIPE_CONNECT_HINTS_H

#include "connect_config.h"

struct connect_worker;

/* Help for a configuration that was refused. */
const char *connect_hint_findings(struct arena *arena, const struct connect_entries *entries,
                                  const struct connect_findings *findings);

struct connect_hint_world {
    struct arena *arena;
    struct connect_worker *worker; /* its store is looked into */
    const char *user_id;
};
/* Help for a configuration that was taken, but will not do what its owner expects. */
const char *connect_hint_config(const struct connect_hint_world *world,
                                const struct sink_config *config, bool created);

#endif
