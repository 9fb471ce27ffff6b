#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    read_slice_bytes = 16 * 1024,
    path_bytes_max = 1024,
    directory_mode = 0700,
    private_mode = 0600,
    sweep_entries_max = 4096
};

enum status file_read_open(int fd, const char *name, struct buf *out, struct error *err)
{
    char slice[read_slice_bytes];
    ssize_t got;
    do {
        got = read(fd, slice, sizeof(slice));
        if (got < 0 && errno != EINTR) {
            return error_set_errno(err, errno, "%s", name);
        }
        buf_append(out, slice, got > 0 ? (size_t)got : 0);
    } while (got != 0 && buf_ok(out));
    return buf_ok(out)
               ? STATUS_OK
               : buf_error(out, err, STATUS_LIMIT, "%s: larger than %zu bytes", name, out->max);
}

enum status file_read(const char *path, struct buf *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int why = errno;
        return why == ENOENT ? error_set(err, STATUS_NOT_FOUND, "%s: there is no such file", path)
                             : error_set_errno(err, why, "%s", path);
    }
    enum status status = file_read_open(fd, path, out, err);
    close(fd);
    return status;
}

bool file_write_all(int fd, struct span text)
{
    while (text.len > 0) {
        ssize_t put = write(fd, text.ptr, text.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        text = span_skip(text, (size_t)put);
    }
    return true;
}

/* Is it "<base>.<pid>.new" of a process that is no more? */
static bool is_left_behind(const char *name, const char *base)
{
    struct span rest = span_from_cstr(name);
    int64_t pid;
    if (!span_starts_with(rest, span_from_cstr(base))) {
        return false;
    }
    rest = span_skip(rest, strlen(base));
    if (!span_starts_with(rest, SPAN_LIT(".")) || !span_ends_with(rest, SPAN_LIT(".new"))) {
        return false;
    }
    rest = span_skip(span_first(rest, rest.len - strlen(".new")), 1);
    return span_parse_i64(rest, &pid) && pid > 0 && (pid_t)pid == pid && kill((pid_t)pid, 0) != 0 &&
           errno == ESRCH;
}

/* Gives up in a crowded directory: nobody's start is to wait for it. */
static void left_behind_sweep(const char *path)
{
    char dir_name[path_bytes_max];
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    snprintf(dir_name, sizeof(dir_name), "%.*s", slash != NULL ? (int)(base - path) : 1,
             slash != NULL ? path : ".");
    DIR *dir = opendir(dir_name);
    const struct dirent *entry;
    for (int i = 0; dir != NULL && i < sweep_entries_max && (entry = readdir(dir)) != NULL; i++) {
        if (is_left_behind(entry->d_name, base)) {
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
}

/* The file beside `path`, empty, under a name that somebody else can guess: whatever is there is
 * not written to. */
static enum status temporary_make(const char *path, char temporary[path_bytes_max], unsigned mode,
                                  int *fd, struct error *err)
{
    int used = snprintf(temporary, path_bytes_max, "%s.%ld.new", path, (long)getpid());
    if (used < 0 || used >= path_bytes_max) {
        return error_set(err, STATUS_INVALID, "%s: the path is too long", path);
    }
    unlink(temporary);
    *fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (*fd < 0) {
        return error_set_errno(err, errno, "%s", temporary);
    }
    if (mode == private_mode) {
        (void)fchmod(*fd, private_mode);
    }
    return STATUS_OK;
}

enum status file_check_replace(const char *path, struct error *err)
{
    char temporary[path_bytes_max];
    struct stat facts;
    int fd;
    if (lstat(path, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        return error_set_errno(err, EISDIR, "%s", path);
    }
    enum status status = temporary_make(path, temporary, private_mode, &fd, err);
    if (status == STATUS_OK) {
        close(fd);
        unlink(temporary);
    }
    return status;
}

enum status file_replace(const char *path, struct span text, unsigned mode, struct error *err)
{
    char temporary[path_bytes_max];
    int fd;
    enum status status = temporary_make(path, temporary, mode, &fd, err);
    if (status != STATUS_OK) {
        return status;
    }
    left_behind_sweep(path);
    if (!file_write_all(fd, text)) {
        status = error_set_errno(err, errno, "%s", temporary);
    }
    if (close(fd) != 0 && status == STATUS_OK) {
        status = error_set_errno(err, errno, "%s", temporary);
    }
    if (status == STATUS_OK && rename(temporary, path) != 0) {
        status = error_set_errno(err, errno, "%s", path);
    }
    if (status != STATUS_OK) {
        unlink(temporary);
    }
    return status;
}

void file_create_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, private_mode);
    if (fd >= 0) {
        (void)fchmod(fd, private_mode);
        close(fd);
    }
}

bool file_exists(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

enum status file_make_directory(const char *path, struct error *err)
{
    char part[path_bytes_max];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part)) {
        return error_set(err, STATUS_INVALID, "\"%s\" cannot be a directory's path", path);
    }
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, directory_mode) == 0) {
            (void)chmod(part, directory_mode);
        } else if (errno != EEXIST) {
            return error_set_errno(err, errno, "%s: cannot make this directory", part);
        }
    }
    struct stat facts;
    if (stat(path, &facts) != 0) {
        return error_set_errno(err, errno, "%s", path);
    }
    if (!S_ISDIR(facts.st_mode)) {
        return error_set(err, STATUS_INVALID, "%s: is a file, not a directory", path);
    }
    return STATUS_OK;
}
