"""The examples of an emulator that belongs to a test: in C, Python and Node."""
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/headrace")).resolve()
PROMISE = "the message came back after twelve hours\n"
# A sanitizer's run-time must be loaded before everything else: Python and plain C programs do not.
plain = pytest.mark.skipif("asan" in BIN.parent.name, reason="the library is built with sanitizers")


def run(*command):
    done = subprocess.run([str(part) for part in command], text=True, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@plain
def test_python():
    assert run(sys.executable, ROOT / "examples/embed/clock.py", BIN.parent / "libheadrace.so") == PROMISE


@plain
def test_c(tmp_path):
    run("cc", ROOT / "examples/embed/clock.c", f"-I{ROOT / 'include'}", f"-L{BIN.parent}", "-lheadrace",
        f"-Wl,-rpath,{BIN.parent}", "-o", tmp_path / "clock")
    assert run(tmp_path / "clock") == PROMISE


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_node(tmp_path):
    modules = next((at for at in (BIN.parent / "js/node_modules", ROOT / "build/js/node_modules") if at.exists()), None)
    if not modules:
        pytest.skip("@aws-sdk is not installed (tests/run.sh does it)")
    (tmp_path / "node_modules").symlink_to(modules)
    shutil.copy(ROOT / "examples/embed/clock.mjs", tmp_path)
    assert run("node", tmp_path / "clock.mjs", BIN) == PROMISE


@pytest.mark.parametrize("name", ["clock.c", "clock.py", "clock.mjs"])
def test_each_is_shorter_than_twenty_lines(name):
    """Without comments, blank lines and C's includes."""
    text = (ROOT / "examples/embed" / name).read_text()
    text = re.sub(r'/\*.*?\*/|^""".*?"""|^//.*?$|^#.*?$', "", text, flags=re.S | re.M)
    assert len([line for line in text.splitlines() if line.strip()]) < 20
