"""Headrace as a process among others: odd options, files that are not what they should be, standard files that are closed or never
read, strangers on the port it asks."""
import contextlib
import fcntl
import os
import resource
import socket
import subprocess
import threading
import time
from http.client import HTTPConnection

import pytest

from harness import BINARY, Server, pause

CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_", "NO_COLOR"))}
F_SETPIPE_SZ = 1031


def run(*words, env=None, **more):
    return subprocess.run([BINARY, *words], capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=60,
                          env={**CLEAN, **(env or {})}, **more)


# ---- options ----

@pytest.mark.parametrize("words, says", [
    (["--data-dir", ""], "--data-dir: empty"), (["--port-file="], "--port-file: empty"), (["--host", ""], "--host: empty"),
    (["--allow-host", " "], "--allow-host: empty"), (["--keys="], "--keys: empty"),
    (["--region", "eu; touch x"], "--region"), (["--region", "a/b"], "--region"), (["--host", "a b"], "--host"),
    (["--dropzone", "one", "--processed", "one", "--prefix=", "--suffix=.json"], "--dropzone and --processed are both one"),
    (["--dropzone", "one", "--processed", "one", "--output-prefix", "incoming/x/", "--suffix="], "would be jobs again"),
    (["--config", "/"], "a directory"), (["--keys", "/"], "a directory"), (["--port-file", "/nonexistent/p"], "No such file"),
    (["--jobs-queue", "q", "--ingest-queue", "q"], "each needs a queue of its own"), (["--dead-letter-queue", "jobs-queue"], "both jobs-queue"),
    (["--port", "a\nb"], "a?b"), (["--prot\033[2J", "1"], "--prot?[2J"),
])
def test_an_option_that_cannot_be_meant_is_refused_in_one_line(words, says, tmp_path):
    done = run("serve", "--ephemeral", "--port", "0", *words, cwd=tmp_path)
    assert done.returncode == 2 and not done.stdout, done
    lines = [line for line in done.stderr.splitlines() if line.startswith("headrace: ")]
    assert len(lines) == 1 and says in lines[0] and "\033" not in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())


def test_keys_and_hosts_of_a_file_are_looked_at(tmp_path):
    key = '{"accessKeyId":"A","secretAccessKey":"b","account":"111122223333"}'
    (tmp_path / "keys").write_text('{"keys":[%s,%s]}' % (key, key))
    assert 'key "A" is there twice' in run("--ephemeral", "--port", "0", "--keys", str(tmp_path / "keys")).stderr
    (tmp_path / "config").write_text('{"allowHosts":["a.example",null]}')
    assert "allowHosts: empty" in run("--ephemeral", "--port", "0", "--config", str(tmp_path / "config")).stderr


@pytest.mark.parametrize("wrong, right", [("HEADRACE_PROT", "HEADRACE_PORT"), ("HEADRACE_DATADIR", "HEADRACE_DATA_DIR"), ("HEADRACE_WORKRES", "HEADRACE_WORKERS")])
def test_a_mistyped_variable_is_warned_about(wrong, right):
    with Server("--no-pipeline", env={wrong: "1"}) as server:
        assert f"{wrong} is not known; {right} is" in server.output()


def test_what_a_shell_evaluates_is_plain():
    for words, env in ((["--region", "$(id)"], {}), (["--host", "`id`"], {}), ([], {"AWS_REGION": "x;id"}), ([], {"HEADRACE_HOST": "x|id"})):
        done = run("env", *words, env=env)
        assert done.returncode == 2 and not done.stdout, done


# ---- standard files ----

@pytest.mark.parametrize("closed", [(1,), (2,), (0, 1, 2)])
def test_closed_standard_files_are_not_taken_by_others(tmp_path, closed):
    """The database or a body as descriptor 2 would get the log; libuv ends the process over one."""
    port_file = tmp_path / "port"
    process = subprocess.Popen([BINARY, "serve", "--port", "0", "--data-dir", str(tmp_path / "data"), "--port-file", str(port_file)], env=CLEAN,
                               preexec_fn=lambda: [os.close(fd) for fd in closed])
    assert run("wait", env={"HEADRACE_PORT": str(wait_for(port_file, process))}).returncode == 0
    for fd in closed:
        assert os.readlink(f"/proc/{process.pid}/fd/{fd}") == "/dev/null"
    process.terminate()
    assert process.wait(60) == 0


def wait_for(port_file, process):
    while not port_file.exists():
        assert process.poll() is None
        pause(0.005)
    return int(port_file.read_text())


def test_output_that_cannot_be_written_is_a_failure():
    for command in ("ops", "help", "version"):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, command], stdout=full, stderr=subprocess.PIPE, text=True, env=CLEAN, timeout=60)
        assert done.returncode == 1 and "No space left" in done.stderr, done


def test_pipes_that_nobody_reads_do_not_stop_it(tmp_path):
    """subprocess.PIPE without a reader: each upload says three lines on stdout."""
    port_file = tmp_path / "port"
    process = subprocess.Popen([BINARY, "serve", "--port", "0", "--ephemeral", "--port-file", str(port_file)], env=CLEAN,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        fcntl.fcntl(process.stdout, F_SETPIPE_SZ, 4096)
        port = wait_for(port_file, process)
        client = HTTPConnection("127.0.0.1", port, timeout=30)
        for n in range(40):
            client.request("PUT", f"/dropzone/incoming/{n}.txt", b"hello world")
            answer = client.getresponse()
            assert answer.status == 200 and answer.read() == b""
        process.terminate()
        assert process.wait(60) == 0
        lines = process.stdout.read().splitlines()
        assert lines and all(line.startswith(b'{"action"') and line.endswith(b"}") for line in lines), "a line was cut"
    finally:
        process.kill()
        process.communicate()


def full_pipe():
    """Both ends of a pipe that takes no byte more."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(4096))
    os.set_blocking(writer, True)
    return reader, writer


def test_a_pipe_that_is_full_before_the_start_does_not_stop_it(tmp_path):
    reader, writer = full_pipe()
    port_file = tmp_path / "port"
    process = subprocess.Popen([BINARY, "serve", "--port", "0", "--ephemeral", "--port-file", str(port_file)], env=CLEAN,
                               stdin=subprocess.DEVNULL, stdout=writer, stderr=writer)
    try:
        port = wait_for(port_file, process)
        assert run("wait", env={"HEADRACE_PORT": str(port)}).returncode == 0
        process.terminate()
        assert process.wait(60) == 0
        assert subprocess.run([BINARY, "serve", "--port", "none"], env=CLEAN, stderr=writer, timeout=60).returncode == 2
    finally:
        process.kill()
        process.wait()
        os.close(reader)
        os.close(writer)


# ---- limits ----

@pytest.mark.parametrize("limit, soft, says", [
    (resource.RLIMIT_FSIZE, 0, "File too large"), (resource.RLIMIT_FSIZE, 8192, "File too large"), *((resource.RLIMIT_NOFILE, n, "(ulimit -n)") for n in (5, 8, 12, 14, 15)),
    (resource.RLIMIT_STACK, 1 << 47, "cannot start 4 threads"),
])
def test_a_limit_that_is_too_low_to_start_is_told_in_one_line(limit, soft, says, tmp_path):
    hard = resource.getrlimit(limit)[1]
    if limit == resource.RLIMIT_STACK and hard != resource.RLIM_INFINITY:
        pytest.skip("this system allows no stacks of any size")
    most = hard if limit == resource.RLIMIT_STACK else soft
    done = run("serve", "--port", "0", "--no-pipeline", "--data-dir", str(tmp_path / "data"), preexec_fn=lambda: resource.setrlimit(limit, (soft, most)))
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1, done


def test_a_file_that_may_not_grow_is_a_full_disk(tmp_path):
    port_file = tmp_path / "port"
    process = subprocess.Popen([BINARY, "serve", "--port", "0", "--no-pipeline", "--data-dir", str(tmp_path / "data"), "--port-file", str(port_file)],
                               env=CLEAN, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)))
    try:
        client = HTTPConnection("127.0.0.1", wait_for(port_file, process), timeout=60)

        def put(path, body):
            client.request("PUT", path, body)
            answer = client.getresponse()
            answer.read()
            return answer.status
        assert put("/box", b"") == 200
        assert put("/box/large", bytes(2 << 20)) in (500, 503)
        assert put("/box/small", b"x") == 200
        statuses = {put(f"/box/{n}", os.urandom(20_000)) for n in range(80)}
        assert statuses <= {200, 500, 503} and len(statuses) > 1, statuses
        process.terminate()
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()


# ---- strangers on the port ----

@contextlib.contextmanager
def stranger(answer, hold=False):
    """Somebody who answers every connection with these bytes. Its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    held = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.recv(65536)
                connection.sendall(answer)
                held.append(connection) if hold else connection.close()
    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in held:
            connection.close()


OF_OTHERS = {
    "fine": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "answers 200, not as a Headrace does"),
    "missing": (b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", "answers 404, not as a Headrace does"),
    "not HTTP": (b"SSH-2.0-OpenSSH_9\r\n\r\n", "answers, but not in HTTP"),
    "silence": (b"", "closed the connection without an answer"),
    "cut": (b"HTTP/1.1 200 OK\r\nServer: Headrace\r\nContent-Length: 1000\r\n\r\n{", "broke off in the middle of its answer"),
}


@pytest.mark.parametrize("what", OF_OTHERS)
def test_an_answer_that_is_no_headraces_or_not_whole_is_no_success(what, tmp_path):
    answer, says = OF_OTHERS[what]
    file = tmp_path / "state.snapshot"
    with stranger(answer) as url:
        for words in ("status", "reset", "clock advance 1h", "wait --timeout 0", f"snapshot save {file}", "trace --follow"):
            if (what, words) == ("cut", "trace --follow"):
                continue  # a stream ends when it ends
            done = run(*words.split(), env={"AWS_ENDPOINT_URL": url})
            assert done.returncode == 1 and not done.stdout, (words, done)
            assert says in done.stderr and url in done.stderr and done.stderr.count("\n") == 1, (words, done)
    assert not file.exists()


def test_a_kept_connection_and_a_silent_server_are_not_waited_for():
    with stranger(b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope\n", hold=True) as url:
        assert run("status", env={"AWS_ENDPOINT_URL": url}).stderr == "headrace: nope\n"
    with stranger(b"", hold=True) as url:
        began = time.monotonic()
        done = run("wait", "--timeout", "1", env={"AWS_ENDPOINT_URL": url})
        assert done.returncode == 1 and "does not answer in time" in done.stderr, done
        assert time.monotonic() - began < 30


@pytest.mark.parametrize("url", ["http://127.0.0.1:99999", "http://127.0.0.1:abc", "http://127.0.0.1:0", "http://", "http://[::1", "https://127.0.0.1"])
def test_an_endpoint_that_is_none_is_told(url):
    done = run("status", "--endpoint-url", url)
    assert done.returncode == 1 and "is not an http:// URL of a server" in done.stderr, done
