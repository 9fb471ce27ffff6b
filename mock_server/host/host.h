/* What a service of the mock may use, handed to its open: the parts that all services share, and
 * the faces of the services that were opened before it. Everything here belongs to the mock and
 * lives longer than the service.
 *
 * Forward declarations only: a service includes the headers of the parts that its room may see, so
 * this struct gives nobody access to what rooms.mk does not let it include. */
#ifndef PINPIPE_HOST_H
#define PINPIPE_HOST_H

struct aws_identity;
struct broker;
struct budget;
struct connect_worker;
struct crypto;
struct env;
struct http_pool;
struct log;
struct pinpipe_mock_options;
struct store;
struct timer_heap;
struct topic_policy;
struct undo_log;
struct uv_loop_s;

struct host {
    const struct pinpipe_mock_options *options; /* checked, its texts copied */
    const char *stage; /* what URLs show: the only stage, or "test" where any is accepted */
    const struct aws_identity *identity; /* account, region, user, the key that signs */
    struct env *env;
    struct log *log;
    struct uv_loop_s *loop;
    struct timer_heap *timers;
    struct budget *budget;  /* of the memory that clients can make the process hold */
    struct http_pool *http; /* what connections of HTTP share */
    struct store *store;
    struct undo_log *undo; /* of the turns (base/undo.h): how memory is taken back with them */
    struct crypto *crypto;
    const struct topic_policy *policy; /* who may use which topic and group */
    struct broker *broker;
    struct connect_worker *worker;
    /* Faces and addresses are by enum pinpipe_service. A face is what a service's protocol answers
     * with (struct service for HTTP), and NULL until the service is open: who calls another one
     * stands `in_front` (services.h). An address is "127.0.0.1:8083", and "" until the listeners
     * are bound; its text stays in place, so a service may keep the pointer. NULL: not open. */
    const void *const *faces;
    char *const *addresses;
};

#endif
