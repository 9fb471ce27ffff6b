# Sourced by the scripts here: a folder of their own, a server on free ports, words for the outcome.
# Gives $work (removed at the end), $data, start_server, stop_server, ok, fail, await.
# shellcheck shell=sh
: "${PINPIPE:?set PINPIPE to the program}"

work=$(mktemp -d) || exit 1
data=$work/data
server_pid=

finish() {
    code=$?
    trap - EXIT INT TERM
    [ -z "$server_pid" ] || kill "$server_pid" 2>/dev/null
    wait
    rm -rf "$work"
    exit "$code"
}
trap finish EXIT
trap 'exit 1' INT TERM
cd "$work" || exit 1

ok() { printf 'ok - %s\n' "$1"; }

# fail WHAT [FILE...]: shows the files and ends the script.
fail() {
    printf 'not ok - %s\n' "$1"
    shift
    for file in "$@"; do
        printf -- '--- %s\n' "$file"
        cat "$file"
    done
    [ ! -f "$work/server.log" ] || tail -5 "$work/server.log"
    exit 1
}

# await WHAT COMMAND...: until it succeeds, at most about 10 s.
await() {
    what=$1
    shift
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 500 ] || fail "waited in vain until $what"
        sleep 0.02
    done
}

# start_server [OPTION...]: on free ports unless the options name some.
start_server() {
    rm -f "$work/ready.json"
    "$PINPIPE" serve --ephemeral --data "$data" --ready-file "$work/ready.json" "$@" \
        >"$work/server.log" 2>&1 &
    server_pid=$!
    await 'the server is ready' test -f "$work/ready.json"
}

# stop_server [SIGNAL]
stop_server() {
    kill "-${1:-TERM}" "$server_pid"
    wait "$server_pid" 2>/dev/null
    server_pid=
}

# json_number FILE KEY: the number (or word) behind the first "KEY":
json_number() { sed -n "s/.*\"$2\" *: *\"\{0,1\}\([^,\"}]*\).*/\1/p" "$1" | head -1; }

# ready_port KEY: the port in one of ready.json's URLs.
ready_port() { sed -n "s/.*\"$1\": *\"[a-z]*:\/\/127\.0\.0\.1:\([0-9]*\).*/\1/p" "$work/ready.json"; }

# ask SQL: the answer without its head, one line a row.
ask() { "$PINPIPE" sql --data "$data" --csv "$1" | tr -d '\r' | sed 1d; }
