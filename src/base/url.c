#include "url.h"

#include "hex.h"

#include <stdio.h>
#include <string.h>

enum { http_port = 80, https_port = 443, mysql_port = 3306 };

static bool parse_authority(struct span authority, struct url *out)
{
    struct span port = SPAN_EMPTY;
    if (authority.len > 0 && authority.ptr[0] == '[') {
        size_t close = span_find_byte(authority, ']');
        if (close == authority.len) {
            return false;
        }
        out->host = span_from(authority.ptr + 1, close - 1);
        struct span rest = span_skip(authority, close + 1);
        if (rest.len > 0 && rest.ptr[0] != ':') {
            return false;
        }
        port = span_skip(rest, 1);
    } else {
        size_t colon = span_find_byte(authority, ':');
        out->host = span_first(authority, colon);
        port = span_skip(authority, colon + 1);
    }
    uint64_t number;
    if (port.len > 0) {
        if (!span_parse_u64(port, &number) || number == 0 || number > 65535) {
            return false;
        }
        out->port = (uint16_t)number;
    }
    return out->host.len > 0 && span_find_byte(out->host, '@') == out->host.len;
}

static bool has_bad_byte(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char ch = (unsigned char)text.ptr[i];
        if (ch <= 0x20 || ch == 0x7f || ch == '#') {
            return true;
        }
    }
    return false;
}

/* Authority, path and query, behind the scheme. */
static bool parse_place(struct span text, struct url *out)
{
    size_t question = span_find_byte(text, '?');
    struct span before = span_first(text, question);
    size_t slash = span_find_byte(before, '/');
    out->path = span_skip(before, slash);
    out->query = span_skip(text, question + 1);
    return parse_authority(span_first(before, slash), out);
}

bool url_parse_mysql(struct span text, struct url *out)
{
    static const struct span scheme = {"mysql", 5};
    *out = (struct url){.scheme = scheme, .host = SPAN_EMPTY, .port = mysql_port};
    return !has_bad_byte(text) && span_equal_nocase(span_first(text, 8), SPAN_LIT("mysql://")) &&
           parse_place(span_skip(text, 8), out);
}

bool url_parse(struct span text, struct url *out)
{
    *out = (struct url){.host = SPAN_EMPTY, .path = SPAN_EMPTY, .query = SPAN_EMPTY};
    if (has_bad_byte(text)) {
        return false;
    }
    if (span_equal_nocase(span_first(text, 7), SPAN_LIT("http://"))) {
        out->scheme = span_first(text, 4);
        out->port = http_port;
        text = span_skip(text, 7);
    } else if (span_equal_nocase(span_first(text, 8), SPAN_LIT("https://"))) {
        out->scheme = span_first(text, 5);
        out->port = https_port;
        text = span_skip(text, 8);
    } else {
        return false;
    }
    return parse_place(text, out);
}

const char *url_shown(const char *text, char out[URL_SHOWN_BYTES])
{
    const char *scheme_end = strstr(text, "://");
    const char *authority = scheme_end != NULL ? scheme_end + 3 : text;
    size_t authority_len = strcspn(authority, "/?#");
    const char *user_end = authority;
    for (size_t i = 0; i < authority_len; i++) {
        user_end = authority[i] == '@' ? authority + i : user_end;
    }
    if (user_end == authority) {
        return text;
    }
    snprintf(out, URL_SHOWN_BYTES, "%.*s***%s", (int)(authority - text), text, user_end);
    return out;
}

bool url_next_byte(struct span *rest, bool plus_is_space, char *out)
{
    char ch = rest->ptr[0];
    size_t taken = 1;
    if (ch == '%') {
        int high = rest->len > 2 ? hex_value(rest->ptr[1]) : -1;
        int low = rest->len > 2 ? hex_value(rest->ptr[2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            return false;
        }
        ch = (char)(high << 4 | low);
        taken = 3;
    } else if (ch == '+' && plus_is_space) {
        ch = ' ';
    }
    *rest = span_skip(*rest, taken);
    *out = ch;
    return true;
}

bool url_decode(struct span text, bool plus_is_space, struct buf *out)
{
    size_t start = out->len;
    while (text.len > 0) {
        char ch;
        if (!url_next_byte(&text, plus_is_space, &ch)) {
            out->len = start;
            return false;
        }
        buf_append_byte(out, ch);
    }
    return true;
}

/* A letter, a digit, or one of - . _ ~ (RFC 3986). */
static bool url_is_unreserved(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
           ch == '-' || ch == '.' || ch == '_' || ch == '~';
}

void url_encode_but(struct span text, const char *kept, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char ch = (unsigned char)text.ptr[i];
        if (url_is_unreserved((char)ch) || (ch != '\0' && strchr(kept, ch) != NULL)) {
            buf_append_byte(out, (char)ch);
        } else {
            char escaped[3] = {'%', HEX_UPPER[ch >> 4], HEX_UPPER[ch & 15]};
            buf_append(out, escaped, sizeof(escaped));
        }
    }
}

void url_encode(struct span text, bool keep_slash, struct buf *out)
{
    url_encode_but(text, keep_slash ? "/" : "", out);
}

bool url_query_find(struct span query, const char *name, struct span *raw_value)
{
    struct span part;
    while (span_next_part(&query, '&', &part)) {
        size_t equals = span_find_byte(part, '=');
        if (span_equal_cstr(span_first(part, equals), name)) {
            *raw_value = span_skip(part, equals + 1);
            return true;
        }
    }
    return false;
}
