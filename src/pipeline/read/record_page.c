/* The REST proxy writes `[{"topic":"t","key":null,"value":{..},"partition":0,"offset":0},..]`: five
 * members in this order, no blanks. That shape takes the quick way, which looks only for the ends
 * of values (strings by memchr); anything else (another order, blanks, more members, as other
 * implementations of the API send) takes the general way over json_text.h. Both are strict about
 * the page: a cut, a missing or doubled member, a number out of range or anything behind the array
 * is PAGE_BAD, never a shorter page. */
#include "record_page.h"

#include <stdio.h>
#include <string.h>

static const char *skip_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        p = memchr(p, '"', (size_t)(end - p));
        if (p == NULL) {
            return NULL;
        }
        const char *slash = p;
        while (slash[-1] == '\\') {
            slash--;
        }
        if ((p - slash) % 2 == 0) {
            return p + 1;
        }
    }
    return NULL;
}

static const char *skip_nested(const char *p, const char *end)
{
    size_t depth = 0;
    while (p < end) {
        switch (*p) {
        case '"':
            p = skip_string(p, end);
            if (p == NULL) {
                return NULL;
            }
            continue;
        case '{':
        case '[':
            if (++depth > JSON_DEPTH_MAX) {
                return NULL;
            }
            break;
        case '}':
        case ']':
            if (--depth == 0) {
                return p + 1;
            }
            break;
        default: /* numbers, literals, commas, colons: judged when somebody needs the value */
            break;
        }
        p++;
    }
    return NULL;
}

static bool is_scalar_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '+' || c == '.' ||
           c == 'E';
}

/* The end of the value at p; NULL when it has none. */
static const char *page_skip_value(const char *p, const char *end)
{
    if (p >= end) {
        return NULL;
    }
    if (*p == '"') {
        return skip_string(p, end);
    }
    if (*p == '{' || *p == '[') {
        return skip_nested(p, end);
    }
    const char *start = p;
    while (p < end && is_scalar_byte(*p)) {
        p++;
    }
    return p > start ? p : NULL;
}

static struct span null_or_text(struct span raw)
{
    return span_equal(raw, SPAN_LIT("null")) ? (struct span){NULL, 0} : raw;
}

static bool parse_whole(struct span digits, int64_t max, int64_t *out)
{
    return span_parse_i64(digits, out) && *out >= 0 && *out <= max &&
           (digits.len == 1 || digits.ptr[0] != '0');
}

static bool expect(const char **p, const char *end, struct span literal)
{
    if ((size_t)(end - *p) < literal.len || memcmp(*p, literal.ptr, literal.len) != 0) {
        return false;
    }
    *p += literal.len;
    return true;
}

static bool take_value(const char **p, const char *end, struct span *out)
{
    const char *after = page_skip_value(*p, end);
    if (after == NULL) {
        return false;
    }
    *out = null_or_text(span_from(*p, (size_t)(after - *p)));
    *p = after;
    return true;
}

static bool take_whole(const char **p, const char *end, int64_t max, int64_t *out)
{
    const char *start = *p;
    while (*p < end && **p >= '0' && **p <= '9') {
        (*p)++;
    }
    return parse_whole(span_from(start, (size_t)(*p - start)), max, out);
}

static bool take_topic(const char **p, const char *end, struct span *out)
{
    const char *quote = memchr(*p, '"', (size_t)(end - *p));
    if (quote == NULL || memchr(*p, '\\', (size_t)(quote - *p)) != NULL) {
        return false;
    }
    *out = span_from(*p, (size_t)(quote - *p));
    *p = quote + 1;
    return true;
}

/* The proxy's own shape; false (nothing moved) when it is not exactly that. */
static bool read_usual(struct record_page *page, struct page_record *out)
{
    const char *p = page->text.ptr + page->position;
    const char *end = page->text.ptr + page->text.len;
    int64_t partition = 0;
    struct page_record record = {0};
    bool usual = expect(&p, end, SPAN_LIT("{\"topic\":\"")) && take_topic(&p, end, &record.topic) &&
                 expect(&p, end, SPAN_LIT(",\"key\":")) && take_value(&p, end, &record.key) &&
                 expect(&p, end, SPAN_LIT(",\"value\":")) && take_value(&p, end, &record.value) &&
                 expect(&p, end, SPAN_LIT(",\"partition\":")) &&
                 take_whole(&p, end, INT32_MAX, &partition) &&
                 expect(&p, end, SPAN_LIT(",\"offset\":")) &&
                 take_whole(&p, end, INT64_MAX, &record.offset) && expect(&p, end, SPAN_LIT("}"));
    if (usual) {
        record.partition = (int32_t)partition;
        *out = record;
        page->position = (size_t)(p - page->text.ptr);
    }
    return usual;
}

enum member { MEMBER_TOPIC, MEMBER_KEY, MEMBER_VALUE, MEMBER_PARTITION, MEMBER_OFFSET, MEMBERS };

static const char *const member_names[MEMBERS] = {"\"topic\"", "\"key\"", "\"value\"",
                                                  "\"partition\"", "\"offset\""};

static bool bad_member(struct json_error *err, const char *what, enum member member)
{
    snprintf(err->message, sizeof(err->message), "%s %s", what, member_names[member]);
    return false;
}

static bool set_member(struct page_record *out, enum member member, struct span raw,
                       struct json_error *err)
{
    int64_t number = 0;
    switch (member) {
    case MEMBER_TOPIC:
        if (raw.len < 2 || raw.ptr[0] != '"' || memchr(raw.ptr, '\\', raw.len) != NULL) {
            return bad_member(err, "no topic name in", member);
        }
        out->topic = span_from(raw.ptr + 1, raw.len - 2);
        return true;
    case MEMBER_KEY:
        out->key = null_or_text(raw);
        return true;
    case MEMBER_VALUE:
        out->value = null_or_text(raw);
        return true;
    case MEMBER_PARTITION:
        if (!parse_whole(raw, INT32_MAX, &number)) {
            return bad_member(err, "no partition number in", member);
        }
        out->partition = (int32_t)number;
        return true;
    case MEMBER_OFFSET:
        return parse_whole(raw, INT64_MAX, &out->offset) || bad_member(err, "no offset in", member);
    case MEMBERS:
        break;
    }
    return true; /* a member that other implementations add, such as "timestamp" */
}

static enum member member_by_name(struct span key_raw)
{
    size_t member = 0;
    while (member < MEMBERS && !span_equal_cstr(key_raw, member_names[member])) {
        member++;
    }
    return (enum member)member;
}

static bool read_members(struct span element, struct page_record *out, struct json_error *err)
{
    struct json_cursor cursor = json_cursor_at(element);
    struct page_record record = {0};
    struct span name;
    struct span raw;
    bool first = true;
    bool seen[MEMBERS + 1] = {false};
    if (!json_enter(&cursor, JSON_OBJECT, err)) {
        return false;
    }
    while (json_next_member(&cursor, &first, &name, err)) {
        enum member member = member_by_name(name);
        if (member != MEMBERS && seen[member]) {
            return bad_member(err, "two members", member);
        }
        seen[member] = true;
        if (!json_skip(&cursor, &raw, err) || !set_member(&record, member, raw, err)) {
            return false;
        }
    }
    if (err->message[0] != '\0') {
        return false;
    }
    for (size_t member = 0; member < MEMBERS; member++) {
        if (!seen[member] && member != MEMBER_KEY) {
            return bad_member(err, "no member", (enum member)member);
        }
    }
    *out = record;
    return true;
}

static bool read_general(struct record_page *page, struct page_record *out, struct json_error *err)
{
    struct json_cursor cursor = json_cursor_at(span_skip(page->text, page->position));
    struct span element;
    err->message[0] = '\0';
    if (!json_skip(&cursor, &element, err) || !read_members(element, out, err)) {
        return false;
    }
    page->position = (size_t)(element.ptr - page->text.ptr) + element.len;
    return true;
}

static void page_skip_space(struct record_page *page)
{
    while (page->position < page->text.len &&
           strchr(" \t\r\n", page->text.ptr[page->position]) != NULL &&
           page->text.ptr[page->position] != '\0') {
        page->position++;
    }
}

static bool at(const struct record_page *page, char c)
{
    return page->position < page->text.len && page->text.ptr[page->position] == c;
}

static enum page_step bad(const struct record_page *page, struct json_error *err, const char *what)
{
    char detail[sizeof(err->message)];
    snprintf(detail, sizeof(detail), "%s", what != NULL ? what : err->message);
    err->position = page->position;
    snprintf(err->message, sizeof(err->message), "record %zu of the page, byte %zu: %.180s",
             page->record_index + 1, page->position, detail);
    return PAGE_BAD;
}

static enum page_step page_finish(struct record_page *page, struct json_error *err)
{
    page->position++;
    page_skip_space(page);
    if (page->position < page->text.len) {
        return bad(page, err, "something follows the array");
    }
    return PAGE_END;
}

void record_page_open(struct record_page *page, struct span body, enum record_page_mode mode)
{
    *page = (struct record_page){.text = body, .mode = mode};
    page->text.ptr = body.ptr != NULL ? body.ptr : "";
}

enum page_step record_page_next(struct record_page *page, struct page_record *out,
                                struct json_error *err)
{
    *err = (struct json_error){0};
    if (page->position == 0) {
        page_skip_space(page);
        if (!at(page, '[')) {
            return bad(page, err, "an array of records was expected");
        }
        page->position++;
    }
    page_skip_space(page);
    if (at(page, ']') && page->record_index == 0) {
        return page_finish(page, err);
    }
    if (page->record_index > 0) {
        if (at(page, ']')) {
            return page_finish(page, err);
        }
        if (!at(page, ',')) {
            return bad(page, err, "a comma or the end of the array was expected");
        }
        page->position++;
        page_skip_space(page);
    }
    bool quick = page->mode == RECORD_PAGE_QUICK && read_usual(page, out);
    if (!quick && !read_general(page, out, err)) {
        return bad(page, err, NULL);
    }
    page->record_index++;
    return PAGE_RECORD;
}

bool record_page_check_value(struct span value, struct json_error *err)
{
    struct json_cursor cursor = json_cursor_at(value);
    *err = (struct json_error){0};
    return value.ptr == NULL || (json_reencode(&cursor, NULL, err) && json_at_end(&cursor));
}
