#include "fault_vfs.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct fault_file {
    sqlite3_file base;
    struct fault_vfs *vfs;
    struct fault_file_state *state; /* NULL: not followed (temporary files) */
    /* The real file follows. */
};

static sqlite3_file *real_file(sqlite3_file *file)
{
    return (sqlite3_file *)((struct fault_file *)file + 1);
}

static void die(const char *why)
{
    fprintf(stderr, "fault_vfs: %s\n", why);
    abort();
}

/* --- deciding --- */

static bool must_fail(struct fault_vfs *f, enum fault_op op)
{
    if (f->crashed) {
        return true;
    }
    if ((f->mask & (unsigned)op) == 0) {
        return false;
    }
    f->count++;
    if (f->fail_at == 0 || f->count < f->fail_at || (f->count > f->fail_at && !f->fail_on)) {
        return false;
    }
    f->failures++;
    f->crashed = f->crash;
    return true;
}

static int code_for(const struct fault_vfs *f, int usual)
{
    return f->fail_code != 0 && !f->crashed ? f->fail_code : usual;
}

/* --- what is on the disk --- */

static void state_drop_writes(struct fault_file_state *state)
{
    for (int i = 0; i < state->write_count; i++) {
        free(state->writes[i].bytes);
    }
    state->write_count = 0;
}

static void state_release(struct fault_file_state *state)
{
    state_drop_writes(state);
    free(state->writes);
    free(state->durable.bytes);
    *state = (struct fault_file_state){0};
}

/* The room doubles: a large file grows by a page at a time, and each realloc may copy all of it. */
static void image_resize(struct fault_image *image, int64_t wanted)
{
    if (wanted >= image->cap) {
        int64_t cap = 2 * image->cap > wanted ? 2 * image->cap : wanted + 1;
        image->bytes = realloc(image->bytes, (size_t)cap);
        if (image->bytes == NULL) {
            die("out of memory");
        }
        image->cap = cap;
    }
    if (wanted > image->length) {
        memset(image->bytes + image->length, 0, (size_t)(wanted - image->length));
    }
    image->length = wanted;
}

static void image_apply(struct fault_image *image, const struct fault_write *write)
{
    if (write->bytes == NULL) {
        image_resize(image, write->length);
        return;
    }
    if (write->position + write->length > image->length) {
        image_resize(image, write->position + write->length);
    }
    memcpy(image->bytes + write->position, write->bytes, (size_t)write->length);
}

static void state_sync(struct fault_file_state *state)
{
    for (int i = 0; i < state->write_count; i++) {
        image_apply(&state->durable, &state->writes[i]);
    }
    state_drop_writes(state);
}

static void state_note(struct fault_file_state *state, int64_t position, const void *bytes,
                       int64_t length)
{
    if (state->write_count == state->write_cap) {
        state->write_cap = state->write_cap == 0 ? 64 : state->write_cap * 2;
        state->writes = realloc(state->writes, (size_t)state->write_cap * sizeof(*state->writes));
    }
    struct fault_write write = {.position = position, .length = length};
    if (bytes != NULL) {
        write.bytes = malloc((size_t)length + 1);
        if (write.bytes == NULL) {
            die("out of memory");
        }
        memcpy(write.bytes, bytes, (size_t)length);
    }
    state->writes[state->write_count++] = write;
}

static struct fault_file_state *state_find(struct fault_vfs *f, uint64_t inode)
{
    for (int i = 0; i < FAULT_FILES_MAX; i++) {
        if (f->files[i].inode == inode) {
            return &f->files[i];
        }
    }
    return NULL;
}

static uint64_t inode_of(const char *path)
{
    struct stat info;
    return path != NULL && stat(path, &info) == 0 ? (uint64_t)info.st_ino : 0;
}

/* A file met for the first time is taken as durable as it is. */
static struct fault_file_state *state_for(struct fault_vfs *f, const char *path)
{
    uint64_t inode = inode_of(path);
    struct fault_file_state *state = inode != 0 ? state_find(f, inode) : NULL;
    if (state != NULL || inode == 0) {
        return state;
    }
    state = state_find(f, 0);
    if (state == NULL) {
        die("too many files");
    }
    state->inode = inode;
    FILE *file = fopen(path, "rb");
    struct stat info;
    if (file == NULL || fstat(fileno(file), &info) != 0) {
        die("cannot read a file that was just opened");
    }
    image_resize(&state->durable, (int64_t)info.st_size);
    if (fread(state->durable.bytes, 1, (size_t)info.st_size, file) != (size_t)info.st_size) {
        die("cannot read a file that was just opened");
    }
    fclose(file);
    return state;
}

/* --- the file's methods --- */

static int file_close(sqlite3_file *file)
{
    return real_file(file)->pMethods->xClose(real_file(file));
}

static int file_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 position)
{
    struct fault_file *f = (struct fault_file *)file;
    if (must_fail(f->vfs, FAULT_READ)) {
        return code_for(f->vfs, SQLITE_IOERR_READ);
    }
    return real_file(file)->pMethods->xRead(real_file(file), bytes, length, position);
}

static int file_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 position)
{
    struct fault_file *f = (struct fault_file *)file;
    bool failing = must_fail(f->vfs, FAULT_WRITE);
    /* A write that fails leaves its first half, as a disk that fills does; a process that is gone
     * leaves nothing more. */
    int done = failing ? (f->vfs->crashed ? 0 : length / 2) : length;
    int code = SQLITE_OK;
    if (done > 0) {
        code = real_file(file)->pMethods->xWrite(real_file(file), bytes, done, position);
        if (code == SQLITE_OK && f->state != NULL) {
            state_note(f->state, position, bytes, done);
        }
    }
    return failing ? code_for(f->vfs, SQLITE_IOERR_WRITE) : code;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct fault_file *f = (struct fault_file *)file;
    if (must_fail(f->vfs, FAULT_TRUNCATE)) {
        return code_for(f->vfs, SQLITE_IOERR_TRUNCATE);
    }
    if (f->state != NULL) {
        state_note(f->state, 0, NULL, size);
    }
    return real_file(file)->pMethods->xTruncate(real_file(file), size);
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct fault_file *f = (struct fault_file *)file;
    (void)flags;
    if (must_fail(f->vfs, FAULT_SYNC)) {
        return code_for(f->vfs, SQLITE_IOERR_FSYNC);
    }
    f->vfs->syncs++;
    if (f->state != NULL) {
        state_sync(f->state);
    }
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_file(file)->pMethods->xFileSize(real_file(file), size);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xLock(real_file(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_file(file)->pMethods->xUnlock(real_file(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
    return real_file(file)->pMethods->xCheckReservedLock(real_file(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real_file(file)->pMethods->xFileControl(real_file(file), op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
    (void)file;
    return FAULT_SECTOR_BYTES;
}

static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return 0; /* promise nothing: no atomic writes, no safe append, no powersafe overwrite */
}

static int file_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    struct fault_file *f = (struct fault_file *)file;
    if (must_fail(f->vfs, FAULT_SHM)) {
        return code_for(f->vfs, SQLITE_IOERR_SHMMAP);
    }
    return real_file(file)->pMethods->xShmMap(real_file(file), region, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_file(file)->pMethods->xShmLock(real_file(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_file(file)->pMethods->xShmBarrier(real_file(file));
}

static int file_shm_unmap(sqlite3_file *file, int delete_flag)
{
    return real_file(file)->pMethods->xShmUnmap(real_file(file), delete_flag);
}

static const sqlite3_io_methods io_methods = {
    .iVersion = 2, /* no memory maps of the main file: they would bypass xRead */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* --- the VFS's methods --- */

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                    int *flags_out)
{
    struct fault_vfs *f = vfs->pAppData;
    struct fault_file *opened = (struct fault_file *)file;
    opened->base.pMethods = NULL;
    if (must_fail(f, FAULT_OPEN)) {
        return code_for(f, SQLITE_CANTOPEN);
    }
    int code = f->real->xOpen(f->real, path, real_file(file), flags, flags_out);
    if (real_file(file)->pMethods != NULL) {
        opened->base.pMethods = &io_methods;
    }
    opened->vfs = f;
    opened->state = code == SQLITE_OK ? state_for(f, path) : NULL;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    struct fault_vfs *f = vfs->pAppData;
    if (must_fail(f, FAULT_DELETE)) {
        return code_for(f, SQLITE_IOERR_DELETE);
    }
    uint64_t inode = inode_of(path);
    struct fault_file_state *state = inode != 0 ? state_find(f, inode) : NULL;
    int code = f->real->xDelete(f->real, path, sync_directory);
    if (code == SQLITE_OK && state != NULL) {
        state_release(state); /* the inode may come back for another file */
    }
    return code;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
    struct fault_vfs *f = vfs->pAppData;
    return f->real->xAccess(f->real, path, flags, out);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *path, int length, char *out)
{
    struct fault_vfs *f = vfs->pAppData;
    return f->real->xFullPathname(f->real, path, length, out);
}

static int vfs_randomness(sqlite3_vfs *vfs, int length, char *out)
{
    (void)vfs;
    memset(out, 7, (size_t)length); /* WAL salts repeat: a stale frame is not saved by luck */
    return length;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_current_time(sqlite3_vfs *vfs, double *out)
{
    struct fault_vfs *f = vfs->pAppData;
    return f->real->xCurrentTime(f->real, out);
}

void fault_vfs_install(struct fault_vfs *f, const char *name)
{
    *f = (struct fault_vfs){0};
    f->real = sqlite3_vfs_find(NULL);
    snprintf(f->name, sizeof(f->name), "%s", name);
    f->vfs = (sqlite3_vfs){
        .iVersion = 1,
        .szOsFile = (int)sizeof(struct fault_file) + f->real->szOsFile,
        .mxPathname = f->real->mxPathname,
        .zName = f->name,
        .pAppData = f,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_pathname,
        .xRandomness = vfs_randomness,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_current_time,
    };
    if (sqlite3_vfs_register(&f->vfs, 0) != SQLITE_OK) {
        die("cannot register");
    }
}

void fault_vfs_uninstall(struct fault_vfs *f)
{
    sqlite3_vfs_unregister(&f->vfs);
    for (int i = 0; i < FAULT_FILES_MAX; i++) {
        state_release(&f->files[i]);
    }
}

void fault_vfs_fail(struct fault_vfs *f, unsigned mask, uint64_t nth, int code, bool forever)
{
    f->mask = mask;
    f->count = 0;
    f->fail_at = nth;
    f->fail_code = code;
    f->fail_on = forever;
    f->failures = 0;
    f->crash = false;
    f->crashed = false;
}

void fault_vfs_crash_at(struct fault_vfs *f, uint64_t nth)
{
    fault_vfs_fail(f, FAULT_CHANGES, nth, 0, true);
    f->crash = true;
}

/* --- after the crash --- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* Each sector of each unsynced write reached the disk or did not; later writes may have overtaken
 * earlier ones. */
static void image_tear(struct fault_image *image, const struct fault_file_state *state,
                       uint64_t seed)
{
    uint64_t random = seed * 2654435761U + 1;
    bool backwards = next_random(&random) % 2 == 0;
    for (int i = 0; i < state->write_count; i++) {
        const struct fault_write *write =
            &state->writes[backwards ? state->write_count - 1 - i : i];
        if (write->bytes == NULL) {
            if (next_random(&random) % 2 == 0) {
                image_apply(image, write);
            }
            continue;
        }
        for (int64_t at = 0; at < write->length; at += FAULT_SECTOR_BYTES) {
            int64_t left = write->length - at;
            struct fault_write sector = {
                .position = write->position + at,
                .length = left < FAULT_SECTOR_BYTES ? left : FAULT_SECTOR_BYTES,
                .bytes = write->bytes + at,
            };
            if (next_random(&random) % 2 == 0) {
                image_apply(image, &sector);
            }
        }
    }
}

static void write_one_image(const struct fault_file_state *state, enum fault_damage damage,
                            uint64_t seed, const char *to_path)
{
    struct fault_image image = {0};
    image_resize(&image, state->durable.length);
    if (state->durable.length > 0) {
        memcpy(image.bytes, state->durable.bytes, (size_t)state->durable.length);
    }
    if (damage == DAMAGE_NONE) {
        for (int i = 0; i < state->write_count; i++) {
            image_apply(&image, &state->writes[i]);
        }
    } else if (damage == DAMAGE_TORN) {
        image_tear(&image, state, seed);
    }
    FILE *file = fopen(to_path, "wb");
    if (file == NULL ||
        fwrite(image.bytes, 1, (size_t)image.length, file) != (size_t)image.length ||
        fclose(file) != 0) {
        die("cannot write the image");
    }
    free(image.bytes);
}

void fault_vfs_write_image(struct fault_vfs *f, enum fault_damage damage, uint64_t seed,
                           const char *from_dir, const char *to_dir)
{
    DIR *stream = opendir(from_dir);
    struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char from_path[1024];
        char to_path[1024];
        size_t length = strlen(entry->d_name);
        snprintf(from_path, sizeof(from_path), "%s/%s", from_dir, entry->d_name);
        snprintf(to_path, sizeof(to_path), "%s/%s", to_dir, entry->d_name);
        bool is_shm = length > 4 && strcmp(entry->d_name + length - 4, "-shm") == 0;
        struct fault_file_state *state = state_find(f, inode_of(from_path));
        if (entry->d_name[0] == '.' || is_shm) {
            continue;
        }
        static const struct fault_file_state marker; /* made beside the VFS: only its name counts */
        write_one_image(state != NULL ? state : &marker, damage, seed++, to_path);
    }
    if (stream != NULL) {
        closedir(stream);
    }
}
