/* Legal names of topics, and what Kafka says of the others. */
#ifndef PINPIPE_TOPIC_NAME_H
#define PINPIPE_TOPIC_NAME_H

#include "arena.h"

enum { TOPIC_NAME_BYTES_MAX = 249 };

/* NULL when the name is legal; else the words of Kafka's Topic.validate, static or in the arena. */
const char *topic_name_flaw(struct span name, struct arena *arena);

#endif
