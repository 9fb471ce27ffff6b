/* A request is built once and signed anew at each attempt, because a signature names its moment.
 * Every S3 request may be repeated: what it does twice it does as well as once (at worst another
 * upload is begun, which nobody completes). */
#include "s3_client_internal.h"

#include "printable.h"
#include "sigv4.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    wait_slice_ms = 100, /* how long an interruption may go unnoticed */
    request_timeout_ms = 5 * 60 * 1000,
    silence_s = 60,
    cleaning_ms = 2000,
    headers_max = 8,
    header_bytes_max = 16 * 1024,
    bucket_bytes_max = 255,
    words_bytes_max = 400,
    seconds_us = 1000 * 1000,
};

/* --- where to -------------------------------------------------------------------------------- */

/* Fit for a DNS label, so that S3's wildcard certificate covers it. */
static bool bucket_is_label(struct span bucket)
{
    if (bucket.len < 3 || bucket.len > 63) {
        return false;
    }
    for (size_t i = 0; i < bucket.len; i++) {
        char c = bucket.ptr[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool inside = i > 0 && i + 1 < bucket.len;
        if (!alnum && !(c == '-' && inside)) {
            return false;
        }
    }
    return true;
}

void s3_client_address(const struct s3_client *client, const struct s3_request *request,
                       struct buf *host, struct buf *path)
{
    bool virtual_host = client->is_aws && bucket_is_label(request->bucket);
    buf_reset(host);
    buf_reset(path);
    if (virtual_host) {
        buf_append_span(host, request->bucket);
        buf_append_byte(host, '.');
    } else if (request->bucket.len > 0) {
        buf_append_byte(path, '/');
        url_encode(request->bucket, false, path);
    }
    buf_append_span(host, client->host);
    if (request->key.len > 0 || path->len == 0) {
        buf_append_byte(path, '/');
        url_encode(request->key, true, path);
    }
}

static enum status endpoint_take(struct s3_client *client, const char *text, struct error *err)
{
    struct url url;
    struct span span = span_from_cstr(text);
    while (span.len > 0 && span.ptr[span.len - 1] == '/') {
        span.len--;
    }
    if (!url_parse(span, &url) || url.path.len > 0 || url.query.len > 0) {
        char shown[URL_SHOWN_BYTES];
        return error_set(err, STATUS_CONFIG,
                         "s3_url \"%s\" is not an endpoint: write it like http://127.0.0.1:9000 or "
                         "https://s3.us-east-1.amazonaws.com",
                         url_shown(text, shown));
    }
    bool usual = url.port == (span_equal_nocase(url.scheme, SPAN_LIT("https")) ? 443 : 80);
    size_t room = strlen(text) + sizeof("[]:65535");
    client->texts = malloc(room);
    if (client->texts == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the S3 client");
    }
    bool brackets = span_find_byte(url.host, ':') < url.host.len;
    int len = snprintf(client->texts, room, brackets ? "[%.*s]" : "%.*s", SPAN_ARG(url.host));
    if (!usual) {
        len += snprintf(client->texts + len, room - (size_t)len, ":%u", (unsigned)url.port);
    }
    client->host = span_from(client->texts, (size_t)len);
    client->scheme =
        span_equal_nocase(url.scheme, SPAN_LIT("https")) ? SPAN_LIT("https") : SPAN_LIT("http");
    client->is_aws = span_ends_with(url.host, SPAN_LIT(".amazonaws.com")) ||
                     span_ends_with(url.host, SPAN_LIT(".amazonaws.com.cn"));
    return STATUS_OK;
}

/* --- signing --------------------------------------------------------------------------------- */

struct header_set {
    struct sigv4_header items[headers_max];
    size_t count;
};

static void s3_header_add(struct header_set *set, const char *name, struct span value)
{
    if (value.len > 0) {
        PP_ASSERT(set->count < headers_max);
        set->items[set->count++] = (struct sigv4_header){span_from_cstr(name), value};
    }
}

static void header_write(struct buf *out, struct sigv4_header header)
{
    buf_append_span(out, header.name);
    BUF_APPEND_LIT(out, ": ");
    buf_append_span(out, header.value);
    buf_append_byte(out, '\0');
}

static void sign(struct s3_slot *slot, struct header_set *set, const char *date, const char *hash)
{
    const struct s3_client_options *options = &slot->client->options;
    const struct sigv4_signer signer = {
        .crypto = slot->client->crypto,
        .credentials = {.access_key = span_from_cstr(options->access_key),
                        .secret = span_from_cstr(options->secret),
                        .session_token = span_from_cstr(options->session_token)},
        .region = span_from_cstr(options->region),
        .service = SPAN_LIT("s3"),
    };
    s3_header_add(set, "host", buf_span(&slot->host));
    s3_header_add(set, "x-amz-content-sha256", span_from_cstr(hash));
    s3_header_add(set, "x-amz-date", span_from_cstr(date));
    s3_header_add(set, "x-amz-security-token", span_from_cstr(options->session_token));
    const struct sigv4_request request = {
        .method = span_from_cstr(slot->method),
        .path = buf_span(&slot->path),
        .query = buf_span(&slot->query),
        .headers = set->items,
        .header_count = set->count,
        .payload_hash = span_from_cstr(hash),
        .path_style = SIGV4_PATH_S3,
    };
    BUF_APPEND_LIT(&slot->headers, "Authorization: ");
    sigv4_authorization(&signer, &request, span_from_cstr(date), &slot->headers);
    buf_append_byte(&slot->headers, '\0');
}

/* Fills slot->headers and the list that http_client wants. */
static enum status headers_make(struct s3_slot *slot, const char *list[headers_max + 1],
                                struct error *err)
{
    struct header_set set = {.count = 0};
    struct s3_client *client = slot->client;
    char date[SIGV4_DATE_BYTES];
    char hash[DIGEST_HEX_BYTES_MAX];
    buf_reset(&slot->headers);
    s3_header_add(&set, "content-type", span_from_cstr(slot->content_type));
    s3_header_add(&set, "range", span_from_cstr(slot->range));
    s3_header_add(&set, "if-match", span_from_cstr(slot->if_match));
    s3_header_add(&set, "x-amz-copy-source", buf_span(&slot->copy_source));
    if (client->options.access_key != NULL) {
        const struct digest_value digest = digest_of(client->crypto, DIGEST_SHA256, slot->body);
        digest_hex(&digest, hash);
        sigv4_date(client->env->wall_us(client->env), date);
        sign(slot, &set, date, hash);
    }
    for (size_t i = 0; i < set.count; i++) {
        if (!span_equal(set.items[i].name, SPAN_LIT("host"))) { /* libcurl's, the same */
            header_write(&slot->headers, set.items[i]);
        }
    }
    if (!buf_ok(&slot->headers)) {
        return buf_error(&slot->headers, err, STATUS_LIMIT,
                         "%s: the headers are longer than %d bytes", slot->what, header_bytes_max);
    }
    size_t count = 0;
    struct span rest = buf_span(&slot->headers);
    struct span line;
    while (count < headers_max && span_next_part(&rest, '\0', &line)) {
        list[count++] = line.ptr;
    }
    list[count] = NULL;
    return STATUS_OK;
}

/* --- verdicts -------------------------------------------------------------------------------- */

bool s3_client_should_retry(const struct http_response *response, bool was_reached)
{
    struct s3_error_answer answer;
    switch (response->failure) {
    case HTTP_FAILURE_BROKEN:
        return true;
    case HTTP_FAILURE_REFUSED: /* a restart; else nothing listens there at all */
        return was_reached;
    case HTTP_FAILURE_TIMEOUT: /* the time that the user gave, or minutes, are over */
    case HTTP_FAILURE_RESOLVE:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_CROWDED:
    case HTTP_FAILURE_LOCAL:
        return false;
    case HTTP_FAILURE_NONE:
        break;
    }
    switch (response->status) {
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return true;
    case 400: /* S3's own wait for a body was over */
        return s3_answer_error(buf_span(&response->body), &answer) == STATUS_OK &&
               strcmp(answer.code, "RequestTimeout") == 0;
    case 200: /* CompleteMultipartUpload and CopyObject may fail behind their 200 */
        return response->body.len > 0 && response->body.len < header_bytes_max &&
               s3_answer_error(buf_span(&response->body), &answer) == STATUS_OK &&
               (strcmp(answer.code, "InternalError") == 0 || strcmp(answer.code, "SlowDown") == 0);
    default:
        return false;
    }
}

static enum status s3_failure_report(const char *what, const struct http_response *response,
                                     const struct s3_client *client, struct error *err)
{
    enum status status = http_failure_status(response->failure);
    if (status != STATUS_UNREACHABLE) {
        return error_set(err, status, "%s: %s", what, response->message);
    }
    return error_set(err, STATUS_UNREACHABLE, "%s: %.*s://%.*s cannot be reached: %s%s", what,
                     SPAN_ARG(client->scheme), SPAN_ARG(client->host), response->message,
                     response->failure == HTTP_FAILURE_REFUSED
                         ? "; start a server with `pinpipe serve`, or set s3_url"
                         : "");
}

static enum status s3_status_of(int status)
{
    switch (status) {
    case 301:
    case 307:
    case 401:
    case 403:
        return STATUS_CONFIG;
    case 404:
        return STATUS_NOT_FOUND;
    case 400:
    case 405:
    case 411:
        return STATUS_INVALID;
    case 429:
    case 503:
        return STATUS_BUSY;
    default:
        return STATUS_FAILED;
    }
}

/* A bucket of another region answers 301 or 400 and names its region in the body or a header. */
static bool other_region(const struct s3_client *client, const struct http_response *response,
                         const struct s3_error_answer *answer, char out[64])
{
    struct span header = http_response_header(response, "x-amz-bucket-region");
    bool may_be = response->status == 301 || response->status == 307 || response->status == 400 ||
                  response->status == 403;
    struct span named = answer->region[0] != '\0' ? span_from_cstr(answer->region) : header;
    if (!may_be || named.len == 0 || named.len >= 64 ||
        span_equal_cstr(named, client->options.region)) {
        return false;
    }
    snprintf(out, 64, "%.*s", SPAN_ARG(named));
    printable_make(out, 64);
    return true;
}

static void s3_words_append(const struct http_response *response,
                            const struct s3_error_answer *answer, char out[words_bytes_max])
{
    int len = snprintf(out, words_bytes_max, "%d", response->status);
    if (answer->code[0] != '\0') {
        len += snprintf(out + len, words_bytes_max - (size_t)len, " %s", answer->code);
    }
    if (answer->message[0] != '\0') {
        snprintf(out + len, words_bytes_max - (size_t)len, " (%s)", answer->message);
    } else if (answer->code[0] == '\0' && response->body.len > 0) {
        struct span start = span_first(buf_span(&response->body), 120);
        snprintf(out + len, words_bytes_max - (size_t)len,
                 " and not as S3 does (is s3_url right?): %.*s", SPAN_ARG(start));
    }
    printable_make(out, words_bytes_max);
}

enum status s3_client_judge(const struct s3_client *client, const char *what,
                            const struct http_response *response, struct error *err)
{
    struct s3_error_answer answer = {.code = ""};
    char words[words_bytes_max];
    char region[64];
    if (response->failure != HTTP_FAILURE_NONE) {
        return s3_failure_report(what, response, client, err);
    }
    if (response->status >= 200 && response->status < 300) {
        return STATUS_OK;
    }
    if (s3_answer_error(buf_span(&response->body), &answer) == STATUS_NO_MEMORY) {
        return error_no_memory(err);
    }
    if (other_region(client, response, &answer, region)) {
        return error_set(err, STATUS_CONFIG,
                         "%s: the bucket is in the region %s, not in %s: set aws_region to %s%s",
                         what, region, client->options.region, region,
                         client->is_aws ? " and s3_url to that region's endpoint" : "");
    }
    s3_words_append(response, &answer, words);
    struct span hint = http_response_header(response, "X-Pinpipe-Hint");
    const char *unsigned_hint = response->status == 403 && client->options.access_key == NULL
                                    ? "; no credentials are configured (aws_access_key_id, "
                                      "aws_secret_access_key)"
                                    : "";
    enum status status = s3_status_of(response->status);
    return error_set(err, status, "%s answered %s%s%s%.*s", what, words, unsigned_hint,
                     hint.len > 0 ? "; " : "", SPAN_ARG(hint));
}

/* --- slots ----------------------------------------------------------------------------------- */

static void slot_settle(struct s3_slot *slot, const struct http_response *response)
{
    slot->response = response;
    slot->error = ERROR_NONE;
    slot->status = s3_client_judge(slot->client, slot->what, response, &slot->error);
    slot->state = S3_SLOT_SETTLED;
}

static int64_t server_wish_us(const struct http_response *response)
{
    int64_t seconds = 0;
    return span_parse_i64(http_response_header(response, "Retry-After"), &seconds) && seconds > 0 &&
                   seconds <= RETRY_SERVER_WISH_MS_MAX / 1000
               ? seconds * seconds_us
               : 0;
}

static void on_answer(void *ctx, struct http_call *call, const struct http_response *response)
{
    struct s3_slot *slot = ctx;
    struct s3_client *client = slot->client;
    (void)call;
    bool again = !client->cleaning && s3_client_should_retry(response, client->was_reached) &&
                 retry_is_left(&client->retry, slot->attempts);
    client->was_reached = client->was_reached || response->failure == HTTP_FAILURE_NONE;
    if (!again) {
        slot_settle(slot, response);
        return;
    }
    slot->state = S3_SLOT_WAITING;
    slot->due_us =
        client->env->monotonic_us(client->env) +
        retry_delay_us(&client->retry, client->env, slot->attempts, server_wish_us(response));
}

static int64_t slot_timeout_ms(const struct s3_client *client)
{
    return client->cleaning                 ? cleaning_ms
           : client->options.timeout_ms > 0 ? client->options.timeout_ms
                                            : request_timeout_ms;
}

static enum status slot_attempt(struct s3_slot *slot, struct error *err)
{
    const char *headers[headers_max + 1];
    enum status status = headers_make(slot, headers, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct http_call_request request = {
        .method = slot->method,
        .url = buf_cstr(&slot->url),
        .headers = headers,
        .body = slot->body,
        .has_body = slot->has_body,
        .timeout_ms = slot_timeout_ms(slot->client),
    };
    status = http_call_send(slot->call, &request, err);
    if (status == STATUS_OK) {
        slot->attempts++;
        slot->state = S3_SLOT_FLYING;
    }
    return status;
}

struct s3_slot *s3_slot_take(struct s3_client *client, struct error *err)
{
    for (struct s3_slot *slot = client->slots; slot != NULL; slot = slot->next) {
        if (!slot->taken) {
            slot->taken = true;
            return slot;
        }
    }
    struct s3_slot *slot = calloc(1, sizeof(*slot));
    if (slot == NULL || http_call_new(client->http, on_answer, slot, &slot->call) != STATUS_OK) {
        free(slot);
        error_set(err, STATUS_NO_MEMORY, "no memory for a request to S3");
        return NULL;
    }
    slot->client = client;
    slot->taken = true;
    buf_init(&slot->path, S3_URL_BYTES_MAX);
    buf_init(&slot->query, S3_URL_BYTES_MAX);
    buf_init(&slot->url, S3_URL_BYTES_MAX);
    buf_init(&slot->host, S3_URL_BYTES_MAX);
    buf_init(&slot->copy_source, header_bytes_max / 2);
    buf_init(&slot->headers, header_bytes_max);
    buf_init(&slot->bytes, S3_PART_BYTES_MAX);
    slot->next = client->slots;
    client->slots = slot;
    return slot;
}

void s3_slot_give(struct s3_slot *slot)
{
    enum { kept_bytes = 1024 * 1024 };
    if (slot != NULL) {
        http_call_cancel(slot->call);
        slot->state = S3_SLOT_IDLE;
        slot->taken = false;
        slot->response = NULL;
        buf_trim(&slot->bytes, kept_bytes);
    }
}

static void set_header_text(char out[S3_HEADER_TEXT_BYTES], const char *text)
{
    snprintf(out, S3_HEADER_TEXT_BYTES, "%s", text != NULL ? text : "");
}

static void set_what(struct s3_slot *slot, const struct s3_request *request)
{
    int len = snprintf(slot->what, sizeof(slot->what), "%s s3://%.*s", request->method,
                       SPAN_ARG(request->bucket));
    if (request->key.len > 0 && (size_t)len < sizeof(slot->what)) {
        snprintf(slot->what + len, sizeof(slot->what) - (size_t)len, "/%.*s",
                 SPAN_ARG(request->key));
    }
    printable_make(slot->what, sizeof(slot->what));
}

enum status s3_slot_send(struct s3_slot *slot, const struct s3_request *request, struct error *err)
{
    struct s3_client *client = slot->client;
    PP_ASSERT(slot->state == S3_SLOT_IDLE || slot->state == S3_SLOT_SETTLED);
    set_what(slot, request);
    if (request->bucket.len > bucket_bytes_max || request->key.len > S3_KEY_BYTES_MAX ||
        (request->bucket.len == 0 && request->key.len > 0)) {
        return error_set(err, STATUS_INVALID,
                         "%s: a bucket's name has at most %d bytes, a key at most %d", slot->what,
                         bucket_bytes_max, S3_KEY_BYTES_MAX);
    }
    slot->method = request->method;
    slot->body = request->body;
    slot->has_body = request->has_body;
    slot->attempts = 0;
    slot->response = NULL;
    set_header_text(slot->content_type, request->content_type);
    set_header_text(slot->range, request->range);
    set_header_text(slot->if_match, request->if_match);
    buf_reset(&slot->copy_source);
    if (request->copy_bucket.len > 0) {
        buf_append_byte(&slot->copy_source, '/');
        url_encode(request->copy_bucket, false, &slot->copy_source);
        buf_append_byte(&slot->copy_source, '/');
        url_encode(request->copy_key, true, &slot->copy_source);
    }
    buf_reset(&slot->query);
    buf_append_span(&slot->query, request->query);
    s3_client_address(client, request, &slot->host, &slot->path);
    buf_reset(&slot->url);
    buf_printf(&slot->url, "%.*s://%s%s%s", SPAN_ARG(client->scheme), buf_cstr(&slot->host),
               buf_cstr(&slot->path), slot->query.len > 0 ? "?" : "");
    buf_append_span(&slot->url, buf_span(&slot->query));
    buf_inherit(&slot->url, &slot->host);
    buf_inherit(&slot->url, &slot->path);
    buf_inherit(&slot->url, &slot->query);
    buf_inherit(&slot->url, &slot->copy_source);
    if (!buf_ok(&slot->url)) {
        return buf_error(&slot->url, err, STATUS_LIMIT, "%s: the URL is longer than %d bytes",
                         slot->what, S3_URL_BYTES_MAX);
    }
    return slot_attempt(slot, err);
}

/* Sends what waits for its next attempt; *next_us is when the next one is due. */
static enum status resend_due(struct s3_client *client, int64_t now_us, int64_t *next_us,
                              struct error *err)
{
    *next_us = INT64_MAX;
    for (struct s3_slot *slot = client->slots; slot != NULL; slot = slot->next) {
        if (slot->state != S3_SLOT_WAITING) {
            continue;
        }
        if (slot->due_us <= now_us) {
            enum status status = slot_attempt(slot, err);
            if (status != STATUS_OK) {
                return status;
            }
        } else if (slot->due_us < *next_us) {
            *next_us = slot->due_us;
        }
    }
    return STATUS_OK;
}

static enum status s3_client_step(struct s3_client *client, struct error *err)
{
    const struct s3_client_options *options = &client->options;
    struct env *env = client->env;
    int64_t next_us;
    int64_t now_us = env->monotonic_us(env);
    if (options->should_stop != NULL && options->should_stop(options->should_stop_ctx)) {
        return error_set(err, STATUS_INTERRUPTED, "stopped");
    }
    enum status status = resend_due(client, now_us, &next_us, err);
    if (status != STATUS_OK) {
        return status;
    }
    int64_t pause_us = next_us == INT64_MAX ? (int64_t)wait_slice_ms * 1000 : next_us - now_us;
    pause_us = pause_us < (int64_t)wait_slice_ms * 1000 ? pause_us : (int64_t)wait_slice_ms * 1000;
    if (http_client_in_flight(client->http) > 0) {
        return http_client_run(client->http, (int)((pause_us + 999) / 1000), err);
    }
    env->sleep_us(env, pause_us);
    return STATUS_OK;
}

enum status s3_slot_wait(struct s3_slot *slot, struct error *err)
{
    enum status status = STATUS_OK;
    PP_ASSERT(slot->state != S3_SLOT_IDLE);
    while (status == STATUS_OK && slot->state != S3_SLOT_SETTLED) {
        status = s3_client_step(slot->client, err);
    }
    return status;
}

enum status s3_slots_wait_any(struct s3_client *client, struct s3_slot *const *slots, size_t count,
                              size_t *settled, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK) {
        for (size_t i = 0; i < count; i++) {
            if (slots[i]->state == S3_SLOT_SETTLED) {
                *settled = i;
                return STATUS_OK;
            }
        }
        status = s3_client_step(client, err);
    }
    return status;
}

enum status s3_slot_verdict(const struct s3_slot *slot, struct error *err)
{
    PP_ASSERT(slot->state == S3_SLOT_SETTLED);
    if (slot->status != STATUS_OK && err != NULL) {
        *err = slot->error;
    }
    return slot->status;
}

enum status s3_client_call(struct s3_client *client, const struct s3_request *request,
                           struct s3_slot **slot, struct error *err)
{
    *slot = s3_slot_take(client, err);
    if (*slot == NULL) {
        return STATUS_NO_MEMORY;
    }
    enum status status = s3_slot_send(*slot, request, err);
    if (status == STATUS_OK) {
        status = s3_slot_wait(*slot, err);
    }
    return status == STATUS_OK ? s3_slot_verdict(*slot, err) : status;
}

/* --- life ------------------------------------------------------------------------------------ */

/* Credentials become parts of headers; what is wrong with them is said without showing them. */
static enum status credential_check(const char *name, const char *text, struct error *err)
{
    for (const char *c = text; c != NULL && *c != '\0'; c++) {
        if ((unsigned char)*c <= ' ' || (unsigned char)*c >= 0x7f) {
            return error_set(err, STATUS_CONFIG,
                             "%s has a blank or a control character in it: copy it again", name);
        }
    }
    return STATUS_OK;
}

static enum status s3_credentials_check(const struct s3_client_options *options, struct error *err)
{
    if ((options->access_key != NULL) != (options->secret != NULL)) {
        return error_set(err, STATUS_CONFIG,
                         "aws_access_key_id and aws_secret_access_key go together: set both, or "
                         "none");
    }
    enum status status = credential_check("aws_access_key_id", options->access_key, err);
    if (status == STATUS_OK) {
        status = credential_check("aws_secret_access_key", options->secret, err);
    }
    if (status == STATUS_OK) {
        status = credential_check("aws_session_token", options->session_token, err);
    }
    return status == STATUS_OK ? credential_check("aws_region", options->region, err) : status;
}

static enum status s3_options_take(struct s3_client *client,
                                   const struct s3_client_options *options, struct error *err)
{
    client->options = *options;
    client->env = options->env;
    client->retry = retry_policy_default();
    client->retry.attempts_max = S3_RETRY_ATTEMPTS;
    client->concurrency = options->concurrency > 0 ? options->concurrency : S3_CONCURRENCY_DEFAULT;
    if (client->concurrency > S3_CONCURRENCY_MAX) {
        return error_set(err, STATUS_USAGE, "at most %d requests in flight", S3_CONCURRENCY_MAX);
    }
    enum status status = s3_credentials_check(options, err);
    return status == STATUS_OK ? endpoint_take(client, options->url, err) : status;
}

enum status s3_client_new(const struct s3_client_options *options, struct s3_client **out,
                          struct error *err)
{
    struct s3_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the S3 client");
    }
    const struct http_client_options http = {
        .connections_max = S3_CONCURRENCY_MAX,
        .response_bytes_max = S3_ANSWER_BYTES_MAX,
        .timeout_ms = options->timeout_ms,
        .silence_s = silence_s,
        .read_bytes = 256 * 1024,
    };
    enum status status = s3_options_take(client, options, err);
    if (status == STATUS_OK && crypto_new(&client->crypto) != STATUS_OK) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the S3 client");
    }
    if (status == STATUS_OK && options->access_key != NULL) {
        status = crypto_ready(client->crypto, err);
    }
    if (status == STATUS_OK) {
        status = http_client_new(options->env, &http, &client->http, err);
    }
    if (status != STATUS_OK) {
        s3_client_free(client);
        return status;
    }
    *out = client;
    return STATUS_OK;
}

void s3_client_free(struct s3_client *client)
{
    if (client == NULL) {
        return;
    }
    while (client->slots != NULL) {
        struct s3_slot *slot = client->slots;
        client->slots = slot->next;
        http_call_free(slot->call);
        buf_release(&slot->path);
        buf_release(&slot->query);
        buf_release(&slot->url);
        buf_release(&slot->host);
        buf_release(&slot->copy_source);
        buf_release(&slot->headers);
        buf_release(&slot->bytes);
        free(slot);
    }
    if (client->http != NULL) {
        http_client_free(client->http);
    }
    crypto_free(client->crypto);
    free(client->texts);
    free(client);
}
