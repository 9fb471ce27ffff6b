#!/bin/sh
# A large upload and download: s3_large.sh [MIB]. Memory stays bounded, other clients have their turns
# between its slices, the bytes come back. 64 MiB in the quick suite, 1024 in CI, 5120 on demand.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
mib=${1:-64}
limit_mib=64
. tests/e2e/lib/serve.sh

start_server --log warn
s3=$(sed -n 's/.*"s3_url": "\([^"]*\)".*/\1/p' "$work/ready.json")
bucket=$s3/user-workshop-bucket
# Not one byte again and again, and quick to make: a line number in each 64 KiB.
awk -v n="$mib" 'BEGIN { for (i = 0; i < n * 16; i++) printf "%-65535d\n", i }' >"$work/large"
curl -fsS -X PUT -d small "$bucket/small"

# beside OUTCOME COMMAND...: runs it in the background; prints how many answers somebody else got meanwhile.
beside() {
    outcome=$1
    shift
    ("$@" && echo well >"$outcome" || echo badly >"$outcome") &
    answered=0
    until [ -f "$outcome" ]; do
        [ "$(curl -fsS --max-time 10 "$bucket/small")" = small ] || fail 'another client is answered in between'
        answered=$((answered + 1))
    done
    wait $!
}
beside "$work/put" curl -fsS -T "$work/large" "$bucket/large"
during_put=$answered
[ "$(cat "$work/put")" = well ] || fail 'the upload ends well'
beside "$work/get" curl -fsS -o "$work/back" "$bucket/large"
during_get=$answered
[ "$(cat "$work/get")" = well ] || fail 'the download ends well'
cmp "$work/large" "$work/back" || fail 'the bytes come back'
rm "$work/back"
[ "$during_put" -gt 0 ] && [ "$during_get" -gt 0 ] || fail "others were answered $during_put and $during_get times meanwhile"
etag=$(curl -fsSI "$bucket/large" | tr -d '\r' | sed -n 's/^ETag: "\(.*\)"/\1/p')
[ "$etag" = "$(md5sum <"$work/large" | cut -d' ' -f1)" ] || fail 'the ETag is the MD5'
ok "S3: $mib MiB up and down; others were answered $during_put and $during_get times meanwhile"

peak=$(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$server_pid/status" 2>/dev/null || echo unknown)
case $BUILD in
*asan* | *cov*) ok "the server's peak memory was $peak MiB (not judged in this build)" ;;
*)
    [ "$peak" = unknown ] || [ "$peak" -lt $limit_mib ] || fail "the server's peak memory was $peak MiB"
    ok "the server's peak memory was $peak MiB"
    ;;
esac
stop_server
