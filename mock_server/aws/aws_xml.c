/* XML as AWS writes it: no blanks between elements, no attributes but a namespace. */
#include "aws_xml.h"

static void xml_byte_escape(struct buf *out, char byte, bool is_utf8)
{
    unsigned char value = (unsigned char)byte;
    switch (byte) {
    case '<':
        BUF_APPEND_LIT(out, "&lt;");
        return;
    case '>':
        BUF_APPEND_LIT(out, "&gt;");
        return;
    case '&':
        BUF_APPEND_LIT(out, "&amp;");
        return;
    case '"':
        BUF_APPEND_LIT(out, "&quot;");
        return;
    default:
        break;
    }
    /* Control characters as the real one writes them, although only some are legal in XML 1.0:
     * clients of S3 ask for encoding-type=url to be safe from them. */
    if ((value < 0x20 && byte != '\n' && byte != '\t') || value == 0x7f) {
        buf_printf(out, "&#x%x;", value);
    } else {
        buf_append_byte(out, value >= 0x80 && !is_utf8 ? '?' : byte);
    }
}

void aws_xml_escape(struct buf *out, struct span text)
{
    bool is_utf8 = span_is_utf8(text);
    for (size_t i = 0; i < text.len; i++) {
        xml_byte_escape(out, text.ptr[i], is_utf8);
    }
}

void aws_xml_open(struct buf *out, const char *name)
{
    buf_append_byte(out, '<');
    buf_append_cstr(out, name);
    buf_append_byte(out, '>');
}

void aws_xml_close(struct buf *out, const char *name)
{
    BUF_APPEND_LIT(out, "</");
    buf_append_cstr(out, name);
    buf_append_byte(out, '>');
}

void aws_xml_text(struct buf *out, const char *name, struct span text)
{
    aws_xml_open(out, name);
    aws_xml_escape(out, text);
    aws_xml_close(out, name);
}
