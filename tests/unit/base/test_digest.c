#include "digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_crypto(void **state)
{
    struct crypto *crypto;
    struct error err = ERROR_NONE;
    if (crypto_new(&crypto) != STATUS_OK || crypto_ready(crypto, &err) != STATUS_OK) {
        print_error("%s\n", err.message);
        return -1;
    }
    *state = crypto;
    return 0;
}

static int close_crypto(void **state)
{
    crypto_free(*state);
    return 0;
}

static void assert_hex(const struct digest_value *value, const char *hex)
{
    char text[DIGEST_HEX_BYTES_MAX];
    digest_hex(value, text);
    assert_string_equal(text, hex);
}

/* RFC 1321 A.5, FIPS 180's examples, and the hashes of the empty text that S3's clients send. */
static void known_texts_have_their_published_digests(void **state)
{
    static const struct {
        enum digest_kind kind;
        const char *text;
        const char *hex;
    } cases[] = {
        {DIGEST_MD5, "", "d41d8cd98f00b204e9800998ecf8427e"},
        {DIGEST_MD5, "abc", "900150983cd24fb0d6963f7d28e17f72"},
        {DIGEST_MD5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {DIGEST_SHA1, "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
        {DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {DIGEST_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {DIGEST_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {DIGEST_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {DIGEST_SHA256, "{\"a\":1}\n",
         "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct digest_value value = digest_of(*state, cases[i].kind, span_from_cstr(cases[i].text));
        assert_hex(&value, cases[i].hex);
    }
}

/* RFC 2202 and RFC 4231: short keys, and one longer than the block. */
static void hmacs_are_those_of_the_rfcs(void **state)
{
    char long_key[131];
    char short_key[20];
    memset(long_key, 0xaa, sizeof(long_key));
    memset(short_key, 0x0b, sizeof(short_key));
    const struct {
        enum digest_kind kind;
        struct span key;
        const char *text;
        const char *hex;
    } cases[] = {
        {DIGEST_SHA1, SPAN_LIT("Jefe"), "what do ya want for nothing?",
         "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
        {DIGEST_SHA1, span_from(short_key, 20), "Hi There",
         "b617318655057264e28bc0b6fb378c8ef146be00"},
        {DIGEST_MD5, SPAN_LIT("Jefe"), "what do ya want for nothing?",
         "750c783e6ab0b503eaa86e310a5db738"},
        {DIGEST_SHA256, SPAN_LIT("Jefe"), "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {DIGEST_SHA256, span_from(short_key, 20), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {DIGEST_SHA256, span_from(long_key, 131),
         "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct digest_value value =
            digest_hmac(*state, cases[i].kind, cases[i].key, span_from_cstr(cases[i].text));
        assert_hex(&value, cases[i].hex);
    }
}

static void hmacs_with_a_key_of_exactly_one_block_do_not_hash_the_key(void **state)
{
    char key[65];
    memset(key, 'k', sizeof(key));
    struct digest_value hashed_key = digest_of(*state, DIGEST_SHA256, span_from(key, 65));
    struct digest_value of_hashed =
        digest_hmac(*state, DIGEST_SHA256, digest_span(&hashed_key), SPAN_LIT("x"));
    struct digest_value of_65 =
        digest_hmac(*state, DIGEST_SHA256, span_from(key, 65), SPAN_LIT("x"));
    assert_true(span_equal(digest_span(&of_65), digest_span(&of_hashed)));

    struct digest_value hashed_block = digest_of(*state, DIGEST_SHA256, span_from(key, 64));
    struct digest_value of_hashed_block =
        digest_hmac(*state, DIGEST_SHA256, digest_span(&hashed_block), SPAN_LIT("x"));
    struct digest_value of_64 =
        digest_hmac(*state, DIGEST_SHA256, span_from(key, 64), SPAN_LIT("x"));
    assert_false(span_equal(digest_span(&of_64), digest_span(&of_hashed_block)));
}

static void pieces_give_the_digest_of_the_whole_however_they_are_cut(void **state)
{
    char bytes[300];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 31 + 7);
    }
    for (int kind = DIGEST_MD5; kind <= DIGEST_SHA256; kind++) {
        struct digest *digest;
        assert_int_equal(digest_new(*state, (enum digest_kind)kind, &digest), STATUS_OK);
        struct digest_value whole =
            digest_of(*state, (enum digest_kind)kind, span_from(bytes, sizeof(bytes)));
        for (size_t cut = 0; cut <= sizeof(bytes); cut += 13) {
            digest_update(digest, span_from(bytes, cut));
            /* One-go calls between the pieces use other contexts. */
            (void)digest_of(*state, (enum digest_kind)kind, SPAN_LIT("between"));
            digest_update(digest, span_from(bytes + cut, sizeof(bytes) - cut));
            struct digest_value value = digest_finish(digest);
            assert_true(span_equal(digest_span(&value), digest_span(&whole)));
        }
        digest_free(digest);
    }
}

static void a_finished_digest_begins_anew(void **state)
{
    struct digest *digest;
    assert_int_equal(digest_new(*state, DIGEST_MD5, &digest), STATUS_OK);
    digest_update(digest, SPAN_LIT("something else"));
    (void)digest_finish(digest);
    struct digest_value empty = digest_finish(digest);
    assert_hex(&empty, "d41d8cd98f00b204e9800998ecf8427e");
    digest_update(digest, SPAN_LIT("abc"));
    struct digest_value abc = digest_finish(digest);
    assert_hex(&abc, "900150983cd24fb0d6963f7d28e17f72");
    digest_free(digest);
}

static void the_library_can_be_made_ready_often_and_never_used(void **state)
{
    (void)state;
    struct crypto *unused;
    struct crypto *often;
    assert_int_equal(crypto_new(&unused), STATUS_OK);
    crypto_free(unused);
    crypto_free(NULL);
    digest_free(NULL);
    assert_int_equal(crypto_new(&often), STATUS_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(crypto_ready(often, NULL), STATUS_OK);
    }
    crypto_free(often);
}

static void texts_are_equal_only_byte_for_byte(void **state)
{
    (void)state;
    assert_true(digest_text_equal(SPAN_LIT("abc"), SPAN_LIT("abc")));
    assert_true(digest_text_equal(SPAN_EMPTY, SPAN_EMPTY));
    assert_false(digest_text_equal(SPAN_LIT("abc"), SPAN_LIT("abC")));
    assert_false(digest_text_equal(SPAN_LIT("xbc"), SPAN_LIT("abc")));
    assert_false(digest_text_equal(SPAN_LIT("abc"), SPAN_LIT("ab")));
    assert_false(digest_text_equal(SPAN_LIT("\x80"), SPAN_LIT("\0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_published_digests),
        cmocka_unit_test(hmacs_are_those_of_the_rfcs),
        cmocka_unit_test(hmacs_with_a_key_of_exactly_one_block_do_not_hash_the_key),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole_however_they_are_cut),
        cmocka_unit_test(a_finished_digest_begins_anew),
        cmocka_unit_test(the_library_can_be_made_ready_often_and_never_used),
        cmocka_unit_test(texts_are_equal_only_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
