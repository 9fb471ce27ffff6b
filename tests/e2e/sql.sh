#!/bin/sh
# `pinpipe sql` beside a running server: it reads everything and changes nothing.
set -u
. "$(dirname "$0")/lib/serve.sh"

sql() { "$PINPIPE" sql --data "$data" "$@" >out 2>err; }

"$PINPIPE" sql --data "$work/none" 'SELECT 1' >out 2>err
[ $? -eq 4 ] && grep -q 'pinpipe serve' err || fail 'no directory is exit 4 and names what makes one' out err
ok 'no directory is exit 4 and names what makes one'

"$PINPIPE" data generate --data "$data" --rows 50 >/dev/null
start_server
sql 'SELECT method, path, status FROM requests'
"$PINPIPE" emulate batch --data "$data" --rows 10 >/dev/null 2>&1 || fail 'ten rows are posted'
"$PINPIPE" topics list --data "$data" >/dev/null || fail 'topics are listed'
sql "SELECT count(*) FROM requests WHERE path LIKE '/v3/clusters/%/topics'" || fail 'requests' out err
[ "$(sed 1d out)" = 1 ] || fail 'the request just answered is in the journal' out
ok 'the request just answered is in the journal'

for name in topics records record group_offsets objects connectors rows_posted requests pinterest_data geolocation_data user_data \
    state.records rds.user_data ledger.rows_posted journal.requests; do
    sql "SELECT count(*) AS n FROM $name" || fail "$name can be asked" out err
done
sql "SELECT p.category, r.offset FROM records r JOIN rows_posted l USING (topic, partition, offset)
     JOIN pinterest_data p ON p.\"index\" = l.row WHERE l.kind = 'pin' LIMIT 1" || fail 'files can be joined' out err
[ "$(wc -l <out)" -eq 2 ] || fail 'files can be joined' out
ok 'every view and table of the contract can be asked, with and without its schema, and joined'

before=$(ask 'SELECT count(*) FROM record')
for statement in 'DELETE FROM record' 'UPDATE topic SET name = 1' 'DROP VIEW records' 'CREATE TABLE x (a)' \
    'INSERT INTO pinterest_data DEFAULT VALUES' 'PRAGMA journal_mode=DELETE' 'PRAGMA state.user_version=9' \
    "VACUUM INTO 'copy.db'" "ATTACH 'other.db' AS other" 'BEGIN IMMEDIATE' 'SELECT 1; DELETE FROM record'; do
    sql "$statement" && fail "$statement is refused" out err
    [ -s err ] || fail "$statement: the refusal is told" out
done
[ ! -e copy.db ] && [ ! -e other.db ] || fail 'no file was made'
[ "$(ask 'SELECT count(*) FROM record')" = "$before" ] || fail 'nothing was changed'
ok 'nothing but reading is possible'

# Headers lie in the file as Kafka's bytes; what is shown is the text that v3 takes.
cluster=$(ask "SELECT value FROM meta WHERE name = 'cluster_id'")
topic=$(ask "SELECT topic FROM topics WHERE topic LIKE '%.geo'")
headers='[{"name":"a","value":"QQ=="},{"name":"b\u00fc","value":null}]'
curl -fsS -o out "http://127.0.0.1:$(ready_port rest_url)/v3/clusters/$cluster/topics/$topic/records" \
    -H 'Content-Type: application/json' -d "{\"headers\":$headers,\"value\":{\"type\":\"JSON\",\"data\":1}}" ||
    fail 'a record with headers is produced' out
asked='WHERE headers IS NOT NULL ORDER BY id DESC LIMIT 1'
shown='[{"name":"a","value":"QQ=="},{"name":"bü","value":null}]'
[ "$(ask "SELECT headers = '$shown' FROM record $asked")" = 1 ] || fail 'headers are shown as text'
[ "$(ask "SELECT hex(headers) FROM state.record $asked")" = 04026102410662C3BC01 ] || fail "headers are Kafka's bytes"
[ "$(ask "SELECT record_headers_text(headers) = '$shown' FROM state.record $asked")" = 1 ] || fail 'the function shows them'
ok 'headers of records are shown as JSON'

# plan SQL: how SQLite goes about it.
plan() { ask "EXPLAIN QUERY PLAN $1" >out; }
for by in "id = 7" "tp = 1 AND offset = 7" "tp = 1 ORDER BY offset DESC LIMIT 1"; do
    plan "SELECT * FROM record WHERE $by" || fail "the plan of $by"
    grep -q 'SEARCH.*\(PRIMARY KEY\|record_tp_offset\)' out && ! grep -qE 'SCAN|TEMP B-TREE' out ||
        fail "records are found by $by without reading all" out
done
plan "SELECT topic, count(*) FROM records GROUP BY topic"
grep -q 'SEARCH r USING COVERING INDEX record_tp_offset' out || fail 'records of topics are counted in the index' out
plan "SELECT * FROM record ORDER BY id DESC LIMIT 5"
! grep -q 'TEMP B-TREE' out || fail 'the latest records come without sorting' out
ok "records are found by the table's indexes, headers as text or not"

sql 'SELEC 1' && fail 'a mistake is no success'
[ $? -ne 0 ] && grep -q 'syntax error' err || fail 'a mistake in SQL is told' err
sql 'SELECT * FROM nothere'
[ $? -eq 5 ] && grep -q 'Views: topics, records' err || fail 'an unknown table names those there are' err
sql ''
[ $? -eq 2 ] || fail 'an empty text is exit 2' err
sql 'SELECT 1' --json --csv
[ $? -eq 2 ] || fail '--json and --csv exclude each other' err
sql 'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c' --timeout 100
[ $? -eq 5 ] && grep -q 'longer than --timeout 100 ms' err || fail 'an endless statement is ended' err
ok 'mistakes and endless statements are told'

sql "SELECT 'a,\"b\"' AS t, NULL AS n, '' AS e, x'00ff' AS b, 1.5 AS d" --csv || fail 'csv' err
[ "$(tr -d '\r' <out | tail -1)" = '"a,""b""",,"",x'"'00ff'"',1.5' ] || fail 'CSV quotes, and tells NULL from empty' out
ok 'CSV quotes, and tells NULL from empty'

# On a terminal a row fits the line; elsewhere values are whole. (util-linux's script makes the terminal.)
long='SELECT topic, value, 7 AS last FROM records LIMIT 3'
if script -qc true /dev/null </dev/null >/dev/null 2>&1; then
    script -qc "stty cols 70; '$PINPIPE' sql --data '$data' '$long'" /dev/null </dev/null | tr -d '\r' >out
    awk '{ gsub(/\342\200\246/, "."); if (length($0) > 75) exit 1 }' out || fail 'a terminal gets lines that fit' out
    grep -q '7$' out || fail 'a terminal gets every column' out
    script -qc "stty cols 70; '$PINPIPE' sql --full --data '$data' '$long'" /dev/null </dev/null >out
    grep -q 'country"' out || fail '--full gives whole values' out
    ok 'on a terminal rows fit the line, --full gives whole values'
fi
sql "$long" && grep -q '"country":.*}  7$' out || fail 'a pipe gets whole values' out
ok 'a pipe gets whole values'

sql "SELECT char(27) || '[31m' || char(155) || 'm' || char(10) || 'x' AS v" || fail 'control characters' out err
[ "$(tail -n 1 out)" = "$(printf '\033[31m\302\233m x')" ] || fail 'a row is a line, else a pipe gets the bytes' out
many="WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 90) SELECT printf('%.*c', 1000000, 'a') FROM c"
"$PINPIPE" sql --data "$data" "$many" >out 2>err || fail 'large values' err
[ "$(wc -c <out)" -gt 90000000 ] || fail 'no large value is left out of a table'
sql 'SELECT zeroblob(1000000000)' && fail 'a value beyond the limit is refused'
grep -q 'too big' err || fail 'a value beyond the limit is told' err
ok 'control characters do no harm, large values are whole or refused'
stop_server
sql 'SELECT count(*) FROM records' || fail 'without a server, too' out err
ok 'the files can be asked without a server, too'
