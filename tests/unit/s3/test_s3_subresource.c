/* Sub-resources of buckets and objects: those that were never set, those that are not served. */
#include "s3_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A request for an operation that is not served must not be taken for the one without its
 * parameter, which would make a bucket of PUT /bucket?abac. */
static void what_is_not_served_is_refused_by_its_parameter(void **state)
{
    enum { LEVEL_SERVICE, LEVEL_BUCKET, LEVEL_OBJECT };
    static const struct {
        const char *operation;
        const char *method;
        int level;
        const char *subresource;
    } rows[] = {
#define X(operation, method, level, subresource) {#operation, #method, LEVEL_##level, subresource},
#include "s3_unserved.def"
#undef X
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char target[128];
        if (rows[i].subresource[0] == '\0') {
            continue;
        }
        snprintf(target, sizeof(target), "%s?%s", rows[i].level == LEVEL_OBJECT ? "/bkt/k" : "/bkt",
                 rows[i].subresource);
        s3_do(f, rows[i].method, target);
        if (f->status != 501) {
            fail_msg("%s: %d", rows[i].operation, f->status);
        }
        s3_assert_error(f, 501, "NotImplemented");
        assert_non_null(f->exchange.reply.hint);
    }
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
}

static void acls_cannot_be_set(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_put(f, "/bkt?acl", "");
    s3_assert_error(f, 400, "AccessControlListNotSupported");
    s3_put(f, "/bkt/k?acl", "");
    s3_assert_error(f, 400, "AccessControlListNotSupported");
    s3_put(f, "/nobucket?acl", "");
    s3_assert_error(f, 404, "NoSuchBucket");
}

static void what_was_never_set_is_answered_as_the_real_one_does(void **state)
{
    static const struct {
        const char *target;
        int status;
        const char *word; /* code of an error, else the root element */
    } rows[] = {
        {"/bkt?acl", 200, "AccessControlPolicy"},
        {"/bkt?acl=", 200, "AccessControlPolicy"},
        {"/bkt?versioning", 200, "VersioningConfiguration"},
        {"/bkt?location", 200, "LocationConstraint"},
        {"/bkt?logging", 200, "BucketLoggingStatus"},
        {"/bkt?notification", 200, "NotificationConfiguration"},
        {"/bkt?requestPayment", 200, "RequestPaymentConfiguration"},
        {"/bkt?policy", 404, "NoSuchBucketPolicy"},
        {"/bkt?tagging", 404, "NoSuchTagSet"},
        {"/bkt?lifecycle", 404, "NoSuchLifecycleConfiguration"},
        {"/bkt?cors", 404, "NoSuchCORSConfiguration"},
        {"/bkt?encryption", 200, "ServerSideEncryptionConfiguration"},
        {"/bkt?publicAccessBlock", 200, "PublicAccessBlockConfiguration"},
        {"/bkt?ownershipControls", 200, "OwnershipControls"},
        {"/bkt?object-lock", 404, "ObjectLockConfigurationNotFoundError"},
        {"/bkt?replication", 404, "ReplicationConfigurationNotFoundError"},
        {"/bkt?website", 404, "NoSuchWebsiteConfiguration"},
        {"/bkt?versions", 200, "ListVersionsResult"},
        {"/bkt?inventory", 501, "NotImplemented"},
        {"/nobucket?acl", 404, "NoSuchBucket"},
        {"/nobucket?policy", 404, "NoSuchBucket"},
        {"/bkt/k?acl", 200, "AccessControlPolicy"},
        {"/bkt/k?tagging", 200, "Tagging"},
        {"/bkt/none?acl", 404, "NoSuchKey"},
        {"/bkt/none?tagging", 404, "NoSuchKey"},
        {"/bkt/k?torrent", 501, "NotImplemented"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        s3_get(f, rows[i].target);
        s3_assert_status(f, rows[i].status);
        if (rows[i].status == 200) {
            char root[128];
            snprintf(root, sizeof(root), "\n<%s xmlns=", rows[i].word);
            assert_non_null(strstr(buf_cstr(&f->body), root));
        } else {
            s3_assert_error(f, rows[i].status, rows[i].word);
        }
    }
}

static void the_owner_may_do_everything(void **state)
{
    struct s3_fixture *f = *state;
    s3_get(f, "/bkt?acl");
    s3_assert_element(f, "Permission", "FULL_CONTROL");
    assert_non_null(strstr(buf_cstr(&f->body),
                           "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                           "xsi:type=\"CanonicalUser\"><ID>"));
}

/* A sub-resource must never be taken for the thing itself. */
static void setting_a_subresource_changes_nothing_and_says_so(void **state)
{
    static const struct {
        const char *method;
        const char *target;
    } rows[] = {
        {"PUT", "/bkt/k?tagging"},
        {"PUT", "/bkt/k?uploadId=x"},
        {"PUT", "/bkt?policy"},
        {"PUT", "/bkt?versioning"},
        {"PUT", "/new-bucket?acl"},
        {"DELETE", "/bkt?delete"},
        {"DELETE", "/bkt?uploads"},
        {"POST", "/bkt/k?restore"},
        {"DELETE", "/bkt?publicAccessBlock"},
        {"DELETE", "/bkt?ownershipControls"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct s3_ask ask = {
            .method = rows[i].method, .target = rows[i].target, .body = SPAN_LIT("<Tagging/>")};
        s3_ask(f, &ask);
        assert_true(f->status == 501 || f->status == 404);
    }
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
    s3_do(f, "HEAD", "/new-bucket");
    s3_assert_status(f, 404);
    s3_do(f, "DELETE", "/bkt?policy");
    s3_assert_status(f, 204);
    s3_do(f, "DELETE", "/bkt/k?tagging");
    s3_assert_status(f, 204);
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
}

static void new_buckets_have_the_defaults_of_the_real_one(void **state)
{
    struct s3_fixture *f = *state;
    s3_get(f, "/bkt?encryption");
    s3_assert_element(f, "Rule",
                      "<ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm>"
                      "</ApplyServerSideEncryptionByDefault>"
                      "<BucketKeyEnabled>false</BucketKeyEnabled>");
    s3_get(f, "/bkt?publicAccessBlock");
    s3_assert_element(f, "BlockPublicAcls", "true");
    s3_assert_element(f, "IgnorePublicAcls", "true");
    s3_assert_element(f, "BlockPublicPolicy", "true");
    s3_assert_element(f, "RestrictPublicBuckets", "true");
    s3_get(f, "/bkt?ownershipControls");
    s3_assert_element(f, "Rule", "<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>");
}

static void logging_has_a_namespace_of_its_own(void **state)
{
    struct s3_fixture *f = *state;
    s3_get(f, "/bkt?logging");
    s3_assert_header(f, "Content-Type", "application/xml");
    s3_assert_body(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BucketLoggingStatus "
                      "xmlns=\"http://doc.s3.amazonaws.com/2006-03-01\"></BucketLoggingStatus>");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_never_set_is_answered_as_the_real_one_does),
        TEST(what_is_not_served_is_refused_by_its_parameter),
        TEST(acls_cannot_be_set),
        TEST(the_owner_may_do_everything),
        TEST(setting_a_subresource_changes_nothing_and_says_so),
        TEST(new_buckets_have_the_defaults_of_the_real_one),
        TEST(logging_has_a_namespace_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
