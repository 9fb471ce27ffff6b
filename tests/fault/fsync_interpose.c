/* LD_PRELOAD library: watches the real program's syncs, its writes to the data directory and its
 * replies, and can let syncs fail or the disk be full. Shares no code with the program.
 *
 *   PP_WATCH_DIR    the data directory; other files are left alone
 *   PP_WATCH_LOG    one line an event, in the order in which they happened:
 *                     sync FILE ok|failed       (FILE: state.db, state.db-wal, journal.db..., or .)
 *                     reply STATUS log=clean|dirty file=synced|unsynced dir=synced|unsynced
 *                   log: bytes written to state.db-wal since its last sync; file, dir: have they
 *                   been synced at all
 *   PP_FAIL_SYNC    the n-th sync in the directory fails with EIO (the journal's do not count)
 *   PP_FULL_WHILE   while this file exists, writes into the directory fail with ENOSPC */
#include "interpose.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct watch {
    pthread_mutex_t mutex;
    int log_fd;
    char dir[PATH_BYTES];
    char full_while[PATH_BYTES];
    long fail_sync;
    long syncs;
    bool log_dirty;
    bool file_synced;
    bool dir_synced;
};

static struct watch watch = {.mutex = PTHREAD_MUTEX_INITIALIZER, .log_fd = -1};

__attribute__((constructor)) static void begin(void)
{
    const char *log = getenv("PP_WATCH_LOG");
    const char *fail = getenv("PP_FAIL_SYNC");
    const char *full = getenv("PP_FULL_WHILE");
    watched_dir_init(watch.dir, "PP_WATCH_DIR");
    if (full != NULL && strlen(full) < sizeof(watch.full_while)) {
        strcpy(watch.full_while, full);
    }
    watch.fail_sync = fail != NULL ? strtol(fail, NULL, 10) : 0;
    if (log != NULL) {
        watch.log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    }
}

static void say(const char *line)
{
    if (watch.log_fd >= 0) {
        ssize_t done = REAL(write)(watch.log_fd, line, strlen(line));
        (void)done;
    }
}

/* --- syncs --- */

static bool sync_must_fail(const char *name)
{
    if (strncmp(name, "journal.db", 10) == 0) {
        return false;
    }
    watch.syncs++;
    return watch.syncs == watch.fail_sync;
}

static int watched_sync(int fd, int (*real)(int))
{
    char name[PATH_BYTES];
    char line[PATH_BYTES + 64];
    if (!watched_name(watch.dir, fd, name, sizeof(name))) {
        return real(fd);
    }
    pthread_mutex_lock(&watch.mutex);
    bool fails = sync_must_fail(name);
    int code = fails ? -1 : real(fd);
    if (code == 0) {
        watch.log_dirty = watch.log_dirty && strcmp(name, "state.db-wal") != 0;
        watch.file_synced = watch.file_synced || strcmp(name, "state.db") == 0;
        watch.dir_synced = watch.dir_synced || strcmp(name, ".") == 0;
    }
    snprintf(line, sizeof(line), "sync %s %s\n", name, code == 0 ? "ok" : "failed");
    say(line);
    pthread_mutex_unlock(&watch.mutex);
    if (fails) {
        errno = EIO;
    }
    return code;
}

int fsync(int fd)
{
    return watched_sync(fd, REAL(fsync));
}

int fdatasync(int fd)
{
    return watched_sync(fd, REAL(fdatasync));
}

/* --- writes into the directory --- */

static bool is_full(const char *name)
{
    return watch.full_while[0] != '\0' && strcmp(name, "server.lock") != 0 &&
           access(watch.full_while, F_OK) == 0;
}

/* true: the write may go on. */
static bool watched_write(int fd)
{
    char name[PATH_BYTES];
    if (!watched_name(watch.dir, fd, name, sizeof(name))) {
        return true;
    }
    if (is_full(name)) {
        errno = ENOSPC;
        return false;
    }
    if (strcmp(name, "state.db-wal") == 0) {
        pthread_mutex_lock(&watch.mutex);
        watch.log_dirty = true;
        pthread_mutex_unlock(&watch.mutex);
    }
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t len, off_t position)
{
    return watched_write(fd) ? REAL(pwrite)(fd, bytes, len, position) : -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t len, off64_t position)
{
    return watched_write(fd) ? REAL(pwrite64)(fd, bytes, len, position) : -1;
}

/* --- replies --- */

static void watch_reply(int fd, const void *bytes, size_t len)
{
    struct stat info;
    char line[128];
    if (len < 12 || memcmp(bytes, "HTTP/1.1 ", 9) != 0 || fstat(fd, &info) != 0 ||
        !S_ISSOCK(info.st_mode)) {
        return;
    }
    pthread_mutex_lock(&watch.mutex);
    snprintf(line, sizeof(line), "reply %.3s log=%s file=%s dir=%s\n", (const char *)bytes + 9,
             watch.log_dirty ? "dirty" : "clean", watch.file_synced ? "synced" : "unsynced",
             watch.dir_synced ? "synced" : "unsynced");
    say(line);
    pthread_mutex_unlock(&watch.mutex);
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (!watched_write(fd)) {
        return -1;
    }
    watch_reply(fd, bytes, len);
    return REAL(write)(fd, bytes, len);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (count > 0) {
        watch_reply(fd, parts[0].iov_base, parts[0].iov_len);
    }
    return REAL(writev)(fd, parts, count);
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
    watch_reply(fd, bytes, len);
    return REAL(send)(fd, bytes, len, flags);
}

ssize_t sendto(int fd, const void *bytes, size_t len, int flags, const struct sockaddr *to,
               socklen_t to_len)
{
    watch_reply(fd, bytes, len);
    return REAL(sendto)(fd, bytes, len, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (message->msg_iovlen > 0) {
        watch_reply(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
    }
    return REAL(sendmsg)(fd, message, flags);
}
