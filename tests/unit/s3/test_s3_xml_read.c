#include "buf.h"
#include "s3.h"
#include "s3_xml_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { arena_bytes_max = 64 * 1024 * 1024 };

struct bench {
    struct arena arena;
    struct buf text;
};

static int bench_open(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    arena_init(&bench->arena, arena_bytes_max);
    buf_init(&bench->text, arena_bytes_max);
    *state = bench;
    return 0;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    arena_release(&bench->arena);
    buf_release(&bench->text);
    free(bench);
    return 0;
}

/* From its own allocation of exactly that size, so that a read beyond it is seen. */
static struct s3_xml_node *read_bytes(struct bench *bench, const char *bytes, size_t len)
{
    char *copy = malloc(len > 0 ? len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, len);
    struct s3_xml_node *root = s3_xml_read(&bench->arena, span_from(copy, len), &(bool){false});
    memset(copy, '!', len);
    free(copy);
    return root;
}

static struct s3_xml_node *read_text(struct bench *bench, const char *text)
{
    return read_bytes(bench, text, strlen(text));
}

static void assert_text(struct span actual, const char *expected, const char *label)
{
    if (!span_equal_cstr(actual, expected)) {
        fail_msg("%s: expected \"%s\", got \"%.*s\"", label, expected, SPAN_ARG(actual));
    }
}

static void a_delete_request_becomes_a_tree_with_or_without_namespace(void **state)
{
    static const char *const forms[] = {
        "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Quiet>true</Quiet>"
        "</Delete>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Object>\n    <Key>a</Key>\n"
        "  </Object><!-- and --><Object kind=\"1\"><Key>b</Key></Object>\n"
        "  <Quiet>\n true </Quiet></Delete>\n",
        "<s:Delete xmlns:s='http://s3.amazonaws.com/doc/2006-03-01/'><s:Object><s:Key>a</s:Key>"
        "</s:Object><?go on?><s:Object><s:Key>b</s:Key></s:Object><s:Quiet>true</s:Quiet>"
        "</s:Delete>",
    };
    for (size_t i = 0; i < ARRAY_COUNT(forms); i++) {
        struct s3_xml_node *root = read_text(*state, forms[i]);
        assert_non_null(root);
        assert_text(root->name, "Delete", forms[i]);
        assert_int_equal(root->text.len, 0);
        assert_null(root->next);
        const struct s3_xml_node *first = root->children;
        assert_text(first->name, "Object", forms[i]);
        assert_text(s3_xml_child(first, "Key")->text, "a", forms[i]);
        assert_text(s3_xml_child(first->next, "Key")->text, "b", forms[i]);
        assert_text(s3_xml_child_word(root, "Quiet"), "true", forms[i]);
        assert_null(s3_xml_child(root, "quiet"));
        assert_int_equal(s3_xml_child_word(root, "Loud").len, 0);
        assert_null(first->next->next->next);
    }
}

static void text_keeps_its_blanks_and_loses_its_escapes(void **state)
{
    static const struct {
        const char *xml;
        const char *text;
    } cases[] = {
        {"<Key> a b </Key>", " a b "},
        {"<Key></Key>", ""},
        {"<Key/>", ""},
        {"<Key>&lt;&amp;&gt;&quot;&apos;</Key>", "<&>\"'"},
        {"<Key>a&#13;&#10;b</Key>", "a\r\nb"},
        {"<Key>a\r\nb</Key>", "a\nb"}, /* XML 1.0 2.11 */
        {"<Key>&#x1F4CC;\xc3\xa9</Key>", "\xf0\x9f\x93\x8c\xc3\xa9"},
        {"<Key><![CDATA[<a>&amp;]]></Key>", "<a>&amp;"},
        {"<Key>a<!-- no -->b<?no no?>c</Key>", "abc"},
        {"<?xml version='1.0' encoding='ISO-8859-1'?><Key>\xe9</Key>", "\xc3\xa9"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct s3_xml_node *root = read_text(*state, cases[i].xml);
        if (root == NULL) {
            fail_msg("%s: refused", cases[i].xml);
        } else {
            assert_text(root->text, cases[i].text, cases[i].xml);
        }
    }
}

static void what_is_not_well_formed_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "{}",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a>&nbsp;</a>",
        "<a>&#0;</a>",
        "<a>&#xD800;</a>",
        "<a>\x01</a>",
        "<a>\xff</a>",
        "<a>\xc3</a>",
        "<a b=1/>",
        "<a b='1' b='2'/>",
        "<p:a/>",
        "<?xml version='1.0' encoding='EBCDIC-9'?><a/>",
        "<a xmlns='x&#10;y'/>",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (read_text(*state, cases[i]) != NULL) {
            fail_msg("accepted: %s", cases[i]);
        }
    }
    assert_null(read_bytes(*state, "<a>\0</a>", 8));
    assert_null(read_bytes(*state, "<a/>\0", 5));
}

static void text_beside_elements_is_refused(void **state)
{
    assert_null(read_text(*state, "<Delete>x<Object/></Delete>"));
    assert_null(read_text(*state, "<Delete><Object/>x</Delete>"));
    assert_null(read_text(*state, "<Delete><Object/><![CDATA[x]]><Object/></Delete>"));
    assert_non_null(read_text(*state, "<Delete> <Object/>\t\r\n</Delete>"));
}

static void document_types_and_entities_are_refused(void **state)
{
    static const char *const cases[] = {
        "<!DOCTYPE a><a/>",
        "<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<!DOCTYPE a [<!ENTITY x 'yy'><!ENTITY y '&x;&x;&x;&x;'>]><a>&y;</a>",
        "<!DOCTYPE a [<!ENTITY % x SYSTEM 'http://127.0.0.1/x'> %x;]><a/>",
        "<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>",
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (read_text(*state, cases[i]) != NULL) {
            fail_msg("accepted: %s", cases[i]);
        }
    }
}

static struct span repeat(struct buf *out, const char *head, const char *piece, size_t count)
{
    buf_reset(out);
    buf_append_cstr(out, head);
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(out, piece);
    }
    return buf_span(out);
}

static void nesting_is_bounded(void **state)
{
    struct bench *bench = *state;
    for (size_t depth = S3_XML_DEPTH_MAX; depth <= S3_XML_DEPTH_MAX + 1; depth++) {
        (void)repeat(&bench->text, "", "<a>", depth);
        for (size_t i = 0; i < depth; i++) {
            buf_append_cstr(&bench->text, "</a>");
        }
        struct s3_xml_node *root = read_bytes(bench, bench->text.ptr, bench->text.len);
        assert_true((root != NULL) == (depth == S3_XML_DEPTH_MAX));
    }
    (void)repeat(&bench->text, "", "<a>", 1000 * 1000);
    assert_null(read_bytes(bench, bench->text.ptr, bench->text.len));
}

static void the_number_of_elements_is_bounded(void **state)
{
    struct bench *bench = *state;
    for (size_t count = S3_XML_NODES_MAX; count <= S3_XML_NODES_MAX + 1; count++) {
        (void)repeat(&bench->text, "<r>", "<a/>", count - 1);
        buf_append_cstr(&bench->text, "</r>");
        struct s3_xml_node *root = read_bytes(bench, bench->text.ptr, bench->text.len);
        assert_true((root != NULL) == (count == S3_XML_NODES_MAX));
    }
}

static void one_text_is_bounded(void **state)
{
    struct bench *bench = *state;
    for (size_t len = S3_XML_TEXT_BYTES_MAX - 16; len <= S3_XML_TEXT_BYTES_MAX + 16; len++) {
        (void)repeat(&bench->text, "<r>", "x", len);
        buf_append_cstr(&bench->text, "</r>");
        struct s3_xml_node *root = read_bytes(bench, bench->text.ptr, bench->text.len);
        if (root != NULL) {
            assert_true(len <= S3_XML_TEXT_BYTES_MAX);
            assert_int_equal(root->text.len, len);
        } else {
            /* The buffer's own byte more or less is not the matter. */
            assert_true(len >= S3_XML_TEXT_BYTES_MAX);
        }
    }
}

static void one_tag_is_bounded(void **state)
{
    struct bench *bench = *state;
    for (size_t len = S3_XML_TAG_BYTES_MAX - 1; len <= S3_XML_TAG_BYTES_MAX + 1; len++) {
        (void)repeat(&bench->text, "<r a=\"", "x", len - sizeof("<r a=\"\"") + 1);
        buf_append_cstr(&bench->text, "\"></r>");
        struct s3_xml_node *root = read_bytes(bench, bench->text.ptr, bench->text.len);
        assert_int_equal(root != NULL, len <= S3_XML_TAG_BYTES_MAX);
    }
    (void)repeat(&bench->text, "<r><!--", "x", 2 * S3_XML_TAG_BYTES_MAX);
    buf_append_cstr(&bench->text, "--></r>"); /* a comment is as long as it likes */
    assert_non_null(read_bytes(bench, bench->text.ptr, bench->text.len));
}

static void a_body_over_the_limit_is_refused(void **state)
{
    struct bench *bench = *state;
    (void)repeat(&bench->text, "<r>", "<a>0123456789012345678901234567890123456789</a>", 95000);
    buf_append_cstr(&bench->text, "</r>");
    assert_true(bench->text.len > S3_BODY_BYTES_MAX);
    assert_null(read_bytes(bench, bench->text.ptr, bench->text.len));
}

static void an_arena_that_is_full_refuses(void **state)
{
    struct arena small;
    (void)state;
    arena_init(&small, 4096);
    struct buf text;
    buf_init(&text, arena_bytes_max);
    (void)repeat(&text, "<r>", "<a>b</a>", 1000);
    buf_append_cstr(&text, "</r>");
    assert_null(s3_xml_read(&small, buf_span(&text), &(bool){false}));
    buf_release(&text);
    arena_release(&small);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(a_delete_request_becomes_a_tree_with_or_without_namespace),
        TEST(text_keeps_its_blanks_and_loses_its_escapes),
        TEST(what_is_not_well_formed_is_refused),
        TEST(text_beside_elements_is_refused),
        TEST(document_types_and_entities_are_refused),
        TEST(nesting_is_bounded),
        TEST(the_number_of_elements_is_bounded),
        TEST(one_text_is_bounded),
        TEST(one_tag_is_bounded),
        TEST(a_body_over_the_limit_is_refused),
        TEST(an_arena_that_is_full_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
