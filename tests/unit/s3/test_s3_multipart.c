/* Multipart uploads from their beginning to the object. The digests here were computed by Python's
 * hashlib and zlib from the pattern's definition (s3_uploads.h). */
#include "s3_uploads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* pattern(5 MiB, 1), pattern(5 MiB + 3, 2), pattern(7, 3) */
#define MD5_1     "667fbd52beac8931e83b9c6b30e1c98f"
#define MD5_2     "1054f54e8ec2359a6b7c1bee5d5586cb"
#define MD5_3     "422455e832b017b19684c9f2b57516ea"
#define ETAG_123  "2121599358cc5f1da986b7555519b478-3"
#define ETAG_13   "aa384a12bf89e2810e599c5ab1ec61e0-2"
#define CRC32_1   "1JR6qg=="
#define CRC32_3   "veqg7A=="
#define MD5_HELLO "5d41402abc4b2a76b9719d911017c592"

#define PART(number, etag) "<Part><PartNumber>" #number "</PartNumber><ETag>" etag "</ETag></Part>"
#define PART_WITH(number, etag, more)                                                              \
    "<Part><PartNumber>" #number "</PartNumber><ETag>" etag "</ETag>" more "</Part>"

/* An upload of "k" with the three parts of above. */
static void upload_three(struct s3_fixture *f, char id[s3_upload_id_bytes])
{
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_pattern(f, "k", id, 1, 5 * s3_mib);
    s3_upload_part_pattern(f, "k", id, 2, 5 * s3_mib + 3);
    s3_upload_part_pattern(f, "k", id, 3, 7);
}

static void assert_gone(struct s3_fixture *f, const char *id)
{
    s3_upload_do(f, "GET", "k", id);
    s3_assert_error(f, 404, "NoSuchUpload");
}

static bool object_is_there(struct s3_fixture *f, const char *target)
{
    s3_do(f, "HEAD", target);
    return f->status == 200;
}

/* --- the plain way --- */

static void an_upload_begins_with_an_id_of_its_own(void **state)
{
    struct s3_fixture *f = *state;
    char first[s3_upload_id_bytes];
    char second[s3_upload_id_bytes];
    s3_upload_begin(f, "dir/a%2Bb", NULL, first);
    s3_assert_header(f, "Content-Type", "application/xml");
    s3_assert_element(f, "Bucket", "bkt");
    s3_assert_element(f, "Key", "dir/a+b");
    assert_non_null(strstr(buf_cstr(&f->body),
                           "<InitiateMultipartUploadResult "
                           "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"));
    s3_upload_begin(f, "dir/a%2Bb", NULL, second);
    assert_string_not_equal(first, second);
    assert_false(object_is_there(f, "/bkt/dir/a%2Bb"));
}

static void the_parts_become_the_object(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_three(f, id);
    s3_assert_header(f, "ETag", "\"" MD5_3 "\"");
    s3_assert_body(f, "");
    s3_upload_finish(f, "k", id,
                     PART(1, "\"" MD5_1 "\"") PART(2, MD5_2) PART(3, "&quot;" MD5_3 "&quot;"));
    s3_assert_status(f, 200);
    s3_assert_body(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<CompleteMultipartUploadResult "
                      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                      "<Location>http://127.0.0.1:9000/bkt/k</Location><Bucket>bkt</Bucket>"
                      "<Key>k</Key><ETag>&quot;" ETAG_123 "&quot;</ETag>"
                      "</CompleteMultipartUploadResult>");
    assert_gone(f, id);
    s3_get(f, "/bkt/k");
    s3_assert_status(f, 200);
    s3_assert_header(f, "ETag", "\"" ETAG_123 "\"");
    assert_int_equal(f->body.len, 10 * s3_mib + 10);
    size_t start = 0;
    for (unsigned part = 1; part <= 3; part++) {
        size_t len = part == 3 ? 7 : 5 * s3_mib + (part == 2 ? 3 : 0);
        struct span bytes = s3_pattern(len, part);
        assert_memory_equal(f->body.ptr + start, bytes.ptr, len);
        free((void *)(uintptr_t)bytes.ptr);
        start += len;
    }
}

static void a_part_can_be_read_by_its_number(void **state)
{
    static const struct {
        const char *target;
        const char *content_range;
        size_t len;
    } rows[] = {
        {"/bkt/k?partNumber=1", "bytes 0-5242879/10485770", 5 * s3_mib},
        {"/bkt/k?partNumber=2", "bytes 5242880-10485762/10485770", 5 * s3_mib + 3},
        {"/bkt/k?partNumber=3", "bytes 10485763-10485769/10485770", 7},
        {"/bkt/copy?partNumber=3", "bytes 10485763-10485769/10485770", 7},
    };
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_three(f, id);
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(2, MD5_2) PART(3, MD5_3));
    struct s3_ask copy = {.method = "PUT",
                          .target = "/bkt/copy",
                          .headers = {"x-amz-copy-source: /bkt/k"},
                          .body = SPAN_EMPTY};
    s3_ask(f, &copy);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        s3_get(f, rows[i].target);
        s3_assert_status(f, 206);
        s3_assert_header(f, "Content-Range", rows[i].content_range);
        s3_assert_header(f, "x-amz-mp-parts-count", "3");
        assert_int_equal(f->body.len, rows[i].len);
    }
    struct span last = s3_pattern(7, 3);
    assert_memory_equal(f->body.ptr, last.ptr, last.len);
    free((void *)(uintptr_t)last.ptr);
    s3_do(f, "HEAD", "/bkt/k?partNumber=1");
    s3_assert_header(f, "x-amz-mp-parts-count", "3");
    s3_get(f, "/bkt/k?partNumber=4");
    s3_assert_error(f, 416, "InvalidPartNumber");
    s3_assert_element(f, "ActualPartCount", "3");
    s3_get(f, "/bkt/k");
    s3_assert_header(f, "x-amz-mp-parts-count", "");
}

static void the_only_part_of_an_upload_is_the_whole(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_upload_finish(f, "k", id, PART(1, MD5_HELLO));
    s3_get(f, "/bkt/k?partNumber=1");
    s3_assert_status(f, 206);
    s3_assert_body(f, "hello");
    s3_assert_header(f, "x-amz-mp-parts-count", "1");
}

static void parts_with_unknown_boundaries_are_not_guessed(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_pattern(f, "k", id, 1, 5 * s3_mib);
    s3_upload_part_put(f, "k", id, 2, SPAN_LIT(""), NULL);
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(2, "d41d8cd98f00b204e9800998ecf8427e"));
    s3_assert_status(f, 200);
    s3_get(f, "/bkt/k?partNumber=1");
    s3_assert_error(f, 501, "NotImplemented");
    assert_true(s3_hint_says(f, "use a Range"));
}

static void the_location_names_an_encoded_key(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "dir/a%2Bb", NULL, id);
    s3_upload_part_put(f, "dir/a%2Bb", id, 1, SPAN_LIT("hello"), NULL);
    s3_upload_finish(f, "dir/a%2Bb", id, PART(1, MD5_HELLO));
    s3_assert_element(f, "Location", "http://127.0.0.1:9000/bkt/dir%2Fa%2Bb");
    s3_assert_element(f, "Key", "dir/a+b");
}

static void the_object_has_the_headers_and_the_time_of_the_beginning(void **state)
{
    static const char *const headers[] = {"Content-Type: text/x-pin", "x-amz-meta-Owner: me",
                                          "Cache-Control: no-store", NULL};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", headers, id);
    env_advance(&f->env, INT64_C(3600) * 1000000);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_upload_finish(f, "k", id, PART(1, MD5_HELLO));
    s3_assert_status(f, 200);
    s3_do(f, "HEAD", "/bkt/k");
    s3_assert_header(f, "Content-Type", "text/x-pin");
    s3_assert_header(f, "x-amz-meta-owner", "me");
    s3_assert_header(f, "Cache-Control", "no-store");
    s3_assert_header(f, "Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
}

static void parts_come_in_any_order_and_those_not_named_are_dropped(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_pattern(f, "k", id, 3, 7);
    s3_upload_part_pattern(f, "k", id, 2, 100);
    s3_upload_part_pattern(f, "k", id, 1, 5 * s3_mib);
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(3, MD5_3));
    s3_assert_status(f, 200);
    s3_do(f, "HEAD", "/bkt/k");
    s3_assert_header(f, "ETag", "\"" ETAG_13 "\"");
    assert_gone(f, id);
}

static void a_part_sent_again_replaces_the_first(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_pattern(f, "k", id, 1, 7);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_assert_header(f, "ETag", "\"" MD5_HELLO "\"");
    s3_upload_finish(f, "k", id, PART(1, MD5_HELLO));
    s3_assert_status(f, 200);
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
}

static void an_empty_part_makes_an_empty_object(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_EMPTY, NULL);
    s3_assert_status(f, 200);
    s3_assert_header(f, "ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"");
    s3_upload_finish(f, "k", id, PART(1, "d41d8cd98f00b204e9800998ecf8427e"));
    s3_assert_status(f, 200);
    s3_get(f, "/bkt/k");
    s3_assert_status(f, 200);
    s3_assert_body(f, "");
}

/* --- what cannot be completed --- */

static void a_wrong_list_of_parts_completes_nothing(void **state)
{
    static const struct {
        const char *parts;
        const char *code;
        const char *detail; /* in the body */
    } cases[] = {
        {PART(2, MD5_2) PART(1, MD5_1), "InvalidPartOrder", "<UploadId>"},
        {PART(1, MD5_1) PART(1, MD5_1), "InvalidPartOrder", "<UploadId>"},
        {PART(1, MD5_1) PART(4, MD5_3), "InvalidPart", "<PartNumber>4</PartNumber>"},
        {PART(4, MD5_1), "InvalidPart", "<PartNumber>4</PartNumber>"},
        {PART(1, MD5_1) PART(2, MD5_1), "InvalidPart",
         "<PartNumber>2</PartNumber><ETag>" MD5_1 "</ETag>"},
        {PART(1, "x"), "InvalidPart", "<ETag>x</ETag>"},
        {PART(10001, MD5_1), "InvalidPart", "<PartNumber>10001</PartNumber>"},
        {PART(0, MD5_1), "InvalidArgument", "PartNumber must be &gt;= 1"},
        {PART(-1, MD5_1), "MalformedXML", ""},
        {PART(one, MD5_1), "MalformedXML", ""},
        {PART(99999999999999999999, MD5_1), "MalformedXML", ""},
        {"<Part><PartNumber>1</PartNumber></Part>", "MalformedXML", ""},
        {"<Part><ETag>" MD5_1 "</ETag></Part>", "MalformedXML", ""},
        {"<Port/>", "MalformedXML", ""},
        {"", "MalformedXML", ""},
        {"<Part>", "MalformedXML", ""},
    };
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_three(f, id);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        s3_upload_finish(f, "k", id, cases[i].parts);
        if (f->status != 400 || strstr(buf_cstr(&f->body), cases[i].detail) == NULL) {
            fail_msg("%s: %d %s", cases[i].parts, f->status, buf_cstr(&f->body));
        }
        s3_assert_error(f, 400, cases[i].code);
    }
    assert_false(object_is_there(f, "/bkt/k"));
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(2, MD5_2) PART(3, MD5_3));
    s3_assert_status(f, 200);
}

static void a_small_part_may_only_be_the_last(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_pattern(f, "k", id, 1, 5 * s3_mib);
    s3_upload_part_put(f, "k", id, 2, SPAN_LIT("hello"), NULL);
    s3_upload_part_pattern(f, "k", id, 3, 7);
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(2, MD5_HELLO) PART(3, MD5_3));
    s3_assert_error(f, 400, "EntityTooSmall");
    s3_assert_element(f, "Message",
                      "Your proposed upload is smaller than the minimum allowed size");
    s3_assert_element(f, "ProposedSize", "5");
    s3_assert_element(f, "MinSizeAllowed", "5242880");
    s3_assert_element(f, "PartNumber", "2");
    s3_assert_element(f, "ETag", MD5_HELLO);
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(3, MD5_3));
    s3_assert_status(f, 200);
}

static void unknown_uploads_are_refused(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *code;
    } cases[] = {
        {"GET", "/bkt/k?uploadId=none", "NoSuchUpload"},
        {"DELETE", "/bkt/k?uploadId=none", "NoSuchUpload"},
        {"DELETE", "/bkt/k?uploadId=", "NoSuchUpload"},
        {"PUT", "/bkt/k?partNumber=1&uploadId=none", "NoSuchUpload"},
        {"PUT", "/none/k?partNumber=1&uploadId=none", "NoSuchBucket"},
        {"POST", "/none/k?uploads", "NoSuchBucket"},
        {"GET", "/none/k?uploadId=none", "NoSuchBucket"},
    };
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        s3_do(f, cases[i].method, cases[i].target);
        s3_assert_error(f, 404, cases[i].code);
    }
    s3_do(f, "DELETE", "/bkt/k?uploadId=none");
    s3_assert_element(f, "UploadId", "none");
    s3_upload_finish(f, "k", "none", PART(1, MD5_1));
    s3_assert_error(f, 404, "NoSuchUpload");
    /* An upload belongs to its key. */
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "other", id, 1, SPAN_LIT("hello"), NULL);
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_upload_do(f, "DELETE", "other", id);
    s3_assert_error(f, 404, "NoSuchUpload");
}

static void an_unknown_upload_is_said_before_the_body_is_looked_at(void **state)
{
    struct s3_fixture *f = *state;
    s3_upload_part_put(f, "k", "none", 1, SPAN_LIT("hallo"),
                       "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==");
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_upload_part_put(f, "k", "none", 1, SPAN_EMPTY, "Content-MD5: nonsense");
    s3_assert_error(f, 404, "NoSuchUpload");
}

static void part_numbers_go_from_1_to_10000(void **state)
{
    static const struct {
        const char *number;
        int status;
    } cases[] = {{"1", 200},  {"10000", 200}, {"0", 400}, {"10001", 400},
                 {"-1", 400}, {"x", 400},     {"", 400},  {"1.5", 400}};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char target[256];
        snprintf(target, sizeof(target), "/bkt/k?partNumber=%s&uploadId=%s", cases[i].number, id);
        s3_put(f, target, "hello");
        s3_assert_status(f, cases[i].status);
        if (f->status == 400) {
            s3_assert_error(f, 400, "InvalidArgument");
            s3_assert_element(f, "Message",
                              "Part number must be an integer between 1 and 10000, inclusive");
            s3_assert_element(f, "ArgumentValue", cases[i].number);
        }
    }
}

static void a_part_with_a_wrong_digest_is_not_kept(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hallo"), "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==");
    s3_assert_error(f, 400, "BadDigest");
    s3_upload_finish(f, "k", id, PART(1, MD5_HELLO));
    s3_assert_error(f, 400, "InvalidPart");
}

/* --- again, ended, in doubt --- */

static void completing_twice_gives_the_same_answer_twice(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_three(f, id);
    static const char parts[] = PART(1, MD5_1) PART(2, MD5_2) PART(3, MD5_3);
    s3_upload_finish(f, "k", id, parts);
    s3_assert_status(f, 200);
    struct buf first;
    buf_init(&first, 64 * 1024);
    buf_append_span(&first, buf_span(&f->body));
    s3_upload_finish(f, "k", id, parts);
    s3_assert_status(f, 200);
    s3_assert_body(f, buf_cstr(&first));
    buf_release(&first);
    s3_upload_finish(f, "k", "another", parts);
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(2, MD5_2));
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_upload_finish(f, "k", id, PART(1, "x"));
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_put(f, "/bkt/k", "another object");
    s3_upload_finish(f, "k", id, parts);
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "another object");
}

static void an_aborted_upload_is_gone(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_three(f, id);
    s3_upload_do(f, "DELETE", "k", id);
    s3_assert_status(f, 204);
    s3_assert_body(f, "");
    assert_gone(f, id);
    s3_upload_do(f, "DELETE", "k", id);
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_assert_error(f, 404, "NoSuchUpload");
    s3_upload_finish(f, "k", id, PART(1, MD5_1) PART(2, MD5_2) PART(3, MD5_3));
    s3_assert_error(f, 404, "NoSuchUpload");
    assert_false(object_is_there(f, "/bkt/k"));
    s3_get(f, "/bkt?uploads");
    s3_assert_element(f, "Upload", "");
}

static void a_failed_commit_leaves_the_upload_as_it_was(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    static const char parts[] = PART(1, MD5_1) PART(2, MD5_2) PART(3, MD5_3);
    upload_three(f, id);
    f->commits_fail = true;
    s3_upload_finish(f, "k", id, parts);
    s3_assert_error(f, 500, "InternalError");
    s3_upload_do(f, "DELETE", "k", id);
    s3_assert_error(f, 500, "InternalError");
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_assert_error(f, 500, "InternalError");
    f->commits_fail = false;
    assert_false(object_is_there(f, "/bkt/k"));
    s3_upload_finish(f, "k", id, parts);
    s3_assert_status(f, 200);
}

static void complete(struct s3_fixture *f, const char *id, const char *header, const char *parts)
{
    char target[256];
    char body[4096];
    snprintf(target, sizeof(target), "/bkt/k?uploadId=%s", id);
    snprintf(body, sizeof(body), "<CompleteMultipartUpload>%s</CompleteMultipartUpload>", parts);
    struct s3_ask ask = {
        .method = "POST", .target = target, .headers = {header}, .body = span_from_cstr(body)};
    s3_ask(f, &ask);
}

static void conditions_are_those_of_the_moment_of_completion(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_put(f, "/bkt/k", "earlier");
    complete(f, id, "If-None-Match: *", PART(1, MD5_HELLO));
    s3_assert_error(f, 412, "PreconditionFailed");
    complete(f, id, "If-Match: \"" MD5_1 "\"", PART(1, MD5_HELLO));
    s3_assert_error(f, 412, "PreconditionFailed");
    s3_do(f, "DELETE", "/bkt/k");
    complete(f, id, "If-None-Match: *", PART(1, MD5_HELLO));
    s3_assert_status(f, 200);
}

static void an_object_written_meanwhile_is_a_conflict_for_if_match(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_put(f, "/bkt/k", "hello");
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    env_advance(&f->env, 1000000);
    s3_put(f, "/bkt/k", "hello");
    complete(f, id, "If-Match: \"" MD5_HELLO "\"", PART(1, MD5_HELLO));
    s3_assert_error(f, 409, "ConditionalRequestConflict");
    s3_assert_element(f, "Condition", "If-Match");
    s3_assert_element(f, "Key", "k");
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    complete(f, id, "If-Match: \"" MD5_HELLO "\"", PART(1, MD5_HELLO));
    s3_assert_status(f, 200);
}

static void the_size_that_a_client_names_must_be_the_sum(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    complete(f, id, "x-amz-mp-object-size: 6", PART(1, MD5_HELLO));
    s3_assert_error(f, 400, "InvalidRequest");
    complete(f, id, "x-amz-mp-object-size: 5", PART(1, MD5_HELLO));
    s3_assert_status(f, 200);
}

/* --- checksums --- */

static void algorithms_and_types_are_told_apart(void **state)
{
    static const struct {
        const char *algorithm;
        const char *type;
        int status;
        const char *answered; /* the type in the answer, or the message */
    } cases[] = {
        {"CRC32", NULL, 200, "COMPOSITE"},
        {"crc32c", NULL, 200, "COMPOSITE"},
        {"CRC64NVME", NULL, 200, "FULL_OBJECT"},
        {"SHA1", NULL, 200, "COMPOSITE"},
        {"SHA256", "COMPOSITE", 200, "COMPOSITE"},
        {"CRC32", "FULL_OBJECT", 200, "FULL_OBJECT"},
        {"SHA256", "FULL_OBJECT", 400,
         "The FULL_OBJECT checksum type cannot be used with the sha256 checksum algorithm."},
        {"CRC64NVME", "COMPOSITE", 400,
         "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."},
        {"CRC32", "HALF", 400, "Value for x-amz-checksum-type header is invalid."},
        {"MD4", NULL, 400,
         "Checksum algorithm provided is unsupported. Please try again with any of the valid "
         "types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"},
        {NULL, "FULL_OBJECT", 400,
         "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm "
         "header."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char lines[2][64];
        struct s3_ask ask = {.method = "POST", .target = "/bkt/k?uploads", .body = SPAN_EMPTY};
        size_t count = 0;
        if (cases[i].algorithm != NULL) {
            snprintf(lines[0], 64, "x-amz-checksum-algorithm: %s", cases[i].algorithm);
            ask.headers[count++] = lines[0];
        }
        if (cases[i].type != NULL) {
            snprintf(lines[1], 64, "x-amz-checksum-type: %s", cases[i].type);
            ask.headers[count++] = lines[1];
        }
        s3_ask(*state, &ask);
        s3_assert_status(*state, cases[i].status);
        if (cases[i].status == 200) {
            s3_assert_header(*state, "x-amz-checksum-type", cases[i].answered);
        } else {
            s3_assert_error(*state, 400, "InvalidRequest");
            s3_assert_element(*state, "Message", cases[i].answered);
        }
    }
}

/* Parts 1 and 3 of above with their checksums. */
static void upload_checked(struct s3_fixture *f, const char *const *headers,
                           const char *const *sums, char id[s3_upload_id_bytes])
{
    static const int numbers[] = {1, 3};
    s3_upload_begin(f, "k", headers, id);
    for (size_t i = 0; i < 2; i++) {
        struct span bytes = s3_pattern(i == 0 ? 5 * s3_mib : 7, (unsigned)numbers[i]);
        s3_upload_part_put(f, "k", id, numbers[i], bytes, sums[i]);
        free((void *)(uintptr_t)bytes.ptr);
        s3_assert_status(f, 200);
        struct span line = span_from_cstr(sums[i]);
        char name[64];
        size_t colon = span_find_byte(line, ':');
        snprintf(name, sizeof(name), "%.*s", (int)colon, line.ptr);
        s3_assert_header(f, name, line.ptr + colon + 2);
        assert_int_equal(s3_reply_header(f, "x-amz-checksum-type").len, 0);
    }
}

static void assert_object_checksum(struct s3_fixture *f, const char *name, const char *value,
                                   const char *type)
{
    struct s3_ask ask = {.method = "HEAD",
                         .target = "/bkt/k",
                         .headers = {"x-amz-checksum-mode: ENABLED"},
                         .body = SPAN_EMPTY};
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
    s3_assert_header(f, name, value);
    s3_assert_header(f, "x-amz-checksum-type", type);
}

static const char *const sha256_sums[] = {
    "x-amz-checksum-sha256: /4L6d+4kGBtFTREt8sdcyIO8NtjCHEpJuzKh4YGOk0o=",
    "x-amz-checksum-sha256: pfTLiwLPTbLjdTscjvj36jVexczsU95lQAJaJqPwAZQ="};
static const char *const crc32_sums[] = {"x-amz-checksum-crc32: " CRC32_1,
                                         "x-amz-checksum-crc32: " CRC32_3};
static const char *const crc64_sums[] = {"x-amz-checksum-crc64nvme: J08DFmvfGio=",
                                         "x-amz-checksum-crc64nvme: WAJfezJV4NM="};

static void a_composite_checksum_is_of_the_parts_checksums(void **state)
{
    static const char *const headers[] = {"x-amz-checksum-algorithm: SHA256", NULL};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_checked(f, headers, sha256_sums, id);
    s3_upload_finish(f, "k", id,
                     PART_WITH(1, MD5_1,
                               "<ChecksumSHA256>/4L6d+4kGBtFTREt8sdcyIO8NtjCHEpJuzKh4YGOk0o="
                               "</ChecksumSHA256>")
                         PART_WITH(3, MD5_3,
                                   "<ChecksumSHA256>pfTLiwLPTbLjdTscjvj36jVexczsU95lQAJaJqPwAZQ="
                                   "</ChecksumSHA256>"));
    s3_assert_status(f, 200);
    s3_assert_element(f, "ChecksumSHA256", "8jd+IMfoqLnKFcVif1d616C9h2e0ZHi3fgAMLdBUo7Q=-2");
    s3_assert_element(f, "ChecksumType", "COMPOSITE");
    assert_object_checksum(f, "x-amz-checksum-sha256",
                           "8jd+IMfoqLnKFcVif1d616C9h2e0ZHi3fgAMLdBUo7Q=-2", "COMPOSITE");
}

static void a_composite_upload_wants_each_parts_checksum_again(void **state)
{
    static const char *const headers[] = {"x-amz-checksum-algorithm: CRC32", NULL};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_checked(f, headers, crc32_sums, id);
    s3_upload_finish(f, "k", id,
                     PART_WITH(1, MD5_1, "<ChecksumCRC32>" CRC32_1 "</ChecksumCRC32>")
                         PART(3, MD5_3));
    s3_assert_error(f, 400, "InvalidRequest");
    s3_assert_element(f, "Message",
                      "The upload was created using a crc32 checksum. The complete request must "
                      "include the checksum for each part. It was missing for part 3 in the "
                      "request.");
    s3_upload_finish(f, "k", id,
                     PART_WITH(1, MD5_1, "<ChecksumCRC32>" CRC32_3 "</ChecksumCRC32>")
                         PART_WITH(3, MD5_3, "<ChecksumCRC32>" CRC32_3 "</ChecksumCRC32>"));
    s3_assert_error(f, 400, "InvalidPart");
    s3_assert_element(f, "PartNumber", "1");
}

static void a_full_objects_checksum_is_combined_from_the_parts(void **state)
{
    static const char *const headers[] = {"x-amz-checksum-algorithm: CRC64NVME", NULL};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    upload_checked(f, headers, crc64_sums, id);
    complete(f, id, "x-amz-checksum-crc64nvme: WAJfezJV4NM=", PART(1, MD5_1) PART(3, MD5_3));
    s3_assert_error(f, 400, "BadDigest");
    s3_assert_element(f, "Message",
                      "The crc64nvme you specified did not match the calculated checksum.");
    complete(f, id, "x-amz-checksum-type: COMPOSITE", PART(1, MD5_1) PART(3, MD5_3));
    s3_assert_error(f, 400, "InvalidRequest");
    complete(f, id, "x-amz-checksum-crc64nvme: vJWAeDK7dg8=", PART(1, MD5_1) PART(3, MD5_3));
    s3_assert_status(f, 200);
    s3_assert_element(f, "ChecksumCRC64NVME", "vJWAeDK7dg8=");
    s3_assert_element(f, "ChecksumType", "FULL_OBJECT");
    assert_object_checksum(f, "x-amz-checksum-crc64nvme", "vJWAeDK7dg8=", "FULL_OBJECT");
}

static void a_part_must_bring_its_uploads_kind_of_checksum(void **state)
{
    static const char *const headers[] = {"x-amz-checksum-algorithm: CRC32", NULL};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", headers, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), NULL);
    s3_assert_error(f, 400, "InvalidRequest");
    s3_assert_element(f, "Message",
                      "Checksum Type mismatch occurred, expected checksum Type: crc32, actual "
                      "checksum Type: null");
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"),
                       "x-amz-checksum-sha1: qvTGHdzF6KLavt4PO0gs2a6pQ00=");
    s3_assert_error(f, 400, "InvalidRequest");
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), "x-amz-checksum-crc32: NhCmhg==");
    s3_assert_status(f, 200);
}

static void without_an_algorithm_parts_may_bring_any_checksum(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_upload_begin(f, "k", NULL, id);
    s3_upload_part_put(f, "k", id, 1, SPAN_LIT("hello"), "x-amz-checksum-crc32: NhCmhg==");
    s3_assert_status(f, 200);
    s3_assert_header(f, "x-amz-checksum-crc32", "NhCmhg==");
    s3_upload_finish(f, "k", id,
                     PART_WITH(1, MD5_HELLO, "<ChecksumCRC32>AAAAAA==</ChecksumCRC32>"));
    s3_assert_error(f, 400, "InvalidPart");
    s3_upload_finish(f, "k", id,
                     PART_WITH(1, MD5_HELLO, "<ChecksumCRC32>NhCmhg==</ChecksumCRC32>"));
    s3_assert_status(f, 200);
    s3_assert_element(f, "ChecksumType", "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_upload_begins_with_an_id_of_its_own),
        TEST(the_parts_become_the_object),
        TEST(a_part_can_be_read_by_its_number),
        TEST(the_only_part_of_an_upload_is_the_whole),
        TEST(parts_with_unknown_boundaries_are_not_guessed),
        TEST(the_location_names_an_encoded_key),
        TEST(the_object_has_the_headers_and_the_time_of_the_beginning),
        TEST(parts_come_in_any_order_and_those_not_named_are_dropped),
        TEST(a_part_sent_again_replaces_the_first),
        TEST(an_empty_part_makes_an_empty_object),
        TEST(a_wrong_list_of_parts_completes_nothing),
        TEST(a_small_part_may_only_be_the_last),
        TEST(unknown_uploads_are_refused),
        TEST(an_unknown_upload_is_said_before_the_body_is_looked_at),
        TEST(part_numbers_go_from_1_to_10000),
        TEST(a_part_with_a_wrong_digest_is_not_kept),
        TEST(completing_twice_gives_the_same_answer_twice),
        TEST(an_aborted_upload_is_gone),
        TEST(a_failed_commit_leaves_the_upload_as_it_was),
        TEST(conditions_are_those_of_the_moment_of_completion),
        TEST(an_object_written_meanwhile_is_a_conflict_for_if_match),
        TEST(the_size_that_a_client_names_must_be_the_sum),
        TEST(algorithms_and_types_are_told_apart),
        TEST(a_composite_checksum_is_of_the_parts_checksums),
        TEST(a_composite_upload_wants_each_parts_checksum_again),
        TEST(a_full_objects_checksum_is_combined_from_the_parts),
        TEST(a_part_must_bring_its_uploads_kind_of_checksum),
        TEST(without_an_algorithm_parts_may_bring_any_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
