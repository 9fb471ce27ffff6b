/* The protocol's server in a thread, over generated tables that are in memory. */
#ifndef PINPIPE_TESTS_MYSQL_WORLD_H
#define PINPIPE_TESTS_MYSQL_WORLD_H

#include "digest.h"
#include "journal.h"
#include "mysql_service.h"
#include "server.h"

#include <pthread.h>

struct mysql_world {
    struct env env;
    struct log log;
    struct server_limits server_limits; /* of the start */
    struct mysql_limits limits;         /* of the start */
    const char *user;                   /* of the start; NULL: anybody */
    const char *password;
    struct journal *journal; /* of the start; NULL: none */
    struct crypto *crypto;
    struct server *server;
    struct mysql_service *service;
    pthread_t thread;
    int port;
    size_t replies_peak_bytes; /* after the stop: the most that answers took at once */
};

/* The named limits, any user; change what is to be different before the start. */
void mysql_world_init(struct mysql_world *world);
void mysql_world_start(struct mysql_world *world);
/* Every connection ends. What was not given back ends the process. */
void mysql_world_stop(struct mysql_world *world);

#endif
