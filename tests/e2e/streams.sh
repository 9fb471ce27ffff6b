#!/bin/sh
# What scripts rely on of every command: results on stdout and the rest on stderr, --json as one valid
# document with its keys, a result that cannot be written is no success, `| head` is no complaint, a closed
# stream harms nobody.
set -u
. "$(dirname "$0")/lib/serve.sh"

"$PINPIPE" data generate --data "$data" --rows 60 >out 2>err || fail 'rows are generated' err
start_server --first-poll eager

# --- the ready file
for key in pid gateway_url rest_url connect_url kinesis_url s3_url user_id stage data_dir; do
    grep -q "\"$key\": *[^ ]" ready.json || fail "the ready file has $key" ready.json
done
[ "$(wc -l <ready.json)" -eq 1 ] || fail 'the ready file is one line' ready.json
grep -q '"gateway_url": *"http://127.0.0.1:[0-9]*/test"' ready.json || fail 'its gateway_url ends in the stage' ready.json
grep -q '"data_dir": *"/' ready.json || fail 'its data_dir says where, from anywhere' ready.json
ok 'the ready file has its keys'

# valid FILE: SQLite says whether it is JSON.
valid() {
    printf "SELECT json_valid('%s') AS v" "$(sed "s/'/''/g" "$1")" >ask.sql
    [ "$("$PINPIPE" sql --data "$data" --csv "$(cat ask.sql)" | tr -d '\r' | sed 1d)" = 1 ]
}

# document KEYS COMMAND...: --json is one document on stdout, with these keys, and is not mixed with text.
document() {
    keys=$1
    shift
    "$PINPIPE" "$@" --json --data "$data" >out 2>err || fail "$* --json succeeds" out err
    valid out || fail "$* --json is one valid document" out
    for key in $keys; do
        grep -q "\"$key\":" out || fail "$* --json has the key $key" out
    done
}

document 'run cluster_id order seed concurrency rows end posts acked failed in_doubt unsent retries triples
    complete partial first_partial first_failure seconds posts_per_second' emulate batch --rows 20
document 'verdict through cluster_id topics records matched runs posts acked later failures elapsed_ms kinds
    missing count fails first' verify
document 'path tables table topic_suffix rows key_min key_max dense from seed' data info
document 'kind data topic_name partitions_count' topics list
document 'topic_name partitions_count' topics describe workshop.pin
document 'topic_name' topics create workshop.made
document 'check result text' doctor
document 'value origin iam_username invoke_URL api_key' config show
document 'topic n' sql 'SELECT topic, count(*) AS n FROM records GROUP BY topic'
document '' sql 'SELECT topic FROM records WHERE 0'
ok '--json is one valid document with its keys, everywhere'
"$PINPIPE" demo --rows 5 --data "$work/demo" --json >out 2>err || fail 'demo --json' out err
valid out && grep -q '"verdict":"PASS"' out || fail 'demo --json is one valid document' out
"$PINPIPE" consume workshop.pin --data "$data" --from-beginning --max-messages 3 --json >out 2>err || fail 'consume' err
[ "$(wc -l <out)" -eq 3 ] || fail 'consume --json is one object a line' out
while read -r line; do
    printf '%s' "$line" >one
    valid one && grep -q '"topic":.*"partition":.*"offset":.*"key":.*"value":' one || fail 'each is a document' one
done <out
ok 'consume --json is a valid object a line'

# --- a result that cannot be written
if [ -c /dev/full ]; then
    for command in 'sql SELECT+1' 'topics list' 'topics describe workshop.pin' 'data info' 'data export pin' 'config show' \
        doctor verify 'verify --json' 'consume workshop.pin --from-beginning --max-messages 2' 'emulate batch --rows 1' \
        'help' '--help' '--version' '--man' 'serve --help'; do
        # shellcheck disable=SC2046,SC2086
        pinpipe_data=$data "$PINPIPE" $(printf '%s' "$command" | sed 's/SELECT+1/SELECT(1)/') >/dev/full 2>err
        [ $? -eq 5 ] && [ -s err ] || fail "$command to a full device is exit 5 and says so" err
    done
    ok 'a result that cannot be written is exit 5, everywhere'
fi

for command in 'sql SELECT(1)' 'topics list' 'data info' verify 'consume workshop.pin --from-beginning --max-messages 2' \
    'emulate batch --rows 2' '--help'; do
    # shellcheck disable=SC2086
    pinpipe_data=$data "$PINPIPE" $command >&- 2>err
    [ $? -eq 5 ] || fail "$command with a closed stdout is exit 5" err
done
pinpipe_data=$data "$PINPIPE" emulate batch --rows 2 >out 2>&- </dev/null || fail 'a closed stderr is no obstacle' out
"$PINPIPE" verify --data "$data" >out 2>err || fail 'nothing of it landed in a file or socket' out err
ok 'a closed stream is refused its text, and no file or socket gets it'

# --- a reader that has seen enough
for command in 'data export pin' 'consume workshop.pin --from-beginning' "sql --csv SELECT*FROM(records)"; do
    # shellcheck disable=SC2086
    { set -f; pinpipe_data=$data "$PINPIPE" $command 2>err; echo $? >code; set +f; } | head -1 >out
    [ -s out ] || fail "$command: its first line is read" err
    grep -qi 'cannot\|could not\|broken' err && fail "$command | head: no complaint" err
done
ok 'a reader that has seen enough is no reason to complain'

# --- no terminal: plain text
"$PINPIPE" demo --rows 40 --data "$work/demo" >out 2>err || fail 'demo' out err
if grep -q "$(printf '[\r\033]')" out err; then fail 'without a terminal there are no bars' out err; fi
ok 'without a terminal there are neither bars nor escapes'
stop_server
