/* Local time is what the C library makes of TZ: the person who types it reads the same clock. */
#include "cli_moment.h"

#include "server_file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static enum status moment_of_start(struct cli *cli, int64_t *out_ms, struct error *err)
{
    struct json_doc *doc;
    enum status status = server_file_load(cli, &doc, err);
    bool told =
        doc != NULL && json_node_i64(json_node_get(json_doc_root(doc), "started_ms"), out_ms);
    json_doc_free(doc);
    if (status == STATUS_OK && !told) {
        status =
            error_set(err, STATUS_CONFIG,
                      "--since last-start: no server runs in %s: give a time such as 10:32, or "
                      "--data of the server that does",
                      cli_data_dir(cli));
    }
    return status;
}

/* "90s", "10m", "2h", "1d" */
static bool moment_ago(struct span text, int64_t now_ms, int64_t *out_ms)
{
    static const char units[] = "smhd";
    static const int64_t unit_ms[] = {1000, 60000, 3600000, 86400000};
    int64_t count;
    const char *unit = text.len > 1 ? memchr(units, text.ptr[text.len - 1], 4) : NULL;
    if (unit == NULL || !span_parse_i64(span_first(text, text.len - 1), &count) || count < 0 ||
        count > 1000000) {
        return false;
    }
    *out_ms = now_ms - count * unit_ms[unit - units];
    return true;
}

/* "Z", "+01:00"; nothing: local time. */
static bool moment_zoned(const char *zone, struct tm *parts, int64_t *seconds)
{
    char sign = '+';
    int hours = 0;
    int minutes = 0;
    int used = 0;
    if (zone[0] == '\0') {
        parts->tm_isdst = -1;
        *seconds = mktime(parts);
        return *seconds != -1;
    }
    *seconds = timegm(parts);
    if (strcmp(zone, "Z") == 0) {
        return true;
    }
    if (sscanf(zone, "%c%2d:%2d%n", &sign, &hours, &minutes, &used) != 3 || zone[used] != '\0' ||
        (sign != '+' && sign != '-')) {
        return false;
    }
    *seconds -= (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

static bool moment_parts_are_real(const struct tm *parts)
{
    return parts->tm_year >= 70 && parts->tm_year < 8000 && parts->tm_mon >= 0 &&
           parts->tm_mon < 12 && parts->tm_mday >= 1 && parts->tm_mday <= 31 &&
           parts->tm_hour >= 0 && parts->tm_hour < 24 && parts->tm_min >= 0 && parts->tm_min < 60 &&
           parts->tm_sec >= 0 && parts->tm_sec <= 60;
}

/* "2026-12-01", "2026-12-01 10:32", "2026-12-01T10:32:05Z" */
static bool moment_dated(const char *text, int64_t *out_ms)
{
    struct tm parts = {.tm_sec = 0};
    char between = '\0';
    int used = 0;
    int more = 0;
    int64_t seconds;
    if (sscanf(text, "%4d-%2d-%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &used) != 3) {
        return false;
    }
    if (text[used] != '\0') {
        if (sscanf(text + used, "%c%2d:%2d%n", &between, &parts.tm_hour, &parts.tm_min, &more) !=
                3 ||
            (between != ' ' && between != 'T')) {
            return false;
        }
        used += more;
        if (sscanf(text + used, ":%2d%n", &parts.tm_sec, &more) == 1) {
            used += more;
        }
    }
    parts.tm_year -= 1900;
    parts.tm_mon--;
    if (!moment_parts_are_real(&parts) || !moment_zoned(text + used, &parts, &seconds)) {
        return false;
    }
    *out_ms = seconds * 1000;
    return true;
}

/* "10:32", "10:32:05": the last time that it was. */
static bool moment_of_day(const char *text, int64_t now_ms, int64_t *out_ms)
{
    struct tm parts;
    time_t now = (time_t)(now_ms / 1000);
    int used = 0;
    int more = 0;
    localtime_r(&now, &parts);
    parts.tm_sec = 0;
    if (sscanf(text, "%2d:%2d%n", &parts.tm_hour, &parts.tm_min, &used) != 2) {
        return false;
    }
    if (sscanf(text + used, ":%2d%n", &parts.tm_sec, &more) == 1) {
        used += more;
    }
    if (text[used] != '\0' || !moment_parts_are_real(&parts)) {
        return false;
    }
    parts.tm_isdst = -1;
    time_t then = mktime(&parts);
    if (then > now) {
        parts.tm_mday--;
        parts.tm_isdst = -1;
        then = mktime(&parts);
    }
    *out_ms = (int64_t)then * 1000;
    return then != -1;
}

enum status cli_moment_parse(struct cli *cli, const char *text, int64_t *out_ms, struct error *err)
{
    int64_t now_ms = cli->env.wall_us(&cli->env) / 1000;
    if (strcmp(text, "last-start") == 0) {
        return moment_of_start(cli, out_ms, err);
    }
    if (moment_ago(span_from_cstr(text), now_ms, out_ms) || moment_dated(text, out_ms) ||
        moment_of_day(text, now_ms, out_ms)) {
        return STATUS_OK;
    }
    return error_set(
        err, STATUS_USAGE,
        "--since \"%.60s\" is no time: write 10:32, \"2026-12-01 10:32:05\", 10m (ago) "
        "or last-start",
        text);
}
