#!/usr/bin/env python3
"""Large bodies in constant memory: 5 GiB up in one PUT and in parts, down, copied and deleted, with the server's peak memory at each step.

    tests/bench/large.py [--gib 5] [--folder DIR] [--limit-mib 64]

Prints a Markdown table and fails when a step makes the server's peak memory grow by more than the limit, when a byte differs, or when a
deleted body stays on the disk. Needs twice the size on the disk below --folder (default: the folder for temporary files)."""
import argparse
import hashlib
import http.client
import os
import pathlib
import re
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Server, pause  # noqa: E402

MIB, GIB = 1 << 20, 1 << 30
PART = 64 * MIB
NOISE = os.urandom(MIB)


def block(number):
    """The number-th MiB of the body: all differ, so that a block in the wrong place is seen."""
    return number.to_bytes(8, "big") + NOISE[8:]


def blocks(start, size, digest):
    for at in range(start, start + size, MIB):
        data = block(at // MIB)[:start + size - at]
        digest.update(data)
        yield data


def etag(answer):
    return answer.getheader("etag").strip('"')


class Bench:
    def __init__(self, server, data, limit):
        self.server, self.data, self.limit = server, pathlib.Path(data), limit
        self.process = pathlib.Path(f"/proc/{server.process.pid}")
        self.failures = 0

    def memory(self, field):
        return int(re.search(rf"{field}:\s+(\d+) kB", (self.process / "status").read_text())[1]) * 1024

    def disk(self):
        return sum(path.stat().st_blocks * 512 for path in self.data.rglob("*") if path.is_file())

    def step(self, name, size, work):
        (self.process / "clear_refs").write_text("5")  # the peak begins anew
        before, started = self.memory("VmRSS"), time.monotonic()
        work()
        seconds, peak = time.monotonic() - started, self.memory("VmHWM")
        good = peak - before <= self.limit
        self.failures += not good
        rate = f"{size / seconds / 1e6:,.0f} MB/s" if size else ""
        print(f"| {name} | {seconds:.1f} s | {rate} | {before / MIB:.1f} | {peak / MIB:.1f} |{'' if good else ' TOO MUCH'}", flush=True)

    def request(self, method, path, body=None, headers=None, status=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=3600)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        if answer.status != status:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.read()[:2000]}")
        return answer

    def put(self, path, start, size):
        digest = hashlib.md5()
        answer = self.request("PUT", path, blocks(start, size, digest), {"Content-Length": str(size)})
        answer.read()
        assert etag(answer) == digest.hexdigest(), path
        return digest

    def get(self, path, start, size, headers=None):
        answer = self.request("GET", path, headers=headers, status=206 if headers else 200)
        for at in range(start, start + size, MIB):
            data = answer.read(min(MIB, start + size - at))
            assert data == block(at // MIB)[:start + size - at], f"{path}: differs in the MiB at {at}"
        assert not answer.read()

    def parts(self, path, size):
        upload = re.search(rb"<UploadId>(.*)</UploadId>", self.request("POST", f"{path}?uploads").read())[1].decode()
        digests = [self.put(f"{path}?partNumber={number + 1}&uploadId={upload}", at, min(PART, size - at))
                   for number, at in enumerate(range(0, size, PART))]
        rows = "".join(f"<Part><PartNumber>{number + 1}</PartNumber><ETag>{digest.hexdigest()}</ETag></Part>"
                       for number, digest in enumerate(digests))
        text = self.request("POST", f"{path}?uploadId={upload}",
                            f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>").read().decode()
        whole = hashlib.md5(b"".join(digest.digest() for digest in digests)).hexdigest()
        assert f"{whole}-{len(digests)}" in text, text

    def refuse(self, size):
        """More than 5 GiB in one PUT is refused before the client sends a byte of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        connection.putrequest("PUT", "/large/refused")
        connection.putheader("Content-Length", str(size))
        connection.putheader("Expect", "100-continue")
        connection.endheaders()
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 400 and "<Code>EntityTooLarge</Code>" in text and f"<ProposedSize>{size}</ProposedSize>" in text, text

    def empty(self):
        """Bodies leave the disk soon after their rows."""
        deadline = time.monotonic() + 60
        while self.disk() > 64 * MIB and time.monotonic() < deadline:
            pause(0.05)
        if self.disk() > 64 * MIB:
            self.failures += 1
            print(f"{self.disk() / MIB:.0f} MiB stay on the disk", file=sys.stderr)


def measure(bench, size):
    bench.request("PUT", "/large").read()
    print("| step | time | | memory before, MiB | peak, MiB |\n|---|---|---|---|---|")
    bench.step("PUT of one byte more than 5 GiB: refused", 0, lambda: bench.refuse(5 * GIB + 1))
    bench.step("PUT of 6 GB: refused", 0, lambda: bench.refuse(6_000_000_000))
    bench.step(f"PUT {size / GIB:g} GiB", size, lambda: bench.put("/large/one", 0, size))
    bench.step(f"GET {size / GIB:g} GiB", size, lambda: bench.get("/large/one", 0, size))
    bench.step("GET of the last MiB", 0, lambda: bench.get("/large/one", size - MIB, MIB, {"Range": f"bytes=-{MIB}"}))
    bench.step("CopyObject", size, lambda: bench.request("PUT", "/large/two", headers={"x-amz-copy-source": "/large/one"}).read())
    bench.step("DELETE both", 0, lambda: [bench.request("DELETE", f"/large/{name}", status=204) for name in ("one", "two")])
    bench.empty()
    bench.step(f"the same in parts of {PART // MIB} MiB", size, lambda: bench.parts("/large/parts", size))
    bench.step(f"GET {size / GIB:g} GiB of parts", size, lambda: bench.get("/large/parts", 0, size))
    bench.step("DELETE", 0, lambda: bench.request("DELETE", "/large/parts", status=204))
    bench.empty()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gib", type=float, default=5)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--limit-mib", type=int, default=64)
    options = parser.parse_args()
    size = int(options.gib * GIB) // MIB * MIB
    if shutil.disk_usage(options.folder).free < 2 * size + GIB:
        sys.exit(f"large.py: {options.folder} has no room for {2 * options.gib:g} GiB")
    with tempfile.TemporaryDirectory(prefix="headrace-large-", dir=options.folder) as data:
        with Server("--no-pipeline", data_dir=data) as server:
            bench = Bench(server, data, options.limit_mib * MIB)
            measure(bench, size)
    sys.exit(bench.failures > 0)


if __name__ == "__main__":
    main()
