/* ListObjects and ListObjectsV2: shapes, paging, errors, and random listings against a reference
 * that sorts and cuts everything in memory. */
#include "s3_fixture.h"
#include "s3_xml_read.h"
#include "url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

enum { text_max = 4 * 1024 * 1024 };

/* --- asking and reading --- */

struct bench {
    struct s3_fixture *fixture;
    struct arena arena; /* of what was read; emptied by each question */
};

static void put(struct bench *bench, struct span key)
{
    struct store_bucket bucket;
    struct error err = ERROR_NONE;
    assert_int_equal(
        store_bucket_find(bench->fixture->store, SPAN_LIT("bkt"), &bench->arena, &bucket, &err),
        STATUS_OK);
    struct store_object_put object = {.bucket_id = bucket.id,
                                      .key = key,
                                      .etag = SPAN_LIT("5d41402abc4b2a76b9719d911017c592"),
                                      .headers = SPAN_EMPTY,
                                      .checksum = SPAN_EMPTY,
                                      .modified_ms = INT64_C(1767323045678),
                                      .bytes = SPAN_LIT("hello")};
    assert_int_equal(store_object_put(bench->fixture->store, &object, &err), STATUS_OK);
}

static void put_all(struct bench *bench, const char *const *keys)
{
    for (; *keys != NULL; keys++) {
        put(bench, span_from_cstr(*keys));
    }
}

static int bench_open(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    arena_init(&bench->arena, 64 * 1024 * 1024);
    void *fixture = NULL;
    s3_fixture_setup(&fixture);
    bench->fixture = fixture;
    *state = bench;
    return 0;
}

static int bench_close(void **state)
{
    struct bench *bench = *state;
    void *fixture = bench->fixture;
    s3_fixture_teardown(&fixture);
    arena_release(&bench->arena);
    free(bench);
    return 0;
}

static const struct s3_fixture *ask(struct bench *bench, const char *target)
{
    s3_get(bench->fixture, target);
    return bench->fixture;
}

static const struct s3_xml_node *list(struct bench *bench, const char *target)
{
    s3_get(bench->fixture, target);
    s3_assert_status(bench->fixture, 200);
    arena_reset(&bench->arena);
    const struct s3_xml_node *root =
        s3_xml_read(&bench->arena, buf_span(&bench->fixture->body), &(bool){false});
    assert_non_null(root);
    assert_true(span_equal_cstr(root->name, "ListBucketResult"));
    return root;
}

/* Keys first, then common prefixes in brackets: "a b [c/]". */
static const char *names_of(struct bench *bench, const struct s3_xml_node *root)
{
    struct buf out;
    buf_init(&out, text_max);
    for (const struct s3_xml_node *n = root->children; n != NULL; n = n->next) {
        bool is_key = span_equal_cstr(n->name, "Contents");
        if (is_key || span_equal_cstr(n->name, "CommonPrefixes")) {
            struct span name = s3_xml_child(n, is_key ? "Key" : "Prefix")->text;
            buf_printf(&out, is_key ? "%s%.*s" : "%s[%.*s]", out.len > 0 ? " " : "",
                       SPAN_ARG(name));
        }
    }
    const char *text = arena_copy_cstr(&bench->arena, buf_span(&out));
    buf_release(&out);
    return text;
}

static void assert_word(const struct s3_xml_node *root, const char *name, const char *expected)
{
    const struct s3_xml_node *child = s3_xml_child(root, name);
    if (expected == NULL) {
        if (child != NULL) {
            fail_msg("%s is there: %.*s", name, SPAN_ARG(child->text));
        }
        return;
    }
    if (child == NULL || !span_equal_cstr(child->text, expected)) {
        fail_msg("%s: expected \"%s\", got \"%.*s\"", name, expected,
                 SPAN_ARG(child != NULL ? child->text : SPAN_LIT("(none)")));
    }
}

/* --- shapes --- */

static void version_2_answers_with_every_element_of_the_real_one(void **state)
{
    static const char *const keys[] = {"a.txt", "dir/one", NULL};
    put_all(*state, keys);
    const struct s3_fixture *f = ask(*state, "/bkt?list-type=2&delimiter=%2F&max-keys=5");
    s3_assert_status(f, 200);
    s3_assert_header(f, "Content-Type", "application/xml");
    s3_assert_header(f, "x-amz-bucket-region", "us-east-1");
    s3_assert_body(
        f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bkt</Name>"
           "<Prefix></Prefix><KeyCount>2</KeyCount><MaxKeys>5</MaxKeys><Delimiter>/</Delimiter>"
           "<IsTruncated>false</IsTruncated><Contents><Key>a.txt</Key>"
           "<LastModified>2026-01-02T03:04:05.000Z</LastModified>"
           "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag><Size>5</Size>"
           "<StorageClass>STANDARD</StorageClass></Contents>"
           "<CommonPrefixes><Prefix>dir/</Prefix></CommonPrefixes></ListBucketResult>");
}

static void version_2_gives_the_owner_only_when_asked(void **state)
{
    static const char *const keys[] = {"a", NULL};
    put_all(*state, keys);
    const struct s3_xml_node *root = list(*state, "/bkt?list-type=2");
    assert_null(s3_xml_child(s3_xml_child(root, "Contents"), "Owner"));
    root = list(*state, "/bkt?list-type=2&fetch-owner=true");
    const struct s3_xml_node *owner = s3_xml_child(s3_xml_child(root, "Contents"), "Owner");
    assert_non_null(owner);
    assert_true(s3_xml_child_word(owner, "ID").len == 64);
}

static void the_checksum_of_an_object_is_named_by_its_kind(void **state)
{
    struct bench *bench = *state;
    struct s3_ask with = {.method = "PUT",
                          .target = "/bkt/with",
                          .headers = {"x-amz-checksum-crc32: NhCmhg=="},
                          .body = SPAN_LIT("hello")};
    s3_ask(bench->fixture, &with);
    s3_assert_status(bench->fixture, 200);
    s3_put(bench->fixture, "/bkt/without", "hello");
    for (int version = 1; version <= 2; version++) {
        const struct s3_fixture *f = ask(bench, version == 1 ? "/bkt" : "/bkt?list-type=2");
        const char *first =
            strstr(buf_cstr(&f->body), "&quot;</ETag><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>"
                                       "<ChecksumType>FULL_OBJECT</ChecksumType><Size>5</Size>");
        assert_non_null(first);
        assert_null(strstr(strstr(first, "<Size>"), "<ChecksumAlgorithm>"));
    }
}

static void version_2_says_again_where_it_began(void **state)
{
    static const char *const keys[] = {"a", "b", "c", NULL};
    put_all(*state, keys);
    const struct s3_xml_node *root = list(*state, "/bkt?list-type=2&start-after=a&max-keys=1");
    assert_string_equal(names_of(*state, root), "b");
    assert_word(root, "StartAfter", "a");
    assert_word(root, "ContinuationToken", NULL);
    assert_word(root, "KeyCount", "1");
    assert_word(root, "IsTruncated", "true");
    struct buf target;
    buf_init(&target, text_max);
    BUF_APPEND_LIT(&target, "/bkt?list-type=2&start-after=a&continuation-token=");
    char token[256];
    snprintf(token, sizeof(token), "%.*s",
             SPAN_ARG(s3_xml_child_word(root, "NextContinuationToken")));
    url_encode(span_from_cstr(token), false, &target);
    root = list(*state, buf_cstr(&target));
    assert_string_equal(names_of(*state, root), "c"); /* the token, not start-after */
    assert_word(root, "ContinuationToken", token);
    assert_word(root, "StartAfter", NULL);
    assert_word(root, "NextContinuationToken", NULL);
    buf_release(&target);
}

static void version_1_has_owner_and_marker_and_a_next_marker_only_with_a_delimiter(void **state)
{
    static const char *const keys[] = {"a", "b", "c/d", "e", NULL};
    put_all(*state, keys);
    const struct s3_xml_node *root = list(*state, "/bkt?max-keys=2");
    assert_string_equal(names_of(*state, root), "a b");
    assert_word(root, "Marker", "");
    assert_word(root, "NextMarker", NULL);
    assert_word(root, "IsTruncated", "true");
    assert_word(root, "KeyCount", NULL);
    assert_non_null(s3_xml_child(s3_xml_child(root, "Contents"), "Owner"));
    root = list(*state, "/bkt?max-keys=2&delimiter=/&marker=a");
    assert_string_equal(names_of(*state, root), "b [c/]");
    assert_word(root, "Marker", "a");
    assert_word(root, "NextMarker", "c/");
    root = list(*state, "/bkt?max-keys=2&delimiter=/&marker=c/");
    assert_string_equal(names_of(*state, root), "e");
    assert_word(root, "NextMarker", NULL);
    assert_word(root, "IsTruncated", "false");
}

static void an_empty_bucket_lists_nothing(void **state)
{
    const struct s3_xml_node *root = list(*state, "/bkt?list-type=2");
    assert_string_equal(names_of(*state, root), "");
    assert_word(root, "KeyCount", "0");
    assert_word(root, "MaxKeys", "1000");
    assert_word(root, "IsTruncated", "false");
    assert_word(root, "Delimiter", NULL);
    assert_word(root, "EncodingType", NULL);
    assert_word(root, "StartAfter", NULL);
    root = list(*state, "/bkt");
    assert_word(root, "IsTruncated", "false");
}

/* --- numbers and errors --- */

static void page_sizes_are_those_of_the_real_one(void **state)
{
    static const struct {
        const char *max;
        const char *names;
        const char *max_keys;
        const char *truncated;
    } cases[] = {
        {"1", "a", "1", "true"},
        {"3", "a b c", "3", "false"},
        {"0", "", "0", "false"},
        {"4", "a b c", "4", "false"},
        {"1001", "a b c", "1000", "false"},
        {"2147483647", "a b c", "1000", "false"},
        {"", "a b c", "1000", "false"}, /* S3 does not mind */
    };
    static const char *const keys[] = {"a", "b", "c", NULL};
    put_all(*state, keys);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (int version = 1; version <= 2; version++) {
            char target[128];
            snprintf(target, sizeof(target), "/bkt?max-keys=%s%s", cases[i].max,
                     version == 2 ? "&list-type=2" : "");
            const struct s3_xml_node *root = list(*state, target);
            assert_string_equal(names_of(*state, root), cases[i].names);
            assert_word(root, "MaxKeys", cases[i].max_keys);
            assert_word(root, "IsTruncated", cases[i].truncated);
        }
    }
}

static void a_listing_has_at_most_1000_names(void **state)
{
    struct bench *bench = *state;
    for (int i = 0; i < 1002; i++) {
        char key[32];
        snprintf(key, sizeof(key), "%04d", i);
        put(bench, span_from_cstr(key));
    }
    const struct s3_xml_node *root = list(bench, "/bkt?list-type=2&max-keys=5000");
    assert_word(root, "KeyCount", "1000");
    assert_word(root, "IsTruncated", "true");
    root = list(bench, "/bkt?list-type=2&start-after=0999");
    assert_string_equal(names_of(bench, root), "1000 1001");
}

static void bad_questions_are_refused(void **state)
{
    static const struct {
        const char *target;
        int status;
        const char *code;
        const char *part;
    } cases[] = {
        {"/none?list-type=2", 404, "NoSuchBucket", "<BucketName>none</BucketName>"},
        {"/none", 404, "NoSuchBucket", "<BucketName>none</BucketName>"},
        {"/bkt?list-type=2&max-keys=-1", 400, "InvalidArgument",
         "<Message>Argument maxKeys must be an integer between 0 and 2147483647</Message>"
         "<ArgumentName>maxKeys</ArgumentName><ArgumentValue>-1</ArgumentValue>"},
        {"/bkt?max-keys=x", 400, "InvalidArgument", "<ArgumentValue>x</ArgumentValue>"},
        {"/bkt?max-keys=2147483648", 400, "InvalidArgument",
         "<Message>Provided max-keys not an integer or within integer range</Message>"
         "<ArgumentName>max-keys</ArgumentName><ArgumentValue>2147483648</ArgumentValue>"},
        {"/bkt?uploads&max-uploads=-1", 400, "InvalidArgument",
         "<Message>Argument max-uploads must be an integer between 0 and 2147483647</Message>"
         "<ArgumentName>max-uploads</ArgumentName>"},
        {"/bkt?list-type=2&encoding-type=html", 400, "InvalidArgument",
         "Invalid Encoding Method specified in Request"},
        {"/bkt?list-type=2&encoding-type=", 400, "InvalidArgument",
         "<ArgumentName>encoding-type</ArgumentName><ArgumentValue></ArgumentValue>"},
        {"/bkt?encoding-type=", 400, "InvalidArgument", "Invalid Encoding Method"},
        {"/bkt?uploads&encoding-type=", 400, "InvalidArgument", "Invalid Encoding Method"},
        {"/bkt?list-type=2&continuation-token=", 400, "InvalidArgument",
         "The continuation token provided is incorrect"},
        {"/bkt?list-type=2&continuation-token=nonsense", 400, "InvalidArgument",
         "<ArgumentName>continuation-token</ArgumentName>"},
        {"/bkt?list-type=2&continuation-token=AQAAAABh", 400, "InvalidArgument",
         "The continuation token provided is incorrect"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        const struct s3_fixture *f = ask(*state, cases[i].target);
        s3_assert_error(f, cases[i].status, cases[i].code);
        if (strstr(buf_cstr(&f->body), cases[i].part) == NULL) {
            fail_msg("%s: %s", cases[i].target, buf_cstr(&f->body));
        }
    }
}

/* --- keys --- */

static void url_encoding_survives_a_reader_that_takes_plus_for_a_blank(void **state)
{
    static const char *const keys[] = {"topics/u.pin/partition=0/u.pin+0+0000000000.json",
                                       "a b",
                                       "a+b",
                                       "100%",
                                       "\xc3\xa9<&>\x01",
                                       "enc/c&d=e?f#g%h~.-_",
                                       "enc/semi;colon,comma:@$!*'()[]",
                                       NULL};
    put_all(*state, keys);
    const struct s3_xml_node *root =
        list(*state, "/bkt?list-type=2&encoding-type=url&prefix=topics/u.pin/&start-after=a%2Bb");
    assert_word(root, "EncodingType", "url");
    assert_string_equal(names_of(*state, root),
                        "topics/u.pin/partition%3D0/u.pin%2B0%2B0000000000.json");
    assert_word(root, "Prefix", "topics/u.pin/");
    assert_word(root, "StartAfter", "a%2Bb");
    root = list(*state, "/bkt?encoding-type=url&prefix=a&delimiter=%2B");
    assert_string_equal(names_of(*state, root), "a+b [a%2B]");
    assert_word(root, "Delimiter", "%2B");
    root = list(*state, "/bkt?encoding-type=url&prefix=enc/"); /* as recorded */
    assert_string_equal(names_of(*state, root),
                        "enc/c%26d%3De%3Ff%23g%25h%7E.-_ "
                        "enc/semi%3Bcolon%2Ccomma%3A%40%24%21*%27%28%29%5B%5D");
    root = list(*state, "/bkt?encoding-type=url&prefix=a&delimiter=%20");
    assert_word(root, "Delimiter", "+");
    root = list(*state, "/bkt?encoding-type=url&marker=topics%2Fz");
    assert_string_equal(names_of(*state, root), "%C3%A9%3C%26%3E%01");
    assert_word(root, "Marker", "topics/z");
}

static void without_url_encoding_keys_are_escaped_as_xml(void **state)
{
    static const char *const keys[] = {"a+b&<>\"' \xc3\xa9", NULL};
    put_all(*state, keys);
    const struct s3_xml_node *root = list(*state, "/bkt?list-type=2");
    assert_string_equal(names_of(*state, root), keys[0]);
}

static void keys_come_in_the_order_of_their_bytes(void **state)
{
    static const char *const keys[] = {
        "\xf0\x9f\x93\x8c", "\xef\xbf\xbd", "b", "a/", "a0", "a", "B", "a-", "\xc3\xa9", NULL};
    put_all(*state, keys);
    assert_string_equal(names_of(*state, list(*state, "/bkt?list-type=2")),
                        "B a a- a/ a0 b \xc3\xa9 \xef\xbf\xbd \xf0\x9f\x93\x8c");
}

static void a_common_prefix_counts_once_and_is_passed_over(void **state)
{
    static const char *const keys[] = {"a/1", "a/2", "b", "c/1", "c/2/3", "d", NULL};
    put_all(*state, keys);
    const struct s3_xml_node *root = list(*state, "/bkt?list-type=2&delimiter=/&max-keys=3");
    assert_string_equal(names_of(*state, root), "b [a/] [c/]");
    assert_word(root, "KeyCount", "3");
    assert_word(root, "IsTruncated", "true");
    root = list(*state, "/bkt?list-type=2&delimiter=/&start-after=c/");
    assert_string_equal(names_of(*state, root), "d");
    /* "CommonPrefixes is filtered out from results if it is not lexicographically greater than the
     * StartAfter value" (S3 API reference). */
    root = list(*state, "/bkt?list-type=2&delimiter=/&start-after=c/1");
    assert_string_equal(names_of(*state, root), "d");
    root = list(*state, "/bkt?list-type=2&delimiter=/&prefix=c/");
    assert_string_equal(names_of(*state, root), "c/1 [c/2/]");
    root = list(*state, "/bkt?list-type=2&delimiter=/&prefix=c");
    assert_string_equal(names_of(*state, root), "[c/]");
    root = list(*state, "/bkt?list-type=2&delimiter=/&prefix=a/2");
    assert_string_equal(names_of(*state, root), "a/2");
}

static void a_prefix_without_any_greater_text_ends_the_listing(void **state)
{
    put(*state, SPAN_LIT("a"));
    put(*state, SPAN_LIT("\xf4\x8f\xbf\xbf"));
    put(*state, SPAN_LIT("\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf"));
    const struct s3_xml_node *root =
        list(*state, "/bkt?list-type=2&delimiter=%F4%8F%BF%BF&max-keys=2");
    assert_string_equal(names_of(*state, root), "a [\xf4\x8f\xbf\xbf]");
    assert_word(root, "IsTruncated", "false");
}

/* --- work --- */

/* sqlite3_auto_extension has no context of its own, so the handle waits here. */
static sqlite3 *opened;

static int keep_database(sqlite3 *db, char **error, const void *api)
{
    (void)error;
    (void)api;
    opened = db;
    return SQLITE_OK;
}

static int count_step(void *ctx)
{
    (*(long *)ctx)++;
    return 0;
}

/* SQLite's own steps for one listing of a bucket with so many keys below dir/. */
static long steps_with(int keys)
{
    void *own = NULL;
    long steps = 0;
    sqlite3_auto_extension((void (*)(void))keep_database);
    bench_open(&own);
    sqlite3_cancel_auto_extension((void (*)(void))keep_database);
    struct bench *bench = own;
    put(bench, SPAN_LIT("a"));
    put(bench, SPAN_LIT("z"));
    for (int i = 0; i < keys; i++) {
        char key[32];
        snprintf(key, sizeof(key), "dir/%06d", i);
        put(bench, span_from_cstr(key));
    }
    turn_end(&bench->fixture->turn);
    sqlite3_progress_handler(opened, 1, count_step, &steps);
    const struct s3_xml_node *root = list(bench, "/bkt?list-type=2&delimiter=/");
    sqlite3_progress_handler(opened, 0, NULL, NULL);
    assert_string_equal(names_of(bench, root), "a z [dir/]");
    bench_close(&own);
    return steps;
}

static void a_common_prefix_costs_the_same_however_much_it_covers(void **state)
{
    (void)state;
    long few = steps_with(10);
    assert_true(few > 0);
    assert_int_equal(steps_with(5000), few);
}

/* --- random listings against a reference --- */

enum { keys_max = 60, name_max = 32, rounds = 400 };

struct reference {
    char names[keys_max][name_max]; /* sorted, each once */
    size_t count;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b); /* of unsigned bytes, as C says */
}

static void reference_add(struct reference *ref, const char *name)
{
    for (size_t i = 0; i < ref->count; i++) {
        if (strcmp(ref->names[i], name) == 0) {
            return;
        }
    }
    assert_true(ref->count < keys_max);
    snprintf(ref->names[ref->count++], name_max, "%s", name);
}

/* What a listing shows of the keys: as it is written in the S3 user's guide, not as it is done. */
static void reference_list(const struct reference *keys, const char *prefix, const char *delimiter,
                           const char *after, struct reference *out)
{
    out->count = 0;
    for (size_t i = 0; i < keys->count; i++) {
        char name[name_max];
        if (strncmp(keys->names[i], prefix, strlen(prefix)) != 0) {
            continue;
        }
        snprintf(name, sizeof(name), "%s", keys->names[i]);
        char *found = delimiter[0] != '\0' ? strstr(name + strlen(prefix), delimiter) : NULL;
        if (found != NULL) {
            found[strlen(delimiter)] = '\0';
        }
        if (strcmp(name, after) > 0) {
            reference_add(out, name);
        }
    }
    qsort(out->names, out->count, name_max, compare_names);
}

static void random_name(struct env *env, char out[name_max])
{
    static const char *const letters[] = {"a",  "b", "/", "/", "+",        "%",
                                          "//", " ", "0", "-", "\xc3\xa9", "\xf0\x9f\x93\x8c"};
    size_t count = 1 + env_random_below(env, 6);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        strcat(out, letters[env_random_below(env, ARRAY_COUNT(letters))]);
    }
}

struct round {
    struct reference keys;
    char prefix[name_max];
    char delimiter[name_max];
    char after[name_max];
    size_t max;
    bool url;
    int version;
};

static void random_question(struct env *env, struct round *round)
{
    static const char *const delimiters[] = {"", "/", "/", "a", "//", "\xc3\xa9", "b/", "+"};
    round->prefix[0] = round->after[0] = '\0';
    if (env_random_below(env, 2) == 0) {
        random_name(env, round->prefix);
        round->prefix[1 + env_random_below(env, 2)] = '\0';
        if (!span_is_utf8(span_from_cstr(round->prefix))) {
            round->prefix[0] = '\0';
        }
    }
    if (env_random_below(env, 3) == 0) {
        random_name(env, round->after);
    }
    snprintf(round->delimiter, name_max, "%s",
             delimiters[env_random_below(env, ARRAY_COUNT(delimiters))]);
    round->max = 1 + env_random_below(env, env_random_below(env, 2) == 0 ? 4 : 30);
    round->url = env_random_below(env, 2) == 0;
    round->version = 1 + (int)env_random_below(env, 2);
}

static void append_parameter(struct buf *out, const char *name, const char *value)
{
    if (value[0] != '\0') {
        buf_printf(out, "&%s=", name);
        url_encode(span_from_cstr(value), false, out);
    }
}

/* Of a page: names in order, whether it says there is more, and where to go on. */
struct page {
    struct reference names;
    bool truncated;
    char next[256];
};

static void read_name(const struct s3_xml_node *node, bool url, char out[name_max])
{
    struct buf decoded;
    buf_init(&decoded, text_max);
    if (url) {
        assert_true(url_decode(node->text, true, &decoded));
    } else {
        buf_append_span(&decoded, node->text);
    }
    assert_true(decoded.len < name_max);
    snprintf(out, name_max, "%s", buf_cstr(&decoded));
    buf_release(&decoded);
}

static void read_page(struct bench *bench, const struct round *round, const char *target,
                      struct page *page)
{
    const struct s3_xml_node *root = list(bench, target);
    char name[name_max];
    size_t shown = 0;
    page->names.count = 0;
    page->next[0] = '\0';
    for (const struct s3_xml_node *n = root->children; n != NULL; n = n->next) {
        bool is_key = span_equal_cstr(n->name, "Contents");
        if (is_key || span_equal_cstr(n->name, "CommonPrefixes")) {
            read_name(s3_xml_child(n, is_key ? "Key" : "Prefix"), round->url, name);
            reference_add(&page->names, name);
            shown++;
            if (is_key && round->version == 1 && round->delimiter[0] == '\0') {
                snprintf(page->next, sizeof(page->next), "%s", name);
            }
        }
    }
    assert_int_equal(shown, page->names.count); /* nothing twice */
    qsort(page->names.names, page->names.count, name_max, compare_names);
    page->truncated = span_equal_cstr(s3_xml_child_word(root, "IsTruncated"), "true");
    const struct s3_xml_node *next =
        s3_xml_child(root, round->version == 1 ? "NextMarker" : "NextContinuationToken");
    if (next != NULL && round->version == 1) {
        read_name(next, round->url, page->next);
    } else if (next != NULL) {
        snprintf(page->next, sizeof(page->next), "%.*s", SPAN_ARG(next->text));
    }
    if (round->version == 2) {
        char count[32];
        snprintf(count, sizeof(count), "%zu", shown);
        assert_word(root, "KeyCount", count);
    }
}

static void check_round(struct bench *bench, const struct round *round, int number)
{
    struct reference expected;
    struct page page = {.truncated = true};
    struct buf target;
    size_t seen = 0;
    reference_list(&round->keys, round->prefix, round->delimiter, round->after, &expected);
    buf_init(&target, text_max);
    do {
        buf_reset(&target);
        buf_printf(&target, "/bkt?max-keys=%zu", round->max);
        buf_append_cstr(&target, round->version == 2 ? "&list-type=2" : "");
        buf_append_cstr(&target, round->url ? "&encoding-type=url" : "");
        append_parameter(&target, "prefix", round->prefix);
        append_parameter(&target, "delimiter", round->delimiter);
        if (seen == 0) {
            append_parameter(&target, round->version == 2 ? "start-after" : "marker", round->after);
        } else {
            append_parameter(&target, round->version == 2 ? "continuation-token" : "marker",
                             page.next);
        }
        read_page(bench, round, buf_cstr(&target), &page);
        size_t left = expected.count - seen;
        size_t due = left < round->max ? left : round->max;
        bool same = page.names.count == due && page.truncated == (left > due);
        for (size_t i = 0; same && i < due; i++) {
            same = strcmp(page.names.names[i], expected.names[seen + i]) == 0;
        }
        if (!same) {
            fail_msg("round %d, %s: after %zu of %zu names", number, buf_cstr(&target), seen,
                     expected.count);
        }
        seen += due;
    } while (page.truncated);
    assert_int_equal(seen, expected.count);
    buf_release(&target);
}

static void random_listings_agree_with_the_reference(void **state)
{
    struct env env;
    env_init_virtual(&env, 20260102, 0);
    for (int number = 0; number < rounds;) {
        struct round round = {.version = 1};
        struct bench *bench;
        void *own = NULL;
        bench_open(&own);
        bench = own;
        for (size_t i = env_random_below(&env, keys_max); i > 0; i--) {
            char name[name_max];
            random_name(&env, name);
            reference_add(&round.keys, name);
        }
        for (size_t i = 0; i < round.keys.count; i++) {
            put(bench, span_from_cstr(round.keys.names[i]));
        }
        for (int question = 0; question < 20; question++, number++) {
            random_question(&env, &round);
            check_round(bench, &round, number);
        }
        bench_close(&own);
    }
    (void)state;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_open, bench_close)
    const struct CMUnitTest tests[] = {
        TEST(version_2_answers_with_every_element_of_the_real_one),
        TEST(version_2_gives_the_owner_only_when_asked),
        TEST(the_checksum_of_an_object_is_named_by_its_kind),
        TEST(version_2_says_again_where_it_began),
        TEST(version_1_has_owner_and_marker_and_a_next_marker_only_with_a_delimiter),
        TEST(an_empty_bucket_lists_nothing),
        TEST(page_sizes_are_those_of_the_real_one),
        TEST(a_listing_has_at_most_1000_names),
        TEST(bad_questions_are_refused),
        TEST(url_encoding_survives_a_reader_that_takes_plus_for_a_blank),
        TEST(without_url_encoding_keys_are_escaped_as_xml),
        TEST(keys_come_in_the_order_of_their_bytes),
        TEST(a_common_prefix_counts_once_and_is_passed_over),
        TEST(a_prefix_without_any_greater_text_ends_the_listing),
        cmocka_unit_test(a_common_prefix_costs_the_same_however_much_it_covers),
        cmocka_unit_test(random_listings_agree_with_the_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
