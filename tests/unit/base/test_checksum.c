#include "checksum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const enum checksum_kind crcs[] = {CHECKSUM_CRC32, CHECKSUM_CRC32C, CHECKSUM_CRC64NVME};

static struct crypto *crypto_or_fail(void)
{
    struct crypto *crypto;
    assert_int_equal(crypto_new(&crypto), STATUS_OK);
    return crypto;
}

static uint64_t crc_of(enum checksum_kind kind, struct span bytes)
{
    struct checksum checksum;
    assert_int_equal(checksum_init(&checksum, kind, NULL, NULL), STATUS_OK);
    checksum_update(&checksum, bytes);
    return checksum.crc;
}

/* The definition, one bit at a time. */
static uint64_t crc_by_bits(uint64_t polynomial, int width, struct span bytes)
{
    uint64_t ones = UINT64_MAX >> (64 - width);
    uint64_t crc = ones;
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ polynomial : crc >> 1;
        }
    }
    return crc ^ ones;
}

static void fill(char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (char)(i * i * 7 + i * 13 + 200);
    }
}

static void the_check_values_are_those_of_the_catalogues(void **state)
{
    (void)state;
    assert_int_equal(crc_of(CHECKSUM_CRC32, SPAN_LIT("123456789")), 0xcbf43926);
    assert_int_equal(crc_of(CHECKSUM_CRC32C, SPAN_LIT("123456789")), 0xe3069283);
    assert_true(crc_of(CHECKSUM_CRC64NVME, SPAN_LIT("123456789")) == UINT64_C(0xae8b14860a799888));
}

/* What boto3 and the AWS CRT send for these bodies. */
static void texts_are_what_the_clients_send(void **state)
{
    (void)state;
    static const struct {
        enum checksum_kind kind;
        const char *body;
        const char *text;
    } cases[] = {
        {CHECKSUM_CRC32, "hello", "NhCmhg=="},
        {CHECKSUM_CRC32, "", "AAAAAA=="},
        {CHECKSUM_CRC32C, "hello", "mnG7TA=="},
        {CHECKSUM_CRC64NVME, "hello", "M3eFcAZSQlc="},
        {CHECKSUM_CRC64NVME, "", "AAAAAAAAAAA="},
        {CHECKSUM_SHA1, "hello", "qvTGHdzF6KLavt4PO0gs2a6pQ00="},
        {CHECKSUM_SHA256, "hello", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="},
        {CHECKSUM_SHA256, "", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
    };
    struct crypto *crypto = crypto_or_fail();
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct checksum checksum;
        struct buf text;
        buf_init(&text, 64);
        assert_int_equal(checksum_init(&checksum, cases[i].kind, crypto, NULL), STATUS_OK);
        checksum_update(&checksum, span_from_cstr(cases[i].body));
        checksum_finish(&checksum, &text);
        assert_string_equal(buf_cstr(&text), cases[i].text);
        checksum_release(&checksum);
        buf_release(&text);
    }
    crypto_free(crypto);
}

static void crcs_of_every_length_and_alignment_follow_the_definition(void **state)
{
    (void)state;
    char bytes[96];
    fill(bytes, sizeof(bytes));
    for (size_t start = 0; start < 9; start++) {
        for (size_t len = 0; start + len <= sizeof(bytes); len++) {
            struct span s = span_from(bytes + start, len);
            assert_true(crc_of(CHECKSUM_CRC32, s) == crc_by_bits(0xedb88320, 32, s));
            assert_true(crc_of(CHECKSUM_CRC32C, s) == crc_by_bits(0x82f63b78, 32, s));
            assert_true(crc_of(CHECKSUM_CRC64NVME, s) ==
                        crc_by_bits(UINT64_C(0x9a6c9329ac4bc9b5), 64, s));
        }
    }
}

static void pieces_give_the_checksum_of_the_whole(void **state)
{
    (void)state;
    struct crypto *crypto = crypto_or_fail();
    char bytes[100];
    fill(bytes, sizeof(bytes));
    for (int kind = 0; kind < CHECKSUM_KIND_COUNT; kind++) {
        struct checksum checksum;
        struct buf whole;
        struct buf pieces;
        buf_init(&whole, 64);
        buf_init(&pieces, 64);
        assert_int_equal(checksum_init(&checksum, (enum checksum_kind)kind, crypto, NULL),
                         STATUS_OK);
        checksum_update(&checksum, span_from(bytes, sizeof(bytes)));
        checksum_finish(&checksum, &whole);
        checksum_release(&checksum);
        for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
            buf_reset(&pieces);
            assert_int_equal(checksum_init(&checksum, (enum checksum_kind)kind, crypto, NULL),
                             STATUS_OK);
            checksum_update(&checksum, span_from(bytes, cut));
            checksum_update(&checksum, (struct span){NULL, 0});
            checksum_update(&checksum, span_from(bytes + cut, sizeof(bytes) - cut));
            checksum_finish(&checksum, &pieces);
            checksum_release(&checksum);
            assert_string_equal(buf_cstr(&pieces), buf_cstr(&whole));
        }
        buf_release(&whole);
        buf_release(&pieces);
    }
    crypto_free(crypto);
}

static void combined_crcs_are_those_of_the_joined_text(void **state)
{
    (void)state;
    char bytes[600];
    fill(bytes, sizeof(bytes));
    for (size_t i = 0; i < ARRAY_COUNT(crcs); i++) {
        uint64_t whole = crc_of(crcs[i], span_from(bytes, sizeof(bytes)));
        for (size_t cut = 0; cut <= sizeof(bytes); cut += cut < 20 ? 1 : 29) {
            uint64_t first = crc_of(crcs[i], span_from(bytes, cut));
            uint64_t second = crc_of(crcs[i], span_from(bytes + cut, sizeof(bytes) - cut));
            assert_true(checksum_crc_combine(crcs[i], first, second, sizeof(bytes) - cut) == whole);
        }
    }
}

/* a + (b + c) == (a + b) + c with a c of 5 GiB: lengths above 32 bits count in full. */
static void combining_holds_for_lengths_beyond_32_bits(void **state)
{
    (void)state;
    const uint64_t c_len = UINT64_C(5) << 30;
    for (size_t i = 0; i < ARRAY_COUNT(crcs); i++) {
        uint64_t a = crc_of(crcs[i], SPAN_LIT("first"));
        uint64_t b = crc_of(crcs[i], SPAN_LIT("second"));
        uint64_t c = 0;
        char zeros[5] = {0};
        uint64_t piece = crc_of(crcs[i], span_from(zeros, 5));
        /* 5 bytes of zeros, doubled 30 times. */
        c = piece;
        for (uint64_t len = 5; len < c_len; len *= 2) {
            c = checksum_crc_combine(crcs[i], c, c, len);
        }
        uint64_t bc = checksum_crc_combine(crcs[i], b, c, c_len);
        uint64_t ab = checksum_crc_combine(crcs[i], a, b, 6);
        assert_true(checksum_crc_combine(crcs[i], a, bc, 6 + c_len) ==
                    checksum_crc_combine(crcs[i], ab, c, c_len));
        assert_true(checksum_crc_combine(crcs[i], a, c, c_len) !=
                    checksum_crc_combine(crcs[i], a, c, c_len & UINT32_MAX));
    }
}

static void names_are_found_in_any_case_with_the_headers_prefix_or_without(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int kind; /* -1: none */
    } cases[] = {
        {"crc32", CHECKSUM_CRC32},
        {"CRC32C", CHECKSUM_CRC32C},
        {"x-amz-checksum-crc64nvme", CHECKSUM_CRC64NVME},
        {"X-Amz-Checksum-SHA1", CHECKSUM_SHA1},
        {"sha256", CHECKSUM_SHA256},
        {"", -1},
        {"crc", -1},
        {"crc32 ", -1},
        {"x-amz-checksum-", -1},
        {"x-amz-checksum-type", -1},
        {"x-amz-checksum-x-amz-checksum-crc32", -1},
        {"md5", -1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        enum checksum_kind kind;
        bool found = checksum_from_name(span_from_cstr(cases[i].name), &kind);
        assert_int_equal(found, cases[i].kind >= 0);
        if (found) {
            assert_int_equal(kind, cases[i].kind);
        }
    }
}

static void every_kind_has_a_name_that_finds_it_and_a_length(void **state)
{
    (void)state;
    static const size_t lengths[] = {4, 4, 8, 20, 32};
    for (int i = 0; i < CHECKSUM_KIND_COUNT; i++) {
        enum checksum_kind kind;
        assert_true(
            checksum_from_name(span_from_cstr(checksum_name((enum checksum_kind)i)), &kind));
        assert_int_equal(kind, i);
        assert_int_equal(checksum_bytes(kind), lengths[i]);
    }
}

static void crc_texts_read_back_and_others_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "", "NhCmh", "NhCmhgA=", "AAAAAAAAAAA=", "N*CmhA==", "36 10 a6 86"};
    struct buf text;
    uint64_t crc = 0;
    buf_init(&text, 64);
    assert_true(checksum_crc_parse(CHECKSUM_CRC32, SPAN_LIT("NhCmhg=="), &crc));
    assert_int_equal(crc, 0x3610a686);
    for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
        assert_false(checksum_crc_parse(CHECKSUM_CRC32, span_from_cstr(refused[i]), &crc));
    }
    assert_int_equal(crc, 0x3610a686);
    checksum_crc_append(CHECKSUM_CRC64NVME, UINT64_C(0xae8b14860a799888), &text);
    assert_true(checksum_crc_parse(CHECKSUM_CRC64NVME, buf_span(&text), &crc));
    assert_true(crc == UINT64_C(0xae8b14860a799888));
    buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_values_are_those_of_the_catalogues),
        cmocka_unit_test(texts_are_what_the_clients_send),
        cmocka_unit_test(crcs_of_every_length_and_alignment_follow_the_definition),
        cmocka_unit_test(pieces_give_the_checksum_of_the_whole),
        cmocka_unit_test(combined_crcs_are_those_of_the_joined_text),
        cmocka_unit_test(combining_holds_for_lengths_beyond_32_bits),
        cmocka_unit_test(names_are_found_in_any_case_with_the_headers_prefix_or_without),
        cmocka_unit_test(every_kind_has_a_name_that_finds_it_and_a_length),
        cmocka_unit_test(crc_texts_read_back_and_others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
