"""Reads s3a://user-workshop-bucket/topics/workshop.<table>/partition=0/*.json into data frames and
compares them with the rows that the ledger says were posted: count and content hash.

usage: spark_read.py S3_URL RDS_DB LEDGER_DB JARS"""
import glob
import hashlib
import json
import sqlite3
import sys

from pyspark.sql import SparkSession

URL, RDS, LEDGER, JARS = sys.argv[1:5]
TABLES = {"pin": ("pinterest_data", "index"), "geo": ("geolocation_data", "ind"), "user": ("user_data", "ind")}
BUCKET = "s3a://user-workshop-bucket"

spark = (SparkSession.builder.master("local[2]").appName("pinpipe")
         .config("spark.jars", ",".join(glob.glob(JARS + "/*.jar")))
         .config("spark.driver.extraClassPath", JARS + "/*")
         .config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "2")
         # Many small files in few tasks.
         .config("spark.sql.files.openCostInBytes", "0").config("spark.sql.files.minPartitionNum", "2")
         .config("spark.hadoop.fs.s3a.endpoint", URL).config("spark.hadoop.fs.s3a.path.style.access", "true")
         .config("spark.hadoop.fs.s3a.connection.ssl.enabled", "false").config("spark.hadoop.fs.s3a.endpoint.region", "us-east-1")
         .config("spark.hadoop.fs.s3a.access.key", "AKIDEXAMPLE").config("spark.hadoop.fs.s3a.secret.key", "peer/test+secret")
         .getOrCreate())
spark.sparkContext.setLogLevel("ERROR")


def content_hash(rows):
    """Of all rows, whatever their order; numbers by value."""
    def plain(value):
        return float(value) if isinstance(value, float) else value
    lines = sorted(json.dumps({k: plain(v) for k, v in row.items()}, sort_keys=True) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def posted(kind):
    """What the ledger says was posted, row by row out of the tables."""
    table, key = TABLES[kind]
    rds = sqlite3.connect(RDS)
    rds.row_factory = sqlite3.Row
    ledger = sqlite3.connect(f"file:{LEDGER}?mode=ro", uri=True)
    numbers = [number for (number,) in ledger.execute("SELECT row FROM rows_posted WHERE kind = ? AND state = 'acked'", (kind,))]
    rows = []
    for number in numbers:
        row = dict(rds.execute(f'SELECT * FROM {table} WHERE "{key}" = ?', (number,)).fetchone())
        for name in ("timestamp", "date_joined"):
            if name in row:
                row[name] = row[name].replace(" ", "T")
        rows.append(row)
    return rows


for kind in TABLES:
    frame = spark.read.json(f"{BUCKET}/topics/workshop.{kind}/partition=0/*.json")
    rows = [row.asDict() for row in frame.collect()]
    want = posted(kind)
    assert frame.count() == len(want) > 0, (kind, frame.count(), len(want))
    assert content_hash(rows) == content_hash(want), (kind, rows[0], want[0])
    print(f"ok - Spark reads {len(rows)} rows of {kind}, equal to the ledger's", flush=True)
    frame.write.mode("overwrite").parquet(f"{BUCKET}/written/{kind}")
    again = spark.read.parquet(f"{BUCKET}/written/{kind}")
    assert content_hash(row.asDict() for row in again.collect()) == content_hash(want)
print("ok - Spark writes parquet through s3a (renames, deletes) and reads it back", flush=True)
spark.stop()
