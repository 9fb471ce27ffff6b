"""A posting script of the kind workshop participants write: Python's random, the requests library,
one record a call, json.dumps with a default for datetimes. Unchanged it talks to AWS or to pinpipe;
only the invoke URL tells them apart. Prints the row numbers it visited, one a line."""
import datetime
import json
import random
import sqlite3
import sys

import requests

invoke_url, user_id, rds_path, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
random.seed(100)
database = sqlite3.connect(f"file:{rds_path}?mode=ro", uri=True)
database.row_factory = sqlite3.Row
HEADERS = {"Content-Type": "application/vnd.kafka.json.v2+json"}
TABLES = {"pin": "pinterest_data", "geo": "geolocation_data", "user": "user_data"}


def as_mysql_gives_it(row):
    """pymysql hands out datetimes as objects, which json.dumps cannot write without help."""
    values = dict(row)
    for name in ("timestamp", "date_joined"):
        if name in values:
            values[name] = datetime.datetime.strptime(values[name], "%Y-%m-%d %H:%M:%S")
    return values


def serialise(value):
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    raise TypeError(f"{type(value)} is not JSON serializable")


session = requests.Session()
for _ in range(rounds):
    random.randrange(0, 2)  # the script sleeps this long
    number = random.randint(0, 11000)
    print(number)
    for suffix, table in TABLES.items():
        row = database.execute(f"SELECT * FROM {table} LIMIT {number}, 1").fetchone()
        payload = json.dumps({"records": [{"value": as_mysql_gives_it(row)}]}, default=serialise)
        answer = session.post(f"{invoke_url}/topics/{user_id}.{suffix}", headers=HEADERS, data=payload)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        assert answer.json()["offsets"][0]["error_code"] is None, answer.text

# Reading back as the workshop does, through the same gateway.
consumer = session.post(
    f"{invoke_url}/consumers/students",
    headers={"Content-Type": "application/vnd.kafka.v2+json"},
    data=json.dumps({"name": "reader", "format": "json", "auto.offset.reset": "earliest"}),
)
assert consumer.status_code == 200, consumer.text
instance = f"{invoke_url}/consumers/students/instances/{consumer.json()['instance_id']}"
answer = session.post(
    f"{instance}/subscription",
    headers={"Content-Type": "application/vnd.kafka.v2+json"},
    data=json.dumps({"topics": [f"{user_id}.geo"]}),
)
assert answer.status_code == 204, answer.text
seen = []
for _ in range(20):
    answer = session.get(f"{instance}/records", headers={"Accept": "application/vnd.kafka.json.v2+json"})
    assert answer.status_code == 200, answer.text
    seen += answer.json()
    if len(seen) >= rounds:
        break
assert [record["offset"] for record in seen] == list(range(rounds)), seen
assert session.delete(instance, headers={"Content-Type": "application/vnd.kafka.v2+json"}).status_code == 204
assert session.get(f"{instance}/records", headers={"Accept": "application/vnd.kafka.json.v2+json"}).status_code == 404
