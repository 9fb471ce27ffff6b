/* AWS on a laptop, inside your own program: start it, talk HTTP to it, stop it.
 *
 *     struct pinpipe_mock_options options;
 *     pinpipe_mock_options_init(&options);
 *     struct pinpipe_mock *mock;
 *     char why[PINPIPE_MESSAGE_BYTES];
 *     if (pinpipe_mock_start(&options, &mock, why) != PINPIPE_OK) { ... }
 *     post(pinpipe_mock_url(mock, PINPIPE_GATEWAY), ...);
 *     pinpipe_mock_stop(mock);
 *
 * Every handle is opaque; options carry their size, so that a program built against an older header
 * keeps working. */
#ifndef PINPIPE_MOCK_H
#define PINPIPE_MOCK_H

#include "result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pinpipe_mock;

enum pinpipe_durability { PINPIPE_FULL, PINPIPE_NORMAL, PINPIPE_OFF };
/* PINPIPE_GATEWAY, PINPIPE_REST, PINPIPE_CONNECT, PINPIPE_S3, PINPIPE_MSK_CONNECT, PINPIPE_MYSQL: a
 * row each of services.def. */
enum pinpipe_service {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    PINPIPE_##ID = (VALUE),
#include "services.def"
};
/* PINPIPE_GATEWAY_USUAL_PORT (8080) and so on: where `pinpipe serve` listens unless told otherwise.
 * A mock in a program listens on free ports unless its options name some. */
enum {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    PINPIPE_##ID##_USUAL_PORT = (PORT),
#include "services.def"
};
enum { PINPIPE_SERVICES_MAX = 32 };
enum pinpipe_first_poll { PINPIPE_FIRST_POLL_EMPTY, PINPIPE_FIRST_POLL_EAGER };
enum pinpipe_permissions { PINPIPE_PERMISSIONS_OPEN, PINPIPE_PERMISSIONS_WORKSHOP };

/* A request that has been answered. Texts are as long as said, of whatever bytes the client sent,
 * and are there during the call only. */
struct pinpipe_request {
    const char *service; /* "gateway", "rest", "s3"... */
    const char *method;
    size_t method_len;
    const char *path; /* with its query, secrets in that replaced */
    size_t path_len;
    int status;
    const char *error_code; /* "40403"; empty on success */
    size_t error_code_len;
    const char *hint; /* what went beside the answer for people; empty: nothing */
    size_t hint_len;
    int64_t received_us; /* since 1970 */
    int64_t latency_us;  /* until the answer could leave */
};

struct pinpipe_mock_options {
    size_t struct_size;
    const char *data_dir; /* NULL: in memory, gone at stop */
    const char *bind_addr;
    int gateway_port; /* 0: any free one; -1: no listener */
    int rest_port;
    const char *user_id; /* topics <user_id>.pin, .geo and .user exist from the start */
    const char *stage;   /* NULL: any well-formed first path segment is the stage */
    enum pinpipe_durability durability;
    bool has_seed; /* ids repeat with the seed */
    uint64_t seed;
    int64_t journal_rows; /* 0: no journal */
    bool lenient;         /* application/json is accepted where the real proxy answers 415 */
    bool auto_create;
    enum pinpipe_first_poll first_poll;
    enum pinpipe_permissions permissions;
    const char *api_key;
    double throttle_rate; /* requests a second; 0: no throttle */
    double throttle_burst;
    const char *gateway_upstream; /* NULL: the REST proxy of this process */
    int gateway_refused_status;
    const char *advertised_url;
    int64_t missing_topic_delay_ms;
    const char *log_spec;   /* "info", "http:debug,store:warn", "off" */
    const char *ready_file; /* there, complete, from when every listener accepts until the end */
    const char *version;    /* for server.json */
    int connect_port;       /* as the ports above */
    int s3_port;
    int msk_connect_port;
    const char *region; /* what signatures and buckets are of: "us-east-1" */
    /* Credentials, both or neither: S3 and MSK Connect then accept only requests signed by them. */
    const char *access_key;
    const char *secret;
    /* By enum pinpipe_service, as the ports with names above, which are the same thing for the five
     * services that have one. 0: what the field with a name says, else any free port. A service
     * that opens only when asked for has -1 from pinpipe_mock_options_init. */
    int ports[PINPIPE_SERVICES_MAX];
    /* Memory that clients can make the process hold, all together; 0: 64 MiB. At least 48. */
    int64_t memory_mib;
    /* The only login that MySQL accepts, both or neither; NULL: any user and password. */
    const char *mysql_user;
    const char *mysql_password;
    /* By enum pinpipe_service: where the port is another program's, any free one will do. */
    bool port_may_move[PINPIPE_SERVICES_MAX];
    /* Told of each request when the answers have left, in the thread that serves: it must be quick.
     * Hints are then told here and not in the log. */
    void (*on_request)(void *observer, const struct pinpipe_request *request);
    /* The time for what takes longer, such as drawing: a tenth of a second after a request, and
     * again while it returns true. Needed where on_request is given. */
    bool (*on_pause)(void *observer);
    void *observer;
    FILE *log_file; /* NULL: stderr */
};

/* The defaults: in memory, loopback, free ports, user "workshop", full durability, log off. */
void pinpipe_mock_options_init(struct pinpipe_mock_options *options);

/* Opens the data, binds the listeners. Nothing is served before run or start. `why` (of
 * PINPIPE_MESSAGE_BYTES, may be NULL) gets the cause and the fix. */
enum pinpipe_result pinpipe_mock_new(const struct pinpipe_mock_options *options,
                                     struct pinpipe_mock **out, char *why);
/* Serves in this thread until pinpipe_mock_interrupt; with handle_signals also until SIGINT or
 * SIGTERM. Parked requests are answered, then everything is committed. */
enum pinpipe_result pinpipe_mock_run(struct pinpipe_mock *mock, bool handle_signals, char *why);
/* May be called from any thread and from a signal handler. */
void pinpipe_mock_interrupt(struct pinpipe_mock *mock);
/* Consumers leave, what they commit is committed. PINPIPE_OK: everything that was acknowledged is
 * kept; else `why` (as above) says what is in doubt. */
enum pinpipe_result pinpipe_mock_close(struct pinpipe_mock *mock, char *why);
/* Closes it without a word; NULL is fine. */
void pinpipe_mock_free(struct pinpipe_mock *mock);

/* new + a thread that runs it. */
enum pinpipe_result pinpipe_mock_start(const struct pinpipe_mock_options *options,
                                       struct pinpipe_mock **out, char *why);
/* interrupt + join + free; returns how the run ended. */
enum pinpipe_result pinpipe_mock_stop(struct pinpipe_mock *mock);

/* True when no server runs on this data directory, also when there is no such directory. */
bool pinpipe_mock_directory_is_free(const char *data_dir);

/* What a data directory keeps, thrown away. The three tables and the emulator's ledger stay. */
enum pinpipe_reset {
    PINPIPE_RESET_TOPICS = 1,  /* topics with their records, and all commits */
    PINPIPE_RESET_LAKE = 2,    /* buckets, objects, uploads, connectors with their commits */
    PINPIPE_RESET_JOURNAL = 4, /* the requests */
};
/* Resets the parts (any of the bits above) of a directory; the next server finds them as in a new
 * one. PINPIPE_CONFIG: a server runs on it, or it cannot be used. Topics and lake together go even
 * where the file is damaged. OK where there is no directory. */
enum pinpipe_result pinpipe_mock_reset(const char *data_dir, unsigned what, char *why);

/* "http://127.0.0.1:34567", for the gateway with the stage ("/test" unless one is fixed); NULL when
 * there is no such listener. Lives as long as the mock. */
const char *pinpipe_mock_url(const struct pinpipe_mock *mock, enum pinpipe_service service);
/* A service's URL by its key in the ready file, "s3_url"; NULL also when no service has that key.
 */
const char *pinpipe_mock_url_by_key(const struct pinpipe_mock *mock, const char *key);

#ifdef __cplusplus
}
#endif

#endif
