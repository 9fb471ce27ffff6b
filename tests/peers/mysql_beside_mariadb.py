"""Asks pinpipe and a MariaDB with the same rows the same statements, and compares what both say.

usage: mysql_beside_mariadb.py STATEMENTS PINPIPE_PORT MARIADB_SOCKET CSV_FOLDER
"""

import csv
import decimal
import sys

import pymysql
from pymysql.constants import FIELD_TYPE

DATABASE = "pinterest_data"
TABLES = {
    "pinterest_data": "`index` int NOT NULL PRIMARY KEY, unique_id text, title text, description text, "
    "poster_name text, follower_count text, tag_list text, is_image_or_video text, image_src text, "
    "downloaded int, save_location text, category text",
    "geolocation_data": "ind int NOT NULL PRIMARY KEY, timestamp datetime, latitude float, longitude float, country text",
    "user_data": "ind int NOT NULL PRIMARY KEY, first_name text, last_name text, age int, date_joined datetime",
}

# Where MySQL 8 and MariaDB differ by rule, not by statement.
#   whole numbers: MySQL 8 announces an expression of them as BIGINT, MariaDB as INT where it fits;
#   texts: MySQL announces VAR_STRING or BLOB, MariaDB at times the other one, by length.
SAME_TYPE = [
    {FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.INT24, FIELD_TYPE.YEAR},
    {FIELD_TYPE.VAR_STRING, FIELD_TYPE.STRING, FIELD_TYPE.BLOB, FIELD_TYPE.VARCHAR, FIELD_TYPE.LONG_BLOB,
     FIELD_TYPE.MEDIUM_BLOB, FIELD_TYPE.TINY_BLOB},
]
# Numbers of one refusal: what MySQL 8 says, and MariaDB.
SAME_ERROR = {
    (1146, 1146): "", (1049, 1044): "MariaDB hides databases that a user may not see",
    (1049, 1142): "the same", (1305, 1630): "MariaDB has a number of its own for an unknown function",
    (1582, 1107): "wrong number of arguments", (1055, 1055): "", (1064, 1065): "an empty statement",
    (1142, 1142): "",
}


def load(root, folder):
    cursor = root.cursor()
    cursor.execute(f"CREATE DATABASE {DATABASE}")
    cursor.execute(f"USE {DATABASE}")
    for table, columns in TABLES.items():
        cursor.execute(f"CREATE TABLE {table} ({columns})")
        with open(f"{folder}/{table}.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
        places = ",".join(["%s"] * len(rows[0]))
        cursor.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
    root.commit()
    cursor.execute("CREATE USER project_user@'%' IDENTIFIED BY 'pw'")
    cursor.execute("CREATE USER project_user@localhost IDENTIFIED BY 'pw'")
    for host in ("%", "localhost"):
        cursor.execute(f"GRANT SELECT ON {DATABASE}.* TO project_user@'{host}'")


def statements(path):
    differs, order = None, False
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line.startswith("-- differs: "):
                differs = line[12:]
            elif line == "-- order":
                order = True
            elif line.startswith("-- ") or not line:
                continue
            else:
                yield line, differs, order
                differs, order = None, False


def ask(connection, statement):
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
    except pymysql.MySQLError as error:
        return error.args[0], None, str(error.args[1] if len(error.args) > 1 else "")
    columns = [(d[0], d[1]) for d in cursor.description or ()]
    return None, columns, list(cursor.fetchall())


def same_type(a, b):
    return a == b or any(a in group and b in group for group in SAME_TYPE)


def same_cell(a, b):
    if isinstance(a, (float, decimal.Decimal)) and isinstance(b, (float, decimal.Decimal)):
        if isinstance(a, float) or isinstance(b, float):
            return abs(float(a) - float(b)) <= 1e-9 * max(1.0, abs(float(b)))
    return a == b and type(a) is type(b)


def compare(ours, theirs):
    """What is different, in words; None: nothing."""
    if (ours[0] is None) != (theirs[0] is None):
        return f"ours {ours[0] or 'answers'} ({ours[2] if ours[0] else ''}), theirs {theirs[0] or 'answers'} ({theirs[2] if theirs[0] else ''})"
    if ours[0] is not None:
        if ours[0] == theirs[0] or (ours[0], theirs[0]) in SAME_ERROR:
            return None
        return f"ours {ours[0]} {ours[2]!r}, theirs {theirs[0]} {theirs[2]!r}"
    if [c[0] for c in ours[1]] != [c[0] for c in theirs[1]]:
        return f"columns {[c[0] for c in ours[1]]} against {[c[0] for c in theirs[1]]}"
    for mine, other in zip(ours[1], theirs[1]):
        if not same_type(mine[1], other[1]):
            return f"type of {mine[0]}: {mine[1]} against {other[1]}"
    if len(ours[2]) != len(theirs[2]):
        return f"{len(ours[2])} rows against {len(theirs[2])}"
    for number, (mine, other) in enumerate(zip(ours[2], theirs[2])):
        for column, (a, b) in enumerate(zip(mine, other)):
            if not same_cell(a, b):
                return f"row {number}, {ours[1][column][0]}: {a!r} against {b!r}"
    return None


def main():
    path, port, socket, folder = sys.argv[1:5]
    root = pymysql.connect(unix_socket=socket, user="root", charset="utf8mb4")
    load(root, folder)
    mariadb = pymysql.connect(unix_socket=socket, user="project_user", password="pw", database=DATABASE, charset="utf8mb4")
    pinpipe = pymysql.connect(host="127.0.0.1", port=int(port), user="project_user", password="pw", database=DATABASE, charset="utf8mb4")
    asked, different, bad = 0, 0, 0
    for statement, differs, order in statements(path):
        ours, theirs = ask(pinpipe, statement), ask(mariadb, statement)
        if order and ours[0] is None and theirs[0] is None:
            ours[2].sort(key=repr)
            theirs[2].sort(key=repr)
        what = compare(ours, theirs)
        asked += 1
        if what is None and differs:
            print(f"no difference any more: {statement}\n  {differs}")
            bad += 1
        elif what is not None and differs:
            different += 1
        elif what is not None:
            print(f"{statement}\n  {what}")
            bad += 1
    if bad:
        print(f"not ok - {bad} of {asked} statements are answered otherwise than by MariaDB")
        return 1
    print(f"ok - {asked} statements are answered as MariaDB answers them, {different} of them as MySQL 8 where the two differ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
