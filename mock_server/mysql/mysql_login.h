/* The packets of a login: the server's greeting (handshake v10), the client's answer to it, a
 * change of the user later on, and the request to prove the password in another way. */
#ifndef PINPIPE_MYSQL_LOGIN_H
#define PINPIPE_MYSQL_LOGIN_H

#include "mysql_auth.h"
#include "mysql_packet.h"

enum {
    MYSQL_CAP_CONNECT_WITH_DB = 0x8,
    MYSQL_CAP_PROTOCOL_41 = 0x200,
    MYSQL_CAP_SECURE_CONNECTION = 0x8000,
    MYSQL_CAP_PLUGIN_AUTH = 0x80000,
    MYSQL_CAP_LENENC_AUTH = 0x200000,
    /* Capabilities that are offered; those that a client sets beside them are ignored.
     * DIFFERS: neither TLS nor compression is offered on MySQL's port, no local files and no
     * several statements in one text, which are each an error of MySQL's own when they come. */
    MYSQL_CAPS_OFFERED = 0x3ea20f,
};

struct mysql_greeting {
    const char *version;
    uint32_t connection_id;
    const char *salt; /* MYSQL_SALT_BYTES */
    uint16_t status;
};
void mysql_put_greeting(struct mysql_writer *w, const struct mysql_greeting *greeting);

/* Spans are of the payload. */
struct mysql_hello {
    uint32_t caps;
    uint16_t charset;
    struct span user;
    struct span proof;
    struct span database; /* empty: none */
    enum mysql_plugin plugin;
};

enum mysql_parsed { MYSQL_PARSED, MYSQL_PARSE_BAD, MYSQL_PARSE_TOO_OLD };

/* The client's answer to the greeting. TOO_OLD: it speaks MySQL 4.0's protocol. */
enum mysql_parsed mysql_hello_parse(struct span payload, struct mysql_hello *out);
/* COM_CHANGE_USER, its command byte taken off; `caps` are the login's. */
enum mysql_parsed mysql_change_user_parse(struct span payload, uint32_t caps,
                                          struct mysql_hello *out);
/* AuthSwitchRequest. */
void mysql_put_switch(struct mysql_writer *w, enum mysql_plugin plugin,
                      const char salt[MYSQL_SALT_BYTES]);
/* AuthMoreData: the password is right, an OK follows. */
void mysql_put_fast_success(struct mysql_writer *w);

#endif
