/* The log: one line an event to stderr, time, level, area, message, then key=value facts in the
 * message. Nothing in src/base logs; stdout belongs to results. */
#ifndef PINPIPE_LOG_H
#define PINPIPE_LOG_H

#include "env.h"
#include "error.h"

#include <stdio.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

enum { LOG_AREAS_MAX = 16 };

struct log_area_level {
    char area[16];
    enum log_level level;
};

struct log {
    struct env *env;
    FILE *out;
    enum log_level level;
    struct log_area_level areas[LOG_AREAS_MAX];
    size_t area_count;
};

void log_init(struct log *log, struct env *env, FILE *out, enum log_level level);
/* "info" or "http:debug,store:warn" or a mix; INVALID names the word that is wrong. */
enum status log_configure(struct log *log, const char *spec, struct error *err) PP_MUST_USE;
bool log_wants(const struct log *log, enum log_level level, const char *area);
void log_write(struct log *log, enum log_level level, const char *area, const char *format, ...)
    PP_PRINTF(4, 5);

#define LOG_DEBUGF(log, area, ...) log_write((log), LOG_DEBUG, (area), __VA_ARGS__)
#define LOG_INFOF(log, area, ...)  log_write((log), LOG_INFO, (area), __VA_ARGS__)
#define LOG_WARNF(log, area, ...)  log_write((log), LOG_WARN, (area), __VA_ARGS__)
#define LOG_ERRORF(log, area, ...) log_write((log), LOG_ERROR, (area), __VA_ARGS__)

#endif
