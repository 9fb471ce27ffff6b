/* When to try again: exponential back-off with full jitter, a bounded number of attempts. */
#ifndef PINPIPE_RETRY_H
#define PINPIPE_RETRY_H

#include "env.h"

enum {
    RETRY_ATTEMPTS_DEFAULT = 10, /* with the delays below about 13 s on average, 26 s at most */
    RETRY_ATTEMPTS_MAX = 100,
    RETRY_BASE_MS = 200,
    RETRY_CAP_MS = 5000,
    RETRY_SERVER_WISH_MS_MAX = 30000, /* a longer Retry-After is cut to this */
};

struct retry_policy {
    int64_t attempts_max;
    int64_t base_us; /* the first delay is drawn from 0 to this; each next bound doubles ... */
    int64_t cap_us;  /* ... up to this */
};

struct retry_policy retry_policy_default(void);
/* Is another attempt left after so many? */
bool retry_is_left(const struct retry_policy *policy, int64_t attempts_made);
/* The longest delay that may follow the attempts made (1 or more). */
int64_t retry_delay_bound_us(const struct retry_policy *policy, int64_t attempts_made);
/* The delay: uniform from 0 to the bound, but not below the server's wish (Retry-After; 0: none).
 */
int64_t retry_delay_us(const struct retry_policy *policy, struct env *env, int64_t attempts_made,
                       int64_t wish_us);

#endif
