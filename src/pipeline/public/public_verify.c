/* include/pinpipe/verify.h on top of verifier.c: options in, a frozen verdict out. */
#include "pinpipe/verify.h"

#include "lake_access.h"
#include "public_error.h"
#include "verdict_report.h"
#include "verifier.h"

#include <stdlib.h>
#include <string.h>

enum { first_bytes_max = 1024 };

struct pinpipe_verdict {
    struct verdict verdict;
    struct buf firsts[VERDICT_KIND_COUNT];
};

void pinpipe_verify_options_init(struct pinpipe_verify_options *options)
{
    *options = (struct pinpipe_verify_options){
        .struct_size = sizeof(*options),
        .data_dir = "./.pinpipe",
        .invoke_url = "http://127.0.0.1:8080/test",
        .user_id = "workshop",
        .through = PINPIPE_THROUGH_TOPICS,
        .s3_url = "http://127.0.0.1:9000",
        .aws_region = "us-east-1",
    };
}

static struct pinpipe_verdict *verdict_keep(const struct verdict *verdict)
{
    struct pinpipe_verdict *kept = calloc(1, sizeof(*kept));
    if (kept == NULL) {
        return NULL;
    }
    kept->verdict = *verdict;
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        buf_init(&kept->firsts[kind], first_bytes_max);
        if (verdict->counts[kind] > 0) {
            verdict_offender_append(&verdict->first[kind], &kept->firsts[kind]);
        }
    }
    return kept;
}

/* A caller built against an older header has a shorter struct: what it lacks keeps its default. */
static bool verify_options_take(const struct pinpipe_verify_options *given,
                                struct pinpipe_verify_options *out)
{
    pinpipe_verify_options_init(out);
    if (given->struct_size < sizeof(given->struct_size) || given->struct_size > sizeof(*out)) {
        return false;
    }
    memcpy(out, given, given->struct_size);
    return out->data_dir != NULL && out->invoke_url != NULL && out->user_id != NULL &&
           out->s3_url != NULL && out->aws_region != NULL &&
           (out->through == PINPIPE_THROUGH_TOPICS || out->through == PINPIPE_THROUGH_S3);
}

static enum status public_verify(const struct pinpipe_verify_options *options,
                                 struct verdict *verdict, struct error *err)
{
    struct env env;
    struct lake_access lake = {.s3 = NULL};
    enum status status = STATUS_OK;
    env_init_system(&env);
    if (options->through == PINPIPE_THROUGH_S3) {
        const struct s3_client_options s3 = {.env = &env,
                                             .url = options->s3_url,
                                             .region = options->aws_region,
                                             .access_key = options->aws_access_key_id,
                                             .secret = options->aws_secret_access_key,
                                             .session_token = options->aws_session_token};
        status = lake_access_open(&lake, &s3, options->user_id, NULL, options->connect_url, err);
    }
    const struct verifier_options run = {
        .env = &env,
        .endpoints = {.invoke_url = options->invoke_url,
                      .user_id = options->user_id,
                      .consumer_group = "students",
                      .api_key = options->api_key},
        .data_dir = options->data_dir,
        .lake = lake.reader,
        .connect = lake.connect,
        .since_ms = options->since_ms,
        .strict = options->strict,
    };
    if (status == STATUS_OK) {
        status = verifier_run(&run, verdict, err);
    }
    lake_access_close(&lake);
    return status;
}

enum pinpipe_result pinpipe_verify(const struct pinpipe_verify_options *given,
                                   struct pinpipe_verdict **out, char *why)
{
    struct pinpipe_verify_options options;
    struct error err = ERROR_NONE;
    struct verdict verdict;
    if (!verify_options_take(given, &options)) {
        (void)error_set(&err, STATUS_USAGE,
                        "begin with pinpipe_verify_options_init, leave no path or URL NULL, "
                        "choose one of enum pinpipe_through");
        return public_result(&err, why);
    }
    if (public_verify(&options, &verdict, &err) != STATUS_OK) {
        return public_result(&err, why);
    }
    struct pinpipe_verdict *kept = verdict_keep(&verdict);
    if (kept == NULL) {
        (void)error_set(&err, STATUS_NO_MEMORY, "no memory for the verdict");
        return public_result(&err, why);
    }
    *out = kept;
    return PINPIPE_OK;
}

void pinpipe_verdict_free(struct pinpipe_verdict *verdict)
{
    if (verdict == NULL) {
        return;
    }
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        buf_release(&verdict->firsts[kind]);
    }
    free(verdict);
}

bool pinpipe_verdict_passed(const struct pinpipe_verdict *verdict)
{
    return verdict_passed(&verdict->verdict);
}

uint64_t pinpipe_verdict_records(const struct pinpipe_verdict *verdict)
{
    return verdict->verdict.records;
}

uint64_t pinpipe_verdict_own(const struct pinpipe_verdict *verdict)
{
    return verdict->verdict.own;
}

size_t pinpipe_verdict_kinds(void)
{
    return VERDICT_KIND_COUNT;
}

const char *pinpipe_verdict_kind_key(size_t kind)
{
    return kind < VERDICT_KIND_COUNT ? verdict_kind_info((enum verdict_kind)kind)->key : NULL;
}

bool pinpipe_verdict_kind_fails(size_t kind)
{
    return kind < VERDICT_KIND_COUNT && verdict_kind_info((enum verdict_kind)kind)->fails;
}

uint64_t pinpipe_verdict_count(const struct pinpipe_verdict *verdict, size_t kind)
{
    return kind < VERDICT_KIND_COUNT ? verdict->verdict.counts[kind] : 0;
}

uint64_t pinpipe_verdict_count_of(const struct pinpipe_verdict *verdict, const char *key)
{
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        if (strcmp(verdict_kind_info((enum verdict_kind)kind)->key, key) == 0) {
            return verdict->verdict.counts[kind];
        }
    }
    return 0;
}

const char *pinpipe_verdict_first(const struct pinpipe_verdict *verdict, size_t kind)
{
    return kind < VERDICT_KIND_COUNT ? buf_cstr(&verdict->firsts[kind]) : "";
}
