/* The wire's side of the replayer: the server as a child process, connections, responses. */
#ifndef GOLDEN_REPLAY_WIRE_H
#define GOLDEN_REPLAY_WIRE_H

#include "replay_transcript.h"

#include <sys/types.h>

enum { connections_max = 16, headers_max = 64, targets_max = 32 };

/* A listener that a request can go to: "rest" for what the ready file calls "rest_url". */
struct target {
    char name[24];
    int port;
};

struct server {
    pid_t pid;
    char directory[64];
    struct captures captures;
    struct target targets[targets_max]; /* all that the ready file names */
    size_t target_count;
};

/* NULL: it has no listener of that name. */
const struct target *server_target(const struct server *server, const char *name, size_t len);

/* Starts `program` with the transcript's flags and waits for its ready file. */
bool server_start(struct server *server, const char *program, const struct transcript *t);
/* Ends it by SIGTERM: its exit code, 128 and more for a signal. `log` is what it wrote to stderr
 * and stdout; the caller frees it. */
int server_stop(struct server *server, char **log);

struct connection {
    char name[48]; /* "rest", "gateway/a" */
    int fd;        /* -1: closed */
    struct text in;
};

struct connections {
    struct connection list[connections_max];
    size_t count;
};

/* The connection of that name, opened when it is not; NULL when the port refuses. */
struct connection *connection_get(struct connections *all, const char *name, int port);
void connection_close(struct connection *c);
void connections_close(struct connections *all);
void connection_send(struct connection *c, const struct text *bytes);
/* More bytes: 1; the end: 0; nothing for too long: -1. */
int connection_read(struct connection *c);

struct header {
    char *name;
    char *value;
};

struct response {
    bool none;   /* the server closed without one */
    bool silent; /* nor that: it said nothing for too long */
    int status;
    char reason[64];
    struct header headers[headers_max];
    size_t header_count;
    struct text body;
    char problem[128]; /* of the framing */
};

/* False with r->problem when what came is not a well-framed response. */
bool response_read(struct connection *c, struct response *r, bool is_head);
const char *response_header(const struct response *r, const char *name);
void response_free(struct response *r);

#endif
