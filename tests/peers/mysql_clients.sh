#!/bin/sh
# Clients of MySQL as people have them, against the real binary: SQLAlchemy 1.4 and 2 with PyMySQL, PyMySQL itself,
# mysql-connector-python, mysqlclient, mysql2, the MariaDB shell, MySQL Connector/J. Each logs in, also where the
# credentials are fixed, is refused with a wrong password, reads typed rows, executes prepared statements where it can, and reads a
# whole table.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT

for venv in old new; do
    python3 -m venv "$work/$venv"
done
"$work/old/bin/pip" install -q --disable-pip-version-check 'sqlalchemy<2' pymysql cryptography
"$work/new/bin/pip" install -q --disable-pip-version-check 'sqlalchemy>=2' pymysql cryptography pandas mysql-connector-python mysqlclient
npm install --silent --no-fund --no-audit --no-update-notifier --prefix "$work/js" mysql2 >/dev/null
cp tests/peers/mysql_node.mjs "$work/js/"
cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>com.mysql</groupId><artifactId>mysql-connector-j</artifactId><version>9.1.0</version></dependency>
</dependencies></project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/jars"

# The MariaDB shell: in a batch, with the words that people type.
shell_reads() {
    mysql_shell() { mariadb --no-defaults -h 127.0.0.1 -P "$port" -u pin -p"$1" -B "$2" -e "$3" 2>&1; }
    mysql_shell secret pinterest_data 'SELECT ind, age FROM user_data LIMIT 7, 1' >"$work/shell"
    [ "$(head -1 "$work/shell")" = "$(printf 'ind\tage')" ] || { cat "$work/shell"; exit 1; }
    [ "$(mysql_shell secret pinterest_data 'SELECT * FROM pinterest_data' | wc -l)" -eq 11155 ] || { echo 'the shell lacks rows'; exit 1; }
    mysql_shell secret pinterest_data 'SHOW TABLES; DESCRIBE user_data' >"$work/shell"
    grep -qx geolocation_data "$work/shell" && grep -q '^date_joined	datetime' "$work/shell" || { cat "$work/shell"; exit 1; }
    printf 'status\nuse pinterest_data\nSELECT 1 AS one;\n' |
        mariadb --no-defaults -h 127.0.0.1 -P "$port" -u pin -psecret -t >"$work/shell" 2>&1
    grep -q 'Uptime:' "$work/shell" && grep -q 'one' "$work/shell" || { cat "$work/shell"; exit 1; }
    if [ "$1" = strict ]; then
        mysql_shell wrong pinterest_data 'SELECT 1' >"$work/shell" && exit 1
        grep -q "ERROR 1045 (28000): Access denied for user 'pin'@'127.0.0.1' (using password: YES)" "$work/shell" || { cat "$work/shell"; exit 1; }
    fi
    echo "ok - the MariaDB shell ($1)"
}

for mode in open strict; do
    credentials=
    [ $mode = open ] || credentials='--mysql-credentials pin:secret'
    rm -f "$work/ready"
    # shellcheck disable=SC2086
    "$PINPIPE" serve --ephemeral --data "$work/data" --ready-file "$work/ready" --log warn $credentials 2>"$work/serve.log" &
    echo $! >"$work/pid"
    until [ -f "$work/ready" ]; do sleep 0.05; done
    port=$(sed -n 's|.*"mysql_url": "mysql://[^"]*:\([0-9]*\)/.*|\1|p' "$work/ready")
    "$work/old/bin/python" tests/peers/mysql_python.py "$port" $mode sqlalchemy pymysql
    "$work/new/bin/python" tests/peers/mysql_python.py "$port" $mode sqlalchemy pymysql connector mysqlclient pandas
    node "$work/js/mysql_node.mjs" "$port" $mode
    java -cp "$work/jars/*" tests/peers/MysqlJdbc.java "$port" $mode 2>"$work/java.log" || { cat "$work/java.log"; exit 1; }
    shell_reads $mode
    kill "$(cat "$work/pid")"
    wait "$(cat "$work/pid")"
    rm -f "$work/pid"
done
