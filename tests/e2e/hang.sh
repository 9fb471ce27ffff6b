#!/bin/sh
# The tools never hang. Every command that speaks to a server meets one (tests/fault/stranger.c) that takes no
# connection, never answers, stops within an answer, sends for ever or says the same for ever: it ends with an error
# that says so, and exit 3. Ctrl-C ends it at once. No time is asserted: a hang is killed after a minute (pty_run).
set -u
. "$(dirname "$0")/lib/stranger.sh"
. "$(dirname "$0")/lib/serve.sh"
: "${BUILD:?set BUILD to the variant}"
pty=$BUILD/tests/pty_run

# tool N COMMAND...: on a terminal, with $limit seconds for each request; what came of it lies in N.out, N.err, N.code.
tool() {
    n=$1
    shift
    pinpipe_timeout=$limit "$pty" "$PINPIPE" "$@" --data "$data" >"$n.out" 2>"$n.err" </dev/null
    echo $? >"$n.code"
}
# told N WORDS COMMAND...: it ended with exit 3 and these words.
told() {
    n=$1
    words=$2
    shift 2
    [ "$(cat "$n.code")" = 3 ] || fail "$*: exit 3, not $(cat "$n.code")" "$n.out" "$n.err"
    grep -q "$words" "$n.out" || fail "$*: it says: $words" "$n.out" "$n.err"
}
# everyone_told WORDS EXACT: every command side by side, each of which mostly waits. Where so many share a processor, half
# a second may be over at an earlier stage; so one more has time enough to be told EXACT.
limit=0.5
everyone_told() {
    (limit=3 && tool exact topics list) &
    exactly=$!
    n=0
    asking=
    while read -r command <&3; do
        n=$((n + 1))
        # shellcheck disable=SC2086
        tool $n $command &
        asking="$asking $!"
    done 3<commands
    # shellcheck disable=SC2086
    wait $asking
    n=0
    while read -r command <&3; do
        n=$((n + 1))
        told $n "$1" "$command"
    done 3<commands
    wait $exactly
    told exact "$2" 'topics list'
}

"$PINPIPE" data generate --data "$data" --rows 20 >out 2>err || fail 'rows' err
start_server
"$PINPIPE" emulate batch --rows 1 --data "$data" >out 2>err || fail 'a row is posted' out err
stop_server
printf 'x\n' >file
mkdir dir

cat >commands <<'END'
topics list
topics create t
topics describe t
topics delete t
connect list
connect status c
connect create
connect validate
connect plugins
connect pause c
connect restart c
connect delete c
s3 ls s3://b/
s3 ls
s3 cat s3://b/k
s3 get s3://b/k got
s3 put file s3://b/k
s3 sync s3://b dir
s3 sync dir s3://b
consume workshop.pin
emulate batch --rows 1
verify
verify --through s3
END

while read -r mode words; do
    stranger "$mode"
    everyone_told 'within 0.5 s' "$words"
    ok "$mode: every command ends; with time enough it says: $words"
done <<'END'
deaf no connection came about within 3 s
silent no answer began within 3 s
interim no answer began within 3 s
halts the answer did not end within 3 s
trickles the answer did not end within 3 s
END

stranger endless
# Bytes, or time, whichever is over first.
everyone_told 'does not end within\|within 0.5 s' 'does not end within\|did not end within 3 s'
ok 'endless: every command ends'

stranger repeats
for command in 's3 ls s3://b/' 's3 sync s3://b dir'; do
    # shellcheck disable=SC2086
    tool 1 $command
    told 1 'the listing does not end: a continuation token came again' "$command"
done
stranger empties
tool 1 s3 ls s3://b/
told 1 'the listing does not end: page after page is empty' 's3 ls'
ok 'a listing that goes in a circle ends'

# Ctrl-C while nothing comes.
stranger silent
echo doctor >>commands
while read -r command <&3; do
    rm -f port.asked
    # shellcheck disable=SC2086
    pinpipe_timeout=3600 "$pty" -c port.asked "$PINPIPE" $command --data "$data" >out 2>err
    got=$?
    grep -q 'does not end' err && fail "$command: Ctrl-C ends it" out err
    case $got in
    0 | 5 | 130) ;;
    *) fail "$command: Ctrl-C ends it, with exit 0, 5 or 130, not $got" out err ;;
    esac
done 3<commands
ok 'Ctrl-C ends every command that waits for a server'

# One is the wish to end in order, and what is under way may still be answered; a second one is the wish to end now.
"$PINPIPE" data generate --data other --rows 20 >out 2>err || fail 'rows' err
stranger keeps
"$pty" -c port.asked "$PINPIPE" emulate batch --rows 1 --data other >out 2>err
[ $? -eq 5 ] && grep -q 'ended    by a signal' out || fail 'one Ctrl-C ends it in order' out err
rm -f port.asked
"$pty" -C port.asked "$PINPIPE" emulate batch --rows 1 --data other >out 2>err
got=$?
[ $got -eq 130 ] && ! grep -q 'ended  ' out || fail "a second Ctrl-C ends it at once, by the signal, not with $got" out err
ok 'a second Ctrl-C ends a command that waits for its end in order'

for bad in x 0 -1 1e9 nan; do
    "$PINPIPE" topics list --timeout "$bad" >out 2>err
    [ $? -eq 4 ] && grep -q 'is no time' err || fail "--timeout $bad is refused" err
done
ok 'a --timeout that is no time is refused'

# Some server answers 200 to anything: what is not Kafka Connect's or a REST proxy's is not shown as such.
stranger nonsense
for command in 'connect list' 'connect list --json' 'connect status c' 'connect plugins' 'connect validate' 'connect create' \
    'topics list' 'topics describe t'; do
    # shellcheck disable=SC2086
    "$PINPIPE" $command --data "$data" >out 2>err
    [ $? -eq 5 ] && [ ! -s out ] && grep -q 'is it\|is not' err || fail "$command: nonsense is refused" out err
done
ok "an answer that is not the service's is refused"
