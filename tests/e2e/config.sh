#!/bin/sh
# Configuration as users write and mistype it: precedence, .env as pasted, the stage given twice, creds.yaml with a
# MySQL host, `config init`, `doctor`.
set -u
. "$(dirname "$0")/lib/serve.sh"

# value KEY: what is in force and where it came from, "ORIGIN VALUE".
value() { "$PINPIPE" config show --origin 2>err | sed -n "s/^$1  *\([^ ]*\)  *\(.*\)/\1 \2/p"; }

# refused CODE WORD COMMAND...: the exit code, and the word on stderr.
refused() {
    code=$1
    word=$2
    shift 2
    "$PINPIPE" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$code" ] || fail "$* is exit $code (not $got)" out err
    grep -q -e "$word" out err || fail "$* says $word" out err
}

# --- precedence
[ "$(value iam_username)" = 'default workshop' ] || fail 'the default counts'
echo 'iam_username = from-dotenv' >.env
[ "$(value iam_username)" = '.env from-dotenv' ] || fail '.env beats the default'
[ "$(iam_username=from-environment value iam_username)" = 'environment from-environment' ] ||
    fail 'the environment beats .env'
[ "$(IAM_USERNAME=UPPER value iam_username)" = 'environment UPPER' ] || fail 'upper case names work'
iam_username=e "$PINPIPE" config show --origin --iam-username from-flag >out
grep -q '^iam_username  *flag  *from-flag$' out || fail 'a flag beats them all' out
ok 'flag, environment, .env, default: in this order'

printf '\357\273\277# mine\r\nexport IAM_USERNAME = "0e36c8cd403d"  # id\r\ninvoke_URL=\r\nRDS_HOST=x\r\n' >.env
[ "$(value iam_username)" = '.env 0e36c8cd403d' ] || fail '.env may have a BOM, export, quotes, CRLF' err
[ "$(value invoke_URL)" = 'unset (unset)' ] || fail 'an empty value is none' err
ok '.env is read as people paste it, and an empty value is none'
for line in 'iam_username' 'iam_username = "half' 'iam-username = x' 'iam_username: x'; do
    printf '# first\n%s\n' "$line" >.env
    refused 4 '.env: line 2:' config show
done
ok 'a broken .env is exit 4 and names the line'
echo 'iam_usrname = x' >.env
"$PINPIPE" doctor >out 2>err
grep -q 'iam_usrname is not a setting.*iam_username' out || fail 'doctor names a mistyped key' out
ok 'doctor names a mistyped key of .env'
echo 'api_key = key-of-the-plan' >.env
"$PINPIPE" config show --origin >out && "$PINPIPE" config show --json >>out
grep -q '\*\*\*' out || fail 'a secret is shown as ***' out
grep -q 'key-of-the-plan' out && fail 'a secret is not shown' out
AWS_SECRET_ACCESS_KEY=of-the-environment AWS_SESSION_TOKEN=of-the-environment "$PINPIPE" config show >out
[ "$(grep -c '^aws_se.* \*\*\*$' out)" = 2 ] || fail 'credentials of the environment are shown as ***' out
ok 'secrets print as ***'
rm .env

# --- the stage
dead=http://127.0.0.1:1
refused 4 'ends in the stage "dev", but deployment_stage is "prod"' verify --invoke-url $dead/dev --deployment-stage prod
refused 3 "$dead/dev/" topics list --invoke-url $dead/dev/ --deployment-stage dev
refused 3 "$dead/prod/" topics list --invoke-url $dead --deployment-stage prod
refused 3 "$dead/test/" topics list --invoke-url $dead/
refused 4 'cut it before /topics' topics list --invoke-url $dead/test/topics/workshop.pin
refused 4 'cut it before /topics' topics list --invoke-url $dead/topics
refused 4 'not a stage' topics list --invoke-url $dead --deployment-stage /test
refused 4 'write it like' verify --invoke-url 127.0.0.1:8080/test
refused 4 'write it like' verify --invoke-url '<your invoke URL>'
refused 4 'iam_username' verify --iam-username '<your id>'
ok 'the stage comes from the URL or the setting; both and different, or more than it, is exit 4'

# --- creds.yaml
printf 'HOST: 127.0.0.1\nUSER: project_user\nPASSWORD: keep-this\nDATABASE: pinterest_data\nPORT: 1\n' >creds.yaml
for command in 'emulate batch' verify 'data import --from-creds'; do
    # shellcheck disable=SC2086
    refused 3 'are HOST and PORT of creds.yaml right' $command --creds-path creds.yaml --invoke-url $dead/test
    grep -q 'keep-this' err && fail 'the password is not shown' err
done
"$PINPIPE" data generate --creds-path creds.yaml >out 2>&1 || fail 'a command that reads no rows does not ask the HOST' out
refused 3 "cannot be reached" topics list --creds-path creds.yaml --invoke-url $dead/test --rest-url $dead
refused 4 'creds.yaml names, and none is named' data import --from-creds
refused 2 'leave out the table' data import --from-creds pin pin.csv --creds-path creds.yaml
while read -r line complaint; do
    sed "/^${line%%:*}:/d" creds.yaml >faulty.yaml
    printf '%s\n' "$line" | tr '~' ' ' >>faulty.yaml
    refused 4 "$complaint" emulate batch --creds-path faulty.yaml
    "$PINPIPE" doctor --creds-path faulty.yaml 2>&1 | grep '^BAD *creds.yaml' | grep -q "$complaint" || fail "doctor says: $complaint" err
done <<'T'
PORT:~many is no port
PORT:~0 is no port
HOST:~mysql://db write the name alone
HOST:~db:3306 the port as PORT
USER:~ USER is not
DATABASE:~ DATABASE is not
SSL_CA:~none.pem there is no file none.pem
T
"$PINPIPE" config show --creds-path creds.yaml >out || fail 'config show reads creds.yaml' out
grep -q 'host=127.0.0.1.*password=\*\*\*' out || fail 'config show hides the password' out
ok 'a MySQL host is asked by the commands that read rows, and the password is never shown'
while read -r text; do
    printf '%b' "$text" >bad.yaml
    refused 4 'bad.yaml: ' config show --creds-path bad.yaml
done <<'T'
HOST = db\n
HOST: db\nPASSWORD: @start\n
HOST: db\n USER: x\n
rds:\n  HOST: db\n
HSOT: db\n
T
refused 4 'there is no such file' config show --creds-path nowhere.yaml
printf 'RDS_USER: me\n# HOST: later\n' >good.yaml
"$PINPIPE" config show --creds-path good.yaml >out 2>&1 || fail 'RDS_ names and comments are fine' out
ok 'a broken creds.yaml is exit 4 and says what to write'

# --- config init
mkdir init && cd init || exit 1
"$PINPIPE" config init >out || fail 'config init' out
[ "$(grep -c '^wrote' out)" -eq 3 ] || fail 'config init writes three files' out
case $(ls -l .env creds.yaml | cut -c1-10 | sort -u) in -rw-------) ;; *) fail 'secrets are for their owner alone' ;; esac
"$PINPIPE" config show --creds-path creds.yaml >out 2>&1 || fail 'its templates can be read' out
grep -q 'host=127.0.0.1 user=project_user .* database=pinterest_data port=3306' out || fail 'creds.yaml points to serve' out
for name in .env creds.yaml '*.pem' .pinpipe/; do
    grep -qxF "$name" .gitignore || fail ".gitignore keeps $name out" .gitignore
done
echo 'iam_username = mine' >.env
printf 'node_modules' >.gitignore
"$PINPIPE" config init >out || fail 'config init again' out
grep -q '^kept  *\.env' out && grep -q mine .env || fail 'what is there is kept' out
grep -q '^extended  *\.gitignore' out && grep -qx node_modules .gitignore && grep -qx .env .gitignore ||
    fail 'a .gitignore is extended' out .gitignore
"$PINPIPE" config init >out && [ "$(grep -c '^kept' out)" -eq 3 ] || fail 'a third time changes nothing' out
ok 'config init writes templates, keeps what is there, extends .gitignore'
mkdir .git && : >.gitignore
"$PINPIPE" doctor >out 2>err
grep -q '^BAD .*secrets.*\.env' out || fail 'doctor finds a secret that git would take' out
rm -rf .git
cd "$work" || exit 1

# --- doctor
"$PINPIPE" doctor --data "$work/new" --invoke-url $dead/test >out 2>err
[ $? -eq 5 ] || fail 'a server that is not there makes doctor exit 5' out err
grep -q '^note .*data directory' out && grep -q '^BAD .*gateway.*pinpipe serve' out || fail 'and names what to start' out
"$PINPIPE" data generate --data "$data" --rows 30 >/dev/null
start_server
"$PINPIPE" doctor --data "$data" >out 2>err || fail 'doctor is content with a running server' out err
grep -v '^ok ' out && fail 'doctor is content with all of it' out
"$PINPIPE" doctor --data "$data" --invoke-url "http://127.0.0.1:$(ready_port gateway_url)/v3" >out 2>err
grep -q '^BAD' out || fail 'doctor finds a stage that is none' out
stop_server
ok 'doctor says what is missing and the command that mends it'
