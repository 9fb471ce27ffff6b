/* SigV4: the first byte chooses the path style, then "METHOD target" and header lines. Claims that
 * are read hold what they promise; the canonical form of a canonical query and path is itself; what
 * the signer signs the verifier takes, and refuses under another secret. */
#include "sigv2.h"
#include "sigv4_chunks.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { headers_max = 100, text_bytes_max = 16 << 20, arena_bytes_max = 1 << 20 };

struct world {
    struct crypto *crypto;
    struct arena arena;
    struct buf canonical;
    struct buf text;
    struct sigv4_header headers[headers_max];
    struct sigv4_request request;
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* HTTP lets nothing else be a name. */
static bool is_token(struct span name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
                   name.ptr[i]) == NULL ||
            name.ptr[i] == '\0') {
            return false;
        }
    }
    return name.len > 0;
}

static void request_read(struct world *w, struct span input)
{
    struct span line = SPAN_EMPTY;
    (void)span_next_part(&input, '\n', &line);
    size_t blank = span_find_byte(line, ' ');
    struct span target = span_skip(line, blank + 1);
    size_t question = span_find_byte(target, '?');
    w->request.method = span_first(line, blank);
    w->request.path = span_first(target, question);
    w->request.query = span_skip(target, question + 1);
    w->request.headers = w->headers;
    w->request.payload_hash = SPAN_LIT(SIGV4_UNSIGNED_PAYLOAD);
    while (w->request.header_count < headers_max - 1 && span_next_part(&input, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        if (is_token(span_first(line, colon))) {
            w->headers[w->request.header_count++] =
                (struct sigv4_header){span_first(line, colon), span_skip(line, colon + 1)};
        }
    }
}

static void check_claim(struct world *w)
{
    struct sigv4_claim claim;
    const char *what = NULL;
    enum sigv4_flaw flaw = sigv4_claim_parse(&w->request, &w->arena, &claim, &what);
    require(what != NULL && (flaw == SIGV4_SOUND) == (what[0] == '\0'));
    require(claim.scope.region.len <= SIGV4_SCOPE_PART_BYTES_MAX &&
            claim.scope.service.len <= SIGV4_SCOPE_PART_BYTES_MAX &&
            claim.access_key.len <= SIGV4_ACCESS_KEY_BYTES_MAX);
    if (flaw != SIGV4_SOUND || claim.kind == SIGV4_NONE) {
        return;
    }
    struct sigv4_check check = {w->crypto, &claim, &w->request, SPAN_LIT("secret")};
    require(claim.access_key.len > 0 && claim.signature.len > 0);
    if (claim.kind == SIGV2_QUERY || claim.kind == SIGV2_HEADER) {
        buf_reset(&w->canonical);
        sigv2_resource(SPAN_EMPTY, &w->request, &w->canonical);
        (void)sigv2_claim_verify(&check, buf_span(&w->canonical), &w->text);
        return;
    }
    struct sigv4_chunks chunks;
    char signature[SIGV4_SIGNATURE_BYTES];
    struct digest_value empty = digest_of(w->crypto, DIGEST_SHA256, SPAN_EMPTY);
    require(claim.scope.date.len == 8 && claim.date_time.len == SIGV4_DATE_BYTES - 1);
    (void)sigv4_claim_verify(&check, &w->canonical, &w->text);
    sigv4_chunks_init(&chunks, w->crypto, &claim, SPAN_LIT("secret"));
    sigv4_chunk_sign(&chunks, &empty, signature);
}

static struct span line_of(const struct buf *text, int line)
{
    struct span rest = buf_span(text);
    for (int i = 0; i < line; i++) {
        rest = span_skip(rest, span_find_byte(rest, '\n') + 1);
    }
    return span_first(rest, span_find_byte(rest, '\n'));
}

static void check_canonical_form(struct world *w)
{
    struct sigv4_request again = w->request;
    buf_reset(&w->canonical);
    buf_reset(&w->text);
    sigv4_canonical_request(&w->request, SPAN_LIT("host"), SPAN_EMPTY, &w->canonical);
    require(buf_ok(&w->canonical));
    again.query = line_of(&w->canonical, 2);
    again.path = w->request.path_style == SIGV4_PATH_S3 ? line_of(&w->canonical, 1) : again.path;
    sigv4_canonical_request(&again, SPAN_LIT("host"), SPAN_EMPTY, &w->text);
    require(span_equal(buf_span(&w->canonical), buf_span(&w->text)));
}

static bool is_left_out(struct span name)
{
    static const char *const names[] = {"authorization", "x-amz-date", "host"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (span_equal_nocase(name, span_from_cstr(names[i]))) {
            return true;
        }
    }
    return false;
}

/* Signs the request without the claims it came with; false when its query holds some. */
static bool sign(struct world *w, struct buf *header)
{
    struct sigv4_header *headers = w->headers;
    size_t count = 0;
    struct sigv4_claim claim;
    const char *what;
    for (size_t i = 0; i < w->request.header_count; i++) {
        if (!is_left_out(headers[i].name)) {
            headers[count++] = headers[i];
        }
    }
    w->request.header_count = count;
    if (count + 3 > headers_max ||
        sigv4_claim_parse(&w->request, &w->arena, &claim, &what) != SIGV4_SOUND ||
        claim.kind != SIGV4_NONE) {
        return false;
    }
    struct sigv4_signer signer = {w->crypto,
                                  {SPAN_LIT("AK"), SPAN_LIT("secret"), SPAN_EMPTY},
                                  SPAN_LIT("us-east-1"),
                                  SPAN_LIT("s3")};
    headers[count++] = (struct sigv4_header){SPAN_LIT("Host"), SPAN_LIT("h:1")};
    headers[count++] = (struct sigv4_header){SPAN_LIT("X-Amz-Date"), SPAN_LIT("20260102T030405Z")};
    w->request.header_count = count;
    sigv4_authorization(&signer, &w->request, SPAN_LIT("20260102T030405Z"), header);
    require(buf_ok(header));
    headers[count++] = (struct sigv4_header){SPAN_LIT("Authorization"), buf_span(header)};
    w->request.header_count = count;
    return true;
}

static void check_signer_and_verifier(struct world *w)
{
    struct sigv4_claim claim;
    struct buf header;
    const char *what;
    struct sigv4_check check = {w->crypto, &claim, &w->request, SPAN_LIT("secret")};
    buf_init(&header, text_bytes_max);
    if (sign(w, &header)) {
        require(sigv4_claim_parse(&w->request, &w->arena, &claim, &what) == SIGV4_SOUND);
        require(sigv4_claim_verify(&check, &w->canonical, &w->text));
        require(!sigv4_unsigned_headers(&w->request, &claim, &w->text));
        check.secret = SPAN_LIT("other");
        require(!sigv4_claim_verify(&check, &w->canonical, &w->text));
    }
    buf_release(&header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct crypto *crypto; /* loading the library costs more than all else */
    struct world w = {.request = {.header_count = 0}};
    if (size == 0) {
        return 0;
    }
    if (crypto == NULL) {
        require(crypto_new(&crypto) == STATUS_OK && crypto_ready(crypto, NULL) == STATUS_OK);
    }
    w.crypto = crypto;
    w.request.path_style = (enum sigv4_path)(data[0] % 3);
    arena_init(&w.arena, arena_bytes_max);
    buf_init(&w.canonical, text_bytes_max);
    buf_init(&w.text, text_bytes_max);
    request_read(&w, span_from((const char *)data + 1, size - 1));
    check_claim(&w);
    check_canonical_form(&w);
    check_signer_and_verifier(&w);
    buf_release(&w.canonical);
    buf_release(&w.text);
    arena_release(&w.arena);
    return 0;
}
