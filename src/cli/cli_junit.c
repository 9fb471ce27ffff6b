#include "cli_junit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* A link is left alone: it leads to where the caller wants the file. */
static bool is_regular(const char *path)
{
    struct stat found;
    return lstat(path, &found) == 0 && S_ISREG(found.st_mode);
}

enum status cli_junit_check(const char *path, struct error *err)
{
    FILE *file = fopen(path, "a");
    if (file == NULL) {
        (void)error_set_errno(err, errno, "--junit %s: cannot be written", path);
        return err->code = STATUS_CONFIG;
    }
    fclose(file);
    if (is_regular(path)) {
        (void)unlink(path);
    }
    return STATUS_OK;
}

enum status cli_junit_write(const char *path, const struct verdict *verdict, struct error *err)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        return error_set_errno(err, errno, "--junit %s", path);
    }
    bool written = verdict_write_junit(verdict, file);
    if (fclose(file) != 0 || !written) {
        return error_set_errno(err, errno, "--junit %s", path);
    }
    return STATUS_OK;
}
