"""The benchmark itself: that its load generator sees a wrong answer, and that a short run measures, judges and reports."""
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading

import pytest
from conftest import SQS_IS_JSON

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/headrace")).resolve().parent
sys.path.insert(0, str(ROOT / "tests/bench"))
import frames  # noqa: E402
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
    done = subprocess.run([sys.executable, str(ROOT / "tests/bench/bench.py"), "--quick", "--servers", "headrace,headrace --durability power",
                           "--only", "send,pair,large,wake,pipeline", "--files", "50", "--json", str(tmp_path / "json")],
                          env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "json").read_text())
    assert not results["failed"] and not results["deaths"]
    for cell in ("send-1", "send-64", "batch-64", "pair-1", "pair-64", "large-put-1", "large-get-1"):
        for name, entries in results["cells"][cell].items():
            assert all(e["rate"] > 0 and e["cpu"] > 0 and not e["wrong"] and not e["errors"] for e in entries), (cell, name, entries)
    for heading in ("### Servers", "### Goals", "### Where Headrace loses", "### The built-in pipeline", "#### SQS SendMessage 300 B, 64 connections"):
        assert heading in done.stdout


def test_a_plot_has_a_point_for_each_size():
    drawn = plot.panels([("one", {"a": [1, 10, 100], "b": [5, 5, 5]})], [10, 100, 1000], "up", "right")
    assert drawn.count("<circle") == 6 and drawn.count("<polyline") == 2 and drawn.rstrip().endswith("</svg>")
