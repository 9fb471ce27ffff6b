#include "connect_definitions.h"

/* What this server has of each kind.
 *
 * DIFFERS: Avro and Parquet formats are recommended by validate as in the real connector, but
 * cannot be chosen here: such a class "could not be found". So is it with converters other than
 * JSON, string and bytes, with credentials providers, and with every transformation and predicate.
 */
#define CONVERTERS                                                                                 \
    "org.apache.kafka.connect.json.JsonConverter,"                                                 \
    "org.apache.kafka.connect.storage.StringConverter,"                                            \
    "org.apache.kafka.connect.converters.ByteArrayConverter"
#define OWN_FORMATS      CONNECT_JSON_FORMAT "," CONNECT_BYTE_FORMAT
#define OWN_SIDE_FORMATS CONNECT_JSON_FORMAT
#define FORMATS                                                                                    \
    "io.confluent.connect.s3.format.avro.AvroFormat," CONNECT_JSON_FORMAT "," CONNECT_BYTE_FORMAT  \
    ",io.confluent.connect.s3.format.parquet.ParquetFormat"
#define HEADER_FORMATS                                                                             \
    "io.confluent.connect.s3.format.avro.AvroFormat," CONNECT_JSON_FORMAT                          \
    ",io.confluent.connect.s3.format.parquet.ParquetFormat"
#define PARQUET_CODECS "none,zstd,brotli,lz4,lzo,gzip,snappy"
#define CANNED_ACLS                                                                                \
    "private,public-read,public-read-write,authenticated-read,log-delivery-write,"                 \
    "bucket-owner-read,bucket-owner-full-control,aws-exec-read"
#define PROVIDER "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
#define STORAGE  "io.confluent.connect.s3.storage.S3Storage"
#define PARTITIONERS                                                                               \
    "io.confluent.connect.storage.partitioner.DefaultPartitioner,"                                 \
    "io.confluent.connect.storage.partitioner.HourlyPartitioner,"                                  \
    "io.confluent.connect.storage.partitioner.DailyPartitioner,"                                   \
    "io.confluent.connect.storage.partitioner.TimeBasedPartitioner,"                               \
    "io.confluent.connect.storage.partitioner.FieldPartitioner"
#define REGIONS                                                                                    \
    "us-east-1,us-east-2,us-west-1,us-west-2,af-south-1,ap-east-1,ap-northeast-1,ap-northeast-2,"  \
    "ap-northeast-3,ap-south-1,ap-south-2,ap-southeast-1,ap-southeast-2,ap-southeast-3,"           \
    "ap-southeast-4,ca-central-1,eu-central-1,eu-central-2,eu-north-1,eu-south-1,eu-south-2,"      \
    "eu-west-1,eu-west-2,eu-west-3,il-central-1,me-central-1,me-south-1,sa-east-1,cn-north-1,"     \
    "cn-northwest-1,us-gov-east-1,us-gov-west-1"

const char *const connect_groups_framework[] = {"Common", "Transforms", "Predicates",
                                                "Error Handling", NULL};
const char *const connect_groups_connector[] = {
    "Connector", "Schema", "S3", "Keys and Headers", "Storage", "Partitioner", NULL};

/* --- how a row's rules are said --- */
#define REQUIRED              .required = true,
#define NO_DEFAULT            .default_value = NULL,
#define DEFAULT(text)         .default_value = text,
#define ANY                   .validator = VALID_ANY,
#define IS(kind)              .validator = VALID_##kind,
#define AT_LEAST(lowest)      .validator = VALID_RANGE, .min = lowest, .max = INT64_MAX,
#define BETWEEN(low, high)    .validator = VALID_RANGE, .min = low, .max = high,
#define ONE_OF(kind, allowed) .validator = VALID_##kind, .words = allowed,
#define CLASSES(allowed)      .words = allowed,
#define RECOMMENDS(texts)     .recommended = texts,
#define DEPENDENTS(names)     .dependents = names,
#define SHOWN(condition)      .visibility = VISIBLE_##condition,

#define X(key, text, kind, fallback, weight, section, place, columns, title, words_of_ours, rules) \
    [CONNECT_KEY_##key] = {.name = text,                                                           \
                           .type = CONNECT_##kind,                                                 \
                           fallback.importance = #weight,                                          \
                           .group = section,                                                       \
                           .order = place,                                                         \
                           .width = #columns,                                                      \
                           .display_name = title,                                                  \
                           .documentation = words_of_ours,                                         \
                           rules},
const struct connect_definition connect_definitions[CONNECT_KEY_COUNT] = {
#include "connect_definitions.def"
};
#undef X
