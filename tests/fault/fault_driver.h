/* How a fault client goes from one failing call to the next (fault_control.h). */
#ifndef PINPIPE_TESTS_FAULT_DRIVER_H
#define PINPIPE_TESTS_FAULT_DRIVER_H

#include "fault_control.h"
#include "raw_http.h"

#include <sys/mman.h>

static inline struct fault_control *fault_control_make(const char *work_dir)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/control", work_dir);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(struct fault_control)) != 0) {
        die("%s: cannot make it", path);
    }
    struct fault_control *control =
        mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) {
        die("%s: cannot map it", path);
    }
    close(fd);
    setenv(FAULT_CONTROL_KEY, path, 1);
    return control;
}

static inline const char *fault_word(enum fault_mode mode)
{
    return mode == FAULT_ONCE ? "once" : mode == FAULT_NONE ? "never" : "from there on";
}

static inline void fault_begin(struct fault_control *control, enum fault_mode mode, long n)
{
    atomic_store(&control->asked, 0);
    atomic_store(&control->failed, 0);
    atomic_store(&control->fail_at, n);
    control->what[0] = '\0';
    atomic_store(&control->mode, mode);
}

/* False: fewer calls than that were made. */
static inline bool fault_end(struct fault_control *control)
{
    atomic_store(&control->mode, FAULT_NONE);
    return atomic_load(&control->failed) > 0;
}

/* The file of a call that failed ("open data/state.db-wal"), as people are told it: SQLite's logs,
 * and what is not yet renamed, are the file's own. */
static inline void fault_file_told(const char *what, char *out, size_t size)
{
    const char *digits = "0123456789";
    static const char *const ends[] = {"-wal", "-shm",          "-journal",
                                       ".new", ".pinpipe-part", ".part"};
    const char *path = strchr(what, ' ');
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    snprintf(out, size, "%s", slash != NULL ? slash + 1 : path != NULL ? path + 1 : "");
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        char *end = strstr(out, ends[i]);
        if (end != NULL) {
            *end = '\0';
        }
    }
    char *dot = strrchr(out, '.');
    if (dot != NULL && dot[1] != '\0' && strspn(dot + 1, digits) == strlen(dot + 1)) {
        *dot = '\0'; /* a process's number */
    }
}

/* Does the text say why? SQLite has words of its own: it tries again, to read only, what it cannot
 * open, takes what cannot be read for damaged, and attaches without a cause. */
static inline bool fault_cause_in(const char *text)
{
    static const char *const words[] = {
        "input/output error", "disk i/o error", "no space left", "full",
        "unable to open",     "readonly",       "malformed"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(text, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

#endif
