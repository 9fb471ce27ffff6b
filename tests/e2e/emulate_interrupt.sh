#!/bin/sh
# Ctrl-C: the emulator stops between two requests and says which triple is partial.
set -u
. "$(dirname "$0")/lib/serve.sh"

"$PINPIPE" data generate --data "$data" --rows 500 >/dev/null || fail 'rows are generated'
start_server

# acked_is_partial: a number of records that is no multiple of three is in the topics.
acked_is_partial() {
    count=$(ask 'SELECT count(*) FROM record')
    [ "$count" -gt 6 ] && [ $((count % 3)) -ne 0 ]
}

# The signal may come just after a third post, which is no mistake: then try again.
tries=0
partial=null
while [ "$partial" = null ]; do
    tries=$((tries + 1))
    [ $tries -le 8 ] || fail 'an interrupted run leaves a partial triple' out err
    "$PINPIPE" emulate batch --data "$data" --forever --order sequential --concurrency 1 --rate 10 --json >out 2>err &
    pid=$!
    await 'a triple is half posted' acked_is_partial
    kill -INT $pid
    wait $pid
    code=$?
    [ "$(json_number out end)" = interrupted ] || fail 'the summary says that it was interrupted' out err
    partial=$(json_number out first_partial)
done
[ $code -eq 5 ] || fail "a partial triple is exit 5, not $code" out err
ok 'an interrupted run prints its summary and exits 5'

run=$(json_number out run)
triple=$(json_number out triple)
row=$(json_number out row)
[ "$triple" = "$row" ] || fail 'the partial triple is named with its row' out
ask "SELECT kind || ' ' || state || ' ' || coalesce(reason, '') FROM rows_posted
     WHERE run = $run AND triple = $triple ORDER BY kind" >got
grep -q '^pin acked' got && grep -q '^user failed not sent' got || fail 'the ledger says which posts are missing' got
[ "$(ask "SELECT count(*) FROM rows_posted WHERE run = $run AND triple > $triple")" = 0 ] ||
    fail 'nothing behind the partial triple was meant'
[ "$(ask "SELECT count(*) FROM rows_posted WHERE state IN ('intent', 'in doubt')")" = 0 ] || fail 'nothing is in doubt'
ok 'the ledger says which triple is partial and that nothing is in doubt'

[ "$(ask "SELECT count(*) FROM rows_posted WHERE state = 'acked'")" = "$(ask 'SELECT count(*) FROM record')" ] ||
    fail 'every record has its acknowledgement'
ok 'every record in the topics has its acknowledgement in the ledger'
