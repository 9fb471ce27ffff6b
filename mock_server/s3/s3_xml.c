/* Writes S3's XML answers straight into the reply's body, whose ceiling latches. */
#include "s3_xml.h"

#include "aws_xml.h"
#include "s3_time.h"

#define XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"

static struct buf *s3_xml_out(struct s3_call *call)
{
    return &call->exchange->reply.body;
}

void s3_xml_open(struct s3_call *call, const char *name)
{
    aws_xml_open(s3_xml_out(call), name);
}

void s3_xml_close(struct s3_call *call, const char *name)
{
    aws_xml_close(s3_xml_out(call), name);
}

void s3_xml_begin(struct s3_call *call, const char *root)
{
    struct buf *out = s3_xml_out(call);
    BUF_APPEND_LIT(out, AWS_XML_DECLARATION "<");
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
    aws_xml_text(s3_xml_out(call), name, text);
}

void s3_xml_bool(struct s3_call *call, const char *name, bool value)
{
    s3_xml_text(call, name, value ? SPAN_LIT("true") : SPAN_LIT("false"));
}

void s3_xml_number(struct s3_call *call, const char *name, int64_t number)
{
    s3_xml_open(call, name);
    buf_append_i64(s3_xml_out(call), number);
    s3_xml_close(call, name);
}

void s3_xml_etag(struct s3_call *call, struct span etag)
{
    struct buf *out = s3_xml_out(call);
    BUF_APPEND_LIT(out, "<ETag>&quot;");
    aws_xml_escape(out, etag);
    BUF_APPEND_LIT(out, "&quot;</ETag>");
}

void s3_xml_time(struct s3_call *call, const char *name, int64_t ms)
{
    s3_xml_open(call, name);
    s3_time_append(s3_xml_out(call), S3_TIME_ISO, ms);
    s3_xml_close(call, name);
}

void s3_xml_owner(struct s3_call *call, const char *name)
{
    s3_xml_open(call, name);
    s3_xml_text(call, "ID", SPAN_LIT(S3_OWNER_ID));
    s3_xml_close(call, name);
}
