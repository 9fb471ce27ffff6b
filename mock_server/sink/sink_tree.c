/* Two passes: the text becomes nodes, members linked in the order of their HashMap, then the nodes
 * are written. A single pass would have to move an object's bytes once for each object round it. */
#include "sink_tree.h"

#include "array.h"
#include "hash.h"
#include "hex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    members_searched_max = 32, /* above, an index finds repeated keys */
    table_cap_first = 16,      /* HashMap's */
    table_tree_cap_min = 64,   /* ... MIN_TREEIFY_CAPACITY */
    table_bucket_max = 8,      /* ... TREEIFY_THRESHOLD */
    long_digits_safe = 18,
};

void sink_tree_init(struct sink_tree *tree)
{
    *tree = (struct sink_tree){.text = SPAN_EMPTY};
    buf_init(&tree->decoded, SINK_TEXT_BYTES_MAX);
}

void sink_tree_release(struct sink_tree *tree)
{
    free(tree->nodes);
    free(tree->slots);
    buf_release(&tree->decoded);
}

const struct sink_node *sink_tree_node(const struct sink_tree *tree, uint32_t id)
{
    PP_ASSERT(id > 0 && id < tree->count);
    return &tree->nodes[id];
}

/* --- parsing ---------------------------------------------------------------------------------- */

struct parse {
    struct sink_tree *tree;
    struct json_cursor c;
    struct json_error *err;
    enum sink_order order;
    uint32_t hash_start; /* of the index: Java's own hash is too easy to collide */
    bool no_memory;
};

/* The members of one object while it is read. */
struct members {
    uint32_t first;
    uint32_t last;
    uint32_t count;
    uint32_t *index; /* open addressing over node ids; NULL while they are few */
    size_t index_cap;
};

static bool fail_memory(struct parse *p)
{
    p->no_memory = true;
    return false;
}

static bool tree_node_new(struct parse *p, uint32_t *out)
{
    struct sink_tree *tree = p->tree;
    if (tree->count == tree->cap &&
        ARRAY_RESERVE(tree->nodes, tree->cap, tree->count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        return fail_memory(p);
    }
    *out = (uint32_t)tree->count++;
    tree->nodes[*out] = (struct sink_node){.kind = JSON_NULL};
    return true;
}

static struct span node_key(const struct sink_tree *tree, const struct sink_node *node)
{
    return node->key_escaped
               ? span_from(tree->decoded.ptr + node->key_decoded, node->key_decoded_len)
               : span_from(tree->text.ptr + node->key, node->key_len);
}

static uint32_t java_hash_add(uint32_t hash, uint32_t unit)
{
    return hash * 31 + unit;
}

/* String.hashCode of UTF-8 (surrogates in their three-byte form are units of their own). */
static uint32_t java_hash(struct span key)
{
    uint32_t hash = 0;
    for (size_t i = 0; i < key.len;) {
        unsigned char ch = (unsigned char)key.ptr[i];
        if (ch < 0x80) {
            hash = java_hash_add(hash, ch);
            i++;
            continue;
        }
        size_t len = ch >= 0xf0 ? 4 : ch >= 0xe0 ? 3 : 2;
        uint32_t point = ch & (0xffU >> (len + 1));
        for (size_t k = 1; k < len && i + k < key.len; k++) {
            point = point << 6 | ((unsigned char)key.ptr[i + k] & 0x3f);
        }
        if (point >= 0x10000) {
            hash = java_hash_add(hash, 0xd800 + ((point - 0x10000) >> 10));
            hash = java_hash_add(hash, 0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            hash = java_hash_add(hash, point);
        }
        i += len;
    }
    return hash;
}

static void index_put(const struct parse *p, struct members *m, uint32_t id)
{
    struct span key = node_key(p->tree, &p->tree->nodes[id]);
    size_t slot = hash_bytes(p->hash_start, key) & (m->index_cap - 1);
    while (m->index[slot] != 0) {
        slot = (slot + 1) & (m->index_cap - 1);
    }
    m->index[slot] = id;
}

/* Called after the member was linked. */
static bool index_grow(struct parse *p, struct members *m)
{
    if (m->count <= members_searched_max) {
        return true;
    }
    if ((size_t)m->count * 2 <= m->index_cap) {
        index_put(p, m, m->last);
        return true;
    }
    size_t cap = m->index_cap > 0 ? m->index_cap * 4 : members_searched_max * 8;
    uint32_t *index = calloc(cap, sizeof(*index));
    if (index == NULL) {
        return fail_memory(p);
    }
    free(m->index);
    m->index = index;
    m->index_cap = cap;
    for (uint32_t id = m->first; id != 0; id = p->tree->nodes[id].next) {
        index_put(p, m, id);
    }
    return true;
}

/* The earlier member with the key of `node`; 0 when there is none. */
static uint32_t tree_member_find(const struct parse *p, const struct members *m,
                                 const struct sink_node *node)
{
    const struct sink_tree *tree = p->tree;
    struct span key = node_key(tree, node);
    if (m->index == NULL) {
        for (uint32_t id = m->first; id != 0; id = tree->nodes[id].next) {
            const struct sink_node *other = &tree->nodes[id];
            if (other->java_hash == node->java_hash && span_equal(node_key(tree, other), key)) {
                return id;
            }
        }
        return 0;
    }
    size_t slot = hash_bytes(p->hash_start, key) & (m->index_cap - 1);
    while (m->index[slot] != 0) {
        if (span_equal(node_key(tree, &tree->nodes[m->index[slot]]), key)) {
            return m->index[slot];
        }
        slot = (slot + 1) & (m->index_cap - 1);
    }
    return 0;
}

static bool node_set_key(struct parse *p, struct sink_node *node, struct span key_raw)
{
    struct sink_tree *tree = p->tree;
    node->key = (uint32_t)(key_raw.ptr + 1 - tree->text.ptr);
    node->key_len = (uint32_t)(key_raw.len - 2);
    node->key_escaped = memchr(key_raw.ptr, '\\', key_raw.len) != NULL;
    if (node->key_escaped) {
        node->key_decoded = (uint32_t)tree->decoded.len;
        json_string_decode(key_raw, &tree->decoded);
        if (!buf_ok(&tree->decoded)) {
            return fail_memory(p);
        }
        node->key_decoded_len = (uint32_t)(tree->decoded.len - node->key_decoded);
    }
    node->java_hash = java_hash(node_key(tree, node));
    return true;
}

static bool parse_value(struct parse *p, uint32_t id, unsigned depth);

static bool parse_member(struct parse *p, struct members *m, struct span key_raw, unsigned depth)
{
    struct sink_tree *tree = p->tree;
    uint32_t id;
    if (!tree_node_new(p, &id) || !node_set_key(p, &tree->nodes[id], key_raw) ||
        !parse_value(p, id, depth)) {
        return false;
    }
    struct sink_node *node = &tree->nodes[id];
    uint32_t earlier = tree_member_find(p, m, node);
    if (earlier != 0) {
        struct sink_node *first = &tree->nodes[earlier];
        first->kind = node->kind;
        first->value = node->value;
        first->value_len = node->value_len;
        first->first = node->first;
        first->child_count = node->child_count;
        return true;
    }
    if (m->last != 0) {
        tree->nodes[m->last].next = id;
    } else {
        m->first = id;
    }
    m->last = id;
    m->count++;
    return index_grow(p, m);
}

/* --- HashMap's order -------------------------------------------------------------------------- */

static uint32_t spread(uint32_t hash)
{
    return hash ^ hash >> 16;
}

struct table {
    size_t cap;
    unsigned char filled[table_tree_cap_min]; /* keys in each bucket, as long as that matters */
};

/* `size` keys are in it. */
static void table_double(struct table *table, const struct sink_tree *tree, uint32_t first,
                         size_t size)
{
    table->cap *= 2;
    memset(table->filled, 0, sizeof(table->filled));
    for (size_t i = 0; i < size && table->cap < table_tree_cap_min; i++) {
        table->filled[spread(tree->nodes[first].java_hash) & (table->cap - 1)]++;
        first = tree->nodes[first].next;
    }
}

/* How large the table of a HashMap is after these puts. Beside growing at three quarters it doubles
 * when a ninth key comes into one bucket, as long as it has fewer than 64. */
static size_t table_cap(const struct sink_tree *tree, const struct members *m)
{
    struct table table = {.cap = table_cap_first};
    size_t size = 0;
    for (uint32_t id = m->first; id != 0; id = tree->nodes[id].next) {
        size++;
        if (table.cap < table_tree_cap_min &&
            ++table.filled[spread(tree->nodes[id].java_hash) & (table.cap - 1)] >
                table_bucket_max) {
            table_double(&table, tree, m->first, size);
        }
        if (size > table.cap / 4 * 3) {
            table_double(&table, tree, m->first, size);
        }
    }
    return table.cap;
}

/* Links the members bucket by bucket; inside one they stay in the order of their insertion, for
 * growing splits a bucket without changing it. */
static bool link_as_hashmap(struct parse *p, struct members *m)
{
    struct sink_tree *tree = p->tree;
    size_t cap = table_cap(tree, m);
    if (ARRAY_RESERVE(tree->slots, tree->slot_cap, cap * 2, ARRAY_NO_MAX) != STATUS_OK) {
        return fail_memory(p);
    }
    uint32_t *heads = tree->slots;
    uint32_t *tails = tree->slots + cap;
    memset(heads, 0, cap * sizeof(*heads));
    uint32_t next;
    for (uint32_t id = m->first; id != 0; id = next) {
        size_t bucket = spread(tree->nodes[id].java_hash) & (cap - 1);
        next = tree->nodes[id].next;
        tree->nodes[id].next = 0;
        if (heads[bucket] == 0) {
            heads[bucket] = id;
        } else {
            tree->nodes[tails[bucket]].next = id;
        }
        tails[bucket] = id;
    }
    uint32_t last = 0;
    m->first = 0;
    for (size_t bucket = 0; bucket < cap; bucket++) {
        if (heads[bucket] == 0) {
            continue;
        }
        if (last == 0) {
            m->first = heads[bucket];
        } else {
            tree->nodes[last].next = heads[bucket];
        }
        last = tails[bucket];
    }
    return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static bool tree_parse_object(struct parse *p, uint32_t id, unsigned depth)
{
    struct members m = {.index = NULL};
    struct span key_raw;
    bool first = true;
    p->c.position++;
    bool ok = true;
    while (ok && json_next_member(&p->c, &first, &key_raw, p->err)) {
        ok = parse_member(p, &m, key_raw, depth);
    }
    free(m.index);
    if (!ok || p->err->message[0] != '\0') {
        return false;
    }
    if (p->order == SINK_ORDER_HASHMAP && m.count > 1 && !link_as_hashmap(p, &m)) {
        return false;
    }
    p->tree->nodes[id].first = m.first;
    p->tree->nodes[id].child_count = m.count;
    return true;
}

static bool parse_array(struct parse *p, uint32_t id, unsigned depth)
{
    uint32_t last = 0;
    uint32_t count = 0;
    bool first = true;
    p->c.position++;
    while (json_next_element(&p->c, &first, p->err)) {
        uint32_t element;
        if (!tree_node_new(p, &element) || !parse_value(p, element, depth)) {
            return false;
        }
        if (last == 0) {
            p->tree->nodes[id].first = element;
        } else {
            p->tree->nodes[last].next = element;
        }
        last = element;
        count++;
    }
    p->tree->nodes[id].child_count = count;
    return p->err->message[0] == '\0';
}

static bool parse_value(struct parse *p, uint32_t id, unsigned depth)
{
    enum json_kind kind;
    struct span raw;
    if (!json_peek(&p->c, &kind, p->err)) {
        return false;
    }
    p->tree->nodes[id].kind = kind;
    if (kind != JSON_OBJECT && kind != JSON_ARRAY) {
        if (!json_skip(&p->c, &raw, p->err)) {
            return false;
        }
        p->tree->nodes[id].value = (uint32_t)(raw.ptr - p->tree->text.ptr);
        p->tree->nodes[id].value_len = (uint32_t)raw.len;
        return true;
    }
    if (depth == 0) {
        p->err->position = p->c.position;
        snprintf(p->err->message, sizeof(p->err->message),
                 "Document nesting depth exceeds the maximum allowed (%d)", JSON_DEPTH_MAX);
        return false;
    }
    return kind == JSON_OBJECT ? tree_parse_object(p, id, depth - 1)
                               : parse_array(p, id, depth - 1);
}

/* Behind a number only white space ends it, and at the root nothing else may stand there. */
static bool check_root(struct parse *p)
{
    enum json_kind kind = p->tree->nodes[p->tree->root].kind;
    struct span rest = span_skip(p->c.text, p->c.position);
    if ((kind != JSON_INTEGER && kind != JSON_DECIMAL) || rest.len == 0 ||
        memchr(" \t\r\n", rest.ptr[0], 4) != NULL) {
        return true;
    }
    unsigned ch = (unsigned char)rest.ptr[0];
    char shown[12] = "(CTRL-CHAR,";
    if (ch >= 0x20) {
        snprintf(shown, sizeof(shown), "'%c' (", (int)ch);
    }
    snprintf(p->err->message, sizeof(p->err->message),
             "Unexpected character (%s%scode %u)): Expected space separating root-level values",
             shown, ch >= 0x20 ? "" : " ", ch);
    return false;
}

static void tree_reset(struct sink_tree *tree, struct span text)
{
    if (tree->cap > SINK_TREE_KEEP_NODES) {
        free(tree->nodes);
        free(tree->slots);
        tree->nodes = NULL;
        tree->slots = NULL;
        tree->cap = 0;
        tree->slot_cap = 0;
    }
    buf_trim(&tree->decoded, SINK_TREE_KEEP_NODES);
    tree->text = text;
    tree->count = 0;
    tree->root = 0;
}

enum sink_parse sink_tree_parse(struct sink_tree *tree, struct span text, enum sink_order order,
                                struct json_error *err)
{
    struct parse p = {.tree = tree, .c = json_document(text), .err = err, .order = order};
    uint32_t unused;
    tree_reset(tree, text);
    err->message[0] = '\0';
    p.hash_start = hash_start_hidden(&p);
    if (json_at_end(&p.c)) {
        return SINK_PARSE_DONE;
    }
    if (text.len > SINK_TEXT_BYTES_MAX || !tree_node_new(&p, &unused) ||
        !tree_node_new(&p, &tree->root) || !parse_value(&p, tree->root, JSON_DEPTH_MAX) ||
        !check_root(&p)) {
        tree->root = 0;
        return p.no_memory || text.len > SINK_TEXT_BYTES_MAX ? SINK_PARSE_NO_MEMORY
                                                             : SINK_PARSE_BAD;
    }
    return SINK_PARSE_DONE;
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct span node_raw(const struct sink_tree *tree, const struct sink_node *node)
{
    return span_from(tree->text.ptr + node->value, node->value_len);
}

uint32_t sink_tree_member(const struct sink_tree *tree, uint32_t object, struct span name)
{
    if (object == 0 || sink_tree_node(tree, object)->kind != JSON_OBJECT) {
        return 0;
    }
    for (uint32_t id = tree->nodes[object].first; id != 0; id = tree->nodes[id].next) {
        if (span_equal(node_key(tree, &tree->nodes[id]), name)) {
            return id;
        }
    }
    return 0;
}

void sink_tree_text(const struct sink_tree *tree, uint32_t string, struct buf *out)
{
    json_string_decode(node_raw(tree, sink_tree_node(tree, string)), out);
}

/* Takes the next character of a raw text. False: it is another one than `wanted`. */
static bool take_char(struct span *raw, char wanted)
{
    uint32_t code;
    if (!span_starts_with(*raw, SPAN_LIT("\\u"))) {
        bool same = raw->len > 0 && raw->ptr[0] == wanted;
        *raw = span_skip(*raw, same ? 1 : 0);
        return same;
    }
    bool read = hex_read(span_skip(*raw, 2), 4, &code);
    *raw = span_skip(*raw, 6);
    return read && code == (unsigned char)wanted;
}

bool sink_tree_text_is(const struct sink_tree *tree, uint32_t string, const char *text)
{
    struct span raw = node_raw(tree, sink_tree_node(tree, string));
    struct span rest = span_from(raw.ptr + 1, raw.len - 2);
    while (*text != '\0' && take_char(&rest, *text)) {
        text++;
    }
    return *text == '\0' && rest.len == 0;
}

static int64_t long_of_digits(struct span digits)
{
    uint64_t value = 0;
    bool negative = digits.ptr[0] == '-';
    for (size_t i = negative ? 1 : 0; i < digits.len; i++) {
        value = value * 10 + (uint64_t)(digits.ptr[i] - '0');
    }
    value = negative ? 0 - value : value;
    int64_t wrapped;
    memcpy(&wrapped, &value, sizeof(wrapped));
    return wrapped;
}

/* A BigDecimal knows no negative zero. */
static bool is_zero(struct span number)
{
    for (size_t i = 0; i < number.len && (number.ptr[i] | 32) != 'e'; i++) {
        if (number.ptr[i] >= '1' && number.ptr[i] <= '9') {
            return false;
        }
    }
    return true;
}

/* The text of a number within an array or an object, which goes on behind it: what strtod reads
 * ends there, and needs no copy. */
static struct span number_raw(const struct sink_tree *tree, uint32_t number)
{
    const struct sink_node *node = sink_tree_node(tree, number);
    PP_ASSERT(number != tree->root && node->value + node->value_len < tree->text.len);
    return node_raw(tree, node);
}

double sink_tree_double(const struct sink_tree *tree, uint32_t number)
{
    struct span raw = number_raw(tree, number);
    return is_zero(raw) ? 0 : strtod(raw.ptr, NULL);
}

float sink_tree_float(const struct sink_tree *tree, uint32_t number)
{
    struct span raw = number_raw(tree, number);
    return is_zero(raw) ? 0 : strtof(raw.ptr, NULL);
}

struct span sink_tree_raw(const struct sink_tree *tree, uint32_t scalar)
{
    return node_raw(tree, sink_tree_node(tree, scalar));
}

int64_t sink_tree_long(const struct sink_tree *tree, uint32_t number)
{
    const struct sink_node *node = sink_tree_node(tree, number);
    if (node->kind == JSON_INTEGER) {
        return long_of_digits(node_raw(tree, node));
    }
    double value = sink_tree_double(tree, number);
    if (value >= 9223372036854775808.0) {
        return INT64_MAX;
    }
    return value <= -9223372036854775808.0 ? INT64_MIN : (int64_t)value;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void write_string(struct span raw, struct buf *out)
{
    struct json_cursor c = json_cursor_at(raw);
    struct json_error err;
    /* The string has been read once without a fault; only out's ceiling can be met, and out says
     * so. */
    (void)json_reencode(&c, out, &err);
}

static void tree_write_number(const struct sink_tree *tree, const struct sink_node *node,
                              struct buf *out)
{
    struct span raw = node_raw(tree, node);
    if (node->kind == JSON_DECIMAL) {
        if (is_zero(raw)) {
            BUF_APPEND_LIT(out, "0.0");
        } else {
            write_string(raw, out);
        }
    } else if (raw.len > long_digits_safe || raw.ptr[0] == '-') {
        buf_append_i64(out, long_of_digits(raw));
    } else {
        buf_append_span(out, raw);
    }
}

void sink_tree_write_key(const struct sink_tree *tree, uint32_t id, struct buf *out)
{
    const struct sink_node *node = sink_tree_node(tree, id);
    write_string(span_from(tree->text.ptr + node->key - 1, node->key_len + 2), out);
}

static void write_children(const struct sink_tree *tree, const struct sink_node *node,
                           struct buf *out)
{
    bool object = node->kind == JSON_OBJECT;
    buf_append_byte(out, object ? '{' : '[');
    for (uint32_t id = node->first; id != 0; id = tree->nodes[id].next) {
        if (id != node->first) {
            buf_append_byte(out, ',');
        }
        if (object) {
            sink_tree_write_key(tree, id, out);
            buf_append_byte(out, ':');
        }
        sink_tree_write(tree, id, out);
    }
    buf_append_byte(out, object ? '}' : ']');
}

void sink_tree_write(const struct sink_tree *tree, uint32_t id, struct buf *out)
{
    const struct sink_node *node = sink_tree_node(tree, id);
    switch (node->kind) {
    case JSON_NULL:
        BUF_APPEND_LIT(out, "null");
        break;
    case JSON_FALSE:
        BUF_APPEND_LIT(out, "false");
        break;
    case JSON_TRUE:
        BUF_APPEND_LIT(out, "true");
        break;
    case JSON_INTEGER:
    case JSON_DECIMAL:
        tree_write_number(tree, node, out);
        break;
    case JSON_STRING:
        write_string(node_raw(tree, node), out);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        write_children(tree, node, out);
        break;
    }
}
