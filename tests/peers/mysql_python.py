"""Python's clients of MySQL: what a script sees must be what it sees on RDS, types included."""
import datetime
import sys

PORT, STRICT = int(sys.argv[1]), sys.argv[2] == "strict"
LOGIN = {"host": "127.0.0.1", "port": PORT, "user": "pin", "password": "secret", "database": "pinterest_data"}
ROWS = 11154


def check(good, what):
    if not good:
        sys.exit(f"not ok - {what}")


def check_rows(read, what):
    """`read` takes a statement and gives its rows as tuples."""
    (geo,) = read("SELECT * FROM geolocation_data LIMIT 17, 1")
    check(geo[0] == 17 and isinstance(geo[0], int), f"{what}: ind is an int: {geo}")
    check(isinstance(geo[1], datetime.datetime), f"{what}: timestamp is a datetime: {geo}")
    check(isinstance(geo[2], float) and isinstance(geo[3], float), f"{what}: places are floats: {geo}")
    check(isinstance(geo[4], str), f"{what}: country is a str: {geo}")
    (user,) = read("SELECT * FROM user_data LIMIT 17, 1")
    check(isinstance(user[3], int) and isinstance(user[4], datetime.datetime), f"{what}: user: {user}")
    check(len(read("SELECT * FROM pinterest_data LIMIT 11153, 1")) == 1, f"{what}: the last row")
    check(len(read("SELECT * FROM pinterest_data")) == ROWS, f"{what}: the whole table")


def check_denied(connect, what):
    if not STRICT:
        return
    try:
        connect("wrong")
    except Exception as error:  # each library has its own class
        check("1045" in str(error) and "Access denied for user 'pin'" in str(error), f"{what}: {error}")
        return
    check(False, f"{what}: a wrong password is refused")


def use_sqlalchemy():
    import sqlalchemy
    from sqlalchemy import text

    def engine(password):
        return sqlalchemy.create_engine(f"mysql+pymysql://pin:{password}@127.0.0.1:{PORT}/pinterest_data?charset=utf8mb4")

    check_denied(lambda password: engine(password).connect(), "SQLAlchemy")
    with engine("secret").connect() as connection:
        check_rows(lambda sql: [tuple(row) for row in connection.execute(text(sql))], "SQLAlchemy")
        # The workshop's own line.
        for row in connection.execute(text("SELECT * FROM pinterest_data LIMIT 7528, 1")):
            pin = dict(row._mapping)
        check(pin["index"] == 7528 and isinstance(pin["downloaded"], int), f"SQLAlchemy: a row by name: {pin}")
        bound = connection.execute(text("SELECT age FROM user_data WHERE ind = :ind"), {"ind": 5}).fetchall()
        check(len(bound) == 1, "SQLAlchemy: a bound value")
    names = sqlalchemy.inspect(engine("secret")).get_table_names()
    check(sorted(names) == ["geolocation_data", "pinterest_data", "user_data"], f"SQLAlchemy: the tables: {names}")
    columns = {c["name"]: c["type"] for c in sqlalchemy.inspect(engine("secret")).get_columns("user_data")}
    check(isinstance(columns["date_joined"], sqlalchemy.types.DateTime), f"SQLAlchemy: the columns: {columns}")
    return f"SQLAlchemy {sqlalchemy.__version__}"


def use_pymysql():
    import pymysql

    check_denied(lambda password: pymysql.connect(**{**LOGIN, "password": password}), "PyMySQL")
    connection = pymysql.connect(**LOGIN)
    cursor = connection.cursor()

    def read(sql):
        cursor.execute(sql)
        return list(cursor.fetchall())

    check_rows(read, "PyMySQL")
    cursor.execute("SELECT ind FROM user_data WHERE ind = %s", (9,))
    check(cursor.fetchone() == (9,), "PyMySQL: a bound value")
    streamed = connection.cursor(pymysql.cursors.SSCursor)
    streamed.execute("SELECT * FROM pinterest_data")
    check(sum(1 for _ in streamed) == ROWS, "PyMySQL: row by row")
    for sql, code in [("SELEC 1", 1064), ("SELECT * FROM no_table", 1146), ("SELECT no_column FROM user_data", 1054)]:
        try:
            cursor.execute(sql)
            check(False, f"PyMySQL: {sql} is refused")
        except pymysql.err.Error as error:
            check(error.args[0] == code, f"PyMySQL: {sql}: {error}")
    connection.select_db("pinterest_data")
    connection.ping()
    connection.close()
    return f"PyMySQL {pymysql.__version__}"


def use_connector():
    import mysql.connector

    for pure in (True, False) if mysql.connector.HAVE_CEXT else (True,):
        for plugin in ("caching_sha2_password", "mysql_native_password") if pure else (None,):
            login = {**LOGIN, "use_pure": pure, **({"auth_plugin": plugin} if plugin else {})}
            check_denied(lambda password: mysql.connector.connect(**{**login, "password": password}), "mysql-connector")
            connection = mysql.connector.connect(**login)
            for prepared in (False, True):
                cursor = connection.cursor(prepared=prepared)

                def read(sql):
                    cursor.execute(sql)
                    return list(cursor.fetchall())

                check_rows(read, f"mysql-connector (pure {pure}, prepared {prepared})")
                cursor.execute("SELECT ind, age FROM user_data WHERE ind = %s", (9,))
                check(cursor.fetchall()[0][0] == 9, "mysql-connector: a bound value")
                cursor.close()
            connection.cmd_reset_connection()
            connection.cmd_change_user("pin", "secret", "pinterest_data")
            connection.ping()
            connection.close()
    return f"mysql-connector-python {mysql.connector.__version__}"


def use_mysqlclient():
    import MySQLdb

    def connect(password):
        return MySQLdb.connect(host="127.0.0.1", port=PORT, user="pin", passwd=password, db="pinterest_data", charset="utf8mb4")

    check_denied(connect, "mysqlclient")
    connection = connect("secret")
    cursor = connection.cursor()

    def read(sql):
        cursor.execute(sql)
        return list(cursor.fetchall())

    check_rows(read, "mysqlclient")
    cursor.execute("SELECT ind FROM user_data WHERE ind = %s", (9,))
    check(cursor.fetchone() == (9,), "mysqlclient: a bound value")
    connection.close()
    return f"mysqlclient {'.'.join(map(str, MySQLdb.version_info[:3]))}"


def use_pandas():
    import pandas
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"mysql+pymysql://pin:secret@127.0.0.1:{PORT}/pinterest_data")
    frame = pandas.read_sql("SELECT * FROM geolocation_data", engine)
    check(len(frame) == ROWS and str(frame.dtypes["latitude"]) == "float64", f"pandas: {frame.dtypes}")
    check(str(frame.dtypes["timestamp"]).startswith("datetime64"), f"pandas: {frame.dtypes}")
    check(len(pandas.read_sql_table("user_data", engine)) == ROWS, "pandas: a table by its name")
    return f"pandas {pandas.__version__}"


for name in sys.argv[3:]:
    print(f"ok - {globals()['use_' + name]()} ({sys.argv[2]})")
