/* The composition as one struct, for the files of the facade.
 *
 *   mock.c           the public API: new, run, start, stop
 *   mock_options.c   options taken over and checked
 *   mock_parts.c     what all services share: store, loop, topics, the Connect worker
 *   mock_reset.c     a directory without a server, emptied
 *   mock_services.c  the table's rows opened, bound, announced, closed */
#ifndef PINPIPE_MOCK_INTERNAL_H
#define PINPIPE_MOCK_INTERNAL_H

#include "arena.h"
#include "aws_identity.h"
#include "broker.h"
#include "buf.h"
#include "data_dir.h"
#include "digest.h"
#include "host.h"
#include "journal.h"
#include "pinpipe/mock.h"
#include "server.h"
#include "services.h"
#include "topic_policy.h"

#include <pthread.h>

enum {
    MOCK_MEMORY_MIB = 64,
    MOCK_MEMORY_MIB_MIN = 48, /* a body of the gateway's 10 MiB is a request's and an answer's */
    MOCK_MEMORY_MIB_MAX = 1024 * 1024,
    MOCK_MEMORY_BASE_MIB = 14,        /* of it: the program, and what is too small to be counted */
    MOCK_MEMORY_CACHE_PART = 4,       /* of it for the store's cache, up to STORE_CACHE_KIB */
    MOCK_TEXTS_BYTES_MAX = 64 * 1024, /* copies of the options' strings, the URLs */
    MOCK_ADDRESS_BYTES = 80,
    MOCK_WATCHED_PATH_BYTES_MAX = 8 * 1024, /* of 2 KiB at most, with secrets made longer */
};

struct pinpipe_mock {
    struct pinpipe_mock_options options; /* strings are in texts */
    const struct service_table *table;
    struct arena texts;
    struct env env;
    int64_t started_ms; /* before the first listener was there */
    struct log log;
    /* The parts. */
    struct aws_identity identity;
    struct topic_policy policy;
    struct crypto *crypto;
    struct data_dir *dir;
    struct ready_file ready;
    struct server *server;
    struct http_pool *http; /* the server's */
    struct store *store;
    struct journal *journal;
    struct recent *recent;
    struct buf watched_path; /* of the request that the observer is told of */
    struct broker *broker;
    struct connect_worker *worker;
    const char *bucket; /* "user-<id>-bucket"; NULL: no legal name */
    struct host host;
    /* The services, by id; NULL: not open, no listener. */
    void *services[PINPIPE_SERVICES_MAX];
    const void *faces[PINPIPE_SERVICES_MAX];
    char *addresses[PINPIPE_SERVICES_MAX];
    const char *urls[PINPIPE_SERVICES_MAX];
    struct server_listener *listeners[PINPIPE_SERVICES_MAX];
    pthread_t thread;
    bool has_thread;
};

enum status mock_no_memory(struct error *err);

/* --- mock.c --- */
/* Tells `why` (may be NULL) what is wrong, if anything. */
enum pinpipe_result mock_result(enum status status, const struct error *err, char *why);
/* pinpipe_mock_new and pinpipe_mock_start, with the services of another table. */
enum pinpipe_result mock_new(const struct service_table *table,
                             const struct pinpipe_mock_options *options, struct pinpipe_mock **out,
                             char *why);
enum pinpipe_result mock_start(const struct service_table *table,
                               const struct pinpipe_mock_options *options,
                               struct pinpipe_mock **out, char *why);
/* Serves in a thread, until pinpipe_mock_stop; 0, or pthread's error. */
int mock_thread_start(struct pinpipe_mock *mock);

/* --- mock_options.c --- */
/* pinpipe_mock_options_init, for the services of another table. */
void mock_options_init(const struct service_table *table, struct pinpipe_mock_options *options);
/* mock->table is set: the ports are those of its rows. */
enum status mock_options_take(struct pinpipe_mock *mock, const struct pinpipe_mock_options *given,
                              struct error *err) PP_MUST_USE;
/* The port that the options give to a service: 0 for any free one, -1 for no listener. */
int mock_port(const struct pinpipe_mock_options *options, int id);

/* --- mock_parts.c --- */
/* On failure what is open stays open, for close. */
enum status mock_parts_open(struct pinpipe_mock *mock, struct error *err) PP_MUST_USE;
/* The services are closed already; what they wrote while they closed is committed here.
 * OK: all that was acknowledged is kept. */
enum status mock_parts_close(struct pinpipe_mock *mock, struct error *err);

/* --- mock_services.c --- */
/* The rows' ports are this mock's from now on; clients wait in the kernel. */
enum status mock_services_bind(struct pinpipe_mock *mock, struct error *err) PP_MUST_USE;
enum status mock_services_open(struct pinpipe_mock *mock, struct error *err) PP_MUST_USE;
/* Each open service answers on its port and has its URL. */
enum status mock_services_listen(struct pinpipe_mock *mock, struct error *err) PP_MUST_USE;
void mock_services_close(struct pinpipe_mock *mock);
/* An entry a row of the table, as the ready file and server.json announce it, but none for a
 * service that opens only on request and was not asked for. Returns how many. */
size_t mock_services_tell(const struct pinpipe_mock *mock,
                          struct server_url out[PINPIPE_SERVICES_MAX]);

#endif
