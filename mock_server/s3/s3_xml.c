/* Writes S3's XML answers straight into the reply's body, whose ceiling latches. */
#include "s3_internal.h"

#include <string.h>

#define XML_DECLARATION "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XML_NAMESPACE   "http://s3.amazonaws.com/doc/2006-03-01/"

static struct buf *body_of(struct s3_call *call)
{
    return &call->exchange->reply.body;
}

static void byte_escape(struct buf *out, char byte, bool is_utf8)
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
     * clients ask for encoding-type=url to be safe from them. */
    if ((value < 0x20 && byte != '\n' && byte != '\t') || value == 0x7f) {
        buf_printf(out, "&#x%x;", value);
    } else {
        buf_append_byte(out, value >= 0x80 && !is_utf8 ? '?' : byte);
    }
}

void s3_xml_escape(struct buf *out, struct span text)
{
    bool is_utf8 = span_is_utf8(text);
    for (size_t i = 0; i < text.len; i++) {
        byte_escape(out, text.ptr[i], is_utf8);
    }
}

void s3_xml_open(struct s3_call *call, const char *name)
{
    struct buf *out = body_of(call);
    buf_append_byte(out, '<');
    buf_append_cstr(out, name);
    buf_append_byte(out, '>');
}

void s3_xml_close(struct s3_call *call, const char *name)
{
    struct buf *out = body_of(call);
    BUF_APPEND_LIT(out, "</");
    buf_append_cstr(out, name);
    buf_append_byte(out, '>');
}

void s3_xml_begin(struct s3_call *call, const char *root)
{
    struct buf *out = body_of(call);
    BUF_APPEND_LIT(out, XML_DECLARATION "<");
    buf_append_cstr(out, root);
    BUF_APPEND_LIT(out, " xmlns=\"" XML_NAMESPACE "\">");
}

void s3_xml_end(struct s3_call *call, const char *root)
{
    s3_xml_close(call, root);
    call->exchange->reply.content_type = "application/xml";
    call->exchange->reply.status = 200;
}

void s3_xml_text(struct s3_call *call, const char *name, struct span text)
{
    s3_xml_open(call, name);
    s3_xml_escape(body_of(call), text);
    s3_xml_close(call, name);
}

void s3_xml_number(struct s3_call *call, const char *name, int64_t number)
{
    s3_xml_open(call, name);
    buf_append_i64(body_of(call), number);
    s3_xml_close(call, name);
}

void s3_xml_etag(struct s3_call *call, struct span etag)
{
    struct buf *out = body_of(call);
    BUF_APPEND_LIT(out, "<ETag>&quot;");
    s3_xml_escape(out, etag);
    BUF_APPEND_LIT(out, "&quot;</ETag>");
}

void s3_xml_time(struct s3_call *call, const char *name, int64_t ms)
{
    s3_xml_open(call, name);
    s3_time_append(body_of(call), S3_TIME_ISO, ms);
    s3_xml_close(call, name);
}

void s3_xml_owner(struct s3_call *call, const char *name)
{
    s3_xml_open(call, name);
    s3_xml_text(call, "ID", SPAN_LIT(S3_OWNER_ID));
    s3_xml_close(call, name);
}
