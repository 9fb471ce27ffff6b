/* Where the pipeline's tools talk to, and how long they wait: already resolved from configuration
 * and server.json. */
#ifndef PINPIPE_ENDPOINTS_H
#define PINPIPE_ENDPOINTS_H

#include "base.h"

#include <stdint.h>

struct endpoints {
    const char
        *invoke_url;      /* with the stage, without a trailing slash: http://127.0.0.1:8080/test */
    const char *rest_url; /* the REST proxy itself (v3 lives there); may be NULL */
    const char *user_id;
    const char *consumer_group;
    const char *api_key; /* sent as x-api-key; NULL: none */
    int64_t timeout_ms;  /* of a request, whole; 0: each tool's own */
};

#endif
