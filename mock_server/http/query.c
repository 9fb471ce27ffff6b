#include "query.h"

#include "exchange.h"
#include "hex.h"

static bool query_is_plain(struct span raw, bool plus_is_blank)
{
    return span_find_byte(raw, '%') == raw.len &&
           (!plus_is_blank || span_find_byte(raw, '+') == raw.len);
}

enum query_decoded query_decode(struct arena *arena, struct span raw, bool plus_is_blank,
                                struct span *out)
{
    if (query_is_plain(raw, plus_is_blank)) {
        *out = raw;
        return QUERY_DECODED;
    }
    char *text = arena_alloc(arena, raw.len);
    if (text == NULL) {
        return QUERY_NO_MEMORY;
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? hex_value(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? hex_value(raw.ptr[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                return QUERY_BAD_ESCAPE;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && plus_is_blank) {
            c = ' ';
        }
        text[len++] = c;
    }
    *out = span_from(text, len);
    return QUERY_DECODED;
}

bool query_next(struct span *query, struct query_parameter *out)
{
    struct span part;
    if (!span_next_part(query, '&', &part)) {
        return false;
    }
    size_t equals = span_find_byte(part, '=');
    out->name = span_first(part, equals);
    out->value = span_skip(part, equals + 1);
    out->has_value = equals < part.len;
    return true;
}

static bool query_find(struct span query, const char *name, struct query_parameter *out)
{
    while (query_next(&query, out)) {
        if (span_equal_cstr(out->name, name)) {
            return true;
        }
    }
    return false;
}

enum query_outcome query_value(struct exchange *exchange, const char *name, struct span *value)
{
    struct query_parameter parameter;
    *value = SPAN_EMPTY;
    if (!query_find(exchange->request.query, name, &parameter)) {
        return QUERY_ABSENT;
    }
    return query_decode(&exchange->arena, parameter.value, true, value) == QUERY_DECODED
               ? QUERY_FOUND
               : QUERY_BROKEN;
}

bool query_has(const struct exchange *exchange, const char *name)
{
    struct query_parameter ignored;
    return query_find(exchange->request.query, name, &ignored);
}
