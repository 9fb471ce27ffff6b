/* A JSON value as Kafka Connect's JsonConverter holds it (schemaless): objects are Java HashMaps,
 * integers are longs, other numbers doubles, arrays lists (specs/s3-sink-connector.md 3). Parsing
 * builds a tree of nodes over the text, which must outlive it; writing is what Jackson makes of
 * those Java objects. One tree is used again for each record and then allocates nothing.
 *
 * DIFFERS: a hash bucket with nine and more keys of an object with more than 48 keys keeps the
 * order of insertion; Java turns it into a red-black tree, which may move one of them to its front.
 *
 * DIFFERS: values nested deeper than 1000 are refused; Connect takes deeper ones until its stack is
 * used up. */
#ifndef PINPIPE_SINK_TREE_H
#define PINPIPE_SINK_TREE_H

#include "json_text.h"

enum sink_order {
    SINK_ORDER_HASHMAP, /* as a java.util.HashMap iterates */
    SINK_ORDER_INPUT,   /* as the keys came; a repeated one keeps its first place */
};

/* Positions are those of the text; nodes are numbered from 1, 0 is none. Read-only outside. */
struct sink_node {
    enum json_kind kind;
    bool key_escaped;
    uint32_t key; /* of a member: between the quotes */
    uint32_t key_len;
    uint32_t key_decoded; /* of an escaped key: its place in `decoded` */
    uint32_t key_decoded_len;
    uint32_t java_hash;
    uint32_t value; /* the raw text, of scalars */
    uint32_t value_len;
    uint32_t first; /* child */
    uint32_t next;  /* sibling, in the tree's order */
    uint32_t child_count;
};

struct sink_tree {
    struct span text;
    struct sink_node *nodes; /* [0] is not used */
    size_t count;
    size_t cap;
    struct buf decoded; /* keys that had escapes */
    uint32_t *slots;    /* scratch: hash tables */
    size_t slot_cap;
    uint32_t root; /* 0: the text holds no value (is empty or blank) */
};

enum sink_parse { SINK_PARSE_DONE, SINK_PARSE_BAD, SINK_PARSE_NO_MEMORY };

enum { SINK_TEXT_BYTES_MAX = 64 * 1024 * 1024, SINK_TREE_KEEP_NODES = 16 * 1024 };

void sink_tree_init(struct sink_tree *tree);
void sink_tree_release(struct sink_tree *tree);
/* The first value of the text; what follows it is ignored, as Jackson's readTree does. BAD: *err in
 * Jackson's words. The tree of an earlier call is gone in any case. */
enum sink_parse sink_tree_parse(struct sink_tree *tree, struct span text, enum sink_order order,
                                struct json_error *err);

const struct sink_node *sink_tree_node(const struct sink_tree *tree, uint32_t id);
/* The member of an object by its decoded name; 0 when it has none or is no object. */
uint32_t sink_tree_member(const struct sink_tree *tree, uint32_t object, struct span name);
/* Does the string node hold this text, of letters and digits? Needs no memory. */
bool sink_tree_text_is(const struct sink_tree *tree, uint32_t string, const char *text);
/* Appends the decoded text of a string node (a lone surrogate as its three bytes). */
void sink_tree_text(const struct sink_tree *tree, uint32_t string, struct buf *out);
/* A number within an array or an object as Java's longValue(): integers wrap, decimals are cut and
 * saturate. */
int64_t sink_tree_long(const struct sink_tree *tree, uint32_t number);
/* A number as Java's doubleValue() and floatValue(). */
double sink_tree_double(const struct sink_tree *tree, uint32_t number);
float sink_tree_float(const struct sink_tree *tree, uint32_t number);
/* The source text of a scalar. */
struct span sink_tree_raw(const struct sink_tree *tree, uint32_t scalar);

/* Jackson's text of the node. */
void sink_tree_write(const struct sink_tree *tree, uint32_t id, struct buf *out);
/* The name of a member, as a JSON string. */
void sink_tree_write_key(const struct sink_tree *tree, uint32_t id, struct buf *out);

#endif
