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

#endif
