/* ListParts and ListMultipartUploads. */
#include "s3_uploads.h"
#include "s3_xml_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { text_max = 1024 * 1024, pages_max = 100 };

/* The reply's elements of one name, one child of each, in order: "a b c". */
static void gather(struct s3_fixture *f, const char *element, const char *child, struct buf *out)
{
    struct arena arena;
    arena_init(&arena, 64 * text_max);
    const struct s3_xml_node *root = s3_xml_read(&arena, buf_span(&f->body), &(bool){false});
    assert_non_null(root);
    for (const struct s3_xml_node *n = root->children; n != NULL; n = n->next) {
        if (span_equal_cstr(n->name, element)) {
            buf_printf(out, "%s%.*s", out->len > 0 ? " " : "",
                       SPAN_ARG(s3_xml_child(n, child)->text));
        }
    }
    arena_release(&arena);
}

static void assert_gathered(struct s3_fixture *f, const char *element, const char *child,
                            const char *expected)
{
    struct buf out;
    buf_init(&out, text_max);
    gather(f, element, child, &out);
    assert_string_equal(buf_cstr(&out), expected);
    buf_release(&out);
}

/* --- ListParts --- */

static void parts_are_listed_as_the_real_one_does(void **state)
{
    struct s3_fixture *f = *state;
    static const char *const headers[] = {"x-amz-checksum-algorithm: CRC32", NULL};
    char id[s3_upload_id_bytes];
    char expected[2048];
    s3_upload_begin(f, "a+b", headers, id);
    s3_upload_part_put(f, "a+b", id, 7, SPAN_LIT("hello"), "x-amz-checksum-crc32: NhCmhg==");
    s3_assert_status(f, 200);
    s3_upload_do(f, "GET", "a+b", id);
    s3_assert_status(f, 200);
    s3_assert_header(f, "Content-Type", "application/xml");
    struct span owner = s3_reply_element(f, "Owner");
    assert_true(owner.len > 64);
    snprintf(expected, sizeof(expected),
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<ListPartsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
             "<Bucket>bkt</Bucket><Key>a+b</Key><UploadId>%s</UploadId>"
             "<Initiator>%.*s</Initiator><Owner>%.*s</Owner><StorageClass>STANDARD</StorageClass>"
             "<PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>7</NextPartNumberMarker>"
             "<MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated>"
             "<Part><PartNumber>7</PartNumber><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
             "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag><Size>5</Size>"
             "<ChecksumCRC32>NhCmhg==</ChecksumCRC32></Part>"
             "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType>"
             "</ListPartsResult>",
             id, SPAN_ARG(owner), SPAN_ARG(owner));
    s3_assert_body(f, expected);
}

static void get_parts(struct s3_fixture *f, const char *id, const char *more)
{
    char target[512];
    snprintf(target, sizeof(target), "/bkt/k?uploadId=%s%s", id, more);
    s3_get(f, target);
}

static void parts_come_in_pages(void **state)
{
    static const struct {
        const char *more;
        const char *numbers;
        const char *next;
        const char *truncated;
    } cases[] = {
        {"", "1 2 5 9 10000", "10000", "false"},
        {"&max-parts=2", "1 2", "2", "true"},
        {"&max-parts=2&part-number-marker=2", "5 9", "9", "true"},
        {"&max-parts=2&part-number-marker=9", "10000", "10000", "false"},
        {"&max-parts=5", "1 2 5 9 10000", "10000", "false"},
        {"&part-number-marker=3", "5 9 10000", "10000", "false"},
        {"&part-number-marker=10000", "", "0", "false"},
        {"&part-number-marker=2147483647", "", "0", "false"},
        {"&max-parts=0", "", "0", "false"},
        {"&max-parts=&part-number-marker=", "1 2 5 9 10000", "10000", "false"},
    };
    struct s3_fixture *f = *state;
    static const int numbers[] = {9, 1, 10000, 5, 2};
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
        s3_upload_part_pattern(f, "k", id, numbers[i], 3);
    }
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        get_parts(f, id, cases[i].more);
        s3_assert_status(f, 200);
        assert_gathered(f, "Part", "PartNumber", cases[i].numbers);
        s3_assert_element(f, "NextPartNumberMarker", cases[i].next);
        s3_assert_element(f, "IsTruncated", cases[i].truncated);
    }
    get_parts(f, id, "&max-parts=5000");
    s3_assert_element(f, "MaxParts", "1000");
}

static void bad_numbers_are_refused(void **state)
{
    static const char *const cases[] = {"&max-parts=-1", "&max-parts=x", "&part-number-marker=-1",
                                        "&part-number-marker=1e3",
                                        "&part-number-marker=2147483648"};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        get_parts(f, id, cases[i]);
        s3_assert_error(f, 400, "InvalidArgument");
    }
    s3_get(f, "/bkt?uploads&max-uploads=-1");
    s3_assert_error(f, 400, "InvalidArgument");
    s3_get(f, "/bkt?uploads&encoding-type=x");
    s3_assert_error(f, 400, "InvalidArgument");
    s3_get(f, "/none?uploads");
    s3_assert_error(f, 404, "NoSuchBucket");
}

/* --- ListMultipartUploads --- */

static void an_upload_is_listed_as_the_real_one_does(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    char expected[2048];
    s3_upload_begin(f, "dir/a%2Bb", NULL, id);
    s3_get(f, "/bkt?uploads");
    s3_assert_status(f, 200);
    struct span owner = s3_reply_element(f, "Owner");
    snprintf(expected, sizeof(expected),
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
             "<ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
             "<Bucket>bkt</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker>"
             "<Prefix></Prefix><MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>"
             "<Upload><Key>dir/a+b</Key><UploadId>%s</UploadId><Initiator>%.*s</Initiator>"
             "<Owner>%.*s</Owner><StorageClass>STANDARD</StorageClass>"
             "<Initiated>2026-01-02T03:04:05.000Z</Initiated></Upload>"
             "</ListMultipartUploadsResult>",
             id, SPAN_ARG(owner), SPAN_ARG(owner));
    s3_assert_body(f, expected);
    s3_get(f, "/bkt?uploads&encoding-type=url");
    assert_gathered(f, "Upload", "Key", "dir/a%2Bb");
    s3_assert_element(f, "EncodingType", "url");
}

static void uploads_are_rolled_up_and_paged_by_key(void **state)
{
    static const char *const keys[] = {"b",     "a/2", "a/1", "a0",
                                       "c/x/1", "d",   "a"}; /* a0: right behind all of a/ */
    static const struct {
        const char *more;
        const char *keys;
        const char *prefixes;
        const char *next;
    } cases[] = {
        {"", "a a/1 a/2 a0 b c/x/1 d", "", ""},
        {"&delimiter=/", "a a0 b d", "a/ c/", ""},
        {"&delimiter=/&max-uploads=2", "a", "a/", "a/"},
        {"&delimiter=/&max-uploads=2&key-marker=a/", "a0 b", "", "b"},
        {"&delimiter=/&max-uploads=2&key-marker=c/", "d", "", ""},
        {"&delimiter=/&key-marker=a/1", "a0 b d", "c/", ""},
        {"&prefix=a", "a a/1 a/2 a0", "", ""},
        {"&prefix=a/", "a/1 a/2", "", ""},
        {"&prefix=a/&max-uploads=1", "a/1", "", "a/1"},
        {"&prefix=c&delimiter=/", "", "c/", ""},
        {"&prefix=a&key-marker=b", "", "", ""},
        {"&prefix=b&key-marker=a", "b", "", ""},
        {"&key-marker=b", "c/x/1 d", "", ""},
        {"&upload-id-marker=zzz", "a a/1 a/2 a0 b c/x/1 d", "", ""},
        {"&max-uploads=0", "", "", ""},
    };
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        s3_upload_begin(f, keys[i], NULL, id);
    }
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char target[256];
        snprintf(target, sizeof(target), "/bkt?uploads%s", cases[i].more);
        s3_get(f, target);
        s3_assert_status(f, 200);
        assert_gathered(f, "Upload", "Key", cases[i].keys);
        assert_gathered(f, "CommonPrefixes", "Prefix", cases[i].prefixes);
        s3_assert_element(f, "NextKeyMarker", cases[i].next);
        s3_assert_element(f, "IsTruncated", cases[i].next[0] != '\0' ? "true" : "false");
    }
}

static void uploads_of_one_key_are_in_the_order_of_their_beginning(void **state)
{
    struct s3_fixture *f = *state;
    struct buf expected;
    struct buf seen;
    char id[s3_upload_id_bytes];
    buf_init(&expected, text_max);
    buf_init(&seen, text_max);
    s3_upload_begin(f, "a", NULL, id);
    for (int i = 0; i < 7; i++) {
        s3_upload_begin(f, "k", NULL, id);
        buf_printf(&expected, "%s%s", i > 0 ? " " : "", id);
        env_advance(&f->env, 1000);
    }
    char target[512] = "/bkt?uploads&max-uploads=2&key-marker=a";
    for (int page = 0; page < pages_max; page++) {
        s3_get(f, target);
        s3_assert_status(f, 200);
        gather(f, "Upload", "UploadId", &seen);
        if (span_equal_cstr(s3_reply_element(f, "IsTruncated"), "false")) {
            break;
        }
        s3_assert_element(f, "NextKeyMarker", "k");
        snprintf(target, sizeof(target),
                 "/bkt?uploads&max-uploads=2&key-marker=k&upload-id-marker=%.*s",
                 SPAN_ARG(s3_reply_element(f, "NextUploadIdMarker")));
    }
    assert_string_equal(buf_cstr(&seen), buf_cstr(&expected));
    buf_release(&expected);
    buf_release(&seen);
}

static void uploads_that_ended_are_not_listed(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "completed", NULL, id);
    s3_upload_part_put(f, "completed", id, 1, SPAN_LIT("hello"), NULL);
    s3_upload_finish(f, "completed", id,
                     "<Part><PartNumber>1</PartNumber><ETag>5d41402abc4b2a76b9719d911017c592</ETag>"
                     "</Part>");
    s3_assert_status(f, 200);
    s3_upload_begin(f, "aborted", NULL, id);
    s3_upload_do(f, "DELETE", "aborted", id);
    s3_upload_begin(f, "open", NULL, id);
    s3_get(f, "/bkt?uploads");
    assert_gathered(f, "Upload", "Key", "open");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(parts_are_listed_as_the_real_one_does),
        TEST(parts_come_in_pages),
        TEST(bad_numbers_are_refused),
        TEST(an_upload_is_listed_as_the_real_one_does),
        TEST(uploads_are_rolled_up_and_paged_by_key),
        TEST(uploads_of_one_key_are_in_the_order_of_their_beginning),
        TEST(uploads_that_ended_are_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
