/* S3's XML as AWS writes it (specs/aws-s3.md sections 3 and 4), and what is none. */
#include "s3_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define XML   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
#define XMLNS " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""
#define DATE  "<LastModified>2026-01-02T03:04:05.000Z</LastModified>"
#define ETAG  "<ETag>&quot;e1&quot;</ETag>"
#define OBJECT(key, size)                                                                          \
    "<Contents><Key>" key "</Key>" DATE ETAG "<Size>" size                                         \
    "</Size><StorageClass>STANDARD</StorageClass></Contents>"
#define PREFIX(prefix) "<CommonPrefixes><Prefix>" prefix "</Prefix></CommonPrefixes>"
#define LIST(body)     XML "<ListBucketResult" XMLNS "><Name>b</Name>" body "</ListBucketResult>"

enum { line_max = 4096 };

/* "key size etag modified; prefix/; " and "+token" when there is a next page. */
static void print_page(const struct s3_page *page, char out[line_max])
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < page->count; i++) {
        const struct s3_listed *item = &page->items[i];
        if (item->is_prefix) {
            used += (size_t)snprintf(out + used, line_max - used, "%.*s; ", SPAN_ARG(item->key));
        } else {
            used += (size_t)snprintf(out + used, line_max - used, "%.*s %llu %.*s %lld; ",
                                     SPAN_ARG(item->key), (unsigned long long)item->size,
                                     SPAN_ARG(item->etag), (long long)item->modified_ms);
        }
    }
    if (page->truncated) {
        snprintf(out + used, line_max - used, "+%.*s", SPAN_ARG(page->next_token));
    }
}

static void pages_of_a_listing_are_read_in_key_order(void **state)
{
    static const struct {
        const char *body;
        const char *expected;
    } cases[] = {
        {LIST("<KeyCount>0</KeyCount><IsTruncated>false</IsTruncated>"), ""},
        {LIST(OBJECT("a", "7")), "a 7 e1 1767323045000; "},
        {LIST("<IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</"
              "NextContinuationToken>" OBJECT("a", "0")),
         "a 0 e1 1767323045000; +t+/="},
        /* Prefixes come behind the keys in the document, not in the listing. */
        {LIST("<Prefix>x</Prefix><Delimiter>/</Delimiter>" OBJECT("b", "1") OBJECT("d", "2")
                  PREFIX("a/") PREFIX("c/")),
         "a/; b 1 e1 1767323045000; c/; d 2 e1 1767323045000; "},
        {LIST("<EncodingType>url</EncodingType>" OBJECT("t%2Bp+q/%C3%A9%25", "1")),
         "t+p q/\xc3\xa9% 1 e1 1767323045000; "},
        {LIST(OBJECT("t%2Bp+q", "1") "<EncodingType>url</EncodingType>"),
         "t+p q 1 e1 1767323045000; "},
        {LIST(OBJECT("t%2Bp+q &lt;&amp;&#10;", "1")), "t%2Bp+q <&\n 1 e1 1767323045000; "},
        {LIST("<Unknown><Key>not this</Key></Unknown>" OBJECT("18446744073709551615",
                                                              "18446744073709551615")),
         "18446744073709551615 18446744073709551615 e1 1767323045000; "},
        {LIST("<Contents><Key>a</Key><ETag>e1</ETag></Contents><Contents><Key>b</Key><ETag>"
              "&quot;</ETag></Contents><Contents><Key>c</Key><ETag>&quot;e</ETag></Contents>"
              "<Contents><Key>d</Key><ETag>e&quot;</ETag></Contents>"),
         "a 0 e1 0; b 0 \" 0; c 0 \"e 0; d 0 e\" 0; "},
        {"<ListBucketResult><Contents><Key>a</Key><Owner><ID>i</ID></Owner></Contents>"
         "</ListBucketResult>",
         "a 0  0; "},
        {XML "<ListAllMyBucketsResult" XMLNS "><Owner><ID>o</ID></Owner><Buckets>"
             "<Bucket><Name>zz</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>"
             "<Bucket><Name>aa</Name></Bucket></Buckets></ListAllMyBucketsResult>",
         "aa 0  0; zz 0  1767323045000; "},
    };
    struct s3_page page;
    (void)state;
    s3_page_init(&page);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char line[line_max];
        struct error err = ERROR_NONE;
        if (s3_answer_list(span_from_cstr(cases[i].body), &page, &err) != STATUS_OK) {
            fail_msg("case %zu: %s", i, err.message);
        }
        print_page(&page, line);
        assert_string_equal(line, cases[i].expected);
    }
    s3_page_release(&page);
}

static void what_is_no_listing_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "{}",
        "<html><body>502</body></html>",
        XML "<Error><Code>NoSuchBucket</Code></Error>",
        "<ListBucketResult>",
        "<ListBucketResult></ListBucketResult><more/>",
        LIST("<Contents><Key>a</Key><Size>-1</Size></Contents>"),
        LIST("<Contents><Key>a</Key><Size>1e3</Size></Contents>"),
        LIST("<Contents><Key>a</Key><LastModified>yesterday</LastModified></Contents>"),
        LIST("<Contents><Size>1</Size></Contents>"),
        LIST("<CommonPrefixes/>"),
        LIST("<CommonPrefixes><Prefix></Prefix></CommonPrefixes>"),
        LIST("<Contents><Size>x</Size><Size>1</Size><Key>a</Key></Contents>"),
        LIST("<Contents><Key>a</Key></Contents><Contents/>" OBJECT("b", "1")),
        LIST("<EncodingType>url</EncodingType>" OBJECT("%zz", "1") OBJECT("b", "1")),
        LIST("<aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
             "a/>"),
        LIST("<EncodingType>url</EncodingType>" OBJECT("%zz", "1")),
        LIST("<EncodingType>url</EncodingType>" OBJECT("%00", "1")),
        LIST("<EncodingType>url</EncodingType>" OBJECT("%FF", "1")),
        LIST("<IsTruncated>true</IsTruncated>" OBJECT("a", "1")), /* and no way on */
        "<!DOCTYPE a [<!ENTITY e \"x\">]><ListBucketResult>&e;</ListBucketResult>",
        "<a><b><c><d><e><f><g><h><i><j><k><l><m/></l></k></j></i></h></g></f></e></d></c></b></a>",
    };
    struct s3_page page;
    (void)state;
    s3_page_init(&page);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error err = ERROR_NONE;
        if (s3_answer_list(span_from_cstr(cases[i]), &page, &err) != STATUS_INVALID) {
            fail_msg("case %zu is taken: %s", i, cases[i]);
        }
        assert_int_equal(page.count, 0);
        assert_string_not_equal(err.message, "");
    }
    s3_page_release(&page);
}

static void a_text_that_never_ends_is_refused(void **state)
{
    struct s3_page page;
    struct error err;
    struct buf body;
    (void)state;
    s3_page_init(&page);
    buf_init(&body, S3_ANSWER_TEXT_BYTES_MAX * 2);
    BUF_APPEND_LIT(&body, "<ListBucketResult><Contents><Key>");
    for (int i = 0; i <= S3_ANSWER_TEXT_BYTES_MAX; i++) {
        buf_append_byte(&body, 'k');
    }
    BUF_APPEND_LIT(&body, "</Key></Contents></ListBucketResult>");
    assert_true(buf_ok(&body));
    assert_int_equal(s3_answer_list(buf_span(&body), &page, &err), STATUS_INVALID);
    buf_release(&body);
    s3_page_release(&page);
}

static void errors_give_code_words_and_region(void **state)
{
    struct s3_error_answer answer;
    (void)state;
    assert_int_equal(
        s3_answer_error(
            SPAN_LIT(XML
                     "<Error><Code>AuthorizationHeaderMalformed</Code><Message>The authorization "
                     "header is malformed; the region 'x' is wrong; expecting 'eu-west-1'"
                     "</Message><Region>eu-west-1</Region><RequestId>1</RequestId></Error>"),
            &answer),
        STATUS_OK);
    assert_string_equal(answer.code, "AuthorizationHeaderMalformed");
    assert_string_equal(answer.region, "eu-west-1");
    assert_int_equal(
        s3_answer_error(SPAN_LIT("<Error><Code>A</Code><Message>\xc2\x9b[2J&#9;</Message></Error>"),
                        &answer),
        STATUS_OK);
    assert_string_equal(answer.message, "\\u009b[2J\\x09");
    assert_string_equal(answer.region, "");
    assert_int_equal(
        s3_answer_error(SPAN_LIT("<Error><Code>"
                                 "0123456789012345678901234567890123456789012345678901234567890123"
                                 "</Code><Region></Region></Error>"),
                        &answer),
        STATUS_OK);
    assert_string_equal(answer.code, /* cut, not overrun */
                        "012345678901234567890123456789012345678901234567890123456789012");
    assert_string_equal(answer.region, "");
    assert_int_equal(s3_answer_error(SPAN_LIT(""), &answer), STATUS_INVALID);
    assert_int_equal(s3_answer_error(SPAN_LIT("<Error><Code>A</Code>"), &answer), STATUS_INVALID);
    assert_string_equal(answer.code, "");
    assert_int_equal(s3_answer_error(SPAN_LIT(LIST("")), &answer), STATUS_INVALID);
}

static void the_upload_id_is_found_or_missed(void **state)
{
    char id[S3_UPLOAD_ID_BYTES];
    struct error err;
    (void)state;
    assert_int_equal(
        s3_answer_upload_id(SPAN_LIT(XML "<InitiateMultipartUploadResult" XMLNS
                                         "><Bucket>b</Bucket><Key>k</Key><UploadId>u.1_-</UploadId>"
                                         "</InitiateMultipartUploadResult>"),
                            id, &err),
        STATUS_OK);
    assert_string_equal(id, "u.1_-");
    static const char *const cases[] = {
        "",
        "<InitiateMultipartUploadResult/>",
        "<InitiateMultipartUploadResult><UploadId></UploadId></InitiateMultipartUploadResult>",
        "<Other><UploadId>u</UploadId></Other>",
        "<InitiateMultipartUploadResult><UploadId></UploadId><UploadId>u</UploadId>"
        "</InitiateMultipartUploadResult>",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(s3_answer_upload_id(span_from_cstr(cases[i]), id, &err), STATUS_INVALID);
    }
    for (int len = S3_UPLOAD_ID_BYTES - 1; len <= S3_UPLOAD_ID_BYTES; len++) {
        char body[2048];
        snprintf(body, sizeof(body),
                 "<InitiateMultipartUploadResult><UploadId>%0*d</UploadId>"
                 "</InitiateMultipartUploadResult>",
                 len, 1);
        assert_int_equal(s3_answer_upload_id(span_from_cstr(body), id, &err),
                         len < S3_UPLOAD_ID_BYTES ? STATUS_OK : STATUS_INVALID);
    }
}

static void times_are_read_and_nothing_else(void **state)
{
    static const struct {
        const char *text;
        int64_t iso; /* -1: it is none */
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-01-02T03:04:05.678Z", INT64_C(1767323045678)},
        {"2024-02-29T23:59:59.000Z", INT64_C(1709251199000)},
        {"Fri, 02 Jan 2026 03:04:05 GMT", -1},
        {"2026-01-02T03:04:05", -1},
        {"2026-13-02T03:04:05Z", -1},
        {"2026-01-02 03:04:05Z", -1},
        {"2026-01-02T03:04:05.6Z", -1},
        {"2026-01-02T25:04:05.000Z", -1},
        {"2026-00-02T03:04:05Z", -1},
        {"2026-01-00T03:04:05Z", -1},
        {"2026-01-32T03:04:05Z", -1},
        {"2026-01-02T24:04:05Z", -1},
        {"2026-01-02T03:60:05Z", -1},
        {"2026-01-02T03:04:61Z", -1},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000)}, /* a second that was put in */
        {"2026/01-02T03:04:05Z", -1},
        {"2026-01/02T03:04:05Z", -1},
        {"2026-01-02t03:04:05Z", -1},
        {"2026-01-02T03-04:05Z", -1},
        {"2026-01-02T03:04-05Z", -1},
        {"2026-01-02T03:04:5Z", -1},
        {"2026-01-02T03:04:", -1},
        {"2026-01-02T03:04:05.123", -1},
        {"2026-01-02T03:04:05.12xZ", -1},
        {"2026-01-02T03:04:05z", -1},
        {"x026-01-02T03:04:05Z", -1},
        {"", -1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        int64_t iso = -1;
        bool is_iso = s3_time_iso(span_from_cstr(cases[i].text), &iso);
        if (is_iso != (cases[i].iso >= 0) || (is_iso && iso != cases[i].iso)) {
            fail_msg("\"%s\": %lld", cases[i].text, (long long)iso);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_a_listing_are_read_in_key_order),
        cmocka_unit_test(what_is_no_listing_is_refused),
        cmocka_unit_test(a_text_that_never_ends_is_refused),
        cmocka_unit_test(errors_give_code_words_and_region),
        cmocka_unit_test(the_upload_id_is_found_or_missed),
        cmocka_unit_test(times_are_read_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
