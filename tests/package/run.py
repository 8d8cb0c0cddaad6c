#!/usr/bin/env python3
"""The packages, on machines that have nothing: a bare Debian, and a root directory with no file but the program's.

    tests/package/run.py [CASE ...]     only cases whose name contains one of these; DEB and TARBALL name the packages

Needs root, or sudo without a password, for chroot and debootstrap. The bare Debian is made once, in build/."""
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import ROOT, wait_for_port  # noqa: E402

SUDO = [] if os.getuid() == 0 else ["sudo", "-n"]
BARE = ROOT / "build/bare-debian"
CASES = []
# Of the measured 5 MB and 3 ms: what would tell that something heavy came in.
RSS_LIMIT_KB, START_LIMIT_MS = 8000, 250


def case(function):
    CASES.append(function)
    return function


def run(*command, code=0, **options):
    """Runs it, wants this exit code, and gives its output, stdout and stderr together."""
    done = subprocess.run([str(part) for part in command], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **options)
    assert done.returncode == code, f"{' '.join(map(str, command))}: exit code {done.returncode}, not {code}: {done.stdout[-2000:]}"
    return done.stdout


def package(variable, pattern):
    """The newest package of this pattern, or the one that the environment names."""
    found = [os.environ[variable]] if variable in os.environ else sorted(glob.glob(str(ROOT / pattern)), key=os.path.getmtime)
    assert found, f"no {pattern}: cmake --build {pattern.split('/')[0]} --target package"
    return pathlib.Path(found[-1]).resolve()


def deb():
    return package("DEB", "build/headrace_*.deb")


def tarball():
    return package("TARBALL", "build-static/headrace-*.tar.gz")


def inside(root, *command, **options):
    return run(*SUDO, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/tmp", "DEBIAN_FRONTEND=noninteractive",
               "chroot", root, *command, **options)


class Inside:
    """A server in a root directory; its ports are the machine's."""

    def __init__(self, root, program, *flags):
        self.root, self.program, self.flags = root, program, flags

    def __enter__(self):
        port_file = self.root / "tmp/port"
        self.log = open(self.root / "tmp/log", "wb")
        started = time.monotonic()
        self.process = subprocess.Popen(
            [*SUDO, "chroot", str(self.root), self.program, "serve", "--port", "0", "--port-file", "/tmp/port", *self.flags],
            env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.port = wait_for_port(self.process, port_file)
        self.start_ms = (time.monotonic() - started) * 1000
        return self

    def rss_kb(self):
        """Of the process itself, or of the last child of the sudo that started it."""
        pid = str(self.process.pid)
        while children := pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            pid = children[0]
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])

    def __exit__(self, *fault):
        self.process.terminate()
        code = self.process.wait(30)
        self.log.close()
        (self.root / "tmp/port").unlink(missing_ok=True)
        assert fault[0] or code == 0, f"exit code {code}: {(self.root / 'tmp/log').read_text()[-2000:]}"


def wants_the_report(text):
    report = re.search(r'"bytes": 38,\s+"lines": 4,\s+"words": 8', text)
    assert report, text
    assert '"PROCESSED"' in text, text


def through_the_pipeline(server):
    """From outside, with nothing but HTTP."""
    url = f"http://127.0.0.1:{server.port}"
    run("curl", "-sf", "-T", "-", f"{url}/dropzone/incoming/a.txt", code=0)
    shown = run("curl", "-sf", "--retry", "50", "--retry-all-errors", "--retry-delay", "0",
                f"{url}/processed/processed/a.txt.report.json")
    assert json.loads(shown)["report"]["bytes"] == 0, shown


def empty_root(folder):
    """What a root directory must have: /tmp, and /dev/null."""
    root = folder / "root"
    for name in ("tmp", "dev"):
        (root / name).mkdir(parents=True)
    run(*SUDO, "mknod", "-m", "666", root / "dev/null", "c", "1", "3")
    run("tar", "xzf", tarball(), "-C", root, "--strip-components", "1")
    assert not list(root.rglob("*.so*")), "it is not empty"
    return root


def bare_debian(folder):
    """A minimal Debian of this machine's release, as debootstrap makes it; a copy for each case."""
    if not (BARE / "etc/debian_version").exists():
        run(*SUDO, "rm", "-rf", BARE, f"{BARE}.new")
        release = re.search(r"VERSION_CODENAME=(\S+)", pathlib.Path("/etc/os-release").read_text())[1]
        run(*SUDO, "debootstrap", "--variant=minbase", release, f"{BARE}.new")
        run(*SUDO, "mv", f"{BARE}.new", BARE)
    root = folder / "debian"
    run(*SUDO, "cp", "-a", BARE, root)
    run(*SUDO, "cp", "/etc/resolv.conf", root / "etc/resolv.conf")
    inside(root, "apt-get", "-q", "update")
    return root


# ---- the static program ----

@case
def a_root_without_a_library_runs_the_demo(folder):
    root = empty_root(folder)
    wants_the_report(inside(root, "/bin/headrace", "demo"))
    assert "headrace 0." in inside(root, "/bin/headrace", "version")


@case
def there_it_serves_keeps_its_data_and_is_small(folder):
    root = empty_root(folder)
    with Inside(root, "/bin/headrace", "--data-dir", "/tmp/data") as server:
        rss = server.rss_kb()
        through_the_pipeline(server)
        print(f"   static: first answer after {server.start_ms:.1f} ms, {rss} kB resident")
        assert rss < RSS_LIMIT_KB and server.start_ms < START_LIMIT_MS, (rss, server.start_ms)
    with Inside(root, "/bin/headrace", "--data-dir", "/tmp/data") as server:
        run("curl", "-sf", f"http://127.0.0.1:{server.port}/processed/processed/a.txt.report.json")
    inside(root, "/bin/headrace", "doctor", "--data-dir", "/tmp/data")


@case
def its_worker_makes_requests_and_resolves_names(folder):
    root = empty_root(folder)
    (root / "etc").mkdir()
    (root / "etc/hosts").write_text("127.0.0.1 emulator.test\n")
    with Inside(root, "/bin/headrace", "--ephemeral", "--workers", "0", "--allow-host", "emulator.test") as server:
        url = f"http://emulator.test:{server.port}"
        run("curl", "-sf", "-T", "-", f"http://127.0.0.1:{server.port}/dropzone/incoming/a.txt")
        keys = ["/bin/headrace", "worker", "--once", "--endpoint-url", url, "--output-bucket", "processed",
                "--jobs-queue-url", f"{url}/000000000000/jobs-queue", "--results-queue-url", f"{url}/000000000000/results-queue"]
        shown = run(*SUDO, "env", "-i", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "HOME=/tmp", "/usr/sbin/chroot", root, *keys)
        assert '"PROCESSED"' in shown, shown


@case
def the_tarball_says_what_is_in_it(folder):
    root = empty_root(folder)
    documents = root / "share/doc/headrace"
    run("tests/lint/dependencies.py", root / "bin/headrace", documents / "headrace.cdx.json", cwd=ROOT)
    licences = (documents / "LICENSES.txt").read_text()
    for part in json.loads((documents / "headrace.cdx.json").read_text())["components"]:
        assert re.search(rf"^{re.escape(part['name'])} {re.escape(part['version'])}: ", licences, re.M), part["name"]
    assert len(licences) > 50_000, "texts of licences are missing"
    for name in ("README.md", "LICENSE", "docs/operations.md"):
        assert (documents / name).read_text() == (ROOT / name).read_text(), name


# ---- the Debian package ----

@case
def a_bare_debian_installs_it_and_runs_the_demo(folder):
    root = bare_debian(folder)
    run(*SUDO, "cp", deb(), root / "tmp/headrace.deb")
    inside(root, "apt-get", "install", "-qy", "--no-install-recommends", "/tmp/headrace.deb")
    wants_the_report(inside(root, "headrace", "demo"))
    assert "libheadrace.so.0" in inside(root, "ldconfig", "-p")
    with Inside(root, "/usr/bin/headrace", "--data-dir", "/tmp/data") as server:
        through_the_pipeline(server)
    # libcurl is opened, not linked: without it the rest works, and those who need it say what to install.
    worker = ["env", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "headrace", "worker", "--once", "--max-attempts", "1",
              "--jobs-queue-url", "http://127.0.0.1:1/0/q", "--results-queue-url", "http://127.0.0.1:1/0/r"]
    shown = inside(root, *worker, code=1)
    assert "127.0.0.1" in shown and "libcurl" not in shown, shown
    inside(root, "dpkg", "--force-depends", "--remove", "libcurl4")
    assert "libcurl4" in inside(root, *worker, code=2)
    with Inside(root, "/usr/bin/headrace", "--ephemeral") as server:
        through_the_pipeline(server)
    inside(root, "apt-get", "purge", "-qy", "headrace")
    left = [path for path in run(*SUDO, "find", root / "usr", "-name", "*headrace*").split() if path]
    assert not left, left


@case
def the_package_has_its_documents_and_lintian_is_content(folder):
    run("dpkg-deb", "-x", deb(), folder / "x")
    usr = folder / "x/usr"
    run("tests/lint/dependencies.py", usr / "bin/headrace", usr / "share/doc/headrace/headrace.cdx.json", cwd=ROOT)
    page = run("man", "--warnings", "-l", usr / "share/man/man1/headrace.1.gz", env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C"})
    for command in re.findall(r"^  ([a-z]+) ", run(usr / "bin/headrace", "--help").split("options of serve")[0], re.M):
        assert re.search(rf"^ +{command}\b", page, re.M), f"the manual page does not have {command}"
    assert "warning" not in page, page
    words = run("bash", "-c", f". {usr}/share/bash-completion/completions/headrace; COMP_WORDS=({usr}/bin/headrace --auth ''); "
                "COMP_CWORD=2; _headrace; echo ${COMPREPLY[@]}")
    assert words.split() == ["off", "verify", "enforce"], words
    if shutil.which("lintian"):
        said = subprocess.run(["lintian", "--fail-on", "error,warning", str(deb())], capture_output=True, text=True)
        assert said.returncode == 0, said.stdout


@case
def a_program_links_with_the_package_s_library(folder):
    run("dpkg-deb", "-x", deb(), folder / "x")
    found = glob.glob(str(folder / "x/usr/lib/**/pkgconfig"), recursive=True)
    flags = run("pkg-config", "--cflags", "--libs", "headrace", env={**os.environ, "PKG_CONFIG_PATH": found[0]}).split()
    library = pathlib.Path(found[0]).parent
    run("cc", ROOT / "examples/embed/clock.c", *flags, "-o", folder / "clock")
    shown = run(folder / "clock", env={"LD_LIBRARY_PATH": str(library)})
    assert "after twelve hours" in shown, shown


@case
def cmake_installs_the_same_files(folder):
    run("cmake", "--install", ROOT / "build", "--prefix", folder / "usr")
    run("dpkg-deb", "-x", deb(), folder / "x")
    installed = {str(path.relative_to(folder / "usr")) for path in (folder / "usr").rglob("*") if not path.is_dir()}
    packed = {str(path.relative_to(folder / "x/usr")) for path in (folder / "x/usr").rglob("*") if not path.is_dir()}
    debian_only = {"share/doc/headrace/copyright", "share/doc/headrace/changelog.gz", "share/lintian/overrides/headrace"}
    assert packed - installed == debian_only and not installed - packed, installed ^ packed
    wants_the_report(run(folder / "usr/bin/headrace", "demo"))


def main():
    passed = failed = 0
    for function in CASES:
        if len(sys.argv) > 1 and not any(part in function.__name__ for part in sys.argv[1:]):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix="headrace-package-"))
        try:
            function(folder)
            passed += 1
            print(f"ok {function.__name__}", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED {function.__name__}: {type(error).__name__}: {error}", flush=True)
        finally:
            subprocess.run([*SUDO, "rm", "-rf", str(folder)])
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


sys.exit(main())
