/* What a stranger wrote, as people may see it. A terminal obeys control characters, and an eye
 * obeys those that reorder or hide text: each is shown as an escape (`\x1b`, `\u202e`), and so is
 * each byte that is no UTF-8. An escape is made of harmless characters, so escaping twice changes
 * nothing. */
#ifndef PINPIPE_PRINTABLE_H
#define PINPIPE_PRINTABLE_H

#include "span.h"

enum {
    PRINTABLE_ESCAPE_BYTES = 12, /* "\U000e0001" with its end */
    PRINTABLE_TEXT_BYTES_MAX = 4096,
};

enum printable_form {
    PRINTABLE_LINE, /* one line: tabs and line ends are escaped too */
    PRINTABLE_TEXT, /* tabs, line feeds and CR LF stay */
};

/* Takes the next piece from *rest: either a run of it that is harmless or the escape, written into
 * `escape`, of what is not. Empty at the end. */
struct span printable_next(struct span *rest, enum printable_form form,
                           char escape[PRINTABLE_ESCAPE_BYTES]);
/* Escapes a NUL-terminated line in place; what no longer fits in `size` bytes (at most
 * PRINTABLE_TEXT_BYTES_MAX) is cut, never within an escape or a character. */
void printable_make(char *text, size_t size);

#endif
