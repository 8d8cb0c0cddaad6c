"""Each example runs as its first lines say, and says what it promises."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import botocore.session
import botocore.validate
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



@pytest.mark.skipif(not SQS_IS_JSON, reason="needs AWS's newer models")
def test_the_documents_for_aws_are_what_its_models_ask_for(monkeypatch):
    names = ("REGION", "ACCOUNT_ID", "SUBNET_ID", "SECURITY_GROUP_ID", "DROPZONE_BUCKET", "PROCESSED_BUCKET")
    for name in names:
        monkeypatch.setenv(name, "x" + name.lower().replace("_", "-"))
    text = run(ROOT / "examples/aws/deploy.sh", "--print")
    assert "<" not in text and '"AWS_REGION", "value": "xregion"' in text
    documents, at = [], 0
    while at < len(text.rstrip()):
        document, at = json.JSONDecoder().raw_decode(text, at)
        documents.append(document)
        at += len(text[at:]) - len(text[at:].lstrip())
    scaling, service, task, policy = documents
    session = botocore.session.get_session()

    def check(where, operation, document, member=None):
        shape = session.get_service_model(where).operation_model(operation).input_shape
        report = botocore.validate.ParamValidator().validate(document, shape.members[member] if member else shape)
        assert not report.has_errors(), report.generate_report()
        assert set(document) <= set((shape.members[member] if member else shape).members), operation

    check("ecs", "CreateService", service)
    check("ecs", "RegisterTaskDefinition", task)
    check("application-autoscaling", "PutScalingPolicy", scaling, "TargetTrackingScalingPolicyConfiguration")
    assert {s["Effect"] for s in policy["Statement"]} == {"Allow"}
