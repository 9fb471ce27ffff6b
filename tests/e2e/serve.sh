#!/bin/sh
# `pinpipe serve` as users start and stop it: signals, exit codes, taken ports and directories, the
# workshop's kafka-rest.properties.
set -u
. "$(dirname "$0")/lib/serve.sh"

# expect WHAT CODE WORD ARGUMENT...: `serve ARGUMENT...` ends with the code and says the word.
expect() {
    what=$1
    code=$2
    word=$3
    shift 3
    "$PINPIPE" serve "$@" >out 2>err
    got=$?
    [ $got -eq "$code" ] || fail "$what (exit $got, not $code)" err
    grep -q -e "$word" err || fail "$what (does not say $word)" err
    [ ! -s out ] || fail "$what (writes to stdout)" out
    ok "$what"
}

start_server
port=$(ready_port gateway_url)
grep -q "curl -X POST http://127.0.0.1:$port/test/topics/workshop.pin" server.log || fail 'the start says what to try'
[ "$(json_number ready.json pid)" = "$server_pid" ] || fail 'the ready file names the pid' ready.json
[ -f "$data/server.json" ] || fail 'a running server announces itself'
ok 'the start says what to try and announces itself'
mysql_port=$(ready_port mysql_url)
grep -q "MySQL .*mysql://127.0.0.1:$mysql_port/pinterest_data .*any user" server.log || fail 'the summary says where MySQL is' server.log
ok 'the rows are to be had as from RDS'

expect 'a second server on the directory is exit 4 and names the first' 4 "pid $server_pid" \
    --ephemeral --data "$data"
expect 'a taken port is exit 4 and names the flag' 4 "127.0.0.1:$port.*--gateway" \
    --ephemeral --gateway "$port" --data "$work/other"
expect 'a directory that is a file is exit 4' 4 'not a directory.*--data' \
    --ephemeral --data "$work/server.log"
expect 'credentials of MySQL without a password are exit 2' 2 'USER:PASSWORD' --ephemeral --mysql-credentials pin
expect 'a bind address that is none is exit 4' 4 'bind' --ephemeral --data :memory: --bind my-laptop
expect 'an odd stage is exit 4' 4 'stage' --ephemeral --data :memory: --stage 'a b'
expect 'an odd user id is exit 4' 4 'iam_username' --ephemeral --data :memory: --iam-username 'a/b'
expect 'an advertised URL that is none is exit 2' 2 'http://my-laptop:8082' --ephemeral --advertised-url laptop
expect 'a half throttle is exit 2' 2 '10:5' --ephemeral --throttle 10
expect 'an odd durability is exit 2' 2 'durability' --ephemeral --durability most
expect 'an odd log is exit 2' 2 'loud' --ephemeral --data :memory: --log loud

kill -TERM "$server_pid"
wait "$server_pid"
[ $? -eq 0 ] || fail 'SIGTERM ends it with exit 0'
server_pid=
grep -q 'everything is committed' server.log || fail 'the stop is told'
[ ! -f "$data/server.json" ] || fail 'a stopped server takes server.json away'
ok 'SIGTERM ends it cleanly'

start_server --durability off
kill -INT "$server_pid"
wait "$server_pid" || fail 'SIGINT ends it with exit 0'
server_pid=
ok 'SIGINT ends it cleanly'

deployment_stage=dev start_server
grep -q '"gateway_url": *"http://127.0.0.1:[0-9]*/dev"' ready.json || fail 'the configured stage is in the URL' ready.json
port=$(ready_port gateway_url)
[ "$(curl -s -H 'Accept: */*' -o out -w '%{http_code}' "http://127.0.0.1:$port/dev/topics")" = 200 ] || fail 'it is deployed' out
[ "$(curl -s -H 'Accept: */*' -o out -w '%{http_code}' "http://127.0.0.1:$port/test/topics")" = 403 ] || fail 'no other is' out
stop_server
deployment_stage=dev start_server --stage prod
grep -q '"gateway_url": *"http://127.0.0.1:[0-9]*/prod"' ready.json || fail '--stage goes before the configuration' ready.json
stop_server
start_server
port=$(ready_port gateway_url)
[ "$(curl -s -H 'Accept: */*' -o out -w '%{http_code}' "http://127.0.0.1:$port/dev/topics")" = 200 ] || fail 'without either any stage is' out
stop_server
expect 'a configured stage that is none is exit 4' 4 'stage' --ephemeral --data :memory: --deployment-stage 'a b'
ok 'deployment_stage is what serve deploys'

start_server
stop_server KILL
[ -f "$data/server.json" ] || fail 'a killed server leaves server.json'
start_server
ok 'a killed server is no obstacle to the next'
stop_server

# Each page of an answer or a body that is fetched anew from the system is a fault: 800 a post of 900 KB where large
# blocks are mapped.
if [ -r /proc/self/stat ]; then
    faults() { awk '{ sub(/.*\) /, ""); print $8 }' "/proc/$server_pid/stat"; }
    { printf '{"records":[{"value":"'; head -c 900000 /dev/zero | tr '\0' x; printf '"}]}'; } >large.json
    post_large() {
        round=0
        while [ $round -lt "$1" ]; do
            round=$((round + 1))
            curl -s -o out -w '%{http_code}\n' "http://127.0.0.1:$(ready_port rest_url)/topics/workshop.pin" \
                -H 'Content-Type: application/vnd.kafka.json.v2+json' --data-binary @large.json
        done
    }
    start_server
    [ "$(post_large 5 | sort -u)" = 200 ] || fail 'large posts are taken' out
    before=$(faults)
    [ "$(post_large 20 | sort -u)" = 200 ] || fail 'large posts are taken' out
    fresh=$(($(faults) - before))
    case $BUILD in
    *asan* | *tsan* | *cov*) ok "20 large posts cost $fresh page faults (not judged in this build)" ;;
    *)
        [ $fresh -lt 8000 ] || fail "20 large posts cost $fresh page faults"
        ok 'large posts use the memory of those before them'
        ;;
    esac
    stop_server
fi

cat >kafka-rest.properties <<T
# from the workshop
zookeeper.connect=z-1.msk.example:2181
bootstrap.servers=b-1.msk.example:9098
client.security.protocol = SASL_SSL
client.sasl.jaas.config = required awsRoleArn="arn:aws:iam::1:role/SECRET";
listeners=http://0.0.0.0:8082
advertised.listeners=http://ec2-host:8082
T
start_server --rest 0 --kafka-rest-properties kafka-rest.properties
grep -q 'kafka-rest.properties:2: zookeeper.connect is not used' server.log || fail 'unused keys are named'
! grep -q SECRET server.log || fail 'values are never printed'
curl -s -X POST "http://127.0.0.1:$(ready_port rest_url)/consumers/students" \
    -H 'Content-Type: application/vnd.kafka.v2+json' -d '{"name":"c1"}' >out
grep -q 'http://ec2-host:8082/consumers/students/instances/c1' out || fail 'advertised.listeners is used' out
ok "the workshop's kafka-rest.properties is taken as pasted"
stop_server
printf 'listeners=nonsense\n' >kafka-rest.properties
expect 'a mistake in it names file and line' 4 'kafka-rest.properties: line 1' \
    --ephemeral --data :memory: --kafka-rest-properties kafka-rest.properties
