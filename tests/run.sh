#!/bin/sh
# The quick suite: every unit test, the golden transcripts, the saved fuzz inputs, the end-to-end and
# fault scripts. Quiet when green; a failing test's whole output is shown. Closes with one line
# "N passed, N failed". BUILD is the variant's folder.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build/release}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
PINPIPE=$BUILD/pinpipe
export BUILD PINPIPE
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT INT TERM
# The tests' own settings must not come from the caller's shell.
for key in $(cd "$log" && env -i "$PINPIPE" config show | sed 's/ .*//'); do
    unset "$key" "$(printf '%s' "$key" | tr '[:lower:]' '[:upper:]')"
done
passed=0
failed=0
started=$(date +%s)

# add NAME COMMAND...: a job; as many of them run at once as there are cores, those that mostly wait beside them.
jobs=0
quoted() { for word in "$@"; do printf " '%s'" "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")"; done; }
add() {
    jobs=$((jobs + 1))
    job=$log/$(printf '%04d' $jobs)
    printf '%s\n' "$1" >"$job.name"
    shift
    printf 'exec%s\n' "$(quoted "$@")" >"$job.sh"
}
run_job() { printf '%s' 'sh "$1" >"$1.out" 2>&1 </dev/null; echo $? >"$1.code"'; }

# Counts cmocka's "[       OK ]" and plain "ok - " lines of a job; a failure counts once more.
report() {
    name=$(cat "${1%.sh}.name")
    code=$(cat "$1.code" 2>/dev/null || echo 'none: it did not end')
    count=$(grep -cE '^\[       OK \]|^ok - ' "$1.out")
    passed=$((passed + count))
    if [ "$code" != 0 ]; then
        bad=$(grep -cE '^\[  FAILED  \] [a-z]|^not ok - ' "$1.out")
        failed=$((failed + (bad > 0 ? bad : 1)))
        printf 'FAILED %s (exit %s)\n' "$name" "$code"
        cat "$1.out"
    elif [ "$count" -eq 0 ]; then
        failed=$((failed + 1))
        printf 'FAILED %s: it tested nothing\n' "$name"
        cat "$1.out"
    elif [ -n "${VERBOSE:-}" ]; then
        cat "$1.out"
    fi
}

# These mostly wait (a consumer's polls, an emulator's back-off, servers that say nothing).
for name in consume emulate_restart hang; do
    add "tests/e2e/$name.sh" sh "tests/e2e/$name.sh"
done
waiting=$(ls "$log"/*.sh)
for script in $waiting; do
    sh -c "$(run_job)" job "$script" &
done
for test in "$BUILD"/tests/test_*; do
    case $test in *.d | *.so) continue ;; esac
    ls tests/unit/*/"$(basename "$test").c" >/dev/null 2>&1 && add "$(basename "$test")" "$test"
done
for replay in "$BUILD"/tests/replay_fuzz_*; do
    target=${replay##*/replay_fuzz_}
    [ -f "tests/fuzz/fuzz_$target.c" ] && add "corpus $target" "$replay" "tests/fuzz/corpus/$target"
done
add 'golden transcripts' "$BUILD/golden/replay" "$PINPIPE" tests/golden
add 'golden coverage' sh tests/golden/coverage.sh
for script in tests/e2e/*.sh tests/fault/*.sh; do
    case $script in tests/e2e/consume.sh | tests/e2e/emulate_restart.sh | tests/e2e/hang.sh | tests/fault/soak.sh) continue ;; esac
    [ -f "$script" ] && add "$script" sh "$script"
done
for script in "$log"/*.sh; do
    case $waiting in *"$script"*) ;; *) printf '%s\n' "$script" ;; esac
done | xargs -n 1 -P "$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)" sh -c "$(run_job)" job
wait
for script in "$log"/*.sh; do
    report "$script"
done

printf 'took %s s; left out here (CI runs them): the 29 s timeout, make crash, make crowd, make soak, make fuzz, make check-asan, make lint, tests/peers\n' \
    "$(($(date +%s) - started))" >&2
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
