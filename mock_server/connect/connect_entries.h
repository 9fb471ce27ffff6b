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
/* The entry of that key; NULL when it is not there. */
const struct connect_entry *connect_entries_find(const struct connect_entries *entries,
                                                 const char *key);
enum { CONNECT_ENTRIES_MAX = 1000 };
/* Do both have the same keys with the same values, in any order? */
bool connect_entries_equal(const struct connect_entries *a, const struct connect_entries *b);
/* Parses a JSON object (strings; numbers and booleans become their text as in Jackson; null stays
 * out; of a key given twice the last value has the first one's place); writing keeps the order.
 * INVALID, in Jackson's words. */
enum status connect_entries_parse(struct arena *arena, struct span json,
                                  struct connect_entries *out, struct error *err) PP_MUST_USE;
/* Copies entries and their texts, with no room for more. False: NO_MEMORY. */
bool connect_entries_copy(struct arena *arena, const struct connect_entries *from,
                          struct connect_entries *out);
struct json_writer;
/* Writes them into the open object. */
void connect_entries_members(const struct connect_entries *entries, struct json_writer *w);
void connect_entries_write(const struct connect_entries *entries, struct buf *out);
/* Gives a key its value, at the end where the key is new. False: CONNECT_ENTRIES_MAX are there. */
bool connect_entries_set(struct connect_entries *entries, struct span key, struct span value);
/* Sets "name", for which parsed entries keep room. */
void connect_entries_name(struct connect_entries *entries, struct span name);
/* Reads the next value as Jackson's StringDeserializer does: a number or a boolean is its source
 * text, null has no pointer. INVALID, in Jackson's words; NO_MEMORY. */
struct json_cursor;
enum status connect_text_parse(struct arena *arena, struct json_cursor *c, struct span *out,
                               struct error *err) PP_MUST_USE;
/* The text of a raw JSON string, in the arena. NO_MEMORY. */
enum status connect_text_decode(struct arena *arena, struct span raw, struct span *out) PP_MUST_USE;
/* String.trim: everything up to the blank goes, at both ends. */
struct span connect_trim(struct span text);

/* The first value with what was meant as a comment in it ("1 # one record a file"); NULL: none. */
const struct connect_entry *connect_entries_comment(const struct connect_entries *entries);

#endif
