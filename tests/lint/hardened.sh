#!/bin/sh
# Does the built program have what makes a mistake in memory harder to use? hardened.sh [PROGRAM]. What only the compiler knows
# is read from the compiler's own words in the debug information, which gcc writes and clang does not.
set -u
cd "$(dirname "$0")/../.." || exit 1
program=${1:-${BUILD:-build/release}/pinpipe}
bad=0
complain() { printf '%s %s\n' "$program" "$*"; bad=1; }
command -v readelf >/dev/null 2>&1 || { echo 'lint needs readelf: run .ci/deps lint'; exit 1; }
readelf -hldW "$program" 2>/dev/null | grep -q '^ELF Header' || { echo "$program is no ELF file: nothing to look at"; exit 0; }

seen=$(readelf -hldW "$program"; readelf -sW "$program" | grep -F __stack_chk_fail)
has() { printf '%s\n' "$seen" | grep -qE "$1"; }
has '^ +GNU_RELRO ' || complain 'has no RELRO: -Wl,-z,relro'
has '\(FLAGS(_1)?\).*NOW' || complain 'binds late, so that its RELRO is not full: -Wl,-z,now'
has 'Type: +DYN' || complain 'always lies at the same address: -pie'
has 'GNU_STACK .* RW ' || complain 'has a stack that can be run: some object was not marked'
has '__stack_chk_fail' || complain 'has no stack protector: -fstack-protector-strong'

# Where the compiler takes them, and says so.
object=${BUILD:-build/release}/obj/src/base/base.o
words=$(readelf --debug-dump=info "$object" 2>/dev/null | sed -n 's/.*DW_AT_producer.*: //p' | head -n 1)
case $words in
*'GNU C'*)
    for flag in -fstack-clash-protection -fcf-protection=return -ftrivial-auto-var-init=zero; do
        case $words in *"$flag"*) continue ;; esac
        echo 'int x;' | ${CC:-cc} -Werror "$flag" -x c -fsyntax-only - 2>/dev/null && complain "is built without $flag"
    done
    ;;
esac
exit $bad
