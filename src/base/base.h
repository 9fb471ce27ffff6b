/* Attributes and the few macros every module needs. Compiler extensions live here and nowhere else.
 */
#ifndef PINPIPE_BASE_H
#define PINPIPE_BASE_H

#include <stddef.h>

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#if defined(__GNUC__)
#define PP_MUST_USE          __attribute__((warn_unused_result))
#define PP_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define PP_NORETURN          __attribute__((noreturn))
#define PP_UNUSED            __attribute__((unused))
#define PP_LIKELY(x)         __builtin_expect(!!(x), 1)
#define PP_UNLIKELY(x)       __builtin_expect(!!(x), 0)
#else
#define PP_MUST_USE
#define PP_PRINTF(fmt, args)
#define PP_NORETURN
#define PP_UNUSED
#define PP_LIKELY(x)   (x)
#define PP_UNLIKELY(x) (x)
#endif

/* The build fills locals that nobody has set (-ftrivial-auto-var-init); large ones on a hot path
 * that keep their own count of what is valid say with this that they need no filling. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define PP_LEFT_UNSET __attribute__((uninitialized))
#endif
#endif
#ifndef PP_LEFT_UNSET
#define PP_LEFT_UNSET
#endif

/* The struct that holds `member` at `pointer`; for lists and timers embedded in larger structs. */
#define PP_CONTAINER_OF(pointer, type, member)                                                     \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

enum { BUG_EXIT_CODE = 70 }; /* EX_SOFTWARE of sysexits.h; exit_codes.def lists it with the rest */

struct bug {
    const char *file;
    int line;
    const char *what;
};

/* Who can tell what the process was doing when it ends by a bug; embedded in its owner's struct. */
struct bug_witness {
    /* Anything may be broken and any lock held: allocates nothing, locks nothing, comes back. */
    void (*tell)(const struct bug_witness *witness, const struct bug *bug);
};

/* The witness from now on, instead of any other; it stays where it is until it is dismissed. From
 * any thread. */
void bug_witness_call(const struct bug_witness *witness);
/* Does nothing where another one has been called since. */
void bug_witness_dismiss(const struct bug_witness *witness);

PP_NORETURN void bug_report(const char *file, int line, const char *what);

/* Our own mistake, never a user's or the machine's: says where on stderr, lets the witness tell,
 * and ends the process with BUG_EXIT_CODE, in release too. */
#define BUG(what) bug_report(__FILE__, __LINE__, (what))
#define PP_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (PP_UNLIKELY(!(condition))) {                                                           \
            BUG("assertion failed: " #condition);                                                  \
        }                                                                                          \
    } while (0)

#endif
