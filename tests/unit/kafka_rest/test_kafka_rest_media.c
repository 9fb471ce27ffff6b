/* Content negotiation as a grid: what a row takes, what it gives, and which of several it prefers.
 * The answers on the wire are in tests/golden/rest/negotiation_*.http. */
#include "kafka_rest_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V  "application/vnd.kafka.v2+json"
#define B  "application/vnd.kafka.binary.v2+json"
#define J  "application/vnd.kafka.json.v2+json"
#define AV "application/vnd.kafka.avro.v2+json"

struct row {
    enum kafka_rest_profile profile;
    const char *content_type; /* NULL: absent */
    const char *accept;
    enum kafka_rest_negotiation outcome;
    enum kafka_rest_media in;
    enum kafka_rest_media out;
};

static enum kafka_rest_negotiation negotiate(const struct row *row, bool lenient,
                                             struct kafka_rest_negotiated *out)
{
    struct http_header headers[2];
    struct http_request request = {.headers = headers};
    if (row->content_type != NULL) {
        headers[request.header_count++] =
            (struct http_header){SPAN_LIT("CONTENT-type"), span_from_cstr(row->content_type)};
    }
    if (row->accept != NULL) {
        headers[request.header_count++] =
            (struct http_header){SPAN_LIT("accept"), span_from_cstr(row->accept)};
    }
    return kafka_rest_negotiate(&request, row->profile, lenient, out);
}

static void expect_rows(const struct row *rows, size_t count, bool lenient)
{
    for (size_t i = 0; i < count; i++) {
        struct kafka_rest_negotiated got = {MEDIA_NONE, MEDIA_NONE};
        enum kafka_rest_negotiation outcome = negotiate(&rows[i], lenient, &got);
        bool same = outcome == rows[i].outcome &&
                    (outcome != NEGOTIATED || (got.in == rows[i].in && got.out == rows[i].out));
        if (!same) {
            fail_msg("row %zu: Content-Type %s, Accept %s: outcome %d, in %s, out %s", i,
                     rows[i].content_type != NULL ? rows[i].content_type : "(none)",
                     rows[i].accept != NULL ? rows[i].accept : "(none)", (int)outcome,
                     kafka_rest_media_type(got.in), kafka_rest_media_type(got.out));
        }
    }
}

static void the_content_type_must_be_one_the_row_takes(void **state)
{
    static const struct row rows[] = {
        {PROFILE_V2, NULL, NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, V, NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, V ";charset=utf-8", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "  " V " ; charset=utf-8", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "APPLICATION/VND.KAFKA.V2+JSON", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "*/*", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "application/*", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "text/*", NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_V2, J, NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_V2, "application/json", NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_V2, "application", NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_V2, "/", NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_ANY, "text/plain", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_PRODUCE, NULL, NULL, NEGOTIATED, MEDIA_BINARY, MEDIA_V2},
        {PROFILE_PRODUCE, J, NULL, NEGOTIATED, MEDIA_JSON, MEDIA_V2},
        {PROFILE_PRODUCE, AV, NULL, NEGOTIATED, MEDIA_AVRO, MEDIA_V2},
        {PROFILE_PRODUCE, "*/*", NULL, NEGOTIATED, MEDIA_BINARY, MEDIA_V2},
        {PROFILE_PRODUCE, V, NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_PRODUCE, "application/vnd.kafka.json.v1+json", NULL, NEGOTIATION_UNSUPPORTED, 0,
         0},
        {PROFILE_CONSUMER, V, NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_CONSUMER, J, NULL, NEGOTIATED, MEDIA_JSON, MEDIA_V2},
        {PROFILE_CONSUMER, "application/json", NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_V3, V, NULL, NEGOTIATED, MEDIA_APPLICATION_JSON, MEDIA_APPLICATION_JSON},
        {PROFILE_V3_BODY, "application/json; charset=UTF-8", NULL, NEGOTIATED,
         MEDIA_APPLICATION_JSON, MEDIA_APPLICATION_JSON},
        {PROFILE_V3_BODY, V, NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
    };
    (void)state;
    expect_rows(rows, ARRAY_COUNT(rows), false);
}

static void the_accept_chooses_among_what_the_row_gives(void **state)
{
    static const struct row rows[] = {
        {PROFILE_V2, NULL, "*/*", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, NULL, "*", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, NULL, "", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, NULL, "application/*;q=0.1", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, NULL, V ", application/json", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, NULL, "text/html, */*;q=0.8", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, NULL, "application/json", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_V2, NULL, V ";q=0", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_V2, NULL, "*/*, " V ";q=0", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_V2, NULL, V ";q=2", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_V2, NULL, "garbage", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_V2, NULL, ",,", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_CONSUMER, NULL, "*/*", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_CONSUMER, NULL, J, NEGOTIATED, MEDIA_V2, MEDIA_JSON},
        {PROFILE_CONSUMER, NULL, J ", " V, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_CONSUMER, NULL, J ", " V ";q=0.9", NEGOTIATED, MEDIA_V2, MEDIA_JSON},
        {PROFILE_RECORDS, NULL, NULL, NEGOTIATED, MEDIA_V2, MEDIA_BINARY},
        {PROFILE_RECORDS, NULL, "*/*", NEGOTIATED, MEDIA_V2, MEDIA_BINARY},
        {PROFILE_RECORDS, NULL, "application/*", NEGOTIATED, MEDIA_V2, MEDIA_BINARY},
        {PROFILE_RECORDS, NULL, V, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_RECORDS, NULL, J, NEGOTIATED, MEDIA_V2, MEDIA_JSON},
        {PROFILE_RECORDS, NULL, J ", */*;q=0.5", NEGOTIATED, MEDIA_V2, MEDIA_JSON},
        {PROFILE_RECORDS, NULL, AV, NEGOTIATED, MEDIA_V2, MEDIA_AVRO},
        {PROFILE_RECORDS, NULL, "application/json", NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
        {PROFILE_V3, NULL, V, NEGOTIATION_NOT_ACCEPTABLE, 0, 0},
    };
    (void)state;
    expect_rows(rows, ARRAY_COUNT(rows), false);
}

static void lenient_takes_and_gives_application_json(void **state)
{
    static const struct row rows[] = {
        {PROFILE_PRODUCE, "application/json", NULL, NEGOTIATED, MEDIA_JSON, MEDIA_V2},
        {PROFILE_PRODUCE, NULL, NULL, NEGOTIATED, MEDIA_BINARY, MEDIA_V2},
        {PROFILE_PRODUCE, "text/plain", NULL, NEGOTIATION_UNSUPPORTED, 0, 0},
        {PROFILE_CONSUMER, "application/json", NULL, NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_V2, "application/json", "application/json", NEGOTIATED, MEDIA_V2,
         MEDIA_APPLICATION_JSON},
        {PROFILE_V2, NULL, "application/*", NEGOTIATED, MEDIA_V2, MEDIA_V2},
        {PROFILE_RECORDS, NULL, "application/json", NEGOTIATED, MEDIA_V2, MEDIA_APPLICATION_JSON},
        {PROFILE_RECORDS, NULL, "*/*", NEGOTIATED, MEDIA_V2, MEDIA_BINARY},
    };
    (void)state;
    expect_rows(rows, ARRAY_COUNT(rows), true);
}

static void several_accept_headers_are_one_list(void **state)
{
    struct http_header headers[] = {
        {SPAN_LIT("Accept"), SPAN_LIT("text/html")},
        {SPAN_LIT("Accept"), SPAN_LIT(J)},
        {SPAN_LIT("accept"), SPAN_LIT(V ";q=0.5")},
    };
    struct http_request request = {.headers = headers, .header_count = ARRAY_COUNT(headers)};
    struct kafka_rest_negotiated got;
    (void)state;
    assert_int_equal(kafka_rest_negotiate(&request, PROFILE_CONSUMER, false, &got), NEGOTIATED);
    assert_int_equal(got.out, MEDIA_JSON);
    assert_int_equal(kafka_rest_negotiate(&request, PROFILE_V2, false, &got), NEGOTIATED);
    assert_int_equal(got.out, MEDIA_V2);
}

static void a_415_takes_its_own_type_from_the_accept(void **state)
{
    static const struct {
        const char *accept;
        enum kafka_rest_media media;
    } rows[] = {
        {"", MEDIA_APPLICATION_JSON},
        {"*/*", MEDIA_APPLICATION_JSON},
        {V, MEDIA_V2},
        {"application/json", MEDIA_APPLICATION_JSON},
        {"text/html, " V, MEDIA_V2},
        {J, MEDIA_APPLICATION_JSON},
        {V ", application/json", MEDIA_V2},
        {"application/json, " V, MEDIA_APPLICATION_JSON},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct http_header header = {SPAN_LIT("Accept"), span_from_cstr(rows[i].accept)};
        struct http_request request = {.headers = &header, .header_count = 1};
        assert_int_equal(kafka_rest_error_media(&request), rows[i].media);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_content_type_must_be_one_the_row_takes),
        cmocka_unit_test(the_accept_chooses_among_what_the_row_gives),
        cmocka_unit_test(lenient_takes_and_gives_application_json),
        cmocka_unit_test(several_accept_headers_are_one_list),
        cmocka_unit_test(a_415_takes_its_own_type_from_the_accept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
