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
