#!/usr/bin/env python3
"""How the cost of one request grows with what Headrace holds: objects in a bucket, messages in a queue, queues.

    tests/bench/growth.py [--sizes 1000,10000,100000,1000000] [--sample 5000] [--json FILE] [--svg FILE]

Prints a Markdown table: the server's CPU microseconds for one request at each size, and its memory. CPU time is steadier than requests
a second and does not depend on who else uses the machine. bench.py calls measure() and table()."""
import argparse
import json
import pathlib
import random
import sys
import tempfile

import plot
from frames import Link, frame
from load import Failed, hrload, rest
from peers import headrace

CONNECTIONS = 32
BODY = b"x" * 1024
TEXT = "m" * 300
MEMORY = "memory, MiB"


class Load:
    def __init__(self, target, folder):
        self.target, self.folder, self.link = target, folder, Link(target)
        self.make = self.link.make

    def pattern(self, request):
        """Many requests from one, with each N filled in; signatures are not looked at by default."""
        one = frame(request)
        return lambda text: one.replace(b"NNNNNNNN", text.encode())

    def cpu(self, frames, limit):
        """CPU microseconds of one request, with what the server put off (copying the log into the database): not the next one's."""
        with open(self.folder / "requests", "wb") as file:
            file.writelines(frames)
        before = self.target.cpu_seconds()
        got = hrload(self.target.port, self.folder, CONNECTIONS, 3600, limit)
        if got["errors"] or got["wrong"]:
            raise Failed(f"growth: {got}")
        rest(self.target, 10)
        return (self.target.cpu_seconds() - before) * 1e6 / limit


def in_steps(load, make, first, last, step=100_000):
    """Fills in pieces, so that the file of requests stays small: the cost of one, of the last piece."""
    cost = 0
    for start in range(first, last, step):
        count = min(step, last - start)
        cost = load.cpu((make(f"{i:08d}") for i in range(start, start + count)), count)
    return cost


def objects(load, sizes, sample):
    load.link.bucket("grow")
    put, get = load.pattern(load.make.put("/grow/kNNNNNNNN", BODY)), load.pattern(load.make.get("/grow/kNNNNNNNN"))
    page = load.pattern(load.make.get("/grow?list-type=2&max-keys=100&start-after=kNNNNNNNN"))
    rows, held, chance = {}, 0, random.Random(1)
    for size in sizes:
        new, held = in_steps(load, put, held, size), size
        names = [f"{chance.randrange(size):08d}" for _ in range(sample)]
        yield rows, {"PutObject 1 KiB, new key": new,
                     "GetObject 1 KiB, any key": load.cpu(map(get, names), sample),
                     "PutObject 1 KiB, overwrite": load.cpu(map(put, names), sample),
                     "ListObjectsV2, 100 keys from anywhere": load.cpu(map(page, names[:sample // 5]), sample // 5)}


def messages(load, sizes, sample):
    url = load.link.queue("grow", VisibilityTimeout="3600")
    batch = frame(load.make.sqs("SendMessageBatch", QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": TEXT} for i in range(10)]))
    send = frame(load.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT))
    receive = frame(load.make.sqs("ReceiveMessage", QueueUrl=url))
    numbers = frame(load.make.sqs("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"]))
    rows, held = {}, 0
    for size in sizes:
        if size > held:
            load.cpu([batch], (size - held) // 10)
            held = size
        # Received and not deleted: the messages in flight grow too.
        yield rows, {"SendMessage 300 B": load.cpu([send], sample), "ReceiveMessage": load.cpu([receive], sample),
                     "GetQueueAttributes": load.cpu([numbers], sample)}
        held += sample


def queues(load, sizes, sample):
    create = load.pattern(load.make.sqs("CreateQueue", QueueName="q-NNNNNNNN"))
    find = load.pattern(load.make.sqs("GetQueueUrl", QueueName="q-NNNNNNNN"))
    url = load.link.queue("q-NNNNNNNN")
    send = load.pattern(load.make.sqs("SendMessage", QueueUrl=url, MessageBody=TEXT))
    rows, held, chance = {}, 0, random.Random(1)
    for size in sizes:
        new, held = in_steps(load, create, held, size), size
        names = [f"{chance.randrange(size):08d}" for _ in range(sample)]
        yield rows, {"CreateQueue": new, "GetQueueUrl, any queue": load.cpu(map(find, names), sample),
                     "SendMessage 300 B, any queue": load.cpu(map(send, names), sample)}


KINDS = {"objects in a bucket": objects, "messages in a queue": messages, "queues": queues}


def measure(sizes, sample, say):
    """{"sizes": [...], "kinds": {kind: {row: [a cost for each size]}}}"""
    kinds = {}
    for kind, grow in KINDS.items():
        with tempfile.TemporaryDirectory(prefix="headrace-growth-") as name:
            target = headrace("headrace", "--no-pipeline")
            target.start(pathlib.Path(name) / "server")
            try:
                load = Load(target, pathlib.Path(name))
                for size, (rows, cells) in zip(sizes, grow(load, sizes, sample)):
                    for row, cost in {**cells, MEMORY: target.memory_mib()}.items():
                        rows.setdefault(row, []).append(cost)
                    kinds[kind] = rows
                    say(f"growth: {size:,} {kind}")
            finally:
                target.stop()
    return {"sizes": sizes, "kinds": kinds}


def table(grown):
    lines = ["| server CPU us for one request, with so many | " + " | ".join(f"{size:,}" for size in grown["sizes"]) + " |",
             "|---|" + "---:|" * len(grown["sizes"])]
    for kind, rows in grown["kinds"].items():
        lines.append(f"| **{kind}** |" + " |" * len(grown["sizes"]))
        lines += [f"| {name} | " + " | ".join(f"{cell:,.0f}" for cell in cells) + " |" for name, cells in rows.items()]
    return "\n".join(lines)


def drawing(grown):
    panels = [(kind, {name: cells for name, cells in rows.items() if name != MEMORY}) for kind, rows in grown["kinds"].items()]
    return plot.panels(panels, grown["sizes"], "server CPU for one request, microseconds", "held when the request comes")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="1000,10000,100000,1000000")
    parser.add_argument("--sample", type=int, default=5000)
    parser.add_argument("--json")
    parser.add_argument("--svg")
    options = parser.parse_args()
    grown = measure([int(size) for size in options.sizes.split(",")], options.sample, lambda text: print(text, file=sys.stderr))
    print(table(grown))
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(grown))
    if options.svg:
        pathlib.Path(options.svg).write_text(drawing(grown))


if __name__ == "__main__":
    main()
