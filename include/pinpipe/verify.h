/* The verdict on a pipeline inside your own program: are all rows that the emulator's ledger says
 * were posted in their topics, once, unaltered, in order, and nothing else but whole rows (pin, geo
 * and user) that your own code posted? And, through S3, all records of the topics in the objects of
 * the bucket?
 *
 *     struct pinpipe_verify_options options;
 *     pinpipe_verify_options_init(&options);
 *     options.data_dir = "./.pinpipe";
 *     options.invoke_url = pinpipe_mock_url(mock, PINPIPE_GATEWAY);
 *     struct pinpipe_verdict *verdict;
 *     if (pinpipe_verify(&options, &verdict, why) == PINPIPE_OK) {
 *         puts(pinpipe_verdict_passed(verdict) ? "PASS" : "FAIL");
 *         pinpipe_verdict_free(verdict);
 *     }
 *
 * The verdict's handle is opaque; options carry their size, so that a program built against an
 * older header keeps working. */
#ifndef PINPIPE_VERIFY_H
#define PINPIPE_VERIFY_H

#include "result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pinpipe_verdict;

enum pinpipe_through { PINPIPE_THROUGH_TOPICS, PINPIPE_THROUGH_S3 };

struct pinpipe_verify_options {
    size_t struct_size;
    const char *data_dir;   /* where ledger.db and rds.db are; "./.pinpipe" */
    const char *invoke_url; /* the gateway with its stage: "http://127.0.0.1:8080/test" */
    const char *user_id;    /* whose topics: "workshop" */
    const char *api_key;    /* sent as x-api-key; NULL: none */

    enum pinpipe_through through;  /* how far down the pipeline to look */
    const char *s3_url;            /* "http://127.0.0.1:9000" */
    const char *connect_url;       /* tells why records have not landed; NULL: nobody is asked */
    const char *aws_region;        /* "us-east-1" */
    const char *aws_access_key_id; /* NULL: requests to S3 are not signed */
    const char *aws_secret_access_key;
    const char *aws_session_token;

    bool strict;      /* only the ledger explains records: what your own code posted fails */
    int64_t since_ms; /* records older than this (milliseconds since 1970) are not judged; 0: all */
};

void pinpipe_verify_options_init(struct pinpipe_verify_options *options);

/* Reads every topic back; blocks until done. PINPIPE_OK: *out is a verdict, good or bad. Otherwise
 * none could be reached, and `why` (of PINPIPE_MESSAGE_BYTES, may be NULL) says the cause and the
 * fix. */
enum pinpipe_result pinpipe_verify(const struct pinpipe_verify_options *options,
                                   struct pinpipe_verdict **out, char *why);
void pinpipe_verdict_free(struct pinpipe_verdict *verdict);

bool pinpipe_verdict_passed(const struct pinpipe_verdict *verdict);
uint64_t pinpipe_verdict_records(const struct pinpipe_verdict *verdict);
/* The records among them that no ledger knows, but that are rows of the tables: posted by your own
 * code. */
uint64_t pinpipe_verdict_own(const struct pinpipe_verdict *verdict);

/* The kinds of findings, numbered from 0: their keys are those of `pinpipe verify --json`
 * ("missing", "altered", "resent_by_retry", ...). */
size_t pinpipe_verdict_kinds(void);
const char *pinpipe_verdict_kind_key(size_t kind); /* NULL beyond the last */
bool pinpipe_verdict_kind_fails(size_t kind);      /* or is it only reported? */
uint64_t pinpipe_verdict_count(const struct pinpipe_verdict *verdict, size_t kind);
/* A count by its key; 0 for an unknown key too. */
uint64_t pinpipe_verdict_count_of(const struct pinpipe_verdict *verdict, const char *key);
/* One line on the first of its kind: topic, partition, offset, row, field, ledger row; "" when
 * there is none. Lives as long as the verdict. */
const char *pinpipe_verdict_first(const struct pinpipe_verdict *verdict, size_t kind);

#ifdef __cplusplus
}
#endif

#endif
