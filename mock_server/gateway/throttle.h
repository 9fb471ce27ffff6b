/* A token bucket, as API Gateway throttles: it holds `burst` requests when full and refills by
 * `rate` a second, on the server's clock. */
#ifndef PINPIPE_THROTTLE_H
#define PINPIPE_THROTTLE_H

#include "env.h"
#include "error.h"

struct throttle {
    struct env *env;
    double rate; /* 0: everything passes */
    double burst;
    double tokens;
    int64_t filled_us; /* when tokens was last right */
};

/* INVALID for a rate that is negative or no number, or a burst below one request. */
enum status throttle_check(double rate, double burst, struct error *err) PP_MUST_USE;
enum status throttle_init(struct throttle *throttle, struct env *env, double rate, double burst,
                          struct error *err) PP_MUST_USE;
/* Takes one request's token; false when there is none. */
bool throttle_take(struct throttle *throttle);

#endif
