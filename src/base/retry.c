/* Full jitter (a delay anywhere between nothing and the bound) spreads the clients that failed
 * together better than a fixed delay with a little noise, and costs no more attempts. */
#include "retry.h"

struct retry_policy retry_policy_default(void)
{
    return (struct retry_policy){
        .attempts_max = RETRY_ATTEMPTS_DEFAULT,
        .base_us = (int64_t)RETRY_BASE_MS * 1000,
        .cap_us = (int64_t)RETRY_CAP_MS * 1000,
    };
}

bool retry_is_left(const struct retry_policy *policy, int64_t attempts_made)
{
    return attempts_made < policy->attempts_max;
}

int64_t retry_delay_bound_us(const struct retry_policy *policy, int64_t attempts_made)
{
    int64_t bound = policy->base_us;
    for (int64_t i = 1; i < attempts_made && bound < policy->cap_us; i++) {
        bound *= 2;
    }
    return bound < policy->cap_us ? bound : policy->cap_us;
}

int64_t retry_delay_us(const struct retry_policy *policy, struct env *env, int64_t attempts_made,
                       int64_t wish_us)
{
    int64_t bound = retry_delay_bound_us(policy, attempts_made);
    int64_t delay = (int64_t)env_random_below(env, (uint64_t)bound + 1);
    const int64_t wish_max = (int64_t)RETRY_SERVER_WISH_MS_MAX * 1000;
    int64_t wish = wish_us < wish_max ? wish_us : wish_max;
    return delay > wish ? delay : wish;
}
