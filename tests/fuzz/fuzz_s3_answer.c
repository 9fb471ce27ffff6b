/* S3's XML answers: whatever is taken is in key order, is UTF-8 without a NUL, and lies in the
 * page; an error's words are printable. */
#include "http_date.h"
#include "s3_answer.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_page(const struct s3_page *page)
{
    for (size_t i = 0; i < page->count; i++) {
        struct span key = page->items[i].key;
        if (key.len == 0 || !span_is_utf8(key) || memchr(key.ptr, '\0', key.len) != NULL ||
            (i > 0 && span_compare(page->items[i - 1].key, key) > 0)) {
            abort();
        }
    }
    if (page->truncated && page->next_token.len == 0) {
        abort();
    }
}

static void check_printable(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span body = span_from((const char *)data, size);
    struct s3_error_answer answer;
    struct s3_page page;
    struct error err = ERROR_NONE;
    char id[S3_UPLOAD_ID_BYTES];
    int64_t ms;
    s3_page_init(&page);
    enum status status = s3_answer_list(body, &page, &err);
    if (status == STATUS_OK) {
        check_page(&page);
    } else if (page.count != 0 || err.message[0] == '\0') {
        abort();
    }
    s3_page_release(&page);
    if (s3_answer_error(body, &answer) == STATUS_OK) {
        check_printable(answer.code);
        check_printable(answer.message);
        check_printable(answer.region);
        if (status == STATUS_OK) {
            abort(); /* it cannot be both */
        }
    }
    if (s3_answer_upload_id(body, id, &err) == STATUS_OK && id[0] == '\0') {
        abort();
    }
    if (s3_time_iso(body, &ms) && http_date_parse(body, &ms)) {
        abort();
    }
    return 0;
}
