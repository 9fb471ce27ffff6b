#include "http_parse.h"

#include <string.h>

static struct http_parser *parser_of(llhttp_t *machine)
{
    return machine->data;
}

static int parser_refuse(struct http_parser *parser, enum exchange_failure failure,
                         const char *reason)
{
    if (parser->reason == NULL) {
        parser->failure = failure;
        parser->reason = reason;
    }
    return HPE_USER;
}

/* --- what llhttp calls while the head comes in --- */

/* Grows a part of the head by bytes that follow it directly. */
static int part_extend(struct http_parser *parser, uint16_t *at, uint16_t *len, struct span bytes)
{
    PP_ASSERT(bytes.ptr >= parser->base);
    size_t start = (size_t)(bytes.ptr - parser->base);
    if (start + bytes.len > HTTP_HEAD_BYTES_MAX) {
        return parser_refuse(parser, EXCHANGE_HEAD_TOO_LARGE, "the head is too large");
    }
    PP_ASSERT(*len == 0 || start >= (size_t)*at + *len);
    if (*len == 0) {
        *at = (uint16_t)start;
    }
    *len = (uint16_t)(start + bytes.len - *at);
    return 0;
}

static int on_url(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = parser_of(machine);
    if (parser->target_len + len > HTTP_TARGET_BYTES_MAX) {
        return parser_refuse(parser, EXCHANGE_URI_TOO_LONG, "the request target is too long");
    }
    return part_extend(parser, &parser->target_at, &parser->target_len, span_from(at, len));
}

static int on_header_field(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = parser_of(machine);
    if (parser->head_complete) {
        return 0; /* trailers are read over; only their size matters */
    }
    if (!parser->in_name) {
        if (parser->field_count == HTTP_HEADERS_MAX) {
            return parser_refuse(parser, EXCHANGE_HEAD_TOO_LARGE, "too many headers");
        }
        parser->fields[parser->field_count++] = (struct http_field){0};
        parser->in_name = true;
    }
    PP_ASSERT(parser->field_count > 0 && parser->field_count <= HTTP_HEADERS_MAX);
    struct http_field *field = &parser->fields[parser->field_count - 1];
    return part_extend(parser, &field->name_at, &field->name_len, span_from(at, len));
}

static int on_header_field_complete(llhttp_t *machine)
{
    parser_of(machine)->in_name = false;
    return 0;
}

static int on_header_value(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = parser_of(machine);
    parser->in_name = false;
    if (parser->head_complete || parser->field_count == 0) {
        return 0;
    }
    struct http_field *field = &parser->fields[parser->field_count - 1];
    return part_extend(parser, &field->value_at, &field->value_len, span_from(at, len));
}

static int on_headers_complete(llhttp_t *machine)
{
    struct http_parser *parser = parser_of(machine);
    parser->head_complete = true;
    parser->keep_alive = llhttp_should_keep_alive(machine) != 0;
    parser->chunked = (machine->flags & F_CHUNKED) != 0;
    parser->content_length = (machine->flags & F_CONTENT_LENGTH) ? machine->content_length : 0;
    /* No protocol is offered to upgrade to: the request is an ordinary one. */
    machine->upgrade = 0;
    return HPE_PAUSED;
}

/* --- and while the body does --- */

static int parser_on_body(llhttp_t *machine, const char *at, size_t len)
{
    struct http_parser *parser = parser_of(machine);
    PP_ASSERT(parser->head_complete && parser->body_len <= parser->body_bytes_max);
    PP_ASSERT(parser->base + parser->head_len + parser->body_kept <= at);
    if (len > parser->body_bytes_max - parser->body_len) {
        return parser_refuse(parser, EXCHANGE_BODY_TOO_LARGE, "the body is too large");
    }
    if (parser->chunked) {
        /* Over the framing that the machine has read already; never ahead of it. */
        memmove(parser->base + parser->head_len + parser->body_kept, at, len);
    }
    parser->body_kept += len;
    parser->body_len += len;
    return 0;
}

static int on_chunk_header(llhttp_t *machine)
{
    struct http_parser *parser = parser_of(machine);
    parser->chunk_count++;
    if (machine->content_length > parser->body_bytes_max - parser->body_len) {
        return parser_refuse(parser, EXCHANGE_BODY_TOO_LARGE, "the body is too large");
    }
    parser->in_trailers = machine->content_length == 0;
    return parser->in_trailers ? HPE_PAUSED : 0;
}

static int on_message_complete(llhttp_t *machine)
{
    parser_of(machine)->message_complete = true;
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = parser_on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

/* --- the checks that are ours --- */

static struct span head_part(const struct http_parser *parser, uint16_t at, uint16_t len)
{
    return span_from(parser->base + at, len);
}

static struct span field_name(const struct http_parser *parser, const struct http_field *field)
{
    return head_part(parser, field->name_at, field->name_len);
}

static struct span field_value(const struct http_parser *parser, const struct http_field *field)
{
    return span_trim(head_part(parser, field->value_at, field->value_len));
}

/* Every line ends in CR LF and none begins with a blank (obs-fold): the two spellings that parsers
 * in a row disagree about. */
static const char *lines_flaw(struct span head)
{
    struct span rest = head;
    while (rest.len > 0) {
        size_t end = span_find_byte(rest, '\n');
        if (end == rest.len || end == 0 || rest.ptr[end - 1] != '\r') {
            return "a line of the head does not end in CR LF";
        }
        if (span_find_byte(span_first(rest, end - 1), '\r') != end - 1) {
            return "a stray carriage return in the head";
        }
        if (rest.ptr[0] == ' ' || rest.ptr[0] == '\t') {
            return "a folded header line";
        }
        rest = span_skip(rest, end + 1);
    }
    return NULL;
}

/* The same of the lines behind the last chunk, which llhttp reads more kindly than those of the
 * head; in whatever pieces they come, up to the empty line that ends them. */
static const char *trailers_flaw(struct http_parser *parser, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char ch = bytes.ptr[i];
        bool begins_line = parser->trailer_before == '\n';
        if ((ch == '\n') != (parser->trailer_before == '\r')) {
            return "a line of the trailers does not end in CR LF";
        }
        if (begins_line && (ch == ' ' || ch == '\t')) {
            return "a folded trailer line";
        }
        parser->trailer_is_empty = begins_line || (parser->trailer_is_empty && ch == '\n');
        parser->trailer_before = ch;
        if (ch == '\n' && parser->trailer_is_empty) {
            return NULL; /* what follows is the next request */
        }
    }
    return NULL;
}

/* One space between the method and the target; llhttp takes more. */
static const char *method_flaw(const struct http_parser *parser)
{
    size_t at = parser->target_at;
    PP_ASSERT(at >= 2); /* behind a method */
    return parser->base[at - 1] != ' ' || parser->base[at - 2] == ' '
               ? "not one space before the request target"
               : NULL;
}

static const char *version_flaw(struct http_parser *parser)
{
    struct span version = span_first(span_skip(span_from(parser->base, parser->head_len),
                                               (size_t)parser->target_at + parser->target_len),
                                     sizeof(" HTTP/1.x\r") - 1);
    parser->old_version = span_equal(version, SPAN_LIT(" HTTP/1.0\r"));
    if (!parser->old_version && !span_equal(version, SPAN_LIT(" HTTP/1.1\r"))) {
        return "not HTTP/1.1 or HTTP/1.0";
    }
    return NULL;
}

static bool host_byte_is_legal(unsigned char byte)
{
    static const char others[] = "-._~:[]%!$&'()*+,;=";
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || memchr(others, byte, sizeof(others) - 1) != NULL;
}

static bool host_is_legal(struct span host)
{
    for (size_t i = 0; i < host.len; i++) {
        if (!host_byte_is_legal((unsigned char)host.ptr[i])) {
            return false;
        }
    }
    return true;
}

/* http://host:port/path?query, as a client that thinks we are a proxy sends it. */
static const char *absolute_form_reduce(struct http_parser *parser, struct span target)
{
    size_t scheme_len = 0;
    if (span_equal_nocase(span_first(target, 7), SPAN_LIT("http://"))) {
        scheme_len = 7;
    } else if (span_equal_nocase(span_first(target, 8), SPAN_LIT("https://"))) {
        scheme_len = 8;
    } else {
        return "the request target is neither a path nor an http URL";
    }
    struct span rest = span_skip(target, scheme_len);
    size_t authority_len = span_find_byte(rest, '/');
    struct span authority = span_first(rest, authority_len);
    if (authority.len == 0 || !host_is_legal(authority)) {
        return "the request target's host is malformed";
    }
    parser->authority_at = (uint16_t)(parser->target_at + scheme_len);
    parser->authority_len = (uint16_t)authority_len;
    parser->path_at = (uint16_t)(parser->authority_at + authority_len);
    parser->path_len = (uint16_t)(rest.len - authority_len);
    PP_ASSERT(parser->path_at + parser->path_len == parser->target_at + parser->target_len);
    return NULL;
}

static const char *target_flaw(struct http_parser *parser)
{
    struct span target = head_part(parser, parser->target_at, parser->target_len);
    for (size_t i = 0; i < target.len; i++) {
        unsigned char byte = (unsigned char)target.ptr[i];
        if (byte <= 0x20 || byte >= 0x7f || byte == '#') {
            return "the request target has a character that must be percent-encoded";
        }
    }
    parser->path_at = parser->target_at;
    parser->path_len = parser->target_len;
    bool is_asterisk = parser->machine.method == HTTP_OPTIONS && span_equal(target, SPAN_LIT("*"));
    if (is_asterisk || span_starts_with(target, SPAN_LIT("/"))) {
        return NULL;
    }
    return absolute_form_reduce(parser, target);
}

/* The headers that the connection itself reads: which were sent, and how often. */
struct framing {
    int host_count;
    int content_length_count;
    int transfer_encoding_count;
};

static const char *field_check(struct http_parser *parser, const struct http_field *field,
                               struct framing *framing)
{
    struct span name = field_name(parser, field);
    struct span value = field_value(parser, field);
    if (name.len == 0 || span_find_byte(name, ' ') < name.len) {
        return "a space in a header name";
    }
    if (span_equal_nocase(name, SPAN_LIT("host"))) {
        framing->host_count++;
        return host_is_legal(value) ? NULL : "the Host header is malformed";
    }
    if (span_equal_nocase(name, SPAN_LIT("content-length"))) {
        uint64_t length;
        framing->content_length_count++;
        return span_parse_u64(value, &length) ? NULL : "the Content-Length is malformed";
    }
    if (span_equal_nocase(name, SPAN_LIT("transfer-encoding"))) {
        framing->transfer_encoding_count++;
        return span_equal_nocase(value, SPAN_LIT("chunked"))
                   ? NULL
                   : "a Transfer-Encoding other than chunked";
    }
    if (span_equal_nocase(name, SPAN_LIT("expect"))) {
        parser->expects_continue = span_equal_nocase(value, SPAN_LIT("100-continue"));
    }
    return NULL;
}

static const char *framing_flaw(const struct http_parser *parser, const struct framing *framing)
{
    if (framing->host_count > 1) {
        return "more than one Host header";
    }
    if (framing->host_count == 0 && !parser->old_version) {
        return "no Host header";
    }
    if (framing->content_length_count > 1) {
        return "more than one Content-Length";
    }
    if (framing->transfer_encoding_count > 1) {
        return "more than one Transfer-Encoding";
    }
    if (framing->transfer_encoding_count > 0 && framing->content_length_count > 0) {
        return "both Content-Length and Transfer-Encoding";
    }
    if (framing->transfer_encoding_count > 0 && parser->old_version) {
        return "Transfer-Encoding in an HTTP/1.0 request";
    }
    return NULL;
}

static const char *head_flaw(struct http_parser *parser)
{
    struct framing framing = {0};
    const char *flaw = lines_flaw(span_from(parser->base, parser->head_len));
    if (flaw == NULL) {
        flaw = method_flaw(parser);
    }
    if (flaw == NULL) {
        flaw = version_flaw(parser);
    }
    if (flaw == NULL) {
        flaw = target_flaw(parser);
    }
    for (size_t i = 0; i < parser->field_count && flaw == NULL; i++) {
        flaw = field_check(parser, &parser->fields[i], &framing);
    }
    return flaw != NULL ? flaw : framing_flaw(parser, &framing);
}

static enum http_parsed head_finish(struct http_parser *parser)
{
    parser->head_len = parser->position;
    if (parser->head_len > HTTP_HEAD_BYTES_MAX) {
        parser_refuse(parser, EXCHANGE_HEAD_TOO_LARGE, "the head is too large");
        return HTTP_PARSE_BAD;
    }
    PP_ASSERT((size_t)parser->target_at + parser->target_len <= parser->head_len);
    const char *flaw = head_flaw(parser);
    if (flaw != NULL) {
        parser_refuse(parser, EXCHANGE_MALFORMED, flaw);
        return HTTP_PARSE_BAD;
    }
    if (parser->content_length > parser->body_bytes_max) {
        parser_refuse(parser, EXCHANGE_BODY_TOO_LARGE, "the body is too large");
        return HTTP_PARSE_BAD;
    }
    if (parser->old_version) {
        parser->expects_continue = false; /* RFC 9110 10.1.1 */
    }
    return HTTP_PARSE_HEAD;
}

/* --- feeding --- */

void http_parser_reset(struct http_parser *parser, uint64_t body_bytes_max)
{
    llhttp_init(&parser->machine, HTTP_REQUEST, &settings);
    parser->machine.data = parser;
    parser->body_bytes_max = body_bytes_max;
    parser->base = NULL;
    parser->position = 0;
    parser->head_len = 0;
    parser->body_kept = 0;
    parser->body_len = 0;
    parser->chunked_raw_len = 0;
    parser->chunk_count = 0;
    parser->target_len = 0;
    parser->path_len = 0;
    parser->authority_len = 0;
    parser->field_count = 0;
    parser->in_name = false;
    parser->head_complete = false;
    parser->message_complete = false;
    parser->in_pieces = false;
    parser->in_trailers = false;
    parser->trailer_before = '\n';
    parser->trailer_is_empty = false;
    parser->chunked = false;
    parser->keep_alive = false;
    parser->expects_continue = false;
    parser->old_version = false;
    parser->content_length = 0;
    parser->reason = NULL;
}

/* Bytes of a chunked body that are not data, beyond what ordinary chunking needs. */
static bool chunk_extra_is_too_much(const struct http_parser *parser)
{
    uint64_t ordinary = parser->body_len + parser->chunk_count * HTTP_CHUNK_LINE_BYTES_MAX;
    return parser->chunked_raw_len > ordinary &&
           parser->chunked_raw_len - ordinary > HTTP_CHUNK_EXTRA_BYTES_MAX;
}

/* Takes the framing that has been read out of the buffer, so that its size is the data's. */
static void chunked_compact(struct http_parser *parser, struct buf *in)
{
    size_t data_end = parser->head_len + parser->body_kept;
    size_t unread = in->len - parser->position;
    PP_ASSERT(data_end <= parser->position && parser->position <= in->len);
    if (data_end == parser->position) {
        return;
    }
    memmove(in->ptr + data_end, in->ptr + parser->position, unread);
    in->len = data_end + unread;
    in->ptr[in->len] = '\0';
    parser->position = data_end;
}

/* Gives the machine what is unread; where it stopped tells how far it got. */
static llhttp_errno_t machine_run(struct http_parser *parser, struct buf *in)
{
    const char *from = in->ptr + parser->position;
    size_t len = in->len - parser->position;
    if (parser->in_pieces && len > BODY_PIECE_BYTES_MAX) {
        len = BODY_PIECE_BYTES_MAX;
    }
    parser->base = in->ptr;
    const char *flaw = parser->in_trailers ? trailers_flaw(parser, span_from(from, len)) : NULL;
    if (flaw != NULL) {
        parser_refuse(parser, EXCHANGE_MALFORMED, flaw);
        return HPE_USER;
    }
    llhttp_errno_t code = llhttp_execute(&parser->machine, from, len);
    size_t taken = len;
    if (code == HPE_PAUSED) {
        taken = (size_t)(llhttp_get_error_pos(&parser->machine) - from);
        llhttp_resume(&parser->machine);
    }
    PP_ASSERT(taken <= len);
    parser->position += taken;
    return code;
}

/* What the machine has just read is part of the body or of its framing. */
static enum http_parsed body_progress(struct http_parser *parser, struct buf *in, size_t before)
{
    if (parser->chunked) {
        parser->chunked_raw_len += parser->position - before;
        if (chunk_extra_is_too_much(parser)) {
            parser_refuse(parser, EXCHANGE_MALFORMED,
                          "too many bytes of chunk extensions and trailers");
            return HTTP_PARSE_BAD;
        }
        chunked_compact(parser, in);
    }
    if (parser->in_pieces && parser->body_kept > 0) {
        return HTTP_PARSE_PIECE;
    }
    return parser->message_complete ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}

static enum http_parsed head_progress(struct http_parser *parser)
{
    if (!parser->head_complete) {
        if (parser->position > HTTP_HEAD_BYTES_MAX) {
            parser_refuse(parser, EXCHANGE_HEAD_TOO_LARGE, "the head is too large");
            return HTTP_PARSE_BAD;
        }
        return HTTP_PARSE_MORE;
    }
    enum http_parsed parsed = head_finish(parser);
    if (parsed == HTTP_PARSE_HEAD && !parser->chunked && parser->content_length == 0) {
        parser->message_complete = true;
        return HTTP_PARSE_DONE;
    }
    return parsed;
}

enum http_parsed http_parser_feed(struct http_parser *parser, struct buf *in)
{
    PP_ASSERT(parser->position <= in->len && (!parser->in_pieces || parser->body_kept == 0));
    if (parser->reason != NULL) {
        return HTTP_PARSE_BAD;
    }
    if (parser->message_complete) {
        return HTTP_PARSE_DONE; /* with the last piece, which has been taken now */
    }
    enum http_parsed parsed = HTTP_PARSE_MORE;
    while (parsed == HTTP_PARSE_MORE && parser->position < in->len) {
        bool was_head = !parser->head_complete;
        size_t before = parser->position;
        llhttp_errno_t code = machine_run(parser, in);
        if (code != HPE_OK && code != HPE_PAUSED) {
            parser_refuse(parser, EXCHANGE_MALFORMED, "not a well-formed HTTP request");
            return HTTP_PARSE_BAD;
        }
        parsed = was_head ? head_progress(parser) : body_progress(parser, in, before);
    }
    return parsed;
}

bool http_parser_plan_body(struct http_parser *parser, uint64_t body_bytes_max, bool in_pieces)
{
    PP_ASSERT(parser->head_complete && body_bytes_max <= parser->body_bytes_max);
    parser->body_bytes_max = body_bytes_max;
    parser->in_pieces = in_pieces;
    if (parser->content_length > body_bytes_max) {
        parser_refuse(parser, EXCHANGE_BODY_TOO_LARGE, "the body is too large");
        return false;
    }
    return true;
}

struct span http_parser_body(const struct http_parser *parser, const struct buf *in)
{
    PP_ASSERT(parser->head_len + parser->body_kept <= in->len);
    return span_from(in->ptr + parser->head_len, parser->body_kept);
}

void http_parser_drop_piece(struct http_parser *parser, struct buf *in)
{
    PP_ASSERT(parser->in_pieces && parser->body_kept > 0);
    PP_ASSERT(parser->head_len + parser->body_kept <= parser->position);
    size_t unread = in->len - parser->position;
    memmove(in->ptr + parser->head_len, in->ptr + parser->position, unread);
    in->len = parser->head_len + unread;
    in->ptr[in->len] = '\0';
    parser->position = parser->head_len;
    parser->body_kept = 0;
}

/* --- the result --- */

static enum http_method method_from(uint8_t method)
{
    switch (method) {
    case HTTP_GET:
        return METHOD_GET;
    case HTTP_HEAD:
        return METHOD_HEAD;
    case HTTP_POST:
        return METHOD_POST;
    case HTTP_PUT:
        return METHOD_PUT;
    case HTTP_DELETE:
        return METHOD_DELETE;
    case HTTP_OPTIONS:
        return METHOD_OPTIONS;
    case HTTP_PATCH:
        return METHOD_PATCH;
    default:
        return METHOD_OTHER;
    }
}

/* A target that is no path may be a URL with user:password@, which nobody's journal needs. */
static struct span target_without_user(struct span target)
{
    size_t start = 0;
    if (target.len == 0 || target.ptr[0] == '/') {
        return target;
    }
    for (size_t i = 0; i + 2 < target.len && start == 0; i++) {
        start = memcmp(target.ptr + i, "://", 3) == 0 ? i + 3 : 0;
    }
    size_t user_end = 0;
    for (size_t i = start; i < target.len && target.ptr[i] != '/' && target.ptr[i] != '?'; i++) {
        user_end = target.ptr[i] == '@' ? i + 1 : user_end;
    }
    return span_skip(target, user_end);
}

static void request_target(const struct http_parser *parser, const char *base,
                           struct http_request *out)
{
    out->target = target_without_user(span_from(base + parser->path_at, parser->path_len));
    if (out->target.len == 0) {
        out->target = SPAN_LIT("/"); /* http://host without a path */
    }
    size_t query_at = span_find_byte(out->target, '?');
    out->path = span_first(out->target, query_at);
    out->query = span_skip(out->target, query_at + 1);
}

/* The host of an absolute-form target stands in for what the Host header says (RFC 9112 section
 * 3.2.2), also for those who look at the header: or a signature would cover another host than the
 * one that is asked. */
static void host_settle(const struct http_parser *parser, const char *base,
                        struct http_request *out)
{
    out->host = http_request_header(out, "host");
    if (parser->authority_len == 0) {
        return;
    }
    out->host = span_from(base + parser->authority_at, parser->authority_len);
    for (size_t i = 0; i < out->header_count; i++) {
        if (span_equal_nocase(out->headers[i].name, SPAN_LIT("host"))) {
            out->headers[i].value = out->host;
        }
    }
}

void http_parser_request(const struct http_parser *parser, const struct buf *in,
                         struct http_header *headers, struct http_request *out)
{
    const char *base = in->ptr != NULL ? in->ptr : "";
    out->headers = headers;
    out->header_count = headers != NULL ? parser->field_count : 0;
    for (size_t i = 0; i < out->header_count; i++) {
        const struct http_field *field = &parser->fields[i];
        headers[i].name = span_from(base + field->name_at, field->name_len);
        headers[i].value = span_trim(span_from(base + field->value_at, field->value_len));
    }
    out->body = span_from(base + parser->head_len, parser->body_kept);
    if (parser->target_len > 0) {
        out->method = method_from(parser->machine.method);
        out->method_name =
            span_from_cstr(llhttp_method_name((llhttp_method_t)parser->machine.method));
    }
    if (parser->path_len > 0 || parser->authority_len > 0) {
        request_target(parser, base, out);
    } else {
        out->target = target_without_user(span_from(base + parser->target_at, parser->target_len));
        out->path = span_first(out->target, span_find_byte(out->target, '?'));
    }
    host_settle(parser, base, out);
}
