#include "base.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef PINPIPE_COVERAGE
extern void __gcov_dump(void);
#endif

enum { message_bytes = 512 };

/* The program's one global that can be written beside the signal flag (tests/lint/lint.sh): an
 * assertion knows only where it stands, so nobody can hand it what to tell. No state of the
 * program depends on it: it is read once, by a process that ends. */
static const struct bug_witness *_Atomic bug_witness_now;

void bug_witness_call(const struct bug_witness *witness)
{
    atomic_store(&bug_witness_now, witness);
}

void bug_witness_dismiss(const struct bug_witness *witness)
{
    const struct bug_witness *expected = witness;
    atomic_compare_exchange_strong(&bug_witness_now, &expected, NULL);
}

/* stdio's streams may be locked, or be what is broken. */
static void bug_message_write(const struct bug *bug)
{
    char text[message_bytes];
    int len = snprintf(text, sizeof(text), "pinpipe: bug at %s:%d: %s\n", bug->file, bug->line,
                       bug->what);
    size_t count = len < (int)sizeof(text) ? (size_t)len : sizeof(text) - 1;
    if (len > 0 && write(STDERR_FILENO, text, count) < 0) {
        return; /* nobody listens */
    }
}

void bug_report(const char *file, int line, const char *what)
{
    const struct bug bug = {.file = file, .line = line, .what = what};
    bug_message_write(&bug);
    /* Taken, so that a bug in the telling ends here. */
    const struct bug_witness *witness = atomic_exchange(&bug_witness_now, NULL);
    if (witness != NULL) {
        witness->tell(witness, &bug);
    }
#ifdef PINPIPE_BUG_ABORTS /* a fuzzer keeps the input only of what a signal ended */
    abort();
#else
#ifdef PINPIPE_COVERAGE /* what a process has counted is written by an exit alone */
    __gcov_dump();
#endif
    _exit(BUG_EXIT_CODE);
#endif
}
