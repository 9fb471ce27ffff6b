#include "s3_page.h"

#include "s3_errors.h"
#include "s3_xml.h"
#include "url.h"

#include <string.h>

bool s3_page_read(struct s3_call *call, const char *max_name, struct s3_page *out)
{
    struct s3_page page = {.prefix = SPAN_EMPTY,
                           .delimiter = SPAN_EMPTY,
                           .marker = SPAN_EMPTY,
                           .max = S3_PAGE_ENTRIES_MAX};
    struct span encoding;
    (void)s3_query(call, "prefix", &page.prefix);
    (void)s3_query(call, "delimiter", &page.delimiter);
    if (s3_query(call, "encoding-type", &encoding)) {
        page.url = span_equal_nocase(encoding, SPAN_LIT("url"));
        if (!page.url) {
            (void)s3_invalid_argument(call, "Invalid Encoding Method specified in Request",
                                      "encoding-type", encoding);
            return false;
        }
    }
    if (!s3_query_number(call, max_name, INT32_MAX, &page.max)) {
        return false;
    }
    if (page.max > S3_PAGE_ENTRIES_MAX) {
        page.max = S3_PAGE_ENTRIES_MAX;
    }
    *out = page;
    return true;
}

struct span s3_page_roll_up(const struct s3_page *page, struct span key)
{
    struct span delimiter = page->delimiter;
    if (delimiter.len == 0) {
        return SPAN_EMPTY;
    }
    for (size_t i = page->prefix.len; i + delimiter.len <= key.len; i++) {
        if (memcmp(key.ptr + i, delimiter.ptr, delimiter.len) == 0) {
            return span_first(key, i + delimiter.len);
        }
    }
    return SPAN_EMPTY;
}

bool s3_page_successor(struct arena *arena, struct span prefix, struct span *out, bool *found)
{
    size_t len = prefix.len;
    while (len > 0 && (unsigned char)prefix.ptr[len - 1] == 0xff) {
        len--;
    }
    *found = len > 0;
    if (len == 0) {
        return true;
    }
    char *copy = arena_copy_cstr(arena, span_first(prefix, len));
    if (copy == NULL) {
        return false;
    }
    copy[len - 1] = (char)((unsigned char)copy[len - 1] + 1);
    *out = span_from(copy, len);
    return true;
}

/* Encodes as HTML forms do, which S3 keeps to but for the slash: a blank is a plus, a star is
 * itself and a tilde is not. */
static void page_text_encode(struct span text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case ' ':
            buf_append_byte(out, '+');
            break;
        case '*':
            buf_append_byte(out, '*');
            break;
        case '~':
            BUF_APPEND_LIT(out, "%7E");
            break;
        default:
            url_encode(span_from(text.ptr + i, 1), true, out);
        }
    }
}

void s3_page_text(struct s3_call *call, const struct s3_page *page, const char *name,
                  struct span text)
{
    if (!page->url) {
        s3_xml_text(call, name, text);
        return;
    }
    s3_xml_open(call, name);
    page_text_encode(text, &call->exchange->reply.body);
    s3_xml_close(call, name);
}

void s3_page_common_prefix(struct s3_call *call, const struct s3_page *page, struct span prefix)
{
    s3_xml_open(call, "CommonPrefixes");
    s3_page_text(call, page, "Prefix", prefix);
    s3_xml_close(call, "CommonPrefixes");
}
