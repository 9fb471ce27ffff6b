/* Every call here is: write the path, write the body, send, judge the status, read what is needed
 * from the answer. Throttled calls (429) and a server that is just not ready (503) are tried again
 * a few times; everything else is the caller's to judge. Records answers are never repeated here:
 * GET .../records moves the position, so whoever repeats it must seek first. */
#include "rest_client.h"

#include "civil.h"
#include "json.h"
#include "json_write.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    answer_bytes_default = 64 << 20,
    read_bytes = 256 << 10, /* pages are megabytes */
    request_bytes_max = 1 << 20,
    headers_max = 4,
    api_key_bytes_max = 512,
    tries_max = 6,
    first_pause_us = 50000,
    wait_slice_ms = 100,
    fetch_grace_ms = 29000, /* a gateway's own time limit, beyond the poll's */
    cleaning_ms = 1000,
};

#define ACCEPT_V2     "Accept: application/vnd.kafka.v2+json"
#define ACCEPT_JSON   "Accept: application/vnd.kafka.json.v2+json"
#define ACCEPT_BINARY "Accept: application/vnd.kafka.binary.v2+json"
#define ACCEPT_V3     "Accept: application/json"
#define CONTENT_TYPE  "Content-Type: application/vnd.kafka.v2+json"

enum fetch_state { FETCH_IDLE, FETCH_FLYING, FETCH_DONE };

struct rest_client {
    struct rest_client_options options;
    struct http_client *http;
    struct http_response answer;
    struct buf url;
    struct buf body;
    struct http_call *records_call;
    enum fetch_state fetch_state;
    struct buf fetched;
    struct buf fetch_url;
    struct error fetch_error;
    char api_key_header[api_key_bytes_max];
};

/* --- judging an answer ----------------------------------------------------------------------- */

static enum status rest_failure_report(const struct http_response *answer, const char *method,
                                       const char *url, struct error *err)
{
    switch (answer->failure) {
    case HTTP_FAILURE_REFUSED:
        return error_set(err, STATUS_UNREACHABLE,
                         "%s %s: nothing listens there (%s); start it with `pinpipe serve`, or set "
                         "invoke_URL to a running gateway",
                         method, url, answer->message);
    case HTTP_FAILURE_NONE:
    case HTTP_FAILURE_RESOLVE:
    case HTTP_FAILURE_TLS:
    case HTTP_FAILURE_TIMEOUT:
    case HTTP_FAILURE_BROKEN:
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_CROWDED:
    case HTTP_FAILURE_LOCAL:
        break;
    }
    return error_set(err, http_failure_status(answer->failure), "%s %s: %s", method, url,
                     answer->message);
}

static enum status rest_status_of(int status)
{
    switch (status) {
    case 403:
        return STATUS_CONFIG;
    case 404:
        return STATUS_NOT_FOUND;
    case 408:
        return STATUS_INVALID;
    case 429:
    case 503:
        return STATUS_BUSY;
    case 504:
        return STATUS_UNREACHABLE;
    default:
        return STATUS_FAILED;
    }
}

/* The server's words: "message" of an error body, else the start of the body as it is. */
static void server_words(const struct http_response *answer, char *out, size_t out_bytes)
{
    struct json_doc *doc = NULL;
    const char *message = NULL;
    int64_t code = 0;
    if (json_doc_parse(buf_span(&answer->body), &doc, NULL) == STATUS_OK) {
        const struct json_node *root = json_doc_root(doc);
        if (json_node_string(json_node_get(root, "message"), &message)) {
            if (json_node_i64(json_node_get(root, "error_code"), &code)) {
                snprintf(out, out_bytes, "%lld %s", (long long)code, message);
            } else {
                snprintf(out, out_bytes, "%s", message);
            }
        }
    }
    json_doc_free(doc);
    if (message == NULL) {
        struct span start = span_first(buf_span(&answer->body), 120);
        snprintf(out, out_bytes, "%.*s", SPAN_ARG(start));
    }
}

static enum status answer_judge(const struct http_response *answer, const char *method,
                                const char *url, struct error *err)
{
    if (answer->failure != HTTP_FAILURE_NONE) {
        return rest_failure_report(answer, method, url, err);
    }
    if (answer->status >= 200 && answer->status < 300) {
        return STATUS_OK;
    }
    char words[160];
    server_words(answer, words, sizeof(words));
    struct span hint = http_response_header(answer, "X-Pinpipe-Hint");
    enum status status = rest_status_of(answer->status);
    if (hint.len > 0) {
        return error_set(err, status, "%s %s answered %d (%s); %.*s", method, url, answer->status,
                         words, SPAN_ARG(hint));
    }
    return error_set(err, status, "%s %s answered %d (%s)", method, url, answer->status, words);
}

static bool should_try_again(const struct http_response *answer)
{
    return answer->failure == HTTP_FAILURE_NONE && (answer->status == 429 || answer->status == 503);
}

/* --- sending --------------------------------------------------------------------------------- */

static void url_start(struct rest_client *client)
{
    buf_reset(&client->url);
    buf_reset(&client->body);
    buf_append_cstr(&client->url, client->options.invoke_url);
}

static void rest_url_append(struct buf *url, const char *literal, const char *text)
{
    buf_append_cstr(url, literal);
    url_encode(span_from_cstr(text), false, url);
}

static void instance_url(struct rest_client *client, const struct rest_instance *instance,
                         const char *tail)
{
    url_start(client);
    rest_url_append(&client->url, "/consumers/", instance->group);
    rest_url_append(&client->url, "/instances/", instance->id);
    buf_append_cstr(&client->url, tail);
}

/* The real proxy answers 415 to a Content-Type that it does not expect even on a GET, so it goes
 * with a body only. */
static void fill_headers(const struct rest_client *client, const char *accept, bool has_body,
                         const char *headers[headers_max])
{
    size_t count = 0;
    headers[count++] = accept;
    if (has_body) {
        headers[count++] = CONTENT_TYPE;
    }
    if (client->api_key_header[0] != '\0') {
        headers[count++] = client->api_key_header;
    }
    headers[count] = NULL;
}

static bool rest_is_stopped(const struct rest_client *client)
{
    const struct rest_client_options *options = &client->options;
    return options->should_stop != NULL && options->should_stop(options->should_stop_ctx);
}

/* Sends what url and body hold; the answer stays in client->answer until the next send. */
static enum status send_request(struct rest_client *client, const char *method, const char *accept,
                                struct error *err)
{
    const char *headers[headers_max];
    fill_headers(client, accept, client->body.len > 0, headers);
    if (!buf_ok(&client->url) || !buf_ok(&client->body)) {
        return buf_error(buf_ok(&client->url) ? &client->body : &client->url, err, STATUS_LIMIT,
                         "%s request: longer than %d bytes", method, request_bytes_max);
    }
    struct http_call_request request = {
        .method = method,
        .url = buf_cstr(&client->url),
        .headers = headers,
        .body = buf_span(&client->body),
        .has_body = client->body.len > 0,
    };
    int64_t pause_us = first_pause_us;
    bool cleans_up = rest_is_stopped(client);
    if (cleans_up) {
        request.timeout_ms = cleaning_ms;
        http_client_stop_when(client->http, NULL, NULL);
    }
    for (int i = 1;; i++) {
        enum status status = http_client_request(client->http, &request, &client->answer, err);
        if (status != STATUS_OK) {
            return status;
        }
        if (i == tries_max || cleans_up || !should_try_again(&client->answer)) {
            return answer_judge(&client->answer, method, request.url, err);
        }
        client->options.env->sleep_us(client->options.env, pause_us);
        pause_us *= 2;
        if (rest_is_stopped(client)) {
            return error_set(err, STATUS_INTERRUPTED, "stopped");
        }
    }
}

static enum status rest_answer_parse(struct rest_client *client, const char *what,
                                     struct json_doc **doc, struct error *err)
{
    enum status status = json_doc_parse(buf_span(&client->answer.body), doc, err);
    if (status == STATUS_NO_MEMORY) {
        return error_prefix(err, "%s from %s", what, buf_cstr(&client->url));
    }
    if (status != STATUS_OK) {
        return error_set(err, STATUS_FAILED,
                         "%s: the answer of %s is not JSON; is invoke_URL a REST proxy's gateway?",
                         what, buf_cstr(&client->url));
    }
    return STATUS_OK;
}

static enum status odd_answer(struct rest_client *client, const char *what, struct error *err)
{
    return error_set(err, STATUS_FAILED, "%s: the answer of %s has another shape than the proxy's",
                     what, buf_cstr(&client->url));
}

/* --- topics ---------------------------------------------------------------------------------- */

enum status rest_topic_partitions(struct rest_client *client, const char *topic, int32_t *count,
                                  struct error *err)
{
    struct json_doc *doc = NULL;
    url_start(client);
    rest_url_append(&client->url, "/topics/", topic);
    buf_append_cstr(&client->url, "/partitions");
    enum status status = send_request(client, "GET", ACCEPT_V2, err);
    if (status == STATUS_OK) {
        status = rest_answer_parse(client, "partitions", &doc, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct json_node *root = json_doc_root(doc);
    if (json_node_is_array(root)) {
        *count = (int32_t)json_node_count(root);
    } else {
        status = odd_answer(client, "partitions", err);
    }
    json_doc_free(doc);
    return status;
}

enum status rest_partition_offsets(struct rest_client *client, const char *topic, int32_t partition,
                                   int64_t *begin, int64_t *end, struct error *err)
{
    struct json_doc *doc = NULL;
    url_start(client);
    rest_url_append(&client->url, "/topics/", topic);
    buf_printf(&client->url, "/partitions/%d/offsets", (int)partition);
    enum status status = send_request(client, "GET", ACCEPT_V2, err);
    if (status == STATUS_OK) {
        status = rest_answer_parse(client, "offsets", &doc, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct json_node *root = json_doc_root(doc);
    int64_t first = 0;
    int64_t next = 0;
    if (json_node_i64(json_node_get(root, "beginning_offset"), &first) &&
        json_node_i64(json_node_get(root, "end_offset"), &next)) {
        *begin = first;
        *end = next;
    } else {
        status = odd_answer(client, "offsets", err);
    }
    json_doc_free(doc);
    return status;
}

enum status rest_cluster_id(struct rest_client *client, char *out, size_t out_bytes,
                            struct error *err)
{
    struct json_doc *doc = NULL;
    url_start(client);
    buf_append_cstr(&client->url, "/v3/clusters");
    enum status status = send_request(client, "GET", ACCEPT_V3, err);
    if (status == STATUS_OK) {
        status = rest_answer_parse(client, "cluster id", &doc, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct json_node *data = json_node_get(json_doc_root(doc), "data");
    const struct json_node *cluster = json_node_count(data) > 0 ? json_node_at(data, 0) : NULL;
    const char *id = NULL;
    if (json_node_string(json_node_get(cluster, "cluster_id"), &id) && strlen(id) < out_bytes) {
        snprintf(out, out_bytes, "%s", id);
    } else {
        status = odd_answer(client, "cluster id", err);
    }
    json_doc_free(doc);
    return status;
}

/* --- instances ------------------------------------------------------------------------------- */

static void write_create_body(struct buf *body, const struct rest_instance_options *options)
{
    char fetch_min_bytes[16];
    snprintf(fetch_min_bytes, sizeof(fetch_min_bytes), "%d", options->fetch_min_bytes);
    struct json_writer w = json_writer_to(body);
    json_write_object(&w);
    json_member_cstr(&w, "format", options->format);
    json_member_cstr(&w, "auto.offset.reset", options->auto_offset_reset);
    json_member_cstr(&w, "auto.commit.enable", options->auto_commit ? "true" : "false");
    json_member_cstr(&w, "fetch.min.bytes", fetch_min_bytes);
    json_write_end(&w);
}

enum status rest_instance_create(struct rest_client *client,
                                 const struct rest_instance_options *options,
                                 struct rest_instance *out, struct error *err)
{
    struct json_doc *doc = NULL;
    if (strlen(options->group) >= sizeof(out->group)) {
        return error_set(err, STATUS_USAGE, "the group name is longer than %d bytes",
                         REST_GROUP_BYTES - 1);
    }
    url_start(client);
    rest_url_append(&client->url, "/consumers/", options->group);
    write_create_body(&client->body, options);
    enum status status = send_request(client, "POST", ACCEPT_V2, err);
    if (status == STATUS_OK) {
        status = rest_answer_parse(client, "consumer instance", &doc, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const char *id = NULL;
    const char *base_uri = "";
    const struct json_node *root = json_doc_root(doc);
    json_node_string(json_node_get(root, "base_uri"), &base_uri);
    if (json_node_string(json_node_get(root, "instance_id"), &id) && strlen(id) < sizeof(out->id)) {
        *out = (struct rest_instance){0};
        snprintf(out->group, sizeof(out->group), "%s", options->group);
        snprintf(out->id, sizeof(out->id), "%s", id);
        snprintf(out->base_uri, sizeof(out->base_uri), "%s", base_uri);
    } else {
        status = odd_answer(client, "consumer instance", err);
    }
    json_doc_free(doc);
    return status;
}

enum status rest_instance_delete(struct rest_client *client, const struct rest_instance *instance,
                                 struct error *err)
{
    instance_url(client, instance, "");
    return send_request(client, "DELETE", ACCEPT_V2, err);
}

/* Opens the object of a place; the caller may add to it, and ends it. */
static void write_topic_partition(struct json_writer *w, const char *topic, int32_t partition)
{
    json_write_object(w);
    json_member_cstr(w, "topic", topic);
    json_member_i64(w, "partition", partition);
}

enum status rest_instance_subscribe(struct rest_client *client,
                                    const struct rest_instance *instance, const char *topic,
                                    struct error *err)
{
    instance_url(client, instance, "/subscription");
    struct json_writer w = json_writer_to(&client->body);
    json_write_object(&w);
    json_member_array(&w, "topics");
    json_write_cstr(&w, topic);
    json_write_end(&w);
    json_write_end(&w);
    return send_request(client, "POST", ACCEPT_V2, err);
}

enum status rest_instance_assign(struct rest_client *client, const struct rest_instance *instance,
                                 const char *topic, int32_t partition, struct error *err)
{
    instance_url(client, instance, "/assignments");
    struct json_writer w = json_writer_to(&client->body);
    json_write_object(&w);
    json_member_array(&w, "partitions");
    write_topic_partition(&w, topic, partition);
    json_write_end(&w);
    json_write_end(&w);
    json_write_end(&w);
    return send_request(client, "POST", ACCEPT_V2, err);
}

static void write_places(struct buf *body, const struct rest_place *places, size_t count)
{
    struct json_writer w = json_writer_to(body);
    json_write_object(&w);
    json_member_array(&w, "offsets");
    for (size_t i = 0; i < count; i++) {
        write_topic_partition(&w, places[i].topic, places[i].partition);
        json_member_i64(&w, "offset", places[i].offset);
        json_write_end(&w);
    }
    json_write_end(&w);
    json_write_end(&w);
}

enum status rest_instance_seek(struct rest_client *client, const struct rest_instance *instance,
                               struct rest_place place, struct error *err)
{
    instance_url(client, instance, "/positions");
    write_places(&client->body, &place, 1);
    return send_request(client, "POST", ACCEPT_V2, err);
}

/* "2021-02-05T19:14:42.000Z" */
static void write_instant(struct json_writer *w, const char *name, int64_t time_ms)
{
    int64_t days = civil_floor_div(time_ms, CIVIL_DAY_MS);
    int64_t rest = time_ms - days * CIVIL_DAY_MS;
    int64_t year;
    unsigned month;
    unsigned day;
    civil_date(days, &year, &month, &day);
    json_write_name(w, name);
    buf_printf(json_write_value(w), "\"%04lld-%02u-%02uT%02d:%02d:%02d.%03dZ\"", (long long)year,
               month, day, (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
               (int)(rest % 1000));
}

enum status rest_instance_seek_time(struct rest_client *client,
                                    const struct rest_instance *instance, const char *topic,
                                    int32_t partition, int64_t time_ms, struct error *err)
{
    instance_url(client, instance, "/positions");
    struct json_writer w = json_writer_to(&client->body);
    json_write_object(&w);
    json_member_array(&w, "offsets");
    json_write_end(&w);
    json_member_array(&w, "timestamps");
    write_topic_partition(&w, topic, partition);
    write_instant(&w, "timestamp", time_ms);
    json_write_end(&w);
    json_write_end(&w);
    json_write_end(&w);
    return send_request(client, "POST", ACCEPT_V2, err);
}

enum status rest_instance_seek_to_beginning(struct rest_client *client,
                                            const struct rest_instance *instance, struct error *err)
{
    instance_url(client, instance, "/positions/beginning");
    BUF_APPEND_LIT(&client->body, "{\"partitions\":[]}");
    return send_request(client, "POST", ACCEPT_V2, err);
}

enum status rest_instance_assigned(struct rest_client *client, const struct rest_instance *instance,
                                   size_t *partitions, struct error *err)
{
    struct json_doc *doc = NULL;
    instance_url(client, instance, "/assignments");
    enum status status = send_request(client, "GET", ACCEPT_V2, err);
    if (status == STATUS_OK) {
        status = rest_answer_parse(client, "assignments", &doc, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    const struct json_node *list = json_node_get(json_doc_root(doc), "partitions");
    if (json_node_is_array(list)) {
        *partitions = json_node_count(list);
    } else {
        status = odd_answer(client, "assignments", err);
    }
    json_doc_free(doc);
    return status;
}

enum status rest_instance_commit(struct rest_client *client, const struct rest_instance *instance,
                                 const struct rest_place *places, size_t count, struct error *err)
{
    instance_url(client, instance, "/offsets");
    write_places(&client->body, places, count);
    return send_request(client, "POST", ACCEPT_V2, err);
}

/* --- records --------------------------------------------------------------------------------- */

static void records_done(void *ctx, struct http_call *call, const struct http_response *response)
{
    struct rest_client *client = ctx;
    (void)call;
    client->fetch_state = FETCH_DONE;
    client->fetch_error = ERROR_NONE;
    answer_judge(response, "GET", buf_cstr(&client->fetch_url), &client->fetch_error);
    if (client->fetch_error.code == STATUS_OK) {
        buf_append_span(&client->fetched, buf_span(&response->body));
        if (!buf_ok(&client->fetched)) {
            buf_error(&client->fetched, &client->fetch_error, STATUS_ENDLESS,
                      "the page of records is too large");
        }
    }
}

enum status rest_records_start(struct rest_client *client, const struct rest_instance *instance,
                               struct rest_fetch fetch, struct error *err)
{
    PP_ASSERT(client->fetch_state == FETCH_IDLE);
    instance_url(client, instance, "/records");
    buf_printf(&client->url, "?timeout=%lld&max_bytes=%lld", (long long)fetch.timeout_ms,
               (long long)fetch.max_bytes);
    buf_reset(&client->fetch_url);
    buf_append_span(&client->fetch_url, buf_span(&client->url));
    buf_reset(&client->fetched);
    if (!buf_ok(&client->fetch_url)) {
        return buf_error(&client->fetch_url, err, STATUS_LIMIT, "the URL is longer than %d bytes",
                         request_bytes_max);
    }
    const char *headers[headers_max];
    fill_headers(client, fetch.binary ? ACCEPT_BINARY : ACCEPT_JSON, false, headers);
    struct http_call_request request = {
        .method = "GET",
        .url = buf_cstr(&client->fetch_url),
        .headers = headers,
        .timeout_ms =
            fetch.timeout_ms +
            (client->options.timeout_ms > 0 ? client->options.timeout_ms : fetch_grace_ms),
    };
    enum status status = http_call_send(client->records_call, &request, err);
    if (status == STATUS_OK) {
        client->fetch_state = FETCH_FLYING;
    }
    return status;
}

void rest_records_poll(struct rest_client *client)
{
    struct error ignored; /* the same failure comes again when somebody waits */
    if (client->fetch_state == FETCH_FLYING &&
        http_client_run(client->http, 0, &ignored) != STATUS_OK) {
        return;
    }
}

enum status rest_records_wait(struct rest_client *client, struct buf *page, struct error *err)
{
    PP_ASSERT(client->fetch_state != FETCH_IDLE);
    while (client->fetch_state == FETCH_FLYING) {
        enum status status = http_client_run(client->http, wait_slice_ms, err);
        if (status != STATUS_OK) {
            rest_records_cancel(client);
            return status;
        }
        if (rest_is_stopped(client)) {
            rest_records_cancel(client);
            return error_set(err, STATUS_INTERRUPTED, "stopped");
        }
    }
    if (client->fetch_state == FETCH_IDLE) {
        return error_set(err, STATUS_FAILED, "the request was cancelled");
    }
    client->fetch_state = FETCH_IDLE;
    if (client->fetch_error.code != STATUS_OK) {
        *err = client->fetch_error;
        return err->code;
    }
    struct buf empty = *page;
    *page = client->fetched;
    client->fetched = empty;
    client->fetched.max = page->max;
    return STATUS_OK;
}

void rest_records_cancel(struct rest_client *client)
{
    if (client->fetch_state == FETCH_FLYING) {
        http_call_cancel(client->records_call);
    }
    client->fetch_state = FETCH_IDLE;
}

/* --- life ------------------------------------------------------------------------------------ */

enum status rest_client_new(const struct rest_client_options *options, struct rest_client **out,
                            struct error *err)
{
    struct rest_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the REST client");
    }
    size_t answer_max =
        options->answer_bytes_max > 0 ? options->answer_bytes_max : answer_bytes_default;
    client->options = *options;
    if (options->api_key != NULL) {
        snprintf(client->api_key_header, sizeof(client->api_key_header), "x-api-key: %s",
                 options->api_key);
    }
    http_response_init(&client->answer, answer_max);
    buf_init(&client->url, request_bytes_max);
    buf_init(&client->body, request_bytes_max);
    buf_init(&client->fetch_url, request_bytes_max);
    buf_init(&client->fetched, answer_max);
    struct http_client_options http = {.connections_max = 2,
                                       .response_bytes_max = answer_max,
                                       .timeout_ms = options->timeout_ms,
                                       .read_bytes = read_bytes};
    enum status status = http_client_new(options->env, &http, &client->http, err);
    if (status == STATUS_OK) {
        http_client_stop_when(client->http, options->should_stop, options->should_stop_ctx);
        status = http_call_new(client->http, records_done, client, &client->records_call);
        if (status != STATUS_OK) {
            error_set(err, status, "no memory for the REST client");
        }
    }
    if (status != STATUS_OK) {
        rest_client_free(client);
        return status;
    }
    *out = client;
    return STATUS_OK;
}

void rest_client_free(struct rest_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->records_call != NULL) {
        rest_records_cancel(client);
        http_call_free(client->records_call);
    }
    if (client->http != NULL) {
        http_client_free(client->http);
    }
    http_response_release(&client->answer);
    buf_release(&client->url);
    buf_release(&client->body);
    buf_release(&client->fetch_url);
    buf_release(&client->fetched);
    free(client);
}
