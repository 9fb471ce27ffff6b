/* Content negotiation of the REST proxy, as Jersey's method selection does it: the Content-Type
 * header must be one the row consumes, even on a GET without a body; of the types the row produces,
 * the one with the client's highest q wins, then the server's weight, then the closest match.
 *
 * Facts: specs/kafka-rest-v2.md sections 1.0 and 1.5. Parameters other than q are ignored, names
 * are case-insensitive, an absent or empty header matches everything. */
#include "kafka_rest_internal.h"

#include <string.h>

/* One entry of a row's produces list. */
struct offer {
    enum kafka_rest_media media;
    int weight; /* Jersey's qs, in tenths */
};

enum { offers_max = 7, q_scale = 1000 };

#define BIT(media) (1U << (media))
#define EMBEDDED_BITS                                                                              \
    (BIT(MEDIA_BINARY) | BIT(MEDIA_JSON) | BIT(MEDIA_AVRO) | BIT(MEDIA_JSONSCHEMA) |               \
     BIT(MEDIA_PROTOBUF))
#define ANY_BITS 0U

struct profile {
    unsigned consumes; /* bits; ANY_BITS: whatever there is */
    enum kafka_rest_media absent_type;
    enum kafka_rest_media lenient_type; /* what application/json counts as; NONE: not needed */
    struct offer offers[offers_max];
    bool lenient_offer; /* application/json may be asked for in lenient mode */
};

static const char *const media_types[MEDIA_COUNT] = {
    [MEDIA_NONE] = "",
    [MEDIA_APPLICATION_JSON] = "application/json",
    [MEDIA_V2] = "application/vnd.kafka.v2+json",
    [MEDIA_BINARY] = "application/vnd.kafka.binary.v2+json",
    [MEDIA_JSON] = "application/vnd.kafka.json.v2+json",
    [MEDIA_AVRO] = "application/vnd.kafka.avro.v2+json",
    [MEDIA_JSONSCHEMA] = "application/vnd.kafka.jsonschema.v2+json",
    [MEDIA_PROTOBUF] = "application/vnd.kafka.protobuf.v2+json",
};

static const struct profile profiles[PROFILE_COUNT] = {
    [PROFILE_V2] = {BIT(MEDIA_V2), MEDIA_V2, MEDIA_V2, {{MEDIA_V2, 10}}, true},
    [PROFILE_ANY] = {ANY_BITS, MEDIA_V2, MEDIA_NONE, {{MEDIA_V2, 10}}, true},
    [PROFILE_PRODUCE] = {EMBEDDED_BITS, MEDIA_BINARY, MEDIA_JSON, {{MEDIA_V2, 10}}, true},
    [PROFILE_CONSUMER] = {EMBEDDED_BITS | BIT(MEDIA_V2),
                          MEDIA_V2,
                          MEDIA_V2,
                          {{MEDIA_V2, 10},
                           {MEDIA_BINARY, 1},
                           {MEDIA_JSON, 1},
                           {MEDIA_AVRO, 1},
                           {MEDIA_JSONSCHEMA, 1},
                           {MEDIA_PROTOBUF, 1}},
                          true},
    [PROFILE_RECORDS] = {EMBEDDED_BITS | BIT(MEDIA_V2),
                         MEDIA_V2,
                         MEDIA_V2,
                         {{MEDIA_BINARY, 10},
                          {MEDIA_V2, 9},
                          {MEDIA_JSON, 1},
                          {MEDIA_AVRO, 1},
                          {MEDIA_JSONSCHEMA, 1},
                          {MEDIA_PROTOBUF, 1}},
                         true},
    [PROFILE_V3] =
        {ANY_BITS, MEDIA_APPLICATION_JSON, MEDIA_NONE, {{MEDIA_APPLICATION_JSON, 10}}, false},
    [PROFILE_V3_BODY] = {BIT(MEDIA_APPLICATION_JSON),
                         MEDIA_APPLICATION_JSON,
                         MEDIA_NONE,
                         {{MEDIA_APPLICATION_JSON, 10}},
                         false},
};

const char *kafka_rest_media_type(enum kafka_rest_media media)
{
    PP_ASSERT(media < MEDIA_COUNT);
    return media_types[media];
}

/* --- one media range --- */

struct range {
    struct span type;
    struct span subtype;
    int q; /* in thousandths */
};

/* "0", "1", "0.5", "1.000": thousandths; false on anything else. */
static bool parse_q(struct span text, int *out)
{
    if (text.len == 0 || (text.ptr[0] != '0' && text.ptr[0] != '1')) {
        return false;
    }
    int value = (text.ptr[0] - '0') * q_scale;
    int unit = q_scale / 10;
    for (size_t i = 1; i < text.len; i++) {
        if (i == 1 ? text.ptr[i] != '.' : text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        if (i > 1) {
            value += (text.ptr[i] - '0') * unit;
            unit /= 10;
        }
    }
    if (value > q_scale) {
        return false;
    }
    *out = value;
    return true;
}

/* "type/subtype; a=b; q=0.5". False when it is not one. A bare "*" is the old spelling of any. */
static bool parse_range(struct span text, struct range *out)
{
    struct span part;
    out->q = q_scale;
    if (!span_next_part(&text, ';', &part)) {
        return false;
    }
    part = span_trim(part);
    size_t slash = span_find_byte(part, '/');
    out->type = span_first(part, slash);
    out->subtype = slash < part.len ? span_skip(part, slash + 1) : SPAN_LIT("*");
    if (out->type.len == 0 || out->subtype.len == 0 ||
        (slash == part.len && !span_equal_cstr(part, "*"))) {
        return false;
    }
    while (span_next_part(&text, ';', &part)) {
        part = span_trim(part);
        if (span_equal_nocase(span_first(part, 2), SPAN_LIT("q=")) &&
            !parse_q(span_trim(span_skip(part, 2)), &out->q)) {
            return false;
        }
    }
    return true;
}

/* How many wildcards the match needs: 0 exact, 1 "application" slash star, 2 any; -1: no match. */
static int range_distance(const struct range *range, enum kafka_rest_media media)
{
    struct span name = span_from_cstr(media_types[media]);
    size_t slash = span_find_byte(name, '/');
    if (span_equal_cstr(range->type, "*") && span_equal_cstr(range->subtype, "*")) {
        return 2;
    }
    if (!span_equal_nocase(range->type, span_first(name, slash))) {
        return -1;
    }
    if (span_equal_cstr(range->subtype, "*")) {
        return 1;
    }
    return span_equal_nocase(range->subtype, span_skip(name, slash + 1)) ? 0 : -1;
}

static enum kafka_rest_media media_of_range(const struct range *range)
{
    for (int media = MEDIA_APPLICATION_JSON; media < MEDIA_COUNT; media++) {
        if (range_distance(range, (enum kafka_rest_media)media) == 0) {
            return (enum kafka_rest_media)media;
        }
    }
    return MEDIA_NONE;
}

/* --- Content-Type --- */

/* The exact bytes nearly every client sends, before any parsing. */
static enum kafka_rest_media media_of_text(struct span text)
{
    for (int media = MEDIA_APPLICATION_JSON; media < MEDIA_COUNT; media++) {
        const char *name = media_types[media];
        if (text.len == strlen(name) && memcmp(text.ptr, name, text.len) == 0) {
            return (enum kafka_rest_media)media;
        }
    }
    return MEDIA_NONE;
}

static bool match_content_type(struct span header, const struct profile *profile, bool lenient,
                               enum kafka_rest_media *in)
{
    struct range range;
    *in = profile->absent_type;
    if (header.len == 0 || profile->consumes == ANY_BITS) {
        return true;
    }
    enum kafka_rest_media media = media_of_text(header);
    if (media == MEDIA_NONE) {
        if (!parse_range(header, &range)) {
            return false;
        }
        media = media_of_range(&range);
        /* A wildcard is compatible with everything the row takes. */
        if (media == MEDIA_NONE) {
            return range_distance(&range, MEDIA_V2) > 0;
        }
    }
    if (media == MEDIA_APPLICATION_JSON && lenient && profile->lenient_type != MEDIA_NONE) {
        *in = profile->lenient_type;
        return true;
    }
    *in = media;
    return (profile->consumes & BIT(media)) != 0;
}

/* --- Accept --- */

struct choice {
    enum kafka_rest_media media;
    int q;
    int weight;
    int distance;
};

/* The client's q for one type: that of the most specific range which matches it; 0 refuses. */
static bool quality_of(struct span accept, enum kafka_rest_media media, struct choice *out)
{
    struct span rest = accept;
    struct span part;
    bool found = false;
    while (span_next_part(&rest, ',', &part)) {
        struct range range;
        if (!parse_range(span_trim(part), &range)) {
            continue;
        }
        int distance = range_distance(&range, media);
        if (distance >= 0 && (!found || distance < out->distance)) {
            found = true;
            out->distance = distance;
            out->q = range.q;
        }
    }
    return found && out->q > 0;
}

static bool is_better(const struct choice *a, const struct choice *b)
{
    if (a->q != b->q) {
        return a->q > b->q;
    }
    if (a->weight != b->weight) {
        return a->weight > b->weight;
    }
    return a->distance < b->distance;
}

static void consider(struct span accept, struct offer offer, struct choice *best)
{
    struct choice choice = {.media = offer.media, .weight = offer.weight};
    if (quality_of(accept, offer.media, &choice) &&
        (best->media == MEDIA_NONE || is_better(&choice, best))) {
        *best = choice;
    }
}

static bool match_accept(struct span accept, const struct profile *profile, bool lenient,
                         enum kafka_rest_media *out)
{
    *out = profile->offers[0].media;
    if (accept.len == 0 || span_equal_cstr(accept, "*/*")) {
        return true;
    }
    struct choice best = {.media = MEDIA_NONE};
    for (size_t i = 0; i < offers_max && profile->offers[i].media != MEDIA_NONE; i++) {
        consider(accept, profile->offers[i], &best);
    }
    if (lenient && profile->lenient_offer) {
        consider(accept, (struct offer){MEDIA_APPLICATION_JSON, 0}, &best);
    }
    *out = best.media;
    return best.media != MEDIA_NONE;
}

/* Several Accept headers are one list; the usual single one is taken as it stands. */
static struct span accept_of(const struct http_request *request, struct buf *joined)
{
    struct span first = SPAN_EMPTY;
    size_t seen = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (!span_equal_nocase(request->headers[i].name, SPAN_LIT("accept"))) {
            continue;
        }
        struct span value = span_trim(request->headers[i].value);
        if (seen == 0) {
            first = value;
        } else {
            buf_append_span(joined, seen == 1 ? first : SPAN_EMPTY);
            BUF_APPEND_LIT(joined, ",");
            buf_append_span(joined, value);
        }
        seen++;
    }
    return seen > 1 ? buf_span(joined) : first;
}

enum kafka_rest_negotiation kafka_rest_negotiate(const struct http_request *request,
                                                 enum kafka_rest_profile profile, bool lenient,
                                                 struct kafka_rest_negotiated *out)
{
    PP_ASSERT(profile < PROFILE_COUNT);
    const struct profile *row = &profiles[profile];
    struct span type = span_trim(http_request_header(request, "content-type"));
    if (!match_content_type(type, row, lenient, &out->in)) {
        return NEGOTIATION_UNSUPPORTED;
    }
    struct buf joined;
    buf_init(&joined, HTTP_HEAD_BYTES_MAX);
    bool acceptable = match_accept(accept_of(request, &joined), row, lenient, &out->out);
    buf_release(&joined);
    return acceptable ? NEGOTIATED : NEGOTIATION_NOT_ACCEPTABLE;
}

enum kafka_rest_media kafka_rest_error_media(const struct http_request *request)
{
    struct span rest = http_request_header(request, "accept");
    struct span part;
    while (span_next_part(&rest, ',', &part)) {
        struct range range;
        if (parse_range(span_trim(part), &range)) {
            enum kafka_rest_media media = media_of_range(&range);
            if (media == MEDIA_APPLICATION_JSON || media == MEDIA_V2) {
                return media;
            }
        }
    }
    return MEDIA_APPLICATION_JSON;
}
