#!/bin/sh
# The words behind `pinpipe`: a typing mistake is usage (2) and names the nearest command, a command of
# a later release says so (4), help is on stdout and complete.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

expect() { # CODE TEXT WORDS...: the exit code, and the text on stderr
    code=$1
    text=$2
    shift 2
    got=0
    "$PINPIPE" "$@" >out 2>err || got=$?
    [ "$got" -eq "$code" ] || { echo "not ok - $*: exit $got, not $code"; cat err; exit 1; }
    grep -qF -- "$text" err || { echo "not ok - $*: does not say \"$text\""; cat err; exit 1; }
}

expect 2 'did you mean "verify"?' verfy
expect 2 'see: pinpipe --help' zzzzzzzz
expect 2 'no subcommand "lst"' topics lst
expect 2 'wants a subcommand' topics
echo 'ok - a typing mistake names the nearest word'
for word in streams batch dag; do
    expect 4 "$word is not in this build yet" $word
done
echo 'ok - a command of a later release says so'
"$PINPIPE" --help >out 2>err
[ ! -s err ]
for word in demo serve up wait status stop reset data topics emulate consume verify sql connect s3 config doctor; do
    grep -q "^  $word " out
    "$PINPIPE" $word --help | grep -q '^Example:'
done
echo 'ok - every command is listed and explains itself with an example'
"$PINPIPE" --version | grep -q '^pinpipe [0-9]'
"$PINPIPE" --man | grep -q '^.TH PINPIPE 1'
echo 'ok - version and man page are printed'
