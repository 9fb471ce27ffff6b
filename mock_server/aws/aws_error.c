/* A table chooses the writer of each protocol's body. */
#include "aws_error.h"

#include "aws_xml.h"
#include "json_write.h"

static void error_element_write(struct buf *out, const char *name, const char *text)
{
    if (text != NULL) {
        aws_xml_text(out, name, span_from_cstr(text));
    }
}

static void rest_xml_error_write(struct buf *out, const struct aws_error *error)
{
    BUF_APPEND_LIT(out, AWS_XML_DECLARATION "<Error>");
    aws_xml_text(out, "Code", span_from_cstr(error->code));
    aws_xml_text(out, "Message", error->message);
    for (const struct aws_error_detail *detail = error->details;
         detail != NULL && detail->name != NULL; detail++) {
        aws_xml_text(out, detail->name, detail->value);
    }
    error_element_write(out, "RequestId", error->request_id);
    error_element_write(out, "HostId", error->host_id);
    BUF_APPEND_LIT(out, "</Error>");
}

static void query_error_write(struct buf *out, const struct aws_error *error)
{
    BUF_APPEND_LIT(out, "<ErrorResponse xmlns=\"");
    aws_xml_escape(out, span_from_cstr(error->xmlns));
    BUF_APPEND_LIT(out, "\"><Error>");
    aws_xml_text(out, "Type", error->status < 500 ? SPAN_LIT("Sender") : SPAN_LIT("Receiver"));
    aws_xml_text(out, "Code", span_from_cstr(error->code));
    aws_xml_text(out, "Message", error->message);
    BUF_APPEND_LIT(out, "</Error>");
    error_element_write(out, "RequestId", error->request_id);
    BUF_APPEND_LIT(out, "</ErrorResponse>");
}

static void json_message_write(struct json_writer *w, const struct aws_error *error)
{
    json_member_string(w, error->message_name != NULL ? error->message_name : "message",
                       error->message);
}

static void rest_json_error_write(struct buf *out, const struct aws_error *error)
{
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    json_message_write(&w, error);
    json_write_end(&w);
}

static void json_error_write(struct buf *out, const struct aws_error *error)
{
    struct json_writer w = json_writer_to(out);
    json_write_object(&w);
    json_member_cstr(&w, "__type", error->code);
    if (error->message.len > 0) {
        json_message_write(&w, error);
    }
    json_write_end(&w);
}

static const struct {
    const char *content_type;
    bool type_header; /* x-amzn-ErrorType */
    void (*write)(struct buf *out, const struct aws_error *error);
} shapes[] = {
    [AWS_REST_XML] = {"application/xml", false, rest_xml_error_write},
    [AWS_QUERY] = {"text/xml", false, query_error_write},
    [AWS_REST_JSON] = {"application/json", true, rest_json_error_write},
    [AWS_JSON] = {"application/x-amz-json-1.1", false, json_error_write},
};

void aws_error_answer(struct reply *reply, const struct aws_error *error)
{
    reply->status = error->status;
    reply->error_code = error->code;
    reply->content_type = shapes[error->protocol].content_type;
    if (shapes[error->protocol].type_header) {
        reply_add_header_cstr(reply, "x-amzn-ErrorType", error->code);
    }
    if (!error->no_body) {
        shapes[error->protocol].write(&reply->body, error);
    }
}
