#include "temp_dir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Memory is a better disk than /tmp for tests that sync and remove thousands of files. */
static const char *base_directory(void)
{
    const char *base = getenv("TMPDIR");
    if (base != NULL && base[0] != '\0' && strlen(base) < 200) {
        return base;
    }
    return access("/dev/shm", W_OK | X_OK) == 0 ? "/dev/shm" : "/tmp";
}

void temp_dir_make(struct temp_dir *dir)
{
    snprintf(dir->path, sizeof(dir->path), "%s/pinpipe-test-XXXXXX", base_directory());
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
