# Sourced by the scripts that damage a whole pipeline, one kind at a time, and hold verify to it; before serve.sh, which leaves
# the folder. They bring `verify`, which judges $data into out and err. Gives keep, damage, restore, judge, must_fail.
# shellcheck shell=sh
edit_db=$BUILD/tests/edit_db

# keep: the state of the stopped server is what restore goes back to.
keep() { cp -R "$data" pristine; }
restore() {
    rm -rf "$data"
    cp -R pristine "$data"
}

# damage FILE SQL: in the stopped server's file; it must hit something.
damage() {
    changed=$("$edit_db" "$data/$1.db" "$2") || fail "damage: $2"
    [ "$changed" -gt 0 ] || fail "the damage hits something: $2"
}

# judge: serves the state and verifies it; the exit code is verify's.
judge() {
    start_server
    verify
    code=$?
    stop_server
    return $code
}

# must_fail "TITLE" COUNT "FIRST OFFENDER": that and nothing else.
must_fail() {
    judge
    [ $? -eq 1 ] || fail "$1 is exit 1" out err
    [ "$(tail -n 1 out)" = "FAIL $2 $1" ] || fail "$1 is the verdict" out
    grep -A 1 "FAIL  $1 " out | tail -n 1 | grep -qF "first: $3" || fail "the first offender of $1" out
    ok "$1: named, counted, with its first offender"
    restore
}
