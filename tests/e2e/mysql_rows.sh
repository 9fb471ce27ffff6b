#!/bin/sh
# Our own MySQL as the source of rows: creds.yaml names it, and the tools read there what rds.db holds.
. "$(dirname "$0")/lib/serve.sh"

"$PINPIPE" data generate --data "$data" >out || fail 'the tables' out
start_server --mysql-credentials 'project_user:pass word'
port=$(sed -n 's/.*"mysql_url": *"mysql:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p' ready.json)
cat >creds.yaml <<END
HOST: localhost
USER: project_user
PASSWORD: pass word
DATABASE: pinterest_data
PORT: $port
END

"$PINPIPE" data import --from-creds --creds-path creds.yaml --data copy >out 2>err ||
    fail 'data import --from-creds' out err
for table in pin geo user; do
    "$PINPIPE" data export $table --data "$data" >here
    "$PINPIPE" data export $table --data copy >there
    cmp -s here there || fail "the copy of $table is the same"
done
[ "$("$PINPIPE" data info --data copy | grep -c copied)" -eq 3 ] || fail 'data info says copied'
ok 'the three tables are copied from our own MySQL'

# values ROUND: what a run of the same seed has left in the topics behind the one before it.
values() {
    ask "SELECT topic, value FROM records WHERE offset >= $1 AND offset < $1 + 40 ORDER BY topic, offset" >"values.$1"
}
"$PINPIPE" emulate batch --rows 40 --data "$data" >out 2>err || fail 'emulate from rds.db' out err
"$PINPIPE" emulate batch --rows 40 --data "$data" --creds-path creds.yaml >out 2>err || fail 'emulate from MySQL' out err
grep -q "the rows come from MySQL at localhost:$port" err || fail 'it says where they come from' err
values 0
values 40
[ "$(wc -l <values.0)" -eq 120 ] && cmp -s values.0 values.40 || fail 'the posts are the same bytes' values.0 values.40
"$PINPIPE" verify --data "$data" --creds-path creds.yaml >out 2>err || fail 'verify reads the rows there' out err
tail -n 1 out | grep -q '^PASS' || fail 'the verdict' out
ls -d "$data"/rows.* >out 2>/dev/null && fail 'nothing is left behind' out
ok 'the same seed posts the same bytes from rds.db and from MySQL, and verify agrees'

"$PINPIPE" doctor --data "$data" --creds-path creds.yaml >out 2>&1
grep -q "^ok *tables *localhost:$port has 11154 rows a table" out || fail 'doctor asks the server' out
sed 's/pass word/wrong-word/' creds.yaml >wrong.yaml
"$PINPIPE" emulate batch --rows 4 --data "$data" --creds-path wrong.yaml >out 2>err
[ $? -eq 4 ] && grep -q '(1045): check USER and PASSWORD of creds.yaml' err || fail 'a wrong password' err
grep -q wrong-word out err && fail 'the password is not shown' err
ok 'doctor asks it, and a wrong password is exit 4'

stop_server
"$PINPIPE" data import --from-creds --creds-path creds.yaml --data copy >out 2>err
[ $? -eq 3 ] && grep -q 'does a server run there' err || fail 'a server that has gone' err
"$PINPIPE" data export user --data copy | cmp -s - there || fail 'the copy stays'
ok 'without a server it is exit 3, and the copy stays'
