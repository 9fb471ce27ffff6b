/* DIFFERS: the password is known to the server, so that the fast way of caching_sha2_password is
 * the only one there is: neither TLS nor an RSA key is asked for. Any user and password will do
 * unless credentials are given.
 *
 * Logins. The greeting offers caching_sha2_password; a client that names mysql_native_password may
 * prove its password so, any other is asked to. */
#include "mysql_internal.h"

#include "digest.h"

#include <stdio.h>
#include <string.h>

static void text_keep(char *out, size_t out_bytes, struct span text)
{
    snprintf(out, out_bytes, "%.*s", SPAN_ARG(span_first(text, out_bytes - 1)));
    text_make_utf8(out, strlen(out));
}

void mysql_access_greet(struct mysql_conn *c)
{
    struct mysql_service *service = c->service;
    c->id = ++service->last_connection_id;
    mysql_salt_make(service->env, c->salt);
    mysql_reply_begin(c, NULL, SPAN_EMPTY, 0);
    const struct mysql_greeting greeting = {
        .version = mysql_db_version(service->db),
        .connection_id = c->id,
        .salt = c->salt,
        .status = MYSQL_STATUS_AUTOCOMMIT,
    };
    c->w.sequence = 0;
    mysql_put_greeting(&c->w, &greeting);
    c->state = MYSQL_GREETING;
    c->after = MYSQL_LOGIN;
    mysql_reply_hold(c, true);
}

/* --- the journal's line --- */

static void access_reply_begin(struct mysql_conn *c, const char *method, size_t request_bytes)
{
    char path[MYSQL_PATH_BYTES];
    int len = snprintf(path, sizeof(path), "%s@%s on %s", c->user, c->host, c->database);
    PP_ASSERT(len > 0 && (size_t)len < sizeof(path));
    mysql_reply_begin(c, method, span_from(path, (size_t)len), request_bytes);
}

static void access_refuse(struct mysql_conn *c, const struct mysql_error *error)
{
    c->dropping = true;
    mysql_reply_error(c, error, MYSQL_LINGERING);
}

/* --- the decision --- */

static void access_deny(struct mysql_conn *c, bool with_password)
{
    struct mysql_error error;
    mysql_refuse(&error, 1045, "28000", "Access denied for user '%s'@'%s' (using password: %s)",
                 c->user, c->host, with_password ? "YES" : "NO");
    access_refuse(c, &error);
}

void mysql_access_end(struct mysql_conn *c)
{
    if (c->session != NULL) {
        mysql_result_release(c);
        mysql_command_forget_statements(c);
        mysql_session_free(c->session);
        c->session = NULL;
        c->service->threads--;
    }
}

static void access_grant(struct mysql_conn *c, bool fast)
{
    struct mysql_error error = {0};
    const struct mysql_login login = {
        .user = span_from_cstr(c->user),
        .host = c->host,
        .connection_id = c->id,
        .database = span_from_cstr(c->database),
        .charset = c->charset,
    };
    mysql_access_end(c);
    c->session = mysql_session_new(c->service->db, &login, &error);
    if (c->session == NULL) {
        access_refuse(c, &error);
        return;
    }
    c->service->threads++;
    if (fast) {
        mysql_put_fast_success(&c->w);
    }
    mysql_reply_ok(c);
}

static void access_switch(struct mysql_conn *c, enum mysql_plugin plugin)
{
    c->plugin = plugin;
    c->reply->method = NULL; /* the journal hears of the login when it is over */
    mysql_salt_make(c->service->env, c->salt);
    mysql_put_switch(&c->w, plugin, c->salt);
    mysql_reply_end(c, MYSQL_SWITCHED);
}

/* Is it a proof that the plugin's clients make? */
static bool proof_fits(enum mysql_plugin plugin, struct span proof)
{
    size_t len = plugin == MYSQL_PLUGIN_NATIVE ? MYSQL_NATIVE_BYTES : MYSQL_SHA2_BYTES;
    return mysql_proof_is_empty(proof) || proof.len == len;
}

static void access_judge(struct mysql_conn *c, struct span proof)
{
    const struct mysql_service *service = c->service;
    bool with_password = !mysql_proof_is_empty(proof);
    bool granted = proof_fits(c->plugin, proof);
    if (granted && service->user != NULL) {
        granted = strcmp(c->user, service->user) == 0 &&
                  mysql_proof_is_right(service->crypto, c->plugin,
                                       span_from_cstr(service->password), c->salt, proof);
    }
    if (granted) {
        access_grant(c, with_password && c->plugin == MYSQL_PLUGIN_SHA2);
    } else {
        access_deny(c, with_password);
    }
}

/* --- what comes in --- */

static void hello_keep(struct mysql_conn *c, const struct mysql_hello *hello)
{
    c->charset = (uint8_t)hello->charset;
    c->plugin = hello->plugin;
    text_keep(c->user, sizeof(c->user), hello->user);
    text_keep(c->database, sizeof(c->database), hello->database);
}

void mysql_access_hello(struct mysql_conn *c, struct span payload)
{
    struct mysql_hello hello;
    struct mysql_error error;
    enum mysql_parsed parsed = mysql_hello_parse(payload, &hello);
    if (parsed != MYSQL_PARSED) {
        mysql_reply_begin(c, "CONNECT", span_from_cstr(c->host), payload.len);
        if (parsed == MYSQL_PARSE_TOO_OLD) {
            mysql_refuse(&error, 1251, "08004",
                         "Client does not support authentication protocol requested by server; "
                         "consider upgrading MySQL client");
        } else {
            mysql_refuse(&error, 1043, "08S01", "Bad handshake");
        }
        access_refuse(c, &error);
        return;
    }
    c->caps = hello.caps;
    c->knows_states = true;
    hello_keep(c, &hello);
    access_reply_begin(c, "CONNECT", payload.len);
    bool can_switch = (c->caps & MYSQL_CAP_PLUGIN_AUTH) != 0;
    if (can_switch && (c->plugin == MYSQL_PLUGIN_OTHER || !proof_fits(c->plugin, hello.proof))) {
        access_switch(c, MYSQL_PLUGIN_NATIVE);
    } else {
        access_judge(c, hello.proof);
    }
}

void mysql_access_proof(struct mysql_conn *c, struct span payload)
{
    access_reply_begin(c, c->session != NULL ? "CHANGE_USER" : "CONNECT", payload.len);
    access_judge(c, payload);
}

void mysql_access_change_user(struct mysql_conn *c, struct span payload)
{
    struct mysql_hello hello;
    struct mysql_error error;
    if (mysql_change_user_parse(payload, c->caps, &hello) != MYSQL_PARSED) {
        mysql_reply_begin(c, "CHANGE_USER", SPAN_EMPTY, payload.len);
        mysql_refuse(&error, 1835, "HY000", "Malformed communication packet.");
        access_refuse(c, &error);
        return;
    }
    hello_keep(c, &hello);
    access_reply_begin(c, "CHANGE_USER", payload.len);
    /* A proof against the salt of the login could have been heard there. */
    if ((c->caps & MYSQL_CAP_PLUGIN_AUTH) != 0) {
        access_switch(c, c->plugin == MYSQL_PLUGIN_SHA2 ? MYSQL_PLUGIN_SHA2 : MYSQL_PLUGIN_NATIVE);
    } else {
        access_judge(c, hello.proof);
    }
}
