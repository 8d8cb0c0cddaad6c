#!/usr/bin/env python3
"""Crashes, full disks, rivals: what was acknowledged stays, whatever happens to the process.

    tests/crash/run.py [--rounds N] [--durability process|power] [CASE ...]     HEADRACE_BIN names the binary"""
import argparse
import hashlib
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import BINARY, Server, pause  # noqa: E402
import load  # noqa: E402
import queues  # noqa: E402

CASES = []


def case(function):
    CASES.append(function)
    return function


def demand(problems):
    if problems:
        raise AssertionError(f"{len(problems)} problems, first: " + "; ".join(map(str, problems[:5])))


@case
def kill_under_mixed_load_loses_nothing_acknowledged(options, folder):
    flags = ["--no-pipeline", "--durability", options.durability]
    workers = [load.Worker(i, seed=i) for i in range(4)]
    server = Server(*flags, data_dir=folder / "data").start()
    client = load.Client(server.port)
    assert client.call("PUT", "/crash")[0] == 200
    client.sqs("CreateQueue", QueueName="crash")
    for turn in range(options.rounds):
        for worker in workers:
            worker.begin(server.port, limit=100_000)
        pause(0.3 + 0.17 * (turn % 5))
        server.kill()
        for worker in workers:
            worker.thread.join(90)
            if worker.problem:
                raise worker.problem
        server = Server(*flags, data_dir=folder / "data").start()
        client = load.Client(server.port)
        demand(load.check_objects(client, workers))
        demand(load.check_listing(client, workers))
        demand(load.check_messages(client, workers))
    server.stop()
    tasks = sum(worker.tasks for worker in workers)
    assert tasks > 50 * options.rounds, f"only {tasks} operations were acknowledged: no load"
    print(f"  {options.rounds} kills, {tasks} acknowledged operations")


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
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--durability", default="process")
    parser.add_argument("case", nargs="*", help="only cases whose name contains this")
    options = parser.parse_args()
    passed = failed = 0
    for function in CASES:
        if options.case and not any(part in function.__name__ for part in options.case):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-crash-"))
        try:
            function(options, folder)
            passed += 1
            print(f"ok {function.__name__}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED {function.__name__}: {type(error).__name__}: {error}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
