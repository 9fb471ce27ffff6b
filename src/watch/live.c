/* The live view as a state machine of two states, fed by live_add and moved by live_tick:
 *
 *   lines    each request is a line or a repeat      -> summary, above LIVE_RATE_MAX in a second
 *   summary  one moving line, a hint that is new     -> lines, after a second below that
 *
 * Invariant: what was added since the latest tick is in `fresh`, and of it what may become a line
 * in `slots`; a tick empties both, unless the terminal is held up, and then they wait. Nothing
 * grows: what has no slot is told by a summary. */
#include "live.h"

#include "buf.h"
#include "hash.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    text_bytes_max = 16 + 32 + LIVE_PATH_BYTES_MAX + 128 + 1024,
    services_max = 8,
    seen_hints_max = 32,
    window_ticks_max = 16, /* ticks come 0.1 s apart or later, so that a second has no more */
    second_us = 1000000,
    status_classes = 6, /* 1xx to 5xx, and in front of them the others */
    summary_bytes_max = 512,
};

struct live_slot {
    struct watched_request request; /* its texts are in `text` */
    char text[text_bytes_max];
    size_t used;
};

struct live_tally {
    uint64_t requests;
    uint64_t hints;
    uint64_t statuses[status_classes];
    int64_t longest_us;
    size_t service_count;
    uint64_t of_service[services_max];
    char services[services_max][16];
};

struct live_window {
    int64_t at_us[window_ticks_max];
    uint64_t requests[window_ticks_max];
    size_t next;
};

struct live {
    struct env *env;
    struct live_screen screen;
    struct live_tally fresh;
    uint64_t since_tick; /* requests; also when the terminal is held up */
    struct live_window window;
    struct live_slot slots[LIVE_RATE_MAX];
    size_t slot_count;
    struct live_slot last; /* the line that a repeat repeats */
    bool has_last;
    uint64_t repeats;
    int64_t repeated_us; /* when the latest was received, and how long it took */
    int64_t repeated_latency_us;
    bool summing;
    struct live_tally sum;
    int64_t sum_start_us; /* monotonic */
    int64_t sum_latest_us;
    size_t sum_hints_shown;
    uint64_t seen_hints[seen_hints_max];
    size_t seen_next;
};

/* --- counting --- */

static void tally_service(struct live_tally *tally, struct span service, uint64_t count)
{
    size_t i = 0;
    service = span_first(service, sizeof(tally->services[0]) - 1);
    while (i < tally->service_count && !span_equal_cstr(service, tally->services[i])) {
        i++;
    }
    if (i == services_max) {
        return; /* it is in the sum */
    }
    if (i == tally->service_count) {
        memcpy(tally->services[i], service.ptr, service.len);
        tally->services[i][service.len] = '\0';
        tally->of_service[i] = 0;
        tally->service_count++;
    }
    tally->of_service[i] += count;
}

static void tally_add(struct live_tally *tally, const struct watched_request *request)
{
    int class = request->status / 100;
    tally->requests++;
    tally->hints += request->hint.len > 0 ? 1 : 0;
    tally->statuses[class > 0 && class < status_classes ? class : 0]++;
    if (request->latency_us > tally->longest_us) {
        tally->longest_us = request->latency_us;
    }
    tally_service(tally, request->service, 1);
}

static void tally_merge(struct live_tally *into, const struct live_tally *from)
{
    into->requests += from->requests;
    into->hints += from->hints;
    for (size_t i = 0; i < status_classes; i++) {
        into->statuses[i] += from->statuses[i];
    }
    if (from->longest_us > into->longest_us) {
        into->longest_us = from->longest_us;
    }
    for (size_t i = 0; i < from->service_count; i++) {
        tally_service(into, span_from_cstr(from->services[i]), from->of_service[i]);
    }
}

static void window_note(struct live_window *window, int64_t now_us, uint64_t requests)
{
    window->at_us[window->next] = now_us;
    window->requests[window->next] = requests;
    window->next = (window->next + 1) % window_ticks_max;
}

static uint64_t window_rate(const struct live_window *window, int64_t now_us)
{
    uint64_t rate = 0;
    for (size_t i = 0; i < window_ticks_max; i++) {
        rate += now_us - window->at_us[i] < second_us ? window->requests[i] : 0;
    }
    return rate;
}

/* --- requests kept --- */

static struct span slot_keep(struct live_slot *slot, struct span text, size_t max)
{
    struct span kept = span_first(text, max);
    char *at = slot->text + slot->used;
    PP_ASSERT(kept.len <= sizeof(slot->text) - slot->used);
    if (kept.len > 0) {
        memcpy(at, kept.ptr, kept.len);
    }
    slot->used += kept.len;
    return span_from(at, kept.len);
}

static void slot_fill(struct live_slot *slot, const struct watched_request *request)
{
    slot->used = 0;
    slot->request = (struct watched_request){
        .service = slot_keep(slot, request->service, 16),
        .method = slot_keep(slot, request->method, 32),
        .path = slot_keep(slot, request->path, LIVE_PATH_BYTES_MAX),
        .status = request->status,
        .error_code = slot_keep(slot, request->error_code, 128),
        .hint = slot_keep(slot, request->hint, 1024),
        .received_us = request->received_us,
        .latency_us = request->latency_us,
    };
}

static bool slot_repeats(const struct live_slot *slot, const struct live_slot *before)
{
    const struct watched_request *a = &slot->request;
    const struct watched_request *b = &before->request;
    return a->status == b->status && span_equal(a->path, b->path) &&
           span_equal(a->method, b->method) && span_equal(a->service, b->service) &&
           span_equal(a->error_code, b->error_code) && span_equal(a->hint, b->hint);
}

static bool hint_is_seen(const struct live *live, uint64_t hash)
{
    for (size_t i = 0; i < seen_hints_max; i++) {
        if (live->seen_hints[i] == hash) {
            return true;
        }
    }
    return false;
}

static uint64_t hint_hash(const struct watched_request *request)
{
    return hash64_bytes(hash64_bytes(HASH64_START, request->service), request->hint);
}

/* Notes the hint as shown; false: it was before. */
static bool hint_is_new(struct live *live, const struct watched_request *request)
{
    uint64_t hash = hint_hash(request);
    if (hint_is_seen(live, hash)) {
        return false;
    }
    live->seen_hints[live->seen_next] = hash;
    live->seen_next = (live->seen_next + 1) % seen_hints_max;
    return true;
}

/* Of what a summary counts only the first of a hint is a line. */
static bool is_worth_a_line(struct live *live, const struct watched_request *request)
{
    if (!live->summing) {
        return true;
    }
    if (request->hint.len == 0 || live->sum_hints_shown == LIVE_SUMMARY_HINTS_MAX ||
        !hint_is_new(live, request)) {
        return false;
    }
    live->sum_hints_shown++;
    return true;
}

void live_add(struct live *live, const struct watched_request *request)
{
    tally_add(&live->fresh, request);
    live->since_tick++;
    if (live->slot_count < LIVE_RATE_MAX && is_worth_a_line(live, request)) {
        slot_fill(&live->slots[live->slot_count++], request);
    }
}

/* --- drawing --- */

static void live_move(struct live *live, const char *text)
{
    size_t columns = live->screen.columns(live->screen.ctx);
    const struct terminal_piece piece = {
        TERMINAL_CYAN, span_first(span_from_cstr(text), columns > 0 ? columns - 1 : SIZE_MAX)};
    live->screen.move_line(live->screen.ctx, &piece, 1);
}

static void live_settle(struct live *live)
{
    live->screen.settle_line(live->screen.ctx);
    live->repeats = 0;
}

static void hint_put(struct live *live, struct span hint, size_t columns)
{
    static const struct span labels[] = {{"              hint: ", 20},
                                         {"                    ", 20}};
    size_t room = columns > 40 ? columns - 21 : 0;
    for (int i = 0; hint.len > 0; i = 1) {
        const struct terminal_piece pieces[] = {{TERMINAL_CYAN, labels[i]},
                                                {TERMINAL_CYAN, text_line_next(&hint, room)}};
        live->screen.put_line(live->screen.ctx, pieces, ARRAY_COUNT(pieces));
    }
}

static void request_put(struct live *live, const struct watched_request *request)
{
    size_t columns = live->screen.columns(live->screen.ctx);
    struct request_line line;
    request_line_make(&line, request, columns);
    live->screen.put_line(live->screen.ctx, line.pieces, line.count);
    hint_put(live, request->hint, columns);
}

static void repeats_draw(struct live *live)
{
    char text[128];
    char time[REQUEST_TIME_BYTES];
    request_time(live->repeated_us, time);
    snprintf(text, sizeof(text), "%*s%llu more like it, the last at %s  %lld us", REQUEST_INDENT,
             "", (unsigned long long)live->repeats, time, (long long)live->repeated_latency_us);
    live_move(live, text);
}

static void lines_show(struct live *live)
{
    for (size_t i = 0; i < live->slot_count; i++) {
        const struct live_slot *slot = &live->slots[i];
        if (live->has_last && slot_repeats(slot, &live->last)) {
            live->repeats++;
            live->repeated_us = slot->request.received_us;
            live->repeated_latency_us = slot->request.latency_us;
            continue;
        }
        if (live->repeats > 0) {
            repeats_draw(live);
            live_settle(live);
        }
        request_put(live, &slot->request);
        slot_fill(&live->last, &slot->request);
        live->has_last = true;
        if (slot->request.hint.len > 0) {
            (void)hint_is_new(live, &slot->request);
        }
    }
    if (live->repeats > 0 && live->slot_count > 0) {
        repeats_draw(live);
    }
    live->slot_count = 0;
    live->fresh = (struct live_tally){0};
}

/* --- the summary --- */

static void summary_draw(struct live *live, bool is_final, uint64_t rate)
{
    static const char *const classes[status_classes] = {"other", "1xx", "2xx", "3xx", "4xx", "5xx"};
    const struct live_tally *sum = &live->sum;
    int64_t took_us = live->sum_latest_us - live->sum_start_us;
    struct buf line;
    buf_init(&line, summary_bytes_max);
    buf_append_u64(&line, sum->requests);
    BUF_APPEND_LIT(&line, " requests");
    if (is_final && took_us >= second_us) {
        buf_printf(&line, " in %lld s", (long long)(took_us + second_us / 2) / second_us);
        rate = sum->requests * second_us / (uint64_t)took_us;
    }
    if (!is_final || took_us >= second_us) {
        buf_printf(&line, ", %llu/s", (unsigned long long)rate);
    }
    BUF_APPEND_LIT(&line, ":");
    for (size_t i = 0; i < status_classes; i++) {
        if (sum->statuses[i] > 0) {
            buf_printf(&line, "  %s %llu", classes[i], (unsigned long long)sum->statuses[i]);
        }
    }
    if (sum->hints > 0) {
        buf_printf(&line, "  hints %llu", (unsigned long long)sum->hints);
    }
    BUF_APPEND_LIT(&line, ";");
    for (size_t i = 0; i < sum->service_count; i++) {
        buf_printf(&line, "  %s %llu", sum->services[i], (unsigned long long)sum->of_service[i]);
    }
    buf_printf(&line, ";  longest %lld us", (long long)sum->longest_us);
    if (buf_ok(&line)) {
        live_move(live, buf_cstr(&line));
    }
    buf_release(&line);
}

static void summary_begin(struct live *live, int64_t now_us)
{
    if (live->repeats > 0) {
        live_settle(live);
    }
    live->summing = true;
    live->has_last = false; /* a line after the summary stands for itself */
    live->sum = (struct live_tally){0};
    live->sum_start_us = now_us;
    live->sum_latest_us = now_us;
    live->sum_hints_shown = 0;
    /* A request that waited for its line is only counted now, unless its hint is new. */
    size_t kept = 0;
    for (size_t i = 0; i < live->slot_count; i++) {
        if (is_worth_a_line(live, &live->slots[i].request)) {
            if (kept < i) {
                slot_fill(&live->slots[kept], &live->slots[i].request);
            }
            kept++;
        }
    }
    live->slot_count = kept;
}

static void summary_end(struct live *live)
{
    summary_draw(live, true, 0);
    live_settle(live);
    live->summing = false;
}

static void summary_take(struct live *live, int64_t now_us)
{
    for (size_t i = 0; i < live->slot_count; i++) {
        request_put(live, &live->slots[i].request);
    }
    live->slot_count = 0;
    if (live->fresh.requests > 0) {
        live->sum_latest_us = now_us;
    }
    tally_merge(&live->sum, &live->fresh);
    live->fresh = (struct live_tally){0};
}

bool live_tick(struct live *live)
{
    int64_t now_us = live->env->monotonic_us(live->env);
    window_note(&live->window, now_us, live->since_tick);
    live->since_tick = 0;
    uint64_t rate = window_rate(&live->window, now_us);
    if (!live->screen.is_ready(live->screen.ctx)) {
        return true;
    }
    /* More than there are slots: also when the terminal was held up for long. */
    bool is_many = rate > LIVE_RATE_MAX || live->fresh.requests > LIVE_RATE_MAX;
    if (!live->summing && !is_many) {
        lines_show(live);
        return false;
    }
    if (!live->summing) {
        summary_begin(live, now_us);
    }
    summary_take(live, now_us);
    if (rate > LIVE_RATE_MAX) {
        summary_draw(live, false, rate);
    } else {
        summary_end(live);
    }
    return live->summing;
}

void live_end(struct live *live)
{
    if (!live->summing && live->fresh.requests > LIVE_RATE_MAX) {
        summary_begin(live, live->env->monotonic_us(live->env));
    }
    if (live->summing) {
        summary_take(live, live->env->monotonic_us(live->env));
        summary_end(live);
    } else {
        lines_show(live);
        live_settle(live);
    }
}

/* --- life --- */

enum status live_new(struct env *env, const struct live_screen *screen, struct live **out)
{
    struct live *live = calloc(1, sizeof(*live));
    if (live == NULL) {
        return STATUS_NO_MEMORY;
    }
    live->env = env;
    live->screen = *screen;
    for (size_t i = 0; i < window_ticks_max; i++) {
        live->window.at_us[i] = INT64_MIN / 2; /* never */
    }
    *out = live;
    return STATUS_OK;
}

void live_free(struct live *live)
{
    free(live);
}
