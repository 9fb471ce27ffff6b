/* Bodies of a produce, decoded without a proxy around: what is bound, what is refused with which
 * words, and receipts. The whole error table on the wire is in tests/golden/rest. */
#include "kafka_rest_produce_codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An exchange without a connection and a service that only fails. */
struct desk {
    struct exchange exchange;
    struct service service;
    struct produce_request request;
};

static void fail_500(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    (void)ctx;
    exchange->reply.status = failure == EXCHANGE_NO_MEMORY ? 500 : 400;
}

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof(*d));
    arena_init(&d->exchange.arena, 16 * 1024 * 1024);
    buf_init(&d->exchange.reply.body, 1024 * 1024);
    buf_init(&d->exchange.reply.headers, 1024);
    d->service.fail = fail_500;
    d->exchange.service = &d->service;
    produce_request_init(&d->request);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    produce_request_release(&d->request);
    arena_release(&d->exchange.arena);
    buf_release(&d->exchange.reply.body);
    buf_release(&d->exchange.reply.headers);
    free(d);
    return 0;
}

static bool decode(struct desk *d, enum kafka_rest_media format, const char *body)
{
    buf_reset(&d->exchange.reply.body);
    d->exchange.reply.status = 0;
    d->exchange.reply.hint = NULL;
    d->exchange.request.body = span_from_cstr(body);
    return produce_request_decode(&d->request, &d->exchange, format, 2);
}

static void expect_refused(struct desk *d, enum kafka_rest_media format, const char *body,
                           int status, const char *message)
{
    if (decode(d, format, body)) {
        fail_msg("accepted: %s", body);
    }
    if (d->exchange.reply.status != status ||
        strstr(buf_cstr(&d->exchange.reply.body), message) == NULL) {
        fail_msg("%s: expected %d %s, got %d %s", body, status, message, d->exchange.reply.status,
                 buf_cstr(&d->exchange.reply.body));
    }
}

static void assert_field(bool present, struct span field, const char *expected)
{
    assert_int_equal(present, expected != NULL);
    if (expected != NULL) {
        assert_int_equal(field.len, strlen(expected));
        assert_memory_equal(field.ptr, expected, field.len);
    }
}

/* --- what is bound --- */

static void json_fields_become_the_bytes_jackson_would_write(void **state)
{
    static const struct {
        const char *body;
        const char *key;
        const char *value;
        int32_t partition;
    } rows[] = {
        {"{\"records\":[{}]}", NULL, NULL, -1},
        {"{\"records\":[{\"value\":null,\"key\":null,\"partition\":null}]}", NULL, NULL, -1},
        {"{\"records\":[{\"value\":\"null\"}]}", NULL, "\"null\"", -1},
        {"{\"records\":[{\"key\":\"k\",\"value\":{ \"a\" : 1.10 },\"partition\":3}]}", "\"k\"",
         "{\"a\":1.1}", 3},
        {"{\"records\":[{\"value\":1,\"value\":[ 2 ]}]}", NULL, "[2]", -1},
        {"{\"records\":[{\"value\":1,\"value\":null}]}", NULL, NULL, -1},
        {"{\"records\":[{\"value\":9}],\"records\":[{\"value\":{\"a\":1,\"b\":2,\"a\":3}}]}", NULL,
         "{\"a\":3,\"b\":2}", -1},
        {"{\"records\":[{\"partition\":\"7\",\"value\":0}]}", NULL, "0", 7},
        {"{\"records\":[{\"partition\":2.9,\"value\":0}]}", NULL, "0", 2},
        {"{\"records\":[{\"partition\":-1,\"value\":0}]}", NULL, "0", INT32_MIN},
        {"{\"records\":[{\"partition\":-7,\"value\":0}]}", NULL, "0", -7},
        {"{\"records\":[{\"value\":12345678901234567890}]} trailing", NULL, "12345678901234567890",
         -1},
    };
    struct desk *d = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        assert_true(decode(d, MEDIA_JSON, rows[i].body));
        assert_int_equal(d->request.count, 1);
        const struct broker_record *record = produce_request_records(&d->request);
        assert_field(record->has_key, record->key, rows[i].key);
        assert_field(record->has_value, record->value, rows[i].value);
        assert_int_equal(record->partition, rows[i].partition);
        assert_int_equal(record->timestamp_ms, -1);
    }
}

static void binary_fields_become_the_bytes_they_stand_for(void **state)
{
    struct desk *d = *state;
    assert_true(decode(d, MEDIA_BINARY,
                       "{\"records\":[{\"key\":\"a2V5\",\"value\":\"+\\/+\\/\"},{\"value\":\"\"},"
                       "{\"value\":\"eA\"},{\"key\":null}]}"));
    const struct broker_record *records = produce_request_records(&d->request);
    assert_int_equal(d->request.count, 4);
    assert_field(records[0].has_key, records[0].key, "key");
    assert_field(records[0].has_value, records[0].value, "\xfb\xff\xbf");
    assert_field(records[1].has_value, records[1].value, "");
    assert_field(records[2].has_value, records[2].value, "x");
    assert_field(records[3].has_key, records[3].key, NULL);
}

static void records_keep_their_places_while_the_buffer_grows(void **state)
{
    struct desk *d = *state;
    struct buf body;
    char expected[16];
    buf_init(&body, 1024 * 1024);
    BUF_APPEND_LIT(&body, "{\"records\":[");
    for (int i = 0; i < PRODUCE_AT_ONCE_RECORDS_MAX; i++) {
        buf_printf(&body, "%s{\"key\":%d,\"value\":\"v%d\"}", i > 0 ? "," : "", i, i);
    }
    BUF_APPEND_LIT(&body, "]}");
    assert_true(decode(d, MEDIA_JSON, buf_cstr(&body)));
    assert_int_equal(d->request.count, PRODUCE_AT_ONCE_RECORDS_MAX);
    const struct broker_record *records = produce_request_records(&d->request);
    for (int i = 0; i < PRODUCE_AT_ONCE_RECORDS_MAX; i += 199) {
        snprintf(expected, sizeof(expected), "\"v%d\"", i);
        assert_field(records[i].has_value, records[i].value, expected);
        snprintf(expected, sizeof(expected), "%d", i);
        assert_field(records[i].has_key, records[i].key, expected);
    }
    buf_release(&body);
}

/* --- what is refused --- */

static void refusals_come_in_jacksons_words(void **state)
{
    static const struct {
        enum kafka_rest_media format;
        const char *body;
        int status;
        const char *message;
    } rows[] = {
        {MEDIA_JSON, "", 422, "produceJson.arg2 must not be null (was null)"},
        {MEDIA_JSON, " \n", 422, "produceJson.arg2 must not be null"},
        {MEDIA_BINARY, "null", 422, "produceBinary.arg2 must not be null"},
        {MEDIA_PROTOBUF, "null", 422, "produceProtobuf.arg2 must not be null"},
        {MEDIA_JSONSCHEMA, "{}", 422, "produceJsonSchema.arg2.records must not be empty"},
        {MEDIA_JSON, "{\"records\":[],\"key_schema\":\"x\"}", 422, "must not be empty (was [])"},
        {MEDIA_JSON, "true", 400, "no boolean/Boolean-argument constructor"},
        {MEDIA_JSON, "1.5", 400, "no double/Double-argument constructor"},
        {MEDIA_JSON, "3000000000", 400, "no long/Long-argument constructor"},
        {MEDIA_JSON, "\"text\"", 400, "from String value ('text')"},
        {MEDIA_JSON, "{\"key_schema\":{}}", 400, "`java.lang.String` from Object value"},
        {MEDIA_JSON, "{\"key_schema_id\":[]}", 400, "`java.lang.Integer` from Array value"},
        {MEDIA_JSON, "{\"key_schema_id\":\"9999999999\"}", 400, "Overflow: numeric value"},
        {MEDIA_JSON, "{\"value_schema_id\":1e10}", 400, "out of range of int"},
        {MEDIA_JSON, "{\"value_schema_id\":\"1.5\"}", 400, "not a valid `java.lang.Integer` value"},
        {MEDIA_JSON, "{\"records\":[{\"value\":1}],\"topic\":\"x\"}", 422,
         "Unrecognized field: topic"},
        {MEDIA_JSON, "{\"r\\u00e9\":1}", 422, "Unrecognized field: r\xc3\xa9"},
        {MEDIA_JSON, "{\"records\":[{\"value\":01}]}", 400, "Leading zeroes not allowed"},
        {MEDIA_JSON, "{\"records\":[{\"value\":\"a\nb\"}]}", 400, "CTRL-CHAR, code 10"},
        {MEDIA_JSON, "{\"records\":[{\"value\":1", 400, "Unexpected end-of-input"},
        {MEDIA_JSON, "{\"records\"", 400, "Unexpected end-of-input"},
        {MEDIA_BINARY, "{\"records\":[{\"value\":true}]}", 400,
         "data=true is not a base64 string."},
        {MEDIA_BINARY, "{\"records\":[{\"value\":\"a\"}]}", 400,
         "data=\\\"a\\\" is not a valid base64 string."},
        {MEDIA_BINARY, "{\"records\":[{\"value\":\"a b=\"}]}", 400,
         "is not a valid base64 string."},
    };
    struct desk *d = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        expect_refused(d, rows[i].format, rows[i].body, rows[i].status, rows[i].message);
    }
}

static void a_refused_request_leaves_nothing_for_the_next_one(void **state)
{
    struct desk *d = *state;
    assert_false(decode(d, MEDIA_JSON, "{\"key_schema\":\"x\",\"records\":[{\"value\":1},null]}"));
    assert_true(decode(d, MEDIA_JSON, "{\"records\":[{\"value\":2}]}"));
    assert_int_equal(d->request.count, 1);
    assert_false(d->request.has_schema);
    assert_int_equal(d->request.null_record, 0);
}

static void a_value_too_deep_is_refused_not_overrun(void **state)
{
    struct desk *d = *state;
    struct buf body;
    buf_init(&body, 1024 * 1024);
    BUF_APPEND_LIT(&body, "{\"records\":[{\"value\":");
    for (int i = 0; i < 100000; i++) {
        buf_append_byte(&body, '[');
    }
    expect_refused(d, MEDIA_JSON, buf_cstr(&body), 400, "nesting depth");
    expect_refused(d, MEDIA_BINARY, buf_cstr(&body), 400, "nesting depth");
    buf_release(&body);
}

/* --- receipts --- */

static void encode(struct desk *d, const char *topic, const struct broker_result *results,
                   size_t count)
{
    static const struct broker_record records[4];
    PP_ASSERT(count <= ARRAY_COUNT(records));
    const struct produce_outcome outcome = {span_from_cstr(topic), records, results, count};
    produce_receipts_encode(&outcome, &d->exchange);
}

static void receipts_stand_in_request_order_with_their_failures(void **state)
{
    static const struct broker_result results[] = {
        {.partition = 2, .offset = INT64_C(9223372036854775806)},
        {.partition = -1, .error = KAFKA_ERROR_INVALID_TOPIC},
        {.partition = 0, .offset = 0},
    };
    struct desk *d = *state;
    encode(d, "a \"t\"", results, ARRAY_COUNT(results));
    assert_int_equal(d->exchange.reply.status, 200);
    assert_string_equal(d->exchange.reply.error_code, "50002");
    assert_string_equal(
        buf_cstr(&d->exchange.reply.body),
        "{\"offsets\":[{\"partition\":2,\"offset\":9223372036854775806,\"error_code\":null,"
        "\"error\":null},{\"partition\":null,\"offset\":null,\"error_code\":50002,\"error\":"
        "\"Invalid topics: [a \\\"t\\\"]\"},{\"partition\":0,\"offset\":0,\"error_code\":null,"
        "\"error\":null}],\"key_schema_id\":null,\"value_schema_id\":null}");
}

static void the_first_refusal_by_security_makes_the_status(void **state)
{
    static const struct broker_result results[] = {
        {.error = KAFKA_ERROR_INVALID_RECORD},
        {.error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED},
        {.error = KAFKA_ERROR_SASL_AUTHENTICATION_FAILED},
    };
    struct desk *d = *state;
    encode(d, "t", results, ARRAY_COUNT(results));
    assert_int_equal(d->exchange.reply.status, 403);
}

static void each_of_kafkas_errors_has_the_proxys_code_and_the_producers_words(void **state)
{
    static const struct {
        struct broker_result result;
        int code;
        const char *words;
    } rows[] = {
        {{.partition = -1, .error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION},
         50003,
         "Topic t not present in metadata after 60000 ms."},
        {{.partition = 7, .partition_count = 3, .error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION},
         50003,
         "Partition 7 of topic t with partition count 3 is not present in metadata after 60000 "
         "ms."},
        {{.error = KAFKA_ERROR_MESSAGE_TOO_LARGE},
         50002,
         "The message is 1048577 bytes when serialized which is larger than 1048576, which is the "
         "value of the max.request.size configuration."},
        {{.error = KAFKA_ERROR_INVALID_TOPIC}, 50002, "Invalid topics: [t]"},
        {{.error = KAFKA_ERROR_INVALID_RECORD},
         50002,
         "This message has failed its CRC checksum, exceeds the valid size, has a null key for a "
         "compacted topic, or is otherwise corrupt."},
        {{.error = KAFKA_ERROR_TOPIC_AUTHORIZATION_FAILED},
         40301,
         "Not authorized to access topics: [t]"},
        {{.error = KAFKA_ERROR_SASL_AUTHENTICATION_FAILED}, 40101, "SASL Authentication failed."},
        {{.error = KAFKA_ERROR_STORAGE},
         50003,
         "Expiring 1 record(s) for t: 120000 ms has passed since batch creation"},
    };
    (void)state;
    struct buf scratch;
    buf_init(&scratch, PRODUCE_WORDS_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct broker_record record = {.has_value = true, .value = {"", 1048576 - 87 + 1}};
        const struct produce_outcome outcome = {SPAN_LIT("t"), &record, &rows[i].result, 1};
        assert_int_equal(produce_error_code(rows[i].result.error), rows[i].code);
        struct span words = produce_error_words(&outcome, 0, &scratch);
        assert_int_equal(words.len, strlen(rows[i].words));
        assert_memory_equal(words.ptr, rows[i].words, words.len);
    }
    buf_release(&scratch);
}

/* The broker refuses a record that the producer would have let through: the words are its own. */
static void where_the_producer_has_no_words_those_of_kafka_stand(void **state)
{
    const struct broker_record small = {.has_value = true, .value = SPAN_LIT("v")};
    const struct broker_result result = {.error = KAFKA_ERROR_MESSAGE_TOO_LARGE};
    const struct produce_outcome outcome = {SPAN_LIT("t"), &small, &result, 1};
    struct buf scratch;
    (void)state;
    buf_init(&scratch, PRODUCE_WORDS_BYTES_MAX);
    assert_true(span_equal_cstr(produce_error_words(&outcome, 0, &scratch),
                                kafka_error_words(KAFKA_ERROR_MESSAGE_TOO_LARGE)));
    buf_release(&scratch);
    /* Without memory for a text, too. */
    const struct broker_result missing = {.error = KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION};
    const struct produce_outcome other = {SPAN_LIT("t"), &small, &missing, 1};
    buf_init(&scratch, 0);
    assert_true(span_equal_cstr(produce_error_words(&other, 0, &scratch),
                                kafka_error_words(KAFKA_ERROR_UNKNOWN_TOPIC_OR_PARTITION)));
    buf_release(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_fields_become_the_bytes_jackson_would_write, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(binary_fields_become_the_bytes_they_stand_for, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(records_keep_their_places_while_the_buffer_grows, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(refusals_come_in_jacksons_words, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_request_leaves_nothing_for_the_next_one, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_value_too_deep_is_refused_not_overrun, setup, teardown),
        cmocka_unit_test_setup_teardown(receipts_stand_in_request_order_with_their_failures, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_first_refusal_by_security_makes_the_status, setup,
                                        teardown),
        cmocka_unit_test(each_of_kafkas_errors_has_the_proxys_code_and_the_producers_words),
        cmocka_unit_test(where_the_producer_has_no_words_those_of_kafka_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
