/* Consumers on the bench: the requests of their life cycle as one call each, with their asserts.
 * The instance "c" of group "g" is the one that RECORDS reads from. */
#ifndef PINPIPE_CONSUMER_BENCH_H
#define PINPIPE_CONSUMER_BENCH_H

#include "rest_bench.h"

#define JSON_TYPE "application/vnd.kafka.json.v2+json"
#define RECORDS   "GET /consumers/g/instances/c/records"

/* cmocka's setup and teardown: *state is a struct bench, not opened yet. */
int consumer_setup(void **state);
int consumer_teardown(void **state);

void consumer_assert_answer(const struct bench_call *call, int status, const char *body);
/* Sends it, waits, asserts the answer. */
void consumer_expect(struct bench *b, const char *method_target, const char *body, int status,
                     const char *answer);
/* POST /consumers/g with that name and further members, e.g. "\"format\":\"json\"". */
void consumer_create(struct bench *b, const char *name, const char *settings);
void consumer_subscribe(struct bench *b, const char *name, const char *topic);
/* Settings: JSON, from the start, answers as soon as there is data. */
extern const char consumer_eager_json[];
/* Opens the bench with first_poll eager and instance c subscribed to u1.pin. */
void consumer_open(struct bench *b, const char *settings);
/* The offsets of a records answer, "0,1,2"; its status instead when that is not 200. Static. */
const char *consumer_offsets_in(const struct bench_call *call);
/* Reads as JSON and gives the offsets. */
const char *consumer_read(struct bench *b, const char *name);
const char *consumer_read_query(struct bench *b, const char *name, const char *query);
/* What group g has committed; -1: nothing. */
int64_t consumer_committed(struct bench *b, const char *topic, int32_t partition);
int64_t bench_now_ms(struct bench *b);

#endif
