#include "aws_chunked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SIGNATURE_1 "f1dd53fe72972c2afb9e5a49f2d3f5b07d4156c17589096f94b45eabb7d251ff"
#define SIGNATURE_2 "177260cb9fcf172e6316f3e67d70e147319faf484d9f0279e2200d3f735786fe"

/* What the decoder gave out; the chunks' signatures are joined by ','. */
struct seen {
    struct buf data;
    struct buf signatures;
    size_t chunks;
    size_t refuse_chunk; /* the callback says no here */
    bool refuse_data;
};

static bool take_data(void *ctx, struct span bytes)
{
    struct seen *seen = ctx;
    assert_true(bytes.len > 0);
    buf_append_span(&seen->data, bytes);
    return !seen->refuse_data;
}

static bool take_chunk_end(void *ctx, struct span signature)
{
    struct seen *seen = ctx;
    buf_append_span(&seen->signatures, signature);
    buf_append_byte(&seen->signatures, ',');
    seen->chunks++;
    return seen->chunks != seen->refuse_chunk;
}

static void seen_init(struct seen *seen)
{
    *seen = (struct seen){.chunks = 0};
    buf_init(&seen->data, 1 << 20);
    buf_init(&seen->signatures, 4096);
}

static void seen_release(struct seen *seen)
{
    buf_release(&seen->data);
    buf_release(&seen->signatures);
}

static struct aws_chunked_sink sink_of(struct seen *seen)
{
    return (struct aws_chunked_sink){take_data, take_chunk_end, seen};
}

struct good_case {
    const char *label;
    const char *body;
    const char *data;
    const char *signatures;
    const char *crc32;
    const char *trailer_signature;
};

static const struct good_case good_cases[] = {
    {"boto3 over https", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n", "hello", ",,",
     "NhCmhg==", ""},
    {"signed, no trailer",
     "5;chunk-signature=" SIGNATURE_1 "\r\nhello\r\n0;chunk-signature=" SIGNATURE_2 "\r\n\r\n",
     "hello", SIGNATURE_1 "," SIGNATURE_2 ",", "", ""},
    {"signed trailer",
     "3;chunk-signature=" SIGNATURE_1 "\r\nhel\r\n2;chunk-signature=" SIGNATURE_2
     "\r\nlo\r\n0;chunk-signature=" SIGNATURE_1
     "\r\nx-amz-checksum-crc32:NhCmhg==\r\nx-amz-trailer-signature:" SIGNATURE_2 "\r\n\r\n",
     "hello", SIGNATURE_1 "," SIGNATURE_2 "," SIGNATURE_1 ",", "NhCmhg==", SIGNATURE_2},
    {"MinIO's trailer, its line as it is signed",
     "5;chunk-signature=" SIGNATURE_1 "\r\nhello\r\n0;chunk-signature=" SIGNATURE_2
     "\r\nx-amz-checksum-crc32:NhCmhg==\n\r\nx-amz-trailer-signature:" SIGNATURE_1 "\r\n\r\n",
     "hello", SIGNATURE_1 "," SIGNATURE_2 ",", "NhCmhg==", SIGNATURE_1},
    {"empty object", "0\r\n\r\n", "", ",", "", ""},
    {"final CR LF missing", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n", "hello", ",,",
     "NhCmhg==", ""},
    {"final CR LF missing, no trailer", "5\r\nhello\r\n0\r\n", "hello", ",,", "", ""},
    {"capital digits, leading zeros", "000C\r\nhello, world\r\n000\r\n\r\n", "hello, world", ",,",
     "", ""},
    {"data that looks like the framing", "9\r\n0\r\n\r\n5\r\n\n\r\n0\r\n\r\n", "0\r\n\r\n5\r\n\n",
     ",,", "", ""},
    {"trailer in capitals with blanks", "0\r\nX-Amz-Checksum-CRC32: \t NhCmhg== \r\n\r\n", "", ",",
     "NhCmhg==", ""},
    {"the first of two equal trailers",
     "0\r\nx-amz-checksum-crc32:first\r\nx-amz-checksum-crc32:second\r\n\r\n", "", ",", "first",
     ""},
};

static void check_good(const struct good_case *c, struct aws_chunked *decoder, struct seen *seen)
{
    bool ended = aws_chunked_end(decoder);
    struct span crc32 = aws_chunked_trailer_value(decoder, "X-Amz-Checksum-Crc32");
    struct span signature = aws_chunked_trailer_value(decoder, "x-amz-trailer-signature");
    if (!ended || decoder->state != AWS_CHUNKED_DONE || decoder->decoded != strlen(c->data) ||
        strcmp(buf_cstr(&seen->data), c->data) != 0 ||
        strcmp(buf_cstr(&seen->signatures), c->signatures) != 0 ||
        !span_equal_cstr(crc32, c->crc32) || !span_equal_cstr(signature, c->trailer_signature)) {
        fail_msg("%s: ended %d, data %s, signatures %s, crc32 %.*s", c->label, ended,
                 buf_cstr(&seen->data), buf_cstr(&seen->signatures), SPAN_ARG(crc32));
    }
}

static void bodies_are_decoded_wherever_they_are_cut_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(good_cases); i++) {
        struct span body = span_from_cstr(good_cases[i].body);
        for (size_t cut = 0; cut <= body.len; cut++) {
            struct aws_chunked decoder;
            struct seen seen;
            seen_init(&seen);
            struct aws_chunked_sink sink = sink_of(&seen);
            aws_chunked_init(&decoder);
            assert_true(aws_chunked_feed(&decoder, span_first(body, cut), &sink));
            assert_true(aws_chunked_feed(&decoder, span_skip(body, cut), &sink));
            check_good(&good_cases[i], &decoder, &seen);
            seen_release(&seen);
        }
    }
}

static void bodies_are_decoded_in_pieces_of_every_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(good_cases); i++) {
        for (size_t piece = 1; piece < 9; piece++) {
            struct aws_chunked decoder;
            struct seen seen;
            seen_init(&seen);
            struct aws_chunked_sink sink = sink_of(&seen);
            aws_chunked_init(&decoder);
            struct span rest = span_from_cstr(good_cases[i].body);
            for (; rest.len > 0; rest = span_skip(rest, piece)) {
                assert_true(aws_chunked_feed(&decoder, span_first(rest, piece), &sink));
            }
            check_good(&good_cases[i], &decoder, &seen);
            seen_release(&seen);
        }
    }
}

/* Feeds the body byte by byte and tells whether it was taken to its end. */
static bool is_taken(struct span body, struct seen *seen)
{
    struct aws_chunked decoder;
    struct aws_chunked_sink sink = sink_of(seen);
    bool fed = true;
    aws_chunked_init(&decoder);
    for (; body.len > 0; body = span_skip(body, 1)) {
        bool now = aws_chunked_feed(&decoder, span_first(body, 1), &sink);
        assert_true(fed || !now); /* bad stays bad */
        assert_int_equal(now, decoder.state != AWS_CHUNKED_BAD);
        fed = now;
    }
    bool ended = aws_chunked_end(&decoder);
    assert_int_equal(ended, decoder.state == AWS_CHUNKED_DONE);
    return fed && ended;
}

static void malformed_bodies_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "\r\n",
        "5",
        "5\r\n",
        "5\r\nhel",
        "5\r\nhello",
        "5\r\nhello\r",
        "5\r\nhello\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloo\r\n0\r\n\r\n",
        "5\r\nhello\rX0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "-1\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        ";chunk-signature=" SIGNATURE_1 "\r\n\r\n",
        "0;\r\n\r\n",
        "0;chunk-signature=\r\n\r\n",
        "0;chunk-signature=abc\r\n\r\n",
        "0;chunk-signature=" SIGNATURE_1 "0\r\n\r\n",
        "0;chunk-signature="
        "g1dd53fe72972c2afb9e5a49f2d3f5b07d4156c17589096f94b45eabb7d251ff\r\n\r\n",
        "0;chunk-extension=" SIGNATURE_1 "\r\n\r\n",
        "0;chunk-signature=" SIGNATURE_1 ";more\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
        "0\r\n:value\r\n\r\n",
        "0\r\nna me:value\r\n\r\n",
        "0\r\nname :value\r\n\r\n",
        "0\r\nname:va\x01lue\r\n\r\n",
        "0\r\nname:value\r\r\n\r\n",
        "0\r\nname:va\x7flue\r\n\r\n",
        "0\r\n\n\r\n\r\n",
        "0\r\nname:value",
        "0\r\nname:value\r",
        "0\r\nname:value\n",
        "0\r\n\r",
        "0\r\n\r\n\r\n",
        "0\r\n\r\nx",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct seen seen;
        seen_init(&seen);
        if (is_taken(span_from_cstr(cases[i]), &seen)) {
            fail_msg("taken: %s", cases[i]);
        }
        seen_release(&seen);
    }
}

static void every_beginning_of_a_signed_body_is_refused_but_for_the_final_line_end(void **state)
{
    (void)state;
    struct span body = span_from_cstr(good_cases[2].body);
    for (size_t len = 0; len <= body.len; len++) {
        struct seen seen;
        seen_init(&seen);
        bool taken = is_taken(span_first(body, len), &seen);
        /* Whole lines of the trailer may end it; that they are all there is the caller's check. */
        assert_int_equal(taken, seen.chunks == 3 &&
                                    span_ends_with(span_first(body, len), SPAN_LIT("\r\n")));
        seen_release(&seen);
    }
}

static void a_callback_that_says_no_stops_the_decoder(void **state)
{
    (void)state;
    struct span body = span_from_cstr(good_cases[2].body);
    for (size_t chunk = 1; chunk <= 3; chunk++) {
        struct seen seen;
        seen_init(&seen);
        seen.refuse_chunk = chunk;
        assert_false(is_taken(body, &seen));
        assert_int_equal(seen.chunks, chunk);
        seen_release(&seen);
    }
    struct seen seen;
    seen_init(&seen);
    seen.refuse_data = true;
    assert_false(is_taken(body, &seen));
    assert_int_equal(seen.data.len, 1);
    seen_release(&seen);
}

static bool trailers_taken(size_t count, size_t name_len, size_t value_len)
{
    struct buf body;
    struct seen seen;
    buf_init(&body, 1 << 16);
    seen_init(&seen);
    BUF_APPEND_LIT(&body, "0\r\n");
    for (size_t i = 0; i < count; i++) {
        for (size_t n = 0; n < name_len; n++) {
            buf_append_byte(&body, 'n');
        }
        buf_append_byte(&body, ':');
        for (size_t n = 0; n < value_len; n++) {
            buf_append_byte(&body, 'v');
        }
        BUF_APPEND_LIT(&body, "\r\n");
    }
    BUF_APPEND_LIT(&body, "\r\n");
    bool taken = is_taken(buf_span(&body), &seen);
    buf_release(&body);
    seen_release(&seen);
    return taken;
}

static void trailers_have_limits(void **state)
{
    (void)state;
    assert_true(trailers_taken(AWS_CHUNKED_TRAILERS_MAX, 1, 1));
    assert_false(trailers_taken(AWS_CHUNKED_TRAILERS_MAX + 1, 1, 1));
    assert_true(trailers_taken(1, 63, 255));
    assert_false(trailers_taken(1, 64, 1));
    assert_false(trailers_taken(1, 1, 256));
    assert_false(trailers_taken(1, 1, 5000));
}

static void a_line_that_never_ends_is_refused_at_its_limit(void **state)
{
    (void)state;
    struct aws_chunked decoder;
    struct seen seen;
    seen_init(&seen);
    struct aws_chunked_sink sink = sink_of(&seen);
    aws_chunked_init(&decoder);
    for (size_t i = 0; i < AWS_CHUNKED_LINE_BYTES_MAX; i++) {
        assert_true(aws_chunked_feed(&decoder, SPAN_LIT("0"), &sink));
    }
    assert_false(aws_chunked_feed(&decoder, SPAN_LIT("0"), &sink));
    assert_int_equal(decoder.state, AWS_CHUNKED_BAD);
    seen_release(&seen);
}

static void large_chunks_pass_through_without_being_gathered(void **state)
{
    (void)state;
    enum { chunk_bytes = 128 * 1024 };
    struct aws_chunked decoder;
    struct seen seen;
    seen_init(&seen);
    struct aws_chunked_sink sink = sink_of(&seen);
    aws_chunked_init(&decoder);
    struct buf body;
    buf_init(&body, 1 << 20);
    for (int chunk = 0; chunk < 3; chunk++) {
        BUF_APPEND_LIT(&body, "20000\r\n");
        for (int i = 0; i < chunk_bytes; i++) {
            buf_append_byte(&body, (char)(i * 7 + chunk));
        }
        BUF_APPEND_LIT(&body, "\r\n");
    }
    BUF_APPEND_LIT(&body, "0\r\n\r\n");
    for (struct span rest = buf_span(&body); rest.len > 0; rest = span_skip(rest, 65536)) {
        assert_true(aws_chunked_feed(&decoder, span_first(rest, 65536), &sink));
    }
    assert_true(aws_chunked_end(&decoder));
    assert_int_equal(decoder.decoded, 3 * chunk_bytes);
    assert_int_equal(seen.chunks, 4);
    for (size_t i = 0; i < seen.data.len; i++) {
        assert_int_equal(seen.data.ptr[i], (char)(i % chunk_bytes * 7 + i / chunk_bytes));
    }
    buf_release(&body);
    seen_release(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_are_decoded_wherever_they_are_cut_once),
        cmocka_unit_test(bodies_are_decoded_in_pieces_of_every_size),
        cmocka_unit_test(malformed_bodies_are_refused),
        cmocka_unit_test(every_beginning_of_a_signed_body_is_refused_but_for_the_final_line_end),
        cmocka_unit_test(a_callback_that_says_no_stops_the_decoder),
        cmocka_unit_test(trailers_have_limits),
        cmocka_unit_test(a_line_that_never_ends_is_refused_at_its_limit),
        cmocka_unit_test(large_chunks_pass_through_without_being_gathered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
