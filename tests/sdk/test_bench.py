"""The benchmark itself: that its load generator sees a wrong answer, and that a short run measures, judges and reports."""
import json
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import threading

import pytest
from conftest import SQS_IS_JSON

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/headrace")).resolve().parent
sys.path.insert(0, str(ROOT / "tests/bench"))
os.environ.setdefault("HEADRACE_BIN", str(BUILD / "headrace"))
import frames  # noqa: E402
import goals  # noqa: E402
import peers  # noqa: E402
import plot  # noqa: E402

pytestmark = pytest.mark.skipif(not SQS_IS_JSON, reason="the benchmark does not depend on the SDK; once is enough")
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def answered_with(*answers):
    """A server on one connection at a time: each request gets the next answer, and then the first again. Its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        number = 0
        while True:
            link, _ = listener.accept()
            with link:
                while link.recv(65536):
                    link.sendall(answers[number % len(answers)])
                    number += 1

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def load(tmp_path, port, frame, limit=4):
    (tmp_path / "requests").write_bytes(frame)
    done = subprocess.run([str(BUILD / "hrload"), str(port), str(tmp_path / "requests"), "1", "20", str(limit)], capture_output=True, text=True)
    return json.loads(done.stdout)


def plain(body, status="200 OK"):
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def test_a_wrong_body_is_counted(tmp_path):
    port = answered_with(plain(b"right"), plain(b"wrong"), plain(b"right!"), plain(b"right"))
    got = load(tmp_path, port, frames.frame(GET, frames.BODY, b"right"))
    assert (got["done"], got["wrong"], got["errors"]) == (4, 2, 0)


def test_a_needle_must_be_there_often_enough_and_may_lie_across_chunks(tmp_path):
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<Ke\r\n7\r\ny><Key>\r\n0\r\n\r\n"
    port = answered_with(chunked, plain(b"<Key>"))
    got = load(tmp_path, port, frames.frame(GET, 2, "<Key>"))
    assert (got["done"], got["wrong"]) == (4, 2)


def test_a_long_body_must_have_its_length(tmp_path):
    port = answered_with(plain(b"x" * (3 << 20)), plain(b"x" * ((3 << 20) - 1)))
    got = load(tmp_path, port, frames.frame(GET, frames.LENGTH, str(3 << 20)))
    assert (got["done"], got["wrong"]) == (4, 2)


def test_statuses_and_broken_connections_are_errors(tmp_path):
    port = answered_with(plain(b"", "503 Slow Down"), plain(b"x"))
    got = load(tmp_path, port, frames.frame(GET))
    assert (got["done"], got["errors"], got["first_bad"]) == (4, 2, 503)


def test_a_short_run_measures_and_reports(tmp_path):
    environment = {**os.environ, "HEADRACE_BIN": str(BUILD / "headrace"), "HRLOAD": str(BUILD / "hrload")}
    done = subprocess.run([sys.executable, str(ROOT / "tests/bench/bench.py"), "--quick", "--servers", "headrace,headrace --durability power,nothing,stack",
                           "--only", "send,pair,large,wake,pipeline", "--files", "50", "--json", str(tmp_path / "json")],
                          env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "json").read_text())
    assert not results["failed"] and not results["deaths"]
    for cell in ("send-1", "send-64", "batch-64", "pair-1", "pair-64", "large-put-1", "large-get-1"):
        for name, entries in results["cells"][cell].items():
            assert all(e["rate"] > 0 and e["cpu"] > 0 and not e["wrong"] and not e["errors"] for e in entries), (cell, name, entries)
    assert "stack" in results["cells"]["pair-64"] and "stack" not in results["servers"]
    for heading in ("### Servers", "### Goals", "### The ceiling", "### Where Headrace loses", "### The built-in pipeline", "#### SQS SendMessage 300 B, 64 connections"):
        assert heading in done.stdout


@pytest.fixture
def stack(tmp_path):
    """The least server of libmicrohttpd and SQLite, and the folder of its rows."""
    target = next(t for t in peers.TARGETS if t.name == peers.STACK)
    target.start(tmp_path / "stack")
    yield target, tmp_path / "stack/rows/headrace.db"
    target.stop()


def test_what_the_stack_answered_is_committed(stack, tmp_path):
    """As many rows as answers, each with what was sent, though nothing but kill -9 ends it."""
    target, path = stack
    link = frames.Link(target)
    url = link.queue("q")
    link.bucket("bucket")
    body = "x" * 300
    sends = [frames.frame(link.make.sqs("SendMessage", QueueUrl=url, MessageBody=body), 1, frames.md5(body))]
    tens = [frames.frame(link.make.sqs("SendMessageBatch", QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": body} for i in range(10)]), 10, frames.md5(body))]
    puts = [frames.frame(link.make.put(f"/bucket/k{i}", b"%04d" % i * 1024)) for i in range(50)]
    gets = [frames.frame(link.make.get(f"/bucket/k{i}"), frames.BODY, b"%04d" % i * 1024) for i in range(50)]

    def answered(requests, limit, follow=None):
        (tmp_path / "requests").write_bytes(b"".join(requests))
        command = [str(BUILD / "hrload"), str(target.port), str(tmp_path / "requests"), "8", "20", str(limit)]
        if follow:
            (tmp_path / "follow").write_bytes(frames.frame(follow))
            command.append(str(tmp_path / "follow"))
        got = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
        assert not got["errors"] and not got["wrong"]
        return got["done"]

    sent = answered(sends, 500) + 10 * answered(tens, 50)
    deleted = answered([frames.frame(link.make.sqs("ReceiveMessage", QueueUrl=url), 1, frames.md5(body))], 300, link.make.delete_message(url))
    assert (sent, deleted, answered(puts, 100), answered(gets, 100)) == (1000, 300, 100, 100)
    target.stop()
    with sqlite3.connect(path) as rows:
        assert rows.execute("SELECT count(*), min(id), total(received) FROM message").fetchone() == (700, 301, 0)
        assert rows.execute("SELECT count(*) FROM message WHERE instr(body, 'x') AND id <= 500").fetchone() == (200,)
        assert sorted(body for body, in rows.execute("SELECT body FROM object")) == [b"%04d" % i * 1024 for i in range(50)]


@pytest.mark.parametrize("nothing, stack, said", [
    (90, 60, "**out of reach**; libmicrohttpd and SQLite alone reach 6.00 x, a server that does nothing 9.00 x"),
    (130, 90, "**out of the stack's reach**; libmicrohttpd and SQLite alone reach 9.00 x, a server that does nothing 13.0 x"),
    (130, 110, "libmicrohttpd and SQLite alone reach 11.0 x, a server that does nothing 13.0 x"),
])
def test_a_missed_ratio_says_what_could_be_reached(nothing, stack, said):
    rates = {"headrace": 50, "peer": 10, "nothing": nothing, "stack": stack}
    results = {"cells": {"send-64": {name: [{"rate": rate}] for name, rate in rates.items()}}, "start": {}, "idle": {},
               "servers": {"headrace": {}, "peer": {}}}
    rows = list(goals.goal_rows(results, {"send-64": ("SQS SendMessage", "send", "/s")}))
    assert rows[-1] == ("SQS SendMessage: against the best peer", "at least 10 x", "5.00 x peer", f"**missed** by 50 %; {said}")


def test_a_plot_has_a_point_for_each_size():
    drawn = plot.panels([("one", {"a": [1, 10, 100], "b": [5, 5, 5]})], [10, 100, 1000], "up", "right")
    assert drawn.count("<circle") == 6 and drawn.count("<polyline") == 2 and drawn.rstrip().endswith("</svg>")
