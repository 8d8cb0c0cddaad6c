#!/usr/bin/env python3
"""What happens when something is used up: room on the disk, descriptors, memory, connections, patience of the peers.
Errors must be AWS's, nothing acknowledged may be lost, others are served meanwhile, and once there is room again
everything works, in the same process.

    tests/crash/exhaust.py [--long] [CASE ...]      HEADRACE_BIN names the binary; --long: the full numbers"""
import argparse
import errno
import hashlib
import json
import mmap
import os
import pathlib
import resource
import socket
import struct
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import BINARY, Server, pause  # noqa: E402
import load  # noqa: E402
from cases import run_cases  # noqa: E402

DISK = pathlib.Path(BINARY).resolve().parent / "libdisk.so"
CREATE, WRITE, TRUNCATE, SYNC, RENAME, MKDIR, OPEN, READ = 1, 2, 4, 8, 16, 32, 64, 128
CASES = []


def case(function):
    CASES.append(function)
    return function


class Limited(Server):
    """A server that starts under limits of its own: {resource.RLIMIT_X: n}."""

    def __init__(self, *flags, limits=(), **more):
        super().__init__(*flags, **more)
        if limits:
            wanted = ", ".join(f"({kind}, {n})" for kind, n in dict(limits).items())
            text = f"import os, resource, sys\nfor k, n in ({wanted},): resource.setrlimit(k, (n, n))\nos.execv(sys.argv[1], sys.argv[1:])"
            self.flags = [sys.executable, "-c", text, *self.flags]


def rss(server):
    """Resident MiB."""
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def cpu(server):
    """Seconds of CPU time so far."""
    fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def eventually(what, limit=20):
    """Waits until `what()` holds."""
    deadline = time.monotonic() + limit
    while not what():
        if time.monotonic() > deadline:
            return False
        pause(0.02)
    return True


def head(method, path, length=None, more=""):
    size = f"Content-Length: {length}\r\n" if length is not None else ""
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{size}{more}\r\n".encode()


def sqs_request(operation, **members):
    body = json.dumps(members).encode()
    return head("POST", "/", len(body), f"X-Amz-Target: AmazonSQS.{operation}\r\nContent-Type: application/x-amz-json-1.0\r\n") + body


def plug(server, data=b""):
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    if data:
        connection.sendall(data)
    return connection


def status_of(connection):
    """Status of the answer on a raw connection; 0: closed without one."""
    try:
        first = connection.recv(65536)
    except OSError:
        return 0
    return int(first.split()[1]) if first else 0


def served(server, limit=5.0):
    """A new client gets its answer within `limit` seconds."""
    began = time.monotonic()
    client = load.Client(server.port)
    client.connection.timeout = limit
    assert client.call("PUT", "/bucket/served", b"x")[0] == 200
    assert client.call("GET", "/bucket/served") == (200, b"x")
    client.connection.close()
    return time.monotonic() - began


# ---- the disk ----

class Disk:
    """The control block of disk.c."""

    def __init__(self, folder):
        self.path = folder / "control"
        self.path.write_bytes(bytes(24))
        with open(self.path, "r+b") as file:
            self.block = mmap.mmap(file.fileno(), 24)
        self.env = {"LD_PRELOAD": str(DISK), "HEADRACE_DISK_ROOT": str(folder / "data"), "HEADRACE_DISK_CONTROL": str(self.path)}

    def fail(self, after, error, kinds, once=False):
        self.block[:] = struct.pack("6i", after, error, once, kinds, 0, 0)

    def heal(self):
        """How often it failed since."""
        struck = struct.unpack("6i", self.block[:])[5]
        self.block[:] = bytes(24)
        return struck


class Script:
    """One operation of every kind that writes. Each leaves the world as it must be, whatever happened before it."""

    def __init__(self, server):
        self.server, self.client = server, load.Client(server.port)
        self.kept, self.sent, self.turn = {}, set(), 0
        assert self.client.call("PUT", "/full")[0] == 200
        self.client.sqs("CreateQueue", QueueName="full")
        self.client.sqs("CreateQueue", QueueName="taken")
        for n in range(3):
            self.client.sqs("SendMessage", QueueUrl="taken", MessageBody=str(n))

    def call(self, *arguments):
        try:
            return self.client.call(*arguments)
        except load.Gone:
            if self.server.process.poll() is not None:
                raise AssertionError("the server died:\n" + self.server.output()[-1500:]) from None
            self.client = load.Client(self.server.port)
            return 0, b""

    def sqs(self, operation, **members):
        return self.call("POST", "/", json.dumps(members), {"X-Amz-Target": "AmazonSQS." + operation,
                                                            "Content-Type": "application/x-amz-json-1.0"})

    def put(self, key, size):
        body = os.urandom(size)
        status, answer = self.call("PUT", "/full/" + key, body)
        if status == 200:
            self.kept[key] = hashlib.md5(body).hexdigest()
        return status, answer

    def put_small(self):
        return self.put(f"small{self.turn % 5}", 4000)

    def put_large(self):
        return self.put(f"large{self.turn % 5}", 300_000)

    def multipart(self):
        body = os.urandom(200_000)
        status, answer = self.call("POST", "/full/parts?uploads")
        if status != 200:
            return status, answer
        upload = answer.split(b"<UploadId>")[1].split(b"<")[0].decode()
        status, answer = self.call("PUT", f"/full/parts?uploadId={upload}&partNumber=1", body)
        if status != 200:
            return status, answer
        xml = (f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{load.digest(body)}</ETag></Part>"
               "</CompleteMultipartUpload>")
        status, answer = self.call("POST", f"/full/parts?uploadId={upload}", xml)
        if status == 200:
            self.kept["parts"] = load.digest(body)
        return status, answer

    def copy(self):
        status, answer = self.call("PUT", "/full/copied", None, {"x-amz-copy-source": "/full/kept"})
        if status == 200:
            self.kept["copied"] = self.kept["kept"]
        return status, answer

    def delete(self):
        status, answer = self.call("DELETE", "/full/large4")
        if status == 204:
            self.kept.pop("large4", None)
        return status, answer

    def send(self):
        body = f"message {self.turn}"
        status, answer = self.sqs("SendMessage", QueueUrl="full", MessageBody=body)
        if status == 200:
            self.sent.add(body)
        return status, answer

    def send_batch(self):
        bodies = [f"batch {self.turn}.{i}" for i in range(5)]
        status, answer = self.sqs("SendMessageBatch", QueueUrl="full", Entries=[{"Id": str(i), "MessageBody": b} for i, b in enumerate(bodies)])
        if status == 200:
            answered = json.loads(answer)
            self.sent.update(bodies[int(entry["Id"])] for entry in answered["Successful"])
            if answered.get("Failed"):
                return 500, answer
        return status, answer

    def receive(self):
        return self.sqs("ReceiveMessage", QueueUrl="taken", VisibilityTimeout=0, MaxNumberOfMessages=3)

    def snapshot(self):
        status, answer = self.call("POST", "/_headrace/snapshots/s")
        if status not in (200, 201):
            listed = json.loads(self.call("GET", "/_headrace/snapshots")[1])["snapshots"]
            assert not [s for s in listed if s["name"] == "s" and not self.saved], "a snapshot that failed is there"
        self.saved = self.saved or status in (200, 201)
        return status, answer

    saved = False

    def load(self):
        """What is kept is what the snapshot had: it was saved in the same state."""
        assert self.call("POST", "/_headrace/snapshots/l")[0] == 201
        return lambda: self.call("POST", "/_headrace/snapshots/l/load")

    def check(self):
        client = load.Client(self.server.port)
        for key, digest in self.kept.items():
            status, body = client.call("GET", "/full/" + key)
            assert status == 200 and load.digest(body) == digest, f"{key}: {status}"
        there = {m["body"] for m in load.peeked(client, "full")}
        assert self.sent <= there, f"lost: {self.sent - there}"
        unpromised = len(there - self.sent)
        assert not unpromised, f"{unpromised} messages are there although they were refused"

    STEPS = ("put_small", "put_large", "multipart", "copy", "delete", "send", "send_batch", "receive", "snapshot", "load")


def every_failure(script, disk, name, error, kinds, most):
    """Lets the first, second, ... call of these kinds within the step fail, until the step no longer meets it."""
    for n in range(1, most + 1):
        script.turn += 1
        step = script.load() if name == "load" else getattr(script, name)
        disk.fail(n, error, kinds)
        status, answer = step()
        struck = disk.heal()
        if not struck:
            assert status in (200, 201, 204), f"{name} without a failure: {status} {answer[:200]}"
            return n - 1
        assert status in (200, 201, 204, 500, 503), f"{name}, call {n} fails with {errno.errorcode[error]}: {status} {answer[:300]}"
        if status >= 500:
            assert b"InternalError" in answer or b"ServiceUnavailable" in answer or b'"error"' in answer or b'"Failed"' in answer, answer[:300]
        script.check()
    return most


@case
def a_disk_that_fails_at_any_call_costs_only_that_request(options, folder):
    total = 0
    for durability in ("process", "power") if options.long else ("power",):
        place = folder / durability
        place.mkdir()
        disk = Disk(place)
        with Server("--no-pipeline", "--durability", durability, data_dir=place / "data", env=disk.env) as server:
            script = Script(server)
            assert script.put("kept", 250_000)[0] == 200
            for error, kinds in ((errno.ENOSPC, CREATE | WRITE | TRUNCATE | RENAME | MKDIR), (errno.EIO, WRITE | SYNC)):
                for name in Script.STEPS:
                    total += every_failure(script, disk, name, error, kinds, 60 if options.long else 12)
            assert total > 40, f"only {total} failures"
            for name in Script.STEPS:
                script.turn += 1
                status, answer = (script.load() if name == "load" else getattr(script, name))() if name != "load" else script.load()()
                assert status in (200, 201, 204), f"{name} does not recover: {status} {answer[:200]}"
            script.check()
        with Server("--no-pipeline", "--durability", durability, data_dir=place / "data") as server:
            script.server = server
            script.check()
    print(f"  {total} failing calls")


@case
def a_checkpoint_that_fails_is_made_up_for(options, folder):
    disk = Disk(folder)
    with Server("--no-pipeline", data_dir=folder / "data", env=disk.env) as server:
        script = Script(server)
        disk.fail(200, errno.ENOSPC, TRUNCATE | SYNC)  # what a checkpoint does and a commit of this durability does not
        disk.fail(1, errno.EIO, SYNC)
        for turn in range(400):
            script.turn = turn
            status, answer = script.put(f"k{turn % 50}", 60_000)
            assert status == 200, answer
        assert eventually(lambda: struct.unpack("6i", disk.block[:])[5] > 0), "no checkpoint was tried"
        disk.heal()
        script.check()
        log = folder / "data/headrace.db-wal"
        for turn in range(1600):
            script.put(f"k{turn % 50}", 60_000)
        assert log.stat().st_size < 100 << 20, f"the log has {log.stat().st_size} bytes"
        script.check()


@case
def a_database_that_cannot_be_read_is_waited_for(options, folder):
    """Its requests fail, the process neither ends nor goes in circles, and goes on when the disk does."""
    disk = Disk(folder)
    with Server("--no-pipeline", data_dir=folder / "data", env=disk.env) as server:
        script = Script(server)
        for n in range(3000):  # more than the page cache holds
            assert script.put(f"k{n}", 15_000)[0] == 200
        disk.fail(1, errno.ESTALE, READ)
        refused = [script.call("DELETE", f"/full/k{n}")[0] for n in range(0, 600, 20)]
        assert set(refused) <= {204, 500} and 500 in refused, refused
        used = cpu(server)
        pause(1)
        assert cpu(server) - used < 0.5, "it goes in circles"
        disk.heal()
        for n, status in zip(range(0, 600, 20), refused):
            if status == 204:
                script.kept.pop(f"k{n}")
        script.call("DELETE", "/full/none")  # the first may still tell of the failure
        assert script.put("again", 100)[0] == 200
        script.check()


# ---- descriptors ----

@case
def without_descriptors_requests_are_refused_and_come_back(options, folder):
    with Limited("--no-pipeline", data_dir=folder / "data", limits={resource.RLIMIT_NOFILE: 160}) as server:
        client = load.Client(server.port)
        assert client.call("PUT", "/bucket")[0] == 200
        upload = client.call("POST", "/bucket/many?uploads")[1].split(b"<UploadId>")[1].split(b"<")[0].decode()
        part, tags = os.urandom(5 << 20), ""
        for number in range(1, 13):
            assert client.call("PUT", f"/bucket/many?uploadId={upload}&partNumber={number}", part)[0] == 200
            tags += f"<Part><PartNumber>{number}</PartNumber><ETag>{load.digest(part)}</ETag></Part>"
        assert client.call("POST", f"/bucket/many?uploadId={upload}", f"<CompleteMultipartUpload>{tags}</CompleteMultipartUpload>")[0] == 200
        before = descriptors(server)
        plugs = [plug(server) for _ in range(30)]
        assert eventually(lambda: descriptors(server) >= before + 30)  # all are accepted before the first takes files
        for p in plugs:
            p.sendall(head("GET", "/bucket/many"))  # nobody reads: each holds twelve files
        answers = [status_of(p) for p in plugs]
        assert set(answers) == {200, 503}, answers
        status, answer = client.call("PUT", "/bucket/large", b"x" * 200_000)
        assert status in (200, 503) and (status == 200 or b"ServiceUnavailable" in answer), (status, answer)
        client.sqs("CreateQueue", QueueName="q")
        client.sqs("SendMessage", QueueUrl="q", MessageBody="needs no descriptor")
        for p in plugs:
            p.close()
        assert eventually(lambda: descriptors(server) <= before + 2), f"{descriptors(server)} descriptors, {before} before"
        assert client.call("PUT", "/bucket/large", b"x" * 200_000)[0] == 200
        assert hashlib.md5(client.call("GET", "/bucket/many")[1]).hexdigest() == hashlib.md5(part * 12).hexdigest()
        print(f"  {answers.count(200)} answered, {answers.count(503)} refused with 503")


@case
def at_the_limit_of_connections_the_longest_idle_one_makes_room(options, folder):
    with Limited("--no-pipeline", data_dir=folder / "data", limits={resource.RLIMIT_NOFILE: 256}) as server:
        assert load.Client(server.port).call("PUT", "/bucket")[0] == 200
        busy = plug(server, head("PUT", "/bucket/slow", 10) + b"12345")
        parked = plug(server, sqs_request("CreateQueue", QueueName="q"))
        assert status_of(parked) == 200
        parked.sendall(sqs_request("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20))
        plugs = []
        for n in range(400):
            plugs.append(plug(server, head("GET", "/_headrace/health") if n % 2 else b"GET /never-"))
            if n % 2:
                assert status_of(plugs[-1]) == 200, f"connection {n} is not served"
        assert served(server) < 5
        busy.sendall(b"67890")
        assert status_of(busy) == 200, "a connection with a request was closed"
        load.Client(server.port).sqs("SendMessage", QueueUrl="q", MessageBody="hello")
        assert b"hello" in parked.recv(65536), "a connection with a long poll was closed"
        for p in plugs:
            p.close()
        assert served(server) < 5


@case
def many_idle_connections_cost_little_and_others_are_served(options, folder):
    wanted = 10_000 if options.long else 1_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(wanted, (hard - 200) * 2 // 3 - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server("--no-pipeline", data_dir=folder / "data") as server:
        assert load.Client(server.port).call("PUT", "/bucket")[0] == 200
        served(server)
        empty, began, plugs = rss(server), time.monotonic(), []
        for _ in range(wanted):
            plugs.append(plug(server, head("GET", "/_headrace/health")))
            assert status_of(plugs[-1]) == 200
        opened, each = time.monotonic() - began, (rss(server) - empty) * 1024 / wanted
        took = served(server)
        cpu = lambda: sum(map(int, pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]))  # noqa: E731
        ticks = cpu()
        pause(0.5)
        assert cpu() - ticks <= 2, "idle connections cost CPU time"
        assert each < 60, f"{each:.1f} KiB a connection"
        for p in plugs:
            p.close()
        assert eventually(lambda: descriptors(server) < 60), descriptors(server)
        print(f"  {wanted} connections in {opened:.1f} s, {each:.1f} KiB each, a request beside them {took * 1000:.1f} ms, "
              f"{rss(server):.0f} MiB after they left, {empty:.0f} before")
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- memory ----

def attack(server, requests, size, wave=64):
    """Raw requests whose bodies come in step, so that all of them are held at once. Counts of their statuses."""
    counts, plugs = {}, []
    for start in requests:
        plugs.append(plug(server, start))
    block = b" " * 65536
    left = {p: size for p in plugs}
    while left:
        for p in list(left):
            try:
                p.settimeout(5)
                p.sendall(block[:min(len(block), left[p])])
                left[p] -= min(len(block), left[p])
            except OSError:
                left[p] = 0
            if not left[p]:
                del left[p]
    for p in plugs:
        status = status_of(p)
        counts[status] = counts.get(status, 0) + 1
        p.close()
    return counts


@case
def a_memory_limit_refuses_requests_and_not_the_process(options, folder):
    limit = 1 << 30
    with Limited("--no-pipeline", data_dir=folder / "data", limits={resource.RLIMIT_AS: limit}) as server:
        client = load.Client(server.port)
        assert client.call("PUT", "/bucket")[0] == 200
        served(server)
        start = rss(server)
        size = 60 << 20
        answers = attack(server, [head("PUT", f"/_headrace/snapshots/x{n}", size) for n in range(12)], size)
        assert answers.get(503, 0) > 0, answers
        size = 2_000_000
        more = attack(server, [head("PUT", "/bucket?tagging", size) for _ in range(200)], size)
        assert set(more) <= {0, 400, 413, 503, 501}, more
        size = 1_000_000
        polls = attack(server, [head("POST", "/", size, "Content-Type: application/x-www-form-urlencoded\r\n") for _ in range(300)], size)
        assert set(polls) <= {0, 400, 413, 503, 404}, polls
        huge = plug(server, head("PUT", "/bucket/huge", 1 << 50))
        assert status_of(huge) == 400
        huge.close()
        assert served(server) < 5
        assert eventually(lambda: rss(server) < start + 120), f"{rss(server):.0f} MiB, {start:.0f} before"
        print(f"  {limit >> 20} MiB: snapshots {answers}, XML {more}, forms {polls}; {start:.0f} MiB before, {rss(server):.0f} after")


# ---- patience ----

@case
def slow_peers_hold_up_nobody(options, folder):
    size, readers = (256 << 20, 12) if options.long else (64 << 20, 8)
    with Server("--no-pipeline", data_dir=folder / "data") as server:
        client = load.Client(server.port)
        assert client.call("PUT", "/bucket")[0] == 200
        assert client.call("PUT", "/bucket/big", bytes(size))[0] == 200
        upload = client.call("POST", "/bucket/parts?uploads")[1].split(b"<UploadId>")[1].split(b"<")[0].decode()
        part, tags = bytes(5 << 20), ""
        for number in range(1, 9):
            client.call("PUT", f"/bucket/parts?uploadId={upload}&partNumber={number}", part)
            tags += f"<Part><PartNumber>{number}</PartNumber><ETag>{load.digest(part)}</ETag></Part>"
        client.call("POST", f"/bucket/parts?uploadId={upload}", f"<CompleteMultipartUpload>{tags}</CompleteMultipartUpload>")
        before, files = rss(server), descriptors(server)
        plugs = [plug(server, head("GET", "/bucket/big")) for _ in range(readers)]
        plugs += [plug(server, head("GET", "/bucket/parts")) for _ in range(readers)]
        plugs += [plug(server, b"GET /bucket/x HTTP/1.1\r\nHost: local") for _ in range(200)]
        drips = [plug(server, head("PUT", f"/bucket/drip{n}", 40)) for n in range(50)]
        worst = 0.0
        for n in range(40):
            for drip in drips:
                drip.sendall(b"d")
            for p in plugs[-200:]:
                p.sendall(b"x")
            worst = max(worst, served(server))
        assert [status_of(drip) for drip in drips] == [200] * 50
        grown = rss(server) - before
        assert grown < 40, f"{grown:.0f} MiB more"
        assert worst < 2, f"a request took {worst:.2f} s"
        for p in plugs + drips:
            p.close()
        assert eventually(lambda: descriptors(server) <= files + 2), f"{descriptors(server)} descriptors, {files} before"
        print(f"  {2 * readers} readers that never read, 200 endless heads, 50 drips: {grown:.1f} MiB more, slowest request beside them "
              f"{worst * 1000:.1f} ms")


@case
def aborted_uploads_leave_nothing(options, folder):
    wanted = 4000 if options.long else 1000
    with Server("--no-pipeline", data_dir=folder / "data") as server:
        client = load.Client(server.port)
        assert client.call("PUT", "/bucket")[0] == 200
        files, levels, data = descriptors(server), [], b"x" * 150_000
        for n in range(wanted):
            p = plug(server, head("PUT", f"/bucket/aborted{n}", 1_000_000) + data[:(n % 3) * 75_000])
            if n % 2:
                p.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            p.close()
            if n % (wanted // 10) == 0:
                levels.append(rss(server))
        assert eventually(lambda: descriptors(server) <= files + 1), f"{descriptors(server)} descriptors, {files} before"
        left = [p for p in (folder / "data/blobs").rglob("*") if p.is_file()]
        assert not left, f"{len(left)} files are left: {left[:3]}"
        assert levels[-1] < levels[len(levels) // 2] + 8, f"memory grows: {levels}"
        assert client.call("GET", "/bucket?list-type=2")[1].count(b"<Key>") == 0
        print(f"  {wanted} uploads aborted; {levels[-1]:.1f} MiB")


@case
def dropped_polls_leave_nothing_and_take_no_message(options, folder):
    wanted = 5000 if options.long else 600
    with Server("--no-pipeline", data_dir=folder / "data") as server:
        client = load.Client(server.port)
        client.sqs("CreateQueue", QueueName="q")
        files, levels = descriptors(server), []
        ask = sqs_request("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=20)
        for wave in range(wanted // 200):
            plugs = [plug(server, ask) for _ in range(200)]
            assert eventually(lambda: server.json("GET", "/_headrace/status")[1]["parked"] == 200)
            for p in plugs:
                p.close()
            if wave % 2:
                client.sqs("SendMessage", QueueUrl="q", MessageBody=str(wave))
                (message,) = client.sqs("ReceiveMessage", QueueUrl="q", WaitTimeSeconds=2)["Messages"]
                assert message["Body"] == str(wave)
                client.sqs("DeleteMessage", QueueUrl="q", ReceiptHandle=message["ReceiptHandle"])
            assert eventually(lambda: server.json("GET", "/_headrace/status")[1]["parked"] == 0)
            levels.append(rss(server))
        assert eventually(lambda: descriptors(server) <= files + 1)
        assert levels[-1] < levels[len(levels) // 2] + 2, f"memory grows: {levels}"
        print(f"  {wanted} polls dropped; {levels[-1]:.1f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("case", nargs="*", help="only cases whose name contains this")
    options = parser.parse_args()
    return run_cases(CASES, options, "exhaust")


if __name__ == "__main__":
    sys.exit(main())
