/* Invariant: 0 <= tokens <= burst. Fractions are kept, so that a rate below one a second works. */
#include "throttle.h"

enum { us_per_second = 1000000 };

/* Far above what one process serves; keeps the arithmetic exact. */
static const double limit_max = 1e9;

enum status throttle_check(double rate, double burst, struct error *err)
{
    /* Written so that a NaN fails too. */
    if (!(rate >= 0 && rate <= limit_max)) {
        return error_set(err, STATUS_INVALID,
                         "a throttle's rate is a number of requests a second, 0 to 1e9");
    }
    if (rate > 0 && !(burst >= 1 && burst <= limit_max)) {
        return error_set(err, STATUS_INVALID,
                         "a throttle's burst is a number of requests, 1 to 1e9: with less "
                         "nothing would ever pass");
    }
    return STATUS_OK;
}

enum status throttle_init(struct throttle *throttle, struct env *env, double rate, double burst,
                          struct error *err)
{
    enum status status = throttle_check(rate, burst, err);
    if (status != STATUS_OK) {
        return status;
    }
    *throttle = (struct throttle){.env = env,
                                  .rate = rate,
                                  .burst = burst,
                                  .tokens = burst,
                                  .filled_us = env->monotonic_us(env)};
    return STATUS_OK;
}

bool throttle_take(struct throttle *throttle)
{
    if (throttle->rate <= 0) {
        return true;
    }
    int64_t now_us = throttle->env->monotonic_us(throttle->env);
    if (now_us > throttle->filled_us) {
        double elapsed_s = (double)(now_us - throttle->filled_us) / us_per_second;
        throttle->tokens += elapsed_s * throttle->rate;
        throttle->filled_us = now_us;
    }
    if (throttle->tokens > throttle->burst) {
        throttle->tokens = throttle->burst;
    }
    if (throttle->tokens < 1) {
        return false;
    }
    throttle->tokens -= 1;
    return true;
}
