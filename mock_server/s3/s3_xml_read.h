/* XML bodies as small trees of spans: by expat, entities off. */
#ifndef PINPIPE_S3_XML_READ_H
#define PINPIPE_S3_XML_READ_H

#include "arena.h"

enum {
    S3_XML_DEPTH_MAX = 16,
    S3_XML_NODES_MAX = 100000, /* 10000 parts with number, ETag and checksums */
    S3_XML_TEXT_BYTES_MAX = 64 * 1024,
    S3_XML_TAG_BYTES_MAX = 4 * 1024, /* with its attributes: S3 has a name space and a type */
};

/* An element, in the arena; its namespace is dropped. */
struct s3_xml_node {
    struct span name;
    /* All character data of an element without children, as it stands: a key may begin with a
     * blank. Empty where there are children. */
    struct span text;
    struct s3_xml_node *children;
    struct s3_xml_node *next;
};

/* NULL: malformed, with a document type, or over a limit (the caller answers MalformedXML), or
 * there was no memory to read it, and *no_memory says so. */
struct s3_xml_node *s3_xml_read(struct arena *arena, struct span text, bool *no_memory);
/* The first child of that name; NULL: none. */
const struct s3_xml_node *s3_xml_child(const struct s3_xml_node *node, const char *name);
/* The text of the first child of that name, without blanks at the ends; empty: there is no such
 * child, or no text. */
struct span s3_xml_child_word(const struct s3_xml_node *node, const char *name);

#endif
