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
# The tests' own settings must not come from the caller's shell.
unset iam_username IAM_USERNAME invoke_URL INVOKE_URL deployment_stage DEPLOYMENT_STAGE creds_path CREDS_PATH \
    pinpipe_data PINPIPE_DATA consumer_group CONSUMER_GROUP rest_url REST_URL api_key API_KEY \
    connect_url CONNECT_URL s3_url S3_URL aws_region AWS_REGION aws_access_key_id AWS_ACCESS_KEY_ID \
    aws_secret_access_key AWS_SECRET_ACCESS_KEY aws_session_token AWS_SESSION_TOKEN
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:detect_stack_use_after_return=1:abort_on_error=0}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

log=$(mktemp -d) || exit 1
trap 'rm -rf "$log"' EXIT INT TERM
passed=0
failed=0
started=$(date +%s)

# run NAME COMMAND...: counts cmocka's "[       OK ]" and plain "ok - " lines; a failure counts once more.
run() {
    name=$1
    shift
    if "$@" >"$log/out" 2>&1; then
        count=$(grep -cE '^\[       OK \]|^ok - ' "$log/out")
        if [ "$count" -eq 0 ]; then
            failed=$((failed + 1))
            printf 'FAILED %s: it tested nothing\n' "$name"
            cat "$log/out"
        else
            passed=$((passed + count))
            [ -z "${VERBOSE:-}" ] || cat "$log/out"
        fi
    else
        code=$?
        passed=$((passed + $(grep -cE '^\[       OK \]|^ok - ' "$log/out")))
        bad=$(grep -cE '^\[  FAILED  \] [a-z]|^not ok - ' "$log/out")
        failed=$((failed + (bad > 0 ? bad : 1)))
        printf 'FAILED %s (exit %s)\n' "$name" "$code"
        cat "$log/out"
    fi
}

# These mostly wait (a consumer's polls, an emulator's back-off), so they run beside the others.
waiting='consume emulate_restart'
for name in $waiting; do
    (sh "tests/e2e/$name.sh" >"$log/$name.out" 2>&1; echo $? >"$log/$name.code") &
done
collect() {
    cat "$log/$1.out"
    return "$(cat "$log/$1.code")"
}

for test in "$BUILD"/tests/test_*; do
    case $test in *.d | *.so) continue ;; esac
    [ -f "tests/unit/$(basename "$test").c" ] && run "$(basename "$test")" "$test"
done
for replay in "$BUILD"/tests/replay_fuzz_*; do
    target=${replay##*/replay_fuzz_}
    [ -f "tests/fuzz/fuzz_$target.c" ] && run "corpus $target" "$replay" "tests/fuzz/corpus/$target"
done
run 'golden transcripts' "$BUILD/golden/replay" "$PINPIPE" tests/golden
run 'golden coverage' sh tests/golden/coverage.sh
for script in tests/e2e/*.sh tests/fault/*.sh; do
    case " $waiting " in *" $(basename "$script" .sh) "*) continue ;; esac
    [ -f "$script" ] && run "$script" sh "$script"
done
wait
for name in $waiting; do
    run "tests/e2e/$name.sh" collect "$name"
done

printf 'took %s s; left out here (CI runs them): the 29 s timeout, make crash, make fuzz, make check-asan, make lint, tests/peers\n' \
    "$(($(date +%s) - started))" >&2
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
