#include "base64.h"
#include "checksum.h"
#include "s3_fixture.h"
#include "s3_xml_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { text_max = 4 * 1024 * 1024 };

#define NAMESPACE " xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

/* "Content-MD5: ..." of the body. */
static void md5_line(struct s3_fixture *f, struct span body, struct buf *out)
{
    assert_int_equal(crypto_ready(f->crypto, NULL), STATUS_OK);
    struct digest_value md5 = digest_of(f->crypto, DIGEST_MD5, body);
    buf_reset(out);
    BUF_APPEND_LIT(out, "Content-MD5: ");
    base64_encode(digest_span(&md5), out);
}

static void delete_text(struct s3_fixture *f, const char *body)
{
    struct buf line;
    buf_init(&line, text_max);
    md5_line(f, span_from_cstr(body), &line);
    struct s3_ask ask = {.method = "POST",
                         .target = "/bkt?delete",
                         .headers = {buf_cstr(&line)},
                         .body = span_from_cstr(body)};
    s3_ask(f, &ask);
    buf_release(&line);
}

static bool is_there(struct s3_fixture *f, const char *target)
{
    s3_do(f, "HEAD", target);
    assert_true(f->status == 200 || f->status == 404);
    return f->status == 200;
}

#define DELETE_RESULT(inner)                                                                       \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<DeleteResult" NAMESPACE ">" inner                \
    "</DeleteResult>"

static void keys_are_deleted_and_named_whether_they_were_there_or_not(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "1");
    s3_put(f, "/bkt/dir/b%2Bc", "2");
    s3_put(f, "/bkt/d", "3");
    delete_text(f, "<Delete" NAMESPACE "><Object><Key>a</Key></Object>"
                   "<Object><Key>dir/b+c</Key></Object><Object><Key>none</Key></Object></Delete>");
    s3_assert_status(f, 200);
    s3_assert_header(f, "Content-Type", "application/xml");
    s3_assert_body(f, DELETE_RESULT("<Deleted><Key>a</Key></Deleted>"
                                    "<Deleted><Key>dir/b+c</Key></Deleted>"
                                    "<Deleted><Key>none</Key></Deleted>"));
    assert_false(is_there(f, "/bkt/a"));
    assert_false(is_there(f, "/bkt/dir/b%2Bc"));
    assert_true(is_there(f, "/bkt/d"));
}

static void a_quiet_request_names_only_failures(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "1");
    delete_text(f, "<Delete><Quiet>true</Quiet><Object><Key>a</Key></Object></Delete>");
    s3_assert_status(f, 200);
    s3_assert_body(f, DELETE_RESULT(""));
    assert_false(is_there(f, "/bkt/a"));
}

static void a_version_that_cannot_be_is_an_error_of_its_key_alone(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "1");
    s3_put(f, "/bkt/b", "2");
    delete_text(f, "<Delete><Object><Key>a</Key><VersionId>3HL4kqt</VersionId></Object>"
                   "<Object><Key>b</Key><VersionId>null</VersionId></Object></Delete>");
    s3_assert_status(f, 200);
    s3_assert_body(f,
                   DELETE_RESULT("<Error><Key>a</Key><VersionId>3HL4kqt</VersionId>"
                                 "<Code>NoSuchVersion</Code>"
                                 "<Message>The specified version does not exist.</Message></Error>"
                                 "<Deleted><Key>b</Key><VersionId>null</VersionId></Deleted>"));
    assert_true(is_there(f, "/bkt/a"));
    assert_false(is_there(f, "/bkt/b"));
}

static void a_named_etag_guards_its_object(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "hello");
    s3_put(f, "/bkt/b", "hello");
    delete_text(f, "<Delete><Object><Key>a</Key><ETag>\"0000\"</ETag></Object><Object><Key>b</Key>"
                   "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag></Object>"
                   "<Object><Key>c</Key><ETag>\"0000\"</ETag></Object></Delete>");
    s3_assert_status(f, 200);
    s3_assert_element(f, "Code", "PreconditionFailed");
    assert_true(is_there(f, "/bkt/a"));
    assert_false(is_there(f, "/bkt/b"));
}

static void conditions_of_directory_buckets_are_errors_of_their_keys(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "hello");
    s3_put(f, "/bkt/b", "hello");
    delete_text(f, "<Delete><Object><Key>a</Key><Size>5</Size></Object><Object><Key>b</Key>"
                   "<LastModifiedTime>2026-01-02T03:04:05Z</LastModifiedTime></Object></Delete>");
    s3_assert_status(f, 200);
    s3_assert_element(f, "Code", "NotImplemented");
    assert_true(is_there(f, "/bkt/a"));
    assert_true(is_there(f, "/bkt/b"));
}

static void a_key_that_is_too_long_is_an_error_of_its_own(void **state)
{
    struct s3_fixture *f = *state;
    struct buf body;
    buf_init(&body, text_max);
    BUF_APPEND_LIT(&body, "<Delete><Object><Key>");
    for (int i = 0; i < STORE_KEY_BYTES_MAX + 1; i++) {
        buf_append_byte(&body, 'k');
    }
    BUF_APPEND_LIT(&body, "</Key></Object><Object><Key>a</Key></Object></Delete>");
    s3_put(f, "/bkt/a", "1");
    delete_text(f, buf_cstr(&body));
    s3_assert_status(f, 200);
    s3_assert_element(f, "Code", "KeyTooLongError");
    s3_assert_element(f, "Deleted", "<Key>a</Key>");
    buf_release(&body);
}

static void keys_keep_their_blanks_and_controls(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/%20a%20", "1");
    s3_put(f, "/bkt/a", "1");
    s3_put(f, "/bkt/x%0D%0Ay", "1");
    delete_text(f, "<Delete><Object><Key> a </Key></Object>"
                   "<Object><Key>x&#13;&#10;y</Key></Object></Delete>");
    s3_assert_status(f, 200);
    assert_false(is_there(f, "/bkt/%20a%20"));
    assert_false(is_there(f, "/bkt/x%0D%0Ay"));
    assert_true(is_there(f, "/bkt/a"));
}

static void append_objects(struct buf *out, int count)
{
    BUF_APPEND_LIT(out, "<Delete>");
    for (int i = 0; i < count; i++) {
        buf_printf(out, "<Object><Key>k%d</Key></Object>", i);
    }
    BUF_APPEND_LIT(out, "</Delete>");
}

static void a_thousand_keys_go_and_one_more_is_malformed(void **state)
{
    struct s3_fixture *f = *state;
    struct buf body;
    buf_init(&body, text_max);
    s3_put(f, "/bkt/k999", "1");
    append_objects(&body, 1001);
    delete_text(f, buf_cstr(&body));
    s3_assert_error(f, 400, "MalformedXML");
    assert_true(is_there(f, "/bkt/k999"));
    buf_reset(&body);
    append_objects(&body, 1000);
    delete_text(f, buf_cstr(&body));
    s3_assert_status(f, 200);
    assert_false(is_there(f, "/bkt/k999"));
    buf_release(&body);
}

static void what_does_not_fit_the_schema_is_malformed(void **state)
{
    static const char *const cases[] = {
        "",
        "<Delete>",
        "<Delete/>",
        "<Delete><Quiet>true</Quiet></Delete>",
        "<Remove><Object><Key>a</Key></Object></Remove>",
        "<Delete><Object/></Delete>",
        "<Delete><Object><Key></Key></Object></Delete>",
        "<Delete><Object><Key>a</Key></Object><Object><VersionId>1</VersionId></Object></Delete>",
        "<!DOCTYPE Delete [<!ENTITY a 'a'>]><Delete><Object><Key>&a;</Key></Object></Delete>",
        "{\"Delete\":[\"a\"]}",
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "1");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        delete_text(f, cases[i]);
        if (f->status != 400) {
            fail_msg("%s: %d", cases[i], f->status);
        }
        s3_assert_error(f, 400, "MalformedXML");
        s3_assert_element(f, "Message",
                          "The XML you provided was not well-formed or did not validate against "
                          "our published schema");
    }
    assert_true(is_there(f, "/bkt/a"));
}

static void the_body_must_be_vouched_for(void **state)
{
    static const struct {
        const char *header;
        int status;
        const char *code;
    } cases[] = {
        {NULL, 400, "InvalidRequest"},
        {"x-amz-checksum-crc32: MIIRAw==", 400, "BadDigest"},
        {"Content-MD5: XUFAKrxLKna5cZ2REBfFkg==", 400, "BadDigest"},
        {"Content-MD5: nonsense", 400, "InvalidDigest"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "1");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct s3_ask ask = {
            .method = "POST",
            .target = "/bkt?delete",
            .headers = {cases[i].header},
            .body = SPAN_LIT("<Delete><Object><Key>a</Key></Object></Delete>"),
        };
        s3_ask(f, &ask);
        s3_assert_error(f, cases[i].status, cases[i].code);
    }
    assert_true(is_there(f, "/bkt/a"));
    struct s3_ask ask = {.method = "POST", .target = "/bkt?delete", .body = SPAN_LIT("<Delete/>")};
    s3_ask(f, &ask);
    s3_assert_element(f, "Message",
                      "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
}

/* What boto3 sends instead of Content-MD5 since 1.36. */
static void a_checksum_header_vouches_as_well(void **state)
{
    static const char body[] = "<Delete><Object><Key>a</Key></Object></Delete>";
    struct s3_fixture *f = *state;
    struct checksum checksum;
    struct buf line;
    s3_put(f, "/bkt/a", "1");
    buf_init(&line, text_max);
    assert_int_equal(checksum_init(&checksum, CHECKSUM_CRC32, f->crypto, NULL), STATUS_OK);
    checksum_update(&checksum, span_from_cstr(body));
    BUF_APPEND_LIT(&line, "x-amz-checksum-crc32: ");
    checksum_finish(&checksum, &line);
    struct s3_ask ask = {.method = "POST",
                         .target = "/bkt?delete=",
                         .headers = {"x-amz-sdk-checksum-algorithm: CRC32", buf_cstr(&line)},
                         .body = span_from_cstr(body)};
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
    assert_false(is_there(f, "/bkt/a"));
    buf_release(&line);
}

static void a_missing_bucket_is_said_first(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask ask = {.method = "POST", .target = "/none?delete", .body = SPAN_LIT("x")};
    s3_ask(f, &ask);
    s3_assert_error(f, 404, "NoSuchBucket");
}

static void a_failed_commit_deletes_nothing(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "1");
    f->commits_fail = true;
    delete_text(f, "<Delete><Object><Key>a</Key></Object></Delete>");
    s3_assert_error(f, 500, "InternalError");
    f->commits_fail = false;
    assert_true(is_there(f, "/bkt/a"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(keys_are_deleted_and_named_whether_they_were_there_or_not),
        TEST(a_quiet_request_names_only_failures),
        TEST(a_version_that_cannot_be_is_an_error_of_its_key_alone),
        TEST(a_named_etag_guards_its_object),
        TEST(conditions_of_directory_buckets_are_errors_of_their_keys),
        TEST(a_key_that_is_too_long_is_an_error_of_its_own),
        TEST(keys_keep_their_blanks_and_controls),
        TEST(a_thousand_keys_go_and_one_more_is_malformed),
        TEST(what_does_not_fit_the_schema_is_malformed),
        TEST(the_body_must_be_vouched_for),
        TEST(a_checksum_header_vouches_as_well),
        TEST(a_missing_bucket_is_said_first),
        TEST(a_failed_commit_deletes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
