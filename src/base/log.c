#include "log.h"

#include "printable.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

static const char *const level_names[] = {"debug", "info", "warn", "error", "off"};

enum { log_line_bytes_max = 2048 };

void log_init(struct log *log, struct env *env, FILE *out, enum log_level level)
{
    *log = (struct log){.env = env, .out = out, .level = level};
}

static bool level_from_name(struct span name, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(level_names); i++) {
        if (span_equal_cstr(name, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

enum status log_configure(struct log *log, const char *spec, struct error *err)
{
    struct span rest = span_from_cstr(spec);
    struct span part;
    while (span_next_part(&rest, ',', &part)) {
        size_t colon = span_find_byte(part, ':');
        bool has_area = colon < part.len;
        enum log_level level;
        if (!level_from_name(has_area ? span_skip(part, colon + 1) : part, &level)) {
            return error_set(err, STATUS_INVALID,
                             "log: \"%.*s\" is not debug, info, warn, error, off or area:level",
                             SPAN_ARG(part));
        }
        if (!has_area) {
            log->level = level;
            continue;
        }
        struct log_area_level *entry = &log->areas[log->area_count];
        if (log->area_count == LOG_AREAS_MAX || colon >= sizeof(entry->area)) {
            return error_set(err, STATUS_INVALID, "log: \"%.*s\": at most %d areas of 15 letters",
                             SPAN_ARG(part), LOG_AREAS_MAX);
        }
        memcpy(entry->area, part.ptr, colon);
        entry->area[colon] = '\0';
        entry->level = level;
        log->area_count++;
    }
    return STATUS_OK;
}

bool log_wants(const struct log *log, enum log_level level, const char *area)
{
    for (size_t i = log->area_count; i > 0; i--) {
        if (strcmp(log->areas[i - 1].area, area) == 0) {
            return level >= log->areas[i - 1].level;
        }
    }
    return level >= log->level;
}

void log_write(struct log *log, enum log_level level, const char *area, const char *format, ...)
{
    if (!log_wants(log, level, area)) {
        return;
    }
    char line[log_line_bytes_max];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    printable_make(line, sizeof(line)); /* a peer's bytes may be in it */
    int64_t now_us = log->env->wall_us(log->env);
    time_t seconds = (time_t)(now_us / 1000000);
    struct tm utc;
    char stamp[32];
    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &utc);
    fprintf(log->out, "%s.%03dZ %-5s %-7s %s\n", stamp, (int)(now_us / 1000 % 1000),
            level_names[level], area, line);
}
