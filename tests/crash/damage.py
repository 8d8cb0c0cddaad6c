#!/usr/bin/env python3
"""A data directory that is damaged, foreign, too new or not ours to write: a start says so in one line that names the
directory and the way out, `headrace doctor` says what it is, and nobody ever gets a wrong answer.

    tests/crash/damage.py [CASE ...]      HEADRACE_BIN names the binary"""
import argparse
import base64
import contextlib
import hashlib
import http.client
import os
import pathlib
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from harness import BINARY, Server  # noqa: E402
import load  # noqa: E402
from cases import run_cases  # noqa: E402

PAGE = 4096
CASES = []


def case(function):
    CASES.append(function)
    return function


class Directory:
    """A directory with small and large objects, versions and messages, cleanly closed. `bodies` is what must be read."""

    def __init__(self, folder, small=60, messages=40):
        self.path, self.bodies, self.messages = folder / "data", {}, set()
        rng = random.Random(5)
        with Server("--no-pipeline", data_dir=self.path) as server:
            client = load.Client(server.port)
            assert client.call("PUT", "/box")[0] == 200
            client.sqs("CreateQueue", QueueName="q")
            for n in range(small):
                self.put(client, f"small{n:03}", rng.randbytes(3000))
            for n in range(4):
                self.put(client, f"large{n}", rng.randbytes(100_000 + n))
            for n in range(messages):
                client.sqs("SendMessage", QueueUrl="q", MessageBody=f"message {n}")
                self.messages.add(f"message {n}")
        self.database = self.path / "headrace.db"

    def put(self, client, key, body):
        assert client.call("PUT", "/box/" + key, body)[0] == 200
        self.bodies[key] = load.digest(body)

    def files(self):
        return sorted(p for p in (self.path / "blobs").rglob("*") if p.is_file())

    def doctor(self, *flags):
        said = subprocess.run([BINARY, "doctor", "--data-dir", str(self.path), *flags], capture_output=True, text=True, errors="replace", timeout=60)
        return said.returncode, said.stdout + said.stderr

    def refused(self, *parts):
        """A start ends at once with one line of these parts and the directory's name."""
        said = subprocess.run([BINARY, "serve", "--port", "0", "--no-pipeline", "--quiet", "--data-dir", str(self.path)],
                              capture_output=True, text=True, errors="replace", timeout=60, stdin=subprocess.DEVNULL)
        lines = [line for line in said.stderr.splitlines() if line.strip()]
        assert said.returncode in (1, 2), (said.returncode, said.stderr)
        assert len(lines) == 1 and str(self.path) in lines[0], said.stderr
        assert all(part in lines[0] for part in parts), f"{lines[0]!r} lacks one of {parts}"
        return lines[0]

    def serve(self):
        return Server("--no-pipeline", data_dir=self.path)

    def ask(self, sql, *values):
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            rows = db.execute(sql, values).fetchall()
            db.commit()
            return rows

    def never_wrong(self, client, lost_allowed=True):
        """Each body is what was uploaded or an error. Keys that are lost."""
        lost = []
        for key, digest in self.bodies.items():
            status, body = client.call("GET", "/box/" + key)
            assert status in ((200, 404, 500) if lost_allowed else (200,)), f"{key}: {status}"
            assert status != 200 or load.digest(body) == digest, f"{key}: a wrong body was served"
            lost += [key] if status != 200 else []
        return lost


@case
def a_truncated_database_is_refused(options, folder):
    d = Directory(folder)
    size = d.database.stat().st_size
    for keep in (size - PAGE, size // 2, PAGE + 100, 50, 16):
        whole = d.database.read_bytes()
        os.truncate(d.database, keep)
        d.refused("headrace.db")
        code, said = d.doctor()
        assert code in (1, 2) and said.strip(), (code, said)
        d.database.write_bytes(whole)
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port))


@case
def an_empty_or_missing_database_is_no_new_one_where_there_was_one(options, folder):
    d = Directory(folder)
    whole, files = d.database.read_bytes(), d.files()
    for empty in (lambda: d.database.write_bytes(b""), lambda: d.database.write_bytes(bytes(100)), d.database.unlink):
        empty()
        d.refused("headrace.db is missing" if not d.database.exists() else "headrace.db is empty", "Restore it from a copy")
        code, said = d.doctor()
        assert code == 2 and said.strip(), (code, said)
        assert d.files() == files, "bodies were removed"
    d.database.write_bytes(whole)
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port), lost_allowed=False)
        d.put(load.Client(server.port), "after", b"x")
        server.kill()
    log = d.path / "headrace.db-wal"
    whole, logged = d.database.read_bytes(), log.read_bytes()
    d.database.write_bytes(b"")
    d.refused("headrace.db is empty, but its log is there")
    assert log.read_bytes() == logged
    d.database.write_bytes(whole)
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port), lost_allowed=False)


@case
def the_log_of_another_database_or_time_is_refused_and_its_own_is_read(options, folder):
    d, other = Directory(folder), Directory(folder / "other")
    logs = {}
    for name, one in (("own", d), ("foreign", other)):
        with one.serve() as server:
            client = load.Client(server.port)
            one.put(client, "logged", name.encode() * 500)  # one turn is enough
            server.kill()
        logs[name] = (one.path / "headrace.db-wal").read_bytes()
    log = d.path / "headrace.db-wal"
    whole, files = d.database.read_bytes(), d.files()
    log.write_bytes(logs["foreign"])
    d.refused("headrace.db-wal is not the log of this database")
    assert d.doctor()[0] == 2 and d.database.read_bytes() == whole and d.files() == files
    log.write_bytes(logs["own"])
    for n in range(3):  # closed, and killed, again and again: the log goes on, or begins anew
        with d.serve() as server:
            client = load.Client(server.port)
            assert not d.never_wrong(client, lost_allowed=False)
            if n == 2:
                break
            for i in range(3):
                d.put(client, f"round{n}-{i}", os.urandom(500))
            server.kill()
    assert d.doctor()[0] == 0, d.doctor()
    log.write_bytes(logs["own"])  # it was copied back, and more after it
    d.refused("headrace.db-wal is not the log of this database, or of another time")
    log.unlink()
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port), lost_allowed=False)


@case
def a_table_that_is_not_what_it_should_be_is_refused_by_name(options, folder):
    d = Directory(folder)
    whole = d.database.read_bytes()
    for sql, table in (("ALTER TABLE s3_config RENAME COLUMN document TO paper", "s3_config"), ("ALTER TABLE sqs_body RENAME COLUMN body TO bodY_", "sqs_body"),
                       ("DROP TABLE s3_slice", "s3_slice"), ("DROP INDEX s3_part_upload", "s3_part_upload"), ("ALTER TABLE blob DROP COLUMN sum", "blob"),
                       ("ALTER TABLE migration RENAME COLUMN version TO edition", "migration"), ("DROP TABLE migration", "migration")):
        d.ask(sql)
        d.refused(f"the table {table} in", "headrace doctor")
        code, said = d.doctor("--repair")
        assert code == 1 and f"the table {table} is not what it should be" in said, (sql, said)
        d.database.write_bytes(whole)
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port), lost_allowed=False)


@case
def a_flipped_page_is_refused_or_noticed_and_never_served(options, folder):
    d = Directory(folder)
    whole, rng, refused, noticed = d.database.read_bytes(), random.Random(3), 0, 0
    pages = len(whole) // PAGE
    for page in rng.sample(range(1, pages), min(14, pages - 1)):
        damaged = bytearray(whole)
        damaged[page * PAGE:page * PAGE + 64] = bytes(64)  # the head of the page: what is on it cannot be found
        d.database.write_bytes(damaged)
        code, said = d.doctor()
        try:
            with d.serve() as server:
                lost = d.never_wrong(load.Client(server.port))
                assert code == 1 or not lost, f"page {page}: {lost} are lost and the doctor says: {said}"
                noticed += 1
        except (RuntimeError, load.Gone) as error:
            assert code == 1, f"page {page}: no start ({error}), and the doctor says: {said}"
            refused += 1
    d.database.write_bytes(whole)
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port))
    assert refused, "nothing was ever noticed at the start"
    print(f"  {refused} refused, {noticed} pages without harm")


@case
def a_torn_log_loses_its_end_and_nothing_else(options, folder):
    path, bodies = folder / "data", {}
    server = Server("--no-pipeline", data_dir=path).start()
    client = load.Client(server.port)
    assert client.call("PUT", "/box")[0] == 200
    for n in range(40):
        body = random.Random(n).randbytes(2000)
        assert client.call("PUT", f"/box/k{n:02}", body)[0] == 200
        bodies[f"k{n:02}"] = load.digest(body)
    server.kill()
    log = path / "headrace.db-wal"
    whole = log.read_bytes()
    for keep, flip in ((len(whole) - 100, None), (len(whole) * 2 // 3, None), (len(whole) // 3 + 7, None), (len(whole), len(whole) // 2)):
        copy = folder / f"copy{keep}{flip}"
        shutil.copytree(path, copy)
        torn = bytearray(whole[:keep])
        if flip:
            torn[flip] ^= 0xFF
        (copy / "headrace.db-wal").write_bytes(torn)
        with Server("--no-pipeline", data_dir=copy) as server:
            client = load.Client(server.port)
            status = [client.call("GET", "/box/" + key) for key in sorted(bodies)]
            there = [s == 200 for s, _ in status]
            assert there == sorted(there, reverse=True), "a gap: later writes are there, earlier ones are not"
            assert 0 < sum(there) < 40, sum(there)
            for key, (code, body) in zip(sorted(bodies), status):
                assert code == 404 or load.digest(body) == bodies[key], key


@case
def bodies_that_lost_their_files_are_told_at_the_start_and_repaired_on_request(options, folder):
    d = Directory(folder)
    files = d.files()
    assert len(files) == 4
    files[0].unlink()
    os.truncate(files[1], 70_000)
    with open(files[2], "ab") as file:
        file.write(b"more")
    with d.serve() as server:
        client = load.Client(server.port)
        assert "3 bodies" in server.output() and "headrace doctor --repair" in server.output(), server.output()
        lost = d.never_wrong(client)
        assert len(lost) == 3, lost
        status, answer = client.call("GET", "/box/" + lost[0])
        assert status == 500 and b"InternalError" in answer, (status, answer)
        status, answer = client.call("PUT", "/box/copied", None, {"x-amz-copy-source": "/box/" + lost[0]})
        assert status in (200, 500)
        client.call("DELETE", "/box/copied")
    code, said = d.doctor()
    assert code == 1 and said.count("instead of") == 2 and said.count("is missing") == 1, said
    code, said = d.doctor("--repair")
    assert code == 0 and all(f"s3://box/{key}: its body is lost: removed" in said for key in lost), said
    assert d.doctor()[0] == 0, d.doctor()
    with d.serve() as server:
        client = load.Client(server.port)
        assert "lost" not in server.output()
        assert sorted(d.never_wrong(client)) == sorted(lost)
        assert all(client.call("GET", "/box/" + key)[0] == 404 for key in lost)
        for key in lost:
            d.put(client, key, os.urandom(90_000))
        assert not d.never_wrong(client, lost_allowed=False)


@case
def a_flipped_bit_in_a_small_body_is_an_error_and_repaired_on_request(options, folder):
    d = Directory(folder)
    damaged, rng = bytearray(d.database.read_bytes()), random.Random(5)
    piece = rng.randbytes(3000)[1000:1100]  # of small000
    flipped = piece[:50] + bytes([piece[50] ^ 1]) + piece[51:]
    assert piece in damaged
    d.database.write_bytes(damaged.replace(piece, flipped))  # on free pages, too, where an older copy may lie
    with d.serve() as server:
        client = load.Client(server.port)
        lost = d.never_wrong(client)
        assert lost == ["small000"], lost
        status, answer = client.call("GET", "/box/small000")
        assert status == 500 and b"InternalError" in answer, (status, answer)
    code, said = d.doctor()
    assert code == 1 and "is not what was stored" in said, said
    code, said = d.doctor("--repair")
    assert code == 0 and "s3://box/small000: its body is lost: removed" in said, said
    with d.serve() as server:
        assert d.never_wrong(load.Client(server.port)) == ["small000"]


@case
def files_that_are_not_ours_do_no_harm(options, folder):
    d = Directory(folder)
    (d.path / "blobs/new/7").write_bytes(b"half")
    (d.path / "blobs/00").mkdir(exist_ok=True)
    (d.path / "blobs/00/256").write_bytes(b"no row names it")
    (d.path / "notes.txt").write_text("someone's")
    code, said = d.doctor()
    assert code == 1 and "was never finished" in said and "no body has this file" in said, said
    code, said = d.doctor("--repair")
    assert code == 0, said
    (d.path / "blobs/00/512").write_bytes(b"no row names it")
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port))
    assert not (d.path / "blobs/00/512").exists() and (d.path / "notes.txt").read_text() == "someone's"
    assert d.doctor()[0] == 0


@case
def what_is_no_database_of_ours_is_refused(options, folder):
    d = Directory(folder)
    whole = d.database.read_bytes()
    for content in (b"some text that someone wrote here\n" * 200, os.urandom(20_000)):
        d.database.write_bytes(content)
        d.refused("not a database")
        assert d.database.read_bytes() == content, "a foreign file was changed"
    d.database.unlink()
    with contextlib.closing(sqlite3.connect(d.database)) as db:
        db.executescript("CREATE TABLE other(x); INSERT INTO other VALUES(1)")
    d.refused("another program")
    d.database.write_bytes(whole)
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port))


@case
def a_database_of_a_newer_version_is_refused_and_left_alone(options, folder):
    d = Directory(folder)
    for module in ("blob", "s3", "sqs"):
        with contextlib.closing(sqlite3.connect(d.database)) as db:
            (version,) = db.execute("SELECT version FROM migration WHERE module = ?", (module,)).fetchone()
            db.execute("UPDATE migration SET version = 99 WHERE module = ?", (module,))
            db.commit()
        d.refused("newer version")
        with contextlib.closing(sqlite3.connect(d.database)) as db:
            assert db.execute("SELECT version FROM migration WHERE module = ?", (module,)).fetchone() == (99,)
            db.execute("UPDATE migration SET version = ? WHERE module = ?", (version, module))
            db.commit()
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port))


@case
def a_directory_that_cannot_be_written_is_refused(options, folder):
    d = Directory(folder)
    mounted = os.geteuid() == 0 and subprocess.run(["mount", "--bind", str(d.path), str(d.path)], capture_output=True).returncode == 0
    try:
        if mounted:
            subprocess.run(["mount", "-o", "remount,ro,bind", str(d.path)], check=True)
        else:
            os.chmod(d.path, 0o500)
        if mounted or os.geteuid() != 0:
            d.refused("Read-only file system" if mounted else "Permission denied")
    finally:
        if mounted:
            subprocess.run(["umount", str(d.path)])
        os.chmod(d.path, 0o700)
    (folder / "file").write_text("")
    d.path = folder / "file"
    d.refused("ot a directory")
    code, said = d.doctor()
    assert code == 2 and "is no data directory" in said, said
    d.path = folder / "loop"
    d.path.symlink_to(d.path)
    code, said = d.doctor()
    assert code == 2 and "Too many levels" in said and "no data directory" not in said, said


def refused_writes(client):
    """A write of each kind is told that it failed, and reading of the table goes on."""
    body = os.urandom(90_000)
    assert client.call("PUT", "/box/new-small", b"x")[0] == 500
    assert client.call("PUT", "/box/new-large", body)[0] == 500
    assert client.call("DELETE", "/box/small001")[0] == 500
    assert client.call("POST", "/_headrace/snapshots/gone", "{}")[0] == 500
    assert client.call("GET", "/box/small001")[0] == 200


@case
def a_directory_that_is_moved_away_takes_no_writes_until_it_is_back(options, folder):
    d = Directory(folder)
    for name in ("data", "data/headrace.db", "data/headrace.db-wal"):
        with d.serve() as server:
            client = load.Client(server.port)
            assert client.call("GET", "/box/small000")[0] == 200
            os.rename(folder / name, folder / "elsewhere")
            refused_writes(client)
            assert server.output().count("were removed, moved or replaced") == 1, server.output()
            os.rename(folder / "elsewhere", folder / name)
            d.put(client, "after", os.urandom(90_000))
            d.put(client, "after-small", b"y")
            assert not d.never_wrong(client, lost_allowed=False)
            assert client.call("GET", "/box/new-small")[0] == 404
    with d.serve() as server:
        assert not d.never_wrong(load.Client(server.port), lost_allowed=False)
    assert d.doctor()[0] == 0, d.doctor()


@case
def who_lost_its_directory_touches_nothing_of_the_next_ones(options, folder):
    first = Directory(folder)
    with first.serve() as server:
        client = load.Client(server.port)
        shutil.rmtree(first.path)
        second = Directory(folder)
        with second.serve() as other:
            for key in ("large0", "large1"):  # the same number, as long, and other bytes
                second.put(load.Client(other.port), key, os.urandom(100_000 + int(key[-1])))
            refused_writes(client)
            first.never_wrong(client)
            server.stop()
            assert not second.never_wrong(load.Client(other.port), lost_allowed=False)
            other.kill()
        with second.serve() as other:
            assert not second.never_wrong(load.Client(other.port), lost_allowed=False)


@case
def what_is_due_and_cannot_be_written_is_not_tried_without_rest(options, folder):
    """Neither by the timer, which would fill the log, nor by a move of the clock, which would never end."""
    d = Directory(folder)
    with d.serve() as server:
        client = load.Client(server.port)
        client.sqs("CreateQueue", QueueName="short", Attributes={"MessageRetentionPeriod": "60"})
        client.sqs("SendMessage", QueueUrl="short", MessageBody="old")
        os.rename(folder / "data", folder / "elsewhere")
        began = time.monotonic()
        status, answer = client.call("POST", "/_headrace/clock", '{"advance":"2m"}')
        assert status == 500 and b"the state cannot be written" in answer, (status, answer)
        while time.monotonic() < began + 1.5:
            assert client.call("GET", "/box/small000")[0] == 200
        tries = server.output().count("commit failed")
        assert 1 <= tries <= 3 + time.monotonic() - began, tries
        os.rename(folder / "elsewhere", folder / "data")
        assert client.call("POST", "/_headrace/clock", '{"advance":"1s"}')[0] == 200
        assert client.sqs("ReceiveMessage", QueueUrl="short") == {}


@case
def a_snapshot_that_is_not_what_was_saved_is_refused_and_changes_nothing(options, folder):
    d = Directory(folder)
    rng = random.Random(9)
    with d.serve() as server:
        client = load.Client(server.port)
        assert client.call("POST", "/_headrace/snapshots/good", "{}")[0] == 201
        whole = (d.path / "snapshots/good").read_bytes()
        for what in ("bit", "body", "sum", "page", "end"):
            damaged = bytearray(whole)
            at = {"bit": rng.randrange(100, len(whole)), "body": len(whole) - 2000, "sum": 61}.get(what, 3 * PAGE)
            if what == "page":
                damaged[at:at + PAGE] = bytes(PAGE)
            elif what == "end":
                del damaged[-PAGE:]
            else:
                damaged[at] ^= 1
            (d.path / "snapshots/bad").write_bytes(damaged)
            status, answer = client.call("POST", "/_headrace/snapshots/bad/load", "{}")
            assert status == 409 and b"not what was saved" in answer, (what, status, answer)
            assert not d.never_wrong(client, lost_allowed=False)
        (d.path / "snapshots/bad").write_bytes(whole)
        with contextlib.closing(sqlite3.connect(d.path / "snapshots/bad")) as db:  # as one of an older version: without a sum
            db.execute("PRAGMA user_version = 0")
        for name in ("bad", "good"):
            d.put(client, "later", b"x")
            assert client.call("POST", f"/_headrace/snapshots/{name}/load", "{}")[0] == 200
            assert client.call("GET", "/box/later")[0] == 404
            del d.bodies["later"]
            assert not d.never_wrong(client, lost_allowed=False)


@case
def what_stands_in_the_place_of_a_body_while_it_runs_is_an_error(options, folder):
    d = Directory(folder)
    with d.serve() as server:
        client = load.Client(server.port)
        file = d.files()[0]
        body = file.read_bytes()
        for make in (lambda: None, file.mkdir, lambda: os.mkfifo(file), lambda: file.symlink_to("/etc/passwd"), lambda: file.write_bytes(body[:500])):
            file.unlink()
            make()
            assert len(d.never_wrong(client)) == 1
            if file.is_dir():
                file.rmdir()
            file.unlink(missing_ok=True)
            file.write_bytes(body)
            assert not d.never_wrong(client, lost_allowed=False)


SSEC = {"x-amz-server-side-encryption-customer-algorithm": "AES256", "x-amz-server-side-encryption-customer-key": base64.b64encode(bytes(32)).decode(),
        "x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(hashlib.md5(bytes(32)).digest()).decode()}
ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
PART_BYTES = 5 << 20


def summed(algorithm, body):
    """The header that claims its checksum."""
    raw = {"CRC32": lambda: zlib.crc32(body).to_bytes(4, "big"), "SHA1": hashlib.sha1(body).digest, "SHA256": hashlib.sha256(body).digest}[algorithm]()
    return {"x-amz-checksum-" + algorithm.lower(): base64.b64encode(raw).decode()}


class Everything(Directory):
    """A directory with an object of each kind: a finding on it, when nothing was damaged, is a mistake of the doctor."""

    def __init__(self, folder):
        super().__init__(folder, small=3, messages=3)
        self.random = random.Random(11)
        with self.serve() as server:
            self.client = load.Client(server.port)
            self.objects()
            self.uploads()
            self.versions()
            self.queues()

    def call(self, method, path, body=None, headers=None):
        status, answer = self.client.call(method, path, body, headers)
        assert status in (200, 204), (method, path, status, answer)
        return answer

    def copy(self, key, source, **headers):
        self.call("PUT", "/box/" + key, None, {"x-amz-copy-source": "/box/" + source, **{k.replace("_", "-"): v for k, v in headers.items()}})

    def begin(self, key, headers):
        return re.search(r"<UploadId>([^<]+)", self.call("POST", f"/box/{key}?uploads", None, headers).decode())[1]

    def part(self, key, upload, number, body, headers=None):
        self.call("PUT", f"/box/{key}?partNumber={number}&uploadId={upload}", body, headers)

    def part_copy(self, key, upload, number, source, first, last):
        self.part(key, upload, number, None, {"x-amz-copy-source": "/box/" + source, "x-amz-copy-source-range": f"bytes={first}-{last}"})

    def complete(self, key, upload, headers=None):
        """With all that ListParts says of the parts."""
        parts = re.findall(r"<Part>.*?</Part>", self.call("GET", f"/box/{key}?uploadId={upload}").decode(), re.S)
        kept = [re.sub(r"<(LastModified|Size)>[^<]*</\1>", "", part) for part in parts]
        self.call("POST", f"/box/{key}?uploadId={upload}", "<CompleteMultipartUpload>" + "".join(kept) + "</CompleteMultipartUpload>", headers)

    def upload(self, key, headers=None, part_headers=None, algorithm=None):
        upload = self.begin(key, headers or {})
        for number, size in ((1, PART_BYTES), (3, PART_BYTES + 1), (4, 1000)):
            body = self.random.randbytes(size)
            if algorithm == "CRC32C":  # which nobody here can compute
                self.part_copy(key, upload, number, "parts", 1000 + number, 999 + number + size)
            else:
                self.part(key, upload, number, body, summed(algorithm, body) if algorithm else part_headers)
        self.complete(key, upload, part_headers)

    def objects(self):
        self.put(self.client, "empty", b"")
        for source in ("small000", "large0"):
            for algorithm in ALGORITHMS:
                self.copy(f"{source}-{algorithm}", source, x_amz_checksum_algorithm=algorithm)
            self.copy(source + "-copy", source)
        for size in (100, 200_000):
            body = self.random.randbytes(size)
            self.call("PUT", f"/box/secret{size}", body, SSEC)
            self.call("PUT", f"/box/summed{size}", body, {"x-amz-checksum-sha1": base64.b64encode(hashlib.sha1(body).digest()).decode()})
            self.call("PUT", f"/box/kms{size}", body, {"x-amz-server-side-encryption": "aws:kms"})
            self.call("PUT", f"/box/cold{size}", body, {"x-amz-storage-class": "GLACIER"})

    def uploads(self):
        self.upload("parts")
        self.upload("parts-secret", SSEC, SSEC)
        for algorithm in ALGORITHMS:
            for kind in ("FULL_OBJECT", "COMPOSITE"):
                if (algorithm == "CRC64NVME" and kind == "COMPOSITE") or (algorithm.startswith("SHA") and kind == "FULL_OBJECT"):
                    continue
                self.upload(f"parts-{algorithm}-{kind}", {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind},
                            algorithm=algorithm if kind == "COMPOSITE" else None)
        self.copy("parts-copy", "parts")
        self.copy("parts-copy-copy", "parts-copy", x_amz_checksum_algorithm="SHA256")
        upload = self.begin("joined", {})
        self.part_copy("joined", upload, 1, "parts", 1000, PART_BYTES * 2)
        self.part_copy("joined", upload, 2, "large0", 0, 99_999)
        self.complete("joined", upload)
        self.under_way = self.begin("under-way", {"x-amz-checksum-algorithm": "SHA256"})
        for number, size in ((7, 99_999), (8, 5)):
            body = self.random.randbytes(size)
            self.part("under-way", self.under_way, number, body, summed("SHA256", body))
        self.part_copy("under-way", self.under_way, 9, "parts", 100, PART_BYTES + 100)

    def versions(self):
        self.call("PUT", "/box?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
        self.kept = []
        for size in (50, 80_000, 80_001):
            self.call("PUT", "/box/often", self.random.randbytes(size))
            self.kept.append(self.client.version_id)
        self.call("DELETE", "/box/often")
        self.call("DELETE", "/box/large1")

    def queues(self):
        self.client.sqs("CreateQueue", QueueName="f.fifo", Attributes={"FifoQueue": "true"})
        self.client.sqs("CreateQueue", QueueName="purged")
        for queue in ("q", "purged"):
            for body in ("wörld \U0001f30d", "the big one " + "x" * 100_000, "&<>\"'\t\r\n"):
                self.client.sqs("SendMessage", QueueUrl=queue, MessageBody=body, MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
        self.client.sqs("SendMessage", QueueUrl="q", MessageBody="late", DelaySeconds=900)
        self.client.sqs("SendMessage", QueueUrl="f.fifo", MessageBody="in order", MessageGroupId="g", MessageDeduplicationId="d")
        self.client.sqs("ReceiveMessage", QueueUrl="q", MaxNumberOfMessages=10)
        self.client.sqs("PurgeQueue", QueueUrl="purged")

    def file(self, key, part=None):
        """Where the body of an object or of one of its parts lies."""
        ((number,),) = self.ask("SELECT blob FROM s3_object WHERE key = ?", key) if part is None else self.ask(
            "SELECT s.blob FROM s3_slice s JOIN s3_part p ON p.id = s.part JOIN s3_object o ON o.id = p.object WHERE o.key = ? AND p.number = ?", key, part)
        return self.file_of(number)

    def file_of(self, number):
        return self.path / f"blobs/{number & 255:02x}/{number}"

    def findings(self, *flags):
        """What it says of each thing, but for the summary."""
        code, said = self.doctor(*flags)
        lines = [line for line in said.splitlines() if not re.match(r"database \d|\d+ objects, |nothing is wrong|\d+ findings", line)]
        assert (code == 0) == ("nothing is wrong" in said or "all mended" in said), (code, said)
        return lines


@contextlib.contextmanager
def flipped(file, at):
    """One bit of the file is another while this is open."""
    whole = file.read_bytes()
    file.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1:])
    yield
    file.write_bytes(whole)


@contextlib.contextmanager
def flipped_text(database, text, other):
    whole = database.read_bytes()
    assert text in whole and len(text) == len(other)
    database.write_bytes(whole.replace(text, other))
    yield
    database.write_bytes(whole)


NOT_STORED, NOT_SENT = "its body is not what was stored", "its body is not what was sent"


@case
def a_sound_directory_of_every_kind_of_object_has_no_findings(options, folder):
    d = Everything(folder)
    code, said = d.doctor()
    assert code == 0 and "nothing is wrong" in said and "0 have none" in said, said
    compared = int(re.search(r"(\d+) objects, parts and messages", said)[1])
    (objects,), (parts,), (messages,) = (d.ask(sql)[0] for sql in (
        "SELECT count(*) FROM s3_object WHERE marker = 0 AND (parts = 0 OR etag NOT LIKE '%-%')",
        "SELECT count(*) FROM s3_part p LEFT JOIN s3_object o ON o.id = p.object AND p.object > 0 WHERE o.id IS NULL OR o.etag LIKE '%-%'",
        "SELECT count(*) FROM sqs_message m JOIN sqs_queue q ON q.id = m.id >> 38 WHERE q.name <> 'purged'"))
    assert objects > 30 and parts > 30 and messages == 8 and compared == objects + parts + messages, (compared, objects, parts, messages)


@case
def a_flipped_bit_in_a_large_body_is_told_of_what_it_belongs_to_and_nothing_else(options, folder):
    d = Everything(folder)
    with flipped(d.file("summed200000"), 123_456):
        assert d.findings() == [f"s3://box/summed200000: {NOT_STORED}"], d.findings()
    with flipped(d.file("secret200000"), 0):
        assert d.findings() == [f"s3://box/secret200000: {NOT_STORED}"], d.findings()
    with flipped(d.file("parts-secret", 3), PART_BYTES):
        assert d.findings() == [f"s3://box/parts-secret, part 3: {NOT_STORED}"], d.findings()
    with flipped(d.file("parts-SHA256-COMPOSITE", 1), 77):
        assert d.findings() == [f"s3://box/parts-SHA256-COMPOSITE, part 1: {NOT_STORED}"], d.findings()
    with flipped(d.file("parts", 1), 500):  # the copies have all of it, what was joined and the part under way only what follows
        assert sorted(d.findings()) == [f"part 9 of upload {d.under_way} of s3://box/under-way: {NOT_STORED}", f"s3://box/parts, part 1: {NOT_STORED}",
                                        f"s3://box/parts-copy-copy: {NOT_STORED}", f"s3://box/parts-copy: {NOT_STORED}"], d.findings()
    ((number,),) = d.ask("SELECT blob FROM s3_object WHERE version = ?", d.kept[1])
    with flipped(d.file_of(number), 79_999):
        assert d.findings() == [f"s3://box/often, version {d.kept[1]}: {NOT_STORED}"], d.findings()
    ((number,),) = d.ask("SELECT s.blob FROM s3_slice s JOIN s3_part p ON p.id = s.part WHERE p.upload > 0 AND p.number = 7")
    with flipped(d.file_of(number), 1):
        assert d.findings() == [f"part 7 of upload {d.under_way} of s3://box/under-way: {NOT_STORED}"], d.findings()
    assert d.findings() == []


@case
def a_flipped_bit_in_a_large_body_is_never_served(options, folder):
    d = Everything(folder)
    keys = ["summed200000", "parts", "joined", "parts-copy", "parts-SHA256-COMPOSITE", "kms200000"]

    def got(client):
        """Keys that cannot be read."""
        status = {key: client.call("GET", "/box/" + key) for key in keys}
        assert all(s == 200 or b"InternalError" in body for s, body in status.values()), status
        return [key for key in keys if status[key][0] != 200]

    with flipped(d.file("summed200000"), 123_456), flipped(d.file("parts", 1), 500):
        with d.serve() as server:
            client = load.Client(server.port)
            assert client.call("GET", "/box/summed200000", None, {"Range": "bytes=0-9"})[0] == 500
            assert client.call("HEAD", "/box/summed200000")[0] == 200
            whole = client.call("GET", "/box/parts-CRC32-COMPOSITE")
            assert whole[0] == 200 and whole == client.call("GET", "/box/parts-CRC32-COMPOSITE")
            status, answer = client.call("GET", "/box/parts?partNumber=3")
            assert status == 206, (status, answer[:300])
            assert got(client) == ["summed200000", "parts", "joined", "parts-copy"]
    file = d.file("summed200000")
    with d.serve() as server:
        client = load.Client(server.port)
        assert got(client) == []
        with flipped(file, 7):  # it was read already, and is looked at again since it was touched
            assert got(client) == ["summed200000"]
        assert got(client) == []
        assert client.call("PUT", "/box/fresh", b"x" * 300_000)[0] == 200
        fresh = max((path for path in d.path.glob("blobs/*/*") if path.name.isdecimal()), key=lambda path: int(path.name))
        with flipped(fresh, 299_999):
            assert client.call("GET", "/box/fresh")[0] == 500
        assert client.call("GET", "/box/fresh") == (200, b"x" * 300_000)


@case
def a_large_body_that_is_damaged_is_taken_away_on_request_and_what_is_sound_stays(options, folder):
    d = Everything(folder)
    file = d.file("parts", 1)
    damaged = bytearray(file.read_bytes())
    damaged[500] ^= 4
    file.write_bytes(damaged)
    said = d.findings("--repair")
    gone = [f"part 9 of upload {d.under_way} of s3://box/under-way", *("s3://box/" + key for key in ("parts", "parts-copy", "parts-copy-copy"))]
    assert sorted(said[-4:]) == sorted(what + ": its body is damaged: removed" for what in gone), said
    assert d.doctor()[0] == 0, d.doctor()
    with d.serve() as server:
        client = load.Client(server.port)
        assert client.call("GET", "/box/parts")[0] == 404
        assert client.call("GET", "/box/joined")[0] == 200, "it has the damaged file, but not the damaged bytes"
        assert d.never_wrong(client) == ["large1"]


@case
def a_flipped_bit_in_a_small_body_a_message_or_a_row_is_told(options, folder):
    d = Everything(folder)
    piece = random.Random(5).randbytes(3000)[1000:1100]  # of small000
    with flipped_text(d.database, piece, piece[:50] + bytes([piece[50] ^ 1]) + piece[51:]):
        store, *names = d.findings()
        assert re.fullmatch(r"body \d+: is not what was stored", store), store
        keys = ["small000", "small000-copy", *("small000-" + algorithm for algorithm in ALGORITHMS)]
        assert sorted(names) == sorted(f"  s3://box/{key}: its body cannot be read" for key in keys), names
    for text, line in ((b"checksum_kind", "the table s3_object is not what it should be"), (b"message_id BLOB", "the table sqs_message is not what it should be"),
                       (b"sum INTEGER", "the table blob is not what it should be")):
        with flipped_text(d.database, text, text.replace(b"m", b"l")):
            code, said = d.doctor("--repair")
            assert code == 1 and line in said, (text, said)
    for text, other in ((b"message 1", b"message 3"), (b"the big one ", b"the bug one "), (b"in order", b"in ordes")):
        with flipped_text(d.database, text, other):
            (line,) = d.findings()
            queue = "f.fifo" if text == b"in order" else "q"
            assert re.fullmatch(rf"message [0-9a-f-]{{36}} of queue {queue} \(account 0+, us-east-1\): {NOT_SENT}", line), line
    whole = d.database.read_bytes()
    for sql, finding in (("UPDATE s3_object SET etag = '0' || substr(etag, 2) WHERE key = 'cold100'", "its ETag is not that of its body"),
                         ("UPDATE s3_object SET etag = '00000000000000000000000000000000-3' WHERE key = 'parts'", "its ETag is not that of its body"),
                         ("UPDATE s3_object SET checksum = 'AAAAAAAAAAA=' WHERE key = 'parts'", "its checksum is not that of its body"),
                         ("UPDATE s3_object SET checksum = 'AAAAAAAAAAA=' WHERE key = 'cold100'", "its checksum is not that of its body"),
                         ("UPDATE s3_object SET size = size + 1 WHERE key = 'parts'", "its size is not that of its body"),
                         ("UPDATE s3_object SET size = size + 1 WHERE key = 'empty'", "its size is not that of its body")):
        d.ask(sql)
        key = re.search(r"key = '(.*)'", sql)[1]
        assert d.findings() == [f"s3://box/{key}: {finding}"], (sql, d.findings())
        assert d.doctor("--repair")[0] == 1, "the body is sound: nothing is to be removed"
        d.database.write_bytes(whole)
    assert d.findings() == []


@case
def a_damaged_message_is_taken_away_on_request(options, folder):
    d = Directory(folder, messages=5)
    with flipped_text(d.database, b"message 3", b"message 7"):
        code, said = d.doctor("--repair")
        assert code == 0 and NOT_SENT in said and "1 damaged messages: removed" in said, said
        with d.serve() as server:
            client = load.Client(server.port)
            got = client.sqs("ReceiveMessage", QueueUrl="q", MaxNumberOfMessages=10)["Messages"]
            assert sorted(m["Body"] for m in got) == ["message 0", "message 1", "message 2", "message 4"], got
        assert d.doctor()[0] == 0, d.doctor()


@case
def a_body_that_is_cut_while_it_is_sent_ends_its_connection(options, folder):
    """sendfile at the file's end looks like a full socket to the server's library, which would wait for ever."""
    d = Directory(folder, small=1, messages=1)
    size = 24 << 20
    with d.serve() as server:
        assert load.Client(server.port).call("PUT", "/box/huge", bytes(size))[0] == 200
        file = max(d.files(), key=lambda p: p.stat().st_size)
        reader = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        reader.connect()
        reader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        reader.request("GET", "/box/huge")
        answer = reader.getresponse()
        os.truncate(file, size - 1_000_000)
        try:
            answer.read()
            raise AssertionError("a cut body was whole")
        except (http.client.IncompleteRead, ConnectionResetError):
            pass
        assert "became shorter" in server.output()
        assert "huge" not in d.bodies and not d.never_wrong(load.Client(server.port), lost_allowed=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="*", help="only cases whose name contains this")
    options = parser.parse_args()
    return run_cases(CASES, options, "damage")


if __name__ == "__main__":
    sys.exit(main())
