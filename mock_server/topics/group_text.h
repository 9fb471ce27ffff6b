/* A name shared by everybody who mentions it. */
#ifndef PINPIPE_GROUP_TEXT_H
#define PINPIPE_GROUP_TEXT_H

#include "span.h"

struct group_text {
    size_t refs;
    size_t len;
    char text[]; /* NUL-terminated */
};

/* With one reference; NULL: out of memory. */
struct group_text *group_text_new(struct span text);
/* Returns the text, with a reference more. */
struct group_text *group_text_ref(struct group_text *text);
/* Frees it with its last reference; NULL is allowed. */
void group_text_unref(struct group_text *text);
/* Borrowed from the text. */
struct span group_text_span(const struct group_text *text);

#endif
