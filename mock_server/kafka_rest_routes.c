/* The REST proxy's routes as data: three tables, chosen by the path's first segment. The rows are
 * those of specs/kafka-rest-v2.md section 1; the tag says what a row consumes and produces. */
#include "kafka_rest_internal.h"

#define INSTANCE "/consumers/{group}/instances/{instance}"

static const struct route consumer_routes[] = {
    {METHOD_GET, INSTANCE "/records", kafka_rest_consumer_records, PROFILE_RECORDS},
    {METHOD_POST, "/consumers/{group}", kafka_rest_consumer_create, PROFILE_CONSUMER},
    {METHOD_DELETE, INSTANCE, kafka_rest_consumer_delete, PROFILE_CONSUMER},
    {METHOD_POST, INSTANCE "/subscription", kafka_rest_consumer_subscribe, PROFILE_CONSUMER},
    {METHOD_GET, INSTANCE "/subscription", kafka_rest_consumer_subscription, PROFILE_CONSUMER},
    {METHOD_DELETE, INSTANCE "/subscription", kafka_rest_consumer_unsubscribe, PROFILE_CONSUMER},
    {METHOD_POST, INSTANCE "/assignments", kafka_rest_consumer_assign, PROFILE_CONSUMER},
    {METHOD_GET, INSTANCE "/assignments", kafka_rest_consumer_assignments, PROFILE_CONSUMER},
    {METHOD_POST, INSTANCE "/positions", kafka_rest_consumer_seek, PROFILE_CONSUMER},
    {METHOD_POST, INSTANCE "/positions/beginning", kafka_rest_consumer_seek_beginning,
     PROFILE_CONSUMER},
    {METHOD_POST, INSTANCE "/positions/end", kafka_rest_consumer_seek_end, PROFILE_CONSUMER},
    {METHOD_POST, INSTANCE "/offsets", kafka_rest_consumer_commit, PROFILE_CONSUMER},
    {METHOD_GET, INSTANCE "/offsets", kafka_rest_consumer_committed, PROFILE_CONSUMER},
};

const struct route_table kafka_rest_consumer_routes = {consumer_routes,
                                                       ARRAY_COUNT(consumer_routes)};
