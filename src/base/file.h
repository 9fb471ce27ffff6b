/* Whole small files, and replacing one so that a reader sees the old or the new, never a half. */
#ifndef PINPIPE_FILE_H
#define PINPIPE_FILE_H

#include "buf.h"
#include "error.h"

/* Appends the file to out. NOT_FOUND (nothing there), LIMIT (larger than out's ceiling), IO. */
enum status file_read(const char *path, struct buf *out, struct error *err) PP_MUST_USE;
/* The rest of an open file; `name` is for the messages. */
enum status file_read_open(int fd, const char *name, struct buf *out,
                           struct error *err) PP_MUST_USE;
/* Writes beside it, then renames; sweeps what killed processes have left beside it. mode as for
 * open (0600 for secrets, which no umask changes). */
enum status file_replace(const char *path, struct span text, unsigned mode,
                         struct error *err) PP_MUST_USE;
/* The whole of it to a descriptor; false: errno says why. */
bool file_write_all(int fd, struct span text);
/* Whether file_replace could do it: the name can be made beside it, and it is no directory. Leaves
 * nothing behind. */
enum status file_check_replace(const char *path, struct error *err) PP_MUST_USE;
/* False: surely not. What cannot be looked at fails in whoever opens it, with a cause. */
bool file_exists(const char *path);
/* A file that was not there is there from now on, empty and this user's alone whatever the umask.
 * One that is there is not even opened: closing it would let go of this process's locks on it.
 * Whoever opens the file next tells what went wrong. */
void file_create_private(const char *path);
/* mkdir -p; existing directories are fine, new ones this user's alone. */
enum status file_make_directory(const char *path, struct error *err) PP_MUST_USE;

#endif
