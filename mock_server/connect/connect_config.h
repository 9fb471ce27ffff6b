/* The configuration of Kafka Connect 2.8.1 and of the S3 sink connector 10.5.13 as one table of
 * definitions: it drives validate, the 400 of an invalid configuration, and the parsed form that
 * the worker runs with (specs/s3-sink-connector.md 1, 3..5, 7, 8). */
#ifndef PINPIPE_CONNECT_CONFIG_H
#define PINPIPE_CONNECT_CONFIG_H

#include "connect_entries.h"

struct sink_config;

/* The verdict on a configuration. */
struct connect_findings {
    const char **errors; /* in the order of the definitions, ready to print */
    size_t count;
    /* The exception that ended the check at once, by class; NULL: there was none. errors[0] is its
     * message, and this the status that POST /connectors gives it. */
    const char *exception;
    int exception_status;
};
/* "Connector configuration is invalid and contains the following 2 error(s):..." for findings that
 * are no exception. */
void connect_findings_write(const struct connect_findings *findings, struct buf *out);

/* The worker's own version, and the one plugin that is installed on it. */
#define CONNECT_VERSION "2.8.1"
#define CONNECT_COMMIT  "839b886f9b732b15"
struct connect_plugin {
    const char *class_name; /* "io.confluent.connect.s3.S3SinkConnector" */
    const char *task_class;
    const char *version; /* "10.5.13" */
};
extern const struct connect_plugin connect_plugin;

/* The classes there are: the plugin's and its aliases (S3SinkConnector, S3Sink). Empty when the
 * word names none. */
struct span connect_class_resolve(struct span word);

/* Checks and parses; *out is in the arena. `findings` lists every error (then *out is NULL).
 * NO_MEMORY only.
 *
 * A converter that is not set is the worker's: JsonConverter with schemas.enable=true for keys and
 * values, as connect-distributed.properties has it (and then the connector's own schemas.enable
 * counts for nothing). */
enum status connect_config_parse(struct arena *arena, const struct connect_entries *entries,
                                 const struct sink_config **out, struct connect_findings *findings,
                                 struct error *err) PP_MUST_USE;
/* The connector's name in a configuration without findings. */
struct span connect_config_name(const struct sink_config *config);
/* The body of PUT /connector-plugins/{class}/config/validate. INVALID: an exception; its class and
 * message are what err says. */
enum status connect_config_validate(struct arena *arena, const struct connect_entries *entries,
                                    struct buf *out, struct error *err) PP_MUST_USE;

#endif
