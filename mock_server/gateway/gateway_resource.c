/* The stage and the resource that a path names, and why none takes it: one REST API with one stage,
 * whose resources are / (no method) and {proxy+} (every method). A tree that a user imports goes in
 * here.
 */
#include "gateway_internal.h"

bool gateway_is_stage_name(struct span text)
{
    if (text.len == 0 || text.len > GATEWAY_STAGE_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

static bool is_api_id(struct span text)
{
    if (text.len != GATEWAY_API_ID_BYTES) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return true;
}

struct span gateway_segment_take(struct span *path)
{
    struct span behind = span_skip(*path, 1);
    struct span segment = span_first(behind, span_find_byte(behind, '/'));
    *path = span_skip(behind, segment.len);
    return segment;
}

/* Of several slashes at the front the last one stays. */
static struct span slashes_fold(struct span path)
{
    while (span_starts_with(path, SPAN_LIT("//"))) {
        path = span_skip(path, 1);
    }
    return path;
}

/* Slashes before the stage and between it and the path count once, as recorded; inside the path
 * they are part of it, and one at its end is dropped. */
struct gateway_target gateway_target_of(struct span path)
{
    struct gateway_target target = {.stage = SPAN_EMPTY, .resource = slashes_fold(path)};
    target.stage = gateway_segment_take(&target.resource);
    if (span_equal(target.stage, SPAN_LIT("_api"))) {
        struct span rest = slashes_fold(target.resource);
        if (is_api_id(gateway_segment_take(&rest)) && rest.len > 0) {
            target.resource = slashes_fold(rest);
            target.stage = gateway_segment_take(&target.resource);
        }
    }
    target.resource = slashes_fold(target.resource);
    if (target.resource.len > 1 && span_ends_with(target.resource, SPAN_LIT("/"))) {
        target.resource = span_first(target.resource, target.resource.len - 1);
    }
    return target;
}

bool gateway_is_service_path(struct span segment)
{
    static const char *const names[] = {"topics", "consumers", "brokers", "v3", "streams"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (span_equal_cstr(segment, names[i])) {
            return true;
        }
    }
    return false;
}

const char *gateway_stage_hint(const struct gateway *gateway, struct arena *arena,
                               struct span stage)
{
    const char *known = gateway->stage != NULL ? gateway->stage : "test";
    const char *hint;
    if (gateway_is_service_path(stage)) {
        hint = arena_printf(arena,
                            "/%.*s stands where the stage belongs: write /%s/%.*s..., the invoke "
                            "URL ends in the stage",
                            SPAN_ARG(stage), known, SPAN_ARG(stage));
    } else if (gateway->stage != NULL && gateway_is_stage_name(stage)) {
        hint = arena_printf(arena,
                            "no stage \"%.*s\" is deployed here, only \"%s\"; upper and lower case "
                            "matter",
                            SPAN_ARG(stage), known);
    } else {
        hint = arena_printf(arena,
                            "the path begins with the stage, 1 to 128 letters, digits, '-' and "
                            "'_': write /%s/topics/<topic>",
                            known);
    }
    return hint;
}

bool gateway_stage_is_deployed(const struct gateway *gateway, struct span stage)
{
    if (gateway->stage != NULL) {
        return span_equal_cstr(stage, gateway->stage);
    }
    return gateway_is_stage_name(stage) && !gateway_is_service_path(stage);
}

bool gateway_names_kinesis(struct span resource)
{
    return span_ends_with(resource, SPAN_LIT("/PutRecord")) ||
           span_ends_with(resource, SPAN_LIT("/PutRecords"));
}

const char *gateway_resource_refusal(enum http_method method, struct span resource)
{
    if (resource.len <= 1) {
        return "the stage's root has no method: the path goes on behind the stage, e.g. "
               "/topics/<topic>";
    }
    if (method == METHOD_OTHER) {
        return "API Gateway's ANY takes DELETE, GET, HEAD, OPTIONS, PATCH, POST and PUT";
    }
    return NULL;
}
