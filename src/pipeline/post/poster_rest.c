/* The poster over the Kafka REST Proxy, through the gateway, as the workshop's script posts: one
 * record a request, Content-Type application/vnd.kafka.json.v2+json, the row under "value". One
 * reusable call a slot, so the connections stay open. Nothing is sent twice from here; what became
 * of an attempt is judged in rest_answer.c. */
#include "http_client.h"
#include "json.h"
#include "poster.h"
#include "rest_answer.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    request_timeout_ms = 35 * 1000,
    answer_bytes_max = 256 * 1024,
    body_kept_bytes = 64 * 1024,
    header_bytes_max = 1024,
};

static const char content_type[] = "Content-Type: application/vnd.kafka.json.v2+json";

#define BODY_BEFORE "{\"records\":[{\"value\":"
#define BODY_AFTER  "}]}"

struct rest_slot {
    struct rest_poster *owner;
    struct http_call *call;
    struct buf body;
};

struct rest_poster {
    struct poster base;
    const struct endpoints *endpoints;
    struct http_client *client;
    char *topics[TABLE_COUNT];
    char *urls[TABLE_COUNT];
    char api_key_header[header_bytes_max];
    const char *post_headers[3];
    const char *get_headers[2];
    struct rest_answer answer; /* of the call that just ended */
    size_t slot_count;
    struct rest_slot *slots;
};

static struct rest_poster *poster_of(struct poster *base)
{
    return PP_CONTAINER_OF(base, struct rest_poster, base);
}

static int64_t rest_timeout_ms(const struct rest_poster *poster)
{
    return poster->endpoints->timeout_ms > 0 ? poster->endpoints->timeout_ms : request_timeout_ms;
}

static const char *rest_target(const struct poster *base, enum table_id table)
{
    return PP_CONTAINER_OF(base, const struct rest_poster, base)->topics[table];
}

/* --- posting ------------------------------------------------------------------------------- */

static void poster_on_done(void *ctx, struct http_call *call, const struct http_response *response)
{
    struct rest_slot *slot = ctx;
    struct rest_poster *poster = slot->owner;
    struct post_outcome outcome;
    (void)call;
    rest_answer_judge(response, &poster->answer, &outcome);
    poster->base.done(poster->base.ctx, (size_t)(slot - poster->slots), &outcome);
}

static enum status rest_send(struct poster *base, size_t slot_index, enum table_id table,
                             struct span value, struct error *err)
{
    struct rest_poster *poster = poster_of(base);
    struct rest_slot *slot = &poster->slots[slot_index];
    buf_trim(&slot->body, body_kept_bytes);
    BUF_APPEND_LIT(&slot->body, BODY_BEFORE);
    buf_append_span(&slot->body, value);
    BUF_APPEND_LIT(&slot->body, BODY_AFTER);
    if (!buf_ok(&slot->body)) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a post of %zu bytes", value.len);
    }
    const struct http_call_request request = {
        .method = "POST",
        .url = poster->urls[table],
        .headers = poster->post_headers,
        .body = buf_span(&slot->body),
        .has_body = true,
        .timeout_ms = rest_timeout_ms(poster),
    };
    return http_call_send(slot->call, &request, err);
}

static enum status rest_run(struct poster *base, int timeout_ms, struct error *err)
{
    return http_client_run(poster_of(base)->client, timeout_ms, err);
}

static void rest_cancel(struct poster *base, size_t slot)
{
    http_call_cancel(poster_of(base)->slots[slot].call);
}

/* --- which cluster ------------------------------------------------------------------------- */

/* NOT_FOUND: the body has none. */
static enum status cluster_id_from(struct span body, char out[POSTER_CLUSTER_ID_BYTES_MAX])
{
    struct json_doc *doc = NULL;
    const char *id = NULL;
    enum status status = json_doc_parse(body, &doc, NULL);
    if (status != STATUS_OK) {
        return status == STATUS_NO_MEMORY ? status : STATUS_NOT_FOUND;
    }
    const struct json_node *data = json_node_get(json_doc_root(doc), "data");
    bool found = json_node_is_array(data) && json_node_count(data) > 0 &&
                 json_node_string(json_node_get(json_node_at(data, 0), "cluster_id"), &id) &&
                 id[0] != '\0' && strlen(id) < POSTER_CLUSTER_ID_BYTES_MAX;
    if (found) {
        snprintf(out, POSTER_CLUSTER_ID_BYTES_MAX, "%s", id);
    }
    json_doc_free(doc);
    return found ? STATUS_OK : STATUS_NOT_FOUND;
}

static enum status say_unreachable(const char *url, const struct http_response *response,
                                   struct error *err)
{
    struct url parts;
    bool here = url_parse(span_from_cstr(url), &parts) &&
                (span_equal_cstr(parts.host, "localhost") || span_equal_cstr(parts.host, "::1") ||
                 span_starts_with(parts.host, SPAN_LIT("127.")));
    if (response->failure == HTTP_FAILURE_REFUSED && here) {
        return error_set(err, STATUS_UNREACHABLE,
                         "nothing listens at %s: start it with `pinpipe serve`, or set invoke_URL",
                         url);
    }
    if (response->failure == HTTP_FAILURE_TIMEOUT) {
        return error_set(err, STATUS_TIMED_OUT, "%s: %s", url, response->message);
    }
    return error_set(err, STATUS_UNREACHABLE, "cannot reach %s: %s; check invoke_URL", url,
                     response->message);
}

/* Asks GET <base>/v3/clusters. NOT_FOUND: the server answers, but not with a cluster id. */
static enum status ask_cluster_at(struct rest_poster *poster, const char *base_url,
                                  char out[POSTER_CLUSTER_ID_BYTES_MAX], struct error *err)
{
    struct http_response response;
    struct buf url;
    http_response_init(&response, answer_bytes_max);
    buf_init(&url, answer_bytes_max);
    buf_printf(&url, "%s/v3/clusters", base_url);
    if (!buf_ok(&url)) {
        http_response_release(&response);
        return buf_error(&url, err, STATUS_CONFIG, "%s: the URL is too long", base_url);
    }
    const struct http_call_request request = {
        .method = "GET",
        .url = buf_cstr(&url),
        .headers = poster->get_headers,
        .timeout_ms = rest_timeout_ms(poster),
    };
    http_client_stop_when(poster->client, poster->base.should_stop, poster->base.should_stop_ctx);
    enum status status = http_client_request(poster->client, &request, &response, err);
    struct post_outcome outcome = {.result = POST_GIVE_UP};
    if (status == STATUS_OK && response.status != 200) {
        rest_answer_judge(&response, &poster->answer, &outcome);
    }
    if (status != STATUS_OK) {
        /* as it is */
    } else if (outcome.unreachable) {
        status = say_unreachable(base_url, &response, err);
    } else if (response.failure == HTTP_FAILURE_TOO_LARGE) {
        status = error_set(err, STATUS_ENDLESS, "%s: %s", buf_cstr(&url), response.message);
    } else if (outcome.result == POST_RETRY) {
        status = error_set(err, STATUS_BUSY, "%s: %s", buf_cstr(&url), outcome.reason);
    } else {
        status = response.status == 200 ? cluster_id_from(buf_span(&response.body), out)
                                        : STATUS_NOT_FOUND;
        if (status == STATUS_NO_MEMORY) {
            (void)error_no_memory(err);
        } else if (status != STATUS_OK) {
            (void)error_set(err, status, "%s: %s", buf_cstr(&url),
                            outcome.reason[0] != '\0' ? outcome.reason : "no cluster id");
        }
    }
    buf_release(&url);
    http_response_release(&response);
    return status;
}

static enum status rest_identify(struct poster *base, char out[POSTER_CLUSTER_ID_BYTES_MAX],
                                 struct error *err)
{
    struct rest_poster *poster = poster_of(base);
    const char *rest_url = poster->endpoints->rest_url;
    out[0] = '\0';
    /* Through the gateway first: that is where the posts go, whatever rest_url names. */
    enum status status = ask_cluster_at(poster, poster->endpoints->invoke_url, out, err);
    if (status != STATUS_NOT_FOUND) {
        return status;
    }
    status = rest_url != NULL ? ask_cluster_at(poster, rest_url, out, err) : STATUS_OK;
    if (status != STATUS_OK) {
        out[0] = '\0';
    }
    return status == STATUS_NO_MEMORY ? status : STATUS_OK;
}

/* --- life ---------------------------------------------------------------------------------- */

static void rest_free(struct poster *base)
{
    struct rest_poster *poster = poster_of(base);
    for (size_t i = 0; i < poster->slot_count; i++) {
        http_call_free(poster->slots[i].call);
        buf_release(&poster->slots[i].body);
    }
    http_client_free(poster->client);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        free(poster->topics[t]);
        free(poster->urls[t]);
    }
    rest_answer_release(&poster->answer);
    free(poster->slots);
    free(poster);
}

static char *text_new(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(size);
    if (text != NULL) {
        snprintf(text, size, "%s%s%s", a, b, c);
    }
    return text;
}

static enum status names_set(struct rest_poster *poster, struct error *err)
{
    const struct endpoints *to = poster->endpoints;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        poster->topics[t] = text_new(to->user_id, ".", table_get((enum table_id)t)->topic_suffix);
        if (poster->topics[t] == NULL) {
            return error_set(err, STATUS_NO_MEMORY, "no memory for the poster");
        }
        poster->urls[t] = text_new(to->invoke_url, "/topics/", poster->topics[t]);
        if (poster->urls[t] == NULL) {
            return error_set(err, STATUS_NO_MEMORY, "no memory for the poster");
        }
    }
    poster->post_headers[0] = content_type;
    if (to->api_key != NULL) {
        int used = snprintf(poster->api_key_header, sizeof(poster->api_key_header), "x-api-key: %s",
                            to->api_key);
        if (used < 0 || (size_t)used >= sizeof(poster->api_key_header)) {
            return error_set(err, STATUS_CONFIG, "api_key is over %d bytes long", header_bytes_max);
        }
        poster->post_headers[1] = poster->api_key_header;
        poster->get_headers[0] = poster->api_key_header;
    }
    return STATUS_OK;
}

static enum status slots_set(struct rest_poster *poster, size_t count, struct error *err)
{
    poster->slots = calloc(count, sizeof(*poster->slots));
    if (poster->slots == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the poster");
    }
    for (; poster->slot_count < count; poster->slot_count++) {
        struct rest_slot *slot = &poster->slots[poster->slot_count];
        slot->owner = poster;
        buf_init(&slot->body, POSTER_VALUE_BYTES_MAX + sizeof(BODY_BEFORE BODY_AFTER));
        if (http_call_new(poster->client, poster_on_done, slot, &slot->call) != STATUS_OK) {
            return error_set(err, STATUS_NO_MEMORY, "no memory for the poster");
        }
    }
    return STATUS_OK;
}

static const struct poster_ops rest_ops = {
    .target = rest_target,
    .identify = rest_identify,
    .send = rest_send,
    .run = rest_run,
    .cancel = rest_cancel,
    .free = rest_free,
};

enum status poster_rest_new(const struct endpoints *endpoints, struct env *env, size_t slots,
                            struct poster **out, struct error *err)
{
    PP_ASSERT(slots >= 1 && slots <= POSTER_SLOTS_MAX);
    struct rest_poster *poster = calloc(1, sizeof(*poster));
    if (poster == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the poster");
    }
    poster->base.ops = &rest_ops;
    poster->endpoints = endpoints;
    rest_answer_init(&poster->answer);
    const struct http_client_options client_options = {
        .connections_max = slots,
        .response_bytes_max = answer_bytes_max,
    };
    enum status status = http_client_new(env, &client_options, &poster->client, err);
    if (status == STATUS_OK) {
        status = names_set(poster, err);
    }
    if (status == STATUS_OK) {
        status = slots_set(poster, slots, err);
    }
    if (status != STATUS_OK) {
        rest_free(&poster->base);
        return status;
    }
    *out = &poster->base;
    return STATUS_OK;
}
