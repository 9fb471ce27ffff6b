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
