/* The latest requests and the report of a bug.
 *
 * Invariant: what is written when a bug was met needs no memory, no lock, no stdio stream and no
 * other part of the program: slots of a fixed size, a buffer on the stack, open and write. What a
 * query's parameters are set to stays out, because it may be a secret; so does a parameter without
 * a value that is not a plain word, as S3's subresources are. */
#include "recent.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    METHOD_BYTES_MAX = 16,
    TARGET_BYTES_MAX = 144,
    REPORT_PATH_BYTES_MAX = 1024,
    WORD_BYTES_MAX = 24, /* S3's longest subresource has 19 */
};

struct recent_slot {
    uint64_t number; /* from 1; 0: empty */
    const char *service;
    int status; /* 0: not answered */
    unsigned char method_len;
    unsigned char target_len;
    bool cut; /* the target was longer */
    char method[METHOD_BYTES_MAX];
    char target[TARGET_BYTES_MAX];
};

struct recent {
    struct bug_witness witness;
    struct recent_options options;
    uint64_t count; /* of all requests */
    struct recent_slot slots[RECENT_REQUESTS_MAX];
};

static struct recent_slot *recent_slot_of(struct recent *recent, uint64_t number)
{
    return &recent->slots[number % RECENT_REQUESTS_MAX];
}

uint64_t recent_begin(struct recent *recent, const char *service, struct span method,
                      struct span target)
{
    PP_ASSERT(service != NULL);
    uint64_t number = ++recent->count;
    struct recent_slot *slot = recent_slot_of(recent, number);
    method = span_first(method, sizeof(slot->method));
    slot->number = number;
    slot->service = service;
    slot->status = 0;
    slot->cut = target.len > sizeof(slot->target);
    target = span_first(target, sizeof(slot->target));
    slot->method_len = (unsigned char)method.len;
    slot->target_len = (unsigned char)target.len;
    if (method.len > 0) {
        memcpy(slot->method, method.ptr, method.len);
    }
    if (target.len > 0) {
        memcpy(slot->target, target.ptr, target.len);
    }
    return number;
}

void recent_answered(struct recent *recent, uint64_t number, int status)
{
    PP_ASSERT(number > 0 && number <= recent->count);
    struct recent_slot *slot = recent_slot_of(recent, number);
    if (slot->number == number) { /* else so many came after it */
        slot->status = status;
    }
}

/* --- the report --- */

struct report {
    int fd;
    size_t used;
    char text[2048];
};

static void report_flush(struct report *report)
{
    size_t done = 0;
    while (done < report->used) {
        ssize_t count = write(report->fd, report->text + done, report->used - done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        done += (size_t)count;
    }
    report->used = 0;
}

/* A terminal may show it: of what clients sent only printable ASCII. */
static void report_byte(struct report *report, char byte)
{
    if (report->used == sizeof(report->text)) {
        report_flush(report);
    }
    report->text[report->used++] = byte;
}

static void report_span(struct report *report, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool printable = text.ptr[i] > ' ' && text.ptr[i] < 0x7f;
        report_byte(report, printable ? text.ptr[i] : '.');
    }
}

static void report_cstr(struct report *report, const char *text)
{
    for (; *text != '\0'; text++) {
        report_byte(report, *text);
    }
}

static void report_number(struct report *report, uint64_t number)
{
    char digits[24];
    /* Into a local buffer it takes neither memory nor a lock. */
    snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    report_cstr(report, digits);
}

static bool is_plain_word(struct span word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-')) {
            return false;
        }
    }
    return word.len <= WORD_BYTES_MAX;
}

static void report_query(struct report *report, struct span query)
{
    struct span pair;
    char separator = '?';
    while (span_next_part(&query, '&', &pair)) {
        size_t equals = span_find_byte(pair, '=');
        report_byte(report, separator);
        separator = '&';
        if (equals < pair.len) {
            report_span(report, span_first(pair, equals));
            report_cstr(report, "=*");
        } else if (is_plain_word(pair)) {
            report_span(report, pair);
        } else {
            report_byte(report, '*');
        }
    }
}

static void report_request(struct report *report, const struct recent_slot *slot)
{
    struct span target = span_from(slot->target, slot->target_len);
    size_t question = span_find_byte(target, '?');
    report_number(report, slot->number);
    report_byte(report, ' ');
    report_cstr(report, slot->service);
    report_byte(report, ' ');
    report_span(report, span_from(slot->method, slot->method_len));
    report_byte(report, ' ');
    report_span(report, span_first(target, question));
    if (question < target.len) {
        report_query(report, span_skip(target, question + 1));
    }
    report_cstr(report, slot->cut ? "... " : " ");
    if (slot->status != 0) {
        report_number(report, (uint64_t)slot->status);
    } else {
        report_byte(report, '-');
    }
    report_byte(report, '\n');
}

static void report_write(struct report *report, const struct recent *recent, const struct bug *bug)
{
    uint64_t left = recent->count < RECENT_REQUESTS_MAX ? recent->count : RECENT_REQUESTS_MAX;
    report_cstr(report, "pinpipe ");
    report_cstr(report, recent->options.version);
    report_cstr(report, "\nbug at ");
    report_cstr(report, bug->file);
    report_byte(report, ':');
    report_number(report, (uint64_t)bug->line);
    report_cstr(report, ": ");
    report_cstr(report, bug->what);
    report_cstr(report, "\nseed ");
    if (recent->options.has_seed) {
        report_number(report, recent->options.seed);
    } else {
        report_cstr(report, "none was given");
    }
    report_cstr(report,
                "\nThe latest requests, oldest first, without their queries' values; \"-\": "
                "not answered yet.\n");
    for (; left > 0; left--) {
        report_request(report, &recent->slots[(recent->count + 1 - left) % RECENT_REQUESTS_MAX]);
    }
    report_flush(report);
}

/* A file that is not there yet; -1: none can be made. */
static int report_open(const char *directory, char path[REPORT_PATH_BYTES_MAX])
{
    for (int i = 1; i <= RECENT_REPORTS_MAX; i++) {
        int len = snprintf(path, REPORT_PATH_BYTES_MAX, "%s/bug-%d.txt", directory, i);
        if (len >= REPORT_PATH_BYTES_MAX) {
            return -1;
        }
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST) {
            return fd;
        }
    }
    return -1;
}

static void bug_tell(const struct bug_witness *witness, const struct bug *bug)
{
    const struct recent *recent = PP_CONTAINER_OF(witness, struct recent, witness);
    struct report report = {.fd = -1};
    char path[REPORT_PATH_BYTES_MAX];
    if (recent->options.directory != NULL) {
        report.fd = report_open(recent->options.directory, path);
    }
    if (report.fd < 0) {
        report.fd = STDERR_FILENO;
        report_write(&report, recent, bug);
        return;
    }
    report_write(&report, recent, bug);
    close(report.fd);
    report.fd = STDERR_FILENO;
    report_cstr(&report, "pinpipe: ");
    report_cstr(&report, path);
    report_cstr(&report, " tells what was asked before; the data is as after a power cut, and what "
                         "was acknowledged is there\n");
    report_flush(&report);
}

/* --- life --- */

struct recent *recent_new(const struct recent_options *options)
{
    struct recent *recent = calloc(1, sizeof(*recent));
    if (recent == NULL) {
        return NULL;
    }
    recent->options = *options;
    recent->witness.tell = bug_tell;
    bug_witness_call(&recent->witness);
    return recent;
}

void recent_free(struct recent *recent)
{
    if (recent == NULL) {
        return;
    }
    bug_witness_dismiss(&recent->witness);
    free(recent);
}
