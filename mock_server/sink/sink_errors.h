/* A record's failure, as Connect tells it: an exception with its causes, the stage it
 * happened in, and the trace text of a FAILED task (specs/s3-sink-connector.md 3, 7).
 *
 * DIFFERS: traces have the exceptions and their causes, not the "at ..." lines between them nor the
 * places in the source that Jackson adds: they name lines of Java that is not running here. */
#ifndef PINPIPE_SINK_ERRORS_H
#define PINPIPE_SINK_ERRORS_H

#include "buf.h"

#define JAVA_CONNECT_EXCEPTION   "org.apache.kafka.connect.errors.ConnectException"
#define JAVA_DATA_EXCEPTION      "org.apache.kafka.connect.errors.DataException"
#define JAVA_OUT_OF_MEMORY_ERROR "java.lang.OutOfMemoryError"

enum sink_stage {
    SINK_STAGE_KEY_CONVERTER,
    SINK_STAGE_VALUE_CONVERTER,
    SINK_STAGE_TASK_PUT,
};

enum { SINK_CAUSES_MAX = 4, SINK_MESSAGE_BYTES = 640, SINK_TRACE_BYTES_MAX = 8192 };

struct sink_exception {
    const char *class_name;
    char message[SINK_MESSAGE_BYTES];
};

/* Filled only where something fails; chain[0] is what was thrown. */
struct sink_failure {
    enum sink_stage stage;
    bool no_memory; /* ours, not the record's: the chain is empty */
    size_t count;
    struct sink_exception chain[SINK_CAUSES_MAX];
};

/* Begins the chain / adds the cause of the last one. Both return false, for `return sink_fail(...)`
 * in what converts. */
bool sink_fail(struct sink_failure *failure, const char *class_name, const char *format, ...)
    PP_PRINTF(3, 4);
bool sink_fail_cause(struct sink_failure *failure, const char *class_name, const char *format, ...)
    PP_PRINTF(3, 4);
bool sink_fail_no_memory(struct sink_failure *failure);
/* Puts an exception in front: what was thrown becomes its cause. */
void sink_fail_wrap(struct sink_failure *failure, const char *class_name, const char *message);

/* "class: message\nCaused by: class: message\n..." */
void sink_failure_trace(const struct sink_failure *failure, struct buf *out);
const char *sink_stage_name(enum sink_stage stage); /* "VALUE_CONVERTER" */

#endif
