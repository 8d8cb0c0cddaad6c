#!/usr/bin/env python3
"""Saves and loads a snapshot of a large state under load, and checks that what comes back is what was there.

    tests/bench/snapshot.py [--messages 100000] [--objects 10000] [--large 20] [--ephemeral]

Prints how long the save and the load took, and how long other requests took before, during and after. The load goes on in
an account of its own: readers and writers of one small object and one queue. Needs no SDK."""
import argparse
import hashlib
import http.client
import json
import pathlib
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Server  # noqa: E402

SCOPE = "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/{}/aws4_request, SignedHeaders=host, Signature=0"


class Client:
    def __init__(self, port, account):
        self.account, self.connection = account, http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def ask(self, method, path, body=b"", headers=None):
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]}")
        return data

    def s3(self, method, path, body=b""):
        return self.ask(method, path, body, {"Authorization": SCOPE.format(self.account, "s3")})

    def sqs(self, action, **members):
        return json.loads(self.ask("POST", "/", json.dumps(members), {
            "Authorization": SCOPE.format(self.account, "sqs"), "X-Amz-Target": "AmazonSQS." + action,
            "Content-Type": "application/x-amz-json-1.0"}) or b"{}")


def body_of(n, large):
    return hashlib.sha256(str(n).encode()).digest() * (8192 if n < large else 8)


def fill(client, options):
    client.s3("PUT", "/snapshot-bench")
    for n in range(options.objects):
        client.s3("PUT", f"/snapshot-bench/{n:06}", body_of(n, options.large))
    url = client.sqs("CreateQueue", QueueName="bench")["QueueUrl"]
    for first in range(0, options.messages, 10):
        client.sqs("SendMessageBatch", QueueUrl=url, Entries=[
            {"Id": str(n), "MessageBody": f"message {first + n} " + "x" * 80} for n in range(10)])


def digest(client, options):
    """Of all objects and messages, without receiving any."""
    total = hashlib.sha256()
    for n in range(options.objects):
        total.update(client.s3("GET", f"/snapshot-bench/{n:06}"))
    url = client.sqs("GetQueueUrl", QueueName="bench")["QueueUrl"]
    after = 0
    while after is not None:
        page = json.loads(client.ask("GET", f"/_headrace/sqs/messages?QueueUrl={url}&limit=1000&after={after}"))
        for message in page["messages"]:
            total.update(json.dumps(message, sort_keys=True).encode())
        after = page.get("next")
    return total.hexdigest()


class Load(threading.Thread):
    """Requests of another account, one after the other; keeps when each began and how long it took."""

    def __init__(self, port, work):
        super().__init__(daemon=True)
        self.client, self.work, self.times, self.ending = Client(port, "999999999999"), work, [], False
        self.failures = []

    def run(self):
        while not self.ending:
            began = time.monotonic()
            try:
                self.work(self.client)
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                self.failures.append(str(error))
                self.client = Client(self.client.connection.port, self.client.account)
            self.times.append((began, time.monotonic() - began))


def put(client):
    client.s3("PUT", "/load-bench/k", b"x" * 1000)


def send(client):
    client.sqs("SendMessage", QueueUrl="http://localhost/999999999999/load", MessageBody="m")


def report(name, loads, since, until):
    took = sorted(t for load in loads for began, t in load.times if began + t >= since and began <= until)
    if took:
        print(f"  {name:14} {len(took):6} requests, median {took[len(took) // 2] * 1e3:7.2f} ms,"
              f" 99% {took[int(len(took) * .99)] * 1e3:7.2f} ms, most {took[-1] * 1e3:7.2f} ms")
    return took[-1] if took else 0


def attribute(client, name):
    url = client.sqs("GetQueueUrl", QueueName="bench")["QueueUrl"]
    return client.sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def run(options, folder):
    flags = ["--no-pipeline", "--log-level", "warn"]
    with Server(*flags, data_dir=None if options.ephemeral else folder) as server:
        client, other = Client(server.port, "111111111111"), Client(server.port, "999999999999")
        other.s3("PUT", "/load-bench")
        other.sqs("CreateQueue", QueueName="load")
        fill(client, options)
        before = digest(client, options)
        loads = [Load(server.port, put), Load(server.port, send)]
        for load in loads:
            load.start()
        instants = [time.monotonic()]

        def step(name, method, path):
            began = time.monotonic()
            answer = client.ask(method, path)
            instants.append(time.monotonic())
            print(f"{name}: {(instants[-1] - began) * 1e3:.0f} ms {answer.decode().strip()}")
            report("meanwhile", loads, began, instants[-1])

        client.ask("GET", "/_headrace/health")
        threading.Event().wait(2)
        report("undisturbed", loads, instants[0], time.monotonic())
        step("save", "POST", "/_headrace/snapshots/bench")
        client.s3("DELETE", "/snapshot-bench/000000")
        client.s3("PUT", "/snapshot-bench/000001", b"changed")
        client.sqs("PurgeQueue", QueueUrl=client.sqs("GetQueueUrl", QueueName="bench")["QueueUrl"])
        step("load", "POST", "/_headrace/snapshots/bench/load")
        for load in loads:
            load.ending = True
        for load in loads:
            load.join()
        messages = int(attribute(client, "ApproximateNumberOfMessages"))
        same = digest(client, options) == before and messages == options.messages
        print(f"failed requests of the load: {sum(len(load.failures) for load in loads)}")
        print("contents: the same" if same else f"contents: NOT the same ({messages} messages)")
        return same


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100000)
    parser.add_argument("--objects", type=int, default=10000)
    parser.add_argument("--large", type=int, default=20, help="of the objects, so many have 256 KiB")
    parser.add_argument("--ephemeral", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headrace-snapshot-") as folder:
        return 0 if run(options, folder) else 1


if __name__ == "__main__":
    sys.exit(main())
