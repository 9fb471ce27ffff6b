#include "mysql_login.h"

#include <string.h>

enum {
    protocol_version = 10,
    charset_utf8mb4 = 255,
    salt_first_bytes = 8,
    filler_bytes = 23,
    old_packet_bytes = 3,
    more_data = 0x01,
    fast_success = 0x03,
    switch_request = 0xfe,
};

void mysql_put_greeting(struct mysql_writer *w, const struct mysql_greeting *greeting)
{
    struct buf *out = w->out;
    size_t start = mysql_packet_begin(w);
    mysql_put_int(out, protocol_version, 1);
    mysql_put_cstr(out, span_from_cstr(greeting->version));
    mysql_put_int(out, greeting->connection_id, 4);
    mysql_put_cstr(out, span_from(greeting->salt, salt_first_bytes));
    mysql_put_int(out, MYSQL_CAPS_OFFERED & 0xffff, 2);
    mysql_put_int(out, charset_utf8mb4, 1);
    mysql_put_int(out, greeting->status, 2);
    mysql_put_int(out, MYSQL_CAPS_OFFERED >> 16, 2);
    mysql_put_int(out, MYSQL_SALT_BYTES + 1, 1);
    mysql_put_zeros(out, 10);
    mysql_put_cstr(
        out, span_from(greeting->salt + salt_first_bytes, MYSQL_SALT_BYTES - salt_first_bytes));
    mysql_put_cstr(out, span_from_cstr(mysql_plugin_name(MYSQL_PLUGIN_SHA2)));
    mysql_packet_end(w, start);
}

/* A client that names no plugin has proved its password in the way that there was before there were
 * plugins. */
static enum mysql_plugin plugin_read(struct mysql_reader *r, uint32_t caps)
{
    if ((caps & MYSQL_CAP_PLUGIN_AUTH) == 0) {
        return MYSQL_PLUGIN_NATIVE;
    }
    return mysql_plugin_find(mysql_read_cstr(r));
}

static struct span proof_read(struct mysql_reader *r, uint32_t caps)
{
    if ((caps & MYSQL_CAP_LENENC_AUTH) != 0) {
        return mysql_read_text(r);
    }
    if ((caps & MYSQL_CAP_SECURE_CONNECTION) != 0) {
        return mysql_read_bytes(r, mysql_read_int(r, 1));
    }
    return mysql_read_cstr(r);
}

enum mysql_parsed mysql_hello_parse(struct span payload, struct mysql_hello *out)
{
    struct mysql_reader r = mysql_reader_of(payload);
    *out = (struct mysql_hello){.user = SPAN_EMPTY, .proof = SPAN_EMPTY, .database = SPAN_EMPTY};
    if ((mysql_read_int(&r, 2) & MYSQL_CAP_PROTOCOL_41) == 0) {
        struct span user = span_skip(r.rest, old_packet_bytes);
        return span_find_byte(user, '\0') < user.len ? MYSQL_PARSE_TOO_OLD : MYSQL_PARSE_BAD;
    }
    r = mysql_reader_of(payload);
    out->caps = (uint32_t)mysql_read_int(&r, 4) & MYSQL_CAPS_OFFERED;
    (void)mysql_read_int(&r, 4); /* the longest packet that it takes: ours are short */
    out->charset = (uint16_t)mysql_read_int(&r, 1);
    (void)mysql_read_bytes(&r, filler_bytes);
    if (span_find_byte(r.rest, '\0') == r.rest.len) {
        return MYSQL_PARSE_BAD; /* also a request for TLS, which was not offered */
    }
    out->user = mysql_read_cstr(&r);
    out->proof = proof_read(&r, out->caps);
    if ((out->caps & MYSQL_CAP_CONNECT_WITH_DB) != 0) {
        out->database = mysql_read_cstr(&r);
    }
    out->plugin = plugin_read(&r, out->caps);
    return r.failed ? MYSQL_PARSE_BAD : MYSQL_PARSED; /* its attributes are of no use here */
}

enum mysql_parsed mysql_change_user_parse(struct span payload, uint32_t caps,
                                          struct mysql_hello *out)
{
    struct mysql_reader r = mysql_reader_of(payload);
    *out = (struct mysql_hello){.caps = caps};
    out->user = mysql_read_cstr(&r);
    out->proof = proof_read(&r, caps & ~(uint32_t)MYSQL_CAP_LENENC_AUTH);
    out->database = mysql_read_cstr(&r);
    if (r.rest.len > 0) { /* nothing more is said by a client that changes neither of them */
        out->charset = (uint16_t)mysql_read_int(&r, 2);
    }
    out->plugin = plugin_read(&r, caps);
    return r.failed ? MYSQL_PARSE_BAD : MYSQL_PARSED;
}

void mysql_put_switch(struct mysql_writer *w, enum mysql_plugin plugin,
                      const char salt[MYSQL_SALT_BYTES])
{
    size_t start = mysql_packet_begin(w);
    mysql_put_int(w->out, switch_request, 1);
    mysql_put_cstr(w->out, span_from_cstr(mysql_plugin_name(plugin)));
    mysql_put_cstr(w->out, span_from(salt, MYSQL_SALT_BYTES));
    mysql_packet_end(w, start);
}

void mysql_put_fast_success(struct mysql_writer *w)
{
    size_t start = mysql_packet_begin(w);
    mysql_put_int(w->out, more_data, 1);
    mysql_put_int(w->out, fast_success, 1);
    mysql_packet_end(w, start);
}
