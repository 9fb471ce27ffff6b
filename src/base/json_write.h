/* Writing JSON into a buffer: the writer knows where a comma belongs, which bracket closes and what
 * a string must escape, so no caller looks at the bytes before its own. No blanks, as all the
 * services that we imitate write. Strings are escaped as json_string_append escapes them.
 *
 * The state is in the writer and not in the buffer: a caller who streams may empty the buffer
 * between two values. Failures stay in the buffer (buf_ok), as with every append. Members may be
 * written outside an object: such a fragment is what a caller later puts between its own braces. */
#ifndef PINPIPE_JSON_WRITE_H
#define PINPIPE_JSON_WRITE_H

#include "buf.h"

enum { JSON_WRITE_DEPTH_MAX = 64 };

/* Open, so that it can live on the stack; the members are private. */
struct json_writer {
    struct buf *out;
    uint64_t arrays; /* one bit a level, the innermost lowest: is it an array? */
    unsigned depth;
    bool comma; /* does a comma belong before what comes next? */
};

/* Writes behind what `out` holds; `out` is borrowed. */
struct json_writer json_writer_to(struct buf *out);

/* Values: of a name, of an array, or the whole text. */
void json_write_object(struct json_writer *w);
void json_write_array(struct json_writer *w);
/* Closes the innermost object or array. */
void json_write_end(struct json_writer *w);
void json_write_string(struct json_writer *w, struct span value);
/* NULL gives null. */
void json_write_cstr(struct json_writer *w, const char *value);
void json_write_i64(struct json_writer *w, int64_t value);
void json_write_u64(struct json_writer *w, uint64_t value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
/* A value that is JSON text already. */
void json_write_raw(struct json_writer *w, struct span json);
/* Writes what belongs before a value and gives the buffer, to which the caller appends the value.
 */
struct buf *json_write_value(struct json_writer *w);

/* The name of the value that comes next. One of the program's own is written as it stands: nothing
 * in it needs an escape. Anybody else's comes as a span. */
void json_write_name(struct json_writer *w, const char *name);
void json_write_name_span(struct json_writer *w, struct span name);
/* A name that is JSON text already, with its quotes. */
void json_write_name_raw(struct json_writer *w, struct span name);

/* A name and its value in one call. */
void json_member_object(struct json_writer *w, const char *name);
void json_member_array(struct json_writer *w, const char *name);
void json_member_string(struct json_writer *w, const char *name, struct span value);
void json_member_cstr(struct json_writer *w, const char *name, const char *value);
void json_member_i64(struct json_writer *w, const char *name, int64_t value);
void json_member_u64(struct json_writer *w, const char *name, uint64_t value);
void json_member_bool(struct json_writer *w, const char *name, bool value);
void json_member_null(struct json_writer *w, const char *name);
void json_member_raw(struct json_writer *w, const char *name, struct span json);

#endif
