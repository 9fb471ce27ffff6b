/* Kafka's Topic.validate. The rule itself is the store's, which must refuse such names in any case.
 */
#include "topic_name.h"

#include "store.h"

_Static_assert((int)TOPIC_NAME_BYTES_MAX == (int)STORE_TOPIC_NAME_MAX,
               "one limit, named in two rooms");

const char *topic_name_flaw(struct span name, struct arena *arena)
{
    const char *flaw;
    if (store_topic_name_is_legal(name)) {
        return NULL;
    }
    if (name.len == 0) {
        return "Topic name is illegal, it can't be empty";
    }
    if (span_equal_cstr(name, ".") || span_equal_cstr(name, "..")) {
        return "Topic name cannot be \".\" or \"..\"";
    }
    if (name.len > TOPIC_NAME_BYTES_MAX) {
        flaw = arena_printf(arena,
                            "Topic name is illegal, it can't be longer than %d characters, topic "
                            "name: %.*s",
                            TOPIC_NAME_BYTES_MAX, SPAN_ARG(name));
    } else {
        flaw = arena_printf(arena,
                            "Topic name \"%.*s\" is illegal, it contains a character other than "
                            "ASCII alphanumerics, '.', '_' and '-'",
                            SPAN_ARG(name));
    }
    return flaw != NULL ? flaw : "Topic name is illegal";
}
