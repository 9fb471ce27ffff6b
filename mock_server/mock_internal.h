/* What the files of the facade share: the composition as one struct.
 *
 *   mock.c          life: new, run, start, stop; the gateway and the REST proxy; listeners
 *   mock_options.c  options taken over and checked
 *   mock_lake.c     S3, Kafka Connect, MSK Connect */
#ifndef PINPIPE_MOCK_INTERNAL_H
#define PINPIPE_MOCK_INTERNAL_H

#include "arena.h"
#include "aws_identity.h"
#include "broker.h"
#include "connect_rest.h"
#include "connect_worker.h"
#include "data_dir.h"
#include "digest.h"
#include "gateway.h"
#include "journal.h"
#include "kafka_rest.h"
#include "msk_connect.h"
#include "pinpipe/mock.h"
#include "s3.h"
#include "server.h"
#include "store.h"
#include "topic_policy.h"

#include <pthread.h>

enum { MOCK_TEXTS_BYTES_MAX = 64 * 1024 }; /* copies of the options' strings, the URLs */
enum { MOCK_SERVICES = PINPIPE_MSK_CONNECT + 1 };
enum { MOCK_WORKER_ID_BYTES = 80 };

struct pinpipe_mock {
    struct pinpipe_mock_options options; /* strings are in texts */
    struct arena texts;
    struct env env;
    struct log log;
    struct crypto *crypto;
    struct aws_identity identity;
    struct data_dir *dir;
    struct server *server;
    struct store *store;
    struct journal *journal;
    struct topic_policy policy;
    struct broker *broker;
    struct kafka_rest *rest;
    struct gateway *gateway;
    struct connect_worker *worker;
    struct connect_rest *connect;
    struct msk_connect *msk;
    struct s3 *s3;
    const char *bucket;                   /* "user-<id>-bucket"; NULL: no legal name */
    char worker_id[MOCK_WORKER_ID_BYTES]; /* "127.0.0.1:8083", once Connect listens */
    const char *urls[MOCK_SERVICES];      /* by enum pinpipe_service; NULL: no listener */
    pthread_t thread;
    bool has_thread;
};

/* A port of the options, how its service is called, and the flag that chooses it. */
struct mock_port {
    enum pinpipe_service service;
    int port;
    const char *name;
    const char *flag;
};
/* All of them, in the order of enum pinpipe_service. */
void mock_ports(const struct pinpipe_mock_options *options, struct mock_port out[MOCK_SERVICES]);

enum status mock_no_memory(struct error *err);

/* --- mock_options.c --- */
enum status mock_options_take(struct pinpipe_mock *mock, const struct pinpipe_mock_options *given,
                              struct error *err) PP_MUST_USE;

/* --- mock_lake.c --- */
enum status mock_lake_set_up(struct pinpipe_mock *mock, struct error *err) PP_MUST_USE;
void mock_lake_free(struct pinpipe_mock *mock);

#endif
