# What the benchmarks share, sourced by them: a server to load, loads, medians. Expects $work and $pinpipe.
# shellcheck shell=sh disable=SC2154,SC2034
wants() { case ",$BENCH," in *",$1,"*) return 0 ;; *) return 1 ;; esac; }
say() { printf '%s\n' "$*"; }
note() { printf 'bench: %s\n' "$*" >&2; }
# The median of numbers on stdin.
median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
calc() { awk "BEGIN { printf \"%.${2:-2}f\", $1 }"; }
# start_server DIR FLAGS...: sets rest_url and gateway_url.
start_server() {
    dir=$1
    shift
    rm -f "$work/ready"
    "$pinpipe" serve --ephemeral --data "$dir" --ready-file "$work/ready" --log warn "$@" >/dev/null 2>"$work/serve.log" &
    echo $! >"$work/serve.pid"
    while [ ! -f "$work/ready" ]; do sleep 0.02; done
    rest_url=$(sed -n 's/.*"rest_url": *"\([^"]*\)".*/\1/p' "$work/ready")
    gateway_url=$(sed -n 's/.*"gateway_url": *"\([^"]*\)".*/\1/p' "$work/ready")
}
stop() { kill "$(cat "$work/$1.pid")" 2>/dev/null || true; wait "$(cat "$work/$1.pid")" 2>/dev/null || true; rm -f "$work/$1.pid"; }
# load URL CONNECTIONS: requests a second.
load() {
    BENCH_BODY=$work/body wrk -t1 -c"$2" -d"${SECONDS_EACH}s" --latency -s tests/bench/post.lua "$1" >/dev/null 2>"$work/wrk"
    awk '/^RESULT/ { if ($3 > 0) print "bench: " $3 " bad answers" > "/dev/stderr"; print $2 }' "$work/wrk"
}
# s3_load URL BYTES CONNECTIONS [KEYS]: requests a second.
s3_load() {
    BYTES=$2 KEYS=${4:-0} PREFIX=/bench-bucket/k wrk -t1 -c"$3" -d"${SECONDS_EACH}s" -s tests/bench/s3.lua "$1" >/dev/null 2>"$work/wrk"
    awk '/^RESULT/ { if ($3 > 0) print "bench: " $3 " bad answers" > "/dev/stderr"; print $2 }' "$work/wrk"
}
# make_body: $work/rows gets the generated tables, $work/body what the emulator posts, a real row of the pins.
make_body() {
    "$pinpipe" data generate --data "$work/rows" >/dev/null 2>&1
    start_server "$work/sample"
    printf '{"records":[{"value":%s}]}' "$("$pinpipe" sql --data "$work/rows" --json 'SELECT * FROM pinterest_data LIMIT 1 OFFSET 7528' | sed '1d;$d')" >"$work/body"
    stop serve
}
