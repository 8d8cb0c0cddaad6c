"""Starting and stopping a Headrace for tests in Python: used by tests/sdk, wire, crash, s3tests and bench.

Nothing here sleeps to be on the safe side: a server has started when its port file is there and answers, it has stopped
when its process has ended."""
import http.client
import json
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = os.environ.get("HEADRACE_BIN", str(ROOT / "build/headrace"))
START_LIMIT = 60  # seconds; a sanitizer build on a busy machine is slow
SANITIZER_MARKS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer",
                   "Invalid read of size", "Invalid write of size", "uninitialised value", "are definitely lost")


def pause(seconds):
    """Waits between two looks at something that has no event to wait for."""
    select.select([], [], [], seconds)


def wait_for_port(process, port_file):
    """The port a starting server has written, once it answers its health check."""
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"headrace ended with {process.returncode} while starting")
        text = pathlib.Path(port_file).read_text().strip() if pathlib.Path(port_file).exists() else ""
        if text:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", int(text), timeout=5)
                connection.request("GET", "/_headrace/ready")
                if connection.getresponse().status == 200:
                    return int(text)
            except OSError:
                pass
        pause(0.005)
    raise RuntimeError("headrace did not start in time")


class Server:
    """One Headrace process. `with Server("--no-pipeline") as server:` starts it on a free port and stops it."""

    def __init__(self, *flags, data_dir=None, port=0, binary=None, env=None):
        self.folder = tempfile.TemporaryDirectory(prefix="headrace-test-")
        base = pathlib.Path(self.folder.name)
        self.log_path = base / "log"
        self.port_file = base / "port"
        # TEST_WRAPPER: a program with its flags to run it under, such as valgrind.
        self.flags = [*os.environ.get("TEST_WRAPPER", "").split(), binary or BINARY, "serve", "--port", str(port), "--port-file", str(self.port_file), *flags]
        self.flags += ["--data-dir", str(data_dir)] if data_dir else ["--ephemeral"]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_"))}
        self.env = {**clean, **(env or {})}
        self.process = None

    def start(self):
        self.port_file.unlink(missing_ok=True)
        self.ending = False
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(self.flags, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=self.env)
        try:
            self.port = wait_for_port(self.process, self.port_file)
        except RuntimeError as error:
            self.kill()
            raise RuntimeError(f"{error}:\n{self.output()}") from None
        self.endpoint = f"http://127.0.0.1:{self.port}"
        return self

    def kill(self):
        """As a crash: no warning, no clean-up."""
        self.ending = True
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def terminate(self):
        """Asks it to end, and does not wait."""
        self.ending = True
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """As an operator: SIGTERM, and the exit code must be 0."""
        if self.process and self.process.poll() is not None and not self.ending:
            raise AssertionError(f"headrace ended by itself with {self.process.returncode}:\n{self.output()[-4000:]}")
        if self.process and self.process.poll() is None:
            self.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError("headrace did not stop within 60 s of SIGTERM") from None
        self.check_log()
        if self.process and self.process.returncode not in (0, -signal.SIGKILL):
            raise AssertionError(f"headrace ended with {self.process.returncode}:\n{self.output()[-4000:]}")

    def output(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def check_log(self):
        """No sanitizer may have spoken, not even in a process that was killed later."""
        text = self.output()
        for mark in SANITIZER_MARKS:
            if mark in text:
                raise AssertionError(f"sanitizer report in the server's log:\n{text[max(0, text.index(mark) - 200):][:8000]}")

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.stop()
            else:
                self.kill()
        finally:
            self.folder.cleanup()

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def json(self, method, path, body=None):
        """An admin call: status and decoded JSON."""
        connection = self.connect()
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None
