/* Allocations of the test's own process that fail on command: the program's, libuv's and SQLite's
 * alike. What needs memory is run again and again, each time with the next of its allocations
 * failing:
 *
 *   for (long n = 1; alloc_fault_goes_on(n); n++) {
 *       alloc_fault_begin(n, ALLOC_FAILS_ONCE);
 *       ... the thing under test ...
 *       alloc_fault_end();
 *       ... what it said, and that the next call works ...
 *   }
 *
 * Only the thread that began sees its allocations fail, unless it says otherwise. Where it cannot
 * be done (a sanitizer's malloc, another libc than glibc) nothing ever fails, and such a loop ends
 * after one round. */
#ifndef PINPIPE_TESTS_ALLOC_FAULT_H
#define PINPIPE_TESTS_ALLOC_FAULT_H

#include <stdbool.h>

enum alloc_fault_mode { ALLOC_FAILS_ONCE, ALLOC_FAILS_FROM_THERE_ON };

/* Is there anything left to fail: the n-1-th allocation did. */
bool alloc_fault_goes_on(long n);
void alloc_fault_begin(long n, enum alloc_fault_mode mode);
/* Only those that the program itself, SQLite, cJSON and expat ask for: other libraries cannot bear
 * it (libcurl 7.88 divides by zero), and their words and leaks are their own. */
void alloc_fault_begin_own(long n, enum alloc_fault_mode mode);
/* The other way round: those of all other threads fail, a server's and not its client's. */
void alloc_fault_begin_elsewhere(long n, enum alloc_fault_mode mode);
/* With memory again. True: an allocation failed meanwhile. */
bool alloc_fault_end(void);
/* How many were asked for since it began. */
long alloc_fault_asked(void);
/* Allocations that are alive, of all threads; 0 where they are not counted. */
long alloc_fault_alive(void);
/* What this thread allocated, less what it freed. */
long alloc_fault_alive_here(void);

#endif
