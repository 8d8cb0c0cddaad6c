#!/usr/bin/env python3
"""A page of a listing costs the same in a bucket of a thousand objects and in one of a million.

    tests/bench/listing.py [--small 1000] [--large 1000000] [--limit 3]

Fills two buckets with as many folders as the small one has objects, asks both for the same pages, and prints the server's CPU time for
one page. Fails when a page of the large one costs more than --limit times that of the small one. Beside them: a bucket of a tenth of
the large one's size in which every object is deleted (delete markers only), and a key with so many versions."""
import argparse
import http.client
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from harness import Server  # noqa: E402

HRLOAD = os.environ.get("HRLOAD", str(HERE.parent.parent / "build/hrload"))

PAGES = [
    ("v2, first page", "list-type=2&max-keys=100"),
    ("v2, start-after in the middle", "list-type=2&max-keys=100&start-after=d00500/f"),
    ("v2, prefix", "list-type=2&max-keys=100&prefix=d005"),
    ("v2, folders (delimiter)", "list-type=2&max-keys=100&delimiter=/"),
    ("v2, folders after the middle", "list-type=2&max-keys=100&delimiter=/&start-after=d00500/f"),
    ("v2, end of the bucket", "list-type=2&max-keys=100&start-after=d00999/~"),
    ("v1, marker", "max-keys=100&marker=d00500/f"),
    ("versions", "versions&max-keys=100&key-marker=d00500/f"),
    ("versions, folders", "versions&max-keys=100&delimiter=/"),
    ("uploads", "uploads&max-uploads=100"),
    ("v2, nothing below a prefix", "list-type=2&prefix=nothing/"),
]
ODD = [  # what hides from a listing must not be walked for it
    ("v2 of a bucket of delete markers", "marked", "list-type=2&max-keys=100"),
    ("folders of a bucket of delete markers", "marked", "list-type=2&max-keys=100&delimiter=/"),
    ("v2 of a key with many versions", "versioned", "list-type=2&max-keys=100"),
    ("versions of a key with many versions", "versioned", "versions&max-keys=100"),
]


def frame(head, body=b""):
    request = f"{head}\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    return struct.pack("<III", len(request), 0, 0) + request


class Load:
    """Requests from hrload, and what they cost the server."""

    def __init__(self, server, folder):
        self.server, self.path = server, pathlib.Path(folder) / "frames"

    def cpu(self):
        """Microseconds so far, of all threads."""
        tasks = pathlib.Path(f"/proc/{self.server.process.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e3

    def run(self, frames, limit):
        """CPU microseconds for one request."""
        with open(self.path, "wb") as file:
            file.writelines(frames)
        before = self.cpu()
        done = subprocess.run([HRLOAD, str(self.server.port), str(self.path), "32", "3600", str(limit)], check=True, capture_output=True)
        answer = json.loads(done.stdout)
        assert not answer.get("errors"), answer
        return (self.cpu() - before) / limit


def key(number, folders):
    return f"d{number % folders:05}/f{number // folders:05}"


def call(server, method, path, body=None):
    link = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    link.request(method, path, body)
    answer = link.getresponse()
    text = answer.read()
    assert answer.status < 300, (method, path, answer.status, text)


def fill(server, load, small, large):
    for name, size in (("small", small), ("large", large)):
        call(server, "PUT", f"/{name}")
        load.run((frame(f"PUT /{name}/{key(number, small)} HTTP/1.1", b"x") for number in range(size)), size)
    for name in ("marked", "versioned"):
        call(server, "PUT", f"/{name}")
        call(server, "PUT", f"/{name}?versioning", b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
    many = large // 10
    load.run((frame(f"PUT /marked/{key(number, small)} HTTP/1.1", b"x") for number in range(many)), many)
    load.run((frame(f"DELETE /marked/{key(number, small)} HTTP/1.1") for number in range(many)), many)
    load.run((frame("PUT /versioned/a HTTP/1.1", b"x") for _ in range(many)), many)
    load.run([frame("PUT /versioned/b HTTP/1.1", b"x")], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=1000)
    parser.add_argument("--large", type=int, default=1000000)
    parser.add_argument("--limit", type=float, default=3)
    parser.add_argument("--sample", type=int, default=500)
    options = parser.parse_args()
    slow = 0
    with tempfile.TemporaryDirectory(prefix="headrace-listing-") as folder:
        with Server("--no-pipeline", "--log-level", "warn", data_dir=f"{folder}/data") as server:
            load = Load(server, folder)
            fill(server, load, options.small, options.large)
            print(f"| server CPU us for one page | {options.small:,} objects | {options.large:,} |\n|---|---|---|", flush=True)
            for name, query in PAGES:
                one, other = (load.run([frame(f"GET /{bucket}?{query} HTTP/1.1")], options.sample) for bucket in ("small", "large"))
                slow += other > options.limit * one + 50
                print(f"| {name} | {one:.0f} | {other:.0f} |{' TOO SLOW' if other > options.limit * one + 50 else ''}", flush=True)
            for name, bucket, query in ODD:
                cost = load.run([frame(f"GET /{bucket}?{query} HTTP/1.1")], max(options.sample // 10, 1))
                print(f"| {name} ({options.large // 10:,}) | | {cost:.0f} |", flush=True)
    sys.exit(slow > 0)


if __name__ == "__main__":
    main()
