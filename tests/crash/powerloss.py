#!/usr/bin/env python3
"""Power loss, for the whole binary: a server runs under load on a disk that writes down everything that happens to it
(disk.c). From that journal the disk is built as it may be when power is lost at some instant, a server is started on it,
and every promise is checked that had been made by an answer sent before that instant.

    tests/crash/powerloss.py [--points N] [--seed S] [--operations N]      HEADRACE_BIN names the binary

What is on a disk is what was synced, of files and of directories. What was not synced may be there or not: `strict`
forgets all of it, `torn` keeps any of the directory changes and any 4 KiB pieces of the writes, `prefix` what a journaling
file system keeps: all directory changes, and of the data that was not synced a part from the start of each file.

Under --durability power nothing that was answered may be missing, whichever way the disk forgets. Under --durability
process the last moments may be lost, but what is there must be right: the server starts, or says why not, and every body
that it gives is one that was uploaded under that key. There the files of bodies are taken to grow as they do on ext4, xfs
and btrfs, where a file is never longer than the data that reached the disk."""
import argparse
import bisect
import collections
import os
import pathlib
import random
import re
import shutil
import struct
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import BINARY, Server  # noqa: E402
import load  # noqa: E402

DISK = pathlib.Path(BINARY).resolve().parent / "libdisk.so"
RECORD = struct.Struct("<c3xIqII")
REQUEST_ID = re.compile(rb"x-amzn?-request-?id: *([^\r\n ]+)", re.I)
O_CREAT, O_TRUNC, O_DIRECTORY = os.O_CREAT, os.O_TRUNC, os.O_DIRECTORY
PAGE = 4096
MODES = ("strict", "torn", "prefix")

Record = collections.namedtuple("Record", "kind file at data end")


def read_journal(path):
    text, at, records = path.read_bytes(), 0, []
    while at + RECORD.size <= len(text):
        kind, file, offset, n, _ = RECORD.unpack_from(text, at)
        at += RECORD.size
        records.append(Record(kind, file, offset, text[at:at + n], at + n))
        at += n
    return records


class File:
    """What is in it, what of that is synced, and what was done since."""

    def __init__(self):
        self.now, self.synced, self.since = bytearray(), b"", []

    def write(self, at, data):
        if len(self.now) < at:
            self.now.extend(bytes(at - len(self.now)))
        self.now[at:at + len(data)] = data
        self.since.append((at, data))

    def truncate(self, size):
        del self.now[size:]
        self.now.extend(bytes(size - len(self.now)))
        self.since.append((size, None))

    def sync(self):
        if self.since:
            self.synced, self.since = bytes(self.now), []

    def after_loss(self, mode, rng):
        if mode == "strict":
            return self.synced
        image = bytearray(self.synced)
        changes = self.since[:rng.randrange(len(self.since) + 1)] if mode == "prefix" else self.since
        for at, data in changes:
            if data is None:
                if mode == "prefix" or rng.random() < 0.5:
                    del image[at:]
                    image.extend(bytes(at - len(image)))
                continue
            for start in range(0, len(data), PAGE):
                if mode == "prefix" or rng.random() < 0.5:
                    where = at + start
                    image.extend(bytes(max(0, where - len(image))))
                    piece = data[start:start + PAGE]
                    image[where:where + len(piece)] = piece
        return bytes(image)


def parent(path):
    return path.rpartition("/")[0]


class Disk:
    """The journal replayed up to an instant. A directory's entries are synced when the directory is."""

    def __init__(self, gentle, deaf_to=None):
        self.gentle = gentle                     # bodies grow as on ext4, xfs and btrfs: never longer than their data
        self.deaf_to = deaf_to                   # syncs of what begins with this do nothing: a mistake that must be noticed
        self.files, self.open = {}, {}           # path -> File or "directory"; number of an opening -> (path, File)
        self.synced = {"": "directory"}          # entries as of their directory's last sync
        self.since = collections.defaultdict(list)

    def entry(self, *changes):
        """One change of names: {path: File, "directory" or None}, atomic."""
        change = dict(changes)
        for path, what in change.items():
            if what is None:
                self.files.pop(path, None)
            else:
                self.files[path] = what
        for directory in {parent(path) for path in change}:
            self.since[directory].append(change)

    def play(self, r):
        if r.kind == b"o":
            path = r.data.decode()
            if r.at & O_DIRECTORY:
                self.open[r.file] = (path, None)
                return
            if path not in self.files:
                self.entry((path, File()))
            self.open[r.file] = (path, self.files[path])
            if r.at & O_TRUNC:
                self.files[path].truncate(0)
        elif r.kind == b"w":
            self.open[r.file][1].write(r.at, r.data)
        elif r.kind == b"t":
            self.open[r.file][1].truncate(r.at)
        elif r.kind == b"s":
            self.sync(*self.open[r.file])
        elif r.kind == b"r":
            old, new = (name.decode() for name in r.data.split(b"\0"))
            self.entry((new, self.files[old]), (old, None))
        elif r.kind in b"ud":
            self.entry((r.data.decode(), None))
        elif r.kind == b"m":
            self.entry((r.data.decode(), "directory"))

    def sync(self, path, file):
        if self.deaf_to and path.startswith(self.deaf_to):
            return
        if file:
            file.sync()
            return
        for change in self.since.pop(path, []):
            self.synced.update(change)

    def after_loss(self, mode, rng):
        """{path: bytes, or None for a directory} as the disk may be."""
        entries, changes = dict(self.synced), []
        for waiting in self.since.values():
            changes += [change for change in waiting if change not in changes]
        for change in changes:
            if mode == "prefix" or mode == "torn" and rng.random() < 0.5:
                entries.update(change)
        there = {path: what for path, what in entries.items() if what is not None}
        whole = lambda path: path == "" or there.get(parent(path)) == "directory" and whole(parent(path))  # noqa: E731
        kind = lambda path: "prefix" if self.gentle and mode == "torn" and path.startswith("blobs/") else mode  # noqa: E731
        return {path: None if what == "directory" else what.after_loss(kind(path), rng) for path, what in there.items() if whole(path)}


def lay_out(image, folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for path in sorted(image):
        if image[path] is None:
            (folder / path).mkdir(mode=0o700, exist_ok=True)
        else:
            (folder / path).write_bytes(image[path])


# ---- the run that is recorded ----

def recorded(durability, folder, options):
    """Runs load on a watched disk. Returns the journal and the workers."""
    data, journal = folder / "data", folder / "journal"
    env = {"LD_PRELOAD": str(DISK), "HEADRACE_DISK_ROOT": str(data), "HEADRACE_DISK_JOURNAL": str(journal)}
    server = Server("--no-pipeline", "--durability", durability, data_dir=data, env=env).start()
    client, workers = load.Client(server.port), [load.Worker(i, options.seed) for i in range(2)]
    load.prepare(client, workers)
    ready = journal.stat().st_size
    for worker in workers:
        worker.begin(server.port, options.operations * (1 if durability == "power" else 4))  # so that there are checkpoints
    for worker in workers:
        worker.thread.join(300)
        if worker.problem:
            raise worker.problem
    server.kill()
    server.check_log()
    return ready, read_journal(journal), workers


def answers(records):
    """Request id -> place in the journal of its answer."""
    found = {}
    for number, r in enumerate(records):
        match = REQUEST_ID.search(r.data) if r.kind == b"a" else None
        if match:
            found.setdefault(match.group(1).decode(), number)
    return found


def instants(records, ready, promised, options, rng):
    """Indices after which power is lost: just after answers, and anywhere."""
    begin = next(number for number, r in enumerate(records) if r.end >= ready)
    after_answer = [number for number in promised if number > begin]
    chosen = rng.sample(after_answer, min(len(after_answer), options.points * 2 // 3))
    chosen += [rng.randrange(begin, len(records)) for _ in range(options.points - len(chosen))]
    return sorted(set(chosen))


class Book:
    """What one worker had been promised at each place of the journal."""

    def __init__(self, worker, place):
        self.worker, self.places, self.worlds, self.changes = worker, [], [{}], []
        for request_id, change in worker.history:
            self.places.append(place[request_id])
            self.changes.append(change)
            self.worlds.append(load.changed(self.worlds[-1], change))
        self.ever = collections.defaultdict(set)
        for world in self.worlds:
            for item, value in world.items():
                self.ever[item].add(value)

    def at(self, number):
        """The world that was promised, and the change that may have been under way."""
        n = bisect.bisect_right(self.places, number)
        return self.worlds[n], self.changes[n] if n < len(self.changes) else None


def check_power(client, books, number):
    problems = []
    for book in books:
        want, pending = book.at(number)
        problems += load.check_worker(client, book.worker, want, pending)[0]
    return problems


def check_process(client, books):
    """Nothing that is there may be wrong: each body was once uploaded under its key. A body whose file is lost is an
    error, never other bytes."""
    problems = []
    for book in books:
        number = book.worker.number
        status, listing = client.call("GET", f"/crash?list-type=2&prefix=w{number}/")
        for key in re.findall(rb"<Key>([^<]*)</Key>", listing) if status == 200 else []:
            status, body = client.call("GET", "/crash/" + key.decode())
            good = load.digest(body) in book.ever["object", "crash", key.decode()] if status == 200 else status == 500
            if not good:
                problems.append(f"{key}: {status}, {len(body)} bytes that nobody uploaded")
        status, answer = client.call("GET", f"/_headrace/sqs/messages?QueueUrl=crash-{number}&ShowInvisible=true&ShowDelayed=true&limit=100000")
        for body in re.findall(rb'"body":"([^"]*)"', answer) if status == 200 else []:
            if ("message", body.decode()) not in book.ever:
                problems.append(f"a message that nobody sent: {body}")
    return problems


def start_after_loss(durability, folder, books, number):
    """What a server that is started on that disk gets wrong."""
    server = Server("--no-pipeline", "--durability", durability, data_dir=folder)
    try:
        server.start()
        client = load.Client(server.port)
        found = check_power(client, books, number) if durability == "power" else check_process(client, books)
        server.stop()
        return found
    except (RuntimeError, AssertionError, load.Gone) as error:
        server.kill()
        said = durability == "process" and re.search("headrace.db is (empty|missing), but", str(error))  # it was just made, and is lost
        return [] if said else [f"{type(error).__name__}: {error}"]


def lose_power(durability, records, books, points, folder, options, deaf_to=None, modes=MODES):
    rng, disk, played, problems = random.Random(options.seed), Disk(durability == "process", deaf_to), 0, []
    for turn, number in enumerate(points):
        for r in records[played:number + 1]:
            disk.play(r)
        played, mode = number + 1, modes[turn % len(modes)]
        lay_out(disk.after_loss(mode, rng), folder / "after")
        problems += [f"{durability}, {mode}, power lost after record {number} of {len(records)} (seed {options.seed}): {problem}"
                     for problem in start_after_loss(durability, folder / "after", books, number)]
        if len(problems) > 5:
            break
    return problems


def case(durability, folder, options):
    ready, records, workers = recorded(durability, folder, options)
    place = answers(records)
    books = [Book(worker, place) for worker in workers]
    promised = sorted(p for book in books for p in book.places)
    points = instants(records, ready, promised, options, random.Random(options.seed))
    problems = lose_power(durability, records, books, points, folder, options)
    if durability == "power":
        # The check must be able to fail: were a sync forgotten, it would be seen.
        for path in ("blobs/", "headrace.db-wal"):
            if not lose_power(durability, records, books, points[len(points) // 2:], folder, options, deaf_to=path, modes=("strict",)):
                problems.append(f"were {path} never synced, nobody would notice: the test is worth nothing")
    syncs = sum(r.kind == b"s" for r in records)
    print(f"  {durability}: {len(promised)} promises, {len(records)} records, {syncs} syncs; power lost {len(points)} times")
    assert len(promised) > 20 and syncs > 2, "no load"
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=24)
    parser.add_argument("--operations", type=int, default=150, help="operations of each of the two workers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--durability", choices=("power", "process"))
    options = parser.parse_args()
    passed = failed = 0
    for durability, name in (("power", "with_durability_power_no_promise_is_lost"), ("process", "with_durability_process_nothing_is_wrong")):
        if options.durability not in (None, durability):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-power-"))
        try:
            problems = case(durability, folder, options)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        for problem in problems[:5]:
            print("   ", problem)
        passed, failed = passed + (not problems), failed + bool(problems)
        print(("FAILED " if problems else "ok ") + name, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
