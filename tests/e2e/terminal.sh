#!/bin/sh
# Nothing that a stranger wrote moves the terminal: every command that prints foreign text is run on a terminal of its
# own (tests/fault/pty_run.c) against a server (tests/fault/stranger.c) and against files full of control characters, C1,
# OSC, bidi overrides and bytes that are no UTF-8. In a pipe, and with --raw, the bytes of results are as they are.
set -u
. "$(dirname "$0")/lib/stranger.sh"
. "$(dirname "$0")/lib/serve.sh"
: "${BUILD:?set BUILD to the variant}"
pty=$BUILD/tests/pty_run

# shown WHAT COMMAND...: on a terminal; what is left once the redrawn lines' own bytes are gone is plain.
esc=$(printf '\033')
ellipsis=$(printf '\342\200\246')
shown() {
    what=$1
    shift
    "$pty" "$PINPIPE" "$@" </dev/null >seen 2>err
    code=$?
    tr -d '\r' <seen | sed "s/$esc\[K//g; s/$ellipsis//g" >plain
    if LC_ALL=C grep -q '[^ -~	]' plain; then cat -v plain >visible; fail "$what: it moved the terminal" visible; fi
    grep -q '\\x1b\|\\u009b\|\\u202e' plain || fail "$what: it was not shown (exit $code)" plain err
}
# piped WHAT COMMAND...: a result in a pipe has its bytes, and so it has on a terminal with --raw.
piped() {
    what=$1
    shift
    "$PINPIPE" "$@" </dev/null >out 2>err
    grep -q "$esc" out || fail "$what: in a pipe the bytes are as they are" out err
    "$pty" "$PINPIPE" "$@" --raw </dev/null >out 2>err
    grep -q "$esc" out || fail "$what: with --raw the bytes are as they are" out err
}

"$PINPIPE" data generate --data "$data" --rows 20 >out 2>err || fail 'rows' err
start_server
"$PINPIPE" emulate batch --rows 1 --data "$data" >out 2>err || fail 'a row is posted' out err
rest=http://127.0.0.1:$(ready_port rest_url)
printf '{"records":[{"value":"%s \\u001b[2J"}]}' "$(printf '\302\233\342\200\256')" >body
curl -sS -X POST -H 'Content-Type: application/vnd.kafka.json.v2+json' --data-binary @body "$rest/topics/workshop.pin" >out ||
    fail 'a record is posted' out
shown 'sql' sql --data "$data" 'SELECT value, char(27)||char(155) FROM records ORDER BY instr(value, char(92)) DESC LIMIT 1'
shown 'sql --csv' sql --csv --data "$data" 'SELECT value, char(27) FROM records ORDER BY instr(value, char(92)) DESC LIMIT 1'
shown 'sql --json' sql --json --data "$data" 'SELECT value FROM records ORDER BY instr(value, char(92)) DESC LIMIT 1'
piped 'sql --csv' sql --csv --data "$data" 'SELECT char(27)'
piped 'sql' sql --data "$data" 'SELECT char(27)'
"$PINPIPE" sql --data "$data" --csv "SELECT 1" >out
LC_ALL=C grep -q "$(printf '\r')" out || fail 'CSV ends its lines with CR LF' out
"$pty" "$PINPIPE" sql --data "$data" --csv "SELECT 1" >out
grep -q 'x0d' out && fail 'CR LF is a line end on a terminal too' out
ok 'what is stored is shown escaped by sql'
stop_server

stranger hostile
shown 'topics list' topics list
grep -q '^PASS' plain && fail 'a line end in a name makes no line' plain
piped 'topics list' topics list
shown 'topics describe' topics describe t
shown 'connect list' connect list
piped 'connect list' connect list
shown 'connect status' connect status c
shown 'connect plugins' connect plugins
shown 'connect validate' connect validate
shown 'connect create' connect create
shown 's3 ls' s3 ls s3://b/
grep -q '^PASS' plain && fail 'a line end in a key makes no line' plain
piped 's3 ls' s3 ls s3://b/
shown 's3 ls of buckets' s3 ls
shown 's3 cat' s3 cat s3://b/k
piped 's3 cat' s3 cat s3://b/k
shown 's3 sync' s3 sync s3://b dir
shown 's3 cp --recursive' s3 cp s3://b s3://c --recursive
shown 's3 cp --recursive --json' s3 cp s3://b s3://c --recursive --json
shown 's3 rm --recursive' s3 rm s3://b --recursive
shown 's3 sync --dry-run' s3 sync s3://b dir --dry-run
shown 'consume' consume workshop.pin --max-messages 2
"$PINPIPE" consume workshop.pin --max-messages 2 >out 2>err
LC_ALL=C grep -q "$(printf '\302\233')" out || fail 'consume in a pipe gives the value as it is' out err
shown 'consume --json' consume workshop.pin --max-messages 2 --json
ok 'names, keys, values and states of a server are shown escaped on a terminal, raw elsewhere'

stranger refuses
for command in 'topics list' 'topics create t' 'topics describe t' 'topics delete t' 'connect list' 'connect status c' \
    'connect pause c' 'connect restart c' 'connect delete c' 'connect plugins' 'connect create' 'connect validate' \
    's3 ls s3://b/' 's3 ls' 's3 cat s3://b/k' 's3 get s3://b/k' 's3 sync s3://b dir' 'consume workshop.pin' \
    'emulate batch --rows 1 --attempts 1' verify 'verify --through s3'; do
    # shellcheck disable=SC2086
    shown "$command, refused" $command --data "$data"
done
printf 'x\n' >file
shown 's3 put, refused' s3 put file s3://b/k
ok 'messages and headers of a server are shown escaped, by every command that speaks to one'

# In a pipe a message stays one line, whatever is in it.
"$PINPIPE" topics list >out 2>err
[ "$(wc -l <err)" -eq 1 ] || fail 'a message is one line in a pipe too' err
LC_ALL=C grep -q '[^ -~]' err && fail 'a message is printable in a pipe too' err
ok 'a message of a server is one printable line, wherever it goes'

hostile=$(printf 'a\033[2J\302\2332J\342\200\256b\233')
printf 'iam_username = %s\n' "$hostile" >.env
shown 'config show' config show
shown 'a bad iam_username' topics list
printf 'iam_usernama%s = x\n%s\n' "$hostile" "$hostile" >.env
shown 'a bad .env' config show
rm .env
shown 'an unknown command' "$hostile"
shown 'an unknown subcommand' topics "$hostile"
shown 'an unknown option' topics "--$hostile"
shown 'a bad value' data generate --rows "$hostile"
shown 'a word too many' doctor "$hostile"
shown 'help of nothing' help "$hostile"
shown 'a missing config' connect validate --config "$hostile"
utf8=$(printf 'a\033[2J\302\2332J\342\200\256b')
printf '%s = 1\nname=x\nconnector.class=%s # x\n' "$utf8" "$utf8" >c.properties
shown 'a properties file' connect validate --config c.properties
printf 'index,%s\n1,2\n' "$utf8" >bad.csv
shown 'a bad CSV' data import pin bad.csv --data "$data"
shown 'a bad directory' serve --data "/dev/null/$hostile"
shown 'a server.json' topics list --data "$hostile" --rest-url "$hostile"
ok 'words, files and settings are shown escaped too'
