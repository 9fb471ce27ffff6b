/* Values with a schema against connect-json 2.8.1, which said what stands here
 * (specs/s3-sink-connector.md section 3). */
#include "sink_value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct grid_case {
    const char *in;
    const char *out;
};

struct fixture {
    struct sink_value value;
    struct sink_failure failure;
    struct buf out;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sink_value_init(&f->value);
    buf_init(&f->out, SINK_TYPED_BYTES_MAX);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sink_value_release(&f->value);
    buf_release(&f->out);
    free(f);
    return 0;
}

static bool convert(struct fixture *f, const char *text)
{
    struct sink_conversion conversion = {.converter = SINK_CONVERTER_JSON, .schemas_enable = true};
    return sink_value_convert(&f->value, &conversion, true, span_from_cstr(text), &f->failure);
}

static void payloads_are_written_as_their_schema_has_them(void **state)
{
    struct fixture *f = *state;
    static const struct grid_case cases[] = {
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"ind\"},{"
         "\"type\":\"string\",\"field\":\"country\",\"optional\":true},{\"type\":\"double\","
         "\"field\":\"latitude\"}]},\"payload\":{\"latitude\":-89.9787,\"ind\":7528,\"extra\":1}}",
         "{\"ind\":7528,\"country\":null,\"latitude\":-89.9787}"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int8\",\"field\":\"a\"},{"
         "\"type\":\"int16\",\"field\":\"b\"},{\"type\":\"int32\",\"field\":\"c\"},{\"type\":"
         "\"int64\",\"field\":\"d\"}]},\"payload\":{\"a\":300,\"b\":-70000,\"c\":1e10,\"d\":"
         "18446744073709551617}}",
         "{\"a\":44,\"b\":-4464,\"c\":1410065408,\"d\":1}"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"float\",\"field\":\"a\"},{"
         "\"type\":\"float\",\"field\":\"b\"},{\"type\":\"double\",\"field\":\"c\"},{\"type\":"
         "\"boolean\",\"field\":\"d\"}]},\"payload\":{\"a\":0.1,\"b\":1e39,\"c\":1,\"d\":\"yes\"}}",
         "{\"a\":0.1,\"b\":\"Infinity\",\"c\":1.0,\"d\":false}"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"a\","
         "\"default\":7},{\"type\":\"string\",\"field\":\"b\",\"optional\":true,\"default\":\"x\"}]"
         "},\"payload\":{}}",
         "{\"a\":7,\"b\":\"x\"}"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"a\","
         "\"optional\":true,\"default\":null}]},\"payload\":{}}",
         "{\"a\":null}"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"array\",\"items\":{\"type\":"
         "\"string\"},\"field\":\"a\"},{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":"
         "{\"type\":\"int32\"},\"field\":\"m\"},{\"type\":\"bytes\",\"field\":\"y\"}]},\"payload\":"
         "{\"a\":[\"p\",\"q\"],\"m\":{\"index\":1,\"title\":2,\"a\":3},\"y\":\"AQI=\"}}",
         "{\"a\":[\"p\",\"q\"],\"m\":{\"a\":3,\"index\":1,\"title\":2},\"y\":\"AQI=\"}"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"map\",\"keys\":{\"type\":"
         "\"int32\"},\"values\":{\"type\":\"string\"},\"field\":\"m\"}]},\"payload\":{\"m\":[[1,"
         "\"a\"]]}}",
         "{\"m\":[[1,\"a\"]]}"},
        {"{\"schema\":{\"type\":\"int32\"},\"payload\":5}", "5"},
        {"{\"schema\":{\"type\":\"string\",\"optional\":true},\"payload\":null}", "NULL"},
        {"{\"schema\":null,\"payload\":{\"index\":1,\"title\":2,\"a\":3}}",
         "{\"a\":3,\"index\":1,\"title\":2}"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (!convert(f, cases[i].in)) {
            fail_msg("%s: %s", cases[i].in, f->failure.chain[0].message);
        }
        buf_reset(&f->out);
        if (f->value.kind == SINK_VALUE_NULL) {
            BUF_APPEND_LIT(&f->out, "NULL");
        } else {
            sink_value_write(&f->value, &f->out);
        }
        assert_string_equal(buf_cstr(&f->out), cases[i].out);
    }
}

static void what_is_no_text_for_a_text_of_its_own_is_a_tombstone(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[] = {
        "{\"schema\":{\"type\":\"bytes\",\"optional\":true},\"payload\":[]}",
        "{\"schema\":{\"type\":\"bytes\",\"optional\":true},\"payload\":7}",
        "{\"schema\":{\"type\":\"string\",\"optional\":true},\"payload\":{\"a\":1}}",
        "{\"schema\":{\"type\":\"string\",\"optional\":true,\"default\":3},\"payload\":null}",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_true(convert(f, cases[i]));
        assert_int_equal(f->value.kind, SINK_VALUE_NULL);
    }
}

static void what_does_not_fit_its_schema_is_a_data_exception(void **state)
{
    struct fixture *f = *state;
    static const struct grid_case cases[] = {
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\",\"field\":\"a\"}]},"
         "\"payload\":{}}",
         "Invalid null value for required INT32 field"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"string\",\"field\":\"a\"}]},"
         "\"payload\":{\"a\":1}}",
         "Invalid value: null used for required field: \"a\", schema type: STRING"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[]},\"payload\":[1]}",
         "Structs should be encoded as JSON objects, but found ARRAY"},
        {"{\"schema\":{\"type\":\"struct\"},\"payload\":{}}",
         "Struct schema's \"fields\" argument is not an array."},
        {"{\"schema\":{\"type\":\"int33\"},\"payload\":1}", "Unknown schema type: int33"},
        {"{\"schema\":{},\"payload\":1}", "Schema must contain 'type' field"},
        {"{\"schema\":{\"type\":\"array\"},\"payload\":[]}",
         "Array schema did not specify the element type"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":"
         "\"int32\"}},\"payload\":[]}",
         "Maps with string fields should be encoded as JSON objects, but found ARRAY"},
        {"{\"schema\":{\"type\":\"int32\"},\"payload\":5,\"more\":1}",
         "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not "
         "contain additional fields. If you are trying to deserialize plain JSON data, set "
         "schemas.enable=false in your converter configuration."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (convert(f, cases[i].in)) {
            fail_msg("%s: accepted", cases[i].in);
        }
        assert_string_equal(f->failure.chain[0].class_name,
                            "org.apache.kafka.connect.errors.DataException");
        assert_string_equal(f->failure.chain[0].message, cases[i].out);
    }
}

static void payloads_of_other_kinds_are_read_as_jackson_reads_them(void **state)
{
    struct fixture *f = *state;
    static const struct grid_case cases[] = {
        {"{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"int32\"}},\"payload\":{\"a\":1,"
         "\"b\":2}}",
         "[1,2]"},
        {"{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"int32\"}},\"payload\":7}", "[]"},
        {"{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"string\",\"optional\":true}},"
         "\"payload\":[\"a\",null,5]}",
         "[\"a\",null,null]"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"string\"}},\"payload\":[[1,\"a\"],[2,\"b\"]]}",
         "[[1,\"a\"],[2,\"b\"]]"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"string\"}},\"payload\":[]}",
         "[]"},
        {"{\"schema\":{\"type\":\"float\"},\"payload\":\"0.5\"}", "0.0"},
        {"{\"schema\":{\"type\":\"int32\"},\"payload\":\"5\"}", "0"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":1.5e1}", "15"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":-1.99}", "-1"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":12e-1}", "1"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":1e+2}", "100"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":1e-30}", "0"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":1e80}", "0"},
        {"{\"schema\":{\"type\":\"int64\"},\"payload\":1e99999999999}", "0"},
        {"{\"schema\":{\"type\":\"boolean\"},\"payload\":true}", "true"},
        {"{\"schema\":{\"type\":\"string\",\"default\":\"x\"},\"payload\":null}", "\"x\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (!convert(f, cases[i].in)) {
            fail_msg("%s: %s", cases[i].in, f->failure.chain[0].message);
        }
        buf_reset(&f->out);
        sink_value_write(&f->value, &f->out);
        if (strcmp(buf_cstr(&f->out), cases[i].out) != 0) {
            fail_msg("%s is %s, not %s", cases[i].in, buf_cstr(&f->out), cases[i].out);
        }
    }
}

static void schemas_and_entries_that_are_not_whole_are_data_exceptions(void **state)
{
    struct fixture *f = *state;
    static const struct grid_case cases[] = {
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"type\":\"int32\"}]},\"payload\":{}}",
         "Struct schema's field name not specified properly"},
        {"{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"a\",\"type\":\"array\"}]},"
         "\"payload\":{}}",
         "Array schema did not specify the element type"},
        {"{\"schema\":{\"type\":\"map\",\"values\":{\"type\":\"int32\"}},\"payload\":{}}",
         "Map schema did not specify the key type"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":null,\"values\":{\"type\":\"int32\"}},\"payload\":"
         "{}}",
         "Map schema did not specify the key type"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"string\"}},\"payload\":{}}",
         "Map schema did not specify the value type"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"int32\"}},\"payload\":{\"1\":2}}",
         "Maps with non-string fields should be encoded as JSON array of tuples, but found OBJECT"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"int32\"}},\"payload\":[\"a\"]}",
         "Found invalid map entry instead of array tuple: STRING"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"int32\"}},\"payload\":[[1,2,3]]}",
         "Found invalid map entry, expected length 2 but found :3"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"int32\"}},\"payload\":[[null,2]]}",
         "Invalid null value for required INT32 field"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"int32\"},\"values\":{\"type\":"
         "\"int64\"}},\"payload\":[[1,null]]}",
         "Invalid null value for required INT64 field"},
        {"{\"schema\":{\"type\":\"map\",\"keys\":{\"type\":\"string\"},\"values\":{\"type\":"
         "\"boolean\"}},\"payload\":{\"a\":null}}",
         "Invalid null value for required BOOLEAN field"},
        {"{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"bytes\"}},\"payload\":[\"AQI=\",5]"
         "}",
         "Invalid value: null used for required field: \"null\", schema type: BYTES"},
        {"{\"schema\":{\"type\":\"bytes\"},\"payload\":\"???\"}", "Invalid bytes field"},
        {"{\"schema\":{\"type\":\"string\"},\"payload\":null}",
         "Invalid null value for required STRING field"},
        {"{\"schema\":{\"type\":\"int32\"}}",
         "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not "
         "contain additional fields. If you are trying to deserialize plain JSON data, set "
         "schemas.enable=false in your converter configuration."},
        {"{\"payload\":5}",
         "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not "
         "contain additional fields. If you are trying to deserialize plain JSON data, set "
         "schemas.enable=false in your converter configuration."},
        {"[1]", "JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and "
                "may not contain additional fields. If you are trying to deserialize plain JSON "
                "data, set schemas.enable=false in your converter configuration."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (convert(f, cases[i].in) || strcmp(f->failure.chain[0].message, cases[i].out) != 0) {
            fail_msg("%s: \"%s\" instead of \"%s\"", cases[i].in, f->failure.chain[0].message,
                     cases[i].out);
        }
    }
}

/* An array of empty structs, each of which is filled with a thousand nulls. */
static void defaults_do_not_make_a_value_endless(void **state)
{
    struct fixture *f = *state;
    struct buf in;
    buf_init(&in, 1 << 20);
    BUF_APPEND_LIT(&in,
                   "{\"schema\":{\"type\":\"array\",\"items\":{\"type\":\"struct\",\"fields\":[");
    for (int i = 0; i < SINK_FIELDS_MAX; i++) {
        buf_printf(&in, "%s{\"type\":\"int8\",\"optional\":true,\"field\":\"f%d\"}",
                   i > 0 ? "," : "", i);
    }
    BUF_APPEND_LIT(&in, "]}},\"payload\":[{}");
    for (int i = 0; i < 5000; i++) {
        BUF_APPEND_LIT(&in, ",{}");
    }
    BUF_APPEND_LIT(&in, "]}");
    assert_true(buf_ok(&in));
    assert_false(convert(f, buf_cstr(&in)));
    assert_string_equal(f->failure.chain[0].message, "The value is larger than 16777216 bytes");
    buf_release(&in);
}

/* What does not fit is no value, wherever it ends: there is nothing to wait for. */
static void a_text_that_is_too_large_is_a_data_exception(void **state)
{
    static const char head[] = "{\"schema\":{\"type\":\"string\"},\"payload\":\"";
    struct fixture *f = *state;
    for (int more = 0; more < 2; more++) {
        size_t len = SINK_TYPED_BYTES_MAX - 2 + (size_t)more; /* and its quotes */
        struct buf text;
        buf_init(&text, len + 1000);
        buf_append_cstr(&text, head);
        assert_true(buf_reserve(&text, len));
        memset(text.ptr + text.len, 'x', len);
        text.len += len;
        BUF_APPEND_LIT(&text, "\"}");
        assert_true(buf_ok(&text));
        bool ok = convert(f, buf_cstr(&text));
        assert_int_equal(ok, more == 0);
        if (!ok) {
            assert_false(f->failure.no_memory);
            assert_string_equal(f->failure.chain[0].message,
                                "The value is larger than 16777216 bytes");
        }
        buf_release(&text);
    }
}

static void a_struct_has_so_many_fields_at_most(void **state)
{
    struct fixture *f = *state;
    struct buf in;
    buf_init(&in, 1 << 20);
    BUF_APPEND_LIT(&in, "{\"payload\":{},\"schema\":{\"type\":\"struct\",\"fields\":[1");
    for (int i = 0; i < SINK_FIELDS_MAX; i++) {
        BUF_APPEND_LIT(&in, ",1");
    }
    BUF_APPEND_LIT(&in, "]}}");
    assert_false(convert(f, buf_cstr(&in)));
    assert_string_equal(f->failure.chain[0].message, "A struct may have 1000 fields");
    buf_release(&in);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(payloads_are_written_as_their_schema_has_them),
        T(what_is_no_text_for_a_text_of_its_own_is_a_tombstone),
        T(what_does_not_fit_its_schema_is_a_data_exception),
        T(payloads_of_other_kinds_are_read_as_jackson_reads_them),
        T(schemas_and_entries_that_are_not_whole_are_data_exceptions),
        T(defaults_do_not_make_a_value_endless),
        T(a_text_that_is_too_large_is_a_data_exception),
        T(a_struct_has_so_many_fields_at_most),
    };
#undef T
    return cmocka_run_group_tests(tests, NULL, NULL);
}
