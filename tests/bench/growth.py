#!/usr/bin/env python3
"""How the cost of one request grows with what the engine holds: objects in a bucket, messages in a queue.

    tests/bench/growth.py [--sizes 1000,10000,100000,1000000] [--sample 10000]

Prints a Markdown table: the server's CPU microseconds for one request at each size. CPU time is steadier than requests a second and
does not depend on who else uses the machine."""
import argparse
import http.client
import json
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import Server  # noqa: E402

HRLOAD = os.environ.get("HRLOAD", str(HERE.parent.parent / "build/hrload"))
TICK = os.sysconf("SC_CLK_TCK")
CONNECTIONS = 32


def frame(head, body=b""):
    request = f"{head}\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n".encode()
    if b"X-Amz-Target" in request:
        request += b"Content-Type: application/x-amz-json-1.0\r\n"
    request += b"\r\n" + body
    return struct.pack("<I", len(request)) + request


def sqs(operation, **members):
    return frame(f"POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.{operation}", json.dumps({"QueueUrl": "grow", **members}).encode())


class Load:
    def __init__(self, server, folder):
        self.server, self.folder, self.pid = server, pathlib.Path(folder), server.process.pid

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK * 1e6

    def run(self, frames, limit, follow=None):
        """CPU microseconds for one request (or pair)."""
        path = self.folder / "frames"
        with open(path, "wb") as file:
            for one in frames:
                file.write(one)
        command = [HRLOAD, str(self.server.port), str(path), str(CONNECTIONS), "3600", str(limit)]
        if follow:
            (self.folder / "follow").write_bytes(follow)
            command.append(str(self.folder / "follow"))
        before = self.cpu()
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        assert not answer.get("errors"), answer
        return (self.cpu() - before) / limit


def objects(load, sizes, sample):
    rows, held, chance = {}, 0, random.Random(1)
    body = b"x" * 1024
    for size in sizes:
        fill = (frame(f"PUT /grow/k{i:08}{i * 7919 % 997:03} HTTP/1.1", body) for i in range(held, size))
        rows.setdefault("PutObject 1 KiB, new key", []).append(load.run(fill, size - held))
        held = size
        names = [f"k{i:08}{i * 7919 % 997:03}" for i in (chance.randrange(size) for _ in range(sample))]
        rows.setdefault("GetObject 1 KiB, any key", []).append(load.run((frame(f"GET /grow/{n} HTTP/1.1") for n in names), sample))
        rows.setdefault("PutObject 1 KiB, overwrite", []).append(load.run((frame(f"PUT /grow/{n} HTTP/1.1", body) for n in names), sample))
        pages = (frame(f"GET /grow?list-type=2&max-keys=100&start-after={n} HTTP/1.1") for n in names[: sample // 10])
        rows.setdefault("ListObjectsV2, 100 keys from anywhere", []).append(load.run(pages, sample // 10))
    return rows


def messages(load, sizes, sample):
    rows, held = {}, 0
    batch = sqs("SendMessageBatch", Entries=[{"Id": str(i), "MessageBody": "m" * 300} for i in range(10)])
    send = sqs("SendMessage", MessageBody="m" * 300)
    for size in sizes:
        if size > held:
            load.run([batch], (size - held) // 10)
            held = size
        rows.setdefault("SendMessage 300 B", []).append(load.run([send], sample))
        receive = sqs("ReceiveMessage", MaxNumberOfMessages=1, VisibilityTimeout=3600)
        held += sample
        # Received and not deleted: so the in-flight set grows too.
        flight = min(sample, 10000)
        rows.setdefault("ReceiveMessage", []).append(load.run([receive], flight))
        numbers = sqs("GetQueueAttributes", AttributeNames=["All"])
        rows.setdefault("GetQueueAttributes", []).append(load.run([numbers], flight))
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--sample", type=int, default=5000)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    rows = {}
    with tempfile.TemporaryDirectory(prefix="headrace-growth-") as folder:
        for measure in (objects, messages):
            with Server("--no-pipeline", "--log-level", "warn", data_dir=f"{folder}/{measure.__name__}") as server:
                link = http.client.HTTPConnection("127.0.0.1", server.port)
                link.request("PUT", "/grow")
                assert link.getresponse().status == 200
                link.close()
                link.request("POST", "/", json.dumps({"QueueName": "grow"}),
                             {"X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"})
                assert link.getresponse().status == 200
                rows.update(measure(Load(server, folder), sizes, options.sample))
    print("| server CPU us for one request | " + " | ".join(f"{size:,}" for size in sizes) + " |")
    print("|---|" + "---|" * len(sizes))
    for name, cells in rows.items():
        print(f"| {name} | " + " | ".join(f"{cell:.0f}" for cell in cells) + " |")


if __name__ == "__main__":
    main()
