#!/bin/sh
# server.json says where a running server is, and the tools send keys and signed requests there. A file that somebody else can
# have written, or that a server has left behind, redirects nobody: it is told, and the usual ports are asked.
set -u
. "$(dirname "$0")/lib/serve.sh"

# Whoever would be asked if the tools believed a file: the journal tells who was.
trap_data=$work/trap
"$PINPIPE" serve --ephemeral --data "$trap_data" --ready-file trap.json >trap.log 2>&1 &
trap_pid=$!
trap 'kill $trap_pid 2>/dev/null; finish' EXIT
await 'the other server is ready' test -f trap.json
start_server
mine=$(ready_port s3_url)
theirs=$(sed -n 's/.*"s3_url": *"[^"]*:\([0-9]*\)".*/\1/p' trap.json)
cp "$data/server.json" mine.json
api_key=key-of-the-plan AWS_ACCESS_KEY_ID=AKID AWS_SECRET_ACCESS_KEY=secret
export api_key AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY

# Every tool that looks for a service.
each_tool() {
    for tool in 's3 ls' 'topics list' 'connect list' 'doctor'; do
        # shellcheck disable=SC2086
        timeout 20 "$PINPIPE" $tool --data "${1:-$data}" >out 2>err </dev/null || :
        cat out err >>all
        printf '%s\n' "--- $tool" >>all
        "$2" "$tool" || return 1
    done
}
says_nothing() { ! grep -q 'server.json' err; }
: >all
each_tool "$data" says_nothing || fail 'a running server is found and nothing is said' out err
"$PINPIPE" s3 ls --data "$data" >out 2>err || fail 'a running server is asked' out err
ok 'a running server is found by its server.json'

# told WHAT WORD: no tool believes $data/server.json; each says so once, with the word, and asks neither server.
told() {
    : >all
    each_tool "$data" is_told "$2" || fail "$1 is told ($tool: $word)" out err
    grep -q ":$theirs" all && fail "$1: the other server is not asked" all
    ok "$1 redirects nobody"
}
is_told() { [ "$(grep -c 'server\.json is not read: ' err)" = 1 ] && grep -q "server\.json is not read: .*$word.*; " err; }
refused() {
    word=$2
    told "$1" "$2"
    cp mine.json "$data/server.json.new" && chmod 600 "$data/server.json.new" && rm -rf "$data/server.json" &&
        mv "$data/server.json.new" "$data/server.json" || exit 1
}
# The text as it stands behind a rename: what was there may have been anything.
put() { rm -rf "$data/server.json" && (umask 077 && cat >"$data/server.json"); }

ended=$(sh -c 'echo $$')
sed "s/\"pid\": *[0-9]*/\"pid\": $ended/; s/:$mine/:$theirs/" mine.json | put
refused 'the file of a process that has ended' "pid $ended.*pinpipe serve"
sed "s/\"pid\": *[0-9]*/\"pid\": $$/; s/:$mine/:$theirs/" mine.json | put
refused 'the file of a process that does not hold the lock' "pid $$.*lock"
cp trap.json forged.json
put <forged.json
refused 'the file of the server of another directory' "pid $trap_pid.*lock"
rm "$data/server.json" && ln -s "$trap_data/server.json" "$data/server.json"
refused 'a link' 'link'
chmod 666 "$data/server.json"
refused 'a file that others can write' 'chmod go-w'
chmod 620 "$data/server.json"
refused 'a file that a group can write' 'chmod go-w'
chmod 770 "$data"
refused 'a directory that a group can write' "chmod go-w"
chmod 707 "$data"
refused 'a directory that others can write' "chmod go-w"
chmod 700 "$data"
for host in 203.0.113.7 127.0.0.1.example.com 127.0.0.1@203.0.113.7 2130706433 127.1 '[::ffff:203.0.113.7]' localhost.example.com; do
    sed "s|\"s3_url\": *\"http://127.0.0.1|\"s3_url\": \"http://$host|" mine.json | put
    refused "a file that names $host" 's3_url.*this machine'
done
sed 's|"mysql_url": *"mysql://127.0.0.1|"mysql_url": "mysql://203.0.113.7|' mine.json | put
refused 'a file that names a MySQL elsewhere' 'mysql_url.*this machine'
sed 's|"gateway_url": *"http:|"gateway_url": "file:|' mine.json | put
refused 'a file that names no URL' 'gateway_url'
sed 's|"connect_url": *"[^"]*"|"connect_url": 7|' mine.json | put
refused 'a file with a number for a URL' 'connect_url'
(cat mine.json && head -c 1048576 /dev/zero | tr '\0' ' ') | put
refused 'a huge file' 'larger than'
for text in '{"gateway_url":' '[]' 'null' '' '{"pid":"1"}' '{"pid":-1}' '{"pid":0}' '{"pid":1e300}'; do
    printf '%s' "$text" | put
    refused "the text '$text'" 'server'
done
head -c 4096 /dev/urandom | put
refused 'a file of random bytes' 'server'
rm "$data/server.json" && mkfifo "$data/server.json"
refused 'a named pipe' 'not a file'
rm "$data/server.json" && mkdir "$data/server.json"
refused 'a directory' 'not a file'
if [ "$(id -u)" = 0 ]; then
    chown 65534 "$data/server.json"
    refused 'a file of another user' 'uid 65534'
    chown 65534 "$data"
    refused 'a directory of another user' 'uid 65534'
    chown 0 "$data"
    mkdir "$work/linked" && ln -s "$data" "$work/linked/data"
    each_tool "$work/linked/data" says_nothing || fail 'a link to a directory of our own is one of ours' out err
fi

each_tool "$data" says_nothing || fail 'the running server is still found' out err
[ ! -f "$trap_data/journal.db" ] || fail 'the other server was never asked'
curl -s -o out "http://127.0.0.1:$theirs/"
await 'its journal tells who asks' test -f "$trap_data/journal.db"
ok 'the server whose address was given was never asked'

# What a killed server leaves is told; a file that is not there needs no word.
stop_server KILL
word='has ended'
told 'what a killed server has left' 'has ended'
rm "$data/server.json"
each_tool "$data" says_nothing || fail 'no file, no word' out err
ok 'no file is no word'

# Neither key nor signature goes to a port that nobody has named.
"$PINPIPE" topics list --data "$data" >out 2>err || :
grep -q 'api_key is not sent to http://127.0.0.1:.*invoke_URL' err || fail 'the key is kept' err
"$PINPIPE" s3 ls --data "$data" >out 2>err || :
grep -q 'not signed.*http://127.0.0.1:9000.*s3_url' err || fail 'the credentials are kept' err
ok 'keys are for hosts that are configured and for the server of the directory'
