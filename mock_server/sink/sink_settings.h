/* The S3 sink connector 10.5.13 by name: its classes and the words that its settings
 * (sink_settings.def) take.
 *
 * DIFFERS: Avro and Parquet formats are recommended by validate as in the real connector, but
 * cannot be chosen here: such a class "could not be found". So is it with converters other than
 * JSON, string and bytes, with credentials providers, and with every transformation and predicate.
 */
#ifndef PINPIPE_SINK_SETTINGS_H
#define PINPIPE_SINK_SETTINGS_H

#define SINK_VERSION     "10.5.13"
#define SINK_CLASS       "io.confluent.connect.s3.S3SinkConnector"
#define SINK_TASK_CLASS  "io.confluent.connect.s3.S3SinkTask"
#define SINK_JSON_FORMAT "io.confluent.connect.s3.format.json.JsonFormat"
#define SINK_BYTE_FORMAT "io.confluent.connect.s3.format.bytearray.ByteArrayFormat"

#define SINK_CONVERTERS                                                                            \
    "org.apache.kafka.connect.json.JsonConverter,"                                                 \
    "org.apache.kafka.connect.storage.StringConverter,"                                            \
    "org.apache.kafka.connect.converters.ByteArrayConverter"
#define SINK_OWN_FORMATS      SINK_JSON_FORMAT "," SINK_BYTE_FORMAT
#define SINK_OWN_SIDE_FORMATS SINK_JSON_FORMAT
#define SINK_FORMATS                                                                               \
    "io.confluent.connect.s3.format.avro.AvroFormat," SINK_JSON_FORMAT "," SINK_BYTE_FORMAT        \
    ",io.confluent.connect.s3.format.parquet.ParquetFormat"
#define SINK_HEADER_FORMATS                                                                        \
    "io.confluent.connect.s3.format.avro.AvroFormat," SINK_JSON_FORMAT                             \
    ",io.confluent.connect.s3.format.parquet.ParquetFormat"
#define SINK_PARQUET_CODECS "none,zstd,brotli,lz4,lzo,gzip,snappy"
#define SINK_CANNED_ACLS                                                                           \
    "private,public-read,public-read-write,authenticated-read,log-delivery-write,"                 \
    "bucket-owner-read,bucket-owner-full-control,aws-exec-read"
#define SINK_PROVIDER "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
#define SINK_STORAGE  "io.confluent.connect.s3.storage.S3Storage"
#define SINK_PARTITIONERS                                                                          \
    "io.confluent.connect.storage.partitioner.DefaultPartitioner,"                                 \
    "io.confluent.connect.storage.partitioner.HourlyPartitioner,"                                  \
    "io.confluent.connect.storage.partitioner.DailyPartitioner,"                                   \
    "io.confluent.connect.storage.partitioner.TimeBasedPartitioner,"                               \
    "io.confluent.connect.storage.partitioner.FieldPartitioner"
#define SINK_REGIONS                                                                               \
    "us-east-1,us-east-2,us-west-1,us-west-2,af-south-1,ap-east-1,ap-northeast-1,ap-northeast-2,"  \
    "ap-northeast-3,ap-south-1,ap-south-2,ap-southeast-1,ap-southeast-2,ap-southeast-3,"           \
    "ap-southeast-4,ca-central-1,eu-central-1,eu-central-2,eu-north-1,eu-south-1,eu-south-2,"      \
    "eu-west-1,eu-west-2,eu-west-3,il-central-1,me-central-1,me-south-1,sa-east-1,cn-north-1,"     \
    "cn-northwest-1,us-gov-east-1,us-gov-west-1"

/* DIFFERS: the real connector fills up offsets with any number of digits. */
enum { SINK_PAD_WIDTH_MAX = 1000 };

#endif
