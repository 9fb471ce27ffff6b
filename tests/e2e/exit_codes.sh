#!/bin/sh
# One table of exit codes, and every command held to it: 0 done, 1 a verdict's FAIL and nothing else, 2 usage, 3
# unreachable, 4 configuration, 5 the work failed. A new command fails here until its rows are written.
set -u
. "$(dirname "$0")/lib/serve.sh"
dead=http://127.0.0.1:1

# Each word behind `pinpipe` that does something, as the man page has it.
"$PINPIPE" --man | sed -n 's/\\-/-/g; s/^\.SS \([a-z0-9 -]*\).*/\1/p' | sed 's/ *$//' >all
awk 'NR == FNR { above[$1] += NF == 2; next } NF == 2 || !above[$1]' all all >leaves
[ -s leaves ] || fail 'the man page lists the commands'

# ends CODE COMMAND...: with what is said on stderr where it is not 0; notes that the command was tried.
ends() {
    code=$1
    shift
    "$PINPIPE" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$code" ] || fail "pinpipe $* is exit $code (not $got)" out err
    [ "$code" -lt 2 ] || [ -s err ] || [ "${1:-}" = doctor ] || [ "${1:-}" = status ] || fail "pinpipe $* says why" out err
    printf '%s %s %s\n' "$code" "${1:-}" "${2:-}" >>tried
}

# --- the same for all: a mistyped option, a broken .env
while read -r words; do
    # shellcheck disable=SC2086
    ends 2 $words --no-such-option
    grep -q 'no-such-option' err || fail "$words names the option" err
done <leaves
ok 'a mistyped option is exit 2 with every command'
echo 'iam-username = x' >.env
while read -r words; do
    # shellcheck disable=SC2086
    ends 4 $words a b
done <leaves
rm .env
ok 'a broken .env is exit 4 with every command'
ends 2 verfy
ends 2
ends 2 topics
ends 2 topics lst
ends 0 --help
ends 0 --version

# --- 3: nobody there
cat >.env <<END
invoke_URL = $dead/test
rest_url = $dead
connect_url = $dead
s3_url = $dead
END
echo x >file
"$PINPIPE" data generate --data "$data" --rows 20 >out 2>err || fail 'rows' err
while read -r words; do
    # shellcheck disable=SC2086
    ends 3 $words --data "$data"
done <<END
topics list
topics create t
topics describe t
topics delete t
emulate batch --rows 1
consume workshop.pin --max-messages 1
connect create
connect list
connect status
connect pause
connect resume
connect restart
connect delete
connect plugins
connect validate
s3 ls
s3 cat s3://b/k
s3 get s3://b/k
s3 put out s3://b/k
s3 sync s3://b dir
s3 cp file s3://b/k
s3 cp s3://b/k got
s3 cp s3://b/k s3://c/k
s3 cp s3://b dir --recursive
s3 rm s3://b/k
s3 rm s3://b --recursive
s3 mb s3://b
s3 rb s3://b
END
ends 5 doctor --data "$data" # it has looked, and found something bad
rm .env
ok 'an endpoint that cannot be reached is exit 3'

ends 3 status --data "$data"
ends 3 wait --data "$data" --timeout 0.05
ends 0 stop --data "$data"
ends 4 wait --data file --timeout 0.05
ends 4 wait --data "$data" --timeout never
ends 4 status --data file
ends 4 stop --data file
ends 4 up --data file
ends 2 up --data :memory:
ends 2 reset --data "$data"
ends 4 reset --yes --data file
ends 0 reset --yes --ledger --data "$data"

# --- 0, 1, 4 and 5, in front of a server
start_server
ends 0 status --data "$data"
ends 0 wait --data "$data"
ends 0 up --data "$data"
ends 4 reset --yes --data "$data"
while read -r code words; do
    # shellcheck disable=SC2086
    ends "$code" $words --data "$data"
done <<END
0 topics list
0 topics create workshop.more
5 topics create workshop.more
0 topics describe workshop.more
5 topics describe none
0 topics delete workshop.more
5 topics delete none
0 connect validate
0 connect create
5 connect create
0 connect list
0 connect status
5 connect status none
0 connect pause
0 connect resume
0 connect restart
5 connect pause none
5 connect resume none
5 connect restart none
0 connect plugins
4 verify
0 emulate batch --rows 2
4 emulate stream
4 emulate both
0 consume workshop.pin --from-beginning --max-messages 1
5 consume none --max-messages 1
0 verify
0 verify --through s3
4 verify --through streams
2 verify --json --tap
0 s3 ls
5 s3 ls s3://none/
0 s3 put file s3://user-workshop-bucket/k
5 s3 put none s3://user-workshop-bucket/k
5 s3 put file s3://no-such-bucket/k
0 s3 cat s3://user-workshop-bucket/k
5 s3 cat s3://user-workshop-bucket/none
0 s3 get s3://user-workshop-bucket/k got
5 s3 get s3://user-workshop-bucket/none got
0 s3 sync s3://user-workshop-bucket/ down
5 s3 sync s3://no-such-bucket/ down
0 s3 cp file s3://user-workshop-bucket/c
2 s3 cp file got
5 s3 cp s3://user-workshop-bucket/none got
5 s3 cp s3://user-workshop-bucket/none s3://user-workshop-bucket/c
0 s3 rm s3://user-workshop-bucket/c
5 s3 rm s3://no-such-bucket/c
2 s3 rm s3://user-workshop-bucket
0 s3 mb s3://exit-codes
0 s3 rb s3://exit-codes
5 s3 rb s3://exit-codes
5 s3 rb s3://user-workshop-bucket
0 sql SELECT(1)
5 sql nonsense
5 sql SELECT*FROM(none)
0 tail --once
0 tail --once --errors --json
0 hints
0 hints --json
0 data info
0 data generate --rows 20
2 data generate --rows 0
0 data export pin pin.csv
5 data export pin none/pin.csv
0 data import pin pin.csv
5 data import pin none.csv
2 data import nonsense pin.csv
0 config show
0 config init
0 doctor
4 serve --ephemeral
0 connect delete
5 connect delete none
END
curl -s -o out -X POST "http://127.0.0.1:$(ready_port rest_url)/topics/workshop.pin" \
    -H 'Content-Type: application/vnd.kafka.json.v2+json' -d '{"records":[{"value":{"index":1,"spoilt":true}}]}'
ends 1 verify --data "$data"
ok 'what a server does not do is exit 5, a bad configuration 4, and only a verdict 1'
stop_server
ends 3 verify --data "$data"
ends 5 data info --data none
ends 4 tail --data none
ends 4 hints --data none
ends 4 serve --ephemeral --bind nowhere --data :memory:
ends 4 demo --rows 5 --data file
ends 0 demo --rows 5 --data "$work/demo"
ends 2 demo --rows 0 --data "$work/demo"
ends 3 verify --data "$work/demo/demo" --invoke-url $dead/test
ok 'demo, too'

# --- no command is left out: each was tried with 0 or an end of its own, beside the two for all
while read -r command sub; do
    grep -qE "^[0-9] $command ${sub:-[^ ]*}" tried && [ "$(grep -cE "^[0135] $command( ${sub:-.*})?\$" tried)" -gt 0 ] ||
        [ "$command $sub" = 'emulate stream' ] || [ "$command $sub" = 'emulate both' ] || [ "$command" = serve ] ||
        fail "the exit codes of \"$command $sub\" are not tried here"
done <leaves
ok 'no command is left out'

# --- one table: the help and the man page say what it says
"$PINPIPE" --help | grep -q '1 the verdict is FAIL, and nothing else' || fail 'the help has the table'
for code in 0 1 2 3 4 5 70; do
    "$PINPIPE" --man | sed -n '/^\.SH EXIT STATUS/,/^\.SH FILES/p' | grep -q "^\.B $code\$" || fail "the man page has $code"
done
ok 'the man page has every code'
