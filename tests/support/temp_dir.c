#include "temp_dir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void temp_dir_make(struct temp_dir *dir)
{
    const char *base = getenv("TMPDIR");
    snprintf(dir->path, sizeof(dir->path), "%s/pinpipe-test-XXXXXX",
             base != NULL && strlen(base) < 200 ? base : "/tmp");
    if (mkdtemp(dir->path) == NULL) {
        perror(dir->path);
        abort();
    }
}

static void remove_tree(const char *path)
{
    DIR *stream = opendir(path);
    struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char name[1024];
        struct stat info;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (lstat(name, &info) == 0 && S_ISDIR(info.st_mode)) {
            remove_tree(name);
        } else {
            unlink(name);
        }
    }
    if (stream != NULL) {
        closedir(stream);
    }
    rmdir(path);
}

void temp_dir_remove(struct temp_dir *dir)
{
    remove_tree(dir->path);
}

void temp_dir_path(const struct temp_dir *dir, const char *name, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "%s/%s", dir->path, name);
}
