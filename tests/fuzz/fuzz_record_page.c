/* A page of records: the quick pass gives what the strict one gives wherever that accepts the page,
 * spans stay inside it, and a value that a strict page held is valid JSON. */
#include "record_page.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct span part, struct span whole)
{
    return part.ptr == NULL ||
           (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static bool is_same(const struct page_record *a, const struct page_record *b)
{
    return a->topic.ptr == b->topic.ptr && a->topic.len == b->topic.len &&
           a->key.ptr == b->key.ptr && a->key.len == b->key.len && a->value.ptr == b->value.ptr &&
           a->value.len == b->value.len && a->partition == b->partition && a->offset == b->offset;
}

/* Does a strict pass take the page from its beginning to its end? */
static bool is_strictly_good(struct span text)
{
    struct record_page page;
    struct page_record record;
    struct json_error err;
    enum page_step step;
    record_page_open(&page, text, RECORD_PAGE_STRICT);
    while ((step = record_page_next(&page, &record, &err)) == PAGE_RECORD) {
        if (!record_page_check_value(record.value, &err)) {
            abort();
        }
    }
    return step == PAGE_END;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_from((const char *)data, size);
    struct record_page strict;
    struct record_page quick;
    struct page_record strict_record;
    struct page_record quick_record;
    struct json_error err;
    bool good = is_strictly_good(text);
    enum page_step step;
    record_page_open(&strict, text, RECORD_PAGE_STRICT);
    record_page_open(&quick, text, RECORD_PAGE_QUICK);
    while ((step = record_page_next(&quick, &quick_record, &err)) == PAGE_RECORD) {
        if (!is_inside(quick_record.topic, text) || !is_inside(quick_record.key, text) ||
            !is_inside(quick_record.value, text) || quick_record.partition < 0 ||
            quick_record.offset < 0) {
            abort();
        }
        if (good && (record_page_next(&strict, &strict_record, &err) != PAGE_RECORD ||
                     !is_same(&strict_record, &quick_record))) {
            abort();
        }
    }
    if (step == PAGE_BAD && (good || err.message[0] == '\0')) {
        abort();
    }
    return 0;
}
