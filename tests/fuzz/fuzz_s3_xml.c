/* XML bodies of S3. What is accepted keeps the reader's limits, holds no text beside elements, and,
 * written again with its five escapes, reads as the same tree. */
#include "buf.h"
#include "s3.h"
#include "s3_xml_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { arena_bytes_max = 64 * 1024 * 1024 };

/* Written here and not by s3_xml.c, which answers with what XML 1.0 cannot carry. */
static void write_text(struct buf *out, struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        if (byte == '<' || byte == '&' || byte == '>' || byte == '\r') {
            buf_printf(out, "&#%d;", byte);
        } else {
            buf_append_byte(out, byte);
        }
    }
}

static size_t write_node(struct buf *out, const struct s3_xml_node *node, size_t depth)
{
    size_t count = 1;
    if (depth > S3_XML_DEPTH_MAX || node->name.len == 0 || !span_is_utf8(node->name) ||
        !span_is_utf8(node->text) || node->text.len > S3_XML_TEXT_BYTES_MAX ||
        (node->children != NULL && node->text.len > 0)) {
        abort();
    }
    buf_printf(out, "<%.*s>", SPAN_ARG(node->name));
    for (const struct s3_xml_node *child = node->children; child != NULL; child = child->next) {
        count += write_node(out, child, depth + 1);
    }
    write_text(out, node->text);
    buf_printf(out, "</%.*s>", SPAN_ARG(node->name));
    return count;
}

static void check_same(const struct s3_xml_node *a, const struct s3_xml_node *b)
{
    while (a != NULL && b != NULL) {
        if (!span_equal(a->name, b->name) || !span_equal(a->text, b->text)) {
            abort();
        }
        check_same(a->children, b->children);
        a = a->next;
        b = b->next;
    }
    if (a != b) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    struct s3_xml_node *root =
        s3_xml_read(&arena, span_from((const char *)data, size), &(bool){false});
    if (root != NULL) {
        struct buf again;
        buf_init(&again, S3_BODY_BYTES_MAX);
        if (write_node(&again, root, 1) > S3_XML_NODES_MAX) {
            abort();
        }
        if (buf_ok(&again)) { /* escapes may have made it too long to be read again */
            struct s3_xml_node *second = s3_xml_read(&arena, buf_span(&again), &(bool){false});
            if (second == NULL) {
                abort();
            }
            check_same(root, second);
        }
        buf_release(&again);
    }
    arena_release(&arena);
    return 0;
}
