/* The transcripts' side of the replayer: files in memory, captures, placeholders (README.md). */
#ifndef GOLDEN_REPLAY_TRANSCRIPT_H
#define GOLDEN_REPLAY_TRANSCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define REPLAY_PRINTF(f, a) __attribute__((format(printf, f, a), noreturn))
#else
#define REPLAY_PRINTF(f, a)
#endif

enum { captures_max = 32, flags_max = 40 };

/* A fault of a transcript or of the machine, not of the server: exit 2. */
void die(const char *format, ...) REPLAY_PRINTF(1, 2);

struct text {
    char *ptr;
    size_t len;
    size_t cap;
};

void text_add(struct text *t, const void *bytes, size_t len);
void text_puts(struct text *t, const char *s);
void text_free(struct text *t);
const char *text_str(const struct text *t);
char *copy_bytes(const char *bytes, size_t len);
bool starts_with(const char *s, const char *prefix);
char *read_whole(const char *path);

struct pair {
    char *title;
    char *request; /* directives, head and body as written */
    char *response;
    struct pair *next;
};

struct transcript {
    char *path;
    char *flags[flags_max];
    size_t flag_count;
    char *needs;
    const char *starving[2]; /* a library before the server and what it is told; NULL: none */
    struct pair *pairs;
};

struct transcript *transcript_read(const char *path);
void transcript_free(struct transcript *t);

struct capture {
    char name[48];
    char *value;
    size_t len;
};

struct captures {
    struct capture list[captures_max];
    size_t count;
    bool may_lack; /* what no response gave is "lacking" instead of the end */
};

void capture_set(struct captures *c, const char *name, size_t name_len, const char *value,
                 size_t len);
/* Forgets all but the first `count`. */
void captures_cut(struct captures *c, size_t count);
/* What a request's text becomes on the wire. */
void substitute(struct captures *c, const char *from, size_t from_len, struct text *out);

struct bytes {
    const char *ptr;
    size_t len;
};

/* Does the whole of s fit the pattern? Sets what the pattern captures. */
bool matches(struct captures *c, const char *pattern, struct bytes s);

#endif
