#include "query.h"

#include "exchange.h"
#include "url.h"

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
    const size_t room = raw.len;
    while (raw.len > 0) {
        PP_ASSERT(len < room); /* a byte takes one at least */
        if (!url_next_byte(&raw, plus_is_blank, &text[len++])) {
            return QUERY_BAD_ESCAPE;
        }
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

enum query_outcome query_value_in(struct arena *arena, struct span query, const char *name,
                                  struct span *value)
{
    struct span raw;
    *value = SPAN_EMPTY;
    if (!url_query_find(query, name, &raw)) {
        return QUERY_ABSENT;
    }
    switch (query_decode(arena, raw, true, value)) {
    case QUERY_DECODED:
        return QUERY_FOUND;
    case QUERY_BAD_ESCAPE:
        return QUERY_BROKEN;
    case QUERY_NO_MEMORY:
        break;
    }
    return QUERY_UNREAD;
}

enum query_outcome query_value(struct exchange *exchange, const char *name, struct span *value)
{
    enum query_outcome outcome =
        query_value_in(&exchange->arena, exchange->request.query, name, value);
    exchange->starved = exchange->starved || outcome == QUERY_UNREAD;
    return outcome;
}

bool query_has(const struct exchange *exchange, const char *name)
{
    struct span ignored;
    return url_query_find(exchange->request.query, name, &ignored);
}
