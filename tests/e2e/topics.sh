#!/bin/sh
# `pinpipe topics` over the REST v3 API, on the proxy's port and through a gateway alone.
set -u
. "$(dirname "$0")/lib/serve.sh"

topics() { "$PINPIPE" topics "$@" --data "$data" >out 2>err; }

start_server
topics list || fail 'topics are listed' out err
[ "$(awk '{ print $1 }' out | tr '\n' ' ')" = 'workshop.geo workshop.pin workshop.user ' ] ||
    fail 'the three topics exist from the start' out
grep -q '^workshop.pin  *1 partition$' out || fail 'with one partition each' out
ok 'the three topics exist from the start with one partition each'

topics create workshop.extra --partitions 3 || fail 'a topic is created' out err
topics describe workshop.extra || fail 'a topic is described' out err
grep -q '^workshop.extra  *3 partitions$' out || fail 'its partitions are told' out
topics delete workshop.extra || fail 'a topic is deleted' out err
topics list && grep -q extra out && fail 'it is gone' out
ok 'a topic is created, described and deleted'

# refused CODE WORD ARGUMENT...
refused() {
    code=$1
    word=$2
    shift 2
    topics "$@"
    got=$?
    [ $got -eq "$code" ] || fail "topics $* is exit $code (not $got)" out err
    [ ! -s out ] || fail "topics $* writes nothing to stdout" out
    grep -q -e "$word" err || fail "topics $* says $word" err
}
refused 5 'already exists' create workshop.pin
refused 5 'illegal' create 'two words'
refused 5 'larger than 0' create workshop.none --partitions 0
refused 5 'there is no topic nope' describe nope
refused 5 'there is no topic nope' delete nope
refused 2 'wants NAME' create
refused 2 'one word too many' create a b
refused 2 'whole number' create a --partitions two
refused 2 'did you mean "create"' creat a
ok 'mistakes are exit 2 or 5 and name the cause'

gateway=http://127.0.0.1:$(ready_port gateway_url)/anything
"$PINPIPE" topics list --invoke-url "$gateway" --data "$work/elsewhere" >out 2>err || fail 'through a gateway' out err
grep -q workshop.user out || fail 'a gateway alone is enough' out
[ ! -e "$work/elsewhere" ] || fail 'looking at another server makes no directory'
ok 'a gateway alone is enough'
stop_server
refused 3 'pinpipe serve' list --rest-url http://127.0.0.1:1
ok 'no server is exit 3 and names what to start'
