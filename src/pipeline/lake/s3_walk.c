/* Directories sort as "name/": S3 compares "a-b" and "a/b" by '-' and '/', not by '-' and nothing.
 */
#include "s3_walk.h"

#include "array.h"
#include "s3_client_internal.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { path_bytes_max = 4096, ns_per_ms = 1000 * 1000 };

#ifdef __APPLE__
#define MODIFIED(info) ((info).st_mtimespec)
#else
#define MODIFIED(info) ((info).st_mtim)
#endif

struct walk_level {
    char **names; /* sorted; directories end in '/' */
    size_t count;
    size_t cap;
    size_t next;
    size_t path_len; /* of the walk's path up to here */
};

struct s3_walk {
    struct walk_level levels[S3_WALK_DEPTH_MAX];
    size_t depth;
    struct buf path; /* dir, '/', then the relative path */
    size_t root_len; /* with its '/' */
    void (*note)(void *ctx, const char *text);
    void *ctx;
};

static void level_release(struct walk_level *level)
{
    for (size_t i = 0; i < level->count; i++) {
        free(level->names[i]);
    }
    free(level->names);
    *level = (struct walk_level){.count = 0};
}

static void path_cut(struct s3_walk *walk, size_t len)
{
    walk->path.len = len;
    walk->path.failed = false;
    walk->path.no_memory = false;
    walk->path.ptr[len] = '\0';
}

static void walk_tell(struct s3_walk *walk, const char *why)
{
    char text[path_bytes_max + 64];
    if (walk->note != NULL) {
        snprintf(text, sizeof(text), "%s: %s", buf_cstr(&walk->path), why);
        walk->note(walk->ctx, text);
    }
}

static bool level_add(struct walk_level *level, const char *name, bool is_directory)
{
    size_t len = strlen(name);
    char *copy = malloc(len + 2);
    if (copy == NULL ||
        ARRAY_RESERVE(level->names, level->cap, level->count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        free(copy);
        return false;
    }
    memcpy(copy, name, len);
    copy[len] = is_directory ? '/' : '\0';
    copy[len + 1] = '\0';
    level->names[level->count++] = copy;
    return true;
}

static int walk_names_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Is the file of the walk's path (with the name) to be visited? If not, *why says why, or is NULL;
 * *unknown is the errno that keeps it from being known. */
static bool is_wanted(const struct s3_walk *walk, bool *is_directory, const char **why,
                      int *unknown)
{
    struct stat info;
    *why = NULL;
    *unknown = 0;
    if (!buf_ok(&walk->path)) {
        *why = "the path is too long";
    } else if (!span_is_utf8(span_skip(buf_span(&walk->path), walk->root_len))) {
        *why = "the name is not UTF-8, and keys are";
    } else if (span_ends_with(buf_span(&walk->path), SPAN_LIT(S3_PART_SUFFIX))) {
        *why = "a download that broke off has left it";
    } else if (lstat(buf_cstr(&walk->path), &info) != 0) {
        *why = errno == ENOENT ? "it is gone" : NULL;
        *unknown = errno == ENOENT ? 0 : errno;
    } else if (S_ISLNK(info.st_mode) &&
               (stat(buf_cstr(&walk->path), &info) != 0 || !S_ISREG(info.st_mode))) {
        *why = "a link that does not lead to a file is not followed";
    } else if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
        *why = "neither a file nor a directory";
    } else {
        *is_directory = S_ISDIR(info.st_mode);
        return true;
    }
    return false;
}

static enum status level_read(struct s3_walk *walk, struct walk_level *level, DIR *dir,
                              struct error *err)
{
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        bool is_directory = false;
        const char *why;
        int unknown;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        buf_append_cstr(&walk->path, entry->d_name);
        if (walk->path.no_memory) {
            return error_no_memory(err);
        }
        bool wanted = is_wanted(walk, &is_directory, &why, &unknown);
        if (unknown != 0) {
            return error_set_errno(err, unknown, "%s", buf_cstr(&walk->path));
        }
        if (!wanted) {
            walk_tell(walk, why);
        }
        path_cut(walk, level->path_len);
        if (wanted && !level_add(level, entry->d_name, is_directory)) {
            return error_set(err, STATUS_NO_MEMORY, "no memory for the names in %s",
                             buf_cstr(&walk->path));
        }
    }
    if (errno != 0) {
        return error_set_errno(err, errno, "%s", buf_cstr(&walk->path));
    }
    if (level->count > 0) {
        qsort(level->names, level->count, sizeof(*level->names), walk_names_compare);
    }
    return STATUS_OK;
}

/* The directory that the walk's path names becomes the innermost level. */
static enum status descend(struct s3_walk *walk, struct error *err)
{
    if (walk->depth == S3_WALK_DEPTH_MAX) {
        return error_set(err, STATUS_LIMIT, "%s: more than %d directories deep",
                         buf_cstr(&walk->path), S3_WALK_DEPTH_MAX);
    }
    DIR *dir = opendir(buf_cstr(&walk->path));
    if (dir == NULL) {
        return error_set_errno(err, errno, "%s", buf_cstr(&walk->path));
    }
    struct walk_level *level = &walk->levels[walk->depth++];
    *level = (struct walk_level){.path_len = walk->path.len};
    enum status status = level_read(walk, level, dir, err);
    closedir(dir);
    return status;
}

enum status s3_walk_open(const char *dir, void (*note)(void *ctx, const char *text), void *ctx,
                         struct s3_walk **out, struct error *err)
{
    struct stat info;
    struct s3_walk *walk = calloc(1, sizeof(*walk));
    if (walk == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to walk a directory");
    }
    walk->note = note;
    walk->ctx = ctx;
    buf_init(&walk->path, path_bytes_max);
    buf_append_cstr(&walk->path, dir);
    if (walk->path.len == 0 || walk->path.ptr[walk->path.len - 1] != '/') {
        buf_append_byte(&walk->path, '/');
    }
    walk->root_len = walk->path.len;
    enum status status = STATUS_OK;
    if (!buf_ok(&walk->path) || dir[0] == '\0') {
        status = buf_error(&walk->path, err, STATUS_USAGE, "\"%s\" is no directory", dir);
    } else if (stat(dir, &info) == 0) {
        status = descend(walk, err);
    } else if (errno != ENOENT) {
        status = error_set_errno(err, errno, "%s", dir);
    }
    if (status != STATUS_OK) {
        s3_walk_close(walk);
        return status;
    }
    *out = walk;
    return STATUS_OK;
}

enum status s3_walk_next(struct s3_walk *walk, struct s3_walk_file *file, bool *more,
                         struct error *err)
{
    struct stat info;
    *more = false;
    while (walk->depth > 0) {
        struct walk_level *level = &walk->levels[walk->depth - 1];
        path_cut(walk, level->path_len);
        if (level->next == level->count) {
            level_release(level);
            walk->depth--;
            continue;
        }
        const char *name = level->names[level->next++];
        buf_append_cstr(&walk->path, name);
        if (!buf_ok(&walk->path)) {
            return buf_error(&walk->path, err, STATUS_LIMIT, "%s: the path is too long", name);
        }
        if (name[strlen(name) - 1] == '/') {
            enum status status = descend(walk, err);
            if (status != STATUS_OK) {
                return status;
            }
        } else if (stat(buf_cstr(&walk->path), &info) != 0) {
            if (errno != ENOENT) { /* to pass over it would be to say that it is gone */
                return error_set_errno(err, errno, "%s", buf_cstr(&walk->path));
            }
        } else if (S_ISREG(info.st_mode)) {
            file->path = span_skip(buf_span(&walk->path), walk->root_len);
            file->size = (uint64_t)info.st_size;
            file->modified_ms =
                (int64_t)MODIFIED(info).tv_sec * 1000 + MODIFIED(info).tv_nsec / ns_per_ms;
            *more = true;
            return STATUS_OK;
        }
    }
    return STATUS_OK;
}

void s3_walk_close(struct s3_walk *walk)
{
    if (walk == NULL) {
        return;
    }
    for (size_t i = 0; i < walk->depth; i++) {
        level_release(&walk->levels[i]);
    }
    buf_release(&walk->path);
    free(walk);
}
