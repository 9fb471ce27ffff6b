/* Error answers in the shapes of AWS's four protocols. A service knows its code, status and words;
 * where they stand in the answer is known here. */
#ifndef PINPIPE_AWS_ERROR_H
#define PINPIPE_AWS_ERROR_H

#include "http.h"

enum aws_protocol {
    AWS_REST_XML,  /* S3: <Error><Code/><Message/>...<RequestId/><HostId/></Error> */
    AWS_QUERY,     /* STS, IAM: <ErrorResponse><Error><Type/><Code/><Message/></Error>... */
    AWS_REST_JSON, /* MSK Connect: {"message":...} and the header x-amzn-ErrorType */
    AWS_JSON,      /* Kinesis: {"__type":...,"message":...} */
};

/* A further element of REST-XML's <Error>: {"BucketName", name}. */
struct aws_error_detail {
    const char *name;
    struct span value;
};

struct aws_error {
    enum aws_protocol protocol;
    int status;
    const char *code;    /* "NoSuchKey", "BadRequestException"; outlives the reply */
    struct span message; /* AWS_JSON leaves out an empty one */
    const char
        *message_name; /* in JSON; NULL: "message" (some of AWS's front doors say "Message") */
    const struct aws_error_detail *details; /* ended by a NULL name; NULL: none */
    const char *xmlns;                      /* AWS_QUERY's: the service's own */
    const char *request_id;                 /* in XML; NULL: none */
    const char *host_id;                    /* in REST-XML; NULL: none */
    bool no_body; /* the answer to a HEAD: status, type and headers only */
};

/* Puts status, type, the journal's code and the body into the reply, which has no body yet and
 * keeps the headers that it has. */
void aws_error_answer(struct reply *reply, const struct aws_error *error);

#endif
