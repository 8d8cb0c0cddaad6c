"""The AWS SDK for Java 2, in the program of tests/clients/java: S3Client, S3AsyncClient, S3TransferManager and SqsClient.

Maven brings the SDK into its own store (~/.m2) and builds outside of the source tree. Without Java 17 or Maven this is skipped."""
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import Place, run

SOURCE = pathlib.Path(__file__).resolve().parent / "java"
# Cases each group has: a program that ran nothing must not pass.
GROUPS = {"s3": 14, "async": 4, "sqs": 9}


@pytest.fixture(scope="session")
def java(tmp_path_factory):
    """The command that runs the program."""
    for program in ("java", "javac", "mvn"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (Java 17 or newer and Maven)")
    version = subprocess.run(["javac", "-version"], capture_output=True, text=True, check=True)
    if int(re.search(r"javac (\d+)", version.stdout + version.stderr)[1]) < 17:
        pytest.skip("Java is older than 17")
    out = tmp_path_factory.mktemp("java")
    built = subprocess.run(["mvn", "-q", "-B", "-f", SOURCE / "pom.xml", f"-Dout={out}", "compile", "dependency:build-classpath",
                            f"-Dmdep.outputFile={out}/classpath"], capture_output=True, text=True, timeout=900)
    if re.search("Unknown host|Could not transfer|Connection (refused|timed out)", built.stdout):
        pytest.skip("Maven cannot reach its repository")
    assert built.returncode == 0, built.stdout[-3000:]
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{out}/classes:{(out / 'classpath').read_text().strip()}", "headrace.Cases"]


@pytest.mark.parametrize("auth", ["off", "verify"])
@pytest.mark.parametrize("group", GROUPS)
def test_every_case(java, servers, auth, group):
    place = Place(servers(auth), auth, "path")
    lines = run([*java, group, place.endpoint], place.environment()).splitlines()
    assert [line.startswith("ok ") for line in lines] == [True] * GROUPS[group], lines


def test_a_wrong_secret_goes_nowhere(java, servers):
    place = Place(servers("verify"), "verify", "path")
    assert run([*java, "signed", place.endpoint], place.environment()).splitlines() == \
        ["ok S3 with a wrong secret", "ok SQS with a wrong secret"]
