/* Requests for the tests of signatures: from texts in tables to struct sigv4_request. */
#ifndef PINPIPE_TESTS_SIGNED_REQUEST_H
#define PINPIPE_TESTS_SIGNED_REQUEST_H

#include "sigv4.h"

#define TEST_SECRET  "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { signed_request_headers_max = 32 };

struct signed_request {
    const char *label;
    const char *service;
    const char *method;
    const char *path;
    const char *query;
    const char *payload_hash;
    const char *bucket;  /* SigV2's: named by the host */
    const char *headers; /* "Name:value\n" each */
};

/* The spans point into the texts. */
struct parsed_request {
    struct sigv4_header headers[signed_request_headers_max];
    struct sigv4_request request;
};
/* s3 gets its path style, the others theirs. */
void signed_request_parse(const struct signed_request *texts, struct parsed_request *out);

/* Made ready, or the test fails. */
struct crypto *signed_request_crypto(void);
/* Parses the claim and verifies it, whatever its kind. */
bool signed_request_fits(struct crypto *crypto, const struct sigv4_request *request,
                         struct span bucket, struct span secret);

#endif
