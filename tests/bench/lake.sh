# Sourced by bench.sh: S3 beside moto and s3rver, the sink beside SQLite alone.
# shellcheck shell=sh disable=SC2154
need_peers() {
    [ ! -x "$work/moto/bin/moto_server" ] || return 0
    note 'installing moto and s3rver'
    python3 -m venv "$work/moto"
    "$work/moto/bin/pip" install -q --disable-pip-version-check 'moto[s3,server]'
    (mkdir -p "$work/s3rver" && cd "$work/s3rver" && npm install --silent --no-fund --no-audit s3rver >/dev/null 2>&1)
}
# start_s3 NAME: one of the three on $s3_url, with the bucket made.
start_s3() {
    unset ACL
    [ "$1" != moto ] || export ACL=public-read-write
    s3_port=$((nginx_port + 7))
    s3_url=http://127.0.0.1:$s3_port
    rm -rf "$work/s3.data"; mkdir -p "$work/s3.data"
    case $1 in
    pinpipe) start_server "$work/s3.data" --s3 $s3_port ;;
    moto) "$work/moto/bin/moto_server" -H 127.0.0.1 -p $s3_port >/dev/null 2>&1 & echo $! >"$work/serve.pid" ;;
    s3rver) "$work/s3rver/node_modules/.bin/s3rver" -d "$work/s3.data" -a 127.0.0.1 -p $s3_port --silent >/dev/null 2>&1 & echo $! >"$work/serve.pid" ;;
    esac
    until curl -s -o /dev/null -X PUT ${ACL:+-H "x-amz-acl: $ACL"} "$s3_url/bench-bucket"; do sleep 0.1; done
}

if wants s3; then
    need_peers
    note 'S3: pinpipe, moto, s3rver'
    for peer in pinpipe moto s3rver; do
        round=0
        while [ $round -lt 3 ]; do
            round=$((round + 1))
            start_s3 $peer
            s3_load "$s3_url" 1024 16 >>"$work/s3.$peer.put1k"
            BYTES=1024 # the first keys are there now
            s3_load "$s3_url" 1024 16 100 >>"$work/s3.$peer.get1k"
            s3_load "$s3_url" 1048576 4 >>"$work/s3.$peer.put1m"
            s3_load "$s3_url" 1048576 4 10 >>"$work/s3.$peer.get1m"
            stop serve
        done
    done
    say '| S3, requests a second | pinpipe | moto | s3rver | pinpipe : moto | pinpipe : s3rver |'
    say '|---|---|---|---|---|---|'
    for what in put1k get1k put1m get1m; do
        p=$(median <"$work/s3.pinpipe.$what"); m=$(median <"$work/s3.moto.$what"); r=$(median <"$work/s3.s3rver.$what")
        say "| $what | $(calc "$p" 0) | $(calc "$m" 0) | $(calc "$r" 0) | $(calc "$p / $m" 1) | $(calc "$p / $r" 1) |"
    done
    say
fi

if wants sink; then
    note 'the sink: beside produce, and over a backlog'
    backlog=200000
    round=0
    while [ $round -lt 3 ]; do
        round=$((round + 1))
        for sink in off on; do
            rm -rf "$work/sink.data"
            start_server "$work/sink.data"
            [ $sink = off ] || "$pinpipe" connect create --data "$work/sink.data" >/dev/null
            load "$rest_url/topics/workshop.pin" 16 >>"$work/sink.$sink"
            if [ $sink = on ]; then
                "$pinpipe" sql --data "$work/sink.data" --csv 'SELECT (SELECT sum(records) FROM topics) - (SELECT count(*) FROM objects)' | tail -1 >>"$work/sink.lag"
            fi
            stop serve
        done
        rm -rf "$work/sink.data" "$work/raw.db"*
        start_server "$work/sink.data"; stop serve
        "$work/raw_sqlite" fill "$work/sink.data/state.db" $backlog >/dev/null
        "$work/raw_sqlite" append "$work/raw.db" 1000 "$SECONDS_EACH" >>"$work/sink.raw"
        start_server "$work/sink.data"
        begin=$(date +%s.%N)
        "$pinpipe" connect create --data "$work/sink.data" >/dev/null
        until [ "$("$pinpipe" sql --data "$work/sink.data" --csv "SELECT coalesce(sum(offset), 0) FROM group_offsets" | tail -1 | tr -d '\r')" = $backlog ]; do sleep 0.05; done
        calc "$backlog / ($(date +%s.%N) - $begin)" 0 >>"$work/sink.drain"; echo >>"$work/sink.drain"
        stop serve
    done
    a=$(median <"$work/sink.off"); b=$(median <"$work/sink.on"); d=$(median <"$work/sink.drain"); r=$(median <"$work/sink.raw")
    say "Produce at 16 connections: $(calc "$a" 0)/s without a connector, $(calc "$b" 0)/s with one that makes an object of every record (ratio $(calc "$b / $a")); records acknowledged without an object at the end: $(sort -n "$work/sink.lag" | tail -1)."
    say "A backlog of $backlog records becomes objects at $(calc "$d" 0) a second; SQLite alone appends $(calc "$r" 0) such records a second in batches of 1000: ratio $(calc "$d / $r"), $(calc "$d / $b" 1) times what the REST proxy fed it above."
    say
fi
