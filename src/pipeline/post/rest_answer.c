/* Reading produce answers and judging attempts. The REST proxy answers 200 even when the record was
 * refused (specs: section 2.2), so the record's own error_code decides, then the status.
 *
 * What is worth another try: nothing listens, a broken or timed out exchange, 429, 5xx, and the
 * record codes that stand for Kafka's RetriableException (50003). Not 50002 (any other Kafka error)
 * nor 40301 and 40101 (permissions): they come back the same.
 *
 * What no other post will overcome: a stage, a key or credentials that are refused, no permission,
 * no such topic. The proxy calls the last one retriable, but only waits for somebody to make it.
 *
 * What may have been kept: whenever the request left and no definite answer came. A 50003 is such a
 * case too (a batch that expired may have been written), unless its words say that the topic's
 * metadata never came, which happens before anything is sent. */
#include "rest_answer.h"

#include "json_text.h"
#include "printable.h"

#include <stdio.h>
#include <string.h>

enum {
    answer_text_bytes_max = 64 * 1024,
    shown_text_bytes_max = 200,
    code_kafka_error = 50002,
    code_kafka_retriable = 50003,
    code_not_authenticated = 40101,
    code_not_authorized = 40301,
};

void rest_answer_init(struct rest_answer *answer)
{
    *answer = (struct rest_answer){0};
    buf_init(&answer->text, answer_text_bytes_max);
}

void rest_answer_release(struct rest_answer *answer)
{
    buf_release(&answer->text);
}

/* --- reading ------------------------------------------------------------------------------- */

static bool key_is(struct span key_raw, const char *name)
{
    return key_raw.len >= 2 && span_equal_cstr(span_from(key_raw.ptr + 1, key_raw.len - 2), name);
}

static void answer_take_text(struct rest_answer *answer, struct span raw)
{
    if (raw.len >= 2 && raw.ptr[0] == '"') {
        buf_reset(&answer->text);
        json_string_decode(raw, &answer->text);
    }
}

/* An entry of "offsets"; the servers that imitate the proxy say "message" for "error". */
static bool read_entry(struct json_cursor *c, struct rest_answer *answer)
{
    struct json_error err;
    struct span key;
    struct span raw;
    bool first = true;
    bool has_partition = false;
    bool has_offset = false;
    if (!json_enter(c, JSON_OBJECT, &err)) {
        return false;
    }
    while (json_next_member(c, &first, &key, &err)) {
        if (!json_skip(c, &raw, &err)) {
            return false;
        }
        if (key_is(key, "partition")) {
            has_partition = span_parse_i64(raw, &answer->partition);
        } else if (key_is(key, "offset")) {
            has_offset = span_parse_i64(raw, &answer->offset);
        } else if (key_is(key, "error_code")) {
            (void)span_parse_i64(raw, &answer->error_code);
        } else if (key_is(key, "error") || key_is(key, "message")) {
            answer_take_text(answer, raw);
        }
    }
    answer->has_place = has_partition && has_offset && answer->offset >= 0 &&
                        answer->partition >= 0 && answer->partition <= INT32_MAX;
    return err.message[0] == '\0';
}

static bool read_entries(struct json_cursor *c, struct rest_answer *answer)
{
    struct json_error err;
    struct span raw;
    bool first = true;
    size_t count = 0;
    if (!json_enter(c, JSON_ARRAY, &err)) {
        return false;
    }
    while (json_next_element(c, &first, &err)) {
        bool ok = count++ == 0 ? read_entry(c, answer) : json_skip(c, &raw, &err);
        if (!ok) {
            return false;
        }
    }
    return err.message[0] == '\0' && count == 1;
}

/* Reads a v2 produce answer ({"offsets":[{...}]}), an error ({"error_code":..,"message":..}) or a
 * gateway's {"message":..}; false when the body is none of them. */
static bool produce_answer_parse(struct rest_answer *answer, struct span body)
{
    struct json_cursor c = json_cursor_at(body);
    struct json_error err;
    struct span key;
    struct span raw;
    bool first = true;
    bool known = false;
    answer->has_place = false;
    answer->error_code = 0;
    buf_reset(&answer->text);
    if (!json_enter(&c, JSON_OBJECT, &err)) {
        return false;
    }
    while (json_next_member(&c, &first, &key, &err)) {
        if (key_is(key, "offsets")) {
            known = true;
            if (!read_entries(&c, answer)) {
                return false;
            }
            continue;
        }
        if (!json_skip(&c, &raw, &err)) {
            return false;
        }
        if (key_is(key, "error_code")) {
            known = span_parse_i64(raw, &answer->error_code) || known;
        } else if (key_is(key, "message") || key_is(key, "Message")) {
            known = true;
            answer_take_text(answer, raw);
        }
    }
    return known && err.message[0] == '\0' && json_at_end(&c);
}

/* --- judging ------------------------------------------------------------------------------- */

/* A reason is one line of printable text, cut at a character's end. */
static void reason_append(struct post_outcome *outcome, struct span text)
{
    size_t used = strlen(outcome->reason);
    size_t room = sizeof(outcome->reason) - 1 - used;
    size_t len = text.len < room ? text.len : room;
    len = len < shown_text_bytes_max ? len : (size_t)shown_text_bytes_max;
    while (len < text.len && len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        outcome->reason[used + i] = byte < ' ' || byte == 0x7f ? ' ' : (char)byte;
    }
    outcome->reason[used + len] = '\0';
}

static void reason_write(const struct http_response *response, const struct rest_answer *answer,
                         bool understood, struct post_outcome *outcome)
{
    struct span text = understood ? buf_span(&answer->text) : span_trim(buf_span(&response->body));
    struct span hint = http_response_header(response, "X-Pinpipe-Hint");
    if (answer->error_code != 0 && answer->error_code != response->status) {
        snprintf(outcome->reason, sizeof(outcome->reason), "HTTP %d, error_code %lld",
                 response->status, (long long)answer->error_code);
    } else {
        snprintf(outcome->reason, sizeof(outcome->reason), "HTTP %d", response->status);
    }
    if (!understood) {
        reason_append(outcome, SPAN_LIT(", not a REST proxy's answer"));
    }
    if (text.len > 0) {
        reason_append(outcome, SPAN_LIT(": "));
        reason_append(outcome, text);
    }
    if (hint.len > 0) {
        reason_append(outcome, SPAN_LIT(" (hint: "));
        reason_append(outcome, hint);
        reason_append(outcome, SPAN_LIT(")"));
    }
    /* The reason goes into the ledger and into JSON; a lone surrogate, which JSON lets a server
     * write, is no UTF-8. */
    printable_make(outcome->reason, sizeof(outcome->reason));
}

static bool record_code_is_retriable(int64_t code)
{
    return code == code_kafka_retriable || code == 429 ||
           (code != code_kafka_error && code >= 500 && code < 600);
}

static bool topic_is_missing(const struct rest_answer *answer)
{
    struct span text = buf_span(&answer->text);
    return span_starts_with(text, SPAN_LIT("Topic ")) &&
           strstr(text.ptr, " not present in metadata") != NULL;
}

static void judge_record(struct rest_answer *answer, struct post_outcome *outcome)
{
    int64_t code = answer->error_code;
    if (!record_code_is_retriable(code)) {
        outcome->result = POST_GIVE_UP;
        outcome->permanent = code == code_not_authenticated || code == code_not_authorized ||
                             code == 401 || code == 403 || code == 404;
        return;
    }
    if (topic_is_missing(answer)) {
        outcome->result = POST_GIVE_UP;
        outcome->permanent = true;
        return;
    }
    bool before_sending = strstr(buf_cstr(&answer->text), "not present in metadata") != NULL;
    outcome->result = POST_RETRY;
    outcome->maybe_kept = answer->error_code != 429 && !before_sending;
}

static void judge_status(int status, struct post_outcome *outcome)
{
    bool server_side = (status >= 500 && status <= 599 && status != 501) || status == 408;
    outcome->result = server_side || status == 429 ? POST_RETRY : POST_GIVE_UP;
    outcome->maybe_kept = server_side;
    outcome->permanent = status == 401 || status == 403 || status == 404;
}

static void judge_failure(const struct http_response *response, struct post_outcome *outcome)
{
    switch (response->failure) {
    case HTTP_FAILURE_NONE:
        BUG("no failure to judge");
    case HTTP_FAILURE_RESOLVE:
    case HTTP_FAILURE_REFUSED:
        outcome->result = POST_RETRY;
        outcome->unreachable = true;
        break;
    case HTTP_FAILURE_TLS:
        outcome->result = POST_GIVE_UP;
        outcome->unreachable = true;
        break;
    case HTTP_FAILURE_TIMEOUT:
        outcome->result = POST_RETRY;
        outcome->unreachable = true;
        outcome->maybe_kept = true;
        break;
    case HTTP_FAILURE_BROKEN:
        outcome->result = POST_RETRY;
        outcome->maybe_kept = true;
        break;
    case HTTP_FAILURE_TOO_LARGE:
    case HTTP_FAILURE_CROWDED:
    case HTTP_FAILURE_LOCAL:
        outcome->result = POST_GIVE_UP;
        outcome->maybe_kept = true;
        break;
    }
    reason_append(outcome, span_from_cstr(response->message));
}

static int64_t retry_after_us(const struct http_response *response)
{
    int64_t seconds = 0;
    struct span text = http_response_header(response, "Retry-After");
    /* The form with a date is left to our own back-off. */
    return span_parse_i64(text, &seconds) && seconds > 0 && seconds < 3600 ? seconds * 1000000 : 0;
}

void rest_answer_judge(const struct http_response *response, struct rest_answer *answer,
                       struct post_outcome *outcome)
{
    *outcome = (struct post_outcome){.http_status = response->status};
    if (response->failure != HTTP_FAILURE_NONE) {
        judge_failure(response, outcome);
        return;
    }
    bool understood = produce_answer_parse(answer, buf_span(&response->body));
    if (PP_LIKELY(response->status == 200 && understood && answer->has_place &&
                  answer->error_code == 0)) {
        outcome->result = POST_ACKED;
        outcome->partition = (int32_t)answer->partition;
        outcome->offset = answer->offset;
        return;
    }
    outcome->error_code = answer->error_code;
    outcome->wish_us = retry_after_us(response);
    if (response->status == 200 && understood && answer->error_code != 0) {
        judge_record(answer, outcome);
    } else if (response->status >= 200 && response->status <= 299) {
        /* Some server took it, but not as the REST proxy does. */
        outcome->result = POST_GIVE_UP;
        outcome->maybe_kept = true;
        understood = false;
    } else {
        judge_status(response->status, outcome);
        understood = understood || response->status >= 400;
        if (buf_span(&answer->text).len == 0) {
            buf_append_span(&answer->text, span_trim(buf_span(&response->body)));
        }
    }
    reason_write(response, answer, understood, outcome);
}
