#!/bin/sh
# Speed as ratios of things measured in the same run: nginx with a fixed answer, SQLite alone, wrk as
# client. Prints Markdown (docs/performance.md holds committed results). No part of any test suite.
#   ROUNDS (5)  SECONDS_EACH (2)  BENCH=post,start,emulate,verify,sql,s3,sink,large (all but large)
#   LARGE_ROWS (10000000) for `large`: records stored before the produce rate is measured again.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
ROUNDS=${ROUNDS:-5}
SECONDS_EACH=${SECONDS_EACH:-2}
BENCH=${BENCH:-post,start,emulate,verify,sql,s3,sink}
LARGE_ROWS=${LARGE_ROWS:-10000000}
pinpipe=$BUILD/pinpipe
work=$(mktemp -d "${TMPDIR:-/var/tmp}/pinpipe-bench.XXXXXX")
trap 'kill $(cat "$work"/*.pid 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

for tool in wrk nginx; do
    command -v $tool >/dev/null 2>&1 || PATH=$PATH:/usr/sbin
    command -v $tool >/dev/null 2>&1 || { echo "bench needs $tool: run .ci/deps bench" >&2; exit 1; }
done
for tool in raw_sqlite first_answer; do
    cc -O2 -Itests/fault -o "$work/$tool" "tests/bench/$tool.c" -lsqlite3
done
. tests/bench/tools.sh
nginx_port=$((20000 + $$ % 10000))
mkdir -p "$work/nginx"
cat >"$work/nginx.conf" <<T
worker_processes 1; daemon off; master_process off; pid $work/nginx/pid; error_log $work/nginx/error.log crit;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_temp_path $work/nginx/b; proxy_temp_path $work/nginx/p;
  fastcgi_temp_path $work/nginx/f; uwsgi_temp_path $work/nginx/u; scgi_temp_path $work/nginx/s;
  server { listen 127.0.0.1:$nginx_port; location / { default_type application/json;
    return 200 '{"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null}'; } } }
T
start_nginx() { nginx -c "$work/nginx.conf" -p "$work" >/dev/null 2>&1 & echo $! >"$work/nginx.pid"; sleep 0.3; }
make_body

say "Machine: $(uname -srm), $(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo); $(date -u +%Y-%m-%d); load before: $(cut -d' ' -f1-3 /proc/loadavg)."
say "Body: $(wc -c <"$work/body") bytes, one record; wrk with one thread; $ROUNDS interleaved rounds of $SECONDS_EACH s, medians; full durability."
say

if wants post; then
    note 'POST: nginx, raw SQLite, pinpipe'
    start_nginx
    for connections in 1 16 64; do
        round=0
        while [ $round -lt "$ROUNDS" ]; do
            round=$((round + 1))
            load "http://127.0.0.1:$nginx_port/x" $connections >>"$work/nginx.$connections"
            rm -rf "$work/raw.db"*
            "$work/raw_sqlite" append "$work/raw.db" $connections "$SECONDS_EACH" >>"$work/raw.$connections"
            rm -rf "$work/state"
            start_server "$work/state"
            load "$rest_url/topics/workshop.pin" $connections >>"$work/rest.$connections"
            load "$gateway_url/topics/workshop.pin" $connections >>"$work/gateway.$connections"
            stop serve
        done
    done
    stop nginx
    say '| connections | nginx/s | raw SQLite/s (batch = connections) | REST/s | gateway/s | series limit | REST: limit | gateway: limit |'
    say '|---|---|---|---|---|---|---|---|'
    for connections in 1 16 64; do
        n=$(median <"$work/nginx.$connections"); r=$(median <"$work/raw.$connections")
        p=$(median <"$work/rest.$connections"); g=$(median <"$work/gateway.$connections")
        limit=$(calc "1 / (1 / $n + 1 / $r)" 0)
        say "| $connections | $(calc "$n" 0) | $(calc "$r" 0) | $(calc "$p" 0) | $(calc "$g" 0) | $limit | $(calc "$p / $limit") | $(calc "$g / $limit") |"
    done
    say
fi

if wants start; then
    note 'start: first good answer on a fresh directory, idle memory'
    round=0
    rest_port=$((nginx_port + 1)); gateway_port=$((nginx_port + 2))
    while [ $round -lt $((ROUNDS * 4)) ]; do
        round=$((round + 1))
        "$work/first_answer" "$nginx_port" / "$(command -v nginx)" -c "$work/nginx.conf" -p "$work" >>"$work/start.nginx" 2>/dev/null
        rm -rf "$work/fresh"
        "$work/first_answer" $rest_port /topics "$pinpipe" serve --ephemeral --data "$work/fresh" --rest $rest_port --gateway $gateway_port --log off >>"$work/start.pinpipe" 2>/dev/null
    done
    n=$(cut -d' ' -f1 "$work/start.nginx" | median); p=$(cut -d' ' -f1 "$work/start.pinpipe" | median)
    m=$(cut -d' ' -f2 "$work/start.pinpipe" | median)
    say "First good answer on a fresh directory: pinpipe $(calc "$p / 1000" 1) ms, nginx $(calc "$n / 1000" 1) ms, ratio $(calc "$p / $n"). Idle VmRSS $(calc "$m / 1024" 1) MiB."
    say
fi

if wants emulate; then
    note 'emulator beside wrk: 10000 triples, three connections'
    round=0
    posts=30000
    while [ $round -lt 3 ]; do
        round=$((round + 1))
        rm -rf "$work/emulate"; mkdir "$work/emulate"; cp "$work/rows/rds.db" "$work/emulate/"
        start_server "$work/emulate"
        load "$gateway_url/topics/workshop.pin" 3 >>"$work/emulate.wrk"
        stop serve
        rm -rf "$work/emulate"/state* "$work/emulate"/journal*
        start_server "$work/emulate"
        begin=$(date +%s.%N)
        "$pinpipe" emulate batch --rows $((posts / 3)) --data "$work/emulate" >/dev/null 2>"$work/emulate.log" || { cat "$work/emulate.log" >&2; exit 1; }
        calc "$posts / ($(date +%s.%N) - $begin)" 0 >>"$work/emulate.ours"; echo >>"$work/emulate.ours"
        stop serve
    done
    w=$(median <"$work/emulate.wrk"); e=$(median <"$work/emulate.ours")
    say "Emulator: $(calc "$e" 0) posts/s, wrk with three connections $(calc "$w" 0)/s; the emulator takes $(calc "$w / $e") times wrk's time."
    say
fi

if wants verify; then
    note 'verify of a million records beside a raw scan'
    rm -rf "$work/verify"; mkdir "$work/verify"; cp "$work/rows/rds.db" "$work/verify/"
    start_server "$work/verify" --durability normal --journal 0
    "$pinpipe" emulate batch --rows 333334 --order random --concurrency 48 --data "$work/verify" >/dev/null 2>"$work/emulate.log" || { cat "$work/emulate.log" >&2; exit 1; }
    round=0
    while [ $round -lt 3 ]; do
        round=$((round + 1))
        "$work/raw_sqlite" scan "$work/verify/state.db" >>"$work/scan"
        begin=$(date +%s.%N)
        "$pinpipe" verify --data "$work/verify" >"$work/verdict" 2>/dev/null &
        verify_pid=$!
        peak=0
        while kill -0 $verify_pid 2>/dev/null; do
            now=$(awk '/VmHWM/ { print $2 }' /proc/$verify_pid/status 2>/dev/null || true)
            [ -z "$now" ] || peak=$now
            sleep 0.1
        done
        wait $verify_pid || { tail -5 "$work/verdict" >&2; note 'verify did not pass'; }
        calc "$(date +%s.%N) - $begin" 3 >>"$work/verify.s"; echo >>"$work/verify.s"
    done
    stop serve
    s=$(awk '{ print $3 }' "$work/scan" | median); v=$(median <"$work/verify.s")
    say "Verify of $(awk '{ print $2; exit }' "$work/scan") records: $(calc "$v" 1) s, a raw scan $(calc "$s" 2) s, ratio $(calc "$v / $s" 1); peak memory of verify $(calc "$peak / 1024" 1) MiB. $(tail -1 "$work/verdict")"
    say
fi

if wants sql; then
    note 'produce while pinpipe sql asks'
    "$pinpipe" demo --data "$work/asked" >/dev/null 2>&1
    start_server "$work/asked/demo"
    round=0
    while [ $round -lt "$ROUNDS" ]; do
        round=$((round + 1))
        load "$rest_url/topics/workshop.pin" 16 >>"$work/sql.without"
        (while "$pinpipe" sql --data "$work/asked/demo" 'SELECT count(*), sum(length(value)) FROM records' >/dev/null 2>&1; do echo x >>"$work/sql.asked"; sleep 0.2; done) &
        asker=$!
        load "$rest_url/topics/workshop.pin" 16 >>"$work/sql.with"
        kill $asker; wait $asker 2>/dev/null || true
    done
    stop serve
    a=$(median <"$work/sql.without"); b=$(median <"$work/sql.with")
    say "Produce at 16 connections: $(calc "$a" 0)/s alone, $(calc "$b" 0)/s while \`pinpipe sql\` scans all records five times a second ($(wc -l <"$work/sql.asked") scans): ratio $(calc "$b / $a")."
    say
fi

if wants large; then
    note "produce with $LARGE_ROWS records stored"
    peak_of() { awk '/VmHWM/ { print $2 }' "/proc/$(cat "$work/serve.pid")/status"; }
    fill() { # DIR ROWS: through SQLite, as the store keeps them
        "$work/raw_sqlite" fill "$1/state.db" "$2" >/dev/null
    }
    for rows in 0 1000000 "$LARGE_ROWS"; do
        rm -rf "$work/large.$rows"
        start_server "$work/large.$rows"; stop serve
        [ "$rows" = 0 ] || fill "$work/large.$rows" "$rows"
        sync # what the fill left to write must not slow the measuring
    done
    round=0
    while [ $round -lt "$ROUNDS" ]; do
        round=$((round + 1))
        for rows in 0 1000000 "$LARGE_ROWS"; do
            start_server "$work/large.$rows"
            load "$rest_url/topics/workshop.pin" 16 >>"$work/large.rps.$rows"
            peak_of >>"$work/large.peak.$rows"
            stop serve
        done
    done
    z=$(median <"$work/large.rps.0"); o=$(median <"$work/large.rps.1000000"); l=$(median <"$work/large.rps.$LARGE_ROWS")
    mo=$(median <"$work/large.peak.1000000"); ml=$(median <"$work/large.peak.$LARGE_ROWS")
    say "Produce at 16 connections with 0, 1000000 and $LARGE_ROWS records stored: $(calc "$z" 0), $(calc "$o" 0), $(calc "$l" 0) a second; ratio to none $(calc "$l / $z"). Peak memory at 1000000: $(calc "$mo / 1024" 1) MiB, at $LARGE_ROWS: $(calc "$ml / 1024" 1) MiB."
    say
fi
. tests/bench/lake.sh
say "Load after: $(cut -d' ' -f1-3 /proc/loadavg)."
