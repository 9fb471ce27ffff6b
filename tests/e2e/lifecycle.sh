#!/bin/sh
# `pinpipe up`, `wait`, `status`, `stop`: a server in the background for scripts. Two at once, a killed server, a stale
# server.json, a directory of another user: who starts finds one server, and nothing that a dead one left is taken for it.
set -u
. "$(dirname "$0")/lib/serve.sh"
up() { "$PINPIPE" up --ephemeral --data "$data" "$@" >out 2>err; }
stop() { "$PINPIPE" stop --data "$data" >out 2>err; }
trap '"$PINPIPE" stop --data "$data" >/dev/null 2>&1; finish' EXIT

# is CODE WHAT COMMAND...: with --data; the exit code.
is() {
    code=$1
    what=$2
    shift 2
    "$PINPIPE" "$@" --data "$data" >out 2>err
    got=$?
    [ $got -eq "$code" ] || fail "$what (exit $got, not $code)" out err
}
state() { "$PINPIPE" status --json --data "$data" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'; }
pid() { "$PINPIPE" status --json --data "$data" | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'; }
answers() { curl -s -o answer -H 'Accept: */*' "$1/topics" && grep -q workshop.pin answer; }

is 3 'no directory is no server' status
[ "$(state)" = stopped ] || fail 'and JSON says so'
is 0 'nothing to stop is no failure' stop
grep -q 'no server runs' err || fail 'but it is told' err
is 3 'a wait for nobody ends' wait --timeout 0.1
grep -q 'pinpipe up' err || fail 'and says what starts one' err
[ ! -e "$data" ] || fail 'looking makes no directory'
ok 'without a server: status 3, stop 0, wait 3'

# A pipe's reader sees the end though the server goes on.
"$PINPIPE" up --ephemeral --data "$data" 2>err | cat >out || fail 'up is exit 0' err
url=$(sed -n 's/^gateway  *//p' out)
answers "$url" || fail 'up prints the URL of a server that answers' out err
for service in 'REST proxy' Connect S3 'MSK Connect'; do grep -q "^$service  *http://127.0.0.1:" out || fail "$service's URL" out; done
[ "$(stat -c %a "$data/server.log" 2>/dev/null || stat -f %Lp "$data/server.log")" = 600 ] || fail 'the log is its owner'"'"'s'
grep -q 'serves AWS on this laptop; `pinpipe stop` stops it' "$data/server.log" || fail 'the log begins with the summary' "$data/server.log"
ok 'up ends when the server answers, prints its URLs and leaves a log'
is 0 'it runs' status
grep -q "^running (pid $(pid))" out && grep -q "^gateway  *$url$" out || fail 'status names pid and URLs' out
"$PINPIPE" status --json --data "$data" >out
grep -q "\"name\":\"gateway\",\"url\":\"$url\",\"port\":${url##*:}" out ||
    grep -q "\"name\":\"gateway\",\"url\":\"$url\",\"port\":$(printf '%s' "${url##*:}" | sed 's/[^0-9].*//')" out || fail 'JSON has names, URLs and ports' out
before=$(pid)
up || fail 'another up is exit 0' out err
grep -q "runs already (pid $before)" err && grep -q "^gateway  *$url$" out || fail 'and finds the first one' out err
is 0 'wait finds it at once' wait --timeout 5
grep -q "^gateway  *$url$" out || fail 'wait prints the URLs' out
ok 'status, wait and another up find the same server'
stop || fail 'stop is exit 0' out err
grep -q "(pid $before) has ended" err || fail 'it says who has ended' err
kill -0 "$before" 2>/dev/null && [ "$(state)" = running ] && fail 'it has ended'
grep -q 'everything is committed' "$data/server.log" || fail 'cleanly' "$data/server.log"
is 3 'and is not there any more' status
stop || fail 'twice is no failure' err
ok 'stop waits until the server has ended cleanly'

# --- several at once
round=0
while [ $round -lt 5 ]; do
    round=$((round + 1))
    for n in 1 2 3 4 5 6; do
        { "$PINPIPE" up --ephemeral --data "$data" >"up.$n" 2>"err.$n"; echo $? >"code.$n"; } &
    done
    "$PINPIPE" wait --data "$data" >waited 2>wait.err || fail 'a wait beside them finds the server' waited wait.err
    wait
    [ "$(cat code.? | sort -u)" = 0 ] || fail 'each of them is exit 0' err.?
    [ "$(grep -l 'serves in the background' err.? | wc -l)" -eq 1 ] || fail 'one has started the server' err.?
    [ "$(grep -h '^gateway' up.? waited | sort -u | wc -l)" -eq 1 ] || fail 'all name the same one' up.?
    stop || fail 'it is stopped' err
done
ok 'of six that start at once one does, and all find it'
for n in 1 2 3 4; do
    "$PINPIPE" serve --ephemeral --data "$data" >"serve.$n" 2>&1 &
    servers="${servers:-} $!"
    { "$PINPIPE" up --ephemeral --data "$data" >"up.$n" 2>"err.$n" || cat "err.$n" >refused; } &
done
"$PINPIPE" wait --data "$data" >waited 2>wait.err || fail 'one of them serves' wait.err
winner=$(pid)
for n in 1 2 3 4; do await "up $n is through" test -s "err.$n"; done
await 'the rest has given up' sh -c "[ \$(cat serve.? | grep -c 'another server') -ge 3 ]"
[ "$(pid)" = "$winner" ] || fail 'the first one stays'
[ ! -f refused ] || fail 'serve and up at once: up is content with either' refused
stop || fail 'whoever won is stopped' err
wait
ok 'serve beside up: one server, whoever is first'

# --- what the dead leave
up || fail 'a server' err
dead=$(pid)
kill -KILL "$dead"
await 'it is dead' sh -c "! kill -0 $dead 2>/dev/null || [ \"\$('$PINPIPE' status --data '$data' | cut -c 1-7)\" = stopped ]"
[ -f "$data/server.json" ] || fail 'a killed server leaves server.json'
is 3 'a killed server is none' status
is 3 'nor is it waited for' wait --timeout 0.1
stop && grep -q 'no server runs' err || fail 'nor stopped' err
# Its pid is somebody else's by now.
sleep 60 &
stranger=$!
sed "s/\"pid\": *[0-9]*/\"pid\": $stranger/" "$data/server.json" >stale && cat stale >"$data/server.json"
echo "$stranger" >"$data/server.lock"
is 3 'a stale file with the pid of a stranger is no server' status
stop || fail 'stop is content' err
kill -0 "$stranger" || fail 'and kills no stranger'
up || fail 'the next up starts one' out err
[ "$(pid)" != "$dead" ] && [ "$(pid)" != "$stranger" ] || fail 'of its own'
[ -f "$data/server.log.1" ] || fail 'the log of the one before is kept'
stop || fail 'and it stops' err
kill "$stranger"
ok 'a killed server, a stale server.json and a pid of somebody else are no server'

# --- a server that cannot start
start_server
port=$(ready_port gateway_url)
"$PINPIPE" up --data "$work/other" --ephemeral --gateway "$port" >out 2>err
[ $? -eq 4 ] && [ ! -s out ] && grep -q "127.0.0.1:$port.*--gateway" err || fail 'a taken port is exit 4, told where up was typed' out err
"$PINPIPE" status --data "$work/other" >out
[ $? -eq 3 ] || fail 'and nothing runs' out
up --ephemeral && grep -q "runs already (pid $server_pid)" err || fail 'up finds a server in the foreground' err
stop || fail 'and stop ends it' err
wait "$server_pid" || fail 'with exit 0'
server_pid=
[ ! -e ready.json ] || fail 'its ready file is gone at the end'
: >file
"$PINPIPE" up --data file >out 2>err
[ $? -eq 4 ] && grep -q 'data directory.*--data' err || fail 'a file is no directory' err
"$PINPIPE" up --data :memory: >out 2>err
[ $? -eq 2 ] || fail 'in memory nobody would find it' err
ok 'what keeps a server from starting is told by up, with its exit code'

# --- the ready file
printf '{"pid": 1}\n' >ready.json
up --ready-file ready.json || fail 'up takes the options of serve' err
[ "$(json_number ready.json pid)" = "$(pid)" ] || fail 'the ready file is of this server' ready.json
"$PINPIPE" serve --ephemeral --data "$data" --ready-file ready.json >out 2>&1 && fail 'a second server'
[ -f ready.json ] || fail 'a second server that is refused leaves the ready file of the first' out
stop || fail 'stop' err
[ ! -e ready.json ] || fail 'the ready file goes at the end'
ok 'the ready file is removed at the start and at the end'

# --- whose directory
mkdir -m 700 wide && "$PINPIPE" up --ephemeral --data wide >out 2>err || fail 'a directory of our own' err
"$PINPIPE" stop --data wide 2>err || fail 'stop' err
chmod 777 wide
for command in up status wait stop; do
    "$PINPIPE" $command --data wide --timeout 1 >out 2>err
    [ $? -eq 4 ] && grep -q 'others may write to wide: chmod go-w' err || fail "$command in a directory that others may change" out err
done
if [ "$(id -u)" = 0 ]; then
    chmod 700 wide
    chown 65534 wide
    for command in up status wait stop; do
        "$PINPIPE" $command --data wide --timeout 1 >out 2>err
        [ $? -eq 4 ] && grep -q 'uid 65534.*--data' err || fail "$command in a directory of another user" out err
    done
fi
ok 'a directory of another user, or one that others may change, is exit 4 and starts nothing'
