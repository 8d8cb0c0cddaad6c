#!/usr/bin/env python3
"""A test with an emulator of its own inside the process: twelve hours of visibility timeout pass at once.

    cmake -S . -B build && cmake --build build && pip install boto3
    python3 examples/embed/clock.py build/libheadrace.so"""
import ctypes
import sys

import boto3

hr = ctypes.CDLL(sys.argv[1])
hr.headrace_start.restype = ctypes.c_void_p
hr.headrace_endpoint.restype = ctypes.c_char_p
for name in ("headrace_endpoint", "headrace_advance", "headrace_stop"):
    getattr(hr, name).argtypes = [ctypes.c_void_p] + ([ctypes.c_char_p] if name == "headrace_advance" else [])

emulator = hr.headrace_start(None, None)
sqs = boto3.client("sqs", endpoint_url=hr.headrace_endpoint(emulator).decode(), region_name="us-east-1",
                   aws_access_key_id="test", aws_secret_access_key="test")
queue = sqs.create_queue(QueueName="slow", Attributes={"VisibilityTimeout": "43200"})["QueueUrl"]
sqs.send_message(QueueUrl=queue, MessageBody="hello")
assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "hello"
assert "Messages" not in sqs.receive_message(QueueUrl=queue)
hr.headrace_advance(emulator, b"12h")
assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "hello"
hr.headrace_stop(emulator)
print("the message came back after twelve hours")
