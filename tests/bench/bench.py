#!/usr/bin/env python3
"""Measures Headrace, and whichever peers are installed, with one load generator; prints Markdown tables.

    tests/bench/run.sh [--seconds S] [--rounds N] [--only TEXT] [--targets a,b] [--objects N] [--output docs/benchmarks.md]

Every round runs every target, one after the other, so that a noisy minute hits all; a cell is the median of the rounds with
the least and the most. The load generator shares the machine's cores with the server. "us" is the server's CPU time for a
request (all its processes), which is steadier than requests a second. Answers are checked: anything but 2xx counts as an error
and is shown."""
import argparse
import http.client
import json
import os
import pathlib
import platform
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))
from harness import Server, pause  # noqa: E402

SCOPE = "Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/{}/aws4_request"
HRLOAD = os.environ.get("HRLOAD", str(ROOT / "build/hrload"))
TICK = os.sysconf("SC_CLK_TCK")
KEYS = 1000


# ---- targets ----

class Headrace:
    name, note = "headrace", "signatures unchecked, survives kill -9 (synchronous=NORMAL)"
    flags = ["--no-pipeline", "--log-level", "warn"]
    services = ("sqs", "s3", "pipeline", "fifo")

    def start(self, folder, flags=()):
        self.server = Server(*(flags or self.flags), data_dir=folder / "data").start()
        self.port, self.process = self.server.port, self.server.process

    def stop(self):
        self.server.stop()

    def version(self):
        return subprocess.run([self.server.flags[0], "--version"], capture_output=True, text=True).stdout.strip()


class HeadracePower(Headrace):
    name, note = "headrace --durability power", "every acknowledged write is synced"
    flags = [*Headrace.flags, "--durability", "power"]


class Peer:
    """A server of another project, where its command is installed."""

    def __init__(self, name, note, command, services, package=None):
        self.name, self.note, self.command, self.services, self.package = name, note, command, services, package

    def installed(self):
        return shutil.which(self.command[0], path=self.path())

    @staticmethod
    def path():
        return f"{ROOT / 'build/venv-bench/bin'}:{os.environ['PATH']}"

    def start(self, folder):
        with __import__("socket").socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        values = {"port": str(self.port), "data": str(folder)}
        environment = {**os.environ, "PATH": self.path(), "GATEWAY_PORT": str(self.port), "PORT": str(self.port)}
        self.process = subprocess.Popen([part.format(**values) for part in self.command], env=environment, cwd=folder,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(6000):
            try:
                http.client.HTTPConnection("127.0.0.1", self.port, timeout=5).request("GET", "/")
                return
            except OSError:
                pause(0.01)
        raise RuntimeError(f"{self.name} did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def version(self):
        done = subprocess.run([str(ROOT / "build/venv-bench/bin/pip"), "show", self.package or self.name], capture_output=True, text=True)
        return next((line.split()[1] for line in done.stdout.splitlines() if line.startswith("Version")), "?")


PEERS = [
    Peer("moto", "state in memory, signatures unchecked", ["moto_server", "-H", "127.0.0.1", "-p", "{port}"], ("sqs", "s3", "fifo")),
    Peer("ministack", "state in memory, signatures unchecked", ["ministack"], ("sqs", "s3", "fifo")),
]


# ---- requests ----

def frame(request):
    return struct.pack("<I", len(request)) + request


def raw(method, path, body=b"", headers=(), scope="s3"):
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1:4566",
             f"Authorization: AWS4-HMAC-SHA256 {SCOPE.format(scope)}, SignedHeaders=host, Signature=0", *headers]
    if body or method != "GET":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def sqs(operation, **members):
    body = json.dumps(members).encode()
    return raw("POST", "/", body, ["Content-Type: application/x-amz-json-1.0", "X-Amz-Target: AmazonSQS." + operation], "sqs")


def put(key, body):
    return raw("PUT", key, body, ["Content-Type: text/plain"])


class Link:
    """Single checked requests, for set-up."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def send(self, request, good=(200, 204)):
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:])
        self.connection.request(method, path, body or None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status not in good:
            raise RuntimeError(f"{lines[0]}: {answer.status} {text[:200]!r}")
        return text

    def queue(self, name, **attributes):
        return json.loads(self.send(sqs("CreateQueue", QueueName=name, Attributes=attributes)))["QueueUrl"]


# ---- workloads: each returns (frames, follow or None, units in one request) ----

TEXT = "x" * 300


def queue_send(link, options):
    url = link.queue("send")
    return [sqs("SendMessage", QueueUrl=url, MessageBody=TEXT)], None, 1


def queue_batch(link, options):
    url = link.queue("batch")
    entries = [{"Id": str(i), "MessageBody": TEXT} for i in range(10)]
    return [sqs("SendMessageBatch", QueueUrl=url, Entries=entries)], None, 10


def queue_pair(link, options, name="pair", **attributes):
    url = link.queue(name, VisibilityTimeout="600", **attributes)
    group = (lambda i: {"MessageGroupId": f"g{i % 500}", "MessageDeduplicationId": f"d{i}"}) if attributes else (lambda i: {})
    for start in range(0, options.prefill, 10):
        link.send(sqs("SendMessageBatch", QueueUrl=url, Entries=[
            {"Id": str(i), "MessageBody": TEXT, **group(start + i)} for i in range(10)]))
    delete = sqs("DeleteMessage", QueueUrl=url, ReceiptHandle="%HANDLE%")
    delete = delete.replace(b"Content-Length: %d" % len(delete.partition(b"\r\n\r\n")[2]), b"Content-Length: 0000")
    return [sqs("ReceiveMessage", QueueUrl=url)], delete, 1


def queue_fifo_send(link, options):
    url = link.queue("order.fifo", FifoQueue="true")
    return [sqs("SendMessage", QueueUrl=url, MessageBody=TEXT, MessageGroupId=f"g{i % 100}", MessageDeduplicationId=f"d{i}-{time.time_ns()}")
            for i in range(200_000 if options.seconds > 1 else 60_000)], None, 1


def queue_fifo_pair(link, options):
    return queue_pair(link, options, "pair.fifo", FifoQueue="true")


def small_put(link, options):
    link.send(raw("PUT", "/small"))
    return [put(f"/small/k{i}", os.urandom(4096)) for i in range(KEYS)], None, 1


def small_get(link, options):
    small = small_put(link, options)[0]
    for request in small:
        link.send(request)
    return [raw("GET", f"/small/k{i}") for i in range(KEYS)], None, 1


def listing(link, options):
    link.send(raw("PUT", "/many"))
    for i in range(options.objects):
        link.send(put(f"/many/dir{i % 100:02d}/object-{i:07d}", b""))
    return [raw("GET", f"/many?list-type=2&start-after=dir{i:02d}/object-{i:07d}") for i in range(0, 90)], None, 1


def large_put(link, options):
    link.send(raw("PUT", "/large"))
    return [put(f"/large/k{i}", os.urandom(64 << 20)) for i in range(2)], None, 64


def large_get(link, options):
    link.send(raw("PUT", "/large"))
    link.send(put("/large/k", os.urandom(64 << 20)))
    return [raw("GET", "/large/k")], None, 64


WORKLOADS = [  # title, service, connections, workload, unit
    ("SQS SendMessage 300 B", "sqs", (1, 64), queue_send, "/s"),
    ("SQS SendMessageBatch 10 x 300 B", "sqs", (16,), queue_batch, " messages/s"),
    ("SQS ReceiveMessage + DeleteMessage", "sqs", (1, 64), queue_pair, " pairs/s"),
    ("SQS FIFO SendMessage", "fifo", (16,), queue_fifo_send, "/s"),
    ("SQS FIFO ReceiveMessage + DeleteMessage", "fifo", (16,), queue_fifo_pair, " pairs/s"),
    ("S3 PutObject 4 KiB", "s3", (1, 64), small_put, "/s"),
    ("S3 GetObject 4 KiB", "s3", (1, 64), small_get, "/s"),
    ("S3 ListObjectsV2, a page of 1,000", "s3", (4,), listing, " pages/s"),
    ("S3 PutObject 64 MiB, one stream", "s3", (1,), large_put, " MiB/s"),
    ("S3 GetObject 64 MiB, one stream", "s3", (1,), large_get, " MiB/s"),
]


# ---- measuring ----

def processes(pid):
    found = [pid]
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[1]) in found:
            found.append(int(path.parent.name))
    return found


def cpu_seconds(pid):
    total = 0
    for one in processes(pid):
        fields = pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def memory_mib(pid):
    pages = sum(int(pathlib.Path(f"/proc/{one}/statm").read_text().split()[1]) for one in processes(pid))
    return pages * os.sysconf("SC_PAGESIZE") / 2**20


def hrload(port, frames, follow, connections, seconds, folder, limit=0):
    requests = folder / "requests"
    requests.write_bytes(b"".join(map(frame, frames)))
    command = [HRLOAD, str(port), str(requests), str(connections), str(seconds), str(limit)]
    if follow:
        (folder / "follow").write_bytes(frame(follow))
        command.append(str(folder / "follow"))
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def measure(target, workload, connections, options):
    with tempfile.TemporaryDirectory(prefix="headrace-bench-") as name:
        folder = pathlib.Path(name)
        target.start(folder)
        try:
            frames, follow, units = workload(Link(target.port), options)
            before = cpu_seconds(target.process.pid)
            result = hrload(target.port, frames, follow, connections, options.seconds, folder,
                            options.prefill - 2 * connections if follow else len(frames) if len(frames) > KEYS else 0)
            result["cpu_us"] = (cpu_seconds(target.process.pid) - before) * 1e6 / max(1, result["done"])
            result["rate"] = result["per_second"] * units
            result["memory"] = memory_mib(target.process.pid)
            result["version"] = target.version()
        finally:
            target.stop()
    return result


def spread(values, form="{:,.0f}"):
    middle = statistics.median(values)
    return f"{form.format(middle)} ({form.format(min(values))}-{form.format(max(values))})"


def run_workloads(targets, options, out):
    versions = {}
    for title, service, counts, workload, unit in WORKLOADS:
        if options.only and options.only.lower() not in title.lower():
            continue
        for connections in counts:
            results = {target.name: [] for target in targets if service in target.services}
            for _ in range(options.rounds):
                for target in targets:
                    if target.name not in results:
                        continue
                    try:
                        results[target.name].append(measure(target, workload, connections, options))
                    except Exception as error:
                        print(f"  {target.name}: {title}: {error}", file=sys.stderr)
            ours = [r["rate"] for r in results.get("headrace", [])]
            rows = []
            for name, got in results.items():
                if not got:
                    rows.append(f"| {name} | failed | | | | |")
                    continue
                versions[name] = got[0]["version"]
                rate = statistics.median(r["rate"] for r in got)
                errors = sum(r["errors"] for r in got)
                ratio = f"{statistics.median(ours) / rate:.1f}" if ours and rate else ""
                rows.append(f"| {name} | {spread([r['rate'] for r in got])}{unit} | {statistics.median(r['p50_us'] for r in got) / 1000:.2f} / "
                            f"{statistics.median(r['p99_us'] for r in got) / 1000:.2f} | {statistics.median(r['cpu_us'] for r in got):,.1f} | "
                            f"{statistics.median(r['memory'] for r in got):.0f} | {ratio}{f' ({errors} errors)' if errors else ''} |")
            text = (f"\n### {title}, {connections} connection{'s' if connections > 1 else ''}\n\n| server | rate: median (least-most) | p50 / p99 ms "
                    "| CPU us | MiB | headrace is x times |\n|---|---|---|---|---|---|\n" + "\n".join(rows))
            print(text, flush=True)
            out.append(text)
    return versions


# ---- Headrace alone: start, idle, wake-up, pipeline ----

def start_time(folder):
    times = []
    for i in range(11):
        began = time.monotonic()
        with Server("--no-pipeline", "--quiet", data_dir=folder / f"d{i}"):
            times.append((time.monotonic() - began) * 1000)
    return f"| start of the process to the first correct answer | {spread(times, '{:.1f}')} ms |"


def idle(folder):
    with Server("--workers", "2", data_dir=folder / "idle") as server:
        connections = []
        link = Link(server.port)
        url = link.queue("poll")
        for _ in range(200):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("POST", "/", json.dumps({"QueueUrl": url, "WaitTimeSeconds": 20}), {
                "X-Amz-Target": "AmazonSQS.ReceiveMessage", "Content-Type": "application/x-amz-json-1.0"})
            connections.append(connection)
        pause(1)
        memory, before = memory_mib(server.process.pid), cpu_seconds(server.process.pid)
        switches = wakeups(server.process.pid)
        pause(10)
        used, woken = cpu_seconds(server.process.pid) - before, wakeups(server.process.pid) - switches
    return (f"| idle for 10 s with the pipeline and 200 parked long polls: CPU, wake-ups | {used * 1000:.0f} ms, {woken} |\n"
            f"| memory with 200 parked long polls | {memory:.1f} MiB |")


def wakeups(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.split("voluntary_ctxt_switches:")[1].split()[0])


def wake_latency(folder):
    with Server("--no-pipeline", data_dir=folder / "wake") as server:
        link, waiter = Link(server.port), Link(server.port)
        url, times = link.queue("wake"), []
        for _ in range(300):
            arrived = []
            thread = threading.Thread(target=lambda: arrived.append((waiter.send(sqs("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)),
                                                                    time.monotonic())))
            thread.start()
            pause(0.003)
            began = time.monotonic()
            link.send(sqs("SendMessage", QueueUrl=url, MessageBody="wake"))
            thread.join()
            times.append((arrived[0][1] - began) * 1000)
            handle = json.loads(arrived[0][0])["Messages"][0]["ReceiptHandle"]
            link.send(sqs("DeleteMessage", QueueUrl=url, ReceiptHandle=handle))
    times.sort()
    return f"| send to the wake-up of a parked receive, seen by Python: p50 / p99 | {times[150]:.2f} / {times[297]:.2f} ms |"


def pipeline_latency(folder):
    with Server("--log-level", "warn", data_dir=folder / "latency") as server:
        link, waiter, times = Link(server.port), Link(server.port), []
        url = json.loads(link.send(sqs("GetQueueUrl", QueueName="results-queue")))["QueueUrl"]
        for i in range(200):
            arrived = []
            thread = threading.Thread(target=lambda: arrived.append((waiter.send(sqs("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20)),
                                                                    time.monotonic())))
            thread.start()
            pause(0.003)
            began = time.monotonic()
            link.send(put(f"/dropzone/incoming/f{i}.txt", b"hello world\n" * 20))
            thread.join()
            times.append((arrived[0][1] - began) * 1000)
            handle = json.loads(arrived[0][0])["Messages"][0]["ReceiptHandle"]
            link.send(sqs("DeleteMessage", QueueUrl=url, ReceiptHandle=handle))
    times.sort()
    return f"| upload to result message, idle, seen by Python: p50 / p99 | {times[100]:.2f} / {times[198]:.2f} ms |"


def pipeline_rate(folder, files=20_000):
    with Server("--log-level", "warn", data_dir=folder / "rate") as server:
        link = Link(server.port)
        url = json.loads(link.send(sqs("GetQueueUrl", QueueName="results-queue")))["QueueUrl"]
        frames = [put(f"/dropzone/incoming/f{i}.txt", b"hello world, this is a line\n" * 30) for i in range(files)]
        began = time.monotonic()
        load = hrload(server.port, frames, None, 32, 600, folder, files)
        while True:
            answer = json.loads(link.send(sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])))["Attributes"]
            if int(answer["ApproximateNumberOfMessages"]) >= files:
                break
            pause(0.01)
        took = time.monotonic() - began
    return (f"| pipeline: {files:,} files of 840 B uploaded and their results there | {files / took:,.0f} files/s |\n"
            f"| PutObject latency meanwhile, 32 connections: p50 / p99 | {load['p50_us'] / 1000:.1f} / {load['p99_us'] / 1000:.1f} ms |")


def alone(options, out):
    rows = ["\n### Headrace by itself\n", "| what | measured |", "|---|---|"]
    for part in (start_time, idle, wake_latency, pipeline_latency, pipeline_rate):
        with tempfile.TemporaryDirectory(prefix="headrace-bench-") as name:
            rows.append(part(pathlib.Path(name)))
            print(rows[-1], flush=True)
    out.append("\n".join(rows))


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return f"{os.cpu_count()} cores, {cpu}, Linux {platform.release().split('-')[0]}, {time.strftime('%Y-%m-%d')}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--prefill", type=int, default=60_000, help="messages that wait before receives are measured")
    parser.add_argument("--objects", type=int, default=20_000, help="objects in the bucket that is listed")
    parser.add_argument("--only", help="workloads whose title contains this")
    parser.add_argument("--targets", help="comma-separated names; default: all that are installed")
    parser.add_argument("--no-alone", action="store_true")
    parser.add_argument("--output", help="replace the tables between the marks of this Markdown file")
    options = parser.parse_args()
    targets = [Headrace(), HeadracePower(), *[peer for peer in PEERS if peer.installed()]]
    if options.targets:
        targets = [t for t in targets if t.name in options.targets.split(",")]
    out = [f"Machine: {machine()}; {options.rounds} rounds of {options.seconds:g} s."]
    print(out[0])
    versions = run_workloads(targets, options, out)
    if not options.no_alone and (not options.targets or "headrace" in options.targets):
        alone(options, out)
    out.insert(1, "\n" + "\n".join(f"- {t.name} {versions.get(t.name, '')}: {t.note}" for t in targets))
    if options.output:
        path = pathlib.Path(options.output)
        before, _, rest = path.read_text().partition("<!-- tables -->")
        after = rest.partition("<!-- /tables -->")[2]
        path.write_text(before + "<!-- tables -->\n" + "\n".join(out) + "\n<!-- /tables -->" + after)


if __name__ == "__main__":
    main()
