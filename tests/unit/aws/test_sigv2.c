#include "signed_request.h"
#include "sigv2.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
#define HOST   "Host:johnsmith.s3.amazonaws.com\n"
#define AUTH   "Authorization:AWS AKIAIOSFODNN7EXAMPLE:"

static int open_crypto(void **state)
{
    *state = signed_request_crypto();
    return 0;
}

static int close_crypto(void **state)
{
    crypto_free(*state);
    return 0;
}

/* Amazon's documented examples ("Signing and authenticating REST requests" of S3). */
static const struct signed_request documented[] = {
    {"object get", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmith",
     HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
    {"object put", "s3", "PUT", "/photos/puppy.jpg", "", "", "johnsmith",
     "Content-Type:image/jpeg\nContent-Length:94328\n" HOST
     "Date:Tue, 27 Mar 2007 21:15:45 +0000\n" AUTH "MyyxeRY7whkBe+bq8fHCL/2kKUg=\n"},
    {"list", "s3", "GET", "/", "prefix=photos&max-keys=50&marker=puppy", "", "johnsmith",
     "User-Agent:Mozilla/5.0\n" HOST "Date:Tue, 27 Mar 2007 19:42:41 +0000\n" AUTH
     "htDYFYduRNen8P9ZfE/s9SuKy0U=\n"},
    {"fetch", "s3", "GET", "/", "acl", "", "johnsmith",
     HOST "Date:Tue, 27 Mar 2007 19:44:46 +0000\n" AUTH "c2WLPFtWHVgbEmeEG93a4cG37dM=\n"},
    {"query string request", "s3", "GET", "/photos/puppy.jpg",
     "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
     "&Expires=1175139620",
     "", "johnsmith", HOST},
};

static bool fits(struct crypto *crypto, const struct signed_request *texts)
{
    struct parsed_request parsed;
    signed_request_parse(texts, &parsed);
    return signed_request_fits(crypto, &parsed.request, span_from_cstr(texts->bucket),
                               SPAN_LIT(SECRET));
}

static void documented_requests_are_taken(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(documented); i++) {
        if (!fits(*state, &documented[i])) {
            fail_msg("%s", documented[i].label);
        }
    }
}

static void what_is_signed_may_not_change(void **state)
{
    static const struct signed_request changed[] = {
        {"method", "s3", "PUT", "/photos/puppy.jpg", "", "", "johnsmith",
         HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"path", "s3", "GET", "/photos/kitten.jpg", "", "", "johnsmith",
         HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"bucket", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmyth",
         HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"moment", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmith",
         HOST "Date:Tue, 27 Mar 2007 19:36:43 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"x-amz-date beside Date", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmith",
         HOST
         "Date:Tue, 27 Mar 2007 19:36:42 +0000\nx-amz-date:Tue, 27 Mar 2007 19:36:42 GMT\n" AUTH
         "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"a sub-resource more", "s3", "GET", "/photos/puppy.jpg", "acl", "", "johnsmith",
         HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"a sub-resource less", "s3", "GET", "/", "", "", "johnsmith",
         HOST "Date:Tue, 27 Mar 2007 19:44:46 +0000\n" AUTH "c2WLPFtWHVgbEmeEG93a4cG37dM=\n"},
        {"content type", "s3", "PUT", "/photos/puppy.jpg", "", "", "johnsmith",
         "Content-Type:image/png\n" HOST "Date:Tue, 27 Mar 2007 21:15:45 +0000\n" AUTH
         "MyyxeRY7whkBe+bq8fHCL/2kKUg=\n"},
        {"content md5", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmith",
         "Content-MD5:x\n" HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH
         "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"an x-amz header more", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmith",
         "x-amz-acl:public-read\n" HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH
         "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"},
        {"the URL's end", "s3", "GET", "/photos/puppy.jpg",
         "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
         "&Expires=1175139621",
         "", "johnsmith", HOST},
        {"an x-amz parameter more", "s3", "GET", "/photos/puppy.jpg",
         "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
         "&Expires=1175139620&x-amz-acl=public-read",
         "", "johnsmith", HOST},
        {"an override more", "s3", "GET", "/photos/puppy.jpg",
         "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
         "&Expires=1175139620&response-content-type=text/html",
         "", "johnsmith", HOST},
        {"the signature", "s3", "GET", "/photos/puppy.jpg", "", "", "johnsmith",
         HOST "Date:Tue, 27 Mar 2007 19:36:42 +0000\n" AUTH "bWq2s1WEIj+Ydj0vQ697zp+IXMU\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(changed); i++) {
        if (fits(*state, &changed[i])) {
            fail_msg("taken: another %s", changed[i].label);
        }
    }
}

static void other_headers_and_parameters_do_not_count(void **state)
{
    static const struct signed_request same = {
        "more of both",
        "s3",
        "GET",
        "/photos/puppy.jpg",
        "x-id=GetObject&foo=1&bar",
        "",
        "johnsmith",
        HOST "Date: Tue, 27 Mar 2007 19:36:42 +0000 \nRange:bytes=0-1\nUser-Agent:curl\n" AUTH
             "bWq2s1WEIj+Ydj0vQ697zp+IXMU=\n"};
    assert_true(fits(*state, &same));
}

static void resources_hold_the_bucket_the_path_as_sent_and_what_counts(void **state)
{
    (void)state;
    static const struct {
        const char *bucket;
        const char *path;
        const char *query;
        const char *resource;
    } cases[] = {
        {"", "/", "", "/"},
        {"", "", "", "/"},
        {"", "/b", "", "/b/"},
        {"", "/b/", "", "/b/"},
        {"", "/b/k", "", "/b/k"},
        {"b", "/", "", "/b/"},
        {"b", "", "", "/b/"},
        {"b", "/k", "", "/b/k"},
        {"", "/b/a%20b%2Bc", "", "/b/a%20b%2Bc"},
        {"", "/b", "prefix=a&delimiter=/", "/b/"},
        {"", "/b/k", "uploadId=a%2Bb&x=1&partNumber=2", "/b/k?partNumber=2&uploadId=a+b"},
        {"", "/b/k", "uploads", "/b/k?uploads"},
        {"", "/b/k", "uploads=", "/b/k?uploads="},
        {"", "/b/k", "response-content-type=a+b&acl", "/b/k?acl&response-content-type=a b"},
        {"", "/b/k", "ACL&Acl", "/b/k"},
        {"", "/b/k", "versionId=2&versionId=1", "/b/k?versionId=2&versionId=1"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sigv4_request request = {.path = span_from_cstr(cases[i].path),
                                        .query = span_from_cstr(cases[i].query)};
        struct buf resource;
        buf_init(&resource, 256);
        sigv2_resource(span_from_cstr(cases[i].bucket), &request, &resource);
        assert_string_equal(buf_cstr(&resource), cases[i].resource);
        buf_release(&resource);
    }
}

static void the_text_that_is_signed_is_shown(void **state)
{
    static const struct signed_request texts = {
        "",
        "s3",
        "PUT",
        "/b/k",
        "",
        "",
        "",
        "x-amz-meta-b:two   spaces \nContent-Type: text/plain\nX-Amz-Meta-A:1\nContent-MD5:m==\n"
        "x-amz-date:Tue, 27 Mar 2007 19:36:42 GMT\nx-amz-meta-a:2\nDate:ignored\n"};
    struct sigv4_claim claim = {.kind = SIGV2_HEADER, .signature = SPAN_LIT("x")};
    struct parsed_request parsed;
    struct buf text;
    struct sigv4_check check = {*state, &claim, &parsed.request, SPAN_LIT(SECRET)};
    buf_init(&text, 4096);
    signed_request_parse(&texts, &parsed);
    assert_false(sigv2_claim_verify(&check, SPAN_LIT("/b/k"), &text));
    assert_string_equal(buf_cstr(&text), "PUT\nm==\ntext/plain\n\n"
                                         "x-amz-date:Tue, 27 Mar 2007 19:36:42 GMT\n"
                                         "x-amz-meta-a:1,2\nx-amz-meta-b:two   spaces\n/b/k");
    buf_release(&text);
}

static void a_text_that_does_not_fit_its_buffer_is_refused(void **state)
{
    for (size_t max = 0; max < 60; max++) {
        struct sigv4_claim claim = {.kind = SIGV2_HEADER,
                                    .signature = SPAN_LIT("bWq2s1WEIj+Ydj0vQ697zp+IXMU=")};
        struct parsed_request parsed;
        struct buf text;
        struct sigv4_check check = {*state, &claim, &parsed.request, SPAN_LIT(SECRET)};
        buf_init(&text, max);
        signed_request_parse(&documented[0], &parsed);
        assert_false(sigv2_claim_verify(&check, SPAN_LIT("/johnsmith/photos/puppy.jpg"), &text));
        buf_release(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documented_requests_are_taken),
        cmocka_unit_test(what_is_signed_may_not_change),
        cmocka_unit_test(other_headers_and_parameters_do_not_count),
        cmocka_unit_test(resources_hold_the_bucket_the_path_as_sent_and_what_counts),
        cmocka_unit_test(the_text_that_is_signed_is_shown),
        cmocka_unit_test(a_text_that_does_not_fit_its_buffer_is_refused),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
