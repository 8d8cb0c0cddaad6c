#!/usr/bin/env python3
"""A long run of everything at once with faults on: does anything grow, and is every result exact?

    tests/crash/soak.py --minutes 60 [--rate 4] [--warm-up 8000] [--every 60] [--durability process|power]

Uploads go through the pipeline while fault rules fail, delay, cut, double and kill; two consumers take the results by long
polls, check every report against counts of their own, and delete. Beside them run a standard and a FIFO queue, polls that
are dropped, uploads that are aborted, multipart uploads. A probe that no fault rule matches measures latency. At the end
the rules go, everything drains, and what is left must be nothing. Exit code 0: exact and flat."""
import argparse
import collections
import hashlib
import json
import os
import pathlib
import random
import shutil
import socket
import statistics
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import Server, pause  # noqa: E402
import load  # noqa: E402

LINGER = 90          # seconds that a file stays after its result: duplicates of its job must find it
WAITING = 0.1        # seconds a second that all threads together may wait for a core in a sample whose latency is judged
GROUPS = 3
WORDS = ("race", "head", "water", "gate", "wheel", "stream", "mill", "flow")

RULES = [
    {"service": "s3", "operation": "PutObject", "bucket": "dropzone", "probability": 0.02, "seed": 1, "effect": "error",
     "code": "SlowDown", "status": 503},
    {"service": "s3", "operation": "PutObject", "bucket": "dropzone", "probability": 0.01, "seed": 2, "effect": "cut", "at": "after"},
    {"service": "s3", "operation": "GetObject", "bucket": "processed", "probability": 0.02, "seed": 3, "effect": "latency",
     "delay": "50ms"},
    {"service": "s3", "operation": "GetObject", "bucket": "processed", "probability": 0.01, "seed": 4, "effect": "cut", "at": "within"},
    {"service": "s3", "operation": "Event", "probability": 0.02, "seed": 5, "effect": "double-event"},
    {"service": "s3", "operation": "Event", "probability": 0.02, "seed": 6, "effect": "late-event", "delay": "2s"},
    {"service": "worker", "operation": "ProcessJob", "probability": 0.03, "seed": 7, "effect": "kill-worker"},
    {"service": "sqs", "operation": "ReceiveMessage", "queue": "results-queue", "probability": 0.03, "seed": 8, "effect": "error",
     "code": "OverLimit", "status": 403},
    {"service": "sqs", "operation": "ReceiveMessage", "queue": "soak*", "probability": 0.02, "seed": 9, "effect": "cut", "at": "after"},
    {"service": "sqs", "operation": "ReceiveMessage", "queue": "soak-plain", "probability": 0.1, "seed": 10, "effect": "reorder"},
    {"service": "sqs", "operation": "DeleteMessage", "queue": "results-queue", "probability": 0.02, "seed": 11, "effect": "lose-delete"},
    {"service": "sqs", "operation": "DeleteMessage", "queue": "soak-plain", "probability": 0.02, "seed": 12, "effect": "lose-delete"},
    {"service": "sqs", "operation": "SendMessage", "queue": "soak-plain", "probability": 0.02, "seed": 13, "effect": "duplicate"},
    {"service": "sqs", "operation": "SendMessage", "queue": "soak*", "probability": 0.02, "seed": 14, "effect": "cut", "at": "after"},
]


class Refused(Exception):
    """An answer that a client retries."""


class Peer:
    """A client that retries what may be retried, as an SDK does."""

    def __init__(self, port):
        self.client, self.retries = load.Client(port), 0

    def until_done(self, attempt):
        for _ in range(200):
            try:
                return attempt()
            except (load.Gone, Refused):
                self.retries += 1
                pause(0.02)
        raise AssertionError("200 attempts in a row failed")

    def s3(self, method, path, body=None, good=(200, 204)):
        def attempt():
            status, answer = self.client.call(method, path, body)
            if status in (500, 503):
                raise Refused
            if status not in good:
                raise AssertionError(f"{method} {path}: {status} {answer[:300]!r}")
            return status, answer
        return self.until_done(attempt)

    def sqs(self, operation, **members):
        def attempt():
            status, answer = self.client.call("POST", "/", json.dumps(members), {
                "X-Amz-Target": "AmazonSQS." + operation, "Content-Type": "application/x-amz-json-1.0"})
            if status >= 500 or b"OverLimit" in answer[:200]:
                raise Refused
            if status != 200:
                raise AssertionError(f"{operation}: {status} {answer[:300]!r}")
            return json.loads(answer) if answer else {}
        return self.until_done(attempt)


class Soak:
    def __init__(self, server, options):
        self.server, self.options, self.port = server, options, server.port
        self.lock = threading.Lock()
        self.ending = threading.Event()     # no new work
        self.ended = threading.Event()      # nothing more is expected
        self.problems, self.counts = [], collections.Counter()
        self.expected, self.done = {}, {}   # key -> counts; key -> when its result was checked
        self.plain_sent, self.plain_seen = set(), set()
        self.fifo_sent, self.fifo_seen = [0] * GROUPS, [0] * GROUPS
        self.latencies, self.threads = [], []

    def start(self, *functions):
        for function in functions:
            self.threads.append(threading.Thread(target=self.guard, args=(function,), daemon=True, name=function.__name__))
            self.threads[-1].start()

    def guard(self, function):
        try:
            function(Peer(self.port))
        except Exception as error:
            if not self.ended.is_set():
                self.problem(f"{function.__name__}: {type(error).__name__}: {error}")

    def problem(self, text):
        with self.lock:
            self.problems.append(text)
        print("PROBLEM", text, flush=True)
        self.ending.set()

    def add(self, name, n=1):
        with self.lock:
            self.counts[name] += n

    # ---- the pipeline ----

    def upload_one(self, peer, rng, number, small=False):
        kind = 0 if small else number
        words = 1500 if kind % 20 == 19 else rng.randrange(1, 200)
        if kind % 200 == 150:
            words = 1_000_000
        lines = rng.randrange(1, 9)
        text = "\n".join(" ".join(rng.choices(WORDS, k=words)) for _ in range(lines)) if words < 10_000 else \
            " ".join([rng.choice(WORDS)] * words)
        lines = lines if words < 10_000 else 1
        body, key = text.encode(), f"incoming/soak/{number}.txt"
        with self.lock:
            self.expected[key] = {"bytes": len(body), "lines": lines, "words": words * lines}
        if len(body) > 5 << 20 or kind % 50 == 25:
            self.multipart(peer, key, body)
        else:
            peer.s3("PUT", "/dropzone/" + key, body)
        self.add("uploads")

    def multipart(self, peer, key, body):
        _, answer = peer.s3("POST", f"/dropzone/{key}?uploads")
        upload = answer.split(b"<UploadId>")[1].split(b"<")[0].decode()
        parts = [body[at:at + (5 << 20)] for at in range(0, len(body), 5 << 20)]
        xml = "<CompleteMultipartUpload>"
        for number, part in enumerate(parts, 1):
            peer.s3("PUT", f"/dropzone/{key}?uploadId={upload}&partNumber={number}", part)
            xml += f"<Part><PartNumber>{number}</PartNumber><ETag>{hashlib.md5(part).hexdigest()}</ETag></Part>"
        peer.s3("POST", f"/dropzone/{key}?uploadId={upload}", xml + "</CompleteMultipartUpload>")
        self.add("multiparts")

    def uploader(self, peer):
        rng, number, began = random.Random(self.options.seed), self.options.warm_up, time.monotonic()
        while not self.ending.is_set():
            self.upload_one(peer, rng, number)
            number += 1
            pause(max(0.0, began + (number - self.options.warm_up) / self.options.rate - time.monotonic()))
        self.add("retries", peer.retries)

    def check_report(self, peer, result):
        key = result["key"]
        with self.lock:
            known, done = self.expected.get(key), key in self.done
        if known is None:
            raise AssertionError(f"a result for {key}, which was never uploaded")
        if done:
            self.add("duplicate results")
            return
        status, answer = peer.s3("GET", f"/processed/{result['outputKey']}", good=(200, 404))
        report = json.loads(answer)["report"] if status == 200 else None
        if report != known:
            with self.lock:
                late = key in self.done
            if not late:
                raise AssertionError(f"{key}: report {report}, want {known}")
        with self.lock:
            self.done[key] = time.monotonic()
        self.add("results")

    def consumer(self, peer):
        while not self.ended.is_set():
            for message in peer.sqs("ReceiveMessage", QueueUrl="results-queue", MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages", []):
                self.check_report(peer, json.loads(message["Body"]))
                peer.sqs("DeleteMessage", QueueUrl="results-queue", ReceiptHandle=message["ReceiptHandle"])
        self.add("retries", peer.retries)

    def cleaner(self, peer):
        while not self.ended.is_set():
            with self.lock:
                old = [key for key, at in self.done.items() if time.monotonic() - at > LINGER and key in self.expected]
            for key in old:
                peer.s3("DELETE", "/dropzone/" + key)
                peer.s3("DELETE", f"/processed/{key.replace('incoming/', 'processed/', 1)}.report.json")
                with self.lock:
                    self.expected.pop(key)
                self.add("deletes", 2)
                if self.ended.is_set():
                    return
            pause(1)

    # ---- queues of the user's own ----

    def plain_producer(self, peer):
        number = 0
        while not self.ending.is_set():
            with self.lock:
                self.plain_sent.add(number)
            peer.sqs("SendMessage", QueueUrl="soak-plain", MessageBody=str(number))
            number += 1
            self.add("sends")
            pause(0.5)

    def plain_consumer(self, peer):
        while not self.ended.is_set():
            for message in peer.sqs("ReceiveMessage", QueueUrl="soak-plain", MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages", []):
                with self.lock:
                    self.plain_seen.add(int(message["Body"]))
                peer.sqs("DeleteMessage", QueueUrl="soak-plain", ReceiptHandle=message["ReceiptHandle"])

    def fifo_producer(self, peer):
        turn = 0
        while not self.ending.is_set():
            group = turn % GROUPS
            body = f"{group}.{self.fifo_sent[group]}"
            peer.sqs("SendMessage", QueueUrl="soak.fifo", MessageBody=body, MessageGroupId=str(group), MessageDeduplicationId=body)
            self.fifo_sent[group] += 1
            turn += 1
            self.add("sends")
            pause(0.5)

    def fifo_consumer(self, peer):
        while not self.ended.is_set():
            for message in peer.sqs("ReceiveMessage", QueueUrl="soak.fifo", MaxNumberOfMessages=10, WaitTimeSeconds=5).get("Messages", []):
                group, number = map(int, message["Body"].split("."))
                if number != self.fifo_seen[group]:
                    raise AssertionError(f"group {group}: {number} came, {self.fifo_seen[group]} was due")
                peer.sqs("DeleteMessage", QueueUrl="soak.fifo", ReceiptHandle=message["ReceiptHandle"])
                self.fifo_seen[group] += 1

    # ---- bad manners ----

    def dropper(self, peer):
        rng, bodies = random.Random(self.options.seed + 1), b"x" * 200_000
        while not self.ending.is_set():
            with socket.create_connection(("127.0.0.1", self.port)) as plug:
                if rng.random() < 0.5:
                    ask = b'{"QueueUrl":"soak-empty","WaitTimeSeconds":20}'
                    plug.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Type: "
                                 b"application/x-amz-json-1.0\r\nContent-Length: %d\r\n\r\n%s" % (len(ask), ask))
                    self.add("dropped polls")
                else:
                    plug.sendall(b"PUT /probe/aborted HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n" + bodies)
                    self.add("aborted uploads")
                pause(rng.random())

    # ---- measuring ----

    def timed(self, call, *arguments, **members):
        began = time.perf_counter()
        answer = call(*arguments, **members)
        with self.lock:
            self.latencies.append((time.perf_counter() - began) * 1000)
        return answer

    def probe(self, peer):
        body = b"p" * 4096
        while not self.ended.is_set():
            self.timed(peer.client.call, "PUT", "/probe/p", body)
            self.timed(peer.client.call, "GET", "/probe/p")
            self.timed(peer.client.sqs, "SendMessage", QueueUrl="probe", MessageBody="x")
            for message in self.timed(peer.client.sqs, "ReceiveMessage", QueueUrl="probe").get("Messages", []):
                self.timed(peer.client.sqs, "DeleteMessage", QueueUrl="probe", ReceiptHandle=message["ReceiptHandle"])
            pause(0.5)

    def waited(self):
        """Seconds that the server's threads and ours were ready to run while others had the cores."""
        total = 0
        for pid in (self.server.process.pid, os.getpid()):
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[1])
        return total / 1e9

    def sample(self, data):
        pid = self.server.process.pid
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
        cpu = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        with self.lock:
            times, self.latencies = sorted(self.latencies), []
        size = lambda name: (data / name).stat().st_size / 1e6 if (data / name).exists() else 0  # noqa: E731
        return {
            "rss": int(status["VmRSS"].split()[0]) / 1024, "fds": len(os.listdir(f"/proc/{pid}/fd")), "db": size("headrace.db"),
            "wal": size("headrace.db-wal"), "files": sum(len(files) for _, _, files in os.walk(data / "blobs")),
            "cpu": (int(cpu[11]) + int(cpu[12])) / os.sysconf("SC_CLK_TCK"),
            "at": time.monotonic(), "waited": self.waited(), "p50": times[len(times) // 2] if times else 0, "p99": times[len(times) * 99 // 100] if times else 0,
        }


def warm_up(soak, options):
    """Fills what is bounded but starts empty: the trace's memory (made small for this), SQLite's cache, the log."""
    peer, rng = Peer(soak.port), random.Random(0)
    for number in range(options.warm_up):
        soak.upload_one(peer, rng, number, small=True)


def drained(soak):
    with soak.lock:
        return set(soak.expected) <= set(soak.done) and soak.plain_sent <= soak.plain_seen and soak.fifo_sent == soak.fifo_seen


def check_end(soak, peer):
    """What must hold once nothing more comes."""
    problems = []
    deadline = time.monotonic() + 120
    while not drained(soak) and time.monotonic() < deadline and not soak.problems:
        pause(0.5)
    with soak.lock:
        problems += [f"no result for {key}" for key in list(set(soak.expected) - set(soak.done))[:5]]
        problems += [f"message {n} is lost" for n in list(soak.plain_sent - soak.plain_seen)[:5]]
    if soak.fifo_sent != soak.fifo_seen:
        problems.append(f"FIFO: sent {soak.fifo_sent}, received {soak.fifo_seen}")
    pause(6)  # visibility of what was received last
    status = soak.server.json("GET", "/_headrace/status")[1]
    for queue in status["queues"]:
        left = queue["visible"] + queue["inFlight"] + queue["delayed"]
        if left and queue["name"] != "probe":
            problems.append(f"{left} messages are left in {queue['name']}")
    return problems


def middle(rows, name):
    return statistics.median(row[name] for row in rows)


def verdict(rows):
    """Compares the first third with the last; what has a bound may not grow by more than noise. Latency is judged where server
    and clients hardly waited for a core: elsewhere it would measure what else the machine did."""
    for before, row in zip(rows, rows[1:]):
        row["work"] = row["cpu"] - before["cpu"]
        row["busy"] = (row["waited"] - before["waited"]) / (row["at"] - before["at"])
    rows = rows[1:] if len(rows) > 1 else [{**row, "work": row["cpu"], "busy": 0} for row in rows]
    quiet = [row for row in rows if row["busy"] < WAITING]
    limits = {"work": lambda a: a * 1.3 + 0.05, "rss": lambda a: a + max(3, a * 0.05), "fds": lambda a: a + 4, "db": lambda a: a * 1.25 + 4, "wal": lambda a: 72,
              "files": lambda a: a * 1.5 + 20, "p50": lambda a: a * 1.5 + 0.5, "p99": lambda a: a * 2 + 5}
    growing = []
    for name, limit in limits.items():
        judged = quiet if name in ("p50", "p99") else rows
        if len(judged) < 3:
            print(f"  {name:6} not judged: the machine was busy ({len(judged)} of {len(rows)} samples are of quiet minutes)")
            continue
        third = max(1, len(judged) // 3)
        first, last = judged[:third], judged[-third:]
        a, b = middle(first, name), middle(last, name)
        flat = b <= limit(a)
        print(f"  {name:6} first third {a:9.2f}   last third {b:9.2f}   {'flat' if flat else 'GROWS'}")
        if not flat:
            growing.append(f"{name} grows from {a:.2f} to {b:.2f}")
    return growing


def show(elapsed, row, counts):
    print(f"{elapsed:7.0f} s  rss {row['rss']:6.1f} MiB  fds {row['fds']:3}  db {row['db']:6.1f} MB  log {row['wal']:5.1f} MB  bodies "
          f"{row['files']:4}  cpu {row['cpu']:7.2f} s  p50 {row['p50']:5.2f} ms  p99 {row['p99']:6.2f} ms  waited {row['waited']:6.2f} s  uploads {counts['uploads']}  "
          f"results {counts['results']}", flush=True)


def run(options, folder):
    data = folder / "data"
    server = Server("--trace-mib", "4", "--workers", "2", "--visibility", "3", "--max-receives", "20", "--durability", options.durability,
                    "--log-level", "error", data_dir=data).start()
    soak, peer = Soak(server, options), Peer(server.port)
    peer.s3("PUT", "/probe")
    for name in ("soak-plain", "soak-empty", "probe"):
        peer.sqs("CreateQueue", QueueName=name, Attributes={"VisibilityTimeout": "3"})
    peer.sqs("CreateQueue", QueueName="soak.fifo", Attributes={"FifoQueue": "true", "VisibilityTimeout": "3"})
    soak.start(soak.consumer, soak.consumer)
    warm_up(soak, options)
    assert server.json("POST", "/_headrace/faults", RULES)[0] == 201
    soak.start(soak.uploader, soak.cleaner, soak.plain_producer, soak.plain_consumer, soak.fifo_producer, soak.fifo_consumer,
               soak.dropper, soak.probe)
    rows, began = [], time.monotonic()
    settled = max(LINGER * 2, options.minutes * 60 * 0.1) if options.minutes >= 5 else 0
    while time.monotonic() - began < options.minutes * 60 and not soak.ending.is_set():
        soak.ending.wait(min(options.every, options.minutes * 10))
        elapsed = time.monotonic() - began
        row = soak.sample(data)
        show(elapsed, row, soak.counts)
        if elapsed >= settled:
            rows.append(row)
    soak.ending.set()
    fired = sum(rule.get("fired", 0) for rule in server.json("GET", "/_headrace/faults")[1].get("rules", []))
    server.json("DELETE", "/_headrace/faults")
    problems = soak.problems + check_end(soak, peer)
    soak.ended.set()
    for thread in soak.threads:
        thread.join(30)
    print("counts:", dict(soak.counts), "faults fired:", fired, flush=True)
    problems += verdict(rows) if rows and not soak.problems else []
    server.stop()
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=4, help="uploads a second")
    parser.add_argument("--warm-up", type=int, default=8000, help="uploads before measuring begins")
    parser.add_argument("--every", type=float, default=60, help="seconds between samples")
    parser.add_argument("--durability", default="process")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-soak-"))
    try:
        problems = run(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for problem in problems[:10]:
        print("FAILED", problem)
    print(f"verdict: {'exact and flat' if not problems else 'NOT good'}")
    print(f"{int(not problems)} passed, {int(bool(problems))} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
