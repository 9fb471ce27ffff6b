/* A command of the program, run in the test's own process as main() runs it, but for the streams.
 */
#ifndef PINPIPE_TESTS_RUN_TOOL_H
#define PINPIPE_TESTS_RUN_TOOL_H

#include "alloc_fault.h"

#include <stdbool.h>
#include <stddef.h>

/* What the command lacks while it runs. */
struct tool_lack {
    long allocation; /* the number of the one that fails; 0: none */
    enum alloc_fault_mode mode;
    size_t arena_bytes; /* 0: none of it fails */
};

/* What came of it. */
struct tool_said {
    int code;
    char *out;
    char *err;
    size_t arena_bytes; /* that it took */
};

/* Words part at blanks; an underscore is a blank within one where the word begins with SELECT or a
 * quote, which goes away; a word of \x1e is a number of its own each time. True: something failed
 * as it was to. */
bool tool_run(const char *line, struct tool_lack lack, struct tool_said *said);
/* The same, lacking nothing. */
void tool_run_well(const char *line, struct tool_said *said);
void tool_said_release(struct tool_said *said);

#endif
