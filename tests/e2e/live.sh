#!/bin/sh
# What serve shows of its requests: on a terminal of its own (tests/fault/pty_run.c) a line each, hints below in another colour,
# repeats as a count, a burst as a summary drawn in place, and nothing of what a client sent moves it; in a pipe the log it always was.
set -u
. "$(dirname "$0")/lib/serve.sh"
: "${BUILD:?set BUILD to the variant}"
pty=$BUILD/tests/pty_run
esc=$(printf '\033')
unset NO_COLOR
TERM=xterm
export TERM

# watch [ENVIRONMENT...] [-- OPTION...]: a server on a terminal, whose screen goes into the file.
watch() {
    rm -f ready.json stop
    environment=
    while [ $# -gt 0 ] && [ "$1" != -- ]; do environment="$environment $1"; shift; done
    [ $# -eq 0 ] || shift
    # shellcheck disable=SC2086
    env $environment "$pty" -c stop "$PINPIPE" serve --ephemeral --data "$data" --ready-file ready.json "$@" >screen 2>err &
    server_pid=$!
    await 'the server is ready' test -f ready.json
    rest=http://127.0.0.1:$(ready_port rest_url)
}
# leave: Ctrl-C; what is left of the screen without colours and without the moving of the cursor is in the file `plain`, each
# drawing of a moving line on a line of its own.
leave() {
    touch stop
    wait "$server_pid" || fail 'Ctrl-C is a clean end' screen err
    server_pid=
    sed "s/$esc\[[0-9]*m//g; s/$esc\[K//g" screen | tr '\r' '\n' >plain
    LC_ALL=C grep -q '[^ -~]' plain && { cat -v plain >visible; fail 'it moved the terminal' visible; }
    return 0
}
ask_for() { curl -sS -o out "$@" || fail "$* is answered" out; }
shown() { grep -q -- "$1" screen; }

watch
ask_for "$rest/topics"
ask_for "$rest/topics/workshop.pin" -H 'Content-Type: application/json' -d '{"records":[]}'
ask_for "$rest/topics/workshop.pin" -H 'Content-Type: application/json' -d '{"records":[]}'
await 'the repeat is shown' shown 'more like it'
ask_for "$rest/topics/x?token=secret&a=1%1b"
await 'the last request is shown' shown 'token='
leave
grep -Eq '^[0-9:.]{12}Z rest    GET  /topics 200  [0-9]+ us$' plain || fail 'a request is a line' plain
grep -Eq '^[0-9:.]{12}Z rest    POST /topics/workshop.pin 415  [0-9]+ us$' plain || fail 'an error is a line' plain
grep -q '^              hint: application/json is refused' plain || fail 'its hint is below it' plain
[ "$(grep -c 'hint: application/json' plain)" -eq 1 ] || fail 'a hint is told once' plain
grep -Eq '^              1 more like it, the last at [0-9:.]{12}Z  [0-9]+ us$' plain || fail 'a repeat is a count' plain
grep -q 'token=\*\*\*&a=1%1b 404' plain || fail 'a secret is none of it' plain
grep -q 'SIGINT: stopping' plain || fail 'the log is there too' plain
grep -q "${esc}\[33m 415" screen || fail 'an error has its colour' screen
grep -q "${esc}\[36m              hint" screen || fail 'a hint has another colour' screen
grep -q "${esc}\[32m 200" screen || fail 'success has its colour' screen
ok 'on a terminal each request is a line, with its hint below'

watch NO_COLOR=1
i=0
while [ $i -lt 60 ]; do echo "url=\"$rest/topics\""; echo 'output=out'; i=$((i + 1)); done >urls
await 'a summary is drawn' sh -c 'curl -sS -K urls && grep -q " requests, [0-9]*/s:  2xx" screen'
# Nobody has to ask for the end of a summary.
await 'the summary stays' sh -c "tail -c 200 screen | grep -Eq '[0-9]+ requests( in [0-9]+ s, [0-9]+/s)?:  2xx [0-9]+;  rest [0-9]+;  longest [0-9]+ us$esc\[K\$'"
leave
grep -q "$esc\[[0-9]*m" screen && fail 'NO_COLOR shows no colours' screen
[ "$(grep -c ' GET  /topics 200' plain)" -le 40 ] || fail 'a burst is no flood of lines' plain
ok 'above 20 a second there is a summary, without colours where none are wanted'

# A client's bytes as they are, and what a hint makes of a name.
watch
for path in '\302\2332J' '\033[2J'; do
    printf "GET /topics/$path HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" |
        curl -sS --max-time 5 "telnet://127.0.0.1:$(ready_port rest_url)" >out 2>&1
done
ask_for "$rest/topics/a%1b%5b2J%0aFAKE%c2%9b%e2%80%ae"
ask_for "$rest/topics/end"
await 'the end is shown' shown /topics/end
leave # looks at each byte of the screen
grep -q ' rest    -    - 400 ' plain || fail 'what is no request is told as such' plain
grep -q 'topics/a%1b%5b2J%0aFAKE%c2%9b%e2%80%ae 404 40403' plain || fail 'a path is shown as it came' plain
grep -q '^FAKE' plain && fail 'nobody adds a line' plain
ok 'nothing that a client sent moves the terminal'

for log in off warn info,rest:warn info,requests:off; do
    watch -- --log "$log"
    ask_for "$rest/topics"
    ask_for "$rest/topics/workshop.pin" -H 'Content-Type: application/json' -d '{"records":[]}'
    leave
    grep -q ' GET ' plain && fail "--log $log shows no requests" plain
    case $log in
    *requests:off) grep -q ' info  rest    POST /topics/workshop.pin: 415, hint: ' plain || fail 'then hints are in the log' plain ;;
    *) grep -q 'hint: ' plain && fail "--log $log shows no hints" plain ;;
    esac
done
watch TERM=dumb
ask_for "$rest/topics"
leave
grep -q ' GET ' plain && fail 'a dumb terminal has the log' plain
ok '--log rules'

# A job in the background: its terminal has a prompt in some line, in which nothing is drawn.
rm -f ready.json stop
# shellcheck disable=SC2016
"$pty" -c stop sh -c 'set -m; "$0" serve --ephemeral --data "$1" --ready-file ready.json & trap : INT; until [ -f stop ]; do sleep 0.05; done
    kill $!; wait $!' "$PINPIPE" "$data" >screen 2>err &
server_pid=$!
await 'the server is ready' test -f ready.json
rest=http://127.0.0.1:$(ready_port rest_url)
i=0
while [ $i -lt 60 ]; do echo "url=\"$rest/topics\""; echo 'output=out'; i=$((i + 1)); done >urls
ask_for "$rest/topics"
await 'a line is shown' shown 'GET  /topics'
curl -sS -K urls || fail 'the burst is answered'
await 'the summary is a line' shown ' requests'
touch stop
wait "$server_pid"
server_pid=
grep -q "$(printf '\r')." screen && { cat -v screen >visible; fail 'nothing is drawn in place' visible; }
grep -q "$esc\[K" screen && { cat -v screen >visible; fail 'nothing is erased' visible; }
ok 'a server in the background draws nothing in place'

# A terminal that takes nothing: its other end is a pipe that is not read before `go` is there. Each request is a line of the log,
# and together they are more than all of it holds.
rm -f ready.json stop go
{ "$pty" -c stop "$PINPIPE" serve --ephemeral --data "$data" --ready-file ready.json --log debug 2>err; echo "exit $?" >code; } |
    { until [ -f go ]; do sleep 0.05; done; cat >screen; } &
server_pid=$!
await 'the server is ready' test -f ready.json
rest=http://127.0.0.1:$(ready_port rest_url)
i=0
while [ $i -lt 4000 ]; do echo "url=\"$rest/topics/workshop.pin?request=$i\""; echo 'output=out'; i=$((i + 1)); done >urls
curl -sS --max-time 60 -K urls >curled 2>&1 || fail "who holds up the terminal holds up no request" err code
touch go
await 'what was lost is told' sh -c 'curl -sS -o out "$1/topics"; grep -q "lines are not shown" screen' sh "$rest"
touch stop
wait "$server_pid"
server_pid=
[ "$(cat code)" = 'exit 0' ] || fail 'it ends cleanly' code err
ok 'a terminal that is held up holds up no request'

# Off a terminal: the log, byte for byte but for the times.
start_server
rest=http://127.0.0.1:$(ready_port rest_url)
ask_for "$rest/topics"
ask_for "$rest/topics/workshop.pin" -H 'Content-Type: application/json' -d '{"records":[]}'
ask_for "$rest/topics/workshop.pin" -H 'Content-Type: application/json' -d '{"records":[]}'
stop_server
sed -n '/^Try:/,$p' server.log | sed '1,2d; s/^[0-9T:.-]*Z //' >log
cat >expected <<'E'
info  rest    POST /topics/workshop.pin: 415, hint: application/json is refused by the real proxy too: send Content-Type: application/vnd.kafka.json.v2+json (requests: data=json.dumps(payload) with that header, as json= sets its own; serve --lenient accepts it)
info  rest    POST /topics/workshop.pin: 415, hint: application/json is refused by the real proxy too: send Content-Type: application/vnd.kafka.json.v2+json (requests: data=json.dumps(payload) with that header, as json= sets its own; serve --lenient accepts it)
info  server  SIGTERM: stopping; again to stop at once
pinpipe serve: stopped, everything is committed
E
cmp -s log expected || { diff expected log >difference; fail 'off a terminal the log is as it was' difference; }
ok 'off a terminal nothing has changed'
