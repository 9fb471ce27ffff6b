/* API Gateway as clients see it: one REST API, a stage, {proxy+} ANY with an HTTP proxy integration
 * in front of the REST proxy (in process, or a real upstream): specs/api-gateway.md. */
#ifndef PINPIPE_GATEWAY_H
#define PINPIPE_GATEWAY_H

#include "exchange.h"
#include "log.h"

struct gateway;
struct uv_loop_s;

struct gateway_options {
    const struct service *backend; /* the REST proxy in this process */
    struct timer_heap *timers;
    struct budget *budget; /* of the upstream's answers; NULL: none */
    struct env *env;
    struct log *log;
    struct uv_loop_s *loop; /* for the upstream's sockets */
    /* NULL: any. DIFFERS: any well-formed first path segment is a stage; AWS knows only deployed
     * ones, which `serve --stage NAME` imitates, and a deployment_stage that is configured. */
    const char *stage;
    const char *api_key;  /* NULL: no key is asked for */
    double throttle_rate; /* requests a second; 0: no throttle */
    double throttle_burst;
    const char *upstream_url; /* NULL: backend; else e.g. "http://127.0.0.1:8082" */
    int refused_status;       /* 504; for a refused upstream */
    int64_t timeout_ms;       /* 29000 */
};

enum status gateway_new(const struct gateway_options *options, struct gateway **out,
                        struct error *err) PP_MUST_USE;
void gateway_free(struct gateway *gateway);
/* Options that gateway_new would refuse, told without a gateway. */
enum status gateway_options_check(const struct gateway_options *options,
                                  struct error *err) PP_MUST_USE;
const struct service *gateway_service(struct gateway *gateway);

/* The row of mock_server/services.c. */
struct host;
struct pinpipe_mock_options;
enum status gateway_check(const struct pinpipe_mock_options *options,
                          struct error *err) PP_MUST_USE;
enum status gateway_open(const struct host *host, void **out, struct error *err) PP_MUST_USE;
const void *gateway_face(void *gateway);
void gateway_close(void *gateway);
/* The stage: it stands behind the address in the gateway's URL. */
const char *gateway_url_path(const struct host *host);

#endif
