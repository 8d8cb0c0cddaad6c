#!/usr/bin/env python3
"""Runs the core of Ceph's s3-tests (587 items) against Headrace, and compares with the list of expected failures.

    tests/s3tests/run.py --suite PATH/TO/s3-tests [--bin build/headrace] [--endpoint HOST:PORT] [-k EXPR] [--list-failures]

The suite is not part of this repository (it has its own licence): git clone https://github.com/ceph/s3-tests, then in a
Python environment: pip install boto3 pytest munch isodate pytz lxml httplib2 requests. Without --endpoint a server is
started on a free port with three users; with it, the server must know the keys that --print-keys shows.
"Core" leaves out what the suite itself marks as failing on AWS, and what is RGW's own: bucket logging, cloud tiers,
lifecycle on RGW's debug clock, IAM."""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NOT_CORE = ("fails_on_aws bucket_logging cloud_transition cloud_restore lifecycle_expiration lifecycle_transition "
            "iam_account iam_cross_account iam_role iam_tenant iam_user").split()
USERS = {
    "s3 main": ("HRMAINKEY00000000001", "main/secret+key/0000000000000000000000001", "111111111111", "Main User"),
    "s3 alt": ("HRALTKEY000000000001", "alt/secret+key/00000000000000000000000001", "222222222222", "Alt User"),
    "s3 tenant": ("HRTENANTKEY000000001", "tenant/secret+key/00000000000000000000001", "333333333333", "Tenant User"),
    "iam": ("HRIAMKEY000000000001", "iam/secret+key/00000000000000000000000001", "444444444444", "Iam User"),
    "iam root": ("HRROOTKEY00000000001", "root/secret+key/0000000000000000000000001", "555555555555", "Root User"),
    "iam alt root": ("HRALTROOTKEY00000001", "altroot/secret+key/0000000000000000000001", "666666666666", "Alt Root"),
}


def canonical_id(account):
    return (account * 6)[:64].ljust(64, "a")


def email(section):
    return section.replace(" ", "-") + "@example.com"


def key_file():
    return {"keys": [{"accessKeyId": key, "secretAccessKey": secret, "account": account, "displayName": name,
                      "canonicalId": canonical_id(account), "email": email(section)}
                     for section, (key, secret, account, name) in USERS.items()]}


def ini(host, port):
    lines = ["[DEFAULT]", f"host = {host}", f"port = {port}", "is_secure = False", "ssl_verify = False",
             "[fixtures]", "bucket prefix = headrace-{random}-", "iam name prefix = s3-tests-", "iam path prefix = /s3-tests/"]
    for section, (key, secret, account, name) in USERS.items():
        lines += [f"[{section}]", f"access_key = {key}", f"secret_key = {secret}", f"display_name = {name}",
                  f"user_id = {canonical_id(account)}", f"email = {email(section)}"]
        if section == "s3 main":
            lines += ["api_name = eu-west-1"]
        if section == "s3 tenant":
            lines += ["tenant = testx"]
    return "\n".join(lines) + "\n"


def expected_failures():
    rows = (line.split(":", 1) for line in (HERE / "expected_failures.txt").read_text().splitlines()
            if line.strip() and not line.startswith("#"))
    return {name.strip(): reason.strip() for name, reason in rows}


def start_server(binary, folder):
    sys.path.insert(0, str(ROOT / "tests"))
    from harness import Server
    keys = folder / "keys.json"
    keys.write_text(json.dumps(key_file()))
    return Server("--no-pipeline", "--keys", str(keys), "--auth", "enforce", binary=binary).start()


def run_suite(options, folder, host, port):
    (folder / "s3tests.conf").write_text(ini(host, port))
    environment = {**os.environ, "S3TEST_CONF": str(folder / "s3tests.conf"), "AWS_MAX_ATTEMPTS": "1",
                   "AWS_EC2_METADATA_DISABLED": "true", "PYTHONPATH": f"{HERE}:{options.suite}",
                   "PYTHONDONTWRITEBYTECODE": "1"}
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        environment.pop(name, None)
    command = [options.python, "-m", "pytest", "-p", "headrace_plugin", "-p", "no:cacheprovider", "-q", "--no-header",
               "--tb=short", "-rfE", "-m", " and ".join(f"not {mark}" for mark in NOT_CORE),
               f"--junitxml={folder}/junit.xml", "s3tests/functional/test_s3.py"]
    if options.k:
        command += ["-k", options.k]
    log = open(options.log or folder / "pytest.log", "w")
    subprocess.run(command, cwd=options.suite, env=environment, stdout=log, stderr=subprocess.STDOUT)


def outcomes(junit):
    from xml.etree import ElementTree
    for case in ElementTree.parse(junit).getroot().iter("testcase"):
        kinds = {child.tag: child for child in case}
        bad = kinds.get("failure", kinds.get("error"))
        yield case.get("name"), bad is None and "skipped" not in kinds, (bad.get("message") or "") if bad is not None else "skipped"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", help="a checkout of ceph/s3-tests")
    parser.add_argument("--bin", default=str(ROOT / "build/headrace"))
    parser.add_argument("--endpoint", help="HOST:PORT of a running server")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that has the suite's packages")
    parser.add_argument("-k", help="only items that match (pytest's -k)")
    parser.add_argument("--log", help="keep pytest's output here")
    parser.add_argument("--list-failures", action="store_true", help="also name expected failures")
    parser.add_argument("--print-keys", action="store_true")
    options = parser.parse_args()
    if options.print_keys:
        return print(json.dumps(key_file(), indent=1))
    if not options.suite:
        parser.error("--suite is missing")
    options.suite = str(pathlib.Path(options.suite).resolve())

    with tempfile.TemporaryDirectory(prefix="headrace-s3tests-") as name:
        folder, server = pathlib.Path(name), None
        if options.endpoint:
            host, port = options.endpoint.rsplit(":", 1)
        else:
            server = start_server(options.bin, folder)
            host, port = "127.0.0.1", server.port
        try:
            run_suite(options, folder, host, port)
            results = list(outcomes(folder / "junit.xml"))
        finally:
            if server:
                server.stop()
    known = expected_failures()
    passed = sum(ok for _, ok, _ in results)
    surprises = [(name, text) for name, ok, text in results if not ok and name not in known]
    cured = [name for name, ok, _ in results if ok and name in known]
    for name, text in surprises:
        print(f"FAILED {name}: {' '.join(text.split())[:200]}")
    if options.list_failures:
        for name, ok, _ in results:
            if not ok and name in known:
                print(f"expected {name}: {known[name]}")
    for name in cured:
        print(f"PASSED though expected to fail: {name}")
    print(f"{len(results) - passed - len(surprises)} expected failures, {len(surprises)} unexpected")
    print(f"{passed} passed, {len(results) - passed} failed")
    return 1 if surprises or cured else 0


if __name__ == "__main__":
    sys.exit(main())
