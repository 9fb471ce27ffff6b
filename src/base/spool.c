#include "spool.h"

#include "base.h"
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { path_bytes_max = 1024 };

struct spool {
    int fd; /* -1 once it is mapped */
    size_t len;
    void *mapped;
};

/* A file whose name is gone before anything is written. */
static enum status nameless_file(const char *directory, int *out_fd, struct error *err)
{
    char path[path_bytes_max];
    int len = snprintf(path, sizeof(path), "%s/spool-XXXXXX.part", directory);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        return error_set(err, STATUS_LIMIT, "%s: the path is too long", directory);
    }
    int fd = mkstemps(path, 5);
    if (fd < 0) {
        return error_set_errno(err, errno, "%s", path);
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    unlink(path);
    *out_fd = fd;
    return STATUS_OK;
}

enum status spool_open(const char *directory, struct spool **out, struct error *err)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    if (spool == NULL) {
        return error_no_memory(err);
    }
    enum status status = nameless_file(directory, &spool->fd, err);
    if (status != STATUS_OK) {
        free(spool);
        return status;
    }
    *out = spool;
    return STATUS_OK;
}

enum status spool_append(struct spool *spool, struct span bytes, struct error *err)
{
    PP_ASSERT(spool->fd >= 0);
    if (!file_write_all(spool->fd, bytes)) {
        return error_set_errno(err, errno, "a large body's file");
    }
    spool->len += bytes.len;
    return STATUS_OK;
}

enum status spool_map(struct spool *spool, struct span *out, struct error *err)
{
    PP_ASSERT(spool->fd >= 0);
    if (ftruncate(spool->fd, (off_t)spool->len + 1) != 0) {
        return error_set_errno(err, errno, "a large body's file");
    }
    void *mapped = mmap(NULL, spool->len + 1, PROT_READ, MAP_PRIVATE, spool->fd, 0);
    if (mapped == MAP_FAILED) {
        return error_set_errno(err, errno, "a large body's file");
    }
    close(spool->fd);
    spool->fd = -1;
    spool->mapped = mapped;
    *out = span_from(mapped, spool->len);
    return STATUS_OK;
}

void spool_free(struct spool *spool)
{
    if (spool == NULL) {
        return;
    }
    if (spool->mapped != NULL) {
        munmap(spool->mapped, spool->len + 1);
    }
    if (spool->fd >= 0) {
        close(spool->fd);
    }
    free(spool);
}
