/* The words that generated rows are made of: text files of data/vocab, embedded at build time.
 * A file has `# comments` and sections, a [name] line and one entry a line below it. */
#ifndef PINPIPE_VOCAB_H
#define PINPIPE_VOCAB_H

#include "arena.h"
#include "buf.h"
#include "dice.h"

struct vocab_list {
    struct span *items;
    size_t count;
};

/* The entries of one section. A section that is absent or empty, or an arena that is too small, is
 * our bug: the files are part of the program. */
struct vocab_list vocab_section(struct arena *arena, const char *text, const char *section);
struct span vocab_pick(const struct vocab_list *list, struct dice *dice);
/* "230 YourTango" gives 230 and leaves "YourTango" in *rest; 0 when there is no number in front. */
uint32_t vocab_take_number(struct span *rest);

/* The words that the placeholders of a pattern stand for; NULL lists may not be named by the
 * pattern. */
struct vocab_words {
    const struct vocab_list *tags;        /* {T} */
    const struct vocab_list *adjectives;  /* {a} {A} */
    const struct vocab_list *purposes;    /* {p} {P} */
    const struct vocab_list *remarks;     /* {q} */
    const struct vocab_list *first_names; /* {F} */
    const struct vocab_list *last_names;  /* {L} */
};

/* Appends the pattern with its placeholders filled in. A subject is drawn once a call of the
 * caller's: the same `subject` goes into every {s}. */
void vocab_expand(struct buf *out, struct span pattern, const struct vocab_words *words,
                  struct span subject, struct dice *dice);

#endif
