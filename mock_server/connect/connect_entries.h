/* A connector's configuration as it is sent and kept: an object of strings, in the order given. */
#ifndef PINPIPE_CONNECT_ENTRIES_H
#define PINPIPE_CONNECT_ENTRIES_H

#include "arena.h"
#include "buf.h"
#include "error.h"

/* A flat configuration: unique keys, in the order given. */
struct connect_entry {
    struct span key;
    struct span value;
};
struct connect_entries {
    struct connect_entry *items;
    size_t count;
};
/* NULL when it is not there. */
const struct connect_entry *connect_entries_find(const struct connect_entries *entries,
                                                 const char *key);
enum { CONNECT_ENTRIES_MAX = 1000 };
/* The same keys with the same values, in any order? */
bool connect_entries_equal(const struct connect_entries *a, const struct connect_entries *b);
/* From a JSON object (strings; numbers and booleans become their text as in Jackson; null stays
 * out; of a key given twice the last value has the first one's place) and back, in order. INVALID,
 * in Jackson's words. */
enum status connect_entries_parse(struct arena *arena, struct span json,
                                  struct connect_entries *out, struct error *err) PP_MUST_USE;
void connect_entries_write(const struct connect_entries *entries, struct buf *out);
/* Gives a key its value, at the end where the key is new. False: CONNECT_ENTRIES_MAX are there. */
bool connect_entries_set(struct connect_entries *entries, struct span key, struct span value);
/* Sets "name", for which parsed entries keep room. */
void connect_entries_name(struct connect_entries *entries, struct span name);
/* The first value with what was meant as a comment in it ("1 # one record a file"); NULL: none. */
const struct connect_entry *connect_entries_comment(const struct connect_entries *entries);

#endif
