/* Shared names: counted, because topics, partitions, instances and buffers mention the same ones.
 */
#include "group_text.h"

#include <stdlib.h>
#include <string.h>

struct group_text *group_text_new(struct span text)
{
    struct group_text *made = malloc(sizeof(*made) + text.len + 1);
    if (made == NULL) {
        return NULL;
    }
    made->refs = 1;
    made->len = text.len;
    memcpy(made->text, text.ptr, text.len);
    made->text[text.len] = '\0';
    return made;
}

struct group_text *group_text_ref(struct group_text *text)
{
    PP_ASSERT(text->refs > 0);
    text->refs++;
    return text;
}

void group_text_unref(struct group_text *text)
{
    if (text == NULL) {
        return;
    }
    PP_ASSERT(text->refs > 0);
    if (--text->refs == 0) {
        free(text);
    }
}

struct span group_text_span(const struct group_text *text)
{
    return span_from(text->text, text->len);
}
