#!/bin/sh
# What a data directory holds is its user's alone, whatever the umask; passwords in URLs are not repeated; what a killed
# program has left is swept; a limit on the size of files is an error, not the end.
set -u
. "$(dirname "$0")/lib/serve.sh"

# private DIR: everything in it is 0600 or 0700.
private() { [ -z "$(find "$1" \( -type d ! -perm 700 -o -type f ! -perm 600 \) -print)" ]; }

for mask in 000 022 277; do
    data=$work/masked-$mask/deep/data
    (
        umask $mask
        exec "$PINPIPE" serve --ephemeral --data "$data" --ready-file "$work/ready-$mask.json"
    ) >server.log 2>&1 &
    server_pid=$!
    await "the server with umask $mask is ready" test -f "$work/ready-$mask.json"
    (umask $mask && "$PINPIPE" data generate --data "$data" --rows 20) >out 2>&1 || fail 'rows are made' out
    (umask $mask && "$PINPIPE" emulate batch --data "$data" --rows 3) >out 2>&1 || fail 'rows are posted' out
    [ "$(stat -c %a "$work/ready-$mask.json" 2>/dev/null || stat -f %Lp "$work/ready-$mask.json")" = 600 ] ||
        fail "the ready file is private with umask $mask"
    private "$work/masked-$mask" || { find "$work/masked-$mask" -exec ls -ld {} + >out; fail "all is private with umask $mask" out; }
    stop_server
    private "$work/masked-$mask" || { find "$work/masked-$mask" -exec ls -ld {} + >out; fail "all stays private with umask $mask" out; }
    grep -q 'chmod' server.log && fail 'a private directory needs no word' server.log
    ok "with umask $mask directories are 0700 and files 0600"
done

data=$work/wide
mkdir "$data"
chmod 755 "$data"
start_server
grep -q "others can read .*/wide (mode 755).*chmod 700 .*/wide" server.log || fail 'a wider directory is named with its fix' server.log
stop_server
chmod 775 "$data"
start_server
grep -q "others can change .*/wide (mode 775).*chmod 700 .*/wide" server.log || fail 'a directory others can change is named' server.log
ok 'a wider directory is named with its fix'
stop_server

# --- user:password of a URL
data=$work/urls
start_server --log debug
gateway=http://127.0.0.1:$(ready_port gateway_url)
curl -s -o out --request-target 'http://me:hidden@elsewhere/test/topics?a=b' "$gateway"
curl -s -o out --request-target 'ftp://me:hidden@elsewhere/test/topics' "$gateway"
curl -s -o out --request-target 'me:hidden@elsewhere' "$gateway"
await 'the requests are in the journal' sh -c "[ \"\$('$PINPIPE' sql --data '$data' --csv 'SELECT count(*) FROM requests' | tail -1 | tr -d '\\r')\" = 3 ]"
ask 'SELECT path, status FROM requests' >out
grep -q 'elsewhere/test/topics' out || fail 'the journal has what was asked' out
! grep -q hidden out || fail 'the journal has no password' out
! grep -q hidden server.log || fail 'the log has no password' server.log
stop_server
secret=http://me:hidden@127.0.0.1:1
# quiet WHAT COMMAND...: refused, and nothing that it prints has the password.
quiet() {
    what=$1
    shift
    "$@" >out 2>&1 </dev/null
    ! grep -q hidden out || fail "$what repeats no password" out
}
for tool in 'topics list' 'emulate batch --rows 1' 'consume workshop.pin' doctor verify; do
    # shellcheck disable=SC2086
    quiet "$tool" "$PINPIPE" $tool --data "$data" --invoke-url "$secret/test"
    # shellcheck disable=SC2086
    quiet "$tool, with a path behind the stage" "$PINPIPE" $tool --data "$data" --invoke-url "$secret/test/topics"
done
quiet 'a stage given twice' "$PINPIPE" topics list --invoke-url "$secret/a" --deployment-stage b
quiet 'topics list' "$PINPIPE" topics list --rest-url "$secret"
quiet 's3 ls' "$PINPIPE" s3 ls --s3-url "$secret"
quiet 's3 ls with a path' "$PINPIPE" s3 ls --s3-url "$secret/path"
quiet 'connect list' "$PINPIPE" connect list --connect-url "$secret"
quiet 'config show' "$PINPIPE" config show --origin --s3-url "$secret" --invoke-url "$secret/test"
grep -q 's3_url .*http://\*\*\*@127.0.0.1:1$' out || fail 'config show has the rest of a URL' out
quiet 'config show --json' "$PINPIPE" config show --json --s3-url "$secret" --rest-url "$secret"
quiet 'serve with an upstream' "$PINPIPE" serve --ephemeral --data :memory: --gateway-upstream "$secret"
grep -q '\*\*\*@127.0.0.1:1' out || fail 'the rest of the URL is told' out
quiet 'serve with an advertised URL' "$PINPIPE" serve --ephemeral --data :memory: --advertised-url "$secret"
ok 'user:password of URLs reach neither journal nor log nor output'

# --- limits on the size of files
data=$work/limited
(
    ulimit -f 600
    exec "$PINPIPE" serve --ephemeral --data "$data" --ready-file "$work/ready.json"
) >server.log 2>&1 &
rm -f ready.json
server_pid=$!
await 'the server with a limit is ready' test -f "$work/ready.json"
gateway=$(json_number ready.json gateway_url)
head -c 60000 /dev/zero | tr '\0' 'x' >big
printf '{"records":[{"value":"%s"}]}' "$(cat big)" >body
status=200
posts=0
while [ "$status" = 200 ] && [ $posts -lt 100 ]; do
    status=$(curl -s -o out -w '%{http_code}' -X POST "$gateway/topics/workshop.pin" \
        -H 'Content-Type: application/vnd.kafka.json.v2+json' --data-binary @body)
    posts=$((posts + 1))
done
[ "$status" = 500 ] || fail "a file that may not grow is a 5xx (not $status after $posts)" out
kill -0 "$server_pid" || fail 'the server lives on'
curl -s -o out "$gateway/topics" || fail 'reading goes on'
kill -TERM "$server_pid"
wait "$server_pid"
code=$?
server_pid=
[ $code -lt 128 ] || fail "a server with a limit ends by itself (exit $code)"
(ulimit -f 100 && exec "$PINPIPE" data generate --data "$work/few" --rows 5000) >out 2>&1
code=$?
[ $code -gt 0 ] && [ $code -lt 128 ] && grep -q 'pinpipe data generate: ' out || fail "data generate says so (exit $code)" out
"$PINPIPE" data generate --data "$work/few" --rows 5000 >out 2>&1 || fail 'and works without the limit' out
(ulimit -f 10 && exec "$PINPIPE" data export pin "$work/pins.csv" --data "$work/few") >out 2>&1
code=$?
[ $code -gt 0 ] && [ $code -lt 128 ] || fail "data export says so (exit $code)" out
[ -z "$(find . -name 'pins.csv*')" ] || fail 'and leaves nothing'
ok 'a limit on the size of files is an error'

# --- what killed programs leave
data=$work/swept
start_server
stop_server
ended=$(sh -c 'echo $$')
for name in "data/x" "swept/server.json.$ended.new" "ready.json.$ended.new" "ready.json.$$.new" "ready.json.new" "other.json.$ended.new"; do
    mkdir -p "$(dirname "$name")" && echo half >"$name"
done
start_server
[ ! -e "swept/server.json.$ended.new" ] && [ ! -e "ready.json.$ended.new" ] || fail 'what an ended process has left is swept'
[ -e "ready.json.$$.new" ] && [ -e ready.json.new ] && [ -e "other.json.$ended.new" ] || fail "a running process's file and others stay"
bucket=s3://user-workshop-bucket
s3() { "$PINPIPE" s3 "$@" --data "$data" >out 2>err </dev/null; }
mkdir up down
echo whole >up/object
echo half >up/broken.pinpipe-part
s3 sync up $bucket/p # tells what it skips, and that is no success
grep -q 'broken.pinpipe-part.*broke off' out err || fail 'half a download is told' out err
s3 ls $bucket/p/ && ! grep -q 'pinpipe-part' out || fail 'half a download does not go up' out
echo half >down/object.pinpipe-part
s3 get $bucket/p/object down/object || fail 'an object is fetched over half a download' out err
[ "$(ls down)" = object ] && grep -q whole down/object || fail 'and that is swept'
ln -s "$work/out" down/object.pinpipe-part
s3 get $bucket/p/object down/object || fail 'an object is fetched over a link in its way' out err
[ "$(ls down)" = object ] && ! grep -q whole out || fail 'and nothing is written through it' out
if command -v flock >/dev/null 2>&1; then
    echo half >down/object.pinpipe-part
    flock -n down/object.pinpipe-part "$PINPIPE" s3 get $bucket/p/object down/object --data "$data" >out 2>err </dev/null
    [ $? -eq 4 ] && grep -q 'another process is writing it' err || fail 'a file that is being written is not swept' out err
    [ -e down/object.pinpipe-part ] || fail 'and stays'
fi
ok 'what killed programs have left is swept, what runs is left alone'
stop_server
