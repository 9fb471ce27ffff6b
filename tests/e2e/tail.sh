#!/bin/sh
# pinpipe tail and pinpipe hints: what a server answered, as it comes and before; over restarts, in a pipe and on a terminal.
set -u
. "$(dirname "$0")/lib/serve.sh"
: "${BUILD:?set BUILD to the variant}"
pty=$BUILD/tests/pty_run
esc=$(printf '\033')
unset NO_COLOR
TERM=xterm
export TERM

tail_of() { timeout 20 "$PINPIPE" tail --data "$data" "$@"; }
ask_for() { curl -sS -o answer "$@" || fail "$* is answered" answer; }
wrong() { ask_for "$rest/topics/$1" -H 'Content-Type: application/json' -d '{"records":[]}'; }
start() {
    start_server "$@"
    rest=http://127.0.0.1:$(ready_port rest_url)
}

tail_of --once >out 2>err && fail 'a directory that is not there is no server' out err
[ $? -ne 124 ] || fail 'it ends' err
grep -q 'pinpipe serve' err || fail 'it says what to do' err
mkdir "$data"
chmod 700 "$data"
tail_of --once >out 2>err || fail 'nothing yet is no error' out err
"$PINPIPE" hints --data "$data" >out 2>err || fail 'no mistakes yet is no error' out err
[ ! -s out ] && grep -q '0 kinds of mistakes in 0 requests' err || fail 'it says so' out err
"$PINPIPE" hints --data "$data" --json >out 2>err && [ "$(cat out)" = '[]' ] || fail 'no mistakes as JSON' out err
ok 'without a server there is nothing, and that is no failure'

# It follows from before the server's start, over its end and the next one.
"$PINPIPE" tail --data "$data" >followed 2>err &
follower=$!
start
ask_for "$rest/topics"
wrong workshop.pin
await 'a request is followed' grep -q 'hint: application/json is refused' followed
stop_server
start
ask_for "$rest/topics/workshop.geo"
await 'the server that came back is followed' grep -q 'GET  /topics/workshop.geo 200' followed
kill -INT "$follower"
wait "$follower" || fail 'Ctrl-C is a clean end' followed err
[ "$(grep -c . followed)" -eq 4 ] || fail 'each request is one line, a hint another' followed
grep -Eq '^[0-9:.]{12}Z rest    POST /topics/workshop.pin 415  [0-9]+ us$' followed || fail 'a request is a line' followed
[ ! -s err ] || fail 'in a pipe nothing else is said' err
ok 'tail follows a server over a restart, and ends cleanly at Ctrl-C'

wrong workshop.pin
wrong workshop.user
ask_for "$rest/topics/nosuch.one"
ask_for "$rest/topics/nosuch.two"
tail_of --once --last 2 >out 2>err || fail 'the last two' out err
[ "$(grep -c ' GET ' out)" -eq 2 ] && [ "$(grep -c ' POST ' out)" -eq 0 ] || fail '--last counts requests' out
tail_of --once --errors --last 100 >out 2>err || fail 'errors' out err
grep -q ' 200 ' out && fail '--errors has errors only' out
[ "$(grep -c '^[0-9].*Z ' out)" -eq 5 ] || fail '--errors has all of them' out
tail_of --once --topic workshop.geo >out 2>err || fail 'a topic' out err
[ "$(grep -c '^' out)" -eq 1 ] && grep -q workshop.geo out || fail '--topic has its requests only' out
tail_of --once --hints --json --last 1 >out 2>err || fail 'json' out err
grep -Eq '^\{"type":"request","time":"20[0-9T:.-]+Z","service":"rest","method":"GET","path":"/topics/nosuch.two","status":404,"error_code":"40403","latency_us":[0-9]+,"request_bytes":0,"response_bytes":[0-9]+,"hint":"there is no topic nosuch.two: .*"\}$' out ||
    fail '--json is an object a line' out
ok 'what happened before, by errors, hints and topic, as text and as JSON'

"$PINPIPE" hints --data "$data" >out 2>err || fail 'hints' out err
[ "$(grep -c '^ *[0-9]*x ' out)" -eq 2 ] || fail 'a kind of mistakes is there once' out
grep -Eq '^    3x [0-9:.]{12}Z rest    POST /topics/workshop.user 415 ' out || fail 'with its count and the latest request' out
grep -q '^    2x .*/topics/nosuch.two 404' out || fail 'names make no kind of their own' out
grep -q 'hint: there is no topic nosuch.two: create it' out || fail 'the fix is below' out
grep -q '2 kinds of mistakes in 7 requests' err || fail 'the sum is on stderr' err
"$PINPIPE" hints --data "$data" --json >out 2>err || fail 'hints as JSON' out err
grep -q '^\[{"count":3,"hint":"application/json is refused' out || fail 'one JSON document' out
ok 'hints lists each kind of mistakes with its count, the fix and the latest request'

# A reader that has seen enough ends it.
wrong workshop.pin
timeout 20 "$PINPIPE" tail --data "$data" --last 5 2>err | head -1 >out
[ "$(grep -c '^' out)" -eq 1 ] || fail 'a reader may leave' out err
stop_server
ok 'tail ends when its reader has gone'

# The log of a server in the background; its lines stand among the requests by their time.
cat >"$data/server.log" <<'E'
pinpipe serves
2020-01-01T00:00:00.000Z info  server  long ago
2020-01-01T00:00:00.001Z info  rest    POST /topics/t: 415, hint: told by the journal
2020-01-01T00:00:00.002Z warn  store   others can read it
2099-01-01T00:00:00.000Z error store   the disk is full
E
tail_of --once --last 100 >out 2>err || fail 'with a log' out err
sed -n 1p out | grep -q '^00:00:00.000Z info server long ago$' || fail 'old lines come first' out
sed -n '$p' out | grep -q '^00:00:00.000Z error store the disk is full$' || fail 'new lines come last' out
grep -q 'told by the journal' out && fail 'a hint is told once' out
tail_of --once --last 100 --errors >out 2>err || fail 'errors of the log' out err
grep -q 'others can read it' out && grep -q 'the disk is full' out || fail '--errors has the warnings and errors of the log' out
grep -q 'long ago' out && fail '--errors has nothing else of the log' out
tail_of --once --last 100 --json >out 2>err || fail 'json of the log' out err
grep -q '^{"type":"log","time":"2020-01-01T00:00:00.000Z","level":"info","area":"server","message":"long ago"}$' out || fail 'the log as JSON' out
ok 'the log of a server in the background is followed too'

# Nothing that a stranger wrote moves the terminal, or makes a line of its own.
hostile="x'1b5b324ac29b324ae280ae0a46414b45'"
"$BUILD/tests/edit_db" "$data/journal.db" "INSERT INTO request SELECT max(id) + 1, max(time_ms), 'mysql', 'QUERY', CAST($hostile AS TEXT), 1064,
    CAST($hostile AS TEXT), 1, 1, 1, CAST($hostile AS TEXT) FROM request" >out 2>&1 || fail 'a hostile row' out
printf '2099-01-01T00:00:01.000Z warn  store   \033[2J\302\2332J\n' >>"$data/server.log"
for command in 'tail --once --last 3' 'tail --once --hints --last 2' hints; do
    # shellcheck disable=SC2086
    "$pty" "$PINPIPE" $command --data "$data" >screen 2>err || fail "$command on a terminal" screen err
    grep -q "$esc\[36m" screen || fail "$command has colours on a terminal" screen
    sed "s/$esc\[[0-9]*m//g" screen | tr -d '\r' >plain
    LC_ALL=C grep -q '[^ -~]' plain && { cat -v plain >visible; fail "$command: it moved the terminal" visible; }
    grep -q '^FAKE' plain && fail "$command: nobody adds a line" plain
    grep -q '\\x1b\[2J' plain || fail "$command: it was not shown" plain
    # shellcheck disable=SC2086
    "$PINPIPE" $command --data "$data" >out 2>err || fail "$command in a pipe" out err
    grep -q '^FAKE' out && fail "$command: nobody adds a line in a pipe either" out
    NO_COLOR=1 "$pty" "$PINPIPE" $command --data "$data" >screen 2>err
    grep -q "$esc" screen && fail "$command: NO_COLOR shows none" screen
done
rm -f stop
"$pty" -c stop "$PINPIPE" tail --data "$data" --last 1 >screen 2>err &
follower=$!
await 'it says what it follows' grep -q 'Ctrl-C ends it' screen
touch stop
wait "$follower" || fail 'Ctrl-C is a clean end on a terminal' screen err
ok 'nothing that a client sent moves the terminal'

printf 'my diary, which is no journal of anybody\n' >"$data/journal.db"
rm -f "$data/journal.db-wal" "$data/journal.db-shm"
"$PINPIPE" hints --data "$data" >out 2>err && fail 'a damaged journal is told' out err
grep -q 'journal.db' err || fail 'by its name' err
tail_of --once >out 2>err && fail 'tail tells it too' out err
grep -q 'journal.db' err || fail 'tail names it too' err
ok 'a file that is no journal is named'
