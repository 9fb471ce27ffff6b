#include "dotenv.h"

static bool key_is_legal(struct span key)
{
    if (key.len == 0 || (key.ptr[0] >= '0' && key.ptr[0] <= '9')) {
        return false;
    }
    for (size_t i = 0; i < key.len; i++) {
        char ch = key.ptr[i];
        bool ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                  (ch >= '0' && ch <= '9') || ch == '_';
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* A quoted value keeps its blanks and '#'; behind the closing quote only a comment may follow. */
static bool unquote(struct span *value)
{
    char quote = value->ptr[0];
    struct span inside = span_skip(*value, 1);
    size_t close = span_find_byte(inside, quote);
    struct span rest = span_trim(span_skip(inside, close + 1));
    if (close == inside.len || (rest.len > 0 && rest.ptr[0] != '#')) {
        return false;
    }
    *value = span_first(inside, close);
    return true;
}

/* An unquoted value ends at a '#' that follows a blank. */
static struct span cut_comment(struct span value)
{
    for (size_t i = 1; i < value.len; i++) {
        if (value.ptr[i] == '#' && (value.ptr[i - 1] == ' ' || value.ptr[i - 1] == '\t')) {
            return span_trim(span_first(value, i));
        }
    }
    return value.len > 0 && value.ptr[0] == '#' ? span_first(value, 0) : value;
}

static enum status parse_line(struct span line, dotenv_visit_fn visit, void *ctx, struct error *err)
{
    line = span_trim(line);
    if (line.len == 0 || line.ptr[0] == '#') {
        return STATUS_OK;
    }
    if (span_starts_with(line, SPAN_LIT("export "))) {
        line = span_trim(span_skip(line, sizeof("export ") - 1));
    }
    size_t equals = span_find_byte(line, '=');
    struct span key = span_trim(span_first(line, equals));
    struct span value = span_trim(span_skip(line, equals + 1));
    if (equals == line.len) {
        return error_set(err, STATUS_INVALID, "there is no '=': write KEY=value");
    }
    if (!key_is_legal(key)) {
        return error_set(err, STATUS_INVALID, "\"%.*s\" is not a name: letters, digits and _ only",
                         SPAN_ARG(key));
    }
    if (value.len > DOTENV_VALUE_BYTES_MAX) {
        return error_set(err, STATUS_INVALID, "the value is longer than %d bytes",
                         DOTENV_VALUE_BYTES_MAX);
    }
    if (span_find_byte(value, '\0') < value.len) {
        return error_set(err, STATUS_INVALID, "the value has a NUL byte");
    }
    if (value.len > 0 && (value.ptr[0] == '"' || value.ptr[0] == '\'')) {
        if (!unquote(&value)) {
            return error_set(err, STATUS_INVALID, "the quoted value has no end, or text behind it");
        }
    } else {
        value = cut_comment(value);
    }
    visit(ctx, key, value);
    return STATUS_OK;
}

enum status dotenv_parse(struct span text, dotenv_visit_fn visit, void *ctx, struct error *err)
{
    if (text.len > DOTENV_BYTES_MAX) {
        return error_set(err, STATUS_INVALID, "larger than %d bytes", DOTENV_BYTES_MAX);
    }
    if (span_starts_with(text, SPAN_LIT("\xef\xbb\xbf"))) {
        text = span_skip(text, 3);
    }
    struct span line;
    for (unsigned number = 1; span_next_part(&text, '\n', &line); number++) {
        if (parse_line(line, visit, ctx, err) != STATUS_OK) {
            return error_prefix(err, "line %u", number);
        }
    }
    return STATUS_OK;
}
