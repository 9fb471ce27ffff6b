/* The answer of a REST proxy or a gateway to a produce of one record, read. */
#ifndef PINPIPE_REST_ANSWER_H
#define PINPIPE_REST_ANSWER_H

#include "buf.h"
#include "http_client.h"
#include "poster.h"

struct rest_answer {
    bool has_place; /* partition and offset were there */
    int64_t partition;
    int64_t offset;
    int64_t error_code; /* of the record, else of the answer; 0: none */
    struct buf text;    /* the error's words; may be empty */
};

void rest_answer_init(struct rest_answer *answer);
void rest_answer_release(struct rest_answer *answer);
/* The verdict on one attempt. */
void rest_answer_judge(const struct http_response *response, struct rest_answer *answer,
                       struct post_outcome *outcome);

#endif
