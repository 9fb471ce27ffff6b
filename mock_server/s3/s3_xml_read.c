/* XML bodies of S3's clients, read by expat into a small tree of spans.
 *
 * A request may hold little, and little is read: elements and their text. A document type is
 * refused where it begins, so there are no entities but XML's five and nothing expands; attributes,
 * comments and processing instructions are passed over; text beside elements is malformed (blanks
 * aside), as S3's schema has none. */
#include "s3_xml_read.h"

#include "buf.h"
#include "s3.h"

#include <expat.h>
#include <string.h>

/* Stands between the namespace and the name, as expat reports them. No name has this byte, and a
 * namespace that has it is malformed. */
static const char namespace_separator = '\n';

struct level {
    struct s3_xml_node *node;
    struct s3_xml_node *last_child;
};

struct reader {
    XML_Parser parser;
    struct arena *arena;
    struct s3_xml_node *root;
    struct level levels[S3_XML_DEPTH_MAX];
    size_t depth;
    size_t node_count;
    struct buf text; /* since the last tag */
    bool bad;
    bool no_memory;
};

static void xml_read_refuse(struct reader *r)
{
    if (!r->bad) {
        r->bad = true;
        (void)XML_StopParser(r->parser, XML_FALSE);
    }
}

static bool xml_text_copy(struct arena *arena, const char *bytes, size_t len, struct span *out)
{
    char *copy = arena_alloc(arena, len + 1);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, bytes, len);
    *out = span_from(copy, len);
    return true;
}

static bool xml_text_is_blank(const struct reader *r)
{
    return span_trim(buf_span(&r->text)).len == 0;
}

static struct s3_xml_node *xml_node_new(struct reader *r, const char *name)
{
    const char *separator = strrchr(name, namespace_separator);
    const char *local = separator != NULL ? separator + 1 : name;
    struct s3_xml_node *node = ARENA_NEW(r->arena, struct s3_xml_node);
    if (node == NULL || !xml_text_copy(r->arena, local, strlen(local), &node->name)) {
        return NULL;
    }
    node->text = SPAN_EMPTY;
    return node;
}

static void xml_node_attach(struct reader *r, struct s3_xml_node *node)
{
    if (r->depth == 0) {
        r->root = node;
        return;
    }
    struct level *parent = &r->levels[r->depth - 1];
    if (parent->last_child == NULL) {
        parent->node->children = node;
    } else {
        parent->last_child->next = node;
    }
    parent->last_child = node;
}

static void XMLCALL xml_on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct reader *r = ctx;
    struct s3_xml_node *node = NULL;
    (void)attributes;
    if (r->bad) {
        return;
    }
    if (r->depth < S3_XML_DEPTH_MAX && r->node_count < S3_XML_NODES_MAX && xml_text_is_blank(r)) {
        node = xml_node_new(r, name);
        r->no_memory = node == NULL;
    }
    if (node == NULL) {
        xml_read_refuse(r);
        return;
    }
    buf_reset(&r->text);
    xml_node_attach(r, node);
    r->levels[r->depth] = (struct level){.node = node};
    r->depth++;
    r->node_count++;
}

static void XMLCALL xml_on_end(void *ctx, const XML_Char *name)
{
    struct reader *r = ctx;
    (void)name;
    if (r->bad) {
        return;
    }
    r->depth--;
    struct s3_xml_node *node = r->levels[r->depth].node;
    if (node->children == NULL) {
        r->no_memory = !xml_text_copy(r->arena, buf_cstr(&r->text), r->text.len, &node->text);
    }
    if (r->no_memory || (node->children != NULL && !xml_text_is_blank(r))) {
        xml_read_refuse(r);
        return;
    }
    buf_reset(&r->text);
}

static void XMLCALL xml_on_text(void *ctx, const XML_Char *bytes, int len)
{
    struct reader *r = ctx;
    if (r->bad) {
        return;
    }
    buf_append(&r->text, bytes, (size_t)len);
    if (!buf_ok(&r->text)) {
        r->no_memory = r->text.no_memory;
        xml_read_refuse(r);
    }
}

static void XMLCALL xml_on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                                   const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    xml_read_refuse(ctx);
}

/* A tag that is longer would have expat compare its attributes by the ten thousand in one go. */
static bool tags_are_bounded(struct span text)
{
    while (text.len > 0) {
        text = span_skip(text, span_find_byte(text, '<'));
        size_t len = span_find_byte(text, '>');
        bool is_tag = text.len > 1 && text.ptr[1] != '!' && text.ptr[1] != '?';
        if (is_tag && len > S3_XML_TAG_BYTES_MAX) {
            return false;
        }
        text = span_skip(text, len);
    }
    return true;
}

struct s3_xml_node *s3_xml_read(struct arena *arena, struct span text, bool *no_memory)
{
    struct reader r = {.arena = arena};
    *no_memory = false;
    if (text.len > S3_BODY_BYTES_MAX || !tags_are_bounded(text)) {
        return NULL;
    }
    r.parser = XML_ParserCreateNS(NULL, namespace_separator);
    if (r.parser == NULL) {
        *no_memory = true;
        return NULL;
    }
    buf_init(&r.text, S3_XML_TEXT_BYTES_MAX);
    XML_SetUserData(r.parser, &r);
    XML_SetElementHandler(r.parser, xml_on_start, xml_on_end);
    XML_SetCharacterDataHandler(r.parser, xml_on_text);
    XML_SetStartDoctypeDeclHandler(r.parser, xml_on_doctype);
    if (XML_Parse(r.parser, text.ptr, (int)text.len, XML_TRUE) != XML_STATUS_OK) {
        r.bad = true;
        *no_memory = r.no_memory || XML_GetErrorCode(r.parser) == XML_ERROR_NO_MEMORY;
    }
    XML_ParserFree(r.parser);
    buf_release(&r.text);
    return r.bad ? NULL : r.root;
}

const struct s3_xml_node *s3_xml_child(const struct s3_xml_node *node, const char *name)
{
    for (const struct s3_xml_node *child = node->children; child != NULL; child = child->next) {
        if (span_equal_cstr(child->name, name)) {
            return child;
        }
    }
    return NULL;
}

struct span s3_xml_child_word(const struct s3_xml_node *node, const char *name)
{
    const struct s3_xml_node *child = s3_xml_child(node, name);
    return child != NULL ? span_trim(child->text) : SPAN_EMPTY;
}
