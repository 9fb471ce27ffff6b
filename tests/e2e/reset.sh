#!/bin/sh
# `pinpipe reset`: topics, lake, ledger, journal, each alone and all together, so that the next verdict is about what is posted
# then. The tables stay, a running server keeps what it has, nothing goes without a yes, and no file of another program.
set -u
. "$(dirname "$0")/lib/serve.sh"
bucket=s3://user-workshop-bucket
reset() { "$PINPIPE" reset --data "$data" "$@" >out 2>err </dev/null; }
tool() { "$PINPIPE" "$@" --data "$data" >out 2>err || fail "$*" out err; }
# counts: records, objects, connectors, posts of the ledger.
count() { "$PINPIPE" sql --data "$data" --csv "SELECT count(*) FROM $1" 2>/dev/null | tr -d '\r' | sed 1d; }
counts() { echo "$(count records) $(count objects) $(count connectors) $(count rows_posted)"; }
# fill: a pipeline with four rows, judged.
fill() {
    start_server
    tool connect create
    tool emulate batch --rows 4 --order sequential
    tool verify --through s3
    stop_server
}

reset --yes || fail 'no directory is nothing to do' err
[ ! -e "$data" ] || fail 'and makes none'
tool data generate --rows 10
fill
[ "$(counts)" = '12 12 1 12' ] || fail "the pipeline has run ($(counts))"
reset
[ $? -eq 2 ] && grep -q -e '--yes' err || fail 'without a terminal --yes is needed' out err
reset --topics
[ $? -eq 2 ] || fail 'also for a part' err
[ "$(counts)" = '12 12 1 12' ] || fail 'and nothing went'
ok 'without --yes nothing goes where nobody can be asked'

start_server
for parts in '' --all --topics --lake '--topics --ledger'; do
    # shellcheck disable=SC2086
    reset --yes $parts
    [ $? -eq 4 ] && grep -q "a server (pid $server_pid) runs.*pinpipe stop" err || fail "a running server is left alone ($parts)" err
done
[ "$(counts)" = '12 12 1 12' ] || fail 'and nothing went'
reset --yes --ledger || fail 'the ledger is not the server'"'"'s' err
[ ! -e "$data/ledger.db" ] || fail 'it is gone'
stop_server
ok 'a server that runs keeps what it has'

# --- parts
reset --yes --topics || fail 'the topics' err
start_server
[ "$(count records)" = 0 ] && [ "$(count objects)" = 12 ] && [ "$(count connectors)" = 1 ] || fail "topics alone: $(counts)"
"$PINPIPE" topics list --data "$data" >out 2>err || fail 'topics' err
for topic in pin geo user; do grep -q "workshop.$topic" out || fail "workshop.$topic is there, as in a new directory" out; done
[ "$(count group_offsets)" = 0 ] || fail 'no commit is left'
tool emulate batch --rows 4 --order sequential
tool verify --through s3 # the connector begins anew, and writes its objects again
stop_server
ok '--topics: records and commits go, the connector lands the new ones from the first on'
reset --yes --lake || fail 'the lake' err
start_server
[ "$(counts)" = '12 0 0 12' ] || fail "the lake alone: $(counts)"
tool s3 ls
grep -q user-workshop-bucket out || fail 'the bucket is there, as in a new directory' out
tool connect create
tool verify --through s3
[ "$(counts)" = '12 12 1 12' ] || fail "a connector of the same name lands everything again: $(counts)"
stop_server
ok '--lake: objects and connectors go, a new connector lands every record again'
id=$(ask "SELECT value FROM state.meta WHERE name = 'cluster_id'")
reset --yes || fail 'all' err
grep -q 'removed from .*topics.*buckets.*ledger.*journal.*The tables stay' err || fail 'it says what went' err
for file in state.db state.db-wal ledger.db ledger.db-wal journal.db; do [ ! -e "$data/$file" ] || fail "$file is gone"; done
"$PINPIPE" data info --data "$data" >out 2>err || fail 'the tables stay' err
fill
[ "$(ask "SELECT value FROM state.meta WHERE name = 'cluster_id'")" != "$id" ] || fail 'another cluster'
ok 'all: the next run is judged by itself, the tables are those of before'

# --- what is damaged, what is not ours
head -c 65536 /dev/urandom >"$data/state.db"
head -c 65536 /dev/urandom >"$data/ledger.db"
reset --yes --topics
[ $? -eq 4 ] || fail 'a part of a damaged file cannot be emptied' err
reset --yes || fail 'but all of it goes' err
fill
ok 'a damaged directory is mended by a reset of all'
"$BUILD/tests/edit_db" "$data/state.db" "PRAGMA application_id = 77" >edited 2>&1 || fail 'another application id' edited
reset --yes
[ $? -eq 4 ] && grep -q 'another program' err && [ -s "$data/state.db" ] || fail "another program's file stays" err
reset --yes --ledger || fail "the ledger alone" err
rm -f "$data"/state.db*
ok 'a state.db of another program stays'

fill
start_server
"$PINPIPE" emulate batch --forever --rate 50 --data "$data" >emulated 2>&1 &
emulator=$!
await 'the emulator posts' sh -c "[ \"\$('$PINPIPE' sql --data '$data' --csv 'SELECT count(*) > 15 AS n FROM rows_posted' | tail -1 | tr -d '\\r')\" = 1 ]"
reset --yes --ledger
code=$?
kill -INT $emulator
wait $emulator
[ $code -eq 4 ] && grep -q 'has it open' err || fail "a ledger that is written stays ($code)" err
tool verify
stop_server
ok 'the ledger of an emulator at work stays'

if [ "$(id -u)" = 0 ]; then
    chown 65534 "$data"
    reset --yes
    [ $? -eq 4 ] && grep -q 'uid 65534' err || fail 'the directory of another user' err
    chown 0 "$data"
    ok 'the directory of another user is left alone'
fi

# --- a terminal is asked
before=$(counts)
for answer in n '' no; do
    "$BUILD/tests/pty_run" -i "$answer" "$PINPIPE" reset --data "$data" >out 2>err
    code=$?
    [ $code -eq 5 ] && grep -q 'Remove from .*topics.*y/N' out && grep -q 'nothing was removed' out || fail "\"$answer\" is a no ($code)" out err
done
[ "$(counts)" = "$before" ] || fail 'and nothing went'
"$BUILD/tests/pty_run" -i y "$PINPIPE" reset --data "$data" >out 2>err || fail 'a yes is exit 0' out err
[ ! -e "$data/state.db" ] && [ ! -e "$data/ledger.db" ] && [ -e "$data/rds.db" ] || fail 'and everything but the tables goes'
ok 'on a terminal it asks, and only a yes is one'
