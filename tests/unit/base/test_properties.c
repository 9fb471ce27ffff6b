/* .properties files as Java reads them, and what becomes of the workshop's kafka-rest.properties.
 */
#include "buf.h"
#include "file.h"
#include "properties.h"
#include "rest_properties.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { text_max = 64 * 1024, path_bytes = 512 };

static enum status append_property(void *ctx, const struct property *property, struct error *err)
{
    struct buf *out = ctx;
    (void)err;
    buf_printf(out, "%d[%.*s][%.*s]", property->line, SPAN_ARG(property->key),
               SPAN_ARG(property->value));
    return STATUS_OK;
}

static void lines_are_read_as_java_reads_them(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"", ""},
        {"\n  \n# comment\n! too\n  # indented\n", ""},
        {"a=b", "1[a][b]"},
        {"a:b\nc d\ne", "1[a][b]2[c][d]3[e][]"},
        {"  a \t = \t b c \r\nd=e\rf=g", "1[a][b c ]2[d][e]3[f][g]"},
        {"a=b=c:d", "1[a][b=c:d]"},
        {"a\\=b\\ c=d", "1[a=b c][d]"},
        {"a=b # not a comment", "1[a][b # not a comment]"},
        {"a=b,\\\n   c,\\\n\td\ne=f", "1[a][b,c,d]4[e][f]"},
        {"a=b\\\\\nc=d", "1[a][b\\]2[c][d]"},
        {"a=b\\", "1[a][b]"},
        {"a=\\ b\nc=d\t", "1[a][ b]2[c][d\t]"},
        {"a=\\uD83D\\uDE00\\u20ac", "1[a][\xf0\x9f\x98\x80\xe2\x82\xac]"},
        {"a=\\uD83Dx\\uDE00", "1[a][\xef\xbf\xbdx\xef\xbf\xbd]"},
        {"a=\\u00e9\\tx\\q", "1[a][\xc3\xa9\txq]"},
        {"\xef\xbb\xbf"
         "a=b",
         "1[a][b]"},
        {"=x", "1[][x]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf out;
        struct error err;
        buf_init(&out, text_max);
        assert_int_equal(
            properties_read(span_from_cstr(cases[i].text), append_property, &out, &err), STATUS_OK);
        assert_string_equal(buf_cstr(&out), cases[i].expected);
        buf_release(&out);
    }
}

static void broken_files_name_the_line(void **state)
{
    struct buf out;
    struct error err;
    (void)state;
    buf_init(&out, text_max);
    assert_int_equal(properties_read(SPAN_LIT("a=b\nc=\\u12"), append_property, &out, &err),
                     STATUS_INVALID);
    assert_non_null(strstr(err.message, "line 2"));
    assert_int_equal(properties_read(SPAN_LIT("a=\xff"), append_property, &out, &err),
                     STATUS_INVALID);
    buf_reset(&out);
    struct buf longest;
    buf_init(&longest, text_max);
    for (int i = 0; i <= PROPERTIES_KEY_BYTES_MAX; i++) {
        buf_append_byte(&longest, 'k');
    }
    assert_int_equal(properties_read(buf_span(&longest), append_property, &out, &err),
                     STATUS_INVALID);
    buf_release(&longest);
    buf_release(&out);
}

/* --- kafka-rest.properties --- */

struct fixture {
    struct temp_dir dir;
    struct arena arena;
    char path[path_bytes];
    char *notes;
    size_t notes_len;
    struct rest_properties result;
    struct error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    temp_dir_path(&f->dir, "kafka-rest.properties", f->path, sizeof(f->path));
    arena_init(&f->arena, text_max);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_dir_remove(&f->dir);
    arena_release(&f->arena);
    free(f->notes);
    free(f);
    return 0;
}

static enum status load(struct fixture *f, const char *text)
{
    assert_int_equal(file_replace(f->path, span_from_cstr(text), 0600, &f->err), STATUS_OK);
    free(f->notes);
    FILE *notes = open_memstream(&f->notes, &f->notes_len);
    enum status status = rest_properties_load(f->path, &f->arena, notes, &f->result, &f->err);
    fclose(notes);
    return status;
}

/* However it is long: in one piece, in pieces that are joined, in escapes. */
static void a_line_that_is_too_long_is_refused_and_not_read_as_another(void **state)
{
    static const struct {
        const char *piece;
        size_t count;
        bool fits;
    } cases[] = {
        {"v", PROPERTIES_VALUE_BYTES_MAX, true},
        {"v", PROPERTIES_VALUE_BYTES_MAX + 1, false},
        {"\\u0041", PROPERTIES_VALUE_BYTES_MAX, true},
        {"\\u0041", PROPERTIES_VALUE_BYTES_MAX + 1, false},
        {"v\\\n", PROPERTIES_VALUE_BYTES_MAX, true},
        {"v\\\n", PROPERTIES_BYTES_MAX + 1, false},
        {"v", PROPERTIES_BYTES_MAX + 1, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf text;
        struct buf out;
        struct error err = ERROR_NONE;
        buf_init(&text, PROPERTIES_BYTES_MAX * 8);
        buf_init(&out, PROPERTIES_BYTES_MAX);
        buf_append_cstr(&text, "a=b\nkey=");
        for (size_t n = 0; n < cases[i].count; n++) {
            buf_append_cstr(&text, cases[i].piece);
        }
        assert_true(buf_ok(&text));
        enum status status = properties_read(buf_span(&text), append_property, &out, &err);
        assert_int_equal(status, cases[i].fits ? STATUS_OK : STATUS_INVALID);
        if (!cases[i].fits) {
            assert_non_null(strstr(err.message, "line 2: too long"));
            assert_string_equal(buf_cstr(&out), "1[a][b]");
        }
        buf_release(&out);
        buf_release(&text);
    }
}

static void the_workshops_file_is_taken_as_pasted(void **state)
{
    static const char text[] =
        "# Licensed to ...\n"
        "#id=kafka-rest-test-server\n"
        "#schema.registry.url=http://localhost:8081\n"
        "zookeeper.connect=z-1.pinterestmskcluster.x.c12.kafka.us-east-1.amazonaws.com:2181\n"
        "bootstrap.servers=b-1.pinterestmskcluster.x.c12.kafka.us-east-1.amazonaws.com:9098\n"
        "client.security.protocol = SASL_SSL\n"
        "client.sasl.mechanism = AWS_MSK_IAM\n"
        "client.sasl.jaas.config = software.amazon.msk.auth.iam.IAMLoginModule required "
        "awsRoleArn=\"SECRET\";\n"
        "client.sasl.client.callback.handler.class = "
        "software.amazon.msk.auth.iam.IAMClientCallbackHandler\n"
        "listeners=http://0.0.0.0:8083\n"
        "advertised.listeners=http://ec2-host:8082/\n"
        "consumer.request.timeout.ms=1000\n"
        "no.such.key=1\n";
    struct fixture *f = *state;
    assert_int_equal(load(f, text), STATUS_OK);
    assert_int_equal(f->result.rest_port, 8083);
    assert_string_equal(f->result.advertised_url, "http://ec2-host:8082");
    static const char *const named[] = {
        ":4: zookeeper.connect is not used",    ":5: bootstrap.servers is not used",
        ":6: client.security.protocol is not",  ":8: client.sasl.jaas.config is not used",
        ":12: consumer.request.timeout.ms is ", ":13: no.such.key is not used",
    };
    for (size_t i = 0; i < ARRAY_COUNT(named); i++) {
        assert_non_null(strstr(f->notes, named[i]));
    }
    assert_null(strstr(f->notes, "SECRET"));
    assert_null(strstr(f->notes, "listeners"));
}

static void the_deprecated_keys_count_where_the_newer_are_missing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f, "host.name=my-laptop \nport=9000\t\n"), STATUS_OK);
    assert_int_equal(f->result.rest_port, 9000);
    assert_string_equal(f->result.advertised_url, "http://my-laptop:9000");
    assert_int_equal(load(f, "port=9000\nlisteners=https://a:1,http://b:2\n"), STATUS_OK);
    assert_int_equal(f->result.rest_port, 2);
    assert_null(f->result.advertised_url);
}

static void mistakes_name_file_line_and_key(void **state)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"\nlisteners=nonsense\n", "line 2: listeners"},
        {"listeners=https://0.0.0.0:8082\n", "TLS is not in this build"},
        {"port=70000\n", "line 1: port"},
        {"advertised.listeners=x\n", "line 1: advertised.listeners"},
        {"host.name=a b\n", "host.name"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(load(f, cases[i].text), STATUS_CONFIG);
        assert_non_null(strstr(f->err.message, "kafka-rest.properties"));
        assert_non_null(strstr(f->err.message, cases[i].expected));
    }
    struct rest_properties result;
    assert_int_equal(rest_properties_load("/no/such/file", &f->arena, stderr, &result, &f->err),
                     STATUS_CONFIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read_as_java_reads_them),
        cmocka_unit_test(broken_files_name_the_line),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_and_not_read_as_another),
        TEST(the_workshops_file_is_taken_as_pasted),
        TEST(the_deprecated_keys_count_where_the_newer_are_missing),
        TEST(mistakes_name_file_line_and_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
