#!/usr/bin/env python3
"""Crashes, full disks, rivals: what was acknowledged stays, whatever happens to the process.

    tests/crash/run.py [--loops N] [--seed S] [--durability process|power] [CASE ...]     HEADRACE_BIN names the binary"""
import argparse
import collections
import contextlib
import hashlib
import json
import os
import pathlib
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import BINARY, Server, pause  # noqa: E402
import load  # noqa: E402
from cases import run_cases  # noqa: E402
import queues  # noqa: E402

CASES = []


def case(function):
    CASES.append(function)
    return function


def demand(problems):
    if problems:
        raise AssertionError(f"{len(problems)} problems, first: " + "; ".join(map(str, problems[:5])))


def references(data):
    """Every body has as many references as its row counts, and no file is left over. `data` belongs to nobody now."""
    said = subprocess.run([BINARY, "doctor", "--data-dir", str(data)], capture_output=True, text=True, timeout=60)
    problems = [] if said.returncode == 0 else ["doctor: " + said.stdout.strip()]
    with contextlib.closing(sqlite3.connect(f"file:{data}/headrace.db", uri=True)) as db:
        counted = dict(db.execute("SELECT id, refs FROM blob"))
        used = collections.Counter()
        for table in ("s3_object", "s3_upload", "s3_slice"):
            used.update(dict(db.execute(f"SELECT blob, count(*) FROM {table} WHERE blob > 0 GROUP BY blob")))
    return problems + [f"body {id}: {counted.get(id, 'no row')} references counted, {used[id]} there" for id in counted.keys() | used.keys()
                       if counted.get(id, 0) != used[id]]


def kill_after(server, seconds):
    killer = threading.Timer(seconds, lambda: os.kill(server.process.pid, signal.SIGKILL))
    killer.start()
    return killer


class Mixed:
    """One data directory, workers with their ledgers, and a server that is killed again and again."""

    def __init__(self, options, folder):
        self.flags, self.data = ["--no-pipeline", "--durability", options.durability], folder / "data"
        self.random = random.Random(options.seed)
        self.workers = [load.Worker(i, options.seed) for i in range(3)]
        self.start()
        load.prepare(self.client, self.workers)

    def start(self):
        self.server = Server(*self.flags, data_dir=self.data).start()
        self.client = load.Client(self.server.port)

    def join(self):
        for worker in self.workers:
            worker.thread.join(90)
            if worker.problem:
                raise worker.problem

    def work_until_killed(self):
        for worker in self.workers:
            worker.begin(self.server.port, limit=100_000)
        pause(self.random.uniform(0.02, 0.5))
        self.server.kill()
        self.join()
        self.start()
        demand(load.check(self.client, self.workers))

    def kill_within(self, *request):
        """Kills while a request that changes everything runs; True when it was acknowledged."""
        killer = kill_after(self.server, self.random.choice((0.02, 0.05, 0.1, 0.4)) * self.random.random())
        try:
            status, answer = self.client.call(*request)
            assert status in (200, 201), answer
            done = True
        except load.Gone:
            done = False
        killer.join()
        self.server.kill()
        self.start()
        return done

    def settle(self):
        """A clean stop; then nothing may be left over on the disk."""
        self.server.stop()
        demand(references(self.data))
        self.start()


def loops(options):
    return options.loops or options.rounds


@case
def kill_under_mixed_load_loses_nothing_acknowledged(options, folder):
    mixed, n = Mixed(options, folder), loops(options)
    for turn in range(n):
        mixed.work_until_killed()
        if turn % 4 == 3 or turn == n - 1:
            mixed.settle()
    mixed.server.stop()
    counts = collections.Counter()
    for worker in mixed.workers:
        counts.update(worker.counts)
    tasks = sum(worker.tasks for worker in mixed.workers)
    assert tasks > 20 * n, f"only {tasks} operations were acknowledged: no load"
    assert n < 5 or all(counts[action] for action in load.Worker.ACTIONS), counts
    print(f"  {n} kills, {tasks} acknowledged operations, seed {options.seed}, durability {options.durability}")


def restored(mixed, saved):
    """After a load that may not have happened: the saved worlds, all of them, or the ones before, all of them."""
    before = [worker.world for worker in mixed.workers]
    got = [load.seen(mixed.client, worker.number) for worker in mixed.workers]
    unlike = [[problem for want, have in zip(wanted, got) for problem in load.differences(want, have)] for wanted in (before, saved)]
    if not unlike[0]:
        return False
    demand([f"neither the state before nor the one loaded: {problem}" for problem in unlike[1]])
    for worker, world in zip(mixed.workers, saved):
        worker.world, worker.pending, worker.resend = world, None, None
    return True


@case
def a_kill_within_a_snapshot_or_its_load_leaves_the_state_before_or_after(options, folder):
    mixed, loaded = Mixed(options, folder), 0
    for turn in range(max(3, loops(options) // 3)):
        mixed.work_until_killed()
        saved = [worker.world for worker in mixed.workers]
        name = f"/_headrace/snapshots/s{turn}"
        assert mixed.client.call("POST", name)[0] == 201
        mixed.work_until_killed()
        mixed.kill_within("POST", f"/_headrace/snapshots/t{turn}")
        demand(load.check(mixed.client, mixed.workers))
        done = mixed.kill_within("POST", name + "/load")
        there = restored(mixed, saved)
        assert there or not done, "an acknowledged load is undone"
        loaded += there
        mixed.client.call("DELETE", name)
        mixed.settle()
    mixed.server.stop()
    print(f"  {loaded} loads, seed {options.seed}")


@case
def a_kill_within_a_reset_leaves_everything_or_nothing(options, folder):
    mixed, resets = Mixed(options, folder), 0
    for _ in range(max(3, loops(options) // 3)):
        mixed.work_until_killed()
        done = mixed.kill_within("POST", "/_headrace/reset", "{}")
        if mixed.client.call("HEAD", "/crash")[0] == 404:
            status = mixed.server.json("GET", "/_headrace/status")[1]
            assert status["buckets"] == status["queues"] == [], status
            for worker in mixed.workers:
                worker.world, worker.pending, worker.resend, worker.ids = {}, None, None, {}
            load.prepare(mixed.client, mixed.workers)
            resets += 1
        else:
            assert not done, "an acknowledged reset is undone"
            demand(load.check(mixed.client, mixed.workers))
        mixed.settle()
    mixed.server.stop()
    print(f"  {resets} resets, seed {options.seed}")


@case
def an_event_is_committed_with_its_object(options, folder):
    flags = ["--no-pipeline"]
    server = Server(*flags, data_dir=folder / "data").start()
    client = load.Client(server.port)
    assert client.call("PUT", "/events")[0] == 200
    client.sqs("CreateQueue", QueueName="events")
    status, body = client.call("PUT", "/events?notification",
                               "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:000000000000:events"
                               "</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>")
    assert status == 200, body
    acknowledged, n = set(), 0
    for turn in range(max(2, options.rounds // 2)):
        child = os.fork()
        if child == 0:
            pause(0.2 + 0.1 * turn)
            os.kill(server.process.pid, signal.SIGKILL)
            os._exit(0)
        try:
            for n in range(n + 1, n + 100_000):
                status, body = client.call("PUT", f"/events/k{n}", b"x" * (n % 3 * 40_000))
                assert status == 200, body
                acknowledged.add(f"k{n}")
        except load.Gone:
            pass
        os.waitpid(child, 0)
        server.kill()
        server = Server(*flags, data_dir=folder / "data").start()
        client = load.Client(server.port)
    told, stored = set(), set()
    while messages := client.sqs("ReceiveMessage", QueueUrl="events", MaxNumberOfMessages=10).get("Messages", []):
        for message in messages:
            told |= {r["s3"]["object"]["key"] for r in json.loads(message["Body"]).get("Records", [])}
    stored = {key for key in told | acknowledged | {f"k{n}", f"k{n + 1}"} if client.call("HEAD", "/events/" + key)[0] == 200}
    server.stop()
    assert len(acknowledged) > 20, "no load"
    demand([f"{key}: stored but not told" for key in stored - told] + [f"{key}: told but not stored" for key in told - stored]
           + [f"{key}: lost" for key in acknowledged - stored])
    print(f"  {len(acknowledged)} objects, each with its event")


@case
def the_pipeline_goes_on_after_a_kill(options, folder):
    flags = ["--workers", "2", "--visibility", "2"]
    server = Server(*flags, data_dir=folder / "data").start()
    client, names = load.Client(server.port), []
    for turn in range(2):
        try:
            for i in range(150):
                name = f"t{turn}-{i}.txt"
                if i == 149:
                    os.kill(server.process.pid, signal.SIGKILL)
                status, body = client.call("PUT", f"/dropzone/incoming/{name}", f"words of file {i}\n" * (i * 3))
                assert status == 200, body
                names.append((name, i))
        except load.Gone:
            pass
        server.kill()
        server = Server(*flags, data_dir=folder / "data").start()
        client = load.Client(server.port)
    for name, i in names:
        for _ in range(600):
            status, body = client.call("GET", f"/processed/processed/{name}.report.json")
            if status == 200:
                break
            pause(0.05)
        assert status == 200, f"no report for {name}"
        assert json.loads(body)["report"]["words"] == 4 * i * 3, body
    queue = client.sqs("GetQueueAttributes", QueueUrl="results-queue", AttributeNames=["All"])["Attributes"]
    dead = client.sqs("GetQueueAttributes", QueueUrl="jobs-dlq", AttributeNames=["All"])["Attributes"]
    server.stop()
    assert len(names) > 200 and dead["ApproximateNumberOfMessages"] == "0", (len(names), dead)
    assert int(queue["ApproximateNumberOfMessages"]) + int(queue["ApproximateNumberOfMessagesNotVisible"]) >= len(names)
    print(f"  {len(names)} files, {len(names)} reports")


def limited_disk(folder, size):
    """A small file system where that is allowed (root), else a limit on the size of files. Returns (folder, whether it is
    a file system of its own)."""
    data = folder / "small"
    data.mkdir()
    if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(data)],
                                            capture_output=True).returncode == 0:
        return data, True
    return data, False


@case
def a_full_disk_is_an_error_not_a_loss(options, folder):
    data, mounted = limited_disk(folder, "24m")
    server = Server("--no-pipeline", data_dir=data / "data")
    try:
        if mounted:
            server.start()
        else:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 20, resource.RLIM_INFINITY))
            server.start()
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        client = load.Client(server.port)
        assert client.call("PUT", "/full")[0] == 200
        client.sqs("CreateQueue", QueueName="full")
        kept, refused = {}, 0
        for i in range(800):
            body = os.urandom((4096, 60_000, 300_000)[i % 3])
            try:
                status, answer = client.call("PUT", f"/full/k{i}", body)
            except load.Gone:
                assert server.process.poll() is None, "the server died:\n" + server.output()[-2000:]
                client = load.Client(server.port)
                refused += 1
                continue
            assert status in (200, 500, 503), (status, answer)
            if status == 200:
                kept[f"k{i}"] = hashlib.md5(body).hexdigest()
            else:
                refused += 1
            if refused > 20:
                break
        assert refused > 20, f"{len(kept)} objects and the disk was never full"
        demand(lost(client, kept))
        if mounted:
            subprocess.run(["mount", "-o", "remount,size=96m", str(data)], check=True)
            assert client.call("PUT", "/full/after", b"x" * 300_000)[0] == 200, "no recovery once there is room"
            client.sqs("SendMessage", QueueUrl="full", MessageBody="after")
        server.stop()
        server = Server("--no-pipeline", data_dir=data / "data").start()
        demand(lost(load.Client(server.port), kept))
        server.stop()
        print(f"  {len(kept)} objects kept, {refused} writes refused, on a {'small file system' if mounted else 'file size limit'}")
    finally:
        if server.process:
            server.kill()
        if mounted:
            subprocess.run(["umount", str(data)])


def lost(client, kept):
    for key, digest in kept.items():
        status, body = client.call("GET", "/full/" + key)
        if status != 200 or hashlib.md5(body).hexdigest() != digest:
            return [f"{key}: {status}"]
    return []


@case
def a_second_process_on_the_same_data_is_refused(options, folder):
    with Server("--no-pipeline", data_dir=folder / "data") as server:
        rival = subprocess.run([BINARY, "serve", "--port", "0", "--no-pipeline", "--data-dir", str(folder / "data")],
                               capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert rival.returncode == 2, rival
        lines = [line for line in rival.stderr.splitlines() if line.strip()]
        assert len(lines) == 1 and str(folder / "data") in lines[0], rival.stderr
        assert load.Client(server.port).call("GET", "/_headrace/health")[0] == 200


@case
def a_port_in_use_is_refused_in_one_line(options, folder):
    with Server("--no-pipeline") as server:
        rival = subprocess.run([BINARY, "serve", "--port", str(server.port), "--no-pipeline", "--ephemeral"],
                               capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        assert rival.returncode == 2 and str(server.port) in rival.stderr, rival
        assert len(rival.stderr.strip().splitlines()) == 1, rival.stderr


@case
def a_kill_within_the_first_start_leaves_a_directory_that_starts(options, folder):
    rng, found = random.Random(options.seed), collections.Counter()
    for n in range(10 * loops(options)):
        data = folder / str(n)
        process = subprocess.Popen([BINARY, "serve", "--port", "0", "--quiet", "--data-dir", str(data)], stdin=subprocess.DEVNULL)
        pause(rng.uniform(0.002, 0.016))
        process.kill()
        process.wait()
        found[tuple(sorted(path.name for path in data.glob("*")))] += 1
        with Server(data_dir=data) as server:
            assert server.json("POST", "/_headrace/reset", {})[0] == 200
        demand(references(data))
    print(f"  {len(found)} kinds of what was there: {dict(found)}")


@case
def an_interrupted_upload_leaves_no_file_behind(options, folder):
    server = Server("--no-pipeline", data_dir=folder / "data").start()
    client = load.Client(server.port)
    assert client.call("PUT", "/bucket")[0] == 200
    client.connection.putrequest("PUT", "/bucket/half")
    client.connection.putheader("Content-Length", str(50 << 20))
    client.connection.endheaders()
    client.connection.send(b"x" * (20 << 20))
    server.kill()
    server = Server("--no-pipeline", data_dir=folder / "data").start()
    client = load.Client(server.port)
    assert client.call("GET", "/bucket/half")[0] == 404
    server.stop()
    large = [p for p in (folder / "data").rglob("*") if p.is_file() and p.stat().st_size > 1 << 20 and "db" not in p.name
             and "sqlite" not in p.name and "wal" not in p.name]
    demand([f"left behind: {p}" for p in large])


@case
def sigterm_finishes_what_is_in_flight(options, folder):
    server = Server("--no-pipeline", data_dir=folder / "data").start()
    client = load.Client(server.port)
    assert client.call("PUT", "/bucket")[0] == 200
    connection = client.connection
    connection.putrequest("PUT", "/bucket/slow")
    connection.putheader("Content-Length", "10")
    connection.endheaders()
    connection.send(b"12345")
    server.terminate()
    pause(0.2)
    connection.send(b"67890")
    assert connection.getresponse().status == 200
    server.stop()
    with Server("--no-pipeline", data_dir=folder / "data") as server:
        assert load.Client(server.port).call("GET", "/bucket/slow") == (200, b"1234567890")


case(queues.fifo_order_survives_kills)
case(queues.a_move_task_goes_on_after_kills)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--loops", type=int, default=0, help="kills in each case of mixed load [rounds]")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--durability", default="process")
    parser.add_argument("case", nargs="*", help="only cases whose name contains this")
    options = parser.parse_args()
    return run_cases(CASES, options, "crash")


if __name__ == "__main__":
    sys.exit(main())
