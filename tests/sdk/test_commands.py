"""`headrace COMMAND` as somebody meets it who has not read anything: help, mistakes, exit codes, JSON, colours."""
import fcntl
import http.server
import json
import os
import pathlib
import re
import struct
import subprocess
import termios
import threading

import pytest

from harness import BINARY, Server

COMMANDS = re.findall(r"^  ([a-z]+)\b", subprocess.run([BINARY, "--help"], capture_output=True, text=True)
                      .stdout.split("options of serve:")[0], re.M)
ASKING = ["status", "trace x", "clock", "fault", "snapshot", "reset", "leaks 111122223333", "cost", "lint"]


@pytest.fixture(scope="module")
def server():
    with Server("--no-pipeline") as one:
        yield one


def run(*words, env=None, cwd=None):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_", "NO_COLOR"))}
    return subprocess.run([BINARY, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                          env={**clean, **(env or {})}, cwd=cwd)


def ask(server, *words, code=0):
    done = run(*words, env={"HEADRACE_PORT": str(server.port)})
    assert done.returncode == code, (words, done)
    assert (done.stdout if code == 0 else done.stderr), done
    return done.stdout if code == 0 else done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_of_its_own(command):
    texts = [run(command, "--help"), run("help", command), run(command, "-h")]
    assert {done.returncode for done in texts} == {0}
    assert len({done.stdout for done in texts}) == 1 and not texts[0].stderr
    shown = texts[0].stdout
    assert shown.startswith(f"usage: headrace {'[serve]' if command == 'serve' else command}")
    assert max(map(len, shown.splitlines())) <= 100
    assert re.search(r"^ \S|\t| $", shown, re.M) is None


@pytest.mark.parametrize("words, says", [
    (["satus"], "did you mean status?"), (["frobnicate"], "headrace --help"), (["help", "nosuch"], "unknown command nosuch"),
    (["--prot", "1"], "did you mean --port?"), (["--port"], "--port needs a value (N)"), (["--port="], "--port: nothing is not a number"), (["--auth", ""], "--auth: nothing is none of off"), (["--port", "99999"], "0 to 65535"),
    (["--auth", "maybe"], "off|verify|enforce"), (["--color", "pink"], "auto, always, never"), (["--account", "12"], "12 digits"),
    (["--config", "/nonexistent"], "No such file"), (["--keys", "/nonexistent", "--ephemeral"], "No such file"),
    (["--clock", "frozen=yesterday"], "frozen=TIME"), (["version", "x"], "usage: headrace version"), (["env", "--port", "0"], "--port 0"),
    (["demo", "x"], "usage: headrace demo"), (["ops", "--yaml"], "--json|--markdown"), (["wait", "--timeout", "soon"], "soon"),
    (["clock", "advance"], "advance LENGTH"), (["fault", "add"], "add RULE"), (["snapshot", "save"], "save NAME|FILE"),
    (["trace"], "s3://BUCKET/KEY"), (["leaks"], "leaks ACCOUNT"), (["doctor", "--data-dir", "/nonexistent"], "/nonexistent"),
    (["status", "--bogus"], "status --bogus: no such option; usage: headrace status"), (["status", "now"], "status now: no use for this"),
    (["cost", "--watch"], "no such option"), (["status", "--follow"], "no such option"), (["snapshot", "list", "--watch"], "no such option"),
    (["wait", "--timeout"], "needs a value"), (["snapshot", "--endpoint-url"], "needs a value"), (["fault", "lst"], "fault lst: no use for this"),
    (["clock", "foo"], "clock foo: no use for this"), (["leaks", "1", "2"], "leaks 2: no use for this"),
    (["--data-dir", "/etc/passwd"], "not a directory"), (["--host", "1.2.3.4", "--ephemeral"], "1.2.3.4"),
])
def test_a_mistake_is_one_line_that_helps(words, says):
    done = run(*words)
    assert done.returncode == 2 and not done.stdout, done
    assert done.stderr.startswith("headrace: ") and done.stderr.count("\n") == 1 and says in done.stderr, done.stderr
    assert "line -1" not in done.stderr and ":-1" not in done.stderr


@pytest.mark.parametrize("words", ASKING)
def test_without_an_emulator_it_says_where_it_looked(words):
    done = run(*words.split(), env={"HEADRACE_PORT": "1"})
    assert done.returncode == 1 and not done.stdout
    assert "http://127.0.0.1:1" in done.stderr and "is it running?" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("words, says", [
    ("clock advance yesterday", "advance wants a length such as 90s"), ("clock advance -5s", "advance wants a length"),
    ("clock advance 99999999999h", "beyond the year 9999"),
    ("clock set soon", "set wants an instant"), ("reset abc", "12 digits"), ("leaks abc", "12 digits"),
    ("fault add {bad", "not JSON"), ('fault add {"effect":"nope"}', "effect is one of"), ("fault remove nosuch", "headrace fault list"),
    ("snapshot load nosuch", "headrace snapshot list"), ("snapshot delete nosuch", "headrace snapshot list"),
    ("snapshot save .hidden", "begins with a letter"), ("trace s3://nosuch/key", "nothing is known of s3://nosuch/key: no request named it"),
    ('fault add {"effect":"error","bogus":1}', 'no member "bogus"'), ('fault add {"nth":"x"}', "nth is a whole number"),
    ('fault add {"queue":5}', "queue is a string"), ('fault add {"probability":"x"}', "probability is a number"), ("fault add [1]", "a rule is an object"),
])
def test_a_refusal_is_one_line_without_json(server, words, says):
    first, rest = words.split(" ", 1)
    arguments = [first, *(rest.split(" ", 1) if first != "reset" and first != "leaks" and first != "trace" else [rest])]
    said = ask(server, *arguments, code=1)
    assert said.startswith("headrace: ") and says in said and said.count("\n") == 1 and '{"error"' not in said, said


def test_an_advance_that_overflows_moves_nothing(server):
    before = server.json("GET", "/_headrace/clock")[1]["mode"]
    for length in (2**63 - 1, 2**62, f"{2**47}s"):
        status, answer = server.json("POST", "/_headrace/clock", {"advance": length})
        assert (status, answer) == (400, {"error": "advance would go beyond the year 9999"}), length
    assert server.json("GET", "/_headrace/clock")[1]["mode"] == before


class Stranger(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_error(404)

    def log_message(self, *words):
        pass


def test_what_is_not_a_headrace_is_told():
    with http.server.HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        threading.Thread(target=stranger.handle_request).start()
        url = f"http://127.0.0.1:{stranger.server_port}"
        done = run("status", env={"AWS_ENDPOINT_URL": url})
    assert done.returncode == 1 and done.stderr == f"headrace: {url} answers 404, not as a Headrace does\n", done
    done = run("status", "--endpoint-url", "https://example.com")
    assert done.returncode == 1 and "not an http:// URL" in done.stderr


@pytest.mark.parametrize("words", ["status --json", "cost --json", "lint --json", "clock --json", "fault list", "snapshot list", "ops --json",
                                   "leaks 000000000000", "trace s3://nosuch/key --json", "snapshot save one", "snapshot delete one",
                                   "clock advance 1s --json", "clock --json real", "fault clear", "reset 111122223333", "fault --json list",
                                   "leaks 000000000000 --json", "snapshot --json", "reset 111122223333 --json"])
def test_json_is_json(server, words):
    answer = ask(server, *words.split())
    assert isinstance(json.loads(answer), dict) and answer.endswith("\n")


def test_the_examples_of_fault_work(server):
    examples = re.findall(r"headrace fault add '(.*)'", run("fault", "--help").stdout)
    assert len(examples) == 2
    for rule in examples:
        ask(server, "fault", "add", rule)
    assert json.loads(ask(server, "fault", "clear"))["removed"] == 2


def sent(server, account, method, path):
    connection = server.connect()
    service = "sqs" if "Action=" in path else "s3"
    connection.request(method, path, headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/us-east-1/{service}/aws4_request, "
                                                               "SignedHeaders=host, Signature=0"})
    status = connection.getresponse().status
    connection.close()
    return status


def on_a_terminal(server, *words, columns=0):
    """What a person sees: stdout is a terminal."""
    master, slave = os.openpty()
    if columns:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_"))}
    process = subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, stdout=slave, env={**clean, "HEADRACE_PORT": str(server.port)})
    os.close(slave)
    text = b""
    try:
        while more := os.read(master, 4096):
            text += more
    except OSError:  # EIO: the other end is closed, and all was read
        pass
    os.close(master)
    assert process.wait(60) == 0, text
    return text.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_help_fits_a_narrow_terminal(server, columns):
    for command in ["", *COMMANDS]:
        words = [command, "--help"] if command else ["--help"]
        narrow, wide = on_a_terminal(server, *words, columns=columns), run(*words).stdout
        assert narrow.split() == wide.split(), "not a word is lost"
        text, _, examples = narrow.partition("\nexamples:\n")
        assert max(map(len, map(str.rstrip, text.splitlines()))) <= columns, command
        assert examples == wide.partition("\nexamples:\n")[2], "commands stay as they are"
    assert on_a_terminal(server, "--help", columns=120) == run("--help").stdout


def test_people_get_lines_and_programs_json(server):
    rule = '{"operation":"PutObject","effect":"latency","delay":"1ms","bucket":"a\\u001b[2J","nth":3}'
    assert on_a_terminal(server, "fault") == "no rules: nothing goes wrong on purpose\n"
    added = on_a_terminal(server, "fault", "add", rule)
    assert re.fullmatch(r"added fault-\d+\n", added)
    assert re.fullmatch(added[6:-1] + r" +latency +matched 0, fired 0  operation=PutObject  delay=1ms  bucket=a\?\[2J  nth=3\n",
                        on_a_terminal(server, "fault"))
    assert json.loads(on_a_terminal(server, "fault", "--json"))["rules"][0]["nth"] == 3
    assert on_a_terminal(server, "fault", "clear") == "removed 1 rule\n"
    assert on_a_terminal(server, "snapshot") == "no snapshots\n"
    assert re.fullmatch(r"shown: \d+ bytes\n", on_a_terminal(server, "snapshot", "save", "shown"))
    assert re.fullmatch(r"shown +\d+ bytes\n", on_a_terminal(server, "snapshot", "list"))
    assert on_a_terminal(server, "snapshot", "delete", "shown") == "done\n"
    assert on_a_terminal(server, "leaks", "111122223333") == "account 111122223333 left nothing behind\n"
    assert sent(server, "111122223333", "PUT", "/left-behind") == 200
    assert re.fullmatch(r"bucket +left-behind +0 versions\n", on_a_terminal(server, "leaks", "111122223333"))
    assert on_a_terminal(server, "reset", "111122223333") == "done\n"


def test_status_is_in_order(server):
    for name in ("zebra", "ant", "mole", "bee"):
        assert sent(server, "222233334444", "PUT", "/" + name) == 200
        assert sent(server, "222233334444", "GET", "/?Action=CreateQueue&QueueName=" + name) == 200
    for kind in ("buckets", "queues"):
        names = [one["name"] for one in json.loads(ask(server, "status", "--json"))[kind] if one["account"] == "222233334444"]
        assert names == ["ant", "bee", "mole", "zebra"]
    shown = re.findall(r"222233334444 (\w+)", ask(server, "status"))
    assert shown == ["ant", "bee", "mole", "zebra"] * 2
    ask(server, "reset", "222233334444")


def test_a_snapshot_in_a_file_says_what_it_wrote(server, tmp_path):
    path = tmp_path / "state.snapshot"
    assert ask(server, "snapshot", "save", str(path)) == f"{path}: {path.stat().st_size} bytes\n"
    assert path.stat().st_mode & 0o077 == 0
    ask(server, "snapshot", "load", str(path))
    assert json.loads(ask(server, "snapshot", "save", str(path), "--json")) == {"file": str(path), "bytes": path.stat().st_size}
    done = run("snapshot", "save", "/nonexistent/a.snapshot", env={"HEADRACE_PORT": str(server.port)})
    assert done.returncode == 2 and "No such file" in done.stderr


def test_env_is_what_a_shell_and_an_sdk_need():
    done = run("env", "--host", "0.0.0.0", "--port", "5000", "--region", "eu-west-1")
    shown = subprocess.run(["sh", "-c", done.stdout + 'echo "$AWS_ENDPOINT_URL $AWS_REGION"'], capture_output=True, text=True)
    assert shown.stdout == "http://127.0.0.1:5000 eu-west-1\n"
    assert "http://[::1]:4566" in run("env", "--host", "::1").stdout


def test_colours_are_for_terminals(server):
    assert "\033" not in ask(server, "status") and "\033" not in run("demo").stdout
    assert "\033" not in server.output()
    master, slave = os.openpty()
    for env, colourful in (({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)):
        process = subprocess.Popen([BINARY, "--ephemeral", "--port", "0"], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                                   env={"TERM": "xterm", "PATH": os.environ["PATH"], **env})
        text = b""
        while b"try" not in text:
            text += os.read(master, 4096)
        process.terminate()
        assert process.wait(30) == 0
        assert (b"\033[" in text) == colourful, text


def test_a_taken_port_and_a_used_directory_are_named(tmp_path):
    with Server("--no-pipeline", data_dir=tmp_path / "data") as one:
        done = run("--port", str(one.port), "--ephemeral")
        assert done.returncode == 2 and f"port {one.port} on 127.0.0.1 is in use" in done.stderr
        done = run("--port", "0", "--data-dir", str(tmp_path / "data"))
        assert done.returncode == 2 and f"in use by process {one.process.pid}" in done.stderr


def test_the_documents_of_the_program_are_where_it_says():
    docs = pathlib.Path(__file__).resolve().parents[2]
    for command in COMMANDS:
        for name in re.findall(r"docs/\w+\.md", run(command, "--help").stdout):
            assert (docs / name).exists(), name


def test_lint_counts_its_notes_apart():
    with Server("--no-pipeline") as one:
        assert ask(one, "lint") == "0 findings\n"
        assert sent(one, "test", "PUT", "/bucket") == 200
        assert ask(one, "lint").endswith("\n0 findings, 1 note\n")


def test_the_banner_tells_what_a_shell_evaluates():
    with Server("--region", "eu-west-1", "--suffix", ".csv") as one:
        line, then = re.search(r"^  try +(eval \"\S+ env .*?\)\"); (.*)$", one.output(), re.M).groups()
        shown = subprocess.run(["sh", "-c", line + '; echo "$AWS_ENDPOINT_URL $AWS_REGION"'], capture_output=True, text=True)
        assert shown.stdout == f"{one.endpoint} eu-west-1\n", shown
        assert "aws s3 cp a.csv s3://dropzone/incoming/" in then
