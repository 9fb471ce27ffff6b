/* Who the mock's AWS is, how its resources are named, and its error answers byte by byte. */
#include "aws_arn.h"
#include "aws_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- identity and ARNs --- */

static void a_user_id_of_twelve_digits_is_the_account(void **state)
{
    static const struct {
        const char *user_id;
        const char *account;
    } cases[] = {{"workshop", "123456789012"},
                 {"", "123456789012"},
                 {"098765432109", "098765432109"},
                 {"0987654321098", "123456789012"},
                 {"09876543210x", "123456789012"}};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct aws_identity identity;
        aws_identity_init(&identity, cases[i].user_id, "us-east-1");
        assert_string_equal(identity.account, cases[i].account);
        assert_null(identity.access_key);
    }
}

static void an_arn_is_read_as_it_was_made(void **state)
{
    struct aws_identity identity;
    struct arena arena;
    struct aws_arn arn;
    (void)state;
    arena_init(&arena, 4096);
    aws_identity_init(&identity, "u1", "eu-west-1");
    char *text = aws_arn_new(&arena, &identity, "kinesis", SPAN_LIT("stream/u1:a"));
    assert_string_equal(text, "arn:aws:kinesis:eu-west-1:123456789012:stream/u1:a");
    assert_true(aws_arn_parse(span_from_cstr(text), &arn));
    assert_true(span_equal_cstr(arn.service, "kinesis"));
    assert_true(span_equal_cstr(arn.region, "eu-west-1"));
    assert_true(span_equal_cstr(arn.account, "123456789012"));
    assert_true(span_equal_cstr(arn.resource, "stream/u1:a"));
    assert_string_equal(aws_arn_user(&arena, &identity), "arn:aws:iam::123456789012:user/u1");
    arena_release(&arena);
}

static void what_is_no_arn_is_not_read(void **state)
{
    static const char *const texts[] = {"",
                                        "arn:aws:",
                                        "arn:aws:s3",
                                        "arn:aws:s3::",
                                        "arn:aws:s3:::",
                                        "arn:gcp:s3:::bucket",
                                        "arn:aws::r:a:x"};
    struct aws_arn arn;
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        assert_false(aws_arn_parse(span_from_cstr(texts[i]), &arn));
    }
    assert_true(aws_arn_parse(SPAN_LIT("arn:aws:s3:::bucket/key"), &arn));
    assert_int_equal(arn.region.len, 0);
}

/* --- errors --- */

static const struct aws_error_detail details[] = {{"Key", {"a&b", 3}}, {NULL, {"", 0}}};
static const struct {
    struct aws_error error;
    const char *type;
    const char *headers;
    const char *body;
} shapes[] = {
    {{.protocol = AWS_REST_XML,
      .status = 404,
      .code = "NoSuchKey",
      .message = {"The <key>", 9},
      .details = details,
      .request_id = "R",
      .host_id = "H"},
     "application/xml",
     "",
     "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>"
     "<Message>The &lt;key&gt;</Message><Key>a&amp;b</Key><RequestId>R</RequestId>"
     "<HostId>H</HostId></Error>"},
    {{.protocol = AWS_REST_XML, .status = 404, .code = "NoSuchKey", .no_body = true},
     "application/xml",
     "",
     ""},
    {{.protocol = AWS_QUERY,
      .status = 403,
      .code = "InvalidClientTokenId",
      .message = {"No", 2},
      .xmlns = "https://sts.amazonaws.com/doc/2011-06-15/",
      .request_id = "R"},
     "text/xml",
     "",
     "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
     "<Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>No</Message></Error>"
     "<RequestId>R</RequestId></ErrorResponse>"},
    {{.protocol = AWS_QUERY,
      .status = 500,
      .code = "InternalFailure",
      .message = {"a\tb\nc\x01\x7f\xff", 8},
      .xmlns = "urn:x"},
     "text/xml",
     "",
     "<ErrorResponse xmlns=\"urn:x\"><Error><Type>Receiver</Type><Code>InternalFailure</Code>"
     "<Message>a\tb\nc&#x1;&#x7f;?</Message></Error></ErrorResponse>"},
    {{.protocol = AWS_REST_JSON,
      .status = 400,
      .code = "BadRequestException",
      .message = {"a \"b\"", 5}},
     "application/json",
     "x-amzn-ErrorType: BadRequestException\r\n",
     "{\"message\":\"a \\\"b\\\"\"}"},
    {{.protocol = AWS_REST_JSON,
      .status = 403,
      .code = "AccessDeniedException",
      .message = {"User: x", 7},
      .message_name = "Message"},
     "application/json",
     "x-amzn-ErrorType: AccessDeniedException\r\n",
     "{\"Message\":\"User: x\"}"},
    {{.protocol = AWS_JSON, .status = 400, .code = "SerializationException"},
     "application/x-amz-json-1.1",
     "",
     "{\"__type\":\"SerializationException\"}"},
    {{.protocol = AWS_JSON,
      .status = 400,
      .code = "ValidationException",
      .message = {"1 error", 7}},
     "application/x-amz-json-1.1",
     "",
     "{\"__type\":\"ValidationException\",\"message\":\"1 error\"}"},
};

static void every_protocol_has_its_shape(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(shapes); i++) {
        struct reply reply = {0};
        buf_init(&reply.headers, 4096);
        buf_init(&reply.body, 4096);
        aws_error_answer(&reply, &shapes[i].error);
        assert_int_equal(reply.status, shapes[i].error.status);
        assert_string_equal(reply.error_code, shapes[i].error.code);
        assert_string_equal(reply.content_type, shapes[i].type);
        assert_string_equal(buf_cstr(&reply.headers), shapes[i].headers);
        assert_string_equal(buf_cstr(&reply.body), shapes[i].body);
        buf_release(&reply.headers);
        buf_release(&reply.body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_id_of_twelve_digits_is_the_account),
        cmocka_unit_test(an_arn_is_read_as_it_was_made),
        cmocka_unit_test(what_is_no_arn_is_not_read),
        cmocka_unit_test(every_protocol_has_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
