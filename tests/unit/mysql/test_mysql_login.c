/* Logins: the vectors of the protocol's description, the packets as real clients send them, and
 * what is no login. */
#include "digest.h"
#include "env.h"
#include "hex.h"
#include "mysql_login.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { out_max = 1024 };

static const char salt[] = "0123456789abcdefghij";

static struct crypto *crypto_for_test(void)
{
    struct crypto *crypto;
    struct error err;
    assert_int_equal(crypto_new(&crypto), STATUS_OK);
    assert_int_equal(crypto_ready(crypto, &err), STATUS_OK);
    return crypto;
}

/* Hex digits, two a byte. */
static struct span unhex(const char *text, char *out)
{
    size_t len = strlen(text) / 2;
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
    }
    return span_from(out, len);
}

static void proofs_are_those_of_the_vectors(void **state)
{
    static const struct {
        enum mysql_plugin plugin;
        const char *proof;
    } vectors[] = {
        {MYSQL_PLUGIN_NATIVE, "333dcfff21f48f4723027b9a33ef7223dbdff3d9"},
        {MYSQL_PLUGIN_SHA2, "0f583bb250d954dfde866a31e9dd19142dd61bac8ffa30b6a443dd4e940e8a53"},
    };
    struct crypto *crypto = crypto_for_test();
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        enum mysql_plugin plugin = vectors[i].plugin;
        char bytes[MYSQL_SHA2_BYTES];
        unsigned char proof[MYSQL_SHA2_BYTES];
        struct span expected = unhex(vectors[i].proof, bytes);
        assert_int_equal(mysql_proof(crypto, plugin, SPAN_LIT("pw"), salt, proof), expected.len);
        assert_memory_equal(proof, expected.ptr, expected.len);
        assert_true(mysql_proof_is_right(crypto, plugin, SPAN_LIT("pw"), salt, expected));
        assert_false(mysql_proof_is_right(crypto, plugin, SPAN_LIT("pW"), salt, expected));
        assert_false(
            mysql_proof_is_right(crypto, plugin, SPAN_LIT("pw"), "1123456789abcdefghij", expected));
        assert_false(mysql_proof_is_right(crypto, plugin, SPAN_LIT("pw"), salt,
                                          span_first(expected, expected.len - 1)));
        assert_false(mysql_proof_is_right(crypto, plugin, SPAN_LIT("pw"), salt, SPAN_EMPTY));
        assert_false(mysql_proof_is_right(crypto, plugin, SPAN_EMPTY, salt, expected));
        assert_true(mysql_proof_is_right(crypto, plugin, SPAN_EMPTY, salt, SPAN_EMPTY));
        assert_true(mysql_proof_is_right(crypto, plugin, SPAN_EMPTY, salt, span_from("\0", 1)));
    }
    crypto_free(crypto);
}

static void a_salt_is_text_without_dollars(void **state)
{
    struct env env;
    char before[MYSQL_SALT_BYTES] = "";
    (void)state;
    env_init_seeded(&env, 1);
    for (int round = 0; round < 1000; round++) {
        char made[MYSQL_SALT_BYTES];
        mysql_salt_make(&env, made);
        for (size_t i = 0; i < sizeof(made); i++) {
            assert_true(made[i] > 0 && made[i] != '$');
        }
        assert_memory_not_equal(made, before, sizeof(made));
        memcpy(before, made, sizeof(made));
    }
}

static void the_greeting_is_version_ten(void **state)
{
    struct buf out;
    struct mysql_writer w = {.out = &out};
    const struct mysql_greeting greeting = {
        .version = "8.0.36-pinpipe", .connection_id = 7, .salt = salt, .status = 2};
    static const char expected[] = "\x52\x00\x00\x00"
                                   "\x0a"
                                   "8.0.36-pinpipe\0"
                                   "\x07\x00\x00\x00"
                                   "01234567\0"
                                   "\x0f\xa2"
                                   "\xff"
                                   "\x02\x00"
                                   "\x3e\x00"
                                   "\x15"
                                   "\0\0\0\0\0\0\0\0\0\0"
                                   "89abcdefghij\0"
                                   "caching_sha2_password";
    (void)state;
    buf_init(&out, out_max);
    mysql_put_greeting(&w, &greeting);
    assert_true(buf_ok(&out));
    assert_int_equal(out.len, sizeof(expected));
    assert_memory_equal(out.ptr, expected, sizeof(expected));
    assert_int_equal(w.sequence, 1);
    buf_release(&out);
}

/* PyMySQL 1.2.0, user pin, password pw, database pinterest_data. */
static const char pymysql[] = "0da2bf00"
                              "ffffff00"
                              "2d"
                              "0000000000000000000000000000000000000000000000"
                              "70696e00"
                              "200f583bb250d954dfde866a31e9dd19142dd61bac8ffa30b6a443dd4e940e8a53"
                              "70696e7465726573745f6461746100"
                              "63616368696e675f736861325f70617373776f726400"
                              "150c5f636c69656e745f6e616d65"
                              "0770796d7973716c";

static void a_clients_answer_is_understood(void **state)
{
    char bytes[512];
    struct mysql_hello hello;
    struct span payload = unhex(pymysql, bytes);
    (void)state;
    assert_int_equal(mysql_hello_parse(payload, &hello), MYSQL_PARSED);
    assert_true(span_equal_cstr(hello.user, "pin"));
    assert_true(span_equal_cstr(hello.database, "pinterest_data"));
    assert_int_equal(hello.plugin, MYSQL_PLUGIN_SHA2);
    assert_int_equal(hello.charset, 45);
    assert_int_equal(hello.proof.len, MYSQL_SHA2_BYTES);
    assert_true((hello.caps & ~(uint32_t)MYSQL_CAPS_OFFERED) == 0);
}

static void an_answer_that_is_cut_never_has_a_wrong_user(void **state)
{
    char bytes[512];
    struct span payload = unhex(pymysql, bytes);
    (void)state;
    for (size_t cut = 0; cut < payload.len; cut++) {
        struct mysql_hello hello;
        /* At the end of memory of its own, so that a look behind it is seen. */
        char *copy = malloc(cut + 1);
        memcpy(copy, payload.ptr, cut);
        enum mysql_parsed parsed = mysql_hello_parse(span_from(copy, cut), &hello);
        assert_true(parsed == MYSQL_PARSE_BAD ||
                    (parsed == MYSQL_PARSED && span_equal_cstr(hello.user, "pin")));
        assert_true(parsed == MYSQL_PARSE_BAD || cut > 36 + 32);
        free(copy);
    }
}

static void what_is_no_answer_is_told_apart(void **state)
{
    static const struct {
        const char *payload;
        enum mysql_parsed parsed;
    } cases[] = {
        {"", MYSQL_PARSE_BAD},
        {"00", MYSQL_PARSE_BAD},
        {"474554202f20485454502f312e310d0a", MYSQL_PARSE_BAD}, /* GET / HTTP/1.1 */
        {"85240000017069006e61", MYSQL_PARSE_TOO_OLD},         /* 4.0 */
        /* A request for TLS. */
        {"0daebf00ffffff002d0000000000000000000000000000000000000000000000", MYSQL_PARSE_BAD},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char bytes[64];
        struct mysql_hello hello;
        assert_int_equal(mysql_hello_parse(unhex(cases[i].payload, bytes), &hello),
                         cases[i].parsed);
    }
}

static void a_client_without_plugins_proves_natively(void **state)
{
    char bytes[128];
    struct mysql_hello hello;
    (void)state;
    /* PROTOCOL_41 and SECURE_CONNECTION alone; no database. */
    struct span payload = unhex("00820000ffffff0021"
                                "0000000000000000000000000000000000000000000000"
                                "726f6f7400"
                                "14333dcfff21f48f4723027b9a33ef7223dbdff3d9",
                                bytes);
    assert_int_equal(mysql_hello_parse(payload, &hello), MYSQL_PARSED);
    assert_int_equal(hello.plugin, MYSQL_PLUGIN_NATIVE);
    assert_int_equal(hello.proof.len, MYSQL_NATIVE_BYTES);
    assert_int_equal(hello.database.len, 0);
}

static void a_change_of_the_user_is_understood(void **state)
{
    char bytes[128];
    struct mysql_hello hello;
    (void)state;
    struct span payload = unhex("726f6f7400"
                                "00"
                                "6462"
                                "00"
                                "2d00"
                                "6d7973716c5f6e61746976655f70617373776f726400",
                                bytes);
    assert_int_equal(mysql_change_user_parse(payload, MYSQL_CAPS_OFFERED, &hello), MYSQL_PARSED);
    assert_true(span_equal_cstr(hello.user, "root"));
    assert_true(span_equal_cstr(hello.database, "db"));
    assert_int_equal(hello.charset, 45);
    assert_int_equal(hello.plugin, MYSQL_PLUGIN_NATIVE);
    /* An answer that is said to be longer than there is. */
    assert_int_equal(mysql_change_user_parse(span_from("root\0\x14"
                                                       "abc",
                                                       9),
                                             MYSQL_CAPS_OFFERED, &hello),
                     MYSQL_PARSE_BAD);
}

static void a_switch_names_the_plugin_and_the_salt(void **state)
{
    struct buf out;
    struct mysql_writer w = {.out = &out, .sequence = 2};
    static const char expected[] = "\x2c\x00\x00\x02"
                                   "\xfe"
                                   "mysql_native_password\0"
                                   "0123456789abcdefghij\0"
                                   "\x02\x00\x00\x03"
                                   "\x01\x03";
    (void)state;
    buf_init(&out, out_max);
    mysql_put_switch(&w, MYSQL_PLUGIN_NATIVE, salt);
    mysql_put_fast_success(&w);
    assert_int_equal(out.len, sizeof(expected) - 1);
    assert_memory_equal(out.ptr, expected, sizeof(expected) - 1);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs_are_those_of_the_vectors),
        cmocka_unit_test(a_salt_is_text_without_dollars),
        cmocka_unit_test(the_greeting_is_version_ten),
        cmocka_unit_test(a_clients_answer_is_understood),
        cmocka_unit_test(an_answer_that_is_cut_never_has_a_wrong_user),
        cmocka_unit_test(what_is_no_answer_is_told_apart),
        cmocka_unit_test(a_client_without_plugins_proves_natively),
        cmocka_unit_test(a_change_of_the_user_is_understood),
        cmocka_unit_test(a_switch_names_the_plugin_and_the_salt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
