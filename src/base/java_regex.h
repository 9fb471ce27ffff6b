/* java.util.regex as far as topic names need it, on PCRE2: whole matches (Matcher.matches), and a
 * ceiling on the steps that one match may take, where Java would not return at all.
 *
 * DIFFERS: the dialect is PCRE2's; what Java writes otherwise (possessive classes by &&, \p{javaX})
 * is an error or means what PCRE2 takes it for. */
#ifndef PINPIPE_JAVA_REGEX_H
#define PINPIPE_JAVA_REGEX_H

#include "buf.h"
#include "error.h"

enum {
    JAVA_REGEX_BYTES_MAX = 1024,
    JAVA_REGEX_STEPS_MAX = 2000, /* back, of one match */
    JAVA_REGEX_SOME_STEPS = 250,
    JAVA_REGEX_QUICK_STEPS = 100,
};

struct java_regex;

/* Why a pattern is none. */
struct java_regex_flaw {
    int code;        /* PCRE2's */
    size_t position; /* where, in bytes */
    char words[128]; /* PCRE2's */
};

enum java_regex_outcome { JAVA_REGEX_NO, JAVA_REGEX_YES, JAVA_REGEX_OVERRUN /* given up */ };

/* INVALID: *flaw says why. LIMIT: longer than JAVA_REGEX_BYTES_MAX. NO_MEMORY. */
enum status java_regex_new(struct span source, struct java_regex **out,
                           struct java_regex_flaw *flaw) PP_MUST_USE;
void java_regex_free(struct java_regex *regex); /* NULL is fine */
/* What the compiled pattern takes of memory: far more than its text, where it repeats. */
size_t java_regex_bytes(const struct java_regex *regex);
/* The whole text, from its first to its last character. */
enum java_regex_outcome java_regex_match(struct java_regex *regex, struct span text);

/* At most so many steps the last match has taken: 0 (JAVA_REGEX_QUICK_STEPS cost no more than
 * looking at the text does), JAVA_REGEX_SOME_STEPS or JAVA_REGEX_STEPS_MAX. */
size_t java_regex_steps(const struct java_regex *regex);

/* Appends what PatternSyntaxException.getMessage says of the usual mistakes: the words, where, the
 * pattern and a caret below it. */
void java_regex_flaw_describe(const struct java_regex_flaw *flaw, struct span source,
                              struct buf *out);

#endif
