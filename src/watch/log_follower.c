#include "log_follower.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { path_bytes_max = 1024, stamp_bytes = 24 };

struct log_follower {
    char path[path_bytes_max];
    int fd; /* -1: there is no file (yet) */
    dev_t device;
    ino_t inode;
    int failed; /* errno of what could not be read; 0: nothing */
    uint64_t position;
    size_t used;     /* bytes in `text` */
    size_t consumed; /* of them, told */
    char text[LOG_FOLLOWER_LINE_BYTES];
};

/* --- lines --- */

static bool is_stamp(struct span text)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    for (size_t i = 0; i < stamp_bytes; i++) {
        bool digit = i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (i >= text.len || (form[i] == '0' ? !digit : text.ptr[i] != form[i])) {
            return false;
        }
    }
    return text.len > stamp_bytes && text.ptr[stamp_bytes] == ' ';
}

/* The next word, and the blanks behind it. */
static struct span word_next(struct span *rest)
{
    struct span word = span_first(*rest, span_find_byte(*rest, ' '));
    *rest = span_skip(*rest, word.len);
    while (rest->len > 0 && rest->ptr[0] == ' ') {
        *rest = span_skip(*rest, 1);
    }
    return word;
}

/* "POST /topics/t: 415, hint: send ..." */
static bool tells_hint(struct span message)
{
    static const struct span mark = {", hint: ", 8};
    for (size_t i = 4; i + mark.len <= message.len; i++) {
        if (span_starts_with(span_skip(message, i), mark)) {
            return message.ptr[i - 1] >= '0' && message.ptr[i - 1] <= '9';
        }
    }
    return false;
}

struct log_line log_line_read(struct span text)
{
    struct log_line line = {LOG_LINE_PLAIN, SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY, text};
    if (!is_stamp(text)) {
        return line;
    }
    struct span rest = text;
    line.stamp = word_next(&rest);
    line.level = word_next(&rest);
    line.area = word_next(&rest);
    line.message = rest;
    if (span_equal_cstr(line.level, "warn")) {
        line.kind = LOG_LINE_WARN;
    } else if (span_equal_cstr(line.level, "error")) {
        line.kind = LOG_LINE_ERROR;
    } else if (tells_hint(rest)) {
        line.kind = LOG_LINE_HINT;
    }
    return line;
}

/* --- the file --- */

static bool log_file_open(struct log_follower *follower)
{
    struct stat file;
    follower->fd = open(follower->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (follower->fd < 0) {
        follower->failed = errno == ENOENT ? follower->failed : errno;
        return false;
    }
    if (fstat(follower->fd, &file) != 0 || !S_ISREG(file.st_mode)) {
        close(follower->fd);
        follower->fd = -1;
        return false;
    }
    follower->device = file.st_dev;
    follower->inode = file.st_ino;
    follower->position = 0;
    return true;
}

static void log_file_close(struct log_follower *follower)
{
    if (follower->fd >= 0) {
        close(follower->fd);
    }
    follower->fd = -1;
    follower->used = 0;
    follower->consumed = 0;
}

/* Another file has its name, or it has been cut. */
static bool log_is_begun_anew(const struct log_follower *follower)
{
    struct stat now;
    if (stat(follower->path, &now) != 0) {
        return false; /* between two files: the old one is kept until the new one is there */
    }
    return now.st_dev != follower->device || now.st_ino != follower->inode ||
           (uint64_t)now.st_size < follower->position;
}

/* Where the last `lines` lines begin. Read backwards, a piece at a time. */
static uint64_t position_of_last(int fd, uint64_t size, uint64_t lines)
{
    char piece[4096];
    uint64_t end = size;
    uint64_t seen = 0;
    while (end > 0) {
        uint64_t start = end > sizeof(piece) ? end - sizeof(piece) : 0;
        ssize_t got = pread(fd, piece, (size_t)(end - start), (off_t)start);
        for (ssize_t i = got; i > 0; i--) {
            bool is_end = piece[i - 1] == '\n';
            if (is_end && start + (uint64_t)i < size && ++seen == lines) {
                return start + (uint64_t)i;
            }
        }
        end = got == (ssize_t)(end - start) ? start : 0;
    }
    return 0;
}

enum status log_follower_new(const char *path, uint64_t last_lines, struct log_follower **out)
{
    struct log_follower *follower = calloc(1, sizeof(*follower));
    struct stat file;
    if (follower == NULL) {
        return STATUS_NO_MEMORY;
    }
    snprintf(follower->path, sizeof(follower->path), "%s", path);
    if (log_file_open(follower) && fstat(follower->fd, &file) == 0) {
        uint64_t size = (uint64_t)file.st_size;
        follower->position =
            last_lines > 0 ? position_of_last(follower->fd, size, last_lines) : size;
    }
    *out = follower;
    return STATUS_OK;
}

void log_follower_free(struct log_follower *follower)
{
    if (follower != NULL) {
        log_file_close(follower);
        free(follower);
    }
}

/* More of the file behind what is left of it; false: there is no more now. */
static bool log_file_read(struct log_follower *follower)
{
    if (follower->fd < 0 && !log_file_open(follower)) {
        return false;
    }
    follower->used -= follower->consumed;
    memmove(follower->text, follower->text + follower->consumed, follower->used);
    follower->consumed = 0;
    ssize_t got = pread(follower->fd, follower->text + follower->used,
                        sizeof(follower->text) - follower->used, (off_t)follower->position);
    if (got > 0) {
        follower->used += (size_t)got;
        follower->position += (uint64_t)got;
        return true;
    }
    follower->failed = got < 0 ? errno : follower->failed;
    if (log_is_begun_anew(follower)) {
        log_file_close(follower);
        return log_file_open(follower) && log_file_read(follower);
    }
    return false;
}

enum status log_follower_status(const struct log_follower *follower, struct error *err)
{
    return follower->failed == 0
               ? STATUS_OK
               : error_set_errno(err, follower->failed, "%s: cannot be read", follower->path);
}

bool log_follower_next(struct log_follower *follower, struct span *line)
{
    do {
        struct span rest = span_skip(span_from(follower->text, follower->used), follower->consumed);
        size_t end = span_find_byte(rest, '\n');
        if (end < rest.len || rest.len == sizeof(follower->text)) {
            *line = span_first(rest, end);
            follower->consumed += end < rest.len ? end + 1 : end;
            return true;
        }
    } while (log_file_read(follower));
    return false;
}
