/* An SQLite VFS that fails on command and knows what a power cut would leave.
 *
 * It sits above the system's VFS. It counts operations, lets the n-th (or all from the n-th on)
 * fail, and keeps for every file what has been synced and which writes have not. Real syncs are not
 * passed on, so that a test with thousands of them stays quick. From a crash on every operation
 * fails, as for a process that is gone; fault_vfs_write_image then builds the directory that the
 * next start would find. Names in the directory count as durable; tests/fault/fsync_order.sh sees
 * to the directory's own sync. */
#ifndef PINPIPE_TESTS_FAULT_VFS_H
#define PINPIPE_TESTS_FAULT_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum fault_op {
    FAULT_OPEN = 1,
    FAULT_READ = 2,
    FAULT_WRITE = 4,
    FAULT_SYNC = 8,
    FAULT_TRUNCATE = 16,
    FAULT_DELETE = 32,
    FAULT_SHM = 64,
    FAULT_CHANGES = FAULT_WRITE | FAULT_SYNC | FAULT_TRUNCATE | FAULT_DELETE,
    FAULT_ANY = 127,
};

enum fault_damage {
    DAMAGE_NONE, /* the process was killed: the kernel keeps all writes */
    DAMAGE_LOST, /* power cut: nothing unsynced reached the disk */
    DAMAGE_TORN, /* power cut: unsynced sectors reached it or not, in any order */
};

enum { FAULT_FILES_MAX = 16, FAULT_SECTOR_BYTES = 512 };

struct fault_write {
    int64_t position;
    int64_t length; /* a truncation when bytes is NULL */
    unsigned char *bytes;
};

/* What a file holds, or will hold after a crash. */
struct fault_image {
    unsigned char *bytes;
    int64_t length;
    int64_t cap;
};

struct fault_file_state {
    uint64_t inode; /* 0: free */
    struct fault_image durable;
    struct fault_write *writes; /* since the last sync */
    int write_count;
    int write_cap;
};

struct fault_vfs {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    char name[32];
    struct fault_file_state files[FAULT_FILES_MAX];

    unsigned mask; /* which operations count */
    uint64_t count;
    uint64_t fail_at; /* 0: never */
    bool fail_on;     /* every one from fail_at on */
    int fail_code;
    uint64_t failures;
    uint64_t syncs; /* that succeeded */
    bool crash;     /* at fail_at the process is gone */
    bool crashed;
};

/* Registered under `name`; give that to env.sqlite_vfs. */
void fault_vfs_install(struct fault_vfs *f, const char *name);
void fault_vfs_uninstall(struct fault_vfs *f);
/* Starts counting at 1 anew. nth 0: only count. */
void fault_vfs_fail(struct fault_vfs *f, unsigned mask, uint64_t nth, int code, bool forever);
void fault_vfs_crash_at(struct fault_vfs *f, uint64_t nth);
/* What is in from_dir, as it is after the crash, into the existing directory to_dir. */
void fault_vfs_write_image(struct fault_vfs *f, enum fault_damage damage, uint64_t seed,
                           const char *from_dir, const char *to_dir);

#endif
