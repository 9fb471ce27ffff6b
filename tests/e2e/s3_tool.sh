#!/bin/sh
# `pinpipe s3` against the server: the aws CLI's listing, files there and back byte for byte, large ones in parts,
# sync in both directions, keys that would leave the directory, signatures and regions.
set -u
. "$(dirname "$0")/lib/serve.sh"
bucket=s3://user-workshop-bucket

s3() { "$PINPIPE" s3 "$@" --data "$data" >out 2>err; }
# refused CODE WORD COMMAND...: the exit code, and the word on stderr.
refused() {
    code=$1
    word=$2
    shift 2
    s3 "$@"
    got=$?
    [ $got -eq "$code" ] || fail "s3 $* is exit $code (not $got)" out err
    grep -q -e "$word" err || fail "s3 $* says $word" out err
}
# put_key KEY TEXT: as no file could be named; curl sends the path as it is.
put_key() {
    curl -sf --path-as-is -X PUT --data-binary "$2" "http://127.0.0.1:$(ready_port s3_url)/user-workshop-bucket/$1" ||
        fail "an object with the key $1"
}

start_server
s3 ls || fail 'buckets are listed' out err
grep -qE '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8} user-workshop-bucket$' out || fail 'as the aws CLI lists them' out
s3 ls $bucket || fail 'an empty bucket is no failure' out err
[ ! -s out ] || fail 'an empty bucket lists nothing' out
refused 5 'begins with' ls $bucket/topics/
ok 'buckets are listed, the empty one too; a prefix of nothing is exit 5'

mkdir -p src/a src/b/c
printf 'one\n' >src/a/1.json
printf 'two\n' >"src/b/c/t+w o=$(printf '\303\251').json"
printf 'x' >src/a-b
: >src/empty
head -c 20000000 /dev/urandom >src/large
s3 put src/large $bucket/single/ || fail 'a large file is put' out err
grep -qx "upload: src/large to $bucket/single/large" out || fail 'put says what it did' out
s3 get $bucket/single/large copy || fail 'a large object is got' out err
cmp -s src/large copy || fail 'a large file comes back byte for byte'
"$PINPIPE" s3 cat $bucket/single/large --data "$data" 2>err | cmp -s - src/large || fail 'cat writes it to stdout' err
etag=$("$PINPIPE" s3 ls $bucket/single/ --recursive --json --data "$data" | sed -n 's/.*"etag":"\([^"]*\)".*/\1/p')
[ "${etag##*-}" = 3 ] || fail "20 MB go in three parts (ETag $etag)"
refused 5 'NoSuchKey' get $bucket/single/none none
[ ! -e none ] || fail 'nothing is left of an object that is not there'
refused 5 'NoSuchBucket' cat s3://no-such-bucket/k
refused 2 'is not s3://bucket/key' cat $bucket
refused 2 'is not s3://bucket/key' get single/large
refused 5 'src' put src $bucket/k
mkfifo pipe
refused 5 'pipe is not a file' get $bucket/single/large pipe
[ -p pipe ] || fail 'a pipe, or a device, is not replaced'
refused 2 's3 cat' get $bucket/single/large -
ok 'put, get and cat move bytes, in parts when there are many'

s3 sync src $bucket/p || fail 'a directory is synchronised up' out err
[ "$(grep -c '^upload: ' out)" = 5 ] || fail 'every file once' out
s3 ls $bucket/p/ || fail 'the next level is listed' out err
sed 's/^[0-9-]\{10\} [0-9:]\{8\} //' out >levels
printf '%s\n' '         1 a-b' '                           PRE a/' '                           PRE b/' '         0 empty' \
    '  20000000 large' >expected
diff expected levels || fail 'with the columns of the aws CLI' out
s3 ls $bucket/p/b --recursive || fail 'all levels are listed' out err
[ "$(cut -c 32- out)" = "p/b/c/t+w o=$(printf '\303\251').json" ] || fail 'keys come back as they are' out
s3 sync src $bucket/p || fail 'again' out err
[ ! -s out ] || fail 'what is alike is not copied' out
s3 sync $bucket/p dst || fail 'a prefix is synchronised down' out err
diff -r src dst || fail 'both are alike'
s3 sync $bucket/p/ dst/ || fail 'again, with slashes' out err
[ ! -s out ] || fail 'what is alike is not copied' out
touch dst/a/1.json
s3 sync $bucket/p dst || fail 'a file that was touched' out err
[ ! -s out ] || fail 'another time with the same content is no difference' out
printf 'ONE\n' >dst/a/1.json
s3 sync $bucket/p dst || fail 'a file that was changed' out err
grep -q '^download: .*1.json$' out && [ "$(cat dst/a/1.json)" = one ] || fail 'the same size is no proof' out
ok 'sync copies what differs in size, time or content, in both directions'

rm -r src/a
printf 'new' >src/new
s3 sync src $bucket/p --delete --dry-run || fail 'a dry run' out err
grep -qx "(dryrun) delete: $bucket/p/a/1.json" out && grep -q '^(dryrun) upload: src/new' out || fail 'it says what it would do' out
s3 ls $bucket/p/a/1.json || fail 'and does nothing' out err
s3 sync src $bucket/p || fail 'sync without --delete' out err
s3 ls $bucket/p/a/1.json || fail 'keeps what the source does not have' out err
s3 sync src $bucket/p --delete || fail 'sync --delete up' out err
refused 5 'begins with' ls $bucket/p/a/1.json
printf 'extra' >dst/extra
s3 sync $bucket/p dst --delete || fail 'sync --delete down' out err
[ ! -e dst/extra ] && [ ! -e dst/a/1.json ] && [ "$(cat dst/new)" = new ] || fail 'what the source does not have is gone' out
ok '--delete deletes, --dry-run says so, neither is the default'

mkdir outside trap
ln -s ../outside trap/link
for key in hostile/../up hostile//etc/abs hostile/a/../../up2 hostile/./dot hostile/link/through hostile/plain; do
    put_key "$key" hostile
done
refused 5 'skipped' sync $bucket/hostile trap
[ "$(cat trap/plain)" = hostile ] || fail 'the good key is there'
[ -z "$(ls outside)" ] || fail 'a link leads nobody out of the directory'
[ "$(find . -type f -newer trap/link -name 'up*' | wc -l)" -eq 0 ] && [ ! -e /etc/abs ] || fail 'no key leaves the directory'
[ "$(find trap -type f | wc -l)" -eq 1 ] || fail 'nothing else is written'
grep -q '1 copied.* 5 skipped' err || fail 'what was skipped is counted' err
ok 'hostile keys never leave the directory'
stop_server

refused 3 'cannot be reached' ls --s3-url http://127.0.0.1:1
refused 4 'is not an endpoint' ls --s3-url http://127.0.0.1:1/bucket
start_server
refused 5 'GET s3://: .*is s3_url right' ls --s3-url "http://127.0.0.1:$(ready_port connect_url)"
stop_server
start_server --credentials 'AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
refused 4 'no credentials are configured' ls $bucket
AWS_ACCESS_KEY_ID=AKIDEXAMPLE
AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
s3 ls $bucket/p/ || fail 'a signed listing' out err
s3 sync src $bucket/signed || fail 'signed uploads, keys with + and = and parts' out err
s3 sync $bucket/signed signed || fail 'signed downloads' out err
diff -r src signed || fail 'what was signed is alike'
AWS_REGION=eu-west-1 refused 4 'set aws_region to us-east-1' ls $bucket
AWS_SECRET_ACCESS_KEY=wrong-but-hidden refused 4 'SignatureDoesNotMatch' ls $bucket
grep -q 'hidden' out err && fail 'a secret is never shown' out err
AWS_SECRET_ACCESS_KEY='' refused 4 'go together' ls $bucket
ok 'requests are signed with the credentials of the environment; a wrong region or key is named'
