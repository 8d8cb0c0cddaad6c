"""Each example runs as its first lines say, and says what it promises."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
from conftest import SQS_IS_JSON

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("HEADRACE_BIN", ROOT / "build/headrace")).resolve().parent


def run(*command, endpoint=None, cwd=ROOT):
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}
    if endpoint:
        environment["AWS_ENDPOINT_URL"] = endpoint
    done = subprocess.run([str(part) for part in command], env=environment, cwd=cwd, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_python(pipeline):
    out = run(sys.executable, ROOT / "examples/python/pipeline.py", ROOT / "LICENSE", endpoint=pipeline.endpoint)
    assert 'report: {"bytes": 1077, "lines": 22, "words": 170}' in out and '"status":"PROCESSED"' in out


def test_shell(pipeline):
    out = run(ROOT / "examples/bash/pipeline.sh", endpoint=pipeline.endpoint)
    assert '"report":{"bytes":38,"lines":4,"words":8}' in out and "result: " in out


@pytest.mark.skipif(not shutil.which("node"), reason="no node")
def test_node(pipeline, tmp_path):
    modules = next((at for at in (BUILD / "js/node_modules", ROOT / "build/js/node_modules") if at.exists()), None)
    if not modules:
        pytest.skip("@aws-sdk is not installed (tests/run.sh does it)")
    (tmp_path / "node_modules").symlink_to(modules)
    shutil.copy(ROOT / "examples/node/pipeline.mjs", tmp_path)
    out = run("node", tmp_path / "pipeline.mjs", endpoint=pipeline.endpoint)
    assert 'report: {"bytes":38,"lines":4,"words":8}' in out and '"status":"PROCESSED"' in out


@pytest.mark.skipif(not SQS_IS_JSON, reason="once is enough")
def test_demo():
    out = run(BUILD / "headrace", "demo")
    steps = ["PUT", '"action":"ENQUEUED"', '"action":"PROCESSED"', '"action":"RESULT"', "uploaded", '"words": 8', "results-queue"]
    places = [out.index(step) for step in steps]
    assert places == sorted(places), out

