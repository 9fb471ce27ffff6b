/* The topics that a connector takes: by their ids, three bits each, so that a name is matched once
 * however many records its topic gets. What there is no memory for is matched again. */
#ifndef PINPIPE_CONNECT_TOPICS_INTERNAL_H
#define PINPIPE_CONNECT_TOPICS_INTERNAL_H

#include "span.h"

struct connector;

/* Of topics first .. first + 63, a bit each. */
struct connect_topics_block {
    int64_t first;
    uint64_t matched; /* the next is known */
    uint64_t wanted;
    uint64_t noted; /* the connector is known to have taken records from it */
};

struct connect_topics {
    struct connect_topics_block *blocks; /* by `first` */
    size_t count;
    size_t cap;
    size_t counted; /* in the budget */
};

bool connect_topics_wanted(struct connector *connector, int64_t topic_id, struct span topic);
bool connect_topics_is_noted(const struct connector *connector, int64_t topic_id);
void connect_topics_note(struct connector *connector, int64_t topic_id);
/* None is noted any more. */
void connect_topics_forget_notes(struct connector *connector);
void connect_topics_reset(struct connector *connector);

#endif
