/* The lock is flock on server.lock: it ends with the process, however that ends, and two servers in
 * one process exclude each other too. The file stays; only its lock means something. server.json
 * of a killed server stays behind as well and is simply overwritten: its readers check the pid. */
#include "data_dir.h"

#include "buf.h"
#include "file.h"
#include "json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES_MAX = 1000, facts_bytes_max = 64 * 1024, facts_mode = 0600, lock_mode = 0600 };

static const char lock_name[] = "server.lock";
static const char facts_name[] = "server.json";

struct data_dir {
    char *path;
    int lock_fd;
    bool announced;
};

static const char fix[] = "choose another with --data DIR";

/* --- the directory --- */

static enum status not_usable(const char *path, const char *why, struct error *err)
{
    return error_set(err, STATUS_CONFIG, "%s: cannot be the data directory: %s; %s", path, why,
                     fix);
}

static enum status directory_make(const char *path, struct error *err)
{
    struct error why = ERROR_NONE;
    if (strlen(path) >= PATH_BYTES_MAX - sizeof(lock_name)) {
        return error_set(err, STATUS_CONFIG, "\"%.64s...\": the path is too long; %s", path, fix);
    }
    if (file_make_directory(path, &why) != STATUS_OK) {
        if (why.code == STATUS_DISK_FULL || why.code == STATUS_NO_MEMORY) {
            return error_set(err, why.code, "%s", why.message);
        }
        return not_usable(path, why.message, err);
    }
    return STATUS_OK;
}

/* --- the lock --- */

static enum status lock_refused(const char *path, int fd, struct error *err)
{
    char pid[32] = "";
    ssize_t len = pread(fd, pid, sizeof(pid) - 1, 0);
    struct span text = span_trim(span_from(pid, len > 0 ? (size_t)len : 0));
    return error_set(err, STATUS_BUSY,
                     "%s: another server (pid %.*s) is using it; stop that one, or %s", path,
                     SPAN_ARG(text.len > 0 ? text : SPAN_LIT("unknown")), fix);
}

/* The pid is written into it: never through a link into some other file. */
static enum status lock_open(struct data_dir *dir, const char *name, struct error *err)
{
    struct stat info;
    dir->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, lock_mode);
    int why = errno;
    bool is_file = lstat(name, &info) != 0 || S_ISREG(info.st_mode);
    if (!is_file) {
        return not_usable(dir->path, "its server.lock is not a file but a link or a device", err);
    }
    if (dir->lock_fd < 0) {
        return why == EACCES || why == EROFS || why == EPERM
                   ? not_usable(dir->path, "it is not writable", err)
                   : error_set_errno(err, why, "%s", name);
    }
    return STATUS_OK;
}

/* Tools ask for a shared lock to see whether a server runs, and keep it for a moment: that is
 * waited for. A server's lock is exclusive, and refused at once. */
static bool lock_is_got(int fd)
{
    enum { TRIES = 200, TRY_NS = 5 * 1000 * 1000 };
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; i++) {
        const struct timespec pause = {.tv_nsec = TRY_NS};
        if (errno != EWOULDBLOCK || i == TRIES || flock(fd, LOCK_SH | LOCK_NB) != 0) {
            return false;
        }
        flock(fd, LOCK_UN);
        nanosleep(&pause, NULL);
    }
    return true;
}

static enum status lock_take(struct data_dir *dir, struct error *err)
{
    char name[PATH_BYTES_MAX];
    char pid[32];
    snprintf(name, sizeof(name), "%s/%s", dir->path, lock_name);
    enum status status = lock_open(dir, name, err);
    if (status != STATUS_OK) {
        return status;
    }
    (void)fchmod(dir->lock_fd, lock_mode); /* whatever the umask */
    if (!lock_is_got(dir->lock_fd)) {
        if (errno == EWOULDBLOCK) {
            return lock_refused(dir->path, dir->lock_fd, err);
        }
        return error_set_errno(err, errno, "%s: cannot be locked", name);
    }
    int len = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(dir->lock_fd, 0) != 0 || pwrite(dir->lock_fd, pid, (size_t)len, 0) != len) {
        return error_set_errno(err, errno, "%s: cannot be written", name);
    }
    return STATUS_OK;
}

static enum status facts_check(const char *path, struct error *err)
{
    char name[PATH_BYTES_MAX];
    struct error why = ERROR_NONE;
    snprintf(name, sizeof(name), "%s/%s", path, facts_name);
    return file_check_replace(name, &why) == STATUS_OK ? STATUS_OK
                                                       : not_usable(path, why.message, err);
}

enum status data_dir_open(const char *path, struct data_dir **out, struct error *err)
{
    enum status status = directory_make(path, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct data_dir *dir = calloc(1, sizeof(*dir));
    if (dir == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    dir->lock_fd = -1;
    dir->path = strdup(path);
    status =
        dir->path != NULL ? lock_take(dir, err) : error_set(err, STATUS_NO_MEMORY, "out of memory");
    if (status == STATUS_OK) {
        status = facts_check(path, err);
    }
    if (status != STATUS_OK) {
        data_dir_close(dir);
        return status;
    }
    *out = dir;
    return STATUS_OK;
}

unsigned data_dir_mode(const struct data_dir *dir)
{
    struct stat info;
    return stat(dir->path, &info) == 0 ? info.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO) : 0;
}

void data_dir_close(struct data_dir *dir)
{
    if (dir == NULL) {
        return;
    }
    if (dir->announced) {
        char name[PATH_BYTES_MAX];
        snprintf(name, sizeof(name), "%s/%s", dir->path, facts_name);
        unlink(name);
    }
    if (dir->lock_fd >= 0) {
        close(dir->lock_fd);
    }
    free(dir->path);
    free(dir);
}

/* --- the two files --- */

static void member_append(struct buf *out, const char *name, const char *value)
{
    BUF_APPEND_LIT(out, ", ");
    json_string_append(out, span_from_cstr(name));
    BUF_APPEND_LIT(out, ": ");
    if (value == NULL) {
        BUF_APPEND_LIT(out, "null");
    } else {
        json_string_append(out, span_from_cstr(value));
    }
}

/* The facts stand on one line, so that shell scripts without a JSON parser can take them apart. */
static void facts_encode(const struct server_facts *facts, struct buf *out)
{
    BUF_APPEND_LIT(out, "{\"pid\": ");
    buf_append_i64(out, (int64_t)getpid());
    BUF_APPEND_LIT(out, ", \"started_ms\": ");
    buf_append_i64(out, facts->started_ms);
    member_append(out, "version", facts->version);
    for (size_t i = 0; i < facts->url_count; i++) {
        member_append(out, facts->urls[i].key, facts->urls[i].url);
    }
    member_append(out, "user_id", facts->user_id);
    member_append(out, "stage", facts->stage);
    member_append(out, "data_dir", facts->data_dir);
    BUF_APPEND_LIT(out, "}\n");
}

enum status ready_file_check(const char *path, struct error *err)
{
    if (file_check_replace(path, err) != STATUS_OK) {
        error_prefix(err, "--ready-file");
        return err->code = STATUS_CONFIG;
    }
    return STATUS_OK;
}

static enum status facts_write(const char *path, const struct server_facts *facts,
                               struct error *err)
{
    struct buf text;
    buf_init(&text, facts_bytes_max);
    facts_encode(facts, &text);
    enum status status = STATUS_OK;
    if (!buf_ok(&text)) {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    } else if (file_replace(path, buf_span(&text), facts_mode, err) != STATUS_OK) {
        status = STATUS_CONFIG;
    }
    buf_release(&text);
    return status;
}

enum status ready_file_write(const char *path, const struct server_facts *facts,
                             struct ready_file *out, struct error *err)
{
    struct stat info;
    *out = (struct ready_file){.written = false};
    enum status status = facts_write(path, facts, err);
    if (status != STATUS_OK) {
        error_prefix(err, "--ready-file");
    } else if (lstat(path, &info) == 0) {
        *out = (struct ready_file){true, info.st_dev, info.st_ino};
    }
    return status;
}

void ready_file_remove(const char *path, const struct ready_file *file)
{
    struct stat info;
    if (file->written && lstat(path, &info) == 0 && info.st_dev == file->device &&
        info.st_ino == file->number) {
        unlink(path);
    }
}

enum status data_dir_announce(struct data_dir *dir, const struct server_facts *facts,
                              struct error *err)
{
    char name[PATH_BYTES_MAX];
    snprintf(name, sizeof(name), "%s/%s", dir->path, facts_name);
    enum status status = facts_write(name, facts, err);
    dir->announced = status == STATUS_OK;
    return status;
}
