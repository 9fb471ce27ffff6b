#include "replay_transcript.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

/* --- bytes --- */

void text_add(struct text *t, const void *bytes, size_t len)
{
    if (t->len + len + 1 > t->cap) {
        t->cap = (t->len + len + 1) * 2;
        t->ptr = realloc(t->ptr, t->cap);
        if (t->ptr == NULL) {
            die("replay: out of memory");
        }
    }
    if (len > 0) {
        memcpy(t->ptr + t->len, bytes, len);
    }
    t->len += len;
    t->ptr[t->len] = '\0';
}

void text_puts(struct text *t, const char *s)
{
    text_add(t, s, strlen(s));
}

void text_free(struct text *t)
{
    free(t->ptr);
    *t = (struct text){.len = 0};
}

const char *text_str(const struct text *t)
{
    return t->ptr != NULL ? t->ptr : "";
}

char *copy_bytes(const char *bytes, size_t len)
{
    struct text t = {.len = 0};
    text_add(&t, bytes, len);
    return t.ptr;
}

bool starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}
/* --- a transcript in memory --- */

static void split_flags(struct transcript *t, const char *line)
{
    char *copy = copy_bytes(line, strlen(line));
    char *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save)) {
        if (t->flag_count + 1 >= flags_max) {
            die("%s: too many flags", t->path);
        }
        t->flags[t->flag_count++] = copy_bytes(word, strlen(word));
    }
    free(copy);
}

static void read_comment(struct transcript *t, const char *line)
{
    if (starts_with(line, "# serve:")) {
        split_flags(t, line + strlen("# serve:"));
    } else if (starts_with(line, "# needs:")) {
        const char *word = line + strlen("# needs:");
        t->needs = copy_bytes(word + strspn(word, " "), strlen(word + strspn(word, " ")));
    } else if (line[0] != '#' && line[0] != '\0') {
        die("%s: a line before the first === is not a comment: %s", t->path, line);
    }
}

char *read_whole(const char *path)
{
    struct text t = {.len = 0};
    char block[65536];
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    size_t got;
    while ((got = fread(block, 1, sizeof(block), f)) > 0) {
        text_add(&t, block, got);
    }
    fclose(f);
    text_add(&t, "", 0);
    return t.ptr;
}

/* The parts end without their last line feed. */
static char *part_end(struct text *part)
{
    char *kept = copy_bytes(text_str(part), part->len > 0 ? part->len - 1 : 0);
    part->len = 0;
    return kept;
}

struct transcript *transcript_read(const char *path)
{
    struct transcript *t = calloc(1, sizeof(*t));
    struct pair **link = &t->pairs;
    struct pair *pair = NULL;
    struct text part = {.len = 0};
    char *whole = read_whole(path);
    t->path = copy_bytes(path, strlen(path));
    for (char *line = whole; *line != '\0';) {
        char *end = strchr(line, '\n');
        if (end == NULL) {
            die("%s: the last line has no line feed", path);
        }
        *end = '\0';
        if (starts_with(line, "===")) {
            if (pair != NULL) {
                pair->response = part_end(&part);
            }
            pair = calloc(1, sizeof(*pair));
            pair->title = copy_bytes(line + 3 + strspn(line + 3, " "),
                                     strlen(line + 3 + strspn(line + 3, " ")));
            *link = pair;
            link = &pair->next;
        } else if (pair == NULL) {
            read_comment(t, line);
        } else if (strcmp(line, "---") == 0 && pair->request == NULL) {
            pair->request = part_end(&part);
        } else {
            text_puts(&part, line);
            text_add(&part, "\n", 1);
        }
        line = end + 1;
    }
    if (pair == NULL) {
        die("%s: there is no === line", path);
    }
    pair->response = part_end(&part);
    for (pair = t->pairs; pair != NULL; pair = pair->next) {
        if (pair->request == NULL) {
            die("%s: %s: there is no --- line", path, pair->title);
        }
    }
    text_free(&part);
    free(whole);
    return t;
}

void transcript_free(struct transcript *t)
{
    while (t->pairs != NULL) {
        struct pair *next = t->pairs->next;
        free(t->pairs->title);
        free(t->pairs->request);
        free(t->pairs->response);
        free(t->pairs);
        t->pairs = next;
    }
    for (size_t i = 0; i < t->flag_count; i++) {
        free(t->flags[i]);
    }
    free(t->needs);
    free(t->path);
    free(t);
}
/* --- captures and placeholders --- */

static struct capture *capture_find(struct captures *c, const char *name, size_t len)
{
    for (size_t i = 0; i < c->count; i++) {
        if (strlen(c->list[i].name) == len && memcmp(c->list[i].name, name, len) == 0) {
            return &c->list[i];
        }
    }
    return NULL;
}

void capture_set(struct captures *c, const char *name, size_t name_len, const char *value,
                 size_t len)
{
    if (c->count == captures_max || name_len >= sizeof(c->list[0].name)) {
        die("replay: too many captures, or a long name");
    }
    struct capture *slot = &c->list[c->count++];
    memcpy(slot->name, name, name_len);
    slot->name[name_len] = '\0';
    slot->value = copy_bytes(value, len);
    slot->len = len;
}

void captures_cut(struct captures *c, size_t count)
{
    while (c->count > count) {
        free(c->list[--c->count].value);
    }
}

/* The length of "{{name}}" at p, its name in *name; 0 when there is none. */
static size_t double_brace(const char *p, const char **name, size_t *name_len)
{
    if (!starts_with(p, "{{") || !islower((unsigned char)p[2])) {
        return 0;
    }
    const char *end = strstr(p, "}}");
    if (end == NULL) {
        return 0;
    }
    *name = p + 2;
    *name_len = (size_t)(end - *name);
    return *name_len + 4;
}

static void add_repeat(struct text *out, const char *spec, size_t len)
{
    char *rest;
    unsigned long times = strtoul(spec, &rest, 10);
    size_t skip = (size_t)(rest - spec) + 1;
    for (unsigned long i = 0; i < times && skip <= len; i++) {
        text_add(out, spec + skip, len - skip);
    }
}

static void add_hex(struct text *out, const char *spec, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        char digits[3] = {spec[i], spec[i + 1], '\0'};
        char byte = (char)strtoul(digits, NULL, 16);
        text_add(out, &byte, 1);
    }
}

/* What a request's text becomes on the wire. */
void substitute(struct captures *c, const char *from, size_t from_len, struct text *out)
{
    const char *p = from;
    while (p < from + from_len) {
        const char *name;
        size_t name_len;
        size_t used = double_brace(p, &name, &name_len);
        if (used == 0 || p + used > from + from_len) {
            text_add(out, p++, 1);
            continue;
        }
        struct capture *capture = capture_find(c, name, name_len);
        if (starts_with(name, "repeat:")) {
            add_repeat(out, name + 7, name_len - 7);
        } else if (starts_with(name, "hex:")) {
            add_hex(out, name + 4, name_len - 4);
        } else if (capture != NULL) {
            text_add(out, capture->value, capture->len);
        } else if (c->may_lack) {
            text_puts(out, "lacking");
        } else {
            die("replay: nothing captured as {{%.*s}}", (int)name_len, name);
        }
        p += used;
    }
}
/* --- matching --- */

static size_t span_of(struct bytes s, const char *allowed)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] != '\0' && strchr(allowed, s.ptr[n]) != NULL) {
        n++;
    }
    return n;
}

static bool is_uuid(struct bytes s)
{
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (i >= s.len || (dash ? s.ptr[i] != '-' : !isxdigit((unsigned char)s.ptr[i]))) {
            return false;
        }
    }
    return true;
}

bool matches(struct captures *c, const char *pattern, struct bytes s);

static bool matches_some(struct captures *c, const char *rest, struct bytes s, size_t least)
{
    for (size_t n = least; n <= s.len; n++) {
        if (matches(c, rest, (struct bytes){s.ptr + n, s.len - n})) {
            return true;
        }
    }
    return false;
}

static bool matches_capture(struct captures *c, struct bytes name, const char *rest, struct bytes s)
{
    struct capture *known = capture_find(c, name.ptr, name.len);
    if (known != NULL) {
        return s.len >= known->len && memcmp(s.ptr, known->value, known->len) == 0 &&
               matches(c, rest, (struct bytes){s.ptr + known->len, s.len - known->len});
    }
    size_t before = c->count;
    for (size_t n = 1; n <= s.len; n++) {
        capture_set(c, name.ptr, name.len, s.ptr, n);
        if (matches(c, rest, (struct bytes){s.ptr + n, s.len - n})) {
            return true;
        }
        captures_cut(c, before);
    }
    return false;
}

/* {{hex:e280a8}}: bytes that are hard to see in a file. */
static bool matches_hex(struct captures *c, struct bytes spec, const char *rest, struct bytes s)
{
    struct text want = {.len = 0};
    add_hex(&want, spec.ptr, spec.len);
    bool good = s.len >= want.len && memcmp(s.ptr, text_str(&want), want.len) == 0;
    size_t len = want.len;
    text_free(&want);
    return good && matches(c, rest, (struct bytes){s.ptr + len, s.len - len});
}

static bool skip_then(struct captures *c, const char *rest, struct bytes s, size_t n)
{
    return n > 0 && matches(c, rest, (struct bytes){s.ptr + n, s.len - n});
}

/* Does the whole of s fit the pattern? Literals are eaten here; a placeholder recurses. */
bool matches(struct captures *c, const char *pattern, struct bytes s)
{
    for (; *pattern != '\0'; pattern++, s.ptr++, s.len--) {
        struct bytes name;
        size_t used = double_brace(pattern, &name.ptr, &name.len);
        if (used > 0 && starts_with(name.ptr, "hex:")) {
            return matches_hex(c, (struct bytes){name.ptr + 4, name.len - 4}, pattern + used, s);
        }
        if (used > 0) {
            return matches_capture(c, name, pattern + used, s);
        }
        if (starts_with(pattern, "{any}")) {
            return matches_some(c, pattern + 5, s, 0);
        }
        if (starts_with(pattern, "{int}")) {
            size_t sign = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
            size_t digits = span_of((struct bytes){s.ptr + sign, s.len - sign}, "0123456789");
            return skip_then(c, pattern + 5, s, digits > 0 ? sign + digits : 0);
        }
        if (starts_with(pattern, "{uuid}")) {
            return skip_then(c, pattern + 6, s, is_uuid(s) ? 36 : 0);
        }
        if (starts_with(pattern, "{iso}")) {
            size_t n = span_of(s, "0123456789-:.T");
            return n >= 19 && n < s.len && s.ptr[n] == 'Z' && skip_then(c, pattern + 5, s, n + 1);
        }
        if (s.len == 0 || *pattern != *s.ptr) {
            return false;
        }
    }
    return s.len == 0;
}
