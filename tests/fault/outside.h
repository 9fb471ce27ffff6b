/* A server as its file and the kernel show it: what the clients of tests/fault and tests/bench look
 * at beside the answers. Static, so that each client takes what it needs. */
#ifndef PINPIPE_TESTS_OUTSIDE_H
#define PINPIPE_TESTS_OUTSIDE_H

#include <stdio.h>
#include <sys/types.h>

/* Resident memory; 0: there is no such process. */
static inline long outside_rss_kib(pid_t pid)
{
    char path[64];
    char line[256];
    long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmRSS: %ld", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

#endif
