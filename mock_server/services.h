/* The table of services: what the mock knows of each. The mock opens, binds, announces and closes
 * whatever its table lists and knows no service by name; services.c has the table of this build, a
 * test may give another. */
#ifndef PINPIPE_SERVICES_H
#define PINPIPE_SERVICES_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

struct conn_kind;
struct host;
struct pinpipe_mock_options;

/* A protocol that services answer in: what its URLs begin with, and how a face becomes the
 * connections of a listener. */
struct service_protocol {
    const char *scheme; /* "http://" */
    enum status (*kind)(const struct host *host, const void *face, struct conn_kind *out);
};
extern const struct service_protocol service_http; /* faces are struct service */

struct service_row {
    /* The name side, out of pinpipe/services.def. */
    int id;            /* enum pinpipe_service: its place in ports, URLs, faces */
    const char *key;   /* "s3_url": in the ready file and server.json */
    const char *title; /* "Kafka Connect" */
    const char *flag;  /* "--connect": how the user chooses another port */
    /* The room that answers. open NULL: the service is not in this build, only its key is
     * announced, as null. */
    const struct service_protocol *protocol;
    /* Refuses options that `open` would, before anything is opened. NULL: there are none. */
    enum status (*check)(const struct pinpipe_mock_options *options, struct error *err);
    enum status (*open)(const struct host *host, void **out, struct error *err);
    /* Rows with the same `open` are listeners of one service, which is opened once. */
    const void *(*face)(void *service); /* what its protocol answers with */
    void (*close)(void *service);
    /* Behind the address in its URL: "test" for http://127.0.0.1:8080/test. NULL: nothing. */
    const char *(*url_path)(const struct host *host);
    /* Opens only when the options give it a port; else neither the ready file nor server.json
     * names it. */
    bool on_request;
    /* A service that calls others' faces opens behind those that stand for themselves and closes
     * before them. */
    bool in_front;
};

struct service_table {
    const struct service_row *rows; /* in the order in which people see them */
    size_t count;
};

extern const struct service_table service_table;

#endif
