# A stranger (tests/fault/stranger.c) that plays every service, sourced before serve.sh, which changes the directory: stranger MODE starts it at $url, in
# place of the one before, and points the tools there.
stranger() {
    [ -z "$server_pid" ] || { kill "$server_pid" && wait "$server_pid" 2>/dev/null; }
    rm -f port port.asked
    "$BUILD/tests/stranger" port "$1" &
    server_pid=$!
    await 'the stranger listens' test -f port
    url=http://127.0.0.1:$(cat port)
    cat >.env <<END
invoke_URL = $url/test
rest_url = $url
connect_url = $url
s3_url = $url
END
}
