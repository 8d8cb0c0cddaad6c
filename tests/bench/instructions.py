#!/usr/bin/env python3
"""Counts the server's instructions for one request of each hot operation, under callgrind, and keeps the counts.

    tests/bench/instructions.py [--only TEXT] [--requests N] [--check | --write] [--profile FOLDER]

Instructions do not vary with the load of the machine, so a dearer request shows where microseconds would not. They are those of
user space: of our code and of the libraries', not the kernel's. One connection sends N requests, each after the answer to the
last, so each write pays for a whole commit; the counts of a loaded server, where requests share commits, are lower.

--check ends with 1 where an operation takes more than 5 % above what tests/bench/instructions.txt says; --write renews that file.
--profile keeps callgrind's files for callgrind_annotate. Needs valgrind and a build with -O2 (build/headrace, or HEADRACE_BIN)."""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import types

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
from frames import Link  # noqa: E402
from harness import Server  # noqa: E402

KEPT = HERE / "instructions.txt"
TOLERANCE = 1.05
TEXT = "x" * 300
# A long copy by "rep movsb" counts as an instruction for each byte, though it takes a fraction of a cycle: have none.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.cpu.x86_rep_movsb_threshold=1073741824:glibc.cpu.x86_rep_stosb_threshold=1073741824"}
WARM_UP = 30  # requests before the count begins: statements are prepared, caches and arenas are there


# ---- operations: each prepares the server and returns a function that makes the i-th request ----

def send_message(link, total):
    url = link.queue("send")
    return lambda i: link.call("SendMessage", QueueUrl=url, MessageBody=TEXT)


def send_fifo(link, total):
    url = link.queue("order.fifo", FifoQueue="true")
    return lambda i: link.call("SendMessage", QueueUrl=url, MessageBody=TEXT, MessageGroupId=f"g{i % 10}",
                               MessageDeduplicationId=f"d{i}")


def send_ten(link, url):
    link.call("SendMessageBatch", QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": TEXT} for i in range(10)])


def send_batch(link, total):
    url = link.queue("batch")
    return lambda i: send_ten(link, url)


def receive_delete(link, total):
    url = link.queue("pair", VisibilityTimeout="600")
    for _ in range(total // 10 + 1):
        send_ten(link, url)

    def pair(i):
        message = link.call("ReceiveMessage", QueueUrl=url)["Messages"][0]
        link.call("DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return pair


def put_object(link, total, keys=1000):
    link.bucket("small")
    return lambda i: link.send(link.make.put(f"/small/k{i % keys}", b"x" * 4096))


def overwrite_object(link, total):
    return put_object(link, total, keys=10)


def get_object(link, total):
    link.bucket("small")
    link.send(link.make.put("/small/k", b"x" * 4096))
    return lambda i: link.send(link.make.get("/small/k"))


def list_page(link, total):
    link.bucket("many")
    for i in range(1100):
        link.send(link.make.put(f"/many/dir/object-{i:07d}"))
    return lambda i: link.send(link.make.get(f"/many?list-type=2&start-after=dir/object-{i % 90:07d}"))


def pipeline_file(link, total):
    url = link.call("GetQueueUrl", QueueName="results-queue")["QueueUrl"]

    def one(i):
        link.send(link.make.put(f"/dropzone/incoming/f{i}.txt", b"hello world, this is a line\n" * 30))
        while not link.call("ReceiveMessage", QueueUrl=url, WaitTimeSeconds=20).get("Messages"):
            pass
    return one


OPERATIONS = {  # name: (prepare, share of the requests asked for, flags)
    "SendMessage 300 B": (send_message, 1, ("--no-pipeline",)),
    "SendMessage 300 B, FIFO": (send_fifo, 1, ("--no-pipeline",)),
    "SendMessageBatch 10 x 300 B": (send_batch, 0.5, ("--no-pipeline",)),
    "ReceiveMessage + DeleteMessage": (receive_delete, 1, ("--no-pipeline",)),
    "PutObject 4 KiB, new key": (put_object, 1, ("--no-pipeline",)),
    "PutObject 4 KiB, over an object": (overwrite_object, 1, ("--no-pipeline",)),
    "GetObject 4 KiB": (get_object, 1, ("--no-pipeline",)),
    "ListObjectsV2, a page of 1,000": (list_page, 0.1, ("--no-pipeline",)),
    "pipeline: a file of 840 B to its result": (pipeline_file, 0.5, ()),
}


# ---- counting ----

class Counted(Server):
    """A Headrace under callgrind; count() is the number of instructions since the last count()."""

    def __init__(self, folder, *flags, data_dir):
        super().__init__("--log-level", "warn", *flags, data_dir=data_dir, env=ENVIRONMENT)
        self.out = folder / "callgrind.out"
        self.parts = 0
        self.flags[:0] = ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={self.out}", "--separate-threads=no"]

    def count(self):
        subprocess.run(["callgrind_control", "--dump", str(self.process.pid)], check=True, capture_output=True)
        self.parts += 1
        self.part = self.out.with_name(f"{self.out.name}.{self.parts}")
        return int(re.search(r"^(?:totals|summary): (\d+)", self.part.read_text(), re.M).group(1))


def instructions(name, requests, profile, more=()):
    prepare, share, flags = OPERATIONS[name]
    requests = max(5, int(requests * share))
    warm_up = max(3, int(WARM_UP * share))
    with tempfile.TemporaryDirectory(prefix="headrace-instructions-") as temporary:
        folder = pathlib.Path(temporary)
        with Counted(folder, *flags, *more, data_dir=folder / "data") as server:
            target = types.SimpleNamespace(port=server.port, access_key="test", secret_key="test")
            run = prepare(Link(target), requests + warm_up)
            for i in range(warm_up):
                run(i)
            server.count()
            for i in range(warm_up, warm_up + requests):
                run(i)
            total = server.count()
            if profile:
                profile.mkdir(parents=True, exist_ok=True)
                shutil.copy(server.part, profile / (re.sub(r"\W+", "-", name) + ".callgrind"))
    return total // requests


def kept():
    if not KEPT.exists():
        return {}
    rows = (line.rsplit(maxsplit=1) for line in KEPT.read_text().splitlines() if line and not line.startswith("#"))
    return {name.strip(): int(count.replace(",", "")) for name, count in rows}


def write(counts):
    lines = ["# Instructions of one request; renewed by tests/bench/instructions.py --write.\n"]
    lines += [f"{name:<44}{counts[name]:>12,}\n" for name in OPERATIONS if name in counts]
    KEPT.write_text("".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="operations with this text in their name")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--profile", type=pathlib.Path)
    parser.add_argument("--flags", default="", help='more flags of the server: "--trace off"')
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("instructions.py needs valgrind")
    before, counts = kept(), {}
    for name in OPERATIONS:
        if options.only.lower() not in name.lower():
            continue
        counts[name] = instructions(name, options.requests, options.profile, options.flags.split())
        was = before.get(name)
        print(f"{name:<44}{counts[name]:>12,}{f'   kept {was:,}: {counts[name] / was - 1:+.1%}' if was else ''}", flush=True)
    if options.write:
        write({**before, **counts})
    dearer = [name for name, count in counts.items() if name in before and count > before[name] * TOLERANCE]
    missing = [name for name in counts if name not in before]
    if options.check and (dearer or missing):
        sys.exit("".join(f"dearer than kept: {name}\n" for name in dearer) + "".join(f"not kept: {name}\n" for name in missing))


if __name__ == "__main__":
    main()
