/* The workshop's etc/kafka-rest/kafka-rest.properties, taken as pasted: what means something here
 * is used, everything else is named with the reason why it is not. Values are never printed: the
 * file holds role names and, in some copies, secrets. */
#ifndef PINPIPE_REST_PROPERTIES_H
#define PINPIPE_REST_PROPERTIES_H

#include "arena.h"
#include "error.h"

#include <stdio.h>

struct rest_properties {
    int rest_port;              /* of listeners or port; -1: not in the file */
    const char *advertised_url; /* of advertised.listeners or host.name; NULL: not in the file */
};

/* Notes about keys that are not used go to `notes`. CONFIG names file, line and mistake. */
enum status rest_properties_load(const char *path, struct arena *arena, FILE *notes,
                                 struct rest_properties *out, struct error *err) PP_MUST_USE;

#endif
