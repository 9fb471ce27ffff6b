/* Every form walks the same table of kinds, so that none can leave one out. */
#include "verdict_report.h"

#include "civil.h"
#include "json_write.h"

#include <errno.h>
#include <inttypes.h>

enum { offender_bytes_max = 4096 };

/* --- the offender in words ------------------------------------------------------------------- */

static void append_ledger(const struct verdict_offender *offender, struct buf *out)
{
    if (offender->ledger_id >= 0) {
        buf_printf(out, " (ledger %" PRId64 ", run %" PRId64 ", triple %" PRId64 ")",
                   offender->ledger_id, offender->run, offender->triple);
    } else if (offender->run >= 0) {
        buf_printf(out, " (run %" PRId64 ", triple %" PRId64 ")", offender->run, offender->triple);
    }
}

void verdict_offender_append(const struct verdict_offender *offender, struct buf *out)
{
    size_t start = out->len;
    if (offender->topic[0] != '\0') {
        buf_append_cstr(out, offender->topic);
    }
    if (offender->offset >= 0) {
        buf_printf(out, " partition %" PRId32 " offset %" PRId64, offender->partition,
                   offender->offset);
    }
    if (offender->row >= 0) {
        buf_printf(out, "%srow %" PRId64 " of %s", out->len > start ? ", " : "", offender->row,
                   offender->table);
    }
    if (offender->field[0] != '\0') {
        buf_printf(out, "%sfield %s", out->len > start ? ", " : "", offender->field);
    }
    append_ledger(offender, out);
    if (offender->detail[0] != '\0') {
        buf_printf(out, ": %s", offender->detail);
    }
}

/* Room for every offender's words before anything is written: no report lacks one. */
static bool offender_line_open(struct buf *line)
{
    buf_init(line, offender_bytes_max);
    bool fits = buf_reserve(line, offender_bytes_max);
    errno = fits ? errno : ENOMEM;
    return fits;
}

/* --- text ------------------------------------------------------------------------------------ */

/* "1 post", "2 posts" */
static void write_count(uint64_t count, const char *noun, FILE *out)
{
    fprintf(out, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}

static void text_ledger(const struct verdict *verdict, FILE *out)
{
    fprintf(out, "ledger   ");
    write_count(verdict->posts, "post", out);
    fprintf(out, " by ");
    write_count(verdict->runs, "run", out);
    fprintf(out, " of the emulator, %" PRIu64 " of them acknowledged\n", verdict->acked);
    fprintf(out,
            "matched  %" PRIu64
            " of the records stand where the acknowledgement said, with the row "
            "that was posted\n",
            verdict->matched);
}

/* In UTC, to the second. */
static void text_moment(int64_t time_ms, FILE *out)
{
    int64_t days = civil_floor_div(time_ms, CIVIL_DAY_MS);
    int second = (int)((time_ms - days * CIVIL_DAY_MS) / 1000);
    int64_t year;
    unsigned month;
    unsigned day;
    civil_date(days, &year, &month, &day);
    fprintf(out, "%04" PRId64 "-%02u-%02uT%02d:%02d:%02dZ", year, month, day, second / 3600,
            second / 60 % 60, second % 60);
}

static void text_head(const struct verdict *verdict, FILE *out)
{
    fprintf(out, "read     ");
    write_count(verdict->records, "record", out);
    fprintf(out, " in ");
    write_count(verdict->topics, "topic", out);
    if (verdict->since_ms > 0) {
        fprintf(out, ", no older than ");
        text_moment(verdict->since_ms, out);
    }
    fprintf(out, "\n");
    if (!verdict->without_ledger) {
        text_ledger(verdict, out);
    }
    if (verdict->own > 0) {
        fprintf(out, "yours    ");
        write_count(verdict->own, "record", out);
        fprintf(out, " of your own script: rows of the tables, in no ledger\n");
    }
    if (verdict->through >= VERDICT_STAGE_S3) {
        fprintf(out, "lake     ");
        write_count(verdict->lines, "line", out);
        fprintf(out, " in ");
        write_count(verdict->objects, "object", out);
        fprintf(out, "\n");
    }
    fprintf(out, "\n");
    fprintf(out, "        %-20s %10s  %s\n", "looked for", "found", "which means");
}

static void text_kind(const struct verdict *verdict, size_t kind, struct buf *line, FILE *out)
{
    const struct verdict_kind_info *info = verdict_kind_info((enum verdict_kind)kind);
    uint64_t count = verdict->counts[kind];
    if (!verdict_judges(verdict, (enum verdict_kind)kind) || (count == 0 && !info->fails)) {
        return;
    }
    const char *mark = count == 0 ? "ok  " : info->fails ? "FAIL" : "note";
    fprintf(out, "  %s  %-20s %10" PRIu64 "  %s\n", mark, info->title, count, info->meaning);
    if (count > 0) {
        buf_reset(line);
        verdict_offender_append(&verdict->first[kind], line);
        fprintf(out, "        first: %s\n", buf_cstr(line));
    }
}

/* PASS, and whose records they were. */
static void text_passed(const struct verdict *verdict, FILE *out)
{
    fprintf(out, "PASS ");
    write_count(verdict->without_ledger ? verdict->own : verdict->records, "record", out);
    if (verdict->without_ledger) {
        fprintf(out, " of your own script");
    }
    fprintf(out, " in ");
    write_count(verdict->topics, "topic", out);
    if (verdict->own == 0) {
        fprintf(out, ", all accounted for by ");
        write_count(verdict->posts, "post", out);
    } else if (!verdict->without_ledger) {
        fprintf(out, ": %" PRIu64 " accounted for by ", verdict->records - verdict->own);
        write_count(verdict->posts, "post", out);
        fprintf(out, " of the emulator, ");
        write_count(verdict->own, "record", out);
        fprintf(out, " of your own script");
    }
    if (verdict->through >= VERDICT_STAGE_S3) {
        fprintf(out, ", all in ");
        write_count(verdict->objects, "object", out);
        fprintf(out, " of S3");
    }
    if (verdict->counts[VERDICT_UNFINISHED] > 0) {
        fprintf(out, "; ");
        write_count(verdict->counts[VERDICT_UNFINISHED], "row", out);
        fprintf(out, " at the end %s not whole yet",
                verdict->counts[VERDICT_UNFINISHED] == 1 ? "is" : "are");
    }
    fprintf(out, "\n");
}

/* FAIL, and what; of somebody's own script also which record, so that the line says all. */
static void text_failed(const struct verdict *verdict, struct buf *line, FILE *out)
{
    const struct verdict_offender *first = NULL;
    const char *separator = " ";
    fprintf(out, "FAIL");
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        const struct verdict_kind_info *info = verdict_kind_info((enum verdict_kind)kind);
        if (info->fails && verdict->counts[kind] > 0) {
            fprintf(out, "%s%" PRIu64 " %s", separator, verdict->counts[kind], info->title);
            separator = ", ";
            first = first == NULL ? &verdict->first[kind] : first;
        }
    }
    if (verdict->own > 0) {
        fprintf(out, ", with ");
        write_count(verdict->own, "record", out);
        fprintf(out, " of your own script");
    }
    if (verdict->own > 0 || verdict->without_ledger) {
        buf_reset(line);
        verdict_offender_append(first, line);
        fprintf(out, "; first: %s", buf_cstr(line));
    }
    fprintf(out, "\n");
}

bool verdict_write_text(const struct verdict *verdict, FILE *out)
{
    struct buf line;
    if (!offender_line_open(&line)) {
        return false;
    }
    text_head(verdict, out);
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        text_kind(verdict, kind, &line, out);
    }
    if (verdict->later > 0) {
        fprintf(out, "  ");
        write_count(verdict->later, "post", out);
        fprintf(out, " acknowledged only after the verification began: not judged\n");
    }
    if (verdict_passed(verdict)) {
        text_passed(verdict, out);
    } else {
        text_failed(verdict, &line, out);
    }
    buf_release(&line);
    return ferror(out) == 0;
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void member_text(struct json_writer *w, const char *name, const char *text)
{
    json_member_cstr(w, name, text[0] != '\0' ? text : NULL);
}

static void member_number(struct json_writer *w, const char *name, int64_t number)
{
    if (number < 0) {
        json_member_null(w, name);
    } else {
        json_member_i64(w, name, number);
    }
}

static void write_offender(struct json_writer *w, const struct verdict_offender *offender)
{
    json_member_object(w, "first");
    json_member_cstr(w, "topic", offender->topic);
    member_number(w, "partition", offender->partition);
    member_number(w, "offset", offender->offset);
    member_text(w, "table", offender->table);
    member_number(w, "row", offender->row);
    member_text(w, "field", offender->field);
    member_number(w, "ledger_id", offender->ledger_id);
    member_number(w, "run", offender->run);
    member_number(w, "triple", offender->triple);
    member_text(w, "detail", offender->detail);
    json_write_end(w);
}

static void write_kinds(struct json_writer *w, const struct verdict *verdict)
{
    json_member_object(w, "kinds");
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        const struct verdict_kind_info *info = verdict_kind_info((enum verdict_kind)kind);
        if (!verdict_judges(verdict, (enum verdict_kind)kind)) {
            continue;
        }
        json_member_object(w, info->key);
        json_member_u64(w, "count", verdict->counts[kind]);
        json_member_bool(w, "fails", info->fails);
        if (verdict->counts[kind] > 0) {
            write_offender(w, &verdict->first[kind]);
        } else {
            json_member_null(w, "first");
        }
        json_write_end(w);
    }
    json_write_end(w);
}

/* The origin of the records that were judged. */
static const char *whose_words(const struct verdict *verdict)
{
    if (verdict->without_ledger) {
        return "own";
    }
    return verdict->own > 0 ? "both" : "ledger";
}

static void verdict_write_document(struct json_writer *w, const struct verdict *verdict)
{
    bool with_lake = verdict->through >= VERDICT_STAGE_S3;
    json_write_object(w);
    json_member_cstr(w, "verdict", verdict_passed(verdict) ? "PASS" : "FAIL");
    json_member_cstr(w, "through", with_lake ? "s3" : "topics");
    member_text(w, "cluster_id", verdict->cluster_id);
    json_member_u64(w, "topics", verdict->topics);
    json_member_u64(w, "records", verdict->records);
    json_member_u64(w, "matched", verdict->matched);
    json_member_u64(w, "own", verdict->own);
    json_member_cstr(w, "whose", whose_words(verdict));
    member_number(w, "since_ms", verdict->since_ms > 0 ? verdict->since_ms : -1);
    json_member_u64(w, "runs", verdict->runs);
    json_member_u64(w, "posts", verdict->posts);
    json_member_u64(w, "acked", verdict->acked);
    json_member_u64(w, "later", verdict->later);
    json_member_u64(w, "failures", verdict_failures(verdict));
    json_member_i64(w, "elapsed_ms", verdict->elapsed_ms);
    if (with_lake) {
        json_member_u64(w, "objects", verdict->objects);
        json_member_u64(w, "lines", verdict->lines);
    }
    write_kinds(w, verdict);
    json_write_end(w);
}

bool verdict_write_json(const struct verdict *verdict, FILE *out)
{
    struct buf text;
    buf_init(&text, VERDICT_KIND_COUNT * offender_bytes_max);
    struct json_writer w = json_writer_to(&text);
    verdict_write_document(&w, verdict);
    buf_append_byte(&text, '\n');
    errno = buf_ok(&text) ? errno : ENOMEM;
    bool written = buf_ok(&text) && fwrite(text.ptr, 1, text.len, out) == text.len;
    buf_release(&text);
    return written && ferror(out) == 0;
}

/* --- JUnit ----------------------------------------------------------------------------------- */

/* XML 1.0 has no place for most control characters, escaped or not. */
static void xml_write(const char *text, FILE *out)
{
    for (const char *p = text; *p != '\0'; p++) {
        switch (*p) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            fputc((unsigned char)*p < 0x20 ? '?' : *p, out);
            break;
        }
    }
}

/* Does it have a test case? */
static bool is_case(const struct verdict *verdict, size_t kind)
{
    return verdict_kind_info((enum verdict_kind)kind)->fails &&
           verdict_judges(verdict, (enum verdict_kind)kind);
}

static size_t count_failing_kinds(const struct verdict *verdict, bool only_hit)
{
    size_t count = 0;
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        count += is_case(verdict, kind) && (!only_hit || verdict->counts[kind] > 0) ? 1 : 0;
    }
    return count;
}

static void junit_case(const struct verdict *verdict, size_t kind, struct buf *line, FILE *out)
{
    const struct verdict_kind_info *info = verdict_kind_info((enum verdict_kind)kind);
    if (!is_case(verdict, kind)) {
        return;
    }
    fprintf(out, "  <testcase classname=\"pinpipe.verify.%s\" name=\"%s: none\"",
            info->stage == VERDICT_STAGE_S3 ? "s3" : "topics", info->title);
    if (verdict->counts[kind] == 0) {
        fputs("/>\n", out);
        return;
    }
    buf_reset(line);
    verdict_offender_append(&verdict->first[kind], line);
    fprintf(out, ">\n    <failure type=\"%s\" message=\"%" PRIu64 " %s\">first: ", info->key,
            verdict->counts[kind], info->title);
    xml_write(buf_cstr(line), out);
    fputs("</failure>\n  </testcase>\n", out);
}

bool verdict_write_junit(const struct verdict *verdict, FILE *out)
{
    struct buf line;
    if (!offender_line_open(&line)) {
        return false;
    }
    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"pinpipe verify\" "
            "tests=\"%zu\" failures=\"%zu\" time=\"%" PRId64 ".%03" PRId64 "\">\n",
            count_failing_kinds(verdict, false), count_failing_kinds(verdict, true),
            verdict->elapsed_ms / 1000, verdict->elapsed_ms % 1000);
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        junit_case(verdict, kind, &line, out);
    }
    fputs("</testsuite>\n", out);
    buf_release(&line);
    return ferror(out) == 0;
}

/* --- TAP ------------------------------------------------------------------------------------- */

bool verdict_write_tap(const struct verdict *verdict, FILE *out)
{
    struct buf line;
    size_t number = 0;
    if (!offender_line_open(&line)) {
        return false;
    }
    fprintf(out, "TAP version 13\n1..%zu\n", count_failing_kinds(verdict, false));
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        const struct verdict_kind_info *info = verdict_kind_info((enum verdict_kind)kind);
        uint64_t count = verdict->counts[kind];
        if (is_case(verdict, kind)) {
            number++;
            fprintf(out, "%s %zu - %s: none\n", count == 0 ? "ok" : "not ok", number, info->title);
        }
        if (count > 0) {
            buf_reset(&line);
            verdict_offender_append(&verdict->first[kind], &line);
            fprintf(out, "# %" PRIu64 " %s, first: %s\n", count, info->title, buf_cstr(&line));
        }
    }
    buf_release(&line);
    return ferror(out) == 0;
}
