#!/usr/bin/env python3
"""What a user of boto3 feels: calls a second, one after the other, from one client. Run by bench.py with a Python that has boto3.

    sdk_client.py PORT ACCESS_KEY SECRET_KEY SECONDS SERVICES

Prints JSON: calls a second (send, receive+delete as a pair, put and get of 4 KiB), and what failed."""
import json
import sys
import time

import boto3
from botocore.config import Config

BODY = b"b" * 4096


def rate(seconds, work):
    work(-1)
    done, began = 0, time.monotonic()
    while time.monotonic() - began < seconds:
        work(done)
        done += 1
    return done / (time.monotonic() - began)


def expect(good):
    if not good:
        raise AssertionError("a wrong answer")


def queue_rates(client, seconds):
    url = client.create_queue(QueueName="sdk", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]

    def pair(_):
        message = client.receive_message(QueueUrl=url)["Messages"][0]
        expect(message["Body"] == "m" * 300)
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    rates = {"send": rate(seconds, lambda i: client.send_message(QueueUrl=url, MessageBody="m" * 300))}
    for _ in range(20 + int(rates["send"] * seconds / 10)):  # a pair is at times quicker than a send
        client.send_message_batch(QueueUrl=url, Entries=[{"Id": str(k), "MessageBody": "m" * 300} for k in range(10)])
    rates["receive + delete"] = rate(seconds, pair)
    return rates


def object_rates(client, seconds):
    client.create_bucket(Bucket="sdk-bucket")

    def get(_):
        expect(client.get_object(Bucket="sdk-bucket", Key="k-1")["Body"].read() == BODY)

    return {"put": rate(seconds, lambda i: client.put_object(Bucket="sdk-bucket", Key=f"k{i}", Body=BODY)), "get": rate(seconds, get)}


def main():
    port, access, secret, seconds, services = sys.argv[1:6]
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, connect_timeout=10, read_timeout=30)
    rates, failed = {}, []
    for name, measure in (("sqs", queue_rates), ("s3", object_rates)):
        if name in services.split(","):
            client = boto3.client(name, endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1", aws_access_key_id=access,
                                  aws_secret_access_key=secret, config=config)
            try:
                rates.update(measure(client, float(seconds)))
            except Exception as error:  # noqa: BLE001: whatever it is becomes a footnote
                failed.append(f"{name}: {type(error).__name__}: {error}"[:200])
    print(json.dumps({"rates": rates, "failed": failed, "boto3": boto3.__version__}))


if __name__ == "__main__":
    main()
