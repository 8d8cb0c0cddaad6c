"""AWS's SDK for Go, version 2: S3 and SQS, by the programs of tests/clients/go. Skipped where there is no Go, or an older one than go.mod wants."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent / "go"
TESTS = sorted(name for file in HERE.glob("*_test.go") for name in re.findall(r"^func (Test(?!Main)\w+)\(t ", file.read_text(), re.M))


def numbers(text):
    return [int(part) for part in re.search(r"(\d+(?:\.\d+)*)", text)[1].split(".")]


@pytest.fixture(scope="session")
def program(tmp_path_factory):
    """The tests as one program. Modules come from Go's own proxy, or what GOPROXY names."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        pytest.skip("go is not installed")
    wanted = re.search(r"^go (\S+)", (HERE / "go.mod").read_text(), re.M)[1]
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"}
    has = subprocess.run([go, "env", "GOVERSION"], env=env, cwd="/", capture_output=True, text=True, check=True).stdout.strip()
    if numbers(has) < numbers(wanted):
        pytest.skip(f"{has} is too old, go.mod wants {wanted}")
    path = tmp_path_factory.mktemp("go") / "clients.test"
    built = subprocess.run([go, "test", "-c", "-o", str(path), "."], env=env, cwd=HERE, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-4000:]
    return path


@pytest.mark.parametrize("test", TESTS)
def test_go(program, place, test):
    env = place.environment(HEADRACE_ENDPOINT=place.server.endpoint, HEADRACE_STYLE=place.style, HEADRACE_AUTH=place.auth)
    done = subprocess.run([str(program), "-test.v", "-test.run", f"^{test}$"], env=env, cwd=HERE, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and f"--- PASS: {test} " in done.stdout, (done.stdout + done.stderr)[-4000:]
