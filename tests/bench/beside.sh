#!/bin/sh
# This build beside an older one: `beside.sh OLD-PINPIPE`, each figure taken from both in turn, in one run.
# Prints Markdown. A change that may cost speed is judged by it; `noise` is what two rounds of the same
# program differ by. No part of any test suite.
#   ROUNDS (7)  SECONDS_EACH (2)  BENCH=post,start,emulate,verify,s3,sink
set -eu
old=$(realpath "${1:?usage: beside.sh OLD-PINPIPE}")
cd "$(dirname "$0")/../.."
new=$(realpath "${BUILD:-build/release}/pinpipe")
ROUNDS=${ROUNDS:-7}
SECONDS_EACH=${SECONDS_EACH:-2}
BENCH=${BENCH:-post,start,emulate,verify,s3,sink}
work=$(mktemp -d "${TMPDIR:-/var/tmp}/pinpipe-beside.XXXXXX")
trap 'kill $(cat "$work"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
. tests/bench/tools.sh
for tool in wrk nginx; do
    command -v $tool >/dev/null 2>&1 || { echo "beside.sh needs $tool: run .ci/deps bench" >&2; exit 1; }
done
cc -O2 -Itests/fault -o "$work/first_answer" tests/bench/first_answer.c
cc -O2 -o "$work/raw_sqlite" tests/bench/raw_sqlite.c -lsqlite3
pinpipe=$old
make_body

# each COMMAND...: one round of it with each program, which of them first changes from round to round.
each() {
    round=0
    while [ $round -lt "$ROUNDS" ]; do
        round=$((round + 1))
        order='old new'
        [ $((round % 2)) = 0 ] || order='new old'
        for which in $order; do
            [ $which = old ] && pinpipe=$old || pinpipe=$new
            rm -rf "$work/state"
            "$@"
        done
    done
}
took() { # NAME: the figure on stdin belongs to it and to the program that runs
    awk '/./' >>"$work/$1.$which"
}
# cpu_us: what the server has used so far, in microseconds of processor.
cpu_us() { awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print int(($12 + $13) * 1000000 / tick) }' "/proc/$(cat "$work/serve.pid")/stat"; }
# loaded NAME URL CONNECTIONS: posts a second, and the processor's microseconds a post, which noise moves less.
loaded() {
    used=$(cpu_us)
    rate=$(load "$2" "$3")
    echo "$rate" | took "$1"
    calc "($(cpu_us) - $used) / ($rate * $SECONDS_EACH)" 2 | took "$1.cpu"
}
# row NAME TITLE: medians, their ratio, the spread of the old one's middle half.
row() {
    o=$(median <"$work/$1.old"); n=$(median <"$work/$1.new")
    noise=$(sort -n "$work/$1.old" | awk '{ v[NR] = $1 } END { a = int((NR + 3) / 4); b = NR + 1 - a; m = v[int((NR + 1) / 2)]; printf "%.2f", m ? (v[b] - v[a]) / m : 0 }')
    say "| $2 | $(calc "$o" "${3:-0}") | $(calc "$n" "${3:-0}") | $(calc "$n / $o") | $noise |"
}
seconds_since() { calc "$(date +%s.%N) - $1" 3; }

posts() {
    start_server "$work/state"
    for connections in 1 16 64; do
        loaded rest.$connections "$rest_url/topics/workshop.pin" $connections
        loaded gateway.$connections "$gateway_url/topics/workshop.pin" $connections
    done
    stop serve
}
start() {
    for again in 1 2 3 4; do
        rm -rf "$work/state"
        set -- $("$work/first_answer" $rest_port /topics "$pinpipe" serve --ephemeral --data "$work/state" --rest $rest_port --gateway $((rest_port + 1)) --log off 2>/dev/null)
        echo "$1" | took start
        echo "$2" | took idle
    done
}
emulate() {
    mkdir "$work/state"; cp "$work/rows/rds.db" "$work/state/"
    start_server "$work/state"
    begin=$(date +%s.%N)
    "$pinpipe" emulate batch --rows 5000 --data "$work/state" >/dev/null 2>"$work/emulate.log" || { cat "$work/emulate.log" >&2; exit 1; }
    seconds_since "$begin" | took emulate
    stop serve
}
verify() {
    cp -r "$work/judged.$which" "$work/state"
    rm -f "$work/state/server.json"
    start_server "$work/state" --journal 0
    begin=$(date +%s.%N)
    "$pinpipe" verify --data "$work/state" >"$work/verdict" 2>&1 || { tail -3 "$work/verdict" >&2; exit 1; }
    seconds_since "$begin" | took verify
    stop serve
}
s3() {
    start_server "$work/state"
    s3_url=$(sed -n 's/.*"s3_url": *"\([^"]*\)".*/\1/p' "$work/ready")
    curl -s -o /dev/null -X PUT "$s3_url/bench-bucket"
    s3_load "$s3_url" 1024 16 | took put1k
    s3_load "$s3_url" 1024 16 100 | took get1k
    s3_load "$s3_url" 1048576 4 | took put1m
    s3_load "$s3_url" 1048576 4 10 | took get1m
    stop serve
}
sink() {
    start_server "$work/state"
    "$pinpipe" connect create --data "$work/state" >/dev/null
    loaded sink "$rest_url/topics/workshop.pin" 16
    stop serve
}

say "$(uname -srm), $(nproc) cores; $(date -u +%Y-%m-%d); load before: $(cut -d' ' -f1-3 /proc/loadavg). $ROUNDS rounds of $SECONDS_EACH s, medians."
say "Old: $("$old" --version | head -1). New: $("$new" --version | head -1)."
say
say '| | old | new | new : old | noise |'
say '|---|---|---|---|---|'
if wants post; then
    each posts
    for connections in 1 16 64; do
        row rest.$connections "REST, $connections connections, posts/s"
        row rest.$connections.cpu "REST, $connections connections, us of processor a post" 1
        row gateway.$connections "gateway, $connections connections, posts/s"
        row gateway.$connections.cpu "gateway, $connections connections, us of processor a post" 1
    done
fi
if wants start; then
    rest_port=$((20000 + $$ % 10000))
    each start
    row start 'first good answer, us'
    row idle 'idle memory, KiB'
fi
if wants emulate; then
    each emulate
    row emulate 'emulator, 15000 posts, s' 2
fi
if wants verify; then
    for which in old new; do
        [ $which = old ] && pinpipe=$old || pinpipe=$new
        mkdir "$work/judged.$which"; cp "$work/rows/rds.db" "$work/judged.$which/"
        start_server "$work/judged.$which" --durability normal --journal 0
        "$pinpipe" emulate batch --rows 100000 --order random --concurrency 48 --data "$work/judged.$which" >/dev/null 2>&1
        stop serve
    done
    each verify
    row verify 'verify of 300000 records, s' 2
fi
if wants s3; then
    each s3
    for what in put1k get1k put1m get1m; do row $what "S3 $what, requests/s"; done
fi
if wants sink; then
    each sink
    row sink.cpu 'with a connector, us of processor a post' 1
    row sink 'produce with a connector, 16 connections, posts/s'
fi
say
say "Load after: $(cut -d' ' -f1-3 /proc/loadavg)."
