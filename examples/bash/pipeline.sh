#!/bin/bash
# One file through the pipeline with nothing but curl. Needs a running headrace.
#     examples/bash/pipeline.sh [FILE]
set -euo pipefail
endpoint=${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}
account=${HEADRACE_ACCOUNT:-000000000000}
name=bash-$$-$RANDOM.txt

# The upload is all it takes: S3 tells the ingest stage, that sends a job, a worker takes it.
if [ $# -gt 0 ]; then cat "$1"; else printf 'hello world\nthis is a test\nline three\n'; fi |
    curl -fsS -X PUT --data-binary @- -H 'Content-Type: text/plain' "$endpoint/dropzone/incoming/$name"

for ((i = 0; ; i++)); do
    if report=$(curl -fs "$endpoint/processed/processed/$name.report.json"); then break; fi
    [ $i -lt 100 ] || { echo "no report came" >&2; exit 1; }
done
echo "report: $report"

# AWS JSON 1.0, as the SDKs speak it. The message stays in results-queue until someone deletes it.
sqs() {
    curl -fsS "$endpoint/" -H "X-Amz-Target: AmazonSQS.$1" -H 'Content-Type: application/x-amz-json-1.0' -d "$2"
}
queue=$endpoint/$account/results-queue
while :; do
    answer=$(sqs ReceiveMessage "{\"QueueUrl\":\"$queue\",\"WaitTimeSeconds\":5}")
    case $answer in
    *"incoming/$name"*) break ;;
    *Messages*) ;;
    *) echo "no result message came" >&2; exit 1 ;;
    esac
done
echo "result: $answer"
receipt=${answer#*\"ReceiptHandle\":\"}
sqs DeleteMessage "{\"QueueUrl\":\"$queue\",\"ReceiptHandle\":\"${receipt%%\"*}\"}" >/dev/null
