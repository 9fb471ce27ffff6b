#!/bin/sh
# `pinpipe demo`: the verdict ends stdout, what follows it can be typed as it stands, a second run gives the same.
set -u
. "$(dirname "$0")/lib/serve.sh"

mkdir 'a place' && cd 'a place' || exit 1
"$PINPIPE" demo --rows 60 --junit verdict.xml >out 2>err || fail 'the demo passes' out err
tail -n 1 out | grep -q '^PASS 180 records in 3 topics.* all in 180 objects of S3$' || fail 'the verdict ends stdout' out
grep -q '^landed: 180 objects in s3://user-workshop-bucket/topics/$' err || fail 'the objects are counted' err
grep -q 'failures="0"' verdict.xml || fail 'the verdict as JUnit' verdict.xml
ok 'the verdict ends stdout'

sed -n 's/^  \(.* --data .*\)/\1/p' err >next
[ "$(wc -l <next)" -eq 4 ] || fail 'four commands come next' err
# The second, a server, is given free ports here: the usual ones may be taken.
sed -n 1p next >sql.sh && sh sql.sh >out 2>err || fail 'the first works as it stands' next out err
grep -q 'workshop.pin  *60' out || fail 'the first shows the records' out
echo "exec $(sed -n 2p next) --ephemeral --ready-file ready.json" >serve.sh
sh serve.sh 2>"$work/server.log" &
server_pid=$!
await 'the suggested server is ready' test -f ready.json
sed -n 3p next >verify.sh && sh verify.sh >out 2>err || fail 'the third works as it stands' next out err
tail -n 1 out | grep -q '^PASS.* of S3$' || fail 'the third passes' out
sed -n 4p next >ls.sh && sh ls.sh >out 2>err || fail 'the fourth works as it stands' next out err
grep -q 'PRE workshop.geo/' out || fail 'the fourth shows the lake' out
ok 'the four commands that follow work as they stand'
"$PINPIPE" demo --rows 60 >out 2>err
[ $? -eq 4 ] && grep -q 'stop it first' err || fail 'a demo does not empty what a server uses' out err
stop_server
ok 'a demo does not empty what a server uses'

"$PINPIPE" sql --data .pinpipe/demo --csv 'SELECT topic, partition, offset, value FROM records' >first
"$PINPIPE" demo --rows 60 >out 2>err || fail 'a second demo passes' out err
"$PINPIPE" sql --data .pinpipe/demo --csv 'SELECT topic, partition, offset, value FROM records' >second
cmp -s first second || fail 'a second demo gives the same'
ok 'a second demo gives the same'

"$PINPIPE" demo --rows 20 --data :memory: --iam-username 0e36 >out 2>err || fail 'in memory' out err
grep -q '^Next' err && fail 'what is gone is not suggested' err
"$PINPIPE" demo --rows 20 --iam-username 0e36 --data "it's" >out 2>err || fail 'an odd directory' out err
sed -n 's/^  \(.* sql --data .*\)/\1/p' err >next
sh next >out 2>&1 && grep -q '0e36.geo' out || fail 'an odd directory is quoted' next out
ok 'an odd directory is quoted, one in memory is not suggested'

for command in demo verify; do
    "$PINPIPE" $command --junit nowhere/verdict.xml >out 2>err
    [ $? -eq 4 ] && grep -q 'nowhere/verdict.xml' err && [ ! -s out ] || fail "$command: an unwritable --junit is exit 4 at once" out err
done
echo old >verdict.xml
"$PINPIPE" verify --junit verdict.xml --invoke-url http://127.0.0.1:1/test --data .pinpipe/demo >out 2>err
[ $? -eq 3 ] && [ ! -e verdict.xml ] || fail "an earlier run's verdict does not stay" out err
ok "an unwritable --junit is told at once, and an earlier run's verdict does not stay"
