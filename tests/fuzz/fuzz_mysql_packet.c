/* MySQL's packets as a stranger may send them. First byte: which; the rest is the payload. What is
 * read lies within it, and a statement's outline is text without what was quoted. */
#include "mysql_login.h"
#include "mysql_outline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { outline_max = 512 };

static void require(bool good)
{
    if (!good) {
        abort();
    }
}

static void require_inside(struct span part, struct span whole)
{
    require(part.len == 0 ||
            (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

static void check_hello(struct span payload, bool change)
{
    struct mysql_hello hello;
    enum mysql_parsed parsed = change ? mysql_change_user_parse(payload, MYSQL_CAPS_OFFERED, &hello)
                                      : mysql_hello_parse(payload, &hello);
    if (parsed == MYSQL_PARSED) {
        require_inside(hello.user, payload);
        require_inside(hello.proof, payload);
        require_inside(hello.database, payload);
        require(span_find_byte(hello.user, '\0') == hello.user.len);
    }
}

static void check_fields(struct span payload)
{
    struct mysql_reader r = mysql_reader_of(payload);
    struct buf out;
    buf_init(&out, 1 << 20);
    while (r.rest.len > 0 && !r.failed) {
        struct span text = mysql_read_text(&r);
        require_inside(text, payload);
        if (!r.failed) {
            buf_reset(&out);
            mysql_put_text(&out, text);
            struct mysql_reader again = mysql_reader_of(buf_span(&out));
            require(!buf_ok(&out) ||
                    (span_equal(mysql_read_text(&again), text) && again.rest.len == 0));
        }
    }
    buf_release(&out);
}

static void check_outline(struct span sql)
{
    char outline[outline_max];
    char again[outline_max];
    size_t len = mysql_outline(sql, outline, sizeof(outline));
    require(len <= sizeof(outline) && span_is_utf8(span_from(outline, len)));
    for (size_t i = 0; i < len; i++) {
        require(outline[i] != '\'' || memchr(outline, '`', i) != NULL);
    }
    (void)mysql_outline(span_from(outline, len), again, sizeof(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        struct span rest = span_from((const char *)data + 1, size - 1);
        if (data[0] % 4 < 2) {
            check_hello(rest, data[0] % 4 == 1);
        } else if (data[0] % 4 == 2) {
            check_fields(rest);
        } else {
            check_outline(rest);
        }
    }
    return 0;
}
