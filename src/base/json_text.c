#include "array.h"
#include "hash.h"
#include "json_scan_internal.h"

#include <stdlib.h>
#include <string.h>

enum { members_inline = 64, members_searched_max = 32 };

/* A member of an object that is being re-encoded: where its key and value stand in the output. It
 * is small, because a body may have a hundred thousand: what they take out of the caches is what an
 * object costs. */
struct member {
    uint32_t key_hash;
    uint32_t key_start;
    uint32_t key_len;
    uint32_t value_start;
    uint32_t value_len;
};

/* The members of all objects that are open, innermost last. */
struct json_member_stack {
    struct member *members; /* the inline ones, until there are too many */
    size_t count;
    struct member *grown;
    size_t grown_cap;
    uint32_t hash_start;
    struct member inline_members[members_inline];
};

/* --- the cursor ------------------------------------------------------------------------------- */

struct json_cursor json_cursor_at(struct span text)
{
    return (struct json_cursor){.text = text};
}

struct json_cursor json_document(struct span text)
{
    bool marked = span_starts_with(text, SPAN_LIT("\xef\xbb\xbf"));
    return (struct json_cursor){.text = text, .position = marked ? 3 : 0};
}

bool json_cursor_look(struct json_cursor *c, struct span text, size_t bytes)
{
    bool hidden = text.len - c->position > bytes;
    c->text = hidden ? span_first(text, c->position + bytes) : text;
    return hidden;
}

void json_skip_space(struct json_cursor *c)
{
    while (json_more(c)) {
        char ch = json_here(c);
        if (ch != ' ' && ch != '\n' && ch != '\r' && ch != '\t') {
            return;
        }
        c->position++;
    }
}

bool json_at_end(struct json_cursor *c)
{
    json_skip_space(c);
    return !json_more(c);
}

/* Is the number at the cursor an integer? A look ahead only; scan_number validates. */
static enum json_kind number_kind(const struct json_cursor *c)
{
    size_t i = c->position + 1;
    while (i < c->text.len && json_is_digit(c->text.ptr[i])) {
        i++;
    }
    bool decimal = i < c->text.len &&
                   (c->text.ptr[i] == '.' || c->text.ptr[i] == 'e' || c->text.ptr[i] == 'E');
    return decimal ? JSON_DECIMAL : JSON_INTEGER;
}

bool json_peek(struct json_cursor *c, enum json_kind *out, struct json_error *err)
{
    json_skip_space(c);
    if (!json_more(c)) {
        return json_fail_end(c, err, ": expected a value");
    }
    switch (json_here(c)) {
    case '{':
        *out = JSON_OBJECT;
        return true;
    case '[':
        *out = JSON_ARRAY;
        return true;
    case '"':
        *out = JSON_STRING;
        return true;
    case 't':
        *out = JSON_TRUE;
        return true;
    case 'f':
        *out = JSON_FALSE;
        return true;
    case 'n':
        *out = JSON_NULL;
        return true;
    default: /* numbers and faults, by range */
        break;
    }
    if (json_here(c) == '-' || json_is_digit(json_here(c))) {
        *out = number_kind(c);
        return true;
    }
    if (json_here(c) == '}' || json_here(c) == ']' || json_here(c) == ',') {
        return json_fail_char(c, err, "expected a value");
    }
    if (json_is_name_byte(json_here(c)) && (unsigned char)json_here(c) < 0x80) {
        return json_fail_token(c, err);
    }
    return json_fail_char(c, err, "expected a valid value " JSON_VALUE_LIST);
}

/* --- objects, arrays, literals ---------------------------------------------------------------- */

static bool scan_literal(struct json_scan *s, struct span word)
{
    struct json_cursor *c = s->c;
    struct span rest = span_skip(c->text, c->position);
    bool whole = span_starts_with(rest, word) &&
                 (rest.len == word.len || !json_is_name_byte(rest.ptr[word.len]));
    if (!whole) {
        return json_fail_token(c, s->err);
    }
    c->position += word.len;
    json_count_bytes(s, word.len);
    if (s->out != NULL) {
        buf_append_span(s->out, word);
    }
    return true;
}

static struct member *member_push(struct json_member_stack *stack)
{
    if (stack->count >= members_inline) {
        bool first = stack->grown == NULL;
        if (ARRAY_RESERVE(stack->grown, stack->grown_cap, stack->count + 1, ARRAY_NO_MAX) !=
            STATUS_OK) {
            return NULL;
        }
        if (first) {
            memcpy(stack->grown, stack->inline_members, sizeof(stack->inline_members));
        }
        stack->members = stack->grown;
    }
    return &stack->members[stack->count++];
}

static bool member_is(const struct json_scan *s, size_t i, uint32_t hash, struct span key)
{
    const struct member *m = &s->stack->members[i];
    return m->key_hash == hash && m->key_len == key.len &&
           memcmp(s->out->ptr + m->key_start, key.ptr, key.len) == 0;
}

/* Objects with many members get a hash table over them (open addressing, member position + 1), so
 * that a body of a million keys costs no square of it. `base` is the object's first member. */
struct key_index {
    size_t base;
    uint32_t *slots;
    size_t slot_count;
    bool repeated; /* a key came twice: its last value stands behind members that come later */
};

static void key_index_put(struct key_index *index, const struct json_scan *s, size_t i)
{
    size_t slot = s->stack->members[i].key_hash & (index->slot_count - 1);
    while (index->slots[slot] != 0) {
        slot = (slot + 1) & (index->slot_count - 1);
    }
    index->slots[slot] = (uint32_t)(i + 1);
}

/* Enters the member that was pushed last. */
static bool key_index_grow(struct key_index *index, const struct json_scan *s)
{
    size_t count = s->stack->count - index->base;
    if (count <= members_searched_max) {
        return true;
    }
    if (count * 2 <= index->slot_count) {
        key_index_put(index, s, s->stack->count - 1);
        return true;
    }
    size_t slot_count = index->slot_count > 0 ? index->slot_count * 4 : members_searched_max * 8;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));
    if (slots == NULL) {
        return false;
    }
    free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    for (size_t i = index->base; i < s->stack->count; i++) {
        key_index_put(index, s, i);
    }
    return true;
}

/* The earlier member of the object with this key, or SIZE_MAX. */
static size_t scan_member_find(const struct json_scan *s, const struct key_index *index,
                               uint32_t hash, struct span key)
{
    if (index->slots == NULL) {
        for (size_t i = index->base; i < s->stack->count; i++) {
            if (member_is(s, i, hash, key)) {
                return i;
            }
        }
        return SIZE_MAX;
    }
    size_t slot = hash & (index->slot_count - 1);
    while (index->slots[slot] != 0) {
        if (member_is(s, index->slots[slot] - 1, hash, key)) {
            return index->slots[slot] - 1;
        }
        slot = (slot + 1) & (index->slot_count - 1);
    }
    return SIZE_MAX;
}

static bool scan_value(struct json_scan *s, unsigned depth);

/* The value of one member, its key (with quotes) at key_start in out. */
static bool scan_member_value(struct json_scan *s, unsigned depth, struct key_index *index,
                              size_t key_start)
{
    if (s->out == NULL || !buf_ok(s->out)) {
        return scan_value(s, depth);
    }
    size_t key_len = s->out->len - key_start;
    struct span key = span_from(s->out->ptr + key_start, key_len);
    uint32_t hash = hash_bytes(s->stack->hash_start, key);
    size_t earlier = scan_member_find(s, index, hash, key);
    if (earlier != SIZE_MAX) {
        /* Drop the repeated key and its comma; members_rearrange puts the value to its place. */
        size_t value_start = key_start - 1;
        s->out->len = value_start;
        if (!scan_value(s, depth)) {
            return false;
        }
        if (s->out->len > UINT32_MAX) {
            return json_fail(s->err, s->c->position, "out of memory");
        }
        s->stack->members[earlier].value_start = (uint32_t)value_start;
        s->stack->members[earlier].value_len = (uint32_t)(s->out->len - value_start);
        index->repeated = true;
        return true;
    }
    buf_append_byte(s->out, ':');
    size_t value_start = s->out->len;
    if (!scan_value(s, depth)) {
        return false;
    }
    struct member *m = s->out->len <= UINT32_MAX ? member_push(s->stack) : NULL;
    if (m == NULL) {
        return json_fail(s->err, s->c->position, "out of memory");
    }
    *m = (struct member){.key_hash = hash,
                         .key_start = (uint32_t)key_start,
                         .key_len = (uint32_t)key_len,
                         .value_start = (uint32_t)value_start,
                         .value_len = (uint32_t)(s->out->len - value_start)};
    return key_index_grow(index, s) || json_fail(s->err, s->c->position, "out of memory");
}

bool json_next_member(struct json_cursor *c, bool *first, struct span *key_raw,
                      struct json_error *err)
{
    err->message[0] = '\0';
    json_skip_space(c);
    if (!json_more(c)) {
        return json_fail_end(c, err, ": expected close marker for Object");
    }
    if (json_here(c) == '}') {
        c->position++;
        return false;
    }
    if (!*first) {
        if (json_here(c) != ',') {
            return json_fail_char(c, err, "was expecting comma to separate Object entries");
        }
        c->position++;
        json_skip_space(c);
    }
    *first = false;
    if (!json_more(c)) {
        return json_fail_end(c, err, " within/between Object entries");
    }
    if (json_here(c) != '"') {
        return json_fail_char(c, err, "was expecting double-quote to start field name");
    }
    size_t start = c->position;
    struct json_scan keys = {.c = c, .err = err};
    if (!json_scan_string(&keys)) {
        return false;
    }
    *key_raw = span_from(c->text.ptr + start, c->position - start);
    json_skip_space(c);
    if (!json_more(c)) {
        return json_fail_end(c, err, " within/between Object entries");
    }
    if (json_here(c) != ':') {
        return json_fail_char(c, err, "was expecting a colon to separate field name and value");
    }
    c->position++;
    return true;
}

bool json_next_element(struct json_cursor *c, bool *first, struct json_error *err)
{
    err->message[0] = '\0';
    json_skip_space(c);
    if (!json_more(c)) {
        return json_fail_end(c, err, ": expected close marker for Array");
    }
    if (json_here(c) == ']') {
        c->position++;
        return false;
    }
    if (!*first) {
        if (json_here(c) != ',') {
            return json_fail_char(c, err, "was expecting comma to separate Array entries");
        }
        c->position++;
    }
    *first = false;
    return true;
}

bool json_enter(struct json_cursor *c, enum json_kind array_or_object, struct json_error *err)
{
    enum json_kind kind;
    if (!json_peek(c, &kind, err)) {
        return false;
    }
    if (kind != array_or_object) {
        return json_fail_char(
            c, err, array_or_object == JSON_OBJECT ? "expected an Object" : "expected an Array");
    }
    c->position++;
    return true;
}

/* Counts the key with its colon, and the comma behind it. */
static bool count_key(struct json_scan *s, struct span key_raw)
{
    s->counted->bytes += 2;
    if (json_plain_run(key_raw.ptr + 1, key_raw.len - 1) == key_raw.len - 2) {
        s->counted->bytes += key_raw.len;
        return true;
    }
    struct json_cursor again = json_cursor_at(key_raw);
    struct json_scan keys = {.c = &again, .counted = s->counted, .err = s->err};
    return json_scan_string(&keys);
}

/* Appends the key again in its encoded form; the raw token is already known to be well-formed. */
static bool append_key(struct json_scan *s, struct span key_raw)
{
    if (json_plain_run(key_raw.ptr + 1, key_raw.len - 1) == key_raw.len - 2) {
        buf_append_span(s->out, key_raw);
        return true;
    }
    struct json_cursor again = json_cursor_at(key_raw);
    struct json_scan keys = {.c = &again, .out = s->out, .err = s->err};
    return json_scan_string(&keys);
}

static bool scan_members(struct json_scan *s, unsigned depth, struct key_index *index)
{
    bool first = true;
    bool any = false;
    struct span key_raw;
    while (json_next_member(s->c, &first, &key_raw, s->err)) {
        size_t key_start = 0;
        if (s->out != NULL) {
            if (any) {
                buf_append_byte(s->out, ',');
            }
            key_start = s->out->len;
            if (!append_key(s, key_raw)) {
                return false;
            }
        } else if (s->counted != NULL && !count_key(s, key_raw)) {
            return false;
        }
        any = true;
        if (!scan_member_value(s, depth, index, key_start)) {
            return false;
        }
    }
    return s->err->message[0] == '\0';
}

/* Jackson's map keeps a repeated key at its first place with its last value. Done once when the
 * object closes: moving the bytes at each repetition would cost the square of a hostile body. */
static bool members_rearrange(struct json_scan *s, size_t base, size_t object_start)
{
    struct buf *out = s->out;
    size_t len = out->len - object_start;
    char *written = malloc(len);
    if (written == NULL) {
        buf_no_memory(out);
        return json_fail(s->err, s->c->position, "out of memory");
    }
    memcpy(written, out->ptr + object_start, len);
    out->len = object_start;
    buf_append_byte(out, '{');
    for (size_t i = base; i < s->stack->count; i++) {
        const struct member *m = &s->stack->members[i];
        if (i > base) {
            buf_append_byte(out, ',');
        }
        buf_append(out, written + (m->key_start - object_start), m->key_len);
        buf_append_byte(out, ':');
        buf_append(out, written + (m->value_start - object_start), m->value_len);
    }
    free(written);
    return true;
}

static bool scan_object(struct json_scan *s, unsigned depth)
{
    struct key_index index = {.base = s->stack != NULL ? s->stack->count : 0};
    size_t object_start = s->out != NULL ? s->out->len : 0;
    s->c->position++;
    if (s->out != NULL) {
        buf_append_byte(s->out, '{');
    }
    size_t counted = s->counted != NULL ? s->counted->bytes : 0;
    bool ok = scan_members(s, depth, &index);
    /* Both braces, but no comma behind the last member. */
    json_count_bytes(s, s->counted != NULL && s->counted->bytes > counted ? 1 : 2);
    free(index.slots);
    if (ok && index.repeated && buf_ok(s->out)) {
        ok = members_rearrange(s, index.base, object_start);
    }
    if (ok && s->out != NULL) {
        s->stack->count = index.base;
        buf_append_byte(s->out, '}');
    }
    return ok;
}

static bool scan_array(struct json_scan *s, unsigned depth)
{
    bool first = true;
    bool any = false;
    s->c->position++;
    json_count_bytes(s, 2);
    if (s->out != NULL) {
        buf_append_byte(s->out, '[');
    }
    while (json_next_element(s->c, &first, s->err)) {
        if (s->out != NULL && any) {
            buf_append_byte(s->out, ',');
        }
        json_count_bytes(s, any ? 1 : 0);
        any = true;
        if (!scan_value(s, depth)) {
            return false;
        }
    }
    if (s->err->message[0] != '\0') {
        return false;
    }
    if (s->out != NULL) {
        buf_append_byte(s->out, ']');
    }
    return true;
}

static bool count_is_over(struct json_scan *s)
{
    return s->counted != NULL && s->counted->bytes > s->counted->bytes_max;
}

static bool scan_value(struct json_scan *s, unsigned depth)
{
    enum json_kind kind;
    if (count_is_over(s)) {
        return json_fail(s->err, s->c->position, "the value is larger than a limit allows");
    }
    if (!json_peek(s->c, &kind, s->err)) {
        return false;
    }
    if (depth == 0 && (kind == JSON_ARRAY || kind == JSON_OBJECT)) {
        return json_fail(s->err, s->c->position,
                         "Document nesting depth exceeds the maximum allowed (%d)", JSON_DEPTH_MAX);
    }
    switch (kind) {
    case JSON_NULL:
        return scan_literal(s, SPAN_LIT("null"));
    case JSON_FALSE:
        return scan_literal(s, SPAN_LIT("false"));
    case JSON_TRUE:
        return scan_literal(s, SPAN_LIT("true"));
    case JSON_INTEGER:
    case JSON_DECIMAL:
        return json_scan_number(s);
    case JSON_STRING:
        return json_scan_string(s);
    case JSON_ARRAY:
        return scan_array(s, depth - 1);
    case JSON_OBJECT:
        return scan_object(s, depth - 1);
    }
    BUG("a JSON kind without a scanner");
}

bool json_reencode(struct json_cursor *c, struct buf *out, struct json_error *err)
{
    struct json_member_stack stack PP_LEFT_UNSET;
    stack.members = stack.inline_members;
    stack.count = 0;
    stack.grown = NULL;
    stack.grown_cap = 0;
    stack.hash_start = hash_start_hidden(c);
    struct json_scan s = {.c = c, .out = out, .err = err, .stack = &stack};
    bool ok = scan_value(&s, JSON_DEPTH_MAX);
    free(stack.grown);
    if (ok && out != NULL && !buf_ok(out)) {
        return json_fail(err, c->position, "the value is larger than a limit allows");
    }
    return ok;
}

bool json_count(struct json_cursor *c, size_t max, size_t *bytes, struct json_error *err)
{
    char scratch[2 * JSON_DOUBLE_BYTES_MAX];
    struct json_counted counted = {
        .bytes_max = max,
        .decimal = {.ptr = scratch, .cap = sizeof(scratch), .max = sizeof(scratch) - 1}};
    struct json_scan s = {.c = c, .err = err, .counted = &counted};
    bool ok = scan_value(&s, JSON_DEPTH_MAX);
    PP_ASSERT(counted.decimal.ptr == scratch && buf_ok(&counted.decimal));
    *bytes = counted.bytes;
    return ok;
}

bool json_skip(struct json_cursor *c, struct span *raw, struct json_error *err)
{
    struct json_scan s = {.c = c, .err = err};
    json_skip_space(c);
    size_t start = c->position;
    if (!scan_value(&s, JSON_DEPTH_MAX)) {
        return false;
    }
    *raw = span_from(c->text.ptr + start, c->position - start);
    return true;
}
