/* A call of the HTTP client: its request as options of libcurl's easy handle, and its answer as
 * libcurl's callbacks bring it. The easy handle belongs to the call for life and an option is set
 * only when it changes, so a repeated POST costs one pointer and one length. */
#include "http_client_internal.h"

#include "url.h"

#include <stdlib.h>
#include <string.h>

enum { url_bytes_max = 64 * 1024, timer_slack_us = 100 * 1000 };

/* --- requests -------------------------------------------------------------------------------- */

static bool host_is_loopback(struct span host)
{
    return span_equal_nocase(host, SPAN_LIT("localhost")) ||
           span_ends_with(host, SPAN_LIT(".localhost")) ||
           span_starts_with(host, SPAN_LIT("127.")) || span_equal(host, SPAN_LIT("::1")) ||
           span_equal(host, SPAN_LIT("0.0.0.0"));
}

static enum status url_apply(struct http_call *call, const char *text, struct error *err)
{
    if (call->url != NULL && strcmp(call->url, text) == 0) {
        return STATUS_OK;
    }
    struct url url;
    struct span span = span_from_cstr(text);
    if (span.len > url_bytes_max) {
        return error_set(err, STATUS_LIMIT, "a URL of %zu bytes: the limit is %d", span.len,
                         url_bytes_max);
    }
    if (!url_parse(span, &url)) {
        char shown[URL_SHOWN_BYTES];
        return error_set(err, STATUS_INVALID, "\"%s\" is not an http or https URL",
                         url_shown(text, shown));
    }
    char *copy = malloc(span.len + 1);
    if (copy == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a URL");
    }
    memcpy(copy, text, span.len + 1);
    free(call->url);
    call->url = NULL;
    const struct curl_library *curl = &call->client->curl;
    /* "" switches proxies off, NULL lets http_proxy and its kin speak. */
    const char *proxy = host_is_loopback(url.host) ? "" : NULL;
    if (curl->easy_setopt(call->easy, CURLOPT_URL, copy) != CURLE_OK ||
        curl->easy_setopt(call->easy, CURLOPT_PROXY, proxy) != CURLE_OK) {
        free(copy);
        return error_set(err, STATUS_NO_MEMORY, "libcurl has no memory for the URL \"%s\"", text);
    }
    call->url = copy;
    call->host_is_loopback = host_is_loopback(url.host);
    return STATUS_OK;
}

static bool method_is_token(const char *method)
{
    size_t len = strlen(method);
    return len > 0 && len < HTTP_METHOD_BYTES_MAX &&
           strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_") == len;
}

/* Methods whose requests name a length even when it is 0. */
static bool method_names_length(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static enum status method_apply(struct http_call *call, const char *method, bool has_body,
                                struct error *err)
{
    if (call->method[0] != '\0' && strcmp(call->method, method) == 0 &&
        call->method_for_body == has_body) {
        return STATUS_OK;
    }
    bool is_head = strcmp(method, "HEAD") == 0;
    if (!method_is_token(method) || (is_head && has_body)) {
        return error_set(err, STATUS_INVALID, "\"%s\"%s is not a request this client can make",
                         method, has_body ? " with a body" : "");
    }
    const struct curl_library *curl = &call->client->curl;
    bool is_post = strcmp(method, "POST") == 0;
    bool as_post = has_body || method_names_length(method);
    const char *custom =
        (as_post && is_post) || (!as_post && strcmp(method, "GET") == 0) || is_head ? NULL : method;
    CURLoption verb = is_head ? CURLOPT_NOBODY : as_post ? CURLOPT_POST : CURLOPT_HTTPGET;
    if (curl->easy_setopt(call->easy, verb, 1L) != CURLE_OK ||
        curl->easy_setopt(call->easy, CURLOPT_CUSTOMREQUEST, custom) != CURLE_OK) {
        call->method[0] = '\0';
        return error_set(err, STATUS_NO_MEMORY, "libcurl has no memory for the method %s", method);
    }
    if (as_post && !has_body) {
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDS, "");
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
    }
    memcpy(call->method, method, strlen(method) + 1);
    call->method_for_body = has_body;
    return STATUS_OK;
}

static enum status headers_apply(struct http_call *call, const struct http_call_request *request,
                                 struct error *err)
{
    bool for_body = request->has_body || method_names_length(request->method);
    if (http_header_list_matches(&call->headers, request->headers, for_body)) {
        return STATUS_OK;
    }
    enum status status = http_header_list_build(&call->headers, request->headers, for_body, err);
    if (status == STATUS_OK) {
        call->client->curl.easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers.nodes);
    }
    return status;
}

enum status http_call_apply(struct http_call *call, const struct http_call_request *request,
                            struct error *err)
{
    const struct curl_library *curl = &call->client->curl;
    enum status status = url_apply(call, request->url, err);
    if (status == STATUS_OK) {
        status = method_apply(call, request->method, request->has_body, err);
    }
    if (status == STATUS_OK) {
        status = headers_apply(call, request, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (request->has_body) {
        const char *bytes = request->body.len > 0 ? request->body.ptr : "";
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDS, bytes);
        curl->easy_setopt(call->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms : call->client->timeout_ms;
    if (timeout_ms != call->timeout_ms) {
        curl->easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
        call->timeout_ms = timeout_ms;
    }
    return STATUS_OK;
}

/* --- answers --------------------------------------------------------------------------------- */

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    size_t len = size * count;
    struct span line = span_from(bytes, len);
    if (span_starts_with(line, SPAN_LIT("HTTP/"))) {
        call->answering = !span_starts_with(line, SPAN_LIT("HTTP/1.1 1"));
        buf_reset(&call->response.headers); /* what came before was a 1xx */
    } else if (span_trim(line).len > 0) {
        buf_append_span(&call->response.headers, line);
    }
    if (!buf_ok(&call->response.headers)) {
        call->out_of_memory = call->response.headers.no_memory;
        call->too_large = !call->out_of_memory;
        return 0;
    }
    return len;
}

static size_t curl_on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct http_call *call = ctx;
    struct buf *body = &call->response.body;
    size_t len = size * count;
    struct budget *budget = call->client->budget;
    if (budget != NULL && !budget_take(budget, BUDGET_UPSTREAM, &call->counted, body->len + len)) {
        call->crowded = true;
        return 0;
    }
    buf_append(body, bytes, len);
    if (!buf_ok(body)) {
        call->out_of_memory = body->no_memory;
        call->too_large = !call->out_of_memory;
        return 0;
    }
    return len;
}

/* Runs before each sending; a second time means that libcurl sends again by itself. */
static int on_leaving(void *ctx, char *peer, char *local, int peer_port, int local_port)
{
    struct http_call *call = ctx;
    (void)peer;
    (void)local;
    (void)peer_port;
    (void)local_port;
    if (call->left) {
        return CURL_PREREQFUNC_ABORT;
    }
    call->left = true;
    return CURL_PREREQFUNC_OK;
}

struct failure_entry {
    CURLcode code;
    enum http_failure failure;
};

/* A failure that is not listed is BROKEN: the careful reading, because the server may have acted.
 */
static const struct failure_entry failures[] = {
    {CURLE_OK, HTTP_FAILURE_NONE},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_FAILURE_RESOLVE},
    {CURLE_COULDNT_RESOLVE_PROXY, HTTP_FAILURE_RESOLVE},
    {CURLE_COULDNT_CONNECT, HTTP_FAILURE_REFUSED},
    {CURLE_INTERFACE_FAILED, HTTP_FAILURE_REFUSED},
    {CURLE_SSL_CONNECT_ERROR, HTTP_FAILURE_TLS},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_FAILURE_TLS},
    {CURLE_SSL_CERTPROBLEM, HTTP_FAILURE_TLS},
    {CURLE_SSL_CIPHER, HTTP_FAILURE_TLS},
    {CURLE_SSL_CACERT_BADFILE, HTTP_FAILURE_TLS},
    {CURLE_SSL_ENGINE_INITFAILED, HTTP_FAILURE_TLS},
    {CURLE_USE_SSL_FAILED, HTTP_FAILURE_TLS},
    {CURLE_OPERATION_TIMEDOUT, HTTP_FAILURE_TIMEOUT},
    {CURLE_FILESIZE_EXCEEDED, HTTP_FAILURE_TOO_LARGE},
    {CURLE_OUT_OF_MEMORY, HTTP_FAILURE_LOCAL},
    {CURLE_FAILED_INIT, HTTP_FAILURE_LOCAL},
    {CURLE_NOT_BUILT_IN, HTTP_FAILURE_LOCAL},
    {CURLE_URL_MALFORMAT, HTTP_FAILURE_LOCAL},
};

/* When a kept connection dies after the request has gone out on it, libcurl connects anew by
 * itself; should that fail, it reports how, though the server may have acted on what left before.
 */
static bool failure_means_unsent(enum http_failure failure)
{
    return failure == HTTP_FAILURE_REFUSED || failure == HTTP_FAILURE_RESOLVE ||
           failure == HTTP_FAILURE_TLS;
}

static enum http_failure failure_of(const struct http_call *call, CURLcode code)
{
    if (call->too_large) {
        return HTTP_FAILURE_TOO_LARGE;
    }
    if (call->crowded) {
        return HTTP_FAILURE_CROWDED;
    }
    if (call->out_of_memory) {
        return HTTP_FAILURE_LOCAL;
    }
    enum http_failure failure = HTTP_FAILURE_BROKEN;
    for (size_t i = 0; i < ARRAY_COUNT(failures); i++) {
        if (failures[i].code == code) {
            failure = failures[i].failure;
            break;
        }
    }
    if (failure == HTTP_FAILURE_RESOLVE && call->host_is_loopback) {
        return HTTP_FAILURE_LOCAL; /* nothing was to be looked up: libcurl had no memory */
    }
    return call->left && failure_means_unsent(failure) ? HTTP_FAILURE_BROKEN : failure;
}

/* Says what did not come. */
static void timeout_message_write(const struct http_call *call, char *out, size_t size)
{
    const struct http_client *client = call->client;
    double limit_s = (double)call->timeout_ms / 1000;
    curl_off_t total_us = 0;
    client->curl.easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &total_us);
    /* libcurl does not tell which of the two it was, and its clock may be a little early. */
    bool was_silent = client->silence_s > 0 && (double)client->silence_s < limit_s &&
                      (double)total_us < limit_s * 1e6 - timer_slack_us;
    if (!call->left) {
        double connect_s = (double)client->connect_timeout_ms / 1000;
        snprintf(out, size, "no connection came about within %g s",
                 connect_s < limit_s ? connect_s : limit_s);
    } else if (!call->answering) {
        snprintf(out, size, "no answer began within %g s",
                 was_silent ? (double)client->silence_s : limit_s);
    } else if (was_silent) {
        snprintf(out, size, "the answer stopped: nothing more came for %lld s",
                 (long long)client->silence_s);
    } else {
        snprintf(out, size, "the answer did not end within %g s (%zu bytes came)", limit_s,
                 call->response.body.len);
    }
}

static void message_write(const struct http_call *call, CURLcode code, char *out, size_t size)
{
    const char *text = call->error_text;
    if (code == CURLE_OPERATION_TIMEDOUT) {
        timeout_message_write(call, out, size);
        return;
    }
    if (call->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        snprintf(out, size, "the answer does not end within the %zu bytes that are taken",
                 call->response.body.max);
        return;
    }
    if (call->crowded) {
        text = "the answers of all calls take too much memory";
    } else if (call->out_of_memory) {
        text = "no memory for the answer";
    } else if (code == CURLE_COULDNT_RESOLVE_HOST && call->host_is_loopback) {
        text = "no memory to connect";
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        text = "the connection was closed before an answer came";
    } else if (text[0] == '\0') {
        text = call->client->curl.easy_strerror(code);
    }
    size_t len = strlen(text);
    len = len < size ? len : size - 1;
    memcpy(out, text, len);
    out[len] = '\0';
}

void http_call_finish(struct http_call *call, CURLcode code)
{
    struct http_client *client = call->client;
    struct http_response *response = &call->response;
    response->total_us = client->env->monotonic_us(client->env) - call->sent_us;
    response->failure = failure_of(call, code);
    response->status = 0;
    response->message[0] = '\0';
    if (response->failure == HTTP_FAILURE_NONE) {
        long status = 0;
        client->curl.easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        response->status = (int)status;
    } else {
        message_write(call, code, response->message, sizeof(response->message));
    }
}

void http_call_set_up(struct http_call *call)
{
    struct http_client *client = call->client;
    const struct curl_library *curl = &client->curl;
    CURL *easy = call->easy;
    curl->easy_setopt(easy, CURLOPT_PRIVATE, (void *)call);
    curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, call->error_text);
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl->easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl->easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl->easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)client->connect_timeout_ms);
    curl->easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)client->response_bytes_max);
    if (client->silence_s > 0) {
        curl->easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl->easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)client->silence_s);
    }
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name that is still being looked up does not hold up the end of the program. */
    curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    if (client->read_bytes > 0) {
        curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)client->read_bytes);
    }
    curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl->easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, curl_on_body);
    curl->easy_setopt(easy, CURLOPT_WRITEDATA, call);
    curl->easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_leaving);
    curl->easy_setopt(easy, CURLOPT_PREREQDATA, call);
}
