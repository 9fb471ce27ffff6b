#!/bin/sh
# `pinpipe s3 cp`, `rm`, `mb` and `rb` as users of the aws CLI type them: s3:// on either side or on both, --recursive, --dryrun,
# --json, its words, and its idea of what "s3://b/top" is.
set -u
. "$(dirname "$0")/lib/serve.sh"
bucket=s3://user-workshop-bucket

s3() { "$PINPIPE" s3 "$@" --data "$data" >out 2>err; }
# does COMMAND...: it is exit 0.
does() { s3 "$@" || fail "s3 $*" out err; }
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
# says LINE: on stdout, whole.
says() { grep -qxF -- "$1" out || fail "it says: $1" out err; }
keys() { "$PINPIPE" s3 ls "${1:-$bucket}" --recursive --data "$data" 2>/dev/null | cut -c 32-; }

start_server
mkdir -p src/a
printf 'one\n' >src/a/1.json
printf 'two\n' >"src/t+w o=$(printf '\303\251').json"
head -c 9000000 /dev/urandom >src/large

# --- mb, rb
does mb s3://more
says 'make_bucket: more'
does ls
grep -q ' more$' out || fail 'it is there' out
does rb s3://more
says 'remove_bucket: more'
refused 5 'NoSuchBucket' rb s3://more
refused 5 'InvalidBucketName' mb s3://A
refused 2 's3://bucket' mb more
refused 2 's3://bucket' mb s3://more/key
refused 2 's3://bucket' rb s3://more/
does mb s3://more --json
grep -q '^{"operations":\[{"operation":"make_bucket","source":"more"}\],"failed":0,"dry_run":false}$' out || fail 'as JSON' out
ok 'mb and rb make and remove a bucket'

# --- cp of one
does cp src/large $bucket
says "upload: src/large to $bucket/large"
does cp src/a/1.json $bucket/folder/
says "upload: src/a/1.json to $bucket/folder/1.json"
does cp src/a/1.json $bucket/folder/named
does cp $bucket/large s3://more/copies/
says "copy: $bucket/large to s3://more/copies/large"
does cp s3://more/copies/large back
says 'download: s3://more/copies/large to back'
cmp -s src/large back || fail 'up, across and down, it is the same file'
mkdir down
does cp $bucket/folder/named down
cmp -s src/a/1.json down/named || fail 'a directory takes the name of the key'
does cp $bucket/folder/named -
[ "$(cat out)" = one ] || fail '"-" is stdout' out
does cp "src/t+w o=$(printf '\303\251').json" s3://more
does cp "s3://more/t+w o=$(printf '\303\251').json" "s3://more/again % é"
does cp "s3://more/again % é" -
[ "$(cat out)" = two ] || fail 'keys that need an escape are copied' out
type=$(curl -sI "http://127.0.0.1:$(ready_port s3_url)/more/again%20%25%20%C3%A9" | tr -d '\r' | sed -n 's/^[Cc]ontent-[Tt]ype: //p')
[ "$type" = application/json ] || fail "a copy keeps its type ($type)"
refused 5 'NoSuchKey' cp $bucket/none s3://more/none
refused 5 'NoSuchBucket' cp $bucket/large s3://none/large
refused 5 'NoSuchKey' cp $bucket/none none
[ ! -e none ] || fail 'nothing is left of it'
refused 5 'none' cp none $bucket/
refused 2 'neither side' cp src/large back
refused 2 'recursive' cp s3://more down
refused 2 'stdin' cp - $bucket/k
before=$(keys)
does cp src/large $bucket/dry --dryrun
says "(dryrun) upload: src/large to $bucket/dry"
does cp $bucket/large down/dry --dryrun
[ ! -e down/dry ] && [ "$(keys)" = "$before" ] || fail 'a dry run does nothing'
refused 5 'NotFound\|NoSuchKey\|404' cp $bucket/none down/dry --dryrun
does cp src/a/1.json s3://more/j --json
grep -qxF '{"operations":[{"operation":"upload","source":"src/a/1.json","target":"s3://more/j"}],"failed":0,"dry_run":false}' out || fail 'as JSON' out
s3 cp $bucket/none none --json
[ $? -eq 5 ] && grep -q '"operations":\[\],"failed":1' out || fail 'a failure is counted in JSON' out err
ok 'cp copies a file up, an object down, across, and to stdout'

# --- cp --recursive
does cp src $bucket/tree --recursive
[ "$(grep -c '^upload: ' out)" = 3 ] || fail 'each file once' out
says "upload: src/a/1.json to $bucket/tree/a/1.json"
does cp src $bucket/tree --recursive
[ "$(grep -c '^upload: ' out)" = 3 ] || fail 'again, though alike: it is no sync' out
printf 'beside' >beside
does cp beside $bucket/tree-beside
does cp $bucket/tree got --recursive
diff -r src got || fail 'a folder comes down whole, and nothing beside it'
does cp $bucket/tree s3://more/forest/ --recursive
[ "$(grep -c '^copy: ' out)" = 3 ] || fail 'across, too' out
says "copy: $bucket/tree/a/1.json to s3://more/forest/a/1.json"
does cp s3://more/forest got2 --recursive
diff -r src got2 || fail 'they are the same'
refused 2 'lies within' cp $bucket/tree $bucket/tree/deeper --recursive
does cp $bucket/tree $bucket/tree2 --recursive
does cp $bucket/tree/ s3://more/dry --recursive --dryrun
[ "$(grep -c '^(dryrun) copy: ' out)" = 3 ] && [ -z "$(keys s3://more/dry/)" ] || fail 'a dry run across' out
does cp $bucket/tree got3 --recursive --json
[ "$(grep -o '"operation":"download"' out | wc -l)" -eq 3 ] && grep -q '"failed":0' out || fail 'as JSON' out
refused 5 'NoSuchBucket' cp s3://none got4 --recursive
refused 5 'nowhere' cp nowhere $bucket --recursive
ok 'cp --recursive copies what is below a name, in all three directions'

# --- rm
does rm $bucket/tree-beside
says "delete: $bucket/tree-beside"
does rm $bucket/tree-beside # as S3 has it
refused 2 'recursive' rm $bucket
does rm $bucket/tree --recursive --dryrun
[ "$(grep -c '^(dryrun) delete: ' out)" = 3 ] && [ "$(keys $bucket/tree/ | wc -l)" -eq 3 ] || fail 'a dry run' out
does rm $bucket/tree --recursive
[ "$(grep -c '^delete: ' out)" = 3 ] && [ -z "$(keys $bucket/tree/)" ] || fail 'what is below it goes' out
[ "$(keys $bucket/tree2/ | wc -l)" -eq 3 ] || fail 'and nothing beside it'
does rm $bucket/tree2 --recursive --json
[ "$(grep -o '"operation":"delete"' out | wc -l)" -eq 3 ] || fail 'as JSON' out
does rm $bucket/nothing --recursive
[ ! -s out ] || fail 'below nothing is nothing' out
refused 5 'NoSuchBucket' rm s3://none --recursive
refused 5 'BucketNotEmpty' rb s3://more
does rb s3://more --force
says 'remove_bucket: more'
grep -q '^delete: s3://more/forest/a/1.json$' out || fail 'its objects first' out
ok 'rm deletes an object or a folder, rb --force a bucket that is full'

# --- many
i=0
mkdir many
while [ $i -lt 1100 ]; do
    i=$((i + 1))
    : >many/$i
done
does cp many $bucket/many --recursive
does cp $bucket/many $bucket/many2 --recursive
[ "$(grep -c '^copy: ' out)" = 1100 ] || fail 'more than a page is copied' out
does rm $bucket/many2 --recursive
[ "$(grep -c '^delete: ' out)" = 1100 ] && [ -z "$(keys $bucket/many2/)" ] || fail 'more than a page is deleted' out
ok 'more than a page of a listing is copied and deleted'
stop_server

start_server --credentials 'AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
refused 4 'no credentials' cp $bucket/large $bucket/signed
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY='wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
does mb s3://signed
does cp $bucket/large "s3://signed/a +é"
does cp "s3://signed/a +é" back2
cmp -s src/large back2 || fail 'a signed copy'
does rb s3://signed --force
ok 'copies, buckets and deletes are signed'
stop_server
refused 3 'cannot be reached' cp src/large $bucket --s3-url http://127.0.0.1:1
refused 3 'cannot be reached' rm $bucket/k --recursive --s3-url http://127.0.0.1:1
ok 'nobody there is exit 3'
