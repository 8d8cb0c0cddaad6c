"""One file through the pipeline with boto3. Needs: pip install boto3, and a running headrace.

    python3 examples/python/pipeline.py [FILE]
"""
import json
import os
import sys
import uuid

import boto3

os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")
where = {
    "endpoint_url": os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"),
    "region_name": os.environ.get("AWS_REGION", "us-east-1"),
}
s3 = boto3.client("s3", **where)
sqs = boto3.client("sqs", **where)

text = open(sys.argv[1], "rb").read() if len(sys.argv) > 1 else b"hello world\nthis is a test\nline three\n"
name = f"python-{uuid.uuid4().hex[:8]}.txt"

# The upload is all it takes: S3 tells the ingest stage, that sends a job, a worker takes it.
s3.put_object(Bucket="dropzone", Key=f"incoming/{name}", Body=text)
s3.get_waiter("object_exists").wait(Bucket="processed", Key=f"processed/{name}.report.json", WaiterConfig={"Delay": 1})
report = json.load(s3.get_object(Bucket="processed", Key=f"processed/{name}.report.json")["Body"])
print("report:", json.dumps(report["report"]))

# The result message stays in results-queue until someone deletes it.
queue = sqs.get_queue_url(QueueName="results-queue")["QueueUrl"]
while True:
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages", [])
    if not messages:
        sys.exit("no result message came")
    mine = [m for m in messages if json.loads(m["Body"]).get("key") == f"incoming/{name}"]
    if mine:
        print("result:", mine[0]["Body"])
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=mine[0]["ReceiptHandle"])
        break
