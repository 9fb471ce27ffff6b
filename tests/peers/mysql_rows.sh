#!/bin/sh
# A real MariaDB as the source of rows, in a folder of its own and on a free port: the same rows give the same posts, byte for
# byte, whether they come from rds.db or from MySQL, and whatever types and spellings a dump gave its columns; what is wrong with
# the server is said in words, with its exit code.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
schema=$PWD/tests/peers/mysql_rows.sql
work=$(mktemp -d)
pids=
trap 'for pid in $pids; do kill "$pid" 2>/dev/null || true; done; wait; rm -rf "$work"' EXIT
cd "$work"
unset creds_path CREDS_PATH

ok() { echo "ok - $1"; }
fail() {
    echo "not ok - $1"
    shift
    for file in "$@"; do echo "--- $file"; tail -n 20 "$file"; done
    exit 1
}

# --- MariaDB -------------------------------------------------------------------------------------
# It does not run as root; the folder is then its user's.
mysqld=$(command -v mariadbd || command -v mysqld || echo /usr/sbin/mariadbd)
user=$(id -un)
if [ "$user" = root ]; then
    user=mysql
    chmod 755 "$work"
fi
mkdir db tmp
[ "$user" != mysql ] || chown mysql db tmp
mariadb-install-db --no-defaults --datadir="$work/db" --user="$user" --auth-root-authentication-method=normal \
    --skip-test-db >install.log 2>&1 || fail 'MariaDB makes its files' install.log
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=peers-ca >tls.log 2>&1
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost >>tls.log 2>&1
printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n' >san
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out server.pem >>tls.log 2>&1 ||
    fail 'certificates' tls.log
chmod 644 server.key
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

# start_mysql [OPTION...]
start_mysql() {
    "$mysqld" --no-defaults --datadir="$work/db" --user="$user" --tmpdir="$work/tmp" --socket="$work/db/s" --port="$port" \
        --bind-address=127.0.0.1 --pid-file="$work/db/pid" --innodb-buffer-pool-size=32M "$@" >mysqld.log 2>&1 &
    mysql_pid=$!
    pids="$pids $mysql_pid"
    tries=0
    until mariadb --no-defaults -S db/s -uroot -e 'SELECT 1' >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 300 ] || fail 'MariaDB starts' mysqld.log
        sleep 0.1
    done
}
stop_mysql() {
    kill "$mysql_pid"
    wait "$mysql_pid" 2>/dev/null || true
}
sql() { mariadb --no-defaults -S db/s -uroot --local-infile=1 "$@"; }
start_mysql --skip-ssl

# --- the same rows -------------------------------------------------------------------------------
"$PINPIPE" data generate --data file --rows 11154 >/dev/null
for table in pinterest_data geolocation_data user_data; do "$PINPIPE" data export $table $table.csv --data file; done
sql <"$schema"
[ "$(sql -N -e 'SELECT COUNT(*) FROM pinterest_data.pinterest_data')" = 11154 ] || fail 'MariaDB has the rows'

# creds [LINE...]: creds.yaml, with lines that replace its own.
creds() {
    printf 'HOST: 127.0.0.1\nUSER: project_user\nPASSWORD: "pass: #word"\nDATABASE: pinterest_data\nPORT: %s\n' "$port" >all
    for line in "$@"; do sed "/^${line%%:*}:/d" all >less && { cat less; echo "$line"; } >all; done
    cp all creds.yaml
}
creds
serve() {
    rm -f ready.json
    "$PINPIPE" serve --ephemeral --data "$1" --ready-file ready.json >serve.log 2>&1 &
    serve_pid=$!
    pids="$pids $serve_pid"
    until [ -f ready.json ]; do sleep 0.05; done
}
unserve() {
    kill "$serve_pid"
    wait "$serve_pid" 2>/dev/null || true
}
# post DATA [OPTION...]: what a whole run leaves in the topics, a line a record.
post() {
    data=$1
    shift
    "$PINPIPE" emulate batch --data "$data" --concurrency 1 "$@" >"$data.out" 2>"$data.err" || fail "emulate into $data" "$data.out" "$data.err"
    "$PINPIPE" sql --data "$data" --csv 'SELECT topic, partition, offset, value FROM records ORDER BY 1, 2, 3' >"$data.records"
    "$PINPIPE" sql --data "$data" --csv 'SELECT topic, offset, row_number, value_sha256 FROM rows_posted ORDER BY 1, 2' >"$data.ledger" 2>/dev/null ||
        "$PINPIPE" sql --data "$data" --csv 'SELECT * FROM rows_posted ORDER BY 1, 2' >"$data.ledger"
}
serve file
post file --rows 300
unserve
serve mysql
post mysql --rows 300 --creds-path creds.yaml
grep -q "the rows come from MySQL at 127.0.0.1:$port" mysql.err || fail 'it says where the rows come from' mysql.err
[ ! -e mysql/rds.db ] || fail 'no rds.db is needed'
[ "$(wc -l <file.records)" -gt 900 ] && cmp file.records mysql.records || fail 'the posts are the same'
ok 'the same seed posts the same bytes from rds.db and from MariaDB'
"$PINPIPE" verify --data mysql --creds-path creds.yaml >verify.out 2>verify.err || fail 'verify over MySQL' verify.out verify.err
tail -n 1 verify.out | grep -q '^PASS' || fail 'the verdict over MySQL' verify.out
[ ! -e mysql/rds.db ] && [ -z "$(ls -d mysql/rows.* 2>/dev/null)" ] || fail 'verify leaves nothing behind'
ok 'verify reads the rows there too'

# --- somebody's own dump -------------------------------------------------------------------------
creds 'DATABASE: own_dump'
serve dump
post dump --rows 300 --creds-path creds.yaml
unserve
cmp file.records dump.records || fail 'other types, orders and names of columns'
ok 'DOUBLE, DATETIME(6), VARCHAR in latin1, another order and idx for the key: the same bytes'

# --- the copy ------------------------------------------------------------------------------------
for database in pinterest_data own_dump; do
    creds "DATABASE: $database"
    "$PINPIPE" data import --from-creds --creds-path creds.yaml --data copy >import.out 2>import.err || fail 'import' import.out import.err
    [ "$(grep -c ': 11154 rows, keys 0..11153' import.out)" -eq 3 ] || fail 'it counts the rows' import.out
    for table in pinterest_data geolocation_data user_data; do
        "$PINPIPE" data export $table --data copy | cmp - $table.csv || fail "$table is the same"
    done
done
"$PINPIPE" data info --data copy | grep -c copied | grep -qx 3 || fail 'data info says where they came from'
ok 'data import --from-creds copies the three tables'

# --- what may be wrong ---------------------------------------------------------------------------
cp copy/rds.db before
# refused CODE WORDS COMMAND...: with the words on stderr, and never the password.
refused() {
    code=$1
    words=$2
    shift 2
    got=0
    "$PINPIPE" "$@" --data copy --creds-path creds.yaml >out 2>err || got=$?
    [ "$got" -eq "$code" ] || fail "exit $code of $*, not $got" err
    grep -qF -- "$words" err || fail "\"$words\" of $*" err
    ! grep -q 'pass: #word\|wrong-word' out err || fail 'the password is not shown' err
}
each() {
    refused "$1" "$2" data import --from-creds
    refused "$1" "$2" emulate batch --rows 3
    refused "$1" "$2" verify
    "$PINPIPE" doctor --data copy --creds-path creds.yaml >out 2>&1 || true
    grep '^BAD *\(tables\|creds.yaml\)' out | grep -qF -- "$2" || fail "doctor says \"$2\"" out
}
serve copy
creds 'PASSWORD: wrong-word'
each 4 'check USER and PASSWORD of creds.yaml'
creds 'DATABASE: nowhere'
each 4 'Unknown database'
creds 'DATABASE: no_tables'
each 5 'check DATABASE of creds.yaml'
creds 'DATABASE: other_columns'
each 5 'pinterest_data has no column "description"'
creds 'DATABASE: one_too_many'
each 5 'geolocation_data has a column "level_0"'
creds 'DATABASE: empty_tables'
each 4 'has no rows'
creds 'DATABASE: bad_value'
refused 5 'row with the key 7000: date_joined is "0000-00-00 00:00:00"' data import --from-creds
creds 'DATABASE: no_key'
refused 5 'user_data has the key 7 a second time' data import --from-creds
creds 'USER: blind_user'
refused 4 'may not' data import --from-creds
creds 'HOST: nowhere.invalid'
each 3 'is HOST of creds.yaml right?'
creds 'PORT: 1'
each 3 'does a server run there'
creds 'PORT: many'
each 4 'PORT "many" is no port'
creds "HOST: mysql://127.0.0.1:$port"
each 4 'write the name alone'
creds 'USER:'
each 4 'USER is not: add a line'
creds 'SSL_CA: ca.pem'
each 4 'SSL_CA of creds.yaml'
creds "PORT: $(sed -n 's/.*"gateway_url": "http:\/\/127.0.0.1:\([0-9]*\).*/\1/p' ready.json)"
refused 3 'MySQL server' data import --from-creds --timeout 1
creds
printf 'HOST: 127.0.0.1\nPORT: 1\nUSER: nobody\nPASSWORD: x\nDATABASE: y\n' >dead.yaml
for command in 'topics list' 'topics describe workshop.pin' 'connect list' 's3 ls' 'data info'; do
    # shellcheck disable=SC2086
    "$PINPIPE" $command --data copy --creds-path dead.yaml >out 2>err || fail "$command does not read rows" err
done
unserve
cmp copy/rds.db before || fail 'a failed import leaves rds.db as it was'
[ ! -e copy/rds.db.new ] || fail 'a failed import leaves nothing'
ok 'each fault has its words and its exit code, rds.db stays, and other commands do not care'

# --- a server that goes, hangs and comes back ----------------------------------------------------
sql -e "SET GLOBAL wait_timeout = 1"
serve slow
post slow --rows 6 --rate 1.2 --creds-path creds.yaml
unserve
ok 'a connection that the server ended is made anew'
kill -STOP "$mysql_pid"
refused 3 'took too long' data import --from-creds --timeout 0.5
"$PINPIPE" data import --from-creds --data copy --creds-path creds.yaml >out 2>err &
import_pid=$!
sleep 0.5
kill -INT $import_pid
got=0
wait $import_pid || got=$?
kill -CONT "$mysql_pid"
[ $got -eq 5 ] && grep -q stopped err || fail "Ctrl-C ends it (exit $got)" err
ok 'a server that hangs: --timeout counts, Ctrl-C ends it'

# --- TLS -----------------------------------------------------------------------------------------
stop_mysql
start_mysql --ssl-cert="$work/server.pem" --ssl-key="$work/server.key" --ssl-ca="$work/ca.pem" --require-secure-transport=ON
creds
"$PINPIPE" data import --from-creds --creds-path creds.yaml --data copy >out 2>err || fail 'TLS is used where the server has it' err
creds 'SSL_CA: ca.pem' 'HOST: localhost'
"$PINPIPE" data import --from-creds --creds-path creds.yaml --data copy >out 2>err || fail 'TLS with a certificate that is checked' err
"$PINPIPE" doctor --data copy --creds-path creds.yaml >out 2>&1 || true
grep -q 'encrypted (TLS.*its certificate is checked' out || fail 'doctor says how it is encrypted' out
openssl req -x509 -newkey rsa:2048 -nodes -keyout x.key -out other.pem -days 2 -subj /CN=other-ca >>tls.log 2>&1
creds 'SSL_CA: other.pem' 'HOST: localhost'
refused 4 'its TLS cannot be trusted' data import --from-creds
ok 'TLS: used where it is there, a must and checked with SSL_CA'
