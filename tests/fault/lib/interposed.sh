# What the scripts that preload a library into the program begin with, sourced: goes to the top folder, makes BUILD and PINPIPE
# absolute, and leaves out what this system cannot. A preloaded library stands before the sanitizer's, which is meant.
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
case $(uname) in
Linux) ;;
*)
    echo 'ok - skipped: interposing needs LD_PRELOAD, glibc and /proc'
    exit 0
    ;;
esac
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"

# needs_own_malloc: for those that replace malloc in the server.
needs_own_malloc() {
    if nm -u "$PINPIPE" | grep -q __asan; then
        echo 'ok - skipped: the sanitizer has its own malloc'
        exit 0
    fi
}
