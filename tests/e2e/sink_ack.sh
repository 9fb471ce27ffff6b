#!/bin/sh
# With flush.size=1 the object of an acknowledged record is there when the acknowledgement arrives: after
# each of 1000 acks its object is fetched at the first try, with no wait in between.
set -u
. "$(dirname "$0")/lib/serve.sh"

start_server
rest=$(sed -n 's/.*"rest_url": "\([^"]*\)".*/\1/p' ready.json)
s3=$(sed -n 's/.*"s3_url": "\([^"]*\)".*/\1/p' ready.json)
"$PINPIPE" connect create --data "$data" >out 2>err || fail 'the connector is made' out err

# One curl: a POST, then a GET, a thousand times, one after the other.
awk -v rest="$rest" -v s3="$s3" 'BEGIN {
    for (i = 0; i < 1000; i++) {
        printf "%surl = \"%s/topics/workshop.pin\"\n", i ? "next\n" : "", rest
        printf "header = \"Content-Type: application/vnd.kafka.json.v2+json\"\n"
        printf "data = \"{\\\"records\\\":[{\\\"value\\\":{\\\"n\\\":%d}}]}\"\noutput = \"/dev/null\"\nwrite-out = \"%%{http_code} \"\n", i
        printf "next\nurl = \"%s/user-workshop-bucket/topics/workshop.pin/partition=0/workshop.pin+0+%010d.json\"\nwrite-out = \"%%{http_code}\\n\"\n", s3, i
    }
}' >requests
curl -s -K requests >answers || fail 'curl ends well' answers
awk 'BEGIN { for (i = 0; i < 1000; i++) printf "200 {\"n\":%d}\n200\n", i }' >expected
cmp -s answers expected || { diff expected answers | head -5 >out; fail 'every object is there at the first try' out; }
ok 'after each of 1000 acknowledgements the object is there at the first try'
stop_server
