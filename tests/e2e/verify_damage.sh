#!/bin/sh
# A whole pipeline is damaged once per kind while the server is stopped; verify must find exactly
# that, name it and its first offender, and say FAIL; what the ledger accounts for must pass.
set -u
. "$(dirname "$0")/lib/damage.sh"
. "$(dirname "$0")/lib/serve.sh"

strict=
verify() { "$PINPIPE" verify --data "$data" $strict "$@" >out 2>err; }

"$PINPIPE" data generate --data "$data" >/dev/null || fail 'rows are generated'
start_server
"$PINPIPE" emulate batch --data "$data" --rows 40 --order sequential >out 2>&1 || fail 'rows are posted' out

verify --json --junit junit.xml || fail 'a clean pipeline passes' out err
[ "$(json_number out records)" = 120 ] && [ "$(json_number out matched)" = 120 ] ||
    fail 'every record is matched' out
grep -q 'tests="9" failures="0"' junit.xml || fail '--junit writes a suite without failures' junit.xml
verify || fail 'a clean pipeline passes as text' out err
tail -n 1 out | grep -q '^PASS 120 records' || fail 'the last line begins with PASS' out
verify --tap || fail 'a clean pipeline passes as TAP' out err
[ "$(grep -c '^ok ' out)" = 9 ] || fail 'TAP has a line a kind' out
ok 'a clean pipeline passes as text, JSON, JUnit and TAP'

verify --through streams
[ $? -eq 4 ] || fail '--through streams is exit 4' out err
grep -q 'not in this build yet' err || fail '--through streams says so' err
verify --json --tap
[ $? -eq 2 ] || fail '--json with --tap is exit 2' out err
ok 'what this build cannot do is refused by name'
stop_server
keep

pin="(SELECT p.tp FROM partition p JOIN topic t ON t.id = p.topic_id WHERE t.name = 'workshop.pin')"
geo="(SELECT p.tp FROM partition p JOIN topic t ON t.id = p.topic_id WHERE t.name = 'workshop.geo')"

must_pass() {
    judge || fail "$1 passes" out err
    grep -q "note  $1 *$2 " out || fail "$1 is reported" out
    ok "$1: reported, and passes"
    restore
}

damage state "DELETE FROM record WHERE tp = $pin AND offset IN (7, 9)"
must_fail 'missing' 2 'workshop.pin partition 0 offset 7, row 7 of pinterest_data (ledger 22, run 1, triple 7)'

damage state "DELETE FROM record WHERE tp = $geo AND offset = 39"
must_fail 'missing' 1 'workshop.geo partition 0 offset 39'

damage state "INSERT INTO record (tp, offset, timestamp, key, value)
    SELECT tp, 40, timestamp, key, value FROM record WHERE tp = $pin AND offset = 3"
must_fail 'doubled' 1 'workshop.pin partition 0 offset 40, row 3 of pinterest_data (ledger 10, run 1, triple 3)'

damage state "UPDATE record SET value = CAST(replace(CAST(value AS TEXT), '\"country\":\"', '\"country\":\"X') AS BLOB)
    WHERE tp = $geo AND offset = 5"
must_fail 'altered' 1 'workshop.geo partition 0 offset 5, row 5 of geolocation_data, field country (ledger 17, run 1, triple 5)'

damage rds "UPDATE user_data SET age = age + 1 WHERE ind = 4"
must_fail 'altered' 1 'workshop.user partition 0 offset 4, row 4 of user_data, field age (ledger 15, run 1, triple 4)'

damage state "UPDATE record SET tp = $geo, offset = 40 WHERE tp = $pin AND offset = 6"
must_fail 'misrouted' 1 'workshop.geo partition 0 offset 40, row 6 of pinterest_data (ledger 19, run 1, triple 6): it was posted to workshop.pin'

damage state "UPDATE record SET offset = CASE offset WHEN 3 THEN 1008 ELSE 1003 END WHERE tp = $pin AND offset IN (3, 8);
    UPDATE record SET offset = offset - 1000 WHERE tp = $pin AND offset > 1000"
must_fail 'out of order' 2 'workshop.pin partition 0 offset 3, row 8 of pinterest_data (ledger 25, run 1, triple 8): acknowledged at partition 0 offset 8'

damage ledger "UPDATE post SET offset = 700 WHERE tbl = 0 AND offset = 12"
must_fail 'acked elsewhere' 1 'workshop.pin partition 0 offset 12, row 12 of pinterest_data (ledger 37, run 1, triple 12): acknowledged at partition 0 offset 700'

damage ledger "DELETE FROM post WHERE id = 120"
damage state "DELETE FROM record WHERE tp NOT IN ($pin, $geo) AND offset = 39"
must_fail 'partial, unexplained' 1 'workshop.geo partition 0 offset 39, row 39 of geolocation_data'

damage ledger "DELETE FROM post WHERE triple = 11"
judge || fail 'a row that the ledger does not know passes' out err
[ "$(tail -n 1 out)" = 'PASS 120 records in 3 topics: 117 accounted for by 117 posts of the emulator, 3 records of your own script' ] ||
    fail 'as one of an own script' out
ok 'a row that the ledger does not know is of an own script'
strict=--strict
must_fail 'unexplained' 3 'workshop.pin partition 0 offset 11, row 11 of pinterest_data'
strict=

damage state "INSERT INTO record (tp, offset, timestamp, value) VALUES ($geo, 40, 1, CAST('hello {' AS BLOB))"
must_fail 'unexplained' 1 'workshop.geo partition 0 offset 40: it is no row of a table'

damage ledger "UPDATE post SET state = 2, partition = NULL, offset = NULL, acked_ms = NULL WHERE id = 30"
must_fail 'refused but kept' 1 'workshop.user partition 0 offset 9, row 9 of user_data (ledger 30, run 1, triple 9)'

damage state "INSERT INTO record (tp, offset, timestamp, key, value)
    SELECT tp, 40, timestamp, key, value FROM record WHERE tp = $pin AND offset = 3"
damage ledger "UPDATE post SET attempts = 2, maybe_kept = 1 WHERE tbl = 0 AND offset = 3"
must_pass 're-sent by a retry' 1

damage ledger "UPDATE post SET state = 0, partition = NULL, offset = NULL, acked_ms = NULL WHERE id = 31"
must_pass 'in doubt, kept' 1

damage ledger "UPDATE post SET state = 3, maybe_kept = 1, partition = NULL, offset = NULL WHERE id = 118"
damage state "DELETE FROM record WHERE tp = $pin AND offset = 39"
must_pass 'in doubt, not kept' 1

start_server
"$PINPIPE" emulate batch --data "$data" --rows 40 --order sequential >out 2>&1 || fail 'a re-run' out
verify --json || fail 'a re-run passes' out err
grep -q '"resent_by_rerun":{"count":120,"fails":false' out || fail 'a re-run is told apart' out
ok 're-sent by a re-run: reported, and passes'
port=$(ready_port gateway_url)
mkdir elsewhere
mv "$data/ledger.db" elsewhere/
verify || fail 'without the ledger the tables judge' out err
[ "$(tail -n 1 out)" = 'PASS 240 records of your own script in 3 topics' ] || fail 'and say whose records they are' out
verify --strict
[ $? -eq 4 ] || fail 'no ledger is exit 4 with --strict' out err
grep -q 'pinpipe emulate batch' err || fail 'no ledger names what makes one' err
mv elsewhere/ledger.db "$data/"
ok 'without a ledger the tables judge; with --strict it is exit 4 and names what makes one'
stop_server

verify --invoke-url "http://127.0.0.1:$port/test"
[ $? -eq 3 ] || fail 'no server is exit 3' out err
grep -q 'pinpipe serve' err || fail 'no server names what to start' err
ok 'no server is exit 3 and names what to start'

restore
rm -f "$data"/state.db* "$data"/server.json
start_server
verify
[ $? -eq 4 ] || fail 'another cluster is exit 4' out err
grep -q 'cluster' err || fail 'another cluster is named' err
ok 'the ledger of another cluster is exit 4'
