/* Headers on both ways, as the tables of specs/api-gateway.md sections 2 and 3 have them for an
 * HTTP proxy integration. What no table names passes untouched. */
#include "gateway_internal.h"

#include "hex.h"

#include <string.h>

struct header_rule {
    const char *name;
    size_t len;
    int fate;
};

#define RULE(name, fate)                                                                           \
    {                                                                                              \
        name, sizeof(name) - 1, fate                                                               \
    }

static int fate_of(const struct header_rule *rules, size_t count, struct span name)
{
    for (size_t i = 0; i < count; i++) {
        if (rules[i].len == name.len &&
            span_equal_nocase(span_from(rules[i].name, rules[i].len), name)) {
            return rules[i].fate;
        }
    }
    return 0;
}

/* --- the request's way to the backend --- */

enum request_fate {
    REQUEST_PASS,
    REQUEST_DROP,
    REQUEST_TRACE,      /* its Root is kept */
    REQUEST_SIGNED,     /* passes unless it is a SigV4 signature */
    REQUEST_ACCEPT,     /* passes; without it a default is added */
    REQUEST_USER_AGENT, /* the same */
};

static const struct header_rule request_rules[] = {
    RULE("Accept", REQUEST_ACCEPT),
    RULE("User-Agent", REQUEST_USER_AGENT),
    RULE("Authorization", REQUEST_SIGNED),
    RULE("X-Amzn-Trace-Id", REQUEST_TRACE),
    /* Written anew. */
    RULE("Host", REQUEST_DROP),
    RULE("Content-Length", REQUEST_DROP),
    RULE("X-Amzn-Apigateway-Api-Id", REQUEST_DROP),
    /* Used up by the gateway (api-gateway-known-issues). */
    RULE("X-HTTP-Method-Override", REQUEST_DROP),
    /* The documentation says passthrough for Connection; a live recording shows it dropped. */
    RULE("Connection", REQUEST_DROP),
    RULE("Content-Encoding", REQUEST_DROP),
    RULE("Content-MD5", REQUEST_DROP),
    RULE("Expect", REQUEST_DROP),
    RULE("Max-Forwards", REQUEST_DROP),
    RULE("Proxy-Authenticate", REQUEST_DROP),
    RULE("Server", REQUEST_DROP),
    RULE("TE", REQUEST_DROP),
    RULE("Transfer-Encoding", REQUEST_DROP),
    RULE("Trailer", REQUEST_DROP),
    RULE("Upgrade", REQUEST_DROP),
    RULE("Via", REQUEST_DROP),
    RULE("WWW-Authenticate", REQUEST_DROP),
    /* Hop by hop (RFC 9110 section 7.6.1), not in the documentation's table. */
    RULE("Keep-Alive", REQUEST_DROP),
    RULE("Proxy-Authorization", REQUEST_DROP),
    RULE("Proxy-Connection", REQUEST_DROP),
};

enum {
    added_headers_max = 6,
    /* "Root=1-" 8 hex "-" 24 hex */
    trace_root_bytes = 7 + 8 + 1 + 24,
    trace_time_position = 7,
    trace_random_position = 16,
};

static bool is_lower_hex(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return true;
}

static bool trace_root_is_valid(struct span part)
{
    return part.len == trace_root_bytes && span_starts_with(part, SPAN_LIT("Root=1-")) &&
           part.ptr[trace_random_position - 1] == '-' &&
           is_lower_hex(span_from(part.ptr + trace_time_position, 8)) &&
           is_lower_hex(span_from(part.ptr + trace_random_position, 24));
}

/* The client's own Root, or a new one; empty when out of memory. */
static struct span trace_id(struct gateway_call *call, struct span sent)
{
    struct span part;
    while (span_next_part(&sent, ';', &part)) {
        part = span_trim(part);
        if (trace_root_is_valid(part)) {
            return part;
        }
    }
    struct env *env = call->gateway->options.env;
    char *text = arena_alloc(&call->exchange->arena, trace_root_bytes);
    if (text == NULL) {
        return SPAN_EMPTY;
    }
    memcpy(text, "Root=1-", trace_time_position);
    (void)hex_write(text + trace_time_position, (uint64_t)(env->wall_us(env) / 1000000), 8);
    text[trace_random_position - 1] = '-';
    (void)hex_write(text + trace_random_position, env->random_u64(env), 8);
    (void)hex_write(text + trace_random_position + 8, env->random_u64(env), 16);
    return span_from(text, trace_root_bytes);
}

static struct span decimal(struct arena *arena, uint64_t value)
{
    enum { digits_max = 20 };
    char *text = arena_alloc(arena, digits_max);
    if (text == NULL) {
        return SPAN_EMPTY;
    }
    size_t position = digits_max;
    do {
        text[--position] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return span_from(text + position, digits_max - position);
}

static bool method_has_length(const struct http_request *request)
{
    return request->body.len > 0 || request->method == METHOD_POST ||
           request->method == METHOD_PUT || request->method == METHOD_PATCH;
}

struct header_out {
    struct http_header *headers;
    size_t count;
    struct span trace; /* as sent */
    bool has_accept;
    bool has_user_agent;
    bool starved; /* something that was to be added could not be made */
};

/* Nothing that the gateway adds is empty but for want of memory. */
static void header_put(struct header_out *out, struct span name, struct span value)
{
    out->starved = out->starved || value.len == 0;
    out->headers[out->count++] = (struct http_header){name, value};
}

/* Whatever Connection names is between its sender and us alone (RFC 9110 section 7.6.1). */
static bool is_named(struct span connection, struct span name)
{
    struct span part;
    while (span_next_part(&connection, ',', &part)) {
        if (span_equal_nocase(span_trim(part), name)) {
            return true;
        }
    }
    return false;
}

static bool request_connection_names(const struct http_request *request, struct span name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (span_equal_nocase(request->headers[i].name, SPAN_LIT("Connection")) &&
            is_named(request->headers[i].value, name)) {
            return true;
        }
    }
    return false;
}

static void headers_pass(const struct http_request *request, struct header_out *out)
{
    bool has_connection = http_request_has_header(request, "connection");
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (has_connection && request_connection_names(request, header->name)) {
            continue;
        }
        switch (
            (enum request_fate)fate_of(request_rules, ARRAY_COUNT(request_rules), header->name)) {
        case REQUEST_DROP:
            continue;
        case REQUEST_TRACE:
            out->trace = header->value;
            continue;
        case REQUEST_SIGNED:
            if (span_starts_with(header->value, SPAN_LIT("AWS4-"))) {
                continue;
            }
            break;
        case REQUEST_ACCEPT:
            out->has_accept = true;
            break;
        case REQUEST_USER_AGENT:
            out->has_user_agent = true;
            break;
        case REQUEST_PASS:
            break;
        }
        out->headers[out->count++] = *header;
    }
}

bool gateway_request_map(struct gateway_call *call)
{
    struct exchange *exchange = call->exchange;
    struct gateway *gateway = call->gateway;
    struct http_request *request = &exchange->request;
    struct header_out out = {.trace = SPAN_EMPTY};
    out.headers = arena_alloc_array(&exchange->arena, request->header_count + added_headers_max,
                                    sizeof(*out.headers));
    if (out.headers == NULL) {
        return false;
    }
    headers_pass(request, &out);
    call->accept_added = !out.has_accept;
    header_put(&out, SPAN_LIT("Host"), SPAN_LIT(GATEWAY_BACKEND_HOST));
    if (method_has_length(request)) {
        header_put(&out, SPAN_LIT("Content-Length"), decimal(&exchange->arena, request->body.len));
    }
    header_put(&out, SPAN_LIT("X-Amzn-Trace-Id"), trace_id(call, out.trace));
    header_put(&out, SPAN_LIT("X-Amzn-Apigateway-Api-Id"),
               span_from(gateway->api_id, GATEWAY_API_ID_BYTES));
    if (!out.has_accept) {
        header_put(&out, SPAN_LIT("Accept"), SPAN_LIT("application/json"));
    }
    if (!out.has_user_agent) {
        char *agent = arena_printf(&exchange->arena, "AmazonAPIGateway_%s", gateway->api_id);
        header_put(&out, SPAN_LIT("User-Agent"), span_from_cstr(agent));
    }
    request->headers = out.headers;
    request->header_count = out.count;
    request->host = SPAN_LIT(GATEWAY_BACKEND_HOST);
    return !out.starved;
}

/* --- the reply's way to the client --- */

enum reply_fate {
    REPLY_PASS,
    REPLY_DROP,
    REPLY_REMAP, /* to x-amzn-Remapped-<name> */
    REPLY_CONTENT_TYPE,
    REPLY_HINT, /* of another pinpipe behind this one */
};

static const struct header_rule reply_rules[] = {
    RULE("Connection", REPLY_REMAP),
    RULE("Content-Length", REPLY_REMAP),
    RULE("Date", REPLY_REMAP),
    RULE("Server", REPLY_REMAP),
    RULE("Authorization", REPLY_REMAP),
    RULE("Content-MD5", REPLY_REMAP),
    RULE("Max-Forwards", REPLY_REMAP),
    RULE("User-Agent", REPLY_REMAP),
    RULE("WWW-Authenticate", REPLY_REMAP),
    RULE("x-amzn-RequestId", REPLY_REMAP),
    RULE("x-amz-apigw-id", REPLY_REMAP),
    /* The gateway's HTTP client has undone both; the documentation says that Content-Encoding
     * passes, recordings do not show it. */
    RULE("Transfer-Encoding", REPLY_DROP),
    RULE("Content-Encoding", REPLY_DROP),
    RULE("Via", REPLY_DROP),
    RULE("Keep-Alive", REPLY_DROP),
    RULE("Content-Type", REPLY_CONTENT_TYPE),
    RULE("X-Pinpipe-Hint", REPLY_HINT),
};

static void reply_line_map(struct exchange *exchange, struct span name, struct span value)
{
    struct reply *reply = &exchange->reply;
    char *copy;
    switch ((enum reply_fate)fate_of(reply_rules, ARRAY_COUNT(reply_rules), name)) {
    case REPLY_DROP:
        return;
    case REPLY_CONTENT_TYPE:
        copy = arena_copy_cstr(&exchange->arena, value);
        if (copy == NULL) {
            buf_no_memory(&reply->headers); /* of another type it would be another answer */
        }
        reply->content_type = copy;
        return;
    case REPLY_HINT:
        copy = arena_copy_cstr(&exchange->arena, value);
        reply->hint = copy;
        return;
    case REPLY_REMAP:
        BUF_APPEND_LIT(&reply->headers, "x-amzn-Remapped-");
        break;
    case REPLY_PASS:
        break;
    }
    buf_append_span(&reply->headers, name);
    BUF_APPEND_LIT(&reply->headers, ": ");
    buf_append_span(&reply->headers, value);
    BUF_APPEND_LIT(&reply->headers, "\r\n");
}

/* The lines in reply->headers through the table. False when out of memory. */
/* "name: value" of a line; false: it is none. */
static bool reply_line_split(struct span line, struct span *name, struct span *value)
{
    size_t colon = span_find_byte(line, ':');
    *name = span_first(line, colon);
    *value = span_trim(span_skip(line, colon + 1));
    return colon > 0 && colon < line.len;
}

static bool reply_connection_names(struct span lines, struct span wanted)
{
    struct span line;
    struct span name;
    struct span value;
    while (span_next_part(&lines, '\n', &line)) {
        if (reply_line_split(line, &name, &value) &&
            span_equal_nocase(name, SPAN_LIT("Connection")) && is_named(value, wanted)) {
            return true;
        }
    }
    return false;
}

static bool reply_lines_map(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    if (reply->headers.len == 0) {
        return true;
    }
    size_t len = reply->headers.len;
    char *copy = arena_copy_cstr(&exchange->arena, buf_span(&reply->headers));
    if (copy == NULL) {
        return false;
    }
    buf_reset(&reply->headers);
    struct span lines = span_from(copy, len);
    struct span rest = lines;
    struct span line;
    struct span name;
    struct span value;
    while (span_next_part(&rest, '\n', &line)) {
        if (reply_line_split(line, &name, &value) && !reply_connection_names(lines, name)) {
            reply_line_map(exchange, name, value);
        }
    }
    return true;
}

static bool gateway_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

/* What the REST proxy in this process would have sent through its own connection. */
static void backend_framing_add(struct gateway *gateway, struct reply *reply)
{
    BUF_APPEND_LIT(&reply->headers, "x-amzn-Remapped-Connection: keep-alive\r\n"
                                    "x-amzn-Remapped-Server: " GATEWAY_BACKEND_SERVER "\r\n"
                                    "x-amzn-Remapped-Date: ");
    buf_append(&reply->headers, gateway_date(gateway), HTTP_DATE_BYTES - 1);
    if (gateway_status_has_body(reply->status)) {
        BUF_APPEND_LIT(&reply->headers, "\r\nx-amzn-Remapped-Content-Length: ");
        buf_append_u64(&reply->headers, reply->body.len);
    }
    BUF_APPEND_LIT(&reply->headers, "\r\n");
}

/* The backend in this process knows of no gateway, and would call this port its own. */
static const char *hint_about_stray_segment(const struct gateway_call *call)
{
    return arena_printf(&call->exchange->arena,
                        "\"%.*s\" is the stage here, and the REST proxy knows no path that begins "
                        "with /%.*s: leave %s out",
                        SPAN_ARG(call->stage), SPAN_ARG(call->stray),
                        call->gateway->stage != NULL ? "it" : "one of the two");
}

/* Traps of the path, which show as the backend's 404. */
static const char *hint_after_404(const struct gateway_call *call)
{
    if (call->double_slash) {
        return "there are two slashes in the path, and API Gateway keeps both: it drops only those "
               "round the stage";
    }
    if (call->stage_twice) {
        return "the stage stands there twice: the invoke URL ends in it already";
    }
    if (call->stray.len > 0) {
        return hint_about_stray_segment(call);
    }
    if (call->names_streams && call->names_kinesis_action) {
        return "PutRecord is the name of the Kinesis action, the workshop's path is PUT "
               "/streams/<stream>/record; and the Kinesis routes are not in this build";
    }
    if (call->names_streams) {
        return "the Kinesis routes under /streams are not in this build: {proxy+} takes the path, "
               "and the REST proxy does not know it";
    }
    if (call->names_kinesis_action) {
        return "PutRecord is the name of the Kinesis action, not a part of the URL: records for a "
               "topic go to POST /topics/<topic>";
    }
    return NULL;
}

/* The gateway's own doing comes first, then what the backend knows. */
static const char *hint_after(const struct gateway_call *call)
{
    const struct reply *reply = &call->exchange->reply;
    if (call->accept_added && reply->status == 406) {
        return "the request had no Accept header, so API Gateway added \"Accept: "
               "application/json\", which the REST proxy's v2 cannot give: send \"Accept: */*\" "
               "or application/vnd.kafka.v2+json";
    }
    if (call->body_dropped) {
        return "API Gateway drops the body of GET, HEAD and OPTIONS requests: what the REST proxy "
               "reads from it, as GET .../offsets does, works only on its own port";
    }
    if (call->body_repaired) {
        return "the body was not UTF-8: without binaryMediaTypes API Gateway replaces such bytes "
               "by U+FFFD; encode the text as UTF-8, send binary data as base64";
    }
    const char *hint = reply->status == 404 ? hint_after_404(call) : NULL;
    if (hint != NULL || reply->hint != NULL) {
        return hint != NULL ? hint : reply->hint;
    }
    if (call->creates_consumer && reply->status == 200) {
        return "base_uri names the host behind the gateway and no stage, as on AWS: build the URL "
               "from the invoke URL, /consumers/<group>/instances/<instance_id>";
    }
    return NULL;
}

/* The body is text: repaired where it is not UTF-8. False when out of memory or too large. */
static bool reply_body_map(struct exchange *exchange)
{
    struct reply *reply = &exchange->reply;
    struct span body = buf_span(&reply->body);
    struct span text;
    if (body.len == 0) {
        return true;
    }
    if (!gateway_text_repair(&exchange->arena, body, &text)) {
        return false;
    }
    if (text.ptr != body.ptr) {
        buf_reset(&reply->body);
        buf_append_span(&reply->body, text);
    }
    return buf_ok(&reply->body);
}

void gateway_reply_map(struct gateway_call *call, bool from_upstream)
{
    struct exchange *exchange = call->exchange;
    struct gateway *gateway = call->gateway;
    struct reply *reply = &exchange->reply;
    if (reply->body.len > GATEWAY_BODY_BYTES_MAX) {
        gateway_error_write(gateway, exchange, GATEWAY_ERROR_INTERNAL,
                            "the answer is over 10485760 bytes, more than API Gateway passes: ask "
                            "for less, e.g. max_bytes=5000000 when reading records");
        return;
    }
    bool mapped = reply_lines_map(exchange);
    if (mapped && !from_upstream) {
        backend_framing_add(gateway, reply);
    }
    mapped = mapped && reply_body_map(exchange);
    gateway_add_identity(gateway, reply);
    if (!mapped || !buf_ok(&reply->headers)) {
        gateway_error_write(gateway, exchange, GATEWAY_ERROR_INTERNAL, NULL);
        return;
    }
    if (reply->content_type == NULL) {
        reply->content_type = "application/json";
    }
    reply->hint = hint_after(call);
    reply->no_date_server = true;
}
